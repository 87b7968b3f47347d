//! Checkpoints: states at grid points from which a run goes on to the same bits.
//!
//! The flow of equation (1) does not depend on time, so that a run in pieces is a sequence of
//! integrations from time 0, each on its own part of the grid. At a checkpoint every run, resumed or
//! not, starts integrator, factors and spectrum anew: nothing but the [`Checkpoint`] passes over.

use gaussflow_integrators::{Grid, IntegrationError};

use crate::events::EventRecord;

/// Holds everything that a run needs to continue from step `step`.
///
/// A run hands it to [`Observer::checkpoint`](crate::Observer::checkpoint); [`resume`](crate::resume) continues from it.
/// Caches (factors, integrator, spectrum) are not part of it: every run, resumed or not, rebuilds them at each checkpoint.
#[derive(Clone, Debug, PartialEq)]
pub struct Checkpoint {
    /// The number of the step; a multiple of [`Settings::checkpoint_every`](crate::Settings::checkpoint_every) where that is set.
    pub step: usize,
    /// The weights w at that step (length p).
    pub weights: Vec<f64>,
    /// The largest singular value of the Jacobian at w_0, relative to which rank is judged.
    pub rank_scale: f64,
    /// The norm of the Riemannian gradient at w_0; `None` unless the run watches
    /// [`Settings::stationary_fraction`](crate::Settings::stationary_fraction).
    pub stationary_reference: Option<f64>,
    /// The events so far, in the order of their times.
    pub events: Vec<EventRecord>,
}

/// The part of a run's grid between two checkpoints.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Piece {
    whole: Grid,
    /// Steps of the whole grid.
    steps: usize,
    /// First grid point.
    begin: usize,
    /// Last grid point.
    end: usize,
}

impl Piece {
    /// From grid point `begin` to the next multiple of `interval` (0: to the end).
    pub(crate) fn new(
        whole: Grid,
        begin: usize,
        interval: usize,
    ) -> Result<Self, IntegrationError> {
        let steps = whole.steps()?;
        let end = match interval {
            0 => steps,
            interval => (begin - begin % interval).saturating_add(interval).min(steps),
        };
        Ok(Self { whole, steps, begin, end })
    }

    /// Whether the run ends with this piece.
    pub(crate) fn is_last(&self) -> bool {
        self.end >= self.steps
    }

    /// Whether the run begins with it.
    pub(crate) fn is_first(&self) -> bool {
        self.begin == 0
    }

    /// The last grid point.
    pub(crate) fn end(&self) -> usize {
        self.end
    }

    /// The piece as a grid of its own, from time 0.
    pub(crate) fn grid(&self) -> Result<Grid, IntegrationError> {
        if self.is_first() && self.is_last() {
            return Ok(self.whole);
        }
        let Grid { step, horizon, .. } = self.whole;
        // A last step that is shorter stays so; a whole number of steps is a product of the step.
        let is_whole = !self.is_last() || self.whole.time(self.steps)? >= self.steps as f64 * step;
        let horizon = if is_whole {
            (self.end - self.begin) as f64 * step
        } else {
            horizon - self.whole.time(self.begin)?
        };
        Ok(Grid { horizon, ..self.whole })
    }

    /// Step and time on the whole grid of the piece's step `step`.
    pub(crate) fn place(&self, step: usize) -> Result<(usize, f64), IntegrationError> {
        let step = self.begin + step;
        Ok((step, self.whole.time(step)?))
    }

    /// The time of the run at the piece's time `time`.
    pub(crate) fn time(&self, time: f64) -> Result<f64, IntegrationError> {
        Ok(if self.is_first() { time } else { self.whole.time(self.begin)? + time })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::float_cmp, reason = "the promise is equality to the last bit")]

    use super::*;

    #[test]
    fn pieces_cover_the_grid_and_end_where_it_ends() {
        for (step, horizon, interval) in [(0.1, 1.0, 3), (0.25, 1.1, 2), (0.01, 5.0, 500)] {
            let whole = Grid { step, every: 1, horizon };
            let mut begin = 0;
            loop {
                let piece = Piece::new(whole, begin, interval).unwrap();
                let grid = piece.grid().unwrap();
                assert_eq!(grid.steps().unwrap(), piece.end() - begin, "{piece:?}");
                let (last, time) = piece.place(grid.steps().unwrap()).unwrap();
                assert_eq!((last, time), (piece.end(), whole.time(piece.end()).unwrap()));
                assert!(
                    (piece.time(grid.horizon).unwrap() - time).abs() <= 4.0 * f64::EPSILON * time
                );
                if piece.is_last() {
                    assert_eq!(piece.end(), whole.steps().unwrap());
                    break;
                }
                begin = piece.end();
                assert_eq!(begin % interval, 0);
            }
        }
    }

    #[test]
    fn without_an_interval_the_grid_is_the_whole_one() {
        let whole = Grid { step: 0.1, every: 2, horizon: 0.95 };
        assert_eq!(Piece::new(whole, 0, 0).unwrap().grid().unwrap(), whole);
    }
}
