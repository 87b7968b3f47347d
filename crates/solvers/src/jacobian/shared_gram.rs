//! `J^T J` where o rows of J, those of the outputs of a sample, share their rows of X.
//!
//! `(J_a^T J_b)[i d + k, i' d' + k'] = sum_j T_j[i, i'] x_jk x'_jk'` with one term a sample, `T_j[i, i'] = sum_r S_ri S'_ri'` over the
//! rows r of sample j: o times fewer operations than with a term for each row. For a piece with itself T and the pairs of
//! features are symmetric, which saves another factor near 4, and half of it is needed.

use faer::prelude::ReborrowMut;
use faer::{Accum, MatMut, MatRef};
use gaussflow_faer::matmul;

use crate::jacobian::kronecker_piece::KroneckerPiece;

/// Sums that are made at a time, and numbers of the factors that they are made of (32 MiB each).
const AT_A_TIME: usize = 1 << 22;

/// Writes the lower triangle of `J^T J` to `out` (p x p), for pieces that share their inputs alike.
pub(crate) fn shared_gram(
    pieces: &[KroneckerPiece],
    mut out: MatMut<'_, f64>,
    work: &mut Vec<f64>,
) {
    let mut row = 0;
    for (later, b) in pieces.iter().enumerate() {
        let mut column = 0;
        for a in &pieces[..=later] {
            let shape = (b.columns(), a.columns());
            let block = out.rb_mut().submatrix_mut(row, column, shape.0, shape.1);
            let own = column == row;
            Block { a, b, own }.write(block, work);
            column += a.columns();
        }
        row += b.columns();
    }
}

/// Multiplications and additions of [`shared_gram`].
pub(crate) fn shared_gram_operations(pieces: &[KroneckerPiece]) -> f64 {
    let (mut operations, mut before) = (0.0, 0.0);
    for piece in pieces {
        let samples = piece.samples() as f64;
        let (m, d) = (piece.hidden() as f64, piece.features() as f64);
        operations += 2.0 * samples * before * m * d;
        operations += 0.5 * samples * m * (m + 1.0) * d * (d + 1.0);
        before += m * d;
    }
    operations
}

/// The block of pieces a (its columns) and b (its rows), which are one piece where it is its own.
struct Block<'a> {
    a: &'a KroneckerPiece,
    b: &'a KroneckerPiece,
    own: bool,
}

impl Block<'_> {
    /// Pairs of unit i of b with those of a, or of feature i likewise.
    fn partners(&self, i: usize, all: usize) -> usize {
        if self.own { i + 1 } else { all }
    }

    fn write(&self, mut out: MatMut<'_, f64>, work: &mut Vec<f64>) {
        let Self { a, b, .. } = self;
        let feature_pairs: usize = (0..b.features()).map(|k| self.partners(k, a.features())).sum();
        if feature_pairs == 0 || a.hidden() == 0 {
            return;
        }
        let mut first = 0;
        while first < b.hidden() {
            // Units of b whose pairs are summed up together.
            let (mut last, mut unit_pairs) = (first, 0);
            while last < b.hidden() {
                let more = unit_pairs + self.partners(last, a.hidden());
                if last > first && more * feature_pairs > AT_A_TIME {
                    break;
                }
                (last, unit_pairs) = (last + 1, more);
            }
            let shape = (unit_pairs, feature_pairs);
            let step = (AT_A_TIME / (unit_pairs + feature_pairs)).clamp(1, b.samples().max(1));
            work.resize(unit_pairs * feature_pairs + step * (unit_pairs + feature_pairs), 0.0);
            let (sums, factors) = work.split_at_mut(unit_pairs * feature_pairs);
            self.sum_up(first..last, shape, (step, factors), sums);
            self.scatter(first..last, shape, sums, out.rb_mut());
            first = last;
        }
    }

    /// `sums[pair of units, pair of features]`, column-major, over all samples.
    fn sum_up(
        &self,
        units: std::ops::Range<usize>,
        (unit_pairs, feature_pairs): (usize, usize),
        (step, factors): (usize, &mut [f64]),
        sums: &mut [f64],
    ) {
        let Self { a, b, .. } = self;
        let mut products = vec![0.0; a.hidden().max(a.features())];
        for begin in (0..b.samples()).step_by(step) {
            let count = step.min(b.samples() - begin);
            let (by_units, rest) = factors.split_at_mut(count * unit_pairs);
            let by_features = &mut rest[..count * feature_pairs];
            for j in 0..count {
                let rows = b.rows_of_sample(begin + j);
                let (left_a, left_b): (Vec<_>, Vec<_>) =
                    rows.map(|r| (a.left_row(r), b.left_row(r))).unzip();
                let mut pair = 0;
                for i in units.clone() {
                    let partners = self.partners(i, a.hidden());
                    let products = &mut products[..partners];
                    products.fill(0.0);
                    for (s_a, s_b) in left_a.iter().zip(&left_b) {
                        let factor = s_b[i];
                        products.iter_mut().zip(s_a).for_each(|(sum, s)| *sum += factor * s);
                    }
                    for product in products {
                        by_units[pair * count + j] = *product;
                        pair += 1;
                    }
                }
                let (x_a, x_b) = (a.inputs_of_sample(begin + j), b.inputs_of_sample(begin + j));
                let mut pair = 0;
                for (k, factor) in x_b.iter().enumerate() {
                    for x in &x_a[..self.partners(k, x_a.len())] {
                        by_features[pair * count + j] = factor * x;
                        pair += 1;
                    }
                }
            }
            let accum = if begin == 0 { Accum::Replace } else { Accum::Add };
            let by_units = MatRef::from_column_major_slice(by_units, count, unit_pairs);
            let by_features = MatRef::from_column_major_slice(by_features, count, feature_pairs);
            let sums = MatMut::from_column_major_slice_mut(sums, unit_pairs, feature_pairs);
            matmul(sums, accum, by_units.transpose(), by_features, 1.0);
        }
    }

    /// Brings the sums of these units of b to their places.
    fn scatter(
        &self,
        units: std::ops::Range<usize>,
        (unit_pairs, _): (usize, usize),
        sums: &[f64],
        mut out: MatMut<'_, f64>,
    ) {
        let (d_a, d_b) = (self.a.features(), self.b.features());
        let mut pair = 0;
        for i in units {
            for other in 0..self.partners(i, self.a.hidden()) {
                let mut at = pair;
                for k in 0..d_b {
                    for l in 0..self.partners(k, d_a) {
                        out[(i * d_b + k, other * d_a + l)] = sums[at];
                        if self.own && i > other {
                            out[(i * d_b + l, other * d_a + k)] = sums[at];
                        }
                        at += unit_pairs;
                    }
                }
                pair += 1;
            }
        }
    }
}
