"""neural-tangents' empirical kernel of a network of several layers, in double precision, jitted.

Its three implementations are tried: contraction of Jacobians, products of the kernel with vectors, and
structured derivatives. It wants an older JAX, so that it has an environment of its own.
"""

import os

# Tensorflow, which the package imports, writes to the terminal.
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import jax  # noqa: E402

jax.config.update("jax_enable_x64", True)
jax.config.update("jax_platforms", "cpu")

import jax.numpy as jnp  # noqa: E402
import neural_tangents  # noqa: E402

import protocol  # noqa: E402


class DeepKernel:
    """The tangent kernel of f by every implementation."""

    def __init__(self, folder):
        problem = protocol.Problem(folder)
        inputs, signs = jnp.asarray(problem.inputs), jnp.asarray(problem.signs)
        layers = [jnp.asarray(layer) for layer in problem.layers]

        def outputs(layers, rows):
            h = rows
            for layer, factor in zip(layers, problem.factors):
                h = factor * jnp.tanh(h @ layer.T)
            return h @ signs

        def by(implementation):
            kernel = neural_tangents.empirical_ntk_fn(
                outputs, trace_axes=(), vmap_axes=0, implementation=implementation
            )

            def body(_, state):
                layers, before = state
                # As good as no change of the weights, which the compiler does not know: nothing stays as it was.
                changed = [layer + 1e-40 * before[-1, 0] for layer in layers]
                return changed, kernel(inputs, None, layers)

            @jax.jit
            def kernels(layers, count):
                start = (layers, jnp.zeros((problem.n, problem.n)))
                return jax.lax.fori_loop(0, count, body, start)[1]

            return lambda count: kernels(layers, count).block_until_ready()

        names = neural_tangents.NtkImplementation
        self.variants = {
            "jacobian-contraction": by(names.JACOBIAN_CONTRACTION),
            "vector-products": by(names.NTK_VECTOR_PRODUCTS),
            "structured-derivatives": by(names.STRUCTURED_DERIVATIVES),
        }


if __name__ == "__main__":
    protocol.serve({"deep-kernel": DeepKernel})
