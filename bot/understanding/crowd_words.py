"""Crowds as people describe them: the patterns of knowledge/crowd_words.yaml, and where they stand in a question."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from knowledge import catalog
from knowledge.catalog import HERE, CatalogError, Entry

FILE = "crowd_words.yaml"
_PART = re.compile(r"<(\w+|\.{1,3})>")
# A clause may go on behind a comma where the next words lean on it: 加购了，但一直没付.
_TURN = r"(?:但|可|却|还|一直|就是|迟迟|结果|没|仍|到现在|至今|也没|又没|然后|后来|最后|尾款|而|偏偏|死活|愣是|就)"
_GAPS = {
    "..": r"(?:[^,，。;；?？!！]{0,12}?"
    rf"|(?:(?!多少|几个|几位|各)[^,，。;；?？!！]){{0,8}}?[,，] ?(?={_TURN})[^,，。;；?？!！]{{0,8}}?)",
    ".": r"[^,，。;；?？!！]{0,2}?",
    "...": r"[^.?!;]{0,32}?",
}


class CrowdWords(Entry):
    """`crowds`: patterns by crowd (a key, `not key`, or several keys that are shown side by side); `ambiguous`: patterns by
    the crowds that are meant by them; `not_people`: words that hold a crowd's name and mean something else."""

    parts: dict[str, list[str]]
    crowds: dict[str, list[str]]
    ambiguous: dict[str, list[str]]
    not_people: list[str]


@dataclass(frozen=True)
class Described:
    """`key` is described at `start`..`end`; within `open` other people may be named (购物车里的会员没付)."""

    key: str
    start: int
    end: int
    ambiguous: bool
    open: tuple[tuple[int, int], ...]


@cache
def crowd_words() -> CrowdWords:
    """CatalogError when a pattern is no pattern, or names a part or a crowd that there is not."""
    words = catalog.validate(CrowdWords, catalog.read_yaml(HERE / FILE), FILE)
    for keys in [*words.crowds, *words.ambiguous]:
        unknown = [k for k in keys_of(keys) if k.removeprefix("not ") not in catalog.crowds()]
        if unknown:
            raise CatalogError(f"{FILE}: unknown crowd {unknown[0]!r}")
    return words


def keys_of(keys: str) -> list[str]:
    """The crowds of `prechurn_high, prechurn_low`."""
    return [k.strip() for k in keys.split(",")]


@cache
def _patterns() -> tuple[tuple[str, bool, re.Pattern[str]], ...]:
    words = crowd_words()
    groups = [(key, False, group) for key, group in words.crowds.items()]
    groups += [(key, True, group) for key, group in words.ambiguous.items()]
    return tuple((key, ambiguous, _compiled(p, words.parts)) for key, ambiguous, group in groups for p in group)


def _compiled(pattern: str, parts: dict[str, list[str]]) -> re.Pattern[str]:
    gaps = 0

    def filled(m: re.Match[str]) -> str:
        nonlocal gaps
        name = m[1]
        if name in _GAPS:
            gaps += 1
            return f"(?P<gap{gaps}>{_GAPS[name]})" if name != "." else _GAPS[name]
        if name not in parts:
            raise CatalogError(f"{FILE}: unknown part <{name}> in {pattern!r}")
        return "(?:" + "|".join(_PART.sub(filled, p) for p in parts[name]) + ")"

    try:
        return re.compile(_PART.sub(filled, pattern), re.A)
    except re.error as e:
        raise CatalogError(f"{FILE}: {pattern!r}: {e}") from e


def described(text: str) -> Iterator[Described]:
    """Every description in a folded text, in the order of the file; they may overlap."""
    for key, ambiguous, pattern in _patterns():
        for m in pattern.finditer(text):
            if m[0]:
                gaps = tuple(m.span(name) for name in pattern.groupindex if m[name])
                yield Described(key, m.start(), m.end(), ambiguous, gaps)
