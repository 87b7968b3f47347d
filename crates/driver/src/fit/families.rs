//! The model library: families of curves, written out as expressions with named parameters.

use serde::Deserialize;

use super::problem::{Problem, ProblemError};

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
    /// `factor x^exponent (+ offset)`, for x >= 0.
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

impl Size {
    /// As the file says; 1 each where it says nothing.
    pub fn of(problem: &Problem) -> Result<Self, ProblemError> {
        let model = &problem.model;
        if let Some(terms) = model.terms.as_ref().filter(|terms| *terms.get_ref() == 0) {
            return Err(problem.refuse("[model] terms", terms, "1 or more".to_owned()));
        }
        let size =
            |given: &Option<toml::Spanned<usize>>| given.as_ref().map_or(1, |n| *n.get_ref());
        Ok(Self {
            terms: size(&model.terms),
            numerator: size(&model.numerator),
            denominator: size(&model.denominator),
        })
    }

    /// How many parameters a family of this size has, and what the file says about it: key and value, and the
    /// byte (`start`, the family's own, where it says nothing). Counted in f64, which no size overflows.
    pub fn parameters(
        self,
        problem: &Problem,
        family: Family,
        start: usize,
    ) -> (f64, (String, usize)) {
        let (terms, above, below) =
            (self.terms as f64, self.numerator as f64, self.denominator as f64);
        let model = &problem.model;
        let (count, key, written) = match family {
            Family::Exponentials => (2.0 * terms, "terms", &model.terms),
            Family::Rational if above > below => {
                (1.0 + above + below, "numerator", &model.numerator)
            }
            Family::Rational => (1.0 + above + below, "denominator", &model.denominator),
            Family::Logistic => (4.0, "family", &None),
            Family::Power | Family::Network => (2.0, "family", &None),
        };
        let place = match written {
            Some(n) => (format!("[model] {key} = {}", n.get_ref()), n.span().start),
            None => ("[model] family".to_owned(), start),
        };
        (count + f64::from(u8::from(problem.model.offset == Offset::Free)), place)
    }
}

impl Family {
    /// The expression in `x` and the names of its parameters; `None` for the network.
    pub fn expression(self, x: &str, size: Size, offset: Offset) -> Option<(String, Vec<String>)> {
        let mut names: Vec<String> = Vec::new();
        let plain = |c: char| c.is_alphanumeric() || c == '_';
        let x = if x.chars().all(plain) && !x.starts_with(|c: char| c.is_numeric()) {
            x.to_owned()
        } else {
            format!("`{x}`")
        };
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
                        let name = format!("{letter}{degree}");
                        names.push(name.clone());
                        if degree == 0 { name } else { format!("{name} * {x}^{degree}") }
                    });
                    terms.collect::<Vec<_>>().join(" + ")
                };
                let above = polynomial('a', 0..=size.numerator);
                let below = polynomial('b', 1..=size.denominator);
                let plus = if below.is_empty() { "" } else { " + " };
                format!("({above}) / (1{plus}{below})")
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
