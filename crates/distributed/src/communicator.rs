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

    /// Sends `mine` to rank `to` and receives as many numbers from rank `from`, at once; that rank sends them by the same
    /// call or by [`Self::pass`].
    fn swap(&self, to: usize, mine: &[f64], from: usize, theirs: &mut [f64]);

    /// Sends numbers to rank `to`, which receives them by [`Self::take`] or [`Self::swap`]; it may wait for that.
    fn pass(&self, to: usize, numbers: &[f64]);

    /// Waits for as many numbers from rank `from`.
    fn take(&self, from: usize, numbers: &mut [f64]);

    /// Sends a small message to rank `to`, which need not wait for it yet.
    fn send(&self, to: usize, message: &[u8]);

    /// The next message that has arrived, with the rank that sent it; `None` where none has. Messages of
    /// one rank arrive in the order in which it sent them.
    fn try_receive(&self) -> Option<(usize, Vec<u8>)>;

    /// Waits for the next message.
    fn receive(&self) -> (usize, Vec<u8>);
}
