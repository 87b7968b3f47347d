"""Flows of a loss, recorded step by step."""

from __future__ import annotations

import hashlib
from typing import Any, Callable, Dict, Optional

import numpy as np

from . import _core
from ._arrays import Array, count, function, number, shown, truth, vector, word
from ._interrupted import Interrupted
from ._losses import loss_of
from ._models import AnyModel, Network, as_model
from ._records import Record
from ._run import Event, Run


class Step(Record):
    """A recorded step that a callback sees: step, time, loss, deviation, weights."""

    step: int
    time: float
    loss: float
    deviation: float
    weights: Array


def flow(
    model: AnyModel,
    y: Any,
    alpha: float = 1.0,
    method: str = "gauss-newton",
    *,
    w0: Any = None,
    damping: Optional[float] = None,
    loss: str = "squared",
    weights: Any = None,
    loss_parameter: Optional[float] = None,
    integrator: str = "euler",
    step: float = 0.01,
    horizon: float = 5.0,
    rtol: float = 1e-8,
    atol: float = 1e-10,
    record_every: int = 1,
    snapshot_every: int = 0,
    diagnostics: bool = True,
    rank_policy: str = "stop",
    rank_cutoff: float = 1e-14,
    rank_threshold: float = 1e-6,
    solver: str = "auto",
    metric: str = "euclidean",
    solve_tolerance: float = 1e-12,
    memory_limit: int = 4096,
    ball_radius: Optional[float] = None,
    stop_at_exit: bool = False,
    stationary_fraction: Optional[float] = None,
    callback: Optional[Callable[[Step], Any]] = None,
    resume: Optional[Run] = None,
) -> Run:
    r"""Follow the flow of a loss :math:`g(\alpha f(w))` of a model.

    The Gauss-Newton flow is :math:`\dot w = -\frac1\alpha (J^T J)^{-1} J^T \nabla g(\alpha f(w))` with J the
    Jacobian of f; Levenberg-Marquardt has :math:`(1-\rho) J^T J + \rho I` in place of :math:`J^T J`, and the gradient
    flow :math:`I`.

    Parameters
    ----------
    model : Network, Model or callable
        f. A function of parameters, such as a jitted JAX function, is a model; with its Jacobian it is ``gf.Model(fun, jac)``.
    y : array_like, shape (n,)
        Targets: ``alpha f(w)`` is fitted to them. For several outputs a matrix with a row for each sample, or labels with
        ``loss="softmax"``.
    alpha : float
        The scaling of f. The larger it is, the less w moves for the same change of the outputs: f stays close to its
        linearization at w0 and keeps its rank; the smaller, the more it can learn, until rank is lost.
    method : {"gauss-newton", "levenberg-marquardt", "gradient"}
        The flow.
    w0 : array_like, shape (p,), optional
        Where it starts; default the network's `w0`.
    damping : float, optional
        rho of Levenberg-Marquardt, above 0 and below 1.
    loss : {"squared", "logistic", "softmax", "poisson", "huber", "log-cosh"}
        g, by default the sum of squares :math:`|\alpha f - y|^2`; `weights` weigh its squares, `loss_parameter` is the scale of "huber" and
        the curvature of "log-cosh".
    integrator : {"euler", "rk4", "adaptive", "stiff", "discrete"}
        The method of integration: "adaptive" and "stiff" control the error by `rtol` and `atol`; "discrete" is the iteration
        with step eta = `step`, whose records are alpha eta apart. The three with fixed steps see lost rank at their steps only and
        may step over it; the two with error control stop there.
    step, horizon : float
        Time step, which is also the grid of the records, and last time. Under Gauss-Newton with the squared loss, what can
        be fitted falls as exp(-4 t): at time 2 it has fallen by 3000.
    record_every, snapshot_every : int
        Steps from record to record, and from snapshot of the weights to snapshot (0: none); snapshots are taken at recorded
        steps.
    diagnostics : bool
        Whether gradients and singular values are measured at each record; False leaves NaN there and saves time. What is
        measured shares factorizations with the steps, so that the two differ by rounding.
    rank_policy : {"stop", "pseudo-inverse", "raise-damping"}
        What happens where the Jacobian loses rank; only the Gauss-Newton flow is watched for that.
    rank_cutoff, rank_threshold : float
        Ratios of the extreme singular values below which a solve is refused, and at which the event is noted.
    solver, metric, solve_tolerance, memory_limit
        How each step is solved: see ARCHITECTURE.md; memory in MiB.
    ball_radius, stop_at_exit
        The ball around w0 whose exit is located, and whether the run ends there.
    stationary_fraction : float, optional
        Ends the run where the Riemannian gradient has fallen to this fraction.
    callback : callable, optional
        ``callback(step)`` at each record; a true value or ``StopIteration`` ends the run.
    resume : Run, optional
        A run of the same problem that did not come to its end, or one with a shorter horizon: this one goes on at the last
        step that it came to, to the accuracy of the solves as if it had not ended, and holds both.

    Returns
    -------
    Run
        Early ends (loss of rank, a value that is not finite) are results: see `Run.stop_reason` and `Run.events`.

    Raises
    ------
    ValueError
        Where an argument is not accepted.
    Interrupted
        On Ctrl-C; its ``result`` is the run up to there, for `resume`.

    Examples
    --------
    >>> import numpy as np, gaussflow as gf
    >>> run = gf.flow(lambda w: np.array([w[0], w[0]]), [1.0, 3.0], w0=[0.0], step=0.1)
    >>> run.stop_reason, len(run), float(run.weights[0].round(3))
    ('horizon', 51, 2.0)
    """
    model = as_model(model)
    if w0 is None:
        if not isinstance(model, Network):
            raise ValueError("w0 is not given; expected the initial parameters (only a gf.Network has its own)")
        w0 = model.w0
    start = vector("w0", w0)
    if resume is not None and (not isinstance(resume, Run) or resume._state is None):
        raise ValueError(f"resume is {shown(resume)}; accepted: a run that gf.flow returned or gf.Interrupted holds")
    try:
        map_ = model._map_at("w0", start)
    except KeyboardInterrupt as error:
        raise Interrupted(_INTERRUPTED, resume if resume is not None else _unbegun(start)) from error
    if y is None:
        raise ValueError(f"y is None; expected an array of shape ({map_.outputs},)")
    if model.is_single_precision:
        rtol, atol = max(rtol, _SINGLE[0]), max(atol, _SINGLE[1])
    if damping is None:
        if method == "levenberg-marquardt":
            raise ValueError('damping is None; accepted with method "levenberg-marquardt": a number between 0 and 1')
        damping = 0.0
    elif method == "levenberg-marquardt":
        damping = number("damping", damping, "a number above 0 and below 1", above=0.0)
        if damping >= 1:
            raise ValueError(f'damping is {damping}; accepted: a number above 0 and below 1 (method="gradient" is 1)')
    else:
        raise ValueError(
            f'damping is {shown(damping)} with method {shown(method)}; accepted: with "levenberg-marquardt"'
        )
    classes = model.outputs_of_a_sample if isinstance(model, Network) else 1
    above = "a finite number above 0"
    request: Dict[str, Any] = {
        "loss": loss_of(loss, y, map_.outputs, weights, loss_parameter, classes),
        "start": start,
        "scaling": number("alpha", alpha, above, above=0.0),
        "method": word("method", method),
        "damping": damping,
        "integrator": word("integrator", integrator),
        "step": number("step", step, above, above=0.0),
        "horizon": number("horizon", horizon, above, above=0.0),
        "rtol": number("rtol", rtol, above, above=0.0),
        "atol": number("atol", atol, above, above=0.0),
        "record_every": count("record_every", record_every, 1),
        "snapshot_every": count("snapshot_every", snapshot_every),
        "diagnostics": bool(diagnostics),
        "solver": word("solver", solver),
        "metric": word("metric", metric),
        "rank_policy": word("rank_policy", rank_policy),
        "rank_cutoff": number("rank_cutoff", rank_cutoff),
        "rank_threshold": number("rank_threshold", rank_threshold, above, above=0.0),
        "solve_tolerance": number("solve_tolerance", solve_tolerance),
        "memory_limit": count("memory_limit", memory_limit, 1),
        "ball_radius": None if ball_radius is None else number("ball_radius", ball_radius, above, above=0.0),
        "stop_at_exit": bool(stop_at_exit),
        "stationary_fraction": None
        if stationary_fraction is None
        else number("stationary_fraction", stationary_fraction, above, above=0.0),
        "callback": None if callback is None else _told(callback),
        "resume": None,
    }
    problem = _problem(request, map_.value(start))
    state = resume._state if resume is not None else None
    if state is not None:
        for name, value in problem.items():
            if value != state["problem"].get(name, value):
                was = state["problem"][name]
                told = f"{name} {shown(was)}; this one has {shown(value)}" if name in request else f"another {name}"
                raise ValueError(f"resume is a run with {told}; accepted: a run of the same problem")
        request["resume"] = state if state["step"] > 0 else None
    before = resume if request["resume"] is not None else None
    try:
        found, raised = _core.flow(map_, request)
    except ValueError as error:
        if before is None:
            raise
        raise ValueError(f"resume: {error}") from error
    if isinstance(raised, KeyboardInterrupt):
        run = _recorded(found, before, problem) if found is not None else before or _unbegun(start)
        raise Interrupted(_INTERRUPTED, run) from raised
    if raised is not None:
        raise raised
    assert found is not None
    return _recorded(found, before, problem)


#: Least tolerances of error control for a function that computes in single precision.
_SINGLE = (1e-4, 1e-5)

_INTERRUPTED = "the flow was interrupted; the run up to here is in the exception's result"

#: What must be the same of a run and of the one that goes on from it: these settings, and the arrays below.
_SETTINGS = (
    "scaling",
    "method",
    "damping",
    "integrator",
    "step",
    "rtol",
    "atol",
    "record_every",
    "metric",
    "rank_policy",
    "rank_threshold",
    "ball_radius",
    "stop_at_exit",
    "stationary_fraction",
)


def _problem(request: Dict[str, Any], value: Array) -> Dict[str, Any]:
    """What tells the problem of a run; `value` is f(w0)."""
    loss = request["loss"]
    problem = {name: request[name] for name in _SETTINGS}
    problem["loss"] = (loss["name"], loss["parameter"], loss["classes"])
    arrays = {"w0": request["start"], "y": loss["targets"], "weights": loss["weights"], "model": value}
    for name, array in arrays.items():
        problem[name] = None if array is None else hashlib.sha256(array.tobytes()).hexdigest()
    return problem


def _unbegun(start: Array) -> Run:
    """The run that was interrupted before its first record."""
    nothing = np.empty(0)
    return Run(
        {"step": np.empty(0, dtype=np.int64), "time": nothing, "loss": nothing},
        weights=start.copy(),
        snapshots=np.empty((0, start.size)),
        snapshot_steps=np.empty(0, dtype=np.int64),
        events=[],
        stop_reason="interrupted",
        final_time=0.0,
        final_loss=float("nan"),
        counts={},
        summary="The run was interrupted before its first record.",
        state={"step": 0, "problem": {}},
    )


def _told(callback: Callable[[Step], Any]) -> Callable[[Dict[str, Any]], bool]:
    """The callback as the compiled module calls it: true ends the run."""
    function("callback", callback)

    def told(info: Dict[str, Any]) -> bool:
        try:
            return truth("callback", callback(Step(info)))
        except StopIteration:
            return True

    return told


def _recorded(found: Dict[str, Any], before: Optional[Run], problem: Dict[str, Any]) -> Run:
    """The run that the compiled module gives, after the one that it goes on from."""
    columns, snapshots, steps = found["columns"], found["snapshots"], found["snapshot_steps"]
    if before is not None:
        columns = {name: np.concatenate([before.columns[name], columns[name]]) for name in columns}
        snapshots = np.concatenate([before.snapshots, snapshots])
        steps = np.concatenate([before.snapshot_steps, steps])
    events = [Event(*event) for event in found["events"]]
    state: Dict[str, Any] = {"step": 0, "problem": problem}
    if before is not None and before._state is not None:
        state = before._state
    at = found["last_step"]
    if at > 0:
        state = {
            "step": at,
            "time": found["last_time"],
            "loss": found["last_loss"],
            "weights": found["last"],
            "rank_scale": found["rank_scale"],
            "stationary_reference": found["stationary_reference"],
            "events": [tuple(event) for event in events if event.step <= at and event.kind != "non-finite"],
            "problem": problem,
        }
    counts = found["counts"]
    if before is not None:
        counts = {name: counts[name] + before.counts.get(name, 0) for name in counts}
    return Run(
        columns,
        weights=found["final_weights"],
        snapshots=snapshots,
        snapshot_steps=steps,
        events=events,
        stop_reason=found["stop_reason"],
        final_time=found["final_time"],
        final_loss=found["final_loss"],
        counts=counts,
        summary=found["summary"],
        state=state,
    )
