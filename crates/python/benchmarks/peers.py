"""Times of the package beside JAX and SciPy, in turns in one process: `python peers.py` prints a table.

The best of several rounds counts. Each row first checks that both give the same numbers.
"""

import time

import jax
import jax.numpy as jnp
import numpy as np
import scipy.optimize

import gaussflow as gf

jax.config.update("jax_enable_x64", True)


def best(works, rounds):
    """The least milliseconds of each of `works`, taken in turns."""
    times = [float("inf")] * len(works)
    for _ in range(rounds):
        for k, work in enumerate(works):
            begun = time.perf_counter()
            work()
            times[k] = min(times[k], 1e3 * (time.perf_counter() - begun))
    return times


def tangent_kernel(samples=256, width=256, features=8):
    """The kernel of two hidden layers: ours, JAX's Jacobian times its transpose, JAX by the layers' structure."""
    x = np.random.default_rng(0).standard_normal((samples, features))
    network = gf.Network(x, [width, width], scaled=True)
    w, signs, scale = network.w0, network.signs, width**-0.5

    def layers(w):
        first, second = w[: width * features].reshape(width, features), w[width * features :].reshape(width, width)
        h = jnp.tanh(x @ first.T)
        return second, h, jnp.tanh(scale * h @ second.T)

    def output(w):
        return scale * layers(w)[2] @ signs

    def by_jacobian(w):
        jacobian = jax.jacrev(output)(w)
        return jacobian @ jacobian.T

    def by_structure(w):
        second, h, top = layers(w)
        upper = (1 - top**2) * scale * signs
        lower = (upper @ second) * (1 - h**2) * scale
        return (upper @ upper.T) * (scale * h @ (scale * h).T) + (lower @ lower.T) * (x @ x.T)

    ours = gf.tangent_kernel(network)
    peers = [jax.jit(by_jacobian), jax.jit(by_structure)]
    for peer in peers:
        np.testing.assert_allclose(ours, peer(w), rtol=1e-10, atol=1e-12)
    works = [lambda: gf.tangent_kernel(network), *(lambda peer=peer: peer(w).block_until_ready() for peer in peers)]
    return best(works, 9)


def overhead_of_a_call():
    """Microseconds that a fit adds to each call of `fun`: ours, SciPy's trf and lm."""
    t = np.linspace(0, 3, 20)
    y = 3 * np.exp(-0.7 * t) + 0.1 * np.sin(9 * t)
    calls = 0

    def fun(p):
        nonlocal calls
        calls += 1
        return p[0] * np.exp(-p[1] * t) - y

    fits = [
        lambda: gf.least_squares(fun, [1.0, 1.0]),
        lambda: scipy.optimize.least_squares(fun, [1.0, 1.0]),
        lambda: scipy.optimize.least_squares(fun, [1.0, 1.0], method="lm"),
    ]
    counts = []
    for fit in fits:
        before = calls
        fit()
        counts.append(calls - before)
    (alone,) = best([lambda: [fun(np.array([1.0, 1.0])) for _ in range(100)]], 50)
    return [1e3 * (each / count - alone / 100) for each, count in zip(best(fits, 100), counts)]


if __name__ == "__main__":
    ours, jacobian, structure = tangent_kernel()
    print(f"tangent kernel, [256, 256] units, 256 samples: {ours:.2f} ms")
    print(
        f"  jitted JAX, J @ J.T: {jacobian:.1f} ms ({jacobian / ours:.0f} times), by structure: {structure:.2f} ms ({structure / ours:.2f})"
    )
    ours, trf, lm = overhead_of_a_call()
    print(f"a fit's overhead for each call of fun: {ours:.1f} us; SciPy trf {trf:.1f} us, lm {lm:.1f} us")
