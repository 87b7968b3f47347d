//! Factorizations of one Jacobian at one point, each computed at most once and shared.
//!
//! The step, the observers and the geometry all ask here; `invalidate` starts a new point, and what is
//! known along a path is kept by others. Factorizations run on one thread, large structured products on
//! several, with the bits of one: they depend neither on threads nor on the machine's load.

use faer::Mat;

use crate::damped::DampedSolver;
use crate::dense::cholesky::Cholesky;
use crate::dense::condition::estimate_smallest;
use crate::dense::extreme::{ExtremeSingularValues, Extremes};
use crate::dense::householder_qr::HouseholderQr;
use crate::dense::padded_square::PaddedSquare;
use crate::dense::thin_svd::ThinSvd;
use crate::error::{SolveError, require_entries};
use crate::jacobian::norm::size_of_square;
use crate::jacobian::operator::JacobianOperator;
use crate::jacobian::operator::require_shape;
use crate::matrix_free::solve::MatrixFree;
use crate::point::slot::Slot;
use crate::powers::times_power;

/// Counts how often each factorization was computed since construction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FactorCounts {
    /// Gram matrices `J^T J`.
    pub gram: u64,
    /// Cholesky factorizations, primal and dual, without certificates of singular values.
    pub cholesky: u64,
    /// QR factorizations of J (or of its transpose when p > n).
    pub qr: u64,
    /// QR factorizations of the stacked `[sqrt(1-rho) J; sqrt(rho) I]`.
    pub stacked_qr: u64,
    /// Thin SVDs.
    pub svd: u64,
    /// Extreme singular values found by the dense computation.
    pub extremes: u64,
    /// Solves by products with J only.
    pub iterative: u64,
    /// Their iterations.
    pub iterations: u64,
}

/// Solves systems with one n x p Jacobian, and keeps its factorizations, singular values and projections for further use.
///
/// Call [`Self::invalidate`] whenever the Jacobian changes: between two calls of it, every method must receive the same
/// operator.
///
/// # Examples
/// ```
/// use gaussflow_solvers::{DenseJacobian, Factors, SolveRequest};
///
/// let mut jacobian = DenseJacobian::zeros(3, 1);
/// jacobian.matrix_mut().col_mut(0).fill(2.0);
/// let mut factors = Factors::new(3, 1)?;
/// let mut v = [0.0];
/// let report = factors.solve(&jacobian, SolveRequest::default(), &[1.0, 2.0, 3.0], &mut v)?;
/// assert!((v[0] - 1.0).abs() < 1e-15 && report.rank == 1); // the mean, over 2
/// # Ok::<(), gaussflow_solvers::SolveError>(())
/// ```
pub struct Factors {
    pub(crate) rows: usize,
    /// Rows on all machines.
    pub(crate) total_rows: usize,
    /// Rows of Z, of which dense factors are made: `rows`, unless J is split.
    pub(crate) reduced_rows: usize,
    /// Rows of the largest matrix that Z and its factors take.
    pub(crate) factored_rows: usize,
    pub(crate) columns: usize,
    /// Whether `dense` holds the Z of the present J.
    pub(crate) dense_current: bool,
    pub(crate) dense: Mat<f64>,
    /// What J is multiplied by at this point, as a power of two: 0 unless its norm is near an end of the range.
    pub(crate) exponent: i32,
    /// The Frobenius norm of that multiple of J, `None` when stale.
    pub(crate) size: Option<f64>,
    /// `J^T J`, lower triangle.
    gram: Slot<PaddedSquare>,
    /// Factor of `(1-rho) J^T J + rho I` at the last rho above 0.
    damped_primal: Slot<Cholesky>,
    /// Factor of `J^T J`.
    undamped_primal: Slot<Cholesky>,
    pub(crate) dual: Slot<Cholesky>,
    /// Whether the workspace of `dual` holds K itself, still to be factored.
    kernel_written: bool,
    /// What the operator's structured products work in.
    pub(crate) structure_work: Vec<f64>,
    pub(crate) qr: Slot<HouseholderQr>,
    pub(crate) stacked: Slot<HouseholderQr>,
    pub(crate) svd: Slot<ThinSvd>,
    pub(crate) matrix_free: Option<MatrixFree>,
    /// The largest singular value by products alone, once it was asked for.
    pub(crate) largest_by_products: Option<f64>,
    spectrum: Option<Extremes>,
    pub(crate) extremes: Option<ExtremeSingularValues>,
    /// Bytes that the matrices of a solve may take.
    pub(crate) memory_limit: usize,
    /// Singular values are compared with the cutoff times at least this.
    pub(crate) rank_scale: f64,
    /// Upper estimate of the smallest singular value, from the QR.
    smallest_estimate: Option<f64>,
    pub(crate) counts: FactorCounts,
    /// Output-space work vector, n + p long (of n here and the rows of Z the larger) for the stacked system.
    pub(crate) output: Vec<f64>,
    /// Parameter-space work vector, max(n, p) long.
    pub(crate) parameter: Vec<f64>,
    /// Work vector of `apply_inverse`, n + p long once used.
    pub(crate) inverse_work: Vec<f64>,
}

impl Factors {
    /// Creates an empty cache for `rows` x `columns` Jacobians; the buffers of each factorization are allocated at first use.
    ///
    /// # Errors
    /// [`SolveError::EmptySystem`] when either is 0.
    pub fn new(rows: usize, columns: usize) -> Result<Self, SolveError> {
        require_entries(rows, columns)?;
        Ok(Self {
            rows,
            total_rows: rows,
            reduced_rows: rows,
            factored_rows: rows,
            columns,
            dense_current: false,
            dense: Mat::new(),
            exponent: 0,
            size: None,
            gram: Slot::default(),
            damped_primal: Slot::default(),
            undamped_primal: Slot::default(),
            dual: Slot::default(),
            kernel_written: false,
            structure_work: Vec::new(),
            qr: Slot::default(),
            stacked: Slot::default(),
            svd: Slot::default(),
            matrix_free: None,
            largest_by_products: None,
            spectrum: None,
            extremes: None,
            memory_limit: 1 << 32,
            rank_scale: 0.0,
            smallest_estimate: None,
            counts: FactorCounts::default(),
            output: vec![0.0; rows + columns],
            parameter: vec![0.0; rows.max(columns)],
            inverse_work: Vec::new(),
        })
    }

    /// Creates an empty cache for Jacobians like `jacobian`, whose rows may lie on several machines
    /// ([`JacobianOperator::total_rows`]). All machines make the same choices.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn of(jacobian: &dyn JacobianOperator) -> Result<Self, SolveError> {
        let mut found = Self::new(jacobian.rows(), jacobian.columns())?;
        found.total_rows = jacobian.total_rows();
        (found.reduced_rows, found.factored_rows) =
            (jacobian.reduced_rows(), jacobian.factored_rows());
        let longest = found.rows.max(found.reduced_rows);
        found.output.resize(longest + found.columns, 0.0);
        found.parameter.resize(longest.max(found.columns), 0.0);
        Ok(found)
    }

    /// Whether some rows of J lie on other machines.
    pub(crate) fn is_split(&self) -> bool {
        self.total_rows != self.rows
    }

    /// Whether J has more columns than rows: p > n.
    pub(crate) fn is_wide(&self) -> bool {
        self.columns > self.total_rows
    }

    /// The number of singular values, min(n, p).
    pub(crate) fn order(&self) -> usize {
        self.total_rows.min(self.columns)
    }

    /// Forgets every factor; call it when the Jacobian has changed.
    pub fn invalidate(&mut self) {
        self.size = None;
        self.exponent = 0;
        self.forget_matrices();
        self.damped_primal.damping = None;
        self.undamped_primal.damping = None;
        self.dual.damping = None;
        self.qr.damping = None;
        self.stacked.damping = None;
        self.svd.damping = None;
        if let Some(solver) = &mut self.matrix_free {
            solver.invalidate();
        }
        self.largest_by_products = None;
        self.extremes = None;
        self.smallest_estimate = None;
    }

    /// Forgets the matrices that factors are made of.
    pub(crate) fn forget_matrices(&mut self) {
        self.dense_current = false;
        self.kernel_written = false;
        self.gram.damping = None;
    }

    /// Sets a singular value to which rank cutoffs are relative where it exceeds the largest singular value.
    ///
    /// Along a run it is the largest singular value at the start: where the whole Jacobian shrinks to rounding, cutoffs
    /// relative to what is left of it would keep noise. With 0 (or any value that is not positive), the default, cutoffs are
    /// relative to each Jacobian alone.
    pub fn set_rank_scale(&mut self, scale: f64) {
        self.rank_scale = if scale > 0.0 { scale } else { 0.0 };
    }

    /// Tells the Frobenius norm of the present J, where the caller has it: a finite number.
    ///
    /// Solves then need not ask the Jacobian for it.
    pub fn set_norm(&mut self, norm: f64) {
        self.settle(norm);
    }

    /// Returns how often each factorization was computed.
    pub fn counts(&self) -> FactorCounts {
        self.counts
    }

    /// Returns `b - (1 - rho) J v` (length n) of the last [`Self::solve`] at a rho below 1; the next other call overwrites
    /// it.
    pub fn residual(&self) -> &[f64] {
        &self.output[..self.rows]
    }

    /// Computes the smallest and the largest of the min(n, p) singular values of J, with an error of at most a small multiple
    /// of `eps sigma_max`, eps = 2.2e-16.
    ///
    /// # Errors
    /// [`SolveError`] for a wrong shape or entries that are not finite; [`SolveError::MemoryLimit`] where J is too large to
    /// be formed ([`Self::largest_singular_value`] then still works).
    pub fn extreme_singular_values(
        &mut self,
        jacobian: &dyn JacobianOperator,
    ) -> Result<ExtremeSingularValues, SolveError> {
        if self.extremes.is_none() {
            self.require_memory()?;
        }
        let scaled = self.scaled(jacobian)?;
        let found = self.scaled_extremes(scaled.operator())?;
        let restore = |value| times_power(value, -self.exponent);
        let (smallest, largest) = (restore(found.smallest), restore(found.largest));
        Ok(ExtremeSingularValues { smallest, largest })
    }

    /// Computes all min(n, p) singular values of J, largest first, each with an error of at most a small multiple of
    /// `eps sigma_max`, eps = 2.2e-16.
    ///
    /// # Cost
    /// One singular value decomposition of J, which projections and `ThinSvd` solves share until [`Self::invalidate`].
    ///
    /// # Errors
    /// As [`Self::extreme_singular_values`], and [`SolveError::NoConvergence`].
    pub fn singular_values(
        &mut self,
        jacobian: &dyn JacobianOperator,
    ) -> Result<Vec<f64>, SolveError> {
        self.require_memory()?;
        let scaled = self.scaled(jacobian)?;
        self.svd(scaled.operator())?;
        let values = self.svd.workspace.iter().flat_map(ThinSvd::values);
        Ok(values.map(|value| times_power(value, -self.exponent)).collect())
    }

    /// The extreme ones of the multiple of J that is factored.
    pub(crate) fn scaled_extremes(
        &mut self,
        jacobian: &dyn JacobianOperator,
    ) -> Result<ExtremeSingularValues, SolveError> {
        if let Some(known) = self.extremes {
            return Ok(known);
        }
        self.require_memory()?;
        self.qr(jacobian)?;
        self.counts.extremes += 1;
        let order = self.order();
        let workspace = self.spectrum.get_or_insert_with(|| Extremes::new(order));
        // R is the image of J under reflections even where J lost rank: its values are those of J.
        let found = match &self.qr.workspace {
            Some(qr) => workspace.of_upper(qr.upper()),
            None => ExtremeSingularValues { smallest: 0.0, largest: 0.0 },
        };
        if !found.largest.is_finite() {
            return Err(SolveError::Overflow { solver: DampedSolver::HouseholderQr, index: 0 });
        }
        self.extremes = Some(found);
        Ok(found)
    }

    /// Whether `sigma_min > cutoff * sigma_max`, by an estimate where it is clear and exactly where not.
    pub(crate) fn is_full_rank(
        &mut self,
        jacobian: &dyn JacobianOperator,
        cutoff: f64,
    ) -> Result<bool, SolveError> {
        if self.extremes.is_none() {
            // The estimate never falls below sigma_min, and at most a few times above it: a margin
            // of 1000 settles the common case without the singular values.
            let smallest = self.smallest_estimate();
            if smallest > 1e3 * cutoff * self.size(jacobian)?.max(self.scaled_rank_scale()) {
                return Ok(true);
            }
        }
        let extremes = self.scaled_extremes(jacobian)?;
        Ok(extremes.smallest > cutoff * extremes.largest.max(self.scaled_rank_scale()))
    }

    /// An estimate of the smallest singular value from the current QR, never below it.
    pub(crate) fn smallest_estimate(&mut self) -> f64 {
        if let Some(known) = self.smallest_estimate {
            return known;
        }
        let order = self.order();
        let found = match &self.qr.workspace {
            Some(qr) if qr.is_invertible() => estimate_smallest(qr, &mut self.parameter[..order]),
            _ => 0.0,
        };
        self.smallest_estimate = Some(found);
        found
    }

    /// Makes `J^T J` current (p x p, its lower triangle).
    pub(crate) fn gram(
        &mut self,
        jacobian: &dyn JacobianOperator,
    ) -> Result<&PaddedSquare, SolveError> {
        self.size(jacobian)?;
        Ok(self.make_gram(jacobian))
    }

    /// Makes `J^T J` current for a solve that needs it whatever the norm of J, which its trace then tells.
    pub(crate) fn gram_and_size(
        &mut self,
        jacobian: &dyn JacobianOperator,
    ) -> Result<(), SolveError> {
        require_shape(jacobian, self.rows, self.columns)?;
        if self.size.is_some() {
            return Ok(());
        }
        let gram = self.make_gram(jacobian);
        let trace: f64 = gram.diagonal().sum();
        if let Some(found) = size_of_square(trace) {
            self.settle(found);
        }
        Ok(())
    }

    /// `J^T J` at the present point, of a J of the right shape.
    fn make_gram(&mut self, jacobian: &dyn JacobianOperator) -> &PaddedSquare {
        let columns = self.columns;
        let (gram, current) = self.gram.open(0.0, || PaddedSquare::zeros(columns));
        if !current {
            self.counts.gram += 1;
            jacobian.gram(gram.as_mut(), &mut self.structure_work);
        }
        gram
    }

    /// Makes the factor of `(1-rho) J^T J + rho I` current.
    ///
    /// # Errors
    /// [`SolveError::NotPositiveDefinite`].
    pub(crate) fn primal(
        &mut self,
        jacobian: &dyn JacobianOperator,
        rho: f64,
    ) -> Result<&mut Cholesky, SolveError> {
        self.gram(jacobian)?;
        let columns = self.columns;
        let Self { gram, damped_primal, undamped_primal, counts, .. } = self;
        let slot = if rho == 0.0 { undamped_primal } else { damped_primal };
        let (cholesky, current) = slot.open(rho, || Cholesky::new(columns));
        let outcome = match &gram.workspace {
            Some(gram) if !current => {
                counts.cholesky += 1;
                cholesky.factor_shifted(gram, 1.0 - rho, rho)
            }
            _ => Ok(()),
        };
        if let Err(index) = outcome {
            slot.damping = None;
            let solver = DampedSolver::PrimalCholesky;
            return Err(SolveError::NotPositiveDefinite { solver, damping: rho, index });
        }
        Ok(slot.workspace.get_or_insert_with(|| Cholesky::new(columns)))
    }

    /// Whether the factor of `(1-rho) J^T J + rho I` at the present point is known.
    pub(crate) fn has_primal(&self, rho: f64) -> bool {
        let slot = if rho == 0.0 { &self.undamped_primal } else { &self.damped_primal };
        slot.damping == Some(rho)
    }

    /// Whether the factor of `(1-rho) J J^T + rho I` at the present point is known.
    pub(crate) fn has_dual(&self, rho: f64) -> bool {
        self.dual.damping == Some(rho)
    }

    /// The factor of `(1-rho) J^T J + rho I` that the last [`Self::primal`] at this rho made.
    pub(crate) fn held_primal(&self, rho: f64) -> Option<&Cholesky> {
        let slot = if rho == 0.0 { &self.undamped_primal } else { &self.damped_primal };
        slot.workspace.as_ref()
    }

    /// Writes K for a factor that most likely comes next; its trace tells the norm of J, which would take a pass
    /// over all of J.
    pub(crate) fn kernel_and_size(
        &mut self,
        jacobian: &dyn JacobianOperator,
    ) -> Result<(), SolveError> {
        require_shape(jacobian, self.rows, self.columns)?;
        if self.size.is_some() {
            return Ok(());
        }
        let rows = self.total_rows;
        let cholesky = self.dual.workspace.get_or_insert_with(|| Cholesky::new(rows));
        jacobian.kernel(cholesky.matrix_mut(), &mut self.structure_work);
        let found = size_of_square(cholesky.written_trace());
        self.dual.damping = None;
        self.kernel_written = true;
        if let Some(found) = found {
            self.settle(found);
        }
        Ok(())
    }

    /// Makes the factor of `(1-rho) J J^T + rho I` current.
    ///
    /// # Errors
    /// [`SolveError::NotPositiveDefinite`].
    pub(crate) fn dual(
        &mut self,
        jacobian: &dyn JacobianOperator,
        rho: f64,
    ) -> Result<&mut Cholesky, SolveError> {
        self.size(jacobian)?;
        let rows = self.total_rows;
        let Self { dual, kernel_written, counts, structure_work, .. } = self;
        let (cholesky, current) = dual.open(rho, || Cholesky::new(rows));
        let mut outcome = Ok(());
        if !current {
            counts.cholesky += 1;
            if !std::mem::take(kernel_written) {
                jacobian.kernel(cholesky.matrix_mut(), structure_work);
            }
            outcome = cholesky.damp_and_factor(rho);
        }
        if let Err(index) = outcome {
            dual.damping = None;
            let solver = DampedSolver::DualCholesky;
            return Err(SolveError::NotPositiveDefinite { solver, damping: rho, index });
        }
        Ok(dual.workspace.get_or_insert_with(|| Cholesky::new(rows)))
    }

    /// Makes the QR of J (or of J^T when p > n) current.
    pub(crate) fn qr(&mut self, jacobian: &dyn JacobianOperator) -> Result<(), SolveError> {
        self.size(jacobian)?;
        let (long, short) = (self.reduced_rows.max(self.columns), self.order());
        let (_, current) = self.qr.open(0.0, || HouseholderQr::new(long, short));
        if !current {
            self.counts.qr += 1;
            self.form_dense(jacobian);
            let dense = self.dense.as_ref();
            let oriented = if self.is_wide() { dense.transpose() } else { dense };
            if let Some(qr) = &mut self.qr.workspace {
                qr.factor(|mut matrix| matrix.copy_from(oriented));
            }
        }
        Ok(())
    }

    /// Makes the thin SVD of J current.
    pub(crate) fn svd(&mut self, jacobian: &dyn JacobianOperator) -> Result<(), SolveError> {
        self.size(jacobian)?;
        let (rows, columns) = (self.reduced_rows, self.columns);
        let (_, current) = self.svd.open(0.0, || ThinSvd::new(rows, columns));
        if !current {
            self.counts.svd += 1;
            self.form_dense(jacobian);
            if let Some(svd) = &mut self.svd.workspace
                && let Err(error) = svd.factor(self.dense.as_ref())
            {
                self.svd.damping = None;
                return Err(error);
            }
        }
        Ok(())
    }
}
