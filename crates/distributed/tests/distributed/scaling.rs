//! The simulator of scaling: limits of the model, its walls, and the files and refusals of `gaussflow-scaling`.

use std::path::Path;
use std::process::{Command, Output};

use gaussflow_distributed::cost::{Shape, Step};
use gaussflow_distributed::exchange::{Exchange, Network, Sums};
use gaussflow_distributed::machine::{Machine, Work};
use gaussflow_distributed::scaling::{MOST_RANKS, Plan, Problem, Rows, Setting, curve};
use proptest::prelude::*;

const ETHERNET: Network = Network { latency: 2e-5, byte: 1e-9 };
const STEPS: [Step; 4] =
    [Step::Direct, Step::Shared { iterations: 10 }, Step::Orthogonal, Step::Dual];

fn machine() -> Machine {
    Setting::default().machine
}

fn problem(rows: usize, hidden: usize, step: Step) -> Problem {
    Problem { rows: Rows::Total(rows), hidden, features: 8, step }
}

/// Three sums on four ranks with known seconds: 512 + 12, 131,328 and 512 numbers.
#[test]
fn seconds_of_exchanges_are_as_computed_by_hand() {
    let cost = Shape { rows: 20_640, hidden: 64, features: 8 }.cost(4, Step::Direct);
    let seconds = |sums| cost.seconds(&machine(), &ETHERNET, sums);
    let program = seconds(Sums::Program);
    // Two gathered sums of two rounds and three vectors; in pieces, three rounds straight to their places and two to gather.
    assert!((program.latency - (2.0 * 2.0 + 5.0) * 2e-5).abs() < 1e-15);
    let numbers = 3.0 * (524.0 + 512.0) + 2.0 * 131_328.0 * 0.75;
    assert!((program.bandwidth - 8e-9 * numbers).abs() < 1e-15);
    let tree = seconds(Sums::Tree);
    assert!((tree.latency - 3.0 * 4.0 * 2e-5).abs() < 1e-15);
    assert!((tree.bandwidth - 8e-9 * 1.5 * (524.0 + 512.0 + 131_328.0)).abs() < 1e-15);
}

proptest! {
    /// Whatever the shape: work that has rows falls like 1 / K, what is repeated bounds the time from below, and the faster way
    /// of summing is no slower than the program's.
    #[test]
    fn the_repeated_part_bounds_the_time_from_below(
        rows in 1_usize..2_000_000_000, hidden in 1_usize..3000, which in 0_usize..4,
    ) {
        let step = STEPS[which];
        let curve = curve(problem(rows, hidden, step), MOST_RANKS, &machine(), &ETHERNET);
        let Some(first) = curve.points.first() else { return Ok(()) };
        for point in &curve.points {
            let [program, faster, _] = point.seconds.map(|seconds| seconds.total());
            prop_assert!(faster <= program);
            // Stacks of triangles come with more ranks.
            let repeated = first.time().repeated;
            prop_assert!(point.time().total() >= repeated);
            let same = point.time().repeated.to_bits() == repeated.to_bits();
            prop_assert!(step == Step::Orthogonal || same);
            // The rank with the most rows has less than one row more than a share.
            let shared = point.time().shared * point.ranks() as f64;
            let row = first.time().shared * point.ranks() as f64 / rows as f64;
            prop_assert!(step == Step::Orthogonal || shared >= 0.999_999 * first.time().shared);
            prop_assert!(step == Step::Orthogonal || shared <= 1.000_001 * (first.time().shared + row));
            prop_assert!(point.efficiency <= 1.000_001);
        }
    }

    /// On two ranks and more a rank's memory falls, and its own rows in proportion.
    #[test]
    fn memory_falls_with_ranks(rows in 70_000_usize..1_000_000_000, hidden in 1_usize..1000, which in 0_usize..3) {
        let shape = Shape { rows, hidden, features: 8 };
        let held = |ranks| shape.cost(ranks, STEPS[which]).resident;
        let mut ranks = 2;
        while ranks < MOST_RANKS {
            prop_assert!(held(2 * ranks).total() < held(ranks).total());
            let here = |ranks| (rows.div_ceil(ranks)) as f64;
            let ratio = held(ranks).rows / held(2 * ranks).rows;
            prop_assert!((ratio * here(2 * ranks) / here(ranks) - 1.0).abs() < 1e-12);
            ranks *= 2;
        }
    }

    /// More rows, a faster network and more memory never bring a wall nearer.
    #[test]
    fn walls_move_one_way(rows in 1000_usize..10_000_000, hidden in 1_usize..64, which in 0_usize..2) {
        let step = STEPS[which];
        prop_assume!(step.suits(rows, 8 * hidden));
        let at = |wall: Option<usize>| wall.unwrap_or(usize::MAX);
        let walls = |rows, network: Network, memory| {
            curve(problem(rows, hidden, step), MOST_RANKS, &machine(), &network).walls(memory)
        };
        let here = walls(rows, ETHERNET, 1e8);
        let more_rows = walls(8 * rows, ETHERNET, 1e8);
        prop_assert!(at(more_rows.latency) >= at(here.latency));
        prop_assert!(at(more_rows.bandwidth) >= at(here.bandwidth));
        prop_assert!(at(more_rows.repeated) >= at(here.repeated));
        prop_assert!(at(more_rows.memory) >= at(here.memory));
        prop_assert!(at(walls(rows, ETHERNET, 2e8).memory) <= at(here.memory));
        prop_assert!(at(here.memory_of_own_rows) <= at(here.memory));
        let slower = walls(rows, Network { latency: 2e-3, ..ETHERNET }, 1e8);
        prop_assert!(at(slower.repeated) >= at(here.repeated));
    }
}

/// A wall is where it is said to be: there a part takes half of the time, and on half as many ranks it does not.
#[test]
fn a_wall_is_the_first_rank_count_with_half_of_the_time() {
    let curve = curve(problem(1_000_000, 1024, Step::Direct), MOST_RANKS, &machine(), &ETHERNET);
    let wall = curve.walls(1e9).repeated.unwrap();
    let share = |ranks: usize| {
        let point = curve.points.iter().find(|point| point.ranks() == ranks).unwrap();
        point.time().repeated / point.time().total()
    };
    assert!(wall > 1 && share(wall) >= 0.5 && share(wall / 2) < 0.5);
    let (best, efficient) = (curve.fastest().unwrap(), curve.last_efficient().unwrap());
    assert!(efficient.ranks() < best.ranks() && efficient.efficiency >= 0.5);
}

/// A spread factor repeats nothing; on many ranks with p large it is faster, on one rank it is the same.
#[test]
fn a_spread_factor_is_shared_out() {
    let shape = Shape { rows: 1_000_000, hidden: 4096, features: 8 };
    let whole = shape.cost(256, Step::Direct);
    let spread = whole.with_spread_factor(32_768);
    assert_eq!(spread.repeated, Work::default());
    assert!((spread.shared.factor * 256.0 / whole.repeated.factor - 1.0).abs() < 1e-12);
    // 256 panels of the triangle, and for two solves with two triangular systems each, 256 pieces of the solution.
    let sent = &spread.exchanges[whole.exchanges.len()..];
    assert_eq!(sent[0], (256, Exchange::Broadcast(32_768 * 32_769 / 2 / 256)));
    assert_eq!(sent[1], (1024, Exchange::Broadcast(128)));
    let seconds = |cost: &gaussflow_distributed::cost::Cost| {
        cost.seconds(&machine(), &ETHERNET, Sums::Faster).total()
    };
    assert!(seconds(&spread) < seconds(&whole));
    let one = shape.cost(1, Step::Direct);
    assert!((seconds(&one.with_spread_factor(32_768)) / seconds(&one) - 1.0).abs() < 1e-12);
}

#[test]
fn settings_are_read_as_they_are_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("machine.toml");
    let mut setting = Setting { name: "mine".to_owned(), ..Setting::default() };
    setting.machine.svd = 7e-9;
    std::fs::write(&path, setting.text()).unwrap();
    assert_eq!(Setting::read(&path).unwrap(), setting);
    assert!(Plan::default().check().is_ok());
}

fn scaling(out: &Path, options: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gaussflow-scaling"));
    command.arg("--out").arg(out).args(options).output().unwrap()
}

/// The files of a small plan: one row in the table for each network, problem and number of ranks, and the same bytes again.
#[test]
fn the_program_writes_its_files() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("scaling");
    let options = ["--rows", "100,1e6", "--parameters", "512", "--rows-per-rank", "1000"];
    let read = |name: &str| std::fs::read(out.join(name)).unwrap();
    let made = scaling(&out, &options);
    assert_eq!(made.status.code(), Some(0), "{}", String::from_utf8_lossy(&made.stderr));
    let said = String::from_utf8(made.stdout).unwrap();
    assert!(said.contains(&Setting::default().name), "{said}");
    let table = String::from_utf8(read("scaling.csv")).unwrap();
    // Up to 65,536 ranks there are 17 numbers of them, up to 128 there are 8, with a row for each of 100 there are 7.
    let of_kind = |kind: &str| table.lines().filter(|line| line.starts_with(kind)).count();
    assert_eq!(of_kind("weak"), 3 * (17 + 17 + 8));
    assert_eq!(of_kind("strong"), 3 * (17 + 17 + 8) + 7 + 7 + 7);
    let columns = table.lines().next().unwrap().split(',').count();
    assert!(table.lines().all(|line| line.split(',').count() == columns));
    let names = ["scaling.csv", "scaling.md", "scaling_strong.png", "scaling_weak.svg"];
    let first = names.map(read);
    assert_eq!(scaling(&out, &options).status.code(), Some(0));
    assert!(first == names.map(read));
}

#[test]
fn what_is_wrong_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("scaling");
    let file = folder.path().join("machine.toml");
    let good = Setting::default().text();
    let named = file.to_str().unwrap();
    let refused = |options: &[&str], words: &[&str]| {
        let made = scaling(&out, options);
        let said = String::from_utf8(made.stderr).unwrap();
        assert_eq!(made.status.code(), Some(2), "{said}");
        assert!(words.iter().all(|word| said.contains(word)), "{said}");
    };
    refused(&["--rows", "1.5"], &["--rows", "1.5", "whole number from 1 to 1e12"]);
    refused(&["--parameters", "513"], &["--parameters", "513", "multiples of 8"]);
    refused(&["--memory", "-1"], &["--memory", "-1", "above 0"]);
    refused(&["--memory=-1"], &["--memory", "-1", "above 0"]);
    refused(&["--network", "carrier-pigeon"], &["--network", "carrier-pigeon", "ethernet-10g"]);
    std::fs::write(&file, good.replace("gram", "grams")).unwrap();
    refused(&["--machine", named], &[named, "grams", "gram"]);
    std::fs::write(&file, good.replace("2e-5", "-2e-5")).unwrap();
    refused(&["--machine", named], &[named, "networks.ethernet-10g.latency", "0 or above"]);
    std::fs::write(&file, good.replace("networks.infiniband", "networks.\"a,b\"")).unwrap();
    refused(&["--machine", named], &[named, "a,b", "letters, digits"]);
    std::fs::write(&file, good.replace("= 128", "= 0")).unwrap();
    refused(&["--machine", named], &["networks.shared-memory.most_ranks = 0", "1 to 65536"]);
    std::fs::create_dir_all(&out).unwrap();
    std::fs::write(out.join("notes.txt"), "mine").unwrap();
    refused(&[], &["notes.txt", "new, empty"]);
    assert_eq!(std::fs::read_to_string(out.join("notes.txt")).unwrap(), "mine");
}

/// The page on clusters shows the constants of the program, and rows of its tables.
#[test]
fn the_page_on_clusters_shows_what_the_program_writes() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/do/cluster.md");
    let page = std::fs::read_to_string(page).unwrap();
    assert!(page.contains(&Setting::default().text()));
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("scaling");
    assert_eq!(scaling(&out, &[]).status.code(), Some(0));
    let written = std::fs::read_to_string(out.join("scaling.md")).unwrap();
    let (_, shown) = page.split_once("## Where it stops scaling").unwrap();
    let rows = shown.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| n "));
    let rows: Vec<&str> = rows.collect();
    assert!(rows.len() > 10, "{}", rows.len());
    for row in rows {
        assert!(written.contains(&format!("{row}\n")), "{row}");
    }
}
