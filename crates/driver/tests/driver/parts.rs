//! `data.reading = "parts"`: the run of the file read whole, with what does not go with it refused by its key.

use std::fmt::Write as _;
use std::path::Path;

use gaussflow_driver::config::{Config, ConfigProblem};
use gaussflow_driver::run::{RunError, RunRequest, Start, WrittenRun, run_into};
use gaussflow_records::{Overwrite, TraceRow};

/// A file of 300 rows, four features apart in scale.
fn rows() -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rows.csv");
    let number = |e: usize| ((e * e + 3 * e) as f64 * 0.618_033_988_749_894_9).fract() - 0.5;
    let mut text = String::from("a,b,c,d,y\n");
    for j in 0..300 {
        let x: Vec<f64> = (0..4).map(|k| number(4 * j + k) * 1e3_f64.powf(k as f64)).collect();
        writeln!(text, "{},{},{},{},{}", x[0], x[1], x[2], x[3], x[0] * x[1].sin()).unwrap();
    }
    std::fs::write(&path, text).unwrap();
    let base = format!(
        "data.path = \"{}\"\ndata.target = \"y\"\nnetwork.hidden = 9\ndynamics.horizon = 0.3\n",
        path.display()
    );
    (folder, base)
}

fn run(text: &str, out: &Path) -> Result<WrittenRun, RunError> {
    let request = RunRequest { out, start: Start::LastCheckpoint, overwrite: Overwrite::No };
    run_into(Config::parse(text)?, request, |_| ())
}

/// The largest relative difference of the loss and of the smallest eigenvalue.
fn difference(a: &[TraceRow], b: &[TraceRow]) -> f64 {
    assert_eq!(a.len(), b.len());
    let apart = |x: f64, y: f64| (x - y).abs() / x.abs().max(y.abs());
    let rows = a.iter().zip(b).map(|(a, b)| {
        apart(a.loss, b.loss).max(apart(a.gram_min_eigenvalue, b.gram_min_eigenvalue))
    });
    rows.fold(0.0, f64::max)
}

#[test]
fn a_file_read_in_parts_gives_the_run_of_the_file_read_whole() {
    let (folder, base) = rows();
    let out = |name: &str| folder.path().join(name);
    let whole = run(&format!("{base}data.samples = 300\n"), &out("whole")).unwrap().record;
    // In file order, not in drawn order: the sums differ in their rounding, and nothing else.
    for block in [0, 64, 299] {
        let text = format!("{base}data.reading = \"parts\"\ndata.block_rows = {block}\n");
        let found = run(&text, &out(&format!("{block}"))).unwrap().record;
        let worst = difference(&whole.trace, &found.trace);
        assert!(worst < 1e-10, "blocks of {block}: {worst:e}");
        let all = found.problem.all_rows.as_ref().unwrap();
        assert_eq!((all.count, all.means.len(), found.problem.inputs.len()), (300, 4, 0));
        // The folder says enough to make the run again, from its own config.toml.
        let again = run(&found.config, &out(&format!("again-{block}"))).unwrap().record;
        assert_eq!(again.outcome.final_weights, found.outcome.final_weights);
    }
}

#[test]
fn a_run_in_parts_goes_on_from_its_checkpoint_with_the_same_bits() {
    let (folder, base) = rows();
    let base = format!(
        "{base}data.reading = \"parts\"\ndata.block_rows = 64\nrecord.checkpoint_every = 10\n"
    );
    let whole = run(&base, &folder.path().join("whole")).unwrap().record;
    // What a killed run leaves is its checkpoint: that of the first ten of thirty steps.
    let out = folder.path().join("killed");
    let path = out.join("checkpoints");
    std::fs::create_dir_all(&path).unwrap();
    let stopped = Config::parse(&base).unwrap();
    let part = gaussflow_driver::run::Part::only(&stopped).unwrap();
    let identity = part.identity().unwrap();
    let experiment = gaussflow_driver::run::Experiment::of_part(stopped, part).unwrap();
    let id = gaussflow_driver::run::Experiment::id(&experiment.config);
    let file =
        gaussflow_driver::run::CheckpointFile::new(&out, &id, &identity.sha256, Start::Fresh);
    let keeping = gaussflow_driver::run::Keeping::of(&experiment, Some(&file));
    let over = gaussflow_driver::run::Over::alone(&experiment);
    gaussflow_driver::run::execute_on(&over, &experiment, keeping).unwrap();
    assert!(file.path().exists());
    std::fs::write(
        out.join("manifest.json"),
        std::fs::read(folder.path().join("whole/manifest.json")).unwrap(),
    )
    .unwrap();
    let resumed = run(&base, &out).unwrap().record;
    assert_eq!(resumed.outcome, whole.outcome);
    assert!(resumed.trace == whole.trace);
}

#[test]
fn what_parts_do_not_go_with_is_refused_by_its_key() {
    let (folder, base) = rows();
    let parts = format!("{base}data.reading = \"parts\"\n");
    for (key, text) in [
        ("data.samples", format!("{parts}data.samples = 200\n")),
        ("dynamics.batch", format!("{parts}dynamics.batch = 20\n")),
        (
            "loss.weights",
            format!("{parts}loss = {{ name = \"weighted\", weights = [1.0, 2.0] }}\n"),
        ),
        ("data.block_rows", format!("{base}data.block_rows = 100\n")),
        ("data.name", "data.reading = \"parts\"\n".to_owned()),
    ] {
        let error = run(&text, &folder.path().join("out")).err().unwrap();
        let RunError::Config(error) = error else { panic!("{key}: {error}") };
        let found = match &error.problem {
            ConfigProblem::Value { key, .. } => key.as_str(),
            ConfigProblem::Conflict { key, .. } => key,
            other => panic!("{key}: {other:?}"),
        };
        assert_eq!(found, key, "{error}");
    }
}
