//! Residuals of the functions whose number of parameters is fixed.

use std::f64::consts::PI;

use super::{constant, square};
use num_dual::{Dual64 as Dual, DualNum};

pub fn rosenbrock(x: &[Dual]) -> Vec<Dual> {
    vec![(x[1] - square(x[0])) * 10.0, -x[0] + 1.0]
}

pub fn freudenstein_roth(x: &[Dual]) -> Vec<Dual> {
    let y = x[1];
    vec![x[0] - 13.0 + ((-y + 5.0) * y - 2.0) * y, x[0] - 29.0 + ((y + 1.0) * y - 14.0) * y]
}

pub fn powell_badly_scaled(x: &[Dual]) -> Vec<Dual> {
    vec![x[0] * x[1] * 1e4 - 1.0, (-x[0]).exp() + (-x[1]).exp() - 1.0001]
}

pub fn brown_badly_scaled(x: &[Dual]) -> Vec<Dual> {
    vec![x[0] - 1e6, x[1] - 2e-6, x[0] * x[1] - 2.0]
}

pub fn beale(x: &[Dual]) -> Vec<Dual> {
    let power = |k: i32| (1..k).fold(x[1], |y, _| y * x[1]);
    (1..=3).zip([1.5, 2.25, 2.625]).map(|(k, y)| -(x[0] * (-power(k) + 1.0)) + y).collect()
}

pub fn jennrich_sampson(x: &[Dual]) -> Vec<Dual> {
    let k = (1..=10).map(f64::from);
    k.map(|k| -((x[0] * k).exp() + (x[1] * k).exp()) + (2.0 + 2.0 * k)).collect()
}

pub fn helical_valley(x: &[Dual]) -> Vec<Dual> {
    let turn = (x[1] / x[0]).atan() / (2.0 * PI) + if x[0].re < 0.0 { 0.5 } else { 0.0 };
    let radius = (square(x[0]) + square(x[1])).powf(0.5);
    vec![(x[2] - turn * 10.0) * 10.0, (radius - 1.0) * 10.0, x[2]]
}

pub fn bard(x: &[Dual]) -> Vec<Dual> {
    let y =
        [0.14, 0.18, 0.22, 0.25, 0.29, 0.32, 0.35, 0.39, 0.37, 0.58, 0.73, 0.96, 1.34, 2.10, 4.39];
    let rows = (1..=15).map(f64::from).zip(y);
    rows.map(|(u, y)| {
        let (v, w) = (16.0 - u, u.min(16.0 - u));
        -(x[0] + constant(u) / (x[1] * v + x[2] * w)) + y
    })
    .collect()
}

pub fn meyer(x: &[Dual]) -> Vec<Dual> {
    let y = [
        34780.0, 28610.0, 23650.0, 19630.0, 16370.0, 13720.0, 11540.0, 9744.0, 8261.0, 7030.0,
        6005.0, 5147.0, 4427.0, 3820.0, 3307.0, 2872.0,
    ];
    let rows = (1..=16).map(f64::from).zip(y);
    rows.map(|(k, y)| x[0] * (x[1] / (x[2] + (45.0 + 5.0 * k))).exp() - y).collect()
}

pub fn box_three(x: &[Dual]) -> Vec<Dual> {
    let times = (1..=10).map(|k| 0.1 * f64::from(k));
    times
        .map(|t| {
            let known = (-t).exp() - (-10.0 * t).exp();
            (-x[0] * t).exp() - (-x[1] * t).exp() - x[2] * known
        })
        .collect()
}

pub fn powell_singular(x: &[Dual]) -> Vec<Dual> {
    vec![
        x[0] + x[1] * 10.0,
        (x[2] - x[3]) * 5_f64.sqrt(),
        square(x[1] - x[2] * 2.0),
        square(x[0] - x[3]) * 10_f64.sqrt(),
    ]
}

pub fn wood(x: &[Dual]) -> Vec<Dual> {
    vec![
        (x[1] - square(x[0])) * 10.0,
        -x[0] + 1.0,
        (x[3] - square(x[2])) * 90_f64.sqrt(),
        -x[2] + 1.0,
        (x[1] + x[3] - 2.0) * 10_f64.sqrt(),
        (x[1] - x[3]) / 10_f64.sqrt(),
    ]
}

pub fn kowalik_osborne(x: &[Dual]) -> Vec<Dual> {
    let y =
        [0.1957, 0.1947, 0.1735, 0.1600, 0.0844, 0.0627, 0.0456, 0.0342, 0.0323, 0.0235, 0.0246];
    let u = [4.0, 2.0, 1.0, 0.5, 0.25, 0.167, 0.125, 0.1, 0.0833, 0.0714, 0.0625];
    let rows = u.into_iter().zip(y);
    rows.map(|(u, y)| -(x[0] * (x[1] * u + u * u) / (x[2] * u + x[3] + u * u)) + y).collect()
}

pub fn brown_dennis(x: &[Dual]) -> Vec<Dual> {
    let times = (1..=20).map(|k| f64::from(k) / 5.0);
    times
        .map(|t| square(x[0] + x[1] * t - t.exp()) + square(x[2] + x[3] * t.sin() - t.cos()))
        .collect()
}

pub fn biggs(x: &[Dual]) -> Vec<Dual> {
    let times = (1..=13).map(|k| 0.1 * f64::from(k));
    times
        .map(|t| {
            let y = (-t).exp() - 5.0 * (-10.0 * t).exp() + 3.0 * (-4.0 * t).exp();
            let decay = |k: usize| (-x[k] * t).exp();
            x[2] * decay(0) - x[3] * decay(1) + x[5] * decay(4) - y
        })
        .collect()
}

pub fn osborne_two(x: &[Dual]) -> Vec<Dual> {
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

pub fn gaussian(x: &[Dual]) -> Vec<Dual> {
    let half = [0.0009, 0.0044, 0.0175, 0.0540, 0.1295, 0.2420, 0.3521];
    let y = half.into_iter().chain([0.3989]).chain(half.into_iter().rev());
    let rows = (1..=15).map(|i| 0.5 * f64::from(8 - i)).zip(y);
    rows.map(|(t, y)| x[0] * (-(x[1] * square(-x[2] + t)) / 2.0).exp() - y).collect()
}

pub fn gulf(x: &[Dual]) -> Vec<Dual> {
    let times = (1..=99).map(|i| 0.01 * f64::from(i));
    times
        .map(|t: f64| {
            let y = 25.0 + (-50.0 * t.ln()).powf(2.0 / 3.0);
            let distance = if x[1].re < y { -x[1] + y } else { x[1] - y };
            // The power as exp(x_2 ln distance): its exponent is a parameter.
            (-((x[2] * distance.ln()).exp() / x[0])).exp() - t
        })
        .collect()
}

pub fn osborne_one(x: &[Dual]) -> Vec<Dual> {
    let y = [
        0.844, 0.908, 0.932, 0.936, 0.925, 0.908, 0.881, 0.850, 0.818, 0.784, 0.751, 0.718, 0.685,
        0.658, 0.628, 0.603, 0.580, 0.558, 0.538, 0.522, 0.506, 0.490, 0.478, 0.467, 0.457, 0.448,
        0.438, 0.431, 0.424, 0.420, 0.414, 0.411, 0.406,
    ];
    let rows = (0..33).map(|i| 10.0 * f64::from(i)).zip(y);
    rows.map(|(t, y)| -(x[0] + x[1] * (-x[3] * t).exp() + x[2] * (-x[4] * t).exp()) + y).collect()
}
