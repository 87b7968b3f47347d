//! `gaussflow report A B`: what differs between two folders, in sentences and tables.

use std::fs;
use std::path::Path;

use crate::common::{gaussflow, refusal};

const SMALL: &str =
    "[data]\nsamples = 40\n[network]\nhidden = 3\n[dynamics]\nhorizon = 0.5\nscaling = ";

fn run(folder: &Path, name: &str, scaling: &str) {
    let file = format!("{name}.toml");
    fs::write(folder.join(&file), format!("{SMALL}{scaling}\n")).unwrap();
    assert!(gaussflow(&["run", &file, "--out", name, "--quiet"], folder).status.success());
}

/// The page without its scripts, styles and data.
fn page(folder: &Path, file: &str) -> String {
    let text = fs::read_to_string(folder.join(file)).unwrap();
    let main = text.split("<main").nth(1).unwrap().split("</main>").next().unwrap();
    main.split("<script").next().unwrap().to_owned() + main.rsplit("</script>").next().unwrap()
}

#[test]
fn two_runs_are_compared_in_words_and_numbers() {
    let scratch = tempfile::tempdir().unwrap();
    let folder = scratch.path();
    run(folder, "weak", "4.0");
    run(folder, "strong", "32.0");
    let output = gaussflow(&["report", "weak", "strong"], folder);
    assert!(output.status.success(), "{output:?}");
    let shown = page(folder, "out/weak-beside-strong/report.html");
    for part in [
        "<b>The configurations</b> differ in <code>dynamics.scaling</code> (4 against 32).",
        "Gauss-Newton, Euler, α = 4; Gauss-Newton, Euler, α = 32",
        " times as much.",
        "strong / weak",
        "data-chart=\"loss\"",
    ] {
        assert!(shown.contains(part), "{part:?} is not in {shown}");
    }
    // The ratio is that of the two outcomes.
    let last = |name: &str| {
        let runs = fs::read_dir(folder.join(name).join("runs")).unwrap();
        let outcome = runs.map(|run| run.unwrap().path().join("outcome.json")).next().unwrap();
        let outcome: serde_json::Value =
            serde_json::from_str(&fs::read_to_string(outcome).unwrap()).unwrap();
        outcome["final_loss"].as_f64().unwrap()
    };
    let ratio = last("strong") / last("weak");
    let cell =
        shown.split("data-label=\"strong / weak\">").nth(1).unwrap().split('<').next().unwrap();
    let told: f64 = cell.parse().unwrap();
    assert!((told / ratio - 1.0).abs() < 1e-4, "{told} {ratio}");
}

#[test]
fn a_folder_beside_itself_shows_no_difference() {
    let scratch = tempfile::tempdir().unwrap();
    let folder = scratch.path();
    run(folder, "one", "8.0");
    assert!(gaussflow(&["report", "one", "one", "--out", "both"], folder).status.success());
    let shown = page(folder, "both/report.html");
    assert!(shown.contains("of both folders have the same values"), "{shown}");
    assert!(shown.contains("is the same number in both for 1 configuration"), "{shown}");
    assert!(!shown.contains("id=\"settings\""));
}

#[test]
fn a_second_folder_that_is_not_ours_is_named() {
    let scratch = tempfile::tempdir().unwrap();
    let folder = scratch.path();
    run(folder, "one", "8.0");
    fs::create_dir(folder.join("other")).unwrap();
    let (status, said) = refusal(&["report", "one", "other", "--out", "both"], folder);
    assert_eq!(status, 2);
    assert!(said.contains("other: neither"), "{said}");
    assert!(!folder.join("both").exists());
    // A folder for the page makes sense with two folders alone.
    let (status, said) = refusal(&["report", "one", "--out", "both"], folder);
    assert_eq!(status, 2);
    assert!(said.contains("OTHER"), "{said}");
}
