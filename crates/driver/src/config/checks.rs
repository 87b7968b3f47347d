//! The ranges of single values and the rules between them that make a configuration runnable.
//!
//! Equation (1) needs rho = 0 for Gauss-Newton, 0 < rho < 1 for Levenberg-Marquardt and rho = 1
//! for gradient flow; Remark 4 needs an even number of hidden units.

use super::keys::{accepted, float, names};
use super::{
    Config, ConfigProblem, DataSource, Initialization, Integrator, LossSettings, Metric,
    Preconditioner, Reading, TargetScale, Widths,
};

/// More steps than this are a slip of the pen, and would not be counted exactly by a quotient.
const MAXIMUM_STEPS: f64 = 1e9;

/// More hidden layers than this are a slip of the pen.
const MAXIMUM_LAYERS: usize = 64;

/// More hidden units of a layer than this are a slip of the pen: their weights alone would fill the memory.
const MAXIMUM_HIDDEN: usize = 1_000_000;

impl Config {
    /// Tests every range and every rule between keys.
    ///
    /// # Errors
    /// The first violation, as a [`ConfigProblem`] that names key, value and what is accepted.
    pub fn validate(&self) -> Result<(), ConfigProblem> {
        self.check_data()?;
        self.check_network()?;
        self.check_loss()?;
        self.check_numbers()?;
        self.check_times()?;
        self.check_damping()
    }

    fn check_data(&self) -> Result<(), ConfigProblem> {
        if let DataSource::File { path, targets } = &self.data.source {
            check("data.path", || format!("{path:?}"), !path.is_empty())?;
            let named = !targets.is_empty() && targets.iter().all(|target| !target.is_empty());
            check("data.target", || names(targets), named)?;
        }
        if self.loss.keeps_targets() && self.data.targets == TargetScale::Standardized {
            return Err(ConfigProblem::Conflict {
                key: "data.targets",
                value: "\"standardized\"".to_owned(),
                other: format!("loss.name = \"{}\"", self.loss.name()),
                advice: "classes and counts stay as they are: write \"raw\"",
            });
        }
        self.check_reading()?;
        check("data.samples", || self.data.samples.to_string(), self.data.samples >= 2)
    }

    /// What a file that is read in parts does not go with.
    fn check_reading(&self) -> Result<(), ConfigProblem> {
        if self.data.reading == Reading::Whole {
            return if self.data.block_rows == 0 {
                Ok(())
            } else {
                Err(ConfigProblem::Conflict {
                    key: "data.block_rows",
                    value: self.data.block_rows.to_string(),
                    other: "data.reading = \"whole\"".to_owned(),
                    advice: "blocks are those of a file that is read in parts: write data.reading = \"parts\"",
                })
            };
        }
        let other = || "data.reading = \"parts\"".to_owned();
        if let DataSource::Bundled(name) = self.data.source {
            return Err(ConfigProblem::Conflict {
                key: "data.name",
                value: format!("\"{name}\""),
                other: other(),
                advice: "bundled data are small; give data.path and data.target of a file",
            });
        }
        if let LossSettings::Weighted { weights } = &self.loss {
            return Err(ConfigProblem::Conflict {
                key: "loss.weights",
                value: format!("a list of {}", weights.len()),
                other: other(),
                advice: "weights are those of drawn rows; read the file whole",
            });
        }
        if self.dynamics.batch > 0 {
            return Err(ConfigProblem::Conflict {
                key: "dynamics.batch",
                value: self.dynamics.batch.to_string(),
                other: other(),
                advice: "batches are dealt out from drawn rows; read the file whole, or write 0",
            });
        }
        Ok(())
    }

    fn check_network(&self) -> Result<(), ConfigProblem> {
        let Widths(hidden) = &self.network.hidden;
        let proper = (1..=MAXIMUM_LAYERS).contains(&hidden.len())
            && hidden.iter().all(|width| (1..=MAXIMUM_HIDDEN).contains(width));
        check("network.hidden", || self.network.hidden.to_string(), proper)?;
        if self.network.initialization == Initialization::Antisymmetric
            && hidden.iter().any(|width| !width.is_multiple_of(2))
        {
            return Err(ConfigProblem::Conflict {
                key: "network.hidden",
                value: self.network.hidden.to_string(),
                other: "network.initialization = \"antisymmetric\"".to_owned(),
                advice: "that initialization pairs the units of a layer, so their number must be even",
            });
        }
        Ok(())
    }

    fn check_loss(&self) -> Result<(), ConfigProblem> {
        match &self.loss {
            LossSettings::Squared
            | LossSettings::Logistic
            | LossSettings::Softmax
            | LossSettings::Poisson => Ok(()),
            LossSettings::Huber { scale } => positive("loss.scale", *scale),
            LossSettings::LogCosh { curvature } => positive("loss.curvature", *curvature),
            LossSettings::Weighted { weights } => {
                for &weight in weights {
                    positive("loss.weights", weight)?;
                }
                if weights.len() == self.data.samples {
                    return Ok(());
                }
                Err(ConfigProblem::Conflict {
                    key: "loss.weights",
                    value: format!("a list of {}", weights.len()),
                    other: format!("data.samples = {}", self.data.samples),
                    advice: "give one weight for each drawn row",
                })
            }
        }
    }

    fn check_numbers(&self) -> Result<(), ConfigProblem> {
        let dynamics = &self.dynamics;
        positive("dynamics.scaling", dynamics.scaling)?;
        positive("dynamics.step", dynamics.step)?;
        positive("dynamics.absolute_tolerance", dynamics.absolute_tolerance)?;
        fraction("dynamics.relative_tolerance", dynamics.relative_tolerance)?;
        fraction("dynamics.rank_cutoff", dynamics.rank_cutoff)?;
        fraction("dynamics.solve_tolerance", dynamics.solve_tolerance)?;
        let limit = dynamics.memory_limit;
        check("dynamics.memory_limit", || limit.to_string(), limit >= 1)?;
        // TOML's integers are signed: a larger seed could be written but never read back.
        check("dynamics.seed", || dynamics.seed.to_string(), i64::try_from(dynamics.seed).is_ok())?;
        if let Some(radius) = self.events.ball_radius {
            positive("events.ball_radius", radius)?;
        }
        if let Some(fraction) = self.events.stationary_fraction {
            positive("events.stationary_fraction", fraction)?;
        }
        let threshold = self.events.rank_threshold;
        let proper = threshold > 0.0 && threshold < 1.0;
        check("events.rank_threshold", || float(threshold), proper)?;
        check("record.every", || self.record.every.to_string(), self.record.every >= 1)?;
        let interval = self.record.checkpoint_every;
        let fits = interval.is_multiple_of(self.record.every);
        check("record.checkpoint_every", || interval.to_string(), fits)
    }

    fn check_times(&self) -> Result<(), ConfigProblem> {
        let dynamics = &self.dynamics;
        // In Theorem 2's iteration `step` is eta, and the flow's clock advances by alpha eta.
        let one_step = match dynamics.integrator {
            Integrator::Discrete => dynamics.scaling * dynamics.step,
            _ => dynamics.step,
        };
        let horizon = dynamics.horizon;
        let usable = horizon.is_finite() && horizon >= one_step;
        check("dynamics.horizon", || float(horizon), usable && horizon / one_step <= MAXIMUM_STEPS)
    }

    fn check_damping(&self) -> Result<(), ConfigProblem> {
        let dynamics = &self.dynamics;
        if dynamics.metric == Metric::LossHessian {
            let conflict = |other: String, advice| {
                let (key, value) = ("dynamics.metric", "\"loss-hessian\"".to_owned());
                Err(ConfigProblem::Conflict { key, value, other, advice })
            };
            if dynamics.preconditioner == Preconditioner::Gradient {
                let other = "dynamics.preconditioner = \"gradient\"".to_owned();
                return conflict(other, "the gradient flow has no metric: leave it out");
            }
            if dynamics.integrator == Integrator::Stiff {
                let other = "dynamics.integrator = \"stiff\"".to_owned();
                return conflict(
                    other,
                    "its Jacobian would take third derivatives of the loss: take \"adaptive\"",
                );
            }
        }
        let (batch, momentum) = (dynamics.batch, dynamics.momentum);
        check("dynamics.batch", || batch.to_string(), batch <= self.data.samples)?;
        check("dynamics.momentum", || float(momentum), (0.0..1.0).contains(&momentum))?;
        let conflict =
            |key, value, other, advice| Err(ConfigProblem::Conflict { key, value, other, advice });
        if batch > 0 && !matches!(dynamics.integrator, Integrator::Discrete | Integrator::Euler) {
            let other = format!("dynamics.integrator = \"{}\"", dynamics.integrator);
            let advice = "batches are for \"discrete\" and \"euler\"";
            return conflict("dynamics.batch", batch.to_string(), other, advice);
        }
        if batch == 0 && momentum > 0.0 {
            let (value, other) = (float(momentum), "dynamics.batch = 0".to_owned());
            return conflict("dynamics.momentum", value, other, "momentum is for steps on batches");
        }
        let damping = self.dynamics.damping;
        check("dynamics.damping", || float(damping), (0.0..=1.0).contains(&damping))?;
        let (fits, advice) = match self.dynamics.preconditioner {
            Preconditioner::GaussNewton => (
                damping == 0.0,
                "Gauss-Newton has no damping; write damping = 0.0, or preconditioner = \
                 \"levenberg-marquardt\"",
            ),
            Preconditioner::LevenbergMarquardt => (
                damping > 0.0 && damping < 1.0,
                "give a damping above 0 and below 1 (0 is \"gauss-newton\", 1 is \"gradient\")",
            ),
            Preconditioner::Gradient => (
                [0.0, 1.0].contains(&damping),
                "gradient flow is damping 1 whatever is written; leave it out, or write 0.0 or 1.0",
            ),
        };
        if fits {
            return Ok(());
        }
        Err(ConfigProblem::Conflict {
            key: "dynamics.damping",
            value: float(damping),
            other: format!("dynamics.preconditioner = \"{}\"", self.dynamics.preconditioner),
            advice,
        })
    }
}

fn check(
    key: &'static str,
    value: impl FnOnce() -> String,
    holds: bool,
) -> Result<(), ConfigProblem> {
    if holds {
        return Ok(());
    }
    Err(ConfigProblem::Value { key: key.to_owned(), value: value(), accepted: accepted(key) })
}

fn positive(key: &'static str, value: f64) -> Result<(), ConfigProblem> {
    check(key, || float(value), value.is_finite() && value > 0.0)
}

fn fraction(key: &'static str, value: f64) -> Result<(), ConfigProblem> {
    check(key, || float(value), value > 0.0 && value < 1.0)
}
