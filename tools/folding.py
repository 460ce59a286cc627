"""A text as rules read it (half width, simplified, lower case, nothing hidden in between), and the way back to its spans.

People write 最 便 宜, 第*一, 全網蕞低價 or put invisible characters between two others so that a filter does not see the word.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from knowledge.copy_rules import CopyRules, Disguise
from knowledge.textnorm import simplified

_HAN = r"\u3400-\u4dbf\u4e00-\u9fff"
# Between two Chinese characters these separate nothing. Commas, stops and line breaks do, so they stay.
_SPACER = re.compile(
    rf"(?<=[{_HAN}])(?:_|[^\w\n,，.。;；:：!！?？、/|(){{}}\[\]<>【】《》「」『』“”‘’%¥$€£-]){{1,4}}(?=[{_HAN}])"
)
# 第.一, 最-低: a single stop or dash between two Chinese characters. A stop that ends a sentence in Chinese is 。
_SINGLE = re.compile(rf"(?<=[{_HAN}])[.\-](?=[{_HAN}])")
# 全,网,最,低: the same mark after each single character is no punctuation.
_COMB = re.compile(rf"(?<![{_HAN}])[{_HAN}](?:([,，、/|;；!！:：])[{_HAN}])(?:\1[{_HAN}])+(?![{_HAN}])")


@dataclass(frozen=True)
class Folded:
    """`text`, and for each of its characters where in the source the one or the letters that gave it begin and end."""

    text: str
    begins: tuple[int, ...]
    ends: tuple[int, ...]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The characters [start, end) of the source that gave the characters [start, end) of the folded text."""
        return self.begins[start], self.ends[end - 1]


def fold(text: str, rules: CopyRules) -> Folded:
    """`text` folded, with the rules' `lookalikes` (蕞 for 最) and `disguises` (国jia级, 醉便宜) read as what they stand for."""
    lookalikes = rules.lookalikes
    out: list[str] = []
    origin: list[int] = []
    for i, character in enumerate(text):
        for c in _folded(character):
            out.append(lookalikes.get(c, c))
            origin.append(i)
    joined = "".join(out)
    drop = {i for pattern in (_SPACER, _SINGLE) for m in pattern.finditer(joined) for i in range(*m.span())}
    for comb in _COMB.finditer(joined):
        drop |= {i for i in range(*comb.span()) if joined[i] == comb[1]}
    keep = [i for i in range(len(joined)) if i not in drop]
    flat = Folded("".join(joined[i] for i in keep), tuple(origin[i] for i in keep), tuple(origin[i] + 1 for i in keep))
    return _undisguised(flat, rules.disguises)


def _undisguised(folded: Folded, disguises: Sequence[Disguise]) -> Folded:
    """`folded` with every disguise read as what it stands for, one after the other."""
    for disguise in disguises:
        if not disguise.find.search(folded.text):
            continue
        text, begins, ends, at = "", [], [], 0
        for m in disguise.find.finditer(folded.text):
            first, last = folded.span(*m.span())
            text += folded.text[at : m.start()] + disguise.reads
            begins += [*folded.begins[at : m.start()], *[first] * len(disguise.reads)]
            ends += [*folded.ends[at : m.start()], *[last] * len(disguise.reads)]
            at = m.end()
        folded = Folded(text + folded.text[at:], (*begins, *folded.begins[at:]), (*ends, *folded.ends[at:]))
    return folded


@lru_cache(maxsize=4096)
def _folded(character: str) -> str:
    """One character in half width, simplified and lower case; "" for what has no width of its own."""
    if unicodedata.category(character) in ("Cf", "Mn", "Me"):
        return ""
    flat = unicodedata.normalize("NFKC", character)
    try:
        flat.encode("gb2312")  # a simplified character: the converter need not be loaded
    except UnicodeEncodeError:
        flat = simplified(flat) if re.search(f"[{_HAN}]", flat) else flat
    return "".join(c for c in flat.lower() if unicodedata.category(c) not in ("Mn", "Me"))
