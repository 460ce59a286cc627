"""PDF: lines become headings by their size, paragraphs by where they end, tables by their rules.

The only importer of pdfplumber.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from knowledge.loaders.blocks import BOLD, Block, Grid, Loaded, Progress, Row, Unreadable
from knowledge.loaders.text import ITEM

_TAIL = 1024  # bytes in which the end mark stands
_MARGIN = 0.08  # of the page's height: where running titles and page numbers stand
_RUNNING = 3  # pages that have the same line there; of two pages both
_LARGER, _LEVELS = 1.12, 5
_LONG_HEADING = 60
_PAGE_NUMBER = re.compile(r"^\W*(?:第\s*\d+\s*页.{0,12}|(?:page\s*)?\d+(?:\s*(?:/|of)\s*\d+)?)\W*$", re.IGNORECASE)
_PAGE_OF = re.compile(
    r"(?:page|p\.)\s*\d+\s*(?:(?:/|of)\s*\d+)?\W*$|第\s*\d+\s*页(?:\W{0,3}共\s*\d+\s*页)?\W*$", re.IGNORECASE
)  # at the end of a running title
_UNMAPPED = re.compile(r"\(cid:\d+\)")
_HAN = re.compile(r"[\u3000-\u303f\u3400-\u9fff\uff00-\uffef]")


@dataclass(frozen=True)
class _Line:
    text: str
    page: int
    size: float
    bold: bool
    left: float
    right: float
    top: float
    bottom: float
    margin: bool  # in the page's upper or lower margin


def load(path: Path, progress: Progress | None = None) -> Loaded:
    """Raises Unreadable when the file is no PDF, locked, broken or cut off, or holds pictures of text only."""
    with path.open("rb") as f:
        head = f.read(1024)
        f.seek(max(path.stat().st_size - _TAIL, 0))
        tail = f.read()
    if b"%PDF-" not in head:
        raise Unreadable("document_not_that", kind="PDF")
    if b"%%EOF" not in tail:
        raise Unreadable("document_broken")
    import pdfplumber

    try:
        with pdfplumber.open(path) as pdf:
            pages = pdf.pages
            content: list[_Line | Block] = []
            empty = 0
            for n, page in enumerate(pages):
                if progress:
                    progress(n, len(pages))
                found = list(_page(page, n + 1))
                empty += not found
                content += found
                page.close()
    except Exception as e:  # pdfminer has many ways of saying that a file is broken
        locked = "Password" in f"{e!r}{e.args!r}{e.__cause__!r}"
        raise Unreadable("document_locked" if locked else "document_broken") from e
    if not pages:
        raise Unreadable("document_broken")
    text = "".join(c.text for c in content)
    if not text.strip() and not any(isinstance(c, Block) for c in content):
        raise Unreadable("document_scanned", pages=len(pages))
    if sum(map(len, _UNMAPPED.findall(text))) > len(text) / 5:  # the font does not say which characters it draws
        raise Unreadable("document_scanned", pages=len(pages))
    blocks = list(_blocks(_without_running(content)))
    return Loaded(blocks, plain=sum(b.kind == "heading" for b in blocks) < 2, pictures=empty)


def _page(page: Any, number: int) -> Iterator[_Line | Block]:
    """Lines and tables of a page from top to bottom."""
    tables = [t for t in page.find_tables() if len(t.rows) > 1 and max(len(r.cells) for r in t.rows) > 1]
    pending = sorted(tables, key=lambda t: t.bbox[1])
    for raw in page.extract_text_lines(return_chars=True):
        middle, centre = (raw["top"] + raw["bottom"]) / 2, (raw["x0"] + raw["x1"]) / 2
        while pending and pending[0].bbox[1] < raw["top"]:
            yield from _table(pending.pop(0), number)
        if any(t.bbox[0] <= centre <= t.bbox[2] and t.bbox[1] <= middle <= t.bbox[3] for t in tables):
            continue
        text = raw["text"].strip()
        chars = [c for c in raw["chars"] if c["text"].strip()]
        if not text or not chars:
            continue
        height = float(page.height)
        yield _Line(
            text, number, Counter(round(c["size"], 1) for c in chars).most_common(1)[0][0],
            all("bold" in c["fontname"].lower() or "heavy" in c["fontname"].lower() for c in chars),
            raw["x0"], raw["x1"], raw["top"], raw["bottom"], not height * _MARGIN < middle < height * (1 - _MARGIN),
        )  # fmt: skip
    for table in pending:
        yield from _table(table, number)


def _table(table: Any, page: int) -> Iterator[Block]:
    """A table; a cell that is none of its own continues the one above."""
    lines = [[None if c is None else " ".join(c.split()) for c in row] for row in table.extract()]
    lines = [line for line in lines if any(line)]
    if len(lines) < 2:
        yield from (Block("text", " | ".join(c for c in line if c), page=page) for line in lines)
        return
    rows: list[Row] = []
    above = [""] * len(lines[0])
    for line in lines:
        own = next((i for i, c in enumerate(line) if c), 0)
        filled = [above[i] if c is None and i < len(above) and i < own else c or "" for i, c in enumerate(line)]
        taken = own if any(filled[:own]) else 0
        rows.append(Row(tuple(filled), " | ".join(c for c in line if c), taken))
        above = filled
    yield Block("table", "", page=page, grid=Grid(rows[0].cells, tuple(rows[1:]), sure=False))


def _without_running(content: Sequence[_Line | Block]) -> list[_Line | Block]:
    """Without page numbers, and titles that run over the pages."""
    pages: dict[str, set[int]] = {}
    last = max((c.page or 0 for c in content), default=0)
    enough = min(_RUNNING, max(last, 2))
    for line in content:
        if isinstance(line, _Line) and line.margin:
            pages.setdefault(_shape(line.text), set()).add(line.page)

    def runs(line: _Line | Block) -> bool:
        if not isinstance(line, _Line):
            return False
        if not line.margin:  # a short page has its footer anywhere; it says which page it is
            said = _PAGE_OF.search(line.text)
            return said is not None and len(line.text) <= _LONG_HEADING and _says(said[0], line.page, last)
        numbered = _PAGE_NUMBER.match(line.text) or _PAGE_OF.search(line.text)
        return bool(numbered) or len(pages[_shape(line.text)]) >= enough

    return [line for line in content if not runs(line)]


def _says(text: str, page: int, last: int) -> bool:
    return [int(n) for n in re.findall(r"\d+", text)] == [page, last]


def _shape(text: str) -> str:
    return re.sub(r"\d+", "0", text)


def _blocks(content: Sequence[_Line | Block]) -> Iterator[Block]:
    lines = [c for c in content if isinstance(c, _Line)]
    sizes: Counter[float] = Counter()
    for line in lines:
        sizes[line.size] += len(line.text)
    usual = sizes.most_common(1)[0][0] if sizes else 0.0
    larger = sorted((s for s in sizes if s >= usual * _LARGER), reverse=True)[:_LEVELS]
    right = max((line.right for line in lines), default=0.0)
    held: list[_Line] = []
    for item in content:
        if isinstance(item, _Line) and held and _goes_on(held[-1], item, right, larger):
            held.append(item)
            continue
        if held:
            yield _block(held, larger)
        held = []
        if isinstance(item, _Line):
            held = [item]
        else:
            yield item
    if held:
        yield _block(held, larger)


def _goes_on(line: _Line, below: _Line, right: float, larger: list[float]) -> bool:
    """Whether `below` continues the paragraph or heading of `line`."""
    if abs(line.size - below.size) > 0.2 or line.bold != below.bold or ITEM.match(below.text):
        return False
    if line.page == below.page and not 0 < below.top - line.top < 2.2 * line.size:
        return False
    reaches = line.right > right - 2.5 * line.size
    return reaches and not (line.page != below.page and line.text.endswith(("。", "！", "？", ".", "!", "?")))


def _block(lines: list[_Line], larger: list[float]) -> Block:
    text = lines[0].text
    for line in lines[1:]:
        text += line.text if _HAN.match(line.text) or _HAN.search(text[-1:]) else f" {line.text}"
    first = lines[0]
    if first.size in larger and len(text) <= _LONG_HEADING:
        return Block("heading", text, larger.index(first.size) + 1, gap=2, page=first.page)
    if ITEM.match(text):
        return Block("item", text, page=first.page)
    return Block("text", text, BOLD if first.bold else 0, page=first.page)
