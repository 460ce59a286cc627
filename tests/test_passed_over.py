"""What a question says of people and no number takes into account is told (bot/understanding/passed_over.py)."""

from __future__ import annotations

import pytest

from bot.understanding.lexicon import Lexicon, lexicon_for
from tests.test_understanding import CAMPAIGNS, VALUES, understand

TOLD = [
    ("加购了防晒没付款的有多少人", ["防晒"]),
    ("draft an sms for people who left sunscreen in their cart", ["sunscreen"]),
    ("people who carted lipstick but did not pay", ["lipstick"]),
    ("加购金额500以上没付款的会员", ["金额500以上"]),
    ("近3天加购未付款的人有多少", ["近3天"]),
    ("最近7天加购过但没付款的", ["最近7天"]),
    ("昨天入会的人里几个下单了", ["入会"]),
    ("付定金的人里有多少老客", ["付定金"]),
    ("卖得最差的商品", ["最差"]),
    ("which items are the worst sellers", ["worst"]),
]
ALL_USED = [
    "加购没付款的有多少", "加购了但一直没付款的人", "加购后到现在还没下单的会员", "people who carted something but never paid",
    "people who left things in their cart", "昨天加购没付款的有多少人", "卖得最好的商品", "加购的人里有多少付款了",
]  # fmt: skip


@pytest.fixture(scope="module")
def lexicon() -> Lexicon:
    return lexicon_for(CAMPAIGNS, VALUES)


@pytest.mark.parametrize(("text", "unused"), TOLD)
def test_what_is_said_of_people_and_not_counted_is_told(lexicon: Lexicon, text: str, unused: list[str]) -> None:
    assert understand(lexicon, text).interpretation.unused == unused


@pytest.mark.parametrize("text", ALL_USED)
def test_words_that_say_nothing_more_are_not_told(lexicon: Lexicon, text: str) -> None:
    assert understand(lexicon, text).interpretation.unused == []


def test_what_words_are_taken_for_is_told(lexicon: Lexicon) -> None:
    def assumed(text: str) -> str:
        return "".join(understand(lexicon, text).interpretation.assumed)

    assert "收藏或加购过" in assumed("收藏了没买的人有多少")
    assert "收藏或加购过" not in assumed("收藏加购没付款的有多少")
    assert "近 365 天" in assumed("今年消费超过1000元的会员有多少")
    assert "按定义" in assumed("领了券没用的非会员")


def test_the_second_number_is_of_the_people_of_the_first(lexicon: Lexicon) -> None:
    assert understand(lexicon, "昨天加购了多少人,后来付款的有几个").interpretation.metrics == ["carters", "cart_buyers"]
    assert understand(lexicon, "昨天加购多少人,付款多少人").interpretation.metrics == ["carters", "buyers"]


def test_a_word_inside_another_is_no_average(lexicon: Lexicon) -> None:
    assert "aov" not in understand(lexicon, "昨天首单客户多少").interpretation.metrics
    assert "aov" not in understand(lexicon, "no, i mean yesterday").interpretation.metrics
