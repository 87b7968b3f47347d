//! The micro-kernels, above all `out[c][v] = sum_l a[l, c] b[l, v]` for a few scalars c and vectors v.
//!
//! Gram matrix, tangent kernel, `J v`, `J^T u`, pre-activations and the Cholesky factor are loops around it;
//! sums along rows and solves with a factor have `column_kernels`. Three scalars by three vectors take nine
//! accumulators, three vectors and a scalar of a processor's sixteen registers, and six loads feed nine
//! multiply-adds.

// The loads below are the innermost of the whole library; a bounds check each would halve its speed.
#![allow(unsafe_code, reason = "bounds are asserted once a tile instead of once a load")]
// Without inlining, a loop would not be compiled for the instruction set of the closure around it.
#![allow(clippy::inline_always)]

use faer::Accum;
use pulp::{Simd, WithSimd, bytemuck, c64};

use crate::simd::column_kernels::{Columns, load, with_scalars};

/// Most vectors of a tile.
pub(crate) const VECTORS: usize = 3;

/// Scalars that go with 1, 2 and 3 vectors on any processor: twelve, twelve and nine accumulators.
pub(crate) const fn scalars_for(vectors: usize) -> usize {
    match vectors {
        1 => 12,
        2 => 6,
        _ => 3,
    }
}

/// The same with the registers of `S`: where there are 32, eight scalars go with up to three vectors. Processors
/// without vectors make do with three, which spares the compiler as many tiles as all others take.
pub(crate) const fn most_scalars<S: Simd>(vectors: usize) -> usize {
    if S::F64_LANES == 1 {
        3
    } else if has_many_registers::<S>() && vectors > 1 {
        8
    } else {
        scalars_for(vectors)
    }
}

/// Whether tiles may be larger than [`scalars_for`] says.
pub(crate) const fn has_many_registers<S: Simd>() -> bool {
    S::REGISTER_COUNT >= 32
}

/// Scalars `a[l, c] = data[l step + c stride]`.
#[derive(Clone, Copy)]
pub(crate) struct Scalars<'a> {
    pub(crate) data: &'a [f64],
    /// From one l to the next.
    pub(crate) step: usize,
    /// From one c to the next.
    pub(crate) stride: usize,
}

/// Vectors `b[l, v] = data[l step + v LANES ..][.. LANES]`.
#[derive(Clone, Copy)]
pub(crate) struct Vectors<'a> {
    pub(crate) data: &'a [f64],
    /// From one l to the next.
    pub(crate) step: usize,
}

/// `acc[c][v] = sum over l below length of a[l, c] b[l, v]`, summed in the order of l.
#[inline(always)]
pub(crate) fn product<S: Simd, const C: usize, const V: usize>(
    simd: S,
    length: usize,
    a: Scalars<'_>,
    b: Vectors<'_>,
) -> [[S::f64s; V]; C] {
    let mut acc = [[simd.splat_f64s(0.0); V]; C];
    let add = |scalar, vector, sum| simd.mul_add_e_f64s(scalar, vector, sum);
    accumulate(simd, length, (a, b), add, &mut acc);
    acc
}

/// `acc[c][v] -= sum over l below length of a[l, c] b[l, v]`, in the order of l.
#[inline(always)]
pub(crate) fn subtract_product<S: Simd, const C: usize, const V: usize>(
    simd: S,
    length: usize,
    factors: (Scalars<'_>, Vectors<'_>),
    acc: &mut [[S::f64s; V]; C],
) {
    let subtract = |scalar, vector, sum| simd.negate_mul_add_e_f64s(scalar, vector, sum);
    accumulate(simd, length, factors, subtract, acc);
}

/// `acc[c][v] = put(a[l, c], b[l, v], acc[c][v])` for the l below length, in their order.
#[inline(always)]
fn accumulate<S: Simd, const C: usize, const V: usize>(
    simd: S,
    length: usize,
    (a, b): (Scalars<'_>, Vectors<'_>),
    put: impl Fn(S::f64s, S::f64s, S::f64s) -> S::f64s,
    acc: &mut [[S::f64s; V]; C],
) {
    if length == 0 {
        return;
    }
    let last = length - 1;
    assert!(last * a.step + (C - 1) * a.stride < a.data.len());
    assert!(last * b.step + V * S::F64_LANES <= b.data.len());
    let (mut a_at, mut b_at) = (a.data.as_ptr(), b.data.as_ptr());
    // Past the last l the pointers leave their slices, where nobody reads.
    for _ in 0..length / 2 {
        for _ in 0..2 {
            // SAFETY: by the assertions above every l below `length` lies within both slices.
            unsafe { put_one::<S, C, V>(simd, (a_at, a.stride, b_at), &put, acc) };
            a_at = a_at.wrapping_add(a.step);
            b_at = b_at.wrapping_add(b.step);
        }
    }
    if length % 2 == 1 {
        // SAFETY: as above.
        unsafe { put_one::<S, C, V>(simd, (a_at, a.stride, b_at), &put, acc) };
    }
}

/// `acc[c][v] = put(a[c], b[v], acc[c][v])` for one l.
///
/// # Safety
/// `a` must be valid for reads at `c stride`, c below C, and `b` for V vectors.
#[inline(always)]
#[allow(clippy::needless_range_loop, reason = "iterators here cost the compiler its registers")]
unsafe fn put_one<S: Simd, const C: usize, const V: usize>(
    simd: S,
    (a, stride, b): (*const f64, usize, *const f64),
    put: &impl Fn(S::f64s, S::f64s, S::f64s) -> S::f64s,
    acc: &mut [[S::f64s; V]; C],
) {
    let mut vectors = [simd.splat_f64s(0.0); V];
    for v in 0..V {
        // SAFETY: the caller's; a vector type has no invalid bit patterns and is read unaligned.
        vectors[v] = unsafe { b.add(v * S::F64_LANES).cast::<S::f64s>().read_unaligned() };
    }
    for c in 0..C {
        // SAFETY: the caller's.
        let scalar = simd.splat_f64s(unsafe { *a.add(c * stride) });
        for v in 0..V {
            acc[c][v] = put(scalar, vectors[v], acc[c][v]);
        }
    }
}

/// `scale a[., c]`, V vectors of each of C columns.
#[inline(always)]
#[allow(clippy::needless_range_loop, reason = "iterators here cost the compiler its registers")]
pub(crate) fn read_tile<S: Simd, const C: usize, const V: usize>(
    simd: S,
    a: Columns<'_>,
    scale: f64,
) -> [[S::f64s; V]; C] {
    assert!((C - 1) * a.stride + V * S::F64_LANES <= a.data.len());
    let scale = simd.splat_f64s(scale);
    let mut tile = [[scale; V]; C];
    for c in 0..C {
        for v in 0..V {
            // SAFETY: by the assertion: c is below C, v below V.
            let entries = unsafe { load::<S>(a.data, c * a.stride + v * S::F64_LANES) };
            tile[c][v] = simd.mul_f64s(scale, entries);
        }
    }
    tile
}

/// `out[., c] = tile[c]`, columns `stride` apart.
#[inline(always)]
#[allow(clippy::needless_range_loop, reason = "iterators here cost the compiler its registers")]
pub(crate) fn write_tile<S: Simd, const C: usize, const V: usize>(
    _: S,
    tile: [[S::f64s; V]; C],
    (out, stride): (&mut [f64], usize),
) {
    assert!((C - 1) * stride + V * S::F64_LANES <= out.len());
    for c in 0..C {
        for v in 0..V {
            // SAFETY: by the assertion: c is below C, v below V; a vector is written without alignment.
            unsafe {
                let at = out.as_mut_ptr().add(c * stride + v * S::F64_LANES);
                at.cast::<S::f64s>().write_unaligned(tile[c][v]);
            }
        }
    }
}

/// `tile[c] += a[., c]`.
#[inline(always)]
#[allow(clippy::needless_range_loop, reason = "iterators here cost the compiler its registers")]
pub(crate) fn add_tile<S: Simd, const C: usize, const V: usize>(
    simd: S,
    a: Columns<'_>,
    tile: &mut [[S::f64s; V]; C],
) {
    assert!((C - 1) * a.stride + V * S::F64_LANES <= a.data.len());
    for c in 0..C {
        for v in 0..V {
            // SAFETY: by the assertion: c is below C, v below V.
            let entries = unsafe { load::<S>(a.data, c * a.stride + v * S::F64_LANES) };
            tile[c][v] = simd.add_f64s(tile[c][v], entries);
        }
    }
}

/// Calls `$body` with the constants `$c` and `$v` that equal the run-time `scalars` and `vectors` (1 to
/// 3); combinations beyond [`most_scalars`] do nothing and never occur.
macro_rules! with_tile {
    ($simd:ty, $scalars:expr, $vectors:expr, |$c:ident, $v:ident| $body:expr) => {{
        macro_rules! arm {
            ($cc:literal, $vv:literal) => {{
                const $c: usize = $cc;
                const $v: usize = $vv;
                // A constant condition: what never occurs is not even compiled.
                if const { $c <= crate::simd::tile::most_scalars::<$simd>($v) } {
                    $body
                }
            }};
        }
        match ($scalars, $vectors) {
            (1, 1) => arm!(1, 1),
            (2, 1) => arm!(2, 1),
            (3, 1) => arm!(3, 1),
            (4, 1) => arm!(4, 1),
            (5, 1) => arm!(5, 1),
            (6, 1) => arm!(6, 1),
            (7, 1) => arm!(7, 1),
            (8, 1) => arm!(8, 1),
            (9, 1) => arm!(9, 1),
            (10, 1) => arm!(10, 1),
            (11, 1) => arm!(11, 1),
            (12, 1) => arm!(12, 1),
            (1, 2) => arm!(1, 2),
            (2, 2) => arm!(2, 2),
            (3, 2) => arm!(3, 2),
            (4, 2) => arm!(4, 2),
            (5, 2) => arm!(5, 2),
            (6, 2) => arm!(6, 2),
            (1, 3) => arm!(1, 3),
            (2, 3) => arm!(2, 3),
            (3, 3) => arm!(3, 3),
            (7, 2) => arm!(7, 2),
            (8, 2) => arm!(8, 2),
            (4, 3) => arm!(4, 3),
            (5, 3) => arm!(5, 3),
            (6, 3) => arm!(6, 3),
            (7, 3) => arm!(7, 3),
            (8, 3) => arm!(8, 3),
            _ => debug_assert!(false, "no such tile"),
        }
    }};
}
pub(crate) use with_tile;

/// `out[c stride + v LANES ..] = a[., c] . b[., v]` for `scalars` c and `vectors` v, or added to what is there.
///
/// One function an instruction set, which loops around long sums call: its tiles are most of what there is to compile.
#[inline(never)]
pub(crate) fn put_product<S: Simd>(
    simd: S,
    shape: (usize, usize),
    length: usize,
    factors: (Scalars<'_>, Vectors<'_>),
    target: (&mut [f64], usize, Accum),
) {
    simd.vectorize(PutProduct { shape, length, factors, target });
}

/// [`put_product`] without the call, which would count beside short sums.
#[inline(always)]
pub(crate) fn put_short_product<S: Simd>(
    simd: S,
    shape: (usize, usize),
    length: usize,
    factors: (Scalars<'_>, Vectors<'_>),
    target: (&mut [f64], usize, Accum),
) {
    PutProduct { shape, length, factors, target }.with_simd(simd);
}

/// The arguments of [`put_product`].
struct PutProduct<'a> {
    shape: (usize, usize),
    length: usize,
    factors: (Scalars<'a>, Vectors<'a>),
    target: (&'a mut [f64], usize, Accum),
}

impl WithSimd for PutProduct<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { shape: (scalars, vectors), length, factors: (a, b), target } = self;
        let (out, stride, accum) = target;
        with_tile!(S, scalars, vectors, |C, V| {
            let mut tile = product::<S, C, V>(simd, length, a, b);
            if let Accum::Add = accum {
                add_tile(simd, Columns { data: &*out, stride }, &mut tile);
            }
            write_tile(simd, tile, (out, stride));
        });
    }
}

/// The same for `vectors` vectors in groups, each with the first `scalars(end)` scalars, its last vector
/// ending at number `end`.
#[inline(always)]
pub(crate) fn put_products<S: Simd>(
    simd: S,
    (scalars, vectors): (impl Fn(usize) -> usize, usize),
    length: usize,
    (a, b): (Scalars<'_>, Vectors<'_>),
    (out, stride, accum): (&mut [f64], usize, Accum),
) {
    for (v, group) in groups(vectors) {
        let (at, end) = (v * S::F64_LANES, (v + group) * S::F64_LANES);
        let b = Vectors { data: &b.data[at..], step: b.step };
        for (c, count) in balanced(scalars(end), most_scalars::<S>(group)) {
            let a = Scalars { data: &a.data[c * a.stride..], ..a };
            let target = (&mut out[c * stride + at..], stride, accum);
            put_product(simd, (count, group), length, (a, b), target);
        }
    }
}

/// `out[c stride ..] = sum over l below length of (a[2 l, c], a[2 l + 1, c], a[2 l, c], ..) * b[l]` for `scalars` c,
/// or added to what is there: two rows a vector, whose numbers take turns in it. Vectors hold four numbers or more,
/// and a's rows are next to each other.
#[inline(always)]
pub(crate) fn put_two_row_products<S: Simd>(
    simd: S,
    scalars: usize,
    length: usize,
    (a, b): (Scalars<'_>, Vectors<'_>),
    (out, stride, accum): (&mut [f64], usize, Accum),
) {
    for (first, count) in balanced(scalars, scalars_for(1)) {
        let a = Scalars { data: &a.data[first * a.stride..], ..a };
        let out = &mut out[first * stride..];
        with_scalars!(count, scalars_for(1), |C| {
            // A constant condition: shorter vectors have no such form.
            if const { S::F64_LANES >= 4 } {
                let mut tile = two_row_product::<S, C>(simd, length, a, b).map(|sum| [sum]);
                if let Accum::Add = accum {
                    add_tile(simd, Columns { data: &*out, stride }, &mut tile);
                }
                write_tile(simd, tile, (out, stride));
            }
        });
    }
}

/// The sums of [`put_two_row_products`].
#[inline(always)]
#[allow(clippy::needless_range_loop, reason = "iterators here cost the compiler its registers")]
fn two_row_product<S: Simd, const C: usize>(
    simd: S,
    length: usize,
    a: Scalars<'_>,
    b: Vectors<'_>,
) -> [S::f64s; C] {
    let mut acc = [simd.splat_f64s(0.0); C];
    if length == 0 {
        return acc;
    }
    assert!(a.step == 1 && (C - 1) * a.stride + 2 * length <= a.data.len());
    assert!((length - 1) * b.step + S::F64_LANES <= b.data.len());
    for l in 0..length {
        // SAFETY: by the assertion on b: l is below `length`.
        let vector = unsafe { load::<S>(b.data, l * b.step) };
        for c in 0..C {
            // SAFETY: by the assertion on a: l is below `length`, c below C; two numbers are a complex one's parts.
            let rows = unsafe { a.data.as_ptr().add(c * a.stride + 2 * l).cast::<c64>().read() };
            let rows = bytemuck::cast(simd.splat_c64s(rows));
            acc[c] = simd.mul_add_e_f64s(rows, vector, acc[c]);
        }
    }
    acc
}

/// Splits `vectors` into groups of at most [`VECTORS`]: (first, count) each.
pub(crate) fn groups(vectors: usize) -> impl Iterator<Item = (usize, usize)> {
    balanced(vectors, VECTORS)
}

/// Splits `total` into groups of at most `most`, as equal as can be: (first, count) each.
///
/// A small last group would leave the processor waiting for its few sums.
#[inline(always)]
pub(crate) fn balanced(total: usize, most: usize) -> impl Iterator<Item = (usize, usize)> {
    // Most often there is one group, and a division costs as much as a small tile.
    let (count, base, longer) = if total <= most {
        (usize::from(total > 0), total, 0)
    } else {
        let count = total.div_ceil(most);
        (count, total / count, total % count)
    };
    let mut first = 0;
    (0..count).map(move |g| {
        let (start, width) = (first, base + usize::from(g < longer));
        first += width;
        (start, width)
    })
}
