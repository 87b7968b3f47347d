//! One judged statement: hypotheses, the two sides at the worst point, and a verdict from these alone.
//!
//! Sides are turned so that the statement reads `left <= right`; it holds where
//! `left <= right + tolerance`, the tolerance being a formula of rounding and integration errors that
//! each audit function states. An identity has an error norm on the left and a rounding bound on the
//! right.

use crate::referee::{Attack, Comparison, Hypothesis};

/// States what the numbers say about a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// The hypotheses are met, and `left <= right + tolerance`.
    Holds,
    /// The hypotheses are met, and `left > right + tolerance`.
    Violated,
    /// A hypothesis is not met: the sides are reported, and nothing is judged.
    HypothesesUnmet,
    /// The statement says nothing here, or it could not be measured; the note says which.
    NotApplicable,
    /// A number that the paper does not bound.
    Reported,
}

impl Verdict {
    /// All verdicts, in the order of the summary.
    pub const ALL: [Self; 5] =
        [Self::Violated, Self::Holds, Self::HypothesesUnmet, Self::Reported, Self::NotApplicable];

    /// Returns the word that record files use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Holds => "holds",
            Self::Violated => "violated",
            Self::HypothesesUnmet => "hypotheses-unmet",
            Self::NotApplicable => "not-applicable",
            Self::Reported => "reported",
        }
    }

    fn of(hypotheses: &[Hypothesis], comparison: &Comparison) -> Self {
        if !comparison.is_measured() {
            Self::NotApplicable
        } else if hypotheses.iter().any(|h| !h.met) {
            Self::HypothesesUnmet
        } else if comparison.holds() {
            Self::Holds
        } else {
            Self::Violated
        }
    }
}

/// Holds what is true in place of a statement that fails, judged on the same data.
#[derive(Clone, Debug, PartialEq)]
pub struct Corrected {
    /// The statement in words and symbols.
    pub statement: String,
    /// Its sides at its own worst place.
    pub comparison: Comparison,
    /// Its verdict.
    pub verdict: Verdict,
}

/// Identifies a statement under audit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Statement {
    /// The id, such as `over/gap-bound`.
    pub id: &'static str,
    /// Its place in the paper.
    pub place: &'static str,
    /// What it says, in the form `left <= right`.
    pub text: &'static str,
}

/// Records a statement judged on one run.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// The statement.
    pub statement: Statement,
    /// The data and trajectory.
    pub run: String,
    /// The hypotheses, with measured values.
    pub hypotheses: Vec<Hypothesis>,
    /// Its two sides at the worst place.
    pub comparison: Comparison,
    /// The verdict.
    pub verdict: Verdict,
    /// The corrected statement, if there is one.
    pub corrected: Option<Corrected>,
    /// What a reader should know.
    pub note: String,
    /// The search that the record comes from; `None` for a planned run.
    pub attack: Option<Attack>,
}

impl Statement {
    /// Judges the worst of `places` under `hypotheses`; without any place the verdict is [`Verdict::NotApplicable`].
    pub fn judge(
        &self,
        run: &str,
        hypotheses: Vec<Hypothesis>,
        places: impl IntoIterator<Item = Comparison>,
    ) -> Record {
        let found = Comparison::worst(places);
        let missing = found.is_none();
        let comparison =
            found.unwrap_or_else(|| Comparison::new(f64::NAN, f64::NAN, 0.0, "nowhere"));
        let verdict = Verdict::of(&hypotheses, &comparison);
        let note = match (missing, comparison.is_measured()) {
            (true, _) => "There was no point to measure at. ".to_owned(),
            (false, false) => "A side could not be measured. ".to_owned(),
            (false, true) => String::new(),
        };
        let run = run.to_owned();
        Record {
            statement: *self,
            run,
            hypotheses,
            comparison,
            verdict,
            corrected: None,
            note,
            attack: None,
        }
    }

    /// Reports two numbers without judging them.
    pub fn report(&self, run: &str, left: f64, right: f64, note: &str) -> Record {
        let comparison = Comparison::new(left, right, 0.0, "w_0");
        let (verdict, note) = (Verdict::Reported, note.to_owned());
        Record { comparison, verdict, note, ..self.judge(run, Vec::new(), []) }
    }

    /// Records why nothing could be measured on a run.
    pub fn unavailable(&self, run: &str, reason: &str) -> Record {
        Record { note: reason.to_owned(), ..self.judge(run, Vec::new(), []) }
    }
}

impl Record {
    /// Adds the corrected statement, judged at the worst of its own places.
    #[must_use]
    pub fn with_corrected(
        mut self,
        statement: &str,
        hypotheses: &[Hypothesis],
        places: impl IntoIterator<Item = Comparison>,
    ) -> Self {
        if let Some(comparison) = Comparison::worst(places) {
            let verdict = Verdict::of(hypotheses, &comparison);
            let statement = statement.to_owned();
            self.corrected = Some(Corrected { statement, comparison, verdict });
        }
        self
    }

    /// Takes the corrected statement from another record, judged on the same data at the step or alpha that it asks for.
    #[must_use]
    pub fn corrected_by(mut self, other: Self) -> Self {
        let statement = format!("{} [{}]", other.statement.text, other.run);
        self.note.push_str(&other.note);
        let Self { comparison, verdict, .. } = other;
        self.corrected = Some(Corrected { statement, comparison, verdict });
        self
    }

    /// Adds a sentence to the note.
    #[must_use]
    pub fn with_note(mut self, note: &str) -> Self {
        self.note.push_str(note);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROW: Statement = Statement { id: "a/b", place: "Lemma 1", text: "x <= y" };

    #[test]
    fn verdicts_come_from_the_numbers() {
        let judge = |left, right, tolerance, met| {
            let hypothesis = Hypothesis::at_least("alpha", 1.0, if met { 1.0 } else { 2.0 });
            ROW.judge("r", vec![hypothesis], [Comparison::new(left, right, tolerance, "t = 1")])
                .verdict
        };
        assert_eq!(judge(1.0, 1.0, 0.0, true), Verdict::Holds);
        assert_eq!(judge(1.0 + 1e-14, 1.0, 1e-13, true), Verdict::Holds);
        assert_eq!(judge(1.0 + 1e-12, 1.0, 1e-13, true), Verdict::Violated);
        assert_eq!(judge(2.0, 1.0, 0.0, false), Verdict::HypothesesUnmet);
        assert_eq!(judge(1.0, f64::INFINITY, 0.0, true), Verdict::Holds);
        assert_eq!(judge(f64::NAN, 1.0, 0.0, true), Verdict::NotApplicable);
        assert_eq!(ROW.judge("r", vec![], []).verdict, Verdict::NotApplicable);
        assert!(!Hypothesis::at_least("x", f64::NAN, 0.0).met);
    }

    #[test]
    fn the_worst_place_is_the_one_that_speaks_most_against() {
        let place = |left, right, at: &str| Comparison::new(left, right, 0.0, at);
        let worst = |places: &[Comparison]| Comparison::worst(places.to_vec()).unwrap().at;
        assert_eq!(worst(&[place(1.0, 4.0, "a"), place(3.0, 4.0, "b"), place(2.0, 4.0, "c")]), "b");
        assert_eq!(
            worst(&[place(2.0, 1.0, "a"), place(2.0, -0.5, "b"), place(2.0, -12.6, "c")]),
            "c"
        );
        assert_eq!(worst(&[place(9.0, 1.0, "a"), place(f64::NAN, 1.0, "b")]), "b");
        // Where the tolerance is larger than the right side, holding says nothing.
        let vague = Comparison::new(1e-3, 1e-9, 1.0, "a");
        assert_eq!(worst(&[vague, place(1e-6, 1.0, "b")]), "b");
        assert_eq!(place(2.0, -0.5, "a").ratio(), None);
        assert_eq!(place(2.0, 4.0, "a").ratio(), Some(0.5));
    }
}
