//! A map from a closure: the shortest way from a user's residual function to this library.

use crate::map::{MapError, Residuals, require_length};

/// Makes a map of a closure `|w, out|` that writes n outputs (`out`) at p parameters (`w`).
///
/// It gives values only; wrap it in [`FiniteDifferences`](crate::FiniteDifferences) for derivatives.
///
/// # Examples
/// ```
/// use gaussflow_objective::{ResidualFn, Residuals};
/// let circle = ResidualFn::new(2, 1, |w, out| {
///     out[0] = w[0].cos();
///     out[1] = w[0].sin();
/// });
/// let mut point = [0.0; 2];
/// circle.value(&[0.0], &mut point)?;
/// assert_eq!(point, [1.0, 0.0]);
/// # Ok::<(), gaussflow_objective::MapError>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct ResidualFn<F> {
    outputs: usize,
    parameters: usize,
    function: F,
}

impl<F: Fn(&[f64], &mut [f64])> ResidualFn<F> {
    /// Creates the map with `outputs` n and `parameters` p. The closure says that it is undefined at `w` by writing a NaN or
    /// an infinity.
    pub fn new(outputs: usize, parameters: usize, function: F) -> Self {
        Self { outputs, parameters, function }
    }
}

impl<F: Fn(&[f64], &mut [f64])> Residuals for ResidualFn<F> {
    fn parameters(&self) -> usize {
        self.parameters
    }

    fn outputs(&self) -> usize {
        self.outputs
    }

    fn value(&self, w: &[f64], out: &mut [f64]) -> Result<(), MapError> {
        // The closure indexes as it likes: it must only ever see its own shape.
        require_length("the parameters w", w, self.parameters)?;
        require_length("the output", out, self.outputs)?;
        (self.function)(w, out);
        Ok(())
    }
}
