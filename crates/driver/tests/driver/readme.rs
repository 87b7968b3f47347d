//! The numbers of README.md and the verdicts of docs/learn/theorems.md, against the committed results of the full
//! reproduction and a quick reproduction that is made here.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use gaussflow::prelude::*;
use gaussflow::theory::papers::gauss_newton::plan::counterexample;
use gaussflow_driver::conclusions::{Conclusions, Verdict};
use gaussflow_records::{AuditRecord, read_json};
use serde_json::Value;

use crate::common::gaussflow;

/// The scalings of section 5 at which rank is kept.
const KEPT: [u32; 3] = [8, 16, 256];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A page, with every blank and line break as one blank.
fn page(path: &str) -> String {
    let text = fs::read_to_string(root().join(path)).unwrap();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Fails with `sentence` where `page` does not have it: the page is stale, or says it in other words.
fn says(page: &str, sentence: &str) {
    assert!(page.contains(sentence), "the page does not say \"{sentence}\"");
}

/// The committed results of the full reproduction.
struct Reference(Value);

impl Reference {
    fn read() -> Self {
        Self(
            read_json(&Path::new(env!("CARGO_MANIFEST_DIR")).join("reference/reference.json"))
                .unwrap(),
        )
    }

    /// Fractions of seeds on which a claim holds.
    fn claims(&self) -> BTreeMap<String, f64> {
        serde_json::from_value(self.0["claims"]["full"].clone()).unwrap()
    }

    /// A number of a run.
    fn number(&self, run: &str, name: &str) -> f64 {
        self.0["runs"][run][name].as_f64().unwrap_or_else(|| panic!("{run} has no {name}"))
    }

    fn seeds(&self) -> usize {
        let runs = self.0["runs"].as_object().unwrap().keys();
        runs.filter(|id| id.starts_with("gauss-newton-alpha_8-seed_")).count()
    }
}

#[test]
fn section_5_came_out_as_readme_says() {
    let (readme, reference) = (page("README.md"), Reference::read());
    let (claims, seeds) = (reference.claims(), reference.seeds());
    let on = |claim: &str| format!("{:.0} of {seeds}", claims[claim] * seeds as f64);
    let readings: Vec<f64> =
        claims.iter().filter(|(id, _)| id.starts_with("experiment/")).map(|(_, f)| *f).collect();
    let always = readings.iter().filter(|share| **share >= 1.0).count();
    let count = readings.len();
    says(&readme, &format!("repeated on {seeds} seeds"));
    says(
        &readme,
        &format!("Of {count} readings of its claims, {always} hold on {seeds} of {seeds} seeds"),
    );
    let (grows, ahead) = (on("experiment/bias"), on("experiment/beats-gradient-flow/all-times"));
    says(&readme, &format!("every step of alpha, holds on {grows}, and one,"));
    says(&readme, &format!("Gauss-Newton is ahead at all times, on {ahead}."));
    assert_eq!(count, always + 2, "one reading each holds on some and on no seeds");
    let ends_below = on("experiment/beats-gradient-flow");
    says(&readme, &format!("ends with the lower loss on {ends_below} seeds"));
    assert_eq!(on("experiment/beats-gradient-flow/passing"), ends_below);
    says(&readme, &format!("on {} seeds.", on("experiment/collapse")));
}

#[test]
fn the_flows_ended_as_readme_says() {
    let (readme, reference) = (page("README.md"), Reference::read());
    let (mut gains, mut passed, mut lost) = (Vec::new(), Vec::new(), Vec::new());
    for seed in 0..reference.seeds() {
        for alpha in KEPT {
            let newton = format!("gauss-newton-alpha_{alpha}-seed_{seed}");
            let aim =
                reference.number(&format!("gradient-alpha_{alpha}-seed_{seed}"), "loss at t = 5");
            let times = [0.0, 0.05, 0.5, 1.0, 2.0, 5.0];
            let loss = times.map(|t| reference.number(&newton, &format!("loss at t = {t}")));
            gains.push(1.0 - loss[5] / aim);
            // What is above the last loss decays exponentially between records.
            let above = |loss_then: f64| (loss_then - loss[5]).ln();
            let k = (1..6).find(|&k| loss[k] <= aim).unwrap();
            let share = (above(aim) - above(loss[k - 1])) / (above(loss[k]) - above(loss[k - 1]));
            passed.push(if k == 5 {
                times[4]
            } else {
                times[k - 1] + share * (times[k] - times[k - 1])
            });
        }
        let run = format!("gauss-newton-adaptive-alpha_0.125-seed_{seed}");
        lost.push(reference.number(&run, "time of lost rank"));
    }
    for values in [&mut gains, &mut passed, &mut lost] {
        values.sort_by(f64::total_cmp);
    }
    let (least, most) = (100.0 * gains[0], 100.0 * gains[gains.len() - 1]);
    says(&readme, &format!("by {least:.1} to {most:.0} percent"));
    let said = between(&readme, "passes gradient flow's final loss at about t = ", ",");
    let median = passed[passed.len() / 2];
    assert!((said - median).abs() <= 0.1, "README.md says t = {said}, and the median is {median}");
    let (first, last) = (lost[0], lost[lost.len() - 1]);
    says(&readme, &format!("loses its rank between t = {first:.3} and t = {last:.3}"));
}

/// The number that stands in `text` between `before` and `after`.
fn between(text: &str, before: &str, after: &str) -> f64 {
    let rest = text.split(before).nth(1).unwrap_or_else(|| panic!("no \"{before}\""));
    rest.split(after).next().unwrap().replace(',', "").parse().unwrap()
}

/// The verdict that each row of docs/learn/theorems.md begins its third cell with, by the name of the statement.
fn shown_verdicts() -> BTreeMap<String, Verdict> {
    let theorems = fs::read_to_string(root().join("docs/learn/theorems.md")).unwrap();
    let rows = theorems
        .lines()
        .filter(|line| line.contains("](../../crates/theory/src/papers/gauss_newton/"));
    rows.map(|row| {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let verdict = match cells[2].split("**").nth(1) {
            Some("Holds") => Verdict::Holds,
            Some("Fails") => Verdict::Violated,
            Some("Reported") => Verdict::Reported,
            other => panic!("{other:?} is no verdict: {row}"),
        };
        (cells[4].trim_matches('`').to_owned(), verdict)
    })
    .collect()
}

/// A quick reproduction takes half a minute on two cores; its audit judges every statement of the first paper.
#[test]
fn the_audit_came_out_as_the_pages_say() {
    let folder = tempfile::tempdir().unwrap();
    let output = gaussflow(&["reproduce", "--quick", "--quiet", "--out", "o"], folder.path());
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let records: Vec<AuditRecord> = read_json(&folder.path().join("o/audit.json")).unwrap();
    let conclusions = Conclusions::of(&records);
    let readme = page("README.md");

    let found: BTreeMap<String, Verdict> =
        conclusions.statements.iter().map(|s| (s.id.to_owned(), s.verdict())).collect();
    assert_eq!(shown_verdicts(), found, "docs/learn/theorems.md against the audit");
    let counts =
        [Verdict::Holds, Verdict::Violated, Verdict::Reported].map(|v| conclusions.with_verdict(v));
    let ([holds, fails, reported], all) = (counts, found.len());
    says(
        &readme,
        &format!(
            "Of {all} statements, {holds} hold wherever their hypotheses are met, {fails} fail"
        ),
    );
    says(&readme, &format!("fail somewhere and {reported} can only be reported"));
    let theorems = page("docs/learn/theorems.md");
    says(
        &theorems,
        &format!("{all} statements, {holds} hold, {fails} fail and {reported} are reported"),
    );

    let violated = |r: &&AuditRecord| {
        r.place == "Theorem 5, (22)"
            && r.run.contains("(counterexample)")
            && r.verdict == "violated"
    };
    let record = records.iter().find(violated).unwrap();
    assert!(record.hypotheses.iter().all(|hypothesis| hypothesis.met), "{record:?}");
    assert_eq!(record.at, "t = 4.0000");
    let ratio = record.worst_ratio.unwrap();
    says(&readme, &format!("the gap at t = 4 is {ratio:.0} times the bound"));
    let problem = counterexample().unwrap();
    let (x, y) = (problem.network.inputs(), problem.minimizer());
    let data = format!(
        "two rows x = {} and x = {}, start 1/2 and targets {} and {}",
        x[(0, 0)],
        x[(1, 0)],
        y[0],
        y[1]
    );
    says(&readme, &data);
    assert_eq!(problem.initial, [0.5]);

    // Gauss-Newton 4.0000 to 4.0000; gradient flow 1.906e-4 to 1.482e1, a factor 7.8e4.
    let record = records.iter().find(|r| r.id == "under/conditioning-free").unwrap();
    let (least, most) = (
        between(&record.note, "Gauss-Newton ", " to "),
        between(&record.note, &format!("Gauss-Newton {:.4} to ", 4.0), ";"),
    );
    assert_eq!(format!("{least:.3}"), format!("{most:.3}"));
    says(&readme, &format!("the rate of the Gauss-Newton flow stays at {least:.3}, twice"));
    let slow = between(&record.note, "gradient flow ", " to ");
    let fast = between(record.note.split("gradient flow").nth(1).unwrap(), " to ", ",");
    says(&readme, &format!("falls from {fast:.0} to {slow:.5}, by a factor of 78,000"));
    assert_eq!(format!("{:.0}", fast / slow / 1e3), "78");
    assert_eq!(record.at, "cond(H_0) 1.0e1 to 1.0e6");
    says(&readme, "From condition number 10 to 1e6");
}

/// The programs of README.md are run elsewhere; what they print is computed here.
#[test]
fn both_programs_print_what_readme_shows() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let x: Vec<f64> = (0..60).map(f64::from).flat_map(|j| [j.sin(), (1.4 * j).cos()]).collect();
    let y = x.chunks(2).map(|row| (2.0 * row[0]).sin() - row[1]).collect();
    let start = InitialPoint::draw(Initialization::Nullified, 4, 2, 0).unwrap();
    let network = Network::new(&x, 2, &start.signs, Activation::Tanh).unwrap();
    let network = network.nullified_at(&start.weights).unwrap();
    let objective = Objective::new(network, Squared::new(y).unwrap(), 8.0).unwrap();
    let first = objective.loss_at(&start.weights).unwrap();
    for (name, preconditioner, integrator) in [
        ("gauss-newton", Preconditioner::GaussNewton, Integrator::Euler),
        ("gradient", Preconditioner::Gradient, Integrator::Stiff(Tolerances::default())),
    ] {
        let settings = Settings { preconditioner, integrator, horizon: 3.0, ..Settings::default() };
        let outcome = simulate(&objective, &start.weights, &settings, |_, _, _| ()).unwrap();
        let line = format!("{name}: {first:.3} -> {:.3}\n", outcome.final_loss);
        assert!(readme.contains(&line), "README.md does not show {line}");
    }
}

/// Sizes within a tenth: of the packages that Cargo.lock names (where this machine has them), and of the program.
#[test]
fn what_is_downloaded_and_built_is_as_large_as_readme_says() {
    let readme = page("README.md");
    let lock = fs::read_to_string(root().join("Cargo.lock")).unwrap();
    let packages: Vec<&str> =
        lock.split("[[package]]").filter(|package| package.contains("\nsource = ")).collect();
    let close = |said: f64, found: f64, what: &str| {
        assert!(
            (said / found - 1.0).abs() < 0.1,
            "README.md says {said} {what}, and it is {found}"
        );
    };
    close(
        between(&readme, "Cargo downloads at most 59 MB (", " packages)"),
        packages.len() as f64,
        "packages",
    );
    if let Some(megabytes) = downloaded(&packages) {
        close(between(&readme, "Cargo downloads at most ", " MB"), megabytes, "MB");
    }
    let versions = [
        ("Cargo.toml", "rust-version = \"1.89\"", "Rust 1.89 or later"),
        ("crates/python/pyproject.toml", "requires-python = \">=3.9\"", "Python 3.9 or later"),
    ];
    for (manifest, line, sentence) in versions {
        assert!(page(manifest).contains(line), "{manifest} has no {line}");
        says(&readme, sentence);
    }
    let program = fs::metadata(env!("CARGO_BIN_EXE_gaussflow")).unwrap().len() as f64 / 1e6;
    // The program that tests run may be built otherwise than the one that is installed.
    let said = between(&readme, "the command gaussflow, ", " MB");
    assert!((said / program - 1.0).abs() < 0.3, "README.md says {said} MB, and it is {program}");
}

/// The size of all these packages in Cargo's cache, or nothing where one is missing.
fn downloaded(packages: &[&str]) -> Option<f64> {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cargo")))?;
    let caches: Vec<PathBuf> = fs::read_dir(home.join("registry/cache"))
        .ok()?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    let size = |package: &&str| {
        let field = |key: &str| package.split(&format!("\n{key} = \"")).nth(1)?.split('"').next();
        let file = format!("{}-{}.crate", field("name")?, field("version")?);
        caches.iter().find_map(|cache| Some(fs::metadata(cache.join(&file)).ok()?.len()))
    };
    Some(packages.iter().map(size).sum::<Option<u64>>()? as f64 / 1e6)
}
