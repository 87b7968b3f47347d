//! The vector field of equation (1), `dw/dt = -(1/alpha) H_rho^-1 J^T grad g(alpha f(w))`.
//!
//! With q = H_rho^-1 J^T grad g and r = grad g - (1-rho) J q, its derivative along v is
//! `-(1/alpha) H_rho^-1 [J^T (alpha Hess g J v - (1-rho) D2f[v,q]) + B(r) v]`, and where J^+ takes the
//! place of an inverse `-(1/alpha) (I - J^+ J) B((J J^T)^+ grad g) v` more.

use gaussflow_integrators::VectorField;
use gaussflow_objective::{
    Linearization, Loss, MapError, Metric, Objective, PointError, SmoothMap,
};
use gaussflow_solvers::{
    AmortizedCounts, DampedSolver, FactorCounts, JacobianOperator, SolveError, SolveReport,
    SolveRequest, TrackerCounts,
};

use crate::batches::{BatchSteps, Batching};
use crate::preconditioner::{Preconditioner, RankPolicy};
use crate::rank_loss::solve_by_policy;

/// Says how the linear system of each step is solved, and what happens where it has no solution.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SolveSettings {
    /// The metric of output space; default [`Metric::Euclidean`]. The gradient flow does not use it.
    pub metric: Metric,
    /// The algorithm of the solve; default [`DampedSolver::Auto`], which chooses by shape and memory.
    pub solver: DampedSolver,
    /// What to do where the Jacobian loses rank; default [`RankPolicy::Stop`].
    pub rank_policy: RankPolicy,
    /// The Jacobian counts as rank deficient where sigma_min / sigma_max is below this cutoff; default 1e-14. In a run,
    /// sigma_max is at least that of the initial Jacobian.
    pub rank_cutoff: f64,
    /// The relative residual, `norm(J^T b - H_rho v) / norm(J^T b)`, to which directions are refined or iterated; default 1e-12.
    pub tolerance: f64,
    /// The most bytes that the matrices of a solve may take; default 4 GiB.
    pub memory_limit: usize,
}

impl Default for SolveSettings {
    fn default() -> Self {
        let rank_policy = RankPolicy::default();
        Self {
            metric: Metric::Euclidean,
            solver: DampedSolver::Auto,
            rank_policy,
            rank_cutoff: 1e-14,
            tolerance: 1e-12,
            memory_limit: 1 << 32,
        }
    }
}

/// Counts the solves of a flow and its fallbacks, that is, the solves for which the requested method failed and
/// [`RankPolicy`] chose another one. No fallback goes uncounted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FlowCounts {
    /// Directions that were computed.
    pub directions: u64,
    /// Directions that needed the pseudo-inverse.
    pub pseudo_inverse: u64,
    /// Directions that needed raised damping.
    pub raised_damping: u64,
    /// Parameter vectors at which the map was linearized.
    pub linearizations: u64,
    /// Factorizations, by their kind.
    pub factors: FactorCounts,
    /// Directions computed with the factor of earlier parameters, and with a factor of their own.
    pub amortized: AmortizedCounts,
    /// Extreme singular values found by a certified iteration, and by the dense computation.
    pub tracked: TrackerCounts,
}

impl std::ops::AddAssign for FlowCounts {
    fn add_assign(&mut self, other: Self) {
        self.directions += other.directions;
        self.pseudo_inverse += other.pseudo_inverse;
        self.raised_damping += other.raised_damping;
        self.linearizations += other.linearizations;
        // Destructured, so that a count added later cannot be forgotten here.
        let FactorCounts { gram, cholesky, qr, stacked_qr, svd, extremes, iterative, iterations } =
            other.factors;
        self.factors.gram += gram;
        self.factors.cholesky += cholesky;
        self.factors.qr += qr;
        self.factors.stacked_qr += stacked_qr;
        self.factors.svd += svd;
        self.factors.extremes += extremes;
        self.factors.iterative += iterative;
        self.factors.iterations += iterations;
        let AmortizedCounts { direct, amortized, iterations, given_up } = other.amortized;
        self.amortized.direct += direct;
        self.amortized.amortized += amortized;
        self.amortized.iterations += iterations;
        self.amortized.given_up += given_up;
        let TrackerCounts { certified, dense } = other.tracked;
        self.tracked.certified += certified;
        self.tracked.dense += dense;
    }
}

/// Evaluates the vector field `dw/dt = -(1/alpha) H_rho^-1 J^T grad g(alpha f(w))` of an objective, and keeps what it has
/// computed at the current parameters.
///
/// `H_rho = (1-rho) J^T J + rho I`. Observers, events and the integrator share one flow: what one of them factored, the
/// others reuse. Most programs receive a flow in the observer of [`simulate`](crate::simulate); build one to look at the
/// field itself.
///
/// # Examples
/// ```
/// use gaussflow_dynamics::{Flow, Preconditioner, SolveSettings};
/// use gaussflow_objective::{FiniteDifferences, Objective, ResidualFn, Squared};
///
/// let map = FiniteDifferences::new(ResidualFn::new(2, 1, |w, out| out.fill(w[0])));
/// let objective = Objective::new(map, Squared::new(vec![1.0, 3.0])?, 1.0)?;
/// let mut flow = Flow::new(&objective, Preconditioner::GaussNewton, SolveSettings::default())?;
/// flow.move_to(&[0.0])?;
/// assert!((flow.direction()?[0] + 4.0).abs() < 1e-6); // J^T J = 2, J^T grad g = -8
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Source
/// Equation (1) of the paper.
pub struct Flow<'o, M: SmoothMap, L> {
    objective: &'o Objective<M, L>,
    preconditioner: Preconditioner,
    settings: SolveSettings,
    linearization: Linearization<M::Jacobian>,
    /// q = H_rho^-1 J^T grad g at the point of `direction_at`.
    direction: Vec<f64>,
    /// The linearization's move count when `direction` was computed.
    direction_at: Option<u64>,
    damping_used: f64,
    report: Option<SolveReport>,
    counts: FlowCounts,
    /// Steps on batches of rows, in place of whole ones.
    batches: Option<BatchSteps<'o, M, L>>,
}

impl<'o, M: SmoothMap, L: Loss> Flow<'o, M, L> {
    /// Creates the flow of `objective`; call [`Self::move_to`] before asking for a direction.
    ///
    /// # Errors
    /// [`SolveError::EmptySystem`] without outputs or parameters; [`SolveError::InvalidDamping`] for a Levenberg-Marquardt
    /// damping outside (0, 1); [`SolveError::InvalidCutoff`] and [`SolveError::InvalidTolerance`] for a rank cutoff outside
    /// [0, 1) or a tolerance below 0.
    pub fn new(
        objective: &'o Objective<M, L>,
        preconditioner: Preconditioner,
        settings: SolveSettings,
    ) -> Result<Self, SolveError> {
        let damping = preconditioner.damping();
        let proper = match preconditioner {
            Preconditioner::LevenbergMarquardt { damping } => damping > 0.0 && damping < 1.0,
            Preconditioner::GaussNewton | Preconditioner::Gradient => true,
        };
        if !proper {
            return Err(SolveError::InvalidDamping { damping });
        }
        let (cutoff, tolerance) = (settings.rank_cutoff, settings.tolerance);
        if !(0.0..1.0).contains(&cutoff) {
            return Err(SolveError::InvalidCutoff { cutoff });
        }
        if tolerance.is_nan() || tolerance < 0.0 {
            return Err(SolveError::InvalidTolerance { tolerance });
        }
        let metric = preconditioner.metric(settings.metric);
        let outputs = objective.loss().outputs_of_a_sample();
        let mut linearization = Linearization::with_metric(objective.map(), metric, outputs)?;
        linearization.set_memory_limit(settings.memory_limit);
        let direction = vec![0.0; objective.map().parameters()];
        Ok(Self {
            objective,
            preconditioner,
            settings,
            linearization,
            direction,
            direction_at: None,
            damping_used: damping,
            report: None,
            counts: FlowCounts::default(),
            batches: None,
        })
    }

    /// Lets `dw/dt` be that of a batch of rows at each step of a grid; everything else stays that of all rows.
    pub(crate) fn take_batches(&mut self, batching: Batching<'o, M, L>, clock: (f64, usize)) {
        self.batches = Some(BatchSteps::new(batching, clock, self.direction.len()));
    }

    /// Returns the objective.
    pub fn objective(&self) -> &'o Objective<M, L> {
        self.objective
    }

    /// Returns the preconditioner.
    pub fn preconditioner(&self) -> Preconditioner {
        self.preconditioner
    }

    /// Returns the cutoff on sigma_min / sigma_max below which rank is lost.
    pub fn rank_cutoff(&self) -> f64 {
        self.settings.rank_cutoff
    }

    /// Moves to the parameters `w` (length p) and linearizes the map there.
    ///
    /// # Cost
    /// One linearization of the map; nothing where the flow already stands at `w`.
    ///
    /// # Errors
    /// [`MapError`] where the map or its Jacobian is undefined at `w`.
    pub fn move_to(&mut self, w: &[f64]) -> Result<(), MapError> {
        self.linearization.move_to(self.objective, w)
    }

    /// Returns values, loss, gradient and Jacobian at the current parameters.
    pub fn linearization(&self) -> &Linearization<M::Jacobian> {
        &self.linearization
    }

    /// Returns the same mutably, for quantities that are computed on demand and kept (spectra, projections, solves).
    pub fn linearization_mut(&mut self) -> &mut Linearization<M::Jacobian> {
        &mut self.linearization
    }

    /// Returns how often the flow has solved and fallen back since it was created.
    pub fn counts(&self) -> FlowCounts {
        let mut all = self.counts;
        all += FlowCounts {
            linearizations: self.linearization.moves(),
            factors: self.linearization.factor_counts(),
            amortized: self.linearization.amortized_counts(),
            tracked: self.linearization.tracker_counts(),
            ..FlowCounts::default()
        };
        all
    }

    /// Returns the report of the last solve; `None` before the first one and for the gradient flow.
    pub fn last_report(&self) -> Option<&SolveReport> {
        self.report.as_ref()
    }

    /// Returns `q = H_rho^-1 J^T grad g` at the current parameters (length p); the field is `dw/dt = -q / alpha`.
    ///
    /// # Cost
    /// One damped solve at the first call after a move, for the gradient flow one product `J^T u`; later calls are free.
    ///
    /// # Errors
    /// [`SolveError`] where the Jacobian loses rank under [`RankPolicy::Stop`], or the fallback of the policy fails as well.
    pub fn direction(&mut self) -> Result<&[f64], SolveError> {
        if self.direction_at != Some(self.linearization.moves()) {
            self.direction_at = None;
            self.compute_direction()?;
            self.direction_at = Some(self.linearization.moves());
            self.counts.directions += 1;
        }
        Ok(&self.direction)
    }

    /// Returns the damping rho with which the direction at the current parameters was computed; it differs from the requested
    /// one after [`RankPolicy::RaiseDamping`].
    ///
    /// In a run on batches it is the requested one, and [`FlowCounts::raised_damping`] counts the exceptions.
    ///
    /// # Errors
    /// As [`Self::direction`].
    pub fn damping_used(&mut self) -> Result<f64, SolveError> {
        if self.batches.is_some() {
            return Ok(self.preconditioner.damping());
        }
        self.direction()?;
        Ok(self.damping_used)
    }

    /// `sigma_min / sigma_max` of J, or a lower estimate of it that is well above `threshold`.
    ///
    /// # Errors
    /// [`SolveError`] on a Jacobian that is not finite.
    pub(crate) fn rank_ratio(&mut self, threshold: f64) -> Result<f64, SolveError> {
        let request = self.request();
        self.linearization.rank_ratio(request, 10.0 * threshold)
    }

    /// The request for the nominal damping.
    fn request(&self) -> SolveRequest {
        SolveRequest {
            damping: self.preconditioner.damping(),
            solver: self.settings.solver,
            rank_cutoff: self.settings.rank_cutoff,
            tolerance: self.settings.tolerance,
        }
    }

    /// Solves at the nominal damping and, where rank is lost, as the policy says.
    fn compute_direction(&mut self) -> Result<(), SolveError> {
        self.damping_used = self.preconditioner.damping();
        if self.preconditioner == Preconditioner::Gradient {
            self.linearization.parameter_gradient(&mut self.direction);
            return Ok(());
        }
        let (nominal, p) = (self.request(), self.direction.len());
        let Self { linearization, direction, counts, settings, .. } = self;
        let policy = settings.rank_policy;
        let (report, damping) =
            solve_by_policy(linearization, nominal, policy, p, counts, |here, request| {
                here.solve_loss_gradient(request, direction)
            })?;
        (self.report, self.damping_used) = (Some(report), damping);
        Ok(())
    }

    /// Writes to `out` the derivative of the field `dw/dt` along `v`, in closed form (both of length p).
    ///
    /// With `q = H_rho^-1 J^T grad g`, `r = grad g - (1-rho) J q` and `B(r) = sum_j r_j Hess f_j` it is
    /// `-(1/alpha) H_rho^-1 [J^T (alpha Hess g J v - (1-rho) D2f[v,q]) + B(r) v]`. Raised damping is held constant, and the
    /// pseudo-inverse is differentiated at constant rank, where it adds `-(1/alpha) (I - J^+ J) B((J J^T)^+ grad g) v`.
    ///
    /// # Cost
    /// The direction, two solves with its factor, one second derivative of the map and one weighted Hessian; at lost rank two
    /// solves and one weighted Hessian more.
    ///
    /// # Errors
    /// [`PointError`]: [`MapError::NoSecondDerivatives`] for a map whose [`SmoothMap::second_order`] is `None`,
    /// [`MapError::NoMetric`] for a metric other than the Euclidean one (unless the flow is the gradient flow), or the errors of
    /// [`Self::direction`].
    pub fn field_derivative(&mut self, v: &[f64], out: &mut [f64]) -> Result<(), PointError> {
        let (objective, alpha) = (self.objective, self.objective.scaling());
        let map = objective.map().second_order().ok_or(MapError::NoSecondDerivatives)?;
        if self.settings.metric != Metric::Euclidean
            && self.preconditioner != Preconditioner::Gradient
        {
            // It would take a third derivative of the loss.
            return Err(
                MapError::NoMetric { what: "the derivative of the flow is not there" }.into()
            );
        }
        self.direction()?;
        let nominal = self.request();
        let undamped = 1.0 - self.damping_used;
        let here = &mut self.linearization;
        let n = here.output().len();
        let (mut image, mut curved) = (vec![0.0; n], vec![0.0; n]);

        // alpha Hess g J v - (1-rho) D2f[v, q]
        here.jacobian().apply(v, &mut image);
        let mut b = vec![0.0; n];
        objective.loss().hessian_apply(here.output(), &image, &mut b);
        let w = here.point().to_vec();
        map.second_derivative(&w, here.jacobian(), v, &self.direction, &mut curved)?;
        for (b, c) in b.iter_mut().zip(&curved) {
            *b = alpha * *b - undamped * c;
        }
        // r = grad g - (1-rho) J q
        here.jacobian().apply(&self.direction, &mut image);
        for (i, g) in image.iter_mut().zip(here.loss_gradient()) {
            *i = g - undamped * *i;
        }
        let mut bent = vec![0.0; v.len()];
        map.weighted_hessian_apply(&w, here.jacobian(), &image, v, &mut bent)?;

        if self.preconditioner == Preconditioner::Gradient {
            here.jacobian().apply_transposed(&b, out);
        } else {
            // The kernel that gave the direction, which after a fallback is not the one asked for.
            let solver = self.report.map_or(self.settings.solver, |report| report.solver);
            let damping = self.damping_used;
            let request = SolveRequest { damping, solver, ..nominal };
            here.solve(request, &b, out)?;
            here.apply_inverse(request, &mut bent)?;
            if damping == 0.0 && self.report.is_some_and(|report| report.rank < v.len()) {
                // The row space turns too: d(J^+) has the term (I - J^+ J) dJ^T (J J^T)^+.
                let (mut turned, mut seen) = (vec![0.0; v.len()], self.direction.clone());
                here.apply_inverse(request, &mut seen)?;
                here.jacobian().apply(&seen, &mut image);
                map.weighted_hessian_apply(&w, here.jacobian(), &image, v, &mut turned)?;
                here.jacobian().apply(&turned, &mut image);
                here.solve(request, &image, &mut seen)?;
                for (bent, (turned, seen)) in bent.iter_mut().zip(turned.iter().zip(&seen)) {
                    *bent += turned - seen;
                }
            }
        }
        for (o, bent) in out.iter_mut().zip(&bent) {
            *o = -(*o + bent) / alpha;
        }
        Ok(())
    }
}

impl<M: SmoothMap, L: Loss> VectorField for Flow<'_, M, L> {
    type Breakdown = PointError;

    fn dimension(&self) -> usize {
        self.direction.len()
    }

    fn evaluate(&mut self, time: f64, w: &[f64], derivative: &mut [f64]) -> Result<(), PointError> {
        let factor = -self.objective.scaling().recip();
        let method = (self.preconditioner, self.settings);
        let direction = if let Some(batches) = &mut self.batches {
            let n = self.objective.map().outputs();
            batches.direction((time, w), n, method, &mut self.counts)?
        } else {
            self.move_to(w)?;
            self.direction()?
        };
        derivative.iter_mut().zip(direction).for_each(|(d, q)| *d = factor * q);
        Ok(())
    }

    fn jacobian_apply(
        &mut self,
        _time: f64,
        w: &[f64],
        v: &[f64],
        out: &mut [f64],
    ) -> Result<(), PointError> {
        self.move_to(w)?;
        self.field_derivative(v, out)
    }
}
