//! The network as a map with second derivatives: `D2f(w)[u, v]` and `B(weights) = sum_j weights_j Hess f_j`.

use gaussflow_objective::{
    MapError, Residuals, SecondOrderMap, require_length, weighted_hessian_by_products,
};
use gaussflow_solvers::faer::MatMut;

use crate::activation::ActivationFunction;
use crate::jacobian::NetworkJacobian;
use crate::network::Network;
use crate::second_derivative::Curved;

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
        if self.places().len() > 1 {
            return weighted_hessian_by_products(self, w, jacobian, weights, out);
        }
        self.curved(w, jacobian)?.one_layer_weighted_hessian(weights, out);
        Ok(())
    }
}

impl<A: ActivationFunction> Network<A> {
    /// Second derivatives at w.
    fn curved<'a>(
        &'a self,
        w: &'a [f64],
        jacobian: &'a NetworkJacobian,
    ) -> Result<Curved<'a, A>, MapError> {
        require_length("the weights w", w, self.parameters())?;
        Ok(Curved { network: self, w, jacobian })
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
                (network.new_jacobian(), network.new_jacobian().without_bends());
            let left =
                |jacobian: &NetworkJacobian| jacobian.row_kronecker().pieces()[0].left().clone();
            let (w, mut value) = (&point.weights, [vec![0.0; n], vec![0.0; n]]);
            network.linearize(w, &mut value[0], &mut kept)?;
            network.linearize(w, &mut value[1], &mut lost)?;
            assert_eq!(value[0], value[1]);
            assert_eq!(left(&kept), left(&lost));
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
