//! One piece `S (.) X` of a Jacobian: the row-wise Kronecker product of S (n x m) and X (n x d).
//!
//! X is fixed (the inputs of a first layer), or written anew at every point (what a hidden layer puts out).

use std::sync::OnceLock;

use faer::Mat;
use rayon::prelude::*;

use crate::jacobian::block_diagonal::BlockDiagonal;
use crate::jacobian::feature_pairs::feature_pairs;
use crate::jacobian::gram_choice::{keeps_feature_pairs, pairs_pay};
use crate::jacobian::narrow_gram;
use crate::jacobian::row_blocks::{PADDING, ROW_BLOCK, RowBlocks};
use crate::simd::parallel;
use crate::vector::inner_product;

/// Multiply-adds that take as long as to copy a number to another place.
const COPY: f64 = 8.0;

/// Holds the factors S (n x m) and X (n x d) of one piece `J[j, i d + k] = S[j, i] X[j, k]` of a
/// [`RowKronecker`](crate::RowKronecker).
#[derive(Clone, Debug)]
pub struct KroneckerPiece {
    left: RowBlocks,
    /// `norm(s_j)^2` of the rows of S, where whoever wrote S wrote them too.
    left_squares: Vec<f64>,
    left_squares_known: bool,
    right: RowBlocks,
    /// Whether X is written at every point.
    right_varies: bool,
    /// Rows of a sample, which have the same row of X.
    sharing: usize,
    /// X once more, row after row, each padded with zeros.
    by_row: Mat<f64>,
    /// `norm(x_j)^2`, row by row.
    input_squares: Vec<f64>,
    /// Position of the pair of features (k, l) among all pairs, at `l d + k`; beyond [`FEW_FEATURES`] made for the first
    /// Gram matrix, as it would be larger than all else.
    pair_places: OnceLock<Vec<u32>>,
    /// The products of the pairs of features, row after row, where `pair_gram` asks for them and they are few.
    feature_pairs: Option<Mat<f64>>,
}

impl KroneckerPiece {
    /// Creates a piece with S = 0 (n x `hidden`) over constant `inputs` X (row-major, n x `features`).
    ///
    /// A trailing incomplete row of `inputs` is ignored; `features` = 0 gives a piece without columns.
    pub fn new(inputs: &[f64], features: usize, hidden: usize) -> Self {
        let rows = inputs.len().checked_div(features).unwrap_or(0);
        let mut piece = Self::over_varying(rows, features, hidden);
        for (j, row) in inputs.chunks_exact(features.max(1)).take(rows).enumerate() {
            for (k, x) in row.iter().enumerate() {
                piece.right[(j, k)] = *x;
            }
        }
        piece.right_is_written();
        piece.right_varies = false;
        let keeps = features > narrow_gram::FEATURES && keeps_feature_pairs(rows, features);
        if keeps && pairs_pay((rows, hidden, features), true) {
            let (rows_of_x, padded) = (piece.by_row.col_as_slice(0), piece.padded_features());
            piece.feature_pairs = Some(feature_pairs(rows_of_x, padded, rows, features));
        }
        piece
    }

    /// Creates a piece with S = 0 (n x `hidden`) and X = 0 (n x `features`), both to be written at every new parameter vector
    /// ([`Self::right_mut`]).
    pub fn over_varying(rows: usize, features: usize, hidden: usize) -> Self {
        // One more vector, so that whole vectors can be read from any entry on.
        let padded = features.next_multiple_of(PADDING) * rows + PADDING;
        Self {
            left: RowBlocks::zeros(rows, hidden),
            left_squares: vec![0.0; rows],
            left_squares_known: true,
            right: RowBlocks::zeros(rows, features),
            right_varies: true,
            sharing: 1,
            by_row: Mat::zeros(padded, 1),
            input_squares: vec![0.0; rows],
            pair_places: if features <= FEW_FEATURES {
                OnceLock::from(pair_places(features))
            } else {
                OnceLock::new()
            },
            feature_pairs: None,
        }
    }

    /// Says that each sample has this many rows, one after the other, with the same row of X; `J^T J` then takes one term per
    /// sample.
    ///
    /// # Panics
    /// Where n is no multiple of `rows_of_a_sample`.
    /// Where there are not as many rows for each sample.
    #[must_use]
    pub fn with_shared_inputs(mut self, rows_of_a_sample: usize) -> Self {
        let fits = rows_of_a_sample > 0 && self.left.rows().is_multiple_of(rows_of_a_sample);
        assert!(fits, "all samples have as many rows");
        self.sharing = rows_of_a_sample;
        if self.sharing > 1 {
            self.feature_pairs = None;
        }
        self
    }

    /// Whether rows share their inputs.
    pub(crate) fn shares_inputs(&self) -> bool {
        self.sharing > 1
    }

    /// Number of samples: rows of X that may differ.
    pub(crate) fn samples(&self) -> usize {
        self.left.rows() / self.sharing
    }

    /// The rows of a sample.
    pub(crate) fn rows_of_sample(&self, sample: usize) -> std::ops::Range<usize> {
        sample * self.sharing..(sample + 1) * self.sharing
    }

    /// The row of X of a sample.
    pub(crate) fn inputs_of_sample(&self, sample: usize) -> &[f64] {
        &self.input_from(sample * self.sharing)[..self.features()]
    }

    /// Makes `out` the rows of S in `rows`, row-major.
    pub(crate) fn write_left_rows(&self, rows: std::ops::Range<usize>, out: &mut Vec<f64>) {
        out.clear();
        for r in rows {
            let block = self.left.block(r / ROW_BLOCK);
            let entries = block.data[r % ROW_BLOCK..].iter().step_by(block.stride);
            out.extend(entries.take(self.hidden()));
        }
    }

    /// Returns S (n x m), one column per hidden unit.
    pub fn left(&self) -> &RowBlocks {
        &self.left
    }

    /// Returns S, to be written.
    pub fn left_mut(&mut self) -> &mut RowBlocks {
        self.left_squares_known = false;
        &mut self.left
    }

    /// Returns X, S and the squared norms of the rows of S (length n); the last two are to be written together, which saves a
    /// pass over S.
    pub fn factors_mut(&mut self) -> (&RowBlocks, &mut RowBlocks, &mut [f64]) {
        self.left_squares_known = true;
        (&self.right, &mut self.left, &mut self.left_squares)
    }

    /// Returns X (n x d), one column per feature.
    pub fn right(&self) -> &RowBlocks {
        &self.right
    }

    /// Returns X, to be written; call [`Self::right_is_written`] afterwards. It must not be called for constant inputs.
    pub fn right_mut(&mut self) -> &mut RowBlocks {
        self.feature_pairs = None;
        &mut self.right
    }

    /// Updates what depends on X after it was written.
    pub fn right_is_written(&mut self) {
        let (right, d, padded) = (&self.right, self.features(), self.padded_features());
        if d == 0 {
            return;
        }
        let rows = self.by_row.col_as_slice_mut(0);
        let take = |b: usize, rows: &mut [f64], squares: &mut [f64]| {
            let block = right.block(b);
            // In squares: each cache line of the rows is written at once.
            for (eight, rows) in rows.chunks_mut(PADDING * padded).enumerate() {
                for (k, columns) in block.data.chunks(PADDING * block.stride).enumerate() {
                    for (r, row) in rows.chunks_exact_mut(padded).enumerate() {
                        let entries = columns[eight * PADDING + r..].iter().step_by(block.stride);
                        row[k * PADDING..].iter_mut().zip(entries).for_each(|(o, x)| *o = *x);
                    }
                }
            }
            for (row, square) in rows.chunks_exact(padded).zip(squares) {
                *square = inner_product(&row[..d], &row[..d]);
            }
        };
        if parallel::is_worthwhile(COPY * (right.rows() * d) as f64) {
            rows.par_chunks_mut(ROW_BLOCK * padded)
                .zip(self.input_squares.par_chunks_mut(ROW_BLOCK))
                .enumerate()
                .for_each(|(b, (rows, squares))| take(b, rows, squares));
        } else {
            let blocks = rows.chunks_mut(ROW_BLOCK * padded);
            for (b, (rows, squares)) in
                blocks.zip(self.input_squares.chunks_mut(ROW_BLOCK)).enumerate()
            {
                take(b, rows, squares);
            }
        }
    }

    /// Writes `R^T (S (.) X) = (R^T S) (.) X` to `out`, for an R whose blocks each have one row of X alone; false where
    /// they have not.
    pub(crate) fn write_weighted(&self, root: BlockDiagonal<'_>, out: &mut Self) -> bool {
        let samples = self.left.rows() / root.order().max(1);
        let shares = |j: usize| (1..root.order()).all(|k| self.has_same_inputs(j, j + k));
        if !(0..samples).all(|sample| shares(sample * root.order())) {
            return false;
        }
        if self.right_varies {
            out.right.clone_from(&self.right);
            out.by_row.clone_from(&self.by_row);
            out.input_squares.clone_from(&self.input_squares);
        }
        let (n, left) = (self.left.rows(), out.left_mut());
        let (mut column, mut turned) = (vec![0.0; n], vec![0.0; n]);
        for i in 0..self.left.columns() {
            for b in 0..self.left.blocks() {
                column[self.left.block_rows(b)].copy_from_slice(self.left.column(b, i));
            }
            root.apply_transposed(&column, &mut turned);
            for b in 0..left.blocks() {
                let rows = left.block_rows(b);
                left.column_mut(b, i).copy_from_slice(&turned[rows]);
            }
        }
        true
    }

    /// Whether two rows of X are the same.
    fn has_same_inputs(&self, j: usize, k: usize) -> bool {
        let d = self.features();
        self.input_from(j)[..d] == self.input_from(k)[..d]
    }

    /// Returns the number of columns, m d.
    pub fn columns(&self) -> usize {
        self.hidden() * self.features()
    }

    /// Whether the pairs of units and of features save operations in `J^T J`.
    pub(crate) fn has_pair_gram(&self) -> bool {
        let shape = (self.left.rows(), self.hidden(), self.features());
        self.has_narrow_gram() || pairs_pay(shape, self.feature_pairs.is_some())
    }

    /// Whether X has so few features that vectors run along units or rows in `J^T J`.
    pub(crate) fn has_narrow_gram(&self) -> bool {
        self.features() <= narrow_gram::FEATURES
    }

    /// `norm(x_j)^2`, row by row.
    pub(crate) fn input_squares(&self) -> &[f64] {
        &self.input_squares
    }

    /// `norm(s_j)^2`, row by row, where whoever wrote S wrote them too.
    pub(crate) fn left_squares(&self) -> Option<&[f64]> {
        self.left_squares_known.then_some(&self.left_squares)
    }

    /// Returns the number of hidden units m.
    pub fn hidden(&self) -> usize {
        self.left.columns()
    }

    /// Returns the number of features d.
    pub fn features(&self) -> usize {
        self.right.columns()
    }

    /// Length of a row of [`Self::inputs_by_row`]: d, padded.
    pub(crate) fn padded_features(&self) -> usize {
        self.features().next_multiple_of(PADDING)
    }

    /// Row j of X, with what follows it: at least a vector more than d entries.
    pub(crate) fn input_from(&self, j: usize) -> &[f64] {
        &self.by_row.col_as_slice(0)[j * self.padded_features()..]
    }

    /// The products of the pairs of features, row after row, if they are kept.
    pub(crate) fn feature_pairs(&self) -> Option<&[f64]> {
        self.feature_pairs.as_ref().map(|pairs| pairs.col_as_slice(0))
    }

    /// Position of the pair of features (k, l) among all pairs, at `l d + k`.
    pub(crate) fn pair_places(&self) -> &[u32] {
        self.pair_places.get_or_init(|| pair_places(self.features()))
    }

    /// The rows of X in block `b`, one after the other, each padded with zeros.
    pub(crate) fn inputs_by_row(&self, b: usize) -> &[f64] {
        let (rows, padded) = (self.right.block_rows(b), self.padded_features());
        &self.by_row.col_as_slice(0)[rows.start * padded..rows.end * padded]
    }
}

/// Features up to which the places of their pairs (4 MiB) are made with the operator, so that no step allocates them.
const FEW_FEATURES: usize = 1024;

/// Position of the pair of features (k, l) among all pairs, at `l d + k`.
fn pair_places(features: usize) -> Vec<u32> {
    let place = |e: usize| {
        let (k, l) = ((e / features).min(e % features), (e / features).max(e % features));
        // The pairs of 0 with all, then of 1 with the others, and so on.
        u32::try_from(k * features - k * (k + 1) / 2 + l).unwrap_or(u32::MAX)
    };
    (0..features * features).map(place).collect()
}
