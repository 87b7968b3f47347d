//! Two folders on one page: what differs between them in sentences, the traces of both in the same charts, and tables.

mod tables;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use gaussflow_records::Claim;

pub use self::tables::tables;
use super::claims::tally;
use super::ending::losses;
use super::folder::{Contents, Run};
use super::groups::{Group, groups};
use super::markup::escape;
use super::provenance;
use super::settings::number;
use crate::conclusions::{Conclusions, Statement};
use crate::remark::digits;

/// The key by which runs of the two folders are told apart in charts, as if it were part of their configurations.
const FOLDER: &str = "page.folder";
/// Differing settings, statements or configurations that a sentence spells out.
const MOST_NAMED: usize = 4;

/// One of the two folders.
#[derive(Debug)]
pub struct Side {
    /// What the page calls it.
    pub name: String,
    /// What is in it.
    pub contents: Contents,
}

/// The shortest ends of two paths that differ: what the page calls them.
pub fn names(paths: [&Path; 2]) -> [String; 2] {
    let real = paths.map(|path| path.canonicalize().unwrap_or_else(|_| path.to_owned()));
    let parts = real.each_ref().map(|path| {
        path.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>()
    });
    let end = |side: usize, count: usize| {
        let all = &parts[side];
        all[all.len().saturating_sub(count)..].join("/")
    };
    let longest = parts[0].len().max(parts[1].len());
    let count = (1..=longest).find(|&count| end(0, count) != end(1, count)).unwrap_or(1);
    [end(0, count), end(1, count)]
}

/// The runs of both, each with the name of its folder among its settings and in front of its id.
pub fn joined(sides: &[Side; 2]) -> Vec<Run> {
    let of_side = |side: &Side| -> Vec<Run> {
        let marked = |run: &Run| {
            let mut settings = run.settings.clone().unwrap_or_default();
            settings.insert(FOLDER.to_owned(), side.name.clone());
            Run {
                id: format!("{}/{}", side.name, run.id),
                settings: Some(settings),
                trace: run.trace.clone(),
                outcome: run.outcome.clone(),
                ..Run::default()
            }
        };
        side.contents.runs.iter().map(marked).collect()
    };
    sides.iter().flat_map(of_side).collect()
}

/// What the page says below its title.
pub fn subject(sides: &[Side; 2]) -> String {
    let mut text = String::new();
    for side in sides {
        let manifest = side.contents.manifest.as_ref();
        let made = manifest.map_or_else(String::new, |manifest| {
            format!(" \u{b7} {}", provenance::version(manifest))
        });
        let _ = write!(
            text,
            "<p class=\"subject\"><b>{}</b>: {}{}</p>",
            escape(&side.name),
            escape(&provenance::subject(&side.contents)),
            escape(&made)
        );
    }
    text
}

/// The outcome in sentences, for the top of the page.
pub fn outcome(sides: &[Side; 2]) -> String {
    let [a, b] = sides;
    let pairs = configurations(sides);
    let mut sentences = vec![settings_differ(&differing(sides))];
    sentences.extend(losses_differ([&a.name, &b.name], &pairs));
    sentences.extend(claims_differ([&a.contents.claims, &b.contents.claims]));
    sentences.extend(verdicts_differ(&verdicts(sides)));
    let mut text =
        String::from("<section id=\"outcome\"><h2>What differs</h2>\n<ul class=\"findings\">\n");
    for sentence in sentences {
        let _ = writeln!(text, "<li>{sentence}</li>");
    }
    text.push_str("</ul></section>\n");
    text
}

/// A configuration in the first folder, the second, or both.
struct Pair<'a> {
    name: String,
    groups: [Option<Group<'a>>; 2],
}

impl Pair<'_> {
    /// The median last losses.
    fn losses(&self) -> [Option<f64>; 2] {
        self.groups.each_ref().map(|group| losses(group.as_ref()?).map(|[_, median, _]| median))
    }

    /// The second's median last loss, divided by the first's.
    fn ratio(&self) -> Option<f64> {
        let [Some(first), Some(second)] = self.losses() else { return None };
        Some(second / first).filter(|ratio| ratio.is_finite())
    }
}

/// Configurations of the same method and label; two folders of one configuration each are a pair, whatever it is.
fn configurations(sides: &[Side; 2]) -> Vec<Pair<'_>> {
    let [first, mut second] = sides.each_ref().map(|side| groups(&side.contents.runs));
    let single = first.len() == 1 && second.len() == 1;
    let name = |group: &Group<'_>| format!("{}, {}", group.method, group.label);
    let mut pairs = Vec::new();
    for group in first {
        let own = name(&group);
        let place = second.iter().position(|other| single || name(other) == own);
        let other = place.map(|place| second.remove(place));
        let named = match &other {
            Some(other) if name(other) != own => format!("{own}; {}", name(other)),
            _ => own,
        };
        pairs.push(Pair { name: named, groups: [Some(group), other] });
    }
    pairs.extend(
        second.into_iter().map(|group| Pair { name: name(&group), groups: [None, Some(group)] }),
    );
    pairs
}

/// A setting and its values in the two folders.
type Difference = (String, [String; 2]);

/// The settings whose values are not the same in both folders.
fn differing(sides: &[Side; 2]) -> Vec<Difference> {
    let values = |side: &Side| {
        let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for settings in side.contents.runs.iter().filter_map(|run| run.settings.as_ref()) {
            for (key, value) in settings {
                let values = found.entry(key.clone()).or_default();
                if !values.contains(value) {
                    values.push(value.clone());
                }
            }
        }
        found
    };
    let [first, second] = sides.each_ref().map(values);
    let mut keys: Vec<&String> = first.keys().chain(second.keys()).collect();
    keys.sort();
    keys.dedup();
    let said = |values: Option<&Vec<String>>| {
        let all = values.map(|all| all.iter().map(|value| number(value)).collect::<Vec<_>>());
        all.map_or_else(|| "not set".to_owned(), |all| all.join(", "))
    };
    keys.into_iter()
        .filter(|key| first.get(*key) != second.get(*key))
        .map(|key| (key.clone(), [said(first.get(key)), said(second.get(key))]))
        .collect()
}

/// Statements that both audits judged.
struct Verdicts<'a> {
    statements: Vec<[Statement<'a>; 2]>,
    /// How many only one of the folders judged.
    alone: usize,
}

impl Verdicts<'_> {
    fn differing(&self) -> impl Iterator<Item = &[Statement<'_>; 2]> {
        self.statements.iter().filter(|[a, b]| a.verdict() != b.verdict())
    }
}

fn verdicts(sides: &[Side; 2]) -> Verdicts<'_> {
    let [first, second] =
        sides.each_ref().map(|side| Conclusions::of(&side.contents.audit).statements);
    let mut others: BTreeMap<&str, Statement<'_>> =
        second.into_iter().map(|statement| (statement.id, statement)).collect();
    let (mut statements, mut alone) = (Vec::new(), 0);
    for statement in first {
        match others.remove(statement.id) {
            Some(other) => statements.push([statement, other]),
            None => alone += 1,
        }
    }
    Verdicts { statements, alone: alone + others.len() }
}

/// Which settings differ.
fn settings_differ(differing: &[Difference]) -> String {
    let named = |(key, [a, b]): &Difference| {
        format!("<code>{}</code> ({} against {})", escape(key), escape(a), escape(b))
    };
    match differing {
        [] => "<b>The configurations</b> of both folders have the same values.".to_owned(),
        all if all.len() <= MOST_NAMED => {
            format!(
                "<b>The configurations</b> differ in {}.",
                all.iter().map(named).collect::<Vec<_>>().join(", ")
            )
        }
        all => {
            let first: Vec<String> = all.iter().take(MOST_NAMED).map(named).collect();
            let more = all.len() - MOST_NAMED;
            format!(
                "<b>The configurations</b> differ in {} and <a href=\"#settings\">{more} more settings</a>.",
                first.join(", ")
            )
        }
    }
}

/// By how much the last losses differ.
fn losses_differ(names: [&String; 2], pairs: &[Pair<'_>]) -> Option<String> {
    let size = |pair: &Pair<'_>| pair.ratio().map_or(0.0, |ratio| ratio.abs().ln().abs());
    let shared = pairs.iter().filter(|pair| pair.ratio().is_some()).count();
    let most =
        pairs.iter().filter(|p| p.ratio().is_some()).max_by(|a, b| size(a).total_cmp(&size(b)))?;
    let equal = pairs
        .iter()
        .filter(|p| matches!(p.losses(), [Some(a), Some(b)] if a.total_cmp(&b).is_eq()))
        .count();
    let noun = if shared == 1 { "configuration" } else { "configurations" };
    if equal == shared {
        return Some(format!(
            "<b>The last loss</b> is the same number in both for {shared} {noun}."
        ));
    }
    let [first, second] = most.losses().map(|loss| digits(loss.unwrap_or(f64::NAN), 5));
    if shared == 1 {
        let (a, b) = (escape(names[0]), escape(names[1]));
        let part = most.ratio().map_or_else(String::new, |ratio| digits(ratio, 5));
        return Some(format!(
            "<b>The last loss</b> is {first} in {a} and {second} in {b}, which is {part} times as much."
        ));
    }
    let lower = pairs.iter().filter(|pair| pair.ratio().is_some_and(|ratio| ratio < 1.0)).count();
    Some(format!(
        "<b>The last loss</b> (the median over the runs of a configuration) is lower in {} for {lower} of {shared} {noun} and \
         equal for {equal}. It differs most for {}: {first} in {} and {second} in {}.",
        escape(names[1]),
        escape(&most.name),
        escape(names[0]),
        escape(names[1]),
    ))
}

/// Which claims hold on another part of the seeds.
fn claims_differ([first, second]: [&[Claim]; 2]) -> Option<String> {
    let part = |claim: &Claim| {
        let (holding, seeds) = tally(claim);
        (holding == seeds, holding == 0)
    };
    let shared: Vec<(&Claim, &Claim)> =
        first.iter().filter_map(|a| Some((a, second.iter().find(|b| b.id == a.id)?))).collect();
    if shared.is_empty() {
        return None;
    }
    let moved: Vec<String> = shared
        .iter()
        .filter(|(a, b)| part(a) != part(b))
        .map(|(a, b)| {
            let ([held, of], [other, others]) =
                (<[usize; 2]>::from(tally(a)), <[usize; 2]>::from(tally(b)));
            format!(
                "<code>{}</code> ({held} of {of} seeds against {other} of {others})",
                escape(&a.id)
            )
        })
        .collect();
    let count = shared.len();
    Some(if moved.is_empty() {
        format!("<b>The claims</b>: all {count} come to the same verdict in both folders.")
    } else {
        format!(
            "<b>The claims</b>: {} of {count} come to another verdict: {}.",
            moved.len(),
            moved.join(", ")
        )
    })
}

/// Which audited statements come to another verdict.
fn verdicts_differ(verdicts: &Verdicts<'_>) -> Option<String> {
    let count = verdicts.statements.len();
    if count == 0 {
        return None;
    }
    let moved: Vec<String> = verdicts
        .differing()
        .map(|[a, b]| {
            format!(
                "<code>{}</code> ({} against {})",
                escape(a.id),
                a.verdict().label(),
                b.verdict().label()
            )
        })
        .collect();
    let alone = match verdicts.alone {
        0 => String::new(),
        alone => format!(" {alone} more statements were judged in one of the folders alone."),
    };
    let said = if moved.is_empty() {
        format!("all {count} statements that both judged come to the same verdict.")
    } else {
        let named: Vec<&str> = moved.iter().take(MOST_NAMED).map(String::as_str).collect();
        let more = if moved.len() > MOST_NAMED { " and others" } else { "" };
        format!(
            "{} of {count} statements come to another verdict: {}{more}.",
            moved.len(),
            named.join(", ")
        )
    };
    Some(format!("<b>The audit</b>: {said}{alone}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_folders_are_called_by_what_tells_them_apart() {
        let said = |a: &str, b: &str| names([Path::new(a), Path::new(b)]);
        assert_eq!(said("/gone/one", "/gone/two"), ["one", "two"]);
        assert_eq!(said("/gone/a/out", "/gone/b/out"), ["a/out", "b/out"]);
        assert_eq!(said("/gone/a", "/gone/a"), ["a", "a"]);
    }
}
