//! Losses of residuals, `sum_j C^2 rho(omega_j r_j^2 / C^2)`: squares, Huber, soft-L1, Cauchy, arctan.
//!
//! rho(z) and its derivatives are those of SciPy's `least_squares`, whose cost is half of this loss. A
//! Gauss-Newton step sees rows scaled by `sqrt(rho' + 2 rho'' z)` (Triggs et al., Bundle adjustment, 2000).

use gaussflow_solvers::inner_product;

/// Chooses how residuals are measured, `sum_j C^2 rho(omega_j r_j^2 / C^2)`. The scale C of a robust loss is the size of
/// residual from which on it grows more slowly than the square.
///
/// # Source
/// The functions rho are those of SciPy's `least_squares`, whose cost is half of this loss.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum RobustLoss {
    /// `rho(z) = z`: the sum of squares.
    #[default]
    Squares,
    /// `rho(z) = z` up to 1, then `2 sqrt(z) - 1`: squares that become absolute values.
    Huber {
        /// C, positive, in the unit of the (weighted) residuals.
        scale: f64,
    },
    /// `rho(z) = 2 (sqrt(1 + z) - 1)`: a smooth Huber loss.
    SoftL1 {
        /// C, positive, in the unit of the (weighted) residuals.
        scale: f64,
    },
    /// `rho(z) = ln(1 + z)`: far residuals hardly count; there may be several minima.
    Cauchy {
        /// C, positive, in the unit of the (weighted) residuals.
        scale: f64,
    },
    /// `rho(z) = arctan z`: no residual adds more than `pi C^2 / 2`; there may be several minima.
    Arctan {
        /// C, positive, in the unit of the (weighted) residuals.
        scale: f64,
    },
}

impl RobustLoss {
    /// Returns the loss called `name` (`squares`, `huber`, `soft-l1`, `cauchy` or `arctan`) with its scale C; `None` for any
    /// other name.
    pub fn from_name(name: &str, scale: f64) -> Option<Self> {
        match name {
            "squares" => Some(Self::Squares),
            "huber" => Some(Self::Huber { scale }),
            "soft-l1" => Some(Self::SoftL1 { scale }),
            "cauchy" => Some(Self::Cauchy { scale }),
            "arctan" => Some(Self::Arctan { scale }),
            _ => None,
        }
    }

    /// Returns the name that configuration files use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Squares => "squares",
            Self::Huber { .. } => "huber",
            Self::SoftL1 { .. } => "soft-l1",
            Self::Cauchy { .. } => "cauchy",
            Self::Arctan { .. } => "arctan",
        }
    }

    /// Returns the scale C; 1 for squares, which do not depend on it.
    pub fn scale(self) -> f64 {
        match self {
            Self::Squares => 1.0,
            Self::Huber { scale }
            | Self::SoftL1 { scale }
            | Self::Cauchy { scale }
            | Self::Arctan { scale } => scale,
        }
    }

    /// Evaluates `[rho(z), rho'(z), rho''(z)]` at `z = omega r^2 / C^2 >= 0`.
    ///
    /// # Examples
    /// ```
    /// use gaussflow_dynamics::RobustLoss;
    /// assert_eq!(RobustLoss::Huber { scale: 1.0 }.rho(4.0), [3.0, 0.5, -0.0625]);
    /// ```
    pub fn rho(self, z: f64) -> [f64; 3] {
        match self {
            Self::Squares => [z, 1.0, 0.0],
            Self::Huber { .. } if z <= 1.0 => [z, 1.0, 0.0],
            Self::Huber { .. } => {
                let root = z.sqrt();
                [2.0 * root - 1.0, root.recip(), -0.5 / (z * root)]
            }
            Self::SoftL1 { .. } => {
                let root = (1.0 + z).sqrt();
                // 2 (sqrt(1 + z) - 1) without its cancellation at small z.
                [2.0 * z / (1.0 + root), root.recip(), -0.5 / ((1.0 + z) * root)]
            }
            Self::Cauchy { .. } => {
                let inverse = (1.0 + z).recip();
                [z.ln_1p(), inverse, -inverse * inverse]
            }
            Self::Arctan { .. } => {
                // Where z^2 overflows the slope is 0.
                let inverse = (1.0 + z * z).recip();
                [z.atan(), inverse, -2.0 * z * inverse * inverse]
            }
        }
    }
}

/// The standard deviation of normal residuals over their median size.
const NORMAL: f64 = 1.4826;
/// Silverman's factor for the bandwidth of a density estimate.
const DENSITY: f64 = 1.06;

/// Observations, weights and loss of a problem's residuals, applied row by row.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rows {
    /// omega (length n); `None` is 1 everywhere.
    pub(crate) weights: Option<Vec<f64>>,
    pub(crate) loss: RobustLoss,
    /// y (length n), subtracted from the map's outputs; `None` where these are residuals.
    pub(crate) observations: Option<Vec<f64>>,
}

impl Rows {
    /// Whether the loss is the plain sum of squares.
    pub(crate) fn is_plain(&self) -> bool {
        self.weights.is_none() && self.loss == RobustLoss::Squares
    }

    /// Turns the map's outputs into residuals, `f <- f - y`.
    pub(crate) fn subtract_observations(&self, f: &mut [f64]) {
        if let Some(observations) = &self.observations {
            f.iter_mut().zip(observations).for_each(|(f, y)| *f -= y);
        }
    }

    fn weight(&self, j: usize) -> f64 {
        self.weights.as_ref().map_or(1.0, |weights| weights[j])
    }

    /// `sum_j C^2 rho(omega_j f_j^2 / C^2)`.
    pub(crate) fn loss(&self, f: &[f64]) -> f64 {
        if self.is_plain() {
            return inner_product(f, f);
        }
        let square = self.loss.scale().powi(2);
        let terms = f.iter().enumerate();
        terms.map(|(j, f)| square * self.loss.rho(self.weight(j) * f * f / square)[0]).sum()
    }

    /// `loss(before) - loss(after)`, row by row, so that small differences keep their digits.
    pub(crate) fn decrease(&self, before: &[f64], after: &[f64]) -> f64 {
        let pairs = before.iter().zip(after).enumerate();
        if self.loss == RobustLoss::Squares {
            if self.weights.is_none() {
                return before.iter().zip(after).map(|(a, b)| (a - b) * (a + b)).sum();
            }
            return pairs.map(|(j, (a, b))| self.weight(j) * (a - b) * (a + b)).sum();
        }
        let square = self.loss.scale().powi(2);
        pairs
            .map(|(j, (a, b))| {
                let weight = self.weight(j) / square;
                square * (self.loss.rho(weight * a * a)[0] - self.loss.rho(weight * b * b)[0])
            })
            .sum()
    }

    /// The roots of the weights (n), which are the factors of J's rows in the covariance; `None` for ones.
    pub(crate) fn roots(&self) -> Option<Vec<f64>> {
        self.weights.as_ref().map(|weights| weights.iter().map(|weight| weight.sqrt()).collect())
    }

    /// `psi = rho'(x^2 / C^2) x`, half the loss's derivative, at each weighted residual x, and the change of psi there,
    /// over a bandwidth of h to both sides (n each).
    pub(crate) fn influence(&self, f: &[f64]) -> (Vec<f64>, Vec<f64>) {
        let square = self.loss.scale().powi(2);
        let psi = |x: f64| self.loss.rho(x * x / square)[1] * x;
        let slope = |x: f64| {
            let z = x * x / square;
            let [_, first, second] = self.loss.rho(z);
            first + 2.0 * second * z
        };
        let x: Vec<f64> = f.iter().enumerate().map(|(j, f)| self.weight(j).sqrt() * f).collect();
        let mut sizes: Vec<f64> = x.iter().map(|x| x.abs()).collect();
        let half = sizes.len() / 2;
        let (_, median, _) = sizes.select_nth_unstable_by(half, f64::total_cmp);
        let h = DENSITY * NORMAL * *median * (x.len() as f64).powf(-1.0 / 3.0);
        let curvature = |x: f64| {
            let change = (psi(x + h) - psi(x - h)) / (2.0 * h);
            // Below rounding of x there is no difference, and none is needed.
            if h > 1e-6 * x.abs() { change } else { slope(x) }
        };
        (x.iter().map(|&x| psi(x)).collect(), x.iter().map(|&x| curvature(x)).collect())
    }

    /// Half the loss's gradient in output space, `u_j = omega_j rho'(z_j) f_j`.
    pub(crate) fn half_gradient(&self, f: &[f64], out: &mut [f64]) {
        let square = self.loss.scale().powi(2);
        for (j, (o, f)) in out.iter_mut().zip(f).enumerate() {
            let weight = self.weight(j);
            *o = weight * self.loss.rho(weight * f * f / square)[1] * f;
        }
    }

    /// Row factors t and scaled residuals b with `(t J)^T b = J^T u`, b = f and t = 1 for plain squares.
    ///
    /// Where the loss is flat or concave in r, `least` times its slope takes the place of its curvature.
    pub(crate) fn scale(&self, f: &[f64], least: f64, factors: &mut [f64], b: &mut [f64]) {
        let square = self.loss.scale().powi(2);
        for (j, ((t, b), f)) in factors.iter_mut().zip(b).zip(f).enumerate() {
            let weight = self.weight(j);
            let z = weight * f * f / square;
            let [_, first, second] = self.loss.rho(z);
            let curvature = (first + 2.0 * second * z).max(least * first).sqrt();
            *t = weight.sqrt() * curvature;
            *b = weight.sqrt() * first / curvature * f;
        }
    }
}
