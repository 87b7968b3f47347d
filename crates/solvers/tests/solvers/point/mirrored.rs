//! Jacobians of antisymmetric networks, `J = [A, -A]`: half of the columns mirror the others.
//!
//! The pseudo-inverse is known from A alone: the solution of least norm is `(z, -z) / 2` with
//! `z = A^+ b`, and the range of J is that of A. Divide-and-conquer SVDs have failed here.

use gaussflow_solvers::{DampedSolver, DenseJacobian, Factors, SolveRequest, norm};

use crate::systems::{gaussian, generator};

/// A: n x (h d), rows are the Kronecker products of slopes in (0, 1] and Gaussian inputs.
fn half(seed: u64, rows: usize, hidden: usize, features: usize) -> DenseJacobian {
    let mut rng = generator(seed);
    let inputs = gaussian(&mut rng, rows * features);
    let weights = gaussian(&mut rng, hidden * features);
    let mut jacobian = DenseJacobian::zeros(rows, hidden * features);
    let mut matrix = jacobian.matrix_mut();
    for j in 0..rows {
        let x = &inputs[j * features..(j + 1) * features];
        for i in 0..hidden {
            let w = &weights[i * features..(i + 1) * features];
            let z: f64 = x.iter().zip(w).map(|(x, w)| x * w).sum();
            for k in 0..features {
                matrix[(j, i * features + k)] = x[k] / (z.cosh() * z.cosh());
            }
        }
    }
    jacobian
}

#[test]
fn the_pseudo_inverse_of_mirrored_columns_is_that_of_one_half() {
    for seed in 0..12 {
        for hidden in [1, 3, 6, 9] {
            let (rows, features) = (256, 8);
            let a = half(seed, rows, hidden, features);
            let columns = hidden * features;
            let mut mirrored = DenseJacobian::zeros(rows, 2 * columns);
            for c in 0..columns {
                for r in 0..rows {
                    mirrored.matrix_mut()[(r, c)] = a.matrix()[(r, c)];
                    mirrored.matrix_mut()[(r, columns + c)] = -a.matrix()[(r, c)];
                }
            }
            let b = gaussian(&mut generator(1000 + seed), rows);
            let mut z = vec![0.0; columns];
            let mut narrow = Factors::new(rows, columns).unwrap();
            let report = narrow.solve(&a, SolveRequest::default(), &b, &mut z).unwrap();
            let mut expected = vec![0.0; rows];
            narrow.project_on_range(&a, 1e-14, &b, &mut expected).unwrap();

            // Above the mirrored values' rounding, 1e-15 of the largest, and below A's smallest.
            let (solver, rank_cutoff) = (DampedSolver::ThinSvd, 1e-12);
            let request = SolveRequest { solver, rank_cutoff, ..SolveRequest::default() };
            let mut v = vec![0.0; 2 * columns];
            let mut wide = Factors::new(rows, 2 * columns).unwrap();
            let found = wide.solve(&mirrored, request, &b, &mut v).unwrap();
            assert_eq!(found.rank, columns, "seed {seed}, {hidden} units");
            let defect: Vec<f64> = (0..2 * columns)
                .map(|i| v[i] - if i < columns { 0.5 * z[i] } else { -0.5 * z[i - columns] })
                .collect();
            // Forward errors of both solves: a low multiple of (n + p) eps cond(A).
            let bound = 4.0 * (rows + columns) as f64 * f64::EPSILON * report.condition_estimate;
            assert!(norm(&defect) <= bound * norm(&z), "seed {seed}, {hidden} units");

            let mut projected = vec![0.0; rows];
            let rank = wide.project_on_range(&mirrored, rank_cutoff, &b, &mut projected).unwrap();
            assert_eq!(rank, columns);
            projected.iter_mut().zip(&expected).for_each(|(p, e)| *p -= e);
            assert!(norm(&projected) <= bound * norm(&b), "seed {seed}, {hidden} units");
        }
    }
}
