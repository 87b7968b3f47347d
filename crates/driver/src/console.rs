//! Everything that the program prints: a reader that leaves or a device that is full ends no work.
//!
//! Where the reader of a stream has seen enough (`gaussflow fit my.toml | head -1`), nothing more is printed to it, and the
//! exit status stays that of the work. Where a stream cannot be written otherwise, as on a full disk, the work is
//! still finished; then the program says so, if it can, and ends with status 3 instead of 0. Nothing else
//! in this package writes to standard output or standard error, so that no message can end the program.

use std::fmt::Display;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};

use serde::Serialize;

use crate::exit_status::{BAD_INPUT, IO_FAILED};

/// One of the program's two streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stream {
    Output,
    Error,
}

/// What became of a stream; `None` while it takes what is printed.
type Ended = Option<io::Error>;

/// How standard output and standard error ended.
static ENDED: Mutex<[Ended; 2]> = Mutex::new([None, None]);

/// Prints `text` as it is to standard output.
pub fn print(text: &str) {
    write(Stream::Output, text);
}

/// Prints a line to standard output.
pub fn say(line: impl Display) {
    write(Stream::Output, &format!("{line}\n"));
}

/// Prints `answer` to standard output as indented JSON.
pub fn json<T: Serialize>(answer: &T) {
    match serde_json::to_string_pretty(answer) {
        Ok(text) => say(text),
        // None of the answers has a map whose keys are not text, the one thing that JSON cannot hold.
        Err(error) => note(error),
    }
}

/// Prints a line to standard error: a message, or how far the work has come.
pub fn note(line: impl Display) {
    write(Stream::Error, &format!("{line}\n"));
}

/// Prints what the command line's reader has to say, be it help, a version or a complaint; the status.
pub fn usage(said: &clap::Error) -> ExitCode {
    let (stream, status) =
        if said.use_stderr() { (Stream::Error, BAD_INPUT) } else { (Stream::Output, 0) };
    remember(stream, said.print());
    ExitCode::from(end(status))
}

/// The status `status`, or that of a failed write where all else went well.
pub fn end(status: u8) -> u8 {
    remember(Stream::Output, io::stdout().flush());
    let lost = |ended: &Ended| match ended {
        Some(error) if error.kind() != io::ErrorKind::BrokenPipe => Some(error.to_string()),
        _ => None,
    };
    let [output, error] = ended().each_ref().map(lost);
    if let Some(reason) = &output {
        note(format_args!("error: standard output: cannot write: {reason}"));
    }
    if status == 0 && (output.is_some() || error.is_some()) { IO_FAILED } else { status }
}

/// Writes to a stream, unless it has ended.
fn write(stream: Stream, text: &str) {
    if ended()[stream as usize].is_some() {
        return;
    }
    remember(
        stream,
        match stream {
            Stream::Output => {
                let mut out = io::stdout().lock();
                out.write_all(text.as_bytes()).and_then(|()| out.flush())
            }
            Stream::Error => io::stderr().lock().write_all(text.as_bytes()),
        },
    );
}

/// Keeps the first failure of a stream.
fn remember(stream: Stream, written: io::Result<()>) {
    if let Err(error) = written {
        ended()[stream as usize].get_or_insert(error);
    }
}

fn ended() -> std::sync::MutexGuard<'static, [Ended; 2]> {
    // A thread that panicked while it held the lock has left whole values behind.
    ENDED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How to see what lies in a folder of runs.
pub(crate) fn what_next(folder: &Path) -> String {
    format!("for a page with charts: gaussflow report {}", folder.display())
}
