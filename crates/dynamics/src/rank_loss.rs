//! One damped solve, and what follows where it loses rank.

use gaussflow_objective::Linearization;
use gaussflow_solvers::{DampedSolver, JacobianOperator, SolveError, SolveReport, SolveRequest};

use crate::flow::FlowCounts;
use crate::preconditioner::RankPolicy;

/// `solve` at the damping of `nominal` and, where rank is lost, as the policy says. Gives the damping that was used too.
///
/// # Errors
/// Those of `solve`, and [`SolveError::RankDeficient`] where an undamped solve found fewer than `p` singular values above
/// the cutoff and the policy is [`RankPolicy::Stop`].
pub(crate) fn solve_by_policy<J: JacobianOperator>(
    here: &mut Linearization<J>,
    nominal: SolveRequest,
    policy: RankPolicy,
    p: usize,
    counts: &mut FlowCounts,
    mut solve: impl FnMut(&mut Linearization<J>, SolveRequest) -> Result<SolveReport, SolveError>,
) -> Result<(SolveReport, f64), SolveError> {
    let lost = match solve(here, nominal) {
        Ok(report) => {
            // The SVD truncates by itself (`Auto` takes it where p > n and rho = 0).
            let singular = nominal.damping == 0.0 && report.rank < p;
            if !singular || policy == RankPolicy::PseudoInverse {
                counts.pseudo_inverse += u64::from(singular);
                return Ok((report, nominal.damping));
            }
            SolveError::RankDeficient {
                solver: report.solver,
                smallest: 0.0,
                largest: report.largest_pivot,
                cutoff: nominal.rank_cutoff,
            }
        }
        Err(lost @ (SolveError::RankDeficient { .. } | SolveError::NotPositiveDefinite { .. })) => {
            lost
        }
        Err(other) => return Err(other),
    };
    let request = match policy {
        RankPolicy::Stop => return Err(lost),
        RankPolicy::PseudoInverse => {
            counts.pseudo_inverse += 1;
            SolveRequest { solver: DampedSolver::ThinSvd, ..nominal }
        }
        RankPolicy::RaiseDamping => {
            counts.raised_damping += 1;
            let largest = here.largest_singular_value()?;
            let ratio = f64::EPSILON.sqrt() * largest * largest;
            // rho0 = rho / (1 - rho), so rho = rho0 / (1 + rho0); a zero Jacobian takes rho = 1.
            let raised = if ratio > 0.0 { ratio / (1.0 + ratio) } else { 1.0 };
            let damping = raised.max(nominal.damping);
            SolveRequest { damping, solver: DampedSolver::Auto, ..nominal }
        }
    };
    Ok((solve(here, request)?, request.damping))
}
