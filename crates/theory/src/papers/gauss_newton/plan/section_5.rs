//! Section 5's claims, seed by seed.

use crate::papers::gauss_newton::experiments;
use crate::referee::{Measurements, SeedTraces};

/// Every claim on every seed.
pub fn claims(traces: &[SeedTraces]) -> Measurements {
    let mut records = Vec::new();
    for seed in traces {
        let name = format!("section 5, seed {}", seed.seed);
        let newton: Vec<_> = seed.newton.iter().collect();
        let pairs: Vec<_> = seed.newton.iter().zip(&seed.gradient).collect();
        records.push(experiments::full_rank(&name, &newton, seed.ball_radius));
        if let Some(collapsing) = &seed.collapsing {
            records.extend(experiments::collapse(&name, collapsing, seed.rank_lost));
        }
        records.push(experiments::stationary(&name, &newton));
        records.extend(experiments::bias(&name, &newton));
        records.extend(experiments::beats_gradient_flow(&name, &pairs));
    }
    Measurements::of(records)
}
