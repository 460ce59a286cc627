"""Cities of the shop written in letters: Shanghai, Xi'an, in an English question about 上海, 西安."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

_WORD = re.compile(r"[a-z]+(?:'[a-z]+)?")
# Loading the readings of characters takes time: only a word that could be a reading is looked up.
_SYLLABLE = (
    r"(?:[zcs]h?|[bpmfdtnlgkhjqxryw])?"
    r"(?:[iuv]?ang?|iong|uai|iao|ai|ao|ei|ou|[iu]?e[nr]?g?|i[nau]?g?|[uv][ioa]?n?|ong?|a|e|o)"
)
_READING = re.compile(rf"{_SYLLABLE}(?:'?{_SYLLABLE}){{1,3}}")
_LEAST = 4


class Spelled:
    """`values`: how a value is written → what stands for it; those in Chinese characters are found by their reading."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = {name: value for name, value in values.items() if name and not name.isascii()}
        self._readings: dict[str, str] | None = None

    def find(self, text: str) -> Iterator[tuple[int, int, str]]:
        """(start, end, value) of the values that a folded text has in letters."""
        for m in _WORD.finditer(text) if self._values else ():
            word = m[0].replace("'", "")
            if len(word) >= _LEAST and _READING.fullmatch(word) and (value := self._known().get(word)):
                yield m.start(), m.end(), value

    def _known(self) -> dict[str, str]:
        if self._readings is None:
            from pypinyin import lazy_pinyin

            self._readings = {"".join(lazy_pinyin(name)): value for name, value in self._values.items()}
        return self._readings
