//! What the ranks of a distributed computation say to each other: collective exchanges and small messages.
//!
//! A rank is one of `size` processes (or threads, in tests) that run the same program. Everything above
//! is written against [`Communicator`]; MPI is one implementation, threads of one process the other.

/// The connections of one rank with all others.
///
/// A collective call returns once all ranks have made it; they must make the same ones in the same order.
pub trait Communicator {
    /// This rank, from 0.
    fn rank(&self) -> usize;

    /// Number of ranks, at least 1.
    fn size(&self) -> usize;

    /// Collective: every rank's `mine` into `all`, in the order of the ranks; `all` is `size` times as long.
    fn all_gather(&self, mine: &[f64], all: &mut [f64]);

    /// Collective: of `size` equal pieces of `outgoing`, piece r goes to rank r; piece r of `incoming` comes
    /// from rank r.
    fn all_to_all(&self, outgoing: &[f64], incoming: &mut [f64]);

    /// Sends a small message to rank `to`, which need not wait for it yet.
    fn send(&self, to: usize, message: &[u8]);

    /// The next message that has arrived, with the rank that sent it; `None` where none has. Messages of
    /// one rank arrive in the order in which it sent them.
    fn try_receive(&self) -> Option<(usize, Vec<u8>)>;

    /// Waits for the next message.
    fn receive(&self) -> (usize, Vec<u8>);
}
