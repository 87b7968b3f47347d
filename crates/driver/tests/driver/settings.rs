//! What a command line gives beside the configuration: settings, the default folder; and defaults that depend on other keys.

use std::path::Path;

use crate::common::{gaussflow, refusal};

/// A configuration that runs in milliseconds.
const SMALL: &str = "data.samples = 40\nnetwork.hidden = 3\ndynamics.horizon = 0.1\n\
                     record.snapshot_every = 5\n";

/// The resolved configuration of the one run in `folder`.
fn resolved(folder: &Path) -> toml::Table {
    let run = std::fs::read_dir(folder.join("runs")).unwrap().next().unwrap().unwrap().path();
    std::fs::read_to_string(run.join("config.toml")).unwrap().parse().unwrap()
}

#[test]
fn without_out_a_command_writes_to_the_folder_of_its_configurations_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    std::fs::create_dir(path.join("sub")).unwrap();
    std::fs::write(path.join("sub/my.toml"), SMALL).unwrap();
    std::fs::write(path.join("grid.toml"), format!("{SMALL}[sweep]\nseeds = 2\n")).unwrap();
    assert!(gaussflow(&["run", "sub/my.toml"], path).status.success());
    assert!(path.join("out/my/runs/gauss-newton-alpha_8-seed_0/outcome.json").exists());
    assert!(gaussflow(&["sweep", "grid.toml"], path).status.success());
    assert!(path.join("out/grid/summary.csv").exists());
    // The rules for what is replaced are those of a folder that is named.
    assert!(gaussflow(&["run", "sub/my.toml"], path).status.success());
    let (status, said) = refusal(&["sweep", "grid.toml"], path);
    assert!(status == 2 && said.contains("--resume"), "{said}");
    std::fs::create_dir_all(path.join("out/thesis")).unwrap();
    std::fs::write(path.join("out/thesis/thesis.tex"), "irreplaceable").unwrap();
    std::fs::write(path.join("thesis.toml"), SMALL).unwrap();
    let (status, said) = refusal(&["run", "thesis.toml"], path);
    assert!(status == 2 && said.contains("out/thesis"), "{said}");
    assert_eq!(std::fs::read_dir(path.join("out/thesis")).unwrap().count(), 1);
}

#[test]
fn settings_take_the_place_of_the_files_values() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    // The file's own value would be refused: settings come before the rules.
    std::fs::write(path.join("my.toml"), format!("{SMALL}dynamics.scaling = -1.0\n")).unwrap();
    let run = |settings: &[&str]| {
        let settings = settings.iter().flat_map(|setting| ["--set", setting]);
        let arguments: Vec<&str> =
            ["run", "my.toml", "--out", "o", "--overwrite"].into_iter().chain(settings).collect();
        let output = gaussflow(&arguments, path);
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        let found = resolved(&path.join("o"));
        std::fs::remove_dir_all(path.join("o")).unwrap();
        found
    };
    let set = ["dynamics.scaling=16", "dynamics.integrator=rk4", " network.hidden = [3, 2] "];
    let found = run(&set);
    assert_eq!(found["dynamics"]["scaling"].as_float(), Some(16.0));
    assert_eq!(found["dynamics"]["integrator"].as_str(), Some("rk4"));
    assert_eq!(found["network"]["hidden"].as_array().map(Vec::len), Some(2));
    assert_eq!(found["data"]["samples"].as_integer(), Some(40), "the others stay");
    // The last one counts; a value in quotes is what it is in the file.
    let found = run(&["dynamics.scaling=3", "dynamics.scaling=4.5", "loss.name='log-cosh'"]);
    assert_eq!(found["dynamics"]["scaling"].as_float(), Some(4.5));
    assert_eq!(found["loss"]["name"].as_str(), Some("log-cosh"));
    // Other rows take the place of the file's.
    std::fs::write(path.join("my rows.csv"), "a,b\n1,2\n3,1\n2,5\n7,1\n").unwrap();
    std::fs::write(path.join("my.toml"), "data.name = 'digits'\ndynamics.horizon = 0.1\n").unwrap();
    let found = run(&["data.path=my rows.csv", "data.target=b"]);
    assert_eq!(found["data"]["path"].as_str(), Some("my rows.csv"));
}

#[test]
fn settings_that_cannot_be_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    std::fs::write(path.join("my.toml"), SMALL).unwrap();
    let sweep = format!(
        "{SMALL}[sweep]\nseeds = 2\n'dynamics.scaling' = [4.0, 8.0]\n[[sweep.cases]]\nnetwork.bias = true\n"
    );
    std::fs::write(path.join("grid.toml"), sweep).unwrap();
    for (command, setting, facts) in [
        ("run", "dynamics.scaling", &["section.key=value"][..]),
        ("run", "", &["section.key=value"]),
        ("run", "=3", &["unknown key"]),
        ("run", "dynamics.scalling=3", &["unknown key", "did you mean dynamics.scaling?"]),
        ("run", "scaling=3", &["did you mean dynamics.scaling?"]),
        ("run", "dynamics=3", &["unknown key dynamics"]),
        ("run", "sweep.seeds=3", &["unknown key sweep.seeds"]),
        ("run", "dynamics.scaling=fast", &["dynamics.scaling = \"fast\"", "a number above 0"]),
        ("run", "dynamics.scaling=", &["dynamics.scaling = \"\"", "a number above 0"]),
        ("run", "dynamics.scaling=[8.0, 16.0]", &["[8.0, 16.0]", "a number above 0"]),
        ("run", "dynamics.scaling=-8", &["-8.0", "above 0"]),
        ("run", "dynamics.scaling=8\n[sweep]\nseeds = 3", &["a number above 0"]),
        ("run", "network.hidden=[3, 'a']", &["network.hidden = [3, 'a']", "a whole number"]),
        ("run", "dynamics.integrator=heun", &["\"heun\"", "\"rk4\""]),
        ("run", "dynamics.damping=0.3", &["dynamics.damping = 0.3", "gauss-newton"]),
        ("run", "dynamics.damping={ name = 1 }", &["schedule"]),
        ("sweep", "dynamics.scaling=3", &["dynamics.scaling differs", "[sweep]"]),
        ("sweep", "dynamics.seed=3", &["dynamics.seed differs"]),
        ("sweep", "network.bias=false", &["network.bias differs"]),
        ("sweep", "dynamics.stepp=3", &["did you mean dynamics.step?"]),
    ] {
        let file = if command == "run" { "my.toml" } else { "grid.toml" };
        let (status, said) = refusal(&[command, file, "--out", "o", "--set", setting], path);
        assert_eq!(status, 2, "{setting}: {said}");
        assert!(said.contains(&format!("--set {setting}: ")), "{setting} is not named in {said}");
        for fact in facts {
            assert!(said.contains(fact), "{setting}: {fact:?} is not in {said}");
        }
        assert!(!path.join("o").exists(), "{setting} left something behind");
    }
    // A complaint about the file still names its place.
    std::fs::write(path.join("bad.toml"), "dynamics.step = 0.1\ndynamics.horizon = -1\n").unwrap();
    let (_, said) = refusal(&["run", "bad.toml", "--set", "dynamics.scaling=3"], path);
    assert!(said.contains("bad.toml:2:") && !said.contains("--set"), "{said}");
}

#[test]
fn a_sweep_takes_settings_and_writes_them_down() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    std::fs::write(path.join("grid.toml"), format!("{SMALL}[sweep]\nseeds = 2\n")).unwrap();
    let sweep = ["sweep", "grid.toml", "--set", "dynamics.scaling=3", "--quiet"];
    assert!(gaussflow(&sweep, path).status.success());
    assert!(path.join("out/grid/runs/gauss-newton-alpha_3-seed_1").exists());
    assert_eq!(resolved(&path.join("out/grid"))["dynamics"]["scaling"].as_float(), Some(3.0));
    let again = gaussflow(&[&sweep[..4], &["--resume"]].concat(), path);
    let said = String::from_utf8(again.stderr).unwrap();
    assert!(again.status.success() && said.contains("2 of 2 runs are there already"), "{said}");
}

#[test]
fn levenberg_marquardt_has_a_damping_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    std::fs::write(path.join("my.toml"), SMALL).unwrap();
    let run = ["run", "my.toml", "--set", "dynamics.preconditioner=levenberg-marquardt"];
    assert!(gaussflow(&run, path).status.success());
    assert!(path.join("out/my/runs/levenberg-marquardt-rho_0.1-alpha_8-seed_0").exists());
    assert_eq!(resolved(&path.join("out/my"))["dynamics"]["damping"].as_float(), Some(0.1));
    let default = String::from_utf8(gaussflow(&["config"], path).stdout).unwrap();
    assert!(default.contains("0.1 for"), "{default}");
    // What is written stays as it is written, and is refused where it does not fit.
    let (status, said) = refusal(&[&run[..], &["--set", "dynamics.damping=0"]].concat(), path);
    assert!(status == 2 && said.contains("damping above 0"), "{said}");
}

#[test]
fn of_a_small_file_all_rows_are_taken_and_it_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let rows = |n: usize| {
        let line = |k: usize| format!("{},{},{}\n", k % 7, k % 5, (k * k) % 11);
        "a,b,y\n".to_owned() + &(0..n).map(line).collect::<String>()
    };
    std::fs::write(path.join("few.csv"), rows(30)).unwrap();
    std::fs::write(path.join("many.csv"), rows(300)).unwrap();
    let text = |name: &str| {
        format!(
            "data = {{ path = '{name}.csv', target = 'y' }}\nnetwork.hidden = 2\ndynamics.horizon = 0.05\n"
        )
    };
    for (name, taken, words) in [
        ("few", 30, "few.csv: all 30 rows are taken"),
        ("many", 256, "many.csv: 256 of the 300 rows are drawn"),
    ] {
        std::fs::write(path.join("c.toml"), text(name)).unwrap();
        let output = gaussflow(&["run", "c.toml", "--out", name], path);
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success() && said.contains(words), "{said}");
        assert_eq!(resolved(&path.join(name))["data"]["samples"].as_integer(), Some(taken));
        // The same run again is the same run, and its resolved configuration too.
        assert!(gaussflow(&["run", "c.toml", "--out", name, "--quiet"], path).status.success());
        let audit = gaussflow(&["audit", name], path);
        assert!(audit.status.success(), "{audit:?}");
        // A number that is asked for is not made smaller.
        let (status, said) = refusal(&["run", "c.toml", "--set", "data.samples=301"], path);
        assert!(status == 2 && said.contains("301"), "{said}");
    }
    // Other keys are held to the rows that are taken.
    let batch = format!("{}dynamics.batch = 31\n", text("few"));
    std::fs::write(path.join("batch.toml"), batch).unwrap();
    let (status, said) = refusal(&["run", "batch.toml"], path);
    assert!(status == 2 && said.contains("dynamics.batch = 31"), "{said}");
    std::fs::write(path.join("s.toml"), format!("{}[sweep]\nseeds = 2\n", text("few"))).unwrap();
    let output = gaussflow(&["sweep", "s.toml"], path);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(said.matches("few.csv: all 30 rows are taken").count(), 1, "{said}");
    assert!(gaussflow(&["sweep", "s.toml", "--resume"], path).status.success());
}

/// A column that repeats another: the Jacobian has not full rank from the start.
#[test]
fn own_data_that_loses_rank_is_told_of_last() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let line = |k: usize| {
        let a = ((k * 37) % 101) as f64 / 50.0 - 1.0;
        let b = ((k * 53) % 97) as f64 / 48.0 - 1.0;
        format!("{a},{b},{},{}\n", 2.0 * a, a * b + 3.0 * a)
    };
    let text = "a,b,c,y\n".to_owned() + &(0..120).map(line).collect::<String>();
    std::fs::write(path.join("twice.csv"), text).unwrap();
    let config = "data = { path = 'twice.csv', target = 'y' }\ndynamics.horizon = 0.1\n";
    std::fs::write(path.join("my.toml"), config).unwrap();
    let output = gaussflow(&["run", "my.toml"], path);
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success());
    let last = said.lines().last().unwrap();
    assert!(last.starts_with("This run began where the Jacobian has not full rank"), "{said}");
    assert!(said.contains("for a page with charts: gaussflow report out/my/runs/"), "{said}");
    std::fs::write(path.join("s.toml"), format!("{config}[sweep]\nseeds = 2\n")).unwrap();
    let said = String::from_utf8(gaussflow(&["sweep", "s.toml"], path).stdout).unwrap();
    assert!(said.contains("2 of the 2 runs did not go as the flow does:"), "{said}");
    let summary = std::fs::read_to_string(path.join("out/s/summary.csv")).unwrap();
    assert_eq!(summary.matches("has not full rank").count(), 2, "{summary}");
}
