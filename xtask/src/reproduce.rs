//! `cargo xtask reproduce`: builds the driver and lets it run section 5.

use std::process::ExitCode;

use crate::process::{cargo, commit, hand_over, root};

/// Hands every option to the driver, which knows them and explains wrong ones.
pub fn run(options: &[String]) -> ExitCode {
    let mut build = cargo();
    build
        .args([
            "run",
            "--quiet",
            "--release",
            "--package",
            "gaussflow-driver",
            "--bin",
            "gaussflow",
        ])
        .arg("--manifest-path")
        .arg(root().join("Cargo.toml"))
        .args(["--", "reproduce"])
        .args(options)
        .env("GAUSSFLOW_COMMIT", commit());
    hand_over(build)
}
