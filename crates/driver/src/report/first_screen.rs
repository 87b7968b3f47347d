//! The first screen: what was found in sentences, the verdict of each claim, statements by verdict, how the runs ended.

use std::fmt::Write;

use gaussflow::theory::referee::Grade;
use gaussflow_records::Claim;

use super::claims::{class_of, row_id, tally};
use super::ending::{End, end, losses, words};
use super::findings;
use super::folder::{Contents, Run};
use super::groups::Group;
use super::markup::escape;
use super::runs;
use crate::conclusions::{Conclusions, Verdict};
use crate::remark::digits;

/// A held-out loss at the end so many times the least one is told of.
const OVERFITTED: f64 = 1.1;
/// Runs whose remark the first screen spells out.
const MOST_REMARKS: usize = 3;

/// The section; empty where there is nothing to tell.
///
/// The tiles are those of the first paper, as is what they show of the audit.
pub fn section(
    contents: &Contents,
    papers: &[(&str, Conclusions<'_>)],
    groups: &[Group<'_>],
) -> String {
    let (claims, runs) = (&contents.claims, &contents.runs);
    if claims.is_empty() && papers.is_empty() && runs.is_empty() {
        return String::new();
    }
    let mut sentences = findings::sentences(claims, &contents.audit, papers);
    if claims.is_empty() {
        sentences.extend(course(runs, groups));
    }
    let title = if claims.is_empty() { "How it ended" } else { "What was found" };
    let mut text = format!("<section id=\"outcome\"><h2>{title}</h2>\n");
    if !sentences.is_empty() {
        text.push_str("<ul class=\"findings\">\n");
        for sentence in sentences {
            let _ = writeln!(text, "<li>{sentence}</li>");
        }
        text.push_str("</ul>\n");
    }
    chips(&mut text, claims);
    let tiles = tiles(papers, runs);
    if !tiles.is_empty() {
        let _ = write!(text, "<ul class=\"tiles\">\n{tiles}</ul>\n");
    }
    papers.iter().take(1).for_each(|(_, found)| false_statements(&mut text, found));
    if claims.is_empty() {
        remarks(&mut text, runs);
    }
    text.push_str("</section>\n");
    text
}

/// Statements of the first paper by verdict, and runs by how they ended.
fn tiles(papers: &[(&str, Conclusions<'_>)], runs: &[Run]) -> String {
    let mut text = String::new();
    for &verdict in Verdict::ALL {
        let Some((key, first)) = papers.first() else { break };
        let count = first.with_verdict(verdict);
        if count > 0 {
            let noun = if count == 1 { "audited statement" } else { "audited statements" };
            let _ = writeln!(
                text,
                "<li><a class=\"tile {word}\" href=\"#audit\" data-show=\"{word}\" data-show-paper=\"{}\"><strong>{count}</strong> \
                 <span>{noun}: {}</span></a></li>",
                escape(key),
                verdict.label(),
                word = verdict.word(),
            );
        }
    }
    for ending in End::ALL {
        let count = runs.iter().filter(|run| end(run) == ending).count();
        // A single run has its own sentence.
        if count > 0 && runs.len() > 1 {
            let noun = if count == 1 { "run" } else { "runs" };
            let _ = writeln!(
                text,
                "<li><a class=\"tile {}\" href=\"#runs\"><strong>{count}</strong> <span>{noun} {}</span></a></li>",
                ending.class(),
                ending.words(),
            );
        }
    }
    text
}

/// The worst findings of a paper.
fn false_statements(text: &mut String, conclusions: &Conclusions<'_>) {
    let worst: Vec<_> = conclusions.findings.iter().filter(|f| f.grade == Grade::False).collect();
    if worst.is_empty() {
        return;
    }
    text.push_str(
        "<details data-print><summary>What is false as printed, with a counterexample each</summary><ul>\n",
    );
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

/// What was run and how it ended, in sentences.
fn course(runs: &[Run], groups: &[Group<'_>]) -> Vec<String> {
    if let [run] = runs {
        return one_run(run);
    }
    let mut all = Vec::new();
    if runs.is_empty() {
        return all;
    }
    let fewest = groups.iter().map(|group| group.runs.len()).min().unwrap_or(0);
    let most = groups.iter().map(|group| group.runs.len()).max().unwrap_or(0);
    let each = match (fewest, most) {
        (1, 1) => "one run".to_owned(),
        (least, greatest) if least == greatest => format!("{least} runs"),
        (least, greatest) => format!("{least} to {greatest} runs"),
    };
    let ends: Vec<String> = End::ALL
        .into_iter()
        .filter_map(|ending| {
            let count = runs.iter().filter(|run| end(run) == ending).count();
            (count > 0).then(|| format!("{count} {}", ending.words()))
        })
        .collect();
    let kinds = groups.len();
    let noun = if kinds == 1 { "configuration" } else { "configurations" };
    let each = if kinds == 1 { String::new() } else { format!(", {each} each") };
    all.push(format!("<b>{} runs of {kinds} {noun}{each}</b>: {}.", runs.len(), ends.join(", ")));
    let mut ranked: Vec<(f64, &Group<'_>)> =
        groups.iter().filter_map(|group| Some((losses(group)?[1], group))).collect();
    ranked.sort_by(|a, b| a.0.total_cmp(&b.0));
    if let ([best, .., worst], true) = (&ranked[..], ranked.len() > 1) {
        let named = |(loss, group): &(f64, &Group<'_>)| {
            let name = escape(&format!("{}, {}", group.method, group.label));
            format!("{} by {name}", digits(*loss, 4))
        };
        let median = if most > 1 { " (median over the runs of a configuration)" } else { "" };
        all.push(format!(
            "<b>The last loss</b>{median} is least with {}, and greatest with {}. <a href=\"#runs\">All \
             configurations</a>",
            named(best),
            named(worst)
        ));
    } else if let [(_, group)] = &ranked[..]
        && let Some([least, median, greatest]) = losses(group)
    {
        let (least, median, greatest) = (digits(least, 4), digits(median, 4), digits(greatest, 4));
        all.push(format!(
            "<b>The last loss</b> is {median} in the median, {least} at best and {greatest} at worst."
        ));
    }
    let told = runs.iter().filter(|run| run.remark().is_some()).count();
    all.push(if told == 0 {
        "<b>No run</b> lost rank, fell back to another solver's direction or rose in loss.".to_owned()
    } else {
        format!(
            "<b>{told} of {} runs</b> went otherwise than the flow: they lost rank, fell back, or rose in loss. The first of \
             them are below, the others in the <a href=\"#runs\">table of runs</a>.",
            runs.len()
        )
    });
    all
}

/// One run: how it ended, where its loss went, what is to remark.
fn one_run(run: &Run) -> Vec<String> {
    let Some(outcome) = &run.outcome else {
        return vec![
            "<b>The run cannot be read</b>: its outcome.json is missing or damaged.".to_owned(),
        ];
    };
    let time = digits(outcome.final_time, 6);
    let said = match end(run) {
        End::Horizon => format!("<b>The run reached its horizon</b>, t = {time}"),
        End::Remarked => {
            format!("<b>The run reached its horizon, but not as the flow does</b>, t = {time}")
        }
        End::Early => format!("<b>The run ended early</b> at t = {time} ({})", words(run)),
        End::Diverged => format!("<b>The run diverged</b> until its end at t = {time}"),
        End::Failed => format!("<b>The run failed</b> at t = {time}"),
    };
    let rows = run.trace.len();
    let mut all = vec![format!("{said}, with {rows} recorded rows.")];
    if let (Some(first), Some(last)) = (run.trace.first(), run.trace.last()) {
        let part = 100.0 * outcome.final_loss / first.loss;
        let verb = if outcome.final_loss <= first.loss { "fell" } else { "rose" };
        let mut said = format!(
            "<b>The loss {verb}</b> from {} to {}",
            digits(first.loss, 5),
            digits(outcome.final_loss, 5)
        );
        let rows = run.settings.as_ref().and_then(|s| s.get("data.samples")?.parse::<f64>().ok());
        if let Some(rows) = rows {
            let _ = write!(said, ", which is {} a drawn row", digits(outcome.final_loss / rows, 4));
        }
        if (0.0..=100.0).contains(&part) {
            let _ = write!(said, " and {} % of the first", digits(part, 3));
        }
        let _ = write!(
            said,
            "; the Riemannian gradient went from {} to {}, and the weights moved by {}.",
            digits(first.riemannian_gradient_norm, 4),
            digits(last.riemannian_gradient_norm, 4),
            digits(last.deviation, 4)
        );
        if let Some(held_out) = run.trace.iter().rev().find_map(|row| row.held_out_loss) {
            let _ = write!(
                said,
                " On rows that were not drawn, the mean loss a row is {}",
                digits(held_out, 4)
            );
            let seen = run.trace.iter().filter_map(|row| Some((row.time, row.held_out_loss?)));
            let least = seen.min_by(|a, b| a.1.total_cmp(&b.1));
            let risen = least.filter(|(_, least)| held_out > OVERFITTED * least);
            let _ = match risen {
                Some((time, least)) => write!(
                    said,
                    "; it was least, {}, at t = {}, and rose from there on: the network learned what does not carry over.",
                    digits(least, 4),
                    digits(time, 4)
                ),
                None => write!(said, "."),
            };
        }
        all.push(said);
    }
    if let Some(error) = &outcome.error {
        all.push(format!("<b>It failed</b>: {}", escape(error)));
    }
    all
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
        let (target, id, remark) = (runs::row_id(run), escape(&run.id), escape(remark));
        let _ = writeln!(text, "<li><a href=\"#{target}\">{id}</a>: {remark}</li>");
    }
    text.push_str("</ul>\n");
}

/// Every claim with its seeds.
fn chips(text: &mut String, claims: &[Claim]) {
    if claims.is_empty() {
        return;
    }
    text.push_str("<h3>The verdict of each claim, by seeds</h3>\n<ul class=\"chips\">");
    for claim in claims {
        let (holding, seeds) = tally(claim);
        let _ = write!(
            text,
            "<li><a href=\"#{}\"><span class=\"badge {}\">{holding} of {seeds}</span> {}</a></li> ",
            row_id(claim),
            class_of(claim),
            escape(&claim.id)
        );
    }
    text.push_str("</ul>\n");
}
