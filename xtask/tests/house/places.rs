//! The tables of NOTATION.md that lead from an equation or a statement to a file and a name in it.

use std::path::Path;

use crate::{read, root};

/// The cells of each row whose third cell is a file of Rust code, without the backquotes.
fn rows(document: &str) -> Vec<Vec<&str>> {
    document
        .lines()
        .filter(|line| line.starts_with('|'))
        .map(|line| line.split('|').map(|cell| cell.trim().trim_matches('`')).collect::<Vec<_>>())
        .filter(|cells| {
            cells.get(3).is_some_and(|file| Path::new(file).extension().is_some_and(|e| e == "rs"))
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
fn objection(row: &[&str]) -> Option<String> {
    let (file, name, id) = (row[3], row[4], row.get(5).filter(|id| !id.is_empty()));
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
    let notation = read("NOTATION.md");
    let rows = rows(&notation);
    let wrong: Vec<String> = rows.iter().filter_map(|row| objection(row)).collect();
    assert!(wrong.is_empty(), "NOTATION.md:\n{}", wrong.join("\n"));
    // Each statement that the audits know has its row, paper by paper, and there are equations beside them.
    let mut known = statements();
    known.push("run/reproduced".to_owned());
    let shown: Vec<&str> =
        rows.iter().filter_map(|row| row.get(5).copied()).filter(|s| !s.is_empty()).collect();
    assert_eq!(shown, known);
    assert!(rows.len() > known.len());
}

#[test]
fn a_row_that_has_fallen_behind_is_found() {
    let right = ["", "(1)", "", "xtask/tests/house/places.rs", "objection", ""];
    assert_eq!(objection(&right), None);
    for (cell, wrong) in [(3, "xtask/gone.rs"), (4, "object"), (5, concat!("over/", "theorem-0"))] {
        let mut row = right;
        row[cell] = wrong;
        assert!(objection(&row).is_some(), "{row:?}");
    }
}
