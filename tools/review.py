"""The review of a campaign or of a phase or wave of it: what it came to beside targets and the last campaign, and why."""

from __future__ import annotations

from datetime import date
from typing import Any

from tools import lines, review_spans, review_touches, targets
from tools import review_numbers as numbers
from tools.briefing_numbers import Cells, panel
from tools.briefing_table import verbatim
from tools.campaigns import Campaign, Wave, campaign_for, day_end, day_start
from tools.context import Context
from tools.errors import AskAgain
from tools.facts import ToolResult
from tools.names import fold
from tools.periods import Window, parse_day
from tools.review_findings import findings
from tools.review_numbers import Review
from tools.target_outlook import campaign_of_year
from tools.target_standing import apart, day_name, days_name


def review(
    ctx: Context,
    campaign: str | None = None,
    phase: str | None = None,
    first: str | None = None,
    last: str | None = None,
) -> ToolResult:
    """The review of a campaign, so far or when it is over: visitors, carters, buyers, paid amount, order value and rates beside
    the target and the last campaign; by phase; who bought (old and new, members and others); messages by channel and by variant
    with a significance test; what worked and what to change.

    campaign: its key, with the year where not the latest is meant (618, 618:2025); default: the one we are in, else the last.
    phase: a phase's key (presale, sale1 …) or wave1, wave2 …; default all of them.
    first, last: days (YYYY-MM-DD) instead of a campaign and phase. AskAgain when there is no such campaign or phase.
    """
    if first and last and phase is None:
        chosen, span, part = _of_days(ctx, parse_day(first), parse_day(last))
    else:
        chosen = _campaign(ctx, campaign)
        span, part = _span(ctx, chosen, phase)
    title = _title(ctx, chosen)
    if part is not None:
        title = ctx.say("review.part", campaign=title, part=part)
    if day_start(span.first) > ctx.at:
        begins = day_name(ctx, span.first)
        return _nothing(ctx, chosen, ctx.say("review.ahead", title=title, day=begins))
    told = review_spans.told_until(ctx)
    if told is None or told < day_start(span.first) or not review_spans.begins_by(ctx, span.last):
        return _nothing(ctx, chosen, ctx.say("review.no_data", title=title, days=days_name(ctx, span.first, span.last)))
    over = Window(span.first, min(span.last, told.date()), min(day_end(span.last), told))
    sold = targets.selling(chosen)
    whole = (span.first, span.last) == (sold.first, sold.last)
    r = Review(chosen, span.first, span.last, over, whole, review_spans.before(ctx, chosen, over))
    cells, before = _panels(ctx, r)
    if not any(cells["all", key].value for key in ("visitors", "buyers")):
        return _nothing(ctx, chosen, ctx.say("review.no_data", title=title, days=days_name(ctx, span.first, span.last)))
    channels = review_touches.channels(ctx, over)
    pairs = review_touches.comparisons(ctx, over) if channels else []
    results = numbers.by_phase(ctx, r)
    data: dict[str, Any] = {
        "campaign": chosen.key,
        "head": _head(ctx, r, title, cells, before),
        "where": _where(ctx, r),
        "notes": _notes(ctx, r),
        "totals": numbers.totals(ctx, r, cells, before),
        "phases": [p.line for p in results] if len(results) > 1 else [],
        "crowds": numbers.by_crowd(ctx, r, cells, before),
        "touches": [review_touches.channel_line(ctx, c, over) for c in channels],
        "variants": [_pair(ctx, channels, pair) for pair in pairs],
        "no_touches": None if channels else ctx.say("review.no_touches"),
        "findings": findings(ctx, r, cells, before, results, channels, pairs),
    }
    return ToolResult(kind="review", facts=ctx.sheet.facts, data=data)


def _campaign(ctx: Context, wanted: str | None) -> Campaign:
    """The latest instance that has begun of the campaign asked for, else its next one."""
    if wanted is None:
        if ctx.campaign is None:
            raise AskAgain("no_campaign_begun", day=ctx.at.date().isoformat())
        return ctx.campaign
    key, _, year = wanted.partition(":")
    named = [c for c in ctx.shop.campaigns if fold(key) in map(fold, (c.key, c.name.zh, c.name.en, *c.aliases))]
    mine = [c for c in named if not year or str(c.year) == year.strip()]
    if not mine:
        known = ", ".join(f"{c.key}:{c.year}" for c in named or ctx.shop.campaigns) or "—"
        raise AskAgain("unknown_campaign", name=wanted, nearest=known)
    begun = [c for c in mine if c.first <= ctx.at.date()]
    return begun[-1] if begun else mine[0]


def _of_days(ctx: Context, first: date, last: date) -> tuple[Campaign, Wave, str | None]:
    """The campaign that the days are of, and the days: all of it, a phase or a wave where they are as far as they have come."""
    if last < first:
        raise AskAgain("window_upside_down", first=first.isoformat(), last=last.isoformat())
    campaign = campaign_for(last, ctx.shop.campaigns)
    if campaign is None:
        raise AskAgain("no_campaign_begun", day=last.isoformat())

    def meant(span_first: date, span_last: date) -> bool:
        return first == span_first and last in (span_last, max(span_first, min(span_last, ctx.at.date())))

    sold = targets.selling(campaign)
    if first <= campaign.first and (last >= sold.last or meant(campaign.first, campaign.last)):
        return campaign, sold, None
    named = {p.key: (p.first, p.last) for p in campaign.phases}
    named |= {f"wave{i}": (w.first, w.last) for i, w in enumerate(campaign.waves(), 1)}
    # A phase that begins a wave, asked about while it runs: all that there is of either.
    key = next((k for k, span in named.items() if (first, last) == span), None)
    key = key or next((k for k, span in reversed(named.items()) if meant(*span)), None)
    if key is not None:
        return campaign, *_span(ctx, campaign, key)
    return campaign, Wave(first, last), days_name(ctx, first, last)


def _title(ctx: Context, campaign: Campaign) -> str:
    """The campaign, with its year where that is another one, as it stands at the beginning of a line."""
    if campaign.year != ctx.at.year:
        return campaign_of_year(ctx, campaign)
    return apart(ctx, verbatim(ctx, campaign.name.get(ctx.lang))).lstrip()


def _span(ctx: Context, campaign: Campaign, wanted: str | None) -> tuple[Wave, str | None]:
    """(the days reviewed, what they are called beside the campaign); a campaign is reviewed up to the end of its last sale."""
    if wanted is None:
        return targets.selling(campaign), None
    waves = {f"wave{i}": w for i, w in enumerate(campaign.waves(), 1)}
    phase = next((p for p in campaign.phases if fold(wanted) in map(fold, (p.key, p.name.zh, p.name.en))), None)
    if phase is not None:
        return Wave(phase.first, phase.last), verbatim(ctx, phase.name.get(ctx.lang))
    wave = waves.get(fold(wanted).replace(" ", ""))
    if wave is None:
        known = ", ".join([*(p.key for p in campaign.phases), *waves])
        raise AskAgain("unknown_phase", name=wanted, nearest=known)
    days = days_name(ctx, wave.first, wave.last)
    return wave, ctx.say("review.wave", days=days)


def _nothing(ctx: Context, campaign: Campaign, head: str) -> ToolResult:
    """A campaign that has not begun, or of which there is no data."""
    data = {"campaign": campaign.key, "head": head, "where": None, "notes": lines.data_notes(ctx)}
    empty: dict[str, list[str]] = {key: [] for key in ("totals", "phases", "crowds", "touches", "variants", "findings")}
    return ToolResult(kind="review", facts=ctx.sheet.facts, data={**data, **empty, "no_touches": None})


def _panels(ctx: Context, r: Review) -> tuple[Cells, Cells]:
    """The numbers of the days and of those before that match them; nothing where nobody came then."""
    keys = [*numbers.TOTALS, "amount_share"]
    crowds = ["all", *numbers.WHO]
    cells = panel(ctx, keys, crowds, r.over)
    before = panel(ctx, keys, crowds, r.before[1]) if r.before else {}
    return cells, before if any(before[c].value for c in before if c[0] == "all") else {}


def _head(ctx: Context, r: Review, title: str, cells: Cells, before: Cells) -> str:
    """618 复盘（到现在）：成交金额 ¥1,390,822，达成目标的 76.4%，比上一场同期多 145%."""
    paid = numbers.known(cells, "all", "paid_amount")
    shown = numbers.fact(ctx, cells["all", "paid_amount"], numbers.crowd_name(ctx, "all"), r.over).display
    key = "review.head" if r.ended else "review.head_so_far" if ctx.at < day_end(r.last) else "review.head_short"
    head = ctx.say(key, title=title, amount=shown)
    goal = numbers.goal_of(ctx, r, "all", "paid_amount")
    if paid is not None and goal is not None and goal.value:
        query = f"SELECT ({paid.query}) * 1.0 / ({goal.query})"
        share = ctx.sheet.add(ctx.say("goal.label_share"), paid.value / goal.value, "ratio", query)
        head += ctx.say("review.head_goal", share=share.display)
    then = numbers.known(before, "all", "paid_amount")
    if paid is not None and then is not None and then.value:
        words = ("review.head_more", "review.head_less", "review.head_same")
        head += numbers.change(ctx, paid, then, "paid_amount", words)
    return head


def _where(ctx: Context, r: Review) -> str:
    """The days, whether they are over, and what "last time" means."""
    days = days_name(ctx, r.first, r.last)
    if r.ended:
        line = ctx.say("review.days", days=days)
    else:
        moment = r.over.until
        clock = ctx.sheet.moment(ctx.say("label.as_of"), moment, moment.strftime("%H:%M")).display
        line = ctx.say("review.days_so_far", days=days, day=day_name(ctx, moment.date()), clock=clock)
    if r.before is None:
        return line + ctx.say("review.no_before")
    earlier, over = r.before
    name = apart(ctx, campaign_of_year(ctx, earlier).strip())
    return line + ctx.say("review.before_is", campaign=name, days=days_name(ctx, over.first, over.last, year=False))


def _notes(ctx: Context, r: Review) -> list[str]:
    """Whether the data ends before the reviewed days do, or begins too late to tell old customers."""
    told = []
    if r.over.until < min(ctx.at, day_end(r.last)):
        told.append(ctx.say("goal.until", moment=lines.data_end(ctx).display))
    if r.first < r.campaign.cohort_date <= r.over.last:
        told.append(numbers.cohort_note(ctx, r))
    history = numbers.short_history(ctx, r)
    return [*told, history] if history else told


def _pair(ctx: Context, channels: list[review_touches.Channel], pair: review_touches.Comparison) -> str:
    name = next((c.name for c in channels if c.key == pair.better.channel), pair.better.channel)
    return review_touches.comparison_line(ctx, pair, name)
