//! The words of an expression: numbers, names, operators, parentheses and commas, each with its position.

use super::error::ExpressionError;

/// Most characters of an expression.
pub const MOST_CHARACTERS: usize = 1_000_000;
/// Most words of an expression: numbers, names, operators, parentheses and commas.
pub const MOST_WORDS: usize = 250_000;
/// Most parentheses that are open at once.
pub const MOST_NESTED: usize = 10_000;

/// A word.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Word {
    Number(f64),
    Name(String),
    /// A name between backquotes, which is a column's.
    Column(String),
    /// One of `+ - * / ^`; `**` is `^`.
    Operator(char),
    Open,
    Close,
    Comma,
}

/// A word, the position of its first character from 1, and that character.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Token {
    pub(super) at: usize,
    pub(super) first: char,
    pub(super) word: Word,
}

/// Splits `text`, within the limits of length and depth.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, ExpressionError> {
    within("characters", text.chars().count(), MOST_CHARACTERS)?;
    let characters: Vec<char> = text.chars().collect();
    let mut tokens = Vec::new();
    let mut place = 0;
    while let Some(&first) = characters.get(place) {
        let at = place + 1;
        let (word, end) = match first {
            c if c.is_whitespace() => {
                place += 1;
                continue;
            }
            '0'..='9' | '.' => number(&characters, place)?,
            c if c.is_alphabetic() || c == '_' => {
                let end = end_of(&characters, place, |c| c.is_alphanumeric() || c == '_');
                (Word::Name(characters[place..end].iter().collect()), end)
            }
            '`' => {
                let end = end_of(&characters, at, |c| c != '`');
                if end == characters.len() {
                    let (expected, found) = ("a closing backquote", "the end".to_owned());
                    return Err(ExpressionError::Expected { at, expected, found });
                }
                (Word::Column(characters[at..end].iter().collect()), end + 1)
            }
            '*' if characters.get(at) == Some(&'*') => (Word::Operator('^'), at + 1),
            '+' | '-' | '*' | '/' | '^' => (Word::Operator(first), at),
            '(' => (Word::Open, at),
            ')' => (Word::Close, at),
            ',' => (Word::Comma, at),
            found => return Err(ExpressionError::Character { at, found }),
        };
        tokens.push(Token { at, first, word });
        place = end;
    }
    within("words (numbers, names, operators, parentheses)", tokens.len(), MOST_WORDS)?;
    let (mut depth, mut deepest) = (0_usize, 0);
    for token in &tokens {
        match token.word {
            Word::Open => depth += 1,
            Word::Close => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    within("nested parentheses", deepest, MOST_NESTED)?;
    Ok(tokens)
}

fn within(what: &'static str, found: usize, accepted: usize) -> Result<(), ExpressionError> {
    if found <= accepted { Ok(()) } else { Err(ExpressionError::Limit { what, found, accepted }) }
}

/// One past the last character from `start` on that `belongs`.
fn end_of(characters: &[char], start: usize, belongs: impl Fn(char) -> bool) -> usize {
    start + characters[start..].iter().take_while(|&&c| belongs(c)).count()
}

/// The number that begins at `start`, and one past its end: digits with at most one point, and an exponent.
fn number(characters: &[char], start: usize) -> Result<(Word, usize), ExpressionError> {
    let digits_or_point = |c: char| c.is_ascii_digit() || c == '.';
    let mut end = end_of(characters, start, digits_or_point);
    if matches!(characters.get(end), Some('e' | 'E')) {
        let signed = matches!(characters.get(end + 1), Some('+' | '-'));
        let digits = end + 1 + usize::from(signed);
        // Without digits behind it, an e is a name.
        if characters.get(digits).is_some_and(char::is_ascii_digit) {
            end = end_of(characters, digits, |c| c.is_ascii_digit());
        }
    }
    let text: String = characters[start..end].iter().collect();
    let at = start + 1;
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() => Ok((Word::Number(value), end)),
        Ok(_) => Err(ExpressionError::Number { at, text }),
        Err(_) => {
            Err(ExpressionError::Expected { at, expected: "a number", found: format!("{text:?}") })
        }
    }
}
