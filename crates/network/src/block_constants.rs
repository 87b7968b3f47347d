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

/// Gives the constants of a network whose rows lie on several machines, as [`NetworkBlocks`] on each of them; see
/// [`NetworkBlocks::over_machines`].
pub struct SplitConstants<'a, A> {
    blocks: &'a NetworkBlocks<A>,
    sum: &'a dyn Fn(&mut [f64]),
}

/// Where the rows cannot be read, the constants are infinite, and the next linearization returns the reason.
impl<A: ActivationFunction> LipschitzConstants for NetworkBlocks<A> {
    fn jacobian_lipschitz(&self) -> f64 {
        self.over_machines(&|_| ()).jacobian_lipschitz()
    }

    fn lipschitz(&self) -> f64 {
        self.over_machines(&|_| ()).lipschitz()
    }

    fn jacobian_lipschitz_within(&self, center: &[f64], radius: f64) -> f64 {
        self.over_machines(&|_| ()).jacobian_lipschitz_within(center, radius)
    }

    fn lipschitz_within(&self, center: &[f64], radius: f64) -> f64 {
        self.over_machines(&|_| ()).lipschitz_within(center, radius)
    }
}

impl<A: ActivationFunction> LipschitzConstants for SplitConstants<'_, A> {
    fn jacobian_lipschitz(&self) -> f64 {
        let Some(activation) = self.blocks.network().shallow() else { return f64::INFINITY };
        let d = self.blocks.network().inputs().columns();
        let pairs = d.saturating_mul(d.saturating_add(1)) / 2;
        // F^T F, what its singular values need, and some rows of F.
        let numbers = pairs.saturating_mul(pairs.saturating_mul(3).saturating_add(ROWS));
        let products = if numbers <= MOST_BYTES / size_of::<f64>() {
            self.largest_of_rows(pairs, |rows| feature_products(rows.as_ref()))
        } else {
            self.of_rows(|input| input * input)
        };
        activation.bounds().second * self.blocks.network().largest_factor() * products
    }

    fn lipschitz(&self) -> f64 {
        let Some(activation) = self.blocks.network().shallow() else { return f64::INFINITY };
        let inputs = self.largest_of_rows(self.blocks.network().inputs().columns(), |rows| rows);
        activation.bounds().first * self.blocks.network().factor_norm() * inputs
    }

    fn jacobian_lipschitz_within(&self, center: &[f64], radius: f64) -> f64 {
        if self.blocks.network().shallow().is_some() {
            return self.jacobian_lipschitz();
        }
        let reach = Reach::new(self.blocks.network(), center, radius);
        self.of_rows(|input| reach.second_derivative(input))
    }

    fn lipschitz_within(&self, center: &[f64], radius: f64) -> f64 {
        if self.blocks.network().shallow().is_some() {
            return self.lipschitz();
        }
        let reach = Reach::new(self.blocks.network(), center, radius);
        self.of_rows(|input| reach.gradient(input))
    }
}

impl<A: ActivationFunction> NetworkBlocks<A> {
    /// Returns the constants of the rows of several machines, each of which has some of them and makes the same calls: `sum`
    /// replaces numbers by their sums over the machines.
    pub fn over_machines<'a>(&'a self, sum: &'a dyn Fn(&mut [f64])) -> SplitConstants<'a, A> {
        SplitConstants { blocks: self, sum }
    }

    /// Returns a bound of the norm of the rounding error of f(w) on all rows (w of length p), as
    /// [`Network::rounding_error`](crate::Network::rounding_error) does; infinite where they cannot be read.
    pub fn rounding_error(&self, w: &[f64]) -> f64 {
        let reach = Reach::new(self.network(), w, 0.0);
        f64::EPSILON * self.over_machines(&|_| ()).of_rows(|input| reach.rounding(input))
    }
}

impl<A: ActivationFunction> SplitConstants<'_, A> {
    /// The norm of bounds that belong to the rows, from the norm of a row's inputs with its constant.
    fn of_rows(&self, bound: impl Fn(f64) -> f64) -> f64 {
        let (features, all) =
            (self.blocks.network().features(), self.blocks.network().inputs().columns());
        let mut parts = Vec::new();
        let read = self.blocks.for_inputs(|inputs| {
            let rows = inputs.chunks_exact(features).map(norm);
            let rows = rows.map(|x| if all > features { x.hypot(1.0) } else { x });
            parts.push(norm(&rows.map(&bound).collect::<Vec<_>>()));
        });
        let own = norm(&parts);
        let mut squares = [own * own, if read.is_err() { 1.0 } else { 0.0 }];
        (self.sum)(&mut squares);
        self.on_all_outputs(read, if squares[1] > 0.0 { f64::INFINITY } else { squares[0].sqrt() })
    }

    /// The largest singular value of the matrix of `order` columns whose rows are made `of` the inputs, with their constant.
    fn largest_of_rows(&self, order: usize, of: impl Fn(Mat<f64>) -> Mat<f64>) -> f64 {
        let (features, all) =
            (self.blocks.network().features(), self.blocks.network().inputs().columns());
        let mut sum = Mat::zeros(order, order);
        let read = self.blocks.for_inputs(|inputs| {
            for inputs in inputs.chunks(ROWS * features) {
                let entry = |j: usize, k| if k < features { inputs[j * features + k] } else { 1.0 };
                let made = of(Mat::from_fn(inputs.len() / features, all, entry));
                matmul(sum.as_mut(), Accum::Add, made.transpose(), made.as_ref(), 1.0);
            }
        });
        let mut numbers: Vec<f64> = sum.col_iter().flat_map(|c| c.iter().copied()).collect();
        numbers.push(if read.is_err() { 1.0 } else { 0.0 });
        (self.sum)(&mut numbers);
        let failed = numbers.pop().is_some_and(|count| count > 0.0);
        let sum = Mat::from_fn(order, order, |r, c| numbers[c * order + r]);
        let found = if failed { f64::INFINITY } else { largest_singular_value(sum).sqrt() };
        self.on_all_outputs(read, found)
    }

    /// What belongs to all outputs, from what belongs to one of each row.
    fn on_all_outputs(&self, read: Result<(), String>, found: f64) -> f64 {
        if let Err(reason) = read {
            self.blocks.keep_failure(reason);
        }
        found * (self.blocks.network().outputs_of_a_row() as f64).sqrt()
    }
}
