//! The runs, folded by configuration: how each ended, what it fell back to, its settings, and links to its files.

use std::fmt::Write;

use gaussflow_records::{Event, EventKind, Outcome};

use super::ending::{self, End};
use super::folder::Run;
use super::groups::{Group, varying};
use super::markup::{address, anchor, escape};
use super::settings::{Settings, number};
use crate::remark::digits;

/// Rows of all tables; runs with a fallback or an early end come before others are left out.
const MOST_ROWS: usize = 600;
/// Configurations that are written out; beyond them a run's own config.toml holds it.
const MOST_CONFIGURATIONS: usize = 60;

/// The id of a run's row.
pub fn row_id(run: &Run) -> String {
    anchor("run", &run.id)
}

/// The section: one fold a configuration, with a row a run.
pub fn section(runs: &[Run], groups: &[Group<'_>]) -> String {
    if runs.is_empty() {
        return String::new();
    }
    let remarkable = runs.iter().filter(|run| is_remarkable(run)).count();
    let title = if runs.len() == 1 { "The run" } else { "Runs" };
    let mut text = format!("<section id=\"runs\"><h2>{title}</h2>\n");
    if runs.len() > 1 {
        let _ = write!(
            text,
            "<p class=\"lead\">One line a configuration, with the median of the last losses over its seeds, and the least \
             and the greatest. Open it for its runs. {remarkable} of {} runs took a fallback, ended early, rose in loss or \
             cannot be read in full.</p>\n<div class=\"controls\"><label>Filter <input type=\"search\" data-filter=\"runs\" \
             placeholder=\"method, α, reason\"></label>\n<label><input type=\"checkbox\" data-filter-marked=\"runs\"> only \
             these {remarkable}</label> <span class=\"count\" data-count=\"runs\" role=\"status\"></span></div>\n",
            runs.len(),
        );
    }
    let mut room = Room { rows: MOST_ROWS, usual: MOST_ROWS.saturating_sub(remarkable) };
    let all: Vec<&Settings> = runs.iter().filter_map(|run| run.settings.as_ref()).collect();
    let differing = varying(&all);
    let mut left_out = 0;
    for (place, group) in groups.iter().enumerate() {
        let shown: Vec<&Run> = group.runs.iter().copied().filter(|run| room.admits(run)).collect();
        left_out += group.runs.len() - shown.len();
        if !shown.is_empty() {
            let whole = place < MOST_CONFIGURATIONS;
            one_group(&mut text, group, &shown, (&differing, whole), runs.len() == 1);
        }
    }
    if left_out > 0 {
        let _ = writeln!(
            text,
            "<p class=\"note\">{left_out} more runs are not listed here; manifest.json names them.</p>"
        );
    }
    text.push_str("</section>\n");
    text
}

/// How many rows may still be written.
struct Room {
    rows: usize,
    /// Of these, for runs with nothing to remark.
    usual: usize,
}

impl Room {
    fn admits(&mut self, run: &Run) -> bool {
        let usual = usize::from(!is_remarkable(run));
        let admitted = self.rows > 0 && (usual == 0 || self.usual > 0);
        if admitted {
            self.rows -= 1;
            self.usual -= usual;
        }
        admitted
    }
}

/// A configuration: its line, the table of its runs, and its settings.
fn one_group(
    text: &mut String,
    group: &Group<'_>,
    shown: &[&Run],
    (differing, whole): (&[String], bool),
    is_only_run: bool,
) {
    let settings = shown.iter().find_map(|run| run.settings.as_ref());
    let table = "<div class=\"table\"><table data-table=\"runs\" data-sortable><thead><tr><th scope=\"col\" \
                 data-kind=\"number\">Seed</th><th scope=\"col\">End</th><th scope=\"col\" data-kind=\"number\">Last \
                 t</th><th scope=\"col\" data-kind=\"number\">Last loss</th><th scope=\"col\" \
                 data-kind=\"number\">Fallbacks</th><th scope=\"col\" data-kind=\"none\">Files</th></tr></thead>\n<tbody>\n";
    if !is_only_run {
        let _ =
            writeln!(text, "<details class=\"fold\" data-print><summary>{}</summary>", line(group));
    }
    text.push_str(table);
    shown.iter().for_each(|run| row(text, run));
    text.push_str("</tbody></table></div>\n");
    if let Some(settings) = settings.filter(|_| whole) {
        let own: Vec<String> = differing
            .iter()
            .filter(|key| *key != "dynamics.seed")
            .filter_map(|key| Some(format!("{key} = {}", settings.get(key)?)))
            .collect();
        if !own.is_empty() {
            let own = escape(&own.join(", "));
            let _ = writeln!(text, "<p class=\"note\">What differs from other runs: {own}</p>");
        }
        let (open, seed) = if is_only_run { (" open", "") } else { ("", " but for the seed") };
        let _ = write!(
            text,
            "<details{open}><summary>The whole configuration{seed}</summary><dl class=\"facts columns\">"
        );
        for (key, value) in
            settings.iter().filter(|(key, _)| is_only_run || *key != "dynamics.seed")
        {
            let _ = write!(text, "<div><dt>{}</dt><dd>{}</dd></div>", escape(key), escape(value));
        }
        text.push_str("</dl></details>\n");
    }
    text.push_str(if is_only_run { "" } else { "</details>\n" });
}

/// A configuration in one line: name, how its runs ended, median and range of the last losses.
fn line(group: &Group<'_>) -> String {
    let comma = if group.method.is_empty() { "" } else { ", " };
    let mut text = format!(
        "<span class=\"name\">{}{comma}{}</span> <span class=\"ends\">",
        escape(&group.method),
        escape(&group.label)
    );
    for end in End::ALL {
        let count = group.runs.iter().filter(|run| ending::end(run) == end).count();
        if count > 0 {
            let _ = write!(
                text,
                "<span class=\"badge {}\">{count} {}</span> ",
                end.class(),
                end.words()
            );
        }
    }
    text.push_str("</span> <span class=\"losses\">");
    if let Some([least, median, greatest]) = ending::losses(group) {
        let (least, median, greatest) = (digits(least, 4), digits(median, 4), digits(greatest, 4));
        let _ = if group.runs.len() > 1 {
            write!(text, "<b>{median}</b> ({least} to {greatest})")
        } else {
            write!(text, "<b>{median}</b>")
        };
    }
    text.push_str("</span>");
    text
}

/// Whether any fallback was taken.
pub fn took_fallback(run: &Run) -> bool {
    run.outcome.as_ref().is_some_and(|outcome| fallbacks(outcome).next().is_some())
}

/// A fallback, an early end, or files that could not be read.
fn is_remarkable(run: &Run) -> bool {
    ending::end(run) != End::Horizon
        || took_fallback(run)
        || run.trace.is_empty()
        || run.settings.is_none()
}

/// Names, without their prefix, and counts of the fallbacks taken.
fn fallbacks(outcome: &Outcome) -> impl Iterator<Item = (&str, u64)> {
    let taken = outcome.counters.iter().filter(|(_, count)| **count > 0);
    taken.filter_map(|(name, count)| Some((name.strip_prefix("fallback_")?, *count)))
}

/// One run's row.
fn row(text: &mut String, run: &Run) {
    let seed = run.settings.as_ref().and_then(|settings| settings.get("dynamics.seed"));
    let [time, loss] = [
        run.outcome.as_ref().map_or(f64::NAN, |outcome| outcome.final_time),
        run.outcome.as_ref().map_or(f64::NAN, |outcome| outcome.final_loss),
    ];
    let marked = if is_remarkable(run) { " data-marked" } else { "" };
    let _ = write!(
        text,
        "<tr id=\"{}\"{marked}><td data-label=\"Seed\" data-anchor title=\"{}\">{}</td><td data-label=\"End\"><span \
         class=\"badge {}\">{}</span>",
        row_id(run),
        escape(&run.id),
        escape(&seed.map_or_else(|| "?".to_owned(), |seed| number(seed))),
        ending::end(run).class(),
        escape(&ending::words(run)),
    );
    if let Some(remark) = run.remark() {
        let _ = write!(text, "<div class=\"note\">{}</div>", escape(&remark));
    }
    for event in run.outcome.iter().flat_map(|outcome| &outcome.events) {
        let _ = write!(text, "<div class=\"note\">{}</div>", event_text(event));
    }
    let _ = write!(
        text,
        "</td><td data-label=\"Last t\">{}</td><td data-label=\"Last loss\">{}</td><td data-label=\"Fallbacks\" \
         data-value=\"{}\">",
        digits(time, 6),
        digits(loss, 6),
        run.outcome
            .as_ref()
            .map_or(0, |outcome| fallbacks(outcome).map(|(_, count)| count).sum::<u64>())
    );
    let taken: Vec<String> = run
        .outcome
        .iter()
        .flat_map(fallbacks)
        .map(|(name, count)| format!("{} {count}", escape(&name.replace('_', " "))))
        .collect();
    text.push_str(if taken.is_empty() { "none" } else { "" });
    text.push_str(&taken.join("; "));
    let folder = if run.path.is_empty() { String::new() } else { format!("{}/", run.path) };
    text.push_str("</td><td data-label=\"Files\">");
    let id = escape(&run.id);
    for (name, file) in
        [("trace", "trace.csv"), ("outcome", "outcome.json"), ("configuration", "config.toml")]
    {
        let address = address(&format!("{folder}{file}"));
        let _ = write!(text, "<a href=\"{address}\" aria-label=\"{name} of {id}\">{name}</a> ");
    }
    text.push_str("</td></tr>\n");
}

fn event_text(event: &Event) -> String {
    let kind = match event.kind {
        EventKind::LeftBall => "left the ball",
        EventKind::RankLost => "rank lost",
        EventKind::NonFinite => "not finite",
    };
    let (time, value, threshold) =
        (digits(event.time, 6), digits(event.value, 4), digits(event.threshold, 4));
    format!("{kind} at t = {time} (step {}): {value} against {threshold}", event.step)
}
