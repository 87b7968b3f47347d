//! The second fundamental form `II(u,v) = alpha N D2f[a,b]` of tangent vectors u = alpha J a, v = alpha J b.
//!
//! Its transpose is the Weingarten map, `<S_xi u, v> = <II(u,v), xi>` for a normal xi; its norm
//! `sup |II(u,v)|` over unit u, v is attained at u = v (each `S_xi` is symmetric), and is the largest
//! normal curvature. Gauss: the sectional curvature of the plane of orthonormal u, v is
//! `<II(u,u), II(v,v)> - |II(u,v)|^2`.

use gaussflow_faer::faer::{Accum, Mat};
use gaussflow_faer::matmul;
use gaussflow_objective::{Loss, SecondOrderMap, require_finite, require_length};
use gaussflow_solvers::{Eigenpair, JacobianOperator, SymmetricEigen, norm};

use crate::error::GeometryError;
use crate::point::ManifoldPoint;

/// Most ascent steps from one start of the search for the largest normal curvature.
const ASCENTS: usize = 60;

/// Relative gain of an ascent step below which the search ends.
const GAIN: f64 = 1e-13;

/// Holds a large normal curvature, `norm(II(u, u))` at a unit tangent vector u, with II the second fundamental form.
#[derive(Clone, Debug, PartialEq)]
pub struct NormalCurvature {
    /// The curvature, in one over output length; its inverse is the radius of the osculating circle.
    pub value: f64,
    /// The parameters v of `u = alpha J v` (length p).
    pub direction: Vec<f64>,
}

impl<M: SecondOrderMap, L: Loss> ManifoldPoint<'_, M, L> {
    /// Computes the second fundamental form `II(alpha J a, alpha J b) = alpha N D2f(w)[a, b]` (length n), with a and b of
    /// length p.
    ///
    /// For tangent vectors given in output space, call [`Self::parameter_direction`] first.
    ///
    /// # Cost
    /// One second derivative of the map and one projection.
    ///
    /// # Errors
    /// [`GeometryError`] on wrong lengths or entries that are not finite.
    pub fn second_fundamental_form(
        &mut self,
        a: &[f64],
        b: &[f64],
        out: &mut [f64],
    ) -> Result<(), GeometryError> {
        let bent = self.bend(a, b)?;
        self.normal_part(&bent, out)?;
        let alpha = self.objective.scaling();
        out.iter_mut().for_each(|o| *o *= alpha);
        Ok(())
    }

    /// Writes the parameters (length p) of `S_xi u`, the Weingarten map of a normal vector xi (length n) on `u = alpha J a`.
    ///
    /// # Errors
    /// [`GeometryError::NotNormal`] for a xi with a tangent part; others for wrong lengths or entries that are not finite.
    pub fn weingarten(
        &mut self,
        xi: &[f64],
        a: &[f64],
        out: &mut [f64],
    ) -> Result<(), GeometryError> {
        require_length("the direction a", a, self.parameters())?;
        require_length("the image", out, self.parameters())?;
        require_finite("the direction a", a)?;
        self.require_normal(xi)?;
        let (here, map) = (&self.here, self.objective.map());
        map.weighted_hessian_apply(here.point(), here.jacobian(), xi, a, out)?;
        let alpha = self.objective.scaling();
        let basis = self.basis()?;
        basis.solve_transposed(out)?;
        basis.solve(out)?;
        out.iter_mut().for_each(|o| *o /= alpha);
        Ok(())
    }

    /// Computes the sectional curvature of M in the plane of `alpha J a` and `alpha J b` (a and b of length p), in one over
    /// squared output length. For a surface it is the Gauss curvature.
    ///
    /// # Errors
    /// [`GeometryError::ParallelDirections`]; [`GeometryError::ZeroDirection`]; others for wrong lengths or entries that are
    /// not finite.
    pub fn sectional_curvature(&mut self, a: &[f64], b: &[f64]) -> Result<f64, GeometryError> {
        let (u, uu) = self.tangent_of(a)?;
        let (v, vv) = self.tangent_of(b)?;
        for (square, what) in [(uu, "the direction a"), (vv, "the direction b")] {
            if square == 0.0 {
                return Err(GeometryError::ZeroDirection { what });
            }
        }
        let uv = self.product(&u, &v);
        // The part of v across u, not uu vv - uv^2: nearly parallel directions keep their digits.
        let across: Vec<f64> = u.iter().zip(&v).map(|(u, v)| v - uv / uu * u).collect();
        let sine = self.length(&across) / vv.sqrt();
        if sine.is_nan() || sine <= f64::EPSILON.sqrt() {
            return Err(GeometryError::ParallelDirections { sine });
        }
        let mut forms = [vec![0.0; u.len()], vec![0.0; u.len()], vec![0.0; u.len()]];
        for ((x, y), form) in [(a, a), (a, b), (b, b)].into_iter().zip(&mut forms) {
            self.second_fundamental_form(x, y, form)?;
        }
        let [aa, ab, bb] = &forms;
        let area = uu * self.product(&across, &across);
        Ok((self.product(aa, bb) - self.product(ab, ab)) / area)
    }

    /// Searches for the largest normal curvature; the result is a lower bound of the norm of the second fundamental form II.
    ///
    /// At a unit vector u, the dominant eigenvector of `S_xi` with `xi = II(u,u) / norm(II(u,u))` has a normal curvature at
    /// least as large. This ascent starts in the direction of the smallest singular value of J, where curvature is usually
    /// largest, and in the dominant direction of `S_(N grad g)`.
    ///
    /// # Errors
    /// [`GeometryError`] where the map or an eigenvalue iteration failed.
    pub fn largest_normal_curvature(&mut self) -> Result<NormalCurvature, GeometryError> {
        let p = self.parameters();
        let mut eigen = SymmetricEigen::new(p)?;
        let mut starts = vec![self.weakest_coordinates()?];
        let mut normal = vec![0.0; self.here.output().len()];
        self.normal_gradient(&mut normal)?;
        if self.length(&normal) != 0.0 {
            starts.push(dominant(eigen.extremes(self.curvature_form(&normal)?.as_ref())?));
        }
        let mut best = NormalCurvature { value: 0.0, direction: vec![0.0; p] };
        for mut coordinates in starts {
            let mut value = 0.0;
            for _ in 0..ASCENTS {
                let direction = self.direction_of(&coordinates)?;
                self.second_fundamental_form(&direction, &direction, &mut normal)?;
                let found = self.length(&normal);
                if found >= best.value {
                    best = NormalCurvature { value: found, direction };
                }
                if found.is_nan() || found <= value * (1.0 + GAIN) {
                    break;
                }
                value = found;
                normal.iter_mut().for_each(|x| *x /= found);
                coordinates = dominant(eigen.extremes(self.curvature_form(&normal)?.as_ref())?);
            }
        }
        Ok(best)
    }

    /// Computes an upper bound of the norm of the second fundamental form II, which is exact for curves:
    /// `sqrt(lambda_max(sum_l <II(e_k,e_l), II(e_k',e_l)>))` over an orthonormal tangent basis e. It exceeds the norm by at
    /// most a factor `sqrt(p)`.
    ///
    /// # Cost
    /// `p (p + 1) / 2` second derivatives of the map.
    ///
    /// # Errors
    /// [`GeometryError`] where the map or an eigenvalue iteration failed.
    pub fn normal_curvature_bound(&mut self) -> Result<f64, GeometryError> {
        let (n, p) = (self.here.output().len(), self.parameters());
        let basis = self.tangent_basis()?;
        let mut directions = Vec::with_capacity(p);
        let mut unit = vec![0.0; p];
        for k in 0..p {
            unit[k] = 1.0;
            directions.push(self.direction_of(&unit)?);
            unit[k] = 0.0;
        }
        let alpha = self.objective.scaling();
        let mut sum = Mat::zeros(p, p);
        let (mut bent, mut part) = (Mat::zeros(n, p), Mat::zeros(p, p));
        for l in 0..p {
            for (k, direction) in directions.iter().enumerate() {
                let column = self.bend(direction, &directions[l])?;
                for (entry, x) in bent.col_as_slice_mut(k).iter_mut().zip(&column) {
                    *entry = alpha * x;
                }
            }
            let q = basis.as_ref();
            matmul(part.as_mut(), Accum::Replace, q.transpose(), bent.as_ref(), 1.0);
            self.here.jacobian().sum_matrix(part.as_mut());
            matmul(bent.as_mut(), Accum::Add, q, part.as_ref(), -1.0);
            let normal = bent.as_ref();
            matmul(sum.as_mut(), Accum::Add, normal.transpose(), normal, 1.0);
        }
        self.here.jacobian().sum_matrix(sum.as_mut());
        let mut eigen = SymmetricEigen::new(p)?;
        eigen.factor(sum.as_ref())?;
        Ok(eigen.value(p - 1).max(0.0).sqrt())
    }

    /// The parameters v of the tangent vector with coordinates c: `v = R^-1 c / alpha`.
    pub(crate) fn direction_of(&mut self, coordinates: &[f64]) -> Result<Vec<f64>, GeometryError> {
        let alpha = self.objective.scaling();
        let mut v = coordinates.to_vec();
        self.basis()?.solve(&mut v)?;
        v.iter_mut().for_each(|v| *v /= alpha);
        Ok(v)
    }

    /// Unit coordinates near the left singular vector of R's smallest singular value.
    fn weakest_coordinates(&mut self) -> Result<Vec<f64>, GeometryError> {
        let p = self.parameters();
        let basis = self.basis()?;
        let mut c = vec![1.0; p];
        for _ in 0..4 {
            basis.solve(&mut c)?;
            basis.solve_transposed(&mut c)?;
            let length = norm(&c);
            if !(length.is_finite() && length > 0.0) {
                return Err(GeometryError::ZeroDirection { what: "the weakest direction" });
            }
            c.iter_mut().for_each(|c| *c /= length);
        }
        Ok(c)
    }
}

/// The eigenvector of the eigenvalue of largest magnitude.
fn dominant([smallest, largest]: [Eigenpair; 2]) -> Vec<f64> {
    if smallest.value.abs() > largest.value.abs() { smallest.vector } else { largest.vector }
}
