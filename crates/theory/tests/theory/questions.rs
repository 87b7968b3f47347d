//! The open questions at quick effort on drawn rows, against closed forms.

use gaussflow_dynamics::Preconditioner;
use gaussflow_theory::papers::questions::{self, Exit, spearman, spearman_within};
use gaussflow_theory::{Local, NetworkConstants};

use crate::later::{audited, material};

#[test]
fn questions_are_answered() {
    let found = audited(&questions::PAPER);
    for record in &found.records {
        let (left, right) = (record.comparison.left, record.comparison.right);
        match record.statement.id {
            // The corrected formulas are proven.
            "question/threshold" if record.statement.place.contains("corrected") => {
                assert!(left >= right, "{record:?}");
            }
            // Nearly linear at alpha = 1e4: the rate is 2 nu.
            "question/rate" => assert!((left / right - 1.0).abs() < 1e-2, "{record:?}"),
            // What chance gives of seven predictors and so many runs: 2.69 over their root.
            "question/rank-loss" => assert!(left <= 1.0 && right > 0.3, "{record:?}"),
            _ => assert!(left > 0.0, "{record:?}"),
        }
    }
    assert_eq!(found.plots.len(), questions::PAPER.statements.len());
    // The share of the loss that is left at the first rank loss is below 1: the loss falls along the flow.
    let plot = found.plots.iter().find(|plot| plot.stem == "audit_question_rank_loss").unwrap();
    let shares = plot.curves.iter().flat_map(|(_, _, y)| y).filter(|y| !y.is_nan());
    assert!(shares.clone().count() > 1 && shares.clone().all(|y| (0.0..1.0).contains(y)));
}

#[test]
fn the_threshold_separates_staying_from_leaving() {
    let material = material();
    let wide = material.over[0].problem(8).unwrap();
    let tall = material.under[0].problem(2).unwrap();
    let damped = Preconditioner::LevenbergMarquardt { damping: 0.1 };
    for (problem, preconditioner) in [(&wide, damped), (&tall, Preconditioner::GaussNewton)] {
        let constants = NetworkConstants::measure(problem).unwrap();
        // In a ball so small that f is linear the flow ends at norm(J^+ y)/alpha.
        let radius = 1e-3 * constants.kernel_radius();
        let exit = Exit { problem, preconditioner, radius };
        let found = exit.threshold().unwrap();
        assert!(found.leaves < found.stays && found.stays <= 1.02 * found.leaves, "{found:?}");
        assert!(exit.share(found.leaves).unwrap() >= 1.0);
        assert!(exit.share(found.stays).unwrap() < 1.0);
        let start = Local::measure(problem, 1.0, &problem.initial).unwrap();
        let far = start.quadratic_form(&start.gradient, f64::recip).sqrt() / 2.0;
        assert!((found.middle() * radius / far - 1.0).abs() < 0.02, "{found:?}");
    }
}

#[test]
fn rank_correlations() {
    let x = [0.3, 1.0, 2.0, 5.0, 9.0];
    assert!((spearman(&x, &x.map(f64::exp)) - 1.0).abs() < 1e-15);
    assert!((spearman(&x, &x.map(|x| -x)) + 1.0).abs() < 1e-15);
    // Ties share their mean rank: ranks 1.5, 1.5, 3 against 1, 2, 3 have the correlation sqrt(3)/2.
    let tied = spearman(&[1.0, 1.0, 2.0], &[1.0, 2.0, 3.0]);
    assert!((tied - 0.75_f64.sqrt()).abs() < 1e-15);
    assert!(spearman(&x, &[1.0; 5]).is_nan());
    // One group is the plain correlation; a group's offset does not matter.
    let pairs = vec![(1.0, 2.0), (2.0, 1.0), (3.0, 3.0)];
    let moved: Vec<(f64, f64)> = pairs.iter().map(|(x, y)| (x + 100.0, y - 100.0)).collect();
    assert!((spearman_within(std::slice::from_ref(&pairs)) - 0.5).abs() < 1e-15);
    assert!((spearman_within(&[pairs, moved]) - 0.5).abs() < 1e-15);
}
