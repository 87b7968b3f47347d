"""Flows of a loss, recorded step by step."""

from __future__ import annotations

import csv
import hashlib
import json
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Optional, Union

import numpy as np
import numpy.typing as npt

from . import _core
from ._arrays import Array, count, folder as path_of, function, number, real, shown, truth, vector, word
from ._html import table
from ._interrupted import Interrupted
from ._models import AnyModel, Network, as_model


class Event(NamedTuple):
    """Something that happened during a run."""

    #: "left-ball", "rank-lost", "non-finite" or "stationary".
    kind: str
    #: When, located within the step.
    time: float
    #: The first step at or after it.
    step: int
    #: The measured quantity there.
    value: float
    #: What it was compared with.
    threshold: float


class Run:
    """A recorded run: its columns are attributes, ``run.loss``, and items, ``run["loss"]``.

    Attributes
    ----------
    columns : dict of ndarray
        One entry a recorded step: step, time, loss, deviation (the distance from the initial weights),
        riemannian_gradient_norm, normal_gradient_norm, gram_min_eigenvalue and gram_max_eigenvalue (of ``J.T @ J``),
        kernel_min_eigenvalue (of ``J @ J.T``), damping. A run that was loaded has the columns of its trace.csv; its
        held_out_loss is the mean over a row.
    weights : ndarray, shape (p,)
        The final weights.
    snapshots, snapshot_steps : ndarray, shapes (k, p) and (k,)
        Weights on the way, and their steps.
    events : list of Event
        What happened, in the order of time.
    stop_reason : str
        "horizon", "interrupted", an event's kind, "step-underflow" or "failed".
    final_time, final_loss : float
        Where it ended.
    counts : dict
        Steps, linearizations, solves and fallbacks.
    summary : str
        All of it in a few lines.
    folder : Path or None
        Where it was read from.
    """

    def __init__(
        self,
        columns: Dict[str, npt.NDArray[Any]],
        *,
        weights: Array,
        snapshots: Array,
        snapshot_steps: npt.NDArray[np.int64],
        events: List[Event],
        stop_reason: str,
        final_time: float,
        final_loss: float,
        counts: Dict[str, int],
        summary: str,
        state: Optional[Dict[str, Any]] = None,
        folder: Optional[Path] = None,
    ) -> None:
        self.columns = columns
        self.weights = weights
        self.snapshots = snapshots
        self.snapshot_steps = snapshot_steps
        self.events = events
        self.stop_reason = stop_reason
        self.final_time = final_time
        self.final_loss = final_loss
        self.counts = counts
        self.summary = summary
        self.folder = folder
        self._state = state

    def __getitem__(self, name: str) -> npt.NDArray[Any]:
        try:
            return self.columns[name]
        except KeyError:
            raise KeyError(f"{name!r}; the columns are {', '.join(self.columns)}") from None

    def __getattr__(self, name: str) -> npt.NDArray[Any]:
        columns = self.__dict__.get("columns", {})
        if name in columns:
            return columns[name]  # type: ignore[no-any-return]
        raise AttributeError(f"a run has no {name!r}; its columns are {', '.join(columns)}")

    def __len__(self) -> int:
        return len(self.columns["step"])

    def __repr__(self) -> str:
        return self.summary

    def to_dict(self) -> Dict[str, npt.NDArray[Any]]:
        """The columns, as ``pandas.DataFrame`` and ``polars.DataFrame`` take them."""
        return dict(self.columns)

    def plot(self, column: str = "loss", *, ax: Any = None, **style: Any) -> Any:
        """Draw a column over time with matplotlib; returns the axes.

        Parameters
        ----------
        column : str
            Which.
        ax : matplotlib axes, optional
            Where; default new ones.
        **style
            For ``ax.plot``.
        """
        values = self[column]
        if ax is None:
            try:
                from matplotlib import pyplot
            except ImportError as error:
                raise ImportError("Run.plot needs matplotlib: pip install matplotlib") from error
            ax = pyplot.subplots()[1]
        ax.plot(self["time"], values, **style)
        positive = values[np.isfinite(values)]
        if positive.size and (positive > 0).all():
            ax.set_yscale("log")
        ax.set_xlabel("time")
        ax.set_ylabel(column.replace("_", " "))
        return ax

    def _repr_html_(self) -> str:
        rows = []
        for name, values in self.columns.items():
            if name != "step" and values.size and values.dtype.kind == "f":
                rows.append((name, float(values[0]), float(values[-1])))
        note = "; ".join(f"{event.kind} at time {event.time:.6g} (step {event.step})" for event in self.events)
        return table(self.summary.split("\n")[0], ["column", "first", "last"], rows, note)


class Step(Dict[str, Any]):
    """A recorded step that a callback sees: step, time, loss, deviation, weights."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"a step has no {name!r}; it has {', '.join(self)}") from None


def loss_of(name: str, y: Any, outputs: int, weights: Any, parameter: Optional[float], classes: int) -> Dict[str, Any]:
    """A loss on `outputs` numbers, as the compiled module takes it."""
    targets = np.zeros(outputs) if y is None else real("y", y)
    samples = outputs // classes
    if name == "softmax" and classes > 1 and targets.shape == (samples,):
        labels = targets.astype(int)
        if not ((labels == targets) & (labels >= 0) & (labels < classes)).all():
            raise ValueError(f"y holds a label outside of 0 to {classes - 1}, the network's outputs of a sample")
        targets = np.eye(classes)[labels]
    if targets.shape not in ((outputs,), (samples, classes)):
        expected = f"({outputs},)" if classes == 1 else f"({samples}, {classes}) or ({outputs},)"
        raise ValueError(f"y has shape {targets.shape}; expected {expected}")
    return {
        "name": word("loss", name),
        "targets": vector("y", targets.reshape(-1), outputs),
        "weights": None if weights is None else vector("weights", weights, outputs),
        "parameter": 1.0 if parameter is None else number("loss_parameter", parameter),
        "classes": classes,
    }


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
        The scaling of f.
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
        How it is carried forward: "adaptive" and "stiff" control the error by `rtol` and `atol`; "discrete" is the iteration
        with step eta = `step`.
    step, horizon : float
        Time step, which is also the grid of the records, and last time.
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
        A run of the same problem that did not come to its end: this one goes on at its last record, to the accuracy of the
        solves as if it had not ended, and holds both.

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
    if damping is None:
        if method == "levenberg-marquardt":
            raise ValueError('damping is None; accepted with method "levenberg-marquardt": a number between 0 and 1')
        damping = 0.0
    elif method != "levenberg-marquardt":
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
        "damping": number("damping", damping, "a number between 0 and 1"),
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
    problem = _problem(request)
    state = resume._state if resume is not None else None
    if state is not None and state["step"] > 0:
        for name, value in problem.items():
            if value != state["problem"].get(name, value):
                was = state["problem"][name]
                told = f"{name} {shown(was)}; this one has {shown(value)}" if name in request else f"another {name}"
                raise ValueError(f"resume is a run with {told}; accepted: a run of the same problem")
        request["resume"] = state
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


_INTERRUPTED = "the flow was interrupted; the run up to here is in the exception's result"

#: What must be the same of a run and of the one that goes on from it: these settings, and the arrays below.
_SETTINGS = ("scaling", "method", "damping", "integrator", "step", "record_every", "metric", "rank_policy")


def _problem(request: Dict[str, Any]) -> Dict[str, Any]:
    """What tells the problem of a run."""
    loss = request["loss"]
    problem = {name: request[name] for name in _SETTINGS}
    problem["loss"] = loss["name"]
    for name, array in (("w0", request["start"]), ("y", loss["targets"]), ("weights", loss["weights"])):
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
        state={"step": 0},
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
    state: Dict[str, Any] = {"step": 0} if before is None or before._state is None else before._state
    if found["last"].size:
        at = found["last_step"]
        state = {
            "step": at,
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


def load_run(folder: Union[str, Path]) -> Run:
    """Read the folder of one run that ``gf.run``, ``gf.sweep`` or the command `gaussflow` wrote.

    Parameters
    ----------
    folder : path
        The run's folder, with trace.csv and outcome.json.

    Returns
    -------
    Run
        Empty cells of trace.csv are NaN.

    Examples
    --------
    >>> import tempfile, gaussflow as gf
    >>> with tempfile.TemporaryDirectory() as out:
    ...     written = gf.run({"data": {"samples": 20}, "dynamics": {"horizon": 0.1}}, out)
    ...     read = gf.load_run(written.folder)
    >>> bool((read.loss == written.loss).all())
    True
    """
    path = Path(path_of("folder", folder))
    for name in ("trace.csv", "outcome.json"):
        if not (path / name).is_file():
            raise FileNotFoundError(f"{path} holds no {name}; accepted: the folder of one run, such as OUT/runs/ID")
    with _reading(path / "trace.csv") as source:
        with open(source, newline="", encoding="utf-8") as file:
            rows = list(csv.reader(file))
        columns: Dict[str, npt.NDArray[Any]] = {}
        for k, name in enumerate(rows[0]):
            values = np.array([float(row[k]) if row[k] else np.nan for row in rows[1:]])
            columns[name] = values.astype(np.int64) if name == "step" else values
    with _reading(path / "outcome.json") as source:
        outcome = json.loads(source.read_text(encoding="utf-8"))
        weights = np.asarray(outcome["final_weights"], dtype=float).reshape(-1)
        keys = ("kind", "time", "step", "value", "threshold")
        events = [Event(*(event[key] for key in keys)) for event in outcome["events"]]
        reason, time, loss = outcome["stop_reason"], outcome["final_time"], outcome["final_loss"]
        counts = outcome["counters"]
    snapshots, steps = np.empty((0, weights.size)), np.empty(0, dtype=np.int64)
    if (path / "weights.npy").is_file():
        with _reading(path / "weights.npy") as source:
            found = np.load(source, allow_pickle=False)
            snapshots = found.reshape(len(found), -1)
    if (path / "weights_steps.npy").is_file():
        with _reading(path / "weights_steps.npy") as source:
            steps = np.load(source, allow_pickle=False)
    return Run(
        columns,
        weights=weights,
        snapshots=snapshots,
        snapshot_steps=steps,
        events=events,
        stop_reason=reason,
        final_time=time,
        final_loss=loss,
        counts=counts,
        folder=path,
        summary=f"{path.name}: {reason} at time {time}, loss {loss:.6e}.",
    )


@contextmanager
def _reading(path: Path) -> Iterator[Path]:
    """What goes wrong while a file is read is told with its name."""
    try:
        yield path
    except (KeyError, IndexError, TypeError, ValueError, EOFError) as error:
        raise ValueError(f"{path} is damaged: {type(error).__name__}: {error}") from error
