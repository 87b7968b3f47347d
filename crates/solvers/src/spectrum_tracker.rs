//! Extreme singular values of a Jacobian that moves along a path, each with a certificate.
//!
//! A Lanczos process, started where the last point's vector was, gives a pair (theta, x) of `H = J^T J`
//! with residual r. If the Cholesky factor of `H + tau x x^T - s I` exists, the second smallest
//! eigenvalue lies above s (a perturbation of rank one moves the smallest past it at most), and
//! `theta - r^2 / (s - theta) <= lambda_min <= theta` (Temple, Kato). `(s I - H)` likewise bounds the
//! largest. Where no certificate is found, the dense computation decides, and is counted.

use crate::cholesky::Cholesky;
use crate::damped::{DampedSolver, UNDAMPED_CONDITION};
use crate::error::SolveError;
use crate::extreme::ExtremeSingularValues;
use crate::factors::Factors;
use crate::lanczos_path::{KrylovSpace, Ritz};
use crate::operator::JacobianOperator;
use crate::vector::{add_scaled, inner_product, norm};

/// Relative width of the interval that a certificate may leave an eigenvalue.
const WIDTH: f64 = 1e-12;

/// Orders below which the dense computation costs less than a certificate.
const SMALLEST_ORDER: usize = 16;

/// Tries of a certificate, each with a shift nearer to the eigenvalue.
const TRIES: usize = 3;

/// How often a tracked value was certified, and how often the dense computation had to decide.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TrackerCounts {
    /// Values with a certificate.
    pub certified: u64,
    /// Dense computations.
    pub dense: u64,
}

/// Follows the extreme singular values of one n x p Jacobian from point to point.
///
/// The squares are those of [`Factors::extreme_singular_values`] within 1e-12 of themselves, the largest
/// within as much again as rounding adds to the Gram matrix, `(n + 2p + 16) eps norm(J)_F^2`, and to its
/// certificate, `p (p + 2) eps / 2` of itself; their last bits depend on the path.
///
/// # Examples
/// ```
/// use gaussflow_solvers::{Factors, RowKronecker, SpectrumTracker};
///
/// let inputs: Vec<f64> = (0..120).map(|e| f64::from(e * e % 17) - 8.0).collect();
/// let mut jacobian = RowKronecker::new(&inputs, 3, 6); // 40 x 18
/// for j in 0..40 {
///     for i in 0..6 {
///         jacobian.left_mut()[(j, i)] = 1.0 / (1.0 + (j * (i + 1) % 7) as f64);
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
    certificate: Option<Cholesky>,
    /// `J x`, length n.
    image: Vec<f64>,
    /// `J^T J x - theta x`, length p.
    defect: Vec<f64>,
    /// Distance of the last certified shift from the smallest eigenvalue, relative to it.
    separation: f64,
    counts: TrackerCounts,
}

/// A vector that is followed from point to point.
#[derive(Default)]
struct Followed {
    now: Vec<f64>,
    before: Vec<f64>,
    /// Steps of the last search.
    steps: usize,
}

impl Followed {
    /// Puts the start of the next search into `x`: the last vector, carried on as it moved. Nothing is
    /// written before the first vector is known.
    fn start(&self, x: &mut [f64]) -> bool {
        if self.now.len() != x.len() {
            return false;
        }
        x.copy_from_slice(&self.now);
        if self.before.len() == x.len() {
            // Of either sign: both vectors are known up to that.
            let same = inner_product(&self.now, &self.before) >= 0.0;
            for (x, before) in x.iter_mut().zip(&self.before) {
                *x = 2.0 * *x - if same { *before } else { -*before };
            }
        }
        true
    }

    /// The step from which the next search looks at what it has: one before the last search ended.
    fn first_look(&self) -> usize {
        self.steps.saturating_sub(1)
    }

    /// Notes the vector that was found.
    fn found(&mut self, x: &[f64]) {
        std::mem::swap(&mut self.now, &mut self.before);
        self.now.clear();
        self.now.extend_from_slice(x);
    }
}

impl Default for SpectrumTracker {
    fn default() -> Self {
        Self::new()
    }
}

impl SpectrumTracker {
    /// A tracker that knows nothing yet; buffers are made at the first point.
    pub fn new() -> Self {
        Self {
            smallest: Followed::default(),
            largest: Followed::default(),
            space: KrylovSpace::default(),
            certificate: None,
            image: Vec::new(),
            defect: Vec::new(),
            separation: 0.5,
            counts: TrackerCounts::default(),
        }
    }

    /// How often values were certified.
    pub fn counts(&self) -> TrackerCounts {
        self.counts
    }

    /// The smallest and largest of the min(n, p) singular values of J.
    ///
    /// # Errors
    /// Shape and finiteness, as [`SolveError`] says.
    pub fn extremes(
        &mut self,
        factors: &mut Factors,
        jacobian: &dyn JacobianOperator,
    ) -> Result<ExtremeSingularValues, SolveError> {
        if self.prepare(factors, jacobian)?
            && let Some(smallest) = self.certified_smallest(factors, jacobian)?
            && let Some(largest) = self.certified_largest(factors, jacobian)?
        {
            self.counts.certified += 1;
            return Ok(ExtremeSingularValues { smallest, largest });
        }
        // Counted once there: the memory limit may refuse it.
        let found = factors.extreme_singular_values(jacobian)?;
        self.counts.dense += 1;
        Ok(found)
    }

    /// The smallest of the min(n, p) singular values of J.
    ///
    /// # Errors
    /// As [`Self::extremes`].
    pub fn smallest(
        &mut self,
        factors: &mut Factors,
        jacobian: &dyn JacobianOperator,
    ) -> Result<f64, SolveError> {
        if self.prepare(factors, jacobian)?
            && let Some(smallest) = self.certified_smallest(factors, jacobian)?
        {
            self.counts.certified += 1;
            return Ok(smallest);
        }
        let found = factors.extreme_singular_values(jacobian)?;
        self.counts.dense += 1;
        Ok(found.smallest)
    }

    /// Whether tracking can work here: n >= p, of some size, within the memory limit (a certificate is one
    /// matrix more), and with a trustworthy factor.
    fn prepare(
        &mut self,
        factors: &mut Factors,
        jacobian: &dyn JacobianOperator,
    ) -> Result<bool, SolveError> {
        let (n, p) = (factors.rows, factors.columns);
        let room = factors.has_memory(DampedSolver::PrimalCholesky, 1);
        if factors.is_wide() || p < SMALLEST_ORDER || !room {
            return Ok(false);
        }
        self.image.resize(n, 0.0);
        if self.defect.len() != p {
            self.defect.resize(p, 0.0);
            self.certificate = None;
        }
        match factors.primal(jacobian, 0.0).map(Cholesky::condition) {
            Ok(condition) => Ok(condition <= UNDAMPED_CONDITION),
            Err(SolveError::NotPositiveDefinite { .. }) => Ok(false),
            Err(other) => Err(other),
        }
    }

    /// The smallest singular value, if its certificate is found.
    fn certified_smallest(
        &mut self,
        factors: &mut Factors,
        jacobian: &dyn JacobianOperator,
    ) -> Result<Option<f64>, SolveError> {
        let rounding = gram_rounding(factors, jacobian)?;
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
        let theta = self.measure(jacobian);
        let x = self.space.vector();
        let residual = norm(&self.defect);
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
            if certificate.decompose_deflated(gram, -shift, (2.0 * shift, x)).is_ok() {
                self.separation = separation;
                self.smallest.found(x);
                return Ok(Some(theta.sqrt()));
            }
            separation *= 0.25;
        }
        self.separation = (0.25 * self.separation).max(1e-3);
        self.smallest.found(self.space.vector());
        Ok(None)
    }

    /// The largest singular value, if its certificate is found.
    fn certified_largest(
        &mut self,
        factors: &mut Factors,
        jacobian: &dyn JacobianOperator,
    ) -> Result<Option<f64>, SolveError> {
        let rounding = gram_rounding(factors, jacobian)?;
        let start = |x: &mut [f64]| self.largest.start(x);
        let image = &mut self.image;
        let found = self.space.largest(
            (self.defect.len(), self.largest.first_look()),
            start,
            |x, out| jacobian.normal_apply(x, image, out),
            // Temple and Kato once more, with the second Ritz value for the second eigenvalue.
            |ritz: &Ritz| {
                let gap = ritz.value - ritz.second;
                ritz.defect * ritz.defect <= 0.1 * WIDTH * ritz.value * gap
            },
        );
        let Some(ritz) = found else { return Ok(None) };
        self.largest.steps = ritz.steps;
        self.space.vector_within(&ritz);
        let theta = self.measure(jacobian);
        let x = self.space.vector();
        self.largest.found(x);
        let shift = theta * (1.0 + WIDTH) + rounding;
        let gram = factors.gram(jacobian)?;
        let certificate = self.certificate.get_or_insert_with(|| Cholesky::new(x.len()));
        Ok(certificate.decompose_shifted(gram, -1.0, shift).is_ok().then(|| theta.sqrt()))
    }

    /// `theta = norm(J x)^2` for the space's vector x, and its defect `J^T J x - theta x`.
    fn measure(&mut self, jacobian: &dyn JacobianOperator) -> f64 {
        let x = self.space.vector();
        jacobian.normal_apply(x, &mut self.image, &mut self.defect);
        let theta = jacobian.inner_product(&self.image, &self.image);
        add_scaled(&mut self.defect, -theta, x);
        theta
    }
}

/// A bound of what rounding adds to `J^T J` and to a Cholesky factor of its order, in the 2-norm:
/// sums of n and of p products, each relative to `norm(J)_F^2`.
fn gram_rounding(
    factors: &mut Factors,
    jacobian: &dyn JacobianOperator,
) -> Result<f64, SolveError> {
    let size = factors.size(jacobian)?;
    let sums = factors.total_rows + 2 * factors.columns + 16;
    Ok(sums as f64 * f64::EPSILON * size * size)
}
