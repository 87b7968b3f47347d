//! A system of 100,000 equations whose Jacobian is tridiagonal, solved from a closure and its sparsity pattern.
//!
//!     cargo run --release -p gaussflow --example broyden_tridiagonal

use gaussflow::prelude::*;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    for p in [1_000, 10_000, 100_000] {
        let residuals = ResidualFn::new(p, p, move |w: &[f64], r: &mut [f64]| {
            for k in 0..p {
                let left = if k > 0 { w[k - 1] } else { 0.0 };
                let right = if k + 1 < p { w[k + 1] } else { 0.0 };
                r[k] = (3.0 - 2.0 * w[k]) * w[k] - left - 2.0 * right + 1.0;
            }
        });
        // Residual k depends on the parameters k - 1, k and k + 1.
        let pattern = SparsityPattern::banded(p, p, 1, 1);
        let problem = LeastSquares::new(SparseDifferences::new(residuals, pattern)?);
        let begin = std::time::Instant::now();
        let fit = problem.fit(&vec![-1.0; p], &FitSettings::default())?;
        println!(
            "{p:6} parameters: loss {:.1e}, rank {}, {} evaluations, {} Jacobians, {:.2} s",
            fit.loss,
            fit.rank,
            fit.counts.residuals,
            fit.counts.jacobians,
            begin.elapsed().as_secs_f64()
        );
    }
    Ok(())
}
