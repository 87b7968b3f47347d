//! `cargo xtask bench`: the side-by-side harness, then criterion; or the instruction counts.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use crate::bench_peers::{GEOMSTATS, NEURAL_TANGENTS, SOMAX, STEPS, environment};
use crate::console;
use crate::process::{built, cargo, hand_over, root, target};

/// What the command line asks for.
enum Request {
    /// Times, ours and the peers'.
    Times(Times),
    /// Instruction counts, compared or renewed.
    Instructions {
        /// The arguments for the program that counts.
        arguments: Vec<&'static str>,
    },
}

/// Which times.
struct Times {
    quick: bool,
    peers: bool,
    out: PathBuf,
    /// Questions and `grid`, comma-separated; criterion is left out then.
    only: Option<String>,
}

impl Times {
    /// Whether a question is among those asked for.
    fn wants(&self, question: &str) -> bool {
        self.only.as_ref().is_none_or(|only| only.split(',').any(|name| name == question))
    }
}

/// Runs the benchmarks.
pub fn run(arguments: &[String]) -> ExitCode {
    let done = match parse(arguments) {
        Err(problem) => return crate::wrong_usage(&problem),
        Ok(Request::Times(times)) => measure(&times),
        Ok(Request::Instructions { arguments }) => built("instructions").map(|program| {
            let mut count = Command::new(program);
            count.args(arguments);
            hand_over(count)
        }),
    };
    done.unwrap_or_else(|status| status)
}

/// The harness, then criterion.
fn measure(times: &Times) -> Result<ExitCode, ExitCode> {
    let mut harness = pinned(&built("side-by-side")?);
    harness.arg("--out").arg(&times.out);
    if times.quick {
        harness.arg("--quick");
    }
    if let Some(only) = &times.only {
        harness.arg("--only").arg(only);
    }
    if times.peers {
        harness.arg("--python").arg(environment(STEPS)?);
        for (name, option, made, question) in [
            ("geomstats", "--geomstats-python", GEOMSTATS, "small_manifold"),
            ("neural-tangents", "--neural-tangents-python", NEURAL_TANGENTS, "deep"),
            ("somax", "--somax-python", SOMAX, "classes_step"),
        ] {
            if !times.wants(question) {
                continue;
            }
            match environment(made) {
                Ok(python) => _ = harness.arg(option).arg(python),
                Err(_) => {
                    console::note(format_args!(
                        "{name} could not be installed; its rows are left out"
                    ));
                }
            }
        }
    }
    let measured = hand_over(harness);
    if measured != ExitCode::SUCCESS || times.only.is_some() {
        return Ok(measured);
    }
    let mut criterion = cargo();
    criterion.args(["bench", "--package", "gaussflow-benches", "--features", "criterion"]);
    criterion.args(["--benches", "--manifest-path"]).arg(root().join("Cargo.toml")).arg("--");
    if times.quick {
        // Each benchmark once: the times are the harness's already, this shows that it still runs.
        criterion.arg("--test");
    }
    Ok(hand_over(criterion))
}

/// Reads the options.
fn parse(arguments: &[String]) -> Result<Request, String> {
    let mut times = Times { quick: false, peers: false, out: target().join("bench"), only: None };
    let mut counting: Option<Vec<&'static str>> = None;
    let mut timing = false;
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        let mut value = || rest.next().ok_or_else(|| format!("{argument} needs a value"));
        timing |= !matches!(argument.as_str(), "--instructions" | "--write");
        match argument.as_str() {
            "--quick" => times.quick = true,
            "--peers" => times.peers = true,
            "--out" => times.out = PathBuf::from(value()?),
            "--only" => times.only = Some(value()?.clone()),
            "--instructions" => counting.get_or_insert_default().insert(0, "compare"),
            "--write" => counting.get_or_insert_default().push("--write"),
            other => return Err(format!("bench does not know {other:?}")),
        }
    }
    match counting {
        None => Ok(Request::Times(times)),
        Some(arguments) if arguments.first() == Some(&"compare") && !timing => {
            Ok(Request::Instructions { arguments })
        }
        Some(_) => Err("--instructions and --write go with each other alone".to_owned()),
    }
}

/// The program on the last core that it may use, where there is `taskset`; the harness says which.
fn pinned(program: &Path) -> Command {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let allowed = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
    // "0-3,8-11": the digits at the end are the last core.
    let last = allowed.and_then(|list| list.rsplit(['-', ',', '\t']).next());
    let here = Command::new("taskset").arg("--version").output();
    match last {
        Some(core) if here.is_ok_and(|output| output.status.success()) => {
            let mut command = Command::new("taskset");
            command.args(["--cpu-list", core.trim()]).arg(program);
            command
        }
        _ => Command::new(program),
    }
}
