//! The micro-kernels along whole columns: their products, weighted sums, and differences of columns and vectors.
//!
//! What `tile` is for sums over many scalars by vectors, these are for few columns, where a vector across them
//! would be mostly padding.

// The loads below are innermost in their loops; a bounds check each would halve their speed.
#![allow(unsafe_code, reason = "bounds are asserted once a call instead of once a load")]
// Without inlining, a loop would not be compiled for the instruction set of the closure around it.
#![allow(clippy::inline_always)]

use pulp::Simd;

/// Columns of numbers: column c begins at `c stride`.
#[derive(Clone, Copy)]
pub(crate) struct Columns<'a> {
    pub(crate) data: &'a [f64],
    pub(crate) stride: usize,
}

/// The vector that begins at `at`.
///
/// # Safety
/// `at` and the vector's length must not pass the end of `data`.
#[inline(always)]
pub(crate) unsafe fn load<S: Simd>(data: &[f64], at: usize) -> S::f64s {
    // SAFETY: the caller's; a vector type has no invalid bit patterns and is read without alignment.
    unsafe { data.as_ptr().add(at).cast::<S::f64s>().read_unaligned() }
}

/// `out = factor x` over `vectors` vectors.
#[inline(always)]
pub(crate) fn write_multiple<S: Simd>(
    simd: S,
    vectors: usize,
    (factor, x): (f64, &[f64]),
    out: &mut [f64],
) {
    let length = vectors * S::F64_LANES;
    assert!(length <= x.len() && length <= out.len());
    let factor = simd.splat_f64s(factor);
    for at in (0..vectors).map(|v| v * S::F64_LANES) {
        // SAFETY: by the assertion: the vector that begins at `at` lies within both.
        unsafe {
            let product = simd.mul_f64s(factor, load::<S>(x, at));
            out.as_mut_ptr().add(at).cast::<S::f64s>().write_unaligned(product);
        }
    }
}

/// `out[., c] = a * b[., c]` over `vectors` vectors, columns of `out` `stride` apart.
#[inline(always)]
#[allow(clippy::needless_range_loop, reason = "iterators here cost the compiler its registers")]
pub(crate) fn write_products<S: Simd, const C: usize>(
    simd: S,
    vectors: usize,
    (a, b): (&[f64], Columns<'_>),
    (out, stride): (&mut [f64], usize),
) {
    let length = vectors * S::F64_LANES;
    assert!(length <= a.len() && (C - 1) * b.stride + length <= b.data.len());
    assert!((C - 1) * stride + length <= out.len());
    for at in (0..length).step_by(S::F64_LANES) {
        // SAFETY: by the assertions: the vector that begins at `at` lies within each column.
        unsafe {
            let factor = load::<S>(a, at);
            for c in 0..C {
                let product = simd.mul_f64s(factor, load::<S>(b.data, c * b.stride + at));
                let target = out.as_mut_ptr().add(c * stride + at);
                target.cast::<S::f64s>().write_unaligned(product);
            }
        }
    }
}

/// `sums[g][c][k] = a[.., c] . (w[.., g] * b[.., k])` over `vectors` vectors of rows, apart by the place of
/// a row within a vector: for so few columns that vectors along them would be mostly padding. The weighted
/// columns of b never leave the registers.
#[inline(always)]
#[allow(clippy::needless_range_loop, reason = "iterators here cost the compiler its registers")]
pub(crate) fn weighted_row_sums<S: Simd, const C: usize, const K: usize, const G: usize>(
    simd: S,
    vectors: usize,
    (a, w, b): (Columns<'_>, Columns<'_>, Columns<'_>),
) -> [[[S::f64s; K]; C]; G] {
    let mut acc = [[[simd.splat_f64s(0.0); K]; C]; G];
    for (columns, count) in [(a, C), (w, G), (b, K)] {
        assert!((count - 1) * columns.stride + vectors * S::F64_LANES <= columns.data.len());
    }
    for l in 0..vectors {
        let mut right = [[simd.splat_f64s(0.0); K]; G];
        for k in 0..K {
            // SAFETY: by the assertion on b: l is below `vectors`, k below K.
            right[0][k] = unsafe { load::<S>(b.data, k * b.stride + l * S::F64_LANES) };
        }
        for g in (0..G).rev() {
            // SAFETY: by the assertion on w: l is below `vectors`, g below G.
            let weight = unsafe { load::<S>(w.data, g * w.stride + l * S::F64_LANES) };
            for k in 0..K {
                right[g][k] = simd.mul_f64s(weight, right[0][k]);
            }
        }
        for c in 0..C {
            // SAFETY: by the assertion on a: l is below `vectors`, c below C.
            let left = unsafe { load::<S>(a.data, c * a.stride + l * S::F64_LANES) };
            for g in 0..G {
                for k in 0..K {
                    acc[g][c][k] = simd.mul_add_e_f64s(left, right[g][k], acc[g][c][k]);
                }
            }
        }
    }
    acc
}

/// `x_r -= sum_c factors_rc a[.., c]` for R vectors of one length, each in two sums: half as long to wait.
#[inline(always)]
#[allow(clippy::needless_range_loop, reason = "iterators here cost the compiler its registers")]
pub(crate) fn subtract_columns<S: Simd, const C: usize, const R: usize>(
    simd: S,
    a: Columns<'_>,
    factors: [[f64; C]; R],
    mut x: [&mut [f64]; R],
) {
    let length = x.first().map_or(0, |x| x.len());
    assert!((C - 1) * a.stride + length <= a.data.len() && x.iter().all(|x| x.len() == length));
    let mut splats = [[simd.splat_f64s(0.0); C]; R];
    for r in 0..R {
        for c in 0..C {
            splats[r][c] = simd.splat_f64s(factors[r][c]);
        }
    }
    let parts = x.each_mut().map(|x| S::as_mut_simd_f64s(x));
    for l in 0..length / S::F64_LANES {
        let mut sums = [[simd.splat_f64s(0.0); 2]; R];
        for r in 0..R {
            sums[r][0] = parts[r].0[l];
        }
        for c in 0..C {
            // SAFETY: by the assertion: l is below the number of whole vectors of x, c below C.
            let column = unsafe { load::<S>(a.data, c * a.stride + l * S::F64_LANES) };
            for r in 0..R {
                if c % 2 == 0 {
                    sums[r][0] = simd.negate_mul_add_e_f64s(splats[r][c], column, sums[r][0]);
                } else {
                    sums[r][1] = simd.mul_add_e_f64s(splats[r][c], column, sums[r][1]);
                }
            }
        }
        for r in 0..R {
            parts[r].0[l] = simd.sub_f64s(sums[r][0], sums[r][1]);
        }
    }
    let at = length / S::F64_LANES * S::F64_LANES;
    if at < length {
        for r in 0..R {
            let tail = &mut *parts[r].1;
            let mut last = simd.partial_load_f64s(tail);
            for c in 0..C {
                let column = simd.partial_load_f64s(&a.data[c * a.stride + at..][..tail.len()]);
                last = simd.negate_mul_add_e_f64s(splats[r][c], column, last);
            }
            simd.partial_store_f64s(tail, last);
        }
    }
}

/// `a[.., c] . x_r` for C columns and R vectors of one length, each in the same order.
#[inline(always)]
#[allow(clippy::needless_range_loop, reason = "iterators here cost the compiler its registers")]
pub(crate) fn column_products<S: Simd, const C: usize, const R: usize>(
    simd: S,
    a: Columns<'_>,
    x: [&[f64]; R],
) -> [[f64; C]; R] {
    let length = x.first().map_or(0, |x| x.len());
    assert!((C - 1) * a.stride + length <= a.data.len() && x.iter().all(|x| x.len() == length));
    let mut acc = [[simd.splat_f64s(0.0); C]; R];
    let parts = x.map(|x| S::as_simd_f64s(x));
    for l in 0..length / S::F64_LANES {
        for c in 0..C {
            // SAFETY: by the assertion: l is below the number of whole vectors of x, c below C.
            let column = unsafe { load::<S>(a.data, c * a.stride + l * S::F64_LANES) };
            for r in 0..R {
                acc[r][c] = simd.mul_add_e_f64s(column, parts[r].0[l], acc[r][c]);
            }
        }
    }
    let at = length / S::F64_LANES * S::F64_LANES;
    if at < length {
        for c in 0..C {
            let column = simd.partial_load_f64s(&a.data[c * a.stride + at..][..length - at]);
            for r in 0..R {
                let tail = simd.partial_load_f64s(parts[r].1);
                acc[r][c] = simd.mul_add_e_f64s(column, tail, acc[r][c]);
            }
        }
    }
    let mut sums = [[0.0; C]; R];
    for r in 0..R {
        for c in 0..C {
            sums[r][c] = simd.reduce_sum_f64s(acc[r][c]);
        }
    }
    sums
}

/// Calls `$body` with the constant `$c` that equals the run-time `scalars`, 1 to the constant `$most`, itself at
/// most twelve.
macro_rules! with_scalars {
    ($scalars:expr, $most:expr, |$c:ident| $body:expr) => {
        with_scalars!(@ $scalars, $most, $c, $body, 1 2 3 4 5 6 7 8 9 10 11 12)
    };
    (@ $scalars:expr, $most:expr, $c:ident, $body:expr, $($k:literal)*) => {
        match $scalars {
            $($k => {
                const $c: usize = $k;
                // A constant condition: what cannot occur is not even compiled.
                if const { $c <= $most } {
                    $body
                }
            })*
            _ => debug_assert!(false, "no such tile"),
        }
    };
}
pub(crate) use with_scalars;
