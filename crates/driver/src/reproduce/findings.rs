//! What a reproduction found, in sentences with numbers: one a claim, medians over the seeds.

use std::fmt::Write;

use gaussflow_records::Claim;

use crate::quantile::median;
use crate::remark::digits;
use crate::report::tally;

/// A sentence a claim that has one, in the order of the claims.
pub fn findings(claims: &[Claim]) -> Vec<String> {
    claims.iter().filter_map(|claim| finding(&Numbers { claim })).collect()
}

/// What a claim says in a few words, and the numbers that decide it.
fn finding(numbers: &Numbers<'_>) -> Option<String> {
    let claim = numbers.claim;
    let (title, found) = match claim.id.as_str() {
        "experiment/full-rank" => (
            "Full rank at every alpha above 1/8",
            format!(
                "the smallest lambda_min / lambda_max of H is {}, and at or below 1e-12 rank counts as lost",
                numbers.listed("smallest_ratio")?
            ),
        ),
        "experiment/collapse" => (
            "Loss of rank at alpha = 1/8",
            format!(
                "the flow loses rank at t = {} and the Euler iteration at t = {}, whose loss then rises by a factor of up \
                 to {} in one step",
                numbers.median("flow_rank_lost_time")?,
                numbers.median("rank_lost_time")?,
                numbers.median("largest_rise")?
            ),
        ),
        "experiment/stationary" => (
            "A Riemannian gradient that falls below 5 % of its start",
            format!("the ratio of its last norm to the first is {}", numbers.listed("share")?),
        ),
        "experiment/bias" => (
            "A larger alpha ends at a higher loss, and nearer to the start",
            format!(
                "the final loss is {}; the weights have moved by {}",
                numbers.listed("final_loss")?,
                numbers.listed("final_deviation")?
            ),
        ),
        "experiment/beats-gradient-flow" => (
            "Gauss-Newton ends at a lower loss than gradient flow",
            format!(
                "its final loss is {}; that of gradient flow is {}",
                numbers.listed("gauss_newton_final_loss")?,
                numbers.listed("gradient_final_loss")?
            ),
        ),
        "experiment/beats-gradient-flow/passing" => (
            "Gauss-Newton reaches gradient flow's final loss earlier",
            format!("it has reached it by t = {}", numbers.listed("passing_time")?),
        ),
        "experiment/beats-gradient-flow/all-times" => (
            "Gauss-Newton is ahead at all times",
            format!("it stays ahead from this time on: t = {}", numbers.listed("ahead_from")?),
        ),
        "finding/printed-euler-unstable" => (
            "The printed Euler step is unstable for gradient flow",
            format!(
                "step mu lambda_max is {} where 2 is the limit, and the loss rises from {} to {}",
                numbers.median("step_mu_lambda_max")?,
                numbers.listed("initial_loss")?,
                numbers.listed("peak_loss")?
            ),
        ),
        "finding/euler-against-flow" => (
            "Euler follows the flow",
            format!(
                "the loss differs from the flow's by a share of at most {}",
                numbers.listed("largest_difference")?
            ),
        ),
        _ => return None,
    };
    let (holding, seeds) = tally(claim);
    let noun = if seeds == 1 { "seed" } else { "seeds" };
    Some(format!("**{title}** (`{}`, {holding} of {seeds} {noun}): {found}.", claim.id))
}

/// The numbers of a claim.
struct Numbers<'c> {
    claim: &'c Claim,
}

impl Numbers<'_> {
    /// The median over the seeds of the number `name`; `None` where no seed has it.
    fn median(&self, name: &str) -> Option<String> {
        let of_seeds = self.claim.per_seed.iter().filter_map(|seed| seed.values.get(name));
        let mut values: Vec<f64> = of_seeds.copied().filter(|value| !value.is_nan()).collect();
        values.sort_by(f64::total_cmp);
        (!values.is_empty()).then(|| digits(median(&values), 4))
    }

    /// The medians of `name` at each alpha: `174.7 at alpha = 8, 183.2 at 16 and 190.7 at 256`, or once where all are
    /// the same; `None` where there is none.
    fn listed(&self, name: &str) -> Option<String> {
        let alphas = alphas_of(self.claim, name);
        let medians: Vec<(String, String)> = alphas
            .into_iter()
            .filter_map(|alpha| {
                let median = self.median(&format!("{name}_alpha_{alpha}"))?;
                Some((alpha, median))
            })
            .collect();
        let (first, others) = medians.split_first()?;
        if others.iter().all(|(_, median)| *median == first.1) {
            return Some(first.1.clone());
        }
        let mut text = format!("{} at alpha = {}", first.1, first.0);
        for (k, (alpha, median)) in others.iter().enumerate() {
            let link = if k + 1 == others.len() { " and" } else { "," };
            // Writing to a String cannot fail.
            let _ = write!(text, "{link} {median} at {alpha}");
        }
        Some(text)
    }
}

/// The alphas at which a claim has the number `name`, ascending, as its names spell them.
pub(super) fn alphas_of(claim: &Claim, name: &str) -> Vec<String> {
    let start = format!("{name}_alpha_");
    let names = claim.per_seed.first().into_iter().flat_map(|seed| seed.values.keys());
    let mut found: Vec<String> =
        names.filter_map(|value| value.strip_prefix(&start)).map(str::to_owned).collect();
    let size = |alpha: &String| alpha.parse().unwrap_or(f64::INFINITY);
    found.sort_by(|a, b| size(a).total_cmp(&size(b)));
    found
}

#[cfg(test)]
mod tests {
    use gaussflow_records::SeedVerdict;

    use super::*;

    /// A claim whose seeds have these numbers.
    fn claim(id: &str, seeds: &[(bool, &[(&str, f64)])]) -> Claim {
        let per_seed = seeds.iter().enumerate().map(|(seed, (holds, values))| SeedVerdict {
            seed: seed as u64,
            holds: *holds,
            values: values.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect(),
        });
        Claim {
            id: id.to_owned(),
            predicate: String::new(),
            threshold: None,
            holds_fraction: 0.5,
            per_seed: per_seed.collect(),
            note: String::new(),
        }
    }

    #[test]
    fn a_sentence_has_medians_at_ascending_alphas_and_says_how_many_seeds_agree() {
        let seeds: [(bool, &[(&str, f64)]); 3] = [
            (
                true,
                &[("share_alpha_16", 0.5), ("share_alpha_8", 0.123_456), ("share_alpha_256", 4e-5)],
            ),
            (false, &[("share_alpha_16", 0.7), ("share_alpha_8", 0.1), ("share_alpha_256", 2e-5)]),
            (true, &[("share_alpha_16", 0.6), ("share_alpha_8", 0.2), ("share_alpha_256", 3e-5)]),
        ];
        let told = findings(&[claim("experiment/stationary", &seeds), claim("unknown", &seeds)]);
        assert_eq!(told.len(), 1);
        let expected = "(`experiment/stationary`, 2 of 3 seeds): the ratio of its last norm to the first is 0.1235 at alpha = 8, \
                        0.6 at 16 and 3e-5 at 256.";
        assert!(told[0].ends_with(expected), "{}", told[0]);
    }

    #[test]
    fn equal_medians_are_said_once_and_a_missing_number_leaves_the_sentence_out() {
        let seeds: [(bool, &[(&str, f64)]); 1] = [(
            true,
            &[("largest_difference_alpha_8", 0.25), ("largest_difference_alpha_16", 0.25)],
        )];
        let told = findings(&[claim("finding/euler-against-flow", &seeds)]);
        assert!(told[0].ends_with("by a share of at most 0.25."), "{}", told[0]);
        assert!(findings(&[claim("experiment/collapse", &seeds)]).is_empty());
        assert!(findings(&[claim("experiment/bias", &[])]).is_empty());
    }
}
