"""Accepting a draft: all of it is validated, then its entries are put into tasks.yaml or shop.yaml, whole or not at all."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from knowledge import catalog
from knowledge.catalog import CatalogError
from tools import own_tasks
from tools.campaigns import Campaign, date_campaign
from tools.errors import AskAgain, NeedsPerson
from tools.proposals import FOLDER, folder_of, names, write
from tools.proposals_splice import Block, blocks, spliced
from tools.proposals_text import as_accepted, is_gap
from tools.shop import OwnCampaign, Shop, load_shop

_SHOWN = 5  # gaps that an error lists
_SHOP = "shop.yaml"


@dataclass(frozen=True)
class Task:
    """A task of a draft: its id, and its title as the draft has it."""

    id: str
    title: str


@dataclass(frozen=True)
class Change:
    """What accepting a draft does to `file`, whose new content is `text`.

    `added` and `replaced` are tasks; those in `overridden` (a part of both) go in place of built-in ones; `unchanged` counts the
    entries that are there already.
    """

    name: str
    file: str
    text: str
    added: tuple[Task, ...] = ()
    replaced: tuple[Task, ...] = ()
    overridden: tuple[Task, ...] = ()
    unchanged: int = 0
    campaigns: tuple[Campaign, ...] = ()

    @property
    def nothing(self) -> bool:
        return not (self.added or self.replaced or self.campaigns)


def preview(root: Path, name: str) -> Change:
    """What accepting the draft `name` changes. Nothing is written.

    AskAgain: no such draft. NeedsPerson: gaps are left, an entry is wrong, the campaign is there already, or the file that it
    would go into cannot be read.
    """
    shop = load_shop(root)
    name = name.removeprefix(f"{FOLDER}/").removesuffix(".yaml")
    if name not in names(root):
        raise AskAgain("unknown_draft", name=name, known=", ".join(names(root)) or "—")
    file = f"{FOLDER}/{name}.yaml"
    text, raw = _read(folder_of(root) / f"{name}.yaml", file, "draft_wrong")
    if not isinstance(raw, dict) or len(raw) != 1 or not {"tasks", "campaigns"} & set(raw):
        raise NeedsPerson("draft_wrong", file=file, detail="(top): `tasks:` / `campaigns:`")
    key = next(iter(raw))
    entries = raw[key]
    if not isinstance(entries, list) or not all(isinstance(e, dict) for e in entries):
        raise NeedsPerson("draft_wrong", file=file, detail=f"{key}: [{{…}}, …]")
    gaps = [place for n, e in enumerate(entries, start=1) for place in _gaps(e, str(e.get("id") or e.get("key") or n))]
    if gaps:
        more = "…" if len(gaps) > _SHOWN else ""
        raise NeedsPerson("draft_gaps", file=file, n=len(gaps), places=", ".join(gaps[:_SHOWN]) + more)
    written = blocks(text, key)
    pairs = list(zip(written if len(written) == len(entries) else [None] * len(entries), entries, strict=True))
    return _tasks(shop, name, file, pairs) if key == "tasks" else _campaigns(shop, name, file, pairs)


def accept(root: Path, name: str) -> Change:
    """Do what `preview` says, and mark the draft as accepted. Raises as it does."""
    change = preview(root, name)
    if not change.nothing:
        write(root / change.file, change.text)
    draft = folder_of(root) / f"{change.name}.yaml"
    text = _text(draft)
    if as_accepted(text) != text:
        write(draft, as_accepted(text))
    return change


# --- tasks -------------------------------------------------------------------------------------------------------


def _tasks(shop: Shop, name: str, file: str, pairs: list[tuple[Block | None, Any]]) -> Change:
    path = own_tasks.tasks_file(shop.root)
    old, raw = _read(path, path.name, "draft_target") if path.exists() else ("", None)
    if raw is not None and not (isinstance(raw, dict) and isinstance(raw.get("tasks") or [], list)):
        raise NeedsPerson("draft_target", file=path.name, detail="`tasks:`")
    there = {
        str(e["id"]): (i, e) for i, e in enumerate((raw or {}).get("tasks") or []) if isinstance(e, dict) and "id" in e
    }
    built_in = {s.id for s in catalog.strategies()}
    added: list[tuple[Block | None, Any]] = []
    replaced: dict[int, Block] = {}
    found: dict[str, list[Task]] = {"added": [], "replaced": [], "overridden": []}
    seen: set[str] = set()
    for n, (block, entry) in enumerate(pairs, start=1):
        task = Task(_checked(entry, n, file, shop), str(entry.get("title", "")))
        if task.id in seen:
            raise NeedsPerson("draft_wrong", file=file, detail=f"tasks.{n}: id: {task.id} × 2")
        seen.add(task.id)
        if task.id in there:
            index, known = there[task.id]
            if known == entry:
                continue
            replaced[index] = block or _inline_block(entry)
            found["replaced"].append(task)
        else:
            added.append((block, entry))
            found["added"].append(task)
        if task.id in built_in:
            found["overridden"].append(task)
    try:
        text = spliced(old, "tasks", replaced, added) if added or replaced else old
    except CatalogError as e:
        raise NeedsPerson("draft_target", file=path.name, detail=str(e)) from e
    unchanged = len(pairs) - len(added) - len(replaced)
    return Change(
        name, path.name, text, tuple(found["added"]), tuple(found["replaced"]), tuple(found["overridden"]), unchanged
    )


def _checked(entry: Any, n: int, file: str, shop: Shop) -> str:
    """The entry's id; the error that tasks.yaml would give otherwise, with the draft's name."""
    try:
        return own_tasks.read_entry(entry, n, shop.campaigns)[0]
    except NeedsPerson as e:
        raise NeedsPerson(e.code, **{**e.details, "file": file}) from e


def _inline_block(entry: Any) -> Block:
    import json

    return Block((), ("- " + json.dumps(entry, ensure_ascii=False, default=str),), 0)


# --- campaigns ---------------------------------------------------------------------------------------------------


def _campaigns(shop: Shop, name: str, file: str, pairs: list[tuple[Block | None, Any]]) -> Change:
    found: list[Campaign] = []
    for n, (_, entry) in enumerate(pairs):
        where = f"{file}: campaigns.{n}"
        try:
            own = catalog.validate(OwnCampaign, entry, where)
            campaign = date_campaign(own, own.year, where)
        except CatalogError as e:
            raise NeedsPerson("draft_wrong", file=file, detail=str(e).removeprefix(f"{file}: ")) from e
        known = {(c.key, c.year) for c in (*shop.campaigns, *found)}
        if (campaign.key, campaign.year) in known:
            raise NeedsPerson("draft_campaign_exists", campaign=campaign.key, year=campaign.year)
        found.append(campaign)
    path = shop.root / _SHOP
    old, _ = _read(path, _SHOP, "draft_target")
    try:
        text = spliced(old, "campaigns", {}, pairs)
    except CatalogError as e:
        raise NeedsPerson("draft_target", file=_SHOP, detail=str(e)) from e
    with tempfile.TemporaryDirectory() as folder:  # the whole file as it will be read
        (Path(folder) / _SHOP).write_text(text, encoding="utf-8", newline="")
        try:
            load_shop(Path(folder))
        except NeedsPerson as e:
            raise NeedsPerson("draft_wrong", file=file, detail=str(e.details.get("detail", e.code))) from e
    return Change(name, _SHOP, text, campaigns=tuple(found))


# --- reading -----------------------------------------------------------------------------------------------------


def _read(path: Path, file: str, code: str) -> tuple[str, Any]:
    try:
        text = _text(path)
        return text, catalog.read_yaml_text(text, file)
    except UnicodeDecodeError as e:
        raise NeedsPerson(code, file=file, detail="UTF-8") from e
    except CatalogError as e:
        mark = getattr(e.__cause__, "problem_mark", None)
        problem = getattr(e.__cause__, "problem", None) or str(e)
        raise NeedsPerson(code, file=file, detail=f"{mark.line + 1}: {problem}" if mark else problem) from e


def _text(path: Path) -> str:
    with path.open(encoding="utf-8", newline="") as f:
        return f.read()


def _gaps(value: Any, place: str) -> list[str]:
    """Where a value is still to be filled in: own-1a2b3c.crowd."""
    if isinstance(value, dict):
        return [p for k, v in value.items() for p in _gaps(v, f"{place}.{k}")]
    if isinstance(value, list):
        return [p for n, v in enumerate(value) for p in _gaps(v, f"{place}.{v['name'] if _named(v) else n}")]
    return [place] if is_gap(value) else []


def _named(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("name"), str)
