"""A text as its reader sees it: without markup and unseen characters, in half width, simplified, with plain digits; and
without what counts nothing, its idioms.

Lines stay lines: the n-th line of the result is the n-th line of the text.
"""

from __future__ import annotations

import html
import re
import unicodedata
from functools import cache, lru_cache
from pathlib import Path

from bot import numeral_words as words
from knowledge.catalog import Entry, read_yaml, validate
from knowledge.textnorm import simplified

# Signs of our own in a plain text, from the private use area.
BULLET, BULLET_END = "\ue000", "\ue001"  # around the number of ① or 1️⃣
BLANK = "\ue020"  # where something was blanked out

_OURS = re.compile("[\ue000-\uf8ff\x00-\x08\x0e-\x1f\x7f]")  # nobody writes these
_MARKUP = re.compile(
    r"</?[A-Za-z][^<>\n]*>|<!--[^\n]*?-->|\*\*|__|~~|`|\\(?=[^\w\s])|\{(?=,\})|(?<=\{,)\}|(?<=,)\}(?=\d)"
)
_INNER = re.compile(r"(?<=[\d,.])[*_]+(?=[\d,.])(?!\*?10\^)")
_COMMA = re.compile(r"(?<=[０-９])，(?=[０-９]{3}(?![０-９]))")
_KEYCAP = re.compile("(\\d)\ufe0f?\u20e3")
_RAISED = re.compile("[⁰¹²³⁴-⁹]+")
_ENCLOSED = re.compile("[①-⒛⓪-⓿❶-➓㈠-㈩㊀-㊉㉑-㉟㊱-㊿🔟]")
_RARE = re.compile(r"[^\x00-\x7f\u3000-\u303f\u4e00-\u9fff\uff01-\uff5e–—“”‘’…·¥×]")


def seen(text: str) -> str:
    """The text without markup and unseen characters, in half width, simplified, digits as 0-9."""
    text = _OURS.sub("", text)
    if "&" in text:
        text = "\n".join(html.unescape(line).replace("\n", " ") for line in text.split("\n"))
    text = _COMMA.sub(",", text).replace("，", " , ")
    if _RARE.search(text):
        text = _KEYCAP.sub(rf"{BULLET}\1{BULLET_END}", text)
        text = _RAISED.sub(lambda m: "^" + unicodedata.normalize("NFKC", m[0]), text)
        text = _ENCLOSED.sub(
            lambda m: f"{BULLET}{10 if m[0] == '🔟' else int(unicodedata.numeric(m[0]))}{BULLET_END}", text
        )
        text = "".join(map(_character, text))
    # A plain character changes no number of lines, but what it becomes might be cut in two by them.
    text = simplified(re.sub(r"[\r\t\f\v]", " ", text))
    return _INNER.sub("", _MARKUP.sub("", text))


@lru_cache(4096)
def _character(c: str) -> str:
    """A rare character as a plain one: unseen ones are gone, ½ is 1⁄2, Ⅻ is 12, ٣ is 3."""
    category = unicodedata.category(c)
    if category in ("Cf", "Mn", "Me"):
        return ""
    if category == "Nd":
        return str(unicodedata.decimal(c))
    if category == "Nl":
        return str(int(unicodedata.numeric(c)))
    if c in "٬٫":
        return "," if c == "٬" else "."
    if c in "−﹣－":
        return "-"
    if category == "No" and "⁄" in unicodedata.normalize("NFKC", c):
        return " " + unicodedata.normalize("NFKC", c)
    return c


class IdiomFile(Entry):
    """bot/idioms.yaml."""

    idioms: dict[str, str]
    speech: list[str]
    listed: list[str]


@cache
def idiom_file() -> IdiomFile:
    return validate(IdiomFile, read_yaml(Path(__file__).parent / "idioms.yaml"), "idioms.yaml")


def blanked(text: str, start: int, end: int) -> str:
    """The text with that stretch blanked out, lines kept."""
    return text[:start] + re.sub(r"[^\n]", BLANK, text[start:end]) + text[end:]


@cache
def _idioms() -> tuple[re.Pattern[str], dict[str, re.Pattern[str]]]:
    """(the characters that idioms begin with, the idioms of each)."""
    n = words.CHINESE
    whole = rf"(?:(?<![{n}])|(?=[^{n}]))(?:{{}})(?:(?<=[^{n}])|(?![{n}]))"
    by = {first: re.compile(whole.format(idiom), re.IGNORECASE) for first, idiom in idiom_file().idioms.items()}
    letters = "".join(c for c in by if c.isascii() and c.isalpha())
    starts = rf"(?<![A-Za-z])[{letters}{letters.upper()}]|[{''.join(c for c in by if c not in letters)}]"
    return re.compile(starts), by


def without_idioms(body: str) -> str:
    """The seen text with its idioms blanked out."""
    starts, by = _idioms()
    found = [m for s in starts.finditer(body) if (m := by[s[0].lower()].match(body, s.start()))]
    for m in found:
        body = body[: m.start()] + BLANK * len(m[0]) + body[m.end() :]
    return body
