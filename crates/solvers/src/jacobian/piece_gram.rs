//! `J^T J` of a row of pieces `S (.) X`: which kernel makes which block.
//!
//! A piece's own block comes from pairs of its units and features where that saves operations. Where it does not, and
//! between two pieces, where nothing is symmetric, blocks are products of some rows of J at a time. Rows that share
//! their inputs have sums of their own (`shared_gram.rs`).

use faer::prelude::{Reborrow, ReborrowMut};
use faer::{Accum, MatMut};
use gaussflow_faer::{lower_of_product, matmul};

use crate::jacobian::few_units_gram::{self, few_units_gram};
use crate::jacobian::kronecker_piece::KroneckerPiece;
use crate::jacobian::narrow_gram::narrow_gram;
use crate::jacobian::pair_gram::pair_gram;
use crate::jacobian::row_blocks::ROW_BLOCK;
use crate::jacobian::row_gram::{self, row_gram};
use crate::jacobian::row_kronecker::write_rows_of;
use crate::jacobian::shared_gram::{shared_gram, shared_gram_operations};

/// Numbers of the rows of J that are formed at a time, unless a block of rows has more (32 MiB).
const ROWS_AT_A_TIME: usize = 1 << 22;

/// The same of several pieces of few columns: half the usual second-level cache.
const ROWS_IN_CACHE: usize = 1 << 15;

/// Writes the lower triangle of `J^T J` to `out` (p x p, column-major), J of at least one piece.
pub(crate) fn gram(pieces: &[KroneckerPiece], mut out: MatMut<'_, f64>, work: &mut Vec<f64>) {
    let columns: usize = pieces.iter().map(KroneckerPiece::columns).sum();
    if columns == 0 {
        return;
    }
    if pieces[0].left().rows() == 0 {
        out.fill(0.0);
        return;
    }
    if pieces.iter().all(KroneckerPiece::shares_inputs) {
        return shared_gram(pieces, out, work);
    }
    let (alone, by_pairs) = (pieces.len() == 1, pieces.iter().any(KroneckerPiece::has_pair_gram));
    if columns <= row_gram::PARAMETERS && !by_pairs {
        return row_gram(pieces, out, work);
    }
    let mut first = 0;
    for piece in pieces {
        let order = piece.columns();
        if piece.has_pair_gram() {
            own_gram(piece, out.rb_mut().submatrix_mut(first, first, order, order), work);
        }
        first += order;
    }
    if !(alone && by_pairs) {
        gram_by_rows(pieces, columns, out, work);
    }
}

/// The block of a piece by pairs.
fn own_gram(piece: &KroneckerPiece, out: MatMut<'_, f64>, work: &mut Vec<f64>) {
    let (rows, units) = (piece.left().rows(), piece.hidden());
    let gram = match piece.has_narrow_gram() {
        true if few_units_gram::pays(rows, units) => few_units_gram,
        true => narrow_gram,
        false => pair_gram,
    };
    gram(piece, out, work);
}

/// The other blocks: those between two pieces, and those of pieces without pairs.
fn gram_by_rows(
    pieces: &[KroneckerPiece],
    columns: usize,
    mut out: MatMut<'_, f64>,
    work: &mut Vec<f64>,
) {
    let all = pieces[0].left();
    // Each pass adds to the whole matrix, which pays for about as many rows as there are columns.
    let numbers = match pieces {
        [_] => ROWS_AT_A_TIME,
        _ => ROWS_IN_CACHE.max(columns * columns).min(ROWS_AT_A_TIME),
    };
    let step = (numbers / columns / ROW_BLOCK).max(1);
    work.resize(all.rows().min(step * ROW_BLOCK) * columns, 0.0);
    for begin in (0..all.blocks()).step_by(step) {
        let blocks = begin..all.blocks().min(begin + step);
        let rows = all.block_rows(blocks.end - 1).end - begin * ROW_BLOCK;
        let mut formed =
            MatMut::from_column_major_slice_mut(&mut work[..rows * columns], rows, columns);
        write_rows_of(pieces, blocks, formed.rb_mut());
        let (formed, accum) = (formed.rb(), if begin == 0 { Accum::Replace } else { Accum::Add });
        let mut first = 0;
        for piece in pieces {
            let order = piece.columns();
            let (own, before) = (formed.subcols(first, order), formed.subcols(0, first));
            let mut out = out.rb_mut().subrows_mut(first, order);
            if first > 0 && order > 0 {
                matmul(out.rb_mut().subcols_mut(0, first), accum, own.transpose(), before, 1.0);
            }
            if order > 0 && !piece.has_pair_gram() {
                let out = out.subcols_mut(first, order);
                lower_of_product(out, accum, own.transpose(), own);
            }
            first += order;
        }
    }
}

/// Multiplications and additions of [`gram`].
pub(crate) fn gram_operations(pieces: &[KroneckerPiece]) -> f64 {
    if pieces.iter().all(KroneckerPiece::shares_inputs) {
        return shared_gram_operations(pieces);
    }
    let (mut operations, mut before) = (0.0, 0.0);
    for piece in pieces {
        let n = piece.left().rows() as f64;
        let (m, d) = (piece.hidden() as f64, piece.features() as f64);
        operations += 2.0 * n * before * m * d;
        operations += if piece.has_pair_gram() {
            0.5 * n * m * (m + 1.0) * d * (d + 1.0)
        } else {
            n * m * d * (m * d + 1.0)
        };
        before += m * d;
    }
    operations
}
