//! The referee reports of a reproduction: what they conclude is what the records say, in all places alike.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use gaussflow_records::{AuditRecord, read_json};

use crate::common::{gaussflow, refusal};

/// Counts from audit.json alone, by their definitions.
struct Counted {
    /// Statements by verdict, a violation before all others.
    verdicts: BTreeMap<&'static str, usize>,
    /// Findings by grade: places of statements, graded by a violated record where there is one.
    grades: BTreeMap<String, usize>,
    statements: usize,
}

fn count(records: &[AuditRecord]) -> Counted {
    let ids: BTreeSet<&str> = records.iter().map(|r| r.id.as_str()).collect();
    let order = ["violated", "holds", "hypotheses-unmet", "reported", "not-applicable"];
    let mut verdicts = BTreeMap::new();
    for id in &ids {
        let has = |verdict: &&&str| records.iter().any(|r| r.id == *id && r.verdict == ***verdict);
        *verdicts.entry(*order.iter().find(has).unwrap()).or_default() += 1;
    }
    let places: BTreeSet<(&str, &str)> =
        records.iter().map(|r| (r.id.as_str(), r.place.as_str())).collect();
    let mut grades = BTreeMap::new();
    for (id, place) in places {
        let of: Vec<_> = records
            .iter()
            .filter(|r| r.id == id && r.place == place)
            .filter(|r| !r.adversary.as_ref().is_some_and(|a| a.corrected))
            .collect();
        let violated = of.iter().find(|r| r.verdict == "violated");
        if let Some(grade) = violated.or(of.first()).and_then(|r| r.grade.clone()) {
            *grades.entry(grade).or_default() += 1;
        }
    }
    Counted { verdicts, grades, statements: ids.len() }
}

impl Counted {
    /// The sentences that every place should have.
    fn sentences(&self) -> [String; 2] {
        let of = |verdict| self.verdicts.get(verdict).copied().unwrap_or(0);
        let words = if of("holds") == 1 { "holds wherever its" } else { "hold wherever their" };
        let start = format!(
            "Of {} statements, {} {words} hypotheses are met",
            self.statements,
            of("holds")
        );
        let parts: Vec<String> = ["false", "unclear", "gap", "constant", "typo"]
            .iter()
            .filter_map(|grade| self.grades.get(*grade).map(|count| format!("{count} {grade}")))
            .collect();
        let all: usize = self.grades.values().sum();
        let noun = if all == 1 { "finding" } else { "findings" };
        let end = if all == 0 {
            "No fault was found.".to_owned()
        } else {
            format!("{all} {noun} by grade: {}.", parts.join(", "))
        };
        [start, end]
    }
}

#[test]
fn page_report_and_console_conclude_what_the_records_say() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["reproduce", "--quick", "--seeds", "1", "--papers", "descent,natural"];
    let output = gaussflow(&[&arguments[..], &["--out", "o"]].concat(), folder.path());
    assert!(output.status.success(), "{output:?}");
    let console = String::from_utf8(output.stdout).unwrap();
    let root = folder.path().join("o");
    let records: Vec<AuditRecord> = read_json(&root.join("audit.json")).unwrap();
    let report = fs::read_to_string(root.join("report.html")).unwrap();
    for record in &records {
        let violated = record.verdict == "violated";
        assert_eq!(violated, record.excess_in_tolerances.is_some(), "{record:?}");
        assert_eq!(record.grade.is_some(), record.version.is_some(), "{record:?}");
        if violated {
            assert!(record.grade.is_some() && record.consequence.is_some(), "{record:?}");
            assert!(record.corrected.is_some() || record.no_correction.is_some(), "{record:?}");
        }
    }
    for (key, file) in [
        ("gauss-newton", "audit.md"),
        ("descent", "audit_descent.md"),
        ("natural", "audit_natural.md"),
    ] {
        let of: Vec<AuditRecord> = records.iter().filter(|r| r.paper == key).cloned().collect();
        let counted = count(&of);
        let text = fs::read_to_string(root.join(file)).unwrap();
        for sentence in counted.sentences() {
            assert!(text.contains(&sentence), "{file}: {sentence}");
            assert!(console.contains(&sentence), "console: {sentence}\n{console}");
            assert!(report.contains(&sentence), "report.html: {sentence}");
        }
        // The page lists every finding once, and a counterexample to each false bound or constant.
        let page = &text[..text.find("## Findings, from false to typo").unwrap_or(text.len())];
        let all: usize = counted.grades.values().sum();
        let is_finding = |line: &&str| line.starts_with("- ") && line.contains(" (`");
        let listed: BTreeSet<&str> = page.lines().filter(is_finding).collect();
        assert_eq!(listed.len(), all, "{file}: {listed:?}");
        let shown: BTreeSet<(&str, &str)> = of
            .iter()
            .filter(|r| r.verdict == "violated")
            .filter(|r| !r.adversary.as_ref().is_some_and(|a| a.corrected))
            .filter(|r| matches!(r.grade.as_deref(), Some("false" | "constant")))
            .map(|r| (r.id.as_str(), r.place.as_str()))
            .collect();
        assert_eq!(page.matches("*Counterexample:*").count(), shown.len(), "{file}");
        assert_eq!(counted.verdicts.get("hypotheses-unmet"), None, "{file}");
        let ours = of.iter().filter(|r| r.origin == "ours").count();
        assert_eq!(ours > 0 && text.contains("derived here"), key == "natural", "{file}");
    }
    // The same folder again with fewer papers: what speaks of the others goes.
    let fewer = ["reproduce", "--quick", "--seeds", "1", "--papers", "natural", "--out", "o"];
    let output = gaussflow(&fewer, folder.path());
    assert!(output.status.success(), "{output:?}");
    assert!(!root.join("audit_descent.md").exists() && root.join("audit_natural.md").exists());
    // The adversary's records say where they come from, and the three known counterexamples are among them.
    let attacked: Vec<_> = records.iter().filter(|r| r.adversary.is_some()).collect();
    for (id, place) in [
        ("under/theorem-5-rate", "Theorem 5, (22)"),
        ("under/geodesic-strong-convexity", "Lemma 7"),
        ("over/squared-inverse-bound", "(10)"),
    ] {
        let found = attacked.iter().find(|r| r.id == id && r.place == place).unwrap();
        assert_eq!(found.verdict, "violated", "{found:?}");
        assert!(found.adversary.as_ref().unwrap().problem.contains("w_0 = ["));
    }
    let broken = attacked.iter().filter_map(|r| r.corrected.as_ref());
    assert_eq!(broken.filter(|c| c.verdict == "violated").count(), 0);
}

#[test]
fn a_paper_that_is_not_there_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let (status, text) = refusal(&["reproduce", "--papers", "lazy,dull"], folder.path());
    assert_eq!(status, 2);
    assert!(text.contains("dull") && text.contains("lazy, descent, natural"), "{text}");
    let (status, text) = refusal(&["reproduce", "--adversary", "0"], folder.path());
    assert!(status == 2 && text.contains("--adversary"), "{text}");
}
