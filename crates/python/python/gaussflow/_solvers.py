"""Damped least squares, extreme singular values and trust-region steps for a matrix."""

from __future__ import annotations

from typing import Any, NamedTuple, Optional, Tuple

import numpy as np

from . import _core
from ._arrays import Array, matrix, number, shown, vector, word


class DampedSolution(NamedTuple):
    """The solution of a damped system, and how it was found."""

    #: v, shape (p,).
    x: Array
    #: The kernel that solved it.
    solver: str
    #: Numerical rank of A.
    rank: int
    #: The norm of the defect of the damped normal equations.
    residual: float
    #: The normwise backward error.
    backward_error: float
    #: An estimate of the condition of what was factored.
    condition: float
    #: Refinements or iterations.
    iterations: int


def damped_lstsq(
    A: Any,
    b: Any,
    rho: float = 0.0,
    *,
    solver: str = "auto",
    rank_cutoff: float = 1e-14,
    tolerance: float = 1e-12,
) -> DampedSolution:
    r"""Solve :math:`((1-\rho) A^T A + \rho I) v = A^T b`.

    Parameters
    ----------
    A : array_like, shape (n, p)
        The matrix.
    b : array_like, shape (n,)
        The right-hand side.
    rho : float
        Damping from 0, plain least squares, to 1, which leaves ``A.T @ b``.
    solver : str
        "auto", "primal-cholesky", "dual-cholesky", "householder-qr", "thin-svd", "conjugate-gradients", "lsmr" or
        "amortized-cholesky".
    rank_cutoff : float
        Ratio of singular values below which "householder-qr" refuses and "thin-svd" truncates.
    tolerance : float
        Relative residual down to which a solution is refined or iterated.

    Returns
    -------
    DampedSolution

    Raises
    ------
    RuntimeError
        Where the system has no answer, as without damping at lost rank.

    Examples
    --------
    >>> import gaussflow as gf
    >>> gf.damped_lstsq([[1, 1], [1, 2], [1, 3]], [3, 5, 7]).x.round(12)
    array([1., 2.])
    """
    left = matrix("A", A)
    right = vector("b", b, left.shape[0])
    said = {
        "damping": number("rho", rho, "a number from 0 to 1"),
        "solver": word("solver", solver),
        "rank_cutoff": number("rank_cutoff", rank_cutoff),
        "tolerance": number("tolerance", tolerance),
    }
    x, told = _core.damped_solve(left, right, said)
    return DampedSolution(x=x, **told)


def extreme_singular_values(A: Any) -> Tuple[float, float]:
    """The smallest and the largest of the min(n, p) singular values of a matrix.

    Parameters
    ----------
    A : array_like, shape (n, p)

    Returns
    -------
    (smallest, largest) : tuple of float

    Examples
    --------
    >>> import gaussflow as gf
    >>> gf.extreme_singular_values([[3, 0], [0, 4], [0, 0]])
    (3.0, 4.0)
    """
    return _core.extreme_singular_values(matrix("A", A))


class SecularStep(NamedTuple):
    """A step of a trust region."""

    #: d, shape (p,).
    step: Array
    #: lambda: 0 where the undamped step lies within the region.
    damping: float


def secular_step(
    A: Any,
    b: Any,
    radius: Optional[float] = None,
    *,
    damping: Optional[float] = None,
    scales: Any = None,
) -> SecularStep:
    r"""Minimize :math:`|b + A d|` over the steps d with :math:`|D d|` at most the radius.

    The step is :math:`d = -(A^T A + \lambda D^2)^{-1} A^T b`, with lambda so that :math:`|D d|` is within a tenth of the
    radius.

    Parameters
    ----------
    A : array_like, shape (n, p)
        The matrix.
    b : array_like, shape (n,)
        The residuals.
    radius : float
        The radius of the region.
    damping : float, optional
        lambda itself, in place of a radius.
    scales : array_like, shape (p,), optional
        The diagonal of D; default ones.

    Returns
    -------
    SecularStep

    Examples
    --------
    >>> import gaussflow as gf
    >>> gf.secular_step([[1, 0], [0, 1]], [-3.0, -4.0], damping=1.0).step
    array([1.5, 2. ])
    """
    left = matrix("A", A)
    right = vector("b", b, left.shape[0])
    sizes = np.ones(left.shape[1]) if scales is None else vector("scales", scales, left.shape[1])
    if not (sizes > 0).all():
        raise ValueError("scales has an entry that is not above 0; expected numbers above 0")
    if (radius is None) == (damping is None):
        raise ValueError(f"radius is {shown(radius)} and damping is {shown(damping)}; accepted: one of them")
    size = 1.0 if radius is None else number("radius", radius, "a finite number above 0", above=0.0)
    at = None if damping is None else number("damping", damping, "a finite number, at least 0", above=-1e-300)
    step, found = _core.secular_step(left, right, sizes, size, at)
    return SecularStep(step, found)
