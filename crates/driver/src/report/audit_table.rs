//! The audit as a table of statements, each with its records to unfold, and links to its pictures.

use std::fmt::Write;

use gaussflow::theory::referee::Grade;
use gaussflow_records::AuditRecord;

use super::formula::typeset;
use super::markup::escape;
use super::pictures::Pictures;
use crate::conclusions::{Conclusions, Statement, Verdict, grade_of};
use crate::remark::digits;

/// Bytes of all records together; beyond them statements keep their row, not their records.
const MOST_DETAILS: usize = 900_000;
/// Records that a statement shows.
const MOST_RECORDS: usize = 40;

/// The audit as a table of statements; each unfolds its records, the worst first.
pub fn section(conclusions: &Conclusions<'_>, pictures: &Pictures<'_>) -> String {
    let statements = &conclusions.statements;
    if statements.is_empty() {
        return String::new();
    }
    let mut text = String::from(
        "<section id=\"audit\"><h2>Audit</h2>\n<p class=\"lead\">Every statement is turned to read left \u{2264} right; the \
         ratio is left over right at the worst point. Open a statement for its records.</p>\n<div \
         class=\"controls\"><label>Filter <input type=\"search\" data-filter=\"audit-table\" placeholder=\"statement, paper, \
         grade, run\"></label>\n<label>Verdict <select data-filter-verdict=\"audit-table\"><option \
         value=\"\">all</option>",
    );
    for verdict in Verdict::ALL.iter().filter(|v| statements.iter().any(|s| s.count(**v) > 0)) {
        let _ = write!(text, "<option value=\"{}\">{}</option>", verdict.word(), verdict.label());
    }
    text.push_str(
        "</select></label> <span class=\"count\" data-count=\"audit-table\" role=\"status\"></span></div>\n<div class=\"table\"><table id=\"audit-table\" \
         data-sortable><thead><tr><th>Statement</th><th>Paper</th><th>Where</th><th data-kind=\"number\">Grade</th><th data-kind=\"number\">Verdict</th><th \
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
    let grade = statement.records.iter().filter_map(|record| grade_of(record)).min();
    let held: Vec<&str> =
        Verdict::ALL.iter().filter(|v| statement.count(**v) > 0).map(|v| v.word()).collect();
    let _ = write!(
        text,
        "<tr data-verdicts=\"{}\"><td data-label=\"Statement\"><code>{}</code><div>{}</div><details><summary>{} \
         record{}</summary>{unfolded}</details></td><td data-label=\"Paper\">{}</td><td \
         data-label=\"Where\">{}</td><td data-label=\"Grade\" data-value=\"{}\">{}</td><td data-label=\"Verdict\" \
         data-value=\"{}\">",
        held.join(" "),
        escape(statement.id),
        typeset(&worst.statement),
        statement.records.len(),
        if statement.records.len() == 1 { "" } else { "s" },
        escape(&worst.paper),
        escape(&worst.place),
        grade.map_or(Grade::ALL.len(), |grade| grade as usize),
        grade.map_or("", Grade::name),
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
    for (at, record) in statement.records.iter().take(MOST_RECORDS).enumerate() {
        // The hypotheses of a statement are the same in all its records: typeset once, they keep the page small.
        one(text, record, if at == 0 { typeset } else { escape });
    }
    if statement.records.len() > MOST_RECORDS {
        let rest = statement.records.len() - MOST_RECORDS;
        let _ = write!(text, "<li class=\"note\">{rest} more in audit.json</li>");
    }
    text.push_str("</ul>");
}

/// A record, the names of its hypotheses as `named` writes them.
fn one(text: &mut String, record: &AuditRecord, named: fn(&str) -> String) {
    let verdict = Verdict::of(record);
    let side = |value: f64| if value.is_nan() { "none".to_owned() } else { digits(value, 5) };
    let _ = write!(
        text,
        "<li><span class=\"badge {}\">{}</span> <b>{}</b>",
        verdict.word(),
        verdict.label(),
        escape(&record.run)
    );
    if !(record.left.is_nan() && record.right.is_nan()) {
        let (left, right, tolerance) =
            (side(record.left), side(record.right), side(record.tolerance));
        let _ = write!(text, ": left {left}, right {right}, tolerance {tolerance}");
    }
    if let Some(excess) = record.excess_in_tolerances {
        let _ = write!(text, ", {} tolerances above", digits(excess, 3));
    }
    if !record.at.is_empty() {
        let _ = write!(text, ", at {}", escape(&record.at));
    }
    for hypothesis in &record.hypotheses {
        let met = if hypothesis.met { "met" } else { "not met" };
        let (value, threshold) = (side(hypothesis.value), side(hypothesis.threshold));
        let name = named(&hypothesis.name);
        let _ = write!(
            text,
            "<div>Hypothesis {met}: {name} (value {value}, threshold {threshold})</div>"
        );
    }
    if let Some(corrected) = &record.corrected {
        let verdict = Verdict::named(&corrected.verdict);
        let _ = write!(
            text,
            "<div>Instead: {} <span class=\"badge {}\">{}</span> ratio {}</div>",
            typeset(&corrected.statement),
            verdict.word(),
            verdict.label(),
            side(corrected.worst_ratio.unwrap_or(f64::NAN))
        );
    }
    if let (Some(grade), Some(consequence)) = (&record.grade, &record.consequence) {
        let version = record.version.as_deref().unwrap_or("version unknown");
        let (grade, consequence, version) = (escape(grade), escape(consequence), escape(version));
        let _ = write!(text, "<div>Grade {grade}: {consequence} (Read: {version}.)</div>");
    }
    if let Some(reason) = &record.no_correction {
        let _ = write!(text, "<div>Nothing takes its place: {}</div>", escape(reason));
    }
    if let Some(attack) = &record.adversary {
        let (family, problem) = (escape(&attack.family), escape(&attack.problem));
        let _ = write!(
            text,
            "<div>The largest ratio of {} problems of the family {family} (seed {}): {problem}</div>",
            attack.evaluations, attack.seed
        );
    }
    if !record.note.is_empty() {
        let _ = write!(text, "<div class=\"note\">{}</div>", escape(&record.note));
    }
    text.push_str("</li>");
}
