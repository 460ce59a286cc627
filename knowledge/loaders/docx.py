"""Word documents: headings, paragraphs, lists and tables in their order. The only importer of python-docx.

The text is read from the XML below its paragraphs: python-docx itself passes over what stands in content controls and what
was inserted while changes were tracked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from knowledge.loaders.blocks import BOLD, Block, Grid, Loaded, Progress, Row, Unreadable
from knowledge.loaders.package import check

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_HEADING = re.compile(r"(?:heading|标题|標題)\s*(\d)", re.IGNORECASE)
_SHOWN = 100  # blocks between two signs of progress
_LEFT_OUT = frozenset(
    _W + t for t in ("del", "moveFrom", "instrText", "delText", "footnoteReference", "txbxContent", "pict")
)
_MAX_SPAN = 1000


def load(path: Path, progress: Progress | None = None) -> Loaded:
    """Raises Unreadable when the file is no Word document, locked, broken, or would unpack to too much."""
    check(path, "Word", "word/document.xml")
    import docx

    try:
        with path.open("rb") as f:
            document = docx.Document(f)
        styles = {s.style_id: str(s.name or "") for s in document.styles}
        body = list(_flat(document.element.body))
        blocks: list[Block] = []
        for n, element in enumerate(body):
            blocks += _table(element, styles) if element.tag == _W + "tbl" else _paragraph(element, styles)
            if progress and n % _SHOWN == 0:
                progress(n, len(body))
    except Exception as e:  # a broken part shows in whatever way the part makes it
        raise Unreadable("document_broken") from e
    return Loaded(blocks, plain=sum(b.kind == "heading" for b in blocks) < 2)


def _flat(element: Any) -> Iterator[Any]:
    """The paragraphs and tables below an element, those in content controls as well."""
    for child in element:
        if child.tag in (_W + "p", _W + "tbl"):
            yield child
            if child.tag == _W + "p":
                yield from _boxes(child)
        elif child.tag in (_W + "sdt", _W + "sdtContent", _W + "ins", _W + "customXml", _W + "moveTo"):
            yield from _flat(child)


def _boxes(paragraph: Any) -> Iterator[Any]:
    """What stands in the text boxes of a paragraph; the copies for old programs are passed over."""
    for box in paragraph.iter(_W + "txbxContent"):
        old = any(a.tag.endswith("}Fallback") for a in box.iterancestors())
        inner = next((a for a in box.iterancestors(_W + "txbxContent")), None)
        if not old and inner is None:
            yield from _flat(box)


def _paragraph(element: Any, styles: dict[str, str]) -> list[Block]:
    text = _text(element)
    if not text:
        return []
    level = _level(element, styles)
    if level:
        return [Block("heading", " ".join(text.split()), level, gap=2)]
    style = styles.get(_value(element, "pPr/pStyle") or "", "")
    if element.find(f"{_W}pPr/{_W}numPr") is not None or style.startswith(("List", "列表")):
        return [Block("item", text)]
    return [Block("text", text, BOLD if _all_bold(element) else 0)]


def _text(element: Any) -> str:
    """The text of a paragraph as it reads now: tracked insertions are in, deletions and hidden text are not."""
    out: list[str] = []
    _collect(element, out)
    return "".join(out).strip()


def _collect(element: Any, out: list[str]) -> None:
    for child in element:
        if child.tag in _LEFT_OUT or (child.tag == _W + "r" and child.find(f"{_W}rPr/{_W}vanish") is not None):
            continue
        if child.tag == _W + "t":
            out.append(child.text or "")
        elif child.tag == _W + "tab":
            out.append("\t" if element.tag == _W + "r" else "")
        elif child.tag in (_W + "br", _W + "cr"):
            out.append("\n")
        elif child.tag == _W + "noBreakHyphen":
            out.append("-")
        else:
            _collect(child, out)


def _value(element: Any, place: str) -> str | None:
    found = element.find("/".join(_W + p for p in place.split("/")))
    value = None if found is None else found.get(_W + "val")
    return None if value is None else str(value)


def _level(element: Any, styles: dict[str, str]) -> int:
    """1 to 9 for a heading, by its style or its place in the outline; else 0."""
    style = styles.get(_value(element, "pPr/pStyle") or "", "")
    if style.lower() in ("title", "标题", "標題"):
        return 1
    named = _HEADING.match(style)
    if named:
        return int(named[1]) + 1
    outline = _value(element, "pPr/outlineLvl")
    return int(outline) + 2 if outline and outline.isdigit() and int(outline) < 9 else 0


def _all_bold(element: Any) -> bool:
    runs = [r for r in element.iter(_W + "r") if any((t.text or "").strip() for t in r.iter(_W + "t"))]
    return bool(runs) and all(
        r.find(f"{_W}rPr/{_W}b") is not None and _value(r, "rPr/b") not in ("0", "false") for r in runs
    )


def _table(element: Any, styles: dict[str, str]) -> list[Block]:
    """A table; merged cells are filled down and to the right. One with a single column is a frame around text."""
    grid: list[tuple[list[str], list[bool]]] = []
    for tr in element.iter(_W + "tr"):
        if next(tr.iterancestors(_W + "tbl")) is not element:
            continue
        line: list[str] = []
        own: list[bool] = []
        for tc in (c for c in tr.iter(_W + "tc") if next(c.iterancestors(_W + "tr")) is tr):
            merge = tc.find(f"{_W}tcPr/{_W}vMerge")
            goes_on = merge is not None and merge.get(_W + "val") != "restart"
            above = grid[-1][0][len(line)] if goes_on and grid and len(line) < len(grid[-1][0]) else ""
            text = above if goes_on else "\n".join(t for p in tc.iter(_W + "p") if (t := _text(p)))
            span = _value(tc, "tcPr/gridSpan") or "1"
            for n in range(min(int(span), _MAX_SPAN - len(line)) if span.isdigit() else 1):
                line.append(text)
                own.append(n == 0 and not goes_on)
        grid.append((line, own))
    width = max((len(line) for line, _ in grid), default=0)
    if width < 2 or len(grid) < 2:
        inside = (p for tc in element.iter(_W + "tc") for p in _flat(tc) if p.tag == _W + "p")
        return [b for p in inside for b in _paragraph(p, styles)]
    rows = [
        Row(
            (*line, *[""] * (width - len(line))),
            " | ".join(c for c, o in zip(line, own, strict=True) if o and c),
            next((i for i, o in enumerate(own) if o), 0),
        )
        for line, own in grid
    ]
    marked = element.find(f"{_W}tr/{_W}trPr/{_W}tblHeader") is not None
    return [Block("table", "", grid=Grid(rows[0].cells, tuple(r for r in rows[1:] if r.text), sure=marked))]
