//! The nonlinear regression problems of NIST's Statistical Reference Datasets, parsed from their files.
//!
//! `crates/dynamics/tests/data/nist/README.md` has source and checksums.

use std::f64::consts::PI;

use gaussflow_objective::{ExactDerivatives, GenericResiduals, Scalar};

/// The other eight of the 27, most of them "of higher difficulty".
pub const HARDER: [&str; 8] =
    ["MGH09", "Thurber", "BoxBOD", "Rat42", "MGH10", "Eckerle4", "Rat43", "Bennett5"];

/// Nineteen problems, in NIST's order of difficulty.
pub const NAMES: [&str; 19] = [
    "Misra1a", "Chwirut2", "Chwirut1", "Lanczos3", "Gauss1", "Gauss2", "DanWood", "Misra1b",
    "Kirby2", "Hahn1", "Nelson", "MGH17", "Lanczos1", "Lanczos2", "Gauss3", "Misra1c", "Misra1d",
    "Roszman1", "ENSO",
];

type Model<D> = fn(&[D], &[f64]) -> D;

/// One problem: its data, starts and certified answers.
#[derive(Clone)]
pub struct Problem {
    pub starts: [Vec<f64>; 2],
    pub certified: Vec<f64>,
    pub certified_deviations: Vec<f64>,
    pub certified_loss: f64,
    /// One row an observation: response, then predictors.
    pub rows: Vec<Vec<f64>>,
    name: &'static str,
}

impl Problem {
    /// Reads `name` from the folder of data files.
    pub fn read(name: &'static str) -> Self {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/nist");
        Self::read_from(folder, name)
    }

    /// Reads `name` from `folder`.
    pub fn read_from(folder: &str, name: &'static str) -> Self {
        let text = std::fs::read_to_string(format!("{folder}/{name}.dat")).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        let mut problem = Self {
            starts: [Vec::new(), Vec::new()],
            certified: Vec::new(),
            certified_deviations: Vec::new(),
            certified_loss: f64::NAN,
            rows: Vec::new(),
            name,
        };
        for line in &lines[..60] {
            if let Some(loss) = line.strip_prefix("Residual Sum of Squares:") {
                problem.certified_loss = loss.trim().parse().unwrap();
            }
            let is_parameter = line.trim_start().starts_with('b') && line.contains('=');
            let Some((_, numbers)) = line.split_once('=').filter(|_| is_parameter) else {
                continue;
            };
            let numbers =
                numbers.split_whitespace().map(str::parse).collect::<Result<Vec<f64>, _>>();
            if let Ok([first, second, value, deviation]) = numbers.as_deref() {
                problem.starts[0].push(*first);
                problem.starts[1].push(*second);
                problem.certified.push(*value);
                problem.certified_deviations.push(*deviation);
            }
        }
        for line in lines[60..].iter().filter(|line| !line.trim().is_empty()) {
            let mut row: Vec<f64> = line.split_whitespace().map(|x| x.parse().unwrap()).collect();
            if name == "Nelson" {
                row[0] = row[0].ln();
            }
            problem.rows.push(row);
        }
        problem
    }

    /// Correct significant digits of the worst parameter, at most the 11 that are certified.
    pub fn digits(&self, found: &[f64]) -> f64 {
        let errors = found.iter().zip(&self.certified).map(|(a, b)| ((a - b) / b).abs());
        errors.fold(11.0, |digits: f64, error| digits.min(-error.log10()))
    }

    /// The residuals as a map.
    pub fn map(&self) -> ExactDerivatives<&Self> {
        ExactDerivatives::new(self)
    }
}

impl GenericResiduals for Problem {
    fn parameters(&self) -> usize {
        self.certified.len()
    }

    fn outputs(&self) -> usize {
        self.rows.len()
    }

    fn residuals<D: Scalar>(&self, w: &[D], out: &mut [D]) {
        let model = model::<D>(self.name);
        out.iter_mut().zip(&self.rows).for_each(|(o, row)| *o = model(w, &row[1..]) - row[0]);
    }
}

/// The model of each file's "Model:" section.
#[rustfmt::skip]
fn model<D: Scalar>(name: &str) -> Model<D> {
    match name {
        "Misra1a" => |b, x| b[0] * (-(-b[1] * x[0]).exp() + 1.0),
        "Misra1b" => |b, x| b[0] * (-(b[1] * x[0] / 2.0 + 1.0).powf(-2.0) + 1.0),
        "Misra1c" => |b, x| b[0] * (-(b[1] * 2.0 * x[0] + 1.0).powf(-0.5) + 1.0),
        "Misra1d" => |b, x| b[0] * b[1] * x[0] / (b[1] * x[0] + 1.0),
        "Chwirut1" | "Chwirut2" => |b, x| (-b[0] * x[0]).exp() / (b[1] + b[2] * x[0]),
        "Lanczos1" | "Lanczos2" | "Lanczos3" => |b, x| {
            b[0] * (-b[1] * x[0]).exp() + b[2] * (-b[3] * x[0]).exp() + b[4] * (-b[5] * x[0]).exp()
        },
        "Gauss1" | "Gauss2" | "Gauss3" => |b, x| {
            let bell = |height: D, centre: D, width: D| {
                let z = -(centre - x[0]) / width;
                height * (-(z * z)).exp()
            };
            b[0] * (-b[1] * x[0]).exp() + bell(b[2], b[3], b[4]) + bell(b[5], b[6], b[7])
        },
        "DanWood" => |b, x| b[0] * (b[1] * x[0].ln()).exp(),
        "Kirby2" => |b, x| {
            (b[0] + b[1] * x[0] + b[2] * x[0].powi(2)) / (b[3] * x[0] + b[4] * x[0].powi(2) + 1.0)
        },
        "Hahn1" | "Thurber" => |b, x| {
            let x = x[0];
            (b[0] + b[1] * x + b[2] * x.powi(2) + b[3] * x.powi(3))
                / (b[4] * x + b[5] * x.powi(2) + b[6] * x.powi(3) + 1.0)
        },
        "MGH09" => |b, x| {
            let x = x[0];
            b[0] * (b[1] * x + x * x) / (b[2] * x + b[3] + x * x)
        },
        "BoxBOD" => |b, x| b[0] * (-(-b[1] * x[0]).exp() + 1.0),
        "Rat42" => |b, x| b[0] / ((b[1] - b[2] * x[0]).exp() + 1.0),
        "Rat43" => |b, x| {
            b[0] / (((b[1] - b[2] * x[0]).exp() + 1.0).ln() / b[3]).exp()
        },
        "MGH10" => |b, x| b[0] * (b[1] / (b[2] + x[0])).exp(),
        "Eckerle4" => |b, x| {
            let z = (-b[2] + x[0]) / b[1];
            b[0] / b[1] * (z * z * -0.5).exp()
        },
        "Bennett5" => |b, x| b[0] * (-(b[1] + x[0]).ln() / b[2]).exp(),
        "Nelson" => |b, x| b[0] - b[1] * x[0] * (-b[2] * x[1]).exp(),
        "MGH17" => |b, x| b[0] + b[1] * (-b[3] * x[0]).exp() + b[2] * (-b[4] * x[0]).exp(),
        "Roszman1" => |b, x| b[0] - b[1] * x[0] - (b[2] / (-b[3] + x[0])).atan() / PI,
        "ENSO" => |b, x| {
            let wave = |period: D, c: D, s: D| {
                let angle = D::from(2.0 * PI * x[0]) / period;
                c * angle.cos() + s * angle.sin()
            };
            b[0] + wave(D::from(12.0), b[1], b[2]) + wave(b[3], b[4], b[5])
                + wave(b[6], b[7], b[8])
        },
        _ => panic!("no model for {name}"),
    }
}
