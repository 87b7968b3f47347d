//! A Jacobian whose rows lie on several ranks: `J^T u`, `J^T J` and norms are sums over the ranks.
//!
//! With J_r the rows of rank r, `J v = (J_0 v, J_1 v, ...)` stays where it is, `J^T u = sum_r J_r^T u_r` and
//! `J^T J = sum_r J_r^T J_r`. All ranks see the same bits of these.

use std::cell::RefCell;
use std::rc::Rc;

use gaussflow::solvers::faer::MatMut;
use gaussflow::solvers::faer::prelude::{Reborrow, ReborrowMut};
use gaussflow::solvers::{BlockDiagonal, JacobianOperator, norm};

use crate::communicator::Communicator;
use crate::reduce::Reducer;

/// The rows of J on this rank, and the connection with the others.
///
/// Products and sums are collective: all ranks must ask for the same ones in the same order. That is so
/// where their decisions are made from parameters, sums and [`JacobianOperator::total_rows`] alone, as those
/// of the solvers are.
pub struct RowSplit<'c, J, C> {
    here: J,
    total_rows: usize,
    /// Operations of `J^T J` on all ranks.
    gram_operations: f64,
    reducer: Rc<RefCell<Reducer<'c, C>>>,
    /// The lower triangle of `J^T J`, column after column.
    packed: RefCell<Vec<f64>>,
}

impl<'c, J: JacobianOperator, C: Communicator> RowSplit<'c, J, C> {
    /// Collective: the operator whose rows are `here` on this rank.
    pub fn new(here: J, reducer: Rc<RefCell<Reducer<'c, C>>>) -> Self {
        // Counts of rows are far below 2^53.
        let mut sums = [here.rows() as f64, here.gram_operations()];
        reducer.borrow_mut().sum(&mut sums);
        let [rows, gram_operations] = sums;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a sum of counts, exact"
        )]
        let total_rows = rows as usize;
        Self { here, total_rows, gram_operations, reducer, packed: RefCell::default() }
    }

    /// The rows on this rank.
    pub fn here(&self) -> &J {
        &self.here
    }

    /// The same, to be written.
    pub fn here_mut(&mut self) -> &mut J {
        &mut self.here
    }

    fn sum(&self, values: &mut [f64]) {
        self.reducer.borrow_mut().sum(values);
    }
}

impl<J: JacobianOperator, C: Communicator> JacobianOperator for RowSplit<'_, J, C> {
    fn rows(&self) -> usize {
        self.here.rows()
    }

    fn total_rows(&self) -> usize {
        self.total_rows
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
        if self.reducer.borrow().ranks().size() == 1 {
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

    /// K of the rows on this rank alone, as the two below.
    fn kernel(&self, out: MatMut<'_, f64>, work: &mut Vec<f64>) {
        self.here.kernel(out, work);
    }

    fn kernel_diagonal(&self, out: &mut [f64]) {
        self.here.kernel_diagonal(out);
    }

    fn kernel_columns(&self, selected: &[usize], out: MatMut<'_, f64>) {
        self.here.kernel_columns(selected, out);
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

    fn squared_norm(&self) -> f64 {
        self.total(self.here.squared_norm())
    }

    fn total(&self, here: f64) -> f64 {
        let mut sum = [here];
        self.sum(&mut sum);
        sum[0]
    }

    fn output_norm(&self, u: &[f64]) -> f64 {
        let here = [norm(u)];
        norm(self.reducer.borrow_mut().gather(&here))
    }
}
