//! The built binary as a user runs it: files, exit statuses, and what the errors name.

use std::path::Path;
use std::process::{Command, Output};

/// A configuration that runs in milliseconds.
const SMALL: &str = "data.samples = 40\nnetwork.hidden = 3\ndynamics.horizon = 0.1\n\
                     record.snapshot_every = 5\n";

fn gaussflow(arguments: &[&str], folder: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gaussflow"));
    command.args(arguments).current_dir(folder).output().unwrap()
}

/// Status and standard error of a call that must fail.
fn refusal(arguments: &[&str], folder: &Path) -> (i32, String) {
    let output = gaussflow(arguments, folder);
    (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn a_run_writes_every_file_and_the_same_bytes_again() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("my.toml"), SMALL).unwrap();
    let run = folder.path().join("out/runs/gauss-newton-alpha_8-seed_0");
    let files = [
        "config.toml",
        "problem.json",
        "trace.csv",
        "weights.npy",
        "weights_steps.npy",
        "outcome.json",
    ];
    let mut before = Vec::new();
    for _ in 0..2 {
        let output = gaussflow(&["run", "my.toml", "--out", "out"], folder.path());
        assert!(output.status.success(), "{output:?}");
        let now: Vec<_> = files.iter().map(|name| std::fs::read(run.join(name)).unwrap()).collect();
        if before.is_empty() {
            before = now;
        } else {
            assert!(before == now, "a second run wrote other bytes");
        }
        assert!(run.join("timing.json").exists());
        assert!(folder.path().join("out/manifest.json").exists());
    }
    // The resolved configuration runs to the same result.
    let resolved = run.join("config.toml");
    let again = ["run", resolved.to_str().unwrap(), "--out", "again", "--quiet"];
    let output = gaussflow(&again, folder.path());
    assert!(output.status.success() && output.stdout.is_empty(), "{output:?}");
    let trace = folder.path().join("again/runs/gauss-newton-alpha_8-seed_0/trace.csv");
    assert_eq!(std::fs::read(trace).unwrap(), before[2]);
}

#[test]
fn the_printed_configuration_is_accepted() {
    let folder = tempfile::tempdir().unwrap();
    let output = gaussflow(&["config"], folder.path());
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    let short = text.replace("horizon = 5.0", "horizon = 0.02");
    assert_ne!(text, short);
    std::fs::write(folder.path().join("c.toml"), short).unwrap();
    assert!(gaussflow(&["run", "c.toml", "--out", "o"], folder.path()).status.success());
}

#[test]
fn an_early_end_is_a_result() {
    let folder = tempfile::tempdir().unwrap();
    let text = format!(
        "{SMALL}dynamics.scaling = 0.125\ndynamics.integrator = 'adaptive'\n\
                        events.ball_radius = 1e-3\nevents.at_exit = 'stop'"
    );
    std::fs::write(folder.path().join("c.toml"), text).unwrap();
    let output = gaussflow(&["run", "c.toml", "--out", "o"], folder.path());
    assert!(output.status.success(), "{output:?}");
    let id = "o/runs/gauss-newton-adaptive-alpha_0.125-seed_0/outcome.json";
    let outcome = std::fs::read_to_string(folder.path().join(id)).unwrap();
    assert!(outcome.contains("\"left-ball\"") && outcome.contains("\"stopped\""), "{outcome}");
}

#[test]
fn refusals_name_the_value_and_the_place() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let write = |name: &str, text: &str| std::fs::write(path.join(name), text).unwrap();
    write("key.toml", "[dynamics]\nscalling = 8");
    write("value.toml", "[dynamics]\nscaling = -8.0");
    write("column.toml", "[data]\npath = 'rows.csv'\ntarget = 'price'\nsamples = 2");
    write("rows.csv", "a,b\n1,2\n3,4\n5,7\n");
    write("cell.toml", "[data]\npath = 'cell.csv'\ntarget = 'b'\nsamples = 2");
    write("cell.csv", "a,b\n1,2\n3,four\n5,7\n");
    write("rows.toml", "[data]\npath = 'rows.csv'\ntarget = 'b'\nsamples = 9");
    write("one.toml", "[data]\npath = 'one.csv'\ntarget = 'b'");
    write("one.csv", "a,b\n1,2\n");
    write("fine.toml", SMALL);
    std::fs::create_dir(path.join("mine")).unwrap();
    write("mine/thesis.tex", "irreplaceable");

    for (config, status, facts) in [
        ("key.toml", 2, &["key.toml", "2:1", "scalling", "scaling"][..]),
        ("value.toml", 2, &["value.toml", "-8", "scaling", "above 0"]),
        ("column.toml", 2, &["rows.csv", "price"]),
        ("cell.toml", 2, &["cell.csv", "four", "3"]),
        ("rows.toml", 2, &["9", "3"]),
        ("one.toml", 2, &["one.csv", "only 1"]),
        ("absent.toml", 3, &["absent.toml"]),
    ] {
        let (found, text) = refusal(&["run", config, "--out", "o"], path);
        assert_eq!(found, status, "{config}: {text}");
        for fact in facts {
            assert!(text.contains(fact), "{config}: {fact:?} is not in {text}");
        }
        assert!(!path.join("o").exists(), "{config} left something behind");
    }
    let (status, text) = refusal(&["run", "fine.toml", "--out", "mine"], path);
    assert!(status == 2 && text.contains("mine"), "{text}");
    assert_eq!(std::fs::read_dir(path.join("mine")).unwrap().count(), 1);
    assert_eq!(refusal(&["run", "fine.toml", "--out", "fine.toml/x"], path).0, 3);
    assert_eq!(refusal(&["rum"], path).0, 2);
    assert_eq!(refusal(&["reproduce", "--seeds", "0"], path).0, 2);
}

#[test]
fn a_report_is_written_from_a_run_and_refused_elsewhere() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    std::fs::write(path.join("my.toml"), SMALL).unwrap();
    assert!(gaussflow(&["run", "my.toml", "--out", "o", "--quiet"], path).status.success());
    let output = gaussflow(&["report", "o"], path);
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && said.contains("report.html"), "{said}");
    let page = std::fs::read(path.join("o/report.html")).unwrap();
    assert!(page.starts_with(b"<!DOCTYPE html>") && page.ends_with(b"</html>\n"));
    std::fs::remove_file(path.join("o/runs/gauss-newton-alpha_8-seed_0/trace.csv")).unwrap();
    let output = gaussflow(&["report", "o"], path);
    let noted = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success() && noted.contains("trace.csv: missing"), "{noted}");

    std::fs::create_dir(path.join("mine")).unwrap();
    std::fs::write(path.join("mine/thesis.tex"), "irreplaceable").unwrap();
    let (status, text) = refusal(&["report", "mine"], path);
    assert!(status == 2 && text.contains("mine") && text.contains("manifest.json"), "{text}");
    let (status, text) = refusal(&["report", "absent"], path);
    assert!(status == 3 && text.contains("absent"), "{text}");
    assert_eq!(refusal(&["report"], path).0, 2);
}

/// Ctrl-C ends with 130, and the folder that it leaves is taken up again.
#[cfg(unix)]
#[test]
fn an_interrupted_reproduction_can_be_started_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_gaussflow"))
        .args(["reproduce", "--quiet", "--out", "o"])
        .current_dir(folder.path())
        .spawn()
        .unwrap();
    // The signal comes once the folder is claimed: the whole takes a minute or more from there.
    let manifest = folder.path().join("o/manifest.json");
    while !manifest.exists() {
        assert!(child.try_wait().unwrap().is_none(), "ended before it wrote anything");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let signalled = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(signalled.success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    // A name that no run of the reproduction has, should one have been finished.
    let config = format!("{SMALL}dynamics.scaling = 3.0\n");
    std::fs::write(folder.path().join("c.toml"), config).unwrap();
    let again = gaussflow(&["run", "c.toml", "--out", "o"], folder.path());
    assert!(again.status.success(), "{again:?}");
}

/// The same program writes the same manifest, whatever starts it.
#[test]
fn the_build_names_its_commit_and_no_variable_changes_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    std::fs::write(path.join("my.toml"), SMALL).unwrap();
    let mut manifests = Vec::new();
    for (out, commit) in [("a", None), ("b", Some("0123456789abcdef"))] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gaussflow"));
        command.args(["run", "my.toml", "--quiet", "--out", out]).current_dir(path);
        if let Some(commit) = commit {
            command.env("GAUSSFLOW_COMMIT", commit);
        }
        assert!(command.output().unwrap().status.success());
        manifests.push(std::fs::read_to_string(path.join(out).join("manifest.json")).unwrap());
    }
    assert_eq!(manifests[0], manifests[1]);
}
