//! The network, judged by finite differences, extended precision and closed forms.

#[path = "../../../solvers/tests/solvers/allocation_counter.rs"]
mod allocation_counter;

mod activation;
mod blocked;
mod deep;
mod deep_golden;
mod derivatives;
mod infinite_width;
mod initial_points;
mod lipschitz_constants;
mod outputs;
