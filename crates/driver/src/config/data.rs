//! `[data]`: where the rows come from, how they are read, and how many of them a run takes.

use serde::Deserialize;

use super::choices::{BundledData, Reading};
use super::{Config, ConfigError, ConfigProblem, Standardize, TargetScale};

/// `[data]`.
#[derive(Clone, Debug, PartialEq)]
pub struct DataSettings {
    /// Bundled data or a user's file.
    pub source: DataSource,
    /// How the rows of a file are read. Default: whole.
    pub reading: Reading,
    /// Of a file that is read in parts, the rows whose share of the Jacobian's structure is in memory at a time; 0 for all
    /// rows of a process where S takes no more than `dynamics.memory_limit`, and else 16,320. Default 0.
    pub block_rows: usize,
    /// n, the number of rows drawn: at least 2. Default 256; of a smaller file of the user's own all rows, and of one that
    /// is read in parts always all of them.
    pub samples: usize,
    /// What happens where the data have fewer rows than `samples`. Default: they are refused, unless `samples` is left
    /// out beside a file of the user's own.
    pub too_few: TooFew,
    /// Which rows scale the features. Default: the drawn ones.
    pub standardize: Standardize,
    /// Scale of the targets. Default: raw.
    pub targets: TargetScale,
}

/// What a sample does that is larger than its data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TooFew {
    /// It is an error.
    Refuse,
    /// It takes all rows: nobody asked for a number of them.
    TakeAll,
}

/// Where the rows come from: `name`, or `path` with `target`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DataSource {
    /// Data that the driver carries.
    Bundled(BundledData),
    /// A CSV file with a header.
    File {
        /// The file, relative to the working folder.
        path: String,
        /// The columns to predict; all others are features.
        targets: Vec<String>,
    },
}

impl Default for DataSettings {
    fn default() -> Self {
        Self {
            source: DataSource::Bundled(BundledData::CaliforniaHousing),
            reading: Reading::Whole,
            block_rows: 0,
            samples: 256,
            too_few: TooFew::Refuse,
            standardize: Standardize::Subset,
            targets: TargetScale::Raw,
        }
    }
}

impl Config {
    /// The configuration on data of so many rows: a sample whose size nobody named takes all of them where they are
    /// fewer.
    ///
    /// # Errors
    /// A [`ConfigProblem`] where other keys do not go with the smaller sample.
    pub fn on_rows(mut self, rows: usize) -> Result<Self, ConfigError> {
        if self.data.too_few == TooFew::TakeAll {
            // One row is refused where the sample is drawn, with the file's name.
            self.data.samples = self.data.samples.min(rows.max(2));
            self.data.too_few = TooFew::Refuse;
            self.validate()?;
        }
        Ok(self)
    }

    /// Refuses a sample of another size than all `rows` of a file that is read in parts.
    ///
    /// # Errors
    /// A [`ConfigProblem`] with the key `data.samples`.
    pub fn require_all_rows(&self, rows: usize) -> Result<(), ConfigError> {
        if self.data.reading == Reading::Whole || self.data.samples == rows {
            return Ok(());
        }
        let accepted =
            format!("{rows}, all rows of the file, or nothing, with data.reading = \"parts\"");
        let value = self.data.samples.to_string();
        Err(ConfigProblem::Value { key: "data.samples".to_owned(), value, accepted }.into())
    }

    /// What the user should know of a sample whose size nobody named, of data of so many rows.
    pub fn sample_taken(&self, rows: usize) -> Option<String> {
        let DataSource::File { path, .. } = &self.data.source else { return None };
        if self.data.reading == Reading::Parts {
            return None;
        }
        let samples = self.data.samples;
        (self.data.too_few == TooFew::TakeAll).then(|| {
            if rows <= samples {
                format!("{path}: all {rows} rows are taken, as data.samples is not given")
            } else {
                format!(
                    "{path}: {samples} of the {rows} rows are drawn, as data.samples is not given"
                )
            }
        })
    }
}

/// The keys of `[data]`, as they stand in a file.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct DataFields {
    name: Option<BundledData>,
    path: Option<String>,
    target: Option<OneOrMore>,
    reading: Option<Reading>,
    block_rows: Option<usize>,
    samples: Option<usize>,
    standardize: Option<Standardize>,
    targets: Option<TargetScale>,
}

/// A name, or a list of names.
#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMore {
    One(String),
    More(Vec<String>),
}

impl OneOrMore {
    fn names(self) -> Vec<String> {
        match self {
            Self::One(name) => vec![name],
            Self::More(names) => names,
        }
    }
}

impl DataFields {
    pub(super) fn resolve(self) -> Result<DataSettings, ConfigProblem> {
        let default = DataSettings::default();
        let source = match (self.name, self.path, self.target) {
            (None, None, None) => default.source,
            (Some(name), None, None) => DataSource::Bundled(name),
            (None, Some(path), Some(target)) => DataSource::File { path, targets: target.names() },
            (Some(name), Some(path), _) => {
                return Err(ConfigProblem::Conflict {
                    key: "data.path",
                    value: format!("{path:?}"),
                    other: format!("data.name = \"{name}\""),
                    advice: "give either name, or path and target",
                });
            }
            (None, Some(_), None) => {
                return Err(ConfigProblem::Missing {
                    key: "data.target",
                    because: "data.path needs it, the name of the column to predict",
                });
            }
            (_, None, Some(target)) => {
                return Err(ConfigProblem::Conflict {
                    key: "data.target",
                    value: super::keys::names(&target.names()),
                    other: "a bundled data set".to_owned(),
                    advice: "it has its own target; give target together with path",
                });
            }
        };
        // Of a user's own file that is smaller than the default sample all rows are taken.
        let all = self.samples.is_none() && matches!(source, DataSource::File { .. });
        let reading = self.reading.unwrap_or(default.reading);
        let samples = match reading {
            Reading::Whole => default.samples,
            // Cut down to the rows of the file, which only a look at it tells.
            Reading::Parts => usize::MAX,
        };
        Ok(DataSettings {
            source,
            reading,
            block_rows: self.block_rows.unwrap_or(default.block_rows),
            samples: self.samples.unwrap_or(samples),
            too_few: if all { TooFew::TakeAll } else { TooFew::Refuse },
            standardize: self.standardize.unwrap_or(default.standardize),
            targets: self.targets.unwrap_or(default.targets),
        })
    }
}
