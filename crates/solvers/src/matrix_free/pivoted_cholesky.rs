//! A low-rank preconditioner for `(1 - rho) K + rho I`: a blocked, partial pivoted Cholesky of `K`.
//!
//! `K = F F^T + E` with E positive semidefinite and zero on the pivots (Harbrecht, Peters and
//! Schneider 2012); the eigenvalues of `((1-rho) F F^T + rho I)^-1 ((1-rho) K + rho I)` then lie in
//! `[1, 1 + norm(E) / rho0]`, `rho0 = rho / (1 - rho)`. By Woodbury the inverse is
//! `(I - F (F^T F + rho0 I)^-1 F^T) / rho`. K is seen only through its diagonal and some columns.

// Without inlining, a loop would not be compiled for the instruction set of the closure around it.
#![allow(clippy::inline_always)]

use faer::prelude::ReborrowMut;
use faer::{Accum, Mat, MatMut, MatRef};
use gaussflow_faer::{lower_of_product, matmul, solve_lower};

use crate::dense::cholesky::Cholesky;
use crate::dense::padded_square::PaddedSquare;
use crate::jacobian::operator::JacobianOperator;
use crate::simd::arch::arch;
use crate::vector::inner_product_inlined;

/// Columns of K of one step: enough for matrix products, few enough to follow the residual.
const BLOCK: usize = 32;

/// Rows of F of one pass of a product, whose results stay in the first-level cache.
const ROWS: usize = 1024;

/// Within a block a pivot below this part of the mean diagonal of E is dropped: the others of the
/// block stand for it, and its column of F would take memory for nothing.
const NEGLIGIBLE: f64 = 0.25;

/// Of a pivot below this part of the block's first, rounding leaves no more than half the digits.
const ROUNDING: f64 = 1e-8;

/// The damping that the small Cholesky sees is at least this part of the trace of `F^T F`, which
/// keeps its condition below 1/sqrt(eps) or so; any positive value gives a valid preconditioner.
const LEAST_DAMPING: f64 = 1e-10;

/// Golden ratio: start offsets of successive blocks never repeat.
const OFFSET_STEP: f64 = 0.618_033_988_749_894_9;

/// The partial factor and the small Cholesky of one damping.
#[derive(Default)]
pub(crate) struct PivotedCholesky {
    /// Columns of F in the order of computation, n x at most [`BLOCK`] each.
    blocks: Vec<Mat<f64>>,
    rank: usize,
    /// Diagonal of `E = K - F F^T`.
    diagonal: Vec<f64>,
    /// Sum of `diagonal`, and of the diagonal of K.
    trace: f64,
    kernel_trace: f64,
    offset: f64,
    /// `F^T F`, lower triangle.
    gram: Option<PaddedSquare>,
    small: Option<Cholesky>,
    /// The damping that `small` was factored at.
    damping: Option<f64>,
    coefficients: Vec<f64>,
}

/// When the partial factor is good enough.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RankLimits {
    /// Growth ends once the trace of E is at most this.
    pub(crate) trace: f64,
    /// Bytes for everything this preconditioner holds.
    pub(crate) bytes: usize,
}

impl RankLimits {
    /// The largest rank whose n x r factor, panel and two r x r matrices stay within the bytes.
    fn rank(self, rows: usize) -> usize {
        let words = (self.bytes / size_of::<f64>()) as f64 - (rows * (BLOCK + 1)) as f64;
        // 2 r^2 + n r = words.
        let n = rows as f64;
        let root = (n * n + 8.0 * words.max(0.0)).sqrt();
        let rank = (root - n) / 4.0;
        // Not negative, and far below 2^53.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let rank = rank as usize;
        rank.min(rows)
    }
}

impl PivotedCholesky {
    /// Rank r of F.
    pub(crate) fn rank(&self) -> usize {
        self.rank
    }

    /// The trace of E relative to that of K (0 for K = 0).
    pub(crate) fn relative_trace(&self) -> f64 {
        if self.kernel_trace > 0.0 { self.trace / self.kernel_trace } else { 0.0 }
    }

    /// Starts again at a new Jacobian, at rank 0.
    pub(crate) fn begin(&mut self, jacobian: &dyn JacobianOperator) {
        self.blocks.clear();
        self.rank = 0;
        self.offset = 0.5;
        self.damping = None;
        self.diagonal.resize(jacobian.rows(), 0.0);
        jacobian.kernel_diagonal(&mut self.diagonal);
        self.trace = self.diagonal.iter().sum();
        self.kernel_trace = self.trace;
    }

    /// Adds blocks of pivots until the limits; goes on from the rank already reached.
    pub(crate) fn grow(&mut self, jacobian: &dyn JacobianOperator, limits: RankLimits) {
        let rows = jacobian.rows();
        let limit = limits.rank(rows).min(jacobian.columns());
        // Below the rounding of the entries of K nothing is left to be factored.
        let noise = rows as f64 * f64::EPSILON * self.kernel_trace;
        while self.rank < limit && self.trace > limits.trace.max(noise) && self.trace.is_finite() {
            let selected = self.select(BLOCK.min(limit - self.rank));
            let mut panel = Mat::zeros(rows, selected.len());
            jacobian.kernel_columns(&selected, panel.as_mut());
            for block in &self.blocks {
                let chosen = rows_of(block.as_ref(), &selected);
                let part = (block.as_ref(), chosen.transpose());
                matmul(panel.as_mut(), Accum::Add, part.0, part.1, -1.0);
            }
            let least = NEGLIGIBLE * self.trace / rows as f64;
            let Some(block) = finish_block(panel.as_ref(), &selected, least) else { break };
            for column in block.col_iter() {
                for (d, f) in self.diagonal.iter_mut().zip(column.iter()) {
                    *d = f64::max(*d - f * f, 0.0);
                }
            }
            self.trace = self.diagonal.iter().sum();
            self.rank += block.ncols();
            self.blocks.push(block);
            self.damping = None;
        }
    }

    /// Rows at equal steps of the accumulated diagonal of E, at most `count`.
    ///
    /// A row is taken about as often as its part of the trace says, which follows the spectrum of E
    /// (Chen, Epperly, Tropp and Webber 2023, there by chance); the largest entries alone would be
    /// the outliers of the data, which are many and say little about the rest.
    fn select(&mut self, count: usize) -> Vec<usize> {
        let step = self.trace / count as f64;
        let mut next = self.offset * step;
        self.offset = (self.offset + OFFSET_STEP).fract();
        let mut sum = 0.0;
        let mut selected = Vec::with_capacity(count);
        for (j, d) in self.diagonal.iter().enumerate() {
            sum += d;
            if sum > next && selected.len() < count {
                selected.push(j);
                while next < sum {
                    next += step;
                }
            }
        }
        selected
    }

    /// Factors `F^T F + rho0 I`, unless it is at hand.
    pub(crate) fn factor(&mut self, damping: f64) {
        if self.damping == Some(damping) || self.rank == 0 {
            return;
        }
        let rank = self.rank;
        let mut gram = match self.gram.take() {
            Some(gram) if gram.order() == rank => gram,
            _ => {
                self.small = None;
                self.coefficients = vec![0.0; rank];
                PaddedSquare::zeros(rank)
            }
        };
        // A factor without a damping is new: its Gram matrix is not the one at hand.
        if self.damping.is_none() {
            self.write_gram(gram.as_mut());
        }
        let trace: f64 = gram.diagonal().sum();
        let mut shift = (damping / (1.0 - damping)).max(LEAST_DAMPING * trace);
        let small = self.small.get_or_insert_with(|| Cholesky::new(rank));
        // Raising the shift weakens the preconditioner, but keeps it one.
        loop {
            if small.factor_shifted(&gram, 1.0, shift).is_ok() || !shift.is_finite() {
                break;
            }
            shift *= 1e3;
        }
        self.gram = Some(gram);
        self.damping = Some(damping);
    }

    /// The lower triangle of `F^T F`, block by block.
    fn write_gram(&self, mut gram: MatMut<'_, f64>) {
        let mut column = 0;
        for (c, right) in self.blocks.iter().enumerate() {
            let mut row = column;
            for (r, left) in self.blocks.iter().enumerate().skip(c) {
                let shape = (left.ncols(), right.ncols());
                let out = gram.rb_mut().submatrix_mut(row, column, shape.0, shape.1);
                if r == c {
                    lower_of_product(out, Accum::Replace, left.transpose(), right.as_ref());
                } else {
                    matmul(out, Accum::Replace, left.transpose(), right.as_ref(), 1.0);
                }
                row += left.ncols();
            }
            column += right.ncols();
        }
    }

    /// `out = rho M^-1 t`, with M of the damping last factored; `out = t` at rank 0.
    pub(crate) fn apply(&mut self, t: &[f64], out: &mut [f64]) {
        out.copy_from_slice(t);
        let Some(small) = self.small.as_ref().filter(|_| self.rank > 0) else { return };
        arch().dispatch(
            #[inline(always)]
            || {
                let columns =
                    self.blocks.iter().flat_map(|b| (0..b.ncols()).map(|c| b.col_as_slice(c)));
                for (coefficient, column) in self.coefficients.iter_mut().zip(columns) {
                    *coefficient = inner_product_inlined(column, t);
                }
            },
        );
        small.solve(&mut self.coefficients);
        arch().dispatch(
            #[inline(always)]
            || {
                let mut coefficients = self.coefficients.as_slice();
                for block in &self.blocks {
                    let (own, rest) = coefficients.split_at(block.ncols());
                    coefficients = rest;
                    subtract_combination(block.as_ref(), own, out);
                }
            },
        );
    }
}

/// `out -= block coefficients`, with every part of `out` held in the cache for all columns.
#[inline(always)]
fn subtract_combination(block: MatRef<'_, f64>, coefficients: &[f64], out: &mut [f64]) {
    let mut first = 0;
    for out in out.chunks_mut(ROWS) {
        let part = block.subrows(first, out.len());
        let column = |c: usize| part.col(c).try_as_col_major().map_or(&[][..], |c| c.as_slice());
        let mut c = 0;
        while c + 4 <= coefficients.len() {
            let (a0, a1, a2, a3) = (column(c), column(c + 1), column(c + 2), column(c + 3));
            let own = &coefficients[c..c + 4];
            for ((((o, x0), x1), x2), x3) in out.iter_mut().zip(a0).zip(a1).zip(a2).zip(a3) {
                *o -= own[0] * x0 + own[1] * x1 + own[2] * x2 + own[3] * x3;
            }
            c += 4;
        }
        for (c, coefficient) in coefficients.iter().enumerate().skip(c) {
            for (o, x) in out.iter_mut().zip(column(c)) {
                *o -= coefficient * x;
            }
        }
        first += out.len();
    }
}

/// The rows `selected` of `matrix`.
fn rows_of(matrix: MatRef<'_, f64>, selected: &[usize]) -> Mat<f64> {
    Mat::from_fn(selected.len(), matrix.ncols(), |r, c| matrix[(selected[r], c)])
}

/// `E_I L^-T` of the columns `E_I` of E in `panel`, with `L L^T = E[I, I]` for the pivots I that a
/// pivoted Cholesky of the selected entries keeps, those above `least`; `None` when it keeps none.
fn finish_block(panel: MatRef<'_, f64>, selected: &[usize], least: f64) -> Option<Mat<f64>> {
    let count = selected.len();
    let mut lower = Mat::<f64>::zeros(count, count);
    let mut left: Vec<f64> = (0..count).map(|k| panel[(selected[k], k)]).collect();
    let mut kept: Vec<usize> = Vec::with_capacity(count);
    let mut first = 0.0;
    while kept.len() < count {
        let (mut at, mut pivot) = (0, 0.0);
        for (k, &candidate) in left.iter().enumerate() {
            if candidate > pivot {
                (at, pivot) = (k, candidate);
            }
        }
        if kept.is_empty() {
            first = pivot;
        }
        if pivot <= least.max(ROUNDING * first) || !pivot.is_finite() {
            break;
        }
        let j = kept.len();
        let root = pivot.sqrt();
        for k in 0..count {
            let known: f64 = (0..j).map(|i| lower[(k, i)] * lower[(at, i)]).sum();
            lower[(k, j)] = (panel[(selected[k], at)] - known) / root;
            left[k] -= lower[(k, j)] * lower[(k, j)];
        }
        left[at] = f64::NEG_INFINITY;
        kept.push(at);
    }
    if kept.is_empty() {
        return None;
    }
    let triangle = rows_of(lower.as_ref().subcols(0, kept.len()), &kept);
    let mut block = Mat::from_fn(panel.nrows(), kept.len(), |r, c| panel[(r, kept[c])]);
    // Rows of the block are right-hand sides: L X^T = E_I^T.
    solve_lower(triangle.as_ref(), block.as_mut().transpose_mut());
    Some(block)
}
