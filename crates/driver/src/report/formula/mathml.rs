//! The nodes of a formula as MathML elements.

use std::fmt::Write;

use super::super::markup::escape;
use super::name::Name;
use super::tree::{Form, Node, Role};

/// The gap beside a function's name.
pub const GAP: &str = "<mspace width=\".2em\"/>";

/// Whether a node begins or ends its row, where browsers would take a minus for a sign.
#[derive(Clone, Copy)]
pub struct Edge {
    /// Whether it begins the row.
    pub first: bool,
    /// Whether it ends the row.
    pub last: bool,
}

/// Whether it is a function's name without its brackets.
pub fn is_word(node: &Node<'_>) -> bool {
    match &node.form {
        Form::Name(name) => name.is_word(),
        Form::Script(base, ..) => is_word(base),
        _ => false,
    }
}

/// Whether two factors need a gap to be told apart.
pub fn needs_gap(left: &Node<'_>, right: &Node<'_>) -> bool {
    let begins = match &right.form {
        Form::Apply(parts) => parts.first().is_some_and(is_word),
        Form::Number(_) => true,
        _ => is_word(right),
    };
    let operator = |node: &Node<'_>| matches!(node.form, Form::Operator(..));
    let prose = matches!(left.form, Form::Prose) || matches!(right.form, Form::Prose);
    let apart = begins || prose || is_word(left);
    right.spaced && !operator(right) && apart && (prose || !operator(left))
}

/// Appends a row; more than one node in it become one element if `alone`.
fn row(html: &mut String, text: &str, nodes: &[Node<'_>], alone: bool) {
    let wraps = alone && nodes.len() != 1;
    if wraps {
        html.push_str("<mrow>");
    }
    for (at, node) in nodes.iter().enumerate() {
        if at > 0 && needs_gap(&nodes[at - 1], node) {
            html.push_str(GAP);
        }
        one(html, text, node, Edge { first: at == 0, last: at + 1 == nodes.len() });
    }
    if wraps {
        html.push_str("</mrow>");
    }
}

/// Appends a node as one element.
pub fn one(html: &mut String, text: &str, node: &Node<'_>, edge: Edge) {
    match &node.form {
        Form::Prose => {
            let _ = write!(html, "<mtext>{}</mtext>", escape(&text[node.start..node.end]));
        }
        Form::Name(name) => symbol(html, name),
        Form::Number(digits) => {
            let _ = write!(html, "<mn>{digits}</mn>");
        }
        Form::Operator("/", Role::Slash) if !node.spaced => {
            html.push_str("<mo lspace=\"0\" rspace=\"0\">/</mo>");
        }
        Form::Operator(sign, role) => operator(html, sign, *role, edge),
        Form::Group(opener, closer, inside) => {
            // Brackets of letters alone keep their size: fonts set the next larger ones too wide.
            let size = if is_low(inside) { " stretchy=\"false\"" } else { "" };
            let _ = write!(html, "<mrow><mo{size}>{}</mo>", escape(opener));
            row(html, text, inside, false);
            // A norm's bars differ by nothing else.
            let form = if *closer == "‖" { " form=\"postfix\"" } else { "" };
            let _ = write!(html, "<mo{form}{size}>{}</mo></mrow>", escape(closer));
        }
        Form::Root(inside) => {
            html.push_str("<msqrt>");
            row(html, text, inside, false);
            html.push_str("</msqrt>");
        }
        Form::Script(base, below, above) => scripted(html, text, base, below, above),
        Form::Apply(parts) => row(html, text, parts, true),
        Form::Fraction(over, under) => {
            html.push_str("<mfrac>");
            row(html, text, over, true);
            row(html, text, under, true);
            html.push_str("</mfrac>");
        }
    }
}

/// Whether nothing in a row is taller than a letter with scripts.
pub fn is_low(nodes: &[Node<'_>]) -> bool {
    nodes.iter().all(|node| match &node.form {
        Form::Fraction(..) | Form::Root(..) => false,
        Form::Group(_, _, inside) | Form::Apply(inside) => is_low(inside),
        Form::Script(base, ..) => is_low(std::slice::from_ref(base)),
        _ => true,
    })
}

/// Appends a base with what is below and above.
fn scripted(
    html: &mut String,
    text: &str,
    base: &Node<'_>,
    below: &[Node<'_>],
    above: &[Node<'_>],
) {
    let mut shown = String::new();
    match &base.form {
        // The power is the letter's, not that of the d or D before it.
        Form::Name(name) if !name.before.is_empty() => {
            html.push_str("<mrow>");
            differential(html, name);
            symbol(&mut shown, &Name { before: "", ..*name });
            script(html, text, &shown, below, above);
            html.push_str("</mrow>");
        }
        // An index that is glued on stands below the power like any other.
        Form::Name(name) if below.is_empty() && !name.index.is_empty() => {
            let index = Form::Number(name.index);
            let index = Node { form: index, start: base.start, end: base.end, spaced: false };
            symbol(&mut shown, &Name { index: "", ..*name });
            script(html, text, &shown, &[index], above);
        }
        _ => {
            row(&mut shown, text, std::slice::from_ref(base), true);
            script(html, text, &shown, below, above);
        }
    }
}

/// Appends a base, which is one element, with what is below and above.
pub fn script(html: &mut String, text: &str, base: &str, below: &[Node<'_>], above: &[Node<'_>]) {
    let tag = match (below.is_empty(), above.is_empty()) {
        (false, false) => "msubsup",
        (false, true) => "msub",
        _ => "msup",
    };
    let _ = write!(html, "<{tag}>{base}");
    for nodes in [below, above].into_iter().filter(|nodes| !nodes.is_empty()) {
        row(html, text, nodes, true);
    }
    let _ = write!(html, "</{tag}>");
}

/// Appends the d or D before a letter.
fn differential(html: &mut String, name: &Name<'_>) {
    html.push_str(match name.before {
        "d" => "<mi>d</mi>",
        "D" => "<mi>D</mi>",
        "D2" => "<msup><mi>D</mi><mn>2</mn></msup>",
        _ => "",
    });
}

fn symbol(html: &mut String, name: &Name<'_>) {
    let several = !name.before.is_empty();
    if several {
        html.push_str("<mrow>");
        differential(html, name);
    }
    let letter = escape(name.letter);
    let element = match (name.bar, name.function && !name.is_word()) {
        (true, _) => {
            format!("<mover accent=\"true\"><mi>{letter}</mi><mo stretchy=\"false\">¯</mo></mover>")
        }
        (_, true) => format!("<mi mathvariant=\"normal\">{letter}</mi>"),
        _ => format!("<mi>{letter}</mi>"),
    };
    if name.index.is_empty() {
        html.push_str(&element);
    } else {
        let _ = write!(html, "<msub>{element}<mn>{}</mn></msub>", name.index);
    }
    if several {
        html.push_str("</mrow>");
    }
}

/// Appends an operator; at the edge of a row its form has to be said, and its space there falls away.
fn operator(html: &mut String, sign: &str, role: Role, edge: Edge) {
    let attributes = match (role, edge.first, edge.last) {
        (Role::Sign, ..) => " form=\"prefix\"",
        (Role::Relation | Role::Sum | Role::Separator, true, false) => {
            " form=\"infix\" lspace=\"0\""
        }
        (Role::Relation | Role::Sum | Role::Separator, true, true) => {
            " form=\"infix\" lspace=\"0\" rspace=\"0\""
        }
        (Role::Relation | Role::Sum | Role::Separator, false, true) => {
            " form=\"infix\" rspace=\"0\""
        }
        _ => "",
    };
    let tag = if role == Role::Product && sign == "·" && edge.first { "mi" } else { "mo" };
    let _ = write!(html, "<{tag}{attributes}>{}</{tag}>", escape(sign));
}
