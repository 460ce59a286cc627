"""Copying what changed from the workspace's data file to the engine that shop.yaml names.

Imports are checked, corrected and added up in the workspace (tools/ingest.py); the engine gets the result. What has to be
copied is found by comparing, day by day for events and activity, table by table for the others, what each part holds: so a
correction of last week copies that day again, a publication that was cut off is made up for by the next one, and one that finds
nothing new writes nothing. Readers see the old state or the new one, never a mixture.
"""

from __future__ import annotations

import errno
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Protocol

from tools import daily
from tools.backends.url import PostgresURL, WarehouseURL
from tools.backends.warehouse import wanted
from tools.engine import Engine
from tools.errors import AskAgain, NeedsPerson
from tools.shop import Shop

# Tables that are copied by days: the day of a row.
BY_DAY = {"events": "CAST(ts AS DATE)", "activity": "day"}
Part = tuple[str, date | None]  # a table, and of one copied by days the day
Span = tuple[date, date] | None  # the first and the last day; None for a whole table
Progress = Callable[[str, float], None]


@dataclass(frozen=True)
class Mark:
    """What a part holds: equal marks, equal rows."""

    rows: int
    sums: str


class Publication(Protocol):
    """One publication under way: seen by nobody until it is over, and by nobody ever if it fails."""

    @property
    def place(self) -> str:
        """Where to, as a person calls it."""

    def marks(self) -> dict[Part, Mark]:
        """What is published now."""

    def put(self, table: str, days: Span, select: str) -> None:
        """The rows of `select` in the place of the table, or of these days of it."""

    def record(self, parts: dict[Part, Mark], gone: set[Part]) -> None:
        """What is published from here on, beside what was already."""


@dataclass
class Published:
    """table → rows copied; `days` counts the days of events that were copied or taken out."""

    place: str
    rows: dict[str, int] = field(default_factory=dict)
    days: int = 0


def publish_shop(shop: Shop, progress: Progress | None = None) -> Published:
    """Bring the shop's engine up to date with its data file. AskAgain when shop.yaml names no other engine; NeedsPerson when
    it cannot be reached, cannot be written or holds tables that we did not fill."""
    import duckdb

    engine = Engine(shop.data_file, read_only=False)
    try:
        engine.create_tables()
        return publish(engine, shop, progress)
    except (duckdb.Error, OSError) as e:
        if getattr(e, "errno", None) in (errno.ENOSPC, errno.EDQUOT) or "No space left" in str(e):
            raise NeedsPerson("disk_full", path=str(shop.root)) from e
        raise NeedsPerson("publish_failed", detail=next(iter(str(e).splitlines()), type(e).__name__)) from e
    finally:
        engine.close()


def publish(engine: Engine, shop: Shop, progress: Progress | None = None) -> Published:
    """Bring the shop's engine up to date with `engine`."""
    if shop.warehouse is None:
        raise AskAgain("nothing_to_publish")
    with _publication(engine, shop.warehouse, shop.root) as publication:
        there, here = publication.marks(), marks(engine)
        changed = {part: mark for part, mark in here.items() if there.get(part) != mark}
        gone = set(there) - set(here)
        out = Published(publication.place)
        total, done = sum(m.rows for m in changed.values()) or 1, 0
        for table, days, rows in _portions(changed, gone):
            publication.put(table, days, _select(table, days))
            out.rows[table] = out.rows.get(table, 0) + rows
            done += rows
            if progress:
                progress(table, done / total)
        out.days = len({day for table, day in (*changed, *gone) if table == "events"})
        if changed or gone:
            publication.record(changed, gone)
    return out


def _publication(engine: Engine, to: WarehouseURL, root: Path) -> AbstractContextManager[Publication]:
    if isinstance(to, PostgresURL):
        from tools.backends import postgres_tables

        return postgres_tables.publication(engine, to, root)
    from tools.backends import lake

    return lake.publication(engine, to, root)


def marks(engine: Engine) -> dict[Part, Mark]:
    """What each part of the data file holds."""
    out: dict[Part, Mark] = {}
    for table, columns in wanted().items():
        listed = ", ".join(f'"{c}"' for c in columns)
        day = BY_DAY.get(table)
        found = engine.execute(
            f'SELECT {day or "NULL"} AS part, count(*), CAST(coalesce(sum(hash({listed})), 0) AS VARCHAR) FROM "{table}"'
            + (" GROUP BY part" if day else "")
        )
        out |= {(table, part): Mark(rows, sums) for part, rows, sums in found}
    return out


def _portions(changed: dict[Part, Mark], gone: set[Part]) -> list[tuple[str, Span, int]]:
    """(table, days, rows): what to copy, in portions that fit in memory and on the disk."""
    out: list[tuple[str, Span, int]] = []
    for table in wanted():
        if table not in BY_DAY:
            out += [(table, None, mark.rows) for part, mark in changed.items() if part[0] == table]
            continue
        counts = {day: mark.rows for (name, day), mark in changed.items() if name == table and day}
        counts |= {day: 0 for name, day in gone if name == table and day}
        out += [(table, (first, last), rows) for first, last, rows in daily.spans(sorted(counts.items()))]
    return out


def _select(table: str, days: Span) -> str:
    listed = ", ".join(f'"{c}"' for c in wanted()[table])
    if days is None:
        return f'SELECT {listed} FROM "{table}"'
    column = "ts" if table == "events" else "day"
    where = f"{column} >= DATE '{days[0]}' AND {column} < DATE '{days[1] + timedelta(days=1)}'"
    return f'SELECT {listed} FROM "{table}" WHERE {where}'
