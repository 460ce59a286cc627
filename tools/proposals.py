"""Task tables and campaign calendars found in the shop's documents, kept as drafts to accept; nothing is taken over by itself.

A draft is a YAML file in the workspace's `drafts` folder. Its first line names the document and the digest of what was written,
so that an edited draft is known and never written over.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from knowledge import documents as stored
from knowledge.cutting import Part, Table
from tools import documents
from tools.errors import NeedsPerson
from tools.proposals_calendar import calendars
from tools.proposals_calendar_yaml import calendar_yaml
from tools.proposals_known import known_campaigns
from tools.proposals_tasks import task_table
from tools.proposals_tasks_yaml import tasks_yaml
from tools.proposals_text import GAP, body_of, digest, read_head, with_head
from tools.shop import load_shop

State = Literal["new", "renewed", "same", "kept", "gone", "accepted"]
Kind = Literal["tasks", "campaign"]


@dataclass(frozen=True)
class Proposal:
    """A draft. `n`: its tasks or phases; `gaps`: values to fill in.

    `state`: new; renewed (the document changed); same as before; kept (the document changed, but so did somebody the draft);
    gone (the document no longer holds it); accepted before and unchanged.
    """

    name: str
    kind: Kind
    source: str
    n: int
    gaps: int
    state: State

    @property
    def file(self) -> str:
        return f"{FOLDER}/{self.name}.yaml"


FOLDER = "drafts"
_TITLE = 40  # characters


def folder_of(root: Path) -> Path:
    return root / FOLDER


def find(root: Path, source: str) -> list[Proposal]:
    """Write the drafts of the stored document `source` of the workspace `root`; [] when it holds no task table or calendar.

    NeedsPerson when the workspace or the folder of drafts cannot be read or written.
    """
    out: list[Proposal] = []
    for kind, ending, body, n in _drafts(root, source):
        name = _name(root, source, ending)
        state = _keep(root, source, name, body)
        out.append(Proposal(name, kind, source, n, body.count(GAP[:-1]), state))
    names = {p.name for p in out}
    for name in drafts_of(root, source):
        if name not in names:
            text = (folder_of(root) / f"{name}.yaml").read_text(encoding="utf-8")
            kind = "campaign" if re.search(r"^campaigns:", text, re.MULTILINE) else "tasks"
            out.append(Proposal(name, kind, source, 0, 0, "gone"))
    return out


def names(root: Path) -> list[str]:
    """The names of all drafts, by which they are accepted."""
    return sorted(p.name.removesuffix(".yaml") for p in folder_of(root).glob("*.yaml") if not p.name.startswith("."))


def drafts_of(root: Path, source: str) -> list[str]:
    """The names of the drafts made from a document, also when it is no longer there."""
    found = []
    for name in names(root):
        head = _head(root, name)
        if head is not None and head[0] == source:
            found.append(name)
    return found


def write(path: Path, text: str) -> None:
    """Put `text` at `path`, whole or not at all. NeedsPerson where that is not allowed."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(
            "w", dir=path.parent, prefix=".new-", encoding="utf-8", newline="", delete=False
        ) as f:
            new = Path(f.name)
            try:
                f.write(text)
                f.close()
                new.chmod(path.stat().st_mode & 0o777 if path.exists() else 0o644)
                new.replace(path)
            finally:
                new.unlink(missing_ok=True)
    except PermissionError as e:
        raise NeedsPerson("no_permission", path=str(path)) from e


# --- the drafts of one document ----------------------------------------------------------------------------------


def _drafts(root: Path, source: str) -> Iterator[tuple[Kind, str, str, int]]:
    """(kind, how the draft's name ends, its text, its tasks or phases) of each calendar, then of the tasks."""
    path = documents.folder_of(root) / source
    tables = _joined(stored.tables_of(path))
    parts = stored.sections_of(path)
    known = known_campaigns(load_shop(root).campaigns)
    stem = source.rpartition(".")[0] or source
    titles = [*_titles(parts[:1]), Path(stem).name]
    for i, calendar in enumerate(calendars(tables, parts), start=1):
        ending = "campaign" if i == 1 else f"campaign-{i}"
        body, found = calendar_yaml(source, _name(root, source, ending), calendar, titles, known)
        if found is not None:
            known = [c for c in known if c.key != found.key] + [found]
        yield "campaign", ending, body, len(calendar.phases)
    found_tasks = [t for t in map(task_table, tables) if t is not None]
    if found_tasks:
        about = " · ".join([*titles, *(t.path for t in found_tasks)])
        body = tasks_yaml(source, _name(root, source, "tasks"), found_tasks, about, known)
        yield "tasks", "tasks", body, sum(len(t.rows) for t in found_tasks)


def _joined(tables: Sequence[Table]) -> list[Table]:
    """Pieces of one table that a blank row has parted (the same header under the same path) as one."""
    out: list[Table] = []
    for t in tables:
        if out and (out[-1].path, out[-1].header) == (t.path, t.header):
            out[-1] = replace(out[-1], rows=(*out[-1].rows, *t.rows))
        else:
            out.append(t)
    return out


def _titles(parts: Sequence[Part]) -> list[str]:
    """What the beginning of a document is called: its headings, and a short first line."""
    found = [x for p in parts for x in (*p.path.split(" › "), p.text.partition("\n")[0])]
    return list(dict.fromkeys(x for x in found if len(x) <= _TITLE and not x.endswith("…")))


def _name(root: Path, source: str, ending: str) -> str:
    """The document's name without its type; with it where another document's draft is called so."""
    whole = source.replace("/", "-")
    short = whole.rpartition(".")[0] or whole
    head = _head(root, f"{short}.{ending}")
    taken = (folder_of(root) / f"{short}.{ending}.yaml").exists() and (head is None or head[0] != source)
    return f"{whole if taken else short}.{ending}"


def _head(root: Path, name: str) -> tuple[str, str, bool] | None:
    path = folder_of(root) / f"{name}.yaml"
    try:
        return read_head(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, UnicodeDecodeError):
        return None


def _keep(root: Path, source: str, name: str, body: str) -> State:
    """Write a draft unless it is there already or somebody has edited it."""
    path = folder_of(root) / f"{name}.yaml"
    state: State = "new"
    if path.exists():
        text = path.read_text(encoding="utf-8", errors="replace")
        head = read_head(text)
        if head is not None and head[1] == digest(body):
            return "accepted" if head[2] else "same"
        if head is None or digest(body_of(text)) != head[1]:
            return "kept"
        state = "renewed"
    write(path, with_head(source, body))
    return state
