//! The family of small problems on which the adversary attacks Theorems 2.3 and 2.4.

use crate::TheoryError;
use crate::papers::lazy::finite_horizon::{HorizonRuns, finite_horizon, parameter_distance};
use crate::papers::lazy::over::{OverRun, over, over_sharper};
use crate::papers::lazy::setting::{Setting, with_squares};
use crate::referee::{Family, Genes, Trial};
use crate::small_problem::{Shape, in_numbers, small_problem};
use crate::trajectory::Stepper;

/// Every family.
pub(super) const FAMILIES: &[Family] =
    &[Family { name: "lazy, small problems with p >= n", cost: 24, trial }];

/// sigma / norm(J_0) below which a draw is passed over.
const WORST_RATIO: f64 = 0.05;
/// Length of the flows of Theorem 2.4 in units of `1/(m sigma^2)`. At the twenty times judged the bound has visibly fallen:
/// near t = 0 both sides are norm(y), and a search would only come there.
const HORIZON: f64 = 8.0;

/// Theorem 2.3 with squares at any K and radius, Theorem 2.4 with the problem's own loss, printed and sharper.
fn trial(genes: &mut Genes<'_>) -> Result<Trial, TheoryError> {
    let (problem, constants) = small_problem(genes, Shape::Wide)?;
    if constants.lambda0 < WORST_RATIO * constants.lambda_n {
        return Err(TheoryError::PassedOver { reason: "gradient flow is too stiff" });
    }
    let squares = Setting::measure(with_squares(&problem)?)?;
    let horizon = genes.scale(0.1, 30.0);
    let radius = HorizonRuns::natural_radius(&squares, horizon) * genes.scale(0.01, 100.0);
    let multiple = genes.above(1.0);
    let runs = HorizonRuns::new(&squares, horizon, radius, &[multiple])?;

    let setting = Setting::measure(problem)?;
    let length = HORIZON / (setting.constants.strong_convexity * setting.sigma().powi(2));
    let (low, high) =
        (genes.above(setting.sharper_scaling()), genes.above(setting.printed_scaling()));
    let sharper = setting.flow_by(Stepper::Stiff, low, length, 20)?;
    let printed = setting.flow_by(Stepper::Stiff, high, length, 20)?;
    let run = |flow| OverRun { setting: &setting, flow };
    let numbers = [
        ("K", horizon),
        ("r", radius),
        ("alpha over the least of Theorem 2.3", multiple),
        ("alpha of Theorem 2.4", high),
        ("sharper alpha", low),
    ];
    Ok(Trial {
        problem: in_numbers(&setting.problem, &numbers),
        records: vec![
            finite_horizon(&runs, 1.0),
            parameter_distance(&runs, [2.0, 4.0 / 3.0], [0.5, 1.0 / 3.0]),
            over(&run(&printed), 0.25).corrected_by(over_sharper(&run(&sharper), 0.25)),
        ],
    })
}
