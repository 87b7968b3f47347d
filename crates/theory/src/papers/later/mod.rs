//! What the abstracts of the paper's later versions claim, measured in kind.

mod damping;
pub(in crate::papers) mod flows;
mod geometry;
pub(in crate::papers) mod runs;

use crate::referee::{Effort, Group, Material, Paper};

/// The later versions.
pub const PAPER: Paper = Paper {
    key: "later",
    title: "Geometric Convergence of Gauss-Newton for Neural Networks: Riemannian Geometry and Adaptive Damping",
    authors: "S. Cayci",
    version: "abstracts alone, of arXiv 2412.14031 versions 4 and 5 and of the version of record (PMLR 306, 2026): \
              what is measured here are claims in kind, never the paper's own words",
    statements: &[
        "later/geodesic-pl",
        "later/geodesic-smoothness",
        "later/adaptive-damping",
        "later/deep",
    ],
    ours: &[],
    findings: &[],
    survivors: &[],
    groups,
    families: &[],
};

fn groups(material: &Material) -> Vec<Group<'_>> {
    let effort = material.effort;
    let mut groups: Vec<Group<'_>> = vec![Box::new(move || damping::sweep(effort))];
    for rows in &material.under {
        groups.push(Box::new(move || geometry::one_layer(rows, effort)));
    }
    if let Some(rows) = material.under.first() {
        let networks = geometry::NETWORKS.iter().flatten();
        // One layer of the paper's width is measured above; quick audits take the smallest deep ones.
        let chosen = networks.filter(|widths| match effort {
            Effort::Quick => widths.len() > 1 && widths[0] <= 5,
            Effort::Full => true,
        });
        for widths in chosen {
            groups.push(Box::new(move || geometry::deep(rows, widths, effort)));
        }
    }
    groups
}
