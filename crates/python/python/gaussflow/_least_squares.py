"""Fits: `least_squares` with the call of SciPy, by Levenberg-Marquardt with a trust region."""

from __future__ import annotations

import inspect
from typing import Any, Callable, Dict, List, Optional, Tuple, Union

import numpy as np
import numpy.typing as npt

from . import _core
from ._arrays import Array, count, function, number, real, returned, shown, truth, vector, word
from ._callable_loss import CallableLoss
from ._html import table
from ._interrupted import Interrupted
from ._models import Model, Network
from ._records import Record

#: Losses by SciPy's names, with ours.
_LOSSES = {
    "linear": "squares",
    "soft_l1": "soft-l1",
    "huber": "huber",
    "cauchy": "cauchy",
    "arctan": "arctan",
}


class Fit(Record):
    """The result of a fit: a dictionary whose keys are attributes too, as SciPy's ``OptimizeResult``.

    Attributes
    ----------
    x : ndarray, shape (p,)
        The parameters.
    cost : float
        Half of the sum of squares, or of the robust loss.
    fun : ndarray, shape (n,)
        The residuals.
    jac : ndarray or sparse matrix, shape (n, p)
        The Jacobian, sparse by rows where `jac` returned a sparse one; for a robust loss with rows scaled so that ``jac.T @ jac`` approximates the Hessian of the cost.
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
        ``2 cost / (n - rank) (J^T J)^-1``; for a robust loss the sandwich estimate. Of parameters that the data do not
        determine the variance is infinite and covariances are NaN. None where it is too large to keep.
    residual_deviation : float
        The standard deviation of a residual, ``sqrt(2 cost / (n - rank))``.
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

    x: Array
    cost: float
    fun: Array
    jac: Array
    grad: Array
    optimality: float
    cosine: float
    active_mask: npt.NDArray[np.int64]
    nfev: int
    njev: int
    nit: int
    status: int
    stop: str
    success: bool
    message: str
    summary: str
    remark: str
    covariance: Optional[Array]
    stderr: Array
    residual_deviation: float
    rank: int
    null_directions: Array
    names: List[str]
    history: Dict[str, Any]
    notes: List[str]

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


class Trial(Record):
    """A trial point that a callback sees: x, cost, iteration, nit, kind, verdict, gain_ratio, damping, step_norm, cosine."""

    x: Array
    cost: float
    iteration: int
    nit: int
    kind: str
    verdict: str
    gain_ratio: float
    damping: float
    step_norm: float
    cosine: float


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
        Singular values of the scaled Jacobian up to this multiple of the largest count as lost rank; with differences that is
        at least four times their error, about 1.5e-9.
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
        if isinstance(fun, Network) or (isinstance(fun, Model) and fun.jac is not None):
            jac = fun.jacobian
        robust, loss = CallableLoss(fun, jac, loss, scale), "linear"
        fun, jac = robust.residuals, robust.jacobian if callable(jac) else None
        notes.append("covariance and stderr are those of the transformed residuals: loss is a function")
    sparse: List[Any] = []
    try:
        map_ = _map(fun, jac, start, args, kwargs, _scales(x_scale, start.size), sparse)
    except KeyboardInterrupt as error:
        raise Interrupted(_INTERRUPTED, _unbegun(start)) from error

    lower, upper = bounds_of(bounds, start.size)
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
    lost = np.flatnonzero(np.isinf(fit["stderr"]))
    if fit["covariance"] is not None and lost.size:
        fit["covariance"][lost, :] = fit["covariance"][:, lost] = np.nan
        fit["covariance"][lost, lost] = np.inf
    fit["notes"] = notes
    if sparse:
        fit["jac"] = sparse[0](fit["jac"])
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
    message, nothing, p = "interrupted before the first Jacobian", np.empty(0), start.size
    return Fit(
        x=start.copy(),
        cost=np.nan,
        fun=nothing,
        jac=np.empty((0, p)),
        grad=np.full(p, np.nan),
        optimality=np.nan,
        cosine=np.nan,
        active_mask=np.zeros(p, dtype=np.int64),
        nfev=0,
        njev=0,
        nit=0,
        status=-2,
        stop="interrupted",
        success=False,
        message=message,
        summary=message,
        remark="",
        covariance=None,
        stderr=np.full(p, np.nan),
        residual_deviation=np.nan,
        rank=0,
        null_directions=np.empty((0, p)),
        names=[f"w[{k}]" for k in range(p)],
        history={},
        notes=[],
    )


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
    sparse: List[Any],
) -> _core.Map:
    """The map of a fit from `start`; the type of a sparse Jacobian is put into `sparse`."""
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
    derivative = None if jac is None else _noted(bound(jac), sparse)
    return _core.Map.callable(bound(fun), derivative, returned, (start, value), scales)


def _noted(jac: Callable[[Array], Any], sparse: List[Any]) -> Callable[[Array], Any]:
    """`jac`, which notes the type of a sparse matrix by rows, so that the result's Jacobian can be one."""

    def noted(x: Array) -> Any:
        value = jac(x)
        if not sparse and hasattr(value, "tocsr"):
            sparse.append(type(value.tocsr()))
        return value

    return noted


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


def bounds_of(bounds: Any, p: int) -> Tuple[Optional[Array], Optional[Array]]:
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
