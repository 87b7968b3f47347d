//! Theorem 2.4's orders in alpha, for squares and h(w_0) = 0: slopes of three suprema over time, and bounds with constants.
//!
//! Judged is the slope of log(supremum) over log(alpha), by least squares: 1, 1 and 2. The paper's `O(log alpha/alpha^2)` is
//! an upper bound, which a supremum of order 1/alpha^2 meets. That the logarithm is not there is proved in docs/learn/derivations.md,
//! section 9: the distance of the two outputs does not only stay below `C/alpha`, its integral over all times does.

use crate::TheoryError;
use crate::log_slope::log_slope;
use crate::papers::lazy::linearized::Linearized;
use crate::papers::lazy::setting::Setting;
use crate::referee::{Comparison, Hypothesis, Record, Statement};

/// Samples of a flow.
const SAMPLES: usize = 150;

/// How far a flow goes, in units of `1/sigma^2`: the slowest mode of the linearized flow then is at exp(-15).
const HORIZON: f64 = 15.0;

/// Suprema over the samples of one flow, each with a bound of its error.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Suprema {
    /// alpha.
    pub scaling: f64,
    /// `norm(w - w_0)`, `norm(alpha h - alpha hbar)` and `norm(w - wbar)`.
    pub values: [(f64, f64); 3],
}

impl Suprema {
    /// Runs `setting`, which has squares, at alpha = `scaling`.
    pub fn measure(setting: &Setting, scaling: f64) -> Result<Self, TheoryError> {
        let horizon = HORIZON / (setting.constants.strong_convexity * setting.sigma().powi(2));
        let flow = setting.flow(scaling, horizon, SAMPLES)?;
        let linearized = Linearized::new(setting);
        let larger = |a: (f64, f64), b: (f64, f64)| if b.0 > a.0 { b } else { a };
        let (mut output, mut weights) = ((0.0, 0.0), (0.0, 0.0));
        for sample in flow.later() {
            let found = linearized.distances(&flow, sample);
            output = larger(output, found.output);
            weights = larger(weights, found.scaled_weights);
        }
        let deviation = (flow.largest_deviation().0, flow.weight_error);
        Ok(Self {
            scaling,
            values: [deviation, output, (weights.0 / scaling, weights.1 / scaling)],
        })
    }
}

/// The places and texts of the three records.
const ROWS: [(&str, &str, &str); 3] = [
    (
        "Theorem 2.4, norm(w - w_0)",
        "|slope - 1| <= 0.1 of sup_t norm(w_t - w_0) = O(1/alpha)",
        "with a constant: sup_t norm(w_t - w_0) <= 2 norm(y)/(alpha sigma)",
    ),
    (
        "Theorem 2.4, norm(alpha h - alpha hbar)",
        "|slope - 1| <= 0.1 of sup_t norm(alpha h(w_t) - alpha hbar(wbar_t)) = O(1/alpha)",
        "with a constant: sup_t norm(alpha h - alpha hbar) <= 5 norm(J_0) Lip(Dh) norm(y)^2/(alpha sigma^3)",
    ),
    (
        "Theorem 2.4, norm(w - wbar)",
        "|slope - 2| <= 0.1 of sup_t norm(w_t - wbar_t) = O(log(alpha)/alpha^2)",
        "without the logarithm: sup_t norm(w - wbar) <= (2 Lip(Dh) norm(y)^2/(alpha^2 sigma^3)) (4 + 10 norm(J_0)^2/sigma^2)",
    ),
];

/// The bounds of docs/learn/derivations.md at alpha, in the order of [`Suprema::values`], for squares.
pub fn bounds(setting: &Setting, scaling: f64) -> [f64; 3] {
    let (y, sigma, size) = (setting.residual, setting.sigma(), setting.norm());
    let bend = setting.constants.jacobian_lipschitz * y * y / (scaling * sigma.powi(3));
    let weights = 2.0 * bend / scaling * (4.0 + 10.0 * (size / sigma).powi(2));
    [2.0 * y / (scaling * sigma), 5.0 * size * bend, weights]
}

/// Three records: the slopes against `expected`, `within` each; beside them the bounds times `factor`.
pub fn over_rates(
    setting: &Setting,
    suprema: &[Suprema],
    expected: [f64; 3],
    within: f64,
    factor: f64,
) -> Vec<Record> {
    let smallest = suprema.iter().map(|s| s.scaling).fold(f64::INFINITY, f64::min);
    let largest = suprema.iter().map(|s| s.scaling).fold(0.0, f64::max);
    let mut assumed = setting.of_theorem_2_4();
    assumed.push(setting.of_squares());
    let of_bounds = assumed.clone();
    let least = setting.sharper_scaling();
    assumed.push(Hypothesis::at_least("decades of alpha", (largest / smallest).log10(), 2.999));
    let name = format!("{}, alpha from {smallest:.2e} to {largest:.2e}", setting.problem.name);
    // The bounds are proved from the sharper threshold on.
    let proved = suprema.iter().filter(|s| s.scaling >= least);
    let judge = |k: usize| {
        let (place, text, with_constant) = ROWS[k];
        let row = Statement { id: "lazy/over-rates", place, text };
        let points: Vec<_> = suprema.iter().map(|s| (s.scaling, s.values[k])).collect();
        let (rising, error) = log_slope(&points);
        let found = -rising;
        let place = Comparison::new((found - expected[k]).abs(), within, error, name.clone());
        let at = |s: &Suprema| {
            let ((value, error), bound) = (s.values[k], factor * bounds(setting, s.scaling)[k]);
            Comparison::new(value, bound, error, format!("alpha = {:.4e}", s.scaling))
        };
        let record = row
            .judge(&name, assumed.clone(), [place])
            .with_corrected(with_constant, &of_bounds, proved.clone().map(at))
            .with_note(&format!("Slope {found:.4}, its error at most {error:.1e}. "));
        if k < 2 { record } else { record.with_note(&of_the_logarithm(&points)) }
    };
    (0..ROWS.len()).map(judge).collect()
}

/// What the slope would be with the logarithm divided out.
fn of_the_logarithm(points: &[(f64, (f64, f64))]) -> String {
    let divided: Vec<_> = points.iter().map(|(a, (v, e))| (*a, (v / a.ln(), e / a.ln()))).collect();
    format!(
        "Divided by log(alpha) first, the slope would be {:.4}: a supremum of exact order log(alpha)/alpha^2 would show 2 \
         there, and less than 2 undivided. Judged is the undivided slope, since log(alpha)/alpha^2 is an upper bound only, \
         and 1/alpha^2 is the true order (docs/learn/derivations.md, section 9). ",
        -log_slope(&divided).0
    )
}
