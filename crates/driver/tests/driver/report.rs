//! The report in headless Chromium: no console message, charts drawn, series switch, tables sort.
//!
//! The page tries itself when opened at `#self-test` (`assets/self_test.js`). Skipped, with a notice,
//! where no Chromium is found; `CHROMIUM` names another browser.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// Long enough for a browser on a busy machine.
const PATIENCE: Duration = Duration::from_secs(300);

const CONFIG: &str = "data.samples = 40\nnetwork.hidden = 3\ndynamics.horizon = 0.2\n\
                      record.hessian_every = 1\n";

/// The browser, or a notice on the terminal, which the test harness does not swallow.
fn browser() -> Option<PathBuf> {
    let named = std::env::var_os("CHROMIUM").map(PathBuf::from);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let found = std::env::split_paths(&path)
        .flat_map(|folder| names.map(|name| folder.join(name)))
        .find(|file| file.is_file());
    let browser = named.or(found);
    if browser.is_none() {
        let _ = writeln!(
            std::io::stderr(),
            "\nSKIPPED: no chromium on the PATH; the report was not opened"
        );
    }
    browser
}

fn gaussflow(arguments: &[&str], folder: &Path) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gaussflow"));
    let output = command.args(arguments).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {output:?}");
}

/// A folder with four runs, claims and an audit, and its report.
fn reported() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    for (scaling, seed) in [(8, 0), (8, 1), (32, 0), (32, 1)] {
        let text = format!("{CONFIG}dynamics.scaling = {scaling}\ndynamics.seed = {seed}\n");
        fs::write(root.join("c.toml"), text).unwrap();
        gaussflow(&["run", "c.toml", "--out", "o", "--quiet"], root);
    }
    let claim = |id: &str, holds: bool| {
        format!(
            "{{\"id\": \"{id}\", \"predicate\": \"p\", \"threshold\": null, \"holds_fraction\": {}, \"per_seed\": \
             [{{\"seed\": 0, \"holds\": {holds}, \"values\": {{\"v\": 1.5}}}}]}}",
            f64::from(u8::from(holds))
        )
    };
    let claims = format!("[{}, {}]", claim("b", true), claim("a</script>", false));
    fs::write(root.join("o/claims.json"), claims).unwrap();
    let record = |id: &str, verdict: &str, ratio: &str| {
        format!(
            "{{\"id\": \"{id}\", \"where\": \"Lemma 7\", \"run\": \"r\", \"statement\": \"s\", \"verdict\": \
             \"{verdict}\", \"left\": 1.0, \"right\": 2.0, \"tolerance\": 0.0, \"worst_ratio\": {ratio}}}"
        )
    };
    let records = [
        record("z", "holds", "0.5"),
        record("y", "violated", "20"),
        record("x", "reported", "null"),
        record("w", "violated", "3e9"),
    ];
    fs::write(root.join("o/audit.json"), format!("[{}]", records.join(","))).unwrap();
    gaussflow(&["report", "o", "--quiet"], root);
    folder
}

/// Opens the page; the browser's output and its log.
fn open(browser: &Path, page: &Path, fragment: &str, arguments: &[&str]) -> (String, String) {
    let profile = tempfile::tempdir().unwrap();
    let (output, log) = (profile.path().join("output"), profile.path().join("log"));
    let mut child = Command::new(browser)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
        .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
        .args(["--hide-scrollbars", "--enable-logging=stderr", "--virtual-time-budget=8000"])
        .arg(format!("--user-data-dir={}", profile.path().join("profile").display()))
        .args(arguments)
        .arg(format!("file://{}{fragment}", page.display()))
        .stdout(Stdio::from(fs::File::create(&output).unwrap()))
        .stderr(Stdio::from(fs::File::create(&log).unwrap()))
        .spawn()
        .unwrap();
    let begun = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if begun.elapsed() > PATIENCE {
            child.kill().unwrap();
            child.wait().unwrap();
            panic!("the browser took more than {PATIENCE:?}");
        }
        std::thread::sleep(Duration::from_millis(50));
    };
    let log = fs::read_to_string(log).unwrap();
    assert!(status.success(), "{log}");
    (fs::read_to_string(output).unwrap(), log)
}

/// What the page found out about itself.
fn self_test(browser: &Path, page: &Path, window: &str) -> Value {
    let (document, log) = open(browser, page, "#self-test", &["--dump-dom", window]);
    let said: Vec<_> = log.lines().filter(|line| line.contains(":CONSOLE")).collect();
    assert!(said.is_empty(), "{said:?}");
    let found = document.split_once("<pre id=\"self-test\">").expect("the page tried itself").1;
    let found = found.split_once("</pre>").unwrap().0;
    let found = found.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
    serde_json::from_str(&found).unwrap()
}

#[test]
fn the_report_works_in_a_browser() {
    let Some(browser) = browser() else { return };
    let folder = reported();
    let page = folder.path().join("o/report.html");
    for window in ["--window-size=1280,900", "--window-size=500,800"] {
        let found = self_test(&browser, &page, window);
        assert_eq!(found["errors"], Value::Array(Vec::new()), "{found}");
        let charts = found["charts"].as_array().unwrap();
        let ids: Vec<_> = charts.iter().map(|chart| chart["id"].as_str().unwrap()).collect();
        assert_eq!(ids, ["loss", "deviation", "gradient", "gram", "nu", "mu", "held-out"]);
        for chart in charts {
            assert!(chart["drawn"].as_u64().unwrap() > 1000, "{chart}");
        }
        for tried in ["/toggle/changes", "/toggle/returns", "/linear", "/zoom", "/filter/all"] {
            assert_eq!(found.pointer(tried), Some(&Value::Bool(true)), "{tried}: {found}");
        }
        assert_eq!(found["filter"]["none"], 0);
        let readout = found["readout"].as_str().unwrap();
        assert!(
            readout.starts_with("t = 0.1") && readout.contains("Gauss-Newton, Euler, α = 32"),
            "{readout}"
        );
        let tables = found["tables"].as_array().unwrap();
        let rows: Vec<_> = tables.iter().map(|table| table["rows"].as_u64().unwrap()).collect();
        // Claims, the statements of the one paper, and two seeds of each of two configurations.
        assert_eq!(rows, [2, 4, 2, 2]);
        for table in tables {
            assert!(
                table["sorted"].as_array().unwrap().iter().all(|sorted| sorted == true),
                "{table}"
            );
        }
        assert_eq!(found["overflow"], Value::Array(Vec::new()), "{found}");
        assert_eq!(found["unnamed"], 0);
    }
}

#[test]
fn screenshots_show_content_on_light_and_dark_paper() {
    let Some(browser) = browser() else { return };
    let folder = reported();
    let page = folder.path().join("o/report.html");
    for (scheme, dark) in [("1", false), ("0", true)] {
        let picture = folder.path().join(format!("{scheme}.png"));
        let shot = format!("--screenshot={}", picture.display());
        let scheme = format!("--blink-settings=preferredColorScheme={scheme}");
        open(&browser, &page, "", &[&shot, "--window-size=1280,1600", &scheme]);
        let pixels = tiny_skia::Pixmap::load_png(&picture).unwrap();
        let corner = pixels.pixels()[0];
        let other = pixels.pixels().iter().filter(|pixel| **pixel != corner).count();
        assert_eq!(corner.red() < 128, dark);
        assert!(other * 20 > pixels.pixels().len(), "{other} pixels differ from the paper");
    }
}
