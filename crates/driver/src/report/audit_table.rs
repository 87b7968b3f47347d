//! The audit as a table of statements, each with its records to unfold, and links to its pictures.

use std::fmt::Write;

use super::audit::{AuditEntry, Statement, Verdict};
use super::markup::escape;
use super::pictures::Pictures;
use crate::remark::digits;

/// Bytes of all records together; beyond them statements keep their row, not their records.
const MOST_DETAILS: usize = 600_000;
/// Records that a statement shows.
const MOST_RECORDS: usize = 40;

/// The audit as a table of statements; each unfolds its records, the worst first.
pub fn section(statements: &[Statement<'_>], pictures: &Pictures<'_>) -> String {
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
    for verdict in Verdict::ALL.iter().filter(|v| statements.iter().any(|s| s.count(**v) > 0)) {
        let _ = write!(text, "<option value=\"{}\">{}</option>", verdict.word(), verdict.label());
    }
    text.push_str(
        "</select></label> <span class=\"count\" data-count=\"audit-table\" role=\"status\"></span></div>\n<div class=\"table\"><table id=\"audit-table\" \
         data-sortable><thead><tr><th>Statement</th><th>Where</th><th data-kind=\"number\">Verdict</th><th \
         data-kind=\"number\">Worst ratio</th><th data-kind=\"number\">Records</th><th data-kind=\"none\">Pictures</th></tr></thead>\n<tbody>\n",
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
        Verdict::ALL.iter().filter(|v| statement.count(**v) > 0).map(|v| v.word()).collect();
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
    for &verdict in Verdict::ALL {
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
