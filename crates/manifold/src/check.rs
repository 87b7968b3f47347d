//! Checks of a map's geometry that a user can run and read: gradient, Hessian, projection, transport, Log.
//!
//! Along the geodesic of velocity `u = alpha J v`, `g(Exp(h v)) = g + h <P grad g, u> + (h^2/2) <u, Hess_M
//! g u> + O(h^3)`: without the last term the remainder falls with slope 2, with it with slope 3. The
//! slope of the Hessian shows the sign of the curvature term, on which Lemma 7 of the paper errs.

use gaussflow_objective::{Loss, SecondOrderMap, SlopeCheck};
use gaussflow_solvers::{inner_product, norm};

use crate::error::GeometryError;
use crate::geodesic::GeodesicSettings;
use crate::manifold::OutputManifold;

/// Half decades that the step of a slope check falls by.
const HALF_DECADES: i32 = 8;
/// Roundings of n-term sums that a projection's identities may be off by.
const PROJECTION_ROUNDINGS: f64 = 8.0;
/// Accepted defects over the tolerance of the geodesics.
const INTEGRATED: f64 = 100.0;

/// Reports the outcome of one check of the geometry; `Display` writes it as a line with its verdict.
#[derive(Clone, Debug, PartialEq)]
pub enum GeometryCheck {
    /// A Taylor remainder that must fall with a given power of the step.
    Slope {
        /// What was checked.
        name: &'static str,
        /// Steps, remainders and slope.
        check: SlopeCheck,
    },
    /// An identity whose relative error must be small.
    Defect {
        /// What was checked.
        name: &'static str,
        /// The relative error found.
        defect: f64,
        /// The largest relative error accepted.
        accepted: f64,
    },
}

impl GeometryCheck {
    /// Returns whether the check passed.
    pub fn passed(&self) -> bool {
        match self {
            Self::Slope { check, .. } => check.passed(),
            Self::Defect { defect, accepted, .. } => defect <= accepted,
        }
    }
}

impl std::fmt::Display for GeometryCheck {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Slope { name, check } => write!(f, "{name}: {check}"),
            Self::Defect { name, defect, accepted } => {
                let word = if self.passed() { "consistent" } else { "INCONSISTENT" };
                write!(f, "{name}: {word}: defect {defect:.1e}, accepted {accepted:.1e}")
            }
        }
    }
}

impl<M: SecondOrderMap, L: Loss> OutputManifold<'_, M, L> {
    /// Makes all five checks at w along v (both of length p). Choose v so long that M bends visibly over `norm(alpha J v)`,
    /// but the geodesic stays where J keeps its rank.
    ///
    /// # Errors
    /// [`GeometryError`] where a check cannot be made, for lack of a tangent space or a geodesic.
    ///
    /// # Examples
    /// ```
    /// use gaussflow_manifold::{GeodesicSettings, OutputManifold};
    /// use gaussflow_objective::{FiniteDifferences, Objective, ResidualFn, Squared};
    ///
    /// let bowl = ResidualFn::new(3, 2, |w, out| {
    ///     out.copy_from_slice(&[w[0], w[1], w[0] * w[0] + w[1] * w[1]]);
    /// });
    /// let objective = Objective::new(FiniteDifferences::new(bowl), Squared::of_residuals(3), 1.0)?;
    /// let mut manifold = OutputManifold::new(&objective)?;
    /// // Differences carry errors of 1e-8 or so: ask for no more.
    /// let settings = GeodesicSettings { tolerance: 1e-5, ..Default::default() };
    /// for check in manifold.check(&[0.3, 0.2], &[0.4, -0.1], &settings)? {
    ///     println!("{check}");
    ///     assert!(check.passed(), "{check}");
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn check(
        &mut self,
        w: &[f64],
        v: &[f64],
        settings: &GeodesicSettings,
    ) -> Result<Vec<GeometryCheck>, GeometryError> {
        let [gradient, hessian] = self.check_derivatives(w, v, settings)?;
        Ok(vec![
            gradient,
            hessian,
            self.check_projection(w, v)?,
            self.check_transport(w, v, settings)?,
            self.check_logarithm(w, v, settings)?,
        ])
    }

    /// Checks the Riemannian gradient and Hessian against the loss along the geodesic of v: the Taylor remainders must fall
    /// like h^2 and h^3.
    ///
    /// # Errors
    /// As [`Self::check`].
    pub fn check_derivatives(
        &mut self,
        w: &[f64],
        v: &[f64],
        settings: &GeodesicSettings,
    ) -> Result<[GeometryCheck; 2], GeometryError> {
        let mut here = self.at(w)?;
        let (tangent, square) = here.tangent_of(v)?;
        let value = here.here.loss();
        let mut gradient = vec![0.0; tangent.len()];
        here.riemannian_gradient(&mut gradient)?;
        let first = inner_product(&gradient, &tangent);
        let second = here.hessian_quotient(v)?.total() * square;
        let slope_of_loss = norm(here.here.loss_gradient()) * square.sqrt();
        let (mut steps, mut remainders, mut largest) =
            (Vec::new(), [Vec::new(), Vec::new()], value);
        for k in 0..=HALF_DECADES {
            let h = 10_f64.powf(-0.5 * f64::from(k));
            let velocity: Vec<f64> = v.iter().map(|v| h * v).collect();
            let end = self.exp(w, &velocity, settings)?.complete()?.point.clone();
            let found = self.at(&end)?.here.loss();
            largest = largest.max(found);
            let linear = found - value - h * first;
            steps.push(h);
            remainders[0].push(linear.abs());
            remainders[1].push((linear - 0.5 * h * h * second).abs());
        }
        // The end of a geodesic of length h is off by a part of h.
        let noise =
            |h: &f64| 100.0 * f64::EPSILON * largest + settings.tolerance * h * slope_of_loss;
        let rounding: Vec<f64> = steps.iter().map(noise).collect();
        let [linear, quadratic] = remainders;
        Ok([
            GeometryCheck::Slope {
                name: "Riemannian gradient",
                check: SlopeCheck::fit(steps.clone(), linear, rounding.clone(), 2.0),
            },
            GeometryCheck::Slope {
                name: "Riemannian Hessian along a geodesic",
                check: SlopeCheck::fit(steps, quadratic, rounding, 3.0),
            },
        ])
    }

    /// Checks the projection P on the tangent space: it must be idempotent and symmetric (on the two halves of the loss
    /// gradient), and leave `alpha J v` unchanged.
    ///
    /// # Errors
    /// As [`Self::check`].
    pub fn check_projection(
        &mut self,
        w: &[f64],
        v: &[f64],
    ) -> Result<GeometryCheck, GeometryError> {
        let mut here = self.at(w)?;
        let (tangent, square) = here.tangent_of(v)?;
        let n = tangent.len();
        // Two vectors that are neither tangent nor normal, whatever the loss.
        let [x, y] = [0.618_033_988_749_894_9, 0.414_213_562_373_095]
            .map(|ratio| (1..=n).map(|k| (k as f64 * ratio).fract() - 0.5).collect::<Vec<f64>>());
        let mut parts = [vec![0.0; n], vec![0.0; n], vec![0.0; n], vec![0.0; n]];
        let [px, py, again, kept] = &mut parts;
        here.tangent_part(&x, px)?;
        here.tangent_part(&y, py)?;
        here.tangent_part(px, again)?;
        here.tangent_part(&tangent, kept)?;
        let distance = |a: &[f64], b: &[f64]| gaussflow_solvers::squared_distance(a, b).sqrt();
        let idempotent = distance(again, px) / norm(&x);
        let symmetric =
            (inner_product(px, &y) - inner_product(&x, py)).abs() / (norm(&x) * norm(&y));
        let identity = if square > 0.0 { distance(kept, &tangent) / square.sqrt() } else { 0.0 };
        let accepted = PROJECTION_ROUNDINGS * n as f64 * f64::EPSILON;
        let defect = idempotent.max(symmetric).max(identity);
        Ok(GeometryCheck::Defect { name: "tangent projection", defect, accepted })
    }

    /// Checks that parallel transport along the geodesic of v keeps the inner products of two vectors.
    ///
    /// # Errors
    /// As [`Self::check`].
    pub fn check_transport(
        &mut self,
        w: &[f64],
        v: &[f64],
        settings: &GeodesicSettings,
    ) -> Result<GeometryCheck, GeometryError> {
        let mut across = vec![0.0; v.len()];
        for (k, a) in across.iter_mut().enumerate() {
            *a = ((k + 1) as f64 * 0.618_033_988_749_894_9).fract() - 0.5;
        }
        let curve = self.transport(w, v, &[v, &across], settings)?;
        let end = curve.complete()?;
        let products = |manifold: &mut Self, w: &[f64], vectors: [&[f64]; 2]| {
            let here = manifold.at(w)?;
            let (a, aa) = here.tangent_of(vectors[0])?;
            let (b, bb) = here.tangent_of(vectors[1])?;
            Ok::<_, GeometryError>([aa, inner_product(&a, &b), bb])
        };
        let before = products(self, w, [v, &across])?;
        let after = products(self, &end.point, [&end.transported[0], &end.transported[1]])?;
        let scales = [before[0], (before[0] * before[2]).sqrt(), before[2]];
        let defects = before.iter().zip(&after).zip(scales).map(|((b, a), s)| (a - b).abs() / s);
        let (defect, accepted) = (defects.fold(0.0, f64::max), INTEGRATED * settings.tolerance);
        Ok(GeometryCheck::Defect { name: "isometry of parallel transport", defect, accepted })
    }

    /// Checks that `Log(Exp(v)) = v`, in output length relative to that of v.
    ///
    /// # Errors
    /// As [`Self::check`].
    pub fn check_logarithm(
        &mut self,
        w: &[f64],
        v: &[f64],
        settings: &GeodesicSettings,
    ) -> Result<GeometryCheck, GeometryError> {
        let end = self.exp(w, v, settings)?.complete()?.point.clone();
        let back = self.log(w, &end, settings)?.velocity;
        let difference: Vec<f64> = back.iter().zip(v).map(|(a, b)| a - b).collect();
        let here = self.at(w)?;
        let (_, miss) = here.tangent_of(&difference)?;
        let (_, length) = here.tangent_of(v)?;
        let (defect, accepted) = ((miss / length).sqrt(), INTEGRATED * settings.tolerance);
        Ok(GeometryCheck::Defect { name: "logarithm of the exponential", defect, accepted })
    }
}
