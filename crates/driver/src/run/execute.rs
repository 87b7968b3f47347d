//! One run: the flow of an [`Experiment`] recorded step by step, and its folder on disk.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use gaussflow::dynamics::{
    self, Batching, Checkpoint, Diagnostics, EventRecord, Flow, ObserverError, StopReason, Work,
    resume_in_batches,
};
use gaussflow::network::{Network, OutputWeights};
use gaussflow::objective::{Linearization, Loss, Objective, Residuals, SecondOrderMap};
use gaussflow::solvers::{JacobianOperator, SolveError};
use gaussflow_records::{
    self as records, CheckpointRecord, ClassRecord, Confusion, Event, LayerRecord, Numbers,
    Outcome, OutputRecord, Problem, RecordError, SCHEMA, Status, Timing, TraceRow, ownership,
    rows_of, trace_text, write_bytes, write_json, write_npy, write_npy_integers, write_trace,
};

use super::checkpoint::CheckpointFile;
use super::error::RunError;
use super::experiment::{Experiment, HeldOut};
use super::geometry::GeometryRecorder;

/// Set when the user asks to stop; every recorder looks at it.
pub static INTERRUPT: AtomicBool = AtomicBool::new(false);

/// Everything that a run's folder holds.
pub struct RunRecord {
    /// The run's name.
    pub id: String,
    /// The resolved configuration as TOML.
    pub config: String,
    /// Rows, network and start.
    pub problem: Problem,
    /// One row a recorded step.
    pub trace: Vec<TraceRow>,
    /// Snapshots of the weights, each p long.
    pub snapshots: Vec<f64>,
    /// The steps of the snapshots.
    pub snapshot_steps: Vec<i64>,
    /// How it ended.
    pub outcome: Outcome,
    /// Seconds that the run took.
    pub seconds: f64,
}

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
    let sample = &experiment.sample;
    let network = experiment.objective.map();
    // The paper's network has its weights unit by unit in the files.
    let features = network.one_layer().map(|_| sample.dimension);
    let (layers, output) = network_record(network);
    let outputs = Some(experiment.outputs.count).filter(|count| *count > 1);
    let of_several = |count: Option<usize>, width: usize| count.filter(|c| *c > 1).map(|_| width);
    let columns = experiment.outputs.columns;
    let classes = class_record(experiment, &ended.final_weights, &mut recorder.held_out_output);
    Ok(RunRecord {
        id: Experiment::id(&experiment.config),
        config: experiment.config.to_toml(),
        problem: Problem {
            rows: sample.rows.clone(),
            inputs: rows_of(&sample.inputs, sample.dimension),
            targets: Numbers::new(&sample.targets, of_several(Some(columns), columns)),
            output_signs: Numbers::new(
                &start.signs,
                of_several(outputs, network.last_layer().width),
            ),
            initial_weights: Numbers::new(&start.weights, features),
            layers,
            output,
            outputs,
        },
        outcome: Outcome { classes, ..outcome(&ended, counters, recorder.failure, features) },
        trace: recorder.trace,
        snapshots: recorder.snapshots,
        snapshot_steps: recorder.snapshot_steps,
        seconds: begun.elapsed().as_secs_f64(),
    })
}

/// The classes at the end, where there are any.
fn class_record(
    experiment: &Experiment,
    weights: &[f64],
    held_out_output: &mut [f64],
) -> Option<ClassRecord> {
    let (alpha, sample) = (experiment.config.dynamics.scaling, &experiment.sample);
    let mut output = vec![0.0; experiment.objective.map().outputs()];
    experiment.objective.map().value(weights, &mut output).ok()?;
    output.iter_mut().for_each(|x| *x *= alpha);
    let drawn = experiment.confusion(&sample.targets, &output)?;
    let held_out = experiment.held_out.as_ref().and_then(|held_out| {
        held_out.network.value(weights, held_out_output).ok()?;
        experiment.confusion(&sample.held_out_targets, held_out_output)
    });
    Some(ClassRecord { drawn, held_out })
}

/// What problem.json says of a network that is not the paper's.
fn network_record(network: &Network) -> (Option<Vec<LayerRecord>>, Option<OutputRecord>) {
    if network.one_layer().is_some() {
        return (None, None);
    }
    let architecture = network.architecture();
    let layers = architecture.layers.iter().map(|layer| LayerRecord {
        width: layer.width,
        bias: layer.bias,
        scale: layer.scale.factor(layer.width),
        activation: layer.activation.name().to_owned(),
    });
    let output = match architecture.output {
        OutputWeights::Signs => OutputRecord::Signs,
        OutputWeights::Trained => OutputRecord::Trained,
    };
    (Some(layers.collect()), Some(output))
}

/// The record of how a run ended.
fn outcome(
    ended: &dynamics::Outcome,
    counters: BTreeMap<String, u64>,
    failure: Option<SolveError>,
    features: Option<usize>,
) -> Outcome {
    use dynamics::EventKind;
    let failed = |error: String| (Status::Failed, records::StopReason::Failed, Some(error));
    let stopped = |reason| (Status::Stopped, reason, None);
    let (status, stop_reason, error) = match (&ended.stop_reason, failure) {
        (_, Some(SolveError::NonFinite { .. } | SolveError::Overflow { .. })) => {
            stopped(records::StopReason::NonFinite)
        }
        (_, Some(error)) => failed(error.to_string()),
        (StopReason::Failed(error), None) => failed(error.to_string()),
        (StopReason::StepUnderflow, None) => {
            failed("error control asks for steps below the spacing of the time axis".to_owned())
        }
        (StopReason::Horizon, None) => (Status::Completed, records::StopReason::Horizon, None),
        (StopReason::Event(kind), None) => stopped(match kind {
            EventKind::LeftBall => records::StopReason::LeftBall,
            EventKind::RankLost => records::StopReason::RankLost,
            EventKind::NonFinite => records::StopReason::NonFinite,
            EventKind::Stationary => records::StopReason::Stationary,
        }),
        (_, None) => stopped(records::StopReason::Interrupted),
    };
    Outcome {
        status,
        stop_reason,
        events: ended.events.iter().filter_map(event).collect(),
        exit_time: ended.exit_time(),
        final_time: ended.final_time,
        final_weights: Numbers::new(&ended.final_weights, features),
        final_loss: ended.final_loss,
        counters,
        classes: None,
        error,
        files: BTreeMap::new(),
    }
}

/// An event of the file format; standstill is a stop reason there, not an event.
fn event(record: &EventRecord) -> Option<Event> {
    let kind = match record.kind {
        dynamics::EventKind::LeftBall => records::EventKind::LeftBall,
        dynamics::EventKind::RankLost => records::EventKind::RankLost,
        dynamics::EventKind::NonFinite => records::EventKind::NonFinite,
        dynamics::EventKind::Stationary => return None,
    };
    Some(Event {
        kind,
        time: record.time,
        step: record.step as u64,
        value: record.value,
        threshold: record.threshold,
    })
}

/// Work and fallbacks by name.
fn counters(work: &Work, geometry: &GeometryRecorder<'_>) -> BTreeMap<String, u64> {
    let Work { counts, statistics } = work;
    let named = [
        ("accepted_steps", statistics.accepted_steps as u64),
        ("rejected_steps", statistics.rejected_steps as u64),
        ("field_evaluations", statistics.field_evaluations as u64),
        ("jacobian_products", statistics.jacobian_products as u64),
        ("event_evaluations", statistics.event_evaluations as u64),
        ("linearizations", counts.linearizations),
        ("directions", counts.directions),
        ("fallback_pseudo_inverse", counts.pseudo_inverse),
        ("fallback_raised_damping", counts.raised_damping),
        ("factorizations_cholesky", counts.factors.cholesky),
        ("factorizations_qr", counts.factors.qr),
        ("factorizations_stacked_qr", counts.factors.stacked_qr),
        ("factorizations_svd", counts.factors.svd),
        ("gram_matrices", counts.factors.gram),
        ("extreme_singular_values", counts.factors.extremes),
        ("extremes_certified", counts.tracked.certified),
        ("fallback_dense_extremes", counts.tracked.dense),
        ("amortized_solves", counts.amortized.amortized),
        ("amortized_direct", counts.amortized.direct),
        ("amortized_iterations", counts.amortized.iterations),
        ("amortized_given_up", counts.amortized.given_up),
        ("matrix_free_solves", counts.factors.iterative),
        ("matrix_free_iterations", counts.factors.iterations),
        ("riemannian_hessians", geometry.computed),
        ("fallback_no_riemannian_hessian", geometry.failed),
    ];
    named.into_iter().map(|(name, count)| (name.to_owned(), count)).collect()
}

/// The outcome of a run that could not start.
pub fn failed_outcome(error: String) -> Outcome {
    Outcome {
        status: Status::Failed,
        stop_reason: records::StopReason::Failed,
        events: Vec::new(),
        exit_time: None,
        final_time: 0.0,
        final_weights: Numbers::Rows(Vec::new()),
        final_loss: f64::NAN,
        counters: BTreeMap::new(),
        classes: None,
        error: Some(error),
        files: BTreeMap::new(),
    }
}

/// Writes a run's folder, each file whole or not at all.
pub fn write(record: &RunRecord, folder: &Path) -> Result<(), RecordError> {
    remove_other_run(folder, &record.config)?;
    write_bytes(&folder.join("config.toml"), record.config.as_bytes())?;
    write_json(&folder.join("problem.json"), &record.problem)?;
    write_trace(&folder.join("trace.csv"), &record.trace)?;
    let mut shape = vec![record.snapshot_steps.len()];
    shape.extend(record.problem.initial_weights.shape());
    write_npy(&folder.join("weights.npy"), &shape, &record.snapshots)?;
    write_npy_integers(&folder.join("weights_steps.npy"), &record.snapshot_steps)?;
    let timing = Timing {
        seconds: record.seconds,
        parts: BTreeMap::new(),
        threads: rayon::current_num_threads(),
    };
    write_json(&folder.join("timing.json"), &timing)?;
    write_outcome(folder, record.outcome.clone())
}

/// Before a run replaces that of another configuration: takes away what vouches for that run and tells of it, so
/// that an interrupt leaves an unfinished run and never a mixture.
fn remove_other_run(folder: &Path, config: &str) -> Result<(), RecordError> {
    if std::fs::read(folder.join("config.toml")).is_ok_and(|there| there == config.as_bytes()) {
        return Ok(());
    }
    for name in ["outcome.json", "audit.json", "audit.md", "report.html"] {
        let path = folder.join(name);
        if ownership::is_ours(&path) {
            std::fs::remove_file(&path).map_err(|source| RecordError::Write { path, source })?;
        }
    }
    Ok(())
}

/// Writes outcome.json with the sums of the files beside it; last, as a folder with an outcome is a finished run.
pub(crate) fn write_outcome(folder: &Path, outcome: Outcome) -> Result<(), RecordError> {
    let outcome = Outcome { files: records::checksum::seal(folder)?, ..outcome };
    write_json(&folder.join("outcome.json"), &outcome)
}
