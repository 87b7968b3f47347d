//! The step for a damping, and the damping for a radius: Newton's method on the secular equation.

use crate::dense::extreme::ExtremeSingularValues;
use crate::powers::binary_scale;
use crate::secular::factor::SecularFactor;

/// Newton steps on the secular equation: its convergence is monotone, two or three are the rule.
const NEWTON_STEPS: usize = 60;

/// Steps for every damping without singular vectors; b is the one projected last.
pub(super) trait Steps {
    /// Sets b (length n).
    fn project(&mut self, b: &[f64]);

    /// As [`SecularFactor::rank`].
    fn rank(&self) -> usize;

    /// As [`SecularFactor::image_norm`].
    fn image_norm(&mut self) -> f64;

    /// As [`SecularFactor::extreme_singular_values`].
    fn extremes(&mut self) -> ExtremeSingularValues;

    /// A power of two near the norm of A.
    fn size(&self) -> f64;

    /// A power of two near the norm of the part of b that counts.
    fn share(&self) -> f64;

    /// `norm(A^T b) / (size share)`.
    fn slope(&mut self, size: f64, share: f64) -> f64;

    /// As [`SecularFactor::step_norm`].
    fn step_norm(&mut self, damping: f64) -> f64;

    /// `unit^2 size^2 d^T (A^T A + lambda I)^-1 d`.
    fn bend(&mut self, damping: f64, size: f64, unit: f64) -> f64;

    /// As [`SecularFactor::step`].
    fn step(&mut self, damping: f64, out: &mut [f64]);

    /// As [`SecularFactor::damped_step`].
    fn damped_step(&mut self, rho: f64, out: &mut [f64]);

    /// As [`SecularFactor::image_of_step`].
    fn image_of_step(&mut self, damping: f64) -> f64;
}

impl SecularFactor {
    /// What takes the steps where there are no singular vectors.
    pub(super) fn large(&mut self) -> Option<&mut dyn Steps> {
        match (&mut self.reduced, &mut self.sparse) {
            (Some(reduced), _) => Some(reduced),
            (_, Some(sparse)) => Some(sparse),
            _ => None,
        }
    }

    /// Finds the singular values up to which directions v are left out (k): where an error e of J's columns, each relative to
    /// its norm, moves the image of v as much, `e s_1 norm(share v) / max(share)`, share the norms of A's columns. A column that
    /// D has made small has as small an error; where all are alike, that is `e s_1`.
    pub(super) fn find_floors(&mut self) {
        let largest = self.values.iter().copied().fold(0.0, f64::max);
        let rounding = 4.0 * f64::EPSILON;
        self.floors.clear();
        if self.cutoff <= rounding {
            self.floors.resize(self.values.len(), self.cutoff * largest);
            return;
        }
        let widest = self.shares.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
        let directions = self.right.chunks_exact(self.shares.len().max(1)).take(self.values.len());
        self.floors.extend(directions.map(|v| {
            let moved = v.iter().zip(&self.shares).map(|(v, share)| (v * (share / widest)).powi(2));
            (self.cutoff * moved.sum::<f64>().sqrt()).max(rounding) * largest
        }));
    }

    /// Fills `weights` with `s c / (s^2 + lambda)`, 0 for what counts as rank lost.
    fn fill_weights(&mut self, damping: f64) {
        self.weights.clear();
        let terms = self.values.iter().zip(&self.coordinates).zip(&self.floors);
        self.weights.extend(
            terms.map(|((&s, &c), &floor)| if s > floor { c / (s + damping / s) } else { 0.0 }),
        );
    }

    /// Computes `norm(P b)`, with P the projection on the range of A; its square is the decrease that an undamped step
    /// predicts.
    pub fn image_norm(&mut self) -> f64 {
        if let Some(large) = self.large() {
            return large.image_norm();
        }
        let terms = self.values.iter().zip(&self.floors).zip(&self.coordinates);
        let kept = terms.filter(|((s, floor), _)| s > floor);
        kept.map(|(_, c)| c * c).sum::<f64>().sqrt()
    }

    /// Returns the number of singular values that steps use.
    pub fn rank(&self) -> usize {
        match (&self.reduced, &self.sparse) {
            (Some(reduced), _) => return reduced.rank(),
            (_, Some(sparse)) => return sparse.rank(),
            _ => {}
        }
        self.values.iter().zip(&self.floors).filter(|(s, floor)| s > floor).count()
    }

    /// Computes `norm(d(lambda))`, the length of [`Self::step`] at lambda = `damping`.
    pub fn step_norm(&mut self, damping: f64) -> f64 {
        if let Some(large) = self.large() {
            return large.step_norm(damping);
        }
        self.fill_weights(damping);
        length(&self.weights)
    }

    /// Writes `d(lambda) = -V diag(s/(s^2 + lambda)) U^T b`, over the free columns.
    pub fn step(&mut self, damping: f64, out: &mut [f64]) {
        if let Some(large) = self.large() {
            return large.step(damping, out);
        }
        self.fill_weights(damping);
        self.combine(out);
    }

    /// Writes `-((1-rho) A^T A + rho I)^-1 A^T b` for rho in [0, 1], equation (1) of the paper.
    pub fn damped_step(&mut self, rho: f64, out: &mut [f64]) {
        if let Some(large) = self.large() {
            return large.damped_step(rho, out);
        }
        self.weights.clear();
        let terms = self.values.iter().zip(&self.coordinates).zip(&self.floors);
        self.weights.extend(terms.map(|((&s, &c), &floor)| {
            if rho > 0.0 || s > floor { s * c / ((1.0 - rho) * s * s + rho) } else { 0.0 }
        }));
        self.combine(out);
    }

    /// `out = -V weights`.
    fn combine(&self, out: &mut [f64]) {
        let f = self.free.len();
        out.fill(0.0);
        for (i, weight) in self.weights.iter().enumerate() {
            let column = &self.right[i * f..][..f];
            out.iter_mut().zip(column).for_each(|(o, v)| *o -= weight * v);
        }
    }

    /// Computes `norm(A d(lambda))^2` for the step at lambda = `damping`.
    pub fn image_of_step(&mut self, damping: f64) -> f64 {
        if let Some(large) = self.large() {
            return large.image_of_step(damping);
        }
        let terms = self.values.iter().zip(&self.coordinates).zip(&self.floors);
        terms
            .map(|((&s, &c), &floor)| if s > floor { c * s / (s + damping / s) } else { 0.0 })
            .map(|image| image * image)
            .sum()
    }

    /// Searches for the lambda at which `norm(d(lambda))` is within a tenth of `radius`; 0 where the undamped step is that
    /// short.
    ///
    /// `guess` is the start of the search, usually the last damping; it changes the cost, and the result only within that
    /// tenth.
    pub fn damping_for(&mut self, radius: f64, guess: f64) -> f64 {
        if self.step_norm(0.0) <= 1.1 * radius {
            return 0.0;
        }
        // In these powers of two as units nothing that counts over- or underflows when it is squared: lambda is
        // measured in `size^2`, norm(d) in `1 / unit`.
        let (size, share, slope) = if let Some(large) = self.large() {
            let (size, share) = (large.size(), large.share());
            (size, share, large.slope(size, share))
        } else {
            let largest = |x: &[f64]| binary_scale(x.iter().fold(0.0, |m, x| x.abs().max(m)));
            let (size, share) = (largest(&self.values), largest(&self.coordinates));
            let terms = self.values.iter().zip(&self.coordinates);
            let slope: f64 = terms.map(|(s, c)| ((s / size) * (c / share)).powi(2)).sum();
            (size, share, slope.sqrt())
        };
        let unit = size / share;
        let radius = radius * unit;
        // norm(d(lambda)) <= norm(A^T b) / lambda.
        let (mut low, mut high) = (0.0, slope / radius);
        let mut damping = (guess / size / size).max(low).min(high);
        if damping == 0.0 {
            damping = 1e-3 * high;
        }
        for _ in 0..NEWTON_STEPS {
            let length = self.step_norm(damping * size * size) * unit;
            if (length - radius).abs() <= 0.1 * radius {
                break;
            }
            if length > radius {
                low = damping;
            } else {
                high = damping;
            }
            let derivative = self.bend(damping, size, unit);
            // Newton on 1/radius - 1/norm(d), which is nearly linear in lambda.
            let next = damping + (length / radius) * (length - radius) * length / derivative;
            damping =
                if next > low && next < high { next } else { (low.max(1e-6 * high) * high).sqrt() };
        }
        damping * size * size
    }

    /// `-norm(d)` times its derivative in lambda, in the units of [`Self::damping_for`], at the last step's norm.
    fn bend(&mut self, damping: f64, size: f64, unit: f64) -> f64 {
        if let Some(large) = self.large() {
            return large.bend(damping * size * size, size, unit);
        }
        let terms = self.values.iter().zip(&self.weights).zip(&self.floors);
        let kept = terms.filter(|((s, _), floor)| s > floor).map(|(kept, _)| kept);
        kept.map(|(s, w)| (w * unit).powi(2) / ((s / size).powi(2) + damping)).sum()
    }
}

/// The 2-norm, summed in order; over- and underflow of the squares change nothing.
fn length(x: &[f64]) -> f64 {
    let unit = binary_scale(x.iter().fold(0.0, |m, x| x.abs().max(m)));
    x.iter().map(|x| (x / unit).powi(2)).sum::<f64>().sqrt() * unit
}
