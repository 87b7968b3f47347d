//! Deviations of designs with a known direction that the data hardly determine, against their closed form.

use gaussflow_dynamics::{Fit, FitSettings, LeastSquares};
use gaussflow_objective::{MapError, Residuals, SmoothMap};
use gaussflow_solvers::DenseJacobian;

use crate::fit::analytic::Analytic;
use num_dual::{Dual64 as Dual, DualNum};

/// Numbers from a multiplicative generator, the same in every run.
struct Draws(u64);

impl Draws {
    /// A whole number in `low..=high`.
    fn whole(&mut self, low: i32, high: i32) -> i32 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let width = u64::from((high - low).unsigned_abs()) + 1;
        low + i32::try_from((self.0 >> 33) % width).unwrap()
    }
}

/// `f(w) = A w - y`.
struct Linear {
    matrix: Vec<Vec<f64>>,
    y: Vec<f64>,
}

impl Residuals for Linear {
    fn parameters(&self) -> usize {
        self.matrix[0].len()
    }
    fn outputs(&self) -> usize {
        self.y.len()
    }
    fn value(&self, w: &[f64], out: &mut [f64]) -> Result<(), MapError> {
        for ((o, row), y) in out.iter_mut().zip(&self.matrix).zip(&self.y) {
            *o = row.iter().zip(w).map(|(a, w)| a * w).sum::<f64>() - y;
        }
        Ok(())
    }
}

impl SmoothMap for Linear {
    type Jacobian = DenseJacobian;
    fn new_jacobian(&self) -> DenseJacobian {
        DenseJacobian::zeros(self.outputs(), self.parameters())
    }
    fn linearize(
        &self,
        w: &[f64],
        value: &mut [f64],
        jacobian: &mut DenseJacobian,
    ) -> Result<(), MapError> {
        self.value(w, value)?;
        let mut matrix = jacobian.matrix_mut();
        for (j, row) in self.matrix.iter().enumerate() {
            row.iter().enumerate().for_each(|(k, a)| matrix[(j, k)] = *a);
        }
        Ok(())
    }
}

/// A design `[B, B m]` with a last row `(0, delta)`: with `z` for the last parameter,
/// `Var(z) = s^2 / delta^2` and `Var(x) = s^2 ((B^T B)^-1 + m m^T / delta^2)`. B has orthogonal columns of whole numbers,
/// m powers of two and zeros, so that all entries are exact. Columns are then scaled by powers of two.
struct Design {
    map: Linear,
    /// `Var / s^2` of each parameter, in two parts: without and with the near-null direction.
    parts: Vec<[f64; 2]>,
    /// The largest parameter's part in the near-null direction is this column's.
    fraction: f64,
}

fn design(draws: &mut Draws, log_delta: i32) -> Design {
    let x = 4;
    // Columns of a Hadamard matrix of order 8, each times a whole number: B^T B is diagonal.
    let sign = |j: usize, k: usize| if (j & k).count_ones().is_multiple_of(2) { 1.0 } else { -1.0 };
    let sizes: Vec<f64> = (0..x).map(|_| f64::from(draws.whole(1, 3))).collect();
    let m: Vec<f64> = (0..x)
        .map(|k| match draws.whole(0, 3) {
            // One entry at least is there.
            0 if k > 0 => 0.0,
            1 if k > 0 => 2.0_f64.powi(-draws.whole(1, 40)),
            _ => f64::from(draws.whole(1, 3)),
        })
        .collect();
    let delta = 10.0_f64.powi(log_delta);
    let scales: Vec<f64> = (0..=x).map(|_| 2.0_f64.powi(draws.whole(-26, 26))).collect();
    let mut matrix: Vec<Vec<f64>> = (0..8)
        .map(|j| {
            let row: Vec<f64> = (0..x).map(|k| sizes[k] * sign(j, k + 1)).collect();
            let last = row.iter().zip(&m).map(|(b, m)| b * m).sum();
            row.into_iter().chain([last]).collect()
        })
        .collect();
    matrix.push([vec![0.0; x], vec![delta]].concat());
    for row in &mut matrix {
        row.iter_mut().zip(&scales).for_each(|(a, s)| *a *= s);
    }
    let y = (0..9).map(|_| f64::from(draws.whole(-100, 100)) / 10.0).collect();
    let parts = (0..=x)
        .map(|k| {
            let (own, moved) =
                if k < x { ((8.0 * sizes[k] * sizes[k]).recip(), m[k]) } else { (0.0, 1.0) };
            let scale = scales[k] * scales[k];
            [own / scale, (moved / delta).powi(2) / scale]
        })
        .collect();
    let fraction = m.iter().fold(1.0_f64, |a, m| a.max(m.abs()));
    Design { map: Linear { matrix, y }, parts, fraction }
}

fn fit(map: Linear) -> Fit {
    let start = vec![0.0; map.parameters()];
    LeastSquares::new(map).fit(&start, &FitSettings::default()).unwrap()
}

/// What counts is entry over singular value, so that no constant share decides: from a well-determined direction to
/// one below rounding, each finite deviation is the true one, and each infinite one is that of a parameter moved.
#[test]
fn a_parameter_is_determined_as_far_as_its_entry_over_the_singular_value_says() {
    let mut draws = Draws(7);
    let (mut finite, mut infinite, mut orthogonal) = (0, 0, 0);
    for log_delta in (-17..=-2).rev() {
        for _ in 0..40 {
            let Design { map, parts, fraction } = design(&mut draws, log_delta);
            let fit = fit(map);
            let kept = fit.rank == 5;
            for (k, [own, moved]) in parts.iter().enumerate() {
                let (true_ratio, found) = ((own + moved).sqrt(), fit.standard_deviations[k]);
                let found = found / fit.residual_deviation;
                let share = (moved / own).sqrt();
                if found.is_finite() {
                    finite += 1;
                    orthogonal += usize::from(*moved == 0.0 && !kept);
                    // An entry at rounding of a direction at rounding may be any.
                    let entry = share * 10.0_f64.powi(log_delta) / fraction;
                    let hidden = !kept && entry < 1e-14;
                    let error = (found / true_ratio - 1.0).abs();
                    assert!(error < 0.02 || hidden, "{log_delta} {k} {error:e} {share:e}\n{fit}");
                } else {
                    infinite += 1;
                    assert!(!kept && share > 0.05, "{log_delta} {k} {share:e}\n{fit}");
                }
            }
            if !kept {
                let sentence = fit.rank_loss().unwrap();
                assert!(sentence.contains("w[4]") && fit.to_string().ends_with(&sentence), "{fit}");
            }
        }
    }
    assert!(
        finite > 1000 && infinite > 300 && orthogonal > 100,
        "{finite} {infinite} {orthogonal}"
    );
}

/// Half a period of a sine is a parabola: four parameters for three numbers.
#[test]
fn half_a_period_determines_none_of_four_parameters() {
    let rows: Vec<[f64; 2]> = include_str!("../../data/half_sine.csv")
        .lines()
        .skip(1)
        .map(|line| {
            let (x, y) = line.split_once(',').unwrap();
            [x.parse().unwrap(), y.parse().unwrap()]
        })
        .collect();
    let map = Analytic::new(4, move |w: &[Dual]| {
        let turn = |x: f64| Dual::from(std::f64::consts::TAU * x) / w[2] + w[3];
        rows.iter().map(|[x, y]| w[0] + w[1] * turn(*x).sin() - *y).collect()
    });
    let problem = LeastSquares::new(map).with_names(["o", "a", "per", "ph"]).unwrap();
    // The end of a fit from (1, 0.5, 2, 0): full-rank deviations there are 1e9 and 1e3 in 60-digit arithmetic.
    let start = [-2.552_188_429_3e5, 2.552_203_092_5e5, 1.813_703_173_6e3, 1.569_098_444_3];
    let settings = FitSettings { max_evaluations: 1, ..FitSettings::default() };
    let fit = problem.fit(&start, &settings).unwrap();
    assert!(fit.rank < 4 && fit.standard_deviations.iter().all(|x| x.is_infinite()), "{fit}");
}

#[test]
fn without_degrees_of_freedom_the_summary_says_why_there_are_no_deviations() {
    let matrix = vec![vec![1.0, 0.0, 0.0], vec![1.0, 1.0, 0.0], vec![1.0, 2.0, 4.0]];
    let fit = fit(Linear { matrix, y: vec![1.0, 2.0, 4.0] });
    assert!(fit.standard_deviations.iter().all(|x| x.is_nan()), "{fit}");
    let reason = fit.missing_deviations().unwrap();
    assert!(reason.contains("3 observations for 3 determined parameters"), "{reason}");
    assert!(fit.to_string().contains(&reason) && fit.rank_loss().is_none());
}
