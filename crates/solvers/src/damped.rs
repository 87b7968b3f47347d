//! The damped Gauss-Newton system of equation (1): which kernel solves it, and what a solve reports.
//!
//! `((1 - rho) J^T J + rho I) v = J^T b`, rho in [0, 1]; every kernel obeys this sign.

/// Names the algorithms that solve `((1 - rho) J^T J + rho I) v = J^T b`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DampedSolver {
    /// Chosen by [`choose`] from n, p, rho and the norm of J, within the memory limit, and at rho = 0 by the condition of the
    /// factor.
    Auto,
    /// Cholesky of the p x p matrix: fastest for p well below n. It squares the condition of J, so the solution is refined.
    PrimalCholesky,
    /// Cholesky of `(1 - rho) J J^T + rho I` (n x n), then `v = J^T z`: for p above n, rho > 0.
    DualCholesky,
    /// Householder QR of J (rho = 0), or of `[sqrt(1-rho) J; sqrt(rho) I]` (rho > 0): accurate.
    HouseholderQr,
    /// Cholesky of the p x p matrix at some parameters of a trajectory, and in between conjugate gradients preconditioned by
    /// the last factor ([`crate::AmortizedFactor`]). For a single system it is the same as `Auto`.
    AmortizedCholesky,
    /// Conjugate gradients on products with J, for problems beyond the memory limit: neither J nor `J^T J` nor `J J^T` is
    /// formed ([`crate::MatrixFree`]).
    ConjugateGradients,
    /// LSMR on products with J, likewise; at rho = 0 it gives the least-norm solution.
    Lsmr,
    /// Thin SVD; at rho = 0 singular values at or below the cutoff are dropped (pseudo-inverse).
    ThinSvd,
}

impl DampedSolver {
    /// All variants.
    pub const ALL: [Self; 8] = [
        Self::Auto,
        Self::PrimalCholesky,
        Self::DualCholesky,
        Self::AmortizedCholesky,
        Self::ConjugateGradients,
        Self::Lsmr,
        Self::HouseholderQr,
        Self::ThinSvd,
    ];

    /// The variants that factor a matrix and solve to rounding (for a single system, within the memory limit).
    pub const DIRECT: [Self; 6] = [
        Self::Auto,
        Self::PrimalCholesky,
        Self::DualCholesky,
        Self::AmortizedCholesky,
        Self::HouseholderQr,
        Self::ThinSvd,
    ];

    /// Returns the name that configuration files use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::PrimalCholesky => "primal-cholesky",
            Self::DualCholesky => "dual-cholesky",
            Self::AmortizedCholesky => "amortized-cholesky",
            Self::ConjugateGradients => "conjugate-gradients",
            Self::Lsmr => "lsmr",
            Self::HouseholderQr => "householder-qr",
            Self::ThinSvd => "thin-svd",
        }
    }

    /// Returns the bytes of the matrices that this algorithm keeps for a `rows` x `columns` Jacobian, which is what the
    /// memory limit ([`crate::Factors::set_memory_limit`]) is compared with; 0 for algorithms that choose or iterate.
    ///
    /// # Examples
    /// ```
    /// use gaussflow_solvers::DampedSolver;
    /// assert_eq!(DampedSolver::DualCholesky.matrix_bytes(100, 1 << 40), 8 * 100 * 100);
    /// assert_eq!(DampedSolver::PrimalCholesky.matrix_bytes(100, 1 << 40), usize::MAX);
    /// ```
    pub fn matrix_bytes(self, rows: usize, columns: usize) -> usize {
        direct_memory(self, rows, columns)
    }
}

/// Says what to solve, and how.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SolveRequest {
    /// The damping factor rho in [0, 1]: 0 is Gauss-Newton, 1 gives `v = J^T b`.
    pub damping: f64,
    /// The algorithm; default [`DampedSolver::Auto`].
    pub solver: DampedSolver,
    /// At rho = 0, J counts as rank deficient where sigma_min / sigma_max is below this cutoff: `HouseholderQr` then returns
    /// an error, `ThinSvd` drops the small singular values. In [0, 1), default 1e-14.
    pub rank_cutoff: f64,
    /// The relative residual `norm(J^T b - H_rho v) / norm(J^T b)` to which a solution is refined or iterated, as far as
    /// rounding allows; at least 0, default 1e-12. Here `H_rho = (1-rho) J^T J + rho I`.
    pub tolerance: f64,
}

impl Default for SolveRequest {
    fn default() -> Self {
        Self { damping: 0.0, solver: DampedSolver::Auto, rank_cutoff: 1e-14, tolerance: 1e-12 }
    }
}

/// Says why an algorithm was used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// The caller named it.
    Requested,
    /// rho = 1, or J so small beside rho that rounding removes it: the matrix is a multiple of the identity, and nothing is
    /// factored.
    Identity,
    /// rho = 0, n >= p, well conditioned: the p x p Cholesky.
    UndampedTall,
    /// rho = 0, n >= p, and the Cholesky factor is missing or its condition above
    /// [`UNDAMPED_CONDITION`]: QR does not square the condition.
    UndampedIllConditioned,
    /// rho = 0 and p > n: `J^T J` is singular, and only the pseudo-inverse is defined.
    UndampedWide,
    /// The matrices of the direct algorithm would take more than the memory limit.
    MemoryLimit,
    /// The factor at earlier parameters preconditions conjugate gradients.
    Amortized,
    /// rho > 0, n >= p, well conditioned: the p x p Cholesky.
    DampedTall,
    /// rho > 0, p > n, well conditioned: the n x n Cholesky.
    DampedWide,
    /// rho > 0 but so small that a Cholesky of the squared matrix would lose half the digits.
    DampedIllConditioned,
}

impl Choice {
    /// Returns the reason in words that can follow "because".
    pub fn reason(self) -> &'static str {
        match self {
            Self::Requested => "the caller named it",
            Self::Identity => "the matrix is a multiple of the identity",
            Self::UndampedTall | Self::DampedTall => {
                "J has at least as many rows as columns and is well conditioned"
            }
            Self::UndampedIllConditioned | Self::DampedIllConditioned => {
                "a squared matrix would lose too many digits"
            }
            Self::UndampedWide => "J has more columns than rows and nothing is damped",
            Self::MemoryLimit => "matrices would go beyond the memory limit",
            Self::Amortized => "the factor of an earlier point helps here",
            Self::DampedWide => "J has more columns than rows and is well conditioned",
        }
    }
}

/// The largest estimated condition of `J^T J` at which `Auto` uses its Cholesky factor at rho = 0. The direction then has
/// about nine correct digits before it is refined.
pub const UNDAMPED_CONDITION: f64 = 1e-9 / f64::EPSILON;

/// Returns the algorithm that [`DampedSolver::Auto`] takes for an n x p Jacobian with the Frobenius norm `norm`, and why.
///
/// The condition of `(1-rho) J^T J + rho I` is at most `((1-rho) norm^2 + rho) / rho`. Where eps = 2.2e-16 times this bound
/// exceeds sqrt(eps), an orthogonal algorithm is taken instead of Cholesky. The choice depends on no measured time, so that
/// it is the same on every machine.
///
/// A solve may deviate from it where only a factor can tell: at rho = 0 and n >= p it takes QR where the condition of the
/// Cholesky factor exceeds [`UNDAMPED_CONDITION`], and at a very small rho > 0 Cholesky where the condition is below. Beyond
/// the memory limit ([`crate::Factors::set_memory_limit`]) it iterates.
///
/// # Examples
/// ```
/// use gaussflow_solvers::{Choice, DampedSolver, choose};
/// assert_eq!(choose(256, 144, 0.0, 30.0).1, Choice::UndampedTall);
/// assert_eq!(choose(256, 144, 0.1, 30.0), (DampedSolver::PrimalCholesky, Choice::DampedTall));
/// assert_eq!(choose(64, 2048, 0.1, 30.0).0, DampedSolver::DualCholesky);
/// assert_eq!(choose(256, 144, 1e-12, 30.0).1, Choice::DampedIllConditioned);
/// ```
pub fn choose(rows: usize, columns: usize, damping: f64, norm: f64) -> (DampedSolver, Choice) {
    let tall = rows >= columns;
    if damping >= 1.0 {
        let smaller = if tall { DampedSolver::PrimalCholesky } else { DampedSolver::DualCholesky };
        return (smaller, Choice::Identity);
    }
    if damping == 0.0 {
        return if tall {
            (DampedSolver::PrimalCholesky, Choice::UndampedTall)
        } else {
            (DampedSolver::ThinSvd, Choice::UndampedWide)
        };
    }
    let condition_bound = ((1.0 - damping) * norm * norm + damping) / damping;
    if condition_bound * f64::EPSILON > f64::EPSILON.sqrt() {
        let orthogonal = if tall { DampedSolver::HouseholderQr } else { DampedSolver::ThinSvd };
        (orthogonal, Choice::DampedIllConditioned)
    } else if tall {
        (DampedSolver::PrimalCholesky, Choice::DampedTall)
    } else {
        (DampedSolver::DualCholesky, Choice::DampedWide)
    }
}

/// Bytes of the matrices that a direct kernel keeps for an n x p Jacobian.
pub(crate) fn direct_memory(solver: DampedSolver, rows: usize, columns: usize) -> usize {
    let entries = match solver {
        // The Gram matrix and its factor.
        DampedSolver::PrimalCholesky => 2_usize.saturating_mul(columns).saturating_mul(columns),
        DampedSolver::DualCholesky => rows.saturating_mul(rows),
        // J and what becomes of it, on both sides.
        DampedSolver::HouseholderQr | DampedSolver::ThinSvd => {
            let smaller = rows.min(columns);
            let factors = rows.saturating_add(columns).saturating_mul(smaller);
            rows.saturating_mul(columns).saturating_add(factors)
        }
        DampedSolver::Auto
        | DampedSolver::AmortizedCholesky
        | DampedSolver::ConjugateGradients
        | DampedSolver::Lsmr => 0,
    };
    entries.saturating_mul(size_of::<f64>())
}

/// Reports what a solve did, and how good its solution is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SolveReport {
    /// The algorithm that ran, or at rho = 1 would have run (never `Auto`).
    pub solver: DampedSolver,
    /// Why this algorithm.
    pub choice: Choice,
    /// `norm(J^T b - (1-rho) J^T J v - rho v)`, computed with products after the solve. It is the least positive number where
    /// it underflows, and infinite where it overflows or could not be measured.
    pub residual: f64,
    /// The normwise backward error `residual / (norm(J)_F (norm(b) + (1-rho) norm(J)_F norm(v)) + rho norm(v))`, for a
    /// healthy solve a small multiple of 2.2e-16. It is larger by the part of b that a truncation dropped, and where v
    /// underflows. J and b are scaled by powers of two where needed, so that no underflow hides it.
    pub relative_residual: f64,
    /// The numerical rank of J: min(n, p), or for `ThinSvd` the number of singular values above the cutoff.
    pub rank: usize,
    /// The smallest pivot: of Cholesky its square, of QR the absolute value of the diagonal of R, of `ThinSvd` the smallest
    /// singular value kept.
    pub smallest_pivot: f64,
    /// Largest pivot, likewise.
    pub largest_pivot: f64,
    /// An estimate of the 2-norm condition of the matrix that was factored: the damped matrix for Cholesky (at earlier
    /// parameters where that factor was used), J or the stacked matrix for QR. For these it is a lower bound. For `ThinSvd`
    /// it is the ratio of the singular values used, infinite if one is 0; for conjugate gradients the ratio of extreme Ritz
    /// values of the preconditioned matrix; for LSMR 1.
    pub condition_estimate: f64,
    /// Refinements of a direct solution, or iterations of an iterative one.
    pub iterations: usize,
}

impl std::fmt::Display for SolveReport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { solver, choice, rank, iterations, condition_estimate, .. } = self;
        write!(
            f,
            "solved by {solver:?}, because {}; backward error {:.1e}\nrank {rank}, condition about \
             {condition_estimate:.1e}, {iterations} refinements or iterations",
            choice.reason(),
            self.relative_residual
        )
    }
}

impl SolveReport {
    /// A report that says which kernel ran and nothing yet of how well.
    pub(crate) fn unmeasured(solver: DampedSolver, choice: Choice, rank: usize) -> Self {
        Self {
            solver,
            choice,
            residual: f64::NAN,
            relative_residual: f64::NAN,
            rank,
            smallest_pivot: 1.0,
            largest_pivot: 1.0,
            condition_estimate: 1.0,
            iterations: 0,
        }
    }
}
