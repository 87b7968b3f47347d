"""Dictionaries whose keys are attributes too."""

from __future__ import annotations

from typing import Any, Dict, List


class Record(Dict[str, Any]):
    """A dictionary whose keys are attributes too, as those of SciPy's ``OptimizeResult``."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            kind = type(self).__name__
            raise AttributeError(f"{kind} has no {name!r}; it has {', '.join(self)}") from None

    def __dir__(self) -> List[str]:
        return list(self)
