"""Gauss-Newton and Levenberg-Marquardt dynamics, fits, and the geometry of what networks can output.

==========================================  ==================================================
I want to ...                               use
==========================================  ==================================================
fit a model of my own                       `least_squares`, `curve_fit`
follow the training flow of a network       `Network`, then `flow`
follow that of a function of my own, JAX's  `Model`, then `flow`
know the tangent kernel                     `tangent_kernel`
measure curvature and geodesics             `OutputManifold`
solve damped least squares                  `damped_lstsq`, `secular_step`
know extreme singular values                `extreme_singular_values`
run a configuration, or many                `config`, `run`, `sweep`, then `load_run`, `audit`, `report`
have data                                   `california_housing`
==========================================  ==================================================

Arrays are float64, and anything that converts to it is taken. Rust computes with Python's global
lock released.
"""

from importlib.metadata import version as _version

from ._commands import Audit, Dataset, Sweep, audit, california_housing, config, report, run, sweep
from ._curve_fit import curve_fit
from ._flow import Step, flow
from ._geometry import (
    Geodesic,
    HessianExtremes,
    Logarithm,
    NormalCurvature,
    OutputManifold,
    tangent_kernel,
)
from ._interrupted import Interrupted
from ._least_squares import Fit, Trial, least_squares
from ._models import Model, Network
from ._run import Event, Run, load_run
from ._solvers import DampedSolution, SecularStep, damped_lstsq, extreme_singular_values, secular_step

__version__ = _version("gaussflow")

__all__ = [
    "Audit",
    "DampedSolution",
    "Dataset",
    "Event",
    "Fit",
    "Geodesic",
    "HessianExtremes",
    "Interrupted",
    "Logarithm",
    "Model",
    "Network",
    "NormalCurvature",
    "OutputManifold",
    "Run",
    "SecularStep",
    "Step",
    "Sweep",
    "Trial",
    "audit",
    "california_housing",
    "config",
    "curve_fit",
    "damped_lstsq",
    "extreme_singular_values",
    "flow",
    "least_squares",
    "load_run",
    "report",
    "run",
    "secular_step",
    "sweep",
    "tangent_kernel",
]
