//! The QR factorization of a tall matrix whose rows lie on several ranks, by a tree of triangles.
//!
//! Each rank factors its rows, `A_r = Q_r R_r`. In round l, blocks of `2^l` ranks meet in pairs and factor
//! `[R_a; R_b] = Q_ab R_ab`, until all ranks hold the same R of `A = Q R`. Only triangles travel, `log2 K` of them to each
//! rank, and since every factor is a product of reflections, the result is as backward stable as that of one machine
//! (Demmel, Grigori, Hoemmen and Langou, "Communication-optimal parallel and sequential QR and LU factorizations", 2012).

use gaussflow::solvers::HouseholderQr;
use gaussflow::solvers::faer::{MatMut, MatRef};

use crate::communicator::Communicator;
use crate::reduce::Reducer;

/// The factors of one rank: those of its rows, and those of the pairs of triangles above it.
pub struct TallQr {
    rows: usize,
    columns: usize,
    /// Of this rank's rows, filled up with zero rows to p.
    own: HouseholderQr,
    meetings: Vec<Meeting>,
    /// Room for a vector as long as the factor of the rows asks for, and for two triangles' coordinates.
    entries: Vec<f64>,
    pair: Vec<f64>,
}

/// Where this rank's block of ranks meets another one.
struct Meeting {
    /// The rank from which the other triangle comes.
    from: usize,
    /// Whether that rank takes its triangle from here.
    mutual: bool,
    /// Further ranks that take theirs from here.
    listeners: Vec<usize>,
    /// Whether this rank's block comes first.
    first: bool,
    qr: HouseholderQr,
}

impl Meeting {
    /// The meeting of `rank` in a round of blocks of `width` ranks; `None` where its block has nobody to meet.
    fn of(rank: usize, size: usize, width: usize, columns: usize) -> Option<Self> {
        let own = rank / width * width;
        let other = own ^ width;
        if other >= size {
            return None;
        }
        // The last block may have fewer ranks than the one it meets: some of its ranks then serve several.
        let (here, there) = (width.min(size - own), width.min(size - other));
        let place = rank - own;
        let mutual = place < there;
        let listeners = (place..there).step_by(here).map(|other_place| other + other_place);
        Some(Self {
            from: other + place % there,
            mutual,
            listeners: listeners.skip(usize::from(mutual)).collect(),
            first: own < other,
            qr: HouseholderQr::new(2 * columns, columns),
        })
    }
}

impl TallQr {
    /// Makes the buffers for `rows` rows of `columns` entries on this rank.
    pub fn new<C: Communicator>(rows: usize, columns: usize, ranks: &C) -> Self {
        let (rank, size) = (ranks.rank(), ranks.size());
        let widths = std::iter::successors(Some(1), |width| Some(2 * width));
        let meetings = widths
            .take_while(|width| *width < size)
            .filter_map(|width| Meeting::of(rank, size, width, columns));
        let long = rows.max(columns);
        Self {
            rows,
            columns,
            own: HouseholderQr::new(long, columns),
            meetings: meetings.collect(),
            entries: vec![0.0; long],
            pair: vec![0.0; 2 * columns],
        }
    }

    /// Collective: factors the matrix whose rows on this rank `write` writes; it may be called twice.
    pub fn factor<C: Communicator>(
        &mut self,
        reducer: &mut Reducer<'_, C>,
        write: impl Fn(MatMut<'_, f64>),
    ) {
        let Self { rows, columns, own, meetings, .. } = self;
        let (rows, columns) = (*rows, *columns);
        own.factor(|matrix| {
            let (top, mut rest) = matrix.split_at_row_mut(rows);
            write(top);
            rest.fill(0.0);
        });
        let mut here = packed(own.upper());
        let mut there = vec![0.0; here.len()];
        for Meeting { from, mutual, listeners, first, qr } in meetings {
            if *mutual {
                reducer.swap(*from, &here, &mut there);
            } else {
                reducer.take(*from, &mut there);
            }
            for listener in listeners {
                reducer.pass(*listener, &here);
            }
            let [top, bottom] = if *first { [&here, &there] } else { [&there, &here] };
            qr.factor(|mut stack| {
                unpack(top, stack.as_mut().subrows_mut(0, columns));
                unpack(bottom, stack.subrows_mut(columns, columns));
            });
            here = packed(qr.upper());
        }
    }

    /// R (p x p) in the upper triangle, the same on every rank; the entries below it are unspecified.
    pub fn upper(&self) -> MatRef<'_, f64> {
        self.meetings.last().map_or_else(|| self.own.upper(), |meeting| meeting.qr.upper())
    }

    /// Writes what the entries of u on this rank add to `Q^T u` (length p), which is the sum over the ranks.
    pub fn coordinates(&mut self, u: &[f64], out: &mut [f64]) {
        self.entries[..self.rows].copy_from_slice(u);
        self.entries[self.rows..].fill(0.0);
        self.own.apply_q_transposed(&mut self.entries);
        out.copy_from_slice(&self.entries[..self.columns]);
        for Meeting { first, qr, .. } in &mut self.meetings {
            let (top, bottom) = self.pair.split_at_mut(self.columns);
            let (mine, other) = if *first { (top, bottom) } else { (bottom, top) };
            mine.copy_from_slice(out);
            other.fill(0.0);
            qr.apply_q_transposed(&mut self.pair);
            out.copy_from_slice(&self.pair[..self.columns]);
        }
    }

    /// Writes the entries of `Q c` on this rank, with c of length p.
    pub fn combine(&mut self, c: &[f64], out: &mut [f64]) {
        let columns = self.columns;
        self.entries[..columns].copy_from_slice(c);
        for Meeting { first, qr, .. } in self.meetings.iter_mut().rev() {
            self.pair[..columns].copy_from_slice(&self.entries[..columns]);
            self.pair[columns..].fill(0.0);
            qr.apply_q(&mut self.pair);
            let mine = if *first { 0..columns } else { columns..2 * columns };
            self.entries[..columns].copy_from_slice(&self.pair[mine]);
        }
        self.entries[columns..].fill(0.0);
        self.own.apply_q(&mut self.entries);
        out.copy_from_slice(&self.entries[..self.rows]);
    }
}

/// The upper triangle of `matrix`, column after column.
fn packed(matrix: MatRef<'_, f64>) -> Vec<f64> {
    (0..matrix.ncols()).flat_map(|c| matrix.col(c).subrows(0, c + 1).iter().copied()).collect()
}

/// Writes an upper triangle, with zeros below it.
fn unpack(packed: &[f64], mut out: MatMut<'_, f64>) {
    let mut rest = packed;
    for c in 0..out.ncols() {
        let (column, later) = rest.split_at(c + 1);
        for (r, entry) in out.as_mut().col_mut(c).iter_mut().enumerate() {
            *entry = column.get(r).copied().unwrap_or(0.0);
        }
        rest = later;
    }
}
