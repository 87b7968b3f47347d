//! One run: the flow of an [`Experiment`], recorded step by step.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use gaussflow::dynamics::{
    self, Batching, Checkpoint, Diagnostics, Flow, ObserverError, Work, resume_in_batches,
};
use gaussflow::objective::{Linearization, Loss, Objective, Residuals, SecondOrderMap};
use gaussflow::solvers::{JacobianOperator, SolveError};
use gaussflow_records::{CheckpointRecord, Confusion, Outcome, SCHEMA, TraceRow, trace_text};

use super::checkpoint::CheckpointFile;
use super::error::RunError;
use super::experiment::{Experiment, HeldOut};
use super::geometry::GeometryRecorder;
use super::record::{
    RunRecord, class_record, columns_of_weights, counters, event, outcome, problem,
};

/// Set when the user asks to stop; every recorder looks at it.
pub static INTERRUPT: AtomicBool = AtomicBool::new(false);

/// Records every step of a run.
struct Recorder<'e> {
    experiment: &'e Experiment,
    held_out_output: Vec<f64>,
    geometry: GeometryRecorder<'e>,
    trace: Vec<TraceRow>,
    snapshots: Vec<f64>,
    snapshot_steps: Vec<i64>,
    failure: Option<SolveError>,
    checkpoints: Option<&'e CheckpointFile>,
    /// The work before the checkpoint at which the run was taken up.
    before: BTreeMap<String, u64>,
}

impl Recorder<'_> {
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
            return experiment.confusion(targets, here.output());
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
        let rows = self.experiment.sample.rows.len() as f64;
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

impl<M: SecondOrderMap, L: Loss> dynamics::Observer<M, L> for Recorder<'_> {
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
        let Some(file) = self.checkpoints else { return Ok(ControlFlow::Continue(())) };
        let saved = file.save(&CheckpointRecord {
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
        });
        saved?;
        Ok(ControlFlow::Continue(()))
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
    execute_on((&experiment.objective, experiment.batching()), experiment, checkpoints)
}

/// As [`execute_with`], by another form of the experiment's objective (the same map and loss, with rows on
/// several machines for example) and of its batches.
pub fn execute_on<M: SecondOrderMap, L: Loss>(
    (objective, batching): (&Objective<M, L>, Option<Batching<'_, M, L>>),
    experiment: &Experiment,
    checkpoints: Option<&CheckpointFile>,
) -> Result<RunRecord, RunError> {
    let begun = Instant::now();
    let held_out_rows = experiment.held_out.as_ref().map_or(0, |h| h.network.outputs());
    let mut recorder = Recorder {
        experiment,
        held_out_output: vec![0.0; held_out_rows],
        geometry: GeometryRecorder::new(experiment),
        trace: Vec::new(),
        snapshots: Vec::new(),
        snapshot_steps: Vec::new(),
        failure: None,
        checkpoints,
        before: BTreeMap::new(),
    };
    let (start, settings) = (&experiment.start, experiment.settings());
    let is_due = settings.checkpoint_every > 0;
    let saved =
        checkpoints.filter(|_| is_due).and_then(|file| file.load(&experiment.config.to_toml()));
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
    let classes = class_record(experiment, &ended.final_weights, &mut recorder.held_out_output);
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
