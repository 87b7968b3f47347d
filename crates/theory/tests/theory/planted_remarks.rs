//! Planted errors in the rows of Remarks 4 to 6 and of section 5: right constant holds, wrong one is violated.

use std::sync::Arc;

use gaussflow_network::{Activation, InitialPoint, Initialization};
use gaussflow_objective::{Loss, Squared};
use gaussflow_theory::papers::gauss_newton::experiments;
use gaussflow_theory::papers::gauss_newton::under_remarks::{self as remarks, ConditionedSlopes};
use gaussflow_theory::referee::Traced;
use gaussflow_theory::{NetworkConstants, Problem, Sampler, TheoryError, Verdict};

use crate::planted::pair;

/// p < n: forty rows, two units.
fn under() -> (Problem, NetworkConstants) {
    let mut sampler = Sampler::new(50);
    let inputs = sampler.normal(120);
    let problem = Problem::regression("under", (&inputs, 3), &sampler.normal(40), 2, 3).unwrap();
    let constants = NetworkConstants::measure(&problem).unwrap();
    (problem, constants)
}

#[test]
fn remarks_and_experiments() -> Result<(), TheoryError> {
    let mut sampler = Sampler::new(60);
    let (inputs, targets) = (sampler.normal(120), sampler.normal(40));
    let kind = Initialization::Antisymmetric;
    let point = InitialPoint::draw(kind, 4, 3, 1)?;
    let loss: Arc<dyn Loss> = Arc::new(Squared::new(targets)?);
    let mirrored = Problem::new("mirrored", (&inputs, 3), kind, &point, Activation::Tanh, loss)?;
    pair(&remarks::antisymmetric(&mirrored, 6)?, &remarks::antisymmetric(&mirrored, 5)?);
    let mut plain = mirrored.clone();
    plain.initial[0] += 1.0; // no longer antisymmetric: phi differs from 0
    let growth = |e| remarks::non_nullified(&plain, &[100.0, 1000.0, 10000.0], e);
    pair(&growth(1.0)?, &growth(2.1)?);
    let (problem, constants) = under();
    pair(
        &remarks::alpha_guideline(&problem, &constants, 2.0),
        &remarks::alpha_guideline(&problem, &constants, 1.0),
    );
    let (rising, falling) = ([(8.0, 1.0), (16.0, 2.0)], [(8.0, 2.0), (16.0, 1.0)]);
    pair(
        &remarks::inductive_bias(&problem, &rising, &rising),
        &remarks::inductive_bias(&problem, &falling, &rising),
    );
    let slopes =
        [4.0, 3.9].map(|newton| ConditionedSlopes { condition: 1e3, newton, gradient: 1.0 });
    pair(
        &remarks::conditioning_free("sweep", &slopes, 0.05),
        &remarks::conditioning_free("sweep", &slopes, 0.02),
    );

    let trace = |scaling: f64, last: f64, ratio: f64| Traced {
        scaling,
        time: vec![0.0, 1.0, 2.0],
        loss: vec![100.0, 2.5 * last, last],
        deviation: vec![0.0, 1.0 / scaling, 2.0 / scaling],
        tangent_gradient: vec![10.0, 1.0, last / 100.0],
        rank_ratio: vec![1e-3, ratio, 1e-3],
    };
    let (a, b) = (trace(8.0, 10.0, 1e-6), trace(16.0, 20.0, 1e-6));
    let bad = trace(16.0, 5.0, 1e-13);
    pair(
        &experiments::full_rank("s", &[&a, &b], 1e-3),
        &experiments::full_rank("s", &[&a, &bad], 1e-3),
    );
    pair(&experiments::bias("s", &[&a, &b])[0], &experiments::bias("s", &[&a, &bad])[0]);
    pair(&experiments::bias("s", &[&a, &b])[1], &experiments::bias("s", &[&b, &a])[1]);
    let still = trace(8.0, 80.0, 1e-6);
    pair(&experiments::stationary("s", &[&a]), &experiments::stationary("s", &[&still]));
    let mut rises = trace(0.125, 10.0, 1e-20);
    rises.loss = vec![10.0, 5.0, 50.0];
    pair(&experiments::collapse("s", &rises, None)[0], &experiments::collapse("s", &a, None)[0]);
    pair(&experiments::collapse("s", &rises, None)[1], &experiments::collapse("s", &a, None)[1]);
    // Lower at the end, passing, and ahead at all times; the reverse is none of the three.
    let (ahead, behind) = (
        experiments::beats_gradient_flow("s", &[(&a, &b)]),
        experiments::beats_gradient_flow("s", &[(&b, &a)]),
    );
    for (right, wrong) in ahead.iter().zip(&behind) {
        pair(right, wrong);
    }
    // Behind at first: it passes and ends lower, but is not ahead at all times.
    let late = Traced { loss: vec![100.0, b.loss[1] + 1.0, a.loss[2]], ..a.clone() };
    let found = experiments::beats_gradient_flow("s", &[(&late, &b)]);
    let verdicts: Vec<Verdict> = found.iter().map(|record| record.verdict).collect();
    assert_eq!(verdicts, [Verdict::Holds, Verdict::Holds, Verdict::Violated]);
    Ok(())
}
