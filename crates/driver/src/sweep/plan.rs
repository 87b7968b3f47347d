//! The runs of a sweep with their names, data and groups.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use gaussflow_data::Dataset;
use gaussflow_records::DataIdentity;
use gaussflow_records::checksum::sha256_of;

use crate::config::{Config, ConfigError, ConfigProblem, DataSource, Source, SweptKey};
use crate::needs::{Needs, Shape};
use crate::run::{Experiment, Outputs, RunError, identity, load};

/// The keys that a run's name tells without a suffix.
const NAMED: [&str; 7] = [
    "dynamics.preconditioner",
    "dynamics.metric",
    "dynamics.integrator",
    "dynamics.batch",
    "dynamics.momentum",
    "dynamics.scaling",
    "dynamics.seed",
];

/// Longest value that a name spells out.
const LONGEST_VALUE: usize = 32;

/// One run of a sweep.
#[derive(Clone, Debug)]
pub struct PlannedRun {
    /// Its name, unique in the sweep.
    pub id: String,
    /// Its name without the seed: runs of one group differ in nothing else.
    pub group: String,
    /// The resolved configuration.
    pub config: Config,
    /// Index of its data set in [`Plan::data`].
    pub data: usize,
}

/// Everything that a sweep will run.
#[derive(Debug)]
pub struct Plan {
    /// The runs, in the order of manifest.json and summary.csv.
    pub runs: Vec<PlannedRun>,
    /// The keys that the sweep sets.
    pub keys: Vec<SweptKey>,
    /// The data sets that the runs use.
    pub data: Vec<Dataset>,
    /// Bytes that the largest run needs.
    pub largest: u64,
    /// What the user should know of the samples: one sentence a data set at most.
    pub notices: Vec<String>,
}

impl Plan {
    /// Reads a sweep and the data that its runs name.
    ///
    /// # Errors
    /// [`RunError::Config`], [`RunError::Data`], and [`RunError::TooLarge`] of the first run that needs more
    /// memory than it may take: nothing has been written then.
    pub fn read(source: &Source) -> Result<Self, RunError> {
        let sweep = source.sweep()?;
        let suffixes: Vec<SweptKey> =
            sweep.keys.iter().copied().filter(|key| !NAMED.contains(&key.path())).collect();
        let mut sources: Vec<DataSource> = Vec::new();
        let mut datasets = Vec::new();
        let mut largest = 0;
        let (mut names, mut notices) = (BTreeSet::new(), Vec::new());
        let mut runs = Vec::new();
        for config in sweep.runs {
            let id = format!("{}{}", Experiment::id(&config), suffix(&suffixes, &config));
            if !names.insert(id.clone()) {
                let problem = ConfigProblem::DuplicateRun { id };
                let file = source.file().map(Into::into);
                return Err(ConfigError { file, ..ConfigError::from(problem) }.into());
            }
            let known = sources.iter().position(|source| *source == config.data.source);
            let data = if let Some(index) = known {
                index
            } else {
                datasets.push(load(&config)?);
                sources.push(config.data.source.clone());
                datasets.len() - 1
            };
            let rows = datasets[data].rows();
            notices.extend(config.sample_taken(rows).filter(|said| !notices.contains(said)));
            let config = config.on_rows(rows)?;
            // Said before the first run begins, not by the run that is too large.
            let outputs = Outputs::of(&config.loss, &datasets[data])?;
            let shape = Shape::of(&datasets[data], outputs.count);
            if config.data.samples <= shape.rows {
                let needs =
                    Needs::require(&config, shape).map_err(|large| Box::new(large.of_run(&id)))?;
                largest = largest.max(needs.total());
            }
            let seed = format!("-seed_{}", config.dynamics.seed);
            let group = id.replacen(&seed, "", 1);
            runs.push(PlannedRun { id, group, config, data });
        }
        Ok(Self { runs, keys: sweep.keys, data: datasets, largest, notices })
    }

    /// What manifest.json says of the data; of several sets the names and rows together, and the
    /// checksum of their checksums.
    pub fn identity(&self) -> DataIdentity {
        if let [only] = self.data.as_slice() {
            return identity(only);
        }
        let join = |part: fn(&Dataset) -> &str, between: &str| {
            self.data.iter().map(part).collect::<Vec<_>>().join(between)
        };
        DataIdentity {
            name: join(|data| &data.name, " + "),
            rows: self.data.iter().map(Dataset::rows).sum(),
            sha256: sha256_of(join(|data| &data.sha256, "\n").as_bytes()),
        }
    }

    /// The first seed.
    pub fn seed(&self) -> u64 {
        self.runs.first().map_or(0, |run| run.config.dynamics.seed)
    }
}

/// `-key_value` for each key of the sweep that the name does not tell yet, in the order of the keys.
fn suffix(keys: &[SweptKey], config: &Config) -> String {
    let damping_is_named =
        config.dynamics.preconditioner == crate::config::Preconditioner::LevenbergMarquardt;
    let mut text = String::new();
    for key in keys {
        if key.path() == "dynamics.damping" && damping_is_named {
            continue;
        }
        let value = key.value(config).unwrap_or_else(|| "none".to_owned());
        // Writing to a String cannot fail.
        let _ = write!(text, "-{}_{}", key.short_name(), word(&value));
    }
    text
}

/// A value as a part of a folder's name: itself where it is short and of letters, digits, dots, signs
/// and underscores, otherwise the start of its checksum.
fn word(value: &str) -> String {
    let bare = value.trim_matches('"');
    // A list of whole numbers, the widths of layers: 16x16.
    let listed = bare.strip_prefix('[').and_then(|list| list.strip_suffix(']'));
    let joined = listed.map(|list| list.replace(", ", "x"));
    let is_whole = |list: &&str| list.chars().all(|c| c.is_ascii_digit() || c == 'x');
    let bare = joined.as_deref().filter(is_whole).unwrap_or(bare);
    let bare = bare.strip_suffix(".0").unwrap_or(bare);
    let is_plain = |c: char| c.is_ascii_alphanumeric() || ['.', '_', '+', '-'].contains(&c);
    if !bare.is_empty() && bare.len() <= LONGEST_VALUE && bare.chars().all(is_plain) {
        return bare.to_owned();
    }
    sha256_of(value.as_bytes()).chars().take(8).collect()
}
