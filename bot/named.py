"""A right number beside a wrong name: the crowd or metric that a clause names must be that of the fact with its number."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from functools import cache, lru_cache

from bot.evidence import Evidence
from bot.numerals import Number
from bot.seen_text import seen
from knowledge import catalog
from tools.errors import AskAgain
from tools.expressions import crowds_in, mentions, parse
from tools.facts import Fact

# (crowd or metric, key, whether it is denied: 非会员)
Name = tuple[str, str, bool]
_CLAUSE = re.compile(r"[;。、!?()\n·]|,(?!\d)|\.(?=\s|$)")
_DENIED = re.compile(r"(?:非|不是|未入|\bnot |\bnon[- ]|n't )\Z")
_KINDS = frozenset({"people", "CNY", "ratio", "thing", "number", "multiple"})


@cache
def _words() -> dict[str, list[tuple[str, frozenset[tuple[str, str]]]]]:
    """By its first character, each word for a crowd or a metric, the longest first."""
    known: dict[str, set[tuple[str, str]]] = {}
    for key, crowd in catalog.crowds().items():
        for word in (crowd.name.zh, crowd.name.en, *crowd.aliases):
            known.setdefault(seen(word).lower().strip(), set()).add(("crowd", key))
    for key, metric in catalog.metrics().items():
        if key == "crowd_size":  # whatever is counted has a size
            continue
        for word in (metric.name.zh, metric.name.en, *metric.aliases):
            known.setdefault(seen(word).lower().strip(), set()).add(("metric", key))
    out: dict[str, list[tuple[str, frozenset[tuple[str, str]]]]] = {}
    for word in sorted(known, key=len, reverse=True):
        out.setdefault(word[0], []).append((word, frozenset(known[word])))
    return out


@lru_cache(2048)
def names_in(text: str) -> frozenset[Name]:
    """The crowds and metrics that a seen text names; of names that overlap, the longest."""
    text, known = text.lower(), _words()
    found: set[Name] = set()
    i = 0
    while i < len(text):
        for word, meanings in known.get(text[i], ()):
            if text.startswith(word, i) and _whole(text, i, i + len(word), word):
                denied = _DENIED.search(text[max(0, i - 5) : i]) is not None
                found |= {(slot, key, denied and slot == "crowd") for slot, key in meanings}
                i += len(word) - 1
                break
        i += 1
    return frozenset(found)


def _whole(text: str, start: int, end: int, word: str) -> bool:
    """Whether an English word is not a piece of a longer one."""
    if word[0].isascii() and start and text[start - 1].isascii() and text[start - 1].isalnum():
        return False
    return not (
        word[-1].isascii() and word[-1].isalpha() and end < len(text) and text[end].isascii() and text[end].isalpha()
    )


class Clauses:
    """The clauses of a seen text."""

    def __init__(self, shown: str) -> None:
        self._shown = shown
        self._ends = [(m.start(), m.end()) for m in _CLAUSE.finditer(shown)]
        self._starts = [start for start, _ in self._ends]

    def around(self, start: int, end: int) -> str:
        """The one that holds start..end."""
        before, after = bisect_right(self._starts, start) - 1, bisect_left(self._starts, end)
        first = self._ends[before][1] if before >= 0 else 0
        return self._shown[first : self._starts[after] if after < len(self._starts) else len(self._shown)]


def misnamed(number: Number, said: str, evidence: Evidence) -> bool:
    """Whether the clause `said` gives a number to a crowd or metric whose fact has another one."""
    names = names_in(said)
    if not names:
        return False
    if any(r.kind not in _KINDS or evidence.said.at(r) for r in number.readings):
        return False
    facts = evidence.behind(number)
    return bool(facts) and not any(_fits(f, names, said) for f in facts)


def _fits(fact: Fact, names: frozenset[Name], said: str) -> bool:
    """Whether the fact may be what a clause with these names says. A part of a crowd goes by its label (a level, an item)."""
    if (fact.crowd is None and fact.metric is None) or (fact.metric is None and fact.label in said):
        return True
    units = catalog.metrics()
    crowds = [(key, denied) for slot, key, denied in names if slot == "crowd"]
    metrics = {key for slot, key, _ in names if slot == "metric" and units[key].unit == fact.unit}
    own = names_in(seen(fact.label)) | _of(fact.crowd)
    if fact.crowd and crowds and not any(("crowd", key, denied) in own for key, denied in crowds):
        return False
    if not metrics or fact.metric in (None, "crowd_size") or fact.metric in metrics:
        return True
    return any(slot == "metric" and key in metrics for slot, key, _ in own)


@lru_cache(512)
def _of(expression: str | None) -> frozenset[Name]:
    """The crowds of a fact's expression, those after a `not` as denied."""
    if not expression:
        return frozenset()
    try:
        tree = parse(expression)
    except AskAgain:  # the fact of a crowd that a tool made up of several
        return frozenset()
    return frozenset(("crowd", key, not mentions(tree, key.__eq__)) for key in crowds_in(tree))
