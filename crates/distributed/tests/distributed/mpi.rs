//! The program gaussflow-mpi under mpirun: equal to one process, and what a killed rank leaves.

use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use crate::common::{SWEEP, tree, worst_difference};
use gaussflow_driver::config::{Config, Source};
use gaussflow_driver::run::{Experiment, load};
use gaussflow_driver::sweep::{Existing, Request, sweep};
use gaussflow_driver::{run, sweep as driver};
use gaussflow_records::{TraceRow, read_trace};

const RUN: &str = "data.samples = 1500\n network.hidden = 20\n dynamics.horizon = 0.2\n \
                   record.hessian_every = 0\n record.every = 5\n";

/// mpirun for `ranks` ranks of the program, in `folder`. More ranks than cores are let in, and root is.
fn mpirun(ranks: usize, arguments: &[&str], folder: &Path) -> Command {
    let mut command = Command::new("mpirun");
    command
        .args(["--oversubscribe", "-n", &ranks.to_string()])
        .arg(env!("CARGO_BIN_EXE_gaussflow-mpi"))
        .args(arguments)
        .current_dir(folder)
        .env("OMPI_ALLOW_RUN_AS_ROOT", "1")
        .env("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1")
        .env("RAYON_NUM_THREADS", "1");
    command
}

fn finished(mut command: Command) -> Output {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    output
}

fn folder_with(text: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("c.toml"), text).unwrap();
    folder
}

/// The trace that one process records.
fn serial(text: &str) -> Vec<TraceRow> {
    let config = Config::parse(text).unwrap();
    let data = load(&config).unwrap();
    run::execute(&Experiment::new(config, &data).unwrap()).unwrap().trace
}

#[test]
fn a_run_over_ranks_is_the_run_of_one_process() {
    let folder = folder_with(RUN);
    let expected = serial(RUN);
    for ranks in [1, 2, 3] {
        let out = format!("{ranks}");
        let output = finished(mpirun(ranks, &["run", "c.toml", "--out", &out], folder.path()));
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(said.contains(&format!("on {ranks} ranks")), "{said}");
        let run = folder.path().join(out).join("runs/gauss-newton-alpha_8-seed_0");
        let worst = worst_difference(&expected, &read_trace(&run.join("trace.csv")).unwrap());
        assert!(worst < 1e-10, "{ranks} ranks: {worst:e}");
        assert!(run.join("outcome.json").exists() && run.join("weights.npy").exists());
    }
}

#[test]
fn a_refusal_is_told_once_with_its_exit_status() {
    let folder = folder_with(&format!("{RUN} dynamics.batch = 100\n"));
    let output = mpirun(2, &["run", "c.toml", "--out", "o"], folder.path()).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert_eq!(said.matches("error: dynamics.batch = 100").count(), 1, "{said}");
    assert!(!folder.path().join("o/runs").exists());
}

/// The processes that mpirun started, the ranks in their order: those whose parent it is in /proc.
fn ranks_of(mpirun: &Child) -> Vec<u32> {
    let parent = |process: u32| -> Option<u32> {
        // "pid (name) state parent ..."; the name may hold anything.
        let status = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
        status.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
    };
    let names = std::fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.file_name());
    let processes = names.filter_map(|name| name.to_str()?.parse::<u32>().ok());
    let mut ranks: Vec<u32> =
        processes.filter(|process| parent(*process) == Some(mpirun.id())).collect();
    ranks.sort_unstable();
    ranks
}

/// `kill -9` of either rank at several moments: only the work since the last checkpoint is lost, and the files end with the
/// bytes of a run that nobody disturbed.
#[test]
fn a_killed_rank_leaves_a_run_that_ends_with_the_same_bytes() {
    let text = RUN
        .replace("horizon = 0.2", "horizon = 40.0")
        .replace("every = 5\n", "every = 5\n record.checkpoint_every = 10\n");
    let folder = folder_with(&text);
    let path = folder.path();
    finished(mpirun(2, &["run", "c.toml", "--out", "whole"], path));
    let expected = tree(&path.join("whole"));
    let checkpoint = path.join("killed/checkpoints/gauss-newton-alpha_8-seed_0.json");
    for (victim, wait) in [(1, 20), (0, 90), (1, 150)] {
        let arguments = ["run", "c.toml", "--out", "killed", "--resume"];
        let mut job = mpirun(2, &arguments, path)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let begun = Instant::now();
        let is_under_way = || ranks_of(&job).len() == 2 && checkpoint.exists();
        while !is_under_way() && begun.elapsed() < Duration::from_secs(60) {
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(Duration::from_millis(wait));
        let ranks = ranks_of(&job);
        assert_eq!(ranks.len(), 2, "the ranks of a job that should still run");
        let kill = Command::new("kill").args(["-9", &ranks[victim].to_string()]).status().unwrap();
        assert!(kill.success());
        assert!(!job.wait().unwrap().success());
        assert!(checkpoint.exists(), "what a killed job leaves");
    }
    let output = finished(mpirun(2, &["run", "c.toml", "--out", "killed", "--resume"], path));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("--resume"), "{said}");
    assert!(tree(&path.join("killed")) == expected);
}

#[test]
fn a_killed_rank_leaves_a_sweep_that_ends_with_the_same_bytes() {
    // Long enough that the other rank is still at work when mpirun ends the job.
    let text = SWEEP.replace("seeds = 4", "seeds = 40").replace("horizon = 0.4", "horizon = 4.0");
    let folder = folder_with(&text);
    let path = folder.path();
    let request = |out: &str, existing| Request {
        config: Source::File(path.join("c.toml")),
        out: path.join(out),
        existing,
        jobs: None,
        quiet: true,
    };
    sweep(&request("alone", Existing::Refuse)).unwrap();
    let expected = tree(&path.join("alone"));
    finished(mpirun(3, &["sweep", "c.toml", "--out", "whole"], path));
    assert!(tree(&path.join("whole")) == expected);
    // The second rank, and then the first, which hands out the runs.
    for (victim, by_ranks) in [(1, true), (0, false)] {
        let out = format!("killed-{victim}");
        let mut job = mpirun(2, &["sweep", "c.toml", "--out", &out], path)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let runs = path.join(&out).join("runs");
        let count = || std::fs::read_dir(&runs).map_or(0, Iterator::count);
        let begun = Instant::now();
        while count() < 20 && begun.elapsed() < Duration::from_secs(60) {
            std::thread::sleep(Duration::from_millis(2));
        }
        let ranks = ranks_of(&job);
        assert_eq!(ranks.len(), 2, "the ranks of a job that should still run");
        let kill = Command::new("kill").args(["-9", &ranks[victim].to_string()]).status().unwrap();
        assert!(kill.success());
        assert!(!job.wait().unwrap().success());
        let left = count();
        assert!((20..160).contains(&left), "{left}");
        if by_ranks {
            let output = finished(mpirun(2, &["sweep", "c.toml", "--out", &out, "--resume"], path));
            let said = String::from_utf8(output.stdout).unwrap();
            assert!(said.contains("160 runs (") && !said.contains("(0 from before"), "{said}");
        } else {
            let report = driver::sweep(&request(&out, Existing::Resume)).unwrap();
            assert!(report.resumed >= 19, "{}", report.resumed);
        }
        assert!(tree(&path.join(&out)) == expected, "rank {victim}");
    }
}
