//! Fits in boxes and at their edges: minima on a bound, starts on one, bounds that would take other parameters' effect.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use gaussflow_driver::fit::{FitRecord, fit};

/// Fits the committed problem `name` into a folder of its own.
fn committed(name: &str) -> FitRecord {
    let data = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/fit");
    let out = tempfile::tempdir().unwrap();
    fit(&data.join(name).join("problem.toml"), Some(out.path()), |_| ()).unwrap()
}

/// Fits `model` to rows of x and y, without pictures.
fn fitted(rows: &[(f64, f64)], model: &str) -> FitRecord {
    let folder = tempfile::tempdir().unwrap();
    let mut csv = "x,y\n".to_owned();
    for (x, y) in rows {
        writeln!(csv, "{x},{y}").unwrap();
    }
    let write = |path: &Path, text: &str| std::fs::write(path, text).unwrap();
    write(&folder.path().join("data.csv"), &csv);
    let head = "[data]\npath = \"data.csv\"\nresponse = \"y\"\n[output]\npictures = false\n";
    let problem = folder.path().join("problem.toml");
    write(&problem, &format!("{head}{model}"));
    fit(&problem, None, |_| ()).unwrap()
}

fn value(record: &FitRecord, name: &str) -> f64 {
    record.parameters[record.names.iter().position(|known| known == name).unwrap()]
}

/// Values of SciPy 1.17.1: trf from the same starts, lm for the peak of height 1e-15. trf stays inside of the box: at
/// `x0 = 1` itself the loss is 5e-5 less.
#[test]
fn committed_problems_end_at_their_known_losses() {
    // Name, loss, then parameters and their values.
    type Case = (&'static str, f64, &'static [(&'static str, f64)]);
    let cases: [Case; 4] = [
        ("bound_trap_sine", 5.617_295_836_27e-3, &[("amp", 0.222_494), ("off", 0.570_748)]),
        (
            "min_on_bound_cli",
            2.492_467_873_762_6e-3,
            &[("a", 1.999_23), ("x0", 1.0), ("n", 0.347_793)],
        ),
        ("start_on_branch_point", 1.394_787_767_54e-2, &[("b", 0.0)]),
        ("gauss_1e-15", 2.611_000_529_2e-33, &[("amp", 1.195_68e-15), ("mean", 1.399_76)]),
    ];
    for (name, loss, parameters) in cases {
        let record = committed(name);
        assert!(record.converged, "{name}: {}", record.stop_reason);
        assert!((record.loss / loss - 1.0).abs() < 1e-8, "{name}: {}", record.loss);
        for (parameter, right) in parameters {
            let found = value(&record, parameter);
            assert!((found - right).abs() <= 1e-5 * right.abs(), "{name}: {parameter} = {found}");
        }
    }
}

/// `a (x - x0)^n` with x0 at most the first x, where the model ends: over exponents, and for roots and logarithms.
#[test]
fn minima_on_a_bound_with_nothing_beyond_it_are_found() {
    for (turn, exponent) in [0.25, 0.35, 0.5, 0.8, 1.5].into_iter().enumerate() {
        for first in [-3.0, 0.0, 1.0, 250.0] {
            // The first value lies below the curve: x0 would rather be larger.
            let rows: Vec<(f64, f64)> = (0..25)
                .map(|j| {
                    let t = f64::from(j) / 12.0;
                    let wave = 0.02 * (7.0 * t + turn as f64).sin();
                    (first + t, 2.0 * t.powf(exponent) + if j == 0 { -0.05 } else { wave })
                })
                .collect();
            let record = fitted(
                &rows,
                &format!(
                    "[model]\nexpression = \"a * (x - x0)^n\"\n[parameters]\na = 1.0\nn = 0.6\n\
                     x0 = {{ start = {}, lower = {}, upper = {first} }}\n",
                    first - 0.5,
                    first - 10.0
                ),
            );
            let name = format!("exponent {exponent}, first {first}");
            assert!(record.converged, "{name}: {}", record.stop_reason);
            // With x0 on the bound the other two are an ordinary fit, from a good start.
            let plain = fitted(
                &rows,
                &format!(
                    "[model]\nexpression = \"a * (x - ({first}))^n\"\n[parameters]\na = 2.0\nn = {exponent}\n"
                ),
            );
            assert!(
                record.loss <= plain.loss * (1.0 + 1e-9),
                "{name}: {} {}",
                record.loss,
                plain.loss
            );
        }
    }
}

#[test]
fn starts_on_a_branch_point_leave_it_or_stay_as_the_data_say() {
    let rows = |shift: f64| -> Vec<(f64, f64)> {
        let x = (0..30).map(|j| 0.1 * f64::from(j));
        x.map(|x| (x, 1.3 * (shift + 2.0 * x).sqrt() + 0.01 * (9.0 * x).sin())).collect()
    };
    for (shift, start) in [(0.4, 0.0), (0.4, 0.9), (0.02, 0.0)] {
        let record = fitted(
            &rows(shift),
            &format!(
                "[model]\nexpression = \"sqrt(b + c * x)\"\n[parameters]\n\
                 b = {{ start = {start}, lower = 0.0 }}\nc = {{ start = 1.0, lower = 0.0 }}\n"
            ),
        );
        assert!(record.converged && record.rank == 2, "{shift}: {}", record.stop_reason);
        // 1.3^2 shift and 1.3^2 2.
        assert!(
            (value(&record, "b") - 1.69 * shift).abs() < 0.1,
            "{shift}: {:?}",
            record.parameters
        );
        assert!((value(&record, "c") - 3.38).abs() < 0.1, "{shift}: {:?}", record.parameters);
    }
}

/// An amplitude that may not be negative, from phases and rates that are turned the wrong way.
#[test]
fn a_bound_never_ends_a_fit_by_taking_the_effect_of_others() {
    let mut lost = 0;
    for turn in 0..24 {
        let phase = -3.0 + 0.25 * f64::from(turn);
        let x = (0..30).map(|j| 0.2 * f64::from(j));
        let rows: Vec<(f64, f64)> =
            x.map(|x| (x, 1.5 * (1.3 * x).sin() + 0.5 + 0.05 * (17.0 * x).cos())).collect();
        let record = fitted(
            &rows,
            &format!(
                "[model]\nexpression = \"amp * sin(rate * x + phase) + off\"\n[parameters]\n\
                 amp = {{ start = 1.0, lower = 0.0 }}\nrate = 1.2\nphase = {phase}\noff = 0.0\n"
            ),
        );
        assert!(!record.converged || record.rank == 4, "{phase}: rank {}", record.rank);
        lost += usize::from(record.loss > 0.1);
    }
    assert_eq!(lost, 0, "of 24 phases");
    // A second decay that the data do not hold: its height ends at 0, where its rate means nothing, and that is said.
    let x = (0..40).map(|j| 0.1 * f64::from(j));
    let rows: Vec<(f64, f64)> =
        x.map(|x| (x, 3.0 * (-x).exp() - 0.02 * (-3.0 * x).exp())).collect();
    let record = fitted(
        &rows,
        "[model]\nexpression = \"a * exp(-k * x) + b * exp(-3 * l * x)\"\n[parameters]\na = 2.0\nk = 0.7\n\
         b = { start = 0.5, lower = 0.0 }\nl = { start = 1.2, lower = 0.5, upper = 5.0 }\n",
    );
    assert!(!record.converged || record.rank + 1 >= 3, "{} {}", record.stop_reason, record.rank);
    assert!(record.loss < 1e-2, "{}", record.loss);
}
