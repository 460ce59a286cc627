"""Questions to the data: one DuckDB file in the workspace (tools/datafile.py opens it), reached through Ibis.

Crowds and metrics are Ibis expressions; `Engine.rows` compiles and runs one. Import (tools/ingest.py) speaks DuckDB's SQL
through `Engine.execute`, because reading files is the engine's own business. No text of a user is ever pasted into SQL.
"""

from __future__ import annotations

import datetime as dt
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import closing
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from knowledge import catalog
from tools.datafile import DataFile
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
    """One data file, opened at once and again whenever it was let go. `read_only` leaves room for other readers.

    Several threads may use one engine: who reads has a cursor of his own, who writes does so one statement after the other.
    `statements` keeps compiled statements between processes, so that most commands never import Ibis.
    """

    def __init__(self, path: Path, *, read_only: bool = True, statements: StatementFile | None = None) -> None:
        self.path = path
        self.read_only = read_only
        self._file = DataFile(path, read_only=read_only, on_shut=self._unbind)
        self._one = threading.RLock()  # one thread at a time compiles (Ibis) or writes
        self._statements = statements
        self._tables: dict[str, ir.Table] = {}
        self._compiled: dict[str, str] = statements.read() if statements else {}
        self._results: OrderedDict[str, list[dict[str, Any]]] = OrderedDict()
        self._results_of: tuple[Any, ...] | None = None  # the state of the file that the results are from
        self._memory = threading.Lock()  # guards the results

    @property
    def raw(self) -> Any:
        """DuckDB's connection; for statements beside `query` and `execute`, from one thread only."""
        return self._file.raw

    @cached_property
    def con(self) -> Any:
        """The Ibis backend on the same connection."""
        import ibis

        return ibis.duckdb.from_connection(self.raw)

    def release(self) -> None:
        """Let others write, as soon as the statements that run now are done; the next question opens the file again.

        That costs tens of milliseconds and DuckDB's memory of the data: where questions come thick, `give_way`.
        """
        self._file.release()

    def give_way(self) -> bool:
        """Release if somebody waits to write; returns whether. Nearly free: for after each answer, and for idle moments."""
        return self._file.give_way()

    def stamp(self) -> tuple[Any, ...]:
        """Changes when the data does; steady while the file is only read."""
        return self._file.stamp()

    def close(self) -> None:
        self._file.close()

    def _unbind(self) -> None:
        """What hangs on the connection that is being closed; compiled statements and results do not."""
        self.__dict__.pop("con", None)
        self._tables.clear()

    def create_tables(self) -> None:
        """All tables of the catalogue, empty, where they are missing."""
        for key, table in catalog.tables().items():
            columns = ", ".join(f'"{name}" {SQL_TYPES[c.type]}' for name, c in table.columns.items())
            self.raw.execute(f'CREATE TABLE IF NOT EXISTS "{key}" ({columns})')
        self.raw.execute(_IMPORTS)
        # A data file of an early version has no such column; without it nothing could be imported there any more.
        self.raw.execute("ALTER TABLE _imports ADD COLUMN IF NOT EXISTS rejects_file VARCHAR")

    def table(self, name: str) -> ir.Table:
        """The Ibis table of a catalogue table."""
        with self._one:
            if name not in self._tables:
                self._tables[name] = self.con.table(name)
            return self._tables[name]

    def statement(self, shape: tuple[Any, ...], build: Callable[[Moments], ir.Table], scope: Scope) -> str:
        """The expression that `build` makes, as one statement at the scope's moments.

        `shape` must name everything that the expression depends on: it is built and compiled once per shape and settings.
        """
        key = repr((*shape, scope.settings))
        if key not in self._compiled:
            with self._file.in_use(), self._one:
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
        known = self._remembered(sql)
        if known is not None:
            return known
        with self._file.in_use() as raw:
            if self.read_only:
                with closing(raw.cursor()) as cursor:
                    rows = _fetched(cursor.execute(sql))
            else:  # what is not committed yet is seen by this connection only
                with self._one:
                    rows = _fetched(raw.execute(sql))
            self._remember(sql, rows)
        return rows

    def _remembered(self, sql: str) -> list[dict[str, Any]] | None:
        """The rows of a statement seen before, if the file has not changed since; nothing is opened for that."""
        with self._memory:
            if self.read_only and self._results and self._file.stamp() != self._results_of:
                self._results.clear()
            if sql in self._results:
                self._results.move_to_end(sql)
            return self._results.get(sql)

    def _remember(self, sql: str, rows: list[dict[str, Any]]) -> None:
        """Called while the file is open, so that nobody writes between the rows and the stamp."""
        with self._memory:
            stamp = self._file.stamp() if self.read_only else None
            if stamp != self._results_of:
                self._results.clear()
                self._results_of = stamp
            self._results[sql] = rows
            if len(self._results) > _CACHED_RESULTS:
                self._results.popitem(last=False)

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run a statement of ours that may write and fetch all it returns; results in memory are forgotten."""
        with self._file.in_use() as raw, self._one:
            self._forget()
            return list(raw.execute(sql, list(parameters)).fetchall())

    def load_arrow(self, name: str, rows: pa.Table) -> None:
        """Append `rows` (all columns, in order) to a catalogue table."""
        with self._file.in_use() as raw, self._one:
            self._forget()
            raw.register("_arrow_rows", rows)
            try:
                raw.execute(f'INSERT INTO "{name}" SELECT * FROM _arrow_rows')
            finally:
                raw.unregister("_arrow_rows")

    def _forget(self) -> None:
        with self._memory:
            self._results.clear()


def _fetched(cursor: Any) -> list[dict[str, Any]]:
    names = [d[0] for d in cursor.description]
    return [dict(zip(names, map(plain, row), strict=True)) for row in cursor.fetchall()]


def plain(value: Any) -> Any:
    """A value as JSON would carry it: Decimal to float, dates and times to ISO text."""
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, dt.datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, dt.date):
        return value.isoformat()
    return value
