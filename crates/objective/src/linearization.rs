//! Value, loss, Jacobian and factorizations of `g(alpha f(w))` at ONE point, shared by all who ask.
//!
//! The step, the observers and the geometry take the same [`Linearization`]; moving to a point where
//! it already is costs a comparison, and nothing is factored twice there. From point to point it keeps
//! what helps at the next: shared factors with the last solutions, and the spectrum's vectors.

use gaussflow_solvers::{
    AmortizedCounts, AmortizedFactor, DampedSolver, ExtremeSingularValues, FactorCounts, Factors,
    JacobianOperator, Known, RangeBasis, RightSide, SolveError, SolveReport, SolveRequest,
    SpectrumTracker,
};

use crate::loss::Loss;
use crate::map::{
    MapError, SecondOrderMap, Share, SmoothMap, Totals, require_finite, require_length,
};
use crate::metric::{Metric, System};
use crate::objective::Objective;

/// Part of the gradient that the tangent part may be for a difference to keep 13 digits of it.
const LITTLE: f64 = 1e-3;

/// Says why a quantity at given parameters could not be computed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PointError {
    /// The map has no value or derivative at these parameters.
    #[error(transparent)]
    Map(#[from] MapError),
    /// The linear algebra failed.
    #[error(transparent)]
    Solve(#[from] SolveError),
}

/// Holds everything first-order about an objective `g(alpha f(w))` at one parameter vector: values, loss, gradient, Jacobian,
/// and the factors, spectrum and projections that were asked for.
///
/// Every quantity is computed once and kept until the parameters change, so that the step, the observers and the geometry
/// share it. [`Self::new`] allocates all vectors; call [`Self::move_to`] before anything else. In the metric of the loss's
/// Hessian ([`Self::with_metric`]), solves, spectra and projections are those of [`Self::operator`] instead of the Jacobian.
///
/// # Examples
/// ```
/// use gaussflow_objective::{FiniteDifferences, Linearization, Objective, ResidualFn, Squared};
/// let line = FiniteDifferences::new(ResidualFn::new(2, 1, |w, out| out.fill(w[0])));
/// let objective = Objective::new(line, Squared::new(vec![1.0, 3.0])?, 1.0)?;
/// let mut here = Linearization::new(objective.map())?;
/// here.move_to(&objective, &[0.0])?;
/// assert_eq!(here.loss(), 10.0);
/// let mut step = [0.0];
/// here.solve_loss_gradient(Default::default(), &mut step)?; // J^+ grad g, grad g = (-2, -6)
/// assert!((step[0] + 4.0).abs() < 1e-9);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Linearization<J> {
    pub(crate) point: Vec<f64>,
    current: bool,
    pub(crate) output: Vec<f64>,
    loss: f64,
    /// The norm of the right-hand side, where joining the machines gave it with `gradient`.
    right_norm: Option<f64>,
    /// `A^T b` (length p), where the norm is known.
    gradient: Vec<f64>,
    /// Jacobian and loss gradient, in the metric.
    pub(crate) system: System<J>,
    pub(crate) factors: Factors,
    /// What is known of the spectrum along the path of points.
    pub(crate) tracker: SpectrumTracker,
    /// Factors that the solves along the path share where that pays: undamped and damped ones.
    amortized: [AmortizedFactor; 2],
    /// Extreme singular values at the point, once asked for.
    pub(crate) extremes: Option<ExtremeSingularValues>,
    /// The smallest singular value at the point, once asked for.
    pub(crate) smallest: Option<f64>,
    /// Whether the spectrum was asked for at the point before: its certificate needs the Gram matrix of this
    /// point, whose factor then solves too.
    spectrum_expected: bool,
    /// `H_0^-1 J^T grad g` at the point (length p) with how it was asked for and solved, once it was.
    undamped: Option<(SolveRequest, SolveReport)>,
    undamped_direction: Vec<f64>,
    /// `grad g - J v` of that direction v (n).
    undamped_residual: Vec<f64>,
    moves: u64,
    /// Output-space work vector (n).
    work: Vec<f64>,
}

impl<J: JacobianOperator> Linearization<J> {
    /// Allocates for `map` in the Euclidean metric; call [`Self::move_to`] next.
    ///
    /// # Errors
    /// [`SolveError::EmptySystem`] for a map without outputs or parameters.
    pub fn new<M: SmoothMap<Jacobian = J>>(map: &M) -> Result<Self, SolveError> {
        let (n, p) = (map.outputs(), map.parameters());
        let jacobian = map.new_jacobian();
        let factors = Factors::of(&jacobian)?;
        Ok(Self {
            point: vec![0.0; p],
            current: false,
            output: vec![0.0; n],
            loss: f64::NAN,
            right_norm: None,
            gradient: vec![0.0; p],
            system: System::new(jacobian, n),
            factors,
            tracker: SpectrumTracker::new(),
            amortized: [AmortizedFactor::new(), AmortizedFactor::new()],
            extremes: None,
            smallest: None,
            spectrum_expected: false,
            undamped: None,
            undamped_direction: vec![0.0; p],
            undamped_residual: vec![0.0; n],
            moves: 0,
            work: vec![0.0; n],
        })
    }

    /// Allocates for `map` in a metric of output space, for a loss with this many outputs per sample
    /// ([`Loss::outputs_of_a_sample`]).
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn with_metric<M: SmoothMap<Jacobian = J>>(
        map: &M,
        metric: Metric,
        outputs_of_a_sample: usize,
    ) -> Result<Self, SolveError> {
        let mut found = Self::new(map)?;
        if metric == Metric::LossHessian {
            found.system.weigh(map.new_jacobian(), outputs_of_a_sample);
        }
        Ok(found)
    }

    /// Linearizes `objective` at `w` (length p).
    ///
    /// # Cost
    /// One [`SmoothMap::linearize`] and one gradient of the loss; a comparison of vectors where `w` is bitwise the current
    /// one.
    ///
    /// # Errors
    /// [`MapError`] on another length than p, where the map is undefined, or where its value is not finite.
    pub fn move_to<M: SmoothMap<Jacobian = J>, L: Loss>(
        &mut self,
        objective: &Objective<M, L>,
        w: &[f64],
    ) -> Result<(), MapError> {
        require_length("the parameters w", w, self.point.len())?;
        if self.current && w.iter().zip(&self.point).all(|(a, b)| a.to_bits() == b.to_bits()) {
            return Ok(());
        }
        self.current = false;
        require_finite("the parameters w", w)?;
        self.factors.invalidate();
        self.spectrum_expected = self.smallest.is_some();
        (self.extremes, self.smallest, self.undamped) = (None, None, None);
        self.moves += 1;
        let here = self.linearize_rows(objective, w);
        let own = here.map(|loss| Share {
            operator: self.system.operator(),
            right_side: self.system.right_side(),
            loss,
        });
        let Totals { loss, norms } = objective.map().join(w, own, &mut self.gradient)?;
        self.loss = loss;
        self.right_norm = norms.map(|[_, of_right]| of_right);
        if let Some([of_operator, _]) = norms {
            self.factors.set_norm(of_operator);
        }
        self.point.copy_from_slice(w);
        self.current = true;
        Ok(())
    }

    /// Writes what the rows here have at `w`, and returns their loss.
    fn linearize_rows<M: SmoothMap<Jacobian = J>, L: Loss>(
        &mut self,
        objective: &Objective<M, L>,
        w: &[f64],
    ) -> Result<f64, MapError> {
        objective.map().linearize(w, &mut self.output, &mut self.system.jacobian)?;
        require_finite("the map's value", &self.output)?;
        self.output.iter_mut().for_each(|x| *x *= objective.scaling());
        self.system.update(objective.loss(), &self.output)?;
        Ok(objective.loss().value(&self.output))
    }

    /// Returns the parameters w (length p).
    pub fn point(&self) -> &[f64] {
        &self.point
    }

    /// Returns the scaled outputs `alpha f(w)` (length n).
    pub fn output(&self) -> &[f64] {
        &self.output
    }

    /// Returns the loss `g(alpha f(w))`, summed over all machines that hold rows.
    pub fn loss(&self) -> f64 {
        self.loss
    }

    /// Returns `grad g(alpha f(w))`, the gradient with respect to the outputs (length n).
    pub fn loss_gradient(&self) -> &[f64] {
        &self.system.gradient
    }

    /// Returns the Jacobian `J = Df(w)`, n x p.
    pub fn jacobian(&self) -> &J {
        &self.system.jacobian
    }

    /// Returns the metric of output space in which systems are posed.
    pub fn metric(&self) -> Metric {
        if self.system.is_weighted() { Metric::LossHessian } else { Metric::Euclidean }
    }

    /// Returns the operator A (n x p) of every system, spectrum and projection here: `Df(w)`, or `R^T Df(w)` with `R R^T =
    /// Hess g` in the metric of the loss's Hessian.
    pub fn operator(&self) -> &J {
        self.system.operator()
    }

    /// Returns b (length n) with `A^T b = J^T grad g`: grad g itself, or `R^+ grad g` in the metric of the loss's Hessian.
    pub fn right_side(&self) -> &[f64] {
        self.system.right_side()
    }

    /// Returns how often the map was linearized.
    pub fn moves(&self) -> u64 {
        self.moves
    }

    /// Returns how often each factorization was computed.
    pub fn factor_counts(&self) -> FactorCounts {
        self.factors.counts()
    }

    /// Sets the singular value that rank cutoffs are relative to ([`Factors::set_rank_scale`]).
    pub fn set_rank_scale(&mut self, scale: f64) {
        self.factors.set_rank_scale(scale);
    }

    /// Sets the bytes that matrices may take ([`Factors::set_memory_limit`]).
    pub fn set_memory_limit(&mut self, bytes: usize) {
        self.factors.set_memory_limit(bytes);
    }

    /// Returns how many solves for the loss gradient reused the factor of earlier parameters.
    pub fn amortized_counts(&self) -> AmortizedCounts {
        let [undamped, damped] = self.amortized.each_ref().map(AmortizedFactor::counts);
        AmortizedCounts {
            direct: undamped.direct + damped.direct,
            amortized: undamped.amortized + damped.amortized,
            iterations: undamped.iterations + damped.iterations,
            given_up: undamped.given_up + damped.given_up,
        }
    }

    /// Solves `[(1-rho) A^T A + rho I] v = A^T b` for v (length p), with A the [`Self::operator`] and b of length n.
    ///
    /// # Cost
    /// One factorization at the first call for these parameters and this damping (`n p min(n, p)` multiply-adds to leading
    /// order), then two products and triangular solves.
    ///
    /// # Errors
    /// [`SolveError`], for example [`SolveError::RankDeficient`] at rho = 0.
    pub fn solve(
        &mut self,
        request: SolveRequest,
        b: &[f64],
        v: &mut [f64],
    ) -> Result<SolveReport, SolveError> {
        self.factors.solve(self.system.operator(), request, b, v)
    }

    /// Solves `[(1-rho) A^T A + rho I] v = J^T grad g(alpha f(w))` for v (length p), the direction of equation (1) without
    /// the factor `-1/alpha`.
    ///
    /// # Cost
    /// As [`Self::solve`]. Where that pays, the factor of earlier parameters serves as a preconditioner instead of a new one.
    ///
    /// # Errors
    /// [`SolveError`].
    pub fn solve_loss_gradient(
        &mut self,
        request: SolveRequest,
        v: &mut [f64],
    ) -> Result<SolveReport, SolveError> {
        if request.damping > 0.0 {
            let shares = self.shares_factors(request);
            let b = known_right_side(&self.system, self.right_norm, &self.gradient);
            let a = self.system.operator();
            return if shares {
                self.amortized[1].solve(&mut self.factors, a, request, b, v)
            } else {
                self.factors.solve(a, request, b, v)
            };
        }
        let (what, expected, found) = ("the solution v", self.point.len(), v.len());
        if expected != found {
            return Err(SolveError::ShapeMismatch { what, expected, found });
        }
        let report = self.solve_undamped(request)?;
        v.copy_from_slice(&self.undamped_direction);
        Ok(report)
    }

    /// Whether solves along the path share factors: on request, or where `Auto` expects to gain.
    fn shares_factors(&self, request: SolveRequest) -> bool {
        match request.solver {
            DampedSolver::AmortizedCholesky => true,
            DampedSolver::Auto => {
                !self.spectrum_expected && AmortizedFactor::is_worthwhile(self.operator())
            }
            _ => false,
        }
    }

    /// Makes `undamped_direction` current, at rho = 0.
    pub(crate) fn solve_undamped(
        &mut self,
        request: SolveRequest,
    ) -> Result<SolveReport, SolveError> {
        match self.undamped {
            Some((asked, report)) if asked == request => Ok(report),
            _ => {
                self.undamped = None;
                let shares = self.shares_factors(request);
                let b = known_right_side(&self.system, self.right_norm, &self.gradient);
                let a = self.system.operator();
                let v = &mut self.undamped_direction;
                let report = if shares {
                    self.amortized[0].solve(&mut self.factors, a, request, b, v)?
                } else {
                    self.factors.solve(a, request, b, v)?
                };
                self.undamped_residual.copy_from_slice(self.factors.residual());
                self.undamped = Some((request, report));
                Ok(report)
            }
        }
    }

    /// Replaces x (length p) by `[(1-rho) A^T A + rho I]^-1 x`, for right-hand sides that are not of the form `A^T b`.
    ///
    /// # Errors
    /// [`SolveError`].
    pub fn apply_inverse(
        &mut self,
        request: SolveRequest,
        x: &mut [f64],
    ) -> Result<(), SolveError> {
        self.factors.apply_inverse(self.system.operator(), request, x)
    }

    /// Writes `J^T grad g(alpha f(w))` (length p), the gradient of `g(alpha f(w))` with respect to w divided by alpha. It
    /// costs one product and no factorization.
    pub fn parameter_gradient(&self, out: &mut [f64]) {
        if self.right_norm.is_some() {
            // A^T b is the same in every metric.
            out.copy_from_slice(&self.gradient);
        } else {
            self.system.jacobian.apply_transposed(&self.system.gradient, out);
        }
    }

    /// Writes `P u`, the orthogonal projection of u (length n) on the range of A, and returns the rank that was used.
    ///
    /// In the Euclidean metric the range is the tangent space of the outputs. Singular values below `rank_cutoff` times the
    /// largest are dropped.
    ///
    /// # Errors
    /// [`SolveError`].
    /// [`SolveError`].
    pub fn project_on_tangent(
        &mut self,
        rank_cutoff: f64,
        u: &[f64],
        out: &mut [f64],
    ) -> Result<usize, SolveError> {
        let a = self.system.operator();
        self.factors.project_on_range(a, rank_cutoff, u, out)
    }

    /// Returns an orthonormal basis Q (n x p) of the range of A, with `A = Q R`; A must have full column rank.
    ///
    /// # Errors
    /// [`SolveError::RankDeficient`] where it has not, and the other cases of [`SolveError`].
    pub fn tangent_basis(&mut self, rank_cutoff: f64) -> Result<RangeBasis<'_>, SolveError> {
        self.factors.range_basis(self.system.operator(), rank_cutoff)
    }

    /// Computes the norms of the Riemannian gradient `P grad g` and of the rest `(I - P) grad g`, with P the orthogonal
    /// projection on the range of J. In the metric of the loss's Hessian they are those of `P b` and `(I - P) b`, with b the
    /// [`Self::right_side`] and P the projection on the range of A.
    ///
    /// Where A has full column rank, `P b = A v` with the undamped direction v. Otherwise the projection uses the singular
    /// vectors above `rank_cutoff`.
    ///
    /// # Cost
    /// The undamped solve, which the next undamped step reuses; a singular value decomposition where rank is lost.
    ///
    /// # Errors
    /// [`SolveError`].
    ///
    /// # Source
    /// Theorem 4 of the paper.
    pub fn gradient_norms(&mut self, rank_cutoff: f64) -> Result<GradientNorms, SolveError> {
        // What the step solved will do, where it was asked for with the same cutoff.
        let request = match self.undamped {
            Some((asked, _)) if asked.rank_cutoff.to_bits() == rank_cutoff.to_bits() => asked,
            _ => SolveRequest { rank_cutoff, ..SolveRequest::default() },
        };
        let tall = self.system.jacobian.total_rows() >= self.point.len();
        if !tall && self.has_whole_spectrum() {
            // Where the rows are independent, which the spectrum tells, the projection takes nothing more.
            self.extreme_singular_values()?;
        }
        match if tall { self.solve_undamped(request).map(Some) } else { Ok(None) } {
            Ok(Some(_)) => {
                let parts = self.system.right_side().iter().zip(&self.undamped_residual);
                self.work.iter_mut().zip(parts).for_each(|(p, (g, rest))| *p = g - rest);
                let tangent = self.system.jacobian.output_norm(&self.work);
                let normal = self.system.jacobian.output_norm(&self.undamped_residual);
                if tangent >= LITTLE * normal {
                    return Ok(GradientNorms { tangent, normal });
                }
                // A difference of nearly equal vectors has lost digits.
                self.system.operator().apply(&self.undamped_direction, &mut self.work);
            }
            Ok(None)
            | Err(SolveError::RankDeficient { .. } | SolveError::NotPositiveDefinite { .. }) => {
                let (a, b) = (self.system.operator(), self.system.right_side());
                self.factors.project_on_range(a, rank_cutoff, b, &mut self.work)?;
            }
            Err(other) => return Err(other),
        }
        let tangent = self.system.jacobian.output_norm(&self.work);
        for (p, g) in self.work.iter_mut().zip(self.system.right_side()) {
            *p = g - *p;
        }
        Ok(GradientNorms { tangent, normal: self.system.jacobian.output_norm(&self.work) })
    }

    /// Writes the geodesic term `J^+ D2f(w)[v, v]` (v and result of length p).
    ///
    /// Geodesics of the outputs obey `w'' = -J^+ D2f(w)[w', w']`; half of it is the second-order correction of an accelerated
    /// Levenberg-Marquardt step. `request` chooses solver and damping, as in [`Self::solve`].
    ///
    /// # Errors
    /// [`PointError`], with [`MapError::NoMetric`] in any but the Euclidean metric.
    pub fn geodesic_term<M: SecondOrderMap<Jacobian = J>>(
        &mut self,
        map: &M,
        request: SolveRequest,
        v: &[f64],
        out: &mut [f64],
    ) -> Result<SolveReport, PointError> {
        if self.system.is_weighted() {
            return Err(
                MapError::NoMetric { what: "geodesics are those of the Euclidean metric" }.into()
            );
        }
        map.second_derivative(&self.point, &self.system.jacobian, v, v, &mut self.work)?;
        Ok(self.factors.solve(&self.system.jacobian, request, &self.work, out)?)
    }
}

/// The right-hand side of a system, with its norm and `A^T b` where joining the machines gave them.
fn known_right_side<'b, J: JacobianOperator>(
    system: &'b System<J>,
    norm: Option<f64>,
    gradient: &'b [f64],
) -> RightSide<'b> {
    let known = norm.map(|norm| Known { norm, gradient });
    RightSide { entries: system.right_side(), known }
}

/// Holds the norms of the two parts of `grad g`: tangent and normal to the range of the Jacobian.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GradientNorms {
    /// `norm(P grad g)`, the norm of the Riemannian gradient.
    pub tangent: f64,
    /// `norm((I - P) grad g)`.
    pub normal: f64,
}
