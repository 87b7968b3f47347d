//! Losses against differences of their own values, their stated constants, and a user's own loss.
//!
//! `g(psi + h v) = g + h grad g . v + (h^2/2) v^T Hess g v + O(h^3)`;
//! `nu norm(v)^2 <= v^T Hess g v <= mu norm(v)^2` (section 2.1).

#![allow(clippy::float_cmp, reason = "constants and values at the minimizer are exact")]

use gaussflow_objective::{
    LogCosh, Logistic, Loss, LossError, Poisson, SmoothHuber, Softmax, Squared, WeightedSquares,
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const OUTPUTS: usize = 6;

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
        6.0
    }
    fn minimizer(&self, out: &mut [f64]) -> bool {
        out.fill(1.0);
        true
    }
}

fn losses() -> Vec<(&'static str, Box<dyn Loss>)> {
    let targets = vec![0.3, -1.2, 2.0, 0.0, -0.4, 1.1];
    let weights = vec![0.05, 1.0, 3.0, 0.4, 0.7, 0.2];
    let shares = vec![0.2, 0.5, 0.3, 0.7, 0.1, 0.2];
    vec![
        ("squared", Box::new(Squared::new(targets.clone()).unwrap())),
        ("of residuals", Box::new(Squared::of_residuals(OUTPUTS))),
        ("weighted", Box::new(WeightedSquares::new(targets.clone(), weights).unwrap())),
        ("log-cosh", Box::new(LogCosh::new(targets.clone(), 0.3).unwrap())),
        ("huber", Box::new(SmoothHuber::new(targets, 0.8).unwrap())),
        ("logistic", Box::new(Logistic::new(shares.clone()).unwrap())),
        ("logistic, certain", Box::new(Logistic::new(vec![0.0, 1.0, 1.0, 0.0, 1.0, 0.0]).unwrap())),
        ("softmax", Box::new(Softmax::new(shares, 3).unwrap())),
        ("softmax, certain", Box::new(Softmax::of_classes(&[2, 0], 3).unwrap())),
        ("two classes", Box::new(Softmax::of_classes(&[1, 0, 1], 2).unwrap())),
        ("poisson", Box::new(Poisson::new(vec![3.0, 1.0, 0.5, 7.0, 2.0, 4.0]).unwrap())),
        (
            "poisson, with zeros",
            Box::new(Poisson::new(vec![3.0, 0.0, 0.0, 7.0, 2.0, 4.0]).unwrap()),
        ),
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
        minimizer.iter_mut().for_each(|x| *x = x.clamp(-1e6, 1e6));
        for k in 0..OUTPUTS {
            let mut unit = [0.0; OUTPUTS];
            unit[k] = 1.0;
            probe(&minimizer, &unit);
            probe(&[1e6; OUTPUTS], &unit);
            probe(&[0.0; OUTPUTS], &unit);
        }
        // Two equally probable classes, beside others that are not: the largest curvature of a cross-entropy.
        let o = loss.outputs_of_a_sample();
        let (mut pair, mut apart) = ([-40.0; OUTPUTS], [0.0; OUTPUTS]);
        for first in (0..OUTPUTS).step_by(o).take(if o > 1 { OUTPUTS } else { 0 }) {
            (pair[first], pair[first + 1]) = (0.0, 0.0);
            (apart[first], apart[first + 1]) = (1.0, -1.0);
        }
        if o > 1 {
            probe(&pair, &apart);
        }
        assert!(nu >= 0.0 && nu <= mu, "{name}");
        let slack = 1.0 + 8.0 * f64::EPSILON;
        assert!((least + 1e-15) * slack >= nu && most <= mu * slack, "{name}: {least} {most}");
        // Neither modulus is slack: they are the best constants.
        let attained = if mu.is_finite() { most >= 0.999 * mu } else { most > 1e100 };
        assert!(least <= 1.001 * nu + 1e-6 && attained, "{name}: {least} {most}");
    }
}

#[test]
fn no_point_lies_below_the_minimum_and_the_minimizer_attains_it() {
    let mut generator = ChaCha8Rng::seed_from_u64(13);
    for (name, loss) in losses() {
        let (mut at, mut gradient) = (vec![f64::NAN; OUTPUTS], vec![f64::NAN; OUTPUTS]);
        if !loss.minimizer(&mut at) {
            assert!(at.iter().any(|x| x.is_infinite()), "{name}");
            // The infimum is approached on the way there.
            at.iter_mut().for_each(|x| *x = x.clamp(-40.0, 40.0));
            let gap = loss.value(&at) - loss.minimum();
            assert!((-1e-14..1e-14).contains(&gap), "{name}: {gap}");
            continue;
        }
        loss.gradient(&at, &mut gradient);
        let gap = loss.value(&at) - loss.minimum();
        assert!(gap.abs() <= 1e-14, "{name}: {gap}");
        assert!(gradient.iter().all(|x| x.abs() <= 2e-15), "{name}: {gradient:?}");
        for _ in 0..100 {
            let step = draw(&mut generator, 3.0);
            let psi: Vec<f64> = at.iter().zip(&step).map(|(a, s)| a + s).collect();
            // Strong convexity: g - g* >= (nu/2) norm^2.
            let floor = 0.5 * loss.strong_convexity() * dot(&step, &step);
            let gap = loss.value(&psi) - loss.minimum();
            assert!(gap >= floor * (1.0 - 1e-12) - 1e-14, "{name}: {gap} {floor}");
        }
    }
}

#[test]
fn roots_multiply_to_the_hessian_and_carry_the_gradient() {
    let mut generator = ChaCha8Rng::seed_from_u64(14);
    for (name, loss) in losses().into_iter().filter(|(name, _)| *name != "a user's own") {
        let o = loss.outputs_of_a_sample();
        for scale in [0.1, 3.0, 30.0] {
            let (psi, v) = (draw(&mut generator, scale), draw(&mut generator, 1.0));
            let (mut root, mut b) = (vec![f64::NAN; OUTPUTS * o], vec![f64::NAN; OUTPUTS]);
            assert!(loss.hessian_root(&psi, &mut root, &mut b), "{name}");
            let (mut image, mut gradient) = (vec![0.0; OUTPUTS], vec![0.0; OUTPUTS]);
            loss.hessian_apply(&psi, &v, &mut image);
            loss.gradient(&psi, &mut gradient);
            for first in (0..OUTPUTS).step_by(o) {
                let block = &root[first * o..(first + o) * o];
                let along = |l: usize| (0..o).map(|k| block[k * o + l] * v[first + k]).sum::<f64>();
                let turned: Vec<f64> = (0..o).map(along).collect();
                for k in 0..o {
                    let row = &block[k * o..(k + 1) * o];
                    let (product, carried) = (dot(row, &turned), dot(row, &b[first..first + o]));
                    let (expected, slope) = (image[first + k], gradient[first + k]);
                    let near = |a: f64, b: f64, size: f64| (a - b).abs() <= 1e-14 * (size + 1e-300);
                    assert!(
                        near(product, expected, 1.0 + expected.abs()),
                        "{name} {scale} {product} {expected}"
                    );
                    let size = row.iter().zip(&b[first..]).map(|(r, b)| (r * b).abs()).sum::<f64>();
                    assert!(near(carried, slope, size), "{name} {scale}: {carried} {slope}");
                }
                // b is orthogonal to what R maps to 0: to (1, .., 1) before diag(sqrt pi).
                if o > 1 {
                    let largest = psi[first..first + o].iter().copied().fold(f64::MIN, f64::max);
                    let weights: Vec<f64> =
                        psi[first..first + o].iter().map(|x| (0.5 * (x - largest)).exp()).collect();
                    let b = &b[first..first + o];
                    let size: f64 = b.iter().zip(&weights).map(|(b, w)| (b * w).abs()).sum();
                    assert!(dot(b, &weights).abs() <= 1e-14 * size, "{name} {scale}");
                }
            }
        }
    }
    let mut root = [0.0; OUTPUTS];
    assert!(!PseudoHuber.hessian_root(&[0.0; OUTPUTS], &mut root, &mut [0.0; OUTPUTS]));
}

#[test]
fn classes_keep_their_digits_in_the_tails() {
    let far = Softmax::of_classes(&[0], 3).unwrap();
    let psi = [300.0, -300.0, -310.0];
    let expected = (-600f64).exp() * (1.0 + (-10f64).exp());
    assert!((far.value(&psi) / expected - 1.0).abs() < 1e-13);
    let mut gradient = [0.0; 3];
    far.gradient(&psi, &mut gradient);
    assert!((gradient[0] / -expected - 1.0).abs() < 1e-13, "{gradient:?}");
    // Softmax of two classes is the logistic loss of the difference.
    let (two, one) = (Softmax::of_classes(&[1], 2).unwrap(), Logistic::new(vec![1.0]).unwrap());
    for x in [-700.0, -3.0, 0.0, 5.0, 40.0, 700.0] {
        let (a, b) = (two.value(&[0.25, x + 0.25]), one.value(&[x]));
        assert!((a / b - 1.0).abs() < 1e-13, "{x}: {a} {b}");
        let (mut root, mut b) = ([0.0; 4], [0.0; 2]);
        assert!(two.hessian_root(&[0.25, x + 0.25], &mut root, &mut b));
        assert!(root.iter().chain(&b).all(|x| x.is_finite()));
    }
    let refused = |result: Result<Softmax, LossError>| result.unwrap_err().to_string();
    assert!(
        refused(Softmax::of_classes(&[0, 3], 3))
            .contains("sample 1 is of class 3; accepted: 0 to 2")
    );
    assert!(refused(Softmax::of_classes(&[0], 1)).contains("two classes or more"));
    assert!(refused(Softmax::new(vec![0.5, 0.6], 2)).contains("sum up to 1.1"));
    assert!(refused(Softmax::new(vec![0.5; 3], 2)).contains("3 targets for 2 classes"));
    assert!(Logistic::new(vec![0.0, 1.5]).unwrap_err().to_string().contains("target 1 is 1.5"));
    assert!(Poisson::new(vec![-1.0]).unwrap_err().to_string().contains("target 0 is -1"));
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
