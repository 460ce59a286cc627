"""What will stand on a chart: every label with a numeral is the display of a fact on the context's sheet. Nothing is drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

import prompts
from knowledge import catalog
from tools import audience, metric_notes, metrics, names, reports, wording
from tools import lines as lines_of
from tools.briefing_numbers import reaches
from tools.campaigns import campaign_for, day_end, day_start
from tools.compare import Compared, compare
from tools.context import Context
from tools.errors import AskAgain
from tools.periods import Window, window
from tools.status import data_until

MAX_FUNNELS, MAX_SIZES, MAX_DAYS = 6, 12, 100
_LABELLED_BARS = 8  # so few days have a number each; of more, only the highest
_NEAR_MIDNIGHT = timedelta(hours=1)  # data that ends so late in a day has the whole day
_STAGES = {"visitors": "chart.visitors", "carters": "chart.carters", "buyers": "chart.buyers"}
_STEPS = {"visit_cart_rate": "chart.visit_cart", "cart_pay_rate": "chart.cart_pay"}


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
    value: float
    shown: str


@dataclass(frozen=True)
class SizesData:
    title: str
    when: str
    rows: tuple[Row, ...]
    notes: tuple[str, ...]


def funnel_data(ctx: Context, crowds: list[str], first: date, last: date) -> FunnelData:
    audiences = audiences_of(ctx, crowds, MAX_FUNNELS)
    over = days_of(ctx, first, last)
    scope = metrics.scope_of(over, ctx.shop.campaigns, ctx.shop.settings)
    keys = [*_STAGES, *_STEPS, "visit_pay_rate"]
    cells = {(c.crowd, c.metric): c for c in metrics.compute(ctx.engine, keys, audiences, over, scope)}
    if not any(c.value for c in cells.values()):
        raise nothing_to_draw({lang: names_of(audiences, lang) for lang in prompts.LANGS}, over)
    when = sentence(reports.when(ctx, over))

    def shown(crowd: str, name: str, key: str) -> str:
        cell, metric = cells[crowd, key], catalog.metrics()[key]
        label = ctx.say("label.metric", crowd=name, metric=metric.name.get(ctx.lang), when=when)
        return ctx.sheet.add(
            label, cell.value, metric.unit, cell.query, metric=key, crowd=crowd, window=over, at=over.until
        ).display

    blocks = []
    for crowd in audiences:
        name = shown_name(ctx, crowd)
        rates = {rate: ctx.say(text, rate=shown(crowd, name, rate)) for rate, text in _STEPS.items()}
        stages = tuple(
            Stage(ctx.say(text), int(cells[crowd, key].value or 0), shown(crowd, name, key), rate)
            for (key, text), rate in zip(_STAGES.items(), (None, *rates.values()), strict=True)
        )
        whole = ctx.say("chart.visit_pay", rate=shown(crowd, name, "visit_pay_rate"))
        blocks.append(Block(sentence(name), whole, stages))
    notes = (*metric_notes.missing_data(ctx, list(_STAGES), over), ctx.say("chart.cart_pay_note"))
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
    key, (audience_key,) = names.metric_key(metric), audiences_of(ctx, [crowd], 1)
    definition = catalog.metrics()[key]
    over = days_of(ctx, first, last)
    if over.days > MAX_DAYS:
        raise AskAgain("chart_too_long", most=MAX_DAYS, found=over.days)
    scope = metrics.scope_of(over, ctx.shop.campaigns, ctx.shop.settings)
    cells = metrics.compute(ctx.engine, [key], [audience_key], over, scope, "day")
    aims = compare(ctx.engine, cells, "target", over, ctx.shop, "day")
    title = {
        lang: prompts.text("chart.trend", lang, crowd=names_of([audience_key], lang), metric=definition.name.get(lang))
        for lang in prompts.LANGS
    }
    s = _Series(over, _known_until(ctx, key, over), key, audience_key, shown_name(ctx, audience_key), cells, aims)
    known = [i for i in range(over.days) if s.value(i) is not None]
    if not any(s.value(i) for i in known):
        raise nothing_to_draw(title, over)
    when = sentence(reports.when(ctx, over))
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
        title=sentence(ctx.say("chart.trend", crowd=s.name, metric=definition.name.get(ctx.lang))),
        when=when,
        line=definition.unit == "ratio",
        days=tuple(days),
        bands=_bands(ctx, over),
        heads=tuple(heads),
        legend=legend,
        notes=tuple(metric_notes.missing_data(ctx, parts_of(key), over)),
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
    audiences = audiences_of(ctx, crowds, MAX_SIZES)
    counted = audience.sizes(ctx.engine, audiences, ctx.scope)
    if not any(c.people for c in counted.values()):
        today = Window(ctx.at.date(), ctx.at.date(), ctx.at)
        raise nothing_to_draw({lang: names_of(audiences, lang) for lang in prompts.LANGS}, today)
    at = f"{wording.day(ctx.at.date(), ctx.lang)} {ctx.at:%H:%M}"
    when = ctx.sheet.moment(ctx.say("label.as_of"), ctx.at, at).display
    rows = []
    for key in sorted(audiences, key=lambda k: -counted[k].people):
        name, n = shown_name(ctx, key), counted[key]
        label = ctx.say("label.size", crowd=name)
        fact = ctx.sheet.add(label, n.people, "people", n.query, metric="crowd_size", crowd=key)
        rows.append(Row(sentence(name), n.people, fact.display))
    return SizesData(ctx.say("chart.sizes"), when, tuple(rows), tuple(lines_of.data_notes(ctx)))


def audiences_of(ctx: Context, crowds: Sequence[str], most: int) -> list[str]:
    """The crowds as canonical expressions, each once; AskAgain when there are none or more than `most`."""
    if not crowds:
        raise AskAgain("chart_no_crowds")
    out = list(dict.fromkeys(audience.canonical(audience.read(ctx.engine, c)) for c in crowds))
    if len(out) > most:
        raise AskAgain("chart_too_many", most=most, found=len(out))
    return out


def names_of(audiences: Sequence[str], lang: str) -> str:
    return ("、" if lang == "zh" else ", ").join(audience.label(audience.parse(a), lang) for a in audiences)


def shown_name(ctx: Context, crowd: str) -> str:
    return lines_of.crowd_name(ctx, audience.parse(crowd))


def _verbatim(ctx: Context, text: str) -> str:
    """A name of the catalogue or the shop; one with a numeral in it (618, 双11) is a fact like every number drawn."""
    if any(c.isnumeric() for c in text):
        ctx.sheet.text(ctx.say("chart.name"), text, lines_of.literal(text))
    return text


def sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def days_of(ctx: Context, first: date, last: date) -> Window:
    """The window first..last up to what is known; AskAgain when it has not begun or begins after the data ends."""
    over = window(first, last, lines_of.known_until(ctx))
    ends = [end for end in data_until(ctx.engine).values() if end is not None]
    if ends and max(ends) < day_start(over.first):
        raise AskAgain("no_data_yet", until=max(ends).strftime("%Y-%m-%d %H:%M"), first=over.first.isoformat())
    return over


def parts_of(key: str) -> list[str]:
    m = catalog.metrics()[key]
    return [p for p in (m.numerator, m.denominator) if p and p in catalog.metrics()] or [key]


def _known_until(ctx: Context, key: str, over: Window) -> datetime:
    """Up to when a metric is known in the window: to its end, or to the end of the data where that is on an earlier day than
    today. A day that the data tells as late as it usually does is whole."""
    tables = metric_notes.tables_of(parts_of(key))
    known = [(end, table) for table, end in data_until(ctx.engine).items() if end is not None and table in tables]
    end, table = min(known, default=(over.until, ""))
    if end >= over.until or end.date() == ctx.at.date():  # the window itself ends where today's data ends
        return over.until
    whole = day_end(end.date())
    return whole if whole - end <= _NEAR_MIDNIGHT or reaches(ctx.engine, table, end, end.date()) else end


def nothing_to_draw(what: dict[str, str], over: Window) -> AskAgain:
    when = {lang: wording.span(over.first, over.last, lang) for lang in prompts.LANGS}
    return AskAgain("chart_empty", what=what, when=when)


def _day(ctx: Context, on: date, *, short: bool = False) -> str:
    """A day as a fact: 6 月 17 日, or for the axis 6/17."""
    shown = _short(on, ctx.lang) if short else wording.day(on, ctx.lang)
    return ctx.sheet.moment(ctx.say("label.period"), day_start(on), shown).display


def _short(on: date, lang: str) -> str:
    return f"{on.month}/{on.day}" if lang == "zh" else wording.day(on, lang)
