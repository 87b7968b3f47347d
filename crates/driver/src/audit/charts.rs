//! The audit's figures: those of the papers' runs, and the worst ratio of each statement.

use gaussflow::theory::referee::{Measurements, Plot};
use gaussflow::theory::{Record, Verdict};
use gaussflow_figures::{Chart, Reference, Scale, Series, Sign};

/// Every figure of a paper's audit: the stem of its file names and the chart. `report` begins the names of those that are
/// made of the records, and its end, which names the paper, ends them.
pub fn charts(found: &Measurements, report: &str) -> Vec<(String, Chart)> {
    let mut charts: Vec<(String, Chart)> =
        found.plots.iter().map(|plot| (plot.stem.clone(), chart(plot))).collect();
    let paper = report.strip_prefix("audit").unwrap_or(report);
    let made = [("ratios", worst_ratios(found)), ("adversary", attacks(found))];
    // A paper of reported numbers has no ratios, and one without families no attacks. Of a few statements the tables say all.
    let drawn = made.into_iter().filter(|(_, chart)| chart.categories.len() > FEW);
    charts.extend(drawn.map(|(name, chart)| (format!("audit_{name}{paper}"), chart)));
    charts
}

/// Statements up to which their ratios are not drawn.
const FEW: usize = 3;

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
            .map(|(number, (name, x, y))| Series::new(name, x.clone(), y.clone(), number))
            .collect(),
        horizontal_lines: lines
            .map(|(label, value)| Reference { label: label.clone(), value: *value })
            .collect(),
        ..Chart::default()
    }
}

/// What a dot says of a statement: which wording, and its verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Dot {
    /// Whether the corrected wording is meant.
    corrected: bool,
    /// Whether it holds.
    holds: bool,
}

impl Dot {
    /// All of them, in the order of the legend.
    const ALL: [Self; 4] = [
        Self { corrected: false, holds: true },
        Self { corrected: false, holds: false },
        Self { corrected: true, holds: true },
        Self { corrected: true, holds: false },
    ];

    fn label(self) -> String {
        let wording = if self.corrected { "corrected" } else { "as stated" };
        format!("{wording}, {}", if self.holds { "holds" } else { "violated" })
    }

    /// Its comparison's left over right in a record, where that is judged and has a place on a logarithmic axis.
    fn ratio(self, record: &Record) -> Option<f64> {
        let (verdict, comparison) = match &record.corrected {
            Some(found) if self.corrected => (found.verdict, &found.comparison),
            _ if self.corrected => return None,
            _ => (record.verdict, &record.comparison),
        };
        let wanted = if self.holds { Verdict::Holds } else { Verdict::Violated };
        comparison.ratio().filter(|ratio| verdict == wanted && *ratio > 0.0)
    }
}

/// A dot plot: a row for each statement with any dot, and in it the largest ratio of each kind among the records that count.
fn dot_plot(found: &Measurements, counts: impl Fn(&Record, Dot) -> bool) -> Chart {
    let mut ids: Vec<&str> = found.records.iter().map(|record| record.statement.id).collect();
    ids.dedup();
    let mut series = Dot::ALL.map(|dot| Series {
        // The colour, and with it the shape of the sign, tells the verdict.
        colour: if dot.holds { HOLDS } else { VIOLATED },
        sign: if dot.corrected { Sign::Hollow } else { Sign::Solid },
        ..Series::new(dot.label(), Vec::new(), Vec::new(), 0)
    });
    let mut categories = Vec::new();
    for id in ids {
        let of = || found.records.iter().filter(|record| record.statement.id == id);
        let worst = Dot::ALL.map(|dot| {
            let counted = of().filter(|record| counts(record, dot));
            counted.filter_map(|record| dot.ratio(record)).fold(f64::NAN, f64::max)
        });
        if worst.iter().all(|ratio| ratio.is_nan()) {
            continue;
        }
        let row = categories.len() as f64;
        categories.push(id.to_owned());
        for (series, ratio) in series.iter_mut().zip(worst).filter(|(_, ratio)| !ratio.is_nan()) {
            // A gap behind each dot: rows have nothing to do with each other.
            series.x.extend([ratio, f64::NAN]);
            series.y.extend([row, f64::NAN]);
        }
    }
    Chart {
        x_label: "left side / right side at the worst place".to_owned(),
        x_scale: Scale::Logarithmic,
        series: series.into_iter().filter(|series| !series.x.is_empty()).collect(),
        vertical_lines: vec![Reference { label: "left = right".to_owned(), value: 1.0 }],
        categories,
        ..Chart::default()
    }
}

/// Numbers of the colours of both verdicts.
const HOLDS: usize = 1;
const VIOLATED: usize = 0;

/// The worst ratio of each judged statement on the planned runs.
fn worst_ratios(found: &Measurements) -> Chart {
    let mut chart = dot_plot(found, |record, _| record.attack.is_none());
    let violated = chart.series.iter().find(|series| series.label == Dot::ALL[1].label());
    let violated = violated.map_or(0, |series| series.x.len() / 2);
    let all = chart.categories.len();
    chart.title = String::from("How close each statement comes to failing on the planned runs");
    chart.subtitle = String::from(
        "a dot is the largest left/right of all runs with that verdict; a statement says that left is at most \
         right, so a dot right of the line, beyond the tolerance, is a violation",
    );
    chart.description = format!(
        "Every row is a statement. Its dots are the largest ratios of its left side to its right side, as stated and corrected, on \
         the planned runs: at most 1 where it holds. Of {all} statements with such a ratio, {violated} are violated as stated on \
         some run. Statements whose ratio is 0 or has no right side above 0 have no row."
    );
    chart
}

/// The largest ratio that the adversary found for each statement, as stated and corrected.
fn attacks(found: &Measurements) -> Chart {
    let mut chart = dot_plot(found, |record, dot| {
        record.attack.as_ref().is_some_and(|attack| attack.corrected == dot.corrected)
    });
    chart.title = String::from("How far a search for counterexamples pushes each statement");
    chart.subtitle = String::from(
        "a dot is the largest left/right that the search over small problems found; right of the line, beyond the \
         tolerance, it is a counterexample",
    );
    chart.description = String::from(
        "Every row is a statement that the adversary attacked, as stated or corrected. Its dots are the largest \
         ratios of left to right that were found: above 1 beyond the tolerance is a counterexample.",
    );
    chart
}

#[cfg(test)]
mod tests {
    use super::*;
    use gaussflow::theory::{Comparison, Corrected, Statement};

    fn record(id: &'static str, left: f64, right: f64) -> Record {
        let statement = Statement { id, place: "Lemma 1", text: "left <= right" };
        statement.judge("run", Vec::new(), [Comparison::new(left, right, 1e-9, "there")])
    }

    /// Two runs of one statement and one of another that has no ratio: a row for the first, with the worst of each verdict.
    #[test]
    fn a_row_holds_the_worst_of_each_verdict() {
        let mut violated = record("a/first", 5.0, 1.0);
        violated.corrected = Some(Corrected {
            statement: "corrected".to_owned(),
            comparison: Comparison::new(0.25, 1.0, 1e-9, "there"),
            verdict: Verdict::Holds,
        });
        let records = vec![
            record("a/first", 0.5, 1.0),
            record("a/first", 0.75, 1.0),
            violated,
            record("a/second", 0.0, 1.0),
            record("a/third", 1e-3, 1.0),
        ];
        let chart = worst_ratios(&Measurements::of(records));
        assert_eq!(chart.categories, ["a/first", "a/third"]);
        let dots = |label: &str| {
            let series = chart.series.iter().find(|series| series.label == label).unwrap();
            let places = series.x.iter().zip(&series.y).filter(|(x, _)| !x.is_nan());
            places.map(|(x, y)| (*x, *y)).collect::<Vec<_>>()
        };
        assert_eq!(dots("as stated, holds"), [(0.75, 0.0), (1e-3, 1.0)]);
        assert_eq!(dots("as stated, violated"), [(5.0, 0.0)]);
        assert_eq!(dots("corrected, holds"), [(0.25, 0.0)]);
        assert!(chart.description.contains("Of 2 statements with such a ratio, 1 are"));
        assert!(attacks(&Measurements::of(Vec::new())).categories.is_empty());
    }
}
