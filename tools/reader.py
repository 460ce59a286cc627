"""Questions to the data, whatever engine holds it: crowds and metrics are Ibis expressions, compiled once, run often.

Reader                  compiles, binds moments, remembers results
├── Engine              one DuckDB file in the workspace (tools/engine.py): the default, and where imports land
└── Warehouse           an engine that the merchant runs (tools/backends/): PostgreSQL, Spark; only ever read
"""

from __future__ import annotations

import datetime as dt
import threading
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tools.scope import Moments, Scope, bind
from tools.statements import StatementFile

if TYPE_CHECKING:
    import ibis.expr.types as ir

Row = dict[str, Any]
Stamp = tuple[Any, ...]
_CACHED_RESULTS = 256


class Reader(ABC):
    """Tables of the catalogue and statements over them. Several threads may use one reader.

    `statements` keeps compiled statements between processes, so that most commands never import Ibis.
    """

    read_only = True

    def __init__(self, statements: StatementFile | None = None) -> None:
        self._one = threading.RLock()  # one thread at a time compiles (Ibis) or writes
        self._statements = statements
        self._compiled: dict[str, str] = statements.read() if statements else {}
        self._results: OrderedDict[str, list[Row]] = OrderedDict()
        self._results_of: Stamp | None = None  # the state of the data that the results are from
        self._memory = threading.Lock()  # guards the results

    @abstractmethod
    def table(self, name: str) -> ir.Table:
        """The Ibis table of a catalogue table, or of the facts beside it (tools/daily.py)."""

    @abstractmethod
    def stamp(self) -> Stamp:
        """Changes when the data does."""

    @abstractmethod
    def release(self) -> None:
        """Let others write, as soon as the statements that run now are done."""

    @abstractmethod
    def give_way(self) -> bool:
        """Release if somebody waits to write; returns whether."""

    @abstractmethod
    def close(self) -> None: ...

    @abstractmethod
    def _compile(self, build: Callable[[Moments], ir.Table], moments: Moments) -> str:
        """The expression as a statement in the engine's dialect, its moments still placeholders."""

    @abstractmethod
    def _run(self, sql: str) -> tuple[list[Row], Stamp | None]:
        """The rows of a statement and a state of the data that is no newer than they are."""

    def _variant(self) -> tuple[Any, ...]:
        """What else statements depend on, beside their shape and the shop's settings."""
        return ()

    def _bound(self, sql: str, scope: Scope) -> str:
        return bind(sql, scope)

    def statement(self, shape: tuple[Any, ...], build: Callable[[Moments], ir.Table], scope: Scope) -> str:
        """The expression that `build` makes, as one statement at the scope's moments.

        `shape` must name everything that the expression depends on: it is built and compiled once per shape and settings.
        """
        key = repr((*shape, scope.settings, *self._variant()))
        if key not in self._compiled:
            self._compiled[key] = self._compile(build, Moments(scope.settings))
            if self._statements:
                with self._one:
                    self._statements.write(self._compiled)
        return self._bound(self._compiled[key], scope)

    def rows(self, shape: tuple[Any, ...], build: Callable[[Moments], ir.Table], scope: Scope) -> tuple[list[Row], str]:
        """(rows, the statement that gave them). Decimals come back as float, dates and times as ISO text."""
        sql = self.statement(shape, build, scope)
        return self.query(sql), sql

    def query(self, sql: str) -> list[Row]:
        """Rows of a statement of ours: one that `statement` gave, or a small one in DuckDB's dialect, alone or around such
        statements. A statement seen before is answered from memory until the data changes."""
        known = self._remembered(sql)
        if known is not None:
            return known
        rows, stamp = self._run(sql)
        with self._memory:
            if stamp != self._results_of:
                self._results.clear()
                self._results_of = stamp
            self._results[sql] = rows
            if len(self._results) > _CACHED_RESULTS:
                self._results.popitem(last=False)
        return rows

    def local(self, sql: str) -> str:
        """A statement that `query` takes, as one that any client of this engine can run as it stands."""
        return sql

    def _remembered(self, sql: str) -> list[Row] | None:
        """The rows of a statement seen before, if the data has not changed since; nothing is opened for that."""
        with self._memory:
            if self.read_only and self._results and self.stamp() != self._results_of:
                self._results.clear()
            if sql in self._results:
                self._results.move_to_end(sql)
            return self._results.get(sql)

    def _forget(self) -> None:
        with self._memory:
            self._results.clear()


def plain(value: Any) -> Any:
    """A value as JSON would carry it: Decimal to float, dates and times to ISO text."""
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, dt.datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, dt.date):
        return value.isoformat()
    return value
