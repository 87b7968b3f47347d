//! Which problems are simulated, and the files that are written of them.

use std::path::Path;

use gaussflow_driver::{BAD_INPUT, IO_FAILED};
use gaussflow_figures::{FigureError, render};
use gaussflow_records::{RecordError, create_folder, folder::names_in, read_text, write_bytes};

use super::setting::{Link, Setting, SettingError};
use super::{Curve, Problem, Rows, chart, curve, page, table};
use crate::cost::Step;

/// Features of a row; the parameters are this many times the hidden units.
pub(super) const FEATURES: usize = 8;

/// The files that are written.
const FILES: [&str; 6] = [
    "scaling.csv",
    "scaling.md",
    "scaling_strong.svg",
    "scaling_strong.png",
    "scaling_weak.svg",
    "scaling_weak.png",
];

/// What to simulate.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Machine and networks.
    pub setting: Setting,
    /// Rows in all, for strong scaling.
    pub rows: Vec<usize>,
    /// Rows on each rank, for weak scaling.
    pub rows_per_rank: Vec<usize>,
    /// Parameters, multiples of 8.
    pub parameters: Vec<usize>,
    /// Iterations of a shared step.
    pub iterations: usize,
    /// Memory of a rank in GiB.
    pub memory: f64,
    /// The network of the figures.
    pub network: String,
}

/// Why nothing was simulated.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ScalingError {
    /// A value that has no meaning.
    #[error("{option}: {value}: accepted: {accepted}")]
    Value {
        /// The option of the command line.
        option: &'static str,
        /// Its value.
        value: String,
        /// What it may be.
        accepted: String,
    },
    /// The file of settings.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// A file that cannot be written, or a folder with other files.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// A figure that cannot be written.
    #[error(transparent)]
    Figure(#[from] FigureError),
}

impl ScalingError {
    /// Returns the exit status of a program that ends for this reason: 3 where reading or writing failed, 2 where a value
    /// is wrong.
    pub fn exit_status(&self) -> u8 {
        match self {
            Self::Record(error) | Self::Setting(SettingError::Read(error)) => error.exit_status(),
            Self::Figure(_) => IO_FAILED,
            Self::Value { .. } | Self::Setting(_) => BAD_INPUT,
        }
    }
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            setting: Setting::default(),
            rows: vec![20_640, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000],
            rows_per_rank: vec![10_000, 1_000_000],
            parameters: vec![512, 2_048, 8_192, 32_768, 100_000],
            iterations: 10,
            memory: 4.0,
            network: "ethernet-10g".to_owned(),
        }
    }
}

/// The curves over one network.
pub(super) struct Simulated<'p> {
    /// Its name.
    pub network: &'p str,
    pub link: Link,
    pub curves: Vec<Curve>,
}

impl Plan {
    /// Checks every value.
    ///
    /// # Errors
    /// [`ScalingError::Value`] names the option, the value and what is accepted.
    pub fn check(&self) -> Result<(), ScalingError> {
        let refuse = |option, value: String, accepted: &str| {
            Err(ScalingError::Value { option, value, accepted: accepted.to_owned() })
        };
        for (option, counts) in [
            ("--rows", &self.rows),
            ("--rows-per-rank", &self.rows_per_rank),
            ("--parameters", &self.parameters),
        ] {
            if counts.is_empty() {
                return refuse(option, "nothing".to_owned(), "at least one number");
            }
        }
        if let Some(p) = self.parameters.iter().find(|p| !p.is_multiple_of(FEATURES)) {
            let accepted = format!("multiples of {FEATURES}, the features of a row");
            return refuse("--parameters", p.to_string(), &accepted);
        }
        if !(self.memory.is_finite() && self.memory > 0.0) {
            let accepted = "a finite number of GiB above 0";
            return refuse("--memory", self.memory.to_string(), accepted);
        }
        if !self.setting.networks.contains_key(&self.network) {
            let names: Vec<&str> = self.setting.networks.keys().map(String::as_str).collect();
            return refuse("--network", self.network.clone(), &names.join(", "));
        }
        Ok(())
    }

    /// Bytes of a rank's memory.
    pub(super) fn memory_bytes(&self) -> f64 {
        self.memory * f64::from(1 << 30)
    }

    /// Every problem: in weak scaling rows soon outnumber parameters, and the dual step is left out.
    fn problems(&self) -> Vec<Problem> {
        let strong = self.rows.iter().map(|n| Rows::Total(*n));
        let weak = self.rows_per_rank.iter().map(|n| Rows::PerRank(*n));
        let shared = Step::Shared { iterations: self.iterations };
        let mut problems = Vec::new();
        for rows in strong.chain(weak) {
            for step in [Step::Direct, shared, Step::Orthogonal, Step::Dual] {
                if step == Step::Dual && matches!(rows, Rows::PerRank(_)) {
                    continue;
                }
                problems.extend(self.parameters.iter().map(|p| Problem {
                    rows,
                    hidden: p / FEATURES,
                    features: FEATURES,
                    step,
                }));
            }
        }
        problems
    }

    /// Simulates every problem over every network.
    pub(super) fn simulate(&self) -> Vec<Simulated<'_>> {
        let (problems, machine) = (self.problems(), &self.setting.machine);
        let curves = |link: &Link| {
            let network = link.network();
            let curves = problems.iter().map(|it| curve(*it, link.most_ranks, machine, &network));
            curves.filter(|curve| !curve.points.is_empty()).collect()
        };
        let networks = self.setting.networks.iter();
        networks
            .map(|(network, link)| Simulated { network, link: *link, curves: curves(link) })
            .collect()
    }
}

/// Simulates `plan` and writes scaling.csv, scaling.md and two figures as SVG and PNG into `out`.
///
/// # Errors
/// [`ScalingError`]: values out of range, a folder with files of others, and failed writes.
///
/// # Cost
/// Less than a second for the default plan.
pub fn write(plan: &Plan, out: &Path) -> Result<(), ScalingError> {
    plan.check()?;
    create_folder(out)?;
    require_ours(out)?;
    let simulated = plan.simulate();
    write_bytes(&out.join("scaling.csv"), table::csv(&simulated).as_bytes())?;
    write_bytes(&out.join("scaling.md"), page::text(plan, &simulated).as_bytes())?;
    for over in simulated.iter().filter(|over| over.network == plan.network) {
        render(&chart::strong(plan, over), out, "scaling_strong")?;
        render(&chart::weak(plan, over), out, "scaling_weak")?;
    }
    Ok(())
}

/// Refuses a folder with files that an earlier call did not write.
fn require_ours(out: &Path) -> Result<(), ScalingError> {
    let names = names_in(out)?;
    let table = out.join("scaling.csv");
    let ours =
        read_text(&table).is_ok_and(|text| text.lines().next() == Some(&table::HEADER.join(",")));
    let other = names.iter().find(|name| !FILES.contains(&name.as_str()));
    let found = match other {
        Some(name) => format!("holds {name}"),
        None if names.is_empty() || ours => return Ok(()),
        None => "holds files of other programs".to_owned(),
    };
    let accepted = "a folder that is new, empty, or was written by this program; name another one";
    Err(RecordError::Foreign { path: out.to_owned(), found, accepted }.into())
}
