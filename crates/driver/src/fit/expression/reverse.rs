//! Derivatives by reverse accumulation: backward over the tape, `bar(x) += bar(z) dz/dx` for `z = f(x, ..)`.
//!
//! One sweep gives the derivatives by all parameters (A. Griewank and A. Walther, "Evaluating Derivatives",
//! 2008, section 3.2). A factor that is exactly zero makes a product zero, whatever the other one is: where
//! `x = 0` in `(x / tau)^b`, the infinite slope of the power meets a base that tau does not move, and the row
//! does not depend on tau. Where the zero is a stationary point instead, as in `sqrt(a^2)` at `a = 0`, the
//! value may have a kink there, and 0 lies between the slopes on its sides.

use super::tape::{Binary, Node, Tape};

impl Tape {
    /// Adds the derivatives of the last entry by parameter k, for `length` rows, to `gradient[k * stride..]`.
    ///
    /// `values` is what [`Tape::forward`] wrote, `bars` the stack of adjoints, `wanted` what [`Tape::depends`] says:
    /// the sweep passes over entries that no wanted parameter moves.
    pub(super) fn reverse(
        &self,
        wanted: &[bool],
        (stride, length): (usize, usize),
        values: &[f64],
        bars: &mut Vec<f64>,
        gradient: &mut [f64],
    ) {
        let Some(last) = self.nodes.len().checked_sub(1) else { return };
        let of = |x: usize| &values[x * stride..][..length];
        bars.clear();
        bars.resize(length, 1.0);
        for i in (0..=last).rev().filter(|&i| wanted[i]) {
            let z = of(i);
            let mut operands = Operands { bars, length, wanted };
            match self.nodes[i] {
                Node::Constant(_) | Node::Column(_) => {}
                Node::Parameter(k) => {
                    let bar = bars.drain(bars.len() - length..);
                    gradient[k * stride..].iter_mut().zip(bar).for_each(|(out, bar)| *out += bar);
                }
                Node::Negate(_) => operands.one([z, z, z], |_| -1.0),
                Node::Unary(function, x) => {
                    operands.one([of(x), z, z], |[x, _, z]| function.slope(x, z));
                }
                // A constant, also at x = 0.
                Node::Whole(_, 0) => operands.one([z, z, z], |_| 0.0),
                Node::Whole(x, exponent) => {
                    let factor = f64::from(exponent);
                    operands.one([of(x), z, z], |[x, _, _]| factor * x.powi(exponent - 1));
                }
                Node::Binary(operator, x, y) => {
                    let at = [of(x), of(y), z];
                    // The frequent operations by name, so that each has a loop of its own.
                    match operator {
                        Binary::Add => operands.both([x, y], Binary::Add, at),
                        Binary::Subtract => operands.both([x, y], Binary::Subtract, at),
                        Binary::Multiply => operands.both([x, y], Binary::Multiply, at),
                        Binary::Divide => operands.both([x, y], Binary::Divide, at),
                        other => operands.both([x, y], other, at),
                    }
                }
            }
        }
    }
}

/// The stack of adjoints, that of the present entry on top.
struct Operands<'a> {
    bars: &'a mut Vec<f64>,
    length: usize,
    wanted: &'a [bool],
}

impl Operands<'_> {
    /// Replaces the adjoint on top by that of the only operand; `slope` is taken from the rows of `at`.
    fn one(&mut self, at: [&[f64]; 3], slope: impl Fn([f64; 3]) -> f64) {
        let top = self.bars.len() - self.length;
        scale(&mut self.bars[top..], at, slope);
    }

    /// Replaces the adjoint on top by those of the operands of `operator` that are wanted, the last on top;
    /// `at` are the operands and the value.
    #[inline]
    fn both(&mut self, [x, y]: [usize; 2], operator: Binary, at: [&[f64]; 3]) {
        let top = self.bars.len() - self.length;
        if self.wanted[x] && self.wanted[y] {
            self.bars.extend_from_within(top..);
            scale(&mut self.bars[top + self.length..], at, |at| operator.slope_by_second(at));
        }
        let bar = &mut self.bars[top..top + self.length];
        if self.wanted[x] {
            scale(bar, at, |at| operator.slope_by_first(at));
        } else {
            scale(bar, at, |at| operator.slope_by_second(at));
        }
    }
}

/// Multiplies adjoints by slopes, a factor of exactly zero making the product zero.
#[inline]
fn scale(bars: &mut [f64], at: [&[f64]; 3], slope: impl Fn([f64; 3]) -> f64) {
    let rows = at[0].iter().zip(at[1]).zip(at[2]);
    for (bar, ((&x, &y), &z)) in bars.iter_mut().zip(rows) {
        let slope = slope([x, y, z]);
        *bar = if *bar == 0.0 || slope == 0.0 { 0.0 } else { *bar * slope };
    }
}

impl Binary {
    /// `dz/dx` of `z = f(x, y)`.
    #[inline]
    fn slope_by_first(self, [x, y, z]: [f64; 3]) -> f64 {
        match self {
            Self::Add | Self::Subtract => 1.0,
            Self::Multiply => y,
            Self::Divide => 1.0 / y,
            // A constant, also at x = 0.
            Self::Power if y == 0.0 => 0.0,
            // y x^(y - 1) without a second power, where no digits are lost by it.
            Self::Power if x != 0.0 && z.is_normal() => y * (z / x),
            Self::Power => y * x.powf(y - 1.0),
            Self::Angle => y / x.hypot(y) / x.hypot(y),
            Self::Least | Self::Largest => share(x, y, z),
        }
    }

    /// `dz/dy` of `z = f(x, y)`.
    #[inline]
    fn slope_by_second(self, [x, y, z]: [f64; 3]) -> f64 {
        match self {
            Self::Add => 1.0,
            Self::Subtract => -1.0,
            Self::Multiply => x,
            Self::Divide => -(z / y),
            // 0^y is 0 for all y > 0. (It jumps at y = 0, where the slope on the right is taken.)
            Self::Power if x == 0.0 && y >= 0.0 => 0.0,
            // For x < 0 there is no power beside the whole exponents: NaN.
            Self::Power => z * x.ln(),
            Self::Angle => -(x / x.hypot(y) / x.hypot(y)),
            Self::Least | Self::Largest => share(y, x, z),
        }
    }
}

/// The slope of min or max by the argument `mine`: where both are equal, half.
#[expect(clippy::float_cmp, reason = "ties are exact, and the value is one of the arguments")]
fn share(mine: f64, other: f64, z: f64) -> f64 {
    if mine == other {
        0.5
    } else if mine == z {
        1.0
    } else {
        0.0
    }
}
