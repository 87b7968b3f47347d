//! The network as a map with second derivatives: `D2f(w)[u, v]` and `B(weights) = sum_j weights_j Hess f_j`.
//!
//! C[j,i] = c_i sigma''(z_ji) comes from the Jacobian that was written at w, or is computed again.

use gaussflow_objective::{MapError, Residuals, SecondOrderMap, require_length};
use gaussflow_solvers::faer::MatMut;

use crate::activation::ActivationFunction;
use crate::jacobian::NetworkJacobian;
use crate::network::Network;
use crate::second_derivative::{CurvatureColumns, Curved, ROW_BLOCK};

impl<A: ActivationFunction> SecondOrderMap for Network<A> {
    fn second_derivative(
        &self,
        w: &[f64],
        jacobian: &NetworkJacobian,
        u: &[f64],
        v: &[f64],
        out: &mut [f64],
    ) -> Result<(), MapError> {
        for (what, vector) in [("the direction u", u), ("the direction v", v)] {
            require_length(what, vector, self.parameters())?;
        }
        require_length("the second derivative", out, self.outputs())?;
        self.curved(w, jacobian)?.second_derivative(u, v, out);
        Ok(())
    }

    fn weighted_hessian_apply(
        &self,
        w: &[f64],
        jacobian: &NetworkJacobian,
        weights: &[f64],
        v: &[f64],
        out: &mut [f64],
    ) -> Result<(), MapError> {
        require_length("the weights", weights, self.outputs())?;
        for (what, vector) in [("the direction v", v), ("the product", &*out)] {
            require_length(what, vector, self.parameters())?;
        }
        self.curved(w, jacobian)?.weighted_hessian_apply(weights, v, out);
        Ok(())
    }

    fn weighted_hessian(
        &self,
        w: &[f64],
        jacobian: &NetworkJacobian,
        weights: &[f64],
        out: MatMut<'_, f64>,
    ) -> Result<(), MapError> {
        require_length("the weights", weights, self.outputs())?;
        for side in [out.nrows(), out.ncols()] {
            if side != self.parameters() {
                let (what, expected) = ("a side of the weighted Hessian", self.parameters());
                return Err(MapError::ShapeMismatch { what, expected, found: side });
            }
        }
        self.curved(w, jacobian)?.weighted_hessian(weights, out);
        Ok(())
    }
}

impl<A: ActivationFunction> Network<A> {
    /// Second derivatives at w.
    fn curved<'a>(
        &'a self,
        w: &'a [f64],
        jacobian: &'a NetworkJacobian,
    ) -> Result<Curved<'a, Curvature<'a, A>>, MapError> {
        require_length("the weights w", w, self.parameters())?;
        let inputs = jacobian.row_kronecker().right();
        Ok(Curved {
            inputs,
            hidden: self.hidden(),
            columns: Curvature { network: self, w, jacobian },
        })
    }
}

/// C at w: what the Jacobian keeps, or the activation's second derivative once more.
struct Curvature<'a, A> {
    network: &'a Network<A>,
    w: &'a [f64],
    jacobian: &'a NetworkJacobian,
}

impl<A: ActivationFunction> CurvatureColumns for Curvature<'_, A> {
    fn fill(&self, b: usize, i: usize, out: &mut [f64]) {
        if let Some(kept) = self.jacobian.curvature() {
            out.copy_from_slice(kept.column(b, i));
            return;
        }
        let (network, d, n) = (self.network, self.network.features(), out.len());
        let (mut z, mut sigma, mut slope) = ([0.0; ROW_BLOCK], [0.0; ROW_BLOCK], [0.0; ROW_BLOCK]);
        network.inputs().block_product(b, &self.w[i * d..(i + 1) * d], &mut z);
        network.activation().evaluate(&z[..n], &mut sigma[..n], &mut slope[..n], out);
        out.iter_mut().for_each(|s| *s *= network.signs()[i]);
    }
}

#[cfg(test)]
// The same operations in the same order: only equality is right.
#[allow(clippy::float_cmp)]
mod tests {
    use gaussflow_objective::SmoothMap;

    use super::*;
    use crate::activation::Activation;
    use crate::{InitialPoint, Initialization};

    /// What is computed again is what would have been kept, to the last bit.
    #[test]
    fn second_derivatives_do_not_need_the_curvature_to_be_kept()
    -> Result<(), Box<dyn std::error::Error>> {
        let (n, d, m) = (150, 3, 7);
        let point = InitialPoint::draw(Initialization::Plain, m, d, 1)?;
        let inputs: Vec<f64> = (0..n * d).map(|e| ((e * e % 29) as f64 - 14.0) / 7.0).collect();
        for activation in Activation::ALL {
            let network = Network::new(&inputs, d, &point.signs, activation)?;
            let (mut kept, mut lost) =
                (network.new_jacobian(), network.new_jacobian().without_curvature());
            let (w, mut value) = (&point.weights, [vec![0.0; n], vec![0.0; n]]);
            network.linearize(w, &mut value[0], &mut kept)?;
            network.linearize(w, &mut value[1], &mut lost)?;
            assert_eq!(value[0], value[1]);
            assert_eq!(kept.row_kronecker().left(), lost.row_kronecker().left());
            let (mut bent, mut products) = ([[0.0; 150]; 2], [[0.0; 21]; 2]);
            for (k, jacobian) in [&kept, &lost].into_iter().enumerate() {
                network.second_derivative(w, jacobian, w, w, &mut bent[k])?;
                network.weighted_hessian_apply(w, jacobian, &value[0], w, &mut products[k])?;
            }
            assert_eq!(bent[0], bent[1]);
            assert_eq!(products[0], products[1]);
            assert!(bent[0].iter().any(|x| *x != 0.0));
        }
        Ok(())
    }
}
