"""Compiled statements kept in the workspace: building them needs Ibis, whose import costs more than most questions.

A statement depends on the code and the catalogue that made it, so the file carries their fingerprint and is ignored, and
written anew, when they change. Losing the file loses nothing but a second.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from functools import cache
from importlib.metadata import version
from pathlib import Path

import knowledge

_HERE = Path(__file__).parent
_MADE_BY = (
    "audience.py",
    "crowds.py",
    "daily.py",
    "engine.py",
    "export.py",
    "expressions.py",
    "filter_values.py",
    "filters.py",
    "measures.py",
    "metrics.py",
    "overlap.py",
    "reader.py",
    "scope.py",
    "backends/postgres.py",
    "backends/spark.py",
    "backends/warehouse.py",
)
_MADE_FROM = ("metrics.yaml", "tables.yaml", "crowds.yaml")


@cache
def fingerprint() -> str:
    """Changes with everything that statements are made by and from."""
    digest = hashlib.sha256(version("ibis-framework").encode())
    for path in [*(_HERE / f for f in _MADE_BY), *(Path(knowledge.__file__).parent / f for f in _MADE_FROM)]:
        digest.update(path.read_bytes())
    return digest.hexdigest()


class StatementFile:
    """A JSON file of shape → statement."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> dict[str, str]:
        """The statements, or none when there are none yet or they were made by other code."""
        try:
            document = json.loads(self.path.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return {}
        return dict(document["statements"]) if document.get("fingerprint") == fingerprint() else {}

    def write(self, statements: dict[str, str]) -> None:
        """Replace the file in one step. Where the workspace cannot be written, the statements stay in memory only."""
        document = json.dumps({"fingerprint": fingerprint(), "statements": statements}, ensure_ascii=False)
        try:
            with tempfile.NamedTemporaryFile("w", dir=self.path.parent, encoding="utf-8", delete=False) as f:
                f.write(document)
            Path(f.name).replace(self.path)
        except PermissionError:
            return
