"""SciPy's results on the classical test functions, beside ours, for docs/do/fits.md: prints that table.

Run `python classical_scipy.py` with SciPy and NumPy (written with 1.17.1 and 2.4.6). Derivatives are exact (complex
steps), tolerances 1e-15, variables scaled by the Jacobian, at most 2000 evaluations, which is our limit too; the
functions are those of ../fit/classical_functions.rs, ours the results in ../data/classical_runs.txt, which the test
`classical` pins. Prints one row a function (evaluations from 1, 10 and 100 times the start; a letter says where a run
ended if not at the least minimum), then the runs whose endings differ, with their losses.
"""

import pathlib
import re
import warnings

import numpy as np

from peers import fit

warnings.filterwarnings("ignore")
TESTS = pathlib.Path(__file__).parent.parent
exp, log, sin, cos, atan = np.exp, np.log, np.sin, np.cos, np.arctan


def floats(text):
    return np.array([float(x) for x in text.split()])


def rosenbrock(x):
    return np.array([10 * (x[1] - x[0] ** 2), 1 - x[0]])


def powell_singular(x):
    a, b, c, d = x
    return np.array([a + 10 * b, 5**0.5 * (c - d), (b - 2 * c) ** 2, 10**0.5 * (a - d) ** 2])


def helical_valley(x):
    turn = atan(x[1] / x[0]) / (2 * np.pi) + (0.5 if np.real(x[0]) < 0 else 0)
    return np.array([10 * (x[2] - 10 * turn), 10 * ((x[0] ** 2 + x[1] ** 2) ** 0.5 - 1), x[2]])


def bard(x):
    y = floats("0.14 0.18 0.22 0.25 0.29 0.32 0.35 0.39 0.37 0.58 0.73 0.96 1.34 2.10 4.39")
    u = np.arange(1.0, 16)
    return y - (x[0] + u / ((16 - u) * x[1] + np.minimum(u, 16 - u) * x[2]))


def gaussian(x):
    half = floats("0.0009 0.0044 0.0175 0.0540 0.1295 0.2420 0.3521")
    t = (8 - np.arange(1.0, 16)) / 2
    return x[0] * exp(-x[1] * (t - x[2]) ** 2 / 2) - np.concatenate([half, [0.3989], half[::-1]])


def meyer(x):
    y = floats("34780 28610 23650 19630 16370 13720 11540 9744 8261 7030 6005 5147 4427 3820 3307 2872")
    return x[0] * exp(x[1] / (45 + 5 * np.arange(1.0, 17) + x[2])) - y


def gulf(x):
    t = np.arange(1, 100) / 100
    distance = 25 + (-50 * np.log(t)) ** (2 / 3) - x[1]
    return exp(-exp(x[2] * log(distance * np.sign(np.real(distance)))) / x[0]) - t


def box(x):
    t = np.arange(1, 11) / 10
    return exp(-t * x[0]) - exp(-t * x[1]) - x[2] * (exp(-t) - exp(-10 * t))


def wood(x):
    a, b, c, d = x
    valley = [10 * (b - a**2), 1 - a, 90**0.5 * (d - c**2), 1 - c]
    return np.array(valley + [10**0.5 * (b + d - 2), (b - d) / 10**0.5])


def kowalik_osborne(x):
    y = floats("0.1957 0.1947 0.1735 0.1600 0.0844 0.0627 0.0456 0.0342 0.0323 0.0235 0.0246")
    u = floats("4 2 1 0.5 0.25 0.167 0.125 0.1 0.0833 0.0714 0.0625")
    return y - x[0] * (u**2 + u * x[1]) / (u**2 + u * x[2] + x[3])


def brown_dennis(x):
    t = np.arange(1, 21) / 5
    return (x[0] + t * x[1] - np.exp(t)) ** 2 + (x[2] + x[3] * np.sin(t) - np.cos(t)) ** 2


def osborne_one(x):
    y = floats(
        "0.844 0.908 0.932 0.936 0.925 0.908 0.881 0.850 0.818 0.784 0.751 0.718 0.685 0.658 0.628 0.603 0.580 0.558 "
        "0.538 0.522 0.506 0.490 0.478 0.467 0.457 0.448 0.438 0.431 0.424 0.420 0.414 0.411 0.406"
    )
    t = 10 * np.arange(33)
    return y - (x[0] + x[1] * exp(-t * x[3]) + x[2] * exp(-t * x[4]))


def biggs(x):
    t = np.arange(1, 14) / 10
    y = np.exp(-t) - 5 * np.exp(-10 * t) + 3 * np.exp(-4 * t)
    return x[2] * exp(-t * x[0]) - x[3] * exp(-t * x[1]) + x[5] * exp(-t * x[4]) - y


def osborne_two(x):
    y = floats(
        "1.366 1.191 1.112 1.013 0.991 0.885 0.831 0.847 0.786 0.725 0.746 0.679 0.608 0.655 0.616 0.606 0.602 0.626 "
        "0.651 0.724 0.649 0.649 0.694 0.644 0.624 0.661 0.612 0.558 0.533 0.495 0.500 0.423 0.395 0.375 0.372 0.391 "
        "0.396 0.405 0.428 0.429 0.523 0.562 0.607 0.653 0.672 0.708 0.633 0.668 0.645 0.632 0.591 0.559 0.597 0.625 "
        "0.739 0.710 0.729 0.720 0.636 0.581 0.428 0.292 0.162 0.098 0.054"
    )
    t = np.arange(65) / 10
    bells = sum(x[k] * exp(-x[k + 4] * (t - x[k + 7]) ** 2) for k in (1, 2, 3))
    return y - x[0] * exp(-t * x[4]) - bells


def watson(x):
    t, k = np.arange(1, 30)[:, None] / 29, np.arange(len(x))
    slope = ((k[1:] * t ** (k[1:] - 1)) * x[1:]).sum(axis=1)
    return np.concatenate([slope - (t**k * x).sum(axis=1) ** 2 - 1, [x[0], x[1] - x[0] ** 2 - 1]])


def penalty_one(x):
    return np.append(1e-5**0.5 * (x - 1), (x**2).sum() - 0.25)


def penalty_two(x):
    n, grown, known = len(x), exp(x / 10), np.exp(np.arange(1, len(x) + 1) / 10)
    pairs = 1e-5**0.5 * (grown[1:] + grown[:-1] - known[1:] - known[:-1])
    floor = 1e-5**0.5 * (grown[1:] - np.exp(-0.1))
    return np.concatenate([[x[0] - 0.2], pairs, floor, [(np.arange(n, 0, -1) * x**2).sum() - 1]])


def variably_dimensioned(x):
    total = (np.arange(1, len(x) + 1) * (x - 1)).sum()
    return np.concatenate([x - 1, [total, total**2]])


def trigonometric(x):
    return len(x) - cos(x).sum() + np.arange(1, len(x) + 1) * (1 - cos(x)) - sin(x)


def brown_almost_linear(x):
    return np.append(x[:-1] + x.sum() - (len(x) + 1), x.prod() - 1)


def discrete_boundary_value(x):
    n = len(x)
    t, padded = np.arange(1, n + 1) / (n + 1), np.concatenate([[0], x, [0]])
    return 2 * x - padded[:-2] - padded[2:] + (x + t + 1) ** 3 / (n + 1) ** 2 / 2


def discrete_integral_equation(x):
    n = len(x)
    t = np.arange(1, n + 1) / (n + 1)
    kernel = np.minimum(t[:, None], t) * (1 - np.maximum(t[:, None], t))
    return x + (kernel * (x + t + 1) ** 3).sum(axis=1) / (n + 1) / 2


def broyden_tridiagonal(x):
    padded = np.concatenate([[0], x, [0]])
    return (3 - 2 * x) * x - padded[:-2] - 2 * padded[2:] + 1


def broyden_banded(x):
    def around(i):
        return sum(x[k] * (1 + x[k]) for k in range(max(0, i - 5), min(len(x), i + 2)) if k != i)

    return np.array([x[i] * (2 + 5 * x[i] ** 2) + 1 - around(i) for i in range(len(x))])


def chebyquad(m):
    def residuals(x):
        found, before, at = [], 1, 2 * x - 1
        for degree in range(1, m + 1):
            found.append(at.sum() / len(x) + (1 / (degree**2 - 1) if degree % 2 == 0 else 0))
            before, at = at, 2 * (2 * x - 1) * at - before
        return np.array(found)

    return residuals


def linear_full_rank(m):
    return lambda x: np.concatenate([x, np.zeros(m - len(x))]) - 2 * x.sum() / m - 1


def linear_rank_one(m):
    return lambda x: np.arange(1, m + 1) * (np.arange(1, len(x) + 1) * x).sum() - 1


def linear_rank_one_zeros(m):
    inside = np.concatenate([[0], np.arange(1, m - 1), [0]])
    return lambda x: inside * (np.arange(2, len(x)) * x[1:-1]).sum() - 1


def steps(n):
    return np.arange(1, n + 1) / (n + 1)


def arch(n):
    return steps(n) * (steps(n) - 1)


FUNCTIONS = {
    "rosenbrock": (rosenbrock, [-1.2, 1]),
    "freudenstein-roth": (
        lambda x: np.array([x[0] - 13 + ((5 - x[1]) * x[1] - 2) * x[1], x[0] - 29 + ((x[1] + 1) * x[1] - 14) * x[1]]),
        [0.5, -2],
    ),
    "powell-badly-scaled": (lambda x: np.array([1e4 * x[0] * x[1] - 1, exp(-x[0]) + exp(-x[1]) - 1.0001]), [0, 1]),
    "brown-badly-scaled": (lambda x: np.array([x[0] - 1e6, x[1] - 2e-6, x[0] * x[1] - 2]), [1, 1]),
    "beale": (lambda x: floats("1.5 2.25 2.625") - x[0] * (1 - x[1] ** np.array([1, 2, 3])), [1, 1]),
    "jennrich-sampson": (
        lambda x: 2 + 2 * np.arange(1, 11) - exp(np.arange(1, 11) * x[0]) - exp(np.arange(1, 11) * x[1]),
        [0.3, 0.4],
    ),
    "helical-valley": (helical_valley, [-1, 0, 0]),
    "bard": (bard, [1, 1, 1]),
    "gaussian": (gaussian, [0.4, 1, 0]),
    "meyer": (meyer, [0.02, 4000, 250]),
    "gulf": (gulf, [5, 2.5, 0.15]),
    "box": (box, [0, 10, 20]),
    "powell-singular": (powell_singular, [3, -1, 0, 1]),
    "wood": (wood, [-3, -1, -3, -1]),
    "kowalik-osborne": (kowalik_osborne, [0.25, 0.39, 0.415, 0.39]),
    "brown-dennis": (brown_dennis, [25, 5, -5, -1]),
    "osborne-1": (osborne_one, [0.5, 1.5, -1, 0.01, 0.02]),
    "biggs": (biggs, [1, 2, 1, 1, 1, 1]),
    "osborne-2": (osborne_two, [1.3, 0.65, 0.65, 0.7, 0.6, 3, 5, 7, 2, 4.5, 5.5]),
    "watson-6": (watson, [0] * 6),
    "watson-9": (watson, [0] * 9),
    "watson-12": (watson, [0] * 12),
    "extended-rosenbrock-10": (
        lambda x: np.concatenate([rosenbrock(x[k : k + 2]) for k in range(0, 10, 2)]),
        [-1.2, 1] * 5,
    ),
    "extended-powell-singular-12": (
        lambda x: np.concatenate([powell_singular(x[k : k + 4]) for k in range(0, 12, 4)]),
        [3, -1, 0, 1] * 3,
    ),
    "penalty-one-4": (penalty_one, np.arange(1, 5)),
    "penalty-one-10": (penalty_one, np.arange(1, 11)),
    "penalty-two-4": (penalty_two, [0.5] * 4),
    "penalty-two-10": (penalty_two, [0.5] * 10),
    "variably-dimensioned-10": (variably_dimensioned, 1 - np.arange(1, 11) / 10),
    "trigonometric-10": (trigonometric, [0.1] * 10),
    "brown-almost-linear-10": (brown_almost_linear, [0.5] * 10),
    "brown-almost-linear-30": (brown_almost_linear, [0.5] * 30),
    "brown-almost-linear-40": (brown_almost_linear, [0.5] * 40),
    "discrete-boundary-value-10": (discrete_boundary_value, arch(10)),
    "discrete-integral-equation-10": (discrete_integral_equation, arch(10)),
    "broyden-tridiagonal-10": (broyden_tridiagonal, [-1] * 10),
    "broyden-banded-10": (broyden_banded, [-1] * 10),
    "linear-full-rank-5-10": (linear_full_rank(10), [1] * 5),
    "linear-full-rank-5-50": (linear_full_rank(50), [1] * 5),
    "linear-rank-one-5-10": (linear_rank_one(10), [1] * 5),
    "linear-rank-one-5-50": (linear_rank_one(50), [1] * 5),
    "linear-rank-one-zeros-5-10": (linear_rank_one_zeros(10), [1] * 5),
    "linear-rank-one-zeros-5-50": (linear_rank_one_zeros(50), [1] * 5),
    "chebyquad-1-8": (chebyquad(8), steps(1)),
    **{f"chebyquad-{n}": (chebyquad(n), steps(n)) for n in range(2, 11)},
}


def start_times(start, factor):
    """As MINPACK's driver: `factor` in every entry where the start is 0."""
    start = np.array(start, dtype=float)
    return np.full_like(start, factor) if factor > 1 and not start.any() else factor * start


def run(residuals, start, method):
    """Evaluations and final loss; None where the method refuses the start."""
    try:
        found = fit(residuals, start, method, 2000)
    except (ValueError, np.linalg.LinAlgError):
        return None
    return found.nfev, float((found.fun**2).sum())


def read_known():
    """Losses of minima, limits and saddles, from the table of the Rust test."""
    text = (TESTS / "fit" / "classical_functions.rs").read_text()
    rows = re.findall(r'name: "([^"]+)".*?minima: &\[(.*?)\], limits: &\[(.*?)\], saddles: &\[(.*?)\]', text)
    return {name: [[eval(x) for x in list.split(",") if x] for list in lists] for name, *lists in rows}


def ending(known, loss):
    """As `Ending::of` of the Rust test; peers that end by a relative change leave more of a loss of 0."""
    minima, limits, saddles = known
    meets = lambda losses, digits: any(abs(loss - m) <= digits * m + 1e-18 for m in losses)
    if meets(minima[:1], 1e-8):
        return ""
    for letter, losses, digits in (("m", minima, 1e-8), ("s", saddles, 1e-8), ("a", limits, 1e-3)):
        if meets(losses, digits):
            return letter
    return "u"


def main():
    known = read_known()
    letters = {"minimum": "", "local": "m", "saddle": "s", "limit": "a", "unfinished": "u", "refused": "r"}
    ours = {}
    for line in (TESTS / "data" / "classical_runs.txt").read_text().splitlines():
        name, factor, p, n, evaluations, jacobians, end, loss, *varies = line.split()
        mark = letters[end] + ("*" if varies else "")
        ours[name, int(factor)] = (int(p), int(n), int(evaluations), mark, float(loss))
    differing = []
    print("| function | p, n | ours | SciPy lm | SciPy trf |\n|---|---|---|---|---|")
    for name, (residuals, start) in FUNCTIONS.items():
        cells = [[], [], []]
        for factor in (1, 10, 100):
            p, n, evaluations, mark, loss = ours[name, factor]
            row = [(evaluations, mark, loss)]
            for method in ("lm", "trf"):
                found = run(residuals, start_times(start, factor), method)
                row.append((found[0], ending(known[name], found[1]), found[1]) if found else (1, "r", np.inf))
            for cell, (count, letter, _) in zip(cells, row):
                cell.append(f"{count}{letter}")
            if len({letter.strip("*") for _, letter, _ in row}) > 1:
                differing.append((name, factor, row))
        print(f"| {name} | {p}, {n} | " + " | ".join(", ".join(cell) for cell in cells) + " |")
    print("\n| function, start | ours | SciPy lm | SciPy trf |\n|---|---|---|---|")
    for name, factor, row in differing:
        print(f"| {name}, {factor} | " + " | ".join(f"{loss:.7g} {letter}".strip() for _, letter, loss in row) + " |")


if __name__ == "__main__":
    main()
