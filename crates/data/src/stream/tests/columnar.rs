//! Tests of Parquet files: any division of any groups gives the numbers that were written.

use std::sync::Arc;

use parquet::basic::{Compression, ZstdLevel};
use parquet::data_type::{BoolType, ByteArrayType, DoubleType, FloatType, Int32Type, Int64Type};
use parquet::file::properties::{WriterProperties, WriterVersion};
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;

use super::*;

/// Writes a file whose groups `group` fills, called with the numbers of their rows.
fn written(
    path: &Path,
    schema: &str,
    properties: WriterProperties,
    groups: &[usize],
    mut group: impl FnMut(&mut SerializedRowGroupWriter<'_, std::fs::File>, Range<usize>),
) {
    let schema = Arc::new(parse_message_type(schema).unwrap());
    let file = std::fs::File::create(path).unwrap();
    let mut writer = SerializedFileWriter::new(file, schema, Arc::new(properties)).unwrap();
    let mut first = 0;
    for &count in groups {
        let mut open = writer.next_row_group().unwrap();
        group(&mut open, first..first + count);
        open.close().unwrap();
        first += count;
    }
    writer.close().unwrap();
}

/// Writes the next column of a group, all of whose values are there unless `levels` are given.
fn column<T: parquet::data_type::DataType>(
    group: &mut SerializedRowGroupWriter<'_, std::fs::File>,
    values: &[T::T],
    levels: Option<&[i16]>,
) {
    let mut column = group.next_column().unwrap().unwrap();
    column.typed::<T>().write_batch(values, levels, None).unwrap();
    column.close().unwrap();
}

const ALL_TYPES: &str = "message rows {
    required double a; optional float b; required int32 c; optional int64 y;
    required boolean e; required int32 f (integer(32, false)); required int64 g (uint_64);
    optional int32 h (integer(8, true));
}";

/// Row `row` of a file of [`ALL_TYPES`], `y` last; each number is exact.
fn expected_row(row: i32) -> [f64; 8] {
    let x = f64::from(row);
    let e = if row % 3 == 0 { 1.0 } else { 0.0 };
    let (half, step) = (9_223_372_036_854_775_808.0, 1_048_576.0); // 2^63, 2^20
    [x.sin(), x / 8.0, 0.0 - x, e, 4_294_967_295.0 - x, half + step * x, x - 100.0, 1e15 + x]
}

/// Writes `groups` of rows of all types.
fn all_types(path: &Path, groups: &[usize], compression: Compression, version: WriterVersion) {
    let properties = WriterProperties::builder()
        .set_compression(compression)
        .set_writer_version(version)
        // Many pages a group.
        .set_data_page_row_count_limit(40)
        .set_write_batch_size(16)
        .build();
    written(path, ALL_TYPES, properties, groups, |group, rows| {
        let (all, rows) = (vec![1; rows.len()], numbers(rows));
        let narrow = |number: fn(i32) -> i32| rows.iter().map(|&row| number(row)).collect();
        let wide = |number: fn(i64) -> i64| rows.iter().map(|&row| number(row.into())).collect();
        let doubles: Vec<f64> = rows.iter().map(|&row| f64::from(row).sin()).collect();
        let floats: Vec<f32> = rows.iter().map(|&row| 0.125 * row as f32).collect();
        let flags: Vec<bool> = rows.iter().map(|row| row % 3 == 0).collect();
        let (c, f, h): (Vec<i32>, Vec<i32>, Vec<i32>) =
            (narrow(|row| -row), narrow(|row| -1 - row), narrow(|row| row - 100));
        let (y, g): (Vec<i64>, Vec<i64>) =
            (wide(|row| 1_000_000_000_000_000 + row), wide(|row| i64::MIN + (row << 20)));
        column::<DoubleType>(group, &doubles, None);
        column::<FloatType>(group, &floats, Some(&all));
        column::<Int32Type>(group, &c, None);
        column::<Int64Type>(group, &y, Some(&all));
        column::<BoolType>(group, &flags, None);
        column::<Int32Type>(group, &f, None);
        column::<Int64Type>(group, &g, None);
        column::<Int32Type>(group, &h, Some(&all));
    });
}

fn numbers(rows: Range<usize>) -> Vec<i32> {
    rows.map(|row| i32::try_from(row).unwrap()).collect()
}

#[test]
fn every_division_gives_what_was_written() {
    let folder = Folder::new();
    // The name says nothing: the first bytes do.
    let path = folder.0.path().join("own.csv");
    let codecs =
        [Compression::UNCOMPRESSED, Compression::SNAPPY, Compression::ZSTD(ZstdLevel::default())];
    for (codec, version) in codecs.into_iter().zip([
        WriterVersion::PARQUET_1_0,
        WriterVersion::PARQUET_2_0,
        WriterVersion::PARQUET_1_0,
    ]) {
        for groups in [&[500][..], &[1, 300, 7, 90], &[0, 3, 0, 2, 0]] {
            all_types(&path, groups, codec, version);
            let total = groups.iter().sum();
            let expected: Vec<f64> = numbers(0..total).into_iter().flat_map(expected_row).collect();
            let file = RowFile::open(&path, &["y"]).unwrap();
            assert_eq!(file.feature_names().join(" "), "a b c e f g h");
            for parts in (1..=7).chain([600]) {
                assert!(bits(&by_parts(&file, parts).unwrap()) == bits(&expected), "{parts} parts");
                for part in 0..parts {
                    let mut store = RowStore::in_memory(8);
                    file.read_part(part, parts, &mut store).unwrap();
                    assert!(store.rows() == total / parts || store.rows() == total / parts + 1);
                }
            }
            let whole = load_table(&path, &["y"]).unwrap();
            assert!(bits(&rows_of(&whole)) == bits(&expected));
            assert_eq!((whole.name.as_str(), &whole.sha256), ("own.csv", &file.sha256().unwrap()));
            let bytes = std::fs::read(&path).unwrap();
            assert_eq!(whole.sha256, gaussflow_records::checksum::sha256_of(&bytes));
        }
    }
    all_types(&path, &[], Compression::SNAPPY, WriterVersion::PARQUET_1_0);
    assert!(matches!(RowFile::open(&path, &["y"]), Err(DataError::NoRows { .. })));
}

/// More rows than are read at a time, so that reading goes on within pages and groups.
#[test]
fn blocks_continue_each_other() {
    let folder = Folder::new();
    let path = folder.0.path().join("long");
    let schema = "message rows { required double x; required int32 y; }";
    let groups = [150_000, 70_000];
    written(&path, schema, WriterProperties::default(), &groups, |group, rows| {
        let x: Vec<f64> = rows.clone().map(|row| (row as f64).cos()).collect();
        column::<DoubleType>(group, &x, None);
        column::<Int32Type>(group, &numbers(rows), None);
    });
    let expected: Vec<f64> =
        (0..220_000).flat_map(|row| [f64::from(row).cos(), f64::from(row)]).collect();
    let file = RowFile::open(&path, &["y"]).unwrap();
    for parts in [1, 3] {
        assert!(bits(&by_parts(&file, parts).unwrap()) == bits(&expected), "{parts} parts");
    }
}

#[test]
fn a_value_that_is_missing_or_not_finite_is_named_by_row_and_column() {
    let folder = Folder::new();
    let path = folder.0.path().join("own");
    let schema = "message rows { required double x; optional float y; }";
    for (bad, text) in
        [(f64::NAN, "NaN"), (f64::INFINITY, "inf"), (f64::NEG_INFINITY, "-inf"), (0.5, "null")]
    {
        for at in [0, 137, 199] {
            written(&path, schema, WriterProperties::default(), &[120, 80], |group, rows| {
                let value = |row: usize| if row == at && text != "null" { bad } else { 1.0 };
                column::<DoubleType>(group, &rows.clone().map(value).collect::<Vec<_>>(), None);
                let is_null = text == "null" && rows.contains(&at);
                let levels: Vec<i16> =
                    rows.clone().map(|row| i16::from(!is_null || row != at)).collect();
                let values = vec![2.0; rows.len() - usize::from(is_null)];
                column::<FloatType>(group, &values, Some(&levels));
            });
            let file = RowFile::open(&path, &["y"]).unwrap();
            for parts in [1, 2, 7, 300] {
                match by_parts(&file, parts).unwrap_err() {
                    DataError::UnusableValue { row, column, text: told, .. } => {
                        assert_eq!(row, at as u64 + 1);
                        assert_eq!(column, if text == "null" { "y" } else { "x" });
                        assert!(told.contains(text), "{told}");
                    }
                    other => panic!("{other:?}"),
                }
            }
        }
    }
}

#[test]
fn columns_that_are_not_numbers_are_refused_by_name() {
    let folder = Folder::new();
    let path = folder.0.path().join("own");
    for (other, word) in [
        ("required binary z (string);", "String"),
        ("required int32 z (date);", "Date"),
        ("required int64 z (timestamp(millis, true));", "Timestamp"),
        ("required int32 z (decimal(9, 2));", "Decimal"),
        ("required int96 z;", "INT96"),
        ("repeated double z;", "nested"),
        ("optional group z { required double inner; }", "nested"),
    ] {
        let schema = format!("message rows {{ required double x; {other} }}");
        written(&path, &schema, WriterProperties::default(), &[], |_, _| ());
        match RowFile::open(&path, &["x"]).unwrap_err() {
            DataError::UnsupportedColumn { column, found, .. } => {
                assert!(column.starts_with('z') && found.contains(word), "{found}");
            }
            error => panic!("{error:?}"),
        }
    }
    for (schema, word) in [
        ("message rows { required double x; required double x; }", "both named"),
        ("message rows { required double x; }", "no column besides"),
        ("message rows { required double a; required double b; }", "no column \"x\""),
    ] {
        written(&path, schema, WriterProperties::default(), &[1], |group, _| {
            for _ in 0..schema.matches("double").count() {
                column::<DoubleType>(group, &[1.0], None);
            }
        });
        let error = RowFile::open(&path, &["x"]).unwrap_err().to_string();
        assert!(error.contains(word), "{error}");
    }
    // A text column beside numbers, with rows.
    written(
        &path,
        "message rows { required double x; required binary name (string); }",
        WriterProperties::default(),
        &[1],
        |group, _| {
            column::<DoubleType>(group, &[1.0], None);
            column::<ByteArrayType>(group, &["a".into()], None);
        },
    );
    assert!(matches!(load_table(&path, &["x"]), Err(DataError::UnsupportedColumn { .. })));
}

#[test]
fn a_file_that_pyarrow_wrote_is_read() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let file = RowFile::open(&golden.join("rows.parquet"), &["y"]).unwrap();
    assert_eq!(file.feature_names().join(" "), "a b c d e");
    for parts in 1..=7 {
        let rows = by_parts(&file, parts).unwrap();
        let expected = (0..20).flat_map(|k: i32| {
            let x = f64::from(k);
            let flag = if k % 2 == 0 { 1.0 } else { 0.0 };
            [x / 8.0, 0.25 - x, 3.0 * x - 7.0, x * 1e9, flag, f64::from(k % 5)]
        });
        assert_eq!(bits(&rows), bits(&expected.collect::<Vec<_>>()));
    }
}

/// Damages every byte of a file in turn, and cuts it off there.
#[test]
fn a_damaged_file_gives_an_error_or_numbers() {
    let folder = Folder::new();
    let path = folder.0.path().join("own");
    all_types(&path, &[9], Compression::SNAPPY, WriterVersion::PARQUET_1_0);
    let sound = std::fs::read(&path).unwrap();
    let read = |bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        let file = RowFile::open(&path, &["y"])?;
        by_parts(&file, 2)
    };
    let mut reasons = std::collections::BTreeSet::new();
    for place in 0..sound.len() {
        for byte in [155, 161] {
            let mut bytes = sound.clone();
            bytes[place] = byte;
            match read(&bytes) {
                Ok(rows) => assert!(rows.iter().all(|number| number.is_finite())),
                Err(DataError::Parquet { reason, .. }) => drop(reasons.insert(reason)),
                Err(_) => {}
            }
        }
        assert!(read(&sound[..place]).is_err());
    }
    // Among them are files that make the reader panic.
    assert!(reasons.iter().any(|reason| reason.contains("panic")) && reasons.len() > 10);
}
