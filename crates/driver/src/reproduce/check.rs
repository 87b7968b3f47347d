//! The check: a reproduction against the reference results that are committed with the source.
//!
//! The reference holds, a run, the trace at a few times, and the fraction of seeds on which each claim
//! holds. Runs at alpha = 1/8 by Euler are compared by their claims only: they are chaotic.

use std::collections::BTreeMap;
use std::path::Path;

use gaussflow_records::{Claim, RecordError, TraceRow, read_json, write_json};
use serde::{Deserialize, Serialize};

use super::plan::{COLLAPSING, Method};
use super::results::{Finished, Results};
use crate::config::DynamicsSettings;

/// The committed reference.
const REFERENCE: &str = include_str!("../../reference/reference.json");

/// Times at which traces are compared, where they are recorded.
const TIMES: [f64; 6] = [0.0, 0.05, 0.5, 1.0, 2.0, 5.0];

/// A column of the trace: its name and how it is read.
type Quantity = (&'static str, fn(&TraceRow) -> f64);

/// The quantities that are compared.
const QUANTITIES: [Quantity; 4] = [
    ("loss", |row| row.loss),
    ("deviation", |row| row.deviation),
    ("riemannian_gradient_norm", |row| row.riemannian_gradient_norm),
    ("gram_min_eigenvalue", |row| row.gram_min_eigenvalue),
];

/// Reference results, kept sorted so that a new reference differs only where results do.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Reference {
    /// Fractions of seeds on which each claim holds, by mode.
    claims: BTreeMap<String, BTreeMap<String, f64>>,
    /// Values by run, then by `quantity at t = time`.
    runs: BTreeMap<String, BTreeMap<String, f64>>,
}

/// One value that moved.
#[derive(Debug, PartialEq)]
pub struct Moved {
    /// Which value.
    pub what: String,
    /// What the reference says.
    pub reference: f64,
    /// What was found.
    pub found: f64,
    /// The relative tolerance.
    pub tolerance: f64,
}

/// The relative tolerance of a method's values at a time.
///
/// Between processors the order of rounding differs. What that does to a trajectory was measured by
/// solving every step through the SVD instead of the QR (ARCHITECTURE.md, "The check"): at most
/// 2e-12 until t = 2 and 8e-10 until t = 5 by Euler, 6e-12 and 9e-9 by the adaptive integrator. The
/// tolerances leave two decades above it. The stiff integrator decides by thresholds on Newton's
/// iteration, where rounding can turn a step: there the bound is what its own tolerance does.
pub fn tolerance(method: Method, time: f64) -> f64 {
    match method {
        Method::GaussNewton | Method::LevenbergMarquardt if time <= 2.0 => 1e-9,
        Method::GaussNewton | Method::LevenbergMarquardt => 1e-7,
        Method::GaussNewtonAdaptive if time <= 2.0 => 1e-8,
        Method::GaussNewtonAdaptive => 1e-6,
        Method::Gradient => 1e-5,
        // Unstable by construction: rounding grows until tanh saturates.
        Method::GradientEuler if time <= 0.05 => 1e-7,
        Method::GradientEuler => f64::INFINITY,
    }
}

impl Reference {
    /// The committed reference.
    pub fn committed() -> Result<Self, serde_json::Error> {
        serde_json::from_str(REFERENCE)
    }

    /// What `results` and `claims` compare equal to.
    fn of(results: &Results, claims: &[Claim]) -> Self {
        let mut reference = Self::default();
        if results.seeds == results.mode.seeds() {
            let fractions = claims.iter().map(|claim| (claim.id.clone(), claim.holds_fraction));
            reference.claims.insert(results.mode.name().to_owned(), fractions.collect());
        }
        for run in &results.runs {
            let values = comparable(run).map(|(what, value, _)| (what, value)).collect();
            reference.runs.insert(run.id.clone(), values);
        }
        reference
    }

    /// Writes the reference values of `results` to `path`, kept together with what is there.
    pub fn write(path: &Path, results: &Results, claims: &[Claim]) -> Result<(), RecordError> {
        let mut merged: Self = if path.exists() { read_json(path)? } else { Self::default() };
        let Self { claims, runs } = Self::of(results, claims);
        merged.claims.extend(claims);
        for (id, values) in runs {
            merged.runs.entry(id).or_default().extend(values);
        }
        write_json(path, &merged)
    }

    /// Compares; returns what moved and how many values were compared.
    pub fn compare(&self, results: &Results, claims: &[Claim]) -> (Vec<Moved>, usize) {
        let (mut moved, mut compared) = (Vec::new(), 0);
        let mut compare = |what: String, reference: f64, found: f64, tolerance: f64| {
            compared += 1;
            let gap = (found - reference).abs();
            // A NaN on either side is a difference, too.
            if !(gap <= tolerance * reference.abs() || found.total_cmp(&reference).is_eq()) {
                moved.push(Moved { what, reference, found, tolerance });
            }
        };
        for run in &results.runs {
            let Some(reference) = self.runs.get(&run.id) else { continue };
            for (what, found, tolerance) in comparable(run) {
                if let Some(&reference) = reference.get(&what) {
                    compare(format!("{}: {what}", run.id), reference, found, tolerance);
                }
            }
        }
        if results.seeds == results.mode.seeds()
            && let Some(reference) = self.claims.get(results.mode.name())
        {
            for claim in claims {
                if let Some(&reference) = reference.get(&claim.id) {
                    let what = format!("{}: fraction of seeds", claim.id);
                    compare(what, reference, claim.holds_fraction, 0.0);
                }
            }
        }
        (moved, compared)
    }
}

/// What rounding does to the smallest eigenvalue of `J^T J`, relative to it: sigma_min carries a modest
/// multiple of `eps sigma_max`, so that a collapsed one is noise.
fn eigenvalue_rounding(row: &TraceRow) -> f64 {
    let largest = row.gram_max_eigenvalue.unwrap_or(0.0);
    if row.gram_min_eigenvalue <= 0.0 {
        return 0.0;
    }
    let relative = 16.0 * f64::EPSILON * (largest / row.gram_min_eigenvalue).sqrt();
    2.0 * relative + relative * relative
}

/// What one rounding of each entry of J does to the norm of `P grad g`, relative to it.
///
/// It turns the range of J, and with it P, by `eps sigma_max / sigma` at most, sigma the smallest singular
/// value above the cutoff: `norm(grad g) / norm(P grad g)` times that is the bound. Measured near lost
/// rank, it is some 300 times smaller (ARCHITECTURE.md, "The check").
fn projection_rounding(row: &TraceRow, rank_cutoff: f64) -> f64 {
    let tangent = row.riemannian_gradient_norm;
    let (Some(largest), Some(normal)) = (row.gram_max_eigenvalue, row.normal_gradient_norm) else {
        return 0.0;
    };
    if !(tangent > 0.0 && largest > 0.0) {
        return 0.0;
    }
    let ratio = (row.gram_min_eigenvalue.max(0.0) / largest).sqrt();
    f64::EPSILON / ratio.max(rank_cutoff) * (normal / tangent).hypot(1.0)
}

/// The values of a run that are compared, with their tolerances.
fn comparable(run: &Finished) -> impl Iterator<Item = (String, f64, f64)> {
    let chaotic = run.method == Method::GaussNewton && run.scaling.total_cmp(&COLLAPSING).is_eq();
    let last = if chaotic { 0.0 } else { f64::INFINITY };
    // The plan leaves the cutoff at its default.
    let rank_cutoff = DynamicsSettings::default().rank_cutoff;
    let rows = run.trace.iter().filter(move |row| {
        row.time <= last && TIMES.iter().any(|time| (row.time - time).abs() < 1e-9)
    });
    rows.flat_map(move |row| {
        let tolerance = tolerance(run.method, row.time);
        QUANTITIES.iter().map(move |(name, read)| {
            let rounding = match *name {
                "gram_min_eigenvalue" => eigenvalue_rounding(row),
                "riemannian_gradient_norm" => projection_rounding(row, rank_cutoff),
                _ => 0.0,
            };
            // A deviation of 0 at t = 0 is compared as it is.
            (format!("{name} at t = {}", row.time), read(row), tolerance + rounding)
        })
    })
    .filter(|(_, _, tolerance)| tolerance.is_finite())
    .chain(
        run.rank_lost()
            .filter(|_| run.method == Method::GaussNewtonAdaptive)
            .map(|event| ("time of lost rank".to_owned(), event.time, tolerance(run.method, 0.0))),
    )
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::reproduce::Mode;
    use crate::reproduce::baselines::Baselines;
    use gaussflow_records::{Numbers, Outcome, Status, StopReason};

    /// One run with rows at t = 0 and 1, and one claim.
    fn results() -> (Results, Vec<Claim>) {
        let row = |time: f64| TraceRow {
            time,
            loss: 100.0 - 50.0 * time,
            deviation: time,
            riemannian_gradient_norm: 3.0,
            gram_min_eigenvalue: 0.25,
            ..TraceRow::default()
        };
        let outcome = Outcome {
            status: Status::Completed,
            stop_reason: StopReason::Horizon,
            events: Vec::new(),
            exit_time: None,
            final_time: 1.0,
            final_weights: Numbers::List(Vec::new()),
            final_loss: 50.0,
            counters: BTreeMap::new(),
            classes: None,
            error: None,
            files: BTreeMap::new(),
        };
        let run = Finished {
            id: "gauss-newton-alpha_8-seed_0".to_owned(),
            method: Method::GaussNewton,
            scaling: 8.0,
            seed: 0,
            trace: vec![row(0.0), row(1.0)],
            outcome,
            constants: None,
            rows: 1,
            seconds: 0.0,
        };
        let claim = Claim {
            id: "experiment/full-rank".to_owned(),
            predicate: String::new(),
            threshold: None,
            holds_fraction: 1.0,
            per_seed: Vec::new(),
            note: String::new(),
        };
        {
            let (mode, network) = (Mode::Quick, String::new());
            let (seeds, runs, baselines) = (mode.seeds(), vec![run], Baselines::default());
            (Results { mode, seeds, network, runs, baselines }, vec![claim])
        }
    }

    #[test]
    fn results_agree_with_their_own_reference() {
        let (results, claims) = results();
        let (moved, compared) = Reference::of(&results, &claims).compare(&results, &claims);
        assert_eq!((moved.len(), compared), (0, 2 * QUANTITIES.len() + 1));
    }

    #[test]
    fn what_moved_is_named_and_nothing_else() {
        let (mut results, mut claims) = results();
        let reference = Reference::of(&results, &claims);
        // Within the tolerance, beyond it, not a number, off zero, and a claim.
        results.runs[0].trace[1].gram_min_eigenvalue *=
            1.0 + 0.5 * tolerance(Method::GaussNewton, 1.0);
        results.runs[0].trace[1].loss *= 1.0 + 2.0 * tolerance(Method::GaussNewton, 1.0);
        results.runs[0].trace[1].riemannian_gradient_norm = f64::NAN;
        results.runs[0].trace[0].deviation = 1e-300;
        claims[0].holds_fraction = 0.5;
        let (moved, _) = reference.compare(&results, &claims);
        let named: Vec<&str> = moved.iter().map(|value| value.what.as_str()).collect();
        assert_eq!(
            named,
            [
                "gauss-newton-alpha_8-seed_0: deviation at t = 0",
                "gauss-newton-alpha_8-seed_0: loss at t = 1",
                "gauss-newton-alpha_8-seed_0: riemannian_gradient_norm at t = 1",
                "experiment/full-rank: fraction of seeds",
            ]
        );
    }

    /// A smallest eigenvalue that is rounding of the largest may be any rounding; one that is not, may not.
    #[test]
    fn a_collapsed_eigenvalue_is_compared_as_noise() {
        let row = |smallest: f64| TraceRow {
            gram_min_eigenvalue: smallest,
            gram_max_eigenvalue: Some(300.0),
            ..TraceRow::default()
        };
        assert!(eigenvalue_rounding(&row(1e-26)) > 0.1);
        assert!(eigenvalue_rounding(&row(0.01)) < 1e-11);
        assert!(eigenvalue_rounding(&row(0.0)) <= 0.0);
    }

    /// Where J keeps its rank, the projection is compared as sharply as all else.
    #[test]
    fn a_projection_near_lost_rank_is_compared_as_its_range_allows() {
        let row = |smallest: f64| TraceRow {
            riemannian_gradient_norm: 3.0,
            normal_gradient_norm: Some(4.0),
            gram_min_eigenvalue: smallest * smallest,
            gram_max_eigenvalue: Some(4.0),
            ..TraceRow::default()
        };
        let of = |smallest: f64| projection_rounding(&row(smallest), 1e-14) / f64::EPSILON;
        assert!((of(2e-4) - 1e4 * 5.0 / 3.0).abs() < 1e-8);
        // Below the cutoff, the cutoff counts.
        assert!((of(1e-20) - 1e14 * 5.0 / 3.0).abs() < 10.0);
    }

    #[test]
    fn the_committed_reference_holds_every_planned_run() {
        let reference = Reference::committed().unwrap();
        for mode in [Mode::Quick, Mode::Full] {
            assert!(reference.claims.contains_key(mode.name()));
            for planned in crate::reproduce::plan::plan(mode, mode.seeds()) {
                let id = crate::run::Experiment::id(&planned.config);
                assert!(reference.runs.get(&id).is_some_and(|values| values.len() >= 4), "{id}");
            }
        }
    }
}
