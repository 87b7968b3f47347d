//! Steps on batches of rows, with momentum inside the damped solve.
//!
//! A batch of b of n outputs stands for all of them: `H = (1-rho) (n/b) J_b^T J_b + rho I` and `(n/b) J_b^T grad g_b` have
//! the expected values of the whole sums. With momentum mu the step q of SPRING (G. Goldshlager, N. Abrahamsen and L. Lin,
//! "A Kaczmarz-inspired approach to accelerate the optimization of neural network wavefunctions", 2024) minimizes
//! `(1-rho) (n/b) norm(J_b q - ..)^2 + rho norm(q - mu q')^2`, q' the step before:
//! `H q = (n/b) J_b^T grad g_b + rho mu q'`. What the batch does not see is kept, as far as the damping lets it.

use gaussflow_objective::{Linearization, Loss, MapError, Objective, PointError, SmoothMap};
use gaussflow_solvers::{JacobianOperator, SolveRequest};

use crate::flow::{FlowCounts, SolveSettings};
use crate::preconditioner::Preconditioner;
use crate::rank_loss::solve_by_policy;

/// Supplies the objective of each step of a run on batches of rows.
///
/// The run asks once per step. Implement it on the data set that the run draws from; `gaussflow_data::batch_rows` draws rows
/// by a seed.
pub trait Batches<M, L> {
    /// Returns the objective of step `step`, counted from 0: the map, loss and scaling alpha of the run, restricted to the rows
    /// of the batch.
    ///
    /// The same step number must always give the same rows, because a resumed run asks for them again.
    ///
    /// # Errors
    /// [`MapError`] where the objective cannot be built; it ends the run.
    fn objective(&self, step: usize) -> Result<Objective<M, L>, MapError>;
}

/// Says how [`resume_in_batches`](crate::resume_in_batches) makes its steps: from which batches, and with which momentum.
///
/// With b of the n outputs in a batch, q' the direction of the step before and mu the momentum, the direction q solves
/// `[(1-rho) (n/b) J_b^T J_b + rho I] q = (n/b) J_b^T grad g_b + rho mu q'`, so that momentum has no effect at rho = 0 where
/// `J_b` has full column rank. For [`Preconditioner::Gradient`](crate::Preconditioner::Gradient) it is heavy-ball momentum,
/// `q = (n/b) J_b^T grad g_b + mu q'`. The weights change by `-eta q`, or by `-(step/alpha) q` with Euler's method.
///
/// # Source
/// SPRING: G. Goldshlager, N. Abrahamsen and L. Lin, "A Kaczmarz-inspired approach to accelerate the optimization of neural
/// network wavefunctions", 2024.
pub struct Batching<'b, M, L> {
    /// The batches.
    pub source: &'b dyn Batches<M, L>,
    /// mu in [0, 1); 0 makes each step independent of the one before.
    pub momentum: f64,
}

impl<M, L> Clone for Batching<'_, M, L> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<M, L> Copy for Batching<'_, M, L> {}

/// The batches of a flow under way, from a step on.
pub(crate) struct BatchSteps<'b, M, L> {
    pub(crate) batching: Batching<'b, M, L>,
    /// Time of one step, and the number of the step at time 0.
    pub(crate) clock: (f64, usize),
    /// q of the last step, and its number.
    last: Vec<f64>,
    at: Option<usize>,
}

impl<'b, M: SmoothMap, L: Loss> BatchSteps<'b, M, L> {
    pub(crate) fn new(batching: Batching<'b, M, L>, clock: (f64, usize), p: usize) -> Self {
        Self { batching, clock, last: vec![0.0; p], at: None }
    }

    /// q at `w` and `time`, of a run with n outputs in all.
    pub(crate) fn direction(
        &mut self,
        (time, w): (f64, &[f64]),
        n: usize,
        (preconditioner, settings): (Preconditioner, SolveSettings),
        counts: &mut FlowCounts,
    ) -> Result<&[f64], PointError> {
        let (unit, first) = self.clock;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a step of a grid"
        )]
        let step = first + (time / unit).round() as usize;
        if self.at == Some(step) {
            return Ok(&self.last);
        }
        let objective = self.batching.source.objective(step)?;
        let outputs = objective.loss().outputs_of_a_sample();
        let metric = preconditioner.metric(settings.metric);
        let mut here = Linearization::with_metric(objective.map(), metric, outputs)?;
        here.set_memory_limit(settings.memory_limit);
        here.move_to(&objective, w)?;
        counts.linearizations += 1;
        counts.directions += 1;

        // H = kappa ((1-r) A^T A + r I) with r / (1-r) = (b/n) rho / (1-rho).
        let (rho, share) = (preconditioner.damping(), objective.map().outputs() as f64 / n as f64);
        let mu = self.batching.momentum;
        if preconditioner == Preconditioner::Gradient {
            let mut gradient = vec![0.0; w.len()];
            here.parameter_gradient(&mut gradient);
            let sums = self.last.iter().zip(&gradient).map(|(q, g)| mu * q + g / share);
            self.last = sums.collect();
            self.at = Some(step);
            return Ok(&self.last);
        }
        let scaled = share * rho / (1.0 - rho);
        let r = scaled / (1.0 + scaled);
        let mut image = vec![0.0; objective.map().outputs()];
        here.operator().apply(&self.last, &mut image);
        let request = SolveRequest {
            damping: r,
            solver: settings.solver,
            rank_cutoff: settings.rank_cutoff,
            tolerance: settings.tolerance,
        };
        let (mut right, mut found) = (vec![0.0; image.len()], vec![0.0; w.len()]);
        let policy = settings.rank_policy;
        solve_by_policy(&mut here, request, policy, w.len(), counts, |here, request| {
            // (1-r) / (1-rho) for the gradient, at the damping of this very solve.
            let r = request.damping;
            let (scale, seen) = ((1.0 - r) + r / share, (1.0 - r) * mu);
            let both = here.right_side().iter().zip(&image);
            right.iter_mut().zip(both).for_each(|(to, (c, image))| *to = scale * c - seen * image);
            here.solve(request, &right, &mut found)
        })?;
        *counts += FlowCounts { factors: here.factor_counts(), ..FlowCounts::default() };
        self.last.iter_mut().zip(&found).for_each(|(q, found)| *q = mu * *q + found);
        self.at = Some(step);
        Ok(&self.last)
    }
}
