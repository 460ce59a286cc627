"""Words as ideas: what the operations team says in many ways is one term to search (synonyms.yaml and the catalogue's names).

A term is written `§group`, beside the ordinary tokens of a text, so that 逼单, 催付 and "pay reminder" meet.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache

from pydantic import Field, model_validator

from knowledge import catalog
from knowledge.catalog import HERE, Entry, Named, read_yaml, validate
from knowledge.textnorm import simplified

FILE = "synonyms.yaml"
_LETTER = re.compile(r"[a-z0-9]")


class Asks(Entry):
    """What kind of answer a question wants, by its words: what something means, how it is bettered, whether it may be said,
    how much it is."""

    definition: list[str] = Field(min_length=1)
    method: list[str] = Field(min_length=1)
    allowed: list[str] = Field(min_length=1)
    amount: list[str] = Field(min_length=1)


class Synonyms(Entry):
    """`groups`: words that mean the same; `silent`: words that say nothing about the matter, and single characters of which
    no pair of neighbours is looked up; `elsewhere`: questions that the playbooks do not treat."""

    groups: dict[str, list[str]] = Field(min_length=1)
    asks: Asks
    silent_characters: str
    silent: list[str]
    elsewhere: list[str]

    @model_validator(mode="after")
    def _each_group_joins(self) -> Synonyms:
        for key, words in self.groups.items():
            if len(set(words)) < 2:
                raise ValueError(f"groups.{key}: at least two different words are needed")
        return self


class Terms:
    """Finds the terms of a text: at each place the longest known word wins; words of letters stand alone."""

    def __init__(self, words: Mapping[str, Iterable[str]]) -> None:
        self.words = {word: sorted(set(found)) for word, found in words.items()}
        self._lengths: dict[str, list[int]] = {}  # first character → lengths of the words that begin so, longest first
        for word in self.words:
            self._lengths.setdefault(word[0], []).append(len(word))
        for first, lengths in self._lengths.items():
            self._lengths[first] = sorted(set(lengths), reverse=True)

    def of(self, text: str) -> list[str]:
        """The terms of a text that is simplified and lower case, in its order, a term as often as it is said."""
        out: list[str] = []
        at, end = 0, len(text)
        while at < end:
            for length in self._lengths.get(text[at], ()):
                word = text[at : at + length]
                if len(word) == length and word in self.words and _stands_alone(text, at, at + length):
                    out += self.words[word]
                    at += length
                    break
            else:
                at += 1
        return out


def _stands_alone(text: str, start: int, end: int) -> bool:
    """Whether no letter or digit runs on at either end."""
    return not (_runs_on(text[start], text[start - 1 : start]) or _runs_on(text[end - 1], text[end : end + 1]))


def _runs_on(inside: str, outside: str) -> bool:
    return bool(_LETTER.match(inside) and _LETTER.match(outside))


@cache
def synonyms() -> Synonyms:
    return validate(Synonyms, read_yaml(HERE / FILE), FILE)


@cache
def terms() -> Terms:
    """The terms of synonyms.yaml, and one for each crowd and metric by all its names."""
    words: dict[str, set[str]] = {}
    for group, said in synonyms().groups.items():
        _add(words, f"§{group}", said)
    for key, entry in (*catalog.crowds().items(), *catalog.metrics().items()):
        _add(words, f"§{key}", _names(entry))
    return Terms(words)


@cache
def asked() -> Terms:
    """The kinds of answer that questions want: definition, allowed, amount."""
    words: dict[str, set[str]] = {}
    for kind, said in synonyms().asks:
        _add(words, kind, said)
    return Terms(words)


@cache
def silent() -> frozenset[str]:
    return frozenset(simplified(word).lower() for word in synonyms().silent)


def _names(entry: Named) -> list[str]:
    return [entry.name.zh, entry.name.en, *entry.aliases]


def _add(words: dict[str, set[str]], term: str, said: Iterable[str]) -> None:
    for word in said:
        words.setdefault(simplified(word).strip().lower(), set()).add(term)
