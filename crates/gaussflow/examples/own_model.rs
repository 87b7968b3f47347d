//! A network of two layers, written once with its Jacobian: checked, followed along a flow, and fitted.
//!
//!     cargo run --release -p gaussflow --example own_model

use gaussflow::prelude::*;

/// `f(w)_j = sum_i b_i tanh(a_i x_j + c_i)` with w = (a, b, c).
struct TwoLayers {
    x: Vec<f64>,
    hidden: usize,
}

impl Residuals for TwoLayers {
    fn parameters(&self) -> usize {
        3 * self.hidden
    }
    fn outputs(&self) -> usize {
        self.x.len()
    }
    fn value(&self, w: &[f64], out: &mut [f64]) -> Result<(), MapError> {
        self.linearize(w, out, &mut self.new_jacobian())
    }
}

impl SmoothMap for TwoLayers {
    type Jacobian = DenseJacobian;
    fn new_jacobian(&self) -> DenseJacobian {
        DenseJacobian::zeros(self.outputs(), self.parameters())
    }
    fn linearize(&self, w: &[f64], f: &mut [f64], j: &mut DenseJacobian) -> Result<(), MapError> {
        let (m, mut jacobian) = (self.hidden, j.matrix_mut());
        f.fill(0.0);
        for (row, x) in self.x.iter().enumerate() {
            for i in 0..m {
                let t = (w[i] * x + w[2 * m + i]).tanh();
                let slope = w[m + i] * (1.0 - t * t);
                f[row] += w[m + i] * t;
                jacobian[(row, i)] = slope * x;
                jacobian[(row, m + i)] = t;
                jacobian[(row, 2 * m + i)] = slope;
            }
        }
        Ok(())
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let x: Vec<f64> = (0..30).map(|j| f64::from(j) / 5.0 - 3.0).collect();
    let y: Vec<f64> = x.iter().map(|x| (2.0 * x - 1.0).tanh() - (0.8 * x + 1.0).tanh()).collect();
    let (map, start) = (TwoLayers { x, hidden: 2 }, [1.5, 1.0, 0.8, -1.0, -0.5, 0.5]);
    println!("{}\n", check_jacobian(&map, &start, &[1.0; 6])?);

    let objective = Objective::new(&map, Squared::new(y.clone())?, 1.0)?;
    println!("{}\n", simulate(&objective, &start, &Settings::default(), |_, _, _| ())?);
    println!(
        "{}",
        LeastSquares::new(&map).with_observations(y)?.fit(&start, &FitSettings::default())?
    );
    Ok(())
}
