"""What a number is compared with: an earlier window, the same phase of an earlier campaign, the target, the peers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from knowledge import catalog
from tools import metrics
from tools.campaigns import Campaign, campaign_for
from tools.errors import AskAgain
from tools.periods import Window, parse_day
from tools.shop import Shop
from tools.sql import quote

if TYPE_CHECKING:
    from tools.reader import Reader

KINDS = ("previous_day", "previous_window", "from:YYYY-MM-DD", "campaign:KEY:YEAR", "target", "peers")
FROM = "from:"  # as many days, beginning on that one


@dataclass(frozen=True)
class Compared:
    """The value that a cell is compared with; `diff` = value − other, `ratio` = value / other − 1 (None without either)."""

    value: float | int | None
    query: str
    diff: float | None
    ratio: float | None


def earlier_window(kind: str, window: Window, campaigns: tuple[Campaign, ...], *, same_time: bool = False) -> Window:
    """The window to compare with. `same_time` cuts its last day at the time of day at which `window` is cut."""
    if kind == "previous_day":
        return window.shifted(-1, whole=not same_time)
    if kind == "previous_window":
        return window.shifted(-window.days, whole=not same_time)
    if kind.startswith(FROM):
        return window.shifted((parse_day(kind.removeprefix(FROM)) - window.first).days, whole=not same_time)
    return _same_phase(kind, window, campaigns, whole=not same_time)


def _same_phase(kind: str, window: Window, campaigns: tuple[Campaign, ...], *, whole: bool) -> Window:
    try:
        _, key, year = kind.split(":")
        other = next(c for c in campaigns if c.key == key and c.year == int(year))
    except (ValueError, StopIteration):
        known = ", ".join(f"campaign:{c.key}:{c.year}" for c in campaigns)
        raise AskAgain("unknown_campaign", name=kind, nearest=known or "—") from None
    here = campaign_for(window.last, campaigns)
    phase = here.phase_at(window.last) if here else None
    twin = next((p for p in other.phases if phase and p.key == phase.key), None)
    if phase is None or twin is None:
        raise AskAgain("no_same_phase", campaign=f"{other.key}:{other.year}", day=window.last.isoformat())
    shift = (twin.first - phase.first).days
    return window.shifted(shift, whole=whole)


def compare(
    engine: Reader, cells: Sequence[metrics.Cell], kind: str, window: Window, shop: Shop, by: str | None = None
) -> list[Compared | None]:
    """One entry a cell. AskAgain when the kind is unknown."""
    if kind in ("target", "peers"):
        campaign = campaign_for(window.last, shop.campaigns)
        if by not in (None, "day"):  # targets and averages are of whole crowds
            return [None] * len(cells)
        return [_looked_up(engine, c, kind, window, campaign) for c in cells]
    if kind not in ("previous_day", "previous_window") and not kind.startswith(("campaign:", FROM)):
        raise AskAgain("unknown_compare", name=kind, nearest=", ".join(KINDS))
    other = earlier_window(kind, window, shop.campaigns)
    scope = metrics.scope_of(other, shop.campaigns, shop.settings)
    keys = list(dict.fromkeys(c.metric for c in cells))
    crowds = list(dict.fromkeys(c.crowd for c in cells))
    found = {
        (c.crowd, c.metric, _moved(c.by, by, window, other)): c
        for c in metrics.compute(engine, keys, crowds, other, scope, by)
    }
    out: list[Compared | None] = []
    for cell in cells:
        twin = found.get((cell.crowd, cell.metric, cell.by))
        out.append(difference(cell.value, twin.value, twin.query) if twin else None)
    return out


def _moved(value: str | None, by: str | None, window: Window, other: Window) -> str | None:
    """A day of the other window as the day of this window that it stands against."""
    if by != "day" or value is None:
        return value
    return (date.fromisoformat(value) + timedelta(days=(window.first - other.first).days)).isoformat()


def difference(value: float | int | None, other: float | int | None, query: str) -> Compared:
    if value is None or other is None:
        return Compared(other, query, None, None)
    return Compared(other, query, value - other, value / other - 1 if other else None)


def _looked_up(
    engine: Reader, cell: metrics.Cell, kind: str, window: Window, campaign: Campaign | None
) -> Compared | None:
    """The merchant's target or the peers' average; those of the campaign's year come before those of the campaign.

    A target is that of the one day; of more days the sum of the daily ones where every day has one and the metric can be
    added up; else the one without a date, which is the whole campaign's.
    """
    if campaign is None or " " in cell.crowd:
        return None
    named = f"campaign IN ({quote(campaign.key)}, {quote(f'{campaign.key}:{campaign.year}')})"
    where = f"{named} AND crowd = {quote(cell.crowd)} AND metric = {quote(cell.metric)}"
    dated: str | None = None
    if kind == "target" and (window.days == 1 or cell.by is not None):
        dated = f"date = DATE '{cell.by or window.last.isoformat()}'"
    elif kind == "target" and catalog.metrics()[cell.metric].unit != "ratio":
        days = f"date BETWEEN DATE '{window.first}' AND DATE '{window.last}'"
        query = f"SELECT sum(value) AS value FROM targets WHERE {where} AND {days} HAVING count(DISTINCT date) = {window.days}"
        if rows := engine.query(query):
            return difference(cell.value, rows[0]["value"], query)
    if kind == "target" and dated is None:
        dated = "date IS NULL"
    query = f"SELECT value FROM {'peers' if kind == 'peers' else 'targets'} WHERE {where}"
    query += f"{f' AND {dated}' if dated else ''} ORDER BY length(campaign) DESC LIMIT 1"
    rows = engine.query(query)
    value = rows[0]["value"] if rows else None
    return difference(cell.value, value, query) if value is not None else None
