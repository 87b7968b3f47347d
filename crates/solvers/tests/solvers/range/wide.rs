//! Numbers of about 32 digits and any exponent, `m 2^e`: nothing underflows or overflows.

use std::ops::{Add, Mul, Sub};

use crate::double_double::Double;

/// `mantissa 2^exponent`, the mantissa's high part in [1, 2) in size, or 0.
#[derive(Clone, Copy, Debug)]
pub struct Wide {
    mantissa: Double,
    exponent: i64,
}

/// `2^e`, for `-1022 <= e <= 1023`.
fn power(e: i64) -> f64 {
    f64::from_bits(u64::try_from(e + 1023).unwrap() << 52)
}

impl From<f64> for Wide {
    fn from(x: f64) -> Self {
        Self::normalized(x.into(), 0)
    }
}

impl Wide {
    pub const ZERO: Self = Self { mantissa: Double { high: 0.0, low: 0.0 }, exponent: i64::MIN };

    fn normalized(mantissa: Double, exponent: i64) -> Self {
        assert!(mantissa.high.is_finite() && mantissa.low.is_finite());
        if mantissa.high == 0.0 {
            return Self::ZERO;
        }
        if mantissa.high.abs() < 1e-300 {
            let up = power(200);
            let larger = Double { high: mantissa.high * up, low: mantissa.low * up };
            return Self::normalized(larger, exponent - 200);
        }
        let of = i64::try_from(mantissa.high.to_bits() >> 52 & 0x7ff).unwrap() - 1023;
        // In two halves, since 2^-1023 is no normal number.
        let (first, second) = (power(-(of / 2)), power(-(of - of / 2)));
        let scale = |x: f64| x * first * second;
        let mantissa = Double { high: scale(mantissa.high), low: scale(mantissa.low) };
        Self { mantissa, exponent: exponent + of }
    }

    pub fn is_zero(self) -> bool {
        self.mantissa.high == 0.0
    }

    /// The square root, to double precision.
    pub fn sqrt(self) -> Self {
        if self.is_zero() {
            return self;
        }
        let odd = self.exponent.rem_euclid(2);
        let root = (self.mantissa.high * power(odd)).sqrt();
        Self::normalized(root.into(), (self.exponent - odd) / 2)
    }

    /// `self / other` as a double: 0 or infinity outside its range.
    pub fn over(self, other: Self) -> f64 {
        if self.is_zero() {
            return 0.0;
        }
        let e = self.exponent.saturating_sub(other.exponent).clamp(-1500, 1500);
        self.mantissa.high / other.mantissa.high * power(e / 2) * power(e - e / 2)
    }
}

impl Add for Wide {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        let (large, small) =
            if self.exponent >= other.exponent { (self, other) } else { (other, self) };
        if small.is_zero() || large.exponent - small.exponent > 300 {
            return large;
        }
        let down = power(small.exponent - large.exponent);
        let aligned = Double { high: small.mantissa.high * down, low: small.mantissa.low * down };
        Self::normalized(large.mantissa + aligned, large.exponent)
    }
}

impl Sub for Wide {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        self + Self { mantissa: -other.mantissa, ..other }
    }
}

impl Mul for Wide {
    type Output = Self;
    fn mul(self, other: Self) -> Self {
        if self.is_zero() || other.is_zero() {
            return Self::ZERO;
        }
        Self::normalized(self.mantissa * other.mantissa, self.exponent + other.exponent)
    }
}

/// `sum_i a_i b_i`.
pub fn dot(a: &[Wide], b: &[Wide]) -> Wide {
    a.iter().zip(b).fold(Wide::ZERO, |sum, (&a, &b)| sum + a * b)
}

/// The 2-norm.
pub fn length(a: &[Wide]) -> Wide {
    dot(a, a).sqrt()
}

pub fn widen(a: &[f64]) -> Vec<Wide> {
    a.iter().map(|&x| x.into()).collect()
}

#[test]
fn sums_and_products_keep_their_digits_at_any_exponent() {
    let tiny = Wide::from(f64::from_bits(1));
    let huge = Wide::from(f64::MAX);
    let one = Wide::from(1.0);
    let cube = tiny * tiny * tiny;
    assert_eq!((cube * huge).over(cube), f64::MAX);
    let third = Wide::from(1.0 / 3.0);
    let rest = one - third - third - third;
    // 1/3 is rounded down by 1/3 ulp: three of them miss 2^-54.
    assert_eq!(rest.over(one), 2.0_f64.powi(-54));
    assert_eq!(((cube + cube) - cube).over(cube), 1.0);
    assert_eq!((huge * huge).sqrt().over(huge), 1.0);
    assert_eq!((one + cube - one).over(one), 0.0);
}
