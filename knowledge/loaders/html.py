"""Web pages and exports in HTML: what a reader sees of the text, without what surrounds it. The only importer of lxml.

Readability heuristics lose tables and merged cells of the short, loosely built pages that shops have, so the tree is walked
whole; what to pass over stands in noise.yaml.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from knowledge.loaders.blocks import BOLD, Block, Grid, Loaded, Progress, Row, Unreadable
from knowledge.loaders.text import decoded
from knowledge.noise import page_parts

_BLOCKS = frozenset({
    "address", "article", "aside", "blockquote", "body", "center", "dd", "details", "div", "dl", "dt", "fieldset",
    "figure", "figcaption", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "html", "legend",
    "li", "main", "nav", "ol", "p", "pre", "section", "summary", "table", "tbody", "td", "tfoot", "th", "thead", "tr",
    "ul",
})  # fmt: skip
_UNSEEN = frozenset({
    "script", "style", "noscript", "template", "head", "meta", "link", "title", "object", "embed", "iframe", "svg",
    "canvas", "audio", "video", "map", "button", "select", "option", "textarea", "input", "datalist", "dialog",
})  # fmt: skip
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0(?![.\d])", re.IGNORECASE)
_CHARSET = re.compile(rb"""charset\s*=\s*["']?\s*([\w-]+)""", re.IGNORECASE)
_SPACE = re.compile(r"[ \t\r\n\f\u00a0]+")
_SENTENCE = re.compile(r"[。！？；!?]|[.;](?=\s|$)")
_MOST = 0.5  # of the page's text: what holds as much is the page, whatever it is called
_LINKED, _LINKS = 0.7, 3  # part of the text that is links, and how many of them make navigation
_SPAN = 1000  # cells that one may cover: more is no real table
_BOLD = {"b", "strong"}


def load(path: Path, progress: Progress | None = None) -> Loaded:
    """Raises Unreadable when the file is no text, or no HTML."""
    data = path.read_bytes()
    text = _text_of(data)
    if "<" not in text:
        raise Unreadable("document_not_that", kind="HTML")
    from lxml import html

    try:
        root = html.document_fromstring(re.sub(r"^\s*<\?xml[^>]*>", "", text))
    except Exception as e:  # lxml has many ways of saying that nothing is in it
        raise Unreadable("document_empty") from e
    dropped = _prune(root)
    blocks = list(_Walk().blocks(_main(root)))
    return Loaded(blocks, plain=sum(b.kind == "heading" for b in blocks) < 2, web=True, dropped=dropped)


def _text_of(data: bytes) -> str:
    """The page as text: as its mark or its `charset` says, where that can be, else as any text."""
    declared = _CHARSET.search(data[:4096])
    if declared and data[:2] not in (b"\xff\xfe", b"\xfe\xff") and data[:3] != b"\xef\xbb\xbf":
        name = {"gb2312": "gb18030", "gbk": "gb18030", "big5": "cp950"}.get(
            declared[1].decode().lower(), declared[1].decode()
        )
        try:
            text = data.decode(name)
        except (UnicodeDecodeError, LookupError):
            pass  # the page says something else than it is
        else:
            if "\x00" not in text:
                return text
    return decoded(data)


# --- what is not the text ----------------------------------------------------------------------------------------


def _prune(root: Any) -> int:
    """Take out what nobody sees and what surrounds the text; how many parts with words surrounded it."""
    for comment in root.xpath("//comment() | //processing-instruction()"):
        _remove(comment)
    for element in list(root.iter()):
        if isinstance(element.tag, str) and (element.tag in _UNSEEN or _hidden(element)):
            _remove(element)
    whole = len(_plain(root)) or 1
    around: list[Any] = []
    for element in list(root.iter()):
        if isinstance(element.tag, str) and _surrounds(element) and len(_plain(element)) < whole * _MOST:
            around.append(element)
    outer = set(around)
    dropped = 0
    for element in around:
        dropped += bool(_plain(element)) and not any(a in outer for a in element.iterancestors())
    for element in around:
        _remove(element)
    for element in list(root.iter("ul", "ol", "div", "p", "table", "dl", "section")):
        if _is_navigation(element) and len(_plain(element)) < whole * _MOST:
            dropped += bool(_plain(element))
            _remove(element)
    return dropped


def _hidden(element: Any) -> bool:
    if element.tag in ("html", "body"):
        return False
    return "hidden" in element.attrib or bool(_HIDDEN.search(element.get("style") or ""))


def _surrounds(element: Any) -> bool:
    """Whether an element calls itself navigation, footer, advert … A header within an article belongs to it."""
    parts = page_parts()
    if element.tag in ("html", "body", "main", "article", "h1", "h2", "table", "tr", "td", "th"):
        return False
    if element.tag == "header":
        return not any(a.tag in ("article", "main") for a in element.iterancestors())
    if element.tag in parts.tags or (element.get("role") or "").lower() in parts.roles:
        return True
    return any(_called(name) for name in f"{element.get('class') or ''} {element.get('id') or ''}".split())


@cache
def _called(name: str) -> bool:
    """Whether a class or id says that its element is no part of the text: any of its words, or the whole, is listed."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", "-", name).lower()
    names = page_parts().names
    return words in names or any(w in names for w in re.split(r"[-_:.\d]+", words))


def _is_navigation(element: Any) -> bool:
    """A run of links without a sentence of its own."""
    links = element.findall(".//a")
    if len(links) < _LINKS:
        return False
    text = _plain(element)
    linked = sum(len(_plain(a)) for a in links)
    return linked >= _LINKED * len(text) and not _SENTENCE.search(text)


def _main(root: Any) -> Any:
    """The element that the page itself calls the text, when it holds most of it."""
    whole = len(_plain(root))
    for path in ("//main", "//article", "//*[@role='main']"):
        found = root.xpath(path)
        if len(found) == 1 and len(_plain(found[0])) >= whole * _MOST:
            return found[0]
    return root


def _plain(element: Any) -> str:
    return _SPACE.sub(" ", element.text_content() if isinstance(element.tag, str) else "").strip()


def _remove(element: Any) -> None:
    """Take an element out, with what is in it, but not the text behind it."""
    parent = element.getparent()
    if parent is None:
        return
    tail = element.tail or ""
    before = element.getprevious()
    if before is not None:
        before.tail = (before.tail or "") + tail
    else:
        parent.text = (parent.text or "") + tail
    parent.remove(element)


# --- the text ----------------------------------------------------------------------------------------------------


class _Walk:
    """Collects the inline text of the blocks it walks through, in reading order."""

    def __init__(self) -> None:
        self.run: list[str] = []
        self.bold = 0  # characters of the run that are set in bold
        self.kind = "text"

    def blocks(self, root: Any) -> Iterator[Block]:
        yield from self._inside(root, bold=False)
        yield from self._flush()

    def _inside(self, element: Any, *, bold: bool) -> Iterator[Block]:
        self._add(element.text, bold=bold)
        for child in element:
            yield from self._child(child, bold=bold)
            self._add(child.tail, bold=bold)

    def _child(self, child: Any, *, bold: bool) -> Iterator[Block]:
        tag = child.tag if isinstance(child.tag, str) else ""
        if tag == "br":
            yield from self._flush()
        elif tag not in _BLOCKS:
            heavy = re.search(r"font-weight\s*:\s*(?:bold|[6-9]00)", child.get("style") or "") if tag else None
            yield from self._inside(child, bold=bold or tag in _BOLD or bool(heavy))
        else:
            yield from self._flush()
            yield from self._block(child, tag, bold=bold)
            yield from self._flush()

    def _block(self, child: Any, tag: str, *, bold: bool) -> Iterator[Block]:
        if re.fullmatch("h[1-6]", tag):
            text = _plain(child)
            if text:
                yield Block("heading", text, int(tag[1]), gap=2)
        elif tag == "table":
            yield from _table(child)
        elif tag == "pre":
            text = child.text_content().strip("\n").rstrip()
            if text:
                yield Block("code", text, gap=2)
        else:
            outer = self.kind
            self.kind = (
                "item" if tag in ("li", "dd") else "text" if tag in ("ul", "ol", "p", "dt", "blockquote") else outer
            )
            yield from self._inside(child, bold=bold)
            yield from self._flush()
            self.kind = outer

    def _add(self, text: str | None, *, bold: bool) -> None:
        if text:
            self.run.append(text)
            self.bold += len(text.strip()) if bold else 0

    def _flush(self) -> Iterator[Block]:
        text = _SPACE.sub(" ", "".join(self.run)).strip()
        all_bold = self.bold >= len(text) > 0
        self.run, self.bold = [], 0
        if text:
            kind = "item" if self.kind == "item" else "text"
            yield Block(kind, text, level=BOLD if all_bold and kind == "text" else 0)  # type: ignore[arg-type]


def _table(element: Any) -> Iterator[Block]:
    """A table, merged cells filled down and to the right; what only holds the page together is walked as text."""
    rows = [r for r in element.iter("tr") if next(a for a in r.iterancestors("table")) is element]
    nested = element.find(".//table") is not None
    if nested or len(rows) < 2 or max((len(r.findall("td")) + len(r.findall("th")) for r in rows), default=0) < 2:
        for cell in element.iter("td", "th", "caption"):
            if next(a for a in cell.iterancestors("table")) is element:
                yield from _Walk().blocks(cell)
        return
    caption = element.find("caption")
    if caption is not None and _plain(caption):
        yield Block("text", _plain(caption))
    grid: list[list[str]] = []
    mine: list[list[bool]] = []
    heads: list[bool] = []
    waiting: dict[int, tuple[int, str]] = {}  # column → (rows that its cell still covers, text)
    for row in rows:
        cells = [c for c in row if c.tag in ("td", "th")]
        line: list[str] = []
        own: list[bool] = []
        for cell in [*cells, None]:
            while len(line) in waiting:
                left, text = waiting.pop(len(line))
                if left > 1:
                    waiting[len(line)] = (left - 1, text)
                line.append(text)
                own.append(False)
            if cell is None:
                break
            text = _plain(cell)
            for n in range(min(_number(cell, "colspan"), _SPAN - len(line))):
                if (down := _number(cell, "rowspan")) > 1:
                    waiting[len(line)] = (down - 1, text)
                line.append(text)
                own.append(n == 0)
        grid.append(line)
        mine.append(own)
        heads.append(bool(cells) and all(c.tag == "th" or c.getparent().getparent().tag == "thead" for c in cells))
    width = max(map(len, grid))
    pad = [[*line, *[""] * (width - len(line))] for line in grid]
    made = [
        Row(
            tuple(line),
            " | ".join(c for c, o in zip(line, own, strict=False) if o and c),
            next((i for i, o in enumerate(own) if o), 0),
        )
        for line, own in zip(pad, mine, strict=True)
    ]
    yield Block("table", "", grid=Grid(tuple(pad[0]), tuple(r for r in made[1:] if r.text), sure=heads[0]))


def _number(cell: Any, name: str) -> int:
    value = (cell.get(name) or "1").strip()
    return min(max(int(value), 1), _SPAN) if value.isascii() and value.isdigit() else 1
