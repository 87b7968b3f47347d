//! `gaussflow report`: report.html, one page that opens offline, from a folder of runs.
//!
//! Equal folders give equal bytes: no time, no path of the machine and nothing random enters the page.

mod audit_table;
mod beside;
mod charts;
mod claims;
mod classes;
mod curves;
mod ending;
mod findings;
mod first_screen;
mod fit;
mod folder;
mod formula;
mod groups;
mod markup;
mod pictures;
mod provenance;
mod runs;
mod settings;
#[cfg(test)]
mod tests;

use std::fmt::Write;
use std::path::{Path, PathBuf};

use gaussflow_records::{RecordError, create_folder, ownership, write_bytes};

use self::beside::Side;
pub(crate) use self::claims::{kept_everywhere, tally};
use self::folder::{Contents, Kind};
use self::markup::{escape, script_hash};
use self::pictures::Pictures;
use crate::conclusions::Conclusions;
use crate::exit_status::BAD_INPUT;

/// The file's name.
pub const FILE: &str = ownership::REPORT;
/// Problems that the page spells out.
const MOST_PROBLEMS: usize = 30;

const STYLE: &str = include_str!("../../assets/report.css");
const CHART_STYLE: &str = include_str!("../../assets/uplot/uPlot.min.css");
const CHART_LIBRARY: &str = include_str!("../../assets/uplot/uPlot.iife.min.js");
const FOLDS: &str = include_str!("../../assets/folds.js");
/// The charts: each file may use those before it.
const CHARTS: &str = concat!(
    include_str!("../../assets/palette.js"),
    include_str!("../../assets/chart_values.js"),
    include_str!("../../assets/chart_axes.js"),
    include_str!("../../assets/chart_readout.js"),
    include_str!("../../assets/chart_export.js"),
    include_str!("../../assets/chart_link.js"),
    include_str!("../../assets/chart_controls.js"),
    include_str!("../../assets/charts.js"),
);
const TABLES: &str = include_str!("../../assets/tables.js");

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReportError {
    /// A folder that no command of ours wrote.
    #[error(
        "{}: neither a manifest.json nor a run that gaussflow wrote is there; \
         name a folder that gaussflow run, sweep, reproduce or fit wrote, or one run's folder",
        path.display()
    )]
    NotOurs {
        /// The folder.
        path: PathBuf,
    },
    /// A file.
    #[error(transparent)]
    Record(#[from] RecordError),
}

impl ReportError {
    /// The exit status that belongs to it.
    pub fn exit_status(&self) -> u8 {
        match self {
            Self::NotOurs { .. } => BAD_INPUT,
            Self::Record(error) => error.exit_status(),
        }
    }
}

/// A report that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The page.
    pub path: PathBuf,
    /// What was missing or damaged, as the page says it; empty where all is well.
    pub problems: Vec<String>,
}

/// Reads the folder `root` (a reproduction, a sweep, a run's folder, a fit) and writes `root/report.html`.
///
/// Missing and damaged parts are named on the page and in [`Written::problems`].
///
/// # Errors
/// [`ReportError::NotOurs`] where `root` holds neither a manifest of ours nor runs; [`ReportError::Record`] where it cannot
/// be read, or the page cannot be written, or a report.html is there that is not ours.
pub fn write(root: &Path) -> Result<Written, ReportError> {
    let contents = Contents::read(root)?;
    ownership::replaceable(&root.join(FILE))?;
    let page = page(&contents, &Pictures::read(root, &contents.figures));
    let path = root.join(FILE);
    write_bytes(&path, page.as_bytes())?;
    Ok(Written { path, problems: contents.problems })
}

/// Reads two such folders and writes `into/report.html`, which lays them side by side: what differs comes first.
///
/// # Errors
/// As [`write()`], for either folder.
pub fn write_beside(folders: [&Path; 2], into: &Path) -> Result<Written, ReportError> {
    let [first, second] = beside::names(folders);
    let sides = [
        Side { name: first, contents: Contents::read(folders[0])? },
        Side { name: second, contents: Contents::read(folders[1])? },
    ];
    let path = into.join(FILE);
    ownership::replaceable(&path)?;
    let named = |side: &Side| -> Vec<String> {
        side.contents.problems.iter().map(|problem| format!("{}: {problem}", side.name)).collect()
    };
    let found: Vec<String> = sides.iter().flat_map(named).collect();
    let runs = beside::joined(&sides);
    let sections = [
        problems(&found),
        beside::outcome(&sides),
        charts::section(&groups::groups(&runs)),
        beside::tables(&sides),
    ]
    .concat();
    create_folder(into)?;
    let page = document("Two folders side by side", &beside::subject(&sides), &sections);
    write_bytes(&path, page.as_bytes())?;
    Ok(Written { path, problems: found })
}

/// The name of a folder for the page on two folders.
pub fn name_beside(folders: [&Path; 2]) -> String {
    beside::names(folders).map(|name| name.replace('/', "-")).join("-beside-")
}

/// The whole page.
fn page(contents: &Contents, pictures: &Pictures<'_>) -> String {
    let title = match contents.kind {
        Kind::Reproduction => "Reproduction of section 5",
        Kind::Deep => "Section 5 with one, two and three hidden layers",
        Kind::Sweep => "Sweep",
        Kind::Run => "Run",
        Kind::Fit => "Fit",
    };
    let papers = Conclusions::by_paper(&contents.audit);
    let groups = groups::groups(&contents.runs);
    let sections = [
        problems(&contents.problems),
        first_screen::section(contents, &papers, &groups),
        fit::section(contents.fit.as_ref()),
        pictures.section(),
        charts::section(&groups),
        classes::section(&contents.runs),
        claims::section(&contents.claims),
        audit_table::section(&papers, pictures, &contents.files),
        runs::section(&contents.runs, &groups),
        provenance::section(contents),
    ]
    .concat();
    let of_paper = matches!(contents.kind, Kind::Reproduction | Kind::Deep);
    let header = format!(
        "{}<p class=\"subject\">{}</p>{}",
        if of_paper { provenance::paper() } else { String::new() },
        escape(&provenance::subject(contents)),
        provenance::line(contents)
    );
    document(title, &header, &sections)
}

/// A page of these sections, with a title and what stands below it as markup.
fn document(title: &str, header: &str, sections: &str) -> String {
    let script = format!("{CHART_LIBRARY}\n{FOLDS}\n{TABLES}\n{CHARTS}");
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; style-src \
         'unsafe-inline'; script-src {}; base-uri 'none'; form-action 'none'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{title} - gaussflow</title>\n\
         <link rel=\"icon\" href=\"data:,\">\n\
         <style>{CHART_STYLE}\n{STYLE}</style>\n</head>\n<body>\n<div class=\"skips\"><a class=\"skip\" \
         href=\"#content\">Skip to the content</a>{}</div>\n\
         <header><p class=\"brand\">gaussflow</p><h1>{title}</h1>{header}</header>\n{}\n\
         <main id=\"content\" tabindex=\"-1\">\n{sections}</main>\n<script>{script}</script>\n</body>\n</html>\n",
        script_hash(&script),
        if sections.contains("<section id=\"charts\"") {
            "<a class=\"skip\" href=\"#charts\">Skip to the charts</a>"
        } else {
            ""
        },
        navigation(sections),
    )
}

/// Links to the sections that are there, which stay in view.
fn navigation(sections: &str) -> String {
    let all = [
        ("problems", "Problems"),
        ("outcome", "Outcome"),
        ("parameters", "Parameters"),
        ("residuals", "Residuals"),
        ("figures", "Figures"),
        ("charts", "Traces"),
        ("classes", "Classes"),
        ("claims", "Claims"),
        ("audit", "Audit"),
        ("runs", "Runs"),
        ("settings", "Settings"),
        ("configuration", "Configuration"),
        ("provenance", "Provenance"),
    ];
    let mut text = String::from("<nav class=\"bar\" aria-label=\"Sections\">");
    for (id, name) in all {
        if sections.contains(&format!("<section id=\"{id}\"")) {
            let _ = write!(text, "<a href=\"#{id}\">{name}</a> ");
        }
    }
    text.push_str("</nav>");
    text
}

/// What is missing or damaged; empty where all is well.
fn problems(problems: &[String]) -> String {
    if problems.is_empty() {
        return String::new();
    }
    let mut text = String::from(
        "<section id=\"problems\" class=\"problems\"><h2>Missing or damaged</h2>\n<ul>\n",
    );
    for problem in problems.iter().take(MOST_PROBLEMS) {
        let _ = writeln!(text, "<li>{}</li>", escape(problem));
    }
    if problems.len() > MOST_PROBLEMS {
        let _ = writeln!(text, "<li>and {} more</li>", problems.len() - MOST_PROBLEMS);
    }
    text.push_str("</ul>\n<p>Everything else is shown below.</p></section>\n");
    text
}
