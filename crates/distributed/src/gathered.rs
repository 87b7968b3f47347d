//! What all ranks hold of a wide Jacobian (p > n): vectors of all outputs, all rows of J, and `K = J J^T`.
//!
//! K is computed in blocks: in round t rank r receives what K needs of the rows of rank r + t (for a network S and X,
//! which are much smaller than J) and computes `K_(r, r+t)`. Half of the rounds give all pairs of ranks; the blocks are
//! then gathered.

use gaussflow::solvers::JacobianOperator;
use gaussflow::solvers::faer::prelude::ReborrowMut;
use gaussflow::solvers::faer::{MatMut, MatRef};

use crate::communicator::Communicator;
use crate::reduce::Reducer;

/// The first row of each rank.
fn first_rows(counts: &[usize]) -> Vec<usize> {
    counts.iter().scan(0, |next, count| Some(std::mem::replace(next, *next + count))).collect()
}

/// Numbers of this rank, each rank having `length` of them at most, behind one another in `out`.
fn gather_into<C: Communicator>(
    mine: &[f64],
    lengths: impl Iterator<Item = usize> + Clone,
    reducer: &mut Reducer<'_, C>,
    mut place: impl FnMut(usize, &[f64]),
) {
    let most = lengths.clone().max().unwrap_or(0);
    let mut padded = mine.to_vec();
    padded.resize(most, 0.0);
    let all = reducer.gather(&padded);
    for (rank, (length, piece)) in lengths.zip(all.chunks(most.max(1))).enumerate() {
        place(rank, &piece[..length]);
    }
}

/// Collective: the entries of u of all ranks.
pub(crate) fn entries<C: Communicator>(
    u: &[f64],
    counts: &[usize],
    reducer: &mut Reducer<'_, C>,
    out: &mut [f64],
) {
    let first = first_rows(counts);
    gather_into(u, counts.iter().copied(), reducer, |rank, piece| {
        out[first[rank]..][..piece.len()].copy_from_slice(piece);
    });
}

/// Collective: the rows of `2^exponent J` of all ranks.
pub(crate) fn rows<C: Communicator>(
    (here, exponent): (&impl JacobianOperator, i32),
    counts: &[usize],
    reducer: &mut Reducer<'_, C>,
    mut out: MatMut<'_, f64>,
) {
    let columns = here.columns();
    let mut dense = vec![0.0; here.rows() * columns];
    let mine = MatMut::from_column_major_slice_mut(&mut dense, here.rows(), columns);
    here.write_reduced(exponent, mine);
    let first = first_rows(counts);
    gather_into(&dense, counts.iter().map(|rows| rows * columns), reducer, |rank, piece| {
        let rows = counts[rank];
        let block = MatRef::from_column_major_slice(piece, rows, columns);
        out.rb_mut().subrows_mut(first[rank], rows).copy_from(block);
    });
}

/// Collective: the lower triangle of K of all ranks' rows.
pub(crate) fn kernel<C: Communicator>(
    here: &impl JacobianOperator,
    counts: &[usize],
    reducer: &mut Reducer<'_, C>,
    mut out: MatMut<'_, f64>,
) {
    let (rank, size) = (reducer.ranks().rank(), reducer.ranks().size());
    let most = counts.iter().copied().max().unwrap_or(0);
    let mut mine = Vec::new();
    here.write_kernel_rows(&mut mine);
    let length = mine.len().checked_div(here.rows()).unwrap_or(0);
    // Each rank's rows at the same length; a rank without rows has no length to tell, but there are none in a run.
    mine.resize(most * length, 0.0);
    let mut theirs = vec![0.0; mine.len()];
    let rounds = size / 2;
    let mut blocks = vec![0.0; (rounds + 1) * most * most];
    for (round, block) in blocks.chunks_exact_mut(most * most).enumerate() {
        let (from, to) = ((rank + round) % size, (rank + size - round) % size);
        let others = if round == 0 {
            &mine
        } else {
            reducer.shift(to, &mine, from, &mut theirs);
            &theirs
        };
        let block = MatMut::from_column_major_slice_mut(block, most, most);
        let block = block.submatrix_mut(0, 0, here.rows(), counts[from]);
        here.kernel_with(&others[..counts[from] * length], block);
    }
    let first = first_rows(counts);
    let all = reducer.gather(&blocks);
    for (r, blocks) in all.chunks_exact((rounds + 1) * most * most).enumerate() {
        for (round, block) in blocks.chunks_exact(most * most).enumerate() {
            let s = (r + round) % size;
            let block = MatRef::from_column_major_slice(block, most, most);
            let block = block.submatrix(0, 0, counts[r], counts[s]);
            // What lies above the diagonal belongs below it, transposed.
            let (block, r, s) = if r < s { (block.transpose(), s, r) } else { (block, r, s) };
            let mut target = out.rb_mut().submatrix_mut(first[r], first[s], counts[r], counts[s]);
            for c in 0..counts[s] {
                for k in if r == s { c } else { 0 }..counts[r] {
                    target[(k, c)] = block[(k, c)];
                }
            }
        }
    }
}
