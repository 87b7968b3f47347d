//! From the text of config.toml to a checked [`Config`], every complaint with its line and column.
//!
//! Three passes: names (so that a misspelt key can be answered with the nearest one), types, and
//! the ranges and rules of [`Config::validate`].

use std::io::Read;
use std::ops::Range;
use std::path::Path;

use gaussflow_records::open_file;
use serde::Deserialize;
use toml::de::{DeTable, DeValue, Deserializer};

use super::data::DataFields;
use super::keys::{KEYS, SECTIONS, accepted};
use super::setting::{Setting, located};
use super::{
    Config, ConfigError, ConfigProblem, DynamicsSettings, EventSettings,
    LEVENBERG_MARQUARDT_DAMPING, LossName, LossSettings, NetworkSettings, Preconditioner,
    RecordSettings,
};

/// A problem, and the bytes of the text that it is about.
pub(super) type Placed = (ConfigProblem, Option<Range<usize>>);

impl Config {
    /// Reads and checks the configuration in the file `path`.
    ///
    /// # Errors
    /// [`ConfigProblem::Read`] where the file cannot be read, [`ConfigProblem::NotText`] where it
    /// is not UTF-8, and what [`Config::parse`] reports; always with the file's name.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        read_with(path, Self::parse)
    }

    /// Reads and checks the configuration in the file `path` with `settings` in place of its own values.
    ///
    /// # Errors
    /// As [`Config::read`]; a complaint about one of the `settings` names it.
    pub fn read_set(path: &Path, settings: &[Setting]) -> Result<Self, ConfigError> {
        read_with(path, |text| Self::parse_set(text, settings))
    }

    /// Checks the configuration in `text`. Keys left out take their defaults.
    ///
    /// # Errors
    /// The first [`ConfigProblem`] with its line and column: bad syntax, an unknown section or
    /// key, a value of the wrong type or outside its range, keys that exclude each other.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        Self::parse_set(text, &[])
    }

    /// [`Config::parse`] with `settings` in place of the text's own values.
    fn parse_set(text: &str, settings: &[Setting]) -> Result<Self, ConfigError> {
        located(text, settings, |text| {
            let mut table = table_of(text.file)?;
            if let Some((name, _)) = table.get_key_value(SWEEP) {
                return Err((ConfigProblem::SweepInRun, Some(name.span())));
            }
            text.apply(&mut table);
            checked(text.whole, &table)
        })
    }
}

/// The section that only a sweep has.
pub(super) const SWEEP: &str = "sweep";

/// A configuration is read into memory, so that larger files are refused: this is 64 MiB.
const MAXIMUM_BYTES: u64 = 1 << 26;

/// Applies `parse` to the text of the file `path`, whose name every complaint gets.
pub(super) fn read_with<T>(
    path: &Path,
    parse: impl FnOnce(&str) -> Result<T, ConfigError>,
) -> Result<T, ConfigError> {
    let fail = |problem, location| ConfigError { file: Some(path.into()), location, problem };
    let mut bytes = Vec::new();
    open_file(path)
        .and_then(|file| file.take(MAXIMUM_BYTES + 1).read_to_end(&mut bytes))
        .map_err(|source| fail(ConfigProblem::Read { source }, None))?;
    if bytes.len() as u64 > MAXIMUM_BYTES {
        return Err(fail(ConfigProblem::TooLarge { accepted: MAXIMUM_BYTES }, None));
    }
    let text = str::from_utf8(&bytes)
        .map_err(|error| fail(ConfigProblem::NotText { byte: error.valid_up_to() }, None))?;
    parse(text).map_err(|error| match error.problem {
        // It stands on the command line, not in the file.
        ConfigProblem::Setting { .. } => error,
        problem => fail(problem, error.location),
    })
}

/// The text as TOML, each key and value with its place.
pub(super) fn table_of(text: &str) -> Result<DeTable<'_>, Placed> {
    DeTable::parse(text).map(toml::Spanned::into_inner).map_err(|error| {
        let message = error.message().trim_end().replace('\n', "; ");
        (ConfigProblem::Syntax { message }, error.span())
    })
}

/// The configuration in `table`, whose places are those of `text`.
pub(super) fn checked(text: &str, table: &DeTable<'_>) -> Result<Config, Placed> {
    check_names(table)?;
    let whole = toml::Spanned::new(0..text.len(), table.clone());
    let file = ConfigFile::deserialize(Deserializer::from(whole))
        .map_err(|error| type_problem(text, table, &error))?;
    let place = |problem: ConfigProblem| {
        let span = problem.key().and_then(|path| find(table, path));
        (problem, span)
    };
    let mut config = file.resolve().map_err(place)?;
    let levenberg = config.dynamics.preconditioner == Preconditioner::LevenbergMarquardt;
    if levenberg && lookup(table, "dynamics.damping").is_none() {
        config.dynamics.damping = LEVENBERG_MARQUARDT_DAMPING;
    }
    config.validate().map_err(place)?;
    Ok(config)
}

/// The text as it is written, before the rules between keys.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct ConfigFile {
    data: DataFields,
    network: NetworkSettings,
    loss: LossFields,
    dynamics: DynamicsSettings,
    events: EventSettings,
    record: RecordSettings,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct LossFields {
    name: Option<LossName>,
    curvature: Option<f64>,
    scale: Option<f64>,
    weights: Option<Vec<f64>>,
}

impl ConfigFile {
    fn resolve(self) -> Result<Config, ConfigProblem> {
        Ok(Config {
            data: self.data.resolve()?,
            network: self.network,
            loss: self.loss.resolve()?,
            dynamics: self.dynamics,
            events: self.events,
            record: self.record,
        })
    }
}

impl LossFields {
    fn resolve(self) -> Result<LossSettings, ConfigProblem> {
        let name = self.name.unwrap_or(LossName::Squared);
        let foreign = |key, value, advice| {
            Err(ConfigProblem::Conflict {
                key,
                value,
                other: format!("loss.name = \"{name}\""),
                advice,
            })
        };
        let number = super::keys::float;
        match (self.curvature, self.scale, &self.weights) {
            (Some(curvature), _, _) if name != LossName::LogCosh => {
                return foreign("loss.curvature", number(curvature), "only \"log-cosh\" has one");
            }
            (_, Some(scale), _) if name != LossName::Huber => {
                return foreign("loss.scale", number(scale), "only \"huber\" has one");
            }
            (_, _, Some(weights)) if name != LossName::Weighted => {
                let value = format!("a list of {}", weights.len());
                return foreign("loss.weights", value, "only \"weighted\" has them");
            }
            _ => {}
        }
        Ok(match name {
            LossName::Squared => LossSettings::Squared,
            LossName::LogCosh => LossSettings::LogCosh { curvature: self.curvature.unwrap_or(1.0) },
            LossName::Huber => LossSettings::Huber { scale: self.scale.unwrap_or(1.0) },
            LossName::Logistic => LossSettings::Logistic,
            LossName::Softmax => LossSettings::Softmax,
            LossName::Poisson => LossSettings::Poisson,
            LossName::Weighted => {
                let weights = self.weights.ok_or(ConfigProblem::Missing {
                    key: "loss.weights",
                    because: "the loss \"weighted\" needs a list with one number above 0 a drawn row",
                })?;
                LossSettings::Weighted { weights }
            }
        })
    }
}

fn check_names(table: &DeTable<'_>) -> Result<(), Placed> {
    for (name, value) in table {
        let section = name.get_ref().as_ref();
        let span = Some(name.span());
        if !SECTIONS.contains(&section) {
            let found = section.to_owned();
            let accepted = SECTIONS.to_vec();
            let problem = if value.get_ref().is_table() {
                let nearest = nearest(section, SECTIONS.iter().map(|&name| (name, name, 0)));
                ConfigProblem::UnknownSection { found, nearest, accepted }
            } else {
                ConfigProblem::UnknownKey { nearest: nearest_key("", section), found, accepted }
            };
            return Err((problem, span));
        }
        // A section that is not a table is a matter of types, found in the next pass.
        for (key, _) in value.get_ref().as_table().into_iter().flatten() {
            let key_name = key.get_ref().as_ref();
            let known = KEYS.iter().filter(|known| known.section() == section);
            if !known.clone().any(|known| known.name() == key_name) {
                let problem = ConfigProblem::UnknownKey {
                    found: format!("{section}.{key_name}"),
                    nearest: nearest_key(section, key_name),
                    accepted: known.map(super::keys::Key::name).collect(),
                };
                return Err((problem, Some(key.span())));
            }
        }
    }
    Ok(())
}

/// Turns a complaint about a type into one about the key whose value it is.
fn type_problem(text: &str, table: &DeTable<'_>, error: &toml::de::Error) -> Placed {
    let span = error.span();
    let key = span.as_ref().and_then(|span| {
        KEYS.iter().find(|key| {
            find(table, key.path).is_some_and(|whole| {
                whole.start <= span.start && span.start < whole.end.max(whole.start + 1)
            })
        })
    });
    let Some(key) = key else {
        let section = span.as_ref().and_then(|span| {
            SECTIONS.iter().find(|name| find(table, name).is_some_and(|whole| whole == *span))
        });
        let problem = match section {
            Some(section) => ConfigProblem::Value {
                key: (*section).to_owned(),
                value: snippet(text, span.clone()),
                accepted: format!("a table, written [{section}]"),
            },
            None => ConfigProblem::Syntax { message: error.message().replace('\n', "; ") },
        };
        return (problem, span);
    };
    let whole = find(table, key.path);
    let value = snippet(text, whole.clone());
    let is_table = lookup(table, key.path).is_some_and(|value| value.get_ref().is_table());
    let problem = if key.path == "dynamics.damping" && is_table {
        ConfigProblem::DampingSchedule { value }
    } else {
        ConfigProblem::Value { key: key.path.to_owned(), value, accepted: accepted(key.path) }
    };
    (problem, whole)
}

fn lookup<'t, 'i>(table: &'t DeTable<'i>, path: &str) -> Option<&'t toml::Spanned<DeValue<'i>>> {
    match path.split_once('.') {
        None => table.get(path),
        Some((section, key)) => table.get(section)?.get_ref().as_table()?.get(key),
    }
}

/// Where the value of `path` stands; for a key that is left out, its section.
fn find(table: &DeTable<'_>, path: &str) -> Option<Range<usize>> {
    lookup(table, path).map(toml::Spanned::span)
}

/// A value as written, cut to what fits in a message.
pub(super) fn snippet(text: &str, span: Option<Range<usize>>) -> String {
    const LONGEST: usize = 60;
    let whole = span.and_then(|span| text.get(span)).unwrap_or_default();
    let line = whole.lines().next().unwrap_or_default();
    if line.len() == whole.len() && line.chars().count() <= LONGEST {
        return line.to_owned();
    }
    format!("{}...", line.chars().take(LONGEST).collect::<String>())
}

/// The key closest to `section.name`; one of another section must be closer to win.
fn nearest_key(section: &str, name: &str) -> Option<String> {
    let candidates =
        KEYS.iter().map(|key| (key.name(), key.path, usize::from(key.section() != section)));
    nearest(name, candidates)
}

/// Of `(name, answer, handicap)` the answer whose name is fewest edits away, if it is close.
pub(super) fn nearest<'a>(
    found: &str,
    candidates: impl Iterator<Item = (&'a str, &'a str, usize)>,
) -> Option<String> {
    let closest = candidates
        .map(|(name, answer, handicap)| (edits(found, name) + handicap, answer))
        .min_by_key(|&(distance, _)| distance);
    // A third of the letters wrong is still a slip; more is another word.
    let limit = (found.chars().count() / 3).max(2);
    closest.filter(|&(distance, _)| distance <= limit).map(|(_, answer)| answer.to_owned())
}

/// Levenshtein's distance: insertions, deletions and replacements of one character.
fn edits(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, a) in left.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, &b) in right.iter().enumerate() {
            let replaced = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[right.len()]
}
