//! Every error that a wrong file or flag causes: its exit status, and the facts that its text must hold.

use std::fs;
use std::path::Path;

use crate::common::{gaussflow, refusal};

/// The status and facts of `gaussflow run c.toml --out o`, which must leave nothing behind.
fn check_run(folder: &Path, what: &str, status: i32, facts: &[&str]) {
    let (found, said) = refusal(&["run", "c.toml", "--out", "o"], folder);
    assert_eq!(found, status, "{what}: {said}");
    for fact in facts {
        assert!(said.contains(fact), "{what}: {fact:?} is not in {said}");
    }
    assert!(!said.contains("panicked"), "{what}: {said}");
    assert!(!folder.join("o").exists(), "{what} left something behind");
}

#[test]
fn a_configuration_is_refused_at_line_and_column() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    for (text, facts) in [
        ("[dynamics]\nscaling = = 8", &["c.toml:2:11", "not valid TOML"][..]),
        ("[dinamics]\nscaling = 8.0", &["c.toml:1:2", "[dinamics]", "dynamics", "record"]),
        (
            "[dynamics]\nscalling = 8.0",
            &["c.toml:2:1", "dynamics.scalling", "did you mean dynamics.scaling"],
        ),
        ("scaling = 8.0", &["c.toml:1:1", "scaling", "dynamics.scaling"]),
        ("[dynamics]\nscaling = \"8\"", &["c.toml:2:11", "\"8\"", "a number above 0"]),
        ("[dynamics]\nscaling = nan", &["c.toml:2:11", "NaN", "a number above 0"]),
        ("[dynamics]\nscaling = 1e999", &["c.toml:2:11"]),
        ("[dynamics]\nstep = 0.1\nhorizon = 0.05", &["c.toml:3:11", "0.05", "one step"]),
        ("[dynamics]\nstep = 1e-12", &["dynamics.horizon", "1e9"]),
        ("[dynamics]\nseed = -1", &["c.toml:2:8", "-1", "9223372036854775807"]),
        ("[dynamics]\nintegrator = \"rk5\"", &["c.toml:2:14", "rk5", "\"rk4\""]),
        (
            "[dynamics]\ndamping = 0.1",
            &["c.toml:2:11", "0.1", "gauss-newton", "levenberg-marquardt"],
        ),
        ("[dynamics.damping]\nname = \"fixed\"", &["dynamics.damping", "only a number"]),
        ("[network]\nhidden = 0", &["c.toml:2:10", "from 1 to 1000000"]),
        ("[network]\nhidden = 1000000000000000000", &["c.toml:2:10", "from 1 to 1000000"]),
        (
            "[network]\nhidden = 3\ninitialization = \"antisymmetric\"",
            &["c.toml:2:10", "antisymmetric", "even"],
        ),
        ("[loss]\nname = \"weighted\"", &["loss.weights", "missing"]),
        ("[loss]\ncurvature = 2.0", &["c.toml:2:13", "log-cosh"]),
        (
            "data.samples = 3\nloss = { name = 'weighted', weights = [1.0] }",
            &["a list of 1", "samples = 3"],
        ),
        ("[data]\npath = \"x.csv\"", &["data.target", "missing"]),
        ("[data]\nname = \"california-housing\"\npath = \"x.csv\"", &["c.toml:3:8", "either name"]),
        ("[data]\nsamples = 1", &["c.toml:2:11", "at least 2"]),
        ("[record]\nevery = 0", &["c.toml:2:9", "at least 1"]),
        (
            "[record]\nevery = 4\ncheckpoint_every = 6",
            &["c.toml:3:20", "6", "multiple of record.every"],
        ),
        ("dynamics = 3", &["c.toml:1:12", "[dynamics]"]),
        ("[data]\nsamples = 30000", &["30000", "20640"]),
    ] {
        fs::write(path.join("c.toml"), text).unwrap();
        check_run(path, text, 2, facts);
    }
    fs::write(path.join("c.toml"), b"[data]\n# \xff").unwrap();
    check_run(path, "bytes", 2, &["c.toml", "not UTF-8", "byte 9"]);
    // A file that says nothing costs nothing, however long it claims to be.
    fs::File::create(path.join("c.toml")).unwrap().set_len((1 << 26) + 1).unwrap();
    check_run(path, "a large file", 2, &["c.toml", "67108864"]);
    fs::remove_file(path.join("c.toml")).unwrap();
    check_run(path, "no file", 3, &["c.toml", "cannot read"]);
    fs::create_dir(path.join("c.toml")).unwrap();
    check_run(path, "a folder", 3, &["c.toml", "cannot read"]);
}

#[test]
fn data_are_refused_at_line_and_column() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let config = "data = { path = 'd.csv', target = 'b', samples = 3 }\nnetwork.hidden = 1\n\
                  dynamics.horizon = 0.02\n";
    fs::write(path.join("c.toml"), config).unwrap();
    check_run(path, "no file", 3, &["d.csv", "cannot read"]);
    for (text, facts) in [
        (&b""[..], &["d.csv", "empty"][..]),
        (b"a,b\n", &["d.csv", "no rows"]),
        (b"\xff,b\n1,2\n", &["d.csv", "not UTF-8"]),
        (b"a,,b\n1,2,3\n", &["d.csv", "column 2", "no name"]),
        (b"a,b,a\n1,2,3\n", &["d.csv", "columns 1 and 3", "\"a\""]),
        (b"a,c\n1,2\n", &["d.csv", "no column \"b\"", "a, c"]),
        (b"b\n1\n", &["d.csv", "besides the target"]),
        (b"a,b\n1,2\n3\n", &["d.csv:3", "1 cells", "header has 2"]),
        (b"a,b\n1,2\n3,x\n", &["d.csv:3", "\"b\"", "\"x\"", "not a number"]),
        (b"a,b\n1,2\n3,1e999\n", &["d.csv:3", "\"b\"", "not finite"]),
        (b"a,b\n1,2\n3,\"4\n5,6\n", &["d.csv:3", "quote", "never closed"]),
        (b"a,b\n1,2\n\"3\"0,4\n", &["d.csv:3", "quote"]),
        (b"a,b\n1,2\n3,4\0\n", &["d.csv:3", "NUL"]),
        (b"a;b\n1;2\n", &["d.csv", "semicolons", "commas"]),
        (b"a,b\n1,\"2,5\"\n", &["d.csv:2", "\"2,5\"", "decimal point"]),
        (b"\xff\xfea\0,\0b\0", &["d.csv", "UTF-16", "UTF-8"]),
        (b"a,b\n1,2\n3,4\n", &["3 rows", "only 2"]),
        (b"a,b\n1,2\n1,4\n1,5\n", &["\"a\"", "same value", "1.0"]),
        (b"a,b\n1e308,2\n-1e308,4\n9e307,5\n", &["\"a\"", "standardized"]),
    ] {
        fs::write(path.join("d.csv"), text).unwrap();
        check_run(path, &String::from_utf8_lossy(text), 2, facts);
    }
}

#[test]
fn usage_is_refused_with_what_is_accepted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    fs::write(path.join("c.toml"), "dynamics.horizon = 0.01\n").unwrap();
    for (arguments, facts) in [
        (&["rum"][..], &["rum", "run"][..]),
        (&["run"], &["<CONFIG>"]),
        (&["run", "c.toml", "--set"], &["--set <KEY=VALUE>"]),
        (&["run", "c.toml", "--out", "o", "--quiet", "--json"], &["--quiet", "--json"]),
        (&["run", "c.toml", "--oot", "o"], &["--oot", "--out"]),
        (&["sweep"], &["<CONFIG>"]),
        (&["sweep", "c.toml", "--out", "o", "--jobs", "two"], &["two", "--jobs"]),
        (&["compare", "o"], &["<B>"]),
        (&["completions", "dos"], &["dos", "bash", "fish", "zsh"]),
        (&["reproduce", "--seeds", "0"], &["--seeds is 0", "from 1 to 1000000"]),
        (&["reproduce", "--seeds", "x"], &["--seeds", "x"]),
    ] {
        let (status, said) = refusal(arguments, path);
        assert_eq!(status, 2, "{arguments:?}: {said}");
        for fact in facts {
            assert!(said.contains(fact), "{arguments:?}: {fact:?} is not in {said}");
        }
    }
}

#[test]
fn a_damaged_or_foreign_output_folder_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let config = "data.samples = 20\nnetwork.hidden = 2\ndynamics.horizon = 0.02\n";
    fs::write(path.join("c.toml"), config).unwrap();
    fs::create_dir(path.join("o")).unwrap();
    fs::write(path.join("o/thesis.tex"), "irreplaceable").unwrap();
    let (status, said) = refusal(&["run", "c.toml", "--out", "o"], path);
    assert!(
        status == 2 && said.contains("manifest.json") && said.contains("empty or new"),
        "{said}"
    );
    for (manifest, facts) in [
        ("{", ["manifest.json", "not the expected JSON"]),
        ("{\"schema\": 1}", ["manifest.json", "version"]),
        (
            r#"{"schema":1,"version":"0","commit":null,"seed":0,"data":{"name":"x","rows":1,"sha256":"0"},
               "runs":[],"figures":["/etc/passwd"]}"#,
            ["/etc/passwd", "inside this folder"],
        ),
    ] {
        fs::write(path.join("o/manifest.json"), manifest).unwrap();
        let (status, said) = refusal(&["run", "c.toml", "--out", "o"], path);
        assert_eq!(status, 2, "{manifest}: {said}");
        for fact in facts {
            assert!(said.contains(fact), "{manifest}: {fact:?} is not in {said}");
        }
    }
    let (status, said) = refusal(&["run", "c.toml", "--out", "c.toml/x"], path);
    assert!(status == 3 && said.contains("c.toml/x") && said.contains("cannot"), "{said}");
}

#[test]
fn every_command_has_help_with_an_example() {
    let folder = tempfile::tempdir().unwrap();
    let help = |arguments: &[&str]| {
        let output = gaussflow(arguments, folder.path());
        assert!(output.status.success(), "{arguments:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let whole = help(&["--help"]);
    assert!(whole.contains("130 after an interruption"), "{whole}");
    let commands = whole.split_once("Commands:").unwrap().1.split_once("Options:").unwrap().0;
    let names: Vec<&str> = commands
        .lines()
        .filter_map(|line| line.strip_prefix("  ").filter(|line| !line.starts_with(' ')))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .collect();
    assert!(
        ["run", "sweep", "compare", "completions"].iter().all(|name| names.contains(name)),
        "{names:?}"
    );
    for name in names {
        let text = help(&[name, "--help"]);
        assert!(text.contains("Example") && text.contains(&format!("gaussflow {name}")), "{text}");
    }
    for shell in ["bash", "zsh", "fish"] {
        let script = help(&["completions", shell]);
        assert!(["sweep", "compare", "resume"].iter().all(|word| script.contains(word)), "{shell}");
    }
}

#[test]
fn json_of_a_run_is_its_outcome() {
    let folder = tempfile::tempdir().unwrap();
    let config = "data.samples = 20\nnetwork.hidden = 2\ndynamics.horizon = 0.02\n";
    fs::write(folder.path().join("c.toml"), config).unwrap();
    let output = gaussflow(&["run", "c.toml", "--out", "o", "--json"], folder.path());
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let run = folder.path().join(answer["folder"].as_str().unwrap());
    let outcome: serde_json::Value =
        serde_json::from_slice(&fs::read(run.join("outcome.json")).unwrap()).unwrap();
    for field in ["status", "stop_reason", "final_loss", "final_time", "events", "counters"] {
        assert_eq!(answer[field], outcome[field], "{field}");
    }
}
