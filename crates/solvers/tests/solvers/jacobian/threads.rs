//! Products that are large enough for several threads give the bits of one.

use gaussflow_solvers::faer::Mat;
use gaussflow_solvers::{JacobianOperator, RowKronecker};

use crate::systems::{gaussian, generator};

/// Every product of a 3,001 x 1,400 operator, which all pass the size from which threads share them.
fn products() -> Vec<Vec<f64>> {
    let (n, d, m) = (3001, 20, 70);
    let rng = &mut generator(1);
    let mut jacobian = RowKronecker::new(&gaussian(rng, n * d), d, m);
    for (e, entry) in gaussian(rng, n * m).into_iter().enumerate() {
        jacobian.pieces_mut()[0].left_mut()[(e / m, e % m)] = entry;
    }
    let (v, u) = (gaussian(rng, m * d), gaussian(rng, n));
    let (mut image, mut pulled) = (vec![0.0; n], vec![0.0; m * d]);
    let mut found = Vec::new();
    jacobian.apply(&v, &mut image);
    found.push(image.clone());
    jacobian.apply_transposed(&u, &mut pulled);
    found.push(pulled.clone());
    jacobian.normal_apply(&v, &mut image, &mut pulled);
    found.extend([image.clone(), pulled.clone()]);
    jacobian.normal_residual((&u, 0.7), &v, &mut image, &mut pulled);
    found.extend([image, pulled]);
    let work = &mut Vec::new();
    let mut gram = Mat::zeros(m * d, m * d);
    jacobian.gram(gram.as_mut(), work);
    let mut kernel = Mat::zeros(n, n);
    jacobian.kernel(kernel.as_mut(), work);
    for matrix in [gram, kernel] {
        found.extend(matrix.col_iter().map(|column| column.iter().copied().collect()));
    }
    found
}

#[test]
fn the_bits_do_not_depend_on_the_threads() {
    let with = |threads| {
        rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(products)
    };
    let one = with(1);
    for threads in [2, 3, 5] {
        assert!(with(threads) == one, "{threads} threads");
    }
}
