"""Fits: `least_squares` and `curve_fit` with the calls of SciPy, by Levenberg-Marquardt with a trust region."""

from __future__ import annotations

import inspect
import sys
import warnings
from typing import Any, Callable, Dict, List, Optional, Tuple, Union

import numpy as np
import numpy.typing as npt

from . import _core
from ._arrays import Array, count, finite, function, number, real, returned, shown, truth, vector, word
from ._callable_loss import CallableLoss
from ._html import table
from ._interrupted import Interrupted
from ._models import Model, Network

#: Losses by SciPy's names, with ours.
_LOSSES = {
    "linear": "squares",
    "soft_l1": "soft-l1",
    "huber": "huber",
    "cauchy": "cauchy",
    "arctan": "arctan",
}


class Fit(Dict[str, Any]):
    """The result of a fit: a dictionary whose keys are attributes too, as SciPy's ``OptimizeResult``.

    Attributes
    ----------
    x : ndarray, shape (p,)
        The parameters.
    cost : float
        Half of the sum of squares, or of the robust loss.
    fun : ndarray, shape (n,)
        The residuals.
    jac : ndarray, shape (n, p)
        The Jacobian; for a robust loss with rows scaled so that ``jac.T @ jac`` approximates the Hessian of the cost.
    grad : ndarray, shape (p,)
        The gradient of the cost.
    optimality : float
        The largest entry of the gradient over parameters that no bound holds.
    cosine : float
        The cosine between the residuals and the tangent space: what `gtol` bounds.
    active_mask : ndarray of int, shape (p,)
        -1 where the lower bound holds a parameter, 1 where the upper one does, else 0.
    nfev, njev, nit : int
        Evaluations of the residuals (those of differences not counted), of Jacobians, and steps taken.
    status : int
        1 stationary, 2 the cost no longer falls, 3 steps are negligible, 0 a limit was reached, -1 no progress or no
        value, -2 the callback stopped it.
    stop : str
        Why it ended, in one word.
    success : bool
        Whether `status` is positive.
    message, summary : str
        Why it ended, in a sentence, and a screen with everything (its "loss" is twice the cost).
    remark : str
        What the data do not determine and what to do about it; empty at full rank.
    covariance : ndarray, shape (p, p), or None
        ``2 cost / (n - rank) (J^T J)^-1``; for a robust loss the sandwich estimate. None where it is too large to keep.
    stderr : ndarray, shape (p,)
        Standard deviations: infinite where the data do not determine a parameter, 0 where a bound holds it.
    rank : int
        The numerical rank of the Jacobian over the parameters that no bound holds.
    null_directions : ndarray, shape (k, p)
        Unit vectors, one a row and not orthogonal to each other, in whose directions the residuals do not change to first
        order.
    history : dict
        One entry a trial point: iteration, kind, verdict, cost, damping, radius, step_norm, gain_ratio, cosine.
    notes : list of str
        Arguments that were taken for SciPy's sake and have no effect here.
    """

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"a fit has no {name!r}; it has {', '.join(self)}") from None

    def __dir__(self) -> List[str]:
        return list(self)

    def __repr__(self) -> str:
        return str(self.get("summary", dict.__repr__(self)))

    def _repr_html_(self) -> str:
        names = self["names"]
        held = {-1: "at its lower bound", 1: "at its upper bound"}
        rows = []
        for k, name in enumerate(names):
            side, deviation = int(self["active_mask"][k]), float(self["stderr"][k])
            said = held.get(side, "not determined" if np.isinf(deviation) else deviation)
            rows.append((name, float(self["x"][k]), said))
        note = f"cost {self['cost']:.6g}, rank {self['rank']}, {self['nfev']} evaluations, {self['njev']} Jacobians. {self['remark']}"
        return table(self["message"], ["parameter", "value", "deviation"], rows, note)


class Trial(Dict[str, Any]):
    """A trial point that a callback sees: x, cost, iteration, kind, verdict, gain_ratio, damping, step_norm, cosine."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"a trial has no {name!r}; it has {', '.join(self)}") from None


def least_squares(
    fun: Union[Callable[..., Any], Model, Network],
    x0: Any,
    jac: Union[str, Callable[..., Any], None] = None,
    bounds: Any = (-np.inf, np.inf),
    method: Optional[str] = None,
    ftol: Optional[float] = 1e-15,
    xtol: Optional[float] = 1e-12,
    gtol: Optional[float] = 1e-8,
    x_scale: Any = None,
    loss: Union[str, Callable[[Array], Any]] = "linear",
    f_scale: float = 1.0,
    diff_step: Any = None,
    tr_solver: Any = None,
    tr_options: Any = None,
    jac_sparsity: Any = None,
    max_nfev: Optional[int] = None,
    verbose: int = 0,
    args: Tuple[Any, ...] = (),
    kwargs: Optional[Dict[str, Any]] = None,
    callback: Optional[Callable[[Trial], Any]] = None,
    workers: Any = None,
    *,
    names: Optional[List[str]] = None,
    acceleration: str = "geodesic",
    rank_cutoff: float = 1e-12,
) -> Fit:
    r"""Minimize half the sum of squares of ``fun(x)``, within bounds and by a robust loss if wanted.

    The call is that of ``scipy.optimize.least_squares``. The method is Levenberg-Marquardt in a trust region with
    geodesic acceleration, whatever `method` says; more is said of the uncertainty, and of what the data do not determine.

    Parameters
    ----------
    fun : callable, Network or Model
        ``fun(x, *args, **kwargs)`` returns the n residuals.
    x0 : array_like, shape (p,)
        Where to start.
    jac : callable or str, optional
        ``jac(x, *args, **kwargs)`` returns the Jacobian (n, p), dense or sparse. Without it, or with SciPy's "2-point",
        "3-point" and "cs", differences are taken: to one side far from a minimum, central near it.
    bounds : pair of array_like, or object with ``lb`` and ``ub``
        Lower and upper bounds, each a number or one for each parameter. Equal bounds fix a parameter.
    ftol, xtol, gtol : float, optional
        Bounds on the relative decrease of the cost, on the relative change of every parameter by an undamped step, and on
        the cosine between the residuals and the tangent space. The defaults end where nothing more is to be gained; SciPy's 1e-8 ends
        sooner. None takes a test away.
    x_scale : array_like, optional
        The change of each parameter over which the residuals change their course, for steps of differences. Default, and "jac": the
        size of the parameter. The trust region scales itself.
    loss : {"linear", "huber", "soft_l1", "cauchy", "arctan"} or callable
        How residuals are measured, with the scale `f_scale`. ``loss(z)`` returns rho, rho' and rho'' as an array (3, n);
        rho(0) is 0 and rho nowhere negative.
    max_nfev : int, optional
        Most evaluations of the residuals, those of differences not counted; default 2000.
    verbose : int
        Whether to print the summary at the end.
    args, kwargs : tuple, dict
        Further arguments of `fun` and `jac`.
    callback : callable, optional
        ``callback(trial)`` after each trial point; a true value or ``StopIteration`` ends the fit. A function whose one
        parameter is called ``intermediate_result`` is called after each step that was taken, as SciPy does.
    names : list of str, optional
        Names of the parameters, for the summary.
    acceleration : {"geodesic", "exact", "none"}
        Use of second derivatives along a step: by trial points, by the model's own, or none.
    rank_cutoff : float
        Singular values of the scaled Jacobian up to this multiple of the largest count as lost rank.
    method, diff_step, tr_solver, tr_options, jac_sparsity, workers
        Taken for the sake of code that is written for SciPy; without effect, which `Fit.notes` says.

    Returns
    -------
    Fit

    Raises
    ------
    ValueError
        Where an argument is not accepted, or `fun` is undefined at `x0`.
    Interrupted
        On Ctrl-C; its ``result`` holds the best parameters so far.

    Examples
    --------
    >>> import numpy as np, gaussflow as gf
    >>> t = np.array([0.0, 1.0, 2.0, 3.0])
    >>> y = np.array([5.1, 3.1, 1.7, 1.2])
    >>> fit = gf.least_squares(lambda x: x[0] * np.exp(-x[1] * t) - y, [1.0, 1.0])
    >>> fit.x.round(4), fit.success
    (array([5.1021, 0.5126]), True)
    >>> fit.stderr.round(3)
    array([0.117, 0.025])
    """
    notes = []
    if method is not None:
        if method not in ("trf", "dogbox", "lm"):
            raise ValueError(
                f'method is {shown(method)}; accepted: "trf", "dogbox", "lm", all of which mean the one method here'
            )
        notes.append(f"method={method!r} has no effect: there is one method")
    unused = {"diff_step": diff_step, "tr_solver": tr_solver, "jac_sparsity": jac_sparsity}
    unused.update(tr_options=tr_options or None, workers=workers)
    notes.extend(f"{name} has no effect" for name, value in unused.items() if value is not None)

    # The model, called once at the start, which tells the number of residuals.
    start = vector("x0", np.atleast_1d(real("x0", x0)))
    args = tuple(args) if isinstance(args, (tuple, list)) else (args,)
    kwargs = _keywords(kwargs)
    if isinstance(fun, (Network, Model)):
        given = {"jac": jac, "args": args or None, "kwargs": kwargs or None, "x_scale": x_scale}
        for name, value in given.items():
            if value is not None:
                raise ValueError(f"{name} is {shown(value)} with a {type(fun).__name__} as fun; accepted: None")
    scale = number("f_scale", f_scale, "a finite number above 0", above=0.0)
    robust = None
    if callable(loss):
        robust, loss = CallableLoss(fun, jac, loss, scale), "linear"
        fun, jac = robust.residuals, robust.jacobian if callable(jac) else jac
        notes.append("covariance and stderr are those of the transformed residuals: loss is a function")
    try:
        map_ = _map(fun, jac, start, args, kwargs, _scales(x_scale, start.size))
    except KeyboardInterrupt as error:
        raise Interrupted(_INTERRUPTED, _unbegun(start)) from error

    lower, upper = _bounds(bounds, start.size)
    if lower is not None and upper is not None and (lower <= upper).all():
        outside = np.flatnonzero((start < lower) | (start > upper))
        if outside.size:
            k = int(outside[0])
            raise ValueError(
                "Initial guess is outside of provided bounds: "
                f"parameter {k} starts at {start[k]:g}, outside [{lower[k]:g}, {upper[k]:g}]"
            )
    if not isinstance(loss, str) or loss not in _LOSSES:
        known = ", ".join(repr(name) for name in _LOSSES)
        raise ValueError(f"loss is {shown(loss)}; accepted: {known}")
    tolerances = {"ftol": ftol, "xtol": xtol, "gtol": gtol}
    if all(tolerance is None for tolerance in tolerances.values()):
        raise ValueError("ftol, xtol and gtol are all None; accepted: at most two of them")
    checked = {
        name: 0.0 if value is None else number(name, value, "a number from 0 to below 1, or None")
        for name, value in tolerances.items()
    }
    request = {
        "start": start,
        "lower": lower,
        "upper": upper,
        "names": _names(names),
        "loss": _LOSSES[loss],
        "scale": scale,
        "gradient_tolerance": checked["gtol"],
        "step_tolerance": checked["xtol"],
        "loss_tolerance": checked["ftol"],
        "max_evaluations": 2000 if max_nfev is None else count("max_nfev", max_nfev, 1),
        "max_iterations": 2**31,
        "rank_cutoff": number("rank_cutoff", rank_cutoff),
        "acceleration": word("acceleration", acceleration),
        "callback": None if callback is None else _told(callback),
    }
    found, raised = _core.fit(map_, request)
    if found is None:
        if isinstance(raised, KeyboardInterrupt):
            raise Interrupted(_INTERRUPTED, _unbegun(start)) from raised
        assert raised is not None
        raise raised
    fit = Fit(found)
    if robust is not None:
        robust.restore(fit, args, kwargs)
    free = fit["active_mask"] == 0
    fit["optimality"] = float(np.max(np.abs(fit["grad"][free]), initial=0.0))
    fit["notes"] = notes
    if isinstance(raised, KeyboardInterrupt):
        raise Interrupted(_INTERRUPTED, fit) from raised
    if raised is not None:
        raise raised
    if verbose:
        print(fit)
    return fit


_INTERRUPTED = "the fit was interrupted; what there was is in the exception's result"


def _unbegun(start: Array) -> Fit:
    """The fit that was interrupted before its first Jacobian."""
    message = "interrupted before the first Jacobian"
    return Fit(x=start.copy(), success=False, status=-2, stop="interrupted", message=message, summary=message)


def _keywords(kwargs: Any) -> Dict[str, Any]:
    """The keyword arguments of a user's function."""
    if kwargs is None:
        return {}
    if not isinstance(kwargs, dict) or not all(isinstance(name, str) for name in kwargs):
        raise ValueError(f"kwargs is {shown(kwargs)}; accepted: a dictionary with names as keys")
    return kwargs


def _names(names: Any) -> Optional[List[str]]:
    """Names of the parameters."""
    if names is None:
        return None
    if isinstance(names, str) or not hasattr(names, "__iter__"):
        raise ValueError(f"names is {shown(names)}; accepted: a list of strings")
    return [word("names", name) for name in names]


def _map(
    fun: Union[Callable[..., Any], Model, Network],
    jac: Union[str, Callable[..., Any], None],
    start: Array,
    args: Tuple[Any, ...],
    kwargs: Dict[str, Any],
    scales: Optional[List[float]],
) -> _core.Map:
    """The map of a fit from `start`."""
    if isinstance(fun, (Network, Model)):
        return fun._map_at("x0", start)
    function("fun", fun)
    if isinstance(jac, str):
        if jac not in ("2-point", "3-point", "cs"):
            raise ValueError(f'jac is {shown(jac)}; accepted: a function, "2-point", "3-point", "cs", None')
        jac = None
    if jac is not None:
        function("jac", jac)

    def bound(called: Callable[..., Any]) -> Callable[[Array], Any]:
        return (lambda x: called(x, *args, **kwargs)) if args or kwargs else called

    first = bound(fun)(start.copy())
    value = returned("fun", first, 1)
    if jac is None and getattr(first, "dtype", None) in (np.float16, np.float32):
        # Differences must rise above the rounding of what fun returns.
        coarse = float(np.cbrt(np.finfo(first.dtype).eps / np.finfo(float).eps))
        sizes = np.where(start != 0.0, np.abs(start), 1.0) if scales is None else scales
        scales = [coarse * float(size) for size in sizes]
    if value.size == 0:
        raise ValueError(f"fun returned an array of shape {value.shape}; expected at least one residual")
    derivative = None if jac is None else bound(jac)
    return _core.Map.callable(bound(fun), derivative, returned, (start, value), scales)


def _scales(x_scale: Any, p: int) -> Optional[List[float]]:
    """The scales of difference steps."""
    if x_scale is None or (isinstance(x_scale, str) and x_scale == "jac"):
        return None
    if isinstance(x_scale, str):
        raise ValueError(f'x_scale is {shown(x_scale)}; accepted: "jac", or one number above 0 for each parameter')
    scales = real("x_scale", x_scale)
    if scales.ndim == 0 and scales == 1.0:  # SciPy's default.
        return None
    scales = vector("x_scale", np.broadcast_to(scales, (p,)) if scales.ndim == 0 else scales, p)
    if not (scales > 0).all():
        raise ValueError(f"x_scale is {shown(x_scale)}; accepted: numbers above 0")
    return list(scales)


def _bounds(bounds: Any, p: int) -> Tuple[Optional[Array], Optional[Array]]:
    """Lower and upper bounds of p parameters; None where there are none."""
    if bounds is None:
        return None, None
    if hasattr(bounds, "lb") and hasattr(bounds, "ub"):
        pair = [bounds.lb, bounds.ub]
    else:
        try:
            pair = list(bounds)
        except TypeError as error:
            raise ValueError(f"bounds is {shown(bounds)}; accepted: a pair of lower and upper bounds") from error
        if len(pair) != 2:
            raise ValueError(f"bounds holds {len(pair)} items; accepted: a pair of lower and upper bounds")
    found = []
    for name, side in zip(("the lower bounds", "the upper bounds"), pair):
        array = real(name, side).astype(float)
        if array.ndim == 0:
            array = np.full(p, float(array))
        if array.shape != (p,):
            raise ValueError(f"{name} have shape {array.shape}; expected a number or ({p},)")
        found.append(np.ascontiguousarray(array))
    lower, upper = found
    if (lower == -np.inf).all() and (upper == np.inf).all():
        return None, None
    return lower, upper


def _told(callback: Callable[..., Any]) -> Callable[[Dict[str, Any]], bool]:
    """The callback as the compiled module calls it: true ends the fit."""
    function("callback", callback)
    try:
        by_name = list(inspect.signature(callback).parameters) == ["intermediate_result"]
    except (TypeError, ValueError):
        by_name = False

    def told(info: Dict[str, Any]) -> bool:
        trial = Trial(info)
        if by_name and (trial.kind == "start" or trial.verdict != "accepted"):
            return False
        try:
            return truth("callback", callback(intermediate_result=trial) if by_name else callback(trial))
        except StopIteration:
            return True

    return told


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
        Their covariance; infinite with a warning where the data do not determine them.
    infodict, mesg, ier
        With `full_output`: a dictionary with nfev, fvec and fit, the message, and 1 to 4 for success.

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
    if method in (None, "lm") and 1 < y.size < start.size and _bounds(bounds, start.size)[0] is None:
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
    for name in ("epsfcn", "factor", "diag", "col_deriv"):  # of leastsq
        kwargs.pop(name, None)
    fit = least_squares(residuals, start, slopes, bounds, method, **kwargs)
    if not fit.success and fit.stop != "noise":
        raise RuntimeError(f"Optimal parameters not found: {fit.message}")
    covariance, determined = _parameter_covariance(fit, fit.fun.size, absolute_sigma)
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
    lower, upper = _bounds(bounds, p)
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
    if deviations.size != 1 and deviations.shape not in ((kept,), (kept, kept)):
        raise ValueError(f"`sigma` has incorrect shape: {deviations.shape}; expected ({kept},) or ({kept}, {kept})")
    if deviations.ndim == 2 and deviations.shape[0] == deviations.shape[1]:
        deviations = deviations[keep][:, keep]
    elif deviations.size == 1:
        deviations = np.full(n, float(deviations.ravel()[0]))
    elif deviations.ndim == 1:
        deviations = deviations[keep]
    if deviations.shape == (n,):
        if not (deviations > 0).all():  # Infinity leaves an observation out, as in SciPy.
            raise ValueError("sigma has an entry that is not a number above 0")
        return lambda rows: (rows.T / deviations).T
    if deviations.shape == (n, n):
        try:
            factor = np.linalg.cholesky(deviations)
        except np.linalg.LinAlgError as error:
            raise ValueError("`sigma` must be positive definite.") from error
        return lambda rows: np.linalg.solve(factor, rows)
    raise ValueError(f"`sigma` has incorrect shape: {deviations.shape}; expected ({n},) or ({n}, {n})")


def _parameter_covariance(fit: Fit, n: int, absolute_sigma: bool) -> Tuple[Array, bool]:
    """The covariance, and whether the data determine every parameter."""
    p = fit.x.size
    scales = np.linalg.norm(fit.jac, axis=0)
    unknown = np.full((p, p), np.inf)
    if not (scales > 0).all() or (not absolute_sigma and n <= p):
        return unknown, False
    _, sizes, right = np.linalg.svd(fit.jac / scales, full_matrices=False)
    # Differences know a column to about 1e-10.
    if sizes.size < p or sizes[-1] <= np.finfo(float).eps * max(fit.jac.shape) * sizes[0]:
        return unknown, False
    root = (right.T / sizes) / scales[:, None]
    covariance = root @ root.T
    if not absolute_sigma:
        covariance = covariance * (2.0 * fit.cost / (n - p))
    return covariance, True


def _optimize_warning() -> Any:
    """SciPy's category, for programs that use SciPy."""
    return getattr(sys.modules.get("scipy.optimize"), "OptimizeWarning", RuntimeWarning)
