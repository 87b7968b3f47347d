//! The adversary: a search over small problems for the one that speaks most against a statement.
//!
//! A [`Family`] turns a vector of numbers, its genes, into a small problem and judges statements on it by the same
//! functions as the audit. The search draws standard normal genes, then climbs from the best draw of each statement by
//! a (1 + 1) evolution strategy: all genes are moved by normal steps, whose size grows after a success and shrinks after
//! a failure (Rechenberg's fifth). Later climbs start from fresh draws. The search needs no derivative and is the same
//! for one seed on any number of threads. It is told nothing about a statement but its two sides.

use std::cmp::Ordering;

use crate::TheoryError;
use crate::referee::{Comparison, Record, Verdict};
use crate::sampling::Sampler;

/// Genes of a problem: m, d and n up to 3, 3 and 6 with weighted squares take 50, the rest goes to scalings.
const GENES: usize = 64;
/// Shares of a family's evaluations that are draws; the others climb.
const DRAWN: f64 = 0.4;
/// Steps of one climb.
const CLIMB: usize = 60;
/// Factors of the step after a success and after a failure: in balance at one success in five.
const GROW: f64 = 1.5;
const SHRINK: f64 = 0.903_602_003_609_844_8; // 1.5^(-1/4)

/// Supplies the numbers from which a family builds a problem, one after the other.
#[derive(Clone, Debug)]
pub struct Genes<'g> {
    values: &'g [f64],
    next: usize,
}

impl<'g> Genes<'g> {
    /// Reads `values` from the first one on.
    pub fn new(values: &'g [f64]) -> Self {
        Self { values, next: 0 }
    }

    /// Returns the next number, standard normal in a draw; 0 when there are no more.
    pub fn normal(&mut self) -> f64 {
        self.next += 1;
        debug_assert!(self.next <= self.values.len(), "a family reads more genes than there are");
        self.values.get(self.next - 1).copied().unwrap_or(0.0)
    }

    /// Returns the next `count` numbers.
    pub fn normals(&mut self, count: usize) -> Vec<f64> {
        (0..count).map(|_| self.normal()).collect()
    }

    /// Returns a number between `low` and `high`, nearly uniform in a draw.
    pub fn between(&mut self, low: f64, high: f64) -> f64 {
        // The logistic function with this factor is within 0.01 of the normal distribution's.
        low + (high - low) / (1.0 + (-1.702 * self.normal()).exp())
    }

    /// Returns a number between `low` and `high` (both positive), nearly uniform in its logarithm.
    pub fn scale(&mut self, low: f64, high: f64) -> f64 {
        self.between(low.ln(), high.ln()).exp()
    }

    /// Returns one of the whole numbers `low` to `high`.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a number of the range"
    )]
    pub fn whole(&mut self, low: usize, high: usize) -> usize {
        (self.between(low as f64, high as f64 + 1.0).floor() as usize).clamp(low, high)
    }

    /// Returns a number at or above `threshold`, most often near it, as hypotheses ask for such scalings.
    pub fn above(&mut self, threshold: f64) -> f64 {
        let gene = self.normal();
        threshold * (1.0 + 1e-12) * (0.5 * gene * gene).exp()
    }
}

/// Holds what a family makes of its numbers: a problem, and the statements judged on it.
#[derive(Clone, Debug)]
pub struct Trial {
    /// The problem as text with numbers, so that a reader can recompute a counterexample.
    pub problem: String,
    /// The statements judged on it.
    pub records: Vec<Record>,
}

/// Describes a family of small problems on which counterexamples to statements are searched for.
#[derive(Clone, Copy)]
pub struct Family {
    /// The name by which records refer to it.
    pub name: &'static str,
    /// The cost of one evaluation in units of 100 microseconds, by which a search divides its budget.
    pub cost: usize,
    /// Builds a problem and judges statements on it; an error skips the problem.
    pub trial: fn(&mut Genes<'_>) -> Result<Trial, TheoryError>,
}

/// Says which search a record comes from.
#[derive(Clone, Debug, PartialEq)]
pub struct Attack {
    /// The family searched.
    pub family: &'static str,
    /// The seed of the search.
    pub seed: u64,
    /// The number of problems on which the statement was evaluated with its hypotheses met.
    pub evaluations: usize,
    /// Whether the corrected statement was attacked, or the one in the paper.
    pub corrected: bool,
    /// The problem as text with numbers.
    pub problem: String,
}

/// Chooses how long to search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// This much work per family, in units of 100 microseconds.
    Work(usize),
    /// This many draws per family, shared by all its statements, and a tenth as many steps of climbing per statement.
    Draws(usize),
}

/// Searches for counterexamples: random draws, then climbing from the worst ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Search {
    /// The seed of the draws.
    pub seed: u64,
    /// How long to search.
    pub extent: Extent,
}

/// The worst of one statement so far.
struct Target {
    record: Record,
    corrected: bool,
    genes: Vec<f64>,
    problem: String,
    evaluations: usize,
}

impl Target {
    /// The comparison that is attacked, if its hypotheses are met.
    fn side(record: &Record, corrected: bool) -> Option<&Comparison> {
        let (comparison, verdict) = if corrected {
            let correction = record.corrected.as_ref()?;
            (&correction.comparison, correction.verdict)
        } else {
            (&record.comparison, record.verdict)
        };
        matches!(verdict, Verdict::Holds | Verdict::Violated).then_some(comparison)
    }

    fn is_of(&self, record: &Record, corrected: bool) -> bool {
        let key = |r: &Record| (r.statement.id, r.statement.place, r.statement.text);
        self.corrected == corrected && key(&self.record) == key(record)
    }

    fn is_broken(&self) -> bool {
        Self::side(&self.record, self.corrected).is_some_and(|side| !side.holds())
    }
}

impl Search {
    /// Returns the worst record found for each statement of the family, and for each corrected statement.
    pub fn attack(&self, family: &Family) -> Vec<Record> {
        let mut sampler = Sampler::of_purpose(self.seed, family.name);
        let mut targets: Vec<Target> = Vec::new();
        let (draws, climbs) = match self.extent {
            Extent::Draws(draws) => (draws, None),
            Extent::Work(work) => {
                let all = (work / family.cost.max(1)).max(20);
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "a share of a count"
                )]
                let draws = (DRAWN * all as f64) as usize;
                (draws, Some(all - draws))
            }
        };
        for _ in 0..draws {
            evaluate(family, &sampler.normal(GENES), None, &mut targets);
        }
        // What is broken needs no climbing: the others share what is left.
        let standing: Vec<usize> =
            (0..targets.len()).filter(|&k| !targets[k].is_broken()).collect();
        let steps = climbs.map_or(draws / 10, |climbs| climbs / standing.len().max(1));
        for k in standing {
            climb(family, k, steps, &mut sampler, &mut targets);
        }
        targets.into_iter().map(|target| self.record(family, target)).collect()
    }

    fn record(&self, family: &Family, target: Target) -> Record {
        let Target { record, corrected, problem, evaluations, .. } = target;
        let attack =
            Attack { family: family.name, seed: self.seed, evaluations, corrected, problem };
        let run = format!("adversary, {}", record.run);
        Record { run, attack: Some(attack), ..record }
    }
}

/// Judges the statements on the problem of `genes`, keeps what is worse than before, and returns the comparison of
/// target `watched`, where its hypotheses are met.
fn evaluate(
    family: &Family,
    genes: &[f64],
    watched: Option<usize>,
    targets: &mut Vec<Target>,
) -> Option<Comparison> {
    let trial = (family.trial)(&mut Genes::new(genes)).ok()?;
    let mut seen: Option<Comparison> = None;
    let mut counted: Vec<usize> = Vec::new();
    for record in trial.records {
        for corrected in [false, true] {
            let Some(side) = Target::side(&record, corrected) else { continue };
            let known = targets.iter().position(|target| target.is_of(&record, corrected));
            let fresh = |evaluations| Target {
                record: record.clone(),
                corrected,
                genes: genes.to_vec(),
                problem: trial.problem.clone(),
                evaluations,
            };
            let Some(k) = known else {
                counted.push(targets.len());
                targets.push(fresh(1));
                continue;
            };
            if watched == Some(k) {
                seen = Comparison::worst(seen.into_iter().chain([side.clone()]));
            }
            let target = &mut targets[k];
            // A trial may judge a statement on several of its flows.
            if !counted.contains(&k) {
                counted.push(k);
                target.evaluations += 1;
            }
            let before = Target::side(&target.record, corrected);
            if before.is_none_or(|before| side.severity(before) == Ordering::Greater) {
                *target = fresh(target.evaluations);
            }
        }
    }
    seen
}

/// Climbs from the best genes of one target, then from fresh draws: near 1 a ratio has trivial limits, such as short
/// times, from which no small step leads to a counterexample.
fn climb(
    family: &Family,
    k: usize,
    steps: usize,
    sampler: &mut Sampler,
    targets: &mut Vec<Target>,
) {
    let mut left = steps;
    let mut genes = targets[k].genes.clone();
    let mut here = Target::side(&targets[k].record, targets[k].corrected).cloned();
    while left > 0 {
        let mut size = 0.3;
        for _ in 0..left.min(CLIMB) {
            left -= 1;
            let moves = sampler.normal(GENES);
            let trial: Vec<f64> = genes.iter().zip(&moves).map(|(g, z)| g + size * z).collect();
            let found = evaluate(family, &trial, Some(k), targets);
            if targets[k].is_broken() {
                return;
            }
            let better = match (&found, &here) {
                (Some(found), Some(here)) => found.severity(here) == Ordering::Greater,
                (found, None) => found.is_some(),
                (None, Some(_)) => false,
            };
            if better {
                (genes, here) = (trial, found);
                size *= GROW;
            } else {
                size = f64::max(size * SHRINK, 1e-3);
            }
        }
        genes = sampler.normal(GENES);
        here = None;
    }
}
