//! `gaussflow audit` as a user runs it: an honest folder, a tampered one, a damaged one.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use gaussflow_records::{AuditRecord, read_json};

fn gaussflow(arguments: &[&str], folder: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gaussflow"));
    command.args(arguments).current_dir(folder).output().unwrap()
}

fn audited(run: &Path) -> (AuditRecord, String) {
    let output = gaussflow(&["audit", run.to_str().unwrap()], run);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let records: Vec<AuditRecord> = read_json(&run.join("audit.json")).unwrap();
    assert!(run.join("audit.md").exists());
    (records[0].clone(), String::from_utf8(output.stdout).unwrap())
}

/// A run of a moment, of either regime.
fn run(folder: &Path, more: &str) -> PathBuf {
    let text = format!(
        "data.samples = 40\nnetwork.hidden = 3\ndynamics.horizon = 0.1\nrecord.snapshot_every = 5\n{more}"
    );
    std::fs::write(folder.join("c.toml"), text).unwrap();
    assert!(gaussflow(&["run", "c.toml", "--out", "o", "--quiet"], folder).status.success());
    let runs = std::fs::read_dir(folder.join("o/runs")).unwrap();
    runs.map(|entry| entry.unwrap().path()).next().unwrap()
}

#[test]
fn an_honest_folder_is_confirmed_and_a_tampered_one_reported() {
    let folder = tempfile::tempdir().unwrap();
    let run = run(folder.path(), "");
    let (record, text) = audited(&run);
    assert_eq!((record.id.as_str(), record.verdict.as_str()), ("run/reproduced", "holds"));
    assert!(text.contains("agrees"), "{text}");

    // One loss changed in its sixth digit.
    let trace = std::fs::read_to_string(run.join("trace.csv")).unwrap();
    let line = trace.lines().nth(4).unwrap();
    let mut cells: Vec<String> = line.split(',').map(str::to_owned).collect();
    cells[2] = format!("{:?}", cells[2].parse::<f64>().unwrap() * (1.0 + 1e-6));
    std::fs::write(run.join("trace.csv"), trace.replace(line, &cells.join(","))).unwrap();
    let (record, text) = audited(&run);
    assert_eq!(record.verdict, "violated");
    assert!(record.at.contains("trace.csv: loss, step 3"), "{}", record.at);
    assert!(text.contains("DOES NOT AGREE") && text.contains("loss, step 3"), "{text}");
    std::fs::write(run.join("trace.csv"), trace).unwrap();

    // One weight of a snapshot.
    let mut bytes = std::fs::read(run.join("weights.npy")).unwrap();
    let last = bytes.len() - 2; // the exponent of the last entry
    bytes[last] ^= 1;
    std::fs::write(run.join("weights.npy"), bytes).unwrap();
    let (record, _) = audited(&run);
    assert!(record.verdict == "violated" && record.at.contains("weights.npy"), "{}", record.at);
}

#[test]
fn both_regimes_and_a_whole_folder_are_audited() {
    let folder = tempfile::tempdir().unwrap();
    let more = "network.hidden = 8\ndynamics.preconditioner = 'levenberg-marquardt'\n\
                dynamics.damping = 0.1";
    let text = format!("data.samples = 20\n{more}\ndynamics.horizon = 0.2\n");
    std::fs::write(folder.path().join("c.toml"), text).unwrap();
    assert!(gaussflow(&["run", "c.toml", "--out", "o", "--quiet"], folder.path()).status.success());
    let output = gaussflow(&["audit", "o"], folder.path());
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let path = "o/runs/levenberg-marquardt-rho_0.1-alpha_8-seed_0/audit.json";
    let records: Vec<AuditRecord> = read_json(&folder.path().join(path)).unwrap();
    let verdict = |id: &str| records.iter().find(|r| r.id == id).unwrap().verdict.clone();
    assert_eq!(verdict("run/reproduced"), "holds");
    assert_eq!(verdict("over/eigenpairs"), "holds");
    assert_eq!(verdict("over/squared-inverse-bound"), "violated");
}

#[test]
fn a_missing_or_damaged_file_is_named_with_status_2() {
    let folder = tempfile::tempdir().unwrap();
    let run = run(folder.path(), "");
    let path = run.to_str().unwrap();
    for name in [
        "config.toml",
        "problem.json",
        "trace.csv",
        "weights.npy",
        "weights_steps.npy",
        "outcome.json",
    ] {
        let kept = std::fs::read(run.join(name)).unwrap();
        std::fs::remove_file(run.join(name)).unwrap();
        let output = gaussflow(&["audit", path], folder.path());
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{name}: {text}");
        assert!(text.contains(name), "{name}: {text}");
        std::fs::write(run.join(name), &kept[..kept.len() / 2]).unwrap();
        let output = gaussflow(&["audit", path], folder.path());
        let text = String::from_utf8(output.stderr).unwrap();
        // Half a trace.csv or config.toml may still parse: then it is a difference, not damage.
        if name != "trace.csv" && name != "config.toml" {
            assert_eq!(output.status.code(), Some(2), "{name}: {text}");
            assert!(text.contains(name), "{name}: {text}");
        }
        std::fs::write(run.join(name), kept).unwrap();
    }
    assert_eq!(gaussflow(&["audit", "nowhere"], folder.path()).status.code(), Some(2));
}
