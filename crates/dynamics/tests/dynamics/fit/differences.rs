//! Difference Jacobians in a fit: walls on either side, boxes, large offsets.

use gaussflow_dynamics::{Fit, FitSettings, LeastSquares};
use gaussflow_objective::{FiniteDifferences, MapError, ResidualFn, Residuals};

fn fit(map: impl Residuals, start: &[f64]) -> Fit {
    LeastSquares::new(FiniteDifferences::new(map)).fit(start, &FitSettings::default()).unwrap()
}

/// `a / (x + sign b)^n`: from (1, 1, 1) the way leads along the wall `x + sign b = 0`.
fn intensity(sign: f64) -> impl Residuals {
    let x = [10.0, 20.0, 30.0, 60.0, 120.0, 180.0, 360.0, 720.0, 1440.0];
    let y = [243.0, 194.0, 171.9, 128.1, 76.7, 54.7, 31.0, 16.2, 8.4];
    ResidualFn::new(9, 3, move |w: &[f64], r: &mut [f64]| {
        for ((r, x), y) in r.iter_mut().zip(x).zip(y) {
            *r = w[0] / (x + sign * w[1]).powf(w[2]) - y;
        }
    })
}

#[test]
fn a_wall_on_either_side_is_left_again() {
    for sign in [1.0, -1.0] {
        let fit = fit(intensity(sign), &[1.0, sign, 1.0]);
        assert!(fit.stop.converged(), "{fit}");
        // SciPy's four methods.
        assert!((fit.loss / 98.020_780_633_0 - 1.0).abs() < 1e-9, "{fit}");
        assert!((sign * fit.parameters[1] / 40.8208 - 1.0).abs() < 1e-5, "{fit}");
        assert!((fit.standard_deviations[1] / 8.650_47 - 1.0).abs() < 1e-5, "{fit}");
    }
}

#[test]
fn a_narrow_peak_far_from_zero_is_fitted_at_every_offset() {
    for (centre, width) in [(2.442e9, 12_000.0), (-2.442e9, 12_000.0), (1e12, 1e6), (1e7, 30.0)] {
        let x: Vec<f64> = (0..31).map(|j| centre + (f64::from(j) - 15.0) * width / 6.0).collect();
        let y: Vec<f64> = (x.iter().enumerate())
            .map(|(j, x)| {
                let u = (x - centre) / width;
                25.0 * (-0.5 * u * u).exp() + 0.05 * (13.0 * j as f64).sin()
            })
            .collect();
        let map = ResidualFn::new(31, 3, move |w: &[f64], r: &mut [f64]| {
            for ((r, x), y) in r.iter_mut().zip(&x).zip(&y) {
                *r = w[0] * (-(x - w[1]).powi(2) / (2.0 * w[2] * w[2])).exp() - y;
            }
        });
        let fit = fit(map, &[20.0, centre - 5.0 / 12.0 * width, width / 1.2]);
        // The same problem in every unit: SciPy's lm at the first.
        assert!(fit.stop.converged(), "{fit}");
        assert!((fit.loss / 0.035_936_823_643_2 - 1.0).abs() < 1e-6, "{fit}");
        let expected = [0.013_501_5, 7.469_37 / 12_000.0 * width, 7.554_55 / 12_000.0 * width];
        for (found, expected) in fit.standard_deviations.iter().zip(expected) {
            assert!((found / expected - 1.0).abs() < 1e-4, "{found} {expected}\n{fit}");
        }
    }
}

/// `(a + 1)^(3/2) t + b`, which refuses every a below its bound; the data ask for a = -0.5.
struct Walled(f64);

impl Residuals for Walled {
    fn parameters(&self) -> usize {
        2
    }
    fn outputs(&self) -> usize {
        8
    }
    fn value(&self, w: &[f64], out: &mut [f64]) -> Result<(), MapError> {
        if w[0] < self.0 {
            return Err(MapError::Undefined { reason: format!("{} is below the box", w[0]) });
        }
        for (j, o) in out.iter_mut().enumerate() {
            let t = 1.0 + j as f64;
            *o =
                (w[0] + 1.0).powf(1.5) * t + w[1] - (0.5_f64.powf(1.5) * t + 0.1 * (2.0 * t).sin());
        }
        Ok(())
    }
}

#[test]
fn a_minimum_on_a_bound_whose_far_side_is_undefined_is_found() {
    for lower in [0.0, 0.25] {
        let problem = LeastSquares::new(FiniteDifferences::new(Walled(lower)))
            .with_bounds(vec![lower, -10.0], vec![9.0, 10.0])
            .unwrap();
        for start in [[lower, 0.0], [2.0, 1.0]] {
            let fit = problem.fit(&start, &FitSettings::default()).unwrap();
            assert!(fit.stop.converged() && fit.counts.undefined == 0, "{fit}");
            assert!((fit.parameters[0] - lower).abs() < 1e-9, "{fit}");
        }
    }
}
