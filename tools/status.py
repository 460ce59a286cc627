"""What data there is, up to when, and what is missing or stale."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from knowledge import catalog
from tools.engine import Engine
from tools.shop import parse_moment

STALE_AFTER = timedelta(hours=24)
# The columns that say up to when a table's data goes; a late payment moves the orders on.
_UNTIL = {"orders": ("created_at", "paid_at", "deposit_paid_at")}


@dataclass(frozen=True)
class TableStatus:
    table: str
    rows: int
    since: datetime | None
    until: datetime | None
    state: str  # "ok", "empty", "stale"

    def as_json(self) -> dict[str, Any]:
        span = {"from": _text(self.since), "to": _text(self.until)}
        return {"table": self.table, "rows": self.rows, "span": span, "state": self.state}


def _text(moment: datetime | None) -> str | None:
    return moment.strftime("%Y-%m-%d %H:%M:%S") if moment else None


def status(engine: Engine, now: datetime) -> list[TableStatus]:
    """One entry per table, in the catalogue's order. Stale: the newest row up to `now` is over a day old."""
    out = []
    for key, table in catalog.tables().items():
        columns = _UNTIL.get(key, (table.time,) if table.time else ())
        until = "NULL" if not columns else f"greatest({', '.join(f'max({c})' for c in columns)})"
        since = f"min({table.time})" if table.time else "NULL"
        sql = f'SELECT count(*) AS n, {since} AS since, {until} AS until FROM "{key}"'
        row = engine.query(sql)[0]
        low, high = (_moment(row[c]) for c in ("since", "until"))
        if row["n"] == 0:
            state = "empty"
        elif high is not None and now - high > STALE_AFTER:
            state = "stale"
        else:
            state = "ok"
        out.append(TableStatus(key, row["n"], low, high, state))
    return out


def data_until(engine: Engine) -> dict[str, datetime | None]:
    """Up to when behaviour and orders go: {"events": …, "orders": …}."""
    rows = engine.query(
        "SELECT (SELECT max(ts) FROM events) AS events, "
        "(SELECT greatest(max(created_at), max(paid_at), max(deposit_paid_at)) FROM orders) AS orders"
    )
    return {key: _moment(rows[0][key]) for key in ("events", "orders")}


def _moment(value: Any) -> datetime | None:
    return parse_moment(str(value)) if value is not None else None
