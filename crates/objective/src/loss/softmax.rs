//! Cross-entropy of several classes: `g(psi) = sum_j [log sum_k e^psi_jk - sum_k y_jk psi_jk]`, `pi_jk = e^psi_jk / sum`.
//!
//! The Hessian has a block `diag(pi_j) - pi_j pi_j^T` for each sample, singular along (1, .., 1), with eigenvalues up to
//! 1/2: nu = 0, mu = 1/2. `R = (I - pi 1^T) diag(sqrt pi)` is a root of it, and `b = sqrt(pi) - y / sqrt(pi)` solves
//! `R b = pi - y`, so that nothing singular is inverted.

use super::{Loss, LossError, require_probabilities};

/// How far the sum of a sample's probabilities may be from 1.
const UNITY: f64 = 1e-9;

/// The cross-entropy of several classes, `g(psi) = sum_j [log sum_k e^psi_jk - sum_k y_jk psi_jk]`: samples j one after the
/// other, with one output per class k.
///
/// Convexity nu = 0 (a common shift of a sample's outputs changes nothing), smoothness mu = 1/2.
///
/// # Examples
/// ```
/// use gaussflow_objective::{Loss, Softmax};
/// let loss = Softmax::of_classes(&[2, 0], 3)?;
/// assert!((loss.value(&[0.0; 6]) - 2.0 * 3f64.ln()).abs() < 1e-15);
/// assert_eq!(loss.outputs_of_a_sample(), 3);
/// # Ok::<(), gaussflow_objective::LossError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Softmax {
    /// n x o, row-major.
    targets: Vec<f64>,
    classes: usize,
}

impl Softmax {
    /// Creates the loss with the probabilities y of `classes` classes for each sample (samples x classes, row-major).
    ///
    /// # Errors
    /// [`LossError`] for fewer than two classes, a number of targets that is no multiple of it, or rows that are not
    /// probabilities.
    pub fn new(targets: Vec<f64>, classes: usize) -> Result<Self, LossError> {
        if classes < 2 || !targets.len().is_multiple_of(classes) {
            return Err(LossError::Classes { classes, targets: targets.len() });
        }
        require_probabilities(&targets)?;
        for (sample, row) in targets.chunks_exact(classes).enumerate() {
            let sum: f64 = row.iter().sum();
            if (sum - 1.0).abs() > UNITY {
                return Err(LossError::ProbabilitySum { sample, sum });
            }
        }
        Ok(Self { targets, classes })
    }

    /// Creates the loss of samples whose classes `labels` are certain, each in `0..classes`.
    ///
    /// # Errors
    /// [`LossError`] for fewer than two classes, or a label beyond them.
    pub fn of_classes(labels: &[usize], classes: usize) -> Result<Self, LossError> {
        let mut targets = vec![0.0; labels.len().saturating_mul(classes)];
        for (sample, &label) in labels.iter().enumerate() {
            if label >= classes {
                return Err(LossError::Label { sample, label, classes });
            }
            targets[sample * classes + label] = 1.0;
        }
        Self::new(targets, classes)
    }

    /// Shows `visit` the probabilities of each sample and of all its other classes: where its numbers stand, pi, 1 - pi,
    /// and for each class `-log pi`.
    fn samples(&self, psi: &[f64], mut visit: impl FnMut(usize, [&[f64]; 3])) {
        let o = self.classes;
        let (mut pi, mut rest, mut cost) = (vec![0.0; o], vec![0.0; o], vec![0.0; o]);
        for (sample, psi) in psi.chunks_exact(o).enumerate() {
            // A sum that leaves out the largest term keeps the digits of the others.
            let largest = (1..o).fold(0, |best, k| if psi[k] > psi[best] { k } else { best });
            pi.iter_mut().zip(psi).for_each(|(pi, x)| *pi = (x - psi[largest]).exp());
            let others: f64 = (0..o).filter(|&k| k != largest).map(|k| pi[k]).sum();
            let sum = 1.0 + others;
            for k in 0..o {
                cost[k] = (psi[largest] - psi[k]) + others.ln_1p();
                rest[k] = if k == largest { others / sum } else { (sum - pi[k]) / sum };
                pi[k] /= sum;
            }
            visit(sample * o, [&pi, &rest, &cost]);
        }
    }
}

impl Loss for Softmax {
    fn outputs(&self) -> usize {
        self.targets.len()
    }

    fn outputs_of_a_sample(&self) -> usize {
        self.classes
    }

    fn value(&self, psi: &[f64]) -> f64 {
        let mut sum = 0.0;
        self.samples(psi, |first, [_, _, cost]| {
            let terms = cost.iter().zip(&self.targets[first..]);
            // A class that is certainly another one costs nothing, however improbable it is.
            sum += terms.map(|(c, y)| if *y == 0.0 { 0.0 } else { y * c }).sum::<f64>();
        });
        sum
    }

    fn gradient(&self, psi: &[f64], out: &mut [f64]) {
        self.samples(psi, |first, [pi, rest, _]| {
            for k in 0..self.classes {
                let y = self.targets[first + k];
                out[first + k] = (1.0 - y) * pi[k] - y * rest[k];
            }
        });
    }

    fn hessian_apply(&self, psi: &[f64], v: &[f64], out: &mut [f64]) {
        self.samples(psi, |first, [pi, _, _]| {
            let v = &v[first..first + self.classes];
            let mean: f64 = pi.iter().zip(v).map(|(pi, v)| pi * v).sum();
            for (k, (pi, v)) in pi.iter().zip(v).enumerate() {
                out[first + k] = pi * (v - mean);
            }
        });
    }

    fn hessian_root(&self, psi: &[f64], root: &mut [f64], b: &mut [f64]) -> bool {
        let o = self.classes;
        self.samples(psi, |first, [pi, rest, cost]| {
            for l in 0..o {
                let (half, y) = (pi[l].sqrt(), self.targets[first + l]);
                // Without the cancellation of sqrt(pi) - y / sqrt(pi) where pi is nearly 1.
                let missed = if y == 0.0 { 0.0 } else { y * rest[l] * (0.5 * cost[l]).exp() };
                b[first + l] = (1.0 - y) * half - missed;
                for k in 0..o {
                    let entry = if k == l { rest[k] } else { -pi[k] };
                    root[(first + k) * o + l] = entry * half;
                }
            }
        });
        true
    }

    fn strong_convexity(&self) -> f64 {
        0.0
    }

    fn smoothness(&self) -> f64 {
        0.5
    }

    fn minimum(&self) -> f64 {
        self.targets.iter().map(|&y| if y == 0.0 { 0.0 } else { -y * y.ln() }).sum()
    }

    fn minimizer(&self, out: &mut [f64]) -> bool {
        out.iter_mut().zip(&self.targets).for_each(|(out, y)| *out = y.ln());
        out.iter().all(|x| x.is_finite())
    }
}
