//! The image of a map: curvature, Hessian, geodesics, transport, logarithm.

use gaussflow::manifold::{GeodesicSettings, GeometryError, OutputManifold};
use gaussflow::objective::{Loss, Objective, SecondOrderMap};
use numpy::PyReadonlyArray1;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::arrays::{by_rows, matrix, slice, vector};
use crate::failure::{require_memory, runtime_error, value_error};
use crate::interrupts::Interrupts;
use crate::losses::LossSaid;
use crate::map::{Map, Task};

/// The image `alpha f(R^p)` of a map with a loss on it.
#[pyclass(frozen, module = "gaussflow._core")]
pub(crate) struct Manifold {
    map: Py<Map>,
    loss: Box<dyn Loss>,
    scaling: f64,
}

/// What is asked at a point w.
enum Question<'a> {
    /// Point, Riemannian gradient and its normal part.
    Gradient,
    /// An orthonormal basis of the tangent space.
    Basis,
    /// The smallest and the largest eigenvalue of the Riemannian Hessian.
    HessianExtremes,
    /// The Riemannian Hessian in an orthonormal basis.
    Hessian,
    /// The second fundamental form of two directions.
    SecondForm(&'a [f64], &'a [f64]),
    /// The sectional curvature of the plane of two directions.
    Sectional(&'a [f64], &'a [f64]),
    /// The largest normal curvature.
    NormalCurvature,
    /// The geodesic of a velocity, with vectors transported along it.
    Geodesic(&'a [f64], Vec<&'a [f64]>, GeodesicSettings),
    /// The velocity of the geodesic to a target.
    Logarithm(&'a [f64], GeodesicSettings),
}

/// A part of an answer.
enum Part {
    Number(f64),
    Vector(Vec<f64>),
    /// Rows one after the other, with the number of columns.
    Matrix(Vec<f64>, usize),
    Text(String),
}

/// The named parts of an answer.
type Answer = Vec<(&'static str, Part)>;

struct Asking<'a> {
    loss: &'a dyn Loss,
    scaling: f64,
    w: &'a [f64],
    question: Question<'a>,
}

impl Task for Asking<'_> {
    type Output = PyResult<Answer>;

    fn perform<M: SecondOrderMap>(self, map: &M, _: &Interrupts) -> Self::Output {
        let objective = Objective::new(map, self.loss, self.scaling).map_err(value_error)?;
        let mut manifold = OutputManifold::new(&objective).map_err(refused)?;
        answer(&mut manifold, self.w, self.question).map_err(refused)
    }
}

/// The exception for a quantity that does not exist at the point: the input was proper.
#[allow(clippy::needless_pass_by_value, reason = "it goes to map_err")]
fn refused(error: GeometryError) -> PyErr {
    match &error {
        GeometryError::InvalidSetting { .. } => value_error(error),
        GeometryError::BeyondInjectivity { velocity, length, .. } => {
            let raised = runtime_error(&error);
            Python::attach(|py| {
                let value = raised.value(py);
                // An exception takes any attribute; without these two its text is still true.
                let _ = value.setattr("velocity", vector(py, velocity.clone()));
                let _ = value.setattr("distance", *length);
            });
            raised
        }
        _ => runtime_error(error),
    }
}

fn answer<M: SecondOrderMap, L: Loss>(
    manifold: &mut OutputManifold<'_, M, L>,
    w: &[f64],
    question: Question<'_>,
) -> Result<Answer, GeometryError> {
    let n = gaussflow::objective::Residuals::outputs(manifold.objective().map());
    Ok(match question {
        Question::Gradient => {
            let mut at = manifold.at(w)?;
            let (mut tangent, mut normal) = (vec![0.0; n], vec![0.0; n]);
            let output = at.output().to_vec();
            at.riemannian_gradient(&mut tangent)?;
            at.normal_gradient(&mut normal)?;
            vec![
                ("output", Part::Vector(output)),
                ("gradient", Part::Vector(tangent)),
                ("normal_gradient", Part::Vector(normal)),
            ]
        }
        Question::Basis => {
            let basis = manifold.at(w)?.tangent_basis()?;
            vec![("basis", Part::Matrix(by_rows(basis.as_ref()), basis.ncols()))]
        }
        Question::HessianExtremes => {
            let found = manifold.at(w)?.hessian_extremes()?;
            vec![
                ("smallest", Part::Number(found.smallest.value)),
                ("smallest_direction", Part::Vector(found.smallest.direction)),
                ("largest", Part::Number(found.largest.value)),
                ("largest_direction", Part::Vector(found.largest.direction)),
            ]
        }
        Question::Hessian => {
            let hessian = manifold.at(w)?.riemannian_hessian()?;
            vec![("hessian", Part::Matrix(by_rows(hessian.as_ref()), hessian.ncols()))]
        }
        Question::SecondForm(a, b) => {
            let mut bent = vec![0.0; n];
            manifold.at(w)?.second_fundamental_form(a, b, &mut bent)?;
            vec![("second_form", Part::Vector(bent))]
        }
        Question::Sectional(a, b) => {
            vec![("curvature", Part::Number(manifold.at(w)?.sectional_curvature(a, b)?))]
        }
        Question::NormalCurvature => {
            let found = manifold.at(w)?.largest_normal_curvature()?;
            vec![("value", Part::Number(found.value)), ("direction", Part::Vector(found.direction))]
        }
        Question::Geodesic(v, vectors, settings) => {
            let curve = manifold.transport(w, v, &vectors, &settings)?;
            let p = w.len();
            let rows = |of: fn(&gaussflow::manifold::GeodesicSample) -> &[f64]| -> Vec<f64> {
                curve.samples.iter().flat_map(|sample| of(sample).iter().copied()).collect()
            };
            let fractions = curve.samples.iter().map(|sample| sample.fraction).collect();
            let last = &curve.last().transported;
            let transported: Vec<f64> = last.iter().flatten().copied().collect();
            let complete = curve.end == gaussflow::manifold::GeodesicEnd::Complete;
            vec![
                ("fractions", Part::Vector(fractions)),
                ("points", Part::Matrix(rows(|sample| &sample.point), p)),
                ("velocities", Part::Matrix(rows(|sample| &sample.velocity), p)),
                ("transported", Part::Matrix(transported, p)),
                ("length", Part::Number(curve.length)),
                ("speed_drift", Part::Number(curve.speed_drift)),
                ("complete", Part::Number(f64::from(u8::from(complete)))),
                ("end", Part::Text(curve.end.to_string())),
            ]
        }
        Question::Logarithm(target, settings) => {
            let found = manifold.log(w, target, &settings)?;
            vec![
                ("velocity", Part::Vector(found.velocity)),
                ("distance", Part::Number(found.distance)),
                ("miss", Part::Number(found.miss)),
                ("injectivity_estimate", Part::Number(found.injectivity_estimate)),
            ]
        }
    })
}

impl Manifold {
    /// Asks, with the interpreter released.
    fn answer<'py>(
        &self,
        py: Python<'py>,
        w: &[f64],
        question: Question<'_>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let (loss, scaling) = (&*self.loss, self.scaling);
        let asking = Asking { loss, scaling, w, question };
        let told = PyDict::new(py);
        for (name, part) in self.map.get().perform(py, asking)?? {
            match part {
                Part::Number(number) => told.set_item(name, number)?,
                Part::Vector(numbers) => told.set_item(name, vector(py, numbers))?,
                Part::Matrix(numbers, columns) => {
                    let rows = numbers.len().checked_div(columns).unwrap_or(0);
                    told.set_item(name, matrix(py, numbers, rows, columns)?)?;
                }
                Part::Text(text) => told.set_item(name, text)?,
            }
        }
        Ok(told)
    }
}

#[pymethods]
impl Manifold {
    /// The image of a map, scaled, with a loss on it.
    #[new]
    fn new(map: Py<Map>, loss: LossSaid<'_>, scaling: f64) -> PyResult<Self> {
        Ok(Self { map, loss: loss.loss()?, scaling })
    }

    /// The answer to a question at `w`, by name; `vectors` are the directions that it is about.
    fn ask<'py>(
        &self,
        py: Python<'py>,
        question: &str,
        w: PyReadonlyArray1<'py, f64>,
        vectors: Vec<PyReadonlyArray1<'py, f64>>,
        within: (f64, usize),
    ) -> PyResult<Bound<'py, PyDict>> {
        // Copies: a user's function may write to the arrays.
        let w = &slice(&w)?.to_vec()[..];
        let vectors = vectors.iter().map(|v| Ok(slice(v)?.to_vec()));
        let vectors = vectors.collect::<PyResult<Vec<Vec<f64>>>>()?;
        let vectors: Vec<&[f64]> = vectors.iter().map(Vec::as_slice).collect();
        let (tolerance, samples) = within;
        let settings = GeodesicSettings { tolerance, samples, ..GeodesicSettings::default() };
        let question = match (question, vectors.as_slice()) {
            ("gradient", []) => Question::Gradient,
            ("basis", []) => {
                require_memory("the tangent basis", &[3, self.map.get().shape().0, w.len()])?;
                Question::Basis
            }
            ("hessian-extremes", []) => Question::HessianExtremes,
            ("hessian", []) => {
                require_memory("the Hessian", &[w.len(), w.len()])?;
                Question::Hessian
            }
            ("second-form", &[a, b]) => Question::SecondForm(a, b),
            ("sectional-curvature", &[a, b]) => Question::Sectional(a, b),
            ("normal-curvature", []) => Question::NormalCurvature,
            ("geodesic", [v, moved @ ..]) => {
                let numbers = w.len().saturating_mul(2 + moved.len()).saturating_add(8);
                require_memory("the samples of the geodesic", &[3, samples, numbers])?;
                Question::Geodesic(v, moved.to_vec(), settings)
            }
            ("logarithm", &[target]) => Question::Logarithm(target, settings),
            (other, _) => return Err(value_error(format_args!("no question {other:?}"))),
        };
        self.answer(py, w, question)
    }
}
