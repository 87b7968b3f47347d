//! Files of others are never replaced, and results of ours only where the command says so.

use std::fs;
use std::path::Path;

use crate::common::{assert_same, gaussflow, refusal, tree};

const SMALL: &str = "data.samples = 20\nnetwork.hidden = 2\ndynamics.horizon = 0.02\n";
const ID: &str = "gauss-newton-alpha_8-seed_0";

/// Two configurations of one name, a sweep, two problems, and the folder `o` with a run.
fn home() -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    let path = home.path();
    let write = |name: &str, text: &str| fs::write(path.join(name), text).unwrap();
    write("c.toml", SMALL);
    write("other.toml", &SMALL.replace("0.02", "0.03"));
    write("s.toml", &format!("{SMALL}[sweep]\nseeds = 2\n"));
    write("d.csv", "x,y\n1,3.1\n8,5.0\n27,7.1\n64,9.0\n");
    let problem = "[data]\npath = \"d.csv\"\nresponse = \"y\"\n[model]\nexpression = \"a * x + b\"\n\
                   [parameters]\na = 1.0\nb = 1.0\n";
    write("p.toml", problem);
    write("q.toml", problem);
    succeeds(&["run", "c.toml", "--out", "o"], path);
    home
}

#[track_caller]
fn succeeds(arguments: &[&str], folder: &Path) {
    let output = gaussflow(arguments, folder);
    assert!(output.status.success(), "{arguments:?}: {output:?}");
}

/// The command is refused with these facts, and nothing at all changes.
#[track_caller]
fn refused(arguments: &[&str], folder: &Path, status: i32, facts: &[&str]) {
    let before = tree(folder);
    let (found, said) = refusal(arguments, folder);
    assert_eq!(found, status, "{arguments:?}: {said}");
    for fact in facts {
        assert!(said.contains(fact), "{arguments:?}: {fact:?} is not in {said}");
    }
    assert_same(&before, &tree(folder), &format!("after {arguments:?}"));
}

#[test]
fn a_manifest_of_others_marks_a_folder_of_others() {
    let home = home();
    let path = home.path();
    fs::create_dir_all(path.join("theirs/runs/x")).unwrap();
    for text in [
        "{\"name\": \"my web app\", \"start_url\": \"/\"}",
        "[]",
        "{",
        "",
        r#"{"schema":7,"version":"0","commit":null,"seed":0,"data":{"name":"x","rows":1,"sha256":"0"},
            "runs":[],"figures":[]}"#,
    ] {
        fs::write(path.join("theirs/manifest.json"), text).unwrap();
        for arguments in [
            &["run", "c.toml", "--out", "theirs"][..],
            &["run", "c.toml", "--out", "theirs", "--overwrite"],
            &["run", "c.toml", "--out", "theirs", "--resume"],
            &["sweep", "s.toml", "--out", "theirs"],
            &["sweep", "s.toml", "--out", "theirs", "--resume"],
            &["sweep", "s.toml", "--out", "theirs", "--overwrite"],
            &["reproduce", "--quick", "--out", "theirs"],
            &["reproduce", "--quick", "--out", "theirs", "--overwrite"],
            &["audit", "theirs"],
            &["compare", "theirs", "o"],
        ] {
            refused(arguments, path, 2, &["theirs/manifest.json"]);
        }
        refused(&["report", "theirs"], path, 2, &["theirs", "manifest.json", "gaussflow"]);
    }
    // Neither does a folder of that name, nor one with a file that only sounds like ours.
    fs::remove_file(path.join("theirs/manifest.json")).unwrap();
    fs::create_dir(path.join("theirs/manifest.json")).unwrap();
    let (status, said) = refusal(&["run", "c.toml", "--out", "theirs"], path);
    assert!(status != 0 && said.contains("manifest.json"), "{said}");
    fs::remove_dir_all(path.join("theirs")).unwrap();
    fs::create_dir(path.join("theirs")).unwrap();
    for (name, text) in [("trace.csv", "t,x\n0,1\n"), ("outcome.json", "{\"won\": true}")] {
        fs::write(path.join("theirs").join(name), text).unwrap();
        refused(&["report", "theirs"], path, 2, &["theirs"]);
    }
}

#[test]
fn a_file_of_others_beside_ours_is_not_replaced() {
    let home = home();
    let path = home.path();
    let mine = |name: &str| {
        let file = path.join("o").join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        assert!(!file.exists(), "{name}");
        fs::write(file, "mine").unwrap();
    };
    let run = format!("runs/{ID}");
    let reproduce = &["reproduce", "--quick", "--out", "o", "--overwrite"][..];
    let sweep = &["sweep", "s.toml", "--out", "o", "--resume"][..];
    for (name, arguments) in [
        ("report.html", &["report", "o"][..]),
        (&format!("{run}/report.html"), &["report", &format!("o/{run}")]),
        (&format!("{run}/audit.md"), &["audit", "o"]),
        (&format!("{run}/audit.json"), &["audit", &format!("o/{run}")]),
        ("report.html", reproduce),
        ("claims.json", reproduce),
        ("summary.md", reproduce),
        ("timing.json", reproduce),
        ("audit.json", reproduce),
        ("audit.md", reproduce),
        ("audit_lazy.md", reproduce),
        ("figures/figure_1a.png", reproduce),
        ("figures/figure_3b.svg", reproduce),
        ("figures/audit_widths.png", reproduce),
        ("summary.csv", sweep),
        ("bands.csv", sweep),
        ("timing.json", sweep),
        // A run's folder that only has the name of one.
        ("runs/gauss-newton-alpha_8-seed_1/notes.txt", sweep),
    ] {
        mine(name);
        let place = if name.ends_with("notes.txt") { "alpha_8-seed_1" } else { name };
        refused(arguments, path, 2, &[place, "left as it is", "accepted"]);
        fs::remove_file(path.join("o").join(name)).unwrap();
    }
    fs::remove_dir(path.join("o/figures")).unwrap();
    // What is nobody's name stays through a sweep, be it where sweeps clean up.
    for name in ["letter.txt", "checkpoints/model.bin", "runs/more/notes.txt"] {
        mine(name);
    }
    succeeds(sweep, path);
    for name in ["letter.txt", "checkpoints/model.bin", "runs/more/notes.txt"] {
        assert_eq!(fs::read(path.join("o").join(name)).unwrap(), b"mine", "{name}");
    }
    // A damaged run is made again, but not over a file that somebody put beside it.
    mine(&format!("{run}/notes.txt"));
    fs::write(path.join(format!("o/{run}/trace.csv")), "damaged").unwrap();
    refused(sweep, path, 2, &["notes.txt"]);
    fs::remove_file(path.join(format!("o/{run}/notes.txt"))).unwrap();
    succeeds(sweep, path);
}

#[test]
fn a_run_replaces_itself_and_others_only_when_told() {
    let home = home();
    let path = home.path();
    let outcome = format!("o/runs/{ID}/outcome.json");
    fs::write(path.join(format!("o/runs/{ID}/notes.txt")), "mine").unwrap();
    succeeds(&["audit", "o"], path);
    let before = tree(&path.join("o"));
    // The same configuration, in whatever words.
    succeeds(&["run", "c.toml", "--out", "o"], path);
    succeeds(&["run", &format!("o/runs/{ID}/config.toml"), "--out", "o"], path);
    assert_same(&before, &tree(&path.join("o")), "after the same run");
    // A killed or damaged one is made again.
    fs::remove_file(path.join(&outcome)).unwrap();
    fs::write(path.join(format!("o/runs/{ID}/trace.csv")), "damaged").unwrap();
    succeeds(&["run", "c.toml", "--out", "o"], path);
    assert_same(&before, &tree(&path.join("o")), "after a damaged run");

    let facts = &[ID, "horizon = 0.02", "horizon = 0.03", "--overwrite"];
    refused(&["run", "other.toml", "--out", "o"], path, 2, facts);
    refused(&["run", "other.toml", "--out", "o", "--resume"], path, 2, facts);
    succeeds(&["run", "other.toml", "--out", "o", "--overwrite"], path);
    let config = fs::read_to_string(path.join(format!("o/runs/{ID}/config.toml"))).unwrap();
    assert!(config.contains("horizon = 0.03"), "{config}");
    assert!(path.join(format!("o/runs/{ID}/notes.txt")).exists());
    // The audit was of the run that is gone.
    assert!(!path.join(format!("o/runs/{ID}/audit.json")).exists());
    succeeds(&["audit", "o"], path);

    // Equal words about other data.
    let config = "data = { path = 'd.csv', target = 'y', samples = 3 }\nnetwork.hidden = 1\n\
                  dynamics.horizon = 0.02\n";
    fs::write(path.join("d.toml"), config).unwrap();
    succeeds(&["run", "d.toml", "--out", "n"], path);
    fs::write(path.join("d.csv"), "x,y\n1,3.2\n8,5.2\n27,7.2\n64,9.2\n").unwrap();
    refused(&["run", "d.toml", "--out", "n"], path, 2, &["data", "--overwrite"]);
    succeeds(&["run", "d.toml", "--out", "n", "--overwrite"], path);
}

#[test]
fn a_sweep_and_a_reproduction_replace_others_only_when_told() {
    let home = home();
    let path = home.path();
    let facts = &["--resume", "--overwrite", "1 runs"];
    refused(&["sweep", "s.toml", "--out", "o"], path, 2, facts);
    refused(&["reproduce", "--quick", "--out", "o", "--seeds", "1"], path, 2, &["--overwrite", ID]);
    succeeds(&["sweep", "s.toml", "--out", "o", "--resume"], path);
    let before = tree(&path.join("o"));
    fs::write(
        path.join("s.toml"),
        format!("{}[sweep]\nseeds = 2\n", SMALL.replace("0.02", "0.03")),
    )
    .unwrap();
    refused(&["sweep", "s.toml", "--out", "o", "--resume"], path, 2, &[ID, "--overwrite"]);
    refused(&["sweep", "s.toml", "--out", "o", "--resume", "--overwrite"], path, 2, &["--resume"]);
    succeeds(&["sweep", "s.toml", "--out", "o", "--overwrite"], path);
    fs::write(path.join("s.toml"), format!("{SMALL}[sweep]\nseeds = 2\n")).unwrap();
    succeeds(&["sweep", "s.toml", "--out", "o", "--overwrite"], path);
    assert_same(&before, &tree(&path.join("o")), "after two sweeps that overwrote");
}

#[test]
fn a_fit_replaces_the_fit_of_its_problem_alone() {
    let home = home();
    let path = home.path();
    let files = ["fit.json", "fit.svg", "fit.png", "residuals.svg", "residuals.png"];
    fs::create_dir(path.join("f")).unwrap();
    for name in files {
        for text in ["mine", "{}", "{\"schema\": 1}", "<svg xmlns=\"http://www.w3.org/2000/svg\"/>"]
        {
            fs::write(path.join("f").join(name), text).unwrap();
            for last in [&["--quiet"][..], &["--overwrite"]] {
                let arguments = [&["fit", "p.toml", "--out", "f"][..], last].concat();
                refused(&arguments, path, 2, &[&format!("f/{name}"), "left as it is", "accepted"]);
            }
        }
        fs::remove_file(path.join("f").join(name)).unwrap();
        fs::create_dir(path.join("f").join(name)).unwrap();
        refused(&["fit", "p.toml", "--out", "f"], path, 2, &[name, "is a folder"]);
        fs::remove_dir(path.join("f").join(name)).unwrap();
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink("../d.csv", path.join("f").join(name)).unwrap();
            refused(&["fit", "p.toml", "--out", "f"], path, 2, &[name, "is a link"]);
            fs::remove_file(path.join("f").join(name)).unwrap();
        }
    }
    // Among other files, again, and with a changed problem.
    fs::write(path.join("f/letter.txt"), "mine").unwrap();
    for _ in 0..2 {
        succeeds(&["fit", "p.toml", "--out", "f"], path);
        succeeds(&["fit", "p.toml"], path);
    }
    let text = fs::read_to_string(path.join("p.toml")).unwrap();
    fs::write(path.join("p.toml"), text.replace("a * x + b", "a * sqrt(x) + b")).unwrap();
    succeeds(&["fit", "p.toml", "--out", "f"], path);
    succeeds(&["fit", &path.join("p.toml").display().to_string(), "--out", "f"], path);
    assert!(fs::read_to_string(path.join("f/fit.json")).unwrap().contains("sqrt"));
    assert_eq!(fs::read(path.join("f/letter.txt")).unwrap(), b"mine");
    // Another problem, and one of the same name elsewhere.
    refused(&["fit", "q.toml", "--out", "f"], path, 2, &["f/fit.json", "../p.toml", "--overwrite"]);
    fs::create_dir(path.join("sub")).unwrap();
    fs::copy(path.join("q.toml"), path.join("sub/p.toml")).unwrap();
    fs::copy(path.join("d.csv"), path.join("sub/d.csv")).unwrap();
    refused(&["fit", "sub/p.toml", "--out", "f"], path, 2, &["../p.toml", "--overwrite"]);
    succeeds(&["fit", "q.toml", "--out", "f", "--overwrite"], path);
    assert!(fs::read_to_string(path.join("f/fit.json")).unwrap().contains("\"../q.toml\""));
    // A file that is protected stays.
    let record = path.join("f/fit.json");
    let mut permissions = record.metadata().unwrap().permissions();
    permissions.set_readonly(true);
    fs::set_permissions(&record, permissions).unwrap();
    refused(&["fit", "q.toml", "--out", "f"], path, 3, &["f/fit.json", "write-protected"]);
}

#[test]
fn a_number_in_a_name_is_as_short_as_it_can_be_read_back() {
    let home = home();
    let path = home.path();
    for (alpha, id) in [
        ("1e300", "gauss-newton-alpha_1e300-seed_0"),
        ("5e-324", "gauss-newton-alpha_5e-324-seed_0"),
        ("0.125", "gauss-newton-alpha_0.125-seed_0"),
        ("256", "gauss-newton-alpha_256-seed_0"),
        ("0.00001", "gauss-newton-alpha_0.00001-seed_0"),
        ("1000000", "gauss-newton-alpha_1000000-seed_0"),
    ] {
        fs::write(path.join("a.toml"), format!("{SMALL}dynamics.scaling = {alpha}\n")).unwrap();
        succeeds(&["run", "a.toml", "--out", "a"], path);
        assert!(path.join("a/runs").join(id).join("outcome.json").exists(), "{alpha}");
        succeeds(&["compare", &format!("a/runs/{id}"), &format!("a/runs/{id}")], path);
    }
    succeeds(&["report", "a"], path);
    let page = fs::read_to_string(path.join("a/report.html")).unwrap();
    assert!(page.contains("alpha_1e300") && page.contains("alpha_5e-324"));
    fs::write(
        path.join("a.toml"),
        format!(
            "{SMALL}dynamics.preconditioner = 'levenberg-marquardt'\ndynamics.damping = 1e-300\n[sweep]\n\
             seeds = 1\n\"dynamics.scaling\" = [1e300, 1e-300]\n\"events.ball_radius\" = [1e300]\n"
        ),
    )
    .unwrap();
    succeeds(&["sweep", "a.toml", "--out", "b"], path);
    let id = "levenberg-marquardt-rho_1e-300-alpha_1e-300-seed_0-ball_radius_1e300";
    assert!(path.join("b/runs").join(id).exists(), "{:?}", tree(&path.join("b")).keys());
}
