//! Tests of sweeps: plans, names, faults at every request.
