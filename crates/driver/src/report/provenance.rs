//! The end of the page: configuration (what all runs share, what differs) and where the numbers come from.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;

use gaussflow::theory::papers::{gauss_newton, later};
use gaussflow::theory::referee::Paper;
use gaussflow_records::Manifest;

use super::folder::{Contents, Kind, Run};
use super::groups::varying;
use super::markup::{address, escape};
use super::settings::{Settings, number};
use crate::conclusions::further_papers;
use crate::reproduction_mode::Mode;

/// Values of a key that are spelt out.
const MOST_VALUES: usize = 12;
/// Signs of a commit that the first screen shows.
const SHORT_COMMIT: usize = 12;

/// Both sections.
pub fn section(contents: &Contents) -> String {
    let mut text = configuration(contents);
    text.push_str("<section id=\"provenance\"><h2>Provenance</h2>\n<dl class=\"facts\">\n");
    let mut fact = |name: &str, value: &str| {
        let _ = writeln!(text, "<dt>{name}</dt><dd>{}</dd>", escape(value));
    };
    if let Some(command) = command(contents) {
        fact("Command that writes such a folder", &format!("{command}{}", place_of_call(contents)));
    }
    if let Some(manifest) = &contents.manifest {
        fact("Version of the runs", &format!("gaussflow {}", manifest.version));
        fact("Commit", manifest.commit.as_deref().unwrap_or("unknown"));
        fact("First seed", &manifest.seed.to_string());
        fact("Data", &format!("{}, {} rows", manifest.data.name, manifest.data.rows));
        fact("SHA-256 of the data", &manifest.data.sha256);
        fact("Schema of the files", &manifest.schema.to_string());
    } else if contents.kind != Kind::Fit {
        fact("Manifest", "none: version, commit and data are unknown");
    }
    fact(
        "This page",
        &format!("gaussflow {}, charts by uPlot 1.6.32 (MIT)", env!("CARGO_PKG_VERSION")),
    );
    text.push_str("</dl>\n");
    if !contents.files.is_empty() {
        let _ = writeln!(text, "<p>Beside this page: {}.</p>", file_links(&contents.files));
    }
    text.push_str("</section>\n");
    text
}

/// The version of the program that wrote a folder, and the first signs of its commit.
pub fn version(manifest: &Manifest) -> String {
    let commit = manifest.commit.as_deref().unwrap_or("unknown");
    let commit: String = commit.chars().take(SHORT_COMMIT).collect();
    format!("gaussflow {}, commit {commit}", manifest.version)
}

/// The line below the title: version and commit, the command, and where date, machine and duration stand.
pub fn line(contents: &Contents) -> String {
    let mut parts = Vec::new();
    parts.extend(contents.manifest.as_ref().map(|manifest| escape(&version(manifest))));
    if let Some(command) = command(contents) {
        let place = escape(&place_of_call(contents));
        parts.push(format!("made by <code>{}</code>{place}", escape(&command)));
    }
    if let Some(timing) = &contents.timing {
        parts.push(format!(
            "<a href=\"{}\">date, machine, duration</a> (a file of their own: equal runs give bitwise identical pages)",
            address(timing)
        ));
    }
    if parts.is_empty() {
        return String::new();
    }
    format!("<p class=\"origin\">{}</p>", parts.join(" \u{b7} "))
}

/// A command that writes a folder like this one, as far as its files tell; `None` where they do not.
fn command(contents: &Contents) -> Option<String> {
    let seeds = || {
        let seed = |run: &Run| run.settings.as_ref()?.get("dynamics.seed").cloned();
        contents.runs.iter().filter_map(seed).collect::<BTreeSet<String>>().len() as u64
    };
    let reproduce = |flag: &str| {
        let horizon =
            |run: &Run| run.settings.as_ref()?.get("dynamics.horizon")?.parse::<f64>().ok();
        let last = contents.runs.iter().filter_map(horizon).fold(0.0, f64::max);
        let modes = [(Mode::Full, ""), (Mode::Quick, " --quick")];
        let (mode, quick) =
            modes.into_iter().find(|(mode, _)| mode.horizon().total_cmp(&last).is_eq())?;
        let count = seeds();
        let seeds = if count == mode.seeds() { String::new() } else { format!(" --seeds {count}") };
        let papers = if flag.is_empty() { audited(contents, mode)? } else { String::new() };
        Some(format!("gaussflow reproduce{flag}{quick}{seeds}{papers} --out FOLDER"))
    };
    match contents.kind {
        Kind::Reproduction => reproduce(""),
        Kind::Deep => reproduce(" --deep"),
        // What grid a sweep had is not told by its runs.
        Kind::Sweep => None,
        Kind::Run => {
            let run = contents.runs.first()?;
            let folder = if run.path.is_empty() { String::new() } else { format!("{}/", run.path) };
            Some(format!("gaussflow run {folder}config.toml --out FOLDER"))
        }
        Kind::Fit => {
            let problem = &contents.fit.as_ref()?.problem;
            (!problem.is_empty()).then(|| format!("gaussflow fit {problem} --out ."))
        }
    }
}

/// Where that command is to be called, if that matters: a relative path of the data begins there.
fn place_of_call(contents: &Contents) -> String {
    let path = || contents.runs.first()?.settings.as_ref()?.get("data.path");
    match path() {
        Some(path) if contents.kind == Kind::Run && Path::new(path).is_relative() => {
            format!(" (called in the folder from which {path} leads to the data)")
        }
        _ => String::new(),
    }
}

/// The option that audits the further papers of audit.json; empty where they are those that `mode` audits by itself,
/// and `None` where no option does.
fn audited(contents: &Contents, mode: Mode) -> Option<String> {
    let has = |key: &&str| contents.audit.iter().any(|record| record.paper == *key);
    let found: Vec<&str> = further_papers().filter(has).collect();
    let usual = if mode == Mode::Full { further_papers().count() } else { 0 };
    match found.len() {
        count if count == usual => Some(String::new()),
        0 => None,
        _ => Some(format!(" --papers {}", found.join(","))),
    }
}

fn configuration(contents: &Contents) -> String {
    // A single run shows its own.
    let all: Vec<&Settings> =
        contents.runs.iter().filter_map(|run| run.settings.as_ref()).collect();
    let Some(first) = all.first().filter(|_| all.len() > 1) else { return String::new() };
    let differing = varying(&all);
    let mut text = String::from("<section id=\"configuration\"><h2>Configuration</h2>\n");
    if !differing.is_empty() {
        text.push_str("<h3>What differs between runs</h3>\n<dl class=\"facts\">\n");
        for key in &differing {
            let none = || "not set".to_owned();
            let values: BTreeSet<Value> = all
                .iter()
                .map(|settings| Value::of(settings.get(key).map_or_else(none, |v| number(v))))
                .collect();
            let mut shown: Vec<&str> =
                values.iter().take(MOST_VALUES).map(|value| value.text.as_str()).collect();
            let more = format!("and {} more", values.len().saturating_sub(MOST_VALUES));
            if values.len() > MOST_VALUES {
                shown.push(&more);
            }
            let _ = writeln!(
                text,
                "<dt><code>{}</code></dt><dd>{}</dd>",
                escape(key),
                escape(&shown.join(", "))
            );
        }
        text.push_str("</dl>\n");
    }
    text.push_str(
        "<details class=\"fold\" data-print><summary>What all runs share</summary><dl class=\"facts columns\">\n",
    );
    for (key, value) in first.iter().filter(|(key, _)| !differing.contains(key)) {
        let _ = writeln!(text, "<div><dt>{}</dt><dd>{}</dd></div>", escape(key), escape(value));
    }
    text.push_str("</dl></details>\n</section>\n");
    text
}

/// Links to the files beside the page that hold more.
fn file_links(files: &[String]) -> String {
    let link = |name: &String| format!("<a href=\"{}\">{}</a>", address(name), escape(name));
    files.iter().map(link).collect::<Vec<_>>().join(", ")
}

/// A value, ordered as a number where it is one.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Value {
    /// The bits of the number in an order that agrees with the numbers'; words come after them.
    order: u64,
    text: String,
}

impl Value {
    fn of(text: String) -> Self {
        let order = text.parse::<f64>().map_or(u64::MAX, |value| {
            let bits = value.to_bits();
            // Flip all bits of negative numbers and the sign of others: ascending as unsigned.
            if bits >> 63 == 1 { !bits } else { bits | 1 << 63 }
        });
        Self { order, text }
    }
}

/// The paper that is reproduced.
pub fn paper() -> String {
    let Paper { title, authors, version, .. } = &gauss_newton::PAPER;
    let (title, authors, version) = (escape(title), escape(authors), escape(version));
    // What follows the colon says how it was measured.
    let read = later::PAPER.version.split(':').next().unwrap_or_default();
    format!(
        "<p class=\"subject\">{authors}, <cite>{title}</cite> ({version}). Later record: <cite>{}</cite> ({}).</p>",
        escape(later::PAPER.title),
        escape(read)
    )
}

/// One sentence on what was run.
pub fn subject(contents: &Contents) -> String {
    let setting = |key: &str| {
        let values = contents.runs.iter().filter_map(|run| run.settings.as_ref()?.get(key));
        values.map(|value| Value::of(number(value))).collect::<BTreeSet<Value>>()
    };
    // The values of a key, and how to say that it has them.
    let listed = |key: &str| {
        let values = setting(key);
        let more = if values.len() > MOST_VALUES { ", …" } else { "" };
        let sign = if values.len() > 1 { "in" } else { "=" };
        let texts: Vec<String> = values.into_iter().take(MOST_VALUES).map(|v| v.text).collect();
        (sign, format!("{}{more}", texts.join(", ")))
    };
    if let Some(fit) = &contents.fit {
        return fit.model.clone();
    }
    let mut parts = vec![match contents.runs.len() {
        0 => "No runs".to_owned(),
        1 => format!("One run, {}", contents.runs[0].id),
        count => format!("{count} runs"),
    }];
    let seeds = setting("dynamics.seed").len();
    if seeds > 1 {
        parts.push(format!("{seeds} seeds"));
    }
    for (key, name) in [
        ("dynamics.scaling", "α"),
        ("data.samples", "n"),
        ("network.hidden", "m"),
        ("dynamics.horizon", "horizon"),
    ] {
        let (sign, values) = listed(key);
        match values.as_str() {
            "" => {}
            values if sign == "in" => parts.push(format!("{name} in {{{values}}}")),
            values => parts.push(format!("{name} = {values}")),
        }
    }
    if let Some(manifest) = &contents.manifest {
        parts.push(format!("data {}", manifest.data.name));
    }
    parts.join(" · ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_ordered_as_numbers() {
        let mut values: Vec<Value> =
            ["16", "word", "8", "-1", "-20", "0.125"].map(|text| Value::of(text.to_owned())).into();
        values.sort();
        let texts: Vec<_> = values.iter().map(|value| value.text.as_str()).collect();
        assert_eq!(texts, ["-20", "-1", "0.125", "8", "16", "word"]);
    }
}
