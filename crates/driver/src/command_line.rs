//! The command line: `gaussflow run`, `gaussflow config`, `gaussflow reproduce`, `gaussflow report`.

use std::path::PathBuf;
use std::sync::atomic::Ordering;

use clap::{Args, Parser, Subcommand};

use crate::config::Config;
use crate::error::DriverError;
use crate::experiment::{Experiment, load};
use crate::records::RunEntry;
use crate::report;
use crate::reproduce::folder::{RunFolder, identity};
use crate::reproduce::{self, Mode};
use crate::run;

/// Gauss-Newton, Levenberg-Marquardt and gradient-flow dynamics of neural networks.
///
/// Exit status: 0 done (an early event is a result), 1 a check failed, 2 bad usage, configuration or
/// data, 3 input/output failure, 130 interrupted.
#[derive(Debug, Parser)]
#[command(name = "gaussflow", version)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run one configuration and write its folder.
    #[command(after_help = "Examples:\n  gaussflow config > my.toml\n  \
                            gaussflow run my.toml --out results")]
    Run(RunArguments),
    /// Print a commented default configuration.
    #[command(after_help = "Example:\n  gaussflow config > my.toml")]
    Config,
    /// Run section 5 of the paper: traces, figures, claims and a summary.
    #[command(after_help = "Examples:\n  gaussflow reproduce --quick --out quick\n  \
                            gaussflow reproduce --check")]
    Reproduce(ReproduceArguments),
    /// Write DIR/report.html, one page that opens offline, from a folder of runs.
    #[command(after_help = "Examples:\n  gaussflow report out/reproduction\n  \
                            gaussflow report results/runs/gauss-newton-alpha_8-seed_0")]
    Report(ReportArguments),
}

#[derive(Debug, Args)]
struct ReportArguments {
    /// What run, sweep or reproduce wrote, or one run's folder.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Print nothing but errors.
    #[arg(long)]
    quiet: bool,
}

#[derive(Debug, Args)]
struct RunArguments {
    /// The configuration (TOML).
    config: PathBuf,
    /// The folder to write; new, empty, or written by an earlier run.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Print nothing but errors.
    #[arg(long)]
    quiet: bool,
}

#[derive(Debug, Args)]
struct ReproduceArguments {
    /// The folder to write; new, empty, or written by an earlier run.
    #[arg(long, value_name = "DIR", default_value = "out/reproduction")]
    out: PathBuf,
    /// Number of seeds, from 0; the figures show seed 0 and the band of all [default: 16, quick: 2].
    #[arg(long, value_name = "N")]
    seeds: Option<u64>,
    /// Two seeds, alpha in {1/8, 8, 256}, horizon 2.
    #[arg(long)]
    quick: bool,
    /// Compare with the committed reference results; exit status 1 names what moved.
    #[arg(long)]
    check: bool,
    /// Write the results' reference values to this file (for maintainers).
    #[arg(long, value_name = "FILE", hide = true)]
    write_reference: Option<PathBuf>,
    /// Print nothing but errors.
    #[arg(long)]
    quiet: bool,
}

/// Parses the process's arguments and does what they say.
///
/// Wrong usage ends the process with status 2, `--help` and `--version` with 0.
///
/// # Errors
/// [`DriverError`], whose exit status the caller uses.
pub fn execute() -> Result<(), DriverError> {
    let arguments = CommandLine::parse();
    // A second interrupt, or a handler that cannot be set, leaves the system's default: an end
    // without a folder of half-written files, since every file is renamed into place.
    let handler = ctrlc::set_handler(|| {
        if run::INTERRUPT.swap(true, Ordering::Relaxed) {
            std::process::exit(i32::from(crate::INTERRUPTED));
        }
    });
    drop(handler);
    match arguments.command {
        Command::Run(arguments) => run_one(&arguments),
        Command::Config => {
            print!("{}", Config::commented_default());
            Ok(())
        }
        Command::Report(arguments) => write_report(&arguments),
        Command::Reproduce(arguments) => reproduce::reproduce(&reproduce::Request {
            out: arguments.out,
            seeds: arguments.seeds,
            mode: if arguments.quick { Mode::Quick } else { Mode::Full },
            check: arguments.check,
            write_reference: arguments.write_reference,
            quiet: arguments.quiet,
        }),
    }
}

/// `gaussflow run`.
fn run_one(arguments: &RunArguments) -> Result<(), DriverError> {
    let config = Config::read(&arguments.config)?;
    let folder = RunFolder::open(&arguments.out)?;
    let data = load(&config)?;
    let experiment = Experiment::new(config, &data)?;
    let record = run::execute(&experiment)?;
    let (seed, identity) = (experiment.config.dynamics.seed, identity(&data));
    folder.claim(seed, &identity)?;
    let path = RunFolder::run_path(&record.id);
    run::write(&record, &folder.root().join(&path))?;
    let entry = RunEntry { id: record.id.clone(), path };
    folder.add_run(seed, &identity, entry)?;
    if !arguments.quiet {
        describe(
            &record,
            &folder.root().join(RunFolder::run_path(&record.id)).display().to_string(),
        );
    }
    if run::INTERRUPT.load(Ordering::Relaxed) {
        return Err(DriverError::Interrupted);
    }
    Ok(())
}

/// `gaussflow report`.
fn write_report(arguments: &ReportArguments) -> Result<(), DriverError> {
    let written = report::write(&arguments.folder)?;
    for problem in &written.problems {
        eprintln!("note: {problem}");
    }
    if !arguments.quiet {
        println!("written to {}", written.path.display());
    }
    Ok(())
}

/// A few lines on how a run went.
fn describe(record: &run::RunRecord, folder: &str) {
    let outcome = &record.outcome;
    println!("{}: {} at t = {}", record.id, word(&outcome.stop_reason), outcome.final_time);
    if let (Some(first), Some(last)) = (record.trace.first(), record.trace.last()) {
        println!(
            "  loss {:.6e} -> {:.6e}, deviation {:.4e}, Riemannian gradient {:.3e} -> {:.3e}",
            first.loss,
            outcome.final_loss,
            last.deviation,
            first.riemannian_gradient_norm,
            last.riemannian_gradient_norm
        );
    }
    for event in &outcome.events {
        println!(
            "  event {} at t = {:.9} (step {}): {:.3e} against {:.3e}",
            word(&event.kind),
            event.time,
            event.step,
            event.value,
            event.threshold
        );
    }
    for (name, count) in &outcome.counters {
        if name.starts_with("fallback") && *count > 0 {
            println!("  {name}: {count}");
        }
    }
    println!("  {:.2} s; written to {folder}", record.seconds);
}

/// The word that a serializable choice has in the files.
fn word<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_string(value).map(|text| text.trim_matches('"').to_owned()).unwrap_or_default()
}
