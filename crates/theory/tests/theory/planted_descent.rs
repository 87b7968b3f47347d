//! Gradient descent (Oymak and Soltanolkotabi): right constants hold, wrong ones are caught, and the counterexample to
//! Theorem 4.3 is what an independent computation found.

use gaussflow_network::{Activation, ActivationFunction, InitialPoint, Initialization};
use gaussflow_objective::LipschitzConstants;
use gaussflow_theory::papers::descent::iterates::{
    Bounds, Descent, theorem_2_1, theorem_2_3, theorem_9_3,
};
use gaussflow_theory::papers::descent::shallow::{Leaky, Shallow, counterexample, theorem_4_3};
use gaussflow_theory::{Problem, Record, Sampler, Verdict, half_squares};

use crate::planted::pair;

/// Five rows, twelve units, labels at a quarter of the largest distance.
fn problem() -> (Problem, Bounds) {
    let mut sampler = Sampler::new(80);
    let inputs = sampler.normal(15);
    let kind = Initialization::Nullified;
    let point = InitialPoint::draw(kind, 12, 3, 1).unwrap();
    let build = |labels: Vec<f64>| {
        let loss = half_squares(labels).unwrap();
        Problem::new("five rows", (&inputs, 3), kind, &point, Activation::Tanh, loss).unwrap()
    };
    let bounds = Bounds::of(&build(vec![1.0; 5])).unwrap();
    let size = bounds.least_at_start.powi(2) / (128.0 * bounds.lipschitz);
    let labels = sampler.direction(5).iter().map(|y| size * y).collect();
    (build(labels), bounds)
}

#[test]
fn rates_distances_and_paths() {
    let (problem, bounds) = problem();
    for lambda in [0.25, 0.5, 0.9] {
        let run = Descent::new("run", &problem, bounds, (lambda, 1.0)).unwrap();
        let trajectory = run.iterate(300).unwrap();
        pair(&theorem_9_3(&run, &trajectory, 1.0), &theorem_9_3(&run, &trajectory, 40.0));
        pair(
            &theorem_2_3(&run, &trajectory, 1.0).unwrap(),
            &theorem_2_3(&run, &trajectory, 0.2).unwrap(),
        );
    }
    let run = Descent::new("run", &problem, bounds, (0.5, 1.0)).unwrap();
    let trajectory = run.iterate(300).unwrap();
    let right = theorem_2_1(&run, &trajectory, 1.0);
    assert!(right.iter().all(|record| record.verdict == Verdict::Holds), "{right:?}");
    // A step beyond the largest is refused by its hypothesis.
    let long = Descent { step: 1.01 * run.largest_step(), ..run };
    assert_eq!(theorem_9_3(&long, &trajectory, 1.0).verdict, Verdict::HypothesesUnmet);
}

/// A linear map of one row: the residual falls by 1 - eta sigma^2 a step, along a path of norm(r_0)/sigma. The theorem
/// leaves factors of four, and what goes beyond is caught.
#[test]
fn on_a_line_the_slack_is_four() {
    let activation = Leaky { size: 2.0, slope: 1.0 };
    let shallow = Shallow::new("line", (&[1.5], 1), &[1.0], &[0.3], (activation, &[0.7])).unwrap();
    let run = shallow.repaired("line").unwrap();
    assert!((run.least - 3.0).abs() < 1e-14 && (run.norm - 3.0).abs() < 1e-14);
    let trajectory = run.iterate(100).unwrap();
    let right = theorem_2_1(&run, &trajectory, 1.0);
    assert!(right.iter().all(|record| record.verdict == Verdict::Holds), "{right:?}");
    // (1 - eta sigma^2)^2 = 1/4 at the largest eta, 1/(2 sigma^2).
    assert!((trajectory.samples[1].loss / trajectory.samples[0].loss - 0.25).abs() < 1e-12);
    assert_eq!(theorem_2_1(&run, &trajectory, 3.1)[0].verdict, Verdict::Violated);
    // alpha_0 beyond four times sigma: not admitted, and distance and path show it.
    let bounds = Bounds { least: 4.1 * run.least, ..run.bounds };
    let far = Descent { least: bounds.least, bounds, ..run };
    let planted = theorem_2_1(&far, &trajectory, 0.0);
    assert!(planted[1].verdict == Verdict::Violated && planted[2].verdict == Verdict::Violated);
    // The bound of Theorem 2.3 is attained.
    pair(
        &theorem_2_3(&run, &trajectory, 1.0).unwrap(),
        &theorem_2_3(&run, &trajectory, 0.99).unwrap(),
    );
}

/// The largest alpha_0 solves `alpha_0 = sigma - L radius`, and the step is that of the paper.
#[test]
fn the_constants_are_the_ones_defined() {
    let (problem, bounds) = problem();
    let run = Descent::new("run", &problem, bounds, (0.5, 1.0)).unwrap();
    let radius = 4.0 * run.residual / run.least;
    let expected = bounds.least_at_start - bounds.lipschitz * radius;
    assert!((run.least / expected - 1.0).abs() < 1e-12);
    let quotient = run.least.powi(2) / (bounds.lipschitz * run.residual);
    let step = quotient.min(1.0) / (2.0 * run.norm * run.norm);
    assert!((run.step / step - 1.0).abs() < 1e-12);
    assert!(
        bounds.least_within(1e-3) < bounds.least_at_start
            && bounds.norm <= problem.network.lipschitz()
    );
}

/// The numbers are those of a computation with 50 digits.
#[test]
fn the_printed_step_of_theorem_4_3_raises_the_loss() {
    let shallow = counterexample().unwrap();
    let initial = &shallow.problem.initial;
    assert!((initial[1] - 7.279_141_170_247_761).abs() < 1e-12, "{initial:?}");
    assert!((shallow.printed_step() / 2_538_071_065.989_848 - 1.0).abs() < 1e-12);
    let records = theorem_4_3(&shallow, 20, 1.0).unwrap();
    let repaired = shallow.repaired("repaired").unwrap();
    assert!((repaired.step / 25_395.95 - 1.0).abs() < 1e-6, "{}", repaired.step);
    let rate = &records[0];
    assert_eq!(rate.verdict, Verdict::Violated);
    assert!(rate.hypotheses.iter().all(|hypothesis| hypothesis.met));
    let first = Descent { step: shallow.printed_step(), ..repaired }.iterate(1).unwrap();
    let target = shallow.problem.minimizer();
    let ratio = first.samples[1].distance_to(&target) / first.samples[0].distance_to(&target);
    assert!((ratio - 1.029_066_166_664_486).abs() < 1e-10, "{ratio}");
    let corrected: Vec<Verdict> =
        records.iter().filter_map(|r| r.corrected.as_ref()).map(|c| c.verdict).collect();
    assert_eq!(corrected, [Verdict::Holds; 2]);
    let planted = theorem_4_3(&shallow, 20, 1e6).unwrap();
    assert_eq!(planted[0].corrected.as_ref().unwrap().verdict, Verdict::Violated);
    // The distance fails at once, as W_0 is not 0.
    assert_eq!(records[1].verdict, Verdict::Violated);
}

/// Where the slope is not flat and W_0 = 0, the printed theorem holds.
#[test]
fn theorem_4_3_holds_on_a_steep_unit() {
    let inputs = [1.0, 0.2, -0.3, 0.8];
    let activation = Leaky { size: 1.0, slope: 0.5 };
    let shallow =
        Shallow::new("steep", (&inputs, 2), &[1.0], &[0.0, 0.0], (activation, &[0.1, -0.2]))
            .unwrap();
    let records: Vec<Record> = theorem_4_3(&shallow, 50, 1.0).unwrap();
    assert!(records.iter().all(|record| record.verdict == Verdict::Holds), "{records:?}");
}

#[test]
fn the_leaky_unit_has_the_bounds_it_states() {
    let activation = Leaky { size: 2.0, slope: 0.25 };
    let bounds = activation.bounds();
    let z: Vec<f64> = (-4000..=4000).map(|k| f64::from(k) / 500.0).collect();
    let mut out = [vec![0.0; z.len()], vec![0.0; z.len()], vec![0.0; z.len()]];
    let [value, first, second] = &mut out;
    activation.evaluate(&z, value, first, second);
    let largest = |values: &[f64]| values.iter().fold(0.0_f64, |most, x| most.max(x.abs()));
    assert!((largest(&out[1]) / bounds.first - 1.0).abs() < 1e-12);
    assert!((largest(&out[2]) / bounds.second - 1.0).abs() < 1e-6);
    assert!(out[1].iter().all(|slope| *slope >= 0.5));
    for k in (1..z.len() - 1).step_by(97) {
        let quotient = (out[0][k + 1] - out[0][k - 1]) / (z[k + 1] - z[k - 1]);
        assert!((quotient - out[1][k]).abs() < 1e-5);
    }
}
