//! `gaussflow sweep CONFIG.toml --out DIR [--resume] [--jobs K]`.

use std::path::PathBuf;

use clap::Args;
use gaussflow_records::Overwrite;

use super::{Replacement, what_next};
use crate::config::Source;
use crate::console;
use crate::error::DriverError;
use crate::sweep::{self, Existing, Request};

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  gaussflow sweep grid.toml --out results\n  \
                  gaussflow sweep grid.toml --out results --resume --jobs 4\n\n\
                  grid.toml is a configuration with a section that lists what varies:\n  \
                  [sweep]\n  seeds = 64                               # 0 to 63, or a list\n  \
                  \"dynamics.scaling\" = [8.0, 16.0, 256.0]  # any key of the configuration\n  \
                  [[sweep.cases]]                          # keys that are set together\n  \
                  dynamics.preconditioner = \"gauss-newton\"\n  \
                  [[sweep.cases]]\n  \
                  dynamics = { preconditioner = \"gradient\", integrator = \"stiff\" }\n\n\
                  Exit status: 0 also where a run has no answer (it is recorded with its error), 2 bad \
                  usage,\nconfiguration or data, 3 input/output failure, 130 interrupted; after 3 and \
                  130 --resume goes on.")]
pub(crate) struct Arguments {
    /// The configuration (TOML) with its [sweep] section.
    config: PathBuf,
    /// The folder to write: new, empty, or with --resume that of the same sweep.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Keep the finished runs of an earlier call and make the others.
    #[arg(long, conflicts_with = "overwrite")]
    resume: bool,
    #[command(flatten)]
    replacement: Replacement,
    /// Runs at a time [default: one a core].
    #[arg(long, value_name = "K")]
    jobs: Option<usize>,
    /// Print nothing but errors.
    #[arg(long)]
    quiet: bool,
    /// Print the result as JSON.
    #[arg(long, conflicts_with = "quiet")]
    json: bool,
}

impl Arguments {
    pub(crate) fn execute(self) -> Result<(), DriverError> {
        let report = sweep::sweep(&Request {
            config: Source::File(self.config),
            out: self.out,
            existing: match (self.resume, self.replacement.choice()) {
                (true, _) => Existing::Resume,
                (_, Overwrite::Yes) => Existing::Overwrite,
                _ => Existing::Refuse,
            },
            jobs: self.jobs,
            quiet: self.quiet,
        })?;
        for id in &report.failed {
            console::note(format_args!(
                "no answer: {id}; its outcome.json and summary.csv say why"
            ));
        }
        if self.json {
            console::json(&report);
        }
        if self.json || self.quiet {
            return Ok(());
        }
        let sweep::Report { out, runs, resumed, failed, seconds, .. } = &report;
        console::say(format_args!(
            "{runs} runs ({resumed} from before, {} without an answer) in {seconds:.1} s\nsee {}\n{}",
            failed.len(),
            out.join("summary.csv").display(),
            what_next(out)
        ));
        console::print(&remarks(&report.remarks));
        Ok(())
    }
}

/// Runs whose remark is printed.
const MOST_REMARKS: usize = 5;

/// A few lines on runs that lost rank, fell back or rose in loss; empty where there are none.
fn remarks(all: &[(String, String)]) -> String {
    let told = all.iter().take(MOST_REMARKS).map(|(id, remark)| format!("{id}: {remark}\n"));
    let mut lines: Vec<String> = told.collect();
    if all.len() > MOST_REMARKS {
        let more = all.len() - MOST_REMARKS;
        lines.push(format!("{more} more runs have a remark: see the column of that name\n"));
    }
    lines.concat()
}
