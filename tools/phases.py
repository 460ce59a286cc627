"""Where we are: campaign, phase, day n of m, the next gates (domain: campaigns and phases)."""

from __future__ import annotations

from datetime import datetime, timedelta

from tools import wording
from tools.campaigns import Campaign, Phase, day_start, next_campaign
from tools.context import Context
from tools.errors import AskAgain
from tools.facts import Fact, ToolResult
from tools.lines import literal

_WEEK = 7 * 86400  # seconds


def position(ctx: Context) -> tuple[Campaign, Phase] | None:
    """(campaign, phase) that the moment is in; None between campaigns and in a gap between phases."""
    campaign = ctx.inside
    phase = campaign.phase_at(ctx.at.date()) if campaign else None
    return (campaign, phase) if campaign and phase else None


def next_gate(campaign: Campaign, phase: Phase, ctx: Context) -> tuple[str, datetime] | None:
    """The gate that today's work runs towards: the end of a sale phase, else the start of the next phase."""
    if phase.kind == "sale":
        return ctx.say("phase.wave_end"), day_start(phase.last + timedelta(days=1))
    later = next((p for p in campaign.phases if p.first > phase.last), None)
    if later is None:
        return None
    return ctx.say("phase.phase_start", phase=later.name.get(ctx.lang)), day_start(later.first)


def gates_ahead(campaign: Campaign, ctx: Context, limit: int = 3) -> list[tuple[str, datetime, bool]]:
    """The next moments of the campaign (name, moment, whether it ends something): gates, phases, sale ends, member days."""
    found: dict[tuple[datetime, bool], str] = {}
    for phase in campaign.phases:
        found[day_start(phase.first), False] = ctx.say("phase.phase_start", phase=phase.name.get(ctx.lang))
        if phase.kind == "sale":
            end = day_start(phase.last + timedelta(days=1))
            found[end, True] = ctx.say("phase.sale_end", phase=phase.name.get(ctx.lang))
    for day in campaign.member_days:
        found.setdefault((day_start(day), False), ctx.say("phase.member_day"))
    for gate in campaign.gates:
        found[gate.at, False] = gate.name.get(ctx.lang)
    for _, last in campaign.balance_windows:
        found.setdefault((day_start(last + timedelta(days=1)), True), ctx.say("phase.balance_end"))
    # A phase that begins as a sale ends is one moment, not two.
    for at, ends in list(found):
        if ends and any(p.first == at.date() for p in campaign.phases):
            found.pop((at, False), None)
    ordered = sorted(found.items(), key=lambda entry: (entry[0][0], not entry[0][1]))
    return [(name, at, ends) for (at, ends), name in ordered if at > ctx.at][:limit]


def gate_fact(ctx: Context, name: str, at: datetime, ends: bool) -> Fact:
    """A gate's moment; midnight is 24:00 where it ends something and 00:00 where it begins something."""
    shown = wording.moment(at, ctx.at, ctx.lang) if ends else f"{wording.day(at.date(), ctx.lang)} {at:%H:%M}"
    return ctx.sheet.moment(name, at, shown)


def hours_until(ctx: Context, label: str, at: datetime) -> Fact:
    """Full hours from the moment to `at`; minutes in the last hour, days when it is a week or more."""
    left = int((at - ctx.at).total_seconds())
    if 0 < left < 3600:
        minutes = left // 60
        label = label.replace(ctx.say("label.hours_to", gate=""), ctx.say("label.minutes_to", gate=""))
        query = f"SELECT date_sub('minute', TIMESTAMP '{ctx.at:%Y-%m-%d %H:%M:%S}', TIMESTAMP '{at:%Y-%m-%d %H:%M:%S}')"
        return ctx.sheet.add(label, minutes, "count", query, shown=ctx.say("phase.minutes", n=minutes))
    if left >= _WEEK:
        label = label.replace(ctx.say("label.hours_to", gate=""), ctx.say("label.days_to", gate=""))
        query = f"SELECT date_sub('day', TIMESTAMP '{ctx.at:%Y-%m-%d %H:%M:%S}', TIMESTAMP '{at:%Y-%m-%d %H:%M:%S}')"
        return ctx.sheet.add(label, left // 86400, "days", query)
    hours = left // 3600
    query = f"SELECT date_sub('hour', TIMESTAMP '{ctx.at:%Y-%m-%d %H:%M:%S}', TIMESTAMP '{at:%Y-%m-%d %H:%M:%S}')"
    return ctx.sheet.add(label, hours, "hours", query)


def days_between(ctx: Context, label: str, first: datetime, last: datetime) -> Fact:
    """Days from `first` to `last`, both counted."""
    n = (last.date() - first.date()).days + 1
    query = f"SELECT date_diff('day', DATE '{first.date()}', DATE '{last.date()}') + 1"
    return ctx.sheet.add(label, n, "count", query)


def location_line(ctx: Context, campaign: Campaign, phase: Phase) -> str:
    """618 · 正式售卖第 2 天（共 5 天），离本波结束还有 86 小时; each numeral is a fact."""
    n = days_between(ctx, ctx.say("label.day_number"), day_start(phase.first), ctx.at)
    m = days_between(ctx, ctx.say("label.phase_days"), day_start(phase.first), day_start(phase.last))
    line = ctx.say(
        "phase.where",
        campaign=campaign.name.get(ctx.lang),
        phase=phase.name.get(ctx.lang),
        n=n.display,
        m=m.display,
    )
    gate = next_gate(campaign, phase, ctx)
    if gate:
        hours = hours_until(ctx, ctx.say("label.hours_to", gate=gate[0]), gate[1])
        line += ctx.say("phase.hours_to", gate=gate[0], hours=hours.display)
    return line


def outside_lines(ctx: Context) -> list[str]:
    """What can be said of a day outside every campaign: the last one and the next one."""
    lines = []
    before = ctx.campaign
    after = next_campaign(ctx.at.date(), ctx.shop.campaigns)
    if before is not None:
        ended = ctx.sheet.moment(
            ctx.say("label.campaign_end"), day_start(before.last), wording.day(before.last, ctx.lang, year=True)
        )
        lines.append(ctx.say("phase.last_campaign", campaign=before.name.get(ctx.lang), day=ended.display))
    if after is not None:
        begins = ctx.sheet.moment(
            ctx.say("label.campaign_start"), day_start(after.first), wording.day(after.first, ctx.lang, year=True)
        )
        days = (after.first - ctx.at.date()).days
        query = f"SELECT date_diff('day', DATE '{ctx.at.date()}', DATE '{after.first}')"
        left = ctx.sheet.add(ctx.say("label.days_to_campaign"), days, "days", query)
        lines.append(
            ctx.say("phase.next_campaign", campaign=after.name.get(ctx.lang), day=begins.display, days=left.display)
        )
    if not lines:
        lines.append(ctx.say("phase.no_campaigns"))
    return lines


def phase(ctx: Context, campaign: str | None = None) -> ToolResult:
    """Where we are now: campaign, phase, day n of m, hours to the gate, what un-paid means today, the next gates, the calendar.

    campaign: the key of another campaign (618, double11, …) whose calendar is asked for. AskAgain when there is none.
    """
    from knowledge import catalog

    here = position(ctx)
    if campaign is not None and (here is None or campaign != here[0].key):
        return _other_campaign(ctx, campaign)
    if here is None:
        between = ctx.inside is not None
        head = ctx.say("phase.in_gap" if between else "phase.outside")
        gates = _gate_lines(ctx, ctx.inside) if ctx.inside else []
        lines = outside_lines(ctx) if not between else []
        data = {"inside": False, "head": head, "lines": lines, "gates": gates, "calendar": []}
        return ToolResult(kind="phase", facts=ctx.sheet.facts, data=data)
    mine, current = here
    rule = catalog.unpaid().phases[current.kind]  # type: ignore[index]
    return ToolResult(
        kind="phase",
        data={
            "inside": True,
            "head": location_line(ctx, mine, current),
            "lines": [ctx.say("phase.unpaid_means", meaning=rule.meaning.get(ctx.lang))],
            "gates": _gate_lines(ctx, mine),
            "calendar": _calendar(ctx, mine),
            "campaign": mine.key,
            "phase": current.key,
        },
        facts=ctx.sheet.facts,
    )


def _other_campaign(ctx: Context, key: str) -> ToolResult:
    """The calendar of a campaign we are not in: the running or next instance, else the latest."""
    mine = [c for c in ctx.shop.campaigns if c.key == key]
    if not mine:
        known = ", ".join(dict.fromkeys(c.key for c in ctx.shop.campaigns)) or "—"
        raise AskAgain("unknown_campaign", name=key, nearest=known)
    chosen = next((c for c in mine if c.last >= ctx.at.date()), mine[-1])
    name = chosen.name.get(ctx.lang)
    ctx.sheet.text(ctx.say("label.campaign"), name, literal(name))  # 双12 holds a number
    begins = ctx.sheet.moment(
        ctx.say("label.campaign_start"), day_start(chosen.first), wording.day(chosen.first, ctx.lang, year=True)
    )
    ended = ctx.sheet.moment(
        ctx.say("label.campaign_end"), day_start(chosen.last), wording.day(chosen.last, ctx.lang, year=True)
    )
    head = ctx.say("phase.campaign_span", campaign=name, first=begins.display, last=ended.display)
    data = {
        "inside": False,
        "head": head,
        "lines": [],
        "gates": [],
        "calendar": _calendar(ctx, chosen),
        "campaign": key,
    }
    return ToolResult(kind="phase", facts=ctx.sheet.facts, data=data)


def _calendar(ctx: Context, campaign: Campaign) -> list[str]:
    """A line a phase with its days, and the member days."""
    lines = []
    for p in campaign.phases:
        for end in (p.first, p.last):
            ctx.sheet.moment(p.name.get(ctx.lang), day_start(end), wording.day(end, ctx.lang))
        lines.append(
            ctx.say("phase.calendar", phase=p.name.get(ctx.lang), span=wording.span(p.first, p.last, ctx.lang))
        )
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
        left = hours_until(ctx, ctx.say("label.hours_to", gate=name), at)
        lines.append(ctx.say("phase.gate_line", moment=shown.display, name=name, hours=left.display))
    return lines
