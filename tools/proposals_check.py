"""Whether the entries of a draft are ready to be accepted: gaps that are left, and everything that is wrong, told at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import prompts
from knowledge import catalog
from knowledge.catalog import CatalogError
from tools import own_tasks
from tools.campaigns import Campaign, date_campaign
from tools.errors import NeedsPerson
from tools.proposals_changes import Task, task_of
from tools.proposals_text import is_gap
from tools.shop import OwnCampaign, Shop

_SHOWN = 5  # gaps that an error lists


def mistakes(key: str, entries: Sequence[Any], file: str, shop: Shop) -> list[NeedsPerson]:
    """What is wrong with the entries, of each the first mistake. An entry with gaps is looked at as far as it is filled in."""
    out: list[NeedsPerson] = []
    seen: set[str] = set()
    for n, whole in enumerate(entries, start=1):
        entry = _without_gaps(whole) if key == "tasks" else whole
        if entry is None or gaps_of(entry, ""):
            continue
        try:
            if key == "campaigns":
                dated(entry, n - 1, file)
                continue
            task = checked(entry, n, file, shop)
            if task.id in seen:
                raise NeedsPerson("draft_wrong", file=file, detail=f"tasks.{n}: id: {task.id} × 2")
            seen.add(task.id)
        except NeedsPerson as e:
            out.append(e)
    return out


def _without_gaps(entry: dict[str, Any]) -> dict[str, Any] | None:
    """A task with harmless values in its gaps, so that the rest can be checked; None where its days are not known at all."""
    if is_gap(entry.get("from")) and is_gap(entry.get("to")):
        return None
    out = {k: v for k, v in entry.items() if k != "channels" or not gaps_of(v, "")}
    if is_gap(out.get("crowd")):
        out["crowd"] = "all"
    for one, other in (("from", "to"), ("to", "from")):
        if is_gap(out.get(one)):
            out[one] = out.get(other)
    return out


def gap_error(file: str, gaps: Sequence[str]) -> NeedsPerson:
    more = "…" if len(gaps) > _SHOWN else ""
    return NeedsPerson("draft_gaps", file=file, n=len(gaps), places=", ".join(gaps[:_SHOWN]) + more)


def refuse_all(file: str, wrong: Sequence[NeedsPerson]) -> None:
    """NeedsPerson with everything that is wrong; one mistake alone is told in its own words, with its own hint."""
    if len(wrong) == 1:
        raise wrong[0]
    if wrong:
        told = {lang: "".join(f"\n· {e.message(lang)}" for e in wrong) for lang in prompts.LANGS}
        raise NeedsPerson("draft_mistakes", file=file, n=len(wrong), detail=told)


def checked(entry: Any, n: int, file: str, shop: Shop) -> Task:
    """The entry as a task; the error that tasks.yaml would give otherwise, with the draft's name."""
    try:
        return task_of(*_read_task(entry, n, shop), shop.campaigns)
    except NeedsPerson as e:
        raise NeedsPerson(e.code, **{**e.details, "file": file}) from e


def _read_task(entry: Any, n: int, shop: Shop) -> tuple[str, Any, Any]:
    task_id, strategy = own_tasks.read_entry(entry, n, shop.campaigns)
    return task_id, entry, strategy


def dated(entry: Any, n: int, file: str) -> Campaign:
    where = f"{file}: campaigns.{n}"
    try:
        own = catalog.validate(OwnCampaign, entry, where)
        return date_campaign(own, own.year, where)
    except CatalogError as e:
        raise NeedsPerson("draft_wrong", file=file, detail=str(e).removeprefix(f"{file}: ")) from e


def gaps_of(value: Any, place: str) -> list[str]:
    """Where a value is still to be filled in: own-1a2b3c.crowd."""
    if isinstance(value, dict):
        return [p for k, v in value.items() for p in gaps_of(v, f"{place}.{k}")]
    if isinstance(value, list):
        return [p for n, v in enumerate(value) for p in gaps_of(v, f"{place}.{v['name'] if _named(v) else n}")]
    return [place] if is_gap(value) else []


def _named(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("name"), str)
