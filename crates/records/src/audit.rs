//! audit.json: one record a statement and run.

use serde::{Deserialize, Serialize};

use super::number;

/// One entry of audit.json. Sides are turned so that the statement reads left <= right; it holds where
/// left <= right + tolerance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AuditRecord {
    /// Such as `over/gap-bound`.
    pub id: String,
    /// Where the paper says it.
    #[serde(rename = "where")]
    pub place: String,
    /// Data and trajectory.
    pub run: String,
    /// What is judged.
    pub statement: String,
    /// What it assumes.
    pub hypotheses: Vec<AuditHypothesis>,
    /// The smaller side at the worst point.
    #[serde(with = "number::scalar")]
    pub left: f64,
    /// The larger side there.
    #[serde(with = "number::scalar")]
    pub right: f64,
    /// What rounding and integration may add to left - right.
    #[serde(with = "number::scalar")]
    pub tolerance: f64,
    /// left / right; null where right is not positive.
    #[serde(with = "number::optional", default)]
    pub worst_ratio: Option<f64>,
    /// holds, violated, hypotheses-unmet, not-applicable or reported.
    pub verdict: String,
    /// The worst point.
    pub at: String,
    /// What holds instead; null where nothing is corrected.
    pub corrected: Option<AuditCorrection>,
    /// What a reader should know.
    pub note: String,
}

/// A hypothesis of an [`AuditRecord`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AuditHypothesis {
    /// What is compared, and how.
    pub name: String,
    /// Measured.
    #[serde(with = "number::scalar")]
    pub value: f64,
    /// Compared with.
    #[serde(with = "number::scalar")]
    pub threshold: f64,
    /// The result.
    pub met: bool,
}

/// The corrected statement of an [`AuditRecord`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AuditCorrection {
    /// What is judged.
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
