//! The network's Jacobian, a row of pieces `Delta_l (.) [H_(l-1) 1]`, together with what second derivatives need.

use gaussflow_objective::Residuals;
use gaussflow_solvers::faer::MatMut;
use gaussflow_solvers::{BlockDiagonal, JacobianOperator, KroneckerPiece, RowBlocks, RowKronecker};

use crate::activation::ActivationFunction;
use crate::network::Network;

/// Entries up to which slopes and curvatures are kept beside Delta (2 MiB, what caches hold); larger ones are computed
/// again where they are asked for.
const KEPT: usize = 1 << 18;

/// Holds the Jacobian Df(w) of a network as row-wise Kronecker products (never formed), with what second derivatives need.
#[derive(Clone, Debug)]
pub struct NetworkJacobian {
    first: RowKronecker,
    /// One a hidden layer.
    bends: Vec<Bend>,
}

/// How a layer bends, both n x m_l, and without columns where they are too large to keep.
#[derive(Clone, Debug)]
pub(crate) struct Bend {
    /// `s_l sigma'(z_l)`, where another layer or a trained c follows: elsewhere Delta has the same with c.
    pub(crate) slopes: RowBlocks,
    /// `P_l s_l sigma''(z_l)`, P_l the derivative of phi by h_l.
    pub(crate) curvatures: RowBlocks,
}

impl NetworkJacobian {
    /// A zero Jacobian of `network`.
    pub(crate) fn new<A: ActivationFunction>(network: &Network<A>) -> Self {
        let (n, inputs) = (network.outputs(), network.inputs());
        let d = inputs.columns();
        let by_row: Vec<f64> = (0..n * d).map(|e| inputs[(e / d, e % d)]).collect();
        Self::over(KroneckerPiece::new(&by_row, d, network.places()[0].units), network)
    }

    /// The same for a network whose inputs are replaced ([`Self::take_inputs`]), without room for slopes and curvatures.
    pub(crate) fn over_varying<A: ActivationFunction>(network: &Network<A>) -> Self {
        let (n, d) = (network.outputs(), network.inputs().columns());
        let inputs = KroneckerPiece::over_varying(n, d, network.places()[0].units);
        let mut found = Self::over(inputs, network).without_bends();
        found.take_inputs(network.inputs());
        found
    }

    /// The Jacobian whose first piece has the inputs of `network`, or room for them.
    fn over<A: ActivationFunction>(inputs: KroneckerPiece, network: &Network<A>) -> Self {
        let (n, places) = (network.outputs(), network.places());
        let outputs = network.outputs_of_a_row();
        let mut first = RowKronecker::of_piece(inputs.with_shared_inputs(outputs));
        for (place, before) in places[1..].iter().zip(places) {
            let mut piece = KroneckerPiece::over_varying(n, place.length, place.units);
            if place.length > before.units {
                (0..n).for_each(|j| piece.right_mut()[(j, before.units)] = 1.0);
                piece.right_is_written();
            }
            if before == &places[network.layers().len() - 1] {
                // The output is what it is, times its row of C.
                let (_, ones, squares) = piece.factors_mut();
                squares.fill(1.0);
                (0..n).for_each(|j| ones[(j, j % place.units)] = 1.0);
            }
            first = first.with_piece(piece.with_shared_inputs(outputs));
        }
        let units: usize = network.hidden_widths().sum();
        let kept = n.saturating_mul(units) <= KEPT;
        let bend = |(l, width): (usize, usize)| Bend {
            slopes: RowBlocks::zeros(n, if kept && l + 1 < places.len() { width } else { 0 }),
            curvatures: RowBlocks::zeros(n, if kept { width } else { 0 }),
        };
        let bends = network.hidden_widths().enumerate().map(bend).collect();
        Self { first, bends }
    }

    /// The same without room for slopes and curvatures, as for large networks: they are computed where they are asked for.
    pub(crate) fn without_bends(mut self) -> Self {
        for bend in &mut self.bends {
            let n = bend.curvatures.rows();
            (bend.slopes, bend.curvatures) = (RowBlocks::zeros(n, 0), RowBlocks::zeros(n, 0));
        }
        self
    }

    /// Copies the inputs of the network; of [`Self::over_varying`] alone.
    pub(crate) fn take_inputs(&mut self, inputs: &RowBlocks) {
        let first = &mut self.first.pieces_mut()[0];
        let target = first.right_mut().blocks_mut().enumerate();
        target.for_each(|(b, block)| {
            let from = inputs.block_data(b);
            block[..from.len()].copy_from_slice(from);
        });
        first.right_is_written();
    }

    /// The pieces, and the bends of the hidden layers, to be written.
    pub(crate) fn parts_mut(&mut self) -> (&mut [KroneckerPiece], &mut [Bend]) {
        (self.first.pieces_mut(), &mut self.bends)
    }

    /// The bends of the hidden layers.
    pub(crate) fn bends(&self) -> &[Bend] {
        &self.bends
    }

    /// Returns the row-wise Kronecker products that make the Jacobian.
    pub fn row_kronecker(&self) -> &RowKronecker {
        &self.first
    }
}

impl JacobianOperator for NetworkJacobian {
    fn rows(&self) -> usize {
        self.first.rows()
    }

    fn columns(&self) -> usize {
        self.first.columns()
    }

    fn apply(&self, v: &[f64], out: &mut [f64]) {
        self.first.apply(v, out);
    }

    fn apply_transposed(&self, u: &[f64], out: &mut [f64]) {
        self.first.apply_transposed(u, out);
    }

    fn normal_apply(&self, v: &[f64], image: &mut [f64], out: &mut [f64]) {
        self.first.normal_apply(v, image, out);
    }

    fn normal_residual(&self, b: (&[f64], f64), v: &[f64], image: &mut [f64], out: &mut [f64]) {
        self.first.normal_residual(b, v, image, out);
    }

    fn write_dense(&self, out: MatMut<'_, f64>) {
        self.first.write_dense(out);
    }

    fn write_weighted(&self, root: BlockDiagonal<'_>, out: &mut Self) -> bool {
        self.first.write_weighted(root, &mut out.first)
    }

    fn gram(&self, out: MatMut<'_, f64>, work: &mut Vec<f64>) {
        self.first.gram(out, work);
    }

    fn kernel(&self, out: MatMut<'_, f64>, work: &mut Vec<f64>) {
        self.first.kernel(out, work);
    }

    fn kernel_diagonal(&self, out: &mut [f64]) {
        self.first.kernel_diagonal(out);
    }

    fn kernel_columns(&self, selected: &[usize], out: MatMut<'_, f64>) {
        self.first.kernel_columns(selected, out);
    }

    fn write_kernel_rows(&self, out: &mut Vec<f64>) {
        self.first.write_kernel_rows(out);
    }

    fn kernel_with(&self, others: &[f64], out: MatMut<'_, f64>) {
        self.first.kernel_with(others, out);
    }

    fn gram_blocks(&self, out: &mut Vec<f64>, orders: &mut Vec<usize>) {
        self.first.gram_blocks(out, orders);
    }

    fn gram_operations(&self) -> f64 {
        self.first.gram_operations()
    }

    fn kernel_operations(&self) -> f64 {
        self.first.kernel_operations()
    }

    fn squared_norm(&self) -> f64 {
        self.first.squared_norm()
    }
}
