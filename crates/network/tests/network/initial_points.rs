//! The seeded draws: separate streams, prefixes that survive widening, and their distribution.
//!
//! `c_i ~ Unif{-1, 1}` and `w^(i) ~ N(0, I_d)` (section 5), pairs of opposite sign in Remark 4.

#![allow(clippy::float_cmp, reason = "the same seed must give the same bits")]

use gaussflow_network::{InitialPoint, Initialization, NetworkError};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

fn draw(kind: Initialization, hidden: usize, features: usize, seed: u64) -> InitialPoint {
    InitialPoint::draw(kind, hidden, features, seed).unwrap()
}

#[test]
fn a_seed_gives_its_bits_again_and_another_seed_others() {
    for kind in Initialization::ALL {
        let point = draw(kind, 24, 6, 3);
        assert_eq!(point, draw(kind, 24, 6, 3));
        assert_ne!(point.weights, draw(kind, 24, 6, 4).weights);
        assert_ne!(point.signs, draw(kind, 24, 6, 4).signs);
        assert_eq!((point.signs.len(), point.weights.len()), (24, 144));
    }
    assert_eq!(
        draw(Initialization::Plain, 9, 2, 1),
        draw(Initialization::Nullified, 9, 2, 1),
        "only the offset tells them apart"
    );
}

#[test]
fn widening_keeps_the_first_units_and_features_leave_the_signs() {
    let (narrow, wide) =
        (draw(Initialization::Plain, 10, 4, 8), draw(Initialization::Plain, 50, 4, 8));
    assert_eq!(narrow.signs, wide.signs[..10]);
    assert_eq!(narrow.weights, wide.weights[..40]);
    assert_eq!(wide.signs, draw(Initialization::Plain, 50, 7, 8).signs);
    let paired = draw(Initialization::Antisymmetric, 20, 4, 8);
    assert_eq!(
        (&paired.signs[..10], &paired.weights[..40]),
        (&narrow.signs[..], &narrow.weights[..])
    );
}

/// The stream that draws rows is stream 0: neither signs nor weights come from its numbers.
#[test]
fn signs_and_weights_do_not_come_from_the_row_stream() {
    let point = draw(Initialization::Plain, 64, 1, 21);
    let signs_of = |stream: u64| -> Vec<f64> {
        let mut generator = ChaCha8Rng::seed_from_u64(21);
        generator.set_stream(stream);
        (0..64).map(|_| if generator.random::<bool>() { 1.0 } else { -1.0 }).collect()
    };
    assert_eq!(point.signs, signs_of(1));
    assert_ne!(point.signs, signs_of(0));
    assert_ne!(point.signs, signs_of(2));
    // Weights of stream 2 do not follow the signs: 64 products of mean 0, deviation 1.
    let product: f64 = point.signs.iter().zip(&point.weights).map(|(c, w)| c * w).sum();
    assert!(product.abs() < 4.0 * 8.0, "{product}");
}

#[test]
fn antisymmetric_units_come_in_pairs() {
    let point = draw(Initialization::Antisymmetric, 12, 5, 2);
    for i in 0..6 {
        assert_eq!(point.signs[i], -point.signs[i + 6]);
    }
    assert_eq!(point.weights[..30], point.weights[30..]);
}

/// Bounds at five standard deviations of each statistic under the stated distribution.
#[test]
fn draws_have_the_stated_mean_variance_and_tail() {
    let point = draw(Initialization::Plain, 40_000, 1, 6);
    let count = 40_000.0_f64;
    let moment = |power: i32| point.weights.iter().map(|w| w.powi(power)).sum::<f64>() / count;
    assert!(moment(1).abs() < 5.0 / count.sqrt());
    assert!((moment(2) - 1.0).abs() < 5.0 * (2.0 / count).sqrt());
    assert!(moment(3).abs() < 5.0 * (15.0 / count).sqrt());
    assert!((moment(4) - 3.0).abs() < 5.0 * (96.0 / count).sqrt());
    let lagged: f64 = point.weights.windows(2).map(|w| w[0] * w[1]).sum();
    assert!((lagged / count).abs() < 5.0 / count.sqrt());
    let beyond_two = point.weights.iter().filter(|w| w.abs() > 2.0).count() as f64 / count;
    assert!((beyond_two - 0.0455).abs() < 5.0 * (0.0455 * 0.9545 / count).sqrt());
    assert!(point.signs.iter().all(|c| c.abs() == 1.0));
    let sum: f64 = point.signs.iter().sum();
    assert!(sum.abs() < 5.0 * count.sqrt(), "{sum}");
    let runs: f64 = point.signs.windows(2).map(|c| c[0] * c[1]).sum();
    assert!(runs.abs() < 5.0 * count.sqrt(), "{runs}");
}

#[test]
fn impossible_draws_and_unknown_names_are_refused() {
    for kind in Initialization::ALL {
        for (hidden, features) in [(0, 3), (4, 0)] {
            let refused = InitialPoint::draw(kind, hidden, features, 0).unwrap_err();
            assert!(matches!(refused, NetworkError::Empty { .. }));
        }
        assert_eq!(kind.name().parse::<Initialization>(), Ok(kind));
    }
    assert_eq!(
        InitialPoint::draw(Initialization::Antisymmetric, 5, 2, 0),
        Err(NetworkError::OddWidth { hidden: 5 })
    );
    assert_eq!(
        "Nullified".parse::<Initialization>(),
        Err(NetworkError::UnknownInitialization { name: "Nullified".to_owned() })
    );
}
