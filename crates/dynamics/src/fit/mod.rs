//! Levenberg-Marquardt for anybody's residuals: `minimize sum_j C^2 rho(omega_j f_j(w)^2 / C^2)` over a box.
//!
//! Each step minimizes `norm(b + J d)^2` in a trust region `norm(D d) <= radius` (J. J. More, 1978), D the
//! running maxima of J's column norms, radius by the gain ratio. Geodesic acceleration (Transtrum and
//! Sethna, 2012) is added where the plain step does badly, and near a minimum with large residuals the
//! structured secant `J^T J + S` (Dennis, Gay and Welsch, 1981) takes over from `J^T J`.

mod confine;
mod covariance;
mod error;
mod history;
mod iterate;
mod noise;
mod point;
mod propose;
mod release;
mod result;
mod robust;
mod rough;
mod sandwich;
mod schedule;
mod secant;
mod settings;
mod sparse_covariance;
mod stop;
mod summary;
mod valley;

use std::ops::ControlFlow;

use gaussflow_objective::SmoothMap;

pub use covariance::NullDirection;
pub use error::FitError;
pub use history::{StepKind, StepRecord, Verdict};
pub use result::{BoundSide, Fit};
pub use robust::RobustLoss;
pub use settings::{Acceleration, Damping, FitSettings};
pub use stop::{FitCounts, FitStop};

use iterate::Iteration;
use robust::Rows;

/// Sees every trial point with its parameters; breaking ends the fit.
pub(crate) type FitObserver<'a> = &'a mut dyn FnMut(&StepRecord, &[f64]) -> ControlFlow<()>;

/// The box that parameters are kept in.
#[derive(Clone, Debug)]
pub(crate) struct Bounds {
    pub(crate) lower: Vec<f64>,
    pub(crate) upper: Vec<f64>,
}

/// A least-squares problem: a map whose outputs are residuals, or predictions of [`Self::with_observations`], and what
/// is known about parameters and observations. A map of predictions serves an
/// [`Objective`](gaussflow_objective::Objective) unchanged.
///
/// # Examples
/// ```
/// use gaussflow_dynamics::{FitSettings, LeastSquares};
/// use gaussflow_objective::{FiniteDifferences, ResidualFn};
///
/// let (t, y) = ([0.0, 1.0, 2.0, 3.0], [5.1, 3.1, 1.7, 1.2]);
/// let model = ResidualFn::new(4, 2, move |w, out| {
///     for (out, t) in out.iter_mut().zip(t) {
///         *out = w[0] * f64::exp(-w[1] * t);
///     }
/// });
/// let problem = LeastSquares::new(FiniteDifferences::new(model))
///     .with_observations(y.to_vec())?
///     .with_names(["height", "rate"])?;
/// let fit = problem.fit(&[1.0, 1.0], &FitSettings::default())?;
/// assert!(fit.stop.converged());
/// println!("{fit}");
/// # Ok::<(), gaussflow_dynamics::FitError>(())
/// ```
#[derive(Clone, Debug)]
pub struct LeastSquares<M> {
    map: M,
    given: Given,
}

/// What is known beside the map.
#[derive(Clone, Debug)]
pub(crate) struct Given {
    /// The parameters' names.
    pub(crate) names: Vec<String>,
    pub(crate) bounds: Option<Bounds>,
    /// Observations, weights and the loss.
    pub(crate) rows: Rows,
}

impl<M: SmoothMap> LeastSquares<M> {
    /// The sum of squares of `map`'s outputs, which are residuals (model minus data) unless
    /// [`Self::with_observations`] says what they predict.
    pub fn new(map: M) -> Self {
        let names = (0..map.parameters()).map(|k| format!("w[{k}]")).collect();
        Self { map, given: Given { names, bounds: None, rows: Rows::default() } }
    }

    /// Says that the map's outputs f predict `observations` y (length n): the residuals are f - y.
    ///
    /// # Cost
    /// One subtraction of y an evaluation. Differences are then those of f, without the rounding of f - y.
    ///
    /// # Errors
    /// [`FitError::Count`] or [`FitError::Observation`].
    pub fn with_observations(mut self, observations: Vec<f64>) -> Result<Self, FitError> {
        require_count("observations", &observations, self.map.outputs())?;
        if let Some(index) = observations.iter().position(|y| !y.is_finite()) {
            return Err(FitError::Observation { index, value: observations[index] });
        }
        self.given.rows.observations = Some(observations);
        Ok(self)
    }

    /// Names the p parameters, for messages and the summary.
    ///
    /// # Errors
    /// [`FitError::Count`].
    pub fn with_names<S: Into<String>>(
        mut self,
        names: impl IntoIterator<Item = S>,
    ) -> Result<Self, FitError> {
        let names: Vec<String> = names.into_iter().map(Into::into).collect();
        require_count("names", &names, self.map.parameters())?;
        self.given.names = names;
        Ok(self)
    }

    /// Keeps each parameter within `[lower_k, upper_k]` (length p each; infinities allowed).
    ///
    /// Equal bounds fix a parameter. Parameters at a bound that the gradient points out of are held; a step that
    /// would leave the box is solved again with the offending parameters cut short of their bounds, and at them if
    /// the next step leaves there too. Where the others lose their effect at a bound, it is not stepped on. Every
    /// point evaluated lies in the box, those of differences included.
    ///
    /// # Errors
    /// [`FitError::Count`]; [`FitError::Bounds`] where lower is above upper.
    pub fn with_bounds(mut self, lower: Vec<f64>, upper: Vec<f64>) -> Result<Self, FitError> {
        require_count("lower bounds", &lower, self.map.parameters())?;
        require_count("upper bounds", &upper, self.map.parameters())?;
        for (k, (&lower, &upper)) in lower.iter().zip(&upper).enumerate() {
            // Written so that NaN is refused.
            let proper = lower <= upper && lower < f64::INFINITY && upper > f64::NEG_INFINITY;
            if !proper {
                return Err(FitError::Bounds { name: self.given.names[k].clone(), lower, upper });
            }
        }
        self.given.bounds = Some(Bounds { lower, upper });
        Ok(self)
    }

    /// Weighs observation j by omega_j > 0: 1/variance for observations of unequal precision.
    ///
    /// # Errors
    /// [`FitError::Count`] or [`FitError::Weight`].
    pub fn with_weights(mut self, weights: Vec<f64>) -> Result<Self, FitError> {
        require_count("weights", &weights, self.map.outputs())?;
        let improper = weights.iter().enumerate().find(|(_, x)| !(x.is_finite() && **x > 0.0));
        if let Some((index, &value)) = improper {
            return Err(FitError::Weight { index, value });
        }
        self.given.rows.weights = Some(weights);
        Ok(self)
    }

    /// Measures residuals by `loss` instead of by squares.
    ///
    /// # Errors
    /// [`FitError::InvalidSetting`] on a scale that is not positive and finite.
    pub fn with_loss(mut self, loss: RobustLoss) -> Result<Self, FitError> {
        stop::require_positive("the scale of the loss", loss.scale())?;
        self.given.rows.loss = loss;
        Ok(self)
    }

    /// The map.
    pub fn map(&self) -> &M {
        &self.map
    }

    /// The parameters' names.
    pub fn names(&self) -> &[String] {
        &self.given.names
    }

    /// Fits from `start` (length p).
    ///
    /// # Errors
    /// [`FitError`] where the fit cannot start; everything later is in [`Fit::stop`].
    pub fn fit(&self, start: &[f64], settings: &FitSettings) -> Result<Fit, FitError> {
        self.fit_observed(start, settings, &mut |_, _| ControlFlow::Continue(()))
    }

    /// Fits and shows every trial point, with its parameters, to `observer`.
    ///
    /// # Errors
    /// As [`Self::fit`].
    pub fn fit_observed(
        &self,
        start: &[f64],
        settings: &FitSettings,
        observer: &mut dyn FnMut(&StepRecord, &[f64]) -> ControlFlow<()>,
    ) -> Result<Fit, FitError> {
        self.fit_with_jacobian(start, settings, observer).map(|(fit, _)| fit)
    }

    /// As [`Self::fit_observed`], and gives the map's Jacobian (n x p, without weights) at the parameters found.
    ///
    /// # Errors
    /// As [`Self::fit`].
    pub fn fit_with_jacobian(
        &self,
        start: &[f64],
        settings: &FitSettings,
        observer: &mut dyn FnMut(&StepRecord, &[f64]) -> ControlFlow<()>,
    ) -> Result<(Fit, M::Jacobian), FitError> {
        Iteration::new(&self.map, &self.given, start, settings)?.run(observer)
    }
}

/// Refuses a list of another length.
fn require_count<T>(what: &'static str, list: &[T], expected: usize) -> Result<(), FitError> {
    if list.len() == expected {
        Ok(())
    } else {
        Err(FitError::Count { what, expected, found: list.len() })
    }
}
