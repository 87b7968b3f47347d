//! A model as an arithmetic expression of columns and parameters, with derivatives by reverse accumulation.
//!
//! The folder, in the order of what happens: `token.rs` splits the text, `parse.rs` makes a `tape.rs` of
//! `function.rs`'s functions, `reverse.rs` differentiates it. Nothing here recurses.

mod error;
mod function;
mod parse;
mod reverse;
mod tape;
#[cfg(test)]
mod tests;
mod token;

use gaussflow::objective::{
    ExactDerivatives, GenericResiduals, MapError, Residuals, Scalar, SecondOrderMap, SmoothMap,
    linearize_beside_bounds, require_length,
};
use gaussflow::solvers::DenseJacobian;
use gaussflow::solvers::faer::MatMut;

pub use error::ExpressionError;
pub(super) use error::listed;
pub use parse::Names;
pub use token::{MOST_CHARACTERS, MOST_NESTED, MOST_WORDS};

use tape::{Block, Node, Tape};

/// Numbers that the values of a block of rows may have, so that they stay in the cache.
const BLOCK: usize = 1 << 17;

/// `expression(columns, parameters) - response` on the rows of a data set.
///
/// Operators are `+ - * / ^` (also `**`), with the precedence of Python. Functions: `exp`, `ln` = `log`, `log10`,
/// `log2`, `log1p`, `expm1`, `sqrt`, `cbrt`, `pow`, `abs`, `min`, `max`, `step` (1 from 0 on, 0 below), `erf`, `erfc`,
/// and the circular and hyperbolic functions with their inverses and `atan2`. Constants: `pi`, `PI`, `e`.
///
/// A name before a parenthesis is a function; elsewhere it is a column, a parameter or a constant, in this order. A
/// column of any other name stands between backquotes.
///
/// # Cost
/// A value takes one pass over the expression, a Jacobian two to four times as much, whatever the number of
/// parameters; rows are evaluated in blocks.
///
/// # Derivatives at limits
/// `x^c` at `x = 0`: by c, 0 for `c >= 0`; by x, 0 for `c > 1` and `c = 0`, 1 for `c = 1`, infinite for `0 < c < 1`.
/// `abs` at 0 has slope 0, `min` and `max` of equal arguments half the slope of each, `step` 0 everywhere,
/// `sqrt` and `cbrt` at 0 an infinite one. Zero times infinity is zero in the chain rule.
#[derive(Clone, Debug)]
pub struct ExpressionModel {
    tape: Tape,
    /// Whether an entry of the tape depends on a parameter that is not held.
    wanted: Vec<bool>,
    parameters: usize,
    /// The columns that occur, each of length n.
    columns: Vec<Vec<f64>>,
    /// Their places among the data's columns.
    used: Vec<usize>,
    response: Vec<f64>,
}

impl ExpressionModel {
    /// Reads `text`, to be fitted to `response` (length n) on `data` (row-major, n x columns).
    pub fn new(
        text: &str,
        names: Names<'_>,
        data: &[f64],
        response: Vec<f64>,
    ) -> Result<Self, ExpressionError> {
        let mut tape = parse::parse(text, names)?;
        let (mut used, mut places) = (Vec::new(), vec![None; names.columns.len()]);
        for node in &mut tape.nodes {
            if let Node::Column(k) = node {
                let place = *places[*k].get_or_insert_with(|| {
                    used.push(*k);
                    used.len() - 1
                });
                *node = Node::Column(place);
            }
        }
        let width = names.columns.len().max(1);
        let columns =
            used.iter().map(|&k| data.iter().skip(k).step_by(width).copied().collect()).collect();
        let parameters = names.parameters.len();
        let wanted = tape.depends(&vec![true; parameters]);
        Ok(Self { tape, wanted, parameters, columns, used, response })
    }

    /// Takes the parameters that are `held` (length p) for constants: their columns of the Jacobian are 0.
    #[must_use]
    pub fn with_held(mut self, held: &[bool]) -> Self {
        let free: Vec<bool> = held.iter().map(|held| !held).collect();
        self.wanted = self.tape.depends(&free);
        self
    }

    /// The places of the data's columns that occur, in the order in which they do.
    pub fn columns(&self) -> &[usize] {
        &self.used
    }

    /// Rows that are evaluated at once.
    fn block(&self) -> usize {
        (BLOCK / self.tape.nodes.len().max(1)).clamp(8, 128).min(self.response.len())
    }

    /// Shows the values of each block of rows to `see`.
    fn blocks<D: Scalar>(&self, w: &[D], mut see: impl FnMut(&Block<'_>, &[D])) {
        let (n, stride) = (self.response.len(), self.block());
        let mut values = vec![D::from(0.0); stride * self.tape.nodes.len()];
        for start in (0..n).step_by(stride.max(1)) {
            let length = stride.min(n - start);
            let block = Block { columns: &self.columns, start, length, is_first: start == 0 };
            self.tape.forward(&block, w, stride, &mut values);
            see(&block, &values);
        }
    }

    /// The last entry of `values` minus the response.
    fn write<D: Scalar>(&self, block: &Block<'_>, values: &[D], out: &mut [D]) {
        let rows = block.start..block.start + block.length;
        let last = &values[values.len() - self.block()..];
        let pairs = last.iter().zip(&self.response[rows.clone()]);
        out[rows].iter_mut().zip(pairs).for_each(|(out, (&z, &y))| *out = z - y);
    }
}

impl GenericResiduals for ExpressionModel {
    fn parameters(&self) -> usize {
        self.parameters
    }

    fn outputs(&self) -> usize {
        self.response.len()
    }

    fn residuals<D: Scalar>(&self, w: &[D], out: &mut [D]) {
        self.blocks(w, |block, values| self.write(block, values, out));
    }
}

impl Residuals for ExpressionModel {
    fn parameters(&self) -> usize {
        self.parameters
    }

    fn outputs(&self) -> usize {
        self.response.len()
    }

    fn value(&self, w: &[f64], out: &mut [f64]) -> Result<(), MapError> {
        ExactDerivatives::new(self).value(w, out)
    }
}

impl SmoothMap for ExpressionModel {
    type Jacobian = DenseJacobian;

    fn new_jacobian(&self) -> DenseJacobian {
        DenseJacobian::zeros(self.response.len(), self.parameters)
    }

    fn linearize(
        &self,
        w: &[f64],
        value: &mut [f64],
        jacobian: &mut DenseJacobian,
    ) -> Result<(), MapError> {
        require_length("w", w, self.parameters)?;
        require_length("the output", value, self.response.len())?;
        let stride = self.block();
        let mut bars = Vec::new();
        let mut gradient = vec![0.0; stride * self.parameters];
        let mut matrix = jacobian.matrix_mut();
        self.blocks(w, |block, values| {
            self.write(block, values, value);
            let shape = (stride, block.length);
            gradient.fill(0.0);
            self.tape.reverse(&self.wanted, shape, values, &mut bars, &mut gradient);
            for k in 0..self.parameters {
                for row in 0..block.length {
                    matrix[(block.start + row, k)] = gradient[k * stride + row];
                }
            }
        });
        Ok(())
    }

    fn linearize_within(
        &self,
        w: &[f64],
        lower: &[f64],
        upper: &[f64],
        value: &mut [f64],
        jacobian: &mut DenseJacobian,
    ) -> Result<(), MapError> {
        linearize_beside_bounds(self, w, (lower, upper), value, jacobian)
    }

    fn second_order(&self) -> Option<&dyn SecondOrderMap<Jacobian = DenseJacobian>> {
        Some(self)
    }
}

impl SecondOrderMap for ExpressionModel {
    fn second_derivative(
        &self,
        w: &[f64],
        jacobian: &DenseJacobian,
        u: &[f64],
        v: &[f64],
        out: &mut [f64],
    ) -> Result<(), MapError> {
        ExactDerivatives::new(self).second_derivative(w, jacobian, u, v, out)
    }

    fn weighted_hessian_apply(
        &self,
        w: &[f64],
        jacobian: &DenseJacobian,
        weights: &[f64],
        v: &[f64],
        out: &mut [f64],
    ) -> Result<(), MapError> {
        ExactDerivatives::new(self).weighted_hessian_apply(w, jacobian, weights, v, out)
    }

    fn weighted_hessian(
        &self,
        w: &[f64],
        jacobian: &DenseJacobian,
        weights: &[f64],
        out: MatMut<'_, f64>,
    ) -> Result<(), MapError> {
        ExactDerivatives::new(self).weighted_hessian(w, jacobian, weights, out)
    }
}
