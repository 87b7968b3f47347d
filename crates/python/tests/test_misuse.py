"""Misuse of the package: each ends in an ordinary exception that names the argument, or in a right answer.

Never in an abort, a hang, a panic, or an error of the package's own code that says nothing to the caller. What could end the
interpreter is tried in one of its own.
"""

import itertools
import os
import pickle
import re
import shutil
import signal
import subprocess
import sys
import textwrap
import threading
import time
import traceback
import warnings
from contextlib import contextmanager

import gaussflow as gf
import numpy as np
import pytest

RNG = np.random.default_rng(0)
INPUTS = RNG.standard_normal((6, 3))
NET = gf.Network(INPUTS, 2)
NET3 = gf.Network(INPUTS, 4, outputs=3)
X = np.arange(6.0)
Y = 2 * X + 1
LM = {"method": "levenberg-marquardt", "damping": 0.5}
RAGGED = [[1.0], [1.0, 2.0]]
HUGE = 10**400
HUGE_ZEROS = np.broadcast_to(0.0, (10**13,))
SMALL = {"data": {"samples": 4}, "network": {"hidden": 1}, "dynamics": {"horizon": 0.02}}


def same(w):
    return w


def line(x, a, b):
    return a * x + b


def fit(fun=lambda x: x - 1, x0=(0.0, 0.0), *args, **rest):
    return gf.least_squares(fun, x0, *args, **rest)


def follow(**rest):
    return gf.flow(same, **{"y": [1.0, 2.0], "w0": [0.0, 0.0], "step": 0.1, "horizon": 0.5, **rest})


def stopped(step=2, **rest):
    return follow(callback=lambda seen: seen.step == step, **rest)


def surface(w):
    return np.array([w[0], w[1], w[0] * w[1]])


def manifold(**rest):
    return gf.OutputManifold(surface, **rest)


def after(calls, first, then):
    """A function that returns `first` for some calls, and `then` from there on."""
    made = itertools.count()
    return lambda x: first if next(made) < calls else then


def changing(then):
    """The identity for some calls, and `then` from there on."""
    made = itertools.count()
    return lambda x: x if next(made) < 7 else then


class Unreadable:
    def __array__(self, *_, **__):
        raise OSError("no numbers here")


def case(name, call, words, errors=ValueError):
    """A misuse: the exception's class, and regular expressions that its text has to hold."""
    words = (words,) if isinstance(words, str) else words
    return pytest.param(call, words, errors, id=name)


MISUSES = [
    # least_squares: x0
    case("x0-none", lambda: fit(x0=None), ("x0", "dtype object", "expected real numbers")),
    case("x0-generator", lambda: fit(x0=(i for i in range(2))), ("x0", "dtype object")),
    case("x0-endless", lambda: fit(x0=itertools.count()), ("x0", "dtype object")),
    case("x0-objects", lambda: fit(x0=np.array([1, None])), ("x0", r"dtype object and shape \(2,\)")),
    case("x0-string", lambda: fit(x0="abc"), ("x0", "dtype <U3")),
    case("x0-strings", lambda: fit(x0=["a", "b"]), ("x0", "dtype <U1")),
    case("x0-bytes", lambda: fit(x0=b"ab"), ("x0", "dtype")),
    case("x0-complex", lambda: fit(x0=[1j]), ("x0", "complex128")),
    case("x0-dates", lambda: fit(x0=np.array(["2020"], "M8[Y]")), ("x0", "datetime64")),
    case("x0-matrix", lambda: fit(x0=np.ones((2, 2))), ("x0", r"\(2, 2\)", "one dimension")),
    case("x0-nan", lambda: fit(x0=[1.0, np.nan]), ("x0", r"shape \(2,\)", "nan at 1", "finite")),
    case("x0-inf", lambda: fit(x0=[np.inf]), ("x0", "inf at 0", "finite")),
    case("x0-dict", lambda: fit(x0={1: 2}), ("x0", "dtype object")),
    case("x0-records", lambda: fit(x0=np.zeros(2, [("a", float)])), ("x0", "dtype")),
    case("x0-huge-int", lambda: fit(x0=[HUGE]), ("x0", "dtype object")),
    case("x0-terabytes", lambda: fit(x0=HUGE_ZEROS), "10000000000000", MemoryError),
    case("x0-ragged", lambda: fit(x0=RAGGED), r"\bx0\b"),
    case("x0-empty", lambda: fit(x0=[]), (r"\bx0\b",)),
    # least_squares: fun and jac
    case("fun-none", lambda: fit(None), ("fun is None", "function")),
    case("fun-string", lambda: fit("f"), ("fun is 'f'", "function")),
    case("fun-returns-none", lambda: fit(lambda x: None), ("what fun returned", "dtype object")),
    case("fun-returns-strings", lambda: fit(lambda x: ["a"]), ("what fun returned", "dtype <U1")),
    case("fun-returns-complex", lambda: fit(lambda x: x * 1j), ("what fun returned", "complex128")),
    case("fun-returns-ragged", lambda: fit(lambda x: RAGGED), "what fun returned"),
    case("fun-returns-nothing", lambda: fit(lambda x: []), ("fun", r"shape \(0,\)", "at least one")),
    case("fun-returns-matrix", lambda: fit(lambda x: np.ones((2, 2))), ("fun", r"\(2, 2\)", "one dim")),
    case("fun-returns-nan", lambda: fit(lambda x: x * np.nan), ("residuals", "not finite", "NaN")),
    case("fun-changes-shape", lambda: fit(after(2, X, Y[:4])), ("fun", r"\(4,\)", r"\(6,\)")),
    case("fun-changes-rank", lambda: fit(after(2, X, np.ones((2, 3)))), ("fun", r"\(2, 3\)", "one dim")),
    case("fun-changes-dtype", lambda: fit(after(2, X, X.astype(complex))), ("fun", "complex128")),
    case("fun-changes-to-none", lambda: fit(after(2, X, None)), ("fun", "object")),
    case("fun-grows", lambda: fit(lambda x, n=itertools.count(1): np.zeros(next(n))), ("fun", r"\(1,\)")),
    case("fun-returns-terabytes", lambda: fit(lambda x: HUGE_ZEROS), "1000000000", MemoryError),
    case("jac-number", lambda: fit(jac=5), ("jac is 5", "function")),
    case("jac-word", lambda: fit(jac="4-point"), ("jac is '4-point'", "3-point")),
    case("jac-vector", lambda: fit(jac=lambda x: np.ones(2)), ("jac", r"\(1, 2\)", r"\(2, 2\)")),
    case(
        "jac-transposed",
        lambda: fit(lambda x: np.r_[x, 1], jac=lambda x: np.ones((2, 3))),
        ("jac", r"\(2, 3\)", r"\(3, 2\)"),
    ),
    case("jac-cube", lambda: fit(jac=lambda x: np.ones((2, 2, 2))), ("jac", r"\(2, 2, 2\)", "two dim")),
    case("jac-none", lambda: fit(jac=lambda x: None), ("jac", "dtype object")),
    case(
        "jac-changes-shape",
        lambda: fit(lambda x: x**2 - 3, [1.0, 2.0], after(2, np.eye(2), np.eye(3))),
        ("jac", r"\(3, 3\)", r"\(2, 2\)"),
    ),
    case("jac-nan", lambda: fit(jac=lambda x: np.full((2, 2), np.nan)), ("gradient", "not finite")),
    # least_squares: bounds and scales
    case("bounds-number", lambda: fit(bounds=5), ("bounds is 5", "pair")),
    case("bounds-one", lambda: fit(bounds=(0,)), ("bounds holds 1", "pair")),
    case("bounds-three", lambda: fit(bounds=(0, 1, 2)), ("bounds holds 3", "pair")),
    case("bounds-shape", lambda: fit(bounds=([0, 0, 0], 1)), ("lower bounds", r"\(3,\)", r"\(2,\)")),
    case("bounds-upper-shape", lambda: fit(bounds=(0, [1])), ("upper bounds", r"\(1,\)", r"\(2,\)")),
    case("bounds-crossed", lambda: fit(bounds=(1, -1)), ("bounds", "lower <= upper")),
    case("bounds-nan", lambda: fit(bounds=(np.nan, 1)), ("bounds", "NaN")),
    case("bounds-of-none", lambda: fit(bounds=(None, None)), ("bounds", "object")),
    case("bounds-outside", lambda: fit(bounds=(2, 3)), ("bounds", "starts at 0")),
    case("bounds-ragged", lambda: fit(bounds=(RAGGED, 1)), "bounds"),
    case("bounds-strings", lambda: fit(bounds=("a", "b")), "bounds"),
    case("bounds-dict", lambda: fit(bounds={"lb": 0, "ub": 1}), "bounds"),
    case("bounds-objects", lambda: fit(bounds=({}, {})), "bounds"),
    case("bounds-complex", lambda: fit(bounds=([1j, 1j], 2)), "bounds"),
    case("x_scale-word", lambda: fit(x_scale="big"), ("x_scale", "jac")),
    case("x_scale-length", lambda: fit(x_scale=[1, 2, 3]), ("x_scale", r"\(3,\)", r"\(2,\)")),
    case("x_scale-negative", lambda: fit(x_scale=[1, -2]), ("x_scale", "above 0")),
    case("x_scale-nan", lambda: fit(x_scale=np.nan), ("x_scale", "finite")),
    case("x_scale-strings", lambda: fit(x_scale=["a", "b"]), "x_scale"),
    case("x_scale-ragged", lambda: fit(x_scale=RAGGED), "x_scale"),
    # least_squares: settings
    case("method", lambda: fit(method="newton"), ("method is 'newton'", "trf")),
    case("loss", lambda: fit(loss="cubic"), ("loss is 'cubic'", "soft_l1")),
    case("loss-none", lambda: fit(loss=None), ("loss is None", "soft_l1")),
    case("loss-list", lambda: fit(loss=["linear"]), "loss"),
    case("f_scale-zero", lambda: fit(f_scale=0), ("f_scale is 0", "above 0")),
    case("f_scale-nan", lambda: fit(f_scale=np.nan), ("f_scale is nan", "above 0")),
    case("f_scale-huge", lambda: fit(f_scale=HUGE), "f_scale"),
    case("ftol-word", lambda: fit(ftol="tight"), ("ftol is 'tight'",)),
    case("xtol-nan", lambda: fit(xtol=np.nan), ("xtol is nan",)),
    case("gtol-array", lambda: fit(gtol=[1, 2]), ("gtol is",)),
    case("no-tolerance", lambda: fit(ftol=None, xtol=None, gtol=None), ("ftol, xtol and gtol",)),
    case("gtol-range", lambda: fit(gtol=2.0), ("gradient tolerance is 2", "below 1")),
    case("max_nfev-zero", lambda: fit(max_nfev=0), ("max_nfev is 0", "from 1 on")),
    case("max_nfev-fraction", lambda: fit(max_nfev=1.5), ("max_nfev is 1.5", "whole")),
    case("max_nfev-bool", lambda: fit(max_nfev=True), ("max_nfev is True", "whole")),
    case("max_nfev-digits", lambda: fit(max_nfev=10**5000), "max_nfev"),
    case("rank_cutoff", lambda: fit(rank_cutoff=-1), ("rank cutoff is -1",)),
    case("acceleration", lambda: fit(acceleration="x"), ("acceleration is", "geodesic")),
    case("acceleration-none", lambda: fit(acceleration=None), ("acceleration", "accepted")),
    case("names-number", lambda: fit(names=5), "names"),
    case("names-count", lambda: fit(names=["a"]), ("1 names", "2")),
    case("kwargs-list", lambda: fit(kwargs=[1]), "kwargs"),
    case("kwargs-keys", lambda: fit(kwargs={1: 2}), "kwargs"),
    case("callback-number", lambda: fit(callback=5), ("callback is 5", "function")),
    case("callback-array", lambda: fit(callback=lambda t: np.ones(2)), "callback"),
    case("network-x0", lambda: gf.least_squares(NET, [1.0]), ("x0", r"\(1,\)", r"\(6,\)")),
    case("network-jac", lambda: gf.least_squares(NET, NET.w0, jac=lambda x: 1 / 0), "jac"),
    # curve_fit
    case("f-none", lambda: gf.curve_fit(None, X, Y), ("f is None", "function")),
    case("f-no-parameter", lambda: gf.curve_fit(lambda x: x, X, Y), "p0"),
    case("p0-strings", lambda: gf.curve_fit(line, X, Y, p0=["a", "b"]), r"\bp0\b"),
    case("p0-nan", lambda: gf.curve_fit(line, X, Y, p0=[1, np.nan]), r"\bp0\b"),
    case("ydata-nan", lambda: gf.curve_fit(line, X, [1, 2, 3, 4, 5, np.nan]), ("ydata", "nan at 5", r"\(6,\)")),
    case("xdata-nan", lambda: gf.curve_fit(line, X * np.nan, Y), ("xdata", "nan at 0")),
    case("ydata-none", lambda: gf.curve_fit(line, X, None), ("ydata", "object")),
    case("ydata-empty", lambda: gf.curve_fit(line, [], []), "ydata"),
    case("ydata-strings", lambda: gf.curve_fit(line, X, ["a"]), "ydata"),
    case("xdata-strings", lambda: gf.curve_fit(line, ["a"], Y), "xdata"),
    case("ydata-length", lambda: gf.curve_fit(line, X, Y[:4]), ("ydata", r"\(6,\)", r"\(4,\)")),
    case("sigma-shape", lambda: gf.curve_fit(line, X, Y, sigma=[1, 2]), ("sigma", r"\(2,\)", r"\(6,\)")),
    case("sigma-zero", lambda: gf.curve_fit(line, X, Y, sigma=X * 0), ("sigma", "above 0")),
    case("sigma-indefinite", lambda: gf.curve_fit(line, X, Y, sigma=-np.eye(6)), ("sigma", "positive")),
    case("sigma-strings", lambda: gf.curve_fit(line, X, Y, sigma=["a"]), "sigma"),
    case("sigma-shape-omit", lambda: gf.curve_fit(line, X, Y, sigma=[1, 2], nan_policy="omit"), "sigma"),
    case("nan_policy", lambda: gf.curve_fit(line, X, Y, nan_policy="skip"), ("nan_policy is 'skip'", "omit")),
    case("unknown-keyword", lambda: gf.curve_fit(line, X, Y, foo=1), "foo", TypeError),
    # flow
    case("model-number", lambda: gf.flow(5, [1.0]), ("model is 5", "gf.Network")),
    case("model-none", lambda: gf.flow(None, [1.0]), "model is None"),
    case("w0-missing", lambda: gf.flow(same, [1.0]), ("w0 is not given",)),
    case("w0-length", lambda: gf.flow(NET, X, w0=[1.0]), ("w0", r"\(1,\)", r"\(6,\)")),
    case("w0-matrix", lambda: follow(w0=np.eye(2)), ("w0", r"\(2, 2\)", "one dimension")),
    case("w0-nan", lambda: follow(w0=[0, np.nan]), ("w0", "nan at 1")),
    case("w0-empty", lambda: gf.flow(same, [], w0=[]), r"\bw0\b"),
    case("y-none", lambda: follow(y=None), ("y is None", r"\(2,\)")),
    case("y-length", lambda: follow(y=[1, 2, 3]), (r"\by\b", r"\(3,\)", r"\(2,\)")),
    case("y-nan", lambda: follow(y=[1, np.nan]), (r"\by\b", "nan at 1")),
    case("y-string", lambda: follow(y="ab"), (r"\by\b", "dtype")),
    case("y-objects", lambda: follow(y=[1, None]), (r"\by\b", "dtype object")),
    case("y-ragged", lambda: follow(y=RAGGED), r"\by\b"),
    case("y-scalar", lambda: follow(y=5.0), (r"\by\b", r"shape \(\)")),
    case(
        "y-transposed",
        lambda: gf.flow(NET3, np.ones((3, 6)), step=0.1, horizon=0.2, **LM),
        (r"\by\b", r"\(3, 6\)", r"\(6, 3\)"),
    ),
    case("y-labels", lambda: gf.flow(NET3, [0, 1, 2, 3, 0, 1], loss="softmax"), (r"\by\b", "0 to 2")),
    case("y-label-words", lambda: gf.flow(NET3, list("abcabc"), loss="softmax"), (r"\by\b",)),
    case("alpha-zero", lambda: follow(alpha=0), ("alpha is 0", "above 0")),
    case("alpha-none", lambda: follow(alpha=None), "alpha is None"),
    case("alpha-huge", lambda: follow(alpha=HUGE), "alpha"),
    case("alpha-complex", lambda: follow(alpha=np.complex128(1 + 2j)), "alpha"),
    case("flow-method", lambda: follow(method="newton"), ("method is", "gauss-newton")),
    case("flow-method-none", lambda: follow(method=None), "method is None"),
    case("damping-with-gn", lambda: follow(damping=0.5), ("damping is 0.5", "levenberg-marquardt")),
    case("damping-none", lambda: follow(method="levenberg-marquardt"), "damping is None"),
    case("damping-range", lambda: follow(method="levenberg-marquardt", damping=2), "damping is 2"),
    case("flow-loss", lambda: follow(loss="cubic"), ("loss is", "softmax")),
    case("softmax-of-one", lambda: follow(loss="softmax"), "classes"),
    case("flow-weights", lambda: follow(weights=[1.0]), ("weights", r"\(1,\)", r"\(2,\)")),
    case("flow-weights-negative", lambda: follow(weights=[1, -1]), ("weight 1 is -1", "above 0")),
    case("weights-of-huber", lambda: follow(weights=[1, 1], loss="huber"), ("weights", "squared")),
    case("loss_parameter-nan", lambda: follow(loss="huber", loss_parameter=np.nan), "loss_parameter is nan"),
    case("integrator", lambda: follow(integrator="leap"), ("integrator is", "rk4")),
    case("solver", lambda: follow(solver="x"), ("solver is", "thin-svd")),
    case("metric", lambda: follow(metric="x"), ("metric is", "euclidean")),
    case("rank_policy", lambda: follow(rank_policy="x"), ("rank_policy is", "pseudo-inverse")),
    case("step-negative", lambda: follow(step=-1), ("step is -1", "above 0")),
    case("step-nan", lambda: follow(step=np.nan), "step is nan"),
    case("horizon-inf", lambda: follow(horizon=np.inf), "horizon is inf"),
    case("too-many-steps", lambda: follow(step=1e-300, horizon=1e300), ("horizon", "at most 1e12")),
    case("rtol", lambda: follow(integrator="adaptive", rtol=-1), "rtol is -1"),
    case("record_every-zero", lambda: follow(record_every=0), ("record_every is 0", "from 1 on")),
    case("record_every-negative", lambda: follow(record_every=-3), "record_every is -3"),
    case("snapshot_every-negative", lambda: follow(snapshot_every=-1), "snapshot_every is -1"),
    case("memory_limit-word", lambda: follow(memory_limit="1G"), "memory_limit is '1G'"),
    case("memory_limit-digits", lambda: follow(memory_limit=10**30), "memory_limit is 1000"),
    case("ball_radius", lambda: follow(ball_radius=0), "ball_radius is 0"),
    case("stationary_fraction", lambda: follow(stationary_fraction="x"), "stationary_fraction is 'x'"),
    case("flow-callback", lambda: follow(callback="x"), ("callback is 'x'", "function")),
    case("flow-callback-array", lambda: follow(callback=lambda s: s.weights), "callback"),
    case(
        "flow-fun-changes-shape",
        lambda: gf.flow(changing(np.ones(3)), [1, 2], w0=[0, 0]),
        ("fun", r"\(3,\)", r"\(2,\)"),
    ),
    case("flow-fun-changes-dtype", lambda: gf.flow(changing("ab"), [1, 2], w0=[0, 0]), ("fun", "<U2")),
    # resume
    case("resume-number", lambda: follow(resume=5), "resume"),
    case("resume-fit", lambda: follow(resume=fit()), "resume"),
    case("resume-other-size", lambda: follow(y=[1.0], w0=[0.0], resume=stopped()), "resume"),
    case("resume-other-problem", lambda: follow(y=[5.0, 9.0], resume=stopped()), "resume"),
    case("resume-other-step", lambda: follow(step=0.05, resume=stopped()), "resume"),
    case("resume-at-end", lambda: follow(resume=follow()), "resume"),
    case("resume-past-end", lambda: follow(horizon=0.2, resume=stopped(4)), "resume"),
    # networks
    case("inputs-vector", lambda: gf.Network([1.0, 2.0], 3), ("inputs", r"\(2,\)", "two dimensions")),
    case("inputs-empty", lambda: gf.Network(np.empty((0, 3)), 3), ("inputs", r"\(0, 3\)", "at least one")),
    case("inputs-nan", lambda: gf.Network([[1.0, np.nan]], 3), ("inputs", r"nan at \(0, 1\)")),
    case("inputs-strings", lambda: gf.Network([["a"]], 3), ("inputs", "dtype")),
    case("inputs-ragged", lambda: gf.Network(RAGGED, 3), "inputs"),
    case("inputs-unreadable", lambda: gf.Network(Unreadable(), 3), ("inputs", "no numbers here")),
    case("inputs-terabytes", lambda: gf.Network(np.broadcast_to(0.0, (10**9, 10**5)), 3), "1000000000", MemoryError),
    case("widths-zero", lambda: gf.Network(INPUTS, 0), "widths is 0"),
    case("widths-negative", lambda: gf.Network(INPUTS, [3, -1]), "widths is -1"),
    case("widths-empty", lambda: gf.Network(INPUTS, []), ("widths", r"\(0,\)")),
    case("widths-none", lambda: gf.Network(INPUTS, None), ("widths", "object")),
    case("widths-word", lambda: gf.Network(INPUTS, "wide"), ("widths", "<U4")),
    case("widths-huge", lambda: gf.Network(INPUTS, 10**12), ("weights", "4000000000000", "GiB"), MemoryError),
    case("widths-largest", lambda: gf.Network(INPUTS, 2**63 - 1), ("weights", "GiB"), MemoryError),
    case("widths-ragged", lambda: gf.Network(INPUTS, RAGGED), "widths"),
    case("widths-digits", lambda: gf.Network(INPUTS, 10**5000), "widths"),
    case("outputs-huge", lambda: gf.Network(INPUTS, 4, outputs=10**12), "GiB", MemoryError),
    case("outputs-zero", lambda: gf.Network(INPUTS, 4, outputs=0), "outputs is 0"),
    case("seed-negative", lambda: gf.Network(INPUTS, 4, seed=-1), "seed is -1"),
    case("seed-fraction", lambda: gf.Network(INPUTS, 4, seed=0.5), "seed is 0.5"),
    case("activation", lambda: gf.Network(INPUTS, 4, "step"), ("activation", "tanh")),
    case("activation-none", lambda: gf.Network(INPUTS, 4, None), "activation is None"),
    case("initialization", lambda: gf.Network(INPUTS, 4, initialization="x"), ("initialization", "nullified")),
    case("antisymmetric-odd", lambda: gf.Network(INPUTS, 3, initialization="antisymmetric"), ("even", "3")),
    case("network-call", lambda: NET([1.0]), (r"\bw\b", r"\(1,\)", r"\(6,\)")),
    case("network-jacobian", lambda: NET.jacobian(np.full(6, np.nan)), (r"\bw\b", "nan at 0")),
    case("kernel-w", lambda: gf.tangent_kernel(NET, [1.0]), (r"\bw\b", r"\(1,\)", r"\(6,\)")),
    case("kernel-no-w", lambda: gf.tangent_kernel(same), "w is not given"),
    case(
        "kernel-huge",
        lambda: gf.tangent_kernel(gf.Network(np.ones((10**6, 1)), 1)),
        ("tangent kernel", "GiB"),
        MemoryError,
    ),
    case("model-fun", lambda: gf.Model("f"), ("fun is 'f'", "function")),
    case("model-jac", lambda: gf.Model(same, 3), ("jac is 3", "function")),
    case("model-scales", lambda: gf.Model(same, scales=[1.0]).jacobian([1.0, 2.0]), ("scales", r"\(1,\)", r"\(2,\)")),
    case("model-scales-zero", lambda: gf.Model(same, scales=[0.0]).jacobian([1.0]), "scale"),
    # geometry
    case("manifold-w", lambda: manifold().point([[1.0, 2.0]]), (r"\bw\b", r"\(1, 2\)", "one dimension")),
    case("manifold-v", lambda: manifold().exp([1, 2], [1.0]), (r"\bv\b", r"\(1,\)", r"\(2,\)")),
    case(
        "manifold-direction",
        lambda: manifold().second_fundamental_form([1, 2], [1, 0], [1]),
        (r"\bb\b", r"\(1,\)", r"\(2,\)"),
    ),
    case("manifold-target", lambda: manifold().log([1, 2], [1]), ("target", r"\(1,\)", r"\(2,\)")),
    case("manifold-plane", lambda: manifold().sectional_curvature([1, 2], [1, 0], [2, 0]), "no plane", RuntimeError),
    case("manifold-samples", lambda: manifold().exp([1, 2], [1, 1], samples=0), "samples is 0"),
    case("manifold-tolerance", lambda: manifold().exp([1, 2], [1, 1], tolerance=-1), ("tolerance is -1", "1e-13")),
    case(
        "manifold-vectors", lambda: manifold().transport([1, 2], [1, 1], [[1, 2, 3]]), ("vectors", r"\(3,\)", r"\(2,\)")
    ),
    case("manifold-vectors-ragged", lambda: manifold().transport([1, 2], [1, 1], RAGGED), "vectors"),
    case("manifold-y", lambda: manifold(y=[1.0]).point([1, 2]), (r"\by\b", r"\(1,\)", r"\(3,\)")),
    case("manifold-alpha", lambda: manifold(alpha=-1), "alpha is -1"),
    # solvers
    case("A-vector", lambda: gf.damped_lstsq([1.0], [1.0]), (r"\bA\b", r"\(1,\)", "two dimensions")),
    case("A-nan", lambda: gf.damped_lstsq([[np.nan]], [1.0]), (r"\bA\b", r"nan at \(0, 0\)")),
    case("b-length", lambda: gf.damped_lstsq(np.eye(2), [1.0]), (r"\bb\b", r"\(1,\)", r"\(2,\)")),
    case("rho-range", lambda: gf.damped_lstsq(np.eye(2), [1, 1], 2), "2; accepted"),
    case("rho-huge", lambda: gf.damped_lstsq(np.eye(2), [1, 1], HUGE), "rho"),
    case("lstsq-solver", lambda: gf.damped_lstsq(np.eye(2), [1, 1], solver="x"), ("solver is", "lsmr")),
    case("lstsq-singular", lambda: gf.damped_lstsq(np.zeros((2, 2)), [1, 1]), "rank", RuntimeError),
    case("lstsq-overflow", lambda: gf.damped_lstsq(np.full((2, 2), 1e308), [1, 1]), "not finite"),
    case(
        "lstsq-primal-terabytes",
        lambda: gf.damped_lstsq(np.ones((1, 10**6)), [1.0], 0.5, solver="primal-cholesky"),
        "GiB",
        MemoryError,
    ),
    case(
        "lstsq-dual-terabytes",
        lambda: gf.damped_lstsq(np.ones((10**6, 1)), np.ones(10**6), 0.5, solver="dual-cholesky"),
        "GiB",
        MemoryError,
    ),
    case(
        "lstsq-qr-terabytes",
        lambda: gf.damped_lstsq(np.ones((1, 10**6)), [1.0], 0.5, solver="householder-qr"),
        "GiB",
        MemoryError,
    ),
    case(
        "flow-primal-terabytes",
        lambda: gf.flow(
            gf.Model(lambda w: w[:1], lambda w: np.eye(1, 10**6)),
            [1.0],
            w0=np.zeros(10**6),
            horizon=0.01,
            solver="primal-cholesky",
            **LM,
        ),
        "GiB",
        MemoryError,
    ),
    case(
        "flow-stiff-terabytes",
        lambda: gf.flow(
            gf.Model(lambda w: w[:1], lambda w: np.eye(1, 10**6)),
            [1.0],
            w0=np.zeros(10**6),
            horizon=0.01,
            integrator="stiff",
            **LM,
        ),
        "GiB",
        MemoryError,
    ),
    case("secular-neither", lambda: gf.secular_step(np.eye(2), [1, 1]), "radius is None and damping is None"),
    case("secular-both", lambda: gf.secular_step(np.eye(2), [1, 1], 1.0, damping=1.0), "radius is 1.0 and damping"),
    case("secular-radius", lambda: gf.secular_step(np.eye(2), [1, 1], -1), "radius is -1"),
    case("secular-scales", lambda: gf.secular_step(np.eye(2), [1, 1], 1, scales=[1, 0]), ("scales", "above 0")),
    case(
        "secular-scales-length",
        lambda: gf.secular_step(np.eye(2), [1, 1], 1, scales=[1]),
        ("scales", r"\(1,\)", r"\(2,\)"),
    ),
    case("singular-values-empty", lambda: gf.extreme_singular_values(np.empty((0, 0))), (r"\bA\b", r"\(0, 0\)")),
    # results
    case("run-item", lambda: follow()["nope"], ("nope", "loss"), KeyError),
    case("run-attribute", lambda: follow().nope, ("nope", "loss"), AttributeError),
    case("fit-attribute", lambda: fit().nope, ("nope", "cost"), AttributeError),
]


def check(call, words, errors):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(errors) as caught:
            call()
    text = str(caught.value)
    assert type(caught.value).__name__ != "PanicException"
    assert "please report" not in text
    for word in words:
        assert re.search(word, text), f"{word!r} is not in {text!r}"


@pytest.mark.parametrize(("call", "words", "errors"), MISUSES)
def test_misuse(call, words, errors):
    check(call, words, errors)


CONFIGS = [
    case("config-none", lambda p: gf.run(None, p), "config is None"),
    case("config-number", lambda p: gf.run(5, p), "config is 5"),
    case("config-bytes", lambda p: gf.run(b"x", p), "x: cannot read", OSError),
    case("config-missing-file", lambda p: gf.run(p / "no.toml", p), "no.toml", OSError),
    case("config-is-folder", lambda p: gf.run(p, p / "o"), "config", OSError),
    case("config-binary", lambda p: gf.run(sys.executable, p / "o"), "UTF-8"),
    case("config-section", lambda p: gf.run({"dta": {}}, p), ("dta", "sections are data")),
    case("config-key", lambda p: gf.run({"data": {"größe": 1}}, p), ("größe", "samples")),
    case("config-number-key", lambda p: gf.run({"data": {1: 2}}, p), (r'config\["data"\]', "type int", "strings")),
    case("config-type", lambda p: gf.run({"data": {"samples": "many"}}, p), ("data.samples", "whole number")),
    case("config-nan", lambda p: gf.run({"dynamics": {"horizon": float("nan")}}, p), ("dynamics.horizon", "NaN")),
    case(
        "config-object",
        lambda p: gf.run({"data": {"samples": object()}}, p),
        (r'config\["data"\]\["samples"\]', "type object"),
    ),
    case("config-set", lambda p: gf.run({"data": {"samples": {3}}}, p), (r'config\["data"\]\["samples"\]', "type set")),
    case("config-not-a-section", lambda p: gf.run({"data": 3}, p), ("data = 3", "table")),
    case("config-list-as-section", lambda p: gf.run({"data": [1.5]}, p), "not valid TOML: wanted string or table"),
    case("config-terabytes", lambda p: gf.run({"network": {"hidden": 10**12}}, p), "network.hidden"),
    case("config-rows", lambda p: gf.run({"data": {"samples": 10**12}}, p), "1000000000000 rows"),
    case("config-huge", lambda p: gf.run({"data": {"samples": 2**70}}, p), r"data.{1,5}samples"),
    case("config-surrogate", lambda p: gf.run({"data": {"name": "\udcff"}}, p), r"data.{1,5}name", ValueError),
    case("config-sweep-in-run", lambda p: gf.run({"sweep": {"seeds": [1]}}, p), "sweep"),
    case("sweep-without", lambda p: gf.sweep(SMALL, p), r"\[sweep\]"),
    case("sweep-empty", lambda p: gf.sweep({**SMALL, "sweep": {"seeds": []}}, p), "sweep.seeds"),
    case("sweep-jobs", lambda p: gf.sweep({**SMALL, "sweep": {"seeds": [1]}}, p, jobs=-1), "jobs is -1"),
    case("out-none", lambda p: gf.run(SMALL, None), "out is None"),
    case("out-number", lambda p: gf.run(SMALL, 5), "out is 5"),
    case("out-device", lambda p: gf.run(SMALL, "/dev/null"), "/dev/null", OSError),
    case("out-nul", lambda p: gf.run(SMALL, str(p / "a\0b")), "NUL", (OSError, ValueError)),
    case("out-long", lambda p: gf.run(SMALL, str(p / ("x" * 5000))), "name too long", OSError),
    case("out-nowhere", lambda p: gf.run(SMALL, "/proc/nowhere/x"), "/proc/nowhere", OSError),
    case("out-in-use", lambda p: ((p / "file").write_text("mine"), gf.run(SMALL, p)), "holds files"),
    case("load_run-missing", lambda p: gf.load_run(p / "no"), ("trace.csv", "accepted"), FileNotFoundError),
    case("load_run-none", lambda p: gf.load_run(None), "folder"),
    case("load_run-bytes", lambda p: gf.load_run(b"x"), "x holds no trace.csv", OSError),
    case("audit-missing", lambda p: gf.audit(p / "no"), "no is no folder", OSError),
    case("audit-none", lambda p: gf.audit(None), "folder is None"),
    case("report-missing", lambda p: gf.report(p / "no"), "cannot read", OSError),
    case("report-empty", lambda p: gf.report(p), "manifest.json"),
    case("report-number", lambda p: gf.report(3), "folder is 3"),
]


@pytest.mark.parametrize(("call", "words", "errors"), CONFIGS)
def test_misuse_of_files(call, words, errors, tmp_path):
    check(lambda: call(tmp_path), words, errors)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """The folder of a small run."""
    out = tmp_path_factory.mktemp("finished")
    gf.run(SMALL, out)
    return next(out.glob("runs/*"))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("trace.csv", ""),
        ("trace.csv", "step,time\n0\n"),
        ("trace.csv", "step,time\n0,1,2\n"),
        ("trace.csv", "step,time\na,b\n"),
        ("outcome.json", ""),
        ("outcome.json", "{}"),
        ("outcome.json", "null"),
        ("weights.npy", ""),
        ("weights.npy", "abc"),
    ],
)
def test_load_run_names_the_damaged_file(finished, tmp_path, name, text):
    folder = tmp_path / "run"
    shutil.copytree(finished, folder)
    (folder / name).write_text(text)
    with pytest.raises((ValueError, OSError), match=re.escape(name)):
        gf.load_run(folder)


@pytest.mark.parametrize("name", ["trace.csv", "outcome.json", "weights.npy", "config.toml"])
def test_audit_names_the_damaged_file(finished, tmp_path, name):
    folder = tmp_path / "run"
    shutil.copytree(finished, folder)
    (folder / name).write_text("\0")
    with pytest.raises((ValueError, OSError), match=re.escape(name)):
        gf.audit(folder)


def test_a_folder_of_bytes_is_that_folder(tmp_path):
    out = tmp_path / "out"
    gf.run(SMALL, os.fsencode(out))
    assert out.is_dir()


# Arrays of every kind.


def variants(numbers):
    numbers = np.asarray(numbers, dtype=float)
    strided = np.repeat(numbers, 2, axis=0)[::2]
    frozen = numbers.copy()
    frozen.flags.writeable = False
    yield "list", numbers.tolist()
    yield "strided", strided
    yield "reversed", numbers[::-1].copy()[::-1]
    yield "fortran", np.asfortranarray(numbers)
    yield "read-only", frozen
    yield "big-endian", numbers.astype(">f8")
    yield "int8", numbers.astype(np.int8)
    yield "float16", numbers.astype(np.float16)
    yield "longdouble", numbers.astype(np.longdouble)
    yield "subclass", numbers.view(type("Mine", (np.ndarray,), {}))
    yield "masked-nothing", np.ma.array(numbers)


@pytest.mark.parametrize("kind", [name for name, _ in variants([1.0, 2.0])])
def test_arrays_of_every_kind(kind):
    def of(numbers):
        return dict(variants(numbers))[kind]

    matrix, vector = np.array([[2.0, 1.0], [0.0, 1.0], [1.0, 3.0]]), np.array([1.0, 2.0, 4.0])
    assert np.array_equal(gf.damped_lstsq(of(matrix), of(vector)).x, gf.damped_lstsq(matrix, vector).x)
    assert np.array_equal(fit(x0=of([3.0, 5.0])).x, fit(x0=[3.0, 5.0]).x)
    assert np.array_equal(follow(y=of([1, 2]), w0=of([3, 5])).weights, follow(y=[1, 2], w0=[3, 5]).weights)
    assert np.array_equal(gf.Network(of(matrix), 2).jacobian(NET.w0[:4]), gf.Network(matrix, 2).jacobian(NET.w0[:4]))
    assert np.array_equal(fit(lambda x: of(np.round(x) - 1)).fun, fit(lambda x: np.round(x) - 1).fun)
    assert np.allclose(fit(jac=lambda x: of(np.eye(2))).x, 1)


def test_unaligned_arrays():
    numbers = np.frombuffer(bytearray(17), dtype=float, count=2, offset=1)
    assert not numbers.flags.aligned
    assert np.allclose(fit(x0=numbers).x, 1)


def test_masked_entries_are_not_taken_for_numbers():
    with pytest.raises(ValueError, match="mask"):
        fit(lambda x: np.ma.array([x[0] - 1, x[0] - 100], mask=[False, True]), [0.0])


def test_pandas():
    pandas = pytest.importorskip("pandas")
    assert np.allclose(fit(lambda x: pandas.Series(x - 1), pandas.Series([0.0, 0.0], index=[7, 9])).x, 1)
    assert gf.extreme_singular_values(pandas.DataFrame(np.eye(2))) == (1.0, 1.0)
    with pytest.raises(ValueError, match="x0 has dtype object"):
        fit(x0=pandas.Series(["a", 1]))


def test_what_aliases_is_read_only():
    for array in (NET.w0, NET.signs, NET.inputs):
        assert not array.flags.writeable
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1


def test_inputs_stay_those_of_the_network():
    inputs = INPUTS.copy()
    network = gf.Network(inputs, 2)
    inputs[:] = 0
    assert np.array_equal(network.inputs, INPUTS)


def test_writing_to_w0_in_a_callback():
    start = np.zeros(2)

    def callback(step):
        start[:] = step.weights

    assert np.array_equal(follow(w0=start, callback=callback).deviation, follow().deviation)


def test_functions_may_write_to_their_argument_and_reuse_their_array():
    kept = np.empty(2)

    def fun(x):
        kept[:] = x - 1
        x[:] = np.nan
        return kept

    assert np.allclose(fit(fun).x, 1)
    assert np.allclose(
        gf.flow(fun, [0, 0], w0=[0, 0], step=0.1, horizon=0.3).weights, follow(y=[1, 1], horizon=0.3).weights
    )


def test_args_may_be_a_list():
    assert np.allclose(gf.least_squares(lambda x, a, b: x - a - b, [0.0], args=[1, 2]).x, 3)


# Exceptions of the user's own functions.


class Mine(BaseException):
    pass


def boom(error, calls=itertools.count(), after=0):
    if next(calls) >= after:
        raise error


def places():
    def of(calls, value=same):
        made = itertools.count()
        return lambda error: lambda x: (boom(error, made, calls), value(x))[1]

    yield "fun", lambda e: fit(of(0)(e))
    yield "fun-later", lambda e: fit(of(3, lambda x: x - 1)(e))
    yield "jac", lambda e: fit(jac=of(0, lambda x: np.eye(2))(e))
    yield "jac-later", lambda e: fit(lambda x: x**2 - 1, [2, 3], of(2, lambda x: np.diag(2 * x))(e))
    yield "callback", lambda e: fit(callback=of(1, lambda t: False)(e))
    yield "flow", lambda e: gf.flow(of(0)(e), [1, 2], w0=[0, 0])
    yield "flow-later", lambda e: gf.flow(of(9)(e), [1, 2], w0=[0, 0])
    yield "flow-jac", lambda e: gf.flow(gf.Model(same, of(3, lambda x: np.eye(2))(e)), [1, 2], w0=[0, 0])
    yield "flow-callback", lambda e: follow(callback=of(2, lambda s: False)(e))
    yield "kernel", lambda e: gf.tangent_kernel(of(2)(e), [1.0, 2.0])
    yield "geodesic", lambda e: gf.OutputManifold(of(20, surface)(e)).exp([1, 2], [1, 1])
    yield "curve_fit", lambda e: gf.curve_fit(lambda x, a, b: of(0)(e)(x), X, Y)


@pytest.mark.parametrize(
    "error",
    [
        ZeroDivisionError("z"),
        SystemExit(3),
        GeneratorExit(),
        Mine("m"),
        MemoryError("m"),
        RecursionError("r"),
        RuntimeWarning("w"),
    ],
    ids=repr,
)
@pytest.mark.parametrize("place", [pytest.param(call, id=name) for name, call in places()])
def test_exceptions_come_through_with_their_traceback(place, error):
    error = type(error)(*error.args)
    try:
        place(error)
    except BaseException as caught:
        assert caught is error
        frames = [frame.name for frame in traceback.extract_tb(caught.__traceback__)]
        assert "boom" in frames
    else:
        pytest.fail("no exception")


@pytest.mark.parametrize("place", [pytest.param(call, id=name) for name, call in places()])
def test_a_keyboard_interrupt_of_the_user_stays_one(place):
    error = KeyboardInterrupt("mine")
    with pytest.raises(KeyboardInterrupt) as caught:
        place(error)
    assert caught.value is error or caught.value.__cause__ is error


def test_functions_are_not_called_after_they_raised():
    calls = []

    def fun(x):
        calls.append(1)
        if len(calls) == 4:
            raise Mine
        return x - 1

    with pytest.raises(Mine):
        fit(fun)
    assert len(calls) == 4


def test_exhausted_and_closed_generators_as_callbacks():
    ticks = iter(range(1))
    assert len(follow(callback=lambda _: next(ticks))) == 2
    closed = (k for k in range(9))
    closed.close()
    assert len(follow(callback=lambda _: next(closed))) == 1
    assert fit(callback=lambda _: next(closed)).stop == "interrupted"


def test_a_fit_within_a_fit():
    inner = lambda a: gf.least_squares(lambda x: x**2 - a, [1.0]).x  # noqa: E731
    assert np.allclose(fit(lambda x: inner(x[0]) - 2, [1.0]).x, 4)
    assert np.allclose(gf.flow(lambda w: inner(w[0]), [2.0], w0=[1.0], step=0.1, horizon=10).weights, 4, atol=1e-3)


@pytest.mark.parametrize(
    "thing",
    [
        pytest.param(lambda: fit(), id="fit"),
        pytest.param(lambda: follow(), id="run"),
        pytest.param(lambda: gf.Interrupted("m", fit()), id="interrupted"),
        pytest.param(lambda: gf.Network(INPUTS, 2), id="network"),
    ],
)
def test_pickle(thing):
    assert isinstance(pickle.loads(pickle.dumps(thing())), object)


# What may end or hang the interpreter, each in one of its own.

ALONE = """
import itertools, os, resource, sys, threading, time
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30))
import numpy as np, gaussflow as gf
out = sys.argv[1]
"""


def alone(name, code, error):
    return pytest.param(code, error, id=name)


ENDINGS = [
    alone("config-cycle", "d = {}; d['data'] = d; gf.run(d, out)", "ValueError.*config"),
    alone("config-cyclic-list", "l = []; l.append(l); gf.run({'data': {'name': l}}, out)", "ValueError.*config"),
    alone(
        "config-deep", "l = 1\nfor _ in range(10**5): l = [l]\ngf.run({'data': {'name': l}}, out)", "ValueError.*config"
    ),
    alone(
        "config-mock",
        "from unittest.mock import MagicMock\ngf.run({'data': {'samples': MagicMock()}}, out)",
        "ValueError.*config",
    ),
    alone(
        "config-changes",
        """
        config = {}
        class Changes:
            def tolist(self):
                config[str(len(config))] = 1
                return 3
        config["data"] = Changes(); config["network"] = {}
        gf.run(config, out)
        """,
        "ValueError: data = 3",
    ),
    alone("fit-in-itself", "f = lambda x: gf.least_squares(f, x).fun\ngf.least_squares(f, [1.0])", "RecursionError"),
    alone(
        "fit-in-itself-later",
        """
        def fun(x):
            return np.array([1.0, 2.0]) if x[0] == 1 else gf.least_squares(fun, [1.0, 2.0]).fun
        gf.least_squares(fun, [1.0, 2.0])
        """,
        "RecursionError",
    ),
    alone(
        "flow-in-itself",
        """
        def fun(x):
            return np.array([1.0, 2.0]) if x[0] == 1 else gf.flow(fun, [1.0, 2.0], w0=[1.0]).weights
        gf.flow(fun, [1.0, 2.0], w0=[1.0])
        """,
        "RecursionError",
    ),
    alone(
        "geodesic-samples",
        "gf.OutputManifold(lambda w: np.r_[w, w**2]).exp([0.0], [1.0], samples=10**12)",
        "(ValueError|MemoryError)",
    ),
    alone("layers-terabytes", "gf.Network(np.eye(1), [12000] * 200)", "MemoryError"),
]


def run_alone(code, *args, seconds=6):
    script = ALONE + textwrap.dedent(code)
    return subprocess.run(
        [sys.executable, "-c", script, *map(str, args)],
        capture_output=True,
        text=True,
        errors="replace",
        timeout=seconds,
    )


@pytest.mark.parametrize(("code", "error"), ENDINGS)
def test_nothing_ends_the_interpreter(code, error, tmp_path):
    ended = run_alone(code, tmp_path / "out", seconds=4)
    assert ended.returncode == 1
    assert "panicked" not in ended.stderr
    assert re.match(error, ended.stderr.strip().splitlines()[-1])


def test_fork_after_a_large_flow():
    code = """
    network = gf.Network(np.random.default_rng(0).standard_normal((600, 10)), 100)
    flow = lambda: gf.flow(network, np.ones(600), horizon=0.01, rank_policy="pseudo-inverse")
    flow()
    child = os.fork()
    if child == 0:
        flow()
        os._exit(0)
    for _ in range(200):
        if os.waitpid(child, os.WNOHANG)[0]:
            sys.exit(0)
        time.sleep(0.1)
    os.kill(child, 9)
    sys.exit("the child hangs")
    """
    assert run_alone(code, "unused", seconds=40).returncode == 0


# Threads.


def test_one_model_from_several_threads():
    model = gf.Model(lambda w: np.r_[w - 1, w[:1] ** 2])
    shape = manifold()
    network, targets = gf.Network(RNG.standard_normal((40, 5)), 10), np.ones(40)
    found = set()

    def work():
        for _ in range(8):
            network_run = gf.flow(network, targets, step=0.05, horizon=0.2, **LM)
            run = gf.flow(model, [0, 0, 0], w0=[0, 0], step=0.1, horizon=0.3)
            parts = (
                network_run.weights,
                run.weights,
                gf.least_squares(model, [0.0, 0.0]).x,
                shape.exp([1, 2], [1, 1]).points[-1],
            )
            found.add(tuple(np.concatenate(parts)))

    threads = [threading.Thread(target=work) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 1


def test_another_thread_makes_progress_during_a_flow():
    network, targets = gf.Network(RNG.standard_normal((200, 8)), 40), np.ones(200)
    ticks, done = [], threading.Event()

    def tick():
        while not done.wait(0.002):
            ticks.append(time.monotonic())

    thread = threading.Thread(target=tick)
    thread.start()
    try:
        begun = time.monotonic()
        gf.flow(network, targets, step=0.01, horizon=1.0, **LM)
        ended = time.monotonic()
    finally:
        done.set()
        thread.join()
    within = [begun, *(tick for tick in ticks if begun < tick < ended), ended]
    assert len(within) > 10
    assert max(np.diff(within)) < 0.3


# Ctrl-C.


@contextmanager
def ctrl_c(seconds):
    """Ctrl-C after some seconds; the block has to end within one more."""
    sent = []

    def send():
        sent.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGINT)

    timer = threading.Timer(seconds, send)
    timer.start()
    try:
        yield
    finally:
        ended = time.monotonic()
        timer.cancel()
        timer.join()
    assert sent, "the work ended before Ctrl-C"
    assert ended - sent[0] < 1.0


LONG = gf.Network(RNG.standard_normal((40, 5)), 8)
TARGETS = RNG.standard_normal(40)


@pytest.mark.parametrize("integrator", ["euler", "rk4", "adaptive", "stiff", "discrete"])
@pytest.mark.parametrize("rest", [{}, {"record_every": 10**6, "diagnostics": False}], ids=["records", "no-records"])
def test_ctrl_c_during_a_network_flow(integrator, rest):
    with ctrl_c(0.2), pytest.raises(gf.Interrupted) as caught:
        gf.flow(LONG, TARGETS, step=1e-6, horizon=1e6, integrator=integrator, **LM, **rest)
    assert isinstance(caught.value, KeyboardInterrupt)
    assert len(caught.value.result) >= 1


@pytest.mark.parametrize("every", [1, 7])
def test_an_interrupted_flow_goes_on_as_if_it_had_not_ended(every):
    settings = {"step": 2e-4, "horizon": 6.0, "record_every": every, "snapshot_every": 70, **LM}
    begun = time.monotonic()
    whole = gf.flow(LONG, TARGETS, **settings)
    seconds = time.monotonic() - begun
    with ctrl_c(0.3 * seconds), pytest.raises(gf.Interrupted) as caught:
        gf.flow(LONG, TARGETS, **settings)
    assert 0 < len(caught.value.result) < len(whole)
    run = gf.flow(LONG, TARGETS, resume=caught.value.result, **settings)
    assert run.stop_reason == "horizon"
    assert np.array_equal(run.snapshot_steps, whole.snapshot_steps)
    for name, column in whole.columns.items():
        assert np.allclose(run[name], column, rtol=1e-6, atol=1e-9, equal_nan=True), name
    assert np.allclose(run.weights, whole.weights)


def test_a_flow_interrupted_before_its_second_record_goes_on():
    run = follow(resume=stopped(0))
    assert np.array_equal(run.time, follow().time)


def test_an_interrupted_flow_without_records_keeps_its_place():
    with ctrl_c(0.3), pytest.raises(gf.Interrupted) as caught:
        gf.flow(LONG, TARGETS, step=1e-6, horizon=1e3, record_every=10**6, diagnostics=False, **LM)
    assert caught.value.result.stop_reason == "interrupted"
    assert caught.value.result.final_time > 0


def slow(x, seconds=0.01):
    time.sleep(seconds)
    return np.r_[10 * (x[1] - x[0] ** 2), 1 - x[0], 0.1 * x[1]]


def test_ctrl_c_during_a_fit():
    whole = gf.least_squares(lambda x: slow(x, 0), [-1.2, 1.0])
    with ctrl_c(0.5), pytest.raises(gf.Interrupted) as caught:
        gf.least_squares(slow, [-1.2, 1.0])
    part = caught.value.result
    assert whole.cost < part.cost < 0.5 * np.sum(slow([-1.2, 1.0]) ** 2)
    assert np.allclose(gf.least_squares(lambda x: slow(x, 0), part.x).x, whole.x, rtol=1e-7)


@pytest.mark.parametrize(
    "call",
    [
        pytest.param(lambda: gf.least_squares(lambda x: slow(x, 0.3), [-1.2, 1.0]), id="fit"),
        pytest.param(lambda: gf.flow(lambda x: slow(x, 0.3), [0, 0, 0], w0=[-1.2, 1.0]), id="flow"),
    ],
)
def test_ctrl_c_before_the_first_jacobian(call):
    with ctrl_c(0.5), pytest.raises(KeyboardInterrupt) as caught:
        call()
    assert isinstance(caught.value, gf.Interrupted)


def test_ctrl_c_during_a_configuration(tmp_path):
    config = {
        "data": {"samples": 100},
        "network": {"hidden": 20},
        "dynamics": {"horizon": 10.0},
        "record": {"checkpoint_every": 50},
    }
    begun = time.monotonic()
    whole = gf.run(config, tmp_path / "whole")
    seconds = time.monotonic() - begun
    with ctrl_c(0.4 * seconds), pytest.raises(KeyboardInterrupt, match="resume=True"):
        gf.run(config, tmp_path / "part")
    run = gf.run(config, tmp_path / "part", resume=True)
    assert np.array_equal(run.step, whole.step)
    assert np.allclose(run.loss, whole.loss, rtol=1e-9)
    assert np.allclose(run.weights, whole.weights)


def test_ctrl_c_during_a_sweep(tmp_path):
    config = {
        "data": {"samples": 100},
        "network": {"hidden": 20},
        "dynamics": {"horizon": 1000.0},
        "sweep": {"seeds": [1, 2, 3]},
    }
    with ctrl_c(0.4), pytest.raises(KeyboardInterrupt, match="resume=True"):
        gf.sweep(config, tmp_path, jobs=1)


def test_ctrl_c_during_an_audit(tmp_path):
    config = {"data": {"samples": 300}, "network": {"hidden": 20}, "dynamics": {"horizon": 4.0}}
    gf.run(config, tmp_path)
    with ctrl_c(0.15), pytest.raises(KeyboardInterrupt):
        gf.audit(tmp_path)


# Leaks.


def test_no_memory_is_lost():
    psutil = pytest.importorskip("psutil")
    process = psutil.Process()
    network, targets = gf.Network(RNG.standard_normal((8, 4)), 3), np.ones(8)

    def grown(work, warm, times):
        for _ in range(warm):
            work()
        before = process.memory_info().rss
        for _ in range(times):
            work()
        return (process.memory_info().rss - before) / 2**20

    assert grown(lambda: fit(surface, max_nfev=20), 500, 10_000) < 4
    assert grown(lambda: gf.flow(network, targets, step=0.1, horizon=0.5, **LM), 50, 500) < 4

    def refused():
        for call in (lambda: fit(lambda x: 1 / 0), lambda: fit(after(2, X, Y[:4])), lambda: follow(step=-1)):
            with pytest.raises((ZeroDivisionError, ValueError)):
                call()

    assert grown(refused, 100, 500) < 4
