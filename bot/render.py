"""Answer → Telegram HTML, terminal or plain text. The text's only markup is **bold**.

Telegram counts a message's length in UTF-16 units after its entities are parsed: 4096 for a text, 1024 for a caption.
"""

from __future__ import annotations

import html
import re

from bot.answer import Answer

MESSAGE, CAPTION = 4096, 1024
_BOLD = re.compile(r"\*\*(.+?)\*\*")
# What no chat can show: control characters, halves of surrogate pairs.
_UNSHOWABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_BORDERS = ("\n\n", "\n", "。", "；", ". ", "，", ", ", " ")


def plain(answer: Answer) -> str:
    """Without markup."""
    return unmarked(answer.text)


def unmarked(text: str) -> str:
    return _BOLD.sub(r"\1", text)


def terminal(answer: Answer, *, colour: bool) -> str:
    """Bold as the terminal shows it."""
    return _BOLD.sub("\033[1m\\1\033[0m", answer.text) if colour else plain(answer)


def units(text: str) -> int:
    """Length as Telegram counts it."""
    return len(text.encode("utf-16-le", "replace")) // 2


def telegram(text: str, limit: int = MESSAGE) -> list[str]:
    """`text` (with **bold**) as messages of Telegram HTML, each within `limit` units and well-formed on its own.

    Cut between blocks where possible, else between lines, sentences, words; only white space at a cut is lost.
    """
    shown = _UNSHOWABLE.sub("", text)
    out = []
    for first, last in _pieces(unmarked(shown), limit):
        out.append(_markup(shown, first, last))
    return out


def plain_parts(text: str, limit: int = MESSAGE) -> list[str]:
    """The same pieces without markup: what is sent when Telegram refuses the HTML."""
    bare = unmarked(_UNSHOWABLE.sub("", text))
    return [bare[first:last] for first, last in _pieces(bare, limit)]


def _pieces(bare: str, limit: int) -> list[tuple[int, int]]:
    """Where to cut: (first, last) of each piece, without white space around it; empty pieces are left out."""
    out: list[tuple[int, int]] = []
    at = 0
    while True:
        while at < len(bare) and bare[at].isspace():
            at += 1
        if at >= len(bare):
            return out
        end = _end(bare, at, limit)
        out.append((at, at + len(bare[at:end].rstrip())))
        at = end


def _end(bare: str, at: int, limit: int) -> int:
    """The end of the longest piece from `at` that fits, moved back to the strongest border in its second half."""
    if units(bare[at : at + limit]) <= limit and at + limit >= len(bare):
        return len(bare)
    end = at + limit
    while units(bare[at:end]) > limit:
        end -= max(1, (units(bare[at:end]) - limit) // 2)
    for border in _BORDERS:
        cut = bare.rfind(border, at + (end - at) // 2, end)
        if cut > at:
            return cut + len(border)
    return end


def _markup(shown: str, first: int, last: int) -> str:
    """The characters first..last of the unmarked text, escaped, with the bold that falls into them."""
    out: list[str] = []
    place = 0  # in the unmarked text

    def add(piece: str, *, bold: bool) -> None:
        nonlocal place
        part = piece[max(0, first - place) : max(0, last - place)]
        place += len(piece)
        if part:
            escaped = html.escape(part, quote=False)
            out.append(f"<b>{escaped}</b>" if bold and part.strip() else escaped)

    at = 0
    for match in _BOLD.finditer(shown):
        add(shown[at : match.start()], bold=False)
        add(match[1], bold=True)
        at = match.end()
    add(shown[at:], bold=False)
    return "".join(out)
