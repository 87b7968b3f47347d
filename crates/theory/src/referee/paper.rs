//! A paper under audit: its statements, what a referee found in them, the runs, and the families that the adversary
//! searches.

use std::time::Instant;

use rayon::prelude::*;

use crate::TheoryError;
use crate::referee::{Family, Finding, Material, Measurements, Record, Search, Statement};

/// A group of runs; groups are independent of each other.
pub type Group<'m> = Box<dyn Fn() -> Result<Measurements, TheoryError> + Send + Sync + 'm>;

/// A sentence of the paper's message that survives, and the statements that carry it: each holds where its hypotheses
/// are met, or its corrected form does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Survivor {
    /// What survives.
    pub sentence: &'static str,
    /// The ids that carry it.
    pub rests_on: &'static [&'static str],
}

/// A paper under audit.
pub struct Paper {
    /// The word of the `paper` column and of the command line.
    pub key: &'static str,
    /// The paper's title.
    pub title: &'static str,
    /// Its authors.
    pub authors: &'static str,
    /// Which version was read, and how.
    pub version: &'static str,
    /// The id of every statement, in the order of the paper.
    pub statements: &'static [&'static str],
    /// What is not the paper's own but ours, by id and place: derived statements, and corrections that are judged by
    /// themselves. A place of "" stands for every place of the id.
    pub ours: &'static [(&'static str, &'static str)],
    /// Known faults.
    pub findings: &'static [Finding],
    /// What survives of its message.
    pub survivors: &'static [Survivor],
    /// The runs that judge the statements.
    pub groups: for<'m> fn(&'m Material) -> Vec<Group<'m>>,
    /// The families of small problems that the adversary searches.
    pub families: &'static [Family],
}

/// A paper with everything that its audit found.
pub struct Audited<'p> {
    /// The paper.
    pub paper: &'p Paper,
    /// The records by statement, then in the order of measurement; figures and tables.
    pub found: Measurements,
}

impl Paper {
    /// Whether a record judges a statement of ours and not of the paper.
    pub fn is_ours(&self, record: &Record) -> bool {
        let Statement { id, place, .. } = record.statement;
        self.ours.iter().any(|&(ours, at)| ours == id && (at.is_empty() || at == place))
    }

    /// The finding that belongs to a record.
    pub fn finding(&self, record: &Record) -> Option<Finding> {
        Finding::of(self.findings, record)
    }
}

/// Audits `papers` on `material`, without the adversary.
///
/// Groups run on all threads; their records are collected in the order of the papers' lists, so that the result does
/// not depend on the number of threads.
pub fn audit<'p>(
    papers: &[&'p Paper],
    material: &Material,
) -> Result<Vec<Audited<'p>>, TheoryError> {
    let groups: Vec<(usize, Group<'_>)> = papers
        .iter()
        .enumerate()
        .flat_map(|(k, paper)| (paper.groups)(material).into_iter().map(move |group| (k, group)))
        .collect();
    let found = groups
        .par_iter()
        .with_max_len(1)
        .map(|(k, group)| group().map(|found| (*k, found)))
        .collect::<Result<Vec<_>, TheoryError>>()?;
    let mut audited: Vec<Audited<'p>> =
        papers.iter().map(|&paper| Audited { paper, found: Measurements::default() }).collect();
    found.into_iter().for_each(|(k, found)| audited[k].found.merge(found));
    audited.iter_mut().for_each(Audited::sort);
    Ok(audited)
}

/// [`audit`], then the adversary on every family of the papers; also the seconds that the adversary took.
pub fn audit_and_attack<'p>(
    papers: &[&'p Paper],
    material: &Material,
    search: &Search,
) -> Result<(Vec<Audited<'p>>, f64), TheoryError> {
    let mut audited = audit(papers, material)?;
    let begun = Instant::now();
    let families: Vec<(usize, &Family)> = papers
        .iter()
        .enumerate()
        .flat_map(|(k, paper)| paper.families.iter().map(move |family| (k, family)))
        .collect();
    let attacks: Vec<(usize, Vec<Record>)> = families
        .par_iter()
        .with_max_len(1)
        .map(|(k, family)| (*k, search.attack(family)))
        .collect();
    for (k, records) in attacks {
        audited[k].found.records.extend(records);
    }
    audited.iter_mut().for_each(Audited::sort);
    Ok((audited, begun.elapsed().as_secs_f64()))
}

impl Audited<'_> {
    /// By statement, then in the order of measurement.
    fn sort(&mut self) {
        let known = self.paper.statements;
        let rank = |record: &Record| {
            known.iter().position(|id| *id == record.statement.id).unwrap_or(known.len())
        };
        self.found.records.sort_by_key(rank);
    }
}
