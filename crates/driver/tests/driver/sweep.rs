//! Sweeps by the built binary: the same bytes whatever happens on the way, and what each refusal says.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::common::{assert_same, differing, gaussflow, refusal, tree};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// Sixteen runs of some milliseconds; checkpoints in the middle of each.
const SMALL: &str = r#"
data.samples = 40
network.hidden = 3
dynamics.horizon = 0.4
record = { snapshot_every = 10, checkpoint_every = 15, hessian_every = 0 }
[sweep]
seeds = 4
"dynamics.scaling" = [8.0, 16]
[[sweep.cases]]
dynamics.preconditioner = "gauss-newton"
[[sweep.cases]]
dynamics = { preconditioner = "gradient", integrator = "stiff" }
"#;

fn folder_with(text: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("s.toml"), text).unwrap();
    folder
}

#[test]
fn a_sweep_writes_the_same_bytes_for_any_number_of_jobs() {
    let folder = folder_with(SMALL);
    let path = folder.path();
    let output = gaussflow(&["sweep", "s.toml", "--out", "one", "--jobs", "1"], path);
    assert!(output.status.success(), "{output:?}");
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("16 runs") && said.contains("summary.csv"), "{said}");
    let three = ["sweep", "s.toml", "--out", "three", "--jobs", "3", "--json"];
    let output = gaussflow(&three, path);
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&answer["runs"], &answer["resumed"]), (&16.into(), &0.into()));
    let (one, three) = (tree(&path.join("one")), tree(&path.join("three")));
    assert_same(&one, &three, "between one job and three");
    assert_eq!(one.len(), 3 + 1 + 16 * 7, "{:?}", one.keys());
    // A run of a sweep has the bytes that it has alone.
    let id = "gradient-alpha_16-seed_3";
    let config = format!("one/runs/{id}/config.toml");
    assert!(gaussflow(&["run", &config, "--out", "alone"], path).status.success());
    let alone = tree(&path.join("alone"));
    for (name, bytes) in one.iter().filter(|(name, _)| name.starts_with(&format!("runs/{id}"))) {
        assert!(alone[name] == *bytes, "{name}");
    }
    // Once finished, nothing is left to do, and nothing changes.
    let again = gaussflow(&["sweep", "s.toml", "--out", "one", "--resume"], path);
    assert!(again.status.success(), "{again:?}");
    assert_same(&tree(&path.join("one")), &one, "after a sweep with nothing to do");
}

#[test]
fn differing_files_are_named() {
    let files = |list: &[(&str, &str)]| -> BTreeMap<String, Vec<u8>> {
        list.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec())).collect()
    };
    let (a, b) = (files(&[("x", "1"), ("y", "2"), ("z", "3")]), files(&[("x", "1"), ("y", "4")]));
    assert_eq!(differing(&a, &b), ["y", "z"]);
    assert_eq!(differing(&b, &a), ["y", "z"]);
    assert!(differing(&a, &a).is_empty());
}

/// Each process is killed at a seeded instant: when it has finished none or one run more, and then within the
/// time that a run takes, so that loading, computing, writing and renaming are all hit.
#[test]
fn twenty_kills_change_no_byte() {
    const KILLS: u32 = 20;
    const RUNS: u32 = 64;
    let folder = folder_with(&SMALL.replace("seeds = 4", "seeds = 16"));
    let path = folder.path();
    let quiet = |out: &'static str| ["sweep", "s.toml", "--out", out, "--quiet", "--resume"];
    let begun = std::time::Instant::now();
    assert!(gaussflow(&quiet("undisturbed"), path).status.success());
    let a_run = begun.elapsed() / RUNS;
    let mut random = ChaCha8Rng::seed_from_u64(20);
    let (mut killed, mut counts) = (0, vec![0]);
    for _ in 0..KILLS {
        let mut child = Command::new(env!("CARGO_BIN_EXE_gaussflow"))
            .args(quiet("killed"))
            .current_dir(path)
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let enough = counts[counts.len() - 1] + (random.next_u32() % 2) as usize;
        while finished(&path.join("killed")) < enough && child.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_micros(200));
        }
        let share = f64::from(random.next_u32()) / f64::from(u32::MAX);
        std::thread::sleep(a_run.mul_f64(2.0 * share));
        // The kill is SIGKILL, which no process can prepare for.
        if child.try_wait().unwrap().is_none() {
            child.kill().unwrap();
            killed += 1;
        }
        child.wait().unwrap();
        counts.push(finished(&path.join("killed")));
    }
    assert!(killed >= 15, "only {killed} processes were still alive; runs after each: {counts:?}");
    assert!(gaussflow(&quiet("killed"), path).status.success());
    let (expected, found) = (tree(&path.join("undisturbed")), tree(&path.join("killed")));
    assert_same(&found, &expected, &format!("after {killed} kills"));
}

/// A long run killed between its checkpoints goes on from the last one.
#[test]
fn a_killed_run_goes_on_from_its_checkpoint() {
    let text = "data.samples = 40\nnetwork.hidden = 3\ndynamics.step = 1e-4\ndynamics.horizon = 4.0\n\
                record = { every = 100, checkpoint_every = 1000, held_out_every = 0 }\n\
                events.ball_radius = 1e-3\n";
    let folder = folder_with(text);
    let path = folder.path();
    assert!(gaussflow(&["run", "s.toml", "--out", "whole"], path).status.success());
    let mut child = Command::new(env!("CARGO_BIN_EXE_gaussflow"))
        .args(["run", "s.toml", "--out", "killed"])
        .current_dir(path)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let checkpoint = path.join("killed/checkpoints/gauss-newton-alpha_8-seed_0.json");
    while !checkpoint.exists() {
        assert!(child.try_wait().unwrap().is_none(), "ended before its first checkpoint");
        std::thread::sleep(Duration::from_millis(1));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let saved: serde_json::Value =
        serde_json::from_slice(&std::fs::read(&checkpoint).unwrap()).unwrap();
    let step = saved["step"].as_u64().unwrap();
    assert!((1000..40_000).contains(&step), "killed at its end: {step}");
    // A marker in the checkpoint shows that it was used: it must come back in the outcome.
    let marked = std::fs::read_to_string(&checkpoint).unwrap().replacen(
        "\"counters\": {",
        "\"counters\": {\"marker\": 7,",
        1,
    );
    std::fs::write(&checkpoint, marked).unwrap();
    let output = gaussflow(&["run", "s.toml", "--out", "killed", "--resume"], path);
    assert!(output.status.success(), "{output:?}");
    let (whole, mut resumed) = (tree(&path.join("whole")), tree(&path.join("killed")));
    let outcome = "runs/gauss-newton-alpha_8-seed_0/outcome.json";
    let text = String::from_utf8(resumed.remove(outcome).unwrap()).unwrap();
    assert!(text.contains("\"marker\": 7"), "the checkpoint was not used");
    let clean: String =
        text.split_inclusive('\n').filter(|line| !line.contains("marker")).collect();
    resumed.insert(outcome.to_owned(), clean.into_bytes());
    assert_same(&whole, &resumed, "after a kill");
}

/// A file that is cut, changed or gone, in whatever run, is told and made again to the same bytes.
#[test]
fn damaged_runs_are_noticed_named_and_made_again() {
    type Damage<'d> = &'d dyn Fn(&[u8]) -> Vec<u8>;
    let folder = folder_with(&SMALL.replace("seeds = 4", "seeds = 2"));
    let path = folder.path();
    assert!(gaussflow(&["sweep", "s.toml", "--out", "o"], path).status.success());
    let expected = tree(&path.join("o"));
    let run = path.join("o/runs/gradient-alpha_16-seed_1");
    let outcome: serde_json::Value =
        serde_json::from_slice(&std::fs::read(run.join("outcome.json")).unwrap()).unwrap();
    let sealed = ["config.toml", "problem.json", "trace.csv", "weights.npy", "weights_steps.npy"];
    let listed: Vec<&String> = outcome["files"].as_object().unwrap().keys().collect();
    assert_eq!(listed, sealed);
    let cut = |bytes: &[u8]| bytes[..bytes.len() / 2].to_vec();
    // A whole number of rows: what is left is a valid trace.
    let rows = |bytes: &[u8]| {
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        text.split_inclusive('\n').take(9).collect::<String>().into_bytes()
    };
    let changed = |bytes: &[u8]| {
        let mut bytes = bytes.to_vec();
        let last = bytes.len() - 3;
        bytes[last] = if bytes[last] == b'1' { b'2' } else { b'1' };
        bytes
    };
    let mut cases: Vec<(&str, Damage<'_>, &str)> =
        vec![("trace.csv", &rows, "bytes instead of"), ("outcome.json", &cut, "outcome.json")];
    for name in sealed {
        cases.push((name, &cut, "bytes instead of"));
        cases.push((name, &changed, "another checksum"));
    }
    for (name, damage, told) in cases {
        let file = run.join(name);
        std::fs::write(&file, damage(&std::fs::read(&file).unwrap())).unwrap();
        let output = gaussflow(&["sweep", "s.toml", "--out", "o", "--resume", "--json"], path);
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{name}: {said}");
        for fact in ["gradient-alpha_16-seed_1 is made again", name, told] {
            assert!(said.contains(fact), "{name}: {fact:?} is not in {said}");
        }
        let answer: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(answer["resumed"], 7);
        assert_eq!(answer["damaged"], serde_json::json!(["gradient-alpha_16-seed_1"]));
        assert_same(&tree(&path.join("o")), &expected, &format!("after damage to {name}"));
    }
    std::fs::remove_file(run.join("trace.csv")).unwrap();
    let output = gaussflow(&["sweep", "s.toml", "--out", "o", "--resume"], path);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("trace.csv is missing"), "{said}");
    assert_same(&tree(&path.join("o")), &expected, "after a missing trace");
}

#[test]
fn a_run_without_an_answer_is_recorded_and_the_others_go_on() {
    // 10 of 20640 rows cannot be too few; 30000 are too many.
    let text = "network.hidden = 2\ndynamics.horizon = 0.05\n[sweep]\nseeds = [3, 1]\n\
                'data.samples' = [30, 30000, 20]\n";
    let folder = folder_with(text);
    let output = gaussflow(&["sweep", "s.toml", "--out", "o"], folder.path());
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let told = String::from_utf8(output.stderr).unwrap();
    let id = "gauss-newton-alpha_8-seed_3-samples_30000";
    assert!(told.contains(id), "{told}");
    let outcome = std::fs::read(folder.path().join(format!("o/runs/{id}/outcome.json"))).unwrap();
    let outcome: serde_json::Value = serde_json::from_slice(&outcome).unwrap();
    assert_eq!((&outcome["status"], &outcome["stop_reason"]), (&"failed".into(), &"failed".into()));
    let error = outcome["error"].as_str().unwrap();
    assert!(error.contains("30000") && error.contains("20640"), "{error}");
    let mut summary = csv::Reader::from_path(folder.path().join("o/summary.csv")).unwrap();
    let header = summary.headers().unwrap().clone();
    let place = |name: &str| header.iter().position(|column| column == name).unwrap();
    let rows: Vec<csv::StringRecord> = summary.records().map(Result::unwrap).collect();
    let told: Vec<[&str; 4]> = rows
        .iter()
        .map(|row| ["id", "data.samples", "status", "error"].map(|name| &row[place(name)]))
        .collect();
    assert_eq!(told.len(), 6);
    assert_eq!(told[0][..3], ["gauss-newton-alpha_8-seed_3-samples_30", "30", "completed"]);
    assert_eq!(told[2], [id, "30000", "failed", error]);
    assert_eq!(told[5][..3], ["gauss-newton-alpha_8-seed_1-samples_20", "20", "completed"]);
    // It is a result like the others: not run again.
    let before = tree(&folder.path().join("o"));
    let again = gaussflow(&["sweep", "s.toml", "--out", "o", "--resume"], folder.path());
    assert!(again.status.success(), "{again:?}");
    assert_same(&tree(&folder.path().join("o")), &before, "after a sweep with nothing to do");
}

#[test]
fn refusals_name_the_place_and_write_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    for (text, facts) in [
        ("dynamics.scaling = 8.0", &["s.toml", "[sweep]", "gaussflow run"][..]),
        ("[sweep]\n\"dynamics.sclaing\" = [1.0]", &["s.toml:2:1", "dynamics.scaling"]),
        ("[sweep]\nscaling = [1.0]", &["s.toml:2:1", "dynamics.scaling"]),
        ("[sweep]\nseedz = 2", &["s.toml:2:1", "seeds"]),
        ("[sweep]\n\"dynamics.scaling\" = 8.0", &["s.toml:2:22", "8.0", "a list"]),
        ("[sweep]\n\"dynamics.scaling\" = []", &["s.toml:2:22", "a list"]),
        ("[sweep]\n\"dynamics.scaling\" = [1.0, -2.0]", &["s.toml:2:28", "-2.0", "above 0"]),
        ("[sweep]\n\"dynamics.integrator\" = ['rk5']", &["s.toml:2:26", "rk5", "rk4"]),
        ("[sweep]\n\"dynamics.damping\" = [0.1]", &["s.toml:2:23", "levenberg-marquardt"]),
        ("[sweep]\nseeds = 0", &["s.toml:2:9", "from 1 to 1000000"]),
        ("[sweep]\nseeds = 1000000000000000000", &["s.toml:2:9", "from 1 to 1000000"]),
        ("[sweep]\nseeds = [1, -1]", &["s.toml:2:9", "-1"]),
        ("[sweep]\nseeds = 1000000\n'record.every' = [1, 2]", &["s.toml:1:1", "2000000"]),
        ("[sweep]\nseeds = [1, 1]", &["s.toml", "twice", "gauss-newton-alpha_8-seed_1"]),
        ("[sweep]\nseeds = 2\n'dynamics.seed' = [1]", &["s.toml:1:1", "sweep.seeds"]),
        ("[sweep]\ncases = 3", &["s.toml:2:9", "[[sweep.cases]]"]),
        ("[[sweep.cases]]\ndynamics.stepp = 0.1", &["s.toml:2:10", "dynamics.step"]),
        ("sweep = 3", &["s.toml:1:9", "[sweep]"]),
        (
            "[sweep]\n'record.every' = [2]\n[[sweep.cases]]\nrecord.every = 3",
            &["s.toml:4:16", "not by both"],
        ),
    ] {
        std::fs::write(path.join("s.toml"), text).unwrap();
        let (status, said) = refusal(&["sweep", "s.toml", "--out", "o"], path);
        assert_eq!(status, 2, "{text}: {said}");
        for fact in facts {
            assert!(said.contains(fact), "{text}: {fact:?} is not in {said}");
        }
        assert!(!path.join("o").exists(), "{text} left something behind");
    }
    std::fs::write(path.join("s.toml"), SMALL).unwrap();
    let (status, said) = refusal(&["run", "s.toml", "--out", "o"], path);
    assert!(
        status == 2 && said.contains("gaussflow sweep") && said.contains("s.toml:6:2"),
        "{said}"
    );
    let (status, said) = refusal(&["sweep", "s.toml", "--out", "o", "--jobs", "0"], path);
    assert!(status == 2 && said.contains("--jobs") && said.contains("at least 1"), "{said}");
    assert_eq!(refusal(&["sweep", "absent.toml", "--out", "o"], path).0, 3);
}

#[test]
fn a_folder_with_other_runs_is_refused() {
    let text =
        "data.samples = 20\nnetwork.hidden = 2\ndynamics.horizon = 0.05\n[sweep]\nseeds = 2\n";
    let folder = folder_with(text);
    let path = folder.path();
    assert!(gaussflow(&["sweep", "s.toml", "--out", "o"], path).status.success());
    let before = tree(&path.join("o"));
    let (status, said) = refusal(&["sweep", "s.toml", "--out", "o"], path);
    assert!(status == 2 && said.contains("2 runs") && said.contains("--resume"), "{said}");
    let changed = text.replace("0.05", "0.06");
    std::fs::write(path.join("s.toml"), &changed).unwrap();
    let (status, said) = refusal(&["sweep", "s.toml", "--out", "o", "--resume"], path);
    assert!(status == 2 && said.contains("gauss-newton-alpha_8-seed_0"), "{said}");
    std::fs::write(path.join("rows.csv"), "a,b\n1,2\n3,4\n5,7\n6,1\n").unwrap();
    let own = "data = { path = 'rows.csv', target = 'b', samples = 3 }\nnetwork.hidden = 1\n\
               dynamics.horizon = 0.05\n[sweep]\nseeds = [7]\n";
    std::fs::write(path.join("s.toml"), own).unwrap();
    let (status, said) = refusal(&["sweep", "s.toml", "--out", "o", "--resume"], path);
    assert!(
        status == 2 && said.contains("california-housing") && said.contains("rows.csv"),
        "{said}"
    );
    assert_same(&tree(&path.join("o")), &before, "after refusals");
    // More seeds go on with the runs that are there.
    std::fs::write(path.join("s.toml"), text.replace("seeds = 2", "seeds = 3")).unwrap();
    let output = gaussflow(&["sweep", "s.toml", "--out", "o", "--resume", "--json"], path);
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&answer["runs"], &answer["resumed"]), (&3.into(), &2.into()));
    std::fs::create_dir(path.join("mine")).unwrap();
    std::fs::write(path.join("mine/thesis.tex"), "irreplaceable").unwrap();
    assert_eq!(refusal(&["sweep", "s.toml", "--out", "mine"], path).0, 2);
    assert_eq!(std::fs::read_dir(path.join("mine")).unwrap().count(), 1);
}

/// Ctrl-C leaves whole runs, no temporary file, and the command that goes on.
#[cfg(unix)]
#[test]
fn an_interrupted_sweep_says_how_to_go_on() {
    let text = SMALL.replace("seeds = 4", "seeds = 2000");
    let folder = folder_with(&text);
    let path = folder.path();
    let child = Command::new(env!("CARGO_BIN_EXE_gaussflow"))
        .args(["sweep", "s.toml", "--out", "o"])
        .current_dir(path)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let out = path.join("o");
    while finished(&out) < 2 {
        std::thread::sleep(Duration::from_millis(2));
    }
    let signalled = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(signalled.success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("gaussflow sweep s.toml --out o --resume"), "{said}");
    assert!(said.contains(&format!("{} of 8000 runs", finished(&out))), "{said}");
    let names = std::fs::read_dir(path.join("o/runs")).unwrap();
    assert!(names.map(Result::unwrap).all(|name| !is_hidden(&name)), "something is unfinished");
}

/// Runs that are complete in an output folder.
fn finished(out: &Path) -> usize {
    let names = std::fs::read_dir(out.join("runs")).into_iter().flatten();
    // A name may vanish while the folder is read.
    names.flatten().filter(|name| !is_hidden(name)).count()
}

fn is_hidden(entry: &std::fs::DirEntry) -> bool {
    entry.file_name().to_string_lossy().starts_with('.')
}

#[cfg(unix)]
#[test]
fn one_folder_takes_one_sweep_at_a_time() {
    let folder = folder_with(SMALL);
    let path = folder.path();
    std::fs::create_dir(path.join("o")).unwrap();
    let held = std::fs::File::open(path.join("o")).unwrap();
    held.lock().unwrap();
    let (status, said) = refusal(&["sweep", "s.toml", "--out", "o"], path);
    assert!(status == 3 && said.contains("another sweep"), "{status} {said}");
}
