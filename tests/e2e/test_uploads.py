"""Files in chats: documents that are cited afterwards, and all that cannot be taken, said clearly."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.state import State
from tests.e2e.bots import BotProcess
from tests.e2e.server import Chat, Posted, Sent, TelegramServer, private
from tests.e2e.shops import GROUP, OLGA, VERA, ask, bind, note, tap

HOME = private(OLGA)
RULES = """# 花漾赠品规则

## 面膜赠品怎么发
满三百元送面膜两片，赠品随单发出，每人限领一份，退货时赠品要一起退回。

## 直播间加赠
直播间下单另送化妆棉，数量送完即止。
"""


@pytest.fixture(scope="module")
def telegram(shop: Path) -> Iterator[TelegramServer]:
    with TelegramServer() as server, BotProcess(server, [shop], shop.parent / "bot.log") as bot:
        bind(server, GROUP, "huayang")
        yield server
        assert "Traceback" not in bot.said


def answer_to(telegram: TelegramServer, sent: Posted, containing: str | None = None) -> Sent:
    return telegram.wait_message(sent.chat_id, containing, after=sent, timeout=60)


def waiting(shop: Path) -> list[str]:
    """Files that lie in the workspace until somebody says yes."""
    return sorted(p.name for p in (shop / "uploads").rglob("*") if p.is_file()) if (shop / "uploads").exists() else []


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("海报.png", b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "读不了"),
        ("方案.pdf", b"%PDF-1.7 ...", "重新下载"),
        ("方案.docx", b"PK\x03\x04...", "重新下载"),
        ("说明.md", b"\x00\x01\x02\xff\xfe" * 50, "说明.md"),
        ("空.csv", b"", "空"),
        ("坏.xlsx", b"PK\x03\x04 not a workbook", "坏.xlsx"),
        ("别的表.csv", "甲,乙,丙\n1,2,3\n".encode(), "看不出是什么表"),
        ("订单.csv", "订单编号,买家ID,实付金额\nA1,u1,9\n".encode(), "缺必需的列 kind"),
    ],
)
def test_what_cannot_be_taken_is_said(telegram: TelegramServer, shop: Path, name: str, data: bytes, said: str) -> None:
    answer = answer_to(telegram, telegram.document(HOME, OLGA, name, data), said)
    assert not [label for row in answer.buttons for label, _ in row if "导入" in label or "手册" in label]
    assert "出错" not in answer.text


def test_a_file_larger_than_telegram_gives_is_said(telegram: TelegramServer, shop: Path) -> None:
    before = waiting(shop)
    answer = answer_to(telegram, telegram.document(HOME, OLGA, "全年行为.csv", b"x" * (25 << 20)))
    assert "全年行为.csv" in answer.text
    assert "warroom import" in answer.text
    telegram.fail("getFile", kind="400", description="Bad Request: file is too big")
    assert "warroom import" in answer_to(telegram, telegram.document(HOME, OLGA, "大.csv", b"a,b\n")).text
    telegram.fail("download", kind="404")
    assert "再发一次" in answer_to(telegram, telegram.document(HOME, OLGA, "没了.csv", b"a,b\n")).text
    assert waiting(shop) == before
    assert ask(telegram, OLGA, "加购未付款有多少人", "1,959", HOME)


@pytest.mark.parametrize(
    "name", ["../../etc/passwd.md", "..", "a/b\\c:d.md", "<b>规则</b>.md", "**规则**.md", "长" * 200 + ".md"]
)
def test_whatever_a_file_is_called_it_stays_where_it_belongs(telegram: TelegramServer, shop: Path, name: str) -> None:
    outside = {p for p in shop.parent.rglob("*.md") if "huayang" not in p.parts}
    shown = answer_to(telegram, telegram.document(HOME, OLGA, name, RULES.encode()))
    assert shown.parse_mode == "HTML"
    assert shown.entities == []
    if shown.buttons:
        answer = tap(telegram, OLGA, shown, "不要了", "不要了")
        assert answer.entities == []
    assert {p for p in shop.parent.rglob("*.md") if "huayang" not in p.parts} == outside


def test_a_document_is_cited_once_it_is_taken_in(telegram: TelegramServer, state: State, shop: Path) -> None:
    question = "面膜赠品怎么发"
    assert "两片" not in ask(telegram, VERA, question, "").text
    sent = telegram.document(GROUP, OLGA, "赠品规则.md", RULES.encode("gb18030"), "@warroom_bot 新的规则")
    shown = answer_to(telegram, sent, "文档")
    assert "两片" not in ask(telegram, VERA, question, "").text  # not before somebody says yes
    assert "需要「运营」权限" in note(telegram, telegram.press(VERA, shown, "加进手册"))
    yes = shown.button("加进手册")
    tap(telegram, OLGA, shown, "加进手册", "加进手册了")
    assert "处理过了" in note(telegram, telegram.callback(OLGA, shown, yes))
    answer = ask(telegram, VERA, question, "两片")
    assert "赠品规则" in answer.text
    assert "[1]" in answer.text
    sources = tap(telegram, VERA, answer, "依据", "手册原文").text
    assert "满三百元送面膜两片" in sources
    learned = [r for r in state.audit_rows("huayang") if r.action == "learn"]
    assert [(r.actor, r.detail) for r in learned] == [(OLGA.id, {"file": "赠品规则.md"})]
    assert "赠品规则.md" not in waiting(shop)


def test_what_is_not_wanted_is_thrown_away(telegram: TelegramServer, shop: Path) -> None:
    sent = telegram.document(HOME, OLGA, "不要.md", RULES.encode())
    shown = answer_to(telegram, sent, "文档")
    assert "不要.md" in waiting(shop)
    yes = shown.button("加进手册")
    tap(telegram, OLGA, shown, "不要了", "不要了")
    telegram.wait(lambda: "不要.md" not in waiting(shop))
    assert "处理过了" in note(telegram, telegram.callback(OLGA, shown, yes))


def test_refused_rows_go_to_the_operator_alone_and_the_topic_is_kept(telegram: TelegramServer) -> None:
    forum = Chat(-1004, "supergroup", "话题", is_forum=True)
    bind(telegram, forum, "huayang")
    rows = [["c-1", "u000007", "现货", "2026-06-17 09:00:00", "9.9"], ["c-2", "u000007", "现货", "昨天", "9.9"]]
    out = io.StringIO()
    csv.writer(out).writerows([["订单编号", "买家ID", "类型", "下单时间", "实付金额"], *rows])
    sent = telegram.document(forum, OLGA, "订单.csv", out.getvalue().encode(), "@warroom_bot", thread=5)
    shown = answer_to(telegram, sent, "订单")
    assert shown.thread_id == 5
    offered = {data for row in shown.buttons for _, data in row}
    for table in ("service", "warroom_grants", "orders; DROP TABLE orders"):  # tables that were not offered
        forged = shown.button("导入到「订单」").rsplit(":", 1)[0] + f":{table}"
        assert forged not in offered
        assert "失效" in note(telegram, telegram.callback(OLGA, shown, forged)), table
    done = tap(telegram, OLGA, shown, "导入到「订单」", "1")
    assert done.thread_id == 5
    refused = telegram.wait(lambda: next((m for m in telegram.in_chat(OLGA.id) if "没收下" in m.text), None), 30)
    assert refused.document is not None
    assert "昨天" in refused.document.decode("utf-8-sig")
    assert not [m for m in telegram.in_chat(forum.id) if m.kind == "document"]


def test_an_edited_caption_is_no_second_file(telegram: TelegramServer) -> None:
    sent = telegram.document(HOME, OLGA, "规则.md", RULES.encode(), "看看")
    answer_to(telegram, sent, "文档")
    known = {"document": {"file_id": "upload-1", "file_unique_id": "u", "file_name": "规则.md", "file_size": 10}}
    edited = {
        "edited_message": {
            "message_id": sent.message_id, "date": 1, "edit_date": 2, "chat": HOME.json(), "from": OLGA.json(), **known,
        }
    }  # fmt: skip
    telegram.raw(edited)
    telegram.quiet(0.6)
    assert len([m for m in telegram.in_chat(OLGA.id) if m.message_id > sent.message_id]) == 1
