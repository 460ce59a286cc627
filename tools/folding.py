"""A text as rules read it (half width, simplified, lower case, nothing hidden in between), and the way back to its spans.

People write 最 便 宜, 第*一, 全網蕞低價 or put invisible characters between two others so that a filter does not see the word.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

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
    """`text`, and for each of its characters the index of the one in the source that gave it."""

    text: str
    origin: tuple[int, ...]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The characters [start, end) of the source that gave the characters [start, end) of the folded text."""
        return self.origin[start], self.origin[end - 1] + 1


def fold(text: str, lookalikes: Mapping[str, str]) -> Folded:
    """`text` folded. `lookalikes` maps characters that stand in for another (蕞) to it (最)."""
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
    return Folded("".join(joined[i] for i in keep), tuple(origin[i] for i in keep))


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
