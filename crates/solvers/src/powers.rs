//! Multiples by powers of two, which are exact while the result is a normal number.

/// Norms from 2^-200 to 2^200 (about 1e-60 to 1e60) are left as they are: products of four of them stay in range.
const LARGEST_ORDINARY: f64 = f64::from_bits((1023 + 200) << 52);

/// Whether squares and products of what has this norm stay well inside the range of numbers.
pub(crate) fn is_ordinary(norm: f64) -> bool {
    norm == 0.0 || (LARGEST_ORDINARY.recip()..=LARGEST_ORDINARY).contains(&norm)
}

/// The e with `2^e <= x < 2^(e+1)`, of a positive x; an infinite x counts as the largest number, 0 as 1.
pub(crate) fn exponent(x: f64) -> i32 {
    const SUBNORMAL: f64 = f64::from_bits((1023 + 64) << 52);
    if x == 0.0 {
        return 0;
    }
    let biased = |x: f64| i32::from((x.to_bits() >> 52) as u16 & 0x7ff) - 1023;
    if x < f64::MIN_POSITIVE { biased(x * SUBNORMAL) - 64 } else { biased(x.min(f64::MAX)) }
}

/// `2^exponent`, for an exponent that a normal number has.
fn power(exponent: i32) -> f64 {
    f64::from_bits(u64::from((exponent + 1023).unsigned_abs()) << 52)
}

/// `x 2^exponent`: exact, unless the result leaves the range of normal numbers.
pub(crate) fn times_power(mut x: f64, mut exponent: i32) -> f64 {
    const STEP: i32 = 1000;
    while exponent.abs() > STEP && x != 0.0 && x.is_finite() {
        x *= power(STEP * exponent.signum());
        exponent -= STEP * exponent.signum();
    }
    x * power(exponent.clamp(-STEP, STEP))
}

/// `x <- x / divisor 2^exponent`.
pub(crate) fn multiply(x: &mut [f64], divisor: f64, exponent: i32) {
    if (divisor, exponent) != (1.0, 0) {
        x.iter_mut().for_each(|x| *x = times_power(*x / divisor, exponent));
    }
}

/// A norm times `2^exponent`; one that is not zero never becomes zero, but the least number.
pub(crate) fn norm_times_power(norm: f64, exponent: i32) -> f64 {
    let found = times_power(norm, exponent);
    if found == 0.0 && norm > 0.0 { f64::from_bits(1) } else { found }
}

/// The power of two at or below `size`, at least the smallest normal number: dividing by it is
/// exact and brings entries of at most `size` to at most 2.
pub(crate) fn binary_scale(size: f64) -> f64 {
    const EXPONENT: u64 = 0x7ff0_0000_0000_0000;
    f64::from_bits(size.to_bits() & EXPONENT).max(f64::MIN_POSITIVE)
}

#[cfg(test)]
#[allow(clippy::float_cmp, reason = "powers of two are exact")]
mod tests {
    use super::*;

    #[test]
    fn powers_are_exact_from_the_least_number_to_the_largest() {
        for e in [-1074, -1073, -1023, -1022, -1000, -1, 0, 1, 700, 1023] {
            let x = times_power(1.0, e);
            assert_eq!(exponent(x), e);
            assert_eq!(times_power(x, -e), 1.0);
            assert_eq!(exponent(x * 1.5), if e == -1074 { -1073 } else { e });
        }
        assert_eq!(times_power(3.0, -3000), 0.0);
        assert_eq!(times_power(times_power(3.0, -1074), 2000), 3.0 * 2.0_f64.powi(926));
        assert_eq!(times_power(3.0, 1023), f64::INFINITY);
        assert_eq!((exponent(f64::INFINITY), exponent(0.0)), (1023, 0));
    }
}
