//! Formulas of the audit, which are written in ASCII, as MathML that browsers set without any library.
//!
//! A text mixes prose and formulas, as in `norm(w_t - w_0) <= r_0 for all t`. [`typeset`] finds the formulas, sets
//! them, and leaves the rest as text. `token` splits the text, `tree` reads it, `name` knows the symbols, `fraction`
//! decides which slashes become bars, `pieces` where lines can break, and `mathml` writes the elements.

mod fraction;
mod mathml;
mod name;
mod pieces;
#[cfg(test)]
mod tests;
mod token;
mod tree;

use self::pieces::{Piece, pieces};
use self::tree::{Form, Node, Role};
use super::markup::escape;

/// A text as HTML, its formulas as `math` elements with the ASCII as their label.
///
/// No character of meaning is lost or moved, and everything is escaped: any text may be given.
pub fn typeset(text: &str) -> String {
    let mut page = Page { text, html: String::new(), at: 0 };
    page.walk(tree::parse(text));
    page.prose(text.len());
    page.html
}

/// The HTML of a text up to a byte of it.
struct Page<'t> {
    text: &'t str,
    html: String,
    at: usize,
}

impl<'t> Page<'t> {
    /// Everything up to `to` as text.
    fn prose(&mut self, to: usize) {
        self.html.push_str(&escape(&self.text[self.at..to]));
        self.at = to;
    }

    /// Formulas are the longest runs of nodes without prose; brackets around prose are looked into.
    fn walk(&mut self, nodes: Vec<Node<'t>>) {
        let mut run = Vec::new();
        for node in nodes {
            if is_formula(&node) {
                run.push(node);
                continue;
            }
            self.formula(std::mem::take(&mut run));
            match node.form {
                Form::Group(_, _, inside) => self.walk(inside),
                Form::Script(base, ..) => self.walk(vec![*base]),
                _ => {}
            }
        }
        self.formula(run);
    }

    /// A run as a formula, if it surely is one: numbers and their brackets alone are prose.
    fn formula(&mut self, run: Vec<Node<'t>>) {
        let (Some(first), Some(last)) = (run.first(), run.last()) else { return };
        let (start, end) = (first.start, last.end);
        let computes = run.iter().any(|node| matches!(node.form, Form::Number(_)))
            && run.iter().any(|node| node.spaced && is(node, Role::Sum));
        if !(computes || run.iter().any(is_certain)) {
            return;
        }
        self.set(&pieces(self.text, &fraction::arrange(run)), start, end);
    }

    /// The pieces of the formula `start..end`, with the signs that touch it: no line begins with its comma.
    fn set(&mut self, pieces: &[Piece], start: usize, end: usize) {
        let before = self.text[self.at..start].trim_end_matches(['(', '[', '{', '|', '"']);
        let opening = self.at + before.len();
        let behind = &self.text[end..];
        // Three dots begin the next formula.
        let behind = behind.split("...").next().unwrap_or_default();
        let closing = behind.find(|sign| !",.;:)]}'\"".contains(sign)).unwrap_or(behind.len());
        // In `B's` the letter too.
        let letters = &behind[closing..];
        let possessive = if behind[..closing].ends_with('\'') {
            letters.find(|letter: char| !letter.is_ascii_alphabetic()).unwrap_or(letters.len())
        } else {
            0
        };
        let closing = end + closing + possessive;
        self.prose(opening);
        for (at, piece) in pieces.iter().enumerate() {
            let (first, last) =
                (at == 0 && opening < start, at + 1 == pieces.len() && end < closing);
            self.html.push_str(piece.before);
            if first || last {
                self.html.push_str("<span class=\"formula\">");
            }
            if first {
                self.prose(start);
            }
            self.html.push_str(&piece.html);
            self.at = end;
            if last {
                self.prose(closing);
            }
            if first || last {
                self.html.push_str("</span>");
            }
        }
    }
}

fn is(node: &Node<'_>, role: Role) -> bool {
    matches!(node.form, Form::Operator(_, found) if found == role)
}

/// Whether a node can be part of a formula.
fn is_formula(node: &Node<'_>) -> bool {
    match &node.form {
        Form::Prose => false,
        Form::Operator(_, role) => *role != Role::Separator,
        // A relation in brackets is a remark, as in `(n = 5)`, except in the braces of a set.
        Form::Group(opener, _, inside) => {
            holds_no_prose(node)
                && (matches!(*opener, "{" | "‖")
                    || !inside.iter().any(|part| is(part, Role::Relation)))
        }
        Form::Script(base, ..) => holds_no_prose(base),
        _ => true,
    }
}

/// Whether a group is free of prose; a norm may hold some, as in `norm(mean of K)`.
fn holds_no_prose(node: &Node<'_>) -> bool {
    match &node.form {
        Form::Group("‖", ..) => true,
        Form::Group(_, _, inside) => {
            inside.iter().all(|part| is(part, Role::Separator) || is_formula(part))
        }
        Form::Prose => false,
        _ => true,
    }
}

/// Whether a symbol or a relation is in it.
fn is_certain(node: &Node<'_>) -> bool {
    match &node.form {
        Form::Prose | Form::Number(_) => false,
        Form::Operator(_, role) => *role == Role::Relation,
        Form::Group("‖", ..) => true,
        Form::Group(_, _, inside) => inside.iter().any(is_certain),
        Form::Script(base, ..) => is_certain(base),
        _ => true,
    }
}
