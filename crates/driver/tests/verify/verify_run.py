"""Recomputes a run folder with NumPy, sharing no code with the program, and compares every column.

    w_{k+1} = w_k - step/alpha [(1-rho) J^T J + rho I]^{-1} J^T grad g(alpha f(w_k))     (1), Euler
    w_{k+1} = w_k - step       [(1-rho) J^T J + rho I]^{-1} J^T grad g(alpha f(w_k))     (Theorem 2)

Usage: python verify_run.py RUN_FOLDER [--until T] [--csv FILE]

Needs Python 3.11, NumPy and SciPy, and a folder that `gaussflow run` wrote with
`dynamics.integrator` "euler" or "discrete" and a constant damping. The dynamics start from
config.toml and problem.json alone; trace.csv, weights.npy and outcome.json are only compared with.
With `--csv` (the 20,640 raw rows of California Housing, StatLib column order) the inputs and
targets are checked too, and held_out_loss. Without it that column is skipped.

A deviation is relative to the value computed here, absolute where that value is 0. Exit status:
0 all within the tolerances below; 1 something is not; 2 the folder is of a kind not handled.

Two Euler runs part by rounding alone where J loses rank (alpha = 1/8): stop before with `--until`.
"""

import argparse, csv, json, sys, tomllib
from pathlib import Path

import numpy as np
from scipy.special import erf, expit

COLUMN_TOLERANCE = 1e-8
WEIGHT_TOLERANCE = 1e-8  # norm of the difference over the norm of the reference
INPUT_TOLERANCE = 1e-9  # absolute: standardized inputs are of size one

ACTIVATIONS = {  # sigma and sigma'
    "tanh": (np.tanh, lambda z: 4.0 * expit(2.0 * z) * expit(-2.0 * z)),
    "sigmoid": (expit, lambda z: expit(z) * expit(-z)),
    "erf": (erf, lambda z: 2.0 / np.sqrt(np.pi) * np.exp(-z * z)),
    "arctan": (np.arctan, lambda z: 1.0 / (1.0 + z * z)),
}


class NotHandled(Exception):
    """The folder asks for something that this script does not integrate."""


class Network:
    """phi(x; w) = c . h_L, h_l = s_l sigma_l(W_l h_(l-1) + b_l), h_0 = x, minus its start where the initialization
    says so. Without `layers` in problem.json: phi = sum_i c_i sigma(x . w_i)."""

    def __init__(self, config, problem):
        self.signs, self.start = np.array(problem["output_signs"]), start_of(problem)
        self.nullified = config["network"]["initialization"] == "nullified"
        shallow = {"width": len(self.signs), "bias": False, "scale": 1.0,
                   "activation": config["network"]["activation"]}
        self.layers = problem.get("layers", [shallow])
        self.trained = problem.get("output") == "trained"

    def passed(self, inputs, weights):
        """phi, and of each layer its inputs with their constant, its weights and s sigma'(z); then c."""
        outputs, rest, found = inputs, weights, []
        for layer in self.layers:
            if layer["bias"]:
                outputs = np.hstack([outputs, np.ones((len(outputs), 1))])
            shape = layer["width"], outputs.shape[1]
            matrix, rest = np.split(rest, [shape[0] * shape[1]])
            matrix = matrix.reshape(shape)
            sums = outputs @ matrix.T
            sigma, slope = ACTIVATIONS[layer["activation"]]
            found.append((outputs, matrix, layer["scale"] * slope(sums)))
            outputs = layer["scale"] * sigma(sums)
        c = rest if self.trained else self.signs
        return outputs @ c, found, outputs, c

    def value(self, inputs, weights):
        """f(w), one entry a row of inputs (n x d)."""
        value = self.passed(inputs, weights)[0]
        return value - self.passed(inputs, self.start)[0] if self.nullified else value

    def jacobian(self, inputs, weights):
        """J (n x p): layer by layer the row-wise Kronecker product of d phi / d z_l with the layer's inputs."""
        _, found, last, c = self.passed(inputs, weights)
        blocks, by_output = [last] if self.trained else [], c[None, :]
        for layer, (outputs, matrix, slopes) in zip(self.layers[::-1], found[::-1]):
            delta = by_output * slopes
            blocks.append((delta[:, :, None] * outputs[:, None, :]).reshape(len(inputs), -1))
            by_output = delta @ (matrix[:, :-1] if layer["bias"] else matrix)
        return np.hstack(blocks[::-1])


def start_of(problem):
    """w_0 as one vector: the file has rows of m x d for one hidden layer."""
    return np.array(problem["initial_weights"]).ravel()


class Loss:
    """g as a sum over rows; log-cosh adds curvature/2 r^2, which makes it strongly convex."""

    def __init__(self, section):
        self.name = section["name"]
        self.curvature = section.get("curvature", 1.0)
        self.weights = np.array(section.get("weights", 1.0))
        if self.name not in ("squared", "log-cosh", "weighted"):
            raise NotHandled(f"loss {self.name}")

    def value(self, residual):
        if self.name == "log-cosh":
            size = np.abs(residual)
            log_cosh = size + np.log1p(np.exp(-2.0 * size)) - np.log(2.0)
            return np.sum(log_cosh + 0.5 * self.curvature * residual**2)
        return np.sum(self.weights * residual**2)

    def gradient(self, residual):
        if self.name == "log-cosh":
            return np.tanh(residual) + self.curvature * residual
        return 2.0 * self.weights * residual


def direction(jacobian, gradient, damping, cutoff):
    """[(1-rho) J^T J + rho I]^-1 J^T grad g by least squares; J^T J is never formed."""
    if damping == 1.0:
        return jacobian.T @ gradient
    if damping == 0.0:
        return np.linalg.lstsq(jacobian, gradient, rcond=cutoff)[0]
    share, size = np.sqrt(1.0 - damping), jacobian.shape[1]
    stacked = np.vstack([share * jacobian, np.sqrt(damping) * np.eye(size)])
    right = np.concatenate([gradient / share, np.zeros(size)])
    return np.linalg.lstsq(stacked, right, rcond=None)[0]


def housing(file, rows, standardize):
    """Standardized features and targets of all raw rows of the CSV file."""
    with open(file, newline="") as handle:
        raw = list(csv.DictReader(handle))
    column = {name: np.array([float(row[name]) for row in raw]) for name in raw[0]}
    homes = column["households"]
    features = np.column_stack([
        column["medianIncome"], column["housingMedianAge"], column["totalRooms"] / homes,
        column["totalBedrooms"] / homes, column["population"], column["population"] / homes,
        column["latitude"], column["longitude"],
    ])
    if standardize != "none":
        fitted = features[rows] if standardize == "subset" else features
        features = (features - fitted.mean(axis=0)) / fitted.std(axis=0)
    return features, column["medianHouseValue"] / 1e5


def integrate(config, problem, until, held_out):
    """Yields (step, weights, columns) at each recorded step, by the equations at the top."""
    inputs, targets = np.array(problem["inputs"]), np.array(problem["targets"])
    start, network = start_of(problem), Network(config, problem)
    loss, dynamics, record = Loss(config["loss"]), config["dynamics"], config["record"]
    scaling, step = dynamics["scaling"], dynamics["step"]
    damping = 1.0 if dynamics["preconditioner"] == "gradient" else dynamics["damping"]
    if isinstance(damping, dict):
        raise NotHandled("damping schedules")
    if dynamics["integrator"] not in ("euler", "discrete"):
        raise NotHandled(f"integrator {dynamics['integrator']}")
    discrete = dynamics["integrator"] == "discrete"
    factor, unit = (step, scaling * step) if discrete else (step / scaling, step)
    last = round(dynamics["horizon"] / unit)
    weights = start.copy()
    for index in range(round(min(until / unit, last)) + 1):
        residual = scaling * network.value(inputs, weights) - targets
        jacobian, gradient = network.jacobian(inputs, weights), loss.gradient(residual)
        if index % record["every"] == 0 or index == last:
            rows, size = jacobian.shape
            basis, singular, _ = np.linalg.svd(jacobian, full_matrices=False)
            values = singular**2
            # The image of J: an unpivoted QR would keep directions that J does not have.
            basis = basis[:, singular > dynamics["rank_cutoff"] * singular[0]]
            tangent = basis @ (basis.T @ gradient)
            columns = {
                "time": index * unit,
                "loss": loss.value(residual),
                "deviation": np.linalg.norm(weights - start),
                "riemannian_gradient_norm": np.linalg.norm(tangent),
                "gram_min_eigenvalue": 0.0 if size > rows else values[-1],
                "gram_max_eigenvalue": values[0],
                "kernel_min_eigenvalue": 0.0 if size < rows else values[-1],
                "normal_gradient_norm": np.linalg.norm(gradient - tangent),
                "damping": damping,
            }
            if held_out is not None:
                error = scaling * network.value(held_out[0], weights) - held_out[1]
                columns["held_out_loss"] = loss.value(error) / len(error)
            yield index, weights.copy(), columns
        move = direction(jacobian, gradient, damping, dynamics["rank_cutoff"])
        weights = weights - factor * move


def relative(found, expected):
    """Norm of the difference over the norm of the reference, absolute where that is 0."""
    error = np.linalg.norm(np.asarray(found) - np.asarray(expected))
    return float(error / (np.linalg.norm(expected) or 1.0))


def rounding_floors(rows, columns):
    """Sizes below which a column is rounding on both sides: n eps of what it is a part of."""
    unit = rows * np.finfo(float).eps
    spectrum = unit**2 * columns["gram_max_eigenvalue"]
    gradient = np.hypot(columns["riemannian_gradient_norm"], columns["normal_gradient_norm"])
    return {"gram_min_eigenvalue": spectrum, "kernel_min_eigenvalue": spectrum,
            "normal_gradient_norm": unit * gradient}


def check_data(problem, config, data):
    """Deviations of problem.json from the raw rows that it names, and from its own promises."""
    signs = np.abs(problem["output_signs"])
    checks = {"output_signs are +-1": (float(np.abs(signs - 1.0).max()), 0.0)}
    if data is not None:
        rows, targets = problem["rows"], data[1]
        if config["data"]["targets"] == "standardized":
            targets = (targets - targets[rows].mean()) / targets[rows].std()
        inputs = np.abs(np.array(problem["inputs"]) - data[0][rows])
        goals = np.abs(np.array(problem["targets"]) - targets[rows])
        checks["rows repeated"] = (float(len(rows) - len(set(rows))), 0.0)
        checks["inputs (absolute)"] = (float(inputs.max()), INPUT_TOLERANCE)
        checks["targets (absolute)"] = (float(goals.max()), INPUT_TOLERANCE)
    return checks


def check_run(folder, config, problem, until, held_out):
    """Largest deviation of every file of the run from the recomputation: {what: (value, limit)}."""
    with open(folder / "trace.csv", newline="") as handle:
        trace = {int(row["step"]): row for row in csv.DictReader(handle)}
    steps = np.load(folder / "weights_steps.npy").tolist()
    saved = dict(zip(steps, np.load(folder / "weights.npy"), strict=True))
    outcome = json.loads((folder / "outcome.json").read_text())
    worst, snapshot, seen, missing = {}, [], {}, 0
    for index, weights, columns in integrate(config, problem, until, held_out):
        if index not in trace:
            missing += 1
            continue
        floors = rounding_floors(len(problem["rows"]), columns)
        for name, expected in columns.items():
            if not trace[index].get(name):
                continue
            found = float(trace[index][name])
            noise = name in floors and max(abs(found), abs(expected)) <= floors[name]
            error = 0.0 if noise else relative(found, expected)
            worst[name] = max(worst.get(name, 0.0), error)
            seen[name] = seen.get(name, 0) + 1
        if index in saved:
            snapshot.append(relative(saved[index].ravel(), weights))
    checks = {f"{name} ({seen[name]} rows)": (worst[name], COLUMN_TOLERANCE) for name in worst}
    checks["steps missing from trace.csv"] = (float(missing), 0.0)
    checks[f"weights.npy ({len(snapshot)} snapshots)"] = (max(snapshot), WEIGHT_TOLERANCE)
    if index == max(trace):
        for name, expected in (("final_weights", weights), ("final_loss", columns["loss"])):
            found = np.ravel(outcome[name])
            checks[f"outcome {name}"] = (relative(found, expected), WEIGHT_TOLERANCE)
    return checks


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, metavar="RUN_FOLDER")
    parser.add_argument("--until", type=float, default=np.inf, metavar="T", help="last time")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="raw California Housing rows")
    options = parser.parse_args()
    config = tomllib.loads((options.folder / "config.toml").read_text())
    problem = json.loads((options.folder / "problem.json").read_text())
    data = held_out = None
    if options.csv is not None:
        data = housing(options.csv, problem["rows"], config["data"]["standardize"])
        others = np.setdiff1d(np.arange(len(data[1])), problem["rows"])
        if config["data"]["targets"] == "raw" and config["loss"]["name"] != "weighted":
            held_out = (data[0][others], data[1][others])
    checks = check_data(problem, config, data)
    try:
        checks |= check_run(options.folder, config, problem, options.until, held_out)
    except NotHandled as reason:
        print(f"not handled: {reason}", file=sys.stderr)
        return 2
    for name, (value, limit) in checks.items():
        verdict = "ok" if value <= limit else "EXCEEDS"  # a NaN exceeds
        print(f"{name:<42} {value:10.2e}  limit {limit:7.1e}  {verdict}")
    return 0 if all(value <= limit for value, limit in checks.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
