//! `[sweep]`: lists of values, cases and seeds, and every configuration that they stand for.
//!
//! The runs are cases x grid x seeds; each is the file's own configuration with some keys replaced,
//! checked as if it had been written out, so that a complaint names the line of the value at fault.

use std::ops::Range;
use std::path::Path;

use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use super::keys::{KEYS, Key, SECTIONS};
use super::parse::{Placed, SWEEP, checked, nearest, read_with, snippet, table_of};
use super::setting::{Setting, Text, assign, located};
use super::{Config, ConfigError, ConfigProblem};

/// More runs than this are a slip of the pen.
const MOST_RUNS: u64 = 1_000_000;

/// What `[sweep]` accepts besides keys of the configuration.
const RESERVED: [&str; 2] = ["seeds", "cases"];

/// Every run of a sweep, resolved and checked.
///
/// ```
/// use gaussflow_driver::config::Sweep;
/// let text = "dynamics.horizon = 1.0\n\
///             [sweep]\n\
///             seeds = 3\n\
///             \"dynamics.scaling\" = [8.0, 16.0]\n\
///             [[sweep.cases]]\n\
///             dynamics.preconditioner = 'gauss-newton'\n\
///             [[sweep.cases]]\n\
///             dynamics = { preconditioner = 'gradient', integrator = 'stiff' }";
/// let sweep = Sweep::parse(text)?;
/// assert_eq!(sweep.runs.len(), 3 * 2 * 2);
/// assert_eq!(sweep.runs[1].dynamics.seed, 1);
/// # Ok::<(), gaussflow_driver::config::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Sweep {
    /// The runs: by case, then by the grid's keys in the order of the commented default, the last
    /// varying fastest, then by seed.
    pub runs: Vec<Config>,
    /// The keys that grid or cases set, in the order of the commented default.
    pub keys: Vec<SweptKey>,
}

/// A key of the configuration that a sweep sets.
#[derive(Clone, Copy)]
pub struct SweptKey(&'static Key);

impl std::fmt::Debug for SweptKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0.path)
    }
}

impl SweptKey {
    /// `section.key`.
    pub fn path(self) -> &'static str {
        self.0.path
    }

    /// The key alone where no other section has one of this name, otherwise `section.key`.
    pub fn short_name(self) -> &'static str {
        let is_unique = KEYS.iter().filter(|key| key.name() == self.0.name()).count() == 1;
        if is_unique { self.0.name() } else { self.0.path }
    }

    /// Its value in `config` as TOML text; `None` where it has none.
    pub fn value(self, config: &Config) -> Option<String> {
        (self.0.value)(config)
    }
}

impl Sweep {
    /// Reads and checks the sweep in the file `path`.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        read_with(path, Self::parse)
    }

    /// Reads and checks the sweep in the file `path` with `settings` in place of its own values.
    ///
    /// # Errors
    /// As [`Sweep::parse`]; [`ConfigProblem::SweptSetting`] for a key that differs between the runs.
    pub fn read_set(path: &Path, settings: &[Setting]) -> Result<Self, ConfigError> {
        read_with(path, |text| located(text, settings, planned))
    }

    /// Checks the sweep in `text`, every run of it.
    ///
    /// # Errors
    /// What [`Config::parse`] reports of any of the runs, at the place of the value at fault;
    /// [`ConfigProblem::NoSweep`] and [`ConfigProblem::TooManyRuns`].
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        located(text, &[], planned)
    }
}

/// A key with one value to take.
type Assignment<'t, 'i> = (&'static Key, &'t Spanned<DeValue<'i>>);

fn planned(given: &Text<'_>) -> Result<Sweep, Placed> {
    let text = given.whole;
    let mut base = table_of(given.file)?;
    let Some(section) = base.remove(SWEEP) else {
        return Err((ConfigProblem::NoSweep, None));
    };
    given.apply(&mut base);
    let span = section.span();
    let Some(section) = section.get_ref().as_table() else {
        return Err(refusal(text, SWEEP, Some(span), "a table, written [sweep]"));
    };
    let mut grid = assignments(section, SWEEP)?;
    grid.sort_by_key(|(key, _)| place(key));
    let grid = grid
        .into_iter()
        .map(|(key, value)| match value.get_ref().as_array() {
            Some(list) if !list.is_empty() => Ok((key, list)),
            _ => {
                let accepted = format!("a list of values, each {}", (key.accepted)());
                Err(refusal(text, &format!("{SWEEP}.{}", key.path), Some(value.span()), &accepted))
            }
        })
        .collect::<Result<Vec<_>, Placed>>()?;
    let cases = cases(text, section, &grid)?;
    let seeds = match section.get("seeds") {
        Some(value) => Some(seeds(text, value)?),
        None => None,
    };
    let lengths = [cases.len(), seeds.as_ref().map_or(1, Vec::len)];
    let lengths = lengths.into_iter().chain(grid.iter().map(|(_, list)| list.len()));
    let runs = lengths.fold(1_u64, |runs, length| runs.saturating_mul(length as u64));
    if runs > MOST_RUNS {
        return Err((ConfigProblem::TooManyRuns { runs, accepted: MOST_RUNS }, Some(span)));
    }
    let mut keys: Vec<&'static Key> = grid.iter().map(|&(key, _)| key).collect();
    keys.extend(cases.iter().flatten().map(|&(key, _)| key));
    if let Some(key) = keys.iter().find(|key| key.path == "dynamics.seed" && seeds.is_some()) {
        let problem = ConfigProblem::Conflict {
            key: key.path,
            value: "a list".to_owned(),
            other: "sweep.seeds".to_owned(),
            advice: "give either",
        };
        return Err((problem, Some(span)));
    }
    for (key, value) in &given.set {
        let seeded = key.path == "dynamics.seed" && seeds.is_some();
        if seeded || keys.iter().any(|swept| swept.path == key.path) {
            return Err((ConfigProblem::SweptSetting { key: key.path }, Some(value.span())));
        }
    }
    keys.sort_by_key(|key| place(key));
    keys.dedup_by_key(|key| key.path);
    let mut found = Vec::new();
    for case in &cases {
        for point in points(&grid) {
            let mut table = base.clone();
            for &(key, value) in case.iter().chain(&point) {
                assign(&mut table, key, value.clone());
            }
            let config = checked(text, &table)?;
            match &seeds {
                None => found.push(config),
                // A seed in range goes with everything: nothing is left to check.
                Some(seeds) => found.extend(seeds.iter().map(|&seed| {
                    let mut config = config.clone();
                    config.dynamics.seed = seed;
                    config
                })),
            }
        }
    }
    Ok(Sweep { runs: found, keys: keys.into_iter().map(SweptKey).collect() })
}

/// The position of a key in the commented default.
fn place(key: &Key) -> usize {
    KEYS.iter().position(|other| other.path == key.path).unwrap_or(KEYS.len())
}

/// The keys that `table` gives values to: `"section.key" = value`, or `section.key = value`.
fn assignments<'t, 'i>(
    table: &'t DeTable<'i>,
    what: &str,
) -> Result<Vec<Assignment<'t, 'i>>, Placed> {
    let mut found = Vec::new();
    let mut add = |path: &str, span: Range<usize>, value: &'t Spanned<DeValue<'i>>| {
        let Some(key) = KEYS.iter().find(|key| key.path == path) else {
            let candidates =
                KEYS.iter().flat_map(|key| [(key.path, key.path, 0), (key.name(), key.path, 0)]);
            let reserved = RESERVED.iter().map(|&name| (name, name, 0));
            let problem = ConfigProblem::UnknownKey {
                found: format!("{what}.{path}"),
                nearest: nearest(path, candidates.chain(reserved)),
                accepted: vec!["seeds", "cases", "every section.key of the configuration"],
            };
            return Err((problem, Some(span)));
        };
        found.push((key, value));
        Ok(())
    };
    for (name, value) in table {
        let text = name.get_ref().as_ref();
        match value.get_ref().as_table() {
            Some(inner) if SECTIONS.contains(&text) => {
                for (key, value) in inner {
                    add(&format!("{text}.{}", key.get_ref()), key.span(), value)?;
                }
            }
            _ if what == SWEEP && RESERVED.contains(&text) => {}
            _ => add(text, name.span(), value)?,
        }
    }
    Ok(found)
}

/// `[[sweep.cases]]`: tables of keys that are set together; one case without keys where none is listed.
fn cases<'t, 'i>(
    text: &str,
    section: &'t DeTable<'i>,
    grid: &[(&'static Key, &'t DeArray<'i>)],
) -> Result<Vec<Vec<Assignment<'t, 'i>>>, Placed> {
    let Some(value) = section.get("cases") else { return Ok(vec![Vec::new()]) };
    let tables = value.get_ref().as_array().filter(|list| !list.is_empty());
    let tables = tables
        .map(|list| list.iter().map(|case| case.get_ref().as_table()).collect::<Option<Vec<_>>>());
    let Some(Some(tables)) = tables else {
        let accepted = "tables of keys, each written [[sweep.cases]]";
        return Err(refusal(text, "sweep.cases", Some(value.span()), accepted));
    };
    let mut found = Vec::new();
    for table in tables {
        let case = assignments(table, "sweep.cases")?;
        for (key, value) in &case {
            if grid.iter().any(|(other, _)| other.path == key.path) {
                let name = format!("sweep.cases.{}", key.path);
                let accepted = "set by a list or by the cases, not by both";
                return Err(refusal(text, &name, Some(value.span()), accepted));
            }
        }
        found.push(case);
    }
    Ok(found)
}

/// `seeds = 64` for 0 to 63, or a list.
fn seeds(text: &str, value: &Spanned<DeValue<'_>>) -> Result<Vec<u64>, Placed> {
    let whole = |value: &DeValue<'_>| match value {
        DeValue::Integer(digits) => i64::from_str_radix(digits.as_str(), digits.radix())
            .ok()
            .and_then(|number| u64::try_from(number).ok()),
        _ => None,
    };
    let accepted = "a number of seeds from 1 to 1000000, or a list of seeds, each a whole number \
                    from 0 to 9223372036854775807";
    let refused = || refusal(text, "sweep.seeds", Some(value.span()), accepted);
    match value.get_ref() {
        DeValue::Array(list) if !list.is_empty() => list
            .iter()
            .map(|seed| whole(seed.get_ref()))
            .collect::<Option<Vec<_>>>()
            .ok_or_else(refused),
        number => match whole(number) {
            Some(count) if (1..=MOST_RUNS).contains(&count) => Ok((0..count).collect()),
            _ => Err(refused()),
        },
    }
}

/// Every choice of one value a key, the last key varying fastest; one empty choice without keys.
fn points<'t, 'i>(grid: &[(&'static Key, &'t DeArray<'i>)]) -> Vec<Vec<Assignment<'t, 'i>>> {
    let mut found = vec![Vec::new()];
    for &(key, list) in grid {
        found = found
            .into_iter()
            .flat_map(|point| list.iter().map(move |value| [&point[..], &[(key, value)]].concat()))
            .collect();
    }
    found
}

fn refusal(text: &str, key: &str, span: Option<Range<usize>>, accepted: &str) -> Placed {
    let value = snippet(text, span.clone());
    let problem =
        ConfigProblem::Value { key: key.to_owned(), value, accepted: accepted.to_owned() };
    (problem, span)
}
