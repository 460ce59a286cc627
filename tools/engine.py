"""The only opener of a database: one DuckDB file in the workspace, reached through Ibis.

Crowds and metrics are Ibis expressions; `Engine.rows` compiles and runs one. Import (tools/ingest.py) speaks DuckDB's SQL
through `Engine.execute`, because reading files is the engine's own business. No text of a user is ever pasted into SQL.
"""

from __future__ import annotations

import datetime as dt
import os
from collections import OrderedDict
from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from knowledge import catalog
from tools.errors import NeedsPerson
from tools.scope import Moments, Scope, bind
from tools.statements import StatementFile

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pyarrow as pa

SQL_TYPES = {
    "text": "VARCHAR",
    "choice": "VARCHAR",
    "time": "TIMESTAMP",
    "day": "DATE",
    "money": "DECIMAL(18, 2)",
    "number": "DOUBLE",
    "integer": "BIGINT",
    "flag": "TINYINT",
}
_IMPORTS = """CREATE TABLE IF NOT EXISTS _imports (
    file VARCHAR, sha256 VARCHAR, target VARCHAR, format VARCHAR, read BIGINT, accepted BIGINT, rejected BIGINT,
    duplicates BIGINT, rejects_file VARCHAR, imported_at TIMESTAMP)"""
_CACHED_RESULTS = 256


class Engine:
    """One open data file. `read_only` leaves room for other readers; writing wants the file alone.

    `statements` keeps compiled statements between processes, so that most commands never import Ibis.
    """

    def __init__(self, path: Path, *, read_only: bool = True, statements: StatementFile | None = None) -> None:
        import duckdb

        if read_only and not path.exists():
            raise NeedsPerson("no_data_file", path=str(path))
        try:
            self.raw = duckdb.connect(path, read_only=read_only)
            self.raw.execute("SELECT count(*) FROM duckdb_tables()").fetchall()
        except duckdb.IOException as e:
            if "could not set lock" in str(e).lower():
                raise NeedsPerson("data_locked", path=str(path)) from e
            if not os.access(path if path.exists() else path.parent, os.R_OK if read_only else os.W_OK):
                raise NeedsPerson("no_permission", path=str(path)) from e
            raise NeedsPerson("data_broken", path=str(path)) from e
        except duckdb.Error as e:
            raise NeedsPerson("data_broken", path=str(path)) from e
        self.path = path
        self._statements = statements
        self._tables: dict[str, ir.Table] = {}
        self._compiled: dict[str, str] = statements.read() if statements else {}
        self._results: OrderedDict[str, list[dict[str, Any]]] = OrderedDict()

    @cached_property
    def con(self) -> Any:
        """The Ibis backend on the same connection."""
        import ibis

        return ibis.duckdb.from_connection(self.raw)

    def create_tables(self) -> None:
        """All tables of the catalogue, empty, where they are missing."""
        for key, table in catalog.tables().items():
            columns = ", ".join(f'"{name}" {SQL_TYPES[c.type]}' for name, c in table.columns.items())
            self.raw.execute(f'CREATE TABLE IF NOT EXISTS "{key}" ({columns})')
        self.raw.execute(_IMPORTS)

    def table(self, name: str) -> ir.Table:
        """The Ibis table of a catalogue table."""
        if name not in self._tables:
            self._tables[name] = self.con.table(name)
        return self._tables[name]

    def statement(self, shape: tuple[Any, ...], build: Callable[[Moments], ir.Table], scope: Scope) -> str:
        """The expression that `build` makes, as one statement at the scope's moments.

        `shape` must name everything that the expression depends on: it is built and compiled once per shape and settings.
        """
        key = repr((*shape, scope.settings))
        if key not in self._compiled:
            self._compiled[key] = str(self.con.compile(build(Moments(scope.settings))))
            if self._statements:
                self._statements.write(self._compiled)
        return bind(self._compiled[key], scope)

    def rows(
        self, shape: tuple[Any, ...], build: Callable[[Moments], ir.Table], scope: Scope
    ) -> tuple[list[dict[str, Any]], str]:
        """(rows, the statement that gave them). Decimals come back as float, dates and times as ISO text."""
        sql = self.statement(shape, build, scope)
        return self.query(sql), sql

    def query(self, sql: str) -> list[dict[str, Any]]:
        """Rows of a statement that we compiled. A statement seen before is answered from memory until data changes."""
        if sql in self._results:
            self._results.move_to_end(sql)
            return self._results[sql]
        cursor = self.raw.execute(sql)
        names = [d[0] for d in cursor.description]
        rows = [dict(zip(names, map(plain, row), strict=True)) for row in cursor.fetchall()]
        self._results[sql] = rows
        if len(self._results) > _CACHED_RESULTS:
            self._results.popitem(last=False)
        return rows

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run a statement of ours that may write and fetch all it returns; results in memory are forgotten."""
        self._results.clear()
        return list(self.raw.execute(sql, list(parameters)).fetchall())

    def load_arrow(self, name: str, rows: pa.Table) -> None:
        """Append `rows` (all columns, in order) to a catalogue table."""
        self._results.clear()
        self.raw.register("_arrow_rows", rows)
        try:
            self.raw.execute(f'INSERT INTO "{name}" SELECT * FROM _arrow_rows')
        finally:
            self.raw.unregister("_arrow_rows")

    def close(self) -> None:
        self.raw.close()


def plain(value: Any) -> Any:
    """A value as JSON would carry it: Decimal to float, dates and times to ISO text."""
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, dt.datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, dt.date):
        return value.isoformat()
    return value
