//! Tokens to a tree: symbols with their indices and powers, brackets, functions, operators, and words of prose.

use super::name::Name;
use super::token::{Kind, Token, tokens};

/// A part of the text.
#[derive(Clone, Debug)]
pub struct Node<'t> {
    /// What it is.
    pub form: Form<'t>,
    /// Its first byte in the text.
    pub start: usize,
    /// The byte behind it.
    pub end: usize,
    /// Whether a blank is before it.
    pub spaced: bool,
}

/// What an operator does, which decides its spacing and where lines break.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// `<=` and its like.
    Relation,
    /// `+` or `-` between two terms.
    Sum,
    /// A minus before a term.
    Sign,
    /// A slash that stays one.
    Slash,
    /// Another sign between two factors.
    Product,
    /// Comma, semicolon or colon.
    Separator,
}

/// What a node is.
#[derive(Clone, Debug)]
pub enum Form<'t> {
    /// A word or sign of prose.
    Prose,
    /// A symbol.
    Name(Name<'t>),
    /// A number.
    Number(&'t str),
    /// An operator, as it is shown.
    Operator(&'t str, Role),
    /// Brackets as they are shown, and what is between.
    Group(&'t str, &'t str, Vec<Node<'t>>),
    /// A square root.
    Root(Vec<Node<'t>>),
    /// A base with an index below and a power above.
    Script(Box<Node<'t>>, Vec<Node<'t>>, Vec<Node<'t>>),
    /// A symbol and the brackets that are glued to it.
    Apply(Vec<Node<'t>>),
    /// Numerator and denominator.
    Fraction(Vec<Node<'t>>, Vec<Node<'t>>),
}

/// The text as a tree; everything in it has its place there, blanks excepted.
pub fn parse(text: &str) -> Vec<Node<'_>> {
    let tokens = tokens(text);
    let reader = Reader { tokens: &tokens };
    reader.row(0, tokens.len())
}

struct Reader<'t, 'k> {
    tokens: &'k [Token<'t>],
}

impl<'t> Reader<'t, '_> {
    /// The nodes of the tokens `from..to`.
    fn row(&self, from: usize, to: usize) -> Vec<Node<'t>> {
        let mut nodes = Vec::new();
        let mut at = from;
        while at < to {
            let (node, next) = self.factor(at, from, to);
            nodes.push(node);
            at = next;
        }
        nodes
    }

    /// The node of the tokens `from..next`.
    fn node(&self, form: Form<'t>, from: usize, next: usize) -> (Node<'t>, usize) {
        let first = self.tokens[from];
        let end = self.tokens[next - 1].end();
        (Node { form, start: first.start, end, spaced: first.spaced }, next)
    }

    /// The token at `at`, if it is before `to` and no blank is before it.
    fn glued(&self, at: usize, to: usize) -> Option<Token<'t>> {
        (at < to).then(|| self.tokens[at]).filter(|token| !token.spaced)
    }

    /// An atom with its scripts and the brackets glued to it.
    fn factor(&self, at: usize, from: usize, to: usize) -> (Node<'t>, usize) {
        let (atom, next) = self.atom(at, from, to);
        if matches!(atom.form, Form::Prose | Form::Operator(..)) {
            return (atom, next);
        }
        let applies = matches!(atom.form, Form::Name(_));
        let (node, next) = self.scripts(atom, at, next, to);
        let bracket = self.glued(next, to).filter(|t| matches!(t.text, "(" | "["));
        if !applies || bracket.and_then(|token| token.closed_by).is_none() {
            return (node, next);
        }
        let (group, behind) = self.atom(next, from, to);
        if !matches!(group.form, Form::Group(..)) {
            return (node, next);
        }
        let (group, behind) = self.scripts(group, next, behind, to);
        self.node(Form::Apply(vec![node, group]), at, behind)
    }

    fn atom(&self, at: usize, from: usize, to: usize) -> (Node<'t>, usize) {
        let token = self.tokens[at];
        match token.kind {
            Kind::Number => self.node(Form::Number(token.text), at, at + 1),
            Kind::Word => self.word(at, to),
            Kind::Sign => match token.closed_by {
                Some(close) if close < to => self.group(at, close),
                _ => self.sign(at, from, to),
            },
        }
    }

    fn group(&self, at: usize, close: usize) -> (Node<'t>, usize) {
        if close == at + 2 && [at, at + 1, close].map(|at| self.tokens[at].text) == ["(", ".", ")"]
        {
            return self.node(Form::Operator("⊙", Role::Product), at, close + 1);
        }
        let shown = |at: usize| match self.tokens[at].text {
            "<" => "⟨",
            ">" => "⟩",
            bracket => bracket,
        };
        let inside = self.row(at + 1, close);
        self.node(Form::Group(shown(at), shown(close), inside), at, close + 1)
    }

    fn word(&self, at: usize, to: usize) -> (Node<'t>, usize) {
        let word = self.tokens[at].text;
        let bracket = self.glued(at + 1, to).filter(|token| token.is("("));
        let closes = |close: &usize| *close < to && self.tokens[*close].is(")");
        let close = bracket.and_then(|token| token.closed_by).filter(closes);
        match (word, close) {
            ("norm", Some(close)) => {
                let inside = self.row(at + 2, close);
                return self.node(Form::Group("‖", "‖", inside), at, close + 1);
            }
            ("sqrt", Some(close)) => {
                return self.node(Form::Root(self.row(at + 2, close)), at, close + 1);
            }
            ("sqrt", None) if at + 1 < to && self.is_symbol(at + 1, 1) => {
                let (letter, next) = self.node(self.letter(at + 1), at + 1, at + 2);
                let (under, next) = self.scripts(letter, at + 1, next, to);
                return self.node(Form::Root(vec![under]), at, next);
            }
            _ => {}
        }
        if self.is_symbol(at, 0) {
            return self.node(self.letter(at), at, at + 1);
        }
        // A word of prose takes what is glued to it: `Gauss-Newton`, `exit_time`, `audit.json`.
        let mut last = at;
        while let (Some(sign), Some(word)) = (self.glued(last + 1, to), self.glued(last + 2, to)) {
            let joins = match sign.text {
                "_" | "-" | "." | "'" => true,
                "/" => !self.is_symbol(last + 2, 1),
                _ => false,
            };
            if !joins || word.kind == Kind::Sign {
                break;
            }
            last += 2;
        }
        self.node(Form::Prose, at, last + 1)
    }

    fn letter(&self, at: usize) -> Form<'t> {
        Name::read(self.tokens[at].text).map_or(Form::Prose, Form::Name)
    }

    /// Whether the word at `at` is a symbol; `looked` counts the words before it that asked.
    fn is_symbol(&self, at: usize, looked: usize) -> bool {
        let token = self.tokens[at];
        if token.kind != Kind::Word {
            return false;
        }
        let next = self.tokens.get(at + 1).copied();
        let close = next.filter(|next| !next.spaced).and_then(|next| next.closed_by);
        let opens = close.is_some();
        if matches!(token.text, "norm" | "sqrt") {
            return close.is_some_and(|close| self.tokens[close].is(")"));
        }
        let Some(name) = Name::read(token.text) else { return false };
        if name.function {
            // `min over t` and `full rank` are prose: a function has something to act on.
            let index = next.is_some_and(|next| !next.spaced && next.is("_"));
            let acts = next.is_some_and(|next| match next.kind {
                Kind::Word => looked < 3 && self.is_symbol(at + 1, looked + 1),
                Kind::Number => matches!(token.text, "log" | "exp" | "cos" | "sin"),
                Kind::Sign => matches!(next.text, "|" | "<") && next.closed_by.is_some(),
            });
            let named = matches!(token.text, "cos" | "sin");
            return opens || index || acts || named;
        }
        if matches!(token.text, "a" | "A" | "I") {
            // An article or a pronoun, unless a formula goes on beside it.
            let beside = |other: Option<Token<'_>>| {
                other.is_some_and(|other| match other.kind {
                    Kind::Number => token.text != "a",
                    Kind::Word => token.text != "a" && other.text.len() == 1 && other.text != "a",
                    Kind::Sign => {
                        matches!(other.text, "_" | "^" | "/" | "=" | "<=" | ">=" | "+" | "-" | "->")
                    }
                })
            };
            return beside(next) || (at > 0 && beside(Some(self.tokens[at - 1])));
        }
        true
    }

    /// Whether the token at `at` can be a side of an operator.
    fn is_side(&self, at: Option<usize>, brackets: &str) -> bool {
        at.and_then(|at| self.tokens.get(at).map(|token| (at, token))).is_some_and(|(at, token)| {
            match token.kind {
                Kind::Number => true,
                Kind::Word => self.is_symbol(at, 0),
                Kind::Sign => brackets.contains(token.text),
            }
        })
    }

    fn sign(&self, at: usize, from: usize, to: usize) -> (Node<'t>, usize) {
        let token = self.tokens[at];
        let spaced_behind = at + 1 >= to || self.tokens[at + 1].spaced;
        let loose = token.spaced && spaced_behind;
        let touches_prose = || {
            let before = at > from && !token.spaced && self.is_prose(at - 1);
            before || (!spaced_behind && self.is_prose(at + 1))
        };
        let form = match token.text {
            "'" if self.glued(at + 1, to).is_some_and(|next| next.kind == Kind::Word) => {
                return self.node(Form::Prose, at, at + 2);
            }
            "<=" => Form::Operator("≤", Role::Relation),
            ">=" => Form::Operator("≥", Role::Relation),
            "->" => Form::Operator("→", Role::Relation),
            "!=" => Form::Operator("≠", Role::Relation),
            "~" if loose => Form::Operator("∼", Role::Relation),
            "<" | ">" | "="
                if loose
                    || (self.is_side(at.checked_sub(1), ")]}|'*")
                        && self.is_side(Some(at + 1), "([{|-")) =>
            {
                Form::Operator(token.text, Role::Relation)
            }
            "+" => Form::Operator("+", Role::Sum),
            "-" if touches_prose() => Form::Prose,
            "-" => Form::Operator("−", self.minus(at, from, spaced_behind)),
            "/" if touches_prose() => Form::Prose,
            "/" => Form::Operator("/", Role::Slash),
            "." if loose || (spaced_behind && at == from && at > 0) => {
                Form::Operator("·", Role::Product)
            }
            "*" if loose => Form::Operator("∗", Role::Product),
            "," => Form::Operator(",", Role::Separator),
            ";" => Form::Operator(";", Role::Separator),
            ":" => Form::Operator(":", Role::Separator),
            "..." => Form::Operator("…", Role::Product),
            _ => Form::Prose,
        };
        self.node(form, at, at + 1)
    }

    /// Whether the word at `at` is prose; an index such as `min` is not.
    fn is_prose(&self, at: usize) -> bool {
        let script =
            at > 0 && !self.tokens[at].spaced && matches!(self.tokens[at - 1].text, "_" | "^");
        self.tokens[at].kind == Kind::Word && !script && !self.is_symbol(at, 0)
    }

    /// Whether a minus is between two terms or before one.
    fn minus(&self, at: usize, from: usize, spaced_behind: bool) -> Role {
        let after_operator = at == from
            || matches!(
                self.tokens[at - 1].text,
                "<=" | ">=" | "->" | "!=" | "<" | ">" | "=" | "+" | "-" | "/" | "," | ";" | ":"
            );
        if !spaced_behind && (after_operator || self.tokens[at].spaced) {
            Role::Sign
        } else {
            Role::Sum
        }
    }

    /// The base with the index, power, primes and star that are glued to it.
    fn scripts(&self, base: Node<'t>, first: usize, from: usize, to: usize) -> (Node<'t>, usize) {
        let (mut below, mut above) = (Vec::new(), Vec::new());
        let mut at = from;
        while let Some(sign) = self.glued(at, to) {
            let next = match sign.text {
                "_" if below.is_empty() && above.is_empty() => {
                    self.operand(at + 1, to).map(|(nodes, next)| {
                        below = nodes;
                        next
                    })
                }
                "^" if above.is_empty() => self.operand(at + 1, to).map(|(nodes, next)| {
                    above = nodes;
                    next
                }),
                "'" | "*"
                    if above.iter().all(|node| matches!(node.form, Form::Operator("′", _))) =>
                {
                    // In `B's` it is no prime, in `a*b` no star.
                    let word = self.glued(at + 1, to).is_some_and(|next| {
                        next.kind != Kind::Sign || (next.is("(") && sign.is("*"))
                    });
                    (!word).then(|| {
                        let shown = if sign.is("'") { "′" } else { "*" };
                        above.push(self.node(Form::Operator(shown, Role::Product), at, at + 1).0);
                        at + 1
                    })
                }
                _ => None,
            };
            let Some(next) = next else { break };
            at = next;
        }
        if at == from {
            return (base, from);
        }
        self.node(Form::Script(Box::new(base), below, above), first, at)
    }

    /// What is below or above: a word, a number, a star or a group, maybe with a minus before it.
    fn operand(&self, at: usize, to: usize) -> Option<(Vec<Node<'t>>, usize)> {
        let token = self.glued(at, to)?;
        match token.kind {
            Kind::Number => {
                let (node, next) = self.node(Form::Number(token.text), at, at + 1);
                Some((vec![node], next))
            }
            Kind::Word => {
                let (node, next) = self.node(Form::Name(Name::index(token.text)), at, at + 1);
                Some((vec![node], next))
            }
            Kind::Sign if token.is("-") => {
                let number = self.glued(at + 1, to).filter(|next| next.kind != Kind::Sign)?;
                let minus = self.node(Form::Operator("−", Role::Sign), at, at + 1).0;
                let form = match number.kind {
                    Kind::Number => Form::Number(number.text),
                    _ => Form::Name(Name::index(number.text)),
                };
                Some((vec![minus, self.node(form, at + 1, at + 2).0], at + 2))
            }
            Kind::Sign if token.is("*") => {
                Some((vec![self.node(Form::Operator("*", Role::Product), at, at + 1).0], at + 1))
            }
            Kind::Sign => {
                let round = |close: &usize| token.is("(") && self.tokens[*close].is(")");
                let close = token.closed_by.filter(|close| *close < to && round(close))?;
                let (group, next) = self.group(at, close);
                // `(k+1)` is a group for its sake alone; `(k)` says something, such as the k-th derivative.
                match group.form {
                    Form::Group(_, _, inside) if inside.len() > 1 => Some((inside, next)),
                    _ => Some((vec![group], next)),
                }
            }
        }
    }
}
