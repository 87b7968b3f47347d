//! Which words of ASCII mathematics are symbols: Greek letters, functions, and letters with d, D, a bar or an index.

/// A symbol as it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Name<'t> {
    /// What stands before the letter: `d` of a differential, `D` or `D2` of a derivative, or nothing.
    pub before: &'static str,
    /// The letter or word.
    pub letter: &'t str,
    /// Whether a bar is over it.
    pub bar: bool,
    /// The digits of an index that is glued on, as in `lambda0`.
    pub index: &'t str,
    /// Whether it is a function or an operator by name, such as `exp`.
    pub function: bool,
}

/// Words that are symbols of their own, and what is shown for them. Tests read the table backwards.
pub const LETTERS: &[(&str, &str)] = &[
    ("alpha", "α"),
    ("beta", "β"),
    ("gamma", "γ"),
    ("delta", "δ"),
    ("eps", "ε"),
    ("epsilon", "ϵ"),
    ("zeta", "ζ"),
    ("eta", "η"),
    ("theta", "θ"),
    ("kappa", "κ"),
    ("lambda", "λ"),
    ("mu", "μ"),
    ("nu", "ν"),
    ("xi", "ξ"),
    ("pi", "π"),
    ("rho", "ρ"),
    ("sigma", "σ"),
    ("tau", "τ"),
    ("phi", "φ"),
    ("chi", "χ"),
    ("psi", "ψ"),
    ("omega", "ω"),
    ("Gamma", "Γ"),
    ("Delta", "Δ"),
    ("Theta", "Θ"),
    ("Lambda", "Λ"),
    ("Sigma", "Σ"),
    ("Phi", "Φ"),
    ("Psi", "Ψ"),
    ("Omega", "Ω"),
    ("infinity", "∞"),
];

/// Functions and operators, and what is shown for them.
pub const FUNCTIONS: &[(&str, &str)] = &[
    ("grad", "∇"),
    ("sum", "∑"),
    ("exp", "exp"),
    ("log", "log"),
    ("min", "min"),
    ("max", "max"),
    ("inf", "inf"),
    ("sup", "sup"),
    ("cos", "cos"),
    ("sin", "sin"),
    ("tanh", "tanh"),
    ("erf", "erf"),
    ("cond", "cond"),
    ("rank", "rank"),
    ("trace", "trace"),
    ("Lip", "Lip"),
    ("Hess", "Hess"),
];

/// Differentials: only these, as `do` and `de` are words.
const DIFFERENTIALS: &[&str] = &["df", "dg", "dh", "dr", "ds", "dt", "du", "dv", "dw", "dx"];

fn look_up(table: &'static [(&str, &str)], word: &str) -> Option<&'static str> {
    table.iter().find(|(name, _)| *name == word).map(|(_, shown)| *shown)
}

/// One letter, Latin or Greek, as it is shown.
fn letter(word: &str) -> Option<&str> {
    look_up(LETTERS, word)
        .or_else(|| (word.len() == 1 && word.as_bytes()[0].is_ascii_alphabetic()).then_some(word))
}

impl<'t> Name<'t> {
    /// The symbol that a word stands for, were it part of a formula; `None` for a word of prose.
    pub fn read(word: &'t str) -> Option<Self> {
        let plain = |letter| Self { before: "", letter, bar: false, index: "", function: false };
        if let Some(shown) = look_up(FUNCTIONS, word) {
            return Some(Self { function: true, ..plain(shown) });
        }
        if DIFFERENTIALS.contains(&word) {
            return Some(Self { before: "d", ..plain(&word[1..]) });
        }
        for before in ["D2", "D"] {
            if let Some(shown) = word.strip_prefix(before).and_then(letter) {
                return Some(Self { before, ..plain(shown) });
            }
        }
        let stem = word.trim_end_matches(|sign: char| sign.is_ascii_digit());
        let index = &word[stem.len()..];
        if let Some(shown) = letter(stem) {
            return Some(Self { index, ..plain(shown) });
        }
        let barred = word.strip_suffix("bar").and_then(letter)?;
        Some(Self { bar: true, ..plain(barred) })
    }

    /// The symbol of an index, where every word is one: `min`, `init`.
    pub fn index(word: &'t str) -> Self {
        let upright =
            Self { before: "", letter: word, bar: false, index: "", function: word.len() > 1 };
        letter(word).map_or(upright, |letter| Self { letter, function: false, ..upright })
    }

    /// Whether it is a word whose neighbours stand off, such as `log`; the signs of `grad` and `sum` need no gap.
    pub fn is_word(&self) -> bool {
        self.function && self.letter.is_ascii()
    }

    /// Whether it acts on all that follows, so that no fraction may take it into its numerator.
    pub fn is_operator(&self) -> bool {
        matches!(self.letter, "inf" | "sup" | "min" | "max" | "∑")
    }
}
