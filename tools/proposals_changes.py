"""What accepting a draft does to an entry: what it says, and what of an entry that is there already changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from knowledge import catalog
from knowledge.catalog import Bilingual
from knowledge.strategies import Strategy
from tools.campaigns import Campaign, both

_NAMES = ("key", "at", "from")  # by which an entry of an inner list is told from the others


@dataclass(frozen=True)
class Difference:
    """One value as it stands in the file and as the draft has it; None where it is not there."""

    place: str
    before: str | None
    after: str | None


@dataclass(frozen=True)
class Task:
    """A task of a draft: its id, its title as the draft has it, and when, for whom and by which channels it is.

    `days` are month-days, both included; None where the task goes by `phases`. `differences`: to the task in its place.
    """

    id: str
    title: str
    days: tuple[str, str] | None = None
    phases: tuple[Bilingual, ...] = ()
    crowd: str | None = None
    channels: tuple[str, ...] = ()
    differences: tuple[Difference, ...] = ()


def task_of(task_id: str, entry: Mapping[str, Any], strategy: Strategy | None, campaigns: Sequence[Campaign]) -> Task:
    """A validated entry as it is shown; `strategy` is None where it takes a built-in task out."""
    title = str(entry.get("title", ""))
    if strategy is None:
        return Task(task_id, title)
    names = {p.key: both(p.name) for t in _templates(strategy.campaign) for p in t.phases}
    for c in sorted(campaigns, key=lambda c: c.first):
        if c.key == strategy.campaign:
            names = {p.key: p.name for p in c.phases}
    days = (str(strategy.first), str(strategy.last)) if strategy.first and strategy.last else None
    phases = () if days else tuple(names.get(p, Bilingual(zh=p, en=p)) for p in strategy.phases)
    return Task(task_id, title, days, phases, strategy.crowd, tuple(strategy.channels))


def differences(old: Any, new: Any, place: str = "") -> list[Difference]:
    """Every value in which two entries differ, by its place: phases.sale1.from."""
    if isinstance(old, dict) and isinstance(new, dict):
        inner = f"{place}." if place else ""
        keys = [*new, *(k for k in old if k not in new)]
        return [d for k in keys for d in differences(old.get(k), new.get(k), f"{inner}{k}")]
    before, after = _by_name(old), _by_name(new)
    if (before is not None and after) or (after is not None and before):
        return differences(before or {}, after or {}, place)
    return [] if old == new else [Difference(place, _shown(old), _shown(new))]


def _by_name(value: Any) -> dict[str, Any] | None:
    """A list of entries as a mapping from what tells them apart; None for anything else, {} for an empty list."""
    if not isinstance(value, list) or not all(isinstance(x, dict) for x in value):
        return None
    name = next((n for n in _NAMES if all(n in x for x in value)), None)
    found = {str(x[name]): {k: v for k, v in x.items() if k != name} for x in value} if name else {}
    return found if len(found) == len(value) else None


def _shown(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, dict):
        return ", ".join(f"{k}: {_shown(v)}" for k, v in value.items())
    if isinstance(value, list):
        return ", ".join(str(_shown(v)) for v in value)
    return value.isoformat() if isinstance(value, date) else str(value)


def _templates(key: str) -> list[Any]:
    return [t for k, t in catalog.campaign_templates().items() if k == key]
