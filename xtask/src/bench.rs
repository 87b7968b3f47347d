//! `cargo xtask bench`: the criterion benchmarks of the solve kernels.

use std::process::ExitCode;

use crate::process::{cargo, hand_over, root};

/// Runs the benchmarks; `--quick` takes fewer samples.
pub fn run(options: &[String]) -> ExitCode {
    let mut bench = cargo();
    bench.args(["bench", "--package", "gaussflow-benches", "--manifest-path"]);
    bench.arg(root().join("Cargo.toml")).arg("--");
    for option in options {
        match option.as_str() {
            "--quick" => bench.arg("--quick"),
            other => return crate::wrong_usage(&format!("bench does not know {other:?}")),
        };
    }
    hand_over(bench)
}
