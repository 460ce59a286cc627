"""`warroom import` as a merchant uses it: small files in, counts, reject lines and stored rows out, all hand-written."""

from __future__ import annotations

import contextlib
import csv
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest

from bot.cli import main

EVENTS = "user_id,ts,kind"
ORDERS = "order_id,user_id,item_id,kind,created_at,paid_at,amount"
GOOD = "u1,2026-06-01 10:00:00,visit"
NOT_A_TIME, NOT_A_NUMBER, TOO_FEW, TOO_MANY = "not_a_time", "not_a_number", "too_few_columns", "too_many_columns"


class Shop:
    """A workspace in a folder, used through the command only; what is stored is read by SQL."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.root, self.files, self.capsys = folder / "shop", folder, capsys
        self.root.mkdir()
        (self.root / "shop.yaml").write_text("name: test\n", encoding="utf-8")

    def file(self, content: str | bytes, name: str = "file.csv") -> Path:
        path = self.files / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def run(self, *arguments: str | Path) -> tuple[int, Any]:
        """Exit status and the one JSON document of `import ... --json`."""
        self.capsys.readouterr()
        status = main(["--shop", str(self.root), "import", *map(str, arguments), "--json"])
        return status, json.loads(self.capsys.readouterr().out)

    def load(self, table: str, content: str | bytes, *options: str, name: str = "file.csv") -> dict[str, Any]:
        status, report = self.run(table, self.file(content, name), *options)
        assert status == 0, report
        assert report["read"] == report["accepted"] + report["rejected"]
        return dict(report)

    def refused(self, *arguments: str | Path) -> str:
        """The error's code, after checking that the error is a sentence with a next step."""
        status, document = self.run(*arguments)
        assert status == 1
        assert list(document) == ["error"]
        error = document["error"]
        assert error["message"].endswith(".")
        assert error["hint"]
        return str(error["code"])

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of the stored data, every value as text (None stays)."""
        with duckdb.connect(str(self.root / "data.duckdb"), read_only=True) as connection:
            found = connection.execute(sql).fetchall()
        return [tuple(None if value is None else str(value) for value in row) for row in found]


def counts(report: dict[str, Any]) -> tuple[int, int, int, int]:
    return report["read"], report["accepted"], report["rejected"], report["duplicates"]


def rejects(report: dict[str, Any]) -> list[tuple[int, str, str, str]]:
    """(line, header, value, code of the reason) of each line of the reject file."""
    with Path(report["rejects_file"]).open(encoding="utf-8-sig", newline="") as file:
        header, *lines = csv.reader(file)
    assert header == ["line", "column", "value", "reason"]
    return [(int(line), column, value, reason.split(":")[0]) for line, column, value, reason in lines]


@pytest.fixture
def shop(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Shop:
    return Shop(tmp_path, capsys)


@pytest.mark.parametrize(
    ("table", "header", "line", "columns", "stored"),
    [
        ("customers", "用户ID,手机号,昵称,城市,入会时间,会员等级,退订,在群", "u1,138,小红,杭州,2026-01-01,金,是,0",
         "user_id, phone, nickname, city, member_joined_at, member_level, sms_opt_out, in_group",
         ("u1", "138", "小红", "杭州", "2026-01-01 00:00:00", "金", "1", "0")),
        ("events", "买家ID,时间,行为,商品ID,类目,数量,来源", "u1,2026-06-01 10:00:00,加购,i1,c1,2,直播",
         "*", ("u1", "2026-06-01 10:00:00", "cart", "i1", "c1", "2", "直播")),
        ("orders", "订单编号,uid,商品id,类型,下单时间,定金,付定金时间,付款时间,实付金额,退款金额,退款时间",
         'o1,u1,i1,预售,2026-05-26 20:00:00,50,2026-05-26 20:01:00,2026-06-01 00:00:01,"1,299.50",0,',
         "order_id, user_id, item_id, kind, created_at, deposit_amount, deposit_paid_at, paid_at, amount, "
         "refund_amount, refunded_at",
         ("o1", "u1", "i1", "presale", "2026-05-26 20:00:00", "50.00", "2026-05-26 20:01:00", "2026-06-01 00:00:01",
          "1299.50", "0.00", None)),
        ("items", "宝贝ID,标题,类目,原价,活动价,是否预售,定金,主推,库存", 'i1,"霜, 50g ""经典""",c1,399,299.00,否,50,是,100',
         "*", ("i1", '霜, 50g "经典"', "c1", "399.00", "299.00", "0", "50.00", "1", "100")),
        ("coupons", "券编号,会员id,券类型,领取时间,生效时间,失效时间,满,减,核销订单",
         "k1,u1,首单券,2026-06-01,2026-06-01,2026-06-20,300,30,",
         "*", ("k1", "u1", "first_order", "2026-06-01 00:00:00", "2026-06-01 00:00:00", "2026-06-20 23:59:59",
               "300.00", "30.00", None)),
        ("touches", "触达ID,uid,大促,人群,渠道,版本,发送时间,送达,点击时间,费用",
         "t1,u1,618,cart_unpaid,sms,A,2026-06-01 10:00,1,,0.05",
         "*", ("t1", "u1", "618", "cart_unpaid", "sms", "A", "2026-06-01 10:00:00", "1", None, "0.05")),
        ("targets", "活动,人群,指标,目标值,日期", "618,全店,成交金额,9,2026-06-18", "*",
         ("618", "all", "paid_amount", "9.0", "2026-06-18")),
        ("peers", "活动,人群,指标,同行均值", "618,老客,进店率,0.05", "*", ("618", "old", "visit_rate", "0.05")),
        ("service", "日期,描述相符,服务态度,物流服务,售后工单,延迟发货", "2026-06-01,4.8,4.9,4.7,12,3",
         "*", ("2026-06-01", "4.8", "4.9", "4.7", "12", "3")),
    ],
)  # fmt: skip
def test_every_table_takes_chinese_headers(
    shop: Shop, table: str, header: str, line: str, columns: str, stored: tuple[str | None, ...]
) -> None:
    report = shop.load(table, f"{header}\n{line}\n")
    assert counts(report) == (1, 1, 0, 0)
    assert list(report["columns"]) == header.split(",")
    assert shop.rows(f"select {columns} from {table}") == [stored]


PLAIN = f"{EVENTS}\n{GOOD}\n"
CHINESE = "用户ID,ts,行为类型\nu1,2026/6/1 10:00,进店\n"


@pytest.mark.parametrize(
    "content",
    [
        PLAIN.encode(), PLAIN.rstrip().encode(), PLAIN.encode("utf-8-sig"), PLAIN.replace("\n", "\r\n").encode(),
        PLAIN.replace(",", "\t").encode(), PLAIN.replace(",", ";").encode(),
        CHINESE.encode(), CHINESE.encode("utf-8-sig"), CHINESE.encode("gb18030"),
        b'\xef\xbb\xbf"user_id","ts","kind"\r\n"u1","2026-06-01 10:00:00","visit"\r\n',
        b" User_ID , TS ,KIND\n  u1 , 2026-06-01 10:00:00 , Visit \n",
        "user_id,ts,kind\n\u3000u1\u3000,2026-06-01 10:00:00,\u3000进店\n".encode(),
        f"{EVENTS}\n\n{GOOD}\n\n\n".encode(), f"{EVENTS},\n{GOOD},\n".encode(),
    ],
)  # fmt: skip
def test_one_event_however_it_is_written(shop: Shop, content: bytes) -> None:
    assert counts(shop.load("events", content)) == (1, 1, 0, 0)
    assert shop.rows("select user_id, ts, kind from events") == [("u1", "2026-06-01 10:00:00", "visit")]


def test_quoted_fields_and_blank_lines_keep_the_line_numbers(shop: Shop) -> None:
    lines = 'i1,"a, ""b""\nc",10\n\ni2,"x\n\ny",bad\ni3,z,worse\ni4,"q\nr",5\ni5\ni6,s,1,2\n'
    report = shop.load("items", f"item_id,title,list_price\n{lines}")
    assert rejects(report) == [
        (5, "list_price", "bad", NOT_A_NUMBER),
        (8, "list_price", "worse", NOT_A_NUMBER),
        (11, "", "i5", TOO_FEW),
        (12, "", "i6,s,1,2", TOO_MANY),
    ]
    assert shop.rows("select item_id, title from items order by 1") == [("i1", 'a, "b"\nc'), ("i4", "q\nr")]


def test_rejects_name_the_merchants_header_and_value(shop: Shop) -> None:
    text = "用户ID,时间,行为\n红1,坏时间,进店\n红2,2026-06-01,瞎逛\n,2026-06-01,进店\n"
    report = shop.load("events", text.encode("gb18030"))
    assert counts(report) == (3, 0, 3, 0)
    assert rejects(report) == [
        (2, "时间", "坏时间", NOT_A_TIME), (3, "行为", "瞎逛", "not_a_choice"), (4, "用户ID", "", "missing")
    ]  # fmt: skip
    assert shop.rows("select * from events") == []


def test_seven_bad_rows_in_a_large_file(shop: Shop) -> None:
    bad = {
        2: (",2026-06-01,visit,1", ("user_id", "", "missing")),
        777: ("x,2026-02-30,visit,1", ("ts", "2026-02-30", NOT_A_TIME)),
        10000: ("x,2026-06-01,buy,1", ("kind", "buy", "not_a_choice")),
        15001: ("x,2026-06-01,visit,two", ("quantity", "two", NOT_A_NUMBER)),
        22222: ("x,2026-06-01", ("", "x,2026-06-01", TOO_FEW)),
        29999: ("x,2026-06-01,visit,1,z", ("", "x,2026-06-01,visit,1,z", TOO_MANY)),
        30001: ("x,2026-06-01,visit,-3", ("quantity", "-3", "negative")),
    }
    lines = [bad[n][0] if n in bad else f"u{n},2026-06-01,cart,2" for n in range(2, 30002)]
    report = shop.load("events", "\n".join([f"{EVENTS},quantity", *lines]) + "\n")
    assert counts(report) == (30000, 29993, 7, 0)
    assert rejects(report) == [(line, *reason) for line, (_, reason) in bad.items()]
    assert shop.rows("select count(distinct user_id), sum(quantity) from events") == [("29993", "59986")]


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        ("2026-06-01", "2026-06-01 00:00:00"), ("2026/6/1 9:05", "2026-06-01 09:05:00"),
        ("2026-06-01 10:00", "2026-06-01 10:00:00"), ("2026-06-01T10:00:00", "2026-06-01 10:00:00"),
        ("2024-02-29 23:59:59", "2024-02-29 23:59:59"),
        ("2026-06-01T10:00:00Z", "2026-06-01 18:00:00"), ("2026-06-01 10:00:00 +0800", "2026-06-01 10:00:00"),
        *((value, NOT_A_TIME) for value in ("2025-02-29", "2026-02-30", "2026-13-01", "2026-06-01 25:00:00", "今天",
          "2026-06-01 10:00 PM", "06/01/2026", "1780279200", "now")),
        *((value, "absurd_time") for value in ("1900-01-01", "2150-01-01", "9999-12-31")),
    ],
)  # fmt: skip
def test_times(shop: Shop, value: str, stored: str) -> None:
    report = shop.load("events", f"{EVENTS}\nu1,{value},visit\n")
    if stored.startswith("20"):
        assert shop.rows("select ts from events") == [(stored,)]
        assert report["span"] == {"from": stored, "to": stored}
    else:
        assert rejects(report) == [(2, "ts", value, stored)]


@pytest.mark.parametrize(
    ("table", "column", "value", "stored"),
    [
        ("items", "list_price", "1,299.50", "1299.50"), ("items", "list_price", "0", "0.00"),
        ("items", "list_price", "", None), ("items", "list_price", "-5", "negative"), ("items", "list_price", "12元", "12.00"),
        *(("items", "list_price", value, NOT_A_NUMBER) for value in ("abc", "12元5角", "1.2.3", "12%", "inf")),
        ("items", "list_price", "NaN", None),
        ("items", "stock", "1,000", "1000"), ("items", "stock", "-5", "negative"),
        ("items", "stock", "many", NOT_A_NUMBER), ("customers", "in_group", "", None),
        *(("customers", "in_group", yes, "1") for yes in ("1", "是", "yes", "Y", "true")),
        *(("customers", "in_group", no, "0") for no in ("0", "否", "no", "N", "FALSE")),
        *(("customers", "in_group", value, "not_a_flag") for value in ("2", "maybe")),
        *(("events", "kind", value, "visit") for value in ("visit", "VISIT", "pv", "浏览")),
        ("events", "kind", "fav", "favorite"), ("events", "kind", "挑战完成", "challenge_done"),
        ("events", "kind", "buy", "not_a_choice"),
    ],
)  # fmt: skip
def test_values(shop: Shop, table: str, column: str, value: str, stored: str | None) -> None:
    start = {"items": "item_id,title{}\ni1,t", "customers": "user_id{}\nu1", "events": "user_id,ts{}\nu1,2026-06-01"}
    report = shop.load(table, start[table].format(f",{column}") + f',"{value}"\n')
    if report["rejected"]:
        assert rejects(report) == [(2, column, value, stored)]
    else:
        assert shop.rows(f"select {column} from {table}") == [(stored,)]


def test_a_file_twice_and_overlapping_files_change_nothing(shop: Shop) -> None:
    both = f"{EVENTS}\n{GOOD}\n{GOOD}\nu2,2026-06-02,cart\nu3,bad,cart\n"
    assert counts(shop.load("events", both)) == (4, 3, 1, 1)
    assert counts(shop.load("events", both)) == (4, 3, 1, 3)
    overlap = f"{EVENTS}\nu2,2026/6/2,加购\nu4,2026-06-03,cart\n"
    assert counts(shop.load("events", overlap, name="next.csv")) == (2, 2, 0, 1)
    assert shop.rows("select user_id from events order by 1") == [("u1",), ("u2",), ("u4",)]


def test_an_order_paid_later_replaces_its_line_only(shop: Shop) -> None:
    lines = ("o1,u1,i1", "o1,u1,i2", "o2,u2,")
    shop.load("orders", f"{ORDERS}\n" + "".join(f"{line},normal,2026-06-01,,\n" for line in lines))
    paid = f"{ORDERS}\no1,u1,i1,normal,2026-06-01,2026-06-01 10:01:00,99.9\no2,u2,,normal,2026-06-01,2026-06-02,5\n"
    assert counts(shop.load("orders", paid, name="paid.csv")) == (2, 2, 0, 0)
    assert shop.rows("select order_id, item_id, paid_at, amount from orders order by 1, 2") == [
        ("o1", "i1", "2026-06-01 10:01:00", "99.90"),
        ("o1", "i2", None, None),
        ("o2", None, "2026-06-02 00:00:00", "5.00"),
    ]


def test_the_last_row_of_a_customer_counts(shop: Shop) -> None:
    shop.load("customers", "user_id,city\nu1,杭州\nu2,北京\n u1 ,上海\n")
    assert shop.rows("select user_id, city from customers order by 1") == [("u1", "上海"), ("u2", "北京")]
    shop.load("customers", "用户ID,城市\nu2,广州\n", name="corrected.csv")
    assert shop.rows("select user_id, city from customers order by 1") == [("u1", "上海"), ("u2", "广州")]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "file_empty"), (b"\n\n", "file_empty"), (b"user_id,ts,kind\n", "no_rows"),
        (b"user_id,ts\nu1,2026-06-01\n", "header_missing"),
        ("user_id,用户ID,ts,kind\nu1,u2,2026-06-01,visit\n".encode(), "header_twice"),
        (b"PK\x03\x04\x14\x00\x06\x00" + bytes(range(256)), "xlsx_broken"),  # part of an .xlsx under another name
        (b"user_id,ts,kind\nu1,2026-06-01,visit\nu\x00,2026-06-01,visit\n", "file_binary"),
        (f"{EVENTS}\n{GOOD}\nu2,2026-06-01 10:00:00,vis".encode(), "half_written"),
        (f'{EVENTS},source\n{GOOD},a\nu2,2026-06-01,visit,"b\n'.encode(), "open_quote"),
        (b"x" * 3_000_000, "line_too_long"),
    ],
)  # fmt: skip
def test_a_refused_file_leaves_the_data_as_it_was(shop: Shop, content: bytes, code: str) -> None:
    shop.load("events", PLAIN, name="before.csv")
    assert shop.refused("events", shop.file(content)) == code
    assert shop.rows("select user_id, ts, kind from events") == [("u1", "2026-06-01 10:00:00", "visit")]


def test_names_that_do_not_exist(shop: Shop) -> None:
    path, none = shop.file(PLAIN), shop.files / "none.csv"
    assert shop.refused("events", none) == "file_missing"
    (shop.files / "empty").mkdir()
    assert shop.refused("events", shop.files / "empty") == "nothing_to_import"
    assert shop.refused("event", path) == "unknown_table"
    assert shop.refused("events", path, "--format", "xyz") == "unknown_format"
    assert shop.refused("events", path, "--format", "taobao-userbehavior") == "taobao_columns"
    assert shop.refused("customers", path, "--format", "taobao-userbehavior") == "format_wants_events"
    assert main(["--shop", str(shop.root), "import", "events", str(none)]) == 1  # without --json: to standard error
    captured = shop.capsys.readouterr()
    assert captured.out == ""
    assert str(none) in captured.err


def test_several_files_give_one_document_and_unknown_columns_are_named(shop: Shop) -> None:
    status, reports = shop.run("events", shop.file(PLAIN), shop.file(f"{EVENTS},备注\nu2,bad,visit,x\n", "b.csv"))
    assert status == 0
    assert reports[1]["ignored"] == ["备注"]
    assert [counts(report) for report in reports] == [(1, 1, 0, 0), (1, 0, 1, 0)]


def test_taobao_userbehavior(shop: Shop) -> None:
    lines = (
        "1,2,3,pv,1511544070\n1,2,3,click,1511544070\n,2,3,pv,1511544070\n1,2,3,pv,soon\n1,2,3,pv\n"
        "1,2,3,buy,1511561733\n1,2,,cart,1511544071\n1,2,3,fav,1511544071\n1,2,3,fav,0\n"
    )
    report = shop.load("events", lines, "--format", "taobao-userbehavior")
    assert counts(report) == (9, 4, 5, 0)
    assert [(line, code) for line, _, _, code in rejects(report)] == [
        (2, "not_a_choice"), (3, "missing"), (4, NOT_A_TIME), (5, TOO_FEW), (9, NOT_A_TIME)
    ]  # fmt: skip
    assert shop.rows("select user_id, ts, kind, item_id, category_id from events order by kind") == [
        ("1", "2017-11-25 01:21:11", "cart", "2", None),
        ("1", "2017-11-25 01:21:11", "favorite", "2", "3"),
        ("1", "2017-11-25 01:21:10", "visit", "2", "3"),
    ]
    assert shop.rows("select user_id, item_id, category_id, kind, created_at, paid_at, amount from orders") == [
        ("1", "2", "3", "normal", "2017-11-25 06:15:33", "2017-11-25 06:15:33", None)
    ]


def test_the_real_taobao_log(shop: Shop, real_data: Path) -> None:
    log = real_data / "userbehavior_200users.csv"
    for duplicates in (0, 21999):
        status, report = shop.run("events", log, "--format", "taobao-userbehavior")
        assert (status, *counts(report)) == (0, 21999, 21999, 0, duplicates)
        assert shop.rows("select kind, count(*) from events group by 1 order by 1") == [
            ("cart", "1122"), ("favorite", "539"), ("visit", "19914")
        ]  # fmt: skip
        assert shop.rows("select count(distinct order_id), count(amount) from orders") == [("424", "0")]


def test_a_killed_import_leaves_nothing_and_can_be_run_again(shop: Shop) -> None:
    shop.load("events", PLAIN, name="before.csv")
    rows = "".join(f"u{n},2026-06-01,visit\n" for n in range(400_000))
    path = shop.file(f"{EVENTS}\n{rows}", "large.csv")
    code = "import sys; from bot.cli import main; sys.exit(main(sys.argv[1:]))"
    command = [sys.executable, "-c", code, "--shop", str(shop.root), "import", "events", str(path)]
    with contextlib.suppress(subprocess.TimeoutExpired):  # a very fast machine may be done: nothing is half-way then
        subprocess.run(command, timeout=0.8, check=True, stderr=subprocess.DEVNULL, cwd=Path(__file__).parent.parent)
    assert shop.rows("select count(*) from events") in [[("1",)], [("400001",)]]
    status, report = shop.run("events", path)
    assert (status, report["read"], report["accepted"]) == (0, 400_000, 400_000)
    assert shop.rows("select count(*), count(distinct user_id) from events") == [("400001", "400000")]


def test_data_held_open_by_another_process(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tools.datafile.WAIT", 0.2)
    shop.load("events", PLAIN)
    code = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('open', flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", code, str(shop.root / "data.duckdb")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        assert shop.refused("events", shop.file(f"{EVENTS}\nu2,2026-06-02,visit\n", "b.csv")) == "data_locked"
        holder.communicate()
    assert shop.run("events", shop.files / "b.csv")[0] == 0
    assert shop.rows("select user_id from events order by 1") == [("u1",), ("u2",)]
