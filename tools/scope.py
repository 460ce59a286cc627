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

from tools.campaigns import Campaign, Wave, campaign_for, day_end, day_start
from tools.errors import AskAgain
from tools.shop import Thresholds
from tools.sql import quote

_PLACEHOLDER = re.compile(r"MOMENT\('([a-z_]+?)(?:_(\d+))?'\)")


@dataclass(frozen=True)
class Scope:
    """What a crowd is taken at: the moment T, the campaign, the cut-offs, and the window's first day when there is one."""

    at: datetime
    campaign: Campaign | None
    settings: Thresholds
    window_first: date | None = None
    campaigns: tuple[Campaign, ...] = ()  # for the days of the window, if they are looked at one by one

    def of_day(self, day: date) -> Scope:
        """The scope of one day of the window: its campaign is that day's own."""
        campaign = campaign_for(day, self.campaigns) if self.campaigns else self.campaign
        return Scope(min(self.at, day_end(day)), campaign, self.settings, day)

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
    def cohort_until(self) -> datetime:
        """The moment of RV relations: the end of the cohort date, as far as it is seen."""
        return min(self.at, day_end(self.cohort.date()))

    @property
    def cohort_active(self) -> datetime:
        """The start of the calendar days in which one is active at the cohort date."""
        return self._active_from(self.cohort_until)

    @property
    def active_from(self) -> datetime:
        """The start of the calendar days in which one is active at T."""
        return self._active_from(self.at)

    def _active_from(self, until: datetime) -> datetime:
        return day_start(until.date() - timedelta(days=self.settings.active_days - 1))

    @property
    def campaign_key(self) -> str:
        """The campaign's key, "" without any: whose targets and peers are meant."""
        return self.campaign.key if self.campaign else ""

    @property
    def campaign_of_year(self) -> str:
        """The same with its year, as `618:2026`."""
        return f"{self.campaign.key}:{self.campaign.year}" if self.campaign else ""

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

    def text(self, name: str) -> Any:
        """A property of the scope that is a text."""
        return _placeholder("string")(name)

    def ago(self, days: int) -> Any:
        return _placeholder()(f"ago_{days}")


@cache
def _placeholder(kind: str = "timestamp") -> Any:
    import ibis

    def moment(key: str) -> None:
        """Never runs: `bind` puts a literal in its place."""
        raise AssertionError(key)

    return ibis.udf.scalar.builtin(moment, name="MOMENT", signature=(("string",), kind))


def bind(sql: str, scope: Scope, kind: str = "TIMESTAMP") -> str:
    """`sql` with each placeholder replaced by what the scope has as a literal. AskAgain when the scope has no such moment.

    `kind`: what the engine calls a time without a zone.
    """

    def literal(match: re.Match[str]) -> str:
        name, days = match[1], match[2]
        at: datetime | str = scope.ago(int(days)) if days else getattr(scope, name)
        if isinstance(at, str):
            return quote(at)
        return f"CAST('{at:%Y-%m-%d %H:%M:%S}' AS {kind})"

    return _PLACEHOLDER.sub(literal, sql)
