//! Section 5: the claims on the figures, each as a comparison of numbers of one seed's traces.

use crate::record::{Comparison, Record, Statement};

/// lambda_min/lambda_max of H below which rank counts as lost.
pub const RANK_RATIO: f64 = 1e-12;
/// Share of the initial Riemannian gradient norm that counts as stationary.
pub const STATIONARY_SHARE: f64 = 0.05;

/// A recorded run of section 5.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Traced {
    /// alpha.
    pub scaling: f64,
    /// Times.
    pub time: Vec<f64>,
    /// Losses.
    pub loss: Vec<f64>,
    /// `norm(w_t - w_0)`.
    pub deviation: Vec<f64>,
    /// `norm(P grad g)`.
    pub tangent_gradient: Vec<f64>,
    /// lambda_min/lambda_max of H.
    pub rank_ratio: Vec<f64>,
}

impl Traced {
    fn final_loss(&self) -> f64 {
        self.loss.last().copied().unwrap_or(f64::NAN)
    }

    fn final_deviation(&self) -> f64 {
        self.deviation.last().copied().unwrap_or(f64::NAN)
    }

    fn smallest_ratio(&self) -> f64 {
        self.rank_ratio.iter().copied().fold(f64::INFINITY, f64::min)
    }

    fn largest_rise(&self) -> f64 {
        self.loss.windows(2).map(|pair| pair[1] / pair[0]).fold(0.0, f64::max)
    }

    fn time_below_twice_final(&self) -> f64 {
        let level = 2.0 * self.final_loss();
        let found = self.loss.iter().position(|loss| *loss < level);
        found.map_or(f64::INFINITY, |k| self.time[k])
    }

    fn exit_time(&self, radius: f64) -> f64 {
        let found = self.deviation.iter().position(|d| *d >= radius);
        found.map_or(f64::INFINITY, |k| self.time[k])
    }

    fn at(&self) -> String {
        format!("alpha = {}", self.scaling)
    }
}

/// alpha in {8, 16, 256}: min over t of lambda_min/lambda_max of H > 1e-12. `radius` is that of B.
pub fn full_rank(run: &str, traces: &[&Traced], radius: f64) -> Record {
    let row = Statement {
        id: "experiment/full-rank",
        place: "section 5",
        text: "1e-12 <= min over t of lambda_min/lambda_max of H, alpha in {8, 16, 256}",
    };
    let places =
        traces.iter().map(|t| Comparison::new(RANK_RATIO, t.smallest_ratio(), 0.0, t.at()));
    let exits: Vec<String> =
        traces.iter().map(|t| format!("{}: {}", t.at(), t.exit_time(radius))).collect();
    row.judge(run, vec![], places).with_note(&format!(
        "The print says T < infinity, true of its B (radius {radius:.3e}): first recorded time outside B, {}.",
        exits.join(", ")
    ))
}

/// alpha = 1/8: the ratio falls below 1e-12, and the loss rises somewhere.
pub fn collapse(run: &str, euler: &Traced, flow_rank_loss: Option<f64>) -> Vec<Record> {
    let row = |text| Statement { id: "experiment/collapse", place: "section 5", text };
    let falls = Comparison::new(euler.smallest_ratio(), RANK_RATIO, 0.0, euler.at());
    let rises = Comparison::new(1.0, euler.largest_rise(), 0.0, euler.at());
    let note = flow_rank_loss.map_or(String::new(), |t| {
        format!("The flow itself (error control) loses rank at t = {t:.4}.")
    });
    vec![
        row("min over t of lambda_min/lambda_max of H <= 1e-12 at alpha = 1/8")
            .judge(run, vec![], [falls])
            .with_note(&note),
        row("1 <= largest ratio of successive losses at alpha = 1/8").judge(run, vec![], [rises]),
    ]
}

/// Final Riemannian gradient norm <= 0.05 of the initial, alpha in {8, 16, 256}.
pub fn stationary(run: &str, traces: &[&Traced]) -> Record {
    let row = Statement {
        id: "experiment/stationary",
        place: "section 5",
        text: "final norm(P grad g) / initial <= 0.05, alpha in {8, 16, 256}",
    };
    let share = |t: &Traced| {
        let ends = t.tangent_gradient.first().zip(t.tangent_gradient.last());
        ends.map_or(f64::NAN, |(first, last)| last / first)
    };
    row.judge(
        run,
        vec![],
        traces.iter().map(|t| Comparison::new(share(t), STATIONARY_SHARE, 0.0, t.at())),
    )
}

/// Final loss increases, final deviation decreases with alpha over {8, 16, 256} (traces in that order).
pub fn bias(run: &str, traces: &[&Traced]) -> Vec<Record> {
    let judge = |text, sides: fn(&Traced, &Traced) -> [f64; 2]| {
        let places = traces.windows(2).map(|pair| {
            let [left, right] = sides(pair[0], pair[1]);
            let at = format!("alpha = {} against {}", pair[0].scaling, pair[1].scaling);
            Comparison::new(left, right, 0.0, at)
        });
        let row = Statement { id: "experiment/bias", place: "section 5", text };
        row.judge(run, vec![], places)
    };
    vec![
        judge("final loss at the smaller alpha <= at the next larger", |smaller, larger| {
            [smaller.final_loss(), larger.final_loss()]
        }),
        judge(
            "final norm(w_t - w_0) at the larger alpha <= at the next smaller",
            |smaller, larger| [larger.final_deviation(), smaller.final_deviation()],
        ),
    ]
}

/// Gauss-Newton's final loss below gradient flow's; first below twice its own final loss earlier.
pub fn beats_gradient_flow(run: &str, pairs: &[(&Traced, &Traced)]) -> Vec<Record> {
    let judge = |text, value: fn(&Traced) -> f64| {
        let places = pairs.iter().map(|(newton, gradient)| {
            Comparison::new(value(newton), value(gradient), 0.0, newton.at())
        });
        let row = Statement { id: "experiment/beats-gradient-flow", place: "section 5", text };
        row.judge(run, vec![], places)
    };
    vec![
        judge("Gauss-Newton's final loss <= gradient flow's", Traced::final_loss),
        judge(
            "Gauss-Newton is below twice its own final loss no later than gradient flow below twice its own",
            Traced::time_below_twice_final,
        )
        .with_note(
            "Gradient flow (stiff integrator) is faster at the very start, where it removes the few \
             directions of large kernel eigenvalue; its final loss is higher, and sooner doubled.",
        ),
    ]
}
