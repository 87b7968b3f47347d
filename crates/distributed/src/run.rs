//! One run whose rows lie on several ranks: the flow of `gaussflow run`, the same configuration and files.
//!
//! Every rank draws the same sample and keeps its rows of it; all integrate the same w, so that only sums
//! over rows are exchanged. Rank 0 writes.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use gaussflow::objective::Objective;
use gaussflow_data::Dataset;
use gaussflow_driver::DriverError;
use gaussflow_driver::config::{Config, ConfigError, ConfigProblem};
use gaussflow_driver::run::{self, Experiment, RunFolder, RunObjective, RunRecord, identity, load};
use gaussflow_records::{Overwrite, RunEntry, Timing, write_json};

use crate::agreement::{Failure, agree};
use crate::communicator::Communicator;
use crate::partition::rows_of;
use crate::reduce::{Reducer, Traffic};
use crate::split_map::SplitMap;

/// A run, and what its ranks exchanged.
pub struct SplitRun {
    /// What `gaussflow run` would have recorded, to rounding.
    pub record: RunRecord,
    /// What the sums of this rank cost.
    pub traffic: Traffic,
}

/// Collective: runs `config` on `data` with the rows on all of `ranks`.
///
/// The record is the same on every rank, but for times and, on other ranks than 0, without the loss on
/// held-out rows.
///
/// # Errors
/// [`Failure`]: configurations that rows on several ranks do not go with, and as
/// [`gaussflow_driver::run::execute`].
pub fn execute<C: Communicator>(
    config: &Config,
    data: &Dataset,
    ranks: &C,
) -> Result<SplitRun, Failure> {
    let (experiment, here) = agree(ranks, prepare(config, data, ranks))?;
    let reducer = Rc::new(RefCell::new(Reducer::new(ranks)));
    let first = rows_of(experiment.sample.rows.len(), ranks.size(), ranks.rank()).start;
    let map = SplitMap::new(here.map(), first * experiment.outputs.count, Rc::clone(&reducer));
    let split = Objective::new(map, here.loss(), here.scaling()).map_err(DriverError::from);
    let split = agree(ranks, split)?;
    // What can go wrong from here on goes wrong on all ranks.
    let record = run::execute_on((&split, None), &experiment, None)
        .map_err(|error| Failure::everywhere(ranks, error.into()))?;
    let traffic = reducer.borrow().traffic();
    Ok(SplitRun { record, traffic })
}

/// Draws the sample, and makes the objective on this rank's rows of it.
fn prepare<C: Communicator>(
    config: &Config,
    data: &Dataset,
    ranks: &C,
) -> Result<(Experiment, RunObjective), DriverError> {
    let mut experiment = Experiment::new(config.clone(), data)?;
    let rows = experiment.sample.rows.len();
    require_splittable(config, rows, ranks.size())?;
    if ranks.rank() > 0 {
        // One rank is enough for rows that no step learns from.
        experiment.held_out = None;
    }
    let here = experiment.objective_on(rows_of(rows, ranks.size(), ranks.rank()))?;
    Ok((experiment, here))
}

/// Refuses what rows on several ranks do not go with.
fn require_splittable(config: &Config, rows: usize, ranks: usize) -> Result<(), DriverError> {
    if ranks == 1 {
        return Ok(());
    }
    let refuse = |key: &str, value: String, accepted: &str| {
        let accepted = format!("{accepted}, with rows on {ranks} ranks");
        let problem = ConfigProblem::Value { key: key.to_owned(), value, accepted };
        Err(ConfigError::from(problem).into())
    };
    if rows < ranks {
        return refuse("data.samples", rows.to_string(), "at least the number of ranks");
    }
    if config.dynamics.batch > 0 {
        return refuse("dynamics.batch", config.dynamics.batch.to_string(), "0");
    }
    Ok(())
}

/// What `gaussflow-mpi run` came to, on rank 0.
pub struct Report {
    /// The run's folder.
    pub folder: PathBuf,
    /// The run.
    pub run: SplitRun,
}

/// Collective: reads the configuration, runs it, and writes its folder below `out` as `gaussflow run` does;
/// timing.json also tells the seconds that rank 0 spent in sums over ranks. `None` on other ranks than 0.
///
/// # Errors
/// [`Failure`], on all ranks.
pub fn run<C: Communicator>(
    config: &Path,
    out: &Path,
    ranks: &C,
) -> Result<Option<Report>, Failure> {
    run_into(config, (out, Overwrite::No), ranks)
}

/// As [`run()`]; beside `out` stands whether another run of ours that has this one's name may be replaced there.
///
/// # Errors
/// [`Failure`], on all ranks.
pub fn run_into<C: Communicator>(
    config: &Path,
    (out, overwrite): (&Path, Overwrite),
    ranks: &C,
) -> Result<Option<Report>, Failure> {
    let first = ranks.rank() == 0;
    let read = || {
        let config = Config::read(config)?;
        let folder = if first { Some(RunFolder::open(out)?) } else { None };
        let data = load(&config)?;
        if let Some(folder) = &folder {
            folder.admit(&Experiment::id(&config), &config, None, overwrite)?;
        }
        Ok((config, folder, data))
    };
    let (config, folder, data) = agree(ranks, read())?;
    let run = execute(&config, &data, ranks)?;
    let write = || {
        let Some(folder) = &folder else { return Ok(None) };
        let (record, seed, identity) = (&run.record, config.dynamics.seed, identity(&data));
        folder.claim(seed, &identity)?;
        let path = RunFolder::run_path(&record.id);
        let written = folder.root().join(&path);
        run::write(record, &written)?;
        let parts = BTreeMap::from([("sums over ranks".to_owned(), run.traffic.seconds)]);
        let threads = rayon::current_num_threads();
        let timing = Timing::ending_now(record.seconds, parts, threads);
        write_json(&written.join("timing.json"), &timing)?;
        folder.add_run(seed, &identity, RunEntry { id: record.id.clone(), path })?;
        Ok(Some(written))
    };
    let written = agree(ranks, write())?;
    Ok(written.map(|folder| Report { folder, run }))
}
