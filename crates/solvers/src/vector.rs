//! Inner products and norms with one fixed order of summation, so that bits never depend on threads.

use crate::simd::arch::arch;

/// Number of partial sums: enough to fill the adders of two vector units.
const LANES: usize = 8;

/// Lengths from which loops are worth a look at the processor's instructions.
const LONG: usize = 32;

/// Runs a loop over `length` numbers, a long one with the vectors of the processor at hand: the same bits.
#[allow(clippy::inline_always, reason = "a call would fall back to the baseline instruction set")]
#[inline(always)]
fn vectorized<R>(length: usize, work: impl FnOnce() -> R) -> R {
    if length < LONG { work() } else { arch().dispatch(work) }
}

/// Computes the inner product `sum_i a_i b_i` in a fixed order of summation; extra entries of the longer slice are ignored.
///
/// The result is bitwise the same for any number of threads.
///
/// # Examples
/// ```
/// assert_eq!(gaussflow_solvers::inner_product(&[1.0, 2.0], &[3.0, 4.0]), 11.0);
/// ```
pub fn inner_product(a: &[f64], b: &[f64]) -> f64 {
    vectorized(
        a.len(),
        #[inline(always)]
        || inner_product_inlined(a, b),
    )
}

/// [`inner_product`] for loops that are compiled for the processor at hand: the same bits.
#[allow(clippy::inline_always, reason = "a call would fall back to the baseline instruction set")]
#[inline(always)]
pub(crate) fn inner_product_inlined(a: &[f64], b: &[f64]) -> f64 {
    let mut partial = [0.0; LANES];
    let (chunks_a, chunks_b) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let full = chunks_a.len().min(chunks_b.len()) * LANES;
    for (x, y) in chunks_a.zip(chunks_b) {
        for lane in 0..LANES {
            partial[lane] += x[lane] * y[lane];
        }
    }
    let tail: f64 = a[full..].iter().zip(&b[full..]).map(|(x, y)| x * y).sum();
    add_up(partial, tail)
}

/// The partial sums in pairs, then the tail.
#[allow(clippy::inline_always, reason = "a call would fall back to the baseline instruction set")]
#[inline(always)]
fn add_up([p0, p1, p2, p3, p4, p5, p6, p7]: [f64; LANES], tail: f64) -> f64 {
    (((p0 + p4) + (p2 + p6)) + ((p1 + p5) + (p3 + p7))) + tail
}

/// Computes `sum_i (a_i - b_i)^2` in a fixed order of summation; extra entries of the longer slice are ignored.
///
/// # Examples
/// ```
/// assert_eq!(gaussflow_solvers::squared_distance(&[1.0, 2.0], &[3.0, 5.0]), 13.0);
/// ```
pub fn squared_distance(a: &[f64], b: &[f64]) -> f64 {
    vectorized(
        a.len(),
        #[inline(always)]
        || squared_distance_inlined(a, b),
    )
}

/// The loop of [`squared_distance`].
#[allow(clippy::inline_always, reason = "a call would fall back to the baseline instruction set")]
#[inline(always)]
fn squared_distance_inlined(a: &[f64], b: &[f64]) -> f64 {
    let mut partial = [0.0; LANES];
    let (chunks_a, chunks_b) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let full = chunks_a.len().min(chunks_b.len()) * LANES;
    for (x, y) in chunks_a.zip(chunks_b) {
        for lane in 0..LANES {
            partial[lane] += (x[lane] - y[lane]) * (x[lane] - y[lane]);
        }
    }
    let tail = a[full..].iter().zip(&b[full..]).map(|(x, y)| (x - y) * (x - y)).sum();
    add_up(partial, tail)
}

/// Returns whether no entry is an infinity or a NaN.
///
/// # Examples
/// ```
/// assert!(gaussflow_solvers::all_finite(&[1.0, 2.0]) && !gaussflow_solvers::all_finite(&[f64::NAN]));
/// ```
pub fn all_finite(a: &[f64]) -> bool {
    // All entries at once, without a branch each.
    vectorized(
        a.len(),
        #[inline(always)]
        || a.iter().fold(true, |fine, x| fine & x.is_finite()),
    )
}

/// `out <- a - factor out`.
pub(crate) fn subtract_scaled(a: &[f64], factor: f64, out: &mut [f64]) {
    vectorized(
        a.len(),
        #[inline(always)]
        || out.iter_mut().zip(a).for_each(|(o, a)| *o = a - factor * *o),
    );
}

/// Computes the 2-norm of `a`, without overflow or underflow of the squares.
///
/// # Examples
/// ```
/// assert!((gaussflow_solvers::norm(&[3e200, 4e200]) / 5e200 - 1.0).abs() < 1e-15);
/// ```
pub fn norm(a: &[f64]) -> f64 {
    let plain = inner_product(a, a);
    if plain.is_finite() && plain > f64::MIN_POSITIVE / f64::EPSILON {
        return plain.sqrt();
    }
    let largest = a.iter().fold(0.0_f64, |m, x| if x.is_nan() { f64::NAN } else { m.max(x.abs()) });
    if largest == 0.0 || !largest.is_finite() {
        return if a.iter().any(|x| x.is_nan()) { f64::NAN } else { largest };
    }
    let sum: f64 = a.iter().map(|x| (x / largest) * (x / largest)).sum();
    largest * sum.sqrt()
}

/// `out += factor * x`.
pub(crate) fn add_scaled(out: &mut [f64], factor: f64, x: &[f64]) {
    for (o, x) in out.iter_mut().zip(x) {
        *o += factor * x;
    }
}

#[cfg(test)]
// Compared with integers and infinities, where only equality is right.
#[allow(clippy::float_cmp)]
mod tests {
    use super::{inner_product, norm};

    #[test]
    fn norm_keeps_extreme_scales_and_flags_nan() {
        assert!((norm(&[3e-200, 4e-200]) - 5e-200).abs() < 1e-214);
        assert_eq!(norm(&[0.0; 11]), 0.0);
        assert!(norm(&[f64::NAN, 1e300, 1e300]).is_nan());
        assert_eq!(norm(&[f64::NEG_INFINITY, 1.0]), f64::INFINITY);
    }

    #[test]
    fn inner_product_equals_integer_sums_at_every_length() {
        for n in 0..40_u32 {
            let a: Vec<f64> = (0..n).map(f64::from).collect();
            let exact: u32 = (0..n).map(|i| i * i).sum();
            assert_eq!(inner_product(&a, &a), f64::from(exact), "length {n}");
        }
    }
}
