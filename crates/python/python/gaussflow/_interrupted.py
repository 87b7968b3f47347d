"""Ctrl-C during a flow or a fit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Tuple, Union

if TYPE_CHECKING:
    from ._least_squares import Fit
    from ._run import Run


class Interrupted(KeyboardInterrupt):
    """Ctrl-C ended a flow or a fit before its end.

    Attributes
    ----------
    result : Run or Fit
        What there was until then; before the first Jacobian that is the start alone. A run goes on with ``gf.flow(..., resume=error.result)``, a fit with
        ``x0=error.result.x``.
    """

    result: Union[Run, Fit]

    def __init__(self, message: str, result: Union[Run, Fit]) -> None:
        super().__init__(message)
        self.result = result

    def __reduce__(self) -> Tuple[Any, ...]:
        return Interrupted, (str(self), self.result)
