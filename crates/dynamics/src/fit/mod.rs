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

/// Describes a least-squares problem, `minimize sum_j C^2 rho(omega_j r_j(w)^2 / C^2)` over a box, and fits it.
///
/// The residuals r are the outputs f of a map, or `f - y` for a map of predictions with [`Self::with_observations`]. The same
/// map of predictions serves an [`Objective`](gaussflow_objective::Objective) unchanged. Weights omega, bounds, names and a
/// robust loss rho with its scale C are optional; without them the fit minimizes `sum_j r_j^2`.
///
/// Where a fit by derivatives of your own does not converge, check them with
/// [`check_jacobian`](gaussflow_objective::check_jacobian).
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
    /// Creates the problem of minimizing the sum of squares of the outputs of `map` (n residuals, model minus data).
    pub fn new(map: M) -> Self {
        let names = (0..map.parameters()).map(|k| format!("w[{k}]")).collect();
        Self { map, given: Given { names, bounds: None, rows: Rows::default() } }
    }

    /// Sets the `observations` y (length n) that the outputs f of the map predict: the residuals are `f - y`.
    ///
    /// A map that differences its values then differences f itself, without the rounding of `f - y`.
    ///
    /// # Cost
    /// One subtraction of vectors of length n per evaluation.
    ///
    /// # Errors
    /// [`FitError::Count`] for another length than n, [`FitError::Observation`] for a value that is not finite.
    pub fn with_observations(mut self, observations: Vec<f64>) -> Result<Self, FitError> {
        require_count("observations", &observations, self.map.outputs())?;
        if let Some(index) = observations.iter().position(|y| !y.is_finite()) {
            return Err(FitError::Observation { index, value: observations[index] });
        }
        self.given.rows.observations = Some(observations);
        Ok(self)
    }

    /// Names the p parameters, for messages and the summary; without it they are `w[0]`, `w[1]`, ...
    ///
    /// # Errors
    /// [`FitError::Count`] for another number of names than p.
    pub fn with_names<S: Into<String>>(
        mut self,
        names: impl IntoIterator<Item = S>,
    ) -> Result<Self, FitError> {
        let names: Vec<String> = names.into_iter().map(Into::into).collect();
        require_count("names", &names, self.map.parameters())?;
        self.given.names = names;
        Ok(self)
    }

    /// Keeps each parameter k within `[lower_k, upper_k]` (length p each; infinities are allowed, equal bounds fix a
    /// parameter).
    ///
    /// The map is never evaluated outside the box, and differences stay inside it as well. A parameter at a bound is held
    /// there while the gradient points outwards. A step that would leave the box is solved again with the offending
    /// parameters cut short of their bounds; they may end on them if the next step leaves the box there too. A step onto a
    /// bound is taken back where other parameters would lose their effect on the residuals there.
    ///
    /// # Errors
    /// [`FitError::Count`] for another length than p; [`FitError::Bounds`] where a lower bound is above the upper one, or
    /// NaN.
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

    /// Weighs the square of residual j by omega_j > 0 (length n), which is 1/variance for observations of unequal precision.
    ///
    /// # Errors
    /// [`FitError::Count`] for another length than n, [`FitError::Weight`] for a weight that is not positive and finite.
    pub fn with_weights(mut self, weights: Vec<f64>) -> Result<Self, FitError> {
        require_count("weights", &weights, self.map.outputs())?;
        let improper = weights.iter().enumerate().find(|(_, x)| !(x.is_finite() && **x > 0.0));
        if let Some((index, &value)) = improper {
            return Err(FitError::Weight { index, value });
        }
        self.given.rows.weights = Some(weights);
        Ok(self)
    }

    /// Measures residuals by `loss` instead of by squares, so that outliers count less.
    ///
    /// # Errors
    /// [`FitError::InvalidSetting`] for a scale C that is not positive and finite.
    pub fn with_loss(mut self, loss: RobustLoss) -> Result<Self, FitError> {
        stop::require_positive("the scale of the loss", loss.scale())?;
        self.given.rows.loss = loss;
        Ok(self)
    }

    /// Returns the map.
    pub fn map(&self) -> &M {
        &self.map
    }

    /// Returns the names of the parameters.
    pub fn names(&self) -> &[String] {
        &self.given.names
    }

    /// Minimizes the loss from `start` (length p).
    ///
    /// Each step minimizes the linear model `norm(b + J d)^2` within a trust region `norm(D d) <= radius`, with D the running
    /// maxima of the column norms of J, or follows a damping schedule ([`FitSettings::damping`]). [`Fit::stop`] says why the
    /// fit ended and whether it converged.
    ///
    /// # Cost
    /// Each accepted step takes one Jacobian and one factorization of it (about `2 n p^2` operations by QR); each trial step
    /// takes one evaluation of the residuals. The result takes one more factorization, for the covariance.
    ///
    /// # Errors
    /// [`FitError`] where the fit cannot start, a Jacobian cannot be factored, or a schedule returns a damping outside
    /// [0, 1]. Everything else that happens later
    /// is in [`Fit::stop`].
    ///
    /// # Source
    /// J. J. More, "The Levenberg-Marquardt algorithm: implementation and theory", 1978; geodesic acceleration: M. K.
    /// Transtrum and J. P. Sethna, 2012; secant curvature: J. E. Dennis, D. M. Gay and R. E. Welsch, 1981.
    pub fn fit(&self, start: &[f64], settings: &FitSettings) -> Result<Fit, FitError> {
        self.fit_observed(start, settings, &mut |_, _| ControlFlow::Continue(()))
    }

    /// Fits as [`Self::fit`] does, and shows every trial step to `observer`, with the parameters (length p) that it led to.
    ///
    /// The first call shows the start. `Break` ends the fit with [`FitStop::Interrupted`].
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

    /// Fits as [`Self::fit_observed`] does, and also returns the Jacobian of the map (n x p, without weights) at the
    /// parameters found.
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
