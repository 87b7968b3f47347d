//! A map whose outputs lie on several ranks: each has its rows, and all stand at the same point.
//!
//! Before anybody goes on from a point, all ranks show that it is the same for them to the last bit, and
//! that their rows have a value there: an error of one is the error of all. The same exchange brings the loss, the
//! norms of J and of its gradient b, and `J^T b`.

use std::cell::RefCell;
use std::rc::Rc;

use gaussflow::objective::{MapError, Residuals, SecondOrderMap, Share, SmoothMap, Totals};
use gaussflow::solvers::faer::MatMut;
use gaussflow::solvers::faer::prelude::ReborrowMut;
use gaussflow::solvers::{JacobianOperator, inner_product};

use crate::communicator::Communicator;
use crate::reduce::Reducer;
use crate::row_split::RowSplit;

/// The rows of a map on this rank, with the connection to the others.
pub struct SplitMap<'c, M, C> {
    here: M,
    /// The first row on this rank, among all.
    first_row: usize,
    reducer: Rc<RefCell<Reducer<'c, C>>>,
    /// What a joint exchange sums.
    sums: RefCell<Vec<f64>>,
}

impl<'c, M: SmoothMap, C: Communicator> SplitMap<'c, M, C> {
    /// The map whose rows from `first_row` on are `here`.
    pub fn new(here: M, first_row: usize, reducer: Rc<RefCell<Reducer<'c, C>>>) -> Self {
        Self { here, first_row, reducer, sums: RefCell::default() }
    }

    /// The first entry of the output on this rank, among all.
    fn at_row(&self, error: MapError) -> MapError {
        match error {
            MapError::NonFinite { what, index, value } => {
                MapError::NonFinite { what, index: self.first_row + index, value }
            }
            other => other,
        }
    }

    /// Collective, where a rank has failed or the points differ: what every rank returns. The rank that knows the reason
    /// returns that, the others a description of it.
    fn failure(&self, w: &[f64], own: Result<(), MapError>) -> MapError {
        let own = own.map_err(|error| self.at_row(error));
        // What happened, the row and the value, and the point's checksum in quarters, each exact.
        let (happened, row, bad) = match &own {
            Ok(()) => (FINE, 0.0, 0.0),
            Err(MapError::NonFinite { index, value, .. }) => (NOT_FINITE, *index as f64, *value),
            Err(_) => (OTHER, 0.0, 0.0),
        };
        let mut mine = vec![happened, row, bad];
        mine.extend(quarters(w));
        let mut reducer = self.reducer.borrow_mut();
        let all = reducer.gather(&mine);
        for (rank, told) in all.chunks_exact(mine.len()).enumerate() {
            if told[0].to_bits() == FINE.to_bits() {
                continue;
            }
            if let Err(error) = own {
                return error;
            }
            if told[0].to_bits() == NOT_FINITE.to_bits() {
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "a row's number, exact"
                )]
                let index = told[1] as usize;
                return MapError::NonFinite { what: "the map's value", index, value: told[2] };
            }
            return MapError::Undefined {
                reason: format!("its rows on rank {rank} have no value"),
            };
        }
        let differs = |told: &[f64]| told[3..] != all[3..mine.len()];
        let rank = all.chunks_exact(mine.len()).position(differs).unwrap_or(0);
        MapError::Undefined {
            reason: format!(
                "ranks 0 and {rank} stand at different points, as on unlike processors; all ranks \
                 must run the same program on processors of one model"
            ),
        }
    }
}

/// What a rank tells of its rows.
const FINE: f64 = 0.0;
const NOT_FINITE: f64 = 1.0;
const OTHER: f64 = 2.0;

/// Numbers with which a joint sum begins: how many ranks failed, and the quarters of the points' checksums, each with its
/// square. The points are the same exactly where every quarter has no variance, which these sums show on all ranks alike.
const HEAD: usize = 9;

/// Squares of norms are exact enough from here to its inverse.
const LEAST: f64 = 1e-280;

/// The four quarters of a checksum of the bits of `w`, small enough for exact sums of their squares over 2^20 ranks.
fn quarters(w: &[f64]) -> [f64; 4] {
    let sum = checksum(w);
    [0, 16, 32, 48].map(|shift| ((sum >> shift) & 0xffff) as f64)
}

/// A checksum of the bits of `w` (FNV-1a, by words).
fn checksum(w: &[f64]) -> u64 {
    w.iter().fold(0xcbf2_9ce4_8422_2325, |sum, x| {
        let mixed = (sum ^ x.to_bits()).wrapping_mul(0x0000_0100_0000_01b3);
        // The multiplication carries bits upwards only.
        mixed ^ (mixed >> 32)
    })
}

impl<M: SmoothMap, C: Communicator> Residuals for SplitMap<'_, M, C> {
    fn parameters(&self) -> usize {
        self.here.parameters()
    }

    fn outputs(&self) -> usize {
        self.here.outputs()
    }

    /// On this rank alone.
    fn value(&self, w: &[f64], out: &mut [f64]) -> Result<(), MapError> {
        self.here.value(w, out)
    }
}

impl<'c, M: SecondOrderMap, C: Communicator> SmoothMap for SplitMap<'c, M, C> {
    type Jacobian = RowSplit<'c, M::Jacobian, C>;

    fn new_jacobian(&self) -> Self::Jacobian {
        RowSplit::new(self.here.new_jacobian(), Rc::clone(&self.reducer))
    }

    fn linearize(
        &self,
        w: &[f64],
        value: &mut [f64],
        jacobian: &mut Self::Jacobian,
    ) -> Result<(), MapError> {
        self.here.linearize(w, value, jacobian.here_mut())
    }

    /// Collective: one exchange of p + 12 numbers.
    fn join(
        &self,
        w: &[f64],
        own: Result<Share<'_, Self::Jacobian>, MapError>,
        gradient: &mut [f64],
    ) -> Result<Totals, MapError> {
        if self.reducer.borrow().ranks().size() == 1 {
            return own.map(|share| Totals { loss: share.loss, norms: None });
        }
        let mut buffer = self.sums.borrow_mut();
        buffer.clear();
        buffer.resize(HEAD + 3 + gradient.len(), 0.0);
        let (head, rest) = buffer.split_at_mut(HEAD);
        for (pair, quarter) in head[1..].chunks_exact_mut(2).zip(quarters(w)) {
            pair.copy_from_slice(&[quarter, quarter * quarter]);
        }
        match &own {
            Ok(Share { operator, right_side, loss }) => {
                let squares =
                    [operator.here().squared_norm(), inner_product(right_side, right_side)];
                rest[..3].copy_from_slice(&[*loss, squares[0], squares[1]]);
                operator.here().apply_transposed(right_side, &mut rest[3..]);
            }
            Err(_) => head[0] = 1.0,
        }
        self.reducer.borrow_mut().sum(&mut buffer);
        let (head, rest) = buffer.split_at(HEAD);
        let ranks = self.reducer.borrow().ranks().size() as f64;
        let same = |pair: &[f64]| ranks * pair[1] - pair[0] * pair[0] == 0.0;
        if head[0] > 0.0 || !head[1..].chunks_exact(2).all(same) {
            return Err(self.failure(w, own.map(|_| ())));
        }
        gradient.copy_from_slice(&rest[3..]);
        let ordinary = rest[1..3].iter().all(|square| (LEAST..=LEAST.recip()).contains(square));
        let norms = ordinary.then(|| [rest[1].sqrt(), rest[2].sqrt()]);
        Ok(Totals { loss: rest[0], norms })
    }

    fn linearize_within(
        &self,
        w: &[f64],
        lower: &[f64],
        upper: &[f64],
        value: &mut [f64],
        jacobian: &mut Self::Jacobian,
    ) -> Result<(), MapError> {
        self.here.linearize_within(w, lower, upper, value, jacobian.here_mut())
    }

    fn jacobian_error(&self) -> f64 {
        self.here.jacobian_error()
    }

    fn second_order(&self) -> Option<&dyn SecondOrderMap<Jacobian = Self::Jacobian>> {
        Some(self)
    }
}

impl<M: SecondOrderMap, C: Communicator> SecondOrderMap for SplitMap<'_, M, C> {
    fn second_derivative(
        &self,
        w: &[f64],
        jacobian: &Self::Jacobian,
        u: &[f64],
        v: &[f64],
        out: &mut [f64],
    ) -> Result<(), MapError> {
        self.here.second_derivative(w, jacobian.here(), u, v, out)
    }

    fn weighted_hessian_apply(
        &self,
        w: &[f64],
        jacobian: &Self::Jacobian,
        weights: &[f64],
        v: &[f64],
        out: &mut [f64],
    ) -> Result<(), MapError> {
        self.here.weighted_hessian_apply(w, jacobian.here(), weights, v, out)?;
        self.reducer.borrow_mut().sum(out);
        Ok(())
    }

    fn weighted_hessian(
        &self,
        w: &[f64],
        jacobian: &Self::Jacobian,
        weights: &[f64],
        mut out: MatMut<'_, f64>,
    ) -> Result<(), MapError> {
        self.here.weighted_hessian(w, jacobian.here(), weights, out.rb_mut())?;
        jacobian.sum_matrix(out);
        Ok(())
    }
}
