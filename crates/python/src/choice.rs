//! Words that stand for one of a closed set.

use pyo3::PyErr;
use pyo3::exceptions::PyValueError;

/// The one of `all` that is called `word`.
///
/// # Errors
/// `ValueError` with all accepted words.
pub(crate) fn chosen<T: Copy>(what: &str, word: &str, all: &[(&str, T)]) -> Result<T, PyErr> {
    all.iter().find(|(name, _)| *name == word).map(|(_, choice)| *choice).ok_or_else(|| {
        let accepted: Vec<String> = all.iter().map(|(name, _)| format!("{name:?}")).collect();
        let accepted = accepted.join(", ");
        PyValueError::new_err(format!("{what} is {word:?}; accepted: {accepted}"))
    })
}

/// The one of `all` whose own name is `word`.
///
/// # Errors
/// As [`chosen`].
pub(crate) fn named<T: Copy>(
    what: &str,
    word: &str,
    all: &[T],
    name_of: impl Fn(T) -> &'static str,
) -> Result<T, PyErr> {
    let pairs: Vec<(&str, T)> = all.iter().map(|&each| (name_of(each), each)).collect();
    chosen(what, word, &pairs)
}
