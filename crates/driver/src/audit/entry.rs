//! A record of the audit in the fields of audit.json.

use gaussflow::theory::referee::{Attack, Paper};
use gaussflow::theory::{Corrected, Hypothesis, Record, Verdict};
use gaussflow_records::{AuditAttack, AuditCorrection, AuditHypothesis, AuditRecord};

/// The paper of a record that judges a folder, and no paper.
const OF_A_RUN: &str = "run";

/// The entry of audit.json for `record` of `paper`'s audit.
pub fn entry(paper: &Paper, record: &Record) -> AuditRecord {
    let finding = paper.finding(record);
    let unexplained = record.verdict == Verdict::Violated && record.corrected.is_none();
    let reason = finding.and_then(|finding| finding.no_correction).filter(|_| unexplained);
    let of_paper = paper.statements.contains(&record.statement.id);
    AuditRecord {
        id: record.statement.id.to_owned(),
        paper: if of_paper { paper.key } else { OF_A_RUN }.to_owned(),
        origin: if paper.is_ours(record) {
            "ours"
        } else if of_paper {
            "printed"
        } else {
            OF_A_RUN
        }
        .to_owned(),
        place: record.statement.place.to_owned(),
        run: record.run.clone(),
        statement: record.statement.text.to_owned(),
        hypotheses: record.hypotheses.iter().map(hypothesis).collect(),
        left: record.comparison.left,
        right: record.comparison.right,
        tolerance: record.comparison.tolerance,
        worst_ratio: record.comparison.ratio(),
        excess_in_tolerances: record
            .comparison
            .excess_in_tolerances()
            .filter(|_| record.verdict == Verdict::Violated),
        verdict: record.verdict.name().to_owned(),
        grade: finding.map(|finding| finding.grade.name().to_owned()),
        consequence: finding.map(|finding| finding.consequence.to_owned()),
        version: finding.map(|_| paper.version.to_owned()),
        at: record.comparison.at.clone(),
        corrected: record.corrected.as_ref().map(correction),
        no_correction: reason.map(str::to_owned),
        adversary: record.attack.as_ref().map(|found| attack(record, found)),
        note: record.note.trim().to_owned(),
        figures: Vec::new(),
    }
}

fn hypothesis(hypothesis: &Hypothesis) -> AuditHypothesis {
    let Hypothesis { name, value, threshold, met } = hypothesis;
    AuditHypothesis { name: name.clone(), value: *value, threshold: *threshold, met: *met }
}

fn attack(record: &Record, attack: &Attack) -> AuditAttack {
    let Attack { family, seed, evaluations, corrected, problem } = attack;
    let side = match &record.corrected {
        Some(correction) if *corrected => &correction.comparison,
        _ => &record.comparison,
    };
    AuditAttack {
        family: (*family).to_owned(),
        seed: *seed,
        evaluations: *evaluations,
        corrected: *corrected,
        largest_ratio: side.ratio(),
        problem: problem.clone(),
    }
}

fn correction(corrected: &Corrected) -> AuditCorrection {
    AuditCorrection {
        statement: corrected.statement.clone(),
        left: corrected.comparison.left,
        right: corrected.comparison.right,
        tolerance: corrected.comparison.tolerance,
        worst_ratio: corrected.comparison.ratio(),
        verdict: corrected.verdict.name().to_owned(),
    }
}
