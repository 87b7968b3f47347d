//! What is wrong with an expression, and at which character (from 1).

use super::function::Function;

/// Most names that a message lists.
const LISTED: usize = 20;

/// What is wrong with an expression, and at which character (from 1).
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say what the fields hold")]
#[non_exhaustive]
pub enum ExpressionError {
    /// A character that no expression has.
    #[error(
        "character {at}: {found:?} is not accepted; accepted: numbers, names (other names of columns \
         between backquotes), + - * / ^ ** ( ) and commas between arguments"
    )]
    Character { at: usize, found: char },
    /// A name that is neither a column, a parameter nor a constant.
    #[error(
        "character {at}: unknown name {name}; the columns are {}, the parameters {}; constants: pi, PI, e",
        listed(columns),
        listed(parameters)
    )]
    Name { at: usize, name: String, columns: Vec<String>, parameters: Vec<String> },
    /// A name that stands before a parenthesis and is no function.
    #[error("character {at}: unknown function {name}; functions: {}", Function::list())]
    Function { at: usize, name: String },
    /// A function with too few or too many arguments.
    #[error("character {at}: {name} has {found} arguments; accepted: {accepted}")]
    Arguments { at: usize, name: &'static str, found: usize, accepted: &'static str },
    /// A column that the model may not use.
    #[error(
        "character {at}: {name} is the {role}, which the model cannot use; the columns are {}",
        listed(columns)
    )]
    Reserved { at: usize, name: String, role: &'static str, columns: Vec<String> },
    /// Something else was expected.
    #[error("character {at}: {expected} expected, {found} found")]
    Expected { at: usize, expected: &'static str, found: String },
    /// A number too large for 64 bits.
    #[error("character {at}: the number {text} is too large; accepted: up to 1.797e308")]
    Number { at: usize, text: String },
    /// The text is beyond a limit.
    #[error("the expression has {found} {what}; accepted: at most {accepted}")]
    Limit { what: &'static str, found: usize, accepted: usize },
    /// A parameter that the expression does not have.
    #[error("parameter {name} does not occur in the expression")]
    Unused { name: String },
    /// A parameter and a column of one name.
    #[error("parameter {name} has the name of {role} {name} of the data; rename one of the two")]
    Shadowed { name: String, role: &'static str },
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
