//! How figures and charts look alike: the colour of a curve tells alpha, its dash tells the method.
//!
//! Both are numbers of the palettes in `gaussflow-figures` and in `assets/charts.js`, which hold the same colours in the same
//! order.

/// The alphas of section 5, which have the same colours in every figure and on every page.
const OF_THE_PAPER: [f64; 4] = [0.125, 8.0, 16.0, 256.0];

/// The methods whose dashes are the same everywhere: preconditioner and integrator, as configurations name them.
const METHODS: [(&str, &str); 5] = [
    ("gauss-newton", "euler"),
    ("gauss-newton", "adaptive"),
    ("gradient", "stiff"),
    ("gradient", "euler"),
    ("levenberg-marquardt", "euler"),
];

/// The number of the colour of each of `alphas`: those of the paper have theirs, any other takes the next one, from the
/// least alpha to the largest.
pub fn colours(alphas: &[f64]) -> Vec<usize> {
    let of_paper =
        |alpha: f64| OF_THE_PAPER.iter().position(|known| known.total_cmp(&alpha).is_eq());
    let mut others: Vec<f64> = alphas.iter().copied().filter(|a| of_paper(*a).is_none()).collect();
    others.sort_by(f64::total_cmp);
    others.dedup_by(|a, b| a.total_cmp(b).is_eq());
    let place =
        |alpha: f64| others.iter().take_while(|other| other.total_cmp(&alpha).is_lt()).count();
    alphas
        .iter()
        .map(|alpha| of_paper(*alpha).unwrap_or_else(|| OF_THE_PAPER.len() + place(*alpha)))
        .collect()
}

/// The number of the dash of a method; `None` for one that has no dash of its own and takes a free one, from
/// [`free_dash`] on.
pub fn dash(preconditioner: &str, integrator: &str) -> Option<usize> {
    METHODS.iter().position(|known| *known == (preconditioner, integrator))
}

/// The first number of a dash that no method of ours has.
pub const fn free_dash() -> usize {
    METHODS.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_colour_of_an_alpha_does_not_depend_on_its_company() {
        assert_eq!(colours(&[0.125, 8.0, 16.0, 256.0]), [0, 1, 2, 3]);
        assert_eq!(colours(&[256.0, 0.125, 8.0]), [3, 0, 1]);
        assert_eq!(colours(&[8.0, 32.0, 4.0, 32.0]), [1, 5, 4, 5]);
    }

    #[test]
    fn methods_of_the_paper_have_dashes_of_their_own() {
        assert_eq!(dash("gauss-newton", "euler"), Some(0));
        assert_eq!(dash("gradient", "stiff"), Some(2));
        assert_eq!(dash("gradient", "discrete"), None);
        assert!(METHODS.len() <= free_dash());
    }
}
