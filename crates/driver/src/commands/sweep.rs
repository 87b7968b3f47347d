//! `gaussflow sweep CONFIG.toml [--out DIR] [--set KEY=VALUE] [--resume] [--jobs K]`.

use std::path::PathBuf;

use clap::Args;
use gaussflow_records::Overwrite;

use super::{Replacement, Settings, default_folder};
use crate::console;
use crate::error::DriverError;
use crate::sweep::{self, Existing, Request};

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  gaussflow sweep grid.toml                        (writes out/grid)\n  \
                  gaussflow sweep grid.toml --resume --jobs 4\n  \
                  gaussflow sweep grid.toml --set dynamics.horizon=1 --out short\n\n\
                  grid.toml is a configuration with a section that lists what varies:\n  \
                  [sweep]\n  seeds = 64                               # 0 to 63, or a list\n  \
                  \"dynamics.scaling\" = [8.0, 16.0, 256.0]  # any key of the configuration\n  \
                  [[sweep.cases]]                          # keys that are set together\n  \
                  dynamics.preconditioner = \"gauss-newton\"\n  \
                  [[sweep.cases]]\n  \
                  dynamics = { preconditioner = \"gradient\", integrator = \"stiff\" }\n\n\
                  Each run is written to a folder of its own below runs/; summary.csv has one row a run, and\n\
                  bands.csv the medians over the seeds. The exit status is 0 also where a run has no answer:\n\
                  its error is recorded. It is 2 for bad usage, a bad configuration or bad data, 3 where a\n\
                  file cannot be read or written, and 130 after an interruption. After 3 and 130 the same\n\
                  command with --resume goes on where it stopped."
)]
pub(crate) struct Arguments {
    /// The configuration (TOML), with a [sweep] section that lists what varies.
    config: PathBuf,
    /// The folder to write. It may be new or empty, or with --resume that of the same sweep
    /// [default: out/CONFIG, as out/grid for grid.toml]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    #[command(flatten)]
    settings: Settings,
    /// Keep the finished runs of an earlier call and make the others.
    #[arg(long, conflicts_with = "overwrite")]
    resume: bool,
    #[command(flatten)]
    replacement: Replacement,
    /// How many runs are made at a time [default: one a core].
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
            config: self.settings.of(&self.config)?,
            out: self.out.unwrap_or_else(|| default_folder(&self.config)),
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
            "{runs} runs ({resumed} from before, {} without an answer) in {seconds:.1} s\n\
             the table of all runs: {}\n{}",
            failed.len(),
            out.join("summary.csv").display(),
            console::what_next(out)
        ));
        console::print(&remarks(&report.remarks, *runs));
        Ok(())
    }
}

/// Runs whose remark is printed.
const MOST_REMARKS: usize = 5;

/// A few lines on runs of the `runs` that lost rank, fell back or rose in loss; empty where there are none.
fn remarks(all: &[(String, String)], runs: usize) -> String {
    if all.is_empty() {
        return String::new();
    }
    let mut lines =
        vec![format!("{} of the {runs} runs did not go as the flow does:\n", all.len())];
    lines.extend(all.iter().take(MOST_REMARKS).map(|(id, remark)| format!("{id}: {remark}\n")));
    if all.len() > MOST_REMARKS {
        let more = all.len() - MOST_REMARKS;
        lines.push(format!(
            "{more} more runs have such a remark: the column \"remark\" of summary.csv has them all\n"
        ));
    }
    lines.concat()
}
