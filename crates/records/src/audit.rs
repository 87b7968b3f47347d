//! audit.json: one record a statement and run.

use serde::{Deserialize, Serialize};

use super::number;

/// Holds one entry of audit.json. Sides are arranged so that the statement reads left <= right; it holds where
/// left <= right + tolerance. A reader takes a missing text for empty, and a missing number for NaN.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct AuditRecord {
    /// The id of the statement, such as `over/gap-bound`.
    pub id: String,
    /// The key of the paper, such as gauss-newton; `run` for a check of the folder.
    pub paper: String,
    /// Whether the statement is `printed` in the paper, or `ours`, that is derived here (also a correction judged by itself);
    /// `run` for a check of the folder.
    pub origin: String,
    /// Where the paper says it.
    #[serde(rename = "where")]
    pub place: String,
    /// The data and trajectory.
    pub run: String,
    /// The statement that is judged.
    pub statement: String,
    /// The hypotheses of the statement.
    pub hypotheses: Vec<AuditHypothesis>,
    /// The smaller side at the worst place.
    #[serde(with = "number::scalar")]
    pub left: f64,
    /// The larger side there.
    #[serde(with = "number::scalar")]
    pub right: f64,
    /// What rounding and integration may add to left - right.
    #[serde(with = "number::scalar")]
    pub tolerance: f64,
    /// left / right; null where right is not positive.
    #[serde(with = "number::optional")]
    pub worst_ratio: Option<f64>,
    /// (left - right) / tolerance where the record is violated, with a tolerance of at least a rounding of the larger side;
    /// null elsewhere.
    #[serde(with = "number::optional")]
    pub excess_in_tolerances: Option<f64>,
    /// holds, violated, hypotheses-unmet, not-applicable or reported.
    pub verdict: String,
    /// How severe the fault is: false, unclear, gap, constant or typo; null where none is known.
    pub grade: Option<String>,
    /// What the fault means for the paper's message, in one line; null where none is known.
    pub consequence: Option<String>,
    /// Which version of the paper was read, where it is at fault; null elsewhere.
    pub version: Option<String>,
    /// The worst place.
    pub at: String,
    /// What holds instead; null where nothing is corrected.
    pub corrected: Option<AuditCorrection>,
    /// Why nothing takes the place of a violated statement; null where something does, or nothing is violated.
    pub no_correction: Option<String>,
    /// The search for counterexamples that the record comes from; null for a planned run.
    pub adversary: Option<AuditAttack>,
    /// What a reader should know.
    pub note: String,
    /// Figures of the record, relative to the folder.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub figures: Vec<String>,
}

impl Default for AuditRecord {
    fn default() -> Self {
        Self {
            id: String::new(),
            paper: String::new(),
            origin: String::new(),
            place: String::new(),
            run: String::new(),
            statement: String::new(),
            hypotheses: Vec::new(),
            left: f64::NAN,
            right: f64::NAN,
            tolerance: f64::NAN,
            worst_ratio: None,
            excess_in_tolerances: None,
            verdict: String::new(),
            grade: None,
            consequence: None,
            version: None,
            at: String::new(),
            corrected: None,
            no_correction: None,
            adversary: None,
            note: String::new(),
            figures: Vec::new(),
        }
    }
}

/// Says how the search for counterexamples came to an [`AuditRecord`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct AuditAttack {
    /// The family of small problems that was searched.
    pub family: String,
    /// The seed of the search.
    pub seed: u64,
    /// The number of problems of the family on which the statement was evaluated with its hypotheses met.
    pub evaluations: usize,
    /// Whether the corrected statement was attacked; the record is then its worst, else that of the statement in the paper.
    pub corrected: bool,
    /// The largest left/right that was found; null where the right side is not positive.
    #[serde(with = "number::optional")]
    pub largest_ratio: Option<f64>,
    /// The problem as text with numbers that read back to the same values.
    pub problem: String,
}

/// Holds a hypothesis of an [`AuditRecord`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct AuditHypothesis {
    /// What is compared, and how.
    pub name: String,
    /// The measured value.
    #[serde(with = "number::scalar")]
    pub value: f64,
    /// The value that it is compared with.
    #[serde(with = "number::scalar")]
    pub threshold: f64,
    /// Whether the hypothesis is met.
    pub met: bool,
}

/// Holds the corrected statement of an [`AuditRecord`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct AuditCorrection {
    /// The statement that is judged.
    pub statement: String,
    /// As in [`AuditRecord`].
    #[serde(with = "number::scalar")]
    pub left: f64,
    /// As in [`AuditRecord`].
    #[serde(with = "number::scalar")]
    pub right: f64,
    /// As in [`AuditRecord`].
    #[serde(with = "number::scalar")]
    pub tolerance: f64,
    /// As in [`AuditRecord`].
    #[serde(with = "number::optional", default)]
    pub worst_ratio: Option<f64>,
    /// As in [`AuditRecord`].
    pub verdict: String,
}
