"""Moments that targets and reviews hang on: up to when there is data, and the same moment of the last campaign."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from tools.briefing_numbers import reaches
from tools.campaigns import Campaign, day_end, day_start, earlier_same
from tools.context import Context
from tools.periods import Window
from tools.shop import parse_moment
from tools.status import data_until

_BEHIND = timedelta(hours=1)  # data this much behind now is no longer "now"
_DAY = timedelta(days=1)
# The first moment of each table that is added to every day.
_BEGINS = "SELECT min(ts) AS first FROM events UNION ALL SELECT min(least(created_at, paid_at)) AS first FROM orders"


def told_until(ctx: Context) -> datetime | None:
    """The moment up to which the shop can be told of: now, or where behaviour or orders end before; None without data."""
    ends = {table: end for table, end in data_until(ctx.engine).items() if end is not None}
    if not ends:
        return None
    end = min(ends.values())
    if ctx.at - end <= _BEHIND:
        return ctx.at
    day = end.date()
    if day_end(day) <= ctx.at and all(reaches(ctx.engine, table, e, day) for table, e in ends.items()):
        return day_end(day)
    return end


def begins_by(ctx: Context, day: date) -> bool:
    """Whether the shop's data goes back to the day."""
    begins = [row["first"] for row in ctx.engine.query(_BEGINS) if row["first"] is not None]
    return bool(begins) and max(parse_moment(str(b)) for b in begins) <= day_end(day)


def twin(campaign: Campaign, earlier: Campaign, at: datetime) -> datetime | None:
    """The same moment of another campaign: the same time on the day of the same number in the same phase (where that was
    shorter, its end, and the end at the end); None where `at` is in no phase or the other has no such phase."""
    phase = campaign.phase_at(at.date())
    other = next((p for p in earlier.phases if phase and p.key == phase.key), None)
    if phase is None or other is None:
        return None
    if at >= day_end(phase.last):
        return day_end(other.last)
    day = other.first + (phase.day_number(at.date()) - 1) * _DAY
    return datetime.combine(day, at.time()) if day <= other.last else day_end(other.last)


def before(ctx: Context, campaign: Campaign, over: Window) -> tuple[Campaign, Window] | None:
    """(the last instance of the campaign, the days of it that stand against `over`); None where there is none with data."""
    earlier = earlier_same(campaign, ctx.shop.campaigns)
    if earlier is None:
        return None
    until = twin(campaign, earlier, over.until)
    first = day_start(earlier.first) if over.first == campaign.first else twin(campaign, earlier, day_start(over.first))
    if until is None or first is None or not begins_by(ctx, first.date()):
        return None
    return earlier, Window(first.date(), until.date(), until)
