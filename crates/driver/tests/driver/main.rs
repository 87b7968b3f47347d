//! The command as its users run it, and the library behind it.

mod audit;
mod audit_page;
mod beside;
mod classes;
mod command_line;
mod common;
mod deep;
mod documents;
mod errors;
mod fit_bounds;
mod fit_command;
mod fit_models;
mod hardening;
mod hostile;
mod look_up;
mod ownership;
mod parts;
mod peak;
mod readme;
mod settings;
mod sizes;
#[cfg(unix)]
mod streams;
mod summaries;
mod sweep;
