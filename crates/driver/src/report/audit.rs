//! audit.json as a report reads it: every field may be missing, records gather by statement.

use serde::Deserialize;

use crate::config::choice;
use crate::grouped::grouped;

/// One record of audit.json (DESIGN.md, "Files"): the sides read left <= right + tolerance.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct AuditEntry {
    /// Which statement.
    pub id: String,
    /// Where in the paper.
    #[serde(rename = "where")]
    pub place: String,
    /// On what.
    pub run: String,
    /// What is judged, in words.
    pub statement: String,
    /// What it assumes.
    pub hypotheses: Vec<Hypothesis>,
    /// Null where not finite.
    pub left: Option<f64>,
    /// Null where not finite.
    pub right: Option<f64>,
    /// Null where not finite.
    pub tolerance: Option<f64>,
    /// left / right; null where right is not positive.
    pub worst_ratio: Option<f64>,
    /// One of [`Verdict`]'s words.
    pub verdict: String,
    /// The worst point.
    pub at: String,
    /// What holds instead.
    pub corrected: Option<Correction>,
    /// What a reader should know.
    pub note: String,
    /// Pictures of the record, relative to the folder.
    pub figures: Vec<String>,
}

/// A hypothesis of a record.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Hypothesis {
    /// What is compared.
    pub name: String,
    /// Measured.
    pub value: Option<f64>,
    /// Compared with.
    pub threshold: Option<f64>,
    /// The result.
    pub met: bool,
}

/// The corrected statement of a record.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Correction {
    /// What is judged, in words.
    pub statement: String,
    /// left / right.
    pub worst_ratio: Option<f64>,
    /// One of [`Verdict`]'s words.
    pub verdict: String,
}

choice! {
    /// A verdict, those first that a reader should see first.
    #[derive(PartialOrd, Ord)]
    Verdict {
        /// left exceeds right + tolerance.
        Violated = "violated",
        /// left <= right + tolerance.
        Holds = "holds",
        /// A hypothesis is not met.
        HypothesesUnmet = "hypotheses-unmet",
        /// Measured, nothing to compare with.
        Reported = "reported",
        /// Says nothing about this run.
        NotApplicable = "not-applicable",
        /// A word that this version does not know.
        Unknown = "unknown",
    }
}

impl Verdict {
    /// The word as prose.
    pub fn label(self) -> &'static str {
        match self {
            Self::HypothesesUnmet => "hypotheses unmet",
            Self::NotApplicable => "not applicable",
            other => other.word(),
        }
    }

    /// The verdict that `word` names.
    pub fn of(word: &str) -> Self {
        Self::ALL.iter().copied().find(|known| known.word() == word).unwrap_or(Self::Unknown)
    }
}

/// The records of one statement, worst first.
#[derive(Debug)]
pub struct Statement<'a> {
    /// Which.
    pub id: &'a str,
    /// The first by [`Verdict`], then by ratio, decides the statement's own verdict.
    pub records: Vec<&'a AuditEntry>,
}

impl Statement<'_> {
    /// The verdict that says most: one violation is enough.
    pub fn verdict(&self) -> Verdict {
        self.records.first().map_or(Verdict::Unknown, |record| Verdict::of(&record.verdict))
    }

    /// How many records have `verdict`.
    pub fn count(&self, verdict: Verdict) -> usize {
        self.records.iter().filter(|record| Verdict::of(&record.verdict) == verdict).count()
    }
}

/// Records by statement, in the order in which the statements first occur.
pub fn statements(records: &[AuditEntry]) -> Vec<Statement<'_>> {
    let gathered = grouped(records.iter().map(|record| (record.id.as_str(), record)));
    let sorted = gathered.into_iter().map(|(id, mut records)| {
        // A ratio of null means that the right side is not positive: as bad as can be.
        let ratio = |record: &AuditEntry| record.worst_ratio.unwrap_or(f64::INFINITY);
        records.sort_by(|a, b| {
            let verdicts = Verdict::of(&a.verdict).cmp(&Verdict::of(&b.verdict));
            verdicts.then(ratio(b).total_cmp(&ratio(a)))
        });
        Statement { id, records }
    });
    sorted.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(id: &str, verdict: &str, ratio: Option<f64>) -> AuditEntry {
        let (id, verdict) = (id.to_owned(), verdict.to_owned());
        AuditEntry { id, verdict, worst_ratio: ratio, ..AuditEntry::default() }
    }

    #[test]
    fn one_violation_decides_a_statement() {
        let records = [
            record("b", "holds", Some(0.5)),
            record("a", "later-word", None),
            record("b", "violated", Some(3.0)),
            record("b", "violated", Some(7.0)),
        ];
        let statements = statements(&records);
        let found: Vec<_> = statements.iter().map(|s| (s.id, s.verdict())).collect();
        assert_eq!(found, [("b", Verdict::Violated), ("a", Verdict::Unknown)]);
        assert_eq!(statements[0].records[0].worst_ratio, Some(7.0));
        assert_eq!(statements[0].count(Verdict::Violated), 2);
    }

    /// The page and audit.md must not count one statement differently.
    #[test]
    fn verdicts_come_in_the_order_of_the_audit_itself() {
        let ours: Vec<&str> = Verdict::ALL.iter().map(|verdict| verdict.word()).collect();
        let audits = gaussflow::theory::Verdict::ALL.map(gaussflow::theory::Verdict::name);
        assert_eq!(ours[..audits.len()], audits);
        let records = [record("a", "hypotheses-unmet", Some(9.0)), record("a", "holds", Some(0.5))];
        assert_eq!(statements(&records)[0].verdict(), Verdict::Holds);
    }

    #[test]
    fn a_record_may_lack_fields_and_have_later_ones() {
        let text = r#"[{"id": "x", "left": null, "later": [1], "hypotheses": [{"name": "n"}]}]"#;
        let records: Vec<AuditEntry> = serde_json::from_str(text).unwrap();
        assert_eq!(Verdict::of(&records[0].verdict), Verdict::Unknown);
        assert!(!records[0].hypotheses[0].met);
    }
}
