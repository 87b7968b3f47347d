//! Line charts as SVG and PNG: a [`Chart`] goes in, two files with the same picture come out.
//!
//! Bytes depend on the chart alone: the font is embedded, nothing is read from the system.
//!
//! | I want to | I use |
//! |---|---|
//! | draw curves | a [`Chart`] of [`Series`], then [`render`] |
//! | show a spread around a curve | a [`Band`] |
//! | mark a value | a [`Reference`] |
//!
#![doc = include_str!("../README.md")]

mod axis;
mod bitmap;
mod curves;
mod drawing;
mod layout;
mod legend;
mod lettering;
mod palette;
mod references;
mod svg;
mod ticks;

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use lettering::Lettering;

/// Width of both files in pixels.
pub const WIDTH: u32 = 1600;
/// Height of both files in pixels; a chart of many categories is higher.
pub const HEIGHT: u32 = 1000;

/// How an axis maps values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scale {
    /// Equal differences are equally long.
    #[default]
    Linear,
    /// Equal ratios are equally long; only positive values have a place.
    Logarithmic,
}

/// A region around a curve, for example the spread over seeds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Band {
    /// Lower edge, one value a point of the curve; NaN leaves a gap.
    pub lower: Vec<f64>,
    /// Upper edge, one value a point of the curve; NaN leaves a gap.
    pub upper: Vec<f64>,
}

/// How the signs of a curve are filled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sign {
    /// White inside, so that a curve is seen to pass behind it.
    #[default]
    Hollow,
    /// Filled with the curve's colour.
    Solid,
}

/// One curve, or, with a NaN after each value, points that no line joins.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Series {
    /// Its legend entry; empty for none.
    pub label: String,
    /// Abscissas, in any order.
    pub x: Vec<f64>,
    /// Ordinates, as many; NaN leaves a gap, an infinite value a gap and a remark.
    pub y: Vec<f64>,
    /// The region around it.
    pub band: Option<Band>,
    /// Number of its colour and of the shape of its signs; there are [`COLOURS`].
    pub colour: usize,
    /// Number of its dash; there are [`DASHES`], and 0 is a solid line.
    pub dash: usize,
    /// How its signs are filled.
    pub sign: Sign,
}

/// Number of colours, each with a sign of its own; higher numbers begin again.
///
/// The first four also differ as greys: each is at least 1.5 times as dark as the one before.
pub const COLOURS: usize = palette::COLOURS.len();
/// Number of dashes; higher numbers begin again.
pub const DASHES: usize = palette::DASHES.len();

impl Series {
    /// A curve with no region around it, with the colour and the dash of this `number`; the first 42 numbers give looks
    /// that differ.
    pub fn new(label: impl Into<String>, x: Vec<f64>, y: Vec<f64>, number: usize) -> Self {
        let (colour, dash) = (number, number);
        Self { label: label.into(), x, y, band: None, colour, dash, sign: Sign::Hollow }
    }
}

/// A straight line across the plot at a value, with its name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reference {
    /// Its name, set beside the line.
    pub label: String,
    /// Where it crosses the axis; a value that is not finite is named in a remark instead.
    pub value: f64,
}

/// A line chart, or a dot plot of named rows. Ranges follow from the data.
///
/// In every text, `_{...}` sets what stands in the braces as a subscript: `ν_{eff}`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Chart {
    /// First line above the plot.
    pub title: String,
    /// Smaller text below the title: what is shown and under which conditions.
    pub subtitle: String,
    /// What to see, in whole sentences: the description that the SVG carries. Where it is empty, the subtitle takes its
    /// place.
    pub description: String,
    /// Quantity and unit along the horizontal axis.
    pub x_label: String,
    /// Quantity and unit along the vertical axis.
    pub y_label: String,
    /// Horizontal scale.
    pub x_scale: Scale,
    /// Vertical scale.
    pub y_scale: Scale,
    /// On a logarithmic vertical axis, values at or below this positive number (without it, at or
    /// below 0) are drawn on a marked line under the axis. Ignored on a linear axis.
    pub floor: Option<f64>,
    /// Values that the vertical axis holds beside those of the curves, so that charts can share a range.
    pub y_includes: Vec<f64>,
    /// Names of rows, from the top. With any, the vertical axis is one of categories: row `k` lies at the value `k`, the
    /// vertical scale and the floor are ignored, and the sheet grows with the number of rows.
    pub categories: Vec<String>,
    /// The curves, painted in this order.
    pub series: Vec<Series>,
    /// Lines at values of the vertical axis.
    pub horizontal_lines: Vec<Reference>,
    /// Lines at values of the horizontal axis.
    pub vertical_lines: Vec<Reference>,
}

/// Why a figure was not written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FigureError {
    /// A column of a series has another length than its abscissas.
    #[error("series {series:?}: {found} values for {expected} abscissas")]
    Length {
        /// The label of the series.
        series: String,
        /// Number of abscissas.
        expected: usize,
        /// Number of values in the other column.
        found: usize,
    },
    /// The embedded font cannot be read.
    #[error("the embedded font cannot be read: {0}")]
    Font(#[from] ttf_parser::FaceParsingError),
    /// No bitmap of this size exists.
    #[error("no bitmap of {width} x {height} pixels exists")]
    Sheet {
        /// Pixels across.
        width: u32,
        /// Pixels down.
        height: u32,
    },
    /// The bitmap cannot be encoded.
    #[error("the bitmap cannot be encoded")]
    Encode {
        /// The encoder's reason.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A file cannot be written.
    #[error("{} cannot be written", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
}

/// Writes `stem.svg` and `stem.png` into `folder`, which must exist, and returns their paths.
///
/// A file appears whole or not at all: each is written beside its place and then renamed.
///
/// # Errors
/// [`FigureError::Length`] when columns of a series differ in length, [`FigureError::Write`] when
/// the folder refuses a file; the other variants only when the embedded font or the encoder fails.
pub fn render(chart: &Chart, folder: &Path, stem: &str) -> Result<[PathBuf; 2], FigureError> {
    let (vector, bitmap) = encode(chart)?;
    let paths = [folder.join(format!("{stem}.svg")), folder.join(format!("{stem}.png"))];
    for (path, bytes) in paths.iter().zip([vector.as_bytes(), &bitmap]) {
        replace(path, folder, bytes)
            .map_err(|source| FigureError::Write { path: path.clone(), source })?;
    }
    Ok(paths)
}

/// The SVG text and the PNG bytes.
fn encode(chart: &Chart) -> Result<(String, Vec<u8>), FigureError> {
    for series in &chart.series {
        let expected = series.x.len();
        let band = series.band.iter().flat_map(|band| [&band.lower, &band.upper]);
        for column in std::iter::once(&series.y).chain(band) {
            if column.len() != expected {
                let (series, found) = (series.label.clone(), column.len());
                return Err(FigureError::Length { series, expected, found });
            }
        }
    }
    let drawing = layout::compose(chart, &Lettering::embedded()?);
    Ok((svg::encode(&drawing), bitmap::encode(&drawing)?))
}

fn replace(path: &Path, folder: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut builder = tempfile::Builder::new();
    // Temporary files are private by default; the figure gets the process's usual permissions.
    #[cfg(unix)]
    let permissions = std::os::unix::fs::PermissionsExt::from_mode(0o666);
    #[cfg(unix)]
    builder.permissions(permissions);
    let mut file = builder.tempfile_in(folder)?;
    file.write_all(bytes)?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

#[cfg(test)]
mod tests;
