"""SciPy's results on the NIST problems, for docs/do/fits.md: prints one line a run.

Run `python nist_scipy.py` with SciPy and NumPy (written with 1.17.1 and 2.4.6). Derivatives are exact (complex steps),
tolerances 1e-15, variables scaled by the Jacobian; the models are those of ../nist_problems/mod.rs.
Columns: name, start, digits and evaluations by MINPACK (lm), then by the reflective trust region (trf).
"""

import pathlib
import re
import warnings

import numpy as np

from peers import fit

warnings.filterwarnings("ignore")
FOLDER = pathlib.Path(__file__).parent.parent / "data" / "nist"
exp = np.exp


def gauss(b, x):
    return b[0] * exp(-b[1] * x) + b[2] * exp(-(((x - b[3]) / b[4]) ** 2)) + b[5] * exp(-(((x - b[6]) / b[7]) ** 2))


def lanczos(b, x):
    return b[0] * exp(-b[1] * x) + b[2] * exp(-b[3] * x) + b[4] * exp(-b[5] * x)


def enso(b, x):
    wave = lambda period, c, s: c * np.cos(2 * np.pi * x / period) + s * np.sin(2 * np.pi * x / period)
    return b[0] + wave(12.0, b[1], b[2]) + wave(b[3], b[4], b[5]) + wave(b[6], b[7], b[8])


MODELS = {
    "Misra1a": lambda b, x: b[0] * (1 - exp(-b[1] * x)),
    "Chwirut2": lambda b, x: exp(-b[0] * x) / (b[1] + b[2] * x),
    "Chwirut1": lambda b, x: exp(-b[0] * x) / (b[1] + b[2] * x),
    "Lanczos3": lanczos,
    "Gauss1": gauss,
    "Gauss2": gauss,
    "DanWood": lambda b, x: b[0] * x ** b[1],
    "Misra1b": lambda b, x: b[0] * (1 - (1 + b[1] * x / 2) ** -2.0),
    "Kirby2": lambda b, x: (b[0] + b[1] * x + b[2] * x**2) / (1 + b[3] * x + b[4] * x**2),
    "Hahn1": lambda b, x: (b[0] + b[1] * x + b[2] * x**2 + b[3] * x**3) / (1 + b[4] * x + b[5] * x**2 + b[6] * x**3),
    "Nelson": lambda b, x: b[0] - b[1] * x[0] * exp(-b[2] * x[1]),
    "MGH17": lambda b, x: b[0] + b[1] * exp(-x * b[3]) + b[2] * exp(-x * b[4]),
    "Lanczos1": lanczos,
    "Lanczos2": lanczos,
    "Gauss3": gauss,
    "Misra1c": lambda b, x: b[0] * (1 - (1 + 2 * b[1] * x) ** -0.5),
    "Misra1d": lambda b, x: b[0] * b[1] * x / (1 + b[1] * x),
    "Roszman1": lambda b, x: b[0] - b[1] * x - np.arctan(b[2] / (x - b[3])) / np.pi,
    "ENSO": enso,
}


def read(name):
    lines = (FOLDER / f"{name}.dat").read_text().splitlines()
    rows = [re.match(r"\s*b\d+\s*=\s*(\S+)\s+(\S+)\s+(\S+)\s+(\S+)", line) for line in lines[:60]]
    table = np.array([[float(x) for x in row.groups()] for row in rows if row])
    data = np.array([[float(x) for x in line.split()] for line in lines[60:] if line.strip()])
    return table, data


totals = [0, 0]
for name, model in MODELS.items():
    table, data = read(name)
    y = np.log(data[:, 0]) if name == "Nelson" else data[:, 0]
    x = data[:, 1:].T if name == "Nelson" else data[:, 1]

    def residuals(b):
        return model(b, x) - y

    for start in (0, 1):
        words = [name, str(start + 1)]
        for place, method in enumerate(("lm", "trf")):
            found = fit(residuals, table[:, start], method, 20000)
            error = np.abs((found.x - table[:, 2]) / table[:, 2]).max()
            words += [f"{min(11.0, -np.log10(max(error, 1e-11))):.1f}", str(found.nfev)]
            totals[place] += found.nfev
        print(" ".join(words))
print("total", totals[0], totals[1])
