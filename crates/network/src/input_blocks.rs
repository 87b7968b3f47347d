//! The blocks of rows of a network whose inputs are read where they are needed, and the constants of all its rows.
//!
//! A network and its Jacobian serve for all blocks of a size: the inputs in them are replaced. What depends on weights
//! alone stays, and of a nullified network `phi(w_init)`, one number an output.

use std::cell::RefCell;
use std::ops::Range;

use gaussflow_objective::{MapBlocks, Residuals, SmoothMap};
use gaussflow_solvers::{JacobianOperator, RowBlocks};

use crate::activation::{Activation, ActivationFunction};
use crate::architecture::Architecture;
use crate::jacobian::NetworkJacobian;
use crate::network::{Network, require_finite};
use crate::{InitialPoint, Initialization, NetworkError};

/// Reads rows of the inputs of a network: from a file, from memory, or by computing them.
///
/// # Examples
/// ```
/// use std::ops::Range;
///
/// use gaussflow_network::InputBlocks;
///
/// /// Angles on a circle, as two features.
/// struct Circle;
///
/// impl InputBlocks for Circle {
///     fn rows(&self) -> usize {
///         10_000_000
///     }
///     fn read(&self, rows: Range<usize>, inputs: &mut Vec<f64>) -> Result<(), String> {
///         inputs.clear();
///         inputs.extend(rows.flat_map(|j| [(j as f64).cos(), (j as f64).sin()]));
///         Ok(())
///     }
/// }
/// ```
pub trait InputBlocks {
    /// Returns the number of rows of inputs.
    fn rows(&self) -> usize;

    /// Replaces `inputs` by `rows`, row-major; the same rows must give the same numbers whenever they are read.
    ///
    /// # Errors
    /// Why they could not be read, in a sentence for the user.
    fn read(&self, rows: Range<usize>, inputs: &mut Vec<f64>) -> Result<(), String>;
}

/// Rows of inputs in a block, unless they are chosen: 120 blocks of [`RowBlocks`].
///
/// A Gram matrix has a cost for every block, about that of 300 rows whatever the shape, so that it is 2 % here. With 64 units
/// a block takes 10 MB.
pub const ROWS_OF_A_BLOCK: usize = 120 * RowBlocks::ROWS;

/// Operations that take as long as one activation with its derivative: 2 a multiply-add.
const ACTIVATION: f64 = 100.0;

/// Holds the network of one block of rows, its Jacobian, and which block it is.
struct Place<A> {
    network: Network<A>,
    jacobian: NetworkJacobian,
    held: usize,
}

/// Represents the blocks of rows of a [`Network`], whose inputs are read anew in every pass over the data; a
/// [`BlockedMap`](gaussflow_objective::BlockedMap) of it takes the place of the network.
///
/// # Cost
/// An opened block costs a read and a copy of its inputs. Memory: inputs, slopes and outputs of a block, and n numbers where
/// the network is nullified.
///
/// # Examples
/// ```
/// use std::ops::Range;
///
/// use gaussflow_network::{
///     Activation, Architecture, InitialPoint, Initialization, InputBlocks, NetworkBlocks,
/// };
/// use gaussflow_objective::{BlockedMap, Residuals};
///
/// struct Line;
/// impl InputBlocks for Line {
///     fn rows(&self) -> usize {
///         100_000
///     }
///     fn read(&self, rows: Range<usize>, inputs: &mut Vec<f64>) -> Result<(), String> {
///         inputs.clear();
///         inputs.extend(rows.map(|j| j as f64 / 1e5));
///         Ok(())
///     }
/// }
///
/// let architecture = Architecture::one_layer(4, Activation::Tanh);
/// let point = InitialPoint::draw_for(&architecture, Initialization::Nullified, 1, 0)?;
/// let blocks = NetworkBlocks::new(Box::new(Line), 1, &architecture, &point.signs)?;
/// let blocks = blocks.started_as(Initialization::Nullified, &point.weights)?;
/// let network = BlockedMap::new(blocks)?;
/// let mut output = vec![f64::NAN; 100_000];
/// network.value(&point.weights, &mut output)?;
/// assert!(output.iter().all(|x| *x == 0.0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct NetworkBlocks<A = Activation> {
    inputs: Box<dyn InputBlocks>,
    rows: usize,
    rows_of_block: usize,
    /// That of full blocks, and that of a shorter last one.
    places: Vec<Place<A>>,
    /// `phi(w_init)` of all outputs where it is nullified.
    offset: Vec<f64>,
    buffer: Vec<f64>,
    /// Why a constant of all rows could not be computed, for the next block that is opened.
    failure: RefCell<Option<String>>,
}

impl<A: ActivationFunction + Clone> NetworkBlocks<A> {
    /// Creates the network phi of an architecture on all rows of `inputs` (`features` numbers each), in blocks of 16,320 rows.
    ///
    /// `signs` are the output weights c, as for [`Network::with_architecture`].
    ///
    /// # Errors
    /// [`NetworkError`] as for [`Network::with_architecture`], and [`NetworkError::Unreadable`] where the first or the last
    /// rows cannot be read.
    pub fn new(
        inputs: Box<dyn InputBlocks>,
        features: usize,
        architecture: &Architecture<A>,
        signs: &[f64],
    ) -> Result<Self, NetworkError> {
        Self::with_rows_of_block(inputs, features, architecture, signs, ROWS_OF_A_BLOCK)
    }

    /// Creates the same in blocks of `rows_of_block` rows of inputs, of which 0 counts as 1.
    ///
    /// Results depend on this number by rounding only. A multiple of [`RowBlocks::ROWS`] leaves no part of a vector unused.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn with_rows_of_block(
        inputs: Box<dyn InputBlocks>,
        features: usize,
        architecture: &Architecture<A>,
        signs: &[f64],
        rows_of_block: usize,
    ) -> Result<Self, NetworkError> {
        let rows = inputs.rows();
        architecture.require_shapes(rows, features)?;
        let rows_of_block = rows_of_block.clamp(1, rows);
        let blocks = rows.div_ceil(rows_of_block);
        let (offset, buffer, failure) = (Vec::new(), Vec::new(), RefCell::default());
        let mut found =
            Self { inputs, rows, rows_of_block, places: Vec::new(), offset, buffer, failure };
        let shorter = (!rows.is_multiple_of(rows_of_block)).then(|| blocks - 1);
        for held in [Some(0), shorter.filter(|last| *last > 0)].into_iter().flatten() {
            found.fetch(held, features).map_err(|reason| NetworkError::Unreadable { reason })?;
            let (inputs, architecture) = (&found.buffer, architecture.clone());
            let network = Network::with_architecture(inputs, features, architecture, signs)?;
            let jacobian = if blocks == 1 {
                network.new_jacobian()
            } else {
                NetworkJacobian::over_varying(&network)
            };
            found.places.push(Place { network, jacobian, held });
        }
        Ok(found)
    }

    /// Creates the paper's network with the initialization `kind`, as [`Network::from_initial_point`] does.
    ///
    /// # Errors
    /// As [`Self::new`] and [`Self::started_as`].
    pub fn from_initial_point(
        kind: Initialization,
        inputs: Box<dyn InputBlocks>,
        features: usize,
        point: &InitialPoint,
        activation: A,
    ) -> Result<Self, NetworkError> {
        let architecture = Architecture::one_layer(point.signs.len(), activation);
        Self::new(inputs, features, &architecture, &point.signs)?.started_as(kind, &point.weights)
    }
}

impl<A: ActivationFunction> NetworkBlocks<A> {
    /// Applies the initialization `kind`, as [`Network::started_as`] does: nullifies the network at the drawn `weights` (length
    /// p), or leaves it as it is.
    ///
    /// # Cost
    /// One pass over the rows where it is nullified.
    ///
    /// # Errors
    /// As [`Network::nullified_at`], and [`NetworkError::Unreadable`].
    pub fn started_as(
        mut self,
        kind: Initialization,
        weights: &[f64],
    ) -> Result<Self, NetworkError> {
        let mut offset = Vec::new();
        self.take_offset(Vec::new());
        if kind == Initialization::Nullified {
            self.network().require_weights(weights)?;
            offset.resize(self.rows * self.network().outputs_of_a_row(), 0.0);
            for block in 0..self.blocks() {
                let outputs = self.outputs(block);
                let (network, _) =
                    self.open(block).map_err(|reason| NetworkError::Unreadable { reason })?;
                network.evaluate(weights, &mut offset[outputs]);
            }
        }
        self.take_offset(offset);
        Ok(self)
    }

    /// Subtracts `offset` from the outputs, or nothing where it is empty.
    fn take_offset(&mut self, offset: Vec<f64>) {
        self.offset = offset;
        for place in &mut self.places {
            place.take_offset(&self.offset, self.rows_of_block);
        }
    }

    /// Returns the network on the rows of a block that was read before: architecture, signs and shapes are those of all rows.
    pub fn network(&self) -> &Network<A> {
        // There is at least one.
        &self.places[0].network
    }

    /// Keeps why the constants of all rows are not known.
    pub(crate) fn keep_failure(&self, reason: String) {
        self.failure.borrow_mut().get_or_insert(reason);
    }

    /// Shows `visit` the inputs of all rows, a block at a time, row-major.
    pub(crate) fn for_inputs(&self, mut visit: impl FnMut(&[f64])) -> Result<(), String> {
        let mut buffer = Vec::new();
        for block in 0..self.blocks() {
            let features = self.network().features();
            read_block(self.inputs.as_ref(), self.rows_of(block), features, &mut buffer)?;
            visit(&buffer);
        }
        Ok(())
    }

    /// The rows of inputs of a block.
    fn rows_of(&self, block: usize) -> Range<usize> {
        block * self.rows_of_block..((block + 1) * self.rows_of_block).min(self.rows)
    }

    /// Reads the inputs of a block into the buffer.
    fn fetch(&mut self, block: usize, features: usize) -> Result<(), String> {
        let rows = self.rows_of(block);
        read_block(self.inputs.as_ref(), rows, features, &mut self.buffer)
    }
}

/// Reads rows and refuses another number of entries, or entries that are not finite.
fn read_block(
    inputs: &dyn InputBlocks,
    rows: Range<usize>,
    features: usize,
    buffer: &mut Vec<f64>,
) -> Result<(), String> {
    let (Range { start, end }, expected) = (rows.clone(), rows.len() * features);
    inputs.read(rows, buffer)?;
    if buffer.len() != expected {
        let found = buffer.len();
        return Err(format!(
            "rows {start} to {end} gave {found} numbers; give {expected}, {features} a row"
        ));
    }
    require_finite("a number", buffer)
        .map_err(|error| format!("{error} of rows {start} to {end}; replace it by a finite number"))
}

impl<A: ActivationFunction> Place<A> {
    /// Gives the network its part of `phi(w_init)` of all outputs, zeros where there is none.
    fn take_offset(&mut self, offset: &[f64], rows_of_block: usize) {
        let first = self.held * rows_of_block * self.network.outputs_of_a_row();
        self.network.replace_offset(offset.get(first..).unwrap_or_default());
    }
}

impl<A: ActivationFunction> MapBlocks for NetworkBlocks<A> {
    type Map = Network<A>;

    fn parameters(&self) -> usize {
        self.network().parameters()
    }

    fn blocks(&self) -> usize {
        self.rows.div_ceil(self.rows_of_block)
    }

    fn outputs(&self, block: usize) -> Range<usize> {
        let (rows, o) = (self.rows_of(block), self.network().outputs_of_a_row());
        rows.start * o..rows.end * o
    }

    fn open(&mut self, block: usize) -> Result<(&Network<A>, &mut NetworkJacobian), String> {
        if let Some(reason) = self.failure.get_mut().take() {
            return Err(reason);
        }
        let features = self.network().features();
        let last = block + 1 == self.blocks();
        // The shorter last block has a place of its own, which keeps it.
        let which = if last { self.places.len() - 1 } else { 0 };
        if self.places[which].held != block {
            self.fetch(block, features)?;
            let place = &mut self.places[which];
            place.network.replace_inputs(&self.buffer);
            place.held = block;
            place.jacobian.take_inputs(place.network.inputs());
            place.take_offset(&self.offset, self.rows_of_block);
        }
        let Place { network, jacobian, .. } = &mut self.places[which];
        Ok((network, jacobian))
    }

    fn gram_operations(&self) -> f64 {
        let full = (self.blocks() + 1 - self.places.len()) as f64;
        let counts = self.places.iter().zip([full, 1.0]);
        counts.map(|(place, times)| times * place.jacobian.gram_operations()).sum()
    }

    /// Activations forward, and sums forward and, beyond the first layer, backward.
    fn linearization_operations(&self) -> f64 {
        let network = self.network();
        let units: usize = network.hidden_widths().sum();
        let sums = network.places().iter().enumerate();
        let sums: usize =
            sums.map(|(l, place)| (1 + usize::from(l > 0)) * place.units * place.length).sum();
        let of_row = ACTIVATION * units as f64 + 2.0 * sums as f64;
        of_row * self.rows as f64 * network.outputs_of_a_row() as f64
    }
}
