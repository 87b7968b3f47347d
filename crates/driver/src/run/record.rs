//! What the files of a run say: its problem, its outcome with all counts by name, and their folder.

use std::collections::BTreeMap;
use std::path::Path;

use gaussflow::dynamics::{self, EventRecord, StopReason, Work};
use gaussflow::network::{Architecture, OutputWeights};
use gaussflow::objective::Residuals;
use gaussflow::solvers::SolveError;
use gaussflow_records::{
    self as records, AllRows, ClassRecord, Confusion, Event, LayerRecord, Numbers, Outcome,
    OutputRecord, Problem, RecordError, Status, Timing, TraceRow, ownership, rows_of, write_bytes,
    write_json, write_npy, write_npy_integers, write_trace,
};

use super::experiment::Experiment;
use super::geometry::GeometryRecorder;

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

/// problem.json of an experiment.
pub(super) fn problem<M>(experiment: &Experiment<M>) -> Problem {
    let (sample, start) = (&experiment.sample, &experiment.start);
    let architecture = experiment.config.network.architecture(experiment.outputs.count);
    let (layers, output) = network_record(&architecture);
    let scaling = &sample.scaling;
    let all_rows = experiment.is_part().then(|| AllRows {
        count: experiment.rows,
        means: scaling.means.clone(),
        deviations: scaling.deviations.clone(),
        target_means: scaling.target_means.clone(),
        target_deviations: scaling.target_deviations.clone(),
    });
    // What a part keeps for its classes is not all of the targets.
    let targets = if experiment.is_part() { &[][..] } else { &sample.targets };
    let outputs = Some(experiment.outputs.count).filter(|count| *count > 1);
    let columns = Some(experiment.outputs.columns).filter(|columns| *columns > 1);
    Problem {
        rows: sample.rows.clone(),
        inputs: rows_of(&sample.inputs, sample.dimension),
        targets: Numbers::new(targets, columns),
        output_signs: Numbers::new(&start.signs, outputs.map(|_| last_width(&architecture))),
        initial_weights: Numbers::new(&start.weights, columns_of_weights(experiment)),
        layers,
        output,
        outputs,
        all_rows,
    }
}

/// Columns of the weights in the files: the paper's network has them unit by unit, others as one list.
pub(super) fn columns_of_weights<M>(experiment: &Experiment<M>) -> Option<usize> {
    let architecture = experiment.config.network.architecture(experiment.outputs.count);
    architecture.one_activation().map(|_| experiment.sample.dimension)
}

/// The units of the last hidden layer.
fn last_width(architecture: &Architecture) -> usize {
    architecture.layers.last().map_or(0, |layer| layer.width)
}

/// The classes at the end, where there are any.
pub(super) fn class_record<M: Residuals>(
    experiment: &Experiment<M>,
    weights: &[f64],
    held_out_output: &mut [f64],
    sum: &dyn Fn(&mut [f64]),
) -> Option<ClassRecord> {
    let (alpha, sample) = (experiment.config.dynamics.scaling, &experiment.sample);
    let mut output = vec![0.0; experiment.objective.map().outputs()];
    experiment.objective.map().value(weights, &mut output).ok()?;
    output.iter_mut().for_each(|x| *x *= alpha);
    let mut drawn = experiment.confusion(&sample.targets, &output)?;
    if experiment.is_part() {
        sum_counts(&mut drawn, sum);
    }
    let held_out = experiment.held_out.as_ref().and_then(|held_out| {
        held_out.network.value(weights, held_out_output).ok()?;
        experiment.confusion(&sample.held_out_targets, held_out_output)
    });
    Some(ClassRecord { drawn, held_out })
}

/// Adds up how often each class was taken for each over the processes that hold rows.
pub(super) fn sum_counts(confusion: &mut Confusion, sum: &dyn Fn(&mut [f64])) {
    let counts = || confusion.counts.iter().flatten();
    let mut numbers: Vec<f64> = counts().map(|count| *count as f64).collect();
    sum(&mut numbers);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counts, exact")]
    for (count, number) in confusion.counts.iter_mut().flatten().zip(numbers) {
        *count = number as _;
    }
}

/// What problem.json says of a network that is not the paper's.
fn network_record(architecture: &Architecture) -> (Option<Vec<LayerRecord>>, Option<OutputRecord>) {
    if architecture.one_activation().is_some() {
        return (None, None);
    }
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
pub(super) fn outcome(
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
pub(super) fn event(record: &EventRecord) -> Option<Event> {
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
pub(super) fn counters(work: &Work, geometry: &GeometryRecorder<'_>) -> BTreeMap<String, u64> {
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
    let threads = rayon::current_num_threads();
    let timing = Timing::ending_now(record.seconds, BTreeMap::new(), threads);
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
