"""Where imported rows go: events are appended once each, rows of a table with a key replace those of their key."""

from __future__ import annotations

from dataclasses import dataclass, field

from knowledge.catalog import TableDef
from tools import daily
from tools.columns import Rules, bad
from tools.engine import Engine


@dataclass(frozen=True)
class Stored:
    """What became of rows: `accepted`, of which `duplicates` added nothing; `updated`: the stored rows that gave way to other
    content of their key; `lost`: column → of those, the orders that had been paid (refunded) and are not any more."""

    accepted: int
    duplicates: int
    updated: int = 0
    lost: dict[str, int] = field(default_factory=dict)


def store_events(engine: Engine, table: str, definition: TableDef, rows: str, rules: Rules) -> Stored:
    """Append; then take out again what is bad, was stored before or stands twice."""
    start = engine.execute(f'SELECT coalesce(max(rowid) + 1, 0) FROM "{table}"')[0][0]
    appended = engine.execute(f'INSERT INTO "{table}" {rows}')[0][0]
    fresh = f"rowid >= {start} AND ({bad(table, definition, rules)})"
    wrong = engine.execute(f'SELECT count(*) FROM "{table}" WHERE {fresh}')[0][0]
    if wrong:
        engine.execute(f'DELETE FROM "{table}" WHERE {fresh}')
    duplicates = drop_stored(engine, table, definition, names_of(definition), start)
    daily.added(engine, table, start)
    return Stored(appended - wrong, duplicates)


def names_of(definition: TableDef) -> str:
    return ", ".join(f'"{c}"' for c in definition.columns)


def drop_stored(engine: Engine, table: str, definition: TableDef, names_sql: str, start: int) -> int:
    """Take out of the rows from `start` on what stands twice or was stored before; returns how many."""
    dropped = 0
    # Two equal rows are equal in the few columns that tell rows apart: only then are all columns compared.
    telling = [c for c, d in definition.columns.items() if d.required or c == "item_id"]
    for columns in (telling, list(definition.columns)):
        hashed = ", ".join(f'"{c}"' for c in columns)
        n, distinct = engine.execute(
            f'SELECT count(*), count(DISTINCT hash({hashed})) FROM "{table}" WHERE rowid >= {start}'
        )[0]
        if n == distinct:
            break
    else:
        dropped += engine.execute(
            f'DELETE FROM "{table}" WHERE rowid IN (SELECT r FROM (SELECT rowid AS r, row_number() OVER '
            f'(PARTITION BY {names_sql} ORDER BY rowid) AS n FROM "{table}" WHERE rowid >= {start}) WHERE n > 1)'
        )[0][0]
    t = definition.time
    before = engine.execute(f'SELECT min({t}), max({t}) FROM "{table}" WHERE rowid < {start}')[0]
    if before[0] is not None:
        same = " AND ".join(f'o."{c}" IS NOT DISTINCT FROM n."{c}"' for c in definition.columns)
        dropped += engine.execute(
            f'DELETE FROM "{table}" AS n WHERE n.rowid >= {start} AND n.{t} BETWEEN $1 AND $2 AND EXISTS '
            f'(SELECT 1 FROM "{table}" AS o WHERE o.rowid < {start} AND o.{t} BETWEEN $1 AND $2 AND {same})',
            before,
        )[0][0]
    return dropped


def store_keyed(engine: Engine, table: str, definition: TableDef, rows: str, given: set[str], rules: Rules) -> Stored:
    """Rows replace the stored rows of their key. Of rows of one key in the file: identical ones count once; in tables
    whose key is one thing (a customer, an item) the last one counts; order lines that differ are all kept."""
    engine.execute(f"CREATE OR REPLACE TEMP TABLE _incoming AS {rows}")
    engine.execute(f"DELETE FROM _incoming WHERE {bad(table, definition, rules)}")
    return replace_keys(engine, table, definition, given)


def replace_keys(engine: Engine, table: str, definition: TableDef, given: set[str]) -> Stored:
    """Put _incoming in the place of what is stored under its keys. What the file does not give of a known customer or
    item stays as it was: a list of cities does not take the phone numbers away."""
    accepted = engine.execute("SELECT count(*) FROM _incoming")[0][0]
    names_sql, key = names_of(definition), ", ".join(f'"{c}"' for c in definition.key)
    single = table != "orders"
    engine.execute(
        f"CREATE OR REPLACE TEMP TABLE _fresh AS SELECT {names_sql} FROM _incoming "
        f"QUALIFY row_number() OVER (PARTITION BY {key if single else names_sql} ORDER BY _row DESC) = 1"
    )
    same_key = " AND ".join(f'n."{c}" IS NOT DISTINCT FROM o."{c}"' for c in definition.key)
    absent = [c for c in definition.columns if c not in given]
    if single and absent:
        kept = ", ".join(f'"{c}" = o."{c}"' for c in absent)
        engine.execute(f'UPDATE _fresh AS n SET {kept} FROM "{table}" AS o WHERE {same_key}')
    unchanged = engine.execute(
        f'SELECT count(*) FROM (SELECT {names_sql} FROM _fresh INTERSECT SELECT {names_sql} FROM "{table}")'
    )[0][0]
    fresh = engine.execute("SELECT count(*) FROM _fresh")[0][0]
    if table in ("orders", "customers"):
        engine.execute(
            "CREATE OR REPLACE TEMP TABLE _touched AS SELECT user_id FROM _fresh "
            f'UNION SELECT user_id FROM "{table}" AS o WHERE EXISTS (SELECT 1 FROM _fresh AS n WHERE {same_key})'
        )
    lost = _lost(engine, key, same_key) if table == "orders" else {}
    given_way = f'DELETE FROM "{table}" AS o WHERE EXISTS (SELECT 1 FROM _fresh AS n WHERE {same_key})'
    replaced = engine.execute(given_way)[0][0]
    engine.execute(f'INSERT INTO "{table}" SELECT {names_sql} FROM _fresh')
    if table in ("orders", "customers"):
        daily.touched(engine, table)
    engine.execute("DROP TABLE _incoming")
    engine.execute("DROP TABLE _fresh")
    return Stored(accepted, accepted - fresh + unchanged, replaced - unchanged, lost)


_HELD = {"paid_at": "{o}.paid_at IS NOT NULL", "refunded_at": "({o}.refunded_at IS NOT NULL OR {o}.refund_amount > 0)"}


def _lost(engine: Engine, key: str, same_key: str) -> dict[str, int]:
    """How many stored order lines had been paid or refunded, while none of the lines in _fresh that replace them is."""
    still = ", ".join(f"bool_or(coalesce({held.format(o='f')}, false)) AS {c}" for c, held in _HELD.items())
    counts = ", ".join(f"count(*) FILTER (WHERE {held.format(o='o')} AND NOT n.{c})" for c, held in _HELD.items())
    found = engine.execute(
        f"SELECT {counts} FROM orders AS o JOIN (SELECT {key}, {still} FROM _fresh AS f GROUP BY {key}) AS n ON {same_key}"
    )
    return {column: n for column, n in zip(_HELD, found[0], strict=True) if n}
