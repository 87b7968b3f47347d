//! A map whose outputs lie on several ranks: each has its rows, and all stand at the same point.
//!
//! Before anybody goes on from a point, all ranks show that it is the same for them to the last bit, and
//! that their rows have a value there: an error of one is the error of all.

use std::cell::RefCell;
use std::rc::Rc;

use gaussflow::objective::{MapError, Residuals, SecondOrderMap, SmoothMap};

use crate::communicator::Communicator;
use crate::reduce::Reducer;
use crate::row_split::RowSplit;

/// The rows of a map on this rank, with the connection to the others.
pub struct SplitMap<'c, M, C> {
    here: M,
    /// The first row on this rank, among all.
    first_row: usize,
    reducer: Rc<RefCell<Reducer<'c, C>>>,
}

impl<'c, M: SmoothMap, C: Communicator> SplitMap<'c, M, C> {
    /// The map whose rows from `first_row` on are `here`.
    pub fn new(here: M, first_row: usize, reducer: Rc<RefCell<Reducer<'c, C>>>) -> Self {
        Self { here, first_row, reducer }
    }

    /// Collective: the first error of any rank, or that they stand at different points.
    fn agree(&self, w: &[f64], value: &[f64], own: Result<(), MapError>) -> Result<(), MapError> {
        let what = "the map's value";
        let own = own.and_then(|()| match value.iter().position(|x| !x.is_finite()) {
            Some(index) => Err(MapError::NonFinite { what, index, value: value[index] }),
            None => Ok(()),
        });
        // What happened, the row, the value, and the point's checksum in halves, each exact.
        let (happened, row, bad) = match &own {
            Ok(()) => (FINE, 0.0, 0.0),
            Err(MapError::NonFinite { index, value, .. }) => {
                (NOT_FINITE, (self.first_row + index) as f64, *value)
            }
            Err(_) => (OTHER, 0.0, 0.0),
        };
        let sum = checksum(w);
        let (low, high) = (f64::from((sum & 0xffff_ffff) as u32), f64::from((sum >> 32) as u32));
        let mut reducer = self.reducer.borrow_mut();
        let all = reducer.gather(&[happened, row, bad, low, high]);
        for (rank, told) in all.chunks_exact(5).enumerate() {
            let [happened, row, value, ..] = *told else { continue };
            if happened.to_bits() == NOT_FINITE.to_bits() {
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "a row's number, exact"
                )]
                return Err(MapError::NonFinite { what, index: row as usize, value });
            }
            if happened.to_bits() == OTHER.to_bits() {
                let reason = format!("its rows on rank {rank} have no value");
                return own.and(Err(MapError::Undefined { reason }));
            }
        }
        match all.chunks_exact(5).position(|told| told[3..] != all[3..5]) {
            Some(rank) => Err(MapError::Undefined {
                reason: format!(
                    "ranks 0 and {rank} stand at different points, as on unlike processors; all ranks \
                     must run the same program on processors of one model"
                ),
            }),
            None => Ok(()),
        }
    }
}

/// What a rank tells of its rows.
const FINE: f64 = 0.0;
const NOT_FINITE: f64 = 1.0;
const OTHER: f64 = 2.0;

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
        let own = self.here.linearize(w, value, jacobian.here_mut());
        self.agree(w, value, own)
    }

    fn linearize_within(
        &self,
        w: &[f64],
        lower: &[f64],
        upper: &[f64],
        value: &mut [f64],
        jacobian: &mut Self::Jacobian,
    ) -> Result<(), MapError> {
        let own = self.here.linearize_within(w, lower, upper, value, jacobian.here_mut());
        self.agree(w, value, own)
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
}
