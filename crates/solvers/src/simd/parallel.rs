//! Which products run on several threads: large ones, in pieces that do not depend on the threads.
//!
//! Every number is summed in the same order by whichever thread it falls to, so that the bits are those
//! of one thread. Small products stay on one: waking another takes longer than they do.

use rayon::prelude::*;

/// Multiply-adds from which a product is worth several threads: some tenths of a millisecond.
const WORTHWHILE: f64 = 4e6;

/// Whether a product of so many multiply-adds runs on several threads.
pub(crate) fn is_worthwhile(multiply_adds: f64) -> bool {
    multiply_adds >= WORTHWHILE && rayon::current_num_threads() > 1
}

/// Calls `work(k, piece)` for the pieces of `length` numbers of `out`, several at a time.
pub(crate) fn for_pieces(
    out: &mut [f64],
    length: usize,
    work: impl Fn(usize, &mut [f64]) + Send + Sync,
) {
    out.par_chunks_mut(length.max(1)).enumerate().for_each(|(k, piece)| work(k, piece));
}
