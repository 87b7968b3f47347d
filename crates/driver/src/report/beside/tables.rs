//! The tables of two folders side by side: claims, statements that come to another verdict, last losses, settings.

use std::collections::BTreeMap;
use std::fmt::Write;

use gaussflow_records::Claim;

use super::super::claims::{class_of, tally};
use super::super::ending::words;
use super::super::groups::Group;
use super::super::markup::escape;
use super::{Difference, Pair, Side, Verdicts, configurations, differing, verdicts};
use crate::remark::digits;

/// The tables, for the place below the charts.
pub fn tables(sides: &[Side; 2]) -> String {
    let names = sides.each_ref().map(|side| escape(&side.name));
    let mut text = String::new();
    claims(&mut text, &names, sides);
    statements(&mut text, &names, &verdicts(sides));
    runs(&mut text, &names, &configurations(sides));
    settings(&mut text, &names, &differing(sides));
    text
}

/// Opens a section with a table of two columns of values.
fn open(text: &mut String, id: &str, title: &str, heads: &[&str]) {
    let _ = write!(
        text,
        "<section id=\"{id}\"><h2>{title}</h2>\n<div class=\"table\"><table><thead><tr>"
    );
    for head in heads {
        let _ = write!(text, "<th scope=\"col\">{head}</th>");
    }
    text.push_str("</tr></thead>\n<tbody>\n");
}

const CLOSE: &str = "</tbody></table></div></section>\n";

/// The claims of both.
fn claims(text: &mut String, names: &[String; 2], sides: &[Side; 2]) {
    let [first, second] = sides.each_ref().map(|side| &side.contents.claims);
    let only_second = second.iter().filter(|b| first.iter().all(|a| a.id != b.id));
    let all: Vec<&Claim> = first.iter().chain(only_second).collect();
    if all.is_empty() {
        return;
    }
    open(text, "claims", "Claims of section 5", &["Claim", &names[0], &names[1], "Predicate"]);
    for claim in all {
        let _ =
            write!(text, "<tr><td data-label=\"Claim\"><code>{}</code></td>", escape(&claim.id));
        for (side, name) in sides.iter().zip(names) {
            let cell = side.contents.claims.iter().find(|one| one.id == claim.id).map_or_else(
                String::new,
                |one| {
                    let (holding, seeds) = tally(one);
                    format!("<span class=\"badge {}\">{holding} of {seeds}</span>", class_of(one))
                },
            );
            let _ = write!(text, "<td data-label=\"{name}\">{cell}</td>");
        }
        let _ =
            writeln!(text, "<td data-label=\"Predicate\">{}</td></tr>", escape(&claim.predicate));
    }
    text.push_str(CLOSE);
}

/// The statements that come to another verdict.
fn statements(text: &mut String, names: &[String; 2], verdicts: &Verdicts<'_>) {
    if verdicts.differing().next().is_none() {
        return;
    }
    open(
        text,
        "audit",
        "Statements that come to another verdict",
        &["Statement", &names[0], &names[1]],
    );
    for pair in verdicts.differing() {
        let _ = write!(
            text,
            "<tr><td data-label=\"Statement\"><code>{}</code></td>",
            escape(pair[0].id)
        );
        for (statement, name) in pair.iter().zip(names) {
            let verdict = statement.verdict();
            let ratio = statement.records.first().and_then(|record| record.worst_ratio);
            let ratio =
                ratio.map_or_else(String::new, |ratio| format!(" left/right {}", digits(ratio, 4)));
            let _ = write!(
                text,
                "<td data-label=\"{name}\"><span class=\"badge {}\">{}</span>{ratio}</td>",
                verdict.word(),
                verdict.label()
            );
        }
        text.push_str("</tr>\n");
    }
    text.push_str(CLOSE);
}

/// The configurations of both.
fn runs(text: &mut String, names: &[String; 2], pairs: &[Pair<'_>]) {
    if pairs.is_empty() {
        return;
    }
    let ratio = format!("{} / {}", names[1], names[0]);
    open(
        text,
        "runs",
        "Last losses by configuration",
        &["Configuration", &names[0], &names[1], &ratio],
    );
    for pair in pairs {
        let _ = write!(text, "<tr><td data-label=\"Configuration\">{}</td>", escape(&pair.name));
        for ((group, loss), name) in pair.groups.iter().zip(pair.losses()).zip(names) {
            let cell = group.as_ref().map_or_else(String::new, |group| ended(group, loss));
            let _ = write!(text, "<td data-label=\"{name}\">{cell}</td>");
        }
        let cell = pair.ratio().map_or_else(String::new, |ratio| digits(ratio, 5));
        let _ = writeln!(text, "<td data-label=\"{ratio}\">{cell}</td></tr>");
    }
    text.push_str(CLOSE);
}

/// The median last loss of a configuration, of how many runs, and how they ended.
fn ended(group: &Group<'_>, loss: Option<f64>) -> String {
    let mut ends: BTreeMap<String, usize> = BTreeMap::new();
    for run in &group.runs {
        *ends.entry(words(run)).or_default() += 1;
    }
    let count = group.runs.len();
    let ends: Vec<String> = ends
        .into_iter()
        .map(|(end, runs)| if count == 1 { end } else { format!("{runs} {end}") })
        .collect();
    let loss = loss.map_or_else(|| "none".to_owned(), |loss| digits(loss, 6));
    format!("{loss} <div class=\"note\">{}</div>", escape(&ends.join(", ")))
}

/// The settings that differ.
fn settings(text: &mut String, names: &[String; 2], differing: &[Difference]) {
    if differing.is_empty() {
        return;
    }
    open(text, "settings", "Settings that differ", &["Key", &names[0], &names[1]]);
    for (key, [first, second]) in differing {
        let _ = writeln!(
            text,
            "<tr><td data-label=\"Key\"><code>{}</code></td><td data-label=\"{}\">{}</td><td \
             data-label=\"{}\">{}</td></tr>",
            escape(key),
            names[0],
            escape(first),
            names[1],
            escape(second)
        );
    }
    text.push_str(CLOSE);
}
