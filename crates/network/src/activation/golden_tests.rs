//! Accuracy against a table of 40-digit values, `tests/golden/activations.csv`.
//!
//! The table gives the nearest double and the rest in units of its last place, so errors below one
//! unit are judged. Both arithmetics are tested, whatever processor runs the test.

use std::marker::PhantomData;

use pulp::{Scalar, Simd};

use super::arithmetic::{Jets, Kernel};
use super::{Activation, ActivationFunction, arctan, erf, sigmoid, tanh};

const TABLE: &str = include_str!("../../tests/golden/activations.csv");

/// Largest error over the dense table (20,000 random points a function, see the generator) of
/// sigma, sigma', sigma'', in units in the last place, the worse of the two arithmetics, rounded
/// up. The committed table is a subset in kind, so it has to stay below.
const MEASURED: [(Activation, [f64; 3]); 4] = [
    (Activation::Tanh, [1.1, 1.5, 2.4]),
    (Activation::Sigmoid, [0.8, 1.5, 2.4]),
    (Activation::Erf, [1.5, 0.9, 1.5]),
    (Activation::Arctan, [1.7, 0.8, 1.5]),
];

/// A row: z, then the nearest double and the rest of each of the three results.
struct Row {
    z: f64,
    exact: [(f64, f64); 3],
}

fn rows(activation: Activation) -> Vec<Row> {
    let lines = TABLE.lines().filter_map(|line| line.strip_prefix(activation.name()));
    lines
        .map(|line| {
            let cells: Vec<f64> =
                line.split(',').skip(1).map(|cell| cell.parse().unwrap()).collect();
            let exact = [(cells[1], cells[2]), (cells[3], cells[4]), (cells[5], cells[6])];
            Row { z: cells[0], exact }
        })
        .collect()
}

/// Distance of adjacent doubles at `x`.
fn unit_in_the_last_place(x: f64) -> f64 {
    let magnitude = x.abs().max(f64::MIN_POSITIVE);
    f64::from_bits(magnitude.to_bits() & 0x7FF0_0000_0000_0000) * f64::EPSILON
}

fn separate<K: Kernel>(z: &[f64]) -> [Vec<f64>; 3] {
    let [mut value, mut first, mut second] = [0; 3].map(|_| vec![0.0; z.len()]);
    Scalar.vectorize(Jets::<K> {
        pre_activation: z,
        value: &mut value,
        first: &mut first,
        second: Some(&mut second),
        kernel: PhantomData,
    });
    [value, first, second]
}

fn dispatched(activation: Activation, z: &[f64]) -> [Vec<f64>; 3] {
    let [mut value, mut first, mut second] = [0; 3].map(|_| vec![0.0; z.len()]);
    activation.evaluate(z, &mut value, &mut first, &mut second);
    [value, first, second]
}

/// Largest error of each result, and where.
fn largest_errors(rows: &[Row], results: &[Vec<f64>; 3]) -> [(f64, f64); 3] {
    [0, 1, 2].map(|order| {
        let mut largest = (0.0, 0.0);
        for (row, result) in rows.iter().zip(&results[order]) {
            let (exact, rest) = row.exact[order];
            let error = ((result - exact) / unit_in_the_last_place(exact) - rest).abs();
            let subnormal = exact.abs() < f64::MIN_POSITIVE;
            // Below the normal range the unit is the least subnormal, and sigma'' = -2 z sigma'
            // of the error function carries up to 55 half units of sigma' along.
            let accepted = if subnormal { [2.0, 2.0, 64.0][order] } else { f64::MAX };
            assert!(error <= accepted, "z {} result {result} exact {exact}", row.z);
            if !subnormal && error > largest.0 {
                largest = (error, row.z);
            }
        }
        largest
    })
}

fn check(label: &str, results_of: impl Fn(Activation, &[f64]) -> [Vec<f64>; 3]) {
    for (activation, measured) in MEASURED {
        let rows = rows(activation);
        assert!(rows.len() >= 190, "{activation}: only {} golden rows", rows.len());
        let z: Vec<f64> = rows.iter().map(|row| row.z).collect();
        let errors = largest_errors(&rows, &results_of(activation, &z));
        println!("{label} {activation}: largest error and its z {errors:?}");
        for order in 0..3 {
            let (error, z) = errors[order];
            assert!(
                error <= measured[order],
                "{label} {activation}, derivative {order}: {error} units at z = {z}"
            );
        }
    }
}

/// The bits of all results, end to end.
fn bits(results: &[Vec<f64>; 3]) -> Vec<Vec<u64>> {
    results.iter().map(|result| result.iter().map(|x| x.to_bits()).collect()).collect()
}

/// Every cut of every short slice, and slices around the block of 64.
#[test]
fn results_do_not_depend_on_how_a_slice_is_cut() {
    for activation in Activation::ALL {
        let z: Vec<f64> =
            rows(activation).iter().map(|row| row.z).cycle().skip(60).take(140).collect();
        for length in (1..=40).chain([63, 64, 65, 131]) {
            let whole = dispatched(activation, &z[..length]);
            for cut in 0..=length {
                let mut pieces = dispatched(activation, &z[..cut]);
                let rest = dispatched(activation, &z[cut..length]);
                for (piece, rest) in pieces.iter_mut().zip(&rest) {
                    piece.extend(rest);
                }
                assert_eq!(bits(&pieces), bits(&whole), "{activation}: {length} cut at {cut}");
            }
        }
    }
}

/// More elements than the default method's buffer holds.
#[test]
fn value_and_slope_are_those_of_evaluate() {
    for activation in Activation::ALL {
        let z: Vec<f64> = rows(activation).iter().map(|row| row.z).cycle().take(600).collect();
        let [value, first, second] = dispatched(activation, &z);
        let [mut own_value, mut own_first] = [vec![0.0; z.len()], vec![0.0; z.len()]];
        activation.value_and_slope(&z, &mut own_value, &mut own_first);
        let own = [own_value, own_first, second.clone()];
        assert_eq!(bits(&own), bits(&[value, first, second]), "{activation}");
    }
}

#[test]
fn dispatched_results_match_the_table() {
    check("dispatched", dispatched);
}

#[test]
fn results_without_fused_operations_match_the_table() {
    check("separate", |activation, z| match activation {
        Activation::Tanh => separate::<tanh::Tanh>(z),
        Activation::Sigmoid => separate::<sigmoid::Sigmoid>(z),
        Activation::Erf => separate::<erf::Erf>(z),
        Activation::Arctan => separate::<arctan::Arctan>(z),
    });
}
