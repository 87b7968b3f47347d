//! The `gaussflow` binary: parses the command line, runs it, and turns failures into exit statuses.
#![deny(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a stream that ends would end the program"
)]

use std::process::ExitCode;

use gaussflow_driver::{command_line, console};

fn main() -> ExitCode {
    match command_line::parse(std::env::args_os()) {
        Ok(command) => command_line::finish(command_line::execute(command)),
        Err(said) => console::usage(&said),
    }
}
