//! Starts programs and hands their exit status on.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use crate::console;

/// Exit status when a program cannot be started.
const CANNOT_START: u8 = 3;

/// The workspace's root: the parent of this package's folder.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map_or_else(PathBuf::new, Path::to_owned)
}

/// The cargo that runs this program.
pub fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// Runs a command to its end; its exit status becomes ours.
pub fn hand_over(mut command: Command) -> ExitCode {
    match command.status() {
        // Without a code a signal ended it; the shell's number for an interrupt fits most cases.
        Ok(status) => {
            ExitCode::from(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(130))
        }
        Err(error) => {
            console::note(format_args!(
                "error: cannot start {}: {error}",
                command.get_program().display()
            ));
            ExitCode::from(CANNOT_START)
        }
    }
}

/// Runs a command that must succeed, and hands on the status of one that does not.
pub fn must(command: Command) -> Result<(), ExitCode> {
    match hand_over(command) {
        ExitCode::SUCCESS => Ok(()),
        status => Err(status),
    }
}

/// Where cargo builds.
pub fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// Builds a program of the workspace and returns its path.
///
/// # Errors
/// The status of a build that fails.
pub fn built(name: &str) -> Result<PathBuf, ExitCode> {
    let mut build = cargo();
    // Of the whole workspace, so that what tests have compiled serves.
    build.args(["build", "--quiet", "--release", "--workspace", "--bin", name]);
    build.arg("--manifest-path").arg(root().join("Cargo.toml"));
    must(build)?;
    Ok(target().join("release").join(format!("{name}{}", std::env::consts::EXE_SUFFIX)))
}
