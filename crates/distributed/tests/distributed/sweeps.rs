//! A sweep over ranks leaves the bytes of `gaussflow sweep`, wherever it was interrupted.

use std::path::Path;

use crate::common::{SWEEP, tree};
use gaussflow_distributed::agreement::Failure;
use gaussflow_distributed::sweep::{Request, sweep};
use gaussflow_distributed::threads::run_ranks;
use gaussflow_driver::run::RunError;
use gaussflow_driver::sweep::{Existing, Report, SweepError};
use gaussflow_driver::{DriverError, sweep as serial};

/// What rank 0 reports, and what the others come to.
fn over_ranks(
    size: usize,
    config: &Path,
    out: &Path,
    existing: Existing,
) -> Vec<Result<Option<Report>, Failure>> {
    let request = Request { config: config.to_owned(), out: out.to_owned(), existing };
    run_ranks(size, |ranks| sweep(&request, ranks, |_, _| ()))
}

#[test]
fn any_number_of_ranks_leaves_the_bytes_of_one_process() {
    let folder = tempfile::tempdir().unwrap();
    let [config, alone] = ["s.toml", "alone"].map(|name| folder.path().join(name));
    std::fs::write(&config, SWEEP).unwrap();
    serial::sweep(&serial::Request {
        config: gaussflow_driver::config::Source::File(config.clone()),
        out: alone.clone(),
        existing: Existing::Refuse,
        jobs: Some(1),
        quiet: true,
    })
    .unwrap();
    let expected = tree(&alone);
    for size in [1, 2, 5] {
        let out = folder.path().join(format!("{size} ranks"));
        let mut reports = over_ranks(size, &config, &out, Existing::Refuse).into_iter();
        let report = reports.next().unwrap().unwrap().unwrap();
        assert_eq!((report.runs, report.resumed, report.failed.len()), (16, 0, 0));
        assert!(reports.all(|other| matches!(other, Ok(None))));
        assert!(tree(&out) == expected, "{size} ranks");
    }
    // What ranks left half done: some runs missing, one unfinished, no summaries. Either program goes on.
    for by_ranks in [true, false] {
        let out = folder.path().join("2 ranks");
        for (k, run) in std::fs::read_dir(out.join("runs")).unwrap().enumerate() {
            if k % 3 == 0 {
                std::fs::remove_dir_all(run.unwrap().path()).unwrap();
            }
        }
        std::fs::create_dir(out.join("runs/.unfinished-gradient-alpha_8-seed_0")).unwrap();
        std::fs::remove_file(out.join("summary.csv")).unwrap();
        let resumed = if by_ranks {
            over_ranks(3, &config, &out, Existing::Resume).remove(0).unwrap().unwrap().resumed
        } else {
            let request = serial::Request {
                config: gaussflow_driver::config::Source::File(config.clone()),
                out: out.clone(),
                existing: Existing::Resume,
                jobs: None,
                quiet: true,
            };
            serial::sweep(&request).unwrap().resumed
        };
        assert_eq!(resumed, 10);
        assert!(tree(&out) == expected, "resumed by ranks: {by_ranks}");
    }
}

#[test]
fn what_rank_0_refuses_all_ranks_leave() {
    let folder = tempfile::tempdir().unwrap();
    let [config, out] = ["s.toml", "out"].map(|name| folder.path().join(name));
    std::fs::write(&config, SWEEP).unwrap();
    std::fs::create_dir_all(&out).unwrap();
    std::fs::write(out.join("letter.txt"), "mine").unwrap();
    let told = over_ranks(3, &config, &out, Existing::Refuse);
    let Err(Failure::Here(DriverError::Sweep(SweepError::Run(error)))) = &told[0] else {
        panic!("{:?}", told[0].is_ok())
    };
    assert!(matches!(error, RunError::ForeignFolder { .. }), "{error}");
    for other in &told[1..] {
        assert!(matches!(other, Err(Failure::Elsewhere { rank: 0, status: 2 })), "{other:?}");
    }
}

/// A file where a run's folder should be made stops the sweep on all ranks, with the command that goes on.
#[test]
fn a_write_that_fails_on_any_rank_ends_the_sweep_and_it_can_be_resumed() {
    let folder = tempfile::tempdir().unwrap();
    let [config, out] = ["s.toml", "out"].map(|name| folder.path().join(name));
    std::fs::write(&config, SWEEP).unwrap();
    assert!(over_ranks(2, &config, &out, Existing::Refuse)[0].is_ok());
    let expected = tree(&out);
    // A link to nowhere: no folder can be made below it.
    std::fs::remove_dir_all(out.join("runs")).unwrap();
    std::os::unix::fs::symlink(folder.path().join("nowhere/at/all"), out.join("runs")).unwrap();
    let told = over_ranks(2, &config, &out, Existing::Resume);
    let Err(Failure::Here(error)) = &told[0] else { panic!("{:?}", told[0].is_ok()) };
    let DriverError::Sweep(SweepError::Stopped { done: 0, all: 16, command, .. }) = error else {
        panic!("{error}")
    };
    assert!(command.starts_with("mpirun -n 2 ") && command.ends_with(" --resume"), "{command}");
    assert!(matches!(told[1], Err(Failure::Elsewhere { rank: 0, status: 3 })));
    std::fs::remove_file(out.join("runs")).unwrap();
    let report = over_ranks(2, &config, &out, Existing::Resume).remove(0).unwrap().unwrap();
    assert_eq!((report.runs, report.resumed), (16, 0));
    assert!(tree(&out) == expected);
}
