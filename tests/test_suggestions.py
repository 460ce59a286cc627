"""What the war room itself suggests to ask, and what its commands and buttons ask, is understood as what it stands for."""

from __future__ import annotations

import re

import pytest

import prompts
from bot.conversation import Question, answer
from bot.shortcuts import QUESTIONS, question_for
from bot.wiring import WarRoom

INTENT = {
    "today": "plan", "brief": "brief", "phase": "phase", "metrics": "metric", "crowd": "crowd", "draft": "draft", "ask": "help",
}  # fmt: skip
LANGUAGES = ("zh", "en")
_NO_READING = ("没看懂", "did not understand", "没有用上", "没用上", "not used")


def test_every_command_that_asks_is_here() -> None:
    assert set(INTENT) == set(QUESTIONS)


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("name", INTENT)
def test_a_command_without_a_word_behind_it_is_understood(demo: WarRoom, name: str, lang: str) -> None:
    found = answer(demo, Question(question_for(name, "", lang), lang=lang))
    assert (found.interpretation.intent, found.interpretation.unused) == (INTENT[name], [])


@pytest.mark.parametrize(
    ("about", "lang"), [("会员", "zh"), ("members", "en"), ("加购未付款", "zh"), ("new customers", "en")]
)
@pytest.mark.parametrize("name", ["today", "crowd", "draft"])
def test_a_command_about_people_is_about_them(demo: WarRoom, name: str, about: str, lang: str) -> None:
    said = answer(demo, Question(question_for(name, about, lang), lang=lang)).interpretation
    assert said.intent == INTENT[name]
    assert len(said.crowds) == 1
    assert said.crowds != ["all"]


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("name", INTENT)
def test_a_word_that_nobody_knows_is_named(demo: WarRoom, name: str, lang: str) -> None:
    found = answer(demo, Question(question_for(name, "qqq", lang), lang=lang))
    assert found.interpretation.intent in (INTENT[name], "unsupported")
    assert "qqq" in found.text or (name == "brief" and found.interpretation.unused == ["qqq"])


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("key", ["answer.help", "answer.hello"])
def test_what_is_offered_as_an_example_is_understood(demo: WarRoom, key: str, lang: str) -> None:
    examples = re.findall(r"^· (.+)$", prompts.text(key, lang), re.MULTILINE)
    assert examples
    for example in examples:
        found = answer(demo, Question(example, lang=lang))
        assert found.interpretation.intent not in ("unsupported", "help", "smalltalk"), example
        assert found.clarify is None, example
        assert not any(words in found.text for words in _NO_READING), example


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize(
    "first",
    ["加购未付款的人今天怎么做", "加购未付款有多少人", "会员的进店-加购比率和昨天比", "今天怎么样", "现在是什么阶段"],
)
def test_what_is_offered_to_ask_next_is_understood(demo: WarRoom, first: str, lang: str) -> None:
    """By whoever goes on in the same conversation."""
    session = f"next-{first}-{lang}"
    shown = answer(demo, Question(first, session=session, lang=lang)).text
    offered = [x for line in shown.split("\n") for x in _offers(line, lang)]
    for n, example in enumerate(offered):
        answer(demo, Question(first, session=f"{session}-{n}", lang=lang))
        found = answer(demo, Question(example, session=f"{session}-{n}", lang=lang))
        assert found.interpretation.intent != "unsupported", example
        assert not any(words in found.text for words in _NO_READING), example
    assert offered or "phase" in answer(demo, Question(first)).interpretation.intent


def _offers(line: str, lang: str) -> list[str]:
    start = prompts.text("plan.ask_next", lang)
    return line.removeprefix(start).split(" · ") if line.startswith(start) else []


@pytest.mark.parametrize("text", ["qqq", "asdfgh", "第二个", "the second one", "blah blah"])
def test_what_is_no_question_is_said_not_to_be_understood(demo: WarRoom, text: str) -> None:
    found = answer(demo, Question(text))
    assert found.interpretation.intent == "unsupported"
    assert "没看懂" in found.text or "did not understand" in found.text
