//! A paper under audit: its statements, what a referee found in them, the runs, and the families that the adversary
//! searches.

use std::time::Instant;

use rayon::prelude::*;

use crate::TheoryError;
use crate::referee::{Family, Finding, Material, Measurements, Record, Search, Statement};

/// A group of runs; groups do not depend on each other.
pub type Group<'m> = Box<dyn Fn() -> Result<Measurements, TheoryError> + Send + Sync + 'm>;

/// Names a sentence of the paper's message that survives, and the statements that support it: each of them, or its corrected
/// form, holds where its hypotheses are met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Survivor {
    /// The sentence.
    pub sentence: &'static str,
    /// The ids of the statements that support it.
    pub rests_on: &'static [&'static str],
}

/// Describes a paper under audit: its statements, known faults, and the runs that judge them.
pub struct Paper {
    /// The key of the paper in the `paper` column and on the command line.
    pub key: &'static str,
    /// The paper's title.
    pub title: &'static str,
    /// Its authors.
    pub authors: &'static str,
    /// The version that was read, and how.
    pub version: &'static str,
    /// The id of every statement, in the order of the paper.
    pub statements: &'static [&'static str],
    /// Statements that are derived here and not in the paper, by id and place; corrections that are judged by themselves are
    /// among them. The place "" stands for every place of the id.
    pub ours: &'static [(&'static str, &'static str)],
    /// The known faults.
    pub findings: &'static [Finding],
    /// The sentences of its message that survive.
    pub survivors: &'static [Survivor],
    /// The runs that judge the statements.
    pub groups: for<'m> fn(&'m Material) -> Vec<Group<'m>>,
    /// The families of small problems in which counterexamples are searched for.
    pub families: &'static [Family],
}

/// Holds a paper with everything that its audit found.
pub struct Audited<'p> {
    /// The paper.
    pub paper: &'p Paper,
    /// The records, by statement and then in the order of measurement, with figures and tables.
    pub found: Measurements,
}

impl Paper {
    /// Returns whether a record judges a statement that is derived here and not in the paper.
    pub fn is_ours(&self, record: &Record) -> bool {
        let Statement { id, place, .. } = record.statement;
        self.ours.iter().any(|&(ours, at)| ours == id && (at.is_empty() || at == place))
    }

    /// Returns the finding that belongs to a record, if there is one.
    pub fn finding(&self, record: &Record) -> Option<Finding> {
        Finding::of(self.findings, record)
    }
}

/// Audits `papers` on `material`, without a search for counterexamples.
///
/// Groups run on all threads. Their records are collected in the order of the papers' lists, so that the result is bitwise
/// identical for any number of threads.
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

/// Runs [`audit`] and then a search for counterexamples in every family of the papers; also returns the seconds of the
/// search.
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
