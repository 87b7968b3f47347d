//! `cargo xtask reproduce`: builds the driver and lets it run section 5.

use std::process::{Command, ExitCode};

use crate::process::{built, hand_over};

/// Hands every option to the driver, which knows them and explains wrong ones.
pub fn run(options: &[String]) -> ExitCode {
    let program = match built("gaussflow") {
        Ok(program) => program,
        Err(status) => return status,
    };
    let mut driver = Command::new(program);
    driver.arg("reproduce").args(options);
    hand_over(driver)
}
