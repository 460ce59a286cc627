"""PostgreSQL as the engine: the tables of one schema, read over a few connections that cannot write."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tools.backends.url import PostgresURL
from tools.backends.warehouse import Layout, Warehouse, value, wanted
from tools.errors import NeedsPerson
from tools.reader import Row, Stamp
from tools.statements import StatementFile

if TYPE_CHECKING:
    import ibis.expr.types as ir

_CONNECTIONS = 4
_SECONDS = 10  # to wait for a connection
_REMEMBERED = 60.0  # seconds for which results are taken from memory where nothing says that the data changed
_TYPES = {
    "text": "string", "character varying": "string", "character": "string", "uuid": "string",
    "timestamp without time zone": "timestamp", "timestamp with time zone": "timestamp('UTC')", "date": "date",
    "smallint": "int16", "integer": "int32", "bigint": "int64", "boolean": "boolean",
    "real": "float32", "double precision": "float64", "numeric": "decimal",
}  # fmt: skip
PUBLISHED = "_published"


class Postgres(Warehouse):
    """One schema of a PostgreSQL database. `zone` is the shop's: a column that holds a zone is read in it."""

    dialect = "postgres"
    sql_dialect = "postgres"

    def __init__(self, url: PostgresURL, zone: str, statements: StatementFile | None = None) -> None:
        super().__init__(statements)
        self.url = url
        self._zone = zone
        self._pool: Any = None

    @property
    def place(self) -> str:
        return self.url.place

    def close(self) -> None:
        with self._one:
            if self._pool is not None:
                self._pool.close()
                self._pool = None

    def stamp(self) -> Stamp:
        """The last publication; where the merchant's own pipelines fill the tables, the minute."""
        with self._cursor() as cursor:
            cursor.execute("SELECT to_regclass(%s)", (self._qualified(PUBLISHED),))
            if cursor.fetchone()[0] is None:
                return (int(time.monotonic() / _REMEMBERED),)
            cursor.execute(f"SELECT max(published_at)::text, count(*) FROM {self._qualified(PUBLISHED)}")
            return tuple(cursor.fetchone())

    def _qualified(self, name: str) -> str:
        return f'"{self.url.schema}"."{name}"' if self.url.schema else f'"{name}"'

    def _look(self) -> Layout:
        schema = "%s" if self.url.schema else "coalesce(%s, current_schema())"
        with self._cursor() as cursor:
            cursor.execute(
                "SELECT table_name, column_name, data_type, numeric_precision, numeric_scale "
                f"FROM information_schema.columns WHERE table_schema = {schema} ORDER BY ordinal_position",
                (self.url.schema,),
            )
            found: Layout = {}
            for name, column, kind, precision, scale in cursor.fetchall():
                if name in wanted() and column in wanted()[name]:
                    found.setdefault(name, {})[column] = _type(kind, precision, scale, wanted()[name][column])
        return found

    def _named(self, name: str, columns: dict[str, str]) -> ir.Table:
        import ibis

        return ibis.table(columns, name=name, database=self.url.schema)

    def _sql(self, expression: ir.Table) -> str:
        return super()._sql(_countable(expression))

    def _fetch(self, sql: str) -> list[Row]:
        with self._cursor() as cursor:
            cursor.execute(sql.encode())  # as bytes, without parameters: a % is a %
            names = [d.name for d in cursor.description]
            return [dict(zip(names, map(value, row), strict=True)) for row in cursor]

    @contextmanager
    def _cursor(self) -> Iterator[Any]:
        import psycopg
        from psycopg_pool import PoolTimeout

        try:
            with self._connections().connection() as connection, connection.cursor() as cursor:
                yield cursor
        except PoolTimeout as e:
            raise NeedsPerson("warehouse_unreachable", place=self.place, detail=first_line(e)) from e
        except psycopg.Error as e:
            raise NeedsPerson("warehouse_failed", place=self.place, detail=first_line(e)) from e

    def _connections(self) -> Any:
        from psycopg_pool import ConnectionPool

        with self._one:
            if self._pool is None:
                connect(self.url).close()  # says at once why there is no connection; the pool would try for a while
                logging.getLogger("psycopg.pool").setLevel(logging.ERROR)
                self._pool = ConnectionPool(
                    self.url.dsn,
                    min_size=1,
                    max_size=_CONNECTIONS,
                    timeout=_SECONDS,
                    kwargs={"autocommit": True, "connect_timeout": _SECONDS, "application_name": "warroom"},
                    configure=self._configure,
                    open=True,
                )
            return self._pool

    def _configure(self, connection: Any) -> None:
        connection.execute("SELECT set_config('default_transaction_read_only', 'on', false)")
        connection.execute("SELECT set_config('TimeZone', %s, false)", (self._zone,))


def _countable(expression: ir.Table) -> ir.Table:
    """Truth values become whole numbers by way of the one type of them that PostgreSQL casts truth values to."""
    import ibis.expr.operations as ops

    def replaced(node: Any, found: dict[str, Any] | None) -> Any:
        made = node.__recreate__(found) if found else node
        if isinstance(made, ops.Cast) and made.arg.dtype.is_boolean() and made.to.is_integer():
            return ops.Cast(ops.Cast(made.arg, "int32"), made.to)
        return made

    return expression.op().replace(replaced).to_expr()


def connect(url: PostgresURL) -> Any:
    """One connection. NeedsPerson when there is none to be had."""
    import psycopg

    try:
        return psycopg.connect(url.dsn, connect_timeout=_SECONDS, application_name="warroom")
    except psycopg.Error as e:
        raise NeedsPerson("warehouse_unreachable", place=url.place, detail=first_line(e)) from e


def first_line(error: Exception) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)


def _type(kind: str, precision: int | None, scale: int | None, wanted_type: str) -> str:
    """PostgreSQL's type as Ibis writes it. A flag that we made is a smallint, which is as good as the int8 that is wanted."""
    if kind == "smallint" and wanted_type == "int8":
        return "int8"
    if kind == "numeric" and precision is not None:
        return f"decimal({precision}, {scale})"
    return _TYPES.get(kind, "json")  # anything else is cast to what is wanted
