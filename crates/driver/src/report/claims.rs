//! claims.json as a table: on how many seeds each claim of section 5 holds, and its numbers.

use std::fmt::Write;

use gaussflow_records::Claim;

use super::formula::typeset;
use super::markup::{anchor, escape};
use crate::remark::digits;

/// On how many of how many seeds a claim holds.
pub fn tally(claim: &Claim) -> (usize, usize) {
    (claim.per_seed.iter().filter(|verdict| verdict.holds).count(), claim.per_seed.len())
}

/// How many claims are the paper's, and how many of these hold on every seed.
pub fn kept_everywhere(claims: &[Claim]) -> (usize, usize) {
    let of_paper = || claims.iter().filter(|claim| is_of_paper(claim));
    (of_paper().count(), of_paper().filter(|claim| tally(claim).0 == tally(claim).1).count())
}

/// Whether it is the paper's, and not what was found beside it.
pub fn is_of_paper(claim: &Claim) -> bool {
    claim.id.starts_with("experiment/")
}

/// The look of its badge.
pub fn class_of(claim: &Claim) -> &'static str {
    match tally(claim) {
        (holding, seeds) if holding == seeds => "holds",
        (0, _) => "violated",
        _ => "hypotheses-unmet",
    }
}

/// The id of its row.
pub fn row_id(claim: &Claim) -> String {
    anchor("claim", &claim.id)
}

/// The claims as a table, with the note and the numbers of the first seed to unfold.
pub fn section(claims: &[Claim]) -> String {
    if claims.is_empty() {
        return String::new();
    }
    let mut text = String::from(
        "<section id=\"claims\"><h2>Claims of section 5</h2>\n<div class=\"table\"><table id=\"claims-table\" \
         data-sortable><thead><tr><th scope=\"col\" data-kind=\"number\">Seeds</th><th scope=\"col\">Claim</th><th \
         scope=\"col\">Predicate</th></tr></thead>\n<tbody>\n",
    );
    for claim in claims {
        let (holding, seeds) = tally(claim);
        let _ = write!(
            text,
            "<tr id=\"{}\"><td data-label=\"Seeds\" data-value=\"{}\"><span class=\"badge {}\">{holding} of \
             {seeds}</span></td><td data-label=\"Claim\" data-anchor><code>{}</code></td><td data-label=\"Predicate\">",
            row_id(claim),
            digits(claim.holds_fraction, 4),
            class_of(claim),
            escape(&claim.id),
        );
        predicate(&mut text, claim);
        text.push_str("</td></tr>\n");
    }
    text.push_str("</tbody></table></div></section>\n");
    text
}

/// What is claimed; a note and numbers are folded below it.
fn predicate(text: &mut String, claim: &Claim) {
    let said = typeset(&claim.predicate);
    let first = claim.per_seed.first().filter(|first| !first.values.is_empty());
    if claim.note.is_empty() && first.is_none() {
        text.push_str(&said);
        return;
    }
    let _ = write!(text, "<details><summary class=\"plain\">{said}</summary>");
    if !claim.note.is_empty() {
        let _ = write!(text, "<p class=\"note\">{}</p>", escape(&claim.note));
    }
    if let Some(first) = first {
        let _ = write!(
            text,
            "<p class=\"note\">Numbers of seed {}:</p><dl class=\"numbers\">",
            first.seed
        );
        for (name, value) in &first.values {
            let _ = write!(text, "<dt>{}</dt><dd>{}</dd>", escape(name), digits(*value, 6));
        }
        text.push_str("</dl>");
    }
    text.push_str("</details>");
}
