//! Preconditioned conjugate gradients for a symmetric positive definite `A x = f`, in reused buffers.
//!
//! Hestenes and Stiefel 1952 with a preconditioner P close to the inverse of A: directions conjugate
//! in A, residuals orthogonal in P. The step lengths are the entries of the Lanczos tridiagonal of
//! `P A` (Golub and Van Loan, section 11.3), so that bounds from inside of its spectrum come for free.

use crate::vector::{add_scaled, inner_product, norm};

/// Lanczos coefficients kept: a leading part of the tridiagonal bounds the spectrum as well.
const KEPT: usize = 512;

/// Halvings that take an interval to the spacing of numbers.
const HALVINGS: usize = 60;

/// When a run of iterations ends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RunLimits {
    /// The run ends once the recursive residual has at most this 2-norm.
    pub(crate) target: f64,
    /// Iterations of this run at most.
    pub(crate) iterations: usize,
}

/// Why a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RunStop {
    /// The recursive residual reached the target.
    Target,
    /// The iterations are used up.
    Iterations,
    /// A direction of no positive, finite curvature: A or the preconditioner is not positive
    /// definite beyond rounding, or the products left the range of numbers.
    Breakdown,
}

/// What a run did.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RunOutcome {
    /// Iterations of this run.
    pub(crate) iterations: usize,
    /// 2-norm of the residual of the recursion; the true one drifts away from it by rounding.
    pub(crate) residual_norm: f64,
    /// Why it ended.
    pub(crate) stop: RunStop,
}

/// Buffers and state of one solve, resumable: a run may go on where the last one ended.
#[derive(Default)]
pub(crate) struct ConjugateGradients {
    residual: Vec<f64>,
    preconditioned: Vec<f64>,
    direction: Vec<f64>,
    image: Vec<f64>,
    /// `residual . preconditioned` at the last direction; 0 before the first.
    product: f64,
    /// Diagonal and squared off-diagonal of the Lanczos tridiagonal.
    diagonal: Vec<f64>,
    squares: Vec<f64>,
    /// `1 / alpha` of the last iteration.
    carried: f64,
}

impl ConjugateGradients {
    /// Makes room for systems of order `order`, once.
    pub(crate) fn reserve(&mut self, order: usize) {
        for buffer in
            [&mut self.residual, &mut self.preconditioned, &mut self.direction, &mut self.image]
        {
            buffer.resize(order, 0.0);
        }
        self.diagonal.reserve(KEPT);
        self.squares.reserve(KEPT);
    }

    /// Starts at residual `residual` (length of the order), whatever the start x is.
    pub(crate) fn start(&mut self, residual: &[f64]) {
        self.reserve(residual.len());
        self.residual.copy_from_slice(residual);
        self.product = 0.0;
        self.carried = 0.0;
        self.diagonal.clear();
        self.squares.clear();
    }

    /// The residual of the recursion.
    pub(crate) fn residual(&self) -> &[f64] {
        &self.residual
    }

    /// Iterates until the limits: `apply(p, out)` is `out = A p`, `precondition(r, out)` is
    /// `out = P r`, and `advance(alpha, p)` takes the step `x += alpha p`, p the vector that `apply` saw last.
    pub(crate) fn run(
        &mut self,
        mut apply: impl FnMut(&[f64], &mut [f64]),
        mut precondition: impl FnMut(&[f64], &mut [f64]),
        mut advance: impl FnMut(f64, &[f64]),
        limits: RunLimits,
    ) -> RunOutcome {
        let mut residual_norm = norm(&self.residual);
        let mut iterations = 0;
        loop {
            let stop = if residual_norm <= limits.target {
                RunStop::Target
            } else if iterations >= limits.iterations {
                RunStop::Iterations
            } else if !self.iterate(&mut apply, &mut precondition, &mut advance) {
                RunStop::Breakdown
            } else {
                iterations += 1;
                residual_norm = norm(&self.residual);
                continue;
            };
            return RunOutcome { iterations, residual_norm, stop };
        }
    }

    /// One iteration; `false`, without a step, when the direction has no positive curvature.
    fn iterate(
        &mut self,
        apply: &mut impl FnMut(&[f64], &mut [f64]),
        precondition: &mut impl FnMut(&[f64], &mut [f64]),
        advance: &mut impl FnMut(f64, &[f64]),
    ) -> bool {
        precondition(&self.residual, &mut self.preconditioned);
        let product = inner_product(&self.residual, &self.preconditioned);
        let beta = if self.product > 0.0 { product / self.product } else { 0.0 };
        if beta == 0.0 {
            self.direction.copy_from_slice(&self.preconditioned);
        } else {
            for (d, z) in self.direction.iter_mut().zip(&self.preconditioned) {
                *d = z + beta * *d;
            }
        }
        apply(&self.direction, &mut self.image);
        let curvature = inner_product(&self.direction, &self.image);
        let alpha = product / curvature;
        if !(product > 0.0 && curvature > 0.0 && alpha.is_finite() && alpha > 0.0) {
            return false;
        }
        advance(alpha, &self.direction);
        add_scaled(&mut self.residual, -alpha, &self.image);
        self.record(alpha, beta);
        self.product = product;
        true
    }

    /// Appends `1/alpha_k + beta_k/alpha_{k-1}` and `beta_k / alpha_{k-1}^2`.
    fn record(&mut self, alpha: f64, beta: f64) {
        if self.diagonal.len() == KEPT {
            return;
        }
        if !self.diagonal.is_empty() {
            self.squares.push(beta * self.carried * self.carried);
        }
        self.diagonal.push(1.0 / alpha + beta * self.carried);
        self.carried = 1.0 / alpha;
    }

    /// Smallest and largest Ritz value of `P A`: inside its spectrum, (inf, 0) before an iteration.
    pub(crate) fn ritz_values(&self) -> (f64, f64) {
        let order = self.diagonal.len();
        if order == 0 {
            return (f64::INFINITY, 0.0);
        }
        // Gershgorin: the tridiagonal is positive definite, so that 0 bounds it from below.
        let mut bound = 0.0_f64;
        for (k, diagonal) in self.diagonal.iter().enumerate() {
            let left = if k > 0 { self.squares[k - 1].sqrt() } else { 0.0 };
            let right = self.squares.get(k).map_or(0.0, |s| s.sqrt());
            bound = bound.max(diagonal + left + right);
        }
        (self.bisect(1, bound), self.bisect(order, bound))
    }

    /// The `rank`-th smallest eigenvalue (from 1) of the tridiagonal, in `[0, bound]`.
    fn bisect(&self, rank: usize, bound: f64) -> f64 {
        let (mut low, mut high) = (0.0, bound);
        for _ in 0..HALVINGS {
            let middle = 0.5 * (low + high);
            if self.ritz_values_below(middle) >= rank {
                high = middle;
            } else {
                low = middle;
            }
        }
        0.5 * (low + high)
    }

    /// How many Ritz values of `P A` lie below `point`: negative pivots of `T - point I`.
    pub(crate) fn ritz_values_below(&self, point: f64) -> usize {
        let mut count = 0;
        let mut pivot = 1.0;
        for (k, diagonal) in self.diagonal.iter().enumerate() {
            let coupling = if k > 0 { self.squares[k - 1] / pivot } else { 0.0 };
            pivot = diagonal - point - coupling;
            if pivot.abs() < f64::MIN_POSITIVE {
                pivot = -f64::MIN_POSITIVE;
            }
            count += usize::from(pivot < 0.0);
        }
        count
    }
}

/// Solves `A x = f` from the start that `x` holds; `x` becomes the last iterate.
///
/// `apply(p, out)` is `out = A p`, `precondition(r, out)` is `out = P r`, both symmetric positive
/// definite. Allocates nothing once `workspace` has seen this order.
pub(crate) fn pcg(
    workspace: &mut ConjugateGradients,
    mut apply: impl FnMut(&[f64], &mut [f64]),
    precondition: impl FnMut(&[f64], &mut [f64]),
    right_hand_side: &[f64],
    x: &mut [f64],
    limits: RunLimits,
) -> RunOutcome {
    workspace.start(right_hand_side);
    if x.iter().any(|&x| x != 0.0) {
        apply(x, &mut workspace.image);
        add_scaled(&mut workspace.residual, -1.0, &workspace.image);
    }
    workspace.run(apply, precondition, |alpha, p| add_scaled(x, alpha, p), limits)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Eigenvalues of a diagonal matrix are known, and order many iterations find the solution.
    #[test]
    fn a_diagonal_system_from_a_nonzero_start() {
        let eigenvalues = [1.0, 4.0, 9.0, 25.0];
        let apply = |p: &[f64], out: &mut [f64]| {
            for (k, o) in out.iter_mut().enumerate() {
                *o = eigenvalues[k] * p[k];
            }
        };
        let copy = |r: &[f64], out: &mut [f64]| out.copy_from_slice(r);
        let mut workspace = ConjugateGradients::default();
        let mut x = [3.0, -1.0, 0.5, 2.0];
        let limits = RunLimits { target: 1e-13, iterations: 20 };
        let outcome = pcg(&mut workspace, apply, copy, &[1.0; 4], &mut x, limits);
        assert_eq!(outcome.stop, RunStop::Target);
        assert!(outcome.iterations <= 5 && outcome.residual_norm <= 1e-13);
        for (x, eigenvalue) in x.iter().zip(eigenvalues) {
            assert!((x * eigenvalue - 1.0).abs() < 1e-12);
        }
        let (smallest, largest) = workspace.ritz_values();
        assert!((smallest - 1.0).abs() < 1e-10 && (largest - 25.0).abs() < 1e-10);
    }

    /// With the inverse as the preconditioner one iteration is enough, and the spectrum is {1}.
    #[test]
    fn the_exact_inverse_preconditions_to_one_iteration() {
        let scale = |factor: f64| {
            move |p: &[f64], out: &mut [f64]| {
                for (k, o) in out.iter_mut().enumerate() {
                    *o = p[k] * (1.0 + k as f64).powf(factor);
                }
            }
        };
        let mut workspace = ConjugateGradients::default();
        let mut x = [0.0; 6];
        let limits = RunLimits { target: 1e-12, iterations: 20 };
        let outcome = pcg(&mut workspace, scale(2.0), scale(-2.0), &[1.0; 6], &mut x, limits);
        assert_eq!((outcome.stop, outcome.iterations), (RunStop::Target, 1));
        assert!((workspace.ritz_values().0 - 1.0).abs() < 1e-12);
    }

    #[test]
    fn an_indefinite_matrix_breaks_down_and_a_limit_is_kept() {
        let flip = |p: &[f64], out: &mut [f64]| {
            out[0] = p[0];
            out[1] = -p[1];
        };
        let copy = |r: &[f64], out: &mut [f64]| out.copy_from_slice(r);
        let mut workspace = ConjugateGradients::default();
        let limits = RunLimits { target: 0.0, iterations: 9 };
        let outcome = pcg(&mut workspace, flip, copy, &[1.0, 2.0], &mut [0.0; 2], limits);
        assert_eq!(outcome.stop, RunStop::Breakdown);
        let limits = RunLimits { target: 0.0, iterations: 0 };
        let outcome = pcg(&mut workspace, copy, copy, &[1.0, 2.0], &mut [0.0; 2], limits);
        assert_eq!((outcome.stop, outcome.iterations), (RunStop::Iterations, 0));
    }
}
