//! What may use what: the floors of ARCHITECTURE.md, compared with the manifests and the `crate::` paths of the code.
//!
//! A line of a block "```floors FOLDER" is a floor, the highest first. Whoever stands on it may use lower floors alone:
//! neither what stands beside it nor what is above. Code that is compiled for tests alone may use everything.

use std::collections::BTreeSet;
use std::path::Path;

use crate::{read, root};

/// The floors of one folder: its crates or modules, from the highest to the lowest.
struct Floors {
    folder: String,
    floors: Vec<Vec<String>>,
}

impl Floors {
    /// How high `name` stands, if the picture shows it.
    fn height(&self, name: &str) -> Option<usize> {
        self.floors.iter().rev().position(|floor| floor.iter().any(|n| n == name))
    }

    /// What is wrong with `user` using `used`.
    fn objection(&self, user: &str, used: &str) -> Option<String> {
        match (self.height(user), self.height(used)) {
            _ if user == used => None,
            (Some(here), Some(there)) if there < here => None,
            (Some(_), Some(_)) => {
                Some(format!("{user} uses {used}, which is not on a lower floor"))
            }
            (None, _) => Some(format!("{user} is on no floor of {}", self.folder)),
            (_, None) => {
                Some(format!("{user} uses {used}, which is on no floor of {}", self.folder))
            }
        }
    }

    /// Names that the picture shows and the disk does not, or the other way round.
    fn differences(&self, found: &BTreeSet<String>) -> Vec<String> {
        let shown: Vec<&String> = self.floors.iter().flatten().collect();
        let known: BTreeSet<String> = shown.iter().map(|&n| n.clone()).collect();
        let mut wrong: Vec<String> = known
            .symmetric_difference(found)
            .map(|n| format!("{n} is on one side alone"))
            .collect();
        if known.len() < shown.len() {
            wrong.push(format!("{}: a name stands on two floors", self.folder));
        }
        wrong
    }
}

/// The blocks of a document.
fn floors(document: &str) -> Vec<Floors> {
    let mut found = Vec::new();
    let mut lines = document.lines();
    while let Some(line) = lines.next() {
        if let Some(folder) = line.strip_prefix("```floors ") {
            let block = lines.by_ref().take_while(|line| !line.starts_with("```"));
            let floors =
                block.map(|line| line.split_whitespace().map(str::to_owned).collect()).collect();
            found.push(Floors { folder: folder.trim().to_owned(), floors });
        }
    }
    found
}

/// The code without comments, the contents of strings and `#[cfg(test)]` modules; line breaks stay.
fn code(text: &str) -> String {
    // The module of unit tests ends a file.
    let tests = text.match_indices("#[cfg(test)]").find(|(at, marker)| {
        let after = text[at + marker.len()..].lines();
        after
            .map(str::trim)
            .find(|l| {
                !l.is_empty() && !l.starts_with("#[") && !l.starts_with("//") && !l.ends_with(")]")
            })
            .is_some_and(|line| line.starts_with("mod ") && line.ends_with('{'))
    });
    let text = tests.map_or(text, |(at, _)| &text[..at]);
    let mut kept = String::with_capacity(text.len());
    for line in text.lines() {
        let mut quoted = false;
        let mut before = ' ';
        for (k, c) in line.char_indices() {
            if !quoted && line[k..].starts_with("//") {
                break;
            }
            if c == '"' && before != '\\' && before != '\'' {
                quoted = !quoted;
            } else if !quoted {
                kept.push(c);
            }
            before = c;
        }
        kept.push('\n');
    }
    kept
}

/// The first names of the paths that start at the crate's root, each with its line; `depth` is how many `super` lead there.
fn first_names(code: &str, depth: usize) -> Vec<(usize, String)> {
    let ident = |text: &str| -> String {
        text.trim_start().chars().take_while(|&c| c.is_alphanumeric() || c == '_').collect()
    };
    let mut found = Vec::new();
    for start in ["crate::".to_owned(), "super::".repeat(depth)] {
        for (at, _) in code.match_indices(&start) {
            if code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':') {
                continue;
            }
            let line = code[..at].matches('\n').count() + 1;
            let rest = &code[at + start.len()..];
            if let Some(group) = rest.strip_prefix('{') {
                // Names at depth one: after the brace, or after a comma outside of inner braces.
                let (mut inner, mut fresh) = (0, true);
                for (k, c) in group.char_indices() {
                    match c {
                        '{' => inner += 1,
                        '}' if inner == 0 => break,
                        '}' => inner -= 1,
                        ',' if inner == 0 => fresh = true,
                        _ if fresh && !c.is_whitespace() => {
                            found.push((line, ident(&group[k..])));
                            fresh = false;
                        }
                        _ => {}
                    }
                }
            } else {
                found.push((line, ident(rest)));
            }
        }
    }
    found
}

/// The objections to one file, which lies at `path` below the folder of the picture.
fn in_file(picture: &Floors, path: &str, text: &str) -> Vec<String> {
    let parts: Vec<&str> =
        path.trim_end_matches(".rs").trim_end_matches("/mod").split('/').collect();
    first_names(&code(text), parts.len())
        .into_iter()
        .filter_map(|(line, name)| {
            let objection = picture.objection(parts[0], &name)?;
            Some(format!("{}/{path}:{line}: {objection}", picture.folder))
        })
        .collect()
}

/// Calls `visit` with the path below `folder` of each file of Rust code that is not of tests alone.
fn walk(folder: &Path, below: &str, visit: &mut impl FnMut(&str)) {
    let mut entries: Vec<_> = std::fs::read_dir(folder).unwrap().map(Result::unwrap).collect();
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let name = entry.file_name().into_string().unwrap();
        let path = if below.is_empty() { name.clone() } else { format!("{below}/{name}") };
        if entry.path().is_dir() && name != "tests" {
            walk(&entry.path(), &path, visit);
        } else if Path::new(&name).extension().is_some_and(|e| e == "rs") && name != "tests.rs" {
            visit(&path);
        }
    }
}

/// The objections to the modules of one crate.
fn in_modules(picture: &Floors) -> Vec<String> {
    let (mut modules, mut wrong) = (BTreeSet::new(), Vec::new());
    walk(&root().join(&picture.folder), "", &mut |path| {
        // The crate's own roots stand above all floors.
        if !["lib.rs", "main.rs"].contains(&path) && !path.starts_with("bin/") {
            modules.insert(path.split('/').next().unwrap().trim_end_matches(".rs").to_owned());
            let text = read(Path::new(&picture.folder).join(path));
            wrong.extend(in_file(picture, path, &text));
        }
    });
    wrong.extend(picture.differences(&modules));
    wrong
}

/// The objections to the crates' manifests: dependencies of tests and examples run down as well.
fn in_manifests(picture: &Floors) -> Vec<String> {
    let (mut crates, mut wrong) = (BTreeSet::new(), Vec::new());
    let folders = std::fs::read_dir(root().join("crates")).unwrap();
    let folders = folders.map(|entry| format!("crates/{}", entry.unwrap().file_name().display()));
    for folder in folders.chain(["benches".to_owned(), "xtask".to_owned()]) {
        let user = folder.trim_start_matches("crates/").to_owned();
        for line in read(Path::new(&folder).join("Cargo.toml")).lines() {
            let name: String =
                line.chars().take_while(|&c| c.is_alphanumeric() || c == '-').collect();
            let rest = line[name.len()..].trim_start();
            if name.starts_with("gaussflow") && (rest.starts_with('.') || rest.starts_with('=')) {
                let used = name.trim_start_matches("gaussflow-");
                wrong.extend(picture.objection(&user, used).map(|o| format!("{folder}: {o}")));
            }
        }
        crates.insert(user);
    }
    wrong.extend(picture.differences(&crates));
    wrong
}

#[test]
fn arrows_run_down() {
    let pictures = floors(&read("ARCHITECTURE.md"));
    let shown: Vec<&str> = pictures.iter().map(|p| p.folder.as_str()).collect();
    assert_eq!(shown, ["crates", "crates/driver/src", "crates/solvers/src"]);
    let wrong: Vec<String> = pictures
        .iter()
        .flat_map(|p| if p.folder == "crates" { in_manifests(p) } else { in_modules(p) })
        .collect();
    assert!(wrong.is_empty(), "against the floors of ARCHITECTURE.md:\n{}", wrong.join("\n"));
}

#[test]
fn a_planted_arrow_upward_is_found() {
    let picture = &floors("```floors src\nattic\nleft right\ncellar\n```\n")[0];
    let objections = |path: &str, text: &str| in_file(picture, path, text).len();
    assert_eq!(
        objections("attic.rs", "use crate::left::A;\nuse crate::{cellar::{B, C}, right};\n"),
        0
    );
    assert_eq!(objections("left/mod.rs", "use crate::left::part::A; use super::cellar::B;\n"), 0);
    assert_eq!(objections("cellar.rs", "use crate::attic::A;\n"), 1);
    assert_eq!(objections("left.rs", "use crate::right::A;\n"), 1);
    assert_eq!(
        objections("left/part.rs", "fn f() { crate::attic::g(super::super::right::h()) }\n"),
        2
    );
    assert_eq!(
        objections("right.rs", "use crate::{\n    cellar::{self, attic},\n    left::A,\n};\n"),
        1
    );
    // The crate's root, which re-exports everything, stands above all.
    assert_eq!(objections("cellar.rs", "use crate::Exported;\n"), 1);
    // Links of the documentation and tests may point anywhere.
    let harmless = "//! [`crate::attic`]\nconst A: &str = \"crate::attic\";\n#[cfg(test)]\nmod tests {\n    use crate::attic;\n}\n";
    assert_eq!(objections("cellar.rs", harmless), 0);
    let manifest = |user: &str, used: &str| picture.objection(user, used).is_some();
    assert!(
        manifest("left", "right") && manifest("cellar", "garden") && !manifest("attic", "cellar")
    );
    assert_eq!(
        picture.differences(&["attic", "left", "garden"].map(str::to_owned).into()).len(),
        3
    );
}
