//! Planted errors: each audit function holds with the right constant and is violated with a wrong one.
//!
//! Rows without a pair here: `over/assumption-1`, `under/assumption-2` and `under/assumption-3` are
//! reported, not judged; statements that are false as printed (`over/squared-inverse-bound`,
//! `over/bounded-gradient`, `under/alpha-guideline`, ...) are planted the other way round: what they
//! should say instead holds, and the printed constant is violated. `under/projection` is an identity without a
//! constant to change: only its right side is tested here. `under/sublevel-convex` has none either: whether it
//! fails is decided by the sign of a curvature that the run measures.

use gaussflow_dynamics::Preconditioner;
use gaussflow_network::{Activation, ActivationBounds, ActivationFunction};
use gaussflow_objective::{Loss, Squared};
use gaussflow_theory::papers::gauss_newton::over_continuous::{self as flow, OverRun};
use gaussflow_theory::papers::gauss_newton::over_discrete::{self as discrete, Iterates};
use gaussflow_theory::papers::gauss_newton::plan::{
    counterexample, counterexample_scaling, theorem_1_counterexample,
};
use gaussflow_theory::papers::gauss_newton::under_flow::{self, Corrections, UnderRun};
use gaussflow_theory::papers::gauss_newton::under_geodesics::{Joining, gradient_bounds};
use gaussflow_theory::papers::gauss_newton::under_geometry::{
    self as geometry, HessianRange, corrected_rate,
};
use gaussflow_theory::papers::gauss_newton::under_immersion::{self as immersion, Ball};
use gaussflow_theory::papers::gauss_newton::{
    over_identities as identities, over_kernel as kernel, setting, under_chart as chart,
};
use gaussflow_theory::{
    BestInClass, FlowPlan, Local, NetworkConstants, Problem, Record, Sampler, Stepper, TheoryError,
    Trajectory, Verdict,
};

pub fn pair(right: &Record, wrong: &Record) {
    assert_eq!(right.verdict, Verdict::Holds, "{right:?}");
    assert_eq!(wrong.verdict, Verdict::Violated, "{wrong:?}");
}

/// p > n: six rows, lambda0 below 1.
fn over() -> (Problem, NetworkConstants) {
    let mut sampler = Sampler::new(20);
    let inputs = sampler.normal(18);
    let problem =
        Problem::regression("over", (&inputs, 3), &Sampler::new(21).normal(6), 24, 3).unwrap();
    let constants = NetworkConstants::measure(&problem).unwrap();
    (problem, constants)
}

/// p < n: forty rows, two units.
fn under() -> (Problem, NetworkConstants) {
    let mut sampler = Sampler::new(50);
    let inputs = sampler.normal(120);
    let problem = Problem::regression("under", (&inputs, 3), &sampler.normal(40), 2, 3).unwrap();
    let constants = NetworkConstants::measure(&problem).unwrap();
    (problem, constants)
}

#[test]
fn settings() {
    let (problem, constants) = under();
    let mut moved = problem.clone();
    moved.initial[0] += 1e-3; // f is nullified somewhere else
    pair(&setting::nullified(&problem).unwrap(), &setting::nullified(&moved).unwrap());
    let tanh = Activation::Tanh;
    let bounds = tanh.bounds();
    let smaller = ActivationBounds { second: 0.999 * bounds.second, ..bounds };
    pair(
        &setting::activation_bounds("tanh", &tanh, bounds),
        &setting::activation_bounds("tanh", &tanh, smaller),
    );
    let lipschitz = |l| setting::jacobian_lipschitz(&problem, &constants, l).unwrap();
    let lower = constants.jacobian_lipschitz_lower;
    pair(&lipschitz(constants.jacobian_lipschitz), &lipschitz(0.999 * lower));
    let f = |l| setting::lipschitz_f(&problem, &constants, l).unwrap();
    pair(&f(constants.lipschitz), &f(0.999 * constants.lipschitz));
    let loss = Squared::new(vec![1.0, -2.0]).unwrap();
    let moduli = |nu, mu| setting::loss_constants("squares", &loss, nu, mu);
    pair(&moduli(2.0, 2.0), &moduli(2.001, 2.0));
    pair(&moduli(2.0, 2.0), &moduli(2.0, 1.999));
}

#[test]
fn kernels() {
    let (problem, constants) = over();
    let (records, _) = kernel::ntk_limit(&problem, &[64, 256, 1024], 16, 1.0).unwrap();
    let (wrong, _) = kernel::ntk_limit(&problem, &[64, 256, 1024], 16, 1.2).unwrap();
    pair(&records[0], &wrong[0]);
    pair(&records[1], &wrong[1]); // a wrong limit does not improve with width
    let tripled = NetworkConstants { lambda0: 3.0 * constants.lambda0, ..constants };
    let stays = |c| kernel::kernel_stays(&problem, c, 4).unwrap();
    pair(&stays(&constants), &stays(&tripled));
    let start = Local::measure(&problem, 1.0, &problem.initial).unwrap();
    for rho in [0.01, 0.3] {
        let ratio = rho / (1.0 - rho);
        let output = |r| identities::output_flow(&problem, &start, rho, r).unwrap();
        pair(&output(ratio), &output(rho)); // rho0 is not rho
        let eigen = |g: f64| g / ((1.0 - rho) * g + rho);
        let wrong = |g: f64| g / (g + rho);
        pair(
            &identities::eigenpairs(&problem, &start, rho, eigen).unwrap(),
            &identities::eigenpairs(&problem, &start, rho, wrong).unwrap(),
        );
        let squared = |r| identities::squared_inverse(&problem, &start, rho, r).unwrap();
        pair(&squared(ratio), &squared(ratio * (1.0 + 1e-6)));
        let printed = kernel::squared_inverse_bound(&problem, &start, &constants, rho, 1.0);
        pair(&kernel::squared_inverse_bound(&problem, &start, &constants, rho, 1e3), &printed);
        assert_eq!(printed.corrected.unwrap().verdict, Verdict::Holds);
    }
    let bounded = discrete::bounded_gradient(&problem, &constants, constants.gradient_bound());
    assert_eq!(bounded.verdict, Verdict::Violated);
    assert_eq!(bounded.corrected.unwrap().verdict, Verdict::Holds);
    let planted =
        discrete::bounded_gradient(&problem, &constants, 0.99 * constants.gradient_bound());
    assert_eq!(planted.corrected.unwrap().verdict, Verdict::Violated);
}

fn flow_of(
    problem: &Problem,
    preconditioner: Preconditioner,
    scaling: f64,
    horizon: f64,
) -> Trajectory {
    let stepper = match preconditioner {
        Preconditioner::Gradient => Stepper::Stiff,
        _ => Stepper::Explicit,
    };
    let plan = FlowPlan { preconditioner, scaling, horizon, samples: 40, stepper };
    Trajectory::integrate(problem, &plan).unwrap()
}

#[test]
fn flows_with_damping() {
    let (problem, constants) = over();
    let mut minimizer = vec![0.0; problem.outputs()];
    problem.loss.minimizer(&mut minimizer);
    let square = constants.lambda0.powi(2);
    let fast = NetworkConstants { lambda0: 6.0 * constants.lambda0, ..constants };
    let (faster, steep) = (nu(&constants, 20.0), nu(&constants, 12.0));
    let moved = NetworkConstants { lambda0: 50.0 * constants.lambda0, ..constants };
    for damping in [0.1, square, square / (1.0 + square), 1.0] {
        let preconditioner = if damping < 1.0 {
            Preconditioner::LevenbergMarquardt { damping }
        } else {
            Preconditioner::Gradient
        };
        let scaling = constants
            .never_exits_scaling()
            .max(constants.theorem_1_scaling(0.9 * damping.min(0.9)));
        let trajectory = flow_of(&problem, preconditioner, scaling, 3.0);
        let run = |constants| OverRun {
            name: "over",
            constants,
            damping,
            trajectory: &trajectory,
            minimum: 0.0,
            minimizer: &minimizer,
        };
        let (right, wrong) = (run(&constants), run(&fast));
        pair(&flow::energy_dissipation(&right), &flow::energy_dissipation(&wrong));
        let n = problem.outputs();
        pair(&flow::polyak_lojasiewicz(&right, n, 2.0), &flow::polyak_lojasiewicz(&right, n, 2.01));
        pair(&flow::gap_bound(&right), &flow::gap_bound(&run(&faster)));
        pair(&flow::output_bound(&right), &flow::output_bound(&run(&faster)));
        let stays = flow::never_exits_corrected(&right);
        assert_eq!(stays.verdict, Verdict::Holds);
        assert!(!flow::never_exits_corrected(&run(&moved)).comparison.holds());
        if damping >= 1.0 {
            pair(&flow::gradient_flow_rate(&right), &flow::gradient_flow_rate(&run(&faster)));
        } else if (damping - square).abs() < 1e-15 {
            pair(&flow::damping_equals_lambda(&right), &flow::damping_equals_lambda(&run(&steep)));
        } else if damping > 0.15 {
            pair(&flow::admissible_damping(&right), &flow::admissible_damping(&run(&steep)));
        } else {
            pair(&flow::theorem_1(&right), &flow::theorem_1(&run(&steep)));
        }
    }
}

/// A modulus nu that is too large: every rate is then too fast.
fn nu(constants: &NetworkConstants, nu: f64) -> NetworkConstants {
    NetworkConstants { strong_convexity: nu, ..*constants }
}

#[test]
fn lemma_2_is_found_false_and_its_correction_true() {
    let (problem, constants) = over();
    let damping = 0.1;
    let preconditioner = Preconditioner::LevenbergMarquardt { damping };
    let scaling = constants.theorem_1_scaling(damping) / 20.0;
    // A problem on which the printed alpha is generous: a twentieth of it leaves, and is unmet.
    let trajectory = flow_of(&problem, preconditioner, scaling, 3.0);
    let minimizer = vec![0.0; problem.outputs()];
    let run = OverRun {
        name: "over",
        constants: &constants,
        damping,
        trajectory: &trajectory,
        minimum: 0.0,
        minimizer: &minimizer,
    };
    let record = flow::never_exits(&run);
    assert_eq!(record.verdict, Verdict::HypothesesUnmet);
    assert!(!record.comparison.holds());
}

#[test]
fn iterates() -> Result<(), TheoryError> {
    let (problem, constants) = over();
    let damping = 1e-3;
    let preconditioner = Preconditioner::LevenbergMarquardt { damping };
    let wrong = nu(&constants, 8.0);
    let run = |constants, scaled_step, trajectory| Iterates {
        name: "over",
        problem: &problem,
        constants,
        damping,
        scaled_step,
        trajectory,
    };
    let (step, scaling) =
        (constants.consistent_step(damping), constants.consistent_scaling(damping));
    let trajectory = Trajectory::iterate(&problem, preconditioner, scaling, step / scaling, 30)?;
    pair(
        &discrete::theorem_2_consistent(&run(&constants, step, &trajectory)),
        &discrete::theorem_2_consistent(&run(&wrong, step, &trajectory)),
    );
    let (step, scaling) = (constants.repaired_step(damping), constants.repaired_scaling(damping));
    let trajectory = Trajectory::iterate(&problem, preconditioner, scaling, step / scaling, 3)?;
    let repaired = discrete::repaired_rate(&run(&constants, step, &trajectory));
    assert_eq!(repaired.verdict, Verdict::Holds);
    assert_eq!(
        discrete::never_exits_repaired(&run(&constants, step, &trajectory)).verdict,
        Verdict::Holds
    );
    // Where linearization leaves nothing (e >= 0.472) there is no factor: above 1 it would not bound anything.
    let excess = |scaling: f64| {
        constants.jacobian_lipschitz * (1.0 - damping) * constants.gradient_bound()
            / (constants.smoothness
                * scaling
                * ((1.0 - damping) * constants.lambda0.powi(2) + damping))
    };
    let edge = excess(1.0) / (2.0 * 5.0_f64.sqrt() - 4.0);
    let modulus = |scaling: f64| constants.repaired_modulus(damping, scaling);
    assert!(modulus(1.001 * edge).is_some_and(|factor| factor < 1.0));
    assert!(modulus(scaling).is_some_and(|factor| factor < 1.0));
    assert_eq!(modulus(0.999 * edge), None);
    let curved =
        NetworkConstants { jacobian_lipschitz: 1e3 * constants.jacobian_lipschitz, ..constants };
    let none = discrete::repaired_rate(&run(&curved, step, &trajectory));
    assert!(none.verdict == Verdict::NotApplicable && none.hypotheses.iter().any(|h| !h.met));
    assert!(none.note.contains("nothing is guaranteed"), "{}", none.note);
    let far = NetworkConstants { jacobian_lipschitz: 1e4, ..constants };
    assert!(!discrete::never_exits_repaired(&run(&far, step, &trajectory)).comparison.holds());
    // The appendix's chain: L/2 for the printed sqrt(n/m) factor, and a wrong L.
    let (step, scaling) = (constants.appendix_step(damping), constants.theorem_2_scaling(damping));
    let trajectory = Trajectory::iterate(&problem, preconditioner, scaling, step / scaling, 10)?;
    let chain = discrete::descent_chain(&run(&constants, step, &trajectory))?;
    assert!(
        chain.iter().filter(|r| r.statement.place == "(28)").all(|r| r.verdict == Verdict::Holds)
    );
    let small = NetworkConstants { jacobian_lipschitz: 1e-3, ..constants };
    let planted = discrete::descent_chain(&run(&small, step, &trajectory))?;
    let corrected = |records: &[Record]| records[1].corrected.as_ref().map(|c| c.verdict);
    assert_eq!(corrected(&chain), Some(Verdict::Holds));
    assert_eq!(corrected(&planted), Some(Verdict::Violated));
    Ok(())
}

#[test]
fn points_of_the_ball() -> Result<(), TheoryError> {
    let (problem, constants) = under();
    let large = NetworkConstants { lambda0: 4.1 * constants.lambda0, ..constants };
    let ball =
        |constants| Ball { problem: &problem, constants, scaling: 8.0, fraction: 0.5, points: 4 };
    let right = ball(&constants);
    pair(&immersion::gram_stays(&right)?, &immersion::gram_stays(&ball(&large))?);
    assert_eq!(immersion::projection(&right)?.verdict, Verdict::Holds);
    pair(&immersion::output_flow(&right, 1.0)?, &immersion::output_flow(&right, 1.001)?);
    pair(
        &immersion::energy_dissipation(&right, 1.0)?,
        &immersion::energy_dissipation(&right, 1.0 + 1e-6)?,
    );
    let p = problem.parameters();
    pair(&immersion::kernel_singular(&right, p)?, &immersion::kernel_singular(&right, p - 1)?);
    let l = constants.jacobian_lipschitz;
    pair(&chart::manifold_dimension(&right, l)?, &chart::manifold_dimension(&right, 1e-4 * l)?);
    pair(&chart::tangent_space(&right, l)?, &chart::tangent_space(&right, 1e-4 * l)?);
    pair(&chart::injective(&right, 1.0)?, &chart::injective(&right, 3.0)?);
    let short = chart::immersion_remark(std::f64::consts::PI);
    pair(&short, &chart::immersion_remark(4.0 * std::f64::consts::PI));
    let gradient = immersion::riemannian_gradient(&right)?;
    assert_eq!(gradient[0].verdict, Verdict::Holds);
    assert_eq!(gradient[1].verdict, Verdict::Violated);
    assert_eq!(gradient[1].corrected.as_ref().map(|c| c.verdict), Some(Verdict::Holds));
    let range = HessianRange::measure(&right)?;
    let convex = |nu| geometry::geodesic_strong_convexity(&right, &range, nu);
    pair(&convex(range.smallest.iter().copied().fold(9.0, f64::min))?, &convex(2.0)?);
    let smooth = |mu| geometry::geodesic_smoothness(&right, &range, mu);
    pair(&smooth(range.largest.iter().copied().fold(0.0, f64::max))?, &smooth(2.0)?);
    Ok(())
}

#[test]
fn theorem_5() -> Result<(), TheoryError> {
    let problem = counterexample()?;
    let constants = NetworkConstants::measure(&problem)?;
    let ball = |constants, scaling| Ball {
        problem: &problem,
        constants,
        scaling,
        fraction: 0.5,
        points: 4,
    };
    let printed = counterexample_scaling(&problem, &constants)?;
    let least = corrected_rate(&ball(&constants, printed))?.least_scaling();
    let fast = nu(&constants, 4.5);
    let wide = NetworkConstants { lambda0: 2.5 * constants.lambda0, ..constants };
    for scaling in [printed, least] {
        let trajectory = flow_of(&problem, Preconditioner::GaussNewton, scaling, 4.0);
        let optimum = BestInClass::polish(&problem, scaling, &trajectory.last().weights)?;
        assert!(optimum.smallest_curvature > 0.0);
        let run = |constants| UnderRun {
            ball: ball(constants, scaling),
            trajectory: &trajectory,
            optimum: Some(&optimum),
        };
        let right = run(&constants);
        assert_eq!(under_flow::monotone(&right).verdict, Verdict::Holds);
        let rate = under_flow::theorem_5_rate(&right)?;
        let radius = under_flow::theorem_5_radius(&right, Corrections::AsPrinted)?;
        assert_eq!(radius.verdict, Verdict::Holds);
        assert!(
            !under_flow::theorem_5_radius(&run(&wide), Corrections::AsPrinted)?.comparison.holds()
        );
        if scaling.total_cmp(&printed).is_eq() {
            // Every hypothesis met, and both displays fail by far.
            assert!(rate.iter().all(|r| r.verdict == Verdict::Violated));
            assert!(rate[0].comparison.ratio().unwrap() > 50.0);
            let decay = under_flow::gradient_decay(&right, Corrections::AsPrinted)?;
            assert_eq!(decay.verdict, Verdict::Violated);
            let length = |w: &[f64]| {
                let o = |w: f64| {
                    [
                        scaling * (w.tanh() - 0.5_f64.tanh()),
                        scaling * ((3.0 * w).tanh() - 1.5_f64.tanh()),
                    ]
                };
                let (a, b) = (o(w[0]), o(optimum.weights[0]));
                // A chord is shorter than the arc: a bound from below is enough for (20), left.
                let length = (a[0] - b[0]).hypot(a[1] - b[1]);
                let points = (0..=8)
                    .map(|k| {
                        vec![optimum.weights[0] + (w[0] - optimum.weights[0]) * f64::from(k) / 8.0]
                    })
                    .collect();
                Ok(Some(Joining { length, error: 1e-9, points }))
            };
            let bounds = |factor| {
                gradient_bounds(&right.ball, &trajectory, &optimum, factor, length).unwrap()
            };
            let (honest, planted) = (bounds(1.0), bounds(60.0));
            assert_eq!(honest[0].verdict, Verdict::Violated);
            assert_eq!(honest[1].verdict, Verdict::Violated);
            assert_eq!(honest[2].verdict, Verdict::Holds);
            // Corrected, all three hold; with moduli off by a factor none does.
            let corrected = |records: &[Record]| -> Vec<Verdict> {
                records.iter().filter_map(|r| r.corrected.as_ref()).map(|c| c.verdict).collect()
            };
            assert_eq!(corrected(&honest), [Verdict::Holds; 3]);
            assert_eq!(corrected(&planted), [Verdict::Violated; 3]);
        } else {
            pair(
                &under_flow::theorem_5_corrected(&right)?,
                &under_flow::theorem_5_corrected(&run(&fast))?,
            );
            let decay = |c| under_flow::gradient_decay(&c, Corrections::Applied);
            pair(&decay(right)?, &decay(run(&fast))?);
        }
    }
    Ok(())
}

/// The gap over the bound (11) at t = 4 is what SciPy's DOP853 found at a relative tolerance of 1e-12, and every
/// hypothesis is met.
#[test]
fn theorem_1_fails_at_its_printed_alpha() {
    let (problem, damping) = theorem_1_counterexample().unwrap();
    let constants = NetworkConstants::measure(&problem).unwrap();
    let scaling = constants.theorem_1_scaling(damping);
    assert!((scaling / 3_387.432_928_250_364 - 1.0).abs() < 1e-10, "{scaling}");
    let preconditioner = Preconditioner::LevenbergMarquardt { damping };
    let trajectory = flow_of(&problem, preconditioner, scaling, 4.0);
    let minimizer = problem.minimizer();
    let run = OverRun::new("two rows", &problem, (&constants, damping), &trajectory, &minimizer);
    let record = flow::theorem_1(&run);
    assert_eq!(record.verdict, Verdict::Violated);
    assert!(record.hypotheses.iter().all(|hypothesis| hypothesis.met));
    assert!(
        (record.comparison.ratio().unwrap() / 8.569_007_419_052 - 1.0).abs() < 1e-6,
        "{record:?}"
    );
    let scaling = constants.never_exits_scaling();
    let trajectory = flow_of(&problem, preconditioner, scaling, 4.0);
    let run = OverRun { trajectory: &trajectory, ..run };
    assert_eq!(flow::theorem_1_corrected(&run).verdict, Verdict::Holds);
}
