//! The Riemannian Hessian against principal curvatures: linear losses, and losses with nu below mu.

use gaussflow_manifold::OutputManifold;
use gaussflow_objective::{LogCosh, Loss, WeightedSquares};
use gaussflow_solvers::faer::Mat;

use crate::shapes::{
    SCALINGS, SHAPES, Shape, TARGETS, dot, length, near, point, squared, tangent, with_loss,
};
use crate::surfaces::{RADIUS, circle, sphere};

const SLOPE: [f64; 3] = [0.7, -1.5, 0.4];

/// `g(x) = <slope, x>`: all curvature of g on M is curvature of M.
struct Linear(Vec<f64>);

impl Loss for Linear {
    fn outputs(&self) -> usize {
        self.0.len()
    }
    fn value(&self, psi: &[f64]) -> f64 {
        dot(&self.0, psi)
    }
    fn gradient(&self, _: &[f64], out: &mut [f64]) {
        out.copy_from_slice(&self.0);
    }
    fn hessian_apply(&self, _: &[f64], _: &[f64], out: &mut [f64]) {
        out.fill(0.0);
    }
    fn strong_convexity(&self) -> f64 {
        0.0
    }
    fn smoothness(&self) -> f64 {
        0.0
    }
    fn minimum(&self) -> f64 {
        f64::NEG_INFINITY
    }
    fn minimizer(&self, out: &mut [f64]) -> bool {
        out.fill(f64::NAN);
        false
    }
}

/// On a sphere (or circle) of radius r, `Hess_M <s, x> = -(<s, x> / r^2) I`.
#[test]
fn a_linear_loss_on_a_sphere_has_the_hessian_of_its_height() {
    for alpha in SCALINGS {
        for w in [[0.8, -1.1], [2.0, 2.4]] {
            for (jet, p, n) in [(circle as crate::surfaces::Jet, 1, 2), (sphere, 2, 3)] {
                let objective = with_loss(jet, p, Linear(SLOPE[..n].to_vec()), alpha);
                let mut manifold = OutputManifold::new(&objective).unwrap();
                let mut here = manifold.at(&w[..p]).unwrap();
                let r = alpha * RADIUS;
                let height = dot(&SLOPE[..n], &point(jet, &w, alpha)[..n]);
                let expected = -height / (r * r);
                let bound = 1e-12 * length(&SLOPE) / r;
                let hessian = here.riemannian_hessian().unwrap();
                for k in 0..p {
                    for l in 0..p {
                        let entry = if k == l { expected } else { 0.0 };
                        assert!((hessian[(k, l)] - entry).abs() < bound, "{hessian:?} {entry}");
                    }
                }
                let extremes = here.hessian_extremes().unwrap();
                for eigen in [&extremes.smallest, &extremes.largest] {
                    assert!((eigen.value - expected).abs() < bound);
                }
                let quotient = here.hessian_quotient(&[0.4, -0.9][..p]).unwrap();
                assert!(quotient.loss == 0.0 && (quotient.curvature - expected).abs() < bound);
            }
        }
    }
}

/// On any surface the eigenvalues of a linear loss are `<s, normal>` times the principal curvatures.
#[test]
fn a_linear_loss_has_the_principal_curvatures_times_its_normal_slope() {
    for (shape, alpha) in SHAPES.iter().flat_map(|s| SCALINGS.map(|alpha| (s, alpha))) {
        let objective = with_loss(shape.jet, 2, Linear(SLOPE.to_vec()), alpha);
        let mut manifold = OutputManifold::new(&objective).unwrap();
        let w = [0.9, -0.6];
        let slope = dot(&SLOPE, &(shape.normal)(&w));
        let mut expected = (shape.principal)(&w).map(|k| slope * k / alpha);
        expected.sort_by(f64::total_cmp);
        let extremes = manifold.at(&w).unwrap().hessian_extremes().unwrap();
        let scale = expected[0].abs().max(expected[1].abs());
        assert!((extremes.smallest.value - expected[0]).abs() < 1e-11 * scale, "{}", shape.name);
        assert!((extremes.largest.value - expected[1]).abs() < 1e-11 * scale, "{}", shape.name);
    }
}

/// Eigenvalues of the symmetric matrix with entries a, b, b, d.
fn eigenvalues([a, b, d]: [f64; 3]) -> [f64; 2] {
    let (mean, root) = (0.5 * (a + d), (0.25 * (a - d) * (a - d) + b * b).sqrt());
    [mean - root, mean + root]
}

/// On sphere, cylinder and torus the chart's directions e_k are orthogonal and principal, so the
/// Hessian's entries are `<e_k, Hess g e_l> + <grad g, normal> k_k delta_kl`.
fn against_principal_directions<L: Loss + Clone>(loss: &L, diagonal: fn(&[f64], usize) -> f64) {
    for shape in &SHAPES[..3] {
        for alpha in SCALINGS {
            let objective = with_loss(shape.jet, 2, loss.clone(), alpha);
            let mut manifold = OutputManifold::new(&objective).unwrap();
            let w = [0.9, -0.6];
            let expected = eigenvalues(chart_hessian(shape, &w, loss, diagonal, alpha));
            let mut here = manifold.at(&w).unwrap();
            let extremes = here.hessian_extremes().unwrap();
            let scale = expected[0].abs().max(expected[1].abs());
            for (eigen, expected) in
                [&extremes.smallest, &extremes.largest].into_iter().zip(expected)
            {
                assert!(
                    (eigen.value - expected).abs() < 1e-11 * scale,
                    "{} {expected}",
                    shape.name
                );
                near(length(&tangent(shape.jet, &w, &eigen.direction, alpha)), 1.0, 1e-12);
                let quotient = here.hessian_quotient(&eigen.direction).unwrap();
                assert!((quotient.total() - expected).abs() < 1e-11 * scale);
                let (nu, mu) = (loss.strong_convexity(), loss.smoothness());
                assert!(quotient.loss >= nu * (1.0 - 1e-14) && quotient.loss <= mu * (1.0 + 1e-14));
            }
            let hessian: Mat<f64> = here.riemannian_hessian().unwrap();
            assert!((hessian[(0, 1)] - hessian[(1, 0)]).abs() < 1e-13 * scale);
        }
    }
}

fn chart_hessian<L: Loss>(
    shape: &Shape,
    w: &[f64],
    loss: &L,
    diagonal: fn(&[f64], usize) -> f64,
    alpha: f64,
) -> [f64; 3] {
    let x = point(shape.jet, w, alpha);
    let mut gradient = [0.0; 3];
    loss.gradient(&x, &mut gradient);
    let slope = dot(&gradient, &(shape.normal)(w));
    let unit = [[1.0, 0.0], [0.0, 1.0]].map(|v| {
        let u = tangent(shape.jet, w, &v, 1.0);
        u.map(|u_k| u_k / length(&u))
    });
    let second = (shape.second)(w);
    let mut entries = [0.0; 3];
    for (entry, (a, b)) in entries.iter_mut().zip([(0, 0), (0, 1), (1, 1)]) {
        *entry = (0..3).map(|k| diagonal(&x, k) * unit[a][k] * unit[b][k]).sum();
        if a == b {
            // Principal curvature: second form over the squared length of the chart's direction.
            let column = (shape.jet)(w)[1 + a];
            *entry += slope * second[2 * a] / (alpha * dot(&column, &column));
        }
    }
    entries
}

#[test]
fn losses_of_different_moduli_add_their_tangent_hessian() {
    let weighted = WeightedSquares::new(TARGETS.to_vec(), vec![0.5, 3.0, 1.2]).unwrap();
    against_principal_directions(&weighted, |_, k| [1.0, 6.0, 2.4][k]);
    let robust = LogCosh::new(TARGETS.to_vec(), 0.3).unwrap();
    against_principal_directions(&robust, |x, k| {
        let sech = (x[k] - TARGETS[k]).cosh().recip();
        sech * sech + 0.3
    });
    against_principal_directions(&squared(3), |_, _| 2.0);
}

/// The Riemannian gradient of `norm(x - y)^2` on a surface: what is left without the normal part.
#[test]
fn the_gradient_is_the_slope_without_its_normal_part() {
    for (shape, alpha) in SHAPES.iter().flat_map(|s| SCALINGS.map(|alpha| (s, alpha))) {
        let objective = with_loss(shape.jet, 2, squared(3), alpha);
        let mut manifold = OutputManifold::new(&objective).unwrap();
        let w = [0.9, -0.6];
        let x = point(shape.jet, &w, alpha);
        let slope = [0, 1, 2].map(|k| 2.0 * (x[k] - TARGETS[k]));
        let normal = (shape.normal)(&w);
        let across = normal.map(|n| dot(&slope, &normal) * n);
        let (mut tangent, mut rest) = ([0.0; 3], [0.0; 3]);
        let mut here = manifold.at(&w).unwrap();
        here.riemannian_gradient(&mut tangent).unwrap();
        here.normal_gradient(&mut rest).unwrap();
        for k in 0..3 {
            let bound = 1e-13 * (1.0 + length(&slope));
            assert!((rest[k] - across[k]).abs() < bound);
            assert!((tangent[k] - (slope[k] - across[k])).abs() < bound);
        }
    }
}
