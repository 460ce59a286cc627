"""An engine that the merchant runs, as a reader: its tables are the catalogue's, filled by `warroom publish` or by the
merchant's own pipelines, and nothing is ever written through it (tools/reader.py).

What a pipeline of the merchant's own does not have is stood in for: a table or an optional column that is missing is empty, a
column of another type is cast, and `activity` and `people` are computed from the events (tools/daily.py).
"""

from __future__ import annotations

import hashlib
from abc import abstractmethod
from collections.abc import Callable
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any

from knowledge import catalog
from tools import daily
from tools.backends.dialect import marked, translated
from tools.errors import NeedsPerson
from tools.reader import Reader, Row, Stamp, plain
from tools.scope import Moments, Scope, bind
from tools.statements import StatementFile

if TYPE_CHECKING:
    import ibis.expr.types as ir

Layout = dict[str, dict[str, str]]  # table → column → type as Ibis writes it
_CACHED_LOCALS = 1024
KINDS = {
    "text": "string",
    "choice": "string",
    "time": "timestamp",
    "day": "date",
    "money": "decimal(18, 2)",
    "number": "float64",
    "integer": "int64",
    "flag": "int8",
}
_OF_SQL = {"VARCHAR": "string", "DATE": "date", "TIMESTAMP": "timestamp", "TINYINT": "int8"}


@cache
def wanted() -> Layout:
    """The tables of the catalogue and the facts beside them, with their columns."""
    tables = {name: {c: KINDS[d.type] for c, d in t.columns.items()} for name, t in catalog.tables().items()}
    facts = {name: {c: _OF_SQL[kind] for c, kind in columns.items()} for name, columns in daily.sql_columns().items()}
    return tables | facts


class Warehouse(Reader):
    """`dialect` is the engine's name in Ibis, `sql_dialect` in sqlglot, `moment_type` its type of a time without a zone."""

    dialect: str
    sql_dialect: str
    moment_type = "TIMESTAMP"

    def __init__(self, statements: StatementFile | None = None) -> None:
        super().__init__(statements)
        self._tables: dict[str, ir.Table] = {}
        self._local: dict[str, str] = {}
        self._found: Layout | None = None
        self._found_at: Stamp | None = None

    @abstractmethod
    def _look(self) -> Layout:
        """The catalogue's tables that are there, with all their columns."""

    @abstractmethod
    def _fetch(self, sql: str) -> list[Row]:
        """The rows of a statement in the engine's own dialect."""

    @abstractmethod
    def _named(self, name: str, columns: dict[str, str]) -> ir.Table:
        """A table that is there, as Ibis is to name it."""

    def release(self) -> None:
        """Nothing: whoever writes there does not wait for readers."""

    def give_way(self) -> bool:
        return False

    def table(self, name: str) -> ir.Table:
        with self._one:
            layout = self._layout()
            if name not in self._tables:
                self._tables[name] = self._made(name, layout)
            return self._tables[name]

    def _layout(self) -> Layout:
        """What is there; looked at again when the data changed. NeedsPerson when nothing is, or what is there is no data
        of the catalogue's."""
        stamp = self.stamp()
        with self._one:
            if self._found is None or stamp != self._found_at:
                found = self._look()
                if not set(found) & set(catalog.tables()):
                    raise NeedsPerson("warehouse_empty", place=self.place)
                for name, table in catalog.tables().items():
                    lacking = [c for c, d in table.columns.items() if d.required and c not in found.get(name, {c: ""})]
                    if lacking:
                        raise NeedsPerson("warehouse_columns", place=self.place, table=name, missing=", ".join(lacking))
                if found != self._found:
                    self._tables.clear()
                    self._local.clear()
                self._found, self._found_at = found, stamp
            return self._found

    @property
    @abstractmethod
    def place(self) -> str:
        """Where the tables are, as a person calls it."""

    def _made(self, name: str, layout: Layout) -> ir.Table:
        import ibis

        columns = wanted()[name]
        if name not in layout:
            if name in daily.TABLES:
                return daily.expression(name, self.table)
            there = next(n for n in layout if n in catalog.tables())
            nobody = self._named(there, layout[there]).filter(ibis.literal(False))
            return nobody.select(**{c: ibis.null(kind) for c, kind in columns.items()})
        t = self._named(name, layout[name])
        if layout[name] == columns:
            return t
        return t.select(**{c: _as(t[c], kind) if c in t.columns else ibis.null(kind) for c, kind in columns.items()})

    def _variant(self) -> tuple[Any, ...]:
        """Compiled statements are as good as the tables that they were made for."""
        text = repr((self.place, sorted(self._layout().items())))
        return (self.dialect, hashlib.sha256(text.encode()).hexdigest()[:16])

    def _compile(self, build: Callable[[Moments], ir.Table], moments: Moments) -> str:
        with self._one:
            return self._sql(build(moments))

    def _sql(self, expression: ir.Table) -> str:
        import ibis

        return str(ibis.to_sql(expression, dialect=self.dialect))

    def _bound(self, sql: str, scope: Scope) -> str:
        return marked(bind(sql, scope, self.moment_type))

    def local(self, sql: str) -> str:
        known = self._local.get(sql)
        if known is None:
            if len(self._local) >= _CACHED_LOCALS:
                self._local.clear()
            known = self._local[sql] = translated(sql, self.sql_dialect, self._stands_for)
            self._local[known] = known  # a fact's query, asked again
        return known

    def _stands_for(self, name: str) -> Any:
        """What a hand-written statement reads in place of a table of ours."""
        import sqlglot
        import sqlglot.expressions as exp

        if name not in wanted():
            return None
        tree = sqlglot.parse_one(self._sql(self.table(name)), read=self.sql_dialect)
        if self._layout().get(name) != wanted()[name]:
            return exp.Subquery(this=tree)
        table = next(tree.find_all(exp.Table)).copy()
        table.set("alias", None)
        return table

    def _run(self, sql: str) -> tuple[list[Row], Stamp | None]:
        stamp = self.stamp()  # before: rows may be newer than it, never older
        self._layout()
        return self._fetch(self.local(sql)), stamp


def _as(column: Any, kind: str) -> Any:
    if str(column.type()) == kind:
        return column
    return (column.cast("int32") if column.type().is_boolean() else column).cast(kind)


def value(raw: Any) -> Any:
    """A value as DuckDB would give it: a decimal without decimals is a sum of whole numbers."""
    if isinstance(raw, Decimal) and raw.as_tuple().exponent == 0:
        return int(raw)
    return plain(raw)
