//! What can be wrong with a configuration, and where: file, line, column, key, value, accepted.

use std::fmt;
use std::io;
use std::path::Path;

/// A place in a text: both numbers start at 1, the column counts characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Location {
    /// The line.
    pub line: usize,
    /// The character within the line.
    pub column: usize,
}

impl Location {
    /// The place of byte `offset` of `text`; an offset past the end is the end.
    pub(super) fn of_byte(text: &str, offset: usize) -> Self {
        let offset = (0..=offset.min(text.len())).rev().find(|&at| text.is_char_boundary(at));
        let before = &text[..offset.unwrap_or(0)];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Self {
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
        }
    }
}

/// Why a configuration is not accepted.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say what the fields hold")]
#[non_exhaustive]
pub enum ConfigProblem {
    /// The file could not be read.
    #[error("cannot read the configuration: {source}")]
    Read { source: io::Error },
    /// The file is not text.
    #[error("not UTF-8 text: byte {byte} cannot be decoded")]
    NotText { byte: usize },
    /// The file is larger than any configuration.
    #[error("the file is larger than {accepted} bytes, the most that a configuration may have")]
    TooLarge { accepted: u64 },
    /// The text is not TOML.
    #[error("not valid TOML: {message}")]
    Syntax { message: String },
    /// A table that no configuration has.
    #[error("unknown section [{found}]{}; the sections are {}", hint(nearest.as_ref()),
        accepted.join(", "))]
    UnknownSection { found: String, nearest: Option<String>, accepted: Vec<&'static str> },
    /// A key that its section does not have.
    #[error("unknown key {found}{}; accepted here: {}", hint(nearest.as_ref()),
        accepted.join(", "))]
    UnknownKey {
        found: String,
        /// The closest key that exists, with its section.
        nearest: Option<String>,
        /// Every key of the section (every section, for a key outside of one).
        accepted: Vec<&'static str>,
    },
    /// A value of the wrong type or outside its range.
    #[error("{key} = {value} is not accepted: it must be {accepted}")]
    Value { key: String, value: String, accepted: String },
    /// A table where only a number is understood so far.
    #[error(
        "dynamics.damping = {value}: a schedule (a table) is not accepted; only a number from 0 to \
         1 is"
    )]
    DampingSchedule { value: String },
    /// Two keys that exclude each other.
    #[error("{key} = {value} does not go with {other}: {advice}")]
    Conflict {
        key: &'static str,
        value: String,
        /// The other key with its value, as one would write it.
        other: String,
        advice: &'static str,
    },
    /// A key that another one asks for.
    #[error("{key} is missing: {because}")]
    Missing {
        key: &'static str,
        /// Which other key asks for it, and what it takes.
        because: &'static str,
    },
    /// A sweep where one run is asked for.
    #[error("[sweep] asks for many runs: use `gaussflow sweep`, or leave the section out")]
    SweepInRun,
    /// One run where a sweep is asked for.
    #[error(
        "there is no [sweep] section; it lists what varies: seeds = 64, \
         \"dynamics.scaling\" = [8.0, 16.0], or [[sweep.cases]] (`gaussflow run` runs one configuration)"
    )]
    NoSweep,
    /// More runs than a folder can sensibly hold.
    #[error("[sweep] asks for {runs} runs; at most {accepted} are accepted")]
    TooManyRuns {
        /// The product of the lists' lengths and the seeds.
        runs: u64,
        accepted: u64,
    },
    /// What is wrong with a value that the command line sets.
    #[error("--set {setting}: {problem}")]
    Setting {
        /// As it was written.
        setting: String,
        #[source]
        problem: Box<ConfigProblem>,
    },
    /// A `--set` without a value.
    #[error("a setting is written section.key=value, as in dynamics.scaling=16")]
    NoValue,
    /// A `--set` of a key that differs from run to run.
    #[error(
        "{key} differs between the runs of this sweep, and one value cannot take its place: change [sweep] in the file"
    )]
    SweptSetting { key: &'static str },
    /// Two runs of a sweep that would have one name.
    #[error("[sweep] names the run {id} twice: list each value and each seed once")]
    DuplicateRun { id: String },
}

impl ConfigProblem {
    /// The key at fault, as `section.key`; `None` where the text as a whole is.
    pub fn key(&self) -> Option<&str> {
        match self {
            Self::UnknownSection { found, .. } | Self::UnknownKey { found, .. } => Some(found),
            Self::Value { key, .. } => Some(key),
            Self::Conflict { key, .. } | Self::Missing { key, .. } | Self::SweptSetting { key } => {
                Some(key)
            }
            Self::Setting { problem, .. } => problem.key(),
            Self::DampingSchedule { .. } => Some("dynamics.damping"),
            Self::SweepInRun | Self::TooManyRuns { .. } | Self::DuplicateRun { .. } => {
                Some("sweep")
            }
            _ => None,
        }
    }
}

/// A configuration that cannot be used: the problem with its place.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say what the fields hold")]
#[error("{}{problem}", Prefix(self))]
pub struct ConfigError {
    /// The file, `None` for a text that came from elsewhere.
    pub file: Option<Box<Path>>,
    /// The place in the text, where one can be named.
    pub location: Option<Location>,
    /// What is wrong.
    #[source]
    pub problem: ConfigProblem,
}

/// A problem of a configuration that stands in no text.
impl From<ConfigProblem> for ConfigError {
    fn from(problem: ConfigProblem) -> Self {
        Self { file: None, location: None, problem }
    }
}

impl ConfigError {
    /// The exit status of a program that ends for this: 3 where reading failed, otherwise 2.
    pub fn exit_status(&self) -> u8 {
        match self.problem {
            ConfigProblem::Read { .. } => 3,
            _ => 2,
        }
    }
}

/// `file:line:column: `, as far as known.
struct Prefix<'a>(&'a ConfigError);

impl fmt::Display for Prefix<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.0.file, self.0.location) {
            (Some(file), Some(Location { line, column })) => {
                write!(f, "{}:{line}:{column}: ", file.display())
            }
            (Some(file), None) => write!(f, "{}: ", file.display()),
            (None, Some(Location { line, column })) => write!(f, "line {line}, column {column}: "),
            (None, None) => Ok(()),
        }
    }
}

fn hint(nearest: Option<&String>) -> String {
    nearest.map(|name| format!(" (did you mean {name}?)")).unwrap_or_default()
}
