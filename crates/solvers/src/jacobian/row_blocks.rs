//! A tall matrix stored in blocks of rows, each block column-major: `(j, i)` lies in block `j / 136`.
//!
//! A kernel that walks over rows then reads one contiguous piece of memory a block, however many
//! columns there are; the rows of the last block are padded with zeros to whole vectors.

use std::ops::{Index, IndexMut};

use faer::Mat;
use rayon::prelude::*;

/// Rows of a block: whole vectors, and an odd number of cache lines, so that the entries of one row do
/// not fall on the same place of the cache.
pub(crate) const ROW_BLOCK: usize = 136;

/// Rows are padded to a multiple of this: the longest vector of any processor.
pub(crate) const PADDING: usize = 8;

/// Stores an n x c matrix in blocks of 136 rows, each column-major. Index it by `[(row, column)]`, or take a column of a
/// block.
///
/// # Examples
/// ```
/// use gaussflow_solvers::RowBlocks;
/// let mut matrix = RowBlocks::zeros(200, 3);
/// matrix[(140, 2)] = 5.0;
/// assert_eq!(matrix.block_rows(1), 136..200);
/// assert_eq!(matrix.column(1, 2)[4], 5.0);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct RowBlocks {
    rows: usize,
    columns: usize,
    /// One column, for the alignment that faer gives it.
    data: Mat<f64>,
}

/// One block: column i of its rows lies at `data[i stride..]`.
#[derive(Clone, Copy)]
pub(crate) struct Block<'a> {
    pub(crate) data: &'a [f64],
    /// Rows with padding, a multiple of the longest vector.
    pub(crate) stride: usize,
    /// Rows without padding.
    pub(crate) rows: usize,
}

impl RowBlocks {
    /// The number of rows of every block but the last.
    pub const ROWS: usize = ROW_BLOCK;

    /// Creates a zero matrix.
    pub fn zeros(rows: usize, columns: usize) -> Self {
        let padded = rows.next_multiple_of(PADDING);
        Self { rows, columns, data: Mat::zeros(padded * columns, 1) }
    }

    /// Returns the number of rows n.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Returns the number of columns c.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Returns the number of blocks.
    pub fn blocks(&self) -> usize {
        self.rows.div_ceil(ROW_BLOCK)
    }

    /// Returns the row numbers of block `b`.
    pub fn block_rows(&self, b: usize) -> std::ops::Range<usize> {
        b * ROW_BLOCK..((b + 1) * ROW_BLOCK).min(self.rows)
    }

    /// Returns the distance from one column to the next in block `b`: its rows with padding, at most [`Self::ROWS`].
    pub fn block_stride(&self, b: usize) -> usize {
        self.block_rows(b).len().next_multiple_of(PADDING)
    }

    /// Returns column `i` on the rows of block `b`.
    pub fn column(&self, b: usize, i: usize) -> &[f64] {
        let block = self.block(b);
        &block.data[i * block.stride..i * block.stride + block.rows]
    }

    /// Returns column `i` on the rows of block `b`, to be written.
    pub fn column_mut(&mut self, b: usize, i: usize) -> &mut [f64] {
        let (first, stride, rows) = self.place(b);
        let begin = first + i * stride;
        &mut self.data.col_as_slice_mut(0)[begin..begin + rows]
    }

    /// Iterates over the blocks, to be written: each column-major, its columns [`Self::block_stride`] apart.
    pub fn blocks_mut(&mut self) -> std::slice::ChunksMut<'_, f64> {
        let length = (ROW_BLOCK * self.columns).max(1);
        self.data.col_as_slice_mut(0).chunks_mut(length)
    }

    /// Iterates over the blocks on several threads, to be written.
    pub fn par_blocks_mut(&mut self) -> rayon::slice::ChunksMut<'_, f64> {
        let length = (ROW_BLOCK * self.columns).max(1);
        self.data.col_as_slice_mut(0).par_chunks_mut(length)
    }

    /// Returns block `b` with its padding: columns [`Self::block_stride`] apart.
    pub fn block_data(&self, b: usize) -> &[f64] {
        self.block(b).data
    }

    /// Returns all blocks one after the other, to be written; those from block b on begin at position [`Self::ROWS`] b c.
    pub fn data_mut(&mut self) -> &mut [f64] {
        let length = self.rows.next_multiple_of(PADDING) * self.columns;
        &mut self.data.col_as_slice_mut(0)[..length]
    }

    /// Block `b` with its padding.
    pub(crate) fn block(&self, b: usize) -> Block<'_> {
        let (first, stride, rows) = self.place(b);
        let data = &self.data.col_as_slice(0)[first..first + stride * self.columns];
        Block { data, stride, rows }
    }

    /// Start in the data, padded and true number of rows of block `b`.
    fn place(&self, b: usize) -> (usize, usize, usize) {
        let rows = self.block_rows(b).len();
        (b * ROW_BLOCK * self.columns, rows.next_multiple_of(PADDING), rows)
    }

    /// Position of an entry in the data.
    fn position(&self, (row, column): (usize, usize)) -> usize {
        assert!(row < self.rows && column < self.columns, "({row}, {column}) lies outside");
        let (first, stride, _) = self.place(row / ROW_BLOCK);
        first + column * stride + row % ROW_BLOCK
    }
}

impl Index<(usize, usize)> for RowBlocks {
    type Output = f64;

    fn index(&self, at: (usize, usize)) -> &f64 {
        &self.data[(self.position(at), 0)]
    }
}

impl IndexMut<(usize, usize)> for RowBlocks {
    fn index_mut(&mut self, at: (usize, usize)) -> &mut f64 {
        let position = self.position(at);
        &mut self.data[(position, 0)]
    }
}
