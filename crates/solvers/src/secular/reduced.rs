//! Steps of larger orders without singular vectors: from R where it is well conditioned, else from its bidiagonal form.
//!
//! `A = Q R` (of `A^T` for wide ones) gives the undamped step by back substitution, as soon as `R^-1` proves that no
//! singular value counts as 0. Damped steps need `R = U C V^T` with C bidiagonal, made when the first is asked for:
//! `norm(d)` and its derivative then cost O(k) for each damping, a step O(k^2). The singular vectors of C, which take
//! several times as long as all of this, are never formed.

use faer::Mat;
use gaussflow_faer::invert_upper;

use crate::dense::bidiagonal::Bidiagonalization;
use crate::dense::extreme::ExtremeSingularValues;
use crate::dense::householder_qr::HouseholderQr;
use crate::powers::binary_scale;
use crate::secular::bidiagonal::{Bidiagonal, Solution};
use crate::secular::equation::Steps;
use crate::vector::norm;

/// The factors of `A / unit`.
pub(crate) struct Reduced {
    wide: bool,
    unit: f64,
    qr: HouseholderQr,
    /// Whether `R^-1` proved that every singular value counts.
    regular: bool,
    form: Option<Form>,
    /// The first k entries of `Q^T b`, for wide A b itself.
    target: Vec<f64>,
}

/// `R = U C V^T`, with the target in the coordinates of C.
struct Form {
    vectors: Bidiagonalization,
    bidiagonal: Bidiagonal,
    target: Vec<f64>,
    last: Option<(f64, Solution)>,
}

impl Reduced {
    /// From the QR factors of `A / unit` (of `A^T / unit` for wide ones); `Err` gives them back where splitting off the
    /// lost singular values did not converge.
    pub(super) fn new(
        qr: HouseholderQr,
        wide: bool,
        unit: f64,
        cutoff: f64,
    ) -> Result<Self, Box<HouseholderQr>> {
        let regular = proves_rank(&qr, cutoff);
        let target = vec![0.0; qr.upper().ncols()];
        let mut found = Self { wide, unit, qr, regular, form: None, target };
        if !regular {
            let mut form = found.make_form();
            let largest = form.bidiagonal.extremes().largest;
            if !form.bidiagonal.split(cutoff * largest) {
                return Err(Box::new(found.qr));
            }
            form.receive(&found.target, wide);
            found.form = Some(form);
        }
        Ok(found)
    }

    fn order(&self) -> usize {
        self.target.len()
    }

    /// The QR factors, the unit and the target, for a decomposition by other means.
    pub(super) fn into_factors(self) -> (HouseholderQr, f64, Vec<f64>) {
        (self.qr, self.unit, self.target)
    }

    fn make_form(&self) -> Form {
        let k = self.order();
        let upper = self.qr.upper();
        let mut vectors = Bidiagonalization::with_vectors(k);
        for c in 0..k {
            let column = vectors.column_mut(c);
            column
                .iter_mut()
                .enumerate()
                .for_each(|(r, x)| *x = if r <= c { upper[(r, c)] } else { 0.0 });
        }
        let mut entries = vec![0.0; 2 * k - 1];
        vectors.run(&mut entries);
        // A wide A is `Q` times the transpose, lower bidiagonal: upper again in the reverse order.
        if self.wide {
            entries.reverse();
        }
        Form { vectors, bidiagonal: Bidiagonal::new(&entries), target: Vec::new(), last: None }
    }

    fn form(&mut self) -> &mut Form {
        if self.form.is_none() {
            let mut form = self.make_form();
            form.receive(&self.target, self.wide);
            self.form = Some(form);
        }
        // It was just made.
        let Some(form) = &mut self.form else { unreachable!() };
        form
    }

    /// The undamped solution by R: coordinates of `-unit d` in the basis that [`Self::spread`] takes, for tall A its
    /// entries.
    fn solve_triangle(&self) -> Vec<f64> {
        let mut x = self.target.clone();
        if self.wide {
            self.qr.solve_upper_transposed(&mut x);
        } else {
            self.qr.solve_upper(&mut x);
        }
        x
    }

    /// `out = factor x`, for wide A `factor Q x`.
    fn spread(&mut self, x: &[f64], factor: f64, out: &mut [f64]) {
        out.fill(0.0);
        out.iter_mut().zip(x).for_each(|(o, x)| *o = factor * x);
        if self.wide {
            self.qr.apply_q(out);
        }
    }

    /// `R^-1` (row-major) for A of full column rank, every singular value above `cutoff` times the largest.
    pub(super) fn inverse_triangle(&mut self, cutoff: f64) -> Option<Vec<f64>> {
        if self.wide || self.rank() < self.order() {
            return None;
        }
        if !proves_rank(&self.qr, cutoff) {
            let found = self.extremes();
            // Written so that NaN is refused.
            let full = found.smallest > cutoff * found.largest;
            if !full {
                return None;
            }
        }
        let inverse = inverse_of(&self.qr);
        let rows = (0..inverse.nrows()).flat_map(|r| (0..inverse.ncols()).map(move |c| (r, c)));
        Some(rows.map(|place| inverse[place] / self.unit).collect())
    }
}

impl Form {
    /// Takes in the target.
    fn receive(&mut self, target: &[f64], wide: bool) {
        self.last = None;
        self.target.clear();
        self.target.extend_from_slice(target);
        if wide {
            self.vectors.apply_right_transposed(&mut self.target);
            self.target.reverse();
        } else {
            self.vectors.apply_left_transposed(&mut self.target);
        }
        self.bidiagonal.turn(&mut self.target);
    }

    /// The solution for mu, which the last one often is.
    fn solve(&mut self, mu: f64) -> &Solution {
        if self.last.as_ref().is_none_or(|(known, _)| known.to_bits() != mu.to_bits()) {
            self.last = Some((mu, self.bidiagonal.solve(&self.target, mu, false)));
        }
        // It was just made.
        let Some((_, solution)) = &self.last else { unreachable!() };
        solution
    }

    /// y in the coordinates of R's columns, for wide A of its rows.
    fn back(&self, mut y: Vec<f64>, wide: bool) -> Vec<f64> {
        self.bidiagonal.turn_back(&mut y);
        if wide {
            y.reverse();
            self.vectors.apply_left(&mut y);
        } else {
            self.vectors.apply_right(&mut y);
        }
        y
    }
}

impl Steps for Reduced {
    fn project(&mut self, b: &[f64]) {
        let k = self.order();
        if self.wide {
            self.target.copy_from_slice(b);
        } else {
            let mut work = b.to_vec();
            self.qr.apply_q_transposed(&mut work);
            self.target.copy_from_slice(&work[..k]);
        }
        if let Some(form) = &mut self.form {
            form.receive(&self.target, self.wide);
        }
    }

    fn rank(&self) -> usize {
        self.order() - self.form.as_ref().map_or(0, |form| form.bidiagonal.lost())
    }

    fn image_norm(&mut self) -> f64 {
        match &self.form {
            Some(form) => form.bidiagonal.image_norm(&form.target),
            None => norm(&self.target),
        }
    }

    fn image_of_step(&mut self, damping: f64) -> f64 {
        if damping == 0.0 {
            return self.image_norm().powi(2);
        }
        let mu = damping.sqrt() / self.unit;
        let form = self.form();
        let y = form.solve(mu).y.clone();
        form.bidiagonal.image(&y).powi(2)
    }

    fn extremes(&mut self) -> ExtremeSingularValues {
        let unit = self.unit;
        let found = self.form().bidiagonal.extremes();
        ExtremeSingularValues { smallest: found.smallest * unit, largest: found.largest * unit }
    }

    fn step(&mut self, damping: f64, out: &mut [f64]) {
        let x = if damping == 0.0 && self.regular {
            self.solve_triangle()
        } else {
            let (mu, wide) = (damping.sqrt() / self.unit, self.wide);
            let form = self.form();
            let y = form.solve(mu).y.clone();
            form.back(y, wide)
        };
        self.spread(&x, -self.unit.recip(), out);
    }

    fn damped_step(&mut self, rho: f64, out: &mut [f64]) {
        if rho == 0.0 {
            return self.step(0.0, out);
        }
        let unit = self.unit;
        if rho >= 1.0 {
            let (k, upper) = (self.order(), self.qr.upper());
            let x: Vec<f64> = (0..k)
                .map(|i| {
                    let others = if self.wide { i..k } else { 0..i + 1 };
                    others
                        .map(|j| self.target[j] * upper[if self.wide { (i, j) } else { (j, i) }])
                        .sum()
                })
                .collect();
            return self.spread(&x, -unit, out);
        }
        let mu = (rho / (1.0 - rho)).sqrt() / unit;
        let wide = self.wide;
        let form = self.form();
        // Other than a step's, this damping takes all directions in.
        let y = form.bidiagonal.solve(&form.target, mu, true).y;
        let x = form.back(y, wide);
        self.spread(&x, -unit.recip() / (1.0 - rho), out);
    }

    fn size(&self) -> f64 {
        // norm(R)_F, k^(1/2) times the largest singular value at most.
        let upper = self.qr.upper();
        let columns =
            (0..upper.ncols()).map(|c| (0..=c).map(|r| upper[(r, c)].powi(2)).sum::<f64>());
        binary_scale(columns.sum::<f64>().sqrt()) * self.unit
    }

    fn share(&self) -> f64 {
        binary_scale(norm(&self.target))
    }

    fn slope(&mut self, size: f64, share: f64) -> f64 {
        let unit = self.unit;
        let form = self.form();
        (form.bidiagonal.slope(&form.target) / share) * (unit / size)
    }

    fn step_norm(&mut self, damping: f64) -> f64 {
        if damping == 0.0 && self.regular {
            return norm(&self.solve_triangle()) / self.unit;
        }
        let mu = damping.sqrt() / self.unit;
        norm(&self.form().solve(mu).y) / self.unit
    }

    fn bend(&mut self, damping: f64, size: f64, unit: f64) -> f64 {
        let mu = damping.sqrt() / self.unit;
        let factor = (unit / self.unit) * (size / self.unit);
        self.form().solve(mu).bend() * factor * factor
    }
}

/// `R^-1`, upper triangular.
fn inverse_of(qr: &HouseholderQr) -> Mat<f64> {
    let k = qr.upper().ncols();
    let mut inverse = Mat::zeros(k, k);
    invert_upper(inverse.as_mut(), qr.upper());
    inverse
}

/// Whether `R^-1` proves every singular value to exceed `cutoff` times the largest.
fn proves_rank(qr: &HouseholderQr, cutoff: f64) -> bool {
    if !qr.is_invertible() {
        return false;
    }
    let (upper, inverse) = (qr.upper(), inverse_of(qr));
    let size = |matrix: faer::MatRef<'_, f64>| {
        let columns = matrix.col_iter().enumerate();
        columns
            .map(|(c, column)| column.iter().take(c + 1).map(|x| x * x).sum::<f64>())
            .sum::<f64>()
    };
    // The inverse is known to k eps times this product.
    let condition = size(upper).sqrt() * size(inverse.as_ref()).sqrt();
    let allowed = 2.0 * cutoff.max(2.0 * upper.ncols() as f64 * f64::EPSILON);
    // Written so that NaN proves nothing.
    condition * allowed < 1.0
}
