//! What the page holds for the charts: quartiles, ends, single runs, and their size.

use serde_json::{Value, json};

use super::super::folder::Run;
use super::super::groups::{COLOURS, DASHES, groups};
use super::{section, shortened};
use gaussflow_records::TraceRow;

const PALETTE: &str = include_str!("../../../assets/palette.js");

/// A run of `rows` rows of every quantity whose loss is `loss(seed, row)`.
fn run(alpha: f64, method: &str, seed: u64, rows: u32, loss: impl Fn(u32) -> f64) -> Run {
    let row = |k: u32| {
        let value = loss(k);
        TraceRow {
            step: k.into(),
            time: 0.01 * f64::from(k),
            loss: value,
            deviation: value * 1.234_567_8,
            riemannian_gradient_norm: value / 7.0,
            gram_min_eigenvalue: value * 1.234_567e-9,
            riemannian_hessian_min: Some(-value),
            riemannian_hessian_max: Some(value * 12_345.678),
            held_out_loss: Some(value / 3.0),
            accuracy: Some(value / 1e5),
            held_out_accuracy: Some(value / 3e5),
            ..TraceRow::default()
        }
    };
    let settings = [
        ("dynamics.scaling", format!("{alpha:?}")),
        ("dynamics.preconditioner", "gauss-newton".to_owned()),
        ("dynamics.integrator", method.to_owned()),
        ("dynamics.seed", seed.to_string()),
    ];
    Run {
        id: format!("x-seed_{seed}"),
        settings: Some(settings.map(|(key, value)| (key.to_owned(), value)).into()),
        trace: (0..rows).map(row).collect(),
        ..Run::default()
    }
}

/// The data of the page on `runs`, and its size as it stands there.
fn data(runs: &[Run]) -> (Value, usize) {
    let text = section(&groups(runs));
    let data = text.split_once("id=\"chart-data\">").unwrap().1.split_once("</script>").unwrap().0;
    (serde_json::from_str(data).unwrap(), data.len())
}

#[test]
fn coordinates_have_the_digits_asked_for() {
    assert_eq!(shortened(0.071_428_571_4, 5), json!(0.071_429));
    assert_eq!(shortened(3.0, 5).to_string(), "3");
    assert_eq!(shortened(-123_456.0, 4).to_string(), "-123500");
    assert_eq!(shortened(1.234_56e-12, 4).to_string(), "1.235e-12");
}

#[test]
fn bands_are_quartiles_and_ends_of_runs_are_told() {
    // Losses 1, 2, 3, 4, 100; the last ends at t = 0.02.
    let losses = [1.0, 2.0, 3.0, 4.0, 100.0];
    let rows = [5, 5, 5, 5, 3];
    let runs: Vec<Run> =
        (0..5).map(|seed| run(8.0, "euler", seed as u64, rows[seed], |_| losses[seed])).collect();
    let (data, _) = data(&runs);
    let loss = &data["charts"][0]["series"][0];
    assert_eq!(loss["t"], json!([0, 0.01, 0.02, 0.03, 0.04]));
    assert_eq!(loss["y"], json!([3, 3, 3, 2.5, 2.5]));
    assert_eq!(loss["lo"], json!([2, 2, 2, 1.75, 1.75]));
    assert_eq!(loss["hi"], json!([4, 4, 4, 3.25, 3.25]));
    assert_eq!(loss["ends"], json!([0.02, 0.04, 0.04, 0.04, 0.04]));
    // Runs that end together need no list.
    let (together, _) = self::data(&runs[..4]);
    assert_eq!(together["charts"][0]["series"][0]["ends"], Value::Null);
}

#[test]
fn single_runs_share_their_times_and_keep_their_ends() {
    let runs = [
        run(8.0, "euler", 3, 502, |k| 1.0 + f64::from(k)),
        run(8.0, "euler", 7, 140, |k| 2.0 + f64::from(k)),
        run(16.0, "euler", 3, 502, |k| 3.0 + f64::from(k)),
    ];
    let (data, _) = data(&runs);
    assert_eq!(data["seeds"], json!([3, 7]));
    assert_eq!(data["groups"][0]["seeds"], json!([3, 7]));
    let singles = data["charts"][0]["runs"].as_array().unwrap();
    // A configuration of one run is its own curve.
    assert_eq!(singles.len(), 2);
    let [first, second] = [&singles[0], &singles[1]];
    assert_eq!((&first["seed"], &first["grid"]), (&json!(3), &second["grid"]));
    let times = data["times"][usize::try_from(first["grid"].as_u64().unwrap()).unwrap()]
        .as_array()
        .unwrap();
    let values = first["y"].as_array().unwrap();
    assert!(values.len() <= 75 && values.len() > 50 && values.len() == times.len());
    assert_eq!((&times[0], times.last()), (&json!(0), Some(&json!(5.01))));
    assert_eq!((&values[0], values.last()), (&json!(1), Some(&json!(502))));
    assert_eq!(first["end"], Value::Null);
    // The second ended at t = 1.39, between two times of the grid.
    let last = second["end"].as_array().map_or_else(|| json!(null), |end| end[0].clone());
    let on_grid = &times[second["y"].as_array().unwrap().len() - 1];
    assert!(last == json!(1.39) || on_grid == &json!(1.39), "{last} {on_grid}");
}

/// As many runs as the reproduction, every quantity in them, and no value that is short to write.
#[test]
fn the_data_of_the_charts_stay_within_their_share_of_the_page() {
    let mut runs = Vec::new();
    for method in ["euler", "adaptive", "rk4"] {
        for alpha in [0.125, 8.0, 16.0, 256.0] {
            for seed in 0..17_u32 {
                let loss =
                    move |k: u32| (f64::from(k * (seed + 3)) * 0.37).sin().abs() * 1e-5 + 1.1e-7;
                runs.push(run(alpha, method, seed.into(), 502, loss));
            }
        }
    }
    let (value, size) = data(&runs);
    assert!(size < 1_900_000, "{size} bytes");
    assert_eq!(value["seeds"].as_array().map(Vec::len), Some(17));
    // Of very many seeds only the first can be chosen, and the page says so.
    let many: Vec<Run> =
        (0..900).map(|seed| run(8.0, "euler", seed, 60, |k| 0.123_456 * f64::from(k))).collect();
    let (value, size) = data(&many);
    let seeds = value["seeds"].as_array().unwrap().len();
    assert!(size < 1_900_000 && seeds < 900 && seeds > 100, "{size} bytes, {seeds} seeds");
    assert!(section(&groups(&many)).contains(&format!("The first {seeds} of 900 seeds")));
}

/// The colours of `crates/figures/src/palette.rs`, in its order: a curve looks alike in a figure and in a chart.
#[test]
fn charts_have_the_colours_of_the_figures() {
    let figures = include_str!("../../../../figures/src/palette.rs");
    let list = figures.split_once("const COLOURS").unwrap().1.split_once('=').unwrap().1;
    let list = list.split_once("];\n").unwrap().0;
    let bytes: Vec<&str> = list.split("0x").skip(1).filter_map(|byte| byte.get(..2)).collect();
    let expected: Vec<String> =
        bytes.chunks(3).map(|rgb| format!("\"#{}\"", rgb.concat())).collect();
    assert_eq!(expected.len(), COLOURS);
    assert!(PALETTE.contains(&format!("light: [{}]", expected.join(", "))), "{expected:?}");
    let dashes = PALETTE.split_once("const DASHES = [").unwrap().1.split_once("];").unwrap().0;
    assert_eq!(dashes.matches('[').count(), DASHES);
    let of_figures = figures.split_once("const DASHES").unwrap().1.split_once("];\n").unwrap().0;
    assert_eq!(of_figures.matches("&[").count(), DASHES + 1, "{of_figures}");
}
