//! Losses against differences of their own values, their stated constants, and a user's own loss.
//!
//! `g(psi + h v) = g + h grad g . v + (h^2/2) v^T Hess g v + O(h^3)`;
//! `nu norm(v)^2 <= v^T Hess g v <= mu norm(v)^2` (section 2.1).

#![allow(clippy::float_cmp, reason = "constants and values at the minimizer are exact")]

use gaussflow_objective::{LogCosh, Loss, LossError, Squared, WeightedSquares};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const OUTPUTS: usize = 5;

/// A loss that only a user would write: `sum_j sqrt(1 + r_j^2) + r_j^2 / 4`, r = psi - 1.
struct PseudoHuber;

impl Loss for PseudoHuber {
    fn outputs(&self) -> usize {
        OUTPUTS
    }
    fn value(&self, psi: &[f64]) -> f64 {
        psi.iter().map(|a| ((a - 1.0).hypot(1.0)) + 0.25 * (a - 1.0).powi(2)).sum()
    }
    fn gradient(&self, psi: &[f64], out: &mut [f64]) {
        for (o, a) in out.iter_mut().zip(psi) {
            *o = (a - 1.0) / (a - 1.0).hypot(1.0) + 0.5 * (a - 1.0);
        }
    }
    fn hessian_apply(&self, psi: &[f64], v: &[f64], out: &mut [f64]) {
        for ((o, a), v) in out.iter_mut().zip(psi).zip(v) {
            *o = ((a - 1.0).hypot(1.0).powi(-3) + 0.5) * v;
        }
    }
    fn strong_convexity(&self) -> f64 {
        0.5
    }
    fn smoothness(&self) -> f64 {
        1.5
    }
    fn minimum(&self) -> f64 {
        5.0
    }
    fn minimizer(&self, out: &mut [f64]) {
        out.fill(1.0);
    }
}

fn losses() -> Vec<(&'static str, Box<dyn Loss>)> {
    let targets = vec![0.3, -1.2, 2.0, 0.0, -0.4];
    let weights = vec![0.05, 1.0, 3.0, 0.4, 0.7];
    vec![
        ("squared", Box::new(Squared::new(targets.clone()).unwrap())),
        ("of residuals", Box::new(Squared::of_residuals(OUTPUTS))),
        ("weighted", Box::new(WeightedSquares::new(targets.clone(), weights).unwrap())),
        ("log-cosh", Box::new(LogCosh::new(targets, 0.3).unwrap())),
        ("a user's own", Box::new(PseudoHuber)),
    ]
}

fn draw(generator: &mut ChaCha8Rng, scale: f64) -> Vec<f64> {
    (0..OUTPUTS).map(|_| scale * generator.random_range(-1.0..1.0)).collect()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[test]
fn gradient_and_hessian_leave_taylor_remainders_of_order_two_and_three() {
    let mut generator = ChaCha8Rng::seed_from_u64(11);
    for (name, loss) in losses() {
        for _ in 0..20 {
            let (psi, v) = (draw(&mut generator, 2.0), draw(&mut generator, 1.0));
            let (mut gradient, mut image) = (vec![f64::NAN; OUTPUTS], vec![f64::NAN; OUTPUTS]);
            loss.gradient(&psi, &mut gradient);
            loss.hessian_apply(&psi, &v, &mut image);
            let (value, slope, bend) = (loss.value(&psi), dot(&gradient, &v), dot(&image, &v));
            let remainders = |h: f64| {
                let shifted: Vec<f64> = psi.iter().zip(&v).map(|(a, v)| a + h * v).collect();
                let first = loss.value(&shifted) - value - h * slope;
                (first.abs(), (first - 0.5 * h * h * bend).abs())
            };
            // Below the floor a remainder is rounding of the values; h = 0.02 and 0.002 stay above
            // it at first order.
            let floor = 50.0 * f64::EPSILON * value.max(1.0);
            let (coarse, fine) = (remainders(0.02), remainders(0.002));
            let order = (coarse.0 / fine.0).log10();
            assert!((order - 2.0).abs() < 0.1, "{name}: gradient order {order}");
            // Quadratic losses have no third order; others must fall 1000-fold.
            assert!(
                fine.1 <= 2e-3 * coarse.1 + floor,
                "{name}: Hessian remainders {coarse:?} {fine:?}"
            );
            assert!(coarse.1 <= 0.02_f64.powi(3) * 5.0 + floor, "{name}: {coarse:?}");
        }
    }
}

#[test]
fn the_stated_moduli_bracket_the_hessian_and_are_attained() {
    let mut generator = ChaCha8Rng::seed_from_u64(12);
    for (name, loss) in losses() {
        let (nu, mu) = (loss.strong_convexity(), loss.smoothness());
        let (mut least, mut most) = (f64::INFINITY, 0.0_f64);
        let mut probe = |psi: &[f64], v: &[f64]| {
            let mut image = [f64::NAN; OUTPUTS];
            loss.hessian_apply(psi, v, &mut image);
            let quotient = dot(v, &image) / dot(v, v);
            least = least.min(quotient);
            most = most.max(quotient);
        };
        for _ in 0..2000 {
            let scale = 10_f64.powf(generator.random_range(-3.0..3.0));
            probe(&draw(&mut generator, scale), &draw(&mut generator, 1.0));
        }
        let mut minimizer = vec![0.0; OUTPUTS];
        loss.minimizer(&mut minimizer);
        for k in 0..OUTPUTS {
            let mut unit = [0.0; OUTPUTS];
            unit[k] = 1.0;
            probe(&minimizer, &unit);
            probe(&[1e6; OUTPUTS], &unit);
        }
        assert!(nu > 0.0 && nu <= mu, "{name}");
        let slack = 1.0 + 8.0 * f64::EPSILON;
        assert!(least * slack >= nu && most <= mu * slack, "{name}: {least} {most}");
        // Neither modulus is slack: they are the best constants.
        assert!(least <= 1.001 * nu && most >= 0.999 * mu, "{name}: {least} {most}");
    }
}

#[test]
fn no_point_lies_below_the_minimum_and_the_minimizer_attains_it() {
    let mut generator = ChaCha8Rng::seed_from_u64(13);
    for (name, loss) in losses() {
        let (mut at, mut gradient) = (vec![f64::NAN; OUTPUTS], vec![f64::NAN; OUTPUTS]);
        loss.minimizer(&mut at);
        loss.gradient(&at, &mut gradient);
        assert_eq!(loss.value(&at), loss.minimum(), "{name}");
        assert_eq!(gradient, [0.0; OUTPUTS], "{name}");
        for _ in 0..100 {
            let step = draw(&mut generator, 3.0);
            let psi: Vec<f64> = at.iter().zip(&step).map(|(a, s)| a + s).collect();
            // Strong convexity: g - g* >= (nu/2) norm^2.
            let floor = 0.5 * loss.strong_convexity() * dot(&step, &step);
            let gap = loss.value(&psi) - loss.minimum();
            assert!(gap >= floor * (1.0 - 1e-12), "{name}: {gap} {floor}");
        }
    }
}

#[test]
fn values_in_closed_form() {
    let psi = [1.0, 0.0];
    let targets = vec![0.0, 2.0];
    assert_eq!(Squared::new(targets.clone()).unwrap().value(&psi), 5.0);
    assert_eq!(WeightedSquares::new(targets.clone(), vec![3.0, 0.5]).unwrap().value(&psi), 5.0);
    let expected = 1f64.cosh().ln() + 2f64.cosh().ln() + 0.2 * 5.0;
    assert!((LogCosh::new(targets, 0.4).unwrap().value(&psi) - expected).abs() < 1e-15 * 16.0);
    // Where cosh overflows the loss, its slope and its curvature stay finite.
    let far = LogCosh::new(vec![0.0], 1.0).unwrap();
    let (mut slope, mut bend) = ([0.0], [0.0]);
    far.gradient(&[1e5], &mut slope);
    far.hessian_apply(&[1e5], &[1.0], &mut bend);
    assert_eq!((slope[0], bend[0]), (1.0 + 1e5, 1.0));
}

#[test]
fn improper_losses_are_refused_with_their_numbers() {
    let refused = Squared::new(vec![0.0, f64::INFINITY]).unwrap_err();
    assert_eq!(refused, LossError::NonFiniteTarget { index: 1, value: f64::INFINITY });
    let refused = WeightedSquares::new(vec![0.0; 3], vec![1.0; 2]).unwrap_err();
    assert_eq!(refused, LossError::WeightCount { weights: 2, targets: 3 });
    for bad in [0.0, -1.0, f64::INFINITY] {
        let refused = WeightedSquares::new(vec![0.0; 2], vec![1.0, bad]).unwrap_err();
        assert_eq!(refused, LossError::InvalidWeight { index: 1, value: bad });
        let refused = LogCosh::new(vec![0.0], bad).unwrap_err();
        assert_eq!(refused, LossError::InvalidCurvature { value: bad });
    }
    assert!(matches!(
        LogCosh::new(vec![f64::NAN], 1.0),
        Err(LossError::NonFiniteTarget { index: 0, .. })
    ));
    assert!(matches!(
        WeightedSquares::new(vec![0.0], vec![f64::NAN]),
        Err(LossError::InvalidWeight { index: 0, .. })
    ));
}
