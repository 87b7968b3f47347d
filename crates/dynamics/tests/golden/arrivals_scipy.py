"""Twelve models from 200 random starts each: data, starts, and how many of SciPy's fits arrive at the least loss.

    python crates/dynamics/tests/golden/arrivals_scipy.py > crates/dynamics/tests/data/arrivals.txt

A block a model: its name; x; y; lower bounds, or "-"; SciPy's arrivals as `method:count`; the least loss found; the
starts, a line each. A fit arrives where its loss is within 1e-6 of the least one (1e-18 where that is zero).
"""

import warnings

import numpy as np
import scipy
from scipy.optimize import least_squares

warnings.filterwarnings("ignore")
STARTS = 200
rng = np.random.default_rng(20261129)
noise = np.random.default_rng(77).standard_normal


def uniform(low, high):
    return lambda: rng.uniform(low, high)


def logarithmic(low, high):
    return lambda: np.exp(rng.uniform(np.log(low), np.log(high)))


def curves():
    """Name, function, x, y, a draw for each parameter, lower bounds."""
    t = np.linspace(0, 2 * np.pi, 1000)
    yield "sine", lambda w, x: w[0] * np.sin(w[1] * x), t, 2 * np.sin(2 * t), [uniform(0.1, 4)] * 2, None
    x = np.linspace(-np.pi, np.pi, 21)
    y = 0.57 + 0.2225 * np.sin(2 * np.pi * 0.1613 * x + 1.5636) + 0.018 * noise(21)
    wave = [uniform(0.05, 1), uniform(0.08, 0.25), uniform(-3.2, 3.2)]

    def raised(w, x):
        return w[0] * np.sin(2 * np.pi * w[1] * x + w[2]) + w[3]

    def plain(w, x):
        return w[0] * np.sin(2 * np.pi * w[1] * x + w[2])

    infinite = -np.inf
    yield "sine-offset-bounded", raised, x, y, wave + [uniform(0, 1)], [0, infinite, infinite, infinite]
    yield "sine-offset", raised, x, y, wave + [uniform(0, 1)], None
    yield "sine-phase-bounded", plain, x, y - y.mean(), wave, [0, infinite, infinite]
    yield "sine-phase", plain, x, y - y.mean(), wave, None
    x = np.linspace(-5, 5, 60)
    y = 3 * np.exp(-((x - 1) ** 2) / (2 * 0.8**2)) + 0.05 * noise(60)
    peak = [uniform(0.5, 5), uniform(-4, 4), uniform(0.2, 3)]
    yield "peak", lambda w, x: w[0] * np.exp(-((x - w[1]) ** 2) / (2 * w[2] ** 2)), x, y, peak, None
    x = np.array([0.5, 1, 2, 3, 5, 8, 12, 20, 30, 50.0])
    y = 10 * x / (4 + x) + 0.1 * noise(10)
    rates = [logarithmic(0.1, 100), logarithmic(0.05, 200)]
    yield "michaelis-menten", lambda w, x: w[0] * x / (w[1] + x), x, y, rates, None
    x = np.linspace(0, 10, 40)
    y = 5 * np.exp(-0.6 * x) + 1 + 0.05 * noise(40)
    decay = [uniform(0.1, 10), logarithmic(0.01, 10), uniform(-3, 3)]
    yield "decay", lambda w, x: w[0] * np.exp(-w[1] * x) + w[2], x, y, decay, None
    x = np.linspace(0, 20, 50)
    y = 8 / (1 + np.exp(-0.7 * (x - 9))) + 0.1 * noise(50)
    step = [logarithmic(0.5, 50), logarithmic(0.05, 5), uniform(0, 20)]
    yield "logistic", lambda w, x: w[0] / (1 + np.exp(-w[1] * (x - w[2]))), x, y, step, None
    x = np.linspace(0, 10, 60)
    y = 4 * np.exp(-2 * x) + 2 * np.exp(-0.3 * x) + 0.02 * noise(60)
    two = [uniform(0.1, 8), logarithmic(0.05, 8)] * 2
    yield "two-exponentials", lambda w, x: w[0] * np.exp(-w[1] * x) + w[2] * np.exp(-w[3] * x), x, y, two, None
    x = np.array([10.0, 20, 30, 60, 120, 180, 360, 720, 1440])
    y = np.array([243, 194, 171.9, 128.1, 76.7, 54.7, 31, 16.2, 8.4])
    fall = [logarithmic(10, 1e4), uniform(0.1, 60), uniform(0.1, 2)]
    for name, lower in (("intensity", None), ("intensity-bounded", [0, 0, 0])):
        yield name, lambda w, x: w[0] / (x + w[1]) ** w[2], x, y, fall, lower


def numbers(values, form="{:.17g}"):
    return " ".join(form.format(value) for value in values)


print(f"# SciPy {scipy.__version__}, NumPy {np.__version__}")
for name, curve, x, y, draws, lower in curves():
    starts = [[float(f"{draw():.6g}") for draw in draws] for _ in range(STARTS)]
    losses = {}
    for method in ("lm", "trf"):
        for scale in (1.0, "jac"):
            if method == "lm" and lower is not None:
                continue
            found = []
            for start in starts:
                try:
                    fit = least_squares(
                        lambda w: curve(w, x) - y, start, method=method, x_scale=scale, max_nfev=1000,
                        bounds=(-np.inf if lower is None else lower, np.inf), xtol=1e-12, ftol=1e-12, gtol=1e-12)
                    found.append(2 * fit.cost)
                except ValueError:
                    found.append(np.inf)
            losses[method + ("" if scale == 1.0 else "-jac")] = np.array(found)
    least = min(found[np.isfinite(found)].min() for found in losses.values())
    least = 0.0 if least < 1e-18 else least
    arrivals = " ".join(f"{key}:{int((found <= least * (1 + 1e-6) + 1e-18).sum())}" for key, found in losses.items())
    print("\n".join([name, numbers(x), numbers(y), "-" if lower is None else numbers(lower), arrivals, f"{least:.12g}"]))
    print("\n".join(numbers(start, "{:.6g}") for start in starts))
