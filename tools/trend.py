"""A crowd day by day: its size at the end of each day, today's at the moment asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from tools import audience
from tools.campaigns import Campaign, campaign_for, day_end
from tools.errors import AskAgain
from tools.periods import Window, window
from tools.scope import Scope
from tools.shop import Thresholds

if TYPE_CHECKING:
    from tools.reader import Reader

DAYS_AT_ONCE = 8  # the memory that a statement takes grows with its days
MOST_DAYS = 400


@dataclass(frozen=True)
class Day:
    """The crowd's size at the end of `day` (or at the as-of time, on its day) and the query that gives it."""

    day: date
    size: int
    query: str


def span(scope: Scope, first: date | None, last: date | None) -> Window:
    """The days of a trend: by default this wave so far; `first` alone goes up to today, `last` alone begins with the wave.

    AskAgain when the days are upside down, ahead or more than MOST_DAYS, or when there is no wave to fall back on.
    """
    if first is None:
        if scope.campaign is None:
            raise AskAgain("trend_without_wave")
        first = scope.wave.first
        last = last or scope.wave_until.date()
    last = last or max(first, scope.at.date())
    over = window(first, last, scope.at)
    if over.days > MOST_DAYS:
        raise AskAgain("trend_too_long", days=over.days, most=MOST_DAYS)
    return over


def trend(
    engine: Reader, expression: str, over: Window, campaigns: tuple[Campaign, ...], settings: Thresholds
) -> list[Day]:
    """The size of a crowd expression at the end of each day of `over`, in order.

    Each day is seen from its own end: its own campaign and wave, and nothing that came later. AskAgain when the crowd needs a
    campaign and a day has none before it.
    """
    tree = audience.parse(expression)
    days = [over.first + timedelta(days=i) for i in range(over.days)]
    scopes = [Scope(min(over.until, day_end(d)), campaign_for(d, campaigns), settings) for d in days]
    queries = [audience.size_query(engine, audience.canonical(tree), scope) for scope in scopes]
    sizes: list[int] = []
    for start in range(0, len(days), DAYS_AT_ONCE):
        sizes += _sizes(engine, queries[start : start + DAYS_AT_ONCE])
    return [Day(d, n, query) for d, n, query in zip(days, sizes, queries, strict=True)]


def _sizes(engine: Reader, queries: Sequence[str]) -> list[int]:
    """What each query gives, all from one statement. They are one expression, compiled once and bound to each day's moments."""
    parts = [f"SELECT {n} AS n, people FROM (\n{query}\n) AS day_{n}" for n, query in enumerate(queries)]
    found = {row["n"]: row["people"] for row in engine.query("\nUNION ALL\n".join(parts))}
    return [found[n] for n in range(len(queries))]


_LEVELS = "▁▂▃▄▅▆▇█"


def sparkline(values: Sequence[int]) -> str:
    """One block a value, from the smallest to the largest of them; all alike are drawn at half height."""
    low, high = min(values), max(values)
    if low == high:
        return _LEVELS[3] * len(values)
    return "".join(_LEVELS[round((v - low) * (len(_LEVELS) - 1) / (high - low))] for v in values)
