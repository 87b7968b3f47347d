//! Which rate does Gauss-Newton's flow really have, beside 2 nu, 2 theta and twice the smallest curvature at its limit?

use crate::TheoryError;
use crate::network_constants::NetworkConstants;
use crate::papers::later::runs::{Geometry, regression};
use crate::referee::{Effort, Measurements, Plot, Rows, Statement, Table};

/// Below this alpha flows are followed for longer: they are slow there.
const SLOW: f64 = 64.0;
/// Until when, below it and from it on.
const HORIZONS: [f64; 2] = [60.0, 8.0];

/// The rates over alpha on the paper's network.
pub(super) fn over_scalings(rows: &Rows, effort: Effort) -> Result<Measurements, TheoryError> {
    let problem = regression(rows, &[effort.choose(6, 18)], rows.seed)?;
    let constants = NetworkConstants::measure(&problem)?;
    let scalings: &[f64] =
        effort.choose(&[1e4], &[8.0, 16.0, 32.0, 64.0, 256.0, 1e3, 1e4, 1e5, 1e6]);
    let nu = constants.strong_convexity;
    let mut found = Measurements::default();
    let mut measured = Vec::new();
    for &scaling in scalings {
        let horizon = if scaling < SLOW { HORIZONS[0] } else { HORIZONS[1] };
        measured.push(Geometry::measure(&problem, &constants, (scaling, horizon), 1)?);
    }
    let row = Statement {
        id: "question/rate",
        place: "Theorem 5",
        text: "slope of -log Delta over Delta/Delta_0 in [1e-6, 1e-1] (left), 2 nu (right)",
    };
    for g in measured.iter().filter(|g| !g.rate.is_nan()) {
        let run = format!("{}, alpha = {:e}", problem.name, g.scaling);
        let note = format!(
            "2 theta = {:.4e}, twice the smallest eigenvalue at the limit = {:.4}. ",
            2.0 * g.proven[0],
            2.0 * g.at_limit
        );
        found.records.push(row.report(&run, g.rate, 2.0 * nu, &note));
    }
    let column = |value: fn(&Geometry) -> f64| measured.iter().map(value).collect::<Vec<_>>();
    let positive = |x: f64| if x > 0.0 { x } else { f64::NAN };
    let x = column(|g| g.scaling);
    let theta = measured.iter().map(|g| positive(2.0 * g.proven[0])).collect();
    found.plots.push(
        Plot::new(
            "audit_question_rate",
            "At which rate the gap falls along the Gauss-Newton flow, by α",
            "256 rows of California Housing, 18 hidden units. The rate is the slope of −log Δₜ while Δ/Δ₀ falls from 10⁻¹ to 10⁻⁶; below 2ν, Theorem 5 as printed fails.",
            ("output scaling α", "rate −d log Δ/dt"),
        )
        .logarithmic(true, false)
        .curve("measured", x.clone(), column(|g| g.rate))
        .curve("2 × smallest curvature at the limit", x.clone(), column(|g| 2.0 * g.at_limit))
        .curve("2θ, proven, where positive", x, theta)
        .line("2ν", 2.0 * nu),
    );
    let number = |x: f64| if x.is_nan() { "–".to_owned() } else { format!("{x:.4}") };
    let cells = |g: &Geometry| {
        let [theta, limit] = [2.0 * g.proven[0], 2.0 * g.at_limit];
        let scaling = format!("{:e}", g.scaling);
        vec![
            scaling,
            number(g.rate),
            format!("{theta:.3e}"),
            number(2.0 * nu),
            number(limit),
            number(g.polyak),
        ]
    };
    found.tables.push(Table {
        title: "At which rate the gap falls along the Gauss-Newton flow, by α".to_owned(),
        legend: format!(
            "{}. Slope of −log Δ over Δ/Δ₀ in [1e−6, 1e−1], until t = {} (alpha below {SLOW}) or {}.",
            problem.name, HORIZONS[0], HORIZONS[1]
        ),
        head: vec!["alpha", "rate", "2 theta", "2 nu", "2 x least at the limit", "PL constant"],
        rows: measured.iter().map(cells).collect(),
    });
    Ok(found)
}
