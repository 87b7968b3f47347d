//! The tape: an expression as a list of operations, each after its operands, evaluated in blocks of rows.
//!
//! Every value is used by one later operation, so that the list is a tree in postfix order: evaluation runs
//! through it forward, derivatives backward (`reverse.rs`), and no depth of nesting needs a stack.

use gaussflow::objective::Scalar;

use super::function::Unary;

/// Exponents up to this size that are whole constants are powers by multiplication (`f64::powi`), which is
/// faster than `f64::powf` and within a few units in the last place of it.
const LARGEST_WHOLE_EXPONENT: f64 = 16.0;

/// An operation of two arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Binary {
    Add,
    Subtract,
    Multiply,
    Divide,
    /// `x^y`.
    Power,
    /// `atan2(x, y)`.
    Angle,
    /// NaN where either is.
    Least,
    /// NaN where either is.
    Largest,
}

/// An entry of the tape; operands are the places of earlier entries.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Node {
    Constant(f64),
    Column(usize),
    Parameter(usize),
    Negate(usize),
    Unary(Unary, usize),
    /// The power of a whole constant.
    Whole(usize, i32),
    Binary(Binary, usize, usize),
}

impl Node {
    /// Its operands.
    pub(super) fn operands(self) -> [Option<usize>; 2] {
        match self {
            Self::Constant(_) | Self::Column(_) | Self::Parameter(_) => [None; 2],
            Self::Negate(x) | Self::Unary(_, x) | Self::Whole(x, _) => [Some(x), None],
            Self::Binary(_, x, y) => [Some(x), Some(y)],
        }
    }
}

/// An expression's operations in order; the last is its value.
#[derive(Clone, Debug, Default)]
pub(super) struct Tape {
    pub(super) nodes: Vec<Node>,
    /// Whether an entry changes from row to row.
    varies: Vec<bool>,
}

impl Tape {
    /// Appends an entry and returns its place.
    fn push(&mut self, node: Node) -> usize {
        let varies = matches!(node, Node::Column(_))
            || node.operands().into_iter().flatten().any(|operand| self.varies[operand]);
        self.nodes.push(node);
        self.varies.push(varies);
        self.nodes.len() - 1
    }

    pub(super) fn binary(&mut self, operator: Binary, x: usize, y: usize) -> usize {
        if let (Binary::Power, Node::Constant(exponent)) = (operator, self.nodes[y])
            && exponent.fract() == 0.0
            && exponent.abs() <= LARGEST_WHOLE_EXPONENT
        {
            self.truncate(y);
            #[expect(clippy::cast_possible_truncation, reason = "a whole number of at most 16")]
            return self.fold(Node::Whole(x, exponent as i32));
        }
        self.fold(Node::Binary(operator, x, y))
    }

    /// Appends an operation, or its value where all operands are constants; leaves are appended as they are.
    pub(super) fn fold(&mut self, node: Node) -> usize {
        let constant = |x: usize| match self.nodes[x] {
            Node::Constant(value) => Some(value),
            _ => None,
        };
        let value = match node {
            Node::Negate(x) => constant(x).map(|x| -x),
            Node::Unary(function, x) => constant(x).map(|x| function.at(x)),
            Node::Whole(x, exponent) => constant(x).map(|x| x.powi(exponent)),
            Node::Binary(operator, x, y) => {
                constant(x).zip(constant(y)).map(|(x, y)| operator.at(x, y))
            }
            Node::Constant(_) | Node::Column(_) | Node::Parameter(_) => None,
        };
        match (value, node.operands()) {
            (Some(value), [Some(first), _]) => {
                // In postfix order nothing but these operands stands from the first of them on.
                self.truncate(first);
                self.push(Node::Constant(value))
            }
            _ => self.push(node),
        }
    }

    fn truncate(&mut self, length: usize) {
        self.nodes.truncate(length);
        self.varies.truncate(length);
    }

    /// For each entry, whether it depends on one of the `wanted` parameters.
    pub(super) fn depends(&self, wanted: &[bool]) -> Vec<bool> {
        let mut depends: Vec<bool> = Vec::with_capacity(self.nodes.len());
        for node in &self.nodes {
            let own = matches!(node, Node::Parameter(k) if wanted[*k]);
            let inherited = node.operands().into_iter().flatten().any(|operand| depends[operand]);
            depends.push(own || inherited);
        }
        depends
    }

    /// Writes every entry's value for the rows of `block`: entry i to `values[i * stride..]`. Entries that do
    /// not vary are written at the `block` that says so alone, and stay.
    pub(super) fn forward<D: Scalar>(
        &self,
        block: &Block<'_>,
        parameters: &[D],
        stride: usize,
        values: &mut [D],
    ) {
        for (i, node) in self.nodes.iter().enumerate() {
            if !(self.varies[i] || block.is_first) {
                continue;
            }
            let (before, rest) = values.split_at_mut(i * stride);
            // A later block is no longer than the first.
            let out = &mut rest[..block.length];
            let of = |x: usize| &before[x * stride..][..block.length];
            match *node {
                Node::Constant(value) => out.fill(D::from(value)),
                Node::Parameter(k) => out.fill(parameters[k]),
                Node::Column(k) => {
                    let column = &block.columns[k][block.start..];
                    out.iter_mut().zip(column).for_each(|(out, &x)| *out = D::from(x));
                }
                Node::Negate(x) => each(of(x), out, |x| -x),
                Node::Unary(function, x) => each(of(x), out, |x| function.at(x)),
                Node::Whole(x, exponent) => each(of(x), out, |x| x.powi(exponent)),
                Node::Binary(operator, x, y) => {
                    let (x, y) = (of(x), of(y));
                    match operator {
                        Binary::Add => pairs(x, y, out, |x, y| x + y),
                        Binary::Subtract => pairs(x, y, out, |x, y| x - y),
                        Binary::Multiply => pairs(x, y, out, |x, y| x * y),
                        Binary::Divide => pairs(x, y, out, |x, y| x / y),
                        other => pairs(x, y, out, |x, y| other.at(x, y)),
                    }
                }
            }
        }
    }
}

/// Rows `start..start + length` of the data.
pub(super) struct Block<'a> {
    pub(super) columns: &'a [Vec<f64>],
    pub(super) start: usize,
    pub(super) length: usize,
    /// Whether no other block was evaluated before with these parameters.
    pub(super) is_first: bool,
}

impl Binary {
    /// The operation; over f64 the bits of the plain one.
    pub(super) fn at<D: Scalar>(self, x: D, y: D) -> D {
        match self {
            Self::Add => x + y,
            Self::Subtract => x - y,
            Self::Multiply => x * y,
            Self::Divide => x / y,
            Self::Power => x.powd(y),
            Self::Angle => x.atan2(y),
            // Written so that NaN comes through.
            Self::Least if x.re() < y.re() || x.re().is_nan() => x,
            Self::Largest if x.re() > y.re() || x.re().is_nan() => x,
            Self::Least | Self::Largest => y,
        }
    }
}

fn each<D: Scalar>(x: &[D], out: &mut [D], operation: impl Fn(D) -> D) {
    out.iter_mut().zip(x).for_each(|(out, &x)| *out = operation(x));
}

fn pairs<D: Scalar>(x: &[D], y: &[D], out: &mut [D], operation: impl Fn(D, D) -> D) {
    out.iter_mut().zip(x.iter().zip(y)).for_each(|(out, (&x, &y))| *out = operation(x, y));
}
