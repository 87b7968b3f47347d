//! Sums over ranks, `s = x_0 + x_1 + ... + x_(K-1)` entry by entry, always in the order of the ranks.
//!
//! MPI leaves the order of a reduction open, and with it the last bits, which may even differ between
//! ranks; ranks whose numbers differ may decide differently and then wait for each other forever. Here
//! short vectors are gathered by everybody and summed in place; long ones are cut into K pieces, rank r
//! sums piece r, and the sums are gathered. Both give the same bits on every rank, whatever library is below.

use std::time::Instant;

use crate::communicator::Communicator;

/// Numbers that a rank may receive at once (128 KiB): beyond, sums are made by pieces.
pub(crate) const SHORT: usize = 1 << 14;

/// What the sums cost so far, on this rank.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Traffic {
    /// Collective exchanges.
    pub exchanges: u64,
    /// Bytes that this rank received in them from others.
    pub bytes: u64,
    /// Seconds within them, the waiting for other ranks included.
    pub seconds: f64,
}

/// Sums over the ranks of a communicator, with the buffers for them.
pub struct Reducer<'c, C> {
    ranks: &'c C,
    outgoing: Vec<f64>,
    incoming: Vec<f64>,
    traffic: Traffic,
}

impl<'c, C: Communicator> Reducer<'c, C> {
    /// Sums over `ranks`; buffers are made at first use.
    pub fn new(ranks: &'c C) -> Self {
        Self { ranks, outgoing: Vec::new(), incoming: Vec::new(), traffic: Traffic::default() }
    }

    /// The ranks.
    pub fn ranks(&self) -> &'c C {
        self.ranks
    }

    /// What was exchanged.
    pub fn traffic(&self) -> Traffic {
        self.traffic
    }

    /// Collective: every rank's `mine`, in the order of the ranks.
    pub fn gather(&mut self, mine: &[f64]) -> &[f64] {
        let size = self.ranks.size();
        self.incoming.resize(size * mine.len(), 0.0);
        if size == 1 {
            self.incoming.copy_from_slice(mine);
            return &self.incoming;
        }
        let begun = Instant::now();
        self.ranks.all_gather(mine, &mut self.incoming);
        self.note(begun, mine.len());
        &self.incoming
    }

    /// Collective: replaces `values` by their sum over the ranks.
    ///
    /// # Examples
    /// ```
    /// use gaussflow_distributed::reduce::Reducer;
    /// use gaussflow_distributed::threads::run_ranks;
    ///
    /// let sums = run_ranks(2, |ranks| {
    ///     let mut values = [1.0, 0.5];
    ///     Reducer::new(ranks).sum(&mut values);
    ///     values
    /// });
    /// assert_eq!(sums, [[2.0, 1.0]; 2]);
    /// ```
    pub fn sum(&mut self, values: &mut [f64]) {
        let size = self.ranks.size();
        if size == 1 || values.is_empty() {
            return;
        }
        if size * values.len() <= SHORT {
            let all = self.gather(values);
            add_up(all, values);
        } else {
            self.sum_by_pieces(values);
        }
    }

    /// Exchanges numbers with rank `with`, which does the same.
    pub fn swap(&mut self, with: usize, mine: &[f64], theirs: &mut [f64]) {
        self.shift(with, mine, with, theirs);
    }

    /// Sends `mine` to rank `to` while as many numbers come from rank `from`.
    pub fn shift(&mut self, to: usize, mine: &[f64], from: usize, theirs: &mut [f64]) {
        let begun = Instant::now();
        self.ranks.swap(to, mine, from, theirs);
        self.note_numbers(begun, theirs.len());
    }

    /// Sends numbers to rank `to`, which takes them.
    pub fn pass(&mut self, to: usize, numbers: &[f64]) {
        let begun = Instant::now();
        self.ranks.pass(to, numbers);
        self.traffic.seconds += begun.elapsed().as_secs_f64();
    }

    /// Waits for numbers that rank `from` passes.
    pub fn take(&mut self, from: usize, numbers: &mut [f64]) {
        let begun = Instant::now();
        self.ranks.take(from, numbers);
        self.note_numbers(begun, numbers.len());
    }

    /// Rank r sums piece r of `values`, padded with zeros to K equal pieces.
    fn sum_by_pieces(&mut self, values: &mut [f64]) {
        let (size, begun) = (self.ranks.size(), Instant::now());
        let piece = values.len().div_ceil(size);
        self.outgoing.resize(size * piece, 0.0);
        self.incoming.resize(size * piece, 0.0);
        self.outgoing[..values.len()].copy_from_slice(values);
        self.outgoing[values.len()..].fill(0.0);
        self.ranks.all_to_all(&self.outgoing, &mut self.incoming);
        add_up(&self.incoming, &mut self.outgoing[..piece]);
        self.ranks.all_gather(&self.outgoing[..piece], &mut self.incoming);
        values.copy_from_slice(&self.incoming[..values.len()]);
        self.note(begun, piece);
        self.note(Instant::now(), piece);
    }

    /// An exchange in which every other rank's `length` numbers came here.
    fn note(&mut self, begun: Instant, length: usize) {
        self.note_numbers(begun, length * (self.ranks.size() - 1));
    }

    /// An exchange in which `count` numbers came here.
    fn note_numbers(&mut self, begun: Instant, count: usize) {
        self.traffic.exchanges += 1;
        self.traffic.bytes += (size_of::<f64>() * count) as u64;
        self.traffic.seconds += begun.elapsed().as_secs_f64();
    }
}

/// `out = x_0 + x_1 + ...`, of vectors as long as `out` that lie one after the other in `all`.
fn add_up(all: &[f64], out: &mut [f64]) {
    for (r, x) in all.chunks_exact(out.len()).enumerate() {
        if r == 0 {
            out.copy_from_slice(x);
        } else {
            out.iter_mut().zip(x).for_each(|(o, x)| *o += x);
        }
    }
}
