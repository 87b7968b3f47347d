//! Flows, iterations and fits, judged by closed forms, certified values and other programs.

mod batches;
mod checkpoints;
mod endings;
mod field;
mod fit;
mod maps;
mod nist;
mod nist_problems;
mod rank_loss;
mod trajectories;
