//! audit.md, the referee report: conclusions and findings first (`page`), then tables, constants and every record.

use std::fmt::{self, Write};

use gaussflow::theory::referee::{Measurements, Paper};
use gaussflow_records::AuditRecord;

use super::page;
use crate::conclusions::{Conclusions, Statement, Verdict};
use crate::remark::digits;

/// What is audited.
#[derive(Clone, Copy)]
pub enum Subject<'a> {
    /// A paper, on the planned runs.
    Paper(&'a Paper),
    /// A run of the user's, by its name.
    Run(&'a str),
}

/// The text of audit.md.
pub fn markdown(
    records: &[AuditRecord],
    found: &Measurements,
    figures: &[String],
    subject: Subject<'_>,
) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = write_report(&mut text, records, found, figures, subject);
    text
}

fn write_report(
    text: &mut String,
    records: &[AuditRecord],
    found: &Measurements,
    figures: &[String],
    subject: Subject<'_>,
) -> fmt::Result {
    let conclusions = Conclusions::of(records);
    page::write_page(text, &conclusions, subject)?;
    page::write_findings(text, &conclusions)?;
    if !figures.is_empty() {
        writeln!(text, "## Pictures\n")?;
        for stem in figures {
            writeln!(text, "![{stem}](figures/{stem}.png)\n")?;
        }
    }
    page::write_attacks(text, records)?;
    tables(text, found)?;
    constants(text, found)?;
    writeln!(
        text,
        "## The statements, one by one\n\nA statement reads left ≤ right; it holds where left ≤ right + \
         tolerance (rounding and integration). The ratio is left/right at the worst point.\n"
    )?;
    summary(text, &conclusions)?;
    for (number, group) in conclusions.statements.iter().enumerate() {
        statement(text, number + 1, group)?;
    }
    Ok(())
}

fn summary(text: &mut String, conclusions: &Conclusions<'_>) -> fmt::Result {
    writeln!(
        text,
        "| # | statement | where | verdict | held | violated | unmet | worst ratio | corrected |\n\
         |---|---|---|---|---|---|---|---|---|"
    )?;
    for (number, group) in conclusions.statements.iter().enumerate() {
        let Some(record) = group.records.first() else { continue };
        let corrected = record
            .corrected
            .as_ref()
            .map_or(String::new(), |c| format!("{} ({})", c.verdict, ratio(c.worst_ratio)));
        writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} | {} | {} | {corrected} |",
            number + 1,
            group.id,
            record.place,
            emphasized(group.verdict()),
            group.count(Verdict::Holds),
            group.count(Verdict::Violated),
            group.count(Verdict::HypothesesUnmet),
            ratio(record.worst_ratio)
        )?;
    }
    writeln!(text)
}

fn emphasized(verdict: Verdict) -> String {
    match verdict {
        Verdict::Violated => "**violated**".to_owned(),
        other => other.label().to_owned(),
    }
}

/// The tables of the runs that belong to no record.
fn tables(text: &mut String, found: &Measurements) -> fmt::Result {
    for table in &found.tables {
        writeln!(text, "## {}\n", table.title)?;
        writeln!(text, "| {} |\n|{}", table.head.join(" | "), "---|".repeat(table.head.len()))?;
        for row in &table.rows {
            writeln!(text, "| {} |", row.join(" | "))?;
        }
        writeln!(text, "\n{}\n", table.legend)?;
    }
    Ok(())
}

fn constants(text: &mut String, found: &Measurements) -> fmt::Result {
    if found.constants.is_empty() {
        return Ok(());
    }
    writeln!(text, "## Constants and their provenance\n")?;
    for (name, table) in &found.constants {
        writeln!(text, "**{name}**\n\n| constant | value | provenance |\n|---|---|---|")?;
        for row in table {
            writeln!(text, "| {} | {} | {} |", row.name, number(row.value), row.provenance.name())?;
        }
        writeln!(text)?;
    }
    Ok(())
}

/// One statement with all its records.
fn statement(text: &mut String, number: usize, group: &Statement<'_>) -> fmt::Result {
    writeln!(text, "### {number}. {}\n", group.id)?;
    let mut told: Vec<(&str, &str)> = Vec::new();
    for record in &group.records {
        let key = (record.place.as_str(), record.statement.as_str());
        if told.contains(&key) {
            continue;
        }
        told.push(key);
        writeln!(text, "{}: `{}`\n", record.place, record.statement)?;
        writeln!(
            text,
            "| run | left | right | tolerance | ratio | verdict | worst at |\n|---|---|---|---|---|---|---|"
        )?;
        let same: Vec<_> = group
            .records
            .iter()
            .filter(|r| (r.place.as_str(), r.statement.as_str()) == key)
            .collect();
        for r in &same {
            writeln!(
                text,
                "| {} | {} | {} | {:.1e} | {} | {} | {} |",
                r.run,
                self::number(r.left),
                self::number(r.right),
                r.tolerance,
                ratio(r.worst_ratio),
                r.verdict,
                r.at
            )?;
        }
        writeln!(text)?;
        hypotheses(text, &same)?;
        corrections(text, &same)?;
        notes(text, &same)?;
    }
    Ok(())
}

/// The unmet hypotheses in full; of the met ones the first record's.
fn hypotheses(text: &mut String, records: &[&&AuditRecord]) -> fmt::Result {
    if let Some(first) = records.iter().find(|r| !r.hypotheses.is_empty()) {
        let list: Vec<String> = first
            .hypotheses
            .iter()
            .map(|h| {
                let word = if h.met { "met" } else { "not met" };
                format!("{} {} ({}, {word})", h.name, number(h.threshold), number(h.value))
            })
            .collect();
        writeln!(text, "Hypotheses ({}): {}.\n", first.run, list.join("; "))?;
    }
    for record in records.iter().skip(1) {
        for h in record.hypotheses.iter().filter(|h| !h.met) {
            writeln!(
                text,
                "Not met on {}: {} {} ({}).\n",
                record.run,
                h.name,
                number(h.threshold),
                number(h.value)
            )?;
        }
    }
    Ok(())
}

fn corrections(text: &mut String, records: &[&&AuditRecord]) -> fmt::Result {
    for record in records {
        let Some(c) = &record.corrected else { continue };
        writeln!(
            text,
            "Corrected ({}): `{}`: {} against {}, ratio {}, **{}**.\n",
            record.run,
            c.statement,
            number(c.left),
            number(c.right),
            ratio(c.worst_ratio),
            c.verdict
        )?;
    }
    Ok(())
}

/// Each note once.
fn notes(text: &mut String, records: &[&&AuditRecord]) -> fmt::Result {
    let mut told: Vec<&str> = Vec::new();
    for record in records {
        let note = record.note.as_str();
        if !note.is_empty() && !told.contains(&note) {
            told.push(note);
            writeln!(text, "Note ({}): {note}\n", record.run)?;
        }
    }
    Ok(())
}

pub(super) fn ratio(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), number)
}

/// Four significant digits, plain where short.
pub(super) fn number(value: f64) -> String {
    if value.is_finite() { digits(value, 4) } else { value.to_string() }
}
