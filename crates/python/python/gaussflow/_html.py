"""Tables for notebooks."""

from __future__ import annotations

from html import escape
from typing import Iterable, Sequence


def table(caption: str, header: Sequence[str], rows: Iterable[Sequence[object]], note: str = "") -> str:
    """A table with a caption above and a note below; every text is escaped."""
    head = "".join(f"<th>{escape(name)}</th>" for name in header)
    body = "".join("<tr>" + "".join(f"<td>{escape(text(cell))}</td>" for cell in row) + "</tr>" for row in rows)
    below = f"<p>{escape(note)}</p>" if note else ""
    return f"<p>{escape(caption)}</p><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{below}"


def text(cell: object) -> str:
    """A number with six digits, anything else as it prints."""
    return f"{cell:.6g}" if isinstance(cell, float) else str(cell)
