//! Where a configuration comes from: a file, with what a command line sets in it, or a text that a program made.

use std::fmt;
use std::path::{Path, PathBuf};

use super::Config;
use super::error::ConfigError;
use super::setting::Setting;
use super::sweep::Sweep;

/// A configuration in TOML: a file's, or a text's.
#[derive(Clone, Debug)]
pub enum Source {
    /// The file.
    File(PathBuf),
    /// The file, with values that take the place of its own.
    Altered {
        /// The file.
        file: PathBuf,
        /// The values; of a key that is set twice, the last one counts.
        settings: Vec<Setting>,
    },
    /// The text itself; errors then name no file.
    Text(String),
}

impl Source {
    /// Reads and checks the configuration of one run.
    ///
    /// # Errors
    /// [`ConfigError`] with the place in the file or text.
    pub fn config(&self) -> Result<Config, ConfigError> {
        match self {
            Self::File(path) => Config::read(path),
            Self::Altered { file, settings } => Config::read_set(file, settings),
            Self::Text(text) => Config::parse(text),
        }
    }

    /// Reads and checks a sweep, every run of it.
    ///
    /// # Errors
    /// As [`Self::config`].
    pub fn sweep(&self) -> Result<Sweep, ConfigError> {
        match self {
            Self::File(path) => Sweep::read(path),
            Self::Altered { file, settings } => Sweep::read_set(file, settings),
            Self::Text(text) => Sweep::parse(text),
        }
    }

    /// The file, if there is one.
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::File(file) | Self::Altered { file, .. } => Some(file),
            Self::Text(_) => None,
        }
    }
}

/// As a command line names it.
impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Altered { file, settings } => {
                write!(f, "{}", file.display())?;
                settings.iter().try_for_each(|setting| write!(f, " {setting}"))
            }
            Self::Text(_) => f.write_str("CONFIG.toml"),
        }
    }
}
