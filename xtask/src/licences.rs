//! `cargo xtask licences`: every package that a build links may be used under a licence that we accept.
//!
//! The expressions are SPDX's (`MIT OR Apache-2.0`, `A AND B`, parentheses, `A WITH exception`); the older
//! `A/B` is read as `A OR B`. What is accepted stands in deny.toml too, for `cargo deny`.

use std::collections::BTreeMap;
use std::process::ExitCode;

use crate::console;
use crate::process::{cargo, root};

/// Permissive licences, whose conditions are kept by naming the authors.
const ACCEPTED: [&str; 12] = [
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "ISC",
    "MIT",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// Lists the packages whose licence is not accepted; status 1 if there are any.
pub fn run(options: &[String]) -> ExitCode {
    if let Some(option) = options.first() {
        return crate::wrong_usage(&format!("licences takes no options, found {option:?}"));
    }
    let mut tree = cargo();
    tree.current_dir(root()).args([
        "tree",
        "--workspace",
        "--all-features",
        "--locked",
        "--edges",
        "normal,build,dev",
        "--target",
        "all",
        "--prefix",
        "none",
        "--no-dedupe",
        "--format",
        "{p}\t{l}",
    ]);
    let output = match tree.output() {
        Ok(output) if output.status.success() => output,
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr);
            console::note(format_args!("error: cargo tree failed: {}", said.trim_end()));
            return ExitCode::from(3);
        }
        Err(error) => {
            console::note(format_args!("error: cannot start cargo: {error}"));
            return ExitCode::from(3);
        }
    };
    let text = String::from_utf8_lossy(&output.stdout);
    let packages: BTreeMap<&str, &str> =
        text.lines().filter_map(|line| line.split_once('\t')).collect();
    let refused: Vec<_> =
        packages.iter().filter(|(_, licence)| accepts(licence) != Some(true)).collect();
    for (package, licence) in &refused {
        console::note(format_args!("{package}: licence {licence:?} is not accepted"));
    }
    if packages.is_empty() || !refused.is_empty() {
        console::note(format_args!("accepted: {}", ACCEPTED.join(", ")));
        return ExitCode::from(1);
    }
    console::say(format_args!("{} packages, every licence accepted", packages.len()));
    ExitCode::SUCCESS
}

/// Whether an expression allows a choice of accepted licences alone; `None` where it is not understood.
fn accepts(expression: &str) -> Option<bool> {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let mut words = spaced.split_whitespace().peekable();
    let found = any(&mut words)?;
    words.next().is_none().then_some(found)
}

type Words<'w> = std::iter::Peekable<std::str::SplitWhitespace<'w>>;

/// `all OR all ...`
fn any(words: &mut Words<'_>) -> Option<bool> {
    let mut found = all(words)?;
    while words.next_if_eq(&"OR").is_some() {
        found |= all(words)?;
    }
    Some(found)
}

/// `one AND one ...`
fn all(words: &mut Words<'_>) -> Option<bool> {
    let mut found = one(words)?;
    while words.next_if_eq(&"AND").is_some() {
        found &= one(words)?;
    }
    Some(found)
}

/// A licence, or an expression in parentheses.
fn one(words: &mut Words<'_>) -> Option<bool> {
    let word = words.next()?;
    if word == "(" {
        let found = any(words)?;
        return (words.next()? == ")").then_some(found);
    }
    if ["OR", "AND", "WITH", ")"].contains(&word) {
        return None;
    }
    let name = match words.next_if_eq(&"WITH") {
        Some(_) => format!("{word} WITH {}", words.next()?),
        None => word.to_owned(),
    };
    Some(ACCEPTED.contains(&name.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_are_read_as_spdx_means_them() {
        for (expression, expected) in [
            ("MIT", Some(true)),
            ("GPL-3.0-only", Some(false)),
            ("GPL-3.0-only OR MIT", Some(true)),
            ("MIT AND GPL-3.0-only", Some(false)),
            ("(MIT OR Apache-2.0) AND Unicode-3.0", Some(true)),
            ("MIT OR (GPL-2.0-only AND Zlib)", Some(true)),
            ("MIT OR Apache-2.0 AND GPL-2.0-only", Some(true)),
            ("(MIT OR Apache-2.0) AND GPL-2.0-only", Some(false)),
            ("Apache-2.0 WITH LLVM-exception", Some(true)),
            ("MIT WITH LLVM-exception", Some(false)),
            ("Unlicense/MIT", Some(true)),
            ("", None),
            ("MIT Apache-2.0", None),
            ("(MIT", None),
            ("MIT OR", None),
        ] {
            assert_eq!(accepts(expression), expected, "{expression}");
        }
    }

    #[test]
    fn deny_toml_accepts_the_same() {
        let text = std::fs::read_to_string(root().join("deny.toml")).unwrap();
        let list = text.split_once("allow = [").unwrap().1.split_once(']').unwrap().0;
        let named: Vec<&str> = list
            .split(',')
            .map(|word| word.trim().trim_matches('"'))
            .filter(|w| !w.is_empty())
            .collect();
        assert_eq!(named, ACCEPTED);
    }
}
