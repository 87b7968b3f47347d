//! What xtask prints: a reader that leaves, or a full device, ends no work and is no panic.

use std::fmt::Display;
use std::io::Write;

/// Prints a line to standard output.
pub fn say(line: impl Display) {
    // Whoever reads the output can see that it is not whole; the status is that of the work.
    drop(writeln!(std::io::stdout(), "{line}"));
}

/// Prints a line to standard error.
pub fn note(line: impl Display) {
    // There is no other place to tell that this one cannot be written.
    drop(writeln!(std::io::stderr(), "{line}"));
}
