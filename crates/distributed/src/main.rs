//! The program `gaussflow-mpi`: what `gaussflow run` and `gaussflow sweep` do, on the ranks of an MPI job.
#![deny(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a stream that ends would end the program"
)]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use gaussflow_distributed::agreement::Failure;
use gaussflow_distributed::communicator::Communicator;
use gaussflow_distributed::mpi_ranks::MpiRank;
use gaussflow_distributed::{run, sweep};
use gaussflow_driver::console;
use gaussflow_driver::run::{CHECKPOINTS, Start};
use gaussflow_driver::sweep::Existing;
use gaussflow_records::Overwrite;

/// Exit status of a job that was ended from outside.
const ENDED: u8 = 143;

/// Exit status of a Rust program that panicked.
const PANICKED: u8 = 101;

/// Runs and sweeps of gaussflow on the ranks of an MPI job, as started by mpirun or srun.
///
/// Exit status, that of every rank: 0 done (an early event is a result), 2 bad usage, configuration or
/// data, 3 input/output failure.
#[derive(Debug, Parser)]
#[command(name = "gaussflow-mpi", version)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run one configuration, its rows split over the ranks, and write its folder.
    #[command(after_help = "Example:\n  mpirun -n 2 gaussflow-mpi run my.toml --out results\n\n\
                            A rank uses RAYON_NUM_THREADS threads [default: all cores it is bound to].")]
    Run {
        /// The configuration (TOML), as for gaussflow run.
        config: PathBuf,
        /// The folder to write: new, empty, or written by an earlier run, whose runs stay.
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
        /// Go on from the last checkpoint (record.checkpoint_every), if there is one.
        #[arg(long)]
        resume: bool,
        /// Replace a run of another configuration that has the same name.
        #[arg(long)]
        overwrite: bool,
        /// Print nothing but errors.
        #[arg(long)]
        quiet: bool,
    },
    /// Make the runs of a sweep, each on one rank, with the same result as gaussflow sweep.
    #[command(
        after_help = "Example:\n  mpirun -n 64 gaussflow-mpi sweep grid.toml --out results\n\n\
                            After an error, or the death of a rank, --resume goes on (here or by \
                            gaussflow sweep)."
    )]
    Sweep {
        /// The configuration (TOML) with its [sweep] section.
        config: PathBuf,
        /// The folder to write, on a file system that all ranks see: new, empty, or with --resume that of
        /// the same sweep.
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
        /// Keep the finished runs of an earlier call and make the others.
        #[arg(long)]
        resume: bool,
        /// Make the runs of an earlier call again.
        #[arg(long, conflicts_with = "resume")]
        overwrite: bool,
        /// Print nothing but errors.
        #[arg(long)]
        quiet: bool,
    },
}

fn main() -> ExitCode {
    let arguments = match CommandLine::try_parse() {
        Ok(arguments) => arguments,
        Err(said) => return console::usage(&said),
    };
    let Some(rank) = MpiRank::join() else {
        console::note("error: MPI cannot be initialized");
        return ExitCode::from(gaussflow_driver::IO_FAILED);
    };
    let execute = || match &arguments.command {
        Command::Run { config, out, resume, overwrite, quiet } => {
            let request = run::Request {
                config: config.clone(),
                out: out.clone(),
                start: if *resume { Start::LastCheckpoint } else { Start::Fresh },
                overwrite: if *overwrite { Overwrite::Yes } else { Overwrite::No },
            };
            run_split(&request, *quiet, &rank)
        }
        Command::Sweep { config, out, resume, overwrite, quiet } => {
            let existing = match (resume, overwrite) {
                (true, _) => Existing::Resume,
                (_, true) => Existing::Overwrite,
                _ => Existing::Refuse,
            };
            let request = sweep::Request { config: config.clone(), out: out.clone(), existing };
            sweep_over(&request, *quiet, &rank)
        }
    };
    // Other ranks would wait for one that panicked: the job ends.
    let Ok(outcome) = catch_unwind(AssertUnwindSafe(execute)) else { rank.abort(PANICKED) };
    match outcome {
        Ok(()) => ExitCode::from(console::end(0)),
        Err(failure) => {
            if let Failure::Here(error) = &failure {
                console::note(format_args!("error: {error}"));
            }
            ExitCode::from(console::end(failure.exit_status()))
        }
    }
}

/// `gaussflow-mpi run`.
fn run_split(request: &run::Request, quiet: bool, rank: &MpiRank) -> Result<(), Failure> {
    if rank.rank() == 0 {
        tell_of_termination(request);
    }
    let notice = |said: &str| {
        if !quiet {
            console::note(said);
        }
    };
    let Some(report) = run::run(request, rank, notice)? else { return Ok(()) };
    if !quiet {
        let (record, traffic) = (&report.run.record, report.run.traffic);
        let outcome = &record.outcome;
        console::say(format_args!(
            "{}: t = {}, loss {:.6e}; {:.3} s on {} ranks, {:.3} s of them in {} exchanges with {} bytes \
             received\nwritten to {}",
            record.id,
            outcome.final_time,
            outcome.final_loss,
            record.seconds,
            rank.size(),
            traffic.seconds,
            traffic.exchanges,
            traffic.bytes,
            report.folder.display()
        ));
    }
    Ok(())
}

/// Makes this rank say what is left when the job is ended from outside: mpirun does that when another rank died.
fn tell_of_termination(request: &run::Request) {
    let (config, out) = (request.config.display().to_string(), request.out.clone());
    let told = ctrlc::set_handler(move || {
        let resumable = out.join(CHECKPOINTS).is_dir();
        let out = out.display();
        console::note(if resumable {
            format!(
                "error: the job was ended, as it is when a rank dies; its work up to the last checkpoint is in {out}, and the \
                 same mpirun command goes on from there with: gaussflow-mpi run {config} --out {out} --resume"
            )
        } else {
            format!(
                "error: the job was ended, as it is when a rank dies; {out} holds no checkpoint of it (set \
                 record.checkpoint_every to be able to go on)"
            )
        });
        std::process::exit(i32::from(ENDED));
    });
    // Without a handler the job ends all the same, with mpirun's words alone.
    drop(told);
}

/// `gaussflow-mpi sweep`.
fn sweep_over(request: &sweep::Request, quiet: bool, rank: &MpiRank) -> Result<(), Failure> {
    let tell = |done: usize, all: usize| {
        if !quiet && (done == all || done.is_multiple_of((all / 10).max(1))) {
            console::note(format_args!("{done} of {all} runs"));
        }
    };
    let Some(report) = sweep::sweep(request, rank, tell)? else { return Ok(()) };
    for id in report.damaged.iter().filter(|_| !quiet) {
        console::note(format_args!("{id} was there with damaged files, and was made again"));
    }
    for id in &report.failed {
        console::note(format_args!("no answer: {id}; its outcome.json and summary.csv say why"));
    }
    if !quiet {
        console::say(format_args!(
            "{} runs ({} from before, {} without an answer) in {:.1} s\nsee {}",
            report.runs,
            report.resumed,
            report.failed.len(),
            report.seconds,
            report.out.join("summary.csv").display()
        ));
    }
    Ok(())
}
