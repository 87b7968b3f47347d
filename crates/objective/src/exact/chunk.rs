//! A dual number with several directional derivatives: `f(x + sum_k e_k d_k) = f(x) + sum_k f'(x)[d_k] e_k`.
//!
//! num-dual's macros make it one of its numbers. Its own `DualVec` holds derivatives that may be absent, at up to ten
//! times the cost of these where residuals are rational.

use std::array::from_fn;
use std::fmt;
use std::iter::{Product, Sum};
use std::ops::{
    Add, AddAssign, Div, DivAssign, Mul, MulAssign, Neg, Rem, RemAssign, Sub, SubAssign,
};

use num_dual::{
    DualNum, DualNumFloat, DualStruct, chain_rule, first, forward_binop, impl_add_sub_rem,
    impl_assign_ops, impl_comparisons, impl_derivatives, impl_dual, impl_dual_struct,
    impl_first_derivatives, impl_float_const, impl_from_f, impl_from_primitive, impl_inv,
    impl_iterator, impl_neg, impl_num, impl_scalar_op, impl_signed, impl_zero_one, second, third,
    zeroth,
};
use num_traits::{FloatConst, FromPrimitive, Inv, Num, One, Signed, Zero};

/// Directions of one evaluation: two vectors of AVX2, one of AVX-512.
pub(super) const DIRECTIONS: usize = 8;

/// A value and its derivatives along [`DIRECTIONS`] directions.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chunk<T> {
    pub(super) re: T,
    pub(super) eps: Directions<T>,
}

/// One number a direction.
#[derive(Clone, Copy, Debug)]
pub(super) struct Directions<T>(pub(super) [T; DIRECTIONS]);

impl<T> Chunk<T> {
    #[inline]
    pub(super) fn new(re: T, eps: Directions<T>) -> Self {
        Self { re, eps }
    }
}

impl<T: DualNum> Chunk<T> {
    /// A constant.
    #[inline]
    pub(super) fn from_re(re: T) -> Self {
        Self::new(re, Directions(from_fn(|_| T::zero())))
    }

    /// With the unit vector of direction `k` added.
    pub(super) fn along(mut self, k: usize) -> Self {
        self.eps.0[k] = T::one();
        self
    }

    #[expect(clippy::needless_pass_by_value, reason = "the macros pass it so")]
    #[inline]
    fn chain_rule(&self, f0: T, f1: T) -> Self {
        Self::new(f0, self.eps.clone() * &f1)
    }
}

impl<T: DualNum> Mul<&Chunk<T>> for &Chunk<T> {
    type Output = Chunk<T>;
    #[inline]
    fn mul(self, other: &Chunk<T>) -> Chunk<T> {
        let eps = self.eps.clone() * &other.re + &(other.eps.clone() * &self.re);
        Chunk::new(self.re.clone() * &other.re, eps)
    }
}

impl<T: DualNum> Div<&Chunk<T>> for &Chunk<T> {
    type Output = Chunk<T>;
    #[inline]
    fn div(self, other: &Chunk<T>) -> Chunk<T> {
        let quotient = self.re.clone() / &other.re;
        let eps = self.eps.clone() - &(other.eps.clone() * &quotient);
        Chunk::new(quotient, eps * &other.re.recip())
    }
}

impl<T: DualNum> fmt::Display for Chunk<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} + {:?}ε", self.re, self.eps.0)
    }
}

impl_first_derivatives!(Chunk, [eps]);
impl_dual!(Chunk, [eps]);

/// Operators of [`Directions`] with each other, and with a number.
macro_rules! entrywise {
    ($($trait:ident $method:ident $by:ty, |$k:ident, $own:ident, $other:ident| $step:expr;)+) => {$(
        impl<T: DualNum> $trait<$by> for Directions<T> {
            #[inline]
            fn $method(&mut self, other: $by) {
                let ($own, $other) = (&mut self.0, &other);
                for $k in 0..DIRECTIONS {
                    $step;
                }
            }
        }
    )+};
}

entrywise! {
    AddAssign add_assign Self, |k, own, other| own[k] += other.0[k].clone();
    SubAssign sub_assign Self, |k, own, other| own[k] -= other.0[k].clone();
    MulAssign mul_assign T, |k, own, other| own[k] *= other.clone();
    DivAssign div_assign T, |k, own, other| own[k] /= other.clone();
}

impl<T: DualNum> Add<&Self> for Directions<T> {
    type Output = Self;
    #[inline]
    fn add(mut self, other: &Self) -> Self {
        self += other.clone();
        self
    }
}

impl<T: DualNum> Sub<&Self> for Directions<T> {
    type Output = Self;
    #[inline]
    fn sub(mut self, other: &Self) -> Self {
        self -= other.clone();
        self
    }
}

impl<T: DualNum> Mul<&T> for Directions<T> {
    type Output = Self;
    #[inline]
    fn mul(mut self, other: &T) -> Self {
        self *= other.clone();
        self
    }
}

impl<T: DualNum> Neg for Directions<T> {
    type Output = Self;
    #[inline]
    fn neg(self) -> Self {
        Self(self.0.map(Neg::neg))
    }
}
