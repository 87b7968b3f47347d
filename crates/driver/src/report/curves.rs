//! A group's traces as one curve: median and quartiles over its runs, thinned so that a page stays small.

use gaussflow_records::TraceRow;

use super::folder::Run;
use crate::quantile::quantile;

/// Median and quartiles over runs, at times of the longest trace.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Curve {
    /// Ascending.
    pub time: Vec<f64>,
    /// The median of the runs that have a value there; the value itself of one run.
    pub median: Vec<f64>,
    /// The first quartile: a quarter of the runs lies below.
    pub lower: Vec<f64>,
    /// The third quartile: a quarter of the runs lies above.
    pub upper: Vec<f64>,
    /// The last time at which each run with any value has one, ascending.
    pub ends: Vec<f64>,
    /// How many points the whole curve had.
    pub recorded: usize,
}

impl Curve {
    /// The curve of `read` over `runs`.
    ///
    /// Runs are compared at times that agree to the bit: those of a group share their grid, and the
    /// located end of a run that stops early is a time of its own. A time counts where every run that
    /// still has values from there on has one: a median never jumps because one run is measured more often.
    pub fn of(runs: &[&Run], read: impl Fn(&TraceRow) -> Option<f64>) -> Self {
        let value = |row: &TraceRow| read(row).filter(|value| value.is_finite());
        let traces: Vec<&[TraceRow]> = runs.iter().map(|run| run.trace.as_slice()).collect();
        // The first of the longest, so that the order of the manifest decides.
        let Some(longest) = traces.iter().rev().max_by_key(|trace| trace.len()) else {
            return Self::default();
        };
        let last = |trace: &&[TraceRow]| {
            let row = trace.iter().rev().find(|row| value(row).is_some());
            row.map_or(f64::NEG_INFINITY, |row| row.time)
        };
        let ends: Vec<f64> = traces.iter().map(last).collect();
        let mut places = vec![0; traces.len()];
        let mut curve = Self::default();
        let mut values = Vec::with_capacity(traces.len());
        for row in longest.iter().filter(|row| row.time.is_finite()) {
            values.clear();
            for (trace, place) in traces.iter().zip(&mut places) {
                while trace.get(*place).is_some_and(|other| other.time < row.time) {
                    *place += 1;
                }
                let same =
                    trace.get(*place).filter(|other| other.time.total_cmp(&row.time).is_eq());
                values.extend(same.and_then(value));
            }
            values.sort_by(f64::total_cmp);
            let going_on = ends.iter().filter(|&&end| end >= row.time).count();
            if !values.is_empty() && values.len() == going_on {
                curve.time.push(row.time);
                curve.median.push(quantile(&values, 0.5));
                curve.lower.push(quantile(&values, 0.25));
                curve.upper.push(quantile(&values, 0.75));
            }
        }
        curve.recorded = curve.time.len();
        curve.ends = ends.into_iter().filter(|end| end.is_finite()).collect();
        curve.ends.sort_by(f64::total_cmp);
        curve
    }

    /// At most `limit` points (at least 4): the first, the last, and of every stretch of equally many
    /// points the least and the greatest median. Nothing random, and no peak is lost.
    #[must_use]
    pub fn thinned(self, limit: usize) -> Self {
        let length = self.time.len();
        let stretches = limit.max(4) / 2 - 1;
        if length <= limit.max(4) {
            return self;
        }
        let mut kept = vec![0];
        for stretch in 0..stretches {
            // Of the points between the ends.
            let begin = 1 + stretch * (length - 2) / stretches;
            let end = 1 + (stretch + 1) * (length - 2) / stretches;
            let order = |a: &usize, b: &usize| self.median[*a].total_cmp(&self.median[*b]);
            let pair = [(begin..end).min_by(order), (begin..end).max_by(order)];
            kept.extend(pair.into_iter().flatten());
        }
        kept.push(length - 1);
        kept.sort_unstable();
        kept.dedup();
        let take = |column: &[f64]| kept.iter().map(|&place| column[place]).collect();
        Self {
            time: take(&self.time),
            median: take(&self.median),
            lower: take(&self.lower),
            upper: take(&self.upper),
            ends: self.ends.clone(),
            recorded: self.recorded,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(points: &[(f64, f64)]) -> Run {
        let row = |&(time, loss): &(f64, f64)| TraceRow { time, loss, ..TraceRow::default() };
        Run { trace: points.iter().map(row).collect(), ..Run::default() }
    }

    #[test]
    fn median_and_quartiles_are_over_the_runs_that_go_on() {
        let runs = [
            run(&[(0.0, 1.0), (0.1, 5.0), (0.2, 4.0), (0.3, 6.0)]),
            run(&[(0.0, 3.0), (0.07, 9.0)]),
            // Measured at every second row: the first row between counts for nobody.
            run(&[(0.0, 8.0), (0.1, f64::NAN), (0.2, 2.0)]),
        ];
        let runs: Vec<&Run> = runs.iter().collect();
        let curve = Curve::of(&runs, |row| Some(row.loss));
        assert_eq!(curve.time, [0.0, 0.2, 0.3]);
        assert_eq!(curve.median, [3.0, 3.0, 6.0]);
        assert_eq!(curve.lower, [2.0, 2.5, 6.0]);
        assert_eq!(curve.upper, [5.5, 3.5, 6.0]);
        assert_eq!(curve.ends, [0.07, 0.2, 0.3]);
        assert_eq!(Curve::of(&runs, |_| None).recorded, 0);
        assert_eq!(Curve::of(&[], |row| Some(row.loss)), Curve::default());
    }

    #[test]
    fn thinning_keeps_ends_and_peaks_within_the_limit() {
        let points: Vec<(f64, f64)> = (0..10_000)
            .map(|k| (f64::from(k), if k == 4321 { 100.0 } else { (0.01 * f64::from(k)).sin() }))
            .collect();
        let whole = run(&points);
        let curve = Curve::of(&[&whole], |row| Some(row.loss));
        for limit in [4, 5, 50, 400] {
            let thin = curve.clone().thinned(limit);
            assert!(
                thin.time.len() <= limit && thin.time.len() >= 4,
                "{limit}: {}",
                thin.time.len()
            );
            assert_eq!((thin.time[0], thin.time[thin.time.len() - 1]), (0.0, 9999.0));
            assert!(thin.time.windows(2).all(|pair| pair[0] < pair[1]));
            assert!(thin.median.contains(&100.0));
            assert_eq!(thin.recorded, 10_000);
        }
        assert_eq!(curve.clone().thinned(10_000), curve);
    }
}
