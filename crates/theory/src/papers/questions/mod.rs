//! Questions that the paper leaves open, answered by measurement; docs/learn/questions.md tells the answers.

mod depth;
mod rank_correlation;
mod rank_loss;
mod rate;
mod threshold;

pub use self::rank_correlation::{spearman, spearman_within};
pub use self::threshold::{Bracket, Exit};

use crate::referee::{Group, Material, Paper};

/// The questions.
pub const PAPER: Paper = Paper {
    key: "questions",
    title: "Open questions, answered by measurement",
    authors: "gaussflow",
    version: "nothing; the papers leave these questions open, and docs/learn/questions.md answers them in words",
    statements: &["question/threshold", "question/rate", "question/depth", "question/rank-loss"],
    ours: &[],
    findings: &[],
    survivors: &[],
    groups,
    families: &[],
};

fn groups(material: &Material) -> Vec<Group<'_>> {
    let effort = material.effort;
    let mut groups: Vec<Group<'_>> = Vec::new();
    groups.push(Box::new(move || threshold::over(&material.over, effort)));
    groups.push(Box::new(move || threshold::under(&material.under, effort)));
    if let Some(rows) = material.under.first() {
        groups.push(Box::new(move || rate::over_scalings(rows, effort)));
        for widths in depth::NETWORKS {
            groups.push(Box::new(move || depth::collapse(rows, widths, effort)));
        }
        groups.push(Box::new(move || rank_loss::correlations(&material.under, effort)));
    }
    groups
}
