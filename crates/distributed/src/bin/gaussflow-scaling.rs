//! The program `gaussflow-scaling`: by the cost model, how long a step takes on 1 to 65,536 ranks, and where that stops falling.
#![deny(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a stream that ends would end the program"
)]

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use gaussflow_distributed::scaling::{Plan, ScalingError, Setting, write};
use gaussflow_driver::console;

/// Most rows, and most parameters: their products are exact.
const MOST: f64 = 1e12;

/// How long a step takes on 1, 2, 4, ... 65,536 ranks, predicted by the cost model; no MPI is needed.
///
/// It writes scaling.csv (every number), scaling.md (tables to read) and two figures.
///
/// Exit status: 0 done, 2 bad usage or settings, 3 input/output failure.
#[derive(Debug, Parser)]
#[command(
    name = "gaussflow-scaling",
    version,
    after_help = "Example:\n  gaussflow-scaling --out out/scaling --rows 1e6,1e9 --parameters 512,8192"
)]
struct CommandLine {
    /// The folder to write: new, empty, or written by an earlier call.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Seconds of a machine's work and of networks (TOML), as the example calibrate prints them [default: built in, and
    /// named in scaling.md].
    #[arg(long, value_name = "FILE")]
    machine: Option<PathBuf>,
    /// Rows in all, for strong scaling [default: 20640,1e6,1e7,1e8,1e9].
    #[arg(long, value_name = "N,...", value_delimiter = ',', value_parser = count)]
    rows: Vec<usize>,
    /// Rows on each rank, for weak scaling [default: 1e4,1e6].
    #[arg(long, value_name = "N,...", value_delimiter = ',', value_parser = count)]
    rows_per_rank: Vec<usize>,
    /// Parameters, multiples of the 8 features [default: 512,2048,8192,32768,1e5].
    #[arg(long, value_name = "P,...", value_delimiter = ',', value_parser = count)]
    parameters: Vec<usize>,
    /// Iterations of conjugate gradients in a step that uses an earlier factor [default: 10].
    #[arg(long, value_name = "I", value_parser = count)]
    iterations: Option<usize>,
    /// Memory of a rank in GiB [default: 4].
    #[arg(long, value_name = "GIB", allow_negative_numbers = true)]
    memory: Option<f64>,
    /// The network of the figures [default: ethernet-10g].
    #[arg(long, value_name = "NAME")]
    network: Option<String>,
    /// Print nothing but errors.
    #[arg(long)]
    quiet: bool,
}

/// A whole number, which may be written as 1e6.
fn count(text: &str) -> Result<usize, String> {
    let accepted = || "accepted: a whole number from 1 to 1e12, such as 20640 or 1e6".to_owned();
    let value: f64 = text.trim().parse().map_err(|_| accepted())?;
    if !(1.0..=MOST).contains(&value) || value.fract() != 0.0 {
        return Err(accepted());
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a whole number between 1 and 1e12"
    )]
    Ok(value as usize)
}

impl CommandLine {
    /// The plan that the options describe.
    fn plan(&self) -> Result<Plan, ScalingError> {
        let default = Plan::default();
        let counts = |given: &Vec<usize>, default: Vec<usize>| {
            if given.is_empty() { default } else { given.clone() }
        };
        Ok(Plan {
            setting: self.machine.as_deref().map_or(Ok(default.setting), Setting::read)?,
            rows: counts(&self.rows, default.rows),
            rows_per_rank: counts(&self.rows_per_rank, default.rows_per_rank),
            parameters: counts(&self.parameters, default.parameters),
            iterations: self.iterations.unwrap_or(default.iterations),
            memory: self.memory.unwrap_or(default.memory),
            network: self.network.clone().unwrap_or(default.network),
        })
    }
}

fn main() -> ExitCode {
    let arguments = match CommandLine::try_parse() {
        Ok(arguments) => arguments,
        Err(said) => return console::usage(&said),
    };
    let done = arguments.plan().and_then(|plan| {
        write(&plan, &arguments.out)?;
        Ok(plan)
    });
    match done {
        Ok(plan) => {
            if !arguments.quiet {
                let page = arguments.out.join("scaling.md");
                let name = &plan.setting.name;
                console::say(format_args!("machine: {name}\nsee {}", page.display()));
            }
            ExitCode::from(console::end(0))
        }
        Err(error) => {
            console::note(format_args!("error: {error}"));
            ExitCode::from(console::end(error.exit_status()))
        }
    }
}
