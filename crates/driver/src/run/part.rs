//! Rows that no machine holds: each process reads its part of a file, and of J only what a block of its rows needs is there.
//!
//! The rows pass once through the reader, which counts means and deviations, into a scratch file, and once more, scaled, into
//! another; every pass over the data then reads them there, block by block. One process is the only part of one.

use std::ops::Range;

use gaussflow::network::{InitialPoint, InputBlocks, NetworkBlocks, ROWS_OF_A_BLOCK};
use gaussflow::objective::{BlockedMap, LipschitzConstants, MapBlocks as _, Objective};
use gaussflow_data::{DataError, Moments, RowFile, RowStore, Sample, Scaling};
use gaussflow_records::DataIdentity;

use super::classes::Outputs;
use super::error::RunError;
use super::experiment::Experiment;
use crate::config::{Config, ConfigError, ConfigProblem, DataSource};
use crate::needs::{Needs, Shape, rows_of_a_block};

/// The network on the rows of one process, block by block.
pub type PartMap = BlockedMap<NetworkBlocks>;

/// The rows of one process, read but not scaled yet.
pub struct UnscaledPart {
    file: RowFile,
    name: String,
    store: RowStore,
}

/// The rows of one process, scaled by the statistics of all rows.
pub struct Part {
    file: RowFile,
    name: String,
    store: RowStore,
    scaling: Scaling,
    /// N, the rows of all processes.
    total: usize,
    /// The rows of the processes before this one.
    first: usize,
    /// The largest number of rows of a process.
    most: usize,
    /// The largest value of each column of all rows, features first.
    largest: Vec<f64>,
}

impl UnscaledPart {
    /// Reads part `part` of `parts` of the file of a configuration.
    ///
    /// # Errors
    /// [`RunError::Data`], or [`RunError::Config`] for bundled data.
    pub fn read(config: &Config, part: usize, parts: usize) -> Result<Self, RunError> {
        let DataSource::File { path, targets } = &config.data.source else {
            let because = "data.reading = \"parts\" needs a file";
            return Err(
                ConfigError::from(ConfigProblem::Missing { key: "data.path", because }).into()
            );
        };
        let path: &std::path::Path = path.as_ref();
        let file = RowFile::open(path, targets)?;
        let mut store = RowStore::on_disk(file.width())?;
        file.read_part(part, parts, &mut store)?;
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        Ok(Self { file, name, store })
    }

    /// The statistics of its rows as numbers, equally many for every part.
    pub fn statistics(&self) -> Vec<f64> {
        self.store.moments().to_numbers()
    }

    /// Scales the rows by the statistics of all parts, `all` in their order; this is part `part`.
    ///
    /// # Errors
    /// [`RunError::Data`] on columns that cannot be scaled, and where a part has no rows.
    pub fn scaled(self, config: &Config, all: &[Vec<f64>], part: usize) -> Result<Part, RunError> {
        let width = self.store.width();
        let each = all.iter().map(|numbers| Moments::from_numbers(width, numbers));
        let each = each.collect::<Result<Vec<_>, _>>()?;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "counts of rows, exact"
        )]
        let counts: Vec<usize> = each.iter().map(|moments| moments.rows() as usize).collect();
        let total = counts.iter().sum();
        if counts.contains(&0) {
            let (name, samples) = (self.name, counts.len());
            return Err(DataError::TooFewRows { name, rows: total, samples }.into());
        }
        let mut moments = Moments::new(width);
        for one in &each {
            moments.merge(one)?;
        }
        let (features, targets) = (self.file.feature_names(), self.file.target_names());
        let scaling =
            moments.scaling(features, targets, config.data.standardize, config.data.targets)?;
        Ok(Part {
            scaling,
            total,
            first: counts[..part].iter().sum(),
            most: counts.iter().copied().max().unwrap_or(0),
            largest: moments.columns().iter().map(|column| column.largest).collect(),
            file: self.file,
            name: self.name,
            store: self.store,
        })
    }
}

impl Part {
    /// Reads the whole file of a configuration as the only part.
    ///
    /// # Errors
    /// As [`UnscaledPart::read`] and [`UnscaledPart::scaled`].
    pub fn only(config: &Config) -> Result<Self, RunError> {
        let read = UnscaledPart::read(config, 0, 1)?;
        let statistics = read.statistics();
        read.scaled(config, &[statistics], 0)
    }

    /// N, the number of rows of all processes.
    pub fn total(&self) -> usize {
        self.total
    }

    /// The first row of this process, counted from 0.
    pub fn first(&self) -> usize {
        self.first
    }

    /// Name, size and checksum of the file, for which all of it is read once more.
    ///
    /// # Errors
    /// [`RunError::Data`].
    pub fn identity(&self) -> Result<DataIdentity, RunError> {
        let sha256 = self.file.sha256()?;
        Ok(DataIdentity { name: self.name.clone(), rows: self.total, sha256 })
    }

    /// Scales all rows: the inputs go to another file, which every pass over the data reads, and the targets are returned.
    fn scale(&self) -> Result<(ScaledRows, Vec<f64>), RunError> {
        let (mut raw, mut inputs, mut some) = (Vec::new(), Vec::new(), Vec::new());
        let (rows, t) = (self.store.rows(), self.file.target_names().len());
        let mut scaled = RowStore::on_disk(self.store.width() - t)?;
        let mut targets = Vec::with_capacity(rows * t);
        for start in (0..rows).step_by(ROWS_OF_A_BLOCK) {
            self.store.read(start..(start + ROWS_OF_A_BLOCK).min(rows), &mut raw)?;
            self.scaling.apply_block(&raw, &mut inputs, &mut some);
            scaled.append(&inputs)?;
            targets.extend_from_slice(&some);
        }
        Ok((ScaledRows(scaled), targets))
    }
}

/// The scaled inputs of a part.
struct ScaledRows(RowStore);

impl InputBlocks for ScaledRows {
    fn rows(&self) -> usize {
        self.0.rows()
    }

    fn read(&self, rows: Range<usize>, inputs: &mut Vec<f64>) -> Result<(), String> {
        self.0.read(rows, inputs).map_err(|error| error.to_string())
    }
}

impl Experiment<PartMap> {
    /// Builds the problem of the rows of one process: weights from the configuration's seed, all rows in the file's order,
    /// nothing held out.
    ///
    /// # Errors
    /// As [`Experiment::new`], and [`RunError::Config`] where `data.samples` is given and is not the number of rows.
    pub fn of_part(config: Config, part: Part) -> Result<Self, RunError> {
        let config = config.on_rows(part.total)?;
        config.require_all_rows(part.total)?;
        let (features, t) = (part.file.feature_names().len(), part.file.target_names().len());
        let outputs = Outputs::of_columns(&config.loss, t, part.largest[features])?;
        let block = rows_of_a_block(&config, part.most, features);
        let shape = Shape { rows: part.most, features, outputs: outputs.count, block: Some(block) };
        let needs = Needs::require(&config, shape)?;
        let (inputs, targets) = part.scale()?;
        outputs.require_labels(&targets, part.first, part.file.target_names())?;
        let (kept, loss) = if config.loss.has_classes() {
            (targets.clone(), outputs.loss(&config.loss, targets)?)
        } else {
            (Vec::new(), outputs.loss(&config.loss, targets)?)
        };
        let (kind, seed) = (config.network.initialization, config.dynamics.seed);
        let architecture = config.network.architecture(outputs.count);
        let start = InitialPoint::draw_for(&architecture, kind, features, seed)?;
        let sample = Sample {
            rows: Vec::new(),
            inputs: Vec::new(),
            targets: kept,
            held_out_inputs: Vec::new(),
            held_out_targets: Vec::new(),
            dimension: features,
            target_columns: t,
            feature_names: part.file.feature_names().to_vec(),
            scaling: part.scaling,
        };
        let blocks = NetworkBlocks::with_rows_of_block(
            Box::new(inputs),
            features,
            &architecture,
            &start.signs,
            block,
        )?;
        let map = BlockedMap::new(blocks.started_as(kind, &start.weights)?)?;
        let objective = Objective::new(map, loss, config.dynamics.scaling)?;
        let rows = part.total;
        Ok(Self { config, needs, rows, sample, outputs, start, objective, held_out: None })
    }

    /// How the rows of this process are read, for the user; `None` where all of them are held at once.
    pub fn blocks_told(&self) -> Option<String> {
        let blocks = self.objective.map().source().blocks();
        (blocks > 1).then(|| {
            format!(
                "all {} rows of the file are taken in its order; each pass over the data computes the Jacobian anew, in \
                 {blocks} blocks of rows",
                self.rows
            )
        })
    }
}

/// The Lipschitz constants of the rows of all processes, with `sum` the sums over them.
pub struct PartConstants<'a> {
    /// The rows of this process.
    pub map: &'a PartMap,
    /// Replaces numbers by their sums over the processes.
    pub sum: &'a dyn Fn(&mut [f64]),
}

impl LipschitzConstants for PartConstants<'_> {
    fn jacobian_lipschitz(&self) -> f64 {
        self.map.source().over_machines(self.sum).jacobian_lipschitz()
    }

    fn lipschitz(&self) -> f64 {
        self.map.source().over_machines(self.sum).lipschitz()
    }

    fn jacobian_lipschitz_within(&self, center: &[f64], radius: f64) -> f64 {
        self.map.source().over_machines(self.sum).jacobian_lipschitz_within(center, radius)
    }

    fn lipschitz_within(&self, center: &[f64], radius: f64) -> f64 {
        self.map.source().over_machines(self.sum).lipschitz_within(center, radius)
    }
}
