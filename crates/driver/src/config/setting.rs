//! `--set section.key=value`: keys that a command line gives in place of the file's.
//!
//! The values are read as if they stood behind the file's text, so that every rule and every complaint is that of a
//! configuration in which they are written out.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::keys::{KEYS, Key};
use super::parse::{Placed, nearest, table_of};
use super::{ConfigError, ConfigProblem, Location};

/// One `--set`: a key of the configuration and the value that it takes.
///
/// ```
/// use gaussflow_driver::config::Setting;
/// assert!(Setting::parse("dynamics.scaling=16").is_ok());
/// // A word that is no value of TOML is taken as a string.
/// assert!(Setting::parse("dynamics.integrator=stiff").is_ok());
/// let error = Setting::parse("dynamics.scalling=16").unwrap_err();
/// assert!(error.to_string().contains("did you mean dynamics.scaling?"));
/// ```
#[derive(Clone)]
pub struct Setting {
    key: &'static Key,
    /// The value in TOML.
    value: String,
    /// The whole as it was written.
    written: String,
}

impl Setting {
    /// Reads `section.key=value`: a value in TOML, or a word that stands for a string.
    ///
    /// # Errors
    /// [`ConfigProblem::NoValue`] without a `=`, [`ConfigProblem::UnknownKey`] for a key that no configuration has.
    /// Whether the value fits the key is tested with the whole configuration.
    pub fn parse(written: &str) -> Result<Self, ConfigError> {
        let fail = |problem| ConfigError::from(of_setting(written, problem));
        let (path, value) = written.split_once('=').ok_or_else(|| fail(ConfigProblem::NoValue))?;
        let (path, value) = (path.trim(), value.trim());
        let Some(key) = KEYS.iter().find(|key| key.path == path) else {
            let candidates =
                KEYS.iter().flat_map(|key| [(key.path, key.path, 0), (key.name(), key.path, 0)]);
            return Err(fail(ConfigProblem::UnknownKey {
                found: path.to_owned(),
                nearest: nearest(path, candidates),
                accepted: vec!["every section.key that `gaussflow config` prints"],
            }));
        };
        Ok(Self { key, value: in_toml(value), written: written.to_owned() })
    }
}

/// As a command line has it, in quotes where a shell wants them.
impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-+=/,:".contains(c);
        if self.written.chars().all(is_plain) {
            write!(f, "--set {}", self.written)
        } else {
            write!(f, "--set '{}'", self.written.replace('\'', r"'\''"))
        }
    }
}

impl fmt::Debug for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// `value` itself where it is one value of TOML, otherwise the string that it spells.
fn in_toml(value: &str) -> String {
    let document = format!("value = {value}");
    match DeTable::parse(&document) {
        Ok(table) if table.get_ref().len() == 1 => value.to_owned(),
        _ => toml::Value::String(value.to_owned()).to_string(),
    }
}

/// A configuration's text with the values that are set behind it.
pub(super) struct Text<'t> {
    /// The file's text, and behind it the values: places count in this one.
    pub whole: &'t str,
    /// The file's text alone.
    pub file: &'t str,
    /// The keys that are set, in the order of the command line, and their values.
    pub set: Vec<(&'static Key, Spanned<DeValue<'t>>)>,
}

/// Applies `parse` to `text` with `settings`, and turns the bytes of a complaint into a line and column of the text, or
/// into the setting at fault.
pub(super) fn located<T>(
    text: &str,
    settings: &[Setting],
    parse: impl FnOnce(&Text<'_>) -> Result<T, Placed>,
) -> Result<T, ConfigError> {
    // Editors on some systems put a byte order mark in front, which TOML does not know.
    let file = text.strip_prefix('\u{feff}').unwrap_or(text);
    // Blanks in place of the file: a value's place is then its place in the whole.
    let (mut whole, mut values) = (file.to_owned(), " ".repeat(file.len()));
    let mut places: Vec<Range<usize>> = Vec::new();
    for (number, setting) in settings.iter().enumerate() {
        let line = format!("\nvalue{number} = {}", setting.value);
        places.push(whole.len()..whole.len() + line.len());
        whole += &line;
        values += &line;
    }
    let read = || {
        let mut table = if settings.is_empty() { DeTable::new() } else { table_of(&values)? };
        let set = settings.iter().enumerate().filter_map(|(number, setting)| {
            Some((setting.key, table.remove(format!("value{number}").as_str())?))
        });
        let set = set.collect();
        parse(&Text { whole: &whole, file: &whole[..file.len()], set })
    };
    read().map_err(|(problem, span): Placed| {
        let at = span.map(|span| span.start);
        let place = |at: usize| places.iter().position(|place| place.contains(&at));
        let setting = at.and_then(place).and_then(|number| settings.get(number));
        if let Some(setting) = setting {
            return of_setting(&setting.written, problem).into();
        }
        let location = at.map(|at| Location::of_byte(file, at));
        ConfigError { file: None, location, problem }
    })
}

/// The problem of one setting.
fn of_setting(written: &str, problem: ConfigProblem) -> ConfigProblem {
    ConfigProblem::Setting { setting: written.to_owned(), problem: Box::new(problem) }
}

impl<'t> Text<'t> {
    /// Puts the values that are set where the file's own would stand.
    pub fn apply(&self, table: &mut DeTable<'t>) {
        let is_set = |path: &str| self.set.iter().any(|(key, _)| key.path == path);
        for (key, value) in &self.set {
            // The rows come from one place: a new one takes the place of the file's.
            let replaced: &[&str] = match key.path {
                "data.name" => &["data.path", "data.target"],
                "data.path" => &["data.name"],
                _ => &[],
            };
            for path in replaced.iter().filter(|path| !is_set(path)) {
                let (section, name) = path.split_once('.').unwrap_or(("", path));
                if let Some(DeValue::Table(section)) = table.get_mut(section).map(Spanned::get_mut)
                {
                    section.remove(name);
                }
            }
            assign(table, key, value.clone());
        }
    }
}

/// Puts a value where the configuration's own would stand.
pub(super) fn assign<'i>(table: &mut DeTable<'i>, key: &'static Key, value: Spanned<DeValue<'i>>) {
    let name = |text: &'static str| Spanned::new(value.span(), Cow::Borrowed(text));
    if table.get(key.section()).is_none() {
        let section = Spanned::new(value.span(), DeValue::Table(DeTable::new()));
        table.insert(name(key.section()), section);
    }
    // A section that is not a table is refused when the run is checked.
    if let Some(DeValue::Table(section)) = table.get_mut(key.section()).map(Spanned::get_mut) {
        section.remove(key.name());
        section.insert(name(key.name()), value);
    }
}
