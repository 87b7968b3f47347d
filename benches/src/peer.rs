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
use serde_json::{Value, json};

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
    /// The fastest formulation, then the plain one.
    #[serde(default)]
    variants: Vec<String>,
    /// Why there is no time.
    error: Option<String>,
}

impl Peer {
    /// Starts `script` with `python`, every library held to one thread.
    pub fn start(name: &'static str, python: &Path, script: &Path) -> Fallible<Self> {
        let mut child = Command::new(python)
            .arg("-u")
            .arg(script)
            // The scripts stand among the sources: nothing is written beside them.
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("OMP_NUM_THREADS", "1")
            .env("OPENBLAS_NUM_THREADS", "1")
            .env("MKL_NUM_THREADS", "1")
            .env("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")
            .env("JAX_PLATFORMS", "cpu")
            .env("GEOMSTATS_BACKEND", "numpy")
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

    /// Sends a request and waits for its answer: seconds, and the names of the formulations.
    fn request(&mut self, request: &Value) -> Fallible<(f64, Vec<String>)> {
        writeln!(self.requests, "{request}")?;
        self.requests.flush()?;
        let mut text = String::new();
        self.answers.read_line(&mut text)?;
        let answer: Answer = serde_json::from_str(&text)
            .map_err(|error| format!("{} answered {text:?}: {error}", self.name))?;
        match answer {
            Answer { seconds: Some(seconds), variants, error: None } => Ok((seconds, variants)),
            Answer { error, .. } => {
                Err(format!("{}, {request}: {}", self.name, error.unwrap_or_default()).into())
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
#[derive(Clone)]
pub struct Task {
    /// Who does it.
    pub peer: Rc<RefCell<Peer>>,
    /// Its name in the peer's script.
    pub name: &'static str,
    /// The folder of the problem.
    pub problem: PathBuf,
    /// Multiplications and additions of one call, where they are counted.
    pub operations: Option<f64>,
}

impl Task {
    /// The names of the formulations to be measured: the fastest, and the plain one if it is another.
    pub fn formulations(&self, count: usize) -> Fallible<Vec<String>> {
        let (_, mut names) = self.peer.try_borrow_mut()?.request(&self.words(count))?;
        names.dedup();
        Ok(names)
    }

    /// The result of `count` repetitions by a formulation, read back.
    pub fn result(&self, count: usize, formulation: &str) -> Fallible<Vec<f64>> {
        let path = self.problem.join(format!("{}-{formulation}.f64", self.name));
        let mut request = self.words(count);
        request["variant"] = json!(formulation);
        request["result"] = json!(path);
        self.peer.try_borrow_mut()?.request(&request)?;
        read_doubles(&path)
    }

    /// The side that asks the peer; `error` is that of its result.
    pub fn side(&self, formulation: &str, error: Option<f64>) -> Fallible<Side<'static>> {
        let name = format!("{}-{formulation}", self.peer.try_borrow()?.name());
        let (task, formulation) = (self.clone(), formulation.to_owned());
        let run = move |count| {
            let mut request = task.words(count);
            request["variant"] = json!(formulation);
            Ok(task.peer.try_borrow_mut()?.request(&request)?.0)
        };
        Ok(Side { peer: Some(name), ..Side::running(self.operations, run, move || Ok(error)) })
    }

    /// One side a formulation; `error` says how far a result is from ours.
    pub fn sides(
        &self,
        count: usize,
        error: impl Fn(&[f64]) -> f64,
    ) -> Fallible<Vec<Side<'static>>> {
        let mut sides = Vec::new();
        for formulation in self.formulations(count)? {
            let distance = error(&self.result(count, &formulation)?);
            sides.push(self.side(&formulation, Some(distance))?);
        }
        Ok(sides)
    }

    /// The request in its simplest form.
    fn words(&self, count: usize) -> Value {
        json!({"task": self.name, "problem": self.problem, "count": count})
    }
}
