"""The engines beside the workspace's own, for tests: a throwaway PostgreSQL, and one Spark for the whole run."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.postgres import new_database
from tools.backends.url import parse
from tools.engine import Engine, open_engine
from tools.publish import Published, publish
from tools.reader import Reader
from tools.shop import Shop, load_shop

ELSEWHERE = ("postgres", "spark")
# Small plans on two busy cores: what a big cluster wins by compiling and adapting only costs here.
SPARK = (
    "&spark.sql.shuffle.partitions=1&spark.sql.autoBroadcastJoinThreshold=-1&spark.driver.memory=1g&spark.sql.adaptive.enabled=false"
    "&spark.sql.codegen.wholeStage=false&spark.sql.codegen.factoryMode=NO_CODEGEN"
    "&spark.driver.extraJavaOptions=-XX:TieredStopAtLevel=1%20-XX:%2BUseSerialGC"
    "&spark.executor.extraJavaOptions=-XX:TieredStopAtLevel=1%20-XX:%2BUseSerialGC"
)


def need_spark() -> None:
    """Skip where Spark cannot run, and say why."""
    if importlib.util.find_spec("pyspark") is None:
        pytest.skip("pyspark is not installed: pip install 'promo-war-room[spark]'")
    if shutil.which("java") is None:
        pytest.skip("Java is not installed: apt-get install openjdk-17-jre-headless")


def url_of(kind: str, request: pytest.FixtureRequest, root: Path) -> str:
    """`engine:` of an empty place of its own on that engine; the test is skipped where the engine is absent."""
    if kind == "postgres":
        return new_database(request.getfixturevalue("postgres_url"))
    need_spark()
    return f"pyspark://local[2]?lake={root / 'lake'}{SPARK}"


def shop_at(root: Path, url: str) -> Shop:
    """A shop in `root` whose questions are answered at `url`."""
    if not (root / "shop.yaml").exists():
        (root / "shop.yaml").write_text("name: 店\n", encoding="utf-8")
    return replace(load_shop(root), warehouse=parse(url))


@contextmanager
def published(engine: Engine, shop: Shop) -> Iterator[tuple[Reader, Published]]:
    """What `engine` holds, at the shop's engine."""
    done = publish(engine, shop)
    reader = open_engine(shop)
    try:
        yield reader, done
    finally:
        reader.close()


def as_it_stands(reader: Reader, sql: str) -> list[tuple[Any, ...]]:
    """The rows of a statement that any client of the engine runs, without anything of ours around it."""
    from tools.backends.postgres import Postgres
    from tools.backends.spark import Spark
    from tools.backends.warehouse import value

    if isinstance(reader, Spark):
        rows: list[Any] = reader.session.sql(sql).collect()
    else:
        import psycopg

        assert isinstance(reader, Postgres)
        with psycopg.connect(reader.url.dsn) as connection:
            rows = connection.execute(sql.encode()).fetchall()
    return [tuple(map(value, row)) for row in rows]
