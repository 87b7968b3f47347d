//! The first page of a referee report: what was read, what holds, what fails and by which counterexample, what repairs
//! it, and what of the message survives. After it the findings, the worst grade first, and what the adversary tried.

use std::fmt::{self, Write};

use gaussflow::theory::referee::{Grade, Survivor};
use gaussflow_records::AuditRecord;

use super::report::{Subject, number, ratio};
use crate::conclusions::{Conclusions, Finding, Verdict};

/// The page.
pub(super) fn write_page(
    text: &mut String,
    conclusions: &Conclusions<'_>,
    subject: Subject<'_>,
) -> fmt::Result {
    match subject {
        Subject::Paper(paper) => {
            writeln!(text, "# Referee report: {}\n", paper.title)?;
            writeln!(text, "By {}. What was read: {}.\n", paper.authors, paper.version)?;
            writeln!(
                text,
                "Each statement is measured where its hypotheses hold, and its verdict comes from the numbers alone. How \
                 severe a fault is, and what it means, is the referee's judgement. Every record is in audit.json.\n"
            )?;
        }
        Subject::Run(name) => writeln!(text, "# Audit of the run `{name}`\n")?,
    }
    writeln!(text, "## Conclusions\n")?;
    writeln!(text, "{}\n", conclusions.in_words())?;
    // What a reader must know first: the worst.
    short(text, conclusions, &[Grade::False], "**False**, each with a counterexample:")?;
    short(text, conclusions, &[Grade::Constant], "**True with another constant or threshold**:")?;
    short(
        text,
        conclusions,
        &[Grade::Unclear, Grade::Gap],
        "**Unclear, or proved otherwise than printed**:",
    )?;
    holding(text, conclusions)?;
    short(text, conclusions, &[Grade::Typo], "**Misprints**, on which nothing depends:")?;
    repairs(text, conclusions)?;
    if let Subject::Paper(paper) = subject {
        survivors(text, conclusions, paper.survivors)?;
    }
    Ok(())
}

fn holding(text: &mut String, conclusions: &Conclusions<'_>) -> fmt::Result {
    for (ours, title) in [
        (false, "**What holds as printed**, without any finding"),
        (true, "**What is derived here**, and holds"),
    ] {
        let flawless: Vec<String> = conclusions
            .statements
            .iter()
            .filter(|s| s.verdict() == Verdict::Holds && s.is_of_a_paper() && s.is_ours() == ours)
            .filter(|s| !conclusions.findings.iter().any(|finding| finding.id == s.id))
            .map(|s| format!("`{}`", s.id))
            .collect();
        if !flawless.is_empty() {
            writeln!(text, "{title}: {}.\n", flawless.join(", "))?;
        }
    }
    Ok(())
}

/// The findings of some grades, a line each.
fn short(
    text: &mut String,
    conclusions: &Conclusions<'_>,
    grades: &[Grade],
    title: &str,
) -> fmt::Result {
    let of: Vec<&Finding<'_>> =
        conclusions.findings.iter().filter(|finding| grades.contains(&finding.grade)).collect();
    if of.is_empty() {
        return Ok(());
    }
    writeln!(text, "{title}\n")?;
    for finding in of {
        let worst = finding.worst();
        let consequence = worst.consequence.as_deref().unwrap_or_default();
        write!(text, "- {} (`{}`): {consequence}", finding.place, finding.id)?;
        let is_shown = matches!(finding.grade, Grade::False | Grade::Constant);
        if is_shown && finding.violations() > 0 {
            let (left, right) = (number(worst.left), number(worst.right));
            write!(text, " *Counterexample:* {}; {}: {left} > {right}", worst.run, worst.at)?;
            if left == right {
                // The digits that are shown hide what decides.
                let excess = (worst.left - worst.right) / worst.right.abs();
                write!(text, ", by {} of it", number(excess))?;
            }
            text.push('.');
        }
        writeln!(text)?;
    }
    writeln!(text)
}

/// What holds in place of what fails, each corrected statement once.
fn repairs(text: &mut String, conclusions: &Conclusions<'_>) -> fmt::Result {
    let (mut told, mut lines): (Vec<&str>, Vec<String>) = (Vec::new(), Vec::new());
    for finding in &conclusions.findings {
        let closest = finding.closest_correction().filter(|_| finding.violations() > 0);
        let Some(corrected) = closest else { continue };
        // What stands in brackets at the end names the run on which it was judged.
        let whole = corrected.statement.as_str();
        let named = whole.strip_suffix(']').and_then(|rest| rest.rsplit_once(" ["));
        let statement = named.map_or(whole, |(statement, _)| statement);
        if !told.contains(&statement) {
            told.push(statement);
            let (place, verdict) = (finding.place, &corrected.verdict);
            lines.push(format!(
                "- in place of {place}: `{statement}` ({verdict}, ratio {})",
                ratio(corrected.worst_ratio)
            ));
        }
    }
    if lines.is_empty() {
        return Ok(());
    }
    writeln!(
        text,
        "**What repairs it**, each judged on the same data; the ratio is the largest of the runs that judge the finding:\n\n{}\n",
        lines.join("\n")
    )
}

fn survivors(
    text: &mut String,
    conclusions: &Conclusions<'_>,
    survivors: &[Survivor],
) -> fmt::Result {
    if survivors.is_empty() {
        return Ok(());
    }
    writeln!(text, "**What of the message survives**:\n")?;
    for survivor in survivors {
        let of = || {
            let known = |id: &str| survivor.rests_on.contains(&id);
            conclusions.statements.iter().filter(move |s| known(s.id)).flat_map(|s| &s.records)
        };
        let holds = |r: &AuditRecord| Verdict::of(r) == Verdict::Holds;
        let as_printed = |r: &AuditRecord| holds(r) && r.origin == "printed";
        let corrected =
            |r: &AuditRecord, word: &str| r.corrected.as_ref().is_some_and(|c| c.verdict == word);
        let printed = of().filter(|r| as_printed(r)).count();
        // Each record counts once: as printed if it can.
        let kept = of().filter(|r| !as_printed(r) && (holds(r) || corrected(r, "holds"))).count();
        let broken = of().filter(|r| corrected(r, "violated")).count();
        let ids: Vec<String> = survivor.rests_on.iter().map(|id| format!("`{id}`")).collect();
        let doubt = if broken > 0 {
            format!("; corrected statements that FAIL: {broken}")
        } else {
            String::new()
        };
        writeln!(
            text,
            "- {} It rests on {}. Records that hold as printed: {printed}; in corrected or derived form: {kept}{doubt}.",
            survivor.sentence,
            ids.join(", ")
        )?;
    }
    writeln!(text)
}

/// Every finding in full, from `false` down to `typo`.
pub(super) fn write_findings(text: &mut String, conclusions: &Conclusions<'_>) -> fmt::Result {
    if conclusions.findings.is_empty() {
        return Ok(());
    }
    writeln!(text, "## Findings, from false to typo\n")?;
    for grade in Grade::ALL {
        if conclusions.with_grade(grade) == 0 {
            continue;
        }
        let (count, meaning) = (conclusions.with_grade(grade), grade.meaning());
        writeln!(text, "### {} ({count}): {meaning}\n", grade.name())?;
        for finding in conclusions.findings.iter().filter(|finding| finding.grade == grade) {
            one(text, finding)?;
        }
        writeln!(text)?;
    }
    Ok(())
}

fn one(text: &mut String, finding: &Finding<'_>) -> fmt::Result {
    let worst = finding.worst();
    let consequence = worst.consequence.as_deref().unwrap_or_default();
    writeln!(text, "- **{}** (`{}`). {consequence}", finding.place, finding.id)?;
    if finding.violations() == 0 {
        return writeln!(text, "  Seen in the text; no run contradicts `{}`.", worst.statement);
    }
    let excess = worst
        .excess_in_tolerances
        .map_or(String::new(), |excess| format!(", {} tolerances above", number(excess)));
    writeln!(
        text,
        "  `{}` is violated on {} of {} runs, worst on {}, {}: {} against {} (ratio {}{excess}).",
        worst.statement,
        finding.violations(),
        finding.records.len(),
        worst.run,
        worst.at,
        number(worst.left),
        number(worst.right),
        ratio(worst.worst_ratio)
    )?;
    if let Some(attack) = &worst.adversary {
        writeln!(text, "  The adversary's problem: {}.", attack.problem)?;
    }
    if let Some(c) = &worst.corrected {
        let size = ratio(c.worst_ratio);
        writeln!(
            text,
            "  Instead: `{}`: {} (ratio {size} on these data).",
            c.statement, c.verdict
        )?;
    }
    if let Some(reason) = &worst.no_correction {
        writeln!(text, "  Nothing takes its place: {reason}.")?;
    }
    if !worst.note.is_empty() {
        writeln!(text, "  {}", worst.note)?;
    }
    Ok(())
}

/// What the adversary tried and how far it came.
pub(super) fn write_attacks(text: &mut String, records: &[AuditRecord]) -> fmt::Result {
    let attacks: Vec<_> =
        records.iter().filter_map(|r| r.adversary.as_ref().map(|attack| (r, attack))).collect();
    let Some((_, first)) = attacks.first() else { return Ok(()) };
    writeln!(text, "## The adversary\n")?;
    writeln!(
        text,
        "Small problems of a few units, features and rows were searched for the largest left/right of \
         each statement and of each corrected one, from seed {}. The search knows nothing of a statement but its two \
         sides. Ratios below are left/right; a statement is broken where left exceeds right by more than the \
         tolerance.\n",
        first.seed
    )?;
    writeln!(
        text,
        "| statement | where | attacked | family | evaluations | largest ratio | broken |\n|---|---|---|---|---|---|---|"
    )?;
    for (record, attack) in attacks {
        let (what, verdict) = match &record.corrected {
            Some(c) if attack.corrected => ("corrected", &c.verdict),
            _ if record.origin == "ours" => ("ours", &record.verdict),
            _ => ("as printed", &record.verdict),
        };
        let broken = if verdict == "violated" { "**yes**" } else { "no" };
        writeln!(
            text,
            "| {} | {} | {what} | {} | {} | {} | {broken} |",
            record.id,
            record.place,
            attack.family,
            attack.evaluations,
            ratio(attack.largest_ratio)
        )?;
    }
    writeln!(text)
}
