"""The shop's own documents: added from a file, listed, removed. The workspace keeps a UTF-8 copy of each; search finds them."""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

from knowledge import documents
from tools.errors import AskAgain, NeedsPerson, refuse_no_file

TYPES = (".md", ".markdown", ".txt")
REFUSED = (".doc", ".docx", ".pdf", ".html", ".htm", ".ppt", ".pptx", ".rtf", ".wps")
LIMIT_MB = 20
_NAME = 80  # characters
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1f]")


@dataclass(frozen=True)
class Added:
    """`source` is the name by which the document is cited; `state` what happened: new, replaced, or same as before."""

    source: str
    sections: int
    state: str


@dataclass(frozen=True)
class Document:
    source: str
    sections: int


def add(root: Path, path: Path) -> Added:
    """Keep a copy of `path` in the workspace `root` under its own name; a document of that name is replaced.

    NeedsPerson: no such file, a type that is not read, too big, binary, or without text; the documents are then as before.
    """
    text = read(path)
    found = documents.sections(text)
    if not found:
        raise NeedsPerson("document_empty", file=path.name)
    folder = folder_of(root)
    target = folder / safe_name(path.name)
    known = target.read_text(encoding="utf-8") if target.exists() else None
    if known == text:
        return Added(target.name, len(found), "same")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(
            "w", dir=folder, prefix=".new-", encoding="utf-8", newline="", delete=False
        ) as f:
            f.write(text)
        Path(f.name).replace(target)
    except PermissionError as e:
        raise NeedsPerson("no_permission", path=str(folder)) from e
    return Added(target.name, len(found), "new" if known is None else "replaced")


def listed(root: Path) -> list[Document]:
    return [Document(p.name, len(documents.sections_of(p))) for p in documents.files(folder_of(root))]


def remove(root: Path, source: str) -> bool:
    """Take a document out by its name; whether there was one."""
    found = next((p for p in documents.files(folder_of(root)) if p.name.casefold() == source.strip().casefold()), None)
    if found is None:
        return False
    found.unlink(missing_ok=True)
    return True


def remove_known(root: Path, source: str) -> None:
    """As `remove`; AskAgain with the known names when there is none."""
    if not remove(root, source):
        known = ", ".join(d.source for d in listed(root)) or "—"
        raise AskAgain("unknown_document", name=source, known=known)


def folder_of(root: Path) -> Path:
    return root / "documents"


def read(path: Path) -> str:
    """The text of a document, UTF-8 or GB18030, with \\n line ends. Raises as `add` does."""
    refuse_no_file(path)
    if path.suffix.lower() not in TYPES:
        raise NeedsPerson("document_type", file=path.name)
    if path.stat().st_size > LIMIT_MB << 20:
        raise NeedsPerson("document_too_big", file=path.name, limit=LIMIT_MB)
    try:
        data = path.read_bytes()
    except PermissionError as e:
        raise NeedsPerson("no_permission", path=str(path)) from e
    text = _decoded(data, path.name).replace("\r\n", "\n").replace("\r", "\n")
    if not text.strip():
        raise NeedsPerson("file_empty", file=path.name)
    return text


def _decoded(data: bytes, name: str) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError as e:
            at = e.start
            continue
        control = _CONTROL.search(text)
        if control is None:
            return text
        raise NeedsPerson("file_binary", file=name, line=text.count("\n", 0, control.start()) + 1)
    raise NeedsPerson("file_binary", file=name, line=data.count(b"\n", 0, at) + 1)


def safe_name(name: str) -> str:
    """A file name that stays inside the folder on any system: letters, digits and a few marks."""
    path = Path(name)
    stem = re.sub(r"[^\w\-+.()（）【】《》 ]+", "_", path.stem).strip(" ._")[:_NAME] or "document"
    return stem + (".txt" if path.suffix.lower() == ".txt" else ".md")
