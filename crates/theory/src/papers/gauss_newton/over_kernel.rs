//! Section 3 at a point: the infinite-width limit, Assumption 1, and the bounds of the kernel's spectrum.

use gaussflow_network::{
    ActivationFunction, Architecture, InitialPoint, Initialization, infinite_width_kernel,
};
use gaussflow_objective::Linearization;
use gaussflow_solvers::faer::Mat;
use gaussflow_solvers::{JacobianOperator, inner_product};

use crate::TheoryError;
use crate::corrected::squared_inverse_supremum;
use crate::local::Local;
use crate::log_slope::log_slope;
use crate::network_constants::NetworkConstants;
use crate::printed;
use crate::problem::Problem;
use crate::referee::{Comparison, Hypothesis, Record, Statement};
use crate::sampling::Sampler;

/// Probability with which the bound of [`ntk_limit`] may fail for honest draws.
const RISK: f64 = 1e-6;

/// What a width's kernels came to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WidthError {
    /// m.
    pub hidden: usize,
    /// Root mean square over the seeds of `norm(K_0/m - K)_F / norm(K)_F`.
    pub error: f64,
}

/// `E[K_0]/m = K`, by the mean over all units of `seeds` draws of the widest network; and the error's
/// exponent over the widths against -1/2.
///
/// `limit_factor` multiplies the limit (1 but for a planted error).
pub fn ntk_limit(
    problem: &Problem,
    widths: &[usize],
    seeds: u64,
    limit_factor: f64,
) -> Result<(Vec<Record>, Vec<WidthError>), TheoryError> {
    let judge = |text, place| {
        let row = Statement { id: "over/ntk-limit", place: "section 3", text };
        row.judge(&problem.name, vec![], [place])
    };
    let (inputs, d) = (problem.input_rows(), problem.network.features());
    let activation = problem.network.last_layer().activation;
    let one_layer = Architecture::one_layer(1, activation);
    let (mut limit, quadrature) = infinite_width_kernel(&inputs, d, &one_layer, 1e-11)?;
    limit *= gaussflow_solvers::faer::Scale(limit_factor);
    let size = limit.norm_l2();
    let (mut errors, mut mean, mut units) = (Vec::new(), Mat::<f64>::zeros(0, 0), 0.0);
    for &hidden in widths {
        let mut squares = 0.0;
        let mut sum = Mat::<f64>::zeros(limit.nrows(), limit.ncols());
        for seed in 0..seeds {
            // Seeds of their own, so that the widths' errors are independent.
            let seed = 1000 * hidden as u64 + seed;
            let point = InitialPoint::draw(Initialization::Nullified, hidden, d, seed)?;
            let network = gaussflow_network::Network::new(&inputs, d, &point.signs, activation)?;
            let objective = gaussflow_objective::Objective::new(
                &network,
                std::sync::Arc::clone(&problem.loss),
                1.0,
            )?;
            let mut here = Linearization::new(&&network)?;
            here.move_to(&objective, &point.weights)?;
            let mut kernel = Mat::zeros(limit.nrows(), limit.ncols());
            here.jacobian().kernel(kernel.as_mut(), &mut Vec::new());
            let share = 1.0 / hidden as f64;
            let scaled = Mat::from_fn(limit.nrows(), limit.ncols(), |i, j| {
                share * kernel[(i.max(j), i.min(j))]
            });
            squares += (&scaled - &limit).norm_l2().powi(2) / (size * size);
            sum += &scaled;
        }
        errors.push(WidthError { hidden, error: (squares / seeds as f64).sqrt() });
        mean = sum * gaussflow_solvers::faer::Scale(1.0 / seeds as f64);
        units = hidden as f64 * seeds as f64;
    }
    // Each unit's kernel lies within R = sigma_1^2 norm(X X^T)_F of 0: McDiarmid's inequality for the norm
    // of the mean's error over M units gives R/(2 sqrt M) + R sqrt(ln(1/risk)/(2 M)).
    let x = Mat::from_fn(limit.nrows(), d, |j, k| inputs[j * d + k]);
    let reach = activation.bounds().first.powi(2)
        * gaussflow_faer::product(x.as_ref(), x.transpose()).norm_l2();
    let bound = reach / units.sqrt() * (0.5 + (0.5 * (1.0 / RISK).ln()).sqrt());
    let (off, rounding) = ((&mean - &limit).norm_l2(), quadrature * reach);
    let place = Comparison::new(off, bound, rounding, format!("{units} units"));
    let unbiased = judge("norm(mean of K_0/m - K)_F <= its bound for independent units", place);
    let points: Vec<_> = errors.iter().map(|e| (e.hidden as f64, (e.error, 0.0))).collect();
    let (slope, _) = log_slope(&points);
    let place = Comparison::new((slope + 0.5).abs(), 0.1, 0.0, format!("exponent {slope:.4}"));
    let law = judge("|exponent of norm(K_0/m - K)_F over m + 1/2| <= 0.1", place);
    let note = format!(
        "The right side is exceeded with probability {RISK:e} at most (McDiarmid). Quadrature of K: \
         estimated error {quadrature:.1e} of sigma_1^2 norm(x_i) norm(x_j). "
    );
    Ok((vec![unbiased.with_note(&note), law], errors))
}

/// Assumption 1: K_0 >= 4 lambda0^2 I, a definition of lambda0: reported.
pub fn assumption_1(problem: &Problem, constants: &NetworkConstants) -> Record {
    let row = Statement {
        id: "over/assumption-1",
        place: "Assumption 1",
        text: "lambda0^2 = lambda_min(K_0)/4 > 0 (left), lambda_n^2 = norm(K_0)/4 (right)",
    };
    let (left, right) = (constants.lambda0.powi(2), constants.lambda_n.powi(2));
    row.report(&problem.name, left, right, "")
}

/// Within r_0 = lambda0/L: K >= lambda0^2 I and norm(K) >= lambda_n^2.
pub fn kernel_stays(
    problem: &Problem,
    constants: &NetworkConstants,
    points: usize,
) -> Result<Record, TheoryError> {
    let row = Statement {
        id: "over/kernel-stays",
        place: "after Assumption 1",
        text: "max(lambda0^2 / lambda_min(K), lambda_n^2 / norm(K)) <= 1 for norm(w - w_0) < r_0",
    };
    let radius = constants.kernel_radius();
    let mut places = Vec::new();
    for (k, w) in Sampler::new(3).ball(&problem.initial, radius, points).iter().enumerate() {
        let here = Local::measure(problem, 1.0, w)?;
        // Eigenvalues carry n eps norm(K).
        let error = problem.outputs() as f64 * f64::EPSILON * here.largest();
        let low = constants.lambda0.powi(2) / here.smallest();
        let tolerance = error / here.smallest();
        places.push(Comparison::new(low, 1.0, tolerance, format!("lambda_min, point {k}")));
        let high = constants.lambda_n.powi(2) / here.largest();
        places.push(Comparison::new(high, 1.0, f64::EPSILON, format!("norm, point {k}")));
    }
    let assumed = vec![Hypothesis::above("lambda0", constants.lambda0, 0.0)];
    Ok(row.judge(&problem.name, assumed, places))
}

/// (10): the quadratic form of (9) at grad g, and on the whole spectrum of K, against the printed bound
/// times `factor` (1 but for a planted bound).
pub fn squared_inverse_bound(
    problem: &Problem,
    here: &Local,
    constants: &NetworkConstants,
    damping: f64,
    factor: f64,
) -> Record {
    let row = Statement {
        id: "over/squared-inverse-bound",
        place: "(10)",
        text: "b^T J H_rho^-2 J^T b <= (1-rho)^-2 lambda_n^2/(lambda_n^2 + rho0)^2 norm(b)^2 for b = grad g and for each eigenvector b of K",
    };
    let value = |gamma: f64| {
        let sum = (1.0 - damping) * gamma + damping;
        gamma / (sum * sum)
    };
    let form = here.quadratic_form(&here.gradient, value);
    let square = inner_product(&here.gradient, &here.gradient);
    let against = |bound: f64| {
        // An eigenvalue is off by n eps norm(K), of which the function changes by at most itself over it.
        let n = problem.outputs() as f64;
        let relative = 8.0 * n * f64::EPSILON * here.largest() / here.smallest();
        let mut places = vec![Comparison::new(
            form / square,
            bound,
            relative * bound,
            "b = grad g(alpha f(w))".to_owned(),
        )];
        places.extend(here.eigenvalues().into_iter().map(|gamma| {
            let at = format!("eigenvector of gamma = {gamma:.4e}");
            Comparison::new(value(gamma), bound, relative * bound, at)
        }));
        places
    };
    let claimed = factor * printed::squared_inverse_bound(constants.lambda_n, damping);
    let supremum = squared_inverse_supremum(constants.lambda0, damping);
    let assumed = vec![
        Hypothesis::above("lambda0", constants.lambda0, 0.0),
        Hypothesis::above("rho", damping, 0.0),
        Hypothesis::at_most(
            "rho against lambda_n^2/(1+lambda_n^2)",
            damping,
            constants.largest_damping(),
        ),
        Hypothesis::at_least(
            "lambda_min(K) against lambda0^2",
            here.smallest(),
            constants.lambda0.powi(2),
        ),
    ];
    row.judge(&problem.name, assumed.clone(), against(claimed))
        .with_corrected(
            "at most the supremum over [lambda0^2, infinity): lambda0^2/((1-rho) lambda0^2 + rho)^2 if rho0 <= lambda0^2, else 1/(4 rho (1-rho))",
            &assumed,
            against(supremum),
        )
        .with_note(&format!(
            "x/(x + rho0)^2 decreases for x >= rho0, so that its value at the largest eigenvalue is the \
             smallest, not the largest. At grad g the quotient is {:.3}.",
            form / square / claimed
        ))
}
