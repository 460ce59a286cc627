"""Messy files: what is repaired, what is rejected with its exact line, what refuses the whole file."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import duckdb
import pytest

from bot.cli import main


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    root = tmp_path / "shop"
    root.mkdir()
    (root / "shop.yaml").write_text("name: x\n", encoding="utf-8")
    return root


class Shop:
    """A workspace, files for it, and what it holds."""

    def __init__(self, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.root = root
        self.capsys = capsys
        capsys.readouterr()

    def put(self, table: str, *contents: bytes | str, fmt: str = "auto") -> tuple[int, Any]:
        """(exit status, the JSON document) of importing files with these contents."""
        paths = []
        for i, content in enumerate(contents):
            path = self.root.parent / f"file{i}.csv"
            path.write_bytes(content.encode() if isinstance(content, str) else content)
            paths.append(str(path))
        status = main(["--shop", str(self.root), "import", table, *paths, "--format", fmt, "--json"])
        return status, json.loads(self.capsys.readouterr().out)

    def rejects(self, report: Any) -> list[tuple[int, str, str]]:
        """(line, column, reason code) of the reject file."""
        with Path(report["rejects_file"]).open(encoding="utf-8-sig") as f:
            return [(int(r["line"]), r["column"], r["reason"].split(":")[0]) for r in csv.DictReader(f)]

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(self.root / "data.duckdb", read_only=True) as con:
            return list(con.execute(sql).fetchall())


@pytest.fixture
def imports(shop: Path, capsys: pytest.CaptureFixture[str]) -> Shop:
    return Shop(shop, capsys)


GOOD = "user_id,ts,kind\nu1,2026-06-01,visit\n"


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ('item_id,title\ni1,abc\ni2,"def\n', 3),
        ('item_id,title\ni1,"abc\ni2,def\ni3,ghi\n', 2),
        ('item_id,title\ni1,abc\ni2,x\n"i3', 4),
    ],
)
def test_a_quote_that_is_never_closed_refuses_the_file(imports: Shop, content: str, line: int) -> None:
    status, document = imports.put("items", content)
    assert (status, document["error"]["code"]) == (1, "open_quote")
    assert f"line {line}" in document["error"]["message"]
    assert imports.rows("SELECT count(*) FROM items") == [(0,)]


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        ("user_id,ts,kind\r\nu1,2026-06-01,visit\r\nu3\r\nu4,2026-06-01,visit,x\r\n", [3, 4]),
        ("user_id,ts,kind\nu1,2026-06-01,visit\n\nu3\n\n\nu4,bad,visit\n", [4, 7]),
        ('user_id,ts,kind,source\nu1,2026-06-01,visit,"a\nb"\nu3\nu4,bad,visit,c\n', [4, 5]),
    ],
)
def test_lines_are_exact_whatever_the_line_ends(imports: Shop, content: str, lines: list[int]) -> None:
    status, report = imports.put("events", content)
    assert status == 0
    assert [line for line, _, _ in imports.rejects(report)] == lines
    assert (report["accepted"], report["rejected"]) == (report["read"] - len(lines), len(lines))


@pytest.mark.parametrize(
    "content",
    [
        "user_id,ts,kind\r\nu1,2026-06-01,visit\nu2,2026-06-01,cart\r\n",
        "user_id,ts,kind\nu1,2026-06-01,visit\r\nu2,2026-06-01,cart\n",
        "user_id,ts,kind\ru1,2026-06-01,visit\ru2,2026-06-01,cart\r",
        "\n\nuser_id,ts,kind\nu1,2026-06-01,visit\nu2,2026-06-01,cart\n",
    ],
)
def test_mixed_line_ends_and_leading_blank_lines_are_read(imports: Shop, content: str) -> None:
    status, report = imports.put("events", content)
    assert (status, report["read"], report["accepted"]) == (0, 2, 2)
    assert imports.rows("SELECT user_id FROM events ORDER BY 1") == [("u1",), ("u2",)]


def test_blanks_of_every_kind_are_taken_off_ids(imports: Shop) -> None:
    _, report = imports.put(
        "events",
        'user_id,ts,kind\n\tu3,2026-06-01,visit\nu3\t,2026-06-02,visit\n"u3\n",2026-06-03,visit\n\u200bu3,2026-06-04,cart\n',
    )
    assert report["accepted"] == 4
    assert imports.rows("SELECT DISTINCT user_id FROM events") == [("u3",)]


@pytest.mark.parametrize(
    ("table", "header", "row", "reason"),
    [
        ("events", "user_id,ts,kind", "u1,infinity,visit", "not_a_time"),
        ("events", "user_id,ts,kind", "u1,2026-06-01 10:00 PM,visit", "not_a_time"),
        ("events", "user_id,ts,kind", "u1,2026-06-01 10:00:00+18:00,visit", "not_a_time"),
        ("events", "user_id,ts,kind,quantity", "u1,2026-06-01,cart,1.5", "not_a_number"),
        ("events", "user_id,ts,kind,quantity", "u1,2026-06-01,cart,0x10", "not_a_number"),
        ("items", "item_id,title,list_price", 'i1,a,"1,5"', "not_a_number"),
        ("items", "item_id,title,list_price", 'i1,a,"12,34"', "not_a_number"),
        ("items", "item_id,title,list_price", "i1,a,1_000", "not_a_number"),
        ("items", "item_id,title,list_price", "i1,a,2000000000", "absurd_amount"),
        ("targets", "campaign,crowd,metric,value", "618,all,buyers,inf", "not_a_number"),
        ("coupons", "coupon_id,user_id,valid_from,valid_to", "c1,u1,2026-06-05,2026-06-01", "ends_before_begin"),
    ],
)
def test_values_that_would_be_read_wrong_are_rejected(
    imports: Shop, table: str, header: str, row: str, reason: str
) -> None:
    status, report = imports.put(table, f"{header}\n{row}\n")
    assert (status, report["accepted"], report["rejected"]) == (0, 0, 1)
    assert imports.rejects(report)[0][::2] == (2, reason)


def test_numbers_as_people_write_them_are_read(imports: Shop) -> None:
    imports.put("items", 'item_id,title,list_price,stock\ni1,a,"1,299.50","1,200"\ni2,b,99,2.0\n')
    assert imports.rows("SELECT list_price::DOUBLE, stock FROM items ORDER BY item_id") == [(1299.5, 1200), (99.0, 2)]


def test_a_coupon_of_a_day_is_valid_to_the_end_of_it(imports: Shop) -> None:
    imports.put("coupons", "coupon_id,user_id,valid_from,valid_to\nc1,u1,2026-06-16,2026-06-20\n")
    assert [str(v) for v in imports.rows("SELECT valid_from, valid_to FROM coupons")[0]] == [
        "2026-06-16 00:00:00",
        "2026-06-20 23:59:59",
    ]


def test_taobao_rows_that_cannot_stand_are_rejected_one_by_one(imports: Shop) -> None:
    status, report = imports.put(
        "events",
        "1,2,3,pv,1511544070\n1,,3,buy,1511544070\n1,2,3,fav,99999999999999\n1,2,3,PV,1511544071\n1,2,3,sing,1511544070\n",
        fmt="taobao-userbehavior",
    )
    assert (status, report["read"], report["accepted"], report["rejected"]) == (0, 5, 2, 3)
    assert imports.rejects(report) == [
        (2, "item id", "missing"),
        (3, "unix seconds", "not_a_time"),
        (5, "behaviour", "not_a_choice"),
    ]


def test_what_a_file_does_not_give_of_a_known_customer_stays(imports: Shop) -> None:
    imports.put("customers", "user_id,phone,city,member_level\nu1,123,A,VIP\nu2,456,B,VIP\n")
    _, report = imports.put("customers", "user_id,city\nu1,C\n")
    assert report["accepted"] == 1
    assert imports.rows("SELECT user_id, phone, city, member_level FROM customers ORDER BY 1") == [
        ("u1", "123", "C", "VIP"),
        ("u2", "456", "B", "VIP"),
    ]


def test_an_order_paid_later_replaces_the_unpaid_line_and_the_older_file_does_not_take_it_back(imports: Shop) -> None:
    header = "order_id,user_id,item_id,kind,created_at,paid_at,amount\n"
    unpaid = header + "o1,u1,i1,normal,2026-06-01,,\no1,u1,i2,normal,2026-06-01,,\n"
    paid = header + "o1,u1,i1,normal,2026-06-01,2026-06-02,5\n"
    imports.put("orders", unpaid)
    imports.put("orders", paid)
    state = "SELECT item_id, paid_at IS NOT NULL FROM orders ORDER BY 1"
    assert imports.rows(state) == [("i1", True), ("i2", False)]
    _, again = imports.put("orders", unpaid)
    assert (again["duplicates"], "known" in again) == (2, True)
    assert imports.rows(state) == [("i1", True), ("i2", False)]
    imports.put("orders", unpaid + "\n")  # exported anew, it is another file
    assert imports.rows(state) == [("i1", False), ("i2", False)]


def test_the_same_file_again_still_names_its_rejects(imports: Shop) -> None:
    content = GOOD + "u2,bad,visit\n"
    _, first = imports.put("events", content)
    _, again = imports.put("events", content)
    assert (again["accepted"], again["duplicates"], again["rejected"]) == (1, 1, 1)
    assert again["rejects_file"] == first["rejects_file"]
    Path(first["rejects_file"]).unlink()
    _, third = imports.put("events", content)
    assert imports.rejects(third) == [(3, "ts", "not_a_time")]
    assert imports.rows("SELECT count(*) FROM events") == [(1,)]


def test_several_files_say_what_was_imported_before_the_one_refused(imports: Shop) -> None:
    status, document = imports.put("events", GOOD, "")
    assert status == 1
    assert document["error"]["code"] == "file_empty"
    assert [r["accepted"] for r in document["imported"]] == [1]


def test_a_line_without_end_is_refused_with_its_place(imports: Shop) -> None:
    status, document = imports.put("events", GOOD + "x" * 3_000_000 + "\n")
    assert (status, document["error"]["code"]) == (1, "line_too_long")
    assert "ine 3 " in document["error"]["message"]


def test_a_place_that_cannot_be_written_is_said(imports: Shop) -> None:
    (imports.root / "rejects").write_text("in the way")
    status, document = imports.put("events", GOOD + "u2,bad,visit\n")
    assert status == 1
    assert document["error"]["code"] == "no_permission"
    assert imports.rows("SELECT count(*) FROM events") == [(0,)]
