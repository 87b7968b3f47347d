//! The command line: the subcommands, and what those take that have no module of their own.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::Ordering;

use clap::builder::PossibleValuesParser;
use clap::{Args, CommandFactory, Parser, Subcommand};

use crate::audit::{Quiet, audit_folder};
use crate::commands::{self, Replacement};
use crate::conclusions::further_papers;
use crate::config::Config;
use crate::console;
use crate::error::DriverError;
use crate::exit_status::INTERRUPTED;
use crate::fit::{self, Pictures};
use crate::report;
use crate::reproduce::{self, Mode};
use crate::run;
use crate::threads;

/// Runs, measures and audits the training dynamics of neural networks: Gauss-Newton, Levenberg-Marquardt and gradient flow.
///
/// The exit status is 0 where the work is done (a run that ends early is a result), 1 where a check failed, 2 for bad
/// usage, a bad configuration or bad data, 3 where a file cannot be read or written, and 130 after an interruption.
#[derive(Debug, Parser)]
#[command(name = "gaussflow", version)]
pub struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run one configuration and write its folder.
    Run(commands::run::Arguments),
    /// Fit a model to a CSV file: an expression, a family of curves, or the network.
    #[command(after_help = "Example:\n  gaussflow fit decay.toml\n\nPROBLEM.toml:\n  \
                            [data]\n  path = \"decay.csv\"\n  response = \"y\"\n  [model]\n  \
                            expression = \"a * exp(-b * t) + c\"\n  [parameters]\n  a = 1.0\n  \
                            b = { start = 0.5, lower = 0.0 }\n  c = 0.0")]
    Fit(FitArguments),
    /// Print the default configuration, with a comment on each key.
    #[command(after_help = "Example:\n  gaussflow config > my.toml\n  gaussflow run my.toml")]
    Config,
    /// Integrate a run again, compare it with its folder, and test the paper's statements on it.
    #[command(
        after_help = "Examples:\n  gaussflow audit out/my/runs/gauss-newton-alpha_8-seed_0\n  \
                            gaussflow audit out/my\n\nEach run's folder gets audit.json, with every number, and \
                            audit.md, which begins with what holds and\nwhat is violated. A violated statement is a \
                            result: the exit status is 0."
    )]
    Audit(AuditArguments),
    /// Run the experiments of the paper's section 5 again, and write referee reports on it and on further papers.
    #[command(after_help = "Examples:\n  gaussflow reproduce --quick --out quick\n  \
                            gaussflow reproduce --papers lazy,natural --seeds 1 --out lazy\n  \
                            gaussflow reproduce --check\n\nBegin to read with summary.md \
                            or report.html in the folder that is written.")]
    Reproduce(ReproduceArguments),
    /// Run many configurations, each with many seeds, and summarize them in tables.
    Sweep(commands::sweep::Arguments),
    /// Say how two runs, or two folders of runs, differ.
    Compare(commands::compare::Arguments),
    /// Print the script that lets a shell complete gaussflow's commands and options.
    Completions(commands::completions::Arguments),
    /// Write DIR/report.html, one page that opens offline, from a folder of runs or of a fit; or lay two folders side by side.
    #[command(after_help = "Examples:\n  gaussflow report out/reproduction\n  \
                            gaussflow report out/my/runs/gauss-newton-alpha_8-seed_0\n  \
                            gaussflow report out/before out/after --out out/both")]
    Report(ReportArguments),
}

#[derive(Debug, Args)]
struct ReportArguments {
    /// The folder that run, sweep, reproduce or fit wrote, or one run's folder.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// A second folder, to lay beside the first.
    #[arg(value_name = "OTHER")]
    other: Option<PathBuf>,
    /// The folder of the page on two folders [default: out/DIR-beside-OTHER, by their names].
    #[arg(long, value_name = "DIR", requires = "other")]
    out: Option<PathBuf>,
    /// Print nothing but errors.
    #[arg(long)]
    quiet: bool,
}

#[derive(Debug, Args)]
struct AuditArguments {
    /// A run's folder (runs/ID), or a folder that run, sweep or reproduce wrote, for all its runs.
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
    /// Write no pictures.
    #[arg(long)]
    no_pictures: bool,
    /// Print nothing but errors.
    #[arg(long)]
    quiet: bool,
}

#[derive(Debug, Args)]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
struct ReproduceArguments {
    /// The folder to write. It may be new, empty, or written by an earlier call with the same runs
    /// [default: out/reproduction]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// How many seeds are run, from 0 on; the figures show seed 0 and the band of all [default: 16, quick: 2].
    #[arg(long, value_name = "N")]
    seeds: Option<u64>,
    /// Run less: two seeds, alpha 1/8, 8 and 256, up to t = 2, no further papers, a short search for counterexamples.
    #[arg(long)]
    quick: bool,
    /// Run another experiment instead: networks of 1, 2 and 3 hidden layers with about the same number of weights
    /// [default folder: out/deep].
    #[arg(long, conflicts_with_all = ["check", "write_reference"])]
    deep: bool,
    /// Audit these further papers too, by their keys, separated by commas [default: all, quick: none].
    #[arg(long, value_name = "KEYS", value_delimiter = ',', value_parser = PossibleValuesParser::new(further_papers()), conflicts_with = "deep")]
    papers: Option<Vec<String>>,
    /// Search for counterexamples among so many problems of each family, instead of as many as fit into a reproduction.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000_000), conflicts_with = "deep")]
    adversary: Option<u32>,
    /// Compare with the reference results that come with the program; where any differs it is named, with status 1.
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
        Command::Run(arguments) => arguments.execute(),
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

/// `gaussflow report`.
fn write_report(arguments: &ReportArguments) -> Result<(), DriverError> {
    let written = match &arguments.other {
        None => report::write(&arguments.folder)?,
        Some(other) => {
            let folders = [arguments.folder.as_path(), other.as_path()];
            let default = || Path::new("out").join(report::name_beside(folders));
            report::write_beside(folders, &arguments.out.clone().unwrap_or_else(default))?
        }
    };
    for problem in &written.problems {
        console::note(format_args!("note: {problem}"));
    }
    if !arguments.quiet {
        console::say(format_args!("written to {}", written.path.display()));
    }
    Ok(())
}
