//! `gaussflow compare DIR DIR [--json]`.

use std::path::PathBuf;

use clap::Args;

use crate::compare::{self, Comparison};
use crate::console;
use crate::error::DriverError;

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  gaussflow compare out/a/runs/gauss-newton-alpha_8-seed_0 \
                        out/b/runs/gauss-newton-alpha_16-seed_0\n  \
                        gaussflow compare before after --json\n\n\
                        The runs of two folders are matched by their names. The last lines say in words what \
                        differs.\nA relative difference is |a - b| / max(|a|, |b|), over the steps that both \
                        recorded.\nNumbers have four digits here, and all of theirs with --json. The exit status \
                        is 0 also where\nthe runs differ.")]
pub(crate) struct Arguments {
    /// A run's folder, or a folder that run, sweep or reproduce wrote.
    a: PathBuf,
    /// The folder to compare it with.
    b: PathBuf,
    /// Print everything as JSON, with all digits.
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
            console::print(&compare::conclusion(&comparison));
        }
        Ok(())
    }
}
