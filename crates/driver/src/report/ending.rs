//! How a run ended, in one word and one colour, and the last losses of a configuration.

use gaussflow_records::{EventKind, Status, StopReason};

use super::folder::Run;
use super::groups::Group;
use crate::quantile::median;

/// A last loss so many times the first one is a divergence, and not the swing of a coarse step.
const DIVERGED: f64 = 2.0;

/// How a run ended, as the page counts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// At its horizon, with nothing to remark.
    Horizon,
    /// At its horizon, but it lost rank, fell back or rose in loss.
    Remarked,
    /// Before: a result.
    Early,
    /// With a loss far above the first one, or with a state that is no number.
    Diverged,
    /// Without an answer, or with an outcome that cannot be read.
    Failed,
}

impl End {
    /// The order in which they are told.
    pub const ALL: [Self; 5] =
        [Self::Horizon, Self::Remarked, Self::Early, Self::Diverged, Self::Failed];

    /// Its look.
    pub fn class(self) -> &'static str {
        match self {
            Self::Horizon => "holds",
            Self::Remarked | Self::Early => "hypotheses-unmet",
            Self::Diverged | Self::Failed => "violated",
        }
    }

    /// In words, after a count of runs.
    pub fn words(self) -> &'static str {
        match self {
            Self::Horizon => "reached the horizon",
            Self::Remarked => "lost rank or rose in loss",
            Self::Early => "ended early",
            Self::Diverged => "diverged",
            Self::Failed => "failed or cannot be read",
        }
    }
}

/// How a run ended.
pub fn end(run: &Run) -> End {
    let Some(outcome) = &run.outcome else { return End::Failed };
    match outcome.status {
        Status::Failed => End::Failed,
        _ if outcome.stop_reason == StopReason::NonFinite || diverged(run) => End::Diverged,
        Status::Completed if run.remark().is_some() => End::Remarked,
        Status::Completed => End::Horizon,
        Status::Stopped => End::Early,
    }
}

/// Whether the last loss is far above the first.
fn diverged(run: &Run) -> bool {
    let last = run.outcome.as_ref().map_or(f64::NAN, |outcome| outcome.final_loss);
    run.trace.first().is_some_and(|first| last > DIVERGED * first.loss.abs())
}

/// How a run ended, for its own row: a run that went otherwise than the flow never ends in the bare word "horizon".
pub fn words(run: &Run) -> String {
    let Some(outcome) = &run.outcome else { return "not readable".to_owned() };
    let reason = match outcome.stop_reason {
        StopReason::Horizon => "horizon",
        StopReason::RankLost => "rank lost",
        StopReason::LeftBall => "left the ball",
        StopReason::NonFinite => "not finite",
        StopReason::Stationary => "stationary",
        StopReason::Interrupted => "interrupted",
        StopReason::Failed => "no answer",
    };
    let lost_rank = outcome.events.iter().any(|event| event.kind == EventKind::RankLost);
    match end(run) {
        End::Failed => format!("failed: {reason}"),
        End::Diverged if outcome.stop_reason == StopReason::Horizon => "diverged".to_owned(),
        End::Diverged => format!("diverged: {reason}"),
        End::Remarked if lost_rank => "rank lost, went on to the horizon".to_owned(),
        End::Remarked => "horizon, not as the flow".to_owned(),
        End::Horizon | End::Early => reason.to_owned(),
    }
}

/// Least, median and greatest of the finite last losses of a configuration; `None` where there is none.
pub fn losses(group: &Group<'_>) -> Option<[f64; 3]> {
    let last = |run: &&Run| run.outcome.as_ref().map(|outcome| outcome.final_loss);
    let mut found: Vec<f64> =
        group.runs.iter().filter_map(last).filter(|loss| loss.is_finite()).collect();
    found.sort_by(f64::total_cmp);
    let (least, greatest) = (*found.first()?, *found.last()?);
    Some([least, median(&found), greatest])
}

#[cfg(test)]
mod tests {
    use super::*;
    use gaussflow_records::{Outcome, TraceRow};

    fn run(stop_reason: StopReason, first: f64, last: f64) -> Run {
        let row = |(step, loss): (u32, f64)| TraceRow {
            time: f64::from(step),
            loss,
            gram_min_eigenvalue: 1.0,
            ..TraceRow::default()
        };
        let status =
            if stop_reason == StopReason::Horizon { Status::Completed } else { Status::Stopped };
        let outcome = Outcome {
            status,
            stop_reason,
            final_loss: last,
            error: None,
            ..crate::run::failed_outcome(String::new())
        };
        Run {
            trace: [(0, first), (1, last)].map(row).into(),
            outcome: Some(outcome),
            ..Run::default()
        }
    }

    #[test]
    fn a_run_that_diverged_is_never_green() {
        for (stop, first, last, expected, said) in [
            (StopReason::Horizon, 1316.0, 1.418e7, End::Diverged, "diverged"),
            (StopReason::NonFinite, 1316.0, 5.0, End::Diverged, "diverged: not finite"),
            (StopReason::Horizon, 100.0, 150.0, End::Remarked, "horizon, not as the flow"),
            (StopReason::RankLost, 100.0, 50.0, End::Early, "rank lost"),
            (StopReason::Horizon, 100.0, 50.0, End::Horizon, "horizon"),
        ] {
            let run = run(stop, first, last);
            assert_eq!((end(&run), words(&run).as_str()), (expected, said), "{first} {last}");
            assert_eq!(end(&run).class() == "holds", expected == End::Horizon);
        }
        assert_eq!(end(&Run::default()), End::Failed);
    }
}
