"""What data there is, how far behind the clock it is, what is missing in it, and what cannot be told for want of it."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from knowledge import catalog
from tools import gaps, holdings
from tools.blind import Blind, Held, blind
from tools.engine import Engine
from tools.gaps import Gap
from tools.holdings import Days, Holding, data_until
from tools.reader import Reader
from tools.shop import parse_moment

__all__ = ["Import", "Status", "TableStatus", "data_until", "last_imports", "status"]

STALE_AFTER = timedelta(hours=24)
DAILY = ("events", "orders")  # tables that a shop at work adds to every day


@dataclass(frozen=True)
class Import:
    """The last import into a table."""

    file: str
    at: datetime
    read: int
    accepted: int
    rejected: int
    duplicates: int
    rejects_file: str | None

    def as_json(self) -> dict[str, Any]:
        return {**self.__dict__, "at": _text(self.at)}


@dataclass(frozen=True)
class TableStatus(Holding):
    """One table and what it holds. `behind`: from its newest row up to the clock; None where no row has a time, or all lie ahead.
    `empty_columns`: without a value in any row (of a table with rows)."""

    behind: timedelta | None
    empty_columns: tuple[str, ...]
    last_import: Import | None

    @property
    def state(self) -> str:
        """ "empty", "stale" (the newest row up to the clock is over a day old) or "ok"."""
        if self.rows == 0:
            return "empty"
        return "stale" if self.behind is not None and self.behind > STALE_AFTER else "ok"

    def as_json(self) -> dict[str, Any]:
        return {
            "table": self.table,
            "rows": self.rows,
            "span": {"from": _text(self.since), "to": _text(self.until)},
            "state": self.state,
            "last_import": self.last_import.as_json() if self.last_import else None,
            "behind_hours": round(self.behind / timedelta(hours=1), 1) if self.behind is not None else None,
            "empty_columns": list(self.empty_columns),
        }


@dataclass(frozen=True)
class Status:
    """All tables in the catalogue's order, the holes in them, and what they cannot tell."""

    now: datetime
    tables: list[TableStatus]
    gaps: list[Gap]
    blind: list[Blind]

    def as_json(self) -> dict[str, Any]:
        return {
            "now": _text(self.now),
            "tables": [t.as_json() for t in self.tables],
            "gaps": [g.as_json() for g in self.gaps],
            "blind": [b.as_json() for b in self.blind],
        }


def status(engine: Reader, now: datetime, data_file: Path | None = None) -> Status:
    """How the shop's data stands at `now`. `data_file`: the workspace's, which remembers the imports also when questions
    are answered by another engine."""
    held = [holdings.holding(engine, table, now) for table in catalog.tables()]
    imports = _imports(engine, data_file)
    daily = {h.table: (h.newest or now).date() - gaps.AROUND * gaps.DAY for h in held if h.table in DAILY and h.rows}
    days = holdings.days(engine, daily, now)
    known = Held({h.table: h.columns for h in held if h.rows}, holdings.kinds_of_events(engine))
    return Status(now, [_judged(h, now, imports) for h in held], _gaps(held, days, now), blind(known))


def _judged(h: Holding, now: datetime, imports: dict[str, Import]) -> TableStatus:
    definition = catalog.tables()[h.table]
    behind = None if h.newest is None else now - h.newest
    if behind is not None and definition.time and definition.columns[definition.time].type == "day":
        behind = max(behind - gaps.DAY, timedelta(0))  # a row tells about its whole day
    empty = tuple(c for c in definition.columns if h.rows and c not in h.columns)
    return TableStatus(**h.__dict__, behind=behind, empty_columns=empty, last_import=imports.get(h.table))


def _gaps(held: Iterable[Holding], days: dict[str, Days], now: datetime) -> list[Gap]:
    """Days, the end of today, and what lies ahead of the clock; table by table, oldest first."""
    out: list[Gap] = []
    for h in held:
        if h.table in days and h.newest is not None:
            at_end = gaps.end_gap(h.table, days[h.table].by_hour, h.newest, now)
            # A last day that breaks off is said once.
            today = h.newest.date() if at_end else now.date()
            out += gaps.day_gaps(h.table, days[h.table].by_day, today)
            out += [at_end] if at_end else []
        if h.ahead and h.until is not None:
            out.append(Gap(h.table, now, h.until, "ahead", None, h.ahead))
    return out


def _imports(engine: Reader, data_file: Path | None) -> dict[str, Import]:
    """The last import into each table; none where no file of ours remembers any."""
    if isinstance(engine, Engine):
        return last_imports(engine)
    if data_file is None or not data_file.exists():
        return {}
    with closing(Engine(data_file)) as landing:
        return last_imports(landing)


def last_imports(engine: Engine) -> dict[str, Import]:
    """The last import into each table. A UserBehavior log fills the orders as well as the events."""
    found: dict[str, Import] = {}
    for row in engine.query("SELECT * FROM _imports ORDER BY rowid"):
        done = Import(
            row["file"], parse_moment(row["imported_at"]), row["read"], row["accepted"], row["rejected"],
            row["duplicates"], row.get("rejects_file"),  # not in a data file of an early version
        )  # fmt: skip
        found[row["target"]] = done
        if row["format"] == "taobao-userbehavior":
            found["orders"] = done
    return found


def _text(moment: datetime | None) -> str | None:
    return moment.strftime("%Y-%m-%d %H:%M:%S") if moment else None
