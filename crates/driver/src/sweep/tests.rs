//! Tests of sweeps: names of runs, and a fault at every request to the file system.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Instant;

use gaussflow_records::faults::{Fault, with_fault};

use super::*;

fn plan_of(text: &str) -> (tempfile::TempDir, Plan) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sweep.toml");
    fs::write(&path, text).unwrap();
    let plan = Plan::read(&Source::File(path.clone())).unwrap();
    (folder, plan)
}

#[test]
fn names_tell_the_method_and_then_what_else_the_sweep_sets() {
    let text = "data.samples = 30\n[sweep]\nseeds = [4, 2]\n'network.hidden' = [3, 4]\n\
                'events.ball_radius' = [0.5]\n'loss.name' = ['squared', 'log-cosh']\n\
                [[sweep.cases]]\ndynamics.damping = 0.1\n\
                dynamics.preconditioner = 'levenberg-marquardt'\n\
                [[sweep.cases]]\ndynamics.integrator = 'rk4'\ndynamics.step = 1e-7\ndynamics.horizon = 1e-5";
    let (_folder, plan) = plan_of(text);
    let ids: Vec<&str> = plan.runs.iter().map(|run| run.id.as_str()).collect();
    assert_eq!(ids.len(), 16);
    assert_eq!(
        ids[1],
        "levenberg-marquardt-rho_0.1-alpha_8-seed_2-hidden_3-loss.name_squared-step_0.01-horizon_5\
         -ball_radius_0.5"
    );
    assert_eq!(
        ids[14],
        "gauss-newton-rk4-alpha_8-seed_4-hidden_4-loss.name_log-cosh-damping_0-step_1e-7-horizon_1e-5\
         -ball_radius_0.5"
    );
    assert_eq!(plan.runs[14].group, ids[14].replace("-seed_4", ""));
    assert_eq!(plan.runs[14].group, plan.runs[15].group);
    assert_eq!((plan.data.len(), plan.seed()), (1, 4));
}

#[test]
fn a_value_that_is_no_name_becomes_a_checksum() {
    let text = "data.samples = 2\nloss.name = 'weighted'\n[sweep]\n\
                'loss.weights' = [[1.0, 2.0], [2.0, 1.0]]";
    let (_folder, plan) = plan_of(text);
    let ids: Vec<&str> = plan.runs.iter().map(|run| run.id.as_str()).collect();
    for id in &ids {
        let word = id.strip_prefix("gauss-newton-alpha_8-seed_0-weights_").unwrap();
        assert!(word.len() == 8 && word.chars().all(|c| c.is_ascii_hexdigit()), "{id}");
    }
    assert_ne!(ids[0], ids[1]);
}

/// Files below `folder` but times, and whatever is unfinished.
fn files(folder: &Path) -> (BTreeMap<String, Vec<u8>>, Vec<String>) {
    let (mut found, mut unfinished) = (BTreeMap::new(), Vec::new());
    let mut open = vec![folder.to_owned()];
    while let Some(path) = open.pop() {
        for entry in fs::read_dir(path).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(folder).unwrap().to_string_lossy().into_owned();
            if name.contains(".unfinished-") {
                unfinished.push(name);
            } else if path.is_dir() {
                open.push(path);
            } else if !name.ends_with("timing.json") {
                found.insert(name, fs::read(&path).unwrap());
            }
        }
    }
    (found, unfinished)
}

const ONE_RUN: &str = "data.samples = 20\nnetwork.hidden = 2\ndynamics.horizon = 0.06\n\
                       record = { checkpoint_every = 3, hessian_every = 0, held_out_every = 0 }\n\
                       [sweep]\nseeds = 1\n";

#[test]
fn whatever_fails_a_run_is_there_whole_or_not_at_all() {
    let (home, plan) = plan_of(ONE_RUN);
    let open =
        |name: &str| SweepFolder::open(&home.path().join(name), &plan, Existing::Resume).unwrap();
    let planned = &plan.runs[0];
    let whole = open("whole");
    let (result, requests) =
        with_fault(Fault::ShortWrite, usize::MAX, || work::one(planned, &plan, &whole));
    result.unwrap();
    let (expected, _) = files(&whole.run(&planned.id));
    assert!(requests > 30 && expected.len() == 6, "{requests} requests, {:?}", expected.keys());
    for fault in Fault::ALL {
        for at in 0..requests {
            let name = format!("{fault:?}-{at}");
            let folder = open(&name);
            let (result, _) = with_fault(fault, at, || work::one(planned, &plan, &folder));
            let (_, unfinished) = files(folder.root());
            assert!(unfinished.is_empty(), "{name} left {unfinished:?}");
            let target = folder.run(&planned.id);
            if target.exists() {
                assert!(files(&target).0 == expected, "{name} left a part of a run");
            }
            if let Err(error) = result {
                assert_eq!(error.exit_status(), crate::exit_status::IO_FAILED, "{name}: {error}");
                // Later, with room on the disk, the sweep goes on.
                if !folder.is_finished(planned).unwrap() {
                    work::one(planned, &plan, &folder).unwrap();
                }
            }
            assert!(files(&target).0 == expected, "{name}");
            fs::remove_dir_all(folder.root()).unwrap();
        }
    }
}

#[test]
fn whatever_fails_at_the_end_is_made_good_by_the_next_call() {
    let (home, plan) = plan_of(ONE_RUN);
    let folder = SweepFolder::open(&home.path().join("o"), &plan, Existing::Resume).unwrap();
    work::one(&plan.runs[0], &plan, &folder).unwrap();
    let (begun, _) = files(folder.root());
    let end = || finish(&plan, &folder, Instant::now());
    let (result, requests) = with_fault(Fault::ShortWrite, usize::MAX, end);
    assert!(result.unwrap().failed.is_empty());
    let (expected, _) = files(folder.root());
    assert!(requests > 15 && expected.len() == begun.len() + 2, "{requests} requests");
    for fault in Fault::ALL {
        for at in 0..requests {
            for name in ["summary.csv", "bands.csv"] {
                fs::remove_file(folder.root().join(name)).unwrap();
            }
            fs::write(folder.root().join("manifest.json"), &begun["manifest.json"]).unwrap();
            let (result, _) = with_fault(fault, at, end);
            let (found, unfinished) = files(folder.root());
            assert!(unfinished.is_empty(), "{fault:?} at {at} left {unfinished:?}");
            for (name, bytes) in &found {
                let is_old = begun.get(name) == Some(bytes);
                assert!(is_old || expected[name] == *bytes, "{fault:?} at {at}: part of {name}");
            }
            if result.is_err() {
                end().unwrap();
            }
            assert!(files(folder.root()).0 == expected, "{fault:?} at {at}");
        }
    }
}
