//! Proven Lipschitz constants of a network whose rows are read block by block: those of all rows, from one pass each.
//!
//! Of one hidden layer, with F the matrix of `feature_products` and X the inputs, `sigma_max(F)` and `sigma_max(X)` come from
//! the sums `F^T F` and `X^T X` over the blocks. Where `F^T F` is too large, the Frobenius norm of F bounds them. Of more
//! layers, bounds are sums over rows.

use gaussflow_faer::faer::{Accum, Mat};
use gaussflow_faer::matmul;
use gaussflow_objective::LipschitzConstants;
use gaussflow_solvers::norm;

use crate::activation::ActivationFunction;
use crate::input_blocks::NetworkBlocks;
use crate::lipschitz::{MOST_BYTES, Reach, feature_products, largest_singular_value};

/// Rows whose products of features are formed at a time.
const ROWS: usize = 1 << 10;

/// Where the rows cannot be read, the constants are infinite, and the next linearization returns the reason.
impl<A: ActivationFunction> LipschitzConstants for NetworkBlocks<A> {
    fn jacobian_lipschitz(&self) -> f64 {
        let Some(activation) = self.network().shallow() else { return f64::INFINITY };
        let d = self.network().inputs().columns();
        let pairs = d.saturating_mul(d.saturating_add(1)) / 2;
        // F^T F, what its singular values need, and some rows of F.
        let numbers = pairs.saturating_mul(pairs.saturating_mul(3).saturating_add(ROWS));
        let products = if numbers <= MOST_BYTES / size_of::<f64>() {
            self.largest_of_rows(pairs, |rows| feature_products(rows.as_ref()))
        } else {
            self.of_rows(|input| input * input)
        };
        activation.bounds().second * self.network().largest_factor() * products
    }

    fn lipschitz(&self) -> f64 {
        let Some(activation) = self.network().shallow() else { return f64::INFINITY };
        let inputs = self.largest_of_rows(self.network().inputs().columns(), |rows| rows);
        activation.bounds().first * self.network().factor_norm() * inputs
    }

    fn jacobian_lipschitz_within(&self, center: &[f64], radius: f64) -> f64 {
        if self.network().shallow().is_some() {
            return self.jacobian_lipschitz();
        }
        let reach = Reach::new(self.network(), center, radius);
        self.of_rows(|input| reach.second_derivative(input))
    }

    fn lipschitz_within(&self, center: &[f64], radius: f64) -> f64 {
        if self.network().shallow().is_some() {
            return self.lipschitz();
        }
        let reach = Reach::new(self.network(), center, radius);
        self.of_rows(|input| reach.gradient(input))
    }
}

impl<A: ActivationFunction> NetworkBlocks<A> {
    /// Returns a bound of the norm of the rounding error of f(w) on all rows (w of length p), as
    /// [`Network::rounding_error`](crate::Network::rounding_error) does; infinite where they cannot be read.
    pub fn rounding_error(&self, w: &[f64]) -> f64 {
        let reach = Reach::new(self.network(), w, 0.0);
        f64::EPSILON * self.of_rows(|input| reach.rounding(input))
    }

    /// The norm of bounds that belong to the rows, from the norm of a row's inputs with its constant.
    fn of_rows(&self, bound: impl Fn(f64) -> f64) -> f64 {
        let (features, all) = (self.network().features(), self.network().inputs().columns());
        let mut parts = Vec::new();
        let read = self.for_inputs(|inputs| {
            let rows = inputs.chunks_exact(features).map(norm);
            let rows = rows.map(|x| if all > features { x.hypot(1.0) } else { x });
            parts.push(norm(&rows.map(&bound).collect::<Vec<_>>()));
        });
        self.on_all_outputs(read.map(|()| norm(&parts)))
    }

    /// The largest singular value of the matrix of `order` columns whose rows are made `of` the inputs, with their constant.
    fn largest_of_rows(&self, order: usize, of: impl Fn(Mat<f64>) -> Mat<f64>) -> f64 {
        let (features, all) = (self.network().features(), self.network().inputs().columns());
        let mut sum = Mat::zeros(order, order);
        let read = self.for_inputs(|inputs| {
            for inputs in inputs.chunks(ROWS * features) {
                let entry = |j: usize, k| if k < features { inputs[j * features + k] } else { 1.0 };
                let made = of(Mat::from_fn(inputs.len() / features, all, entry));
                matmul(sum.as_mut(), Accum::Add, made.transpose(), made.as_ref(), 1.0);
            }
        });
        self.on_all_outputs(read.map(|()| largest_singular_value(sum).sqrt()))
    }

    /// What belongs to all outputs, from what belongs to one of each row.
    fn on_all_outputs(&self, found: Result<f64, String>) -> f64 {
        match found {
            Ok(found) => found * (self.network().outputs_of_a_row() as f64).sqrt(),
            Err(reason) => {
                self.keep_failure(reason);
                f64::INFINITY
            }
        }
    }
}
