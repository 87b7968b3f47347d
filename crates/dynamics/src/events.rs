//! Events of a flow: leaving the ball around w_0, loss of rank, and standstill.

use gaussflow_integrators::{EventAction, EventFunction};
use gaussflow_objective::{Loss, PointError, SmoothMap};

use crate::diagnostics::distance;
use crate::flow::Flow;

/// Names what a run watches for along its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EventKind {
    /// `norm(w_t - w_0)` reached [`Settings::ball_radius`](crate::Settings::ball_radius); its time is the paper's exit time T.
    LeftBall,
    /// sigma_min / sigma_max of the Jacobian fell to [`Settings::rank_threshold`](crate::Settings::rank_threshold), or a system
    /// could not be solved for lack of rank.
    RankLost,
    /// A state, value or derivative was infinite or NaN.
    NonFinite,
    /// The norm of the Riemannian gradient fell to [`Settings::stationary_fraction`](crate::Settings::stationary_fraction) of
    /// its initial value.
    Stationary,
}

impl EventKind {
    /// Returns the name that record files use, such as `left-ball`.
    pub fn name(self) -> &'static str {
        match self {
            Self::LeftBall => "left-ball",
            Self::RankLost => "rank-lost",
            Self::NonFinite => "non-finite",
            Self::Stationary => "stationary",
        }
    }
}

/// Records one event: what happened, when, and the numbers that decided.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EventRecord {
    /// What happened.
    pub kind: EventKind,
    /// Its time, located within the step.
    pub time: f64,
    /// The number of the first step at or after `time`.
    pub step: usize,
    /// The measured quantity at that time.
    pub value: f64,
    /// The threshold that it was compared with.
    pub threshold: f64,
}

/// A quantity that falls to a threshold (or rises to it, for the ball).
#[derive(Clone, Debug)]
pub(crate) struct Watch {
    pub(crate) kind: EventKind,
    pub(crate) threshold: f64,
    pub(crate) action: EventAction,
    /// w_0.
    pub(crate) initial: Vec<f64>,
    /// The initial norm of the Riemannian gradient (standstill only), taken at the first call.
    pub(crate) reference: Option<f64>,
}

impl Watch {
    /// The measured quantity at `w`, in the unit of the threshold.
    pub(crate) fn measure<M: SmoothMap, L: Loss>(
        &mut self,
        flow: &mut Flow<'_, M, L>,
        w: &[f64],
    ) -> Result<f64, PointError> {
        if self.kind == EventKind::LeftBall {
            return Ok(distance(w, &self.initial));
        }
        flow.move_to(w)?;
        if self.kind == EventKind::RankLost {
            return Ok(flow.rank_ratio(self.threshold)?);
        }
        let cutoff = flow.rank_cutoff();
        let now = flow.linearization_mut().gradient_norms(cutoff)?.tangent;
        let initial = *self.reference.get_or_insert(now);
        Ok(if initial > 0.0 { now / initial } else { 0.0 })
    }
}

impl<'o, M: SmoothMap, L: Loss> EventFunction<Flow<'o, M, L>> for Watch {
    fn value(
        &mut self,
        flow: &mut Flow<'o, M, L>,
        _time: f64,
        w: &[f64],
    ) -> Result<f64, PointError> {
        let measured = self.measure(flow, w)?;
        Ok(match self.kind {
            EventKind::LeftBall => self.threshold - measured,
            // On a log scale, so that a fall over many decades is located as well as a small one.
            _ => (measured.max(f64::MIN_POSITIVE) / self.threshold).ln(),
        })
    }

    fn action(&self) -> EventAction {
        self.action
    }
}
