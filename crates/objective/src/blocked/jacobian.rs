//! The Jacobian of a map in blocks of rows: `J v = (J_0 v; J_1 v; ..)`, `J^T u = sum_b J_b^T u_b`, `J^T J = sum_b J_b^T J_b`.
//!
//! Sums run over the blocks in their order, so that results do not depend on how often or by whom they are asked for.

use std::cell::{Cell, RefCell};
use std::ops::Range;
use std::rc::Rc;

use faer::prelude::{Reborrow, ReborrowMut};
use faer::{Mat, MatMut};
use gaussflow_solvers::{BlockDiagonal, JacobianOperator};

use crate::blocked::MapBlocks;
use crate::blocked::pass::{JacobianOf, Passes, Weights, add};
use crate::map::MapError;

/// Represents the Jacobian (n x p) of a [`BlockedMap`](crate::BlockedMap) at one point, by passes over the blocks of rows.
///
/// It keeps the point, and linearizes each block there anew in every pass. With a single block, the block stays at hand. Where
/// rows cannot be read, the result of a product is NaN, and the next linearization of the map returns the reason.
///
/// Where the Gram matrix was asked for at a point, the pass of the next linearization makes it too. What it
/// returns is the same in both cases.
///
/// # Cost
/// Each product, also [`JacobianOperator::normal_apply`] and the Gram matrix, takes one pass. Memory: p numbers, and in the
/// metric of a loss's Hessian as many numbers as its root has; `p^2` numbers for a Gram matrix that is made beforehand.
pub struct BlockedJacobian<B: MapBlocks> {
    passes: Rc<RefCell<Passes<B>>>,
    rows: usize,
    columns: usize,
    blocks: usize,
    /// The point w (length p).
    point: Vec<f64>,
    squared_norm: f64,
    /// R, where this is `R^T Df(w)`.
    weights: Option<Weights>,
    gram: Foreseen,
}

/// The Gram matrix, where it is made before it is asked for.
struct Foreseen {
    /// Whether one more linearization costs so much beside the matrix that making both in one pass pays.
    pays: bool,
    /// Its lower triangle (p x p), where it is `current`.
    matrix: Mat<f64>,
    current: bool,
    work: Vec<f64>,
    /// Whether it was asked for at this point.
    asked: Cell<bool>,
    /// Whether it was asked for at the point before.
    expected: bool,
}

/// Part of the operations of a Gram matrix from which it pays to save the linearization of its pass.
const WORTHWHILE: f64 = 0.01;

impl<B: MapBlocks> BlockedJacobian<B> {
    /// The Jacobian at w = 0 of `rows` x `columns` in so many blocks.
    pub(crate) fn new(
        passes: &Rc<RefCell<Passes<B>>>,
        (rows, columns, blocks): (usize, usize, usize),
    ) -> Self {
        let source = &passes.borrow().source;
        let again = source.linearization_operations();
        let gram = Foreseen {
            pays: blocks > 1 && again >= WORTHWHILE * source.gram_operations(),
            matrix: Mat::new(),
            current: false,
            work: Vec::new(),
            asked: Cell::new(false),
            expected: false,
        };
        let (point, passes) = (vec![0.0; columns], Rc::clone(passes));
        let squared_norm = f64::NAN;
        Self { passes, rows, columns, blocks, point, squared_norm, weights: None, gram }
    }

    /// Moves to the point `w`, where nothing is known yet.
    pub(crate) fn begin(&mut self, w: &[f64]) {
        w.clone_into(&mut self.point);
        (self.squared_norm, self.weights, self.gram.current) = (0.0, None, false);
        self.gram.expected = self.gram.asked.take();
    }

    /// Whether the pass of this point is to make the Gram matrix.
    pub(crate) fn foresees_gram(&self) -> bool {
        self.gram.pays && self.gram.expected
    }

    /// Takes in the Jacobian of `block` at the point, all of them in their order; `square` is room for a p x p matrix.
    pub(crate) fn take_in(
        &mut self,
        block: usize,
        jacobian: &JacobianOf<B>,
        square: MatMut<'_, f64>,
    ) {
        self.squared_norm += jacobian.squared_norm();
        if self.foresees_gram() {
            let Foreseen { matrix, work, .. } = &mut self.gram;
            if matrix.nrows() < self.columns {
                *matrix = Mat::zeros(self.columns, self.columns);
            }
            add_gram(block, jacobian, matrix.as_mut(), (square, work));
        }
    }

    /// Ends the pass of a point in which all blocks were taken in.
    pub(crate) fn end(&mut self) {
        self.gram.current = self.foresees_gram();
    }

    /// Shows `visit` the Jacobian of every block in order, with the number of the block and its outputs; false where rows
    /// could not be read, which the next linearization reports.
    fn visit(&self, mut visit: impl FnMut(&JacobianOf<B>, usize, Range<usize>)) -> bool {
        let mut passes = self.passes.borrow_mut();
        let found = (0..self.blocks).try_for_each(|block| {
            let (jacobian, outputs) =
                passes.jacobian_at(block, &self.point, self.weights.as_ref())?;
            visit(jacobian, block, outputs);
            Ok(())
        });
        found.map_err(|error| passes.keep_failure(error)).is_ok()
    }

    /// Writes to `out` (length p) the sum of what `product` writes for each block.
    fn sum(
        &self,
        out: &mut [f64],
        mut product: impl FnMut(&JacobianOf<B>, Range<usize>, &mut [f64]),
    ) -> bool {
        let mut part = self.passes.borrow_mut().take_part();
        let whole = self.visit(|jacobian, block, outputs| {
            if block == 0 {
                product(jacobian, outputs, out);
            } else {
                product(jacobian, outputs, &mut part);
                add(out, &part);
            }
        });
        self.passes.borrow_mut().return_part(part);
        if !whole {
            out.fill(f64::NAN);
        }
        whole
    }

    /// The operations of one more linearization of all blocks; a single block stays linearized.
    fn repeated_operations(&self) -> f64 {
        match self.blocks {
            1 => 0.0,
            _ => self.passes.borrow().source.linearization_operations(),
        }
    }
}

impl<B: MapBlocks> JacobianOperator for BlockedJacobian<B> {
    fn rows(&self) -> usize {
        self.rows
    }

    fn columns(&self) -> usize {
        self.columns
    }

    fn apply(&self, v: &[f64], out: &mut [f64]) {
        let whole = self.visit(|jacobian, _, outputs| jacobian.apply(v, &mut out[outputs]));
        if !whole {
            out.fill(f64::NAN);
        }
    }

    fn apply_transposed(&self, u: &[f64], out: &mut [f64]) {
        self.sum(out, |jacobian, outputs, out| jacobian.apply_transposed(&u[outputs], out));
    }

    fn normal_apply(&self, v: &[f64], image: &mut [f64], out: &mut [f64]) {
        let whole = self.sum(out, |jacobian, outputs, out| {
            jacobian.normal_apply(v, &mut image[outputs], out);
        });
        if !whole {
            image.fill(f64::NAN);
        }
    }

    fn normal_residual(
        &self,
        (b, scale): (&[f64], f64),
        v: &[f64],
        image: &mut [f64],
        out: &mut [f64],
    ) {
        let whole = self.sum(out, |jacobian, outputs, out| {
            let b = &b[outputs.clone()];
            jacobian.normal_residual((b, scale), v, &mut image[outputs], out);
        });
        if !whole {
            image.fill(f64::NAN);
        }
    }

    fn write_dense(&self, mut out: MatMut<'_, f64>) {
        let whole = self.visit(|jacobian, _, outputs| {
            jacobian.write_dense(out.rb_mut().subrows_mut(outputs.start, outputs.len()));
        });
        if !whole {
            out.fill(f64::NAN);
        }
    }

    fn gram(&self, mut out: MatMut<'_, f64>, work: &mut Vec<f64>) {
        self.gram.asked.set(true);
        if self.gram.current {
            return out.copy_from_triangular_lower(&self.gram.matrix);
        }
        let mut square = self.passes.borrow_mut().take_square(self.blocks > 1);
        let whole = self.visit(|jacobian, block, _| {
            add_gram(block, jacobian, out.rb_mut(), (square.as_mut(), work));
        });
        self.passes.borrow_mut().return_square(square);
        if !whole {
            for k in 0..self.columns {
                out.rb_mut().col_mut(k).subrows_mut(k, self.columns - k).fill(f64::NAN);
            }
        }
    }

    fn kernel_diagonal(&self, out: &mut [f64]) {
        let whole = self.visit(|jacobian, _, outputs| jacobian.kernel_diagonal(&mut out[outputs]));
        if !whole {
            out.fill(f64::NAN);
        }
    }

    /// Two passes: one for the rows of J that are selected, one for their products with all rows.
    fn kernel_columns(&self, selected: &[usize], mut out: MatMut<'_, f64>) {
        let (mut unit, mut rows) = (Vec::new(), Mat::zeros(self.columns, selected.len()));
        let found = self.visit(|jacobian, _, outputs| {
            unit.clear();
            unit.resize(outputs.len(), 0.0);
            for (c, j) in selected.iter().enumerate().filter(|(_, j)| outputs.contains(j)) {
                unit[j - outputs.start] = 1.0;
                jacobian.apply_transposed(&unit, rows.col_as_slice_mut(c));
                unit[j - outputs.start] = 0.0;
            }
        });
        let whole = found
            && self.visit(|jacobian, _, outputs| {
                unit.resize(outputs.len(), 0.0);
                for c in 0..selected.len() {
                    jacobian.apply(rows.col_as_slice(c), &mut unit);
                    let target = out.rb_mut().col_mut(c).subrows_mut(outputs.start, outputs.len());
                    target.iter_mut().zip(&unit).for_each(|(out, entry)| *out = *entry);
                }
            });
        if !whole {
            out.fill(f64::NAN);
        }
    }

    fn write_kernel_rows(&self, out: &mut Vec<f64>) {
        let (begin, mut length) = (out.len(), self.columns);
        let read = self.visit(|jacobian, _, outputs| {
            let before = out.len();
            jacobian.write_kernel_rows(out);
            length = (out.len() - before) / outputs.len().max(1);
        });
        if !read {
            out.truncate(begin);
            out.resize(begin + self.rows * length, f64::NAN);
        }
    }

    fn kernel_with(&self, others: &[f64], mut out: MatMut<'_, f64>) {
        let read = self.visit(|jacobian, _, outputs| {
            jacobian.kernel_with(others, out.rb_mut().subrows_mut(outputs.start, outputs.len()));
        });
        if !read {
            out.fill(f64::NAN);
        }
    }

    fn gram_blocks(&self, out: &mut Vec<f64>, orders: &mut Vec<usize>) {
        let mut part = Vec::new();
        let whole = self.visit(|jacobian, block, _| {
            if block == 0 {
                return jacobian.gram_blocks(out, orders);
            }
            jacobian.gram_blocks(&mut part, orders);
            add(out, &part);
        });
        if !whole {
            out.fill(f64::NAN);
        }
    }

    /// Keeps R, and takes one pass for the norm of `R^T J`.
    fn write_weighted(&self, root: BlockDiagonal<'_>, out: &mut Self) -> bool {
        let weights = Weights::new(root, self.rows);
        let passes = &mut *self.passes.borrow_mut();
        if !(0..self.blocks).all(|block| weights.are_whole(&passes.source.outputs(block))) {
            return false;
        }
        out.begin(&self.point);
        let mut square = passes.take_square(out.foresees_gram());
        for block in 0..self.blocks {
            match passes.jacobian_at(block, &self.point, Some(&weights)) {
                Ok((jacobian, _)) => out.take_in(block, jacobian, square.as_mut()),
                Err(MapError::NoMetric { .. }) => return false,
                Err(failure) => {
                    passes.keep_failure(failure);
                    out.squared_norm = f64::NAN;
                    out.weights = Some(weights);
                    return true;
                }
            }
        }
        passes.return_square(square);
        out.end();
        out.weights = Some(weights);
        true
    }

    fn squared_norm(&self) -> f64 {
        // NaN tells whoever asks that products have failed.
        if self.passes.borrow().has_failed() { f64::NAN } else { self.squared_norm }
    }

    fn gram_operations(&self) -> f64 {
        self.repeated_operations() + self.passes.borrow().source.gram_operations()
    }

    fn normal_operations(&self) -> f64 {
        self.repeated_operations() + 4.0 * self.rows as f64 * self.columns as f64
    }
}

/// Adds the lower triangle of the Gram matrix of `block` to that of those before it; `square` is room for one.
fn add_gram<J: JacobianOperator>(
    block: usize,
    jacobian: &J,
    mut out: MatMut<'_, f64>,
    (mut square, work): (MatMut<'_, f64>, &mut Vec<f64>),
) {
    if block == 0 {
        return jacobian.gram(out, work);
    }
    jacobian.gram(square.rb_mut(), work);
    for (k, part) in square.rb().col_iter().enumerate() {
        let lower = part.nrows() - k;
        let mut sum = out.rb_mut().col_mut(k).subrows_mut(k, lower);
        sum += part.subrows(k, lower);
    }
}
