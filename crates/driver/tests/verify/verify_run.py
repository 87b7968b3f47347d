"""Recomputes a run folder with NumPy, sharing no code with the program, and compares every column.

    w_{k+1} = w_k - step/alpha [(1-rho) J^T J + rho I]^{-1} J^T grad g(alpha f(w_k))     (1), Euler
    w_{k+1} = w_k - step       [(1-rho) J^T J + rho I]^{-1} J^T grad g(alpha f(w_k))     (Theorem 2)

with J^T G J, G = Hess g(alpha f(w_k)), in place of J^T J where `dynamics.metric` is "loss-hessian". Of G = R R^T any root
gives the same numbers: here the symmetric one, by eigenvectors.

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
    """phi(x; w) = C h_L, h_l = s_l sigma_l(W_l h_(l-1) + b_l), h_0 = x, minus its start where the initialization
    says so. Without `layers` in problem.json: phi = sum_i c_i sigma(x . w_i). Outputs of a row stand together."""

    def __init__(self, config, problem):
        self.outputs = problem.get("outputs", 1)
        self.signs = np.array(problem["output_signs"]).reshape(self.outputs, -1)
        self.start = start_of(problem)
        self.nullified = config["network"]["initialization"] == "nullified"
        shallow = {"width": self.signs.shape[1], "bias": False, "scale": 1.0,
                   "activation": config["network"]["activation"]}
        self.layers = problem.get("layers", [shallow])
        self.trained = problem.get("output") == "trained"

    def passed(self, inputs, weights):
        """phi, and of each layer its inputs with their constant, its weights and s sigma'(z); then C."""
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
        c = rest.reshape(self.signs.shape) if self.trained else self.signs
        return (outputs @ c.T).ravel(), found, outputs, c

    def value(self, inputs, weights):
        """f(w), o entries a row of inputs (n x d)."""
        value = self.passed(inputs, weights)[0]
        return value - self.passed(inputs, self.start)[0] if self.nullified else value

    def jacobian(self, inputs, weights):
        """J (n o x p): layer by layer the row-wise Kronecker product of d phi / d z_l with the layer's inputs."""
        _, found, last, c = self.passed(inputs, weights)
        rows = []
        for k in range(self.outputs):
            own = np.eye(self.outputs)[k]
            blocks = [np.kron(own, last)] if self.trained else []
            by_output = c[k][None, :]
            for layer, (outputs, matrix, slopes) in zip(self.layers[::-1], found[::-1]):
                delta = by_output * slopes
                blocks.append((delta[:, :, None] * outputs[:, None, :]).reshape(len(inputs), -1))
                by_output = delta @ (matrix[:, :-1] if layer["bias"] else matrix)
            rows.append(np.hstack(blocks[::-1]))
        return np.stack(rows, axis=1).reshape(len(inputs) * self.outputs, -1)


def start_of(problem):
    """w_0 as one vector: the file has rows of m x d for one hidden layer."""
    return np.array(problem["initial_weights"]).ravel()


def softplus(x):
    return np.maximum(x, 0.0) + np.log1p(np.exp(-np.abs(x)))


class Loss:
    """g(psi) as a sum over rows of o outputs; log-cosh adds curvature/2 r^2, which makes it strongly convex."""

    def __init__(self, section, targets, outputs):
        self.name, self.outputs = section["name"], outputs
        self.curvature, self.scale = section.get("curvature", 1.0), section.get("scale", 1.0)
        self.rows = len(targets)
        if self.name == "softmax" and targets.ndim == 1:
            targets = np.eye(outputs)[targets.astype(int)]
        self.targets = targets.ravel()
        weights = np.ravel(section.get("weights", np.ones(self.rows)))
        self.weights = np.repeat(weights, len(self.targets) // len(weights))

    def probabilities(self, psi):
        psi = psi.reshape(-1, self.outputs)
        shifted = np.exp(psi - psi.max(axis=1, keepdims=True))
        return shifted / shifted.sum(axis=1, keepdims=True)

    def value(self, psi):
        r, y = psi - self.targets, self.targets
        if self.name == "log-cosh":
            return np.sum(softplus(2.0 * r) - r - np.log(2.0) + 0.5 * self.curvature * r**2)
        if self.name == "huber":
            return np.sum(r**2 / (1.0 + np.hypot(1.0, r / self.scale)))
        if self.name == "logistic":
            return np.sum(y * softplus(-psi) + (1.0 - y) * softplus(psi))
        if self.name == "poisson":
            return np.sum(np.exp(psi) - y * psi)
        if self.name == "softmax":
            matrix = psi.reshape(-1, self.outputs)
            # log sum_k exp(psi_k - psi_l), whose own term is 1.
            gaps = matrix[:, None, :] - matrix[:, :, None]
            gaps[:, range(self.outputs), range(self.outputs)] = -np.inf
            highest = np.maximum(gaps.max(axis=2, keepdims=True), 0.0)
            others = np.sum(np.exp(gaps - highest), axis=2)
            costs = np.where(highest[:, :, 0] > 0.0, highest[:, :, 0] + np.log(others + np.exp(-highest[:, :, 0])),
                             np.log1p(others))
            return np.sum(y.reshape(-1, self.outputs) * costs)
        return np.sum(self.weights * r**2)

    def gradient(self, psi):
        r, y = psi - self.targets, self.targets
        if self.name == "log-cosh":
            return np.tanh(r) + self.curvature * r
        if self.name == "huber":
            return r / np.hypot(1.0, r / self.scale)
        if self.name == "logistic":
            return (1.0 - y) * expit(psi) - y * expit(-psi)
        if self.name == "poisson":
            return np.exp(psi) - y
        if self.name == "softmax":
            pi, y = self.probabilities(psi), y.reshape(-1, self.outputs)
            rest = pi @ (1.0 - np.eye(self.outputs))  # 1 - pi without cancellation
            return ((1.0 - y) * pi - y * rest).ravel()
        return 2.0 * self.weights * r

    def hessian(self, psi):
        """Diagonal blocks of the Hessian, one a row."""
        r = psi - self.targets
        if self.name == "softmax":
            pi = self.probabilities(psi)
            rest = pi @ (1.0 - np.eye(self.outputs))
            blocks = -pi[:, :, None] * pi[:, None, :]
            blocks[:, range(self.outputs), range(self.outputs)] = pi * rest
            return blocks
        curvature = {
            "log-cosh": lambda: 4.0 * expit(2.0 * r) * expit(-2.0 * r) + self.curvature,
            "huber": lambda: np.hypot(1.0, r / self.scale) ** -3.0,
            "logistic": lambda: expit(psi) * expit(-psi),
            "poisson": lambda: np.exp(psi),
        }.get(self.name, lambda: 2.0 * self.weights)()
        return curvature[:, None, None]

    def accuracy(self, psi):
        """Share of the rows whose most probable class is theirs; None where there are no classes."""
        if self.name == "logistic" and self.outputs == 1:
            return np.mean((psi > 0.0) == (self.targets > 0.5))
        if self.name == "softmax":
            found, own = psi.reshape(-1, self.outputs), self.targets.reshape(-1, self.outputs)
            return np.mean(found.argmax(axis=1) == own.argmax(axis=1))
        return None


def weighted(blocks, jacobian, gradient):
    """R^T J and R^+ grad g, R the symmetric root of the block diagonal Hessian."""
    values, vectors = np.linalg.eigh(blocks)
    roots = np.sqrt(np.maximum(values, 0.0))
    order, kept = blocks.shape[1], values > 1e-13 * values[:, -1:]
    by_rows = jacobian.reshape(-1, order, jacobian.shape[1])
    gradient = gradient.reshape(-1, order)
    turned = roots[:, :, None] * (vectors.transpose(0, 2, 1) @ by_rows)
    along = (vectors.transpose(0, 2, 1) @ gradient[:, :, None])[:, :, 0]
    right = np.where(kept, along / np.where(kept, roots, 1.0), 0.0)
    return turned.reshape(jacobian.shape), right.ravel()


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
    dynamics, record = config["dynamics"], config["record"]
    loss = Loss(config["loss"], targets, network.outputs)
    scaling, step = dynamics["scaling"], dynamics["step"]
    damping = 1.0 if dynamics["preconditioner"] == "gradient" else dynamics["damping"]
    if isinstance(damping, dict):
        raise NotHandled("damping schedules")
    if dynamics["integrator"] not in ("euler", "discrete"):
        raise NotHandled(f"integrator {dynamics['integrator']}")
    discrete = dynamics["integrator"] == "discrete"
    factor, unit = (step, scaling * step) if discrete else (step / scaling, step)
    last = round(dynamics["horizon"] / unit)
    weights, first = start.copy(), 0.0
    for index in range(round(min(until / unit, last)) + 1):
        psi = scaling * network.value(inputs, weights)
        jacobian, gradient = network.jacobian(inputs, weights), loss.gradient(psi)
        if dynamics.get("metric", "euclidean") == "loss-hessian":
            jacobian, gradient = weighted(loss.hessian(psi), jacobian, gradient)
        if index % record["every"] == 0 or index == last:
            rows, size = jacobian.shape
            basis, singular, _ = np.linalg.svd(jacobian, full_matrices=False)
            values = singular**2
            # The image of J: an unpivoted QR would keep directions that J does not have.
            first = first or singular[0]
            kept = singular > dynamics["rank_cutoff"] * max(first, singular[0])
            basis = basis[:, kept]
            tangent = basis @ (basis.T @ gradient)
            columns = {
                "time": index * unit,
                "loss": loss.value(psi),
                "deviation": np.linalg.norm(weights - start),
                "riemannian_gradient_norm": np.linalg.norm(tangent),
                "gram_min_eigenvalue": 0.0 if size > rows else values[-1],
                "gram_max_eigenvalue": values[0],
                "kernel_min_eigenvalue": 0.0 if size < rows else values[-1],
                "normal_gradient_norm": np.linalg.norm(gradient - tangent),
                "damping": damping,
                # How far rounding turns the image of J, whose weakest direction is this much weaker than the strongest.
                "turn": 10.0 * np.finfo(float).eps * singular[0] / min(singular[kept], default=np.inf),
            }
            if loss.accuracy(psi) is not None:
                columns["log_loss"] = loss.value(psi) / len(inputs)
                columns["accuracy"] = loss.accuracy(psi)
            if held_out is not None:
                others = Loss(config["loss"], held_out[1], network.outputs)
                psi = scaling * network.value(held_out[0], weights)
                columns["held_out_loss"] = others.value(psi) / len(held_out[1])
            yield index, weights.copy(), columns
        move = direction(jacobian, gradient, damping, dynamics["rank_cutoff"])
        weights = weights - factor * move


def relative(found, expected):
    """Norm of the difference over the norm of the reference, absolute where that is 0."""
    error = np.linalg.norm(np.asarray(found) - np.asarray(expected))
    return float(error / (np.linalg.norm(expected) or 1.0))


def rounding_floors(rows, columns):
    """Differences of a column that are rounding: n eps of what it is a part of, in eigenvalues of their roots."""
    unit = rows * np.finfo(float).eps
    largest = columns["gram_max_eigenvalue"]
    gradient = np.hypot(columns["riemannian_gradient_norm"], columns["normal_gradient_norm"])
    turned = min(columns["turn"], 1.0) * gradient
    floors = {"normal_gradient_norm": unit * gradient + turned, "riemannian_gradient_norm": turned}
    for name in ("gram_min_eigenvalue", "kernel_min_eigenvalue"):
        floors[name] = unit**2 * largest + 2.0 * unit * np.sqrt(largest * columns[name])
    return floors


def check_data(problem, config, data):
    """Deviations of problem.json from the raw rows that it names, and from its own promises."""
    signs = np.abs(np.ravel(problem["output_signs"]))
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
            if not trace[index].get(name):  # not of the trace, or empty there
                continue
            found = float(trace[index][name])
            noise = name in floors and abs(found - expected) <= floors[name]
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
