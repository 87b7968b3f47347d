"""SciPy's answers for `tests/fit/robust_losses.rs`: writes ../data/robust_losses.txt.

Run `python robust_losses.py` with SciPy (written with 1.17.1). Weights multiply squared residuals, so that
SciPy sees residuals times their roots; SciPy's cost is half of our loss.
"""

import pathlib

import numpy as np
from scipy.optimize import least_squares

t = np.round(np.linspace(0.0, 6.0, 25), 12)
y = np.round(4.0 * np.exp(-0.9 * t) + 0.5 + 0.03 * np.sin(17.0 * t), 6)
y[[4, 11, 19]] += [3.0, -2.0, 5.0]  # outliers
weights = np.round(1.0 + 0.5 * np.cos(3.0 * t), 6)

lines = [f"data {a!r} {b!r} {c!r}" for a, b, c in zip(t.tolist(), y.tolist(), weights.tolist())]
for weighted in (0, 1):
    root = np.sqrt(weights) if weighted else np.ones_like(t)

    def residuals(w, root=root):
        return root * (w[0] * np.exp(-w[1] * t) + w[2] - y)

    def jacobian(w, root=root):
        e = np.exp(-w[1] * t)
        return root[:, None] * np.stack([e, -w[0] * t * e, np.ones_like(t)], axis=1)

    for ours, theirs in (("squares", "linear"), ("huber", "huber"), ("soft-l1", "soft_l1"), ("cauchy", "cauchy")):
        for scale in (0.1, 0.5):
            found = least_squares(
                residuals, [3.0, 1.0, 0.3], jacobian, loss=theirs, f_scale=scale,
                xtol=1e-15, ftol=1e-15, gtol=1e-15, max_nfev=10000, x_scale="jac",
            )
            # curve_fit's covariance with absolute_sigma=False.
            covariance = np.linalg.inv(found.jac.T @ found.jac) * 2.0 * found.cost / (len(t) - 3)
            numbers = [*found.x, 2.0 * found.cost, *np.sqrt(np.diag(covariance))]
            text = " ".join(repr(float(x)) for x in numbers)
            lines.append(f"fit {weighted} {ours} {scale!r} {text}")

# A box that cuts the first parameter off.
found = least_squares(
    lambda w: w[0] * np.exp(-w[1] * t) + w[2] - y, [3.0, 1.0, 0.3], loss="soft_l1", f_scale=0.5,
    bounds=([0.0, 0.0, 0.0], [3.5, 5.0, 5.0]), xtol=1e-15, ftol=1e-15, gtol=1e-15, max_nfev=10000,
)
lines.append("bounded " + " ".join(repr(float(x)) for x in [*found.x, 2.0 * found.cost]))
out = pathlib.Path(__file__).parent.parent / "data" / "robust_losses.txt"
out.write_text("\n".join(lines) + "\n")
