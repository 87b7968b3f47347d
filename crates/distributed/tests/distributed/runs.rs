//! A run with its rows on several ranks is the run of one process, to rounding; on one rank, to the bit.

use crate::common::worst_difference;
use gaussflow_distributed::agreement::Failure;
use gaussflow_distributed::run::execute;
use gaussflow_distributed::threads::run_ranks;
use gaussflow_driver::config::{Config, ConfigProblem};
use gaussflow_driver::run::{Experiment, RunError, load};
use gaussflow_driver::{DriverError, run};
use gaussflow_records::StopReason;

/// 203 rows are no multiple of 2, 3 or of the blocks that products go by; 120 parameters are more than the
/// 68 rows of a third.
const BASE: [&str; 6] = [
    "data.samples = 203",
    "data.targets = \"standardized\"",
    "network.hidden = 15",
    "dynamics.horizon = 0.2",
    "record.hessian_every = 0",
    "record.snapshot_every = 5",
];

/// The base with `lines` added, each in the place of the base's line for the same key.
fn config(lines: &[&str]) -> Config {
    let key = |line: &str| line.split(' ').next().map(str::to_owned);
    let kept = BASE.iter().filter(|base| lines.iter().all(|line| key(line) != key(base)));
    let all: Vec<&str> = kept.chain(lines).copied().collect();
    Config::parse(&all.join("\n")).unwrap()
}

/// The worst difference to the run of one process, of 1, 2 and 3 ranks.
fn differences(more: &[&str]) -> [f64; 3] {
    let config = config(more);
    let data = load(&config).unwrap();
    let serial = run::execute(&Experiment::new(config.clone(), &data).unwrap()).unwrap();
    assert_eq!(serial.outcome.stop_reason, StopReason::Horizon, "{more:?}");
    [1, 2, 3].map(|size| {
        let records = run_ranks(size, |ranks| execute(&config, &data, ranks).unwrap().record);
        let of_zero = &records[0];
        for record in &records {
            // Ranks that differ in a bit would sooner or later decide differently.
            assert_eq!(record.outcome.final_weights, of_zero.outcome.final_weights, "{more:?}");
            assert_eq!(record.outcome.counters, of_zero.outcome.counters, "{more:?}");
        }
        assert_eq!(of_zero.outcome.stop_reason, StopReason::Horizon, "{more:?}");
        assert_eq!(of_zero.problem, serial.problem);
        worst_difference(&serial.trace, &of_zero.trace)
    })
}

/// The solve tolerance is 1e-12 of the gradient; over 20 steps of size 0.01 to 0.1 the directions' errors
/// add up to no more than what the smallest eigenvalue, the worst column, makes of them.
#[test]
fn every_method_agrees_with_the_run_of_one_process() {
    let damped = ["dynamics.preconditioner = \"levenberg-marquardt\"", "dynamics.damping = 0.1"];
    let gradient = "dynamics.preconditioner = \"gradient\"";
    let wide = "network.hidden = 30";
    let cases: [&[&str]; 16] = [
        &["record.hessian_every = 4"],
        &["dynamics.solver = \"householder-qr\""],
        &["dynamics.solver = \"thin-svd\""],
        &[wide, "dynamics.solve_tolerance = 1e-13"],
        &[wide, damped[0], damped[1]],
        &[wide, damped[0], damped[1], "dynamics.solver = \"conjugate-gradients\""],
        &[],
        &["dynamics.solver = \"primal-cholesky\""],
        &["dynamics.solver = \"amortized-cholesky\"", "record.every = 20"],
        &damped,
        &[damped[0], damped[1], "dynamics.solver = \"conjugate-gradients\""],
        &[gradient, "dynamics.integrator = \"stiff\""],
        &["dynamics.integrator = \"rk4\""],
        &["dynamics.integrator = \"discrete\"", "dynamics.step = 0.1", "dynamics.horizon = 4.0"],
        &["loss.name = \"log-cosh\"", "loss.curvature = 0.5"],
        &["dynamics.integrator = \"adaptive\"", "events.ball_radius = 0.05"],
    ];
    for more in cases {
        let [one, two, three] = differences(more);
        assert!(one == 0.0, "{more:?}: {one:e}");
        assert!(two < 1e-10 && three < 1e-10, "{more:?}: {two:e} {three:e}");
        // A sum in another order has other bits: equality would mean that nothing was split.
        assert!(two > 0.0, "{more:?}");
    }
}

/// The paper's problem loses rank at alpha = 1/8 and goes on with the pseudo-inverse: the same event at the same step on every
/// number of ranks, and the same trace until then. After it the field is discontinuous, and rounding decides.
#[test]
fn rank_is_lost_where_one_process_loses_it() {
    let config = config(&[
        "dynamics.scaling = 0.125",
        "data.targets = \"raw\"",
        "network.hidden = 18",
        "data.samples = 256",
        "record.hessian_every = 10",
        "dynamics.horizon = 0.4",
    ]);
    let data = load(&config).unwrap();
    let serial = run::execute(&Experiment::new(config.clone(), &data).unwrap()).unwrap();
    let [lost] = &serial.outcome.events[..] else { panic!("{:?}", serial.outcome.events) };
    assert!(serial.outcome.counters["fallback_pseudo_inverse"] > 0);
    let before = usize::try_from(lost.step).unwrap();
    for size in [2, 3, 4] {
        let records = run_ranks(size, |ranks| execute(&config, &data, ranks).unwrap().record);
        for record in &records {
            assert_eq!(
                record.outcome.final_weights, records[0].outcome.final_weights,
                "{size} ranks"
            );
            let [found] = &record.outcome.events[..] else { panic!("{:?}", record.outcome.events) };
            assert_eq!((found.kind, found.step), (lost.kind, lost.step), "{size} ranks");
            assert!(
                (found.time / lost.time - 1.0).abs() < 1e-10,
                "{size} ranks: {found:?} {lost:?}"
            );
            assert!(record.outcome.counters["fallback_pseudo_inverse"] > 0);
        }
        // The smallest eigenvalue of the last steps before it multiplies rounding. Rank 0 alone has the held-out rows.
        let worst = worst_difference(&serial.trace[..before - 2], &records[0].trace[..before - 2]);
        assert!(worst < 1e-10, "{size} ranks: {worst:e}");
    }
}

/// Each rank has its rows' part of every layer.
#[test]
fn deep_networks_go_with_their_rows() {
    let deep = ["network.hidden = [9, 6]", "network.bias = true", "network.output = \"trained\""];
    let damped = ["dynamics.preconditioner = \"levenberg-marquardt\"", "dynamics.damping = 0.1"];
    let [one, two, three] = differences(&[&deep[..], &damped].concat());
    assert!(one == 0.0 && two < 1e-10 && three < 1e-10, "{one:e} {two:e} {three:e}");
}

/// LSMR stops at the tolerance from its own side: its directions differ by the condition of J times that.
#[test]
fn products_alone_agree_to_their_tolerance() {
    let [one, two, three] = differences(&["dynamics.solver = \"lsmr\""]);
    assert!(one == 0.0 && two < 1e-8 && three < 1e-8, "{one:e} {two:e} {three:e}");
}

#[test]
fn weights_go_with_their_rows() {
    let weights: Vec<String> = (0..203).map(|j| format!("{}", 1.0 + f64::from(j % 7))).collect();
    let weights = format!("loss.weights = [{}]", weights.join(", "));
    let [one, two, three] = differences(&["loss.name = \"weighted\"", &weights]);
    assert!(one == 0.0 && two < 1e-10 && three < 1e-10, "{one:e} {two:e} {three:e}");
}

#[test]
fn what_rows_on_several_ranks_do_not_go_with_is_refused_by_its_key() {
    for (key, line) in
        [("data.samples", "data.samples = 2"), ("dynamics.batch", "dynamics.batch = 20")]
    {
        let config = config(&[line]);
        let data = load(&config).unwrap();
        let told = run_ranks(3, |ranks| execute(&config, &data, ranks).err());
        let Some(Failure::Here(DriverError::Run(RunError::Config(error)))) = &told[0] else {
            panic!("{key}: {:?}", told[0])
        };
        assert!(
            matches!(&error.problem, ConfigProblem::Value { key: found, .. } if found == key),
            "{error}"
        );
        assert!(
            matches!(told[1], Some(Failure::Elsewhere { rank: 0, status: 2 })),
            "{:?}",
            told[1]
        );
        // One rank takes everything that one process does.
        assert!(run_ranks(1, |ranks| execute(&config, &data, ranks).is_ok())[0], "{key}");
    }
}
