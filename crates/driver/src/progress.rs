//! How far a command with many runs has come: a bar on a terminal, plain lines elsewhere.

use std::io::IsTerminal;

use crate::console;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar with rate and time left on a terminal, about ten plain lines elsewhere, nothing when quiet.
pub(crate) struct Progress {
    bar: ProgressBar,
    plain: bool,
}

impl Progress {
    /// The display of `runs` runs.
    pub(crate) fn new(runs: usize, quiet: bool) -> Self {
        let terminal = std::io::stderr().is_terminal();
        let target = if terminal && !quiet {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        let bar = ProgressBar::with_draw_target(Some(runs as u64), target);
        let template = "{bar:40} {pos}/{len} runs, {per_sec}, {eta} left  {msg}";
        // The template is a constant; should it not parse, indicatif's own bar is as good.
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        Self { bar, plain: !terminal && !quiet }
    }

    /// One more run is done.
    pub(crate) fn advance(&self, id: &str) {
        self.bar.inc(1);
        let (done, all) = (self.bar.position(), self.bar.length().unwrap_or(0));
        self.bar.set_message(id.to_owned());
        if self.plain && (done == all || done % (all / 10).max(1) == 0) {
            console::note(format_args!(
                "{done} of {all} runs, {:.1} a second, {:.0} s left",
                self.bar.per_sec(),
                self.bar.eta().as_secs_f64()
            ));
        }
    }

    /// Takes the bar away.
    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
