//! Properties of the activations: `sigma' = d sigma / dz`, parity, sup norms, limits, and results
//! that do not depend on where in a slice an element stands.
//!
//! Accuracy in units in the last place is judged against a golden table by the unit tests of
//! `src/activation/golden_tests.rs`.

// Limits, attained bounds and recomputed results are equal exactly or not at all.
#![allow(clippy::float_cmp)]

use gaussflow_network::activation::{Activation, ActivationFunction, UnknownActivation};
use proptest::prelude::*;

fn evaluate(activation: Activation, z: &[f64]) -> [Vec<f64>; 3] {
    let [mut value, mut first, mut second] = [0; 3].map(|_| vec![f64::NAN; z.len()]);
    activation.evaluate(z, &mut value, &mut first, &mut second);
    [value, first, second]
}

fn jet(activation: Activation, z: f64) -> [f64; 3] {
    evaluate(activation, &[z]).map(|result| result[0])
}

fn bits(results: &[f64]) -> Vec<u64> {
    results.iter().map(|result| result.to_bits()).collect()
}

/// Every magnitude: around the formulas' crossovers, in the tails, and any finite bit pattern.
fn pre_activation() -> impl Strategy<Value = f64> {
    prop_oneof![-4.0..4.0, -40.0..40.0, prop::num::f64::NORMAL | prop::num::f64::SUBNORMAL]
}

#[test]
fn names_read_back_and_unknown_ones_are_reported() {
    for activation in Activation::ALL {
        assert_eq!(activation.name().parse(), Ok(activation));
    }
    for name in ["relu", "Tanh", "tanh ", ""] {
        let error = name.parse::<Activation>().unwrap_err();
        assert_eq!(error, UnknownActivation { found: name.to_owned() });
        for activation in Activation::ALL {
            assert!(error.to_string().contains(activation.name()), "{error}");
        }
    }
}

#[test]
fn special_pre_activations_give_the_limits() {
    let half_pi = std::f64::consts::FRAC_PI_2;
    for (activation, low, high) in [
        (Activation::Tanh, -1.0, 1.0),
        (Activation::Sigmoid, 0.0, 1.0),
        (Activation::Erf, -1.0, 1.0),
        (Activation::Arctan, -half_pi, half_pi),
    ] {
        assert_eq!(jet(activation, f64::INFINITY), [high, 0.0, 0.0], "{activation}");
        assert_eq!(jet(activation, f64::NEG_INFINITY), [low, 0.0, 0.0], "{activation}");
        for nan in [f64::NAN, -f64::NAN] {
            assert!(jet(activation, nan).iter().all(|result| result.is_nan()), "{activation}");
        }
        let center = if activation == Activation::Sigmoid { 0.5 } else { 0.0 };
        for zero in [0.0, -0.0] {
            let [value, first, second] = jet(activation, zero);
            assert_eq!((value, first), (center, activation.bounds().first), "{activation}");
            // The signs of the zeros are those of the odd functions sigma and -sigma''.
            assert_eq!(second.to_bits(), (-zero).to_bits(), "{activation}");
            if center == 0.0 {
                assert_eq!(value.to_bits(), zero.to_bits(), "{activation}");
            }
        }
    }
}

/// The bounds are attained, so they are sup norms and not merely upper bounds.
#[test]
fn bounds_are_attained() {
    for (activation, extremum) in [
        (Activation::Tanh, (1.0_f64 / 3.0).sqrt().atanh()),
        (Activation::Sigmoid, 2.0 * (1.0_f64 / 3.0).sqrt().atanh()),
        (Activation::Erf, 0.5_f64.sqrt()),
        (Activation::Arctan, (1.0_f64 / 3.0).sqrt()),
    ] {
        let bounds = activation.bounds();
        assert_eq!(jet(activation, f64::INFINITY)[0], bounds.value, "{activation}");
        assert_eq!(jet(activation, 0.0)[1], bounds.first, "{activation}");
        let largest = jet(activation, -extremum)[2];
        let error = (largest / bounds.second - 1.0).abs();
        assert!(error <= 3.0 * f64::EPSILON, "{activation}: {largest} against {}", bounds.second);
    }
}

#[test]
fn the_shortest_slice_ends_the_pass() {
    for activation in Activation::ALL {
        let (mut value, mut first, mut second) = ([7.0; 3], [7.0; 200], [7.0; 5]);
        activation.evaluate(&[1.0; 150], &mut value, &mut first, &mut second);
        let expected = jet(activation, 1.0);
        assert_eq!(value, [expected[0]; 3], "{activation}");
        assert_eq!(first[..3], [expected[1]; 3], "{activation}");
        assert_eq!(second[..3], [expected[2]; 3], "{activation}");
        assert!(first[3..].iter().chain(&second[3..]).all(|untouched| *untouched == 7.0));
        activation.value(&[1.0; 2], &mut value);
        activation.value(&[0.5; 9], &mut value[..1]);
        assert_eq!(value, [jet(activation, 0.5)[0], expected[0], expected[0]], "{activation}");
    }
}

proptest! {
    #[test]
    fn results_depend_on_neither_position_nor_length(
        z in prop::collection::vec(pre_activation(), 0..300),
        offset in 0..9_usize,
    ) {
        for activation in Activation::ALL {
            let results = evaluate(activation, &z);
            for (index, z) in z.iter().enumerate() {
                let alone = jet(activation, *z);
                prop_assert_eq!(bits(&alone), bits(&[0, 1, 2].map(|order| results[order][index])));
            }
            let start = offset.min(z.len());
            let shifted = evaluate(activation, &z[start..]);
            for order in 0..3 {
                prop_assert_eq!(bits(&shifted[order]), bits(&results[order][start..]));
            }
            let mut value = vec![f64::NAN; z.len()];
            activation.value(&z, &mut value);
            prop_assert_eq!(bits(&value), bits(&results[0]));
        }
    }

    #[test]
    fn parity_is_exact(z in pre_activation()) {
        for activation in Activation::ALL {
            let [plus, minus] = [jet(activation, z), jet(activation, -z)];
            if activation == Activation::Sigmoid {
                // 1/2 + an odd function: the sum rounds once in each of the two results and here.
                let sum = plus[0] + minus[0];
                prop_assert!((sum - 1.0).abs() <= 2.0 * f64::EPSILON, "{sum} at {z}");
            } else {
                prop_assert_eq!(plus[0].to_bits(), (-minus[0]).to_bits());
            }
            prop_assert_eq!(plus[1].to_bits(), minus[1].to_bits());
            prop_assert_eq!(plus[2].to_bits(), (-minus[2]).to_bits());
        }
    }

    #[test]
    fn bounds_hold(z in pre_activation()) {
        for activation in Activation::ALL {
            let (bounds, jet) = (activation.bounds(), jet(activation, z));
            // The results' own rounding errors, at most 2.5 units in the last place.
            let slack = 1.0 + 2.5 * f64::EPSILON;
            prop_assert!(jet[0].abs() <= bounds.value, "{activation} {jet:?} at {z}");
            prop_assert!((0.0..=bounds.first * slack).contains(&jet[1]), "{activation} {jet:?}");
            prop_assert!(jet[2].abs() <= bounds.second * slack, "{activation} {jet:?} at {z}");
            prop_assert!(jet[2] * z <= 0.0, "sigma'' pulls towards 0: {activation} {jet:?} at {z}");
        }
    }

    /// The differential equations that define the functions; relative wherever a product allows.
    #[test]
    fn derivatives_satisfy_their_equations(z in -26.0..26.0_f64) {
        let close = |found: f64, expected: f64, scale: f64| {
            (found - expected).abs() <= 8.0 * f64::EPSILON * scale
        };
        let [value, first, second] = jet(Activation::Tanh, z);
        prop_assert!(close(first, 1.0 - value * value, 1.0));
        prop_assert!(close(second, -2.0 * value * first, second.abs()));
        let [value, first, second] = jet(Activation::Sigmoid, z);
        prop_assert!(close(first, value * (1.0 - value), 0.25));
        prop_assert!(close(second, first * (1.0 - 2.0 * value), first));
        let [_, first, second] = jet(Activation::Erf, z);
        prop_assert!(close(second, -2.0 * z * first, second.abs()));
        let [value, first, second] = jet(Activation::Arctan, z);
        prop_assert!(close(first * (1.0 + z * z), 1.0, 1.0));
        prop_assert!(close(second, -2.0 * z * first * first, second.abs()));
        prop_assert!(close(value.tan(), z, 1.0 + z * z));
    }

    /// Central differences; all third and fourth derivatives stay below 5 in magnitude.
    #[test]
    fn derivatives_are_slopes(z in -8.0..8.0_f64) {
        let step = 1.0 / 8192.0;
        let tolerance = 5.0 * step * step / 6.0 + 4.0 * f64::EPSILON / step;
        for activation in Activation::ALL {
            let center = jet(activation, z);
            let [left, right] = [jet(activation, z - step), jet(activation, z + step)];
            for order in 0..2 {
                let slope = (right[order] - left[order]) / (2.0 * step);
                let error = (slope - center[order + 1]).abs();
                prop_assert!(error <= tolerance, "{activation} order {order}: {error} at {z}");
            }
        }
    }
}
