//! Measures this workspace and its peers in turns; writes bench.json, grid.md, scaling.md and plots.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::rc::Rc;

use clap::Parser;
use gaussflow::prelude::DampedSolver;
use gaussflow_benches::case::{Effort, Fallible};
use gaussflow_benches::headline::{self, Peers};
use gaussflow_benches::large_step::{LARGE_STEPS, LargeStep};
use gaussflow_benches::peer::Peer;
use gaussflow_benches::questions::QUESTIONS;
use gaussflow_benches::report::{Report, head};
use gaussflow_benches::{classes_step, deep, grid, plots, small_manifold, targets};

/// Measures this workspace and its peers in turns, on one thread.
#[derive(Parser)]
struct Options {
    /// Fewer rounds and sizes: under two minutes.
    #[arg(long)]
    quick: bool,
    /// Where the results go.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// A Python that has the packages of benches/peers/requirements.txt: runs the peers.
    #[arg(long, value_name = "PATH")]
    python: Option<PathBuf>,
    /// A Python that has those of benches/peers/requirements-geomstats.txt: runs that peer.
    #[arg(long, value_name = "PATH")]
    geomstats_python: Option<PathBuf>,
    /// A Python that has those of benches/peers/requirements-neural-tangents.txt: runs that peer.
    #[arg(long, value_name = "PATH")]
    neural_tangents_python: Option<PathBuf>,
    /// A Python that has those of benches/peers/requirements-somax.txt: runs that peer.
    #[arg(long, value_name = "PATH")]
    somax_python: Option<PathBuf>,
    /// Only the headline cases and these questions (or `deep`, `grid`); comma-separated.
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    only: Option<Vec<String>>,
    /// Makes this large damped step in this process and prints what it found.
    #[arg(long, hide = true, value_name = "NAME")]
    large_step: Option<String>,
}

fn main() -> ExitCode {
    let options = Options::parse();
    if let Some(name) = &options.large_step {
        let step = LARGE_STEPS.iter().find(|step| step.name == name);
        let found = step.ok_or_else(|| "no such large step".into()).and_then(LargeStep::run);
        return match found.and_then(|found| Ok(serde_json::to_string(&found)?)) {
            Ok(text) => {
                println!("{text}");
                ExitCode::SUCCESS
            }
            Err(error) => {
                eprintln!("error: {error}");
                ExitCode::FAILURE
            }
        };
    }
    if let Some(unknown) = options.only.iter().flatten().find(|name| !names().any(|n| n == *name)) {
        let known: Vec<&str> = names().collect();
        eprintln!("error: --only does not know {unknown:?}; accepted: {}", known.join(", "));
        return ExitCode::from(2);
    }
    let mut report = Report::new(if options.quick { Effort::Quick } else { Effort::Full });
    let measured = run(&options, &mut report);
    // What was measured before a failure is worth keeping.
    match measured.and(write(&report, &options.out)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            let _ = write(&report, &options.out);
            ExitCode::FAILURE
        }
    }
}

/// What `--only` takes; the headline cases always run, so that their name asks for no more.
fn names() -> impl Iterator<Item = &'static str> {
    let named =
        ["headlines", "grid", grid::DEEP, deep::NAME, classes_step::NAME, small_manifold::NAME];
    let large = LARGE_STEPS.iter().map(|step| step.name);
    named.into_iter().chain(large).chain(QUESTIONS.iter().map(|question| question.name))
}

/// Takes every case.
fn run(options: &Options, report: &mut Report) -> Fallible<()> {
    let effort = if options.quick { Effort::Quick } else { Effort::Full };
    let peers = start(options)?;
    let folder = tempfile::tempdir()?;
    println!("{}", pinning());
    println!("peak: the fastest product of order 2000 of this run");
    println!("{}", head());
    report.take_peak(headline::peak(&peers)?)?;
    for solver in [DampedSolver::PrimalCholesky, DampedSolver::Auto] {
        let step = headline::paper_step(&peers, folder.path(), solver)?;
        report.take_beside(headline::limits(&peers)?, step)?;
        report.take(headline::step_with_diagnostics(solver)?)?;
    }
    report.take_beside(headline::limits(&peers)?, headline::large_gram(&peers, folder.path())?)?;
    report.take(headline::wide_step(&peers, folder.path())?)?;
    let wanted =
        |name: &str| options.only.as_ref().is_none_or(|only| only.iter().any(|o| o == name));
    // What takes long runs with `--quick` only where it is named.
    let affordable = options.only.is_some() || effort == Effort::Full;
    if wanted(deep::NAME) {
        deep::take(&peers, folder.path(), report)?;
    }
    if wanted(classes_step::NAME) && affordable {
        classes_step::cases(&peers, folder.path(), &mut |case| report.take(case))?;
    }
    // geomstats' Log takes seconds a call.
    if wanted(small_manifold::NAME) && affordable {
        small_manifold::cases(&peers, folder.path(), &mut |case| report.take(case))?;
    }
    if wanted("grid") {
        grid::cases(&mut |case| report.take(case))?;
    }
    if wanted(grid::DEEP) && affordable {
        grid::deep_cases(&mut |case| report.take(case))?;
    }
    // The first takes most of a minute.
    for step in LARGE_STEPS.iter().filter(|step| wanted(step.name) && affordable) {
        report.take(step.case()?)?;
    }
    for question in QUESTIONS.iter().filter(|question| wanted(question.name)) {
        (question.cases)(effort, &mut |case| report.take(case))?;
    }
    Ok(())
}

/// Starts the peers whose interpreters are named.
fn start(options: &Options) -> Fallible<Peers> {
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers");
    let peer = |name, python: &Option<PathBuf>, script: &str| -> Fallible<_> {
        let started = python.as_ref().map(|path| Peer::start(name, path, &scripts.join(script)));
        Ok(started.transpose()?.map(|peer| Rc::new(RefCell::new(peer))))
    };
    Ok(Peers {
        numpy: peer("numpy", &options.python, "numpy_peer.py")?,
        jax: peer("jax", &options.python, "jax_peer.py")?,
        geomstats: peer("geomstats", &options.geomstats_python, "geomstats_peer.py")?,
        neural_tangents: peer(
            "neural-tangents",
            &options.neural_tangents_python,
            "neural_tangents_peer.py",
        )?,
        somax: peer("somax", &options.somax_python, "somax_peer.py")?,
    })
}

/// Which cores this process, and so its peers, may use.
fn pinning() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let cores = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
    match cores.map(str::trim) {
        Some(core) if core.parse::<u32>().is_ok() => format!("pinned to core {core}, one thread"),
        Some(cores) => format!("NOT pinned (cores {cores}), one thread"),
        None => "NOT pinned, one thread".to_owned(),
    }
}

/// Writes what there is.
fn write(report: &Report, out: &Path) -> Fallible<()> {
    std::fs::create_dir_all(out)?;
    report.write(out)?;
    std::fs::write(out.join("grid.md"), grid::markdown(report.rows()))?;
    let targets = targets::markdown(report.rows());
    println!("\n{targets}");
    std::fs::write(out.join("targets.md"), targets)?;
    let paths = plots::write(report.rows(), out)?;
    println!("bench.json, grid.md and {} further files are in {}", paths.len() + 2, out.display());
    Ok(())
}
