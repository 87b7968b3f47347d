//! What the runs of an audit found: records, constants, and the numbers of figures and tables.

use crate::network_constants::Constant;
use crate::referee::Record;

/// Holds the curves that a group of runs adds to the figure called `stem`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plot {
    /// The name of the figure's files; groups with the same name add to one figure.
    pub stem: String,
    /// The title.
    pub title: String,
    /// The subtitle: data and setting.
    pub subtitle: String,
    /// The label of the x axis, with its unit.
    pub x_label: String,
    /// The label of the y axis, with its unit.
    pub y_label: String,
    /// Whether the x axis and the y axis are logarithmic.
    pub logarithmic: (bool, bool),
    /// The name, x and y of each curve.
    pub curves: Vec<(String, Vec<f64>, Vec<f64>)>,
    /// Horizontal lines: the name and the height.
    pub lines: Vec<(String, f64)>,
}

impl Plot {
    /// Creates an empty figure with linear axes.
    pub fn new(stem: &str, title: &str, subtitle: &str, (x, y): (&str, &str)) -> Self {
        Self {
            stem: stem.to_owned(),
            title: title.to_owned(),
            subtitle: subtitle.to_owned(),
            x_label: x.to_owned(),
            y_label: y.to_owned(),
            ..Self::default()
        }
    }

    /// Makes the axes logarithmic where asked for.
    #[must_use]
    pub fn logarithmic(self, x: bool, y: bool) -> Self {
        Self { logarithmic: (x, y), ..self }
    }

    /// Adds a curve.
    #[must_use]
    pub fn curve(mut self, name: &str, x: Vec<f64>, y: Vec<f64>) -> Self {
        self.curves.push((name.to_owned(), x, y));
        self
    }

    /// Adds points that no line connects.
    #[must_use]
    pub fn points(self, name: &str, x: &[f64], y: &[f64]) -> Self {
        // A gap after each point leaves nothing to join.
        let apart = |values: &[f64]| values.iter().flat_map(|v| [*v, f64::NAN]).collect();
        self.curve(name, apart(x), apart(y))
    }

    /// Adds a horizontal line.
    #[must_use]
    pub fn line(mut self, name: &str, height: f64) -> Self {
        self.lines.push((name.to_owned(), height));
        self
    }
}

/// Holds a table of numbers that belongs to no record.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// The title; groups with the same title add rows to one table.
    pub title: String,
    /// A sentence or two below the table that say what the numbers are.
    pub legend: String,
    /// The heads of the columns.
    pub head: Vec<&'static str>,
    /// The cells of each row.
    pub rows: Vec<Vec<String>>,
}

/// Holds everything that a group of runs, or all of them, found.
#[derive(Clone, Debug, Default)]
pub struct Measurements {
    /// One record per statement and run.
    pub records: Vec<Record>,
    /// The constants of each problem, by its name.
    pub constants: Vec<(String, Vec<Constant>)>,
    /// The figures.
    pub plots: Vec<Plot>,
    /// The tables.
    pub tables: Vec<Table>,
}

impl Measurements {
    /// Wraps records alone.
    pub fn of(records: Vec<Record>) -> Self {
        Self { records, ..Self::default() }
    }

    /// Adds what another group found.
    pub fn merge(&mut self, other: Self) {
        self.records.extend(other.records);
        for (name, constants) in other.constants {
            if !self.constants.iter().any(|(known, _)| *known == name) {
                self.constants.push((name, constants));
            }
        }
        for plot in other.plots {
            match self.plots.iter_mut().find(|known| known.stem == plot.stem) {
                Some(known) => known.curves.extend(plot.curves),
                None => self.plots.push(plot),
            }
        }
        for table in other.tables {
            match self.tables.iter_mut().find(|known| known.title == table.title) {
                Some(known) => known.rows.extend(table.rows),
                None => self.tables.push(table),
            }
        }
    }
}
