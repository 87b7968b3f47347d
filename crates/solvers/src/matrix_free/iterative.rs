//! What an iterative solve of `((1-rho) J^T J + rho I) v = J^T b` is asked for, and what it reports.
//!
//! Its residual is `norm(J^T b - (1-rho) J^T J v - rho v)`, relative to `norm(J^T b)`.

/// What a matrix-free solve is asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct IterativeSettings {
    /// Stop once `norm(J^T b - (1-rho) J^T J v - rho v) <= tolerance * norm(J^T b)`; at least 0, which asks
    /// for as little as rounding lets be, default 1e-10.
    pub tolerance: f64,
    /// Iterations of all passes together; default 10,000. A pass ends after `100 (min(n, p) + 1)` in any case, and
    /// is the last where it did not halve the residual.
    pub max_iterations: usize,
    /// Bytes for the preconditioner of conjugate gradients, a partial Cholesky of K (rank r takes
    /// `8 (n r + 2 r^2)` and a panel of n x 32); 0 for none. Default 256 MiB. Unused at rho = 0 and by LSMR.
    pub preconditioner_memory: usize,
}

impl Default for IterativeSettings {
    fn default() -> Self {
        Self { tolerance: 1e-10, max_iterations: 10_000, preconditioner_memory: 256 << 20 }
    }
}

/// What ended a matrix-free solve that has an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attained {
    /// The tolerance.
    Tolerance,
    /// The rounding level of the residual's own evaluation, above the tolerance, or the rounding of a v near
    /// the end of the range of numbers: no more digits are to be had in double precision.
    Rounding,
}

/// What a matrix-free solve did.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct IterativeReport {
    /// What ended it.
    pub attained: Attained,
    /// Iterations of all passes: two products with J or its transpose each.
    pub iterations: usize,
    /// Passes: the true residual was evaluated after each.
    pub passes: usize,
    /// `norm(J^T b - (1-rho) J^T J v - rho v)`, through the operator, with the v returned; not 0 but the least
    /// positive number where it is below the range of numbers, and infinite above.
    pub residual: f64,
    /// `residual / norm(J^T b)`, right also where neither is in the range of numbers; 0 where both are 0.
    pub relative_residual: f64,
    /// Rank r of the preconditioner's factor; 0 for none.
    pub preconditioner_rank: usize,
    /// `trace(K - F F^T) / trace(K)` of the preconditioner; 1 for none.
    pub preconditioner_trace: f64,
    /// Smallest and largest Ritz value of the matrix that conjugate gradients saw (preconditioned
    /// where there was a preconditioner): inside its spectrum. (inf, 0) for LSMR and 0 iterations.
    pub ritz_values: (f64, f64),
}
