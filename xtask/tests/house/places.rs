//! The tables that lead from an equation (NOTATION.md) or a statement (docs/learn/theorems.md) to a file and a name in it.

use std::path::Path;

use crate::{read, root};

/// What a row of a table says: a name that a file of Rust code declares, and the id of a statement that the file mentions.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Place<'t> {
    file: &'t str,
    name: &'t str,
    id: Option<&'t str>,
}

/// The cells of a row of a table, without the backquotes.
fn cells(line: &str) -> Vec<&str> {
    line.trim().trim_matches('|').split('|').map(|cell| cell.trim().trim_matches('`')).collect()
}

fn is_rust(file: &str) -> bool {
    Path::new(file).extension().is_some_and(|extension| extension == "rs")
}

/// The rows `| equation | formula | file | name |`.
fn equations(document: &str) -> Vec<Place<'_>> {
    let rows = document.lines().filter(|line| line.starts_with('|')).map(cells);
    rows.filter(|cells| cells.len() == 4 && is_rust(cells[2]))
        .map(|cells| Place { file: cells[2], name: cells[3], id: None })
        .collect()
}

/// The rows `| where | what it says | verdict | [name](file) | id |` of docs/learn/theorems.md.
fn judged(document: &str) -> Vec<Place<'_>> {
    let rows = document.lines().filter(|line| line.starts_with('|')).map(cells);
    rows.filter_map(|cells| {
        let &[_, _, _, link, id] = cells.as_slice() else { return None };
        let (name, file) = link.strip_prefix("[`")?.strip_suffix(')')?.split_once("`](../../")?;
        is_rust(file).then_some(Place { file, name, id: Some(id) })
    })
    .collect()
}

/// Whether `code` declares a function or a type of this name.
fn declares(code: &str, name: &str) -> bool {
    let ends = |rest: &str| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_');
    ["fn ", "struct ", "enum ", "trait "].iter().any(|kind| {
        let declaration = format!("{kind}{name}");
        code.match_indices(&declaration).any(|(at, _)| ends(&code[at + declaration.len()..]))
    })
}

/// What is wrong with a row, if anything.
fn objection(place: Place<'_>) -> Option<String> {
    let Place { file, name, id } = place;
    if !root().join(file).is_file() {
        return Some(format!("{file}: no such file"));
    }
    let code = read(file);
    if !declares(&code, name) {
        return Some(format!("{file}: declares no {name}"));
    }
    let missing = id.filter(|id| !code.contains(&format!("\"{id}\"")));
    missing.map(|id| format!("{file}: says nothing of {id}"))
}

/// The ids of every paper's statements, in the order of the papers.
fn statements() -> Vec<String> {
    let papers = read("crates/theory/src/papers/mod.rs");
    let names = papers.split("::PAPER").filter_map(|before| before.rsplit('&').next());
    let mut found = Vec::new();
    for name in names.filter(|name| name.chars().all(|c| c.is_ascii_lowercase() || c == '_')) {
        let code = read(format!("crates/theory/src/papers/{name}/mod.rs"));
        let lists = ["statements: &[", "STATEMENTS: &[&str] = &["];
        let list = lists.iter().find_map(|start| code.split(start).nth(1)).unwrap();
        let list = list.split(']').next().unwrap();
        found.extend(list.split('"').skip(1).step_by(2).map(str::to_owned));
    }
    found
}

#[test]
fn equations_and_statements_are_where_the_tables_say() {
    let (notation, theorems) = (read("NOTATION.md"), read("docs/learn/theorems.md"));
    let (equations, judged) = (equations(&notation), judged(&theorems));
    let wrong: Vec<String> =
        equations.iter().chain(&judged).filter_map(|&place| objection(place)).collect();
    assert!(wrong.is_empty(), "NOTATION.md or docs/learn/theorems.md:\n{}", wrong.join("\n"));
    // Each statement that the audits know has its row, paper by paper.
    let mut known = statements();
    known.push("run/reproduced".to_owned());
    let shown: Vec<&str> = judged.iter().filter_map(|place| place.id).collect();
    assert_eq!(shown, known);
    assert!(equations.len() > 20, "NOTATION.md has {} rows of equations", equations.len());
}

#[test]
fn a_row_that_has_fallen_behind_is_found() {
    let right = Place { file: "xtask/tests/house/places.rs", name: "objection", id: None };
    assert_eq!(objection(right), None);
    let fallen = [
        Place { file: "xtask/gone.rs", ..right },
        Place { name: "object", ..right },
        Place { id: Some(concat!("over/", "theorem-0")), ..right },
    ];
    for place in fallen {
        assert!(objection(place).is_some(), "{place:?}");
    }
}

#[test]
fn rows_are_read_as_they_are_written() {
    assert_eq!(
        equations("| e | f | `a/b.rs` | `c` |\n| word | `code` | n | of no file |"),
        [Place { file: "a/b.rs", name: "c", id: None }]
    );
    assert_eq!(
        judged(
            "| (1) | $x$ | **Holds**. | [`c`](../../a/b.rs) | `over/c` |\n|---|---|---|---|---|"
        ),
        [Place { file: "a/b.rs", name: "c", id: Some("over/c") }]
    );
}
