//! What a sweep says of all its runs: summary.csv, bands.csv, the Python example, and comparisons.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use crate::common::{gaussflow, refusal};

const SWEEP: &str = "data.samples = 40\nnetwork.hidden = 3\ndynamics.horizon = 0.2\n\
                     record = { every = 2, held_out_every = 10, hessian_every = 0 }\n\
                     events.ball_radius = 0.05\n[sweep]\nseeds = 4\n\
                     'dynamics.scaling' = [4.0, 16.0]\n'data.samples' = [40, 30000]\n";

fn swept() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("s.toml"), SWEEP).unwrap();
    let output = gaussflow(&["sweep", "s.toml", "--out", "o", "--quiet"], folder.path());
    assert!(output.status.success(), "{output:?}");
    folder
}

/// A table as one map from column to cell a row.
fn table(path: &Path) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_path(path).unwrap();
    reader.deserialize().map(Result::unwrap).collect()
}

fn number(row: &BTreeMap<String, String>, column: &str) -> f64 {
    row[column].parse().unwrap_or_else(|_| panic!("{column} of {row:?}"))
}

/// The median by its definition for an even or odd number of values.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let half = values.len() / 2;
    if values.len() % 2 == 1 { values[half] } else { f64::midpoint(values[half - 1], values[half]) }
}

#[test]
#[allow(clippy::float_cmp, reason = "files hold the same numbers to the last bit")]
fn summary_and_bands_hold_what_the_runs_hold() {
    let folder = swept();
    let root = folder.path().join("o");
    let summary = table(&root.join("summary.csv"));
    assert_eq!(summary.len(), 16);
    let mut losses: BTreeMap<(String, String), Vec<f64>> = BTreeMap::new();
    for row in &summary {
        let run = root.join(&row["path"]);
        let outcome: serde_json::Value =
            serde_json::from_slice(&std::fs::read(run.join("outcome.json")).unwrap()).unwrap();
        assert_eq!(outcome["status"], row["status"]);
        if row["status"] == "failed" {
            assert!(row["final_loss"].is_empty() && row["error"].contains("30000"), "{row:?}");
            continue;
        }
        let trace = table(&run.join("trace.csv"));
        assert_eq!(number(row, "final_loss"), outcome["final_loss"].as_f64().unwrap());
        assert_eq!(outcome["exit_time"].as_f64(), row["exit_time"].parse().ok());
        assert_eq!(number(row, "rows"), trace.len() as f64);
        assert_eq!(row["initial_loss"], trace[0]["loss"]);
        assert_eq!(row["final_deviation"], trace[trace.len() - 1]["deviation"]);
        assert_eq!(row["final_held_out_loss"], trace[trace.len() - 1]["held_out_loss"]);
        let least =
            trace.iter().map(|row| number(row, "gram_min_eigenvalue")).fold(f64::MAX, f64::min);
        assert_eq!(number(row, "smallest_gram_min_eigenvalue"), least);
        assert_eq!(
            row["id"],
            format!("{}-samples_40", row["id"].strip_suffix("-samples_40").unwrap())
        );
        for step in trace {
            let key = (row["group"].clone(), step["step"].clone());
            losses.entry(key).or_default().push(number(&step, "loss"));
        }
    }
    let bands = table(&root.join("bands.csv"));
    assert_eq!(bands.len(), losses.len());
    assert_eq!(bands.len(), 2 * 11);
    for row in bands {
        let values = &losses[&(row["group"].clone(), row["step"].clone())];
        assert_eq!((row["runs"].as_str(), values.len()), ("4", 4));
        let near = |column: &str, value: f64| {
            let found = number(&row, column);
            assert!(
                (found - value).abs() <= 4.0 * f64::EPSILON * value,
                "{column}: {found} {value}"
            );
        };
        near("loss_median", median(values.clone()));
        near("loss_min", values.iter().copied().fold(f64::MAX, f64::min));
        near("loss_max", values.iter().copied().fold(0.0, f64::max));
        // Of 4 values the tenth lies three tenths of the way from the least to the next.
        let mut sorted = values.clone();
        sorted.sort_by(f64::total_cmp);
        near("loss_q10", sorted[0] + 0.3 * (sorted[1] - sorted[0]));
        let has_held_out = row["step"].parse::<u64>().unwrap().is_multiple_of(10);
        assert_eq!(!row["held_out_loss_median"].is_empty(), has_held_out);
    }
}

/// Skipped with a notice where there is no Python; pandas and polars are used where they are.
#[test]
fn the_python_example_finds_the_same_medians() {
    if Command::new("python3").arg("--version").output().is_err() {
        eprintln!("SKIPPED: python3 is not installed");
        return;
    }
    let folder = swept();
    let root = folder.path().join("o");
    let mut losses: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for row in table(&root.join("summary.csv")).iter().filter(|row| row["status"] != "failed") {
        losses.entry(row["group"].clone()).or_default().push(number(row, "final_loss"));
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("python/load_sweep.py");
    for reader in ["csv", "pandas", "polars"] {
        let found = format!("import {reader}");
        if !Command::new("python3").args(["-c", &found]).output().unwrap().status.success() {
            eprintln!("SKIPPED: {reader} is not installed");
            continue;
        }
        let mut python = Command::new("python3");
        python.arg(&script).arg(&root).args(["--with", reader]);
        let output = python.output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let answer: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(answer["runs"], 16, "{reader}");
        assert_eq!(answer["band_rows"], 22, "{reader}");
        assert_eq!(answer["first_trace_rows"], 11, "{reader}");
        let groups = answer["median_final_loss"].as_object().unwrap();
        assert_eq!(groups.len(), losses.len());
        for (group, values) in &losses {
            assert_eq!(groups[group][0], values.len());
            let (found, expected) = (groups[group][1].as_f64().unwrap(), median(values.clone()));
            assert!((found / expected - 1.0).abs() < 1e-15, "{reader}: {found} {expected}");
        }
    }
}

#[test]
fn comparisons_tell_what_differs_and_where() {
    let folder = swept();
    let path = folder.path();
    let text = SWEEP.replace("horizon = 0.2", "horizon = 0.2\ndynamics.solver = 'thin-svd'");
    std::fs::write(path.join("svd.toml"), text.replace("seeds = 4", "seeds = 3")).unwrap();
    assert!(gaussflow(&["sweep", "svd.toml", "--out", "svd", "--quiet"], path).status.success());

    let same = gaussflow(&["compare", "o", "o"], path);
    let said = String::from_utf8(same.stdout).unwrap();
    assert!(said.contains("16 of 16 runs are bitwise equal."), "{said}");

    let said = gaussflow(&["compare", "o", "svd"], path);
    let said = String::from_utf8(said.stdout).unwrap();
    for fact in [
        "only in a: 4 runs",
        "The configurations differ in dynamics.solver (\"auto\" against \"thin-svd\").",
        " of 12 runs are bitwise equal.",
        "a ends at the lower loss in ",
    ] {
        assert!(said.contains(fact), "{fact} is not in {said}");
    }
    assert!(said.lines().all(|line| line.chars().count() <= 140), "a long line in {said}");
    let output = gaussflow(&["compare", "o", "svd", "--json"], path);
    assert!(output.status.success(), "a difference is a result");
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answer["runs"].as_array().unwrap().len(), 12);
    assert_eq!(
        (answer["only_a"].as_array().unwrap().len(), &answer["only_b"]),
        (4, &serde_json::json!([]))
    );
    for run in answer["runs"].as_array().unwrap() {
        if run["a"]["status"] == "failed" {
            continue;
        }
        assert!(run["counters"]["factorizations_svd"][1].as_u64() > Some(0), "{run}");
        let columns = run["columns"].as_array().unwrap();
        let loss = columns.iter().find(|found| found["column"] == "loss").unwrap();
        assert!(loss["worst"].as_f64().unwrap() < 1e-9, "{loss}");
        assert_eq!(run["common_steps"], 11);
    }

    // Two single runs, the second recorded at other steps and with another end.
    let id = "gauss-newton-alpha_4-seed_0-samples_40";
    let config = std::fs::read_to_string(path.join(format!("o/runs/{id}/config.toml"))).unwrap();
    let other =
        config.replace("every = 2\n", "every = 4\n").replace("scaling = 4.0", "scaling = 8.0");
    std::fs::write(path.join("one.toml"), other).unwrap();
    assert!(gaussflow(&["run", "one.toml", "--out", "one"], path).status.success());
    let (a, b) = (format!("o/runs/{id}"), "one/runs/gauss-newton-alpha_8-seed_0");
    let output = gaussflow(&["compare", &a, b], path);
    let said = String::from_utf8(output.stdout).unwrap();
    for fact in [
        "6 steps in common",
        "final_loss",
        "left-ball",
        "riemannian_gradient_norm",
        id,
        "The configurations differ in dynamics.scaling (4.0 against 8.0), record.every (2 against 4).",
        " ends at the lower loss: ",
        "Over the 6 steps that both recorded, they are apart most in ",
    ] {
        assert!(said.contains(fact), "{fact} is not in {said}");
    }
    let losses = [&a, b].map(|run| {
        let text = std::fs::read(path.join(run).join("outcome.json")).unwrap();
        let outcome: serde_json::Value = serde_json::from_slice(&text).unwrap();
        outcome["final_loss"].as_f64().unwrap()
    });
    let lower = if losses[0] < losses[1] { "\na ends" } else { "\nb ends" };
    assert!(said.contains(lower), "{losses:?}: {said}");
    let same = gaussflow(&["compare", b, b], path);
    let said = String::from_utf8(same.stdout).unwrap();
    assert!(
        said.ends_with(
            "\na and b are bitwise equal: outcome, counters and all 6 recorded steps.\n"
        ),
        "{said}"
    );
    let traces = [a.as_str(), b].map(|run| table(&path.join(run).join("trace.csv")));
    let [x, y] = [(&traces[0][2]), (&traces[1][1])].map(|row| number(row, "loss"));
    assert_eq!((&traces[0][2]["step"], &traces[1][1]["step"]), (&"4".to_owned(), &"4".to_owned()));
    let json = gaussflow(&["compare", &a, b, "--json"], path).stdout;
    let answer: serde_json::Value = serde_json::from_slice(&json).unwrap();
    let loss = &answer["runs"][0]["columns"][1];
    assert!(loss["worst"].as_f64().unwrap() >= (x - y).abs() / x.max(y) * (1.0 - 1e-15), "{loss}");
}

#[test]
fn folders_that_cannot_be_compared_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    std::fs::create_dir_all(path.join("empty")).unwrap();
    let manifest = |runs: &str| {
        format!(
            r#"{{"schema":1,"version":"0","commit":null,"seed":0,
                "data":{{"name":"x","rows":1,"sha256":"0"}},"runs":[{runs}],"figures":[]}}"#
        )
    };
    for (name, runs) in [
        ("none", ""),
        ("out", r#"{"id":"a","path":"../empty"}"#),
        ("root", r#"{"id":"a","path":"/etc"}"#),
        ("gone", r#"{"id":"a","path":"runs/a"}"#),
    ] {
        std::fs::create_dir(path.join(name)).unwrap();
        std::fs::write(path.join(name).join("manifest.json"), manifest(runs)).unwrap();
    }
    for (arguments, expected, facts) in [
        (["empty", "none"], 2, ["empty", "manifest.json"]),
        (["absent", "none"], 2, ["absent", "outcome.json"]),
        (["none", "none"], 2, ["none", "no run"]),
        (["out", "none"], 2, ["../empty", "inside"]),
        (["root", "none"], 2, ["/etc", "inside"]),
        (["gone", "none"], 3, ["gone", "cannot read"]),
    ] {
        let (status, said) = refusal(&["compare", arguments[0], arguments[1]], path);
        assert_eq!(status, expected, "{arguments:?}: {said}");
        for fact in facts {
            assert!(said.contains(fact), "{arguments:?}: {fact:?} is not in {said}");
        }
    }
}
