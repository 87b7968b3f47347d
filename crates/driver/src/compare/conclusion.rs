//! What a comparison comes to, in a few sentences: whether anything differs, in which keys, which run ends lower and by how
//! much, and where the traces are apart most.

use std::collections::BTreeMap;

use super::table::{number, shortened};
use super::{Comparison, Pair};
use crate::remark::digits;

/// Keys of the configuration that a sentence names.
const MOST_KEYS: usize = 4;

/// The sentences, one a line.
pub fn conclusion(comparison: &Comparison) -> String {
    let lines = match comparison.runs.as_slice() {
        [one] => of_one(one),
        many => of_many(many),
    };
    let mut text = String::from("\n");
    for line in lines {
        text += &line;
        text.push('\n');
    }
    text
}

fn of_one(pair: &Pair) -> Vec<String> {
    if pair.is_equal() {
        let rows = pair.a.rows;
        let what =
            format!("a and b are bitwise equal: outcome, counters and all {rows} recorded steps");
        let keys = configurations(std::slice::from_ref(pair));
        return if pair.configuration.is_empty() {
            vec![format!("{what}.")]
        } else {
            vec![keys, format!("Even so, {what}.")]
        };
    }
    let mut lines = vec![configurations(std::slice::from_ref(pair)), ends(pair)];
    let reasons = [&pair.a, &pair.b].map(|side| (side.stop_reason, side.final_time));
    if reasons[0].0 != reasons[1].0 || reasons[0].1.to_bits() != reasons[1].1.to_bits() {
        let [a, b] = [&pair.a, &pair.b].map(|side| {
            let reason = gaussflow_records::word(&side.stop_reason);
            format!("{reason} at t = {}", number(side.final_time))
        });
        lines.push(format!("They did not end alike: a by {a}, b by {b}."));
    }
    lines.push(apart(pair));
    lines
}

/// Which run has the lower final loss.
fn ends(pair: &Pair) -> String {
    let [a, b] = [pair.a.final_loss, pair.b.final_loss];
    match (a.is_finite(), b.is_finite()) {
        (false, false) => return "Neither ends at a finite loss.".to_owned(),
        (true, false) => return format!("a alone ends at a finite loss, {}.", number(a)),
        (false, true) => return format!("b alone ends at a finite loss, {}.", number(b)),
        (true, true) => {}
    }
    if a.to_bits() == b.to_bits() {
        return format!("Both end at the same loss, {}.", number(a));
    }
    let (name, low, high) = if a < b { ("a", a, b) } else { ("b", b, a) };
    let share = (high / 2.0 - low / 2.0) / (high.abs().max(low.abs()) / 2.0);
    format!(
        "{name} ends at the lower loss: {} against {}, which is {} lower.",
        number(low),
        number(high),
        percent(share)
    )
}

/// Where two traces are apart most.
fn apart(pair: &Pair) -> String {
    let steps = pair.common_steps;
    if steps == 0 {
        return "No step was recorded by both, so that their traces cannot be compared.".to_owned();
    }
    match pair.worst().filter(|found| found.worst > 0.0) {
        Some(found) => format!(
            "Over the {steps} steps that both recorded, they are apart most in {}: the relative difference is {}{}.",
            found.column,
            digits(found.worst, 4),
            found.step.map_or_else(String::new, |step| format!(", at step {step}")),
        ),
        None => format!("What both recorded at {steps} common steps is bitwise equal."),
    }
}

/// In which keys the configurations differ.
fn configurations(pairs: &[Pair]) -> String {
    let mut keys: BTreeMap<&str, Vec<[String; 2]>> = BTreeMap::new();
    for (key, values) in pairs.iter().flat_map(|pair| &pair.configuration) {
        let shown = values.each_ref().map(|v| shortened(v.as_deref().unwrap_or("nothing")));
        keys.entry(key).or_default().push(shown);
    }
    if keys.is_empty() {
        let whose = if pairs.len() == 1 { "The configurations" } else { "All configurations" };
        return format!("{whose} are the same.");
    }
    let told = keys.iter().take(MOST_KEYS).map(|(key, values)| {
        let [a, b] = &values[0];
        let alike = values.iter().all(|other| *other == values[0]);
        let of = if pairs.len() == 1 || values.len() == pairs.len() {
            String::new()
        } else {
            format!(" in {} of {} runs", values.len(), pairs.len())
        };
        if alike { format!("{key} ({a} against {b}){of}") } else { format!("{key}{of}") }
    });
    let mut told: Vec<String> = told.collect();
    if keys.len() > MOST_KEYS {
        told.push(format!("{} more keys", keys.len() - MOST_KEYS));
    }
    format!("The configurations differ in {}.", told.join(", "))
}

fn of_many(pairs: &[Pair]) -> Vec<String> {
    let all = pairs.len();
    let equal = pairs.iter().filter(|pair| pair.is_equal()).count();
    let mut lines =
        vec![configurations(pairs), format!("{equal} of {all} runs are bitwise equal.")];
    if equal == all {
        return lines;
    }
    let lower = |of_a: bool| {
        let is_lower = |pair: &&Pair| {
            let (low, high) = if of_a { (&pair.a, &pair.b) } else { (&pair.b, &pair.a) };
            low.final_loss < high.final_loss
        };
        pairs.iter().filter(is_lower).count()
    };
    lines.push(format!(
        "a ends at the lower loss in {} runs, and b in {}.",
        lower(true),
        lower(false)
    ));
    let worst = pairs.iter().filter_map(|pair| Some((pair, pair.worst()?)));
    let worst = worst.max_by(|(_, x), (_, y)| x.worst.total_cmp(&y.worst));
    lines.push(match worst.filter(|(_, found)| found.worst > 0.0) {
        Some((pair, found)) => format!(
            "Over the steps that both recorded, they are apart most in {} of\n{}: the relative difference is {}{}.",
            found.column,
            pair.id,
            digits(found.worst, 4),
            found.step.map_or_else(String::new, |step| format!(", at step {step}")),
        ),
        None => "What both recorded at common steps is bitwise equal.".to_owned(),
    });
    lines
}

/// A share in per cent, of a tiny one the number itself.
fn percent(share: f64) -> String {
    if share < 1e-4 { digits(share, 3) } else { format!("{} %", digits(100.0 * share, 3)) }
}
