"""Ctrl-C during a flow or a fit."""

from __future__ import annotations

from typing import Any


class Interrupted(KeyboardInterrupt):
    """Ctrl-C ended a flow or a fit before its end.

    Attributes
    ----------
    result : Run or Fit
        What there was until then. A run goes on with ``gf.flow(..., resume=error.result)``, a fit with
        ``x0=error.result.x``.
    """

    def __init__(self, message: str, result: Any) -> None:
        super().__init__(message)
        self.result = result
