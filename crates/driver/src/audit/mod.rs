//! The audit as a step of `reproduce` and as `gaussflow audit`: material, files and the referee reports.

mod charts;
mod entry;
mod error;
mod page;
mod report;
mod run_folder;
mod user_run;

use std::path::Path;

use gaussflow::theory::papers::{ALL, gauss_newton};
use gaussflow::theory::referee::{
    Audited, Material, Measurements, Paper, Search, audit_and_attack,
};
use gaussflow_figures::render;
use gaussflow_records::{AuditRecord, RecordError, ownership, write_bytes, write_json};
use rayon::prelude::*;

use crate::conclusions::report_file;

pub use self::error::AuditError;
pub use self::run_folder::{Quiet, audit_folder};

/// What an audit writes beside the runs that it judges.
const FILES: [&str; 2] = ["audit.json", "audit.md"];

/// What the audit of a reproduction came to.
pub struct AuditOutcome {
    /// Every record, paper by paper.
    pub records: Vec<AuditRecord>,
    /// Stems of the figures, in `figures/`.
    pub figures: Vec<String>,
    /// Names of the referee reports, paper by paper.
    pub reports: Vec<String>,
    /// Seconds that the adversary took.
    pub attack_seconds: f64,
}

/// Audits the paper, and those `further` ones whose keys are named, on `material`; writes audit.json, a referee report
/// for each and their figures into `root`.
///
/// # Errors
/// [`AuditError::Theory`] where a planned run cannot be made; file errors.
pub fn audit_papers(
    material: &Material,
    further: &[String],
    search: &Search,
    root: &Path,
) -> Result<AuditOutcome, AuditError> {
    let asked = |paper: &&&Paper| {
        paper.key == gauss_newton::PAPER.key || further.iter().any(|key| key == paper.key)
    };
    let papers: Vec<&Paper> = ALL.iter().filter(asked).copied().collect();
    let (audited, attack_seconds) = audit_and_attack(&papers, material, search)?;
    let folder = root.join("figures");
    let (mut records, mut figures) = (Vec::new(), Vec::new());
    for Audited { paper, found } in &audited {
        let report = report_file(paper.key).replace(".md", "");
        let drawn = charts::charts(found, &report)
            .par_iter()
            .map(|(stem, chart)| render(chart, &folder, stem).map(|_| stem.clone()))
            .collect::<Result<Vec<_>, _>>()?;
        records.extend(write_report(root, paper, found, &drawn, report::Subject::Paper(paper))?);
        figures.extend(drawn);
    }
    write_json(&root.join("audit.json"), &records)?;
    // A report of an earlier call's papers would speak of records that are gone.
    for paper in ALL.iter().filter(|paper| !asked(paper)) {
        let stale = root.join(report_file(paper.key));
        if ownership::is_ours(&stale) {
            std::fs::remove_file(&stale)
                .map_err(|source| RecordError::Write { path: stale, source })?;
        }
    }
    let reports = papers.iter().map(|paper| report_file(paper.key)).collect();
    Ok(AuditOutcome { records, figures, reports, attack_seconds })
}

/// Writes the referee report of one paper, and returns its records.
fn write_report(
    root: &Path,
    paper: &Paper,
    found: &Measurements,
    figures: &[String],
    subject: report::Subject<'_>,
) -> Result<Vec<AuditRecord>, RecordError> {
    let records: Vec<AuditRecord> =
        found.records.iter().map(|record| entry::entry(paper, record)).collect();
    let text = report::markdown(&records, found, figures, subject);
    write_bytes(&root.join(report_file(paper.key)), text.as_bytes())?;
    Ok(records)
}
