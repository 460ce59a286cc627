"""A day of each phase of the demo shop, and a briefing as it is asked for and read in tests."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from bot import writer
from bot.answer import Answer, Interpretation
from tools.campaigns import Campaign
from tools.context import Context
from tools.engine import Engine
from tools.facts import Fact, FactSheet, ToolResult
from tools.shop import Shop, Thresholds

NINE = timedelta(hours=9)
PHASES = {
    "pool, first day": date(2026, 5, 1),
    "pool, second day": date(2026, 5, 2),
    "pool": date(2026, 5, 10),
    "presale": date(2026, 5, 26),
    "preheat1": date(2026, 5, 30),
    "sale1, first day": date(2026, 6, 1),
    "sale1": date(2026, 6, 2),
    "sale1, last day": date(2026, 6, 3),
    "preheat2": date(2026, 6, 11),
    "sale2, first day": date(2026, 6, 16),
    "sale2": date(2026, 6, 17),
    "sale2, data ends in yesterday": date(2026, 6, 18),
    "sale2, data ends before": date(2026, 6, 20),
    "review without data": date(2026, 6, 25),
    "outside without data": date(2026, 7, 15),
    "outside": date(2025, 8, 20),
    "prepare": date(2025, 9, 10),
    "presale of 11.11": date(2025, 10, 26),
    "peak day": date(2025, 11, 11),
    "review, first day": date(2025, 11, 12),
    "review": date(2025, 11, 20),
    "before any campaign": date(2025, 4, 3),
    "data begins": date(2025, 4, 2),
    "before the data": date(2025, 4, 1),
}


def morning(day: date) -> datetime:
    return datetime(day.year, day.month, day.day) + NINE


def answered(result: ToolResult, lang: str) -> Answer:
    what = Interpretation(intent="brief")
    text = writer.write(result.model_dump(), what, lang)
    return Answer(
        text=text,
        lang="en" if lang == "en" else "zh",
        interpretation=what,
        facts=result.facts,
        citations=result.citations,
        actions=result.actions,
    )


def text_of(result: ToolResult, lang: str = "zh") -> str:
    return answered(result, lang).text


def context(
    engine: Engine, campaigns: tuple[Campaign, ...], at: datetime, lang: str = "zh", root: Path = Path("shop")
) -> Context:
    """The surroundings of a question to a hand-made shop."""
    shop = Shop(root, "小店", "小店", ZoneInfo("Asia/Shanghai"), "CNY", None, campaigns, Thresholds())

    def no_search() -> Any:
        raise AssertionError("a briefing searches nothing")

    return Context(shop, at, lang, lambda: engine, no_search, FactSheet(at, lang, "CNY"))


def cell(result: ToolResult, crowd: str, metric: str, tag: str) -> Fact:
    """The fact in the table, by its place in the row."""
    facts = {f.id: f for f in result.facts}
    row = next(r for r in result.data["rows"] if r["crowd"] == crowd)
    return next(f for f in (facts[i] for i in row[tag]) if f.metric == metric)
