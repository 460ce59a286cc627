"""What can be meant in several ways: a word with different numbers behind it is asked back, a kind of question that was read
with doubt is said beside the answer."""

from __future__ import annotations

import re
from collections.abc import Sequence

import prompts
from bot.answer import Clarify, Intent, Interpretation
from bot.understanding.goods import Doubt
from bot.understanding.people import is_panel
from bot.understanding.slots import Slots
from knowledge import catalog
from tools import audience

_NO_ANSWER = ("unsupported", "help", "smalltalk")
_ABOUT_PEOPLE = ("plan", "crowd", "metric", "draft", "knowledge")
_CJK = re.compile(r"[\u4e00-\u9fff]")


def asked_back(slots: Slots, doubt: Doubt | None, metrics: Sequence[str], lang: str) -> Clarify | None:
    """A word that names several metrics, crowds or items is asked back, unless a clear name stands beside it."""
    if doubt is not None:
        question = prompts.text("answer.clarify_item", lang, word=doubt.word)
        return Clarify(question=question, options=list(doubt.titles))
    if slots.has("ambiguous_metric") and not metrics:
        match = slots.match("ambiguous_metric")
        keys = (match.value("ambiguous_metric") or "").split(",")
        options = [
            prompts.text(
                "answer.clarify_option",
                lang,
                name=_plain_name(key, lang),
                meaning=catalog.metrics()[key].meaning.model_dump()[lang],
            )
            for key in keys
        ]
        return Clarify(question=prompts.text("answer.clarify_metric", lang, word=match.text), options=options)
    if slots.has("ambiguous_crowd") and all(
        map(is_panel, slots.crowds)
    ):  # 没付款的会员: which un-paid people is still open
        match = slots.match("ambiguous_crowd")
        keys = (match.value("ambiguous_crowd") or "").split(",")
        options = [catalog.crowds()[key].name.get(lang) for key in keys]
        return Clarify(question=prompts.text("answer.clarify_crowd", lang, word=match.text), options=options)
    if slots.has("ambiguous_filter") and not any("member_level:" in f for f in slots.filters):
        match = slots.match("ambiguous_filter")
        options = (match.value("ambiguous_filter") or "").split(",")
        return Clarify(question=prompts.text("answer.clarify_level", lang, word=match.text), options=options)
    return None


def unsure(out: Interpretation, other: Intent, lang: str) -> Interpretation:
    """Said beside the answer where another kind of question is about as likely: how it was read, and how to ask the other."""
    if out.intent in _NO_ANSWER or other in _NO_ANSWER:
        return out
    meant, instead = (prompts.text(f"intent.{i}", lang) for i in (out.intent, other))
    example = _example(other, out.crowds, lang)
    said = prompts.text("asked.unsure", lang, meant=meant, other=instead, example=example)
    return out.model_copy(update={"assumed": [*out.assumed, said]})


def _example(intent: Intent, crowds: Sequence[str], lang: str) -> str:
    """A question of that kind, about the people that were named."""
    about = audience.label(audience.parse(crowds[0]), lang) if len(crowds) == 1 and crowds != ["all"] else None
    kind = f"{intent}_of" if about and intent in _ABOUT_PEOPLE else intent
    return prompts.text(f"example.{kind}", lang, about=about or "")


def _plain_name(key: str, lang: str) -> str:
    """A name that is not itself the ambiguous word: its first alias where the name is."""
    metric = catalog.metrics()[key]
    name = metric.name.get(lang)
    if name.lower() not in catalog.ambiguous_metrics():
        return name
    same_language = [a for a in metric.aliases if bool(_CJK.search(a)) == (lang == "zh")]
    return same_language[0] if same_language else name
