//! The table of every key of config.toml: its meaning, what it accepts and how it is written.
//!
//! One table serves the commented default, the resolved configuration and the error messages, so
//! that none of them can name a key or a range that the others do not know.

use super::{
    Activation, AtExit, BundledData, Config, DampedSolver, DataSource, Initialization, Integrator,
    LayerScale, LossName, LossSettings, Metric, OutputWeights, Preconditioner, RankPolicy, Reading,
    Standardize, TargetScale, TooFew,
};

/// One key of config.toml.
pub(super) struct Key {
    /// `section.key`.
    pub path: &'static str,
    /// What it means, in one line.
    pub meaning: &'static str,
    /// What it accepts, as the end of "it must be ...".
    pub accepted: fn() -> String,
    /// Its value as TOML text; `None` where the key is left out.
    pub value: fn(&Config) -> Option<String>,
    /// What the commented default shows for a key that is left out.
    pub example: &'static str,
}

impl Key {
    pub fn section(&self) -> &'static str {
        self.path.split_once('.').map_or("", |(section, _)| section)
    }

    pub fn name(&self) -> &'static str {
        self.path.split_once('.').map_or(self.path, |(_, name)| name)
    }
}

/// The sections, in the order in which they are written.
pub(super) const SECTIONS: [&str; 6] = ["data", "network", "loss", "dynamics", "events", "record"];

/// What `path` accepts; empty for a key that does not exist.
pub(super) fn accepted(path: &str) -> String {
    KEYS.iter().find(|key| key.path == path).map(|key| (key.accepted)()).unwrap_or_default()
}

/// A 64-bit number as TOML, with the fewest digits that read back to it.
pub(super) fn float(value: f64) -> String {
    // Debug rather than Display: 1e-14 instead of 0.00000000000001, and 5.0 instead of 5.
    format!("{value:?}")
}

fn string(value: &str) -> String {
    toml::Value::String(value.to_owned()).to_string()
}

/// A name as TOML, or a list of several.
pub(super) fn names(names: &[String]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| string(name)).collect();
    if quoted.len() == 1 { quoted.concat() } else { format!("[{}]", quoted.join(", ")) }
}

fn words<T: std::fmt::Display>(all: &[T]) -> String {
    let quoted: Vec<_> = all.iter().map(|word| format!("\"{word}\"")).collect();
    if quoted.len() == 1 { quoted.concat() } else { format!("one of {}", quoted.join(", ")) }
}

/// A whole number as TOML.
fn whole(value: impl std::fmt::Display) -> String {
    value.to_string()
}

/// The word of a choice as TOML.
fn word(choice: impl std::fmt::Display) -> String {
    string(&choice.to_string())
}

macro_rules! key {
    // The name of a choice.
    ($choice:ident($section:ident.$name:ident), $meaning:literal) => {
        key!(
            concat!(stringify!($section), ".", stringify!($name)),
            $meaning,
            words(&$choice::ALL.map($choice::name)),
            |c| Some(string(c.$section.$name.name())),
            ""
        )
    };
    // A value as a function writes it.
    ($write:ident($section:ident.$name:ident), $meaning:literal, $accepted:expr) => {
        key!(
            concat!(stringify!($section), ".", stringify!($name)),
            $meaning,
            $accepted,
            |c| Some($write(c.$section.$name)),
            ""
        )
    };
    ($path:expr, $meaning:literal, $accepted:expr, $value:expr, $example:literal) => {
        Key {
            path: $path,
            meaning: $meaning,
            accepted: || String::from($accepted),
            value: $value,
            example: $example,
        }
    };
}

/// Every key, grouped by section in the order of [`SECTIONS`].
pub(super) const KEYS: &[Key] = &[
    key!(
        "data.name",
        "A data set that comes with the program",
        words(BundledData::ALL),
        |c| match &c.data.source {
            DataSource::Bundled(name) => Some(string(name.word())),
            DataSource::File { .. } => None,
        },
        "\"california-housing\""
    ),
    key!(
        "data.path",
        "Instead of name, a CSV file with a header, relative to the working folder",
        "a path in quotes",
        |c| match &c.data.source {
            DataSource::Bundled(_) => None,
            DataSource::File { path, .. } => Some(string(path)),
        },
        "\"my.csv\""
    ),
    key!(
        "data.target",
        "With path, the column to predict, or a list of columns: the others are the features",
        "the name of a column in quotes, or a list of names",
        |c| match &c.data.source {
            DataSource::Bundled(_) => None,
            DataSource::File { targets, .. } => Some(names(targets)),
        },
        "\"price\""
    ),
    key!(
        "data.reading",
        "With path: whole reads the file and draws a sample; parts lets each process read its part and takes all rows in order",
        words(Reading::ALL),
        |c| match &c.data.source {
            DataSource::Bundled(_) => None,
            DataSource::File { .. } => Some(word(c.data.reading)),
        },
        "\"parts\""
    ),
    key!(
        "data.block_rows",
        "With reading = \"parts\", rows whose part of J is held at a time; 0: all where they fit dynamics.memory_limit",
        "a whole number, 0 or more",
        |c| (c.data.reading == Reading::Parts).then(|| whole(c.data.block_rows)),
        "16320"
    ),
    key!(
        "data.samples",
        "n, the rows drawn without replacement. Left out, it is 256, and of a smaller file of your own all rows",
        "a whole number, at least 2",
        |c| (c.data.too_few == TooFew::Refuse).then(|| whole(c.data.samples)),
        "256"
    ),
    key!(Standardize(data.standardize), "Rows that give the features' means and deviations"),
    key!(TargetScale(data.targets), "Scale of the targets"),
    key!(
        "network.hidden",
        "m, the hidden units; of several hidden layers a list, as [32, 32]",
        "a whole number from 1 to 1000000, or a list of 1 to 64 of them (all even for the antisymmetric \
         initialization)",
        |c| Some(c.network.hidden.to_string()),
        ""
    ),
    key!(
        whole(network.bias),
        "Whether hidden units have biases, trained like weights",
        "true or false"
    ),
    key!(
        word(network.scale),
        "What a hidden layer that feeds another one is divided by: the root of its width, or nothing",
        words(LayerScale::ALL)
    ),
    key!(
        OutputWeights(network.output),
        "The weights of the output: fixed signs -1 and 1, or trained from such a start"
    ),
    key!(Activation(network.activation), "sigma, the activation"),
    key!(Initialization(network.initialization), "How the network starts (Remarks 1 and 4)"),
    key!(
        "loss.name",
        "g, the objective",
        words(LossName::ALL),
        |c| Some(string(c.loss.name().word())),
        ""
    ),
    key!(
        "loss.curvature",
        "With log-cosh, the curvature added to it: nu, and mu = 1 + nu",
        "a number above 0",
        |c| match c.loss {
            LossSettings::LogCosh { curvature } => Some(float(curvature)),
            _ => None,
        },
        "1.0"
    ),
    key!(
        "loss.scale",
        "With huber, the residual from which on the loss is nearly linear",
        "a number above 0",
        |c| match c.loss {
            LossSettings::Huber { scale } => Some(float(scale)),
            _ => None,
        },
        "1.0"
    ),
    key!(
        "loss.weights",
        "With weighted, the weights of the drawn rows in drawn order",
        "a list of numbers above 0, as many as data.samples",
        |c| match &c.loss {
            LossSettings::Weighted { weights } => {
                let weights = weights.iter().map(|&weight| float(weight)).collect::<Vec<_>>();
                Some(format!("[{}]", weights.join(", ")))
            }
            _ => None,
        },
        "[1.0, 2.0]"
    ),
    key!(
        word(dynamics.preconditioner),
        "What multiplies the gradient in equation (1)",
        words(Preconditioner::ALL)
    ),
    key!(
        Metric(dynamics.metric),
        "G in (1 - rho) J^T G J + rho I: the identity as in the paper, or the loss's Hessian (generalized Gauss-Newton)"
    ),
    key!(
        whole(dynamics.batch),
        "Rows of a step's batch, drawn anew from the seed in each epoch, 0 for all; discrete and euler only",
        "a whole number from 0 to data.samples"
    ),
    key!(
        float(dynamics.momentum),
        "With batch, the share mu of the step before that a step keeps where its batch says nothing",
        "a number from 0 to below 1"
    ),
    key!(
        "dynamics.damping",
        "rho, 0 for gauss-newton and between 0 and 1 for levenberg-marquardt. Left out, it is 0.1 for \
         levenberg-marquardt and 0 otherwise",
        "a number from 0 to 1",
        |c| Some(float(c.dynamics.damping)),
        "0.1"
    ),
    key!(float(dynamics.scaling), "alpha, the output scale", "a number above 0"),
    key!(word(dynamics.integrator), "How time advances", words(Integrator::ALL)),
    key!(
        float(dynamics.step),
        "Time step (discrete: eta), also the recording grid of adaptive and stiff runs",
        "a number above 0"
    ),
    key!(
        float(dynamics.horizon),
        "Time at which a run ends",
        "a number, at least the time of one step and at most 1e9 of them"
    ),
    key!(
        float(dynamics.relative_tolerance),
        "Error per step, for adaptive and stiff only",
        "a number above 0 and below 1"
    ),
    key!(
        float(dynamics.absolute_tolerance),
        "Error per step, for adaptive and stiff only",
        "a number above 0"
    ),
    key!(
        RankPolicy(dynamics.rank_policy),
        "At loss of rank, where adaptive and stiff runs always stop"
    ),
    key!(
        float(dynamics.rank_cutoff),
        "Cutoff on sigma / sigma_max, the larger of the Jacobian at hand and the first",
        "a number above 0 and below 1"
    ),
    key!(DampedSolver(dynamics.solver), "What solves the damped system"),
    key!(
        float(dynamics.solve_tolerance),
        "Residual of a refined or iterated solve, relative to norm(J^T grad g)",
        "a number above 0 and below 1"
    ),
    key!(
        whole(dynamics.memory_limit),
        "MiB for the matrices of a solve: auto iterates without them beyond; a run that needs more than \
         this even so, and more than 4096, is refused",
        "a whole number, at least 1"
    ),
    key!(
        whole(dynamics.seed),
        "Seed of rows, signs and weights",
        "a whole number from 0 to 9223372036854775807"
    ),
    key!(
        "events.ball_radius",
        "Radius of the ball around w_0 whose exit is an event, none if left out",
        "a number above 0",
        |c| c.events.ball_radius.map(float),
        "0.5"
    ),
    key!(word(events.at_exit), "What happens at that exit", words(AtExit::ALL)),
    key!(
        "events.stationary_fraction",
        "Stop where the Riemannian gradient has fallen to this fraction of its start",
        "a number above 0",
        |c| c.events.stationary_fraction.map(float),
        "1e-6"
    ),
    key!(
        float(events.rank_threshold),
        "Rank is lost at or below this sigma_min / sigma_max (1e-6 is 1e-12 on J^T J)",
        "a number above 0 and below 1"
    ),
    key!(
        whole(record.every),
        "Steps from one row of trace.csv to the next",
        "a whole number, at least 1"
    ),
    key!(
        whole(record.snapshot_every),
        "Steps from one snapshot of the weights to the next, 0 for none",
        "a whole number, at least 0"
    ),
    key!(
        whole(record.held_out_every),
        "Steps from one held-out loss to the next, 0 for none",
        "a whole number, at least 0"
    ),
    key!(
        whole(record.hessian_every),
        "Steps from one pair of extreme eigenvalues of the Riemannian Hessian to the next, 0 for none; \
         none above 512 weights",
        "a whole number, at least 0"
    ),
    key!(
        whole(record.checkpoint_every),
        "Steps from one checkpoint of a long run to the next, 0 for none; integrator and caches start \
         anew at each",
        "a whole number, at least 0, a multiple of record.every"
    ),
];

/// Keys whose default depends on other keys: written out, the default would not follow a change of those.
const DEPENDENT: [&str; 2] = ["data.samples", "dynamics.damping"];

/// How much a written configuration explains.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Explain {
    /// Keys and values only.
    Nothing,
    /// Above each key its meaning and what it accepts; keys left out as commented examples.
    EveryKey,
}

/// `config` as TOML, every value written out.
pub(super) fn render(config: &Config, explain: Explain) -> String {
    let mut lines = Vec::new();
    for section in SECTIONS {
        if !lines.is_empty() {
            lines.push(String::new());
        }
        lines.push(format!("[{section}]"));
        for key in KEYS.iter().filter(|key| key.section() == section) {
            if explain == Explain::EveryKey {
                lines.extend(comment(&format!("{}; {}.", key.meaning, (key.accepted)())));
            }
            let left_out = explain == Explain::EveryKey && DEPENDENT.contains(&key.path);
            match (key.value)(config).filter(|_| !left_out) {
                Some(value) => lines.push(format!("{} = {value}", key.name())),
                None if explain == Explain::EveryKey => {
                    lines.push(format!("# {} = {}", key.name(), key.example));
                }
                None => {}
            }
        }
    }
    lines.join("\n") + "\n"
}

/// Columns of a comment, at most.
const COLUMNS: usize = 100;

/// `text` as comment lines, broken between words.
fn comment(text: &str) -> Vec<String> {
    let mut lines = vec![String::from("#")];
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line == "#" || line.len() + 1 + word.len() <= COLUMNS => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(format!("# {word}")),
        }
    }
    lines
}
