//! What a reproduction found, in sentences with numbers, from claims.json and audit.json alone.

use std::fmt::Write;

use gaussflow::theory::referee::Grade;
use gaussflow_records::{AuditRecord, Claim};

use super::audit_table;
use super::claims::{is_of_paper, kept_everywhere, row_id, tally};
use super::markup::escape;
use crate::conclusions::{Conclusions, Verdict};
use crate::quantile::median;
use crate::remark::digits;

/// False statements that are named in the sentence.
const MOST_NAMED: usize = 8;

/// The sentences, as markup; those whose numbers the folder does not hold are left out.
pub fn sentences(
    claims: &[Claim],
    audit: &[AuditRecord],
    papers: &[(&str, Conclusions<'_>)],
) -> Vec<String> {
    let with_id = |id: &str| claims.iter().find(|claim| claim.id == id);
    let mut all = Vec::new();
    all.extend(kept(claims));
    all.extend(conditioning(audit));
    all.extend(
        with_id("experiment/beats-gradient-flow")
            .and_then(|claim| rivals(claim, with_id("experiment/beats-gradient-flow/all-times"))),
    );
    all.extend(with_id("experiment/collapse").and_then(collapse));
    all.extend(with_id("finding/printed-euler-unstable").and_then(unstable));
    all.extend(papers.first().map(|(_, conclusions)| audited(conclusions)));
    all
}

/// How many claims of the paper hold, and which do not.
fn kept(claims: &[Claim]) -> Option<String> {
    let (of_paper, everywhere) = kept_everywhere(claims);
    let seeds = claims.iter().map(|claim| tally(claim).1).max()?;
    if of_paper == 0 {
        return None;
    }
    let of_seeds =
        if seeds == 1 { "the one seed".to_owned() } else { format!("all {seeds} seeds") };
    let mut text =
        format!("<b>{everywhere} of {of_paper} claims of section 5 hold on {of_seeds}.</b>");
    for claim in claims.iter().filter(|claim| is_of_paper(claim)) {
        let (holding, seeds) = tally(claim);
        if holding < seeds {
            let _ = write!(
                text,
                " {} holds on {holding} of {seeds}: {}.",
                link(claim, &claim.id),
                escape(&claim.predicate)
            );
        }
    }
    Some(text)
}

/// Whether the rate of Gauss-Newton depends on the condition of the Gram matrix.
fn conditioning(audit: &[AuditRecord]) -> Option<String> {
    let record = audit.iter().find(|record| record.id == "under/conditioning-free")?;
    let (verb, holds) = match Verdict::of(record) {
        Verdict::Holds => ("does not depend", true),
        Verdict::Violated => ("depends", false),
        _ => return None,
    };
    let within = if holds { "within" } else { "beyond" };
    Some(format!(
        "<b>The rate of Gauss-Newton {verb} on the conditioning</b> (<a href=\"#{}\">{}</a>): over {} it varies by {} of itself, {within} the \
         limit {}. {}",
        audit_table::row_id(&record.id),
        escape(&record.place),
        escape(&record.at),
        digits(record.left, 2),
        digits(record.right, 2),
        escape(&record.note)
    ))
}

/// Gauss-Newton's last losses against gradient flow's, and from when on it is ahead.
fn rivals(claim: &Claim, all_times: Option<&Claim>) -> Option<String> {
    const OURS: &str = "gauss_newton_final_loss_alpha_";
    let (holding, seeds) = tally(claim);
    let names = claim.per_seed.first()?.values.keys();
    let mut alphas: Vec<&str> = names.filter_map(|name| name.strip_prefix(OURS)).collect();
    alphas.sort_by(|a, b| size(a).total_cmp(&size(b)));
    let pairs: Vec<String> = alphas
        .iter()
        .filter_map(|alpha| {
            let newton = median(&values(claim, &format!("{OURS}{alpha}"))?);
            let gradient = median(&values(claim, &format!("gradient_final_loss_alpha_{alpha}"))?);
            let (newton, gradient) = (digits(newton, 4), digits(gradient, 4));
            Some(format!("{newton} against {gradient} at \u{3b1} = {}", escape(alpha)))
        })
        .collect();
    if pairs.is_empty() {
        return None;
    }
    let mut text = format!(
        "<b>Gauss-Newton ends below gradient flow</b> at every \u{3b1} above 1/8 on {} (medians: {}).",
        link(claim, &format!("{holding} of {seeds} seeds")),
        pairs.join(", ")
    );
    if let Some(claim) = all_times {
        let (holding, seeds) = tally(claim);
        let _ = write!(
            text,
            " It is ahead at all times on {}",
            link(claim, &format!("{holding} of {seeds}"))
        );
        let mut from: Vec<f64> = alphas
            .iter()
            .filter_map(|alpha| values(claim, &format!("ahead_from_alpha_{alpha}")))
            .flatten()
            .collect();
        from.sort_by(f64::total_cmp);
        if holding < seeds && !from.is_empty() {
            let _ = write!(
                text,
                ": gradient flow is faster at the start, and Gauss-Newton stays ahead from t = {} on",
                range(&from)
            );
        }
        text.push('.');
    }
    Some(text)
}

/// The loss of rank at the smallest alpha.
fn collapse(claim: &Claim) -> Option<String> {
    let (holding, seeds) = tally(claim);
    let times = values(claim, "flow_rank_lost_time")?;
    let mut text = format!(
        "<b>At \u{3b1} = 1/8 the Jacobian loses rank</b> and the loss rises on {}: the flow itself reaches rank loss at t = \
         {}",
        link(claim, &format!("{holding} of {seeds} seeds")),
        range(&times)
    );
    if let Some(rises) = values(claim, "flow_largest_rise") {
        let monotone = rises.iter().all(|rise| *rise <= 1.0);
        text.push_str(if monotone {
            ", with its loss falling until then; the rise is Euler's, behind that time"
        } else {
            ""
        });
    }
    text.push('.');
    Some(text)
}

/// The printed step of gradient flow.
fn unstable(claim: &Claim) -> Option<String> {
    let stiffness = values(claim, "step_mu_lambda_max")?;
    let (holding, seeds) = tally(claim);
    let verb = if holding == seeds { "is unstable" } else { "is not always unstable" };
    Some(format!(
        "<b>The paper's Euler step 0.01 {verb} for gradient flow</b>: {} is {}, and stability ends at 2. Its comparison \
         curves are therefore made by the stiff integrator.",
        link(claim, "step \u{b7} \u{3bc} \u{b7} \u{3bb}\u{2098}\u{2090}\u{2093}(K\u{2080})"),
        range(&stiffness)
    ))
}

/// What the audit of the paper came to.
fn audited(conclusions: &Conclusions<'_>) -> String {
    let mut text = format!("<b>Audit of the paper.</b> {}", escape(&conclusions.in_words()));
    let wrong: Vec<_> =
        conclusions.findings.iter().filter(|finding| finding.grade == Grade::False).collect();
    if !wrong.is_empty() {
        let places: Vec<String> = wrong
            .iter()
            .take(MOST_NAMED)
            .map(|finding| {
                let (id, place) = (audit_table::row_id(finding.id), escape(finding.place));
                format!("<a href=\"#{id}\">{place}</a>")
            })
            .collect();
        let more = wrong.len().saturating_sub(MOST_NAMED);
        let more = if more > 0 { format!(", and {more} more") } else { String::new() };
        let _ = write!(text, " False as printed: {}{more}.", places.join(", "));
    }
    text
}

/// A link to a claim's row.
fn link(claim: &Claim, words: &str) -> String {
    format!("<a href=\"#{}\">{}</a>", row_id(claim), escape(words))
}

/// The finite numbers of that name over the seeds, ascending; `None` where there is none.
fn values(claim: &Claim, name: &str) -> Option<Vec<f64>> {
    let of_seeds = claim.per_seed.iter().filter_map(|seed| seed.values.get(name).copied());
    let mut found: Vec<f64> = of_seeds.filter(|value| value.is_finite()).collect();
    found.sort_by(f64::total_cmp);
    (!found.is_empty()).then_some(found)
}

/// The number that a name ends in.
fn size(text: &str) -> f64 {
    text.parse().unwrap_or(f64::INFINITY)
}

/// "0.04 to 0.1", or the one number.
fn range(ascending: &[f64]) -> String {
    let shown = |value: Option<&f64>| value.map_or_else(String::new, |value| digits(*value, 3));
    let (least, greatest) = (shown(ascending.first()), shown(ascending.last()));
    if least == greatest { least } else { format!("{least} to {greatest}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gaussflow_records::SeedVerdict;

    /// Whether the claim holds on a seed, and its numbers there.
    type Seed<'a> = (bool, &'a [(&'a str, f64)]);

    fn claim(id: &str, seeds: &[Seed<'_>]) -> Claim {
        let verdict = |(seed, (holds, values)): (usize, &Seed<'_>)| SeedVerdict {
            seed: seed as u64,
            holds: *holds,
            values: values.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect(),
        };
        Claim {
            id: id.to_owned(),
            predicate: "p < q".to_owned(),
            threshold: None,
            holds_fraction: 0.0,
            per_seed: seeds.iter().enumerate().map(verdict).collect(),
            note: String::new(),
        }
    }

    #[test]
    fn the_sentences_carry_the_numbers_of_the_files() {
        let rival = |newton, gradient| {
            [("gauss_newton_final_loss_alpha_8", newton), ("gradient_final_loss_alpha_8", gradient)]
        };
        let (first, second) = (rival(170.0, 180.0), rival(174.0, 184.0));
        let claims = [
            claim("experiment/beats-gradient-flow", &[(true, &first), (true, &second)]),
            claim(
                "experiment/beats-gradient-flow/all-times",
                &[
                    (false, &[("ahead_from_alpha_8", 0.93)]),
                    (false, &[("ahead_from_alpha_8", 0.5)]),
                ],
            ),
            claim("experiment/collapse", &[(true, &[("flow_rank_lost_time", 0.08)]), (false, &[])]),
        ];
        let audit = [AuditRecord {
            id: "under/conditioning-free".to_owned(),
            verdict: "holds".to_owned(),
            at: "cond 10 to 1e6".to_owned(),
            left: 7.7e-6,
            right: 0.05,
            ..AuditRecord::default()
        }];
        let said = sentences(&claims, &audit, &[]).join("\n");
        for part in [
            "1 of 3 claims of section 5 hold on all 2 seeds",
            "holds on 1 of 2: p &lt; q.",
            "does not depend on the conditioning",
            "over cond 10 to 1e6 it varies by 7.7e-6 of itself, within the limit 0.05",
            "172 against 182 at \u{3b1} = 8",
            "stays ahead from t = 0.5 to 0.93 on",
            "the flow itself reaches rank loss at t = 0.08",
        ] {
            assert!(said.contains(part), "{part:?} is not in {said}");
        }
        assert_eq!(sentences(&[], &[], &[]), [""; 0]);
    }
}
