"""Days with a name of their own (端午, 520, national day), from knowledge/festivals.yaml."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta
from functools import cache
from typing import Any

from bot.understanding.stretches import CN, Frame, Stretch, nearest_year
from knowledge import catalog
from knowledge.catalog import HERE, Entry

# 五一那几天; 520 alone is a number, 520元 an amount.
_TAIL = r"(?:当天|那天|那几天|这几天|期间|假期|小长假)?"
_NUMERAL = r"(?![\d元块个人件万%.])"


class Festival(Entry):
    """A day of every year (`on`: MM-DD) or one given for each year; `days` are meant by it."""

    names: list[str]
    on: str | None = None
    years: dict[int, str] = {}
    days: int = 1


@cache
def festivals() -> tuple[Festival, ...]:
    raw: Any = catalog.read_yaml(HERE / "festivals.yaml")
    return tuple(catalog.validate(Festival, r, "festivals.yaml") for r in raw)


@cache
def _patterns() -> list[tuple[re.Pattern[str], Festival]]:
    return [(re.compile("|".join(_word(n) for n in sorted(f.names, key=len, reverse=True))), f) for f in festivals()]


def _word(name: str) -> str:
    if name.isdigit():
        return rf"(?<![\d.]){name}{_NUMERAL}{_TAIL}"
    if name.isascii():
        return rf"\b{re.escape(name)}\b"
    return f"{name}{_TAIL}" if name[-1] not in CN else f"{name}(?![{CN}个件折分成款号]){_TAIL}"


def named_days(text: str, f: Frame) -> Iterator[Stretch]:
    """The festivals named; of what follows the moon, none in a year that the table does not hold."""
    for pattern, festival in _patterns():
        for m in pattern.finditer(text):
            first = _first(festival, f.today)
            if first is not None:
                yield Stretch(first, first + timedelta(days=festival.days - 1), m.start(), m.end(), "day")


def _first(festival: Festival, today: date) -> date | None:
    if festival.on is not None:
        month, day = map(int, festival.on.split("-"))
        return nearest_year(month, day, today)
    year = today.year if today.year in festival.years else None
    if year is None:
        return None
    this = date.fromisoformat(f"{year}-{festival.years[year]}")
    before = festival.years.get(year - 1)
    far = this > today + timedelta(days=183) and before is not None
    return date.fromisoformat(f"{year - 1}-{before}") if far else this
