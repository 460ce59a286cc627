"""The moments that crowds and metrics hang on: named in expressions, known for each question.

An expression does not depend on when it is asked, only its moments do. So it is built with placeholders
(`Moments`), compiled once per shape, and bound to a Scope's real moments as literals: the bound statement stands alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any

from tools.campaigns import Campaign, Wave, day_end, day_start
from tools.errors import AskAgain
from tools.shop import Thresholds

_PLACEHOLDER = re.compile(r"MOMENT\('([a-z_]+?)(?:_(\d+))?'\)")


@dataclass(frozen=True)
class Scope:
    """What a crowd is taken at: the moment T, the campaign, the cut-offs, and the window's first day when there is one."""

    at: datetime
    campaign: Campaign | None
    settings: Thresholds
    window_first: date | None = None

    def _campaign(self) -> Campaign:
        if self.campaign is None:
            raise AskAgain("no_campaign_before", day=self.at.date().isoformat())
        return self.campaign

    @property
    def wave(self) -> Wave:
        return self._campaign().wave_at(self.at.date())

    @property
    def since(self) -> datetime:
        """The start of the window; without a window, of the day of T."""
        return day_start(self.window_first or self.at.date())

    @property
    def wave_start(self) -> datetime:
        return day_start(self.wave.first)

    @property
    def wave_until(self) -> datetime:
        """The end of "this wave up to T": T, or the wave's last second once it is over."""
        return min(self.at, day_end(self.wave.last))

    @property
    def new_since(self) -> datetime:
        """Whoever is first seen from here on is newly reached: the window's start, without a window the wave's."""
        return day_start(self.window_first) if self.window_first else self.wave_start

    @property
    def campaign_start(self) -> datetime:
        return day_start(self._campaign().first)

    @property
    def campaign_until(self) -> datetime:
        """The end of "the campaign up to T": T, or the campaign's last second once it is over."""
        return min(self.at, day_end(self._campaign().last))

    @property
    def recruit_start(self) -> datetime:
        return day_start(self._campaign().recruit_from)

    @property
    def cohort(self) -> datetime:
        """The day before which `old` looks back; without any campaign the window's first day."""
        return day_start(self.campaign.cohort_date) if self.campaign else self.since

    @property
    def old_from(self) -> datetime:
        return self.cohort - timedelta(days=self.settings.old_customer_days)

    def ago(self, days: int) -> datetime:
        return self.at - timedelta(days=days)


class Moments:
    """The same names as a Scope's moments, as placeholders in an expression."""

    def __init__(self, settings: Thresholds) -> None:
        self.settings = settings

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or (not isinstance(getattr(Scope, name, None), property) and name != "at"):
            raise AttributeError(name)
        return _placeholder()(name)

    def ago(self, days: int) -> Any:
        return _placeholder()(f"ago_{days}")


@cache
def _placeholder() -> Any:
    import ibis

    def moment(key: str) -> datetime:
        """Never runs: `bind` puts a literal in its place."""
        raise AssertionError(key)

    return ibis.udf.scalar.builtin(moment, name="MOMENT")


def bind(sql: str, scope: Scope) -> str:
    """`sql` with each placeholder replaced by the scope's moment as a literal. AskAgain when the scope has no such moment."""

    def literal(match: re.Match[str]) -> str:
        name, days = match[1], match[2]
        at: datetime = scope.ago(int(days)) if days else getattr(scope, name)
        return f"CAST('{at:%Y-%m-%d %H:%M:%S}' AS TIMESTAMP)"

    return _PLACEHOLDER.sub(literal, sql)
