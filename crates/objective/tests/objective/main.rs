//! Maps, losses and linearizations, judged by differences and closed forms.

mod checkers;
mod differences;
mod linearization;
mod losses;
