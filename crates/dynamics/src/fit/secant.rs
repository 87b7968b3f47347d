//! The curvature that `J^T J` leaves out, `S = sum_j u_j Hess f_j`, from changes of J along the last steps.
//!
//! `S d = (J(w + d) - J(w))^T u(w + d)` to first order in d (Dennis, Gay and Welsch, 1981): no evaluation
//! more. S is built from the last pairs by symmetric rank-one updates. It is used once it predicted the
//! last decrease at most half as wrongly as `J^T J` did, and near a minimum only: far from one it follows
//! parameters that run away.

use gaussflow_faer::faer::Mat;
use gaussflow_faer::self_adjoint_eigen;
use gaussflow_solvers::{JacobianOperator, SecularFactor, inner_product, norm};

use super::point::Point;
use super::robust::Rows;

/// Largest column cosine at which the secant is used.
pub(crate) const NEAR: f64 = 0.1;
/// Pairs that are kept.
const PAIRS: usize = 4;
/// Error of the secant's last prediction, relative to that of `J^T J`, below which it is used.
const BETTER: f64 = 0.5;
/// Error of `J^T J`'s prediction, relative to it, below which nothing better is needed.
const WRONG: f64 = 0.02;
/// Updates whose denominator is below this multiple of its factors are left out.
const SMALL_UPDATE: f64 = 1e-8;

/// Steps, what S makes of them, and whether S has proved better.
pub(crate) struct Secant {
    /// Steps d, each followed by y, what S should make of it (2 p each).
    pairs: Vec<f64>,
    /// S (p x p, row-major).
    curvature: Vec<f64>,
    better: bool,
    work: Vec<f64>,
}

impl Secant {
    /// Most parameters for which a p x p eigenvalue problem a step is worth it.
    pub(crate) const LARGEST: usize = 50;

    pub(crate) fn new(parameters: usize) -> Self {
        Self {
            pairs: Vec::new(),
            curvature: vec![0.0; parameters * parameters],
            better: false,
            work: vec![0.0; parameters],
        }
    }

    /// Forgets all pairs.
    pub(crate) fn forget(&mut self) {
        self.pairs.clear();
        self.curvature.fill(0.0);
        self.better = false;
    }

    /// Learns from the accepted step d from `before` to `after`; `predicted` is the decrease that `J^T J` promised
    /// for it, where that is known.
    pub(crate) fn learn<J: JacobianOperator>(
        &mut self,
        before: &Point<J>,
        after: &Point<J>,
        d: &[f64],
        predicted: Option<f64>,
        rows: &Rows,
        scales: &[f64],
    ) {
        self.better = false;
        let decrease = rows.decrease(&before.f, &after.f);
        let right = predicted.is_some_and(|plain| (decrease - plain).abs() <= WRONG * plain.abs());
        if !self.pairs.is_empty() && !right {
            let plain = predicted.unwrap_or_else(|| {
                let mut image = vec![0.0; before.f.len()];
                before.apply(d, &mut image);
                -(2.0 * inner_product(&before.gradient, d) + inner_product(&image, &image))
            });
            self.rebuild(scales);
            self.curve(d);
            let with_secant = plain - inner_product(d, &self.work);
            let error = (decrease - plain).abs();
            self.better =
                error > WRONG * plain.abs() && (decrease - with_secant).abs() < BETTER * error;
        }
        let most = 2 * PAIRS * d.len();
        if self.pairs.len() == most {
            self.pairs.drain(..2 * d.len());
        }
        self.pairs.reserve_exact(most - self.pairs.len());
        self.pairs.extend_from_slice(d);
        let begin = self.pairs.len();
        self.pairs.resize(begin + d.len(), 0.0);
        let y = &mut self.pairs[begin..];
        before.jacobian.apply_transposed(after.half_gradient(), y);
        y.iter_mut().zip(&after.gradient).for_each(|(y, g)| *y = g - *y);
    }

    /// `work = S d`.
    fn curve(&mut self, d: &[f64]) {
        for (o, row) in self.work.iter_mut().zip(self.curvature.chunks_exact(d.len())) {
            *o = inner_product(row, d);
        }
    }

    /// S from the pairs, oldest first: `S += (y - S d)(y - S d)^T / (y - S d)^T d`.
    fn rebuild(&mut self, scales: &[f64]) {
        self.curvature.fill(0.0);
        let pairs = std::mem::take(&mut self.pairs);
        for pair in pairs.chunks_exact(2 * scales.len()) {
            let (d, y) = pair.split_at(scales.len());
            self.curve(d);
            self.work.iter_mut().zip(y).for_each(|(w, y)| *w = y - *w);
            let denominator = inner_product(&self.work, d);
            let size = length(self.work.iter().zip(scales).map(|(x, s)| x / s))
                * length(d.iter().zip(scales).map(|(d, s)| d * s));
            if denominator.abs() <= SMALL_UPDATE * size || !denominator.is_finite() {
                continue;
            }
            for (row, &left) in self.curvature.chunks_exact_mut(d.len()).zip(&self.work) {
                for (entry, right) in row.iter_mut().zip(&self.work) {
                    *entry += left * right / denominator;
                }
            }
        }
        self.pairs = pairs;
    }

    /// The minimizer d of `2 g^T d + d^T (J^T J + S) d` in `norm(D d) <= radius`, its predicted decrease and lambda.
    ///
    /// `None` where the secant has not proved better, or predicts nothing.
    pub(crate) fn propose(
        &mut self,
        factor: &SecularFactor,
        gradient: &[f64],
        scales: &[f64],
        radius: f64,
        d: &mut [f64],
    ) -> Option<(f64, f64)> {
        if !self.better {
            return None;
        }
        self.rebuild(scales);
        let p = d.len();
        let mut model = Mat::<f64>::zeros(p, p);
        for (i, s) in factor.singular_values().iter().enumerate() {
            let v = factor.right(i);
            for c in 0..p {
                let weight = s * s * v[c];
                for r in c..p {
                    model[(r, c)] += weight * v[r];
                }
            }
        }
        for c in 0..p {
            for r in c..p {
                model[(r, c)] += self.curvature[r * p + c] / scales[r] / scales[c];
                if !model[(r, c)].is_finite() {
                    return None;
                }
            }
        }
        let eigen = self_adjoint_eigen(model.as_ref()).ok()?;
        let values: Vec<f64> = eigen.S().column_vector().iter().copied().collect();
        let slope: Vec<f64> = gradient.iter().zip(scales).map(|(g, s)| g / s).collect();
        let coordinates: Vec<f64> =
            (0..p).map(|i| (0..p).map(|k| eigen.U()[(k, i)] * slope[k]).sum()).collect();
        let damping = damping_for(&values, &coordinates, radius)?;
        let mut predicted = 0.0;
        d.fill(0.0);
        for (i, (value, c)) in values.iter().zip(&coordinates).enumerate() {
            let z = -c / (value + damping);
            predicted -= 2.0 * c * z + value * z * z;
            for (k, d) in d.iter_mut().enumerate() {
                *d += eigen.U()[(k, i)] * z / scales[k];
            }
        }
        (predicted > 0.0 && predicted.is_finite()).then_some((predicted, damping))
    }
}

/// The 2-norm.
fn length(x: impl Iterator<Item = f64>) -> f64 {
    x.map(|x| x * x).sum::<f64>().sqrt()
}

/// lambda >= 0 with `values + lambda` positive and `norm(c / (values + lambda))` near or below the radius.
fn damping_for(values: &[f64], coordinates: &[f64], radius: f64) -> Option<f64> {
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let size = values.iter().fold(0.0_f64, |m, v| m.max(v.abs()));
    // Eigenvalues are known to a few eps of the largest.
    let floor = 1e-13 * size;
    let length = |damping: f64| {
        let z: Vec<f64> = values.iter().zip(coordinates).map(|(v, c)| c / (v + damping)).collect();
        norm(&z)
    };
    if least > floor && length(0.0) <= 1.1 * radius {
        return Some(0.0);
    }
    let mut low = (floor - least).max(0.0);
    let mut high = low + norm(coordinates) / radius;
    if !high.is_finite() {
        return None;
    }
    // norm(c / (v + lambda)) falls monotonically; 100 halvings meet any tolerance.
    for _ in 0..100 {
        let middle = 0.5 * (low + high);
        let found = length(middle);
        if (found - radius).abs() <= 0.1 * radius {
            return Some(middle);
        }
        if found > radius {
            low = middle;
        } else {
            high = middle;
        }
    }
    Some(high)
}
