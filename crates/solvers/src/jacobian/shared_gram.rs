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
            self.scatter(first..last, feature_pairs, sums, out.rb_mut());
            first = last;
        }
    }

    /// `sums[pair of features, pair of units]`, column-major, over all samples.
    fn sum_up(
        &self,
        units: std::ops::Range<usize>,
        (unit_pairs, feature_pairs): (usize, usize),
        (step, factors): (usize, &mut [f64]),
        sums: &mut [f64],
    ) {
        let Self { a, b, .. } = self;
        let (mut left_a, mut left_b) = (Vec::new(), Vec::new());
        for begin in (0..b.samples()).step_by(step) {
            let count = step.min(b.samples() - begin);
            let (by_units, rest) = factors.split_at_mut(count * unit_pairs);
            let by_features = &mut rest[..count * feature_pairs];
            let columns = by_units.chunks_exact_mut(unit_pairs);
            for (j, (mut t, mut x)) in
                columns.zip(by_features.chunks_exact_mut(feature_pairs)).enumerate()
            {
                t.fill(0.0);
                let rows = b.rows_of_sample(begin + j);
                a.write_left_rows(rows.clone(), &mut left_a);
                b.write_left_rows(rows, &mut left_b);
                for i in units.clone() {
                    let (sums, later) = t.split_at_mut(self.partners(i, a.hidden()));
                    let rows = left_a.chunks_exact(a.hidden()).zip(left_b.chunks_exact(b.hidden()));
                    for (s_a, s_b) in rows {
                        let factor = s_b[i];
                        sums.iter_mut().zip(s_a).for_each(|(sum, s)| *sum += factor * s);
                    }
                    t = later;
                }
                let (x_a, x_b) = (a.inputs_of_sample(begin + j), b.inputs_of_sample(begin + j));
                for (k, factor) in x_b.iter().enumerate() {
                    let (products, later) = x.split_at_mut(self.partners(k, x_a.len()));
                    products.iter_mut().zip(x_a).for_each(|(out, x)| *out = factor * x);
                    x = later;
                }
            }
            let accum = if begin == 0 { Accum::Replace } else { Accum::Add };
            let by_units = MatRef::from_column_major_slice(by_units, unit_pairs, count);
            let by_features = MatRef::from_column_major_slice(by_features, feature_pairs, count);
            let sums = MatMut::from_column_major_slice_mut(sums, feature_pairs, unit_pairs);
            matmul(sums, accum, by_features, by_units.transpose(), 1.0);
        }
    }

    /// Brings the sums of these units of b to their places.
    fn scatter(
        &self,
        units: std::ops::Range<usize>,
        feature_pairs: usize,
        sums: &[f64],
        mut out: MatMut<'_, f64>,
    ) {
        let (d_a, d_b) = (self.a.features(), self.b.features());
        let mut sums = sums.chunks_exact(feature_pairs);
        for i in units {
            for (other, found) in (0..self.partners(i, self.a.hidden())).zip(&mut sums) {
                for l in 0..d_a {
                    // `out` is column-major.
                    let column = out.rb_mut().col_mut(other * d_a + l).try_as_col_major_mut();
                    let Some(column) = column else { continue };
                    let column = &mut column.as_slice_mut()[i * d_b..][..d_b];
                    if self.own {
                        // Of the blocks on the diagonal only what lies below it.
                        let (above, below) = column.split_at_mut(l);
                        if i > other {
                            above.copy_from_slice(&found[l * (l + 1) / 2..][..l]);
                        }
                        let mut at = l * (l + 1) / 2 + l;
                        for (k, entry) in (l..).zip(below) {
                            *entry = found[at];
                            at += k + 1;
                        }
                    } else {
                        let entries = found[l..].iter().step_by(d_a);
                        column.iter_mut().zip(entries).for_each(|(out, sum)| *out = *sum);
                    }
                }
            }
        }
    }
}
