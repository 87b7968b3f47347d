//! How property tests draw their cases: the same in every run.

use proptest::prelude::ProptestConfig;
use proptest::test_runner::{RngAlgorithm, RngSeed};

pub fn settings(cases: u32, seed: u64) -> ProptestConfig {
    ProptestConfig {
        cases,
        failure_persistence: None,
        rng_algorithm: RngAlgorithm::ChaCha,
        rng_seed: RngSeed::Fixed(seed),
        ..ProptestConfig::default()
    }
}
