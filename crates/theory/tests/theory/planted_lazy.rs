//! Lazy training: in every row the right constant holds and a wrong one is caught.

use gaussflow_theory::papers::lazy::finite_horizon::{
    HorizonRuns, finite_horizon, parameter_distance,
};
use gaussflow_theory::papers::lazy::linearized::Linearized;
use gaussflow_theory::papers::lazy::one_unit;
use gaussflow_theory::papers::lazy::over::{OverRun, misprint, over, over_sharper};
use gaussflow_theory::papers::lazy::rates::{Suprema, over_rates};
use gaussflow_theory::papers::lazy::setting::{Setting, with_squares, with_weights};
use gaussflow_theory::papers::lazy::under::{explicit_scaling, geometric};
use gaussflow_theory::{Problem, Record, Sampler, TheoryError, Verdict};

use crate::planted::pair;

fn corrected(record: &Record) -> Verdict {
    record.corrected.as_ref().unwrap().verdict
}

/// `n` rows of three features.
fn regression(n: usize, hidden: usize) -> Result<Problem, TheoryError> {
    let inputs = Sampler::new(20).normal(3 * n);
    Problem::regression("synthetic", (&inputs, 3), &Sampler::new(21).normal(n), hidden, 3)
}

fn squares(n: usize, hidden: usize) -> Result<Setting, TheoryError> {
    Setting::measure(with_squares(&regression(n, hidden)?)?)
}

/// For small K the constants of Theorem 2.3 and of the sharper App. B.2 are attained but for a tenth.
#[test]
fn horizons() -> Result<(), TheoryError> {
    let setting = Setting::measure(one_unit()?)?;
    let radius = 1e-4 * HorizonRuns::natural_radius(&setting, 0.01);
    let runs = HorizonRuns::new(&setting, 0.01, radius, &[1.0, 4.0])?;
    pair(&finite_horizon(&runs, 1.0), &finite_horizon(&runs, 0.9));
    let (printed, sharper) = ([2.0, 4.0 / 3.0], [0.5, 1.0 / 3.0]);
    let right = parameter_distance(&runs, printed, sharper);
    pair(&right, &parameter_distance(&runs, [0.45, 4.0 / 3.0], sharper));
    assert_eq!(corrected(&right), Verdict::Holds);
    let wrong = parameter_distance(&runs, printed, [0.45, 1.0 / 3.0]);
    assert_eq!(corrected(&wrong), Verdict::Violated);
    // Weighted squares are none of Theorem 2.3's.
    let weighted = Setting::measure(with_weights(&regression(4, 8)?, &[1.0, 1.0, 0.5, 1.0])?)?;
    let runs = HorizonRuns::new(&weighted, 1.0, 0.1, &[1.0])?;
    assert_eq!(finite_horizon(&runs, 1.0).verdict, Verdict::HypothesesUnmet);
    Ok(())
}

/// The closed form solves its equation: differences of the displacement over a short time are `-J_0^T rbar`.
#[test]
fn linearized() -> Result<(), TheoryError> {
    for setting in [squares(6, 24)?, squares(12, 2)?] {
        let flow = Linearized::new(&setting);
        let target = setting.problem.minimizer();
        for time in [0.0, 1e-3, 0.5] {
            let step = 1e-6;
            let (before, after) = (flow.displacement(time), flow.displacement(time + step));
            let middle = flow.output(time + 0.5 * step);
            let residual: Vec<f64> = middle.iter().zip(&target).map(|(f, y)| f - y).collect();
            let slope = setting.start.transposed_times(&residual);
            let scale = setting.norm() * setting.residual;
            for ((b, a), s) in before.iter().zip(&after).zip(&slope) {
                assert!(((a - b) / step + s).abs() < 1e-8 * scale, "{time}");
            }
        }
    }
    Ok(())
}

#[test]
fn rates_over_time() -> Result<(), TheoryError> {
    let problem = regression(6, 24)?;
    // With weights the slowest mode is faster than m sigma^2.
    let uneven = vec![1.0, 0.3, 0.9, 0.2, 0.5, 0.7];
    for (weights, wrong) in [(vec![1.0; 6], 2.0), (uneven, 5.5)] {
        let setting = Setting::measure(with_weights(&problem, &weights)?)?;
        let horizon = 16.0 / (setting.constants.strong_convexity * setting.sigma().powi(2));
        let flow = setting.flow(setting.printed_scaling() * (1.0 + 1e-12), horizon, 60)?;
        let run = OverRun { setting: &setting, flow: &flow };
        pair(&over(&run, 0.25), &over(&run, wrong));
        let flow = setting.flow(setting.sharper_scaling() * (1.0 + 1e-12), horizon, 60)?;
        let run = OverRun { setting: &setting, flow: &flow };
        assert_eq!(over(&run, 0.25).verdict, Verdict::HypothesesUnmet);
        pair(&over_sharper(&run, 0.25), &over_sharper(&run, wrong));
        let below = setting.flow(0.99 * setting.sharper_scaling(), horizon, 4)?;
        let run = OverRun { setting: &setting, flow: &below };
        assert_eq!(over_sharper(&run, 0.25).verdict, Verdict::HypothesesUnmet);
    }
    let setting = Setting::measure(with_weights(&regression(2, 48)?, &[0.01, 0.01])?)?;
    let horizon = 16.0 / (setting.constants.strong_convexity * setting.sigma().powi(2));
    let flow = setting.flow(setting.printed_scaling() * (1.0 + 1e-12), horizon, 60)?;
    let run = OverRun { setting: &setting, flow: &flow };
    // The printed power is reported, with a bound that the flow passes.
    let printed = misprint(&run, 1.5, 0.5);
    assert_eq!(printed.verdict, Verdict::Reported);
    assert!(!printed.comparison.holds() && misprint(&run, 0.5, 1.5).comparison.holds());
    assert_eq!(corrected(&misprint(&run, 1.5, 0.5)), Verdict::Holds);
    assert_eq!(corrected(&misprint(&run, 1.5, 1.5)), Verdict::Violated);
    Ok(())
}

#[test]
fn orders_in_alpha() -> Result<(), TheoryError> {
    let setting = Setting::measure(one_unit()?)?;
    let least = setting.sharper_scaling() * (1.0 + 1e-12);
    let at = |k: i32| Suprema::measure(&setting, least * 10_f64.powi(k));
    let suprema = [at(0)?, at(1)?, at(2)?, at(3)?];
    let right = over_rates(&setting, &suprema, [1.0, 1.0, 2.0], 0.1, 1.0);
    let wrong = over_rates(&setting, &suprema, [1.3, 1.3, 1.7], 0.1, 0.01);
    for (right, wrong) in right.iter().zip(&wrong) {
        pair(right, wrong);
        assert_eq!(corrected(right), Verdict::Holds);
        assert_eq!(corrected(wrong), Verdict::Violated, "{wrong:?}");
    }
    let short = over_rates(&setting, &suprema[..3], [1.0, 1.0, 2.0], 0.1, 1.0);
    assert!(short.iter().all(|r| r.verdict == Verdict::HypothesesUnmet));
    Ok(())
}

#[test]
fn local_minima() -> Result<(), TheoryError> {
    let setting = squares(12, 2)?;
    let scaling = explicit_scaling(&setting) * (1.0 + 1e-12);
    pair(&geometric(&setting, scaling, 0.5)?, &geometric(&setting, scaling, 2.5)?);
    let unmet = geometric(&setting, 0.9 * scaling, 0.5)?;
    assert_eq!(unmet.verdict, Verdict::HypothesesUnmet);
    Ok(())
}
