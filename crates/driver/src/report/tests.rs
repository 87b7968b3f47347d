//! The whole page: contents, untrusted names, missing and damaged parts, size, the same bytes.

use std::fs;
use std::path::Path;

use gaussflow_records::{
    AuditRecord, Claim, DataIdentity, Event, EventKind, Manifest, Numbers, Outcome, RunEntry,
    SCHEMA, SeedVerdict, Status, StopReason, TraceRow, write_json, write_trace,
};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use super::ReportError;
use super::folder::{Contents, Kind, Run};
use super::pictures::Pictures;
use super::{page, write};

/// Text that would run, or break the page, were it not escaped anywhere.
const EVIL: &str = "</script><script>alert(1)</script><img src=x onerror=f()>\"'&";

fn outcome(stop_reason: StopReason) -> Outcome {
    let completed = stop_reason == StopReason::Horizon;
    Outcome {
        classes: None,
        error: None,
        files: [].into(),
        status: if completed { Status::Completed } else { Status::Stopped },
        stop_reason,
        events: vec![Event {
            kind: EventKind::RankLost,
            time: 0.5,
            step: 50,
            value: 1e-7,
            threshold: 1e-6,
        }],
        exit_time: None,
        final_time: 1.0,
        final_weights: Numbers::List(vec![0.0]),
        final_loss: 2.5,
        counters: [("fallback_pseudo_inverse".to_owned(), 7)].into(),
    }
}

fn trace(rows: u32) -> Vec<TraceRow> {
    let row = |k: u32| {
        let time = 0.01 * f64::from(k);
        let loss = 100.0 * (-time).exp() + 1.0 + (0.1 * f64::from(k)).sin();
        TraceRow { step: k.into(), time, loss, deviation: time, ..TraceRow::default() }
    };
    (0..rows).map(row).collect()
}

fn claim(id: &str) -> Claim {
    let values = [(EVIL.to_owned(), 3.0)].into();
    Claim {
        id: id.to_owned(),
        predicate: format!("a predicate {EVIL}"),
        threshold: None,
        holds_fraction: 0.5,
        per_seed: vec![
            SeedVerdict { seed: 0, holds: true, values },
            SeedVerdict { seed: 1, holds: false, values: [].into() },
        ],
        note: EVIL.to_owned(),
    }
}

fn manifest() -> Manifest {
    Manifest {
        schema: SCHEMA,
        version: "9.8.7".to_owned(),
        commit: Some(format!("c0ffee{EVIL}")),
        seed: 0,
        data: DataIdentity { name: EVIL.to_owned(), rows: 20_640, sha256: "abcd1234".to_owned() },
        runs: vec![RunEntry { id: EVIL.to_owned(), path: "runs/one".to_owned() }],
        figures: vec!["figures/evil.svg".to_owned()],
    }
}

/// A folder with one of everything, every text in it malicious.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let run = root.join("runs/one");
    write_json(&root.join("manifest.json"), &manifest()).unwrap();
    // The first is not the paper's, and is not counted among its claims.
    let claims = vec![claim(EVIL), claim(&format!("experiment/{EVIL}"))];
    write_json(&root.join("claims.json"), &claims).unwrap();
    let quoted = serde_json::to_string(EVIL).unwrap();
    let hypothesis =
        format!("{{\"name\": {quoted}, \"value\": 1.0, \"threshold\": 2.0, \"met\": false}}");
    let record = format!(
        "{{\"id\": {quoted}, \"where\": {quoted}, \"run\": {quoted}, \"statement\": {quoted}, \"verdict\": {quoted}, \
         \"hypotheses\": [{hypothesis}], \"left\": 3.0, \"right\": 2.0, \"tolerance\": 0.0, \"worst_ratio\": 1.5, \
         \"at\": {quoted}, \"corrected\": {{\"statement\": {quoted}, \"verdict\": \"holds\"}}, \"note\": {quoted}, \
         \"figures\": [{quoted}]}}"
    );
    fs::write(root.join("audit.json"), format!("[{record}]")).unwrap();
    write_trace(&run.join("trace.csv"), &trace(101)).unwrap();
    write_json(&run.join("outcome.json"), &outcome(StopReason::RankLost)).unwrap();
    let config = format!(
        "{quoted} = {quoted}\n[dynamics]\nscaling = 8.0\nseed = 0\nintegrator = {quoted}\n"
    );
    fs::write(run.join("config.toml"), config).unwrap();
    fs::create_dir(root.join("figures")).unwrap();
    fs::write(root.join("figures/evil.svg"), format!("<svg><title>{EVIL}</title></svg>")).unwrap();
    folder
}

fn report(root: &Path) -> (String, Vec<String>) {
    let written = write(root).unwrap();
    (fs::read_to_string(written.path).unwrap(), written.problems)
}

#[test]
fn the_page_shows_every_part() {
    let folder = folder();
    let (page, problems) = report(folder.path());
    assert_eq!(problems, [""; 0]);
    for part in [
        "<h1>Reproduction of section 5</h1>",
        "S. Cayci, <cite>Gauss-Newton Dynamics",
        "0 of 1 claims of section 5 hold on all 2 seeds",
        "audited statement: unknown",
        "<span class=\"badge hypotheses-unmet\">rank lost</span>",
        "rank lost at t = 0.5 (step 50): 1e-7 against 1e-6",
        "pseudo inverse 7",
        "href=\"./runs/one/trace.csv\"",
        "data-chart=\"loss\"",
        "from 101 to ",
        "src=\"data:image/svg+xml,%3Csvg%3E",
        "gaussflow 9.8.7",
        "abcd1234",
        "c0ffee",
        "<dt>dynamics.scaling</dt><dd>8.0</dd>",
    ] {
        assert!(page.contains(part), "{part:?} is not in the page");
    }
    // A quantity that no row holds has no chart.
    assert!(!page.contains("data-chart=\"nu\""));
}

#[test]
fn no_text_of_a_file_becomes_markup() {
    let folder = folder();
    let (page, _) = report(folder.path());
    // Ours: the data and the code.
    assert_eq!(page.matches("<script").count(), 2);
    assert_eq!(page.matches("</script").count(), 2);
    assert!(!page.contains("<img src=x") && page.contains("&lt;img src=x onerror=f()&gt;"));
    let data = page.split_once("id=\"chart-data\">").unwrap().1.split_once("</script>").unwrap().0;
    let data: serde_json::Value = serde_json::from_str(data).unwrap();
    assert_eq!(data["groups"][0]["method"], format!(", {EVIL}"));
    // The policy lets our script run, by its hash, and nothing else; nothing is fetched.
    assert!(page.contains("default-src 'none'; img-src data:;"));
    let script = page.rsplit_once("<script>").unwrap().1.rsplit_once("</script>").unwrap().0;
    assert!(page.contains(&super::script_hash(script)));
    for attribute in ["src=\"", "href=\""] {
        for part in page.split(attribute).skip(1) {
            let harmless = ["data:", "./", "#"].iter().any(|start| part.starts_with(start));
            assert!(harmless, "{attribute}{}", &part[..part.len().min(40)]);
        }
    }
}

#[test]
fn what_is_missing_or_damaged_is_named_and_the_rest_shown() {
    for name in [
        "manifest.json",
        "claims.json",
        "audit.json",
        "runs/one/trace.csv",
        "runs/one/outcome.json",
        "runs/one/config.toml",
    ] {
        let folder = folder();
        let path = folder.path().join(name);
        fs::write(&path, "{\"half\": [1, 2").unwrap();
        let (page, problems) = report(folder.path());
        assert_eq!(problems.len(), 1, "{name}: {problems:?}");
        assert!(problems[0].starts_with(&format!("{name}: damaged")), "{problems:?}");
        assert!(page.contains("id=\"problems\"") && page.contains("id=\"runs\""));
        fs::remove_file(&path).unwrap();
        let (page, problems) = report(folder.path());
        // Claims and audit need not be there.
        let optional = ["claims.json", "audit.json"].contains(&name);
        assert_eq!(problems.is_empty(), optional, "{name}: {problems:?}");
        assert!(optional || problems[0] == format!("{name}: missing"), "{problems:?}");
        assert!(page.contains("id=\"runs\""));
    }
    let folder = folder();
    fs::remove_dir_all(folder.path().join("runs/one")).unwrap();
    fs::remove_file(folder.path().join("figures/evil.svg")).unwrap();
    let (page, problems) = report(folder.path());
    assert_eq!(problems, ["runs/one: the folder is missing", "figures/evil.svg: missing"]);
    assert!(page.contains("not readable"));
}

#[test]
fn no_path_of_a_manifest_leaves_the_folder() {
    let outside = folder();
    let folder = folder();
    let escape = format!("../{}/runs/one", outside.path().file_name().unwrap().display());
    for path in
        [escape, outside.path().join("runs/one").display().to_string(), "runs/link".to_owned()]
    {
        #[cfg(unix)]
        if path == "runs/link" {
            std::os::unix::fs::symlink(outside.path(), folder.path().join("runs/link")).unwrap();
        }
        let mut manifest = manifest();
        manifest.runs[0].path.clone_from(&path);
        manifest.figures = vec![format!("{path}.svg")];
        write_json(&folder.path().join("manifest.json"), &manifest).unwrap();
        let (page, problems) = report(folder.path());
        assert!(
            problems.iter().any(|p| p == &format!("{path}: leads out of the folder; not opened")),
            "{problems:?}"
        );
        assert!(!page.contains("pseudo inverse 7"), "{path} was read");
    }
}

#[test]
fn one_run_and_an_interrupted_folder_are_reported_too() {
    let folder = folder();
    let (page, problems) = report(&folder.path().join("runs/one"));
    assert!(page.contains("<h1>Run</h1>") && problems.is_empty(), "{problems:?}");
    assert!(page.contains("href=\"./trace.csv\""));
    let mut manifest = manifest();
    manifest.runs.clear();
    write_json(&folder.path().join("manifest.json"), &manifest).unwrap();
    let (page, problems) = report(folder.path());
    assert!(problems.len() == 1 && problems[0].contains("lists no runs"), "{problems:?}");
    assert!(page.contains("pseudo inverse 7"));
}

/// A fit's folder, every text in it malicious.
#[test]
fn a_fit_is_reported_too() {
    let folder = tempfile::tempdir().unwrap();
    let quoted = serde_json::to_string(EVIL).unwrap();
    let record = format!(
        "{{\"schema\": 1, \"model\": {quoted}, \"problem\": {quoted}, \"stop_reason\": {quoted}, \"converged\": true, \
         \"loss\": 2.0, \"residual_deviation\": 0.5, \"cosine\": 1e-9, \"rank\": 1, \"names\": [{quoted}, \"b\"], \
         \"parameters\": [3.0, 4.0], \"standard_deviations\": [0.5, null], \"covariance\": [], \"at_bound\": [null, null], \
         \"rank_loss\": {quoted}, \"null_directions\": [[0.0, 1.0]], \"residuals\": [0.5, -1.5, 1.0], \"fitted_error\": 1.0, \
         \"held_out_error\": null, \"evaluations\": 5, \"jacobians\": 4, \"rejected\": 1, \"history\": [{{\"iteration\": 3, \
         \"kind\": {quoted}, \"verdict\": {quoted}, \"loss\": 2.0, \"gain_ratio\": 1.0, \"damping\": 0.1, \"radius\": 1.0}}]}}"
    );
    fs::write(folder.path().join("fit.json"), record).unwrap();
    fs::write(folder.path().join("fit.svg"), format!("<svg><title>{EVIL}</title></svg>")).unwrap();
    let (page, problems) = report(folder.path());
    assert_eq!(problems, [""; 0]);
    // Two degrees of freedom: t = 4.3027.
    for part in [
        "<h1>Fit</h1>",
        "The fit converged",
        "0.848674 to 5.15133",
        "not determined",
        "<li>1 b</li>",
        "id=\"figure-fit\"",
    ] {
        assert!(page.contains(part), "{part:?} is not in the page");
    }
    assert!(!page.contains("<img src=x") && page.matches("<script").count() == 1);
    // The page is ours, and written again.
    assert!(page == report(folder.path()).0);
}

#[test]
fn every_link_within_the_page_leads_to_something() {
    let folder = folder();
    let (page, _) = report(folder.path());
    let ids: Vec<&str> =
        page.split(" id=\"").skip(1).filter_map(|part| part.split('"').next()).collect();
    let mut once = ids.clone();
    once.sort_unstable();
    once.dedup();
    assert_eq!(once.len(), ids.len(), "an id is there twice: {ids:?}");
    let targets: Vec<&str> =
        page.split("href=\"#").skip(1).filter_map(|part| part.split('"').next()).collect();
    assert!(targets.len() > 10, "{targets:?}");
    for target in targets.iter().filter(|target| !target.contains("${")) {
        assert!(ids.contains(target), "#{target} is nowhere");
    }
}

#[test]
fn other_folders_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("thesis.tex"), "irreplaceable").unwrap();
    let error = write(folder.path()).unwrap_err();
    assert!(matches!(error, ReportError::NotOurs { .. }) && error.exit_status() == 2, "{error}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    assert_eq!(write(&folder.path().join("absent")).unwrap_err().exit_status(), 3);
}

#[test]
fn equal_folders_give_equal_bytes_wherever_they_lie() {
    let (first, second) = (folder(), folder());
    let page = report(first.path()).0;
    assert!(page == report(second.path()).0);
    // Nor does the page that is there, or a time, enter the next one: it names the file alone.
    fs::write(first.path().join("timing.json"), "{\"seconds\": 71.828125}").unwrap();
    fs::write(second.path().join("timing.json"), "{\"seconds\": 99.75}").unwrap();
    let timed = report(first.path()).0;
    assert!(timed == report(second.path()).0 && timed.contains("href=\"./timing.json\""));
    assert!(!timed.contains("71.828125"));
}

/// A sweep of 3000 runs and an audit of 20,000 records, each with long texts.
#[test]
fn the_page_stays_below_six_megabytes() {
    let long = "a long remark ".repeat(40);
    let runs = (0..3000)
        .map(|k| Run {
            id: format!("run-{k}"),
            path: format!("runs/run-{k}"),
            settings: Some(
                [("dynamics.scaling", k / 4), ("dynamics.seed", k % 4)]
                    .map(|(key, value)| (key.to_owned(), value.to_string()))
                    .into(),
            ),
            trace: trace(700),
            outcome: Some(outcome(StopReason::RankLost)),
        })
        .collect();
    let entry = |k: u32| AuditRecord {
        id: format!("statement/{}", k % 60),
        statement: long.clone(),
        verdict: "violated".to_owned(),
        note: long.clone(),
        worst_ratio: Some(f64::from(k)),
        ..AuditRecord::default()
    };
    let folder = tempfile::tempdir().unwrap();
    let stems: Vec<String> = (0..40).map(|k| format!("figure_{k}")).collect();
    for stem in &stems {
        fs::write(folder.path().join(format!("{stem}.svg")), "M 1.25 2.5".repeat(30_000)).unwrap();
    }
    let contents = Contents {
        kind: Kind::Sweep,
        fit: None,
        timing: None,
        manifest: Some(manifest()),
        claims: vec![claim("x"); 40],
        audit: (0..20_000).map(entry).collect(),
        runs,
        figures: stems.clone(),
        files: vec!["summary.csv".to_owned()],
        problems: vec![long.clone(); 5000],
    };
    let page = page(&contents, &Pictures::read(folder.path(), &stems));
    assert!(page.len() < 6_000_000, "{} bytes", page.len());

    assert!(
        page.contains("The first 60 of 750 configurations are drawn")
            && page.contains("thinned to")
    );
}

#[test]
fn the_charting_library_is_the_released_one() {
    let assets = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/uplot");
    let readme = fs::read_to_string(assets.join("README.md")).unwrap();
    for name in ["uPlot.iife.min.js", "uPlot.min.css", "LICENSE"] {
        let digest = Sha256::digest(fs::read(assets.join(name)).unwrap());
        let sum = digest.iter().fold(String::new(), |sum, byte| format!("{sum}{byte:02x}"));
        assert!(readme.contains(&format!("| `{name}` |")) && readme.contains(&sum), "{name} {sum}");
    }
    let script = super::CHART_LIBRARY;
    assert!(!script.contains("</script") && !super::CHARTS.contains("</script"));
}
