//! scaling.md: for each problem the best number of ranks, its time, and the walls, in tables for a reader.

use std::fmt::Write as _;

use super::plan::{FEATURES, Plan, Simulated};
use super::setting::Link;
use super::{Curve, MOST_RANKS, Point, Rows};
use crate::cost::Step;

/// The text of the page.
pub(super) fn text(plan: &Plan, simulated: &[Simulated<'_>]) -> String {
    let mut text = opening(plan);
    text += &columns(plan);
    for over in simulated {
        // Writing to a String cannot fail.
        let _ = write!(text, "\n## {}: {}\n", over.network, link(&over.link));
        for name in ["direct", "shared", "orthogonal", "dual"] {
            text += &strong(plan, over, name);
        }
        text += &weak(over);
    }
    text += &movers(plan, simulated);
    text
}

fn opening(plan: &Plan) -> String {
    let names = [
        "an entry of S",
        "a multiply-add of the Gram matrix",
        "a multiply-add of a product with J",
        "a multiply-add of the Cholesky factor",
        "a multiply-add of a solve with it",
        "a multiply-add of the QR factorization",
        "singular values and vectors, over the cube of the order",
    ];
    let constants = names.into_iter().zip(plan.setting.machine.constants());
    let rows: Vec<String> =
        constants.map(|(name, (_, seconds))| format!("| {name} | {seconds:.2e} |\n")).collect();
    let rows = rows.concat();
    format!(
        "# Where a step stops scaling\n\n\
         This page predicts how long one step takes on 1, 2, 4, ... {} ranks. The numbers come from a model of what each rank \
         computes and exchanges, and not from measurements on so many ranks. A rank is one core. The network has {FEATURES} \
         features in each row, and p parameters. The model leaves out that cores of one machine share the bandwidth of \
         its memory, that networks are crowded, and that the slowest rank holds up the others. Every number is in scaling.csv.\n\n\
         ![Strong scaling](scaling_strong.png)\n\n![Weak scaling](scaling_weak.png)\n\n\
         Machine: {}.\n\n| one core needs for | seconds |\n|---|---|\n{rows}",
        count(MOST_RANKS),
        plan.setting.name
    )
}

fn columns(plan: &Plan) -> String {
    format!(
        "\n## How to read the tables\n\n\
         - **1 rank** is the time of a step on one rank. All times are given whether or not the memory suffices.\n\
         - **fastest** is the shortest time of a step, the number of ranks that gives it, and its efficiency: the time on \
         one rank over the product of the ranks and the time on them. Where the most ranks of all are named, more might be faster still.\n\
         - **half as efficient** is the largest number of ranks with an efficiency of at least 0.5.\n\
         - **with a tree** is the shortest time if an MPI library summed by halving and doubling. The program sums in \
         the order of the ranks, so that results do not depend on the library.\n\
         - **latency**, **bandwidth** and **repeated** are the walls: the number of ranks from which messages, bytes, and work \
         that every rank repeats (factors above all) take at least half of the time. A dash means: never here.\n\
         - **memory** is the number of ranks from which {} GiB suffice for each; **own rows** is the same if a rank read only \
         its own rows of the data, while the program reads all rows on every rank. A dash means: not on any number here.\n\
         - **factor spread** is the shortest time if the Cholesky factor was shared out over the ranks, in panels of 128 \
         columns that are sent to all. The program does not do this.\n",
        plan.memory
    )
}

/// What the steps are called, in a sentence.
fn meaning(step: Step) -> String {
    match step {
        Step::Direct => "with its own Gram matrix and Cholesky factor".to_owned(),
        Step::Shared { iterations } => {
            format!("with an earlier factor and {iterations} iterations of conjugate gradients")
        }
        Step::Orthogonal => "by QR factorizations of the rows and singular values of R".to_owned(),
        Step::Dual => "by the matrix J J^T, for more parameters than rows".to_owned(),
    }
}

/// The table of one kind of step in strong scaling; nothing where no shape suits it.
fn strong(plan: &Plan, over: &Simulated<'_>, name: &str) -> String {
    let mut rows = String::new();
    let mut title = String::new();
    for curve in over.curves.iter().filter(|curve| curve.problem.step.name() == name) {
        let Rows::Total(n) = curve.problem.rows else { continue };
        let (Some(first), Some(best), Some(efficient)) =
            (curve.points.first(), curve.fastest(), curve.last_efficient())
        else {
            continue;
        };
        title = meaning(curve.problem.step);
        let walls = curve.walls(plan.memory_bytes());
        let spread =
            curve.fastest_spread().map_or("–".to_owned(), |(ranks, seconds)| on(seconds, ranks));
        // Writing to a String cannot fail.
        let _ = writeln!(
            rows,
            "| {} | {} | {} | {} ({}) | {} | {} | {} | {} | {} | {} | {} | {spread} |",
            count(n),
            count(curve.problem.parameters()),
            time(first.time().total()),
            at(best),
            efficiency(best),
            at(efficient),
            tree(curve),
            wall(walls.latency),
            wall(walls.bandwidth),
            wall(walls.repeated),
            wall(walls.memory),
            wall(walls.memory_of_own_rows),
        );
    }
    if rows.is_empty() {
        return rows;
    }
    format!(
        "\n### The same rows on more ranks, a step {title}\n\n\
         | n | p | 1 rank | fastest | half as efficient | with a tree | latency | bandwidth | repeated | memory | own rows | \
         factor spread |\n|---|---|---|---|---|---|---|---|---|---|---|---|\n{rows}"
    )
}

/// The table of weak scaling.
fn weak(over: &Simulated<'_>) -> String {
    let most = over.link.most_ranks;
    let shown: Vec<usize> = [1, 16, 256, 4096, 65_536].into_iter().filter(|k| *k <= most).collect();
    let mut rows = String::new();
    for curve in &over.curves {
        let Rows::PerRank(per_rank) = curve.problem.rows else { continue };
        let walls = curve.walls(f64::INFINITY);
        let cells: String = shown
            .iter()
            .map(|ranks| {
                let found = curve.points.iter().find(|point| point.ranks() == *ranks);
                let shown =
                    |p: &Point| format!(" {} ({}) |", time(p.time().total()), efficiency(p));
                found.map_or(" – |".to_owned(), shown)
            })
            .collect();
        // Writing to a String cannot fail.
        let _ = writeln!(
            rows,
            "| {} | {} | {} |{cells} {} | {} | {} |",
            count(per_rank),
            count(curve.problem.parameters()),
            curve.problem.step.name(),
            wall(walls.latency),
            wall(walls.bandwidth),
            wall(walls.repeated),
        );
    }
    let names: Vec<String> = shown.iter().map(|ranks| format!(" {} |", count(*ranks))).collect();
    let names = names.concat();
    let line = "---|".repeat(6 + shown.len());
    format!(
        "\n### As many rows on each rank\n\nSeconds of a step on so many ranks, with the efficiency in brackets: the time on the first \
         number of ranks over that on these.\n\n\
         | rows on each rank | p | step |{names} latency | bandwidth | repeated |\n|{line}\n{rows}"
    )
}

/// What would move each wall.
fn movers(plan: &Plan, simulated: &[Simulated<'_>]) -> String {
    // On several ranks a direct step holds two p x p matrices and three triangles: 28 p^2 bytes.
    let widest = (plan.memory_bytes() / 28.0).sqrt();
    format!(
        "\n## What moves each wall\n\n\
         - **Latency.** A direct step makes three sums and a shared one {} for each rank. A shared step with fewer iterations, \
         or more rows on each rank, moves this wall.\n\
         - **Bandwidth.** Every rank receives at least about 8 p^2 bytes of the Gram matrix, on any number of ranks. A shared step does not send \
         it, and a factor that is spread needs only a share of the sum, which would save half of the bytes.\n\
         - **Repeated work.** The column \"factor spread\" shows what is gained by sharing out the factor. In an orthogonal step the pairs \
         of triangles are counted as full matrices; a factorization that uses their zeros needs a fifth of these multiply-adds.\n\
         - **Memory.** Two p x p matrices and the buffers of their sum alone exceed {} GiB from p = {:.0} on, on any number of \
         ranks; spreading them moves this wall. The data of all rows are the other part that more ranks do not reduce.\n\
         - **Sums.** {}\n",
        plan.iterations + 3,
        plan.memory,
        widest.ceil(),
        rule(simulated)
    )
}

/// How far the program's choice between its two ways of summing is from the faster one.
fn rule(simulated: &[Simulated<'_>]) -> String {
    let mut worst: Option<(f64, &str, &Curve, &Point)> = None;
    for over in simulated {
        for (curve, point) in over.curves.iter().flat_map(|c| c.points.iter().map(move |p| (c, p)))
        {
            let ratio = point.seconds[0].total() / point.time().total();
            if worst.is_none_or(|found| ratio > found.0) {
                worst = Some((ratio, over.network, curve, point));
            }
        }
    }
    let Some((ratio, network, curve, point)) = worst else { return String::new() };
    format!(
        "The program chooses between its two ways of summing by length alone. Compared with the faster way the step takes at \
         most {ratio:.2} times as long: in a {} step over {network} with n = {}, p = {} on {} ranks. The tables show the faster way.",
        curve.problem.step.name(),
        count(point.rows),
        count(curve.problem.parameters()),
        count(point.ranks())
    )
}

/// The efficiency with two decimals.
fn efficiency(point: &Point) -> String {
    if point.efficiency < 0.005 {
        "below 0.01".to_owned()
    } else {
        format!("{:.2}", point.efficiency)
    }
}

fn at(point: &Point) -> String {
    on(point.time().total(), point.ranks())
}

fn on(seconds: f64, ranks: usize) -> String {
    format!("{} on {}", time(seconds), count(ranks))
}

/// The shortest time with a library's sums.
fn tree(curve: &Curve) -> String {
    let best = curve.points.iter().min_by(|a, b| a.tree().total_cmp(&b.tree()));
    best.map_or(String::new(), |point| on(point.tree(), point.ranks()))
}

fn wall(ranks: Option<usize>) -> String {
    ranks.map_or("–".to_owned(), count)
}

/// A network in words.
pub(super) fn link(link: &Link) -> String {
    let three = |value: f64| (1e3 * value).round() / 1e3;
    let speed = match 1e-9 / link.byte {
        speed if speed.is_finite() => format!("{} GB/s", three(speed)),
        _ => "bytes that take no time".to_owned(),
    };
    format!("{} µs of latency, {speed}", three(1e6 * link.latency))
}

/// A count with a comma before each three digits.
pub(super) fn count(value: usize) -> String {
    let digits = value.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A time with three digits, in the unit that suits it.
fn time(seconds: f64) -> String {
    let (value, unit) = match seconds {
        s if s >= 86_400.0 => (s / 86_400.0, "days"),
        s if s >= 3600.0 => (s / 3600.0, "h"),
        s if s >= 1.0 => (s, "s"),
        s if s >= 1e-3 => (s * 1e3, "ms"),
        s if s >= 1e-6 || s <= 0.0 => (s * 1e6, "µs"),
        s => (s * 1e9, "ns"),
    };
    let places = if value >= 99.95 { 0 } else { 1 + usize::from(value < 9.995) };
    format!("{value:.places$} {unit}")
}
