//! The one-hidden-layer network `phi(x; w) = sum_i c_i sigma(x . w^(i))` on n fixed rows (section 2.1).
//!
//! `f(w) = phi(w) - phi(w_init)` when nullified. With z_ji = x_j . w^(i), the Jacobian is the row-wise
//! Kronecker product of S[j,i] = c_i sigma'(z_ji) and X, and
//! `D2f[u,v]_j = sum_i c_i sigma''(z_ji) (x_j . u_i)(x_j . v_i)`.

use std::ops::Range;

use gaussflow_objective::{MapError, Residuals, SecondOrderMap, SmoothMap, require_length};
use gaussflow_solvers::RowBlocks;
use rayon::prelude::*;

use crate::activation::{Activation, ActivationFunction};
use crate::jacobian::NetworkJacobian;
use crate::second_derivative::ROW_BLOCK;
use crate::{InitialPoint, NetworkError};

/// Activations from which several threads share them: some tenths of a millisecond.
const PARALLEL: usize = 1 << 17;

/// Pre-activations that are computed together: several units' rows, within the first-level cache.
const GROUP: usize = 4 * ROW_BLOCK;

/// So many numbers are all there are for a small network.
const SMALL_GROUP: usize = 2 * ROW_BLOCK;

/// An array that begins with a cache line: vectors then lie in one line each.
#[repr(align(64))]
struct Scratch<const N: usize>([f64; N]);

/// A one-hidden-layer network on fixed inputs, as a map from the m x d weights to n outputs.
///
/// The parameter vector is `[m][d]` row-major: entry `i d + k` weighs feature k in unit i. The output
/// signs c are fixed.
///
/// # Examples
/// ```
/// use gaussflow_network::{Activation, InitialPoint, Initialization, Network};
/// use gaussflow_objective::Residuals;
///
/// let inputs = [0.5, -1.0, 2.0, 0.3, 1.0, 1.0]; // three rows, two features
/// let point = InitialPoint::draw(Initialization::Nullified, 4, 2, 0)?;
/// let network = Network::new(&inputs, 2, &point.signs, Activation::Tanh)?
///     .nullified_at(&point.weights)?;
/// let mut output = [f64::NAN; 3];
/// network.value(&point.weights, &mut output)?;
/// assert_eq!(output, [0.0; 3]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Network<A = Activation> {
    inputs: RowBlocks,
    signs: Vec<f64>,
    /// `phi(w_init)` when nullified, else zero.
    offset: Vec<f64>,
    activation: A,
}

impl<A: ActivationFunction> Network<A> {
    /// The network phi on `inputs` (row-major n x `features`) with output signs c (length m).
    ///
    /// # Errors
    /// [`NetworkError`] on empty or ragged shapes, or entries that are not finite.
    pub fn new(
        inputs: &[f64],
        features: usize,
        signs: &[f64],
        activation: A,
    ) -> Result<Self, NetworkError> {
        let hidden = signs.len();
        if features == 0 || hidden == 0 || inputs.is_empty() {
            let rows = inputs.len().checked_div(features).unwrap_or(0);
            return Err(NetworkError::Empty { rows, features, hidden });
        }
        if !inputs.len().is_multiple_of(features) {
            return Err(NetworkError::RaggedInputs { entries: inputs.len(), features });
        }
        require_finite("the inputs", inputs)?;
        require_finite("the output signs", signs)?;
        let rows = inputs.len() / features;
        Ok(Self {
            inputs: blocks_of(inputs, features),
            signs: signs.to_vec(),
            offset: vec![0.0; rows],
            activation,
        })
    }

    /// The same network with `phi(weights)` subtracted (Remark 1), so that f(weights) = 0.
    ///
    /// # Errors
    /// [`NetworkError`] on a wrong number of weights or entries that are not finite.
    pub fn nullified_at(mut self, weights: &[f64]) -> Result<Self, NetworkError> {
        let (hidden, features) = (self.hidden(), self.features());
        let expected = hidden * features;
        if weights.len() != expected {
            let found = weights.len();
            return Err(NetworkError::WeightCount { expected, found, hidden, features });
        }
        require_finite("the weights", weights)?;
        let mut offset = vec![0.0; self.inputs.rows()];
        self.offset.fill(0.0);
        self.evaluate(weights, &mut offset);
        self.offset = offset;
        Ok(self)
    }

    /// The network of [`Initialization`](crate::Initialization) `kind`: nullified at the drawn point, or plain phi.
    ///
    /// # Errors
    /// As [`Self::new`] and [`Self::nullified_at`].
    pub fn from_initial_point(
        kind: crate::Initialization,
        inputs: &[f64],
        features: usize,
        point: &InitialPoint,
        activation: A,
    ) -> Result<Self, NetworkError> {
        let network = Self::new(inputs, features, &point.signs, activation)?;
        match kind {
            crate::Initialization::Nullified => network.nullified_at(&point.weights),
            // phi is already 0 at an antisymmetric point, up to rounding.
            crate::Initialization::Antisymmetric | crate::Initialization::Plain => Ok(network),
        }
    }

    /// Number of hidden units m.
    pub fn hidden(&self) -> usize {
        self.signs.len()
    }

    /// Number of features d.
    pub fn features(&self) -> usize {
        self.inputs.columns()
    }

    /// The inputs X, n x d.
    pub fn inputs(&self) -> &RowBlocks {
        &self.inputs
    }

    /// The output signs c (length m).
    pub fn signs(&self) -> &[f64] {
        &self.signs
    }

    /// The activation.
    pub fn activation(&self) -> &A {
        &self.activation
    }

    /// Refuses weights or outputs of another length than p or n.
    fn check_shapes(&self, w: &[f64], out: &[f64]) -> Result<(), MapError> {
        require_length("the weights w", w, self.parameters())?;
        require_length("the output", out, self.outputs())
    }

    /// `out = f(w)`.
    fn evaluate(&self, w: &[f64], out: &mut [f64]) {
        for (b, out) in out.chunks_mut(ROW_BLOCK).enumerate() {
            out.fill(0.0);
            self.for_groups(b, w, |units, stride, [z, sigma]| {
                self.activation.value(z, sigma);
                add_combination(out, &self.signs[units], sigma, stride);
            });
            subtract(out, &self.offset[b * ROW_BLOCK..]);
        }
    }

    /// Value, S with its rows' sums of squares, and (where it is kept) C on the rows of block `b`: matrices in the
    /// layout of a block.
    fn linearize_block(
        &self,
        b: usize,
        w: &[f64],
        value: &mut [f64],
        (slopes, squares): (&mut [f64], &mut [f64]),
        mut curvatures: Option<&mut [f64]>,
    ) {
        let rows = value.len();
        value.fill(0.0);
        squares.fill(0.0);
        self.for_groups(b, w, |units, stride, [z, sigma]| {
            let (signs, place) =
                (&self.signs[units.clone()], units.start * stride..units.end * stride);
            let slopes = &mut slopes[place.clone()];
            match &mut curvatures {
                Some(curvatures) => {
                    let curvatures = &mut curvatures[place];
                    self.activation.evaluate(z, sigma, slopes, curvatures);
                    scale_columns(curvatures, signs, stride, rows);
                }
                None => self.activation.value_and_slope(z, sigma, slopes),
            }
            add_combination(value, signs, sigma, stride);
            scale_columns(slopes, signs, stride, rows);
            add_squares(squares, slopes, stride);
        });
        subtract(value, &self.offset[b * ROW_BLOCK..]);
    }

    /// Shows `visit` the pre-activations `z_j = x_j . w^(i)` of groups of units on the rows of block `b`: the
    /// units, the distance from one unit to the next, and the numbers, which are 0 past the block's rows, with
    /// as many to work in.
    fn for_groups(
        &self,
        b: usize,
        w: &[f64],
        visit: impl FnMut(Range<usize>, usize, [&mut [f64]; 2]),
    ) {
        // To fill a large array would take longer than a small network's activations.
        if self.hidden() * self.inputs.block_stride(b) <= SMALL_GROUP {
            self.for_groups_in(&mut Scratch([0.0; 2 * SMALL_GROUP]).0, b, w, visit);
        } else {
            self.for_groups_in(&mut Scratch([0.0; 2 * GROUP]).0, b, w, visit);
        }
    }

    /// The same with room for two times a group's numbers.
    fn for_groups_in(
        &self,
        scratch: &mut [f64],
        b: usize,
        w: &[f64],
        mut visit: impl FnMut(Range<usize>, usize, [&mut [f64]; 2]),
    ) {
        let (z, sigma) = scratch.split_at_mut(scratch.len() / 2);
        let (d, stride) = (self.features(), self.inputs.block_stride(b));
        let units = z.len() / stride;
        for (group, weights) in w.chunks(units * d).enumerate() {
            let (first, count) = (group * units, weights.len() / d);
            let (z, sigma) = (&mut z[..count * stride], &mut sigma[..count * stride]);
            self.inputs.block_product(b, weights, z);
            visit(first..first + count, stride, [z, sigma]);
        }
    }
}

/// Row-major `inputs` as a matrix in blocks of rows.
fn blocks_of(inputs: &[f64], features: usize) -> RowBlocks {
    let mut blocks = RowBlocks::zeros(inputs.len() / features, features);
    for (e, x) in inputs.iter().enumerate() {
        blocks[(e / features, e % features)] = *x;
    }
    blocks
}

/// `out += sum_i factors_i columns_i`, columns `stride` apart, vectorized for the processor at hand; same
/// bits on every processor.
fn add_combination(out: &mut [f64], factors: &[f64], columns: &[f64], stride: usize) {
    pulp::Arch::new().dispatch(
        #[inline(always)]
        || {
            for (factor, column) in factors.iter().zip(columns.chunks_exact(stride)) {
                for (o, x) in out.iter_mut().zip(column) {
                    *o += factor * x;
                }
            }
        },
    );
}

/// Multiplies each column by its factor, vectorized likewise, and sets what lies past `rows` to zero.
fn scale_columns(columns: &mut [f64], factors: &[f64], stride: usize, rows: usize) {
    pulp::Arch::new().dispatch(
        #[inline(always)]
        || {
            for (factor, column) in factors.iter().zip(columns.chunks_exact_mut(stride)) {
                column.iter_mut().for_each(|x| *x *= factor);
                column[rows..].fill(0.0);
            }
        },
    );
}

/// `out += columns^2`, entry by entry, for each column, vectorized likewise.
fn add_squares(out: &mut [f64], columns: &[f64], stride: usize) {
    pulp::Arch::new().dispatch(
        #[inline(always)]
        || {
            for column in columns.chunks_exact(stride) {
                for (o, x) in out.iter_mut().zip(column) {
                    *o += x * x;
                }
            }
        },
    );
}

/// `out -= offset`, after the sum, so that f is exactly 0 where phi was taken.
fn subtract(out: &mut [f64], offset: &[f64]) {
    for (o, offset) in out.iter_mut().zip(offset) {
        *o -= offset;
    }
}

/// Refuses entries that are infinite or NaN.
fn require_finite(what: &'static str, values: &[f64]) -> Result<(), NetworkError> {
    match values.iter().enumerate().find(|(_, x)| !x.is_finite()) {
        Some((index, &value)) => Err(NetworkError::NonFinite { what, index, value }),
        None => Ok(()),
    }
}

impl<A: ActivationFunction> Residuals for Network<A> {
    fn parameters(&self) -> usize {
        self.hidden() * self.features()
    }

    fn outputs(&self) -> usize {
        self.inputs.rows()
    }

    fn value(&self, w: &[f64], out: &mut [f64]) -> Result<(), MapError> {
        self.check_shapes(w, out)?;
        self.evaluate(w, out);
        Ok(())
    }
}

impl<A: ActivationFunction> SmoothMap for Network<A> {
    type Jacobian = NetworkJacobian;

    fn new_jacobian(&self) -> NetworkJacobian {
        let (n, d) = (self.inputs.rows(), self.features());
        let by_row: Vec<f64> = (0..n * d).map(|e| self.inputs[(e / d, e % d)]).collect();
        NetworkJacobian::new(&by_row, d, self.hidden())
    }

    /// One pass: each unit's pre-activations give sigma, sigma' and, where C is kept, sigma'' together.
    fn linearize(
        &self,
        w: &[f64],
        value: &mut [f64],
        jacobian: &mut NetworkJacobian,
    ) -> Result<(), MapError> {
        self.check_shapes(w, value)?;
        let several = value.len() * self.hidden() >= PARALLEL;
        let ((first, squares), curvature) = jacobian.parts_mut();
        // Blocks of rows know nothing of each other: the bits are those of one thread.
        match (several, curvature) {
            (true, Some(curvature)) => value
                .par_chunks_mut(ROW_BLOCK)
                .zip(squares.par_chunks_mut(ROW_BLOCK))
                .zip(first.par_blocks_mut().zip(curvature.par_blocks_mut()))
                .enumerate()
                .for_each(|(b, ((value, squares), (s, c)))| {
                    self.linearize_block(b, w, value, (s, squares), Some(c));
                }),
            (true, None) => value
                .par_chunks_mut(ROW_BLOCK)
                .zip(squares.par_chunks_mut(ROW_BLOCK))
                .zip(first.par_blocks_mut())
                .enumerate()
                .for_each(|(b, ((value, squares), s))| {
                    self.linearize_block(b, w, value, (s, squares), None);
                }),
            (false, mut curvature) => {
                let rows = value.chunks_mut(ROW_BLOCK).zip(squares.chunks_mut(ROW_BLOCK));
                let mut curvatures = curvature.as_mut().map(|curvature| curvature.blocks_mut());
                for (b, ((value, squares), s)) in rows.zip(first.blocks_mut()).enumerate() {
                    let c = curvatures.as_mut().and_then(Iterator::next);
                    self.linearize_block(b, w, value, (s, squares), c);
                }
            }
        }
        Ok(())
    }

    fn second_order(&self) -> Option<&dyn SecondOrderMap<Jacobian = Self::Jacobian>> {
        Some(self)
    }
}
