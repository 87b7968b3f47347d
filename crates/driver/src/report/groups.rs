//! Runs that differ in the seed alone form a group: one curve a chart, named by what tells groups apart.

use super::folder::Run;
use super::settings::{Settings, number};
use crate::grouped::grouped;
use crate::house_style;

/// Runs of one configuration, over seeds.
#[derive(Debug)]
pub struct Group<'a> {
    /// Flow and integrator: "Gauss-Newton, Euler".
    pub method: String,
    /// The rest: "α = 8".
    pub label: String,
    /// The number of the dash of its curves in `assets/palette.js`: it tells the method.
    pub dash: usize,
    /// The number of the colour of its curves there: it tells alpha, or the label where more than alpha differs.
    pub colour: usize,
    /// The runs, in the manifest's order.
    pub runs: Vec<&'a Run>,
}

/// Colours of the palette, before they begin anew.
pub const COLOURS: usize = 7;
/// Dashes of the palette.
pub const DASHES: usize = 6;

/// Keys that make no other experiment: the seed, and what and how often is written.
fn tells_nothing(key: &str) -> bool {
    key == SEED || key.starts_with("record.")
}

const SEED: &str = "dynamics.seed";
const PRECONDITIONER: &str = "dynamics.preconditioner";
const INTEGRATOR: &str = "dynamics.integrator";
const SCALING: &str = "dynamics.scaling";
const DAMPING: &str = "dynamics.damping";

/// The groups, in the order of their first runs.
pub fn groups(runs: &[Run]) -> Vec<Group<'_>> {
    let keys: Vec<(Settings, String)> = runs.iter().map(identity).collect();
    let members = grouped(keys.iter().zip(runs));
    let all: Vec<&Settings> = members.iter().map(|(key, _)| &key.0).collect();
    let varying = varying(&all);
    let mut groups: Vec<Group<'_>> = Vec::with_capacity(members.len());
    let mut known = Vec::with_capacity(members.len());
    for ((settings, name), runs) in members {
        let (method, label) = if settings.is_empty() {
            (String::new(), name.clone())
        } else {
            (method(settings), label(settings, &varying))
        };
        groups.push(Group { method, label, dash: 0, colour: 0, runs });
        known.push(settings);
    }
    dress(&mut groups, &known);
    groups
}

/// Gives each group its dash and colour: those of [`house_style`] where they tell all groups apart, and a colour a label
/// otherwise.
fn dress(groups: &mut [Group<'_>], settings: &[&Settings]) {
    let word = |settings: &Settings, key| settings.get(key).cloned().unwrap_or_default();
    let number = |settings: &&Settings| word(settings, SCALING).parse().unwrap_or(f64::NAN);
    let alphas: Vec<f64> = settings.iter().map(number).collect();
    let mut others = Vec::new();
    let looks = settings.iter().zip(&*groups).zip(house_style::colours(&alphas));
    let looks: Vec<(usize, usize)> = looks
        .map(|((settings, group), colour)| {
            let of_house =
                house_style::dash(&word(settings, PRECONDITIONER), &word(settings, INTEGRATOR));
            // A metric or a batch makes another method of the same flow and integrator.
            let plain = word(settings, "dynamics.metric") != "loss-hessian"
                && ["", "0"].contains(&word(settings, "dynamics.batch").as_str());
            let dash = of_house.filter(|_| plain);
            let free = || house_style::free_dash() + place_of(&mut others, &group.method);
            (dash.unwrap_or_else(free), colour)
        })
        .collect();
    let mut seen: Vec<(usize, usize)> =
        looks.iter().map(|(dash, colour)| (dash % DASHES, colour % COLOURS)).collect();
    seen.sort_unstable();
    seen.dedup();
    let told_apart = seen.len() == groups.len() && alphas.iter().all(|alpha| alpha.is_finite());
    let (mut methods, mut labels) = (Vec::new(), Vec::new());
    for (group, look) in groups.iter_mut().zip(looks) {
        (group.dash, group.colour) = if told_apart {
            look
        } else {
            let colour = place_of(&mut labels, &group.label);
            // Once the colours are used up, the next dash begins them anew.
            (place_of(&mut methods, &group.method) + colour / COLOURS, colour)
        };
    }
}

/// What the runs of a group share: the settings, or the name without its seed where there are none.
fn identity(run: &Run) -> (Settings, String) {
    if let Some(settings) = &run.settings {
        let telling = settings.iter().filter(|(key, _)| !tells_nothing(key));
        return (telling.map(|(key, value)| (key.clone(), value.clone())).collect(), String::new());
    }
    let name = run.id.rsplit_once("-seed_").map_or(run.id.as_str(), |(name, _)| name);
    (Settings::new(), name.to_owned())
}

/// The keys that differ between any two of `all`, sorted.
pub fn varying(all: &[&Settings]) -> Vec<String> {
    let Some((first, rest)) = all.split_first() else { return Vec::new() };
    let mut keys: Vec<&String> = all.iter().flat_map(|settings| settings.keys()).collect();
    keys.sort();
    keys.dedup();
    let differs = |key: &String| rest.iter().any(|other| other.get(key) != first.get(key));
    keys.into_iter().filter(|key| differs(key)).cloned().collect()
}

fn place_of(list: &mut Vec<String>, item: &str) -> usize {
    list.iter().position(|known| known == item).unwrap_or_else(|| {
        list.push(item.to_owned());
        list.len() - 1
    })
}

/// "Gauss-Newton, Euler".
pub fn method(settings: &Settings) -> String {
    let word = |key: &str| settings.get(key).map_or("", String::as_str);
    let flow = match word(PRECONDITIONER) {
        "gauss-newton" => "Gauss-Newton",
        "levenberg-marquardt" => "Levenberg-Marquardt",
        "gradient" => "Gradient flow",
        other => other,
    };
    let integrator = match word(INTEGRATOR) {
        "euler" => "Euler",
        "rk4" => "Runge-Kutta 4",
        other => other,
    };
    let metric = match word("dynamics.metric") {
        "loss-hessian" => " in the metric of the loss",
        _ => "",
    };
    let batch = match word("dynamics.batch") {
        "" | "0" => String::new(),
        rows => format!(", batches of {rows}"),
    };
    format!("{flow}{metric}, {integrator}{batch}")
}

/// "α = 8", with every further key that differs between groups.
fn label(settings: &Settings, varying: &[String]) -> String {
    let value = |key: &str| settings.get(key).map_or_else(|| "none".to_owned(), |v| number(v));
    let mut parts = vec![format!("α = {}", value(SCALING))];
    let damped = settings.get(PRECONDITIONER).is_some_and(|word| word == "levenberg-marquardt");
    if damped && !varying.iter().any(|key| key == DAMPING) {
        parts.push(format!("ρ = {}", value(DAMPING)));
    }
    for key in
        varying.iter().filter(|key| ![SCALING, PRECONDITIONER, INTEGRATOR].contains(&key.as_str()))
    {
        // The default rank policy of gradient flow is another one: that names no group.
        if key == "dynamics.rank_policy" {
            continue;
        }
        let name = key.rsplit_once('.').map_or(key.as_str(), |(_, name)| name);
        let name = if name == "damping" { "ρ" } else { name };
        parts.push(format!("{name} = {}", value(key)));
    }
    parts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(id: &str, pairs: &[(&str, &str)]) -> Run {
        let owned = pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        Run { id: id.to_owned(), settings: Some(owned.collect()), ..Run::default() }
    }

    #[test]
    fn seeds_and_records_do_not_part_a_group() {
        let same = |seed, every| {
            run(
                "x",
                &[(SCALING, "8.0"), (INTEGRATOR, "euler"), (SEED, seed), ("record.every", every)],
            )
        };
        let runs = [
            same("0", "1"),
            same("1", "2"),
            run("y", &[(SCALING, "16.0"), ("network.hidden", "4")]),
        ];
        let groups = groups(&runs);
        assert_eq!(groups.len(), 2);
        assert_eq!(groups[0].runs.len(), 2);
        assert_eq!(groups[0].label, "α = 8, hidden = none");
        assert_eq!(groups[1].label, "α = 16, hidden = 4");
    }

    fn looks(runs: &[Run]) -> Vec<(usize, usize)> {
        groups(runs).iter().map(|group| (group.dash, group.colour)).collect()
    }

    #[test]
    fn colour_tells_alpha_and_dash_the_method_as_in_the_figures() {
        let of = |flow, integrator, alpha| {
            run("x", &[(PRECONDITIONER, flow), (INTEGRATOR, integrator), (SCALING, alpha)])
        };
        let runs = [
            of("gauss-newton", "euler", "16.0"),
            of("gauss-newton", "adaptive", "0.125"),
            of("gradient", "stiff", "16.0"),
            of("gradient", "euler", "256.0"),
            of("gradient", "euler", "3.0"),
        ];
        assert_eq!(looks(&runs), [(0, 2), (1, 0), (2, 2), (3, 3), (3, 4)]);
    }

    #[test]
    fn colours_tell_labels_apart_where_more_than_alpha_differs() {
        let of = |width: usize, alpha: &str| {
            let width = width.to_string();
            let keys = [(PRECONDITIONER, "gauss-newton"), (INTEGRATOR, "euler"), (SCALING, alpha)];
            run("x", &[&keys[..], &[("network.hidden", width.as_str())]].concat())
        };
        assert_eq!(looks(&[of(4, "8.0"), of(8, "8.0"), of(4, "16.0")]), [(0, 0), (0, 1), (0, 2)]);
        // Thirty of one method and one alpha: no two look alike.
        let many: Vec<Run> = (0..30).map(|width| of(width, "8.0")).collect();
        let mut found: Vec<_> = looks(&many)
            .into_iter()
            .map(|(dash, colour)| (dash % DASHES, colour % COLOURS))
            .collect();
        found.sort_unstable();
        found.dedup();
        assert_eq!(found.len(), 30);
    }

    #[test]
    fn a_run_without_configuration_goes_by_its_name() {
        let runs =
            ["a-seed_0", "a-seed_1", "b"].map(|id| Run { id: id.to_owned(), ..Run::default() });
        let labels: Vec<_> = groups(&runs).iter().map(|group| group.label.clone()).collect();
        assert_eq!(labels, ["a", "b"]);
    }
}
