//! Preconditioned training dynamics, equation (1), in continuous and discrete time.
//!
//! | I want to | I use |
//! |---|---|
//! | follow a flow or an iteration of `g(alpha f(w))` | [`Settings`], then [`simulate`], which gives an [`Outcome`] |
//! | record loss, deviation, gradient norms and eigenvalues | a [`Trace`] as the observer |
//! | choose what happens where the Jacobian loses rank | [`RankPolicy`]; [`Settings::paper`] is the setting of section 5 |
//! | take steps on batches of rows | [`Batches`] and [`resume_in_batches`] |
//! | go on from where a run stopped | a [`Checkpoint`] and [`resume`] |
//! | let the damping follow a rule | a [`DampingSchedule`] and [`iterate_scheduled`] |
//! | look at the vector field itself | [`Flow`]; at one parameter vector [`Diagnostics::measure`] |
//! | fit a model to observations | [`LeastSquares`] with [`FitSettings`], which gives a [`Fit`] |
//!
#![doc = include_str!("../README.md")]

mod batches;
mod checkpoint;
mod diagnostics;
mod ending;
mod events;
mod fit;
mod flow;
mod observer;
mod outcome;
mod preconditioner;
mod rank_loss;
mod schedule;
mod scheduled;
mod settings;
mod simulate;
mod trace;

pub use batches::{Batches, Batching};
pub use checkpoint::Checkpoint;
pub use diagnostics::Diagnostics;
pub use events::{EventKind, EventRecord};
pub use fit::{
    Acceleration, BoundSide, Damping, Fit, FitCounts, FitError, FitSettings, FitStop, LeastSquares,
    NullDirection, RobustLoss, StepKind, StepRecord, Verdict,
};
pub use flow::{Flow, FlowCounts, SolveSettings};
pub use observer::{Answer, Observer, ObserverError, Work};
pub use outcome::{Outcome, StopReason};
pub use preconditioner::{Preconditioner, RankPolicy};
pub use schedule::{
    CloneSchedule, ConstantDamping, DampingSchedule, GainRatioDamping, KernelEigenvalueDamping,
    ScheduleState, StepLength, StepVerdict,
};
pub use scheduled::{ScheduledStep, iterate_scheduled};
pub use settings::{AtExit, Integrator, Settings, Tolerances};
pub use simulate::{SimulationError, resume, resume_in_batches, simulate};
pub use trace::{Trace, TraceRow};
