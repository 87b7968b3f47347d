//! Everything known at the present point of a fit, and how one comes to the next.

use gaussflow_objective::{MapError, SmoothMap, require_finite};
use gaussflow_solvers::{JacobianOperator, SecularFactor, SecularMethod, SolveError, norm};

use super::Bounds;
use super::robust::Rows;

/// Curvature of a loss relative to its slope below which steps take this value: b grows as its root falls, and
/// digits of the gradient with it. Larger values would slow down convergence.
const LEAST_CURVATURE: f64 = 1e-3;
/// How far inside of the box a Jacobian is taken that does not exist on its edge, relative to the parameters: about
/// sqrt(eps), as the steps of one-sided differences.
const EDGE: f64 = 1e-8;

/// The present point: residuals, their scaled form, Jacobian and gradient.
pub(crate) struct Point<J> {
    /// w (p).
    pub(crate) w: Vec<f64>,
    /// f(w) (n).
    pub(crate) f: Vec<f64>,
    /// b, the residuals that a Gauss-Newton step sees (n); empty for plain squares, where b = f.
    scaled: Vec<f64>,
    /// t, the factors of J's rows (n); empty for plain squares.
    factors: Vec<f64>,
    /// u, half the loss's gradient in output space (n); empty for plain squares, where u = f.
    half_gradient: Vec<f64>,
    /// `J^T u` (p).
    pub(crate) gradient: Vec<f64>,
    /// J(w).
    pub(crate) jacobian: J,
    /// Its error relative to its columns.
    pub(crate) jacobian_error: f64,
    /// The loss.
    pub(crate) loss: f64,
    /// The root of the loss, which is `norm(b)` for squares.
    pub(crate) residual_norm: f64,
}

impl<J: JacobianOperator> Point<J> {
    pub(crate) fn new(map: &dyn SmoothMap<Jacobian = J>, start: &[f64]) -> Self {
        Self {
            w: start.to_vec(),
            f: vec![0.0; map.outputs()],
            scaled: Vec::new(),
            factors: Vec::new(),
            half_gradient: Vec::new(),
            gradient: vec![0.0; map.parameters()],
            jacobian: map.new_jacobian(),
            jacobian_error: map.jacobian_error(),
            loss: f64::NAN,
            residual_norm: f64::NAN,
        }
    }

    /// b (n).
    pub(crate) fn b(&self) -> &[f64] {
        if self.scaled.is_empty() { &self.f } else { &self.scaled }
    }

    /// t (n), `None` for ones.
    pub(crate) fn factors(&self) -> Option<&[f64]> {
        (!self.factors.is_empty()).then_some(&self.factors[..])
    }

    /// u (n).
    pub(crate) fn half_gradient(&self) -> &[f64] {
        if self.half_gradient.is_empty() { &self.f } else { &self.half_gradient }
    }

    /// Loads J with its factors into the factor of steps, which learns its error.
    pub(crate) fn load_into(
        &self,
        factor: &mut SecularFactor,
        method: SecularMethod,
    ) -> Result<(), SolveError> {
        factor.set_cutoff(self.jacobian_error);
        factor.load(&self.jacobian, self.factors(), method)
    }

    /// Multiplies a vector of the output space by t.
    pub(crate) fn scale_rows(&self, x: &mut [f64]) {
        if let Some(factors) = self.factors() {
            x.iter_mut().zip(factors).for_each(|(x, t)| *x *= t);
        }
    }

    /// `out = diag(t) J d`.
    pub(crate) fn apply(&self, d: &[f64], out: &mut [f64]) {
        self.jacobian.apply(d, out);
        self.scale_rows(out);
    }

    /// Linearizes at w and derives the rest. Where a derivative is infinite on the edge of the box, as that of
    /// sqrt(w) at its bound w = 0, the Jacobian is taken a little inside.
    ///
    /// # Errors
    /// [`MapError`], with [`MapError::NonFinite`] for residuals that are not finite.
    pub(crate) fn linearize(
        &mut self,
        map: &dyn SmoothMap<Jacobian = J>,
        bounds: Option<&Bounds>,
        rows: &Rows,
    ) -> Result<(), MapError> {
        let found = self.linearize_at(map, bounds, None).and_then(|()| self.derive(rows));
        match (found, bounds.and_then(|bounds| bounds.inside(&self.w, EDGE))) {
            (Err(error), Some(inner)) if is_off_domain(&error) => {
                self.linearize_at(map, bounds, Some(&inner))?;
                map.value(&self.w, &mut self.f)?;
                self.derive(rows)
            }
            (found, _) => found,
        }
    }

    /// Linearizes at w, where there is no box, as roughly as the map can.
    ///
    /// # Errors
    /// As [`Self::linearize`].
    pub(crate) fn linearize_roughly(
        &mut self,
        map: &dyn SmoothMap<Jacobian = J>,
        rows: &Rows,
    ) -> Result<(), MapError> {
        self.jacobian_error = map.linearize_roughly(&self.w, &mut self.f, &mut self.jacobian)?;
        self.derive(rows)
    }

    /// f and J at `inner`, or at w; differences keep to the box.
    fn linearize_at(
        &mut self,
        map: &dyn SmoothMap<Jacobian = J>,
        bounds: Option<&Bounds>,
        inner: Option<&[f64]>,
    ) -> Result<(), MapError> {
        self.jacobian_error = map.jacobian_error();
        let (w, f, jacobian) = (inner.unwrap_or(&self.w), &mut self.f, &mut self.jacobian);
        match bounds {
            Some(Bounds { lower, upper }) => map.linearize_within(w, lower, upper, f, jacobian),
            None => map.linearize(w, f, jacobian),
        }
    }

    /// Everything that follows from the map's outputs, which become residuals here, and J.
    fn derive(&mut self, rows: &Rows) -> Result<(), MapError> {
        rows.subtract_observations(&mut self.f);
        require_finite("the residuals", &self.f)?;
        self.loss = rows.loss(&self.f);
        if !rows.is_plain() {
            let n = self.f.len();
            self.scaled.resize(n, 0.0);
            self.factors.resize(n, 0.0);
            self.half_gradient.resize(n, 0.0);
            rows.scale(&self.f, LEAST_CURVATURE, &mut self.factors, &mut self.scaled);
            rows.half_gradient(&self.f, &mut self.half_gradient);
        }
        // b has large entries where the loss is flat: its size is not that of the residuals.
        self.residual_norm = if rows.is_plain() { norm(&self.f) } else { self.loss.sqrt() };
        let mut gradient = std::mem::take(&mut self.gradient);
        self.jacobian.apply_transposed(self.half_gradient(), &mut gradient);
        self.gradient = gradient;
        require_finite("the gradient", &self.gradient)
    }
}

/// Whether an error says that a point is off the map's domain: the step there is rejected, nothing more.
pub(crate) fn is_off_domain(error: &MapError) -> bool {
    matches!(error, MapError::Undefined { .. } | MapError::NonFinite { .. })
}
