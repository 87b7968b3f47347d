//! `cargo xtask ci`: the gate, as the script `.ci/run` says it.

use std::process::{Command, ExitCode};

use crate::process::{hand_over, root};

/// Runs the gate's script.
pub fn run(options: &[String]) -> ExitCode {
    if let Some(option) = options.first() {
        return crate::wrong_usage(&format!("ci takes no options, found {option:?}"));
    }
    let mut script = Command::new("bash");
    script.arg(root().join(".ci/run"));
    hand_over(script)
}
