//! A machine and networks for the simulator: the built-in ones, and those of a TOML file as `calibrate` prints it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use gaussflow_records::{RecordError, read_text};
use serde::Deserialize;

use super::MOST_RANKS;
use crate::exchange::Network;
use crate::machine::Machine;

/// A network, and how many ranks it joins.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Link {
    /// Seconds of a round, apart from its bytes.
    pub latency: f64,
    /// Seconds of a byte received.
    pub byte: f64,
    /// Most ranks that the network joins, at least 1; [`MOST_RANKS`] where a file says nothing.
    #[serde(default = "all_ranks")]
    pub most_ranks: usize,
}

impl Link {
    /// Returns the seconds alone.
    pub fn network(&self) -> Network {
        Network { latency: self.latency, byte: self.byte }
    }
}

fn all_ranks() -> usize {
    MOST_RANKS
}

/// A machine with its name, and networks by theirs.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Setting {
    /// Which machine this is, for readers of the results.
    pub name: String,
    /// Seconds of work.
    pub machine: Machine,
    /// Networks by name; those of a file are added to the built-in ones, or take their places.
    #[serde(default)]
    pub networks: BTreeMap<String, Link>,
}

/// Why a file of settings is refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SettingError {
    /// It cannot be read.
    #[error(transparent)]
    Read(#[from] RecordError),
    /// It is not the TOML of settings; the reason names line, key and what is accepted.
    #[error("{}: {reason}", path.display())]
    Form {
        /// The file.
        path: PathBuf,
        /// The parser's reason.
        reason: toml::de::Error,
    },
    /// A value is out of its range.
    #[error("{}: {key} = {value}: accepted: {accepted}", path.display())]
    Value {
        /// The file.
        path: PathBuf,
        /// The key.
        key: String,
        /// Its value.
        value: String,
        /// The range.
        accepted: &'static str,
    },
}

impl Default for Setting {
    /// One core with AVX2, measured as the page on clusters says; memory that ranks share, as measured there; and two networks
    /// with round numbers for latency and bandwidth.
    fn default() -> Self {
        let link = |latency, byte, most_ranks| Link { latency, byte, most_ranks };
        let networks = [
            ("shared-memory", link(4e-7, 2.6e-10, 128)),
            ("ethernet-10g", link(2e-5, 1e-9, MOST_RANKS)),
            ("infiniband", link(2e-6, 1e-10, MOST_RANKS)),
        ];
        Self {
            name: "AMD EPYC (Zen 3, AVX2), one core of a virtual machine".to_owned(),
            machine: Machine {
                entry: 3.4e-9,
                gram: 5.5e-11,
                product: 1.3e-10,
                factor: 7e-11,
                solve: 2.7e-10,
                qr: 7.5e-11,
                svd: 9e-10,
            },
            networks: networks.map(|(name, link)| (name.to_owned(), link)).into(),
        }
    }
}

impl Setting {
    /// Reads a file of settings, and adds the built-in networks that it does not name.
    ///
    /// # Errors
    /// [`SettingError`], with the file's name, the key at fault and what is accepted.
    pub fn read(path: &Path) -> Result<Self, SettingError> {
        let read = |source| RecordError::Read { path: path.to_owned(), source };
        let text = read_text(path).map_err(read)?;
        let form = |reason| SettingError::Form { path: path.to_owned(), reason };
        let mut setting: Self = toml::from_str(&text).map_err(form)?;
        setting.check(path)?;
        for (name, link) in Self::default().networks {
            setting.networks.entry(name).or_insert(link);
        }
        Ok(setting)
    }

    /// Returns the text of a file with these settings, which [`Self::read`] reads back to the same numbers.
    ///
    /// # Examples
    /// ```
    /// use gaussflow_distributed::scaling::Setting;
    /// assert!(Setting::default().text().contains("[networks.ethernet-10g]\nlatency = 2e-5\n"));
    /// ```
    pub fn text(&self) -> String {
        // Quoted as a string of Rust, which for printable text is one of TOML.
        let mut text = format!("name = {:?}\n\n[machine]\n", self.name);
        for (key, seconds) in self.machine.constants() {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{key} = {seconds:e}");
        }
        for (name, Link { latency, byte, most_ranks }) in &self.networks {
            let _ = write!(
                text,
                "\n[networks.{name}]\nlatency = {latency:e}\nbyte = {byte:e}\nmost_ranks = {most_ranks}\n"
            );
        }
        text
    }

    fn check(&self, path: &Path) -> Result<(), SettingError> {
        const SECONDS: &str = "a finite number of seconds, 0 or above";
        let machine =
            self.machine.constants().map(|(key, value)| (format!("machine.{key}"), value));
        let links = self.networks.iter().flat_map(|(name, link)| {
            [("latency", link.latency), ("byte", link.byte)]
                .map(|(key, value)| (format!("networks.{name}.{key}"), value))
        });
        let refuse = |key, value, accepted| {
            Err(SettingError::Value { path: path.to_owned(), key, value, accepted })
        };
        for (key, value) in machine.into_iter().chain(links) {
            if !(value.is_finite() && value >= 0.0) {
                return refuse(key, format!("{value:e}"), SECONDS);
            }
        }
        for (name, link) in &self.networks {
            // A name is also a cell of a table.
            let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
            if name.is_empty() || !name.chars().all(plain) {
                let key = "the name of a network".to_owned();
                return refuse(key, format!("{name:?}"), "letters, digits, - and _");
            }
            if !(1..=MOST_RANKS).contains(&link.most_ranks) {
                let key = format!("networks.{name}.most_ranks");
                let value = link.most_ranks.to_string();
                return refuse(key, value, "a whole number from 1 to 65536");
            }
        }
        Ok(())
    }
}
