"""Recorded runs: columns, events, weights, and how they are read from a folder."""

from __future__ import annotations

import csv
import json
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Union

import numpy as np
import numpy.typing as npt

from ._arrays import Array
from ._arrays import folder as path_of
from ._html import table


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
    remark : str
        What a reader should know: rank that was lost, solves that fell back, a loss that rose. Empty where all went well.
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

    step: npt.NDArray[np.int64]
    time: Array
    loss: Array
    deviation: Array
    riemannian_gradient_norm: Array
    normal_gradient_norm: Array
    gram_min_eigenvalue: Array
    gram_max_eigenvalue: Array
    kernel_min_eigenvalue: Array
    damping: Array

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
        return f"{self.summary}\n{self.remark}" if self.remark else self.summary

    @property
    def remark(self) -> str:
        """What a reader should know; empty where all went well."""
        said = []
        rows = len(self)
        lost = [event for event in self.events if event.kind == "rank-lost"]
        if lost and lost[0].step == 0 and rows and not self["gram_min_eigenvalue"][0] > 0:
            said.append(
                "At the start the Jacobian has not full column rank, as with more parameters than outputs: the Gauss-Newton"
                ' step is not unique. method="levenberg-marquardt" needs no rank; rank_policy="pseudo-inverse" takes the'
                " shortest step."
            )
        elif lost:
            said.append(f"The Jacobian lost rank at time {lost[0].time:.6g}.")
        for name in ("pseudo_inverse", "raised_damping", "fallback_pseudo_inverse", "fallback_raised_damping"):
            if self.counts.get(name, 0):
                words = name.replace("fallback_", "").replace("_", " ")
                said.append(f"{self.counts[name]} steps were solved with {words}.")
        loss = self["loss"]
        rises = np.flatnonzero(loss[1:] > loss[:-1] * (1 + 1e-9)) if rows > 1 else np.empty(0)
        if rises.size:
            k = int(rises[0])
            text = (
                f"The loss rose, first from {loss[k]:.6g} to {loss[k + 1]:.6g} at time {self['time'][k + 1]:.6g}: along the"
                " flow it only falls, so the step is too long or rank was lost."
            )
            most = (
                float(np.nanmax(self["gram_max_eigenvalue"], initial=0.0))
                if "gram_max_eigenvalue" in self.columns
                else 0.0
            )
            if most > 0:
                text += f' Explicit steps of a gradient flow are stable below about 1 / {most:.3g}; integrator="stiff" has no such bound.'
            said.append(text)
        return " ".join(said)

    def to_dict(self) -> Dict[str, npt.NDArray[Any]]:
        """The columns, as ``pandas.DataFrame`` and ``polars.DataFrame`` take them."""
        return dict(self.columns)

    def plot(self, column: str = "loss", *, ax: Any = None, **style: Any) -> Any:
        """Draw a column over time with matplotlib; returns the axes.

        Parameters
        ----------
        column : str
            The name of the column.
        ax : matplotlib axes, optional
            The axes to draw in; by default new ones are made.
        **style
            Arguments of ``ax.plot``, such as ``color``.
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
        note = self.remark + " " if self.remark else ""
        note += "; ".join(f"{event.kind} at time {event.time:.6g} (step {event.step})" for event in self.events)
        return table(self.summary.split("\n")[0], ["column", "first", "last"], rows, note)


def load_run(folder: Union[str, Path]) -> Run:
    """Read the folder of one run that ``gf.run``, ``gf.sweep`` or the command `gaussflow` wrote.

    Parameters
    ----------
    folder : path
        The run's folder, with trace.csv and outcome.json, or one that holds a single run.

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
    inside = sorted((path / "runs").glob("*/trace.csv"))
    if not (path / "trace.csv").is_file() and len(inside) == 1:
        path = inside[0].parent
    for name in ("trace.csv", "outcome.json"):
        if not (path / name).is_file():
            raise FileNotFoundError(f"{path} holds no {name}; accepted: the folder of one run, such as OUT/runs/ID")
    with _reading(path / "trace.csv") as source:
        with open(source, newline="", encoding="utf-8") as file:
            rows = list(csv.reader(file))
        for line, row in enumerate(rows, 1):
            if len(row) != len(rows[0]):
                raise ValueError(f"line {line} has {len(row)} cells and the header {len(rows[0])}")
        columns: Dict[str, npt.NDArray[Any]] = {}
        for k, name in enumerate(rows[0]):
            values = np.array([float(row[k]) if row[k] else np.nan for row in rows[1:]])
            columns[name] = values.astype(np.int64) if name == "step" else values
    with _reading(path / "outcome.json") as source:
        outcome = json.loads(source.read_text(encoding="utf-8"))
        weights = np.asarray(outcome["final_weights"], dtype=float).reshape(-1)
        keys = ("kind", "time", "step", "value", "threshold")
        events = []
        for event in outcome["events"]:
            kind, when, step, value, threshold = (event[key] for key in keys)
            events.append(Event(kind, _float(when), step, _float(value), _float(threshold)))
        reason, time, loss = outcome["stop_reason"], _float(outcome["final_time"]), _float(outcome["final_loss"])
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


def _float(number: Optional[float]) -> float:
    """A number of a file, where null stands for one that is not finite."""
    return float("nan") if number is None else float(number)


@contextmanager
def _reading(path: Path) -> Iterator[Path]:
    """What goes wrong while a file is read is told with its name."""
    try:
        yield path
    except (KeyError, IndexError, TypeError, ValueError, EOFError) as error:
        raise ValueError(f"{path} is damaged: {type(error).__name__}: {error}") from error
