"""A typed program: mypy checks in strict mode that the package's annotations serve those who use it."""

from typing import Optional, Tuple

import numpy as np
import numpy.typing as npt

import gaussflow as gf

Array = npt.NDArray[np.float64]


def fitted(t: Array, y: Array) -> Tuple[Array, float, Optional[Array]]:
    """A fit, and its attributes with their types."""
    fit = gf.least_squares(lambda x: x[0] * np.exp(-x[1] * t) - y, [1.0, 1.0], names=["height", "rate"])
    x: Array = fit.x
    cost: float = fit.cost
    rank: int = fit.rank
    assert rank == 2
    popt, pcov = gf.curve_fit(lambda t, a, b: a * np.exp(-b * t), t, y)
    found, _, information, message, status = gf.curve_fit(lambda t, a: a * t, t, y, full_output=True)
    print(popt.round(3), pcov.shape, found.size, sorted(information), message.upper(), status + 1)
    return x, cost, fit.covariance


def followed(x: Array, y: Array) -> float:
    """A flow that a callback ends."""

    def watch(step: gf.Step) -> bool:
        return step.loss < 1e-3

    network = gf.Network(x, [4, 3], bias=True)
    try:
        run = gf.flow(network, y, 8.0, "levenberg-marquardt", damping=0.1, horizon=0.1, callback=watch)
    except gf.Interrupted as interrupted:
        print(interrupted.result.summary)
        raise
    events = [(event.kind, event.time + 1.0) for event in run.events]
    print(events, gf.tangent_kernel(network).shape, gf.OutputManifold(lambda w: w).point([1.0]).size)
    return float(run.loss[-1])


if __name__ == "__main__":
    times = np.linspace(0.0, 2.0, 9)
    print(fitted(times, np.exp(-times))[1] < 1e-9, followed(np.eye(9), times) > 0.0)
