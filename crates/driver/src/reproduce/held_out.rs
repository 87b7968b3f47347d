//! The loss on rows that were not drawn, beside what needs no network, and what there is to say about it.

use gaussflow_figures::{Chart, Reference, Scale, Series};
use gaussflow_records::TraceRow;

use super::baselines::Baseline;
use super::charts::{
    AfterRankLoss, Quantity, alpha_name, coloured, curve, ends, subtitle, time_chart,
};
use super::plan::{COLLAPSING, Method};
use super::results::{Finished, Results};
use super::seeds::{after_start, median};
use crate::remark::digits;

/// Mean loss on held-out rows.
pub(super) const HELD_OUT: Quantity = Quantity {
    title: "The loss on rows that were not drawn, along the",
    label: "held-out loss per row (10¹⁰ USD²)",
    meaning: "The mean squared error on all rows of the data that training did not see.",
    floor: None,
    after_rank_loss: AfterRankLoss::Shown,
    read: |_, row: &TraceRow| row.held_out_loss.unwrap_or(f64::NAN),
};

const METHODS: [(Method, &str); 2] =
    [(Method::GaussNewton, "Gauss-Newton"), (Method::Gradient, "gradient")];

/// Loss per held-out row of Gauss-Newton and gradient flow, with what needs no network as lines.
pub fn chart(results: &Results) -> Chart {
    let mut chart = Chart {
        title: "How well the networks predict rows that were not drawn".to_owned(),
        subtitle: subtitle(results),
        y_label: HELD_OUT.label.to_owned(),
        x_scale: Scale::Logarithmic,
        ..time_chart()
    };
    for (method, word) in METHODS {
        for (alpha, colour) in coloured(results).filter(|(alpha, _)| *alpha > COLLAPSING) {
            let runs: Vec<&Finished> = results.all(method, alpha).collect();
            let label = format!("α = {}, {word}", alpha_name(alpha));
            let found = Series { colour, ..curve(&runs, method, label, &HELD_OUT) };
            chart.series.push(after_start(found));
        }
    }
    chart.series.retain(|series| !series.x.is_empty());
    let baselines = &results.baselines;
    let lines = [
        ("predicting 0", &baselines.zero),
        ("predicting the mean of the drawn targets", &baselines.mean),
        ("linear regression on the drawn rows", &baselines.linear),
    ];
    for (label, found) in lines.into_iter().filter(|(_, found)| !found.is_empty()) {
        let label = label.to_owned();
        chart.horizontal_lines.push(Reference { label, value: held_out(found) });
    }
    chart.description = format!("{} {}", HELD_OUT.meaning, ends(&chart));
    if let Some(remark) = remark(results) {
        chart.subtitle.extend([". ", remark.as_str()]);
        chart.description.extend([" ", remark.as_str()]);
    }
    chart
}

/// The median over seeds on held-out rows.
fn held_out(found: &[Baseline]) -> f64 {
    median(found.iter().map(|one| one.held_out))
}

/// Which medians end above the loss of predicting 0, in a sentence; `None` where none does.
pub fn remark(results: &Results) -> Option<String> {
    let zero = held_out(&results.baselines.zero);
    let mut worse = Vec::new();
    for (method, word) in METHODS {
        for (alpha, _) in coloured(results).filter(|(alpha, _)| *alpha > COLLAPSING) {
            let last = |run: &Finished| run.trace.iter().rev().find_map(|row| row.held_out_loss);
            let end = median(results.all(method, alpha).filter_map(last));
            if end > zero {
                worse.push(format!("{} ({word}, α = {})", digits(end, 3), alpha_name(alpha)));
            }
        }
    }
    let (last, others) = worse.split_last()?;
    let list =
        if others.is_empty() { last.clone() } else { format!("{} and {last}", others.join(", ")) };
    Some(format!(
        "At the end the median held-out loss per row is {list}, worse than predicting 0 for every row ({}): what they learn from \
         the drawn rows does not carry over.",
        digits(zero, 3)
    ))
}

#[cfg(test)]
mod tests {
    use super::super::baselines::Baselines;
    use super::super::plan::Mode;
    use super::super::seeds::tests::run;
    use super::*;

    fn results(last: f64) -> Results {
        let mut runs = vec![run(0, &[1.0, 1.0, 1.0]), run(1, &[1.0, 1.0, 1.0])];
        for run in &mut runs {
            run.trace[0].held_out_loss = Some(5.0);
            run.trace[2].held_out_loss = Some(last);
        }
        let zero = [5.0, 5.2].map(|held_out| Baseline { drawn: 5.0, held_out }).to_vec();
        let baselines = Baselines { zero, ..Baselines::default() };
        let (mode, network) = (Mode::Quick, "m = 18, tanh".to_owned());
        Results { mode, seeds: 2, network, runs, baselines }
    }

    /// The figure says in words what its lines show, and says nothing where nothing is above.
    #[test]
    fn worse_than_predicting_zero_is_said() {
        let said = remark(&results(9.5)).unwrap();
        assert!(
            said.contains("9.5 (Gauss-Newton, α = 8), worse") && said.contains("(5.1)"),
            "{said}"
        );
        let shown = chart(&results(9.5));
        assert!(shown.subtitle.contains(&said) && shown.description.contains(&said));
        assert_eq!(shown.horizontal_lines.len(), 1);
        // Time 0 has no place on the logarithmic axis, time 1 no value.
        assert_eq!((shown.series[0].x.clone(), shown.series[0].y.clone()), (vec![2.0], vec![9.5]));
        assert_eq!(remark(&results(5.0)), None);
    }
}
