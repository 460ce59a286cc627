"""Metrics in words of their own: what somebody did and what is counted of it, ratios in words, slips, what must stay alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bot.answer import Interpretation
from bot.understanding import reading
from bot.understanding.acts import acts, find_acts
from bot.understanding.interpret import language
from bot.understanding.lexicon import Lexicon, fold, lexicon_for
from bot.understanding.slips import mended
from knowledge import catalog
from tests.test_understanding import CAMPAIGNS, NOW, VALUES, understand

CASES: dict[str, Any] = catalog.read_yaml(Path(__file__).parent / "cases" / "metric_words.yaml")
SAID = [(text, keys.split()) for keys, texts in CASES["metrics"].items() for text in texts]


@pytest.fixture(scope="module")
def lexicon() -> Lexicon:
    return lexicon_for(CAMPAIGNS, VALUES)


def read(lexicon: Lexicon, text: str) -> tuple[list[str], bool, list[str]]:
    """(metrics but the size of a crowd, whether a word means several, words not used), whatever the intent."""
    found = reading.read(text, None, lexicon, NOW, CAMPAIGNS, language(text))
    assert found is not None
    named = [m for m in found.filled.metrics if m != "crowd_size"]
    return named, found.slots.has("ambiguous_metric") and not named, found.filled.unused


@pytest.mark.parametrize(("text", "keys"), SAID, ids=[text for text, _ in SAID])
def test_an_act_and_its_measure_are_a_metric(lexicon: Lexicon, text: str, keys: list[str]) -> None:
    metrics, several, _ = read(lexicon, text)
    assert sorted(metrics) == sorted(keys)
    assert not several


@pytest.mark.parametrize("text", CASES["several"])
def test_what_means_several_metrics_is_left_open(lexicon: Lexicon, text: str) -> None:
    assert read(lexicon, text)[1]


@pytest.mark.parametrize("text", CASES["none"])
def test_what_asks_for_no_metric(lexicon: Lexicon, text: str) -> None:
    metrics, several, _ = read(lexicon, text)
    assert (metrics, several) == ([], False)


@pytest.mark.parametrize(
    ("text", "unused"),
    [
        ("昨天不含退款卖了多少", "退款"),
        ("昨天买家里会员占几成", "占几成"),
        ("昨天拼团卖了多少", "拼团"),
        ("会员昨天有几成开票了", "几成"),
        ("昨天抖音卖了多少", "抖音"),
    ],
)
def test_a_qualifier_that_no_metric_takes_up_is_reported(lexicon: Lexicon, text: str, unused: str) -> None:
    assert any(unused in word for word in read(lexicon, text)[2])


@pytest.mark.parametrize(
    ("slip", "meant"),
    [
        ("昨天会圆客单价", "会员"),
        ("那访可数", "访客数"),
        ("城交额多少", "成交额"),
        ("未付尾宽的人", "尾款"),
        ("粉司进店率", "粉丝"),
    ],
)
def test_slips_that_sound_right_are_mended_in_place(lexicon: Lexicon, slip: str, meant: str) -> None:
    out = mended(fold(slip), lexicon)
    assert meant in out
    assert len(out) == len(slip)


@pytest.mark.parametrize(
    "text", ["架构怎么调整", "课程什么时候上", "云雾保湿面霜昨天卖了多少", "大家加油", "会议几点开"]
)
def test_ordinary_words_are_no_slips(lexicon: Lexicon, text: str) -> None:
    assert mended(fold(text), lexicon) == text


def test_the_conversation_says_which_of_several_is_meant(lexicon: Lexicon) -> None:
    before = understand(lexicon, "会员昨天的进店-支付比率").interpretation
    after = understand(lexicon, "那粉丝的转化率呢", before)
    assert after.clarify is None
    assert after.interpretation.metrics == ["visit_pay_rate"]
    other = Interpretation(intent="metric", crowds=["all"], metrics=["visitors"])
    assert understand(lexicon, "昨天粉丝的转化率", other).clarify is not None


def test_every_key_is_in_the_catalogue() -> None:
    file = acts()
    said = [key for table in (*file.counts.values(), *file.rates.values(), file.single_rates) for key in table.values()]
    said += [*file.nouns, *file.named, *(key for t in file.together for key in t.metrics)]
    assert {k for key in said for k in key.split(",")} <= set(catalog.metrics())
    known = {*file.acts, *file.message_acts}
    assert {*file.counts, *file.rates, *file.single_rates, *(act for act, _ in file.named.values())} <= known
    assert set(file.nouns) <= set(file.named)


def test_spans_stand_in_the_text() -> None:
    text = fold("昨天几个人掏钱了，how much did they spend")
    for said in find_acts(text, [], [(0, 2)], messages=False):
        assert 2 <= said.start < said.end <= len(text)
        assert text[said.start : said.end].strip()
