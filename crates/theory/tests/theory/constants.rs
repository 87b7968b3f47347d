//! The constants of a small network against numbers computed directly from its formula.
//!
//! lambda0 = sigma_min(Df(w_0)) / 2, ball radius 2 lambda0 r / L (Lemma 3), alpha of Theorem 5.

use gaussflow_dynamics::{Diagnostics, Flow, Preconditioner, SolveSettings};
use gaussflow_network::{Activation, Network};
use gaussflow_objective::{Objective, Squared, WeightedSquares};
use gaussflow_theory::Constants;

/// Two rows of one feature and two units: J = (c_i x_j sech^2(x_j w_i)) is 2 x 2.
const X: [f64; 2] = [1.0, 2.0];
const W: [f64; 2] = [0.3, -0.6];
const C: [f64; 2] = [1.0, -1.0];

/// Extreme singular values of a 2 x 2 matrix: s^2 = (T -+ sqrt(T^2 - 4 D^2)) / 2.
fn singular_values(m: [[f64; 2]; 2]) -> (f64, f64) {
    let trace: f64 = m.iter().flatten().map(|x| x * x).sum();
    let determinant = m[0][0] * m[1][1] - m[0][1] * m[1][0];
    let largest = (0.5 * (trace + (trace * trace - 4.0 * determinant * determinant).sqrt())).sqrt();
    (determinant.abs() / largest, largest)
}

fn network() -> Network {
    Network::new(&X, 1, &C, Activation::Tanh).unwrap().nullified_at(&W).unwrap()
}

fn start<L: gaussflow_objective::Loss>(objective: &Objective<Network, L>) -> Constants {
    let mut flow =
        Flow::new(objective, Preconditioner::GaussNewton, SolveSettings::default()).unwrap();
    flow.move_to(&W).unwrap();
    Constants::at_start(objective, &Diagnostics::measure(&mut flow, &W).unwrap())
}

fn relative(found: f64, expected: f64) -> f64 {
    (found / expected - 1.0).abs()
}

#[test]
fn constants_of_a_small_network_are_those_computed_by_hand() {
    let objective =
        Objective::new(network(), Squared::new(vec![3.0, -4.0]).unwrap(), 16.0).unwrap();
    let found = start(&objective);
    let entry = |j: usize, i: usize| C[i] * X[j] / (X[j] * W[i]).cosh().powi(2);
    let (smallest, _) = singular_values([[entry(0, 0), entry(0, 1)], [entry(1, 0), entry(1, 1)]]);
    assert!(relative(found.lambda0, 0.5 * smallest) < 1e-13);
    // (X X^T) * (X X^T) has the rows (1, 4) and (4, 16): its largest eigenvalue is 17.
    let expected = 4.0 / (3.0 * 3_f64.sqrt()) * 17_f64.sqrt();
    assert!(relative(found.jacobian_lipschitz, expected) < 1e-14);
    // sigma_1 sqrt(m) sigma_max(X) = sqrt(2) sqrt(5).
    assert!(relative(found.lipschitz, 10_f64.sqrt()) < 1e-14);
    let moduli = (found.strong_convexity, found.smoothness, found.initial_gap);
    assert_eq!(moduli, (2.0, 2.0, 25.0));

    let (lambda0, modulus, r) = (0.5 * smallest, expected, 0.3);
    assert!(relative(found.ball_radius(r), 2.0 * lambda0 * r / modulus) < 1e-13);
    // mu L sqrt(Delta_0) / (2 sqrt(2) r (1-r) nu^(3/2) lambda0^2), with nu^(3/2) = 2 sqrt(2).
    let printed = 2.0 * modulus * 5.0 / (8.0 * r * (1.0 - r) * lambda0 * lambda0);
    assert!(relative(found.printed_scaling(r), printed) < 1e-12);
    // The printed threshold is least at r = 1/2, and symmetric.
    assert!(relative(found.printed_scaling(0.7), found.printed_scaling(0.3)) < 1e-14);
    assert!(found.printed_scaling(0.5) < found.printed_scaling(0.3));
}

#[test]
fn a_weighted_loss_enters_by_both_its_moduli() {
    let loss = WeightedSquares::new(vec![3.0, -4.0], vec![0.25, 4.0]).unwrap();
    let found = start(&Objective::new(network(), loss, 16.0).unwrap());
    let moduli = (found.strong_convexity, found.smoothness, found.initial_gap);
    assert_eq!(moduli, (0.5, 8.0, 0.25 * 9.0 + 4.0 * 16.0));
    let plain =
        start(&Objective::new(network(), Squared::new(vec![3.0, -4.0]).unwrap(), 16.0).unwrap());
    // mu / nu^(3/2) grows 4 * 8-fold, sqrt(Delta_0) by its own ratio.
    let expected = 32.0 * (66.25_f64 / 25.0).sqrt() * plain.printed_scaling(0.5);
    assert!(relative(found.printed_scaling(0.5), expected) < 1e-13);
}

/// Inside B the smallest singular value stays above lambda0 (1 - r) 2: what B is for.
#[test]
fn inside_the_ball_the_jacobian_keeps_its_rank() {
    let objective =
        Objective::new(network(), Squared::new(vec![3.0, -4.0]).unwrap(), 16.0).unwrap();
    let constants = start(&objective);
    let r = 0.5;
    let radius = constants.ball_radius(r);
    for k in 0..32 {
        let (sin, cos) = (f64::from(k) * std::f64::consts::PI / 16.0).sin_cos();
        let w = [W[0] + radius * cos, W[1] + radius * sin];
        let entry = |j: usize, i: usize| C[i] * X[j] / (X[j] * w[i]).cosh().powi(2);
        let (smallest, _) =
            singular_values([[entry(0, 0), entry(0, 1)], [entry(1, 0), entry(1, 1)]]);
        assert!(smallest >= 2.0 * constants.lambda0 * (1.0 - r), "{k}: {smallest}");
    }
}
