//! The audit as a step of `reproduce` and as `gaussflow audit`: material, files and the referee report.

mod charts;
mod material;
mod report;
mod run_folder;
mod user_run;

use std::path::Path;

use gaussflow::theory::audit::plan::{Effort, Findings, Material, audit};
use gaussflow::theory::{Record, TheoryError, Verdict};
use rayon::prelude::*;

use crate::data::Dataset;
use crate::error::DriverError;
use crate::figures::render;
use crate::records::{AuditRecord, write_bytes, write_json};
use crate::reproduce::Mode;
use crate::reproduce::results::Results;

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

/// Audits every statement on the bundled rows and a reproduction's traces; writes audit.json, audit.md and
/// their figures into `root`.
///
/// # Errors
/// [`DriverError::Theory`] where a planned run cannot be made; file errors.
pub fn audit_reproduction(
    results: &Results,
    data: &Dataset,
    root: &Path,
) -> Result<Audited, DriverError> {
    let material = Material {
        effort: match results.mode {
            Mode::Quick => Effort::Quick,
            Mode::Full => Effort::Full,
        },
        under: material::rows(data, results, 256)?,
        over: material::rows(data, results, 64)?,
        traces: material::traces(results),
    };
    let findings = audit(&material)?;
    let charts = charts::charts(&findings);
    let folder = root.join("figures");
    let figures = charts
        .par_iter()
        .map(|(stem, chart)| Ok(render(chart, &folder, stem).map(|_| *stem)?))
        .collect::<Result<Vec<_>, DriverError>>()?;
    write(root, &findings, &figures, report::Subject::Paper)?;
    Ok(Audited { records: findings.records, figures })
}

/// Writes audit.json and audit.md.
fn write(
    root: &Path,
    findings: &Findings,
    figures: &[&str],
    subject: report::Subject<'_>,
) -> Result<(), DriverError> {
    let records: Vec<AuditRecord> = findings.records.iter().map(AuditRecord::from).collect();
    write_json(&root.join("audit.json"), &records)?;
    let text = report::markdown(&records, findings, figures, subject);
    Ok(write_bytes(&root.join("audit.md"), text.as_bytes())?)
}

impl From<TheoryError> for DriverError {
    fn from(error: TheoryError) -> Self {
        Self::Theory(Box::new(error))
    }
}
