//! Random systems with prescribed singular values, `J = U S V^T`, formed in double-double.
//!
//! U and V are products of Householder reflections of Gaussian vectors, so that J is rounded once
//! an entry and the exact solution `V s / ((1-rho) s^2 + rho) U^T b` costs O(n + p).

use gaussflow_solvers::DenseJacobian;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardUniform};

pub use crate::draws::{gaussian, generator};

use crate::double_double::{Double, dot, length, widen};

/// Unit roundoff bound of double precision used in every bound: the spacing of numbers at 1.
pub const EPS: f64 = f64::EPSILON;

/// Reflections on each side: every entry of J is touched by all of them.
const REFLECTIONS: usize = 5;

/// How the singular values are spread over `[1 / condition, 1]`.
#[derive(Clone, Copy, Debug)]
pub enum Spectrum {
    /// Independent, uniform in the logarithm; the ends are attained.
    LogUniform,
    /// Equal ratios.
    Geometric,
    /// All but the last at 1.
    OneSmall,
    /// Half at 1, half at `1 / condition`, each a multiple value.
    Clustered,
    /// Log-uniform values, each twice.
    Pairs,
}

impl Spectrum {
    pub const ALL: [Self; 5] =
        [Self::LogUniform, Self::Geometric, Self::OneSmall, Self::Clustered, Self::Pairs];

    /// `count` values, largest first, times `scale`.
    fn values(self, rng: &mut ChaCha8Rng, count: usize, condition: f64, scale: f64) -> Vec<f64> {
        let last = (count - 1).max(1) as f64;
        let mut uniform = || -> f64 { StandardUniform.sample(rng) };
        let mut values: Vec<f64> = (0..count)
            .map(|k| match self {
                Self::LogUniform | Self::Pairs => condition.powf(-uniform()),
                Self::Geometric => condition.powf(-(k as f64) / last),
                Self::OneSmall => 1.0,
                Self::Clustered => [1.0, 1.0 / condition][usize::from(2 * k >= count)],
            })
            .collect();
        values.sort_by(|a, b| b.total_cmp(a));
        if count > 1 {
            (values[0], values[count - 1]) = (1.0, 1.0 / condition);
        } else {
            values[0] = 1.0;
        }
        if let Self::Pairs = self {
            for pair in values.chunks_exact_mut(2).skip(1) {
                pair[1] = pair[0];
            }
            if count > 3 {
                values[count - 2] = values[count - 1];
            }
            values.sort_by(|a, b| b.total_cmp(a));
        }
        values.iter().map(|s| s * scale).collect()
    }
}

/// A Jacobian with a known singular value decomposition.
pub struct System {
    pub rows: usize,
    pub columns: usize,
    /// The min(n, p) prescribed values, largest first.
    pub values: Vec<f64>,
    left: Vec<Vec<Double>>,
    right: Vec<Vec<Double>>,
    pub jacobian: DenseJacobian,
}

/// `x <- (I - 2 u u^T / u^T u) x`.
fn reflect(u: &[Double], x: &mut [Double]) {
    let factor = (dot(u, x) * 2.0.into()).over(dot(u, u));
    for (x, &u) in x.iter_mut().zip(u) {
        *x = *x - factor * u;
    }
}

impl System {
    /// An n x p system whose spectrum has the condition and the largest value given.
    pub fn new(
        rng: &mut ChaCha8Rng,
        (rows, columns): (usize, usize),
        spectrum: Spectrum,
        condition: f64,
        scale: f64,
    ) -> Self {
        let values = spectrum.values(rng, rows.min(columns), condition, scale);
        Self::with_values(rng, (rows, columns), values)
    }

    /// An n x p system with exactly these min(n, p) singular values.
    pub fn with_values(
        rng: &mut ChaCha8Rng,
        (rows, columns): (usize, usize),
        values: Vec<f64>,
    ) -> Self {
        let mut sample = |size| (0..REFLECTIONS).map(|_| widen(&gaussian(rng, size))).collect();
        let (left, right): (Vec<Vec<Double>>, Vec<Vec<Double>>) = (sample(rows), sample(columns));
        let mut jacobian = DenseJacobian::zeros(rows, columns);
        let mut system = Self { rows, columns, values, left, right, jacobian: jacobian.clone() };
        for c in 0..columns {
            let mut unit = vec![Double::default(); columns];
            unit[c] = 1.0.into();
            for (r, x) in system.apply_exactly(&unit).into_iter().enumerate() {
                jacobian.matrix_mut()[(r, c)] = x.high;
            }
        }
        system.jacobian = jacobian;
        system
    }

    /// `U S V^T x`.
    pub fn apply_exactly(&self, x: &[Double]) -> Vec<Double> {
        let mut x = x.to_vec();
        self.right.iter().for_each(|u| reflect(u, &mut x));
        let mut out = vec![Double::default(); self.rows];
        for ((o, x), &s) in out.iter_mut().zip(&x).zip(&self.values) {
            *o = *x * s.into();
        }
        self.left.iter().rev().for_each(|u| reflect(u, &mut out));
        out
    }

    /// `V f(s) U^T b`: with `f(s) = s / ((1-rho) s^2 + rho)` the exact solution.
    pub fn exact_solution(&self, rho: f64, b: &[f64]) -> Vec<Double> {
        let mut b = widen(b);
        self.left.iter().for_each(|u| reflect(u, &mut b));
        let mut out = vec![Double::default(); self.columns];
        let kept = Double::from(1.0) - rho.into();
        for ((o, b), &s) in out.iter_mut().zip(&b).zip(&self.values) {
            let s = Double::from(s);
            *o = if s.high == 0.0 { s } else { (*b * s).over(kept * s * s + rho.into()) };
        }
        self.right.iter().rev().for_each(|u| reflect(u, &mut out));
        out
    }

    /// `U_r U_r^T b` over the first `rank` left singular vectors.
    pub fn exact_projection(&self, rank: usize, b: &[f64]) -> Vec<Double> {
        let mut b = widen(b);
        self.left.iter().for_each(|u| reflect(u, &mut b));
        b[rank..].fill(Double::default());
        self.left.iter().rev().for_each(|u| reflect(u, &mut b));
        b
    }

    /// `v_k u_k^T b`: the k-th singular pair alone.
    pub fn exact_term(&self, k: usize, b: &[f64]) -> Vec<f64> {
        let mut b = widen(b);
        self.left.iter().for_each(|u| reflect(u, &mut b));
        let mut out = vec![Double::default(); self.columns];
        out[k] = b[k];
        self.right.iter().rev().for_each(|u| reflect(u, &mut out));
        out.iter().map(|x| x.high).collect()
    }

    pub fn largest(&self) -> f64 {
        self.values[0]
    }

    pub fn smallest(&self) -> f64 {
        self.values[self.values.len() - 1]
    }
}

/// The Jacobian's columns in double-double.
pub fn columns_of(jacobian: &DenseJacobian) -> Vec<Vec<Double>> {
    let matrix = jacobian.matrix();
    (0..matrix.ncols())
        .map(|c| (0..matrix.nrows()).map(|r| matrix[(r, c)].into()).collect())
        .collect()
}

/// `norm(J^T b - (1-rho) J^T J v - rho v)` of the rounded J, in double-double.
pub fn residual(jacobian: &DenseJacobian, rho: f64, b: &[f64], v: &[f64]) -> f64 {
    let columns = columns_of(jacobian);
    let kept = Double::from(1.0) - rho.into();
    let mut rest = widen(b);
    for (column, &v) in columns.iter().zip(v) {
        let weight = kept * v.into();
        for (r, &x) in rest.iter_mut().zip(column) {
            *r = *r - weight * x;
        }
    }
    let defect: Vec<Double> = columns
        .iter()
        .zip(v)
        .map(|(column, &v)| dot(column, &rest) - Double::from(rho) * v.into())
        .collect();
    length(&defect)
}

#[test]
fn the_factors_are_orthogonal_and_the_solution_exact() {
    let rng = &mut generator(7);
    let system = System::new(rng, (9, 6), Spectrum::Geometric, 1e3, 2.0);
    let x = widen(&gaussian(rng, 6));
    let image = system.apply_exactly(&x);
    let rounded: Vec<f64> = image.iter().map(|x| x.high).collect();
    let back = system.exact_solution(0.0, &rounded);
    let error: Vec<Double> = back.iter().zip(&x).map(|(&a, &b)| a - b).collect();
    // `rounded` is within eps of the image, and J^+ magnifies by 1 / sigma_min.
    assert!(length(&error) <= EPS * length(&image) / system.smallest());
    assert!(length(&image) <= system.largest() * length(&x) * (1.0 + EPS));
}
