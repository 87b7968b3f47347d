//! Monte Carlo: deviations under robust losses against the spread of the estimates.

use gaussflow_dynamics::{FitSettings, LeastSquares, RobustLoss};

use crate::fit::analytic::Analytic;
use num_dual::{Dual64 as Dual, DualNum};

const N: u32 = 200;
const SETS: usize = 300;

/// Uniform and normal numbers, the same in every run (xorshift, Box and Muller).
struct Draws(u64);

impl Draws {
    fn uniform(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }
    fn normal(&mut self) -> f64 {
        let radius = (-2.0 * self.uniform().max(1e-300).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.uniform()).cos()
    }
}

/// The median of the reported deviations over the spread of the estimates: `y = exp(a x + b) + e`, e of size 0.2, or
/// 5 for a share of the rows.
fn ratio(loss: RobustLoss, outliers: f64) -> f64 {
    let mut draws = Draws(88_172_645_463_325_252);
    let (mut estimates, mut deviations) = (Vec::new(), Vec::new());
    for _ in 0..SETS {
        let data: Vec<(f64, f64)> = (0..N)
            .map(|j| {
                let x = 5.0 * f64::from(j) / f64::from(N - 1);
                let size = if draws.uniform() < outliers { 5.0 } else { 0.2 };
                (x, (0.3 * x + 0.1).exp() + size * draws.normal())
            })
            .collect();
        let map = Analytic::new(2, move |w: &[Dual]| {
            data.iter().map(|&(x, y)| (w[0] * x + w[1]).exp() - y).collect()
        });
        let problem = LeastSquares::new(map).with_loss(loss).unwrap();
        let fit = problem.fit(&[0.3, 0.1], &FitSettings::default()).unwrap();
        assert_eq!(fit.covariance_estimate(), "sandwich");
        estimates.push(fit.parameters[0]);
        deviations.push(fit.standard_deviations[0]);
    }
    let count = SETS as f64;
    let mean = estimates.iter().sum::<f64>() / count;
    let square = estimates.iter().map(|e| (e - mean).powi(2)).sum::<f64>() / (count - 1.0);
    deviations.sort_by(f64::total_cmp);
    deviations[SETS / 2] / square.sqrt()
}

#[test]
fn reported_deviations_are_the_spread_of_the_estimates() {
    let losses = [
        RobustLoss::Huber { scale: 0.27 },
        RobustLoss::Huber { scale: 0.02 },
        RobustLoss::Huber { scale: 0.001 },
        RobustLoss::SoftL1 { scale: 0.2 },
        RobustLoss::SoftL1 { scale: 0.02 },
        RobustLoss::SoftL1 { scale: 0.001 },
        RobustLoss::Cauchy { scale: 0.5 },
        RobustLoss::Cauchy { scale: 0.1 },
    ];
    for outliers in [0.0, 0.1] {
        for loss in losses {
            let ratio = ratio(loss, outliers);
            println!("{loss:?}, {outliers} outliers: {ratio:.3}");
            assert!((ratio - 1.0).abs() < 0.15, "{loss:?}, {outliers} outliers: {ratio}");
        }
        // Here the loss has several minima, between which its curvature does not decide.
        let ratio = ratio(RobustLoss::Cauchy { scale: 0.02 }, outliers);
        println!("cauchy 0.02, {outliers} outliers: {ratio:.3}");
        assert!((0.5..2.0).contains(&ratio), "{ratio}");
    }
}
