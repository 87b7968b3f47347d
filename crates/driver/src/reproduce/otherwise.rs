//! What went otherwise than the flow, a row a configuration: fallbacks, loss of rank, early ends.

use std::fmt::Write;

use gaussflow_records::StopReason;

use super::results::{Finished, Results};
use crate::grouped::grouped;
use crate::remark::{digits, fallback_in_words};

/// The table, and below it one remark a configuration; nothing collapses silently.
pub(super) fn section(text: &mut String, results: &Results) -> std::fmt::Result {
    let names: Vec<String> = results.runs.iter().map(configuration).collect();
    let of_configuration = grouped(names.iter().map(String::as_str).zip(&results.runs)).into_iter();
    let told: Vec<(&str, Vec<&Finished>)> =
        of_configuration.filter(|(_, runs)| runs.iter().any(|run| is_noteworthy(run))).collect();
    writeln!(text, "## Fallbacks, loss of rank and early ends\n")?;
    if told.is_empty() {
        return writeln!(text, "No run took a fallback, lost rank or ended early.\n");
    }
    writeln!(
        text,
        "A row is a configuration, and its numbers are of its seeds. Spectra by a dense decomposition are as exact as \
         the others, and only slower.\n\n\
         | configuration | runs with fallbacks | fallbacks in all | runs that lost rank | ended early |\n|---|---|---|---|---|"
    )?;
    for (name, runs) in &told {
        let all = runs.len();
        let fallen = runs.iter().filter(|run| fallbacks(run).next().is_some()).count();
        let early: Vec<&Finished> =
            runs.iter().copied().filter(|run| !reached_horizon(run)).collect();
        writeln!(
            text,
            "| {name} | {fallen} of {all} | {} | {} | {} |",
            counts(runs),
            rank_losses(runs),
            if early.is_empty() {
                "none".to_owned()
            } else {
                let times = early.iter().map(|run| run.outcome.final_time);
                format!("{} of {all}, at t = {}", early.len(), range(times))
            }
        )?;
    }
    remarks(text, &told)
}

/// One remark a configuration, that of its first run that has one.
fn remarks(text: &mut String, told: &[(&str, Vec<&Finished>)]) -> std::fmt::Result {
    writeln!(text, "\n## What went otherwise than the flow\n")?;
    for (name, runs) in told {
        let mut remarked = runs.iter().filter_map(|run| Some((run.seed, run.remark()?)));
        if let Some((seed, remark)) = remarked.next() {
            let count = 1 + remarked.count();
            writeln!(text, "- {name}, {count} of {} runs; of seed {seed}: {remark}", runs.len())?;
        }
    }
    writeln!(text)
}

/// Method and alpha, which all seeds share.
fn configuration(run: &Finished) -> String {
    format!("{}, alpha = {}", run.method.words(), run.scaling)
}

fn reached_horizon(run: &Finished) -> bool {
    run.outcome.stop_reason == StopReason::Horizon
}

fn is_noteworthy(run: &Finished) -> bool {
    fallbacks(run).next().is_some() || !reached_horizon(run) || run.remark().is_some()
}

/// The fallbacks that a run took, with their counts.
fn fallbacks(run: &Finished) -> impl Iterator<Item = (&str, u64)> {
    let counters = run.outcome.counters.iter();
    counters
        .filter(|(name, count)| name.starts_with("fallback") && **count > 0)
        .map(|(name, count)| (name.as_str(), *count))
}

/// The sums over the runs, counter by counter.
fn counts(runs: &[&Finished]) -> String {
    let all = grouped(runs.iter().flat_map(|run| fallbacks(run)));
    let words = all.into_iter().map(|(name, counts)| fallback_in_words(name, counts.iter().sum()));
    let words: Vec<String> = words.collect();
    if words.is_empty() { "none".to_owned() } else { words.join(", ") }
}

/// How many runs lost rank, and since when.
fn rank_losses(runs: &[&Finished]) -> String {
    let times: Vec<f64> = runs.iter().filter_map(|run| Some(run.rank_lost()?.time)).collect();
    if times.is_empty() {
        return "none".to_owned();
    }
    format!("{} of {}, at t = {}", times.len(), runs.len(), range(times.into_iter()))
}

/// `0.11 to 0.24`, or one number.
fn range(values: impl Iterator<Item = f64> + Clone) -> String {
    let least = digits(values.clone().fold(f64::INFINITY, f64::min), 4);
    let largest = digits(values.fold(f64::NEG_INFINITY, f64::max), 4);
    if least == largest { least } else { format!("{least} to {largest}") }
}
