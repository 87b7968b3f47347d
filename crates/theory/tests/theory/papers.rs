//! What every paper's audit must have: a record of each statement whose hypotheses are met, a grade for each violation,
//! and corrected statements that hold, also against the adversary.

use gaussflow_theory::papers::ALL;
use gaussflow_theory::referee::{
    Audited, Effort, Evidence, Extent, Grade, Material, Rows, Search, audit_and_attack,
};
use gaussflow_theory::{Sampler, Verdict, require_resolved};

/// Rows that are not the real ones: 64 and 256 of eight features.
fn material() -> Material {
    let rows = |count: usize| {
        let mut sampler = Sampler::new(count as u64);
        Rows {
            seed: 0,
            inputs: sampler.normal(8 * count),
            targets: sampler.normal(count),
            features: 8,
        }
    };
    Material { effort: Effort::Quick, under: vec![rows(256)], over: vec![rows(64)], traces: vec![] }
}

/// Every paper at quick effort, with a short attack. Section 5's claims need its recorded runs, which the driver makes.
#[test]
fn every_statement_is_judged_and_every_violation_graded() {
    let search = Search { seed: 1, extent: Extent::Work(1500) };
    let (audited, _) = audit_and_attack(ALL, &material(), &search).unwrap();
    for Audited { paper, found } in &audited {
        for id in paper.statements.iter().filter(|id| !id.starts_with("experiment/")) {
            let of: Vec<_> = found.records.iter().filter(|r| r.statement.id == *id).collect();
            let judged = [Verdict::Holds, Verdict::Violated, Verdict::Reported];
            assert!(of.iter().any(|record| judged.contains(&record.verdict)), "{id}: {of:?}");
        }
        for record in &found.records {
            let id = record.statement.id;
            assert!(
                paper.statements.contains(&id),
                "{id} is missing in the statements of {}",
                paper.key
            );
            if let Some(corrected) = &record.corrected {
                assert_ne!(corrected.verdict, Verdict::Violated, "{record:?}");
            }
            if record.verdict != Verdict::Violated {
                continue;
            }
            let key = (record.statement.id, record.statement.place);
            let known = paper.findings.iter().any(|finding| {
                (finding.id, finding.place) == key && finding.evidence == Evidence::Violation
            });
            let places: Vec<_> =
                paper.findings.iter().filter(|f| f.id == key.0).map(|f| f.place).collect();
            assert!(
                known,
                "no finding of a violation of {key:?}; findings of this id are at {places:?}"
            );
            let finding = paper.finding(record).unwrap();
            assert!(record.comparison.excess_in_tolerances().unwrap() > 0.0);
            let explained = record.corrected.is_some() || finding.no_correction.is_some();
            assert!(
                explained,
                "{key:?} is violated on {}, and has neither a corrected statement nor `without_correction`",
                record.run
            );
        }
    }
}

#[test]
fn keys_ids_and_findings_fit_together() {
    for paper in ALL {
        for finding in paper.findings {
            assert!(paper.statements.contains(&finding.id), "{}", finding.id);
        }
        for (id, _) in paper.ours {
            assert!(paper.statements.contains(id), "{id}");
        }
        for survivor in paper.survivors {
            assert!(survivor.rests_on.iter().all(|id| paper.statements.contains(id)));
        }
        let mut places: Vec<_> =
            paper.findings.iter().map(|f| (f.id, f.place, f.evidence as u8)).collect();
        let count = places.len();
        places.sort_unstable();
        places.dedup();
        assert_eq!(places.len(), count, "{}: a finding is listed twice", paper.key);
    }
    let mut ids: Vec<&str> = ALL.iter().flat_map(|paper| paper.statements).copied().collect();
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count, "an id is in two papers");
    assert_eq!(Grade::ALL.map(Grade::name), ["false", "unclear", "gap", "constant", "typo"]);
}

/// The three known counterexamples, found without being told.
#[test]
fn the_adversary_rediscovers_the_counterexamples() {
    let paper = &gaussflow_theory::papers::gauss_newton::PAPER;
    let search = Search { seed: 1, extent: Extent::Work(30_000) };
    let broken = |family: &str, id: &str, place: &str| {
        let family = paper.families.iter().find(|known| known.name == family).unwrap();
        search.attack(family).iter().any(|record| {
            (record.statement.id, record.statement.place) == (id, place)
                && record.verdict == Verdict::Violated
                && record.attack.is_some()
        })
    };
    assert!(broken("points, p < n", "under/geodesic-strong-convexity", "Lemma 7"));
    assert!(broken("points, p >= n", "over/squared-inverse-bound", "(10)"));
    assert!(broken("flows, p < n", "under/theorem-5-rate", "Theorem 5, (22)"));
}

/// The same seed gives the same search.
#[test]
fn a_search_is_repeatable() {
    let family = &gaussflow_theory::papers::natural::PAPER.families[0];
    let search = |seed| Search { seed, extent: Extent::Draws(60) }.attack(family);
    assert_eq!(search(3), search(3));
    assert_ne!(search(3), search(4));
}

/// Far beyond what w resolves the flow stands still, and a statement on it would be judged on another flow.
#[test]
fn scalings_that_rounding_hides_are_passed_over() {
    let problem = material().over[0].problem(8).unwrap();
    assert!(require_resolved(&problem, 1e3).is_ok());
    let refused = require_resolved(&problem, 5e23).unwrap_err();
    assert!(refused.to_string().contains("rounding"), "{refused}");
}
