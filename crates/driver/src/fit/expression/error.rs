//! What is wrong with an expression, and at which character (from 1).

use super::function::Function;

/// Most names that a message lists.
const LISTED: usize = 20;

/// What is wrong with an expression, and at which character (from 1).
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ExpressionError {
    /// A character that no expression has.
    #[error(
        "character {at}: {found:?} is not accepted; accepted: numbers, names (other names of columns \
         between backquotes), + - * / ^ ** ( ) and commas between arguments"
    )]
    Character {
        /// The position.
        at: usize,
        /// The character.
        found: char,
    },
    /// A name that is neither a column, a parameter nor a constant.
    #[error(
        "character {at}: unknown name {name}; the columns are {}, the parameters {}; constants: pi, PI, e",
        listed(columns),
        listed(parameters)
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
    /// A name that stands before a parenthesis and is no function.
    #[error("character {at}: unknown function {name}; functions: {}", Function::list())]
    Function {
        /// The position.
        at: usize,
        /// The name.
        name: String,
    },
    /// A function with too few or too many arguments.
    #[error("character {at}: {name} has {found} arguments; accepted: {accepted}")]
    Arguments {
        /// The position of the function.
        at: usize,
        /// The function.
        name: &'static str,
        /// Arguments found.
        found: usize,
        /// How many it takes.
        accepted: &'static str,
    },
    /// A column that the model may not use.
    #[error(
        "character {at}: {name} is the {role}, which the model cannot use; the columns are {}",
        listed(columns)
    )]
    Reserved {
        /// The position.
        at: usize,
        /// The column.
        name: String,
        /// What it is instead of a predictor.
        role: &'static str,
        /// The columns that may be used.
        columns: Vec<String>,
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
    /// A number too large for 64 bits.
    #[error("character {at}: the number {text} is too large; accepted: up to 1.797e308")]
    Number {
        /// The position.
        at: usize,
        /// The number as written.
        text: String,
    },
    /// The text is beyond a limit.
    #[error("the expression has {found} {what}; accepted: at most {accepted}")]
    Limit {
        /// Of what there are too many.
        what: &'static str,
        /// How many there are.
        found: usize,
        /// How many are accepted.
        accepted: usize,
    },
    /// A parameter that the expression does not have.
    #[error("parameter {name} does not occur in the expression")]
    Unused {
        /// The parameter.
        name: String,
    },
    /// A parameter and a column of one name.
    #[error("parameter {name} has the name of {role} {name} of the data; rename one of the two")]
    Shadowed {
        /// The name.
        name: String,
        /// What the column is.
        role: &'static str,
    },
}

/// At most the first names of a list, and how many more there are.
pub(crate) fn listed(names: &[String]) -> String {
    let shown = names.iter().take(LISTED).map(String::as_str).collect::<Vec<_>>().join(", ");
    match names.len() {
        0 => "none".to_owned(),
        count if count > LISTED => format!("{shown} and {} more", count - LISTED),
        _ => shown,
    }
}
