//! The orthogonal projection on the range of J: idempotent, symmetric, and on the right space.

use gaussflow_solvers::{Factors, norm};
use proptest::prelude::*;

use crate::cases::settings;
use crate::double_double::{Double, distance, dot, length, widen};
use crate::systems::{EPS, Spectrum, System, columns_of, gaussian, generator};

/// The factor of eps: reflections, or sums over singular vectors, of the sizes in hand.
fn growth(rows: usize, columns: usize) -> f64 {
    8.0 + (rows + columns) as f64 / 4.0
}

fn project(factors: &mut Factors, system: &System, cutoff: f64, u: &[f64]) -> (usize, Vec<f64>) {
    let mut out = vec![f64::NAN; u.len()];
    let rank = factors.project_on_range(&system.jacobian, cutoff, u, &mut out).unwrap();
    (rank, out)
}

proptest! {
    #![proptest_config(settings(48, 2))]

    #[test]
    fn the_projection_is_one_and_on_the_range(
        seed: u64, n in 1..200_usize, p in 1..200_usize, log_condition in 0.0..10.0_f64,
        spectrum in prop::sample::select(Spectrum::ALL.as_slice()),
    ) {
        let rng = &mut generator(seed);
        let condition = 10.0_f64.powf(log_condition);
        let system = System::new(rng, (n, p), spectrum, condition, 3.0);
        let (u, w) = (gaussian(rng, n), gaussian(rng, n));
        let mut factors = Factors::new(n, p).unwrap();
        let (rank, pu) = project(&mut factors, &system, 1e-14, &u);
        let (_, ppu) = project(&mut factors, &system, 1e-14, &pu);
        let (_, pw) = project(&mut factors, &system, 1e-14, &w);
        prop_assert_eq!(rank, n.min(p));
        if p >= n {
            prop_assert_eq!(&pu, &u);
        }
        // Idempotent and symmetric as computed: P = Q Q^T with Q orthonormal to rounding, at any
        // condition of J.
        let c = growth(n, p) * EPS;
        prop_assert!(distance(&widen(&pu), &ppu) <= c * norm(&u));
        let (left, right) = (dot(&widen(&pu), &widen(&w)), dot(&widen(&u), &widen(&pw)));
        prop_assert!((left - right).high.abs() <= c * norm(&u) * norm(&w));
        // Orthogonal to the columns: the range is that of J + E, so J^T (u - P u) is at most
        // norm(E) norm(u).
        let rest: Vec<Double> =
            u.iter().zip(&pu).map(|(&u, &p)| Double::from(u) - p.into()).collect();
        let products: Vec<Double> =
            columns_of(&system.jacobian).iter().map(|column| dot(column, &rest)).collect();
        prop_assert!(length(&products) <= c * system.largest() * norm(&u));
        // The range itself turns by norm(E) / sigma_min.
        let error = distance(&system.exact_projection(rank, &u), &pu);
        prop_assert!(error <= c * norm(&u) * system.largest() / system.smallest(), "{error:e}");
    }

    /// At a gap in the spectrum the space of the kept left singular vectors turns by
    /// `norm(E) / gap` (Wedin).
    #[test]
    fn below_the_cutoff_it_is_the_kept_left_singular_vectors(
        seed: u64, n in 2..150_usize, p in 2..150_usize, lost in 1..150_usize,
        dropped in prop::sample::select([0.0, 1e-15, 1e-9].as_slice()),
    ) {
        let rng = &mut generator(seed);
        let size = n.min(p);
        let lost = lost.min(size);
        let mut values = vec![1.0; size];
        values[size - lost..].fill(dropped);
        if lost == size {
            values[0] = 1.0;
        }
        let kept = size - lost + usize::from(lost == size);
        let system = System::with_values(rng, (n, p), values);
        let u = gaussian(rng, n);
        let mut factors = Factors::new(n, p).unwrap();
        let (rank, pu) = project(&mut factors, &system, 1e-6, &u);
        if kept < size {
            prop_assert_eq!(rank, kept);
            let error = distance(&system.exact_projection(rank, &u), &pu);
            prop_assert!(error <= growth(n, p) * EPS * norm(&u), "{error:e}");
        } else {
            prop_assert_eq!(rank, size);
        }
    }
}

#[test]
fn a_zero_jacobian_projects_to_zero() {
    let system = System::with_values(&mut generator(1), (5, 3), vec![0.0; 3]);
    let (rank, out) = project(&mut Factors::new(5, 3).unwrap(), &system, 1e-14, &[1.0; 5]);
    assert_eq!((rank, out), (0, vec![0.0; 5]));
}
