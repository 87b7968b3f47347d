//! Tests of stores: the disk gives what memory does, and scaled blocks have the bits of scaled samples.

use super::*;
use crate::{Sample, Standardize, TargetScale, california_housing};

#[test]
fn blocks_are_scaled_to_the_bits_of_a_sample() {
    let data = california_housing().unwrap();
    let scale = TargetScale::Standardized;
    let sample = Sample::draw(&data, 1000, Standardize::Full, scale, 4).unwrap();
    let mut store = RowStore::on_disk(9).unwrap();
    store.append(&rows_of(&data)).unwrap();
    let (mut row, mut inputs, mut targets) = (Vec::new(), vec![7.0], vec![7.0]);
    for (k, &drawn) in sample.rows.iter().enumerate() {
        store.read(drawn..drawn + 1, &mut row).unwrap();
        sample.scaling.apply_block(&row, &mut inputs, &mut targets);
        assert_eq!(bits(&inputs), bits(&sample.inputs[8 * k..8 * (k + 1)]));
        assert_eq!(bits(&targets), bits(&sample.targets[k..=k]));
    }
    // A block of many rows is its rows.
    let first = sample.rows[0];
    store.read(first..first + 3, &mut row).unwrap();
    sample.scaling.apply_block(&row, &mut inputs, &mut targets);
    assert_eq!((inputs.len(), targets.len()), (24, 3));
    assert_eq!(bits(&inputs[..8]), bits(&sample.inputs[..8]));
}

#[test]
fn what_is_not_there_is_refused_with_numbers() {
    for mut store in [RowStore::in_memory(2), RowStore::on_disk(2).unwrap()] {
        store.append(&[1.0, 2.0, 3.0, 4.0]).unwrap();
        let half = store.append(&[1.0; 5]).unwrap_err();
        assert!(matches!(half, DataError::Length { expected: 6, found: 5, .. }), "{half}");
        let mut out = vec![9.0];
        #[allow(clippy::reversed_empty_ranges, reason = "this is the input to be refused")]
        for rows in [0..3, 3..3, 2..1, 0..usize::MAX] {
            let beyond = store.read(rows, &mut out).unwrap_err();
            assert!(matches!(beyond, DataError::NoSuchRows { rows: 2, .. }), "{beyond}");
        }
        assert_eq!((store.rows(), store.moments().rows()), (2, 2.0));
        store.read(2..2, &mut out).unwrap();
        assert!(out.is_empty());
    }
    let mut none = RowStore::in_memory(0);
    assert!(none.append(&[1.0]).is_err() && none.append(&[]).is_ok());
}

#[test]
fn threads_read_at_once() {
    let mut store = RowStore::on_disk(3).unwrap();
    let number = |k: usize| (k as f64).sqrt();
    store.append(&(0..90_000).map(number).collect::<Vec<_>>()).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let store = &store;
            scope.spawn(move || {
                let mut out = Vec::new();
                for row in (thread * 50..20_000).step_by(777) {
                    store.read(row..row + 10_000, &mut out).unwrap();
                    let expected: Vec<f64> = (3 * row..3 * (row + 10_000)).map(number).collect();
                    assert_eq!(bits(&out), bits(&expected));
                }
            });
        }
    });
}

proptest! {
    #[test]
    fn the_disk_gives_what_memory_does(
        width in 1..6usize, counts in prop::collection::vec(0..9000usize, 1..4),
        first: prop::sample::Index, end: prop::sample::Index, seed in prop::num::f64::NORMAL,
    ) {
        let (mut memory, mut disk) = (RowStore::in_memory(width), RowStore::on_disk(width).unwrap());
        let mut all = Vec::new();
        for count in counts {
            let rows: Vec<f64> = (0..count * width).map(|k| (k + all.len()) as f64 * seed).collect();
            memory.append(&rows).unwrap();
            disk.append(&rows).unwrap();
            all.extend(rows);
        }
        let total = all.len() / width;
        let (first, end) = (first.index(total + 1), end.index(total + 1));
        let rows = first.min(end)..first.max(end);
        let (mut from_memory, mut from_disk) = (Vec::new(), Vec::new());
        memory.read(rows.clone(), &mut from_memory).unwrap();
        disk.read(rows.clone(), &mut from_disk).unwrap();
        prop_assert_eq!(bits(&from_disk), bits(&all[rows.start * width..rows.end * width]));
        prop_assert_eq!(bits(&from_memory), bits(&from_disk));
    }
}
