"""What is guessed for columns that a file does not name, the mapping that is printed, and the questions in a terminal."""

from __future__ import annotations

import csv
import json
import os
import pty
import random
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import openpyxl
import pytest

from bot.mapping_dialog import Lacking, ask
from knowledge import catalog
from tests.test_import import Shop, counts
from tools import mapping
from tools.errors import AskAgain
from tools.guesses import Guess, guesses, samples
from tools.mapping import Mapping

ROOT = Path(__file__).parent.parent
Rows = list[list[str]]


@pytest.fixture
def shop(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Shop:
    return Shop(tmp_path, capsys)


def guessed(table: str, header: str, rows: Rows, stem: str = "") -> dict[str, Guess]:
    titles = header.split(",")
    places = mapping.places(titles, catalog.tables()[table])
    return {g.column: g for g in guesses(titles, rows, table, places, (), stem)}


def orders(n: int = 60) -> Rows:
    """Number, buyer, time of the order, time of the payment, amount, phone, name, pieces, city."""
    r = random.Random(7)
    return [
        [
            f"{90_000_000 + 3 * i}", f"C{r.randint(10, 40)}", f"2026-06-{r.randint(1, 20):02} 10:00:00",
            r.choice(["", "2026-06-20 11:00:00"]), f"{r.random() * 100:.2f}", f"138{r.randint(10**7, 10**8 - 1)}",
            r.choice(["张三", "李小四"]), str(r.randint(1, 3)), r.choice(["上海", "杭州"]),
        ]
        for i in range(n)
    ]  # fmt: skip


# --- guesses -----------------------------------------------------------------------------------------------------


def test_values_tell_what_headers_do_not() -> None:
    """Times by being times, orders by being all different, people by coming back; the choice by what is usual."""
    found = guessed("orders", "a,b,c,d,e,f,g,h,i", orders())
    assert {c: (g.header, g.value, g.why) for c, g in found.items()} == {
        "order_id": ("a", None, "values"),
        "user_id": ("b", None, "values"),
        "created_at": ("c", None, "values"),
        "kind": (None, "normal", "usual"),
    }
    assert all(g.sure for g in found.values())


def test_a_name_that_is_close_comes_before_values() -> None:
    """Generic endings say nothing: 客户代码 is like 客户编号; 付款完成 is a time as well, but 下单日期 is like 下单时间."""
    found = guessed("orders", "交易号,客户代码,下单日期,付款完成,x,手机号码,收货人,件,城", orders())
    assert (found["user_id"].header, found["user_id"].why, found["user_id"].like) == ("客户代码", "name", "客户编号")
    assert (found["created_at"].header, found["created_at"].why) == ("下单日期", "name")
    assert (found["order_id"].header, found["order_id"].why) == ("交易号", "values")


def test_columns_that_need_not_be_there_are_guessed_by_name_only() -> None:
    assert set(guessed("orders", "a,b,c,d,e", [r[:5] for r in orders()])) == {
        "order_id",
        "user_id",
        "created_at",
        "kind",
    }
    found = guessed("orders", "a,b,c,付款日期,实付款金额", [r[:5] for r in orders()])
    assert (found["paid_at"].header, found["amount"].header) == ("付款日期", "实付款金额")
    assert not found["amount"].required


def test_values_that_cannot_be_of_the_column_are_no_guess_however_close_the_name() -> None:
    rows = [["交易成功", "2026-06-01"], ["交易关闭", "2026-06-02"]] * 10
    found = guessed("orders", "订单号码,付款", rows)
    assert found["order_id"].header is None
    assert guessed("orders", "订单类别,下单时间", rows)["kind"].header is None, "its words are none of the kinds"


def test_two_headers_that_look_as_right_are_both_named() -> None:
    r = random.Random(3)
    rows = [[f"p{r.randint(100, 140)}", f"m{r.randint(100, 140)}", "2026-06-01 10:00:00", "pv"] for _ in range(80)]
    found = guessed("events", "left,right,when,what", rows)
    assert (found["user_id"].header, found["user_id"].rivals, found["user_id"].sure) == ("left", ("right",), False)
    assert (found["ts"].header, found["kind"].header) == ("when", "what")


def test_places_counts_and_constants_are_no_people() -> None:
    """A city, a count and one value throughout come back, too."""
    rows = [[r[0], r[7], r[8], "S1", r[2], "普通"] for r in orders()]
    found = guessed("orders", "订单号,pieces,place,store,下单时间,类型", rows)
    assert (found["user_id"].why, found["user_id"].header, found["user_id"].sure) == ("row", "订单号", False)


def test_the_files_name_tells_the_choice_that_no_column_gives() -> None:
    rows = [[f"u{i % 7}0", "2026-06-01 10:00:00"] for i in range(20)]
    found = guessed("events", "用户ID,时间", rows, stem="6月加购物车明细")
    assert (found["kind"].value, found["kind"].why, found["kind"].like) == ("cart", "file", "加购物车")
    assert guessed("events", "用户ID,时间", rows, stem="6月")["kind"].why == "none", "no kind of event is usual"


def test_an_empty_file_is_guessed_by_names_alone() -> None:
    found = guessed("orders", "订单编码,客户代码,x", [])
    assert (found["order_id"].header, found["user_id"].header, found["created_at"].header) == (
        "订单编码",
        "客户代码",
        None,
    )


def test_the_usual_value_is_one_of_the_columns_values() -> None:
    usual = [(c.usual, c.values) for t in catalog.tables().values() for c in t.columns.values() if c.usual]
    assert usual
    assert all(value in values for value, values in usual)


def test_samples_show_nobodys_data() -> None:
    header = ["订单", "phone", "收货人", "会员名", "地址", "备注", "x", "时间", "金额", "状态", "mail", "固话"]
    row = [
        "T100", "13812345678", "张三", "lily88", "上海市长宁区1号", "张三要快", "tb13912345678", "2026-06-01 10:00:00", "12.50",
        "加购", "z3@mail.com", "0571-88888888",
    ]  # fmt: skip
    shown = dict(samples(header, [[""] * len(header), row]))
    assert shown == {
        "订单": "T100", "phone": "***", "收货人": "***", "会员名": "***", "地址": "***", "备注": "张**", "x": "tb***",
        "时间": "2026-06-01 10:00:00", "金额": "12.50", "状态": "加购", "mail": "***", "固话": "0571-88888888",
    }  # fmt: skip


# --- the mapping that is printed ---------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_printed_mapping_can_be_copied_and_imports(shop: Shop, lang: str) -> None:
    header = "交易号,客户代码,成交日期,付款,额,电话,名字,件,城"
    file = shop.file("\n".join([header, *(",".join(r) for r in orders())]) + "\n", "我的 订单.csv")
    status, document = shop.run("orders", file, "--lang", lang)
    error = document["error"]
    assert (status, error["code"]) == (1, "header_missing")
    assert "order_id, user_id, kind, created_at" in error["message"]
    assert header.replace(",", ", ") in error["message"]
    assert f"warroom import orders '{file}' --mapping orders-mapping.yaml" in error["hint"]
    assert "138" not in error["hint"]
    ready = error["hint"].split("\n\n")[1]
    report = shop.load(
        "orders", file.read_bytes(), "--mapping", str(shop.file(ready, "orders-mapping.yaml")), name=file.name
    )
    assert counts(report) == (60, 60, 0, 0)
    assert report["columns"] == {
        "交易号": "order_id", "客户代码": "user_id", "成交日期": "created_at", "付款": "paid_at",
    }  # fmt: skip
    assert report["constants"] == {"kind": "normal"}


@pytest.mark.parametrize("kind", ["xlsx", "parquet"])
def test_the_mapping_for_a_workbook_or_parquet_file(shop: Shop, kind: str) -> None:
    """Under a title row, beside another sheet; typed values in Parquet."""
    header, path = ["交易号", "客户代码", "成交日期"], shop.files / f"orders.{kind}"
    if kind == "xlsx":
        book = openpyxl.Workbook()
        book.active.append(["说明"])
        sheet = book.create_sheet("六月")
        for row in (["店铺 六月 订单"], header, *([*r[:2], datetime.fromisoformat(r[2])] for r in orders())):
            sheet.append(row)
        book.save(path)
    else:
        values = ", ".join(f"({r[0]}, '{r[1]}', TIMESTAMP '{r[2]}')" for r in orders())
        named = ", ".join(f'"{title}"' for title in header)
        duckdb.connect().execute(f"COPY (SELECT * FROM (VALUES {values}) t({named})) TO '{path}' (FORMAT parquet)")
    _, document = shop.run("orders", path)
    assert document["error"]["code"] == "header_missing"
    ready = shop.file(document["error"]["hint"].split("\n\n")[1], "orders-mapping.yaml")
    status, report = shop.run("orders", path, "--mapping", ready)
    assert (status, *counts(report)) == (0, 60, 60, 0, 0)
    expected = sorted((r[0], r[1], r[2]) for r in orders())
    assert shop.rows("select order_id, user_id, created_at from orders order by 1") == expected
    status, again = shop.run("orders", path)
    assert (status, again["duplicates"]) == (0, 60)


def test_what_nothing_is_known_about_stands_in_the_mapping_as_a_comment(shop: Shop) -> None:
    _, document = shop.run("items", shop.file("活动,数值\n618,5\n"))
    hint = document["error"]["hint"]
    assert "# title: …" in hint
    assert "choose one of: 活动 | 数值" in hint
    _, document = shop.run("events", shop.file("用户ID,时间\nu1,2026-06-01\n"))
    assert "\nconstants:\n  # kind: no column looks like it" in document["error"]["hint"]


def test_real_orders_without_a_buyer(shop: Shop, real_data: Path) -> None:
    """The public Tmall export: what is missing, what a mapping would do, and that the import by it is right to the cent."""
    file = real_data / "tmall_orders_2000.csv"
    _, document = shop.run("orders", file)
    error = document["error"]
    headers = "订单编号, 总金额, 买家实际支付金额, 收货地址, 订单创建时间, 订单付款时间, 退款金额"
    assert error["message"] == (
        "tmall_orders_2000.csv lacks columns that the table orders needs: user_id, kind. "
        f"Its columns are: {headers}."
    )  # fmt: skip
    for part in (
        "there is no buyer column in this file", "makes every order a person of its own", "no old customers",
        "  user_id: 订单编号\n", "  kind: normal\n", "订单编号 → order_id, user_id", "Not used: 总金额, 收货地址",
    ):  # fmt: skip
        assert part in error["hint"]
    ready = shop.file(error["hint"].split("\n\n")[1], "orders-mapping.yaml")
    status, report = shop.run("orders", file, "--mapping", ready)
    assert (status, *counts(report)) == (0, 2000, 2000, 0, 0)
    with file.open(encoding="utf-8-sig", newline="") as f:
        rows = [{k.strip(): v.strip() for k, v in row.items()} for row in csv.DictReader(f)]
    paid = [row for row in rows if row["订单付款时间"]]
    free = [row for row in paid if Decimal(row["买家实际支付金额"]) == 0]
    assert free
    amount = sum((Decimal(row["买家实际支付金额"]) for row in rows), Decimal(0))
    refund = sum((Decimal(row["退款金额"]) for row in rows), Decimal(0))
    sql = "count(*), count(distinct user_id), count(paid_at), sum(amount), sum(refund_amount), "
    sql += "count(*) filter (paid_at is not null and amount = 0), count(*) filter (kind = 'normal')"
    expected = (
        2000,
        2000,
        len(paid),
        amount.quantize(Decimal("0.01")),
        refund.quantize(Decimal("0.01")),
        len(free),
        2000,
    )
    assert shop.rows(f"select {sql} from orders") == [tuple(map(str, expected))]
    again, known = shop.run("orders", file)
    assert (again, *counts(known)) == (0, 2000, 2000, 0, 2000), "the mapping is kept"


# --- the questions -----------------------------------------------------------------------------------------------


@pytest.fixture
def lacking() -> Lacking:
    header = ["交易号", "客户代码", "成交日期", "付款", "额", "电话", "名字", "件", "城"]
    return Lacking("x.csv", "x.csv", "orders", header, orders(), None)


def answers(monkeypatch: pytest.MonkeyPatch, *lines: str) -> Iterator[str]:
    said = iter(lines)

    def answer(prompt: str = "") -> str:
        try:
            return next(said)
        except StopIteration:
            raise EOFError from None

    monkeypatch.setattr("builtins.input", answer)
    return said


def refuse_nothing(one: Mapping) -> None:
    assert one.constants


def test_guesses_are_taken_changed_or_left(
    lacking: Lacking, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answers(monkeypatch, "", "99", "没有", "=7", "6", "预售", "付款")
    found = ask(lacking, "zh", refuse_nothing)
    assert found.columns == {"order_id": "交易号", "user_id": "电话", "created_at": "付款"}
    assert found.constants == {"kind": "预售"}
    out = capsys.readouterr().out
    assert "没有「99」这一列" in out
    assert "没有「没有」这一列" in out
    assert "每一行都是同一个 user_id" in out
    assert "张三" not in out
    assert "138" not in out
    assert orders()[0][1] in out


def test_a_constant_that_cannot_be_is_asked_for_again(lacking: Lacking, monkeypatch: pytest.MonkeyPatch) -> None:
    def check(one: Mapping) -> None:
        if one.constants["kind"] == "sale":
            raise AskAgain("mapping_constant", column="kind", value="sale", why="x", choices="normal")

    left = answers(monkeypatch, "", "", "=sale", "=sample", "")
    assert ask(lacking, "en", check).constants == {"kind": "sample"}
    assert list(left) == []


def test_leaving_the_questions_leaves_the_columns(lacking: Lacking, monkeypatch: pytest.MonkeyPatch) -> None:
    answers(monkeypatch, "", "-")
    found = ask(lacking, "en", refuse_nothing)
    assert (found.columns, found.constants) == ({"order_id": "交易号"}, {})


class Terminal:
    """`warroom` in a terminal of its own, as a person sees it."""

    def __init__(self, *arguments: str | Path) -> None:
        self.master, slave = pty.openpty()
        command = [sys.executable, "-m", "bot.cli", *map(str, arguments)]
        self.process = subprocess.Popen(
            command, stdin=slave, stdout=slave, stderr=slave, cwd=ROOT, env={**os.environ, "TERM": "dumb"}
        )
        os.close(slave)
        self.seen = ""

    def read_until(self, part: str, seconds: float = 60) -> str:
        until = time.monotonic() + seconds
        while part not in self.seen and time.monotonic() < until:
            if select.select([self.master], [], [], 0.1)[0]:
                try:
                    self.seen += os.read(self.master, 65536).decode("utf-8", errors="replace")
                except OSError:  # the other end is closed
                    break
        assert part in self.seen, self.seen
        found, _, self.seen = self.seen.partition(part)
        return found

    def say(self, line: str) -> None:
        os.write(self.master, f"{line}\n".encode())

    def end(self) -> int:
        """The exit status; a command that waits for another answer is ended."""
        try:
            return self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()
        finally:
            os.close(self.master)


def test_a_person_in_a_terminal_is_asked_and_what_they_say_is_kept(shop: Shop) -> None:
    rows = [f"{r[0]},{r[1]},{r[2]},{r[5]},{r[6]}" for r in orders()]
    content = "\n".join(["交易号,客户代码,成交日期,收货电话,收货人", *rows]) + "\n"
    one, two = shop.file(content, "one.csv"), shop.file(content.replace("\n9", "\n8"), "two.csv")
    terminal = Terminal("--shop", shop.root, "--lang", "en", "import", "orders", one, two)
    try:
        asked = terminal.read_until("Enter takes 交易号")
        assert "138" not in asked
        assert "张三" not in asked
        terminal.say("")
        terminal.read_until("Enter takes 客户代码")
        terminal.say("2")
        terminal.read_until("Enter takes =normal")
        terminal.say("presale")
        terminal.read_until("Enter takes 成交日期")
        terminal.say("")
        terminal.read_until("from now on? [Y/n]")
        terminal.say("")
        terminal.read_until("two.csv: 60 rows read, 60 accepted, 0 rejected, 0 duplicates")
    finally:
        status = terminal.end()
    assert status == 0
    assert shop.rows("select count(*), count(distinct order_id), max(kind) from orders") == [("120", "120", "presale")]
    assert mapping.kept(shop.root, "orders")[0].columns == {
        "order_id": "交易号", "user_id": "客户代码", "created_at": "成交日期",
    }  # fmt: skip
    third = shop.load("orders", content.replace("\n9", "\n7"), name="three.csv")
    assert counts(third) == (60, 60, 0, 0)


def test_nobody_is_asked_where_json_is_wanted(shop: Shop) -> None:
    file = shop.file("交易号,客户代码\n1,2\n")
    terminal = Terminal("--shop", shop.root, "import", "orders", file, "--json")
    try:
        document = terminal.read_until('"}}') + '"}}'
    finally:
        status = terminal.end()
    assert status == 1
    assert json.loads(document[document.index("{") :])["error"]["code"] == "header_missing"
