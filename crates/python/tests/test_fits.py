"""Fits against NIST's certified digits, closed forms, and SciPy."""

import pathlib
import re

import gaussflow as gf
import numpy as np
import pytest
import scipy.optimize
import scipy.sparse

DATA = pathlib.Path(__file__).parents[2] / "dynamics" / "tests" / "data" / "nist"
exp = np.exp


def gauss(b, x):
    bells = [b[k] * exp(-(((x - b[k + 1]) / b[k + 2]) ** 2)) for k in (2, 5)]
    return b[0] * exp(-b[1] * x) + bells[0] + bells[1]


def lanczos(b, x):
    return sum(b[k] * exp(-b[k + 1] * x) for k in (0, 2, 4))


def cubics(b, x):
    return (b[0] + b[1] * x + b[2] * x**2 + b[3] * x**3) / (1 + b[4] * x + b[5] * x**2 + b[6] * x**3)


def enso(b, x):
    waves = [(12.0, b[1], b[2]), tuple(b[3:6]), tuple(b[6:9])]
    return b[0] + sum(c * np.cos(2 * np.pi * x / t) + s * np.sin(2 * np.pi * x / t) for t, c, s in waves)


MODELS = {
    "Bennett5": lambda b, x: b[0] * (b[1] + x) ** (-1 / b[2]),
    "BoxBOD": lambda b, x: b[0] * (1 - exp(-b[1] * x)),
    "Chwirut1": lambda b, x: exp(-b[0] * x) / (b[1] + b[2] * x),
    "Chwirut2": lambda b, x: exp(-b[0] * x) / (b[1] + b[2] * x),
    "DanWood": lambda b, x: b[0] * x ** b[1],
    "ENSO": enso,
    "Eckerle4": lambda b, x: b[0] / b[1] * exp(-0.5 * ((x - b[2]) / b[1]) ** 2),
    "Gauss1": gauss,
    "Gauss2": gauss,
    "Gauss3": gauss,
    "Hahn1": cubics,
    "Kirby2": lambda b, x: (b[0] + b[1] * x + b[2] * x**2) / (1 + b[3] * x + b[4] * x**2),
    "Lanczos1": lanczos,
    "Lanczos2": lanczos,
    "Lanczos3": lanczos,
    "MGH09": lambda b, x: b[0] * (x**2 + x * b[1]) / (x**2 + x * b[2] + b[3]),
    "MGH10": lambda b, x: b[0] * exp(b[1] / (x + b[2])),
    "MGH17": lambda b, x: b[0] + b[1] * exp(-x * b[3]) + b[2] * exp(-x * b[4]),
    "Misra1a": lambda b, x: b[0] * (1 - exp(-b[1] * x)),
    "Misra1b": lambda b, x: b[0] * (1 - (1 + b[1] * x / 2) ** -2.0),
    "Misra1c": lambda b, x: b[0] * (1 - (1 + 2 * b[1] * x) ** -0.5),
    "Misra1d": lambda b, x: b[0] * b[1] * x / (1 + b[1] * x),
    "Nelson": lambda b, x: b[0] - b[1] * x[0] * exp(-b[2] * x[1]),
    "Rat42": lambda b, x: b[0] / (1 + exp(b[1] - b[2] * x)),
    "Rat43": lambda b, x: b[0] / (1 + exp(b[1] - b[2] * x)) ** (1 / b[3]),
    "Roszman1": lambda b, x: b[0] - b[1] * x - np.arctan(b[2] / (x - b[3])) / np.pi,
    "Thurber": cubics,
}


def nist(name):
    """Two starts, certified values and deviations (columns), predictors and response."""
    lines = (DATA / f"{name}.dat").read_text().splitlines()
    rows = [re.match(r"\s*b\d+\s*=\s*(\S+)\s+(\S+)\s+(\S+)\s+(\S+)", line) for line in lines[:60]]
    table = np.array([row.groups() for row in rows if row], dtype=float)
    data = np.array([line.split() for line in lines[60:] if line.strip()], dtype=float)
    if name == "Nelson":
        return table, data[:, 1:].T, np.log(data[:, 0])
    return table, data[:, 1], data[:, 0]


def by_complex_steps(model, x, b):
    columns = []
    for k in range(b.size):
        moved = b.astype(complex)
        moved[k] += 1e-30j
        columns.append(np.imag(model(moved, x)) / 1e-30)
    return np.array(columns).T


@pytest.mark.parametrize("slopes", ["values", "jac"])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_every_run_of_nist_reaches_six_digits_in_fewer_calls_than_minpack(slopes):
    calls, minpack, failures = 0, 0, []
    for name, model in MODELS.items():
        table, x, y = nist(name)

        def fun(b):
            nonlocal calls
            calls += 1
            return model(b, x) - y

        jac = (lambda b: by_complex_steps(model, x, b)) if slopes == "jac" else None
        for start in (0, 1):
            fit = gf.least_squares(fun, table[:, start], jac)
            digits = -np.log10(np.max(np.abs(fit.x / table[:, 2] - 1)) + 1e-12)
            if digits < 6 or not fit.success:
                failures.append((name, start + 1, digits, fit.stop))
            before = calls
            scipy.optimize.least_squares(fun, table[:, start], jac or "2-point", method="lm")
            minpack += calls - before
            calls = before
    assert not failures
    assert calls < minpack, (calls, minpack)


def test_deviations_are_the_certified_ones():
    for name in ("Misra1a", "Thurber", "Rat43", "Hahn1"):
        table, x, y = nist(name)
        fit = gf.least_squares(lambda b: MODELS[name](b, x) - y, table[:, 1])
        np.testing.assert_allclose(fit.stderr, table[:, 3], rtol=1e-5)
        np.testing.assert_allclose(np.sqrt(np.diag(fit.covariance)), fit.stderr, rtol=1e-12)


def test_a_line_has_its_closed_form():
    rng = np.random.default_rng(1)
    A, y = rng.standard_normal((30, 3)), rng.standard_normal(30)
    fit = gf.least_squares(lambda x: A @ x - y, np.zeros(3), lambda x: A)
    expected = np.linalg.lstsq(A, y, rcond=None)[0]
    np.testing.assert_allclose(fit.x, expected, atol=1e-12)
    variance = 2 * fit.cost / 27
    np.testing.assert_allclose(fit.covariance, variance * np.linalg.inv(A.T @ A), rtol=1e-10)
    assert fit.rank == 3 and fit.optimality < 1e-10 and fit.null_directions.shape == (0, 3)


@pytest.mark.parametrize("loss", ["linear", "huber", "soft_l1", "cauchy", "arctan", "callable"])
@pytest.mark.parametrize("bounds", [(-np.inf, np.inf), ([0, 0.5], [2.5, 5])])
def test_losses_and_bounds_agree_with_scipy(loss, bounds):
    rng = np.random.default_rng(2)
    t = np.linspace(0, 4, 40)
    y = 3 * exp(-0.8 * t) + 0.05 * rng.standard_normal(40)
    y[::9] += 2.0
    if loss == "callable":

        def loss(z):  # the Cauchy loss by hand
            return np.array([np.log1p(z), 1 / (1 + z), -1 / (1 + z) ** 2])

    def fun(x, shift):
        return x[0] * exp(-x[1] * t) - y + shift

    ours = gf.least_squares(fun, [2.0, 1.0], bounds=bounds, loss=loss, f_scale=0.2, args=(0.0,))
    theirs = scipy.optimize.least_squares(
        fun, [2.0, 1.0], bounds=bounds, loss=loss, f_scale=0.2, args=(0.0,), xtol=1e-14, ftol=1e-14, gtol=1e-14
    )
    assert ours.success and ours.cost <= theirs.cost * (1 + 1e-10)
    np.testing.assert_allclose(ours.x, theirs.x, rtol=1e-5)
    np.testing.assert_allclose(ours.fun, theirs.fun, atol=1e-5)
    np.testing.assert_allclose(ours.jac, theirs.jac, rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(ours.active_mask, theirs.active_mask)


@pytest.mark.parametrize("sigma", [None, "vector", "matrix"])
@pytest.mark.parametrize("absolute", [False, True])
def test_curve_fit_agrees_with_scipy(sigma, absolute):
    rng = np.random.default_rng(3)
    x = np.linspace(0, 4, 25)
    y = 2.5 * exp(-1.3 * x) + 0.5 + 0.1 * rng.standard_normal(25)
    if sigma == "vector":
        sigma = 0.1 + 0.05 * x
    elif sigma == "matrix":
        sigma = 0.01 * exp(-np.abs(x[:, None] - x))

    def f(x, a, b, c):
        return a * exp(-b * x) + c

    ours = gf.curve_fit(f, x, y, sigma=sigma, absolute_sigma=absolute)
    theirs = scipy.optimize.curve_fit(f, x, y, sigma=sigma, absolute_sigma=absolute, xtol=1e-14, ftol=1e-14)
    np.testing.assert_allclose(ours[0], theirs[0], rtol=1e-6)
    np.testing.assert_allclose(ours[1], theirs[1], rtol=1e-5)


def test_what_the_data_do_not_determine_is_said():
    t = np.arange(6.0)
    fit = gf.least_squares(lambda x: (x[0] + x[1]) * t + x[2] - 3 * t - 1, [1.0, 0.0, 0.0], names=["a", "b", "c"])
    assert fit.rank == 2 and fit.success
    np.testing.assert_allclose(np.abs(fit.null_directions), [[0.5**0.5, 0.5**0.5, 0]], atol=1e-6)
    assert np.isinf(fit.stderr[:2]).all() and np.isfinite(fit.stderr[2])
    assert np.isinf(np.diag(fit.covariance)[:2]).all() and np.isnan(fit.covariance[0, 2])
    assert "a" in fit.remark and "not determined" in fit._repr_html_()
    with pytest.warns(scipy.optimize.OptimizeWarning):
        _, covariance = gf.curve_fit(lambda t, a, b: (a + b) * t, t, 3 * t)
    assert np.isinf(covariance).all()


def test_equal_bounds_fix_a_parameter():
    t = np.arange(6.0)
    fit = gf.least_squares(lambda x: x[0] * t + x[1] - t, [0.0, 0.5], bounds=([-9, 0.5], [9, 0.5]))
    assert fit.x[1] == 0.5 and fit.stderr[1] == 0 and fit.success


def test_callbacks_see_trials_and_may_stop():
    seen = []

    def watch(trial):
        seen.append(trial.cost)
        return len(seen) == 4

    fit = gf.least_squares(lambda x: [10 * (x[1] - x[0] ** 2), 1 - x[0]], [-1.2, 1.0], callback=watch)
    assert fit.status == -2 and len(seen) == 4 and fit.history["cost"][:4].tolist() == seen
    taken = []
    fit = gf.least_squares(
        lambda x: [10 * (x[1] - x[0] ** 2), 1 - x[0]],
        [-1.2, 1.0],
        callback=lambda intermediate_result: taken.append(intermediate_result.nit),
    )
    assert taken == list(range(1, fit.nit + 1))


def test_models_networks_and_sparse_jacobians_are_fitted():
    x = np.random.default_rng(4).standard_normal((30, 2))
    network = gf.Network(x, 2, initialization="plain")
    fit = gf.least_squares(network, network.w0)
    assert fit.success and fit.cost < 1e-3
    A = scipy.sparse.random(20, 4, density=0.6, random_state=5).tocsr()
    y = np.ones(20)
    fit = gf.least_squares(lambda x: A @ x - y, np.zeros(4), lambda x: A)
    np.testing.assert_allclose(A.T @ (A @ fit.x - y), 0, atol=1e-12)
    assert scipy.sparse.issparse(fit.jac)


def test_jax_functions_are_models():
    jax = pytest.importorskip("jax")
    jax.config.update("jax_enable_x64", True)
    t = np.linspace(0, 3, 20)
    f = jax.jit(lambda w: w[0] * jax.numpy.exp(-w[1] * t) - 2 * np.exp(-0.7 * t))
    fit = gf.least_squares(f, [1.0, 1.0], jax.jit(jax.jacfwd(f)))
    np.testing.assert_allclose(fit.x, [2, 0.7], rtol=1e-12)
    run = gf.flow(gf.Model(f, jax.jacfwd(f)), np.zeros(20), w0=[1.0, 1.0], integrator="adaptive", horizon=3)
    np.testing.assert_allclose(np.sqrt(run.loss[-1] / run.loss[0]), np.exp(-6), rtol=2e-3)


def test_curve_fit_knows_fixed_and_undetermined_parameters():
    x = np.linspace(0, 3, 12)
    y = 2.5 * exp(-1.3 * x) + 0.01 * np.cos(7 * x)
    with_all = gf.curve_fit(lambda x, b: 2.5 * exp(-b * x), x, y)
    fixed = gf.curve_fit(lambda x, a, b: a * exp(-b * x), x, y, p0=[2.5, 1.0], bounds=([2.5, 0], [2.5, 5]))
    assert fixed[0][0] == 2.5 and (fixed[1][0] == 0).all()
    np.testing.assert_allclose(fixed[1][1, 1], with_all[1][0, 0], rtol=1e-6)
    with pytest.warns(scipy.optimize.OptimizeWarning):
        _, covariance = gf.curve_fit(lambda x, a, b, c: a * exp(b - c * x), x, y, p0=[1.0, 0.5, 1.0])
    assert np.isinf(covariance).all()


def test_a_loss_of_ones_own_uses_the_jacobian_of_a_model():
    t = np.linspace(0, 3, 12)
    counts = {"fun": 0, "jac": 0}

    def fun(x):
        counts["fun"] += 1
        return x[0] * exp(-x[1] * t) - exp(-t)

    def jac(x):
        counts["jac"] += 1
        return np.array([exp(-x[1] * t), -x[0] * t * exp(-x[1] * t)]).T

    def cauchy(z):
        return np.array([np.log1p(z), 1 / (1 + z), -1 / (1 + z) ** 2])

    fit = gf.least_squares(gf.Model(fun, jac), [2.0, 2.0], loss=cauchy)
    np.testing.assert_allclose(fit.x, [1, 1], rtol=1e-8)
    assert counts["jac"] > 0 and counts["fun"] <= fit.nfev + 2
