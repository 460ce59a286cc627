"""Dated campaigns: a template plus a year, or the merchant's own; phases, gates, waves (domain: campaigns and phases)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any

from knowledge.catalog import Bilingual, CampaignTemplate, CatalogError

_MONTH_DAY = re.compile(r"^(\d{1,2})-(\d{1,2})$")


def day_start(day: date) -> datetime:
    return datetime(day.year, day.month, day.day)


def day_end(day: date) -> datetime:
    """The last second of `day`; windows are whole days with both ends included and times are to the second."""
    return day_start(day) + timedelta(days=1, seconds=-1)


@dataclass(frozen=True)
class Phase:
    key: str
    name: Bilingual
    first: date
    last: date

    @property
    def kind(self) -> str:
        """The key without its number: prepare, pool, presale, preheat, sale or review."""
        return self.key.rstrip("0123456789")

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    def day_number(self, day: date) -> int:
        """1 on the phase's first day."""
        return (day - self.first).days + 1


@dataclass(frozen=True)
class Gate:
    at: datetime
    name: Bilingual


@dataclass(frozen=True)
class Wave:
    """Days `first`..`last`; what "this wave" means at a day."""

    first: date
    last: date

    @property
    def end(self) -> datetime:
        """Midnight after the last day."""
        return day_start(self.last + timedelta(days=1))


@dataclass(frozen=True)
class Campaign:
    key: str
    year: int
    name: Bilingual
    aliases: tuple[str, ...]
    phases: tuple[Phase, ...]
    gates: tuple[Gate, ...]
    member_days: tuple[date, ...]
    balance_windows: tuple[tuple[date, date], ...]
    cohort_date: date
    recruit_from: date
    peak_day: date | None = None

    @property
    def first(self) -> date:
        return self.phases[0].first

    @property
    def last(self) -> date:
        return self.phases[-1].last

    def phase_at(self, day: date) -> Phase | None:
        """The phase that `day` is in; None in a gap or outside the campaign."""
        return next((p for p in self.phases if p.first <= day <= p.last), None)

    def wave_at(self, day: date) -> Wave:
        """The wave that contains `day`. In prepare/pool it is the phase itself; from review on, the last wave."""
        phase = self.phase_at(day)
        if phase is not None and phase.kind in ("prepare", "pool"):
            return Wave(phase.first, phase.last)
        waves = self.waves()
        if not waves:  # nothing is sold in waves: the campaign without its build-up and review is one
            core = [p for p in self.phases if p.kind not in ("prepare", "pool", "review")] or list(self.phases)
            return Wave(core[0].first, core[-1].last)
        for wave in waves:
            if day <= wave.last:
                return wave
        return waves[-1]

    def waves(self) -> list[Wave]:
        """Each sale phase closes a wave; the first begins with the first phase that is not prepare or pool."""
        out: list[Wave] = []
        begin = next((p.first for p in self.phases if p.kind not in ("prepare", "pool")), self.first)
        for phase in self.phases:
            if phase.kind == "sale":
                out.append(Wave(begin, phase.last))
                begin = phase.last + timedelta(days=1)
        return out

    def balance_window_at(self, at: datetime) -> tuple[date, date] | None:
        """The days in which balances can be paid, when `at` is in one."""
        return next((w for w in self.balance_windows if w[0] <= at.date() <= w[1]), None)


def campaign_for(day: date, campaigns: tuple[Campaign, ...]) -> Campaign | None:
    """The campaign that contains `day`; else the latest that began before it; None before the first one."""
    inside = [c for c in campaigns if c.first <= day <= c.last]
    if inside:
        return max(inside, key=lambda c: c.first)
    earlier = [c for c in campaigns if c.first <= day]
    return max(earlier, key=lambda c: c.first) if earlier else None


def campaign_on(day: date, campaigns: tuple[Campaign, ...]) -> Campaign | None:
    """The campaign that `day` is in, if any."""
    found = campaign_for(day, campaigns)
    return found if found is not None and found.last >= day else None


def next_campaign(day: date, campaigns: tuple[Campaign, ...]) -> Campaign | None:
    later = [c for c in campaigns if c.first > day]
    return min(later, key=lambda c: c.first) if later else None


def earlier_same(campaign: Campaign, campaigns: tuple[Campaign, ...]) -> Campaign | None:
    """The latest earlier instance of the same campaign, for comparison."""
    same = [c for c in campaigns if c.key == campaign.key and c.first < campaign.first]
    return max(same, key=lambda c: c.first) if same else None


def date_campaign(template: CampaignTemplate, year: int, where: str) -> Campaign:
    """`template` in `year`. Phases must be in order and must not overlap; `where` names the file in errors."""

    def day(value: Any, field: str) -> date:
        if isinstance(value, datetime):
            return value.date()
        if isinstance(value, date):
            return value
        text = str(value).strip()
        match = _MONTH_DAY.match(text)
        try:
            if match:
                return date(year, int(match[1]), int(match[2]))
            return date.fromisoformat(text)
        except ValueError as e:
            raise CatalogError(f'{where}: {field}: {text!r} is not a day; write "06-01" or "2026-06-01"') from e

    def moment(value: Any, field: str) -> datetime:
        if isinstance(value, datetime):
            return value
        head, _, clock = str(value).strip().partition(" ")
        try:
            hour, minute = (clock or "00:00").split(":")[:2]
            return day_start(day(head, field)) + timedelta(hours=int(hour), minutes=int(minute))
        except ValueError as e:
            raise CatalogError(f'{where}: {field}: {value!r} is not a moment; write "06-01 20:00"') from e

    phases = tuple(
        Phase(p.key, both(p.name), day(p.first, f"phases.{p.key}.from"), day(p.last, f"phases.{p.key}.to"))
        for p in template.phases
    )
    for phase in phases:
        if phase.last < phase.first:
            raise CatalogError(f"{where}: phases.{phase.key}: ends {phase.last} before it begins {phase.first}")
    for before, after in pairwise(phases):
        if after.first <= before.last:
            raise CatalogError(
                f"{where}: phases.{after.key}: begins {after.first}, before {before.key} ends {before.last}"
            )
    if len({p.key for p in phases}) != len(phases):
        raise CatalogError(f"{where}: phases: a key stands twice")
    presale = next((p for p in phases if p.kind == "presale"), None)
    opening = next((p for p in phases if p.kind not in ("prepare", "pool")), phases[0])
    pool = next((p for p in phases if p.kind == "pool"), phases[0])
    if template.balance_windows is not None:
        balance = tuple(
            (day(w.first, "balance_windows.from"), day(w.last, "balance_windows.to")) for w in template.balance_windows
        )
    else:
        # Without a word on it, balances are paid in the sale phase that follows the presale.
        after_presale = [p for p in phases if presale and p.kind == "sale" and p.first > presale.last][:1]
        balance = tuple((p.first, p.last) for p in after_presale)
    return Campaign(
        key=template.key,
        year=phases[0].first.year,
        name=both(template.name),
        aliases=tuple(template.aliases),
        phases=phases,
        gates=tuple(sorted((Gate(moment(g.at, "gates.at"), both(g.name)) for g in template.gates), key=lambda g: g.at)),
        member_days=tuple(day(d, "member_days") for d in template.member_days),
        balance_windows=balance,
        cohort_date=day(template.cohort_date, "cohort_date") if template.cohort_date else opening.first,
        recruit_from=day(template.recruit_from, "recruit_from") if template.recruit_from else pool.first,
        peak_day=day(template.peak_day, "peak_day") if template.peak_day else None,
    )


def both(name: Bilingual | str) -> Bilingual:
    """A name given once serves both languages."""
    return name if isinstance(name, Bilingual) else Bilingual(zh=name, en=name)
