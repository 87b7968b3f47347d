//! What the audit of any paper is made of: comparisons and verdicts, findings and their grades, the runs that meet
//! hypotheses, and the adversary that looks for counterexamples.
//!
//! [`Paper`] says what is audited; [`audit`] does it. How a paper is added is told, with a program, in
//! [`crate::papers`].

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
