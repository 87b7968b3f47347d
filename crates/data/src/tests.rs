//! Tests of the data: the bundled rows, a torture set of CSV files, samples against `NumPy`'s.

use std::path::{Path, PathBuf};

use proptest::prelude::*;
use serde::Deserialize;

use super::table::{Table, read_at_most};
use super::*;
use gaussflow_records::checksum::sha256_of;

fn close(found: &[f64], expected: &[f64], scale: f64) {
    assert_eq!(found.len(), expected.len());
    for (a, b) in found.iter().zip(expected) {
        assert!((a - b).abs() <= scale * f64::EPSILON * b.abs().max(1.0), "{a} is not {b}");
    }
}

#[test]
fn the_classes_are_those_of_their_sources() {
    let (digits, cells) = (crate::digits().unwrap(), crate::breast_cancer().unwrap());
    assert_eq!(
        (digits.rows(), digits.dimension(), cells.rows(), cells.dimension()),
        (1797, 64, 569, 30)
    );
    let count = |data: &Dataset, class: f64| {
        data.targets.iter().filter(|y| y.to_bits() == class.to_bits()).count()
    };
    let counts: Vec<usize> = (0..10).map(|class| count(&digits, f64::from(class))).collect();
    assert_eq!(counts, [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]);
    assert_eq!((count(&cells, 0.0), count(&cells, 1.0)), (212, 357));
    assert!(digits.features.iter().all(|x| (0.0..=1.0).contains(x)));
    assert_eq!(cells.row(0)[..2], [17.99, 10.38]);
}

#[test]
fn batches_deal_out_each_row_once_an_epoch() {
    for (total, batch) in [(10, 3), (12, 4), (7, 7), (5, 1)] {
        let batches = total / batch;
        let epoch = |e: usize| -> Vec<Vec<usize>> {
            (0..batches).map(|k| crate::batch_rows(total, batch, 9, e * batches + k)).collect()
        };
        for e in 0..3 {
            let mut rows = epoch(e).concat();
            assert!(rows.len() == batches * batch && rows.iter().all(|&row| row < total));
            rows.sort_unstable();
            rows.dedup();
            assert_eq!(rows.len(), batches * batch);
        }
        assert!(epoch(0) == epoch(0) && (total == batch || epoch(0) != epoch(1)));
    }
    assert_ne!(crate::batch_rows(100, 50, 1, 0), crate::batch_rows(100, 50, 2, 0));
}

#[test]
fn several_columns_may_be_targets() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("d.csv");
    std::fs::write(&path, "a,y,b,z\n1,2,3,4\n5,6,7,8\n9,10,11,13\n").unwrap();
    let data = load_csv(&path, &["z", "y"]).unwrap();
    assert_eq!((data.rows(), data.target_name()), (3, "z, y".to_owned()));
    assert_eq!(
        (data.targets[..4].to_vec(), data.row(1)),
        (vec![4.0, 2.0, 8.0, 6.0], &[5.0, 7.0][..])
    );
    let sample = Sample::draw(&data, 2, Standardize::Full, TargetScale::Standardized, 3).unwrap();
    assert_eq!(
        (sample.targets.len(), sample.held_out_targets.len(), sample.target_columns),
        (4, 2, 2)
    );
    let back = |k: usize| {
        let (mean, deviation) =
            (sample.scaling.target_means[k], sample.scaling.target_deviations[k]);
        sample.targets[k] * deviation + mean
    };
    let drawn = &data.targets[2 * sample.rows[0]..][..2];
    assert!((back(0) - drawn[0]).abs() < 1e-12 && (back(1) - drawn[1]).abs() < 1e-12);
    let twice = load_csv(&path, &["y", "y"]).unwrap_err().to_string();
    assert!(twice.contains("\"y\" is named twice"), "{twice}");
    let all = load_csv(&path, &["a", "y", "b", "z"]).unwrap_err().to_string();
    assert!(all.contains("no column besides"), "{all}");
}

#[test]
fn bundled_rows_are_the_recorded_ones() {
    let data = california_housing().unwrap();
    assert_eq!((data.rows(), data.dimension(), data.features.len()), (20_640, 8, 20_640 * 8));
    assert_eq!(data.sha256, CALIFORNIA_HOUSING_SHA256);
    // The first row of the file, by hand: -122.23,37.88,41,880,129,322,126,8.3252,452600.
    let [rooms, bedrooms, people] = [880.0, 129.0, 322.0].map(|total| total / 126.0);
    close(data.row(0), &[8.3252, 41.0, rooms, bedrooms, 322.0, people, 37.88, -122.23], 1.0);
    assert!((data.targets[0] - 4.526).abs() < 1e-15);
    assert!(data.row(20_640).is_empty());
    assert!(data.features.iter().chain(&data.targets).all(|value| value.is_finite()));
}

#[test]
fn damaged_bundled_rows_are_refused() {
    use std::io::Write;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(b"longitude\n1\n").unwrap();
    for bytes in [encoder.finish().unwrap(), b"no gzip".to_vec(), Vec::new()] {
        let error = california::unpack(&bytes).unwrap_err();
        assert!(matches!(error, DataError::Checksum { name: "california-housing", .. }));
        assert_eq!(error.exit_status(), 2);
    }
}

/// The error for a file with these bytes and the target `y`.
fn refusal(bytes: &[u8]) -> DataError {
    let error = load(bytes).expect_err("accepted");
    assert_eq!(error.exit_status(), 2);
    error
}

fn load(bytes: &[u8]) -> Result<Dataset, DataError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("own.csv");
    std::fs::write(&path, bytes).unwrap();
    load_csv(&path, &["y"])
}

#[test]
fn odd_but_sound_files_are_read_alike() {
    let expected = ([1.0, 2.0, -4.5e-3, 5.0], [3.0, 6.0]);
    for text in [
        "a,y,b\n1,3,2\n-4.5e-3,6,5\n",
        "a,y,b\n1,3,2\n-4.5e-3,6,5",
        "\u{feff}a,y,b\r\n1,3,2\r\n-4.5e-3,6,5\r\n",
        "a,y,b\r1,3,2\r-4.5e-3,6,5\r",
        "\n\na,y,b\n\n1,3,2\n\n\n-4.5e-3,6,5\n\n",
        " a , y,b \n 1 ,3.0,\t2\n-.45e-2,+6,5.\n",
        "\"a\",\"y\",\"b\"\n\"1\",\"3\",\"2\"\n-0.0045,6e0,0005\n",
    ] {
        let data = load(text.as_bytes()).unwrap();
        assert_eq!((&data.features[..], &data.targets[..]), (&expected.0[..], &expected.1[..]));
        assert_eq!((data.feature_names.join(" "), data.target_name()), ("a b".into(), "y".into()));
        assert_eq!((data.name.as_str(), data.rows()), ("own.csv", 2));
    }
    let wide: Vec<String> = (0..2000).map(|k| format!("c{k}")).collect();
    let text = format!("y,{}\n1{}\n", wide.join(","), ",2".repeat(2000));
    assert_eq!(load(text.as_bytes()).unwrap().dimension(), 2000);
    // Published for this input by FIPS 180-4's examples.
    assert_eq!(
        sha256_of(b"abc"),
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    );
}

#[test]
fn a_bad_cell_is_named_by_line_column_and_text() {
    let cases: [(&[u8], u64, &str, &str); 9] = [
        (b"a,y\n1,2\nx,3\n", 3, "a", "x"),
        (b"a,y\r\n1,2\r\n1,\r\n", 3, "y", ""),
        (b"\xef\xbb\xbfa,y\n1,2\n\n\n1,1_000\n", 5, "y", "1_000"),
        (b"a,y\r1,2\r1,$3\r", 3, "y", "$3"),
        (b"\na,y\n\r\n1,\"2,5\"\n", 4, "y", "2,5"),
        (b"a,y\n1,2\n1,\"3\nx\"\n", 3, "y", "3\nx"),
        (b"a,y\n1,0x10", 2, "y", "0x10"),
        (b"a,y\n1 2,3", 2, "a", "1 2"),
        (b"a,y\n1,\xff\n", 2, "y", "\u{fffd}"),
    ];
    for (bytes, expected_line, expected_column, expected_text) in cases {
        match refusal(bytes) {
            DataError::NonNumericCell { line, column, text, .. } => assert_eq!(
                (line, column.as_str(), text.as_str()),
                (expected_line, expected_column, expected_text)
            ),
            other => panic!("{other:?}"),
        }
    }
    for word in ["NaN", "inf", "-Infinity", "nan", "1e999"] {
        match refusal(format!("a,y\n1,2\n{word},2\n").as_bytes()) {
            DataError::NonFiniteCell { line: 3, column, text, .. } => {
                assert_eq!((column.as_str(), text.as_str()), ("a", word));
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_bad_shape_is_named() {
    assert!(matches!(refusal(b""), DataError::Empty { .. }));
    assert!(matches!(refusal(b"\xef\xbb\xbf\r\n\n"), DataError::Empty { .. }));
    assert!(matches!(refusal(b"a,y\n\n"), DataError::NoRows { .. }));
    assert!(matches!(refusal(b"y\n1\n"), DataError::NoFeatures { .. }));
    assert!(matches!(refusal(b"a,,y\n1,2,3\n"), DataError::UnnamedColumn { column: 2, .. }));
    assert!(matches!(refusal(b"a,y,\n1,2,\n"), DataError::UnnamedColumn { column: 3, .. }));
    assert!(matches!(
        refusal(b"\xff\xfea\0,\0y\0\n\0"),
        DataError::Encoding { found: "UTF-16", .. }
    ));
    let twice = refusal(b"a,y,b, a\n1,2,3,4\n");
    assert!(
        matches!(twice, DataError::DuplicateColumn { first: 1, second: 4, name, .. } if name == "a")
    );
    match refusal(b"a,Y,b\n1,2,3\n") {
        DataError::NoSuchTarget { target, columns, .. } => {
            assert_eq!((target.as_str(), columns), ("y", vec!["a".into(), "Y".into(), "b".into()]));
        }
        other => panic!("{other:?}"),
    }
    for (text, at, cells) in [("a,y\r\n1,2\r\n\r\n3\r\n", 4, 1), ("a,y\n1,2,3\n", 2, 3)] {
        match refusal(text.as_bytes()) {
            DataError::RaggedRow { line, expected: 2, found, .. } => {
                assert_eq!((line, found), (at, cells));
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn damage_to_the_form_of_a_file_is_named_with_its_line() {
    for (text, expected, word) in [
        ("a,y\n1,2\n\"3,4\n5,6\n", 3, "never closed"),
        ("a,y\n1,2\n3,\"4\n5,6\n", 3, "never closed"),
        ("\"a,y\n1,2\n3,4\n", 1, "never closed"),
        ("\n\na,y\r\n1,2\r\n3,\"4\r\n5,6\"\r\n7,\"8\r\n", 7, "never closed"),
        ("a,y\r1,\"2\"3\r", 2, "behind its closing quote"),
        ("a,y\n1,2\n\"3\n4,5\n6,\"7\"\n", 3, "behind its closing quote"),
        ("a,y\n1,2\n1\"5,4\n", 3, "quote within a cell"),
        ("a,y\n1, \"2\"\n", 2, "quote within a cell"),
        ("a,y\n1,2\n3,4\0\n", 3, "NUL"),
        ("\0a,y\n1,2\n", 1, "NUL"),
        ("\"a\n1,2\n3\",y\n4,5\n", 1, "line's end"),
    ] {
        match refusal(text.as_bytes()) {
            DataError::Damaged { line, what, .. } => {
                assert_eq!(line, expected, "{text:?}: {what}");
                assert!(what.contains(word), "{text:?}: {what}");
            }
            other => panic!("{text:?}: {other:?}"),
        }
    }
    for (text, expected) in
        [("a;y\n1;2\n", "semicolons"), ("a\ty\n1\t2\n", "tabs"), ("a|y\n1,5|2\n", "bars")]
    {
        let other = refusal(text.as_bytes());
        assert!(matches!(other, DataError::Separator { found, .. } if found == expected));
    }
    let utf16: Vec<u8> = "\u{feff}a,y\n1,2\n".encode_utf16().flat_map(u16::to_be_bytes).collect();
    assert!(matches!(refusal(&utf16), DataError::Encoding { found: "UTF-16", .. }));
    // A quote that is doubled, and spaces behind a quoted cell, belong to the format.
    let sound = load(b"\"a \"\"b\"\"\",y\n\"1\" ,2\n").unwrap();
    assert_eq!((sound.feature_names[0].as_str(), sound.features[0]), ("a \"b\"", 1.0));
    // A message stays readable whatever the file holds.
    let long = format!("a,y\n1,{}\n", "x".repeat(100_000));
    assert!(refusal(long.as_bytes()).to_string().len() < 300);
    let wide: Vec<String> = (0..5_000).map(|k| format!("c{k}")).collect();
    let row = vec!["1"; 5_000].join(",");
    let told = refusal(format!("{}\n{row}\n", wide.join(",")).as_bytes()).to_string();
    assert!(told.len() < 500 && told.contains("and 4960 more"), "{told}");
}

#[cfg(unix)]
#[test]
fn what_never_ends_is_not_read() {
    for path in ["/dev/zero", "/dev/null", "/dev/tty"] {
        let path = Path::new(path);
        if path.exists() {
            let error = load_csv(path, &["y"]).unwrap_err();
            assert!(error.exit_status() == 3 && error.to_string().contains("ordinary file"));
        }
    }
}

#[test]
fn files_that_cannot_be_read_fail_with_status_3() {
    let folder = tempfile::tempdir().unwrap();
    for path in [folder.path().join("none.csv"), folder.path().to_owned()] {
        let error = load_csv(&path, &["y"]).unwrap_err();
        assert!(matches!(&error, DataError::Read { path: named, .. } if *named == path));
        assert_eq!(error.exit_status(), 3);
    }
    let path = folder.path().join("large.csv");
    std::fs::write(&path, "a,y\n1,2\n").unwrap();
    assert_eq!(read_at_most(&path, 8).unwrap().len(), 8);
    let error = read_at_most(&path, 7).unwrap_err();
    assert!(matches!(error, DataError::TooLarge { bytes: 8, accepted: 7, .. }));
}

#[derive(Deserialize)]
struct Golden {
    small: Vec<Expected>,
    california: Expected,
}

#[derive(Deserialize)]
struct Expected {
    standardize: Standardize,
    targets: TargetScale,
    seed: u64,
    rows: Vec<usize>,
    means: Vec<f64>,
    deviations: Vec<f64>,
    inputs: Vec<f64>,
    scaled_targets: Vec<f64>,
    #[serde(default)]
    held_out_inputs: Vec<f64>,
    #[serde(default)]
    held_out_targets: Vec<f64>,
    #[serde(default)]
    held_out_sums: Vec<f64>,
}

/// The sample of a second implementation, down to its own `ChaCha8`: tests/golden/sample.py.
#[test]
fn samples_equal_numpys() {
    let golden: Golden = serde_json::from_str(include_str!("../tests/golden/sample.json")).unwrap();
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/small.csv");
    let small = load_csv(&path, &["price"]).unwrap();
    let drawn = |data: &Dataset, expected: &Expected| {
        let Expected { standardize, targets, seed, rows, .. } = expected;
        let sample = Sample::draw(data, rows.len(), *standardize, *targets, *seed).unwrap();
        assert_eq!(&sample.rows, rows);
        // Errors of a mean of n numbers: n eps of the largest; the rest is conditioning.
        let scale = 16.0 * rows.len() as f64;
        close(&sample.scaling.means, &expected.means, scale);
        close(&sample.scaling.deviations, &expected.deviations, scale);
        close(&sample.inputs[..expected.inputs.len()], &expected.inputs, scale);
        close(&sample.targets[..expected.scaled_targets.len()], &expected.scaled_targets, scale);
        sample
    };
    for expected in &golden.small {
        let sample = drawn(&small, expected);
        close(&sample.held_out_inputs, &expected.held_out_inputs, 200.0);
        close(&sample.held_out_targets, &expected.held_out_targets, 200.0);
    }
    let sample = drawn(&california_housing().unwrap(), &golden.california);
    let mut sums = [0.0; 9];
    for (row, target) in sample.held_out_inputs.chunks(8).zip(&sample.held_out_targets) {
        for (sum, value) in sums.iter_mut().zip(row.iter().chain([target])) {
            *sum += value;
        }
    }
    // N terms of size up to 100: N^2 eps times that bounds the sums' rounding far from above.
    for (found, expected) in sums.iter().zip(&golden.california.held_out_sums) {
        assert!((found - expected).abs() < 1e-6, "{found} is not {expected}");
    }
}

fn data_of(features: Vec<f64>, targets: Vec<f64>) -> Dataset {
    let d = features.len() / targets.len();
    Dataset {
        name: "own".into(),
        sha256: String::new(),
        feature_names: (0..d).map(|k| format!("x{k}")).collect(),
        target_names: vec!["y".into()],
        features,
        targets,
    }
}

#[test]
fn samples_that_cannot_be_are_refused_with_numbers() {
    let draw = |data: &Dataset, samples, targets| {
        Sample::draw(data, samples, Standardize::Subset, targets, 0).unwrap_err()
    };
    let data = data_of(vec![0.1, 1.0, 0.1, 2.0, 0.1, 3.0], vec![7.0; 3]);
    assert!(matches!(draw(&data, 0, TargetScale::Raw), DataError::EmptySample));
    let few = draw(&data, 4, TargetScale::Raw);
    assert!(matches!(few, DataError::TooFewRows { rows: 3, samples: 4, .. }));
    let constant = draw(&data, 3, TargetScale::Raw);
    assert!(
        matches!(constant, DataError::ConstantColumn { column, rows: 3, .. } if column == "x0")
    );
    assert!(Sample::draw(&data, 3, Standardize::None, TargetScale::Raw, 0).is_ok());
    let data = data_of(vec![1.0, 2.0, 3.0], vec![7.0, 7.0, 7.0]);
    let constant = draw(&data, 3, TargetScale::Standardized);
    assert!(matches!(constant, DataError::ConstantColumn { column, .. } if column == "y"));
    for column in [[1e308, 1.7e308, 1e308], [1e-200, 2e-200, 3e-200]] {
        let error = draw(&data_of(column.to_vec(), vec![0.0; 3]), 3, TargetScale::Raw);
        assert!(matches!(error, DataError::ScaleOutOfRange { .. }), "{error}");
    }
}

proptest! {
    #[test]
    fn a_sample_is_a_partition_scaled_to_mean_0_and_deviation_1(
        seed: u64, total in 3..200usize, share in 0..1000usize, d in 1..5usize,
    ) {
        let samples = 2 + share % (total - 1);
        let wave = |k: usize| 3.0 + (k as f64 * 1.7 + 0.3).sin();
        let data = data_of((0..total * d).map(wave).collect(), (0..total).map(wave).collect());
        let scaled = TargetScale::Standardized;
        let draw = || Sample::draw(&data, samples, Standardize::Subset, scaled, seed);
        let sample = draw().unwrap();
        prop_assert_eq!(&sample, &draw().unwrap());
        prop_assert_eq!(sample.targets.len(), samples);
        prop_assert_eq!(sample.held_out_inputs.len(), (total - samples) * d);
        let mut rows = sample.rows.clone();
        rows.sort_unstable();
        rows.dedup();
        prop_assert_eq!(rows.len(), samples);
        prop_assert!(rows.iter().all(|&row| row < total));
        for k in 0..d {
            let column: Vec<f64> = sample.inputs.iter().skip(k).step_by(d).copied().collect();
            let mean = column.iter().sum::<f64>() / samples as f64;
            let square = column.iter().map(|x| x * x).sum::<f64>() / samples as f64;
            // The relative spread of a few neighbouring values can be as small as 1e-4.
            prop_assert!(mean.abs() < 1e-10 && (square - 1.0).abs() < 1e-10, "{} {}", mean, square);
            // Undoing the scaling gives the row in its place: the inputs belong to the rows.
            for (x, &row) in column.iter().zip(&sample.rows) {
                let raw = x * sample.scaling.deviations[k] + sample.scaling.means[k];
                prop_assert!((raw - data.row(row)[k]).abs() < 1e-13);
            }
        }
    }

    /// With 4 rows of 6, each row is drawn in two of three seeds: 6 standard deviations at most.
    #[test]
    fn every_row_is_equally_likely(start in 0..u64::MAX / 2) {
        let data = data_of((0..6).map(f64::from).collect(), vec![0.0; 6]);
        let (mut counts, draws) = ([0u32; 6], 600u32);
        for seed in start..start + u64::from(draws) {
            let sample = Sample::draw(&data, 4, Standardize::None, TargetScale::Raw, seed).unwrap();
            sample.rows.iter().for_each(|&row| counts[row] += 1);
        }
        let spread = 6.0 * (f64::from(draws) * 2.0 / 9.0).sqrt();
        for count in counts {
            prop_assert!((f64::from(count) - f64::from(draws) * 2.0 / 3.0).abs() < spread);
        }
    }

    /// Whichever quote is lost of a file whose cells all have them, no row is.
    #[test]
    fn a_lost_quote_is_found_in_its_line(
        rows in prop::collection::vec((-9..9i32, -9..9i32), 1..8), lost: prop::sample::Index,
    ) {
        let rows = rows.iter().map(|(a, y)| format!("\"{a}\",\"{y}\"\n"));
        let text = format!("\"a\",\"y\"\n{}", rows.collect::<String>());
        prop_assert!(load(text.as_bytes()).is_ok());
        let quotes: Vec<usize> = text.match_indices('"').map(|(at, _)| at).collect();
        let at = quotes[lost.index(quotes.len())];
        let cut = format!("{}{}", &text[..at], &text[at + 1..]);
        let expected = 1 + text[..at].matches('\n').count() as u64;
        match load(cut.as_bytes()) {
            Err(DataError::Damaged { line, .. }) => prop_assert_eq!(line, expected),
            other => prop_assert!(false, "{:?}", other),
        }
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(
        prop::sample::select(b"ay,,\n\r\"1.e- \xff\xef".to_vec()), 0..60)) {
        if let Ok(table) = Table::parse(Path::new("own.csv"), &bytes) {
            prop_assert!(table.rows() >= 1 && table.values.iter().all(|value| value.is_finite()));
        }
    }

    #[test]
    fn numbers_written_shortest_read_back_to_the_same_bits(values in prop::collection::vec(
        prop::num::f64::NORMAL | prop::num::f64::SUBNORMAL | prop::num::f64::ZERO, 1..20)) {
        let rows: Vec<String> = values.iter().map(|value| format!("{value:?},0\n")).collect();
        let data = load(format!("x,y\n{}", rows.concat()).as_bytes()).unwrap();
        for (found, value) in data.features.iter().zip(&values) {
            prop_assert_eq!(found.to_bits(), value.to_bits());
        }
    }
}
