//! Proven Lipschitz constants of the network and of its Jacobian: over all of `R^p` for one hidden layer, on a ball for
//! more of them, which have no global ones.
//!
//! One layer: `L <= sigma2 sqrt(lambda_max((X X^T) * (X X^T)))`, independent of m, and
//! `Lip_f <= sigma1 sqrt(m) sigma_max(X)`, both tighter than the paper's (section 2.1, Theorem 2). Of several outputs,
//! X has each row once for each of them, and c is the row of C that makes the bound largest.

use gaussflow_faer::faer::{Accum, Mat, MatRef};
use gaussflow_faer::matmul;
use gaussflow_objective::LipschitzConstants;
use gaussflow_solvers::{DampedSolver, DenseJacobian, Factors, RowBlocks, norm};

use crate::activation::ActivationFunction;
use crate::network::Network;

/// Bytes that the matrices of a constant may take: as much again as a large Jacobian's factors, not more.
pub(crate) const MOST_BYTES: usize = 1 << 30;

impl<A: ActivationFunction> LipschitzConstants for Network<A> {
    fn jacobian_lipschitz(&self) -> f64 {
        let Some(activation) = self.shallow() else { return f64::INFINITY };
        activation.bounds().second
            * self.largest_factor()
            * squared_feature_norm(dense(self.inputs()).as_ref())
    }

    fn lipschitz(&self) -> f64 {
        let Some(activation) = self.shallow() else { return f64::INFINITY };
        let inputs = largest_singular_value(dense(self.inputs()));
        activation.bounds().first * self.factor_norm() * inputs
    }

    fn jacobian_lipschitz_within(&self, center: &[f64], radius: f64) -> f64 {
        if self.shallow().is_some() {
            return self.jacobian_lipschitz();
        }
        let reach = Reach::new(self, center, radius);
        norm(&reach.of_rows(|input| reach.second_derivative(input)))
    }

    fn lipschitz_within(&self, center: &[f64], radius: f64) -> f64 {
        if self.shallow().is_some() {
            return self.lipschitz();
        }
        let reach = Reach::new(self, center, radius);
        norm(&reach.of_rows(|input| reach.gradient(input)))
    }
}

impl<A: ActivationFunction> Network<A> {
    /// The activation of one hidden layer with fixed c, biases and factor allowed: f then has global constants.
    pub(crate) fn shallow(&self) -> Option<&A> {
        (self.places().len() == 1).then(|| &self.last_layer().activation)
    }

    /// The largest of `s_L c`.
    pub(crate) fn largest_factor(&self) -> f64 {
        self.output_factors().flatten().fold(0.0, |most: f64, c| most.max(c.abs()))
    }

    /// The largest norm of `s_L c` over the outputs.
    pub(crate) fn factor_norm(&self) -> f64 {
        let rows = self.output_factors().map(|row| norm(&row.collect::<Vec<_>>()));
        rows.fold(0.0, f64::max)
    }

    /// Returns a bound of the norm of the rounding error of f(w), to first order in eps = 2.2e-16 (w of length p).
    ///
    /// Each sum errs by as many units in the last place as it has terms and a few more; these errors are bounded by norms and
    /// carried on to the output.
    pub fn rounding_error(&self, w: &[f64]) -> f64 {
        let reach = Reach::new(self, w, 0.0);
        f64::EPSILON * norm(&reach.of_rows(|input| reach.rounding(input)))
    }
}

/// A few roundings more than a sum has terms: of the activation, its factor and the bias.
const ROUNDINGS: f64 = 8.0;

/// Bounds of what a network of several layers can do to one row of inputs, for all weights in a ball.
///
/// With `e_l >= norm([h_(l-1) 1])`, `omega_l >= norm(W_l)`, `P_l` the derivative of f by h_l:
/// `norm(z'_l) <= norm(U_l) e_l + omega_l norm(h'_(l-1))` along U, `norm(h'_l) <= s sigma_1 norm(z'_l)`,
/// `norm(Delta_l) <= s sigma_1 norm(P_l)`, `norm(P_(l-1)) <= omega_l norm(Delta_l)`. All follow from the triangle
/// inequality, and every weight matrix in the ball differs from the one at its centre by at most its radius.
pub(crate) struct Reach<'a, A> {
    network: &'a Network<A>,
    /// omega_l without and with the biases, and the Frobenius norm with them.
    weights: Vec<[f64; 3]>,
    /// Bounds of `norm(Delta_l)`, and of the largest entry of `P_l`.
    deltas: Vec<f64>,
    outward: Vec<f64>,
}

impl<'a, A: ActivationFunction> Reach<'a, A> {
    pub(crate) fn new(network: &'a Network<A>, center: &[f64], radius: f64) -> Self {
        let before = |l: usize| match l {
            0 => network.features(),
            l => network.places()[l - 1].units,
        };
        let weights = network.places().iter().enumerate().map(|(l, place)| {
            let all = place.of(center);
            let matrix =
                |columns| Mat::from_fn(place.units, columns, |i, k| all[i * place.length + k]);
            let without = largest_singular_value(matrix(before(l)));
            [without, largest_singular_value(matrix(place.length)), norm(all)].map(|x| x + radius)
        });
        let weights: Vec<[f64; 3]> = weights.collect();
        let depth = network.layers().len();
        let (mut deltas, mut outward) = (vec![0.0; depth], vec![0.0; depth]);
        let trained = network.places().get(depth).map(|place| place.of(center));
        let c = trained.unwrap_or(network.signs());
        let further = if trained.is_some() { radius } else { 0.0 };
        let rows = c.chunks_exact(network.last_layer().width);
        let mut by_output = rows.map(norm).fold(0.0, f64::max) + further;
        let mut largest = c.iter().fold(0.0, |most: f64, c| most.max(c.abs())) + further;
        for (l, layer) in network.layers().iter().enumerate().rev() {
            let slope = layer.scale.factor(layer.width) * layer.activation.bounds().first;
            (deltas[l], outward[l]) = (slope * by_output, largest);
            by_output = deltas[l] * weights[l][0];
            largest = by_output;
        }
        Self { network, weights, deltas, outward }
    }

    /// A bound for every row of inputs.
    fn of_rows(&self, bound: impl Fn(f64) -> f64) -> Vec<f64> {
        let inputs = self.network.inputs();
        let row =
            |j: usize| -> Vec<f64> { (0..inputs.columns()).map(|k| inputs[(j, k)]).collect() };
        (0..inputs.rows()).map(|j| bound(norm(&row(j)))).collect()
    }

    /// `e_l` for all layers, and the bound of `norm(h_L)`, from the norm of a row of inputs with its constant.
    fn inputs_of_layers(&self, input: f64) -> Vec<f64> {
        let mut found = vec![input];
        for (l, layer) in self.network.layers().iter().enumerate() {
            let (bounds, root) = (layer.activation.bounds(), (layer.width as f64).sqrt());
            let mut at_zero = [0.0];
            layer.activation.value(&[0.0], &mut at_zero);
            let grown = at_zero[0].abs() * root + bounds.first * self.weights[l][1] * found[l];
            let output = layer.scale.factor(layer.width) * grown.min(bounds.value * root);
            let bias = self.network.layers().get(l + 1).is_some_and(|next| next.bias);
            found.push(if bias { output.hypot(1.0) } else { output });
        }
        found
    }

    /// Of the gradient of one output.
    pub(crate) fn gradient(&self, input: f64) -> f64 {
        let inputs = self.inputs_of_layers(input);
        let mut parts: Vec<f64> = self.deltas.iter().zip(&inputs).map(|(d, e)| d * e).collect();
        if self.network.places().len() > self.deltas.len() {
            parts.extend(inputs.last());
        }
        norm(&parts)
    }

    /// Of the second derivative of one output, a quadratic form in the norms of the layers' parts of a direction.
    pub(crate) fn second_derivative(&self, input: f64) -> f64 {
        let (inputs, order) = (self.inputs_of_layers(input), self.network.places().len());
        let mut form = Mat::<f64>::zeros(order, order);
        // norm(h') of the layer before, as a combination of those norms.
        let mut outputs = vec![0.0; order];
        for l in 0..order {
            let delta = self.deltas.get(l).copied().unwrap_or(1.0);
            for (k, output) in outputs.iter().enumerate() {
                form[(l, k)] += delta * output;
                form[(k, l)] += delta * output;
            }
            let Some(layer) = self.network.layers().get(l) else { break };
            let mut sums: Vec<f64> = outputs.iter().map(|h| self.weights[l][0] * h).collect();
            sums[l] += inputs[l];
            let (bounds, scale) = (layer.activation.bounds(), layer.scale.factor(layer.width));
            let bend = self.outward[l] * scale * bounds.second;
            for (r, c) in (0..order).flat_map(|r| (0..order).map(move |c| (r, c))) {
                form[(r, c)] += bend * sums[r] * sums[c];
            }
            outputs = sums.iter().map(|z| scale * bounds.first * z).collect();
        }
        largest_singular_value(form)
    }

    /// Of the rounding of one output, in multiples of eps.
    pub(crate) fn rounding(&self, input: f64) -> f64 {
        let inputs = self.inputs_of_layers(input);
        let sums = self.network.places().iter().enumerate().map(|(l, place)| {
            let delta = self.deltas.get(l).copied().unwrap_or(1.0);
            delta * (place.length as f64 + ROUNDINGS) * self.weights[l][2] * inputs[l]
        });
        let last = self.network.signs();
        let output = (last.len() as f64 + ROUNDINGS) * norm(last) * inputs[self.deltas.len()];
        sums.sum::<f64>() + output
    }
}

/// The inputs as a dense matrix.
fn dense(inputs: &RowBlocks) -> Mat<f64> {
    Mat::from_fn(inputs.rows(), inputs.columns(), |j, k| inputs[(j, k)])
}

/// `sqrt(lambda_max((X X^T) * (X X^T)))`: the largest singular value of the matrix whose row j holds the
/// symmetric products of x_j with itself, off-diagonal ones times sqrt(2).
///
/// That matrix is n x d (d + 1) / 2. Where it is too large, the n x n matrix of its inner products tells the same;
/// where both are, the answer is its Frobenius norm, an upper bound that needs neither.
fn squared_feature_norm(inputs: MatRef<'_, f64>) -> f64 {
    let (n, d) = (inputs.nrows(), inputs.ncols());
    let fits = |columns| DampedSolver::HouseholderQr.matrix_bytes(n, columns) <= MOST_BYTES;
    if fits(d.saturating_mul(d.saturating_add(1)) / 2) {
        largest_singular_value(feature_products(inputs))
    } else if fits(n) {
        let mut kernel = Mat::zeros(n, n);
        matmul(kernel.as_mut(), Accum::Replace, inputs, inputs.transpose(), 1.0);
        kernel.col_iter_mut().for_each(|column| column.iter_mut().for_each(|x| *x *= *x));
        largest_singular_value(kernel).sqrt()
    } else {
        let squares = |j: usize| inputs.row(j).iter().map(|x| x * x).sum::<f64>();
        norm(&(0..n).map(squares).collect::<Vec<_>>())
    }
}

/// Row j holds the products `x_jk x_jl`, l <= k, those with l < k times sqrt(2).
pub(crate) fn feature_products(inputs: MatRef<'_, f64>) -> Mat<f64> {
    let (n, d) = (inputs.nrows(), inputs.ncols());
    let mut products = Mat::zeros(n, d * (d + 1) / 2);
    let mut column = 0;
    for k in 0..d {
        for l in 0..=k {
            let weight = if k == l { 1.0 } else { std::f64::consts::SQRT_2 };
            for j in 0..n {
                products[(j, column)] = weight * inputs[(j, k)] * inputs[(j, l)];
            }
            column += 1;
        }
    }
    products
}

/// The largest singular value; the Frobenius norm, an upper bound, should the iteration fail.
pub(crate) fn largest_singular_value(matrix: Mat<f64>) -> f64 {
    let (rows, columns) = matrix.shape();
    let operator = DenseJacobian::from_matrix(matrix);
    let extremes = Factors::new(rows, columns)
        .and_then(|mut factors| factors.extreme_singular_values(&operator));
    extremes.map_or_else(
        |_| {
            let columns: Vec<f64> =
                operator.matrix().col_iter().map(|column| column.norm_l2()).collect();
            norm(&columns)
        },
        |found| found.largest,
    )
}
