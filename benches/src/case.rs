//! A case: one piece of work at one shape, with the sides that are measured in turns.

use std::fmt;
use std::time::Instant;

/// The result of a benchmark's part; the message names what went wrong.
pub type Fallible<T> = Result<T, Box<dyn std::error::Error>>;

/// What receives the cases of a question, one after the other: each is dropped before the next is
/// made, so that no two large problems are in memory together.
pub type Visit<'v> = &'v mut dyn FnMut(Case) -> Fallible<()>;

/// How much is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effort {
    /// Fewer rounds, sizes and steps: under two minutes in all.
    Quick,
    /// Everything.
    Full,
}

impl Effort {
    /// What goes with this one of the two.
    pub fn choose<T>(self, quick: T, full: T) -> T {
        match self {
            Self::Quick => quick,
            Self::Full => full,
        }
    }
}

/// The sizes of a problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Rows of J: outputs n.
    pub n: usize,
    /// Features d; 0 where J is not of a network.
    pub d: usize,
    /// Hidden units m; 0 where J is not of a network of one hidden layer.
    pub m: usize,
    /// Columns of J: parameters p.
    pub p: usize,
}

impl Shape {
    /// The shape of a network with `m` hidden units on `n` rows of `d` features.
    pub fn network(n: usize, d: usize, m: usize) -> Self {
        Self { n, d, m, p: m * d }
    }

    /// The shape of a network of several hidden layers, `p` parameters in all, on `n` rows of `d` features.
    pub fn deep_network(n: usize, d: usize, p: usize) -> Self {
        Self { n, d, m: 0, p }
    }

    /// The shape of a matrix that is not of a network.
    pub fn matrix(n: usize, p: usize) -> Self {
        Self { n, d: 0, m: 0, p }
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.m == 0 {
            write!(f, "n={} p={}", self.n, self.p)
        } else {
            write!(f, "n={} d={} m={}", self.n, self.d, self.m)
        }
    }
}

/// How many calls make a batch, and how many batches are taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Schedule {
    /// Calls and rounds follow from the time that one call takes; the median counts.
    #[default]
    Calibrated,
    /// So many calls a batch, as many batches as the time allows; the median counts.
    Batches {
        /// Calls in one batch.
        calls: usize,
    },
    /// So many batches of so many calls, once and without warming up; the total counts.
    Once {
        /// Calls in one batch.
        calls: usize,
        /// Batches.
        rounds: usize,
    },
}

/// Runs the work so many times and returns the seconds that it took.
pub type Run<'s> = Box<dyn FnMut(usize) -> Fallible<f64> + 's>;

/// One way of doing the work.
pub struct Side<'s> {
    /// Who does it: `None` is this workspace.
    pub peer: Option<String>,
    /// Multiplications and additions of one call, as this side does them.
    pub operations: Option<f64>,
    /// Does the work.
    pub run: Run<'s>,
    /// The relative error of the result, asked for after the timing.
    pub error: Box<dyn FnMut() -> Fallible<Option<f64>> + 's>,
    /// What else is to be said, asked for after the timing; empty for nothing.
    pub note: Box<dyn FnMut() -> String + 's>,
}

impl<'s> Side<'s> {
    /// A side of this workspace with nothing to say.
    pub fn running(
        operations: impl Into<Option<f64>>,
        run: impl FnMut(usize) -> Fallible<f64> + 's,
        error: impl FnMut() -> Fallible<Option<f64>> + 's,
    ) -> Self {
        let (run, error) = (Box::new(run), Box::new(error));
        Self { peer: None, operations: operations.into(), run, error, note: Box::new(String::new) }
    }

    /// A side that calls `work`; `relative_error` was measured before.
    pub fn calling(
        operations: impl Into<Option<f64>>,
        relative_error: f64,
        mut work: impl FnMut() -> Fallible<()> + 's,
    ) -> Self {
        let run = move |calls| {
            let begun = Instant::now();
            for _ in 0..calls {
                work()?;
            }
            Ok(begun.elapsed().as_secs_f64())
        };
        Self::running(operations, run, move || Ok(Some(relative_error)))
    }

    /// The same side with something to say.
    #[must_use]
    pub fn noting(self, note: impl FnMut() -> String + 's) -> Self {
        Self { note: Box::new(note), ..self }
    }

    /// The same side as a peer that the error is measured against.
    #[must_use]
    pub fn as_reference(self, peer: &str) -> Self {
        Self { peer: Some(peer.to_owned()), error: Box::new(|| Ok(None)), ..self }
    }
}

/// One piece of work at one shape; the first side is this workspace's.
pub struct Case {
    /// The question that it belongs to.
    pub question: &'static str,
    /// Which of the question's curves.
    pub variant: String,
    /// The sizes.
    pub shape: Shape,
    /// Calls and rounds.
    pub schedule: Schedule,
    /// Who does the work.
    pub sides: Vec<Side<'static>>,
}

impl Case {
    /// A case whose calls and rounds follow from the time of a call.
    pub fn new(
        question: &'static str,
        variant: impl Into<String>,
        shape: Shape,
        sides: Vec<Side<'static>>,
    ) -> Self {
        Self { question, variant: variant.into(), shape, schedule: Schedule::Calibrated, sides }
    }

    /// The name in bench.json.
    pub fn name(&self) -> String {
        if self.variant.is_empty() {
            self.question.to_owned()
        } else {
            format!("{}/{}", self.question, self.variant)
        }
    }
}

/// `max |a - b| / max |b|`: the distance of `found` from `expected`, relative to the latter's size.
pub fn relative_distance(found: &[f64], expected: &[f64]) -> f64 {
    let size = expected.iter().fold(0.0, |size: f64, e| size.max(e.abs()));
    let distance = found.iter().zip(expected).map(|(f, e)| (f - e).abs());
    // A NaN must not disappear in a maximum.
    let distance = distance.fold(0.0, |a: f64, b| if b.is_nan() { b } else { a.max(b) });
    if found.len() == expected.len() { distance / size } else { f64::NAN }
}
