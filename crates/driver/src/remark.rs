//! One plain sentence on a run that did not go as the flow of equation (1) does: rank lost, fallbacks taken, loss
//! risen, weights run away; and what to do about it.
//!
//! It is made from outcome.json and trace.csv alone, so that console, summaries and report say the same.

use gaussflow_records::{EventKind, Outcome, Status, StopReason, TraceRow};

/// `lambda_min / lambda_max` at or below which a recorded row shows that rank is lost, where no event tells:
/// the default of `events.rank_threshold`, squared.
const LOST: f64 = 1e-12;

/// Part of the first loss, or of its fall, by which the loss must rise for it to be told: Euler steps of a healthy
/// run oscillate by less.
const RISE: f64 = 0.01;

/// Weights are drawn with unit variance: so many times their norm is no longer a neighbourhood of the start.
const FAR: f64 = 1e3;

/// The sentence; `None` where there is nothing to say, and for a run whose error says it.
pub fn remark(outcome: &Outcome, trace: &[TraceRow]) -> Option<String> {
    if outcome.status == Status::Failed {
        return None;
    }
    let rank = rank_loss(outcome, trace);
    let [rank_text, solve_text] = [rank.as_ref().map(RankLoss::words), fallbacks(outcome, trace)];
    let course = [overflow(outcome), rise(outcome, trace), run_away(outcome, trace)];
    let facts: Vec<String> = [rank_text, solve_text].into_iter().chain(course).flatten().collect();
    let (last, others) = facts.split_last()?;
    let facts =
        if others.is_empty() { last.clone() } else { format!("{} and {last}", others.join(", ")) };
    Some(format!("This run {facts}; {}.", advice(outcome, rank.is_some())))
}

/// Where J lost rank.
struct RankLoss {
    time: f64,
    step: u64,
    /// Whether the run ended there.
    has_ended: bool,
}

impl RankLoss {
    fn words(&self) -> String {
        let Self { time, step, has_ended } = self;
        if *has_ended {
            format!("ended where the Jacobian lost rank, at t = {} (step {step})", digits(*time, 4))
        } else if *step == 0 {
            "began where the Jacobian has not full rank, at t = 0".to_owned()
        } else {
            format!("lost rank of the Jacobian at t = {} (step {step})", digits(*time, 4))
        }
    }
}

/// The event, or the first undamped row whose smallest singular value is none: where p > n, no event is located.
fn rank_loss(outcome: &Outcome, trace: &[TraceRow]) -> Option<RankLoss> {
    let has_ended = outcome.stop_reason == StopReason::RankLost;
    if let Some(event) = outcome.events.iter().find(|event| event.kind == EventKind::RankLost) {
        return Some(RankLoss { time: event.time, step: event.step, has_ended });
    }
    let lost = |row: &&TraceRow| {
        let smallest = row.gram_min_eigenvalue.max(row.kernel_min_eigenvalue.unwrap_or(f64::NAN));
        let largest = row.gram_max_eigenvalue.unwrap_or(f64::NAN);
        // Of several classes in the metric of their loss, K has a zero for each row by itself.
        let several = outcome.classes.as_ref().is_some_and(|found| found.drawn.counts.len() > 2);
        let by_nature = several && row.gram_min_eigenvalue == 0.0;
        row.damping == Some(0.0)
            && row.kernel_min_eigenvalue.is_some()
            && smallest <= LOST * largest
            && !by_nature
    };
    let row = trace.iter().find(lost)?;
    Some(RankLoss { time: row.time, step: row.step, has_ended })
}

/// Directions by the pseudo-inverse or with raised damping. With p > n the pseudo-inverse is the method itself.
fn fallbacks(outcome: &Outcome, trace: &[TraceRow]) -> Option<String> {
    let count = |name: &str| outcome.counters.get(name).copied().unwrap_or(0);
    let (pseudo, raised) = (count("fallback_pseudo_inverse"), count("fallback_raised_damping"));
    let all = count("directions");
    let is_wide = trace.first().is_some_and(|row| row.gram_min_eigenvalue == 0.0);
    if raised > 0 {
        Some(format!("raised its damping ({raised} of {all} directions)"))
    } else if pseudo > 0 && !is_wide {
        Some(format!("went on by the pseudo-inverse ({pseudo} of {all} directions)"))
    } else {
        None
    }
}

/// A state, value or derivative that is no number.
fn overflow(outcome: &Outcome) -> Option<String> {
    let event = outcome.events.iter().find(|event| event.kind == EventKind::NonFinite);
    let ended = outcome.stop_reason == StopReason::NonFinite;
    let time = event.map_or(outcome.final_time, |event| event.time);
    (ended || event.is_some())
        .then(|| format!("left the range of numbers at t = {}", digits(time, 4)))
}

/// A loss above the first one, or well above the least.
fn rise(outcome: &Outcome, trace: &[TraceRow]) -> Option<String> {
    let first = trace.first()?.loss;
    let last = outcome.final_loss;
    let finite = || trace.iter().filter(|row| row.loss.is_finite());
    let least = finite().min_by(|a, b| a.loss.total_cmp(&b.loss))?;
    let greatest = finite().max_by(|a, b| a.loss.total_cmp(&b.loss))?;
    if last - first > RISE * first.abs() {
        return Some(format!("rose in loss from {} to {}", digits(first, 4), digits(last, 4)));
    }
    if greatest.loss - first > RISE * first.abs() {
        return Some(format!(
            "rose in loss from {} to {} at t = {} before it ended at {}",
            digits(first, 4),
            digits(greatest.loss, 4),
            digits(greatest.time, 4),
            digits(last, 4)
        ));
    }
    (last - least.loss > RISE * (first - least.loss)).then(|| {
        format!(
            "rose in loss from {} at t = {} to {}",
            digits(least.loss, 4),
            digits(least.time, 4),
            digits(last, 4)
        )
    })
}

/// Weights far from where they began.
fn run_away(outcome: &Outcome, trace: &[TraceRow]) -> Option<String> {
    let weights: usize = outcome.final_weights.count();
    let farthest = trace.iter().map(|row| row.deviation).fold(0.0, f64::max);
    let unit = (weights.max(1) as f64).sqrt();
    (farthest > FAR * unit).then(|| {
        format!(
            "moved its weights by {} (they began with norm {} or so)",
            digits(farthest, 4),
            digits(unit, 4)
        )
    })
}

/// What to do.
fn advice(outcome: &Outcome, lost_rank: bool) -> &'static str {
    let has = |name: &str| outcome.counters.get(name).is_some_and(|count| *count > 0);
    if lost_rank || has("fallback_pseudo_inverse") || has("fallback_raised_damping") {
        if outcome.stop_reason == StopReason::RankLost {
            "a larger dynamics.scaling (alpha) or a damping (dynamics.preconditioner = \"levenberg-marquardt\") keeps the \
             rank; dynamics.rank_policy says what a run of fixed steps does there"
        } else {
            "a larger dynamics.scaling (alpha) or a damping (dynamics.preconditioner = \"levenberg-marquardt\") keeps the \
             rank, and dynamics.rank_policy = \"stop\" ends a run there"
        }
    } else {
        "a smaller dynamics.step, an integrator that controls its error (dynamics.integrator = \"adaptive\", or \"stiff\" \
         for gradient flow) or a larger dynamics.scaling (alpha) may keep it from that"
    }
}

/// What a counter of fallbacks counts, for readers: `count` times.
pub(crate) fn fallback_in_words(counter: &str, count: u64) -> String {
    let what = match counter {
        "fallback_pseudo_inverse" => "directions by the pseudo-inverse",
        "fallback_raised_damping" => "directions with a raised damping",
        "fallback_dense_extremes" => "spectra by a dense decomposition, as exact as by iterations",
        "fallback_no_riemannian_hessian" => "Riemannian Hessians that could not be computed",
        other => return format!("{other}: {count}"),
    };
    format!("{count} {what}")
}

/// A number for readers: so many significant digits, with an exponent where zeros would hide it.
pub(crate) fn digits(value: f64, places: usize) -> String {
    if !value.is_finite() {
        return "none".to_owned();
    }
    let size = value.abs();
    if size != 0.0 && !(1e-3..1e6).contains(&size) {
        let text = format!("{value:.*e}", places - 1);
        let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let mantissa = if mantissa.contains('.') {
            mantissa.trim_end_matches('0').trim_end_matches('.')
        } else {
            mantissa
        };
        return format!("{mantissa}e{exponent}");
    }
    let rounded: f64 = format!("{value:.*e}", places - 1).parse().unwrap_or(value);
    rounded.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use gaussflow_records::{Event, Numbers};

    fn rows(losses: &[f64]) -> Vec<TraceRow> {
        let row = |(step, &loss): (usize, &f64)| TraceRow {
            step: step as u64,
            time: 0.5 * step as f64,
            loss,
            gram_min_eigenvalue: 1e-3,
            gram_max_eigenvalue: Some(1.0),
            kernel_min_eigenvalue: Some(0.0),
            damping: Some(0.0),
            ..TraceRow::default()
        };
        losses.iter().enumerate().map(row).collect()
    }

    fn ended(losses: &[f64]) -> Outcome {
        Outcome {
            status: Status::Completed,
            stop_reason: StopReason::Horizon,
            final_loss: losses.last().copied().unwrap_or(f64::NAN),
            final_time: 0.5 * losses.len() as f64,
            final_weights: Numbers::List(vec![0.0; 4]),
            counters: [("directions".to_owned(), 9)].into(),
            classes: None,
            error: None,
            ..crate::run::failed_outcome(String::new())
        }
    }

    fn said(losses: &[f64]) -> Option<String> {
        remark(&ended(losses), &rows(losses))
    }

    #[test]
    fn a_healthy_run_is_passed_over() {
        for losses in [&[4.0, 2.0, 1.0][..], &[4.0, 1.0, 1.02], &[4.0, 4.0], &[0.0], &[]] {
            assert_eq!(said(losses), None, "{losses:?}");
        }
    }

    #[test]
    fn each_kind_of_rise_is_told_with_its_numbers() {
        for (losses, facts) in [
            (&[45.0, 60.0, 207.0][..], &["from 45 to 207"][..]),
            (&[4.0, 1.0, 3.0], &["from 1 at t = 0.5 to 3"]),
            (&[4.0, 9.0, 1.0], &["from 4 to 9 at t = 0.5", "ended at 1"]),
        ] {
            let text = said(losses).unwrap();
            assert!(facts.iter().all(|fact| text.contains(fact)), "{text}");
            assert!(text.contains("dynamics.step") && text.ends_with('.'), "{text}");
        }
    }

    #[test]
    fn lost_rank_is_told_from_the_event_or_from_a_row() {
        let losses = [4.0, 2.0, 1.0];
        let mut outcome = ended(&losses);
        outcome.counters.insert("fallback_pseudo_inverse".to_owned(), 7);
        outcome.events.push(Event {
            kind: EventKind::RankLost,
            time: 0.25,
            step: 1,
            value: 1e-7,
            threshold: 1e-6,
        });
        let text = remark(&outcome, &rows(&losses)).unwrap();
        for fact in ["t = 0.25 (step 1)", "7 of 9", "dynamics.scaling", "rank_policy"] {
            assert!(text.contains(fact), "{text}");
        }
        // p > n: no event, and the pseudo-inverse is the method while the rows are independent.
        outcome.events.clear();
        let mut wide = rows(&losses);
        wide.iter_mut().for_each(|row| {
            (row.gram_min_eigenvalue, row.kernel_min_eigenvalue) = (0.0, Some(1e-3));
        });
        assert_eq!(remark(&outcome, &wide), None);
        wide[2].kernel_min_eigenvalue = Some(1e-14);
        let text = remark(&outcome, &wide).unwrap();
        assert!(text.contains("t = 1 (step 2)") && !text.contains("pseudo-inverse"), "{text}");
        // Gradient flow needs no rank.
        wide.iter_mut().for_each(|row| row.damping = Some(1.0));
        outcome.counters.clear();
        assert_eq!(remark(&outcome, &wide), None);
    }

    #[test]
    fn weights_that_run_away_are_told() {
        let losses = [4.0, 2.0];
        let mut trace = rows(&losses);
        trace[1].deviation = 3e10;
        let text = remark(&ended(&losses), &trace).unwrap();
        assert!(text.contains("3e10") && text.contains("norm 2"), "{text}");
    }

    #[test]
    fn numbers_have_the_digits_asked_for() {
        let shown = [0.0, 1_028.836_98, 0.125, -3.2e-5, 1.0e300, f64::NAN].map(|v| digits(v, 4));
        assert_eq!(shown, ["0", "1029", "0.125", "-3.2e-5", "1e300", "none"]);
    }
}
