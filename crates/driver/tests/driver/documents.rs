//! The commands that the documents show: each is run as a reader would run it, and prints what the page says that it prints.
//!
//! In README.md, docs/ and the crates' README.md, a fence of `sh` holds lines that begin with `gaussflow`, which are run in order
//! in one folder a page. Any other command stands in a fence of its own below `<!-- not run: REASON -->`. A `toml` or `csv`
//! fence below `<!-- file: NAME -->` is written to that file first; each line of a `text` fence below `<!-- prints -->` must be
//! part of what the commands just before it printed.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The Markdown pages that show commands.
fn pages() -> Vec<PathBuf> {
    let mut found = vec![root().join("README.md")];
    let mut folders = vec![root().join("docs")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "md") {
                found.push(path);
            }
        }
    }
    let crates = fs::read_dir(root().join("crates")).unwrap();
    found.extend(
        crates.map(|one| one.unwrap().path().join("README.md")).filter(|page| page.is_file()),
    );
    found.sort();
    found
}

/// A fence: the comment on the line above it, its language, its lines.
struct Fence<'p> {
    line: usize,
    comment: &'p str,
    language: &'p str,
    lines: Vec<&'p str>,
}

impl Fence<'_> {
    /// Whether its commands are run by nobody, or by the gate.
    fn is_for_elsewhere(&self) -> bool {
        self.comment.starts_with("not run:") || self.comment == "test command"
    }
}

fn fences(page: &str) -> Vec<Fence<'_>> {
    let mut found: Vec<Fence<'_>> = Vec::new();
    let (mut open, mut above) = (false, "");
    for (place, line) in page.lines().enumerate() {
        if let Some(language) = line.trim_start().strip_prefix("```") {
            if !open {
                let comment = above.trim().strip_prefix("<!--").and_then(|c| c.strip_suffix("-->"));
                let comment = comment.unwrap_or("").trim();
                found.push(Fence {
                    line: place + 1,
                    comment,
                    language: language.trim(),
                    lines: vec![],
                });
            }
            open = !open;
        } else if open && let Some(fence) = found.last_mut() {
            fence.lines.push(line);
        }
        above = line;
    }
    found
}

/// The words of a command, quotes taken off, up to a comment.
fn words(command: &str) -> Vec<String> {
    let (mut found, mut word, mut quote, mut begun) = (Vec::new(), String::new(), None, false);
    for c in command.chars() {
        match (quote, c) {
            (None, '\'' | '"') => (quote, begun) = (Some(c), true),
            (Some(open), c) if c == open => quote = None,
            (None, '#') if !begun => break,
            (None, c) if c.is_whitespace() => {
                if begun {
                    found.push(std::mem::take(&mut word));
                }
                begun = false;
            }
            (_, c) => {
                word.push(c);
                begun = true;
            }
        }
    }
    if begun {
        found.push(word);
    }
    found
}

/// Runs one line in `folder`; what it printed, or what is wrong.
fn run(folder: &Path, line: &str) -> Result<String, String> {
    let mut words = words(line);
    if words.first().is_none_or(|first| first != "gaussflow") {
        return Err(
            "begins with another command than gaussflow and has no `<!-- not run: ... -->`"
                .to_owned(),
        );
    }
    let expected = line.rsplit_once("# exit ").map_or("0", |(_, status)| status.trim());
    let mut command = Command::new(env!("CARGO_BIN_EXE_gaussflow"));
    command.current_dir(folder).stdin(Stdio::null()).stdout(Stdio::piped());
    let into = words.iter().position(|word| word == ">");
    if let Some(place) = into {
        let name = words.get(place + 1).ok_or("names no file after >")?;
        command.stdout(File::create(folder.join(name)).map_err(|error| error.to_string())?);
        words.truncate(place);
    }
    let output = command.args(&words[1..]).output().map_err(|error| error.to_string())?;
    let said =
        [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    let said = said.join("\n");
    let status = output.status.code().map_or("a signal".to_owned(), |status| status.to_string());
    if status == expected { Ok(said) } else { Err(format!("ends with {status}:\n{said}")) }
}

/// Words with one blank between.
fn collapsed(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What is wrong on a page, line by line, and how many commands ran.
fn objections(page: &Path) -> (Vec<String>, usize) {
    let text = fs::read_to_string(page).unwrap();
    let folder = tempfile::tempdir().unwrap();
    #[cfg(unix)]
    for shown in ["crates", "docs"] {
        std::os::unix::fs::symlink(
            root().canonicalize().unwrap().join(shown),
            folder.path().join(shown),
        )
        .unwrap();
    }
    let name = page.strip_prefix(root()).unwrap().display();
    // What the last commands printed; `None` behind a program in Python, whose output the tests of the package compare.
    let (mut wrong, mut count, mut said) = (Vec::new(), 0, None::<String>);
    for fence in fences(&text) {
        if let Some(file) = fence.comment.strip_prefix("file:") {
            fs::write(folder.path().join(file.trim()), fence.lines.join("\n") + "\n").unwrap();
        } else if let Some(said) = said.as_ref().filter(|_| fence.comment == "prints") {
            for line in fence.lines.iter().filter(|line| !line.trim().is_empty()) {
                if !said.contains(&collapsed(line)) {
                    wrong.push(format!("{name}:{}: not printed: {line}\nbut: {said}", fence.line));
                }
            }
        } else if fence.language == "python" {
            said = None;
        } else if fence.language == "sh" && !fence.is_for_elsewhere() {
            let mut printed = String::new();
            let joined = fence.lines.join("\n").replace("\\\n", " ");
            for line in joined.lines().filter(|line| !words(line).is_empty()) {
                count += 1;
                match run(folder.path(), line) {
                    Ok(text) => printed.push_str(&(collapsed(&text) + " ")),
                    Err(why) => wrong.push(format!("{name}:{}: `{line}` {why}", fence.line)),
                }
            }
            said = Some(printed);
        }
    }
    (wrong, count)
}

#[test]
fn every_command_of_a_page_works_and_prints_what_the_page_says() {
    let pages = Mutex::new(pages());
    let found = Mutex::new((Vec::new(), 0));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(page) = { pages.lock().unwrap().pop() } {
                    let (wrong, count) = objections(&page);
                    let mut found = found.lock().unwrap();
                    found.0.extend(wrong);
                    found.1 += count;
                }
            });
        }
    });
    let (wrong, count) = found.into_inner().unwrap();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count > 5, "only {count} commands were found");
}

#[test]
fn what_is_wrong_on_a_page_is_found() {
    let folder = tempfile::tempdir_in(root().join("target")).unwrap();
    let page = folder.path().join("page.md");
    let tried = |text: &str| {
        fs::write(&page, text).unwrap();
        objections(&page)
    };
    let good = "<!-- file: a.toml -->\n```toml\n[data]\n```\n```sh\ngaussflow config > b.toml\ngaussflow run gone.toml --out x # exit 3\n```\n\
                <!-- prints -->\n```text\ngone.toml\n```\n<!-- not run: it is slow -->\n```sh\nmake all\n```\n";
    assert_eq!(tried(good), (Vec::new(), 2));
    for (from, to) in
        [("# exit 3", ""), ("```text\ngone", "```text\nwent"), ("<!-- not run: it is slow -->", "")]
    {
        assert!(!tried(&good.replacen(from, to, 1)).0.is_empty(), "{from}");
    }
    assert_eq!(
        words("gaussflow run 'a b' --set \"x = 1\"  # a remark"),
        ["gaussflow", "run", "a b", "--set", "x = 1"]
    );
}
