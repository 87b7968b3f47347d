//! The network, judged by finite differences, extended precision and closed forms.

mod activation;
mod deep;
mod deep_golden;
mod derivatives;
mod infinite_width;
mod initial_points;
mod lipschitz_constants;
