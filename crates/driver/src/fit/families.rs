//! The model library: families of curves, written out as expressions with named parameters.

use serde::Deserialize;

/// A family of curves in one predictor x.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Family {
    /// `sum_i height_i exp(-rate_i x) (+ offset)`; `terms` of them.
    Exponentials,
    /// `(a0 + a1 x + ...) / (1 + b1 x + ...)`; degrees `numerator` and `denominator`.
    Rational,
    /// `bottom + (top - bottom) / (1 + exp(-rate (x - middle)))`.
    Logistic,
    /// `factor x^exponent (+ offset)`, for x > 0.
    Power,
    /// The one-hidden-layer network on all columns.
    Network,
}

/// The numbers that a family's size needs.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// Terms of a sum of exponentials, at least 1.
    pub terms: usize,
    /// Degree of a rational function's numerator.
    pub numerator: usize,
    /// Degree of a rational function's denominator.
    pub denominator: usize,
}

/// Whether a constant is added.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Offset {
    /// No constant.
    #[default]
    None,
    /// A parameter called offset.
    Free,
}

impl Family {
    /// The expression in `x` and the names of its parameters; `None` for the network.
    pub fn expression(self, x: &str, size: Size, offset: Offset) -> Option<(String, Vec<String>)> {
        let mut names: Vec<String> = Vec::new();
        let mut text = match self {
            Self::Exponentials => {
                let terms = (1..=size.terms).map(|i| {
                    names.extend([format!("height{i}"), format!("rate{i}")]);
                    format!("height{i} * exp(-rate{i} * {x})")
                });
                terms.collect::<Vec<_>>().join(" + ")
            }
            Self::Rational => {
                let mut polynomial = |letter: char, degrees: std::ops::RangeInclusive<usize>| {
                    let terms = degrees.map(|degree| {
                        names.push(format!("{letter}{degree}"));
                        format!("{letter}{degree} * {x}^{degree}")
                    });
                    terms.collect::<Vec<_>>().join(" + ")
                };
                let above = polynomial('a', 0..=size.numerator);
                let below = polynomial('b', 1..=size.denominator);
                let plus = if below.is_empty() { "" } else { " + " };
                // x^0 is 1 also at x = 0, but not for the derivative's logarithm.
                format!("({}) / (1{plus}{below})", above.replace(&format!(" * {x}^0"), ""))
            }
            Self::Logistic => {
                names = ["bottom", "top", "rate", "middle"].map(str::to_owned).to_vec();
                format!("bottom + (top - bottom) / (1 + exp(-rate * ({x} - middle)))")
            }
            Self::Power => {
                names = ["factor", "exponent"].map(str::to_owned).to_vec();
                format!("factor * {x}^exponent")
            }
            Self::Network => return None,
        };
        if offset == Offset::Free {
            names.push("offset".to_owned());
            text.push_str(" + offset");
        }
        Some((text, names))
    }
}
