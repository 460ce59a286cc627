"""Whole answers of a shop on PostgreSQL: the same as from its data file, and every fact's query runs as it stands."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bot.cli import main
from bot.conversation import Question, answer
from bot.wiring import WarRoom
from tools.backends.url import PostgresURL

QUESTIONS = [
    "今天先做什么?加购未付款的有多少人,按什么顺序触达?",
    "昨天的加购人数、支付买家数和转化率,和前天比怎么样?",
    "加购未付款且会员的人按城市看成交金额",
    "给加购未付款的会员写一条短信",
    "给加购未付款的人写一条群消息,带上 😀",
    "现在是什么阶段,离结束还有多久?",
    "cart_unpaid people and the money at stake",
    "member 和 fan 各有多少人?",
]


def _raw(room: WarRoom, sql: str) -> list[tuple[Any, ...]]:
    import psycopg

    from tools.backends.warehouse import value

    assert isinstance(room.shop.warehouse, PostgresURL)
    with psycopg.connect(room.shop.warehouse.dsn) as connection:
        return [tuple(map(value, row)) for row in connection.execute(sql.encode()).fetchall()]


@pytest.mark.parametrize("text", QUESTIONS)
def test_the_answer_is_the_same(demo: WarRoom, elsewhere: WarRoom, text: str) -> None:
    here, there = (answer(room, Question(text)) for room in (demo, elsewhere))
    assert there.text == here.text
    assert there.degraded is here.degraded is None
    assert there.facts
    for ours, theirs in zip(here.facts, there.facts, strict=True):
        assert (theirs.label, theirs.display) == (ours.label, ours.display)
        if isinstance(theirs.value, (int, float)):
            assert _raw(elsewhere, theirs.query) == [(pytest.approx(theirs.value),)]


def test_the_briefing_is_the_same(demo: WarRoom, elsewhere: WarRoom) -> None:
    from tools.briefing import brief

    here, there = (brief(room.context(None, "zh")) for room in (demo, elsewhere))
    assert [(f.label, f.display) for f in there.facts] == [(f.label, f.display) for f in here.facts]
    for fact in there.facts:
        if isinstance(fact.value, (int, float)):
            assert _raw(elsewhere, fact.query) == [(pytest.approx(fact.value),)]


@pytest.mark.parametrize("command", [
    ["metrics", "-m", "visitors", "aov", "rv_value", "-c", "all", "member", "--from", "2026-06-16", "--by", "city"],
    ["metrics", "-m", "buyers", "--compare", "previous_day", "--explain"],
    ["crowd", "cart_unpaid and city:上海"],
])  # fmt: skip
def test_what_a_command_prints_runs_as_it_stands(
    elsewhere: WarRoom, command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--shop", str(elsewhere.shop.root), *command, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    rows = document.get("rows") or [{"value": document["size"], "query": document["query"]}]
    assert len(rows) > 0
    for row in rows[:40]:
        assert _raw(elsewhere, row["query"]) == [(pytest.approx(row["value"]),)]


def test_status_is_told_by_the_engine(elsewhere: WarRoom, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--shop", str(elsewhere.shop.root), "status", "--json"]) == 0
    tables = {t["table"]: t for t in json.loads(capsys.readouterr().out)["tables"]}
    assert tables["events"]["rows"] == _raw(elsewhere, "SELECT count(*) FROM events")[0][0] > 1000
