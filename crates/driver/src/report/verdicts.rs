//! The verdicts: claims of section 5 by seeds, and the audit counted by verdict and statement by statement.

use std::fmt::Write;

use super::audit::{AuditEntry, Statement, Verdict};
use super::charts::digits;
use super::markup::{address, escape};
use super::pictures::Pictures;
use crate::records::Claim;

/// Bytes of the audit's details; beyond them statements keep their row, not their records.
const MOST_DETAILS: usize = 600_000;
/// Records that a statement shows.
const MOST_RECORDS: usize = 40;

/// On how many of how many seeds a claim holds.
pub fn tally(claim: &Claim) -> (usize, usize) {
    (claim.per_seed.iter().filter(|verdict| verdict.holds).count(), claim.per_seed.len())
}

/// The tiles of the first screen: claims that hold everywhere, and statements by verdict.
pub fn tiles(claims: &[Claim], statements: &[Statement<'_>]) -> String {
    let mut text = String::new();
    if claims.is_empty() && statements.is_empty() {
        return text;
    }
    text.push_str("<section id=\"verdicts\"><h2>Verdicts</h2>\n<ul class=\"tiles\">\n");
    if !claims.is_empty() {
        let everywhere = claims.iter().filter(|claim| tally(claim).0 == tally(claim).1).count();
        let class = if everywhere == claims.len() { "holds" } else { "violated" };
        tile(
            &mut text,
            class,
            "#claims",
            &format!("{everywhere} of {}", claims.len()),
            "claims of section 5 hold on every seed",
        );
    }
    for verdict in Verdict::ALL {
        let decided = statements.iter().filter(|s| s.verdict() == verdict).count();
        if decided > 0 {
            let noun = if decided == 1 { "statement" } else { "statements" };
            let text_of = format!("audited {noun}: {}", verdict.label());
            tile(&mut text, verdict.word(), "#audit", &decided.to_string(), &text_of);
        }
    }
    text.push_str("</ul>\n");
    if !statements.is_empty() {
        text.push_str(
            "<p class=\"note\">A statement counts by its strongest verdict: one violation on one run is enough. A \
             violated statement is a result, not an error of the program.</p>\n",
        );
    }
    text.push_str("</section>\n");
    text
}

fn tile(text: &mut String, class: &str, target: &str, count: &str, label: &str) {
    let _ = writeln!(
        text,
        "<li><a class=\"tile {class}\" href=\"{target}\"><strong>{count}</strong> <span>{label}</span></a></li>"
    );
}

/// The claims as a table, with the numbers of the first seed to unfold.
pub fn claims(claims: &[Claim]) -> String {
    if claims.is_empty() {
        return String::new();
    }
    let mut text = String::from(
        "<section id=\"claims\"><h2>Claims of section 5</h2>\n<div class=\"table\"><table \
         data-sortable><thead><tr><th>Claim</th><th data-kind=\"number\">Holds on</th><th>Predicate</th></tr></thead>\n<tbody>\n",
    );
    for claim in claims {
        let (holding, seeds) = tally(claim);
        let class = match holding {
            _ if holding == seeds => "holds",
            0 => "violated",
            _ => "hypotheses-unmet",
        };
        let _ = write!(
            text,
            "<tr><td data-label=\"Claim\"><code>{}</code></td><td data-label=\"Holds on\" data-value=\"{}\"><span \
             class=\"badge {class}\">{holding} of {seeds}</span></td><td data-label=\"Predicate\">{}",
            escape(&claim.id),
            digits(claim.holds_fraction, 4),
            escape(&claim.predicate)
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

/// The audit as a table of statements; each unfolds its records, the worst first.
pub fn audit(statements: &[Statement<'_>], pictures: &Pictures<'_>) -> String {
    if statements.is_empty() {
        return String::new();
    }
    let mut text = String::from(
        "<section id=\"audit\"><h2>Audit</h2>\n<p class=\"lead\">Every statement is turned to read left \u{2264} right; the \
         ratio is left over right at the worst point. Open a statement for its records.</p>\n<div \
         class=\"controls\"><label>Filter <input type=\"search\" data-filter=\"audit-table\" placeholder=\"statement, \
         place, run\"></label>\n<label>Verdict <select data-filter-verdict=\"audit-table\"><option \
         value=\"\">all</option>",
    );
    for verdict in Verdict::ALL.into_iter().filter(|v| statements.iter().any(|s| s.count(*v) > 0)) {
        let _ = write!(text, "<option value=\"{}\">{}</option>", verdict.word(), verdict.label());
    }
    text.push_str(
        "</select></label> <span class=\"count\" data-count=\"audit-table\" role=\"status\"></span></div>\n<div class=\"table\"><table id=\"audit-table\" \
         data-sortable><thead><tr><th>Statement</th><th>Where</th><th data-kind=\"number\">Verdict</th><th \
         data-kind=\"number\">Worst ratio</th><th data-kind=\"number\">Records</th><th>Pictures</th></tr></thead>\n<tbody>\n",
    );
    let mut details = 0;
    for statement in statements {
        let mut unfolded = String::new();
        if details < MOST_DETAILS {
            records(&mut unfolded, statement);
            details += unfolded.len();
        } else {
            unfolded.push_str("<p class=\"note\">Its records are in audit.json: this page would grow too long.</p>");
        }
        row(&mut text, statement, &unfolded, pictures);
    }
    text.push_str("</tbody></table></div></section>\n");
    text
}

/// A statement's row.
fn row(text: &mut String, statement: &Statement<'_>, unfolded: &str, pictures: &Pictures<'_>) {
    let verdict = statement.verdict();
    let Some(worst) = statement.records.first() else { return };
    let held: Vec<&str> =
        Verdict::ALL.into_iter().filter(|v| statement.count(*v) > 0).map(Verdict::word).collect();
    let _ = write!(
        text,
        "<tr data-verdicts=\"{}\"><td data-label=\"Statement\"><code>{}</code><div>{}</div><details><summary>{} \
         record{}</summary>{unfolded}</details></td><td data-label=\"Where\">{}</td><td data-label=\"Verdict\" \
         data-value=\"{}\">",
        held.join(" "),
        escape(statement.id),
        escape(&worst.statement),
        statement.records.len(),
        if statement.records.len() == 1 { "" } else { "s" },
        escape(&worst.place),
        verdict as u8,
    );
    for verdict in Verdict::ALL {
        let count = statement.count(verdict);
        if count > 0 {
            let _ = write!(
                text,
                "<span class=\"badge {}\">{count} {}</span> ",
                verdict.word(),
                verdict.label()
            );
        }
    }
    let _ = write!(
        text,
        "</td><td data-label=\"Worst ratio\"{}>{}</td><td data-label=\"Records\">{}</td><td data-label=\"Pictures\">",
        worst.worst_ratio.map(|ratio| format!(" data-value=\"{ratio:e}\"")).unwrap_or_default(),
        worst.worst_ratio.map_or_else(|| "none".to_owned(), |ratio| digits(ratio, 4)),
        statement.records.len(),
    );
    let named = statement.records.iter().flat_map(|record| &record.figures);
    for (target, title) in pictures.of_statement(statement.id, named) {
        let _ = write!(text, "<a href=\"{target}\">{}</a> ", escape(&title));
    }
    text.push_str("</td></tr>\n");
}

/// The records of a statement.
fn records(text: &mut String, statement: &Statement<'_>) {
    text.push_str("<ul class=\"records\">");
    for record in statement.records.iter().take(MOST_RECORDS) {
        one(text, record);
    }
    if statement.records.len() > MOST_RECORDS {
        let rest = statement.records.len() - MOST_RECORDS;
        let _ = write!(text, "<li class=\"note\">{rest} more in audit.json</li>");
    }
    text.push_str("</ul>");
}

fn one(text: &mut String, record: &AuditEntry) {
    let verdict = Verdict::of(&record.verdict);
    let side = |side: Option<f64>| side.map_or_else(|| "none".to_owned(), |value| digits(value, 5));
    let _ = write!(
        text,
        "<li><span class=\"badge {}\">{}</span> <b>{}</b>",
        verdict.word(),
        verdict.label(),
        escape(&record.run)
    );
    if record.left.is_some() || record.right.is_some() {
        let (left, right, tolerance) =
            (side(record.left), side(record.right), side(record.tolerance));
        let _ = write!(text, ": left {left}, right {right}, tolerance {tolerance}");
    }
    if !record.at.is_empty() {
        let _ = write!(text, ", at {}", escape(&record.at));
    }
    for hypothesis in &record.hypotheses {
        let met = if hypothesis.met { "met" } else { "not met" };
        let (value, threshold) = (side(hypothesis.value), side(hypothesis.threshold));
        let name = escape(&hypothesis.name);
        let _ = write!(
            text,
            "<div>Hypothesis {met}: {name} (value {value}, threshold {threshold})</div>"
        );
    }
    if let Some(corrected) = &record.corrected {
        let verdict = Verdict::of(&corrected.verdict);
        let _ = write!(
            text,
            "<div>Instead: {} <span class=\"badge {}\">{}</span> ratio {}</div>",
            escape(&corrected.statement),
            verdict.word(),
            verdict.label(),
            side(corrected.worst_ratio)
        );
    }
    if !record.note.is_empty() {
        let _ = write!(text, "<div class=\"note\">{}</div>", escape(&record.note));
    }
    text.push_str("</li>");
}

/// Links to the files beside the page that hold more.
pub fn file_links(files: &[&str]) -> String {
    let link = |name: &&str| format!("<a href=\"{}\">{}</a>", address(name), escape(name));
    files.iter().map(link).collect::<Vec<_>>().join(", ")
}
