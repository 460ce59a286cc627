"""Facts kept beside the raw tables, from which windows are computed without reading their events again.

`activity`: a row a person and calendar day with events: when the first and the last of each kind happened. That is enough for
every question about a span that begins with a day, and for "the last N days" before a moment: on the day where a span is cut,
the first (last) event of a kind tells whether one lies inside. `people`: a row a person whom the shop knows, and since when.

The definitions are Ibis expressions, the same on every engine; import keeps the tables up to date for the days and people it
touches (a test holds the two together). Where an engine has no such tables, the expressions stand in their place.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from knowledge import catalog

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from tools.engine import Engine

TABLES = ("activity", "people")
AT_ONCE = 4_000_000  # events of so many days are added up in one statement: bounds memory, and lets progress be seen


def kinds() -> tuple[str, ...]:
    """The kinds of events that the catalogue knows."""
    return tuple(catalog.tables()["events"].columns["kind"].values)


def sql_columns() -> dict[str, dict[str, str]]:
    """table → column → SQL type."""
    moments = {f"{end}_{k}": "TIMESTAMP" for k in ("event", *kinds()) for end in ("first", "last")}
    return {
        "activity": {"day": "DATE", "user_id": "VARCHAR", **moments},
        "people": {"user_id": "VARCHAR", "first_event": "TIMESTAMP", "first_order": "TIMESTAMP", "customer": "TINYINT"},
    }


def expression(name: str, table: Callable[[str], ir.Table]) -> ir.Table:
    """The definition of `activity` or `people` over the raw tables."""
    if name == "activity":
        return activity(table("events"))
    return people(table("events"), table("orders"), table("customers"))


def activity(events: ir.Table) -> ir.Table:
    """One row a person and day of `events`, as in `sql_columns`."""
    moments: dict[str, Any] = {"first_event": events.ts.min(), "last_event": events.ts.max()}
    for kind in kinds():
        moments[f"first_{kind}"] = events.ts.min(where=events.kind == kind)
        moments[f"last_{kind}"] = events.ts.max(where=events.kind == kind)
    return events.group_by(day=events.ts.date(), user_id=events.user_id).agg(**moments)


def people(events: ir.Table, orders: ir.Table, customers: ir.Table) -> ir.Table:
    """One row a person known by an event, an order or a customer row; `first_order`: the first one created or paid."""
    import ibis

    never = ibis.null("timestamp")
    parts = [
        events.select(
            "user_id", first_event=events.ts.cast("timestamp"), first_order=never, customer=ibis.literal(0, "int8")
        ),
        orders.select(
            "user_id",
            first_event=never,
            first_order=ibis.least(orders.created_at, orders.paid_at).cast("timestamp"),
            customer=ibis.literal(0, "int8"),
        ),
        customers.select("user_id", first_event=never, first_order=never, customer=ibis.literal(1, "int8")),
    ]
    t = ibis.union(*parts)
    return t.group_by("user_id").agg(
        first_event=t.first_event.min(), first_order=t.first_order.min(), customer=t.customer.max()
    )


# --- keeping them up to date (DuckDB, inside the transaction of an import) ---------------------------------------


def create(engine: Engine) -> None:
    """Both tables where they are missing, filled from what is stored already (a data file of an earlier version)."""
    there = {name for (name,) in engine.execute("SELECT table_name FROM duckdb_tables()")}
    for name, columns in sql_columns().items():
        if name not in there:
            listed = ", ".join(f'"{c}" {kind}' for c, kind in columns.items())
            engine.execute(f'CREATE TABLE "{name}" ({listed})')
    if not set(TABLES) <= there:
        rebuild(engine)


def rebuild(engine: Engine) -> None:
    """Both tables anew from the raw ones."""
    for name in TABLES:
        engine.execute(f'DELETE FROM "{name}"')
    added(engine, "events", 0)
    added(engine, "orders", 0)
    added(engine, "customers", 0)


def added(engine: Engine, table: str, start: int, progress: Callable[[float], None] | None = None) -> None:
    """Take in the rows of `table` from rowid `start` on; nothing for tables that the facts do not depend on."""
    if table == "events":
        _events_added(engine, start, progress)
    elif table in ("orders", "customers"):
        engine.execute(
            f'CREATE OR REPLACE TEMP TABLE _touched AS SELECT DISTINCT user_id FROM "{table}" WHERE rowid >= {start}'
        )
        touched(engine, table)


def touched(engine: Engine, table: str) -> None:
    """Work out anew what `table` ("orders" or "customers") says of the people in the temporary table _touched."""
    if table == "customers":
        value, column = "1", "customer"
        found = "SELECT DISTINCT user_id FROM customers SEMI JOIN _touched USING (user_id)"
        changed = "p.customer = 0"
    else:
        value, column = "f.first_order", "first_order"
        found = (
            "SELECT t.user_id, min(least(o.created_at, o.paid_at)) AS first_order "
            "FROM _touched AS t LEFT JOIN orders AS o USING (user_id) GROUP BY t.user_id"
        )
        changed = "p.first_order IS DISTINCT FROM f.first_order"
    engine.execute(f"CREATE OR REPLACE TEMP TABLE _found AS {found}")
    engine.execute(
        f"UPDATE people AS p SET {column} = {value} FROM _found AS f WHERE p.user_id = f.user_id AND {changed}"
    )
    engine.execute(
        f"INSERT INTO people (user_id, first_order, customer) "
        f"SELECT user_id, {'NULL, 1' if table == 'customers' else 'first_order, 0'} "
        "FROM _found AS f ANTI JOIN people USING (user_id)"
    )
    if table == "orders":  # an order that went over to somebody else may have been all that was known of a person
        engine.execute(
            "DELETE FROM people AS p USING _touched AS t WHERE p.user_id = t.user_id "
            "AND first_event IS NULL AND first_order IS NULL AND customer = 0"
        )
    engine.execute("DROP TABLE _found")
    engine.execute("DROP TABLE _touched")


def _events_added(engine: Engine, start: int, progress: Callable[[float], None] | None) -> None:
    """The days of the new events anew, some days a statement; then the people seen on them."""
    days = engine.execute(
        f"SELECT CAST(ts AS DATE) AS day, count(*) FROM events WHERE rowid >= {start} GROUP BY day ORDER BY day"
    )
    total = sum(n for _, n in days) or 1
    done = 0
    for first, last, events in spans(days):
        since, until = datetime.combine(first, time()), datetime.combine(last + timedelta(days=1), time())
        engine.execute(f"DELETE FROM activity WHERE day BETWEEN DATE '{first}' AND DATE '{last}'")
        engine.execute(f"INSERT INTO activity {_activity_sql(since, until)}")
        done += events
        if progress:
            progress(done / total)
    if not days:
        return
    engine.execute(
        "CREATE OR REPLACE TEMP TABLE _found AS SELECT user_id, min(first_event) AS first_event FROM activity "
        f"WHERE day BETWEEN DATE '{days[0][0]}' AND DATE '{days[-1][0]}' GROUP BY user_id"
    )
    engine.execute(
        "UPDATE people AS p SET first_event = f.first_event FROM _found AS f WHERE p.user_id = f.user_id "
        "AND (p.first_event IS NULL OR p.first_event > f.first_event)"
    )
    engine.execute(
        "INSERT INTO people (user_id, first_event, customer) "
        "SELECT user_id, first_event, 0 FROM _found ANTI JOIN people USING (user_id)"
    )
    engine.execute("DROP TABLE _found")


def spans(days: list[tuple[date, int]]) -> list[tuple[date, date, int]]:
    """Days without a gap between them, together as long as their events are not too many: (first, last, events)."""
    out: list[tuple[date, date, int]] = []
    for day, n in days:
        if out and day - out[-1][1] == timedelta(days=1) and out[-1][2] + n <= AT_ONCE:
            out[-1] = (out[-1][0], day, out[-1][2] + n)
        else:
            out.append((day, day, n))
    return out


def _activity_sql(since: datetime, until: datetime) -> str:
    """`activity` of some days in DuckDB's own words: an import should not have to load and run Ibis for each file."""
    moments = ["min(ts)", "max(ts)"]
    for kind in kinds():
        moments += [f"{end}(ts) FILTER (WHERE kind = '{kind}')" for end in ("min", "max")]
    return (
        f"SELECT CAST(ts AS DATE) AS day, user_id, {', '.join(moments)} FROM events "
        f"WHERE ts >= TIMESTAMP '{since}' AND ts < TIMESTAMP '{until}' GROUP BY day, user_id"
    )
