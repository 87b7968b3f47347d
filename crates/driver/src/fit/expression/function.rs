//! Functions of one argument: `y = f(x)` over any scalar of num-dual, and the slope `f'(x)`.
//!
//! Slopes are those of num-dual's dual numbers, except where its rule loses digits or is undefined at a limit:
//! there the closed form stands here.

use std::f64::consts::FRAC_2_SQRT_PI;

use num_dual::{Dual64, DualNum};

/// A scalar that a tape is evaluated over: f64 for values, dual numbers for derivatives.
pub(crate) trait Scalar: DualNum<Primitive = f64> + Copy {}
impl<D: DualNum<Primitive = f64> + Copy> Scalar for D {}

/// What can stand before a parenthesis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Function {
    /// One argument.
    One(Unary),
    /// Two arguments.
    Power,
    /// Two arguments: atan2(y, x).
    Angle,
    /// Two arguments or more.
    Least,
    /// Two arguments or more.
    Largest,
}

/// A function of one argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unary {
    Abs,
    Acos,
    Acosh,
    Asin,
    Asinh,
    Atan,
    Atanh,
    Cbrt,
    Cos,
    Cosh,
    Erf,
    Erfc,
    Exp,
    Expm1,
    Ln,
    Log10,
    Log1p,
    Log2,
    Sin,
    Sinh,
    Sqrt,
    Step,
    Tan,
    Tanh,
}

/// Every name of a function.
const NAMES: [(&str, Function); 29] = [
    ("abs", Function::One(Unary::Abs)),
    ("acos", Function::One(Unary::Acos)),
    ("acosh", Function::One(Unary::Acosh)),
    ("asin", Function::One(Unary::Asin)),
    ("asinh", Function::One(Unary::Asinh)),
    ("atan", Function::One(Unary::Atan)),
    ("atan2", Function::Angle),
    ("atanh", Function::One(Unary::Atanh)),
    ("cbrt", Function::One(Unary::Cbrt)),
    ("cos", Function::One(Unary::Cos)),
    ("cosh", Function::One(Unary::Cosh)),
    ("erf", Function::One(Unary::Erf)),
    ("erfc", Function::One(Unary::Erfc)),
    ("exp", Function::One(Unary::Exp)),
    ("expm1", Function::One(Unary::Expm1)),
    ("ln", Function::One(Unary::Ln)),
    ("log", Function::One(Unary::Ln)),
    ("log10", Function::One(Unary::Log10)),
    ("log1p", Function::One(Unary::Log1p)),
    ("log2", Function::One(Unary::Log2)),
    ("max", Function::Largest),
    ("min", Function::Least),
    ("pow", Function::Power),
    ("sin", Function::One(Unary::Sin)),
    ("sinh", Function::One(Unary::Sinh)),
    ("sqrt", Function::One(Unary::Sqrt)),
    ("step", Function::One(Unary::Step)),
    ("tan", Function::One(Unary::Tan)),
    ("tanh", Function::One(Unary::Tanh)),
];

impl Function {
    /// The function called `name`, and the name.
    pub(super) fn named(name: &str) -> Option<(&'static str, Self)> {
        NAMES.iter().find(|(known, _)| *known == name).copied()
    }

    /// Every name, for messages.
    pub(super) fn list() -> String {
        NAMES.map(|(name, _)| name).join(", ")
    }

    /// Fewest and most arguments, and both in words.
    pub(super) fn arity(self) -> (usize, usize, &'static str) {
        match self {
            Self::One(_) => (1, 1, "1"),
            Self::Power | Self::Angle => (2, 2, "2"),
            Self::Least | Self::Largest => (2, usize::MAX, "2 or more"),
        }
    }
}

impl Unary {
    /// `f(x)`; over f64 the bits of the plain operation.
    pub(super) fn at<D: Scalar>(self, x: D) -> D {
        match self {
            Self::Abs if x.re() < 0.0 => -x,
            Self::Abs => x,
            Self::Acos => x.acos(),
            Self::Acosh => x.acosh(),
            Self::Asin => x.asin(),
            Self::Asinh => x.asinh(),
            Self::Atan => x.atan(),
            Self::Atanh => x.atanh(),
            Self::Cbrt => x.cbrt(),
            Self::Cos => x.cos(),
            Self::Cosh => x.cosh(),
            Self::Erf => expand(x, libm::erf(x.re()), gauss(x.re())),
            Self::Erfc => expand(x, libm::erfc(x.re()), -gauss(x.re())),
            Self::Exp => x.exp(),
            Self::Expm1 => x.exp_m1(),
            Self::Ln => x.ln(),
            Self::Log10 => x.log10(),
            Self::Log1p => x.ln_1p(),
            Self::Log2 => x.log2(),
            Self::Sin => x.sin(),
            Self::Sinh => x.sinh(),
            Self::Sqrt => x.sqrt(),
            Self::Step if x.re().is_nan() => x,
            Self::Step => D::from(if x.re() >= 0.0 { 1.0 } else { 0.0 }),
            Self::Tan => x.tan(),
            Self::Tanh => x.tanh(),
        }
    }

    /// `f'(x)` where `f(x) = y`.
    pub(super) fn slope(self, x: f64, y: f64) -> f64 {
        match self {
            // The middle of the slopes on both sides.
            Self::Abs if x == 0.0 => 0.0,
            // Without the cancellation of 1 - x^2 near the ends.
            Self::Asin => ((1.0 - x) * (1.0 + x)).sqrt().recip(),
            Self::Acos => -((1.0 - x) * (1.0 + x)).sqrt().recip(),
            // Infinite at 0, where a quotient by x is 0 / 0.
            Self::Cbrt => 1.0 / (3.0 * y * y),
            Self::Sqrt => 0.5 / y,
            Self::Exp => y,
            // A quotient of sinh by cosh overflows beyond 710.
            Self::Tanh => x.cosh().powi(2).recip(),
            _ => self.at(Dual64::new(x, 1.0)).eps,
        }
    }
}

/// `erf'(x)`.
fn gauss(x: f64) -> f64 {
    FRAC_2_SQRT_PI * (-x * x).exp()
}

/// erf or erfc over dual numbers up to second order: `f + f' d - x f' d^2` with the nilpotent part d of x, since
/// `f'' = -2 x f'`.
fn expand<D: Scalar>(x: D, value: f64, slope: f64) -> D {
    if D::NDERIV == 0 {
        return D::from(value);
    }
    let part = x - x.re();
    part * part * (-x.re() * slope) + part * slope + value
}
