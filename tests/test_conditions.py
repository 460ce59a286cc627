"""Conditions on people in the words of questions: what is taken as a filter, and what is left alone because it is not sure."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.understanding.conditions import find_conditions
from bot.understanding.goods import Doubt
from bot.understanding.lexicon import Lexicon, fold, lexicon_for
from tests.test_understanding import CAMPAIGNS, NOW, VALUES, understand
from tools.filters import FILTERS, split


@pytest.fixture(scope="module")
def lexicon() -> Lexicon:
    return lexicon_for(CAMPAIGNS, VALUES)


def filters(lexicon: Lexicon, text: str) -> list[str]:
    return [c.filter for c in find_conditions(fold(text), lexicon, NOW, CAMPAIGNS, reply=False)[0]]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("消费满500的老客有多少人", ["min_amount:500"]),
        ("近一年消费满1.2万元的会员", ["min_amount:12000"]),
        ("花了500以上的老客", ["min_amount:500"]),
        ("消费不到99.5元的会员", ["max_amount:99.5"]),
        ("members who spent at least ¥1,000".replace(",", ""), ["min_amount:1000"]),
        ("members who spent 500 or more in the last year", ["min_amount:500"]),
        ("customers who spent less than 80 yuan", ["max_amount:80"]),
        ("30天内买过的会员", ["last_paid_within:30"]),
        ("两周内下过单的新客", ["last_paid_within:14"]),
        ("半年没买的老客", ["not last_paid_within:180"]),
        ("近三个月没下单的会员有多少", ["not last_paid_within:90"]),
        ("超过180天没再下单的老客", ["last_paid_before:180"]),
        ("上次购买在60天前的会员", ["last_paid_before:60"]),
        ("members who haven't bought in 90 days", ["not last_paid_within:90"]),
        ("customers who last paid over 120 days ago", ["last_paid_before:120"]),
        ("old customers who paid in the last 2 weeks", ["last_paid_within:14"]),
        ("近7天来过的粉丝", ["last_seen_within:7"]),
        ("一个月没来的会员", ["not last_seen_within:30"]),
        ("除了消费满500的会员", ["not min_amount:500"]),
        ("消费超过300元且近30天买过的老客", ["min_amount:300", "last_paid_within:30"]),
        ("买过云雾保湿面霜的会员", ["item:云雾保湿面霜"]),
        ("看过山茶花的会员", ["item:山茶花修护精华"]),
        ("对洁面感兴趣的粉丝", ["category:洁面"]),
        ("members who viewed the cloud cream", ['item:"Cloud Cream"']),
        ("本波看过云雾保湿面霜的会员", ["item:云雾保湿面霜"]),
    ],
)
def test_what_is_said_of_people_is_a_filter(lexicon: Lexicon, text: str, wanted: list[str]) -> None:
    assert filters(lexicon, text) == wanted


@pytest.mark.parametrize(
    "text",
    [
        "昨天消费满500的会员", "近30天消费满500的会员", "满300减50的券给会员", "消费满3件的会员", "成交金额超过500了吗",
        "近三天买过多少", "近7天买了多少钱", "6月没买的会员", "6日买过的会员", "近30天加购没付款的人", "买过东西的人",
        "近7天看过云雾保湿面霜的人", "昨天买了多少人", "how many people bought in the last 7 days", "0天内买过的会员",
        "9999年没买过的会员", "消费满500的商品有哪些", "",
    ],
)  # fmt: skip
def test_what_is_not_sure_stays_in_the_question(lexicon: Lexicon, text: str) -> None:
    assert filters(lexicon, text) == []


def test_an_amount_of_other_days_is_reported_as_not_used(lexicon: Lexicon) -> None:
    found = understand(lexicon, "昨天消费满500的会员有多少人").interpretation
    assert (found.crowds, found.filters, found.unused) == (["member"], [], ["消费满500"])


def test_what_being_in_touch_with_an_item_means_is_said(lexicon: Lexicon) -> None:
    found = understand(lexicon, "买过云雾保湿面霜的会员有多少人").interpretation
    assert found.filters == ["item:云雾保湿面霜"]
    assert found.assumed == ["「买过云雾保湿面霜」按本波看过、收藏、加购或买过的人算"]
    assert understand(lexicon, "接触过云雾保湿面霜的会员有多少人").interpretation.assumed == []


def test_a_word_of_several_titles_is_asked_back_and_the_title_completes_it(lexicon: Lexicon) -> None:
    doubt = find_conditions("看过面霜的会员有多少", lexicon, NOW, CAMPAIGNS, reply=False)[1]
    assert doubt == Doubt("面霜", ("云雾保湿面霜", "燕麦屏障面霜"), (0, 4))
    first = understand(lexicon, "看过面霜的会员有多少")
    assert first.clarify is not None
    assert first.clarify.options == ["云雾保湿面霜", "燕麦屏障面霜"]
    second = understand(lexicon, "燕麦屏障面霜", first.interpretation)
    assert second.clarify is None
    assert second.interpretation.intent == "crowd"
    assert (second.interpretation.crowds, second.interpretation.filters) == (["member"], ["item:燕麦屏障面霜"])
    alone = understand(lexicon, "燕麦屏障面霜").interpretation
    assert alone.filters == [], "a title alone says nothing when nothing was asked before"


@settings(max_examples=200, deadline=None)
@given(
    text=st.text(
        alphabet="近最过去满消费买付款没来的会员老客人天月年半个一两三0123456789.元万,，who spent in last days",
        max_size=40,
    )
)
def test_any_text_gives_filters_that_expressions_can_carry(lexicon: Lexicon, text: str) -> None:
    folded = fold(text)
    found, _ = find_conditions(folded, lexicon, NOW, CAMPAIGNS, reply=False)
    for c in found:
        assert 0 <= c.span[0] < c.span[1] <= len(folded)
        column, value = split(c.filter.removeprefix("not "))
        assert column in FILTERS
        assert value
    assert all(a.span[1] <= b.span[0] for a, b in pairwise(found))
