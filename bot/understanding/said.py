"""What was understood, in one line: shown while an answer is being worked on, and with its sources."""

from __future__ import annotations

from datetime import date

import prompts
from bot.answer import Interpretation
from bot.understanding.dates import days_asked
from knowledge import catalog
from tools import audience, wording


def summary(what: Interpretation, lang: str) -> str:
    """会员 · 进店-加购比率 · 6 月 17 日 · 和前一天比; the intent's name where nothing more was named."""
    parts = [audience.label(audience.parse(c), lang) for c in what.crowds]
    parts += [catalog.metrics()[m].name.get(lang) for m in what.metrics]
    parts += [audience.label(audience.parse(f), lang) for f in what.filters]
    if what.channel:
        parts.append(wording.channel(what.channel, lang))
    if not parts:
        parts.append(prompts.text(f"intent.{what.intent}", lang))
    if what.period:
        first, last = days_asked(what.period)
        parts.append(wording.day(first, lang) if first == last else wording.span(first, last, lang))
    if what.compare:
        kind, _, named = what.compare.partition(":")
        start = wording.day(date.fromisoformat(named), lang) if kind == "from" else ""
        parts.append(prompts.text("said.against", lang, other=prompts.text(f"compare.{kind}", lang, day=start)))
    if what.by:
        parts.append(prompts.text("said.by", lang, by=prompts.text(f"by.{what.by}", lang)))
    return " · ".join(parts)
