//! At which alpha does depth stop collapsing? The alpha below which the Gauss-Newton flow loses rank before t = 5.

use gaussflow_dynamics::Preconditioner;

use crate::TheoryError;
use crate::papers::later::flows::{COARSE, Course, follow};
use crate::papers::later::runs::{regression, words};
use crate::problem::Problem;
use crate::referee::{Effort, Measurements, Plot, Rows, Statement, Table};

/// One, two and three hidden layers with 48 to 55 weights on 8 features.
pub(super) const NETWORKS: [&[usize]; 3] = [&[6], &[5, 3], &[4, 3, 2]];

/// Rows, of the 256 there are: as many a weight as docs/learn/depth.md has, roughly.
const ROWS: usize = 96;
/// Until when rank may be lost.
const HORIZON: f64 = 5.0;
/// The alphas between which the collapse is looked for.
const RANGE: [f64; 2] = [0.5, 3.3e4];

/// A search for the least alpha without collapse.
struct Search<'p> {
    problem: &'p Problem,
    /// Flows that turned so fast that they were given up: they count as collapsed.
    given_up: usize,
}

impl Search<'_> {
    /// Whether the flow at `scaling` loses rank, lambda_min/lambda_max of H = 1e-12, or is given up.
    fn collapses(&mut self, scaling: f64) -> Result<bool, TheoryError> {
        let preconditioner = Preconditioner::GaussNewton;
        let (horizon, tolerance) = (HORIZON, COARSE);
        let course = Course { preconditioner, scaling, horizon, samples: 1, tolerance };
        let followed = follow(self.problem, &course)?;
        self.given_up += usize::from(followed.gave_up());
        Ok(followed.rank_lost().is_some() || followed.gave_up())
    }

    /// The alpha below which the flow collapses, by `halvings` of log alpha; an end of [`RANGE`], nearly, where it
    /// always or never does.
    fn least_scaling(&mut self, halvings: usize) -> Result<f64, TheoryError> {
        let [mut low, mut high] = RANGE;
        for _ in 0..halvings {
            let middle = (low * high).sqrt();
            if self.collapses(middle)? { low = middle } else { high = middle }
        }
        Ok((low * high).sqrt())
    }
}

/// The alphas of several seeds on one network.
pub(super) fn collapse(
    rows: &Rows,
    widths: &[usize],
    effort: Effort,
) -> Result<Measurements, TheoryError> {
    let (seeds, halvings) = effort.choose((1, 3), (5, 6));
    let rows = rows.first(ROWS);
    let (mut found, mut given_up) = (Vec::new(), 0);
    for seed in 0..seeds {
        let problem = regression(&rows, widths, seed)?;
        let mut search = Search { problem: &problem, given_up: 0 };
        found.push(search.least_scaling(halvings)?);
        given_up += search.given_up;
    }
    found.sort_by(f64::total_cmp);
    let (least, median, most) = (found[0], found[found.len() / 2], found[found.len() - 1]);
    let parameters = regression(&rows, widths, 0)?.parameters();
    let name = format!("n = {ROWS}, hidden {}, {} seeds", words(widths), found.len());
    let row = Statement {
        id: "question/depth",
        place: "section 5",
        text: "alpha below which the Gauss-Newton flow loses rank before t = 5: median (left) and largest (right) over seeds",
    };
    let note = format!(
        "Least {least:.3e}; {parameters} weights. {given_up} of {} flows were given up and count as collapsed. ",
        found.len() * halvings
    );
    let mut measured = Measurements::of(vec![row.report(&name, median, most, &note)]);
    let depth = widths.len();
    let places = vec![depth as f64; found.len()];
    measured.plots.push(
        Plot::new(
            "audit_question_depth",
            "Above which α a network of each depth keeps its rank",
            "Gauss-Newton flow until t = 5 on 96 rows of California Housing, networks of 48 to 55 weights. One sign for each seed: below its α the flow loses rank, above it does not.",
            ("hidden layers", "α below which rank is lost"),
        )
        .logarithmic(false, true)
        .points(&format!("hidden {}", words(widths)), &places, &found),
    );
    measured.tables.push(Table {
        title: "The alpha at which depth stops collapsing".to_owned(),
        legend: format!(
            "Below it the Gauss-Newton flow loses rank (lambda_min/lambda_max of H = 1e-12) before t = {HORIZON}; \
             bisection of log alpha between {} and {:e} to 10 %; {ROWS} rows.",
            RANGE[0], RANGE[1]
        ),
        head: vec!["hidden", "weights", "least", "median", "largest"],
        rows: vec![vec![
            words(widths),
            parameters.to_string(),
            format!("{least:.2}"),
            format!("{median:.2}"),
            format!("{most:.2}"),
        ]],
    });
    Ok(measured)
}
