//! Tests of row files: every division of a file gives the rows and the errors of reading it whole.

#[cfg(feature = "parquet")]
mod columnar;
mod moments;
mod store;

use std::path::{Path, PathBuf};

use proptest::prelude::*;

use super::*;

/// Numbers as bits, which -0 and 0 do not share.
fn bits(numbers: &[f64]) -> Vec<u64> {
    numbers.iter().map(|number| number.to_bits()).collect()
}

/// The rows of a data set, each the features and then the targets.
fn rows_of(data: &Dataset) -> Vec<f64> {
    let targets = data.targets.chunks(data.target_names.len());
    (0..data.rows())
        .zip(targets)
        .flat_map(|(row, targets)| [data.row(row), targets].concat())
        .collect()
}

/// All rows of a store.
fn kept(store: &RowStore) -> Vec<f64> {
    let mut rows = Vec::new();
    store.read(0..store.rows(), &mut rows).unwrap();
    rows
}

/// The rows of all parts, one after the other, as each was read into a store of its own.
fn by_parts(file: &RowFile, parts: usize) -> Result<Vec<f64>, DataError> {
    let mut rows = Vec::new();
    for part in 0..parts {
        let mut store = RowStore::in_memory(file.width());
        file.read_part(part, parts, &mut store)?;
        rows.extend(kept(&store));
    }
    Ok(rows)
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self, bytes: &[u8]) -> PathBuf {
        let path = self.0.path().join("own.csv");
        std::fs::write(&path, bytes).unwrap();
        path
    }
}

/// Opens a CSV file with the target `y`, to be read in blocks of `block` bytes.
fn opened(path: &Path, block: usize) -> RowFile {
    let mut file = RowFile::open(path, &["y"]).unwrap();
    match &mut file.format {
        Format::Text(text) => text.set_block(block),
        #[cfg(feature = "parquet")]
        Format::Columnar(_) => panic!("a CSV file was taken for Parquet"),
    }
    file
}

const SOUND: [&str; 9] = [
    "a,y,b\n1,3,2\n-4.5e-3,6,5\n7,8,9\n",
    "a,y,b\n1,3,2\n-4.5e-3,6,5",
    "\u{feff}a,y,b\r\n1,3,2\r\n-4.5e-3,6,5\r\n10,11,12\r\n",
    "a,y,b\r1,3,2\r-4.5e-3,6,5\r",
    "\n\na,y,b\n\n1,3,2\n\n\n-4.5e-3,6,5\n\n",
    "\r\n\r\na,y,b\r\n\r\n1,3,2\r\n\r\n\n\r-4.5e-3,6,5\r\n\r\n",
    " a , y,b \n 1 ,3.0,\t2\n-.45e-2,+6,5.\n1,\x0c2,3",
    "\"a\",\"y\",\"b\"\n\"1\",\"3\",\"2\"\n-0.0045,6e0,0005\n\"-0\" ,\" 1\",2\n",
    "b,\"a \"\"quoted\"\", name\",y\n100,2,3\n1000,-20,\"30\"\n1,2,3\n4,5,6\n7,8,9\n10,11,12\n1e300,1e-300,5e-324\n",
];

#[test]
fn every_division_gives_the_rows_of_the_whole() {
    let folder = Folder::new();
    for text in SOUND {
        let path = folder.file(text.as_bytes());
        let whole = load_csv(&path, &["y"]).unwrap();
        let expected = bits(&rows_of(&whole));
        for parts in (1..=7).chain([1000]) {
            for block in [1, 2, 7, 1 << 20] {
                let found = by_parts(&opened(&path, block), parts).unwrap();
                assert_eq!(bits(&found), expected, "{text:?}, {parts} parts, blocks of {block}");
            }
        }
        let file = opened(&path, 64);
        assert_eq!(
            (file.feature_names(), file.target_names(), file.sha256().unwrap()),
            (&whole.feature_names[..], &whole.target_names[..], whole.sha256.clone())
        );
        assert_eq!(load_table(&path, &["y"]).unwrap(), whole);
    }
}

#[test]
fn a_part_ends_where_a_row_does() {
    let folder = Folder::new();
    // 13 bytes a row; the body begins at the end of the header's line, one byte before them.
    let rows: Vec<String> = (0..12).map(|k| format!("{k:05},{k:05}0\n")).collect();
    let file = opened(&folder.file(format!("a,y\n{}", rows.concat()).as_bytes()), 1 << 20);
    for parts in [2, 3, 4, 6, 12] {
        for part in 0..parts {
            let mut store = RowStore::in_memory(2);
            file.read_part(part, parts, &mut store).unwrap();
            assert_eq!(store.rows(), 12 / parts, "part {part} of {parts}");
        }
    }
    let mut store = RowStore::in_memory(2);
    let beyond = file.read_part(3, 3, &mut store).unwrap_err();
    assert!(matches!(beyond, DataError::NoSuchPart { part: 3, parts: 3 }));
    assert!(matches!(file.read_part(0, 0, &mut store), Err(DataError::NoSuchPart { .. })));
    let narrow = file.read_part(0, 1, &mut RowStore::in_memory(1)).unwrap_err();
    assert!(matches!(narrow, DataError::Length { expected: 2, found: 1, .. }));
    assert_eq!(store.rows(), 0);
}

#[test]
fn an_error_in_a_later_part_is_the_error_of_the_whole() {
    let folder = Folder::new();
    for wrong in
        ["x,3", "1,", "1", "1,2,3", "nan,2", "1,\"2,5\"", "1,1e999", "1\"5,4", "1,2\0", "x"]
    {
        for (start, end) in [("", "\n"), ("\u{feff}\n", "\r\n"), ("\r\r", "\r"), ("\n", "\n\r\n\n")]
        {
            let many: Vec<String> = (0..40).map(|k| format!("{k},{k}.5{end}")).collect();
            let many = many.concat();
            let text = format!("{start}a,y{end}{many}{wrong}{end}1,2{end}");
            let path = folder.file(text.as_bytes());
            let expected = load_csv(&path, &["y"]).unwrap_err().to_string();
            for (parts, block) in [(1, 1 << 20), (1, 16), (3, 1 << 20), (7, 64)] {
                let file = opened(&path, block);
                let error = by_parts(&file, parts).unwrap_err().to_string();
                assert_eq!(error, expected, "{text:?}, {parts} parts");
                // Whoever reads an earlier part does not see it.
                let mut store = RowStore::in_memory(2);
                assert!(parts == 1 || file.read_part(0, parts, &mut store).is_ok());
            }
        }
    }
}

#[test]
fn a_line_ends_within_quotes_too() {
    let folder = Folder::new();
    let path = folder.file(b"a,y\n1,2\n3,\"4\n\"\n5,6\n");
    for parts in 1..=7 {
        match by_parts(&opened(&path, 4), parts).unwrap_err() {
            DataError::Damaged { line: 3, what, .. } => assert!(what.contains("never closed")),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn what_is_wrong_with_a_header_is_told_as_for_the_whole() {
    let folder = Folder::new();
    for text in [
        "",
        "\u{feff}\r\n\n",
        "a,y\n\n",
        "y\n1\n",
        "a,,y\n1,2,3\n",
        "a,y,\n1,2,\n",
        "a,y,b, a\n1,2,3,4\n",
        "a,Y,b\n1,2,3\n",
        "a;y\n1;2\n",
        "a\ty\n1\t2\n",
        "\n\na,\"y\n1,2\n",
        "\0a,y\n1,2\n",
        "a,y\0\n1,2\n",
        "PAR1,z\n1,2\n",
        "PAR1\n1\n",
        "PAR1 \n1\n",
    ] {
        let path = folder.file(text.as_bytes());
        let expected = load_csv(&path, &["y"]).unwrap_err().to_string();
        let error = RowFile::open(&path, &["y"]).unwrap_err();
        assert_eq!((error.to_string(), error.exit_status()), (expected, 2), "{text:?}");
    }
    for bytes in [&b"\xff\xfea\0,\0y\0\n\x001\0,\x002\0\n\0"[..], b"a\xff,y\n1,2\n"] {
        let path = folder.file(bytes);
        let expected = load_csv(&path, &["y"]).unwrap_err().to_string();
        assert_eq!(RowFile::open(&path, &["y"]).unwrap_err().to_string(), expected);
    }
    let path = folder.file(b"a,y\n1,2\n");
    let twice = RowFile::open(&path, &["y", "y"]).unwrap_err();
    assert!(matches!(twice, DataError::RepeatedTarget { .. }));
}

#[test]
fn lines_without_an_end_do_not_fill_the_memory() {
    let folder = Folder::new();
    let long = "1".repeat(1 << 25);
    for (text, at) in [(long.clone(), 0), (format!("\na,y\n1,2\n{long},1\n"), 9)] {
        let path = folder.file(text.as_bytes());
        let file = RowFile::open(&path, &["y"]);
        let error = file.and_then(|file| by_parts(&file, 1)).unwrap_err();
        assert!(matches!(error, DataError::LongLine { offset, .. } if offset == at), "{error}");
    }
    // A line far longer than a block, but not too long.
    let text = format!("a,y\n1,2\n{}3,4\n5,6", " ".repeat(3 << 20));
    let file = RowFile::open(&folder.file(text.as_bytes()), &["y"]).unwrap();
    for parts in [1, 2, 5] {
        assert_eq!(by_parts(&file, parts).unwrap(), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    }
}

#[test]
fn what_is_no_ordinary_file_or_changes_is_refused() {
    let folder = Folder::new();
    for path in [folder.0.path(), &folder.0.path().join("none.csv")] {
        for error in [RowFile::open(path, &["y"]).err(), load_table(path, &["y"]).err()] {
            assert_eq!(error.unwrap().exit_status(), 3);
        }
    }
    let path = folder.file(b"a,y\n1,2\n3,4\n");
    let file = RowFile::open(&path, &["y"]).unwrap();
    std::fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(9).unwrap();
    assert!(matches!(by_parts(&file, 1), Err(DataError::Read { .. })));
}

#[cfg(not(feature = "parquet"))]
#[test]
fn without_the_feature_a_parquet_file_is_named() {
    let path = Folder::new();
    let path = path.file(b"PAR1\x15\x04PAR1");
    for error in [RowFile::open(&path, &["y"]).err(), load_table(&path, &["y"]).err()] {
        let error = error.unwrap();
        assert!(matches!(error, DataError::ParquetNotBuilt { .. }), "{error}");
    }
}

proptest! {
    /// Rows with any decoration that a CSV file may have, in any division, are those of the whole.
    #[test]
    fn rows_do_not_depend_on_the_division(
        rows in prop::collection::vec((prop::num::f64::NORMAL, prop::num::f64::NORMAL, 0..6usize, 0..5usize), 1..30),
        parts in 1..40usize, block in 1..200usize, last: bool,
    ) {
        let lines = rows.iter().map(|&(a, y, cell, end)| {
            let end = ["\n", "\r\n", "\r", "\n\n\r\n", "\r\r"][end];
            match cell {
                0 => format!("\"{a:?}\",{y:?}{end}"),
                1 => format!(" {a:e} ,\t{y:e}{end}"),
                2 => format!("{a:?},\"{y:?}\" {end}"),
                _ => format!("{a:e},{y:?}{end}"),
            }
        });
        let text = format!("a,y\n{}", lines.collect::<Vec<_>>().concat());
        let text = if last { text.trim_end() } else { &text };
        let folder = Folder::new();
        let path = folder.file(text.as_bytes());
        let found = bits(&by_parts(&opened(&path, block), parts).unwrap());
        let expected: Vec<f64> = rows.iter().flat_map(|&(a, y, _, _)| [a, y]).collect();
        prop_assert_eq!(&found, &bits(&expected));
        prop_assert_eq!(&found, &bits(&rows_of(&load_csv(&path, &["y"]).unwrap())));
    }

    /// Whatever the bytes, parts agree with one another, and what one part accepts is what `load_csv` does.
    #[test]
    fn any_bytes_give_one_answer(
        bytes in prop::collection::vec(prop::sample::select(b"12,,,\n\n\r\"1.e- \xff\xef\0".to_vec()), 0..60),
        parts in 1..9usize, block in 1..50usize,
    ) {
        let folder = Folder::new();
        let path = folder.file(&[b"a,y\n", &bytes[..]].concat());
        let read = |parts, block: Option<usize>| {
            let file = match block {
                Some(block) if RowFile::open(&path, &["y"]).is_ok() => opened(&path, block),
                _ => RowFile::open(&path, &["y"])?,
            };
            by_parts(&file, parts)
        };
        let told = |found: Result<Vec<f64>, DataError>| found.map(|rows| bits(&rows)).map_err(|e| e.to_string());
        let whole = told(read(1, None));
        prop_assert_eq!(&told(read(parts, Some(block))), &whole);
        match (whole, load_csv(&path, &["y"])) {
            (Ok(rows), loaded) => prop_assert_eq!(rows, bits(&rows_of(&loaded.unwrap()))),
            // All that is refused beyond what `load_csv` refuses is a line's end within quotes.
            (Err(error), Ok(_)) => prop_assert!(error.contains("never closed"), "{}", error),
            (Err(_), Err(_)) => {}
        }
    }
}
