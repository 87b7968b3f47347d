"""SciPy's answers for `tests/dynamics/fit/robust_losses.rs`: writes ../data/robust_losses.txt.

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


def deviations_of(loss, scale, root, found):
    """curve_fit's covariance for squares (absolute_sigma=False), the sandwich for robust losses, by inverses."""
    n = len(t)
    e = np.exp(-found.x[1] * t)
    J = root[:, None] * np.stack([e, -found.x[0] * t * e, np.ones_like(t)], axis=1)
    r = root * (found.x[0] * e + found.x[2] - y)
    if loss == "squares":
        return np.linalg.inv(J.T @ J) * (r @ r) / (n - 3)
    psi = {
        "huber": lambda x: np.clip(x, -scale, scale),
        "soft-l1": lambda x: x / np.sqrt(1.0 + (x / scale) ** 2),
        "cauchy": lambda x: x / (1.0 + (x / scale) ** 2),
    }[loss]
    h = 1.06 * 1.4826 * np.median(np.abs(r)) * n ** (-1.0 / 3.0)
    slope = (psi(r + h) - psi(r - h)) / (2.0 * h)
    inverse = np.linalg.inv(J.T @ (slope[:, None] * J))
    U = np.linalg.qr(J)[0]
    if np.linalg.eigvalsh(U.T @ (slope[:, None] * U))[0] < 0.25 * slope.mean():
        inverse = np.linalg.inv(J.T @ J) / slope.mean()
    return inverse @ (J.T @ (psi(r)[:, None] ** 2 * J)) @ inverse * n / (n - 3)


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
            covariance = deviations_of(ours, scale, root, found)
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
