//! What the passes over the blocks share: the source, the block at hand with its Jacobian, and room for sums.

use std::ops::Range;

use faer::Mat;
use gaussflow_solvers::{BlockDiagonal, JacobianOperator};

use crate::blocked::MapBlocks;
use crate::map::{MapError, Residuals, SmoothMap};

/// The Jacobian of one block.
pub(crate) type JacobianOf<B> = <<B as MapBlocks>::Map as SmoothMap>::Jacobian;

/// A block at hand: its map, the Jacobian where it was linearized, and the outputs that belong to its rows.
pub(crate) struct Block<'a, B: MapBlocks> {
    pub(crate) map: &'a B::Map,
    pub(crate) jacobian: &'a JacobianOf<B>,
    pub(crate) outputs: Range<usize>,
}

/// A source of blocks with what one pass over them needs, for all Jacobians of a map.
pub(crate) struct Passes<B: MapBlocks> {
    pub(crate) source: B,
    /// The block whose Jacobian the source holds, and where it was linearized.
    held: Option<usize>,
    point: Vec<f64>,
    /// f on the rows of a block, where only its Jacobian is asked for.
    value: Vec<f64>,
    /// `R^T J` of a block, one for each number of rows that blocks have.
    weighted: Vec<JacobianOf<B>>,
    /// The blocks of R that belong to the block of rows at hand.
    root: Vec<f64>,
    /// The part of a block in a sum over p numbers, and over p x p numbers.
    part: Vec<f64>,
    square: Mat<f64>,
    /// The first failure of a product, to be reported at the next linearization.
    failure: Option<MapError>,
}

impl<B: MapBlocks> Passes<B> {
    pub(crate) fn new(source: B) -> Self {
        Self {
            source,
            held: None,
            point: Vec::new(),
            value: Vec::new(),
            weighted: Vec::new(),
            root: Vec::new(),
            part: Vec::new(),
            square: Mat::new(),
            failure: None,
        }
    }

    /// Keeps the failure of a product, unless an earlier one waits.
    pub(crate) fn keep_failure(&mut self, failure: MapError) {
        self.failure.get_or_insert(failure);
    }

    /// Whether a product has failed since the last linearization.
    pub(crate) fn has_failed(&self) -> bool {
        self.failure.is_some()
    }

    /// Reports what a product could not, once.
    pub(crate) fn report_failure(&mut self) -> Result<(), MapError> {
        self.failure.take().map_or(Ok(()), Err)
    }

    /// Writes f on the rows of `block` to their places in `out`.
    pub(crate) fn write_value(
        &mut self,
        block: usize,
        w: &[f64],
        out: &mut [f64],
    ) -> Result<(), MapError> {
        if self.held != Some(block) {
            self.held = None;
        }
        let outputs = self.source.outputs(block);
        let (map, _) = self.source.open(block).map_err(unread)?;
        require_block(map, &outputs)?;
        map.value(w, &mut out[outputs])
    }

    /// Linearizes `block` at `w`, writes f on its rows to their places in `value`, and returns its Jacobian.
    pub(crate) fn linearize(
        &mut self,
        block: usize,
        w: &[f64],
        value: &mut [f64],
    ) -> Result<&JacobianOf<B>, MapError> {
        self.held = None;
        let outputs = self.source.outputs(block);
        let (map, jacobian) = self.source.open(block).map_err(unread)?;
        require_block(map, &outputs)?;
        map.linearize(w, &mut value[outputs], jacobian)?;
        w.clone_into(&mut self.point);
        self.held = Some(block);
        Ok(jacobian)
    }

    /// The map of `block` and its Jacobian at `w`.
    pub(crate) fn at(&mut self, block: usize, w: &[f64]) -> Result<Block<'_, B>, MapError> {
        let outputs = self.source.outputs(block);
        let is_here = self.held == Some(block)
            && w.iter().zip(&self.point).all(|(a, b)| a.to_bits() == b.to_bits());
        if !is_here {
            self.held = None;
        }
        let (map, jacobian) = self.source.open(block).map_err(unread)?;
        if !is_here {
            require_block(map, &outputs)?;
            self.value.resize(outputs.len(), 0.0);
            map.linearize(w, &mut self.value, jacobian)?;
            w.clone_into(&mut self.point);
            self.held = Some(block);
        }
        Ok(Block { map, jacobian, outputs })
    }

    /// The Jacobian of `block` at `w`, times `R^T` where there are weights, with the outputs that belong to its rows.
    pub(crate) fn jacobian_at(
        &mut self,
        block: usize,
        w: &[f64],
        weights: Option<&Weights>,
    ) -> Result<(&JacobianOf<B>, Range<usize>), MapError> {
        let Some(weights) = weights else {
            return self.at(block, w).map(|block| (block.jacobian, block.outputs));
        };
        let (mut root, mut room) =
            (std::mem::take(&mut self.root), std::mem::take(&mut self.weighted));
        let Block { jacobian, outputs, .. } = self.at(block, w)?;
        weights.write_block(&outputs, &mut root);
        let known = room.iter().position(|one| one.rows() == jacobian.rows());
        let place = known.unwrap_or(room.len());
        if known.is_none() {
            room.push(jacobian.clone());
        }
        let root_here = BlockDiagonal::new(weights.order, &root);
        let weighted = jacobian.write_weighted(root_here, &mut room[place]);
        (self.root, self.weighted) = (root, room);
        if weighted {
            Ok((&self.weighted[place], outputs))
        } else {
            Err(MapError::NoMetric { what: "the rows of a block cannot be weighted" })
        }
    }

    /// Room for p numbers, to be given back.
    pub(crate) fn take_part(&mut self) -> Vec<f64> {
        let mut part = std::mem::take(&mut self.part);
        part.resize(self.source.parameters(), 0.0);
        part
    }

    pub(crate) fn return_part(&mut self, part: Vec<f64>) {
        self.part = part;
    }

    /// Room for a p x p matrix if it is `needed`, to be given back.
    pub(crate) fn take_square(&mut self, needed: bool) -> Mat<f64> {
        let order = if needed { self.source.parameters() } else { 0 };
        let square = std::mem::replace(&mut self.square, Mat::new());
        if square.nrows() < order { Mat::zeros(order, order) } else { square }
    }

    pub(crate) fn return_square(&mut self, square: Mat<f64>) {
        self.square = square;
    }
}

/// The error of a block that could not be read.
fn unread(reason: String) -> MapError {
    MapError::Undefined { reason }
}

/// Refuses a map of another number of outputs than its block has.
fn require_block(map: &impl Residuals, outputs: &Range<usize>) -> Result<(), MapError> {
    let (what, expected, found) = ("the map of a block", outputs.len(), map.outputs());
    if expected == found { Ok(()) } else { Err(MapError::ShapeMismatch { what, expected, found }) }
}

/// `out += part`.
pub(crate) fn add(out: &mut [f64], part: &[f64]) {
    out.iter_mut().zip(part).for_each(|(out, part)| *out += part);
}

/// The square blocks of R, of one order, which weigh the outputs.
pub(crate) struct Weights {
    pub(crate) order: usize,
    /// Row k of every block, one block after the other, at `k n`: n numbers each.
    rows: Vec<f64>,
}

impl Weights {
    /// Copies the blocks of `root` for n outputs, through their products with unit vectors.
    pub(crate) fn new(root: BlockDiagonal<'_>, n: usize) -> Self {
        let order = root.order();
        let (mut rows, mut units) = (vec![0.0; order * n], vec![0.0; n]);
        for (k, row) in rows.chunks_exact_mut(n.max(1)).enumerate() {
            units.iter_mut().enumerate().for_each(|(j, u)| *u = f64::from(j % order == k));
            root.apply_transposed(&units, row);
        }
        Self { order, rows }
    }

    /// Whether the rows `outputs` belong to whole blocks of R.
    pub(crate) fn are_whole(&self, outputs: &Range<usize>) -> bool {
        outputs.start.is_multiple_of(self.order) && outputs.end.is_multiple_of(self.order)
    }

    /// Writes the blocks of R of the rows `outputs`, row-major one after the other.
    fn write_block(&self, outputs: &Range<usize>, out: &mut Vec<f64>) {
        out.clear();
        let n = self.rows.len() / self.order;
        for first in outputs.clone().step_by(self.order) {
            for k in 0..self.order {
                out.extend_from_slice(&self.rows[k * n + first..][..self.order]);
            }
        }
    }
}
