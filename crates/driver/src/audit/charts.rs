//! The audit's figures: those of the papers' runs, and the worst ratio of each statement.

use gaussflow::theory::referee::{Measurements, Plot};
use gaussflow::theory::{Record, Verdict};
use gaussflow_figures::{Chart, Reference, Scale, Series};

/// Every figure of a paper's audit: the stem of its file names and the chart. `report` begins the names of those that are
/// made of the records.
pub fn charts(found: &Measurements, report: &str) -> Vec<(String, Chart)> {
    let mut charts: Vec<(String, Chart)> =
        found.plots.iter().map(|plot| (plot.stem.clone(), chart(plot))).collect();
    let made = [("ratios", worst_ratios(found)), ("adversary", attacks(found))];
    // A paper of reported numbers has no ratios, and one without families no attacks. Of a few statements the tables say all.
    let many = numbered(found).len() > FEW;
    let drawn =
        made.into_iter().filter(|(_, chart)| many && chart.series.iter().any(|s| !s.x.is_empty()));
    charts.extend(drawn.map(|(name, chart)| (format!("{report}_{name}"), chart)));
    charts
}

/// Statements up to which their ratios are not drawn.
const FEW: usize = 10;

fn chart(plot: &Plot) -> Chart {
    let scale = |logarithmic| if logarithmic { Scale::Logarithmic } else { Scale::Linear };
    let series = plot.curves.iter().enumerate();
    let lines = plot.lines.iter();
    Chart {
        title: plot.title.clone(),
        subtitle: plot.subtitle.clone(),
        x_label: plot.x_label.clone(),
        y_label: plot.y_label.clone(),
        x_scale: scale(plot.logarithmic.0),
        y_scale: scale(plot.logarithmic.1),
        series: series
            .map(|(style, (name, x, y))| Series::new(name, x.clone(), y.clone(), style))
            .collect(),
        horizontal_lines: lines
            .map(|(label, value)| Reference { label: label.clone(), value: *value })
            .collect(),
        ..Chart::default()
    }
}

/// Every id, in the order of its number in the report.
fn numbered(found: &Measurements) -> Vec<&str> {
    let mut ids: Vec<&str> = found.records.iter().map(|r| r.statement.id).collect();
    ids.dedup();
    ids
}

/// Stems from 1 to the largest ratio of each statement: neighbours have nothing to do with each other.
fn stems(
    ids: &[&str],
    found: &Measurements,
    ratio: impl Fn(&Record) -> Option<f64>,
) -> (Vec<f64>, Vec<f64>) {
    let (mut x, mut y) = (Vec::new(), Vec::new());
    for (k, id) in ids.iter().enumerate() {
        let of = found.records.iter().filter(|record| record.statement.id == *id);
        let worst = of.filter_map(&ratio).fold(f64::NAN, f64::max);
        if worst > 0.0 {
            let place = (k + 1) as f64;
            x.extend([place, place, place]);
            y.extend([1.0, worst, f64::NAN]);
        }
    }
    (x, y)
}

/// Axes and the line at 1 that both figures have.
fn ratio_chart(title: &str, subtitle: &str, series: Vec<Series>) -> Chart {
    Chart {
        title: title.to_owned(),
        subtitle: subtitle.to_owned(),
        x_label: "number of the statement".to_owned(),
        y_label: "left / right at the worst point".to_owned(),
        y_scale: Scale::Logarithmic,
        series,
        horizontal_lines: vec![Reference { label: "1".to_owned(), value: 1.0 }],
        ..Chart::default()
    }
}

/// The worst ratio of each judged statement on the planned runs, by its number in the report.
fn worst_ratios(found: &Measurements) -> Chart {
    let ids = numbered(found);
    let column = |verdict: Verdict| {
        stems(&ids, found, |record| {
            let counts = record.verdict == verdict && record.attack.is_none();
            record.comparison.ratio().filter(|_| counts)
        })
    };
    let ((held, held_ratio), (violated, violated_ratio)) =
        (column(Verdict::Holds), column(Verdict::Violated));
    ratio_chart(
        "Worst ratio left/right of each statement",
        "planned runs, without the adversary; stems from 1, numbered as in the report; above 1 beyond the tolerance is a violation",
        vec![
            Series::new("worst of the runs on which it holds", held, held_ratio, 0),
            Series::new("worst of the runs on which it is violated", violated, violated_ratio, 1),
        ],
    )
}

/// The largest ratio that the adversary found for each statement, as printed and corrected.
fn attacks(found: &Measurements) -> Chart {
    let ids = numbered(found);
    let printed = stems(&ids, found, |record| {
        let attacked = record.attack.as_ref().is_some_and(|attack| !attack.corrected);
        record.comparison.ratio().filter(|_| attacked)
    });
    let corrected = stems(&ids, found, |record| {
        let attacked = record.attack.as_ref().is_some_and(|attack| attack.corrected);
        record.corrected.as_ref().filter(|_| attacked)?.comparison.ratio()
    });
    ratio_chart(
        "The largest ratio left/right that the adversary found",
        "small problems; stems from 1, numbered as in the report; above 1 beyond the tolerance is a counterexample",
        vec![
            Series::new("as printed", printed.0, printed.1, 1),
            Series::new("corrected", corrected.0, corrected.1, 0),
        ],
    )
}
