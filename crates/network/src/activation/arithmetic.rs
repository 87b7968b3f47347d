//! The arithmetic that the kernels are written in, and the pass that runs them over slices.
//!
//! `a b + c` is one rounding on a processor with fused multiply-add and two on others. A kernel is
//! generic over [`Arithmetic`], is straight-line code on one `f64`, and selects instead of
//! branching; the pass inlines it into a loop compiled for the instruction set that the processor
//! has, where the compiler turns it into vector code. Vectorizing does not change any rounding, so
//! an element's result does not depend on its position or on the length of the slice.
//!
//! Products without a fused operation are made exact by Dekker's splitting (T. J. Dekker, "A
//! floating-point technique for extending the available precision", Numer. Math. 18, 1971).

use std::marker::PhantomData;

use pulp::{Arch, Simd, WithSimd};

/// Value, first and second derivative of one activation at one pre-activation.
#[derive(Clone, Copy)]
pub(super) struct Jet {
    pub(super) value: f64,
    pub(super) first: f64,
    pub(super) second: f64,
}

/// An activation as straight-line code on one number, in up to four stages.
///
/// The stages split the chain of dependent operations, whose latency would limit the speed: a
/// processor looks about a hundred operations ahead, so it overlaps many elements only where the
/// work on one is short. Each stage runs over a block before the next one does.
pub(super) trait Kernel {
    /// Two, or four with those that have a default; a stage without work would cost a pass.
    const STAGES: usize = 2;

    /// First stage: what it hands on, four numbers an element.
    fn prepare<A: Arithmetic>(z: f64) -> [f64; 4];

    /// Second stage; by default there is none.
    #[inline(always)]
    fn expand<A: Arithmetic>(prepared: [f64; 4]) -> [f64; 4] {
        prepared
    }

    /// Third stage; by default there is none.
    #[inline(always)]
    fn divide<A: Arithmetic>(expanded: [f64; 4]) -> [f64; 4] {
        expanded
    }

    /// Last stage: the jet at `z`; any `z`, infinite and not-a-number included.
    fn finish<A: Arithmetic>(z: f64, prepared: [f64; 4]) -> Jet;
}

/// Multiply-add and the exact products, in the way that is fast on the processor at hand.
pub(super) trait Arithmetic {
    /// `a b + c`.
    fn multiply_add(a: f64, b: f64, c: f64) -> f64;

    /// `a b + c` with one rounding, or an error that close to it, for `c` far below `a b`.
    fn round_once(a: f64, b: f64, c: f64) -> f64;

    /// `a^2 - square`, where `square` is the rounded `a^2`: exact unless `a^2` underflows.
    fn square_rest(a: f64, square: f64) -> f64;

    /// `c - a b` for `b` near `c / a`: exact, or to a relative `2^-52` of c.
    fn product_defect(c: f64, a: f64, b: f64) -> f64;
}

/// For loops compiled with a fused multiply-add instruction.
pub(super) struct Fused;

impl Arithmetic for Fused {
    #[inline(always)]
    fn multiply_add(a: f64, b: f64, c: f64) -> f64 {
        a.mul_add(b, c)
    }

    #[inline(always)]
    fn round_once(a: f64, b: f64, c: f64) -> f64 {
        a.mul_add(b, c)
    }

    #[inline(always)]
    fn square_rest(a: f64, square: f64) -> f64 {
        a.mul_add(a, -square)
    }

    #[inline(always)]
    fn product_defect(c: f64, a: f64, b: f64) -> f64 {
        (-a).mul_add(b, c)
    }
}

/// For processors without one, where `f64::mul_add` would be a slow library call.
pub(super) struct Separate;

impl Arithmetic for Separate {
    #[inline(always)]
    fn multiply_add(a: f64, b: f64, c: f64) -> f64 {
        a * b + c
    }

    #[inline(always)]
    fn round_once(a: f64, b: f64, c: f64) -> f64 {
        let ((a_high, a_low), (b_high, b_low)) = (halves(a), halves(b));
        let product = a * b;
        let cross = a_high * b_low + a_low * b_high;
        product + ((((a_high * b_high - product) + cross) + a_low * b_low) + c)
    }

    #[inline(always)]
    fn square_rest(a: f64, square: f64) -> f64 {
        let (high, low) = halves(a);
        ((high * high - square) + 2.0 * high * low) + low * low
    }

    #[inline(always)]
    fn product_defect(c: f64, a: f64, b: f64) -> f64 {
        let ((a_high, a_low), (b_high, b_low)) = (halves(a), halves(b));
        ((c - a_high * b_high) - (a_high * b_low + a_low * b_high)) - a_low * b_low
    }
}

/// `a` as a sum of two numbers of at most 26 and 27 significant bits; products of two highs are
/// exact.
#[inline(always)]
fn halves(a: f64) -> (f64, f64) {
    let high = f64::from_bits(a.to_bits() & 0xFFFF_FFFF_F800_0000);
    (high, a - high)
}

/// The sign bit.
const SIGN: u64 = 1 << 63;

/// `magnitude` with the sign of `z`. Unlike `copysign` it relies on a magnitude whose sign bit is
/// clear, which saves an operation.
#[inline(always)]
pub(super) fn with_sign(magnitude: f64, z: f64) -> f64 {
    f64::from_bits(magnitude.to_bits() ^ (z.to_bits() & SIGN))
}

/// `magnitude`, whose sign bit is clear, with the sign of `-z`.
#[inline(always)]
pub(super) fn against_sign(magnitude: f64, z: f64) -> f64 {
    f64::from_bits(magnitude.to_bits() ^ (!z.to_bits() & SIGN))
}

/// The polynomial with these coefficients, constant first, by Horner's rule in `x^2` on the even
/// and on the odd ones: half as many dependent operations as one chain, for one product more.
#[inline(always)]
pub(super) fn polynomial<A: Arithmetic, const N: usize>(x: f64, coefficients: &[f64; N]) -> f64 {
    let square = x * x;
    let mut chains = [0.0; 2];
    for (power, coefficient) in coefficients.iter().enumerate().rev() {
        let chain = power % 2;
        chains[chain] = if power + 2 < N {
            A::multiply_add(chains[chain], square, *coefficient)
        } else {
            *coefficient
        };
    }
    A::multiply_add(chains[1], x, chains[0])
}

/// Writes the jets of `pre_activation`, without second derivatives where these have no place; all slices
/// have one length.
#[inline]
pub(super) fn write_jets<K: Kernel>(
    pre_activation: &[f64],
    value: &mut [f64],
    first: &mut [f64],
    second: Option<&mut [f64]>,
) {
    Arch::new().dispatch(Jets::<K> { pre_activation, value, first, second, kernel: PhantomData });
}

/// Writes the values alone; the same numbers as [`write_jets`] gives.
#[inline]
pub(super) fn write_values<K: Kernel>(pre_activation: &[f64], value: &mut [f64]) {
    Arch::new().dispatch(Values::<K> { pre_activation, value, kernel: PhantomData });
}

/// The loop of [`write_jets`], still to be given an instruction set.
pub(super) struct Jets<'a, K> {
    pub(super) pre_activation: &'a [f64],
    pub(super) value: &'a mut [f64],
    pub(super) first: &'a mut [f64],
    pub(super) second: Option<&'a mut [f64]>,
    pub(super) kernel: PhantomData<K>,
}

impl<K: Kernel> Jets<'_, K> {
    #[inline(always)]
    fn run<A: Arithmetic>(self) {
        let [mut one, mut two, mut three, mut four, mut unused] = [const { Row([0.0; BLOCK]) }; 5];
        let Self { pre_activation, value, first, mut second, .. } = self;
        let outputs = value.chunks_mut(BLOCK).zip(first.chunks_mut(BLOCK));
        for ((block, z), (value, first)) in pre_activation.chunks(BLOCK).enumerate().zip(outputs) {
            let second = match &mut second {
                Some(second) => &mut second[block * BLOCK..],
                None => &mut unused.0[..],
            };
            // One common length, so that the loop has no bounds check and becomes vector code.
            let length = z.len().min(value.len()).min(first.len()).min(second.len()).min(BLOCK);
            let (z, value) = (&z[..length], &mut value[..length]);
            let (first, second) = (&mut first[..length], &mut second[..length]);
            share_in_block::<K, A>(z, &mut one, &mut two, &mut three, &mut four);
            let [Row(one), Row(two), Row(three), Row(four)] = [&one, &two, &three, &four];
            for index in 0..length {
                let prepared = [one[index], two[index], three[index], four[index]];
                let jet = K::finish::<A>(z[index], prepared);
                value[index] = jet.value;
                first[index] = jet.first;
                second[index] = jet.second;
            }
        }
    }
}

impl<K: Kernel> WithSimd for Jets<'_, K> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        if has_fused::<S>() { self.run::<Fused>() } else { self.run::<Separate>() }
    }
}

/// The loop of [`write_values`].
struct Values<'a, K> {
    pre_activation: &'a [f64],
    value: &'a mut [f64],
    kernel: PhantomData<K>,
}

impl<K: Kernel> Values<'_, K> {
    #[inline(always)]
    fn run<A: Arithmetic>(self) {
        let [mut one, mut two, mut three, mut four] = [const { Row([0.0; BLOCK]) }; 4];
        for (z, value) in self.pre_activation.chunks(BLOCK).zip(self.value.chunks_mut(BLOCK)) {
            let length = z.len().min(value.len()).min(BLOCK);
            let (z, value) = (&z[..length], &mut value[..length]);
            share_in_block::<K, A>(z, &mut one, &mut two, &mut three, &mut four);
            let [Row(one), Row(two), Row(three), Row(four)] = [&one, &two, &three, &four];
            for index in 0..length {
                let prepared = [one[index], two[index], three[index], four[index]];
                value[index] = K::finish::<A>(z[index], prepared).value;
            }
        }
    }
}

impl<K: Kernel> WithSimd for Values<'_, K> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        if has_fused::<S>() { self.run::<Fused>() } else { self.run::<Separate>() }
    }
}

/// All stages but the last.
#[inline(always)]
fn share_in_block<K: Kernel, A: Arithmetic>(
    z: &[f64],
    Row(one): &mut Row,
    Row(two): &mut Row,
    Row(three): &mut Row,
    Row(four): &mut Row,
) {
    let length = z.len().min(BLOCK);
    let z = &z[..length];
    for index in 0..length {
        [one[index], two[index], three[index], four[index]] = K::prepare::<A>(z[index]);
    }
    if K::STAGES == 2 {
        return;
    }
    for index in 0..length {
        let prepared = [one[index], two[index], three[index], four[index]];
        [one[index], two[index], three[index], four[index]] = K::expand::<A>(prepared);
    }
    for index in 0..length {
        let expanded = [one[index], two[index], three[index], four[index]];
        [one[index], two[index], three[index], four[index]] = K::divide::<A>(expanded);
    }
}

/// One of the numbers that the stages of a block share. Vectors that straddle two cache lines would
/// cost twice. Each is a variable of its own, so that the compiler drops those that nobody reads.
#[repr(align(64))]
struct Row([f64; BLOCK]);

/// Elements that go through one stage before the next: 5 KiB of buffers, inside the first-level
/// cache, and a multiple of every vector width. Clearing larger ones would show in short calls.
const BLOCK: usize = 128;

/// Every vector set that the dispatch picks has a fused multiply-add, but that of WebAssembly.
const fn has_fused<S: Simd>() -> bool {
    !S::IS_SCALAR && !cfg!(target_family = "wasm")
}
