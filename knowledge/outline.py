"""Headings of a document that marks none: chapter numbers that stand alone, and short lines above prose."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from knowledge.cutting import ENTRIES
from knowledge.loaders.blocks import BOLD, Block
from knowledge.textnorm import simplified

_NUMERAL = "[一二三四五六七八九十百零〇两]+"
# From the outermost to the innermost; read on simplified, half-width text.
_NUMBERED = (
    (2, re.compile(rf"第(?:{_NUMERAL}|\d+)[章部篇编卷]")),
    (3, re.compile(rf"(?:{_NUMERAL}、|{_NUMERAL}[.](?!\d)|第(?:{_NUMERAL}|\d+)[节条阶步](?!,)|chapter \d|part \d)")),
    (4, re.compile(rf"(?:\({_NUMERAL}\)|第{_NUMERAL}(?:,|、|:))")),
    (5, re.compile(r"\d{1,2}(?:\.\d{1,2}){0,3}(?:[、.](?!\d)|\s)")),
    (6, re.compile(r"(?:\(\d{1,2}\)|\d{1,2}\)|[①-⑳])")),
)
_PLAIN_INSIDE, _PLAIN_OUTSIDE = 7, 2
_STAGE = re.compile(r".{1,8}(?:期|阶段|日|天)(?:——|--|—|:|-).{2,24}$|【[^】]{2,20}】$")

_ALONE = re.compile(r"\W*(?:part\W*)?\d{1,2}\W*", re.IGNORECASE)
_SHORT, _SHORT_NUMBERED, _SHORT_TITLE = 24, 42, 60
_PROSE = 30
_ENDS = tuple("。！？；，、：!?;,:…．.")


def with_headings(blocks: Sequence[Block]) -> list[Block]:
    """`blocks` with those that are headings marked as such. A heading without anything below it stays a line of text."""
    blocks = _numbers_joined(_once(blocks))
    texts = [simplified(b.text).casefold().strip() if b.kind in ("text", "item") else "" for b in blocks]
    numbers = [_number(b, t) for b, t in zip(blocks, texts, strict=True)]
    outside = any(numbers[i] in (2, 3) for i in range(len(blocks)))
    out: list[Block] = []
    for i, block in enumerate(blocks):
        level = 0
        if texts[i]:
            listed = numbers[i] >= 4 and (_next(numbers, i) == numbers[i] or _next(numbers, i, -1) == numbers[i])
            if numbers[i] and not listed:
                level = numbers[i]
            elif not numbers[i] and block.kind == "text":
                level = _unnumbered(blocks, texts, numbers, i, outside=outside)
        out.append(replace(block, kind="heading", level=level) if level else block)
    return _with_body(out, blocks)


def with_bold_headings(blocks: Sequence[Block]) -> list[Block]:
    """For a document that marks its headings: short lines in bold above something else are headings below those, too."""
    out: list[Block] = []
    level = 0
    for i, block in enumerate(blocks):
        if block.kind == "heading":
            level = block.level
        after = blocks[i + 1] if i + 1 < len(blocks) else None
        alone = block.level == BOLD and len(block.text) <= _SHORT_NUMBERED and not block.text.endswith(_ENDS)
        if alone and after is not None and after.kind != "heading" and after.level != BOLD:
            block = replace(block, kind="heading", level=level + 1 if out and level else 1)
        out.append(block)
    return out


def _number(block: Block, text: str) -> int:
    """The level that the number at the beginning of a short line that is no sentence says, or 0."""
    if not text or "\n" in text or len(text) > _SHORT_NUMBERED:
        return 0
    body = text.rstrip("。.")  # 第一，做社群。
    if body != text and len(text) > 14:
        return 0
    if body.endswith(_ENDS) or "。" in body:
        return 0
    return next((level for level, shape in _NUMBERED if shape.match(text)), 0)


def _next(numbers: list[int], i: int, step: int = 1) -> int:
    return numbers[i + step] if 0 <= i + step < len(numbers) else 0


def _unnumbered(blocks: Sequence[Block], texts: list[str], numbers: list[int], i: int, *, outside: bool) -> int:
    """The level of a short line above prose, or 0."""
    text = texts[i]
    title = i == 0
    if "\n" in text or len(text) > (_SHORT_TITLE if title else _SHORT) or not re.search(r"[^\W\d_]{2}", text):
        return 0
    if (
        ENTRIES.fullmatch(text)
        or text.startswith(("(", "*"))
        or (text.endswith(_ENDS) and not (title and text.endswith(("!", "?"))))
    ):
        return 0
    below = i + 1
    if below == len(blocks):
        return 0
    if blocks[below].kind in ("table", "heading") or numbers[below]:
        fits = title or bool(_STAGE.match(text)) or blocks[below].kind == "table"
    else:
        fits = len(texts[below]) >= _PROSE or blocks[below].text.rstrip().endswith(
            ("。", "！", "？", "!", "?", "；", "：", ":")
        )
    above = i == 0 or blocks[i - 1].kind != "text" or _closed(blocks[i - 1], numbers[i - 1])
    if not (fits and above) and blocks[i].level != BOLD:
        return 0
    if title:
        return 1
    if blocks[below].kind == "item" and not outside and not _STAGE.match(text):
        return _PLAIN_OUTSIDE + 1  # what introduces a list lies deeper than what introduces a text
    return _PLAIN_INSIDE if outside else _PLAIN_OUTSIDE


def _closed(block: Block, number: int) -> bool:
    """Whether a block ends as a paragraph does, so that what follows begins something new."""
    return bool(number) or block.text.rstrip().endswith(tuple('。！？；!?;.…）)】”"')) or len(block.text) >= _PROSE


def _once(blocks: Sequence[Block]) -> list[Block]:
    """Pages say their title twice or three times: once is enough."""
    title = blocks[0].text if blocks and blocks[0].kind in ("text", "heading") else ""
    if not title or len(title) > _SHORT_TITLE or title.endswith(_ENDS):
        return list(blocks)
    out: list[Block] = []
    for i, block in enumerate(blocks):
        if not i or block.text != title:
            follows_repeat = i > 1 and blocks[i - 1].text == title
            out.append(replace(block, gap=0) if follows_repeat else block)
    return out


def _numbers_joined(blocks: Sequence[Block]) -> list[Block]:
    """Magazine pages set the number of a chapter on a line of its own: it marks the short line below it as a heading."""
    out: list[Block] = []
    numbered = False
    for i, block in enumerate(blocks):
        after = blocks[i + 1] if i + 1 < len(blocks) else None
        title = (
            after is not None and after.kind == "text" and len(after.text) <= _SHORT and not after.text.endswith(_ENDS)
        )
        out += [replace(block, level=BOLD, gap=0)] if numbered else [block]
        numbered = block.kind == "text" and title and bool(_ALONE.fullmatch(block.text))
        if numbered:
            out.pop()
    return out


def _with_body(marked: list[Block], plain: list[Block]) -> list[Block]:
    """Headings that have nothing below them are lines of text again."""
    out: list[Block] = []
    for i, block in enumerate(marked):
        after = marked[i + 1] if i + 1 < len(marked) else None
        empty = after is None or (after.kind == "heading" and after.level <= block.level)
        out.append(plain[i] if block.kind == "heading" and empty else block)
    return out
