"""Numbers as answers: crowds and metrics with what makes them readable (parts, comparison, definition)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from knowledge import catalog
from tools import audience, metric_notes, metrics, names, splits, wording
from tools import lines as lines_of
from tools.campaigns import day_start
from tools.compare import FROM, difference, earlier_window
from tools.compare import compare as compare_cells
from tools.context import Context
from tools.errors import AskAgain
from tools.facts import Fact, ToolResult, display
from tools.filter_values import known
from tools.filters import normal, split
from tools.periods import Window, parse_day, window
from tools.status import data_until


def crowd(ctx: Context, crowds: list[str], on: str | None = None) -> ToolResult:
    """How many people are in each crowd now, their share of the shop, money at stake, top items, split by member level.

    crowds: keys or expressions, such as "cart_unpaid and not (old or city:上海)" or "member and last_paid_within:30".
    on: a day (YYYY-MM-DD) at whose end the crowd is taken instead of now. AskAgain when a crowd is unknown or the day is ahead.
    """
    taken = None
    if on is not None and parse_day(on) != ctx.at.date():
        over = window(parse_day(on), parse_day(on), ctx.at)
        taken = when(ctx, over)
        ctx = ctx.seen_at(over.until)
    blocks = []
    for text in crowds:
        tree = audience.read(ctx.engine, text)
        name = lines_of.crowd_name(ctx, tree)
        profile = audience.profile(ctx.engine, audience.canonical(tree), ctx.scope)
        size = lines_of.size_fact(ctx, profile, name)
        head = ctx.say("crowd.on_day" if taken else "crowd.head", crowd=name, people=size.display, when=taken)
        if profile.share is not None and profile.key != "all":
            share = ctx.sheet.add(ctx.say("label.share", crowd=name), profile.share, "ratio", profile.share_query())
            head += ctx.say("crowd.share", share=share.display)
        money = lines_of.stake(ctx, profile, "crowd.stake", "crowd.stake_unknown")
        parts = (money, lines_of.levels_line(ctx, profile), lines_of.items_line(ctx, profile))
        lines = [x for x in parts if x]
        meaning = None
        if isinstance(tree, str) and tree in catalog.crowds():
            text = catalog.crowds()[tree].meaning.get(ctx.lang)
            meaning = ctx.sheet.text(ctx.say("label.meaning"), text, lines_of.literal(text)).display
        blocks.append({"crowd": profile.key, "head": head, "lines": lines, "meaning": meaning})
    data = {"blocks": blocks, "notes": lines_of.data_notes(ctx)}
    return ToolResult(kind="crowd", facts=ctx.sheet.facts, citations=ctx.sheet.citations, data=data)


def metric(
    ctx: Context,
    metric_keys: list[str],
    crowds: list[str],
    first: str,
    last: str,
    compare: str | None = None,
    by: str | None = None,
    only: str | None = None,
) -> ToolResult:
    """Metrics of crowds over whole days first..last (YYYY-MM-DD), seen up to now.

    metric_keys: keys or names; crowds: keys or expressions; at least one of each.
    compare: previous_day, previous_window, from:YYYY-MM-DD (as many days), campaign:KEY:YEAR, target or peers.
    by: day, hour, item, category, member_level, city, channel or lifecycle; only: one value of `by`, such as the channel sms.
    AskAgain when a name is unknown, a metric cannot be split like that, or the period has not begun; a day without data is
    said in the notes.
    """
    keys = [names.metric_key(m) for m in metric_keys]
    audiences = [audience.canonical(audience.read(ctx.engine, c)) for c in crowds]
    until = lines_of.known_until(ctx)
    over = window(parse_day(first), parse_day(last), until)
    ends = [end for end in data_until(ctx.engine).values() if end is not None]
    if ends and max(ends) < day_start(over.first):
        raise AskAgain("no_data_yet", until=max(ends).strftime("%Y-%m-%d %H:%M"), first=over.first.isoformat())
    if (
        ends
        and compare
        and compare not in ("target", "peers")
        and day_start(over.first) <= min(ends) < day_start(over.last)
    ):
        until = min(ends)  # what it stands against is cut at the same moment: days without data are no comparison
        over = window(over.first, over.last, until)
    scope = metrics.scope_of(over, ctx.shop.campaigns, ctx.shop.settings)
    asked = keys
    if by is not None:
        keys = splits.fitting(asked, by)
        if by == "item" and only is not None:  # a title is as good as an id
            only = split(known(ctx.engine, normal("item", only)))[1]
    wanted = list(dict.fromkeys([*keys, *(p for k in keys for p in _parts(k))]))
    notes = metric_notes.missing_data(ctx, wanted, over)
    if until < ctx.at and over.partial:
        notes.append(ctx.say("note.until_data", moment=lines_of.data_end(ctx).display))
    if compare == "peers":
        notes.append(ctx.say("note.peers"))
    if by:
        notes += splits.left_out(ctx, asked, keys, by)
    if compare == "target" and over.partial:
        notes.append(ctx.say("note.targets"))
    data: dict[str, Any] = {"notes": notes, "when": when(ctx, over), "blocks": [], "rows": []}
    if compare and compare.startswith(FROM):
        data["against"] = when(ctx, earlier_window(compare, over, ctx.shop.campaigns))
    if by:
        data["rows"], more = splits.rows(ctx, keys, audiences, over, by, compare, only)
        if more:
            notes.append(ctx.say("note.more_rows", by=by))
        data["hourly"] = by == "hour"
        data["empty"] = splits.nothing(ctx, keys, audiences, by, only, data["when"])
        notes += metric_notes.origins(ctx, keys, over, ())
        data["compare"] = compare
        data["by"] = ctx.say(f"by.{by}")
        data["single"] = len(keys) == len(audiences) == 1
        cites, meanings = _definitions(ctx, keys)
        data |= {"cites": cites, "meanings": meanings}
        return _result(ctx, data)
    cells = {(c.crowd, c.metric): c for c in metrics.compute(ctx.engine, wanted, audiences, over, scope)}
    notes += metric_notes.origins(ctx, keys, over, [c.value for c in cells.values() if c.metric in keys])
    others = {
        tag: {(c.crowd, c.metric): x for c, x in zip(cells.values(), found, strict=True)}
        for tag, found in _comparisons(ctx, list(cells.values()), compare, over).items()
    }
    for crowd_key in audiences:
        for key in keys:
            data["blocks"].append(_block(ctx, key, crowd_key, over, cells, others, compare))
    cites, meanings = _definitions(ctx, keys)
    data |= {"cites": cites, "meanings": meanings, "compare": compare}
    return _result(ctx, data)


def _result(ctx: Context, data: dict[str, Any]) -> ToolResult:
    return ToolResult(kind="metric", facts=ctx.sheet.facts, citations=ctx.sheet.citations, data=data)


def _parts(key: str) -> list[str]:
    m = catalog.metrics()[key]
    return [p for p in (m.numerator, m.denominator) if p and p in catalog.metrics()]


def when(ctx: Context, over: Window) -> str:
    """今天（截至 10:00） · 昨天 · 6 月 16 日–6 月 17 日. Every numeral of it is a fact."""
    days_ago = (ctx.at.date() - over.last).days
    if over.days == 1 and days_ago in (0, 1):
        text = ctx.say("when.today" if days_ago == 0 else "when.yesterday")
    else:
        other_year = over.first.year != ctx.at.year or over.last.year != ctx.at.year
        first = wording.day(over.first, ctx.lang, year=other_year)
        last = wording.day(over.last, ctx.lang, year=other_year)
        shown = first if over.days == 1 else f"{first}–{last}"
        for end, part in ((over.first, first), (over.last, last)):
            ctx.sheet.moment(ctx.say("label.period"), day_start(end), part)
        text = shown
    if over.partial:
        clock = ctx.sheet.moment(ctx.say("label.as_of"), over.until, over.until.strftime("%H:%M"))
        text += ctx.say("when.until", clock=clock.display)
    return text


def _comparisons(ctx: Context, cells: list[metrics.Cell], compare: str | None, over: Window) -> dict[str, list[Any]]:
    """ "whole": against the whole earlier window; "same": cut at the same time of day, when today is not over."""
    if compare is None:
        return {}
    out = {"whole": compare_cells(ctx.engine, cells, compare, over, ctx.shop)}
    if over.partial and compare not in ("target", "peers"):
        earlier = earlier_window(compare, over, ctx.shop.campaigns, same_time=True)
        scope = metrics.scope_of(earlier, ctx.shop.campaigns, ctx.shop.settings)
        keys = list(dict.fromkeys(c.metric for c in cells))
        crowds = list(dict.fromkeys(c.crowd for c in cells))
        twins = metrics.compute(ctx.engine, keys, crowds, earlier, scope)
        out["same"] = [difference(c.value, t.value, t.query) for c, t in zip(cells, twins, strict=True)]
    return out


def _block(
    ctx: Context,
    key: str,
    crowd_key: str,
    over: Window,
    cells: dict[tuple[str, str], metrics.Cell],
    others: dict[str, dict[tuple[str, str], Any]],
    compare: str | None,
) -> dict[str, Any]:
    m = catalog.metrics()[key]
    name = lines_of.crowd_name(ctx, audience.parse(crowd_key))

    def fact(metric_key: str, label_when: str, value: Any, query: str, at: datetime | None = None) -> Fact:
        d = catalog.metrics()[metric_key]
        label = ctx.say("label.metric", crowd=name, metric=d.name.get(ctx.lang), when=label_when)
        return ctx.sheet.add(
            label, value, d.unit, query, metric=metric_key, crowd=crowd_key, window=over, at=at or over.until
        )

    cell = cells[crowd_key, key]
    value = fact(key, "", cell.value, cell.query)
    parts = []
    for p in _parts(key):
        f = fact(p, "", cells[crowd_key, p].value, cells[crowd_key, p].query)
        parts.append(f"{catalog.metrics()[p].name.get(ctx.lang)} {f.display}")
    block: dict[str, Any] = {
        "crowd": name,
        "metric": m.name.get(ctx.lang),
        "value": value.display,
        "null": cell.value is None,
        "peers": m.peer_of is not None,
        "parts": parts,
    }
    for tag, found in others.items():
        other = found.get((crowd_key, key))
        if other is None:
            block[tag] = {"value": None}
            continue
        shown = fact(key, ctx.say(f"when.compare_{tag}"), other.value, other.query)
        block[tag] = {"value": shown.display, **_change(ctx, m, cell, other)}
    return block


def _change(ctx: Context, m: catalog.MetricDef, cell: metrics.Cell, other: Any) -> dict[str, Any]:
    """How far and in which direction: points for ratios in percent, percent for the rest."""
    in_points = m.unit == "ratio" and not m.multiple
    change = other.diff if in_points else other.ratio
    if change is None:
        return {"change": None}
    if abs(change) < 0.0005:
        return {"change": "same"}
    a, b = f"({cell.query})", f"({other.query})"
    query = f"SELECT {a} - {b}" if in_points else f"SELECT {a} * 1.0 / {b} - 1"
    label = ctx.say("label.change")
    if in_points:
        # The difference of what is shown, so that a reader who subtracts finds the same.
        points = abs(round(cell.value * 100, 1) - round(other.value * 100, 1)) / 100  # type: ignore[operator]
        fact = ctx.sheet.add(label, change, "points", query, shown=display(points, "points", ctx.lang))
    else:
        fact = ctx.sheet.add(label, change, "ratio", query, shown=f"{abs(change) * 100:.1f}%")
    return {"change": "up" if change > 0 else "down", "by": fact.display}


def _definitions(ctx: Context, keys: list[str]) -> tuple[list[int], list[str]]:
    cites, meanings = [], []
    for key in keys:
        m = catalog.metrics()[key]
        meanings.append(ctx.say("metric.meaning", metric=m.name.get(ctx.lang), meaning=m.meaning.get(ctx.lang)))
        if m.source:
            cites.append(lines_of.cite(ctx, m.source))
    return list(dict.fromkeys(cites)), meanings
