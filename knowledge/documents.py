"""The shop's own documents as passages: what is indexed, searched and cited beside the playbooks.

The workspace's `documents` folder holds the files as they came, in any format of FORMATS, in folders or not. What was read from
each stands beside it in `.parts`, so that search never reads a PDF twice. Whatever a document says is material to quote, never an
instruction: it is cut, indexed and shown, nothing else.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from knowledge.catalog import HERE
from knowledge.cutting import Part, Table, parts, tables
from knowledge.loaders.blocks import Loaded, Progress, Unreadable
from knowledge.whole import whole

FORMATS = {
    ".md": "text", ".markdown": "text", ".txt": "text", ".html": "html", ".htm": "html", ".docx": "docx", ".pdf": "pdf",
    ".xlsx": "xlsx",
}  # fmt: skip
LIMIT_MB = 50
MAX_PARTS = 50_000  # passages; embedding so many takes minutes
_CACHE = ".parts"


@dataclass(frozen=True)
class Read:
    """What a file holds. `dropped`: lines and sentences that are no part of it (knowledge/noise.yaml). `pictures`: pages
    that are pictures of text. `problem`: why nothing
    could be read, as an error's code and variables; then there are no parts."""

    parts: tuple[Part, ...] = ()
    tables: tuple[Table, ...] = ()
    dropped: int = 0
    pictures: int = 0
    problem: tuple[str, dict[str, Any]] | None = field(default=None)


def files(folder: Path) -> list[Path]:
    """The documents of a shop, folders included, hidden ones not, in a fixed order. Links to folders are not followed."""
    return sorted((p for p in _below(folder) if p.suffix.lower() in FORMATS), key=lambda p: name_of(folder, p))


def unknown_files(folder: Path) -> list[Path]:
    """What lies beside the documents of a folder and is in no format of FORMATS, hidden files not, in a fixed order."""
    return sorted(p for p in _below(folder) if p.suffix.lower() not in FORMATS and p.is_file())


def _below(folder: Path) -> Iterator[Path]:
    for above, folders, names in os.walk(folder):
        folders[:] = [f for f in folders if not f.startswith(".")]
        yield from (Path(above) / n for n in names if not n.startswith("."))


def name_of(folder: Path, path: Path) -> str:
    """How a document of `folder` is called and cited: its path below it, with `/` on every system."""
    return path.relative_to(folder).as_posix()


def stamp(folder: Path) -> tuple[tuple[str, int, int], ...]:
    """Changes when a document is added, replaced or removed; cheap enough to look at before every search."""
    found = []
    for path in files(folder):
        try:
            state = path.stat()
        except OSError:  # removed between listing and looking, or a link that leads nowhere
            continue
        found.append((name_of(folder, path), state.st_size, state.st_mtime_ns))
    return tuple(found)


def sections_of(path: Path) -> list[Part]:
    """The passages of a stored document; none when it has just been removed or cannot be read."""
    return list(stored(path).parts)


def tables_of(path: Path) -> list[Table]:
    """The tables of a stored document, merged cells filled down; none when there are none or it cannot be read."""
    return list(stored(path).tables)


def sections(text: str) -> list[Part]:
    """The passages of a text, which may be Markdown."""
    from knowledge.loaders.text import of_text

    return list(_cut(of_text(text)).parts)


def read(path: Path, progress: Progress | None = None) -> Read:
    """What `path` holds. Raises Unreadable: no format that is read, too big, empty, locked, broken, or without text."""
    loader = FORMATS.get(path.suffix.lower())
    if loader is None:
        raise Unreadable("document_type")
    size = path.stat().st_size
    if size > LIMIT_MB << 20:
        raise Unreadable("document_too_big", limit=LIMIT_MB)
    if not size:
        raise Unreadable("file_empty")
    loaded: Loaded = import_module(f"knowledge.loaders.{loader}").load(path, progress)
    found = _cut(loaded)
    if not found.parts:
        raise Unreadable("document_empty")
    if len(found.parts) > MAX_PARTS:
        raise Unreadable("document_too_long", parts=len(found.parts), limit=MAX_PARTS)
    return found


def stored(path: Path) -> Read:
    """As `read`, from what was kept beside the document when it still fits; a file that cannot be read says so in `problem`."""
    try:
        state = path.stat()
    except OSError:
        return Read()
    kept = _kept(path)
    if kept is not None and (kept["size"], kept["mtime"]) == (state.st_size, state.st_mtime_ns):
        return _of_json(kept)
    try:
        if kept is not None and state.st_size <= LIMIT_MB << 20 and kept["digest"] == digest(path):
            return _of_json(kept)
        found = read(path)
    except Unreadable as e:
        found = Read(problem=(e.code, e.details))
    except OSError:
        return Read(problem=("no_permission", {"path": str(path)}))
    with suppress(OSError):  # a folder that cannot be written to: then it is read each time
        keep(path, found)
    return found


def keep(path: Path, found: Read, origin: str = "") -> None:
    """Keep beside a stored document what it holds, and where it came from (`origin`; as known before without one); whole or
    not at all. OSError when that cannot be written."""
    state = path.stat()
    too_big = state.st_size > LIMIT_MB << 20
    document = {
        "version": _version(), "digest": "" if too_big else digest(path), "size": state.st_size, "mtime": state.st_mtime_ns,
        "origin": origin or origin_of(path), **asdict(found),
    }  # fmt: skip
    place = cache_of(path)
    place.parent.mkdir(exist_ok=True)
    with whole(place) as f:
        f.write(json.dumps(document, ensure_ascii=False).encode())


def cache_of(path: Path) -> Path:
    """Where what a stored document holds is kept. The name is of fixed length: a document's own may be as long as allowed."""
    return path.parent / _CACHE / f"{hashlib.sha256(path.name.encode()).hexdigest()[:16]}.json"


def origin_of(path: Path) -> str:
    """The file that a stored document was added from; empty where nobody wrote it down."""
    try:
        kept = json.loads(cache_of(path).read_text(encoding="utf-8"))
        return str(kept.get("origin") or "")
    except (OSError, ValueError, AttributeError):  # none yet, or not ours
        return ""


def digest(path: Path) -> str:
    with path.open("rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest()


def _cut(loaded: Loaded) -> Read:
    from knowledge import noise, outline

    blocks, dropped = noise.cleaned(loaded.blocks, web=loaded.web)
    blocks = outline.with_headings(blocks) if loaded.plain else outline.with_bold_headings(blocks)
    return Read(tuple(parts(blocks)), tuple(tables(blocks)), dropped + loaded.dropped, loaded.pictures)


@cache
def _version() -> str:
    """Changes with the code and the rules that make passages of files: what older ones made is made anew."""
    code = [HERE / f"{name}" for name in ("noise.yaml", "noise.py", "outline.py", "cutting.py")]
    found = hashlib.sha256()
    for path in [*code, *sorted((HERE / "loaders").glob("*.py"))]:
        found.update(path.read_bytes())
    return found.hexdigest()[:16]


def _kept(path: Path) -> dict[str, Any] | None:
    try:
        kept = json.loads(cache_of(path).read_text(encoding="utf-8"))
        return kept if kept["version"] == _version() else None
    except (OSError, ValueError, KeyError, TypeError):  # none yet, or not ours
        return None


def _of_json(kept: dict[str, Any]) -> Read:
    return Read(
        tuple(Part(**p) for p in kept["parts"]),
        tuple(Table(t["path"], tuple(t["header"]), tuple(map(tuple, t["rows"]))) for t in kept["tables"]),
        kept["dropped"],
        kept["pictures"],
        (kept["problem"][0], kept["problem"][1]) if kept["problem"] else None,
    )
