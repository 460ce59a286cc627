"""A shop's own tasks: tasks.yaml in the workspace adds to the catalogue's strategies, changes them or takes them out.

    tasks:
      - title: 双12预热直播        # new: title, what, campaign, and phases or from/to; one text serves both languages
        what: 每晚八点直播讲主推款
        campaign: double12
        phases: [preheat1]
        crowd: member and not wave_buyers
        channels: [group, live]
      - {id: old11-parcel-card, to: "10-20"}   # the id of a built-in entry: the fields given replace its own
      - {id: member11-ai-call, off: true}      # taken out

A faulty entry is left out and told (`OwnTasks.problems`); the others hold. The file is read anew whenever it changes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, get_args

from pydantic import ValidationError

import prompts
from knowledge import catalog
from knowledge.catalog import CatalogError, Channel, Slot
from knowledge.chunks import sections
from knowledge.strategies import Calendar, Slip, Strategy, calendar, inside, nearest, scenes, slip_of
from tools.campaigns import Campaign
from tools.errors import AskAgain, NeedsPerson
from tools.expressions import parse
from tools.shop import Shop

FILE = "tasks.yaml"
OWN_SCENE = "自有"
_LIMIT = 1 << 20  # bytes; a task list is a page or two
_TEXTS = ("title", "what", "benefit", "purpose")
_LISTS = ("phases", "channels", "aliases")
_FIELDS = (*(f.alias or name for name, f in Strategy.model_fields.items()), "off")
_CHOICES = {"kind": ("task", "method"), "days": ("all", "last"), "slot": get_args(Slot), "channels": get_args(Channel)}
_FORMS = {"from": '"06-01"', "to": '"06-20"', "lead_days": "3", "id": "live-warmup", "pay": "true", "off": "true"}
_FORMS |= {"source": "{playbook: 618-war-room, section: pool}", "title": "{zh: …, en: …}"}
_CODES = {
    "unknown": "task_unknown",
    "missing": "task_missing",
    "day": "task_form",
    "order": "task_order",
    "outside": "task_outside",
    "pay": "task_pay",
    "method": "task_method",
}


@dataclass(frozen=True)
class OwnTasks:
    """The strategies as the shop works them, and what is wrong with entries that were left out."""

    strategies: tuple[Strategy, ...]
    problems: tuple[NeedsPerson, ...] = ()
    changed: int = 0  # entries that hold


def tasks_file(root: Path) -> Path:
    return root / FILE


def strategies_for(shop: Shop) -> list[Strategy]:
    """The catalogue's strategies with the shop's own tasks.yaml applied; entries with mistakes are left out."""
    return list(own_tasks(shop).strategies)


def own_tasks(shop: Shop) -> OwnTasks:
    return _load(tasks_file(shop.root), stamp(shop.root), shop.campaigns)


def stamp(root: Path) -> tuple[int, int] | None:
    """Changes whenever the file does; None without one."""
    try:
        state = tasks_file(root).stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return state.st_size, state.st_mtime_ns


@lru_cache(maxsize=16)
def _load(path: Path, state: tuple[int, int] | None, campaigns: tuple[Campaign, ...]) -> OwnTasks:
    listed = {s.id: s for s in catalog.strategies()}
    if state is None:
        return OwnTasks(tuple(listed.values()))
    try:
        entries = _entries(path)
    except NeedsPerson as e:
        return OwnTasks(tuple(listed.values()), (e,))
    problems, seen = [], set()
    for n, raw in enumerate(entries, 1):
        try:
            strategy_id, strategy = read_entry(raw, n, campaigns)
            if strategy_id in seen:
                raise _bad("task_twice", n, raw, field="id", value=strategy_id)
        except NeedsPerson as e:
            problems.append(e)
            continue
        seen.add(strategy_id)
        if strategy is None:
            del listed[strategy_id]
        else:
            listed[strategy_id] = strategy
    return OwnTasks(tuple(listed.values()), tuple(problems), len(seen))


def _entries(path: Path) -> list[Any]:
    """The list under `tasks`; NeedsPerson when the file as a whole cannot be read."""
    try:
        if path.stat().st_size > _LIMIT:
            raise NeedsPerson("tasks_too_big", file=FILE)
        raw = catalog.read_yaml_text(path.read_text(encoding="utf-8-sig"), FILE)
    except UnicodeDecodeError as e:
        raise NeedsPerson("not_utf8", file=FILE) from e
    except (OSError, RecursionError) as e:
        raise NeedsPerson("tasks_unreadable", file=FILE) from e
    except CatalogError as e:
        mark = getattr(e.__cause__, "problem_mark", None)
        raise NeedsPerson("tasks_yaml", file=FILE, line=mark.line + 1 if mark else 1) from e
    if raw is None:
        return []
    entries = raw.get("tasks") if isinstance(raw, dict) else None
    if not isinstance(entries, list) or set(raw) != {"tasks"}:
        raise NeedsPerson("tasks_shape", file=FILE)
    return entries


def read_entry(raw: Any, n: int, campaigns: Sequence[Campaign]) -> tuple[str, Strategy | None]:
    """(id, the entry; None where it takes a built-in one out). NeedsPerson names file, entry `n` (from 1) and key."""
    if not isinstance(raw, dict):
        raise _bad(
            "task_form", n, {}, field="tasks", value=str(raw), form="{title: …, what: …, campaign: …, phases: […]}"
        )
    stranger = next((str(k) for k in raw if k not in _FIELDS), None)
    if stranger is not None:
        raise _bad("task_key", n, raw, field=stranger, nearest=nearest(stranger, _FIELDS)[0])
    built_in = {s.id: s for s in catalog.strategies()}
    base = built_in.get(str(raw.get("id")))
    if raw.get("off", False) is not False:
        if raw["off"] is not True:
            raise _bad("task_form", n, raw, field="off", value=str(raw["off"]), form=_FORMS["off"])
        if base is None:
            wanted = str(raw.get("id", ""))
            raise _bad("task_unknown", n, raw, field="id", value=wanted, nearest=_some(nearest(wanted, built_in)[:3]))
        return base.id, None
    known = calendar_of(campaigns)
    strategy = _validated(_filled(raw, base, known), n, raw)
    slip = _slip(strategy, known)
    if slip is not None:
        form = _FORMS.get(slip.key, "")
        code = _CODES[slip.why]
        raise _bad(code, n, raw, field=slip.key, value=slip.value, nearest=_some(slip.valid), form=form)
    try:
        parse(strategy.crowd)
    except AskAgain as e:
        detail = {lang: f"{e.message(lang)}{'' if lang == 'zh' else ' '}{e.hint(lang)}" for lang in prompts.LANGS}
        raise _bad("task_crowd", n, raw, field="crowd", detail=detail) from e
    return strategy.id, strategy


def calendar_of(campaigns: Sequence[Campaign]) -> Calendar:
    """The templates' phases and, in their place, the days of the shop's own campaigns (the latest of each)."""
    own = {c.key: [(p.key, p.first, p.last) for p in c.phases] for c in campaigns}
    return {**calendar(), **own}


def _filled(raw: dict[str, Any], base: Strategy | None, known: Calendar) -> dict[str, Any]:
    """The entry in its long form: on top of the built-in one, names as keys, one text in both languages, phases of its days."""
    given = {k: v for k, v in raw.items() if k != "off" and v is not None and str(v).strip()}
    for key in _TEXTS:
        if key in given:
            given[key] = _both(given[key])
    for key in _LISTS:
        one = given.get(key)
        if isinstance(one, str | int):
            given[key] = [str(one)]
    for key, names in _names().items():
        value = given.get(key)
        if isinstance(value, list):
            given[key] = [names.get(str(v).casefold(), v) for v in value]
        elif value is not None:
            given[key] = names.get(str(value).casefold(), value)
    for key in ("id", "campaign", "scene", "crowd"):
        if isinstance(given.get(key), int):
            given[key] = str(given[key])  # 618 without quotes
    for key in ("from", "to"):
        if isinstance(given.get(key), date):
            given[key] = f"{given[key]:%m-%d}"
    whole: dict[str, Any] = base.model_dump(by_alias=True, exclude_none=True) if base else {"scene": OWN_SCENE}
    if given.keys() & {"from", "to"} and "phases" not in given:
        whole.pop("phases", None)
    if "phases" in given and not given.keys() & {"from", "to"}:
        whole = {k: v for k, v in whole.items() if k not in ("from", "to")}
    whole |= given
    if "id" not in whole and isinstance(whole.get("title"), dict):
        whole["id"] = "own-" + hashlib.sha256(str(whole["title"].get("zh")).encode()).hexdigest()[:8]
    if "phases" not in whole and {"from", "to"} <= whole.keys():
        whole["phases"] = _phases_of(str(whole["from"]), str(whole["to"]), known.get(str(whole.get("campaign"))))
    return whole


def _both(value: Any) -> Any:
    """One text, or one language of it, serves both."""
    if isinstance(value, dict) and len(value) == 1:
        value = next(iter(value.values())) if next(iter(value)) in prompts.LANGS else value
    return {"zh": str(value), "en": str(value)} if isinstance(value, str | int | float) else value


def _phases_of(first: str, last: str, phases: Any) -> list[str]:
    """The phases that days touch; none where they are no days of the campaign, which is told later."""
    if not phases:
        return []
    begins, ends = (inside(day, phases[0][1], phases[-1][2]) for day in (first, last))
    return [key for key, a, b in phases if begins and ends and a <= ends and b >= begins]


@cache
def _names() -> dict[str, dict[str, str]]:
    """Every name, in lower case, of what an entry points to by key."""
    metrics = {n.casefold(): k for k, m in catalog.metrics().items() for n in (k, m.name.zh, m.name.en, *m.aliases)}
    said = {prompts.text(f"channel.{c}", lang).casefold(): c for c in get_args(Channel) for lang in prompts.LANGS}
    named = {name.casefold(): key for key, both in scenes().items() for name in (both.zh, both.en)}
    return {"metric": metrics, "channels": said, "scene": named}


def _validated(whole: dict[str, Any], n: int, raw: dict[str, Any]) -> Strategy:
    try:
        strategy = Strategy.model_validate(whole)
        blank = next((k for k in ("title", "what") if not all(v.strip() for _, v in getattr(strategy, k))), None)
        if blank is not None:
            raise _bad("task_missing", n, raw, field=blank)
        return strategy
    except ValidationError as e:
        first = e.errors()[0]
        key = str(first["loc"][0])
        if first["type"] == "missing":
            raise _bad("task_missing", n, raw, field=".".join(map(str, first["loc"])), nearest="") from e
        value = str(first["input"])
        if first["type"] == "literal_error" and key in _CHOICES:
            valid = _some(nearest(value, _CHOICES[key]))
            raise _bad("task_unknown", n, raw, field=key, value=value, nearest=valid) from e
        form = _FORMS.get(key, _FORMS["title"] if key in _TEXTS else "[…]")
        raise _bad("task_form", n, raw, field=key, value=value, form=form) from e


def _slip(s: Strategy, known: Calendar) -> Slip | None:
    slip = slip_of(s, known)
    if slip is not None or s.source is None or f"{s.source.playbook}#{s.source.section}" in sections():
        return slip
    wanted = f"{s.source.playbook}#{s.source.section}"
    return Slip("unknown", "source", wanted, nearest(wanted, sections())[:3])


def _some(valid: Sequence[str]) -> str:
    return ", ".join(valid[:8])


def _bad(code: str, n: int, raw: dict[str, Any], **details: Any) -> NeedsPerson:
    """The error with the file, the entry's number and what it calls itself."""
    title = raw.get("title")
    name = raw.get("id") or (title.get("zh") if isinstance(title, dict) else title) or "—"
    return NeedsPerson(code, file=FILE, n=n, name=str(name)[:40], **{"nearest": "", "form": "", **details})
