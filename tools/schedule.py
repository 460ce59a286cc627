"""When an action happens: the slots of a day, quiet hours, deadlines (knowledge/unpaid.yaml)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta

from knowledge.catalog import Channel, Slot, UnpaidFile
from tools.campaigns import day_start

LEAD = timedelta(minutes=15)  # nobody can start a send this minute
_STEP = timedelta(minutes=30)
_LAST_HOURS = timedelta(hours=2)
_LATE_CHANNELS: list[Channel] = ["push"]  # one to one, and not bound to the quiet hours; a group is never one audience


@dataclass(frozen=True)
class Timing:
    at: datetime
    channels: list[Channel]


def schedule(
    rules: UnpaidFile, slot: Slot, channels: list[Channel], now: datetime, deadline: datetime, *, final: bool = False
) -> Timing | None:
    """The first time of the slot that is ahead, allowed for the channels and before the deadline.

    When the slot is over, the next half hour, else tomorrow. `final`: after the deadline nothing can be paid any more, so when
    the quiet hours would swallow what is left, a push still goes out. At night nothing does, but in the last hours of
    a final deadline. None when nothing can go out in time.
    """
    quiet = (time.fromisoformat(rules.quiet_from), time.fromisoformat(rules.quiet_to))
    night = time.fromisoformat(rules.night_from)

    def allowed(at: datetime) -> list[Channel]:
        silent = at.time() >= quiet[0] or at.time() < quiet[1]
        asleep = at.time() >= night or at.time() < quiet[1]
        if asleep and not (final and deadline - at <= _LAST_HOURS):
            return []
        return [c for c in channels if not (silent and c in rules.quiet_channels)]

    half_hours = [round_up(now + LEAD) + i * _STEP for i in range(2)]
    today, tomorrow = day_start(now.date()), day_start(now.date() + timedelta(days=1))

    def slot_times(day: datetime) -> list[datetime]:
        return [datetime.combine(day.date(), time.fromisoformat(t)) for t in rules.slots[slot]]

    for at in [*slot_times(today), *half_hours, *slot_times(tomorrow), datetime.combine(tomorrow.date(), quiet[1])]:
        if now + LEAD <= at < deadline and allowed(at):
            return Timing(at, allowed(at))
    last_call = round_up(now + LEAD)
    in_time = final and last_call < deadline and last_call.time() >= quiet[1]
    return Timing(last_call, _LATE_CHANNELS) if in_time else None


def round_up(at: datetime) -> datetime:
    """`at` or the next full half hour."""
    past = timedelta(minutes=at.minute % 30, seconds=at.second, microseconds=at.microsecond)
    return at if not past else at - past + _STEP
