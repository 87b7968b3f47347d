//! Tests of the records: numbers survive to the last bit, files appear whole or not at all.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::Path;

use proptest::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tempfile::tempdir;

use super::StopReason as R;
use super::*;

fn any_number() -> impl Strategy<Value = f64> {
    prop::num::f64::ANY
}

/// Equal bits, any NaN for a number that is not finite.
fn same(found: f64, written: f64) -> bool {
    if written.is_finite() { found.to_bits() == written.to_bits() } else { found.is_nan() }
}

fn names_in(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn a_file_appears_whole_or_not_at_all() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("runs/one/config.toml");
    write_bytes(&path, b"old").unwrap();
    let mut unfinished = AtomicFile::create(&path).unwrap();
    unfinished.write_all(&vec![b'x'; 100_000]).unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"old");
    drop(unfinished);
    assert_eq!(names_in(path.parent().unwrap()), ["config.toml"]);
    write_bytes(&path, b"new").unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"new");
    assert_eq!(names_in(path.parent().unwrap()), ["config.toml"]);
}

#[cfg(unix)]
#[test]
fn a_record_is_as_readable_as_any_new_file() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempdir().unwrap();
    let (plain, record) = (folder.path().join("plain"), folder.path().join("record"));
    fs::write(&plain, b"").unwrap();
    write_bytes(&record, b"").unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode();
    assert_eq!(mode(&record), mode(&plain));
}

#[test]
fn what_cannot_be_written_or_read_fails_with_status_3() {
    let folder = tempdir().unwrap();
    let blocked = folder.path().join("file");
    fs::write(&blocked, b"").unwrap();
    // A folder in the place of the file, and a file in the place of the folder.
    fs::create_dir(folder.path().join("claims.json")).unwrap();
    for path in [blocked.join("trace.csv"), folder.path().join("claims.json")] {
        for error in [
            write_bytes(&path, b"").unwrap_err(),
            write_trace(&path, &[]).unwrap_err(),
            write_npy(&path, &[1], &[0.0]).unwrap_err(),
            write_json(&path, &1).unwrap_err(),
        ] {
            assert!(matches!(&error, RecordError::Write { path: named, .. } if *named == path));
            assert_eq!(error.exit_status(), 3);
        }
        for error in [read_trace(&path).unwrap_err(), read_json::<u8>(&path).unwrap_err()] {
            assert!(matches!(&error, RecordError::Read { path: named, .. } if *named == path));
            assert_eq!(error.exit_status(), 3);
        }
    }
    let mut left = names_in(folder.path());
    left.sort();
    assert_eq!(left, ["claims.json", "file"]);
}

fn trace_text(text: &str) -> Result<Vec<TraceRow>, RecordError> {
    let folder = tempdir().unwrap();
    let path = folder.path().join("trace.csv");
    fs::write(&path, text).unwrap();
    read_trace(&path)
}

#[test]
fn a_trace_is_written_as_the_design_says() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("trace.csv");
    let first =
        TraceRow { time: 0.1 + 0.2, loss: 1e-300, damping: Some(1e22), ..TraceRow::default() };
    let second = TraceRow {
        step: 1,
        loss: f64::INFINITY,
        deviation: f64::NAN,
        gram_min_eigenvalue: -0.0,
        held_out_loss: Some(f64::NEG_INFINITY),
        ..TraceRow::default()
    };
    write_trace(&path, &[first, second]).unwrap();
    assert_eq!(
        fs::read_to_string(&path).unwrap(),
        "step,time,loss,deviation,riemannian_gradient_norm,gram_min_eigenvalue,\
         gram_max_eigenvalue,kernel_min_eigenvalue,normal_gradient_norm,riemannian_hessian_min,\
         riemannian_hessian_max,curvature_bound,damping,held_out_loss\n\
         0,0.30000000000000004,1e-300,0.0,0.0,0.0,,,,,,,1e22,\n\
         1,0.0,,,0.0,-0.0,,,,,,,,\n"
    );
}

#[test]
fn a_trace_is_read_by_name_with_columns_to_come_or_still_missing() {
    let first = "step,time,loss,deviation,riemannian_gradient_norm,gram_min_eigenvalue";
    let rows = trace_text(&format!("{first}\r\n7,1,2.5,,4,5\r\n")).unwrap();
    assert_eq!((rows.len(), rows[0].step, rows[0].gram_max_eigenvalue), (1, 7, None));
    assert!(rows[0].deviation.is_nan() && (rows[0].loss - 2.5).abs() < f64::EPSILON);
    let rows = trace_text(&format!("new,{first},damping,later\nx,7,1,2,3,4,5,0.5,y\n")).unwrap();
    assert_eq!((rows[0].step, rows[0].damping), (7, Some(0.5)));
    assert!(trace_text(&format!("{first}\n")).unwrap().is_empty());
}

#[test]
fn a_malformed_trace_is_refused_with_its_place() {
    let header = TRACE_COLUMNS.join(",");
    let row = |step: &str, loss: &str| format!("{step},0,{loss},0,0,0,,,,,,,,,,,\n");
    let bad_loss = trace_text(&format!("{header}\n{}{}", row("0", "1"), row("1", "one")));
    match bad_loss.unwrap_err() {
        RecordError::MalformedCell { line: 3, column: "loss", text, .. } => assert_eq!(text, "one"),
        other => panic!("{other}"),
    }
    let bad_step = trace_text(&format!("{header}\n{}", row("0.5", "1"))).unwrap_err();
    assert!(matches!(bad_step, RecordError::MalformedCell { line: 2, column: "step", .. }));
    assert_eq!(bad_step.exit_status(), 2);
    let short = trace_text(&format!("{header}\n1,2\n")).unwrap_err();
    assert!(matches!(short, RecordError::MalformedRow { line: 2, .. }), "{short}");
    let missing = trace_text("step,time,loss,deviation,riemannian_gradient_norm\n").unwrap_err();
    assert!(matches!(missing, RecordError::MissingColumn { column: "gram_min_eigenvalue", .. }));
    let empty = trace_text("").unwrap_err();
    assert!(matches!(empty, RecordError::MissingColumn { column: "step", .. }));
}

fn round_trip<T: Serialize + DeserializeOwned>(record: &T) -> (String, T) {
    let folder = tempdir().unwrap();
    let path = folder.path().join("record.json");
    write_json(&path, record).unwrap();
    (fs::read_to_string(&path).unwrap(), read_json(&path).unwrap())
}

fn keys_of<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(record: &T) -> String {
    let (text, again) = round_trip(record);
    assert_eq!(&again, record);
    // Only the outermost fields are indented by two spaces.
    let keys = text.lines().filter_map(|line| line.strip_prefix("  \"")?.split_once('"'));
    keys.map(|(key, _)| key).collect::<Vec<_>>().join(",")
}

fn outcome() -> Outcome {
    Outcome {
        status: Status::Stopped,
        stop_reason: StopReason::RankLost,
        events: vec![Event {
            kind: EventKind::RankLost,
            time: 0.05,
            step: 5,
            value: 9e-7,
            threshold: 1e-6,
        }],
        exit_time: None,
        final_time: 5.0,
        final_weights: Numbers::Rows(vec![vec![0.1, 0.2], vec![0.3, 1e-17]]),
        final_loss: 123.4,
        counters: BTreeMap::from([("pseudo-inverse".into(), 3), ("jacobians".into(), u64::MAX)]),
        classes: None,
        error: None,
        files: BTreeMap::new(),
    }
}

#[test]
fn records_have_the_fields_of_the_design_in_order() {
    let problem = Problem {
        rows: vec![3, 1],
        inputs: vec![vec![0.5], vec![-0.5]],
        targets: Numbers::List(vec![1.0, 2.0]),
        output_signs: Numbers::List(vec![1.0, -1.0, 1.0]),
        initial_weights: Numbers::Rows(vec![vec![0.1], vec![0.2], vec![0.3]]),
        layers: None,
        output: None,
        outputs: None,
        all_rows: None,
    };
    assert_eq!(keys_of(&problem), "rows,inputs,targets,output_signs,initial_weights");
    assert_eq!(
        keys_of(&outcome()),
        "status,stop_reason,events,exit_time,final_time,final_weights,final_loss,counters"
    );
    let manifest = Manifest {
        schema: SCHEMA,
        version: "0.1.0".into(),
        commit: None,
        seed: 0,
        data: DataIdentity { name: "california-housing".into(), rows: 20_640, sha256: "2".into() },
        runs: vec![RunEntry { id: "a".into(), path: "runs/a".into() }],
        figures: vec!["figures/figure_1a.svg".into()],
    };
    assert_eq!(keys_of(&manifest), "schema,version,commit,seed,data,runs,figures");
    let values = BTreeMap::from([("ratio".into(), 1e-13)]);
    let claim = Claim {
        id: "experiment/collapse".into(),
        predicate: "ratio < 1e-12".into(),
        threshold: Some(1e-12),
        holds_fraction: 1.0,
        per_seed: vec![SeedVerdict { seed: 0, holds: true, values: values.clone() }],
        note: String::new(),
    };
    assert_eq!(keys_of(&claim), "id,predicate,threshold,holds_fraction,per_seed,note");
    let timing = Timing { seconds: 1.5, parts: values, threads: 2, ..Timing::default() };
    assert_eq!(keys_of(&timing), "seconds,parts,threads,started,processor,system");
}

#[test]
fn words_and_nulls_are_those_of_the_design() {
    let (text, _) = round_trip(&outcome());
    for fragment in [
        "\"status\": \"stopped\"",
        "\"stop_reason\": \"rank-lost\"",
        "\"kind\": \"rank-lost\"",
        "\"exit_time\": null",
        // Named counters are sorted, whatever order they were counted in.
        "\"jacobians\": 18446744073709551615,\n    \"pseudo-inverse\": 3",
    ] {
        assert!(text.contains(fragment), "{fragment} is not in {text}");
    }
    let words = |reasons: &[StopReason]| serde_json::to_string(reasons).unwrap();
    assert_eq!(
        words(&[R::Horizon, R::RankLost, R::LeftBall, R::NonFinite, R::Stationary, R::Interrupted]),
        r#"["horizon","rank-lost","left-ball","non-finite","stationary","interrupted"]"#
    );
    let mut lost = outcome();
    lost.final_loss = f64::NAN;
    lost.final_weights = Numbers::List(vec![0.1, f64::INFINITY]);
    lost.events[0].value = f64::NEG_INFINITY;
    lost.exit_time = Some(f64::NAN);
    let (text, again) = round_trip(&lost);
    assert_eq!(text.matches("null").count(), 4);
    assert!(again.final_loss.is_nan() && again.final_weights.to_vec()[1].is_nan());
    assert!(again.events[0].value.is_nan() && again.exit_time.is_none());
}

#[test]
fn fields_to_come_are_accepted_and_wrong_ones_refused() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("problem.json");
    let good = r#"{"rows":[0],"inputs":[[1,2]],"targets":[3],"output_signs":[1],
        "initial_weights":[[0,null]],"later":{}}"#;
    fs::write(&path, good).unwrap();
    let problem = Problem::read(&path).unwrap();
    assert!(problem.initial_weights.to_vec()[1].is_nan());
    for (from, to, named) in [
        ("[0],", "[0,1],", "inputs"),
        ("[[1,2]]", "[[1]]", "a row of initial_weights"),
        ("[3]", "[]", "targets"),
        ("[1],", "[1,1],", "initial_weights"),
    ] {
        fs::write(&path, good.replacen(from, to, 1)).unwrap();
        let error = Problem::read(&path).unwrap_err();
        assert!(matches!(error, RecordError::Shape { what, .. } if what == named), "{error}");
    }
    let deep = good.replace("[[0,null]]", "[1,2,3,4,5,6,7]").replace(
        "\"later\"",
        r#""layers":[{"width":2,"bias":true,"scale":0.5,"activation":"tanh"},
            {"width":1,"bias":false,"scale":1,"activation":"erf"}],"output":"trained","later""#,
    );
    fs::write(&path, &deep).unwrap();
    let error = Problem::read(&path).unwrap_err().to_string();
    assert!(error.contains("initial_weights") && error.contains('9'), "{error}");
    fs::write(&path, deep.replace("7]", "7,8,9]")).unwrap();
    assert_eq!(Problem::read(&path).unwrap().initial_weights.shape(), [9]);
    let several = deep
        .replace("[1,2,3,4,5,6,7]", "[1,2,3,4,5,6,7,8,9,10]")
        .replace("[3]", "[[3,4]]")
        .replace("\"output_signs\":[1]", "\"output_signs\":[[1],[-1]]")
        .replace("\"output\"", "\"outputs\":2,\"output\"");
    fs::write(&path, &several).unwrap();
    let read = Problem::read(&path).unwrap();
    assert_eq!((read.targets.shape(), read.output_signs.shape()), (vec![1, 2], vec![2, 1]));
    fs::write(&path, several.replace("[[1],[-1]]", "[[1]]")).unwrap();
    assert!(Problem::read(&path).unwrap_err().to_string().contains("output_signs"));
    for text in ["", "[]", r#"{"rows":[0]}"#, &good.replace("[3]", "[\"three\"]")] {
        fs::write(&path, text).unwrap();
        let error = Problem::read(&path).unwrap_err();
        assert!(matches!(&error, RecordError::Json { path: named, .. } if *named == path));
        assert_eq!(error.exit_status(), 2);
    }
}

/// The bytes that `numpy.save` gives: tests/golden/npy.py.
#[test]
fn arrays_are_numpys_byte_for_byte() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("array.npy");
    let third = 1.0 / 3.0;
    let weights =
        [0.1, -0.0, 1e-300, -1.5, f64::INFINITY, 5e-324, 7.0, 8.0, 9.0, 10.0, 11.0, third];
    write_npy(&path, &[2, 2, 3], &weights).unwrap();
    let golden: &[u8] = include_bytes!("../tests/golden/weights.npy");
    assert_eq!(fs::read(&path).unwrap(), golden);
    write_npy_integers(&path, &[0, 50, -1, 1 << 62]).unwrap();
    let golden: &[u8] = include_bytes!("../tests/golden/steps.npy");
    assert_eq!(fs::read(&path).unwrap(), golden);
    write_npy(&path, &[0, 18, 8], &[]).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().len(), 128);
    for (shape, expected) in [(vec![2, 5], 10), (vec![usize::MAX, 2], usize::MAX)] {
        let error = write_npy(&path, &shape, &weights).unwrap_err();
        assert!(
            matches!(error, RecordError::Shape { expected: e, found: 12, .. } if e == expected)
        );
    }
}

#[test]
fn a_matrix_becomes_its_rows() {
    assert_eq!(rows_of(&[1.0, 2.0, 3.0, 4.0], 2), [[1.0, 2.0], [3.0, 4.0]]);
    assert!(rows_of(&[1.0], 0).is_empty());
}

proptest! {
    // Each case writes synced files: fewer of them than the default 256.
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_trace_reads_back_to_the_same_bits(
        steps in prop::collection::vec(any::<u64>(), 0..5),
        n in prop::collection::vec(any_number(), 16),
    ) {
        let folder = tempdir().unwrap();
        let path = folder.path().join("trace.csv");
        let written: Vec<TraceRow> = steps.iter().map(|&step| TraceRow {
            step, time: n[0], loss: n[1], deviation: n[2], riemannian_gradient_norm: n[3],
            gram_min_eigenvalue: n[4], gram_max_eigenvalue: Some(n[5]),
            kernel_min_eigenvalue: Some(n[6]), normal_gradient_norm: Some(n[7]),
            riemannian_hessian_min: None, riemannian_hessian_max: Some(n[9]),
            curvature_bound: Some(n[10]), damping: Some(n[11]), held_out_loss: Some(n[12]),
            log_loss: Some(n[13]), accuracy: Some(n[14]), held_out_accuracy: Some(n[15]),
        }).collect();
        write_trace(&path, &written).unwrap();
        let found = read_trace(&path).unwrap();
        prop_assert_eq!(found.len(), written.len());
        for (row, &step) in found.iter().zip(&steps) {
            prop_assert_eq!((row.step, row.riemannian_hessian_min), (step, None));
            let required = [row.time, row.loss, row.deviation, row.riemannian_gradient_norm,
                row.gram_min_eigenvalue];
            prop_assert!(required.iter().zip(&n).all(|(&a, &b)| same(a, b)));
            let optional = [(row.gram_max_eigenvalue, n[5]), (row.kernel_min_eigenvalue, n[6]),
                (row.normal_gradient_norm, n[7]), (row.riemannian_hessian_max, n[9]),
                (row.curvature_bound, n[10]), (row.damping, n[11]), (row.held_out_loss, n[12]),
                (row.log_loss, n[13]), (row.accuracy, n[14]), (row.held_out_accuracy, n[15])];
            for (a, b) in optional {
                prop_assert_eq!(a.map(f64::to_bits), b.is_finite().then(|| b.to_bits()));
            }
        }
    }

    #[test]
    fn json_reads_back_to_the_same_bits_and_writes_the_same_bytes(
        values in prop::collection::vec(any_number(), 6), seed: u64,
    ) {
        let claim = Claim {
            id: "x".into(), predicate: "y".into(), threshold: Some(values[0]),
            holds_fraction: values[1],
            per_seed: vec![SeedVerdict {
                seed, holds: seed % 2 == 0,
                values: values.iter().enumerate().map(|(k, &v)| (format!("v{k}"), v)).collect(),
            }],
            note: "\"\u{0}\n\u{1f600}".into(),
        };
        let (text, again) = round_trip(&claim);
        prop_assert!(same(again.threshold.unwrap_or(f64::NAN), values[0]));
        prop_assert!(same(again.holds_fraction, values[1]));
        for (found, &written) in again.per_seed[0].values.values().zip(&values) {
            prop_assert!(same(*found, written));
        }
        prop_assert_eq!(round_trip(&again).0, text);
        let problem = Problem {
            rows: vec![usize::MAX], inputs: vec![values[..2].to_vec()], targets: Numbers::List(vec![values[2]]),
            output_signs: Numbers::List(vec![values[3]]), initial_weights: Numbers::Rows(vec![values[4..].to_vec()]),
            layers: None, output: None, outputs: None, all_rows: None,
        };
        let (_, again) = round_trip(&problem);
        let numbers = |p: &Problem| [&p.inputs[0][..], &p.targets.to_vec(), &p.output_signs.to_vec(),
            &p.initial_weights.to_vec()].concat();
        prop_assert!(numbers(&again).iter().zip(&values).all(|(&a, &b)| same(a, b)));
    }
}

/// Readers of audit.json take what is missing for empty: what somebody else's list of objects lacks must still tell it apart.
#[test]
fn an_audit_of_ours_says_what_it_judges() {
    let folder = tempdir().unwrap();
    let json = folder.path().join("audit.json");
    let first_version = r#"[{"id": "over/gap-bound", "where": "(2)", "run": "r", "statement": "x <= y",
        "hypotheses": [], "left": 1.0, "right": 2.0, "tolerance": 0.0, "worst_ratio": 0.5, "verdict": "holds",
        "at": "t = 1", "corrected": null, "note": ""}]"#;
    for (text, ours) in [(first_version, true), (r#"[{"mine": 1}]"#, false), ("[]", false)] {
        fs::write(&json, text).unwrap();
        assert_eq!(ownership::is_ours(&json), ours, "{text}");
    }
    let report = folder.path().join("audit_lazy.md");
    let heading = "# Referee report: On Lazy Training\n\n";
    for (text, ours) in [("A. B. What was read: a preprint.\n", true), ("I liked it.\n", false)] {
        fs::write(&report, format!("{heading}{text}")).unwrap();
        assert_eq!(ownership::is_ours(&report), ours, "{text}");
    }
}
