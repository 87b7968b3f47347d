//! The table of runs: how each ended, what it fell back to, and links to its files.

use std::fmt::Write;

use gaussflow_records::{Event, EventKind, Outcome, Status, StopReason};

use super::folder::Run;
use super::groups::method;
use super::markup::{address, escape};
use super::settings::number;
use crate::remark::digits;

/// Rows of the table; runs with a fallback or an early end come before others are left out.
const MOST_ROWS: usize = 600;

/// The section.
pub fn section(runs: &[Run]) -> String {
    if runs.is_empty() {
        return String::new();
    }
    let remarkable = runs.iter().filter(|run| is_remarkable(run)).count();
    let mut text = format!(
        "<section id=\"runs\"><h2>Runs, fallbacks and early ends</h2>\n<p class=\"lead\">{} of {} took a fallback, \
         ended early or cannot be read in full. Nothing falls back silently.</p>\n<div class=\"controls\"><label>Filter \
         <input type=\"search\" data-filter=\"runs-table\" placeholder=\"method, α, reason\"></label>\n<label><input type=\"checkbox\" \
         data-filter-marked=\"runs-table\"> only these {}</label> <span class=\"count\" data-count=\"runs-table\" \
         role=\"status\"></span></div>\n<div class=\"table\"><table id=\"runs-table\" data-sortable><thead><tr><th>Method</th><th \
         data-kind=\"number\">α</th><th data-kind=\"number\">Seed</th><th>End</th><th data-kind=\"number\">Last t</th><th \
         data-kind=\"number\">Last loss</th><th data-kind=\"number\">Fallbacks</th><th data-kind=\"none\">Files</th></tr></thead>\n<tbody>\n",
        remarkable,
        runs.len(),
        remarkable,
    );
    let mut spare = MOST_ROWS.saturating_sub(remarkable);
    let mut rows = 0;
    for run in runs {
        let shown = if is_remarkable(run) { rows < MOST_ROWS } else { spare > 0 };
        if shown {
            row(&mut text, run);
            rows += 1;
            spare = spare.saturating_sub(usize::from(!is_remarkable(run)));
        }
    }
    text.push_str("</tbody></table></div>\n");
    if rows < runs.len() {
        let _ = writeln!(
            text,
            "<p class=\"note\">{} more runs are not listed here; manifest.json names them.</p>",
            runs.len() - rows
        );
    }
    text.push_str("</section>\n");
    text
}

/// How a run ended, as the first screen counts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// At its horizon, with nothing to remark.
    Horizon,
    /// At its horizon, but it lost rank, fell back or rose in loss.
    Remarked,
    /// Before: a result.
    Early,
    /// Without an answer, or with an outcome that cannot be read.
    Failed,
}

/// How a run ended.
pub fn end(run: &Run) -> End {
    match run.outcome.as_ref().map(|outcome| outcome.status) {
        Some(Status::Completed) if run.remark().is_some() => End::Remarked,
        Some(Status::Completed) => End::Horizon,
        Some(Status::Stopped) => End::Early,
        Some(Status::Failed) | None => End::Failed,
    }
}

/// Whether any fallback was taken.
pub fn took_fallback(run: &Run) -> bool {
    run.outcome.as_ref().is_some_and(|outcome| fallbacks(outcome).next().is_some())
}

/// A fallback, an early end, or files that could not be read.
fn is_remarkable(run: &Run) -> bool {
    end(run) != End::Horizon || took_fallback(run) || run.trace.is_empty() || run.settings.is_none()
}

/// Names, without their prefix, and counts of the fallbacks taken.
fn fallbacks(outcome: &Outcome) -> impl Iterator<Item = (&str, u64)> {
    let taken = outcome.counters.iter().filter(|(_, count)| **count > 0);
    taken.filter_map(|(name, count)| Some((name.strip_prefix("fallback_")?, *count)))
}

/// One run's row.
fn row(text: &mut String, run: &Run) {
    let setting = |key: &str| {
        run.settings.as_ref().and_then(|s| s.get(key)).map_or_else(|| "?".to_owned(), |v| number(v))
    };
    let name = run.settings.as_ref().map_or_else(|| run.id.clone(), method);
    let end = run.outcome.as_ref().map_or_else(|| "not readable".to_owned(), ending);
    let class = match self::end(run) {
        End::Horizon => "holds",
        End::Remarked | End::Early => "hypotheses-unmet",
        End::Failed => "violated",
    };
    let [time, loss] = [
        run.outcome.as_ref().map_or(f64::NAN, |outcome| outcome.final_time),
        run.outcome.as_ref().map_or(f64::NAN, |outcome| outcome.final_loss),
    ];
    let marked = if is_remarkable(run) { " data-marked" } else { "" };
    let _ = write!(
        text,
        "<tr{marked}><td data-label=\"Method\">{}</td><td data-label=\"α\">{}</td><td data-label=\"Seed\">{}</td><td \
         data-label=\"End\"><span class=\"badge {class}\">{}</span>",
        escape(&name),
        escape(&setting("dynamics.scaling")),
        escape(&setting("dynamics.seed")),
        escape(&end)
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
    let _ = writeln!(
        text,
        "</td><td data-label=\"Files\"><a href=\"{}\" aria-label=\"trace of {id}\">trace</a> <a href=\"{}\" \
         aria-label=\"outcome of {id}\">outcome</a></td></tr>",
        address(&format!("{folder}trace.csv")),
        address(&format!("{folder}outcome.json")),
        id = escape(&run.id),
    );
}

/// How a run ended, in words.
fn ending(outcome: &Outcome) -> String {
    let reason = match outcome.stop_reason {
        StopReason::Horizon => "horizon",
        StopReason::RankLost => "rank lost",
        StopReason::LeftBall => "left the ball",
        StopReason::NonFinite => "not finite",
        StopReason::Stationary => "stationary",
        StopReason::Interrupted => "interrupted",
        StopReason::Failed => "no answer",
    };
    match outcome.status {
        Status::Failed => format!("failed: {reason}"),
        Status::Completed | Status::Stopped => reason.to_owned(),
    }
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
