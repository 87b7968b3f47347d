//! Starts that hide the wanted value: only the certificate can tell that another was found.
//!
//! A matrix that an exchange of coordinates leaves as it is maps vectors that are even under it to even
//! ones, so that from an even start a Krylov space holds no odd vector, to rounding. The tracked vector of
//! an even value then never meets an odd one, however much smaller it is.

use gaussflow_solvers::DenseJacobian;
use gaussflow_solvers::faer::Mat;
use proptest::prelude::*;

use crate::path::paths::{gaussian, generator, settings, spread};
use crate::path::tracker::{Tracked, check, fresh};

/// Half of the order: the first start of a search repeats after 17 coordinates, and is even.
const HALF: usize = 17;

/// `[[A, B], [B, A]]` with `A + B = Q diag(even) Q^T` and `A - B = Q diag(odd) Q^T`: its singular values
/// are `even` (vectors (x, x)) and `odd` (vectors (x, -x)). Q turns with `angle`.
fn mirrored(seed: u64, angle: f64, even: &[f64], odd: &[f64]) -> DenseJacobian {
    let mut q = Mat::<f64>::identity(HALF, HALF);
    let turns = gaussian(&mut generator(seed), 4 * HALF);
    for (k, turn) in turns.iter().enumerate() {
        let (i, other) = (k % HALF, (k * 5 + 1) % HALF);
        if i == other {
            continue;
        }
        let (sine, cosine) = (turn + angle).sin_cos();
        for c in 0..HALF {
            let (x, y) = (q[(i, c)], q[(other, c)]);
            (q[(i, c)], q[(other, c)]) = (cosine * x - sine * y, sine * x + cosine * y);
        }
    }
    let product = |r: usize, c: usize, sign: f64| -> f64 {
        let entry = |k: usize| 0.5 * (even[k] + sign * odd[k]) * q[(r, k)] * q[(c, k)];
        (0..HALF).map(entry).sum()
    };
    DenseJacobian::from_matrix(Mat::from_fn(2 * HALF, 2 * HALF, |r, c| {
        product(r % HALF, c % HALF, if (r < HALF) == (c < HALF) { 1.0 } else { -1.0 })
    }))
}

fn tracked() -> (Tracked, Tracked) {
    (Tracked::new((2 * HALF, 2 * HALF)), Tracked::new((2 * HALF, 2 * HALF)))
}

#[test]
fn the_mirrored_matrix_has_the_values_that_were_put_in() {
    let (even, odd) = (spread(HALF, 0.3, 1.0), spread(HALF, 0.1, 2.0));
    let found = fresh(&mirrored(1, 0.3, &even, &odd));
    assert!((found.smallest - 0.1).abs() < 1e-14 && (found.largest - 2.0).abs() < 1e-14);
}

proptest! {
    #![proptest_config(settings(64, 1))]

    /// The very first search starts even, and finds the smallest even value: the odd one is below.
    #[test]
    fn a_hidden_value_is_found_without_a_path(
        seed in any::<u64>(),
        smallest in 0.01..0.19_f64,
        even_smallest in 0.2..0.3_f64,
        place in 0..HALF,
    ) {
        let mut even = spread(HALF, 0.6, 1.0);
        let mut odd = spread(HALF, 0.6, 1.0);
        (even[3], odd[place]) = (even_smallest, smallest);
        let (mut both, mut one) = tracked();
        check(&mut both, &mut one, &mirrored(seed, 0.0, &even, &odd), "cold");
    }

    /// The tracked vector belongs to the even value, which stays an eigenvalue all along; then an odd value
    /// jumps below it.
    #[test]
    fn a_value_that_jumps_below_the_tracked_one_is_found(
        seed in any::<u64>(),
        step in -4.0..-1.0_f64,
        before in 1..8_usize,
        smallest in 0.01..0.19_f64,
        place in 0..HALF,
    ) {
        let step = 10.0_f64.powf(step);
        let mut even = spread(HALF, 0.6, 1.0);
        even[3] = 0.2;
        let (mut both, mut one) = tracked();
        for point in 0..before + 6 {
            let mut odd = spread(HALF, 0.6, 1.0);
            if point >= before {
                odd[place] = smallest;
            }
            let jacobian = mirrored(seed, step * point as f64, &even, &odd);
            check(&mut both, &mut one, &jacobian, &format!("point {point} of {before}"));
        }
    }

    /// The same at the other end of the spectrum.
    #[test]
    fn a_value_that_jumps_above_the_tracked_largest_is_found(
        seed in any::<u64>(),
        step in -4.0..-1.0_f64,
        before in 0..8_usize,
        largest in 2.1..9.0_f64,
        place in 0..HALF,
    ) {
        let step = 10.0_f64.powf(step);
        let mut even = spread(HALF, 0.6, 1.0);
        (even[3], even[5]) = (2.0, 0.2);
        let (mut both, mut one) = tracked();
        for point in 0..before + 6 {
            let mut odd = spread(HALF, 0.6, 1.0);
            if point >= before {
                odd[place] = largest;
            }
            let jacobian = mirrored(seed, step * point as f64, &even, &odd);
            check(&mut both, &mut one, &jacobian, &format!("point {point} of {before}"));
        }
    }

    /// Diagonal J: the tracked vector is a coordinate, to rounding or, after many points with a ratio of 1e4
    /// between the eigenvalues, exactly; the smallest value jumps to another coordinate.
    #[test]
    fn a_smallest_direction_that_jumps_to_another_coordinate_is_found(
        p in 16..40_usize,
        places in (0..16_usize, 0..16_usize),
        before in prop_oneof![1..4_usize, Just(120)],
        values in (0.01..0.3_f64, 0.3..0.95_f64),
        extra in 0..3_usize,
    ) {
        let (first, second) = places;
        prop_assume!(first != second);
        let (mut both, mut one) = (Tracked::new((p + extra, p)), Tracked::new((p + extra, p)));
        for point in 0..before + 4 {
            let mut diagonal = vec![1.0; p];
            diagonal[first] = 0.1 * values.0;
            if point >= before {
                diagonal[second] = 0.1 * values.0 * values.1;
            }
            let matrix = Mat::from_fn(p + extra, p, |r, c| if r == c { diagonal[c] } else { 0.0 });
            let jacobian = DenseJacobian::from_matrix(matrix);
            check(&mut both, &mut one, &jacobian, &format!("point {point} of {before}"));
        }
    }
}

/// The searches above do end at the wrong value without help: the tracker refuses it by its certificate,
/// and not because the search was never content.
#[test]
fn hidden_values_are_left_to_the_dense_computation_while_visible_ones_are_certified() {
    let mut even = spread(HALF, 0.6, 1.0);
    even[3] = 0.2;
    let mut odd = spread(HALF, 0.6, 1.0);
    let (mut both, mut one) = tracked();
    for point in 0..6 {
        let jacobian = mirrored(4, 0.01 * f64::from(point), &even, &odd);
        check(&mut both, &mut one, &jacobian, "visible");
    }
    assert!(one.counts().certified >= 5, "{:?}", one.counts());
    odd[8] = 0.05;
    let dense = one.counts().dense;
    check(&mut both, &mut one, &mirrored(4, 0.06, &even, &odd), "hidden");
    assert_eq!(one.counts().dense, dense + 1);
}
