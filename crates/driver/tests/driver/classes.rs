//! Runs on classes, counts and several targets: every step against NumPy's, and data that are refused in words.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use gaussflow_data::{Dataset, digits, load_csv};
use gaussflow_driver::config::Config;
use gaussflow_driver::run::{self, Experiment, RunRecord};
use gaussflow_records::{Status, StopReason, TRACE_COLUMNS};
use serde::Deserialize;

use crate::common::gaussflow;

const ROWS: &str = include_str!("../golden/classes/rows.csv");

#[derive(Deserialize)]
struct Cases {
    case: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    targets: Vec<String>,
    config: String,
}

/// The features of the rows, and these targets.
fn data(targets: &[String]) -> Dataset {
    let lines: Vec<Vec<&str>> = ROWS.lines().map(|line| line.split(',').collect()).collect();
    let wanted = ["x", "y", "z"].into_iter().chain(targets.iter().map(String::as_str));
    let columns: Vec<usize> =
        wanted.map(|name| lines[0].iter().position(|found| *found == name).unwrap()).collect();
    let mut text = String::new();
    for line in &lines {
        let cells: Vec<&str> = columns.iter().map(|&k| line[k]).collect();
        writeln!(text, "{}", cells.join(",")).unwrap();
    }
    of_text(&text, targets)
}

fn of_text(text: &str, targets: &[impl AsRef<str>]) -> Dataset {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data.csv");
    std::fs::write(&path, text).unwrap();
    load_csv(&path, targets).unwrap()
}

fn execute(config: &str, data: &Dataset) -> Result<RunRecord, run::RunError> {
    run::execute(&Experiment::new(Config::parse(config).unwrap(), data)?)
}

#[test]
fn every_step_is_numpys() {
    let cases: Cases = toml::from_str(include_str!("../golden/classes/cases.toml")).unwrap();
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/classes");
    for Case { name, targets, config } in cases.case {
        let record = execute(&format!("data.samples = 30\n{config}"), &data(&targets)).unwrap();
        assert_eq!(record.outcome.status, Status::Completed, "{name}");
        let golden = std::fs::read_to_string(format!("{folder}/{name}.csv")).unwrap();
        let (header, lines) = golden.split_once('\n').unwrap();
        let columns: Vec<&str> = header.split(',').skip(1).collect();
        assert_eq!(lines.lines().count(), record.trace.len(), "{name}");
        for (line, row) in lines.lines().zip(&record.trace) {
            let cells: Vec<&str> = line.split(',').skip(1).collect();
            for (column, cell) in columns.iter().zip(cells) {
                let place = TRACE_COLUMNS.iter().position(|known| known == column).unwrap();
                let found = row.numbers()[place - 1];
                let Ok(expected) = cell.parse::<f64>() else {
                    assert!(cell.is_empty() && found.is_nan(), "{name} {column}");
                    continue;
                };
                // The gradient's parts carry eps times the condition of J.
                let allowed = 1e-9 * expected.abs() + 1e-13;
                let error = (found - expected).abs();
                assert!(error <= allowed, "{name} {column} {}: {found} {expected}", row.step);
            }
        }
    }
}

#[test]
fn a_separable_set_ends_by_name_without_a_nan() {
    let apart = data(&["apart".to_owned()]);
    let settings = "loss.name = 'logistic'\nnetwork = { hidden = 3, output = 'trained', bias = true }\n\
                    data.samples = 30\ndynamics.scaling = 1.0\ndynamics.step = 0.1\n\
                    dynamics.metric = 'loss-hessian'\n";
    let damped = "dynamics.preconditioner = 'levenberg-marquardt'\ndynamics.damping = 1e-3\n";
    for (rest, reason) in [
        (
            format!("{damped}dynamics.horizon = 40.0\nevents.stationary_fraction = 1e-2"),
            StopReason::Stationary,
        ),
        (format!("{damped}dynamics.horizon = 40.0"), StopReason::Horizon),
    ] {
        let record = execute(&format!("{settings}{rest}"), &apart).unwrap();
        assert_eq!(record.outcome.stop_reason, reason, "{:?}", record.outcome.error);
        assert!(record.trace.iter().all(|row| row.loss.is_finite() && row.deviation.is_finite()));
        let last = record.trace.last().unwrap();
        assert!(last.log_loss.unwrap() < 0.01 && last.accuracy == Some(1.0), "{last:?}");
        let classes = record.outcome.classes.unwrap();
        assert!((classes.drawn.accuracy() - 1.0).abs() < 1e-15 && classes.held_out.is_some());
        // The weights grow, as the loss's infimum is attained nowhere.
        let early = record.trace[record.trace.len() / 2].deviation;
        assert!(last.deviation > 1.01 * early || reason == StopReason::Stationary);
    }
    // Without damping the flow goes on until the Hessian of the loss has vanished: some end, with a name.
    let record = execute(&format!("{settings}dynamics.horizon = 60.0"), &apart).unwrap();
    assert_ne!(record.outcome.status, Status::Failed, "{:?}", record.outcome.error);
}

#[test]
fn few_rows_and_many_classes_are_fine() {
    let digits = digits().unwrap();
    let config = "data = { samples = 4, standardize = 'none' }\nloss.name = 'softmax'\n\
                  network = { hidden = 3, output = 'trained' }\n\
                  dynamics = { preconditioner = 'levenberg-marquardt', damping = 0.1, scaling = 1.0, \
                  metric = 'loss-hessian', step = 0.2, horizon = 4.0 }\n[record]\nheld_out_every = 20";
    let record = execute(config, &digits).unwrap();
    let last = record.trace.last().unwrap();
    assert!(last.log_loss.unwrap() < 0.1 && last.accuracy == Some(1.0), "{last:?}");
    assert!(last.held_out_accuracy.unwrap() < 0.6 && last.held_out_loss.unwrap() > 1.0);
    assert_eq!(
        (record.problem.outputs, record.problem.output_signs.shape()),
        (Some(10), vec![10, 3])
    );
    let counts = record.outcome.classes.unwrap().held_out.unwrap().counts;
    assert_eq!(counts.iter().flatten().sum::<u64>(), 1793);
    // Fewer units than classes, with every column of the geometry; in the metric of the loss these are empty.
    let three = data(&["class".to_owned()]);
    let narrow = "data = { samples = 30, standardize = 'none' }\nloss.name = 'softmax'\nnetwork = { hidden = 2, output = \
                  'trained' }\ndynamics = { preconditioner = 'levenberg-marquardt', damping = 0.1, horizon = 0.1";
    let columns = |record: &RunRecord| {
        let row = record.trace[0];
        (row.riemannian_hessian_min.is_some(), row.curvature_bound.is_some())
    };
    let euclidean = execute(&format!("{narrow} }}"), &three).unwrap();
    assert_eq!(columns(&euclidean), (true, true));
    let other = execute(&format!("{narrow}, metric = 'loss-hessian' }}"), &three).unwrap();
    assert_eq!(columns(&other), (false, false));
    assert_eq!(other.outcome.counters["fallback_no_riemannian_hessian"], 0);
    // Each label of its own, as one column a class.
    let text = "x,p,q\n1,1,0\n2,0.25,0.75\n3,0,1\n";
    let shares = of_text(text, &["p", "q"]);
    let config = config.replace("samples = 4", "samples = 2");
    let record = execute(&config, &shares).unwrap();
    assert_eq!(record.problem.targets.shape(), [2, 2]);
    assert!(record.outcome.final_loss.is_finite());
}

#[test]
fn what_is_no_class_is_refused_in_words() {
    let text_of = |column: &str| format!("x,y\n0.1,{column}");
    let rows = |values: [&str; 3]| of_text(&text_of(&values.join("\n0.2,")), &["y"]);
    let refused: BTreeMap<&str, _> = BTreeMap::from([
        ("softmax", rows(["0", "1.5", "2"])),
        ("logistic", rows(["0", "1", "2"])),
        ("poisson", rows(["3", "-1", "2"])),
    ]);
    for (loss, data) in &refused {
        let config =
            format!("data = {{ samples = 3, standardize = 'none' }}\nloss.name = '{loss}'");
        let text = execute(&config, data).map(|_| ()).unwrap_err().to_string();
        let named = match *loss {
            "softmax" => ["\"y\"", "row 1", "1.5", "whole"],
            "logistic" => ["target", "is 2", "0, 1", "[loss]"],
            _ => ["target", "is -1", "at least 0", "[loss]"],
        };
        assert!(named.iter().all(|part| text.contains(part)), "{text}");
    }
    let config = "data = { samples = 3, standardize = 'none' }\nloss.name = 'softmax'";
    let one = execute(config, &rows(["0", "0", "0"])).map(|_| ()).unwrap_err().to_string();
    assert!(one.contains("two classes or more"), "{one}");
    // All of one class is fine for two classes: the loss goes to 0.
    let config =
        "data = { samples = 3, standardize = 'none' }\nloss.name = 'logistic'\nnetwork.hidden = 2";
    assert!(execute(config, &rows(["1", "1", "1"])).unwrap().outcome.final_loss < 1.0);
    for (text, named) in [
        ("loss.name = 'softmax'\ndata.targets = 'standardized'", "write \"raw\""),
        ("dynamics = { preconditioner = 'gradient', metric = 'loss-hessian' }", "no metric"),
        ("dynamics = { integrator = 'stiff', metric = 'loss-hessian' }", "\"adaptive\""),
        ("dynamics.metric = 'loss'", "\"euclidean\", \"loss-hessian\""),
        ("loss = { name = 'huber', scale = 0.0 }", "above 0"),
        ("loss = { name = 'logistic', scale = 1.0 }", "only \"huber\""),
        ("data = { path = 'a.csv', target = [] }", "a list of names"),
    ] {
        let error = Config::parse(text).unwrap_err().to_string();
        assert!(error.contains(named), "{error}");
    }
}

#[test]
fn a_sweep_tells_the_accuracies() {
    let folder = tempfile::tempdir().unwrap();
    let sweep = "data = { name = 'breast-cancer', samples = 60 }\nloss.name = 'logistic'\nnetwork.hidden = 2\n\
                 dynamics = { preconditioner = 'levenberg-marquardt', damping = 0.1, scaling = 1.0, step = 0.1, horizon = 0.5, \
                 batch = 20, integrator = 'discrete' }\n[sweep]\nseeds = 1\n\"dynamics.momentum\" = [0.0, 0.5]\n\
                 \"dynamics.metric\" = ['loss-hessian']\n";
    std::fs::write(folder.path().join("s.toml"), sweep).unwrap();
    let output = gaussflow(&["sweep", "s.toml", "--out", "o"], folder.path());
    assert!(output.status.success(), "{output:?}");
    let table = std::fs::read_to_string(folder.path().join("o/summary.csv")).unwrap();
    let (header, lines) = table.split_once('\n').unwrap();
    assert!(header.ends_with("final_accuracy,final_held_out_accuracy"), "{header}");
    for (line, name) in lines.lines().zip(["batch_20-alpha", "batch_20-momentum_0.5-alpha"]) {
        let method = "levenberg-marquardt-loss-hessian-discrete-rho_0.1-";
        assert!(line.starts_with(&format!("{method}{name}_1-seed_0,")), "{line}");
        let shares: Vec<f64> = line.rsplit(',').take(2).map(|cell| cell.parse().unwrap()).collect();
        assert!(shares.iter().all(|share| (0.5..=1.0).contains(share)), "{line}");
    }
    // The report's table of methods and its section of classes.
    assert!(gaussflow(&["report", "o"], folder.path()).status.success());
    let page = std::fs::read_to_string(folder.path().join("o/report.html")).unwrap();
    for words in [
        "Levenberg-Marquardt in the metric of the loss, discrete, batches of 20",
        "<section id=\"classes\">",
    ] {
        assert!(page.contains(words), "{words}");
    }
}
