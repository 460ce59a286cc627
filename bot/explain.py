"""Where a number comes from: what it means in words, as of when, and the statement that gives it (metrics --explain)."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from knowledge import catalog
from prompts import text
from tools import audience
from tools.campaigns import day_end
from tools.facts import display
from tools.periods import Window

if TYPE_CHECKING:
    from tools.compare import Compared
    from tools.metrics import Cell
    from tools.scope import Scope

_MOMENT = "%Y-%m-%d %H:%M"


def window_of(cell: Cell, by: str | None, over: Window) -> Window:
    """The window of one cell: broken down by day, each day is a window of its own."""
    if by != "day" or cell.by is None:
        return over
    day = date.fromisoformat(cell.by)
    return Window(day, day, min(over.until, day_end(day)))


def reading(cell: Cell, by: str | None, over: Window, scope: Scope, lang: str) -> dict[str, Any]:
    """What a number means, in words: `metric`, `crowd`, `window`, `campaign`, and `as_of`, the last moment that is seen."""
    metric = catalog.metrics()[cell.metric]
    mine = window_of(cell, by, over)
    return {
        "metric": f"{metric.name.get(lang)} = {metric.meaning.get(lang)}",
        "crowd": _crowd(cell.crowd, lang),
        "window": text("explain.window", lang, first=mine.first, last=mine.last, until=mine.until.strftime(_MOMENT)),
        "campaign": _campaign(scope, lang),
        "as_of": mine.until.strftime(_MOMENT),
    }


def lines(
    cell: Cell, other: Compared | None, by: str | None, over: Window, scope: Scope, lang: str, currency: str
) -> list[str]:
    """The explanation of one number for the terminal, as SQL that can be run as it stands: what is no statement is a comment."""
    metric = catalog.metrics()[cell.metric]
    name = audience.label(audience.parse(cell.crowd), lang)
    said = reading(cell, by, over, scope, lang)
    value = display(cell.value, metric.unit, lang, currency)
    head = text("explain.head", lang, crowd=name, metric=metric.name.get(lang), value=value)
    if by:
        head += text("explain.part", lang, by=text(f"by.{by}", lang), value=cell.by)
    told = [
        head,
        text("explain.metric", lang, reading=said["metric"]),
        text("explain.crowd", lang, reading=said["crowd"]),
        text("explain.when", lang, reading=said["window"]),
        text("explain.campaign", lang, reading=said["campaign"]),
    ]
    out = [*map(_comment, told), f"{cell.query};"]
    if other is not None:
        shown = display(other.value, metric.unit, lang, currency)
        out += [_comment(text("explain.compared", lang, value=shown)), f"{other.query};"]
    return [*out, ""]


def _comment(line: str) -> str:
    """One line, also where a value in it has a line break."""
    return f"-- {' '.join(line.split())}"


def _crowd(expression: str, lang: str) -> str:
    """The crowd's definition; of an expression its keys, and the definition of each crowd in it."""
    tree = audience.parse(expression)
    known = catalog.crowds()
    if isinstance(tree, str) and tree in known:
        return f"{known[tree].name.get(lang)} = {known[tree].meaning.get(lang)}"
    parts = [f"{known[k].name.get(lang)} = {known[k].meaning.get(lang)}" for k in audience.crowds_in(tree)]
    return text("join.semicolon", lang).join([f"{audience.label(tree, lang)} = {expression}", *parts])


def _campaign(scope: Scope, lang: str) -> str:
    if scope.campaign is None:
        return text("explain.no_campaign", lang)
    c = scope.campaign
    name = c.name.get(lang)
    return text("explain.of_campaign", lang, name=name, first=c.first, last=c.last, cohort=c.cohort_date)
