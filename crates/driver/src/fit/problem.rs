//! PROBLEM.toml: data, model, parameters and settings of a fit, each complaint with key and line.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use gaussflow::dynamics::{Acceleration, RobustLoss};
use gaussflow_records::read_text;
use serde::Deserialize;
use toml::Spanned;

use super::expression::ExpressionError;
use super::families::{Family, Offset};

/// Memory in MiB that a fit may take where nothing is said.
const MEMORY_LIMIT: usize = 4096;

/// What is wrong with a problem file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProblemError {
    /// The file cannot be read.
    #[error("{}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// Not TOML, an unknown key, or a value of the wrong type; the message shows the line.
    #[error("{}: {message}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// The parser's message with line, column and what it expected.
        message: String,
    },
    /// A value that is not accepted.
    #[error("{}, line {line}: {key} = {value:?} is not accepted; accepted: {accepted}", path.display())]
    Value {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// Section and key.
        key: &'static str,
        /// The value.
        value: String,
        /// What is accepted.
        accepted: String,
    },
    /// The expression is wrong.
    #[error("{}, line {line}: [model] expression: {source}", path.display())]
    Expression {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What, at which character.
        source: ExpressionError,
    },
    /// The fit would need more memory than it may take.
    #[error(
        "{}, line {line}: {what}: {parameters} parameters on {rows} rows need {bytes:.2e} bytes of memory; \
         accepted: at most {accepted} bytes ({} MiB, [fit] memory_limit)",
        path.display(), accepted / (1 << 20)
    )]
    Memory {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// Section, key and value that ask for it.
        what: String,
        /// p.
        parameters: f64,
        /// n.
        rows: usize,
        /// Bytes that the fit needs.
        bytes: f64,
        /// Bytes that it may take.
        accepted: usize,
    },
    /// Something is missing.
    #[error("{}: {what}", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
        /// What, and where to put it.
        what: String,
    },
}

/// The file as written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Problem {
    /// Where the observations are.
    pub data: DataSection,
    /// What is fitted to them.
    pub model: ModelSection,
    /// Starts and bounds by parameter.
    #[serde(default)]
    pub parameters: BTreeMap<Spanned<String>, Parameter>,
    /// Loss and limits.
    #[serde(default)]
    pub fit: FitSection,
    /// What is written.
    #[serde(default)]
    pub output: OutputSection,
    /// Text and place of the file, for messages.
    #[serde(skip)]
    pub source: Source,
}

/// Text and place of a problem file.
#[derive(Debug, Default)]
pub struct Source {
    /// The file.
    pub path: PathBuf,
    /// Its text.
    pub text: String,
}

/// `[data]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataSection {
    /// The CSV file, relative to the problem file, or "california-housing" for the bundled rows.
    pub path: Spanned<String>,
    /// The column that the model describes.
    pub response: Spanned<String>,
    /// A column of weights omega_j > 0 (1/variance); default none.
    pub weights: Option<Spanned<String>>,
    /// Fraction of rows, drawn by `seed`, that is kept for testing; default 0.
    #[serde(default)]
    pub holdout: Option<Spanned<f64>>,
    /// Seed of the split; default 0.
    #[serde(default)]
    pub seed: u64,
}

/// `[model]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelSection {
    /// An arithmetic expression of columns and parameters.
    pub expression: Option<Spanned<String>>,
    /// Or a family.
    pub family: Option<Spanned<Family>>,
    /// The predictor of a family, default the only other column; the pictures' horizontal axis.
    pub predictor: Option<Spanned<String>>,
    /// Terms of exponentials; default 1.
    pub terms: Option<Spanned<usize>>,
    /// Degree of a rational numerator; default 1.
    pub numerator: Option<Spanned<usize>>,
    /// Degree of a rational denominator; default 1.
    pub denominator: Option<Spanned<usize>>,
    /// "free" adds a constant; default "none".
    #[serde(default)]
    pub offset: Offset,
    /// Hidden units of the network; default 18.
    pub hidden: Option<Spanned<usize>>,
    /// Seed of the network's start; default 0.
    #[serde(default)]
    pub seed: u64,
}

/// A start, or a start with bounds.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(
    untagged,
    expecting = "expected a number or { start = .., lower = .., upper = .. } or { start = .., fixed = true }"
)]
pub enum Parameter {
    /// The start alone.
    Start(f64),
    /// With bounds.
    Bounded(Bounded),
}

/// A start with bounds.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bounded {
    /// The start.
    pub start: f64,
    /// Lower bound; default none.
    pub lower: Option<f64>,
    /// Upper bound; default none.
    pub upper: Option<f64>,
    /// Whether the parameter stays at its start (bounds then have no effect); default false.
    #[serde(default)]
    pub fixed: bool,
}

impl Parameter {
    /// Start, lower and upper bound; both bounds are the start where the parameter is fixed.
    pub fn numbers(self) -> (f64, f64, f64) {
        match self {
            Self::Start(start) => (start, f64::NEG_INFINITY, f64::INFINITY),
            Self::Bounded(Bounded { start, fixed: true, .. }) => (start, start, start),
            Self::Bounded(Bounded { start, lower, upper, .. }) => {
                (start, lower.unwrap_or(f64::NEG_INFINITY), upper.unwrap_or(f64::INFINITY))
            }
        }
    }
}

/// `[fit]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FitSection {
    /// "squares" (default), "huber", "soft-l1", "cauchy" or "arctan".
    pub loss: Option<Spanned<String>>,
    /// The robust loss's scale; default 1.
    pub scale: Option<f64>,
    /// Most evaluations of the residuals; default 2000.
    pub max_evaluations: Option<usize>,
    /// Most accepted steps; default 1000.
    pub max_iterations: Option<usize>,
    /// Default 1e-8.
    pub gradient_tolerance: Option<f64>,
    /// First radius of the trust region relative to the start; default 0.1.
    pub initial_radius: Option<f64>,
    /// What is done about curvature: "geodesic" (default), "exact" by second derivatives of the model, or "none".
    pub acceleration: Option<Spanned<String>>,
    /// Memory in MiB that the fit may take, counted before it begins; default 4096.
    pub memory_limit: Option<usize>,
}

/// `[output]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutputSection {
    /// Whether pictures are drawn; default true.
    pub pictures: bool,
}

impl Default for OutputSection {
    fn default() -> Self {
        Self { pictures: true }
    }
}

impl Problem {
    /// Reads and checks the file `path`.
    pub fn read(path: &Path) -> Result<Self, ProblemError> {
        let text = read_text(path).map_err(|source| match source.kind() {
            ErrorKind::InvalidData | ErrorKind::FileTooLarge => {
                ProblemError::Syntax { path: path.to_owned(), message: source.to_string() }
            }
            _ => ProblemError::Read { path: path.to_owned(), source },
        })?;
        // Some editors put a byte order mark in front, which TOML does not know.
        let text = text.strip_prefix('\u{feff}').map_or_else(|| text.clone(), str::to_owned);
        let mut problem: Self = toml::from_str(&text).map_err(|error| ProblemError::Syntax {
            path: path.to_owned(),
            message: error.to_string().trim_end().to_owned(),
        })?;
        problem.source = Source { path: path.to_owned(), text };
        Ok(problem)
    }

    /// Refuses a fit of `parameters` to `rows` that would take more than `[fit] memory_limit`, `what` asking for
    /// it at byte `place` of the file.
    ///
    /// Counted are two Jacobians of `jacobian` numbers, what is factored of one, and the covariance. All numbers
    /// are f64, so that no count of parameters overflows.
    pub fn require_memory(
        &self,
        (what, place): (String, usize),
        rows: usize,
        parameters: f64,
        jacobian: f64,
    ) -> Result<(), ProblemError> {
        let n = rows as f64;
        let factored = parameters * n.min(parameters);
        let numbers = 2.0 * jacobian + 2.0 * factored + 2.0 * parameters * parameters;
        let bytes = numbers * size_of::<f64>() as f64;
        let accepted = self.fit.memory_limit.unwrap_or(MEMORY_LIMIT).saturating_mul(1 << 20);
        if bytes <= accepted as f64 {
            return Ok(());
        }
        let (path, line) = (self.source.path.clone(), self.line_of(place));
        Err(ProblemError::Memory { path, line, what, parameters, rows, bytes, accepted })
    }

    /// The loss.
    pub fn loss(&self) -> Result<RobustLoss, ProblemError> {
        let Some(name) = &self.fit.loss else { return Ok(RobustLoss::Squares) };
        let scale = self.fit.scale.unwrap_or(1.0);
        RobustLoss::from_name(name.get_ref(), scale).ok_or_else(|| {
            let accepted = "squares, huber, soft-l1, cauchy, arctan".to_owned();
            self.refuse("[fit] loss", name, accepted)
        })
    }

    /// What is done about curvature.
    pub fn acceleration(&self) -> Result<Acceleration, ProblemError> {
        let Some(name) = &self.fit.acceleration else { return Ok(Acceleration::default()) };
        match name.get_ref().as_str() {
            "geodesic" => Ok(Acceleration::Geodesic),
            "exact" => Ok(Acceleration::Exact),
            "none" => Ok(Acceleration::None),
            _ => Err(self.refuse("[fit] acceleration", name, "geodesic, exact, none".to_owned())),
        }
    }

    /// A complaint about the value of `key`.
    pub fn refuse<T: std::fmt::Debug>(
        &self,
        key: &'static str,
        value: &Spanned<T>,
        accepted: String,
    ) -> ProblemError {
        ProblemError::Value {
            path: self.source.path.clone(),
            line: self.line(value),
            key,
            value: format!("{:?}", value.get_ref()).trim_matches('"').to_owned(),
            accepted,
        }
    }

    /// The line of a value, from 1.
    pub fn line<T>(&self, value: &Spanned<T>) -> usize {
        self.line_of(value.span().start)
    }

    /// The line of a byte of the file, from 1.
    fn line_of(&self, place: usize) -> usize {
        let before = self.source.text.get(..place).unwrap_or("");
        before.matches('\n').count() + 1
    }

    /// A complaint about the expression at byte `place` of the file.
    pub fn wrong_expression(&self, place: usize, source: ExpressionError) -> ProblemError {
        let (path, line) = (self.source.path.clone(), self.line_of(place));
        ProblemError::Expression { path, line, source }
    }

    /// A complaint about something that is not there.
    pub fn missing(&self, what: String) -> ProblemError {
        ProblemError::Missing { path: self.source.path.clone(), what }
    }
}
