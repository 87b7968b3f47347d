//! `gaussflow fit`: problem files, families against planted parameters, files, and complaints with a line.

use std::path::{Path, PathBuf};

use gaussflow_driver::fit::{FitRecord, FittingError, ProblemError, fit};

/// A folder with `data.csv` (x, y by `curve` on 40 points from 0.1 to 4) and problem.toml.
fn folder(curve: impl Fn(f64) -> f64, problem: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let rows = (1..=40).map(|k| 0.1 * f64::from(k)).map(|x| format!("{x:?},{:?}\n", curve(x)));
    std::fs::write(folder.path().join("data.csv"), format!("x,y\n{}", rows.collect::<String>()))
        .unwrap();
    let head = "[data]\npath = \"data.csv\"\nresponse = \"y\"\n";
    std::fs::write(folder.path().join("problem.toml"), format!("{head}{problem}")).unwrap();
    folder
}

fn run(folder: &Path) -> Result<FitRecord, FittingError> {
    fit(&folder.join("problem.toml"), None, |_| ())
}

/// Fits and compares with the planted parameters, in the record's order of names.
fn recovers(curve: impl Fn(f64) -> f64, problem: &str, planted: &[(&str, f64)]) {
    let folder = folder(curve, problem);
    let record = run(folder.path()).unwrap();
    assert!(record.converged, "{record:?}");
    for (name, value) in planted {
        let place = record.names.iter().position(|known| known == name).unwrap();
        let found = record.parameters[place];
        assert!((found / value - 1.0).abs() < 1e-6, "{name}: {found}, planted {value}");
    }
}

#[test]
fn expressions_and_families_recover_planted_parameters() {
    recovers(
        |x| 3.0 * (-0.7 * x).exp() + 0.2,
        "[model]\nexpression = \"a * exp(-b * x) + c\"\n[parameters]\na = 1.0\nb = 1.0\nc = 0.0\n",
        &[("a", 3.0), ("b", 0.7), ("c", 0.2)],
    );
    recovers(
        |x| 3.0 * (-0.7 * x).exp() + 2.0 * (-5.0 * x).exp(),
        "[model]\nfamily = \"exponentials\"\nterms = 2\n[parameters]\nheight1 = 2.0\nrate1 = 0.5\n\
         height2 = 1.0\nrate2 = 3.0\n",
        &[("rate1", 0.7), ("rate2", 5.0)],
    );
    recovers(
        |x| (1.0 + 2.0 * x) / (1.0 + 0.5 * x),
        "[model]\nfamily = \"rational\"\n[parameters]\na0 = 0.5\na1 = 1.0\nb1 = 0.1\n",
        &[("a0", 1.0), ("a1", 2.0), ("b1", 0.5)],
    );
    recovers(
        |x| 1.0 + 4.0 / (1.0 + (-3.0 * (x - 2.0)).exp()),
        "[model]\nfamily = \"logistic\"\n[parameters]\nbottom = 0.5\ntop = 4.0\nrate = 1.0\nmiddle = 1.5\n",
        &[("bottom", 1.0), ("top", 5.0), ("rate", 3.0), ("middle", 2.0)],
    );
    recovers(
        |x| 2.5 * x.powf(1.7) + 1.0,
        "[model]\nfamily = \"power\"\noffset = \"free\"\n[parameters]\nfactor = 1.0\nexponent = 1.0\n\
         offset = 0.0\n",
        &[("factor", 2.5), ("exponent", 1.7), ("offset", 1.0)],
    );
}

#[test]
fn the_folder_holds_record_and_pictures() {
    let problem =
        "[model]\nexpression = \"a * x\"\n[parameters]\na = { start = 1.0, upper = 1.5 }\n";
    let folder = folder(|x| 2.0 * x, problem);
    let record = run(folder.path()).unwrap();
    assert_eq!((record.parameters[0], record.at_bound[0].as_deref()), (1.5, Some("upper")));
    let out = folder.path().join("problem-fit");
    for file in ["fit.json", "fit.svg", "fit.png", "residuals.svg", "residuals.png"] {
        assert!(out.join(file).metadata().unwrap().len() > 500, "{file}");
    }
    let text = std::fs::read_to_string(out.join("fit.json")).unwrap();
    let read: FitRecord = serde_json::from_str(&text).unwrap();
    assert_eq!((read.schema, read.parameters), (1, vec![1.5]));
}

#[test]
fn the_network_fits_a_curve_and_reports_held_out_rows() {
    let problem = "holdout = 0.25\n[model]\nfamily = \"network\"\nhidden = 6\n";
    let folder = folder(|x| (2.0 * x).sin(), problem);
    let record = run(folder.path()).unwrap();
    assert!(record.fitted_error < 0.05 && record.held_out_error < 0.2, "{}", record.held_out_error);
}

#[test]
fn complaints_name_key_and_line() {
    let complain = |problem: &str| -> (String, ProblemError) {
        let folder = folder(|x| x, problem);
        match run(folder.path()) {
            Err(FittingError::Problem(error)) => (error.to_string(), error),
            other => panic!("{other:?}"),
        }
    };
    let (text, error) = complain("[model]\nexpression = \"a * z\"\n[parameters]\na = 1.0\n");
    assert!(matches!(error, ProblemError::Expression { line: 5, .. }), "{text}");
    assert!(text.contains("character 5: unknown name z"), "{text}");
    let (text, _) = complain("[model]\nexpresion = \"a\"\n");
    assert!(text.contains("line 5") && text.contains("expresion"), "{text}");
    let (text, error) =
        complain("[model]\nexpression = \"a * x\"\n[parameters]\na = 1.0\n[fit]\nloss = \"l1\"\n");
    assert!(matches!(error, ProblemError::Value { line: 9, .. }), "{text}");
    let (text, error) = complain("[model]\nfamily = \"power\"\n[parameters]\nfactor = 1.0\n");
    assert!(matches!(error, ProblemError::Missing { .. }) && text.contains("exponent"), "{text}");
}

#[test]
fn the_committed_example_converges() {
    let problem = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("examples/decay.toml");
    let out = tempfile::tempdir().unwrap();
    let record = fit(&problem, Some(out.path()), |_| ()).unwrap();
    assert!(record.converged && record.rank == 3);
}
