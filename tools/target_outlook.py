"""Where a target is heading: the time gone, the plan and the last campaign by now, what each day left must bring, the levers."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from knowledge import catalog
from tools import phases, review_spans, targets
from tools import target_levers as levers
from tools.briefing_numbers import panel
from tools.briefing_table import compared, verbatim
from tools.campaigns import Campaign, day_end, day_start
from tools.context import Context
from tools.facts import display
from tools.periods import Window
from tools.target_levers import Number
from tools.target_standing import Asked, Standing, amount, apart, day_name, days_name

_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Outlook:
    lines: list[str] = field(default_factory=list)
    levers_head: str | None = None
    levers: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Last:
    """The last campaign: its number by the same moment and at the end of the same days, and those days."""

    campaign: Campaign
    by_now: Number
    now_over: Window
    whole: Number
    whole_over: Window


def outlook(ctx: Context, asked: Asked, main: Standing, today: Standing) -> Outlook:
    """What can be said beyond the standing itself. `today` is the standing of the moment's day."""
    now, over = main.now, main.over
    if now is None or over is None:
        return Outlook()
    last = _last(ctx, asked, main, over)
    beside = [_beside_last(ctx, asked, main, now, last)] if last else []
    if not day_start(main.span.first) <= ctx.at < day_end(main.span.last):
        return Outlook(beside)
    fresh = asked.told is not None and asked.told.date() == ctx.at.date()
    if main.span.kind == "day":
        left = phases.hours_until(ctx, ctx.say("label.hours_to", gate=main.span.name), day_start(main.span.last + _DAY))
        return Outlook([ctx.say("goal.day_left", left=left.display), *beside])
    total = _course(ctx, asked, main, now, last)
    heading = _heading(ctx, asked, main, total, "goal.pace_last" if last else "goal.pace_phase") if total else None
    said = [_time(ctx, main, over), _plan(ctx, asked, main), *beside, heading]
    said.append(each(ctx, asked, main, today) if fresh else None)
    lines = [line for line in said if line]
    if total is None or main.goal is None or not fresh or (asked.key, asked.crowd) != ("paid_amount", "all"):
        return Outlook(lines)
    short = Number(main.goal.value - total.value, f"SELECT ({main.goal.query}) - ({total.query})")
    return _levers(ctx, asked, main, last, short, lines) if short.value > 0 else Outlook(lines)


def _time(ctx: Context, main: Standing, over: Window) -> str:
    """时间过了 93.5%（5 月 1 日–6 月 20 日），算上今天还有 4 天: up to the moment that the number is of."""
    first, end = day_start(main.span.first), day_start(main.span.last + _DAY)
    gone = (over.until - first) / (end - first)
    query = (
        f"SELECT date_diff('second', TIMESTAMP '{first}', TIMESTAMP '{over.until}') * 1.0 / "
        f"date_diff('second', TIMESTAMP '{first}', TIMESTAMP '{end}')"
    )
    share = ctx.sheet.add(ctx.say("goal.label_time"), gone, "ratio", query)
    left = ctx.sheet.add(ctx.say("goal.label_left"), _left(ctx, main), "days", _left_query(ctx, main))
    days = days_name(ctx, main.span.first, main.span.last)
    return ctx.say("goal.time", share=share.display, days=days, left=left.display)


def _left(ctx: Context, main: Standing) -> int:
    """Days from today to the span's last, both counted."""
    return (main.span.last - ctx.at.date()).days + 1


def _left_query(ctx: Context, main: Standing) -> str:
    return f"SELECT date_diff('day', DATE '{ctx.at.date()}', DATE '{main.span.last}') + 1"


def _plan(ctx: Context, asked: Asked, main: Standing) -> str | None:
    """The sum of the daily targets up to yesterday beside what there was by then."""
    yesterday = ctx.at.date() - _DAY
    if yesterday <= main.span.first or asked.told is None or asked.told < day_end(yesterday):
        return None
    goal = targets.of_days(ctx.engine, asked.campaign, asked.crowd, asked.key, main.span.first, yesterday)
    if goal is None or not goal.value:
        return None
    over = Window(main.span.first, yesterday, day_end(yesterday))
    cell = panel(ctx, [asked.key], [asked.crowd], over)[asked.crowd, asked.key]
    if cell.value is None:
        return None
    planned = amount(ctx, asked, ctx.say("goal.label_plan"), Number(goal.value, goal.query))
    words = ("goal.plan_ahead", "goal.plan_behind", "goal.plan_same")
    change = compared(ctx, cell.value / goal.value - 1, f"SELECT ({cell.query}) * 1.0 / ({goal.query}) - 1", words)
    return ctx.say("goal.plan", goal=planned.display, change=change)


def _last(ctx: Context, asked: Asked, main: Standing, over: Window) -> Last | None:
    """None where there is no earlier instance of the campaign with data, or nothing happened in it."""
    whole_over = Window(main.span.first, main.span.last, day_end(main.span.last))
    now, whole = (review_spans.before(ctx, asked.campaign, w) for w in (over, whole_over))
    if now is None or whole is None:
        return None
    cells = [panel(ctx, [asked.key], [asked.crowd], w)[asked.crowd, asked.key] for _, w in (now, whole)]
    then, end = (Number(c.value, c.query) if c.value else None for c in cells)
    return Last(now[0], then, now[1], end, whole[1]) if then and end else None


def _beside_last(ctx: Context, asked: Asked, main: Standing, now: Number, last: Last) -> str:
    """2025 年的 618 同一时刻 ¥412,300，这次多 213%；那时做到了最后的 81%."""
    name = campaign_of_year(ctx, last.campaign)
    unit = asked.metric.unit
    then = ctx.sheet.add(
        ctx.say("goal.label_last", campaign=name), last.by_now.value, unit, last.by_now.query,
        metric=asked.key, crowd=asked.crowd, window=last.now_over, at=last.now_over.until,
    )  # fmt: skip
    query = f"SELECT ({now.query}) * 1.0 / ({last.by_now.query}) - 1"
    words = ("goal.more", "goal.less", "goal.same")
    change = compared(ctx, now.value / last.by_now.value - 1, query, words) if unit != "ratio" else ""
    if last.now_over == last.whole_over or not _sums(asked):
        return ctx.say("goal.last_whole", campaign=name, value=then.display, change=change)
    part = f"SELECT ({last.by_now.query}) * 1.0 / ({last.whole.query})"
    share = ctx.sheet.add(ctx.say("goal.label_last_share"), last.by_now.value / last.whole.value, "ratio", part)
    key = "goal.last_day" if main.span.kind == "day" else "goal.last"
    return ctx.say(key, campaign=name, value=then.display, change=change, share=share.display)


def campaign_of_year(ctx: Context, campaign: Campaign) -> str:
    """2025 年的 618, as it stands at the beginning of a line."""
    name = apart(ctx, campaign.name.get(ctx.lang))
    return apart(ctx, verbatim(ctx, ctx.say("goal.campaign_of", year=campaign.year, campaign=name).strip())).lstrip()


def _sums(asked: Asked) -> bool:
    """Whether the number only grows from day to day."""
    return asked.metric.unit in ("CNY", "count", "people") and asked.metric.numerator is None


def _course(ctx: Context, asked: Asked, main: Standing, now: Number, last: Last | None) -> Number | None:
    """The number at the span's end: by the last campaign's rhythm, else by the days of the phase where only it is left."""
    if last is not None and _sums(asked):
        query = f"SELECT ({now.query}) * 1.0 * ({last.whole.query}) / ({last.by_now.query})"
        return Number(now.value * last.whole.value / last.by_now.value, query)
    so_far = _phase_so_far(ctx, asked, main) if (asked.key, asked.crowd) == ("paid_amount", "all") else None
    if so_far is None:
        return None
    before = so_far.of((main.span.first, ctx.at.date() - _DAY))
    phase = so_far.of(so_far.spans[1])
    left = _left(ctx, main)
    money = before.total("paid_amount") + phase.total("paid_amount") / phase.count * left
    return Number(
        money, f"SELECT ({before.query('paid_amount')}) + ({phase.query('paid_amount')}) / {phase.count} * {left}"
    )


def _heading(ctx: Context, asked: Asked, main: Standing, total: Number, pace: str) -> str:
    told = amount(ctx, asked, ctx.say("goal.label_course"), total)
    end = day_name(ctx, main.span.last)
    if main.goal is None or not main.goal.value:
        return ctx.say("goal.course", pace=ctx.say(pace), day=end, total=told.display)
    query = f"SELECT ({total.query}) * 1.0 / ({main.goal.query})"
    share = ctx.sheet.add(ctx.say("goal.label_share"), total.value / main.goal.value, "ratio", query)
    return ctx.say("goal.course_share", pace=ctx.say(pace), day=end, total=told.display, share=share.display)


def each(ctx: Context, asked: Asked, main: Standing, today: Standing) -> str | None:
    """What each day from today on must bring, today as a whole; how far today has come, and its own target."""
    missing, so_far, over = main.missing, today.now, today.over
    if missing is None or missing.value <= 0 or not targets.adds_up(asked.key) or so_far is None or over is None:
        return None
    left = _left(ctx, main)
    query = f"SELECT (({missing.query}) + ({so_far.query})) * 1.0 / ({_left_query(ctx, main)})"
    wanted = Number((missing.value + so_far.value) / left, query)
    told = amount(ctx, asked, ctx.say("goal.label_each"), wanted)
    days = ctx.sheet.add(ctx.say("goal.label_left"), left, "days", _left_query(ctx, main))
    done = amount(ctx, asked, ctx.say("goal.label_today"), so_far)
    clock = ctx.sheet.moment(ctx.say("label.as_of"), over.until, over.until.strftime("%H:%M"))
    line = ctx.say("goal.each" if left > 1 else "goal.each_last", each=told.display, days=days.display)
    line += ctx.say("goal.today", actual=done.display, clock=clock.display)
    if today.goal is not None:
        goal = amount(ctx, asked, ctx.say("goal.label_today_goal"), Number(today.goal.value, today.goal.query))
        line += ctx.say("goal.today_goal", goal=goal.display)
    return ctx.say("goal.stop", line=line)


# ---- levers ------------------------------------------------------------------------------------------------------


def _history(ctx: Context, asked: Asked) -> levers.Days:
    """The shop's days from its first campaign to yesterday."""
    begun = [c.first for c in ctx.shop.campaigns if c.first <= ctx.at.date()]
    return levers.days(ctx, min(begun, default=asked.campaign.first), ctx.at.date() - _DAY)


def _phase_so_far(ctx: Context, asked: Asked, main: Standing) -> levers.Days | None:
    """The span's days up to yesterday, and as its second span those of the phase; None where more than the phase is left."""
    phase = asked.campaign.phase_at(ctx.at.date())
    yesterday = ctx.at.date() - _DAY
    if phase is None or main.span.last > phase.last or phase.first > yesterday:
        return None
    found = _history(ctx, asked).of((main.span.first, yesterday), (max(phase.first, main.span.first), yesterday))
    return found if found.rows else None


def _levers(ctx: Context, asked: Asked, main: Standing, last: Last | None, short: Number, lines: list[str]) -> Outlook:
    """Each lever alone that would bring what the course falls short of, from the nearest to what has been seen."""
    today = ctx.at.date()
    yesterday, left = today - _DAY, _left(ctx, main) - 1
    if left < 1 or yesterday < main.span.first:
        return Outlook(lines)
    history = _history(ctx, asked)
    rest = None
    if last is not None:
        at = last.now_over.last
        theirs = history.of((last.whole_over.first, at - _DAY))
        mine, later = history.of((main.span.first, yesterday)), history.of((at + _DAY, last.whole_over.last))
        rest = levers.rest_like_last(mine, theirs, later) if later.spans else None
    elif (so_far := _phase_so_far(ctx, asked, main)) is not None:
        rest = levers.rest_like_phase(so_far.of(so_far.spans[1]), left)
    if rest is None:
        return Outlook(lines)
    seen = history.of(*levers.campaign_days(ctx.shop.campaigns, yesterday))
    told = amount(ctx, asked, ctx.say("goal.label_short"), short)
    found = [_need(ctx, n) for n in levers.needs(rest, short, seen)]
    return Outlook(lines, ctx.say("goal.levers", short=told.display) if found else None, found)


def _need(ctx: Context, n: levers.Need) -> str:
    metric = catalog.metrics()[n.lever]
    name = metric.name.get(ctx.lang)

    def fact(label: str, number: Number) -> str:
        people = metric.unit == "people"
        shown = f"{number.value:,.0f}" if people else display(number.value, metric.unit, ctx.lang, ctx.sheet.currency)
        return ctx.sheet.add(label, number.value, metric.unit, number.query, shown=shown, metric=n.lever).display

    wanted = fact(ctx.say("goal.label_wanted", lever=name), n.wanted)
    usual = fact(ctx.say("goal.label_usual", lever=name), n.usual)
    line = ctx.say("goal.need", lever=name, wanted=wanted, usual=usual)
    if n.best is None:
        return line
    best = fact(ctx.say("goal.label_best", lever=name), n.best)
    return line + ctx.say("goal.seen" if n.seen else "goal.unseen", best=best)
