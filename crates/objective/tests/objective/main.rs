//! Maps, losses and linearizations, judged by differences and closed forms.

mod checkers;
mod differences;
mod exact;
mod linearization;
mod losses;
mod metric;
