//! Where a line may break in a formula: the `math` elements of which it consists.
//!
//! A browser breaks no line within a `math` element. A long formula is therefore several elements: it is cut before
//! relations, then before plus and minus, then between factors, and within brackets last.

use super::super::markup::escape;
use super::fraction::width;
use super::mathml::{Edge, GAP, is_low, is_word, needs_gap, one, script};
use super::tree::{Form, Node, Role};

/// A piece is at most this wide where it can be cut, in tenths of a letter: about a card on a telephone.
const WIDEST: usize = 225;
/// Relations below this width stay in one piece.
const SHORT: usize = 130;
/// Cuts are sought up to this level: two for each bracket around them.
const LEVELS: usize = 8;
/// No cut.
const NEVER: usize = usize::MAX;
/// Nothing, as tall as a bracket around a fraction.
const TALL: &str = "<mrow><mspace height=\"1.5em\" depth=\".9em\"/></mrow>";

/// What no line breaks in.
struct Atom<'n, 't> {
    shown: Shown<'n, 't>,
    /// The space before it within a piece.
    gap: bool,
    width: usize,
    start: usize,
    /// The level from which a line may break before it.
    cut: usize,
}

/// What an atom shows.
enum Shown<'n, 't> {
    Node(&'n Node<'t>),
    /// A bracket of a group that is cut, its attributes, and the scripts behind it.
    Fence(&'t str, &'static str, Option<(&'n [Node<'t>], &'n [Node<'t>])>),
}

/// A part of a formula that stays on one line.
pub struct Piece {
    /// What separates it from the part before it.
    pub before: &'static str,
    /// Its `math` element.
    pub html: String,
}

/// The pieces of a formula, the nodes of which are in `text`.
pub fn pieces(text: &str, nodes: &[Node<'_>]) -> Vec<Piece> {
    let mut atoms = Vec::new();
    flatten(nodes, 0, 0, &mut atoms);
    let mut parts = Vec::new();
    split(&atoms, 0, &mut parts);
    let end = nodes.last().map_or(0, |node| node.end);
    let piece = |(at, part): (usize, &&[Atom<'_, '_>])| {
        let first = &part[0];
        let before = if first.stands_off() { " " } else { "<wbr>" };
        // The labels together are the formula's whole text.
        let behind = parts.get(at + 1).map_or(end, |next| next[0].start);
        let source = escape(text[first.start..behind].trim_end());
        let mut html = format!("<math aria-label=\"{source}\">");
        for (place, atom) in part.iter().enumerate() {
            if atom.gap && place > 0 {
                html.push_str(GAP);
            }
            let edge = Edge { first: place == 0, last: place + 1 == part.len() };
            atom.show(&mut html, text, edge);
        }
        html.push_str("</math>");
        Piece { before: if at > 0 { before } else { "" }, html }
    };
    parts.iter().enumerate().map(piece).collect()
}

impl Atom<'_, '_> {
    /// Whether a blank is before it where it begins a piece.
    fn stands_off(&self) -> bool {
        let operator = matches!(self.shown, Shown::Node(node) if matches!(node.form, Form::Operator(..) | Form::Prose));
        operator || self.gap
    }

    fn show(&self, html: &mut String, text: &str, edge: Edge) {
        match &self.shown {
            Shown::Node(node) => one(html, text, node, edge),
            Shown::Fence(sign, attributes, scripts) => {
                let fence = format!("<mo {attributes}>{}</mo>", escape(sign));
                match scripts {
                    // A bracket with a script would not grow: the script goes behind it, at its height.
                    Some((below, above)) if attributes.contains("minsize") => {
                        html.push_str(&fence);
                        script(html, text, TALL, below, above);
                    }
                    Some((below, above)) => script(html, text, &fence, below, above),
                    None => html.push_str(&fence),
                }
            }
        }
    }
}

/// The atoms of a row at a depth of opened brackets.
fn flatten<'n, 't>(
    nodes: &'n [Node<'t>],
    depth: usize,
    before: usize,
    atoms: &mut Vec<Atom<'n, 't>>,
) {
    let mut sticks = true;
    for (at, node) in nodes.iter().enumerate() {
        let level = 2 * depth
            + match node.form {
                Form::Operator(_, Role::Relation) | Form::Prose => 0,
                Form::Operator(_, Role::Sum) => 1,
                _ => 2,
            };
        let prose_before = at > 0 && matches!(nodes[at - 1].form, Form::Prose);
        let comma_before = at > 0 && is_role(&nodes[at - 1], Role::Separator);
        let cut = match () {
            () if at == 0 => before,
            () if prose_before || comma_before => 2 * depth,
            () if sticks || is_role(node, Role::Separator) => NEVER,
            () => level,
        };
        let gap = at > 0 && needs_gap(&nodes[at - 1], node);
        open(node, depth, cut, gap, atoms);
        sticks = matches!(node.form, Form::Operator(..)) || is_word(node);
    }
}

/// A node as one atom, or, if it is wide and has brackets, as the atoms of which it consists.
fn open<'n, 't>(
    node: &'n Node<'t>,
    depth: usize,
    cut: usize,
    gap: bool,
    atoms: &mut Vec<Atom<'n, 't>>,
) {
    let whole = |shown, width| Atom { shown, gap, width, start: node.start, cut };
    if width(node) > WIDEST {
        let (group, scripts) = match &node.form {
            Form::Script(base, below, above) => (&**base, Some((&below[..], &above[..]))),
            _ => (node, None),
        };
        match &group.form {
            Form::Group(opener, closer, inside) => {
                // The two may stand on lines of different heights and are alike nevertheless.
                let [before, behind] = if is_low(inside) {
                    ["form=\"prefix\" stretchy=\"false\"", "form=\"postfix\" stretchy=\"false\""]
                } else {
                    ["form=\"prefix\" minsize=\"2.4em\"", "form=\"postfix\" minsize=\"2.4em\""]
                };
                atoms.push(whole(Shown::Fence(opener, before, None), 7));
                flatten(inside, depth + 1, NEVER, atoms);
                let start = group.end - 1;
                let shown = Shown::Fence(closer, behind, scripts);
                atoms.push(Atom { shown, gap: false, width: 14, start, cut: NEVER });
                return;
            }
            Form::Apply(parts) if scripts.is_none() => {
                for (at, part) in parts.iter().enumerate() {
                    let first = at == 0;
                    open(part, depth, if first { cut } else { NEVER }, gap && first, atoms);
                }
                return;
            }
            _ => {}
        }
    }
    atoms.push(whole(Shown::Node(node), width(node)));
}

/// Cuts the atoms at a level and, where a part is too wide still, at the next.
fn split<'a, 'n, 't>(
    atoms: &'a [Atom<'n, 't>],
    level: usize,
    pieces: &mut Vec<&'a [Atom<'n, 't>]>,
) {
    let wide = |part: &[Atom<'_, '_>]| part.iter().map(|atom| atom.width).sum::<usize>();
    let most = if level == 0 { SHORT } else { WIDEST };
    if atoms.is_empty() {
        return;
    }
    if wide(atoms) <= most || level > LEVELS {
        pieces.push(atoms);
        return;
    }
    let mut from = 0;
    let mut last = 0;
    let cuts = (1..atoms.len()).filter(|at| atoms[*at].cut <= level);
    for at in cuts.chain([atoms.len()]) {
        // A part joins those before it as long as they are short together.
        if wide(&atoms[from..at]) > most && last > from {
            split(&atoms[from..last], level + 1, pieces);
            from = last;
        }
        last = at;
    }
    split(&atoms[from..], level + 1, pieces);
}

fn is_role(node: &Node<'_>, role: Role) -> bool {
    matches!(node.form, Form::Operator(_, is) if is == role)
}
