//! A peer: a long-lived child process that does a task so many times when asked, and says how long.
//!
//! One JSON object a line each way (benches/peers/protocol.py). The child inherits the core that this
//! process is pinned to, and waits while this process works.

use std::cell::RefCell;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::rc::Rc;

use serde::Deserialize;
use serde_json::json;

use crate::case::{Fallible, Side};
use crate::problems::read_doubles;

/// A running peer.
pub struct Peer {
    /// Its name in the table.
    name: &'static str,
    child: Child,
    requests: ChildStdin,
    answers: BufReader<ChildStdout>,
}

/// What a peer says to a request.
#[derive(Debug, Deserialize)]
struct Answer {
    /// Seconds of all repetitions.
    seconds: Option<f64>,
    /// The formulation that it found to be the fastest.
    variant: Option<String>,
    /// Why there is no time.
    error: Option<String>,
}

impl Peer {
    /// Starts `script` with `python`, every library held to one thread.
    ///
    /// # Errors
    /// When the interpreter cannot be started.
    pub fn start(name: &'static str, python: &Path, script: &Path) -> Fallible<Self> {
        let mut child = Command::new(python)
            .arg("-u")
            .arg(script)
            .env("OMP_NUM_THREADS", "1")
            .env("OPENBLAS_NUM_THREADS", "1")
            .env("MKL_NUM_THREADS", "1")
            .env("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")
            .env("JAX_PLATFORMS", "cpu")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let pipes = child.stdin.take().zip(child.stdout.take());
        let (requests, answers) = pipes.ok_or("the peer has no pipes")?;
        Ok(Self { name, child, requests, answers: BufReader::new(answers) })
    }

    /// The name in the table.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Lets the peer do `task` on the problem in `problem` so many times; seconds and formulation.
    fn request(
        &mut self,
        task: &str,
        problem: &Path,
        count: usize,
        result: Option<&Path>,
    ) -> Fallible<(f64, String)> {
        let mut line = json!({"task": task, "problem": problem, "count": count});
        if let Some(path) = result {
            line["result"] = json!(path);
        }
        writeln!(self.requests, "{line}")?;
        self.requests.flush()?;
        let mut text = String::new();
        self.answers.read_line(&mut text)?;
        let answer: Answer = serde_json::from_str(&text)
            .map_err(|error| format!("{} answered {text:?}: {error}", self.name))?;
        match answer {
            Answer { seconds: Some(seconds), variant, error: None } => {
                Ok((seconds, variant.unwrap_or_default()))
            }
            Answer { error, .. } => {
                Err(format!("{}, {task}: {}", self.name, error.unwrap_or_default()).into())
            }
        }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // A child that is gone already leaves nothing to do.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A task of a peer on one problem.
pub struct Task {
    /// Who does it.
    pub peer: Rc<RefCell<Peer>>,
    /// Its name in the peer's script.
    pub name: &'static str,
    /// The folder of the problem.
    pub problem: PathBuf,
    /// Multiplications and additions of one call.
    pub operations: f64,
}

impl Task {
    /// The result of `count` repetitions, read back, and the formulation that the peer chose.
    ///
    /// # Errors
    /// When the peer fails.
    pub fn result(&self, count: usize) -> Fallible<(Vec<f64>, String)> {
        let path = self.problem.join(format!("{}-result.f64", self.name));
        let (_, variant) =
            self.peer.try_borrow_mut()?.request(self.name, &self.problem, count, Some(&path))?;
        Ok((read_doubles(&path)?, variant))
    }

    /// The side that asks the peer; `variant` stands in its name, `error` is that of its result.
    ///
    /// # Errors
    /// When the peer is at work.
    pub fn side(self, variant: &str, error: Option<f64>) -> Fallible<Side<'static>> {
        let name = format!("{}-{variant}", self.peer.try_borrow()?.name());
        Ok(Side {
            peer: Some(name),
            operations: Some(self.operations),
            run: Box::new(move |count| {
                let mut peer = self.peer.try_borrow_mut()?;
                Ok(peer.request(self.name, &self.problem, count, None)?.0)
            }),
            error: Box::new(move || Ok(error)),
        })
    }
}
