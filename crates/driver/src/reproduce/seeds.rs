//! Curves over seeds: at each recorded time the median of the runs, and the band from their first to their third quartile.

use gaussflow_figures::{Band, Series};
use gaussflow_records::TraceRow;

use super::results::Finished;
use crate::quantile::quantile;

/// The curve of a value over time: of one run its own, of several the median with the middle half as a band.
///
/// A value that is not a number is left out. A time is shown where more than half of the runs have a value, so that
/// the curve of runs that end, or that are cut, ends where half of them have.
pub fn curve(runs: &[&Finished], value: impl Fn(&Finished, &TraceRow) -> f64) -> Series {
    let mut found = Series::default();
    let mut band = Band::default();
    let Some(longest) = runs.iter().max_by_key(|run| run.trace.len()) else { return found };
    for (step, row) in longest.trace.iter().enumerate() {
        let mut values: Vec<f64> =
            runs.iter().filter_map(|run| Some(value(run, at(run, step, row.time)?))).collect();
        values.retain(|value| !value.is_nan());
        if 2 * values.len() <= runs.len() {
            continue;
        }
        values.sort_by(f64::total_cmp);
        found.x.push(row.time);
        found.y.push(quantile(&values, 0.5));
        band.lower.push(quantile(&values, 0.25));
        band.upper.push(quantile(&values, 0.75));
    }
    found.band = (runs.len() > 1).then_some(band);
    found
}

/// The row of a run that was recorded at a time: all runs record the same times until one ends.
fn at(run: &Finished, step: usize, time: f64) -> Option<&TraceRow> {
    run.trace.get(step).filter(|row| (row.time - time).abs() <= 1e-9 * time.abs().max(1e-9))
}

/// The same without times up to 0, which a logarithmic axis has no place for.
#[must_use]
pub fn after_start(mut series: Series) -> Series {
    let first = series.x.iter().position(|time| *time > 0.0).unwrap_or(series.x.len());
    series.x.drain(..first);
    series.y.drain(..first);
    if let Some(band) = &mut series.band {
        band.lower.drain(..first);
        band.upper.drain(..first);
    }
    series
}

/// The median; NaN of none. Values that are not numbers are left out.
pub fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.filter(|value| !value.is_nan()).collect();
    values.sort_by(f64::total_cmp);
    quantile(&values, 0.5)
}

/// What line and band are, for a subtitle.
pub fn words(seeds: u64) -> String {
    match seeds {
        0 | 1 => "line: seed 0, the only one".to_owned(),
        2 => "line: mean of 2 seeds; band: middle half between them".to_owned(),
        _ => format!("line: median of {seeds} seeds; band: middle half of them (25 % to 75 %)"),
    }
}

#[cfg(test)]
pub(in crate::reproduce) mod tests {
    use super::*;
    use crate::reproduce::plan::Method;
    use std::collections::BTreeMap;

    use gaussflow_records::{Numbers, Outcome, Status, StopReason};

    /// A run with these losses at times 0, 1, 2, ...
    pub fn run(seed: u64, losses: &[f64]) -> Finished {
        let row = |(step, loss): (usize, &f64)| TraceRow {
            step: step as u64,
            time: step as f64,
            loss: *loss,
            ..TraceRow::default()
        };
        let outcome = Outcome {
            status: Status::Completed,
            stop_reason: StopReason::Horizon,
            events: Vec::new(),
            exit_time: None,
            final_time: 1.0,
            final_weights: Numbers::List(Vec::new()),
            final_loss: 1.0,
            counters: BTreeMap::new(),
            classes: None,
            error: None,
            files: BTreeMap::new(),
        };
        Finished {
            id: format!("run {seed}"),
            method: Method::GaussNewton,
            scaling: 8.0,
            seed,
            trace: losses.iter().enumerate().map(row).collect(),
            outcome,
            constants: None,
            rows: 1,
            seconds: 0.0,
        }
    }

    /// Values 1, 2, 4, 8, 16 at time 1: median 4 and quartiles 2 and 8 (numpy's), whatever the order of the runs.
    #[test]
    fn the_band_goes_from_quartile_to_quartile() {
        let runs: Vec<Finished> = [8.0, 1.0, 16.0, 2.0, 4.0]
            .iter()
            .enumerate()
            .map(|(seed, loss)| run(seed as u64, &[1.0, *loss]))
            .collect();
        let found = curve(&runs.iter().collect::<Vec<_>>(), |_, row| row.loss);
        assert_eq!((found.x, found.y), (vec![0.0, 1.0], vec![1.0, 4.0]));
        let band = found.band.unwrap();
        assert_eq!((band.lower[1], band.upper[1]), (2.0, 8.0));
    }

    #[test]
    fn one_run_is_its_own_curve_and_has_no_band() {
        let only = run(0, &[3.0, f64::NAN, 1.0]);
        let found = curve(&[&only], |_, row| row.loss);
        assert_eq!((found.x, found.y), (vec![0.0, 2.0], vec![3.0, 1.0]));
        assert!(found.band.is_none());
    }

    /// Of three runs one ends early and one has no value at the end: the curve ends where one of three is left.
    #[test]
    fn a_curve_ends_with_half_of_its_runs() {
        let runs = [run(0, &[1.0, 1.0, 5.0]), run(1, &[2.0, 2.0, f64::NAN]), run(2, &[3.0])];
        let found = curve(&runs.iter().collect::<Vec<_>>(), |_, row| row.loss);
        assert_eq!((found.x, found.y), (vec![0.0, 1.0], vec![2.0, 1.5]));
        assert!(curve(&[], |_, row| row.loss).x.is_empty());
    }

    #[test]
    fn a_logarithmic_axis_gets_no_start() {
        let runs = [run(0, &[1.0, 2.0]), run(1, &[1.0, 4.0])];
        let found = after_start(curve(&runs.iter().collect::<Vec<_>>(), |_, row| row.loss));
        assert_eq!((found.x, found.y), (vec![1.0], vec![3.0]));
        assert_eq!(found.band.unwrap().lower, [2.5]);
    }
}
