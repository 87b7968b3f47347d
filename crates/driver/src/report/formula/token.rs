//! The words, numbers and signs of a text in ASCII mathematics, with the brackets that belong together.

/// How deep brackets may nest; deeper ones are read as signs, so that no text can exhaust the stack.
const DEEPEST: usize = 12;

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Letters, with digits behind them.
    Word,
    /// Digits, with a decimal point and a power of ten.
    Number,
    /// One sign, or two that are one: `<=`, `>=`, `->`, `!=`, and the three dots.
    Sign,
}

/// A piece of the text without blanks.
#[derive(Clone, Copy, Debug)]
pub struct Token<'t> {
    /// What it is.
    pub kind: Kind,
    /// As it stands in the text.
    pub text: &'t str,
    /// Its first byte in the text.
    pub start: usize,
    /// Whether a blank, or the start of the text, is before it.
    pub spaced: bool,
    /// For a bracket, the index of the token that closes it.
    pub closed_by: Option<usize>,
}

impl Token<'_> {
    /// The byte behind it.
    pub fn end(&self) -> usize {
        self.start + self.text.len()
    }

    /// Whether it is this sign.
    pub fn is(&self, sign: &str) -> bool {
        self.kind == Kind::Sign && self.text == sign
    }
}

/// Splits a text into tokens and finds the pairs of its brackets.
pub fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut found = Vec::new();
    let mut at = 0;
    let mut spaced = true;
    while let Some(first) = text[at..].chars().next() {
        if first.is_whitespace() {
            spaced = true;
            at += first.len_utf8();
            continue;
        }
        let (kind, length) = length_of(&text[at..], first);
        let token =
            Token { kind, text: &text[at..at + length], start: at, spaced, closed_by: None };
        found.push(token);
        spaced = false;
        at += length;
    }
    pair(&mut found);
    found
}

/// The kind and the bytes of the token at the start of `rest`.
fn length_of(rest: &str, first: char) -> (Kind, usize) {
    if first.is_alphabetic() {
        let end = rest.find(|letter: char| !letter.is_alphanumeric());
        return (Kind::Word, end.unwrap_or(rest.len()));
    }
    if first.is_ascii_digit() {
        return (Kind::Number, number(rest.as_bytes()));
    }
    let sign = ["...", "<=", ">=", "->", "!="].iter().find(|sign| rest.starts_with(**sign));
    (Kind::Sign, sign.map_or(first.len_utf8(), |sign| sign.len()))
}

/// The length of a number such as `12`, `0.05` or `1.5e-12`.
fn number(bytes: &[u8]) -> usize {
    let digits = |from: usize| bytes[from..].iter().take_while(|b| b.is_ascii_digit()).count();
    let mut end = digits(0);
    if bytes.get(end) == Some(&b'.') && digits(end + 1) > 0 {
        end += 1 + digits(end + 1);
    }
    if bytes.get(end) == Some(&b'e') {
        let sign = usize::from(matches!(bytes.get(end + 1), Some(b'-' | b'+')));
        let power = digits((end + 1 + sign).min(bytes.len()));
        if power > 0 {
            end += 1 + sign + power;
        }
    }
    end
}

/// Writes into each opening bracket which token closes it.
///
/// Half-open intervals pair a round bracket with a square one. The bars of `|x|` and the angles of `<u, v>` are
/// brackets where a blank on the one side and none on the other tell which way they face.
fn pair(tokens: &mut [Token<'_>]) {
    let mut open: Vec<usize> = Vec::new();
    for at in 0..tokens.len() {
        let touches_next = tokens.get(at + 1).is_some_and(|next| !next.spaced);
        let (sign, spaced) = (tokens[at].text, tokens[at].spaced);
        let top = open.last().map(|&top| tokens[top].text);
        let begins = spaced || at == 0 || matches!(tokens[at - 1].text, "(" | "[" | "{" | "|");
        match sign {
            "(" | "[" | "{" => open.push(at),
            ")" | "]" | "}" => {
                let fits = |&&opener: &&usize| match tokens[opener].text {
                    "{" => sign == "}",
                    "(" | "[" => sign != "}",
                    _ => false,
                };
                // Bars and angles that the bracket leaves unclosed are signs.
                let Some(&opener) = open.iter().rev().find(fits) else { continue };
                while open.pop().is_some_and(|popped| popped != opener) {}
                if open.len() < DEEPEST {
                    tokens[opener].closed_by = Some(at);
                }
            }
            "|" if top == Some("|") && !spaced => close(tokens, &mut open, at),
            "|" | "<" if touches_next && begins => open.push(at),
            ">" if top == Some("<") && !spaced => {
                let has_comma = open
                    .last()
                    .is_some_and(|&from| tokens[from..at].iter().any(|token| token.is(",")));
                if has_comma {
                    close(tokens, &mut open, at);
                } else {
                    open.pop();
                }
            }
            _ => {}
        }
    }
}

/// Pairs the last open bracket with the token at `at`.
fn close(tokens: &mut [Token<'_>], open: &mut Vec<usize>, at: usize) {
    if let Some(opener) = open.pop()
        && open.len() < DEEPEST
    {
        tokens[opener].closed_by = Some(at);
    }
}
