//! What a referee makes of a statement: how severe its fault is, and what follows for the paper's message.

use crate::referee::{Record, Verdict};

/// How severe a fault is, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Grade {
    /// A counterexample with all hypotheses met.
    False,
    /// It cannot be judged as written.
    Unclear,
    /// The conclusion is true, the proof is not.
    Gap,
    /// True with another constant or threshold.
    Constant,
    /// A sign, a transpose, a symbol; nothing depends on it.
    Typo,
}

impl Grade {
    /// Every grade, the worst first.
    pub const ALL: [Self; 5] = [Self::False, Self::Unclear, Self::Gap, Self::Constant, Self::Typo];

    /// The word in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::False => "false",
            Self::Unclear => "unclear",
            Self::Gap => "gap",
            Self::Constant => "constant",
            Self::Typo => "typo",
        }
    }

    /// What the word means.
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

/// What shows a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// Numbers: the finding belongs to a record only where it is violated.
    Violation,
    /// The text itself, whatever the numbers say: a misprint, a step of a proof.
    Reading,
}

/// A fault of one statement. Whether it is there is decided by numbers where [`Evidence::Violation`] says so; how
/// severe it is, and what it means for the paper, is the referee's judgement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Which statement.
    pub id: &'static str,
    /// Where in the paper, as in [`crate::Statement::place`].
    pub place: &'static str,
    /// How severe.
    pub grade: Grade,
    /// What shows it.
    pub evidence: Evidence,
    /// What follows for the paper's message, in one line.
    pub consequence: &'static str,
    /// Why nothing takes the statement's place, if nothing does.
    pub no_correction: Option<&'static str>,
}

impl Finding {
    /// A fault that a violated record shows.
    pub const fn violated(
        id: &'static str,
        place: &'static str,
        grade: Grade,
        consequence: &'static str,
    ) -> Self {
        let (evidence, no_correction) = (Evidence::Violation, None);
        Self { id, place, grade, evidence, consequence, no_correction }
    }

    /// A fault that the text shows.
    pub const fn read(
        id: &'static str,
        place: &'static str,
        grade: Grade,
        consequence: &'static str,
    ) -> Self {
        Self { evidence: Evidence::Reading, ..Self::violated(id, place, grade, consequence) }
    }

    /// The same with the reason why there is no corrected statement.
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
