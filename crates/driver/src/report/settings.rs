//! config.toml as a flat table of `section.key` and value: also that of a later version, with keys unknown here.

use std::collections::BTreeMap;
use std::path::Path;

use gaussflow_records::{RecordError, read_text};

/// `section.key` and its value as TOML text.
pub type Settings = BTreeMap<String, String>;

/// Values longer than this many characters are cut in a report.
const LONGEST: usize = 60;

/// Reads a configuration without judging it.
///
/// # Errors
/// [`RecordError::Read`]; [`RecordError::MalformedRow`] for what is no TOML.
pub fn read(path: &Path) -> Result<Settings, RecordError> {
    let text =
        read_text(path).map_err(|source| RecordError::Read { path: path.to_owned(), source })?;
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
        let before = error.span().map_or(0, |span| span.start.min(text.len()));
        let line = 1 + text.bytes().take(before).filter(|&byte| byte == b'\n').count() as u64;
        RecordError::MalformedRow {
            path: path.to_owned(),
            line,
            detail: error.message().to_owned(),
        }
    })?;
    let mut settings = Settings::new();
    flatten("", &table, &mut settings);
    Ok(settings)
}

/// Adds every key of `table`, each behind `prefix`. The reader of TOML bounds the depth of tables.
fn flatten(prefix: &str, table: &toml::Table, settings: &mut Settings) {
    for (key, value) in table {
        let path = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
        match value {
            toml::Value::Table(inner) => flatten(&path, inner, settings),
            toml::Value::String(text) => {
                settings.insert(path, cut(text));
            }
            // As in the configurations that we write: 1e-10 instead of 0.0000000001.
            toml::Value::Float(number) => {
                settings.insert(path, format!("{number:?}"));
            }
            other => {
                settings.insert(path, cut(&other.to_string()));
            }
        }
    }
}

fn cut(text: &str) -> String {
    if text.chars().count() <= LONGEST {
        return text.to_owned();
    }
    text.chars().take(LONGEST).chain(['…']).collect()
}

/// A number as a reader expects it: 8 for 8.0.
pub fn number(text: &str) -> String {
    text.parse::<f64>().map_or_else(|_| text.to_owned(), |value| value.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_keys_and_long_values_are_kept_as_text() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        let weights = vec!["1.5"; 100].join(", ");
        std::fs::write(
            &path,
            format!("a.b.c = 'x'\n[loss]\nweights = [{weights}]\nlater = 8.0\ntiny = 1e-10"),
        )
        .unwrap();
        let settings = read(&path).unwrap();
        assert_eq!(settings["a.b.c"], "x");
        assert_eq!(number(&settings["loss.later"]), "8");
        assert_eq!(settings["loss.tiny"], "1e-10");
        assert_eq!(settings["loss.weights"].chars().count(), LONGEST + 1);
        std::fs::write(&path, "a = 1\nb = = 2").unwrap();
        assert!(matches!(read(&path), Err(RecordError::MalformedRow { line: 2, .. })));
    }
}
