//! The pages of docs/look-up name everything that the program knows and writes, and nothing that it does not.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use gaussflow::dynamics::FitStop;
use gaussflow_driver::{BAD_INPUT, CHECK_FAILED, INTERRUPTED, IO_FAILED};
use gaussflow_records::{EventKind, Status, StopReason, TRACE_COLUMNS};

use crate::common::{gaussflow, refusal, tree};

fn page(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/look-up").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The part of a page below the heading `title` (without its signs), up to the next heading.
fn section<'p>(page: &'p str, title: &str) -> &'p str {
    let mut parts = page.split("\n#").skip(1);
    let is_it = |part: &&str| {
        part.lines().next().is_some_and(|line| line.trim_start_matches('#').trim() == title)
    };
    parts.find(is_it).unwrap_or_else(|| panic!("no heading {title}"))
}

/// What stands between backquotes at the start of the rows of a page's tables.
fn first_cells(text: &str) -> BTreeSet<String> {
    let quoted =
        |line: &str| line.strip_prefix("| `")?.split_once("` |").map(|(word, _)| word.to_owned());
    text.lines().filter_map(quoted).collect()
}

/// Everything between backquotes.
fn quoted(text: &str) -> BTreeSet<String> {
    text.lines().flat_map(|line| line.split('`').skip(1).step_by(2)).map(str::to_owned).collect()
}

fn set(words: impl IntoIterator<Item = impl Into<String>>) -> BTreeSet<String> {
    words.into_iter().map(Into::into).collect()
}

/// What `gaussflow config` writes: keys, with the values that they accept.
fn keys_of_the_program() -> BTreeSet<String> {
    let folder = tempfile::tempdir().unwrap();
    let text = String::from_utf8(gaussflow(&["config"], folder.path()).stdout).unwrap();
    let mut section = "";
    let mut keys = BTreeSet::new();
    for line in text.lines() {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            section = name;
        }
        // A key that is left out stands behind a comment sign; prose never has ` = ` after its first word.
        let line = line.strip_prefix("# ").unwrap_or(line);
        if let Some((key, _)) = line.split_once(" = ").filter(|(key, _)| !key.contains(' ')) {
            keys.insert(format!("{section}.{key}"));
        }
    }
    keys
}

#[test]
fn configuration_lists_the_keys_of_the_program() {
    let page = page("configuration.md");
    let (of_a_run, _) = page.split_once("\n## The problem file of a fit").unwrap();
    let listed: BTreeSet<String> =
        first_cells(of_a_run).into_iter().filter(|key| !key.starts_with("sweep.")).collect();
    let losses = section(&page, "loss");
    let names = first_cells(losses).into_iter().filter(|word| word.starts_with('"'));
    let names: BTreeSet<String> = names.collect();
    let listed: BTreeSet<String> = listed.difference(&names).cloned().collect();
    let known = keys_of_the_program();
    assert!(known.len() > 35, "{known:?}");
    assert_eq!(listed, known);
    for key in ["sweep.seeds", "sweep.cases"] {
        assert!(first_cells(section(&page, "sweep")).contains(key), "{key}");
    }
}

/// The words and the default of every key, as the program tells them.
#[test]
fn configuration_lists_what_each_key_accepts() {
    let page = page("configuration.md");
    let folder = tempfile::tempdir().unwrap();
    let text = String::from_utf8(gaussflow(&["config"], folder.path()).stdout).unwrap();
    let (mut section_name, mut comment) = ("", String::new());
    for line in text.lines() {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            section_name = name;
        } else if let Some(more) = line.strip_prefix("# ") {
            // An example of a key without a value ends what is said of it.
            if more.split_once(" = ").is_some_and(|(key, _)| !key.contains(' ')) {
                comment.clear();
                continue;
            }
            comment = format!("{comment} {more}");
        } else if let Some((key, value)) = line.split_once(" = ") {
            let part = section(&page, section_name);
            let start = format!("| `{section_name}.{key}` |");
            let row = part.lines().find(|row| row.starts_with(&start)).unwrap();
            // Those of the losses stand in a table of their own.
            let place = if key == "name" { part } else { row };
            let default = row.split(" | ").nth(2);
            assert_eq!(default, Some(&*format!("`{value}`")), "{section_name}.{key}");
            let accepted = comment.split_once("one of ").map_or("", |(_, accepted)| accepted);
            for word in accepted.split('"').skip(1).step_by(2) {
                assert!(place.contains(&format!("`\"{word}\"`")), "{section_name}.{key}: {word}");
            }
            comment.clear();
        }
    }
}

/// The parser of a problem file names the keys of a section when it is given one that does not exist.
#[test]
fn configuration_lists_the_keys_of_a_fit() {
    let page = page("configuration.md");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let whole = "[data]\npath = 'd.csv'\nresponse = 'y'\n[model]\nexpression = 'a * x'\n[parameters]\na = 1.0\n";
    for (name, text) in [
        ("data", whole.replace("path =", "nokey = 1\npath =")),
        ("model", whole.replace("expression =", "nokey = 1\nexpression =")),
        ("fit", format!("{whole}[fit]\nnokey = 1\n")),
        ("output", format!("{whole}[output]\npictures = true\nnokey = 1\n")),
    ] {
        std::fs::write(path.join("p.toml"), text).unwrap();
        let (status, said) = refusal(&["fit", "p.toml"], path);
        assert_eq!(status, 2, "{said}");
        let (_, accepted) = said.split_once("expected ").unwrap_or_else(|| panic!("{said}"));
        assert_eq!(
            first_cells(section(&page, &format!("fit: {name}"))),
            quoted(accepted),
            "[{name}]"
        );
    }
    let parameters = first_cells(section(&page, "fit: parameters"));
    assert_eq!(parameters, set(["start", "lower", "upper", "fixed"]));
    for key in ["lower = 0.0", "upper = 9.0", "fixed = false"] {
        let text = whole.replace("a = 1.0", &format!("a = {{ start = 1.0, {key} }}"));
        std::fs::write(path.join("p.toml"), text).unwrap();
        std::fs::write(path.join("d.csv"), "x,y\n1,2\n2,4\n3,6.1\n").unwrap();
        let output = gaussflow(&["fit", "p.toml", "--no-pictures"], path);
        assert!(output.status.success(), "{key}: {output:?}");
    }
}

/// Two short runs on classes of one sweep, and what else a folder may hold.
const SWEEP: &str = "
data = { name = 'breast-cancer', samples = 40, standardize = 'full' }
network.hidden = 1
loss.name = 'logistic'
dynamics = { preconditioner = 'levenberg-marquardt', damping = 0.1, horizon = 0.05 }
[sweep]
seeds = 2
'network.activation' = ['tanh']
";

fn header(path: &Path) -> BTreeSet<String> {
    let text = std::fs::read_to_string(path).unwrap();
    set(text.lines().next().unwrap().split(','))
}

#[test]
fn columns_are_those_that_are_written() {
    let page = page("columns.md");
    assert_eq!(first_cells(section(&page, "trace.csv")), set(TRACE_COLUMNS));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    std::fs::write(path.join("s.toml"), SWEEP).unwrap();
    let output = gaussflow(&["sweep", "s.toml", "--out", "s"], path);
    assert!(output.status.success(), "{output:?}");
    let mut written = header(&path.join("s/summary.csv"));
    let fallbacks = written.iter().filter(|name| name.starts_with("fallback_")).count();
    assert!(fallbacks > 0 && written.remove("network.activation"), "{written:?}");
    written.retain(|name| !name.starts_with("fallback_"));
    written.extend(["section.key".to_owned(), "fallback_...".to_owned()]);
    assert_eq!(first_cells(section(&page, "summary.csv")), written);
    // The quantiles stand in the other cells of their rows.
    let rows = section(&page, "bands.csv").lines().filter(|line| line.starts_with('|'));
    let bands = quoted(&rows.collect::<Vec<_>>().join("\n"));
    assert_eq!(bands, header(&path.join("s/bands.csv")));
}

/// The words of a choice, as its reader tells them of a word that it does not know.
fn words<T: serde::de::DeserializeOwned>() -> BTreeSet<String> {
    let Err(error) = serde_json::from_str::<T>("\"no such word\"") else { panic!("accepted") };
    let said = error.to_string();
    let (_, expected) = said.split_once("expected ").unwrap_or_else(|| panic!("{said}"));
    quoted(expected)
}

#[test]
fn ends_of_commands_runs_and_fits_are_listed() {
    let page = page("exit-statuses.md");
    let statuses =
        [0, CHECK_FAILED, BAD_INPUT, IO_FAILED, INTERRUPTED].map(|status| status.to_string());
    assert_eq!(first_cells(section(&page, "Exit statuses")), set(statuses));
    let runs = first_cells(section(&page, "How a run ends"));
    let mut known = words::<Status>();
    known.extend(words::<StopReason>());
    known.extend(words::<EventKind>());
    assert!(known.len() > 8, "{known:?}");
    assert_eq!(runs, known);
    let fits = section(&page, "How a fit ends");
    for stop in [
        FitStop::Gradient,
        FitStop::Step,
        FitStop::Decrease,
        FitStop::Rounding,
        FitStop::AtBounds,
        FitStop::RankLostAtBound,
        FitStop::Noise,
        FitStop::NoProgress,
        FitStop::EvaluationLimit,
        FitStop::IterationLimit,
        FitStop::NonFinite,
        FitStop::Interrupted,
    ] {
        let row = fits.lines().find(|row| row.contains(&format!("`{}`", stop.name())));
        let row = row.unwrap_or_else(|| panic!("{}", stop.name()));
        let said = if stop.converged() { "| yes |" } else { "| no |" };
        assert!(row.contains(said), "{row}");
    }
}

/// The fields of a JSON record; of a list those of its first entry that is not null.
fn fields(path: &Path) -> BTreeSet<String> {
    let text = std::fs::read_to_string(path).unwrap();
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    let record = value.as_array().map_or(&value, |list| &list[0]);
    set(record.as_object().unwrap().keys())
}

/// Fails with what is not quoted in a part of files.md.
#[track_caller]
fn assert_quoted(names: &BTreeSet<String>, part: &str) {
    let there = quoted(part);
    let missing: Vec<_> = names.difference(&there).collect();
    assert!(!names.is_empty() && missing.is_empty(), "files.md does not name {missing:?}");
}

#[test]
fn files_of_runs_sweeps_and_fits_are_listed() {
    let page = page("files.md");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    std::fs::write(path.join("s.toml"), SWEEP).unwrap();
    let data = "x,y\n0,1\n1,2.1\n2,3.9\n3,8.2\n";
    std::fs::write(path.join("d.csv"), data).unwrap();
    let problem = "[data]\npath = 'd.csv'\nresponse = 'y'\n[model]\nexpression = 'a * exp(b * x)'\n\
                   [parameters]\na = 1.0\nb = 0.5\n";
    std::fs::write(path.join("p.toml"), problem).unwrap();
    let id = "levenberg-marquardt-rho_0.1-alpha_8-seed_0-activation_tanh";
    let run = format!("s/runs/{id}");
    for call in [
        &["sweep", "s.toml", "--out", "s"][..],
        &["audit", &run, "--quiet"],
        &["report", &run],
        &["fit", "p.toml", "--out", "f"],
    ] {
        let output = gaussflow(call, path);
        assert!(output.status.success(), "{call:?}: {output:?}");
    }
    let names = |folder: &str| -> BTreeSet<String> {
        let all = tree(&path.join(folder)).into_keys();
        let files = all.filter(|name| !name.ends_with('/'));
        files.map(|name| name.rsplit('/').next().unwrap().to_owned()).collect()
    };
    assert_quoted(&names(&run), section(&page, "A run"));
    let mut of_the_sweep = names("s");
    of_the_sweep.retain(|name| path.join("s").join(name).exists());
    assert_quoted(&of_the_sweep, section(&page, "A sweep"));
    assert_quoted(&names("f"), section(&page, "A fit"));
    for (file, title) in [
        (format!("{run}/problem.json"), "problem.json"),
        (format!("{run}/outcome.json"), "outcome.json"),
        (format!("{run}/timing.json"), "timing.json"),
        (format!("{run}/audit.json"), "audit.json"),
        ("s/manifest.json".to_owned(), "manifest.json"),
        ("f/fit.json".to_owned(), "fit.json"),
    ] {
        assert_quoted(&fields(&path.join(file)), section(&page, title));
    }
    let outcome = std::fs::read_to_string(path.join(run).join("outcome.json")).unwrap();
    let outcome: serde_json::Value = serde_json::from_str(&outcome).unwrap();
    let counters = set(outcome["counters"].as_object().unwrap().keys());
    assert_eq!(first_cells(section(&page, "Counters")), counters);
}
