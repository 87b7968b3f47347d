//! Systems at the ends of the range of numbers, taken to its middle by powers of two.
//!
//! With `J' = 2^i J` and `b' = 2^j b` the damped system `((1-rho) J^T J + rho I) v = J^T b` becomes
//! `(kept J'^T J' + shift I) v* = J'^T b'`, `v = 2^(i - 2h - j) v*`, where `kept = (1-rho) 2^-2h`,
//! `shift = rho 2^(2i - 2h)`, and h makes the larger of them about 1. Divided by `weight = kept + shift` it is a
//! damped system again, at the damping `shift / weight`. Multiplying by a power of two is exact, so that a residual of
//! the scaled system is that of the given one, and squares of J and products with b stay inside the range.

use faer::{Accum, MatMut};
use gaussflow_faer::lower_of_product;

use crate::damped::{DampedSolver, SolveReport};
use crate::error::SolveError;
use crate::jacobian::operator::{JacobianOperator, dense_in};
use crate::powers::{exponent, is_ordinary, multiply, norm_times_power, times_power};

/// `J' = 2^exponent J`, of which every product is scaled before it is summed.
#[derive(Clone, Copy)]
pub(crate) struct ScaledOperator<'a> {
    jacobian: &'a dyn JacobianOperator,
    exponent: i32,
    /// The Frobenius norm of J'.
    size: f64,
}

impl ScaledOperator<'_> {
    /// Half of the power before a product and half after it: neither leaves the range.
    fn halves(&self) -> (i32, i32) {
        (self.exponent / 2, self.exponent - self.exponent / 2)
    }

    fn scaled(&self, x: &[f64], out: &mut [f64], product: impl FnOnce(&[f64], &mut [f64])) {
        let (before, after) = self.halves();
        let x: Vec<f64> = x.iter().map(|&x| times_power(x, before)).collect();
        product(&x, out);
        out.iter_mut().for_each(|o| *o = times_power(*o, after));
    }
}

impl JacobianOperator for ScaledOperator<'_> {
    fn rows(&self) -> usize {
        self.jacobian.rows()
    }

    fn total_rows(&self) -> usize {
        self.jacobian.total_rows()
    }

    fn columns(&self) -> usize {
        self.jacobian.columns()
    }

    fn apply(&self, v: &[f64], out: &mut [f64]) {
        self.scaled(v, out, |v, out| self.jacobian.apply(v, out));
    }

    fn apply_transposed(&self, u: &[f64], out: &mut [f64]) {
        self.scaled(u, out, |u, out| self.jacobian.apply_transposed(u, out));
    }

    fn write_dense(&self, mut out: MatMut<'_, f64>) {
        self.jacobian.write_dense(out.as_mut());
        for column in out.col_iter_mut() {
            column.iter_mut().for_each(|x| *x = times_power(*x, self.exponent));
        }
    }

    fn reduced_rows(&self) -> usize {
        self.jacobian.reduced_rows()
    }

    fn factored_rows(&self) -> usize {
        self.jacobian.factored_rows()
    }

    fn write_reduced(&self, exponent: i32, out: MatMut<'_, f64>) {
        self.jacobian.write_reduced(self.exponent + exponent, out);
    }

    fn reduce(&self, u: &[f64], out: &mut [f64]) {
        self.jacobian.reduce(u, out);
    }

    fn restore(&self, c: &[f64], out: &mut [f64]) {
        self.jacobian.restore(c, out);
    }

    fn gather(&self, u: &[f64], out: &mut [f64]) {
        self.jacobian.gather(u, out);
    }

    fn take_own(&self, all: &[f64], out: &mut [f64]) {
        self.jacobian.take_own(all, out);
    }

    fn gram(&self, mut out: MatMut<'_, f64>, work: &mut Vec<f64>) {
        if self.total_rows() == self.rows() {
            let dense = dense_in(self, work);
            return lower_of_product(out, Accum::Replace, dense.transpose(), dense);
        }
        // Of rows elsewhere only products tell.
        let columns = self.columns();
        let (mut unit, mut column) = (vec![0.0; columns], vec![0.0; columns]);
        let mut image = vec![0.0; self.rows()];
        for c in 0..columns {
            unit[c] = 1.0;
            self.normal_apply(&unit, &mut image, &mut column);
            unit[c] = 0.0;
            for (r, &entry) in column.iter().enumerate().skip(c) {
                out[(r, c)] = entry;
            }
        }
    }

    fn kernel(&self, mut out: MatMut<'_, f64>, work: &mut Vec<f64>) {
        if self.total_rows() == self.rows() {
            let dense = dense_in(self, work);
            return lower_of_product(out, Accum::Replace, dense, dense.transpose());
        }
        // Of rows elsewhere only products tell.
        let mut all = vec![0.0; self.total_rows()];
        let mut column = all.clone();
        let (mut here, mut pulled) = (vec![0.0; self.rows()], vec![0.0; self.columns()]);
        for c in 0..all.len() {
            all[c] = 1.0;
            self.take_own(&all, &mut here);
            all[c] = 0.0;
            self.apply_transposed(&here, &mut pulled);
            self.apply(&pulled, &mut here);
            self.gather(&here, &mut column);
            for (r, &entry) in column.iter().enumerate().skip(c) {
                out[(r, c)] = entry;
            }
        }
    }

    fn squared_norm(&self) -> f64 {
        self.size * self.size
    }

    fn gram_operations(&self) -> f64 {
        self.jacobian.gram_operations()
    }

    fn kernel_operations(&self) -> f64 {
        self.jacobian.kernel_operations()
    }

    fn sum(&self, values: &mut [f64]) {
        self.jacobian.sum(values);
    }

    fn inner_product(&self, a: &[f64], b: &[f64]) -> f64 {
        self.jacobian.inner_product(a, b)
    }

    fn output_norm(&self, u: &[f64]) -> f64 {
        self.jacobian.output_norm(u)
    }
}

/// J itself, or a multiple of it.
pub(crate) enum Scaled<'a> {
    Itself(&'a dyn JacobianOperator),
    Multiple(ScaledOperator<'a>),
}

impl<'a> Scaled<'a> {
    /// `2^exponent` times `jacobian`, which then has the Frobenius norm `size`.
    pub(crate) fn new(jacobian: &'a dyn JacobianOperator, exponent: i32, size: f64) -> Self {
        if exponent == 0 {
            Self::Itself(jacobian)
        } else {
            Self::Multiple(ScaledOperator { jacobian, exponent, size })
        }
    }

    /// As an operator.
    pub(crate) fn operator(&self) -> &dyn JacobianOperator {
        match self {
            Self::Itself(jacobian) => *jacobian,
            Self::Multiple(multiple) => multiple,
        }
    }
}

/// The damped system of `J'` and `b'` that stands for the one given, in the symbols of this file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frame {
    /// i, of J.
    jacobian: i32,
    /// j, of b.
    output: i32,
    /// h, half of what the matrix was divided by.
    half: i32,
    /// Factor of `J'^T J'`.
    pub(crate) kept: f64,
    /// Factor of the identity.
    pub(crate) shift: f64,
    /// `kept + shift`.
    weight: f64,
    /// The damping of the scaled system.
    pub(crate) damping: f64,
    /// The damping given.
    given: f64,
}

impl Frame {
    /// For `J' = 2^jacobian J` and a right-hand side of norm `b`.
    pub(crate) fn new(jacobian: i32, b: f64, damping: f64) -> Self {
        let output = if is_ordinary(b) { 0 } else { -exponent(b) };
        if jacobian == 0 || damping == 0.0 {
            let (kept, shift, given) = (1.0 - damping, damping, damping);
            return Self { jacobian, output, half: 0, kept, shift, weight: 1.0, damping, given };
        }
        let of_identity = exponent(damping) + 2 * jacobian;
        let largest =
            if damping < 1.0 { of_identity.max(exponent(1.0 - damping)) } else { of_identity };
        let half = largest.div_euclid(2);
        let kept = times_power(1.0 - damping, -2 * half);
        let shift = times_power(damping, 2 * (jacobian - half));
        let (weight, given) = (kept + shift, damping);
        // A damping that is lost beside J is still no zero: at zero, loss of rank would be an error.
        let damping = (shift / weight).max(f64::MIN_POSITIVE);
        Self { jacobian, output, half, kept, shift, weight, damping, given }
    }

    /// The exponent of `v / v*`.
    fn solution(&self) -> i32 {
        self.jacobian - 2 * self.half - self.output
    }

    /// `b <- b'`.
    pub(crate) fn take_in(&self, b: &mut [f64]) {
        multiply(b, 1.0, self.output);
    }

    /// From the solution of the scaled system, at [`Self::damping`], to v.
    pub(crate) fn restore(&self, v: &mut [f64]) {
        multiply(v, self.weight, self.solution());
    }

    /// `v*` of v, as it was rounded.
    pub(crate) fn unrounded(&self, v: &[f64]) -> Vec<f64> {
        v.iter().map(|&v| times_power(v, -self.solution())).collect()
    }

    /// From `b' - kept J' v*` to `b - (1-rho) J v`.
    pub(crate) fn restore_misfit(&self, misfit: &mut [f64]) {
        multiply(misfit, 1.0, -self.output);
    }

    /// The norm of `J^T b - (1-rho) J^T J v - rho v` from that of the scaled system; above 0 if that is.
    pub(crate) fn residual(&self, scaled: f64) -> f64 {
        norm_times_power(scaled, -self.jacobian - self.output)
    }

    /// From the scaled system's `H'^-1 x` to `H_rho^-1 x`.
    pub(crate) fn restore_inverse(&self, x: &mut [f64]) {
        multiply(x, self.weight, 2 * (self.jacobian - self.half) - self.output);
    }

    /// From an eigenvalue of the scaled system's matrix to one of `H_rho`.
    pub(crate) fn eigenvalue(&self, scaled: f64) -> f64 {
        times_power(self.weight * scaled, 2 * (self.half - self.jacobian))
    }

    /// Turns the pivots of a report to those of the matrices of the given system.
    pub(crate) fn restore_pivots(&self, report: &mut SolveReport) {
        let (factor, exponent) = match report.solver {
            DampedSolver::PrimalCholesky | DampedSolver::DualCholesky => {
                (self.weight, 2 * (self.half - self.jacobian))
            }
            DampedSolver::HouseholderQr if self.given > 0.0 => {
                (self.weight.sqrt(), self.half - self.jacobian)
            }
            DampedSolver::HouseholderQr | DampedSolver::ThinSvd => (1.0, -self.jacobian),
            // No factor, no pivots.
            _ => return,
        };
        for pivot in [&mut report.smallest_pivot, &mut report.largest_pivot] {
            *pivot = times_power(factor * *pivot, exponent);
        }
    }

    /// An error of the scaled system in the numbers of the given one.
    pub(crate) fn restate(&self, error: SolveError) -> SolveError {
        match error {
            SolveError::NotPositiveDefinite { solver, index, .. } => {
                SolveError::NotPositiveDefinite { solver, damping: self.given, index }
            }
            other => restate_values(other, self.jacobian),
        }
    }
}

/// An error of `J' = 2^exponent J` with the singular values of J.
pub(crate) fn restate_values(error: SolveError, exponent: i32) -> SolveError {
    match error {
        SolveError::RankDeficient { solver, smallest, largest, cutoff } => {
            let [smallest, largest] = [smallest, largest].map(|s| times_power(s, -exponent));
            SolveError::RankDeficient { solver, smallest, largest, cutoff }
        }
        other => other,
    }
}

#[cfg(test)]
#[allow(clippy::float_cmp, reason = "powers of two are exact")]
mod tests {
    use super::*;

    #[test]
    fn a_frame_stands_for_the_given_system_in_one_unknown() {
        // J = (s), b = (t): v = s t / ((1-rho) s^2 + rho), all of powers of two but rho.
        for (s, t) in [(-500, 3), (500, -300), (-1000, -1000), (900, 900), (300, 1000)] {
            for rho in [0.0, 1e-300, 1e-5, 0.5, 1.0 - f64::EPSILON, 1.0] {
                let frame = Frame::new(-s, times_power(1.0, t), rho);
                let mut v = [times_power(1.0, t)];
                frame.take_in(&mut v);
                v[0] /= (1.0 - frame.damping) + frame.damping;
                frame.restore(&mut v);
                // The equation divided by the larger of (1-rho) s^2 and rho.
                let by_identity = rho > 0.0 && exponent(rho) > 2 * s;
                let expected = if by_identity {
                    let kept = times_power(1.0 - rho, 2 * s);
                    times_power(1.0 / (kept + rho), s + t)
                } else {
                    let shift = times_power(rho, -2 * s);
                    times_power(1.0 / ((1.0 - rho) + shift), t - s)
                };
                let error = (v[0] - expected).abs();
                assert!(
                    v == [expected] || error <= 8.0 * f64::EPSILON * expected,
                    "{s} {t} {rho}: {v:?}, not {expected:e}"
                );
            }
        }
    }
}
