//! Finds the commit of the source, which every manifest.json names: `GAUSSFLOW_COMMIT` where a packager sets it, otherwise
//! git's. Where neither is there, as in an archive of the source, manifests say that it is unknown.

use std::io::{self, Write};
use std::path::Path;
use std::process::Command;

/// This package's folder, as git names it in the project's own checkout.
const PREFIX: &str = "crates/driver/";

/// What of the workspace, and of each package, the program is built from.
const OF_WORKSPACE: [&str; 3] =
    ["../../Cargo.toml", "../../Cargo.lock", "../../rust-toolchain.toml"];
const OF_PACKAGE: [&str; 6] = ["Cargo.toml", "build.rs", "src", "assets", "data", "reference"];

fn main() -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "cargo::rerun-if-changed=build.rs")?;
    writeln!(out, "cargo::rerun-if-env-changed=GAUSSFLOW_COMMIT")?;
    let given = std::env::var("GAUSSFLOW_COMMIT").ok().filter(|commit| !commit.is_empty());
    let commit = match given {
        Some(commit) => Some(commit),
        // A copy of this folder within another repository has that one's commits, which are not ours.
        None if git(&["rev-parse", "--show-prefix"]).as_deref() == Some(PREFIX) => {
            let sources = sources();
            for path in of_git().iter().chain(&sources) {
                writeln!(out, "cargo::rerun-if-changed={path}")?;
            }
            commit(&sources)
        }
        None => None,
    };
    if let Some(commit) = commit {
        writeln!(out, "cargo::rustc-env=GAUSSFLOW_SOURCE_COMMIT={commit}")?;
    }
    Ok(())
}

/// The commit, with a mark where the `sources` differ from it. Files that the program is not built from may differ.
fn commit(sources: &[String]) -> Option<String> {
    let commit = git(&["rev-parse", "--verify", "HEAD"])?;
    let mut status = vec!["status", "--porcelain", "--"];
    status.extend(sources.iter().map(String::as_str));
    let is_modified = git(&status).is_none_or(|changes| !changes.is_empty());
    Some(if is_modified { format!("{commit}-modified") } else { commit })
}

/// The files of git that a commit or a checkout writes.
fn of_git() -> Vec<String> {
    let branch = git(&["symbolic-ref", "--quiet", "HEAD"]);
    let names = ["HEAD", "logs/HEAD", "packed-refs"].into_iter().chain(branch.as_deref());
    existing(names.filter_map(|name| git(&["rev-parse", "--git-path", name])))
}

/// The files and folders that the program is built from. Tests are not among them: they change no result.
fn sources() -> Vec<String> {
    let packages = Path::new("..").read_dir().into_iter().flatten().flatten();
    let of_packages = packages.flat_map(|package| {
        let folder = package.path();
        OF_PACKAGE.map(|name| folder.join(name).display().to_string())
    });
    let mut found = existing(OF_WORKSPACE.into_iter().map(str::to_owned).chain(of_packages));
    found.sort();
    found
}

/// Those of `paths` that exist: for one that does not, cargo would run this at every build.
fn existing(paths: impl Iterator<Item = String>) -> Vec<String> {
    paths.filter(|path| Path::new(path).exists()).collect()
}

/// What git answers in this folder; `None` where it is not there or does not know.
fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}
