//! The first screen's verdicts: claims by seeds, audited statements by verdict, how the runs ended.

use std::fmt::Write;

use gaussflow::theory::referee::Grade;
use gaussflow_records::Claim;

use super::claims::{class_of, kept_everywhere, tally};
use super::folder::Run;
use super::markup::escape;
use super::runs::{End, end, took_fallback};
use crate::conclusions::{Conclusions, Verdict};

/// Runs whose remark the first screen spells out.
const MOST_REMARKS: usize = 3;

/// Tiles with counts, then every claim in a word; empty where there is nothing to judge.
///
/// The tiles are those of the first paper; of the others it says in words what they come to.
pub fn section(claims: &[Claim], papers: &[(&str, Conclusions<'_>)], runs: &[Run]) -> String {
    let mut tiles = String::new();
    // What we found beside the paper is no claim of it.
    let (of_paper, everywhere) = kept_everywhere(claims);
    if of_paper > 0 {
        let class = if everywhere == of_paper { "holds" } else { "hypotheses-unmet" };
        let count = format!("{everywhere} of {of_paper}");
        tile(&mut tiles, class, "#claims", &count, "claims of section 5 hold on every seed");
    }
    for &verdict in Verdict::ALL {
        let decided = papers.first().map_or(0, |(_, first)| first.with_verdict(verdict));
        let noun = if decided == 1 { "statement" } else { "statements" };
        let label = format!("audited {noun}: {}", verdict.label());
        some(&mut tiles, verdict.word(), "#audit", decided, &label);
    }
    let ending = |wanted: End| runs.iter().filter(|run| end(run) == wanted).count();
    let fallen = runs.iter().filter(|run| took_fallback(run)).count();
    for (class, count, what) in [
        ("holds", ending(End::Horizon), "reached the horizon"),
        (
            "hypotheses-unmet",
            ending(End::Remarked),
            "reached the horizon after lost rank, a fallback or a risen loss",
        ),
        ("hypotheses-unmet", ending(End::Early), "ended early"),
        ("violated", ending(End::Failed), "failed or cannot be read"),
        ("reported", fallen, "took a fallback"),
    ] {
        let noun = if count == 1 { "run" } else { "runs" };
        some(&mut tiles, class, "#runs", count, &format!("{noun} {what}"));
    }
    if tiles.is_empty() {
        return tiles;
    }
    let audited = !papers.is_empty();
    let judged = !claims.is_empty() || audited;
    let title = if judged { "Verdicts" } else { "How the runs ended" };
    let mut text =
        format!("<section id=\"verdicts\"><h2>{title}</h2>\n<ul class=\"tiles\">\n{tiles}</ul>\n");
    chips(&mut text, claims);
    remarks(&mut text, runs);
    if audited {
        papers.iter().for_each(|(key, found)| findings(&mut text, key, found));
        text.push_str(
            "<p class=\"note\">A statement counts by its strongest verdict: one violation on one run is \
             enough. A violated statement is a result, not an error of the program.</p>\n",
        );
    }
    text.push_str("</section>\n");
    text
}

/// A tile, unless its count is 0.
fn some(text: &mut String, class: &str, target: &str, count: usize, label: &str) {
    if count > 0 {
        tile(text, class, target, &count.to_string(), label);
    }
}

fn tile(text: &mut String, class: &str, target: &str, count: &str, label: &str) {
    // Writing to a String cannot fail.
    let _ = writeln!(
        text,
        "<li><a class=\"tile {class}\" href=\"{target}\" data-show=\"{class}\"><strong>{count}</strong> \
         <span>{label}</span></a></li>"
    );
}

/// What the audit of a paper came to in two sentences, and the worst findings.
fn findings(text: &mut String, key: &str, conclusions: &Conclusions<'_>) {
    let said = escape(&conclusions.in_words());
    let _ = writeln!(text, "<p>Audit, <b>{}</b>: {said}</p>", escape(key));
    let worst: Vec<_> = conclusions.findings.iter().filter(|f| f.grade == Grade::False).collect();
    if worst.is_empty() {
        return;
    }
    text.push_str("<details><summary>What is false, with a counterexample each</summary><ul>\n");
    for finding in worst {
        let record = finding.worst();
        let _ = writeln!(
            text,
            "<li><b>{}</b> (<code>{}</code>): {} On {}.</li>",
            escape(finding.place),
            escape(finding.id),
            escape(record.consequence.as_deref().unwrap_or_default()),
            escape(&record.run)
        );
    }
    text.push_str("</ul></details>\n");
}

/// The sentences on runs that lost rank, fell back or rose in loss.
fn remarks(text: &mut String, runs: &[Run]) {
    let all: Vec<(&Run, String)> =
        runs.iter().filter_map(|run| Some((run, run.remark()?))).collect();
    if all.is_empty() {
        return;
    }
    text.push_str("<ul class=\"remarks\">\n");
    for (run, remark) in all.iter().take(MOST_REMARKS) {
        let (id, remark) = (escape(&run.id), escape(remark));
        let _ = writeln!(text, "<li><a href=\"#runs\">{id}</a>: {remark}</li>");
    }
    if all.len() > MOST_REMARKS {
        let more = all.len() - MOST_REMARKS;
        let _ = writeln!(
            text,
            "<li>{more} more runs have such a remark in the <a href=\"#runs\">table</a></li>"
        );
    }
    text.push_str("</ul>\n");
}

/// Every claim with its seeds.
fn chips(text: &mut String, claims: &[Claim]) {
    if claims.is_empty() {
        return;
    }
    text.push_str("<ul class=\"chips\">");
    for claim in claims {
        let (holding, seeds) = tally(claim);
        let _ = write!(
            text,
            "<li><a href=\"#claims\"><span class=\"badge {}\">{holding} of {seeds}</span> {}</a></li> ",
            class_of(claim),
            escape(&claim.id)
        );
    }
    text.push_str("</ul>\n");
}
