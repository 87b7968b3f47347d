//! Which runs are refused before they start: the need against `dynamics.memory_limit` and the machine.

use std::fmt;

use super::{Item, Needs, Shape, machine_memory, mebibytes};
use crate::config::{Config, DampedSolver, Initialization, Integrator};

/// MiB that every run may take, however small `dynamics.memory_limit` is: that key's default.
const ALWAYS: usize = 4096;

/// Items that a refusal spells out.
const NAMED_ITEMS: usize = 3;

/// Why a run is too large: the key at fault, what the run needs, what there is, and what would be accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TooLarge {
    /// The run's name, where there are several.
    pub run: Option<String>,
    /// `section.key`, or a flag.
    pub key: &'static str,
    /// Its value.
    pub value: String,
    /// Bytes that the run needs.
    pub needed: u64,
    /// The largest parts of them in words.
    parts: String,
    /// Bytes that there are.
    pub available: u64,
    bound: Bound,
    /// What would be accepted, as the end of "it must be ...".
    pub accepted: String,
}

/// What a need is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bound {
    /// `dynamics.memory_limit` in MiB.
    Limit(usize),
    /// The machine, or what the system grants the process of it.
    Machine,
}

impl fmt::Display for TooLarge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, value, needed, parts, available, accepted, .. } = self;
        if let Some(run) = &self.run {
            write!(f, "{run}: ")?;
        }
        write!(f, "{key} = {value} is not accepted: {needed} bytes are needed ({parts}), ")?;
        match self.bound {
            Bound::Limit(limit) if limit >= ALWAYS => {
                write!(f, "and dynamics.memory_limit = {limit} allows {available}")?;
            }
            Bound::Limit(_) => write!(f, "and {available} are allowed")?,
            Bound::Machine => write!(f, "and this machine has {available} for the program")?,
        }
        write!(f, "; it must be {accepted}")
    }
}

impl std::error::Error for TooLarge {}

impl TooLarge {
    /// The same of the run `id` of several.
    #[must_use]
    pub fn of_run(self, id: &str) -> Self {
        Self { run: Some(id.to_owned()), ..self }
    }

    /// A flag whose value asks for more than the machine has; `each` is what one more of it needs.
    pub(crate) fn flag(flag: &'static str, value: u64, each: u64) -> Result<(), Box<Self>> {
        let needed = value.saturating_mul(each);
        match machine_memory() {
            Some(available) if needed > available => Err(Box::new(Self {
                run: None,
                key: flag,
                value: value.to_string(),
                needed,
                parts: format!("{each} for each"),
                available,
                bound: Bound::Machine,
                accepted: format!("at most {}", available / each.max(1)),
            })),
            _ => Ok(()),
        }
    }
}

impl Needs {
    /// Counts the run of `config` on data of this shape, and refuses what is too large for
    /// `dynamics.memory_limit` or the machine.
    pub fn require(config: &Config, shape: Shape) -> Result<Self, Box<TooLarge>> {
        Self::require_on(config, shape, machine_memory())
    }

    /// As [`Self::require`], on a machine with so many bytes; `None` where they are not known.
    pub fn require_on(
        config: &Config,
        shape: Shape,
        machine: Option<u64>,
    ) -> Result<Self, Box<TooLarge>> {
        let needs = Self::of(config, shape);
        let limit = config.dynamics.memory_limit.max(ALWAYS);
        // No allocation is larger than a signed number says; a need that could not be counted is.
        let machine = machine.unwrap_or(u64::MAX).min(u64::MAX / 2);
        let granted = mebibytes(limit);
        let available = granted.min(machine);
        let least = needs.least();
        let whole = needs.total();
        if least <= available && whole <= machine {
            return Ok(needs);
        }
        let (fault, needed, bound, available) = if least <= available {
            // Products alone would do: what asks for matrices is the limit itself.
            (Fault::limit(config, shape, machine), whole, Bound::Machine, machine)
        } else {
            let bound = if granted <= machine {
                Bound::Limit(config.dynamics.memory_limit)
            } else {
                Bound::Machine
            };
            let mut fault = Fault::of(config, shape, &needs, available);
            if let Some(enough) = enough(config, shape, machine) {
                fault.accepted =
                    format!("{}, or dynamics.memory_limit at least {enough}", fault.accepted);
            }
            (fault, least, bound, available)
        };
        let Fault { key, value, accepted } = fault;
        let parts = parts(&needs, needed == whole);
        Err(Box::new(TooLarge { run: None, key, value, needed, parts, available, bound, accepted }))
    }
}

/// The largest items in words, the largest first.
fn parts(needs: &Needs, with_matrices: bool) -> String {
    let mut items = Item::ALL.to_vec();
    items.retain(|item| *item != Item::Matrices || with_matrices);
    items.sort_by_key(|item| std::cmp::Reverse(needs.of_item(*item)));
    let told = items.iter().take(NAMED_ITEMS).filter(|item| needs.of_item(**item) > 0);
    let told: Vec<_> =
        told.map(|item| format!("{}: {}", item.words(), needs.of_item(*item))).collect();
    told.join(", ")
}

/// The needs of `config` after a change.
fn changed(config: &Config, shape: Shape, change: impl FnOnce(&mut Config)) -> Needs {
    let mut config = config.clone();
    change(&mut config);
    Needs::of(&config, shape)
}

/// The least `dynamics.memory_limit` that grants the run, if the machine has that much.
fn enough(config: &Config, shape: Shape, machine: u64) -> Option<usize> {
    // A named kernel within the limit counts among the matrices, not among what cannot be done without.
    let needs = Needs::of(config, shape);
    let least = usize::try_from(needs.least().div_ceil(1 << 20)).ok()?;
    // A limit is written in a signed number of 64 bits.
    let fits = i64::try_from(least).is_ok()
        && changed(config, shape, |c| c.dynamics.memory_limit = least).total() <= machine
        && needs.least() < u64::MAX;
    fits.then_some(least)
}

/// Whether a configuration fits with one change.
type Fits<'f> = dyn Fn(&dyn Fn(&mut Config)) -> bool + 'f;

/// The key to change, and how.
struct Fault {
    key: &'static str,
    value: String,
    accepted: String,
}

impl Fault {
    /// The limit on matrices, where they would not fit beside the rest.
    fn limit(config: &Config, shape: Shape, machine: u64) -> Self {
        let limit = config.dynamics.memory_limit;
        let most = largest(1, limit, |limit| {
            let needs = changed(config, shape, |c| c.dynamics.memory_limit = limit);
            needs.total() <= machine && needs.least() <= machine
        });
        let accepted = match most {
            Some(most) => format!("at most {most} (beyond it the solver uses products alone)"),
            None => "smaller, with a smaller network".to_owned(),
        };
        Self { key: "dynamics.memory_limit", value: limit.to_string(), accepted }
    }

    /// The key whose change alone makes the run fit, that of the largest item first.
    fn of(config: &Config, shape: Shape, needs: &Needs, available: u64) -> Self {
        let mut items = Item::ALL.to_vec();
        items.retain(|item| *item != Item::Matrices);
        items.sort_by_key(|item| std::cmp::Reverse(needs.of_item(*item)));
        let fits =
            |change: &dyn Fn(&mut Config)| changed(config, shape, change).least() <= available;
        let found = items.iter().find_map(|item| Self::of_item(*item, config, needs, &fits));
        found.unwrap_or_else(|| Self {
            accepted: "smaller, and other settings with it".to_owned(),
            ..Self::named(items[0], config)
        })
    }

    /// The key of an item.
    fn named(item: Item, config: &Config) -> Self {
        let (key, value) = match item {
            Item::Data => ("data.samples", config.data.samples.to_string()),
            Item::Slopes | Item::Vectors => ("network.hidden", config.network.hidden.to_string()),
            Item::Integrator => {
                ("dynamics.integrator", format!("\"{}\"", config.dynamics.integrator))
            }
            Item::NamedKernel => {
                ("dynamics.solver", format!("\"{}\"", config.dynamics.solver.name()))
            }
            Item::Trace => ("record.every", config.record.every.to_string()),
            Item::Snapshots => ("record.snapshot_every", config.record.snapshot_every.to_string()),
            Item::Matrices => ("dynamics.memory_limit", config.dynamics.memory_limit.to_string()),
        };
        Self { key, value, accepted: String::new() }
    }

    /// What that key may be for the run to fit; `None` where it alone does not help.
    fn of_item(item: Item, config: &Config, needs: &Needs, fits: &Fits<'_>) -> Option<Self> {
        let steps = usize::try_from(needs.steps).unwrap_or(usize::MAX);
        let accepted = match item {
            Item::Data => {
                let most = largest(2, config.data.samples, |n| fits(&|c| c.data.samples = n))?;
                format!("at most {most}")
            }
            Item::Slopes | Item::Vectors => {
                let widest = config.network.hidden.widest();
                let most = largest(1, widest, |m| {
                    fits(&|c| c.network.hidden = config.network.hidden.capped(m))
                })?;
                let pairs = config.network.initialization == Initialization::Antisymmetric;
                let most = if pairs { most - most % 2 } else { most };
                let each = if config.network.hidden.0.len() > 1 { " units a layer" } else { "" };
                (most > 0).then(|| format!("at most {most}{each}"))?
            }
            Item::Integrator => {
                fits(&|c| c.dynamics.integrator = Integrator::Adaptive).then(|| {
                    "one without implicit steps (\"adaptive\", \"rk4\", \"euler\")".to_owned()
                })?
            }
            Item::NamedKernel => fits(&|c| c.dynamics.solver = DampedSolver::Auto)
                .then(|| "\"auto\", \"conjugate-gradients\" or \"lsmr\"".to_owned())?,
            Item::Trace => {
                let least = smallest(config.record.every, steps, |every| {
                    fits(&|c| c.record.every = every)
                })?;
                format!("at least {least}")
            }
            Item::Snapshots => {
                let least = smallest(config.record.snapshot_every, steps, |every| {
                    fits(&|c| c.record.snapshot_every = every)
                });
                match least {
                    Some(least) => format!("at least {least}, or 0 for none"),
                    None => {
                        fits(&|c| c.record.snapshot_every = 0).then(|| "0 for none".to_owned())?
                    }
                }
            }
            Item::Matrices => return None,
        };
        Some(Self { accepted, ..Self::named(item, config) })
    }
}

/// The largest number from `low` to `high` that fits, where smaller ones fit as well.
fn largest(low: usize, high: usize, fits: impl Fn(usize) -> bool) -> Option<usize> {
    if low > high || !fits(low) {
        return None;
    }
    let (mut good, mut bad) = (low, high.saturating_add(1));
    while bad - good > 1 {
        let middle = good + (bad - good) / 2;
        if fits(middle) { good = middle } else { bad = middle }
    }
    Some(good)
}

/// The smallest number above `low`, at most `high`, that fits, where larger ones fit as well.
fn smallest(low: usize, high: usize, fits: impl Fn(usize) -> bool) -> Option<usize> {
    if low >= high || !fits(high) {
        return None;
    }
    let (mut bad, mut good) = (low, high);
    while good - bad > 1 {
        let middle = bad + (good - bad) / 2;
        if fits(middle) { good = middle } else { bad = middle }
    }
    Some(good)
}
