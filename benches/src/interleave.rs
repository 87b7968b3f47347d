//! Times of several sides, taken in turns: A, B, A, B, ..., medians of the rounds and of their ratios.
//!
//! A machine's speed drifts, by what else runs on it and by its temperature; two runs one after the
//! other compare their hours. Turns of some tens of milliseconds meet the same machine. Where it has two
//! speeds, the medians of two sides may still fall on one each: a ratio is therefore taken round by round.

use crate::case::{Case, Effort, Fallible, Schedule};

/// Batches last at least this long, so that the clock and the loop count for nothing.
fn batch_seconds(effort: Effort) -> f64 {
    effort.choose(0.01, 0.04)
}

/// A median of fewer rounds follows a single disturbance.
const LEAST_ROUNDS: usize = 5;

/// Rounds, and the seconds that a case may take before it gets fewer, but [`LEAST_ROUNDS`].
fn rounds_and_budget(effort: Effort) -> (usize, f64) {
    effort.choose((7, 0.4), (41, 30.0))
}

/// What a side took.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Taken {
    /// Seconds of one call, median of the rounds; of the whole for [`Schedule::Once`].
    pub seconds: f64,
    /// Over those of the first side, median of the rounds' ratios.
    pub over_first: f64,
}

/// One entry a side.
pub fn measure(case: &mut Case, effort: Effort) -> Fallible<Vec<Taken>> {
    let (calls, rounds) = match case.schedule {
        Schedule::Once { calls, rounds } => return once(case, calls, rounds),
        Schedule::Batches { calls } => {
            let warm = seconds_of_round(case, &vec![calls; case.sides.len()])?;
            (vec![calls; case.sides.len()], rounds_for(warm, effort))
        }
        Schedule::Calibrated => calibrate(case, effort)?,
    };
    let mut times = vec![Vec::with_capacity(rounds); case.sides.len()];
    for _ in 0..rounds {
        for ((side, calls), times) in case.sides.iter_mut().zip(&calls).zip(&mut times) {
            times.push((side.run)(*calls)? / *calls as f64);
        }
    }
    let first = times.first().cloned().unwrap_or_default();
    let taken = |times: Vec<f64>| {
        let ratios = times.iter().zip(&first).map(|(side, first)| side / first).collect();
        Taken { seconds: median(times), over_first: median(ratios) }
    };
    Ok(times.into_iter().map(taken).collect())
}

/// The totals of so many batches, in turns.
fn once(case: &mut Case, calls: usize, rounds: usize) -> Fallible<Vec<Taken>> {
    let mut totals = vec![0.0; case.sides.len()];
    for _ in 0..rounds {
        for (side, total) in case.sides.iter_mut().zip(&mut totals) {
            *total += (side.run)(calls)?;
        }
    }
    let first = totals.first().copied().unwrap_or(f64::NAN);
    Ok(totals.into_iter().map(|seconds| Taken { seconds, over_first: seconds / first }).collect())
}

/// Calls a batch for each side, and rounds; warms every side up.
fn calibrate(case: &mut Case, effort: Effort) -> Fallible<(Vec<usize>, usize)> {
    let mut counts = Vec::new();
    let mut round = 0.0;
    for side in &mut case.sides {
        let mut calls = 1;
        // The first call makes buffers.
        let mut seconds = (side.run)(1)?;
        if seconds < batch_seconds(effort) {
            seconds = (side.run)(1)?;
        }
        while seconds < batch_seconds(effort) {
            let factor = (1.2 * batch_seconds(effort) / seconds.max(1e-9)).clamp(1.5, 100.0);
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a positive number of calls far below 2^53"
            )]
            let more = (calls as f64 * factor).ceil() as usize;
            calls = more;
            seconds = (side.run)(calls)?;
        }
        counts.push(calls);
        round += seconds;
    }
    Ok((counts, rounds_for(round, effort)))
}

/// The seconds of one batch of every side.
fn seconds_of_round(case: &mut Case, calls: &[usize]) -> Fallible<f64> {
    let mut sum = 0.0;
    for (side, calls) in case.sides.iter_mut().zip(calls) {
        sum += (side.run)(*calls)?;
    }
    Ok(sum)
}

/// How many rounds of so many seconds.
fn rounds_for(round: f64, effort: Effort) -> usize {
    let (most, budget) = rounds_and_budget(effort);
    let affordable = |rounds: &usize| *rounds as f64 * round <= budget;
    (LEAST_ROUNDS..=most).rev().find(affordable).unwrap_or(LEAST_ROUNDS)
}

/// The median; the mean of the middle two for an even number.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.get(middle) {
        None => f64::NAN,
        Some(upper) if values.len() % 2 == 1 => *upper,
        Some(upper) => 0.5 * (upper + values[middle - 1]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::{Shape, Side};
    use std::cell::RefCell;
    use std::rc::Rc;

    /// Halves of small integers are exact.
    #[test]
    fn medians_of_odd_and_even_numbers() {
        assert!((median(vec![3.0, 1.0, 2.0]) - 2.0).abs() <= 0.0);
        assert!((median(vec![4.0, 1.0, 2.0, 3.0]) - 2.5).abs() <= 0.0);
        assert!(median(Vec::new()).is_nan());
    }

    /// The order of the batches is A, B, A, B: the method itself.
    #[test]
    fn sides_take_turns() -> Fallible<()> {
        let order = Rc::new(RefCell::new(String::new()));
        let side = |name: char, seconds: f64| {
            let order = Rc::clone(&order);
            Side {
                peer: None,
                operations: None,
                run: Box::new(move |calls| {
                    order.borrow_mut().push(name);
                    Ok(seconds * calls as f64)
                }),
                error: Box::new(|| Ok(None)),
                note: Box::new(String::new),
            }
        };
        let mut case = Case {
            question: "turns",
            variant: String::new(),
            shape: Shape::matrix(1, 1),
            schedule: Schedule::Once { calls: 2, rounds: 3 },
            sides: vec![side('A', 1.0), side('B', 0.5)],
        };
        let whole = |seconds, over_first| Taken { seconds, over_first };
        assert_eq!(measure(&mut case, Effort::Quick)?, [whole(6.0, 1.0), whole(3.0, 0.5)]);
        assert_eq!(*order.borrow(), "ABABAB");
        Ok(())
    }

    /// A machine that is slow in two rounds of five for one side and in three for the other: medians differ by
    /// its two speeds, ratios do not.
    #[test]
    fn ratios_are_taken_round_by_round() -> Fallible<()> {
        let side = |speeds: [f64; 5]| {
            // The first call warms up.
            let mut round = [1.0].into_iter().chain(speeds);
            Side {
                peer: None,
                operations: None,
                run: Box::new(move |_| Ok(round.next().unwrap_or(f64::NAN))),
                error: Box::new(|| Ok(None)),
                note: Box::new(String::new),
            }
        };
        let mut case = Case {
            question: "two speeds",
            variant: String::new(),
            shape: Shape::matrix(1, 1),
            schedule: Schedule::Batches { calls: 1 },
            sides: vec![side([1.0, 1.0, 1.0, 2.0, 2.0]), side([3.0, 3.0, 6.0, 6.0, 6.0])],
        };
        let taken = measure(&mut case, Effort::Quick)?;
        assert_eq!(taken[1], Taken { seconds: 6.0, over_first: 3.0 });
        assert_eq!(taken[0].seconds.to_bits(), 1.0_f64.to_bits());
        Ok(())
    }
}
