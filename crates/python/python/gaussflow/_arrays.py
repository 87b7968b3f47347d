"""Arrays and numbers that callers hand over, checked, with errors that name the argument."""

from __future__ import annotations

import math
import os
import warnings
from typing import Any, Optional

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

#: Characters of a value that an error shows.
_SHOWN = 80


def shown(value: Any) -> str:
    """A value as an error shows it: short, and whatever its own ``repr`` does."""
    try:
        text = repr(value)
    except Exception:
        text = f"a {type(value).__name__}"
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "..."


def real(name: str, value: Any) -> npt.NDArray[Any]:
    """The value as an array of real numbers, of whatever type and shape."""
    try:
        array = np.asarray(value)
    except Exception as error:
        raise ValueError(f"{name} cannot be read as an array: {error}") from error
    if array.dtype.kind not in "biuf":
        raise ValueError(f"{name} has dtype {array.dtype} and shape {array.shape}; expected real numbers (float64)")
    if isinstance(value, np.ma.MaskedArray) and np.ma.is_masked(value):
        raise ValueError(
            f"{name} has shape {array.shape} and masked entries; expected numbers everywhere (see numpy.ma.compressed)"
        )
    return array


def contiguous(array: npt.NDArray[Any]) -> Array:
    """The array as the compiled module takes it: float64, C-contiguous, aligned; copied only where it is not."""
    return np.require(array, np.float64, ["C_CONTIGUOUS", "ALIGNED"])


def vector(name: str, value: Any, length: Optional[int] = None) -> Array:
    """A contiguous vector of finite float64, of `length` numbers where one is given, else of one or more."""
    array = real(name, value)
    wrong = array.size == 0 if length is None else array.size != length
    if array.ndim != 1 or wrong:
        expected = "one dimension with at least one number" if length is None else f"({length},)"
        raise ValueError(f"{name} has shape {array.shape}; expected {expected}")
    finite(name, array)
    return contiguous(array)


def matrix(name: str, value: Any) -> Array:
    """A contiguous matrix of finite float64 with at least one row and column."""
    array = real(name, value)
    if array.ndim != 2 or array.size == 0:
        raise ValueError(f"{name} has shape {array.shape}; expected two dimensions with at least one row and column")
    finite(name, array)
    return contiguous(array)


def finite(name: str, array: npt.NDArray[Any]) -> None:
    """Refuses an array with an entry that is infinite or NaN."""
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        place = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
        where = str(place[0]) if len(place) == 1 else str(place)
        raise ValueError(f"{name} has shape {array.shape} and is {array[place]} at {where}; expected finite numbers")


def read_only(array: Array) -> Array:
    """The same array, which cannot be written to any more."""
    array.flags.writeable = False
    return array


def number(name: str, value: Any, accepted: str = "a finite number", *, above: float = -math.inf) -> float:
    """A finite number greater than `above`."""
    refused = isinstance(value, (bool, str, bytes, complex, np.bool_, np.complexfloating))
    try:
        found = math.nan if refused else float(value)
    except Exception:
        found = math.nan
    if not (math.isfinite(found) and found > above):
        raise ValueError(f"{name} is {shown(value)}; accepted: {accepted}")
    return found


def count(name: str, value: Any, least: int = 0) -> int:
    """A whole number of at least `least` that a machine word holds."""
    found = None
    if not isinstance(value, (bool, str, bytes, np.bool_)):
        try:
            # A float that is whole is a count.
            found = int(value) if int(value) == value else None
        except Exception:
            found = None
    if found is None or not least <= found < 2**63:
        raise ValueError(f"{name} is {shown(value)}; accepted: whole numbers from {least} on")
    return found


def word(name: str, value: Any) -> str:
    """A name of something."""
    if not isinstance(value, str):
        raise ValueError(f"{name} is {shown(value)}; accepted: a string")
    return value


def function(name: str, value: Any) -> Any:
    """Something that can be called."""
    if not callable(value):
        raise ValueError(f"{name} is {shown(value)}; accepted: a function")
    return value


def folder(name: str, value: Any) -> str:
    """The path of a file or folder."""
    try:
        path = os.fsdecode(os.fspath(value))
    except Exception as error:
        raise ValueError(f"{name} is {shown(value)}; accepted: a path") from error
    if not path:
        raise ValueError(f"{name} is empty; accepted: a path")
    return path


def truth(name: str, value: Any) -> bool:
    """Whether what a callback returned is true."""
    try:
        return bool(value)
    except Exception as error:
        raise ValueError(f"{name} returned {shown(value)}; expected true or false") from error


def returned(name: str, value: Any, dimensions: int) -> Array:
    """What a user's function returned, as a contiguous array of float64; the compiled module calls this."""
    if hasattr(value, "toarray"):  # scipy.sparse
        value = value.toarray()
    elif hasattr(value, "matmat"):  # scipy.sparse.linalg.LinearOperator
        value = value.matmat(np.eye(value.shape[1]))
    array = real(f"what {name} returned", value)
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
    return contiguous(array)
