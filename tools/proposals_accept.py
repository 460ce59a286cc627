"""Accepting a draft: all of it is validated, then its entries are put into tasks.yaml or shop.yaml, whole or not at all."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from knowledge import catalog
from knowledge.catalog import CatalogError
from tools import own_tasks
from tools.campaigns import Campaign
from tools.errors import AskAgain, NeedsPerson
from tools.proposals import FOLDER, folder_of, names, write
from tools.proposals_changes import Difference, Task, differences
from tools.proposals_check import checked, dated, gap_error, gaps_of, mistakes, refuse_all
from tools.proposals_splice import Block, blocks, spliced
from tools.proposals_text import as_accepted
from tools.shop import Shop, load_shop

_SHOP = "shop.yaml"
_FROM = "warroom draft: "  # begins the comment above a campaign that came from a draft


@dataclass(frozen=True)
class Change:
    """What accepting a draft does to `file`, whose new content is `text`.

    `added` and `replaced` are tasks; those in `overridden` (a part of both) go in place of built-in ones; `unchanged` counts the
    entries that are there already. `renewed` are campaigns that go in place of what this draft brought before.
    """

    name: str
    file: str
    text: str
    added: tuple[Task, ...] = ()
    replaced: tuple[Task, ...] = ()
    overridden: tuple[Task, ...] = ()
    unchanged: int = 0
    campaigns: tuple[Campaign, ...] = ()
    renewed: tuple[tuple[Campaign, tuple[Difference, ...]], ...] = ()

    @property
    def nothing(self) -> bool:
        return not (self.added or self.replaced or self.campaigns or self.renewed)


def preview(root: Path, name: str) -> Change:
    """What accepting the draft `name` changes. Nothing is written.

    AskAgain: no such draft. NeedsPerson: gaps are left or entries are wrong (all of them are told at once), the campaign is
    there already and not from this draft, or the file that it would go into cannot be read.
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
    gaps = [
        place for n, e in enumerate(entries, start=1) for place in gaps_of(e, str(e.get("id") or e.get("key") or n))
    ]
    wrong = [gap_error(file, gaps)] if gaps else []
    refuse_all(file, wrong + mistakes(key, entries, file, shop))
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
    for n, (block, entry) in enumerate(pairs, start=1):
        task = checked(entry, n, file, shop)
        if task.id in there:
            index, known = there[task.id]
            if known == entry:
                continue
            replaced[index] = block or _inline_block(entry)
            task = replace(task, differences=tuple(differences(known, entry)))
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


def _inline_block(entry: Any) -> Block:
    import json

    return Block((), ("- " + json.dumps(entry, ensure_ascii=False, default=str),), 0)


# --- campaigns ---------------------------------------------------------------------------------------------------


def _campaigns(shop: Shop, name: str, file: str, pairs: list[tuple[Block | None, Any]]) -> Change:
    """Campaigns are added. One that this draft brought before is replaced; any other of its key and year is refused."""
    path = shop.root / _SHOP
    old, raw = _read(path, _SHOP, "draft_target")
    there = raw.get("campaigns") or []
    origins = blocks(old, "campaigns")
    mark = f"# {_FROM}{name}"
    known = {(c.key, c.year) for c in shop.campaigns}
    added: list[tuple[Block | None, Any]] = []
    replaced: dict[int, Block] = {}
    new: list[Campaign] = []
    renewed: list[tuple[Campaign, tuple[Difference, ...]]] = []
    for n, (block, entry) in enumerate(pairs):
        campaign = dated(entry, n, file)
        block = block or _inline_block(entry)
        if (campaign.key, campaign.year) not in known:
            lead = " " * block.indent + mark
            added.append((replace(block, comments=(lead, *block.comments)), entry))
            new.append(campaign)
            known.add((campaign.key, campaign.year))
            continue
        index = next((i for i, e in enumerate(there) if _is_entry_of(e, campaign)), None)
        if index is not None and there[index] == entry:
            continue
        ours = index is not None and index < len(origins) and mark in {c.strip() for c in origins[index].comments}
        if index is None or not ours:
            raise NeedsPerson("draft_campaign_exists", campaign=campaign.key, year=campaign.year)
        replaced[index] = block
        renewed.append((campaign, tuple(differences(there[index], entry))))
    try:
        text = spliced(old, "campaigns", replaced, added) if added or replaced else old
    except CatalogError as e:
        raise NeedsPerson("draft_target", file=_SHOP, detail=str(e)) from e
    with tempfile.TemporaryDirectory() as folder:  # the whole file as it will be read
        (Path(folder) / _SHOP).write_text(text, encoding="utf-8", newline="")
        try:
            load_shop(Path(folder))
        except NeedsPerson as e:
            raise NeedsPerson("draft_wrong", file=file, detail=str(e.details.get("detail", e.code))) from e
    unchanged = len(pairs) - len(added) - len(replaced)
    return Change(name, _SHOP, text, unchanged=unchanged, campaigns=tuple(new), renewed=tuple(renewed))


def _is_entry_of(entry: Any, campaign: Campaign) -> bool:
    """Whether an entry of shop.yaml is the campaign's own calendar; one that dates a template is not."""
    return isinstance(entry, dict) and (str(entry.get("key")), entry.get("year")) == (campaign.key, campaign.year)


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
