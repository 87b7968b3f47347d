//! Preconditioned training dynamics, equation (1), in continuous and discrete time.
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
