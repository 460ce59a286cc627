"""What the shop wants: the rows of the table `targets`, as the goal of a whole campaign or of some of its days."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from knowledge import catalog
from tools.campaigns import Campaign, Wave
from tools.sql import quote

if TYPE_CHECKING:
    from tools.reader import Reader


@dataclass(frozen=True)
class Goal:
    """A target in the metric's unit, with the statement that gives it."""

    value: float
    query: str


def selling(campaign: Campaign) -> Wave:
    """The days that targets are set for: a campaign without its review."""
    worked = [p for p in campaign.phases if p.kind != "review"] or list(campaign.phases)
    return Wave(worked[0].first, worked[-1].last)


def adds_up(metric: str) -> bool:
    """Whether the numbers of single days add up to that of them all: money and messages do; people who came twice do not."""
    return catalog.metrics()[metric].unit in ("CNY", "count")


def of_campaign(
    engine: Reader, campaign: Campaign, crowd: str, metric: str, campaigns: Sequence[Campaign], at: datetime
) -> Goal | None:
    """The target of the whole campaign: its row without a date, else the sum of its days where each has one.

    A row of the year (618:2026) comes before one of the campaign (618). One of the campaign is that of the year in which its
    dated rows lie; without any, of the latest instance that has begun by `at`.
    """
    where = f"{_named(engine, campaign, campaigns, at)} AND crowd = {quote(crowd)} AND metric = {quote(metric)} AND date IS NULL"
    query = f"SELECT CAST(value AS DOUBLE) AS value FROM targets WHERE {where} ORDER BY length(campaign) DESC LIMIT 1"
    rows = engine.query(query)
    if rows and rows[0]["value"] is not None:
        return Goal(rows[0]["value"], query)
    days = selling(campaign)
    return of_days(engine, campaign, crowd, metric, days.first, days.last)


def of_days(engine: Reader, campaign: Campaign, crowd: str, metric: str, first: date, last: date) -> Goal | None:
    """The target of the days `first`..`last`: of one day its own; of several the sum, where every day has one and the
    numbers of days add up. None where there is none."""
    if first != last and not adds_up(metric):
        return None
    named = f"campaign IN ({quote(campaign.key)}, {quote(f'{campaign.key}:{campaign.year}')})"
    where = (
        f"{named} AND crowd = {quote(crowd)} AND metric = {quote(metric)} "
        f"AND date BETWEEN DATE '{first}' AND DATE '{last}'"
    )
    place = "row_number() OVER (PARTITION BY date ORDER BY length(campaign) DESC) AS place"
    ranked = f"SELECT value, {place} FROM targets WHERE {where}"
    query = f"SELECT CAST(sum(value) AS DOUBLE) AS value FROM ({ranked}) AS ranked WHERE place = 1"
    dated = engine.query(f"SELECT count(*) AS days FROM ({ranked}) AS ranked WHERE place = 1")[0]["days"]
    if dated != (last - first) // timedelta(days=1) + 1:
        return None
    value = engine.query(query)[0]["value"]
    return Goal(value, query) if value is not None else None


def set_for(engine: Reader, campaign: Campaign, campaigns: Sequence[Campaign], at: datetime) -> list[tuple[str, str]]:
    """(crowd, metric) of every target that the shop has set for the campaign or a day of it."""
    query = f"SELECT DISTINCT crowd, metric FROM targets WHERE {_named(engine, campaign, campaigns, at)} ORDER BY crowd, metric"
    return [(row["crowd"], row["metric"]) for row in engine.query(query)]


def _named(engine: Reader, campaign: Campaign, campaigns: Sequence[Campaign], at: datetime) -> str:
    names = [quote(f"{campaign.key}:{campaign.year}")]
    if _is_meant(engine, campaign, campaigns, at):
        names.append(quote(campaign.key))
    return f"campaign IN ({', '.join(names)})"


def _is_meant(engine: Reader, campaign: Campaign, campaigns: Sequence[Campaign], at: datetime) -> bool:
    """Whether rows that name the campaign without its year mean this year's."""
    span = engine.query(
        f"SELECT min(date) AS first, max(date) AS last FROM targets WHERE campaign = {quote(campaign.key)}"
    )
    if span[0]["first"] is not None:
        first, last = (date.fromisoformat(str(span[0][end])[:10]) for end in ("first", "last"))
        return first <= campaign.last and campaign.first <= last
    return not any(c.key == campaign.key and campaign.first < c.first <= at.date() for c in campaigns)
