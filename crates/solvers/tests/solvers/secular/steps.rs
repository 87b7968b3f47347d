//! `SecularFactor` against the equations of the trust-region subproblem, over shapes, ranks and scales.
//!
//! With `A = diag(t) J D^-1`, d minimizes `norm(b + A d)` in `norm(d) <= radius` exactly if
//! `A^T (A d + b) + lambda d = 0` with lambda >= 0, and lambda = 0 or norm(d) = radius. A backward stable d
//! meets the equation to `eps (norm(A)^2 norm(d) + norm(A) norm(b) + lambda norm(d))`, times a polynomial.

use gaussflow_solvers::{DenseJacobian, JacobianOperator, SecularFactor, SecularMethod, norm};
use proptest::prelude::*;
use rand_chacha::ChaCha8Rng;

use crate::cases::settings;
use crate::systems::{EPS, gaussian, generator};

/// What is wrong with the columns of J.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Plain,
    /// Rank min(n, p) / 2, rounded up: sums of that many columns.
    Deficient,
    /// Every third column is zero.
    ZeroColumns,
    /// Columns of sizes 1e-8 to 1e8.
    BadlyScaled,
    /// The second half of the columns repeats the first.
    Twins,
}

const KINDS: [Kind; 5] =
    [Kind::Plain, Kind::Deficient, Kind::ZeroColumns, Kind::BadlyScaled, Kind::Twins];

/// A problem and its factor, b projected.
struct Case {
    rows: usize,
    /// A by columns.
    a: Vec<Vec<f64>>,
    b: Vec<f64>,
    scales: Vec<f64>,
    factor: SecularFactor,
}

fn columns(rng: &mut ChaCha8Rng, n: usize, p: usize, kind: Kind) -> Vec<Vec<f64>> {
    let mut found: Vec<Vec<f64>> = (0..p).map(|_| gaussian(rng, n)).collect();
    match kind {
        Kind::Plain => {}
        Kind::Deficient => {
            let rank = n.min(p).div_ceil(2);
            for k in rank..p {
                let weights = gaussian(rng, rank);
                found[k] = (0..n)
                    .map(|j| weights.iter().zip(&found[..rank]).map(|(w, c)| w * c[j]).sum())
                    .collect();
            }
        }
        Kind::ZeroColumns => found.iter_mut().step_by(3).for_each(|column| column.fill(0.0)),
        Kind::BadlyScaled => {
            for (column, size) in found.iter_mut().zip(gaussian(rng, p)) {
                let factor = 10_f64.powf((4.0 * size).clamp(-8.0, 8.0));
                column.iter_mut().for_each(|x| *x *= factor);
            }
        }
        Kind::Twins => {
            let (first, second) = found.split_at_mut(p / 2);
            second.iter_mut().zip(first.iter()).for_each(|(twin, column)| twin.clone_from(column));
        }
    }
    found
}

/// D is 1 for even seeds, else the columns' norms; row factors but for every third seed.
fn case(seed: u64, (n, p): (usize, usize), kind: Kind, method: SecularMethod) -> Case {
    let mut rng = generator(seed);
    let dense = columns(&mut rng, n, p, kind);
    let mut jacobian = DenseJacobian::zeros(n, p);
    for (k, column) in dense.iter().enumerate() {
        column.iter().enumerate().for_each(|(j, &x)| jacobian.matrix_mut()[(j, k)] = x);
    }
    let plain = method == SecularMethod::Eigenvalues || seed.is_multiple_of(3);
    let t: Vec<f64> = gaussian(&mut rng, n).iter().map(|x| x.abs() + 0.1).collect();
    let mut factor = SecularFactor::new(n, p);
    factor.load(&jacobian, (!plain).then_some(&t[..]), method).unwrap();
    let sizes = factor.column_norms().to_vec();
    let one = |size: f64| if seed.is_multiple_of(2) || size == 0.0 { 1.0 } else { size };
    let scales: Vec<f64> = sizes.into_iter().map(one).collect();
    let free: Vec<usize> = (0..p).collect();
    factor.factor(&scales, &free).unwrap();
    let factors = |j: usize| if plain { 1.0 } else { t[j] };
    let a: Vec<Vec<f64>> = dense
        .iter()
        .zip(&scales)
        .map(|(c, d)| c.iter().enumerate().map(|(j, x)| factors(j) * x / d).collect())
        .collect();
    let b = gaussian(&mut rng, n);
    if factor.takes_gradient() {
        let mut gradient = vec![0.0; p];
        jacobian.apply_transposed(&b, &mut gradient);
        factor.project_gradient(&gradient, &scales);
    } else {
        factor.project(&b);
    }
    Case { rows: n, a, b, scales, factor }
}

fn dot(x: &[f64], y: &[f64]) -> f64 {
    x.iter().zip(y).map(|(x, y)| x * y).sum()
}

impl Case {
    fn apply(&self, d: &[f64]) -> Vec<f64> {
        (0..self.rows).map(|j| self.a.iter().zip(d).map(|(c, d)| c[j] * d).sum()).collect()
    }

    /// `norm(A)_F`.
    fn size(&self) -> f64 {
        norm(&self.a.iter().map(|c| norm(c)).collect::<Vec<_>>())
    }

    fn work(&self) -> f64 {
        (self.rows + self.a.len()) as f64
    }

    /// The defect of `first A^T A d + A^T b + second d = 0` over its bound.
    fn defect(&self, d: &[f64], first: f64, second: f64) -> f64 {
        let image = self.apply(d);
        let defects: Vec<f64> = self
            .a
            .iter()
            .zip(d)
            .map(|(c, d)| first * dot(c, &image) + dot(c, &self.b) + second * d)
            .collect();
        let (size, length) = (self.size(), norm(d));
        let allowed = (size * size + second) * length + size * norm(&self.b);
        norm(&defects) / (10.0 * self.work() * EPS * allowed).max(f64::MIN_POSITIVE)
    }

    fn step(&mut self, damping: f64) -> Vec<f64> {
        let mut d = vec![0.0; self.a.len()];
        self.factor.step(damping, &mut d);
        d
    }
}

fn shapes() -> impl Strategy<Value = (usize, usize)> {
    // Tall, wide and square; below and above the order from which blocked kernels factor.
    prop_oneof![
        Just((1, 1)),
        (1..12_usize, 1..12_usize),
        (1..12_usize).prop_map(|n| (n, n)),
        (33..60_usize, 33..60_usize),
        (40..80_usize, 2..6_usize),
        (2..6_usize, 40..80_usize),
        // Beyond the order to which singular vectors are made.
        (65..90_usize, 65..90_usize),
    ]
}

fn methods() -> impl Strategy<Value = SecularMethod> {
    prop_oneof![Just(SecularMethod::SingularValues), Just(SecularMethod::Eigenvalues)]
}

/// J times a power of two is a change of units alone: sizes from 1e-150 to 1e150.
fn in_other_units(
    seed: u64,
    shape: (usize, usize),
    kind: Kind,
    exponent: i32,
) -> Result<(), TestCaseError> {
    let factor = 2_f64.powi(exponent);
    let mut rng = generator(seed);
    let dense = columns(&mut rng, shape.0, shape.1, kind);
    let b = gaussian(&mut rng, shape.0);
    let free: Vec<usize> = (0..shape.1).collect();
    let solved = |units: f64| {
        let mut jacobian = DenseJacobian::zeros(shape.0, shape.1);
        for (k, column) in dense.iter().enumerate() {
            column.iter().enumerate().for_each(|(j, &x)| jacobian.matrix_mut()[(j, k)] = units * x);
        }
        let mut secular = SecularFactor::new(shape.0, shape.1);
        secular.load(&jacobian, None, SecularMethod::SingularValues).unwrap();
        secular.factor(&vec![1.0; shape.1], &free).unwrap();
        secular.project(&b);
        let radius = 1e-3 * secular.step_norm(0.0);
        let damping = secular.damping_for(radius, 0.0);
        let mut d = vec![0.0; shape.1];
        secular.step(damping, &mut d);
        let d: Vec<f64> = d.iter().map(|d| d * units).collect();
        let ends = secular.extreme_singular_values();
        secular.decompose();
        let values: Vec<f64> = secular.singular_values().iter().map(|s| s / units).collect();
        let found = values.iter().copied().fold(0.0, f64::max);
        let least = values.iter().copied().fold(f64::INFINITY, f64::min);
        assert!((ends.largest / units - found).abs() <= 1e-13 * found);
        assert!((ends.smallest / units - least).abs() <= 1e-13 * found);
        (values, damping / units / units, d)
    };
    let (plain, moved) = (solved(1.0), solved(factor));
    // The small kernels change no bit, faer's some; norms of extreme sizes are rounded in another way.
    let error = if shape.0.min(shape.1) <= 32 {
        prop_assert_eq!(&plain.0, &moved.0);
        1e-13
    } else {
        1e-9
    };
    prop_assert!((moved.1 - plain.1).abs() <= error * plain.1, "{} {}", plain.1, moved.1);
    let apart: Vec<f64> = plain.2.iter().zip(&moved.2).map(|(x, y)| x - y).collect();
    prop_assert!(norm(&apart) <= error * norm(&plain.2));
    Ok(())
}

proptest! {
    #![proptest_config(settings(400, 61))]

    #[test]
    fn units_change_no_digit(
        seed: u64, shape in shapes(), exponent in prop::sample::select(&[-498, -300, 300, 498][..]),
        kind in prop::sample::select(&[Kind::Plain, Kind::ZeroColumns][..]),
    ) {
        in_other_units(seed, shape, kind, exponent)?;
    }

    #[test]
    fn a_step_in_a_trust_region_is_its_minimizer(
        seed: u64, shape in shapes(), kind in prop::sample::select(&KINDS), method in methods(),
        decades in -6.0..2.0_f64, guess in prop_oneof![Just(0.0), 1e-8..1e8_f64],
    ) {
        let mut case = case(seed, shape, kind, method);
        let whole = case.factor.step_norm(0.0);
        let radius = 10_f64.powf(decades) * if whole > 0.0 { whole } else { 1.0 };
        let damping = case.factor.damping_for(radius, guess);
        let d = case.step(damping);
        let length = norm(&d);
        prop_assert!(case.defect(&d, 1.0, damping) <= 1.0, "{}", case.defect(&d, 1.0, damping));
        if damping == 0.0 {
            // The Gauss-Newton step lies inside.
            prop_assert!(whole <= 1.1 * radius && length <= 1.11 * radius);
        } else {
            prop_assert!(damping > 0.0 && whole > 1.1 * radius);
            prop_assert!((length / radius - 1.0).abs() <= 0.1 + 1e-10, "{length} {radius}");
        }
        // What the fit takes from the factor without forming the step: norm(D v) for v = d / D, and norm(A d).
        let v: Vec<f64> = d.iter().zip(&case.scales).map(|(d, s)| d / s).collect();
        let scaled: Vec<f64> = v.iter().zip(&case.scales).map(|(v, s)| v * s).collect();
        prop_assert!((norm(&scaled) - case.factor.step_norm(damping)).abs() <= 1e-12 * length);
        let image = norm(&case.apply(&d));
        let found = case.factor.image_of_step(damping);
        if case.factor.takes_gradient() {
            // Of A^T A only the square is known, to eps norm(A)^2.
            let whole = (case.size() * length).powi(2);
            prop_assert!((image * image - found).abs() <= 10.0 * case.work() * EPS * whole);
        } else {
            let allowed = 1e-12 * case.size() * (length + f64::MIN_POSITIVE);
            prop_assert!((image - found.sqrt()).abs() <= allowed);
        }
    }

    #[test]
    fn damped_steps_solve_equation_1(
        seed: u64, shape in shapes(), kind in prop::sample::select(&KINDS), method in methods(),
        rho in prop_oneof![Just(1.0), Just(0.5), 1e-12..1.0_f64],
    ) {
        let mut case = case(seed, shape, kind, method);
        let mut d = vec![0.0; shape.1];
        case.factor.damped_step(rho, &mut d);
        prop_assert!(case.defect(&d, 1.0 - rho, rho) <= 1.0, "{}", case.defect(&d, 1.0 - rho, rho));
    }

    /// Where rank is lost, the undamped step is the shortest minimizer, and its image the projection of b.
    #[test]
    fn undamped_steps_are_the_shortest_minimizers(seed: u64, shape in shapes(), place in 0..3_usize) {
        let kind = [Kind::Plain, Kind::ZeroColumns, Kind::Twins][place];
        let mut case = case(seed, shape, kind, SecularMethod::SingularValues);
        let d = case.step(0.0);
        prop_assert!(case.defect(&d, 1.0, 0.0) <= 1.0, "{}", case.defect(&d, 1.0, 0.0));
        let size = norm(&d);
        let p = d.len();
        // Twins and zero columns are known kernel vectors; rounding of A turns the kernel by so much.
        let projected = case.factor.image_norm();
        case.factor.decompose();
        let values = case.factor.singular_values().to_vec();
        let largest = values.iter().fold(0.0, |a: f64, s| a.max(*s));
        let kept = values.iter().filter(|s| **s > 1e-10 * largest).fold(largest, |a, s| a.min(*s));
        let allowed = 100.0 * p as f64 * EPS * size * largest / kept;
        match kind {
            Kind::ZeroColumns => {
                prop_assert!(size == 0.0 || d.iter().step_by(3).all(|x| x.abs() <= allowed));
            }
            Kind::Twins => {
                for k in p / 2..2 * (p / 2) {
                    prop_assert!((d[k] - d[k - p / 2]).abs() <= allowed);
                }
            }
            _ => {}
        }
        // norm(P b)^2 = -b^T A d.
        let image = case.apply(&d);
        prop_assert!((projected * projected + dot(&case.b, &image)).abs() <= 1e-9 * dot(&case.b, &case.b));
    }
}

/// `A^T A (A^T A)^-1 = I` for orders beyond 64, and none where rank is lost or A is wide.
#[test]
fn inverses_of_large_gram_matrices_are_inverses() {
    for (seed, shape) in [(4, (90, 70)), (5, (70, 70)), (9, (70, 90))] {
        for kind in [Kind::Plain, Kind::Twins] {
            let mut case = case(seed, shape, kind, SecularMethod::SingularValues);
            let p = shape.1;
            let full = shape.0 >= p && kind != Kind::Twins;
            let root = case.factor.inverse_triangle(1e-10);
            assert_eq!(root.is_some(), full, "{shape:?} {kind:?}");
            let Some(root) = root else { continue };
            let row = |k: usize| &root[k * p..][..p];
            for i in 0..p {
                let x: Vec<f64> = (0..p).map(|k| dot(row(i), row(k))).collect();
                let image = case.apply(&x);
                for (k, column) in case.a.iter().enumerate() {
                    let expected = f64::from(u8::from(i == k));
                    let found = dot(column, &image);
                    assert!((found - expected).abs() < 1e-7, "{i} {k}: {found}");
                }
            }
        }
    }
}

/// A damped step keeps what lies along columns that the Gram matrix cannot tell from 0.
#[test]
fn lost_eigenvalues_keep_their_share_of_the_gradient() {
    let mut case =
        case(561_353_959_330_269_420, (11, 2), Kind::BadlyScaled, SecularMethod::Eigenvalues);
    let mut d = vec![0.0; 2];
    case.factor.damped_step(0.5, &mut d);
    assert!(case.defect(&d, 0.5, 0.5) <= 0.1, "{}", case.defect(&d, 0.5, 0.5));
    let values = case.factor.singular_values();
    let (least, most) = (values[0].min(values[1]), values[0].max(values[1]));
    assert!(least > 0.0 && least <= case.factor.resolution() * most, "{values:?}");
}

/// `min (b + a d)^2` in `abs(d) <= radius`, where everything is known.
#[test]
fn one_by_one_is_the_closed_form() {
    let mut jacobian = DenseJacobian::zeros(1, 1);
    let sizes = [2.0, -1e-70, 1e70, 1e-150, 1e150, -7e-140, 3e99, 0.0];
    for (a, b) in sizes.into_iter().flat_map(|a| [(a, 1.0), (a, -4e3), (a, 5e-3)]) {
        jacobian.matrix_mut()[(0, 0)] = a;
        let mut factor = SecularFactor::new(1, 1);
        factor.load(&jacobian, None, SecularMethod::Auto).unwrap();
        factor.factor(&[1.0], &[0]).unwrap();
        factor.project(&[b]);
        let mut d = [f64::NAN];
        factor.step(0.0, &mut d);
        let expected = if a == 0.0 { 0.0 } else { -b / a };
        assert!((d[0] - expected).abs() <= 4.0 * EPS * expected.abs(), "{a} {b}: {d:?}");
        let radius = 0.25 * expected.abs();
        let damping = factor.damping_for(if a == 0.0 { 1.0 } else { radius }, 0.0);
        factor.step(damping, &mut d);
        if a == 0.0 {
            assert_eq!((damping, d[0]), (0.0, 0.0));
        } else {
            assert!((d[0].abs() / radius - 1.0).abs() <= 0.1 + 1e-12 && d[0] * expected > 0.0);
            // d = -a b / (a^2 + lambda).
            assert!(
                (d[0] * (a + damping / a) / -b - 1.0).abs() <= 8.0 * EPS,
                "{a} {b}: {damping:e}"
            );
        }
    }
}
