//! claims.json as a table: on how many seeds each claim of section 5 holds, and its numbers.

use std::fmt::Write;

use gaussflow_records::Claim;

use super::formula::typeset;
use super::markup::escape;
use crate::remark::digits;

/// On how many of how many seeds a claim holds.
pub fn tally(claim: &Claim) -> (usize, usize) {
    (claim.per_seed.iter().filter(|verdict| verdict.holds).count(), claim.per_seed.len())
}

/// How many claims are the paper's, and how many of these hold on every seed.
pub fn kept_everywhere(claims: &[Claim]) -> (usize, usize) {
    let of_paper = || claims.iter().filter(|claim| claim.id.starts_with("experiment/"));
    (of_paper().count(), of_paper().filter(|claim| tally(claim).0 == tally(claim).1).count())
}

/// The look of its badge.
pub fn class_of(claim: &Claim) -> &'static str {
    match tally(claim) {
        (holding, seeds) if holding == seeds => "holds",
        (0, _) => "violated",
        _ => "hypotheses-unmet",
    }
}

/// The claims as a table, with the numbers of the first seed to unfold.
pub fn section(claims: &[Claim]) -> String {
    if claims.is_empty() {
        return String::new();
    }
    let mut text = String::from(
        "<section id=\"claims\"><h2>Claims of section 5</h2>\n<div class=\"table\"><table \
         data-sortable><thead><tr><th>Claim</th><th data-kind=\"number\">Holds on</th><th>Predicate</th></tr></thead>\n<tbody>\n",
    );
    for claim in claims {
        let (holding, seeds) = tally(claim);
        let class = class_of(claim);
        let _ = write!(
            text,
            "<tr><td data-label=\"Claim\"><code>{}</code></td><td data-label=\"Holds on\" data-value=\"{}\"><span \
             class=\"badge {class}\">{holding} of {seeds}</span></td><td data-label=\"Predicate\">{}",
            escape(&claim.id),
            digits(claim.holds_fraction, 4),
            typeset(&claim.predicate)
        );
        if !claim.note.is_empty() {
            let _ = write!(text, "<p class=\"note\">{}</p>", escape(&claim.note));
        }
        if let Some(first) = claim.per_seed.first().filter(|first| !first.values.is_empty()) {
            let _ = write!(
                text,
                "<details><summary>Numbers of seed {}</summary><dl class=\"numbers\">",
                first.seed
            );
            for (name, value) in &first.values {
                let _ = write!(text, "<dt>{}</dt><dd>{}</dd>", escape(name), digits(*value, 6));
            }
            text.push_str("</dl></details>");
        }
        text.push_str("</td></tr>\n");
    }
    text.push_str("</tbody></table></div></section>\n");
    text
}
