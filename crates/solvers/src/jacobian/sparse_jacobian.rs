//! A Jacobian held by its nonzero entries, column by column, over a pattern that several points share.

use std::sync::Arc;

use faer::MatMut;
use faer::sparse::{SparseColMatRef, SymbolicSparseColMatRef};

use crate::error::SolveError;
use crate::jacobian::block_diagonal::BlockDiagonal;
use crate::jacobian::operator::JacobianOperator;
use crate::vector::{inner_product, norm};

/// Lists the entries of an n x p matrix that may differ from 0; clones share the list.
///
/// # Cost
/// Four numbers of memory per entry.
///
/// # Examples
/// ```
/// use gaussflow_solvers::SparsityPattern;
/// let tridiagonal = SparsityPattern::banded(4, 4, 1, 1);
/// assert_eq!(tridiagonal.column(0), [0, 1]);
/// let same = SparsityPattern::new(4, 4, (0..4).flat_map(|j| {
///     (0..4_usize).filter(move |k| k.abs_diff(j) <= 1).map(move |k| (j, k))
/// }))?;
/// assert!(tridiagonal == same && same.entries() == 10);
/// # Ok::<(), gaussflow_solvers::SolveError>(())
/// ```
#[derive(Clone, Debug)]
pub struct SparsityPattern {
    shared: Arc<Places>,
}

/// The places by columns, and by rows.
#[derive(Debug, PartialEq, Eq)]
struct Places {
    rows: usize,
    columns: usize,
    /// Where each column starts in `row_indices` (columns + 1), whose entries increase in each column.
    starts: Vec<usize>,
    row_indices: Vec<usize>,
    /// Where each row starts in `across` (rows + 1): its columns, and their places in `row_indices`.
    row_starts: Vec<usize>,
    across: Vec<(usize, usize)>,
}

impl PartialEq for SparsityPattern {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.shared, &other.shared) || self.shared == other.shared
    }
}

impl Eq for SparsityPattern {}

impl SparsityPattern {
    /// Creates the pattern of a `rows` x `columns` matrix with the given (row, column) pairs, counted from 0, in any order;
    /// repeated pairs count once.
    ///
    /// # Errors
    /// [`SolveError::EntryOutside`] for a pair outside of the matrix.
    pub fn new(
        rows: usize,
        columns: usize,
        entries: impl IntoIterator<Item = (usize, usize)>,
    ) -> Result<Self, SolveError> {
        let mut lists: Vec<Vec<usize>> = vec![Vec::new(); columns];
        for (row, column) in entries {
            if row >= rows || column >= columns {
                return Err(SolveError::EntryOutside { row, column, rows, columns });
            }
            lists[column].push(row);
        }
        let mut starts = vec![0];
        let mut row_indices = Vec::with_capacity(lists.iter().map(Vec::len).sum());
        for list in &mut lists {
            list.sort_unstable();
            list.dedup();
            row_indices.extend_from_slice(list);
            starts.push(row_indices.len());
        }
        Ok(Self::from_columns(rows, starts, row_indices))
    }

    /// Creates the pattern of entries (j, k) with `j - below <= k <= j + above`; 1 and 1 is tridiagonal.
    pub fn banded(rows: usize, columns: usize, below: usize, above: usize) -> Self {
        let mut starts = vec![0];
        let mut row_indices = Vec::new();
        for k in 0..columns {
            row_indices.extend(k.saturating_sub(above)..k.saturating_add(below + 1).min(rows));
            starts.push(row_indices.len());
        }
        Self::from_columns(rows, starts, row_indices)
    }

    /// From increasing rows of each column.
    fn from_columns(rows: usize, starts: Vec<usize>, row_indices: Vec<usize>) -> Self {
        let columns = starts.len() - 1;
        let mut row_starts = vec![0; rows + 1];
        row_indices.iter().for_each(|&row| row_starts[row + 1] += 1);
        for row in 0..rows {
            row_starts[row + 1] += row_starts[row];
        }
        let mut next = row_starts.clone();
        let mut across = vec![(0, 0); row_indices.len()];
        for column in 0..columns {
            for place in starts[column]..starts[column + 1] {
                let free = &mut next[row_indices[place]];
                across[*free] = (column, place);
                *free += 1;
            }
        }
        let places = Places { rows, columns, starts, row_indices, row_starts, across };
        Self { shared: Arc::new(places) }
    }

    /// The pattern of the columns `free` (increasing) alone.
    pub(crate) fn select(&self, free: &[usize]) -> Self {
        if free.len() == self.columns() {
            return self.clone();
        }
        let mut starts = vec![0];
        let mut row_indices = Vec::new();
        for &column in free {
            row_indices.extend_from_slice(self.column(column));
            starts.push(row_indices.len());
        }
        Self::from_columns(self.rows(), starts, row_indices)
    }

    /// Returns the number of rows n.
    pub fn rows(&self) -> usize {
        self.shared.rows
    }

    /// Returns the number of columns p.
    pub fn columns(&self) -> usize {
        self.shared.columns
    }

    /// Returns the number of entries.
    pub fn entries(&self) -> usize {
        self.shared.row_indices.len()
    }

    /// Returns the rows of column `k`, increasing.
    pub fn column(&self, k: usize) -> &[usize] {
        &self.shared.row_indices[self.span(k)]
    }

    /// The columns of row `j`, increasing, each with its entry's place among all.
    pub(crate) fn row(&self, j: usize) -> &[(usize, usize)] {
        &self.shared.across[self.shared.row_starts[j]..self.shared.row_starts[j + 1]]
    }

    /// Returns the columns of row `j`, increasing.
    pub fn row_columns(&self, j: usize) -> impl Iterator<Item = usize> + '_ {
        self.row(j).iter().map(|(column, _)| *column)
    }

    /// Where the entries of column `k` lie among all.
    pub(crate) fn span(&self, k: usize) -> std::ops::Range<usize> {
        self.shared.starts[k]..self.shared.starts[k + 1]
    }
}

/// Stores a Jacobian by the entries of a [`SparsityPattern`].
///
/// In a fit of more than 64 parameters, steps come from the sparse Cholesky factor of `J^T J + lambda I`
/// ([`crate::SecularFactor`]). Elsewhere it is used like any other operator.
///
/// # Cost
/// Products take two operations per entry.
///
/// # Examples
/// ```
/// use gaussflow_solvers::{JacobianOperator, SparseJacobian, SparsityPattern};
/// let mut jacobian = SparseJacobian::zeros(SparsityPattern::banded(3, 3, 0, 1));
/// for k in 0..3 {
///     let (rows, values) = jacobian.column_mut(k);
///     rows.iter().zip(values).for_each(|(&j, value)| *value = if j == k { 2.0 } else { 1.0 });
/// }
/// let mut out = [0.0; 3];
/// jacobian.apply(&[1.0, 10.0, 100.0], &mut out);
/// assert_eq!(out, [12.0, 120.0, 200.0]);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct SparseJacobian {
    pattern: SparsityPattern,
    values: Vec<f64>,
}

impl SparseJacobian {
    /// Creates a Jacobian of zeros at the entries of the pattern, to be filled.
    pub fn zeros(pattern: SparsityPattern) -> Self {
        let values = vec![0.0; pattern.entries()];
        Self { pattern, values }
    }

    /// Copies a sparse matrix of faer.
    ///
    /// # Errors
    /// [`SolveError::EntryOutside`], which a matrix from faer's own constructors never gives.
    pub fn from_matrix(matrix: SparseColMatRef<'_, usize, f64>) -> Result<Self, SolveError> {
        let entries = || {
            (0..matrix.ncols()).flat_map(move |k| {
                matrix.row_idx_of_col(k).zip(matrix.val_of_col(k)).map(move |(j, x)| (j, k, *x))
            })
        };
        let places = entries().map(|(j, k, _)| (j, k));
        let mut found = Self::zeros(SparsityPattern::new(matrix.nrows(), matrix.ncols(), places)?);
        for (j, k, x) in entries() {
            if let Some(entry) = found.entry_mut(j, k) {
                *entry += x;
            }
        }
        Ok(found)
    }

    /// Returns the matrix in faer's form.
    pub fn matrix(&self) -> SparseColMatRef<'_, usize, f64> {
        let places = &self.pattern.shared;
        let (rows, columns) = (places.rows, places.columns);
        let symbolic = SymbolicSparseColMatRef::new_checked(
            rows,
            columns,
            &places.starts,
            None,
            &places.row_indices,
        );
        SparseColMatRef::new(symbolic, &self.values)
    }

    /// Returns the pattern.
    pub fn pattern(&self) -> &SparsityPattern {
        &self.pattern
    }

    /// Returns the values, column by column, with increasing rows.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// Returns the values, to be written.
    pub fn values_mut(&mut self) -> &mut [f64] {
        &mut self.values
    }

    /// Returns the rows and values of column `k`.
    pub fn column(&self, k: usize) -> (&[usize], &[f64]) {
        (self.pattern.column(k), &self.values[self.pattern.span(k)])
    }

    /// Returns the rows of column `k` and its values, to be written.
    pub fn column_mut(&mut self, k: usize) -> (&[usize], &mut [f64]) {
        let span = self.pattern.span(k);
        (self.pattern.column(k), &mut self.values[span])
    }

    /// Returns the value at (`row`, `column`), to be written; `None` outside of the pattern.
    pub fn entry_mut(&mut self, row: usize, column: usize) -> Option<&mut f64> {
        if column >= self.columns() {
            return None;
        }
        let (rows, values) = self.column_mut(column);
        rows.binary_search(&row).ok().map(|place| &mut values[place])
    }

    /// Multiplies row j by `factors[j]`.
    pub(crate) fn scale_rows(&mut self, factors: &[f64]) {
        let rows = &self.pattern.shared.row_indices;
        self.values.iter_mut().zip(rows).for_each(|(x, &row)| *x *= factors[row]);
    }
}

impl JacobianOperator for SparseJacobian {
    fn rows(&self) -> usize {
        self.pattern.rows()
    }

    fn columns(&self) -> usize {
        self.pattern.columns()
    }

    /// By a diagonal R alone: blocks would need entries that the pattern has not.
    fn write_weighted(&self, root: BlockDiagonal<'_>, out: &mut Self) -> bool {
        if root.order() > 1 || self.pattern != out.pattern {
            return false;
        }
        let factors = root.diagonal();
        for k in 0..self.columns() {
            let (rows, entries) = self.column(k);
            let found = rows.iter().zip(entries).map(|(&j, entry)| factors[j] * entry);
            out.column_mut(k).1.iter_mut().zip(found).for_each(|(out, found)| *out = found);
        }
        true
    }

    fn apply(&self, v: &[f64], out: &mut [f64]) {
        out.fill(0.0);
        for (k, v) in v.iter().enumerate() {
            let (rows, values) = self.column(k);
            rows.iter().zip(values).for_each(|(&row, x)| out[row] += x * v);
        }
    }

    fn apply_transposed(&self, u: &[f64], out: &mut [f64]) {
        for (k, out) in out.iter_mut().enumerate() {
            let (rows, values) = self.column(k);
            *out = rows.iter().zip(values).map(|(&row, x)| x * u[row]).sum();
        }
    }

    fn write_dense(&self, mut out: MatMut<'_, f64>) {
        out.fill(0.0);
        for k in 0..self.columns() {
            let (rows, values) = self.column(k);
            rows.iter().zip(values).for_each(|(&row, &x)| out[(row, k)] = x);
        }
    }

    fn gram(&self, mut out: MatMut<'_, f64>, _work: &mut Vec<f64>) {
        for c in 0..self.columns() {
            (c..self.columns()).for_each(|r| out[(r, c)] = 0.0);
            let (rows, values) = self.column(c);
            for (&row, x) in rows.iter().zip(values) {
                let across = self.pattern.row(row);
                let later = across.partition_point(|(k, _)| *k < c);
                across[later..]
                    .iter()
                    .for_each(|&(k, place)| out[(k, c)] += x * self.values[place]);
            }
        }
    }

    fn kernel(&self, mut out: MatMut<'_, f64>, _work: &mut Vec<f64>) {
        for j in 0..self.rows() {
            (j..self.rows()).for_each(|r| out[(r, j)] = 0.0);
            for &(k, place) in self.pattern.row(j) {
                let (rows, values) = self.column(k);
                let from = rows.partition_point(|row| *row < j);
                for (&row, x) in rows[from..].iter().zip(&values[from..]) {
                    out[(row, j)] += x * self.values[place];
                }
            }
        }
    }

    fn kernel_diagonal(&self, out: &mut [f64]) {
        out.fill(0.0);
        let rows = &self.pattern.shared.row_indices;
        rows.iter().zip(&self.values).for_each(|(&row, x)| out[row] += x * x);
    }

    fn squared_norm(&self) -> f64 {
        inner_product(&self.values, &self.values)
    }

    fn sparse(&self) -> Option<&SparseJacobian> {
        Some(self)
    }

    fn gram_operations(&self) -> f64 {
        let rows = self.pattern.shared.row_starts.windows(2);
        let products = rows.map(|ends| ((ends[1] - ends[0]) as f64).powi(2)).sum::<f64>();
        products + (self.columns() as f64).powi(2)
    }

    fn kernel_operations(&self) -> f64 {
        let columns = self.pattern.shared.starts.windows(2);
        let products = columns.map(|ends| ((ends[1] - ends[0]) as f64).powi(2)).sum::<f64>();
        products + (self.rows() as f64).powi(2)
    }
}

impl SparseJacobian {
    /// An upper bound of the largest singular value: `sqrt(norm_1 norm_inf)`.
    pub(crate) fn norm_bound(&self) -> f64 {
        let mut sums = vec![0.0; self.rows()];
        let mut widest = 0.0_f64;
        for k in 0..self.columns() {
            let (rows, values) = self.column(k);
            rows.iter().zip(values).for_each(|(&row, x)| sums[row] += x.abs());
            widest = widest.max(values.iter().map(|x| x.abs()).sum());
        }
        (widest * sums.iter().copied().fold(0.0, f64::max)).sqrt().min(norm(&self.values))
    }
}
