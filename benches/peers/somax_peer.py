"""somax's damped generalized Gauss-Newton steps of softmax cross-entropy, in double precision, jitted.

It takes the mean over n samples and `C + lam I`: with `lam = rho / ((1 - rho) n)` its direction is (1 - rho) times that
of `(1 - rho) J^T G J + rho I`. Its own package brings Optax and Flax, so that it has an environment of its own.
"""

import jax

jax.config.update("jax_enable_x64", True)
jax.config.update("jax_platforms", "cpu")

import jax.numpy as jnp  # noqa: E402
import somax  # noqa: E402
from somax.specs import CurvatureSpec, DampingSpec, SolverSpec  # noqa: E402

import protocol  # noqa: E402

# The residual that conjugate gradients end at, relative to the right side, and after how many iterations at most. They
# divide by at least 2e-16 where the squared residual stands: asked for less, they stall for thousands of iterations.
TOLERANCE = 1e-8
ITERATIONS = 2_000


def predict(weights, batch):
    """The outputs that the loss gets."""
    inputs, offset = batch
    hidden, output = weights
    return jnp.tanh(inputs @ hidden.T) @ output.T - offset


class Step:
    """Steps of one method, compiled as one loop."""

    def __init__(self, folder):
        problem = self.problem = protocol.ClassesProblem(folder)
        damping, n = problem.damping, problem.n
        # Its constants are single precision unless they are asked for otherwise.
        self.lam = {"lam0": damping / ((1.0 - damping) * n), "lam_kwargs": {"dtype": jnp.float64}}
        self.rate = problem.step / (1.0 - damping)
        inputs = (jnp.asarray(problem.inputs), jnp.asarray(problem.offset))
        batch = {"x": inputs, "y": jnp.asarray(problem.labels)}
        weights = (jnp.asarray(problem.hidden), jnp.asarray(problem.output))
        method, key = self.method(), jax.random.PRNGKey(0)

        @jax.jit
        def steps(weights, batch, count):
            def body(_, state):
                weights, inner = state
                weights, inner, _ = method.step(weights, batch, inner, key)
                return weights, inner

            last, _ = jax.lax.fori_loop(0, count, body, (weights, method.init(weights)))
            return jnp.concatenate([part.reshape(-1) for part in last])

        self.variants = {self.NAME: lambda count: steps(weights, batch, count).block_until_ready()}


class ExactGaussNewton(Step):
    """`egn_ce`: Cholesky in output space. With G + 1e-6 I = L L^T it solves for J^T L^T L J in place of J^T L L^T J."""

    NAME = "egn-ce"

    def method(self):
        return somax.make("egn_ce", predict_fn=predict, learning_rate=self.rate, **self.lam)


class Direct(Step):
    """`ggn_direct_ce`, its damping in double precision: a dense solve in parameter space."""

    NAME = "ggn-direct-ce"

    def method(self):
        return somax.assemble(
            curvature=CurvatureSpec("ggn_ce", {"predict_fn": predict}),
            damping=DampingSpec("const", self.lam["lam0"], self.lam["lam_kwargs"]),
            solver=SolverSpec("direct", {}),
            learning_rate=self.rate,
        )


class ConjugateGradients(Step):
    """`sgn_ce`: conjugate gradients in parameter space, from the last solution on and never begun anew."""

    NAME = "sgn-ce"

    def method(self):
        return somax.make(
            "sgn_ce",
            predict_fn=predict,
            learning_rate=self.rate,
            tol=TOLERANCE,
            maxiter=ITERATIONS,
            stabilise_every=0,
            record_cg_stats=False,
            **self.lam,
        )


if __name__ == "__main__":
    protocol.serve(
        {
            "classes-egn": ExactGaussNewton,
            "classes-direct": Direct,
            "classes-cg": ConjugateGradients,
        }
    )
