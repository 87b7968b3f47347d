//! Every link of a document leads to a file that exists and to a heading in it, and every Rust program that a document
//! shows is compiled and run with the documentation's tests.

use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};

use crate::{read, root};

/// Folders that hold nothing of ours.
const OTHERS: [&str; 5] = ["target", "out", ".git", "node_modules", "notebooks"];

/// Every Markdown page, relative to the workspace.
fn pages() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(root().join(&folder)).unwrap() {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            let path = folder.join(&name);
            if entry.path().is_dir() {
                // A folder with a dot is a tool's own, and links are somebody else's files.
                let ours = !OTHERS.contains(&name.as_str()) && !name.starts_with('.');
                if ours && !entry.path().is_symlink() {
                    folders.push(path);
                }
            } else if path.extension().is_some_and(|ending| ending == "md") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// The files of Rust code below `folder`.
fn code(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(code(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
    found
}

/// The lines of a page that are not inside a fence, with their numbers from 1.
fn prose(page: &str) -> Vec<(usize, &str)> {
    let mut fenced = false;
    page.lines()
        .enumerate()
        .filter_map(|(place, line)| {
            let fence = line.trim_start().starts_with("```");
            fenced ^= fence;
            (!fenced && !fence).then_some((place + 1, line))
        })
        .collect()
}

/// What stands between backquotes, taken out: code is no link.
fn without_code(line: &str) -> String {
    line.split('`').step_by(2).collect::<Vec<_>>().join(" ")
}

/// The targets of a line's links and pictures.
fn links(line: &str) -> Vec<String> {
    let line = without_code(line);
    let ends = line.split("](").skip(1);
    ends.filter_map(|rest| rest.split_once(')')).map(|(target, _)| target.to_owned()).collect()
}

/// A heading's address as GitHub makes it.
fn slug(heading: &str) -> String {
    let text = heading.trim_start_matches('#').trim().to_lowercase();
    // A link's text counts, its address does not.
    let mut plain = String::new();
    let mut rest = text.as_str();
    while let Some((before, after)) = rest.split_once("](") {
        plain.push_str(before);
        rest = after.split_once(')').map_or("", |(_, rest)| rest);
    }
    plain.push_str(rest);
    let kept = plain.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

/// The addresses within a page: its headings, the second of a name with `-1`, and anchors written out.
fn anchors(page: &str) -> Vec<String> {
    let mut seen: HashMap<String, usize> = HashMap::new();
    let mut found = Vec::new();
    for (_, line) in prose(page) {
        if line.starts_with('#') {
            let slug = slug(line);
            let count = seen.entry(slug.clone()).or_default();
            found.push(if *count == 0 { slug } else { format!("{slug}-{count}") });
            *count += 1;
        }
        let written = line.split("<a id=\"").skip(1).filter_map(|rest| rest.split('"').next());
        found.extend(written.map(str::to_owned));
    }
    found
}

/// `folder/target` without `.` and `..`.
fn resolved(folder: &Path, target: &str) -> PathBuf {
    let mut path = PathBuf::new();
    for part in folder.join(target).components() {
        match part {
            Component::ParentDir => {
                path.pop();
            }
            Component::CurDir => {}
            other => path.push(other),
        }
    }
    path
}

/// What is wrong with a link of `page`, if anything.
fn objection(page: &Path, target: &str) -> Option<String> {
    let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
    if file.contains("://") || file.starts_with("mailto:") {
        return Some("leads to a host, which no test can follow".to_owned());
    }
    let folder = page.parent().unwrap_or(Path::new(""));
    let path = if file.is_empty() { page.to_owned() } else { resolved(folder, file) };
    if !root().join(&path).exists() {
        return Some(format!("{} does not exist", path.display()));
    }
    let is_page = path.extension().is_some_and(|ending| ending == "md");
    let known = anchor.is_empty() || !is_page || anchors(&read(&path)).iter().any(|a| a == anchor);
    (!known).then(|| format!("{} has no heading #{anchor}", path.display()))
}

#[test]
fn every_link_leads_somewhere() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for page in pages() {
        for (line, text) in prose(&read(&page)) {
            for target in links(text) {
                // In rustdoc, the front page of a crate may name an item.
                if target.contains("::") || target.starts_with("crate") {
                    continue;
                }
                count += 1;
                let objection = objection(&page, &target);
                wrong.extend(
                    objection.map(|o| format!("{}:{line}: ({target}) {o}", page.display())),
                );
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count > 100, "only {count} links were found");
}

#[test]
fn every_rust_program_of_a_page_is_tested() {
    let mut untested = Vec::new();
    for page in pages().iter().filter(|page| read(page).contains("```rust")) {
        let name = page.to_string_lossy().replace('\\', "/");
        // A crate's own page belongs to its code; the workspace's pages are tested with the facade.
        let (owner, page) = match name.strip_prefix("crates/").and_then(|n| n.split_once('/')) {
            Some((one, rest)) => (one, rest),
            None => ("gaussflow", name.as_str()),
        };
        let included = format!("/{page}\")");
        let sources = root().join("crates").join(owner).join("src");
        if !code(&sources).iter().any(|file| read(file).contains(&included)) {
            untested.push(format!("{name}: no include_str! of it in crates/{owner}/src"));
        }
    }
    assert!(untested.is_empty(), "{}", untested.join("\n"));
}

#[test]
fn what_is_wrong_is_found() {
    assert_eq!(slug("## What `auto` takes: a (short) table"), "what-auto-takes-a-short-table");
    assert_eq!(slug("### The [report](report.md)"), "the-report");
    assert_eq!(links("see [a](b.md#c) and ![d](e.png), not `[f](g)`"), ["b.md#c", "e.png"]);
    assert_eq!(anchors("# A\n```\n# no\n```\n## B\n## B\n"), ["a", "b", "b-1"]);
    let page = Path::new("docs/README.md");
    assert_eq!(objection(page, "../README.md"), None);
    for wrong in ["gone.md", "../README.md#no-such-heading", "https://example.org"] {
        assert!(objection(page, wrong).is_some(), "{wrong}");
    }
}
