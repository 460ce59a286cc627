"""Slips of the keyboard: 尾宽 for 尾款, 复构券 for 复购券.

Chinese is typed by sound, so a wrong word sounds like the right one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

_HAN = ("\u4e00", "\u9fff")


class Spelling:
    """Known words by their sound. `is_word` says whether something is an ordinary word, which is then left as it stands."""

    def __init__(self, known: Iterable[str], is_word: Callable[[str], bool]) -> None:
        self._known = {w for w in known if len(w) >= 2 and _is_han(w)}
        self._is_word = is_word
        self._by_sound: dict[tuple[str, ...], str] = {}
        for word in sorted(self._known, key=lambda w: (len(w), w)):
            self._by_sound.setdefault(tuple(_sounds(word)), word)
        self._lengths = sorted({len(w) for w in self._known}, reverse=True)

    def mended(self, text: str) -> str:
        """`text` with slips replaced by the known words that sound the same; characters without one stay."""
        sounds = _sounds(text)
        out: list[str] = []
        at = 0
        while at < len(text):
            for length in self._lengths:
                piece = text[at : at + length]
                if len(piece) < length or not _is_han(piece):
                    continue
                if piece in self._known:
                    break
                meant = self._by_sound.get(tuple(sounds[at : at + length]))
                if meant is not None and _close(piece, meant) and not self._is_word(piece):
                    piece = meant
                    break
            else:
                piece = text[at]
            out.append(piece)
            at += len(piece)
        return "".join(out)


def _close(piece: str, meant: str) -> bool:
    """At least one character is right: two wrong ones of two would be another word."""
    return any(a == b for a, b in zip(piece, meant, strict=True))


def _is_han(text: str) -> bool:
    return all(_HAN[0] <= c <= _HAN[1] for c in text)


def _sounds(text: str) -> list[str]:
    """The sound of each character, as it is read where it stands; of what is not Chinese the characters themselves."""
    from pypinyin import lazy_pinyin

    return [str(sound) for sound in lazy_pinyin(text, errors=lambda rest: list(rest))]  # type: ignore[arg-type,return-value]
