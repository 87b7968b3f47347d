//! Explicit methods with a fixed step: Euler and the classical Runge-Kutta method.
//!
//! Euler: `x' = x + h v(t, x)`. Runge-Kutta: `x' = x + h/6 (k1 + 2 k2 + 2 k3 + k4)` with `k1 =
//! v(t, x)`, `k2 = v(t + h/2, x + h/2 k1)`, `k3 = v(t + h/2, x + h/2 k2)`, `k4 = v(t + h, x + h
//! k3)` (Hairer, Norsett, Wanner, Solving ODEs I, table II.1.2).

use crate::field::{Failure, SharedProbe};
use crate::grid::Schedule;
use crate::segment::Stepper;

/// The last step of a fixed-step method: both ends and the slope at the start.
struct Span {
    schedule: Schedule,
    /// Index of the next step.
    next: usize,
    start: Vec<f64>,
    end: Vec<f64>,
    /// `v` at `start`.
    slope: Vec<f64>,
}

impl Span {
    fn new(schedule: Schedule, initial: &[f64]) -> Self {
        Self {
            schedule,
            next: 0,
            start: vec![0.0; initial.len()],
            end: initial.to_vec(),
            slope: vec![0.0; initial.len()],
        }
    }

    /// Moves the start to the last end; returns the time there and the length of the step.
    fn begin(&mut self) -> (f64, f64) {
        std::mem::swap(&mut self.start, &mut self.end);
        let ahead = (self.schedule.time(self.next), self.schedule.length(self.next));
        self.next += 1;
        ahead
    }

    fn start_time(&self) -> f64 {
        self.schedule.time(self.next.saturating_sub(1))
    }

    fn end_time(&self) -> f64 {
        self.schedule.time(self.next)
    }

    /// Where `time` lies in the step, from 0 to 1.
    fn fraction(&self, time: f64) -> f64 {
        (time - self.start_time()) / (self.end_time() - self.start_time())
    }
}

/// Explicit Euler; inside a step the solution is the straight line.
pub(crate) struct Euler {
    span: Span,
}

impl Euler {
    pub(crate) fn new(schedule: Schedule, initial: &[f64]) -> Self {
        Self { span: Span::new(schedule, initial) }
    }
}

impl Stepper for Euler {
    fn advance(&mut self, probe: &SharedProbe<'_>) -> Result<(), Failure> {
        let (time, length) = self.span.begin();
        let Span { start, end, slope, .. } = &mut self.span;
        probe.borrow_mut().evaluate(time, start, slope)?;
        for ((end, start), slope) in end.iter_mut().zip(start.iter()).zip(slope.iter()) {
            *end = start + length * slope;
        }
        Ok(())
    }

    fn end_time(&self) -> f64 {
        self.span.end_time()
    }

    fn end_state(&self) -> &[f64] {
        &self.span.end
    }

    fn state_inside(
        &mut self,
        _: &SharedProbe<'_>,
        time: f64,
        out: &mut [f64],
    ) -> Result<(), Failure> {
        let fraction = self.span.fraction(time);
        for ((out, start), end) in out.iter_mut().zip(&self.span.start).zip(&self.span.end) {
            *out = start + fraction * (end - start);
        }
        Ok(())
    }
}

/// The classical Runge-Kutta method; inside a step the cubic Hermite polynomial.
pub(crate) struct RungeKutta4 {
    span: Span,
    stage: Vec<f64>,
    stage_slope: Vec<f64>,
    /// `k1 + 2 k2 + 2 k3 + k4`, as far as it is summed.
    slope_sum: Vec<f64>,
    /// `v` at the end of the step, computed only when something inside the step is asked for;
    /// it is the next step's `k1`.
    end_slope: Vec<f64>,
    end_slope_is_known: bool,
}

impl RungeKutta4 {
    pub(crate) fn new(schedule: Schedule, initial: &[f64]) -> Self {
        let buffer = || vec![0.0; initial.len()];
        Self {
            span: Span::new(schedule, initial),
            stage: buffer(),
            stage_slope: buffer(),
            slope_sum: buffer(),
            end_slope: buffer(),
            end_slope_is_known: false,
        }
    }
}

impl Stepper for RungeKutta4 {
    fn advance(&mut self, probe: &SharedProbe<'_>) -> Result<(), Failure> {
        let (time, length) = self.span.begin();
        let Span { start, end, slope, .. } = &mut self.span;
        let mut probe = probe.borrow_mut();
        if self.end_slope_is_known {
            std::mem::swap(slope, &mut self.end_slope);
            self.end_slope_is_known = false;
        } else {
            probe.evaluate(time, start, slope)?;
        }
        self.slope_sum.copy_from_slice(slope);
        self.stage_slope.copy_from_slice(slope);
        for (node, weight) in [(0.5, 2.0), (0.5, 2.0), (1.0, 1.0)] {
            let ahead = node * length;
            for ((stage, start), slope) in
                self.stage.iter_mut().zip(start.iter()).zip(&self.stage_slope)
            {
                *stage = start + ahead * slope;
            }
            probe.evaluate(time + ahead, &self.stage, &mut self.stage_slope)?;
            for (sum, slope) in self.slope_sum.iter_mut().zip(&self.stage_slope) {
                *sum += weight * slope;
            }
        }
        let sixth = length / 6.0;
        for ((end, start), sum) in end.iter_mut().zip(start.iter()).zip(&self.slope_sum) {
            *end = start + sixth * sum;
        }
        Ok(())
    }

    fn end_time(&self) -> f64 {
        self.span.end_time()
    }

    fn end_state(&self) -> &[f64] {
        &self.span.end
    }

    fn state_inside(
        &mut self,
        probe: &SharedProbe<'_>,
        time: f64,
        out: &mut [f64],
    ) -> Result<(), Failure> {
        let span = &self.span;
        if !self.end_slope_is_known {
            probe.borrow_mut().evaluate(span.end_time(), &span.end, &mut self.end_slope)?;
            self.end_slope_is_known = true;
        }
        let fraction = span.fraction(time);
        let length = span.end_time() - span.start_time();
        for (index, out) in out.iter_mut().enumerate() {
            let (start, end) = (span.start[index], span.end[index]);
            let bend = (1.0 - 2.0 * fraction) * (end - start)
                + length * (fraction - 1.0) * span.slope[index]
                + length * fraction * self.end_slope[index];
            *out = start + fraction * (end - start) + fraction * (fraction - 1.0) * bend;
        }
        Ok(())
    }
}
