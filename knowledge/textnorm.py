"""Text as search sees it: simplified, half width, lower case, without annotations. Quotes stay as they are."""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import Any

# Copies of web pages carry the reading of a character behind it: 數(shù), 運(yùn).
_ANNOTATION = re.compile(r"(?<=[\u4e00-\u9fff])\([a-zāáǎàēéěèīíǐìōóǒòūúǔùǖǘǚǜü]{1,7}\)")
_WORD = re.compile(r"[a-z0-9]+(?:[.%][a-z0-9]+)*|[\u4e00-\u9fff]+")
_TRADITIONAL = re.compile(r"[\u4e00-\u9fff]")


@cache
def _converter() -> Any:
    from opencc import OpenCC

    return OpenCC("t2s")


def simplified(text: str) -> str:
    """`text` with traditional characters as simplified ones, full width as half width, and annotations taken out."""
    text = unicodedata.normalize("NFKC", text)
    text = _ANNOTATION.sub("", text)
    return str(_converter().convert(text)) if _TRADITIONAL.search(text) else text


def tokens(text: str) -> list[str]:
    """Lexical evidence: words of letters and digits, and the overlapping pairs of neighbouring Chinese characters."""
    out: list[str] = []
    for word in _WORD.findall(simplified(text).lower()):
        if word[0].isascii() or len(word) == 1:
            out.append(word)
        else:
            out += [word[i : i + 2] for i in range(len(word) - 1)]
    return out
