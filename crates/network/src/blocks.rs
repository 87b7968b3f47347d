//! Blocks of rows: inputs in them, work on several at a time, and room to work in.

use std::cell::RefCell;

use gaussflow_solvers::RowBlocks;

/// Most rows of a block.
pub(crate) const ROW_BLOCK: usize = RowBlocks::ROWS;

/// An array that holds so many numbers for each block of rows but the last; none where it is absent.
pub(crate) type Strip<'a> = (&'a mut [f64], usize);

/// Calls `work` with the number of each block of rows and its part of every strip, on several threads if `several`.
///
/// Blocks of rows know nothing of each other: the bits are those of one thread.
pub(crate) fn for_blocks<const N: usize>(
    blocks: std::ops::Range<usize>,
    strips: [Strip<'_>; N],
    several: bool,
    work: &(impl Fn(usize, [&mut [f64]; N]) + Sync),
) {
    match blocks.len() {
        0 => {}
        1 => work(blocks.start, strips.map(|(data, _)| data)),
        count => {
            let middle = blocks.start + count / 2;
            let [first, second] = split(strips, count / 2);
            let (before, after) = (blocks.start..middle, middle..blocks.end);
            if several {
                rayon::join(
                    || for_blocks(before, first, several, work),
                    || for_blocks(after, second, several, work),
                );
            } else {
                for_blocks(before, first, several, work);
                for_blocks(after, second, several, work);
            }
        }
    }
}

/// The strips of the first blocks, and of the others.
fn split<const N: usize>(strips: [Strip<'_>; N], blocks: usize) -> [[Strip<'_>; N]; 2] {
    let mut later: [Strip<'_>; N] = std::array::from_fn(|_| (&mut [][..], 0));
    let mut places = later.iter_mut();
    let first = strips.map(|(data, length)| {
        let (first, second) = data.split_at_mut((blocks * length).min(data.len()));
        if let Some(place) = places.next() {
            *place = (second, length);
        }
        (first, length)
    });
    [first, later]
}

/// Row-major `inputs` as a matrix in blocks of rows, each row `times`, with a column of ones if asked for.
pub(crate) fn blocks_of(inputs: &[f64], features: usize, ones: bool, times: usize) -> RowBlocks {
    let rows = inputs.len() / features * times;
    let mut blocks = RowBlocks::zeros(rows, features + usize::from(ones));
    write_inputs(&mut blocks, inputs, features, times);
    blocks
}

/// Writes row-major `inputs` to a matrix in blocks, each row `times`, and ones to a column more than there are features.
pub(crate) fn write_inputs(blocks: &mut RowBlocks, inputs: &[f64], features: usize, times: usize) {
    for b in 0..blocks.blocks() {
        let first = blocks.block_rows(b).start;
        for k in 0..features {
            let (mut row, mut copy) = (first / times, first % times);
            for x in blocks.column_mut(b, k) {
                *x = inputs[row * features + k];
                copy += 1;
                if copy == times {
                    (row, copy) = (row + 1, 0);
                }
            }
        }
        for k in features..blocks.columns() {
            blocks.column_mut(b, k).fill(1.0);
        }
    }
}

thread_local! {
    static ROOMS: RefCell<Vec<Vec<f64>>> = const { RefCell::new(Vec::new()) };
}

/// Numbers of a cache line.
const LINE: usize = 8;

/// Gives `work` room for `length` numbers, whatever they are. Each thread keeps its rooms, one for every depth of calls.
pub(crate) fn with_room<T>(length: usize, work: impl FnOnce(&mut [f64]) -> T) -> T {
    let mut room = ROOMS.with_borrow_mut(Vec::pop).unwrap_or_default();
    // The first column begins with a cache line: vectors then lie in one line each.
    let total = length + LINE;
    if room.len() < total {
        room.resize(total, 0.0);
    }
    let offset = room.as_ptr().align_offset(8 * LINE).min(LINE);
    let found = work(&mut room[offset..offset + length]);
    ROOMS.with_borrow_mut(|rooms| rooms.push(room));
    found
}
