//! Every kernel of `((1-rho) J^T J + rho I) v = J^T b`, as the condition of J grows.
//!
//! The error is the true residual of that equation relative to `norm(J^T b)`.

use gaussflow::prelude::*;
use gaussflow::solvers::norm;

use crate::case::{Case, Effort, Fallible, Shape, Side, Visit};
use crate::problems::{graded_jacobian, vector};

/// The question's name.
pub const NAME: &str = "solve_by_condition";

/// Ratios of the smallest column of J to the largest.
const GRADES: [f64; 4] = [1.0, 1e-3, 1e-6, 1e-9];

/// One case a condition and damping, one side a kernel; kernels that refuse are left out.
pub fn cases(effort: Effort, visit: Visit<'_>) -> Fallible<()> {
    let (shapes, grades): (&[(usize, usize)], &[f64]) = effort
        .choose((&[(256, 144)], &GRADES[1..3]), (&[(256, 144), (1024, 144), (144, 512)], &GRADES));
    for &(n, p) in shapes {
        for &grade in grades {
            for damping in [0.0, 1e-2] {
                let mut sides = Vec::new();
                for solver in DampedSolver::ALL {
                    let request = SolveRequest { damping, solver, ..SolveRequest::default() };
                    sides.extend(side(Shape::matrix(n, p), grade, request)?);
                }
                let variant = format!("auto,rho={damping},grade={grade:e}");
                visit(Case::new(NAME, variant, Shape::matrix(n, p), sides))?;
            }
        }
    }
    Ok(())
}

/// One kernel at one condition, what `Auto` chooses as ours and the others as its peers; `None`
/// where the kernel refuses the system.
fn side(shape: Shape, grade: f64, request: SolveRequest) -> Fallible<Option<Side<'static>>> {
    let jacobian = graded_jacobian(shape.n, shape.p, grade);
    let b = vector(shape.n);
    let mut factors = Factors::new(shape.n, shape.p)?;
    let mut v = vec![0.0; shape.p];
    let Ok(report) = factors.solve(&jacobian, request, &b, &mut v) else { return Ok(None) };
    let mut right = vec![0.0; shape.p];
    jacobian.apply_transposed(&b, &mut right);
    // Kernels differ in what they count; their times are what is compared.
    let mut side = Side::calling(None, report.residual / norm(&right), move || {
        factors.invalidate();
        factors.solve(&jacobian, request, &b, &mut v)?;
        Ok(())
    });
    if request.solver != DampedSolver::Auto {
        side.peer = Some(request.solver.name().to_owned());
    }
    Ok(Some(side))
}
