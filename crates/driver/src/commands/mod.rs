//! The subcommands that have a module of their own, and the flags, default and last line that several have.

pub(crate) mod compare;
pub(crate) mod completions;
pub(crate) mod run;
pub(crate) mod sweep;

use std::path::{Path, PathBuf};

use clap::Args;
use gaussflow_records::Overwrite;

use crate::config::{ConfigError, Setting, Source};

/// Whether results of ours that this command would not write again may be replaced.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Replacement {
    /// Replace other results of gaussflow that are there. Files of other programs are never replaced.
    #[arg(long)]
    overwrite: bool,
}

impl Replacement {
    /// As the library wants it.
    pub(crate) fn choice(self) -> Overwrite {
        if self.overwrite { Overwrite::Yes } else { Overwrite::No }
    }
}

/// Keys of the configuration that the command line gives.
#[derive(Clone, Debug, Args)]
pub(crate) struct Settings {
    /// Give a key of the configuration another value than the file does, as in dynamics.scaling=16. The value is
    /// written as in the file; a word needs no quotes. May be repeated.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    set: Vec<String>,
}

impl Settings {
    /// The configuration in `file` with these keys.
    pub(crate) fn of(&self, file: &Path) -> Result<Source, ConfigError> {
        let file = file.to_owned();
        if self.set.is_empty() {
            return Ok(Source::File(file));
        }
        let settings = self.set.iter().map(|written| Setting::parse(written));
        Ok(Source::Altered { file, settings: settings.collect::<Result<_, _>>()? })
    }
}

/// Where a command writes that is not told where: `out/` and the name of its configuration without `.toml`.
pub(crate) fn default_folder(config: &Path) -> PathBuf {
    // A name that leads elsewhere names no folder of its own.
    let stem = config.file_stem().filter(|stem| *stem != "." && *stem != "..");
    Path::new("out").join(stem.unwrap_or("run".as_ref()))
}
