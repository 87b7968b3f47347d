//! `gaussflow completions SHELL`: the script that lets a shell complete commands and flags.

use clap::{Args, Command};
use clap_complete::{Shell, generate};

use crate::console;

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    gaussflow completions bash > ~/.local/share/bash-completion/completions/gaussflow\n  \
    gaussflow completions zsh > ~/.zfunc/_gaussflow\n  \
    gaussflow completions fish > ~/.config/fish/completions/gaussflow.fish")]
pub(crate) struct Arguments {
    /// The shell.
    shell: Shell,
}

impl Arguments {
    /// Prints the script for `command` and its subcommands.
    pub(crate) fn execute(&self, command: &mut Command) {
        let mut script = Vec::new();
        generate(self.shell, command, "gaussflow", &mut script);
        console::print(&String::from_utf8_lossy(&script));
    }
}
