"""The image of a model as a manifold: tangent kernel, curvature, geodesics."""

from __future__ import annotations

from typing import Any, Dict, List, NamedTuple, Optional

import numpy as np

from . import _core
from ._arrays import Array, count, number, real, vector
from ._losses import loss_of
from ._models import AnyModel, Network, as_model


def tangent_kernel(model: AnyModel, w: Any = None) -> Array:
    """The tangent kernel ``J @ J.T`` of a model, without J where the model is a network.

    Parameters
    ----------
    model : Network, Model or callable
        f.
    w : array_like, shape (p,), optional
        Where; default the network's `w0`.

    Returns
    -------
    ndarray, shape (n, n)

    Examples
    --------
    >>> import numpy as np, gaussflow as gf
    >>> network = gf.Network(np.eye(3), widths=4)
    >>> J = network.jacobian(network.w0)
    >>> bool(np.allclose(gf.tangent_kernel(network), J @ J.T))
    True
    """
    model = as_model(model)
    if w is None:
        if not isinstance(model, Network):
            raise ValueError("w is not given; expected the parameters (only a gf.Network has its own)")
        w = model.w0
    point = vector("w", w)
    return model._map_at("w", point).kernel(point)


class HessianExtremes(NamedTuple):
    """The extreme eigenvalues of the Riemannian Hessian, with the parameters of their unit eigenvectors."""

    #: The smallest: the loss is geodesically convex around the point with this modulus.
    smallest: float
    #: The largest.
    largest: float
    #: Parameters v (p,) of the eigenvector ``alpha J v`` of the smallest.
    smallest_direction: Array
    #: The same of the largest.
    largest_direction: Array


class NormalCurvature(NamedTuple):
    """The largest normal curvature at a point."""

    #: One over the radius of the osculating circle.
    value: float
    #: Parameters (p,) of the unit tangent vector in whose direction the manifold bends so.
    direction: Array


class Geodesic(NamedTuple):
    """A geodesic, sampled."""

    #: Fractions of the length at which it was sampled (k,).
    fractions: Array
    #: Parameters there (k, p).
    points: Array
    #: Velocities there, by parameters, for one unit of the fraction (k, p).
    velocities: Array
    #: Vectors transported to its end, by parameters, one row each.
    transported: Array
    #: The length in output space that was asked for.
    length: float
    #: The largest relative change of the speed: the error.
    speed_drift: float
    #: Whether it reached its length.
    complete: bool
    #: Why it ended.
    end: str


class Logarithm(NamedTuple):
    """The initial velocity of a geodesic to a target."""

    #: Velocity over unit time, by parameters (p,).
    velocity: Array
    #: The geodesic distance.
    distance: float
    #: The distance between the geodesic's end and the target.
    miss: float
    #: A shorter geodesic is the shortest one, as far as curvature at three points tells.
    injectivity_estimate: float


class OutputManifold:
    r"""The image :math:`M = \alpha f(R^p)` of a model, with a loss g on it.

    Points of M are given by parameters w, tangent vectors :math:`\alpha J v` by parameters v.

    Parameters
    ----------
    model : Network, Model or callable
        f; at least as many outputs as parameters.
    y : array_like, shape (n,), optional
        Targets of the loss; default zeros.
    alpha : float
        The scaling.
    loss, weights, loss_parameter
        As of `gaussflow.flow`.

    Notes
    -----
    Geodesics keep their speed to a relative `tolerance`. By default it is what the model's second derivatives are good
    for: 1e-10 for a network, 1e-8 with a Jacobian of one's own, 1e-6 with differences alone.

    Raises
    ------
    RuntimeError
        Where a quantity does not exist, as at a point where the Jacobian has not full rank.

    Examples
    --------
    >>> import numpy as np, gaussflow as gf
    >>> def sphere(w):
    ...     return 2 * np.array([np.cos(w[0]) * np.cos(w[1]), np.sin(w[0]) * np.cos(w[1]), np.sin(w[1])])
    >>> manifold = gf.OutputManifold(sphere)
    >>> round(manifold.sectional_curvature([0.3, 0.4], [1, 0], [0, 1]), 5)
    0.25
    >>> round(manifold.distance([0.0, 0.0], [0.5, 0.0]), 6)
    1.0
    """

    def __init__(
        self,
        model: AnyModel,
        y: Any = None,
        alpha: float = 1.0,
        *,
        loss: str = "squared",
        weights: Any = None,
        loss_parameter: Optional[float] = None,
    ) -> None:
        self._model = as_model(model)
        self._y = y
        self._alpha = number("alpha", alpha, "a finite number above 0", above=0.0)
        self._loss = (loss, weights, loss_parameter)
        self._known: Optional[_core.Manifold] = None
        self._parameters = 0

    def _ask(
        self, question: str, w: Array, *vectors: Array, tolerance: Optional[float] = None, samples: int = 1
    ) -> Dict[str, Any]:
        """The answer of the compiled module; the first point tells the number of outputs."""
        if self._known is None:
            map_ = self._model._map_at("w", w)
            name, weights, parameter = self._loss
            classes = self._model.outputs_of_a_sample if isinstance(self._model, Network) else 1
            loss = loss_of(name, self._y, map_.outputs, weights, parameter, classes)
            self._known, self._parameters = _core.Manifold(map_, loss, self._alpha), w.size
        vector("w", w, self._parameters)
        within = (self._tolerance(tolerance), count("samples", samples, 1))
        return self._known.ask(question, w, list(vectors), within)

    def _tolerance(self, tolerance: Optional[float]) -> float:
        """What geodesics are asked for: no more than the model's second derivatives are good for."""
        if tolerance is not None:
            return number("tolerance", tolerance)
        if isinstance(self._model, Network):
            return 1e-10
        return 1e-6 if self._model.jac is None else 1e-8

    def point(self, w: Any) -> Array:
        """The point ``alpha f(w)``, shape (n,)."""
        w = vector("w", w)
        return self._ask("gradient", w)["output"]  # type: ignore[no-any-return]

    def gradient(self, w: Any) -> Array:
        """The Riemannian gradient of the loss, shape (n,): the part of its gradient that is tangent to M."""
        w = vector("w", w)
        return self._ask("gradient", w)["gradient"]  # type: ignore[no-any-return]

    def normal_gradient(self, w: Any) -> Array:
        """The part of the loss's gradient that is normal to M, shape (n,)."""
        w = vector("w", w)
        return self._ask("gradient", w)["normal_gradient"]  # type: ignore[no-any-return]

    def tangent_basis(self, w: Any) -> Array:
        """An orthonormal basis of the tangent space, shape (n, p)."""
        w = vector("w", w)
        return self._ask("basis", w)["basis"]  # type: ignore[no-any-return]

    def hessian(self, w: Any) -> Array:
        """The Riemannian Hessian of the loss in the basis of `tangent_basis`, shape (p, p)."""
        w = vector("w", w)
        return self._ask("hessian", w)["hessian"]  # type: ignore[no-any-return]

    def hessian_extremes(self, w: Any) -> HessianExtremes:
        """The extreme eigenvalues of the Riemannian Hessian."""
        w = vector("w", w)
        return HessianExtremes(**self._ask("hessian-extremes", w))

    def second_fundamental_form(self, w: Any, a: Any, b: Any) -> Array:
        """II(a, b), shape (n,): how M bends in two directions given by parameters (p,)."""
        w = vector("w", w)
        a, b = vector("a", a, w.size), vector("b", b, w.size)
        return self._ask("second-form", w, a, b)["second_form"]  # type: ignore[no-any-return]

    def curvature(self, w: Any, a: Any, b: Any) -> float:
        """The sectional curvature of M in the plane of two directions given by parameters (p,)."""
        return self.sectional_curvature(w, a, b)

    def sectional_curvature(self, w: Any, a: Any, b: Any) -> float:
        """The sectional curvature of M in the plane of two directions given by parameters (p,)."""
        w = vector("w", w)
        a, b = vector("a", a, w.size), vector("b", b, w.size)
        return float(self._ask("sectional-curvature", w, a, b)["curvature"])

    def largest_normal_curvature(self, w: Any) -> NormalCurvature:
        """The largest length of II(u, u) over unit tangent vectors u that a search finds."""
        w = vector("w", w)
        return NormalCurvature(**self._ask("normal-curvature", w))

    def exp(self, w: Any, v: Any, *, tolerance: Optional[float] = None, samples: int = 16) -> Geodesic:
        """The geodesic from w with the initial velocity of parameters v (p,), over unit time."""
        return self._geodesic(w, v, [], tolerance, samples)

    def transport(self, w: Any, v: Any, vectors: Any, *, tolerance: Optional[float] = None) -> Array:
        """Tangent vectors, a row of parameters each, transported in parallel along the geodesic of `exp`, shape (k, p)."""
        p = vector("w", w).size
        rows = [vector("vectors", row, p) for row in np.atleast_2d(real("vectors", vectors))]
        curve = self._geodesic(w, v, rows, tolerance, 1)
        if not curve.complete:
            raise RuntimeError(f"the geodesic ended at {curve.fractions[-1]:.6f} of its length: {curve.end}")
        return curve.transported

    def _geodesic(self, w: Any, v: Any, vectors: List[Array], tolerance: Optional[float], samples: int) -> Geodesic:
        w = vector("w", w)
        v = vector("v", v, w.size)
        found = self._ask("geodesic", w, v, *vectors, tolerance=tolerance, samples=samples)
        found["complete"] = bool(found["complete"])
        return Geodesic(**found)

    def log(self, w: Any, target: Any, *, tolerance: Optional[float] = None) -> Logarithm:
        """The initial velocity of the geodesic from w to the point of parameters `target` (p,)."""
        w = vector("w", w)
        return Logarithm(**self._ask("logarithm", w, vector("target", target, w.size), tolerance=tolerance))

    def distance(self, w: Any, target: Any, *, tolerance: Optional[float] = None) -> float:
        """The geodesic distance between two points given by parameters (p,)."""
        if np.array_equal(vector("w", w), vector("target", target)):
            return 0.0
        return self.log(w, target, tolerance=tolerance).distance
