//! The times at which an integration is observed: `t_k = k step`, a product, never a sum.
//!
//! A product carries one rounding whatever `k` is, so that two runs on one grid record at the
//! same times to the last bit, however long each of them is.

use crate::error::IntegrationError;

/// More steps than this take longer than any machine runs, and stay exact as floating point.
const MOST_STEPS: f64 = 1e12;

/// Sets the times at which a solution is recorded: `k step` for every multiple k of `every`, and the horizon.
///
/// A horizon that is a multiple of `step` up to rounding is read as that multiple: the last time is then the product `N
/// step`. Otherwise the last step is shorter and ends at `horizon`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Grid {
    /// The spacing of the grid, above 0, in the unit of time of the field.
    pub step: f64,
    /// Record every this many grid times, 1 or more.
    pub every: usize,
    /// The time at which the integration ends, above 0.
    pub horizon: f64,
}

impl Grid {
    /// Returns the number N of steps up to the horizon; the last one may be shorter.
    ///
    /// # Errors
    /// [`IntegrationError`] for a step or horizon that is not positive and finite, `every = 0`, or more than `1e12` steps.
    pub fn steps(&self) -> Result<usize, IntegrationError> {
        Ok(Schedule::of_grid(self)?.steps)
    }

    /// Returns the time of grid index `index`, at most the horizon.
    ///
    /// # Errors
    /// As [`Grid::steps`].
    pub fn time(&self, index: usize) -> Result<f64, IntegrationError> {
        Ok(Schedule::of_grid(self)?.time(index))
    }
}

/// A checked sequence of equal steps with a last one that may be shorter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Schedule {
    step: f64,
    every: usize,
    steps: usize,
    last_time: f64,
    last_length: f64,
}

impl Schedule {
    pub(crate) fn of_grid(grid: &Grid) -> Result<Self, IntegrationError> {
        if grid.every == 0 {
            return Err(IntegrationError::ZeroInterval);
        }
        positive("grid step", grid.step)?;
        positive("horizon", grid.horizon)?;
        let (steps, is_multiple) = count(grid.step, grid.horizon)?;
        let last_time = if is_multiple { steps as f64 * grid.step } else { grid.horizon };
        Ok(Self::new(grid.step, grid.every, steps, is_multiple, last_time))
    }

    /// The internal steps of a method with a step of its own, up to exactly `last_time`.
    pub(crate) fn of_method(step: f64, last_time: f64) -> Result<Self, IntegrationError> {
        positive("step", step)?;
        let (steps, is_multiple) = count(step, last_time)?;
        Ok(Self::new(step, 1, steps, is_multiple, last_time))
    }

    fn new(step: f64, every: usize, steps: usize, is_multiple: bool, last_time: f64) -> Self {
        let last_length = if is_multiple { step } else { last_time - (steps - 1) as f64 * step };
        Self { step, every, steps, last_time, last_length }
    }

    /// The time of point `index`, at most the last time.
    pub(crate) fn time(&self, index: usize) -> f64 {
        if index >= self.steps { self.last_time } else { index as f64 * self.step }
    }

    /// The length of the step from point `index`: exactly `step` except perhaps for the last,
    /// not a difference of times, whose rounding would change from step to step.
    pub(crate) fn length(&self, index: usize) -> f64 {
        if index + 1 >= self.steps { self.last_length } else { self.step }
    }

    pub(crate) fn last_time(&self) -> f64 {
        self.last_time
    }

    pub(crate) fn steps(&self) -> usize {
        self.steps
    }

    /// The recorded point after `index`: the next multiple of `every`, or the last point.
    pub(crate) fn next_recorded(&self, index: usize) -> usize {
        if index >= self.steps {
            return index + 1;
        }
        index.saturating_add(self.every - index % self.every).min(self.steps)
    }

    /// The first grid point at or after `time`, the step number of an event.
    pub(crate) fn step_at_or_after(&self, time: f64) -> usize {
        let mut index = whole((time / self.step).ceil()).min(self.steps);
        // The quotient is rounded: settle on the products, which are the recorded times.
        while index > 0 && self.time(index - 1) >= time {
            index -= 1;
        }
        while index < self.steps && self.time(index) < time {
            index += 1;
        }
        index
    }
}

/// The number of steps, and whether the horizon is their multiple up to rounding.
fn count(step: f64, horizon: f64) -> Result<(usize, bool), IntegrationError> {
    let quotient = horizon / step;
    // Also true of a quotient that overflowed.
    if quotient > MOST_STEPS {
        return Err(IntegrationError::TooManySteps {
            horizon,
            step,
            steps: quotient,
            most: MOST_STEPS,
        });
    }
    let nearest = quotient.round();
    // `step`, `horizon` and their quotient each carry half a unit of rounding; twice that is
    // still a gap that no one means.
    let is_multiple = nearest >= 1.0 && (quotient - nearest).abs() <= 4.0 * f64::EPSILON * nearest;
    Ok(if is_multiple { (whole(nearest), true) } else { (whole(quotient.ceil()), false) })
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "callers pass whole numbers from 0 to about 1e12"
)]
fn whole(value: f64) -> usize {
    value as usize
}

fn positive(quantity: &'static str, value: f64) -> Result<(), IntegrationError> {
    if value > 0.0 && value.is_finite() {
        Ok(())
    } else {
        Err(IntegrationError::NotPositive { quantity, value })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::float_cmp, reason = "the promise is equality to the last bit")]

    use super::*;

    fn schedule(step: f64, every: usize, horizon: f64) -> Schedule {
        Schedule::of_grid(&Grid { step, every, horizon }).unwrap()
    }

    #[test]
    fn a_multiple_up_to_rounding_gets_no_sliver() {
        // 1.1/0.1 rounds to 11.000000000000002 and 0.6/0.2 to 2.9999999999999996.
        assert_eq!(schedule(0.1, 1, 1.1).steps(), 11);
        assert_eq!(schedule(0.2, 1, 0.6).steps(), 3);
        assert_eq!(schedule(0.01, 1, 5.0).steps(), 500);
        for (step, horizon) in [(0.1, 1.1), (0.2, 0.6), (0.01, 5.0)] {
            let grid = schedule(step, 1, horizon);
            assert_eq!(grid.last_time(), grid.steps() as f64 * step);
            assert_eq!(grid.length(grid.steps() - 1), step);
        }
    }

    #[test]
    fn a_horizon_between_grid_points_shortens_the_last_step() {
        let grid = schedule(0.25, 1, 1.1);
        assert_eq!((grid.steps(), grid.last_time()), (5, 1.1));
        assert_eq!(grid.length(4), 1.1 - 1.0);
        assert_eq!(schedule(1.0, 1, 0.3).steps(), 1);
    }

    #[test]
    fn recorded_points_are_multiples_and_the_last() {
        let grid = schedule(0.1, 4, 1.05);
        let mut recorded = vec![0];
        while *recorded.last().unwrap() < grid.steps() {
            recorded.push(grid.next_recorded(*recorded.last().unwrap()));
        }
        assert_eq!(recorded, [0, 4, 8, 11]);
    }

    #[test]
    fn step_numbers_follow_the_products_of_the_grid() {
        let grid = schedule(0.1, 1, 1.05);
        for index in 0..=grid.steps() {
            assert_eq!(grid.step_at_or_after(grid.time(index)), index);
            assert_eq!(
                grid.step_at_or_after(grid.time(index).next_up()),
                (index + 1).min(grid.steps())
            );
        }
    }

    #[test]
    fn impossible_grids_are_refused_with_their_numbers() {
        let refused = |step, every, horizon| Grid { step, every, horizon }.steps().unwrap_err();
        assert!(matches!(
            refused(0.0, 1, 1.0),
            IntegrationError::NotPositive { quantity: "grid step", .. }
        ));
        assert!(matches!(
            refused(0.1, 1, f64::INFINITY),
            IntegrationError::NotPositive { quantity: "horizon", .. }
        ));
        assert_eq!(refused(0.1, 0, 1.0), IntegrationError::ZeroInterval);
        assert!(matches!(refused(1e-300, 1, 1e300), IntegrationError::TooManySteps { .. }));
    }
}
