//! Decides whether this program wrote what exists at a path, because it never replaces anything else.
//!
//! A file counts as written by this program when its content has the form that the program gives to a file of that name.
//! Any other file, a link, a folder or a device is left as it is, and a command that would write there ends with an error
//! before it begins to work. A folder counts when its manifest.json does, or when it holds a run. Whether a command may
//! replace earlier results is a separate choice ([`Overwrite`]).

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::folder::{is_unfinished, names_in};
use super::{
    AuditRecord, Claim, Manifest, Outcome, Problem, RecordError, SCHEMA, Timing, read_json,
};

/// Says whether a command may replace results that earlier commands of this program wrote, other than those that it makes
/// itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overwrite {
    /// It may not, and ends with an error.
    No,
    /// It may, because the user said so.
    Yes,
}

/// The page that shows a folder.
pub const REPORT: &str = "report.html";

/// The files that this program writes into a run's folder.
const OF_A_RUN: [&str; 10] = [
    "config.toml",
    "problem.json",
    "trace.csv",
    "weights.npy",
    "weights_steps.npy",
    "timing.json",
    "outcome.json",
    "audit.json",
    "audit.md",
    REPORT,
];

/// What a file that this program may write is called, where it is refused.
const A_FREE_PLACE: &str =
    "no file of this name, or one that gaussflow wrote; move it away, or name another folder";

/// Checks that nothing is at `path`, or a file that this program wrote.
///
/// # Errors
/// [`RecordError::Foreign`] for anything else; [`RecordError::Write`] for a write-protected file.
pub fn replaceable(path: &Path) -> Result<(), RecordError> {
    // Whether something can be written where nothing is seen is for the write to find out.
    let Ok(found) = fs::symlink_metadata(path) else { return Ok(()) };
    let what = if found.is_symlink() {
        "is a link"
    } else if found.is_dir() {
        "is a folder"
    } else if !found.is_file() {
        "is no ordinary file"
    } else if !is_ours(path) {
        "was not written by gaussflow"
    } else if found.permissions().readonly() {
        let source = io::Error::new(io::ErrorKind::PermissionDenied, "it is write-protected");
        return Err(RecordError::write(path, source));
    } else {
        return Ok(());
    };
    Err(RecordError::foreign(path, what, A_FREE_PLACE))
}

/// Checks each of `names` in `folder` as [`replaceable`] does.
pub fn all_replaceable<'n>(
    folder: &Path,
    names: impl IntoIterator<Item = &'n str>,
) -> Result<(), RecordError> {
    names.into_iter().try_for_each(|name| replaceable(&folder.join(name)))
}

/// Returns whether `folder` holds a run that this program wrote, even a damaged one; a single file of a run is enough.
pub fn holds_run(folder: &Path) -> bool {
    ["outcome.json", "config.toml", "trace.csv", "problem.json"]
        .iter()
        .any(|name| is_ours(&folder.join(name)))
}

/// Returns whether `folder` does not exist, or is empty except for what a killed writer may leave behind.
///
/// # Errors
/// [`RecordError::Read`] where it is a file, or cannot be read.
pub fn is_vacant(folder: &Path) -> Result<bool, RecordError> {
    Ok(names_in(folder)?.iter().all(|name| is_unfinished(name)))
}

/// Checks that the folder of a run, which is about to be removed, holds only what this program wrote.
///
/// # Errors
/// [`RecordError::Foreign`], [`RecordError::Read`].
pub fn removable_run(folder: &Path) -> Result<(), RecordError> {
    const ACCEPTED: &str =
        "nothing there, or the files of a run; move it away, or name another folder";
    let fail = |source| RecordError::read(folder, source);
    let found = match fs::symlink_metadata(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        found => found.map_err(fail)?,
    };
    if !found.is_dir() {
        return Err(RecordError::foreign(folder, "is no folder", ACCEPTED));
    }
    let vacant = is_vacant(folder)?;
    if !vacant && !holds_run(folder) {
        return Err(RecordError::foreign(folder, "holds no run that gaussflow wrote", ACCEPTED));
    }
    for entry in fs::read_dir(folder).map_err(fail)? {
        let entry = entry.map_err(fail)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_file = entry.file_type().map_err(fail)?.is_file();
        let of_a_run = is_file && OF_A_RUN.contains(&name.as_str());
        if !(of_a_run || is_unfinished(&name)) {
            let what = "is not of the run in this folder";
            return Err(RecordError::foreign(&entry.path(), what, ACCEPTED));
        }
    }
    Ok(())
}

/// Returns whether the ordinary file at `path` has the form that this program gives to a file of its name.
pub fn is_ours(path: &Path) -> bool {
    if !fs::symlink_metadata(path).is_ok_and(|found| found.is_file()) {
        return false;
    }
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else { return false };
    match name {
        "manifest.json" => holds::<Manifest>(path, |manifest| manifest.schema == SCHEMA),
        "outcome.json" => holds::<Outcome>(path, |_| true),
        "problem.json" => holds::<Problem>(path, |_| true),
        "timing.json" => holds::<Timing>(path, |_| true),
        "claims.json" => holds::<Vec<Claim>>(path, |claims| !claims.is_empty()),
        // A record may lack what later versions added, not what it judges.
        "audit.json" => holds::<Vec<AuditRecord>>(path, |records| {
            let says =
                |r: &AuditRecord| ![&r.id, &r.statement, &r.verdict].iter().any(|s| s.is_empty());
            !records.is_empty() && records.iter().all(says)
        }),
        "fit.json" => holds::<FitMark>(path, |fit| {
            fit.schema == SCHEMA && fit.names.len() == fit.parameters.len()
        }),
        _ => begins_as_ours(name, &beginning(path)),
    }
}

/// What tells fit.json from another program's: also of a version that writes more, or wrote less.
#[derive(Deserialize)]
struct FitMark {
    schema: u32,
    names: Vec<String>,
    parameters: Vec<Option<f64>>,
    #[serde(rename = "model")]
    _model: String,
    #[serde(rename = "stop_reason")]
    _stop_reason: String,
    #[serde(rename = "converged")]
    _converged: bool,
}

fn holds<T: DeserializeOwned>(path: &Path, accept: impl Fn(&T) -> bool) -> bool {
    read_json::<T>(path).is_ok_and(|record| accept(&record))
}

/// Whether a file of this name that this program wrote begins like that.
fn begins_as_ours(name: &str, bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let extension = Path::new(name).extension().and_then(|extension| extension.to_str());
    match name {
        "config.toml" => text.starts_with("[data]\n") && text.contains("\n\n[network]\n"),
        "trace.csv" => text.starts_with("step,time,loss,deviation,riemannian_gradient_norm,"),
        "summary.csv" => text.starts_with("id,group,path,"),
        "bands.csv" => text.starts_with("group,step,time,runs,"),
        "summary.md" => text.starts_with("# Reproduction of section 5\n"),
        "audit.md" => ["# Referee report: Gauss-Newton Dynamics", "# Audit of the run `"]
            .iter()
            .any(|heading| text.starts_with(heading)),
        // Of a further paper.
        _ if name.starts_with("audit_") && extension == Some("md") => {
            text.starts_with("# Referee report: ") && text.contains(". What was read: ")
        }
        REPORT => text.starts_with("<!DOCTYPE html>") && text.contains(" - gaussflow</title>"),
        _ if extension == Some("svg") => {
            text.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 ")
                && text.contains("\" role=\"img\">\n<title>")
        }
        _ if extension == Some("png") => {
            let mark = b"tEXtSoftware\0gaussflow";
            bytes.starts_with(b"\x89PNG\r\n\x1a\n")
                && bytes.windows(mark.len()).any(|part| part == mark)
        }
        _ => false,
    }
}

/// The first bytes of a file; none where it cannot be read.
fn beginning(path: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(4096).read_to_end(&mut bytes));
    if read.is_ok() { bytes } else { Vec::new() }
}
