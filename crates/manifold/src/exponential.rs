//! The exponential map and parallel transport, `w'' = -J^+ D2f[w',w']`, `b' = -J^+ D2f[w',b]`.
//!
//! The state is (position, velocity, transported vectors), each in the orthonormal coordinates of the
//! start (`frame`), so that errors are output lengths. Speed is conserved by the equation, not by the
//! method: its drift measures the method's error.

use std::ops::ControlFlow;

use gaussflow_integrators::{
    End, EventAction, EventFunction, FallingValue, Grid, Integration, Method, Statistics,
    VectorField, integrate,
};
use gaussflow_objective::{
    Linearization, Loss, Objective, PointError, SecondOrderMap, SmoothMap, require_finite,
    require_length,
};
use gaussflow_solvers::{JacobianOperator, SolveError, SolveRequest, norm};

use crate::error::GeometryError;
use crate::frame::Frame;
use crate::geodesic::{Geodesic, GeodesicEnd, GeodesicSample, GeodesicSettings};
use crate::manifold::OutputManifold;
use crate::point::RANK_CUTOFF;

/// The integrator's first tolerance over the accepted drift of the speed: over some tens of steps.
const FIRST_TOLERANCE: f64 = 0.1;
/// How much tighter each further attempt is.
const TIGHTER: f64 = 0.03;
/// Most attempts.
const ATTEMPTS: usize = 4;
/// The integrator's least tolerance: rounding of its own sums.
const LEAST_TOLERANCE: f64 = 1e-15;
/// Most evaluations of the field in one attempt: near a singularity tight tolerances ask for any number.
const EVALUATIONS: usize = 20_000;
/// Relative part of the tolerance: rounding only, the coordinates' errors are output lengths.
const RELATIVE_TOLERANCE: f64 = 1e-15;

/// The geodesic equation, with `vectors` transported vectors.
struct GeodesicField<'m, M: SmoothMap, L> {
    objective: &'m Objective<M, L>,
    here: &'m mut Linearization<M::Jacobian>,
    frame: Frame,
    vectors: usize,
    /// Evaluations that the attempt may still take.
    evaluations_left: usize,
    /// Parameters of position, velocity and one transported vector.
    w: Vec<f64>,
    velocity: Vec<f64>,
    moved: Vec<f64>,
    /// `D2f[w', b]` (n) and its image under `J^+` (p).
    bent: Vec<f64>,
    pulled: Vec<f64>,
}

impl<M: SecondOrderMap, L: Loss> GeodesicField<'_, M, L> {
    /// Relative distance of the speed at `state` from `length`.
    fn speed_defect(&mut self, state: &[f64], length: f64) -> Result<f64, PointError> {
        let p = self.frame.dimension();
        self.frame.point(&state[..p], &mut self.w);
        self.frame.direction(&state[p..2 * p], &mut self.velocity);
        self.here.move_to(self.objective, &self.w)?;
        self.here.jacobian().apply(&self.velocity, &mut self.bent);
        Ok((self.objective.scaling() * self.here.jacobian().output_norm(&self.bent) / length - 1.0)
            .abs())
    }
}

impl<M: SecondOrderMap, L: Loss> VectorField for GeodesicField<'_, M, L> {
    type Breakdown = PointError;

    fn dimension(&self) -> usize {
        (2 + self.vectors) * self.frame.dimension()
    }

    fn evaluate(
        &mut self,
        _: f64,
        state: &[f64],
        derivative: &mut [f64],
    ) -> Result<(), PointError> {
        let p = self.frame.dimension();
        let Some(left) = self.evaluations_left.checked_sub(1) else {
            let reason = "the evaluations of the geodesic equation are spent".to_owned();
            return Err(gaussflow_objective::MapError::Undefined { reason }.into());
        };
        self.evaluations_left = left;
        self.frame.point(&state[..p], &mut self.w);
        self.frame.direction(&state[p..2 * p], &mut self.velocity);
        self.here.move_to(self.objective, &self.w)?;
        derivative[..p].copy_from_slice(&state[p..2 * p]);
        let request = SolveRequest { rank_cutoff: RANK_CUTOFF, ..SolveRequest::default() };
        for k in 1..2 + self.vectors {
            let part = k * p..(k + 1) * p;
            let other = if k == 1 {
                &self.velocity
            } else {
                self.frame.direction(&state[part.clone()], &mut self.moved);
                &self.moved
            };
            self.objective.map().second_derivative(
                &self.w,
                self.here.jacobian(),
                &self.velocity,
                other,
                &mut self.bent,
            )?;
            self.here.solve(request, &self.bent, &mut self.pulled)?;
            let out = &mut derivative[part];
            self.frame.coordinates(&self.pulled, out);
            out.iter_mut().for_each(|o| *o = -*o);
        }
        Ok(())
    }

    fn jacobian_apply(
        &mut self,
        _: f64,
        _: &[f64],
        _: &[f64],
        _: &mut [f64],
    ) -> Result<(), PointError> {
        // Only implicit methods ask, and geodesics are followed by an explicit one.
        let reason = "the geodesic equation is followed by explicit methods only".to_owned();
        Err(gaussflow_objective::MapError::Undefined { reason }.into())
    }
}

impl<M: SecondOrderMap, L: Loss> OutputManifold<'_, M, L> {
    /// Follows the geodesic of M from `alpha f(w)` with the initial velocity `alpha J v` over unit time (w and v of length
    /// p); its end is `Exp(v)`.
    ///
    /// In parameters the geodesic obeys `w'' = -J^+ D2f(w)[w', w']`. A curve that leaves the ball, or reaches a place where J
    /// loses rank, ends there and says so in [`Geodesic::end`]; [`Geodesic::complete`] returns the proper end or an error.
    ///
    /// # Cost
    /// One linearization, one second derivative and one solve per evaluation of that equation, up to
    /// [`GeodesicSettings::evaluations`] in all.
    ///
    /// # Errors
    /// [`GeometryError::NotImmersed`] where J lacks full column rank at w; [`GeometryError::ZeroDirection`];
    /// [`GeometryError::SpeedDrift`]; [`GeometryError::EvaluationsSpent`]; others for settings, lengths and entries that are
    /// not accepted.
    ///
    /// # Examples
    /// ```
    /// use gaussflow_manifold::OutputManifold;
    /// use gaussflow_objective::{FiniteDifferences, Objective, ResidualFn, Squared};
    ///
    /// // The parabola (t, t^2), by finite differences: from its vertex, a curve of length 1.
    /// let parabola = ResidualFn::new(2, 1, |w, out| out.copy_from_slice(&[w[0], w[0] * w[0]]));
    /// let objective = Objective::new(FiniteDifferences::new(parabola), Squared::of_residuals(2), 1.0)?;
    /// let mut manifold = OutputManifold::new(&objective)?;
    /// let settings = gaussflow_manifold::GeodesicSettings { tolerance: 1e-6, ..Default::default() };
    /// let curve = manifold.exp(&[0.0], &[1.0], &settings)?;
    /// let t: f64 = curve.complete()?.point[0];
    /// let length = 0.5 * t * (1.0 + 4.0 * t * t).sqrt() + 0.25 * (2.0 * t).asinh();
    /// assert!((length - 1.0).abs() < 1e-5);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn exp(
        &mut self,
        w: &[f64],
        v: &[f64],
        settings: &GeodesicSettings,
    ) -> Result<Geodesic, GeometryError> {
        self.transport(w, v, &[], settings)
    }

    /// Follows the geodesic of [`Self::exp`] and transports tangent vectors along it in parallel.
    ///
    /// `vectors` are the parameters b (length p each) of tangent vectors `alpha J b` at w; they obey `b' = -J^+ D2f(w)[w',
    /// b]`. The result is in [`GeodesicSample::transported`].
    ///
    /// # Errors
    /// As [`Self::exp`].
    /// As [`Self::exp`].
    pub fn transport(
        &mut self,
        w: &[f64],
        v: &[f64],
        vectors: &[&[f64]],
        settings: &GeodesicSettings,
    ) -> Result<Geodesic, GeometryError> {
        let mut left = settings.evaluations;
        self.transport_within(w, v, vectors, settings, &mut left)
    }

    /// [`Self::transport`] with at most `left` evaluations of the equation, from which its own are taken.
    pub(crate) fn transport_within(
        &mut self,
        w: &[f64],
        v: &[f64],
        vectors: &[&[f64]],
        settings: &GeodesicSettings,
        left: &mut usize,
    ) -> Result<Geodesic, GeometryError> {
        let p = self.objective().map().parameters();
        for (what, vector) in [("the velocity v", v)]
            .into_iter()
            .chain(vectors.iter().map(|b| ("a transported vector", *b)))
        {
            require_length(what, vector, p)?;
            require_finite(what, vector)?;
        }
        settings.check(p)?;
        let frame = self.frame_at(w)?;
        let mut initial = vec![0.0; (2 + vectors.len()) * p];
        for (part, vector) in initial.chunks_exact_mut(p).skip(1).zip([v].iter().chain(vectors)) {
            frame.coordinates(vector, part);
        }
        let length = norm(&initial[p..2 * p]);
        if length == 0.0 || !length.is_finite() {
            return Err(GeometryError::ZeroDirection { what: "the velocity v" });
        }
        // Transport is linear: vectors about as long as the velocity have their error controlled as it has.
        let mut factors = Vec::with_capacity(vectors.len());
        for part in initial.chunks_exact_mut(p).skip(2) {
            let size = norm(part);
            let proper = size > 0.0 && size.is_finite();
            let factor = if proper {
                (length / size).log2().round().clamp(-1000.0, 1000.0).exp2()
            } else {
                1.0
            };
            part.iter_mut().for_each(|b| *b *= factor);
            factors.push(factor);
        }
        let (objective, here) = (self.objective, &mut self.here);
        let n = here.output().len();
        let mut field = GeodesicField {
            objective,
            here,
            frame,
            vectors: vectors.len(),
            evaluations_left: 0,
            w: vec![0.0; p],
            velocity: vec![0.0; p],
            moved: vec![0.0; p],
            bent: vec![0.0; n],
            pulled: vec![0.0; p],
        };
        let mut statistics = Statistics::default();
        let mut tolerance = FIRST_TOLERANCE * settings.tolerance;
        for attempt in 1..=ATTEMPTS {
            let allowed = EVALUATIONS.min(*left);
            field.evaluations_left = allowed;
            let followed = follow(&mut field, &initial, length, tolerance, settings);
            *left -= allowed - field.evaluations_left;
            let (mut curve, cost) = followed?;
            for sample in &mut curve.samples {
                for (vector, factor) in sample.transported.iter_mut().zip(&factors) {
                    vector.iter_mut().for_each(|b| *b /= factor);
                }
            }
            if *left == 0 && curve.end == GeodesicEnd::Stalled {
                let (limit, reached) = (settings.evaluations, curve.fraction());
                return Err(GeometryError::EvaluationsSpent { limit, reached });
            }
            statistics += cost;
            let complete = curve.end == GeodesicEnd::Complete;
            if curve.speed_drift <= settings.tolerance || !complete {
                return Ok(Geodesic { statistics, ..curve });
            }
            if attempt == ATTEMPTS || tolerance <= LEAST_TOLERANCE {
                let (drift, tolerance) = (curve.speed_drift, settings.tolerance);
                return Err(GeometryError::SpeedDrift { drift, tolerance });
            }
            tolerance = (TIGHTER * tolerance).max(LEAST_TOLERANCE);
        }
        // The loop returns in its last round.
        Err(GeometryError::SpeedDrift { drift: f64::NAN, tolerance: settings.tolerance })
    }
}

/// One integration at one tolerance.
fn follow<M: SecondOrderMap, L: Loss>(
    field: &mut GeodesicField<'_, M, L>,
    initial: &[f64],
    length: f64,
    tolerance: f64,
    settings: &GeodesicSettings,
) -> Result<(Geodesic, Statistics), GeometryError> {
    let p = field.frame.dimension();
    // The method bounds the mean square over the components; this bounds their sum by the tolerance.
    let absolute_tolerance = tolerance * length / (initial.len() as f64).sqrt();
    let method = Method::Adaptive { relative_tolerance: RELATIVE_TOLERANCE, absolute_tolerance };
    let grid = Grid { step: 1.0 / settings.samples as f64, every: 1, horizon: 1.0 };
    let mut in_ball = FallingValue::new(
        EventAction::Stop,
        |field: &mut GeodesicField<'_, M, L>, _, state: &[f64]| {
            let Some(ball) = &settings.ball else { return Ok(1.0) };
            field.frame.point(&state[..p], &mut field.w);
            Ok(ball.radius - gaussflow_solvers::squared_distance(&field.w, &ball.center).sqrt())
        },
    );
    let mut events: Vec<&mut dyn EventFunction<GeodesicField<'_, M, L>>> = Vec::new();
    if settings.ball.is_some() {
        events.push(&mut in_ball);
    }
    let mut states: Vec<(f64, Vec<f64>)> = Vec::new();
    let mut record = |_: &mut GeodesicField<'_, M, L>, _: usize, time: f64, state: &[f64]| {
        states.push((time, state.to_vec()));
        ControlFlow::Continue(())
    };
    let Integration { end, time, state, statistics, .. } =
        integrate(method, grid, field, initial, &mut events, &mut record)?;
    if states.last().is_none_or(|(last, _)| time > *last) {
        states.push((time, state));
    }
    let mut speed_drift = 0.0_f64;
    for (_, state) in &states {
        // Where a curve that ended early has no linearization, its drift is not known there.
        let defect = field.speed_defect(state, length);
        if let (End::Horizon, defect) | (_, defect @ Ok(_)) = (&end, defect) {
            speed_drift = speed_drift.max(defect?);
        }
    }
    let samples = states.iter().map(|(time, state)| sample(&field.frame, *time, state)).collect();
    let spent = field.evaluations_left == 0 && matches!(end, End::Breakdown { .. });
    let end = if spent { GeodesicEnd::Stalled } else { ending(end, settings) };
    Ok((Geodesic { samples, end, length, speed_drift, statistics }, statistics))
}

/// A state as parameters.
fn sample(frame: &Frame, fraction: f64, state: &[f64]) -> GeodesicSample {
    let p = frame.dimension();
    let mut point = vec![0.0; p];
    frame.point(&state[..p], &mut point);
    let mut directions = state[p..].chunks_exact(p).map(|part| {
        let mut direction = vec![0.0; p];
        frame.direction(part, &mut direction);
        direction
    });
    let velocity = directions.next().unwrap_or_default();
    GeodesicSample { fraction, point, velocity, transported: directions.collect() }
}

/// The integrator's end in the words of geometry.
fn ending(end: End<PointError>, settings: &GeodesicSettings) -> GeodesicEnd {
    match end {
        End::Horizon | End::Interrupted { .. } => GeodesicEnd::Complete,
        End::Event { .. } => {
            GeodesicEnd::LeftBall { radius: settings.ball.as_ref().map_or(f64::NAN, |b| b.radius) }
        }
        End::NonFinite { .. } => {
            GeodesicEnd::Undefined { reason: "the next state is not finite".to_owned() }
        }
        End::StepUnderflow { .. } => GeodesicEnd::Stalled,
        End::Breakdown { cause, .. } => match cause {
            PointError::Solve(SolveError::RankDeficient { smallest, largest, .. }) => {
                GeodesicEnd::RankLost { smallest, largest }
            }
            other => GeodesicEnd::Undefined { reason: other.to_string() },
        },
    }
}
