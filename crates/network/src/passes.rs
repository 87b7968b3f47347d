//! The passes through a network on a block of rows: forward for values, slopes and curvatures, backward for Delta.
//!
//! Forward, each layer's pre-activations give sigma, sigma' and, where they are kept, sigma'' together. Of the last
//! layer of fixed c, `Delta_L = s_L c sigma'(z_L)` at once. Of the others, backward, `Delta_l = P_l s_l sigma'(z_l)` with
//! `P_l = Delta_(l+1) W_(l+1)`, the derivative of phi by h_l.

use std::ops::Range;

use gaussflow_solvers::{KroneckerPiece, RowBlocks, rows_times, rows_times_transposed};

use crate::activation::ActivationFunction;
use crate::blocks::{ROW_BLOCK, for_blocks, with_room};
use crate::jacobian::NetworkJacobian;
use crate::network::Network;

/// Units whose pre-activations are computed together: their rows, with sigma, stay in the first-level cache.
const GROUP: usize = 4;

/// The same where so many inputs are summed that a larger group saves reading them.
const WIDE_GROUP: usize = 24;

/// Inputs from which the larger group is taken.
const WIDE: usize = 32;

/// Units that are computed together over so many inputs.
fn group_of(inputs: usize) -> usize {
    if inputs < WIDE { GROUP } else { WIDE_GROUP }
}

/// What passes write of a layer on a block of rows, columns a stride apart; what is empty is not asked for.
pub(crate) struct LayerBlock<'a> {
    /// `s sigma'`, and after the pass backward, or of the last layer of fixed c at once, Delta.
    pub(crate) deltas: &'a mut [f64],
    /// The sums of squares of the rows of Delta (one column without padding).
    pub(crate) squares: &'a mut [f64],
    /// `s sigma'`, to stay, where another layer follows.
    pub(crate) slopes: &'a mut [f64],
    /// `s sigma''`, and with Delta `P s sigma''`.
    pub(crate) curvatures: &'a mut [f64],
    /// h, where another layer follows.
    pub(crate) next: &'a mut [f64],
    /// phi, of the last layer of fixed c (one column without padding).
    pub(crate) value: &'a mut [f64],
}

impl<A: ActivationFunction> Network<A> {
    /// Whether layer `l` is the last, of fixed c: its Delta needs no pass backward.
    fn ends(&self, l: usize) -> bool {
        l + 1 == self.places().len()
    }

    /// `out = f(w)` on the rows of block `b`.
    pub(crate) fn evaluate_block(&self, b: usize, w: &[f64], out: &mut [f64]) {
        let stride = self.inputs().block_stride(b);
        let widest = self.places().iter().skip(1).map(|place| place.length).max().unwrap_or(0);
        let group = self.places().iter().map(|place| group_of(place.length)).max().unwrap_or(0);
        let rows = out.len();
        with_room((2 * group + 2 * widest) * stride, |room| {
            let (work, room) = room.split_at_mut(2 * group * stride);
            let (mut here, mut next) = room.split_at_mut(widest * stride);
            let mut input = self.inputs().block_data(b);
            out.fill(0.0);
            for (l, layer) in self.layers().iter().enumerate() {
                let (place, factors) = (self.places()[l], self.factors(l));
                let width = self.places().get(l + 1).map_or(0, |next| next.length);
                let h = &mut next[..width * stride];
                for_groups((input, stride), place.of(w), work, |units, [z, sigma]| {
                    layer.activation.value(z, sigma);
                    if self.ends(l) {
                        return self.add_outputs((b, units), factors, sigma, out);
                    }
                    scale_columns(sigma, &factors[units.clone()], stride, rows);
                    h[units.start * stride..][..sigma.len()].copy_from_slice(sigma);
                });
                if width > place.units {
                    write_ones(&mut h[place.units * stride..], rows);
                }
                (here, next) = (next, here);
                input = &here[..width * stride];
            }
            if let Some(place) = self.places().get(self.layers().len()) {
                write_outputs((input, stride), (place.of(w), place.length), b, work, out);
            }
        });
        subtract(out, &self.offset()[b * ROW_BLOCK..]);
    }

    /// Adds the part of some units of the last layer, of fixed c, to the outputs of the rows of block `b`.
    fn add_outputs(
        &self,
        (b, units): (usize, Range<usize>),
        factors: &[f64],
        h: &[f64],
        out: &mut [f64],
    ) {
        let stride = self.inputs().block_stride(b);
        match self.row_factors() {
            Some(by_row) => {
                let at = units.start * stride..units.end * stride;
                add_products(out, &by_row.block_data(b)[at], h, stride);
            }
            None => add_combination(out, &factors[units], h, stride),
        }
    }

    /// What `linearize` writes.
    pub(crate) fn write_linearization(
        &self,
        w: &[f64],
        value: &mut [f64],
        jacobian: &mut NetworkJacobian,
    ) {
        let (several, blocks) = (self.is_large(), self.inputs().blocks());
        let (pieces, bends) = jacobian.parts_mut();
        for (l, bend) in bends.iter_mut().enumerate() {
            let (here, later) = pieces[l..].split_at_mut(1);
            let (input, deltas, squares) = here[0].factors_mut();
            let next = later.first_mut().map(KroneckerPiece::right_mut);
            let width = next.as_ref().map_or(0, |next| next.columns());
            let strips = [
                strip(deltas),
                (squares, ROW_BLOCK),
                strip(&mut bend.slopes),
                strip(&mut bend.curvatures),
                (next.map_or(&mut [][..], RowBlocks::data_mut), width * ROW_BLOCK),
                if self.ends(l) { (&mut *value, ROW_BLOCK) } else { (&mut [][..], 0) },
            ];
            for_blocks(0..blocks, strips, several, &|b, parts| {
                let [deltas, squares, slopes, curvatures, next, value] = parts;
                let out = LayerBlock { deltas, squares, slopes, curvatures, next, value };
                self.forward_block((l, b), input.block_data(b), w, out);
            });
            if let Some(piece) = later.first_mut() {
                piece.right_is_written();
            }
        }
        if let Some(place) = self.places().get(bends.len()) {
            // Trained c: its product with what the last layer put out.
            let outputs = pieces[bends.len()].right();
            for (b, value) in value.chunks_mut(ROW_BLOCK).enumerate() {
                let (input, c) = (outputs.block_data(b), (place.of(w), place.length));
                with_room(ROW_BLOCK, |work| {
                    write_outputs((input, outputs.block_stride(b)), c, b, work, value);
                });
            }
        }
        subtract(value, self.offset());
        for l in (0..self.places().len() - 1).rev() {
            let (here, later) = pieces[l..].split_at_mut(1);
            let ((_, deltas, squares), after) = (here[0].factors_mut(), later[0].left());
            let strips = [strip(deltas), (squares, ROW_BLOCK), strip(&mut bends[l].curvatures)];
            for_blocks(0..blocks, strips, several, &|b, [deltas, squares, curvatures]| {
                let out = (deltas, squares, curvatures);
                self.backward_block((l, b), after.block_data(b), w, out);
            });
        }
    }

    /// The pass forward through layer `l` on the rows of block `b`; `input` is what the layer before put out.
    pub(crate) fn forward_block(
        &self,
        (l, b): (usize, usize),
        input: &[f64],
        w: &[f64],
        out: LayerBlock<'_>,
    ) {
        let LayerBlock { deltas, squares, slopes, curvatures, next, value } = out;
        let (stride, rows) = (self.inputs().block_stride(b), self.inputs().block_rows(b).len());
        let (place, layer, factors) = (self.places()[l], &self.layers()[l], self.factors(l));
        value.fill(0.0);
        squares.fill(0.0);
        with_room(2 * group_of(place.length) * stride, |work| {
            for_groups((input, stride), place.of(w), work, |units, [z, sigma]| {
                let at = units.start * stride..units.end * stride;
                let (group, factors) = (units.clone(), &factors[units]);
                let deltas = &mut deltas[at.clone()];
                if curvatures.is_empty() {
                    layer.activation.value_and_slope(z, sigma, deltas);
                } else {
                    let curvatures = &mut curvatures[at.clone()];
                    layer.activation.evaluate(z, sigma, deltas, curvatures);
                    match self.row_factors().filter(|_| self.ends(l)) {
                        Some(by_row) => multiply(curvatures, &by_row.block_data(b)[at.clone()]),
                        None => scale_columns(curvatures, factors, stride, rows),
                    }
                }
                if self.ends(l) {
                    self.add_outputs((b, group.clone()), self.factors(l), sigma, value);
                    match self.row_factors() {
                        Some(by_row) => multiply(deltas, &by_row.block_data(b)[at]),
                        None => scale_columns(deltas, factors, stride, rows),
                    }
                    add_squares(squares, deltas, stride);
                    return;
                }
                scale_columns(deltas, factors, stride, rows);
                scale_columns(sigma, factors, stride, rows);
                for (kept, found) in [(&mut *slopes, deltas), (&mut *next, sigma)] {
                    if !kept.is_empty() {
                        kept[at.clone()].copy_from_slice(found);
                    }
                }
            });
        });
    }

    /// The pass backward to layer `l` on the rows of block `b`, from the Delta `after` of the layer that follows: `s
    /// sigma'` becomes Delta, with the sums of squares of its rows, and `s sigma''` (if there is any) `P s sigma''`.
    pub(crate) fn backward_block(
        &self,
        (l, b): (usize, usize),
        after: &[f64],
        w: &[f64],
        (deltas, squares, curvatures): (&mut [f64], &mut [f64], &mut [f64]),
    ) {
        let stride = self.inputs().block_stride(b);
        let (units, place) = (self.places()[l].units, self.places()[l + 1]);
        squares.fill(0.0);
        with_room(WIDE_GROUP.min(units) * stride, |by_outputs| {
            for first in (0..units).step_by(WIDE_GROUP) {
                let count = WIDE_GROUP.min(units - first);
                let at = first * stride..(first + count) * stride;
                let by_outputs = &mut by_outputs[..count * stride];
                rows_times(after, stride, (&place.of(w)[first..], place.length), by_outputs);
                multiply(&mut deltas[at.clone()], by_outputs);
                add_squares(squares, &deltas[at.clone()], stride);
                if !curvatures.is_empty() {
                    multiply(&mut curvatures[at], by_outputs);
                }
            }
        });
    }
}

/// The outputs `C h` of trained C on the rows of block `b`, each row's own: C is o x m, row-major.
fn write_outputs(
    (h, stride): (&[f64], usize),
    (c, length): (&[f64], usize),
    b: usize,
    work: &mut [f64],
    out: &mut [f64],
) {
    let (sums, outputs) = (&mut work[..stride], c.len() / length);
    for (k, c) in c.chunks_exact(length).enumerate() {
        rows_times_transposed(h, stride, (c, length), sums);
        let own = (0..out.len()).filter(|r| (b * ROW_BLOCK + r) % outputs == k);
        own.for_each(|r| out[r] = sums[r]);
    }
}

/// The numbers of a matrix in blocks, and how many a block has.
fn strip(matrix: &mut RowBlocks) -> (&mut [f64], usize) {
    let length = matrix.columns() * ROW_BLOCK;
    (matrix.data_mut(), length)
}

/// Shows `visit` the pre-activations `z_j = x_j . w^(i)` of groups of units: the units, and the numbers, columns
/// `stride` apart that are 0 past the block's rows, with as many to work in. `work` has room for two groups.
fn for_groups(
    (input, stride): (&[f64], usize),
    weights: &[f64],
    work: &mut [f64],
    mut visit: impl FnMut(Range<usize>, [&mut [f64]; 2]),
) {
    let (z, sigma) = work.split_at_mut(work.len() / 2);
    let inputs = input.len() / stride;
    let most = z.len() / stride;
    for (group, weights) in weights.chunks(most * inputs).enumerate() {
        let (first, count) = (group * most, weights.len() / inputs);
        let (z, sigma) = (&mut z[..count * stride], &mut sigma[..count * stride]);
        rows_times_transposed(input, stride, (weights, inputs), z);
        visit(first..first + count, [z, sigma]);
    }
}

/// A column of ones for so many rows, zeros past them.
fn write_ones(column: &mut [f64], rows: usize) {
    column[..rows].fill(1.0);
    column[rows..].fill(0.0);
}

/// `out += sum_i factors_i columns_i`, columns `stride` apart, vectorized for the processor at hand; same
/// bits on every processor.
fn add_combination(out: &mut [f64], factors: &[f64], columns: &[f64], stride: usize) {
    pulp::Arch::new().dispatch(
        #[inline(always)]
        || {
            for (factor, column) in factors.iter().zip(columns.chunks_exact(stride)) {
                for (o, x) in out.iter_mut().zip(column) {
                    *o += factor * x;
                }
            }
        },
    );
}

/// `out += a * b` for each column, entry by entry, vectorized likewise.
pub(crate) fn add_products(out: &mut [f64], a: &[f64], b: &[f64], stride: usize) {
    pulp::Arch::new().dispatch(
        #[inline(always)]
        || {
            for (a, b) in a.chunks_exact(stride).zip(b.chunks_exact(stride)) {
                for ((o, a), b) in out.iter_mut().zip(a).zip(b) {
                    *o += a * b;
                }
            }
        },
    );
}

/// `out *= factors`, entry by entry, vectorized likewise.
pub(crate) fn multiply(out: &mut [f64], factors: &[f64]) {
    pulp::Arch::new().dispatch(
        #[inline(always)]
        || out.iter_mut().zip(factors).for_each(|(o, f)| *o *= f),
    );
}

/// Multiplies each column by its factor, vectorized likewise, and sets what lies past `rows` to zero.
fn scale_columns(columns: &mut [f64], factors: &[f64], stride: usize, rows: usize) {
    pulp::Arch::new().dispatch(
        #[inline(always)]
        || {
            for (factor, column) in factors.iter().zip(columns.chunks_exact_mut(stride)) {
                column.iter_mut().for_each(|x| *x *= factor);
                column[rows..].fill(0.0);
            }
        },
    );
}

/// `out += columns^2`, entry by entry, for each column, vectorized likewise.
fn add_squares(out: &mut [f64], columns: &[f64], stride: usize) {
    pulp::Arch::new().dispatch(
        #[inline(always)]
        || {
            for column in columns.chunks_exact(stride) {
                for (o, x) in out.iter_mut().zip(column) {
                    *o += x * x;
                }
            }
        },
    );
}

/// `out -= offset`, after the sum, so that f is exactly 0 where phi was taken.
fn subtract(out: &mut [f64], offset: &[f64]) {
    for (o, offset) in out.iter_mut().zip(offset) {
        *o -= offset;
    }
}
