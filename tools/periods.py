"""Windows: whole days, both ends included, cut at the as-of moment (domain: precision)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from tools.campaigns import day_end, day_start
from tools.errors import AskAgain
from tools.shop import parse_moment


@dataclass(frozen=True)
class Window:
    """Days `first`..`last`; `until` is the last moment that is seen (end of `last`, or the as-of time if earlier)."""

    first: date
    last: date
    until: datetime

    @property
    def partial(self) -> bool:
        """The last day is not over at `until`."""
        return self.until < day_end(self.last)

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    def shifted(self, days: int, *, whole: bool) -> Window:
        """The same days moved by `days`; `whole` takes its last day to the end, otherwise to the same time of day."""
        delta = timedelta(days=days)
        last = self.last + delta
        return Window(self.first + delta, last, day_end(last) if whole else self.until + delta)

    def as_json(self) -> dict[str, str]:
        return {"from": self.first.isoformat(), "to": self.last.isoformat()}


def window(first: date, last: date, as_of: datetime) -> Window:
    """The window `first`..`last` seen at `as_of`; AskAgain when it is upside down or has not begun."""
    if last < first:
        raise AskAgain("window_upside_down", first=first.isoformat(), last=last.isoformat())
    if day_start(first) > as_of:
        raise AskAgain("window_in_future", first=first.isoformat(), now=as_of.strftime("%Y-%m-%d %H:%M"))
    last = min(last, as_of.date())
    return Window(first, last, min(day_end(last), as_of))


def parse_day(text: str) -> date:
    """`YYYY-MM-DD` (a time of day is allowed and ignored); AskAgain otherwise."""
    return _moment(text).date()


def parse_as_of(text: str) -> datetime:
    """`YYYY-MM-DD[ HH:MM[:SS]]`; a day alone means its last second. AskAgain otherwise."""
    moment = _moment(text)
    return moment if ":" in text else day_end(moment.date())


def _moment(text: str) -> datetime:
    try:
        return parse_moment(text)
    except ValueError:
        raise AskAgain("bad_day", text=text) from None
