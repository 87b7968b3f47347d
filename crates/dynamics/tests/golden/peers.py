"""SciPy's least squares as the tables of docs/do/fits.md use it: exact derivatives, tolerances of 1e-15."""

import numpy as np
from scipy.optimize import least_squares


def jacobian_of(residuals):
    """The derivative by complex steps, exact to rounding."""

    def jacobian(x):
        columns = []
        for k in range(len(x)):
            shifted = x.astype(complex)
            shifted[k] += 1e-200j
            columns.append(residuals(shifted).imag / 1e-200)
        return np.stack(columns, axis=1)

    return jacobian


def fit(residuals, start, method, most):
    """Variables scaled by the Jacobian, at most `most` evaluations."""
    return least_squares(
        residuals, start, jacobian_of(residuals), method=method, x_scale="jac",
        ftol=1e-15, xtol=1e-15, gtol=1e-15, max_nfev=most,
    )
