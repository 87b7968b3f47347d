//! Orchestration: `cargo xtask reproduce | bench | licences | ci`; links no workspace crate, so it builds in seconds.
#![deny(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a stream that ends would end the program"
)]

mod bench;
mod bench_peers;
mod ci;
mod console;
mod licences;
mod process;
mod reproduce;

use std::process::ExitCode;

const USAGE: &str = "\
Usage: cargo xtask <COMMAND> [OPTIONS]

Commands:
  reproduce [--out DIR] [--seeds N] [--quick] [--deep] [--check] [--quiet]
             run section 5 of the paper and write traces, figures, claims and a summary
  bench [--quick] [--peers] [--only NAMES] [--out DIR]
             measure steps, kernels and scaling, accuracy beside time; bench.json, grid.md and plots
             in DIR (default target/bench); --peers measures NumPy and JAX in turns with us; --only
             takes questions, `grid`, `large_damped_step` and `headlines`, comma-separated, and
             leaves criterion out
  bench --instructions [--write]
             compare instruction counts with benches/instructions.json, or renew them (valgrind)
  licences   whether every package that a build links has an accepted licence
  ci         everything that the gate checks

Exit status: that of the command; 2 on wrong usage, 3 when a program cannot be started.
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.split_first() {
        Some((command, options)) => match command.as_str() {
            "reproduce" => reproduce::run(options),
            "bench" => bench::run(options),
            "licences" => licences::run(options),
            "ci" => ci::run(options),
            "help" | "--help" | "-h" => {
                console::say(USAGE.trim_end());
                ExitCode::SUCCESS
            }
            other => wrong_usage(&format!("unknown command {other:?}")),
        },
        None => wrong_usage("no command given"),
    }
}

/// Says what is wrong and what is accepted.
fn wrong_usage(problem: &str) -> ExitCode {
    console::note(format_args!("error: {problem}\n\n{}", USAGE.trim_end()));
    ExitCode::from(2)
}
