//! `A^T A + shift I = L D L^T` for a sparse A: faer's ordering and factorization, inertia, and diagonal of the inverse.
//!
//! The order of elimination and the places of L depend on the pattern alone and are found once. D counts the
//! eigenvalues of `A^T A` below `-shift` (Sylvester), and the entries of the inverse at the places of L follow
//! from L itself (Takahashi, Fagan and Chen, 1973): no column of the inverse is ever formed.

use std::sync::Arc;

use faer::Side;
use faer::sparse::linalg::cholesky::{
    CholeskySymbolicParams, SymbolicCholesky, SymbolicCholeskyRaw, SymmetricOrdering,
    factorize_symbolic_cholesky, supernodal::SupernodalLdltRef,
};
use faer::sparse::{SparseColMatRef, SymbolicSparseColMatRef};
use gaussflow_faer::{sparse_ldlt, sparse_ldlt_solve};

use crate::error::SolveError;
use crate::jacobian::sparse_jacobian::SparseJacobian;

/// Bytes that the entries of `A^T A` or of L may take.
const LIMIT: usize = 4 << 30;
/// Bytes of an entry with its place.
const ENTRY: usize = 2 * size_of::<f64>();
/// Multiplications that the diagonal of an inverse may take: some seconds.
const INVERSE_OPERATIONS: usize = 20_000_000_000;

/// The lower triangle of `A^T A`, by columns.
pub(crate) struct SparseGram {
    starts: Vec<usize>,
    rows: Vec<usize>,
    values: Vec<f64>,
    symbolic: Arc<SymbolicCholesky<usize>>,
}

/// L and D.
pub(crate) struct SparseFactor {
    symbolic: Arc<SymbolicCholesky<usize>>,
    values: Vec<f64>,
}

impl SparseGram {
    /// Finds the places of `A^T A` and of L.
    ///
    /// # Errors
    /// [`SolveError::MemoryLimit`] where they take more than 4 GiB.
    pub(crate) fn new(a: &SparseJacobian) -> Result<Self, SolveError> {
        let pattern = a.pattern();
        let p = pattern.columns();
        let mut starts = vec![0];
        let mut rows: Vec<usize> = Vec::new();
        let mut seen = vec![usize::MAX; p];
        let over = |entries: usize| {
            let bytes = entries.saturating_mul(ENTRY);
            if bytes > LIMIT {
                Err(SolveError::MemoryLimit { bytes, limit: LIMIT })
            } else {
                Ok(())
            }
        };
        // A row of m entries alone makes m (m + 1) / 2.
        let longest = (0..pattern.rows()).map(|row| pattern.row(row).len()).max().unwrap_or(0);
        over(longest.saturating_mul(longest + 1) / 2)?;
        for c in 0..p {
            let from = rows.len();
            // The diagonal is there for the shift, even of a column without entries.
            seen[c] = c;
            rows.push(c);
            for &row in pattern.column(c) {
                let across = pattern.row(row);
                let later = across.partition_point(|(k, _)| *k <= c);
                for &(k, _) in &across[later..] {
                    if seen[k] != c {
                        seen[k] = c;
                        rows.push(k);
                    }
                }
            }
            rows[from..].sort_unstable();
            starts.push(rows.len());
            over(rows.len())?;
        }
        let symbolic = {
            let places = SymbolicSparseColMatRef::new_checked(p, p, &starts, None, &rows);
            let parameters = CholeskySymbolicParams::default();
            let order = SymmetricOrdering::Amd;
            factorize_symbolic_cholesky(places, Side::Lower, order, parameters)
                .map_err(|_| SolveError::MemoryLimit { bytes: usize::MAX, limit: LIMIT })?
        };
        over(symbolic.len_val())?;
        let values = vec![0.0; rows.len()];
        Ok(Self { starts, rows, values, symbolic: Arc::new(symbolic) })
    }

    /// Takes in the entries of an A of the same pattern.
    pub(crate) fn refresh(&mut self, a: &SparseJacobian) {
        let mut sums = vec![0.0; a.pattern().columns()];
        for c in 0..sums.len() {
            let (rows, values) = a.column(c);
            for (&row, x) in rows.iter().zip(values) {
                let across = a.pattern().row(row);
                let later = across.partition_point(|(k, _)| *k < c);
                across[later..].iter().for_each(|&(k, place)| sums[k] += x * a.values()[place]);
            }
            let span = self.starts[c]..self.starts[c + 1];
            for (&row, value) in self.rows[span.clone()].iter().zip(&mut self.values[span]) {
                *value = std::mem::take(&mut sums[row]);
            }
        }
    }

    /// The factor of `A^T A + shift I`.
    ///
    /// # Errors
    /// [`SolveError::NoConvergence`] on entries that are not finite.
    pub(crate) fn factor(&self, shift: f64) -> Result<SparseFactor, SolveError> {
        let p = self.starts.len() - 1;
        let mut shifted = self.values.clone();
        // The first entry of each column is its diagonal.
        self.starts[..p].iter().for_each(|&place| shifted[place] += shift);
        let places = SymbolicSparseColMatRef::new_checked(p, p, &self.starts, None, &self.rows);
        let mut values = vec![0.0; self.symbolic.len_val()];
        let shifted = SparseColMatRef::new(places, &shifted);
        if sparse_ldlt(&self.symbolic, shifted, &mut values) {
            Ok(SparseFactor { symbolic: Arc::clone(&self.symbolic), values })
        } else {
            Err(SolveError::NoConvergence { rows: p, columns: p })
        }
    }
}

impl SparseFactor {
    /// `x <- (A^T A + shift I)^-1 x`.
    pub(crate) fn solve(&self, x: &mut [f64]) {
        sparse_ldlt_solve(&self.symbolic, &self.values, x);
    }

    /// Number of pivots below `bound`; with a bound of 0 the number of eigenvalues of `A^T A` below `-shift`.
    pub(crate) fn pivots_below(&self, bound: f64) -> usize {
        match self.symbolic.raw() {
            SymbolicCholeskyRaw::Simplicial(symbolic) => {
                let starts = &symbolic.col_ptr()[..symbolic.ncols()];
                starts.iter().filter(|start| self.values[**start] < bound).count()
            }
            SymbolicCholeskyRaw::Supernodal(symbolic) => {
                let blocks = SupernodalLdltRef::new(symbolic, &self.values);
                let below = (0..symbolic.n_supernodes()).map(|s| {
                    let block = blocks.supernode(s).val();
                    (0..block.ncols()).filter(|&c| block[(c, c)] < bound).count()
                });
                below.sum()
            }
        }
    }

    /// L by columns: starts, rows and entries, D in the place of its unit diagonal.
    fn columns(&self) -> (Vec<usize>, Vec<usize>, Vec<f64>) {
        match self.symbolic.raw() {
            SymbolicCholeskyRaw::Simplicial(symbolic) => {
                (symbolic.col_ptr().to_vec(), symbolic.row_idx().to_vec(), self.values.clone())
            }
            SymbolicCholeskyRaw::Supernodal(symbolic) => {
                let blocks = SupernodalLdltRef::new(symbolic, &self.values);
                let (mut starts, mut rows, mut values) = (vec![0], Vec::new(), Vec::new());
                for s in 0..symbolic.n_supernodes() {
                    let block = blocks.supernode(s);
                    let (entries, first) = (block.val(), block.start());
                    let width = entries.ncols();
                    for c in 0..width {
                        rows.extend(first + c..first + width);
                        rows.extend_from_slice(block.pattern());
                        values.extend((c..entries.nrows()).map(|r| entries[(r, c)]));
                        starts.push(rows.len());
                    }
                }
                (starts, rows, values)
            }
        }
    }

    /// The diagonal of `(A^T A + shift I)^-1`; `None` where it takes more than 2e10 multiplications.
    pub(crate) fn inverse_diagonal(&self) -> Option<Vec<f64>> {
        let (starts, rows, factors) = self.columns();
        let p = starts.len() - 1;
        let length = |k: usize| starts[k + 1] - starts[k];
        let operations = rows.iter().fold(0_usize, |sum, &k| sum.saturating_add(length(k)));
        if operations > INVERSE_OPERATIONS {
            return None;
        }
        // Z_ij = -sum_k Z_ik L_kj and Z_jj = 1 / d_j - sum_k Z_jk L_kj over the rows k > j of column j: all Z that
        // this asks for lie at places of L.
        let mut inverse = vec![0.0; rows.len()];
        let (mut factor, mut sums) = (vec![0.0; p], vec![0.0; p]);
        let mut within = vec![false; p];
        for j in (0..p).rev() {
            let (pivot, below) = (starts[j], starts[j] + 1..starts[j + 1]);
            for place in below.clone() {
                (factor[rows[place]], within[rows[place]]) = (factors[place], true);
            }
            for place in below.clone() {
                let k = rows[place];
                sums[k] -= factor[k] * inverse[starts[k]];
                for other in starts[k] + 1..starts[k + 1] {
                    let i = rows[other];
                    if within[i] {
                        sums[i] -= factor[k] * inverse[other];
                        sums[k] -= factor[i] * inverse[other];
                    }
                }
            }
            let mut diagonal = factors[pivot].recip();
            for place in below {
                let k = rows[place];
                inverse[place] = std::mem::take(&mut sums[k]);
                diagonal -= factor[k] * inverse[place];
                within[k] = false;
            }
            inverse[pivot] = diagonal;
        }
        let mut found = vec![0.0; p];
        let order = self.symbolic.perm();
        for j in 0..p {
            let place = order.as_ref().map_or(j, |order| order.arrays().0[j]);
            found[place] = inverse[starts[j]];
        }
        Some(found)
    }
}
