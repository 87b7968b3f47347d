//! What the runs of an audit found: records, constants, and the numbers of figures and tables.

use crate::network_constants::Constant;
use crate::referee::Record;

/// The numbers of a figure: what a group of runs adds to the picture called `stem`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plot {
    /// Of its files; groups that name the same add to one picture.
    pub stem: String,
    /// What it shows.
    pub title: String,
    /// On what.
    pub subtitle: String,
    /// With its unit.
    pub x_label: String,
    /// With its unit.
    pub y_label: String,
    /// Whether x and y are shown by their logarithms.
    pub logarithmic: (bool, bool),
    /// Name, x and y of each curve.
    pub curves: Vec<(String, Vec<f64>, Vec<f64>)>,
    /// Horizontal lines: name and height.
    pub lines: Vec<(String, f64)>,
}

impl Plot {
    /// An empty figure on plain axes.
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

    /// The same with x and y on logarithmic axes, where asked for.
    #[must_use]
    pub fn logarithmic(self, x: bool, y: bool) -> Self {
        Self { logarithmic: (x, y), ..self }
    }

    /// The same with one more curve.
    #[must_use]
    pub fn curve(mut self, name: &str, x: Vec<f64>, y: Vec<f64>) -> Self {
        self.curves.push((name.to_owned(), x, y));
        self
    }

    /// The same with points that no line joins.
    #[must_use]
    pub fn points(self, name: &str, x: &[f64], y: &[f64]) -> Self {
        // A gap after each point leaves nothing to join.
        let apart = |values: &[f64]| values.iter().flat_map(|v| [*v, f64::NAN]).collect();
        self.curve(name, apart(x), apart(y))
    }

    /// The same with a horizontal line.
    #[must_use]
    pub fn line(mut self, name: &str, height: f64) -> Self {
        self.lines.push((name.to_owned(), height));
        self
    }
}

/// A table of numbers that belongs to no record.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// What it lists; groups that name the same add rows to one table.
    pub title: String,
    /// What the numbers are, in a sentence or two below it.
    pub legend: String,
    /// Heads of the columns.
    pub head: Vec<&'static str>,
    /// Cells, as long as the head.
    pub rows: Vec<Vec<String>>,
}

/// Everything that a group of runs, or all of them, found.
#[derive(Clone, Debug, Default)]
pub struct Measurements {
    /// One record a statement and run.
    pub records: Vec<Record>,
    /// The constants of each problem, by its name.
    pub constants: Vec<(String, Vec<Constant>)>,
    /// Figures.
    pub plots: Vec<Plot>,
    /// Tables.
    pub tables: Vec<Table>,
}

impl Measurements {
    /// Of records alone.
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
