//! The one-dimensional counterexample to Theorem 5 as numbers and a picture (counterexample.svg, .png).
//!
//! m = d = 1, n = 2, c = 1, x = (1, 3), w_0 = 1/2, y = (6.4, -7.5), r = 1/2: every hypothesis is met, and
//! (22), `Delta_t <= g(0) exp(-2 nu t)`, fails from t = 1.92 on, because the curve M bends away from y.
//!
//!     cargo run --release -p gaussflow-driver --example theorem_5_counterexample [FOLDER]

use gaussflow::dynamics::Preconditioner;
use gaussflow::theory::papers::gauss_newton::plan::{counterexample, counterexample_scaling};
use gaussflow::theory::papers::gauss_newton::under_geometry::corrected_rate;
use gaussflow::theory::papers::gauss_newton::under_immersion::Ball;
use gaussflow::theory::{BestInClass, FlowPlan, NetworkConstants, Stepper, Trajectory};
use gaussflow_figures::{Chart, Scale, Series, render};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args().nth(1).unwrap_or_else(|| ".".to_owned());
    let problem = counterexample()?;
    let constants = NetworkConstants::measure(&problem)?;
    let printed = counterexample_scaling(&problem, &constants)?;
    let ball = Ball {
        problem: &problem,
        constants: &constants,
        scaling: printed,
        fraction: 0.5,
        points: 1,
    };
    let rate = corrected_rate(&ball)?;
    let corrected = rate.least_scaling();
    println!("lambda0 = {:.4}, L = {:.4}", constants.lambda0, constants.jacobian_lipschitz);

    let mut series = Vec::new();
    for (scaling, name) in [(printed, "printed"), (corrected, "corrected")] {
        let (preconditioner, stepper) = (Preconditioner::GaussNewton, Stepper::Explicit);
        let plan = FlowPlan { preconditioner, scaling, horizon: 4.0, samples: 400, stepper };
        let flow = Trajectory::integrate(&problem, &plan)?;
        let best = BestInClass::polish(&problem, scaling, &flow.last().weights)?;
        let time: Vec<f64> = flow.samples.iter().map(|s| s.time).collect();
        let gap: Vec<f64> = flow.samples.iter().map(|s| s.loss - best.loss).collect();
        // (22) at the printed alpha; the corrected bound at its own.
        let (factor, exponent) = if scaling.total_cmp(&printed).is_eq() {
            (constants.initial_gap, 2.0 * constants.strong_convexity)
        } else {
            (gap[0], 2.0 * rate.theta(scaling))
        };
        let bound: Vec<f64> = time.iter().map(|t| factor * (-exponent * t).exp()).collect();
        let crossing = (1..time.len()).find(|&k| gap[k] > bound[k]);
        println!(
            "{name} alpha = {scaling:.2}: norm(w* - w_0) = {:.4}, radius of B {:.4}, largest deviation {:.4}",
            best.distance,
            constants.ball_radius(0.5),
            flow.largest_deviation().0
        );
        match crossing {
            Some(k) => println!(
                "  the bound fails from t = {:.2}; at t = 4 the gap is {:.1} times it",
                time[k],
                gap[400] / bound[400]
            ),
            None => println!(
                "  the bound holds; at t = 4 the gap is {:.2e} times it",
                gap[400] / bound[400]
            ),
        }
        let label = format!("measured, {name} α = {scaling:.1}");
        series.push(Series::new(label, time.clone(), gap, series.len()));
        series.push(Series::new(format!("{name} bound"), time, bound, series.len()));
    }
    let chart = Chart {
        title: "Theorem 5 in one dimension: as printed and corrected".to_owned(),
        subtitle: "m = d = 1, n = 2, x = (1, 3), w₀ = 1/2, y = (6.4, −7.5), r = 1/2".to_owned(),
        x_label: "time t".to_owned(),
        y_label: "gap Δₜ = g(αf(wₜ)) − min g".to_owned(),
        y_scale: Scale::Logarithmic,
        series,
        ..Chart::default()
    };
    let [vector, bitmap] = render(&chart, folder.as_ref(), "counterexample")?;
    println!("{}\n{}", vector.display(), bitmap.display());
    Ok(())
}
