//! The pictures of a fit: data and curve, and residuals.

use std::collections::BTreeSet;

use gaussflow_figures::{Chart, Reference, Series};

/// More observations than this are thinned: each sign is a shape of its own in both files.
const ALL_DRAWN: usize = 1500;
/// Cells across and down the range of the data, each of about one and a half signs' size: of the observations in one, the
/// first is drawn.
const CELLS: [f64; 2] = [56.0, 34.0];

/// Characters of a model that a title shows.
const LONGEST_TITLE: usize = 400;

/// The observations to draw, in their order: of many, one in each cell, and those at the ends of both ranges, so
/// that the axes stay.
fn drawn(x: &[f64], y: &[f64]) -> Vec<usize> {
    if x.len() <= ALL_DRAWN {
        return (0..x.len()).collect();
    }
    let axes = [x, y].map(|values| {
        let finite = || (0..values.len()).filter(|&j| values[j].is_finite());
        let by_value = |a: &usize, b: &usize| values[*a].total_cmp(&values[*b]);
        (values, finite().min_by(by_value).unwrap_or(0), finite().max_by(by_value).unwrap_or(0))
    });
    let cell = |j: usize| {
        let mut places = [0, 0];
        for ((place, (values, low, high)), cells) in places.iter_mut().zip(axes).zip(CELLS) {
            // Halves, so that no range overflows. A value that is not finite is drawn nowhere.
            let share = (0.5 * values[j] - 0.5 * values[low])
                / (0.5 * values[high] - 0.5 * values[low]).max(f64::MIN_POSITIVE);
            #[expect(
                clippy::cast_possible_truncation,
                reason = "a float to integer cast saturates"
            )]
            let whole = (cells * share).floor() as i64;
            *place = whole;
        }
        places
    };
    let ends = axes.map(|(_, low, high)| [low, high]);
    let mut kept: BTreeSet<usize> = ends.into_iter().flatten().collect();
    let mut taken: BTreeSet<[i64; 2]> = kept.iter().map(|&j| cell(j)).collect();
    kept.extend((0..x.len()).filter(|&j| taken.insert(cell(j))).collect::<Vec<_>>());
    kept.into_iter().collect()
}

/// The `kept` points as signs without a line between them: a gap after each.
fn points(label: &str, x: &[f64], y: &[f64], style: usize, kept: &[usize]) -> Series {
    let spread = |values: &[f64]| kept.iter().flat_map(|&j| [values[j], f64::NAN]).collect();
    Series::new(label, spread(x), spread(y), style)
}

/// Data and fitted values against one predictor, or predictions against observations.
#[derive(Clone, Debug)]
pub struct Picture {
    /// Title: the model.
    pub title: String,
    /// What the horizontal axis is.
    pub x_label: String,
    /// The response.
    pub y_label: String,
    /// Abscissas of the observations.
    pub x: Vec<f64>,
    /// Observations.
    pub observed: Vec<f64>,
    /// Fitted values.
    pub fitted: Vec<f64>,
}

impl Picture {
    /// "fit" and "residuals", each a chart.
    pub fn charts(&self) -> [(&'static str, Chart); 2] {
        let mut order: Vec<usize> = (0..self.x.len()).collect();
        order.sort_by(|&a, &b| self.x[a].total_cmp(&self.x[b]));
        let sorted = |values: &[f64]| order.iter().map(|&j| values[j]).collect::<Vec<f64>>();
        let curve = Series::new("fit", sorted(&self.x), sorted(&self.fitted), 1);
        let residuals: Vec<f64> =
            self.fitted.iter().zip(&self.observed).map(|(f, y)| f - y).collect();
        let chart = |y_label: String, kept: usize, series: Vec<Series>| Chart {
            title: shortened(&self.title),
            subtitle: self.subtitle(kept),
            x_label: self.x_label.clone(),
            y_label,
            series,
            ..Chart::default()
        };
        let kept = drawn(&self.x, &self.observed);
        let data = points("data", &self.x, &self.observed, 0, &kept);
        let fit = chart(self.y_label.clone(), kept.len(), vec![data, curve]);
        let label = format!("fit minus data, {}", self.y_label);
        let kept = drawn(&self.x, &residuals);
        let signs = points("residuals", &self.x, &residuals, 0, &kept);
        let mut rest = chart(label, kept.len(), vec![signs]);
        rest.horizontal_lines.push(Reference { label: String::new(), value: 0.0 });
        [("fit", fit), ("residuals", rest)]
    }

    /// Predicted against observed values of held-out rows, and the errors: for models of many columns.
    pub fn scatter(&self) -> [(&'static str, Chart); 2] {
        let (low, high) = self
            .observed
            .iter()
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), &y| (l.min(y), h.max(y)));
        let ends = vec![low, high];
        let diagonal = Series::new("prediction = observation", ends.clone(), ends, 1);
        let [(fit, mut chart), rest] = self.charts();
        let kept = drawn(&self.x, &self.fitted);
        chart.series = vec![points("rows", &self.x, &self.fitted, 0, &kept), diagonal];
        chart.subtitle = self.subtitle(kept.len());
        [(fit, chart), rest]
    }

    /// How many observations there are, and how many are drawn.
    fn subtitle(&self, kept: usize) -> String {
        match self.x.len() {
            all if kept < all => format!(
                "{kept} of {all} observations drawn: of those that would cover each other, the first"
            ),
            all => format!("{all} observations"),
        }
    }
}

/// A title of a few lines at most.
fn shortened(title: &str) -> String {
    if title.chars().count() <= LONGEST_TITLE {
        return title.to_owned();
    }
    title.chars().take(LONGEST_TITLE).chain(" ...".chars()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Few points are all drawn; of many, each is drawn or covered by one in its cell, ends are kept, and the
    /// number does not grow with the rows.
    #[test]
    fn thinning_leaves_no_hole_and_keeps_the_ends() {
        let curve = |n: usize| -> (Vec<f64>, Vec<f64>) {
            let x: Vec<f64> = (0..n).map(|j| j as f64 / n as f64).collect();
            let y = x.iter().enumerate().map(|(j, x)| x * x + 0.1 * (j as f64 * 1.7).sin());
            (x.clone(), y.collect())
        };
        let (x, y) = curve(ALL_DRAWN);
        assert_eq!(drawn(&x, &y).len(), ALL_DRAWN);
        let mut counts = Vec::new();
        for n in [20_000, 200_000] {
            let (x, mut y) = curve(n);
            (y[7], y[8], y[9]) = (40.0, -3.0, f64::NAN);
            let kept = drawn(&x, &y);
            assert!([0, 7, 8, n - 1].iter().all(|j| kept.contains(j)));
            for j in (0..n).step_by(101) {
                let near = |&k: &usize| {
                    (x[k] - x[j]).abs() <= 1.0 / CELLS[0] && (y[k] - y[j]).abs() <= 43.0 / CELLS[1]
                };
                assert!(kept.iter().any(near), "{j}");
            }
            counts.push(kept.len());
        }
        assert!(counts[1] <= 2000 && counts[1].abs_diff(counts[0]) < 20, "{counts:?}");
    }

    #[test]
    fn a_range_without_length_is_one_row_of_cells() {
        let x: Vec<f64> = (0..100_000).map(f64::from).collect();
        for level in [0.0, -1e308, 5e-324] {
            let kept = drawn(&x, &vec![level; x.len()]);
            assert!((56..=58).contains(&kept.len()), "{}", kept.len());
        }
        let wide: Vec<f64> =
            (0..100_000).map(|j| if j % 2 == 0 { 1e308 } else { -1e308 }).collect();
        assert!((112..=116).contains(&drawn(&x, &wide).len()));
    }
}
