//! What needs no network: predicting 0, the mean of the drawn targets, and linear regression, on the rows of every seed.

use gaussflow::solvers::{DenseJacobian, Factors, SolveError, SolveRequest};
use gaussflow_data::{Dataset, Sample};

use super::ReproduceError;
use crate::config::Config;
use crate::run::RunError;

/// Mean losses per row, on drawn and on held-out rows.
#[derive(Clone, Copy, Debug)]
pub struct Baseline {
    /// On the drawn rows.
    pub drawn: f64,
    /// On all others.
    pub held_out: f64,
}

/// The losses of each prediction, one a seed; without any where they were not computed.
#[derive(Clone, Debug, Default)]
pub struct Baselines {
    /// Of 0, which the network of section 5 predicts at the start.
    pub zero: Vec<Baseline>,
    /// Of the mean of the drawn targets.
    pub mean: Vec<Baseline>,
    /// Of least squares on the drawn rows, with a constant.
    pub linear: Vec<Baseline>,
}

/// The baselines on the rows of every seed, drawn and scaled as in section 5.
///
/// # Errors
/// [`ReproduceError`] where the data have fewer rows than are drawn, or the regression has no solution.
pub fn baselines(data: &Dataset, seeds: u64) -> Result<Baselines, ReproduceError> {
    let mut found = Baselines::default();
    for seed in 0..seeds {
        let settings = Config::default().data;
        let (samples, standardize) = (settings.samples, settings.standardize);
        let sample = Sample::draw(data, samples, standardize, settings.targets, seed)
            .map_err(RunError::from)?;
        let mean = sample.targets.iter().sum::<f64>() / samples as f64;
        let linear = regression(&sample)?;
        let predict = |x: &[f64]| -> f64 {
            linear[0] + x.iter().zip(&linear[1..]).map(|(x, w)| x * w).sum::<f64>()
        };
        found.zero.push(baseline(&sample, |_| 0.0));
        found.mean.push(baseline(&sample, |_| mean));
        found.linear.push(baseline(&sample, predict));
    }
    Ok(found)
}

/// The losses of a prediction.
fn baseline(sample: &Sample, predict: impl Fn(&[f64]) -> f64) -> Baseline {
    let mean_loss = |inputs: &[f64], targets: &[f64]| {
        let rows = inputs.chunks_exact(sample.dimension).zip(targets);
        rows.map(|(x, y)| (predict(x) - y).powi(2)).sum::<f64>() / targets.len() as f64
    };
    Baseline {
        drawn: mean_loss(&sample.inputs, &sample.targets),
        held_out: mean_loss(&sample.held_out_inputs, &sample.held_out_targets),
    }
}

/// The constant and the weights of least squares on the drawn rows.
fn regression(sample: &Sample) -> Result<Vec<f64>, SolveError> {
    let (n, d) = (sample.targets.len(), sample.dimension);
    let mut design = DenseJacobian::zeros(n, d + 1);
    for (j, x) in sample.inputs.chunks_exact(d).enumerate() {
        design.matrix_mut()[(j, 0)] = 1.0;
        (0..d).for_each(|k| design.matrix_mut()[(j, k + 1)] = x[k]);
    }
    let mut weights = vec![0.0; d + 1];
    let request = SolveRequest::default();
    Factors::new(n, d + 1)?.solve(&design, request, &sample.targets, &mut weights)?;
    Ok(weights)
}
