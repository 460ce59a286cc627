"""Charts as PNG files, readable on a phone: the funnel of crowds, a metric by day against its target or
by what it is split by, crowd sizes.

Each chart is made in two steps. First everything that will stand on the picture is worked out (`*_data` in
tools/chart_data.py). Then it is drawn (`draw_*`) on a page of tools/chart_page.py.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from tools.chart_data import FunnelData, SizesData, TrendData, funnel_data, sizes_data, trend_data
from tools.chart_page import (
    BIG,
    BODY,
    LEAD,
    MARGIN,
    MUTED,
    SMALL,
    WHITE,
    WIDTH,
    box,
    finished,
    fit,
    page,
    points,
    put,
    saved,
    width_of,
)
from tools.chart_splits import split_data
from tools.context import Context
from tools.facts import Chart

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LEADER, TRACK, BAND = "#c3ccd6", "#e6eaef", "#f3f5f8"
# Three steps of one blue, light to dark, and the orange that colour-blind people tell from it.
BLUES, BLUE, TARGET = ("#a9c9e8", "#4a90cc", "#0b4a85"), "#2f78bd", "#d55e00"


def funnel(ctx: Context, crowds: list[str], first: date, last: date) -> Chart:
    """How many people of each crowd visited, carted and bought in the days first..last, with the ratios between the steps.

    crowds: keys, names or expressions, at most MAX_FUNNELS. AskAgain when there is nothing to draw.
    """
    data = funnel_data(ctx, crowds, first, last)
    return saved(ctx, "funnel", f"{data.title} · {data.when}", lambda: draw_funnel(data))


def trend(ctx: Context, metric: str, crowd: str, first: date, last: date) -> Chart:
    """A metric of a crowd by day over first..last, against the day's target where there is one, with the campaign's phases.

    A day that is not over is hollow. AskAgain when there is nothing to draw or there are more than MAX_DAYS days.
    """
    data = trend_data(ctx, metric, crowd, first, last)
    return saved(ctx, "trend", f"{data.title} · {data.when}", lambda: draw_trend(data))


def sizes(ctx: Context, crowds: list[str]) -> Chart:
    """How many people are in each crowd now, the largest first.

    crowds: keys, names or expressions, at most MAX_SIZES. AskAgain when nobody is in any of them.
    """
    data = sizes_data(ctx, crowds)
    return saved(ctx, "sizes", f"{data.title} · {data.when}", lambda: draw_sizes(data))


def split(ctx: Context, metric: str, crowd: str, first: date, last: date, by: str) -> Chart:
    """A metric of a crowd over first..last by hour, item, category, channel, member level, city or lifecycle stage.

    AskAgain when the metric cannot be split like that or there is nothing to draw.
    """
    data = split_data(ctx, metric, crowd, first, last, by)
    draw = (lambda: draw_trend(data)) if isinstance(data, TrendData) else (lambda: draw_sizes(data))
    return saved(ctx, "split", f"{data.title} · {data.when}", draw)


# ---- drawing ------------------------------------------------------------------------------------------------
def draw_funnel(data: FunnelData) -> Figure:
    """Each crowd's bars are in proportion to its own visitors, so that the shapes of large and small crowds compare."""
    ax, y = page(data.title, data.when)
    left = MARGIN + max(width_of(ax, s.name, BODY) for b in data.blocks for s in b.stages) + 24
    room = WIDTH - MARGIN - left
    for block in data.blocks:  # the longest bars that leave every row its number and its ratio
        most = max(s.people for s in block.stages) or 1
        for s in block.stages:
            written = 14 + width_of(ax, s.shown, BODY, bold=True) + (32 + width_of(ax, s.rate, SMALL) if s.rate else 0)
            if s.people:
                room = min(room, (WIDTH - MARGIN - left - written) * most / s.people)
    for block in data.blocks:
        y += 78
        rate = width_of(ax, block.rate, BODY)
        (name,) = fit(ax, block.crowd, LEAD, WIDTH - 2 * MARGIN - rate - 40, 1, bold=True)
        put(ax, MARGIN, y, name, LEAD, bold=True)
        put(ax, WIDTH - MARGIN, y, block.rate, BODY, MUTED, align="right")
        most = max(s.people for s in block.stages) or 1
        y += 22
        for stage, color in zip(block.stages, BLUES, strict=True):
            length = max(room * stage.people / most, 3 if stage.people else 0)
            put(ax, MARGIN, y + 36, stage.name, BODY, MUTED)
            box(ax, left, y + 3, length, 44, color, "bar")
            put(ax, left + length + 14, y + 36, stage.shown, BODY, bold=True)
            if stage.rate:
                put(ax, WIDTH - MARGIN, y + 36, stage.rate, SMALL, MUTED, align="right")
            y += 54
        y += 6
    return finished(ax, y + 18, data.notes)


def draw_trend(data: TrendData) -> Figure:
    ax, y = page(data.title, data.when)
    column = (WIDTH - 2 * MARGIN) / 2
    bottom = y
    for i, head in enumerate(data.heads):
        x, at = MARGIN + i * column, y + 66
        put(ax, x, at, head.what, SMALL, MUTED)
        at += 72
        put(ax, x, at, head.shown, BIG, bold=True, width=column - 24)
        one = " · ".join(head.target)
        at += 8 if head.target else 0
        for line in (one,) if width_of(ax, one, SMALL) <= column - 24 else head.target:
            at += 42 if line else 0
            put(ax, x, at, line, SMALL, MUTED, width=column - 24)
        bottom = max(bottom, at)
    y = _phase_names(ax, data, bottom + 62)
    top, base = y, y + 500
    slot = (WIDTH - 2 * MARGIN) / len(data.days)
    for i, band in enumerate(data.bands):
        left, right = (MARGIN + edge * slot for edge in (band.begin, band.end))
        box(ax, left, top, right - left, base - top, BAND if i % 2 == 0 else WHITE, "band")
    shown = [v for d in data.days for v in (d.value, d.target) if v is not None]
    scale = (base - top - 70) / (max(shown) or 1)
    _plot(ax, data, slot, base, scale)
    box(ax, MARGIN, base, WIDTH - 2 * MARGIN, 2, MUTED, "base")
    _labels(ax, data, slot, base, scale)
    y = base + 46
    free = -1.0
    for i, day in reversed(list(enumerate(data.days))):
        if day.tick:
            width = width_of(ax, day.tick, SMALL)
            x = min(max(MARGIN + (i + 0.5) * slot, MARGIN + width / 2), WIDTH - MARGIN - width / 2)
            if free < 0 or x + width / 2 + 12 <= free:
                put(ax, x, y, day.tick, SMALL, MUTED, align="center")
                free = x - width / 2
    if data.legend:
        y += 66
        _legend(ax, data, y)
    return finished(ax, y + 30, data.notes)


def _phase_names(ax: Axes, data: TrendData, y: float) -> float:
    """The names over their bands, in as many rows as they need, each tied to its band's first day. Returns the bands' top.

    Rows fill from the right and from below: an earlier phase whose name does not fit goes up, so that its leader comes down
    to the left of the names below it.
    """
    slot = (WIDTH - 2 * MARGIN) / len(data.days)
    placed: list[tuple[str, float, float, float, int]] = []  # name, its band's begin, left, right, row from the lowest
    for band in reversed(data.bands):
        (name,) = fit(ax, band.name, SMALL, (WIDTH - 2 * MARGIN) / 2, 1)
        width, begin = width_of(ax, name, SMALL), MARGIN + band.begin * slot
        x = min(begin + 8, WIDTH - MARGIN - width)
        row = 0
        while any(x + width + 10 > b if r > row else x + width + 24 > left for _, b, left, _, r in placed if r >= row):
            row += 1
        placed.append((name, begin, x, x + width, row))
    top = y + max((row for *_, row in placed), default=0) * 42 + 18
    for name, begin, x, _, row in placed:
        at = top - 16 - row * 42
        put(ax, x, at, name, SMALL, MUTED)
        # A name moved in from the right edge stands over its leader, and may stand in the way of another one.
        crossed = any(left - 4 <= begin <= end + 4 for _, _, left, end, r in placed if r < row)
        upper = top - 8 if crossed else at - 24 if begin < x else at + 8
        box(ax, begin, upper, 2, top - upper, LEADER, "leader")
    return top


def _plot(ax: Axes, data: TrendData, slot: float, base: float, scale: float) -> None:
    """Bars, or for ratios a line with dots; a day that is not over is hollow. The target is a dashed step line."""
    wide = min(slot * 0.72, 120)
    dots = []
    for i, day in enumerate(data.days):
        x = MARGIN + (i + 0.5) * slot
        if day.value is None:
            dots.append((x, float("nan")))
            continue
        height = day.value * scale
        dots.append((x, base - height))
        if data.line:
            continue
        if day.partial:
            edge = min(4.0, wide / 4)
            box(ax, x - wide / 2, base - height, wide, height, WHITE, "partial")
            for side in (
                (x - wide / 2, base - height, wide, edge),
                (x - wide / 2, base - height, edge, height),
                (x + wide / 2 - edge, base - height, edge, height),
            ):
                box(ax, *side, BLUE, "edge")
        else:
            box(ax, x - wide / 2, base - height, wide, height, BLUE, "bar")
    if data.line:
        ax.plot(*zip(*dots, strict=True), color=BLUE, linewidth=points(5), zorder=3, gid="line")
        size = min(20.0, max(slot * 0.5, 8))
        for (x, top), day in zip(dots, data.days, strict=True):
            if day.value is not None:
                ax.plot(
                    [x], [top], "o", markersize=points(size), markeredgewidth=points(4), markeredgecolor=BLUE,
                    color=WHITE if day.partial else BLUE, zorder=4, gid="partial" if day.partial else "bar",
                )  # fmt: skip
    xs, ys = [], []
    for i, day in enumerate(data.days):
        level = float("nan") if day.target is None else base - day.target * scale
        xs += [MARGIN + i * slot, MARGIN + (i + 1) * slot]
        ys += [level, level]
    if any(d.target is not None for d in data.days):
        ax.plot(xs, ys, color=TARGET, linewidth=points(4), linestyle=(0, (3, 1.6)), zorder=5, gid="target")


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
        half = width_of(ax, text, SMALL, bold=True) / 2
        x = min(max(MARGIN + (i + 0.5) * slot, MARGIN + half), WIDTH - MARGIN - half)
        if any(x - half - 10 < right and left < x + half + 10 for left, right in taken):
            continue
        # Above the bar and, where a target line would cross the number, above that too.
        level = max(day.value or 0, 0) * scale
        begin, end = (int((edge - MARGIN) // slot) for edge in (x - half, x + half))
        for aim in sorted(d.target * scale for d in data.days[begin : end + 1] if d.target is not None):
            if level - 4 <= aim <= level + 52:
                level = aim
        put(ax, x, base - level - 16, text, SMALL, bold=True, align="center")
        taken.append((x - half, x + half))


def _legend(ax: Axes, data: TrendData, y: float) -> None:
    x = float(MARGIN)
    for what, text in data.legend.items():
        if what == "target":
            ax.plot([x, x + 52], [y - 10] * 2, color=TARGET, linewidth=points(4), linestyle=(0, (3, 1.6)), gid="legend")
            x += 66
        else:
            box(ax, x, y - 23, 26, 26, BLUE, "legend")
            if what == "partial":
                box(ax, x + 4, y - 19, 18, 18, WHITE, "legend")
            x += 38
        x += put(ax, x, y, text, SMALL, MUTED) + 44


def draw_sizes(data: SizesData) -> Figure:
    ax, y = page(data.title, data.when)
    most = max(r.value for r in data.rows) or 1
    full = WIDTH - 2 * MARGIN
    y += 12
    for row in data.rows:
        room = full - width_of(ax, row.shown, BODY, bold=True) - 32
        y += 66
        lines = fit(ax, row.name, BODY, room, 2)
        for i, line in enumerate(lines):
            put(ax, MARGIN, y + 42 * i, line, BODY)
        y += 42 * (len(lines) - 1)
        put(ax, WIDTH - MARGIN, y, row.shown, BODY, bold=True, align="right")
        y += 16
        box(ax, MARGIN, y, full, 28, TRACK, "track")
        box(ax, MARGIN, y, max(full * row.value / most, 4 if row.value else 0), 28, BLUE, "bar")
        y += 28
    return finished(ax, y + 30, data.notes)
