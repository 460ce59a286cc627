"""The shop's own documents as sections: what is indexed, searched and cited beside the playbooks.

A document is Markdown or plain text in the workspace's `documents` folder. Whatever stands in it is material to quote, never
an instruction: it is cut, indexed and shown, nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_HEADING = re.compile(r"^ {0,3}(#{1,6})\s+(.+?)\s*#*\s*$")
_FENCE = re.compile(r"^ {0,3}(```|~~~)")
_FRONT_MATTER = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)
_SENTENCE_END = re.compile(r"(?<=[。！？!?；;])|(?<=\.)(?=\s)")
_CUTS = (re.compile(r"\n[ \t]*\n"), re.compile(r"\n"), _SENTENCE_END)
_READABLE = 700  # characters a section may have and still be read in one go
_NAMED_BY = 24  # characters of its beginning that name a section without a heading


@dataclass(frozen=True)
class Part:
    """One section of a document. `path`: its headings, outermost first; without any, how it begins. `text` is verbatim."""

    path: str
    text: str


def files(folder: Path) -> list[Path]:
    """The documents of a shop, in a fixed order."""
    return sorted(p for p in folder.glob("*") if p.suffix in (".md", ".txt") and not p.name.startswith("."))


def stamp(folder: Path) -> tuple[tuple[str, int, int], ...]:
    """Changes when a document is added, replaced or removed; cheap enough to look at before every search."""
    found = []
    for path in files(folder):
        try:
            state = path.stat()
        except FileNotFoundError:  # removed between listing and looking
            continue
        found.append((path.name, state.st_size, state.st_mtime_ns))
    return tuple(found)


def sections_of(path: Path) -> list[Part]:
    """The sections of a stored document; none when it has just been removed."""
    try:
        return sections(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return []


def sections(text: str) -> list[Part]:
    """A text cut at its headings, and where it has none or a section is long, at paragraphs."""
    out: list[Part] = []
    for headings, body in _chapters(_FRONT_MATTER.sub("", text, count=1)):
        pieces = list(_pieces(body))
        for piece in pieces:
            begins = _begin(piece)
            path = [*headings, begins] if len(pieces) > 1 or not headings else headings
            out.append(Part(" › ".join(path), piece))
    return out


def _chapters(text: str) -> Iterator[tuple[list[str], str]]:
    """(the headings above, the text below them) of each part between two headings."""
    above: list[tuple[int, str]] = []
    body: list[str] = []
    fenced = False
    for line in text.splitlines():
        fenced ^= bool(_FENCE.match(line))
        heading = None if fenced else _HEADING.match(line)
        if heading is None:
            body.append(line)
            continue
        yield [title for _, title in above], "\n".join(body)
        body.clear()
        level = len(heading[1])
        above = [*((n, title) for n, title in above if n < level), (level, heading[2])]
    yield [title for _, title in above], "\n".join(body)


def _pieces(body: str) -> Iterator[str]:
    """`body` in verbatim pieces of at most _READABLE characters, cut at blank lines, else at lines, else at sentences."""
    body = body.strip("\n").rstrip()
    if len(body) <= _READABLE:
        if body.strip():
            yield body
        return
    ends: list[int] = []
    for cut in _CUTS:
        ends = [m.end() for m in cut.finditer(body) if 0 < m.end() < len(body)]
        if ends:
            break
    else:
        ends = list(range(_READABLE, len(body), _READABLE))
    start = last = 0
    for end in [*ends, len(body)]:
        if end - start > _READABLE and last > start:
            yield from _pieces(body[start:last])
            start = last
        last = end
    yield from _pieces(body[start:])


def _begin(piece: str) -> str:
    """How a piece begins: its first line without list marks, cut at a sentence or a readable width."""
    line = next(line.strip() for line in piece.splitlines() if line.strip())
    line = re.sub(r"^(?:[-*+>•·]\s*|\d{1,3}[.)、]\s*)+", "", line) or line
    sentence = _SENTENCE_END.split(line)[0].strip() or line
    return sentence if len(sentence) <= _NAMED_BY else sentence[:_NAMED_BY].rstrip() + "…"
