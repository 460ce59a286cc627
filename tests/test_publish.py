"""Publishing: what changed and nothing else, all of it or nothing, and never over tables that are not ours."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_socket import socket_allow_hosts

from bot.cli import main
from tests import crowded_shop, tiny_shop
from tests.engines import ELSEWHERE, shop_at, url_of
from tests.shops import load
from tools.backends.lake import MANIFEST, LakePublication
from tools.backends.postgres_tables import PostgresPublication
from tools.backends.url import PostgresURL
from tools.engine import Engine, open_engine
from tools.errors import AskAgain, NeedsPerson
from tools.publish import Published, publish
from tools.shop import Shop

NEW_CART = "INSERT INTO events (user_id, ts, kind) VALUES ('u99', TIMESTAMP '2026-06-16 12:00:00', 'cart')"
COUNT = "SELECT count(*) AS n FROM events"


@pytest.fixture(autouse=True)
def _no_network() -> None:
    """Takes the place of the top rule of that name: Python talks to Spark over the loopback."""
    socket_allow_hosts(["127.0.0.1", "localhost"], allow_unix_socket=True)


@pytest.fixture
def duck(tmp_path: Path) -> Iterator[Engine]:
    engine = load(tmp_path / "data.duckdb", tiny_shop.TABLES)
    yield engine
    engine.close()


@pytest.fixture(params=ELSEWHERE)
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Shop:
    if request.param == "spark":  # publishing itself needs no Spark
        return shop_at(tmp_path, f"pyspark://local[2]?lake={tmp_path / 'lake'}")
    return shop_at(tmp_path, url_of("postgres", request, tmp_path))


def add(engine: Engine, sql: str) -> None:
    """A change as an import makes it: the facts beside the tables follow."""
    from tools import daily

    engine.execute(sql)
    daily.rebuild(engine)


def there(shop: Shop) -> dict[str, Any]:
    """What is published: rows of every table, read without anything that publishes."""
    import duckdb

    from tools.backends.lake import files

    if isinstance(shop.warehouse, PostgresURL):
        import psycopg

        with psycopg.connect(shop.warehouse.dsn) as connection:
            return {
                t: connection.execute(f"SELECT * FROM {t}".encode()).fetchall() for t in ("events", "orders", "people")
            }
    lake = shop.root / "lake"
    found = files(lake) or {}
    return {
        t: duckdb.read_parquet([str(lake / f) for f in found[t]], hive_partitioning=False).fetchall()
        for t in ("events", "orders", "people")
    }


def test_everything_at_first_then_only_what_changed(duck: Engine, shop: Shop) -> None:
    first = publish(duck, shop)
    assert first.rows["events"] == duck.query(COUNT)[0]["n"] == len(there(shop)["events"])
    assert publish(duck, shop) == Published(first.place)
    add(duck, NEW_CART)
    changed = publish(duck, shop)
    assert changed.days == 1
    day = duck.query("SELECT count(*) AS n FROM events WHERE CAST(ts AS DATE) = DATE '2026-06-16'")[0]["n"]
    assert changed.rows == {"events": day, "activity": changed.rows["activity"], "people": len(there(shop)["people"])}
    assert sorted(map(str, there(shop)["events"])) == sorted(map(str, duck.execute("SELECT * FROM events")))


def test_a_correction_and_a_day_that_is_gone(duck: Engine, shop: Shop) -> None:
    publish(duck, shop)
    duck.execute("UPDATE orders SET amount = 1.25 WHERE order_id = (SELECT min(order_id) FROM orders)")
    add(duck, "DELETE FROM events WHERE CAST(ts AS DATE) = DATE '2026-06-16'")
    changed = publish(duck, shop)
    assert changed.days == 1
    assert changed.rows["events"] == 0
    assert changed.rows["orders"] == len(there(shop)["orders"])
    for table, rows in there(shop).items():
        assert sorted(map(str, rows)) == sorted(map(str, duck.execute(f"SELECT * FROM {table}")))


def test_texts_arrive_as_they_are(shop: Shop, tmp_path: Path) -> None:
    engine = load(tmp_path / "texts.duckdb", crowded_shop.tables())
    engine.execute("UPDATE customers SET nickname = '\\N' WHERE user_id = 'p20'")
    publish(engine, shop)
    if isinstance(shop.warehouse, PostgresURL):
        reader = open_engine(shop)
        sql = "SELECT user_id, city, nickname FROM customers ORDER BY user_id"
        assert sorted(map(str, reader.query(sql))) == sorted(map(str, engine.query(sql)))
        reader.close()
    else:
        import duckdb

        found = duckdb.read_parquet(str(tmp_path / "lake/customers/*.parquet")).fetchall()
        assert sorted(map(str, found)) == sorted(map(str, engine.execute("SELECT * FROM customers")))
    engine.close()


def test_cut_off_in_the_middle_nothing_changes(duck: Engine, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(duck, shop)
    before = there(shop)
    add(duck, NEW_CART)
    for target in (PostgresPublication, LakePublication):

        def cut(self: Any, *args: Any, real: Callable[..., None] = target.put) -> None:
            real(self, *args)
            if args[0] == "activity":
                raise KeyboardInterrupt

        monkeypatch.setattr(target, "put", cut)
    with pytest.raises(KeyboardInterrupt):
        publish(duck, shop)
    assert there(shop) == before
    monkeypatch.undo()
    assert publish(duck, shop).days == 1
    assert len(there(shop)["events"]) == len(before["events"]) + 1


def test_what_an_older_publication_left_behind_is_swept(duck: Engine, tmp_path: Path) -> None:
    shop = shop_at(tmp_path, f"pyspark://local[2]?lake={tmp_path / 'lake'}")
    publish(duck, shop)
    (tmp_path / "lake/orders/warroom-left.parquet").write_bytes(b"half")
    add(duck, NEW_CART)
    publish(duck, shop)
    listed = {f for p in json.loads((tmp_path / "lake" / MANIFEST).read_text())["parts"] for f in p["files"]}
    found = {p.relative_to(tmp_path / "lake").as_posix() for p in (tmp_path / "lake").rglob("*.parquet")}
    assert found == listed


def test_tables_of_somebody_else_are_left_alone(duck: Engine, shop: Shop, tmp_path: Path) -> None:
    if isinstance(shop.warehouse, PostgresURL):
        import psycopg

        with psycopg.connect(shop.warehouse.dsn) as connection:
            connection.execute("CREATE TABLE orders (order_id text)")
    else:
        (tmp_path / "lake/orders").mkdir(parents=True)
        (tmp_path / "lake/orders/mine.parquet").write_bytes(b"mine")
    with pytest.raises(NeedsPerson) as e:
        publish(duck, shop)
    assert e.value.code == "publish_foreign"
    assert "orders" in e.value.message("en")


def test_a_lake_that_is_no_folder(duck: Engine, tmp_path: Path) -> None:
    with pytest.raises(NeedsPerson) as e:
        publish(duck, shop_at(tmp_path, "pyspark://yarn?lake=s3a://bucket/lake"))
    assert e.value.code == "lake_elsewhere"
    with pytest.raises(AskAgain):
        publish(duck, shop_at(tmp_path, "duckdb"))


# --- the command -------------------------------------------------------------------------------------------------


def test_an_import_publishes(
    request: pytest.FixtureRequest, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = url_of("postgres", request, tmp_path)
    (tmp_path / "shop.yaml").write_text(f"name: 店\nengine: {url}\nclock: 2026-06-17 10:00\n", encoding="utf-8")
    file = tmp_path / "orders.csv"
    file.write_text("order_id,user_id,kind,created_at,paid_at,amount\no1,u1,normal,2026-06-16 10:00:00,,9.5\n")
    shop = ["--shop", str(tmp_path)]

    def buyers() -> float:
        capsys.readouterr()
        asked = ["metrics", "-m", "paid_amount", "-c", "all", "--from", "2026-06-16", "--json"]
        assert main([*shop, *asked]) == 0
        return float(json.loads(capsys.readouterr().out)["rows"][0]["value"])

    assert main([*shop, "import", "orders", str(file)]) == 0
    assert "Published to localhost/postgres" in capsys.readouterr().err
    assert buyers() == 0
    # Late correction: the order that was unpaid yesterday is paid today.
    file.write_text(
        "order_id,user_id,kind,created_at,paid_at,amount\no1,u1,normal,2026-06-16 10:00:00,2026-06-17 09:00:00,9.5\n"
    )
    assert main([*shop, "import", "orders", str(file)]) == 0
    assert buyers() == 9.5
    assert main([*shop, "publish", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["tables"] == {}
