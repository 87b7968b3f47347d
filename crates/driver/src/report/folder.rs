//! What a folder of ours holds, read as far as it can be read: what is missing or damaged is listed.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Component, Path, PathBuf};

use gaussflow_records::{
    AuditRecord, Claim, Manifest, Outcome, RecordError, TraceRow, ownership, read_json, read_trace,
};
use serde::de::DeserializeOwned;

use super::ReportError;
use super::settings::{self, Settings};
use crate::conclusions::{further_papers, report_file};
use crate::fit::FitRecord;
use crate::remark::remark;

/// What kind of folder it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Written by `gaussflow reproduce`: it has claims.
    Reproduction,
    /// Several runs.
    Sweep,
    /// Written by `gaussflow reproduce --deep`: networks of several depths.
    Deep,
    /// One run, in a folder with a manifest or by itself.
    Run,
    /// Written by `gaussflow fit`.
    Fit,
}

/// One run's folder.
#[derive(Debug, Default)]
pub struct Run {
    /// Its name.
    pub id: String,
    /// Relative to the root, with forward slashes; empty where the root is the run.
    pub path: String,
    /// config.toml as `section.key` and value; `None` where it cannot be read.
    pub settings: Option<Settings>,
    /// Empty where it cannot be read.
    pub trace: Vec<TraceRow>,
    /// `None` where it cannot be read.
    pub outcome: Option<Outcome>,
}

impl Run {
    /// The sentence on a run that lost rank, fell back or rose in loss.
    pub fn remark(&self) -> Option<String> {
        remark(self.outcome.as_ref()?, &self.trace)
    }
}

/// Everything that a report shows.
#[derive(Debug)]
pub struct Contents {
    /// Reproduction, sweep, run or fit.
    pub kind: Kind,
    /// fit.json; `None` where there is none, or where it is damaged.
    pub fit: Option<FitRecord>,
    /// Where timing.json lies, if it is there: its numbers never enter the page.
    pub timing: Option<String>,
    /// `None` where it is missing or damaged.
    pub manifest: Option<Manifest>,
    /// Empty where there are none.
    pub claims: Vec<Claim>,
    /// The records of audit.json, at the root and in the runs' folders.
    pub audit: Vec<AuditRecord>,
    /// In the manifest's order.
    pub runs: Vec<Run>,
    /// Stems of the figures, `figures/NAME` without the ending, in the manifest's order.
    pub figures: Vec<String>,
    /// Further files at the root that a reader may open: their names.
    pub files: Vec<String>,
    /// What is missing or damaged, in words; empty where all is well.
    pub problems: Vec<String>,
}

impl Contents {
    /// Reads `root`.
    ///
    /// # Errors
    /// [`ReportError::NotOurs`] where `root` holds neither a manifest of ours nor runs;
    /// [`ReportError::Record`] where it is no folder that can be read.
    pub fn read(root: &Path) -> Result<Self, ReportError> {
        fs::read_dir(root).map_err(|source| RecordError::Read { path: root.to_owned(), source })?;
        let single = ownership::holds_run(root);
        let holds_runs =
            || folders(root).iter().any(|run| ownership::holds_run(&root.join("runs").join(run)));
        let ours = single || ownership::is_ours(&root.join("manifest.json")) || holds_runs();
        if !ours {
            return Self::of_fit(root)
                .ok_or_else(|| ReportError::NotOurs { path: root.to_owned() });
        }
        let mut reader = Reader { root, problems: Vec::new() };
        let manifest: Option<Manifest> = if single {
            reader.optional("manifest.json")
        } else {
            reader.required("manifest.json")
        };
        let entries = if single {
            vec![(run_name(root), String::new())]
        } else {
            reader.entries(manifest.as_ref())
        };
        let mut audit: Vec<AuditRecord> = reader.optional("audit.json").unwrap_or_default();
        let runs: Vec<Run> = entries.into_iter().map(|(id, path)| reader.run(id, path)).collect();
        for run in runs.iter().filter(|run| !run.path.is_empty()) {
            let name = format!("{}/audit.json", run.path);
            audit.extend(reader.optional::<Vec<AuditRecord>>(&name).unwrap_or_default());
        }
        let claims: Vec<Claim> = reader.optional("claims.json").unwrap_or_default();
        let figures = reader.figures(manifest.as_ref());
        let known = ["summary.md", "summary.csv", "audit.md", "claims.json", "audit.json"];
        let of_papers = further_papers().map(report_file);
        let names = known.into_iter().map(str::to_owned).chain(of_papers);
        let files = names.filter(|name| root.join(name).is_file()).collect();
        let kind = match runs.len() {
            _ if root.join("claims.json").is_file() => Kind::Reproduction,
            _ if figures.iter().any(|stem| stem.contains("/figure_deep_")) => Kind::Deep,
            0 | 1 => Kind::Run,
            _ => Kind::Sweep,
        };
        let (problems, fit) = (reader.problems, None);
        // A run by itself has its own.
        let own = runs.first().filter(|run| kind == Kind::Run && !run.path.is_empty());
        let of_run = own.map(|run| format!("{}/timing.json", run.path));
        let is_there = |name: &String| confined(root, name).is_some_and(|path| path.is_file());
        let timing = ["timing.json".to_owned()].into_iter().chain(of_run).find(is_there);
        Ok(Self { kind, fit, timing, manifest, claims, audit, runs, figures, files, problems })
    }

    /// What `gaussflow fit` wrote into `root`; `None` where there is no fit.json of ours.
    fn of_fit(root: &Path) -> Option<Self> {
        let mut reader = Reader { root, problems: Vec::new() };
        if !ownership::is_ours(&root.join("fit.json")) {
            return None;
        }
        let fit = reader.required("fit.json");
        let is_there = |stem: &&str| root.join(format!("{stem}.svg")).is_file();
        let figures = ["fit", "residuals"].iter().filter(|stem| is_there(stem));
        Some(Self {
            kind: Kind::Fit,
            fit,
            timing: None,
            manifest: None,
            claims: Vec::new(),
            audit: Vec::new(),
            runs: Vec::new(),
            figures: figures.map(|stem| (*stem).to_owned()).collect(),
            files: vec!["fit.json".to_owned()],
            problems: reader.problems,
        })
    }
}

/// Reads files of one folder and keeps account of what it could not read.
struct Reader<'r> {
    root: &'r Path,
    problems: Vec<String>,
}

impl Reader<'_> {
    /// A file that may be absent.
    fn optional<T: DeserializeOwned>(&mut self, name: &str) -> Option<T> {
        self.root.join(name).exists().then(|| self.required(name)).flatten()
    }

    /// A file that should be there.
    fn required<T: DeserializeOwned>(&mut self, name: &str) -> Option<T> {
        self.read(name, read_json)
    }

    /// What `read` makes of a file, or one more problem.
    fn read<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(&Path) -> Result<T, RecordError>,
    ) -> Option<T> {
        match read(&self.inside(name)?) {
            Ok(value) => Some(value),
            Err(error) => {
                self.problems.push(format!("{name}: {}", error.reason()));
                None
            }
        }
    }

    /// The path below the root; a name that leads elsewhere is a problem.
    fn inside(&mut self, name: &str) -> Option<PathBuf> {
        let path = confined(self.root, name);
        if path.is_none() {
            self.problems.push(format!("{name}: leads out of the folder; not opened"));
        }
        path
    }

    /// Names and paths of the runs: the manifest's, or what lies in `runs/` where it lists none.
    fn entries(&mut self, manifest: Option<&Manifest>) -> Vec<(String, String)> {
        let found = folders(self.root);
        let listed = manifest.map_or(&[][..], |manifest| &manifest.runs);
        if listed.is_empty() {
            if manifest.is_some() && !found.is_empty() {
                let count = found.len();
                self.problems.push(format!(
                    "manifest.json lists no runs, as after an interrupt: the {count} in runs/ are shown"
                ));
            }
            return found.into_iter().map(|id| (id.clone(), format!("runs/{id}"))).collect();
        }
        let strays = found
            .iter()
            .filter(|id| !listed.iter().any(|run| run.path == format!("runs/{id}")))
            .count();
        if strays > 0 {
            self.problems.push(format!(
                "runs/ holds {strays} more that manifest.json does not list; they are left out"
            ));
        }
        listed.iter().map(|run| (run.id.clone(), run.path.clone())).collect()
    }

    /// One run's folder.
    fn run(&mut self, id: String, path: String) -> Run {
        let name = |file: &str| match path.as_str() {
            "" => file.to_owned(),
            path => format!("{path}/{file}"),
        };
        // One remark a run is enough where its whole folder is elsewhere or gone.
        let Some(folder) = self.inside(&path) else { return Run { id, ..Run::default() } };
        if !folder.is_dir() {
            self.problems.push(format!("{path}: the folder is missing"));
            return Run { id, path, ..Run::default() };
        }
        let outcome = self.required(&name("outcome.json"));
        let trace = self.read(&name("trace.csv"), read_trace);
        let settings = self.read(&name("config.toml"), settings::read);
        Run { id, settings, trace: trace.unwrap_or_default(), outcome, path }
    }

    /// Stems of the manifest's figures that are there, each once.
    fn figures(&mut self, manifest: Option<&Manifest>) -> Vec<String> {
        let mut stems: BTreeMap<String, usize> = BTreeMap::new();
        for name in manifest.map_or(&[][..], |manifest| &manifest.figures) {
            let Some(path) = self.inside(name) else { continue };
            let Some(stem) = name.strip_suffix(".svg").or_else(|| name.strip_suffix(".png")) else {
                continue;
            };
            if path.is_file() {
                let place = stems.len();
                stems.entry(stem.to_owned()).or_insert(place);
            } else {
                self.problems.push(format!("{name}: missing"));
            }
        }
        let mut ordered: Vec<(usize, String)> =
            stems.into_iter().map(|(stem, place)| (place, stem)).collect();
        ordered.sort();
        ordered.into_iter().map(|(_, stem)| stem).collect()
    }
}

/// `root/relative` if it stays below `root`, symbolic links followed; absent files count as inside.
pub fn confined(root: &Path, relative: &str) -> Option<PathBuf> {
    let plain = |part: Component<'_>| matches!(part, Component::Normal(_) | Component::CurDir);
    let path = root.join(relative);
    if !Path::new(relative).components().all(plain) {
        return None;
    }
    let (Ok(real), Ok(base)) = (path.canonicalize(), root.canonicalize()) else {
        return Some(path);
    };
    real.starts_with(base).then_some(path)
}

/// Names of the folders in `runs/` that hold a run, sorted.
fn folders(root: &Path) -> Vec<String> {
    let entries = fs::read_dir(root.join("runs")).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries
        .filter(|entry| entry.path().join("config.toml").is_file())
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect();
    names.sort();
    names
}

/// The name of a run's folder.
fn run_name(root: &Path) -> String {
    let real = root.canonicalize().unwrap_or_else(|_| root.to_owned());
    real.file_name().map_or_else(|| "run".to_owned(), |name| name.to_string_lossy().into_owned())
}
