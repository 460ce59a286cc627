"""What the tables hold, by few and plain statements that are the same on every engine: each table is read once for its ends
and columns; those that grow daily once more by day, and their last two weeks by hour."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from knowledge import catalog
from tools.reader import Reader
from tools.shop import parse_moment

# The columns that say up to when a table's data goes; a late payment moves the orders on.
_UNTIL = {"orders": ("created_at", "paid_at", "deposit_paid_at")}


@dataclass(frozen=True)
class Holding:
    """One table: its rows, their first and last moment, the last one up to the clock (`newest`), the rows later than the
    clock (`ahead`), the columns that hold a value in some row."""

    table: str
    rows: int
    since: datetime | None
    until: datetime | None
    newest: datetime | None
    ahead: int
    columns: frozenset[str]


@dataclass
class Days:
    """One table's rows by day, and by day and hour."""

    by_day: dict[date, int] = field(default_factory=dict)
    by_hour: dict[tuple[date, int], int] = field(default_factory=dict)


def holding(engine: Reader, table: str, now: datetime) -> Holding:
    definition = catalog.tables()[table]
    optional = [name for name, c in definition.columns.items() if not c.required]
    asked = ["count(*) AS total", *(f"count({c}) AS {c}" for c in optional)]
    if definition.time:
        asked += [f"min({definition.time}) AS first_moment", f"{_last(table)} AS last_moment"]
    row = engine.query(f"SELECT {', '.join(asked)} FROM {table}")[0]
    until = _moment(row.get("last_moment"))
    newest, ahead = until, 0
    if until is not None and until > now:
        beyond = engine.query(_around(table, now))[0]
        newest, ahead = _moment(beyond["newest"]), beyond["ahead"]
    columns = frozenset(c for c in definition.columns if row["total"] and (c not in optional or row[c]))
    return Holding(table, row["total"], _moment(row.get("first_moment")), until, newest, ahead, columns)


def data_until(engine: Reader) -> dict[str, datetime | None]:
    """Up to when behaviour and orders go: {"events": …, "orders": …}."""
    rows = engine.query(
        f"SELECT (SELECT {_last('events')} FROM events) AS events, (SELECT {_last('orders')} FROM orders) AS orders"
    )
    return {key: _moment(rows[0][key]) for key in ("events", "orders")}


def _times(table: str) -> tuple[str, ...]:
    time = catalog.tables()[table].time
    return _UNTIL.get(table, (time,) if time else ())


def _last(table: str) -> str:
    return _greatest([f"max({c})" for c in _times(table)])


def _greatest(values: list[str]) -> str:
    return f"greatest({', '.join(values)})" if len(values) > 1 else values[0]


def _around(table: str, now: datetime) -> str:
    """The newest moment up to `now`, and how many rows have a later one."""
    clock = f"TIMESTAMP '{now:%Y-%m-%d %H:%M:%S}'"
    known = [f"max(CASE WHEN {c} <= {clock} THEN {c} END)" for c in _times(table)]
    later = " OR ".join(f"{c} > {clock}" for c in _times(table))
    return f"SELECT {_greatest(known)} AS newest, count(CASE WHEN {later} THEN 1 END) AS ahead FROM {table}"


def kinds_of_events(engine: Reader) -> frozenset[str]:
    """The kinds that occur. By itself: on DuckDB days and kinds together cost over twice as much as one after the other."""
    return frozenset(row["kind"] for row in engine.query("SELECT DISTINCT kind FROM events"))


def days(engine: Reader, since: Mapping[str, date], now: datetime) -> dict[str, Days]:
    """Of each table of `since`: all its days, and its hours from that day on up to `now`."""
    found = {table: Days() for table in since}
    for row in _together(engine, [_by_day(table) for table in since]):
        found[row["name"]].by_day[date.fromisoformat(row["day"])] = row["n"]
    for row in _together(engine, [_by_hour(table, first, now) for table, first in since.items()]):
        found[row["name"]].by_hour[date.fromisoformat(row["day"]), row["hour_of_day"]] = row["n"]
    return found


def _together(engine: Reader, statements: list[str]) -> Iterable[dict[str, Any]]:
    return engine.query(" UNION ALL ".join(statements)) if statements else ()


def _by_day(table: str) -> str:
    day = f"CAST({catalog.tables()[table].time} AS DATE)"
    return f"SELECT '{table}' AS name, {day} AS day, count(*) AS n FROM {table} GROUP BY {day}"


def _by_hour(table: str, first: date, now: datetime) -> str:
    time = catalog.tables()[table].time
    day, hour = f"CAST({time} AS DATE)", f"CAST(extract(hour FROM {time}) AS INTEGER)"
    return (
        f"SELECT '{table}' AS name, {day} AS day, {hour} AS hour_of_day, count(*) AS n FROM {table} "
        f"WHERE {time} >= TIMESTAMP '{first} 00:00:00' AND {time} <= TIMESTAMP '{now:%Y-%m-%d %H:%M:%S}' "
        f"GROUP BY {day}, {hour}"
    )


def _moment(value: Any) -> datetime | None:
    return parse_moment(str(value)) if value is not None else None
