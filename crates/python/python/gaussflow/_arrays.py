"""Arrays and numbers that callers hand over, checked, with errors that name the argument."""

from __future__ import annotations

import math
import warnings
from typing import Any, Optional

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


def _numbers(name: str, value: Any) -> npt.NDArray[Any]:
    """The value as an array of real numbers."""
    try:
        array = np.asarray(value)
    except Exception as error:
        raise ValueError(f"{name} cannot be read as an array: {error}") from error
    if array.dtype.kind not in "biuf":
        raise ValueError(
            f"{name} has dtype {array.dtype} and shape {array.shape}; expected real numbers (float64)"
        )
    return array


def vector(name: str, value: Any, length: Optional[int] = None) -> Array:
    """A contiguous vector of finite float64, of `length` numbers where one is given; copied only where it is none yet."""
    array = np.ascontiguousarray(_numbers(name, value), dtype=np.float64)
    if array.ndim != 1 or (length is not None and array.size != length):
        expected = "one dimension" if length is None else f"({length},)"
        raise ValueError(f"{name} has shape {array.shape}; expected {expected}")
    finite(name, array)
    return array


def matrix(name: str, value: Any) -> Array:
    """A contiguous matrix of finite float64 with at least one row and column; copied only where it is none yet."""
    array = np.ascontiguousarray(_numbers(name, value), dtype=np.float64)
    if array.ndim != 2 or array.size == 0:
        raise ValueError(
            f"{name} has shape {array.shape}; expected two dimensions with at least one row and column"
        )
    finite(name, array)
    return array


def finite(name: str, array: Array) -> None:
    """Refuses an array with an entry that is infinite or NaN."""
    if not np.isfinite(array).all():
        place = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
        place_text = str(place[0]) if len(place) == 1 else str(place)
        raise ValueError(f"{name} has shape {array.shape} and is {array[place]} at {place_text}; expected finite numbers")


def read_only(array: Array) -> Array:
    """The same array, which cannot be written to any more."""
    array.flags.writeable = False
    return array


def number(name: str, value: Any, accepted: str = "a finite number", *, above: float = -math.inf) -> float:
    """A finite number greater than `above`."""
    try:
        found = float(value)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} is {value!r}; accepted: {accepted}") from error
    if not (math.isfinite(found) and found > above):
        raise ValueError(f"{name} is {value!r}; accepted: {accepted}")
    return found


def count(name: str, value: Any, least: int = 0) -> int:
    """A whole number of at least `least` that a machine word holds."""
    try:
        # True is no count; a float that is whole is one.
        found = int(value) if not isinstance(value, (bool, str)) and int(value) == value else None
    except (TypeError, ValueError, OverflowError):
        found = None
    if found is None or not least <= found < 2**63:
        raise ValueError(f"{name} is {value!r}; accepted: whole numbers from {least} on")
    return found


def function(name: str, value: Any) -> Any:
    """Something that can be called."""
    if not callable(value):
        raise ValueError(f"{name} is {value!r}; accepted: a function")
    return value


def returned(name: str, value: Any, dimensions: int) -> Array:
    """What a user's function returned, as a contiguous array of float64; the compiled module calls this."""
    if hasattr(value, "toarray"):  # scipy.sparse
        value = value.toarray()
    elif hasattr(value, "matmat"):  # scipy.sparse.linalg.LinearOperator
        value = value.matmat(np.eye(value.shape[1]))
    array = _numbers(f"what {name} returned", value)
    if array.dtype == np.float32:
        warnings.warn(
            f"{name} returns float32 numbers, whose rounding limits the accuracy to about 1e-4;"
            ' with JAX call jax.config.update("jax_enable_x64", True) first',
            RuntimeWarning,
            stacklevel=2,
        )
    array = np.atleast_1d(array) if dimensions == 1 else np.atleast_2d(array)
    if array.ndim != dimensions:
        expected = "one dimension" if dimensions == 1 else "two dimensions"
        raise ValueError(f"{name} returned an array of shape {array.shape}; expected {expected}")
    return np.ascontiguousarray(array, dtype=np.float64)
