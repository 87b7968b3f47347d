//! The runs that meet the hypotheses.

mod conditioning;
pub(super) mod over;
mod section_5;
mod small;
pub(super) mod under;

use crate::referee::{Group, Material};

pub use self::small::{counterexample, counterexample_scaling, theorem_1_counterexample};
pub use self::under::at_points;

/// Every group of runs.
pub(super) fn groups(material: &Material) -> Vec<Group<'_>> {
    let effort = material.effort;
    let mut groups: Vec<Group<'_>> = Vec::new();
    groups.push(Box::new(move || conditioning::sweep(effort)));
    for rows in &material.over {
        groups.push(Box::new(move || over::continuous(rows, effort)));
        groups.push(Box::new(move || over::discrete(rows, effort)));
    }
    if let Some(rows) = material.over.first() {
        groups.push(Box::new(move || over::widths(rows, effort)));
    }
    for rows in &material.under {
        groups.push(Box::new(move || under::ball(rows)));
        groups.push(Box::new(move || under::flows(rows, effort)));
    }
    groups.push(Box::new(small::theorem_1));
    groups.push(Box::new(small::theorem_5));
    groups.push(Box::new(small::dampings));
    groups.push(Box::new(small::losses));
    groups.push(Box::new(|| Ok(section_5::claims(&material.traces))));
    groups
}
