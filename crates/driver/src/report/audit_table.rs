//! The audit, folded by paper: tables of statements, each with its records to unfold, and links to its figures.

use std::fmt::Write;

use gaussflow::theory::papers;
use gaussflow::theory::referee::Grade;
use gaussflow_records::AuditRecord;

use super::formula::typeset;
use super::markup::{address, anchor, escape};
use super::pictures::Pictures;
use crate::conclusions::{Conclusions, Statement, Verdict, grade_of, report_file};
use crate::remark::digits;

/// Bytes of all records together; beyond them statements keep their row, not their records.
const MOST_DETAILS: usize = 900_000;
/// Records that a statement shows.
const MOST_RECORDS: usize = 40;

/// The audit, folded by paper: each a table of its statements, which unfold their records, the worst first.
pub fn section(
    papers: &[(&str, Conclusions<'_>)],
    pictures: &Pictures<'_>,
    files: &[String],
) -> String {
    if papers.is_empty() {
        return String::new();
    }
    let mut text = String::from(
        "<section id=\"audit\"><h2>Audit</h2>\n<p class=\"lead\">Every statement is written as left \u{2264} right; the \
         ratio is left over right where it is largest. Open a paper for its statements, and a statement for its records.</p>\n<div \
         class=\"controls\"><label>Filter <input type=\"search\" data-filter=\"audit\" placeholder=\"statement, grade, \
         run\"></label>\n<label>Paper <select data-filter-paper=\"audit\"><option value=\"\">all</option>",
    );
    for (key, _) in papers {
        let key = escape(key);
        let _ = write!(text, "<option value=\"{key}\">{key}</option>");
    }
    text.push_str(
        "</select></label>\n<label>Verdict <select data-filter-verdict=\"audit\"><option value=\"\">all</option>",
    );
    let all = || papers.iter().flat_map(|(_, conclusions)| &conclusions.statements);
    for verdict in Verdict::ALL.iter().filter(|verdict| all().any(|s| s.verdict() == **verdict)) {
        let _ = write!(text, "<option value=\"{}\">{}</option>", verdict.word(), verdict.label());
    }
    text.push_str(
        "</select></label> <span class=\"count\" data-count=\"audit\" role=\"status\"></span></div>\n",
    );
    let mut details = 0;
    for (key, conclusions) in papers {
        of_paper(&mut text, (key, conclusions), pictures, files, &mut details);
    }
    text.push_str("</section>\n");
    text
}

/// One paper's statements; `details` are the bytes that records have taken so far.
fn of_paper(
    text: &mut String,
    (key, conclusions): (&str, &Conclusions<'_>),
    pictures: &Pictures<'_>,
    files: &[String],
    details: &mut usize,
) {
    let _ = write!(
        text,
        "<details class=\"fold\" id=\"{}\" data-anchor data-print data-paper=\"{}\"><summary><span \
         class=\"name\">{}</span> ",
        anchor("paper", key),
        escape(key),
        paper_name(key),
    );
    for &verdict in Verdict::ALL {
        let count = conclusions.with_verdict(verdict);
        if count > 0 {
            let (word, label) = (verdict.word(), verdict.label());
            let _ = write!(text, "<span class=\"badge {word}\">{count} {label}</span> ");
        }
    }
    let _ = write!(text, "</summary>\n<p class=\"note\">{}", escape(&conclusions.in_words()));
    let file = report_file(key);
    if files.contains(&file) {
        let _ = write!(text, " <a href=\"{}\">The whole referee report</a>", address(&file));
    }
    let _ = write!(
        text,
        "</p>\n<div class=\"table\"><table id=\"{}\" class=\"statements\" data-table=\"audit\" \
         data-sortable><thead><tr><th scope=\"col\">Statement</th><th scope=\"col\">Where</th><th scope=\"col\" \
         data-kind=\"number\">Grade</th><th scope=\"col\" data-kind=\"number\">Verdict</th><th scope=\"col\" \
         data-kind=\"number\">Worst ratio</th><th scope=\"col\" data-kind=\"none\">Figures</th></tr></thead>\n<tbody>\n",
        anchor("statements", key),
    );
    for statement in &conclusions.statements {
        let mut unfolded = String::new();
        if *details < MOST_DETAILS {
            records(&mut unfolded, statement);
            *details += unfolded.len();
        } else {
            unfolded.push_str("<p class=\"note\">Its records are in audit.json: this page would grow too long.</p>");
        }
        row(text, statement, &unfolded, pictures);
    }
    text.push_str("</tbody></table></div></details>\n");
}

/// Authors and title of a paper, where the key is known.
pub fn paper_name(key: &str) -> String {
    papers::ALL.iter().find(|paper| paper.key == key).map_or_else(
        || escape(key),
        |paper| {
            let authors = escape(paper.authors);
            let comma = if authors.is_empty() { "" } else { ", " };
            format!("{authors}{comma}<cite>{}</cite>", escape(paper.title))
        },
    )
}

/// The id of a statement's row.
pub fn row_id(statement: &str) -> String {
    anchor("statement", statement)
}

/// A statement's row.
fn row(text: &mut String, statement: &Statement<'_>, unfolded: &str, pictures: &Pictures<'_>) {
    let verdict = statement.verdict();
    let Some(worst) = statement.records.first() else { return };
    let grade = statement.records.iter().filter_map(|record| grade_of(record)).min();
    // A check of the folder is no statement of a paper: the tiles do not count it, nor does the filter by verdict.
    let judged = if statement.is_of_a_paper() { verdict.word() } else { "" };
    let _ = write!(
        text,
        "<tr id=\"{}\" data-verdict=\"{judged}\"><td data-label=\"Statement\" \
         data-anchor><code>{}</code><div>{}</div><details><summary>{} record{}</summary>{unfolded}</details></td><td \
         data-label=\"Where\">{}</td><td data-label=\"Grade\" data-value=\"{}\">{}</td><td data-label=\"Verdict\" \
         data-value=\"{}\">",
        row_id(statement.id),
        escape(statement.id),
        typeset(&worst.statement),
        statement.records.len(),
        if statement.records.len() == 1 { "" } else { "s" },
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
        "</td><td data-label=\"Worst ratio\"{}>{}</td><td data-label=\"Figures\">",
        worst.worst_ratio.map(|ratio| format!(" data-value=\"{ratio:e}\"")).unwrap_or_default(),
        worst.worst_ratio.map_or_else(|| "none".to_owned(), |ratio| digits(ratio, 4)),
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
