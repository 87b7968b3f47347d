//! The exit statuses of every command.

/// Exit status of a failed `--check`.
pub const CHECK_FAILED: u8 = 1;
/// Exit status of bad usage, configuration or data.
pub const BAD_INPUT: u8 = 2;
/// Exit status of a failed read or write.
pub const IO_FAILED: u8 = 3;
/// Exit status after an interrupt.
pub const INTERRUPTED: u8 = 130;
