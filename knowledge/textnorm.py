"""Text as search sees it: simplified, half width, without annotations. Quotes stay as they are."""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import Any

# Copies of web pages carry the reading of a character behind it: 數(shù), 運(yùn). A reading has a tone mark; (start) has none.
READING = re.compile(r"([\u3400-\u9fff])[(（]([a-zü]*[āáǎàēéěèīíǐìōóǒòūúǔùǖǘǚǜ][a-zü]*|[ㄅ-ㄯˊˇˋ˙]+)[)）]")


@cache
def _converter() -> Any:
    from opencc import OpenCC

    return OpenCC("t2s")


@cache
def _changes(character: str) -> bool:
    """Whether a character is written otherwise in simplified Chinese: few texts have one, and converting costs."""
    return "\u3400" <= character <= "\u9fff" and _converter().convert(character) != character


def simplified(text: str) -> str:
    """`text` with traditional characters as simplified ones, full width as half width, and annotations taken out."""
    text = unicodedata.normalize("NFKC", text)
    text = READING.sub(r"\1", text)
    return str(_converter().convert(text)) if any(map(_changes, set(text))) else text
