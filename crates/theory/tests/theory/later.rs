//! The later versions' claims at quick effort on drawn rows, against closed forms.

use gaussflow_theory::papers::later;
use gaussflow_theory::referee::{Effort, Material, Measurements, Paper, Rows, audit};
use gaussflow_theory::{Record, Sampler, Verdict};

/// Normal rows: 64 of 8 features for p < n, 16 for p >= n.
pub fn material() -> Material {
    let rows = |count: usize, seed: u64| {
        let mut sampler = Sampler::new(seed);
        let (inputs, targets) = (sampler.normal(8 * count), sampler.normal(count));
        Rows { seed: 0, inputs, targets, features: 8 }
    };
    let (under, over) = (vec![rows(96, 60)], vec![rows(16, 61)]);
    Material { effort: Effort::Quick, under, over, traces: Vec::new() }
}

/// Every id has a record; everything is reported with numbers, and every figure and table has some.
pub fn audited(paper: &Paper) -> Measurements {
    let found = audit(&[paper], &material()).unwrap().remove(0).found;
    for id in paper.statements {
        assert!(found.records.iter().any(|record| record.statement.id == *id), "{id}");
    }
    for record in &found.records {
        assert_eq!(record.verdict, Verdict::Reported, "{record:?}");
        let sides = [record.comparison.left, record.comparison.right];
        assert!(sides.iter().all(|side| side.is_finite()), "{record:?}");
    }
    for plot in &found.plots {
        for (name, x, y) in &plot.curves {
            assert!(!x.is_empty() && x.len() == y.len(), "{}: {name}", plot.stem);
        }
    }
    for table in &found.tables {
        assert!(table.rows.iter().all(|row| row.len() == table.head.len()), "{}", table.title);
    }
    found
}

fn of<'f>(found: &'f Measurements, id: &str, text: &str) -> Vec<&'f Record> {
    let chosen = |r: &&Record| r.statement.id == id && r.statement.text.contains(text);
    found.records.iter().filter(chosen).collect()
}

#[test]
fn later_versions_in_kind() {
    let found = audited(&later::PAPER);
    // At alpha = 1e6 the network is linear: PL constant nu, largest eigenvalue mu, both 2.
    for id in ["later/geodesic-pl", "later/geodesic-smoothness"] {
        let run = found
            .records
            .iter()
            .find(|r| r.statement.id == id && r.run.ends_with("alpha = 1e6"))
            .unwrap();
        assert!((run.comparison.left - 2.0).abs() < 1e-3, "{run:?}");
    }
    // A threshold that is proven is not below the measured one.
    for record in of(&found, "later/deep", "alpha from which") {
        assert!(record.comparison.left <= record.comparison.right, "{record:?}");
    }
    // docs/learn/derivations.md, section 7: the gap falls at least 4-fold a step, and at the rate nu (1 + lambda) at least.
    for record in of(&found, "later/adaptive-damping", "") {
        assert!(record.comparison.left >= 0.99 * record.comparison.right, "{record:?}");
    }
    let schedules = found.plots.iter().find(|plot| plot.stem == "audit_schedules").unwrap();
    assert_eq!(schedules.curves.len(), 4);
}
