//! The text of a fit: one screen, whatever its size.

use std::fmt::{Display, Formatter, Result};

use super::covariance::NullDirection;
use super::result::{BoundSide, Fit};

/// Parameters that are listed.
const LISTED: usize = 24;
/// Null directions that are listed.
const DIRECTIONS: usize = 3;
/// Terms of a null direction that are written.
const TERMS: usize = 6;

impl Display for Fit {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let (n, p) = (self.residuals.len(), self.parameters.len());
        writeln!(f, "{}", self.stop.sentence())?;
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
                None if self.standard_deviations[k].is_infinite() => {
                    writeln!(f, "not determined")?;
                }
                None => writeln!(f, "{:>12.4e}", self.standard_deviations[k])?,
            }
        }
        if p > LISTED {
            writeln!(f, "... and {} parameters more", p - LISTED)?;
        }
        for null in self.null_directions.iter().take(DIRECTIONS) {
            writeln!(f, "the data do not determine {}", combination(null, &self.names))?;
        }
        let held = self.at_bound.iter().filter(|bound| bound.is_some()).count();
        let lost = (p - held).saturating_sub(self.rank);
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
        )
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
