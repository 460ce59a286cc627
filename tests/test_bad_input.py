"""Bad values and rows in small files, by `warroom import`: what is refused and why, what is repaired and counted."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from bot.cli import main
from tests.test_import import Shop, counts, rejects
from tools import cells

ORDER = "order_id,user_id,kind,created_at,deposit_paid_at,paid_at,amount,refund_amount,refunded_at"
CALC = "=cmd|' /C calc'!A0"


@pytest.fixture
def shop(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Shop:
    return Shop(tmp_path, capsys)


def settings(shop: Shop, **values: str) -> None:
    lines = [f"{key}: {value}" for key, value in {"name": "test", **values}.items()]
    (shop.root / "shop.yaml").write_text("\n".join(lines) + "\n", encoding="utf-8")


@pytest.mark.parametrize(
    ("line", "column", "reason"),
    [
        ("o1,u1,normal,2026-06-01,,2026-06-02,-1,,", "amount", "negative"),
        ("o1,u1,normal,2026-06-01,,2026-06-02,-0.01元,,", "amount", "negative"),
        ("o1,u1,normal,2026-06-01,,2026-06-02,5,-5,", "refund_amount", "negative"),
        ("o1,u1,normal,2026-06-01,,2026-06-02,1000000000.01,,", "amount", "absurd_amount"),
        ("o1,u1,normal,2026-06-01,,2026-06-02,99999999999999999999999,,", "amount", "absurd_amount"),
        ("o1,u1,normal,2026-06-01,,2026-06-02,20亿,,", "amount", "absurd_amount"),
        ("o1,u1,normal,2026-06-02,,2026-06-01,5,,", "paid_at", "paid_before_created"),
        ("o1,u1,normal,2026-06-02 10:00:00,,2026-06-02 09:59:59,5,,", "paid_at", "paid_before_created"),
        ("o1,u1,presale,2026-06-02,2026-06-01,2026-06-03,5,,", "deposit_paid_at", "paid_before_created"),
        ("o1,u1,presale,2026-05-26,2026-06-02,2026-06-01,5,,", "paid_at", "balance_before_deposit"),
        ("o1,u1,presale,2026-05-26,2026-06-01 10:00:01,2026-06-01 10:00:00,5,,", "paid_at", "balance_before_deposit"),
        ("o1,u1,normal,2050-01-01,,,,,", "created_at", "in_future"),
        ("o1,u1,normal,2026-06-01,,2050-01-01,5,,", "paid_at", "in_future"),
        ("o1,u1,presale,2026-06-01,2050-01-01,,,,", "deposit_paid_at", "in_future"),
        ("o1,u1,normal,2026-06-01,,2026-06-02,5,5,2050-01-01T00:00:00Z", "refunded_at", "in_future"),
        ("o1,u1,normal,1026-06-01,,,,,", "created_at", "absurd_time"),
        ("o1,1.23E+15,normal,2026-06-01,,,,,", "user_id", "digits_lost"),
    ],
)
def test_an_order_that_cannot_be_is_refused_with_its_reason(shop: Shop, line: str, column: str, reason: str) -> None:
    good = "o2,u2,normal,2026-06-01,,2026-06-02,5,,"
    report = shop.load("orders", f"{ORDER}\n{line}\n{good}\n")
    assert counts(report) == (2, 1, 1, 0)
    assert [(line, title, why) for line, title, _, why in rejects(report)] == [(2, column, reason)]
    assert shop.rows("select order_id from orders") == [("o2",)]
    assert "repaired" not in report


def test_a_day_without_a_time_may_be_any_time_of_the_day(shop: Shop) -> None:
    lines = (
        "o1,u1,normal,2026-06-01 10:00:00,,2026-06-01,5,,",
        "o2,u1,presale,2026-06-01 10:00:00,2026-06-01 10:00:00,2026-06-01 10:00:00,5,,",
        "o3,u1,presale,2026-06-01 10:00:00,2026-06-01 11:00:00,2026-06-01,5,,",
    )
    assert counts(shop.load("orders", "\n".join((ORDER, *lines)))) == (3, 3, 0, 0)


@pytest.mark.parametrize(
    ("table", "text", "column"),
    [
        ("events", "user_id,ts,kind\nu1,2050-01-01,visit\n", "ts"),
        ("customers", "user_id,member_joined_at\nu1,2050-01-01\n", "member_joined_at"),
        ("customers", "user_id,fan_since\nu1,2050-01-01\n", "fan_since"),
        ("coupons", "coupon_id,user_id,claimed_at\nk1,u1,2050-01-01\n", "claimed_at"),
        ("touches", "touch_id,user_id,sent_at\nt1,u1,2050-01-01\n", "sent_at"),
        ("touches", "touch_id,user_id,sent_at,clicked_at\nt1,u1,2026-06-01,2050-01-01\n", "clicked_at"),
        ("service", "date,tickets\n2050-01-01,3\n", "date"),
    ],
)
def test_what_is_past_cannot_be_in_2050(shop: Shop, table: str, text: str, column: str) -> None:
    report = shop.load(table, text)
    assert [(line, title, why) for line, title, _, why in rejects(report)] == [(2, column, "in_future")]


def test_a_log_in_seconds_cannot_be_in_2050_either(shop: Shop) -> None:
    report = shop.load("events", "1,2,3,pv,1511544070\n1,2,3,pv,2524608000\n", "--format", "taobao-userbehavior")
    assert [(line, why) for line, _, _, why in rejects(report)] == [(2, "in_future")]


def test_validity_and_targets_may_lie_ahead(shop: Shop) -> None:
    assert counts(shop.load("coupons", "coupon_id,user_id,valid_from,valid_to\nk1,u1,2049-12-31,2050-01-01\n"))[1] == 1
    assert counts(shop.load("targets", "campaign,crowd,metric,value,date\n618,all,buyers,9,2050-06-18\n"))[1] == 1


def test_the_later_of_the_shops_clock_and_the_real_one_counts(shop: Shop) -> None:
    settings(shop, clock="2017-11-25 10:00")
    assert counts(shop.load("events", "user_id,ts,kind\nu1,2026-06-01,visit\n"))[1] == 1
    text = "user_id,ts,kind\nu2,2049-06-02 09:59:59,visit\nu3,2049-06-02 10:00:01,visit\n"
    assert counts(shop.load("events", text)) == (2, 0, 2, 0)
    settings(shop, clock="2049-06-01 10:00")
    # The same file again: what had not come yet has come now, so it is no known file.
    report = shop.load("events", text)
    assert counts(report) == (2, 1, 1, 0)
    assert [line for line, *_ in rejects(report)] == [3]


def test_lines_that_stand_twice_count_once_and_different_lines_of_an_order_stay(shop: Shop) -> None:
    line, other = "o1,u1,normal,2026-06-01,,2026-06-02,5,,", "o1,u1,normal,2026-06-01,,2026-06-02,7,,"
    report = shop.load("orders", "\n".join((ORDER, line, line, other, line.replace("5", "5.00"))))
    assert counts(report) == (4, 4, 0, 2)
    assert shop.rows("select amount from orders order by 1") == [("5.00",), ("7.00",)]


# --- one person, however written -----------------------------------------------------------------------------------

SAME = (
    "12345",
    " 12345 ",
    "\u300012345\u3000",
    "\u200b12345",
    "\u200e12345",
    "12345.0",
    "1.2345E+4",
    "'12345",
    '="12345"',
)


def test_a_person_is_one_whatever_a_program_made_of_the_number(shop: Shop) -> None:
    with (shop.files / "ids.csv").open("w", encoding="utf-8", newline="") as f:
        csv.writer(f).writerows(
            [("user_id", "ts", "kind"), *((text, f"2026-06-0{i + 1}", "visit") for i, text in enumerate(SAME))]
        )
    status, report = shop.run("events", shop.files / "ids.csv")
    assert (status, counts(report)) == (0, (len(SAME), len(SAME), 0, 0))
    assert report["repaired"] == {"user_id": 4}
    book = openpyxl.Workbook()
    for row in (("user_id", "city"), (12345, "A"), (12345.0, "B"), ("12345", "C"), (" 12345.0", "D")):
        book.active.append(row)
    book.save(shop.files / "customers.xlsx")
    assert shop.run("customers", shop.files / "customers.xlsx")[0] == 0
    shop.load("orders", f"{ORDER}\n1.0,12345.0,normal,2026-06-01,,,,,\n")
    assert shop.rows("select distinct user_id from events") == [("12345",)]
    assert shop.rows("select user_id, city from customers") == [("12345", "D")]
    assert shop.rows("select order_id, user_id from orders") == [("1", "12345")]


def test_blanks_inside_leading_zeros_and_hexadecimal_ids_stay(shop: Shop) -> None:
    ids = ("u 1", "00123", "5e10", "1.5", "a.0", "0x1F", "+86138", "=1+1", "张三")
    shop.load("customers", "user_id\n" + "\n".join(ids) + "\n")
    assert {user for (user,) in shop.rows("select user_id from customers")} == set(ids)


@pytest.mark.parametrize("text", ["1.23E+4", "1E+5", "1.23456E+4", "1234567890123456.0", "2.00000000000000001E+17"])
def test_an_id_that_has_lost_digits_is_nobody(shop: Shop, text: str) -> None:
    report = shop.load("events", f"user_id,ts,kind\n{text},2026-06-01,visit\n")
    assert rejects(report) == [(2, "user_id", text, "digits_lost")]


# --- repaired ------------------------------------------------------------------------------------------------------


def test_times_with_zones_are_put_into_the_shops(shop: Shop) -> None:
    times = {
        "2026-06-01 10:00:00": "2026-06-01 10:00:00", "2026-06-01T02:00:00Z": "2026-06-01 10:00:00",
        "2026-06-01 02:00:00+00:00": "2026-06-01 10:00:00", "2026-06-01 10:00:00 +0800": "2026-06-01 10:00:00",
        "2026-05-31T22:00-04": "2026-06-01 10:00:00", "2026-06-01 10:00+08": "2026-06-01 10:00:00",
    }  # fmt: skip
    lines = "".join(f"u{i},{text},visit\n" for i, text in enumerate(times))
    report = shop.load("events", f"user_id,ts,kind\n{lines}")
    assert shop.rows("select ts from events order by user_id") == [(stored,) for stored in times.values()]
    assert report["repaired"] == {"ts": len(times) - 1}


def test_the_zone_is_the_shops_with_its_summer_time(shop: Shop) -> None:
    settings(shop, timezone="America/New_York")
    shop.load("events", "user_id,ts,kind\nu1,2026-01-15T12:00:00Z,visit\nu2,2026-06-15T12:00:00Z,visit\n")
    assert shop.rows("select ts from events order by 1") == [("2026-01-15 07:00:00",), ("2026-06-15 08:00:00",)]


def test_numbers_with_words_around_them(shop: Shop) -> None:
    text = 'item_id,title,list_price,promo_price,stock\ni1,a,12.5元,"¥1,299.50",3件\ni2,b,1.2万,12.345,"1,200"\n'
    report = shop.load("items", text)
    assert shop.rows("select list_price, promo_price, stock from items order by item_id") == [
        ("12.50", "1299.50", "3"), ("12000.00", "12.35", "1200")
    ]  # fmt: skip
    assert report["repaired"] == {"list_price": 2, "promo_price": 2, "stock": 2}
    shop.load("peers", "campaign,crowd,metric,value\n618,all,visit_rate,8.5%\n618,all,rv_value,1.2万元\n")
    assert shop.rows("select value from peers order by 1") == [("0.085",), ("12000.0",)]


def test_what_is_repaired_in_refused_rows_does_not_count_and_is_said_again(shop: Shop) -> None:
    text = "item_id,title,list_price,stock\ni1,a,5元,1件\ni2,b,6元,-1\ni3,c,abc,2件\n"
    for known in (False, True):
        report = shop.load("items", text)
        assert counts(report)[:3] == (3, 1, 2)
        assert ("known" in report) == known
        assert report["repaired"] == {"list_price": 1, "stock": 1}
        Path(report["rejects_file"]).unlink()


# --- formulas ------------------------------------------------------------------------------------------------------

FORMULAS = (
    CALC,
    "+1+1",
    "-1+1",
    "@SUM(A1)",
    "＝1+1",
    "＋1",
    "－1",
    "＠x",
    "\u3000=1",
    "\t=1",
    " \u200b=1",
    "\ufeff=1",
    "\r=1",
    "\n-2",
)


@pytest.mark.parametrize("text", FORMULAS)
def test_a_cell_that_would_run_is_made_a_text(text: str) -> None:
    assert cells.plain(text) == "'" + text
    assert cells.plain(text, numbers=True) == "'" + text


def test_other_cells_stay(shop: Shop) -> None:
    for text in ("a=b", "上海", "", "2026-06-01", "12.5", "—", "'x", "a\n=1", "https://x?a=1"):
        assert cells.plain(text) == text
    assert (cells.plain(None), cells.plain(5), cells.plain("-5")) == ("", "5", "'-5")
    assert (cells.plain("-5", numbers=True), cells.plain("-5.50", numbers=True)) == ("-5", "-5.50")
    assert cells.plain("-5+1", numbers=True) == "'-5+1"


def test_a_formula_is_kept_as_text_and_never_leaves_as_one(shop: Shop) -> None:
    with (shop.files / "c.csv").open("w", encoding="utf-8", newline="") as f:
        csv.writer(f).writerows([("user_id", "city", CALC), (CALC, "＝1+1", ""), ("u2", "@x", ""), ("", CALC, "")])
    status, report = shop.run("customers", shop.files / "c.csv")
    assert (status, counts(report)) == (0, (3, 2, 1, 0))
    assert shop.rows("select user_id, city from customers order by 1") == [(CALC, "＝1+1"), ("u2", "@x")]
    target = shop.files / "out.csv"
    main(
        [
            "--shop",
            str(shop.root),
            "crowd",
            "all",
            "--export",
            str(target),
            "--columns",
            "city",
            "--as-of",
            "2026-06-17",
        ]
    )
    with target.open(encoding="utf-8-sig", newline="") as f:
        assert list(csv.reader(f))[1:] == [["'" + CALC, "'＝1+1"], ["u2", "'@x"]]
    # An id comes back as it was: the apostrophe of an export is taken off again.
    assert counts(shop.run("customers", target)[1]) == (2, 2, 0, 0)
    assert shop.rows("select user_id from customers order by 1") == [(CALC,), ("u2",)]


def test_a_reject_file_runs_nothing(shop: Shop) -> None:
    text = f'{CALC},ts,kind,user_id\nx,"{CALC}",visit,u1\nx,2026-06-01,"＝1",u2\nx,2026-06-01,visit,\n=1+1,x\n'
    report = shop.load("events", text)
    with Path(report["rejects_file"]).open(encoding="utf-8-sig", newline="") as f:
        table: list[list[Any]] = list(csv.reader(f))
    assert [row[2] for row in table[1:]] == ["'" + CALC, "'＝1", "", "'=1+1,x"]
    assert all(cells.plain(cell, numbers=True) == cell for row in table for cell in row)


@pytest.mark.parametrize("header", ["ts,kind", "user_id,kind", "user_id,ts"])
def test_a_file_without_a_column_that_is_needed_is_refused(shop: Shop, header: str) -> None:
    assert shop.refused("events", shop.file(f"{header}\nx,y\n")) == "header_missing"


@pytest.mark.parametrize("header", ["user_id,uid,ts,kind", "user_id,ts,时间,kind", "user_id,User_ID,ts,kind"])
def test_two_headers_to_one_column_refuse_the_file(shop: Shop, header: str) -> None:
    assert shop.refused("events", shop.file(f"{header}\na,b,c,d\n")) == "header_twice"
