//! One run whose rows lie on several ranks: the flow of `gaussflow run`, the same configuration and files.
//!
//! Of a file that is read in parts, each rank reads its own; else every rank draws the same sample and keeps its rows of it.
//! All integrate the same w, so that only sums over rows are exchanged. Rank 0 writes, checkpoints too.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::rc::Rc;

use gaussflow::objective::{LipschitzConstants, Loss, Objective, Residuals, SecondOrderMap};
use gaussflow_data::Dataset;
use gaussflow_driver::DriverError;
use gaussflow_driver::config::{Config, ConfigError, ConfigProblem, Reading};
use gaussflow_driver::run::{
    self, CheckpointFile, Experiment, Keeping, Over, PartConstants, PartMap, RunFolder,
    RunObjective, RunRecord, Start, UnscaledPart, identity, load, remove_empty_folder,
};
use gaussflow_records::{DataIdentity, Overwrite, RunEntry, Timing, write_json};

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
    agree(ranks, Problem::drawn(config, data, ranks))?.follow(ranks, Kept::default())
}

/// The rows on this rank, and what is to be done with them.
enum Problem {
    /// Those of a sample that every rank draws, with the objective on this rank's rows of it.
    Drawn(Box<(Experiment, RunObjective)>),
    /// A part of a file, the rows from this one on.
    Part(Box<Experiment<PartMap>>, usize),
}

/// What a rank knows of the checkpoints of a run: rank 0 keeps them, and all begin at the same one.
#[derive(Clone, Copy, Default)]
struct Kept<'k> {
    /// The file, on rank 0.
    file: Option<&'k CheckpointFile>,
    /// The bytes of the checkpoint at which the run is taken up; none to begin at step 0.
    from: &'k [u8],
}

impl Problem {
    fn drawn<C: Communicator>(
        config: &Config,
        data: &Dataset,
        ranks: &C,
    ) -> Result<Self, DriverError> {
        let mut experiment = Experiment::new(config.clone(), data)?;
        require_splittable(config, experiment.rows, ranks.size())?;
        if ranks.rank() > 0 {
            // One rank is enough for rows that no step learns from.
            experiment.held_out = None;
        }
        let here = experiment.objective_on(rows_of(experiment.rows, ranks.size(), ranks.rank()))?;
        Ok(Self::Drawn(Box::new((experiment, here))))
    }

    /// Collective: reads this rank's part of a file, and scales it by the statistics of all parts; on rank 0 also what the
    /// file is, for which it reads the file once more.
    fn part<C: Communicator>(
        config: &Config,
        ranks: &C,
    ) -> Result<(Self, Option<DataIdentity>), Failure> {
        let (rank, size) = (ranks.rank(), ranks.size());
        let read = agree(ranks, UnscaledPart::read(config, rank, size).map_err(Into::into))?;
        let mine = read.statistics();
        let mut all = vec![0.0; size * mine.len()];
        ranks.all_gather(&mine, &mut all);
        let all: Vec<Vec<f64>> = all.chunks_exact(mine.len()).map(<[f64]>::to_vec).collect();
        let made = || {
            let part = read.scaled(config, &all, rank)?;
            let identity = if rank == 0 { Some(part.identity()?) } else { None };
            let first = part.first();
            let experiment = Experiment::of_part(config.clone(), part)?;
            require_splittable(config, experiment.rows, size)?;
            Ok((Self::Part(Box::new(experiment), first), identity))
        };
        agree(ranks, made())
    }

    /// The resolved configuration.
    fn config(&self) -> &Config {
        match self {
            Self::Drawn(drawn) => &drawn.0.config,
            Self::Part(experiment, _) => &experiment.config,
        }
    }

    /// How the rows are read, where the user should know it.
    fn told(&self) -> Option<String> {
        match self {
            Self::Drawn(_) => None,
            Self::Part(experiment, _) => {
                experiment.blocks_told().map(|said| format!("rank 0: {said}"))
            }
        }
    }

    /// Collective: follows the flow.
    fn follow<C: Communicator>(&self, ranks: &C, kept: Kept<'_>) -> Result<SplitRun, Failure> {
        let reducer = Rc::new(RefCell::new(Reducer::new(ranks)));
        let sum = |values: &mut [f64]| reducer.borrow_mut().sum(values);
        match self {
            Self::Drawn(drawn) => {
                let (experiment, here) = &**drawn;
                let first = rows_of(experiment.rows, ranks.size(), ranks.rank()).start;
                let shared = (experiment.objective.map() as &dyn LipschitzConstants, &sum as _);
                follow(&reducer, experiment, (here, first), shared, kept)
            }
            Self::Part(experiment, first) => {
                let here = &experiment.objective;
                let constants = PartConstants { map: here.map(), sum: &sum };
                follow(&reducer, &**experiment, (here, *first), (&constants, &sum), kept)
            }
        }
    }
}

/// What all ranks have together: the constants of the map on all rows, and sums.
type Shared<'s> = (&'s dyn LipschitzConstants, &'s dyn Fn(&mut [f64]));

/// Collective: follows the flow of an experiment with `here` the objective on this rank's rows, `first` the first of them.
fn follow<N: Residuals, M: SecondOrderMap, C: Communicator>(
    reducer: &Rc<RefCell<Reducer<'_, C>>>,
    experiment: &Experiment<N>,
    (here, first): (&Objective<M, Box<dyn Loss>>, usize),
    (constants, sum): Shared<'_>,
    kept: Kept<'_>,
) -> Result<SplitRun, Failure> {
    let ranks = reducer.borrow().ranks();
    let map = SplitMap::new(here.map(), first * experiment.outputs.count, Rc::clone(reducer));
    let split = Objective::new(map, here.loss(), here.scaling()).map_err(DriverError::from);
    let split = agree(ranks, split)?;
    let over = Over { objective: &split, batching: None, constants, sum };
    let record = Keeping::of_machines(kept.file, kept.from, ranks.size())
        .and_then(|keeping| run::execute_on(&over, experiment, keeping))
        .map_err(DriverError::from);
    let record = agree(ranks, record)?;
    let traffic = reducer.borrow().traffic();
    Ok(SplitRun { record, traffic })
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

/// What the command line asks for.
#[derive(Clone, Debug)]
pub struct Request {
    /// The configuration.
    pub config: PathBuf,
    /// The folder to write.
    pub out: PathBuf,
    /// Whether to begin anew or at the last checkpoint.
    pub start: Start,
    /// Whether another run of ours that has this one's name may be replaced there.
    pub overwrite: Overwrite,
}

/// What `gaussflow-mpi run` came to, on rank 0.
pub struct Report {
    /// The run's folder.
    pub folder: PathBuf,
    /// The run.
    pub run: SplitRun,
}

/// Collective: reads the configuration, runs it, and writes its folder below `out` as `gaussflow run` does;
/// timing.json also tells the seconds that rank 0 spent in sums over ranks. `None` on other ranks than 0. On rank 0
/// `notice` hears what the user should know before the run begins.
///
/// # Errors
/// [`Failure`], on all ranks.
pub fn run<C: Communicator>(
    request: &Request,
    ranks: &C,
    mut notice: impl FnMut(&str),
) -> Result<Option<Report>, Failure> {
    let Request { out, overwrite, .. } = request;
    let first = ranks.rank() == 0;
    let open = || {
        let config = Config::read(&request.config)?;
        let folder = if first { Some(RunFolder::open(out)?) } else { None };
        Ok((config, folder))
    };
    let (config, folder) = agree(ranks, open())?;
    let (problem, identity) = if config.data.reading == Reading::Parts {
        Problem::part(&config, ranks)?
    } else {
        let drawn = || {
            let data = load(&config)?;
            let identity = first.then(|| identity(&data));
            Ok((Problem::drawn(&config, &data, ranks)?, identity))
        };
        agree(ranks, drawn())?
    };
    if let (true, Some(said)) = (first, problem.told()) {
        notice(&said);
    }
    let config = problem.config();
    // Of an output folder on rank 0 the checkpoint's file, and where the run is taken up.
    let place = folder
        .zip(identity)
        .map(|(folder, identity)| Place::new(folder, identity, config, request));
    let mut begin = || match &place {
        Some(place) => place.begin(config, *overwrite, &mut notice, ranks.size()),
        None => Ok(Vec::new()),
    };
    let from = broadcast(ranks, agree(ranks, begin())?);
    let file = place.as_ref().map(|place| &place.checkpoints);
    let run = problem.follow(ranks, Kept { file, from: &from })?;
    let written = place.as_ref().map(|place| place.write(&run, config)).transpose();
    let written = agree(ranks, written)?;
    Ok(written.map(|folder| Report { folder, run }))
}

/// Where rank 0 writes.
struct Place {
    folder: RunFolder,
    identity: DataIdentity,
    checkpoints: CheckpointFile,
    /// How the run is taken up after its job was ended.
    command: String,
}

impl Place {
    fn new(folder: RunFolder, identity: DataIdentity, config: &Config, request: &Request) -> Self {
        let id = Experiment::id(config);
        let checkpoints = CheckpointFile::new(folder.root(), &id, &identity.sha256, request.start);
        let (file, out) = (request.config.display(), request.out.display());
        let command = format!("gaussflow-mpi run {file} --out {out} --resume");
        Self { folder, identity, checkpoints, command }
    }

    /// Tests that the run may be written, and returns the bytes of the checkpoint at which it begins.
    fn begin(
        &self,
        config: &Config,
        overwrite: Overwrite,
        notice: &mut dyn FnMut(&str),
        ranks: usize,
    ) -> Result<Vec<u8>, DriverError> {
        self.folder.admit(&Experiment::id(config), config, None, overwrite)?;
        let every = config.record.checkpoint_every;
        if every == 0 {
            return Ok(Vec::new());
        }
        // Before the first file, which is then the checkpoint's.
        self.folder.claim(config.dynamics.seed, &self.identity)?;
        let path = self.checkpoints.path().display();
        notice(&format!(
            "a checkpoint every {every} steps: {path}; where a rank dies, or the job is ended, go on from it by\n  \
             mpirun -n {ranks} {}",
            self.command
        ));
        let (from, machines) = self.checkpoints.bytes(&config.to_toml());
        if machines > 0 && machines != ranks {
            notice(&format!(
                "the checkpoint was made on {machines} ranks and this job has {ranks}: the last bits of the \
                 results differ from those of a run without an interruption"
            ));
        }
        Ok(from)
    }

    /// Writes the run's folder, and removes the checkpoint.
    fn write(&self, run: &SplitRun, config: &Config) -> Result<PathBuf, DriverError> {
        let (record, seed, identity) = (&run.record, config.dynamics.seed, &self.identity);
        self.folder.claim(seed, identity)?;
        let path = RunFolder::run_path(&record.id);
        let written = self.folder.root().join(&path);
        run::write(record, &written)?;
        let parts = BTreeMap::from([("sums over ranks".to_owned(), run.traffic.seconds)]);
        let threads = rayon::current_num_threads();
        let timing = Timing::ending_now(record.seconds, parts, threads);
        write_json(&written.join("timing.json"), &timing)?;
        self.folder.add_run(seed, identity, RunEntry { id: record.id.clone(), path })?;
        self.checkpoints.remove();
        remove_empty_folder(self.folder.root());
        Ok(written)
    }
}

/// Collective: the bytes of rank 0, on every rank.
fn broadcast<C: Communicator>(ranks: &C, bytes: Vec<u8>) -> Vec<u8> {
    if ranks.rank() > 0 {
        return ranks.receive().1;
    }
    (1..ranks.size()).for_each(|rank| ranks.send(rank, &bytes));
    bytes
}
