"""Publishing to PostgreSQL: one transaction, so that whoever reads sees all of it or nothing."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tools.backends.postgres import PUBLISHED, connect, first_line
from tools.backends.url import PostgresURL
from tools.backends.warehouse import wanted
from tools.errors import NeedsPerson
from tools.sql import quote

if TYPE_CHECKING:
    from tools.engine import Engine
    from tools.publish import Mark, Part, Span

_TYPES = {
    "string": "text",
    "timestamp": "timestamp",
    "date": "date",
    "decimal(18, 2)": "numeric(18, 2)",
    "float64": "double precision",
    "int64": "bigint",
    "int8": "smallint",
}
# Spans of time are what is read. Rows come day by day, so the ranges of blocks (BRIN) tell days apart and cost nothing to keep.
_INDEXES = {
    "events": ("brin", "ts"),
    "activity": ("brin", "day"),
    "orders": ("btree", "paid_at"),
    "people": ("btree", "user_id"),
}
_BLOCK = 1 << 20


@contextmanager
def publication(engine: Engine, url: PostgresURL, scratch: Path) -> Iterator[PostgresPublication]:
    """A publication to the schema of `url`; copies pass through files in the folder `scratch`."""
    import psycopg

    connection = connect(url)
    try:
        with connection, connection.cursor() as cursor:
            yield _begun(engine, url, scratch, cursor)
    except psycopg.Error as e:
        raise NeedsPerson("publish_failed", detail=first_line(e)) from e
    finally:
        connection.close()


def _begun(engine: Engine, url: PostgresURL, scratch: Path, cursor: Any) -> PostgresPublication:
    """The schema with all tables and their indexes, held against others who publish there.

    NeedsPerson when tables of these names are there already and are not ours.
    """
    cursor.execute("SELECT pg_advisory_xact_lock(hashtext('warroom publish'))")
    if url.schema:
        cursor.execute(f'CREATE SCHEMA IF NOT EXISTS "{url.schema}"')
        cursor.execute(f'SET LOCAL search_path TO "{url.schema}"')
    cursor.execute("SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()")
    there = {name for (name,) in cursor.fetchall()}
    foreign = sorted(there & set(wanted()))
    if PUBLISHED not in there:
        if foreign:
            raise NeedsPerson("publish_foreign", tables=", ".join(foreign))
        cursor.execute(
            f"CREATE TABLE {PUBLISHED} (name text, day date, rows bigint, sums text, published_at timestamptz)"
        )
    for name, columns in wanted().items():
        if name not in there:
            listed = ", ".join(f'"{c}" {_TYPES[kind]}' for c, kind in columns.items())
            cursor.execute(f'CREATE TABLE "{name}" ({listed})')
            if name in _INDEXES:
                cursor.execute(f'CREATE INDEX ON "{name}" USING {_INDEXES[name][0]} ("{_INDEXES[name][1]}")')
    return PostgresPublication(engine, url, scratch, cursor)


class PostgresPublication:
    """What tools/publish.py asks of a target, inside one transaction."""

    def __init__(self, engine: Engine, url: PostgresURL, scratch: Path, cursor: Any) -> None:
        self._engine = engine
        self._url = url
        self._scratch = scratch
        self._cursor = cursor
        self._touched: set[str] = set()

    @property
    def place(self) -> str:
        return self._url.place

    def marks(self) -> dict[Part, Mark]:
        from tools.publish import Mark

        self._cursor.execute(f"SELECT name, day, rows, sums FROM {PUBLISHED}")
        return {(name, day): Mark(rows, sums) for name, day, rows, sums in self._cursor.fetchall()}

    def put(self, table: str, days: Span, select: str) -> None:
        if days is None:
            self._cursor.execute(f'DELETE FROM "{table}"')
        else:
            column = "ts" if table == "events" else "day"
            span = (days[0], days[1] + timedelta(days=1))
            self._cursor.execute(f'DELETE FROM "{table}" WHERE {column} >= %s AND {column} < %s', span)
        self._touched.add(table)
        with tempfile.TemporaryDirectory(dir=self._scratch, prefix=".publish-") as folder:
            file = Path(folder) / "rows.csv"
            # An empty text is written in quotes, a missing value without: both sides tell them apart by that.
            self._engine.execute(f"COPY ({select}) TO {quote(str(file))} (FORMAT csv, HEADER false, NULLSTR '\\N')")
            listed = ", ".join(f'"{c}"' for c in wanted()[table])
            sql = f"COPY \"{table}\" ({listed}) FROM STDIN (FORMAT csv, NULL '\\N', ENCODING 'UTF8')"
            with file.open("rb") as rows, self._cursor.copy(sql) as copy:
                while block := rows.read(_BLOCK):
                    copy.write(block)

    def record(self, parts: dict[Part, Mark], gone: set[Part]) -> None:
        self._cursor.executemany(
            f"DELETE FROM {PUBLISHED} WHERE name = %s AND day IS NOT DISTINCT FROM %s", [*parts, *gone]
        )
        self._cursor.executemany(
            f"INSERT INTO {PUBLISHED} VALUES (%s, %s, %s, %s, now())",
            [(name, day, mark.rows, mark.sums) for (name, day), mark in parts.items()],
        )
        for table in self._touched:
            self._cursor.execute(f'ANALYZE "{table}"')
