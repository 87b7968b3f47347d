//! audit.md: the referee report. Summary first, then what fails, the constants, and each statement.

use std::fmt::{self, Write};

use gaussflow::theory::Verdict;
use gaussflow::theory::audit::plan::Findings;
use gaussflow_records::AuditRecord;

/// What is audited.
#[derive(Clone, Copy, Debug)]
pub enum Subject<'a> {
    /// The paper, on the planned runs.
    Paper,
    /// A run of the user's, by its name.
    Run(&'a str),
}

/// The text of audit.md.
pub fn markdown(
    records: &[AuditRecord],
    findings: &Findings,
    figures: &[&str],
    subject: Subject<'_>,
) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = write_report(&mut text, records, findings, figures, subject);
    text
}

/// The records of one statement.
struct Group<'a> {
    id: &'a str,
    records: Vec<&'a AuditRecord>,
}

impl Group<'_> {
    fn count(&self, verdict: Verdict) -> usize {
        self.records.iter().filter(|r| r.verdict == verdict.name()).count()
    }

    /// One word for the statement: the verdict that says most.
    fn overall(&self) -> Verdict {
        let order = Verdict::ALL;
        order.into_iter().find(|v| self.count(*v) > 0).unwrap_or(Verdict::NotApplicable)
    }

    /// The record that decides the overall verdict: of those the one with the largest ratio.
    fn deciding(&self) -> Option<&AuditRecord> {
        let verdict = self.overall().name();
        let decides = self.records.iter().filter(|r| r.verdict == verdict);
        let key = |r: &AuditRecord| r.worst_ratio.unwrap_or(f64::INFINITY);
        decides.copied().max_by(|a, b| key(a).total_cmp(&key(b)))
    }
}

fn groups(records: &[AuditRecord]) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for record in records {
        match groups.last_mut() {
            Some(group) if group.id == record.id => group.records.push(record),
            _ => groups.push(Group { id: &record.id, records: vec![record] }),
        }
    }
    groups
}

fn write_report(
    text: &mut String,
    records: &[AuditRecord],
    findings: &Findings,
    figures: &[&str],
    subject: Subject<'_>,
) -> fmt::Result {
    let groups = groups(records);
    match subject {
        Subject::Paper => writeln!(
            text,
            "# Referee report: Gauss-Newton Dynamics for Neural Networks\n\nThe statements of the paper \
             (arXiv 2412.14031, an early version), each measured where its hypotheses hold. \
             Verdicts come from the numbers alone; all of them are in audit.json.\n"
        )?,
        Subject::Run(name) => writeln!(text, "# Audit of the run `{name}`\n")?,
    }
    summary(text, &groups, records.len())?;
    failures(text, &groups)?;
    if !figures.is_empty() {
        writeln!(text, "## Pictures\n")?;
        for stem in figures {
            writeln!(text, "![{stem}](figures/{stem}.png)\n")?;
        }
    }
    rates(text, findings)?;
    constants(text, findings)?;
    writeln!(
        text,
        "## The statements, one by one\n\nA statement reads left ≤ right; it holds where left ≤ right + \
         tolerance (rounding and integration). The ratio is left/right at the worst point.\n"
    )?;
    for (number, group) in groups.iter().enumerate() {
        statement(text, number + 1, group)?;
    }
    Ok(())
}

fn summary(text: &mut String, groups: &[Group<'_>], records: usize) -> fmt::Result {
    let of = |verdict: Verdict| groups.iter().filter(|g| g.overall() == verdict).count();
    writeln!(text, "## Summary\n")?;
    writeln!(
        text,
        "{} statements, {records} records. **{}** hold on every run where their hypotheses are met, **{}** are \
         violated on at least one, {} have hypotheses that no run here meets, {} are reported only, {} do not \
         apply.\n",
        groups.len(),
        of(Verdict::Holds),
        of(Verdict::Violated),
        of(Verdict::HypothesesUnmet),
        of(Verdict::Reported),
        of(Verdict::NotApplicable)
    )?;
    writeln!(
        text,
        "| # | statement | where | verdict | held | violated | unmet | worst ratio | corrected |\n\
         |---|---|---|---|---|---|---|---|---|"
    )?;
    for (number, group) in groups.iter().enumerate() {
        let Some(record) = group.deciding() else { continue };
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
            emphasized(group.overall()),
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
        other => other.name().to_owned(),
    }
}

/// The statements that fail, with what holds instead.
fn failures(text: &mut String, groups: &[Group<'_>]) -> fmt::Result {
    let failing: Vec<_> = groups.iter().filter(|g| g.overall() == Verdict::Violated).collect();
    if failing.is_empty() {
        return writeln!(text, "No statement is violated.\n");
    }
    writeln!(text, "## What fails, and what holds instead\n")?;
    for group in failing {
        let mut places: Vec<&str> = Vec::new();
        let violated = Verdict::Violated.name();
        for record in group.records.iter().filter(|r| r.verdict == violated) {
            if places.contains(&record.place.as_str()) {
                continue;
            }
            places.push(&record.place);
            let same = |r: &&&AuditRecord| r.verdict == violated && r.place == record.place;
            let key = |r: &AuditRecord| r.worst_ratio.unwrap_or(f64::INFINITY);
            let all: Vec<_> = group.records.iter().filter(same).collect();
            let worst = all.iter().copied().max_by(|a, b| key(a).total_cmp(&key(b)));
            let Some(worst) = worst else { continue };
            writeln!(
                text,
                "- **{}**, {}: `{}`. Violated on {} of {} runs; worst on {}, {}: {} against {} (ratio {}).",
                group.id,
                worst.place,
                worst.statement,
                all.len(),
                group.records.iter().filter(|r| r.place == record.place).count(),
                worst.run,
                worst.at,
                number(worst.left),
                number(worst.right),
                ratio(worst.worst_ratio)
            )?;
            if let Some(c) = &worst.corrected {
                writeln!(
                    text,
                    "  Instead: `{}`: {} (ratio {}).",
                    c.statement,
                    c.verdict,
                    ratio(c.worst_ratio)
                )?;
            }
            if !worst.note.is_empty() {
                writeln!(text, "  {}", worst.note)?;
            }
        }
    }
    writeln!(text)
}

/// Slopes by conditioning, and rates of the schedules.
fn rates(text: &mut String, findings: &Findings) -> fmt::Result {
    if !findings.slopes.is_empty() {
        writeln!(text, "## Rates against conditioning\n")?;
        writeln!(text, "| cond(H₀) | Gauss-Newton | gradient flow |\n|---|---|---|")?;
        for s in &findings.slopes {
            writeln!(text, "| {:.1e} | {:.5} | {:.3e} |", s.condition, s.newton, s.gradient)?;
        }
        writeln!(text, "\nSlopes of −log Δₜ over Δ/Δ₀ in [1e−6, 1e−1], underparameterized.\n")?;
    }
    if !findings.schedule_rates.is_empty() {
        writeln!(
            text,
            "| damping | cond(K₀) | −log factor a step | rejected |\n|---|---|---|---|"
        )?;
        for r in &findings.schedule_rates {
            writeln!(
                text,
                "| {} | {:.1e} | {:.4} | {} |",
                r.schedule, r.condition, r.rate, r.rejected
            )?;
        }
        writeln!(
            text,
            "\nStep αη = (1−ρ)/μ, overparameterized, until the gap has fallen to 1e−10.\n"
        )?;
    }
    Ok(())
}

fn constants(text: &mut String, findings: &Findings) -> fmt::Result {
    if findings.constants.is_empty() {
        return Ok(());
    }
    writeln!(text, "## Constants and their provenance\n")?;
    for (name, table) in &findings.constants {
        writeln!(text, "**{name}**\n\n| constant | value | provenance |\n|---|---|---|")?;
        for row in table {
            writeln!(text, "| {} | {} | {} |", row.name, number(row.value), row.provenance.name())?;
        }
        writeln!(text)?;
    }
    Ok(())
}

/// One statement with all its records.
fn statement(text: &mut String, number: usize, group: &Group<'_>) -> fmt::Result {
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

fn ratio(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), number)
}

/// Four digits, plain where short.
fn number(value: f64) -> String {
    if value == 0.0 || (1e-3..1e5).contains(&value.abs()) {
        format!("{value:.4}")
    } else {
        format!("{value:.3e}")
    }
}
