"""The same crowds and metrics on every engine: by hand on the tiny shop, and on a crowded one like DuckDB to the cent."""

from __future__ import annotations

import importlib.util
import json
import math
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import ibis
import pytest
from pytest_socket import socket_allow_hosts

from knowledge import catalog
from tests import crowded_shop, oracle, tiny_shop
from tests.engines import ELSEWHERE, SPARK, as_it_stands, need_spark, published, shop_at, url_of
from tests.shops import dated, load
from tests.test_oracle_metrics import EXPECTED
from tools import audience, metrics
from tools.backends.url import PostgresURL
from tools.crowds import CROWDS
from tools.engine import Engine, open_engine
from tools.errors import NeedsPerson
from tools.filter_values import values
from tools.periods import Window, window
from tools.publish import publish
from tools.reader import Reader
from tools.scope import Moments, Scope
from tools.shop import Thresholds
from tools.status import data_until

CAMPAIGNS = tuple(dated(c) for c in tiny_shop.CAMPAIGNS)
PANEL = ("all", "old", "new", "member", "fan")
ASKED = [*PANEL, "cart_unpaid", "member and not old"]
T = tiny_shop.AS_OF
DAYS = [
    (date(2026, 6, 16), date(2026, 6, 17), T),
    (date(2026, 5, 17), date(2026, 6, 17), T),
    (date(2026, 5, 10), date(2026, 5, 10), datetime(2026, 5, 10, 12)),
]
Pair = tuple[Engine, Reader]


@pytest.fixture(autouse=True)
def _no_network() -> None:
    """Takes the place of the top rule of that name: Python talks to Spark over the loopback."""
    socket_allow_hosts(["127.0.0.1", "localhost"], allow_unix_socket=True)


def _pair(tables: oracle.Tables, request: pytest.FixtureRequest, root: Path) -> Iterator[Pair]:
    duck = load(root / "data.duckdb", tables)
    try:
        with published(duck, shop_at(root, url_of(request.param, request, root))) as (reader, _):
            yield duck, reader
    finally:
        duck.close()


@pytest.fixture(scope="module", params=ELSEWHERE)
def tiny(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    yield from _pair(tiny_shop.TABLES, request, tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module", params=ELSEWHERE)
def crowded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    yield from _pair(crowded_shop.tables(), request, tmp_path_factory.mktemp("crowded"))


def scope_at(at: datetime) -> Scope:
    return Scope(at, CAMPAIGNS[-1], Thresholds())


def members(engine: Reader, scope: Scope) -> dict[str, set[str]]:
    """Every crowd, some a statement: Spark plans a few middling statements faster than one huge one."""
    keys = sorted(CROWDS)
    out: dict[str, set[str]] = {key: set() for key in keys}
    for some in (keys[i::3] for i in range(3)):

        def build(at: Moments, some: list[str] = some) -> Any:
            return ibis.union(*(CROWDS[k](engine, at).mutate(crowd=ibis.literal(k)) for k in some))

        rows, _ = engine.rows(("crowds", *some), build, scope)
        for row in rows:
            assert row["user_id"] not in out[row["crowd"]], "a crowd holds nobody twice"
            out[row["crowd"]].add(row["user_id"])
    return out


def panel(
    engine: Reader, keys: list[str], crowds: list[str], over: Window, by: str | None = None
) -> list[metrics.Cell]:
    return metrics.compute(engine, keys, crowds, over, metrics.scope_of(over, CAMPAIGNS, Thresholds()), by)


def numbers(cells: list[metrics.Cell]) -> dict[Any, Any]:
    return {(c.crowd, c.metric, c.by): c.value for c in cells}


def assert_same(found: dict[Any, Any], expected: dict[Any, Any]) -> None:
    """Equal, but for the last bits of a quotient: sums of money are exact everywhere, so far below a cent."""
    assert set(found) == set(expected)
    differ = {
        k: (found[k], v)
        for k, v in expected.items()
        if found[k] != v and (v is None or found[k] is None or not math.isclose(found[k], v, rel_tol=1e-12))
    }
    assert not differ


def fitting(by: str | None) -> list[str]:
    return [m for m in catalog.metrics() if by is None or metrics.splittable(m, by)]


def test_crowds_by_hand(tiny: Pair) -> None:
    found = members(tiny[1], scope_at(T))
    assert {k: found[k] for k in tiny_shop.EXPECTED_CROWDS} == tiny_shop.EXPECTED_CROWDS


def test_metrics_by_hand(tiny: Pair) -> None:
    found = numbers(panel(tiny[1], list(catalog.metrics()), list(PANEL), window(*DAYS[0])))
    by_hand: dict[Any, Any] = {(c, m, None): v for (m, c), v in tiny_shop.EXPECTED_METRICS.items()}
    by_hand |= {(c, m, None): v for m, row in EXPECTED.items() for c, v in zip(PANEL, row, strict=True)}
    assert found == pytest.approx(by_hand)


@pytest.mark.parametrize("at", [T, datetime(2026, 6, 3, 23, 59, 59), datetime(2026, 6, 25)])
def test_every_crowd_is_the_same(crowded: Pair, at: datetime) -> None:
    duck, other = crowded
    expected = members(duck, scope_at(at))
    assert members(other, scope_at(at)) == expected
    assert sum(1 for people in expected.values() if 0 < len(people) < crowded_shop.PEOPLE) > 25, (
        "crowds worth comparing"
    )


@pytest.mark.parametrize("days", DAYS, ids=lambda d: f"{d[0]}..{d[1]}")
def test_every_metric_is_the_same(crowded: Pair, days: tuple[date, date, datetime]) -> None:
    duck, other = crowded
    keys, over = list(catalog.metrics()), window(*days)
    expected = numbers(panel(duck, keys, ASKED, over))
    found = numbers(panel(other, keys, ASKED, over))
    assert_same(found, expected)
    assert {k: type(v) for k, v in found.items()} == {k: type(v) for k, v in expected.items()}
    assert sum(1 for v in expected.values() if v) > len(expected) / 3, "numbers worth comparing"


@pytest.mark.parametrize("by", metrics.BY)
def test_every_breakdown_is_the_same(crowded: Pair, by: str) -> None:
    duck, other = crowded
    over = window(*DAYS[0])
    cells = panel(other, fitting(by), ["all", "cart_unpaid"], over, by)
    expected = panel(duck, fitting(by), ["all", "cart_unpaid"], over, by)
    assert_same(numbers(cells), numbers(expected))
    assert len({c.by for c in cells}) > 1
    # Values with quotes, backslashes and line breaks are found again by the statement that is handed out.
    told = {c.by: c for c in cells if c.crowd == "all" and c.value}
    for value in [v for v in told if re.search(r"['\\\n]", str(v))] or list(told)[:1]:
        assert as_it_stands(other, other.local(told[value].query)) == [(told[value].value,)]


@pytest.mark.parametrize("crowd", ["cart_unpaid", "last_push or city:上海", 'city:"back\\slash"'])
def test_a_profile_is_the_same(crowded: Pair, crowd: str) -> None:
    duck, other = crowded
    here, there = (audience.profile(e, crowd, scope_at(T)) for e in (duck, other))
    assert (there.size, there.shop_size, there.top_items, there.by_level) == (
        here.size, here.shop_size, here.top_items, here.by_level,
    )  # fmt: skip
    assert there.size > 0
    assert there.at_stake == pytest.approx(here.at_stake, abs=0.005)
    share = as_it_stands(other, other.local(there.share_query()))
    assert share == [(pytest.approx(here.share),)]
    if there.top_items:
        item, _, people = there.top_items[0]
        assert as_it_stands(other, other.local(there.query("item", item))) == [(people,)]


# Statements that tools write by hand, in DuckDB's dialect.
BY_HAND = [
    "SELECT count(*) AS n, min(ts) AS since, greatest(max(ts), max(ts)) AS until FROM events",
    "SELECT \"city\" AS v FROM customers WHERE city <> '' GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 3",
    "SELECT DISTINCT threshold, value FROM coupons WHERE redeemed_order_id IS NULL AND "
    "valid_to >= TIMESTAMP '2026-06-17 10:00:00' AND value IS NOT NULL ORDER BY threshold, value",
    "SELECT sum(value) AS value FROM targets WHERE date BETWEEN DATE '2026-06-01' AND DATE '2026-06-30'",
    "SELECT date_sub('day', TIMESTAMP '2026-06-16 11:00:00', TIMESTAMP '2026-06-18 10:00:00') AS n",
    "SELECT date_sub('hour', TIMESTAMP '2026-06-16 11:00:00', TIMESTAMP '2026-06-16 10:30:00') AS n",
    "SELECT date_sub('minute', TIMESTAMP '2026-06-16 11:00:30', TIMESTAMP '2026-06-18 10:00:00') AS n",
    "SELECT date_diff('day', DATE '2026-06-16', DATE '2026-06-20') + 1 AS n",
    "SELECT TIMESTAMP '2026-06-16 11:00:00' AS at",
    "SELECT count(*) * 1.0 / (SELECT count(*) FROM orders) - 1 AS ratio FROM events",
    "SELECT count(*) / 7 AS part FROM events",
    "WITH items AS (SELECT 1 AS n) SELECT n FROM items",
    "SELECT title FROM items WHERE item_id = 'i''2'",
    "SELECT title FROM items WHERE item_id = 'i\\3'",
]


@pytest.mark.parametrize("sql", BY_HAND)
def test_statements_written_by_hand_are_the_same(crowded: Pair, sql: str) -> None:
    duck, other = crowded
    expected, found = duck.query(sql), other.query(sql)
    assert [list(r) for r in found] == [list(r) for r in expected]
    for theirs, ours in zip(found, expected, strict=True):
        assert theirs == pytest.approx(ours)
    assert as_it_stands(other, other.local(sql)) == [tuple(r.values()) for r in found]
    assert other.query(other.local(sql)) == found


def test_what_is_asked_beside_crowds_is_the_same(crowded: Pair) -> None:
    duck, other = crowded
    assert data_until(other) == data_until(duck)
    assert values(other, "city") == values(duck, "city")


# --- tables that the merchant's own pipelines fill ---------------------------------------------------------------

OWN = """
CREATE TABLE events (user_id varchar(40), ts timestamptz, kind varchar(20), item_id text, extra jsonb);
CREATE TABLE orders (order_id text, user_id text, kind text, created_at timestamp, paid_at timestamp, amount numeric);
CREATE TABLE customers (user_id text, member_joined_at date, in_group boolean, city text);
INSERT INTO events VALUES ('a', '2026-06-16 23:30:00+08', 'cart', 'i1', '{}');
INSERT INTO events VALUES ('b', '2026-06-17 00:30:00+08', 'visit', null, null);
INSERT INTO orders VALUES ('o1', 'a', 'normal', '2026-06-16 09:00', '2026-06-16 09:05', 12.345);
INSERT INTO customers VALUES ('a', '2026-01-01', true, 'X'), ('c', null, false, null);
"""


def _asked(reader: Reader) -> dict[str, Any]:
    sizes = audience.sizes(reader, ["all", "member", "cart_unpaid", "group_member", "coupon_unredeemed"], scope_at(T))
    day = window(date(2026, 6, 16), date(2026, 6, 16), T)
    cells = panel(reader, ["carters", "paid_amount"], ["all"], day)
    rows = reader.query("SELECT count(*) AS n FROM service")
    return {k: c.people for k, c in sizes.items()} | {c.metric: c.value for c in cells} | {"service": rows[0]["n"]}


OWN_NUMBERS = {
    "all": 3, "member": 1, "cart_unpaid": 1, "group_member": 1, "coupon_unredeemed": 0, "carters": 1,
    "paid_amount": pytest.approx(12.345, abs=0.006), "service": 0,
}  # fmt: skip


def test_postgres_tables_of_the_merchants_own(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """Other types, columns and tables missing; a time with a zone is read on the shop's clock."""
    import psycopg

    shop = shop_at(tmp_path, url_of("postgres", request, tmp_path))
    assert isinstance(shop.warehouse, PostgresURL)
    reader = open_engine(shop)
    with pytest.raises(NeedsPerson) as e:
        reader.table("orders")
    assert e.value.code == "warehouse_empty"
    reader.close()
    with psycopg.connect(shop.warehouse.dsn) as connection:
        connection.execute(OWN)
    reader = open_engine(shop)
    assert _asked(reader) == OWN_NUMBERS
    reader.close()
    with psycopg.connect(shop.warehouse.dsn) as connection:
        connection.execute("ALTER TABLE events DROP COLUMN kind")
    reader = open_engine(shop)
    with pytest.raises(NeedsPerson) as e:
        reader.table("orders")
    assert e.value.code == "warehouse_columns"
    assert "kind" in e.value.message("zh")
    reader.close()


def test_a_lake_of_the_merchants_own(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    import duckdb

    need_spark()
    shop = shop_at(tmp_path, url_of("spark", request, tmp_path))
    raw = duckdb.connect()
    raw.execute("SET TimeZone = 'Asia/Shanghai'")
    raw.execute(OWN.replace("jsonb", "text").replace("numeric)", "decimal(20, 3))"))
    for table in ("events", "orders", "customers"):
        (tmp_path / "lake" / table).mkdir(parents=True)
        raw.execute(f"COPY {table} TO '{tmp_path / 'lake' / table / 'part-0.parquet'}' (FORMAT parquet)")
    reader = open_engine(shop)
    assert _asked(reader) == OWN_NUMBERS
    reader.close()


# --- more than one machine, as far as one machine can show it -----------------------------------------------------

# Run in a process of its own: a process works with one Spark.
ASK = """
import json, sys
from pathlib import Path
from tests.engines import shop_at
from tests.test_engines import panel, window, T
from tools.engine import open_engine
from datetime import date
reader = open_engine(shop_at(Path(sys.argv[1]), sys.argv[2]))
over = window(date(2026, 6, 13), date(2026, 6, 17), T)
cells = panel(reader, ["crowd_size", "visitors", "buyers", "paid_amount"], ["all", "cart_unpaid"], over)
files = reader.session.read.parquet(f"{sys.argv[1]}/lake/activity")
plan = files.filter("day = DATE '2026-06-16'")._jdf.queryExecution().executedPlan().toString()
executors = reader.session.sparkContext._jsc.sc().statusStore().executorList(True)
worked = [executors.apply(i).completedTasks() for i in range(executors.size()) if executors.apply(i).id() != "driver"]
values = [[c.crowd, c.metric, c.value] for c in cells]
print(json.dumps({"values": values, "worked": worked, "days": len(files.inputFiles()), "plan": plan}))
"""


def test_two_workers_share_the_work(tmp_path: Path) -> None:
    need_spark()
    url = f"pyspark://local-cluster[2,1,1024]?lake=lake{SPARK}".replace("shuffle.partitions=1", "shuffle.partitions=2")
    duck = load(tmp_path / "data.duckdb", crowded_shop.tables())
    publish(duck, shop_at(tmp_path, url))
    environment = {**os.environ, "SPARK_LOCAL_IP": "127.0.0.1"}
    work = Path(str(importlib.util.find_spec("pyspark").origin)).parent / "work"  # type: ignore[union-attr]
    before = set(work.glob("*"))
    done = subprocess.run(
        [sys.executable, "-c", ASK, str(tmp_path), url],
        capture_output=True, text=True, check=False, timeout=300, env=environment, cwd=Path(__file__).parent.parent,
    )  # fmt: skip
    for left in set(work.glob("*")) - before:  # the workers' logs, in Spark's own folder
        shutil.rmtree(left)
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout)
    assert len(found["worked"]) == 2
    assert min(found["worked"]) > 0, "both workers did some of it"
    assert found["days"] > 20, "the days lie apart"
    assert "PartitionFilters: [isnotnull(day" in found["plan"], "a day that is not asked for is not read"
    over = window(date(2026, 6, 13), date(2026, 6, 17), T)
    keys, crowds = ["crowd_size", "visitors", "buyers", "paid_amount"], ["all", "cart_unpaid"]
    expected = numbers(panel(duck, keys, crowds, over))
    assert_same({(crowd, metric, None): value for crowd, metric, value in found["values"]}, expected)
