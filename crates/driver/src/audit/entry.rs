//! A record of the audit in the fields of audit.json.

use gaussflow::theory::{Corrected, Hypothesis, Record};
use gaussflow_records::{AuditCorrection, AuditHypothesis, AuditRecord};

/// The entry of audit.json for `record`.
pub fn entry(record: &Record) -> AuditRecord {
    AuditRecord {
        id: record.statement.id.to_owned(),
        place: record.statement.place.to_owned(),
        run: record.run.clone(),
        statement: record.statement.text.to_owned(),
        hypotheses: record.hypotheses.iter().map(hypothesis).collect(),
        left: record.comparison.left,
        right: record.comparison.right,
        tolerance: record.comparison.tolerance,
        worst_ratio: record.comparison.ratio(),
        verdict: record.verdict.name().to_owned(),
        at: record.comparison.at.clone(),
        corrected: record.corrected.as_ref().map(correction),
        note: record.note.trim().to_owned(),
    }
}

fn hypothesis(hypothesis: &Hypothesis) -> AuditHypothesis {
    let Hypothesis { name, value, threshold, met } = hypothesis;
    AuditHypothesis { name: name.clone(), value: *value, threshold: *threshold, met: *met }
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
