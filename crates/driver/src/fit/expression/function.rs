//! Functions of one argument: `y = f(x)` over any scalar of num-dual, and the slope `f'(x)`.
//!
//! Slopes are those of num-dual's dual numbers, except where its rule loses digits or is undefined at a limit:
//! there the closed form stands here.

use gaussflow::objective::{Scalar, erf, erfc};
use num_dual::Dual64;

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

macro_rules! unary {
    ($($name:literal => $function:ident: |$x:ident| $value:expr;)+) => {
        /// A function of one argument.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Unary {
            $($function),+
        }

        /// The functions of one argument, each by its name.
        const UNARY: &[(&str, Unary)] = &[$(($name, Unary::$function)),+];

        impl Unary {
            /// `f(x)`; over f64 the bits of the plain operation.
            pub(super) fn at<D: Scalar>(self, x: D) -> D {
                match self {
                    $(Self::$function => (|$x: D| $value)(x)),+
                }
            }
        }
    };
}

unary! {
    "abs" => Abs: |x| if x.re() < 0.0 { -x } else { x };
    "acos" => Acos: |x| x.acos();
    "acosh" => Acosh: |x| x.acosh();
    "asin" => Asin: |x| x.asin();
    "asinh" => Asinh: |x| x.asinh();
    "atan" => Atan: |x| x.atan();
    "atanh" => Atanh: |x| x.atanh();
    "cbrt" => Cbrt: |x| x.cbrt();
    "cos" => Cos: |x| x.cos();
    "cosh" => Cosh: |x| x.cosh();
    "erf" => Erf: |x| erf(x);
    "erfc" => Erfc: |x| erfc(x);
    "exp" => Exp: |x| x.exp();
    "expm1" => Expm1: |x| x.exp_m1();
    "ln" => Ln: |x| x.ln();
    "log10" => Log10: |x| x.log10();
    "log1p" => Log1p: |x| x.ln_1p();
    "log2" => Log2: |x| x.log2();
    "sin" => Sin: |x| x.sin();
    "sinh" => Sinh: |x| x.sinh();
    "sqrt" => Sqrt: |x| x.sqrt();
    "step" => Step: |x| if x.re().is_nan() { x } else { D::from(if x.re() >= 0.0 { 1.0 } else { 0.0 }) };
    "tan" => Tan: |x| x.tan();
    "tanh" => Tanh: |x| x.tanh();
}

/// The names that [`UNARY`] has not.
const OTHERS: [(&str, Function); 5] = [
    ("atan2", Function::Angle),
    ("log", Function::One(Unary::Ln)),
    ("max", Function::Largest),
    ("min", Function::Least),
    ("pow", Function::Power),
];

/// Every name of a function.
fn names() -> impl Iterator<Item = (&'static str, Function)> {
    UNARY.iter().map(|&(name, function)| (name, Function::One(function))).chain(OTHERS)
}

impl Function {
    /// The function called `name`, and the name.
    pub(super) fn named(name: &str) -> Option<(&'static str, Self)> {
        names().find(|(known, _)| *known == name)
    }

    /// Every name, for messages.
    pub(super) fn list() -> String {
        let mut names: Vec<&str> = names().map(|(name, _)| name).collect();
        names.sort_unstable();
        names.join(", ")
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
