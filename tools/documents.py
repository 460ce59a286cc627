"""The shop's own documents: added from files or folders, listed, removed. The workspace keeps each file as it came; search finds
what is in it."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from knowledge import documents
from knowledge.documents import FORMATS, LIMIT_MB, Read
from knowledge.loaders.blocks import Progress, Unreadable
from tools.errors import AskAgain, NeedsPerson, WarRoomError, refuse_no_file

TYPES = tuple(FORMATS)
NEVER_TABLES = (".docx", ".pdf", ".html", ".htm")
REFUSED = (".doc", ".ppt", ".pptx", ".rtf", ".wps", ".epub", ".pages")
_NAME, _NAME_BYTES = 80, 200  # characters and bytes of a name before its ending
_STALE = 3600  # seconds after which a half-copied file is nobody's any more
_NEW = ".new-"


@dataclass(frozen=True)
class Added:
    """`source` is the name by which the document is cited; `state` what happened: new, replaced, or same as before.

    `tables` and `dropped` (lines and sentences of advert and navigation left out) say what came out of it; `pictures`: pages
    that are pictures of text and were not read. `other`: the name that a file of another place has already.
    """

    source: str
    sections: int
    state: str
    format: str = ""
    tables: int = 0
    dropped: int = 0
    pictures: int = 0
    other: str = ""


@dataclass(frozen=True)
class Refused:
    """A file or folder that cannot be read; `source` is what it would have been called."""

    source: str
    error: WarRoomError


@dataclass(frozen=True)
class Document:
    """A stored document; `problem` says why nothing of it can be found."""

    source: str
    sections: int
    format: str = ""
    problem: WarRoomError | None = None


def add(
    root: Path, path: Path, source: str | None = None, progress: Progress | None = None, *, origin: str = ""
) -> Added:
    """Keep a copy of `path` in the workspace `root`, called `source` or by its own name; a document of that name is replaced.
    `origin` is remembered as where it came from.

    NeedsPerson: no such file, a format that is not read, too big, locked, broken, or without text; the documents are then as
    before. So they are when the process dies: the new file takes the old one's place in one step, and what was read from it
    is checked against it whenever it is used.
    """
    _refuse(path)
    folder = folder_of(root)
    target = folder / (source or safe_name(path.name))
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _clear(target.parent)
        copy = _copied(path, target)
    except PermissionError as e:
        raise NeedsPerson("no_permission", path=str(path if os.access(folder, os.W_OK) else folder)) from e
    try:
        known = documents.digest(target) if target.exists() else None
        same = known == documents.digest(copy)
        if same:
            found = documents.stored(target)
            if origin and not documents.origin_of(target):
                with suppress(OSError):
                    documents.keep(target, found, origin)
        else:
            found = _readable(copy, path.name, progress)
            copy.replace(target)
            with suppress(OSError):  # search will read the document itself
                documents.keep(target, found, origin)
        state = "same" if same else "new" if known is None else "replaced"
    finally:
        copy.unlink(missing_ok=True)
        _drop_empty(target.parent, folder)
    name = documents.name_of(folder, target)
    return Added(name, len(found.parts), state, _format(target), len(found.tables), found.dropped, found.pictures)


def add_all(
    root: Path, paths: Sequence[Path], progress: Callable[[str, float], None] | None = None
) -> list[Added | Refused]:
    """Add files, and the documents of folders below their folder's name. What cannot be read is told and the others added; only
    a file or folder that is named alone raises. `progress` gets a file's name and the part done.

    A file of another place than the document that has its name already gets a name of its own, with its folder; the same file
    again replaces what came of it.
    """
    out: list[Added | Refused] = []
    wanted: list[tuple[Path, str]] = []
    for path in paths:
        try:
            wanted += _wanted(path)
        except NeedsPerson as e:
            if len(paths) == 1:
                raise
            out.append(Refused(path.name, e))
    alone = len(paths) == 1 and not paths[0].is_dir()
    for n, (path, source) in enumerate(wanted):

        def shown(done: int, total: int, n: int = n, path: Path = path) -> None:
            if progress:
                progress(path.name, (n + done / max(total, 1)) / len(wanted))

        shown(0, 1)
        try:
            _refuse(path)
            name, other = _own_name(folder_of(root), path, source)
            out.append(replace(add(root, path, name, shown, origin=_origin(path)), other=other))
        except NeedsPerson as e:
            if alone:
                raise
            out.append(Refused(source, e))
    return out


def skipped(paths: Sequence[Path]) -> list[str]:
    """The files of the folders among `paths` that are in no format that is read, named as in their folder."""
    return [
        f"{path.resolve().name}/{file.relative_to(path).as_posix()}"
        for path in paths
        if path.is_dir()
        for file in documents.unknown_files(path)
    ]


def listed(root: Path) -> list[Document]:
    folder = folder_of(root)
    out = []
    for path in documents.files(folder):
        found = documents.stored(path)
        problem = None if found.problem is None else _error(found.problem[0], path.name, found.problem[1])
        out.append(Document(documents.name_of(folder, path), len(found.parts), _format(path), problem))
    return out


def remove(root: Path, source: str) -> list[str]:
    """Take a document out by its name, or all documents of a folder; returns the names of what went."""
    folder = folder_of(root)
    wanted = source.strip().rstrip("/").casefold()
    gone = []
    for path in documents.files(folder):
        name = documents.name_of(folder, path)
        if name.casefold() == wanted or name.casefold().startswith(f"{wanted}/"):
            path.unlink(missing_ok=True)
            documents.cache_of(path).unlink(missing_ok=True)
            _drop_empty(path.parent, folder)
            gone.append(name)
    return gone


def remove_known(root: Path, source: str) -> list[str]:
    """As `remove`; NeedsPerson when the name is that of a playbook of the product, AskAgain with the known names when there is
    none."""
    gone = remove(root, source)
    if not gone and source.strip().casefold() in _built_in():
        raise NeedsPerson("document_built_in", name=source)
    if not gone:
        known = ", ".join(d.source for d in listed(root)) or "—"
        raise AskAgain("unknown_document", name=source, known=known)
    return gone


def _built_in() -> set[str]:
    """What the product's own sources are called, in both languages."""
    from knowledge.passages import passages

    return {name.casefold() for p in passages() for name in (p.source.zh, p.source.en)}


def folder_of(root: Path) -> Path:
    return root / "documents"


def read(path: Path) -> Read:
    """What a document holds. Raises as `add` does."""
    _refuse(path)
    return _readable(path, path.name)


def safe_name(name: str) -> str:
    """A file name that stays inside the folder on any system: letters, digits and a few marks. Where that changes it, some
    digits keep it apart from others that would be called the same."""
    path = PurePosixPath(name.replace("\\", "/"))
    stem = re.sub(r"[^\w\-+.()（）【】《》 ]+", "_", path.stem).strip(" ._")
    short = stem[:_NAME].encode()[:_NAME_BYTES].decode(errors="ignore").strip(" ._")
    if short != path.stem.strip():
        short = f"{short or 'document'}-{hashlib.sha256(path.name.encode(errors='replace')).hexdigest()[:4]}"
    return short + path.suffix.lower()


def _wanted(path: Path) -> list[tuple[Path, str]]:
    """(file, name to keep it by) of what is to be added: the file, or what a folder holds."""
    if not path.is_dir():
        return [(path, safe_name(path.name))]
    if not os.access(path, os.R_OK | os.X_OK):
        raise NeedsPerson("no_permission", path=str(path))
    found = documents.files(path)
    if not found:
        raise NeedsPerson("folder_empty", path=str(path), formats=", ".join(FORMATS))
    above = safe_name(path.resolve().name) or "documents"
    return [(file, "/".join([above, *map(safe_name, file.relative_to(path).parts)])) for file in found]


def _origin(path: Path) -> str:
    return str(path.resolve())


def _own_name(folder: Path, path: Path, source: str) -> tuple[str, str]:
    """(name to keep `path` by, name it would have had but for another file). What came of the same file keeps its name."""
    origin = _origin(path)
    above = [safe_name(p) for p in path.resolve().parts[1:-1]]
    depth = source.count("/")
    longer = ["/".join([*above[len(above) - n :], safe_name(path.name)]) for n in range(depth + 1, len(above) + 1)]
    digits = hashlib.sha256(origin.encode(errors="replace")).hexdigest()[:8]
    names = [source, *longer, str(PurePosixPath(source).with_stem(f"{PurePosixPath(source).stem}-{digits}"))]
    kept = [n for n in names if (folder / n).is_file()]
    mine = next((n for n in kept if documents.origin_of(folder / n) == origin), None)
    if mine is not None:
        return mine, ""
    # Nobody wrote down where it came from (sent in a chat, put there by hand), or nothing would be lost.
    if source in kept and (
        not documents.origin_of(folder / source) or documents.digest(folder / source) == documents.digest(path)
    ):
        return source, ""
    name = next(n for n in names if n not in kept)
    return name, source if name != source else ""


def _refuse(path: Path) -> None:
    refuse_no_file(path)
    if path.suffix.lower() not in FORMATS:
        raise NeedsPerson("document_type", file=path.name)
    if not path.is_file():  # a pipe, a device
        raise NeedsPerson("document_type", file=path.name)
    if path.stat().st_size > LIMIT_MB << 20:
        raise NeedsPerson("document_too_big", file=path.name, limit=LIMIT_MB)


def _readable(path: Path, name: str, progress: Progress | None = None) -> Read:
    try:
        return documents.read(path, progress)
    except Unreadable as e:
        raise _error(e.code, name, e.details) from e
    except PermissionError as e:
        raise NeedsPerson("no_permission", path=str(path)) from e


def _error(code: str, name: str, details: dict[str, object]) -> NeedsPerson:
    code = {"file_binary": "document_not_text", "file_empty": "document_blank"}.get(
        code, code
    )  # not the import's advice
    return NeedsPerson(code, **{"file": name, **details})


def _copied(path: Path, target: Path) -> Path:
    """A copy of `path` beside `target` that nobody sees yet, on the disk for certain."""
    with (
        path.open("rb") as source,
        tempfile.NamedTemporaryFile(dir=target.parent, prefix=_NEW, suffix=target.suffix, delete=False) as f,
    ):
        try:
            shutil.copyfileobj(source, f)
            f.flush()
            os.fsync(f.fileno())
        except BaseException:
            Path(f.name).unlink(missing_ok=True)
            raise
    return Path(f.name)


def _clear(folder: Path) -> None:
    """Remove what processes left that died while they copied."""
    for left in [*folder.glob(f"{_NEW}*"), *folder.glob(f".parts/{_NEW}*")]:
        with suppress(OSError):
            if time.time() - left.stat().st_mtime > _STALE:
                left.unlink()


def _drop_empty(folder: Path, top: Path) -> None:
    """Remove the folders from `folder` up to `top` that hold no document any more."""
    while folder != top and folder.is_dir() and not any(p.name != ".parts" for p in folder.iterdir()):
        shutil.rmtree(folder, ignore_errors=True)
        folder = folder.parent


def _format(path: Path) -> str:
    return path.suffix.lower().removeprefix(".")
