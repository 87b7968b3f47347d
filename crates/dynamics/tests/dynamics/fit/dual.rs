//! Numbers with gradients: `f(x + e) = f(x) + f'(x) e`, exact derivatives of the test models.

use std::ops::{Add, Div, Mul, Neg, Sub};

/// Most parameters of a model.
pub const LARGEST: usize = 40;

/// A value and its derivatives with respect to the parameters.
#[derive(Clone, Copy, Debug)]
pub struct Dual {
    pub value: f64,
    pub slope: [f64; LARGEST],
}

impl Dual {
    pub fn constant(value: f64) -> Self {
        Self { value, slope: [0.0; LARGEST] }
    }

    pub fn parameter(value: f64, k: usize) -> Self {
        let mut slope = [0.0; LARGEST];
        slope[k] = 1.0;
        Self { value, slope }
    }

    /// The chain rule.
    fn chain(self, value: f64, derivative: f64) -> Self {
        Self { value, slope: self.slope.map(|s| derivative * s) }
    }

    pub fn exp(self) -> Self {
        let e = self.value.exp();
        self.chain(e, e)
    }

    #[allow(dead_code, reason = "of the programs that share this file, one takes logarithms")]
    pub fn ln(self) -> Self {
        self.chain(self.value.ln(), 1.0 / self.value)
    }

    pub fn sin(self) -> Self {
        self.chain(self.value.sin(), self.value.cos())
    }

    pub fn cos(self) -> Self {
        self.chain(self.value.cos(), -self.value.sin())
    }

    pub fn atan(self) -> Self {
        self.chain(self.value.atan(), 1.0 / (1.0 + self.value * self.value))
    }

    pub fn powf(self, power: f64) -> Self {
        self.chain(self.value.powf(power), power * self.value.powf(power - 1.0))
    }
}

impl Add for Dual {
    type Output = Self;
    fn add(mut self, other: Self) -> Self {
        self.value += other.value;
        self.slope.iter_mut().zip(other.slope).for_each(|(a, b)| *a += b);
        self
    }
}

impl Neg for Dual {
    type Output = Self;
    fn neg(self) -> Self {
        self.chain(-self.value, -1.0)
    }
}

impl Sub for Dual {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        self + -other
    }
}

impl Mul for Dual {
    type Output = Self;
    fn mul(self, other: Self) -> Self {
        self.chain(self.value * other.value, other.value) + other.chain(0.0, self.value)
    }
}

impl Div for Dual {
    type Output = Self;
    fn div(self, other: Self) -> Self {
        let inverse = 1.0 / other.value;
        let quotient = self.value / other.value;
        self.chain(quotient, inverse) + other.chain(0.0, -quotient * inverse)
    }
}

impl Add<f64> for Dual {
    type Output = Self;
    fn add(mut self, other: f64) -> Self {
        self.value += other;
        self
    }
}

impl Sub<f64> for Dual {
    type Output = Self;
    fn sub(self, other: f64) -> Self {
        self + -other
    }
}

impl Mul<f64> for Dual {
    type Output = Self;
    fn mul(self, other: f64) -> Self {
        self.chain(self.value * other, other)
    }
}

impl Div<f64> for Dual {
    type Output = Self;
    fn div(self, other: f64) -> Self {
        self.chain(self.value / other, 1.0 / other)
    }
}
