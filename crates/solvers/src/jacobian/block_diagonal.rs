//! A block diagonal matrix of output space: what a metric multiplies the rows of J by.

/// Views numbers as a block-diagonal matrix: square blocks of one order, one after the other and each row-major.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BlockDiagonal<'a> {
    order: usize,
    entries: &'a [f64],
}

impl<'a> BlockDiagonal<'a> {
    /// Views `entries` as blocks of `order` rows each.
    ///
    /// # Panics
    /// Where the number of `entries` is no multiple of `order^2`.
    pub fn new(order: usize, entries: &'a [f64]) -> Self {
        assert!(order > 0 && entries.len().is_multiple_of(order * order), "whole blocks");
        Self { order, entries }
    }

    /// Returns the order of a block.
    pub fn order(&self) -> usize {
        self.order
    }

    /// The diagonal, of blocks of one row.
    pub(crate) fn diagonal(&self) -> &[f64] {
        self.entries
    }

    /// Computes `out = R^T x` (both of the length of an output vector).
    pub fn apply_transposed(&self, x: &[f64], out: &mut [f64]) {
        let o = self.order;
        if o == 1 {
            let products = self.entries.iter().zip(x).map(|(r, x)| r * x);
            return out.iter_mut().zip(products).for_each(|(out, product)| *out = product);
        }
        out.fill(0.0);
        let blocks = self.entries.chunks_exact(o * o).zip(x.chunks_exact(o));
        for ((block, x), out) in blocks.zip(out.chunks_exact_mut(o)) {
            for (row, x) in block.chunks_exact(o).zip(x) {
                out.iter_mut().zip(row).for_each(|(out, entry)| *out += entry * x);
            }
        }
    }
}
