//! Robust losses, weights and bounds against SciPy; `tests/golden/robust_losses.py` writes the numbers.

use gaussflow_dynamics::{BoundSide, FitError, FitSettings, LeastSquares, RobustLoss};
use gaussflow_objective::SmoothMap;

use crate::fit::analytic::Analytic;
use num_dual::{Dual64 as Dual, DualNum};

const GOLDEN: &str = include_str!("../../data/robust_losses.txt");

/// The numbers of lines that begin with `kind`, after `skip` words.
fn lines(kind: &str, skip: usize) -> impl Iterator<Item = (Vec<&'static str>, Vec<f64>)> {
    let kind = kind.to_owned();
    GOLDEN.lines().filter_map(move |line| {
        let words: Vec<&str> = line.split(' ').collect();
        (words[0] == kind).then(|| {
            let numbers = words[1 + skip..].iter().map(|x| x.parse().unwrap()).collect();
            (words[1..=skip].to_vec(), numbers)
        })
    })
}

fn model() -> impl SmoothMap {
    let data: Vec<Vec<f64>> = lines("data", 0).map(|(_, numbers)| numbers).collect();
    Analytic::new(3, move |w: &[Dual]| {
        data.iter().map(|row| w[0] * (-w[1] * row[0]).exp() + w[2] - row[1]).collect()
    })
}

#[test]
fn losses_weights_and_covariances_agree_with_scipy() {
    let weights: Vec<f64> = lines("data", 0).map(|(_, numbers)| numbers[2]).collect();
    let mut compared = 0;
    for (words, golden) in lines("fit", 3) {
        let loss = RobustLoss::from_name(words[1], words[2].parse().unwrap()).unwrap();
        let mut problem = LeastSquares::new(model()).with_loss(loss).unwrap();
        if words[0] == "1" {
            problem = problem.with_weights(weights.clone()).unwrap();
        }
        let fit = problem.fit(&[3.0, 1.0, 0.3], &FitSettings::default()).unwrap();
        assert!(fit.stop.converged(), "{words:?} {fit}");
        // SciPy stops where its loss no longer changes: the square root of eps in parameters. Its solution
        // may be as far off as that; losses agree to rounding.
        assert!((fit.loss / golden[3] - 1.0).abs() < 1e-12, "{words:?} {} {}", fit.loss, golden[3]);
        for (k, (found, golden)) in fit.parameters.iter().zip(&golden[..3]).enumerate() {
            assert!((found - golden).abs() < 1e-6, "{words:?} {k}: {found} {golden}");
        }
        for (found, golden) in fit.standard_deviations.iter().zip(&golden[4..]) {
            assert!((found / golden - 1.0).abs() < 1e-4, "{words:?}: {found} {golden}");
        }
        compared += 1;
    }
    assert_eq!(compared, 16);
}

#[test]
fn a_box_with_a_robust_loss_agrees_with_scipy() {
    let (_, golden) = lines("bounded", 0).next().unwrap();
    let problem = LeastSquares::new(model())
        .with_loss(RobustLoss::SoftL1 { scale: 0.5 })
        .unwrap()
        .with_bounds(vec![0.0; 3], vec![3.5, 5.0, 5.0])
        .unwrap();
    let fit = problem.fit(&[3.0, 1.0, 0.3], &FitSettings::default()).unwrap();
    assert_eq!(fit.at_bound, [Some(BoundSide::Upper), None, None], "{fit}");
    assert!(fit.loss <= golden[3] * (1.0 + 1e-9), "{} {}", fit.loss, golden[3]);
    for (found, golden) in fit.parameters.iter().zip(&golden) {
        assert!((found - golden).abs() < 1e-4, "{found} {golden}");
    }
}

#[test]
fn rho_and_its_derivatives_agree_with_differences() {
    for name in ["squares", "huber", "soft-l1", "cauchy", "arctan"] {
        let loss = RobustLoss::from_name(name, 1.0).unwrap();
        for z in [1e-3, 0.3, 0.99, 1.5, 40.0] {
            let h = 1e-5 * z;
            let ([value, first, second], after, before) =
                (loss.rho(z), loss.rho(z + h), loss.rho(z - h));
            let slopes = [(after[0] - before[0]) / (2.0 * h), (after[1] - before[1]) / (2.0 * h)];
            // Differences of h = 1e-5 z: truncation 1e-10, rounding 1e-11.
            assert!((slopes[0] - first).abs() < 1e-8 * first.abs(), "{name} {z}");
            assert!((slopes[1] - second).abs() <= 1e-8 * first.abs() / z, "{name} {z}");
            assert!(value <= z);
        }
    }
}

#[test]
fn improper_weights_and_scales_are_refused() {
    let weights = LeastSquares::new(model()).with_weights(vec![-1.0; 25]).err().unwrap();
    assert!(matches!(weights, FitError::Weight { index: 0, .. }), "{weights}");
    let loss = LeastSquares::new(model()).with_loss(RobustLoss::Huber { scale: 0.0 });
    assert!(matches!(loss.err(), Some(FitError::InvalidSetting { .. })));
}
