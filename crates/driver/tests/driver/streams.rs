//! Standard output and standard error that end early: no panic, the work is finished, and the status says so.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::common::gaussflow;

/// A configuration that runs in milliseconds, a problem and a damaged file, in a new folder.
fn home() -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(home.path().join(name), text).unwrap();
    let small = "data.samples = 20\nnetwork.hidden = 2\ndynamics.horizon = 0.02\n";
    write("c.toml", small);
    write("s.toml", &format!("{small}[sweep]\nseeds = 2\n"));
    write("bad.toml", "[dynamics]\nscaling = -1.0\n");
    write("d.csv", "x,y\n1,3.1\n8,5.0\n27,7.1\n64,9.0\n");
    write(
        "p.toml",
        "[data]\npath = \"d.csv\"\nresponse = \"y\"\n[model]\nexpression = \"a * x + b\"\n\
         [parameters]\na = 1.0\nb = 1.0\n",
    );
    assert!(gaussflow(&["run", "c.toml", "--out", "o", "--quiet"], home.path()).status.success());
    home
}

/// Each command that prints, and a file that it leaves behind.
const COMMANDS: [(&[&str], Option<&str>); 13] = [
    (&["fit", "p.toml"], Some("p-fit/fit.json")),
    (&["audit", "o"], Some("o/runs/gauss-newton-alpha_8-seed_0/audit.json")),
    (&["report", "o"], Some("o/report.html")),
    (&["run", "c.toml", "--out", "n"], Some("n/manifest.json")),
    (&["run", "c.toml", "--out", "j", "--json"], Some("j/manifest.json")),
    (&["sweep", "s.toml", "--out", "s"], Some("s/summary.csv")),
    (&["compare", "o", "o"], None),
    (&["compare", "o", "o", "--json"], None),
    (&["config"], None),
    (&["completions", "bash"], None),
    (&["--help"], None),
    (&["run", "--help"], None),
    (&["--version"], None),
];

fn full() -> Stdio {
    File::options().write(true).open("/dev/full").unwrap().into()
}

/// A stream whose reader has gone.
fn gone() -> Stdio {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    writer.into()
}

fn with_streams(arguments: &[&str], folder: &Path, output: Stdio, error: Stdio) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gaussflow"));
    command.args(arguments).current_dir(folder).stdout(output).stderr(error);
    command.spawn().unwrap().wait_with_output().unwrap()
}

/// Takes the file away, and new folders whole, so that the next call is seen to write it.
fn is_written(folder: &Path, file: Option<&str>) -> bool {
    let is_there = file.is_none_or(|file| fs::remove_file(folder.join(file)).is_ok());
    for new in ["n", "j", "s"] {
        drop(fs::remove_dir_all(folder.join(new)));
    }
    is_there
}

#[test]
fn a_reader_that_leaves_is_no_failure() {
    let home = home();
    let path = home.path();
    for (arguments, file) in COMMANDS {
        let output = with_streams(arguments, path, gone(), Stdio::piped());
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {said}");
        assert!(!said.contains("panicked") && !said.contains("error"), "{arguments:?}: {said}");
        assert!(is_written(path, file), "{arguments:?} left no {file:?}");
    }
    for (arguments, status) in
        [(&["run", "bad.toml", "--out", "o"][..], 2), (&["rum"], 2), (&["report", "none"], 3)]
    {
        let output = with_streams(arguments, path, gone(), gone());
        assert_eq!(output.status.code(), Some(status), "{arguments:?}");
    }
    let output = with_streams(&["sweep", "s.toml", "--out", "s"], path, Stdio::piped(), gone());
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn a_full_device_is_said_with_status_3_after_the_work() {
    let home = home();
    let path = home.path();
    for (arguments, file) in COMMANDS {
        let output = with_streams(arguments, path, full(), Stdio::piped());
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(3), "{arguments:?}: {said}");
        assert!(said.contains("standard output: cannot write"), "{arguments:?}: {said}");
        assert!(!said.contains("panicked"), "{arguments:?}: {said}");
        assert!(is_written(path, file), "{arguments:?} left no {file:?}");
    }
    // Progress goes to standard error; where even that is full, the status alone can tell.
    for output in [full(), Stdio::piped()] {
        let output = with_streams(&["sweep", "s.toml", "--out", "s"], path, output, full());
        assert_eq!(output.status.code(), Some(3));
        assert!(is_written(path, Some("s/summary.csv")));
    }
    // The status of a refusal is worth more than that of its message.
    for (arguments, status) in
        [(&["run", "bad.toml", "--out", "o"][..], 2), (&["rum"], 2), (&["report", "none"], 3)]
    {
        let output = with_streams(arguments, path, full(), full());
        assert_eq!(output.status.code(), Some(status), "{arguments:?}");
    }
}

/// What a shell's `>&-` and `2>&-` do.
#[test]
fn closed_streams_are_silence() {
    let home = home();
    let path = home.path();
    let shell = |command: &str| {
        let program = env!("CARGO_BIN_EXE_gaussflow");
        let output = Command::new("sh")
            .args(["-c", &format!("'{program}' {command}")])
            .current_dir(path)
            .output()
            .unwrap();
        assert!(!String::from_utf8_lossy(&output.stderr).contains("panicked"), "{output:?}");
        output.status.code()
    };
    for closed in [">&-", "2>&-", ">&- 2>&-"] {
        for (arguments, file) in COMMANDS {
            let command = format!("{} {closed}", arguments.join(" "));
            assert_eq!(shell(&command), Some(0), "{command}");
            assert!(is_written(path, file), "{command} left no {file:?}");
        }
        assert_eq!(shell(&format!("run bad.toml --out o {closed}")), Some(2));
        assert_eq!(shell(&format!("rum {closed}")), Some(2));
    }
    // No file of a run has become the closed stream, with messages in it.
    let manifest = fs::read_to_string(path.join("o/manifest.json")).unwrap();
    assert!(manifest.starts_with('{') && manifest.ends_with("}\n"), "{manifest}");
}

/// The pipe of the case that was reported, with a reader that takes one line.
#[test]
fn the_first_line_of_a_fit_can_be_had_alone() {
    let home = home();
    let program = env!("CARGO_BIN_EXE_gaussflow");
    let output = Command::new("bash")
        .args([
            "-c",
            &format!("'{program}' fit p.toml --out out | head -1; exit ${{PIPESTATUS[0]}}"),
        ])
        .current_dir(home.path())
        .output();
    // Without bash nothing is to be seen here that the others do not see.
    let Ok(output) = output else { return };
    assert_eq!((output.status.code(), output.stderr.len()), (Some(0), 0), "{output:?}");
    assert!(home.path().join("out/fit.json").exists());
}
