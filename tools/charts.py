"""Charts as PNG files, readable on a phone: the funnel of crowds, a metric by day against its target, crowd sizes.

Each chart is made in two steps. First everything that will stand on the picture is worked out (`*_data`): every label with
a numeral is the display of a fact on the context's sheet. Then it is drawn (`draw_*`): a page of WIDTH pixels on which
positions are pixels from the top left corner and every text is measured before it is placed. pyplot is not used, because
it keeps global state; one lock stands around all drawing, because the bot renders in several threads.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import tempfile
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import prompts
from knowledge import catalog
from tools import audience, metrics, names, reports, wording
from tools import lines as lines_of
from tools.campaigns import campaign_for, day_end, day_start
from tools.compare import Compared, compare
from tools.context import Context
from tools.errors import AskAgain, Broken, NeedsPerson
from tools.facts import Chart
from tools.periods import Window, window
from tools.status import data_until

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH, MARGIN, DPI = 1080, 56, 100  # pixels, pixels, pixels an inch
TITLE, BIG, LEAD, BODY, SMALL = 52, 60, 38, 32, 28  # sizes of type in pixels; nothing is smaller
INK, MUTED, LEADER, TRACK, BAND, WHITE = "#1d2733", "#5b6774", "#c3ccd6", "#e6eaef", "#f3f5f8", "#ffffff"
# Three steps of one blue, light to dark, and the orange that colour-blind people tell from it.
BLUES, BLUE, TARGET = ("#a9c9e8", "#4a90cc", "#0b4a85"), "#2f78bd", "#d55e00"

MAX_FUNNELS, MAX_SIZES, MAX_DAYS, KEPT_FILES = 6, 12, 100, 50
_LABELLED_BARS = 8  # so few days have a number each; of more, only the highest
_LOCK = threading.Lock()
_NEAR_MIDNIGHT = timedelta(hours=1)  # data that ends so late in a day has the whole day
_OF_EVENTS = {"visitors", "carters"}  # other numbers come from orders
_STAGES = {"visitors": "chart.visitors", "carters": "chart.carters", "buyers": "chart.buyers"}
_STEPS = {"visit_cart_rate": "chart.visit_cart", "cart_pay_rate": "chart.cart_pay"}


def funnel(ctx: Context, crowds: list[str], first: date, last: date) -> Chart:
    """How many people of each crowd visited, carted and bought in the days first..last, with the ratios between the steps.

    crowds: keys, names or expressions, at most MAX_FUNNELS. AskAgain when there is nothing to draw.
    """
    data = funnel_data(ctx, crowds, first, last)
    return _saved(ctx, "funnel", f"{data.title} · {data.when}", lambda: draw_funnel(data))


def trend(ctx: Context, metric: str, crowd: str, first: date, last: date) -> Chart:
    """A metric of a crowd by day over first..last, against the day's target where there is one, with the campaign's phases.

    A day that is not over is hollow. AskAgain when there is nothing to draw or there are more than MAX_DAYS days.
    """
    data = trend_data(ctx, metric, crowd, first, last)
    return _saved(ctx, "trend", f"{data.title} · {data.when}", lambda: draw_trend(data))


def sizes(ctx: Context, crowds: list[str]) -> Chart:
    """How many people are in each crowd now, the largest first.

    crowds: keys, names or expressions, at most MAX_SIZES. AskAgain when nobody is in any of them.
    """
    data = sizes_data(ctx, crowds)
    return _saved(ctx, "sizes", f"{data.title} · {data.when}", lambda: draw_sizes(data))


# ---- what will stand on a picture ---------------------------------------------------------------------------
@dataclass(frozen=True)
class Stage:
    name: str
    people: int
    shown: str
    rate: str | None


@dataclass(frozen=True)
class Block:
    crowd: str
    rate: str
    stages: tuple[Stage, ...]


@dataclass(frozen=True)
class FunnelData:
    title: str
    when: str
    blocks: tuple[Block, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Day:
    """`value` is None where there is none. `label` stands over the bar, `tick` under it."""

    value: float | None
    target: float | None
    partial: bool
    label: str | None = None
    tick: str | None = None


@dataclass(frozen=True)
class Band:
    """A phase on the days `begin` ≤ i < `end` of the chart."""

    name: str
    begin: int
    end: int


@dataclass(frozen=True)
class Head:
    """A number that stands large over the chart, with what it is and its target."""

    what: str
    shown: str
    target: tuple[str, ...]


@dataclass(frozen=True)
class TrendData:
    title: str
    when: str
    line: bool
    days: tuple[Day, ...]
    bands: tuple[Band, ...]
    heads: tuple[Head, ...]
    legend: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Row:
    name: str
    people: int
    shown: str


@dataclass(frozen=True)
class SizesData:
    title: str
    when: str
    rows: tuple[Row, ...]
    notes: tuple[str, ...]


def funnel_data(ctx: Context, crowds: list[str], first: date, last: date) -> FunnelData:
    audiences = _audiences(crowds, MAX_FUNNELS)
    over = _days(ctx, first, last)
    scope = metrics.scope_of(over, ctx.shop.campaigns, ctx.shop.settings)
    keys = [*_STAGES, *_STEPS, "visit_pay_rate"]
    cells = {(c.crowd, c.metric): c for c in metrics.compute(ctx.engine, keys, audiences, over, scope)}
    if not any(c.value for c in cells.values()):
        raise _empty({lang: _names(audiences, lang) for lang in prompts.LANGS}, over)
    when = _sentence(reports.when(ctx, over))

    def shown(crowd: str, name: str, key: str) -> str:
        cell, metric = cells[crowd, key], catalog.metrics()[key]
        label = ctx.say("label.metric", crowd=name, metric=metric.name.get(ctx.lang), when=when)
        return ctx.sheet.add(
            label, cell.value, metric.unit, cell.query, metric=key, crowd=crowd, window=over, at=over.until
        ).display

    blocks = []
    for crowd in audiences:
        name = _name(ctx, crowd)
        rates = {rate: ctx.say(text, rate=shown(crowd, name, rate)) for rate, text in _STEPS.items()}
        stages = tuple(
            Stage(ctx.say(text), int(cells[crowd, key].value or 0), shown(crowd, name, key), rate)
            for (key, text), rate in zip(_STAGES.items(), (None, *rates.values()), strict=True)
        )
        whole = ctx.say("chart.visit_pay", rate=shown(crowd, name, "visit_pay_rate"))
        blocks.append(Block(_sentence(name), whole, stages))
    notes = (*reports.missing_data(ctx, list(_STAGES), over), ctx.say("chart.cart_pay_note"))
    return FunnelData(ctx.say("chart.funnel"), when, tuple(blocks), notes)


@dataclass(frozen=True)
class _Series:
    """A metric of a crowd by day: a cell and a target a day; `until` is the moment up to which it is known."""

    over: Window
    until: datetime
    metric: str
    crowd: str
    name: str
    cells: list[metrics.Cell]
    aims: list[Compared | None]

    def on(self, i: int) -> date:
        return self.over.first + timedelta(days=i)

    def value(self, i: int) -> float | int | None:
        """None on a day that begins after the data ends: what is not known is not 0."""
        return self.cells[i].value if day_start(self.on(i)) <= self.until else None

    def aim(self, i: int) -> float | int | None:
        found = self.aims[i]
        return found.value if found else None

    @property
    def partial(self) -> int | None:
        """The day that is not over at `until`."""
        day = self.until.date()
        return (day - self.over.first).days if self.until < day_end(day) else None


def trend_data(ctx: Context, metric: str, crowd: str, first: date, last: date) -> TrendData:
    key, (audience_key,) = names.metric_key(metric), _audiences([crowd], 1)
    definition = catalog.metrics()[key]
    over = _days(ctx, first, last)
    if over.days > MAX_DAYS:
        raise AskAgain("chart_too_long", most=MAX_DAYS, found=over.days)
    scope = metrics.scope_of(over, ctx.shop.campaigns, ctx.shop.settings)
    cells = metrics.compute(ctx.engine, [key], [audience_key], over, scope, "day")
    aims = compare(ctx.engine, cells, "target", over, ctx.shop, "day")
    title = {
        lang: prompts.text("chart.trend", lang, crowd=_names([audience_key], lang), metric=definition.name.get(lang))
        for lang in prompts.LANGS
    }
    s = _Series(over, _known_until(ctx, key, over), key, audience_key, _name(ctx, audience_key), cells, aims)
    known = [i for i in range(over.days) if s.value(i) is not None]
    if not any(s.value(i) for i in known):
        raise _empty(title, over)
    when = _sentence(reports.when(ctx, over))
    clock = "" if s.partial is None else ctx.sheet.moment(ctx.say("label.as_of"), s.until, f"{s.until:%H:%M}").display
    whole = [i for i in known if i != s.partial]
    heads = [_head(ctx, s, i, clock) for i in (*whole[-1:], *(i for i in known if i == s.partial))]
    highest = max(known, key=lambda i: s.value(i) or 0)
    labelled = known if over.days <= _LABELLED_BARS else [highest]
    step = -(-over.days // _LABELLED_BARS)
    days = []
    for i in range(over.days):
        label = _value(ctx, s, i, bare=True) if i in labelled else None
        tick = _day(ctx, s.on(i), short=True) if (over.days - 1 - i) % step == 0 else None
        days.append(Day(s.value(i), s.aim(i), i == s.partial, label, tick))
    legend = {}
    if s.partial in known:
        legend = {"whole": ctx.say("chart.legend_whole")} if whole else {}
        legend["partial"] = ctx.say("chart.legend_partial", clock=clock)
    if any(d.target is not None for d in days):
        legend["target"] = ctx.say("chart.legend_target")
    return TrendData(
        title=_sentence(title[ctx.lang]),
        when=when,
        line=definition.unit == "ratio",
        days=tuple(days),
        bands=_bands(ctx, over),
        heads=tuple(heads),
        legend=legend,
        notes=tuple(reports.missing_data(ctx, _parts(key), over)),
    )


def _head(ctx: Context, s: _Series, i: int, clock: str) -> Head:
    """The number of a day with its target and, where it adds up over a day, how much of the target is reached."""
    what = _day(ctx, s.on(i))
    if i == s.partial:
        what = ctx.say("chart.so_far", day=what, clock=clock)
    shown, value, aim, unit = _value(ctx, s, i), s.value(i), s.aims[i], catalog.metrics()[s.metric].unit
    if aim is None or aim.value is None:
        return Head(what, shown, ())
    label = ctx.say("chart.label_target", name=s.name)
    goal = ctx.sheet.add(label, aim.value, unit, aim.query, metric=s.metric, crowd=s.crowd)
    parts = [ctx.say("chart.day_target", target=goal.display)]
    if unit != "ratio" and value is not None and aim.value:
        query = f"SELECT ({s.cells[i].query}) * 1.0 / ({aim.query})"
        share = ctx.sheet.add(ctx.say("chart.label_reached", name=s.name), value / aim.value, "ratio", query)
        parts.append(ctx.say("chart.reached", ratio=share.display))
    return Head(what, shown, tuple(parts))


def _value(ctx: Context, s: _Series, i: int, *, bare: bool = False) -> str:
    """The number of a day, as a fact; `bare`: people without the word, which the title says."""
    on, value, metric = s.on(i), s.value(i), catalog.metrics()[s.metric]
    at = min(s.until, day_end(on))
    label = ctx.say("label.metric", crowd=s.name, metric=metric.name.get(ctx.lang), when=_short(on, ctx.lang))
    shown = f"{value:,.0f}" if bare and metric.unit == "people" and value is not None else None
    return ctx.sheet.add(
        label, value, metric.unit, s.cells[i].query, shown=shown, metric=s.metric, crowd=s.crowd,
        window=Window(on, on, at), at=at,
    ).display  # fmt: skip


def _bands(ctx: Context, over: Window) -> tuple[Band, ...]:
    """The phases that the days of the window are in."""
    out: list[tuple[Any, int, int]] = []
    for i in range(over.days):
        on = over.first + timedelta(days=i)
        campaign = campaign_for(on, ctx.shop.campaigns)
        phase = campaign.phase_at(on) if campaign else None
        if phase is None:
            continue
        if out and out[-1][0] == phase and out[-1][2] == i:
            out[-1] = (phase, out[-1][1], i + 1)
        else:
            out.append((phase, i, i + 1))
    return tuple(Band(_verbatim(ctx, phase.name.get(ctx.lang)), begin, end) for phase, begin, end in out)


def sizes_data(ctx: Context, crowds: list[str]) -> SizesData:
    audiences = _audiences(crowds, MAX_SIZES)
    counted = audience.sizes(ctx.engine, audiences, ctx.scope)
    if not any(c.people for c in counted.values()):
        today = Window(ctx.at.date(), ctx.at.date(), ctx.at)
        raise _empty({lang: _names(audiences, lang) for lang in prompts.LANGS}, today)
    at = f"{wording.day(ctx.at.date(), ctx.lang)} {ctx.at:%H:%M}"
    when = ctx.sheet.moment(ctx.say("label.as_of"), ctx.at, at).display
    rows = []
    for key in sorted(audiences, key=lambda k: -counted[k].people):
        name, n = _name(ctx, key), counted[key]
        label = ctx.say("label.size", crowd=name)
        fact = ctx.sheet.add(label, n.people, "people", n.query, metric="crowd_size", crowd=key)
        rows.append(Row(_sentence(name), n.people, fact.display))
    return SizesData(ctx.say("chart.sizes"), when, tuple(rows), tuple(lines_of.data_notes(ctx)))


def _audiences(crowds: Sequence[str], most: int) -> list[str]:
    """The crowds as canonical expressions, each once; AskAgain when there are none or more than `most`."""
    if not crowds:
        raise AskAgain("chart_no_crowds")
    out = list(dict.fromkeys(audience.canonical(audience.parse(c)) for c in crowds))
    if len(out) > most:
        raise AskAgain("chart_too_many", most=most, found=len(out))
    return out


def _names(audiences: Sequence[str], lang: str) -> str:
    return ("、" if lang == "zh" else ", ").join(audience.label(audience.parse(a), lang) for a in audiences)


def _name(ctx: Context, crowd: str) -> str:
    return _verbatim(ctx, _names([crowd], ctx.lang))


def _verbatim(ctx: Context, text: str) -> str:
    """A name of the catalogue or the shop; one with a numeral in it (618, 双11) is a fact like every number drawn."""
    if any(c.isnumeric() for c in text):
        ctx.sheet.text(ctx.say("chart.name"), text, lines_of.literal(text))
    return text


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _days(ctx: Context, first: date, last: date) -> Window:
    """The window first..last up to what is known; AskAgain when it has not begun or begins after the data ends."""
    over = window(first, last, lines_of.known_until(ctx))
    ends = [end for end in data_until(ctx.engine).values() if end is not None]
    if ends and max(ends) < day_start(over.first):
        raise AskAgain("no_data_yet", until=max(ends).strftime("%Y-%m-%d %H:%M"), first=over.first.isoformat())
    return over


def _parts(key: str) -> list[str]:
    m = catalog.metrics()[key]
    return [p for p in (m.numerator, m.denominator) if p and p in catalog.metrics()] or [key]


def _known_until(ctx: Context, key: str, over: Window) -> datetime:
    """Up to when a metric is known in the window: to its end, or to the end of the data where that is on an earlier day."""
    parts = set(_parts(key)) - {"crowd_size"}
    until = data_until(ctx.engine)
    ends = [until["events" if p in _OF_EVENTS else "orders"] for p in parts]
    end = min((e for e in ends if e is not None), default=over.until)
    if end.date() >= over.until.date():
        return over.until
    last_second = day_end(end.date())
    return end if last_second - end > _NEAR_MIDNIGHT else last_second


def _empty(what: dict[str, str], over: Window) -> AskAgain:
    when = {lang: wording.span(over.first, over.last, lang) for lang in prompts.LANGS}
    return AskAgain("chart_empty", what=what, when=when)


def _day(ctx: Context, on: date, *, short: bool = False) -> str:
    """A day as a fact: 6 月 17 日, or for the axis 6/17."""
    shown = _short(on, ctx.lang) if short else wording.day(on, ctx.lang)
    return ctx.sheet.moment(ctx.say("label.period"), day_start(on), shown).display


def _short(on: date, lang: str) -> str:
    return f"{on.month}/{on.day}" if lang == "zh" else wording.day(on, lang)


# ---- drawing ------------------------------------------------------------------------------------------------
def draw_funnel(data: FunnelData) -> Figure:
    """Each crowd's bars are in proportion to its own visitors, so that the shapes of large and small crowds compare."""
    ax, y = _page(data.title, data.when)
    left = MARGIN + max(_width(ax, s.name, BODY) for b in data.blocks for s in b.stages) + 24
    room = WIDTH - MARGIN - left
    for block in data.blocks:  # the longest bars that leave every row its number and its ratio
        most = max(s.people for s in block.stages) or 1
        for s in block.stages:
            written = 14 + _width(ax, s.shown, BODY, bold=True) + (32 + _width(ax, s.rate, SMALL) if s.rate else 0)
            if s.people:
                room = min(room, (WIDTH - MARGIN - left - written) * most / s.people)
    for block in data.blocks:
        y += 78
        rate = _width(ax, block.rate, BODY)
        (name,) = _fit(ax, block.crowd, LEAD, WIDTH - 2 * MARGIN - rate - 40, 1, bold=True)
        _put(ax, MARGIN, y, name, LEAD, bold=True)
        _put(ax, WIDTH - MARGIN, y, block.rate, BODY, MUTED, align="right")
        most = max(s.people for s in block.stages) or 1
        y += 22
        for stage, color in zip(block.stages, BLUES, strict=True):
            length = max(room * stage.people / most, 3 if stage.people else 0)
            _put(ax, MARGIN, y + 36, stage.name, BODY, MUTED)
            _box(ax, left, y + 3, length, 44, color, "bar")
            _put(ax, left + length + 14, y + 36, stage.shown, BODY, bold=True)
            if stage.rate:
                _put(ax, WIDTH - MARGIN, y + 36, stage.rate, SMALL, MUTED, align="right")
            y += 54
        y += 6
    return _finished(ax, y + 18, data.notes)


def draw_trend(data: TrendData) -> Figure:
    ax, y = _page(data.title, data.when)
    column = (WIDTH - 2 * MARGIN) / 2
    bottom = y
    for i, head in enumerate(data.heads):
        x, at = MARGIN + i * column, y + 66
        _put(ax, x, at, head.what, SMALL, MUTED)
        at += 72
        _put(ax, x, at, head.shown, BIG, bold=True, width=column - 24)
        one = " · ".join(head.target)
        at += 8 if head.target else 0
        for line in (one,) if _width(ax, one, SMALL) <= column - 24 else head.target:
            at += 42 if line else 0
            _put(ax, x, at, line, SMALL, MUTED, width=column - 24)
        bottom = max(bottom, at)
    y = _phase_names(ax, data, bottom + 62)
    top, base = y, y + 500
    slot = (WIDTH - 2 * MARGIN) / len(data.days)
    for i, band in enumerate(data.bands):
        _box(
            ax,
            MARGIN + band.begin * slot,
            top,
            (band.end - band.begin) * slot,
            base - top,
            BAND if i % 2 == 0 else WHITE,
            "band",
        )
    shown = [v for d in data.days for v in (d.value, d.target) if v is not None]
    scale = (base - top - 70) / (max(shown) or 1)
    _plot(ax, data, slot, base, scale)
    _box(ax, MARGIN, base, WIDTH - 2 * MARGIN, 2, MUTED, "base")
    _labels(ax, data, slot, base, scale)
    y = base + 46
    free = -1.0
    for i, day in reversed(list(enumerate(data.days))):
        if day.tick:
            width = _width(ax, day.tick, SMALL)
            x = min(max(MARGIN + (i + 0.5) * slot, MARGIN + width / 2), WIDTH - MARGIN - width / 2)
            if free < 0 or x + width / 2 + 20 <= free:
                _put(ax, x, y, day.tick, SMALL, MUTED, align="center")
                free = x - width / 2
    if data.legend:
        y += 66
        _legend(ax, data, y)
    return _finished(ax, y + 30, data.notes)


def _phase_names(ax: Axes, data: TrendData, y: float) -> float:
    """The names over their bands, in as many rows as they need, each tied to its band's first day. Returns the bands' top.

    Rows fill from the right and from below: an earlier phase whose name does not fit goes up, so that its leader comes down
    to the left of the names below it.
    """
    slot = (WIDTH - 2 * MARGIN) / len(data.days)
    placed: list[tuple[str, float, float, float, int]] = []  # name, its band's begin, left, right, row from the lowest
    for band in reversed(data.bands):
        (name,) = _fit(ax, band.name, SMALL, (WIDTH - 2 * MARGIN) / 2, 1)
        width, begin = _width(ax, name, SMALL), MARGIN + band.begin * slot
        x = min(begin + 8, WIDTH - MARGIN - width)
        row = 0
        while any(x + width + 10 > b if r > row else x + width + 24 > left for _, b, left, _, r in placed if r >= row):
            row += 1
        placed.append((name, begin, x, x + width, row))
    top = y + max((row for *_, row in placed), default=0) * 42 + 18
    for name, begin, x, _, row in placed:
        at = top - 16 - row * 42
        _put(ax, x, at, name, SMALL, MUTED)
        # A name moved in from the right edge stands over its leader, and may stand in the way of another one.
        crossed = any(left - 4 <= begin <= end + 4 for _, _, left, end, r in placed if r < row)
        upper = top - 8 if crossed else at - 24 if begin < x else at + 8
        _box(ax, begin, upper, 2, top - upper, LEADER, "leader")
    return top


def _plot(ax: Axes, data: TrendData, slot: float, base: float, scale: float) -> None:
    """Bars, or for ratios a line with dots; a day that is not over is hollow. The target is a dashed step line."""
    wide = min(slot * 0.72, 120)
    points = []
    for i, day in enumerate(data.days):
        x = MARGIN + (i + 0.5) * slot
        if day.value is None:
            points.append((x, float("nan")))
            continue
        height = day.value * scale
        points.append((x, base - height))
        if data.line:
            continue
        if day.partial:
            edge = min(4.0, wide / 4)
            _box(ax, x - wide / 2, base - height, wide, height, WHITE, "partial")
            for box in (
                (x - wide / 2, base - height, wide, edge),
                (x - wide / 2, base - height, edge, height),
                (x + wide / 2 - edge, base - height, edge, height),
            ):
                _box(ax, *box, BLUE, "edge")
        else:
            _box(ax, x - wide / 2, base - height, wide, height, BLUE, "bar")
    if data.line:
        ax.plot(*zip(*points, strict=True), color=BLUE, linewidth=_points(5), zorder=3, gid="line")
        size = min(20.0, max(slot * 0.5, 8))
        for (x, top), day in zip(points, data.days, strict=True):
            if day.value is not None:
                ax.plot(
                    [x], [top], "o", markersize=_points(size), markeredgewidth=_points(4), markeredgecolor=BLUE,
                    color=WHITE if day.partial else BLUE, zorder=4, gid="partial" if day.partial else "bar",
                )  # fmt: skip
    xs, ys = [], []
    for i, day in enumerate(data.days):
        level = float("nan") if day.target is None else base - day.target * scale
        xs += [MARGIN + i * slot, MARGIN + (i + 1) * slot]
        ys += [level, level]
    if any(d.target is not None for d in data.days):
        ax.plot(xs, ys, color=TARGET, linewidth=_points(4), linestyle=(0, (3, 1.6)), zorder=5, gid="target")


def _labels(ax: Axes, data: TrendData, slot: float, base: float, scale: float) -> None:
    """The numbers over the bars, those of high bars first; one that would touch another is left out. A day without a
    value says so where there is room."""
    taken: list[tuple[float, float]] = []
    order = sorted(range(len(data.days)), key=lambda i: -(data.days[i].value or 0))
    for i in order:
        day = data.days[i]
        text = day.label or ("—" if day.value is None and slot >= 40 else None)
        if text is None:
            continue
        half = _width(ax, text, SMALL, bold=True) / 2
        x = min(max(MARGIN + (i + 0.5) * slot, MARGIN + half), WIDTH - MARGIN - half)
        if any(x - half - 10 < right and left < x + half + 10 for left, right in taken):
            continue
        # Above the bar and, where a target line would cross the number, above that too.
        level = max(day.value or 0, 0) * scale
        begin, end = (int((edge - MARGIN) // slot) for edge in (x - half, x + half))
        for aim in sorted(d.target * scale for d in data.days[begin : end + 1] if d.target is not None):
            if level - 4 <= aim <= level + 52:
                level = aim
        _put(ax, x, base - level - 16, text, SMALL, bold=True, align="center")
        taken.append((x - half, x + half))


def _legend(ax: Axes, data: TrendData, y: float) -> None:
    x = float(MARGIN)
    for what, text in data.legend.items():
        if what == "target":
            ax.plot(
                [x, x + 52], [y - 10] * 2, color=TARGET, linewidth=_points(4), linestyle=(0, (3, 1.6)), gid="legend"
            )
            x += 66
        else:
            _box(ax, x, y - 23, 26, 26, BLUE, "legend")
            if what == "partial":
                _box(ax, x + 4, y - 19, 18, 18, WHITE, "legend")
            x += 38
        x += _put(ax, x, y, text, SMALL, MUTED) + 44


def draw_sizes(data: SizesData) -> Figure:
    ax, y = _page(data.title, data.when)
    most = max(r.people for r in data.rows) or 1
    full = WIDTH - 2 * MARGIN
    y += 12
    for row in data.rows:
        room = full - _width(ax, row.shown, BODY, bold=True) - 32
        y += 66
        lines = _fit(ax, row.name, BODY, room, 2)
        for i, line in enumerate(lines):
            _put(ax, MARGIN, y + 42 * i, line, BODY)
        y += 42 * (len(lines) - 1)
        _put(ax, WIDTH - MARGIN, y, row.shown, BODY, bold=True, align="right")
        y += 16
        _box(ax, MARGIN, y, full, 28, TRACK, "track")
        _box(ax, MARGIN, y, max(full * row.people / most, 4 if row.people else 0), 28, BLUE, "bar")
        y += 28
    return _finished(ax, y + 30, data.notes)


# ---- the page ----------------------------------------------------------------------------------------------
def _page(title: str, when: str) -> tuple[Axes, float]:
    """An empty page with its title and period: (axes whose units are pixels from the top left, the last baseline)."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH / DPI, WIDTH / DPI), dpi=DPI, facecolor=WHITE)
    FigureCanvasAgg(figure)
    ax = figure.add_axes((0, 0, 1, 1))
    ax.set_axis_off()
    y = 24.0
    for line in _fit(ax, title, TITLE, WIDTH - 2 * MARGIN, 3, bold=True):
        y += 66
        _put(ax, MARGIN, y, line, TITLE, bold=True)
    y += 54
    _put(ax, MARGIN, y, when, BODY, MUTED, width=WIDTH - 2 * MARGIN)
    return ax, y


def _finished(ax: Axes, y: float, notes: Sequence[str]) -> Figure:
    """The page with its notes, cut to the height that it needs."""
    from matplotlib.figure import Figure

    if notes:
        y += 16
    for note in notes:
        for line in _fit(ax, note, SMALL, WIDTH - 2 * MARGIN, 3):
            y += 40
            _put(ax, MARGIN, y, line, SMALL, MUTED)
    height = round(y + 48)
    figure = ax.figure
    assert isinstance(figure, Figure)
    figure.set_size_inches(WIDTH / DPI, height / DPI)
    ax.set_xlim(0, WIDTH)
    ax.set_ylim(height, 0)
    return figure


def _points(pixels: float) -> float:
    return pixels * 72 / DPI


def _put(
    ax: Axes, x: float, y: float, text: str, size: float, color: str = INK, *, bold: bool = False,
    align: str = "left", width: float | None = None,
) -> float:  # fmt: skip
    """Write `text` with its baseline at y; with `width`, smaller where it would be wider. Returns its width in pixels."""
    text = drawable(text)
    wide = _width(ax, text, size, bold=bold)
    if width is not None and wide > width:
        size, wide = size * width / wide, width
    ax.text(
        x, y, text, fontproperties=_font(bold), fontsize=_points(size), color=color, ha=align, va="baseline",
        parse_math=False, zorder=6,
    )  # fmt: skip
    return wide


def _box(ax: Axes, x: float, y: float, width: float, height: float, color: str, gid: str) -> None:
    from matplotlib.patches import Rectangle

    ax.add_patch(Rectangle((x, y), width, height, facecolor=color, edgecolor="none", gid=gid, zorder=2))


def _width(ax: Axes, text: str, size: float, *, bold: bool = False) -> float:
    """The width in pixels of `text` in type of `size` pixels."""
    font = _font(bold).copy()
    font.set_size(_points(size))
    renderer = ax.figure.canvas.get_renderer()  # type: ignore[attr-defined]
    return float(renderer.get_text_width_height_descent(drawable(text), font, ismath=False)[0])


def _fit(ax: Axes, text: str, size: float, width: float, most: int, *, bold: bool = False) -> list[str]:
    """`text` in at most `most` lines of `width` pixels: broken between words or Chinese characters, cut with "…"."""
    words = re.findall(r"[\u0021-\u024f]+\s*|.", drawable(text))
    lines, rest = [""], list(words)
    while rest:
        if _width(ax, (lines[-1] + rest[0]).rstrip(), size, bold=bold) <= width:
            lines[-1] += rest.pop(0)
        elif lines[-1] and len(lines) < most:
            lines.append("")
        else:
            break
    if rest:
        last = lines[-1] + "".join(rest)
        while last and _width(ax, last.rstrip() + "…", size, bold=bold) > width:
            last = last[:-1]
        lines[-1] = last.rstrip() + "…"
    return [line.rstrip() for line in lines]


# ---- fonts and files ---------------------------------------------------------------------------------------
@cache
def _font(bold: bool) -> Any:
    """The Chinese font of the wheel mpl-font, by its file: importing the package would change matplotlib's settings."""
    from matplotlib.font_manager import FontProperties

    return FontProperties(fname=str(font_file(bold)))


def font_file(bold: bool) -> Path:
    """Broken when the font is not installed."""
    from importlib.util import find_spec

    spec = find_spec("mpl_font")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        path = Path(folder) / "fonts" / "noto" / f"NotoSansCJKsc-{'Bold' if bold else 'Regular'}.otf"
        if path.is_file():
            return path
    raise Broken("chart_no_font")


@cache
def _glyphs() -> frozenset[int]:
    from matplotlib.font_manager import get_font

    return frozenset(get_font(str(font_file(False))).get_charmap())


def drawable(text: str) -> str:
    """`text` in one line without what the font has no picture of (emoji in a name of the shop's own)."""
    known = _glyphs()
    return re.sub(r"\s+", " ", "".join(c for c in text if ord(c) in known or c.isspace())).strip()


def texts(figure: Figure) -> list[str]:
    """Every text that stands on the picture."""
    from matplotlib.text import Text

    return [t.get_text() for t in figure.findobj(Text) if isinstance(t, Text) and t.get_text()]


def _saved(ctx: Context, kind: str, title: str, draw: Callable[[], Figure]) -> Chart:
    """Draw and write charts/<kind>-<hash of the picture>.png whole or not at all; NeedsPerson when it cannot be written."""
    buffer = io.BytesIO()
    with _LOCK:
        draw().savefig(buffer, format="png", metadata={"Software": None})
    png = buffer.getvalue()
    folder = ctx.shop.root / "charts"
    path = folder / f"{kind}-{hashlib.sha256(png).hexdigest()[:16]}.png"
    try:
        folder.mkdir(exist_ok=True)
        handle, part = tempfile.mkstemp(dir=folder, prefix=".new-")
        try:
            with os.fdopen(handle, "wb") as f:
                f.write(png)
            os.replace(part, path)
        except BaseException:
            Path(part).unlink(missing_ok=True)
            raise
        _prune(folder)
    except OSError as e:
        raise NeedsPerson("chart_not_saved", path=str(folder), detail=e.strerror or str(e)) from e
    return Chart(id=path.stem, title=title, path=str(path))


def _prune(folder: Path) -> None:
    """Keep the newest files; another thread may be pruning too."""
    ages = []
    for path in folder.iterdir():
        try:
            ages.append((path.stat().st_mtime_ns, path))
        except FileNotFoundError:
            continue
    for _, path in sorted(ages, reverse=True)[KEPT_FILES:]:
        path.unlink(missing_ok=True)
