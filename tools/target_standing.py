"""A target beside what has been reached of it: the parts of an answer about targets that stand in one sentence."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from knowledge import catalog
from knowledge.catalog import MetricDef
from tools import metrics, targets, wording
from tools.briefing_numbers import panel
from tools.campaigns import Campaign, day_end, day_start
from tools.context import Context
from tools.facts import Fact, display
from tools.periods import Window
from tools.target_levers import Number

SpanName = Literal["campaign", "wave", "phase", "day", "days"]
SAME = 0.0005  # a smaller difference is none


@dataclass(frozen=True)
class Asked:
    """What is asked about: a metric of a crowd in a campaign. `what` is how it is called, `told` up to when there is data."""

    campaign: Campaign
    key: str
    crowd: str
    what: str
    told: datetime | None

    @property
    def metric(self) -> MetricDef:
        return catalog.metrics()[self.key]


@dataclass(frozen=True)
class Span:
    """The days that a target is of."""

    kind: SpanName
    name: str
    first: date
    last: date


@dataclass(frozen=True)
class Standing:
    """A span, its target if the shop has set one, and its number so far; `over` is None where nothing can be told of it yet."""

    span: Span
    goal: targets.Goal | None
    cell: metrics.Cell | None
    over: Window | None

    @property
    def now(self) -> Number | None:
        return None if self.cell is None or self.cell.value is None else Number(self.cell.value, self.cell.query)

    @property
    def missing(self) -> Number | None:
        """What is missing to the target; below 0 where there is more than that."""
        if self.goal is None or self.cell is None or self.cell.value is None:
            return None
        return Number(self.goal.value - self.cell.value, f"SELECT ({self.goal.query}) - ({self.cell.query})")


def standing(ctx: Context, asked: Asked, span: Span) -> Standing:
    if span.kind == "campaign":
        goal = targets.of_campaign(ctx.engine, asked.campaign, asked.crowd, asked.key, ctx.shop.campaigns, ctx.at)
    else:
        goal = targets.of_days(ctx.engine, asked.campaign, asked.crowd, asked.key, span.first, span.last)
    if asked.told is None or asked.told < day_start(span.first):
        return Standing(span, goal, None, None)
    over = Window(span.first, min(span.last, asked.told.date()), min(day_end(span.last), asked.told))
    return Standing(span, goal, panel(ctx, [asked.key], [asked.crowd], over)[asked.crowd, asked.key], over)


def sentence(ctx: Context, asked: Asked, s: Standing) -> str:
    """Actual, target, share reached and gap; without a target the actual, before the beginning the target."""
    said = {"span": s.span.name, "what": asked.what}
    if s.cell is None or s.cell.value is None or s.over is None:
        ahead = ctx.at < day_start(s.span.first)
        if s.goal is None:
            return ctx.say("goal.ahead_none" if ahead else "goal.nothing", **said)
        return ctx.say("goal.ahead" if ahead else "goal.no_data", goal=_goal(ctx, asked, s, s.goal).display, **said)
    label = ctx.say("goal.label_actual", **said)
    said["actual"] = ctx.sheet.add(
        label, s.cell.value, asked.metric.unit, s.cell.query,
        metric=asked.key, crowd=asked.crowd, window=s.over, at=s.over.until,
    ).display  # fmt: skip
    missing = s.missing
    done = s.over.until >= day_end(s.span.last)
    if s.goal is None or missing is None:
        return ctx.say("goal.none_ended" if done else "goal.none", **said)
    said["goal"] = _goal(ctx, asked, s, s.goal).display
    label = ctx.say("goal.label_gap", **said)
    unit = asked.metric.unit
    if unit == "ratio":
        same = abs(missing.value) < SAME
        unit = "ratio" if asked.metric.multiple else "points"
        shown = display(abs(missing.value), unit, ctx.lang, multiple=asked.metric.multiple)
        gap = ctx.sheet.add(label, missing.value, unit, missing.query, shown=shown)
        key = "goal.rate_same" if same else "goal.rate_below" if missing.value > 0 else "goal.rate_above"
        return ctx.say(key, gap=gap.display, **said)
    gap = amount(ctx, asked, label, missing)
    share = ""
    if s.goal.value:
        query = f"SELECT ({s.cell.query}) * 1.0 / ({s.goal.query})"
        reached = ctx.sheet.add(ctx.say("goal.label_share", **said), s.cell.value / s.goal.value, "ratio", query)
        share = ctx.say("goal.share", share=reached.display)
    key = "goal.reached" if missing.value <= 0 else "goal.missed" if done else "goal.short"
    return ctx.say(key, share=share, gap=gap.display, **said)


def _goal(ctx: Context, asked: Asked, s: Standing, goal: targets.Goal) -> Fact:
    label = ctx.say("goal.label_goal", span=s.span.name, what=asked.what)
    return ctx.sheet.add(label, goal.value, asked.metric.unit, goal.query, metric=asked.key, crowd=asked.crowd)


def amount(ctx: Context, asked: Asked, label: str, number: Number) -> Fact:
    """A number of the metric's kind, shown without its sign."""
    unit = asked.metric.unit
    value = abs(number.value)
    shown = display(round(value) if value >= 1 else value, unit, ctx.lang, ctx.sheet.currency)
    return ctx.sheet.add(label, number.value, unit, number.query, shown=shown, crowd=asked.crowd)


def day_name(ctx: Context, day: date) -> str:
    """A day as a fact, with its year where it is another one."""
    shown = wording.day(day, ctx.lang, year=day.year != ctx.at.year)
    return ctx.sheet.moment(ctx.say("label.period"), day_start(day), shown).display


def days_name(ctx: Context, first: date, last: date, *, year: bool = True) -> str:
    """6 月 4 日–6 月 20 日; with `year`, that of days of another one, once where it is the same."""
    shown = []
    for day, told in ((first, year), (last, year and first.year != last.year)):
        named = wording.day(day, ctx.lang, year=told and day.year != ctx.at.year)
        shown.append(ctx.sheet.moment(ctx.say("label.period"), day_start(day), named).display)
    return shown[0] if first == last else "–".join(shown)


def apart(ctx: Context, name: str) -> str:
    """A name such as 618 or 双11 among Chinese characters: with a blank where it begins or ends in none of them."""
    if ctx.lang != "zh" or not name:
        return name
    return f"{' ' * name[0].isascii()}{name}{' ' * name[-1].isascii()}"
