//! Random damped systems whose sizes run from the smallest numbers to the largest.

use gaussflow_solvers::faer::Mat;
use gaussflow_solvers::{DenseJacobian, JacobianOperator, RowKronecker};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use crate::draws::gaussian;

/// Sizes that were seen to go wrong, and the ends.
const SIZES: [f64; 12] =
    [1e-320, 1e-310, 1e-300, 1e-185, 1e-167, 1e-154, 1e154, 1e160, 1e167, 1e185, 1e300, 1e305];

/// A random member of a list.
pub fn one_of<T: Copy>(rng: &mut ChaCha8Rng, list: &[T]) -> T {
    list[rng.random_range(0..list.len())]
}

/// A size: one of the list, ordinary, or anything between.
pub fn size(rng: &mut ChaCha8Rng) -> f64 {
    match rng.random_range(0..3) {
        0 => one_of(rng, &SIZES),
        1 => 10.0_f64.powf(rng.random_range(-3.0..3.0)),
        _ => 10.0_f64.powf(rng.random_range(-300.0..300.0)),
    }
}

/// A damping in [0, 1], with its ends.
pub fn damping(rng: &mut ChaCha8Rng) -> f64 {
    match rng.random_range(0..3) {
        0 => one_of(rng, &[0.0, 1e-300, 1e-150, 1e-16, 0.5, 1.0 - f64::EPSILON, 1.0]),
        1 => rng.random_range(0.0..1.0),
        _ => 10.0_f64.powf(rng.random_range(-300.0..0.0)),
    }
}

/// `size x`, which stays finite.
fn times(size: f64, x: f64) -> f64 {
    (size * x).clamp(-1e307, 1e307)
}

/// A dense J (n x p) with columns of one size or graded, some of its rows 0 or of size 1e-320.
fn dense(rng: &mut ChaCha8Rng, (n, p): (usize, usize)) -> DenseJacobian {
    let scale = size(rng);
    let decades = if rng.random_range(0..4) == 0 { rng.random_range(0.0..300.0) } else { 0.0 };
    let mut jacobian = DenseJacobian::zeros(n, p);
    for c in 0..p {
        let column = scale * 10.0_f64.powf(-decades * c as f64 / p as f64);
        for (r, x) in gaussian(rng, n).into_iter().enumerate() {
            jacobian.matrix_mut()[(r, c)] = times(column, x);
        }
    }
    if rng.random_range(0..4) == 0 {
        let row_size = one_of(rng, &[0.0, 1e-320]);
        for r in 0..n {
            if rng.random_range(0..2) == 0 {
                for c in 0..p {
                    jacobian.matrix_mut()[(r, c)] = row_size;
                }
            }
        }
    }
    jacobian
}

/// `S (.) X`, its size in S.
fn structured(rng: &mut ChaCha8Rng, (n, d, m): (usize, usize, usize)) -> RowKronecker {
    let scale = size(rng).clamp(1e-300, 1e300);
    let mut jacobian = RowKronecker::new(&gaussian(rng, n * d), d, m);
    for i in 0..m {
        for (j, x) in gaussian(rng, n).into_iter().enumerate() {
            jacobian.pieces_mut()[0].left_mut()[(j, i)] = times(scale, x);
        }
    }
    jacobian
}

/// A damped system.
pub struct Draw {
    pub jacobian: Box<dyn JacobianOperator>,
    /// J, entry by entry.
    pub matrix: Mat<f64>,
    pub b: Vec<f64>,
    pub damping: f64,
}

impl Draw {
    pub fn new(rng: &mut ChaCha8Rng) -> Self {
        let jacobian: Box<dyn JacobianOperator> = match rng.random_range(0..8) {
            0 => {
                let (n, d, m) =
                    (rng.random_range(1..40), rng.random_range(1..6), rng.random_range(1..8));
                Box::new(structured(rng, (n, d, m)))
            }
            1 => Box::new(dense(rng, (135, 18))),
            _ => {
                let shape = (rng.random_range(1..30), rng.random_range(1..30));
                Box::new(dense(rng, shape))
            }
        };
        let scale = size(rng);
        let b = gaussian(rng, jacobian.rows()).into_iter().map(|x| times(scale, x)).collect();
        let damping = damping(rng);
        let mut matrix = Mat::zeros(jacobian.rows(), jacobian.columns());
        jacobian.write_dense(matrix.as_mut());
        Self { jacobian, matrix, b, damping }
    }

    pub fn shape(&self) -> (usize, usize) {
        self.matrix.shape()
    }
}
