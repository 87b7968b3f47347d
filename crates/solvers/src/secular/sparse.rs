//! Steps of a sparse A: conjugate gradients on `(A^T A + lambda I) d = -A^T b` with a sparse Cholesky factor.
//!
//! The factor is that of `A^T A + (lambda + delta) I` with `delta = 16 (1 + sqrt(w)) eps norm(A)^2`, w the most entries
//! of a column or row: as small as the rounding of `A^T A`, and large enough that every pivot is positive whatever
//! rank A has. Each iteration takes the residual from A itself and so removes what the factor's rounding and delta
//! left: one or two are the rule. Along directions of A's kernel the right-hand side is rounding, and an undamped
//! step is not 0 but up to `norm(b) / norm(A)`.

use crate::dense::extreme::ExtremeSingularValues;
use crate::dense::thin_svd::ThinSvd;
use crate::error::SolveError;
use crate::jacobian::operator::JacobianOperator;
use crate::jacobian::sparse_jacobian::SparseJacobian;
use crate::powers::binary_scale;
use crate::secular::equation::Steps;
use crate::secular::sparse_cholesky::{SparseFactor, SparseGram};
use crate::vector::{add_scaled, inner_product, norm};

/// Iterations of one solve; a factor of what is solved needs one to three.
const ITERATIONS: usize = 40;
/// Energy of the error, relative to that of the solution, at which a solve ends: `(4 eps)^2`.
const ENERGY: f64 = 16.0 * f64::EPSILON * f64::EPSILON;
/// Steps of the power iteration for the largest singular value.
const POWER_STEPS: usize = 20;
/// Multiple of delta up to which eigenvalues of `A^T A` are corrected by their vectors.
const NEAR: f64 = 1e4;
/// Most such eigenvalues.
const VECTORS: usize = 32;
/// Rounds of the subspace iteration for these vectors.
const ROUNDS: usize = 8;

/// Holds what a sparse factor tells about `(A^T A)^+`: rank, diagonal, and the directions that the data do not determine.
#[derive(Clone, Debug, PartialEq)]
pub struct SparseInverse {
    /// Number of singular values above the cutoff.
    pub rank: usize,
    /// The diagonal of the pseudo-inverse `(A^T A)^+` over the free columns, for columns that no dropped singular vector
    /// moves; the entries of the others are meaningless. `None` where it is not known: for more than about 32 singular values
    /// below 1e-5 of the largest, or where the inverse of the factor would take more than 2e10 multiplications.
    pub diagonal: Option<Vec<f64>>,
    /// Right singular vectors below the cutoff (over the free columns) with their singular values: at most 32, and fewer than
    /// `columns - rank` where there are more.
    pub lost: Vec<(Vec<f64>, f64)>,
    /// A lower bound of the largest singular value.
    pub largest: f64,
}

/// The factors of `A / unit`.
pub(crate) struct SparseNormal {
    free: Vec<usize>,
    unit: f64,
    a: SparseJacobian,
    gram: SparseGram,
    /// delta.
    shift: f64,
    /// Estimate of the largest singular value, from below.
    largest: f64,
    undamped: SparseFactor,
    damped: Option<(f64, SparseFactor)>,
    /// `b / share`.
    b: Vec<f64>,
    share: f64,
    /// `A^T b`.
    pulled: Vec<f64>,
    /// Solutions d of this b, for damping 0 and the last other, with `norm(A d)`.
    solutions: [Option<Solution>; 2],
    rank: usize,
}

/// d, in units of `share / unit`.
struct Solution {
    damping: f64,
    d: Vec<f64>,
    image: f64,
}

impl SparseNormal {
    /// Factors the columns `free` of `jacobian`, each divided by its entry of `scales`; `known` is an earlier factor of
    /// a Jacobian with the same pattern.
    ///
    /// # Errors
    /// [`SolveError::MemoryLimit`] of the factor.
    pub(super) fn new(
        jacobian: &SparseJacobian,
        free: &[usize],
        scales: &[f64],
        known: Option<Self>,
    ) -> Result<Self, SolveError> {
        let kept = known.filter(|known| known.free == free).map(|known| (known.a, known.gram));
        let (mut a, mut gram) = match kept {
            Some((a, gram)) => (a, Some(gram)),
            None => (SparseJacobian::zeros(jacobian.pattern().select(free)), None),
        };
        let mut largest = 0.0_f64;
        for (c, &column) in free.iter().enumerate() {
            let inverse = scales[column].recip();
            let source = jacobian.column(column).1;
            let target = a.column_mut(c).1;
            target.iter_mut().zip(source).for_each(|(t, x)| *t = x * inverse);
            largest = largest.max(norm(target));
        }
        let unit = binary_scale(largest);
        a.values_mut().iter_mut().for_each(|x| *x *= unit.recip());
        let gram = match gram.take() {
            Some(gram) => gram,
            None => SparseGram::new(&a)?,
        };
        Self::factor(free, unit, a, gram)
    }

    fn factor(
        free: &[usize],
        unit: f64,
        a: SparseJacobian,
        mut gram: SparseGram,
    ) -> Result<Self, SolveError> {
        gram.refresh(&a);
        let pattern = a.pattern();
        let columns = (0..a.columns()).map(|k| pattern.column(k).len());
        let width = columns.chain((0..a.rows()).map(|j| pattern.row(j).len())).max().unwrap_or(0);
        // A zero matrix has a bound of 0, and needs a shift nevertheless.
        let bound = a.norm_bound().max(f64::MIN_POSITIVE.sqrt());
        let shift = 16.0 * (1.0 + (width as f64).sqrt()) * f64::EPSILON * bound * bound;
        let undamped = gram.factor(shift)?;
        let (n, p) = (a.rows(), a.columns());
        // A pivot is 1 over the diagonal of the inverse as far as it was eliminated: of the order of delta where the
        // column is a combination of others.
        let rank = p.min(n).min(p - undamped.pivots_below(4.0 * shift));
        let mut found = Self {
            free: free.to_vec(),
            unit,
            a,
            gram,
            shift,
            largest: 0.0,
            undamped,
            damped: None,
            b: vec![0.0; n],
            share: 1.0,
            pulled: vec![0.0; p],
            solutions: [None, None],
            rank,
        };
        found.largest = found.power_iteration();
        Ok(found)
    }

    /// The largest singular value of `A / unit`, from below.
    fn power_iteration(&self) -> f64 {
        let (n, p) = (self.a.rows(), self.a.columns());
        // No eigenvector of a regular structure is orthogonal to it.
        let mut v: Vec<f64> = (0..p).map(|k| 1.0 + 0.5 * (k as f64 * 0.7).sin()).collect();
        let (mut image, mut found) = (vec![0.0; n], 0.0_f64);
        for _ in 0..POWER_STEPS {
            let size = norm(&v);
            if size == 0.0 {
                break;
            }
            v.iter_mut().for_each(|x| *x /= size);
            let mut next = vec![0.0; p];
            self.a.normal_apply(&v, &mut image, &mut next);
            found = found.max(norm(&image));
            v = next;
        }
        // No column is longer than the largest singular value.
        (0..p).map(|k| norm(self.a.column(k).1)).fold(found, f64::max)
    }

    /// lambda in the units of `A / unit`.
    fn scaled(&self, damping: f64) -> f64 {
        (damping.sqrt() / self.unit).powi(2)
    }

    /// The solution for lambda, and the factor it was found by.
    fn solve(&mut self, damping: f64) -> (&Solution, &SparseFactor) {
        let place = usize::from(damping > 0.0);
        let scaled = self.scaled(damping);
        if place == 1
            && self.damped.as_ref().is_none_or(|(known, _)| known.to_bits() != damping.to_bits())
        {
            // Of finite entries, with every pivot positive, the factor exists.
            self.damped = self.gram.factor(scaled + self.shift).ok().map(|found| (damping, found));
        }
        let factor = match &self.damped {
            Some((_, factor)) if place == 1 => factor,
            _ => &self.undamped,
        };
        let known = self.solutions[place].as_ref().map(|found| found.damping.to_bits());
        if known != Some(damping.to_bits()) {
            let (d, image) = self.iterate(scaled, factor);
            self.solutions[place] = Some(Solution { damping, d, image });
        }
        // It was just made.
        let Some(found) = &self.solutions[place] else { unreachable!() };
        (found, factor)
    }

    /// Conjugate gradients from 0: d with `(A^T A + lambda I) d = -A^T b`, and `norm(A d)`.
    fn iterate(&self, damping: f64, factor: &SparseFactor) -> (Vec<f64>, f64) {
        let (n, p) = (self.b.len(), self.pulled.len());
        let mut d = vec![0.0; p];
        let mut image = vec![0.0; n];
        let (mut direction, mut product) = (vec![0.0; p], vec![0.0; n]);
        let mut defect: Vec<f64> = self.pulled.iter().map(|x| -x).collect();
        let (mut before, mut first) = (0.0, 0.0);
        let mut residual = vec![0.0; n];
        for iteration in 0..ITERATIONS {
            let mut z = defect.clone();
            factor.solve(&mut z);
            let energy = inner_product(&z, &defect);
            if iteration == 0 {
                first = energy;
            }
            // Written so that NaN ends it.
            let worth = energy > ENERGY * first;
            if !worth {
                break;
            }
            let share = if iteration == 0 { 0.0 } else { energy / before };
            before = energy;
            direction.iter_mut().zip(&z).for_each(|(p, z)| *p = z + share * *p);
            self.a.apply(&direction, &mut product);
            let curvature =
                inner_product(&product, &product) + damping * inner_product(&direction, &direction);
            let length = energy / curvature;
            if !length.is_finite() {
                break;
            }
            add_scaled(&mut d, length, &direction);
            add_scaled(&mut image, length, &product);
            // -(A^T (b + A d) + lambda d).
            residual.iter_mut().zip(self.b.iter().zip(&image)).for_each(|(r, (b, i))| *r = b + i);
            self.a.apply_transposed(&residual, &mut defect);
            defect.iter_mut().zip(&d).for_each(|(s, d)| *s = -*s - damping * d);
            let rounding = norm(&residual) * self.largest + damping * norm(&d);
            if norm(&defect) <= 4.0 * f64::EPSILON * rounding {
                break;
            }
        }
        let image = norm(&image);
        (d, image)
    }

    /// Rank, null directions and the diagonal of the inverse, singular values up to `cutoff` times the largest left out.
    pub(super) fn inverse(&self, cutoff: f64) -> Result<SparseInverse, SolveError> {
        let (n, p) = (self.a.rows(), self.a.columns());
        // Eigenvalues below a bound, by the inertia of A^T A less the bound.
        let below = |bound: f64| Ok(self.gram.factor(-bound)?.pivots_below(0.0));
        let near: usize = below(NEAR * self.shift)?;
        let smallest = (self.undamped.inverse_diagonal(), near <= VECTORS.min(p));
        let (mut diagonal, true) = smallest else {
            let least = (cutoff * self.largest).powi(2).max(2.0 * self.shift);
            let (lost, rank) = (Vec::new(), (p - below(least)?).min(n));
            let largest = self.largest * self.unit;
            return Ok(SparseInverse { rank, diagonal: None, lost, largest });
        };
        let vectors = self.smallest_vectors(near)?;
        let mut lost = Vec::new();
        for (v, value) in vectors {
            let keep = value > cutoff * self.largest;
            if let Some(diagonal) = &mut diagonal {
                // What the shifted inverse says of this direction, and what is true.
                let (said, meant) = ((value * value + self.shift).recip(), (value * value).recip());
                let change = if keep { meant - said } else { -said };
                diagonal.iter_mut().zip(&v).for_each(|(x, v)| *x = (*x + change * v * v).max(0.0));
            }
            if !keep {
                lost.push((v, value * self.unit));
            }
        }
        if let Some(diagonal) = &mut diagonal {
            diagonal.iter_mut().for_each(|x| *x = *x / self.unit / self.unit);
        }
        let (rank, largest) = (p - lost.len(), self.largest * self.unit);
        Ok(SparseInverse { rank, diagonal, lost, largest })
    }

    /// The right singular vectors of the `count` smallest singular values of `A / unit`, by subspace iteration with the
    /// factor, their values by products with A, which squares nothing.
    fn smallest_vectors(&self, count: usize) -> Result<Vec<(Vec<f64>, f64)>, SolveError> {
        let (n, p) = (self.a.rows(), self.a.columns());
        // A few more make the wanted ones converge faster.
        let width = (count + 4).min(p);
        if count == 0 {
            return Ok(Vec::new());
        }
        let mut basis: Vec<Vec<f64>> = (0..width)
            .map(|i| (0..p).map(|k| ((k + 1) as f64 * (i as f64 + 0.618)).sin()).collect())
            .collect();
        let mut values = vec![0.0; width];
        for _ in 0..ROUNDS {
            basis.iter_mut().for_each(|v| self.undamped.solve(v));
            orthonormalize(&mut basis);
            // Rayleigh and Ritz by the singular values of A V: those of V^T A^T A V would lose the small ones.
            let mut images = faer::Mat::zeros(n.max(width), width);
            for (c, v) in basis.iter().enumerate() {
                let mut image = vec![0.0; n];
                self.a.apply(v, &mut image);
                image.iter().enumerate().for_each(|(j, x)| images[(j, c)] = *x);
            }
            let mut svd = ThinSvd::new(n.max(width), width);
            svd.factor(images.as_ref())?;
            values.iter_mut().zip(svd.values()).for_each(|(value, s)| *value = s);
            basis = (0..width)
                .map(|i| {
                    let mut v = vec![0.0; p];
                    svd.right(i).iter().zip(&basis).for_each(|(x, b)| add_scaled(&mut v, *x, b));
                    v
                })
                .collect();
        }
        // Largest first: the wanted ones are the last.
        Ok(basis.into_iter().zip(values).skip(width - count).collect())
    }
}

impl Steps for SparseNormal {
    fn project(&mut self, b: &[f64]) {
        self.share = binary_scale(norm(b));
        let inverse = self.share.recip();
        self.b.iter_mut().zip(b).for_each(|(scaled, b)| *scaled = b * inverse);
        self.a.apply_transposed(&self.b, &mut self.pulled);
        self.solutions = [None, None];
    }

    fn rank(&self) -> usize {
        self.rank
    }

    fn image_norm(&mut self) -> f64 {
        self.solve(0.0).0.image * self.share
    }

    /// The smallest from the inverse power iteration.
    fn extremes(&mut self) -> ExtremeSingularValues {
        let p = self.pulled.len();
        let mut v: Vec<f64> = (0..p).map(|k| ((k + 1) as f64 * 0.618).sin()).collect();
        let (mut image, mut smallest) = (vec![0.0; self.b.len()], f64::INFINITY);
        for _ in 0..POWER_STEPS {
            let size = norm(&v);
            v.iter_mut().for_each(|x| *x /= size);
            self.a.apply(&v, &mut image);
            smallest = smallest.min(norm(&image));
            self.undamped.solve(&mut v);
        }
        let (smallest, largest) = (smallest * self.unit, self.largest * self.unit);
        ExtremeSingularValues { smallest, largest }
    }

    fn size(&self) -> f64 {
        binary_scale(self.largest) * self.unit
    }

    fn share(&self) -> f64 {
        self.share
    }

    fn slope(&mut self, size: f64, share: f64) -> f64 {
        norm(&self.pulled) * (self.share / share) * (self.unit / size)
    }

    fn step_norm(&mut self, damping: f64) -> f64 {
        norm(&self.solve(damping).0.d) * (self.share / self.unit)
    }

    fn bend(&mut self, damping: f64, size: f64, unit: f64) -> f64 {
        let (solution, factor) = self.solve(damping);
        let mut z = solution.d.clone();
        factor.solve(&mut z);
        let found = inner_product(&z, &solution.d);
        let factor = (unit / self.unit * self.share) * (size / self.unit);
        found * factor * factor
    }

    fn step(&mut self, damping: f64, out: &mut [f64]) {
        let factor = self.share / self.unit;
        let d = &self.solve(damping).0.d;
        out.iter_mut().zip(d).for_each(|(o, d)| *o = factor * d);
    }

    fn damped_step(&mut self, rho: f64, out: &mut [f64]) {
        if rho >= 1.0 {
            let factor = self.share * self.unit;
            return out.iter_mut().zip(&self.pulled).for_each(|(o, x)| *o = -factor * x);
        }
        self.step(rho / (1.0 - rho), out);
        out.iter_mut().for_each(|x| *x /= 1.0 - rho);
    }

    fn image_of_step(&mut self, damping: f64) -> f64 {
        (self.solve(damping).0.image * self.share).powi(2)
    }
}

/// Gram and Schmidt, twice; vectors that vanish become 0.
fn orthonormalize(basis: &mut [Vec<f64>]) {
    for i in 0..basis.len() {
        let (known, rest) = basis.split_at_mut(i);
        let v = &mut rest[0];
        for _ in 0..2 {
            let size = norm(v);
            if size > 0.0 {
                v.iter_mut().for_each(|x| *x /= size);
            }
            for other in known.iter() {
                let product = inner_product(other, v);
                add_scaled(v, -product, other);
            }
        }
        let size = norm(v);
        if size > 0.0 {
            v.iter_mut().for_each(|x| *x /= size);
        }
    }
}
