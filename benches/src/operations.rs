//! Multiplications and additions of the structured kernels, counted one each (DESIGN, mathematics).
//!
//! With p = m d: the pairs of columns give H in `2 n m(m+1)/2 d(d+1)/2`, the entrywise product gives
//! the lower triangle of K in `n(n+1)(m + d)`; a Cholesky factor of order p takes `p^3/3`. Over several layers J is a
//! row of pieces, one shape each: their kernels add up, and `J^T J` has a block for every two.

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

/// Values and Jacobian of a network of these pieces: forward through every layer, backward through all but the first.
pub fn linearization(pieces: &[Shape]) -> f64 {
    let sums: f64 = pieces.iter().map(|piece| product(*piece)).sum();
    2.0 * sums - product(pieces[0])
}

/// The lower triangle of `J^T J` of a row of pieces: each one's own by pairs, and a product for every two.
pub fn gram_of(pieces: &[Shape]) -> f64 {
    let (mut operations, mut before) = (0.0, 0.0);
    for piece in pieces {
        operations += gram(*piece) + before * product(*piece);
        before += piece.p as f64;
    }
    operations
}

/// The lower triangle of K of a row of pieces, `X X^T` of the first one known.
pub fn kernel_of(pieces: &[Shape]) -> f64 {
    let (mut operations, mut inputs) = (0.0, 0.0);
    for piece in pieces {
        operations += kernel(*piece) + inputs;
        // What this layer puts out is the next one's input.
        inputs = kernel(*piece);
    }
    operations
}

/// One damped step by the cheaper of the two systems: both passes, matrix, factor, `J^T b`.
pub fn step(pieces: &[Shape]) -> f64 {
    let (n, p) = (pieces[0].n, pieces.iter().map(|piece| piece.p).sum());
    let primal = gram_of(pieces) + cholesky(p);
    let dual = kernel_of(pieces) + cholesky(n);
    linearization(pieces) + product(Shape::matrix(n, p)) + primal.min(dual)
}

/// The same by a formed J.
pub fn dense_step(pieces: &[Shape]) -> f64 {
    let (n, p) = (pieces[0].n, pieces.iter().map(|piece| piece.p).sum());
    let (long, order) = (n.max(p), n.min(p));
    let products = linearization(pieces) + product(Shape::matrix(n, p));
    products + dense_gram(long, order) + cholesky(order)
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

    /// Blocks of two pieces, with their own by pairs, are at most what the triangular product takes.
    #[test]
    fn pieces_save_no_more_than_their_pairs() {
        let pieces = [Shape::network(4096, 8, 16), Shape::network(4096, 16, 16)];
        let own: f64 = pieces.iter().map(|piece| dense_gram(4096, piece.p) - gram(*piece)).sum();
        let saved = dense_gram(4096, 384) - gram_of(&pieces);
        assert!((saved - own).abs() <= 1e-12 * saved, "{saved} {own}");
    }
}
