//! Section 5: the claims on the figures, each as a comparison of numbers of one seed's traces.

use crate::referee::{Comparison, Record, Statement, Traced};

/// lambda_min/lambda_max of H below which rank counts as lost.
pub const RANK_RATIO: f64 = 1e-12;
/// Share of the initial Riemannian gradient norm that counts as stationary.
pub const STATIONARY_SHARE: f64 = 0.05;

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

    /// When the loss is first at or below `level`: infinite where it never is.
    fn time_below(&self, level: f64) -> f64 {
        let found = self.loss.iter().position(|loss| *loss <= level);
        found.map_or(f64::INFINITY, |k| self.time[k])
    }

    /// This loss against another run's, at the times that both have.
    fn ahead_of(&self, other: &Self) -> Vec<Comparison> {
        let pairs = self.time.iter().zip(&self.loss).zip(other.time.iter().zip(&other.loss));
        let same =
            pairs.skip(1).filter(|((t, _), (s, _))| (*t - *s).abs() <= 1e-9 * (1.0 + t.abs()));
        same.map(|((t, left), (_, right))| {
            Comparison::new(*left, *right, 0.0, format!("{}, t = {t:.2}", self.at()))
        })
        .collect()
    }

    /// The time from which on this loss is never above the other's.
    fn ahead_from(&self, other: &Self) -> Option<f64> {
        let behind = self.loss.iter().zip(&other.loss).rposition(|(left, right)| left > right);
        self.time.get(behind.map_or(0, |k| k + 1)).copied()
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

/// The larger alphas end with a higher loss and a smaller deviation than the smallest (traces by ascending alpha), as
/// section 5 says; reported beside it, how the losses of all neighbours are ordered, which it does not say.
pub fn bias(run: &str, traces: &[&Traced]) -> Vec<Record> {
    let judge = |place, text, sides: fn(&Traced, &Traced) -> [f64; 2]| {
        let places = traces.iter().skip(1).map(|larger| {
            let [left, right] = sides(traces[0], larger);
            let at = format!("alpha = {} against {}", traces[0].scaling, larger.scaling);
            Comparison::new(left, right, 0.0, at)
        });
        let row = Statement { id: "experiment/bias", place, text };
        row.judge(run, vec![], places)
    };
    let steps = traces.windows(2);
    let rising = steps.clone().filter(|pair| pair[0].final_loss() <= pair[1].final_loss()).count();
    let order = Statement {
        id: "experiment/bias",
        place: "section 5, order of all",
        text: "neighbours among alpha = 8, 16, 256 whose final losses rise with alpha (left), of so many (right)",
    };
    vec![
        judge(
            "section 5, loss",
            "final loss at alpha = 8 <= at 16 and at 256",
            |smallest, larger| [smallest.final_loss(), larger.final_loss()],
        ),
        judge(
            "section 5, deviation",
            "final norm(w_t - w_0) at alpha = 16 and at 256 <= at 8",
            |smallest, larger| [larger.final_deviation(), smallest.final_deviation()],
        ),
        order.report(
            run,
            rising as f64,
            steps.len() as f64,
            "The paper compares with alpha = 8 alone. ",
        ),
    ]
}

/// Section 5's comparison with gradient flow, as three claims: the final loss, how soon the other's final loss is
/// passed, and who is ahead at each time.
pub fn beats_gradient_flow(run: &str, pairs: &[(&Traced, &Traced)]) -> Vec<Record> {
    let judge = |place, text, places: Vec<Comparison>| {
        let row = Statement { id: "experiment/beats-gradient-flow", place, text };
        row.judge(run, vec![], places)
    };
    let each = |sides: fn(&Traced, &Traced) -> [f64; 2]| -> Vec<Comparison> {
        let places = pairs.iter().map(|(newton, gradient)| {
            let [left, right] = sides(newton, gradient);
            Comparison::new(left, right, 0.0, newton.at())
        });
        places.collect()
    };
    let ahead = pairs.iter().flat_map(|(newton, gradient)| newton.ahead_of(gradient)).collect();
    let catching = pairs.iter().map(|(newton, gradient)| {
        let time =
            newton.ahead_from(gradient).map_or("never".to_owned(), |t| format!("t = {t:.2}"));
        format!("{}: {time}", newton.at())
    });
    let catching = catching.collect::<Vec<_>>().join(", ");
    vec![
        judge(
            "section 5, final loss",
            "Gauss-Newton's final loss <= gradient flow's",
            each(|newton, gradient| [newton.final_loss(), gradient.final_loss()]),
        ),
        judge(
            "section 5, passing",
            "time at which Gauss-Newton first has gradient flow's final loss <= time at which gradient flow first has it",
            each(|newton, gradient| {
                let level = gradient.final_loss();
                [newton.time_below(level), gradient.time_below(level)]
            }),
        ),
        judge(
            "section 5, at all times",
            "Gauss-Newton's loss <= gradient flow's at every recorded time after the first",
            ahead,
        )
        .with_note(&format!(
            "Gradient flow (stiff integrator) is faster at the very start, where it removes the few directions of large \
             kernel eigenvalue. Gauss-Newton is ahead for good from {catching}."
        )),
    ]
}
