"""A day of a group, over HTTP: asked, drafted, approved, looked into, briefed, exported, and fed with new data."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from bot.state import State
from tests.e2e.bots import OWNER, BotProcess
from tests.e2e.server import Sent, TelegramServer, private
from tests.e2e.shops import GROUP, OLGA, STRANGER, VERA, ask, bind, note, tap
from tools.engine import Engine

PLAN, SIZE = "加购未付款的人今天怎么做", "加购未付款有多少人"
PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(scope="module")
def telegram(shop: Path) -> Iterator[TelegramServer]:
    with TelegramServer() as server, BotProcess(server, [shop], shop.parent / "bot.log") as bot:
        refused = server.message(GROUP, VERA, PLAN, mention=True)
        assert "权限" in server.wait_message(GROUP.id, after=refused).text  # nobody may ask yet
        bind(server, GROUP, "huayang")
        yield server
        assert "Traceback" not in bot.said


@pytest.fixture
def plan(telegram: TelegramServer) -> Sent:
    return ask(telegram, VERA, PLAN, "618")


def done(state: State, action: str) -> list[dict[str, Any]]:
    """What the audit log says of that action, newest first, with who did it."""
    return [{"by": row.actor, **row.detail} for row in state.audit_rows("huayang", 500) if row.action == action]


def test_a_mention_gets_the_plan_and_chatter_nothing(telegram: TelegramServer) -> None:
    posted = telegram.message(GROUP, VERA, "大家早，今天加购未付款的人要盯紧")
    asked = telegram.message(GROUP, VERA, PLAN, mention=True)
    answer = telegram.wait_message(GROUP.id, "618", after=asked)
    assert "1,959 人" in answer.text
    assert answer.reply_to == asked.message_id
    assert [m.message_id for m in telegram.in_chat(GROUP.id) if m.message_id > posted.message_id] == [answer.message_id]
    assert {e["type"] for e in answer.entities} == {"bold"}


def test_a_draft_is_shortened_recast_and_approved_once(telegram: TelegramServer, plan: Sent, state: State) -> None:
    sms = tap(telegram, VERA, plan, "写短信", "检查")
    assert sms.text.count("【花漾】") == 2
    assert sms.text.count("拒收请回复R") == 2
    assert "检查：通过" in sms.text
    written, sizes = copies(sms)
    assert [int(n) for n, _ in sizes] == [len(c.encode("utf-16-le")) // 2 for c in written]
    shorter = tap(telegram, VERA, sms, "再短一点", "检查")
    assert max(map(len, copies(shorter)[0])) < max(map(len, written))
    group = tap(telegram, VERA, sms, "换成群文案", "检查")  # of the first draft, though the chat has gone on
    assert "拒收" not in group.text
    assert "🎁" in group.text
    assert "🎁" not in tap(telegram, VERA, group, "不要表情", "检查").text

    assert "需要「运营」权限" in note(telegram, telegram.press(VERA, sms, "提交审批"))
    handed_in = tap(telegram, OLGA, sms, "提交审批", "提交了这份文案")
    assert handed_in.reply_to == sms.message_id
    assert "已经提交过" in note(telegram, telegram.press(OLGA, sms, "提交审批"))
    assert "需要「管理员」权限" in note(telegram, telegram.press(OLGA, handed_in, "批准"))
    approved = tap(telegram, OWNER, handed_in, "批准", "批准了这份文案")
    assert approved.reply_to == handed_in.message_id
    telegram.wait(lambda: not telegram.messages[GROUP.id, handed_in.message_id].buttons)
    second = telegram.callback(OWNER, handed_in, f"no:{token(sms)}")
    assert "已经有结论" in note(telegram, second)
    found = state.approval(token(sms))
    assert found is not None
    assert (found.status, found.person, found.decided_by) == ("approved", OLGA.id, OWNER.id)
    assert [d["by"] for d in done(state, "submit")] == [OLGA.id]
    assert [d["by"] for d in done(state, "approve")] == [OWNER.id]
    assert done(state, "return") == []


def token(sent: Sent) -> str:
    """The name of the answer in the state, as its buttons carry it."""
    return sent.button("👍").split(":")[1]


def copies(sent: Sent) -> tuple[list[str], list[tuple[str, str]]]:
    """The texts of an SMS draft, and what is said of each: (characters, messages)."""
    lines = sent.text.split("\n")
    return [x for x in lines if x.startswith("【花漾】")], re.findall(r"（(\d+) 字，(\d+) 条）", sent.text)


def test_an_operator_drafts_in_private_and_an_admin_decides_there(telegram: TelegramServer, state: State) -> None:
    telegram.message(private(OWNER), OWNER, "/start")
    telegram.wait_message(OWNER.id, "花漾护肤")
    sms = ask(telegram, OLGA, "给临门一脚人群写条短信", "检查", private(OLGA))
    asked = tap(telegram, OLGA, sms, "提交审批", "提交了", private(OWNER))
    assert copies(sms)[0] == copies(asked)[0]
    assert telegram.wait_message(OLGA.id, "发给管理员", after=sms)
    said = tap(telegram, OWNER, asked, "退回", "退回了", private(OLGA))
    assert said.reply_to == sms.message_id
    assert telegram.wait_message(OWNER.id, "退回了", after=asked)
    found = state.approval(token(sms))
    assert found is not None
    assert found.status == "rejected"


def test_the_sources_give_the_numbers_when_run_again(telegram: TelegramServer, plan: Sent, shop: Path) -> None:
    said = tap(telegram, VERA, plan, "依据", "手册原文").text
    assert "1,959 人" in said
    assert re.findall(r"^\[\d\] 618 作战室 .+\n.+。$", said, re.MULTILINE)
    file = telegram.wait(lambda: next((m for m in telegram.in_chat(GROUP.id) if m.file_name == "queries.sql"), None))
    assert file.document is not None
    queries = re.findall(r"^-- \w+ (.+): (.+) \(([\d :-]+)\)\n([\s\S]+?);\n", file.document.decode(), re.MULTILINE)
    assert len(queries) > 10
    engine = Engine(shop / "data.duckdb")
    try:
        for label, shown, _, query in queries:
            (row,) = engine.query(query)
            assert f"{label} {shown}" in said
            assert same(shown, next(iter(row.values()))), (label, shown, row)
    finally:
        engine.close()


def same(shown: str, value: Any) -> bool:
    """Whether a display such as "1,959 人", "¥467,559" or "23.6%" is that value, rounded as it is shown."""
    match = re.search(r"[\d,]+(?:\.(\d+))?", shown)
    assert match, shown
    exact = abs(float(value)) * (100 if "%" in shown else 1)
    half = 0.5 / 10.0 ** len(match[1] or "")
    return abs(float(match[0].replace(",", "")) - exact) <= half + 1e-9


def test_other_views_a_picture_and_an_opinion(telegram: TelegramServer, state: State) -> None:
    today = ask(telegram, VERA, "会员今天进店多少人", "进店访客数")
    views = tap(telegram, VERA, today, "换一种看法", "拆开")
    levels = tap(telegram, VERA, views, "会员等级", "按会员等级")
    parts = [int(n.replace(",", "")) for n in re.findall(r"^· .+ ([\d,]+) 人$", levels.text, re.MULTILINE)]
    whole = re.search(r"进店访客数 ([\d,]+) 人", today.text)
    assert whole
    assert sum(parts) == int(whole[1].replace(",", ""))
    picture = tap(telegram, VERA, today, "看图")
    assert (picture.kind, picture.reply_to) == ("photo", today.message_id)
    assert picture.photo is not None
    assert picture.photo.startswith(PNG)
    assert "会员" in picture.text
    assert "谢谢" in note(telegram, telegram.press(VERA, today, "👍"))
    assert "记下了" in note(telegram, telegram.press(OLGA, today, "👎"))
    assert state.feedback_of(token(today)) == {VERA.id: 1, OLGA.id: -1}


def test_lists_go_to_the_operator_alone(telegram: TelegramServer, plan: Sent, state: State) -> None:
    before = done(state, "export")
    assert "需要「运营」权限" in note(telegram, telegram.press(VERA, plan, "导出人群"))
    assert "没有这家店的权限" in note(telegram, telegram.press(STRANGER, plan, "导出人群"))
    file = tap(telegram, OLGA, plan, "导出人群", "名单", private(OLGA))
    assert telegram.wait_message(GROUP.id, "私发给你", after=plan)
    people = listed(file)
    assert len(people) == len(set(people)) == 1959
    assert not re.search(rb"\b1[3-9]\d{9}\b", file.document or b"")
    today = ask(telegram, VERA, "会员今天进店多少人", "进店访客数")
    assert "需要「运营」权限" in note(telegram, telegram.press(VERA, today, "导出表格"))
    table = tap(telegram, OLGA, today, "导出表格", "指标明细")
    assert (table.kind, table.reply_to) == ("document", today.message_id)
    noted = done(state, "export")[: -len(before) or None]
    assert [(d["by"], d["what"]) for d in noted] == [(OLGA.id, "metrics"), (OLGA.id, "crowd")]
    assert noted[1]["people"] == 1959
    assert not [m for m in telegram.in_chat(VERA.id) + telegram.in_chat(STRANGER.id) if m.kind == "document"]


def listed(sent: Sent) -> list[str]:
    assert sent.document is not None
    return [row["user_id"] for row in csv.DictReader(io.StringIO(sent.document.decode("utf-8-sig")))]


def test_the_briefing_comes_with_a_picture(telegram: TelegramServer) -> None:
    posted = telegram.message(GROUP, VERA, "/brief")
    text = telegram.wait_message(GROUP.id, "昨天", after=posted, timeout=30)
    assert text.text.startswith("618 · 正式售卖第 2 天")
    assert "今天要做" in text.text
    picture = telegram.wait(lambda: [m for m in telegram.in_chat(GROUP.id) if m.message_id > text.message_id], 30)[0]
    assert picture.photo is not None
    assert picture.photo.startswith(PNG)


def test_uploaded_orders_change_the_numbers(telegram: TelegramServer, plan: Sent, state: State) -> None:
    """Forty of the un-paid pay by a CSV, thirty more by a spreadsheet; sent twice, tapped twice, they pay once."""
    people = listed(tap(telegram, OLGA, plan, "导出人群", "名单", private(OLGA)))
    header = ["订单编号", "买家ID", "订单类型", "下单时间", "付款时间", "实付金额", "收货人手机"]
    rows = [
        [f"new-{i}", who, "现货", "2026-06-17 09:58:00", "2026-06-17 09:59:00", "59.00", "13800138000"]
        for i, who in enumerate(people[:70])
    ]
    refused = telegram.document(private(VERA), VERA, "订单.csv", sheet(header, rows[:40]))
    assert "需要「运营」权限" in telegram.wait_message(VERA.id, after=refused, timeout=30).text

    sent = telegram.document(GROUP, OLGA, "订单.csv", sheet(header, rows[:40]))  # not for the bot
    telegram.quiet(0.5)
    assert not [m for m in telegram.in_chat(GROUP.id) if m.message_id > sent.message_id]
    sent = telegram.document(GROUP, OLGA, "订单.csv", sheet(header, rows[:40]), "@warroom_bot 今天的")
    shown = telegram.wait_message(GROUP.id, "订单", after=sent, timeout=30)
    assert "40 行" in shown.text
    assert "· 买家ID → user_id" in shown.text
    assert "用不上的列：收货人手机" in shown.text
    assert people[0] not in shown.text
    assert "13800138000" not in shown.text
    assert "需要「运营」权限" in note(telegram, telegram.press(VERA, shown, "导入到「订单」"))
    first, second = (telegram.press(OLGA, shown, "导入到「订单」") for _ in range(2))
    telegram.wait_message(GROUP.id, "40", after=shown, timeout=60)
    assert [note(telegram, first), note(telegram, second)] == ["", "这个文件已经处理过了。"]
    telegram.quiet()
    assert telegram.messages[GROUP.id, shown.message_id].buttons == []
    assert "1,919 人" in ask(telegram, VERA, SIZE, "加购未付款").text

    sent = telegram.document(private(OLGA), OLGA, "补单.xlsx", workbook(header, rows[30:]))
    shown = telegram.wait_message(OLGA.id, "订单", after=sent, timeout=30)
    tap(telegram, OLGA, shown, "导入到「订单」", "重复")
    assert "1,889 人" in ask(telegram, VERA, SIZE, "加购未付款").text
    assert "1,889 人" in ask(telegram, VERA, PLAN, "618").text
    imports = done(state, "import")
    assert [(d["by"], d["file"], d["accepted"], d["duplicates"]) for d in imports] == [
        (OLGA.id, "补单.xlsx", 40, 10),
        (OLGA.id, "订单.csv", 40, 0),
    ]


def sheet(header: list[str], rows: list[list[str]]) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerows([header, *rows])
    return out.getvalue().encode("gb18030")


def workbook(header: list[str], rows: list[list[str]]) -> bytes:
    book = openpyxl.Workbook()
    assert book.active is not None
    for row in [header, *rows]:
        book.active.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()
