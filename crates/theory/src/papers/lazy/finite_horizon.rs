//! Theorem 2.3 and the distance of the parameters that its proof bounds (App. B.2): squares, `T = K/Lip(h)^2`.
//!
//! The theorem holds at every time t up to T, with `K_t = t Lip(h)^2 <= K` for K: where alpha admits K it admits K_t, with
//! the same radius. It is judged at all samples.

use crate::TheoryError;
use crate::papers::lazy::linearized::{Distances, Linearized};
use crate::papers::lazy::setting::Setting;
use crate::referee::{Comparison, Hypothesis, Record, Statement};

/// Samples of a flow until T.
const SAMPLES: usize = 24;

/// The flows of one K and radius at several alphas, beside the linearized flow.
pub struct HorizonRuns<'a> {
    setting: &'a Setting,
    name: String,
    /// K.
    horizon: f64,
    /// r.
    radius: f64,
    /// alpha and the distances at its samples but the first.
    distances: Vec<(f64, Vec<Distances>)>,
}

impl<'a> HorizonRuns<'a> {
    /// Runs `setting`, which has squares, until T at `multiples` of the least alpha that K = `horizon` and `radius` admit.
    pub fn new(
        setting: &'a Setting,
        horizon: f64,
        radius: f64,
        multiples: &[f64],
    ) -> Result<Self, TheoryError> {
        let linearized = Linearized::new(setting);
        let lipschitz = setting.lipschitz(radius);
        let least = horizon * setting.residual / (radius * lipschitz);
        let mut distances = Vec::new();
        for multiple in multiples {
            // A threshold itself is met only up to the rounding of its formula.
            let scaling = least * multiple * (1.0 + 1e-12);
            let flow = setting.flow(scaling, horizon / lipschitz.powi(2), SAMPLES)?;
            let later = flow.later().iter().map(|s| linearized.distances(&flow, s)).collect();
            distances.push((scaling, later));
        }
        let name = format!("{}, K = {horizon}, r = {radius:.3e}", setting.problem.name);
        Ok(Self { setting, name, horizon, radius, distances })
    }

    /// The radius `norm(J_0)/(K Lip(Dh))`, in which norm(J) changes by at most a share 1/K: the bound of Theorem 2.3 at the
    /// least alpha is then of the size of `norm(y)` for every K.
    pub fn natural_radius(setting: &Setting, horizon: f64) -> f64 {
        setting.norm() / (horizon * setting.constants.jacobian_lipschitz)
    }

    fn assumed(&self) -> Vec<Hypothesis> {
        let least = self.horizon * self.setting.residual
            / (self.radius * self.setting.lipschitz(self.radius));
        let smallest = self.distances.iter().map(|(alpha, _)| *alpha).fold(f64::INFINITY, f64::min);
        vec![
            self.setting.of_squares(),
            Hypothesis::at_least("alpha against K norm(r_0)/(r Lip(h))", smallest, least),
        ]
    }

    /// One place a sample: `sides` takes K_t, `(K_t^2/alpha) Lip(Dh)/Lip(h)^2 norm(r_0)` and the distances.
    fn places(&self, sides: impl Fn(f64, f64, &Distances) -> [f64; 3]) -> Vec<Comparison> {
        let lipschitz = self.setting.lipschitz(self.radius);
        let shape = self.setting.constants.jacobian_lipschitz / lipschitz.powi(2);
        let mut places = Vec::new();
        for (alpha, distances) in &self.distances {
            for d in distances {
                let k = d.time * lipschitz.powi(2);
                let share = k * k / alpha * shape * self.setting.residual;
                let [left, right, tolerance] = sides(k, share, d);
                let at = format!("alpha = {alpha:.4e}, K_t = {k:.4}");
                places.push(Comparison::new(left, right, tolerance, at));
            }
        }
        places
    }

    /// What the alphas are, for a note.
    fn scalings(&self) -> String {
        let each: Vec<String> = self.distances.iter().map(|(a, _)| format!("{a:.3e}")).collect();
        format!("Judged at alpha = {}, at {SAMPLES} times each. ", each.join(", "))
    }
}

/// Theorem 2.3, with `factor` in place of its 1.
pub fn finite_horizon(runs: &HorizonRuns<'_>, factor: f64) -> Record {
    let row = Statement {
        id: "lazy/finite-horizon",
        place: "Theorem 2.3",
        text: "norm(alpha h(w_T) - alpha hbar(wbar_T)) <= (K^2/alpha) (Lip(Dh)/Lip(h)^2) norm(r_0)^2, T = K/Lip(h)^2",
    };
    let residual = runs.setting.residual;
    let places = runs.places(|_, share, d| [d.output.0, factor * share * residual, d.output.1]);
    row.judge(&runs.name, runs.assumed(), places).with_note(&runs.scalings()).with_note(
        "Every radius is admissible, as h and Dh are Lipschitz on all of R^p; Lip(h) is the smaller of its global bound \
         and norm(J_0) + Lip(Dh) r. ",
    )
}

/// App. B.2 with `2 + 4K/3` for `[constant, slope]`; beside it the 1/2 + K/3 that its own inequalities give.
pub fn parameter_distance(
    runs: &HorizonRuns<'_>,
    [constant, slope]: [f64; 2],
    sharper: [f64; 2],
) -> Record {
    let row = Statement {
        id: "lazy/parameter-distance",
        place: "App. B.2",
        text: "alpha Lip(h) norm(w_T - wbar_T)/norm(r_0) <= (K^2/alpha) (Lip(Dh)/Lip(h)^2) norm(r_0) (2 + 4K/3)",
    };
    let unit = runs.setting.lipschitz(runs.radius) / runs.setting.residual;
    let places = |constant: f64, slope: f64| {
        runs.places(|k, share, d| {
            let (found, error) = d.scaled_weights;
            [unit * found, share * (constant + slope * k), unit * error]
        })
    };
    row.judge(&runs.name, runs.assumed(), places(constant, slope))
        .with_corrected(
            "the same with 1/2 + K/3 in place of 2 + 4K/3",
            &runs.assumed(),
            places(sharper[0], sharper[1]),
        )
        .with_note(&runs.scalings())
        .with_note(
            "The print is true and four times as large as what its own inequalities integrate to. ",
        )
}
