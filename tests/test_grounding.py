"""Grounding: numerals in every form are seen, and only traced ones pass."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bot import grounding
from bot.answer import Answer, Clarify, Interpretation
from tools.facts import Citation, Fact, display


def reply(text: str, displays: tuple[str, ...] = (), quote: str = "") -> Answer:
    facts = [
        Fact(id=f"f{i}", label="x", value=1, unit="count", display=d, query="SELECT 1", as_of="2026-06-17 10:00")
        for i, d in enumerate(displays)
    ]
    citations = [Citation(id=1, source="手册", section="一节", quote=quote)] if quote else []
    return Answer(text=text, lang="zh", interpretation=Interpretation(intent="plan"), facts=facts, citations=citations)


@pytest.mark.parametrize(
    "text",
    [
        "约 1,832 人",
        "1832人",
        "转化 18.3%",
        "0.183",
        "1.8万",
        "三成",
        "¥12.5万",
        "6/16",
        "百分之五",
        "十二人",
        "两百件",
        "二十天",
        "two dozen",
        "a dozen",
        "half of them",
        "twice as many",
        "fifteen people",
        "１８３２人",
        "三百",
        "[2]",
        "2026-06-18",
        "23:30",
    ],
)
def test_an_untraced_numeral_is_found(text: str) -> None:
    assert grounding.problems(reply(f"这里 {text} 好"), "没有数字的问题") != []


@pytest.mark.parametrize(
    "text",
    [
        "最后一天",
        "临门一脚",
        "一对一",
        "同一时刻",
        "唯一",
        "第一波预售",
        "618 作战室",
        "双11",
        "1. 先发短信",
        "2) then wait",
        "近 3 天有加购或收藏",
    ],
)
def test_structure_names_and_idiom_pass(text: str) -> None:
    body = {"近 3 天有加购或收藏": "加购收藏未付款里，近 3 天有加购或收藏、近 7 天有 2 天以上进店的人"}.get(text, text)
    assert grounding.problems(reply(body), "问题") == []


def test_a_name_lends_its_numerals_to_nobody_else() -> None:
    """ "近 3 天" stands in a crowd's definition; a 3 elsewhere is still untraced."""
    assert grounding.problems(reply("还剩 3 天"), "问题") != []


def test_the_question_a_fact_and_a_quote_lend_theirs() -> None:
    assert grounding.problems(reply("1,832 人", ("1,832 人",)), "q") == []
    assert grounding.problems(reply("你问的 46 人"), "那 46 人呢") == []
    assert grounding.problems(reply("流失率最高可达 40%。[1]", quote="流失率最高可达 40%。"), "q") == []
    assert grounding.problems(reply("涨了 40%", quote="流失率最高可达 40%。"), "q") != []


def test_options_asked_back_may_hold_numerals() -> None:
    answer = reply("哪个？\n· 618 第 2 波").model_copy(
        update={"clarify": Clarify(question="哪个？", options=["618 第 2 波"])}
    )
    assert grounding.problems(answer, "q") == []


@given(
    st.integers(0, 10**9), st.sampled_from(["people", "CNY", "count", "hours", "days"]), st.sampled_from(["zh", "en"])
)
def test_every_display_is_traced_by_itself_and_by_nothing_else(value: int, unit: str, lang: str) -> None:
    shown = display(value, unit, lang)  # type: ignore[arg-type]
    assume(shown != "618")  # bare, it is the campaign's name
    assert grounding.problems(reply(f"a {shown} b", (shown,)), "q") == []
    assert grounding.problems(reply(f"a {shown} b", (display(value + 1, unit, lang),)), "q") != []  # type: ignore[arg-type]


@given(st.floats(0, 10, allow_nan=False))
def test_ratios_read_as_percent(value: float) -> None:
    shown = display(value, "ratio", "zh")
    assert shown.endswith("%")
    assert abs(float(shown[:-1]) - value * 100) <= 0.05 + 1e-9
