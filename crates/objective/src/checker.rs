//! Derivative checks by Taylor slopes: the remainder of order k must shrink like `h^(k+1)`.
//!
//! `norm(f(w + h v) - f(w) - h J v)` falls with slope 2 in h for a right Jacobian (1 for a wrong one),
//! and with `- (h^2/2) D2f[v,v]` with slope 3.

use gaussflow_solvers::{JacobianOperator, inner_product, norm};

use crate::map::{MapError, SecondOrderMap, SmoothMap, require_length};

/// States the outcome of a slope check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlopeVerdict {
    /// The remainder falls as fast as it must.
    Consistent,
    /// The remainder is at rounding level for every step: the expansion is exact there.
    Exact,
    /// The remainder falls too slowly: the derivative is wrong.
    Inconsistent,
}

/// Holds the remainders of a Taylor expansion at several step sizes, and the slope fitted to them.
#[derive(Clone, Debug, PartialEq)]
pub struct SlopeCheck {
    /// Step sizes h, largest first.
    pub steps: Vec<f64>,
    /// Norms of the Taylor remainder at each step.
    pub remainders: Vec<f64>,
    /// Norms up to which the remainder at each step is rounding, or another error of the values.
    pub rounding: Vec<f64>,
    /// The slope of log remainder against log h over the three smallest neighbouring steps that are clear of rounding; NaN
    /// where there are none.
    pub slope: f64,
    /// The least slope of a right derivative: 2 for a Jacobian, 3 for a second derivative.
    pub expected: f64,
    /// The verdict that follows.
    pub verdict: SlopeVerdict,
    /// The columns of the Jacobian that fail on their own, counted from 0; empty when the check passes, and for checks of
    /// second derivatives.
    pub wrong_columns: Vec<usize>,
}

impl SlopeCheck {
    /// Fits the slope of `remainders` over `steps` (of one length, largest step first); remainders up to their `rounding`
    /// count as noise.
    ///
    /// A slope below `expected - 0.25` means that the derivative is wrong. Entries beyond the shortest of the three lists are
    /// ignored.
    pub fn fit(steps: Vec<f64>, remainders: Vec<f64>, rounding: Vec<f64>, expected: f64) -> Self {
        let length = steps.len().min(remainders.len()).min(rounding.len());
        // A wrong derivative leaves its mark at every h; the smallest steps clear of rounding, where
        // the higher orders have died out, show it best.
        let clear = (0..length.saturating_sub(2)).rev().find_map(|window| {
            let (h, r) = (&steps[window..window + 3], &remainders[window..window + 3]);
            let noise = &rounding[window..window + 3];
            r.iter()
                .zip(noise)
                .all(|(r, noise)| r > noise)
                .then(|| (r[0] / r[2]).log10() / (h[0] / h[2]).log10())
        });
        let verdict = match clear {
            // Finite values with a remainder that is not finite: the derivative itself is to blame.
            _ if !remainders.iter().all(|r| r.is_finite()) => SlopeVerdict::Inconsistent,
            None => SlopeVerdict::Exact,
            Some(slope) if slope >= expected - 0.25 => SlopeVerdict::Consistent,
            Some(_) => SlopeVerdict::Inconsistent,
        };
        let (slope, wrong_columns) = (clear.unwrap_or(f64::NAN), Vec::new());
        Self { steps, remainders, rounding, slope, expected, verdict, wrong_columns }
    }

    /// Returns whether the derivative passed: the verdict is not [`SlopeVerdict::Inconsistent`].
    pub fn passed(&self) -> bool {
        self.verdict != SlopeVerdict::Inconsistent
    }
}

impl std::fmt::Display for SlopeCheck {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (slope, expected) = (self.slope, self.expected);
        match self.verdict {
            SlopeVerdict::Consistent => write!(
                f,
                "consistent: the Taylor remainder falls with slope {slope:.2}, expected {expected}"
            )?,
            SlopeVerdict::Exact => write!(
                f,
                "exact: the Taylor remainder is rounding at all {} steps",
                self.steps.len()
            )?,
            SlopeVerdict::Inconsistent => write!(
                f,
                "INCONSISTENT, the derivative is wrong: the Taylor remainder falls with slope \
                 {slope:.2}, expected {expected}"
            )?,
        }
        if self.wrong_columns.is_empty() {
            return Ok(());
        }
        write!(f, "\nwrong columns of the Jacobian: {:?} (counted from 0)", self.wrong_columns)
    }
}

/// Checks the Jacobian `Df(w)` against values of f along the direction `v` (w and v of length p), and on failure names the
/// columns at fault.
///
/// The remainder `norm(f(w + h v) - f(w) - h J v)` falls like h^2 for a right Jacobian, and like h for a wrong one.
///
/// # Cost
/// One Jacobian and one evaluation per step size (about 20); on failure the same evaluations for each column.
///
/// # Errors
/// [`MapError`] where the map is undefined at `w`, or on wrong lengths. Steps that leave the domain of the map are skipped;
/// where fewer than three remain, the check fails with [`MapError::Undefined`].
///
/// # Examples
/// ```
/// use gaussflow_objective::{FiniteDifferences, ResidualFn, check_jacobian};
/// let map = FiniteDifferences::new(ResidualFn::new(1, 1, |w, out| out[0] = w[0].sin()));
/// assert!(check_jacobian(&map, &[1.0], &[1.0])?.passed());
/// # Ok::<(), gaussflow_objective::MapError>(())
/// ```
pub fn check_jacobian<M: SmoothMap>(map: &M, w: &[f64], v: &[f64]) -> Result<SlopeCheck, MapError> {
    let (value, jacobian) = linearize(map, w, v)?;
    let mut check = jacobian_slope(map, w, v, &value, &jacobian)?;
    if !check.passed() {
        let mut unit = vec![0.0; w.len()];
        for k in 0..w.len() {
            unit[k] = w[k].abs().max(1e-3);
            if !jacobian_slope(map, w, &unit, &value, &jacobian)?.passed() {
                check.wrong_columns.push(k);
            }
            unit[k] = 0.0;
        }
    }
    Ok(check)
}

/// Checks the second derivative `D2f(w)[v, v]` against values of f along the direction `v` (w and v of length p).
///
/// The remainder `norm(f(w + h v) - f(w) - h J v - (h^2/2) D2f[v, v])` falls like h^3 for a right one.
///
/// # Errors
/// As [`check_jacobian`].
pub fn check_second_derivative<M: SecondOrderMap>(
    map: &M,
    w: &[f64],
    v: &[f64],
) -> Result<SlopeCheck, MapError> {
    let (value, jacobian) = linearize(map, w, v)?;
    let mut first = vec![0.0; map.outputs()];
    jacobian.apply(v, &mut first);
    let mut second = vec![0.0; map.outputs()];
    map.second_derivative(w, &jacobian, v, v, &mut second)?;
    slope(map, w, v, 3.0, |h, j| value[j] + h * (first[j] + 0.5 * h * second[j]))
}

/// Measures whether `J^T u` is the adjoint of `J v`: `abs(<J v, u> - <v, J^T u>)` relative to the larger of
/// `norm(J v) norm(u)` and `norm(v) norm(J^T u)`. It is a few 2.2e-16 for a right operator.
///
/// # Cost
/// One product with J and one with its transpose.
///
/// # Errors
/// [`MapError`] on wrong lengths: v has p entries, u has n.
pub fn adjoint_defect(
    jacobian: &dyn JacobianOperator,
    v: &[f64],
    u: &[f64],
) -> Result<f64, MapError> {
    require_length("the vector v", v, jacobian.columns())?;
    require_length("the vector u", u, jacobian.rows())?;
    let (mut image, mut back) = (vec![0.0; u.len()], vec![0.0; v.len()]);
    jacobian.apply(v, &mut image);
    jacobian.apply_transposed(u, &mut back);
    let scale = (norm(&image) * norm(u)).max(norm(v) * norm(&back));
    let defect = (inner_product(&image, u) - inner_product(v, &back)).abs();
    Ok(if scale > 0.0 { defect / scale } else { defect })
}

/// Value and Jacobian at `w`, after checking the lengths.
fn linearize<M: SmoothMap>(
    map: &M,
    w: &[f64],
    v: &[f64],
) -> Result<(Vec<f64>, M::Jacobian), MapError> {
    require_length("the parameters w", w, map.parameters())?;
    require_length("the direction v", v, map.parameters())?;
    let (mut value, mut jacobian) = (vec![0.0; map.outputs()], map.new_jacobian());
    map.linearize(w, &mut value, &mut jacobian)?;
    Ok((value, jacobian))
}

/// The slope-2 check along one direction.
fn jacobian_slope<M: SmoothMap>(
    map: &M,
    w: &[f64],
    v: &[f64],
    value: &[f64],
    jacobian: &M::Jacobian,
) -> Result<SlopeCheck, MapError> {
    let mut first = vec![0.0; map.outputs()];
    jacobian.apply(v, &mut first);
    slope(map, w, v, 2.0, |h, j| value[j] + h * first[j])
}

/// Fits the slope of `norm(f(w + h v) - expansion(h))` over h = 10^0, 10^-1/2, ..., 10^-8; steps of 10^-12 and less show
/// the noise of the values.
fn slope<M: SmoothMap>(
    map: &M,
    w: &[f64],
    v: &[f64],
    expected: f64,
    expansion: impl Fn(f64, usize) -> f64,
) -> Result<SlopeCheck, MapError> {
    let mut value = vec![0.0; map.outputs()];
    let (mut steps, mut remainders, mut largest, mut noise) =
        (Vec::new(), Vec::new(), 0.0_f64, 0.0_f64);
    for k in (0..=16).chain(24..28) {
        let h = 10_f64.powf(-0.5 * f64::from(k));
        let shifted: Vec<f64> = w.iter().zip(v).map(|(w, v)| w + h * v).collect();
        if map.value(&shifted, &mut value).is_err() || value.iter().any(|x| !x.is_finite()) {
            continue;
        }
        largest = largest.max(norm(&value));
        value.iter_mut().enumerate().for_each(|(j, x)| *x -= expansion(h, j));
        if k > 16 {
            // Beside so small steps a remainder is the rounding of values, be the derivative right or wrong.
            noise = noise.max(norm(&value));
            continue;
        }
        steps.push(h);
        remainders.push(norm(&value));
    }
    if steps.len() < 3 {
        let reason = format!("{} of 17 steps along the direction have a value", steps.len());
        return Err(MapError::Undefined { reason });
    }
    // The values carry a few eps each; 100 leaves room for the map's own condition, and where terms larger than the
    // values cancel the noise tells.
    let rounding = vec![(100.0 * f64::EPSILON * largest).max(10.0 * noise); steps.len()];
    Ok(SlopeCheck::fit(steps, remainders, rounding, expected))
}
