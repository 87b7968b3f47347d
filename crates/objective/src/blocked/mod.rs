//! Maps whose rows are read block by block: `f = (f_0; f_1; ..)` and `J = (J_0; J_1; ..)`, of which one block is held.
//!
//! Every product with J is one pass over the blocks. A block is read, linearized at the point, and used, and its place then
//! holds the next one. Memory is that of a block and of a few vectors, whatever the number of rows; the price is that J is
//! computed anew in each pass.

mod jacobian;
mod pass;

use std::cell::{Ref, RefCell};
use std::ops::Range;
use std::rc::Rc;

use faer::MatMut;
use faer::prelude::ReborrowMut;

pub use jacobian::BlockedJacobian;
use pass::{Block, Passes, add};

use crate::map::{
    LipschitzConstants, MapError, Residuals, SecondOrderMap, SmoothMap, require_length,
};

/// Gives the blocks of rows of a map, one at a time: what [`BlockedMap`] reads.
///
/// The rows of block 0 come first, then those of block 1, and so on. One map and one Jacobian serve for all blocks of a size,
/// so that a pass allocates nothing: [`Self::open`] replaces the data of the map in place.
///
/// # Examples
/// A line `w_0 + w_1 t` at a million times, which are computed where they are needed:
/// ```
/// use std::ops::Range;
///
/// use gaussflow_objective::{
///     BlockedMap, ExactDerivatives, GenericResiduals, MapBlocks, Residuals, Scalar, SmoothMap,
/// };
/// use gaussflow_solvers::{DenseJacobian, JacobianOperator};
///
/// struct Line {
///     times: Range<u32>,
/// }
///
/// impl GenericResiduals for Line {
///     fn parameters(&self) -> usize {
///         2
///     }
///     fn outputs(&self) -> usize {
///         self.times.len()
///     }
///     fn residuals<D: Scalar>(&self, w: &[D], out: &mut [D]) {
///         for (o, t) in out.iter_mut().zip(self.times.clone()) {
///             *o = w[0] + w[1] * f64::from(t);
///         }
///     }
/// }
///
/// const ROWS: u32 = 1000;
///
/// struct Times {
///     map: ExactDerivatives<Line>,
///     jacobian: DenseJacobian,
/// }
///
/// impl MapBlocks for Times {
///     type Map = ExactDerivatives<Line>;
///
///     fn parameters(&self) -> usize {
///         2
///     }
///     fn blocks(&self) -> usize {
///         1000
///     }
///     fn outputs(&self, block: usize) -> Range<usize> {
///         let rows = ROWS as usize;
///         block * rows..(block + 1) * rows
///     }
///     fn open(&mut self, block: usize) -> Result<(&Self::Map, &mut DenseJacobian), String> {
///         let first = u32::try_from(block).map_err(|error| error.to_string())? * ROWS;
///         self.map = ExactDerivatives::new(Line { times: first..first + ROWS });
///         Ok((&self.map, &mut self.jacobian))
///     }
/// }
///
/// let map = ExactDerivatives::new(Line { times: 0..ROWS });
/// let map = BlockedMap::new(Times { jacobian: map.new_jacobian(), map })?;
/// let (mut value, mut jacobian) = (vec![0.0; map.outputs()], map.new_jacobian());
/// map.linearize(&[1.0, 2.0], &mut value, &mut jacobian)?;
/// assert_eq!(value[999_999], 1_999_999.0);
/// let mut out = [0.0; 2];
/// jacobian.apply_transposed(&vec![1.0; map.outputs()], &mut out);
/// assert_eq!(out, [1e6, 499_999.5e6]);
/// # Ok::<(), gaussflow_objective::MapError>(())
/// ```
pub trait MapBlocks {
    /// The map of the rows of one block.
    type Map: SecondOrderMap<Jacobian: Clone>;

    /// Returns the number of parameters p, the same in all blocks.
    fn parameters(&self) -> usize;

    /// Returns the number of blocks, at least 1.
    fn blocks(&self) -> usize;

    /// Returns the outputs of `block` among the n outputs of all; each block begins where the one before ends.
    fn outputs(&self, block: usize) -> Range<usize>;

    /// Reads `block` and returns the map of its rows, with room for its Jacobian.
    ///
    /// Until another block is opened, the Jacobian stays as the caller leaves it: opening the same block again costs nothing.
    ///
    /// # Errors
    /// Why the rows could not be read, in a sentence for the user.
    fn open(
        &mut self,
        block: usize,
    ) -> Result<(&Self::Map, &mut <Self::Map as SmoothMap>::Jacobian), String>;

    /// Returns the operations of `J^T J` over all blocks, once they are linearized: `n p (p + 1)` unless the structure saves
    /// some.
    fn gram_operations(&self) -> f64 {
        let (rows, columns) = (rows_of(self) as f64, self.parameters() as f64);
        rows * columns * (columns + 1.0)
    }

    /// Returns the operations of linearizing all blocks, which each pass repeats: `2 n p` unless the map knows better.
    fn linearization_operations(&self) -> f64 {
        2.0 * rows_of(self) as f64 * self.parameters() as f64
    }
}

/// The number of outputs n.
fn rows_of<B: MapBlocks + ?Sized>(source: &B) -> usize {
    source.blocks().checked_sub(1).map_or(0, |last| source.outputs(last).end)
}

/// Joins the blocks of a [`MapBlocks`] to one map of n outputs and p parameters with first and second derivatives.
///
/// Where rows cannot be read, a product with the Jacobian is NaN. The next value or linearization then returns
/// [`MapError::Undefined`] with the reason.
///
/// # Cost
/// One pass over the blocks for a value, a linearization, and each product with the Jacobian or second derivative. Memory:
/// that of the source, p numbers a Jacobian, and `p^2` numbers once a matrix of that size was asked for.
///
/// # Examples
/// See [`MapBlocks`].
pub struct BlockedMap<B: MapBlocks> {
    passes: Rc<RefCell<Passes<B>>>,
    parameters: usize,
    outputs: usize,
    blocks: usize,
}

impl<B: MapBlocks> BlockedMap<B> {
    /// Joins the blocks of `source`, of which none is read yet.
    ///
    /// # Errors
    /// [`MapError::ShapeMismatch`] where a block does not begin where the one before ends, and [`MapError::Undefined`] where
    /// there is no block, or a block without outputs.
    pub fn new(source: B) -> Result<Self, MapError> {
        let (mut outputs, blocks) = (0, source.blocks());
        for block in 0..blocks {
            let Range { start, end } = source.outputs(block);
            if start != outputs {
                let what = "the blocks before a block's first output";
                return Err(MapError::ShapeMismatch { what, expected: start, found: outputs });
            }
            if end <= start {
                let reason = format!("block {block} has no outputs; give each block at least one");
                return Err(MapError::Undefined { reason });
            }
            outputs = end;
        }
        if outputs == 0 {
            let reason = "it has 0 blocks of rows; give at least one".into();
            return Err(MapError::Undefined { reason });
        }
        let parameters = source.parameters();
        let passes = Rc::new(RefCell::new(Passes::new(source)));
        Ok(Self { passes, parameters, outputs, blocks })
    }

    /// Returns the source of the blocks; it must be given back before the map or one of its Jacobians is used again.
    pub fn source(&self) -> Ref<'_, B> {
        Ref::map(self.passes.borrow(), |passes| &passes.source)
    }
}

impl<B: MapBlocks> Residuals for BlockedMap<B> {
    fn parameters(&self) -> usize {
        self.parameters
    }

    fn outputs(&self) -> usize {
        self.outputs
    }

    fn value(&self, w: &[f64], out: &mut [f64]) -> Result<(), MapError> {
        require_length("the parameters w", w, self.parameters)?;
        require_length("the output", out, self.outputs)?;
        let passes = &mut *self.passes.borrow_mut();
        passes.report_failure()?;
        (0..self.blocks).try_for_each(|block| passes.write_value(block, w, out))
    }
}

impl<B: MapBlocks> SmoothMap for BlockedMap<B> {
    type Jacobian = BlockedJacobian<B>;

    fn new_jacobian(&self) -> BlockedJacobian<B> {
        let shape = (self.outputs, self.parameters, self.blocks);
        BlockedJacobian::new(&self.passes, shape)
    }

    /// One pass: the Jacobian keeps the point and its norm, and its Gram matrix where the points before needed theirs.
    fn linearize(
        &self,
        w: &[f64],
        value: &mut [f64],
        jacobian: &mut BlockedJacobian<B>,
    ) -> Result<(), MapError> {
        require_length("the parameters w", w, self.parameters)?;
        require_length("the output", value, self.outputs)?;
        let passes = &mut *self.passes.borrow_mut();
        passes.report_failure()?;
        jacobian.begin(w);
        let mut square = passes.take_square(jacobian.foresees_gram());
        for block in 0..self.blocks {
            jacobian.take_in(block, passes.linearize(block, w, value)?, square.as_mut());
        }
        passes.return_square(square);
        jacobian.end();
        Ok(())
    }

    fn second_order(&self) -> Option<&dyn SecondOrderMap<Jacobian = Self::Jacobian>> {
        Some(self)
    }
}

impl<B: MapBlocks> SecondOrderMap for BlockedMap<B> {
    fn second_derivative(
        &self,
        w: &[f64],
        _: &BlockedJacobian<B>,
        u: &[f64],
        v: &[f64],
        out: &mut [f64],
    ) -> Result<(), MapError> {
        require_length("the parameters w", w, self.parameters)?;
        require_length("the second derivative", out, self.outputs)?;
        let passes = &mut *self.passes.borrow_mut();
        (0..self.blocks).try_for_each(|block| {
            let Block { map, jacobian, outputs } = passes.at(block, w)?;
            map.second_derivative(w, jacobian, u, v, &mut out[outputs])
        })
    }

    fn weighted_hessian_apply(
        &self,
        w: &[f64],
        _: &BlockedJacobian<B>,
        weights: &[f64],
        v: &[f64],
        out: &mut [f64],
    ) -> Result<(), MapError> {
        require_length("the parameters w", w, self.parameters)?;
        require_length("the weights", weights, self.outputs)?;
        require_length("the product", out, self.parameters)?;
        let passes = &mut *self.passes.borrow_mut();
        let mut part = passes.take_part();
        for block in 0..self.blocks {
            let Block { map, jacobian, outputs } = passes.at(block, w)?;
            let target = if block == 0 { &mut *out } else { &mut part[..] };
            map.weighted_hessian_apply(w, jacobian, &weights[outputs], v, target)?;
            if block > 0 {
                add(out, &part);
            }
        }
        passes.return_part(part);
        Ok(())
    }

    fn weighted_hessian(
        &self,
        w: &[f64],
        _: &BlockedJacobian<B>,
        weights: &[f64],
        mut out: MatMut<'_, f64>,
    ) -> Result<(), MapError> {
        require_length("the parameters w", w, self.parameters)?;
        require_length("the weights", weights, self.outputs)?;
        for found in [out.nrows(), out.ncols()] {
            if found != self.parameters {
                let (what, expected) = ("a side of the weighted Hessian", self.parameters);
                return Err(MapError::ShapeMismatch { what, expected, found });
            }
        }
        let passes = &mut *self.passes.borrow_mut();
        let mut square = passes.take_square(self.blocks > 1);
        for block in 0..self.blocks {
            let Block { map, jacobian, outputs } = passes.at(block, w)?;
            let target = if block == 0 { out.rb_mut() } else { square.as_mut() };
            map.weighted_hessian(w, jacobian, &weights[outputs], target)?;
            if block > 0 {
                out += &square;
            }
        }
        passes.return_square(square);
        Ok(())
    }
}

impl<B: MapBlocks + LipschitzConstants> LipschitzConstants for BlockedMap<B> {
    fn jacobian_lipschitz(&self) -> f64 {
        self.source().jacobian_lipschitz()
    }

    fn lipschitz(&self) -> f64 {
        self.source().lipschitz()
    }

    fn jacobian_lipschitz_within(&self, center: &[f64], radius: f64) -> f64 {
        self.source().jacobian_lipschitz_within(center, radius)
    }

    fn lipschitz_within(&self, center: &[f64], radius: f64) -> f64 {
        self.source().lipschitz_within(center, radius)
    }
}
