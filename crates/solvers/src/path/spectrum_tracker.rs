//! Extreme singular values of a Jacobian that moves along a path, each with a certificate.
//!
//! For the smallest, the last points' vectors and values are carried on to a unit vector x and a shift s just above
//! `lambda_min`, of `H = J^T J`. If the Cholesky factor of `H + tau x x^T - s I` exists, the second smallest
//! eigenvalue lies above s (a perturbation of rank one moves the smallest past it at most), and a pair (theta, v)
//! with residual r, by inverse iteration with the same factor, proves
//! `theta - r^2 / (s - theta) <= lambda_min <= theta` (Temple, Kato). Where that fails, as at a first point, a
//! Lanczos process on `H^-1` finds the pair, and shifts are tried from it. For the largest a Lanczos process on H
//! gives the pair and a factor of `s I - H` the bound. Where no certificate is found, the dense computation
//! decides, and is counted. With p > n all this is done for `J^T`, whose H is K.

use crate::damped::{DampedSolver, UNDAMPED_CONDITION};
use crate::dense::cholesky::Cholesky;
use crate::dense::extreme::ExtremeSingularValues;
use crate::error::SolveError;
use crate::jacobian::operator::{JacobianOperator, Transposed};
use crate::path::followed::Followed;
use crate::path::lanczos_path::{KrylovSpace, Ritz};
use crate::path::shifted_inverse::ShiftedInverse;
use crate::point::factors::Factors;
use crate::vector::{add_scaled, norm};

/// Relative width of the interval that a certificate may leave an eigenvalue.
const WIDTH: f64 = 1e-12;

/// Orders below which the dense computation costs less than a certificate.
const SMALLEST_ORDER: usize = 16;

/// Tries of a certificate, each with a shift nearer to the eigenvalue.
const TRIES: usize = 3;

/// A shift is so many surprises away from the eigenvalue that is expected.
const SURPRISES: f64 = 8.0;

/// Counts how often an extreme singular value was certified, and how often the dense computation had to decide.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TrackerCounts {
    /// Values found by iteration, with a certificate.
    pub certified: u64,
    /// Dense computations.
    pub dense: u64,
}

/// Follows the extreme singular values of an n x p Jacobian while it changes, from the singular vectors of the last one.
///
/// The squares agree with those of [`Factors::extreme_singular_values`] to 1e-12 relative. The largest may differ in addition
/// by the rounding of the Gram matrix, `(n + 2p + 16) eps norm(J)_F^2`, and of its certificate, `p (p + 2) eps / 2` relative.
/// The last bits depend on the Jacobians seen before.
///
/// # Examples
/// ```
/// use gaussflow_solvers::{Factors, RowKronecker, SpectrumTracker};
///
/// let inputs: Vec<f64> = (0..120).map(|e| f64::from(e * e % 17) - 8.0).collect();
/// let mut jacobian = RowKronecker::new(&inputs, 3, 6); // 40 x 18
/// for j in 0..40 {
///     for i in 0..6 {
///         jacobian.pieces_mut()[0].left_mut()[(j, i)] = 1.0 / (1.0 + (j * (i + 1) % 7) as f64);
///     }
/// }
/// let mut factors = Factors::new(40, 18)?;
/// let mut tracker = SpectrumTracker::new();
/// let found = tracker.extremes(&mut factors, &jacobian)?;
/// let dense = factors.extreme_singular_values(&jacobian)?;
/// assert!((found.smallest / dense.smallest - 1.0).abs() < 1e-11);
/// assert!((found.largest / dense.largest - 1.0).abs() < 1e-11);
/// # Ok::<(), gaussflow_solvers::SolveError>(())
/// ```
pub struct SpectrumTracker {
    smallest: Followed,
    largest: Followed,
    space: KrylovSpace,
    inverse: ShiftedInverse,
    certificate: Option<Cholesky>,
    /// For p > n the factors of `J^T`: its Gram matrix is K, and its singular values are those of J.
    turned: Option<Factors>,
    /// Terms of the sums that make an entry of H: n, or with p > n what the structure of K asks for.
    terms: f64,
    /// `J x`, length n.
    image: Vec<f64>,
    /// `J^T J x - theta x`, length p.
    defect: Vec<f64>,
    /// Distance of the last certified shift from the smallest eigenvalue, relative to it, after a search.
    separation: f64,
    counts: TrackerCounts,
}

/// Products with J and its transpose that cost so many times those with `J^T J` are replaced by them: their sums run over n
/// rows, and with rows on several machines each is an exchange.
const GRAM_PAYS: f64 = 8.0;

/// A search for what has a certificate.
type Search<T> =
    fn(&mut SpectrumTracker, &mut Factors, &dyn JacobianOperator) -> Result<Option<T>, SolveError>;

impl Default for SpectrumTracker {
    fn default() -> Self {
        Self::new()
    }
}

impl SpectrumTracker {
    /// Creates a tracker without any vectors; buffers are allocated at the first call.
    pub fn new() -> Self {
        Self {
            smallest: Followed::new(0),
            largest: Followed::new(0),
            space: KrylovSpace::default(),
            inverse: ShiftedInverse::default(),
            certificate: None,
            turned: None,
            terms: 0.0,
            image: Vec::new(),
            defect: Vec::new(),
            separation: 0.5,
            counts: TrackerCounts::default(),
        }
    }

    /// Returns how often values were certified.
    pub fn counts(&self) -> TrackerCounts {
        self.counts
    }

    /// Computes the smallest and the largest of the min(n, p) singular values of J.
    ///
    /// # Cost
    /// A few products and at most a few Cholesky factorizations of order min(n, p) where the values can be certified; else
    /// the dense computation.
    ///
    /// # Errors
    /// [`SolveError`] for a wrong shape, or entries that are not finite.
    pub fn extremes(
        &mut self,
        factors: &mut Factors,
        jacobian: &dyn JacobianOperator,
    ) -> Result<ExtremeSingularValues, SolveError> {
        if let Some(found) = self.certified(factors, jacobian, Self::certified_extremes)? {
            self.counts.certified += 1;
            if factors.is_wide() {
                // Whether J has n independent rows is known then, without any factor of J.
                factors.size(jacobian)?;
                factors.extremes = (factors.exponent == 0).then_some(found);
            }
            return Ok(found);
        }
        // Counted once there: the memory limit may refuse it.
        let found = factors.extreme_singular_values(jacobian)?;
        self.counts.dense += 1;
        Ok(found)
    }

    /// Computes the smallest of the min(n, p) singular values of J.
    ///
    /// # Errors
    /// As [`Self::extremes`].
    pub fn smallest(
        &mut self,
        factors: &mut Factors,
        jacobian: &dyn JacobianOperator,
    ) -> Result<f64, SolveError> {
        if let Some(smallest) = self.certified(factors, jacobian, Self::certified_smallest)? {
            self.counts.certified += 1;
            return Ok(smallest);
        }
        let found = factors.extreme_singular_values(jacobian)?;
        self.counts.dense += 1;
        Ok(found.smallest)
    }

    /// What `find` finds for J, or with p > n for `J^T`; `None` where there is no certificate.
    fn certified<T>(
        &mut self,
        factors: &mut Factors,
        jacobian: &dyn JacobianOperator,
        find: Search<T>,
    ) -> Result<Option<T>, SolveError> {
        if !factors.is_wide() {
            self.terms = factors.total_rows as f64;
            return if self.prepare(factors, jacobian)? {
                find(self, factors, jacobian)
            } else {
                Ok(None)
            };
        }
        let (rows, columns) = (factors.columns, factors.total_rows);
        let mut turned = match self.turned.take() {
            Some(turned) if (turned.rows, turned.columns) == (rows, columns) => turned,
            _ => Factors::new(rows, columns)?,
        };
        // J may have moved since they were last asked for.
        turned.invalidate();
        turned.set_memory_limit(factors.memory_limit);
        let order = columns as f64;
        self.terms = (jacobian.kernel_operations() / (order * order)).min(rows as f64);
        let transposed = Transposed(jacobian);
        let found = match self.prepare(&mut turned, &transposed) {
            Ok(true) => find(self, &mut turned, &transposed),
            Ok(false) => Ok(None),
            Err(error) => Err(error),
        };
        self.turned = Some(turned);
        found
    }

    /// Whether tracking can work here: of some order, within the memory limit (a certificate is one
    /// matrix more), and squares of J inside the range of numbers.
    fn prepare(
        &mut self,
        factors: &mut Factors,
        jacobian: &dyn JacobianOperator,
    ) -> Result<bool, SolveError> {
        let (n, p) = (factors.rows, factors.columns);
        let room = factors.has_memory(DampedSolver::PrimalCholesky, 1);
        if p < SMALLEST_ORDER || !room {
            return Ok(false);
        }
        factors.size(jacobian)?;
        if factors.exponent != 0 {
            return Ok(false);
        }
        self.image.resize(n, 0.0);
        if self.defect.len() != p {
            self.defect.resize(p, 0.0);
            self.inverse.resize(p);
            self.certificate = None;
            for followed in [&mut self.smallest, &mut self.largest] {
                *followed = Followed::new(p);
            }
        }
        Ok(true)
    }

    /// A bound of what rounding adds to `J^T J` and to a Cholesky factor of its order, in the 2-norm:
    /// sums of n and of p products, each relative to `norm(J)_F^2`.
    fn gram_rounding(
        &self,
        factors: &mut Factors,
        jacobian: &dyn JacobianOperator,
    ) -> Result<f64, SolveError> {
        let size = factors.size(jacobian)?;
        let sums = self.terms + (2 * factors.columns + 16) as f64;
        Ok(sums * f64::EPSILON * size * size)
    }

    /// Both, if their certificates are found.
    fn certified_extremes(
        &mut self,
        factors: &mut Factors,
        jacobian: &dyn JacobianOperator,
    ) -> Result<Option<ExtremeSingularValues>, SolveError> {
        let Some(smallest) = self.certified_smallest(factors, jacobian)? else { return Ok(None) };
        let largest = self.certified_largest(factors, jacobian)?;
        Ok(largest.map(|largest| ExtremeSingularValues { smallest, largest }))
    }

    /// The smallest singular value, if its certificate is found.
    fn certified_smallest(
        &mut self,
        factors: &mut Factors,
        jacobian: &dyn JacobianOperator,
    ) -> Result<Option<f64>, SolveError> {
        let rounding = self.gram_rounding(factors, jacobian)?;
        if self.smallest.has_trend() && self.smallest.start(self.inverse.vector_mut()) {
            if let Some(theta) = self.continue_smallest(factors, jacobian, rounding)? {
                return Ok(Some(theta.sqrt()));
            }
            self.smallest.lose_track();
        }
        Ok(self.search_smallest(factors, jacobian, rounding)?.map(f64::sqrt))
    }

    /// The smallest eigenvalue where it comes as the last points let expect, with one factor.
    fn continue_smallest(
        &mut self,
        factors: &mut Factors,
        jacobian: &dyn JacobianOperator,
        rounding: f64,
    ) -> Result<Option<f64>, SolveError> {
        let expected = self.smallest.expected();
        // Nearer, rounding would leave nothing of the gap, or nothing of what the residual may be: that of a measured
        // residual is taken for a sixteenth of the bound.
        let noise = rounding / expected;
        let least = (SURPRISES * noise).max(noise * noise / (16.0 * WIDTH));
        let distance = (SURPRISES * self.smallest.surprise).min(0.5 * self.separation).max(least);
        if !(expected > 0.0 && distance < 1.0 && self.inverse.normalize()) {
            return Ok(None);
        }
        let shift = expected * (1.0 + distance);
        let tau = 2.0 * shift;
        let order = self.defect.len();
        let gram = factors.gram(jacobian)?;
        let certificate = self.certificate.get_or_insert_with(|| Cholesky::new(order));
        let weighted = (tau, self.inverse.vector());
        if certificate.factor_deflated(gram, -shift, weighted).is_err() {
            return Ok(None);
        }
        let proves = |theta: f64, residual: f64, width: f64| {
            let gap = shift - theta - rounding;
            gap > 0.0 && residual * residual <= width * theta * gap
        };
        let enough = |theta: f64, residual: f64| proves(theta, residual, 0.1 * WIDTH);
        let Some(residual) = self.inverse.iterate(certificate, (shift, tau), enough) else {
            return Ok(None);
        };
        let x = self.inverse.vector();
        jacobian.apply(x, &mut self.image);
        let mut theta = jacobian.inner_product(&self.image, &self.image);
        // The recurrence knows the residual up to the rounding of its matrix.
        if !proves(theta, residual + rounding, WIDTH) {
            theta = measure(jacobian, x, &mut self.image, &mut self.defect);
            if !proves(theta, norm(&self.defect), WIDTH) {
                return Ok(None);
            }
        }
        self.smallest.found(theta, x);
        Ok(Some(theta))
    }

    /// The smallest eigenvalue by a search that needs to know nothing.
    fn search_smallest(
        &mut self,
        factors: &mut Factors,
        jacobian: &dyn JacobianOperator,
        rounding: f64,
    ) -> Result<Option<f64>, SolveError> {
        match factors.primal(jacobian, 0.0).map(Cholesky::condition) {
            Ok(condition) if condition <= UNDAMPED_CONDITION => {}
            Ok(_) | Err(SolveError::NotPositiveDefinite { .. }) => return Ok(None),
            Err(other) => return Err(other),
        }
        let Some(inverse) = factors.held_primal(0.0) else { return Ok(None) };
        // Of the inverse, theta^-1 is the largest: one step beyond the Krylov space for the vector.
        let wanted = (0.1 * WIDTH * self.separation).sqrt();
        let start = |x: &mut [f64]| self.smallest.start(x);
        let found = self.space.largest(
            (self.defect.len(), self.smallest.first_look()),
            start,
            |x, out| {
                out.copy_from_slice(x);
                inverse.solve(out);
            },
            |ritz: &Ritz| ritz.defect <= wanted * ritz.value,
        );
        let Some(ritz) = found else { return Ok(None) };
        self.smallest.steps = ritz.steps;
        self.space.vector_beyond(&ritz);
        let x = self.space.vector();
        let theta = measure(jacobian, x, &mut self.image, &mut self.defect);
        let residual = norm(&self.defect);
        self.smallest.found(theta, x);
        // Half the way to what looks like the second eigenvalue, or what was certified last time.
        let second = 0.5 * (ritz.value / ritz.second - 1.0);
        let mut separation = second.min(2.0 * self.separation).min(1.0);
        let gram = factors.gram(jacobian)?;
        for _ in 0..TRIES {
            let shift = theta * (1.0 + separation);
            let gap = shift - theta - rounding;
            if !(gap > 0.0 && residual * residual <= WIDTH * theta * gap) {
                break;
            }
            let certificate = self.certificate.get_or_insert_with(|| Cholesky::new(x.len()));
            if certificate.factor_deflated(gram, -shift, (2.0 * shift, x)).is_ok() {
                self.separation = separation;
                return Ok(Some(theta));
            }
            separation *= 0.25;
        }
        self.separation = (0.25 * self.separation).max(1e-3);
        Ok(None)
    }

    /// The largest singular value, if its certificate is found.
    fn certified_largest(
        &mut self,
        factors: &mut Factors,
        jacobian: &dyn JacobianOperator,
    ) -> Result<Option<f64>, SolveError> {
        let rounding = self.gram_rounding(factors, jacobian)?;
        let start = |x: &mut [f64]| self.largest.start(x);
        let order = self.defect.len();
        let extent = (order, self.largest.first_look());
        // Temple and Kato once more, with the second Ritz value for the second eigenvalue.
        let enough = |ritz: &Ritz| {
            let gap = ritz.value - ritz.second;
            ritz.defect * ritz.defect <= 0.1 * WIDTH * ritz.value * gap
        };
        let by_gram = jacobian.normal_operations() > GRAM_PAYS * (2 * order * order) as f64;
        let found = if by_gram {
            // The certificate needs this matrix anyway, and knows its rounding.
            let gram = factors.gram(jacobian)?;
            self.space.largest(extent, start, |x, out| gram.symmetric_product(x, out), enough)
        } else {
            let image = &mut self.image;
            let product = |x: &[f64], out: &mut [f64]| jacobian.normal_apply(x, image, out);
            self.space.largest(extent, start, product, enough)
        };
        let Some(ritz) = found else { return Ok(None) };
        self.largest.steps = ritz.steps;
        self.space.vector_within(&ritz);
        let x = self.space.vector();
        let theta = if by_gram {
            ritz.value
        } else {
            measure(jacobian, x, &mut self.image, &mut self.defect)
        };
        self.largest.found(theta, x);
        let shift = theta * (1.0 + WIDTH) + rounding;
        let gram = factors.gram(jacobian)?;
        let certificate = self.certificate.get_or_insert_with(|| Cholesky::new(x.len()));
        Ok(certificate.decompose_shifted(gram, -1.0, shift).is_ok().then(|| theta.sqrt()))
    }
}

/// `theta = norm(J x)^2` for the unit vector x, and its defect `J^T J x - theta x`; `image` gets `J x`.
fn measure(
    jacobian: &dyn JacobianOperator,
    x: &[f64],
    image: &mut [f64],
    defect: &mut [f64],
) -> f64 {
    jacobian.normal_apply(x, image, defect);
    let theta = jacobian.inner_product(image, image);
    add_scaled(defect, -theta, x);
    theta
}
