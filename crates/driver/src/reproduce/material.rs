//! What the audit of the paper is made of: real rows by seed, and the traces of section 5's runs.

use gaussflow::theory::referee::{Effort, Material, Rows, SeedTraces, Traced};
use gaussflow_data::{DataError, Dataset, Sample, Standardize, TargetScale};

use super::plan::{COLLAPSING, Method};
use super::results::{Finished, Results};

/// Seeds whose rows are audited at full effort; one at quick.
const SEEDS: u64 = 3;

/// Everything that the audit is made of.
///
/// # Errors
/// [`DataError`] where the data have fewer rows than are audited.
pub fn material(data: &Dataset, results: &Results) -> Result<Material, DataError> {
    Ok(Material {
        effort: results.mode.choose(Effort::Quick, Effort::Full),
        under: rows(data, results, 256)?,
        over: rows(data, results, 64)?,
        traces: traces(results),
    })
}

/// `samples` rows of the first seeds, scaled as in section 5.
fn rows(data: &Dataset, results: &Results, samples: usize) -> Result<Vec<Rows>, DataError> {
    let seeds = results.mode.choose(1, SEEDS);
    (0..seeds)
        .map(|seed| {
            let (features, targets) = (Standardize::Subset, TargetScale::Raw);
            let sample = Sample::draw(data, samples, features, targets, seed)?;
            let (inputs, targets) = (sample.inputs, sample.targets);
            Ok(Rows { seed, inputs, targets, features: sample.dimension })
        })
        .collect()
}

/// Section 5's runs, seed by seed.
fn traces(results: &Results) -> Vec<SeedTraces> {
    (0..results.seeds)
        .map(|seed| {
            let regular = || results.mode.scalings().iter().filter(|alpha| **alpha > COLLAPSING);
            let all = |method| {
                regular().filter_map(|&a| results.find(method, a, seed)).map(traced).collect()
            };
            let first = regular().find_map(|&a| results.find(Method::GaussNewton, a, seed));
            let radius =
                first.and_then(|run| run.constants).map_or(f64::NAN, |c| c.ball_radius(0.5));
            let flow = results.find(Method::GaussNewtonAdaptive, COLLAPSING, seed);
            SeedTraces {
                seed,
                ball_radius: radius,
                newton: all(Method::GaussNewton),
                gradient: all(Method::Gradient),
                collapsing: results.find(Method::GaussNewton, COLLAPSING, seed).map(traced),
                rank_lost: flow.and_then(Finished::rank_lost).map(|event| event.time),
            }
        })
        .collect()
}

/// A run's trace in the form that the audit reads.
fn traced(run: &Finished) -> Traced {
    Traced {
        scaling: run.scaling,
        time: run.column(|row| row.time),
        loss: run.column(|row| row.loss),
        deviation: run.column(|row| row.deviation),
        tangent_gradient: run.column(|row| row.riemannian_gradient_norm),
        rank_ratio: run.column(Finished::ratio),
    }
}
