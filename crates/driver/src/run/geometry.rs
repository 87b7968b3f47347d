//! The geometric columns of trace.csv: extreme eigenvalues of the Riemannian Hessian, curvature bound.
//!
//! nu_eff and mu_eff are the extreme eigenvalues of `P Hess g P + S_(N grad g)`; every normal curvature
//! is at most `L / (alpha sigma_min^2)`, L a Lipschitz constant of Df.

use gaussflow::dynamics::{Diagnostics, Flow};
use gaussflow::manifold::{ManifoldPoint, curvature_bound};
use gaussflow::objective::{LipschitzConstants, Loss, Metric, SecondOrderMap};
use gaussflow_records::TraceRow;

use super::experiment::Experiment;

/// Parameters p up to which eigenvalues of p x p matrices are computed along a run: each takes about
/// `10 p^3` operations, half a second at this p.
pub const LARGEST_HESSIAN: usize = 512;

/// Measures the columns along one run.
pub struct GeometryRecorder<'e> {
    constants: &'e dyn LipschitzConstants,
    /// A Lipschitz constant of Df over all weights; infinite for deep networks.
    jacobian_lipschitz: f64,
    /// Whether there are few enough parameters for matrices of their order.
    small: bool,
    /// Whether the run's spectra are those of J, which these columns are made of.
    euclidean: bool,
    /// From one Riemannian Hessian to the next, in steps; 0 for none.
    every: usize,
    /// Riemannian Hessians computed.
    pub computed: u64,
    /// Those that were due, at points with a tangent space, but could not be computed.
    pub failed: u64,
}

impl<'e> GeometryRecorder<'e> {
    /// For the runs of `experiment`, with the constants of its map on all rows.
    pub fn new<M>(experiment: &Experiment<M>, constants: &'e dyn LipschitzConstants) -> Self {
        let small = experiment.start.weights.len() <= LARGEST_HESSIAN;
        let every = if small { experiment.config.record.hessian_every } else { 0 };
        let jacobian_lipschitz = constants.jacobian_lipschitz();
        let euclidean = experiment.settings().solve.metric == Metric::Euclidean;
        Self { constants, jacobian_lipschitz, small, euclidean, every, computed: 0, failed: 0 }
    }

    /// A row with these columns alone, at `step`, where the flow is; all empty where J has lost rank, by `rank_threshold`
    /// on sigma / sigma_max, and in another metric than the Euclidean one.
    pub fn measure<M: SecondOrderMap, L: Loss>(
        &mut self,
        step: usize,
        flow: &mut Flow<'_, M, L>,
        measured: &Diagnostics,
        rank_threshold: f64,
    ) -> TraceRow {
        let smallest = measured.gram_min_eigenvalue.sqrt();
        let largest = measured.gram_max_eigenvalue.sqrt();
        // NaN: not computed.
        if !self.euclidean || smallest.is_nan() || smallest <= rank_threshold * largest {
            return TraceRow::default();
        }
        let objective = flow.objective();
        let lipschitz = if self.jacobian_lipschitz.is_infinite() && self.small {
            // A deep network has one at each point alone, which takes a singular value of every layer.
            self.constants.jacobian_lipschitz_within(flow.linearization().point(), 0.0)
        } else {
            self.jacobian_lipschitz
        };
        let bound = curvature_bound(objective.scaling(), lipschitz, smallest);
        let mut row = TraceRow { curvature_bound: Some(bound), ..TraceRow::default() };
        if self.every > 0 && step.is_multiple_of(self.every) {
            let extremes = ManifoldPoint::new(objective, flow.linearization_mut())
                .and_then(|mut point| point.hessian_extremes());
            if let Ok(found) = extremes {
                self.computed += 1;
                row.riemannian_hessian_min = Some(found.smallest.value);
                row.riemannian_hessian_max = Some(found.largest.value);
            } else {
                self.failed += 1;
            }
        }
        row
    }
}
