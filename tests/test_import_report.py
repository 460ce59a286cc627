"""What an import says beside its counts: placeholders read as empty, rows that were replaced, why rows were rejected."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb
import pytest

from bot.cli import main

ORDERS = "order_id,user_id,item_id,kind,created_at,deposit_paid_at,paid_at,amount,refund_amount,refunded_at"
PAID = "2026-06-01 11:00:00"
NOTHING = (
    "-", "--", "—", "NULL", "null", "None", "nan", "N/A", r"\N", "无", "/", "0000-00-00", "0000-00-00 00:00:00",
)  # fmt: skip


class Shop:
    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.root, self.folder, self.capsys = folder / "shop", folder, capsys
        self.root.mkdir()
        (self.root / "shop.yaml").write_text("name: test\n", encoding="utf-8")

    def said(self, table: str, *lines: str, options: tuple[str, ...] = (), lang: str = "zh") -> str:
        path = self.folder / "file.csv"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        self.capsys.readouterr()
        assert main(["--shop", str(self.root), "--lang", lang, "import", table, str(path), *options]) == 0
        return self.capsys.readouterr().out

    def load(self, table: str, *lines: str, options: tuple[str, ...] = ()) -> dict[str, Any]:
        report: dict[str, Any] = json.loads(self.said(table, *lines, options=("--json", *options)))
        assert report["read"] == report["accepted"] + report["rejected"]
        return report

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(self.root / "data.duckdb", read_only=True) as con:
            return list(con.execute(sql).fetchall())


@pytest.fixture
def shop(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Shop:
    return Shop(tmp_path, capsys)


def order(n: int, paid: str = PAID, refund: str = "", refunded: str = "") -> str:
    return f"o{n},u{n},i{n},normal,2026-06-01 10:00:00,,{paid},10.00,{refund},{refunded}"


# --- placeholders ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("word", NOTHING)
def test_what_stands_for_empty_is_empty_in_every_type_and_is_counted(shop: Shop, word: str) -> None:
    """Types: text, time, flag in customers; an id, money and integer in items; a day is in targets."""
    customers = shop.load(
        "customers",
        "user_id,phone,city,member_joined_at,in_group",
        f"u1,{word},{word},{word},{word}",
        f"u2,1, {word} ,,1",
    )
    assert customers["rejected"] == 0
    assert customers["repaired"] == {"phone": 1, "city": 2, "member_joined_at": 1, "in_group": 1}
    columns = "phone, city, member_joined_at, in_group"
    assert shop.rows(f"SELECT {columns} FROM customers ORDER BY user_id") == [(None,) * 4, ("1", None, None, 1)]
    items = shop.load("items", "item_id,title,category_id,list_price,stock", f"i1,a,{word},{word},{word}")
    assert items["repaired"] == {"category_id": 1, "list_price": 1, "stock": 1}
    assert shop.rows("SELECT category_id, list_price, stock FROM items") == [(None, None, None)]
    targets = shop.load("targets", "campaign,crowd,metric,value,date", f"618,all,buyers,9,{word}")
    assert targets["repaired"] == {"date": 1}
    assert shop.rows("SELECT date FROM targets") == [(None,)]


def test_a_required_column_that_stands_for_empty_is_missing_and_does_not_count(shop: Shop) -> None:
    report = shop.load(
        "events",
        "user_id,ts,kind,source",
        "-,2026-06-01,visit,-",
        "u1,NULL,visit,",
        "u2,2026-06-01,/,",
        "u3,2026-06-01,visit,无",
    )
    assert report["reasons"] == {"kind: missing": 1, "ts: missing": 1, "user_id: missing": 1}
    assert report["repaired"] == {"source": 1}


def test_a_formula_that_failed_and_longer_words_are_no_placeholders(shop: Shop) -> None:
    report = shop.load("customers", "user_id,city,member_joined_at", "u1,无锡,#N/A", "u2,---,", "u3,无锡,")
    assert (report["accepted"], report["reasons"]) == (2, {"member_joined_at: not_a_time": 1})
    assert shop.rows("SELECT city FROM customers ORDER BY user_id") == [("---",), ("无锡",)]
    assert "repaired" not in report


# --- what was replaced -------------------------------------------------------------------------------------------


def test_rows_that_give_way_to_other_content_are_counted(shop: Shop) -> None:
    header = "item_id,title,stock"
    assert shop.load("items", header, "i1,a,1", "i2,b,2", "i3,c,3")["updated"] == 0
    again = shop.load("items", header, "i1,a,9", "i2,b,2", "i4,d,4", options=("--dry-run",))
    assert (again["updated"], again["duplicates"]) == (1, 1)
    assert "，更新 1 行" in shop.said("items", header, "i1,a,9", "i2,b,2", "i4,d,4")
    assert shop.load("items", header, "i1,a,9", "i2,b,2", "i4,d,4")["updated"] == 0  # known by now
    assert "更新" not in shop.said("items", header, "i2,b,2")


def test_a_line_that_an_order_gains_replaces_nothing_and_one_that_it_loses_does(shop: Shop) -> None:
    assert shop.load("orders", ORDERS, order(1))["updated"] == 0
    assert shop.load("orders", ORDERS, order(1), order(1, refund="2"))["updated"] == 0
    assert shop.load("orders", ORDERS, order(1), "o2,u2,i2,normal,2026-06-01,,,,,")["updated"] == 1


def test_an_older_file_that_takes_payments_and_refunds_back_is_told(shop: Shop) -> None:
    shop.load("orders", ORDERS, order(1), order(2), order(3, refund="5"), order(4, "", "", ""), order(5, refunded=PAID))
    older = [ORDERS, order(1, ""), order(2, "-"), order(3), order(4), order(5, "2026-06-01 12:00:00", "1")]
    assert shop.load("orders", *older, options=("--dry-run",))["lost"] == {"paid_at": 2, "refunded_at": 1}
    said = shop.said("orders", *older, options=("--dry-run",))
    assert "其中 2 行由已付变成未付：这份文件可能比之前的旧" in said
    assert "其中 1 行原来有退款，现在没有了" in said
    assert "2 of the updated rows were paid before" in shop.said("orders", *older, lang="en")
    newer = shop.load("orders", ORDERS, order(1), order(2))
    assert newer["updated"] == 2
    assert "lost" not in newer


# --- why rows were rejected --------------------------------------------------------------------------------------


def test_the_three_commonest_reasons_are_told_with_a_warning(shop: Shop) -> None:
    header = "买家id,时间,行为,数量"
    bad = (
        ["u1,今天,进店,"] * 4
        + ["u1,2026-06-01,?,"] * 3
        + ["u1,2026-06-01"] * 2
        + [",2026-06-01,进店,", "u1,2026-06-01,进店,x"]
    )
    good = [f"u{n},2026-06-01,进店," for n in range(20)]
    said = shop.said("events", header, *bad, *good)
    lines = [line.strip() for line in said.splitlines()]
    assert [line.endswith(f"{n} 行") for line, n in zip(lines[1:5], (4, 3, 2, 2), strict=True)] == [True] * 4
    assert lines[1].startswith("时间：不是时间")
    assert lines[2].startswith("行为：不在允许的取值里")
    assert lines[3:5] == ["这一行列数少了：2 行", "其他原因 2 行"]
    assert "35.5%" in lines[5]  # 11 of 31
    report = shop.load("events", header, *bad, *good)
    assert report["known"]
    assert list(report["reasons"].items()) == [
        ("时间: not_a_time", 4), ("行为: not_a_choice", 3), ("too_few_columns", 2),
        ("买家id: missing", 1), ("数量: not_a_number", 1),
    ]  # fmt: skip
    assert sum(report["reasons"].values()) == report["rejected"]


@pytest.mark.parametrize(("good", "warned"), [(18, True), (19, False)])
def test_few_rejected_rows_are_no_warning(shop: Shop, good: int, warned: bool) -> None:
    """Of 19 rows one is 5.3 %, of 20 it is 5 %."""
    rows = [f"u{n},2026-06-01,visit" for n in range(good)]
    said = shop.said("events", "user_id,ts,kind", *rows, "u,today,visit", lang="en")
    assert "ts: not a time" in said
    assert ("Warning:" in said) is warned
