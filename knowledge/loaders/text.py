"""Markdown and plain text: the encoding, then headings, paragraphs, lists, code and pipe tables."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from knowledge.loaders.blocks import Block, Loaded, Progress, Unreadable
from knowledge.loaders.pipes import grid_of, is_rule, is_table_start, table_end

_HEADING = re.compile(r"^ {0,3}(#{1,6})\s+(.+?)\s*#*\s*$")
_UNDERLINE = re.compile(r"^ {0,3}(=+|-{3,})\s*$")
_FENCE = re.compile(r"^ {0,3}(```|~~~)")
_FRONT_MATTER = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1f]")
ITEM = re.compile(
    r"^\s*(?:[-*+•·●○▪■◆✓√]\s|[•·●○▪■◆]\S|\d{1,3}[.)、．](?!\d)|[(（]\d{1,2}[)）]|[①-⑳]|[a-zA-Z][.)、](?![a-zA-Z.]))"
)
_ENDED = tuple("。！？!?；;：:…”」』）)】.")
_WRAP = 0.8  # of the usual width: a line as long as this that does not end a sentence goes on in the next one
_NARROW, _WIDE = 25, 120  # characters a line of hard-wrapped text has


def load(path: Path, progress: Progress | None = None) -> Loaded:
    """Raises Unreadable when the file is no text."""
    return of_text(decoded(path.read_bytes()))


def of_text(text: str) -> Loaded:
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    blocks = list(_blocks(_FRONT_MATTER.sub("", text, count=1).split("\n")))
    return Loaded(blocks, plain=not any(b.kind == "heading" for b in blocks))


def decoded(data: bytes) -> str:
    """Bytes as text: UTF-8, UTF-16 with its mark, else GB18030 or Big5, whichever makes the more usual characters."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        try:
            return _checked(data.decode("utf-16"))
        except UnicodeDecodeError as e:
            raise Unreadable("file_binary", line=data.count(b"\n", 0, e.start) + 1) from e
    try:
        return _checked(data.decode("utf-8-sig"))
    except UnicodeDecodeError as e:
        at = e.start
    found = []
    for encoding, usual in (("gb18030", range(0xB0, 0xD8)), ("cp950", range(0xA4, 0xC7))):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError as e:
            at = max(at, e.start)
        else:
            found.append((_usual(text, encoding, usual), encoding == "gb18030", text))
    if not found:
        raise Unreadable("file_binary", line=data.count(b"\n", 0, at) + 1)
    return _checked(max(found)[2])


def _usual(text: str, encoding: str, lead: range) -> float:
    """The share of Chinese characters of `text` that stand among the common ones of the encoding."""
    chars = re.findall(r"[\u3400-\u9fff\ue000-\uf8ff]", text[:20_000])
    codes = ["".join(chars).encode(encoding, "ignore")] if chars else [b""]
    firsts = codes[0][::2] if encoding != "gb18030" else bytes(c.encode(encoding, "ignore")[0] for c in chars)
    return sum(b in lead for b in firsts) / max(len(chars), 1)


def _checked(text: str) -> str:
    control = _CONTROL.search(text)
    if control is not None:
        raise Unreadable("file_binary", line=text.count("\n", 0, control.start()) + 1)
    return text


def _blocks(lines: list[str]) -> Iterator[Block]:
    widths = sorted(len(line) for line in lines if line.strip())
    usual = widths[len(widths) * 9 // 10] if widths else 0
    full = sum(w >= usual * _WRAP for w in widths)
    wraps = _NARROW <= usual <= _WIDE and full >= len(widths) / 2
    at, gap = 0, 1
    while at < len(lines):
        line = lines[at]
        if not line.strip():
            at, gap = at + 1, gap + 1
            continue
        end = at + 1
        if _FENCE.match(line):
            end = next((i + 1 for i in range(at + 1, len(lines)) if _FENCE.match(lines[i])), len(lines))
            yield Block("code", "\n".join(lines[at:end]).rstrip(), gap=gap)
        elif heading := _HEADING.match(line):
            yield Block("heading", heading[2].strip(), len(heading[1]), gap)
        elif is_table_start(lines, at):
            end = table_end(lines, at)
            grid = grid_of(lines[at:end])
            if len(grid.header) > 1 and grid.rows:
                yield Block("table", "\n".join(lines[at:end]), gap=gap, grid=grid)
            else:  # a frame around a few lines
                yield from (
                    Block("text", x.strip(" |"), gap=gap) for x in lines[at:end] if not is_rule(x) and x.strip(" |")
                )
        elif _is_underlined(lines, at):
            end = at + 2
            yield Block("heading", line.strip(), 1 if lines[at + 1].strip()[0] == "=" else 2, gap)
        else:
            while wraps and end < len(lines) and _goes_on(lines[end - 1], lines[end], usual):
                end += 1
            kind = "item" if ITEM.match(line) else "text"
            yield Block(kind, "\n".join(x.strip() for x in lines[at:end]), gap=gap)  # type: ignore[arg-type]
        at, gap = end, 1


def _is_underlined(lines: list[str], at: int) -> bool:
    line = lines[at].strip()
    before = at == 0 or not lines[at - 1].strip()
    under = _UNDERLINE.match(lines[at + 1]) if at + 1 < len(lines) else None
    return before and under is not None and len(line) <= 60 and not ITEM.match(line) and not is_rule(line)


def _goes_on(line: str, below: str, usual: int) -> bool:
    """Whether a hard-wrapped line ends within its paragraph."""
    if not below.strip() or len(line) < usual * _WRAP or line.rstrip().endswith(_ENDED):
        return False
    return not (ITEM.match(below) or _HEADING.match(below) or _FENCE.match(below) or "|" in below)
