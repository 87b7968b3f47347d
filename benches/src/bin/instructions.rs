//! Runs one kernel so many times, or counts the instructions of all of them and compares.

use std::path::Path;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use gaussflow_benches::case::Fallible;
use gaussflow_benches::instructions::{Kernel, Mode, guard};

/// Instruction counts of the kernels.
#[derive(Parser)]
struct Options {
    #[command(subcommand)]
    command: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Runs a kernel.
    Run {
        /// Its name.
        kernel: String,
        /// How often.
        calls: usize,
    },
    /// Counts under valgrind and compares with benches/instructions.json.
    Compare {
        /// Writes the counts there instead.
        #[arg(long)]
        write: bool,
    },
}

fn main() -> ExitCode {
    match run(&Options::parse().command) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Whether nothing grew.
fn run(task: &Task) -> Fallible<bool> {
    match task {
        Task::Run { kernel, calls } => {
            let found = Kernel::ALL.into_iter().find(|known| known.name() == kernel);
            let kernel = found.ok_or_else(|| {
                let names = Kernel::ALL.map(Kernel::name).join(", ");
                format!("no kernel {kernel:?}; there are {names}")
            })?;
            kernel.run(*calls)?;
            Ok(true)
        }
        Task::Compare { write } => {
            let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("instructions.json");
            let mode = if *write { Mode::Write } else { Mode::Compare };
            guard(&std::env::current_exe()?, &file, mode)
        }
    }
}
