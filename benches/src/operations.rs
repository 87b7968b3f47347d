//! Multiplications and additions of the structured kernels, counted one each (DESIGN, mathematics).
//!
//! With p = m d: the pairs of columns give H in `2 n m(m+1)/2 d(d+1)/2`, the entrywise product gives
//! the lower triangle of K in `n(n+1)(m + d)`; a Cholesky factor of order p takes `p^3/3`.

use crate::case::Shape;

/// The lower triangle of `J^T J` from pairs of columns.
pub fn gram(shape: Shape) -> f64 {
    let (n, d, m) = (shape.n as f64, shape.d as f64, shape.m as f64);
    0.5 * n * m * (m + 1.0) * d * (d + 1.0)
}

/// The lower triangle of `J^T J` or `J J^T` from a formed J, forming not counted.
pub fn dense_gram(long: usize, order: usize) -> f64 {
    long as f64 * order as f64 * (order as f64 + 1.0)
}

/// The lower triangle of `K = (S S^T) * (X X^T)`, the second product known.
pub fn kernel(shape: Shape) -> f64 {
    let (n, m) = (shape.n as f64, shape.m as f64);
    n * (n + 1.0) * (m + 0.5)
}

/// A Cholesky factor and one solve.
pub fn cholesky(order: usize) -> f64 {
    let p = order as f64;
    p * p * p / 3.0 + 2.0 * p * p
}

/// `J v` or `J^T u` without J; also the pre-activations of a forward pass.
pub fn product(shape: Shape) -> f64 {
    2.0 * shape.n as f64 * shape.p as f64
}

/// One damped step by the cheaper of the two systems: forward pass, matrix, factor, `J^T b`.
pub fn step(shape: Shape) -> f64 {
    let primal = gram(shape) + cholesky(shape.p);
    let dual = kernel(shape) + cholesky(shape.n);
    2.0 * product(shape) + primal.min(dual)
}

/// The same by a formed J.
pub fn dense_step(shape: Shape) -> f64 {
    let (long, order) = (shape.n.max(shape.p), shape.n.min(shape.p));
    2.0 * product(shape) + dense_gram(long, order) + cholesky(order)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 1.70 times fewer than a symmetric rank-k update at m = 18, d = 8, as the design says.
    #[test]
    fn pairs_save_what_the_design_says() {
        let shape = Shape::network(256, 8, 18);
        let ratio = dense_gram(256, 144) / gram(shape);
        assert!((ratio - 1.70).abs() < 0.01, "{ratio}");
    }
}
