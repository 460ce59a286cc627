"""The strategy catalogue: the tasks and methods of the playbooks (knowledge/tasks/*.yaml, domain section 6).

A task is done for a crowd on days; a method is a way of working and never has an audience. A shop adds its own and changes these
in its tasks.yaml (tools/own_tasks.py), in the same form and by the same rules (`slip_of`).
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Literal

from pydantic import Field

from knowledge import catalog
from knowledge.catalog import HERE, Bilingual, CatalogError, Channel, Entry, Slot, SourceRef, read_yaml, validate

ANY = "any"  # the campaign of an entry that holds for all of them; its phases are kinds of phase
KINDS = ("prepare", "pool", "presale", "preheat", "sale", "review")
_LEAP = 2024  # month-days are compared as days of one year; this one has all of them

# (phase key, first day, last day), in order, by campaign key.
Calendar = Mapping[str, Sequence[tuple[str, date, date]]]


class Strategy(Entry):
    """One task or method. `first`..`last` are month-days, both included; without them the days of `phases` are meant.

    `lead_days`: days to prepare before the first day. `pay`: it asks people to pay now, so it stands in sale phases only.
    `source` is None for what a shop wrote itself.
    """

    id: str = Field(pattern=r"^[\w-]+$")
    kind: Literal["task", "method"] = "task"
    scene: str
    campaign: str
    phases: list[str] = []
    first: str | None = Field(None, alias="from", pattern=r"^\d\d-\d\d$")
    last: str | None = Field(None, alias="to", pattern=r"^\d\d-\d\d$")
    days: Literal["all", "last"] = "all"
    pay: bool = False
    title: Bilingual
    what: Bilingual
    aliases: list[str] = []
    crowd: str = "all"
    channels: list[Channel] = []
    slot: Slot | None = None
    benefit: Bilingual | None = None
    purpose: Bilingual | None = None
    lead_days: int = Field(0, ge=0, le=365)
    metric: str | None = None
    source: SourceRef | None = None

    @property
    def phase_kinds(self) -> set[str]:
        return {kind_of(p) for p in self.phases}


class StrategyFile(Entry):
    strategies: list[Strategy]


class SceneFile(Entry):
    scenes: list[Bilingual] = Field(min_length=1)


@dataclass(frozen=True)
class Slip:
    """What is wrong with one entry: `why` is unknown, missing, day, order, outside, pay or method; `valid` what would do, nearest
    first."""

    why: str
    key: str
    value: str = ""
    valid: tuple[str, ...] = ()

    def sentence(self) -> str:
        near = f"; valid: {', '.join(self.valid)}" if self.valid else ""
        return f"{self.key}: {self.why} {self.value}".rstrip() + near


def kind_of(phase: str) -> str:
    """The key of a phase without its number."""
    return phase.rstrip("0123456789")


def nearest(value: str, valid: Iterable[str]) -> tuple[str, ...]:
    """`valid`, what looks like `value` first."""
    known = list(dict.fromkeys(valid))
    close = difflib.get_close_matches(value, known, n=3, cutoff=0.4)
    return (*close, *(v for v in known if v not in close))


@cache
def scenes() -> dict[str, Bilingual]:
    """The scenes in the order of a day's list, by their Chinese name, which entries use."""
    found = validate(SceneFile, read_yaml(HERE / "scenes.yaml"), "scenes.yaml").scenes
    return {s.zh: s for s in found}


@cache
def calendar() -> Calendar:
    """The templates' phases as days of one year."""
    return {
        key: [(p.key, month_day(str(p.first)), month_day(str(p.last))) for p in template.phases]
        for key, template in catalog.campaign_templates().items()
    }


def month_day(text: str) -> date:
    """ "06-01" as a day of the year in which month-days are compared; ValueError when there is no such day."""
    return date.fromisoformat(f"{_LEAP}-{text}")


@cache
def builtin() -> list[Strategy]:
    """All entries that come with the product, file by file in their order; CatalogError where one cannot be."""
    out: list[Strategy] = []
    names = sorted((p.name for p in (HERE / "tasks").glob("*.yaml")), key=lambda n: (not n.startswith("618"), n))
    for name in names:
        for s in validate(StrategyFile, read_yaml(HERE / "tasks" / name), f"tasks/{name}").strategies:
            slip = _slip_of_builtin(s)
            if slip is not None:
                raise CatalogError(f"tasks/{name}: {s.id}: {slip.sentence()}")
            out.append(s)
    ids = [s.id for s in out]
    twice = next((i for i in ids if ids.count(i) > 1), None)
    if twice:
        raise CatalogError(f"tasks/: the id {twice!r} stands twice")
    return out


def _slip_of_builtin(s: Strategy) -> Slip | None:
    """What a shop may leave out, a built-in entry says: its source, the metric it moves, what it offers and why."""
    needed: dict[str, object] = {"source": s.source, "metric": s.metric}
    if s.channels:
        needed |= {"benefit": s.benefit, "purpose": s.purpose}
    missing = next((key for key, value in needed.items() if value is None), None)
    return Slip("missing", missing) if missing else slip_of(s, calendar())


def slip_of(s: Strategy, known: Calendar) -> Slip | None:
    """The first thing that is wrong with an entry, held against the catalogue and the campaigns `known`; None when nothing is.

    The crowd is not looked at: expressions are read in tools.
    """
    if s.scene not in scenes():
        return Slip("unknown", "scene", s.scene, nearest(s.scene, scenes()))
    if s.metric is not None and s.metric not in catalog.metrics():
        return Slip("unknown", "metric", s.metric, nearest(s.metric, catalog.metrics())[:3])
    if s.campaign != ANY and s.campaign not in known:
        return Slip("unknown", "campaign", s.campaign, nearest(s.campaign, [*known, ANY]))
    if s.kind == "method" and (s.channels or s.pay):
        return Slip("method", "channels" if s.channels else "pay")
    return _slip_of_days(s, known)


def _slip_of_days(s: Strategy, known: Calendar) -> Slip | None:
    phases = KINDS if s.campaign == ANY else tuple(key for key, _, _ in known[s.campaign])
    wrong = next((p for p in s.phases if p not in phases), None)
    if wrong is not None:
        return Slip("unknown", "phases", wrong, nearest(wrong, phases))
    if not s.phases and s.first is None and s.last is None:
        return Slip("missing", "phases", valid=phases)
    if s.first is not None or s.last is not None:
        slip = _slip_of_span(s, known)
        if slip is not None:
            return slip
    if s.pay and s.phase_kinds - {"sale"}:
        return Slip("pay", "phases", next(p for p in s.phases if kind_of(p) != "sale"), tuple(_sales(phases)))
    return None


def _sales(phases: Iterable[str]) -> Iterable[str]:
    return (p for p in phases if kind_of(p) == "sale")


def _slip_of_span(s: Strategy, known: Calendar) -> Slip | None:
    if s.first is None or s.last is None:
        return Slip("missing", "to" if s.last is None else "from")
    for key, text in (("from", s.first), ("to", s.last)):
        try:
            month_day(text)
        except ValueError:
            return Slip("day", key, text)
    if s.campaign == ANY:
        return Slip("outside", "from", s.first, KINDS)  # days belong to one campaign; kinds of phase to all
    first, last = known[s.campaign][0][1], known[s.campaign][-1][2]
    ends = {key: inside(text, first, last) for key, text in (("from", s.first), ("to", s.last))}
    for key, day in ends.items():
        if day is None:
            return Slip("outside", key, s.first if key == "from" else s.last, (f"{first:%m-%d}", f"{last:%m-%d}"))
    if ends["from"] and ends["to"] and ends["to"] < ends["from"]:
        return Slip("order", "to", s.last, (s.first,))
    return None


def inside(text: str, first: date, last: date) -> date | None:
    """The day that a month-day means in a campaign of `first`..`last`, which may go on into the next year; None if none."""
    for year in range(first.year, last.year + 1):
        try:
            day = date.fromisoformat(f"{year}-{text}")
        except ValueError:  # 02-29 in a year without it
            continue
        if first <= day <= last:
            return day
    return None
