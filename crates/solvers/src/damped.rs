//! The damped Gauss-Newton system of equation (1): which kernel solves it, and what a solve reports.
//!
//! `((1 - rho) J^T J + rho I) v = J^T b`, rho in [0, 1]; every kernel obeys this sign.

/// A kernel for `((1 - rho) J^T J + rho I) v = J^T b`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DampedSolver {
    /// The choice of [`choose`], from n, p, rho and the norm of J; within the memory limit, and at rho = 0
    /// while the factor's condition allows.
    Auto,
    /// Cholesky of the p x p matrix: fastest for p well below n, squares the condition
    /// of J; the solution is refined.
    PrimalCholesky,
    /// Cholesky of `(1 - rho) J J^T + rho I` (n x n), then `v = J^T z`: for p above n, rho > 0.
    DualCholesky,
    /// Householder QR of J (rho = 0), or of `[sqrt(1-rho) J; sqrt(rho) I]` (rho > 0): accurate.
    HouseholderQr,
    /// Cholesky of the p x p matrix at some points of a path, and conjugate gradients preconditioned by
    /// the last of them between ([`crate::AmortizedFactor`]); at a single point the same as `Auto`.
    AmortizedCholesky,
    /// Conjugate gradients on products with J, which form neither J nor J^T J nor K: for problems beyond
    /// the memory limit ([`crate::MatrixFree`]).
    ConjugateGradients,
    /// LSMR on products with J: the same, and at rho = 0 the least-norm solution.
    Lsmr,
    /// Thin SVD; at rho = 0 singular values at or below the cutoff are dropped (pseudo-inverse).
    ThinSvd,
}

impl DampedSolver {
    /// Every variant.
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

    /// The variants that at a single point, within the memory limit, factor a matrix and solve to rounding.
    pub const DIRECT: [Self; 6] = [
        Self::Auto,
        Self::PrimalCholesky,
        Self::DualCholesky,
        Self::AmortizedCholesky,
        Self::HouseholderQr,
        Self::ThinSvd,
    ];

    /// The name in configuration files.
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

    /// Bytes of the matrices that this kernel keeps for a `rows` x `columns` Jacobian, which is what the memory
    /// limit ([`crate::Factors::set_memory_limit`]) is compared with: 0 for kernels that choose or iterate.
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

/// What is to be solved, and how.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SolveRequest {
    /// Damping factor rho in [0, 1]; 0 is Gauss-Newton, 1 leaves `v = J^T b`.
    pub damping: f64,
    /// The kernel; default [`DampedSolver::Auto`].
    pub solver: DampedSolver,
    /// Cutoff on `sigma / sigma_max` at rho = 0: below it `HouseholderQr` refuses and `ThinSvd`
    /// truncates; in [0, 1), default 1e-14.
    pub rank_cutoff: f64,
    /// `norm(J^T b - H_rho v)` relative to `norm(J^T b)` down to which a solution is refined by the
    /// factor at hand, or iterated, as far as rounding lets it; at least 0, default 1e-12.
    pub tolerance: f64,
}

impl Default for SolveRequest {
    fn default() -> Self {
        Self { damping: 0.0, solver: DampedSolver::Auto, rank_cutoff: 1e-14, tolerance: 1e-12 }
    }
}

/// Why a kernel was used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// The caller named it.
    Requested,
    /// rho = 1, or a J so small beside rho that rounding leaves nothing of it: the matrix is the identity or a
    /// multiple of it, nothing is factored.
    Identity,
    /// rho = 0, n >= p, well conditioned: the p x p Cholesky.
    UndampedTall,
    /// rho = 0, n >= p, and the Cholesky factor is missing or its condition above
    /// [`UNDAMPED_CONDITION`]: QR does not square the condition.
    UndampedIllConditioned,
    /// rho = 0 and p > n: J^T J is singular, only the pseudo-inverse is defined.
    UndampedWide,
    /// The matrices of the direct kernel would take more than the memory limit.
    MemoryLimit,
    /// The factor of an earlier point of the path preconditions conjugate gradients.
    Amortized,
    /// rho > 0, n >= p, well conditioned: the p x p Cholesky.
    DampedTall,
    /// rho > 0, p > n, well conditioned: the n x n Cholesky.
    DampedWide,
    /// rho > 0 but so small that a Cholesky of the squared matrix would lose half the digits.
    DampedIllConditioned,
}

impl Choice {
    /// The reason in words, to follow "because".
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

/// Estimated condition of `J^T J` up to which `Auto` takes its Cholesky factor at rho = 0: the
/// direction then has nine digits before it is refined.
pub const UNDAMPED_CONDITION: f64 = 1e-9 / f64::EPSILON;

/// The kernel that `Auto` takes for an n x p Jacobian of Frobenius norm `norm`.
///
/// At rho = 0 and n >= p it goes over to QR where the condition of the Cholesky factor is above
/// [`UNDAMPED_CONDITION`], which only the factor can tell; and it iterates where the kernel would keep
/// more than the memory limit ([`crate::Factors::set_memory_limit`]).
///
/// The condition of `(1-rho) J^T J + rho I` is at most `((1-rho) norm^2 + rho) / rho`; where eps
/// times this bound exceeds sqrt(eps), the orthogonal kernel is taken, unless the Cholesky factor itself has a condition of
/// at most [`UNDAMPED_CONDITION`], which only it can tell. No time is measured, so the choice is the same on every
/// machine.
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

/// What a solve did.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SolveReport {
    /// The kernel that ran, or at rho = 1 would have run (never `Auto`).
    pub solver: DampedSolver,
    /// Why this kernel.
    pub choice: Choice,
    /// `norm(J^T b - (1-rho) J^T J v - rho v)`, computed through the operator after the solve; not 0 but the least
    /// positive number where it is below the range of numbers, and infinite above or where it could not be measured.
    pub residual: f64,
    /// `residual / (norm(J)_F (norm(b) + (1-rho) norm(J)_F norm(v)) + rho norm(v))`: a normwise
    /// backward error, a modest multiple of eps for a healthy solve (larger by the part of b that
    /// a truncation dropped, and where v itself underflows). It is computed in multiples of J and b by powers of
    /// two where their sizes ask for that, so that no underflow hides it.
    pub relative_residual: f64,
    /// Numerical rank of J: min(n, p), or for `ThinSvd` the number of singular values above the
    /// cutoff.
    pub rank: usize,
    /// Smallest pivot: of L L^T squared, of R in absolute value, or the smallest kept sigma.
    pub smallest_pivot: f64,
    /// Largest pivot, likewise.
    pub largest_pivot: f64,
    /// Estimate of the 2-norm condition of the matrix that was factored (the damped matrix for
    /// Cholesky, at an earlier point where that is the factor used; J or the stacked J for QR); for
    /// `ThinSvd` the ratio of the singular values used, infinite if one is 0. A lower bound for Cholesky and QR, below the truth by at most the
    /// order of the matrix (Cholesky) or its root (QR) times the slack of a few power iterations. For
    /// conjugate gradients the ratio of extreme Ritz values, preconditioned; 1 for LSMR.
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
