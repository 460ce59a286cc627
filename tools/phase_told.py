"""What is told of where we are, or of the days asked for: the tool `phase`."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from tools import wording
from tools.campaigns import Campaign, Phase, campaign_on, day_start
from tools.context import Context
from tools.errors import AskAgain
from tools.facts import ToolResult
from tools.lines import literal
from tools.periods import parse_day
from tools.phases import (
    day_line,
    days_between,
    gate_fact,
    gates_ahead,
    hours_until,
    location_line,
    outside_lines,
    position,
)


def phase(ctx: Context, campaign: str | None = None, first: str | None = None, last: str | None = None) -> ToolResult:
    """Where we are: campaign, phase, day n of m, what un-paid means, next gates, calendar.

    campaign: another one's key (618, double11, …). first, last: days asked about (YYYY-MM-DD). AskAgain when the shop has no
    such campaign.
    """
    asked = (parse_day(first), parse_day(last)) if first and last else None
    here = position(ctx)
    if campaign is not None and (here is None or campaign != here[0].key):
        return _other_campaign(ctx, campaign, asked)
    if asked and not _is_now(ctx, *asked):
        return _other_days(ctx, *asked)
    if here is None:
        between = ctx.inside is not None
        head = ctx.say("phase.in_gap" if between else "phase.outside")
        gates = _gate_lines(ctx, ctx.inside) if ctx.inside else []
        lines = outside_lines(ctx) if not between else []
        data = {"inside": False, "head": head, "lines": lines, "gates": gates, "calendar": []}
        return ToolResult(kind="phase", facts=ctx.sheet.facts, data=data)
    mine, current = here
    data = {
        "inside": True,
        "head": location_line(ctx, mine, current),
        "lines": [_unpaid(ctx, current, "phase.unpaid_means")],
        "gates": _gate_lines(ctx, mine),
        "calendar": _calendar(ctx, mine),
        "campaign": mine.key,
        "phase": current.key,
    }
    return ToolResult(kind="phase", data=data, facts=ctx.sheet.facts)


def _other_campaign(ctx: Context, key: str, asked: tuple[date, date] | None) -> ToolResult:
    """The calendar of a campaign we are not in: the running or next instance, else the latest; first the phases asked about."""
    mine = [c for c in ctx.shop.campaigns if c.key == key]
    if not mine:
        known = ", ".join(dict.fromkeys(c.key for c in ctx.shop.campaigns)) or "—"
        raise AskAgain("unknown_campaign", name=key, nearest=known)
    chosen = next((c for c in mine if c.last >= ctx.at.date()), mine[-1])
    # Days without a year are read as the last ones of that name; who asks when something is means the next ones.
    named = {p.key for c in mine for p in _touched(c, asked)} if asked else set()
    phases = [p for p in chosen.phases if p.key in named]
    data: dict[str, Any] = {
        "inside": False,
        "head": _span_line(ctx, chosen),
        "lines": [_phase_line(ctx, p) for p in phases] if len(phases) < len(chosen.phases) else [],
        "gates": [],
        "calendar": _calendar(ctx, chosen),
        "campaign": key,
    }
    return ToolResult(kind="phase", facts=ctx.sheet.facts, data=data)


def _other_days(ctx: Context, first: date, last: date) -> ToolResult:
    """Where other days than today are: a day in its phase, several by the phases they touch; then where we are now."""
    here = position(ctx)
    now = [ctx.say("phase.now", where=location_line(ctx, *here) if here else ctx.say("phase.outside_now"))]
    campaign = campaign_on(first, ctx.shop.campaigns)
    touched = _touched(campaign, (first, last)) if campaign else []
    data: dict[str, Any] = {
        "inside": here is not None,
        "gates": [],
        "calendar": _calendar(ctx, campaign) if campaign else [],
    }
    if here:
        data |= {"campaign": here[0].key, "phase": here[1].key}
    if first == last:
        shown = ctx.sheet.moment(
            ctx.say("label.day_asked"), day_start(first), wording.day(first, ctx.lang, year=True)
        ).display
        if campaign is None or not touched:
            head = ctx.say("phase.day_in_gap" if campaign else "phase.day_outside", day=shown)
            lines = []
        else:
            head = ctx.say("phase.day_is", day=shown, where=day_line(ctx, campaign, touched[0], first))
            lines = [*_of_the_day(ctx, campaign, first), _unpaid(ctx, touched[0], "phase.unpaid_meant")]
        data |= {"head": head, "lines": [*lines, *now]}
    elif campaign is None:
        data |= {"head": ctx.say("phase.days_outside"), "lines": now}
    elif len(touched) == 1:
        data |= {"head": _phase_line(ctx, touched[0]), "lines": now}
    else:
        several = len(touched) < len(campaign.phases)
        data |= {"head": _span_line(ctx, campaign), "lines": [*(_phase_line(ctx, p) for p in touched if several), *now]}
    return ToolResult(kind="phase", facts=ctx.sheet.facts, data=data)


def _is_now(ctx: Context, first: date, last: date) -> bool:
    """Whether the days are today, or a part of the campaign up to today that is more than its phase: 这波还剩几天."""
    if not first <= ctx.at.date() <= last:
        return False
    mine = ctx.inside
    return first == last or (mine is not None and first != mine.first and len(_touched(mine, (first, last))) > 1)


def _touched(campaign: Campaign, asked: tuple[date, date]) -> list[Phase]:
    return [p for p in campaign.phases if p.first <= asked[1] and asked[0] <= p.last]


def _span_line(ctx: Context, campaign: Campaign) -> str:
    """618 的日子：2026 年 5 月 1 日到 2026 年 6 月 30 日."""
    name = campaign.name.get(ctx.lang)
    ctx.sheet.text(ctx.say("label.campaign"), name, literal(name))  # 双12 holds a number
    begins = ctx.sheet.moment(
        ctx.say("label.campaign_start"), day_start(campaign.first), wording.day(campaign.first, ctx.lang, year=True)
    )
    ended = ctx.sheet.moment(
        ctx.say("label.campaign_end"), day_start(campaign.last), wording.day(campaign.last, ctx.lang, year=True)
    )
    return ctx.say("phase.campaign_span", campaign=name, first=begins.display, last=ended.display)


def _phase_line(ctx: Context, p: Phase) -> str:
    """A phase with its days, and whether it is over, on, or how long it is until then."""
    name = p.name.get(ctx.lang)
    days = days_between(ctx, ctx.say("label.phase_days"), day_start(p.first), day_start(p.last))
    line = ctx.say("phase.span_of", phase=name, span=_days_of(ctx, p), days=days.display)
    over = day_start(p.last + timedelta(days=1))
    if over <= ctx.at:
        return line + ctx.say("phase.is_over")
    if day_start(p.first) <= ctx.at:
        return line + ctx.say("phase.is_on", left=_left(ctx, ctx.say("phase.sale_end", phase=name), over))
    return line + ctx.say(
        "phase.is_ahead", left=_left(ctx, ctx.say("phase.phase_start", phase=name), day_start(p.first))
    )


def _days_of(ctx: Context, p: Phase) -> str:
    """6 月 4 日–6 月 15 日; both ends are facts."""
    for end in (p.first, p.last):
        ctx.sheet.moment(p.name.get(ctx.lang), day_start(end), wording.day(end, ctx.lang))
    return wording.span(p.first, p.last, ctx.lang)


def _left(ctx: Context, gate: str, at: datetime) -> str:
    return hours_until(ctx, ctx.say("label.hours_to", gate=gate), at).display


def _of_the_day(ctx: Context, campaign: Campaign, day: date) -> list[str]:
    """What opens on the day, and that it is a member day."""
    lines = [
        ctx.say(
            "phase.opens",
            moment=gate_fact(ctx, gate.name.get(ctx.lang), gate.at, False).display,
            name=gate.name.get(ctx.lang),
        )
        for gate in campaign.gates
        if gate.at.date() == day
    ]
    return [*lines, ctx.say("phase.is_member_day")] if day in campaign.member_days else lines


def _unpaid(ctx: Context, current: Phase, text: str) -> str:
    """What un-paid means in the phase; `text` says whether it is now or another day."""
    from knowledge import catalog

    rule = catalog.unpaid().phases[current.kind]  # type: ignore[index]
    return ctx.say(text, meaning=rule.meaning.get(ctx.lang))


def _calendar(ctx: Context, campaign: Campaign) -> list[str]:
    """A line a phase with its days, and the member days."""
    lines = [ctx.say("phase.calendar", phase=p.name.get(ctx.lang), span=_days_of(ctx, p)) for p in campaign.phases]
    if campaign.member_days:
        days = [
            ctx.sheet.moment(ctx.say("phase.member_day"), day_start(d), wording.day(d, ctx.lang)).display
            for d in campaign.member_days
        ]
        lines.append(ctx.say("phase.member_days", days=ctx.say("join.list").join(days)))
    return lines


def _gate_lines(ctx: Context, campaign: Campaign) -> list[str]:
    lines = []
    for name, at, ends in gates_ahead(campaign, ctx):
        shown = gate_fact(ctx, name, at, ends)
        lines.append(ctx.say("phase.gate_line", moment=shown.display, name=name, hours=_left(ctx, name, at)))
    return lines
