"""The daily briefing: where we are, what yesterday came to, what is at stake, what to do today; a phone screen and a half."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from knowledge import catalog
from tools import briefing_numbers as numbers
from tools import phases
from tools.briefing_changes import changes
from tools.briefing_money import money
from tools.briefing_numbers import MATTERS
from tools.briefing_table import SHORT, cell_fact, compared, table, verbatim
from tools.campaigns import Campaign, Phase, day_end, day_start
from tools.context import Context
from tools.errors import AskAgain
from tools.facts import Chart, ToolResult
from tools.lines import data_end, ends_before, stamp
from tools.plans import plan

MAX_DO, MAX_PREPARE = 5, 3
_DAY = timedelta(days=1)
_STALE = timedelta(days=7)
_CHART_DAYS = 14  # what a phone shows readably


def brief(ctx: Context) -> ToolResult:
    """The briefing of the moment's morning: yesterday and the campaign to date per crowd, money at stake, today's tasks.

    Days are compared only when the data holds all of yesterday. Outside every campaign it is short and pushes nobody.
    """
    told, short = numbers.told_until(ctx)
    data: dict[str, Any] = {"at": stamp(ctx.at), "notes": _notes(ctx, told, short), "rows": [], "money": []}
    here = phases.position(ctx)
    if here is None:
        return _outside(ctx, told, data)
    campaign, phase = here
    was = campaign.phase_at(ctx.at.date() - _DAY)
    yesterday = numbers.yesterday(ctx, told, (was or phase).kind, campaign, was)
    data |= {"campaign": campaign.key, "phase": phase.key}
    data["head"] = _head(ctx, campaign, phase, yesterday)
    data["where"] = _nearest_gate(ctx, campaign, phase)
    data |= changes(ctx, campaign, phase, yesterday)
    data |= table(ctx, yesterday, campaign if campaign.first <= yesterday.day else None)
    data["money"] = money(ctx, campaign, phase, told_all=yesterday.whole)
    data["watch"] = _gates(ctx, campaign)
    today = _today(ctx, phase)
    actions = today.actions
    prepare = today.data.get("prepare", [])
    data["prepare"] = prepare[:MAX_PREPARE]
    data["more"] = bool(today.data.get("more")) or len(prepare) > MAX_PREPARE
    data["donts"] = today.data.get("donts", [])
    data["assumed"] = today.data.get("assumed", [])
    charts = _chart(ctx, MATTERS[yesterday.kind], yesterday)
    shown = [*data.pop("cited"), *(n for a in actions for n in a.cites)]
    shown += [n for entry in [*data["prepare"], *data["donts"]] for n in entry["cites"]]
    citations = [c for c in ctx.sheet.citations if c.id in shown]
    return ToolResult(
        kind="brief", facts=ctx.sheet.facts, citations=citations, actions=actions, charts=charts, data=data
    )


def _notes(ctx: Context, told: datetime | None, short: list[str]) -> list[str]:
    """What must be read before the numbers: which data is not there, or ends before yesterday does."""
    behind = told is not None and told < day_end(ctx.at.date() - _DAY)
    if not behind or phases.position(ctx) is None:
        return ends_before(ctx, short, day_start(ctx.at.date()))
    names = ctx.say("join.list").join(catalog.tables()[t].name.get(ctx.lang) for t in short)
    return [ctx.say("brief.short", tables=names, moment=data_end(ctx).display)]


def _outside(ctx: Context, told: datetime | None, data: dict[str, Any]) -> ToolResult:
    """Between campaigns, or in a gap of one: the calendar and yesterday of the whole shop; nobody is pushed."""
    yesterday = numbers.yesterday(ctx, told, "prepare", None, None)
    inside = ctx.inside
    data["head"] = ctx.say("brief.gap" if inside else "brief.outside", figure=_figure(ctx, "paid_amount", yesterday))
    data["where"] = ctx.say("brief.no_push")
    data["lines"] = [] if inside else phases.outside_lines(ctx)
    data |= table(ctx, yesterday, None, crowds=("all",))
    data["watch"] = _gates(ctx, inside) if inside else []
    charts = _chart(ctx, "paid_amount", yesterday)
    return ToolResult(kind="brief", facts=ctx.sheet.facts, charts=charts, data=data)


def _head(ctx: Context, campaign: Campaign, phase: Phase, yesterday: numbers.Yesterday) -> str:
    n = phases.days_between(ctx, ctx.say("label.day_number"), day_start(phase.first), ctx.at)
    m = phases.days_between(ctx, ctx.say("label.phase_days"), day_start(phase.first), day_start(phase.last))
    where = ctx.say(
        "phase.where",
        campaign=verbatim(ctx, campaign.name.get(ctx.lang)),
        phase=verbatim(ctx, phase.name.get(ctx.lang)),
        n=n.display,
        m=m.display,
    )
    key = MATTERS[yesterday.kind]
    return ctx.say("brief.head", where=where, figure=_figure(ctx, key, yesterday, campaign))


def _figure(ctx: Context, key: str, yesterday: numbers.Yesterday, campaign: Campaign | None = None) -> str:
    """昨天成交额 ¥386,200，比目标节奏快 4.0%; without targets, against the day before."""
    if yesterday.over is None:
        return ctx.say("brief.no_yesterday")
    cell = yesterday.cells["all", key]
    fact = cell_fact(ctx, cell, ctx.say("when.yesterday"), yesterday.over)
    name = ctx.say(SHORT[key])
    if not yesterday.whole:
        until = yesterday.over.until
        clock = ctx.sheet.moment(ctx.say("label.as_of"), until, until.strftime("%H:%M"))
        return ctx.say("brief.figure_until", name=name, value=fact.display, clock=clock.display)
    figure = ctx.say("brief.figure", name=name, value=fact.display)
    in_campaign = campaign is not None and campaign.first <= yesterday.day
    pace = numbers.pace(ctx, campaign, key, yesterday.day, cell) if campaign and in_campaign else None
    if pace is not None:
        words = ("brief.pace_ahead", "brief.pace_behind", "brief.pace_same")
        if not pace.whole:
            words = ("brief.target_above", "brief.target_below", "brief.target_same")
        return figure + compared(ctx, pace.ratio, pace.query, words)
    # Two phases are two things: there the same day of the last campaign is what the day stands against, if anything.
    turned = campaign is not None and numbers.begins_phase(ctx, campaign, yesterday.day)
    before = (yesterday.last if turned else yesterday.previous).get(("all", key))
    if cell.value is None or before is None or not before.value:
        return figure
    query = f"SELECT ({cell.query}) * 1.0 / ({before.query}) - 1"
    words = ("brief.previous_up", "brief.previous_down", "brief.previous_same")
    if turned:
        words = ("brief.last_up", "brief.last_down", "brief.last_same")
    return figure + compared(ctx, cell.value / before.value - 1, query, words)


def _nearest_gate(ctx: Context, campaign: Campaign, phase: Phase) -> str | None:
    gate = phases.next_gate(campaign, phase, ctx)
    if gate is None:
        return None
    hours = phases.hours_until(ctx, ctx.say("label.hours_to", gate=gate[0]), gate[1])
    return ctx.say("brief.next", gate=verbatim(ctx, gate[0]), hours=hours.display)


def _gates(ctx: Context, campaign: Campaign) -> list[str]:
    lines = []
    for name, at, ends in phases.gates_ahead(campaign, ctx):
        shown = phases.gate_fact(ctx, name, at, ends)
        left = phases.hours_until(ctx, ctx.say("label.hours_to", gate=name), at)
        lines.append(ctx.say("phase.gate_line", moment=shown.display, name=verbatim(ctx, name), hours=left.display))
    return lines


def _today(ctx: Context, phase: Phase) -> ToolResult:
    """The task list of the day; where the playbooks list nothing (a review, a preparation), the moves for un-paid people."""
    listed = plan(ctx, limit=MAX_DO)
    if listed.actions or listed.data.get("prepare"):
        return listed
    return plan(ctx, "cart_unpaid")


def _chart(ctx: Context, key: str, yesterday: numbers.Yesterday) -> list[Chart]:
    """The trend of the phase's number up to the last day that is known; none without data."""
    from tools import charts

    if yesterday.told is None or ctx.at - yesterday.told > _STALE:
        return []  # nothing, or a picture of last month
    last = min(yesterday.day, yesterday.told.date())
    try:
        return [charts.trend(ctx, key, "all", last - (_CHART_DAYS - 1) * _DAY, last)]
    except AskAgain:
        return []  # nothing to draw: the briefing goes without a picture
