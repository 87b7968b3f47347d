//! The Riemannian logarithm by shooting: the v with `Exp(v)` = target, and the geodesic distance.
//!
//! The miss of a shot, `r(v) = alpha R (w_1 - w(1; v))` in the orthonormal coordinates of the start, has
//! a derivative near -I as long as curvature turns little over the length. Broyden's method starts from
//! there and learns the rest. Where it fails, the target moves along the chart's straight line from
//! w_0 to w_1 (continuation), in parts that are halved until each is reached.

use gaussflow_objective::{Loss, SecondOrderMap, require_finite, require_length};
use gaussflow_solvers::{inner_product, norm};

use crate::error::GeometryError;
use crate::frame::Frame;
use crate::geodesic::{GeodesicEnd, GeodesicSettings};
use crate::manifold::OutputManifold;

/// Most shots at one target before it is brought nearer.
const SHOTS: usize = 40;
/// Steps of the shooting within which the miss must halve.
const PATIENCE: usize = 8;
/// Most shots in all.
const ALL_SHOTS: usize = 300;
/// The least part of the way that continuation takes.
const LEAST_PART: f64 = 1.0 / 4096.0;
/// Relative miss that is enough at a target on the way.
const ON_THE_WAY: f64 = 1e-2;
/// Least tolerance of the geodesics to such a target: they only tell where to go on from.
const TOLERANCE_ON_THE_WAY: f64 = 1e-5;
/// Most length of a shot over the first one at its target: a step past a near-singular derivative must
/// not send a curve around M many times.
const LONGEST: f64 = 4.0;
/// The final miss over the tolerance of the geodesics themselves.
const MISS: f64 = 3.0;

/// Describes the geodesic from one output to another: its initial velocity, its length, and how well it was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Logarithm {
    /// The initial velocity over unit time, in parameters (length p).
    pub velocity: Vec<f64>,
    /// Its length in output space, which is the geodesic distance.
    pub distance: f64,
    /// The number of geodesics that were tried.
    pub shots: usize,
    /// The output distance between the end of the geodesic and the target, to first order.
    pub miss: f64,
    /// `pi` over the largest normal curvature found at the start, the middle and the end. A shorter geodesic has no conjugate
    /// points, as far as these three places tell.
    pub injectivity_estimate: f64,
}

impl<M: SecondOrderMap, L: Loss> OutputManifold<'_, M, L> {
    /// Computes the initial velocity of the geodesic of M that goes from `alpha f(w)` to `alpha f(target)` in unit time (w
    /// and target of length p).
    ///
    /// Where several parameter vectors have the same output, the straight line from `w` to `target` in parameter space
    /// chooses the geodesic.
    ///
    /// # Cost
    /// Broyden's method on the end of the geodesic: several geodesics of [`Self::exp`].
    ///
    /// # Errors
    /// [`GeometryError::LogNotConverged`]; [`GeometryError::LeftChart`]; for a geodesic longer than its injectivity estimate
    /// [`GeometryError::BeyondInjectivity`], which contains the velocity; [`GeometryError::EvaluationsSpent`] where all
    /// attempts together took more work than the settings allow; [`GeometryError::ZeroDirection`] where the target is w; else
    /// as [`Self::exp`].
    pub fn log(
        &mut self,
        w: &[f64],
        target: &[f64],
        settings: &GeodesicSettings,
    ) -> Result<Logarithm, GeometryError> {
        let p = self.objective().map().parameters();
        require_length("the target", target, p)?;
        require_finite("the target", target)?;
        settings.check(p)?;
        let frame = self.frame_at(w)?;
        self.at(target)?;
        let mut way = vec![0.0; p];
        let chord: Vec<f64> = target.iter().zip(w).map(|(t, w)| t - w).collect();
        frame.coordinates(&chord, &mut way);
        if norm(&way) == 0.0 {
            return Err(GeometryError::ZeroDirection { what: "the way from w to the target" });
        }
        let mut shooter = Shooter {
            manifold: self,
            settings: GeodesicSettings { samples: 1, ..settings.clone() },
            frame,
            origin: w,
            shots: 0,
            evaluations_left: settings.evaluations,
            last_end: GeodesicEnd::Complete,
        };
        let (mut reached, mut part) = (0.0, 1.0);
        let mut velocity = vec![0.0; p];
        let mut miss = f64::INFINITY;
        while reached < 1.0 {
            let ahead = f64::min(reached + part, 1.0);
            let goal: Vec<f64> = w.iter().zip(&chord).map(|(w, c)| w + ahead * c).collect();
            let goal = if ahead < 1.0 { goal } else { target.to_vec() };
            // The velocity so far, and the chart's straight line for what is new.
            let mut start = velocity.clone();
            let (stretch, rest) = if reached > 0.0 { (ahead / reached, 0.0) } else { (1.0, ahead) };
            start.iter_mut().zip(&way).for_each(|(v, c)| *v = stretch * *v + rest * c);
            let accepted = if ahead < 1.0 { ON_THE_WAY } else { MISS * settings.tolerance };
            let tolerance = settings.tolerance;
            let loose = tolerance.max(TOLERANCE_ON_THE_WAY);
            shooter.settings.tolerance = if ahead < 1.0 { loose } else { tolerance };
            let aimed = shooter.aim(&goal, start, accepted).map_err(|error| match error {
                GeometryError::EvaluationsSpent { limit, .. } => {
                    GeometryError::EvaluationsSpent { limit, reached }
                }
                other => other,
            });
            match aimed? {
                Aim::Hit { velocity: found, miss: left } => {
                    (velocity, miss, reached) = (found, left, ahead);
                    part *= 2.0;
                }
                Aim::Missed { miss: left } => {
                    part *= 0.5;
                    if part < LEAST_PART || shooter.shots > ALL_SHOTS {
                        return Err(shooter.failure(reached, left, MISS * tolerance));
                    }
                }
            }
        }
        let (shots, left) = (shooter.shots, shooter.evaluations_left);
        let mut direction = vec![0.0; p];
        shooter.frame.direction(&velocity, &mut direction);
        let distance = norm(&velocity);
        let injectivity_estimate = self.injectivity_estimate(w, &direction, settings, left)?;
        if distance > injectivity_estimate * (1.0 + settings.tolerance) {
            let (length, estimate) = (distance, injectivity_estimate);
            return Err(GeometryError::BeyondInjectivity { length, estimate, velocity: direction });
        }
        Ok(Logarithm { velocity: direction, distance, shots, miss, injectivity_estimate })
    }

    /// Computes the geodesic distance between the outputs of `w` and `target`, the length of [`Self::log`]; 0 where they are
    /// equal.
    ///
    /// # Errors
    /// As [`Self::log`].
    pub fn distance(
        &mut self,
        w: &[f64],
        target: &[f64],
        settings: &GeodesicSettings,
    ) -> Result<f64, GeometryError> {
        match self.log(w, target, settings) {
            Err(GeometryError::ZeroDirection { .. }) => Ok(0.0),
            found => Ok(found?.distance),
        }
    }

    /// `pi` over the largest normal curvature at the start, the middle and the end of a geodesic.
    fn injectivity_estimate(
        &mut self,
        w: &[f64],
        v: &[f64],
        settings: &GeodesicSettings,
        mut left: usize,
    ) -> Result<f64, GeometryError> {
        let halves = GeodesicSettings { samples: 2, ..settings.clone() };
        let curve = self.transport_within(w, v, &[], &halves, &mut left)?;
        let mut curvature = 0.0_f64;
        for sample in &curve.samples {
            let found = self.at(&sample.point)?.largest_normal_curvature()?;
            curvature = curvature.max(found.value);
        }
        Ok(std::f64::consts::PI / curvature)
    }
}

/// What became of one target.
enum Aim {
    /// Reached, by this velocity (coordinates).
    Hit { velocity: Vec<f64>, miss: f64 },
    /// Not reached.
    Missed { miss: f64 },
}

/// Shots from one point.
struct Shooter<'s, 'a, M: SecondOrderMap, L> {
    manifold: &'s mut OutputManifold<'a, M, L>,
    settings: GeodesicSettings,
    frame: Frame,
    origin: &'s [f64],
    shots: usize,
    /// Evaluations of the geodesic equation that further shots may take.
    evaluations_left: usize,
    /// How the last shot at the present target that did not arrive ended; complete where all arrived.
    last_end: GeodesicEnd,
}

impl<M: SecondOrderMap, L: Loss> Shooter<'_, '_, M, L> {
    /// Broyden's method on the miss, from `velocity` (coordinates), to a miss of `accepted` lengths.
    fn aim(
        &mut self,
        goal: &[f64],
        mut velocity: Vec<f64>,
        accepted: f64,
    ) -> Result<Aim, GeometryError> {
        self.last_end = GeodesicEnd::Complete;
        let Some((mut miss, mut distance)) = self.shoot(goal, &velocity)? else {
            return Ok(Aim::Missed { miss: f64::INFINITY });
        };
        let longest = LONGEST * norm(&velocity);
        // The inverse derivative of the miss is -(I + sum u_k s_k^T).
        let mut updates: Vec<(Vec<f64>, Vec<f64>)> = Vec::new();
        let mut before = f64::INFINITY;
        for step in 0..SHOTS {
            if step % PATIENCE == 0 {
                if distance > 0.5 * before {
                    break;
                }
                before = distance;
            }
            if distance <= accepted * norm(&velocity) {
                return Ok(Aim::Hit { velocity, miss: distance });
            }
            let mut step = apply(updates.iter().map(|(u, s)| (u, s)), &miss);
            let mut shortened = 0;
            let (next, next_miss, next_distance) = loop {
                let next: Vec<f64> = velocity.iter().zip(&step).map(|(v, s)| v + s).collect();
                let shot = if norm(&next) > longest { None } else { self.shoot(goal, &next)? };
                match shot {
                    Some((m, d)) if d < 2.0 * distance => break (next, m, d),
                    _ if shortened == 4 => return Ok(Aim::Missed { miss: distance }),
                    _ => {
                        step.iter_mut().for_each(|s| *s *= 0.25);
                        shortened += 1;
                    }
                }
            };
            // Secant: the update maps the change of the miss to the step.
            let change: Vec<f64> = miss.iter().zip(&next_miss).map(|(a, b)| a - b).collect();
            let image = apply(updates.iter().map(|(u, s)| (u, s)), &change);
            let denominator = inner_product(&step, &image);
            if denominator.abs() > f64::EPSILON * inner_product(&step, &step) {
                let update = step.iter().zip(&image).map(|(s, i)| (s - i) / denominator).collect();
                let transposed = apply(updates.iter().map(|(u, s)| (s, u)), &step);
                updates.push((update, transposed));
            }
            (velocity, miss, distance) = (next, next_miss, next_distance);
        }
        Ok(Aim::Missed { miss: distance })
    }

    /// The miss of a shot in coordinates, and its output length of first order at the goal; `None` where
    /// the curve does not arrive.
    fn shoot(
        &mut self,
        goal: &[f64],
        velocity: &[f64],
    ) -> Result<Option<(Vec<f64>, f64)>, GeometryError> {
        self.shots += 1;
        let mut direction = vec![0.0; velocity.len()];
        self.frame.direction(velocity, &mut direction);
        let left = &mut self.evaluations_left;
        let (origin, settings) = (self.origin, &self.settings);
        let curve = match self.manifold.transport_within(origin, &direction, &[], settings, left) {
            Ok(curve) => curve,
            // Too wild to follow: a shot that went astray.
            Err(GeometryError::SpeedDrift { .. } | GeometryError::ZeroDirection { .. }) => {
                self.last_end = GeodesicEnd::Stalled;
                return Ok(None);
            }
            Err(other) => return Err(other),
        };
        if curve.end != GeodesicEnd::Complete {
            self.last_end = curve.end;
            return Ok(None);
        }
        let end = &curve.last().point;
        let difference: Vec<f64> = goal.iter().zip(end).map(|(g, e)| g - e).collect();
        let mut miss = vec![0.0; velocity.len()];
        self.frame.coordinates(&difference, &mut miss);
        Ok(Some((miss, self.manifold.miss(end, goal)?)))
    }

    /// Why the target was not reached.
    fn failure(&self, reached: f64, miss: f64, tolerance: f64) -> GeometryError {
        if self.last_end == GeodesicEnd::Complete {
            let shots = self.shots;
            GeometryError::LogNotConverged { shots, miss, reached, tolerance }
        } else {
            GeometryError::LeftChart { reached, end: self.last_end.clone() }
        }
    }
}

/// `(I + sum u_k s_k^T) x` for pairs of u_k and s_k.
fn apply<'u>(updates: impl Iterator<Item = (&'u Vec<f64>, &'u Vec<f64>)>, x: &[f64]) -> Vec<f64> {
    let mut out = x.to_vec();
    for (u, s) in updates {
        let factor = inner_product(s, x);
        out.iter_mut().zip(u).for_each(|(o, u)| *o += factor * u);
    }
    out
}
