//! Audits papers: comparisons and verdicts, findings and their grades, the runs that judge statements, and a search for
//! counterexamples.
//!
//! A [`Paper`] describes what is audited, and [`audit`] does it. [`crate::papers`] explains, with a program, how to add a
//! paper.

mod adversary;
mod comparison;
mod finding;
mod material;
mod measurements;
mod paper;
mod record;

pub use adversary::{Attack, Extent, Family, Genes, Search, Trial};
pub use comparison::{Comparison, Hypothesis};
pub use finding::{Evidence, Finding, Grade};
pub use material::{Effort, Material, Rows, SeedTraces, Traced};
pub use measurements::{Measurements, Plot, Table};
pub use paper::{Audited, Group, Paper, Survivor, audit, audit_and_attack};
pub use record::{Corrected, Record, Statement, Verdict};
