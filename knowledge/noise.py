"""What is no part of a document: navigation, adverts, footers, tracking remains, readings behind characters.

The rules are noise.yaml. They take out whole lines or sentences; inside of what is kept only readings like 運(yùn) go.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Literal

from knowledge.catalog import HERE, Entry, read_yaml_text, validate
from knowledge.loaders.blocks import Block, Grid
from knowledge.textnorm import READING, simplified

SENTENCE_END = re.compile(r"(?<=[。！？!?])[”’」』）)】\"']*|(?<=\.)(?=\s)")
_LIST_NUMBER = re.compile(r"(?:^|\n)\s*\d{1,3}(?:\.\d{1,3})*\.$")  # 1. is no sentence
_BULK = 3  # readings behind characters that are written alike everywhere: fewer may be meant, as in a brand's name
_EDGE, _EDGE_LEAST, _TOP = 8, 4, 3  # lines
_EVIDENCE = 2  # things left out that show that a document is the copy of a web page
_PROSE = 40  # characters from which a line is no link to another article
_WORD = re.compile(r"\w")
_ADDRESS = re.compile(r"(?:https?://|www\.)\S+$")


class Rule(Entry):
    what: Literal["line", "sentence", "list"]
    when: Literal["always", "web", "near"]
    place: Literal["any", "edge", "top", "tail"] = "any"
    pattern: str
    unless: str | None = None
    drops: list[str]
    keeps: list[str]

    def found(self, folded: str) -> bool:
        return bool(re.search(self.pattern, folded)) and not (self.unless and re.search(self.unless, folded))


class PageParts(Entry):
    """What elements of a web page are or are called that hold no text of it."""

    tags: frozenset[str]
    roles: frozenset[str]
    names: frozenset[str]


class _File(Entry):
    rules: dict[str, Rule]
    page: PageParts


@cache
def _file() -> _File:
    """CatalogError when the file says something that cannot be."""
    path = HERE / "noise.yaml"
    return validate(_File, read_yaml_text(path.read_text(encoding="utf-8"), path.name), path.name)


def rules() -> dict[str, Rule]:
    """The rules by name."""
    return _file().rules


def page_parts() -> PageParts:
    return _file().page


def folded(text: str) -> str:
    """`text` as the rules read it."""
    return simplified(READING.sub(r"\1", text)).casefold().strip()


def without_readings(text: str, *, bulk: bool = True) -> str:
    """`text` without the readings behind its characters. Unless they come in `bulk`, only those behind traditional ones."""

    def plain(found: re.Match[str]) -> str:
        return found[1] if bulk or simplified(found[1]) != found[1] else found[0]

    return READING.sub(plain, text)


def cleaned(blocks: Sequence[Block], *, web: bool = False) -> tuple[list[Block], int]:
    """(what belongs to the document, number of lines and sentences left out). `web`: it is known to be a web page."""
    texts = [folded(b.text) if b.kind in ("heading", "text", "item") else "" for b in blocks]
    places = _places([t or b.text for t, b in zip(texts, blocks, strict=True)])
    gone = [b.kind not in ("code", "table") and not _WORD.search(b.text) for b in blocks]
    silent = sum(gone)  # lines without a word are not worth counting
    _lines(texts, places, gone, "always")
    pieces = [_pieces(b.text, p, "always") if t else [b.text] for b, t, p in zip(blocks, texts, places, strict=True)]
    cut = sum(p.count("") for p, t in zip(pieces, texts, strict=True) if t)
    listed = _lists(blocks, texts, places, gone)
    if web or listed or sum(gone) - silent + cut >= _EVIDENCE:
        _lines(texts, places, gone, "web")
        for i, text in enumerate(texts):
            if text:
                pieces[i] = [q for p in pieces[i] for q in (_pieces(p, places[i], "web") if p else [p])]
                gone[i] = gone[i] or not any(pieces[i])
        while _lines(texts, places, gone, "near"):
            pass
    bulk = sum(len(READING.findall(b.text)) for b in blocks) >= _BULK
    kept: list[Block] = []
    dropped = sum(gone) - silent
    follows = True  # whether nothing was left out just before
    for block, parts, out in zip(blocks, pieces, gone, strict=True):
        if block.grid is not None:
            kept.append(replace(block, gap=block.gap if follows else 0, grid=_plain_grid(block.grid, bulk=bulk)))
            follows = True
            continue
        dropped += 0 if out else parts.count("")
        for part in [""] if out else parts:
            if part:
                gap = block.gap if follows else 0
                kept.append(replace(block, text=without_readings(part, bulk=bulk), gap=gap))
            follows = bool(part)
    return kept, dropped


def _plain_grid(grid: Grid, *, bulk: bool) -> Grid:
    def plain(cells: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(without_readings(c, bulk=bulk) for c in cells)

    rows = (replace(r, cells=plain(r.cells), text=without_readings(r.text, bulk=bulk)) for r in grid.rows)
    return replace(grid, header=plain(grid.header), rows=tuple(rows))


def _lines(texts: list[str], places: list[frozenset[str]], gone: list[bool], when: str) -> bool:
    """Mark the lines that a rule of `when` leaves out; whether any was."""
    active = [r for r in _of("line") if r.when == when]
    found = False
    for i, text in enumerate(texts):
        if gone[i] or not text or (when == "near" and not _beside(gone, i)):
            continue
        if any(r.place in places[i] and r.found(text) for r in active):
            gone[i] = found = True
    return found


@cache
def _of(what: str) -> tuple[Rule, ...]:
    return tuple(r for r in rules().values() if r.what == what)


def _beside(gone: list[bool], i: int) -> bool:
    return any(gone[j] for j in (i - 1, i + 1) if 0 <= j < len(gone))


def _places(texts: list[str]) -> list[frozenset[str]]:
    """Where each line stands: `tail` is the second half of what is to be read."""
    n = len(texts)
    edge = max(_EDGE_LEAST, min(_EDGE, n // 3))
    before, whole = 0, sum(map(len, texts))
    out = []
    for i, text in enumerate(texts):
        found = {"any"}
        if i < edge or i >= n - edge:
            found.add("edge")
        if i < _TOP:
            found.add("top")
        if 2 * before >= whole:
            found.add("tail")
        before += len(text)
        out.append(frozenset(found))
    return out


def _lists(blocks: Sequence[Block], texts: list[str], places: list[frozenset[str]], gone: list[bool]) -> bool:
    """Mark lists of other articles: a title for them with nothing but short lines below, up to the end."""
    n = len(blocks)
    last = next((i for i in range(n - 1, -1, -1) if not gone[i] and _is_prose(blocks[i], texts[i])), -1)
    titles = (i for i in range(last + 1, n) if any(r.place in places[i] and r.found(texts[i]) for r in _of("list")))
    start = next(titles, n)
    for i in range(start, n):
        gone[i] = True
    return start < n


def _is_prose(block: Block, text: str) -> bool:
    if block.kind in ("table", "code"):
        return True
    return not _ADDRESS.match(text) and (len(text) >= _PROSE or text.endswith(("。", ";", ".")))


def _pieces(text: str, places: frozenset[str], when: str) -> list[str]:
    """`text` cut where sentences are left out; an empty piece stands for each of them."""
    active = [r for r in _of("sentence") if r.when == when and r.place in places]
    marked = []
    for sentence in sentences(text):
        plain = folded(sentence) if active else ""
        marked.append((sentence, any(r.found(plain) for r in active)))
    if not any(out for _, out in marked):
        return [text]
    pieces: list[str] = []
    run = ""
    for sentence, out in [*marked, ("", True)]:
        if not out:
            run += sentence
            continue
        if run.strip():
            pieces.append(run.strip())
        run = ""
        if sentence:
            pieces.append("")
    return pieces


def sentences(text: str) -> list[str]:
    """`text` cut behind its sentences; joined they are `text` again."""
    ends = [m.end() for m in SENTENCE_END.finditer(text) if not _LIST_NUMBER.search(text, 0, m.end())]
    return [text[a:b] for a, b in zip([0, *ends], [*ends, len(text)], strict=True) if a < b]
