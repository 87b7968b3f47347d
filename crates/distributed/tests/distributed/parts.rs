//! A file that ranks read in parts: the run of one process that reads it whole, with a fraction of the rows on each rank.

use std::fmt::Write as _;
use std::path::Path;

use crate::common::worst_difference;
use gaussflow_distributed::agreement::Failure;
use gaussflow_distributed::run::{Report, Request, run};
use gaussflow_distributed::threads::run_ranks;
use gaussflow_driver::run::{RunRequest, Start, run_into};
use gaussflow_driver::{DriverError, config::Config};
use gaussflow_records::{Overwrite, Problem, TraceRow, read_trace};

/// 211 rows of three features and two classes of targets.
fn write_rows(path: &Path) {
    let number = |e: usize| ((e * e + 3 * e) as f64 * 0.618_033_988_749_894_9).fract() - 0.5;
    let mut text = String::from("a,b,y,c\n");
    for j in 0..211 {
        let row = [number(3 * j), number(3 * j + 1), number(3 * j + 2)];
        let label = u8::from(row[0] + 0.3 * row[1] * row[2] > 0.0);
        writeln!(text, "{},{},{label},{}", 1e3 + row[0], row[1], 1e-3 * row[2]).unwrap();
    }
    std::fs::write(path, text).unwrap();
}

fn request(config: &Path, out: &Path) -> Request {
    let (config, out) = (config.to_owned(), out.to_owned());
    Request { config, out, start: Start::Fresh, overwrite: Overwrite::No }
}

/// The trace of a run on so many ranks.
fn over_ranks(size: usize, config: &Path, out: &Path) -> Vec<TraceRow> {
    let request = request(config, out);
    let mut reports: Vec<Option<Report>> =
        run_ranks(size, |ranks| run(&request, ranks, |_| ()).unwrap());
    read_trace(&reports.remove(0).unwrap().folder.join("trace.csv")).unwrap()
}

#[test]
fn parts_of_any_number_agree_with_the_whole_file() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    write_rows(&at("rows.csv"));
    let path = at("rows.csv");
    let base = format!(
        "data.path = {path:?}\n data.target = \"y\"\n dynamics.horizon = 0.2\n network.hidden = 6\n"
    );
    for (name, more) in [
        ("plain", ""),
        ("deep", "network.bias = true\n"),
        (
            "classes",
            "loss.name = \"logistic\"\n dynamics.metric = \"loss-hessian\"\n dynamics.preconditioner = \"levenberg-marquardt\"\n",
        ),
    ] {
        let base = if name == "deep" {
            base.replace("hidden = 6", "hidden = [5, 4]")
        } else {
            base.clone()
        };
        let whole = format!("{base}{more} data.samples = 211\n");
        std::fs::write(at("whole.toml"), &whole).unwrap();
        let request = RunRequest {
            out: &at(&format!("{name}-whole")),
            start: Start::Fresh,
            overwrite: Overwrite::No,
        };
        let serial = run_into(Config::parse(&whole).unwrap(), request, |_| ()).unwrap();
        for (size, block) in [(1, 0), (1, 50), (2, 0), (3, 17), (4, 0)] {
            let config = at(&format!("{name}-{size}-{block}.toml"));
            let parts =
                format!("{base}{more} data.reading = \"parts\"\n data.block_rows = {block}\n");
            std::fs::write(&config, parts).unwrap();
            let out = at(&format!("{name}-{size}-{block}"));
            let trace = over_ranks(size, &config, &out);
            let worst = worst_difference(&serial.record.trace, &trace);
            assert!(worst < 1e-10, "{name}, {size} ranks, blocks of {block}: {worst:e}");
            let run = std::fs::read_dir(out.join("runs")).unwrap().next().unwrap().unwrap().path();
            let problem = Problem::read(&run.join("problem.json")).unwrap();
            assert_eq!((problem.count(), problem.rows.len()), (211, 0));
        }
    }
}

/// A cell that is no number lies in the last rank's part: all ranks leave, and it is named with its line.
#[test]
fn a_damaged_part_ends_the_run_of_all() {
    let folder = tempfile::tempdir().unwrap();
    let [rows, config] = ["rows.csv", "c.toml"].map(|name| folder.path().join(name));
    write_rows(&rows);
    let text = std::fs::read_to_string(&rows).unwrap();
    std::fs::write(&rows, text.trim_end().to_owned() + "\n1,2,3,none\n").unwrap();
    let text = format!("data.path = {rows:?}\n data.target = \"y\"\n data.reading = \"parts\"\n");
    std::fs::write(&config, text).unwrap();
    let request = request(&config, &folder.path().join("out"));
    let told = run_ranks(3, |ranks| run(&request, ranks, |_| ()).err().unwrap());
    let Failure::Here(DriverError::Run(error)) = &told[2] else { panic!("{:?}", told[2]) };
    assert!(error.to_string().contains("rows.csv:213: column \"c\""), "{error}");
    for other in &told[..2] {
        assert!(matches!(other, Failure::Elsewhere { rank: 2, status: 2 }), "{other:?}");
    }
}
