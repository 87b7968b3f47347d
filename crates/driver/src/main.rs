//! The `gaussflow` binary: parses the command line, runs it, and turns failures into exit statuses.

use std::process::ExitCode;

use gaussflow_driver::command_line;

fn main() -> ExitCode {
    match command_line::execute() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(error.exit_status())
        }
    }
}
