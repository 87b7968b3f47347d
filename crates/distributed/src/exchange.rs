//! What ranks exchange in a step, how many rounds and numbers that is, and the seconds on a network.
//!
//! An exchange takes `rounds * latency + bytes * byte`. A round is a message to another rank and one from it.

use crate::reduce::SHORT;

/// Seconds of a message between two ranks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Network {
    /// Of a round, apart from its bytes.
    pub latency: f64,
    /// Of a byte received.
    pub byte: f64,
}

/// Something that all ranks exchange, and of how many numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exchange {
    /// A sum of vectors of this length, which every rank gets.
    Sum(usize),
    /// Every rank gets the numbers of all, so many together.
    Gather(usize),
    /// Ranks swap so many numbers in pairs.
    Swap(usize),
    /// One rank sends so many numbers to all others.
    Broadcast(usize),
}

/// How vectors are summed over the ranks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sums {
    /// As gaussflow does: short ones are gathered by every rank, long ones are cut into a piece for each rank.
    Program,
    /// The faster of gaussflow's two ways, whatever the length.
    Faster,
    /// As an MPI library may: by halving and doubling. The order of such a sum is the library's.
    Tree,
}

impl Sums {
    /// Every way.
    pub const ALL: [Self; 3] = [Self::Program, Self::Faster, Self::Tree];
}

/// Rounds and received numbers of an exchange.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Messages {
    rounds: f64,
    numbers: f64,
}

impl Messages {
    pub(crate) fn on(self, network: &Network) -> (f64, f64) {
        let bytes = self.numbers * size_of::<f64>() as f64;
        (self.rounds * network.latency, bytes * network.byte)
    }

    fn seconds(self, network: &Network) -> f64 {
        let (latency, bandwidth) = self.on(network);
        latency + bandwidth
    }

    fn and(self, other: Self) -> Self {
        Self { rounds: self.rounds + other.rounds, numbers: self.numbers + other.numbers }
    }

    fn or(self, other: Self, network: &Network) -> Self {
        if other.seconds(network) < self.seconds(network) { other } else { self }
    }
}

impl Exchange {
    /// Exchanges, and numbers received in them, as [`crate::reduce::Reducer`] makes and counts them.
    pub(crate) fn counted(self, ranks: usize) -> (usize, usize) {
        let others = ranks.saturating_sub(1);
        match self {
            _ if others == 0 => (0, 0),
            Self::Sum(length) if is_short(length, ranks) => (1, length.saturating_mul(others)),
            Self::Sum(length) => (2, (2 * length.div_ceil(ranks)).saturating_mul(others)),
            Self::Gather(length) => (1, length.div_ceil(ranks).saturating_mul(others)),
            Self::Swap(length) | Self::Broadcast(length) => (1, length),
        }
    }

    /// The messages of it on K = `ranks` ranks, at least 2.
    pub(crate) fn messages(self, ranks: usize, sums: Sums, network: &Network) -> Messages {
        let (rounds, count) = (doublings(ranks) as f64, ranks as f64);
        let share = |length: usize| length as f64 * (count - 1.0) / count;
        match self {
            Self::Swap(length) => Messages { rounds: 1.0, numbers: length as f64 },
            Self::Broadcast(length) => Messages { rounds, numbers: length as f64 },
            Self::Gather(length) => Messages { rounds, numbers: share(length) },
            Self::Sum(length) => {
                // Every rank's vector comes to every other.
                let gathered = Messages { rounds, numbers: length as f64 * (count - 1.0) };
                // Pieces go straight to where they are summed, or in fewer rounds by way of other ranks, with half of all
                // numbers in each; then the sums are gathered.
                let straight = Messages { rounds: count - 1.0, numbers: share(length) };
                let bundled = Messages { rounds, numbers: length as f64 / 2.0 * rounds };
                let pieces =
                    straight.or(bundled, network).and(Messages { rounds, numbers: share(length) });
                match sums {
                    Sums::Program if is_short(length, ranks) => gathered,
                    Sums::Program => pieces,
                    Sums::Faster => gathered.or(pieces, network),
                    Sums::Tree => Messages { rounds: 2.0 * rounds, numbers: 2.0 * share(length) },
                }
            }
        }
    }
}

/// Whether a sum of vectors of this length is gathered by every rank.
fn is_short(length: usize, ranks: usize) -> bool {
    length.saturating_mul(ranks) <= SHORT
}

/// Rounds in which each of `ranks` ranks can hear of all: log2, rounded up.
pub(crate) fn doublings(ranks: usize) -> usize {
    ranks.next_power_of_two().trailing_zeros() as usize
}
