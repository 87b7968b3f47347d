//! Log-log plots of time against size, and the exponents that a straight line through them has.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use gaussflow_figures::{Chart, Scale, Series, render};

use crate::case::Fallible;
use crate::questions::{
    eigenvalue_tracking, gram_by_shape, matrix_free_scaling, ntk_by_width, step_by_width,
};
use crate::report::Row;

/// A plot: the question, what runs along the axis, its name.
struct Plot {
    question: &'static str,
    title: &'static str,
    x_label: &'static str,
    along: fn(&Row) -> usize,
}

const PLOTS: [Plot; 5] = [
    Plot {
        question: gram_by_shape::NAME,
        title: "Gram matrix by shape",
        x_label: "rows n",
        along: |row| row.n,
    },
    Plot {
        question: step_by_width::NAME,
        title: "One damped step by width (n = 256, d = 8)",
        x_label: "hidden units m",
        along: |row| row.m.unwrap_or(0),
    },
    Plot {
        question: ntk_by_width::NAME,
        title: "Tangent kernel by width (d = 8)",
        x_label: "hidden units m",
        along: |row| row.m.unwrap_or(0),
    },
    Plot {
        question: eigenvalue_tracking::NAME,
        title: "A step with its diagnostics (n = 256, d = 8)",
        x_label: "hidden units m",
        along: |row| row.m.unwrap_or(0),
    },
    Plot {
        question: matrix_free_scaling::NAME,
        title: "Products without J, beyond the last-level cache",
        x_label: "entries of J, n m d",
        along: |row| row.n * row.p,
    },
];

/// A curve: its label, sizes and seconds.
struct Curve {
    label: String,
    x: Vec<f64>,
    y: Vec<f64>,
}

/// Writes one SVG and one PNG a question into `folder`, and the exponents to scaling.md there.
pub fn write(rows: &[Row], folder: &Path) -> Fallible<Vec<PathBuf>> {
    let mut paths = Vec::new();
    let mut table = String::from("| curve | sizes | exponent |\n|---|---|---:|\n");
    for plot in &PLOTS {
        let curves = curves(rows, plot);
        if curves.iter().all(|curve| curve.x.len() < 2) {
            continue;
        }
        let mut chart = Chart {
            title: plot.title.to_owned(),
            subtitle: "one thread, medians; the exponent is that of the fitted power".to_owned(),
            x_label: plot.x_label.to_owned(),
            y_label: "seconds".to_owned(),
            x_scale: Scale::Logarithmic,
            y_scale: Scale::Logarithmic,
            ..Chart::default()
        };
        for (style, curve) in curves.into_iter().enumerate() {
            let power = exponent(&curve.x, &curve.y);
            let range = curve.x.iter().copied();
            let (least, most) =
                (range.clone().fold(f64::INFINITY, f64::min), range.fold(0.0, f64::max));
            // Writing to a string cannot fail.
            let _ = writeln!(
                table,
                "| {}: {} | {} from {least} to {most} | {power:.2} |",
                plot.question, curve.label, plot.x_label,
            );
            let label = format!("{} ({power:.2})", curve.label);
            chart.series.push(Series::new(label, curve.x, curve.y, style));
        }
        paths.extend(render(&chart, folder, plot.question)?);
    }
    let path = folder.join("scaling.md");
    std::fs::write(&path, table)?;
    paths.push(path);
    Ok(paths)
}

/// The exponents of the curves of [`matrix_free_scaling`], each with its label.
pub fn growth(rows: &[Row]) -> Vec<(String, f64)> {
    let plot = PLOTS.iter().find(|plot| plot.question == matrix_free_scaling::NAME);
    let curves = plot.map(|plot| curves(rows, plot)).unwrap_or_default();
    let long = curves.into_iter().filter(|curve| curve.x.len() > 1);
    long.map(|curve| (curve.label.clone(), exponent(&curve.x, &curve.y))).collect()
}

/// The curves of a question: one a name and peer, in the order of the rows.
fn curves(rows: &[Row], plot: &Plot) -> Vec<Curve> {
    let mut found: Vec<Curve> = Vec::new();
    for row in rows {
        let variant = match row.name.split_once('/') {
            Some((question, variant)) if question == plot.question => variant,
            None if row.name == plot.question => "",
            _ => continue,
        };
        let who = row.peer.as_deref().unwrap_or("gaussflow");
        let label = format!("{who} {variant}").trim().to_owned();
        let (x, y) = ((plot.along)(row) as f64, row.seconds_median);
        match found.iter_mut().find(|curve| curve.label == label) {
            Some(curve) => {
                curve.x.push(x);
                curve.y.push(y);
            }
            None => found.push(Curve { label, x: vec![x], y: vec![y] }),
        }
    }
    found
}

/// The least-squares slope of `log y` over `log x`; NaN for fewer than two sizes.
pub fn exponent(x: &[f64], y: &[f64]) -> f64 {
    let count = x.len().min(y.len()) as f64;
    let mean = |values: &[f64]| values.iter().map(|value| value.ln()).sum::<f64>() / count;
    let (x_mean, y_mean) = (mean(x), mean(y));
    let (mut product, mut square) = (0.0, 0.0);
    for (x, y) in x.iter().zip(y) {
        product += (x.ln() - x_mean) * (y.ln() - y_mean);
        square += (x.ln() - x_mean).powi(2);
    }
    product / square
}

#[cfg(test)]
mod tests {
    use super::exponent;

    #[test]
    fn exponent_of_a_power() {
        let x = [1.0, 2.0, 4.0, 16.0];
        let y = x.map(|x: f64| 3.0 * x.powf(1.5));
        assert!((exponent(&x, &y) - 1.5).abs() < 1e-14);
        assert!(exponent(&[1.0], &[1.0]).is_nan());
    }
}
