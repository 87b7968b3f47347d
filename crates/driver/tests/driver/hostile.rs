//! A random loop of hostile calls: damaged files of every kind, settings at the ends of their ranges, and command
//! lines. Whatever comes, there is an answer or an error: no panic, no abort, no hang.
//!
//! Calls are numbered, and call k of a seed is always the same. `GAUSSFLOW_HOSTILE_CALLS` sets their number and
//! `GAUSSFLOW_HOSTILE_SEED` the seed.

use std::fmt::Write as _;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use gaussflow_data::load_csv;
use gaussflow_driver::compare::{self, Comparison};
use gaussflow_driver::config::{Config, Source, Sweep};
use gaussflow_driver::fit::{Problem, fit};
use gaussflow_driver::run::{CheckpointFile, Experiment, RunFolder, Start, load};
use gaussflow_driver::sweep::{Existing, Plan, SweepFolder, pending};
use gaussflow_driver::{command_line, report, run};
use gaussflow_records::Overwrite;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// Longest that one call may take on a busy machine.
const LONGEST: Duration = Duration::from_secs(30);

/// Words that readers stumble over.
const WORDS: [&str; 60] = [
    "nan",
    "inf",
    "-inf",
    "1e999",
    "-1e999",
    "1e-999",
    "5e-324",
    "1.7976931348623157e308",
    "1e300",
    "-0.0",
    "9223372036854775807",
    "18446744073709551615",
    "99999999999999999999",
    "-9223372036854775808",
    "0x10",
    "1_000",
    "1,5",
    "0",
    "-1",
    "true",
    "null",
    "\"\"",
    "\"",
    "\"\"\"",
    "'",
    "[",
    "]",
    "{",
    "}",
    ",",
    ":",
    ";",
    "=",
    "\n",
    "\r",
    "\r\n",
    "\0",
    "\t",
    "\u{feff}",
    "\u{202e}",
    "\u{1f600}",
    "\\u0000",
    "\\ud800",
    "../..",
    "/etc/passwd",
    "/dev/zero",
    "[[sweep.cases]]",
    "[sweep]\nseeds = 3\n",
    "# ",
    "<script>",
    "]]>",
    "--",
    "--out",
    "-h",
    "a^a^a",
    "((((",
    "exp(exp(exp(x)))",
    "x/0",
    "1/(a-a)",
    "%s%n",
];

/// Draws from the stream of one call.
struct Draw(ChaCha8Rng);

impl Draw {
    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.0.next_u64() % bound.max(1) as u64).unwrap_or(0)
    }

    fn pick<'t, T: ?Sized>(&mut self, from: &[&'t T]) -> &'t T {
        from[self.below(from.len())]
    }

    /// A number at some end of the range of numbers, or an ordinary one.
    fn number(&mut self) -> f64 {
        let sizes =
            [0.0, 5e-324, 1e-308, 1e-200, 1e-30, 1e-8, 0.1, 1.0, 7.0, 1e8, 1e30, 1e154, 1e300];
        let size = sizes[self.below(sizes.len())];
        if self.below(4) == 0 { -size } else { size }
    }

    /// `text` after one to four changes: bytes, pieces, numbers, words.
    fn damage(&mut self, text: &[u8]) -> Vec<u8> {
        let mut bytes = text.to_vec();
        for _ in 0..=self.below(4) {
            let at = self.below(bytes.len() + 1);
            let end = (at + self.below(40)).min(bytes.len());
            match self.below(8) {
                0 if at < bytes.len() => bytes[at] = self.0.next_u64().to_le_bytes()[0],
                1 => drop(bytes.drain(at..end)),
                2 => {
                    let piece = bytes[at..end].to_vec();
                    bytes.splice(at..at, piece);
                }
                3 => bytes.truncate(at),
                4 | 5 => {
                    // A number from here on becomes another.
                    let is_digit = |byte: &u8| byte.is_ascii_digit();
                    if let Some(start) = bytes[at..].iter().position(is_digit).map(|k| at + k) {
                        let length = bytes[start..]
                            .iter()
                            .take_while(|byte| is_digit(byte) || **byte == b'.' || **byte == b'e');
                        let end = start + length.count();
                        let word = if self.below(2) == 0 {
                            format!("{:?}", self.number())
                        } else {
                            WORDS[self.below(22)].to_owned()
                        };
                        bytes.splice(start..end, word.into_bytes());
                    }
                }
                _ => {
                    let word = WORDS[self.below(WORDS.len())];
                    bytes.splice(at..at, word.bytes());
                }
            }
        }
        bytes
    }
}

/// What every call finds: a folder with a run, a reproduction's manifest around it, a fit, a sweep.
struct Home {
    folder: tempfile::TempDir,
    run: PathBuf,
}

const SMALL: &str = "data.path = \"d.csv\"\ndata.target = \"y\"\ndata.samples = 5\nnetwork.hidden = 2\n\
                     dynamics.horizon = 0.04\nrecord.checkpoint_every = 2\nrecord.snapshot_every = 2\n";
const TABLE: &str = "x,w,y\n1,1,3.1\n2,2,4.2\n3,1,5.0\n5,1,6.9\n8,3,9.5\n13,1,13.0\n";
const PROBLEM: &str = "[data]\npath = \"d.csv\"\nresponse = \"y\"\nweights = \"w\"\nholdout = 0.2\nseed = 3\n\
                       [model]\nexpression = \"a * exp(-b * x) + c\"\n[parameters]\na = 1.0\n\
                       b = { start = 0.5, lower = 0.0, upper = 9.0 }\nc = 0.0\n[fit]\nloss = \"huber\"\nscale = 1.5\n\
                       max_evaluations = 60\nmax_iterations = 50\ngradient_tolerance = 1e-8\ninitial_radius = 1.0\n";

impl Home {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        fs::write(path.join("d.csv"), TABLE).unwrap();
        fs::write(path.join("p.toml"), PROBLEM).unwrap();
        let config = SMALL.replace("d.csv", path.join("d.csv").to_str().unwrap());
        fs::write(path.join("c.toml"), &config).unwrap();
        fs::write(path.join("s.toml"), format!("{config}[sweep]\nseeds = 2\n")).unwrap();
        let config = Config::parse(&config).unwrap();
        let data = load(&config).unwrap();
        let experiment = Experiment::new(config, &data).unwrap();
        let id = Experiment::id(&experiment.config);
        let out = path.join("o");
        let root = RunFolder::open(&out).unwrap();
        let file = CheckpointFile::new(&out, &id, &data.sha256, Start::Fresh);
        let record = run::execute_with(&experiment, Some(&file)).unwrap();
        let run = out.join(RunFolder::run_path(&id));
        run::write(&record, &run).unwrap();
        let entry = gaussflow_records::RunEntry { path: RunFolder::run_path(&id), id };
        root.add_run(0, &gaussflow_driver::run::identity(&data), entry).unwrap();
        gaussflow_driver::audit::audit_folder(&out, gaussflow_driver::audit::Quiet::Yes).unwrap();
        Self { folder, run }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

/// Lets `call` see a damaged `file`, then mends it.
fn with_damaged(file: &Path, draw: &mut Draw, call: impl FnOnce(&mut Draw)) {
    let whole = fs::read(file).unwrap();
    fs::write(file, draw.damage(&whole)).unwrap();
    call(draw);
    fs::write(file, whole).unwrap();
}

/// A configuration that a reader accepts says the same again.
fn configuration(text: &str) {
    if let Ok(config) = Config::parse(text) {
        assert!(Config::parse(&config.to_toml()).is_ok_and(|again| again == config), "{text}");
    }
}

/// One call.
fn call(home: &Home, draw: &mut Draw) {
    match draw.below(8) {
        0 => with_damaged(&home.path("c.toml"), draw, |_| {
            let text = fs::read(home.path("c.toml")).unwrap();
            configuration(&String::from_utf8_lossy(&text));
            drop(Config::read(&home.path("c.toml")));
            drop(Sweep::read(&home.path("c.toml")));
        }),
        1 => with_damaged(&home.path("s.toml"), draw, |_| {
            drop(Sweep::read(&home.path("s.toml")).map(|sweep| sweep.runs.len()));
        }),
        2 => {
            with_damaged(&home.path("p.toml"), draw, |_| drop(Problem::read(&home.path("p.toml"))));
        }
        3 => with_damaged(&home.path("d.csv"), draw, |_| {
            drop(load_csv(&home.path("d.csv"), &["y"]));
            drop(fit(&home.path("p.toml"), Some(&home.path("f")), |_| ()));
        }),
        4 => fit_settings(home, draw),
        5 => folder(home, draw),
        6 => settings(home, draw),
        _ => usage(draw),
    }
}

/// A damaged file in a run's folder or beside it, for every reader of folders.
fn folder(home: &Home, draw: &mut Draw) {
    let names = [
        "config.toml",
        "problem.json",
        "trace.csv",
        "weights.npy",
        "weights_steps.npy",
        "outcome.json",
        "timing.json",
        "audit.json",
        "manifest.json",
    ];
    let name = names[draw.below(names.len())];
    let out = home.path("o");
    let file = if name == "manifest.json" { out.join(name) } else { home.run.join(name) };
    with_damaged(&file, draw, |_| {
        drop(report::write(&out));
        drop(report::write(&home.run));
        drop(Comparison::of(&out, &home.run).map(|found| compare::table(&found)));
        if name != "config.toml" && name != "manifest.json" {
            drop(gaussflow_driver::audit::audit_folder(
                &home.run,
                gaussflow_driver::audit::Quiet::Yes,
            ));
        }
        if let Ok(folder) = RunFolder::open(&out) {
            let config = Config::read(&home.path("c.toml")).unwrap();
            drop(folder.admit(&Experiment::id(&config), &config, None, Overwrite::No));
        }
        let plan = Plan::read(&Source::File(home.path("s.toml"))).unwrap();
        if let Ok(opened) = SweepFolder::open(&out, &plan, Existing::Resume) {
            drop(pending(&plan, &opened));
        }
    });
    // An audit that was written over a damaged run, or a report, must not count as the next call's damage.
    for file in [out.join("report.html"), home.run.join("report.html")] {
        drop(fs::remove_file(file));
    }
    for name in ["audit.json", "audit.md"] {
        drop(fs::remove_file(home.run.join(name)));
    }
    gaussflow_driver::audit::audit_folder(&out, gaussflow_driver::audit::Quiet::Yes).unwrap();
}

/// Hostile numbers in the settings of a fit that has an ordinary size.
fn fit_settings(home: &Home, draw: &mut Draw) {
    let mut text = PROBLEM.to_owned();
    for key in ["holdout", "scale", "gradient_tolerance", "initial_radius", "a", "c", "start = 0.5"]
    {
        if draw.below(3) == 0 {
            let number = draw.number();
            let lines: Vec<String> = text
                .lines()
                .map(|line| match key {
                    "start = 0.5" => line.replace(key, &format!("start = {number:?}")),
                    _ if line.starts_with(&format!("{key} = ")) => format!("{key} = {number:?}"),
                    _ => line.to_owned(),
                })
                .collect();
            text = lines.join("\n") + "\n";
        }
    }
    let loss = draw.pick(&["squares", "huber", "soft-l1", "cauchy", "arctan", "l1"]);
    let text = text.replace("huber", loss);
    with_damaged(&home.path("p.toml"), draw, |_| {
        fs::write(home.path("p.toml"), text).unwrap();
        drop(fit(&home.path("p.toml"), Some(&home.path("f")), |_| ()));
    });
}

/// Hostile numbers in the settings of a run of few steps.
fn settings(home: &Home, draw: &mut Draw) {
    let step = draw.number();
    let method = draw.pick(&["gauss-newton", "levenberg-marquardt", "gradient"]);
    let integrator = draw.pick(&["euler", "rk4", "discrete", "adaptive", "stiff"]);
    let mut text = format!(
        "[data]\npath = {:?}\ntarget = \"y\"\nsamples = {}\nstandardize = \"{}\"\ntargets = \"{}\"\n[network]\n\
         hidden = {}\nactivation = \"{}\"\ninitialization = \"{}\"\n[dynamics]\npreconditioner = \"{method}\"\n\
         integrator = \"{integrator}\"\nstep = {step:?}\nhorizon = {:?}\nrank_policy = \"{}\"\nsolver = \"{}\"\n",
        home.path("d.csv").display().to_string(),
        2 + draw.below(6),
        draw.pick(&["subset", "full", "none"]),
        draw.pick(&["raw", "standardized"]),
        1 + draw.below(4),
        draw.pick(&["tanh", "sigmoid", "erf", "arctan"]),
        draw.pick(&["nullified", "antisymmetric", "plain"]),
        step * (1 + draw.below(4)) as f64,
        draw.pick(&["stop", "pseudo-inverse", "raise-damping"]),
        draw.pick(&["auto", "primal-cholesky", "qr", "svd", "lsmr", "conjugate-gradients"]),
    );
    for key in ["scaling", "damping", "rank_cutoff", "solve_tolerance", "absolute_tolerance"] {
        if draw.below(2) == 0 {
            writeln!(text, "{key} = {:?}", draw.number()).unwrap();
        }
    }
    // Below this an adaptive integrator may well take its time.
    writeln!(text, "relative_tolerance = {}", draw.pick(&["1e-4", "1e-2", "0.5"])).unwrap();
    if draw.below(3) == 0 {
        writeln!(
            text,
            "[events]\nball_radius = {:?}\nrank_threshold = {:?}",
            draw.number(),
            draw.number()
        )
        .unwrap();
    }
    let sound = TABLE.to_owned();
    let table = if draw.below(3) == 0 {
        let size = draw.number();
        let rows = sound.lines().skip(1).map(|row| {
            let cells =
                row.split(',').map(|cell| format!("{:?}", cell.parse::<f64>().unwrap() * size));
            cells.collect::<Vec<_>>().join(",") + "\n"
        });
        "x,w,y\n".to_owned() + &rows.collect::<String>()
    } else {
        sound.clone()
    };
    fs::write(home.path("d.csv"), table).unwrap();
    if let Ok(config) = Config::parse(&text)
        && let Ok(data) = load(&config)
        && let Ok(experiment) = Experiment::new(config, &data)
        && let Ok(record) = run::execute(&experiment)
    {
        let folder = home.path("scratch");
        run::write(&record, &folder).unwrap();
        drop(report::write(&folder));
        drop(Comparison::of(&folder, &folder).map(|found| compare::table(&found)));
        fs::remove_dir_all(&folder).unwrap();
    }
    fs::write(home.path("d.csv"), sound).unwrap();
}

/// Words on a command line, known and unknown.
fn usage(draw: &mut Draw) {
    let known = [
        "run",
        "fit",
        "config",
        "audit",
        "reproduce",
        "sweep",
        "compare",
        "completions",
        "report",
        "help",
        "--out",
        "--out=",
        "o",
        "c.toml",
        "--resume",
        "--overwrite",
        "--quiet",
        "--json",
        "--seeds",
        "3",
        "--quick",
        "--check",
        "--jobs",
        "-j",
        "bash",
        "--help",
        "-V",
        "--version",
        "--",
        "-",
        "",
    ];
    let mut words = vec!["gaussflow".to_owned()];
    for _ in 0..draw.below(7) {
        words.push(match draw.below(4) {
            0 => WORDS[draw.below(WORDS.len())].to_owned(),
            1 => {
                let word = draw.pick(&known);
                String::from_utf8_lossy(&draw.damage(word.as_bytes())).into_owned()
            }
            _ => known[draw.below(known.len())].to_owned(),
        });
    }
    if let Err(said) = command_line::parse(words) {
        drop(said.to_string());
    }
}

/// The call that is being made, for the watch.
static UNDER_WAY: AtomicU64 = AtomicU64::new(0);
/// What stands there after the last one.
const DONE: u64 = u64::MAX;

#[test]
fn hostile_calls_are_answered_or_refused() {
    let number = |name: &str, default: u64| {
        std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
    };
    let calls = number("GAUSSFLOW_HOSTILE_CALLS", 600);
    let seed = number("GAUSSFLOW_HOSTILE_SEED", 0);
    let mut home = Home::new();
    std::thread::spawn(move || {
        let mut last = (u64::MAX, Instant::now());
        loop {
            std::thread::sleep(Duration::from_millis(500));
            let now = UNDER_WAY.load(Ordering::Relaxed);
            // The other tests of the program go on after the last call.
            if now == DONE {
                break;
            }
            if now != last.0 {
                last = (now, Instant::now());
            } else if last.1.elapsed() > LONGEST {
                // A hang cannot be ended from outside; the test program can.
                eprintln!("call {now} of seed {seed} hangs");
                std::process::exit(1);
            }
        }
    });
    let quiet = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| ()));
    let mut failures = Vec::new();
    let mut slowest = (Duration::ZERO, 0);
    for index in 0..calls {
        UNDER_WAY.store(index, Ordering::Relaxed);
        let mut generator = ChaCha8Rng::seed_from_u64(seed);
        generator.set_stream(index);
        let begun = Instant::now();
        let done = catch_unwind(AssertUnwindSafe(|| call(&home, &mut Draw(generator))));
        slowest = slowest.max((begun.elapsed(), index));
        if let Err(panic) = done {
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
            failures.push(format!("call {index}: {}", text.unwrap_or_default()));
            if failures.len() == 10 {
                break;
            }
            // The damaged file may have stayed.
            home = Home::new();
        }
    }
    UNDER_WAY.store(DONE, Ordering::Relaxed);
    std::panic::set_hook(quiet);
    println!("{calls} calls, the slowest, {}, took {:?}", slowest.1, slowest.0);
    assert!(failures.is_empty(), "seed {seed}: {failures:?}");
}
