//! Ranks that are threads of one process: the same program without MPI, for tests and for trying out.

use std::cell::RefCell;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Barrier, Mutex, PoisonError};

use crate::communicator::Communicator;

/// What the threads share.
struct Shared {
    barrier: Barrier,
    /// What each rank has put up for the others.
    boards: Vec<Mutex<Vec<f64>>>,
}

/// One rank that is a thread.
pub struct ThreadRank<'s> {
    rank: usize,
    shared: &'s Shared,
    outgoing: Vec<Sender<(usize, Vec<u8>)>>,
    incoming: RefCell<Receiver<(usize, Vec<u8>)>>,
    /// Numbers for each rank, and from each rank.
    numbers_to: Vec<Sender<Vec<f64>>>,
    numbers_from: Vec<Receiver<Vec<f64>>>,
}

/// Runs `program` as `size` ranks, one thread each, and returns what each of them returned.
///
/// # Panics
/// Where a rank panics. Others that wait for it in a collective call then wait forever, as under MPI
/// without an end of the job.
///
/// # Examples
/// ```
/// use gaussflow_distributed::Communicator;
/// use gaussflow_distributed::threads::run_ranks;
///
/// let seen = run_ranks(3, |ranks| {
///     let mut all = [0.0; 3];
///     ranks.all_gather(&[10.0 * ranks.rank() as f64], &mut all);
///     all
/// });
/// assert_eq!(seen, [[0.0, 10.0, 20.0]; 3]);
/// ```
pub fn run_ranks<T: Send>(size: usize, program: impl Fn(&ThreadRank<'_>) -> T + Sync) -> Vec<T> {
    let shared = Shared {
        barrier: Barrier::new(size),
        boards: (0..size).map(|_| Mutex::new(Vec::new())).collect(),
    };
    let (senders, receivers): (Vec<_>, Vec<_>) = (0..size).map(|_| channel()).unzip();
    // One channel for numbers from each rank to each other one.
    let mut ends: Vec<(Vec<_>, Vec<_>)> = (0..size).map(|_| Default::default()).collect();
    for from in 0..size {
        for to in 0..size {
            let (sender, receiver) = channel();
            ends[from].0.push(sender);
            ends[to].1.push(receiver);
        }
    }
    std::thread::scope(|scope| {
        let ranks: Vec<_> = receivers
            .into_iter()
            .zip(ends)
            .enumerate()
            .map(|(rank, (incoming, (numbers_to, numbers_from)))| {
                let (shared, program, outgoing) = (&shared, &program, senders.clone());
                let incoming = RefCell::new(incoming);
                scope.spawn(move || {
                    program(&ThreadRank {
                        rank,
                        shared,
                        outgoing,
                        incoming,
                        numbers_to,
                        numbers_from,
                    })
                })
            })
            .collect();
        ranks
            .into_iter()
            .map(|rank| match rank.join() {
                Ok(value) => value,
                Err(panic) => std::panic::resume_unwind(panic),
            })
            .collect()
    })
}

impl ThreadRank<'_> {
    /// Shows `numbers` to all ranks, and lets `take` read what rank r shows.
    fn exchange(&self, numbers: &[f64], mut take: impl FnMut(usize, &[f64])) {
        let board = |rank: usize| {
            // A poisoned lock only means that another rank panicked; its numbers are whole.
            self.shared.boards[rank].lock().unwrap_or_else(PoisonError::into_inner)
        };
        {
            let mut mine = board(self.rank);
            mine.clear();
            mine.extend_from_slice(numbers);
        }
        self.shared.barrier.wait();
        for rank in 0..self.size() {
            take(rank, &board(rank));
        }
        // Nobody may write again before all have read.
        self.shared.barrier.wait();
    }
}

impl Communicator for ThreadRank<'_> {
    fn rank(&self) -> usize {
        self.rank
    }

    fn size(&self) -> usize {
        self.shared.boards.len()
    }

    fn all_gather(&self, mine: &[f64], all: &mut [f64]) {
        let length = mine.len();
        self.exchange(mine, |rank, shown| {
            all[rank * length..(rank + 1) * length].copy_from_slice(shown);
        });
    }

    fn all_to_all(&self, outgoing: &[f64], incoming: &mut [f64]) {
        let piece = outgoing.len() / self.size();
        let mine = self.rank * piece..(self.rank + 1) * piece;
        self.exchange(outgoing, |rank, shown| {
            incoming[rank * piece..(rank + 1) * piece].copy_from_slice(&shown[mine.clone()]);
        });
    }

    fn swap(&self, to: usize, mine: &[f64], from: usize, theirs: &mut [f64]) {
        self.pass(to, mine);
        self.take(from, theirs);
    }

    fn pass(&self, to: usize, numbers: &[f64]) {
        // A rank that has ended reads nothing any more.
        drop(self.numbers_to[to].send(numbers.to_vec()));
    }

    fn take(&self, from: usize, numbers: &mut [f64]) {
        // A rank that has ended without sending them has panicked.
        let found = self.numbers_from[from].recv().expect("a rank that sends what it has to");
        numbers.copy_from_slice(&found);
    }

    fn send(&self, to: usize, message: &[u8]) {
        // A rank that has ended reads nothing any more.
        drop(self.outgoing[to].send((self.rank, message.to_vec())));
    }

    fn try_receive(&self) -> Option<(usize, Vec<u8>)> {
        self.incoming.borrow().try_recv().ok()
    }

    fn receive(&self) -> (usize, Vec<u8>) {
        // This rank holds a sender to itself: the channel never closes.
        self.incoming.borrow().recv().expect("a channel with a sender")
    }
}
