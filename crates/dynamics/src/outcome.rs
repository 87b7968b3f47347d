//! What a run came to: why and where it ended, and what it cost.

use std::fmt::{Display, Formatter};

use gaussflow_integrators::Statistics;
use gaussflow_objective::PointError;

use crate::events::{EventKind, EventRecord};
use crate::flow::FlowCounts;

/// Says why a run ended. An early end is a result with numbers, never an error.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum StopReason {
    /// The horizon was reached.
    Horizon,
    /// An event stopped it.
    Event(EventKind),
    /// Error control asked for a step below the spacing of floating-point times, so that a singularity is near. Gauss-Newton
    /// flow has singularities only where J loses rank, and reports that instead.
    StepUnderflow,
    /// The observer asked to stop.
    Interrupted,
    /// The map or the linear algebra failed for a reason other than lost rank or values that are not finite.
    Failed(PointError),
}

impl StopReason {
    /// Returns the name that record files use, such as `horizon` or `rank-lost`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Horizon => "horizon",
            Self::Event(kind) => kind.name(),
            Self::StepUnderflow => "step-underflow",
            Self::Interrupted => "interrupted",
            Self::Failed(_) => "failed",
        }
    }
}

/// Reports how a run ended, where, and what it cost. [`Display`] writes it in a few lines.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// Why it ended.
    pub stop_reason: StopReason,
    /// Time of the final state.
    pub final_time: f64,
    /// The final weights (length p).
    pub final_weights: Vec<f64>,
    /// The loss `g(alpha f)` there.
    pub final_loss: f64,
    /// Events in the order of their times.
    pub events: Vec<EventRecord>,
    /// Solves and fallbacks.
    pub counts: FlowCounts,
    /// Steps and evaluations of the integrator.
    pub statistics: Statistics,
}

impl Outcome {
    /// Returns the time at which the run first left the ball of [`Settings::ball_radius`](crate::Settings::ball_radius); `None`
    /// when it stayed inside or no radius was set.
    pub fn exit_time(&self) -> Option<f64> {
        self.events.iter().find(|e| e.kind == EventKind::LeftBall).map(|e| e.time)
    }
}

impl Display for Outcome {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        let Self { final_time, final_loss, counts, statistics, .. } = self;
        f.write_str(match &self.stop_reason {
            StopReason::Horizon => "The run reached its horizon",
            StopReason::Event(EventKind::LeftBall) => "The run stopped where it left the ball",
            StopReason::Event(EventKind::RankLost) => {
                "The run stopped because the Jacobian lost rank (a rank threshold and a rank policy decide on \
                 that; Levenberg-Marquardt damping needs no rank)"
            }
            StopReason::Event(EventKind::NonFinite) => {
                "The run stopped where a value was infinite or not a number"
            }
            StopReason::Event(EventKind::Stationary) => {
                "The run stopped where the Riemannian gradient had fallen far enough"
            }
            StopReason::StepUnderflow => {
                "The run stopped where error control asked for ever shorter steps"
            }
            StopReason::Interrupted => "The observer interrupted the run",
            StopReason::Failed(_) => "The run failed",
        })?;
        if let StopReason::Failed(error) = &self.stop_reason {
            write!(f, " ({error})")?;
        }
        writeln!(f, ": time {final_time}, loss {final_loss:.6e}.")?;
        for event in &self.events {
            let EventRecord { kind, time, step, value, threshold } = event;
            let kind = kind.name();
            writeln!(
                f,
                "{kind} at time {time}, step {step}: {value:.3e} against {threshold:.3e}."
            )?;
        }
        write!(
            f,
            "{} steps, {} linearizations, {} directions, of which {} by the pseudo-inverse and {} with raised damping.",
            statistics.accepted_steps,
            counts.linearizations,
            counts.directions,
            counts.pseudo_inverse,
            counts.raised_damping
        )
    }
}
