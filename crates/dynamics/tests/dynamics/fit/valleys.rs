//! Minima that the gradient does not tell: J loses rank there, or curvature outside of `J^T J` rules.

use gaussflow_dynamics::{FitSettings, FitStop, LeastSquares};
use gaussflow_objective::{FiniteDifferences, ResidualFn};

/// `(w - a)^2 + 5`: J is 0 at the minimum, and residuals are equal on both sides of it.
#[test]
fn a_minimum_where_the_jacobian_vanishes_is_found_from_every_start() {
    let places = (-10..=10).map(|k| 0.5 * f64::from(k));
    for a in places.clone() {
        for start in places.clone() {
            let map = ResidualFn::new(1, 1, move |w: &[f64], out: &mut [f64]| {
                out[0] = (w[0] - a).powi(2) + 5.0;
            });
            let problem = LeastSquares::new(FiniteDifferences::new(map));
            let fit = problem.fit(&[start], &FitSettings::default()).unwrap();
            assert!(fit.stop.converged(), "a = {a} from {start}: {fit}");
            // The loss shows a distance x where 10 x^2 stands out of the rounding of 25.
            assert!((fit.parameters[0] - a).abs() < 1e-6, "a = {a} from {start}: {fit}");
        }
    }
}

/// Brown and Dennis's function (residuals of 85,822 at its minimum) from 200 starts.
#[test]
fn large_residuals_end_at_their_minimum_by_differences() {
    for k in 0..200 {
        let far = 1.0 + 1e-3 * f64::from(k);
        let map = ResidualFn::new(20, 4, |w: &[f64], out: &mut [f64]| {
            for (j, out) in out.iter_mut().enumerate() {
                let t = (j + 1) as f64 / 5.0;
                let (a, b) = (w[0] + t * w[1] - t.exp(), w[2] + w[3] * t.sin() - t.cos());
                *out = a * a + b * b;
            }
        });
        let problem = LeastSquares::new(FiniteDifferences::new(map));
        let fit = problem.fit(&[25.0 * far, 5.0, -5.0, -far], &FitSettings::default()).unwrap();
        assert!(fit.stop.converged(), "{far}: {fit}");
        assert!((fit.loss / 85_822.201_626_356_3 - 1.0).abs() < 1e-12, "{far}: {fit}");
    }
}

/// A slope at which a wrong Jacobian makes every step fail is no valley.
#[test]
fn a_slope_is_no_valley() {
    struct Wrong;
    impl gaussflow_objective::Residuals for Wrong {
        fn parameters(&self) -> usize {
            2
        }
        fn outputs(&self) -> usize {
            3
        }
        fn value(&self, w: &[f64], out: &mut [f64]) -> Result<(), gaussflow_objective::MapError> {
            out.copy_from_slice(&[w[0] - 1.0, w[1] - 2.0, w[0] * w[1]]);
            Ok(())
        }
    }
    impl gaussflow_objective::SmoothMap for Wrong {
        type Jacobian = gaussflow_solvers::DenseJacobian;
        fn new_jacobian(&self) -> Self::Jacobian {
            gaussflow_solvers::DenseJacobian::zeros(3, 2)
        }
        fn linearize(
            &self,
            w: &[f64],
            value: &mut [f64],
            jacobian: &mut Self::Jacobian,
        ) -> Result<(), gaussflow_objective::MapError> {
            use gaussflow_objective::Residuals;
            self.value(w, value)?;
            let mut matrix = jacobian.matrix_mut();
            // The signs of both columns are wrong.
            (matrix[(0, 0)], matrix[(1, 1)]) = (-1.0, -1.0);
            (matrix[(2, 0)], matrix[(2, 1)]) = (-w[1], -w[0]);
            Ok(())
        }
    }
    let fit = LeastSquares::new(Wrong).fit(&[3.0, 1.0], &FitSettings::default()).unwrap();
    assert!(!fit.stop.converged(), "{fit}");
}

/// Residuals with noise have no valley to be seen: fits of them that cannot go on do not claim one far from a minimum.
#[test]
fn noise_is_no_valley() {
    let mut claimed = 0;
    for seed in 0..300_u64 {
        let map = ResidualFn::new(30, 2, move |w: &[f64], out: &mut [f64]| {
            // Noise of 1e-6 that depends on every bit of the parameters.
            let mut state = w[0].to_bits() ^ w[1].to_bits().rotate_left(32) ^ (seed << 7);
            for (j, out) in out.iter_mut().enumerate() {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(seed | 1);
                let noise = (state >> 40) as f64 / f64::from(1 << 24) - 0.5;
                let t = j as f64 / 10.0;
                *out = w[0] * (-w[1] * t).exp() - 2.0 * (-t).exp() + 1e-6 * noise;
            }
        });
        let problem = LeastSquares::new(FiniteDifferences::new(map));
        let settings = FitSettings { max_evaluations: 400, ..FitSettings::default() };
        let fit = problem.fit(&[1.0, 0.5], &settings).unwrap();
        claimed += usize::from(fit.stop == FitStop::Decrease && fit.cosine > 1e-3);
    }
    assert!(claimed <= 1, "{claimed} of 300");
}
