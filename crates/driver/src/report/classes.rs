//! Which classes were taken for which at the end of runs on classes: one table a run and set of rows.

use std::fmt::Write;

use gaussflow_records::Confusion;

use super::folder::Run;
use super::markup::escape;

/// Runs whose tables are shown.
const MOST_RUNS: usize = 24;

/// Classes of a table that is shown: of more, the accuracy alone.
const MOST_CLASSES: usize = 20;

/// The section; empty where no run is on classes.
pub fn section(runs: &[Run]) -> String {
    let found: Vec<_> = runs
        .iter()
        .filter_map(|run| Some((run, run.outcome.as_ref()?.classes.as_ref()?)))
        .collect();
    if found.is_empty() {
        return String::new();
    }
    let mut text = String::from(
        "<section id=\"classes\"><h2>Classes</h2>\n<p class=\"lead\">How many rows of each class were taken for each class at \
         the end of a run, the one with the largest output. Right answers stand on the diagonal.</p>\n",
    );
    for (run, classes) in found.iter().take(MOST_RUNS) {
        let _ = writeln!(text, "<h3>{}</h3>", escape(&run.id));
        table(&mut text, "rows drawn", &classes.drawn);
        if let Some(held_out) = &classes.held_out {
            table(&mut text, "rows held out", held_out);
        }
    }
    if let Some(rest) = found.len().checked_sub(MOST_RUNS).filter(|rest| *rest > 0) {
        let _ =
            writeln!(text, "<p class=\"note\">{rest} more runs have theirs in outcome.json.</p>");
    }
    text.push_str("</section>\n");
    text
}

fn table(text: &mut String, rows: &str, confusion: &Confusion) {
    let (classes, share) = (confusion.counts.len(), 100.0 * confusion.accuracy());
    let all =
        confusion.counts.iter().flatten().fold(0, |sum: u64, count| sum.saturating_add(*count));
    let _ =
        writeln!(text, "<p>{all} {rows}: {share:.2} % of them are taken for their own class.</p>");
    if classes > MOST_CLASSES {
        return;
    }
    let heads: Vec<String> = (0..classes).map(|class| format!("<th>as {class}</th>")).collect();
    let heads = heads.concat();
    let _ = write!(
        text,
        "<div class=\"table\"><table><thead><tr><th>Class</th>{heads}</tr></thead><tbody>"
    );
    for (class, counts) in confusion.counts.iter().enumerate() {
        let cell = |(found, count): (usize, &u64)| {
            let shown = if found == class { format!("<b>{count}</b>") } else { count.to_string() };
            format!("<td>{shown}</td>")
        };
        let cells = counts.iter().enumerate().map(cell).collect::<Vec<_>>().concat();
        let _ = write!(text, "<tr><th scope=\"row\">{class}</th>{cells}</tr>");
    }
    text.push_str("</tbody></table></div>\n");
}
