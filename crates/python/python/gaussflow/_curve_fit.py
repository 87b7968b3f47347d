"""`curve_fit` with the call of SciPy."""

from __future__ import annotations

import inspect
import sys
import warnings
from typing import Any, Callable, Dict, Literal, Optional, Tuple, Union, overload

import numpy as np
import numpy.typing as npt

from ._arrays import Array, finite, function, real, returned, vector
from ._least_squares import Fit, bounds_of, least_squares


@overload
def curve_fit(
    f: Callable[..., Any],
    xdata: Any,
    ydata: npt.ArrayLike,
    p0: Optional[npt.ArrayLike] = None,
    sigma: Optional[npt.ArrayLike] = None,
    absolute_sigma: bool = False,
    check_finite: Optional[bool] = None,
    bounds: Any = ...,
    method: Optional[str] = None,
    jac: Union[str, Callable[..., Any], None] = None,
    *,
    full_output: Literal[False] = False,
    nan_policy: Optional[str] = None,
    **kwargs: Any,
) -> Tuple[Array, Array]: ...
@overload
def curve_fit(
    f: Callable[..., Any],
    xdata: Any,
    ydata: npt.ArrayLike,
    p0: Optional[npt.ArrayLike] = None,
    sigma: Optional[npt.ArrayLike] = None,
    absolute_sigma: bool = False,
    check_finite: Optional[bool] = None,
    bounds: Any = ...,
    method: Optional[str] = None,
    jac: Union[str, Callable[..., Any], None] = None,
    *,
    full_output: Literal[True],
    nan_policy: Optional[str] = None,
    **kwargs: Any,
) -> Tuple[Array, Array, Dict[str, Any], str, int]: ...
def curve_fit(
    f: Callable[..., Any],
    xdata: Any,
    ydata: Any,
    p0: Any = None,
    sigma: Any = None,
    absolute_sigma: bool = False,
    check_finite: Optional[bool] = None,
    bounds: Any = (-np.inf, np.inf),
    method: Optional[str] = None,
    jac: Union[str, Callable[..., Any], None] = None,
    *,
    full_output: bool = False,
    nan_policy: Optional[str] = None,
    **kwargs: Any,
) -> Any:
    """Fit ``f(xdata, a, b, ...)`` to `ydata`, with the call of ``scipy.optimize.curve_fit``.

    Parameters
    ----------
    f : callable
        ``f(xdata, *parameters)`` returns what `ydata` is compared with.
    xdata : object
        Handed on to `f`; arrays and lists as an array of float64.
    ydata : array_like
        The observations.
    p0 : array_like, optional
        Where to start; default 1 for each parameter of `f`, or within finite bounds.
    sigma : array_like, optional
        Deviations of the observations (n,), or their covariance matrix (n, n).
    absolute_sigma : bool
        Whether `sigma` is taken as it is; otherwise only its ratios count, and the residuals tell its size.
    check_finite : bool, optional
        Whether NaN and infinity in the data are refused; default True, unless `nan_policy` says what to do with them.
    bounds, method, jac, **kwargs
        As of `least_squares`; ``jac(xdata, *parameters)``.
    full_output : bool
        Whether to return information beside the two arrays.
    nan_policy : {None, "raise", "omit"}
        What to do with observations that are NaN.

    Returns
    -------
    popt : ndarray, shape (p,)
        The parameters.
    pcov : ndarray, shape (p, p)
        Their covariance; infinite with a warning where the data do not determine them. With a robust `loss` it is SciPy's
        estimate; the fit's own, a sandwich estimate that outliers disturb less, is ``infodict["fit"].covariance``.
    infodict, mesg, ier
        With `full_output`: a dictionary with nfev, fvec and fit, the message, and the fit's `status`, positive where it
        converged. Residuals whose noise ends a fit near its minimum are no failure: `ier` is then -1.

    Raises
    ------
    RuntimeError
        Where the fit does not converge.

    Examples
    --------
    >>> import numpy as np, gaussflow as gf
    >>> x = np.linspace(0, 4, 9)
    >>> popt, pcov = gf.curve_fit(lambda x, a, b: a * np.exp(-b * x), x, 2.5 * np.exp(-1.3 * x))
    >>> popt.round(10)
    array([2.5, 1.3])
    """
    function("f", f)
    if "args" in kwargs:
        raise ValueError("'args' is not a supported keyword argument.")
    if p0 is None:
        p0 = _default_start(f, bounds)
    start = vector("p0", np.atleast_1d(real("p0", p0)))
    x, y = _data(xdata, ydata, check_finite, nan_policy)
    keep: Any = slice(None)
    if nan_policy == "omit":
        missing = np.isnan(y)
        if isinstance(x, np.ndarray) and x.dtype.kind == "f":
            if x.shape[-1:] != y.shape:
                raise ValueError(f"xdata has shape {x.shape} and ydata {y.shape}; expected the same length")
            missing |= np.isnan(x).any(axis=tuple(range(x.ndim - 1)))
            x = x[..., ~missing]
        keep, y = ~missing, y[~missing]
    if y.size == 0:
        raise ValueError("`ydata` must not be empty!")
    if method in (None, "lm") and 1 < y.size < start.size and bounds_of(bounds, start.size)[0] is None:
        raise TypeError(
            f"The number of func parameters={start.size} must not exceed the number of data points={y.size}"
        )
    whiten = _whitening(sigma, y.size, keep)

    def residuals(parameters: Array) -> Any:
        values = real("what f returned", f(x, *parameters))
        if values.shape not in (y.shape, ()) and y.shape != (1,):
            raise ValueError(f"f returned an array of shape {values.shape} and ydata has {y.shape}; expected the same")
        rows = whiten(values - y)
        return rows.astype(values.dtype) if values.dtype in (np.float16, np.float32) else rows

    slopes: Union[str, Callable[..., Any], None] = jac
    if callable(jac):
        given = jac
        slopes = lambda parameters: whiten(returned("jac", given(x, *parameters), 2))  # noqa: E731
    kwargs.setdefault("max_nfev", kwargs.pop("maxfev", None))
    ignored = [name for name in ("epsfcn", "factor", "diag", "col_deriv") if kwargs.pop(name, None) is not None]
    fit = least_squares(residuals, start, slopes, bounds, method, **kwargs)
    fit["notes"] += [f"{name} has no effect" for name in ignored]
    if not fit.success and fit.stop != "noise":
        raise RuntimeError(f"Optimal parameters not found: {fit.message}")
    lower, upper = bounds_of(bounds, start.size)
    fixed = np.zeros(start.size, dtype=bool) if lower is None or upper is None else lower == upper
    covariance, determined = _parameter_covariance(fit, fit.fun.size, absolute_sigma, fixed)
    if not determined:
        warnings.warn("Covariance of the parameters could not be estimated", _optimize_warning(), stacklevel=2)
    if full_output:
        info = {"nfev": fit.nfev, "fvec": fit.fun, "fit": fit}
        return fit.x, covariance, info, fit.message, fit.status
    return fit.x, covariance


def _default_start(f: Callable[..., Any], bounds: Any) -> Array:
    """1 for each parameter of f, or a point within the bounds."""
    try:
        parameters = [
            each
            for each in inspect.signature(f).parameters.values()
            if each.kind in (each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD)
        ]
    except (TypeError, ValueError) as error:
        raise ValueError("Unable to determine number of fit parameters: give p0") from error
    p = len(parameters) - 1
    if p < 1:
        raise ValueError("Unable to determine number of fit parameters: give p0")
    lower, upper = bounds_of(bounds, p)
    start = np.ones(p)
    if lower is not None and upper is not None:
        below, above = np.isfinite(lower), np.isfinite(upper)
        start[below & above] = 0.5 * (lower + upper)[below & above]
        start[below & ~above] = lower[below & ~above] + 1.0
        start[~below & above] = upper[~below & above] - 1.0
    return start


def _data(xdata: Any, ydata: Any, check_finite: Optional[bool], nan_policy: Optional[str]) -> Tuple[Any, Array]:
    """The data as arrays of float64, where they are arrays."""
    if nan_policy == "propagate":
        raise ValueError("`nan_policy='propagate'` is not supported by this function.")
    if nan_policy not in (None, "raise", "omit"):
        raise ValueError(f"nan_policy is {nan_policy!r}; nan_policy must be one of {{None, 'raise', 'omit'}}")
    if check_finite is None:
        check_finite = nan_policy is None
    if isinstance(xdata, (list, tuple, np.ndarray)):
        xdata = real("xdata", xdata).astype(float)
    y = real("ydata", ydata).astype(float).ravel()
    if nan_policy == "raise" and any(np.isnan(each).any() for each in (xdata, y) if isinstance(each, np.ndarray)):
        raise ValueError("The input contains nan values")
    if check_finite:
        finite("ydata", y)
        if isinstance(xdata, np.ndarray):
            finite("xdata", xdata)
    return xdata, y


def _whitening(sigma: Any, n: int, keep: Any) -> Callable[[npt.NDArray[Any]], npt.NDArray[Any]]:
    """What residuals, and rows of the Jacobian, are multiplied by."""
    if sigma is None:
        return lambda rows: rows
    deviations = real("sigma", sigma).astype(float)
    kept = keep.size if isinstance(keep, np.ndarray) else n
    if deviations.size == 1 and deviations.ndim < 2:
        deviations = np.full(kept, float(deviations.ravel()[0]))
    if deviations.shape not in ((kept,), (kept, kept)):
        raise ValueError(f"`sigma` has incorrect shape: {deviations.shape}; expected ({kept},) or ({kept}, {kept})")
    deviations = deviations[keep]
    if deviations.ndim == 1:
        if not (deviations > 0).all():  # Infinity leaves an observation out, as in SciPy.
            raise ValueError("sigma has an entry that is not a number above 0")
        return lambda rows: (rows.T / deviations).T
    try:
        inverse = np.linalg.inv(np.linalg.cholesky(deviations[:, keep]))
    except np.linalg.LinAlgError as error:
        raise ValueError("`sigma` must be positive definite.") from error
    return lambda rows: inverse @ rows


def _parameter_covariance(fit: Fit, n: int, absolute_sigma: bool, fixed: npt.NDArray[np.bool_]) -> Tuple[Array, bool]:
    """The covariance, 0 for parameters that equal bounds fix, and whether the data determine every other one."""
    p, free = fit.x.size, np.flatnonzero(~fixed)
    held = int(np.count_nonzero(fit.active_mask[free]))
    unknown = np.full((p, p), np.inf)
    if fit.rank + held < free.size or (not absolute_sigma and n <= free.size):
        return unknown, False
    jac = fit.jac[:, free]
    scales = np.linalg.norm(jac, axis=0)
    if not (scales > 0).all():
        return unknown, False
    _, sizes, right = np.linalg.svd(jac / scales, full_matrices=False)
    root = (right.T / sizes) / scales[:, None]
    covariance = np.zeros((p, p))
    covariance[np.ix_(free, free)] = root @ root.T
    if not absolute_sigma:
        covariance *= 2.0 * fit.cost / (n - free.size)
    return covariance, True


def _optimize_warning() -> Any:
    """SciPy's category, for programs that use SciPy."""
    return getattr(sys.modules.get("scipy.optimize"), "OptimizeWarning", RuntimeWarning)
