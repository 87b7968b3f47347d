//! What the records of an audit come to: statements by verdict and findings by grade, counted once for audit.md, the
//! report and the console alike.

use gaussflow::theory::papers::{ALL, gauss_newton};
use gaussflow::theory::referee::Grade;
use gaussflow_records::{AuditCorrection, AuditRecord};
use serde::Deserialize;

use crate::config::choice;
use crate::grouped::grouped;

/// The papers that may be audited beside the one that the library implements, by their keys.
pub fn further_papers() -> impl Iterator<Item = &'static str> {
    ALL.iter().map(|paper| paper.key).filter(|key| *key != gauss_newton::PAPER.key)
}

/// The referee report of a paper: audit.md, or audit_KEY.md of a further paper.
pub fn report_file(key: &str) -> String {
    if key == gauss_newton::PAPER.key { "audit.md".to_owned() } else { format!("audit_{key}.md") }
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

    /// The verdict of a record.
    pub fn of(record: &AuditRecord) -> Self {
        Self::named(&record.verdict)
    }

    /// The verdict that `word` names.
    pub fn named(word: &str) -> Self {
        Self::ALL.iter().copied().find(|known| known.word() == word).unwrap_or(Self::Unknown)
    }
}

/// The grade of a record, if it has one that this version knows.
pub fn grade_of(record: &AuditRecord) -> Option<Grade> {
    let word = record.grade.as_deref()?;
    Grade::ALL.into_iter().find(|known| known.name() == word)
}

/// The records of one statement, worst first.
#[derive(Debug)]
pub struct Statement<'a> {
    /// Which.
    pub id: &'a str,
    /// The first by [`Verdict`], then by ratio, decides the statement's own verdict.
    pub records: Vec<&'a AuditRecord>,
}

impl Statement<'_> {
    /// The verdict that says most: one violation is enough.
    pub fn verdict(&self) -> Verdict {
        self.records.first().map_or(Verdict::Unknown, |record| Verdict::of(record))
    }

    /// Whether it is a statement of a paper, and not a check of the folder.
    pub fn is_of_a_paper(&self) -> bool {
        self.records.iter().any(|record| record.origin != "run")
    }

    /// Whether the paper says nothing of it: it is derived here.
    pub fn is_ours(&self) -> bool {
        self.records.iter().all(|record| record.origin == "ours")
    }

    /// How many records have `verdict`.
    pub fn count(&self, verdict: Verdict) -> usize {
        self.records.iter().filter(|record| Verdict::of(record) == verdict).count()
    }
}

/// A fault of the paper: one place of one statement.
#[derive(Debug)]
pub struct Finding<'a> {
    /// How severe.
    pub grade: Grade,
    /// Which statement.
    pub id: &'a str,
    /// Where in the paper.
    pub place: &'a str,
    /// The records that show it, the worst first.
    pub records: Vec<&'a AuditRecord>,
}

impl Finding<'_> {
    /// Of the records, those that are violated.
    pub fn violations(&self) -> usize {
        self.records.iter().filter(|record| Verdict::of(record) == Verdict::Violated).count()
    }

    /// Of the corrected statements, the one that comes nearest to failing, or fails.
    pub fn closest_correction(&self) -> Option<&AuditCorrection> {
        let ratio = |c: &AuditCorrection| c.worst_ratio.unwrap_or(f64::NEG_INFINITY);
        let rank = |c: &AuditCorrection| Verdict::named(&c.verdict);
        let of = self.records.iter().filter_map(|record| record.corrected.as_ref());
        of.min_by(|a, b| rank(a).cmp(&rank(b)).then(ratio(b).total_cmp(&ratio(a))))
    }

    /// The record that speaks most against the paper.
    pub fn worst(&self) -> &AuditRecord {
        self.records[0]
    }
}

/// Statements and findings of one audit.
#[derive(Debug, Default)]
pub struct Conclusions<'a> {
    /// In the order in which they first occur.
    pub statements: Vec<Statement<'a>>,
    /// The worst grade first, then in the order of the statements.
    pub findings: Vec<Finding<'a>>,
}

impl<'a> Conclusions<'a> {
    /// Gathers `records`.
    pub fn of(records: impl IntoIterator<Item = &'a AuditRecord>) -> Self {
        let gathered = grouped(records.into_iter().map(|record| (record.id.as_str(), record)));
        let statements = gathered.into_iter().map(|(id, mut records)| {
            // A ratio of null means that the right side is not positive: as bad as can be.
            let ratio = |record: &AuditRecord| record.worst_ratio.unwrap_or(f64::INFINITY);
            records.sort_by(|a, b| {
                let verdicts = Verdict::of(a).cmp(&Verdict::of(b));
                verdicts.then(ratio(b).total_cmp(&ratio(a)))
            });
            Statement { id, records }
        });
        let statements: Vec<Statement<'a>> = statements.collect();
        let mut findings: Vec<Finding<'a>> = Vec::new();
        for statement in &statements {
            // A problem on which a correction was attacked is no run that was chosen for the statement itself.
            let chosen = statement
                .records
                .iter()
                .filter(|r| !r.adversary.as_ref().is_some_and(|a| a.corrected));
            let by_place = grouped(chosen.map(|r| (r.place.as_str(), *r)));
            findings.extend(by_place.into_iter().filter_map(|(place, records)| {
                // The worst record decides: where a violation is graded, what reading alone shows says less.
                let grade = grade_of(records[0])?;
                Some(Finding { grade, id: statement.id, place, records })
            }));
        }
        findings.sort_by_key(|finding| finding.grade);
        Self { statements, findings }
    }

    /// The conclusions of each paper, by its key. A check of a folder goes with the first paper.
    pub fn by_paper(records: &'a [AuditRecord]) -> Vec<(&'a str, Self)> {
        let first = gauss_newton::PAPER.key;
        let key = |record: &'a AuditRecord| {
            if matches!(record.paper.as_str(), "" | "run") { first } else { record.paper.as_str() }
        };
        let gathered = grouped(records.iter().map(|record| (key(record), record)));
        gathered.into_iter().map(|(key, records)| (key, Self::of(records))).collect()
    }

    /// The statements of papers: a check of the folder is none.
    fn of_papers(&self) -> impl Iterator<Item = &Statement<'a>> {
        self.statements.iter().filter(|statement| statement.is_of_a_paper())
    }

    /// Statements of papers that come to `verdict`.
    pub fn with_verdict(&self, verdict: Verdict) -> usize {
        self.of_papers().filter(|statement| statement.verdict() == verdict).count()
    }

    /// Findings of `grade`.
    pub fn with_grade(&self, grade: Grade) -> usize {
        self.findings.iter().filter(|finding| finding.grade == grade).count()
    }

    /// What the audit comes to, in two sentences: the verdicts of the statements, and the findings by grade.
    pub fn in_words(&self) -> String {
        format!("{} {}", self.verdicts_in_words(), self.findings_in_words()).trim_end().to_owned()
    }

    /// How many statements there are and what they come to.
    fn verdicts_in_words(&self) -> String {
        let parts: Vec<String> = [
            (Verdict::Holds, ["holds wherever its", "hold wherever their"], " hypotheses are met"),
            (Verdict::Violated, ["fails", "fail"], " on at least one run"),
            (Verdict::HypothesesUnmet, ["has", "have"], " hypotheses that no run meets"),
            (Verdict::Reported, ["is", "are"], " reported without a judgement"),
            (Verdict::NotApplicable, ["says", "say"], " nothing about these runs"),
        ]
        .into_iter()
        .filter_map(|(verdict, [one, many], rest)| match self.with_verdict(verdict) {
            0 => None,
            1 => Some(format!("1 {one}{rest}")),
            count => Some(format!("{count} {many}{rest}")),
        })
        .collect();
        format!("Of {} statements, {}.", self.of_papers().count(), listed(&parts))
    }

    /// How many findings there are, by grade.
    fn findings_in_words(&self) -> String {
        if self.findings.is_empty() {
            let judged = self.with_verdict(Verdict::Holds) + self.with_verdict(Verdict::Violated);
            return if judged > 0 { "No fault was found." } else { "" }.to_owned();
        }
        let parts: Vec<String> = Grade::ALL
            .into_iter()
            .filter(|grade| self.with_grade(*grade) > 0)
            .map(|grade| format!("{} {}", self.with_grade(grade), grade.name()))
            .collect();
        let count = self.findings.len();
        let noun = if count == 1 { "finding" } else { "findings" };
        format!("{count} {noun} by grade: {}.", parts.join(", "))
    }
}

/// `a, b and c`.
fn listed(parts: &[String]) -> String {
    match parts {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(id: &str, verdict: &str, ratio: Option<f64>) -> AuditRecord {
        let (id, verdict) = (id.to_owned(), verdict.to_owned());
        AuditRecord { id, verdict, worst_ratio: ratio, ..AuditRecord::default() }
    }

    #[test]
    fn one_violation_decides_a_statement() {
        let records = [
            record("b", "holds", Some(0.5)),
            record("a", "later-word", None),
            record("b", "violated", Some(3.0)),
            record("b", "violated", Some(7.0)),
        ];
        let statements = Conclusions::of(&records).statements;
        let found: Vec<_> = statements.iter().map(|s| (s.id, s.verdict())).collect();
        assert_eq!(found, [("b", Verdict::Violated), ("a", Verdict::Unknown)]);
        assert_eq!(statements[0].records[0].worst_ratio, Some(7.0));
        assert_eq!(statements[0].count(Verdict::Violated), 2);
    }

    #[test]
    fn verdicts_come_in_the_order_of_the_audit_itself() {
        let ours: Vec<&str> = Verdict::ALL.iter().map(|verdict| verdict.word()).collect();
        let audits = gaussflow::theory::Verdict::ALL.map(gaussflow::theory::Verdict::name);
        assert_eq!(ours[..audits.len()], audits);
        let records = [record("a", "hypotheses-unmet", Some(9.0)), record("a", "holds", Some(0.5))];
        assert_eq!(Conclusions::of(&records).statements[0].verdict(), Verdict::Holds);
    }

    #[test]
    fn a_place_is_one_finding_and_its_worst_record_grades_it() {
        let graded = |id, verdict, ratio, place: &str, grade: Option<&str>| AuditRecord {
            place: place.to_owned(),
            grade: grade.map(str::to_owned),
            ..record(id, verdict, ratio)
        };
        let records = [
            graded("a", "holds", Some(0.5), "Theorem", Some("gap")),
            graded("a", "violated", Some(2.0), "Theorem", Some("constant")),
            graded("a", "holds", Some(0.5), "Lemma", Some("typo")),
            graded("b", "violated", Some(2.0), "(1)", Some("false")),
            graded("b", "violated", Some(3.0), "(1)", Some("false")),
            graded("c", "holds", Some(0.9), "(2)", None),
        ];
        let conclusions = Conclusions::of(&records);
        let found: Vec<_> =
            conclusions.findings.iter().map(|f| (f.grade, f.place, f.violations())).collect();
        let expected =
            [(Grade::False, "(1)", 2), (Grade::Constant, "Theorem", 1), (Grade::Typo, "Lemma", 0)];
        assert_eq!(found, expected);
        assert_eq!(
            conclusions.findings_in_words(),
            "3 findings by grade: 1 false, 1 constant, 1 typo."
        );
        assert_eq!(
            conclusions.verdicts_in_words(),
            "Of 3 statements, 1 holds wherever its hypotheses are met and 2 fail on at least one run."
        );
    }

    #[test]
    fn a_record_may_lack_fields_and_have_later_ones() {
        let text = r#"[{"id": "x", "left": null, "later": [1], "hypotheses": [{"name": "n"}]}]"#;
        let records: Vec<AuditRecord> = serde_json::from_str(text).unwrap();
        assert_eq!(Verdict::of(&records[0]), Verdict::Unknown);
        assert!(!records[0].hypotheses[0].met && records[0].left.is_nan());
    }
}
