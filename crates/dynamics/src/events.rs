//! Events of a flow: leaving the ball around w_0, loss of rank, and standstill.

use gaussflow_integrators::{EventAction, EventFunction};
use gaussflow_objective::{Loss, PointError, SmoothMap};

use crate::diagnostics::distance;
use crate::flow::Flow;

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EventKind {
    /// `norm(w_t - w_0)` reached the radius: the paper's exit time T.
    LeftBall,
    /// sigma_min / sigma_max of the Jacobian fell to the threshold, or a solve was refused.
    RankLost,
    /// A state, value or derivative was infinite or NaN.
    NonFinite,
    /// The Riemannian gradient fell to the stated fraction of its initial norm.
    Stationary,
}

impl EventKind {
    /// The name in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::LeftBall => "left-ball",
            Self::RankLost => "rank-lost",
            Self::NonFinite => "non-finite",
            Self::Stationary => "stationary",
        }
    }
}

/// One event with its numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EventRecord {
    /// What happened.
    pub kind: EventKind,
    /// When, located within the step.
    pub time: f64,
    /// The first step at or after `time`.
    pub step: usize,
    /// The measured quantity there.
    pub value: f64,
    /// What it was compared with.
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
