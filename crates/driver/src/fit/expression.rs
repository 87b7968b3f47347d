//! A model as an arithmetic expression of columns and parameters, with symbolic derivatives by exmex.
//!
//! The text is checked here first, token by token, so that a complaint has a position; a minus sign in front
//! binds weaker than a power, as on paper: `-x^2 = -(x^2)`.

use exmex::prelude::*;
use gaussflow::objective::{MapError, Residuals, SmoothMap};
use gaussflow::solvers::DenseJacobian;

/// Functions of one argument.
const FUNCTIONS: [&str; 15] = [
    "exp", "ln", "log10", "log2", "sqrt", "cbrt", "sin", "cos", "tan", "asin", "acos", "atan",
    "sinh", "cosh", "tanh",
];
/// Constants.
const CONSTANTS: [(&str, &str); 2] = [("pi", "PI"), ("PI", "PI")];

/// What is wrong with an expression, and at which character (from 1).
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ExpressionError {
    /// A character that no expression has.
    #[error("character {at}: {found:?} is not accepted; accepted: numbers, names, + - * / ^ ( )")]
    Character {
        /// The position.
        at: usize,
        /// The character.
        found: char,
    },
    /// A name that is neither a column, a parameter, a function nor a constant.
    #[error(
        "character {at}: unknown name {name}; the columns are {}, the parameters {}; functions: {}",
        columns.join(", "), parameters.join(", "), FUNCTIONS.join(", ")
    )]
    Name {
        /// The position.
        at: usize,
        /// The name.
        name: String,
        /// The data's columns.
        columns: Vec<String>,
        /// The parameters.
        parameters: Vec<String>,
    },
    /// Something else was expected.
    #[error("character {at}: {expected} expected, {found} found")]
    Expected {
        /// The position.
        at: usize,
        /// What should stand there.
        expected: &'static str,
        /// What does.
        found: String,
    },
    /// A parameter that the expression does not have.
    #[error("parameter {name} does not occur in the expression")]
    Unused {
        /// The parameter.
        name: String,
    },
    /// The parser's own complaint.
    #[error("{0}")]
    Parser(String),
}

/// `expression(columns, parameters) - response` on the rows of a data set.
#[derive(Clone, Debug)]
pub struct ExpressionModel {
    value: exmex::FlatEx<f64>,
    slopes: Vec<exmex::FlatEx<f64>>,
    /// For each variable of the expressions, in their order.
    sources: Vec<Source>,
    /// Row-major n x columns.
    data: Vec<f64>,
    columns: usize,
    response: Vec<f64>,
}

/// Where a variable's value comes from.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Source {
    Column(usize),
    Parameter(usize),
}

impl ExpressionModel {
    /// Reads `text` in `parameters` and the `columns` of `data` (row-major), to be fitted to `response` (length n).
    ///
    /// # Errors
    /// [`ExpressionError`].
    pub fn new(
        text: &str,
        columns: &[String],
        parameters: &[String],
        data: Vec<f64>,
        response: Vec<f64>,
    ) -> Result<Self, ExpressionError> {
        let plain = checked(text, columns, parameters)?;
        let complain = |error: exmex::ExError| ExpressionError::Parser(error.to_string());
        let value = exmex::parse::<f64>(&plain).map_err(complain)?;
        let mut sources = Vec::new();
        for name in value.var_names() {
            let parameter = parameters.iter().position(|known| known == name);
            let column = columns.iter().position(|known| known == name);
            match (parameter, column) {
                (Some(k), _) => sources.push(Source::Parameter(k)),
                (None, Some(k)) => sources.push(Source::Column(k)),
                (None, None) => return Err(ExpressionError::Parser(format!("{name} is unknown"))),
            }
        }
        let mut slopes = Vec::new();
        for (k, name) in parameters.iter().enumerate() {
            let place = sources.iter().position(|source| *source == Source::Parameter(k));
            let place = place.ok_or_else(|| ExpressionError::Unused { name: name.clone() })?;
            let slope = value.clone().partial(place).map_err(complain)?;
            if slope.var_names() != value.var_names() {
                let reason = format!("the derivative by {name} has other variables");
                return Err(ExpressionError::Parser(reason));
            }
            slopes.push(slope);
        }
        Ok(Self { value, slopes, sources, data, columns: columns.len(), response })
    }

    /// Writes the variables of row `j` at parameters `w`.
    fn fill(&self, w: &[f64], j: usize, variables: &mut [f64]) {
        for (variable, source) in variables.iter_mut().zip(&self.sources) {
            *variable = match *source {
                Source::Column(k) => self.data[j * self.columns + k],
                Source::Parameter(k) => w[k],
            };
        }
    }
}

/// The evaluator's complaint as one of the map.
fn undefined(error: &exmex::ExError) -> MapError {
    MapError::Undefined { reason: error.to_string() }
}

impl Residuals for ExpressionModel {
    fn parameters(&self) -> usize {
        self.slopes.len()
    }

    fn outputs(&self) -> usize {
        self.response.len()
    }

    fn value(&self, w: &[f64], out: &mut [f64]) -> Result<(), MapError> {
        let mut variables = vec![0.0; self.sources.len()];
        for (j, (o, y)) in out.iter_mut().zip(&self.response).enumerate() {
            self.fill(w, j, &mut variables);
            *o = self.value.eval(&variables).map_err(|error| undefined(&error))? - y;
        }
        Ok(())
    }
}

impl SmoothMap for ExpressionModel {
    type Jacobian = DenseJacobian;

    fn new_jacobian(&self) -> DenseJacobian {
        DenseJacobian::zeros(self.outputs(), self.parameters())
    }

    fn linearize(
        &self,
        w: &[f64],
        value: &mut [f64],
        jacobian: &mut DenseJacobian,
    ) -> Result<(), MapError> {
        self.value(w, value)?;
        let mut variables = vec![0.0; self.sources.len()];
        let mut matrix = jacobian.matrix_mut();
        for j in 0..self.response.len() {
            self.fill(w, j, &mut variables);
            for (k, slope) in self.slopes.iter().enumerate() {
                matrix[(j, k)] = slope.eval(&variables).map_err(|error| undefined(&error))?;
            }
        }
        Ok(())
    }
}

/// Checks the text and writes it for exmex, whose minus sign binds tighter than its power.
fn checked(
    text: &str,
    columns: &[String],
    parameters: &[String],
) -> Result<String, ExpressionError> {
    let characters: Vec<char> = text.chars().collect();
    let mut plain = String::new();
    let mut open = Vec::new();
    // A minus in front of a factor opens a parenthesis that the factor's end closes; by depth.
    let mut wants_operand = true;
    let mut previous = ' ';
    let mut place = 0;
    let expected = |at: usize, expected, found: Option<&char>| ExpressionError::Expected {
        at: at + 1,
        expected,
        found: found.map_or("the end".to_owned(), |c| format!("{c:?}")),
    };
    while place < characters.len() {
        let (at, c) = (place, characters[place]);
        place += 1;
        if c.is_whitespace() {
            continue;
        }
        let starts_operand = c.is_ascii_alphanumeric() || c == '_' || c == '.' || c == '(';
        if starts_operand && !wants_operand {
            return Err(expected(at, "an operator", Some(&c)));
        }
        if c.is_ascii_digit() || c == '.' {
            let end = number_end(&characters, at);
            let number: String = characters[at..end].iter().collect();
            let value: f64 = number.parse().map_err(|_| expected(at, "a number", Some(&c)))?;
            // exmex reads no exponents: plain decimals, which are exact.
            plain.push_str(&value.to_string());
            place = end;
            wants_operand = false;
        } else if c.is_ascii_alphabetic() || c == '_' {
            let rest = characters[at..].iter();
            let end = at + rest.take_while(|c| c.is_ascii_alphanumeric() || **c == '_').count();
            let name: String = characters[at..end].iter().collect();
            place = end;
            let known = columns.contains(&name) || parameters.contains(&name);
            let next = characters[end..].iter().find(|c| !c.is_whitespace());
            if known {
                // Braces keep exmex from reading a name as one of its operators.
                plain.extend(["{", &name, "}"]);
                wants_operand = false;
            } else if let Some((_, constant)) = CONSTANTS.iter().find(|(word, _)| *word == name) {
                plain.push_str(constant);
                wants_operand = false;
            } else if FUNCTIONS.contains(&name.as_str()) {
                if next != Some(&'(') {
                    return Err(expected(end, "( after a function", next));
                }
                plain.push_str(&name);
            } else {
                let (columns, parameters) = (columns.to_vec(), parameters.to_vec());
                return Err(ExpressionError::Name { at: at + 1, name, columns, parameters });
            }
        } else {
            match c {
                '(' => {
                    open.push(at);
                    plain.push('(');
                }
                ')' => {
                    if wants_operand || open.pop().is_none() {
                        return Err(expected(at, "a number, name or function", Some(&c)));
                    }
                    plain.push(')');
                }
                '+' | '-' if wants_operand => {
                    if !(previous == ' ' || previous == '(') {
                        return Err(expected(
                            at,
                            "an operand (put signs in parentheses)",
                            Some(&c),
                        ));
                    }
                    plain.push_str(if c == '-' { "0-" } else { "0+" });
                }
                '+' | '-' | '*' | '/' | '^' => {
                    if wants_operand {
                        return Err(expected(at, "a number, name or function", Some(&c)));
                    }
                    plain.push(c);
                    wants_operand = true;
                }
                found => return Err(ExpressionError::Character { at: at + 1, found }),
            }
        }
        previous = c;
    }
    if let Some(at) = open.pop() {
        return Err(expected(characters.len(), "a closing parenthesis", None).opened_at(at));
    }
    if wants_operand {
        return Err(expected(characters.len(), "a number, name or function", None));
    }
    Ok(plain)
}

impl ExpressionError {
    /// Says where the parenthesis that is missing its partner stands.
    fn opened_at(self, at: usize) -> Self {
        match self {
            Self::Expected { expected, found, .. } => {
                Self::Expected { at: at + 1, expected, found }
            }
            other => other,
        }
    }
}

/// One past the last character of the number that begins at `start`.
fn number_end(characters: &[char], start: usize) -> usize {
    let mut end = start;
    while end < characters.len() {
        let c = characters[end];
        let exponent = matches!(c, 'e' | 'E')
            && characters.get(end + 1).is_some_and(|next| {
                next.is_ascii_digit()
                    || (matches!(next, '+' | '-')
                        && characters.get(end + 2).is_some_and(char::is_ascii_digit))
            });
        if exponent {
            end += 2;
        } else if c.is_ascii_digit() || c == '.' {
            end += 1;
        } else {
            break;
        }
    }
    end
}

#[cfg(test)]
mod tests {
    use super::{ExpressionError, ExpressionModel};
    use gaussflow::objective::{Residuals, check_jacobian};

    fn model(text: &str, parameters: &[&str]) -> Result<ExpressionModel, ExpressionError> {
        let parameters: Vec<String> = parameters.iter().map(|&p| p.to_owned()).collect();
        let data = vec![-1.5, 0.5, 2.0];
        ExpressionModel::new(text, &["x".to_owned()], &parameters, data, vec![0.0; 3])
    }

    #[test]
    fn values_follow_the_rules_of_arithmetic() {
        let value = |text: &str| {
            let mut out = [0.0; 3];
            model(text, &["a"]).unwrap().value(&[3.0], &mut out).unwrap();
            out
        };
        let expect = |f: fn(f64) -> f64| [-1.5, 0.5, 2.0].map(f);
        let close = |found: [f64; 3], right: [f64; 3]| {
            found.iter().zip(right).all(|(a, b)| (a - b).abs() <= 1e-14 * b.abs())
        };
        assert!(close(value("-x^2 * a"), expect(|x| -x * x * 3.0)));
        assert!(close(value("a*exp(-x^2/2)"), expect(|x| 3.0 * (-x * x / 2.0).exp())));
        assert!(close(
            value("a / 2 / x - 1e-3*pi"),
            expect(|x| 1.5 / x - 1e-3 * std::f64::consts::PI)
        ));
        assert!(close(value("2^3 + a - 1 - x"), expect(|x| 8.0 + 3.0 - 1.0 - x)));
        assert!(close(value("a*(-x)"), expect(|x| -3.0 * x)));
    }

    #[test]
    fn derivatives_pass_the_checker() {
        for text in [
            "a*exp(-b*x) + c",
            "(a + b*x + c*x^2) / (1 + b^2*x^2)",
            "a / (1 + exp(-(x - b)/c))",
            "a*sin(b*x)^2 + ln(c) + sqrt(a + x^2)",
            "a*atan(b*x) + tanh(c*x) + 10^(b/3) - (x^2)^c",
        ] {
            let model = model(text, &["a", "b", "c"]).unwrap();
            let check = check_jacobian(&model, &[1.3, 0.7, 0.9], &[0.3, -0.2, 0.1]).unwrap();
            assert!(check.passed(), "{text}: {check}");
        }
    }

    #[test]
    fn complaints_have_a_position() {
        let place = |text: &str| match model(text, &["a"]).err() {
            Some(
                ExpressionError::Character { at, .. }
                | ExpressionError::Name { at, .. }
                | ExpressionError::Expected { at, .. },
            ) => at,
            other => panic!("{text}: {other:?}"),
        };
        assert_eq!(place("a * x $ 2"), 7);
        assert_eq!(place("a * xx"), 5);
        assert_eq!(place("a * (x + 1"), 5);
        assert_eq!(place("a * * x"), 5);
        assert_eq!(place("a x"), 3);
        // Where the bracket is missing.
        assert_eq!(place("exp a"), 4);
        assert_eq!(place("a *"), 4);
        assert_eq!(place("a + x)"), 6);
        assert_eq!(place(""), 1);
        assert!(matches!(model("x", &["a"]), Err(ExpressionError::Unused { .. })));
    }
}
