//! Test functions of More, Garbow and Hillstrom (ACM TOMS 7, 1981), all 35, with their standard starts.
//!
//! Their sizes are those of MINPACK-1's tests, and for functions that are not among these, small ones.

mod any_size;
mod fixed_size;

use any_size::*;
use fixed_size::*;

use num_dual::Dual64 as Dual;

/// Residuals, start and the least sums of squares.
pub struct Function {
    pub name: &'static str,
    pub start: Vec<f64>,
    pub residuals: fn(&[Dual]) -> Vec<Dual>,
    /// Losses of the minimizers, the least one first.
    pub minima: &'static [f64],
    /// Losses that are approached where parameters run to infinity.
    pub limits: &'static [f64],
    /// Losses where the gradient vanishes without a minimum.
    pub saddles: &'static [f64],
}

impl Function {
    /// The start times `factor`; `factor` in every entry where the start is 0, as MINPACK's driver does.
    pub fn start_times(&self, factor: f64) -> Vec<f64> {
        let zero = factor != 1.0 && self.start.iter().all(|&x| x == 0.0);
        self.start.iter().map(|x| if zero { factor } else { factor * x }).collect()
    }
}

fn constant(x: f64) -> Dual {
    Dual::from(x)
}

fn square(x: Dual) -> Dual {
    x * x
}

/// Every function tested.
#[rustfmt::skip]
pub fn functions() -> Vec<Function> {
    vec![
        Function { name: "rosenbrock", start: vec![-1.2, 1.0], residuals: rosenbrock, minima: &[0.0], limits: &[], saddles: &[] },
        Function { name: "freudenstein-roth", start: vec![0.5, -2.0], residuals: freudenstein_roth, minima: &[0.0, 48.984_253_679_24], limits: &[], saddles: &[] },
        Function { name: "powell-badly-scaled", start: vec![0.0, 1.0], residuals: powell_badly_scaled, minima: &[0.0], limits: &[1e-8], saddles: &[] },
        Function { name: "brown-badly-scaled", start: vec![1.0, 1.0], residuals: brown_badly_scaled, minima: &[0.0], limits: &[], saddles: &[] },
        Function { name: "beale", start: vec![1.0, 1.0], residuals: beale, minima: &[0.0], limits: &[0.452_008_928_571], saddles: &[] },
        Function { name: "jennrich-sampson", start: vec![0.3, 0.4], residuals: jennrich_sampson, minima: &[124.362_182_355_6], limits: &[259.580_190_134_25], saddles: &[] },
        Function { name: "helical-valley", start: vec![-1.0, 0.0, 0.0], residuals: helical_valley, minima: &[0.0], limits: &[], saddles: &[] },
        Function { name: "bard", start: vec![1.0, 1.0, 1.0], residuals: bard, minima: &[8.214_877_306_6e-3], limits: &[17.428_693_333_33], saddles: &[] },
        Function { name: "gaussian", start: vec![0.4, 1.0, 0.0], residuals: gaussian, minima: &[1.127_932_769_62e-8], limits: &[0.281_127_75], saddles: &[0.405_102_16] },
        Function { name: "meyer", start: vec![0.02, 4000.0, 250.0], residuals: meyer, minima: &[87.945_855_170_85], limits: &[], saddles: &[] },
        Function { name: "gulf", start: vec![5.0, 2.5, 0.15], residuals: gulf, minima: &[0.0], limits: &[], saddles: &[32.835] },
        Function { name: "box", start: vec![0.0, 10.0, 20.0], residuals: box_three, minima: &[0.0], limits: &[7.558_874_075_5e-2], saddles: &[] },
        Function { name: "powell-singular", start: vec![3.0, -1.0, 0.0, 1.0], residuals: powell_singular, minima: &[0.0], limits: &[], saddles: &[] },
        Function { name: "wood", start: vec![-3.0, -1.0, -3.0, -1.0], residuals: wood, minima: &[0.0], limits: &[], saddles: &[] },
        Function { name: "kowalik-osborne", start: vec![0.25, 0.39, 0.415, 0.39], residuals: kowalik_osborne, minima: &[3.075_056_038_492e-4, 1.594_352_026_02e-3], limits: &[1.027_343_048_7e-3], saddles: &[] },
        Function { name: "brown-dennis", start: vec![25.0, 5.0, -5.0, -1.0], residuals: brown_dennis, minima: &[85_822.201_626_356], limits: &[], saddles: &[] },
        Function { name: "osborne-1", start: vec![0.5, 1.5, -1.0, 0.01, 0.02], residuals: osborne_one, minima: &[5.464_894_697_5e-5], limits: &[], saddles: &[] },
        Function { name: "biggs", start: vec![1.0, 2.0, 1.0, 1.0, 1.0, 1.0], residuals: biggs, minima: &[0.0, 5.655_649_925e-3], limits: &[0.306_366_772_6], saddles: &[] },
        Function { name: "osborne-2", start: vec![1.3, 0.65, 0.65, 0.7, 0.6, 3.0, 5.0, 7.0, 2.0, 4.5, 5.5], residuals: osborne_two, minima: &[4.013_773_629_4e-2], limits: &[1.789_813_586_88], saddles: &[] },
        Function { name: "watson-6", start: vec![0.0; 6], residuals: watson, minima: &[2.287_670_053_5e-3], limits: &[], saddles: &[] },
        Function { name: "watson-9", start: vec![0.0; 9], residuals: watson, minima: &[1.399_760_138e-6], limits: &[], saddles: &[] },
        Function { name: "watson-12", start: vec![0.0; 12], residuals: watson, minima: &[4.722_381_10e-10], limits: &[], saddles: &[] },
        Function { name: "extended-rosenbrock-10", start: [-1.2, 1.0].repeat(5), residuals: extended_rosenbrock, minima: &[0.0], limits: &[], saddles: &[] },
        Function { name: "extended-powell-singular-12", start: [3.0, -1.0, 0.0, 1.0].repeat(3), residuals: extended_powell_singular, minima: &[0.0], limits: &[], saddles: &[] },
        Function { name: "penalty-one-4", start: (1..=4).map(f64::from).collect(), residuals: penalty_one, minima: &[2.249_977_500_9e-5], limits: &[], saddles: &[] },
        Function { name: "penalty-one-10", start: (1..=10).map(f64::from).collect(), residuals: penalty_one, minima: &[7.087_651_467_09e-5], limits: &[], saddles: &[] },
        Function { name: "penalty-two-4", start: vec![0.5; 4], residuals: penalty_two, minima: &[9.376_293_007_36e-6], limits: &[], saddles: &[] },
        Function { name: "penalty-two-10", start: vec![0.5; 10], residuals: penalty_two, minima: &[2.936_605_374_57e-4], limits: &[], saddles: &[] },
        Function { name: "variably-dimensioned-10", start: (1..=10).map(|k| 1.0 - 0.1 * f64::from(k)).collect(), residuals: variably_dimensioned, minima: &[0.0], limits: &[], saddles: &[] },
        Function { name: "trigonometric-10", start: vec![0.1; 10], residuals: trigonometric, minima: &[0.0, 2.795_056_121_88e-5, 8.788_225_218_22e-4], limits: &[], saddles: &[] },
        Function { name: "brown-almost-linear-10", start: vec![0.5; 10], residuals: brown_almost_linear, minima: &[0.0, 1.0], limits: &[], saddles: &[] },
        Function { name: "brown-almost-linear-30", start: vec![0.5; 30], residuals: brown_almost_linear, minima: &[0.0, 1.0], limits: &[], saddles: &[] },
        Function { name: "brown-almost-linear-40", start: vec![0.5; 40], residuals: brown_almost_linear, minima: &[0.0, 1.0], limits: &[], saddles: &[] },
        Function { name: "discrete-boundary-value-10", start: arch(10), residuals: discrete_boundary_value, minima: &[0.0], limits: &[], saddles: &[] },
        Function { name: "discrete-integral-equation-10", start: arch(10), residuals: discrete_integral_equation, minima: &[0.0], limits: &[], saddles: &[] },
        Function { name: "broyden-tridiagonal-10", start: vec![-1.0; 10], residuals: broyden_tridiagonal, minima: &[0.0], limits: &[], saddles: &[] },
        Function { name: "broyden-banded-10", start: vec![-1.0; 10], residuals: broyden_banded, minima: &[0.0], limits: &[], saddles: &[] },
        Function { name: "linear-full-rank-5-10", start: vec![1.0; 5], residuals: |x| linear_full_rank(x, 10), minima: &[5.0], limits: &[], saddles: &[] },
        Function { name: "linear-full-rank-5-50", start: vec![1.0; 5], residuals: |x| linear_full_rank(x, 50), minima: &[45.0], limits: &[], saddles: &[] },
        Function { name: "linear-rank-one-5-10", start: vec![1.0; 5], residuals: |x| linear_rank_one(x, 10), minima: &[15.0 / 7.0], limits: &[], saddles: &[] },
        Function { name: "linear-rank-one-5-50", start: vec![1.0; 5], residuals: |x| linear_rank_one(x, 50), minima: &[1225.0 / 101.0], limits: &[], saddles: &[] },
        Function { name: "linear-rank-one-zeros-5-10", start: vec![1.0; 5], residuals: |x| linear_rank_one_zeros(x, 10), minima: &[62.0 / 17.0], limits: &[], saddles: &[] },
        Function { name: "linear-rank-one-zeros-5-50", start: vec![1.0; 5], residuals: |x| linear_rank_one_zeros(x, 50), minima: &[1322.0 / 97.0], limits: &[], saddles: &[] },
        Function { name: "chebyquad-1-8", start: steps(1), residuals: |x| chebyquad(x, 8), minima: &[3.550_391_297_676], limits: &[], saddles: &[3.557_893_675_989] },
        Function { name: "chebyquad-2", start: steps(2), residuals: |x| chebyquad(x, x.len()), minima: &[0.0], limits: &[], saddles: &[] },
        Function { name: "chebyquad-3", start: steps(3), residuals: |x| chebyquad(x, x.len()), minima: &[0.0], limits: &[], saddles: &[] },
        Function { name: "chebyquad-4", start: steps(4), residuals: |x| chebyquad(x, x.len()), minima: &[0.0], limits: &[], saddles: &[] },
        Function { name: "chebyquad-5", start: steps(5), residuals: |x| chebyquad(x, x.len()), minima: &[0.0], limits: &[], saddles: &[] },
        Function { name: "chebyquad-6", start: steps(6), residuals: |x| chebyquad(x, x.len()), minima: &[0.0], limits: &[], saddles: &[] },
        Function { name: "chebyquad-7", start: steps(7), residuals: |x| chebyquad(x, x.len()), minima: &[0.0], limits: &[], saddles: &[] },
        Function { name: "chebyquad-8", start: steps(8), residuals: |x| chebyquad(x, x.len()), minima: &[3.516_873_725_7e-3], limits: &[], saddles: &[] },
        Function { name: "chebyquad-9", start: steps(9), residuals: |x| chebyquad(x, x.len()), minima: &[0.0], limits: &[], saddles: &[] },
        Function { name: "chebyquad-10", start: steps(10), residuals: |x| chebyquad(x, x.len()), minima: &[4.772_713_696e-3, 6.503_954_8e-3], limits: &[], saddles: &[] },
    ]
}

/// Chebyquad's start.
fn steps(n: u32) -> Vec<f64> {
    (1..=n).map(|k| f64::from(k) / f64::from(n + 1)).collect()
}

/// The start of the discrete equations, `t (t - 1)`.
fn arch(n: u32) -> Vec<f64> {
    steps(n).into_iter().map(|t| t * (t - 1.0)).collect()
}
