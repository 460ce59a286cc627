"""A text taken apart for lexical evidence: pairs of characters, words of letters, terms; and words as a dictionary cuts them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from knowledge.terms import silent, synonyms, terms
from knowledge.textnorm import simplified

_RUN = re.compile(r"[a-z0-9]+(?:[.%'-][a-z0-9]+)*%?|[\u4e00-\u9fff]+")
_SPEAKS = re.compile(r"[a-z0-9\u4e00-\u9fff]")
_HAN = re.compile(r"[\u4e00-\u9fff]+")
_FREQUENCY = 3000  # enough for the dictionary to keep a trade word whole
_LONGEST = 6  # characters of a word that the dictionary is taught
_NAMES_A_MATTER = ("n", "eng", "vn", "j", "i", "l")  # what jieba calls nouns, foreign words, abbreviations, set phrases


@dataclass(frozen=True)
class Words:
    """`tokens`: overlapping pairs of Chinese characters, stems of words of letters, numbers. `terms`: §group, see terms.py.
    `words`: what a dictionary cuts, without the silent ones, each once; `matters` are those that name something."""

    tokens: tuple[str, ...]
    terms: tuple[str, ...]
    words: tuple[str, ...]
    matters: frozenset[str] = frozenset()

    def joined(self, other: Words) -> Words:
        return Words(
            (*self.tokens, *other.tokens),
            (*self.terms, *other.terms),
            tuple(dict.fromkeys((*self.words, *other.words))),
            self.matters | other.matters,
        )


def words_of(text: str) -> Words:
    plain = simplified(text).lower()
    cut = list(_cut(plain))
    matters = frozenset(word for word, tag in cut if tag.startswith(_NAMES_A_MATTER))
    return Words(
        tuple(_tokens(plain)), tuple(terms().of(plain)), tuple(dict.fromkeys(word for word, _ in cut)), matters
    )


def is_word(text: str) -> bool:
    """Whether the dictionary has it."""
    return bool(_dictionary().has_word(text))


@cache
def _dictionary() -> Any:
    """jieba's dictionary, taught the words of the trade."""
    import rjieba

    found = rjieba.Jieba()
    for word in terms().words:
        if 2 <= len(word) <= _LONGEST and _HAN.fullmatch(word):
            found.add_word(word, _FREQUENCY, "n")
    return found


@cache
def _stemmer() -> Any:
    import Stemmer

    return Stemmer.Stemmer("english")


@cache
def _silent_characters() -> frozenset[str]:
    return frozenset(synonyms().silent_characters)


def _tokens(plain: str) -> list[str]:
    out: list[str] = []
    for run in _RUN.findall(plain):
        if run[0].isascii():
            if run not in silent():
                out.append(_stemmer().stemWord(run))
        elif len(run) == 1:
            out.append(run)
        else:
            pairs = (pair for i in range(len(run) - 1) if (pair := run[i : i + 2]) not in silent())
            out += [p for p in pairs if not (p[0] in _silent_characters() or p[1] in _silent_characters())]
    return out


def _cut(plain: str) -> Iterator[tuple[str, str]]:
    """(word, part of speech) of the words that say something."""
    for word, tag in _dictionary().tag(plain):
        if word not in silent() and _SPEAKS.search(word):
            yield word, tag
