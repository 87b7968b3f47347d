//! Tests of the moments: against whole numbers without rounding, against two passes, and in any division.

use super::*;
use crate::{Sample, Standardize, TargetScale, california_housing};

fn is_close(found: f64, expected: f64) -> bool {
    (found - expected).abs() <= 1e-14 * expected.abs()
}

/// Mean and sum of squared differences of `origin + k / 1024`, computed in whole numbers.
fn exact(origin: f64, steps: &[i64]) -> (f64, f64) {
    let (n, sum) = (steps.len() as i128, steps.iter().map(|&k| i128::from(k)).sum::<i128>());
    let squares: i128 = steps.iter().map(|&k| i128::from(k) * i128::from(k)).sum();
    let mean = origin + sum as f64 / (1024.0 * n as f64);
    (mean, (n * squares - sum * sum) as f64 / (n as f64 * 1024.0 * 1024.0))
}

/// The moments of rows that are divided at `cuts` and merged in order.
fn divided(rows: &[f64], width: usize, cuts: &[usize]) -> Moments {
    let mut bounds: Vec<usize> = cuts.iter().map(|cut| cut * width).collect();
    bounds.extend([0, rows.len()]);
    bounds.sort_unstable();
    let mut all = Moments::new(width);
    for pair in bounds.windows(2) {
        let mut part = Moments::new(width);
        // In two blocks each, the first of one row.
        let (one, rest) = rows[pair[0]..pair[1]].split_at(width.min(pair[1] - pair[0]));
        part.add(one);
        part.add(rest);
        all.merge(&Moments::from_numbers(width, &part.to_numbers()).unwrap()).unwrap();
    }
    all
}

proptest! {
    /// 1e9 and noise of size 1: two passes in 64 bits lose the squares' last six digits here.
    #[test]
    fn moments_are_those_of_whole_numbers(
        steps in prop::collection::vec((-2048..2048i64, 0..1000i64), 2..5000),
        cuts in prop::collection::vec(prop::sample::Index::arbitrary(), 0..12),
        origin in prop::sample::select(vec![1e9, -1e9, 0.0, 4e12]),
    ) {
        let rows: Vec<f64> = steps.iter()
            .flat_map(|&(a, b)| [origin + a as f64 / 1024.0, b as f64 / 1024.0]).collect();
        let cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(steps.len() + 1)).collect();
        let moments = divided(&rows, 2, &cuts);
        prop_assert_eq!(bits(&[moments.rows()]), bits(&[steps.len() as f64]));
        let columns: [(f64, Vec<i64>); 2] = [
            (origin, steps.iter().map(|pair| pair.0).collect()),
            (0.0, steps.iter().map(|pair| pair.1).collect()),
        ];
        for (found, (origin, steps)) in moments.columns().iter().zip(&columns) {
            let (mean, squares) = exact(*origin, steps);
            // A mean about 0 is right to the last digits of the values, not to its own.
            let size = (squares / steps.len() as f64).sqrt().max(mean.abs());
            prop_assert!((found.mean - mean).abs() <= 1e-14 * size, "{} is not {}", found.mean, mean);
            prop_assert!(is_close(found.squares, squares), "{} is not {}", found.squares, squares);
            let step = |k: Option<&i64>| *origin + *k.unwrap() as f64 / 1024.0;
            let range = [step(steps.iter().min()), step(steps.iter().max())];
            prop_assert_eq!(bits(&[found.smallest, found.largest]), bits(&range));
        }
    }
}

#[test]
fn an_outlier_in_front_does_not_spoil_the_rest() {
    // One value of 2^60, then many of size 1: exact in whole numbers.
    let steps: Vec<i64> = [1 << 40].into_iter().chain((0..3000).map(|k| k * 7919 % 2048)).collect();
    let rows: Vec<f64> = steps.iter().map(|&k| k as f64 / 1024.0).collect();
    let (mean, squares) = exact(0.0, &steps);
    for cuts in [&[][..], &[1], &[1, 2, 1000], &[2999]] {
        let found = divided(&rows, 1, cuts).columns()[0];
        assert!(is_close(found.mean, mean) && is_close(found.squares, squares), "{found:?}");
    }
}

#[test]
fn one_pass_agrees_with_two() {
    let folder = Folder::new();
    let data = california_housing().unwrap();
    let rows: Vec<String> = (0..500)
        .map(|row| {
            let cells: Vec<String> = data.row(row).iter().map(|x| format!("{x:?}")).collect();
            format!("{},{:?}\n", cells.join(","), data.targets[row])
        })
        .collect();
    let header = format!("{},y\n", data.feature_names.join(","));
    let path = folder.file((header + &rows.concat()).as_bytes());
    let (scale, standardize) = (TargetScale::Standardized, Standardize::Full);
    let two = Sample::draw(&load_csv(&path, &["y"]).unwrap(), 500, standardize, scale, 0).unwrap();
    for (parts, block) in [(1, 1 << 20), (1, 300), (3, 1 << 20), (7, 1000)] {
        let file = opened(&path, block);
        let mut moments = Moments::new(9);
        for part in 0..parts {
            let mut store = RowStore::in_memory(9);
            file.read_part(part, parts, &mut store).unwrap();
            moments.merge(store.moments()).unwrap();
        }
        let (features, targets) = (file.feature_names(), file.target_names());
        let one = moments.scaling(features, targets, standardize, scale).unwrap();
        for (found, expected) in [
            (&one.means, &two.scaling.means),
            (&one.deviations, &two.scaling.deviations),
            (&one.target_means, &two.scaling.target_means),
            (&one.target_deviations, &two.scaling.target_deviations),
        ] {
            assert_eq!(found.len(), expected.len());
            for (a, b) in found.iter().zip(expected) {
                assert!(is_close(*a, *b), "{a} is not {b}");
            }
        }
        let raw = moments.scaling(features, targets, Standardize::None, TargetScale::Raw).unwrap();
        assert!(raw.means.iter().all(|&m| m == 0.0) && raw.target_deviations == [1.0]);
    }
}

#[test]
fn columns_without_usable_spread_are_refused() {
    let names = |name: &str| vec![name.to_owned()];
    let scaling = |rows: &[f64]| {
        let mut moments = Moments::new(2);
        moments.add(rows);
        moments.scaling(&names("x"), &names("y"), Standardize::Subset, TargetScale::Raw)
    };
    let constant = scaling(&[0.1, 1.0, 0.1, 2.0, 0.1, 3.0]).unwrap_err();
    assert!(
        matches!(constant, DataError::ConstantColumn { ref column, rows: 3, .. } if column == "x"),
        "{constant}"
    );
    for column in [[1e308, 1.7e308, 1e308], [1e-200, 2e-200, 3e-200], [-1.7e308, 1.7e308, 0.0]] {
        let error = scaling(&column.map(|x| [x, 0.0]).concat()).unwrap_err();
        assert!(matches!(error, DataError::ScaleOutOfRange { .. }), "{error}");
    }
    assert!(scaling(&[1.0, 7.0, 2.0, 7.0]).is_ok());
    assert!(matches!(scaling(&[]), Err(DataError::EmptySample)));
    let mut moments = Moments::new(2);
    assert!(matches!(
        moments.scaling(&names("x"), &[], Standardize::None, TargetScale::Raw),
        Err(DataError::Length { expected: 2, found: 1, .. })
    ));
    assert!(matches!(
        moments.merge(&Moments::new(3)),
        Err(DataError::Length { expected: 2, found: 3, .. })
    ));
    for count in [0, 1, 10, 12, 16] {
        let error = Moments::from_numbers(2, &vec![1.0; count]).unwrap_err();
        assert!(matches!(error, DataError::Length { expected: 11, .. }), "{error}");
    }
}
