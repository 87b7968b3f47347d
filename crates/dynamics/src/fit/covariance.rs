//! What the data say about the parameters: covariance, standard deviations, rank and null directions.
//!
//! `Cov = s^2 (J^T J)^-1` with `s^2 = loss / (n - rank)`, J with the roots of the weights in its rows (robust losses:
//! `sandwich.rs`). With `J D^-1 = U diag(s) V^T`, D the columns' norms, the deviation of parameter k is
//! `s / D_k` times `q_k = root(sum_i (v_ki / s_i)^2)`.
//!
//! Directions i with s_i below the cutoff are left out of that sum: they are what the data do not determine. What
//! they would add to `q_k` is `v_ki / s_i`, entry over singular value; a small entry is no small effect. An error e
//! of `J D^-1` (rounding, or differences), relative to its largest singular value, moves s_i by `e s_1` and v_ki by
//! `e s_1 q_k`. Parameter k is therefore *not determined*, and its deviation infinite, where
//!
//! `sum_i (v_ki / max(s_i / 10, e s_1))^2 > q_k^2` over the directions left out:
//!
//! where they would add more than a tenth of what the others give, by entries that are no rounding. Entries that
//! are rounding stay below, whatever s_i is, so that a parameter which a null direction does not move keeps its
//! deviation. The parameter with the largest entry in a direction left out is never determined.

use gaussflow_faer::faer::{Accum, Mat, MatRef};
use gaussflow_faer::matmul;
use gaussflow_solvers::SecularFactor;

/// Most null directions that are listed.
const LISTED: usize = 32;
/// Largest number of entries of the covariance's root (parameters times rank): 128 MiB.
const LARGEST: usize = 1 << 24;
/// Share of what the directions kept give that those left out may add unseen.
pub(super) const UNSEEN: f64 = 0.1;

/// Describes a direction in parameter space along which the data say nothing: the residuals do not change to first order,
/// `J direction = 0` up to the rank cutoff.
#[derive(Clone, Debug, PartialEq)]
pub struct NullDirection {
    /// The direction in parameters (length p), 2-norm 1.
    pub direction: Vec<f64>,
    /// The direction in units of the parameters' scales D_k, the norms of the Jacobian's columns: `D_k direction_k`,
    /// normalized to 2-norm 1 (length p).
    pub shares: Vec<f64>,
    /// Its singular value relative to the largest one, of the Jacobian with columns scaled to norm 1.
    pub singular_value_ratio: f64,
}

impl NullDirection {
    /// From its `shares` over the free parameters.
    pub(super) fn new(
        free_shares: &[f64],
        free: &[usize],
        scales: &[f64],
        singular_value_ratio: f64,
    ) -> Self {
        let mut shares = vec![0.0; scales.len()];
        let mut direction = vec![0.0; scales.len()];
        for (share, &k) in free_shares.iter().zip(free) {
            shares[k] = *share;
            direction[k] = share / scales[k];
        }
        let size = gaussflow_solvers::norm(&direction);
        direction.iter_mut().for_each(|x| *x /= size);
        Self { direction, shares, singular_value_ratio }
    }
}

/// A covariance matrix as `G G^T`: p times rank entries, each entry of the matrix on demand.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Covariance {
    /// G over the free parameters (f x rank, row-major); empty beyond [`LARGEST`].
    root: Vec<f64>,
    rank: usize,
    /// The row of each parameter (p), `None` where a bound holds it.
    rows: Vec<Option<usize>>,
}

impl Covariance {
    /// A covariance of which nothing is kept but the parameters that are known, given the `rows`.
    pub(super) fn unknown(rows: Vec<Option<usize>>) -> Self {
        Self { root: Vec::new(), rank: 1, rows }
    }

    /// Entry `(i, k)`; `None` without such parameters, or where G was too large to keep.
    pub(crate) fn entry(&self, i: usize, k: usize) -> Option<f64> {
        let (Some(row), Some(column)) = (self.rows.get(i)?, self.rows.get(k)?) else {
            return Some(0.0);
        };
        let of = |row: &usize| self.root.get(row * self.rank..(row + 1) * self.rank);
        Some(of(row)?.iter().zip(of(column)?).map(|(a, b)| a * b).sum())
    }
}

impl Covariance {
    /// All entries (p x p, row-major), 0 for parameters that a bound holds; `None` where G was too large to keep.
    pub(crate) fn matrix(&self) -> Option<Vec<f64>> {
        let p = self.rows.len();
        let held = self.rows.iter().flatten().count();
        let root = self.root.get(..held * self.rank)?;
        let root = MatRef::from_row_major_slice(root, held, self.rank);
        let mut product = Mat::zeros(held, held);
        matmul(product.as_mut(), Accum::Replace, root, root.transpose(), 1.0);
        let mut all = vec![0.0; p * p];
        for (i, row) in self.rows.iter().enumerate() {
            for (k, column) in self.rows.iter().enumerate() {
                if let (Some(row), Some(column)) = (row, column) {
                    all[i * p + k] = product[(*row, *column)];
                }
            }
        }
        Some(all)
    }
}

/// Covariance and rank of a fit.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Uncertainty {
    pub(crate) covariance: Covariance,
    pub(crate) standard_deviations: Vec<f64>,
    pub(crate) rank: usize,
    pub(crate) null_directions: Vec<NullDirection>,
}

/// The scaled Jacobian that an [`Uncertainty`] is made from.
pub(crate) struct Scaled<'a> {
    /// The factor of the free columns, each divided by its scale.
    pub(crate) factor: &'a mut SecularFactor,
    /// The parameters that no bound holds (f).
    pub(crate) free: &'a [usize],
    /// D (p).
    pub(crate) scales: &'a [f64],
    /// Error of the factored matrix relative to its largest singular value: e.
    pub(crate) error: f64,
    /// Singular values up to this multiple of the largest are left out; at least e.
    pub(crate) cutoff: f64,
}

impl Uncertainty {
    /// All that is known of `p` parameters where nothing could be factored.
    pub(crate) fn unknown(p: usize) -> Self {
        let covariance = Covariance::unknown(vec![Some(0); p]);
        let standard_deviations = vec![f64::NAN; p];
        Self { covariance, standard_deviations, rank: 0, null_directions: Vec::new() }
    }

    /// From the scaled Jacobian. `spread` multiplies the root `D^-1 V diag(1/s)` (f x rank, row-major) of
    /// `(J^T J)^-1` by what residuals add to it, given the rank.
    ///
    /// Of a large J of full rank, `R^-1` of its QR factors is the root, and costs less than singular vectors.
    pub(crate) fn of(scaled: &mut Scaled<'_>, spread: impl FnOnce(&mut [f64], usize)) -> Self {
        let Scaled { factor, free, scales, error, cutoff } = scaled;
        let (error, cutoff, f) = (*error, *cutoff, free.len());
        let (mut root, rank, null, largest);
        if let Some(inverse) = factor.inverse_triangle(cutoff) {
            largest = factor.extreme_singular_values().largest;
            (root, rank, null) = (inverse, f, NullSpace::none(f));
        } else {
            factor.decompose();
            let values = if free.is_empty() { &[][..] } else { factor.singular_values() };
            largest = values.iter().copied().fold(0.0, f64::max);
            let (kept, left_out): (Vec<usize>, Vec<usize>) =
                (0..values.len()).partition(|&i| values[i] > cutoff * largest);
            rank = kept.len();
            root = vec![0.0; f * rank];
            for (place, &i) in kept.iter().enumerate() {
                for (a, v) in factor.right(i).iter().enumerate() {
                    root[a * rank + place] = v / values[i];
                }
            }
            null = NullSpace::of(factor, f, &kept, &left_out);
        }
        // q_k in row k before the scales are divided out.
        let norm_of = |root: &[f64], a: usize| gaussflow_solvers::norm(&root[a * rank..][..rank]);
        let reach: Vec<f64> = (0..f).map(|a| norm_of(&root, a)).collect();
        let undetermined = null.moves(&reach, error * largest);
        for (a, &k) in free.iter().enumerate() {
            root[a * rank..][..rank].iter_mut().for_each(|x| *x /= scales[k]);
        }
        spread(&mut root, rank);
        let mut standard_deviations = vec![0.0; scales.len()];
        let mut rows = vec![None; scales.len()];
        for (a, &k) in free.iter().enumerate() {
            let deviation = norm_of(&root, a);
            standard_deviations[k] = if undetermined[a] { f64::INFINITY } else { deviation };
            rows[k] = Some(a);
        }
        if root.len() > LARGEST {
            root = Vec::new();
        }
        let covariance = Covariance { root, rank, rows };
        let null_directions = null.list(free, scales, largest);
        Self { covariance, standard_deviations, rank, null_directions }
    }
}

/// An orthonormal basis of what the directions kept leave, with singular values.
struct NullSpace {
    /// Unit vectors over the free parameters, each with its singular value.
    directions: Vec<(Vec<f64>, f64)>,
    /// What is left of each parameter's unit vector beside all that is known, squared.
    rest: Vec<f64>,
}

impl NullSpace {
    /// Of full rank.
    fn none(f: usize) -> Self {
        Self { directions: Vec::new(), rest: vec![0.0; f] }
    }

    /// Right singular vectors below the cutoff and, for wide systems, up to [`LISTED`] others of the kernel.
    fn of(factor: &SecularFactor, f: usize, kept: &[usize], left_out: &[usize]) -> Self {
        if kept.len() == f {
            return Self::none(f);
        }
        let mut directions: Vec<(Vec<f64>, f64)> = Vec::new();
        let mut rest = vec![0.0; f];
        let values = factor.singular_values();
        // Without a singular value, vectors of the factor may be zero: those are left to the complement.
        for &i in left_out {
            let v = factor.right(i).to_vec();
            if v.iter().map(|x| x * x).sum::<f64>() > 0.5 {
                directions.push((v, values[i]));
            }
        }
        let mut basis: Vec<Vec<f64>> = kept.iter().map(|&i| factor.right(i).to_vec()).collect();
        basis.extend(directions.iter().map(|(v, _)| v.clone()));
        let wanted = (f - kept.len()).min(LISTED.max(directions.len()));
        // Gram-Schmidt (twice) of the unit vectors: those that keep half of their length or more come first.
        for bound in [0.5, 1e-3] {
            for k in 0..f {
                if directions.len() >= wanted {
                    break;
                }
                let mut v = vec![0.0; f];
                v[k] = 1.0;
                for _ in 0..2 {
                    for known in &basis {
                        let product: f64 = known.iter().zip(&v).map(|(a, b)| a * b).sum();
                        v.iter_mut().zip(known).for_each(|(v, a)| *v -= product * a);
                    }
                }
                let size = v.iter().map(|x| x * x).sum::<f64>().sqrt();
                if size > bound {
                    v.iter_mut().for_each(|x| *x /= size);
                    basis.push(v.clone());
                    directions.push((v, 0.0));
                }
            }
        }
        if basis.len() < f {
            for (a, rest) in rest.iter_mut().enumerate() {
                let known: f64 = basis.iter().map(|v| v[a] * v[a]).sum();
                // The difference carries the rounding of about f products.
                let rounding = 4.0 * f as f64 * f64::EPSILON;
                *rest = if 1.0 - known > rounding { 1.0 - known } else { 0.0 };
            }
        }
        Self { directions, rest }
    }

    /// Which free parameters are not determined, given their `reach` q and the error of singular values.
    fn moves(&self, reach: &[f64], error: f64) -> Vec<bool> {
        let effect = |share: f64, s: f64| {
            if share == 0.0 { 0.0 } else { (share / error.max(UNSEEN * s)).powi(2) }
        };
        let mut moved: Vec<bool> = (0..reach.len())
            .map(|a| {
                let known = self.directions.iter().map(|(v, s)| effect(v[a], *s));
                let sum = known.sum::<f64>() + effect(self.rest[a].sqrt(), 0.0);
                sum > reach[a] * reach[a]
            })
            .collect();
        for (v, _) in &self.directions {
            let largest = (0..v.len()).max_by(|&a, &b| v[a].abs().total_cmp(&v[b].abs()));
            if let Some(a) = largest {
                moved[a] = true;
            }
        }
        moved
    }

    /// The first directions in parameters.
    fn list(self, free: &[usize], scales: &[f64], largest: f64) -> Vec<NullDirection> {
        let listed = self.directions.into_iter().take(LISTED);
        listed
            .map(|(v, s)| {
                let singular_value_ratio = if largest > 0.0 { s / largest } else { 0.0 };
                NullDirection::new(&v, free, scales, singular_value_ratio)
            })
            .collect()
    }
}
