"""Spark as the engine: a lake of Parquet (tools/backends/lake.py), read by as many machines as there are.

Every table of the lake is a temporary view of its name. One process works with one Spark; it is started by the first question
and ends with the process, so Spark suits `warroom bot` and `chat` better than single commands.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tools.backends import lake
from tools.backends.url import SparkURL
from tools.backends.warehouse import Layout, Warehouse, value, wanted
from tools.errors import NeedsPerson
from tools.reader import Row, Stamp
from tools.statements import StatementFile

if TYPE_CHECKING:
    import ibis.expr.types as ir

_REMEMBERED = 60.0  # seconds for which results are taken from memory where nothing says that the data changed
_SPARK = {
    "string": "string", "timestamp": "timestamp_ntz", "date": "date", "decimal(18, 2)": "decimal(18,2)",
    "float64": "double", "int64": "bigint", "int8": "tinyint",
}  # fmt: skip
_IBIS = {
    "string": "string", "timestamp_ntz": "timestamp", "timestamp": "timestamp('UTC')", "date": "date",
    "tinyint": "int8", "smallint": "int16", "int": "int32", "bigint": "int64", "boolean": "boolean",
    "float": "float32", "double": "float64",
}  # fmt: skip
_DEFAULTS = {
    "spark.app.name": "warroom",
    "spark.log.level": "ERROR",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
}
_ON_THIS_MACHINE = {"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}  # no port for others


class Spark(Warehouse):
    """The lake of `url`. `zone` is the shop's: a column that holds a zone is read in it."""

    dialect = "pyspark"
    sql_dialect = "spark"
    moment_type = "TIMESTAMP_NTZ"

    def __init__(self, url: SparkURL, root: Path, zone: str, statements: StatementFile | None = None) -> None:
        super().__init__(statements)
        self._url = url
        self._zone = zone
        self._folder = url.folder(root)

    @property
    def place(self) -> str:
        return f"{self._folder or self._url.lake} ({self._url.master})"

    @cached_property
    def session(self) -> Any:
        """A session of our own (views and settings) on the Spark of this process."""
        with _asked(self.place):
            session = _started(self._url).newSession()
            session.conf.set("spark.sql.session.timeZone", self._zone)
            # A time is a time of the shop's clock: without this, a bare TIMESTAMP is a moment that a zone turns into one.
            session.conf.set("spark.sql.timestampType", "TIMESTAMP_NTZ")
            return session

    def close(self) -> None:
        """Let the views go; Spark itself ends with the process."""
        if "session" in self.__dict__:
            for name in self._found or ():
                self.session.catalog.dropTempView(name)
            del self.session

    def stamp(self) -> Stamp:
        """The list of files that count; where the merchant's own pipelines fill the lake, the minute."""
        if self._folder is not None:
            try:
                state = (self._folder / lake.MANIFEST).stat()
                return (state.st_ino, state.st_size, state.st_mtime_ns)
            except FileNotFoundError:
                pass
        return (int(time.monotonic() / _REMEMBERED),)

    def _look(self) -> Layout:
        published = lake.files(self._folder) if self._folder is not None else None
        found: Layout = {}
        with _asked(self.place):
            for name, columns in wanted().items():
                rows = self._published(name, published) if published is not None else self._filled(name)
                if rows is not None:
                    rows.createOrReplaceTempView(name)
                    kinds = {c: _IBIS.get(kind, _decimal(kind)) for c, kind in rows.dtypes}
                    found[name] = {c: kinds[c] for c in kinds if c in columns}
        return found

    def _published(self, name: str, published: dict[str, list[str]]) -> Any:
        if name not in published:
            return None
        columns = wanted()[name]
        schema = ", ".join(f"`{c}` {_SPARK[kind]}" for c, kind in columns.items())
        folder = f"{self._folder}/{name}"
        files = [f"{self._folder}/{file}" for file in published[name]]
        return self.session.read.schema(schema).option("basePath", folder).parquet(*files).select(*columns)

    def _filled(self, name: str) -> Any:
        """A folder that the merchant's pipelines fill, with the columns that it has; None where there is none."""
        read = self.session.read
        from pyspark.errors import AnalysisException

        try:
            return read.parquet(f"{self._folder or self._url.lake}/{name}")
        except AnalysisException as e:
            if e.getCondition() in ("PATH_NOT_FOUND", "UNABLE_TO_INFER_SCHEMA"):
                return None
            raise

    def _named(self, name: str, columns: dict[str, str]) -> ir.Table:
        import ibis

        return ibis.table(columns, name=name)

    def _sql(self, expression: ir.Table) -> str:
        import ibis

        assert ibis.pyspark  # looking at it registers options that compiling needs
        return super()._sql(expression)

    def _fetch(self, sql: str) -> list[Row]:
        with _asked(self.place):
            rows = self.session.sql(sql)
            names = rows.columns
            return [dict(zip(names, map(value, row), strict=True)) for row in rows.collect()]

    def _run(self, sql: str) -> tuple[list[Row], Stamp | None]:
        stamp = self.stamp()
        try:
            return super()._run(sql)
        except NeedsPerson:
            if self.stamp() == stamp:
                raise
            return super()._run(sql)  # a publication took away the files that were being read


def _started(url: SparkURL) -> Any:
    """The Spark of this process, started if need be. NeedsPerson when it cannot be, or works with another master."""
    try:
        from pyspark.sql import SparkSession
    except ImportError as e:
        raise NeedsPerson("engine_missing", what="pyspark", how="pip install 'promo-war-room[spark]'") from e
    if not os.environ.get("JAVA_HOME") and shutil.which("java") is None:
        raise NeedsPerson("engine_missing", what="Java 17", how="apt-get install openjdk-17-jre-headless")
    running = SparkSession.getActiveSession()
    if running is not None and running.sparkContext.master != url.master:
        raise NeedsPerson("spark_other_master", running=running.sparkContext.master, wanted=url.master)
    builder = SparkSession.builder.master(url.master)
    here = _ON_THIS_MACHINE if url.master.startswith("local") else {}
    for name, setting in (_DEFAULTS | here | dict(url.settings)).items():
        builder = builder.config(name, setting)
    return builder.getOrCreate()


@contextmanager
def _asked(place: str) -> Iterator[None]:
    """Spark's errors, translated at one place."""
    try:
        yield
    except NeedsPerson:
        raise
    except Exception as e:
        if not type(e).__module__.startswith(("pyspark.", "py4j.")):
            raise
        detail = next(iter(str(e).strip().splitlines()), type(e).__name__).rstrip(".")
        raise NeedsPerson("warehouse_failed", place=place, detail=detail) from e


def _decimal(kind: str) -> str:
    """decimal(12,2) as Ibis writes it; anything else is cast to what is wanted."""
    return kind.replace(",", ", ") if kind.startswith("decimal") else "json"
