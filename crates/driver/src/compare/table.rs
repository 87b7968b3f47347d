//! A comparison as text: one run in full, many runs a line each.

use std::fmt::Write as _;

use gaussflow_records::{Event, word};

use super::{Comparison, Pair, Side};
use crate::remark::digits;

/// Runs of one folder alone that are named.
const MOST_NAMES: usize = 5;

/// Characters of a value of a configuration that a line shows.
const LONGEST_VALUE: usize = 40;

/// The comparison as aligned columns.
pub fn table(comparison: &Comparison) -> String {
    let mut text = format!("a: {}\nb: {}\n\n", comparison.a.display(), comparison.b.display());
    match comparison.runs.as_slice() {
        [one] => text += &full(one),
        many => text += &overview(many),
    }
    for (name, only) in [("a", &comparison.only_a), ("b", &comparison.only_b)] {
        if !only.is_empty() {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "\nonly in {name}: {} runs", only.len());
            for id in only.iter().take(MOST_NAMES) {
                let _ = writeln!(text, "  {id}");
            }
            if only.len() > MOST_NAMES {
                let _ = writeln!(text, "  and {} more", only.len() - MOST_NAMES);
            }
        }
    }
    text
}

/// Everything of one pair.
fn full(pair: &Pair) -> String {
    let optional = |value: Option<f64>| value.map(number).unwrap_or_default();
    let mut rows = vec![[String::new(), "a".to_owned(), "b".to_owned()]];
    let mut add = |name: &str, value: &dyn Fn(&Side) -> String| {
        rows.push([name.to_owned(), value(&pair.a), value(&pair.b)]);
    };
    add("status", &|side| word(&side.status));
    add("stop_reason", &|side| word(&side.stop_reason));
    add("final_time", &|side| number(side.final_time));
    add("final_loss", &|side| number(side.final_loss));
    add("final_deviation", &|side| optional(side.final_deviation));
    add("final_riemannian_gradient_norm", &|side| optional(side.final_riemannian_gradient_norm));
    add("rows", &|side| side.rows.to_string());
    for index in 0..pair.a.events.len().max(pair.b.events.len()) {
        add(&format!("event {}", index + 1), &|side| {
            side.events.get(index).map(event).unwrap_or_default()
        });
    }
    for (name, values) in &pair.configuration {
        let [a, b] = values.each_ref().map(|value| shortened(value.as_deref().unwrap_or("-")));
        rows.push([name.clone(), a, b]);
    }
    for (name, values) in &pair.counters {
        let [a, b] =
            values.map(|value| value.map_or_else(|| "-".to_owned(), |value| value.to_string()));
        rows.push([name.clone(), a, b]);
    }
    let mut text = format!("{}\n{}", pair.id, aligned(&rows));
    if pair.counters.is_empty() {
        text += "every counter is equal\n";
    }
    let _ = writeln!(text, "\n{} steps in common", pair.common_steps);
    let mut rows = vec![
        ["column", "largest relative difference", "at step", "steps that one lacks"]
            .map(str::to_owned),
    ];
    for found in &pair.columns {
        rows.push([
            found.column.to_owned(),
            digits(found.worst, 4),
            found.step.map(|step| step.to_string()).unwrap_or_default(),
            found.one_sided.to_string(),
        ]);
    }
    text + &aligned(&rows)
}

/// A line for each pair.
fn overview(pairs: &[Pair]) -> String {
    let header = ["run", "loss a", "loss b", "differs most", "relative", "counters"];
    let mut rows = vec![header.map(str::to_owned)];
    for pair in pairs {
        let worst = pair.worst().filter(|found| found.worst > 0.0);
        rows.push([
            pair.id.clone(),
            number(pair.a.final_loss),
            number(pair.b.final_loss),
            worst.map_or_else(|| "-".to_owned(), |found| found.column.to_owned()),
            worst.map_or_else(|| "none".to_owned(), |found| digits(found.worst, 4)),
            if pair.counters.is_empty() {
                "equal".to_owned()
            } else {
                format!("{} differ", pair.counters.len())
            },
        ]);
    }
    aligned(&rows)
}

/// A value as far as a line has room for it.
pub(super) fn shortened(value: &str) -> String {
    if value.chars().count() <= LONGEST_VALUE {
        return value.to_owned();
    }
    format!("{}...", value.chars().take(LONGEST_VALUE).collect::<String>())
}

fn event(event: &Event) -> String {
    format!("{} at t = {}", word(&event.kind), number(event.time))
}

pub(super) fn number(value: f64) -> String {
    if value.is_finite() { digits(value, 4) } else { "not finite".to_owned() }
}

/// Rows as lines, each column as wide as its widest cell.
fn aligned<const N: usize>(rows: &[[String; N]]) -> String {
    let width =
        |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..N).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let cells = row.iter().zip(&widths).map(|(cell, &width)| format!("{cell:width$}"));
        let line = cells.collect::<Vec<_>>().join("  ");
        text += line.trim_end();
        text.push('\n');
    }
    text
}
