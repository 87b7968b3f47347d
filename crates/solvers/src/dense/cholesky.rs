//! Cholesky factor `A = L L^T` of a symmetric positive definite matrix, in reused buffers.

// Without inlining, a loop would not be compiled for the instruction set of the closure around it.
#![allow(clippy::inline_always)]

use dyn_stack::MemBuffer;
use faer::MatMut;
use faer::prelude::ReborrowMut;
use gaussflow_faer::{cholesky, cholesky_scratch, solve_lower, solve_upper};
use pulp::{Simd, WithSimd};

use crate::dense::condition::{is_cold, renew, start};
use crate::dense::padded_square::{PaddedSquare, stride_for};
use crate::dense::tile_cholesky::Factor;
use crate::dense::tile_solve::{BlockInverse, COLUMNS, Solve};
use crate::simd::arch::arch;
use crate::simd::tile::has_many_registers;

/// The order up to which the tiles of `tile_cholesky` are faster than faer's recursion, as measured: what fits
/// the second-level cache, or more where tiles have registers for eight columns.
struct LargestTiled;

impl WithSimd for LargestTiled {
    type Output = usize;

    fn with_simd<S: Simd>(self, _: S) -> usize {
        if has_many_registers::<S>() { 1024 } else { 288 }
    }
}

/// What a factor is for.
#[derive(Clone, Copy)]
enum Wanted {
    /// Solves.
    Solves,
    /// To prove that a matrix is positive definite.
    Pivots,
}

/// `scale A + shift I + tau x x^T` with `rank_one = (tau, x)`.
struct Sum<'a> {
    /// A, or `None` for what was written.
    source: Option<&'a PaddedSquare>,
    scale: f64,
    shift: f64,
    /// For tiles alone, x as long as a padded column.
    rank_one: Option<(f64, &'a [f64])>,
}

impl<'a> Sum<'a> {
    /// A alone.
    fn of(a: &'a PaddedSquare) -> Self {
        Self { source: Some(a), scale: 1.0, shift: 0.0, rank_one: None }
    }
}

/// Power iterations on the inverse from a fixed start; one is enough from where the last factor's ended.
const COLD_ITERATIONS: usize = 3;

/// Buffers and factor of one order.
pub(crate) struct Cholesky {
    factor: PaddedSquare,
    /// The diagonal of A: what a pivot is measured against.
    diagonal: Vec<f64>,
    /// The vector of a term of rank one, as long as a padded column once there was one.
    deflation: Vec<f64>,
    /// Inverses of the diagonal blocks of L, for the solves; none for large orders.
    inverses: Vec<BlockInverse>,
    /// Where the inverse is largest, as far as is known, of unit length: from the last factor, a start for this
    /// one. Zero where nothing is known.
    weak: Vec<f64>,
    /// Smallest and largest pivot of the present factor.
    pivots: (f64, f64),
    /// The condition of the present factor, once it was asked for.
    condition: Option<f64>,
    /// For faer's factorization, which only large orders take.
    scratch: Option<MemBuffer>,
}

impl Cholesky {
    /// Buffers for matrices of order `order`.
    pub(crate) fn new(order: usize) -> Self {
        let recursive = order > arch().dispatch(LargestTiled);
        let scratch = recursive.then(|| cholesky_scratch(order));
        let factor = PaddedSquare::zeros(order);
        let blocks = if recursive { 0 } else { order.div_ceil(COLUMNS) };
        let inverses = vec![BlockInverse::default(); blocks];
        let (diagonal, weak) = (vec![0.0; order], vec![0.0; order]);
        let pivots = (1.0, 1.0);
        let deflation = Vec::new();
        Self { factor, diagonal, deflation, inverses, weak, pivots, condition: None, scratch }
    }

    /// The matrix to be factored: write its lower triangle before [`Self::factor_written`] or
    /// [`Self::damp_and_factor`].
    pub(crate) fn matrix_mut(&mut self) -> MatMut<'_, f64> {
        self.factor.as_mut()
    }

    /// The trace of the matrix that was written.
    pub(crate) fn written_trace(&self) -> f64 {
        self.factor.diagonal().sum()
    }

    /// Factors `scale A + shift I`, A given by its lower triangle; `Err` as [`Self::decompose_shifted`].
    pub(crate) fn factor_shifted(
        &mut self,
        a: &PaddedSquare,
        scale: f64,
        shift: f64,
    ) -> Result<(), usize> {
        self.copy_large(a);
        self.decompose(Some(a), scale, shift, Wanted::Solves)
    }

    /// Factors `(1-rho) A + rho I` for the matrix A that was written; `Err` as [`Self::decompose_shifted`].
    pub(crate) fn damp_and_factor(&mut self, rho: f64) -> Result<(), usize> {
        self.factor_written(1.0 - rho, rho)
    }

    /// Factors `scale A + shift I` for the matrix A that was written; `Err` as [`Self::decompose_shifted`].
    pub(crate) fn factor_written(&mut self, scale: f64, shift: f64) -> Result<(), usize> {
        self.decompose(None, scale, shift, Wanted::Solves)
    }

    /// Decomposes `scale A + shift I = L L^T` for its pivots alone, A given by its lower triangle; `Err` holds the
    /// index of the first pivot that is not positive.
    ///
    /// A pivot is the difference of a diagonal entry and a sum of `order` squares, so that below
    /// `order eps` times this entry nothing of it is known, not even its sign: it counts as zero.
    pub(crate) fn decompose_shifted(
        &mut self,
        a: &PaddedSquare,
        scale: f64,
        shift: f64,
    ) -> Result<(), usize> {
        self.copy_large(a);
        self.decompose(Some(a), scale, shift, Wanted::Pivots)
    }

    /// Copies what will be factored in place: large orders alone.
    fn copy_large(&mut self, a: &PaddedSquare) {
        if self.scratch.is_some() {
            self.factor.as_mut().copy_from_triangular_lower(a.as_ref());
        }
    }

    /// Factors `A + shift I + tau x x^T` for solves as well; `Err` as [`Self::decompose_shifted`].
    pub(crate) fn factor_deflated(
        &mut self,
        a: &PaddedSquare,
        shift: f64,
        (tau, x): (f64, &[f64]),
    ) -> Result<(), usize> {
        self.copy_large(a);
        let order = x.len();
        if self.scratch.is_some() {
            let mut matrix = self.factor.as_mut();
            for c in 0..order {
                let below = matrix.rb_mut().col_mut(c).subrows_mut(c, order - c);
                let factor = tau * x[c];
                below.iter_mut().zip(&x[c..]).for_each(|(a, x)| *a += factor * x);
            }
            return self.decompose(None, 1.0, shift, Wanted::Solves);
        }
        // Tiles read whole vectors of it.
        let mut padded = std::mem::take(&mut self.deflation);
        padded.resize(stride_for(order), 0.0);
        padded[..order].copy_from_slice(x);
        let sum = Sum { shift, rank_one: Some((tau, &padded)), ..Sum::of(a) };
        let outcome = self.decompose_sum(sum, Wanted::Solves);
        self.deflation = padded;
        outcome
    }

    /// Decomposes `scale A + shift I`, A the source or what was written.
    fn decompose(
        &mut self,
        source: Option<&PaddedSquare>,
        scale: f64,
        shift: f64,
        wanted: Wanted,
    ) -> Result<(), usize> {
        self.decompose_sum(Sum { source, scale, shift, rank_one: None }, wanted)
    }

    /// The same of a sum.
    fn decompose_sum(
        &mut self,
        Sum { source, scale, shift, rank_one }: Sum<'_>,
        wanted: Wanted,
    ) -> Result<(), usize> {
        self.condition = None;
        let entries = source.unwrap_or(&self.factor).diagonal();
        self.diagonal.iter_mut().zip(entries).for_each(|(known, a)| *known = scale * a + shift);
        if let Some((tau, x)) = rank_one {
            self.diagonal.iter_mut().zip(x).for_each(|(known, x)| *known += tau * x * x);
        }
        let order = self.factor.order();
        // The index of the first pivot that broke the factorization down, or the order.
        let broken = if let Some(mut scratch) = self.scratch.take() {
            let mut matrix = self.factor.as_mut();
            for (c, &entry) in self.diagonal.iter().enumerate() {
                let below = matrix.rb_mut().col_mut(c).subrows_mut(c + 1, order - c - 1);
                below.iter_mut().for_each(|a| *a *= scale);
                matrix[(c, c)] = entry;
            }
            let outcome = cholesky(matrix, &mut scratch);
            self.scratch = Some(scratch);
            outcome.err().unwrap_or(order)
        } else {
            let source = source.map(PaddedSquare::padded);
            let matrix = self.factor.padded_mut();
            let inverses = match wanted {
                Wanted::Solves => &mut self.inverses[..],
                Wanted::Pivots => &mut [],
            };
            let factor = Factor { matrix, order, source, scale, shift, rank_one, inverses };
            arch().dispatch(factor).err().unwrap_or(order)
        };
        let noise = order as f64 * f64::EPSILON;
        // Squares near the smallest normal number have lost digits of their own.
        let least = f64::MIN_POSITIVE / f64::EPSILON;
        let (mut positive, mut low, mut high) = (0, f64::INFINITY, 0.0);
        for (entry, root) in self.diagonal[..broken].iter().zip(self.factor.diagonal()) {
            let pivot = root * root;
            let known = noise * if *entry > least { *entry } else { least };
            // A NaN may have passed, which is no positive pivot either.
            if !(pivot > known && pivot < f64::INFINITY) {
                break;
            }
            low = if pivot < low { pivot } else { low };
            high = if pivot > high { pivot } else { high };
            positive += 1;
        }
        self.pivots = (low, high);
        if positive < order { Err(positive) } else { Ok(()) }
    }

    /// `x <- A^-1 x`.
    pub(crate) fn solve(&self, x: &mut [f64]) {
        self.solve_all([x]);
    }

    /// The same for several vectors, each with the bits that it would get alone.
    fn solve_all<const R: usize>(&self, x: [&mut [f64]; R]) {
        if self.scratch.is_none() {
            let (factor, inverses) = (self.factor.padded(), &self.inverses[..]);
            arch().dispatch(Solve { factor, inverses, x });
            return;
        }
        for x in x {
            let order = x.len();
            let mut x = MatMut::from_column_major_slice_mut(x, order, 1);
            let factor = self.factor.as_ref();
            solve_lower(factor, x.rb_mut());
            solve_upper(factor.transpose(), x);
        }
    }

    /// `x <- A^-1 x`, and [`Self::condition`], which where it takes one iteration shares the pass over the factor.
    pub(crate) fn solve_and_condition(&mut self, x: &mut [f64]) -> f64 {
        if self.condition.is_some() || is_cold(&self.weak) {
            self.solve(x);
            return self.condition();
        }
        let mut weak = std::mem::take(&mut self.weak);
        self.solve_all([x, &mut weak]);
        let growth = renew(&mut weak);
        self.weak = weak;
        self.note_condition(growth)
    }

    /// A lower estimate of the condition of A: its largest diagonal entry (below its largest
    /// eigenvalue by no more than the order) times what power iterations on the inverse find.
    ///
    /// Three iterations from a fixed start; one where the factor before has left a direction.
    pub(crate) fn condition(&mut self) -> f64 {
        if let Some(known) = self.condition {
            return known;
        }
        let mut weak = std::mem::take(&mut self.weak);
        let mut iterations = 1;
        if is_cold(&weak) {
            start(&mut weak);
            iterations = COLD_ITERATIONS;
        }
        let mut growth = f64::INFINITY;
        for _ in 0..iterations {
            self.solve(&mut weak);
            growth = renew(&mut weak);
            if !growth.is_finite() {
                break;
            }
        }
        self.weak = weak;
        self.note_condition(growth)
    }

    /// The condition by the growth of a unit vector under the inverse.
    fn note_condition(&mut self, growth: f64) -> f64 {
        let largest = self.diagonal.iter().fold(0.0, |largest: f64, &entry| largest.max(entry));
        let found = largest * growth;
        self.condition = Some(found);
        found
    }

    /// Smallest and largest pivot, `L_ii^2`.
    pub(crate) fn pivots(&self) -> (f64, f64) {
        self.pivots
    }
}
