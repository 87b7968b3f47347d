//! One accepted step of any method, as the integration loop sees it.

use crate::field::{Failure, SharedProbe};

/// A method at work: it takes steps, and knows the solution inside the last one.
pub(crate) trait Stepper {
    /// Takes one step from the end of the last one.
    fn advance(&mut self, probe: &SharedProbe<'_>) -> Result<(), Failure>;

    /// The end of the last step.
    fn end_time(&self) -> f64;

    /// The state at [`Stepper::end_time`].
    fn end_state(&self) -> &[f64];

    /// Writes the method's own interpolant at a time inside the last step to `out`.
    fn state_inside(
        &mut self,
        probe: &SharedProbe<'_>,
        time: f64,
        out: &mut [f64],
    ) -> Result<(), Failure>;

    /// Attempts thrown away since the start; a fixed step throws none away.
    fn rejected_steps(&self) -> usize {
        0
    }

    /// The state at any time of the last step; at its end the state itself, not the interpolant,
    /// which may differ in the last bit.
    fn state_at(
        &mut self,
        probe: &SharedProbe<'_>,
        time: f64,
        out: &mut [f64],
    ) -> Result<(), Failure> {
        if time >= self.end_time() {
            out.copy_from_slice(self.end_state());
            Ok(())
        } else {
            self.state_inside(probe, time, out)
        }
    }
}
