//! Calls of the built binary, and folders as maps from names to bytes.

#![allow(dead_code, reason = "each test file uses some of them")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::{Command, Output};

/// The binary with these arguments, run in `folder`.
pub fn gaussflow(arguments: &[&str], folder: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gaussflow"));
    command.args(arguments).current_dir(folder).output().unwrap()
}

/// Status and standard error of a call that must fail.
pub fn refusal(arguments: &[&str], folder: &Path) -> (i32, String) {
    let output = gaussflow(arguments, folder);
    (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
}

/// Every file below `folder` but the measured times, and every folder, with a slash.
pub fn tree(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(path) = open.pop() {
        for entry in std::fs::read_dir(path).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                let name = path.strip_prefix(folder).unwrap().to_string_lossy().into_owned();
                found.insert(name + "/", Vec::new());
                open.push(path);
            } else if path.file_name().unwrap() != "timing.json" {
                let name = path.strip_prefix(folder).unwrap().to_string_lossy().into_owned();
                found.insert(name, std::fs::read(&path).unwrap());
            }
        }
    }
    found
}

/// The names that only one of two trees has, or whose bytes differ.
pub fn differing(a: &BTreeMap<String, Vec<u8>>, b: &BTreeMap<String, Vec<u8>>) -> Vec<String> {
    let names: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
    names.into_iter().filter(|name| a.get(*name) != b.get(*name)).cloned().collect()
}

/// Fails with the names of the files that differ.
#[track_caller]
pub fn assert_same(a: &BTreeMap<String, Vec<u8>>, b: &BTreeMap<String, Vec<u8>>, when: &str) {
    let names = differing(a, b);
    assert!(names.is_empty(), "{} of {} differ {when}: {names:?}", names.len(), a.len());
}
