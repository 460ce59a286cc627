"""Understanding: questions in the words of ops people with what they ask for (tests/evals/questions.yaml), dates by hand."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.answer import Interpretation
from bot.understanding import interpret
from bot.understanding.dates import find_period
from bot.understanding.drafting import DraftWish
from bot.understanding.interpret import language
from bot.understanding.lexicon import Lexicon, fold, lexicon_for
from bot.understanding.stretches import number
from bot.wiring import WarRoom
from knowledge import catalog
from tests.evals.questions import misses, rows
from tools.campaigns import Campaign, date_campaign

NOW = datetime(2026, 6, 17, 10)
CAMPAIGNS: tuple[Campaign, ...] = tuple(
    sorted(
        (
            date_campaign(catalog.campaign_templates()[key], year, "test")
            for key, year in (("618", 2025), ("double11", 2025), ("618", 2026), ("double11", 2026))
        ),
        key=lambda c: c.first,
    )
)
VALUES = {
    "member_level": ["普通会员", "高级会员", "VIP会员", "至尊VIP"],
    "city": ["上海", "杭州", "北京"],
    "item": ["云雾保湿面霜", "燕麦屏障面霜", "山茶花修护精华", "Cloud Cream"],
    "category": ["洁面", "c01"],
}


@pytest.fixture(scope="module")
def lexicon() -> Lexicon:
    return lexicon_for(CAMPAIGNS, VALUES)


def understand(lexicon: Lexicon, text: str, previous: Interpretation | None = None, now: datetime = NOW) -> Any:
    return interpret(text, previous, lexicon=lexicon, now=now, campaigns=CAMPAIGNS, lang=language(text))


def test_questions_are_understood(demo: WarRoom) -> None:
    """The visible questions of tests/evals, by the words alone; `make eval` asks them end to end, and those held out."""
    sessions: dict[str, tuple[Interpretation, DraftWish | None]] = {}
    intents = right = counted = 0
    wrong = []
    for row in rows("questions"):
        previous, drafted = sessions.get(row.session or "", (None, None))
        found = interpret(
            row.question,
            previous,
            lexicon=demo.lexicon,
            now=row.as_of or NOW,
            campaigns=demo.shop.campaigns,
            lang=language(row.question),
            drafted=drafted,
        )
        if row.session:
            sessions[row.session] = (found.interpretation, found.draft)
        if row.skip or not (row.intent or row.clarify):
            continue
        bad = misses(row, found.interpretation, asked_back=found.clarify is not None)
        counted += 1
        intents += not any(m.startswith(("intent", "clarify")) for m in bad)
        right += not bad
        wrong += [f"{row.id} {row.question}: {m}" for m in bad]
    assert counted >= 870
    assert intents / counted >= 0.97, wrong
    assert right / counted >= 0.92, wrong


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("昨天", "2026-06-16", "2026-06-16"),
        ("昨儿卖了多少", "2026-06-16", "2026-06-16"),
        ("the day before yesterday", "2026-06-15", "2026-06-15"),
        ("6月1号到6月3号", "2026-06-01", "2026-06-03"),
        ("6月1-3号", "2026-06-01", "2026-06-03"),
        ("June 1-3", "2026-06-01", "2026-06-03"),
        ("6.16到今天", "2026-06-16", "2026-06-17"),
        ("2026-06-01 至 2026-06-05", "2026-06-01", "2026-06-05"),
        ("六月十六号", "2026-06-16", "2026-06-16"),
        ("on the 15th", "2026-06-15", "2026-06-15"),
        ("近7天", "2026-06-11", "2026-06-17"),
        ("最近三天", "2026-06-15", "2026-06-17"),
        ("last 7 days", "2026-06-11", "2026-06-17"),
        ("上周", "2026-06-08", "2026-06-14"),
        ("上上周", "2026-06-01", "2026-06-07"),
        ("上周末", "2026-06-13", "2026-06-14"),
        ("上周三", "2026-06-10", "2026-06-10"),
        ("last Friday", "2026-06-12", "2026-06-12"),
        ("5月整月", "2026-05-01", "2026-05-31"),
        ("六月上旬", "2026-06-01", "2026-06-10"),
        ("in May", "2026-05-01", "2026-05-31"),
        ("前天和昨天", "2026-06-15", "2026-06-16"),
        ("第一波", "2026-05-24", "2026-06-03"),
        ("这一波", "2026-06-04", "2026-06-17"),
        ("预售期", "2026-05-24", "2026-05-28"),
        ("第二波预热", "2026-06-04", "2026-06-15"),
        ("开门红", "2026-06-01", "2026-06-03"),
        ("去年第一波", "2025-05-24", "2025-06-03"),
        ("活动以来", "2026-05-01", "2026-06-17"),
        ("明天", "2026-06-18", "2026-06-18"),
        ("从6月10号开始", "2026-06-10", "2026-06-17"),
    ],
)
def test_periods_by_hand(text: str, first: str, last: str) -> None:
    found = find_period(fold(text), NOW, CAMPAIGNS)
    assert found is not None
    assert (found.first.isoformat(), found.last.isoformat()) == (first, last)


@pytest.mark.parametrize("text", ["6月31号", "2.30", "你好", "会员", "第三波", "may we", "18.5%"])
def test_what_is_no_period_is_left_alone(text: str) -> None:
    assert find_period(fold(text), NOW, CAMPAIGNS) is None


@given(st.dates(date(2025, 12, 20), date(2026, 6, 17)))
def test_a_day_is_read_in_every_way_of_writing_it(day: date) -> None:
    for text in (
        day.isoformat(), f"{day:%Y/%m/%d}", f"{day.year}年{day.month}月{day.day}日", f"{day.month}月{day.day}号",
        f"{day:%b} {day.day}", f"{day.month}.{day.day}", f"{day.month}/{day.day}",
    ):  # fmt: skip
        found = find_period(fold(text), NOW, CAMPAIGNS)
        assert found is not None, text
        assert (found.first, found.last) == (day, day), text


@given(st.integers(1, 31))
def test_chinese_numerals_up_to_a_month(n: int) -> None:
    digits = "零一二三四五六七八九"
    tens, ones = divmod(n, 10)
    text = digits[n] if n < 10 else ("" if tens == 1 else digits[tens]) + "十" + (digits[ones] if ones else "")
    assert number(text) == number(str(n)) == n


@settings(max_examples=300, deadline=None)
@given(text=st.text(max_size=80))
def test_any_text_is_understood_as_something(lexicon: Lexicon, text: str) -> None:
    found = understand(lexicon, text)
    assert found.interpretation.intent
    for span in lexicon.find(fold(text)):
        assert fold(text)[span.start : span.end] == span.text


def test_every_crowd_and_metric_is_found_by_each_of_its_names(lexicon: Lexicon) -> None:
    ambiguous = set(catalog.ambiguous_metrics())
    for slot, entries in (("crowd", catalog.crowds()), ("metric", catalog.metrics())):
        for key, entry in entries.items():
            for name in (entry.name.zh, entry.name.en, *entry.aliases):
                if name.lower() in ambiguous:
                    continue
                found = [m.value(slot) for m in lexicon.find(fold(name))]  # type: ignore[arg-type]
                assert key in found, (key, name, found)


def test_a_word_not_used_is_reported(lexicon: Lexicon) -> None:
    found = understand(lexicon, "昨天面膜的成交金额").interpretation
    assert found.unused == ["面膜"]
    assert understand(lexicon, "昨天的成交金额").interpretation.unused == []


def test_crowds_together_and_apart(lexicon: Lexicon) -> None:
    def crowds(text: str) -> list[str]:
        return list(understand(lexicon, text).interpretation.crowds)

    assert crowds("会员和新客昨天的进店率") == ["member", "new"]
    assert crowds("老客里的粉丝有多少人") == ["old and fan"]
    assert crowds("加购没付款又有券没用的有多少人") == ["cart_unpaid and coupon_unredeemed"]
    assert crowds("权益未核销的会员有多少人") == ["coupon_unredeemed"], "a part of members already"


def test_levels_and_cities_of_the_shop_filter(lexicon: Lexicon) -> None:
    found = understand(lexicon, "上海VIP会员昨天的成交金额").interpretation
    assert found.filters == ['city:"上海"', 'member_level:"VIP会员"']
    assert found.unused == []


@pytest.mark.parametrize(
    "text",
    ["把会员手机号发给我", "give me the phone numbers of members", "竞品昨天卖了多少", "SELECT * FROM customers"],
)
def test_what_is_not_given_is_refused_whatever_else_is_named(lexicon: Lexicon, text: str) -> None:
    assert understand(lexicon, text).interpretation.intent == "unsupported"


def test_a_question_with_subject_and_time_does_not_lean_on_the_one_before(lexicon: Lexicon) -> None:
    before = understand(lexicon, "上海会员昨天的成交金额").interpretation
    after = understand(lexicon, "今天成交金额和去年618比", before).interpretation
    assert (after.crowds, after.filters) == (["all"], [])
    assert understand(lexicon, "那粉丝呢", before).interpretation.crowds == ["fan"]


@pytest.mark.parametrize(
    ("text", "crowds"),
    [
        ("非会员昨天的成交金额", ["not member"]),
        ("不是会员的加购未付款有多少人", ["not member and cart_unpaid"]),
        ("gmv of customers who are not members yesterday", ["not member"]),
        ("How many people paid a deposit but not the balance?", ["balance_due"]),
    ],
)
def test_who_is_not_meant_is_left_out(lexicon: Lexicon, text: str, crowds: list[str]) -> None:
    found = understand(lexicon, text)
    assert found.clarify is None
    assert sorted(found.interpretation.crowds[0].split(" and ")) == sorted(crowds[0].split(" and "))


def test_a_city_left_out_is_a_filter_turned_round(lexicon: Lexicon) -> None:
    found = understand(lexicon, "除了上海以外昨天的成交金额").interpretation
    assert found.filters == ['not city:"上海"']
    assert found.unused == []
