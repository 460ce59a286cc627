"""Text that stands in SQL."""

from __future__ import annotations


def quote(text: str) -> str:
    """A text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"
