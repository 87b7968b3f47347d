//! Double-double numbers, `x = high + low` with about 32 digits (Dekker 1971, Knuth's two-sum).

use std::ops::{Add, Mul, Neg, Sub};

/// An unevaluated sum `high + low`, `abs(low)` at most half an ulp of `high`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Double {
    pub high: f64,
    pub low: f64,
}

impl From<f64> for Double {
    fn from(high: f64) -> Self {
        Self { high, low: 0.0 }
    }
}

/// `a + b = sum + error` exactly.
fn two_sum(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    let back = sum - a;
    (sum, (a - (sum - back)) + (b - back))
}

/// `a * b = product + error` exactly, for products well inside the range of numbers.
fn two_product(a: f64, b: f64) -> (f64, f64) {
    // Veltkamp: the factor 2^27 + 1 cuts 53 bits into 26 + 26.
    let cut = |x: f64| {
        let scaled = 134_217_729.0 * x;
        let high = scaled - (scaled - x);
        (high, x - high)
    };
    let product = a * b;
    let ((ah, al), (bh, bl)) = (cut(a), cut(b));
    (product, ((ah * bh - product) + ah * bl + al * bh) + al * bl)
}

/// Renormalizes where `abs(a) >= abs(b)`.
fn quick(a: f64, b: f64) -> Double {
    let high = a + b;
    Double { high, low: b - (high - a) }
}

impl Add for Double {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        let (sum, error) = two_sum(self.high, other.high);
        let (low, lower) = two_sum(self.low, other.low);
        let first = quick(sum, error + low);
        quick(first.high, first.low + lower)
    }
}

impl Neg for Double {
    type Output = Self;
    fn neg(self) -> Self {
        Self { high: -self.high, low: -self.low }
    }
}

impl Sub for Double {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        self + -other
    }
}

impl Mul for Double {
    type Output = Self;
    fn mul(self, other: Self) -> Self {
        let (product, error) = two_product(self.high, other.high);
        quick(product, error + (self.high * other.low + self.low * other.high))
    }
}

impl Double {
    /// `self / other` by one Newton correction.
    pub fn over(self, other: Self) -> Self {
        let first = Self::from(self.high / other.high);
        let rest = self - first * other;
        first + Self::from(rest.high / other.high)
    }
}

/// `sum_i a_i b_i`.
pub fn dot(a: &[Double], b: &[Double]) -> Double {
    a.iter().zip(b).fold(Double::default(), |sum, (&a, &b)| sum + a * b)
}

/// Every entry as a double-double.
pub fn widen(a: &[f64]) -> Vec<Double> {
    a.iter().map(|&x| x.into()).collect()
}

/// The 2-norm, rounded to one double.
pub fn length(a: &[Double]) -> f64 {
    dot(a, a).high.sqrt()
}

/// The 2-norm of `a - b`.
pub fn distance(a: &[Double], b: &[f64]) -> f64 {
    length(&a.iter().zip(b).map(|(&a, &b)| a - b.into()).collect::<Vec<_>>())
}

#[test]
fn thirds_and_cancellations_keep_thirty_digits() {
    let third = Double::from(1.0).over(3.0.into());
    let rest = third * 3.0.into() - 1.0.into();
    assert!(rest.high.abs() < 1e-31, "{rest:?}");
    // (1e15 + 1)^2 - 1e30 - 2e15 = 1: the square's low word must survive.
    let x = Double::from(1e15) + 0.125.into() + 0.875.into();
    let one = x * x - Double::from(1e15) * 1e15.into() - 2e15.into();
    assert_eq!(one.high + one.low, 1.0);
}
