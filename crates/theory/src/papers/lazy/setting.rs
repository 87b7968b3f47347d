//! What Theorems 2.3 to 2.5 assume of a problem: its constants, losses of given moduli, and the gradient flow.

use std::sync::Arc;

use gaussflow_dynamics::Preconditioner;
use gaussflow_objective::WeightedSquares;
use gaussflow_solvers::norm;

use crate::TheoryError;
use crate::local::Local;
use crate::network_constants::NetworkConstants;
use crate::problem::Problem;
use crate::referee::Hypothesis;
use crate::trajectory::{FlowPlan, Stepper, Trajectory};

/// Stiffness, `horizon M norm(J_0)^2`, up to which the explicit stepper is taken: an implicit step costs p^3, and its
/// tolerance is a hundred times larger.
const STIFF: f64 = 30_000.0;

/// `R = sum_i (weight_i/2) (x_i - y_i)^2`, with m and M the least and the largest weight, in place of the loss of `problem`.
pub fn with_weights(problem: &Problem, weights: &[f64]) -> Result<Problem, TheoryError> {
    let halves = weights.iter().map(|weight| 0.5 * weight).collect();
    let loss = Arc::new(WeightedSquares::new(problem.minimizer(), halves)?);
    Ok(Problem { loss, ..problem.clone() })
}

/// `R = norm(. - y)^2/2` in place of the loss of `problem`.
pub fn with_squares(problem: &Problem) -> Result<Problem, TheoryError> {
    with_weights(problem, &vec![1.0; problem.outputs()])
}

/// A nullified problem with what was measured at w_0.
pub struct Setting {
    /// h, R and w_0.
    pub problem: Problem,
    /// At w_0.
    pub constants: NetworkConstants,
    /// J_0 with its singular vectors.
    pub start: Local,
    /// `norm(alpha h(w_0) - y) = norm(y)`.
    pub residual: f64,
}

impl Setting {
    /// Measures `problem`, whose network is nullified.
    pub fn measure(problem: Problem) -> Result<Self, TheoryError> {
        let start = Local::measure(&problem, 1.0, &problem.initial)?;
        let constants = NetworkConstants::at_start(&problem, &start);
        let residual = norm(&problem.minimizer());
        Ok(Self { problem, constants, start, residual })
    }

    /// sigma, the smallest singular value of J_0.
    pub fn sigma(&self) -> f64 {
        2.0 * self.constants.lambda0
    }

    /// `norm(J_0)`.
    pub fn norm(&self) -> f64 {
        2.0 * self.constants.lambda_n
    }

    /// Lip(h) on the ball of `radius` around w_0, from above: the smaller of the global bound and
    /// `norm(J_0) + Lip(Dh) radius`.
    pub fn lipschitz(&self, radius: f64) -> f64 {
        self.constants.lipschitz.min(self.norm() + self.constants.jacobian_lipschitz * radius)
    }

    /// `kappa = M/m`.
    pub fn condition(&self) -> f64 {
        self.constants.smoothness / self.constants.strong_convexity
    }

    /// `C_0 = sigma^3 / (divisor kappa^(3/2) norm(J_0) Lip(Dh))`; Theorem 2.4 has the divisor 32.
    pub fn admitted(&self, divisor: f64) -> f64 {
        self.sigma().powi(3)
            / (divisor
                * self.condition().powf(1.5)
                * self.norm()
                * self.constants.jacobian_lipschitz)
    }

    /// `norm(y)/C_0`, which alpha is above in Theorem 2.4.
    pub fn printed_scaling(&self) -> f64 {
        self.residual / self.admitted(32.0)
    }

    /// `4 Lip(Dh) sqrt(kappa) norm(y) / sigma^2`: the alpha from which Theorem 2.4's rate is proved in docs/learn/derivations.md.
    pub fn sharper_scaling(&self) -> f64 {
        4.0 * self.constants.jacobian_lipschitz * self.condition().sqrt() * self.residual
            / self.sigma().powi(2)
    }

    /// What Theorem 2.4 assumes of everything but alpha.
    pub fn of_theorem_2_4(&self) -> Vec<Hypothesis> {
        vec![
            Hypothesis::above("sigma_min(J_0), p >= n", self.full_row_rank(), 0.0),
            Hypothesis::at_most(
                "norm(h(w_0)) against C_0",
                norm(&self.start.output),
                self.admitted(32.0),
            ),
        ]
    }

    /// sigma where p >= n; 0 where J_0 cannot have rank n.
    fn full_row_rank(&self) -> f64 {
        if self.problem.parameters() >= self.problem.outputs() { self.sigma() } else { 0.0 }
    }

    /// Assumes `R = norm(. - y)^2/2`.
    pub fn of_squares(&self) -> Hypothesis {
        let (m, smooth) = (self.constants.strong_convexity, self.constants.smoothness);
        Hypothesis::at_most(
            "R = norm(. - y)^2/2: |m - 1| + |M - 1|",
            (m - 1.0).abs() + (smooth - 1.0).abs(),
            0.0,
        )
    }

    /// The gradient flow at alpha = `scaling` until `horizon`.
    pub fn flow(
        &self,
        scaling: f64,
        horizon: f64,
        samples: usize,
    ) -> Result<Trajectory, TheoryError> {
        let stiffness = horizon * self.constants.smoothness * self.norm().powi(2);
        if stiffness < STIFF {
            match self.flow_by(Stepper::Explicit, scaling, horizon, samples) {
                // At large alpha the rounding of alpha h can be above this stepper's tolerance.
                Err(TheoryError::Ended { .. }) => {}
                answer => return answer,
            }
        }
        self.flow_by(Stepper::Stiff, scaling, horizon, samples)
    }

    /// The same by one stepper: for few parameters the implicit one is the cheaper, and its tolerance is above the rounding
    /// of alpha h at large alpha.
    pub fn flow_by(
        &self,
        stepper: Stepper,
        scaling: f64,
        horizon: f64,
        samples: usize,
    ) -> Result<Trajectory, TheoryError> {
        let preconditioner = Preconditioner::Gradient;
        let plan = FlowPlan { preconditioner, scaling, horizon, samples, stepper };
        let flow = Trajectory::integrate(&self.problem, &plan)?;
        match &flow.ended {
            Some(reason) => {
                let (time, reason) = (flow.last().time, reason.clone());
                Err(TheoryError::Ended { time, horizon, reason })
            }
            None => Ok(flow),
        }
    }
}
