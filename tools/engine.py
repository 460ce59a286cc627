"""The engine in the workspace: one DuckDB file (tools/datafile.py opens it), where imports land and, unless shop.yaml names
another engine, questions are answered (tools/reader.py). Import (tools/ingest.py) speaks DuckDB's SQL
through `Engine.execute`, because reading files is the engine's own business. No text of a user is ever pasted into SQL.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from knowledge import catalog
from tools import daily
from tools.backends.url import PostgresURL
from tools.datafile import DataFile
from tools.reader import Reader, Row, Stamp, plain
from tools.scope import Moments
from tools.statements import StatementFile

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pyarrow as pa

    from tools.shop import Shop

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


class Engine(Reader):
    """One data file, opened at once and again whenever it was let go. `read_only` leaves room for other readers.

    Several threads may use one engine: who reads has a cursor of his own, who writes does so one statement after the other.
    """

    def __init__(self, path: Path, *, read_only: bool = True, statements: StatementFile | None = None) -> None:
        super().__init__(statements)
        self.path = path
        self.read_only = read_only
        self._file = DataFile(path, read_only=read_only, on_shut=self._unbind)
        self._tables: dict[str, ir.Table] = {}

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

    def stamp(self) -> Stamp:
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
        # A data file of an earlier version kept the cost of a message to the cent.
        kept = self.raw.execute(
            "SELECT data_type FROM duckdb_columns() WHERE table_name = 'touches' AND column_name = 'cost'"
        )
        if kept.fetchall() != [(SQL_TYPES[catalog.tables()["touches"].columns["cost"].type],)]:
            self.raw.execute("ALTER TABLE touches ALTER cost TYPE DOUBLE")
        self.raw.execute(_IMPORTS)
        # A data file of an early version has no such column; without it nothing could be imported there any more.
        self.raw.execute("ALTER TABLE _imports ADD COLUMN IF NOT EXISTS rejects_file VARCHAR")
        self.raw.execute("ALTER TABLE _imports ADD COLUMN IF NOT EXISTS repaired VARCHAR")
        self.raw.execute("ALTER TABLE _imports ADD COLUMN IF NOT EXISTS reasons VARCHAR")
        daily.create(self)

    def table(self, name: str) -> ir.Table:
        """The Ibis table of a catalogue table, or of the facts beside it (tools/daily.py)."""
        with self._one:
            if name not in self._tables:
                if name in daily.TABLES and not self._stored(name):  # a data file of an earlier version
                    self._tables[name] = daily.expression(name, self.table)
                else:
                    self._tables[name] = self.con.table(name)
            return self._tables[name]

    def _stored(self, name: str) -> bool:
        return bool(self.raw.execute("SELECT 1 FROM duckdb_tables() WHERE table_name = $1", [name]).fetchall())

    def _compile(self, build: Callable[[Moments], ir.Table], moments: Moments) -> str:
        with self._file.in_use(), self._one:
            return str(self.con.compile(build(moments)))

    def _run(self, sql: str) -> tuple[list[Row], Stamp | None]:
        with self._file.in_use() as raw:
            if self.read_only:
                with closing(raw.cursor()) as cursor:
                    # The stamp is taken while the file is open: nobody writes between the rows and it.
                    return _fetched(cursor.execute(sql)), self._file.stamp()
            with self._one:  # what is not committed yet is seen by this connection only
                return _fetched(raw.execute(sql)), None

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run a statement of ours that may write and fetch all it returns; results in memory are forgotten."""
        with self._file.in_use() as raw, self._one:
            self._forget()
            return list(raw.execute(sql, list(parameters)).fetchall())

    def load_arrow(self, name: str, rows: pa.Table) -> None:
        """Append `rows` (all columns, in order) to a catalogue table."""
        with self._file.in_use() as raw, self._one:
            self._forget()
            start = raw.execute(f'SELECT coalesce(max(rowid) + 1, 0) FROM "{name}"').fetchall()[0][0]
            raw.register("_arrow_rows", rows)
            try:
                raw.execute(f'INSERT INTO "{name}" SELECT * FROM _arrow_rows')
            finally:
                raw.unregister("_arrow_rows")
        daily.added(self, name, start)


def open_engine(shop: Shop) -> Reader:
    """What answers the shop's questions: the data file, or the engine that shop.yaml names (connected on first use)."""
    statements = StatementFile(shop.statements_file)
    if shop.warehouse is None:
        return Engine(shop.data_file, statements=statements)
    if isinstance(shop.warehouse, PostgresURL):
        from tools.backends.postgres import Postgres

        return Postgres(shop.warehouse, str(shop.timezone), statements)
    from tools.backends.spark import Spark

    return Spark(shop.warehouse, shop.root, str(shop.timezone), statements)


def _fetched(cursor: Any) -> list[Row]:
    names = [d[0] for d in cursor.description]
    return [dict(zip(names, map(plain, row), strict=True)) for row in cursor.fetchall()]
