//! What is compared with Levenberg-Marquardt: gradient descent, and Adam (D. P. Kingma and J. Ba, 2015).
//!
//! Dual numbers give a gradient at the cost of a whole Jacobian. So that these methods are not slowed down by it, they have
//! theirs in closed form.

use gaussflow::prelude::*;

use gaussflow::objective::tanh;

use super::problem::Poisson;

/// Writes the gradient of the loss `norm(r(w))^2` and returns the loss.
pub fn gradient<const DIM: usize>(problem: &Poisson<DIM>, w: &[f64], out: &mut [f64]) -> f64 {
    let mut r = vec![0.0; problem.outputs()];
    problem.residuals(w, &mut r);
    out.fill(0.0);
    let points = problem.inside.iter().chain(&problem.boundary);
    for (j, (point, r)) in points.zip(&r).enumerate() {
        // What the loss gains per unit of u and of its Laplacian at this point.
        let slope = 2.0 * r * point.factor;
        let (by_u, by_laplacian) =
            if j < problem.inside.len() { (0.0, -slope) } else { (slope, 0.0) };
        for (unit, out) in w.chunks_exact(DIM + 2).zip(out.chunks_exact_mut(DIM + 2)) {
            let (a, c) = (&unit[..DIM], unit[DIM + 1]);
            let t = tanh(unit[DIM] + inner(a, &point.at));
            let first = 1.0 - t * t;
            let second = -2.0 * t * first;
            let third = -2.0 * first * (1.0 - 3.0 * t * t);
            let square = inner(a, a);
            let by_z = c * (by_u * first + by_laplacian * square * third);
            for d in 0..DIM {
                out[d] += by_z * point.at[d] + by_laplacian * c * second * 2.0 * a[d];
            }
            out[DIM] += by_z;
            out[DIM + 1] += by_u * t + by_laplacian * square * second;
        }
    }
    inner(&r, &r)
}

/// Gradient descent from `w`: the step is halved until the loss falls, and grows by a tenth after each that did.
///
/// `see` is shown the loss and the weights before each step, and ends the run.
pub fn descend<const DIM: usize>(
    problem: &Poisson<DIM>,
    mut w: Vec<f64>,
    mut see: impl FnMut(f64, &[f64]) -> ControlFlow<()>,
) {
    let mut step = 1.0;
    let mut slope = vec![0.0; w.len()];
    let mut r = vec![0.0; problem.outputs()];
    loop {
        let loss = gradient(problem, &w, &mut slope);
        if see(loss, &w).is_break() {
            return;
        }
        let mut there;
        loop {
            there = w.clone();
            there.iter_mut().zip(&slope).for_each(|(w, g)| *w -= step * g);
            problem.residuals(&there, &mut r);
            if inner(&r, &r) < loss {
                break;
            }
            step *= 0.5;
            if step == 0.0 {
                return;
            }
        }
        w = there;
        step *= 1.1;
    }
}

/// Adam from `w`, with the constants of its paper; `see` as for [`descend`].
pub fn adam<const DIM: usize>(
    problem: &Poisson<DIM>,
    mut w: Vec<f64>,
    mut see: impl FnMut(f64, &[f64]) -> ControlFlow<()>,
) {
    const RATE: f64 = 1e-3;
    const DECAY: [f64; 2] = [0.9, 0.999];
    let mut slope = vec![0.0; w.len()];
    let mut moments = vec![[0.0; 2]; w.len()];
    let mut powers = DECAY;
    while see(gradient(problem, &w, &mut slope), &w).is_continue() {
        for ((w, g), [mean, square]) in w.iter_mut().zip(&slope).zip(&mut moments) {
            *mean += (1.0 - DECAY[0]) * (g - *mean);
            *square += (1.0 - DECAY[1]) * (g * g - *square);
            let [mean, square] = [*mean / (1.0 - powers[0]), *square / (1.0 - powers[1])];
            *w -= RATE * mean / (square.sqrt() + 1e-8);
        }
        powers = [powers[0] * DECAY[0], powers[1] * DECAY[1]];
    }
}

/// `sum_k a_k b_k`.
fn inner(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
