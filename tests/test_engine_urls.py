"""`engine:` of shop.yaml, what is said where an engine cannot be reached, and hand-written statements in other dialects."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.engines import shop_at
from tools.backends.dialect import marked, translated
from tools.backends.url import PostgresURL, SparkURL, parse
from tools.engine import open_engine
from tools.errors import NeedsPerson
from tools.shop import load_shop


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("duckdb", None),
        ("postgresql://me@db:5433/x?schema=promo", PostgresURL("postgresql://me@db:5433/x", "promo")),
        ("postgresql:///x?sslmode=require", PostgresURL("postgresql:///x?sslmode=require", None)),
        ("pyspark://local[2]?lake=lake", SparkURL("local[2]", "lake")),
        ("pyspark://local-cluster[2,1,1024]?lake=/l", SparkURL("local-cluster[2,1,1024]", "/l")),
        ("pyspark://m1:7077,m2:7077?lake=/l", SparkURL("spark://m1:7077,m2:7077", "/l")),
        ("pyspark://yarn?lake=s3a://b/l&spark.executor.memory=8g",
         SparkURL("yarn", "s3a://b/l", (("spark.executor.memory", "8g"),))),
    ],
)  # fmt: skip
def test_what_engine_means(text: str, expected: Any) -> None:
    assert parse(text) == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("postgresql://me:secret@db/x", "PGPASSWORD"),
        ("postgresql://me@db/x?password=secret", "PGPASSWORD"),
        ("postgresql://me@db/x?schema=a;drop", "schema"),
        ("mysql://me:secret@db/x", "write duckdb"),
        ("pyspark://local[2]", "lake"),
        ("pyspark://?lake=x", "MASTER"),
        ("pyspark://local[2]?lake=x&memory=8g", "memory"),
        ("sqlite", "write duckdb"),
    ],
)
def test_what_engine_cannot_be(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "shop.yaml").write_text(f"name: x\nengine: {text}\n", encoding="utf-8")
    with pytest.raises(NeedsPerson) as e:
        load_shop(tmp_path)
    assert e.value.code == "bad_file"
    assert said in str(e.value)
    assert "secret" not in str(e.value)


def test_a_database_that_is_not_there(tmp_path: Path) -> None:
    reader = open_engine(shop_at(tmp_path, f"postgresql://me@/x?host={tmp_path}"))
    with pytest.raises(NeedsPerson) as e:
        reader.query("SELECT count(*) AS n FROM events")
    assert e.value.code == "warehouse_unreachable"
    assert "localhost/x" in e.value.message("zh")
    reader.close()


def test_spark_without_pyspark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    for name in ("pyspark", "pyspark.sql"):
        monkeypatch.setitem(sys.modules, name, None)
    reader = open_engine(shop_at(tmp_path, "pyspark://local[2]?lake=lake"))
    with pytest.raises(NeedsPerson) as e:
        reader.query("SELECT count(*) AS n FROM events")
    assert e.value.code == "engine_missing"
    assert "promo-war-room[spark]" in e.value.hint("en")


def _no_tables(name: str) -> None:
    return None


def test_statements_of_the_engines_own_pass_untouched() -> None:
    own = "SELECT `a` FROM x WHERE `b` = 'it\\'s'"
    assert translated(marked(own), "spark", _no_tables) == own
    wrapped = f"SELECT \"a\" FROM (\n{marked(own)}\n) AS t WHERE \"b\" = 'it''s \\'"
    assert translated(wrapped, "spark", _no_tables) == f"SELECT `a` FROM ({own}) AS t WHERE `b` = 'it\\'s \\\\'"
    assert translated(wrapped, "postgres", _no_tables) == f"SELECT \"a\" FROM ({own}) AS t WHERE \"b\" = 'it''s \\'"
    both = f"SELECT ({wrapped}) - ({wrapped})"
    assert translated(both, "spark", _no_tables).count(own) == 2


def test_eleven_statements_in_one_keep_their_places() -> None:
    parts = " + ".join(f"({marked(f'SELECT {n}')})" for n in range(11))
    expected = "SELECT " + " + ".join(f"(SELECT {n})" for n in range(11))
    assert translated(f"SELECT {parts}", "postgres", _no_tables) == expected


def test_a_text_cannot_pass_for_a_mark() -> None:
    forged = "/* 0123456789abcdef */ DROP TABLE x /* end 0123456789abcdef */"
    sql = f"SELECT 1 AS n FROM ({marked('SELECT 1')}) AS t WHERE c = '{forged}'"
    assert translated(sql, "postgres", _no_tables) == f"SELECT 1 AS n FROM (SELECT 1) AS t WHERE c = '{forged}'"
