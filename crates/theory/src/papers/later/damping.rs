//! Rate against conditioning for each damping schedule, p > n: of a step of the iteration, and of the flow.

use gaussflow_dynamics::{
    ConstantDamping, DampingSchedule, GainRatioDamping, KernelEigenvalueDamping, Preconditioner,
    StepLength, StepVerdict, iterate_scheduled,
};

use crate::TheoryError;
use crate::local::Local;
use crate::network_constants::NetworkConstants;
use crate::papers::gauss_newton::under_remarks::gram_condition;
use crate::papers::later::flows::{COARSE, Course, follow};
use crate::problem::Problem;
use crate::referee::{Effort, Measurements, Plot, Record, Statement, Table};
use crate::sampling::Sampler;

/// Attempts that a schedule has.
const ATTEMPTS: usize = 400;
/// Units of time that a flow has.
const HORIZON: f64 = 100.0;
/// Share of the initial gap at which a measurement ends.
const DONE: f64 = 1e-6;
/// The constant dampings.
const CONSTANTS: [(&str, f64); 2] = [("ρ = 0.1", 0.1), ("ρ = 1e-4", 1e-4)];
/// The schedule by the kernel's smallest eigenvalue.
const EIGENVALUE: &str = "ρ = λ/(1+λ)";

/// Four rows and four near copies at a distance that sets cond(K_0).
fn pairs(distance: f64) -> Result<Problem, TheoryError> {
    let mut sampler = Sampler::new(40);
    let d = 64;
    // Rows of length 1 or so, so that no unit saturates.
    let scale = (d as f64).sqrt().recip();
    let first = sampler.normal(4 * d);
    let change = sampler.normal(4 * d);
    let length = distance.hypot(1.0);
    let copies = first.iter().zip(&change).map(|(x, c)| (x + distance * c) / length);
    let inputs: Vec<f64> = first.iter().copied().chain(copies).map(|x| scale * x).collect();
    let targets = sampler.normal(8);
    Problem::regression("pairs of rows", (&inputs, d), &targets, 8, 5)
}

/// The pairs whose K_0 has the condition number `condition`, by bisection on their distance.
fn conditioned(condition: f64) -> Result<Problem, TheoryError> {
    let (mut low, mut high) = (1e-6_f64.ln(), 10.0_f64.ln());
    for _ in 0..40 {
        let middle = 0.5 * (low + high);
        if gram_condition(&pairs(middle.exp())?)? > condition {
            low = middle;
        } else {
            high = middle;
        }
    }
    let problem = pairs(high.exp())?;
    let name = format!("pairs of rows, cond(K_0) = {:.1e}", gram_condition(&problem)?);
    Ok(Problem { name, ..problem })
}

/// What a damping schedule came to at one conditioning.
struct ScheduleRate {
    /// Its name.
    schedule: &'static str,
    /// Whether steps were made, or a flow followed.
    kind: Kind,
    /// cond(K_0).
    condition: f64,
    /// `-d log(Delta)`, a step or a unit of time.
    rate: f64,
    /// Attempts that were rejected.
    rejected: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Step,
    Flow,
}

/// Mean fall of `log loss` over the second half of `losses` until the gap is [`DONE`]: the first half holds what the
/// fast modes lose, whatever the conditioning. Also the index where it ended.
fn late_rate(losses: &[f64]) -> (f64, usize) {
    let start = losses.first().copied().unwrap_or(f64::NAN);
    let end = losses.iter().position(|&g| g <= DONE * start).unwrap_or(losses.len() - 1);
    let half = end / 2;
    ((losses[half] / losses[end]).ln() / (end - half) as f64, end)
}

/// The iteration under one schedule.
fn steps(
    problem: &Problem,
    scaling: f64,
    schedule: &mut dyn DampingSchedule,
) -> Result<(f64, usize), TheoryError> {
    let objective = problem.objective(scaling)?;
    let length = StepLength::Whole;
    let (steps, _) = iterate_scheduled(&objective, &problem.initial, schedule, length, ATTEMPTS)?;
    let losses: Vec<f64> = steps.iter().map(|s| s.loss).collect();
    let (rate, end) = late_rate(&losses);
    let rejected = steps[..end].iter().filter(|s| s.verdict == StepVerdict::Rejected).count();
    Ok((rate, rejected))
}

/// The flow at constant damping.
fn flow(problem: &Problem, scaling: f64, damping: f64) -> Result<f64, TheoryError> {
    let preconditioner = Preconditioner::LevenbergMarquardt { damping };
    let samples = 1000;
    let course = Course { preconditioner, scaling, horizon: HORIZON, samples, tolerance: COARSE };
    let followed = follow(problem, &course)?;
    if followed.gave_up() {
        return Ok(f64::NAN);
    }
    let losses: Vec<f64> = followed.trajectory.samples.iter().map(|s| s.loss).collect();
    Ok(late_rate(&losses).0 * samples as f64 / HORIZON)
}

/// The sweep over conditionings, for the schedules and two constants.
pub(super) fn sweep(effort: Effort) -> Result<Measurements, TheoryError> {
    let conditions: &[f64] = effort.choose(&[1e2, 1e6], &[1e1, 1e2, 1e4, 1e6, 1e8]);
    let mut rates: Vec<ScheduleRate> = Vec::new();
    let mut records = Vec::new();
    for &wanted in conditions {
        let problem = conditioned(wanted)?;
        let condition = gram_condition(&problem)?;
        // At this alpha iterates stay where f is nearly linear.
        let scaling = 4.0 * NetworkConstants::measure(&problem)?.never_exits_scaling();
        let lambda = Local::measure(&problem, scaling, &problem.initial)?.smallest();
        let mut step = |schedule, damping: &mut dyn DampingSchedule| {
            let (rate, rejected) = steps(&problem, scaling, damping)?;
            rates.push(ScheduleRate { schedule, kind: Kind::Step, condition, rate, rejected });
            Ok::<f64, TheoryError>(rate)
        };
        for (name, damping) in CONSTANTS {
            step(name, &mut ConstantDamping { damping })?;
        }
        let of_steps = step(EIGENVALUE, &mut KernelEigenvalueDamping)?;
        step("gain ratio", &mut GainRatioDamping::new(1.0))?;
        let mut follow = |schedule, damping| {
            let rate = flow(&problem, scaling, damping)?;
            rates.push(ScheduleRate { schedule, kind: Kind::Flow, condition, rate, rejected: 0 });
            Ok::<f64, TheoryError>(rate)
        };
        for (name, damping) in CONSTANTS {
            follow(name, damping)?;
        }
        let of_flow = follow(EIGENVALUE, lambda / (1.0 + lambda))?;
        records.push(record(&problem, "-log(Delta_(k+1)/Delta_k) of the iteration with rho = lambda/(1+lambda) (left), log 4 (right)", [of_steps, 4_f64.ln()]));
        // 2 nu s/((1-rho) s + rho) at s = lambda.
        let nu = problem.loss.strong_convexity();
        records.push(record(&problem, "-d(log Delta)/dt of the flow with rho = lambda/(1+lambda), lambda that of K_0 (left), nu (1 + lambda) (right)", [of_flow, nu * (1.0 + lambda)]));
    }
    let plots = vec![picture(&rates, Kind::Step), picture(&rates, Kind::Flow)];
    Ok(Measurements { records, plots, tables: vec![table(&rates)], ..Measurements::default() })
}

fn record(problem: &Problem, text: &'static str, [left, right]: [f64; 2]) -> Record {
    let row = Statement { id: "later/adaptive-damping", place: "abstract, in kind", text };
    let note = "The right side is what the slowest mode has where f is linear (docs/learn/derivations.md, section 7). ";
    row.report(&problem.name, left, right, note)
}

/// A curve a schedule.
fn picture(rates: &[ScheduleRate], kind: Kind) -> Plot {
    let (stem, title, subtitle, y) = match kind {
        Kind::Step => (
            "audit_schedules",
            "Damping schedules: how fast the gap falls in one step, by conditioning",
            "More weights than rows; step αη = (1 − ρ)/μ. Each line is a schedule of the damping ρ; the rate is taken late in the run. A level line does not depend on conditioning.",
            "−log(Δₖ₊₁/Δₖ) per step",
        ),
        Kind::Flow => (
            "audit_later_damping_flow",
            "Damping: how fast the gap falls along the flow, by conditioning",
            "More weights than rows; λ is the smallest eigenvalue of K₀. Each line is a choice of the damping ρ; the rate is the slope of −log Δ late in the run. A level line does not depend on conditioning.",
            "rate −d log Δ/dt",
        ),
    };
    let mut plot =
        Plot::new(stem, title, subtitle, ("condition number of K₀", y)).logarithmic(true, true);
    let mut names: Vec<&str> = Vec::new();
    for rate in rates.iter().filter(|r| r.kind == kind) {
        if !names.contains(&rate.schedule) {
            names.push(rate.schedule);
        }
    }
    for name in names {
        let of = rates.iter().filter(|r| r.schedule == name && r.kind == kind);
        let (x, y) = of.map(|r| (r.condition, r.rate)).unzip();
        plot = plot.curve(name, x, y);
    }
    plot
}

fn table(rates: &[ScheduleRate]) -> Table {
    let cells = |r: &ScheduleRate| {
        let kind = match r.kind {
            Kind::Step => "step",
            Kind::Flow => "flow",
        };
        let (condition, rate) = (format!("{:.1e}", r.condition), format!("{:.4e}", r.rate));
        vec![r.schedule.to_owned(), kind.to_owned(), condition, rate, r.rejected.to_string()]
    };
    Table {
        title: "Damping schedules against conditioning".to_owned(),
        legend: format!(
            "Mean fall of log Δ a step (αη = (1−ρ)/μ) or a unit of time, over the second half of the run until the gap \
             is {DONE:e} of the first, {ATTEMPTS} attempts or t = {HORIZON}; overparameterized."
        ),
        head: vec!["damping", "of", "cond(K₀)", "−d log Δ", "rejected"],
        rows: rates.iter().map(cells).collect(),
    }
}
