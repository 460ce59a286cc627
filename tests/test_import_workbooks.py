"""Workbooks as people keep them: several sheets, merged cells, totals, days as bare numbers, failed formulas."""

from __future__ import annotations

import datetime as dt
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from tests.test_import import Shop, counts, rejects
from tests.test_spreadsheet import AT, ORDERS, book

HEADER = [*ORDERS, "付款时间", "商品ID"]


@pytest.fixture
def shop(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Shop:
    return Shop(tmp_path, capsys)


def line(order: str, user: str = "u1", amount: Any = 1) -> list[Any]:
    return [order, user, "现货", AT, amount]


def test_every_sheet_of_the_table_is_imported_and_reported(shop: Shop, tmp_path: Path) -> None:
    june, may = [ORDERS, line("o1"), line("o2", "")], [["五月"], [], ORDERS, line("o3"), line("o1", amount=7)]
    customers = [["用户ID", "手机号", "城市"], ["u9", "139", "杭州"]]
    path = book(tmp_path / "店铺.xlsx", june, 五月=may, 客户=customers, 空=[ORDERS], 说明=[["请勿修改"]])
    status, reports = shop.run("orders", path)
    assert status == 0
    assert [(r["sheet"], *counts(r)) for r in reports] == [("Sheet", 2, 1, 1, 0), ("五月", 2, 2, 0, 0)]
    assert rejects(reports[0]) == [(3, "买家ID", "", "missing")]
    assert reports[1]["rejects_file"] is None
    assert shop.rows("select order_id, amount from orders order by 1") == [("o1", "7.00"), ("o3", "1.00")]
    again = shop.run("orders", path)[1]
    assert [(r["known"] is not None, r["duplicates"]) for r in again] == [(True, 1), (True, 2)]
    people = shop.run("customers", path)[1]
    assert (people["sheet"], counts(people), people["other_sheets"]) == ("客户", (1, 1, 0, 0), ["Sheet", "五月"])


def test_a_sheet_that_cannot_be_taken_takes_the_whole_workbook_back(shop: Shop, tmp_path: Path) -> None:
    bad = [ORDERS, line("o2"), line("o3", user=6.123456789012345e18)]  # type: ignore[arg-type]
    path = book(tmp_path / "a.xlsx", [ORDERS, line("o1"), line("x", "")], 五月=bad)
    assert shop.refused("orders", path) == "digits_lost"
    assert shop.rows("select count(*) from orders") == [("0",)]
    assert shop.rows("select count(*) from _imports") == [("0",)]
    assert not list((shop.root / "rejects").glob("*"))


def test_days_as_bare_numbers_texts_and_times_in_one_column(shop: Shop, tmp_path: Path) -> None:
    def serial(at: dt.datetime) -> float:
        return (at - dt.datetime(1899, 12, 30)) / dt.timedelta(days=1)

    times = [
        AT,
        serial(AT),
        "2026/6/1 20:00",
        int(serial(dt.datetime(2026, 6, 1))),
        dt.date(2026, 6, 1),
        20260601,
        3,
        0.5,
    ]
    rows = [[f"o{i}", "u1", "现货", at, 46174] for i, at in enumerate(times)]
    report = shop.run("orders", book(tmp_path / "a.xlsx", [ORDERS, *rows]))[1]
    assert [(n, code) for n, _, _, code in rejects(report)] == [(7, "not_a_time"), (8, "not_a_time"), (9, "not_a_time")]
    assert shop.rows("select created_at, amount from orders order by order_id") == [
        ("2026-06-01 20:00:05", "46174.00"), ("2026-06-01 20:00:05", "46174.00"), ("2026-06-01 20:00:00", "46174.00"),
        ("2026-06-01 00:00:00", "46174.00"), ("2026-06-01 00:00:00", "46174.00"),
    ]  # fmt: skip


def test_days_are_counted_from_where_the_workbook_says(shop: Shop, tmp_path: Path) -> None:
    made = openpyxl.Workbook()
    made.epoch = openpyxl.utils.datetime.MAC_EPOCH
    assert made.active is not None
    for row in (ORDERS, ["o1", "u1", "现货", 44712, 1]):
        made.active.append(row)
    made.save(tmp_path / "mac.xlsx")
    assert shop.run("orders", tmp_path / "mac.xlsx")[0] == 0
    assert shop.rows("select created_at from orders") == [("2026-06-01 00:00:00",)]


def test_what_is_merged_downwards_is_repeated_but_no_sum_is(shop: Shop, tmp_path: Path) -> None:
    rows: list[list[Any]] = [
        ["六月订单"],
        HEADER,
        ["o1", "u1", "现货", AT, 30, AT, "i1"],
        [None, None, None, None, None, None, "i2"],
        [None, None, None, None, None, None, "i3"],
        ["o2", "u2", "预售", AT, 8, None, "i1"],
        [None, None, None, None, None, None, None],
        ["o3", None, "现货", AT, 9, None, "i1"],
    ]
    areas = [f"{c}3:{c}5" for c in "ABCDEF"] + ["A6:A7", "A1:G1"]
    report = shop.run("orders", book(tmp_path / "a.xlsx", rows, merged=tuple(areas)))[1]
    assert counts(report) == (5, 4, 1, 0)
    assert rejects(report) == [(8, "买家ID", "", "missing")], "not merged, so not repeated"
    found = shop.rows("select order_id, user_id, kind, item_id, paid_at is null, amount from orders order by 1, 4")
    assert found == [
        ("o1", "u1", "normal", "i1", "False", "30.00"),
        ("o1", "u1", "normal", "i2", "False", None),
        ("o1", "u1", "normal", "i3", "False", None),
        ("o2", "u2", "presale", "i1", "True", "8.00"),
    ]


def test_totals_and_failed_formulas_are_refused_with_a_reason(shop: Shop, tmp_path: Path) -> None:
    rows: list[list[Any]] = [
        [*ORDERS, "备注"],
        [*line("o1"), "#N/A"],
        ["o2", "#N/A", "现货", AT, 1, None],
        ["小计：", None, None, None, 2, None],
        [],
        [None, None, "合计", None, 2, None],
        ["总计的订单", "u1", "现货", AT, 1, None],
    ]
    report = shop.run("orders", book(tmp_path / "a.xlsx", rows))[1]
    assert counts(report) == (5, 2, 3, 0)
    assert rejects(report) == [
        (3, "买家ID", "#N/A", "formula_error"),
        (4, "订单编号", "小计：", "total_row"),
        (6, "类型", "合计", "total_row"),
    ]
    people = book(tmp_path / "b.xlsx", [["user_id", "city"], ["u1", "杭州"], ["合计", 1]])
    assert counts(shop.run("customers", people)[1]) == (2, 1, 1, 0), "not a customer called 合计"


def test_merged_areas_are_found_wherever_the_sheets_text_is_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tools import spreadsheet

    rows: list[list[Any]] = [["user_id", "city"], *[[f"u{i}", None] for i in range(40)]]
    areas = tuple(f"B{i}:B{i + 1}" for i in range(2, 40, 2))
    path = book(tmp_path / "a.xlsx", rows, merged=areas)
    whole = spreadsheet.sheets(path)[0]
    assert {i: sorted(found) for i, found in whole.merged.items()} == {1: [(i, i + 1) for i in range(2, 40, 2)]}
    for size in (61, 97, 256):
        monkeypatch.setattr(spreadsheet, "_CHUNK", size)
        (sheet,) = spreadsheet.sheets(path)
        assert (sheet.merged, sheet.rows) == (whole.merged, whole.rows)


def test_headers_of_a_mapping_are_found_below_titles(shop: Shop, tmp_path: Path) -> None:
    rows: list[list[Any]] = [["导出", "店铺"], ["甲", "乙", "丙"], ["1", "u1", AT]]
    other = [["user_id", "order_id"], ["u1", "o1"]]
    path = book(tmp_path / "a.xlsx", other, 明细=rows)
    (tmp_path / "m.yaml").write_text(
        "table: orders\ncolumns: {order_id: 甲, user_id: 乙, created_at: 丙}\nconstants: {kind: normal}\n",
        encoding="utf-8",
    )
    assert shop.refused("orders", path) == "header_missing"
    report = shop.run("orders", path, "--mapping", tmp_path / "m.yaml")[1]
    assert (report["sheet"], counts(report)) == ("明细", (1, 1, 0, 0))


def test_a_workbook_is_no_larger_unpacked_than_it_says(shop: Shop, tmp_path: Path) -> None:
    whole = book(tmp_path / "a.xlsx", [ORDERS, *[line(f"o{i}") for i in range(2000)]])
    with zipfile.ZipFile(whole) as z:
        info = z.getinfo("xl/worksheets/sheet1.xml")
    data = bytearray(whole.read_bytes())
    for signature, at in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        name = data.index(b"xl/worksheets/sheet1.xml", 0 if signature == b"PK\x03\x04" else data.index(b"PK\x01\x02"))
        start = data.rindex(signature, 0, name)
        assert int.from_bytes(data[start + at : start + at + 4], "little") == info.file_size
        data[start + at : start + at + 4] = (500).to_bytes(4, "little")
    whole.write_bytes(data)
    assert shop.refused("orders", whole) == "xlsx_broken"
