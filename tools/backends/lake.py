"""A lake: a folder of Parquet a table, events and activity divided by day (events/day=2026-06-17/…), for Spark to read.

`_published.json` in it names the files that count, and is replaced in one step: a publication is seen whole or not at all, and
files that one left behind when it was cut off are seen by nobody and swept away by the next. Where a merchant's own pipelines
fill the folders there is no such file, and whatever lies in them counts.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tools.backends.url import SparkURL
from tools.backends.warehouse import wanted
from tools.errors import NeedsPerson
from tools.gate import Gate
from tools.sql import quote

if TYPE_CHECKING:
    from tools.engine import Engine
    from tools.publish import Mark, Part, Span

MANIFEST = "_published.json"
_OURS = "warroom-"  # how the names of our files begin
_DAY = re.compile(r"/day=(\d{4}-\d\d-\d\d)/")
_PATIENCE = 600.0  # seconds to wait for another publication


def files(lake: Path) -> dict[str, list[str]] | None:
    """table → the files that count, relative to the lake; None where nothing was ever published."""
    manifest = _read(lake)
    if manifest is None:
        return None
    out: dict[str, list[str]] = {}
    for part in manifest:
        out.setdefault(part["table"], []).extend(part["files"])
    return out


def _read(lake: Path) -> list[dict[str, Any]] | None:
    try:
        return list(json.loads((lake / MANIFEST).read_text(encoding="utf-8"))["parts"])
    except FileNotFoundError:
        return None


@contextmanager
def publication(engine: Engine, url: SparkURL, root: Path) -> Iterator[LakePublication]:
    """A publication to the lake of `url`. NeedsPerson when it is no folder of ours to write."""
    lake = url.folder(root)
    if lake is None:
        raise NeedsPerson("lake_elsewhere", lake=url.lake)
    lake.mkdir(parents=True, exist_ok=True)
    gate = Gate(lake / MANIFEST)
    try:
        if not gate.hold(time.monotonic() + _PATIENCE):
            raise NeedsPerson("publish_failed", detail="another publication is under way")
        parts = _read(lake)
        if parts is None:
            foreign = [name for name in wanted() if any((lake / name).glob("*"))]
            if foreign:
                raise NeedsPerson("publish_foreign", tables=", ".join(foreign))
        current = LakePublication(engine, lake, parts or [])
        current.sweep()
        try:
            yield current
        finally:
            current.sweep()
    finally:
        gate.leave()


class LakePublication:
    """What tools/publish.py asks of a target: new files beside the old, and at the end another list of those that count."""

    def __init__(self, engine: Engine, lake: Path, parts: list[dict[str, Any]]) -> None:
        self._engine = engine
        self._lake = lake
        self._parts = {(p["table"], date.fromisoformat(p["day"]) if p["day"] else None): p for p in parts}
        self._written: dict[Part, list[str]] = {}

    @property
    def place(self) -> str:
        return str(self._lake)

    def marks(self) -> dict[Part, Mark]:
        from tools.publish import Mark

        return {part: Mark(p["rows"], p["sums"]) for part, p in self._parts.items()}

    def put(self, table: str, days: Span, select: str) -> None:
        folder = self._lake / table
        folder.mkdir(exist_ok=True)
        if days is None:
            name = f"{_OURS}{uuid.uuid4()}.parquet"
            self._engine.execute(f"COPY ({select}) TO {quote(str(folder / name))} (FORMAT parquet)")
            self._written[table, None] = [f"{table}/{name}"]
            return
        if "day" not in wanted()[table]:
            select = f"SELECT *, CAST(ts AS DATE) AS day FROM ({select})"
        found = self._engine.execute(
            f"COPY ({select}) TO {quote(str(folder))} "
            f"(FORMAT parquet, PARTITION_BY (day), APPEND, FILENAME_PATTERN '{_OURS}{{uuid}}', RETURN_FILES)"
        )
        for path in sorted(str(f) for f in found[0][1]):
            match = _DAY.search(path)
            assert match is not None
            relative = Path(path).resolve().relative_to(self._lake.resolve()).as_posix()
            self._written.setdefault((table, date.fromisoformat(match[1])), []).append(relative)

    def record(self, parts: dict[Part, Mark], gone: set[Part]) -> None:
        for part in gone:
            del self._parts[part]
        for (table, day), mark in parts.items():
            self._parts[table, day] = {
                "table": table,
                "day": day.isoformat() if day else None,
                "rows": mark.rows,
                "sums": mark.sums,
                "files": self._written[table, day],
            }
        ordered = sorted(self._parts.values(), key=lambda p: (p["table"], p["day"] or ""))
        with tempfile.NamedTemporaryFile("w", dir=self._lake, encoding="utf-8", delete=False) as f:
            json.dump({"parts": ordered}, f, ensure_ascii=False)
            f.flush()
            os.fsync(f.fileno())
        Path(f.name).chmod(0o644)
        Path(f.name).replace(self._lake / MANIFEST)

    def sweep(self) -> None:
        """Take away files of ours that do not count (any more)."""
        count = {f for part in _read(self._lake) or [] for f in part["files"]}
        for table in wanted():
            for path in list((self._lake / table).rglob(f"{_OURS}*.parquet")):
                if path.relative_to(self._lake).as_posix() not in count:
                    path.unlink()
                    if path.parent.name.startswith("day=") and not any(path.parent.iterdir()):
                        path.parent.rmdir()
