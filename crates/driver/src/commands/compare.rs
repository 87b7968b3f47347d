//! `gaussflow compare DIR DIR [--json]`.

use std::path::PathBuf;

use clap::Args;

use crate::compare::{self, Comparison};
use crate::console;
use crate::error::DriverError;

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  gaussflow compare results/runs/gauss-newton-alpha_8-seed_0 \
                        results/runs/gradient-alpha_8-seed_0\n  \
                        gaussflow compare before after --json\n\n\
                        Two folders of runs are matched by the runs' names. A difference is a result: \
                        exit status 0.\nRelative differences are |a - b| / max(|a|, |b|), over the steps \
                        that both recorded.")]
pub(crate) struct Arguments {
    /// A run's folder, or a folder with a manifest.json.
    a: PathBuf,
    /// Another one.
    b: PathBuf,
    /// Print everything as JSON.
    #[arg(long)]
    json: bool,
}

impl Arguments {
    pub(crate) fn execute(&self) -> Result<(), DriverError> {
        let comparison = Comparison::of(&self.a, &self.b)?;
        if self.json {
            console::json(&comparison);
        } else {
            console::print(&compare::table(&comparison));
        }
        Ok(())
    }
}
