//! The traces of single runs for the choice of a seed: at most 75 points each, with the times shared between runs.

use std::collections::BTreeMap;

use gaussflow_records::TraceRow;
use serde_json::{Value, json};

use super::super::folder::Run;
use super::super::groups::Group;
use super::{Quantity, column};

/// Values of all single runs together: at most 11 bytes each, so 0.9 MB; commonly 0.5 MB.
const MOST_VALUES: usize = 82_000;
/// Points of one run.
const MOST_OF_A_RUN: usize = 75;
/// Fewer points than these tell little: the last seeds are left out rather than the curves made coarser.
const LEAST_OF_A_RUN: usize = 30;

/// The single runs of every chart.
#[derive(Debug, Default)]
pub struct SingleRuns {
    /// Grids of times that the runs refer to by number.
    pub times: Vec<Vec<f64>>,
    /// The seeds that a reader may choose, ascending; empty where no group has two.
    pub seeds: Vec<u64>,
    /// Seeds of the folder, chosen or not.
    pub found: usize,
    /// Points of a run, at most.
    pub limit: usize,
}

impl SingleRuns {
    /// Decides which seeds have room among `curves` groups times quantities.
    pub fn of(groups: &[Group<'_>], quantities: usize) -> Self {
        let mut runs_of: BTreeMap<u64, usize> = BTreeMap::new();
        for run in groups.iter().flat_map(|group| &group.runs) {
            if let Some(seed) = seed(run) {
                *runs_of.entry(seed).or_default() += 1;
            }
        }
        let found = runs_of.len();
        let (mut seeds, mut curves) = (Vec::new(), 0);
        if groups.iter().any(|group| group.runs.len() > 1) {
            for (seed, runs) in runs_of {
                if (curves + runs * quantities) * LEAST_OF_A_RUN > MOST_VALUES {
                    break;
                }
                curves += runs * quantities;
                seeds.push(seed);
            }
        }
        let limit = (MOST_VALUES / curves.max(1)).min(MOST_OF_A_RUN);
        Self { times: Vec::new(), seeds, found, limit }
    }

    /// The runs of a group in one quantity as JSON: seed, number of the grid, values, and the end where it is not on the grid.
    ///
    /// A group of one run has none: its curve is the run itself.
    pub fn series(&mut self, place: usize, group: &Group<'_>, quantity: &Quantity) -> Vec<Value> {
        if group.runs.len() < 2 {
            return Vec::new();
        }
        let recorded: Vec<(u64, Vec<(f64, f64)>)> = group
            .runs
            .iter()
            .filter_map(|run| Some((seed(run)?, points(run, quantity.read))))
            .filter(|(seed, points)| self.seeds.contains(seed) && !points.is_empty())
            .collect();
        let longest = recorded.iter().map(|(_, points)| points.len()).max().unwrap_or(0);
        let kept = places(longest, self.limit);
        let mut entry = |(seed, points): &(u64, Vec<(f64, f64)>)| {
            let on_grid: Vec<(f64, f64)> =
                kept.iter().filter_map(|&place| points.get(place)).copied().collect();
            // The end of a run that stopped early lies between the times of the others.
            let end = points.last().filter(|last| on_grid.last() != Some(*last)).copied();
            let (times, values): (Vec<f64>, Vec<f64>) = on_grid.into_iter().unzip();
            let mut entry = json!({"group": place, "seed": seed, "grid": self.grid(&times), "y": column(&values, 4)});
            if let Some((time, value)) = end {
                entry["end"] = Value::from([column(&[time], 8), column(&[value], 4)].concat());
            }
            entry
        };
        recorded.iter().map(&mut entry).collect()
    }

    /// The number of a grid that begins with `times`; a new one where there is none.
    fn grid(&mut self, times: &[f64]) -> usize {
        let known = self.times.iter().position(|grid| grid.starts_with(times));
        known.unwrap_or_else(|| {
            self.times.push(times.to_vec());
            self.times.len() - 1
        })
    }
}

/// The seeds of a group's runs, in their order.
pub fn seeds(group: &Group<'_>) -> Vec<u64> {
    group.runs.iter().filter_map(|run| seed(run)).collect()
}

/// The seed that a run was configured with, or that ends its name.
fn seed(run: &Run) -> Option<u64> {
    let configured = run.settings.as_ref().and_then(|settings| settings.get("dynamics.seed"));
    let named = || run.id.rsplit_once("-seed_").map(|(_, seed)| seed);
    configured.map(String::as_str).or_else(named)?.parse().ok()
}

/// Times and values that are finite.
fn points(run: &Run, read: fn(&TraceRow) -> Option<f64>) -> Vec<(f64, f64)> {
    let point = |row: &TraceRow| Some((row.time, read(row)?));
    let finite = |point: &(f64, f64)| point.0.is_finite() && point.1.is_finite();
    run.trace.iter().filter_map(point).filter(finite).collect()
}

/// At most `limit` of `0..length`: both ends, a quarter of them denser towards the start where flows are fastest.
fn places(length: usize, limit: usize) -> Vec<usize> {
    if length <= limit.max(2) {
        return (0..length).collect();
    }
    let (early, even) = (limit / 4, limit - limit / 4);
    // Successive places 1, 2, 3, 4, 6, 8, 11, ...: a factor of the square root of two each, at least one further.
    let mut place = 0;
    let mut kept = vec![0];
    for _ in 1..early.max(1) {
        place = (place + 1).max(place * 181 / 128);
        kept.push(place.min(length - 1));
    }
    kept.extend((0..even).map(|step| step * (length - 1) / (even - 1).max(1)));
    kept.sort_unstable();
    kept.dedup();
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_keep_both_ends_within_the_limit() {
        for (length, limit) in [(0, 40), (1, 40), (40, 40), (41, 40), (502, 57), (100_000, 90)] {
            let kept = places(length, limit);
            assert!(kept.len() <= limit, "{length} {limit}: {}", kept.len());
            assert!(kept.windows(2).all(|pair| pair[0] < pair[1]));
            assert_eq!(kept.first().copied(), (length > 0).then_some(0));
            assert_eq!(kept.last().copied(), length.checked_sub(1));
        }
        // Denser at the start.
        assert_eq!(places(502, 57)[..6], [0, 1, 2, 3, 4, 5]);
    }
}
