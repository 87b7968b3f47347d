//! Which quotients become fractions: those that read the same with a bar as with a slash.
//!
//! Products bind more tightly than a slash on its left and not on its right: `a b/c d` is `((a b)/c) d`. A slash stays
//! where a reader could doubt that: after `log` without brackets, in `a/b/c` and `a/2b`, in exponents, and within
//! another fraction. It also stays where a side is too wide for a telephone.

use super::tree::{Form, Node, Role};

/// A side of a fraction is at most this wide, in tenths of a letter.
const WIDEST: usize = 240;

/// The nodes with fractions for slashes, in brackets too.
pub fn arrange(nodes: Vec<Node<'_>>) -> Vec<Node<'_>> {
    let mut arranged = Vec::new();
    let mut term = Vec::new();
    for node in nodes {
        let ends = match node.form {
            Form::Operator(_, role) => role != Role::Slash,
            Form::Prose => true,
            _ => false,
        };
        if ends {
            quotient(&mut term, &mut arranged);
            arranged.push(node);
        } else {
            term.push(node);
        }
    }
    quotient(&mut term, &mut arranged);
    arranged
}

/// Moves a product, with its slashes, to `arranged`.
fn quotient<'t>(term: &mut Vec<Node<'t>>, arranged: &mut Vec<Node<'t>>) {
    let doubtful = term.iter().any(is_open_function) || divides_twice(term);
    let start = arranged.len();
    let mut rest = std::mem::take(term).into_iter();
    while let Some(node) = rest.next() {
        let under = match rest.as_slice() {
            _ if doubtful || !is_slash(&node) => None,
            // `a/2b` leaves in doubt where the denominator ends.
            [_, after, ..] if !after.spaced && !is_slash(after) => None,
            [under, ..] => Some(under),
            [] => None,
        };
        let Some(under) = under else {
            arranged.push(node);
            continue;
        };
        let from = start + numerator(&arranged[start..]);
        if from < arranged.len() && fits(&arranged[from..], under) {
            let over = arranged.split_off(from);
            arranged.push(fraction(over, under.clone()));
            rest.next();
        } else {
            arranged.push(node);
        }
    }
    for node in &mut arranged[start..] {
        within(node);
    }
}

fn is_slash(node: &Node<'_>) -> bool {
    matches!(node.form, Form::Operator(_, Role::Slash))
}

/// `a/b/c`.
fn divides_twice(term: &[Node<'_>]) -> bool {
    let at: Vec<usize> = (0..term.len()).filter(|at| is_slash(&term[*at])).collect();
    at.windows(2).any(|pair| pair[1] - pair[0] <= 2)
}

/// A function without brackets, of which nobody can say how far it reaches: `log a/b`.
fn is_open_function(node: &Node<'_>) -> bool {
    match &node.form {
        Form::Name(name) => name.is_word() && !name.is_operator() && name.letter != "Lip",
        Form::Script(base, ..) => is_open_function(base),
        _ => false,
    }
}

/// Where the numerator begins: the last factor, and those before it that hold no quotient themselves.
fn numerator(factors: &[Node<'_>]) -> usize {
    let barrier = |node: &Node<'_>| match &node.form {
        Form::Name(name) => name.is_operator(),
        Form::Script(base, ..) => matches!(&base.form, Form::Name(name) if name.is_operator()),
        _ => false,
    };
    let Some(last) = factors.len().checked_sub(1) else { return 0 };
    if barrier(&factors[last]) || matches!(factors[last].form, Form::Fraction(..)) {
        return factors.len();
    }
    if is_tall(&factors[last]) {
        return last;
    }
    let stops = factors.iter().rposition(|node| barrier(node) || is_tall(node));
    stops.map_or(0, |at| at + 1)
}

/// Whether a quotient is in it, exponents excepted.
fn is_tall(node: &Node<'_>) -> bool {
    match &node.form {
        Form::Operator(_, Role::Slash) | Form::Fraction(..) => true,
        Form::Group(_, _, inside) | Form::Root(inside) | Form::Apply(inside) => {
            inside.iter().any(is_tall)
        }
        Form::Script(base, ..) => is_tall(base),
        _ => false,
    }
}

fn fits(over: &[Node<'_>], under: &Node<'_>) -> bool {
    let only_numbers = matches!(over, [Node { form: Form::Number(_), .. }])
        && matches!(under.form, Form::Number(_));
    let wide: usize = over.iter().map(width).sum();
    !only_numbers && wide <= WIDEST && width(under) <= WIDEST
}

/// The bar of a fraction stands for the brackets around its sides.
fn fraction<'t>(over: Vec<Node<'t>>, under: Node<'t>) -> Node<'t> {
    let (start, end, spaced) = (over[0].start, under.end, over[0].spaced);
    let bare = |mut side: Vec<Node<'t>>| match side.pop() {
        Some(Node { form: Form::Group("(", ")", inside), .. }) if side.is_empty() => inside,
        Some(last) => {
            side.push(last);
            side
        }
        None => side,
    };
    Node { form: Form::Fraction(bare(over), bare(vec![under])), start, end, spaced }
}

/// Fractions in the brackets of a node.
fn within(node: &mut Node<'_>) {
    match &mut node.form {
        Form::Group(_, _, inside) | Form::Root(inside) => *inside = arrange(std::mem::take(inside)),
        Form::Apply(parts) => parts.iter_mut().for_each(within),
        Form::Script(base, ..) => within(base),
        _ => {}
    }
}

/// How wide a node is shown, in tenths of a letter.
pub fn width(node: &Node<'_>) -> usize {
    let row = |nodes: &[Node<'_>]| nodes.iter().map(width).sum::<usize>();
    match &node.form {
        Form::Prose => 10 * (node.end - node.start + 1),
        Form::Name(name) => {
            10 * (name.letter.chars().count() + name.before.len()) + 7 * name.index.len()
        }
        Form::Number(digits) => 10 * digits.len(),
        Form::Operator(_, Role::Relation | Role::Sum) => 25,
        Form::Operator(..) => 10,
        Form::Group(_, _, inside) | Form::Root(inside) => 14 + row(inside),
        Form::Script(base, below, above) => width(base) + 7 * row(below).max(row(above)) / 10,
        Form::Apply(parts) => row(parts),
        Form::Fraction(over, under) => 5 + row(over).max(row(under)),
    }
}
