//! The text of a fit: one screen, whatever its size.

use std::fmt::{Display, Formatter, Result};

use super::covariance::NullDirection;
use super::result::{BoundSide, Fit, Stationary};
use super::robust::RobustLoss;
use super::stop::FitStop;

/// Parameters that are listed.
const LISTED: usize = 24;
/// Null directions that are listed.
const DIRECTIONS: usize = 3;
/// Terms of a null direction that are written.
const TERMS: usize = 6;

impl Display for Fit {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let (n, p) = (self.residuals.len(), self.parameters.len());
        writeln!(f, "{}", self.sentence())?;
        writeln!(
            f,
            "loss {:.10e}   residual deviation {:.4e}   {n} observations, {p} parameters, rank {}",
            self.loss, self.residual_deviation, self.rank
        )?;
        let width = self.names.iter().take(LISTED).map(|name| name.chars().count()).max();
        let width = width.unwrap_or(0).max("parameter".len());
        writeln!(f, "{:width$}  {:>18}  {:>12}", "parameter", "value", "deviation")?;
        for k in 0..p.min(LISTED) {
            let (name, value) = (&self.names[k], self.parameters[k]);
            write!(f, "{name:width$}  {value:>18.10e}  ")?;
            match self.at_bound[k] {
                Some(BoundSide::Lower) => writeln!(f, "at its lower bound")?,
                Some(BoundSide::Upper) => writeln!(f, "at its upper bound")?,
                Some(BoundSide::Fixed) => writeln!(f, "fixed")?,
                None if self.standard_deviations[k].is_infinite() => {
                    writeln!(f, "not determined")?;
                }
                None => writeln!(f, "{:>12.4e}", self.standard_deviations[k])?,
            }
        }
        if p > LISTED {
            writeln!(f, "... and {} parameters more", p - LISTED)?;
        }
        if let Some(reason) = self.missing_deviations() {
            writeln!(f, "{reason}")?;
        } else if self.measure != RobustLoss::Squares {
            writeln!(f, "deviations: sandwich estimate for the {} loss", self.measure.name())?;
        }
        for null in self.null_directions.iter().take(DIRECTIONS) {
            writeln!(f, "the data do not determine {}", combination(null, &self.names))?;
        }
        let lost = self.lost_rank();
        if lost > DIRECTIONS {
            writeln!(f, "... and {} combinations more", lost - DIRECTIONS)?;
        }
        let counts = self.counts;
        write!(
            f,
            "{} evaluations, {} Jacobians, {} second derivatives; {} steps taken, {} rejected \
             ({} undefined); cosine {:.1e}",
            counts.residuals,
            counts.jacobians,
            counts.second_derivatives,
            counts.accepted,
            counts.rejected,
            counts.undefined,
            self.cosine
        )?;
        match self.rank_loss() {
            Some(sentence) => write!(f, "\n{sentence}"),
            None => Ok(()),
        }
    }
}

impl Fit {
    /// Returns a sentence that says why standard deviations are missing (NaN); `None` where they are there.
    pub fn missing_deviations(&self) -> Option<String> {
        let (n, rank) = (self.residuals.len(), self.rank);
        if !self.standard_deviations.iter().any(|deviation| deviation.is_nan()) {
            return None;
        }
        Some(if rank == 0 {
            "no deviations: the Jacobian could not be factored".to_owned()
        } else if n <= rank {
            format!(
                "no deviations: {n} observations for {rank} determined parameters leave no degree of freedom"
            )
        } else if self.measure == RobustLoss::Squares {
            "no deviations: the inverse of this sparse system takes too long, or more than 32 directions are not determined"
                .to_owned()
        } else {
            let loss = self.measure.name();
            format!(
                "no deviations: over these residuals the {loss} loss has no curvature on average"
            )
        })
    }

    /// Returns a sentence that says which parameters a fit that lost rank could not determine, and what to do; `None` at full
    /// rank.
    pub fn rank_loss(&self) -> Option<String> {
        let lost = self.lost_rank();
        if lost == 0 || self.rank == 0 {
            return None;
        }
        let infinite = |k: &usize| self.standard_deviations[*k].is_infinite();
        let concerned: Vec<&str> =
            (0..self.names.len()).filter(infinite).map(|k| self.names[k].as_str()).collect();
        let free = self.rank + lost;
        let (n, named) = (self.residuals.len(), list(&concerned));
        let why = if n < free {
            format!("{n} observations cannot determine {free} parameters")
        } else {
            format!("rank lost: the data determine {} of {free} parameters", self.rank)
        };
        let what = match (concerned.len(), lost) {
            (1, _) => named,
            (_, 1) => format!("a combination of {named}"),
            _ => format!("{lost} combinations of {named}"),
        };
        Some(format!(
            "{why}, and say nothing of {what}: fix a parameter, add data that tell them apart, or drop a term of the \
             model"
        ))
    }

    /// Number of directions that the data do not determine.
    fn lost_rank(&self) -> usize {
        let held = self.at_bound.iter().filter(|bound| bound.is_some()).count();
        (self.names.len() - held).saturating_sub(self.rank)
    }

    /// Why the fit ended; a gradient that is small by columns alone is not called more than that.
    fn sentence(&self) -> String {
        if self.stop == FitStop::Gradient && self.stationary == Stationary::Columns {
            return format!(
                "converged: each column of the Jacobian is orthogonal to the residuals (largest cosine {:.1e}); the \
                 step along directions that the data hardly determine is left out",
                self.column_cosine
            );
        }
        self.stop.sentence().to_owned()
    }
}

/// "a, b and c", cut after [`TERMS`] names.
fn list(names: &[&str]) -> String {
    let shown = names.len().min(TERMS);
    let more = (names.len() > shown).then(|| format!("{} more", names.len() - shown));
    let mut words: Vec<String> = names[..shown].iter().map(|name| (*name).to_owned()).collect();
    words.extend(more);
    match words.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, before)) => format!("{} and {last}", before.join(", ")),
        None => String::new(),
    }
}

/// "0.71 a - 0.71 b": the terms that matter, largest share first.
fn combination(null: &NullDirection, names: &[String]) -> String {
    let mut order: Vec<usize> = (0..names.len()).filter(|&k| null.shares[k].abs() > 1e-3).collect();
    order.sort_by(|&a, &b| null.shares[b].abs().total_cmp(&null.shares[a].abs()));
    let terms = order.iter().take(TERMS).enumerate().map(|(place, &k)| {
        let value = null.direction[k];
        let sign = match (place, value < 0.0) {
            (0, false) => "",
            (0, true) => "-",
            (_, false) => " + ",
            (_, true) => " - ",
        };
        format!("{sign}{:.4} {}", value.abs(), names[k])
    });
    let text: String = terms.collect();
    if order.len() > TERMS {
        return format!("{text} and {} parameters more", order.len() - TERMS);
    }
    text
}
