//! A Jacobian whose rows lie on several ranks: `J^T u`, `J^T J`, K and norms are those of all ranks.
//!
//! With `J_r` the rows of rank r, `J v = (J_0 v, J_1 v, ...)` stays where it is, `J^T u = sum_r J_r^T u_r` and
//! `J^T J = sum_r J_r^T J_r`. Where n >= p, dense factorizations work on the triangle R of `J = Q R`
//! ([`TallQr`]); where p > n, on all rows of J, and `K = J J^T` is computed in blocks (`gathered.rs`). All ranks see the
//! same bits of these.

use std::cell::RefCell;
use std::rc::Rc;

use gaussflow::solvers::faer::MatMut;
use gaussflow::solvers::faer::prelude::{Reborrow, ReborrowMut};
use gaussflow::solvers::{BlockDiagonal, JacobianOperator, norm};

use crate::communicator::Communicator;
use crate::gathered;
use crate::reduce::Reducer;
use crate::tall_qr::TallQr;

/// The rows of J on this rank, and the connection with the others.
///
/// Products and sums are collective: all ranks must ask for the same ones in the same order. That is so
/// where their decisions are made from parameters, sums and [`JacobianOperator::total_rows`] alone, as those
/// of the solvers are.
pub struct RowSplit<'c, J, C> {
    here: J,
    /// The rows of each rank.
    counts: Vec<usize>,
    /// Operations of `J^T J`, of K and of a product on all ranks.
    gram_operations: f64,
    kernel_operations: f64,
    normal_operations: f64,
    reducer: Rc<RefCell<Reducer<'c, C>>>,
    /// The lower triangle of `J^T J`, column after column.
    packed: RefCell<Vec<f64>>,
    /// The factorization that [`JacobianOperator::write_reduced`] made last.
    tall: RefCell<Option<TallQr>>,
}

impl<'c, J: JacobianOperator, C: Communicator> RowSplit<'c, J, C> {
    /// Collective: the operator whose rows are `here` on this rank.
    pub fn new(here: J, reducer: Rc<RefCell<Reducer<'c, C>>>) -> Self {
        let mine = [
            here.rows() as f64,
            here.gram_operations(),
            here.kernel_operations(),
            here.normal_operations(),
        ];
        let all = reducer.borrow_mut().gather(&mine).to_vec();
        let column = |k: usize| all.iter().skip(k).step_by(mine.len());
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "counts of rows, exact"
        )]
        let counts: Vec<usize> = column(0).map(|rows| *rows as usize).collect();
        let total: f64 = column(0).sum();
        // K between all rows, at the operations that a pair of rows takes on the average rank.
        let squares: f64 = column(0).map(|rows| rows * rows).sum();
        let kernel_operations = column(2).sum::<f64>() / squares.max(1.0) * total * total;
        Self {
            here,
            counts,
            gram_operations: column(1).sum(),
            kernel_operations,
            normal_operations: column(3).sum(),
            reducer,
            packed: RefCell::default(),
            tall: RefCell::default(),
        }
    }

    /// The rows on this rank.
    pub fn here(&self) -> &J {
        &self.here
    }

    /// The same, to be written.
    pub fn here_mut(&mut self) -> &mut J {
        &mut self.here
    }

    fn ranks(&self) -> usize {
        self.counts.len()
    }

    /// The most rows of a rank.
    fn most_rows(&self) -> usize {
        self.counts.iter().copied().max().unwrap_or(0)
    }

    fn is_wide(&self) -> bool {
        self.columns() > self.total_rows()
    }
}

impl<J: JacobianOperator, C: Communicator> JacobianOperator for RowSplit<'_, J, C> {
    fn rows(&self) -> usize {
        self.here.rows()
    }

    fn total_rows(&self) -> usize {
        self.counts.iter().sum()
    }

    fn columns(&self) -> usize {
        self.here.columns()
    }

    fn apply(&self, v: &[f64], out: &mut [f64]) {
        self.here.apply(v, out);
    }

    fn apply_transposed(&self, u: &[f64], out: &mut [f64]) {
        self.here.apply_transposed(u, out);
        self.sum(out);
    }

    /// The rows on this rank alone.
    fn write_dense(&self, out: MatMut<'_, f64>) {
        self.here.write_dense(out);
    }

    fn reduced_rows(&self) -> usize {
        if self.ranks() == 1 { self.rows() } else { self.total_rows().min(self.columns()) }
    }

    fn factored_rows(&self) -> usize {
        if self.ranks() == 1 {
            self.rows()
        } else if self.is_wide() {
            self.total_rows()
        } else {
            self.most_rows().max(2 * self.columns())
        }
    }

    /// Collective.
    fn write_reduced(&self, exponent: i32, mut out: MatMut<'_, f64>) {
        if self.ranks() == 1 {
            return self.here.write_reduced(exponent, out);
        }
        let reducer = &mut *self.reducer.borrow_mut();
        if self.is_wide() {
            return gathered::rows((&self.here, exponent), &self.counts, reducer, out);
        }
        let mut tall = self.tall.borrow_mut();
        let (rows, columns) = (self.rows(), self.columns());
        let tall = tall.get_or_insert_with(|| TallQr::new(rows, columns, reducer.ranks()));
        tall.factor(reducer, |out| self.here.write_reduced(exponent, out));
        let upper = tall.upper();
        for c in 0..columns {
            for (r, entry) in out.rb_mut().col_mut(c).iter_mut().enumerate() {
                *entry = if r <= c { upper[(r, c)] } else { 0.0 };
            }
        }
    }

    /// Collective.
    fn reduce(&self, u: &[f64], out: &mut [f64]) {
        if self.ranks() == 1 {
            out.copy_from_slice(u);
        } else if self.is_wide() {
            self.gather(u, out);
        } else {
            out.fill(0.0);
            if let Some(tall) = &mut *self.tall.borrow_mut() {
                tall.coordinates(u, out);
            }
            self.sum(out);
        }
    }

    fn restore(&self, c: &[f64], out: &mut [f64]) {
        if self.ranks() == 1 {
            out.copy_from_slice(c);
        } else if self.is_wide() {
            self.take_own(c, out);
        } else if let Some(tall) = &mut *self.tall.borrow_mut() {
            tall.combine(c, out);
        }
    }

    /// Collective.
    fn gather(&self, u: &[f64], out: &mut [f64]) {
        if self.ranks() == 1 {
            out.copy_from_slice(u);
        } else {
            gathered::entries(u, &self.counts, &mut self.reducer.borrow_mut(), out);
        }
    }

    fn take_own(&self, all: &[f64], out: &mut [f64]) {
        let first: usize = self.counts[..self.reducer.borrow().ranks().rank()].iter().sum();
        out.copy_from_slice(&all[first..first + out.len()]);
    }

    fn normal_apply(&self, v: &[f64], image: &mut [f64], out: &mut [f64]) {
        self.here.normal_apply(v, image, out);
        self.sum(out);
    }

    fn normal_residual(&self, b: (&[f64], f64), v: &[f64], image: &mut [f64], out: &mut [f64]) {
        self.here.normal_residual(b, v, image, out);
        self.sum(out);
    }

    fn gram(&self, mut out: MatMut<'_, f64>, work: &mut Vec<f64>) {
        self.here.gram(out.rb_mut(), work);
        if self.ranks() == 1 {
            return;
        }
        let (order, mut packed) = (out.ncols(), self.packed.borrow_mut());
        packed.clear();
        for c in 0..order {
            packed.extend(out.rb().col(c).subrows(c, order - c).iter());
        }
        self.sum(&mut packed);
        let mut sums = packed.iter();
        for c in 0..order {
            let lower = out.rb_mut().col_mut(c).subrows_mut(c, order - c);
            lower.iter_mut().zip(&mut sums).for_each(|(entry, sum)| *entry = *sum);
        }
    }

    fn write_weighted(&self, root: BlockDiagonal<'_>, out: &mut Self) -> bool {
        self.here.write_weighted(root, &mut out.here)
    }

    /// Collective: K of all rows.
    fn kernel(&self, out: MatMut<'_, f64>, work: &mut Vec<f64>) {
        if self.ranks() == 1 {
            self.here.kernel(out, work);
        } else {
            gathered::kernel(&self.here, &self.counts, &mut self.reducer.borrow_mut(), out);
        }
    }

    /// Of the rows on this rank alone, as the next.
    fn kernel_diagonal(&self, out: &mut [f64]) {
        self.here.kernel_diagonal(out);
    }

    fn kernel_columns(&self, selected: &[usize], out: MatMut<'_, f64>) {
        self.here.kernel_columns(selected, out);
    }

    fn write_kernel_rows(&self, out: &mut Vec<f64>) {
        self.here.write_kernel_rows(out);
    }

    fn kernel_with(&self, others: &[f64], out: MatMut<'_, f64>) {
        self.here.kernel_with(others, out);
    }

    fn gram_blocks(&self, out: &mut Vec<f64>, orders: &mut Vec<usize>) {
        self.here.gram_blocks(out, orders);
        if !orders.is_empty() {
            self.sum(out);
        }
    }

    fn gram_operations(&self) -> f64 {
        self.gram_operations
    }

    fn kernel_operations(&self) -> f64 {
        self.kernel_operations
    }

    fn normal_operations(&self) -> f64 {
        self.normal_operations
    }

    fn squared_norm(&self) -> f64 {
        self.total(self.here.squared_norm())
    }

    fn sum(&self, values: &mut [f64]) {
        self.reducer.borrow_mut().sum(values);
    }

    fn output_norm(&self, u: &[f64]) -> f64 {
        let here = [norm(u)];
        norm(self.reducer.borrow_mut().gather(&here))
    }
}
