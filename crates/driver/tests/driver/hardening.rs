//! Readers against arbitrary bytes: no panic, no hang, no memory out of proportion to the input.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::peak::peak;
use gaussflow_data::load_csv;
use gaussflow_driver::config::{Config, Sweep};
use gaussflow_records::{
    CheckpointRecord, Claim, Outcome, Problem, RecordError, RunEntry, TRACE_COLUMNS, Timing,
    read_json, read_manifest, read_trace, run_folder,
};
use proptest::prelude::*;

/// Every reader on one file, whatever it holds: results and errors are both fine.
fn read_with_everything(folder: &Path, bytes: &[u8]) {
    let path = folder.join("manifest.json");
    fs::write(&path, bytes).unwrap();
    drop(Config::read(&path));
    drop(Sweep::read(&path));
    drop(load_csv(&path, &["b"]));
    drop(read_trace(&path));
    drop(read_manifest(folder));
    drop(Problem::read(&path));
    drop(read_json::<Outcome>(&path));
    drop(read_json::<CheckpointRecord>(&path));
    drop(read_json::<Timing>(&path));
    drop(read_json::<Vec<Claim>>(&path));
}

/// Asserts that the readers finish in time and in memory: a fixed part for buffers and messages, and a
/// multiple of the input for what is parsed from it (a CSV cell of one byte and its comma become an f64 and
/// two ends of 8 bytes each, twice while a buffer grows; a TOML value some 100 bytes).
fn check(bytes: &[u8]) {
    let folder = tempfile::tempdir().unwrap();
    let begun = Instant::now();
    let used = peak(|| read_with_everything(folder.path(), bytes));
    assert!(used <= 300_000 + 400 * bytes.len(), "{used} bytes for {} of input", bytes.len());
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
}

/// Texts near enough to the formats that they get past the first test of a reader.
fn near_misses() -> impl Strategy<Value = Vec<u8>> {
    let pieces = prop::sample::select(vec![
        "[sweep]\n",
        "[[sweep.cases]]\n",
        "seeds = ",
        "\"dynamics.scaling\" = ",
        "[data]\n",
        "[",
        "]",
        "{",
        "}",
        ",",
        ":",
        "\n",
        "\"",
        "\\u",
        "\\ud800",
        "null",
        "-0",
        "1e999",
        "1e-999",
        "0x7f",
        "nan",
        "99999999999999999999",
        "9007199254740993",
        "a,b\n",
        "1,2\n",
        "step,time,loss",
        "\u{feff}",
        "\"schema\": 1",
        "\"runs\": [",
        "\"path\": \"../../etc\"",
        "\"events\"",
        "\r",
        "'",
        "#",
        "=",
        ".",
        "dynamics.step",
        "[dynamics]\nseed = ",
        "\0",
        "\u{1f600}",
        "weights = [",
        "true",
    ]);
    prop::collection::vec(pieces, 0..60).prop_map(|pieces| pieces.concat().into_bytes())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn arbitrary_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        check(&bytes);
    }

    #[test]
    fn near_misses_are_read_or_refused(bytes in near_misses()) {
        check(&bytes);
    }

    /// A good file with some bytes changed, cut or doubled.
    #[test]
    fn damaged_files_are_read_or_refused(
        which in 0..4usize, at in any::<prop::sample::Index>(), byte: u8, cut in any::<prop::sample::Index>(),
    ) {
        let trace = TRACE_COLUMNS.join(",") + "\n0,0.0,1.5,0.0,2.0,3.0,,,,,,,,\n1,0.1,1,1,1,1,,,,,,,,\n";
        let goods = [
            Config::commented_default(),
            "[sweep]\nseeds = [1, 2]\n'dynamics.scaling' = [1.0, 2.0]\n".to_owned(),
            trace,
            r#"{"schema":1,"version":"0.1.0","commit":null,"seed":0,"data":{"name":"x","rows":2,
                "sha256":"0"},"runs":[{"id":"a","path":"runs/a"}],"figures":[]}"#.to_owned(),
        ];
        let mut bytes = goods[which].clone().into_bytes();
        let place = at.index(bytes.len());
        bytes[place] = byte;
        check(&bytes);
        bytes.truncate(cut.index(bytes.len()));
        check(&bytes);
    }

    /// A path leaves its folder by going up, by being absolute, or by a link; nothing else does.
    #[test]
    fn no_manifest_names_a_place_outside(
        parts in prop::collection::vec(prop::sample::select(vec!["..", ".", "runs", "a", "/", "", "C:", "\\"]), 1..5),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("root");
        fs::create_dir(&root).unwrap();
        let path = parts.join("/");
        let text = serde_json::json!({
            "schema": 1, "version": "0", "commit": null, "seed": 0,
            "data": { "name": "x", "rows": 1, "sha256": "0" },
            "runs": [{ "id": "a", "path": path }], "figures": [],
        });
        fs::write(root.join("manifest.json"), text.to_string()).unwrap();
        match read_manifest(&root) {
            Ok(_) => {
                prop_assert!(parts.iter().all(|part| ["runs", "a"].contains(part)));
                fs::create_dir_all(root.join(&path)).unwrap();
                let run = RunEntry { id: "a".to_owned(), path };
                let found = run_folder(&root, &run).unwrap();
                prop_assert!(found.starts_with(root.canonicalize().unwrap()));
            }
            Err(RecordError::Escape { named, .. }) => prop_assert_eq!(named, path),
            Err(other) => prop_assert!(false, "{}", other),
        }
    }
}

#[test]
fn depth_is_bounded() {
    for (open, close) in [("[", "]"), ("{\"a\":", "}"), ("a = [", "]"), ("a = { b = ", "}")] {
        for depth in [200, 100_000] {
            check((open.repeat(depth) + &close.repeat(depth)).as_bytes());
            check(open.repeat(depth).as_bytes());
        }
    }
    check(("[a".to_owned() + &".a".repeat(50_000) + "]\n").as_bytes());
    check(("a".to_owned() + &".a".repeat(50_000) + " = 1\n").as_bytes());
}

#[test]
fn size_alone_costs_no_more_than_its_multiple() {
    let key = "k".repeat(200_000);
    check(format!("{key} = 1\n").as_bytes());
    check(format!("[dynamics]\n{key} = 1\n").as_bytes());
    check(format!("[sweep]\n\"{key}\" = [1]\n").as_bytes());
    check(format!("[dynamics]\nscaling = \"{key}\"\n").as_bytes());
    check(
        format!("loss = {{ name = \"weighted\", weights = [{}] }}", "1,".repeat(50_000)).as_bytes(),
    );
    check(("a,b\n".to_owned() + &"1,2\n".repeat(50_000)).as_bytes());
    check((",".repeat(100_000) + "\n").as_bytes());
    check("\"".repeat(100_000).as_bytes());
    check(format!("[{}]", "[],".repeat(50_000) + "[]").as_bytes());
}

#[cfg(unix)]
#[test]
fn a_link_does_not_lead_out_of_a_folder_of_runs() {
    let folder = tempfile::tempdir().unwrap();
    let (root, outside) = (folder.path().join("root"), folder.path().join("outside"));
    fs::create_dir_all(root.join("runs/mine")).unwrap();
    fs::create_dir(&outside).unwrap();
    std::os::unix::fs::symlink(&outside, root.join("runs/theirs")).unwrap();
    std::os::unix::fs::symlink("mine", root.join("runs/inside")).unwrap();
    let run = |name: &str| RunEntry { id: name.to_owned(), path: format!("runs/{name}") };
    assert!(run_folder(&root, &run("mine")).is_ok() && run_folder(&root, &run("inside")).is_ok());
    let refused = run_folder(&root, &run("theirs")).unwrap_err();
    assert!(matches!(&refused, RecordError::Escape { named, .. } if named == "runs/theirs"));
    assert_eq!(refused.exit_status(), 2);
    assert!(matches!(run_folder(&root, &run("absent")), Err(RecordError::Read { .. })));
}
