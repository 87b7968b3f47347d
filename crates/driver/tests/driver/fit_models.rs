//! Models that `gaussflow fit` once refused or read wrongly, their right values, and sizes that no machine has.
#![allow(
    clippy::float_cmp,
    clippy::cast_possible_truncation,
    reason = "exact values and small draws are meant"
)]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use gaussflow_driver::fit::{FitRecord, fit};

/// A folder with `data.csv` and problem.toml, whose `[data]` names it and the response y.
fn folder(csv: &str, problem: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("data.csv"), csv).unwrap();
    let head = "[data]\npath = \"data.csv\"\nresponse = \"y\"\n";
    std::fs::write(folder.path().join("problem.toml"), format!("{head}{problem}")).unwrap();
    folder
}

/// Fits without pictures.
fn record(csv: &str, problem: &str) -> FitRecord {
    let folder = folder(csv, &format!("{problem}\n[output]\npictures = false\n"));
    fit(&folder.path().join("problem.toml"), None, |_| ()).unwrap()
}

/// `gaussflow fit` on a folder.
fn command(folder: &Path, options: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gaussflow"));
    command.arg("fit").args(options).arg(folder.join("problem.toml")).output().unwrap()
}

/// Asserts exit status 2 and that the message holds every one of `facts`.
fn refuses(csv: &str, problem: &str, facts: &[&str]) {
    let folder = folder(csv, problem);
    let begun = Instant::now();
    let output = command(folder.path(), &[]);
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{problem}: {text}");
    for fact in facts {
        assert!(text.contains(fact), "{problem}: no {fact:?} in {text}");
    }
    assert!(begun.elapsed() < Duration::from_secs(30));
}

/// Ten rows of x, y and weights.
fn rows(header: &str, row: impl Fn(f64) -> String) -> String {
    let rows = (0..10).map(|j| row(f64::from(j)) + "\n");
    format!("{header}\n{}", rows.collect::<String>())
}

/// Curves with a row at x = 0, where `x^c ln x` is 0 times an infinity: loss, parameters and deviations are those
/// that SciPy 1.17.1's four methods agree on.
#[test]
fn powers_with_a_row_at_zero_are_fitted() {
    // Loss, then name, value, deviation.
    type Case = (&'static str, f64, &'static [(&'static str, f64, f64)]);
    let data = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/fit");
    let cases: [Case; 3] = [
        (
            "power_zero_row_1",
            38.881_033_898_3,
            &[("a", 18.0632, 1.0684), ("b", -0.228_303, 0.035_708), ("c", 0.312_544, 0.038_133)],
        ),
        (
            "power_zero_row_2",
            0.182_441_558_176,
            &[
                ("bottom", 1.186_27, 0.0998),
                ("top", 99.6203, 0.1643),
                ("ec50", 1.908_71, 0.012_32),
                ("n", 1.095_81, 0.007_05),
            ],
        ),
        (
            "power_zero_row_4",
            0.077_613_741_707_7,
            &[("a", 2.964_99, 0.030_13), ("b", 2.1969, 0.027_46), ("c", 1.3051, 0.014_04)],
        ),
    ];
    for (name, loss, parameters) in cases {
        let out = tempfile::tempdir().unwrap();
        let record = fit(&data.join(name).join("problem.toml"), Some(out.path()), |_| ()).unwrap();
        assert!(
            record.converged && (record.loss / loss - 1.0).abs() < 1e-9,
            "{name}: {}",
            record.loss
        );
        for (parameter, value, deviation) in parameters {
            let k = record.names.iter().position(|known| known == parameter).unwrap();
            let found = (record.parameters[k], record.standard_deviations[k]);
            assert!((found.0 / value - 1.0).abs() < 1e-4, "{name}: {parameter} {found:?}");
            assert!((found.1 / deviation - 1.0).abs() < 1e-3, "{name}: {parameter} {found:?}");
        }
    }
}

/// The Hill curve as a 4PL, Freundlich and the family "power" over planted data that begin at 0.
#[test]
fn other_powers_with_a_row_at_zero_are_fitted() {
    let planted = |curve: fn(f64) -> f64, model: &str, right: &[f64]| {
        let csv = rows("x,y", |x| format!("{x},{:?}", curve(x)));
        let record = record(&csv, model);
        assert!(record.converged, "{model}: {record:?}");
        for (found, right) in record.parameters.iter().zip(right) {
            assert!((found / right - 1.0).abs() < 1e-6, "{model}: {found}, {right}");
        }
    };
    planted(
        |x| 1.0 + 4.0 / (1.0 + (x / 3.0).powf(1.6)),
        "[model]\nexpression = \"d + (a - d)/(1 + (x/c)**b)\"\n[parameters]\na = 4\nb = 1\nc = 2\nd = 0.5",
        &[5.0, 1.6, 3.0, 1.0],
    );
    planted(
        |x| 2.0 * x.powf(1.0 / 2.5),
        "[model]\nexpression = \"k * x^(1/n)\"\n[parameters]\nk = 1\nn = 1.5",
        &[2.0, 2.5],
    );
    planted(
        |x| 2.0 * x.powf(0.7),
        "[model]\nfamily = \"power\"\n[parameters]\nfactor = 1\nexponent = 1",
        &[2.0, 0.7],
    );
    planted(
        |x| 3.0 * (-(x / 2.0).powf(0.8)).exp(),
        "[model]\nexpression = \"a * exp(-(x/tau)^b)\"\n[parameters]\na = 1\nb = 1\ntau = 1",
        &[3.0, 0.8, 2.0],
    );
}

#[test]
fn cube_roots_and_towers_of_powers_have_their_values() {
    let csv = "x,y\n1,3.1\n8,5.0\n27,7.1\n64,9.0\n";
    let by = |term: &str| {
        let model = format!("[model]\nexpression = \"a * {term} + b\"\n[parameters]\na = 1\nb = 1");
        record(csv, &model)
    };
    let (root, power) = (by("cbrt(x)"), by("x^(1/3)"));
    // The line through 1, 2, 3, 4 by hand: slope 19.8 / 10, mean 6.05.
    for (found, right) in
        [&root, &power].into_iter().flat_map(|r| r.parameters.iter().zip([1.98, 1.1]))
    {
        assert!((found - right).abs() < 1e-12, "{found}, {right}");
    }
    let csv = "x,y\n1.7,512\n1.7,512\n";
    let model = "[model]\nexpression = \"a * 2^3^2 + 0*x\"\n[parameters]\na = 0.5";
    assert!((record(csv, model).parameters[0] - 1.0).abs() < 1e-14);
}

#[test]
fn names_that_are_taken_are_refused_by_both_names() {
    let csv = rows("x,y,w", |x| format!("{x},{},1", 2.0 * x));
    let model =
        |name: &str| format!("[model]\nexpression = \"a*x\"\n[parameters]\na = 1\n{name} = 2");
    refuses(&csv, &model("x"), &["line 8", "parameter x", "column x"]);
    refuses(&csv, &model("y"), &["line 8", "parameter y", "response y"]);
    let weighted = |name: &str| format!("weights = \"w\"\n{}", model(name));
    refuses(&csv, &weighted("w"), &["line 9", "parameter w", "column of weights w"]);
    let uses = |text: &str| {
        format!("weights = \"w\"\n[model]\nexpression = \"{text}\"\n[parameters]\na = 1")
    };
    refuses(&csv, &uses("a*y"), &["character 3", "y is the response"]);
    refuses(&csv, &uses("a*w"), &["character 3", "w is the column of weights"]);
}

#[test]
fn sizes_that_no_machine_has_are_refused_before_memory_is_asked_for() {
    let csv = rows("x,y", |x| format!("{x},{}", 2.0 * x));
    for size in ["1000000000", "9223372036854775807"] {
        let family = |family: &str, key: &str| {
            let problem =
                format!("[model]\nfamily = \"{family}\"\n{key} = {size}\n[parameters]\na0 = 1");
            let place = format!("line 6: [model] {key} = {size}");
            refuses(&csv, &problem, &[&place, "bytes", "4294967296"]);
        };
        family("exponentials", "terms");
        family("rational", "numerator");
        family("rational", "denominator");
        family("network", "hidden");
    }
    for units in ["1000000", "1000000000", "4611686018427387904"] {
        let problem = format!("[model]\nfamily = \"network\"\nhidden = {units}");
        refuses(&csv, &problem, &[&format!("line 6: [model] hidden = {units}"), "4294967296"]);
    }
    let none = |model: &str| format!("[model]\n{model} = 0\n");
    refuses(&csv, &none("family = \"exponentials\"\nterms"), &["line 6", "terms", "1 or more"]);
    refuses(&csv, &none("family = \"network\"\nhidden"), &["line 6", "hidden", "1 or more"]);
    // The limit is the file's to set.
    let small =
        "[model]\nfamily = \"network\"\nhidden = 200\n[fit]\nmemory_limit = 1\nmax_iterations = 2";
    refuses(&csv, small, &["[model] hidden = 200", "1048576 bytes (1 MiB"]);
    let one =
        "[model]\nfamily = \"network\"\nhidden = 3\n[fit]\nmemory_limit = 1\nmax_iterations = 2";
    assert_eq!(record(&csv, one).parameters.len(), 6);
}

/// Exact second derivatives of an expression and of the network lead where the others do; a wrong word is refused.
#[test]
fn acceleration_may_be_exact() {
    let decay = |x: f64| 3.0 * (-0.7 * x).exp() + 0.5;
    let rows: Vec<String> =
        (0..20).map(|j| 0.3 * f64::from(j)).map(|x| format!("{x},{}", decay(x))).collect();
    let csv = format!("x,y\n{}\n", rows.join("\n"));
    let curve = "[model]\nexpression = \"a*exp(-b*x) + c\"\n[parameters]\na = 30\nb = 5\nc = -9\n";
    let network = "[model]\nfamily = \"network\"\nhidden = 2\n";
    for model in [curve, network] {
        let with = |how: &str| record(&csv, &format!("{model}[fit]\nacceleration = \"{how}\"\n"));
        let [none, exact, geodesic] = ["none", "exact", "geodesic"].map(with);
        assert!(exact.second_derivatives > 0 && none.second_derivatives == 0, "{model}");
        assert!(geodesic.second_derivatives == 0, "{model}");
        if model == curve {
            let right =
                exact.parameters.iter().zip([3.0, 0.7, 0.5]).all(|(a, b)| (a - b).abs() < 1e-9);
            assert!(right, "{:?}", exact.parameters);
        }
    }
    refuses(
        &csv,
        &format!("{curve}[fit]\nacceleration = \"exakt\""),
        &["[fit] acceleration = \"exakt\"", "line 11", "geodesic, exact, none"],
    );
}

/// Weights are the only other column: a constant is fitted (0.9 in closed form), models of a predictor are refused.
#[test]
fn data_without_a_predictor_fit_a_constant_alone() {
    let csv = "y,w\n1,1\n2,1\n0.5,4\n1,4\n";
    let problem = |model: &str| format!("weights = \"w\"\n[model]\n{model}");
    let constant = problem("expression = \"a\"\n[parameters]\na = 0");
    assert!((record(csv, &constant).parameters[0] - 0.9).abs() < 1e-12);
    let drawn = folder(csv, &constant);
    assert_eq!(command(drawn.path(), &[]).status.code(), Some(0));
    for family in ["exponentials", "power", "rational", "logistic", "network"] {
        refuses(
            csv,
            &problem(&format!("family = \"{family}\"")),
            &["besides the response", "weights"],
        );
    }
    refuses(
        csv,
        &problem("family = \"power\"\npredictor = \"x\"\n[parameters]\nfactor = 1"),
        &["line 7", "predictor", "a column: none"],
    );
}

#[test]
fn a_family_asks_which_of_several_columns_it_describes() {
    let csv = rows("dose (mg),top,y", |x| format!("{x},{},{:?}", x * x, 2.0 * x.powf(0.7)));
    let family = |predictor: &str| {
        format!("[model]\nfamily = \"power\"\n{predictor}\n[parameters]\nfactor = 1\nexponent = 1")
    };
    refuses(&csv, &family(""), &["predictor is missing", "dose (mg), top"]);
    let record = record(&csv, &family("predictor = \"dose (mg)\""));
    assert!((record.parameters[0] - 2.0).abs() < 1e-8 && (record.parameters[1] - 0.7).abs() < 1e-8);
}

/// A fixed parameter stays, the others are fitted as if it were a number.
#[test]
fn fixed_parameters_stay_at_their_start() {
    let csv = rows("x,y", |x| format!("{x},{:?}", 3.0 * (x - 4.0).powi(2) + 0.1 * x.sin()));
    let model = |start: &str| {
        format!(
            "[model]\nexpression = \"a * (x - x0)^n\"\n[parameters]\na = 1\nx0 = 3.5\nn = {start}"
        )
    };
    let number = record(&csv, &model("1").replace("^n", "^2").replace("\nn = 1", ""));
    for held in ["{ start = 2, fixed = true }", "{ start = 2, lower = 2, upper = 2 }"] {
        let record = record(&csv, &model(held));
        let (n, others) = (record.names.iter().position(|name| name == "n").unwrap(), ["a", "x0"]);
        assert!(record.converged && record.parameters[n] == 2.0 && record.rank == 2, "{record:?}");
        for name in others {
            let value =
                |r: &FitRecord| r.parameters[r.names.iter().position(|n| n == name).unwrap()];
            assert!((value(&record) / value(&number) - 1.0).abs() < 1e-8, "{name}");
        }
    }
}

/// A hundred thousand rows: pictures say how many they show, and can be left out.
#[test]
fn pictures_of_many_rows_are_thinned_or_left_out() {
    let mut csv = "x,y\n".to_owned();
    for j in 0..100_000 {
        let x = 1e-4 * f64::from(j);
        let y = 3.0 * (-0.5 * x).exp() + 1.0 + 0.2 * (f64::from(j) * 1.7).sin();
        writeln!(csv, "{x:.4},{y:.6}").unwrap();
    }
    let model = "[model]\nexpression = \"a*exp(-b*x) + c\"\n[parameters]\na = 1\nb = 1\nc = 0\n";
    let folder = folder(&csv, model);
    assert_eq!(command(folder.path(), &[]).status.code(), Some(0));
    let out = folder.path().join("problem-fit");
    for picture in ["fit.svg", "residuals.svg"] {
        let text = std::fs::read_to_string(out.join(picture)).unwrap();
        assert!(
            text.len() < 4_000_000 && text.contains("of 100000 observations drawn"),
            "{picture}"
        );
    }
    for (name, option, section) in
        [("a", "--no-pictures", ""), ("b", "--quiet", "[output]\npictures = false\n")]
    {
        std::fs::write(
            folder.path().join("problem.toml"),
            "[data]\npath = \"data.csv\"\nresponse = \"y\"\n".to_owned() + model + section,
        )
        .unwrap();
        let out = folder.path().join(name);
        let output = command(folder.path(), &[option, "--out", &out.display().to_string()]);
        assert_eq!(output.status.code(), Some(0));
        assert!(
            out.join("fit.json").exists()
                && !out.join("fit.svg").exists()
                && !out.join("residuals.png").exists()
        );
    }
}

/// Long sums, long products and deep nestings are fitted; time grows with the length (in an optimized build a
/// second at most each; the bound leaves room for others).
#[test]
fn long_and_deep_expressions_are_fitted_in_time() {
    let csv = (0..1000).fold("x,y\n".to_owned(), |csv, j| {
        csv + &format!("{},{}\n", j, 1.0 + (f64::from(j) * 0.37).sin())
    });
    let fits = |text: &str| {
        let begun = Instant::now();
        let record = record(
            &csv,
            &format!(
                "[model]\nexpression = \"{text}\"\n[parameters]\na = 0.5\n[fit]\nmax_evaluations = 8"
            ),
        );
        assert!(
            record.loss.is_finite() && begun.elapsed() < Duration::from_secs(60),
            "{:?}",
            begun.elapsed()
        );
    };
    let sum = |terms: usize| {
        (1..=terms).map(|k| format!("sin({k}*a*x)/{k}")).collect::<Vec<_>>().join("+")
    };
    fits(&sum(1000));
    fits(&sum(10_000));
    fits(&format!("1{}", "*(a + x/1e4)".repeat(300)));
    fits(&format!("{}a + x{}", "sin(".repeat(1000), ")".repeat(1000)));
    fits(&format!("{}a{}", "(x*".repeat(100), ")/1000".repeat(100)));
    let deep = format!("{}a*x{}", "(".repeat(20_000), ")".repeat(20_000));
    refuses(
        &csv,
        &format!("[model]\nexpression = \"{deep}\"\n[parameters]\na = 1"),
        &["line 5", "20000 nested parentheses", "10000"],
    );
    let long = "a + x".to_owned() + &" ".repeat(2_000_000);
    refuses(
        &csv,
        &format!("[model]\nexpression = \"{long}\"\n[parameters]\na = 1"),
        &["line 5", "2000005 characters", "1000000"],
    );
}
