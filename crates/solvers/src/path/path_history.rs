//! The last vectors along a path of points, and where a polynomial through them goes next.

/// Vectors that are kept: a polynomial of degree three.
const KEPT: usize = 4;

/// Up to four vectors of one length, newest first.
#[derive(Default)]
pub(crate) struct PathHistory {
    past: [Vec<f64>; KEPT],
    known: usize,
}

impl PathHistory {
    /// Forgets the path; the buffers stay.
    pub(crate) fn clear(&mut self) {
        self.known = 0;
    }

    /// Forgets all but the last vector.
    pub(crate) fn keep_last(&mut self) {
        self.known = self.known.min(1);
    }

    /// Makes room for vectors of this length, so that later steps allocate nothing.
    pub(crate) fn reserve(&mut self, length: usize) {
        self.past.iter_mut().for_each(|past| past.reserve(length));
    }

    /// How many of the last vectors are known.
    pub(crate) fn known(&self) -> usize {
        self.known
    }

    /// The last vector, if there is one of this length.
    pub(crate) fn last(&self, length: usize) -> Option<&[f64]> {
        (self.known > 0 && self.past[0].len() == length).then_some(&self.past[0][..])
    }

    /// Puts the value that the polynomial through the last vectors has at the next point into `out`, zeros
    /// where no vector of this length is known.
    pub(crate) fn extrapolate(&self, out: &mut [f64]) {
        let [first, second, third, fourth] = &self.past;
        match if self.last(out.len()).is_some() { self.known } else { 0 } {
            0 => out.fill(0.0),
            1 => out.copy_from_slice(first),
            2 => {
                for ((o, a), b) in out.iter_mut().zip(first).zip(second) {
                    *o = 2.0 * a - b;
                }
            }
            3 => {
                for (((o, a), b), c) in out.iter_mut().zip(first).zip(second).zip(third) {
                    *o = 3.0 * (a - b) + c;
                }
            }
            _ => {
                let last = first.iter().zip(second).zip(third.iter().zip(fourth));
                for (o, ((a, b), (c, d))) in out.iter_mut().zip(last) {
                    *o = 4.0 * (a + c) - 6.0 * b - d;
                }
            }
        }
    }

    /// Notes the vector of the present point.
    pub(crate) fn note(&mut self, vector: impl ExactSizeIterator<Item = f64>) {
        if self.past[0].len() != vector.len() {
            self.known = 0;
        }
        self.past.rotate_right(1);
        self.past[0].clear();
        self.past[0].extend(vector);
        self.known = (self.known + 1).min(KEPT);
    }
}

#[cfg(test)]
#[allow(clippy::float_cmp, reason = "small integers are computed exactly")]
mod tests {
    use super::*;

    /// A polynomial of degree k - 1 through k vectors is continued exactly; with small integers without
    /// rounding.
    #[test]
    fn polynomials_are_continued_exactly() {
        let value = |degree: i32, t: f64| [t.powi(degree), 3.0 - t.powi(degree)];
        let mut history = PathHistory::default();
        for known in 1..8_i32 {
            let degree = (known - 1).min(3);
            history.clear();
            for t in 0..known {
                history.note(value(degree, f64::from(t)).into_iter());
            }
            let mut found = [f64::NAN; 2];
            history.extrapolate(&mut found);
            assert_eq!(found, value(degree, f64::from(known)), "{known} vectors");
        }
    }

    #[test]
    fn what_has_another_length_or_was_cleared_is_not_used() {
        let mut history = PathHistory::default();
        let mut out = [1.0; 2];
        history.extrapolate(&mut out);
        assert_eq!((out, history.last(2)), ([0.0; 2], None));
        history.note([5.0; 3].into_iter());
        history.extrapolate(&mut out);
        assert_eq!((out, history.last(2)), ([0.0; 2], None));
        history.note([7.0; 2].into_iter());
        history.extrapolate(&mut out);
        assert_eq!((out, history.last(2)), ([7.0; 2], Some(&[7.0; 2][..])));
        history.clear();
        assert_eq!(history.last(2), None);
    }
}
