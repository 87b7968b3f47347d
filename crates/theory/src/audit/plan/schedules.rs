//! Rate a step against conditioning for each damping schedule, p > n.

use gaussflow_dynamics::{
    ConstantDamping, DampingSchedule, GainRatioDamping, KernelEigenvalueDamping, StepLength,
    StepVerdict, iterate_scheduled,
};

use crate::TheoryError;
use crate::audit::plan::{Findings, ScheduleRate};
use crate::audit::under_remarks::gram_condition;
use crate::problem::Problem;
use crate::sampling::Sampler;

/// alpha: large enough for the iterates to stay where f is linear.
const SCALING: f64 = 1e6;
/// Attempts a schedule has.
const ATTEMPTS: usize = 400;
/// Share of the initial gap at which a measurement ends.
const DONE: f64 = 1e-10;

/// Four rows and four near copies at a distance that sets cond(K_0).
fn pairs(distance: f64) -> Result<Problem, TheoryError> {
    let mut sampler = Sampler::new(40);
    let d = 4;
    let first = sampler.normal(4 * d);
    let change = sampler.normal(4 * d);
    let copies = first.iter().zip(&change).map(|(x, c)| x + distance * c);
    let inputs: Vec<f64> = first.iter().copied().chain(copies).collect();
    let targets = sampler.normal(8);
    Problem::regression("pairs of rows", (&inputs, d), &targets, 16, 5)
}

/// The sweep over distances, for the schedules and two constants.
pub fn sweep() -> Result<Findings, TheoryError> {
    let mut found = Findings::default();
    for distance in [1.0, 1e-1, 1e-2, 1e-3] {
        let problem = pairs(distance)?;
        let condition = gram_condition(&problem)?;
        let mut run = |name: &str, schedule: &mut dyn DampingSchedule| {
            let objective = problem.objective(SCALING)?;
            let (initial, length) = (&problem.initial, StepLength::Whole);
            let (steps, _) = iterate_scheduled(&objective, initial, schedule, length, ATTEMPTS)?;
            let start = steps.first().map_or(f64::NAN, |s| s.loss);
            let end = steps.iter().position(|s| s.loss <= DONE * start);
            let last = end.unwrap_or(steps.len() - 1);
            let rejected =
                steps[..last].iter().filter(|s| s.verdict == StepVerdict::Rejected).count();
            let rate = (start / steps[last].loss).ln() / last as f64;
            let schedule = name.to_owned();
            found.schedule_rates.push(ScheduleRate { schedule, condition, rate, rejected });
            Ok::<(), TheoryError>(())
        };
        run("ρ = 0.1", &mut ConstantDamping { damping: 0.1 })?;
        run("ρ = 1e-4", &mut ConstantDamping { damping: 1e-4 })?;
        run("ρ = λ/(1+λ)", &mut KernelEigenvalueDamping)?;
        run("gain ratio", &mut GainRatioDamping::new(1.0))?;
    }
    Ok(found)
}
