//! Why a statement could not be measured: the failure of a layer below, passed on with its numbers.

use gaussflow_dynamics::SimulationError;
use gaussflow_integrators::IntegrationError;
use gaussflow_manifold::GeometryError;
use gaussflow_network::NetworkError;
use gaussflow_objective::{LossError, MapError, ObjectiveError, PointError};
use gaussflow_solvers::SolveError;

/// Says why a constant, a trajectory or a record could not be computed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TheoryError {
    /// The shapes or entries of a network are not accepted.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// The targets or weights of a loss are not accepted.
    #[error(transparent)]
    Loss(#[from] LossError),
    /// Map, loss and scaling do not fit together.
    #[error(transparent)]
    Objective(#[from] ObjectiveError),
    /// The map or the linear algebra failed at given parameters.
    #[error(transparent)]
    Point(#[from] PointError),
    /// The geometry is undefined or could not be computed.
    #[error(transparent)]
    Geometry(#[from] GeometryError),
    /// An integration could not start.
    #[error(transparent)]
    Integration(#[from] IntegrationError),
    /// A run could not start.
    #[error(transparent)]
    Simulation(#[from] SimulationError),
    /// A trajectory ended too early to be of use.
    #[error("the trajectory ended at t = {time} of {horizon}: {reason}")]
    Ended {
        /// The time at which it ended.
        time: f64,
        /// The time that it should have reached.
        horizon: f64,
        /// The integrator's reason.
        reason: String,
    },
    /// A small problem of the search for counterexamples cannot be judged, and is skipped.
    #[error("passed over: {reason}")]
    PassedOver {
        /// Why.
        reason: &'static str,
    },
    /// A search did not converge.
    #[error("{what}: {found:e} after {steps} steps, wanted {wanted:e}")]
    NotConverged {
        /// What was searched for.
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
