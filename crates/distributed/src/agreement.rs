//! All ranks go on, or none does: the error of one ends the work of all, and one rank tells of it.

use gaussflow_driver::DriverError;

use crate::communicator::Communicator;

/// Why the ranks could not go on.
#[derive(Debug)]
pub enum Failure {
    /// For a reason that this rank is to tell.
    Here(DriverError),
    /// For a reason that another rank tells.
    Elsewhere {
        /// That rank.
        rank: usize,
        /// The exit status that belongs to its reason.
        status: u8,
    },
}

impl Failure {
    /// An error that all ranks have come to alike: rank 0 tells it.
    pub fn everywhere<C: Communicator>(ranks: &C, error: DriverError) -> Self {
        match ranks.rank() {
            0 => Self::Here(error),
            _ => Self::Elsewhere { rank: 0, status: error.exit_status() },
        }
    }

    /// The exit status, the same on all ranks.
    pub fn exit_status(&self) -> u8 {
        match self {
            Self::Here(error) => error.exit_status(),
            Self::Elsewhere { status, .. } => *status,
        }
    }
}

/// Collective: `own` where it is an answer on every rank; else the failure of the first without one.
///
/// # Errors
/// [`Failure`], on all ranks.
pub fn agree<T, C: Communicator>(ranks: &C, own: Result<T, DriverError>) -> Result<T, Failure> {
    let status = own.as_ref().err().map_or(0, DriverError::exit_status);
    let mut all = vec![0.0; ranks.size()];
    ranks.all_gather(&[f64::from(status)], &mut all);
    match all.iter().position(|status| *status > 0.0) {
        None => own.map_err(Failure::Here),
        Some(rank) if rank == ranks.rank() => own.map_err(Failure::Here),
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "was a u8 on the other rank"
        )]
        Some(rank) => Err(Failure::Elsewhere { rank, status: all[rank] as u8 }),
    }
}
