//! Test functions of More, Garbow and Hillstrom (ACM TOMS 7, 1981), with their standard starts.

use std::f64::consts::PI;

use crate::dual::Dual;

/// Residuals, start and the least sum of squares that the paper states.
pub struct Function {
    pub name: &'static str,
    pub start: Vec<f64>,
    pub residuals: fn(&[Dual]) -> Vec<Dual>,
    /// Losses of the minimizers in the paper (the limits of those at infinity included).
    pub minima: &'static [f64],
}

fn constant(x: f64) -> Dual {
    Dual::constant(x)
}

fn square(x: Dual) -> Dual {
    x * x
}

/// Every function tested.
#[rustfmt::skip]
pub fn functions() -> Vec<Function> {
    vec![
        Function { name: "rosenbrock", start: vec![-1.2, 1.0], residuals: rosenbrock, minima: &[0.0] },
        Function { name: "freudenstein-roth", start: vec![0.5, -2.0], residuals: freudenstein_roth, minima: &[0.0, 48.984_253_679_24] },
        Function { name: "powell-badly-scaled", start: vec![0.0, 1.0], residuals: powell_badly_scaled, minima: &[0.0] },
        Function { name: "brown-badly-scaled", start: vec![1.0, 1.0], residuals: brown_badly_scaled, minima: &[0.0] },
        Function { name: "beale", start: vec![1.0, 1.0], residuals: beale, minima: &[0.0] },
        Function { name: "jennrich-sampson", start: vec![0.3, 0.4], residuals: jennrich_sampson, minima: &[124.362_182_355_6] },
        Function { name: "helical-valley", start: vec![-1.0, 0.0, 0.0], residuals: helical_valley, minima: &[0.0] },
        Function { name: "bard", start: vec![1.0, 1.0, 1.0], residuals: bard, minima: &[8.214_877_306_6e-3, 17.428_693_3] },
        Function { name: "meyer", start: vec![0.02, 4000.0, 250.0], residuals: meyer, minima: &[87.945_855_171] },
        Function { name: "box", start: vec![0.0, 10.0, 20.0], residuals: box_three, minima: &[0.0] },
        Function { name: "powell-singular", start: vec![3.0, -1.0, 0.0, 1.0], residuals: powell_singular, minima: &[0.0] },
        Function { name: "wood", start: vec![-3.0, -1.0, -3.0, -1.0], residuals: wood, minima: &[0.0] },
        Function { name: "kowalik-osborne", start: vec![0.25, 0.39, 0.415, 0.39], residuals: kowalik_osborne, minima: &[3.075_056_038_5e-4] },
        Function { name: "brown-dennis", start: vec![25.0, 5.0, -5.0, -1.0], residuals: brown_dennis, minima: &[85_822.201_626_356] },
        Function { name: "biggs", start: vec![1.0, 2.0, 1.0, 1.0, 1.0, 1.0], residuals: biggs, minima: &[0.0, 5.655_649_925e-3] },
        Function { name: "watson-6", start: vec![0.0; 6], residuals: watson, minima: &[2.287_670_053_5e-3] },
        Function { name: "watson-9", start: vec![0.0; 9], residuals: watson, minima: &[1.399_760_138e-6] },
        Function { name: "watson-12", start: vec![0.0; 12], residuals: watson, minima: &[4.722_381_10e-10] },
        Function { name: "chebyquad-8", start: steps(8), residuals: chebyquad, minima: &[3.516_873_725_7e-3] },
        Function { name: "chebyquad-9", start: steps(9), residuals: chebyquad, minima: &[0.0] },
        Function { name: "chebyquad-10", start: steps(10), residuals: chebyquad, minima: &[6.503_954_8e-3, 4.772_713_6e-3] },
        Function { name: "brown-almost-linear", start: vec![0.5; 10], residuals: brown_almost_linear, minima: &[0.0, 1.0] },
        Function { name: "osborne-2", start: vec![1.3, 0.65, 0.65, 0.7, 0.6, 3.0, 5.0, 7.0, 2.0, 4.5, 5.5], residuals: osborne_two, minima: &[4.013_773_629_4e-2] },
        Function { name: "linear-full-rank", start: vec![1.0; 5], residuals: linear_full_rank, minima: &[5.0] },
        Function { name: "linear-rank-one", start: vec![1.0; 5], residuals: linear_rank_one, minima: &[2.142_857_142_857] },
    ]
}

fn steps(n: u32) -> Vec<f64> {
    (1..=n).map(|k| f64::from(k) / f64::from(n + 1)).collect()
}

fn rosenbrock(x: &[Dual]) -> Vec<Dual> {
    vec![(x[1] - square(x[0])) * 10.0, -x[0] + 1.0]
}

fn freudenstein_roth(x: &[Dual]) -> Vec<Dual> {
    let y = x[1];
    vec![x[0] - 13.0 + ((-y + 5.0) * y - 2.0) * y, x[0] - 29.0 + ((y + 1.0) * y - 14.0) * y]
}

fn powell_badly_scaled(x: &[Dual]) -> Vec<Dual> {
    vec![x[0] * x[1] * 1e4 - 1.0, (-x[0]).exp() + (-x[1]).exp() - 1.0001]
}

fn brown_badly_scaled(x: &[Dual]) -> Vec<Dual> {
    vec![x[0] - 1e6, x[1] - 2e-6, x[0] * x[1] - 2.0]
}

fn beale(x: &[Dual]) -> Vec<Dual> {
    let power = |k: i32| (1..k).fold(x[1], |y, _| y * x[1]);
    (1..=3).zip([1.5, 2.25, 2.625]).map(|(k, y)| -(x[0] * (-power(k) + 1.0)) + y).collect()
}

fn jennrich_sampson(x: &[Dual]) -> Vec<Dual> {
    let k = (1..=10).map(f64::from);
    k.map(|k| -((x[0] * k).exp() + (x[1] * k).exp()) + (2.0 + 2.0 * k)).collect()
}

fn helical_valley(x: &[Dual]) -> Vec<Dual> {
    let turn = (x[1] / x[0]).atan() / (2.0 * PI) + if x[0].value < 0.0 { 0.5 } else { 0.0 };
    let radius = (square(x[0]) + square(x[1])).powf(0.5);
    vec![(x[2] - turn * 10.0) * 10.0, (radius - 1.0) * 10.0, x[2]]
}

fn bard(x: &[Dual]) -> Vec<Dual> {
    let y =
        [0.14, 0.18, 0.22, 0.25, 0.29, 0.32, 0.35, 0.39, 0.37, 0.58, 0.73, 0.96, 1.34, 2.10, 4.39];
    let rows = (1..=15).map(f64::from).zip(y);
    rows.map(|(u, y)| {
        let (v, w) = (16.0 - u, u.min(16.0 - u));
        -(x[0] + constant(u) / (x[1] * v + x[2] * w)) + y
    })
    .collect()
}

fn meyer(x: &[Dual]) -> Vec<Dual> {
    let y = [
        34780.0, 28610.0, 23650.0, 19630.0, 16370.0, 13720.0, 11540.0, 9744.0, 8261.0, 7030.0,
        6005.0, 5147.0, 4427.0, 3820.0, 3307.0, 2872.0,
    ];
    let rows = (1..=16).map(f64::from).zip(y);
    rows.map(|(k, y)| x[0] * (x[1] / (x[2] + (45.0 + 5.0 * k))).exp() - y).collect()
}

fn box_three(x: &[Dual]) -> Vec<Dual> {
    let times = (1..=10).map(|k| 0.1 * f64::from(k));
    times
        .map(|t| {
            let known = (-t).exp() - (-10.0 * t).exp();
            (-x[0] * t).exp() - (-x[1] * t).exp() - x[2] * known
        })
        .collect()
}

fn powell_singular(x: &[Dual]) -> Vec<Dual> {
    vec![
        x[0] + x[1] * 10.0,
        (x[2] - x[3]) * 5_f64.sqrt(),
        square(x[1] - x[2] * 2.0),
        square(x[0] - x[3]) * 10_f64.sqrt(),
    ]
}

fn wood(x: &[Dual]) -> Vec<Dual> {
    vec![
        (x[1] - square(x[0])) * 10.0,
        -x[0] + 1.0,
        (x[3] - square(x[2])) * 90_f64.sqrt(),
        -x[2] + 1.0,
        (x[1] + x[3] - 2.0) * 10_f64.sqrt(),
        (x[1] - x[3]) / 10_f64.sqrt(),
    ]
}

fn kowalik_osborne(x: &[Dual]) -> Vec<Dual> {
    let y =
        [0.1957, 0.1947, 0.1735, 0.1600, 0.0844, 0.0627, 0.0456, 0.0342, 0.0323, 0.0235, 0.0246];
    let u = [4.0, 2.0, 1.0, 0.5, 0.25, 0.167, 0.125, 0.1, 0.0833, 0.0714, 0.0625];
    let rows = u.into_iter().zip(y);
    rows.map(|(u, y)| -(x[0] * (x[1] * u + u * u) / (x[2] * u + x[3] + u * u)) + y).collect()
}

fn brown_dennis(x: &[Dual]) -> Vec<Dual> {
    let times = (1..=20).map(|k| f64::from(k) / 5.0);
    times
        .map(|t| square(x[0] + x[1] * t - t.exp()) + square(x[2] + x[3] * t.sin() - t.cos()))
        .collect()
}

fn biggs(x: &[Dual]) -> Vec<Dual> {
    let times = (1..=13).map(|k| 0.1 * f64::from(k));
    times
        .map(|t| {
            let y = (-t).exp() - 5.0 * (-10.0 * t).exp() + 3.0 * (-4.0 * t).exp();
            let decay = |k: usize| (-x[k] * t).exp();
            x[2] * decay(0) - x[3] * decay(1) + x[5] * decay(4) - y
        })
        .collect()
}

fn watson(x: &[Dual]) -> Vec<Dual> {
    let mut found = Vec::new();
    for i in 1..=29 {
        let t = f64::from(i) / 29.0;
        let (mut slope, mut sum) = (constant(0.0), constant(0.0));
        for (k, &x) in (0..).zip(x) {
            sum = sum + x * t.powi(k);
            if k > 0 {
                slope = slope + x * (f64::from(k) * t.powi(k - 1));
            }
        }
        found.push(slope - square(sum) - 1.0);
    }
    found.extend([x[0], x[1] - square(x[0]) - 1.0]);
    found
}

fn chebyquad(x: &[Dual]) -> Vec<Dual> {
    let n = x.len();
    let mut sums = vec![constant(0.0); n];
    for &x in x {
        let argument = x * 2.0 - 1.0;
        let (mut before, mut at) = (constant(1.0), argument);
        for sum in &mut sums {
            *sum = *sum + at;
            (before, at) = (at, argument * at * 2.0 - before);
        }
    }
    let mean = |(degree, sum): (u32, Dual)| {
        let degree = f64::from(degree);
        let integral = if degree % 2.0 == 0.0 { -1.0 / (degree * degree - 1.0) } else { 0.0 };
        sum / n as f64 - integral
    };
    (1..).zip(sums).map(mean).collect()
}

fn brown_almost_linear(x: &[Dual]) -> Vec<Dual> {
    let (n, last) = (x.len(), x.len() - 1);
    let sum = x.iter().fold(constant(0.0), |sum, &x| sum + x);
    let product = x.iter().fold(constant(1.0), |product, &x| product * x);
    let mut found: Vec<Dual> = x[..last].iter().map(|&x| x + sum - (n as f64 + 1.0)).collect();
    found.push(product - 1.0);
    found
}

fn osborne_two(x: &[Dual]) -> Vec<Dual> {
    let y = [
        1.366, 1.191, 1.112, 1.013, 0.991, 0.885, 0.831, 0.847, 0.786, 0.725, 0.746, 0.679, 0.608,
        0.655, 0.616, 0.606, 0.602, 0.626, 0.651, 0.724, 0.649, 0.649, 0.694, 0.644, 0.624, 0.661,
        0.612, 0.558, 0.533, 0.495, 0.500, 0.423, 0.395, 0.375, 0.372, 0.391, 0.396, 0.405, 0.428,
        0.429, 0.523, 0.562, 0.607, 0.653, 0.672, 0.708, 0.633, 0.668, 0.645, 0.632, 0.591, 0.559,
        0.597, 0.625, 0.739, 0.710, 0.729, 0.720, 0.636, 0.581, 0.428, 0.292, 0.162, 0.098, 0.054,
    ];
    let rows = (0..65).map(|k| 0.1 * f64::from(k)).zip(y);
    rows.map(|(t, y)| {
        let bell = |height: usize, width: usize, centre: usize| {
            x[height] * (-(square(-x[centre] + t) * x[width])).exp()
        };
        let decay = x[0] * (-x[4] * t).exp();
        -(decay + bell(1, 5, 8) + bell(2, 6, 9) + bell(3, 7, 10)) + y
    })
    .collect()
}

fn linear_full_rank(x: &[Dual]) -> Vec<Dual> {
    let sum = x.iter().fold(constant(0.0), |sum, &x| sum + x);
    let row = |k: usize| sum * (-0.2) - 1.0 + x.get(k).copied().unwrap_or(constant(0.0));
    (0..10).map(row).collect()
}

fn linear_rank_one(x: &[Dual]) -> Vec<Dual> {
    let weighted = (1..).map(f64::from).zip(x).fold(constant(0.0), |sum, (k, &x)| sum + x * k);
    (1..=10).map(|i| weighted * f64::from(i) - 1.0).collect()
}
