"""`status`: freshness, gaps, empty columns, what cannot be told, rejected rows; as data, as JSON, and as people read it."""

from __future__ import annotations

import argparse
import json
import random
from collections import Counter
from contextlib import closing
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot import commands_bot, status_writer
from bot.cli import main
from knowledge import catalog
from tests.shops import load
from tools.backends.url import PostgresURL
from tools.gaps import day_gaps, end_gap
from tools.status import status

Row = dict[str, Any]
NOW = datetime(2026, 6, 17, 14)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
FIRST = datetime(2026, 5, 1)
NO_EVENTS = (date(2026, 6, 3), date(2026, 6, 4))
FEW_EVENTS, NO_ORDERS = date(2026, 6, 10), date(2026, 6, 8)


def events() -> list[Row]:
    """60 a day, every quarter of an hour from 8:00; none on two days, 5 on one; today only up to 09:45; one tomorrow."""
    out = []
    for i in range(48):
        day = FIRST + i * DAY
        times = [day + 8 * HOUR + n * HOUR / 4 for n in range(60)]
        if day.date() in NO_EVENTS:
            times = []
        elif day.date() == FEW_EVENTS:
            times = times[:5]
        elif day.date() == NOW.date():
            times = times[:8]
        out += [{"user_id": f"u{n % 7}", "ts": t, "kind": ("visit", "cart")[n % 2]} for n, t in enumerate(times)]
    return [*out, {"user_id": "u1", "ts": NOW + DAY, "kind": "visit"}]


def orders() -> list[Row]:
    """12 a day, every hour from 9:00, of unknown amount; none on one day; today's last one paid at 13:20."""
    out: list[Row] = []
    for i in range(48):
        day = FIRST + i * DAY
        for n in range(12 if day.date() != NO_ORDERS else 0):
            at = day + (9 + n) * HOUR
            if at < NOW:
                paid = at + HOUR / 3
                order = {"order_id": f"o{i}-{n}", "user_id": f"u{n % 7}", "item_id": "i1", "kind": "normal"}
                out.append({**order, "created_at": at, "paid_at": paid})
    return out


SHOP: dict[str, list[Row]] = {
    "events": events(),
    "orders": orders(),
    "customers": [{"user_id": f"u{n}", "city": "杭州"} for n in range(7)],
    "service": [{"date": date(2026, 6, 15), "tickets": 3}, {"date": date(2026, 6, 16), "tickets": 4}],
}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The hand-made shop as a workspace whose clock is pinned."""
    root = tmp_path_factory.mktemp("status") / "shop"
    root.mkdir()
    (root / "shop.yaml").write_text("name: 试店\nclock: 2026-06-17 14:00\n", encoding="utf-8")
    load(root / "data.duckdb", SHOP).close()
    return root


class Warroom:
    def __init__(self, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.root, self.capsys = root, capsys

    def __call__(self, *arguments: str) -> str:
        self.capsys.readouterr()
        main(["--shop", str(self.root), *arguments])
        return self.capsys.readouterr().out

    def json(self, *arguments: str) -> Any:
        return json.loads(self(*arguments, "--json"))


@pytest.fixture
def warroom(root: Path, capsys: pytest.CaptureFixture[str]) -> Warroom:
    return Warroom(root, capsys)


def test_the_json_of_a_shop_with_holes(warroom: Warroom) -> None:
    document = warroom.json("status")
    assert list(document) == ["shop", "now", "tables", "gaps", "blind", "tasks"]
    assert (document["shop"], document["now"]) == ("试店", "2026-06-17 14:00:00")
    tables = {t.pop("table"): t for t in document["tables"]}
    assert list(tables) == list(catalog.tables())
    assert tables["events"] == {
        "rows": 60 * 44 + 5 + 8 + 1,
        "span": {"from": "2026-05-01 08:00:00", "to": "2026-06-18 14:00:00"},
        "state": "ok",
        "last_import": None,
        "behind_hours": 4.2,  # 09:45 to 14:00
        "empty_columns": ["item_id", "category_id", "quantity", "source"],
    }
    assert tables["orders"] == {
        "rows": 12 * 46 + 5,
        "span": {"from": "2026-05-01 09:00:00", "to": "2026-06-17 13:20:00"},  # the last payment
        "state": "ok",
        "last_import": None,
        "behind_hours": 0.7,
        "empty_columns": [
            "category_id", "deposit_amount", "deposit_paid_at", "amount", "refund_amount", "refunded_at",
        ],
    }  # fmt: skip
    # A row of a day tells about the whole day: yesterday's is 14 hours old, not 38.
    assert (tables["service"]["state"], tables["service"]["behind_hours"]) == ("ok", 14.0)
    assert (tables["customers"]["state"], tables["customers"]["behind_hours"]) == ("ok", None)
    assert {key for key, t in tables.items() if t["state"] == "empty"} == {
        "items", "coupons", "touches", "targets", "peers",
    }  # fmt: skip
    assert all(t["empty_columns"] == [] for t in tables.values() if t["rows"] == 0)
    assert document["gaps"] == [
        {"table": "events", "from": "2026-06-03", "to": "2026-06-04", "kind": "missing", "usual": 60, "rows": 0},
        {"table": "events", "from": "2026-06-10", "to": "2026-06-10", "kind": "low", "usual": 60, "rows": 5},
        # 10, 11, 12 and 13 o'clock
        {
            "table": "events", "from": "2026-06-17 09:45:00", "to": "2026-06-17 14:00:00",
            "kind": "end", "usual": 16, "rows": 0,
        },
        {
            "table": "events", "from": "2026-06-17 14:00:00", "to": "2026-06-18 14:00:00",
            "kind": "ahead", "usual": None, "rows": 1,
        },
        {"table": "orders", "from": "2026-06-08", "to": "2026-06-08", "kind": "missing", "usual": 12, "rows": 0},
    ]  # fmt: skip
    because = {(b["kind"], b["key"]): b["because"] for b in document["blind"]}
    assert because["metric", "paid_amount"] == "orders.amount"
    assert because["crowd", "live_member"] == "events:live_watch"  # the last need that is not met
    assert because["by", "channel"] == "events.source|touches"
    assert because["compare", "target"] == "targets"
    assert ("by", "city") not in because
    assert ("crowd", "cart_unpaid") not in because
    assert ("metric", "visit_pay_rate") not in because


def test_a_shop_without_data_asks_for_it_and_no_more(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "shop.yaml").write_text("name: x", encoding="utf-8")
    load(tmp_path / "data.duckdb", {}).close()
    empty = Warroom(tmp_path, capsys)
    document = empty.json("status")
    assert {t["state"] for t in document["tables"]} == {"empty"}
    assert document["gaps"] == []
    assert {b["key"] for b in document["blind"]} >= {*catalog.crowds(), *catalog.metrics()}
    said = empty("status", "--lang", "zh")
    assert said.count("→ warroom import") == len(catalog.tables())
    assert "答不了" not in said


def test_how_it_reads(warroom: Warroom) -> None:
    zh = warroom("status", "--lang", "zh").splitlines()
    assert zh[0] == "试店 · 现在 2026-06-17 14:00"
    assert zh[1].split() == ["数据", "表", "行数", "从", "到", "新鲜度", "最近导入", "状态"]
    assert zh[3].split()[-3:] == ["落后", "4", "小时正常"] or zh[3].split()[-4:] == ["落后", "4", "小时", "正常"]
    text = "\n".join(zh)
    assert "· 优惠券：还没有数据。→ warroom import coupons 文件" in text
    assert "· 行为：6 月 3 日–6 月 4 日一行也没有，平时一天约 60 行。→" in text
    assert "· 行为：6 月 10 日一天只有 5 行左右，平时约 60 行。→" in text
    assert "· 行为：6 月 17 日 09:45 以后没有新的，这几个小时平时约有 16 行。→" in text
    assert "· 行为：有 1 行比现在还晚，最晚到 6 月 18 日 14:00，眼下都不算。→" in text
    assert "· 订单的「实付金额」（orders.amount）整列是空的，所以答不了：" in text
    assert "· 从来没有「看直播」这种行为（live_watch），所以答不了：直播兴趣会员。→" in text
    assert "· 订单的「类目」（orders.category_id）" not in text  # the breakdown by category has three sources
    en = warroom("status", "--lang", "en")
    assert "· orders: not one row on Jun 8; usual are about 12 a day. →" in en
    assert "the column orders.amount is empty throughout, so there is no answer about: " in en
    # Every line that says what is wrong says what to do.
    for said in (text, en):
        assert all("→" in line for line in said.splitlines() if line.startswith("· "))


def test_a_gap_is_told_of_the_moment_that_is_asked_about(warroom: Warroom) -> None:
    before = warroom.json("status", "--as-of", "2026-06-09 23:30")
    assert [(g["table"], g["kind"]) for g in before["gaps"]] == [
        ("events", "missing"), ("events", "ahead"), ("orders", "missing"), ("orders", "ahead"),
        ("service", "ahead"),
    ]  # fmt: skip
    ahead = next(g for g in before["gaps"] if g["table"] == "orders" and g["kind"] == "ahead")
    assert ahead["rows"] == sum(o["paid_at"] > datetime(2026, 6, 9, 23, 30) for o in SHOP["orders"])
    late = warroom.json("status", "--as-of", "2026-06-20 09:00")
    assert {t["table"]: t["state"] for t in late["tables"] if t["rows"]} == {
        "customers": "ok", "events": "stale", "orders": "stale", "service": "stale",
    }  # fmt: skip
    assert [g for g in late["gaps"] if g["kind"] == "end"] == [
        # the row that lay ahead is the newest now
        {"table": "events", "from": "2026-06-18 14:00:00", "to": "2026-06-20 09:00:00", "kind": "end", "usual": 60, "rows": 0},
        {"table": "orders", "from": "2026-06-17 13:20:00", "to": "2026-06-20 09:00:00", "kind": "end", "usual": 12, "rows": 0},
    ]  # fmt: skip
    said = warroom("status", "--as-of", "2026-06-20 09:00", "--lang", "zh")
    assert "订单：6 月 17 日 13:20 以后没有新的，平时一天约 12 行。" in said
    assert "服务：最新的是 6 月 16 日，落后 3 天。" in said


def test_the_short_form_in_a_chat_and_at_the_doctor(root: Path) -> None:
    engine = load(root.parent / "again.duckdb", SHOP)
    lines = status_writer.chat(status(engine, NOW), "zh")
    engine.close()
    assert lines[0] == "· 客户 7 行 · 正常"
    assert lines[1] == "· 行为 2,654 行 · 到 6 月 18 日 14:00 · 落后 4 小时"
    wrong = lines[lines.index("") + 1 :]
    assert wrong[0] == (
        "缺口：行为 6 月 10 日明显偏少、行为 6 月 17 日 09:45 以后没有新的、行为有 1 行比现在还晚、另有 2 处"
    )
    assert wrong[1].startswith("答不了：")
    said = commands_bot._data(argparse.Namespace(shop=root, ui_lang="zh"))  # the whole doctor builds an index first
    assert said == "；".join(["9 张表里 4 张有数据", *wrong])


def test_the_last_import_and_its_rejects(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "shop.yaml").write_text("name: x\nclock: 2026-06-17 10:00", encoding="utf-8")
    first, second = tmp_path / "a.csv", tmp_path / "b.csv"
    first.write_text("user_id,ts,kind\nu1,2026-06-16 09:00:00,visit\n", encoding="utf-8")
    second.write_text("user_id,ts,kind\nu1,2026-06-17 09:30:00,visit\nu2,soon,visit\n", encoding="utf-8")
    shop = Warroom(tmp_path, capsys)
    shop("import", "events", str(first), str(second))
    events = next(t for t in shop.json("status")["tables"] if t["table"] == "events")
    rejects = events["last_import"].pop("rejects_file")
    assert events["last_import"] == {
        "file": "b.csv", "at": "2026-06-17 10:00:00", "read": 2, "accepted": 1, "rejected": 1, "duplicates": 0,
    }  # fmt: skip
    assert Path(rejects).is_file()
    said = shop("status", "--lang", "en")
    assert f"of 2 rows in b.csv, imported last, 1 were rejected. → Lines and reasons are in {rejects}" in said
    assert "b.csv · 2026-06-17 10:00" in said
    Path(rejects).unlink()
    assert "the list of them is gone" in shop("status", "--lang", "en")
    log = tmp_path / "log.csv"
    log.write_text("7,11,22,buy,1780000000\n", encoding="utf-8")
    shop("import", "events", str(log), "--format", "taobao-userbehavior")
    files = {t["table"]: t["last_import"]["file"] for t in shop.json("status")["tables"] if t["last_import"]}
    assert files == {"events": "log.csv", "orders": "log.csv"}


def test_rows_that_all_lie_ahead_of_the_clock(tmp_path: Path) -> None:
    engine = load(tmp_path / "data.duckdb", {"events": SHOP["events"]})
    found = status(engine, FIRST)
    engine.close()
    events = next(t for t in found.tables if t.table == "events")
    assert (events.newest, events.behind, events.ahead) == (None, None, events.rows)
    assert [(g.kind, g.rows) for g in found.gaps] == [("ahead", events.rows)]
    assert ("metric", "visitors") not in {(b.kind, b.key) for b in found.blind}


def test_postgresql_gives_the_same(tmp_path: Path, postgres_url: str) -> None:
    from tools.backends.postgres import Postgres
    from tools.publish import publish_shop
    from tools.shop import load_shop

    (tmp_path / "shop.yaml").write_text(f"name: x\nengine: {postgres_url}&schema=status\n", encoding="utf-8")
    shop = load_shop(tmp_path)
    engine = load(shop.data_file, SHOP)
    here = status(engine, NOW)
    engine.close()
    publish_shop(shop)
    assert isinstance(shop.warehouse, PostgresURL)
    with closing(Postgres(shop.warehouse, shop.timezone.key)) as there:
        assert status(there, NOW, shop.data_file) == here


def random_shop(seed: int) -> dict[str, list[Row]]:
    """Random days with holes, columns that are empty or nearly, rows on both sides of the clock."""
    dice = random.Random(seed)
    made: dict[str, list[Row]] = {}
    for key, table in catalog.tables().items():
        if dice.random() < 0.2:
            continue
        rows: list[Row] = []
        usual = dice.choice([0, 3, 12, 40])
        for i in range(dice.choice([1, 20, 45])):
            day = NOW - i * DAY + dice.choice([0, 0, 1]) * DAY
            for n in range(dice.choice([usual, usual, usual, 0, usual // 8])):
                at = day.replace(hour=0) + timedelta(seconds=dice.randrange(86400))
                rows.append({name: _value(dice, c, n, at) for name, c in table.columns.items()})
        for name, c in table.columns.items():
            if not c.required and name != table.time and dice.random() < 0.4:
                keep = dice.choice([0, 0, 1])
                rows = [{**row, name: row[name] if n < keep else None} for n, row in enumerate(rows)]
        made[key] = rows
    return made


def _value(dice: random.Random, column: catalog.Column, n: int, at: datetime) -> Any:
    if column.type == "time":
        return at + timedelta(minutes=dice.randrange(0, 300)) if not column.required else at
    if column.type == "day":
        return at.date()
    if column.type == "choice":
        return dice.choice(list(column.values)[:3])
    return f"v{n}" if column.type == "text" else n % 2


@pytest.mark.parametrize("seed", range(12))
def test_status_is_what_counting_the_rows_gives(seed: int, tmp_path: Path) -> None:
    shop = random_shop(seed)
    engine = load(tmp_path / "data.duckdb", shop)
    found = status(engine, NOW)
    engine.close()
    for t in found.tables:
        rows, table = shop.get(t.table, []), catalog.tables()[t.table]
        assert t.rows == len(rows)
        assert set(t.empty_columns) == {c for c in table.columns if rows and all(row[c] is None for row in rows)}
        until = ("created_at", "paid_at", "deposit_paid_at") if t.table == "orders" else (table.time,)
        told = [[_moment(row[c]) for c in until if c and row[c] is not None] for row in rows]
        every = [moment for moments in told for moment in moments]
        past = [moment for moment in every if moment <= NOW]
        assert t.until == max(every, default=None)
        assert t.ahead == sum(any(m > NOW for m in moments) for moments in told)
        if t.table in ("events", "orders"):
            assert t.behind == (NOW - max(past) if past else None)
            assert t.state == ("empty" if not rows else "stale" if past and NOW - max(past) > DAY else "ok")
            _check_gaps(found.gaps, t.table, rows, max(past, default=None))
    expected = {t.table for t in found.tables if t.ahead}
    assert {g.table for g in found.gaps if g.kind == "ahead"} == expected


def _check_gaps(gaps: list[Any], table: str, rows: list[Row], newest: datetime | None) -> None:
    times = [row[catalog.tables()[table].time or ""] for row in rows]
    days = Counter(t.date() for t in times)
    hours = Counter((t.date(), t.hour) for t in times if t <= NOW)
    wanted = []
    if newest is not None:
        end = end_gap(table, hours, newest, NOW)
        wanted = [*day_gaps(table, days, newest.date() if end else NOW.date()), *([end] if end else [])]
    assert [g for g in gaps if g.table == table and g.kind != "ahead"] == wanted


def _moment(value: date) -> datetime:
    return value if isinstance(value, datetime) else datetime(value.year, value.month, value.day)
