//! Surfaces given by their jets in closed form, in parameters that a matrix may mix.

use gaussflow_objective::{MapError, Residuals, SecondOrderMap, SmoothMap};
use gaussflow_solvers::DenseJacobian;

/// Value, then columns of J, then D2f for the pairs 00, 01, 11.
pub type Jet = fn(&[f64]) -> [[f64; 3]; 6];

/// A surface with its jet: value, first and second derivatives for p <= 2 and n <= 3.
pub struct Surface {
    pub outputs: usize,
    pub parameters: usize,
    pub jet: Jet,
    /// Parameters are `mix * w`.
    pub mix: [[f64; 2]; 2],
}

impl Surface {
    fn mixed(&self, w: &[f64]) -> [f64; 2] {
        let second = w.get(1).copied().unwrap_or(0.0);
        [0, 1].map(|k| self.mix[k][0] * w[0] + self.mix[k][1] * second)
    }
}

impl Residuals for Surface {
    fn parameters(&self) -> usize {
        self.parameters
    }
    fn outputs(&self) -> usize {
        self.outputs
    }
    fn value(&self, w: &[f64], out: &mut [f64]) -> Result<(), MapError> {
        out.copy_from_slice(&(self.jet)(&self.mixed(w))[0][..self.outputs]);
        Ok(())
    }
}

impl SmoothMap for Surface {
    type Jacobian = DenseJacobian;
    fn new_jacobian(&self) -> DenseJacobian {
        DenseJacobian::zeros(self.outputs, self.parameters)
    }
    fn linearize(
        &self,
        w: &[f64],
        value: &mut [f64],
        jacobian: &mut DenseJacobian,
    ) -> Result<(), MapError> {
        self.value(w, value)?;
        let jet = (self.jet)(&self.mixed(w));
        for (j, (u, v)) in jet[1].iter().zip(jet[2]).take(self.outputs).enumerate() {
            for k in 0..self.parameters {
                jacobian.matrix_mut()[(j, k)] = u * self.mix[0][k] + v * self.mix[1][k];
            }
        }
        Ok(())
    }
}

impl SecondOrderMap for Surface {
    fn second_derivative(
        &self,
        w: &[f64],
        _: &DenseJacobian,
        u: &[f64],
        v: &[f64],
        out: &mut [f64],
    ) -> Result<(), MapError> {
        let jet = (self.jet)(&self.mixed(w));
        let (u, v) = (self.mixed(u), self.mixed(v));
        for (j, o) in out.iter_mut().enumerate() {
            let cross = u[0] * v[1] + u[1] * v[0];
            *o = jet[3][j] * u[0] * v[0] + jet[4][j] * cross + jet[5][j] * u[1] * v[1];
        }
        Ok(())
    }
    fn weighted_hessian_apply(
        &self,
        w: &[f64],
        _: &DenseJacobian,
        weights: &[f64],
        v: &[f64],
        out: &mut [f64],
    ) -> Result<(), MapError> {
        let jet = (self.jet)(&self.mixed(w));
        let [aa, ab, bb] =
            [3, 4, 5].map(|k| weights.iter().zip(jet[k]).map(|(w, x)| w * x).sum::<f64>());
        let v = self.mixed(v);
        let image = [aa * v[0] + ab * v[1], ab * v[0] + bb * v[1]];
        for (k, o) in out.iter_mut().enumerate() {
            *o = self.mix[0][k] * image[0] + self.mix[1][k] * image[1];
        }
        Ok(())
    }
}

pub const SAME: [[f64; 2]; 2] = [[1.0, 0.0], [0.0, 1.0]];
pub const RADIUS: f64 = 2.5;
/// Radius of the torus's tube; [`RADIUS`] is that of its core.
pub const TUBE: f64 = 0.75;

pub fn circle(w: &[f64]) -> [[f64; 3]; 6] {
    let (s, c) = (RADIUS * w[0].sin(), RADIUS * w[0].cos());
    [[c, s, 0.0], [-s, c, 0.0], [0.0; 3], [-c, -s, 0.0], [0.0; 3], [0.0; 3]]
}

/// Colatitude and longitude.
pub fn sphere(w: &[f64]) -> [[f64; 3]; 6] {
    let ((s, c), (t, d), r) = (w[0].sin_cos(), w[1].sin_cos(), RADIUS);
    [
        [r * s * d, r * s * t, r * c],
        [r * c * d, r * c * t, -r * s],
        [-r * s * t, r * s * d, 0.0],
        [-r * s * d, -r * s * t, -r * c],
        [-r * c * t, r * c * d, 0.0],
        [-r * s * d, -r * s * t, 0.0],
    ]
}

/// (a, b, a^2 + 3 a b - b^2 / 2)
pub fn graph(w: &[f64]) -> [[f64; 3]; 6] {
    let [a, b] = [w[0], w[1]];
    [
        [a, b, a * a + 3.0 * a * b - 0.5 * b * b],
        [1.0, 0.0, 2.0 * a + 3.0 * b],
        [0.0, 1.0, 3.0 * a - b],
        [0.0, 0.0, 2.0],
        [0.0, 0.0, 3.0],
        [0.0, 0.0, -1.0],
    ]
}

/// Angle and height.
pub fn cylinder(w: &[f64]) -> [[f64; 3]; 6] {
    let (s, c) = (RADIUS * w[0].sin(), RADIUS * w[0].cos());
    [[c, s, w[1]], [-s, c, 0.0], [0.0, 0.0, 1.0], [-c, -s, 0.0], [0.0; 3], [0.0; 3]]
}

/// Angle around the tube (0 outside), angle around the axis.
pub fn torus(w: &[f64]) -> [[f64; 3]; 6] {
    let ((s, c), (t, d)) = (w[0].sin_cos(), w[1].sin_cos());
    let (r, slope, bend) = (RADIUS + TUBE * c, -TUBE * s, -TUBE * c);
    [
        [r * d, r * t, TUBE * s],
        [slope * d, slope * t, TUBE * c],
        [-r * t, r * d, 0.0],
        [bend * d, bend * t, -TUBE * s],
        [-slope * t, slope * d, 0.0],
        [-r * d, -r * t, 0.0],
    ]
}

/// The curve (t^2, t^3), with a cusp at 0 where its Jacobian vanishes.
pub fn cusp(w: &[f64]) -> [[f64; 3]; 6] {
    let t = w[0];
    [
        [t * t, t * t * t, 0.0],
        [2.0 * t, 3.0 * t * t, 0.0],
        [0.0; 3],
        [2.0, 6.0 * t, 0.0],
        [0.0; 3],
        [0.0; 3],
    ]
}
