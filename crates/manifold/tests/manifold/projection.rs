//! The projections, by what defines them, and directions given in output space.

use gaussflow_manifold::OutputManifold;

use crate::shapes::{SCALINGS, SHAPES, close, dot, squared, tangent, with_loss};

/// P is the symmetric idempotent that keeps the columns of J; N is what is left.
#[test]
fn the_projection_is_idempotent_symmetric_and_splits() {
    for shape in SHAPES {
        let objective = with_loss(shape.jet, 2, squared(3), 2.0);
        let mut manifold = OutputManifold::new(&objective).unwrap();
        let w = [0.7, -0.8];
        let mut point = manifold.at(&w).unwrap();
        let (x, y) = ([1.0, 2.0, -0.5], [0.2, -1.0, 3.0]);
        let mut part = |u: &[f64; 3]| {
            let (mut tangent, mut normal) = ([0.0; 3], [0.0; 3]);
            point.tangent_part(u, &mut tangent).unwrap();
            point.normal_part(u, &mut normal).unwrap();
            (tangent, normal)
        };
        let ((px, nx), (py, _)) = (part(&x), part(&y));
        close(&part(&px).0, &px, 1e-14);
        close(&part(&nx).0, &[0.0; 3], 1e-14);
        assert!((dot(&px, &y) - dot(&x, &py)).abs() < 1e-14);
        close(&[px[0] + nx[0], px[1] + nx[1], px[2] + nx[2]], &x, 1e-15);
        for column in [[1.0, 0.0], [0.0, 1.0]] {
            let column = tangent(shape.jet, &w, &column, 1.0);
            close(&part(&column).0, &column, 1e-13);
        }
        // And the part left over is along the normal.
        let normal = (shape.normal)(&w);
        close(&nx, &normal.map(|n| dot(&x, &normal) * n), 1e-14);
    }
}

/// `alpha J v`, by the columns of J, gives v back; so does the basis, whose columns are orthonormal.
#[test]
fn directions_in_output_space_give_their_parameters() {
    for shape in SHAPES {
        for alpha in SCALINGS {
            let objective = with_loss(shape.jet, 2, squared(3), alpha);
            let mut manifold = OutputManifold::new(&objective).unwrap();
            let (w, v) = ([0.9, 0.2], [0.4, -1.3]);
            let mut point = manifold.at(&w).unwrap();
            let expected = tangent(shape.jet, &w, &v, alpha);
            let mut found = [0.0; 3];
            point.tangent_vector(&v, &mut found).unwrap();
            close(&found, &expected, 1e-14 * 30.0);
            let mut parameters = [0.0; 2];
            point.parameter_direction(&expected, &mut parameters).unwrap();
            close(&parameters, &v, 1e-13);
            let basis = point.tangent_basis().unwrap();
            let (a, b) = (basis.col_as_slice(0), basis.col_as_slice(1));
            close(&[dot(a, a), dot(a, b), dot(b, b)], &[1.0, 0.0, 1.0], 1e-14);
            close(&[dot(a, &(shape.normal)(&w)), dot(b, &(shape.normal)(&w))], &[0.0; 2], 1e-14);
        }
    }
}
