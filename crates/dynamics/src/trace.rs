//! A recorder of the usual quantities: one row of [`Diagnostics`] a recorded step.

use std::fmt::{Display, Formatter};

use gaussflow_objective::{Loss, SmoothMap};
use gaussflow_solvers::SolveError;

use crate::diagnostics::Diagnostics;
use crate::flow::Flow;

/// Holds one recorded step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TraceRow {
    /// The number of the step.
    pub step: usize,
    /// Its time.
    pub time: f64,
    /// What was measured there.
    pub measured: Diagnostics,
}

/// Collects one row of [`Diagnostics`] per recorded step. [`Display`] writes the rows as CSV with a header.
///
/// # Examples
/// ```
/// use gaussflow_dynamics::{Settings, Trace, simulate};
/// use gaussflow_objective::{FiniteDifferences, Objective, ResidualFn, Squared};
/// let map = FiniteDifferences::new(ResidualFn::new(2, 1, |w, out| out.fill(w[0])));
/// let objective = Objective::new(map, Squared::new(vec![1.0, 3.0])?, 1.0)?;
/// let mut trace = Trace::default();
/// let settings = Settings { record_every: 100, ..Settings::default() };
/// simulate(&objective, &[0.0], &settings, |step, time, flow| trace.record(step, time, flow))?;
/// assert_eq!((trace.rows.len(), trace.rows[0].measured.loss), (6, 10.0));
/// assert!(trace.to_string().starts_with("step,time,loss,deviation"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trace {
    /// One row a recorded step.
    pub rows: Vec<TraceRow>,
    /// w_0: the point of the first record.
    initial: Vec<f64>,
}

impl Trace {
    /// Measures at the parameters where `flow` stands, and appends the row; deviations are measured from the first row.
    ///
    /// # Cost
    /// That of [`Diagnostics::measure`].
    ///
    /// # Errors
    /// As [`Diagnostics::measure`].
    pub fn record<M: SmoothMap, L: Loss>(
        &mut self,
        step: usize,
        time: f64,
        flow: &mut Flow<'_, M, L>,
    ) -> Result<(), SolveError> {
        if self.rows.is_empty() {
            self.initial = flow.linearization().point().to_vec();
        }
        let measured = Diagnostics::measure(flow, &self.initial)?;
        self.rows.push(TraceRow { step, time, measured });
        Ok(())
    }
}

impl Display for Trace {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        writeln!(
            f,
            "step,time,loss,deviation,riemannian_gradient_norm,gram_min_eigenvalue,gram_max_eigenvalue,\
             kernel_min_eigenvalue,normal_gradient_norm"
        )?;
        for TraceRow { step, time, measured } in &self.rows {
            let Diagnostics { loss, deviation, .. } = measured;
            let (tangent, normal) =
                (measured.riemannian_gradient_norm, measured.normal_gradient_norm);
            let (least, most) = (measured.gram_min_eigenvalue, measured.gram_max_eigenvalue);
            let kernel = measured.kernel_min_eigenvalue;
            writeln!(
                f,
                "{step},{time},{loss:e},{deviation:e},{tangent:e},{least:e},{most:e},{kernel:e},{normal:e}"
            )?;
        }
        Ok(())
    }
}
