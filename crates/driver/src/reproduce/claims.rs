//! The claims of section 5 as predicates on traces, and what the runs show beyond them.

use std::collections::BTreeMap;

use gaussflow_records::{Claim, SeedVerdict};

use super::plan::{COLLAPSING, Method};
use super::results::{Finished, Results};

/// Bound on lambda_min / lambda_max of H below which rank counts as lost.
pub const RANK_RATIO: f64 = 1e-12;
/// Share of the initial Riemannian gradient norm at which a run counts as stationary.
pub const STATIONARY_SHARE: f64 = 0.05;
/// The r of the ball B (radius 2 lambda0 r / L): the one that makes Theorem 5's alpha least.
const BALL_FRACTION: f64 = 0.5;

/// Numbers by name; `None` from a predicate means that a run is missing.
type Values = BTreeMap<String, f64>;

/// Every claim and finding, in the order of the report.
pub fn claims(results: &Results) -> Vec<Claim> {
    let claim = |id: &str, predicate: &str, threshold, note: &str, verdict: &Verdict| {
        collect(results, id, predicate, threshold, note, verdict)
    };
    vec![
        claim(
            "experiment/full-rank",
            "for every alpha above 1/8: min over t of lambda_min/lambda_max of H > 1e-12",
            Some(RANK_RATIO),
            "The print says T < infinity, which is literally true for its ball B (radius \
             2 lambda0 r/L, r = 1/2): exit_time lies within the first Euler steps. What holds \
             beyond it is full rank.",
            &full_rank,
        ),
        claim(
            "experiment/collapse",
            "alpha = 1/8: lambda_min/lambda_max of H falls below 1e-12, and the loss rises somewhere",
            Some(RANK_RATIO),
            "Loss of rank is the flow's own (flow_rank_lost_time, by the adaptive integrator, with \
             the loss falling until then: flow_largest_rise is at most 1); the rise comes from Euler.",
            &collapse,
        ),
        claim(
            "experiment/stationary",
            "for every alpha above 1/8: final Riemannian gradient norm <= 0.05 of the initial",
            Some(STATIONARY_SHARE),
            "",
            &stationary,
        ),
        claim(
            "experiment/bias",
            "over the alphas above 1/8: final loss increases and final deviation decreases with alpha",
            None,
            "",
            &bias,
        ),
        claim(
            "experiment/bias/against-8",
            "final loss at every larger alpha above that at alpha = 8, and final deviation below",
            None,
            "What section 5 says; experiment/bias orders all neighbours, which it does not.",
            &bias_against_smallest,
        ),
        claim(
            "experiment/beats-gradient-flow",
            "for every alpha above 1/8: Gauss-Newton's final loss is below gradient flow's",
            None,
            "Gradient flow by the stiff integrator.",
            &lower_final_loss,
        ),
        claim(
            "experiment/beats-gradient-flow/passing",
            "for every alpha above 1/8: Gauss-Newton reaches gradient flow's final loss before the last time",
            None,
            "passing_time is when it does.",
            &passes_final_loss,
        ),
        claim(
            "experiment/beats-gradient-flow/all-times",
            "for every alpha above 1/8: Gauss-Newton's loss is at most gradient flow's at every recorded time",
            None,
            "Gradient flow is faster at the very start, where it removes the few directions of large kernel \
             eigenvalue; ahead_from is the time from which on Gauss-Newton stays ahead.",
            &ahead_at_all_times,
        ),
        claim(
            "finding/gradient-flow-monotone",
            "the loss of gradient flow (stiff integrator) never rises from one record to the next",
            Some(1.0),
            "largest_rise is the largest ratio of successive losses.",
            &gradient_flow_monotone,
        ),
        claim(
            "finding/printed-euler-unstable",
            "the printed Euler step 0.01 for gradient flow is unstable: step mu lambda_max(K_0) > 2, \
             and the loss rises",
            Some(2.0),
            "Default seed only. tanh keeps the loss finite, so instability shows as a rise: peak_loss \
             against initial_loss.",
            &printed_euler_unstable,
        ),
        claim(
            "finding/euler-against-flow",
            "for every alpha above 1/8: Euler's loss stays within 5 percent of the flow's",
            Some(0.05),
            "largest relative difference over the common grid: what the discretization adds.",
            &euler_against_flow,
        ),
    ]
}

/// A predicate on one seed: whether it holds, and the numbers.
type Verdict = dyn Fn(&Results, u64) -> Option<(bool, Values)>;

/// Applies a predicate to every seed.
fn collect(
    results: &Results,
    id: &str,
    predicate: &str,
    threshold: Option<f64>,
    note: &str,
    verdict: &Verdict,
) -> Claim {
    let per_seed: Vec<SeedVerdict> = (0..results.seeds)
        .filter_map(|seed| {
            verdict(results, seed).map(|(holds, values)| SeedVerdict { seed, holds, values })
        })
        .collect();
    let holding = per_seed.iter().filter(|verdict| verdict.holds).count();
    Claim {
        id: id.to_owned(),
        predicate: predicate.to_owned(),
        threshold,
        holds_fraction: holding as f64 / per_seed.len().max(1) as f64,
        per_seed,
        note: note.to_owned(),
    }
}

/// The alphas that keep rank.
fn regular(results: &Results) -> impl Iterator<Item = f64> {
    results.mode.scalings().iter().copied().filter(|alpha| *alpha > COLLAPSING)
}

/// `name_alpha_8` and so on.
fn named(name: &str, alpha: f64) -> String {
    format!("{name}_alpha_{alpha}")
}

fn full_rank(results: &Results, seed: u64) -> Option<(bool, Values)> {
    let (mut holds, mut values) = (true, Values::new());
    for alpha in regular(results) {
        let run = results.find(Method::GaussNewton, alpha, seed)?;
        holds &= run.smallest_ratio() > RANK_RATIO;
        values.insert(named("smallest_ratio", alpha), run.smallest_ratio());
        let radius = run.constants?.ball_radius(BALL_FRACTION);
        values.insert(named("ball_radius", alpha), radius);
        values.insert(named("exit_time", alpha), run.exit_time(radius));
    }
    Some((holds, values))
}

fn collapse(results: &Results, seed: u64) -> Option<(bool, Values)> {
    let euler = results.find(Method::GaussNewton, COLLAPSING, seed)?;
    let flow = results.find(Method::GaussNewtonAdaptive, COLLAPSING, seed)?;
    let below = euler.trace.iter().find(|row| Finished::ratio(row) < RANK_RATIO);
    let time = |run: &Finished| run.rank_lost().map_or(f64::NAN, |event| event.time);
    let values = [
        ("smallest_ratio", euler.smallest_ratio()),
        ("first_time_below", below.map_or(f64::INFINITY, |row| row.time)),
        ("largest_rise", euler.largest_rise()),
        ("rank_lost_time", time(euler)),
        ("flow_rank_lost_time", time(flow)),
        ("flow_largest_rise", flow.largest_rise()),
    ];
    let values = values.map(|(name, value)| (name.to_owned(), value)).into();
    Some((euler.smallest_ratio() < RANK_RATIO && euler.largest_rise() > 1.0, values))
}

fn stationary(results: &Results, seed: u64) -> Option<(bool, Values)> {
    let (mut holds, mut values) = (true, Values::new());
    for alpha in regular(results) {
        let run = results.find(Method::GaussNewton, alpha, seed)?;
        let (first, last) = (run.trace.first()?, run.trace.last()?);
        let share = last.riemannian_gradient_norm / first.riemannian_gradient_norm;
        holds &= share <= STATIONARY_SHARE;
        values.insert(named("share", alpha), share);
    }
    Some((holds, values))
}

fn bias(results: &Results, seed: u64) -> Option<(bool, Values)> {
    let mut values = Values::new();
    let mut finals = Vec::new();
    for alpha in regular(results) {
        let run = results.find(Method::GaussNewton, alpha, seed)?;
        let deviation = run.trace.last()?.deviation;
        values.insert(named("final_loss", alpha), run.final_loss());
        values.insert(named("final_deviation", alpha), deviation);
        finals.push((run.final_loss(), deviation));
    }
    let holds = finals.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 > pair[1].1);
    Some((holds, values))
}

fn bias_against_smallest(results: &Results, seed: u64) -> Option<(bool, Values)> {
    let (_, values) = bias(results, seed)?;
    let of = |name: &str| -> Vec<f64> {
        regular(results).filter_map(|alpha| values.get(&named(name, alpha)).copied()).collect()
    };
    let (losses, deviations) = (of("final_loss"), of("final_deviation"));
    let higher = losses.iter().skip(1).all(|loss| *loss > losses[0]);
    let nearer = deviations.iter().skip(1).all(|deviation| *deviation < deviations[0]);
    Some((higher && nearer, values))
}

/// Gauss-Newton's run and gradient flow's at each alpha above the collapsing one.
fn rivals(results: &Results, seed: u64) -> Option<Vec<(f64, &Finished, &Finished)>> {
    let pair = |alpha| {
        let newton = results.find(Method::GaussNewton, alpha, seed)?;
        Some((alpha, newton, results.find(Method::Gradient, alpha, seed)?))
    };
    regular(results).map(pair).collect()
}

fn lower_final_loss(results: &Results, seed: u64) -> Option<(bool, Values)> {
    let (mut holds, mut values) = (true, Values::new());
    for (alpha, newton, gradient) in rivals(results, seed)? {
        holds &= newton.final_loss() < gradient.final_loss();
        values.insert(named("gauss_newton_final_loss", alpha), newton.final_loss());
        values.insert(named("gradient_final_loss", alpha), gradient.final_loss());
    }
    Some((holds, values))
}

fn passes_final_loss(results: &Results, seed: u64) -> Option<(bool, Values)> {
    let (mut holds, mut values) = (true, Values::new());
    for (alpha, newton, gradient) in rivals(results, seed)? {
        let passing = newton.first_time_below(gradient.final_loss());
        holds &= passing <= newton.trace.last()?.time;
        values.insert(named("passing_time", alpha), passing);
    }
    Some((holds, values))
}

fn ahead_at_all_times(results: &Results, seed: u64) -> Option<(bool, Values)> {
    let (mut holds, mut values) = (true, Values::new());
    for (alpha, newton, gradient) in rivals(results, seed)? {
        let mut pairs = newton.trace.iter().zip(&gradient.trace);
        let behind = pairs.rposition(|(newton, gradient)| newton.loss > gradient.loss);
        holds &= behind.is_none();
        let from = newton.trace.get(behind.map_or(0, |k| k + 1));
        values.insert(named("ahead_from", alpha), from.map_or(f64::INFINITY, |row| row.time));
    }
    Some((holds, values))
}

fn gradient_flow_monotone(results: &Results, seed: u64) -> Option<(bool, Values)> {
    let (mut holds, mut values) = (true, Values::new());
    for &alpha in results.mode.scalings() {
        let run = results.find(Method::Gradient, alpha, seed)?;
        holds &= run.largest_rise() <= 1.0;
        values.insert(named("largest_rise", alpha), run.largest_rise());
    }
    Some((holds, values))
}

fn printed_euler_unstable(results: &Results, seed: u64) -> Option<(bool, Values)> {
    let (mut holds, mut values) = (true, Values::new());
    for alpha in regular(results) {
        let run = results.find(Method::GradientEuler, alpha, seed)?;
        let first = run.trace.first()?;
        let step = run.trace.get(1)?.time;
        let stiffness = step * run.constants?.smoothness * first.gram_max_eigenvalue?;
        let peak = run.trace.iter().map(|row| row.loss).fold(0.0, f64::max);
        holds &= stiffness > 2.0 && run.largest_rise() > 1.0;
        values.insert("step_mu_lambda_max".to_owned(), stiffness);
        values.insert(named("initial_loss", alpha), first.loss);
        values.insert(named("peak_loss", alpha), peak);
    }
    Some((holds, values))
}

fn euler_against_flow(results: &Results, seed: u64) -> Option<(bool, Values)> {
    let (mut holds, mut values) = (true, Values::new());
    for alpha in regular(results) {
        let euler = results.find(Method::GaussNewton, alpha, seed)?;
        let flow = results.find(Method::GaussNewtonAdaptive, alpha, seed)?;
        let pairs = euler.trace.iter().zip(&flow.trace);
        let worst = pairs.map(|(e, f)| (e.loss / f.loss - 1.0).abs()).fold(0.0, f64::max);
        holds &= worst <= 0.05;
        values.insert(named("largest_difference", alpha), worst);
    }
    Some((holds, values))
}
