//! The audit as a step of `reproduce` and as `gaussflow audit`: material, files and the referee report.

mod charts;
mod entry;
mod error;
mod report;
mod run_folder;
mod user_run;

use std::path::Path;

use gaussflow::theory::audit::plan::{Findings, Material, audit};
use gaussflow::theory::{Record, Verdict};
use gaussflow_figures::render;
use gaussflow_records::{AuditRecord, RecordError, write_bytes, write_json};
use rayon::prelude::*;

pub use self::error::AuditError;
pub use self::run_folder::{Quiet, audit_folder};

/// What an audit writes beside the runs that it judges.
const FILES: [&str; 2] = ["audit.json", "audit.md"];

/// What the audit of a reproduction came to.
pub struct Audited {
    /// Every record.
    pub records: Vec<Record>,
    /// Stems of the figures, in `figures/`.
    pub figures: Vec<&'static str>,
}

impl Audited {
    /// Statements with at least one record of `verdict`, and records of it.
    pub fn count(&self, verdict: Verdict) -> (usize, usize) {
        let mut ids: Vec<&str> = self
            .records
            .iter()
            .filter(|record| record.verdict == verdict)
            .map(|record| record.statement.id)
            .collect();
        let records = ids.len();
        ids.dedup();
        (ids.len(), records)
    }
}

/// Audits every statement of the paper on `material`; writes audit.json, audit.md and
/// their figures into `root`.
///
/// # Errors
/// [`AuditError::Theory`] where a planned run cannot be made; file errors.
pub fn audit_paper(material: &Material, root: &Path) -> Result<Audited, AuditError> {
    let findings = audit(material)?;
    let charts = charts::charts(&findings);
    let folder = root.join("figures");
    let figures = charts
        .par_iter()
        .map(|(stem, chart)| render(chart, &folder, stem).map(|_| *stem))
        .collect::<Result<Vec<_>, _>>()?;
    write(root, &findings, &figures, report::Subject::Paper)?;
    Ok(Audited { records: findings.records, figures })
}

/// Writes audit.json and audit.md.
fn write(
    root: &Path,
    findings: &Findings,
    figures: &[&str],
    subject: report::Subject<'_>,
) -> Result<(), RecordError> {
    let records: Vec<AuditRecord> = findings.records.iter().map(entry::entry).collect();
    write_json(&root.join("audit.json"), &records)?;
    let text = report::markdown(&records, findings, figures, subject);
    write_bytes(&root.join("audit.md"), text.as_bytes())
}
