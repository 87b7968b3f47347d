//! What an iterative solve of `((1-rho) J^T J + rho I) v = J^T b` is asked for, and what it reports.
//!
//! Its residual is `norm(J^T b - (1-rho) J^T J v - rho v)`, relative to `norm(J^T b)`.

/// Sets when a matrix-free solve stops, and the memory of its preconditioner.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct IterativeSettings {
    /// Stop once `norm(J^T b - (1-rho) J^T J v - rho v) <= tolerance * norm(J^T b)`; at least 0, which asks for as little
    /// residual as rounding allows. Default 1e-10.
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

/// Says at what accuracy a matrix-free solve ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attained {
    /// The tolerance was met.
    Tolerance,
    /// Above the tolerance, but at the rounding of the residual itself, or of a v near the ends of the range of numbers;
    /// double precision has no more digits.
    Rounding,
}

/// Reports what a matrix-free solve did.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct IterativeReport {
    /// The accuracy at which it ended.
    pub attained: Attained,
    /// Iterations of all passes; each takes two products, with J or its transpose.
    pub iterations: usize,
    /// Passes; the true residual is evaluated after each.
    pub passes: usize,
    /// `norm(J^T b - (1-rho) J^T J v - rho v)` of the v returned, computed with products. It is the least positive number
    /// where it underflows, and infinite where it overflows.
    pub residual: f64,
    /// `residual / norm(J^T b)`, right also where neither is in the range of numbers; 0 where both are 0.
    pub relative_residual: f64,
    /// The rank r of the preconditioner; 0 for none.
    pub preconditioner_rank: usize,
    /// The share of the kernel that the preconditioner F F^T misses, `trace(K - F F^T) / trace(K)`; 1 for none.
    pub preconditioner_trace: f64,
    /// The smallest and the largest Ritz value of the matrix on which conjugate gradients ran (preconditioned, where there
    /// was a preconditioner); they lie inside its spectrum. (inf, 0) for LSMR and for 0 iterations.
    pub ritz_values: (f64, f64),
}
