//! What a referee makes of a statement: how severe its fault is, and what follows for the paper's message.

use crate::referee::{Record, Verdict};

/// Grades how severe a fault is, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Grade {
    /// A counterexample with all hypotheses met.
    False,
    /// It cannot be judged as written.
    Unclear,
    /// The conclusion is true, but the proof is not.
    Gap,
    /// It is true with another constant or threshold.
    Constant,
    /// A sign, a transpose or a symbol is wrong, and nothing depends on it.
    Typo,
}

impl Grade {
    /// All grades, the worst first.
    pub const ALL: [Self; 5] = [Self::False, Self::Unclear, Self::Gap, Self::Constant, Self::Typo];

    /// Returns the word that record files use.
    pub fn name(self) -> &'static str {
        match self {
            Self::False => "false",
            Self::Unclear => "unclear",
            Self::Gap => "gap",
            Self::Constant => "constant",
            Self::Typo => "typo",
        }
    }

    /// Returns what the grade means, in words.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::False => "a counterexample with all hypotheses met",
            Self::Unclear => "cannot be judged as written",
            Self::Gap => "the conclusion is true, the proof is not",
            Self::Constant => "true with another constant or threshold",
            Self::Typo => "a sign, a transpose or a symbol; nothing depends on it",
        }
    }
}

/// Says what shows a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// Numbers: the finding belongs to a record only where the record is violated.
    Violation,
    /// The text itself, whatever the numbers are: a misprint, or a step of a proof.
    Reading,
}

/// Describes a fault of one statement. Where [`Evidence::Violation`] says so, numbers decide whether it is there. How severe
/// it is, and what it means for the paper, is the judgement of the referee.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The id of the statement.
    pub id: &'static str,
    /// Where in the paper, as in [`crate::Statement::place`].
    pub place: &'static str,
    /// How severe it is.
    pub grade: Grade,
    /// What shows it.
    pub evidence: Evidence,
    /// The consequence for the paper's message, in one line.
    pub consequence: &'static str,
    /// Why no corrected statement exists, where none does.
    pub no_correction: Option<&'static str>,
}

impl Finding {
    /// Creates a fault that a violated record shows.
    pub const fn violated(
        id: &'static str,
        place: &'static str,
        grade: Grade,
        consequence: &'static str,
    ) -> Self {
        let (evidence, no_correction) = (Evidence::Violation, None);
        Self { id, place, grade, evidence, consequence, no_correction }
    }

    /// Creates a fault that the text shows.
    pub const fn read(
        id: &'static str,
        place: &'static str,
        grade: Grade,
        consequence: &'static str,
    ) -> Self {
        Self { evidence: Evidence::Reading, ..Self::violated(id, place, grade, consequence) }
    }

    /// Adds the reason why there is no corrected statement.
    #[must_use]
    pub const fn without_correction(self, reason: &'static str) -> Self {
        Self { no_correction: Some(reason), ..self }
    }

    /// A violation that nobody has graded: by the definition of the grades it is a counterexample.
    const UNFORESEEN: Self = Self::violated(
        "",
        "",
        Grade::False,
        "This run contradicts a statement in which no fault was known; look first for an error of the measurement.",
    )
    .without_correction("the violation is new, and nobody has looked for what holds instead");

    /// The finding of `findings` that belongs to `record`: that of a violation where it is violated, else what reading
    /// shows.
    pub(super) fn of(findings: &[Self], record: &Record) -> Option<Self> {
        let found = |evidence| {
            findings.iter().copied().find(|finding| {
                let same =
                    (finding.id, finding.place) == (record.statement.id, record.statement.place);
                same && finding.evidence == evidence
            })
        };
        let read = found(Evidence::Reading);
        if record.verdict != Verdict::Violated {
            return read;
        }
        found(Evidence::Violation).or(Some(Self::UNFORESEEN))
    }
}
