//! Why a solve or a factorization gave no answer; every variant carries the numbers that decided.

use crate::damped::DampedSolver;
use crate::vector::all_finite;

/// Says why a solve of `((1 - rho) J^T J + rho I) v = J^T b`, or a factorization of J, failed.
///
/// Reaching an optimum (`J^T b = 0`) is never an error: the solution is then zero.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SolveError {
    /// A vector has another length than the operator's shape asks for.
    #[error("{what} has length {found}, but the Jacobian's shape asks for {expected}")]
    ShapeMismatch {
        /// Which vector or matrix.
        what: &'static str,
        /// The length that the operator's shape asks for.
        expected: usize,
        /// The length that was given.
        found: usize,
    },
    /// The Jacobian has no rows or no columns.
    #[error("the Jacobian is {rows} x {columns}: a solve needs at least one row and one column")]
    EmptySystem {
        /// Number of rows n.
        rows: usize,
        /// Number of columns p.
        columns: usize,
    },
    /// An input holds an infinity or a NaN; nothing was factored.
    #[error("{what} is not finite: entry {index} is {value}")]
    NonFinite {
        /// Which input.
        what: &'static str,
        /// Position of the first such entry (column-major for a matrix).
        index: usize,
        /// The entry.
        value: f64,
    },
    /// The damping factor lies outside `[0, 1]`.
    #[error("damping is {damping}; accepted: a number in [0, 1]")]
    InvalidDamping {
        /// The value that was given.
        damping: f64,
    },
    /// The rank cutoff lies outside `[0, 1)`.
    #[error("the rank cutoff is {cutoff}; accepted: a number in [0, 1)")]
    InvalidCutoff {
        /// The value that was given.
        cutoff: f64,
    },
    /// The tolerance of a solve is negative or not a number.
    #[error("the solve tolerance is {tolerance}; accepted: 0 or above")]
    InvalidTolerance {
        /// The value that was given.
        tolerance: f64,
    },
    /// Pivot `index` was not positive beyond rounding: the matrix is not positive definite at this damping.
    #[error(
        "{solver:?} found a non-positive pivot at {index} with damping {damping}; \
         raise the damping or use HouseholderQr or ThinSvd"
    )]
    NotPositiveDefinite {
        /// The algorithm that failed.
        solver: DampedSolver,
        /// The damping factor rho.
        damping: f64,
        /// Index of the pivot, from 0.
        index: usize,
    },
    /// `J` has numerical rank below its number of columns, and the solver needs full column rank.
    #[error(
        "the Jacobian lost rank: smallest singular value {smallest:e}, largest {largest:e}, \
         ratio not above the cutoff {cutoff:e}; use ThinSvd (pseudo-inverse) or positive damping"
    )]
    RankDeficient {
        /// The algorithm that needs full rank.
        solver: DampedSolver,
        /// Smallest singular value of `J` (0 when there are more columns than rows).
        smallest: f64,
        /// Largest singular value of `J`, or the rank scale where that is larger.
        largest: f64,
        /// The cutoff on their ratio.
        cutoff: f64,
    },
    /// The iteration for singular values or eigenvalues did not converge.
    #[error("the spectral iteration of a {rows} x {columns} matrix did not converge")]
    NoConvergence {
        /// Number of rows.
        rows: usize,
        /// Number of columns.
        columns: usize,
    },
    /// An iterative solve met its iteration limit, or its residual stopped falling, above the tolerance.
    #[error(
        "{solver} reached a residual of {relative_residual:e} norm(J^T b) in {iterations} iterations, \
         not {tolerance:e}; allow more iterations or preconditioner memory, or raise the damping"
    )]
    NotConverged {
        /// The method.
        solver: &'static str,
        /// Iterations done.
        iterations: usize,
        /// `norm(J^T b - (1-rho) J^T J v - rho v) / norm(J^T b)` of the last iterate.
        relative_residual: f64,
        /// The tolerance that was asked for.
        tolerance: f64,
    },
    /// A place outside of the matrix was named as one of its entries.
    #[error(
        "entry ({row}, {column}) lies outside of a {rows} x {columns} matrix; places count from 0"
    )]
    EntryOutside {
        /// Row of the entry.
        row: usize,
        /// Column of the entry.
        column: usize,
        /// Number of rows n.
        rows: usize,
        /// Number of columns p.
        columns: usize,
    },
    /// J and its factors would take more than the memory limit.
    #[error("forming J and its factors takes {bytes} bytes, and the memory limit is {limit}")]
    MemoryLimit {
        /// What they take.
        bytes: usize,
        /// What they may take.
        limit: usize,
    },
    /// A product with `H_rho^-1` was asked of an algorithm that makes no factor.
    #[error("{solver:?} makes no factor of H_rho to invert; use a direct kernel for this")]
    NoFactor {
        /// The algorithm.
        solver: DampedSolver,
    },
    /// The inputs are finite, but the solution overflowed or the factorization broke down.
    #[error("{solver:?} gave a solution that is not finite (entry {index}) from finite input")]
    Overflow {
        /// The algorithm that failed.
        solver: DampedSolver,
        /// Position of the first entry that is not finite.
        index: usize,
    },
}

/// Refuses a damping factor outside `[0, 1]`.
///
/// # Errors
/// [`SolveError::InvalidDamping`].
pub(crate) fn require_damping(damping: f64) -> Result<(), SolveError> {
    if (0.0..=1.0).contains(&damping) {
        Ok(())
    } else {
        Err(SolveError::InvalidDamping { damping })
    }
}

/// Refuses a rank cutoff outside `[0, 1)`.
///
/// # Errors
/// [`SolveError::InvalidCutoff`].
pub(crate) fn require_cutoff(cutoff: f64) -> Result<(), SolveError> {
    if (0.0..1.0).contains(&cutoff) { Ok(()) } else { Err(SolveError::InvalidCutoff { cutoff }) }
}

/// Refuses a tolerance that is negative or not a number. 0 asks for as little residual as rounding lets
/// be, infinity for no refinement.
///
/// # Errors
/// [`SolveError::InvalidTolerance`].
pub(crate) fn require_tolerance(tolerance: f64) -> Result<(), SolveError> {
    if tolerance >= 0.0 { Ok(()) } else { Err(SolveError::InvalidTolerance { tolerance }) }
}

/// Refuses systems without rows or columns.
///
/// # Errors
/// [`SolveError::EmptySystem`].
pub(crate) fn require_entries(rows: usize, columns: usize) -> Result<(), SolveError> {
    if rows == 0 || columns == 0 { Err(SolveError::EmptySystem { rows, columns }) } else { Ok(()) }
}

/// Refuses a slice that holds an infinity or a NaN.
///
/// # Errors
/// [`SolveError::NonFinite`] with the first offending entry.
pub(crate) fn require_finite(what: &'static str, values: &[f64]) -> Result<(), SolveError> {
    // The position is looked for only where it is needed.
    if all_finite(values) {
        return Ok(());
    }
    match values.iter().enumerate().find(|(_, x)| !x.is_finite()) {
        Some((index, &value)) => Err(SolveError::NonFinite { what, index, value }),
        None => Ok(()),
    }
}

/// Refuses a slice of another length than `expected`.
///
/// # Errors
/// [`SolveError::ShapeMismatch`].
pub(crate) fn require_length(
    what: &'static str,
    values: &[f64],
    expected: usize,
) -> Result<(), SolveError> {
    if values.len() == expected {
        Ok(())
    } else {
        Err(SolveError::ShapeMismatch { what, expected, found: values.len() })
    }
}

/// Refuses a solution that is not finite.
pub(crate) fn require_solution(solver: DampedSolver, v: &[f64]) -> Result<(), SolveError> {
    if all_finite(v) {
        return Ok(());
    }
    let index = v.iter().position(|x| !x.is_finite()).unwrap_or(0);
    Err(SolveError::Overflow { solver, index })
}
