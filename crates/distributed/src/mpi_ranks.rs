//! The ranks of an MPI job.

use mpi::environment::Universe;
use mpi::point_to_point::send_receive_into;
use mpi::topology::{Process, SimpleCommunicator};
use mpi::traits::{Communicator as _, CommunicatorCollectives, Destination, Source};
use mpi::{Rank, Threading};

use crate::communicator::Communicator;

/// One rank of an MPI job; MPI ends with it.
pub struct MpiRank {
    // Fields are dropped in this order: the communicator before MPI ends.
    world: SimpleCommunicator,
    _universe: Universe,
}

impl MpiRank {
    /// Joins the job that mpirun (or srun) started, alone where none did; `None` where MPI was initialized
    /// before. Only the calling thread may use it.
    pub fn join() -> Option<Self> {
        let (universe, _) = mpi::initialize_with_threading(Threading::Funneled)?;
        Some(Self { world: universe.world(), _universe: universe })
    }

    /// The process of a rank; ranks come from MPI's own numbers.
    fn process(&self, rank: usize) -> Process<'_> {
        self.world.process_at_rank(Rank::try_from(rank).unwrap_or(Rank::MAX))
    }

    /// Ends the whole job with this exit status: for errors that other ranks cannot know of.
    pub fn abort(&self, status: u8) -> ! {
        self.world.abort(i32::from(status))
    }
}

/// MPI's ranks and sizes are small numbers that are not negative.
fn index(rank: Rank) -> usize {
    usize::try_from(rank).unwrap_or(0)
}

impl Communicator for MpiRank {
    fn rank(&self) -> usize {
        index(self.world.rank())
    }

    fn size(&self) -> usize {
        index(self.world.size())
    }

    fn all_gather(&self, mine: &[f64], all: &mut [f64]) {
        self.world.all_gather_into(mine, all);
    }

    fn all_to_all(&self, outgoing: &[f64], incoming: &mut [f64]) {
        self.world.all_to_all_into(outgoing, incoming);
    }

    fn swap(&self, to: usize, mine: &[f64], from: usize, theirs: &mut [f64]) {
        let (to, from) = (self.process(to), self.process(from));
        send_receive_into(mine, &to, theirs, &from);
    }

    fn pass(&self, to: usize, numbers: &[f64]) {
        self.process(to).send(numbers);
    }

    fn take(&self, from: usize, numbers: &mut [f64]) {
        self.process(from).receive_into(numbers);
    }

    fn send(&self, to: usize, message: &[u8]) {
        self.process(to).send(message);
    }

    fn try_receive(&self) -> Option<(usize, Vec<u8>)> {
        let status = self.world.any_process().immediate_probe()?;
        let from = status.source_rank();
        Some((index(from), self.world.process_at_rank(from).receive_vec().0))
    }

    fn receive(&self) -> (usize, Vec<u8>) {
        let (message, status) = self.world.any_process().receive_vec();
        (index(status.source_rank()), message)
    }
}
