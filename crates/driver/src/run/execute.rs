//! One run: the flow of an [`Experiment`], recorded step by step.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use gaussflow::dynamics::{
    self, Batching, Checkpoint, Diagnostics, Flow, ObserverError, Work, resume_in_batches,
};
use gaussflow::network::Network;
use gaussflow::objective::{
    Linearization, LipschitzConstants, Loss, Objective, Residuals, SecondOrderMap,
};
use gaussflow::solvers::{JacobianOperator, SolveError};
use gaussflow_records::{CheckpointRecord, Confusion, Outcome, SCHEMA, TraceRow, trace_text};

use super::checkpoint::{CheckpointFile, Resumed};
use super::error::RunError;
use super::experiment::{Experiment, HeldOut};
use super::geometry::GeometryRecorder;
use super::record::{
    RunRecord, class_record, columns_of_weights, counters, event, outcome, problem, sum_counts,
};

/// Set when the user asks to stop; every recorder looks at it.
pub static INTERRUPT: AtomicBool = AtomicBool::new(false);

/// What a run goes over: the form of the experiment's map and loss that the flow takes, and what several machines share.
pub struct Over<'o, M: SecondOrderMap, L> {
    /// The map and the loss, with rows on several machines for example.
    pub objective: &'o Objective<M, L>,
    /// Its batches; `None` where every step takes all rows.
    pub batching: Option<Batching<'o, M, L>>,
    /// The Lipschitz constants of the map on all rows.
    pub constants: &'o dyn LipschitzConstants,
    /// Replaces numbers by their sums over the machines, all of which call it together.
    pub sum: &'o dyn Fn(&mut [f64]),
}

impl<'o> Over<'o, Network, Box<dyn Loss>> {
    /// A whole experiment, with its batches, on this machine alone.
    pub fn whole(experiment: &'o Experiment) -> Self {
        Self { batching: experiment.batching(), ..Self::alone(experiment) }
    }
}

impl<'o, M: SecondOrderMap + LipschitzConstants> Over<'o, M, Box<dyn Loss>> {
    /// An experiment without batches, on this machine alone.
    pub fn alone(experiment: &'o Experiment<M>) -> Self {
        let objective = &experiment.objective;
        Self { objective, batching: None, constants: objective.map(), sum: &|_| () }
    }
}

/// Records every step of a run.
struct Recorder<'e, N> {
    experiment: &'e Experiment<N>,
    sum: &'e dyn Fn(&mut [f64]),
    held_out_output: Vec<f64>,
    geometry: GeometryRecorder<'e>,
    trace: Vec<TraceRow>,
    snapshots: Vec<f64>,
    snapshot_steps: Vec<i64>,
    failure: Option<SolveError>,
    checkpoints: Option<&'e CheckpointFile>,
    /// How many machines hold the rows.
    machines: usize,
    /// The work before the checkpoint at which the run was taken up.
    before: BTreeMap<String, u64>,
}

impl<N: Residuals> Recorder<'_, N> {
    /// All work by name, that before the checkpoint at which the run was taken up included.
    fn counters(&self, work: &Work) -> BTreeMap<String, u64> {
        let mut all = counters(work, &self.geometry);
        for (name, count) in &self.before {
            *all.entry(name.clone()).or_default() += count;
        }
        all
    }

    /// The classes of the drawn rows, where there are any; of rows on several machines each evaluates all.
    fn drawn_classes<J: JacobianOperator>(&self, here: &Linearization<J>) -> Option<Confusion> {
        let experiment = self.experiment;
        if !experiment.config.loss.has_classes() {
            return None;
        }
        let (network, targets) = (experiment.objective.map(), &experiment.sample.targets);
        if here.output().len() == network.outputs() {
            let mut drawn = experiment.confusion(targets, here.output())?;
            if experiment.is_part() {
                sum_counts(&mut drawn, self.sum);
            }
            return Some(drawn);
        }
        let mut output = vec![0.0; network.outputs()];
        network.value(here.point(), &mut output).ok()?;
        // No factor alpha > 0 changes which output is largest, or its sign.
        experiment.confusion(targets, &output)
    }

    /// One row of the trace.
    fn row<M: SecondOrderMap, L: Loss>(
        &mut self,
        step: usize,
        time: f64,
        flow: &mut Flow<'_, M, L>,
    ) -> Result<TraceRow, SolveError> {
        let initial = &self.experiment.start.weights;
        let measured = Diagnostics::measure(flow, initial)?;
        let threshold = self.experiment.config.events.rank_threshold;
        let geometry = self.geometry.measure(step, flow, &measured, threshold);
        // Where the policy is to stop there may be no direction: the column is then empty.
        let damping = flow.damping_used().ok();
        let every = self.experiment.config.record.held_out_every;
        let held_out =
            self.experiment.held_out.as_ref().filter(|_| every > 0 && step.is_multiple_of(every));
        let alpha = self.experiment.config.dynamics.scaling;
        let held_out_loss = held_out.and_then(|held_out| {
            mean_loss(held_out, alpha, flow.linearization().point(), &mut self.held_out_output)
        });
        let held_out_accuracy = held_out_loss.and_then(|_| {
            let targets = &self.experiment.sample.held_out_targets;
            self.experiment.confusion(targets, &self.held_out_output)
        });
        let drawn = self.drawn_classes(flow.linearization());
        let rows = self.experiment.rows as f64;
        Ok(TraceRow {
            step: step as u64,
            time,
            loss: measured.loss,
            deviation: measured.deviation,
            riemannian_gradient_norm: measured.riemannian_gradient_norm,
            gram_min_eigenvalue: measured.gram_min_eigenvalue,
            gram_max_eigenvalue: Some(measured.gram_max_eigenvalue),
            kernel_min_eigenvalue: Some(measured.kernel_min_eigenvalue),
            normal_gradient_norm: Some(measured.normal_gradient_norm),
            damping,
            held_out_loss,
            log_loss: drawn.as_ref().map(|_| measured.loss / rows),
            accuracy: drawn.map(|drawn| drawn.accuracy()),
            held_out_accuracy: held_out_accuracy.map(|found| found.accuracy()),
            ..geometry
        })
    }
}

impl<N: Residuals, M: SecondOrderMap, L: Loss> dynamics::Observer<M, L> for Recorder<'_, N> {
    fn record(
        &mut self,
        step: usize,
        time: f64,
        flow: &mut Flow<'_, M, L>,
    ) -> Result<ControlFlow<()>, ObserverError> {
        match self.row(step, time, flow) {
            Ok(row) => self.trace.push(row),
            Err(error) => {
                self.failure = Some(error);
                return Ok(ControlFlow::Break(()));
            }
        }
        let every = self.experiment.config.record.snapshot_every;
        if every > 0 && step.is_multiple_of(every) {
            self.snapshots.extend_from_slice(flow.linearization().point());
            self.snapshot_steps.push(i64::try_from(step).unwrap_or(i64::MAX));
        }
        if INTERRUPT.load(Ordering::Relaxed) {
            return Ok(ControlFlow::Break(()));
        }
        Ok(ControlFlow::Continue(()))
    }

    fn checkpoint(
        &mut self,
        at: &Checkpoint,
        work: &Work,
    ) -> Result<ControlFlow<()>, ObserverError> {
        let saved =
            self.checkpoints.map_or(Ok(()), |file| file.save(&self.checkpoint_record(at, work)));
        // A machine that cannot write is the end for all.
        let mut failures = [if saved.is_err() { 1.0 } else { 0.0 }];
        (self.sum)(&mut failures);
        saved?;
        Ok(if failures[0] > 0.0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    }
}

impl<N: Residuals> Recorder<'_, N> {
    /// What a checkpoint holds.
    fn checkpoint_record(&self, at: &Checkpoint, work: &Work) -> CheckpointRecord {
        CheckpointRecord {
            schema: SCHEMA,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            config: self.experiment.config.to_toml(),
            data_sha256: String::new(),
            step: at.step,
            weights: at.weights.clone(),
            rank_scale: at.rank_scale,
            stationary_reference: at.stationary_reference,
            events: at.events.iter().filter_map(event).collect(),
            trace: trace_text(&self.trace),
            snapshots: self.snapshots.clone(),
            snapshot_steps: self.snapshot_steps.clone(),
            counters: self.counters(work),
            machines: self.machines,
        }
    }
}

/// Mean loss per row on the rows that were not drawn; `None` where it is not finite.
fn mean_loss(held_out: &HeldOut, alpha: f64, w: &[f64], output: &mut [f64]) -> Option<f64> {
    held_out.network.value(w, output).ok()?;
    output.iter_mut().for_each(|x| *x *= alpha);
    let rows = output.len() / held_out.network.outputs_of_a_row();
    let mean = held_out.loss.value(output) / rows as f64;
    mean.is_finite().then_some(mean)
}

/// Runs an experiment to its end.
///
/// # Errors
/// [`RunError::Simulation`] when it cannot start; an early end is a result.
pub fn execute(experiment: &Experiment) -> Result<RunRecord, RunError> {
    execute_with(experiment, None)
}

/// Runs an experiment to its end, from the last checkpoint in `checkpoints` where there is one, and
/// keeps that file as `record.checkpoint_every` says. The record is the same wherever it began.
///
/// # Errors
/// As [`execute`], and [`RunError::Record`] where a checkpoint cannot be written.
pub fn execute_with(
    experiment: &Experiment,
    checkpoints: Option<&CheckpointFile>,
) -> Result<RunRecord, RunError> {
    execute_on(&Over::whole(experiment), experiment, Keeping::of(experiment, checkpoints))
}

/// The checkpoints of a run.
#[derive(Default)]
pub struct Keeping<'k> {
    /// The file that is kept; of several machines one has it.
    file: Option<&'k CheckpointFile>,
    /// Where the run is taken up.
    from: Option<Resumed>,
    /// How many machines hold the rows.
    machines: usize,
}

impl<'k> Keeping<'k> {
    /// Of one process: keeps `file`, and begins at what it holds.
    pub fn of<N>(experiment: &Experiment<N>, file: Option<&'k CheckpointFile>) -> Self {
        let is_due = experiment.config.record.checkpoint_every > 0;
        let from = file.filter(|_| is_due).and_then(|file| file.load(&experiment.config.to_toml()));
        Self { file, from, machines: 1 }
    }

    /// Of one of several machines, which all begin at the checkpoint with the bytes `from`, as [`CheckpointFile::bytes`]
    /// gave them on one of them; empty for none.
    ///
    /// # Errors
    /// [`RunError::Record`] where they are no checkpoint.
    pub fn of_machines(
        file: Option<&'k CheckpointFile>,
        from: &[u8],
        machines: usize,
    ) -> Result<Self, RunError> {
        let from = if from.is_empty() { None } else { Some(Resumed::parse(from)?) };
        Ok(Self { file, from, machines })
    }
}

/// As [`execute_with`], over another form of the experiment's map and loss, and with what several machines share.
///
/// # Errors
/// As [`execute_with`].
pub fn execute_on<N: Residuals, M: SecondOrderMap, L: Loss>(
    over: &Over<'_, M, L>,
    experiment: &Experiment<N>,
    keeping: Keeping<'_>,
) -> Result<RunRecord, RunError> {
    let begun = Instant::now();
    let &Over { objective, batching, constants, sum } = over;
    let Keeping { file, from: saved, machines } = keeping;
    let held_out_rows = experiment.held_out.as_ref().map_or(0, |h| h.network.outputs());
    let mut recorder = Recorder {
        experiment,
        sum,
        held_out_output: vec![0.0; held_out_rows],
        geometry: GeometryRecorder::new(experiment, constants),
        trace: Vec::new(),
        snapshots: Vec::new(),
        snapshot_steps: Vec::new(),
        failure: None,
        checkpoints: file,
        machines,
        before: BTreeMap::new(),
    };
    let (start, settings) = (&experiment.start, experiment.settings());
    let mut from = None;
    if let Some(saved) = saved {
        recorder.trace = saved.trace;
        recorder.snapshots = saved.record.snapshots;
        recorder.snapshot_steps = saved.record.snapshot_steps;
        recorder.before = saved.record.counters;
        from = Some(saved.at);
    }
    let (w, at) = (&start.weights, from.as_ref());
    let ended = resume_in_batches(objective, batching, w, at, &settings, &mut recorder)?;
    let counters = recorder.counters(&Work { counts: ended.counts, statistics: ended.statistics });
    let classes =
        class_record(experiment, &ended.final_weights, &mut recorder.held_out_output, sum);
    let features = columns_of_weights(experiment);
    Ok(RunRecord {
        id: Experiment::id(&experiment.config),
        config: experiment.config.to_toml(),
        problem: problem(experiment),
        outcome: Outcome { classes, ..outcome(&ended, counters, recorder.failure, features) },
        trace: recorder.trace,
        snapshots: recorder.snapshots,
        snapshot_steps: recorder.snapshot_steps,
        seconds: begun.elapsed().as_secs_f64(),
    })
}
