//! Walls of NaN, typed refusals and overflow: rejected, counted, survived.

use gaussflow_dynamics::{FitError, FitSettings, LeastSquares, Verdict};
use gaussflow_objective::{FiniteDifferences, MapError, ResidualFn, Residuals};

const TIMES: [f64; 6] = [0.5, 1.0, 1.5, 2.0, 3.0, 4.0];

/// `y = sqrt(a t) + ln(b)`, undefined for a < 0 and b <= 0.
fn roots() -> impl Residuals {
    ResidualFn::new(6, 2, |w: &[f64], r: &mut [f64]| {
        for (r, t) in r.iter_mut().zip(TIMES) {
            *r = (w[0] * t).sqrt() + w[1].ln() - ((2.0 * t).sqrt() + 0.3_f64.ln());
        }
    })
}

#[test]
fn steps_into_nan_are_rejected_and_counted() {
    let problem = LeastSquares::new(FiniteDifferences::new(roots()));
    let fit = problem.fit(&[0.01, 5.0], &FitSettings::default()).unwrap();
    assert!(fit.stop.converged(), "{fit}");
    assert!((fit.parameters[0] - 2.0).abs() < 1e-8, "{fit} {:#?}", fit.history);
    assert!((fit.parameters[1] - 0.3).abs() < 1e-8, "{fit}");
    let undefined = fit.history.iter().filter(|r| r.verdict == Verdict::Undefined).count();
    assert!(undefined > 0 && fit.counts.undefined >= undefined, "{fit}");
}

/// A model that refuses by a typed error beyond a wall at w_0 = 3, just past its minimum.
struct Walled;

impl Residuals for Walled {
    fn parameters(&self) -> usize {
        1
    }
    fn outputs(&self) -> usize {
        2
    }
    fn value(&self, w: &[f64], out: &mut [f64]) -> Result<(), MapError> {
        if w[0] > 3.0 {
            return Err(MapError::Undefined { reason: format!("w is {}, above 3", w[0]) });
        }
        out[0] = w[0].exp() - 2.999_f64.exp();
        out[1] = 0.1 * (w[0] - 2.999);
        Ok(())
    }
}

#[test]
fn a_typed_refusal_is_a_rejected_step() {
    let problem = LeastSquares::new(FiniteDifferences::new(Walled));
    let fit = problem.fit(&[0.0], &FitSettings::default()).unwrap();
    assert!(fit.stop.converged() && (fit.parameters[0] - 2.999).abs() < 1e-7, "{fit}");
    assert!(fit.counts.undefined > 0, "{fit}");
}

#[test]
fn overflow_on_the_way_is_survived() {
    let map = ResidualFn::new(6, 2, |w: &[f64], r: &mut [f64]| {
        for (r, t) in r.iter_mut().zip(TIMES) {
            *r = w[0] * (w[1] * t).exp() - 3.0 * (-0.8 * t).exp();
        }
    });
    let problem = LeastSquares::new(FiniteDifferences::new(map));
    // A loss of 1e280 at the start: the fit ends in numbers, though not in this start's far-off minimum.
    let fit = problem.fit(&[1.0, 80.0], &FitSettings::default()).unwrap();
    assert!(fit.loss < 10.0 && fit.parameters.iter().all(|w| w.is_finite()), "{fit}");
    let fit = problem.fit(&[1.0, 1.0], &FitSettings::default()).unwrap();
    assert!(fit.stop.converged() && (fit.parameters[1] + 0.8).abs() < 1e-6, "{fit}");
    // One square overflows: that is no start.
    let error = problem.fit(&[1.0, 100.0], &FitSettings::default()).unwrap_err();
    assert!(matches!(error, FitError::StartOverflow { .. }), "{error}");
}

#[test]
fn an_undefined_start_says_so() {
    let problem = LeastSquares::new(FiniteDifferences::new(roots()));
    let error = problem.fit(&[-1.0, 5.0], &FitSettings::default()).unwrap_err();
    assert!(matches!(error, FitError::Start(MapError::NonFinite { index: 0, .. })), "{error}");
}
