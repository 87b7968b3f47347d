//! summary.md: what was run and found, in sentences; which claims hold on how many seeds; their numbers; the pictures.

use std::fmt::Write;

use gaussflow_records::Claim;

use super::findings::{alphas_of, findings};
use super::held_out;
use super::otherwise;
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
    what_was_run(text, results)?;
    conclusion(text, claims)?;
    let noun = if results.seeds == 1 { "of the only seed" } else { "medians over the seeds" };
    writeln!(text, "What was found; the numbers are {noun}:\n")?;
    for sentence in findings(claims) {
        writeln!(text, "- {sentence}")?;
    }
    writeln!(text, "\n## The claims\n\n| claim | holds on | what is tested |\n|---|---|---|")?;
    for claim in claims {
        let (holding, seeds) = tally(claim);
        writeln!(text, "| {} | {holding} of {seeds} seeds | {} |", claim.id, claim.predicate)?;
    }
    let links: Vec<String> = reports.iter().map(|file| format!("[{file}]({file})")).collect();
    writeln!(text, "\nReferee reports on the papers: {}.", links.join(", "))?;
    writeln!(
        text,
        "\n## The numbers of the default seed\n\nThey have four digits here; claims.json has all digits of every seed.\n"
    )?;
    for claim in claims {
        numbers(text, claim)?;
    }
    held_out_rows(text, results)?;
    otherwise::section(text, results)?;
    writeln!(text, "## Figures\n")?;
    for stem in figures {
        writeln!(text, "![{stem}](figures/{stem}.png)\n")?;
    }
    Ok(())
}

/// Network, rows, alphas, seeds and methods.
fn what_was_run(text: &mut String, results: &Results) -> std::fmt::Result {
    let alphas: Vec<String> = results.mode.scalings().iter().map(f64::to_string).collect();
    let rows = results.runs.first().map_or(0, |run| run.rows);
    let noun = if results.seeds == 1 { "seed" } else { "seeds" };
    let euler = results.runs.iter().filter(|run| run.method == Method::GradientEuler).count();
    writeln!(
        text,
        "Section 5 was run again: Gauss-Newton and gradient flow of the network ({}) on {rows} rows of California Housing, \
         with alpha = {}, {} {noun}, up to t = {}. That makes {} runs, {euler} of them of gradient flow by the printed Euler \
         step.\n",
        results.network,
        alphas.join(", "),
        results.seeds,
        results.mode.horizon(),
        results.runs.len(),
    )
}

/// The numbers of one claim on the default seed: those of each alpha as a table, the others below it.
fn numbers(text: &mut String, claim: &Claim) -> std::fmt::Result {
    let Some(verdict) = claim.per_seed.iter().find(|verdict| verdict.seed == 0) else {
        return Ok(());
    };
    writeln!(text, "### {}\n", claim.id)?;
    if !claim.note.is_empty() {
        writeln!(text, "{}\n", claim.note)?;
    }
    let mut quantities: Vec<&str> = Vec::new();
    for (quantity, _) in verdict.values.keys().filter_map(|name| name.split_once("_alpha_")) {
        if !quantities.contains(&quantity) {
            quantities.push(quantity);
        }
    }
    if let Some(first) = quantities.first() {
        let bars = "---|".repeat(quantities.len());
        writeln!(text, "| alpha | {} |\n|---|{bars}", quantities.join(" | "))?;
        for alpha in alphas_of(claim, first) {
            let cell = |quantity: &&str| {
                let value = verdict.values.get(&format!("{quantity}_alpha_{alpha}"));
                value.map_or_else(String::new, |value| digits(*value, 4))
            };
            let cells: Vec<String> = quantities.iter().map(cell).collect();
            writeln!(text, "| {alpha} | {} |", cells.join(" | "))?;
        }
        writeln!(text)?;
    }
    let others = || verdict.values.iter().filter(|(name, _)| !name.contains("_alpha_"));
    if others().next().is_some() {
        writeln!(text, "| quantity | value |\n|---|---|")?;
        for (name, value) in others() {
            writeln!(text, "| {name} | {} |", digits(*value, 4))?;
        }
        writeln!(text)?;
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

#[cfg(test)]
mod tests {
    use gaussflow_records::SeedVerdict;

    use super::*;

    #[test]
    fn the_numbers_of_a_claim_are_a_table_of_alphas_with_four_digits() {
        let values = [
            ("loss_alpha_16", 1_316.254_321),
            ("loss_alpha_8", 0.0),
            ("peak_alpha_8", 2.972_425e9),
            ("peak_alpha_16", 4.241_444e-4),
            ("stiffness", 26.147_5),
        ];
        let values = values.map(|(name, value)| (name.to_owned(), value)).into();
        let claim = Claim {
            id: "x".to_owned(),
            predicate: String::new(),
            threshold: None,
            holds_fraction: 1.0,
            per_seed: vec![SeedVerdict { seed: 0, holds: true, values }],
            note: "A note.".to_owned(),
        };
        let mut text = String::new();
        numbers(&mut text, &claim).unwrap();
        let expected = "### x\n\nA note.\n\n| alpha | loss | peak |\n|---|---|---|\n| 8 | 0 | 2.972e9 |\n\
                        | 16 | 1316 | 4.241e-4 |\n\n| quantity | value |\n|---|---|\n| stiffness | 26.15 |\n\n";
        assert_eq!(text, expected);
    }
}
