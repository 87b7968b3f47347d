//! `min norm(C y - c)^2 + mu^2 norm(y)^2` for an upper bidiagonal C of order k: O(k) for each mu.
//!
//! Rotations turn `[C; mu I]` into an upper bidiagonal triangle (Elden, Algorithms for the regularization of
//! ill-conditioned least squares problems, 1977). Singular values that count as 0 are split off first, by sweeps of
//! the implicit zero-shift QR iteration (Demmel and Kahan, 1990): each leaves C as a 1 x 1 block of its own.

use crate::dense::extreme::{self, ExtremeSingularValues};
use crate::vector::norm;

/// Sweeps are given up at this multiple of k^2 rotations; a lost value takes two to four sweeps of k.
const ROTATIONS: usize = 4;

/// C, and the rotations that split it.
pub(super) struct Bidiagonal {
    diagonal: Vec<f64>,
    /// The superdiagonal (k), its last entry 0.
    upper: Vec<f64>,
    /// Which entries of the diagonal are blocks of their own that count as 0.
    lost: Vec<bool>,
    turns: Vec<Turn>,
}

/// Rotations (cosine, sine) of entries `index` and `index + 1`.
struct Turn {
    index: usize,
    left: (f64, f64),
    right: (f64, f64),
}

/// A minimizer y with the triangle that it was solved by.
pub(super) struct Solution {
    pub(super) y: Vec<f64>,
    diagonal: Vec<f64>,
    upper: Vec<f64>,
}

impl Bidiagonal {
    /// From `d_1, e_1, d_2, e_2, ..., d_k`.
    pub(super) fn new(entries: &[f64]) -> Self {
        let diagonal: Vec<f64> = entries.iter().step_by(2).copied().collect();
        let mut upper: Vec<f64> = entries.iter().skip(1).step_by(2).copied().collect();
        upper.push(0.0);
        let lost = vec![false; diagonal.len()];
        Self { diagonal, upper, lost, turns: Vec::new() }
    }

    /// The extreme singular values of C.
    pub(super) fn extremes(&self) -> ExtremeSingularValues {
        extreme::of_bidiagonal(&mut self.entries(0, self.diagonal.len()))
    }

    /// `d_i, e_i, ..., d_j` of the rows `from..to`.
    fn entries(&self, from: usize, to: usize) -> Vec<f64> {
        let pairs = self.diagonal[from..to].iter().zip(&self.upper[from..to]);
        let mut entries: Vec<f64> = pairs.flat_map(|(d, e)| [*d, *e]).collect();
        entries.pop();
        entries
    }

    /// Splits off the singular values up to `floor`; false where that did not converge.
    pub(super) fn split(&mut self, floor: f64) -> bool {
        let k = self.diagonal.len();
        let size = self.diagonal.iter().chain(&self.upper).fold(0.0_f64, |m, x| m.max(x.abs()));
        let negligible = f64::EPSILON * size;
        let mut blocks = vec![(0, k)];
        while let Some((from, to)) = blocks.pop() {
            let cut = (from..to - 1).find(|&i| self.upper[i].abs() <= negligible);
            if let Some(cut) = cut {
                self.upper[cut] = 0.0;
                blocks.extend([(from, cut + 1), (cut + 1, to)]);
            } else if to - from == 1 {
                self.lost[from] = self.diagonal[from].abs() <= floor;
            } else if extreme::count_below(&self.entries(from, to), floor) > 0 {
                if self.turns.len() > ROTATIONS * k * k {
                    return false;
                }
                self.sweep(from, to);
                blocks.push((from, to));
            }
        }
        true
    }

    /// One zero-shift QR sweep over the rows `from..to`, from top to bottom.
    fn sweep(&mut self, from: usize, to: usize) {
        let (d, e) = (&mut self.diagonal, &mut self.upper);
        let (mut right, mut left) = ((1.0, 0.0), (1.0, 0.0));
        for index in from..to - 1 {
            let (turn, r) = rotation(d[index] * right.0, e[index]);
            right = turn;
            if index > from {
                e[index - 1] = left.1 * r;
            }
            (left, d[index]) = rotation(left.0 * r, d[index + 1] * right.1);
            self.turns.push(Turn { index, left, right });
        }
        let last = d[to - 1] * right.0;
        (e[to - 2], d[to - 1]) = (last * left.1, last * left.0);
    }

    /// c in the coordinates after the splitting.
    pub(super) fn turn(&self, c: &mut [f64]) {
        for Turn { index, left: (cosine, sine), .. } in &self.turns {
            let (a, b) = (c[*index], c[*index + 1]);
            (c[*index], c[*index + 1]) = (cosine * a + sine * b, cosine * b - sine * a);
        }
    }

    /// y in the coordinates before the splitting.
    pub(super) fn turn_back(&self, y: &mut [f64]) {
        for Turn { index, right: (cosine, sine), .. } in self.turns.iter().rev() {
            let (a, b) = (y[*index], y[*index + 1]);
            (y[*index], y[*index + 1]) = (cosine * a - sine * b, cosine * b + sine * a);
        }
    }

    /// Number of singular values that count as 0.
    pub(super) fn lost(&self) -> usize {
        self.lost.iter().filter(|lost| **lost).count()
    }

    /// The norm of the part of c that C without its lost values reaches.
    pub(super) fn image_norm(&self, c: &[f64]) -> f64 {
        let kept = c.iter().zip(&self.lost).filter(|(_, lost)| !**lost);
        norm(&kept.map(|(c, _)| *c).collect::<Vec<_>>())
    }

    /// `norm(C^T c)`.
    pub(super) fn slope(&self, c: &[f64]) -> f64 {
        let before = std::iter::once(0.0).chain(self.upper.iter().zip(c).map(|(e, c)| e * c));
        let terms = self.diagonal.iter().zip(c).zip(before);
        norm(&terms.map(|((d, c), before)| d * c + before).collect::<Vec<_>>())
    }

    /// `norm(C y)`.
    pub(super) fn image(&self, y: &[f64]) -> f64 {
        let after = y.iter().skip(1).copied().chain([0.0]);
        let terms = self.diagonal.iter().zip(&self.upper).zip(y.iter().zip(after));
        norm(&terms.map(|((d, e), (y, after))| d * y + e * after).collect::<Vec<_>>())
    }

    /// The minimizer y for `mu >= 0`; its entries of lost values are 0 unless they are `kept` (for mu > 0).
    pub(super) fn solve(&self, c: &[f64], mu: f64, kept: bool) -> Solution {
        let k = self.diagonal.len();
        let (mut diagonal, mut upper) = (vec![0.0; k], vec![0.0; k]);
        let mut y = c.to_vec();
        // The row of damping that is left over: its entry in column i and its right-hand side.
        let (mut entry, mut carried) = (mu, 0.0);
        for i in 0..k {
            let (turn, r) = rotation(self.diagonal[i], entry);
            diagonal[i] = r;
            upper[i] = turn.0 * self.upper[i];
            let (a, b) = (y[i], carried);
            y[i] = turn.0 * a + turn.1 * b;
            // What is left of it in column i + 1 joins that column's own row, whose right-hand side is 0.
            let (joint, next) = rotation(-turn.1 * self.upper[i], mu);
            carried = joint.0 * (turn.0 * b - turn.1 * a);
            entry = next;
        }
        for i in (0..k).rev() {
            let later = if i + 1 < k { upper[i] * y[i + 1] } else { 0.0 };
            let left_out = self.lost[i] && !(kept && mu > 0.0);
            y[i] = if left_out || diagonal[i] == 0.0 { 0.0 } else { (y[i] - later) / diagonal[i] };
        }
        Solution { y, diagonal, upper }
    }
}

impl Solution {
    /// `y^T (C^T C + mu^2 I)^-1 y`.
    pub(super) fn bend(&self) -> f64 {
        let (mut sum, mut before) = (0.0, 0.0);
        for ((y, d), e) in self.y.iter().zip(&self.diagonal).zip(&self.upper) {
            let z = if *d == 0.0 { 0.0 } else { (y - before) / d };
            before = e * z;
            sum += z * z;
        }
        sum
    }
}

/// `((c, s), r)` with `c a + s b = r >= 0` and `c b = s a`.
fn rotation(a: f64, b: f64) -> ((f64, f64), f64) {
    let r = a.hypot(b);
    if r == 0.0 { ((1.0, 0.0), 0.0) } else { ((a / r, b / r), r) }
}

#[cfg(test)]
mod tests {
    use super::Bidiagonal;

    /// Three values of nine are lost, one in each block between zeros above the diagonal.
    #[test]
    fn lost_values_are_split_off_and_the_rest_is_solved() {
        let k = 9;
        let mut entries: Vec<f64> = (0..2 * k - 1).map(|i| 1.0 + (i as f64).sin() / 2.0).collect();
        (entries[5], entries[13]) = (0.0, 0.0);
        (entries[2], entries[12], entries[16]) = (0.0, 0.0, 1e-14);
        let plain = Bidiagonal::new(&entries);
        let mut split = Bidiagonal::new(&entries);
        assert!(split.split(1e-10));
        assert_eq!(split.lost(), 3);
        let c: Vec<f64> = (0..k).map(|i| (3.0 * i as f64).cos()).collect();
        let mut turned = c.clone();
        split.turn(&mut turned);
        for mu in [0.3, 1e-3, 1e-5] {
            let expected = plain.solve(&c, mu, true);
            let mut found = split.solve(&turned, mu, true).y;
            split.turn_back(&mut found);
            for (a, b) in expected.y.iter().zip(&found) {
                assert!((a - b).abs() < 1e-13 / mu, "{mu}: {a} {b}");
            }
            // The normal equations: C^T (C y - c) + mu^2 y = 0.
            let (d, e) = (&plain.diagonal, &plain.upper);
            let y = &expected.y;
            let rest: Vec<f64> =
                (0..k).map(|i| d[i] * y[i] + e[i] * y.get(i + 1).unwrap_or(&0.0) - c[i]).collect();
            for i in 0..k {
                let before = if i > 0 { e[i - 1] * rest[i - 1] } else { 0.0 };
                assert!((d[i] * rest[i] + before + mu * mu * y[i]).abs() < 1e-13);
            }
        }
        // Undamped, the shortest minimizer: what it leaves is orthogonal to the image.
        let mut y = split.solve(&turned, 0.0, false).y;
        assert!((split.image(&y) - split.image_norm(&turned)).abs() < 1e-13);
        split.turn_back(&mut y);
        // Of the value 1e-14 as much as 1e-6 is left.
        let damped = plain.solve(&c, 1e-4, true).y;
        for (a, b) in y.iter().zip(&damped) {
            assert!((a - b).abs() < 1e-5, "{a} {b}");
        }
    }
}
