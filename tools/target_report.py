"""How far the shop is from its target, of the campaign, of this wave or of a day."""

from __future__ import annotations

from datetime import date

from knowledge import catalog
from tools import audience, lines, names, review_spans, targets
from tools.briefing_table import verbatim
from tools.campaigns import Campaign, campaign_for, day_end
from tools.context import Context
from tools.errors import AskAgain
from tools.facts import ToolResult
from tools.lines import literal
from tools.periods import parse_day
from tools.target_outlook import each, outlook
from tools.target_standing import Asked, Span, SpanName, Standing, apart, day_name, days_name, sentence, standing

_OTHERS = 4  # metrics with a target that are named where the asked one has none


def target(
    ctx: Context,
    metric: str | None = None,
    crowd: str | None = None,
    on: str | None = None,
    first: str | None = None,
) -> ToolResult:
    """How far the shop is from its target: target, actual so far, share reached, share of the time gone, gap, what each day left
    must bring, the last campaign at the same moment, and which lever alone (visitors, visit-to-cart rate, cart-to-pay rate, order
    value) would close the gap; without a target the actual and how to set one.

    metric: a metric's key (default paid_amount). crowd: a crowd's key (default all, the whole shop). on: a day (YYYY-MM-DD)
    instead of today, looked at from its end. first: the first of the days whose target is asked for, `on` the last; default the
    whole campaign. AskAgain when a name is unknown, the days are upside down or no campaign has begun by then.
    """
    key = names.metric_key(metric) if metric else "paid_amount"
    people = audience.canonical(audience.read(ctx.engine, crowd)) if crowd else "all"
    today = ctx.at.date()
    day = parse_day(on) if on else today
    since = parse_day(first) if first else None
    if since is not None and since > day:
        raise AskAgain("window_upside_down", first=since.isoformat(), last=day.isoformat())
    if day < today:
        ctx = ctx.seen_at(day_end(day))
    campaign = campaign_for(day, ctx.shop.campaigns)
    if campaign is None:
        raise AskAgain("no_campaign_begun", day=day.isoformat())
    asked = Asked(campaign, key, people, _what(ctx, key, people), review_spans.told_until(ctx))
    whole = _campaign_span(ctx, campaign)
    wave = _wave_span(ctx, campaign, day, today)
    chosen = _chosen(ctx, campaign, since, day, today, [whole, wave] if wave else [whole])
    main, this_day = standing(ctx, asked, chosen), standing(ctx, asked, _day_span(ctx, day, today))
    head = sentence(ctx, asked, main)
    notes = _notes(ctx, asked)
    said = outlook(ctx, asked, main, this_day)
    others = [standing(ctx, asked, s) for s in (whole, wave) if s and s != chosen and day >= today]
    data = {
        "campaign": campaign.key, "metric": key, "crowd": people, "span": chosen.kind, "head": head, "notes": notes,
        "lines": said.lines, "levers_head": said.levers_head, "levers": said.levers,
        "others": [line for s in others if s.goal for line in _other(ctx, asked, s, this_day, chosen.kind)],
        "how": [] if main.goal else _how(ctx, asked, chosen.kind),
    }  # fmt: skip
    return ToolResult(kind="target", facts=ctx.sheet.facts, data=data)


def _chosen(ctx: Context, campaign: Campaign, since: date | None, day: date, today: date, known: list[Span]) -> Span:
    """The days asked about: those of the campaign, of a phase, of the wave, one day, or whatever days they are."""
    whole, *wave = known
    if since is None or (since <= whole.first and day != since):
        return whole
    if since == day:
        return _day_span(ctx, day, today)
    phase = next((p for p in campaign.phases if p.first == since and p.first <= day <= p.last), None)
    if phase is not None and (day == phase.last or not wave or wave[0].first != since):
        return Span("phase", _name(ctx, phase.name.get(ctx.lang)), phase.first, phase.last)
    if wave and since == wave[0].first:
        return wave[0]
    return Span("days", days_name(ctx, since, day), since, day)


def _campaign_span(ctx: Context, campaign: Campaign) -> Span:
    """The campaign without its review."""
    sold = targets.selling(campaign)
    return Span("campaign", _name(ctx, campaign.name.get(ctx.lang)), sold.first, sold.last)


def _name(ctx: Context, name: str) -> str:
    """A name of the merchant's calendar at the beginning of a sentence."""
    return apart(ctx, verbatim(ctx, name)).lstrip()


def _wave_span(ctx: Context, campaign: Campaign, day: date, today: date) -> Span | None:
    """The wave of the day, where it is only a part of the campaign."""
    sold, wave = targets.selling(campaign), campaign.wave_at(min(day, campaign.last))
    if (wave.first, wave.last) == (sold.first, sold.last):
        return None
    here = wave.first <= today <= wave.last
    name = ctx.say("goal.wave" if here else "goal.that_wave", days=days_name(ctx, wave.first, wave.last))
    return Span("wave", name, wave.first, wave.last)


def _day_span(ctx: Context, day: date, today: date) -> Span:
    return Span("day", ctx.say("when.today") if day == today else days_name(ctx, day, day), day, day)


def _other(ctx: Context, asked: Asked, s: Standing, today: Standing, chosen: SpanName) -> list[str]:
    """Where another span than the asked one stands; beside a day, what it takes to reach the campaign's target."""
    wanted = each(ctx, asked, s, today) if chosen == "day" and s.span.kind == "campaign" else None
    return [sentence(ctx, asked, s), *([wanted] if wanted else [])]


def _what(ctx: Context, key: str, crowd: str) -> str:
    """What the numbers are called; of the whole shop the metric alone."""
    name = catalog.metrics()[key].name.get(ctx.lang)
    if crowd == "all":
        return name
    return ctx.say("goal.of", crowd=lines.crowd_name(ctx, audience.parse(crowd)), metric=name)


def _notes(ctx: Context, asked: Asked) -> list[str]:
    if asked.told is None or asked.told >= ctx.at:
        return lines.data_notes(ctx) if asked.told is None else []
    return [ctx.say("goal.until", moment=lines.data_end(ctx).display)]


def _how(ctx: Context, asked: Asked, kind: SpanName) -> list[str]:
    """What targets there are, and how to set the one that is missing."""
    sold = targets.selling(asked.campaign)
    if kind == "day" and ctx.at.date() > sold.last:
        name = _name(ctx, asked.campaign.name.get(ctx.lang))
        return [ctx.say("goal.over", campaign=name, day=day_name(ctx, sold.last))]
    there = targets.set_for(ctx.engine, asked.campaign, ctx.shop.campaigns, ctx.at)
    out = []
    if there:
        shown = ctx.say("join.list").join(_what(ctx, metric, crowd) for crowd, metric in there[:_OTHERS])
        out.append(ctx.say("goal.there_are", targets=shown))
    campaign = f"{asked.campaign.key}:{asked.campaign.year}"
    day = ctx.at.date().isoformat() if kind == "day" else ""
    sample = f"{campaign},{asked.crowd},{asked.key},{ctx.say('goal.sample_value')},{day}"
    shown = ctx.sheet.text(ctx.say("goal.label_sample"), sample, literal(sample)).display
    out.append(ctx.say("goal.how", sample=shown))
    return out
