//! The pictures of a fit: data and curve, and residuals.

use crate::figures::{Chart, Reference, Series};

/// Points as signs without a line between them: a gap after each.
fn points(label: &str, x: &[f64], y: &[f64], style: usize) -> Series {
    let spread = |values: &[f64]| values.iter().flat_map(|&v| [v, f64::NAN]).collect();
    Series { label: label.to_owned(), x: spread(x), y: spread(y), band: None, style }
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
        let x = sorted(&self.x);
        let curve = Series {
            label: "fit".to_owned(),
            x: x.clone(),
            y: sorted(&self.fitted),
            band: None,
            style: 1,
        };
        let residuals: Vec<f64> =
            self.fitted.iter().zip(&self.observed).map(|(f, y)| f - y).collect();
        let chart = |y_label: String, series: Vec<Series>| Chart {
            title: self.title.clone(),
            subtitle: format!("{} observations", self.x.len()),
            x_label: self.x_label.clone(),
            y_label,
            series,
            ..Chart::default()
        };
        let data = points("data", &self.x, &self.observed, 0);
        let fit = chart(self.y_label.clone(), vec![data, curve]);
        let label = format!("fit minus data, {}", self.y_label);
        let mut rest = chart(label, vec![points("residuals", &self.x, &residuals, 0)]);
        rest.horizontal_lines.push(Reference { label: String::new(), value: 0.0 });
        [("fit", fit), ("residuals", rest)]
    }

    /// Predicted against observed values of held-out rows, and the errors: for models of many columns.
    pub fn scatter(&self) -> [(&'static str, Chart); 2] {
        let (low, high) = self
            .observed
            .iter()
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), &y| (l.min(y), h.max(y)));
        let diagonal = Series {
            label: "prediction = observation".to_owned(),
            x: vec![low, high],
            y: vec![low, high],
            band: None,
            style: 1,
        };
        let [(fit, mut chart), rest] = self.charts();
        chart.series = vec![points("rows", &self.x, &self.fitted, 0), diagonal];
        [(fit, chart), rest]
    }
}
