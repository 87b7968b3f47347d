//! summary.md: what was run, which claims hold on how many seeds, and where the pictures are.

use std::fmt::Write;

use gaussflow_records::Claim;

use super::held_out;
use super::plan::Method;
use super::results::Results;
use crate::remark::digits;
use crate::report::{kept_everywhere, tally};

/// The text of summary.md.
/// `reports` are the files of the referee reports.
pub fn markdown(
    results: &Results,
    claims: &[Claim],
    figures: &[&str],
    reports: &[String],
) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = write_summary(&mut text, results, claims, figures, reports);
    text
}

/// The claims as lines for the terminal.
pub fn terminal(claims: &[Claim]) -> String {
    let mut text = String::new();
    for claim in claims {
        let (holding, seeds) = tally(claim);
        let _ = writeln!(text, "  {holding:>2} of {seeds:>2} seeds  {}", claim.id);
    }
    text
}

fn write_summary(
    text: &mut String,
    results: &Results,
    claims: &[Claim],
    figures: &[&str],
    reports: &[String],
) -> std::fmt::Result {
    writeln!(text, "# Reproduction of section 5\n")?;
    writeln!(
        text,
        "{} runs on the California Housing rows: {} seeds, alpha in {:?}, horizon {}.\n",
        results.runs.len(),
        results.seeds,
        results.mode.scalings(),
        results.mode.horizon()
    )?;
    conclusion(text, claims)?;
    writeln!(text, "| claim | holds on | predicate |\n|---|---|---|")?;
    for claim in claims {
        let (holding, seeds) = tally(claim);
        writeln!(text, "| {} | {holding} of {seeds} seeds | {} |", claim.id, claim.predicate)?;
    }
    let links: Vec<String> = reports.iter().map(|file| format!("[{file}]({file})")).collect();
    writeln!(text, "\nReferee reports on the papers: {}.", links.join(", "))?;
    writeln!(text, "\n## The numbers of the default seed\n")?;
    for claim in claims {
        let Some(verdict) = claim.per_seed.iter().find(|verdict| verdict.seed == 0) else {
            continue;
        };
        writeln!(
            text,
            "**{}**{}{}\n",
            claim.id,
            if claim.note.is_empty() { "" } else { ": " },
            claim.note
        )?;
        for (name, value) in &verdict.values {
            writeln!(text, "- {name}: {}", digits(*value, 6))?;
        }
        writeln!(text)?;
    }
    held_out_rows(text, results)?;
    fallbacks(text, results)?;
    writeln!(text, "## Figures\n")?;
    for stem in figures {
        writeln!(text, "![{stem}](figures/{stem}.png)\n")?;
    }
    Ok(())
}

/// What there is to say about rows that were not drawn; nothing where the networks predict them better than 0 does.
fn held_out_rows(text: &mut String, results: &Results) -> std::fmt::Result {
    let Some(remark) = held_out::remark(results) else { return Ok(()) };
    writeln!(
        text,
        "## Rows that were not drawn\n\n{remark} The figure figure_held_out shows the whole course.\n"
    )
}

/// What the claims come to, in sentences.
fn conclusion(text: &mut String, claims: &[Claim]) -> std::fmt::Result {
    let (of_paper, everywhere) = kept_everywhere(claims);
    write!(text, "**{everywhere} of {of_paper} claims of section 5 hold on every seed.**")?;
    for claim in claims.iter().filter(|claim| claim.id.starts_with("experiment/")) {
        let (holding, seeds) = tally(claim);
        if holding < seeds {
            write!(text, " `{}` holds on {holding} of {seeds}: {}.", claim.id, claim.predicate)?;
        }
    }
    writeln!(text, "\n")
}

/// Every fallback that any run took: nothing collapses silently.
fn fallbacks(text: &mut String, results: &Results) -> std::fmt::Result {
    writeln!(text, "## Fallbacks and early ends\n")?;
    writeln!(text, "| run | stopped | fallbacks |\n|---|---|---|")?;
    for run in &results.runs {
        let taken: Vec<String> = run
            .outcome
            .counters
            .iter()
            .filter(|(name, count)| name.starts_with("fallback") && **count > 0)
            .map(|(name, count)| format!("{name} {count}"))
            .collect();
        let horizon = run.outcome.stop_reason == gaussflow_records::StopReason::Horizon;
        if !taken.is_empty() || !horizon {
            let stopped = if horizon {
                "at the horizon".to_owned()
            } else {
                format!("{:?} at t = {:.6}", run.outcome.stop_reason, run.outcome.final_time)
            };
            writeln!(text, "| {} | {stopped} | {} |", run.id, taken.join(", "))?;
        }
    }
    writeln!(text, "\n## What went otherwise than the flow\n")?;
    for run in &results.runs {
        if let Some(remark) = run.remark() {
            writeln!(text, "- {}: {remark}", run.id)?;
        }
    }
    let euler = results.runs.iter().filter(|run| run.method == Method::GradientEuler).count();
    writeln!(text, "\n{euler} of the runs use the printed Euler step for gradient flow.\n")
}
