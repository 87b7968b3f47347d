//! Why a statement could not be measured: the failure of a layer below, passed on with its numbers.

use gaussflow_dynamics::SimulationError;
use gaussflow_integrators::IntegrationError;
use gaussflow_manifold::GeometryError;
use gaussflow_network::NetworkError;
use gaussflow_objective::{LossError, MapError, ObjectiveError, PointError};
use gaussflow_solvers::SolveError;

/// Why a constant, a trajectory or a record could not be computed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TheoryError {
    /// The network's shapes or entries.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// The loss's targets or weights.
    #[error(transparent)]
    Loss(#[from] LossError),
    /// Map, loss and scaling do not fit.
    #[error(transparent)]
    Objective(#[from] ObjectiveError),
    /// The map or the linear algebra at a point.
    #[error(transparent)]
    Point(#[from] PointError),
    /// The geometry at a point or along a curve.
    #[error(transparent)]
    Geometry(#[from] GeometryError),
    /// An integration could not start.
    #[error(transparent)]
    Integration(#[from] IntegrationError),
    /// A run could not start.
    #[error(transparent)]
    Simulation(#[from] SimulationError),
    /// A trajectory ended before it was of use.
    #[error("the trajectory ended at t = {time} of {horizon}: {reason}")]
    Ended {
        /// When.
        time: f64,
        /// How far it should have come.
        horizon: f64,
        /// The integrator's reason.
        reason: String,
    },
    /// A small problem of the adversary on which nothing can be judged.
    #[error("passed over: {reason}")]
    PassedOver {
        /// Why.
        reason: &'static str,
    },
    /// A search did not come to its goal.
    #[error("{what}: {found:e} after {steps} steps, wanted {wanted:e}")]
    NotConverged {
        /// What was looked for.
        what: &'static str,
        /// What was reached.
        found: f64,
        /// What would have been enough.
        wanted: f64,
        /// Steps taken.
        steps: usize,
    },
}

impl From<SolveError> for TheoryError {
    fn from(error: SolveError) -> Self {
        Self::Point(error.into())
    }
}

impl From<MapError> for TheoryError {
    fn from(error: MapError) -> Self {
        Self::Point(error.into())
    }
}
