"""Prints tests/golden/deep_networks.csv: networks of one to four layers, differentiated by JAX.

Needs Python 3.11, JAX and NumPy (benches/peers/requirements.txt).

    python generate_deep_golden.py > deep_networks.csv

One line an array: the name of the network, that of the array, its numbers (matrices row after row) as
the shortest decimals that read back as the same doubles. `layers` alone has words: activation, width,
bias (0 or 1) and scaled (0 or 1) of each hidden layer. The parameters are layer after layer, each unit's
weights with its bias last, then the trained weights of the output.

    h_l = s_l sigma_l(W_l h_(l-1) + b_l),  f = c . h_L,  s_l = 1/sqrt(m_l) where the layer is scaled

Forward-mode differentiation gives J, D2f[u, v] and B(r) v, of r . f, without any formula of this library.
"""

import jax

jax.config.update("jax_enable_x64", True)
jax.config.update("jax_platforms", "cpu")

import jax.numpy as jnp  # noqa: E402
import numpy  # noqa: E402

ACTIVATIONS = {
    "tanh": jnp.tanh,
    "sigmoid": jax.nn.sigmoid,
    "erf": jax.scipy.special.erf,
    "arctan": jnp.arctan,
}

# Name, rows, features, layers (activation, width, bias, scaled), whether the output is trained.
NETWORKS = [
    ("one", 5, 2, [("erf", 4, 1, 0)], True),
    ("two", 6, 3, [("tanh", 4, 1, 1), ("sigmoid", 3, 0, 0)], False),
    ("three", 7, 2, [("arctan", 3, 0, 1), ("erf", 5, 1, 0), ("tanh", 2, 1, 1)], True),
    (
        "four",
        6,
        3,
        [("sigmoid", 3, 1, 0), ("tanh", 4, 1, 1), ("arctan", 2, 0, 1), ("erf", 3, 1, 0)],
        True,
    ),
]


def network(inputs, layers, signs, trained):
    """f as a function of the parameters, and their number."""
    widths = [inputs.shape[1]] + [width for _, width, _, _ in layers]
    lengths = [before + layer[2] for before, layer in zip(widths, layers)]
    sizes = [layer[1] * length for layer, length in zip(layers, lengths)]

    def outputs(weights):
        h, first = inputs, 0
        for (activation, width, bias, scaled), length, size in zip(layers, lengths, sizes):
            matrix = weights[first : first + size].reshape(width, length)
            first += size
            if bias:
                h = jnp.concatenate([h, jnp.ones((h.shape[0], 1))], axis=1)
            factor = 1.0 / numpy.sqrt(width) if scaled else 1.0
            h = factor * ACTIVATIONS[activation](h @ matrix.T)
        return h @ (weights[first:] if trained else signs)

    return outputs, sum(sizes) + (widths[-1] if trained else 0)


def line(name, what, values):
    """One line of the table."""
    cells = [repr(float(value)) for value in numpy.asarray(values).reshape(-1)]
    print(",".join([name, what, *cells]))


def main():
    generator = numpy.random.default_rng(20240607)
    for name, n, d, layers, trained in NETWORKS:
        inputs = generator.standard_normal((n, d))
        signs = generator.choice([-1.0, 1.0], layers[-1][1])
        f, parameters = network(jnp.asarray(inputs), layers, jnp.asarray(signs), trained)
        weights, u, v = generator.standard_normal((3, parameters))
        r = generator.standard_normal(n)
        along = lambda function, direction: lambda w: jax.jvp(function, (w,), (direction,))[1]
        jacobian = jax.jacfwd(f)(weights)
        print(",".join([name, "layers", *(str(cell) for layer in layers for cell in layer)]))
        line(name, "trained", float(trained))
        for what, values in [
            ("inputs", inputs),
            ("signs", signs),
            ("weights", weights),
            ("u", u),
            ("v", v),
            ("r", r),
            ("value", f(weights)),
            ("jacobian", jacobian),
            ("second derivative", along(along(f, u), v)(weights)),
            ("weighted hessian", along(jax.jacfwd(lambda w: r @ f(w)), v)(weights)),
            ("kernel", jacobian @ jacobian.T),
        ]:
            line(name, what, values)


if __name__ == "__main__":
    main()
