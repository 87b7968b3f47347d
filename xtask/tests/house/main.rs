//! The house rules that a compiler does not know: arrows between crates and modules run down, every place that
//! NOTATION.md and docs/learn/theorems.md name exists, and every link leads somewhere. All read the documents that people read, so
//! that these cannot fall behind.

mod arrows;
mod documents;
mod places;

use std::path::{Path, PathBuf};

/// The workspace's folder.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The text of a file of the workspace.
fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
