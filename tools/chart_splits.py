"""What will stand on the chart of a metric that is split: columns for the hours of the day, bars for items, channels, …"""

from __future__ import annotations

from datetime import date

import prompts
from knowledge import catalog
from tools import metric_notes, metrics, names, reports, splits
from tools.chart_data import (
    MAX_SIZES,
    Day,
    Head,
    Row,
    SizesData,
    TrendData,
    audiences_of,
    days_of,
    names_of,
    nothing_to_draw,
    parts_of,
    sentence,
    shown_name,
)
from tools.context import Context
from tools.measures import LINES, NO_VALUE
from tools.periods import Window

HOURS = [f"{h:02}" for h in range(24)]
_TICKS = 3  # hours between two that are named


def split_data(ctx: Context, metric: str, crowd: str, first: date, last: date, by: str) -> TrendData | SizesData:
    """A metric of a crowd over first..last by hour (columns in time) or by another breakdown (bars, the largest first).

    AskAgain when the metric cannot be split like that or there is nothing to draw.
    """
    key, (audience,) = names.metric_key(metric), audiences_of(ctx, [crowd], 1)
    splits.fitting([key], by)
    over = days_of(ctx, first, last)
    scope = metrics.scope_of(over, ctx.shop.campaigns, ctx.shop.settings)
    cells = splits.ordered(metrics.compute(ctx.engine, [key], [audience], over, scope, by), [audience], by, key)
    if not any(c.value for c in cells):
        raise nothing_to_draw({lang: _title(key, names_of([audience], lang), by, lang) for lang in prompts.LANGS}, over)
    name, when = shown_name(ctx, audience), sentence(reports.when(ctx, over))
    title = sentence(_title(key, name, by, ctx.lang))
    chart = _Chart(ctx, over, key, audience, name, by)
    notes = [*metric_notes.missing_data(ctx, parts_of(key), over), *metric_notes.origins(ctx, [key], over, ())]
    if by == "hour":
        whole = metrics.compute(ctx.engine, [key], [audience], over, scope)[0]
        return TrendData(
            title=title,
            when=when,
            line=catalog.metrics()[key].unit == "ratio",
            days=chart.hours(cells),
            bands=(),
            heads=(Head(when, chart.value(whole), ()), chart.peak(cells)),
            notes=tuple(notes),
        )
    if len(cells) > MAX_SIZES:
        notes.append(ctx.say("note.more_rows", by=by))
    return SizesData(title, when, chart.bars(cells[:MAX_SIZES]), tuple(notes))


def _title(key: str, crowd: str, by: str, lang: str) -> str:
    said, metric = prompts.text(f"by.{by}", lang), catalog.metrics()[key].name.get(lang)
    return prompts.text("chart.split", lang, crowd=crowd, metric=metric, by=said)


class _Chart:
    """One metric of one crowd over some days: its cells as what is drawn, each number a fact."""

    def __init__(self, ctx: Context, over: Window, key: str, audience: str, name: str, by: str) -> None:
        self.ctx, self.over, self.key, self.audience, self.name, self.by = ctx, over, key, audience, name, by

    def value(self, cell: metrics.Cell, of: str = "", *, bare: bool = False) -> str:
        """The number of a cell; `bare`: people without the word, which the title says."""
        metric = catalog.metrics()[self.key]
        label = self.ctx.say("label.metric", crowd=self.name, metric=metric.name.get(self.ctx.lang), when=of)
        shown = f"{cell.value:,.0f}" if bare and metric.unit == "people" and cell.value is not None else None
        return self.ctx.sheet.add(
            label, cell.value, metric.unit, cell.query, shown=shown, metric=self.key, crowd=self.audience,
            window=self.over, at=self.over.until,
        ).display  # fmt: skip

    def hours(self, cells: list[metrics.Cell]) -> tuple[Day, ...]:
        """24 columns. An hour in which nothing happened is 0, of a ratio without a value; one that is ahead has none."""
        found = {c.by: c for c in cells}
        counted = catalog.metrics()[self.key].unit in ("people", "count") or self.key in LINES
        highest = max(cells, key=lambda c: c.value or 0)
        named = splits.called(self.ctx, self.by, HOURS)
        now = f"{self.over.until:%H}" if self.over.partial and self.over.days == 1 else None
        out = []
        for i, hour in enumerate(HOURS):
            cell = found.get(hour)
            value = cell.value if cell else 0 if counted and not (now and hour >= now) else None
            label = self.value(highest, named[hour], bare=True) if cell is highest else None
            tick = splits.fact_of_value(self.ctx, self.by, hour, named[hour]) if i % _TICKS == 0 else None
            out.append(Day(value, None, hour == now and value is not None, label, tick))
        return tuple(out)

    def peak(self, cells: list[metrics.Cell]) -> Head:
        highest = max(cells, key=lambda c: c.value or 0)
        name = splits.called(self.ctx, self.by, [highest.by])[highest.by or NO_VALUE]
        shown = splits.fact_of_value(self.ctx, self.by, highest.by, name)
        return Head(self.ctx.say("chart.peak", when=shown), self.value(highest, shown), ())

    def bars(self, cells: list[metrics.Cell]) -> tuple[Row, ...]:
        named = splits.called(self.ctx, self.by, (c.by for c in cells))
        rows = []
        for cell in cells:
            name = splits.fact_of_value(self.ctx, self.by, cell.by, named[cell.by or NO_VALUE])
            own = self.by in ("lifecycle", "channel") or cell.by in (
                None,
                NO_VALUE,
            )  # a shop's own words stay as they are
            rows.append(Row(sentence(name) if own else name, max(cell.value or 0, 0), self.value(cell, name)))
        return tuple(rows)
