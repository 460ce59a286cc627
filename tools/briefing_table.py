"""The briefing's table: each panel crowd's numbers of yesterday, the day before, the last campaign's same day, and to date."""

from __future__ import annotations

from typing import Any

from knowledge import catalog
from tools import briefing_numbers as numbers
from tools import metrics, wording
from tools.briefing_numbers import PANEL, Cells, Yesterday
from tools.campaigns import Campaign, day_start
from tools.context import Context
from tools.facts import Fact
from tools.lines import literal
from tools.periods import Window

_SAME = 0.0005  # a smaller change is none
# Short names for a line of several numbers; the whole names are in metrics.yaml.
SHORT = {
    "visitors": "brief.visitors",
    "carters": "brief.carters",
    "deposit_buyers": "brief.deposit_buyers",
    "buyers": "brief.buyers",
    "paid_amount": "brief.paid_amount",
}


def cell_fact(ctx: Context, cell: metrics.Cell, when: str, over: Window, shown: str | None = None) -> Fact:
    m = catalog.metrics()[cell.metric]
    crowd = catalog.crowds()[cell.crowd].name.get(ctx.lang)
    label = ctx.say("label.metric", crowd=crowd, metric=m.name.get(ctx.lang), when=when)
    return ctx.sheet.add(
        label,
        cell.value,
        m.unit,
        cell.query,
        shown=shown,
        metric=cell.metric,
        crowd=cell.crowd,
        window=over,
        at=over.until,
    )


def percent(change: float) -> str:
    """4.2% · 34% · 1,017%: a change of many percent needs no decimals."""
    return f"{change * 100:.1f}%" if change < 0.0995 else f"{change * 100:,.0f}%"


def compared(ctx: Context, change: float, query: str, words: tuple[str, str, str]) -> str:
    """`words`: the texts for more, less and the same."""
    if abs(change) < _SAME:
        return ctx.say(words[2])
    by = ctx.sheet.add(ctx.say("label.change"), change, "ratio", query, shown=percent(abs(change)))
    return ctx.say(words[0 if change > 0 else 1], by=by.display)


def verbatim(ctx: Context, text: str) -> str:
    """A name of the merchant's calendar, which may hold a numeral of its own."""
    return ctx.sheet.text(ctx.say("brief.label_name"), text, literal(text)).display


def table(
    ctx: Context, yesterday: Yesterday, campaign: Campaign | None, crowds: tuple[str, ...] = PANEL
) -> dict[str, Any]:
    """Rows of fact ids: each crowd's numbers of yesterday, the day before, the last campaign's same day, and to date."""
    spans = _spans(ctx, yesterday, campaign, crowds)
    out: dict[str, Any] = {"columns": [ctx.say(SHORT[k]) for k in yesterday.keys[:-1]]}
    out["ratio"] = catalog.metrics()[yesterday.keys[-1]].name.get(ctx.lang)
    whens = {
        "yesterday": ctx.say("when.yesterday"),
        "previous": ctx.say("brief.when_previous"),
        "last": ctx.say("brief.when_last"),
        "to_date": ctx.say("brief.when_to_date"),
    }
    out["days"] = {tag: _days(ctx, over) for tag, (_, over) in spans.items()}
    out["last_missing"] = _why_no_last(ctx, campaign, yesterday) if yesterday.whole and campaign else None
    rows = []
    for crowd in crowds if spans else ():
        numbers_of = {
            tag: [
                cell_fact(ctx, cells[crowd, key], whens[tag], over, _plain(cells[crowd, key])).id
                for key in yesterday.keys
            ]
            for tag, (cells, over) in spans.items()
        }
        rows.append({"crowd": crowd, "name": catalog.crowds()[crowd].name.get(ctx.lang), **numbers_of})
    out["rows"] = rows
    out["changes"] = {
        tag: [_signed(ctx, yesterday.cells["all", k], spans[tag][0]["all", k]) for k in yesterday.keys[:-1]]
        for tag in ("previous", "last")
        if tag in spans
    }
    return out


def _spans(
    ctx: Context, yesterday: Yesterday, campaign: Campaign | None, crowds: tuple[str, ...]
) -> dict[str, tuple[Cells, Window]]:
    """The cells and windows that a row holds, as far as there are any."""
    if yesterday.told is None:
        return {}
    spans: dict[str, tuple[Cells, Window]] = {}
    if yesterday.over is not None:
        spans["yesterday"] = (yesterday.cells, yesterday.over)
        if yesterday.previous:
            spans["previous"] = (yesterday.previous, yesterday.over.shifted(-1, whole=True))
        if yesterday.last and yesterday.last_over is not None:
            spans["last"] = (yesterday.last, yesterday.last_over)
    if campaign is not None and yesterday.told >= day_start(campaign.first):
        to_date = Window(campaign.first, yesterday.told.date(), yesterday.told)
        if to_date != yesterday.over:  # on the second day the campaign to date is yesterday
            spans["to_date"] = (numbers.panel(ctx, yesterday.keys, crowds, to_date), to_date)
    return spans


def _plain(cell: metrics.Cell) -> str | None:
    """In a row of numbers people go without their unit."""
    people = catalog.metrics()[cell.metric].unit == "people"
    return f"{cell.value:,.0f}" if people and cell.value is not None else None


def _signed(ctx: Context, now: metrics.Cell, before: metrics.Cell) -> str:
    """The id of a fact that reads +118%."""
    query = f"SELECT ({now.query}) * 1.0 / nullif(({before.query}), 0) - 1"
    if now.value is None or not before.value:
        return ctx.sheet.add(ctx.say("label.change"), None, "ratio", query).id
    change = now.value / before.value - 1
    if abs(change) < _SAME:
        return ctx.sheet.add(ctx.say("label.change"), change, "ratio", query, shown="0%").id
    shown = f"{'+' if change > 0 else '-'}{percent(abs(change))}"
    return ctx.sheet.add(ctx.say("label.change"), change, "ratio", query, shown=shown).id


def _days(ctx: Context, over: Window) -> str:
    """6 月 16 日 · 5 月 1 日–6 月 16 日; with the year where it is another one, with the time where the day is not whole."""
    ends = []
    for day in dict.fromkeys((over.first, over.last)):
        shown = wording.day(day, ctx.lang, year=day.year != ctx.at.year)
        ends.append(ctx.sheet.moment(ctx.say("label.period"), day_start(day), shown).display)
    text = "–".join(ends)
    if over.partial:
        clock = ctx.sheet.moment(ctx.say("label.as_of"), over.until, over.until.strftime("%H:%M"))
        text += ctx.say("when.until", clock=clock.display)
    return text


def _why_no_last(ctx: Context, campaign: Campaign, yesterday: Yesterday) -> str | None:
    phase = campaign.phase_at(yesterday.day)
    if yesterday.last or phase is None:
        return None
    earlier, twin = numbers.same_day_before(ctx, campaign, phase, yesterday.day)
    if earlier is None:
        return ctx.say("brief.last_none", campaign=verbatim(ctx, campaign.name.get(ctx.lang)))
    if twin is None:
        return ctx.say("brief.last_no_day", phase=verbatim(ctx, phase.name.get(ctx.lang)))
    day = ctx.sheet.moment(ctx.say("label.period"), day_start(twin), wording.day(twin, ctx.lang, year=True))
    return ctx.say("brief.last_no_data", day=day.display)
