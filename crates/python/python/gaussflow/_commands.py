"""Configurations: runs, sweeps, audits and reports on disk, as the command `gaussflow` makes them."""

from __future__ import annotations

import csv
import json
import os
import warnings
from collections import Counter
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional, Union

import numpy as np
import numpy.typing as npt

from . import _core
from ._arrays import Array, count, shown
from ._arrays import folder as path_of
from ._html import table
from ._run import Run, load_run

#: A configuration: the path of a TOML file, or a dictionary of its sections.
Config = Union[str, "os.PathLike[str]", Dict[str, Any]]


def _config(config: Config) -> Union[str, Dict[str, Any]]:
    if isinstance(config, dict):
        return config
    try:
        return path_of("config", config)
    except ValueError:
        raise ValueError(f"config is {shown(config)}; accepted: a dictionary or the path of a TOML file") from None


def run(config: Config, out: Union[str, Path], *, overwrite: bool = False, resume: bool = False) -> Run:
    """Run a configuration and write its folder, as ``gaussflow run`` does.

    Parameters
    ----------
    config : dict or path
        Sections and keys of the configuration, which `config` lists; what is left out has its default.
    out : path
        The folder: new, empty, or of earlier runs, which stay.
    overwrite : bool
        Whether other results of gaussflow that are there may be replaced.
    resume : bool
        Whether to go on from the last checkpoint.

    Returns
    -------
    Run

    Examples
    --------
    >>> import tempfile, gaussflow as gf
    >>> with tempfile.TemporaryDirectory() as out:
    ...     run = gf.run({"data": {"samples": 20}, "network": {"hidden": 2}, "dynamics": {"horizon": 0.1}}, out)
    >>> run.stop_reason, len(run)
    ('horizon', 11)
    """
    return load_run(_core.run(_config(config), path_of("out", out), bool(overwrite), bool(resume)))


def config() -> str:
    """The default configuration as TOML text, in which a comment explains each key.

    Returns
    -------
    str

    Notes
    -----
    The keys have the names of the configuration's files, not those of `flow`: ``dynamics.scaling`` is alpha,
    ``dynamics.preconditioner`` the method, ``network.hidden`` the widths. The rank policy there is "pseudo-inverse" by
    default.

    Examples
    --------
    >>> import gaussflow as gf
    >>> [line for line in gf.config().splitlines() if line.startswith("[")]
    ['[data]', '[network]', '[loss]', '[dynamics]', '[events]', '[record]']
    """
    return _core.config()


class Sweep:
    """The runs of a sweep.

    Attributes
    ----------
    folder : Path
        Where they are.
    summary : dict of ndarray
        One entry a run: the columns of summary.csv.
    failed : list of str
        Names of the runs without an answer.
    remarks : dict
        One sentence for each run that lost rank, fell back on another solver, or rose in loss.
    """

    def __init__(self, folder: Path, failed: List[str], remarks: Dict[str, str]) -> None:
        self.folder, self.failed, self.remarks = folder, failed, remarks
        with open(folder / "summary.csv", newline="", encoding="utf-8") as file:
            rows = list(csv.reader(file))
        self.summary: Dict[str, npt.NDArray[Any]] = {
            name: _column([row[k] for row in rows[1:]]) for k, name in enumerate(rows[0])
        }

    def load(self, name: str) -> Run:
        """The run called `name`, one of ``summary["id"]``."""
        return load_run(self.folder / "runs" / path_of("name", name))

    def to_dict(self) -> Dict[str, npt.NDArray[Any]]:
        """The summary, as ``pandas.DataFrame`` and ``polars.DataFrame`` take it."""
        return dict(self.summary)

    def __len__(self) -> int:
        return len(next(iter(self.summary.values())))

    def __repr__(self) -> str:
        return f"Sweep({len(self)} runs, {len(self.failed)} without an answer, in {self.folder})"

    def _repr_html_(self) -> str:
        rows = zip(*(column.tolist() for column in self.summary.values()))
        return table(repr(self), list(self.summary), rows)


def _column(cells: List[str]) -> npt.NDArray[Any]:
    """Numbers where all cells are, empty ones NaN; otherwise texts."""
    try:
        return np.array([float(cell) if cell else np.nan for cell in cells])
    except ValueError:
        return np.array(cells)


def sweep(
    config: Config,
    out: Union[str, Path],
    *,
    overwrite: bool = False,
    resume: bool = False,
    jobs: Optional[int] = None,
) -> Sweep:
    """Make all runs of a configuration with a section ``sweep``, as ``gaussflow sweep`` does.

    Parameters
    ----------
    config : dict or path
        A configuration, with the values to be combined in ``config["sweep"]``: "seeds", and lists for keys such as
        "dynamics.scaling".
    out : path
        The folder: new, empty, or with `resume` that of the same sweep.
    overwrite, resume : bool
        Whether other results may be replaced; whether finished runs of an earlier call are kept.
    jobs : int, optional
        Runs at a time; default one a core.

    Returns
    -------
    Sweep

    Examples
    --------
    >>> import tempfile, gaussflow as gf
    >>> config = {"data": {"samples": 20}, "network": {"hidden": 2}, "dynamics": {"horizon": 0.1}}
    >>> config["sweep"] = {"seeds": 2, "dynamics.scaling": [8.0, 16.0]}
    >>> with tempfile.TemporaryDirectory() as out:
    ...     sweep = gf.sweep(config, out)
    >>> len(sweep), sweep.summary["scaling"].tolist()
    (4, [8.0, 8.0, 16.0, 16.0])
    """
    folder = path_of("out", out)
    at_a_time = None if jobs is None else count("jobs", jobs, 1)
    failed, remarks = _core.sweep(_config(config), folder, bool(overwrite), bool(resume), at_a_time)
    return Sweep(Path(folder), failed, dict(remarks))


class Audit:
    """The statements of the paper, judged on runs.

    Attributes
    ----------
    records : list of dict
        The records of audit.json, each with the folder of its run. ``verdict`` is what the numbers say; ``grade`` and
        ``consequence`` are a referee's judgement of a fault of the paper, None where there is none.
    """

    def __init__(self, records: List[Dict[str, Any]]) -> None:
        self.records = records

    @property
    def verdicts(self) -> Dict[str, int]:
        """How many records have each verdict."""
        return dict(Counter(record["verdict"] for record in self.records))

    @property
    def grades(self) -> Dict[str, int]:
        """How many records show a fault of each grade: false, unclear, gap, constant or typo."""
        return dict(Counter(record["grade"] for record in self.records if record["grade"]))

    def __repr__(self) -> str:
        told = ", ".join(f"{number} {verdict}" for verdict, number in sorted(self.verdicts.items()))
        return f"Audit({len(self.records)} records: {told})"

    def _repr_html_(self) -> str:
        rows = [(record["id"], record["verdict"], record["grade"] or "") for record in self.records]
        return table(repr(self), ["statement", "verdict", "grade"], rows)


def audit(folder: Union[str, Path]) -> Audit:
    """Make a run anew from its files, and judge the statements of a paper that apply to it.

    The paper is S. Cayci, *Gauss-Newton Dynamics for Neural Networks: A Riemannian Optimization Perspective* (arXiv
    2412.14031). "violated" is a result about a statement, not a fault of the run.

    Parameters
    ----------
    folder : path
        A run's folder, or one with a manifest, for all its runs. audit.json and audit.md are written into the folder of each
        run.

    Returns
    -------
    Audit

    Examples
    --------
    >>> import tempfile, gaussflow as gf
    >>> config = {"data": {"samples": 20}, "network": {"hidden": 2}, "dynamics": {"horizon": 0.1}}
    >>> with tempfile.TemporaryDirectory() as out:
    ...     run = gf.run(config, out)
    ...     audit = gf.audit(run.folder)
    >>> audit.verdicts["holds"] > 0, audit.records[0]["id"]
    (True, 'run/reproduced')
    """
    root = Path(path_of("folder", folder))
    if not root.is_dir():
        raise FileNotFoundError(f"{root} is no folder; accepted: a run's folder, or one with a manifest")
    _core.audit(str(root))
    folders = [root]
    if not (root / "config.toml").exists():
        manifest = json.loads((root / "manifest.json").read_text(encoding="utf-8"))
        folders = [root / run["path"] for run in manifest["runs"]]
    records = []
    for each in folders:
        for record in json.loads((each / "audit.json").read_text(encoding="utf-8")):
            records.append({"folder": str(each), **record})
    return Audit(records)


def report(folder: Union[str, Path]) -> Path:
    """Write ``report.html``, one page that opens offline, from a folder of runs.

    Parameters
    ----------
    folder : path
        What ``gf.run`` or ``gf.sweep`` wrote, or the folder of one run.

    Returns
    -------
    Path
        The page. What is missing or damaged in the folder is warned of, and named on the page.

    Examples
    --------
    >>> import tempfile, gaussflow as gf
    >>> config = {"data": {"samples": 20}, "network": {"hidden": 2}, "dynamics": {"horizon": 0.1}}
    >>> with tempfile.TemporaryDirectory() as out:
    ...     run = gf.run(config, out)
    ...     gf.report(out).name
    'report.html'
    """
    path, problems = _core.report(path_of("folder", folder))
    for problem in problems:
        warnings.warn(problem, RuntimeWarning, stacklevel=2)
    return Path(path)


class Dataset(NamedTuple):
    """Rows of numbers with a target each."""

    #: Features, shape (n, d).
    features: Array
    #: Targets, shape (n,).
    target: Array
    #: Names of the features.
    feature_names: List[str]
    #: Name of the target.
    target_name: str


def california_housing() -> Dataset:
    """The 20,640 rows of California Housing (Pace and Barry 1997), which come with the package.

    Returns
    -------
    Dataset

    Examples
    --------
    >>> import gaussflow as gf
    >>> data = gf.california_housing()
    >>> data.features.shape, data.feature_names[0]
    ((20640, 8), 'median_income')
    """
    return Dataset(*_core.california_housing())
