//! The command line: what each subcommand takes, and `gaussflow run`.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::Ordering;

use clap::builder::PossibleValuesParser;
use clap::{Args, CommandFactory, Parser, Subcommand};
use gaussflow_records::word;

use crate::audit::{Quiet, audit_folder};
use crate::commands::{self, Replacement};
use crate::conclusions::further_papers;
use crate::config::Config;
use crate::console;
use crate::error::DriverError;
use crate::exit_status::INTERRUPTED;
use crate::fit::{self, Pictures};
use crate::remark::remark;
use crate::report;
use crate::reproduce::{self, Mode};
use crate::run::{self, Extent, RunError, RunRequest, Start, WrittenRun};
use crate::threads;

/// Gauss-Newton, Levenberg-Marquardt and gradient-flow dynamics of neural networks.
///
/// Exit status: 0 done (an early event is a result), 1 a check failed, 2 bad usage, configuration or
/// data, 3 input/output failure, 130 interrupted.
#[derive(Debug, Parser)]
#[command(name = "gaussflow", version)]
pub struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run one configuration and write its folder.
    #[command(after_help = "Examples:\n  gaussflow config > my.toml\n  \
                            gaussflow run my.toml --out results\n  \
                            gaussflow run long.toml --out results --resume")]
    Run(RunArguments),
    /// Fit a model to a CSV file: an expression, a family of curves, or the network.
    #[command(after_help = "Example:\n  gaussflow fit decay.toml\n\nPROBLEM.toml:\n  \
                            [data]\n  path = \"decay.csv\"\n  response = \"y\"\n  [model]\n  \
                            expression = \"a * exp(-b * t) + c\"\n  [parameters]\n  a = 1.0\n  \
                            b = { start = 0.5, lower = 0.0 }\n  c = 0.0")]
    Fit(FitArguments),
    /// Print a commented default configuration.
    #[command(after_help = "Example:\n  gaussflow config > my.toml")]
    Config,
    /// Verify a run's folder, and audit the paper's statements that apply to it.
    #[command(
        after_help = "Examples:\n  gaussflow audit results/runs/gauss-newton-alpha_8-seed_0\n  \
                            gaussflow audit results"
    )]
    Audit(AuditArguments),
    /// Run section 5 of the paper, and audit it and further papers: traces, figures, claims, referee reports.
    #[command(after_help = "Examples:\n  gaussflow reproduce --quick --out quick\n  \
                            gaussflow reproduce --papers lazy,natural --seeds 1 --out lazy\n  \
                            gaussflow reproduce --check")]
    Reproduce(ReproduceArguments),
    /// Run a grid or list of configurations times seeds, and summarize them.
    Sweep(commands::sweep::Arguments),
    /// Show two runs, or two folders of runs, side by side.
    Compare(commands::compare::Arguments),
    /// Print a completion script for a shell.
    Completions(commands::completions::Arguments),
    /// Write DIR/report.html, one page that opens offline, from a folder of runs or of a fit.
    #[command(after_help = "Examples:\n  gaussflow report out/reproduction\n  \
                            gaussflow report results/runs/gauss-newton-alpha_8-seed_0")]
    Report(ReportArguments),
}

#[derive(Debug, Args)]
struct ReportArguments {
    /// What run, sweep, reproduce or fit wrote, or one run's folder.
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
    /// The folder to write: new, empty, or written by an earlier run, whose runs stay.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Go on from the last checkpoint (record.checkpoint_every), if there is one.
    #[arg(long)]
    resume: bool,
    #[command(flatten)]
    replacement: Replacement,
    /// Print nothing but errors.
    #[arg(long)]
    quiet: bool,
    /// Print the folder and the outcome as JSON.
    #[arg(long, conflicts_with = "quiet")]
    json: bool,
}

#[derive(Debug, Args)]
struct AuditArguments {
    /// A run's folder (runs/ID), or a folder with a manifest, for all its runs.
    #[arg(value_name = "RUN_DIR")]
    folder: PathBuf,
    /// Print nothing but errors.
    #[arg(long)]
    quiet: bool,
}

#[derive(Debug, Args)]
struct FitArguments {
    /// The problem (TOML).
    problem: PathBuf,
    /// The folder to write [default: PROBLEM-fit beside the problem].
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    #[command(flatten)]
    replacement: Replacement,
    /// Draw no pictures.
    #[arg(long)]
    no_pictures: bool,
    /// Print nothing but errors.
    #[arg(long)]
    quiet: bool,
}

#[derive(Debug, Args)]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
struct ReproduceArguments {
    /// The folder to write: new, empty, or written by an earlier call with the same runs.
    /// [default: out/reproduction]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Number of seeds, from 0; the figures show seed 0 and the band of all [default: 16, quick: 2].
    #[arg(long, value_name = "N")]
    seeds: Option<u64>,
    /// Two seeds, alpha in {1/8, 8, 256}, horizon 2; no further papers, a short search of the adversary.
    #[arg(long)]
    quick: bool,
    /// Instead, networks of 1, 2 and 3 hidden layers with about as many weights beside each other [default folder:
    /// out/deep].
    #[arg(long, conflicts_with_all = ["check", "write_reference"])]
    deep: bool,
    /// Audit these further papers too, by their keys, separated by commas [default: all, quick: none].
    #[arg(long, value_name = "KEYS", value_delimiter = ',', value_parser = PossibleValuesParser::new(further_papers()), conflicts_with = "deep")]
    papers: Option<Vec<String>>,
    /// Let the adversary draw so many problems of each family, instead of what fits into a reproduction.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000_000), conflicts_with = "deep")]
    adversary: Option<u32>,
    /// Compare with the committed reference results; exit status 1 names what moved.
    #[arg(long)]
    check: bool,
    /// Write the results' reference values to this file (for maintainers).
    #[arg(long, value_name = "FILE", hide = true)]
    write_reference: Option<PathBuf>,
    #[command(flatten)]
    replacement: Replacement,
    /// Print nothing but errors.
    #[arg(long)]
    quiet: bool,
}

/// Parses the arguments of a process, its name first.
///
/// # Errors
/// What [`crate::console::usage`] prints: help and version, where they are asked for, and what is wrong.
pub fn parse<T: Into<OsString> + Clone>(
    arguments: impl IntoIterator<Item = T>,
) -> Result<CommandLine, clap::Error> {
    CommandLine::try_parse_from(arguments)
}

/// Does what a command line says.
pub fn execute(arguments: CommandLine) -> Result<(), DriverError> {
    // A second interrupt, or a handler that cannot be set, leaves the system's default: an end
    // without a folder of half-written files, since every file is renamed into place.
    let handler = ctrlc::set_handler(|| {
        if run::INTERRUPT.swap(true, Ordering::Relaxed) {
            std::process::exit(i32::from(INTERRUPTED));
        }
    });
    drop(handler);
    threads::start()?;
    match arguments.command {
        Command::Run(arguments) => run_one(&arguments),
        Command::Audit(arguments) => {
            let quiet = if arguments.quiet { Quiet::Yes } else { Quiet::No };
            Ok(audit_folder(&arguments.folder, quiet)?)
        }
        Command::Fit(arguments) => {
            let print = |line: &str| {
                if !arguments.quiet {
                    console::say(line);
                }
            };
            let no_pictures = arguments.no_pictures;
            let out = fit::Output {
                folder: arguments.out.as_deref(),
                overwrite: arguments.replacement.choice(),
                pictures: if no_pictures { Pictures::None } else { Pictures::AsWritten },
            };
            fit::fit_into(&arguments.problem, out, print)?;
            Ok(())
        }
        Command::Config => {
            console::print(&Config::commented_default());
            Ok(())
        }
        Command::Report(arguments) => write_report(&arguments),
        Command::Reproduce(arguments) => {
            let (work, default): (fn(&reproduce::Request) -> _, _) = if arguments.deep {
                (reproduce::deep::reproduce_deep, "out/deep")
            } else {
                (reproduce::reproduce, "out/reproduction")
            };
            Ok(work(&reproduce::Request {
                out: arguments.out.unwrap_or_else(|| default.into()),
                seeds: arguments.seeds,
                mode: if arguments.quick { Mode::Quick } else { Mode::Full },
                papers: arguments.papers,
                adversary: arguments.adversary.map(|draws| draws as usize),
                check: arguments.check,
                write_reference: arguments.write_reference,
                overwrite: arguments.replacement.choice(),
                quiet: arguments.quiet,
            })?)
        }
        Command::Sweep(arguments) => arguments.execute(),
        Command::Compare(arguments) => arguments.execute(),
        Command::Completions(arguments) => {
            arguments.execute(&mut CommandLine::command());
            Ok(())
        }
    }
}

/// Says why the work failed, if it did; the status with which the program ends.
pub fn finish(result: Result<(), DriverError>) -> ExitCode {
    ExitCode::from(console::end(match result {
        Ok(()) => 0,
        Err(error) => {
            console::note(format_args!("error: {error}"));
            error.exit_status()
        }
    }))
}

/// `gaussflow run`.
fn run_one(arguments: &RunArguments) -> Result<(), DriverError> {
    let config = Config::read(&arguments.config)?;
    let request = RunRequest {
        out: &arguments.out,
        start: if arguments.resume { Start::LastCheckpoint } else { Start::Fresh },
        overwrite: arguments.replacement.choice(),
    };
    let WrittenRun { record, folder, extent } = run::run_into(config, request, |said| {
        if !arguments.quiet {
            console::note(said);
        }
    })?;
    if arguments.json {
        let answer = commands::RunAnswer::new(&record, &folder);
        console::json(&answer);
    } else if !arguments.quiet {
        console::print(&describe(&record, &folder));
    }
    match extent {
        Extent::Whole => Ok(()),
        Extent::Partial => Err(RunError::Interrupted.into()),
        Extent::Resumable => {
            let (config, out) = (arguments.config.display(), arguments.out.display());
            let command = format!("gaussflow run {config} --out {out} --resume");
            Err(DriverError::InterruptedRun { command })
        }
    }
}

/// `gaussflow report`.
fn write_report(arguments: &ReportArguments) -> Result<(), DriverError> {
    let written = report::write(&arguments.folder)?;
    for problem in &written.problems {
        console::note(format_args!("note: {problem}"));
    }
    if !arguments.quiet {
        console::say(format_args!("written to {}", written.path.display()));
    }
    Ok(())
}

/// A few lines on how a run went.
fn describe(record: &run::RunRecord, folder: &Path) -> String {
    // Writing to a String cannot fail.
    let outcome = &record.outcome;
    let mut text =
        format!("{}: {} at t = {}\n", record.id, word(&outcome.stop_reason), outcome.final_time);
    if let (Some(first), Some(last)) = (record.trace.first(), record.trace.last()) {
        let _ = writeln!(
            text,
            "  loss {:.6e} -> {:.6e}, deviation {:.4e}, Riemannian gradient {:.3e} -> {:.3e}",
            first.loss,
            outcome.final_loss,
            last.deviation,
            first.riemannian_gradient_norm,
            last.riemannian_gradient_norm
        );
    }
    if let Some(classes) = &outcome.classes {
        let _ = write!(text, "  {:.2} % of the rows drawn", 100.0 * classes.drawn.accuracy());
        if let Some(held_out) = &classes.held_out {
            let _ = write!(text, " and {:.2} % of the others", 100.0 * held_out.accuracy());
        }
        text.push_str(" are taken for their own class\n");
    }
    for event in &outcome.events {
        let _ = writeln!(
            text,
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
            let _ = writeln!(text, "  {name}: {count}");
        }
    }
    let _ = writeln!(text, "  {:.2} s; written to {}", record.seconds, folder.display());
    let _ = writeln!(text, "  {}", commands::what_next(folder));
    if let Some(remark) = remark(outcome, &record.trace) {
        let _ = writeln!(text, "{remark}");
    }
    text
}
