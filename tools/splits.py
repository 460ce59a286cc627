"""A metric by day, hour, item, … as rows that a person reads: which values, in which order, what they are called."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, get_args

import prompts
from knowledge import catalog
from knowledge.catalog import Channel
from tools import audience, metrics, wording
from tools import lines as lines_of
from tools.campaigns import day_end, day_start
from tools.compare import compare as compare_cells
from tools.context import Context
from tools.errors import AskAgain
from tools.measures import NO_VALUE
from tools.periods import Window, parse_day
from tools.sql import quote

MAX_ROWS = 12
_MOST = {"day": 31, "hour": 24}  # rows of the others: MAX_ROWS
IN_ORDER = ("day", "hour")  # time runs; the others stand with the largest first
_OF_MEMBERS = ("member_level", "lifecycle")


def fitting(keys: Sequence[str], by: str) -> list[str]:
    """The metrics of `keys` that can be split by `by`. AskAgain when `by` is unknown, or when none can, with what they can
    be split by."""
    if by not in metrics.BY:
        raise AskAgain("unknown_by", name=by, nearest=", ".join(metrics.BY))
    fits = [key for key in keys if metrics.splittable(key, by)]
    if not fits:
        possible = [b for b in metrics.BY if any(metrics.splittable(key, b) for key in keys)]
        raise AskAgain(
            "no_such_split_of",
            metric={lang: _names(keys, lang) for lang in prompts.LANGS},
            by={lang: prompts.text(f"by.{by}", lang) for lang in prompts.LANGS},
            fits={
                lang: prompts.text("join.list", lang).join(prompts.text(f"by.{b}", lang) for b in possible)
                for lang in prompts.LANGS
            },
        )
    return fits


def left_out(ctx: Context, keys: Sequence[str], fits: Sequence[str], by: str) -> list[str]:
    """Says which of the asked metrics are not in the rows."""
    rest = [key for key in keys if key not in fits]
    return [ctx.say("note.not_split", metrics=_names(rest, ctx.lang), by=ctx.say(f"by.{by}"))] if rest else []


def _names(keys: Iterable[str], lang: str) -> str:
    return prompts.text("join.list", lang).join(catalog.metrics()[k].name.get(lang) for k in keys)


def ordered(cells: Sequence[metrics.Cell], audiences: Sequence[str], by: str, key: str) -> list[metrics.Cell]:
    """Crowd by crowd in time, or with the largest of the metric `key` first."""
    if by in IN_ORDER:
        return list(cells) if by == "day" else sorted(cells, key=lambda c: (audiences.index(c.crowd), c.by or ""))
    size = {(c.crowd, c.by): c.value or 0 for c in reversed(cells) if c.metric == key}
    return sorted(cells, key=lambda c: (audiences.index(c.crowd), -size[c.crowd, c.by]))


def nothing(ctx: Context, keys: Sequence[str], audiences: Sequence[str], by: str, only: str | None, when: str) -> str:
    """What is said where no row is found."""
    crowds = ctx.say("join.list").join(lines_of.crowd_name(ctx, audience.parse(a)) for a in audiences)
    what = ctx.say("metric.of", crowd=crowds, metric=_names(keys, ctx.lang))
    if only is None:
        return ctx.say("note.no_values", when=when, what=what, by=ctx.say(f"by.{by}"))
    return ctx.say("note.no_value_of", when=when, what=what, value=called(ctx, by, [only])[only])


def called(ctx: Context, by: str, values: Iterable[str | None]) -> dict[str, str]:
    """What the values of a breakdown are called: an item's title, a lifecycle state's or a channel's name, 9 点, 非会员."""
    wanted = list(dict.fromkeys(v or NO_VALUE for v in values))
    titles = _titles(ctx, wanted) if by == "item" else {}
    return {value: titles.get(value) or _called(ctx, by, value) for value in wanted}


def _called(ctx: Context, by: str, value: str) -> str:
    if value == NO_VALUE:
        return ctx.say("by.no_member" if by in _OF_MEMBERS else "by.none")
    if by == "day":
        return wording.day(parse_day(value), ctx.lang)
    if by == "hour":
        return ctx.say("by.at_hour", hour=int(value) if ctx.lang == "zh" else value)
    if by == "lifecycle" and value in catalog.crowds():
        return catalog.crowds()[value].name.get(ctx.lang)
    if by == "channel" and value in get_args(Channel):
        return ctx.say(f"channel.{value}")
    return value


def _titles(ctx: Context, items: Sequence[str]) -> dict[str, str]:
    """Item id → title; two items of one title keep their ids beside it."""
    known = ", ".join(quote(i) for i in items)
    rows = ctx.engine.query(f"SELECT item_id, title FROM items WHERE item_id IN ({known})") if known else []
    titles = {str(r["item_id"]): str(r["title"]) for r in rows if r["title"]}
    shared = {t for t in titles.values() if list(titles.values()).count(t) > 1}
    return {i: f"{t} ({i})" if t in shared else t for i, t in titles.items()}


def fact_of_value(ctx: Context, by: str, value: str | None, name: str) -> str:
    """The name of a value, with its fact: its numerals have a source."""
    if by == "day" and value:
        return ctx.sheet.moment(ctx.say("label.period"), day_start(parse_day(value)), name).display
    if value is None or value == NO_VALUE:
        return name
    return ctx.sheet.text(ctx.say(f"by.{by}"), name, lines_of.literal(name)).display


def rows(
    ctx: Context,
    keys: Sequence[str],
    audiences: Sequence[str],
    over: Window,
    by: str,
    compare: str | None,
    only: str | None = None,
) -> tuple[list[dict[str, Any]], bool]:
    """(the rows of a breakdown, whether some were left out): of each crowd so many values as fit into a chat; with `only`
    that value alone."""
    scope = metrics.scope_of(over, ctx.shop.campaigns, ctx.shop.settings)
    cells = ordered(metrics.compute(ctx.engine, keys, audiences, over, scope, by), audiences, by, keys[0])
    cells = [c for c in cells if only in (None, c.by)]
    kept: dict[str, list[str | None]] = {}
    for cell in cells:
        values = kept.setdefault(cell.crowd, [])
        if cell.by not in values:
            values.append(cell.by)
    most = _MOST.get(by, MAX_ROWS)
    cells, every = [c for c in cells if c.by in kept[c.crowd][:most]], cells
    others = compare_cells(ctx.engine, cells, compare, over, ctx.shop, by) if compare else [None] * len(cells)
    running = f"{over.until:%H}" if by == "hour" and over.until < over.until.replace(minute=59, second=59) else None
    names = called(ctx, by, (c.by for c in cells))
    crowds = {a: lines_of.crowd_name(ctx, audience.parse(a)) for a in audiences}
    out = []
    for cell, other in zip(cells, others, strict=True):
        m = catalog.metrics()[cell.metric]
        crowd_name = crowds[cell.crowd]
        shown = fact_of_value(ctx, by, cell.by, names[cell.by or NO_VALUE])
        label = ctx.say("label.metric", crowd=crowd_name, metric=m.name.get(ctx.lang), when=shown)
        at = min(over.until, day_end(parse_day(cell.by))) if by == "day" and cell.by else over.until
        fact = ctx.sheet.add(
            label, cell.value, m.unit, cell.query, metric=cell.metric, crowd=cell.crowd, window=over, at=at
        )
        row = {"crowd": crowd_name, "metric": m.name.get(ctx.lang), "by": shown, "value": fact.display, "peak": False}
        if other is not None and cell.by != running:  # an hour that is not over is set against none
            row["other"] = ctx.sheet.add(label, other.value, m.unit, other.query, metric=cell.metric).display
        out.append(row)
    if by in IN_ORDER and len(keys) == len(audiences) == 1 and len(out) > 2:
        _mark_peak(out, cells)
    return out, len(cells) < len(every)


def _mark_peak(out: list[dict[str, Any]], cells: Sequence[metrics.Cell]) -> None:
    """The highest row, unless two are as high: in a list that runs in time it does not show by its place."""
    known = [c.value for c in cells if c.value]
    highest = max(known, default=None)
    if highest is not None and known.count(highest) == 1:
        out[next(i for i, c in enumerate(cells) if c.value == highest)]["peak"] = True
