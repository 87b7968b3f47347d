//! Where a configuration comes from: a file, or a text that a program made.

use std::fmt;
use std::path::PathBuf;

use super::Config;
use super::error::ConfigError;
use super::sweep::Sweep;

/// A configuration in TOML: a file's, or a text's.
#[derive(Clone, Debug)]
pub enum Source {
    /// The file.
    File(PathBuf),
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
            Self::Text(text) => Sweep::parse(text),
        }
    }
}

/// As a command line names it.
impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Text(_) => f.write_str("CONFIG.toml"),
        }
    }
}
