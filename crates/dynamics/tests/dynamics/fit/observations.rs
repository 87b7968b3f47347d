//! A map of predictions with observations is the problem of their differences, to the last bit.

use gaussflow_dynamics::{Fit, FitError, FitSettings, LeastSquares, RobustLoss};
use gaussflow_objective::SmoothMap;

use crate::fit::analytic::Analytic;
use num_dual::{Dual64 as Dual, DualNum};

const TIMES: [f64; 6] = [0.0, 0.5, 1.0, 1.5, 2.0, 2.5];
const SEEN: [f64; 6] = [3.02, 1.80, 1.11, 0.66, 0.41, 0.24];

/// `w_0 exp(-w_1 t) - y`.
fn decay(seen: [f64; 6]) -> impl SmoothMap {
    Analytic::new(2, move |w: &[Dual]| {
        let rows = TIMES.iter().zip(seen);
        rows.map(|(t, y)| w[0] * (-w[1] * Dual::from(*t)).exp() - Dual::from(y)).collect()
    })
}

fn fit<M: SmoothMap>(problem: LeastSquares<M>, loss: RobustLoss) -> Fit {
    let weights = TIMES.iter().map(|t| 1.0 + t).collect();
    let problem = problem.with_loss(loss).unwrap().with_weights(weights).unwrap();
    let problem = problem.with_bounds(vec![0.0, 0.0], vec![9.0, 9.0]).unwrap();
    problem.fit(&[1.0, 1.0], &FitSettings::default()).unwrap()
}

#[test]
fn observations_give_the_bits_of_residuals() {
    for loss in [RobustLoss::Squares, RobustLoss::Huber { scale: 0.02 }] {
        let residuals = fit(LeastSquares::new(decay(SEEN)), loss);
        let predictions = LeastSquares::new(decay([0.0; 6])).with_observations(SEEN.to_vec());
        let found = fit(predictions.unwrap(), loss);
        assert!(found.stop.converged());
        // The text of all fields: NaN equals itself there.
        assert_eq!(format!("{residuals:?}"), format!("{found:?}"));
    }
}

#[test]
fn observations_that_do_not_fit_are_refused() {
    let with = |seen: Vec<f64>| LeastSquares::new(decay(SEEN)).with_observations(seen).err();
    assert!(matches!(with(vec![1.0; 5]), Some(FitError::Count { expected: 6, found: 5, .. })));
    let mut seen = SEEN.to_vec();
    seen[3] = f64::NAN;
    assert!(matches!(with(seen), Some(FitError::Observation { index: 3, .. })));
}
