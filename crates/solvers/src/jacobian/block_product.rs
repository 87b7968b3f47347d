//! Products of a block of rows with a few weight vectors: the pre-activations `z = A_b W^T`.

// Without inlining, a loop would not be compiled for the instruction set of the closure around it.
#![allow(clippy::inline_always)]

use faer::Accum;
use pulp::{Simd, WithSimd};

use crate::jacobian::row_blocks::{Block, RowBlocks};
use crate::simd::arch::arch;
use crate::simd::tile::{Scalars, VECTORS, Vectors, groups, most_scalars, put_short_product};

impl RowBlocks {
    /// `out[i s + j] = sum_k A[j, k] weights[i c + k]` for the rows j of block `b`, counted from its
    /// first, and the vectors i of `weights` (row-major, each of length c, the number of columns).
    ///
    /// s is [`Self::block_stride`]; vectors for which `out` has no room are left out, and what lies past
    /// the block's rows becomes 0.
    ///
    /// # Examples
    /// ```
    /// use gaussflow_solvers::RowBlocks;
    /// let mut inputs = RowBlocks::zeros(2, 2);
    /// (inputs[(0, 0)], inputs[(1, 1)]) = (1.0, 2.0);
    /// let mut out = [0.0; RowBlocks::ROWS];
    /// inputs.block_product(0, &[10.0, 100.0], &mut out);
    /// assert_eq!(out[..2], [10.0, 200.0]);
    /// ```
    pub fn block_product(&self, b: usize, weights: &[f64], out: &mut [f64]) {
        let (block, columns) = (self.block(b), self.columns());
        arch().dispatch(BlockProduct { block, columns, weights, out });
    }
}

struct BlockProduct<'a> {
    block: Block<'a>,
    columns: usize,
    weights: &'a [f64],
    out: &'a mut [f64],
}

impl WithSimd for BlockProduct<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { block, columns, weights, out } = self;
        if columns == 0 {
            out.fill(0.0);
            return;
        }
        let count = (weights.len() / columns).min(out.len() / block.stride);
        let step = most_scalars::<S>(VECTORS);
        for first in (0..count).step_by(step) {
            let scalars = step.min(count - first);
            let a = Scalars { data: &weights[first * columns..], step: 1, stride: columns };
            for (v, vectors) in groups(block.stride / S::F64_LANES) {
                let row = v * S::F64_LANES;
                let b = Vectors { data: &block.data[row..], step: block.stride };
                let target = (&mut out[first * block.stride + row..], block.stride, Accum::Replace);
                put_short_product(simd, (scalars, vectors), columns, (a, b), target);
            }
        }
    }
}
