"""JAX in double precision: a jitted loop of Gauss-Newton steps with the analytic Jacobian.

The Jacobian by its formula, the product and the Cholesky solve are compiled into one loop: no Python
runs between steps. The thread count is set by the harness through XLA_FLAGS.
"""

import jax

jax.config.update("jax_enable_x64", True)
jax.config.update("jax_platforms", "cpu")

import jax.numpy as jnp  # noqa: E402
from jax.scipy.linalg import cho_factor, cho_solve  # noqa: E402

import protocol  # noqa: E402


class Step:
    """Euler steps of the (damped) Gauss-Newton flow."""

    def __init__(self, folder):
        problem = self.problem = protocol.Problem(folder)
        n, d, m = problem.n, problem.d, problem.m
        self.inputs = jnp.asarray(problem.inputs)
        self.inputs_t = jnp.asarray(problem.inputs.T.copy())
        self.targets = jnp.asarray(problem.targets)
        self.signs = jnp.asarray(problem.signs)
        self.offset = jnp.asarray(problem.offset)
        self.weights = jnp.asarray(problem.weights)
        self.inputs_kernel = self.inputs @ self.inputs_t
        if n >= m * d:
            formulations = {
                "rows": self.by_rows,
                "columns": self.by_columns,
                "einsum": self.by_einsum,
            }
        else:
            formulations = {"kernel": self.by_kernel, "kernel-transposed": self.by_kernel_t}
        self.variants = {name: self.loop(made) for name, made in formulations.items()}

    def loop(self, direction):
        """A variant: `count` steps from the initial weights, compiled as one loop."""
        rate = self.problem.rate

        @jax.jit
        def steps(weights, count):
            body = lambda _, w: w - rate * direction(w).reshape(w.shape)
            return jax.lax.fori_loop(0, count, body, weights)

        return lambda count: steps(self.weights, count).block_until_ready()

    def gradient(self, sigma_sum):
        """2 (alpha f - y) from `sum_i c_i sigma_i`."""
        return 2.0 * (self.problem.scaling * (sigma_sum - self.offset) - self.targets)

    def solve(self, matrix, right):
        damping = self.problem.damping
        if damping > 0.0:
            matrix = (1.0 - damping) * matrix + damping * jnp.eye(matrix.shape[0])
        return cho_solve(cho_factor(matrix, lower=True), right)

    def by_rows(self, weights):
        """J as n x p, row after row."""
        sigma = jnp.tanh(self.inputs @ weights.T)
        slopes = self.signs * (1.0 - sigma * sigma)
        jacobian = (slopes[:, :, None] * self.inputs[:, None, :]).reshape(sigma.shape[0], -1)
        gradient = self.gradient(sigma @ self.signs)
        return self.solve(jacobian.T @ jacobian, jacobian.T @ gradient)

    def by_columns(self, weights):
        """J^T as p x n, column after column."""
        sigma = jnp.tanh(weights @ self.inputs_t)
        slopes = self.signs[:, None] * (1.0 - sigma * sigma)
        jacobian = (slopes[:, None, :] * self.inputs_t[None, :, :]).reshape(-1, sigma.shape[1])
        gradient = self.gradient(self.signs @ sigma)
        return self.solve(jacobian @ jacobian.T, jacobian @ gradient)

    def by_einsum(self, weights):
        """As `by_rows`, the right-hand side without J."""
        sigma = jnp.tanh(self.inputs @ weights.T)
        slopes = self.signs * (1.0 - sigma * sigma)
        jacobian = (slopes[:, :, None] * self.inputs[:, None, :]).reshape(sigma.shape[0], -1)
        gradient = self.gradient(sigma @ self.signs)
        right = (slopes * gradient[:, None]).T @ self.inputs
        return self.solve(jacobian.T @ jacobian, right.reshape(-1))

    def by_kernel(self, weights):
        """K = (S S^T) * (X X^T), then v = J^T z without J."""
        sigma = jnp.tanh(self.inputs @ weights.T)
        slopes = self.signs * (1.0 - sigma * sigma)
        dual = self.solve(
            (slopes @ slopes.T) * self.inputs_kernel, self.gradient(sigma @ self.signs)
        )
        return (slopes * dual[:, None]).T @ self.inputs

    def by_kernel_t(self, weights):
        """The same with units along the first axis."""
        sigma = jnp.tanh(weights @ self.inputs_t)
        slopes = self.signs[:, None] * (1.0 - sigma * sigma)
        dual = self.solve(
            (slopes.T @ slopes) * self.inputs_kernel, self.gradient(self.signs @ sigma)
        )
        return (slopes * dual) @ self.inputs


if __name__ == "__main__":
    protocol.serve({"step": Step, "wide-step": Step})
