//! Nothing is lost, moved or left open: every text of the audit, and random ones, read back from the MathML.

use proptest::prelude::*;

use super::super::markup::unescape;
use super::name::{FUNCTIONS, LETTERS};
use super::typeset;

/// Statements, hypotheses and predicates of a full reproduction.
const STATEMENTS: &str = include_str!("statements.txt");

/// An element: its tag with attributes, and what is in it.
#[derive(Default)]
struct Element {
    tag: String,
    inside: Vec<Element>,
    text: String,
}

/// The elements of a page; panics where a tag is open at the end or closes another.
fn read(html: &str) -> Vec<Element> {
    let mut open = vec![Element::default()];
    let mut rest = html;
    while !rest.is_empty() {
        if let Some(markup) = rest.strip_prefix('<') {
            let (tag, behind) = markup.split_once('>').expect("a tag ends");
            rest = behind;
            if let Some(name) = tag.strip_prefix('/') {
                let element = open.pop().expect("an element is open");
                assert_eq!(name, element.tag.split(' ').next().unwrap(), "{html}");
                open.last_mut().expect("an element is open").inside.push(element);
            } else if tag == "wbr" || tag.ends_with('/') {
                assert!(tag == "wbr" || tag.starts_with("mspace "), "{tag}");
            } else {
                open.push(Element { tag: tag.to_owned(), ..Element::default() });
            }
        } else {
            let end = rest.find('<').unwrap_or(rest.len());
            let text = unescape(&rest[..end]);
            let element = Element { text, ..Element::default() };
            open.last_mut().expect("an element is open").inside.push(element);
            rest = &rest[end..];
        }
    }
    assert_eq!(open.len(), 1, "all elements are closed: {html}");
    open.remove(0).inside
}

/// The ASCII of a sign.
fn typed(shown: &str, tag: &str) -> String {
    let signs = [
        ("≤", "<="),
        ("≥", ">="),
        ("→", "->"),
        ("≠", "!="),
        ("∼", "~"),
        ("−", "-"),
        ("∗", "*"),
        ("·", "."),
        ("⊙", "(.)"),
        ("…", "..."),
        ("⟨", "<"),
        ("⟩", ">"),
        ("¯", "bar"),
        ("′", "'"),
        ("‖", if tag.contains("postfix") { ")" } else { "norm(" }),
    ];
    let table = LETTERS.iter().chain(FUNCTIONS).map(|(name, shown)| (*shown, *name));
    let found = table.chain(signs).find(|(sign, _)| *sign == shown);
    found.map_or_else(|| shown.to_owned(), |(_, name)| name.to_owned())
}

/// An element in ASCII: scripts with `_` and `^`, fractions with a slash, each part in square brackets for round ones.
fn ascii(element: &Element) -> String {
    let part = |at: usize| ascii(&element.inside[at]);
    let parts = match element.tag.split(' ').next().unwrap_or_default() {
        "msub" | "msup" | "mfrac" | "mover" => 2,
        "msubsup" => 3,
        _ => element.inside.len(),
    };
    assert_eq!(element.inside.len(), parts, "{}", element.tag);
    match element.tag.split(' ').next().unwrap_or_default() {
        "" => element.text.clone(),
        "mi" | "mo" | "mn" => typed(&element.inside[0].text, &element.tag),
        "msub" => format!("{}_{}", part(0), part(1)),
        "msup" => format!("{}^{}", part(0), part(1)),
        "msubsup" => format!("{}_{}^{}", part(0), part(1), part(2)),
        "mfrac" => format!("{}/{}", part(0), part(1)),
        "msqrt" => format!("sqrt {}", row(&element.inside)),
        "math" | "mrow" | "mtext" | "mover" | "span" => row(&element.inside),
        other => panic!("the element {other}"),
    }
}

fn row(elements: &[Element]) -> String {
    elements.iter().map(ascii).collect()
}

/// Without blanks and without what an index, a power and a fraction show by their place.
fn bare(text: &str) -> String {
    let kept = |sign: &char| !sign.is_whitespace() && !sign.is_control() && !"_^()".contains(*sign);
    text.chars().filter(kept).collect()
}

/// The text outside of formulas and the labels of these, one after the other.
fn labels(elements: &[Element], found: &mut String) {
    for element in elements {
        if let Some(label) = element.tag.strip_prefix("math aria-label=\"") {
            found.push_str(&unescape(label.trim_end_matches('"')));
        } else {
            found.push_str(&element.text);
            labels(&element.inside, found);
        }
    }
}

/// Checks that the page of a text says this text, in its labels and in what it shows.
fn says(text: &str) {
    let html = typeset(text);
    let elements = read(&html);
    let mut said = String::new();
    labels(&elements, &mut said);
    let packed = |text: &str| text.split_whitespace().collect::<String>();
    assert_eq!(packed(&said), packed(text), "{html}");
    assert_eq!(bare(&row(&elements)), bare(text), "{html}");
}

#[test]
fn every_text_of_the_audit_reads_back() {
    assert!(STATEMENTS.lines().count() > 150);
    STATEMENTS.lines().for_each(says);
}

/// What is shown, in ASCII with brackets for the parts of fractions.
fn shown(text: &str) -> String {
    fn bracketed(element: &Element) -> String {
        let parts: Vec<String> = element.inside.iter().map(bracketed).collect();
        match element.tag.split(' ').next().unwrap_or_default() {
            "mfrac" => format!("{{{} over {}}}", parts[0], parts[1]),
            "msub" => format!("{}_{}", parts[0], parts[1]),
            "msup" => format!("{}^{}", parts[0], parts[1]),
            "msubsup" => format!("{}_{}^{}", parts[0], parts[1], parts[2]),
            "msqrt" => format!("root[{}]", parts.concat()),
            "" => element.text.clone(),
            _ => parts.concat(),
        }
    }
    read(&typeset(text)).iter().map(bracketed).collect()
}

#[test]
fn a_fraction_means_what_the_slash_meant() {
    let cases = [
        ("g(0) exp(-2 nu lambda0^2 t/(rho + lambda0^2))", "g(0)exp(−{2νλ_0^2t over ρ+λ_0^2})"),
        ("8 sqrt(n) eps norm(K)/rho norm(b)", "{8root[n]ε‖K‖ over ρ}‖b‖"),
        ("x/(y + 1)^2 norm(b)^2", "{x over (y+1)^2}‖b‖^2"),
        ("K (I + K/rho0)^-1 K/rho0", "K(I+{K over ρ_0})^−1{K over ρ_0}"),
        ("inf norm(g)^2/(2 nu)", "inf{‖g‖^2 over 2ν}"),
        ("sqrt(2 nu/mu)/(alpha L)", "{root[2ν/μ] over αL}"),
        ("M^(3/2) w", "M^3/2w"),
        ("alpha = 1/8", "α=1/8"),
        // A bar would decide what the slash leaves open.
        ("x/y/z", "x/y/z"),
        ("x/2y", "x/2y"),
        ("log x/y", "logx/y"),
        ("x = 2 / least", "x=2/ least"),
    ];
    for (text, expected) in cases {
        assert_eq!(shown(text), expected, "{text}");
    }
}

#[test]
fn symbols_have_their_indices_and_powers() {
    let cases = [
        ("Delta_(k+1) -> w*", "Δ_k+1→w^*"),
        ("H_rho^-1 J^T", "H_ρ^−1J^T"),
        ("norm(W_k - W_0)_F >= |x|", "‖W_k−W_0‖_F≥|x|"),
        // A derivative of order k is not a power.
        ("sigma^(k) = 0", "σ^(k)=0"),
        ("D2f(w)[v, v] + Dphi(w)", "D^2f(w)[v,v]+Dφ(w)"),
        ("<grad g, J q> + ...", "⟨∇g,Jq⟩+…"),
        ("J = S (.) X", "J=S⊙X"),
        ("wbar_t != w'", "w¯_t≠w^′"),
    ];
    for (text, expected) in cases {
        assert_eq!(shown(text), expected, "{text}");
    }
}

#[test]
fn prose_stays_prose() {
    for text in [
        "Gauss-Newton's loss at a sample, of Theorem 5 in (23) or above",
        "exit_time and flow_rank_lost_time in audit.json",
        "the full rank, min over all, 12 rows - and more (a remark)",
        "A side could not be measured.",
    ] {
        assert_eq!(unescape(&typeset(text)), text);
    }
    assert_eq!(shown("B's radius for all t, t < T"), "B's radius for all t, t<T");
}

#[test]
fn markup_in_a_text_is_text() {
    let text = "<script>alert(1)</script> x <= \"y\" & <img src=x onerror=f()> '</math>";
    says(text);
    let html = typeset(text);
    for tag in ["<script", "<img", "</math>\""] {
        assert!(!html.contains(tag), "{html}");
    }
}

#[test]
fn long_and_deep_texts_end() {
    for part in ["(", "norm(", "|", "<a ", "x_", "a/", "^", "max ", "((x)", "w_0 + ", "x ", "1/x "]
    {
        says(&part.repeat(3_000));
        says(&format!("{}{}", part.repeat(500), ")".repeat(500)));
    }
}

#[test]
fn a_long_formula_is_several_elements() {
    let long =
        "norm(x) <= 8 n eps norm(K)/rho + norm(J(w) - J_0) + norm(f(w_1) - f(w_2) + J (w_1 - w_2))";
    let count = typeset(long).matches("<math").count();
    assert!(count > 3, "{count}");
    assert_eq!(typeset("x <= y").matches("<math").count(), 1);
}

/// Texts of the words and signs that formulas are made of, in any order.
fn jumble() -> impl Strategy<Value = String> {
    let parts = prop::sample::select(vec![
        "alpha", "w", "0", "lambda0", "norm(", "sqrt(", "sqrt", "(", ")", "[", "]", "{", "}", "|",
        "<", ">", "<=", "->", "...", ".", ",", ":", "+", "-", "/", "*", "'", "^", "_", "^2", "_k",
        "_(k+1)", " ", " ", " ", "the", "log", "sum", "grad", "max(", "rank", "Df", "D2f", "wbar",
        "dt", "a", "A", "1e-5", "&", "\"", "é",
    ]);
    prop::collection::vec(parts, 0..40).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn any_jumble_reads_back(text in jumble()) {
        says(&text);
    }

    #[test]
    fn any_text_is_whole_and_balanced(text in "\\PC{0,80}") {
        let elements = read(&typeset(&text));
        let mut said = String::new();
        labels(&elements, &mut said);
        let packed = |text: &str| text.split_whitespace().collect::<String>();
        prop_assert_eq!(packed(&said), packed(&unescape(&super::escape(&text))));
    }
}
