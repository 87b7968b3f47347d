//! Sizes that no machine has, on the built program: refused at once, in bytes, with the key, its value and what is
//! accepted; runs that are long say so; runs that lost rank, fell back or rose in loss say so.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use crate::common::gaussflow;
use gaussflow_driver::config::{Config, Integrator, Preconditioner};
use gaussflow_driver::needs::{Item, Needs, Shape};
use proptest::prelude::*;

/// Status, standard output and standard error.
fn parts(output: &Output) -> (i32, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code().unwrap_or(-1), text(&output.stdout), text(&output.stderr))
}

/// Refused at once with these facts, and nothing is left behind.
fn check_refusal(folder: &Path, arguments: &[&str], facts: &[&str]) {
    let begun = Instant::now();
    let (status, _, said) = parts(&gaussflow(arguments, folder));
    assert_eq!(status, 2, "{arguments:?}: {said}");
    for fact in facts {
        assert!(said.contains(fact), "{fact:?} is not in {said}");
    }
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    assert!(!folder.join("o").exists(), "something is left behind: {said}");
}

/// A CSV with `columns` features, few rows and target y.
fn wide_csv(folder: &Path, columns: usize, rows: usize) {
    let mut lines = vec![(0..columns).map(|k| format!("x{k},")).collect::<Vec<_>>().concat() + "y"];
    lines.extend((0..rows).map(|row| {
        let cells = (0..columns).map(|k| format!("{},", (row * 7 + k * 13 + row * k) % 31));
        cells.collect::<Vec<_>>().concat() + &(row % 5).to_string()
    }));
    fs::write(folder.join("wide.csv"), lines.join("\n")).unwrap();
}

#[test]
fn a_run_that_is_too_large_is_refused_before_it_begins() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    wide_csv(path, 300, 12);
    let wide = "data = { path = 'wide.csv', target = 'y', samples = 12 }\n";
    for (text, facts) in [
        ("network.hidden = 1000000", &["network.hidden = 1000000", "bytes", "at most"][..]),
        (
            "data.samples = 20640\nnetwork.hidden = 50000",
            &["network.hidden = 50000", "bytes", "S (rows"],
        ),
        ("data.samples = 20640\nnetwork.hidden = 1000000", &["network.hidden = 1000000", "bytes"]),
        (
            "dynamics.step = 1e-9\ndynamics.horizon = 1.0",
            &["record.every = 1 ", "bytes", "recorded rows", "at least"],
        ),
        (
            "dynamics.step = 1e-9\ndynamics.horizon = 1.0\nrecord = { every = 1000000, snapshot_every = 1 }\n\
             network.hidden = 200000",
            &["record.snapshot_every = 1 ", "bytes", "snapshots", "0 for none"],
        ),
        (
            "network.hidden = 20000\ndynamics.integrator = 'stiff'",
            &["dynamics.integrator = \"stiff\"", "bytes", "implicit", "\"adaptive\""],
        ),
        (
            "network.hidden = 20000\ndynamics.solver = 'primal-cholesky'",
            &["dynamics.solver = \"primal-cholesky\"", "bytes", "\"auto\""],
        ),
        (
            "data.samples = 20640\ndynamics = { preconditioner = 'levenberg-marquardt', damping = 0.1, memory_limit = \
             3000, solver = 'dual-cholesky' }\nnetwork.hidden = 3000",
            &["dynamics.solver = \"dual-cholesky\"", "bytes", "\"auto\""],
        ),
    ] {
        fs::write(path.join("c.toml"), text).unwrap();
        check_refusal(path, &["run", "c.toml", "--out", "o"], facts);
    }
    fs::write(path.join("c.toml"), format!("{wide}network.hidden = 1000000")).unwrap();
    check_refusal(path, &["run", "c.toml", "--out", "o"], &["network.hidden = 1000000", "bytes"]);
    // A sweep names the run, before it begins the first.
    let sweep = "dynamics.horizon = 0.02\n[sweep]\n'network.hidden' = [2, 900000]\n";
    fs::write(path.join("c.toml"), sweep).unwrap();
    let facts = ["hidden_900000: network.hidden = 900000", "bytes", "at most"];
    check_refusal(path, &["sweep", "c.toml", "--out", "o"], &facts);
    for deep in [&[][..], &["--deep"]] {
        let arguments = [&["reproduce", "--seeds", "1000000", "--out", "o"], deep].concat();
        check_refusal(path, &arguments, &["--seeds = 1000000", "bytes", "at most"]);
    }
}

/// What is said to be accepted is accepted, and one more is not.
#[test]
fn the_value_that_would_be_accepted_is() {
    let shape = Shape { rows: 20_640, features: 8, outputs: 1, block: None };
    let accepts = |config: &Config| Needs::require_on(config, shape, None);
    let told = |text: &str| -> usize {
        let number = text.split_whitespace().find_map(|word| word.trim_matches(',').parse().ok());
        number.unwrap_or_else(|| panic!("no number in {text}"))
    };
    let mut config = Config::default();
    config.network.hidden = 1_000_000.into();
    let most = told(&accepts(&config).unwrap_err().accepted);
    config.network.hidden = most.into();
    assert!(accepts(&config).is_ok());
    config.network.hidden = (most + 1).into();
    let refusal = accepts(&config).unwrap_err();
    let (_, limit) = refusal.accepted.rsplit_once("memory_limit at least ").unwrap();
    config.dynamics.memory_limit = limit.parse().unwrap();
    assert!(accepts(&config).is_ok());
    let mut config = Config::default();
    (config.dynamics.step, config.dynamics.horizon) = (1e-9, 1.0);
    config.record.snapshot_every = 0;
    config.record.every = told(&accepts(&config).unwrap_err().accepted);
    assert!(accepts(&config).is_ok());
    config.record.every -= 1;
    assert!(accepts(&config).is_err());
    // A machine with less than the limit: matrices go first, then the network.
    let mut config = Config::default();
    config.network.hidden = 400.into();
    config.data.samples = 8000;
    let small = Some(400 << 20);
    let refusal = Needs::require_on(&config, shape, small).unwrap_err();
    assert_eq!(refusal.key, "dynamics.memory_limit", "{refusal}");
    config.dynamics.memory_limit = told(&refusal.accepted);
    assert!(Needs::require_on(&config, shape, small).is_ok());
    config.dynamics.memory_limit += 1;
    assert!(Needs::require_on(&config, shape, small).is_err());
}

proptest! {
    /// No size overflows, no item is lost in the sum, and every refusal names a key and its bytes.
    #[test]
    fn needs_of_any_size_are_counted_or_saturate(
        rows: usize, features: usize, samples: usize, hidden: usize, every: usize, snapshot_every: usize,
        checkpoint_every: usize, memory_limit: usize, (step, horizon, scaling) in (any::<f64>(), any::<f64>(), any::<f64>()),
        shifts in prop::array::uniform4(0..64u32), which in 0..5usize, machine: Option<u64>,
    ) {
        let mut config = Config::default();
        config.data.samples = samples >> shifts[0];
        config.network.hidden = (hidden >> shifts[1]).into();
        (config.record.every, config.record.snapshot_every) = (every >> shifts[2], snapshot_every >> shifts[3]);
        config.record.checkpoint_every = checkpoint_every;
        config.dynamics.memory_limit = memory_limit >> shifts[2];
        (config.dynamics.step, config.dynamics.horizon) = (step, horizon);
        config.dynamics.scaling = scaling;
        config.dynamics.integrator = Integrator::ALL[which % Integrator::ALL.len()];
        config.dynamics.preconditioner = Preconditioner::ALL[which % Preconditioner::ALL.len()];
        let shape = Shape { rows: rows >> shifts[0], features: features >> shifts[3], outputs: 1, block: None };
        let needs = Needs::of(&config, shape);
        for item in Item::ALL {
            prop_assert!(needs.of_item(item) <= needs.total());
        }
        prop_assert!(needs.least() <= needs.total());
        match Needs::require_on(&config, shape, machine) {
            Ok(accepted) => prop_assert!(accepted.total() <= machine.unwrap_or(u64::MAX)),
            Err(refusal) => {
                prop_assert!(refusal.needed > refusal.available, "{refusal}");
                prop_assert!(refusal.to_string().contains(&refusal.needed.to_string()));
            }
        }
    }
}

/// The panic of 5,000 columns: a matrix of all pairs of features.
#[test]
fn many_features_run() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    wide_csv(path, 5000, 24);
    let text = "data = { path = 'wide.csv', target = 'y', samples = 24, standardize = 'none' }\n\
                dynamics = { step = 0.1, horizon = 0.2 }";
    fs::write(path.join("c.toml"), text).unwrap();
    let (status, _, said) = parts(&gaussflow(&["run", "c.toml", "--out", "o"], path));
    assert_eq!(status, 0, "{said}");
    assert!(path.join("o/runs/gauss-newton-alpha_8-seed_0/outcome.json").exists());
}

#[test]
fn a_long_run_is_announced_and_keeps_recorded_rows_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let text = "data.samples = 4\nnetwork.hidden = 1\ndynamics = { step = 1e-6, horizon = 0.2, preconditioner = \
                'gradient' }\nrecord = { every = 100000, snapshot_every = 100000 }";
    fs::write(path.join("c.toml"), text).unwrap();
    let (status, _, said) = parts(&gaussflow(&["run", "c.toml", "--out", "o"], path));
    assert_eq!(status, 0, "{said}");
    assert!(said.contains("200000 steps") && said.contains("4 recorded rows"), "{said}");
    let trace = fs::read_to_string(path.join("o/runs/gradient-euler-alpha_8-seed_0/trace.csv"));
    assert_eq!(trace.unwrap().lines().count(), 1 + 3);
    let (_, _, said) = parts(&gaussflow(&["run", "c.toml", "--out", "quiet", "--quiet"], path));
    assert_eq!(said, "");
}

/// More threads than a machine has are not started, and words that are no number are not taken for one.
#[test]
fn the_number_of_threads_is_bounded_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    fs::write(
        path.join("c.toml"),
        "data.samples = 20\nnetwork.hidden = 2\ndynamics.horizon = 0.05",
    )
    .unwrap();
    let mut before = None;
    for (threads, word) in [
        ("1", None),
        ("1000000", Some("1000000")),
        ("1000000000", Some("is more")),
        ("many", Some("\"many\"")),
    ] {
        let begun = Instant::now();
        let out = format!("o{threads}");
        let output = Command::new(env!("CARGO_BIN_EXE_gaussflow"))
            .args(["run", "c.toml", "--out", &out])
            .env("RAYON_NUM_THREADS", threads)
            .current_dir(path)
            .output()
            .unwrap();
        let (status, _, said) = parts(&output);
        assert_eq!(status, 0, "{threads}: {said}");
        match word {
            Some(word) => {
                assert!(said.contains("RAYON_NUM_THREADS") && said.contains(word), "{said}");
            }
            None => assert_eq!(said, ""),
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "{threads}: {:?}", begun.elapsed());
        let tree = crate::common::tree(&path.join(&out));
        crate::common::assert_same(before.get_or_insert_with(|| tree.clone()), &tree, threads);
    }
}

/// alpha = 1/8 on the real rows: the Jacobian collapses, and Euler goes on by the pseudo-inverse.
#[test]
fn a_run_that_lost_rank_says_so_wherever_it_is_told_of() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let text = "dynamics = { scaling = 0.125, horizon = 0.4 }\n";
    fs::write(path.join("c.toml"), text).unwrap();
    let (status, said, errors) = parts(&gaussflow(&["run", "c.toml", "--out", "o"], path));
    assert_eq!(status, 0, "{errors}");
    let last = said.lines().last().unwrap();
    for fact in ["lost rank", "at t = ", "pseudo-inverse", "dynamics.scaling", "rank_policy"] {
        assert!(last.contains(fact), "{fact:?} is not in {last}");
    }
    let (status, _, errors) = parts(&gaussflow(&["report", "o"], path));
    assert_eq!(status, 0, "{errors}");
    let page = fs::read_to_string(path.join("o/report.html")).unwrap();
    let first = page.split("<section id=\"charts\"").next().unwrap();
    assert!(
        first.contains("lost rank of the Jacobian at t = "),
        "the first screen does not say it"
    );
    assert!(!page.contains("<span class=\"badge holds\">horizon"), "a collapsed run is green");
    let sweep = format!("{text}[sweep]\n'dynamics.scaling' = [0.125, 64.0]\n");
    fs::write(path.join("s.toml"), sweep.replace("scaling = 0.125, ", "")).unwrap();
    let (status, said, errors) = parts(&gaussflow(&["sweep", "s.toml", "--out", "s"], path));
    assert_eq!(status, 0, "{errors}");
    assert!(said.contains("gauss-newton-alpha_0.125-seed_0: This run lost rank"), "{said}");
    assert!(!said.contains("alpha_64-seed_0:"), "{said}");
    let summary = fs::read_to_string(path.join("s/summary.csv")).unwrap();
    let lines: Vec<&str> = summary.lines().collect();
    assert!(lines[0].contains(",remark") && lines[1].contains("lost rank"), "{summary}");
    assert!(!lines[2].contains("This run"), "{summary}");
}
