"""Spreadsheets as marketplaces and people make them: imported like the same rows as CSV, refused lines named by sheet row."""

from __future__ import annotations

import csv
import datetime as dt
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from tests.test_import import Shop, counts, rejects
from tools import spreadsheet
from tools.errors import NeedsPerson

ORDERS = ["订单编号", "买家ID", "类型", "下单时间", "实付金额"]
AT = dt.datetime(2026, 6, 1, 20, 0, 5)


def book(path: Path, rows: list[list[Any]], merged: tuple[str, ...] = (), **sheets: list[list[Any]]) -> Path:
    """A workbook with `rows` in its first sheet and further sheets by name; None is an empty cell."""
    made = openpyxl.Workbook()
    first = made.active
    assert first is not None
    for name, content in {first.title: rows, **sheets}.items():
        sheet = made[name] if name in made.sheetnames else made.create_sheet(name)
        for row in content:
            sheet.append(row)
    for area in merged:
        first.merge_cells(area)
    made.save(path)
    return path


def lines(path: Path, target: Path, n: int = 0) -> list[list[str]]:
    spreadsheet.to_csv(path, spreadsheet.sheets(path)[n], target)
    with target.open(encoding="utf-8", newline="") as f:
        return list(csv.reader(f))


@pytest.fixture
def shop(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Shop:
    return Shop(tmp_path, capsys)


def test_values_are_written_as_the_csv_import_reads_them(tmp_path: Path) -> None:
    noon = AT + dt.timedelta(microseconds=999_999)
    values: list[tuple[Any, str]] = [
        ("0123", "0123"), (1001, "1001"), (1001.0, "1001"), (0.1 + 0.2, "0.3"), (299.9, "299.9"), (-3.5, "-3.5"),
        (AT, "2026-06-01 20:00:05"), (noon, "2026-06-01 20:00:06"), (dt.date(2026, 6, 1), "2026-06-01 00:00:00"),
        (True, "1"), (False, "0"), (None, ""), ("two\nlines", "two lines"), ('a,"b"', 'a,"b"'), ("1,299.50", "1,299.50"),
        (12345678901.0, "12345678901"), (0.05, "0.05"),
    ]  # fmt: skip
    rows: list[list[Any]] = [["item_id", "title"], *([i, v] for i, (v, _) in enumerate(values))]
    path = book(tmp_path / "a.xlsx", rows)
    assert [row[1] for row in lines(path, tmp_path / "a.csv")[1:]] == [text for _, text in values]


def test_the_header_is_found_below_titles_and_line_n_is_row_n(tmp_path: Path) -> None:
    rows: list[list[Any]] = [
        ["2026年6月 订单明细"],
        [],
        ["导出人", "小王"],
        ORDERS,
        ["o1", "u1", "现货", AT, 10],
        [],
        [None],
        ["o2"],
    ]
    path = book(tmp_path / "a.xlsx", rows, merged=("A1:E1",))
    (sheet,) = spreadsheet.sheets(path)
    assert (sheet.header, sheet.header_row) == (tuple(ORDERS), 4)
    spreadsheet.to_csv(path, sheet, tmp_path / "a.csv")
    text = (tmp_path / "a.csv").read_text(encoding="utf-8").split("\n")
    assert text == ["", "", "", ",".join(ORDERS), "o1,u1,现货,2026-06-01 20:00:05,10", "", "", "o2,,,,", ""]


def test_merged_header_cells_in_two_rows(tmp_path: Path) -> None:
    rows: list[list[Any]] = [
        ["订单编号", "买家ID", "类型", "支付", None, "备注"],
        [None, None, None, "下单时间", "实付金额", None],
        ["o1", "u1", "现货", AT, 5, None],
    ]
    path = book(tmp_path / "a.xlsx", rows, merged=("A1:A2", "B1:B2", "C1:C2", "D1:E1", "F1:F2"))
    assert spreadsheet.sheets(path)[0].header == (*ORDERS, "备注")


def test_a_header_that_nobody_knows_is_the_first_full_row_of_texts(tmp_path: Path) -> None:
    path = book(tmp_path / "a.xlsx", [["周报"], ["甲", None, "丙"], ["乙", "丁", "戊"], [1, 2, 3]])
    assert (spreadsheet.sheets(path)[0].header, spreadsheet.sheets(path)[0].header_row) == (("乙", "丁", "戊"), 3)
    path = book(tmp_path / "b.xlsx", [["user_id", None, "ts"], ["u", "x", "y"]])
    assert spreadsheet.sheets(path)[0].header == ("user_id", "B", "ts")


def test_import_of_a_sheet_equals_import_of_the_same_csv_and_is_known_again(shop: Shop, tmp_path: Path) -> None:
    rows: list[list[Any]] = [["订单表"], ORDERS, ["0001", "u1", "现货", AT, 1299.5], [None] * 5, [2002, "u2", "预售", "不详", 3],
            ["o3", "u3", "小样", dt.date(2026, 6, 2), None]]  # fmt: skip
    path = book(tmp_path / "订单.xlsx", rows, 说明=[["本表由系统导出"]])
    status, report = shop.run("orders", path)
    assert status == 0
    assert counts(report) == (3, 2, 1, 0)
    assert (report["file"], report["sheet"]) == (str(path), "Sheet")
    assert rejects(report) == [(5, "下单时间", "不详", "not_a_time")]
    assert shop.rows("select order_id, user_id, kind, created_at, amount from orders order by 1") == [
        ("0001", "u1", "normal", "2026-06-01 20:00:05", "1299.50"),
        ("o3", "u3", "sample", "2026-06-02 00:00:00", None),
    ]
    again = shop.run("orders", path, "--format", "xlsx")[1]
    assert counts(again) == (3, 2, 1, 2)
    assert shop.rows("select count(*), count(distinct sha256) from _imports") == [("1", "1")], "known without reading"
    assert shop.rows("select file, format from _imports") == [("订单.xlsx", "xlsx")]
    book(path, [*rows, ["o4", "u1", "现货", AT, 1]])
    assert counts(shop.run("orders", path)[1]) == (4, 3, 1, 2)


def test_the_sheet_that_fits_is_taken_wherever_it_stands(shop: Shop, tmp_path: Path) -> None:
    path = book(tmp_path / "a.xlsx", [["说明"], ["请勿修改"]], 商品=[["商品ID", "标题"], ["i1", "霜"]])
    assert shop.run("items", path)[1]["sheet"] == "商品"
    assert shop.rows("select item_id, title from items") == [("i1", "霜")]
    status, document = shop.run("orders", path)
    assert (status, document["error"]["code"]) == (1, "header_missing")


def test_a_sheet_of_one_column_with_gaps(shop: Shop, tmp_path: Path) -> None:
    path = book(tmp_path / "a.xlsx", [["user_id"], ["u1"], [], [], ["u2"], [None]])
    assert counts(shop.run("customers", path)[1]) == (2, 2, 0, 0)


def test_many_rows_and_gaps_keep_their_rows(shop: Shop, tmp_path: Path) -> None:
    made = openpyxl.Workbook(write_only=True)
    sheet = made.create_sheet("事件")
    sheet.append(["user_id", "ts", "kind"])
    for i in range(2, 30_001):
        good = i % 1000 != 0
        sheet.append([] if i % 77 == 0 else [f"u{i}", AT if good else "昨天", "visit"])
    made.save(tmp_path / "a.xlsx")
    assert spreadsheet.sheets(tmp_path / "a.xlsx")[0].rows == pytest.approx(29_999, abs=300)
    report = shop.run("events", tmp_path / "a.xlsx")[1]
    bad = [i for i in range(2, 30_001) if i % 1000 == 0 and i % 77 != 0]
    empty = sum(i % 77 == 0 for i in range(2, 30_001))
    assert counts(report) == (29_999 - empty, 29_999 - empty - len(bad), len(bad), 0)
    assert [line for line, *_ in rejects(report)] == bad


def test_ids_that_a_number_cell_cut_short_are_refused_only_where_they_count(shop: Shop, tmp_path: Path) -> None:
    long = 6.123456789012345e18
    path = book(tmp_path / "a.xlsx", [[*ORDERS, "快递单号"], ["o1", "u1", "现货", AT, 1, long]])
    assert counts(shop.run("orders", path)[1]) == (1, 1, 0, 0)
    path = book(tmp_path / "b.xlsx", [["说明"], ORDERS, ["o1", "u1", "现货", AT, 1], [long, "u1", "现货", AT, 1]])
    error = shop.run("orders", path)[1]["error"]
    assert error["code"] == "digits_lost"
    assert "row 4" in error["message"]
    assert "订单编号" in error["message"]
    # A program may store a long number whole, which openpyxl itself does not.
    short = book(tmp_path / "short.xlsx", [ORDERS, [7, "u1", "现货", AT, 1]])
    with zipfile.ZipFile(short) as z:
        parts = {name: z.read(name).replace(b"<v>7</v>", b"<v>6123456789012345678</v>") for name in z.namelist()}
    path = packed(tmp_path / "c.xlsx", **parts)
    assert counts(shop.run("orders", path)[1]) == (1, 1, 0, 0)
    assert ("6123456789012345678",) in shop.rows("select order_id from orders")


def packed(path: Path, **parts: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as z:
        for name, content in parts.items():
            z.writestr(name.replace("__", "/"), content)
    return path


def test_what_is_no_spreadsheet_is_refused_and_nothing_is_unpacked(shop: Shop, tmp_path: Path) -> None:
    (tmp_path / "text.xlsx").write_text("user_id,ts,kind\n")
    (tmp_path / "old.xls").write_bytes(b"\xd0\xcf\x11\xe0" + b"\0" * 2000)
    (tmp_path / "locked.xlsx").write_bytes(b"\xd0\xcf\x11\xe0\0" + "EncryptedPackage".encode("utf-16-le") + b"\0" * 99)
    (tmp_path / "empty.xlsx").touch()
    whole = book(tmp_path / "whole.xlsx", [ORDERS, ["o1", "u1", "现货", AT, 1]]).read_bytes()
    (tmp_path / "cut.xlsx").write_bytes(whole[: len(whole) // 2])
    packed(tmp_path / "docx.xlsx", word__document=b"<w/>")
    packed(tmp_path / "bad.xlsx", **{"xl__workbook.xml": b"<not xml"})
    packed(tmp_path / "bomb.xlsx", **{"xl__workbook.xml": b"", "xl__worksheets__sheet1.xml": b"\0" * (60 << 20)})
    book(tmp_path / "blank.xlsx", [])
    expected = {
        "text.xlsx": "not_xlsx", "old.xls": "not_xlsx", "locked.xlsx": "xlsx_locked", "empty.xlsx": "file_empty",
        "cut.xlsx": "xlsx_broken", "docx.xlsx": "not_xlsx", "bad.xlsx": "xlsx_broken", "bomb.xlsx": "xlsx_too_big",
        "blank.xlsx": "file_empty", "absent.xlsx": "file_missing", ".": "file_is_folder",
    }  # fmt: skip
    for name, code in expected.items():
        with pytest.raises(NeedsPerson) as e:
            spreadsheet.sheets(tmp_path / name)
        assert e.value.code == code, name
        assert e.value.message("zh")
        assert e.value.hint("en")
    for name in ("old.xls", "locked.xlsx", "cut.xlsx", "docx.xlsx", "bad.xlsx", "bomb.xlsx"):
        assert shop.refused("events", tmp_path / name) == expected[name]


def test_a_text_called_xlsx_is_read_as_the_text_it_is(shop: Shop, tmp_path: Path) -> None:
    (tmp_path / "a.xlsx").write_text("user_id,ts,kind\nu1,2026-06-01,visit\n")
    assert counts(shop.run("events", tmp_path / "a.xlsx")[1]) == (1, 1, 0, 0)


def test_hidden_sheets_are_not_offered(tmp_path: Path) -> None:
    made = openpyxl.load_workbook(book(tmp_path / "a.xlsx", [["user_id"], ["u1"]], 旧=[["user_id"], ["u9"]]))
    made["旧"].sheet_state = "hidden"
    made.save(tmp_path / "a.xlsx")
    assert [s.name for s in spreadsheet.sheets(tmp_path / "a.xlsx")] == ["Sheet"]
