//! `gaussflow reproduce`: section 5 of the paper, from the rows to traces, figures, claims and check.

pub mod baselines;
pub mod charts;
pub mod check;
pub mod claims;
mod comparisons;
pub mod deep;
mod error;
mod findings;
pub mod geometry;
pub mod held_out;
mod material;
mod otherwise;
pub mod plan;
pub mod results;
pub mod seeds;
pub mod summary;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::Instant;

use gaussflow_data::{Dataset, california_housing};
use gaussflow_figures::render;
use gaussflow_records::{
    Claim, Overwrite, RecordError, RunEntry, Timing, create_folder, ownership, write_bytes,
    write_json,
};
use rayon::prelude::*;

use gaussflow::theory::referee::{Extent, Search};

use crate::audit::audit_papers;
use crate::conclusions::{Conclusions, further_papers, report_file};
use crate::console;
use crate::needs::{Item, Needs, Shape, TooLarge};
use crate::progress::Progress;
use crate::report;
use crate::run::{self, Experiment, INTERRUPT, RunError, RunFolder, identity, new_manifest};

use self::check::Reference;
pub use self::error::ReproduceError;
pub use self::plan::Mode;
use self::plan::{Planned, plan};
use self::results::{Finished, Results, constants};

/// The seed whose curves the figures show.
const DEFAULT_SEED: u64 = 0;

/// What the command line asks for.
#[derive(Clone, Debug)]
pub struct Request {
    /// The folder to write.
    pub out: PathBuf,
    /// Number of seeds; the mode's own when `None`.
    pub seeds: Option<u64>,
    /// How much to run.
    pub mode: Mode,
    /// Keys of the further papers to audit; those of the mode when `None`.
    pub papers: Option<Vec<String>>,
    /// Draws of the adversary for each family of problems; the mode's own work when `None`.
    pub adversary: Option<usize>,
    /// Whether to compare with the committed reference.
    pub check: bool,
    /// Where to write reference values.
    pub write_reference: Option<PathBuf>,
    /// Whether other results of ours in the folder may be replaced.
    pub overwrite: Overwrite,
    /// Whether to print errors only.
    pub quiet: bool,
}

impl Request {
    /// The number of seeds.
    fn seeds(&self) -> Result<u64, ReproduceError> {
        let seeds = self.seeds.unwrap_or(self.mode.seeds());
        if (1..=1_000_000).contains(&seeds) {
            return Ok(seeds);
        }
        Err(ReproduceError::Seeds { seeds })
    }
}

/// Seed of the adversary's genes.
const ADVERSARY_SEED: u64 = 1;
/// Work of the adversary for each family of problems, in units of a hundred microseconds.
const ADVERSARY_WORK: [usize; 2] = [15_000, 60_000];

impl Request {
    /// The further papers, and how the adversary searches.
    fn audit(&self) -> (Vec<String>, Search) {
        let all = || further_papers().map(str::to_owned).collect();
        let papers = self.papers.clone().unwrap_or_else(|| self.mode.choose(Vec::new(), all()));
        let [quick, full] = ADVERSARY_WORK;
        let work = Extent::Work(self.mode.choose(quick, full));
        let extent = self.adversary.map_or(work, Extent::Draws);
        (papers, Search { seed: ADVERSARY_SEED, extent })
    }
}

/// Refuses seeds whose traces have no room: those of all runs are kept until the figures are drawn. `of_one_seed` are the
/// runs that a seed has.
fn require_room(seeds: u64, of_one_seed: &[Planned], data: &Dataset) -> Result<(), RunError> {
    let each = of_one_seed.iter().fold(0_u64, |bytes, planned| {
        let needs = Needs::of(&planned.config, Shape::of(data, 1));
        bytes.saturating_add(needs.of_item(Item::Trace))
    });
    TooLarge::flag("--seeds", seeds, each)?;
    Ok(())
}

/// A reproduction at work: its folder, and when it began.
struct Session {
    folder: RunFolder,
    begun: Instant,
    quiet: bool,
}

impl Session {
    /// Opens the folder for these runs, once they are known to replace nothing of others.
    fn open(
        request: &Request,
        planned: &[Planned],
        data: &Dataset,
    ) -> Result<Self, ReproduceError> {
        let begun = Instant::now();
        let folder = RunFolder::open(&request.out)?;
        admit(&folder, planned, request.overwrite)?;
        folder.claim(DEFAULT_SEED, &identity(data))?;
        Ok(Self { folder, begun, quiet: request.quiet })
    }

    /// Integrates the runs, several at a time, and writes each.
    fn run_all(&self, planned: Vec<Planned>, data: &Dataset) -> Result<Vec<Finished>, RunError> {
        let progress = Progress::new(planned.len(), self.quiet);
        let runs = planned
            .into_par_iter()
            .with_max_len(1)
            .map(|planned| {
                let finished = one(planned, data, &self.folder)?;
                progress.advance(&finished.id);
                Ok(finished)
            })
            .collect::<Result<Vec<_>, RunError>>()?;
        progress.finish();
        Ok(runs)
    }

    /// Writes timing.json, and manifest.json last: runs with their seconds, times of parts, and the figures' stems.
    fn finish(
        &self,
        data: &Dataset,
        runs: &[(String, f64)],
        shared: &[(&str, f64)],
        figures: &[String],
    ) -> Result<(), RecordError> {
        let mut parts: BTreeMap<String, f64> = runs.iter().cloned().collect();
        parts.extend(shared.iter().map(|(name, seconds)| ((*name).to_owned(), *seconds)));
        let (seconds, threads) = (self.seconds(), rayon::current_num_threads());
        write_json(&self.root().join("timing.json"), &Timing::ending_now(seconds, parts, threads))?;
        // A manifest that lists runs and figures is of a finished reproduction.
        let mut manifest = new_manifest(DEFAULT_SEED, &identity(data));
        let entry =
            |(id, _): &(String, f64)| RunEntry { id: id.clone(), path: RunFolder::run_path(id) };
        manifest.runs = runs.iter().map(entry).collect();
        manifest.figures = figures
            .iter()
            .flat_map(|stem| ["svg", "png"].map(|kind| format!("figures/{stem}.{kind}")))
            .collect();
        self.folder.write_manifest(&manifest)
    }

    /// The folder.
    fn root(&self) -> &Path {
        self.folder.root()
    }

    /// Seconds since it began.
    fn seconds(&self) -> f64 {
        self.begun.elapsed().as_secs_f64()
    }

    /// Prints a line, unless the user asked for none.
    fn say(&self, line: std::fmt::Arguments<'_>) {
        if !self.quiet {
            console::say(line);
        }
    }
}

/// Runs section 5 and writes its folder.
///
/// # Errors
/// [`ReproduceError`]; with `check`, [`ReproduceError::Moved`] after everything is written.
pub fn reproduce(request: &Request) -> Result<(), ReproduceError> {
    let seeds = request.seeds()?;
    let data = california_housing()?;
    require_room(seeds, &plan(request.mode, 1), &data)?;
    let planned = plan(request.mode, seeds);
    let session = Session::open(request, &planned, &data)?;
    let checks = geometry::checks(&planned, &data)?;
    let runs = session.run_all(planned, &data)?;
    let integrated = session.seconds();

    let network = "m = 18, tanh".to_owned();
    let baselines = baselines::baselines(&data, seeds)?;
    let results = Results { mode: request.mode, seeds, network, runs, baselines };
    let claims = claims::claims(&results);
    let figures = session.root().join("figures");
    create_folder(&figures)?;
    let mut charts = charts::charts(&results);
    charts.push(("figure_geometry_checks", checks));
    let written = charts
        .par_iter()
        .map(|(stem, chart)| render(chart, &figures, stem).map(|_| *stem))
        .collect::<Result<Vec<_>, _>>()?;
    write_json(&session.root().join("claims.json"), &claims)?;
    let before_audit = session.seconds();
    let (papers, search) = request.audit();
    let material = material::material(&data, &results)?;
    let audited = audit_papers(&material, &papers, &search, session.root())?;
    let audit_seconds = session.seconds() - before_audit;
    let summary = summary::markdown(&results, &claims, &written, &audited.reports);
    write_bytes(&session.root().join("summary.md"), summary.as_bytes())?;
    let named: Vec<(String, f64)> =
        results.runs.iter().map(|run| (run.id.clone(), run.seconds)).collect();
    let stems: Vec<String> =
        written.into_iter().map(str::to_owned).chain(audited.figures.iter().cloned()).collect();
    let parts =
        [("all runs", integrated), ("audit", audit_seconds), ("adversary", audited.attack_seconds)];
    session.finish(&data, &named, &parts, &stems)?;
    // The page shows what lies in the folder, the manifest included.
    let report = report::write(session.root())?;
    if let Some(path) = &request.write_reference {
        Reference::write(path, &results, &claims)?;
    }
    session.say(format_args!("{} runs in {:.1} s", results.runs.len(), session.seconds()));
    if !request.quiet {
        console::print(&summary::terminal(&claims));
    }
    let told = results.runs.iter().filter(|run| run.remark().is_some()).count();
    if told > 0 {
        session.say(format_args!(
            "{told} runs lost rank, fell back or rose in loss: summary.md tells of each when, and what to do"
        ));
    }
    for (key, conclusions) in Conclusions::by_paper(&audited.records) {
        session.say(format_args!("audit, {key}: {}", conclusions.in_words()));
    }
    for file in std::iter::once("summary.md").chain(audited.reports.iter().map(String::as_str)) {
        session.say(format_args!("see {}", session.root().join(file).display()));
    }
    session.say(format_args!("see {}", report.path.display()));
    if request.check { compare(&results, &claims, request.quiet) } else { Ok(()) }
}

/// Tests, before anything is computed, that nothing will be replaced but what an equal call has written, or what
/// `overwrite` allows.
fn admit(folder: &RunFolder, planned: &[Planned], overwrite: Overwrite) -> Result<(), RunError> {
    let root = folder.root();
    let names =
        ["claims.json", "summary.md", "timing.json", "audit.json", "audit.md", report::FILE];
    ownership::all_replaceable(root, names)?;
    let of_papers: Vec<String> = further_papers().map(report_file).collect();
    ownership::all_replaceable(root, of_papers.iter().map(String::as_str))?;
    // All pictures of a reproduction have such names.
    let is_picture = |name: &String| {
        ["figure_", "audit_"].iter().any(|start| name.starts_with(start))
            && [".svg", ".png"].iter().any(|end| name.ends_with(end))
    };
    let figures = root.join("figures");
    let there = std::fs::read_dir(&figures).into_iter().flatten().flatten();
    let names: Vec<String> =
        there.filter_map(|entry| entry.file_name().into_string().ok()).filter(is_picture).collect();
    ownership::all_replaceable(&figures, names.iter().map(String::as_str))?;
    folder.admit_plan(planned.iter().map(|planned| planned.id.as_str()), overwrite)?;
    for planned in planned {
        folder.admit(&planned.id, &planned.config, None, overwrite)?;
    }
    Ok(())
}

/// Runs and writes one planned run.
fn one(planned: Planned, data: &Dataset, folder: &RunFolder) -> Result<Finished, RunError> {
    if INTERRUPT.load(Ordering::Relaxed) {
        return Err(RunError::Interrupted);
    }
    let Planned { id, method, scaling, seed, config } = planned;
    let experiment = Experiment::new(config, data)?;
    let record = run::execute(&experiment)?;
    // An interrupted run is not a result: what is on disk stays as it was.
    if INTERRUPT.load(Ordering::Relaxed) {
        return Err(RunError::Interrupted);
    }
    run::write(&record, &folder.root().join(RunFolder::run_path(&id)))?;
    let constants = constants(&experiment, &record.trace);
    let run::RunRecord { trace, outcome, seconds, problem, .. } = record;
    let rows = problem.rows.len();
    Ok(Finished { id, method, scaling, seed, trace, outcome, constants, rows, seconds })
}

/// `--check`: prints what moved and fails when anything did.
fn compare(results: &Results, claims: &[Claim], quiet: bool) -> Result<(), ReproduceError> {
    let reference = Reference::committed().map_err(|source| RecordError::Json {
        path: PathBuf::from("reference.json (committed)"),
        source,
    })?;
    let (moved, compared) = reference.compare(results, claims);
    for value in &moved {
        console::note(format_args!(
            "moved: {}: reference {:e}, found {:e} (relative tolerance {:e})",
            value.what, value.reference, value.found, value.tolerance
        ));
    }
    if !moved.is_empty() || compared == 0 {
        return Err(ReproduceError::Moved { count: moved.len(), compared });
    }
    if !quiet {
        console::say(format_args!("check: {compared} values agree with the reference"));
    }
    Ok(())
}
