"""Where we are: campaign, phase, day n of m, the next gates (domain: campaigns and phases)."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from tools import wording
from tools.campaigns import Campaign, Phase, day_start, next_campaign
from tools.context import Context
from tools.facts import Fact

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
    line = day_line(ctx, campaign, phase, ctx.at.date())
    gate = next_gate(campaign, phase, ctx)
    if gate:
        hours = hours_until(ctx, ctx.say("label.hours_to", gate=gate[0]), gate[1])
        line += ctx.say("phase.hours_to", gate=gate[0], hours=hours.display)
    return line


def day_line(ctx: Context, campaign: Campaign, phase: Phase, day: date) -> str:
    """618 · 正式售卖第 2 天（共 5 天）: which day of the phase `day` is."""
    n = days_between(ctx, ctx.say("label.day_number"), day_start(phase.first), day_start(day))
    m = days_between(ctx, ctx.say("label.phase_days"), day_start(phase.first), day_start(phase.last))
    return ctx.say(
        "phase.where",
        campaign=campaign.name.get(ctx.lang),
        phase=phase.name.get(ctx.lang),
        n=n.display,
        m=m.display,
    )


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
