"""Fits by a loss that is a user's function, in the terms of SciPy."""

from __future__ import annotations

from typing import Any, Callable, Dict, Tuple

import numpy as np

from ._arrays import Array, function, returned


class CallableLoss:
    r"""Residuals whose plain sum of squares is a robust loss :math:`\rho` of others.

    With :math:`z = (r/C)^2` the loss :math:`C^2 \rho(z)` is the square of :math:`C\,\mathrm{sign}(r) \sqrt{\rho(z)}`.
    """

    def __init__(self, fun: Any, jac: Any, loss: Callable[[Array], Any], scale: float) -> None:
        self.fun, self.jac, self.loss, self.scale = function("fun", fun), jac, loss, scale
        self._last: Tuple[Array, Array] = (np.empty(0), np.empty(0))

    def _plain(self, x: Array, args: Tuple[Any, ...], kwargs: Dict[str, Any]) -> Array:
        """The user's residuals (n,); those of the last point are kept, as a Jacobian follows them there."""
        if not np.array_equal(self._last[0], x):
            self._last = (x.copy(), returned("fun", self.fun(x, *args, **kwargs), 1))
        return self._last[1]

    def _rho(self, r: Array) -> Tuple[Array, Array]:
        """z, and rho with its first two derivatives there (3, n)."""
        z = (r / self.scale) ** 2
        rho = np.array(self.loss(z), dtype=float)
        if rho.shape != (3, r.size):
            raise ValueError(f"loss returned an array of shape {rho.shape}; expected (3, {r.size})")
        # Near 0, where rho may cancel.
        rho[0] = np.where(z < 1e-8, rho[1] * z, rho[0])
        if (rho[0] < 0).any():
            raise ValueError("loss returned a negative rho; expected rho(z) of at least 0, and rho(0) = 0")
        return z, rho

    def _slopes(self, z: Array, rho: Array) -> Array:
        """The derivatives of the transformed residuals by the plain ones."""
        safe = np.where(rho[0] > 0, rho[0], 1.0)
        slopes: Array = np.where(rho[0] > 0, rho[1] * np.sqrt(z / safe), np.sqrt(np.maximum(rho[1], 0.0)))
        return slopes

    def residuals(self, x: Array, *args: Any, **kwargs: Any) -> Array:
        """The transformed residuals (n,)."""
        r = self._plain(x, args, kwargs)
        size: Array = self.scale * np.sqrt(self._rho(r)[1][0])
        signed: Array = np.copysign(size, r)
        return signed

    def jacobian(self, x: Array, *args: Any, **kwargs: Any) -> Array:
        """Their Jacobian (n, p)."""
        r = self._plain(x, args, kwargs)
        slopes: Array = returned("jac", self.jac(x, *args, **kwargs), 2) * self._slopes(*self._rho(r))[:, None]
        return slopes

    def restore(self, fit: Dict[str, Any], args: Tuple[Any, ...], kwargs: Dict[str, Any]) -> None:
        """Put what SciPy returns for the plain residuals into `fit`."""
        r = self._plain(fit["x"].copy(), args, kwargs)
        z, rho = self._rho(r)
        slopes = self._slopes(z, rho)
        plain = np.divide(fit["jac"], slopes[:, None], out=np.zeros_like(fit["jac"]), where=slopes[:, None] != 0)
        weights = np.sqrt(np.maximum(rho[1] + 2.0 * rho[2] * z, np.finfo(float).eps))
        fit.update(
            fun=r,
            cost=0.5 * self.scale**2 * float(rho[0].sum()),
            grad=plain.T @ (rho[1] * r),
            jac=weights[:, None] * plain,
        )
