//! A fit on the page: how it ended, its parameters with deviations and intervals, what is not determined, its residuals.

use std::fmt::Write;

use gaussflow::dynamics::Verdict;

use super::markup::escape;
use crate::fit::FitRecord;
use crate::remark::digits;

/// Parameters that are shown unfolded.
const MOST_OPEN: usize = 30;
/// Parameters of a direction that are named.
const MOST_OF_A_DIRECTION: usize = 6;
/// Directions that are named.
const MOST_DIRECTIONS: usize = 8;
/// Trial points that are shown: the first and the last of more.
const MOST_TRIALS: usize = 200;
/// Probability inside the intervals.
const CONFIDENCE: f64 = 0.95;

/// The sections; empty where there is no fit.
pub fn section(fit: Option<&FitRecord>) -> String {
    let Some(fit) = fit else { return String::new() };
    let mut text =
        String::from("<section id=\"outcome\"><h2>How it ended</h2>\n<ul class=\"findings\">\n");
    for sentence in sentences(fit) {
        let _ = writeln!(text, "<li>{sentence}</li>");
    }
    text.push_str("</ul>\n");
    directions(&mut text, fit);
    text.push_str("</section>\n");
    parameters(&mut text, fit);
    residuals(&mut text, fit);
    text
}

/// How many observations the deviations have to spare.
fn degrees_of_freedom(fit: &FitRecord) -> usize {
    fit.residuals.len().saturating_sub(fit.rank)
}

/// How it ended, in sentences.
fn sentences(fit: &FitRecord) -> Vec<String> {
    // The start is a trial as well, and no step.
    let steps = fit.history.iter().skip(1);
    let accepted = steps.filter(|step| step.verdict == Verdict::Accepted.name()).count();
    let verb = if fit.converged { "The fit converged" } else { "The fit did not converge" };
    let mut all = vec![format!(
        "<b>{verb}</b>: stop reason \u{201c}{}\u{201d}, after {accepted} accepted and {} rejected steps ({} \
         evaluations of the residuals, {} of the Jacobian).",
        escape(&fit.stop_reason.replace(['-', '_'], " ")),
        fit.rejected,
        fit.evaluations,
        fit.jacobians
    )];
    let mut said = format!(
        "<b>The loss</b> is {} and the residual standard deviation {}, from {} observations and {} parameters; the cosine \
         between the residuals and the tangent space is {} (0 at a minimum).",
        digits(fit.loss, 6),
        digits(fit.residual_deviation, 6),
        fit.residuals.len(),
        fit.parameters.len(),
        digits(fit.cosine, 3)
    );
    if fit.fitted_error.is_finite() {
        let _ = write!(
            said,
            " The root-mean-square error on the fitted rows is {}",
            digits(fit.fitted_error, 6)
        );
        if fit.held_out_error.is_finite() {
            let _ = write!(said, ", on the rows held out {}", digits(fit.held_out_error, 6));
        }
        said.push('.');
    }
    all.push(said);
    let free =
        fit.parameters.len() - fit.at_bound.iter().flatten().count().min(fit.parameters.len());
    all.push(if fit.rank >= free {
        format!("<b>All {free} free parameters are determined</b>: the Jacobian has rank {}.", fit.rank)
    } else {
        format!(
            "<b>The data determine {} of {free} free parameters</b> or combinations of them: the Jacobian has rank {}.",
            fit.rank, fit.rank
        )
    });
    all.extend(fit.rank_loss.as_deref().map(escape));
    all.extend(fit.missing_deviations.as_deref().map(escape));
    let held: Vec<String> = fit
        .names
        .iter()
        .zip(&fit.at_bound)
        .filter_map(|(name, side)| Some(format!("{name} ({})", side.as_deref()?)))
        .collect();
    if !held.is_empty() {
        all.push(format!("<b>Held by a bound</b>: {}.", escape(&held.join(", "))));
    }
    all
}

/// The directions that the data leave open.
fn directions(text: &mut String, fit: &FitRecord) {
    if fit.null_directions.is_empty() {
        return;
    }
    text.push_str("<h3>Directions that the data do not determine</h3>\n<ul>\n");
    for direction in fit.null_directions.iter().take(MOST_DIRECTIONS) {
        let mut parts: Vec<(&str, f64)> =
            fit.names.iter().map(String::as_str).zip(direction.iter().copied()).collect();
        parts.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()));
        let shown: Vec<String> = parts
            .iter()
            .take(MOST_OF_A_DIRECTION)
            .filter(|(_, part)| part.abs() > 1e-3)
            .map(|(name, part)| format!("{} {}", digits(*part, 3), escape(name)))
            .collect();
        let more =
            parts.iter().skip(MOST_OF_A_DIRECTION).filter(|(_, part)| part.abs() > 1e-3).count();
        let more = if more > 0 { format!(", and {more} more") } else { String::new() };
        let _ = writeln!(text, "<li>{}{more}</li>", shown.join(", "));
    }
    let more = fit.null_directions.len().saturating_sub(MOST_DIRECTIONS);
    if more > 0 {
        let _ = writeln!(text, "<li>and {more} more in fit.json</li>");
    }
    text.push_str("</ul>\n");
}

/// The parameters as a table.
fn parameters(text: &mut String, fit: &FitRecord) {
    let quantile = student_quantile(degrees_of_freedom(fit), 1.0 - CONFIDENCE);
    text.push_str("<section id=\"parameters\"><h2>Parameters</h2>\n");
    let estimate = match fit.covariance_estimate.as_str() {
        "" => String::new(),
        name => format!(" by the {name} estimate"),
    };
    let _ = writeln!(
        text,
        "<p class=\"lead\">Standard deviations are{} of the linearized model; an interval is the value \u{b1} {} deviations: \
         {} % for {} degrees of freedom (Student's t).</p>",
        escape(&estimate),
        digits(quantile, 4),
        100.0 * CONFIDENCE,
        degrees_of_freedom(fit)
    );
    let folded = fit.names.len() > MOST_OPEN;
    if folded {
        let count = fit.names.len();
        let _ = writeln!(
            text,
            "<details class=\"fold\" data-print><summary>All {count} parameters</summary>"
        );
    }
    text.push_str(
        "<div class=\"table\"><table id=\"parameters-table\" data-sortable><thead><tr><th scope=\"col\">Parameter</th><th \
         scope=\"col\" data-kind=\"number\">Value</th><th scope=\"col\" data-kind=\"number\">Standard deviation</th><th \
         scope=\"col\" data-kind=\"none\">95 % interval</th><th scope=\"col\">Bound</th></tr></thead>\n<tbody>\n",
    );
    for (place, name) in fit.names.iter().enumerate() {
        let at = |list: &[f64]| list.get(place).copied().unwrap_or(f64::NAN);
        let (value, deviation) = (at(&fit.parameters), at(&fit.standard_deviations));
        let interval = if deviation.is_finite() && quantile.is_finite() {
            let (low, high) = (value - quantile * deviation, value + quantile * deviation);
            format!("{} to {}", digits(low, 6), digits(high, 6))
        } else {
            "not determined".to_owned()
        };
        let bound = fit.at_bound.get(place).and_then(|side| side.as_deref()).unwrap_or("");
        let _ = writeln!(
            text,
            "<tr><td data-label=\"Parameter\"><code>{}</code></td><td data-label=\"Value\" \
             data-value=\"{value:e}\">{}</td><td data-label=\"Deviation\">{}</td><td \
             data-label=\"Interval\">{interval}</td><td data-label=\"Bound\">{}</td></tr>",
            escape(name),
            digits(value, 8),
            digits(deviation, 4),
            escape(bound)
        );
    }
    text.push_str("</tbody></table></div>\n");
    text.push_str(if folded { "</details>\n</section>\n" } else { "</section>\n" });
}

/// The residuals in numbers, and every trial point folded.
fn residuals(text: &mut String, fit: &FitRecord) {
    let mut ordered: Vec<f64> = fit.residuals.iter().copied().filter(|r| r.is_finite()).collect();
    ordered.sort_by(f64::total_cmp);
    if ordered.is_empty() {
        return;
    }
    let at = |share: f64| {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a share of the length, at least 0 and below it"
        )]
        let place = (share * (ordered.len() - 1) as f64).round() as usize;
        digits(ordered[place], 4)
    };
    let largest = fit.residuals.iter().enumerate().filter(|(_, r)| r.is_finite());
    let largest = largest.max_by(|a, b| a.1.abs().total_cmp(&b.1.abs()));
    text.push_str("<section id=\"residuals\"><h2>Residuals</h2>\n<dl class=\"facts\">\n");
    for (name, value) in [
        ("Observations", fit.residuals.len().to_string()),
        ("Least, quartiles, greatest", [0.0, 0.25, 0.5, 0.75, 1.0].map(at).join(" \u{b7} ")),
        (
            "Largest in size",
            largest.map_or_else(String::new, |(row, r)| {
                format!("{} at observation {}", digits(*r, 4), row + 1)
            }),
        ),
    ] {
        let _ = writeln!(text, "<dt>{name}</dt><dd>{}</dd>", escape(&value));
    }
    text.push_str("</dl>\n");
    trials(text, fit);
    text.push_str("</section>\n");
}

/// The trial points.
fn trials(text: &mut String, fit: &FitRecord) {
    if fit.history.is_empty() {
        return;
    }
    let all = fit.history.len();
    let _ = write!(
        text,
        "<details class=\"fold\"><summary>All {all} trial points</summary>\n<div class=\"table\"><table id=\"trials-table\" \
         data-sortable><thead><tr><th scope=\"col\" data-kind=\"number\">Accepted before</th><th scope=\"col\">Step</th><th \
         scope=\"col\">Verdict</th><th scope=\"col\" data-kind=\"number\">Loss</th><th scope=\"col\" \
         data-kind=\"number\">Gain ratio</th><th scope=\"col\" data-kind=\"number\">Damping</th></tr></thead>\n<tbody>\n"
    );
    let half = MOST_TRIALS / 2;
    let shown = fit.history.iter().enumerate().filter(|(k, _)| *k < half || k + half >= all);
    for (_, step) in shown {
        let _ = writeln!(
            text,
            "<tr><td data-label=\"Before\">{}</td><td data-label=\"Step\">{}</td><td data-label=\"Verdict\">{}</td><td \
             data-label=\"Loss\">{}</td><td data-label=\"Gain ratio\">{}</td><td data-label=\"Damping\">{}</td></tr>",
            step.iteration,
            escape(&step.kind),
            escape(&step.verdict),
            digits(step.loss, 7),
            digits(step.gain_ratio, 4),
            digits(step.damping, 3)
        );
    }
    text.push_str("</tbody></table></div>\n");
    if all > MOST_TRIALS {
        let _ = writeln!(text, "<p class=\"note\">{} more are in fit.json.</p>", all - MOST_TRIALS);
    }
    text.push_str("</details>\n");
}

/// The number that Student's t with `degrees` of freedom exceeds in size with probability `outside`; NaN without
/// degrees of freedom.
///
/// Found by bisection of the probability inside, which for whole degrees of freedom is a finite sum
/// (Abramowitz and Stegun, 26.7.3 and 26.7.4). Beyond 1000 degrees the value at 1000 is right to 0.1 percent.
fn student_quantile(degrees: usize, outside: f64) -> f64 {
    /// Degrees that are summed.
    const MOST: usize = 1000;
    if degrees == 0 {
        return f64::NAN;
    }
    let inside = |t: f64| inside_probability(t, degrees.min(MOST));
    let (mut low, mut high) = (0.0, 1.0);
    while inside(high) < 1.0 - outside && high < 1e6 {
        high *= 2.0;
    }
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if inside(middle) < 1.0 - outside { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}

/// The probability that Student's t lies between -t and t.
fn inside_probability(t: f64, degrees: usize) -> f64 {
    let angle = (t / (degrees as f64).sqrt()).atan();
    let (sine, square) = (angle.sin(), angle.cos().powi(2));
    let is_odd = degrees % 2 == 1;
    // Terms of the sum: cos^k with k odd or even as the degrees are, up to degrees - 2.
    let mut term = if is_odd { angle.cos() } else { 1.0 };
    let mut sum = 0.0;
    let mut power = usize::from(is_odd);
    while power + 2 <= degrees {
        sum += term;
        term *= square * (power as f64 + 1.0) / (power as f64 + 2.0);
        power += 2;
    }
    if is_odd { std::f64::consts::FRAC_2_PI * (angle + sine * sum) } else { sine * sum }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Abramowitz and Stegun, table 26.10, two-sided 95 percent.
    #[test]
    fn quantiles_are_those_of_the_table() {
        let table = [
            (1, 12.706),
            (2, 4.303),
            (3, 3.182),
            (5, 2.571),
            (10, 2.228),
            (30, 2.042),
            (120, 1.980),
        ];
        for (degrees, expected) in table {
            let found = student_quantile(degrees, 0.05);
            assert!((found - expected).abs() < 6e-4, "{degrees}: {found}");
        }
        assert!(student_quantile(0, 0.05).is_nan());
        assert!((student_quantile(1_000_000, 0.05) - 1.96).abs() < 3e-3);
    }
}
