"""Units and segments of SMS against an independent count, and variables at their longest."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.copy_rules import copy_rules
from tools import sms
from tools.compliance import check

_POOLS = [
    (0x4E00, 0x9FA5), (0x20, 0x7E), (0xFF01, 0xFF5E), (0x1F300, 0x1FAFF), (0x20000, 0x2A6DF), (0x300, 0x36F), (0x200B, 0x200F),
    (0x1F1E6, 0x1F1FF), (0xFE00, 0xFE0F), (0x0, 0x1F),
]  # fmt: skip


def counted(text: str) -> int:
    """UTF-16 code units, by encoding."""
    return len(text.encode("utf-16-le")) // 2


def billed(units: int) -> int:
    """Messages by filling them one after the other."""
    if units == 0:
        return 0
    if units <= 70:
        return 1
    messages = 0
    while units > 0:
        units -= 67
        messages += 1
    return messages


def test_ten_thousand_random_texts_against_an_independent_count() -> None:
    rng = random.Random(618)
    lengths = set()
    for _ in range(10_000):
        text = "".join(chr(rng.randint(*rng.choice(_POOLS))) for _ in range(rng.randint(0, 230)))
        assert sms.units(text) == counted(text)
        assert sms.segments(sms.units(text)) == billed(counted(text))
        lengths.add(billed(counted(text)))
    assert lengths >= {0, 1, 2, 3, 4}


@pytest.mark.parametrize(
    ("units", "expected"), [(0, 0), (1, 1), (70, 1), (71, 2), (134, 2), (135, 3), (201, 3), (202, 4)]
)
def test_segments_at_the_edges(units: int, expected: int) -> None:
    assert sms.segments(units) == expected


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_has_the_units_of_its_encoding(text: str) -> None:
    assert sms.units(text) == counted(text)
    assert sms.units(text + "😀") == counted(text) + 2


@pytest.mark.parametrize("form", ["{昵称}", "${昵称}", "#昵称#", "{ 昵称 }"])
def test_a_variable_counts_at_its_longest_in_every_form(form: str) -> None:
    lengths = {"昵称": 25, "name": 25}
    assert sms.units(sms.longest(f"您好{form}!", lengths)) == 2 + 25 + 1
    assert sms.units(sms.longest("Hi {Name}", lengths)) == 3 + 25


def test_what_is_not_declared_counts_as_it_stands_and_is_warned_about() -> None:
    assert sms.longest("{foo}{昵称}", {"昵称": 3}) == "{foo}国国国"
    verdict = check("sms", "【花漾】{某个变量}，券今晚到期 拒收请回复R")
    assert [(f.rule, f.text, f.level) for f in verdict.findings] == [("unknown_variable", "{某个变量}", "warn")]
    assert verdict.units == counted(verdict.text)


@pytest.mark.parametrize("text", ["", "{}", "{1}", "$ {a", "#", "##", "# 618 #", "{a-b}", "100%"])
def test_what_only_looks_like_a_variable_is_none(text: str) -> None:
    assert sms.variables_in(text) == []
    assert sms.longest(text, {"a": 9, "1": 9, "618": 9}) == text


def test_the_verdict_counts_the_final_text() -> None:
    text = "【花漾】{昵称}您好，" + "字" * 40 + " 拒收请回复R"
    verdict = check("sms", text)
    written = counted(text) - counted("{昵称}")
    assert verdict.units == written + copy_rules().lengths["昵称"]
    assert verdict.segments == billed(verdict.units) == 2
    assert check("group", "字" * 200).segments == 1
    assert check("sms", "").segments == 0
