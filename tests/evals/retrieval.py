"""Retrieval measured: how often what answers a question is among the first, and how well search abstains."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from bot.understanding.interpret import interpret, language
from bot.understanding.lexicon import lexicon_for
from knowledge import catalog
from knowledge.hints import Hints
from knowledge.lexical import Lexical
from knowledge.passages import Passage, passages
from knowledge.search import DEPTH, Reading, Shelf, best_reading, lexical_text
from knowledge.words import words_of
from tools.campaigns import Campaign, campaign_for, date_campaign

HERE = Path(__file__).parent
DEFAULT_AT = datetime(2026, 6, 17, 10)


@dataclass(frozen=True)
class Item:
    """One question: `expect` are the passages of which each answers it, none when nothing does; `file` where it stands."""

    id: str
    ask: str
    expect: frozenset[str]
    at: datetime
    kind: str
    file: str


@cache
def items(*files: str) -> tuple[Item, ...]:
    return tuple(item for file in files for item in _read(file))


def _read(file: str) -> Iterator[Item]:
    raw = yaml.safe_load((HERE / f"{file}.yaml").read_text(encoding="utf-8"))
    for entry in raw["questions"] if isinstance(raw, dict) else raw:
        at = datetime.fromisoformat(entry["at"]) if "at" in entry else DEFAULT_AT
        yield Item(entry["id"], entry["ask"], frozenset(entry["expect"]), at, entry["kind"], file)


@cache
def campaigns() -> tuple[Campaign, ...]:
    return tuple(date_campaign(t, 2026, key) for key, t in catalog.campaign_templates().items())


@cache
def _lexicon() -> Any:
    return lexicon_for(campaigns(), {})


def hints_of(ask: str, at: datetime) -> Hints:
    """What the product understands besides the words: the same as an answer is searched with."""
    understood = interpret(
        ask, None, lexicon=_lexicon(), now=at, campaigns=campaigns(), lang=language(ask)
    ).interpretation
    here = campaign_for(at.date(), campaigns())
    inside = here if here is not None and here.last >= at.date() else None
    phase = inside.phase_at(at.date()) if inside else None
    crowds = (word for e in understood.crowds for word in re.findall(r"[a-z_]+", e))
    return Hints(
        understood.campaign or (inside.key if inside else None),
        understood.phase or (phase.key if phase else None),
        frozenset(c for c in crowds if c in catalog.crowds()),
        frozenset(kin for m in understood.metrics for kin in catalog.metrics_akin(m)),
        understood.channel,
    )


class Bench:
    """All passages of the product, compared exactly: what is measured is the evidence, not an index."""

    def __init__(self, embed: Callable[[Sequence[str]], Any], all: Sequence[Passage] | None = None) -> None:
        self.all = list(all if all is not None else passages())
        self.place = {p.key: n for n, p in enumerate(self.all)}
        self.lexical = Lexical.of([lexical_text(p) for p in self.all])
        self._embed = embed
        self._reads: dict[str, Reading] = {}
        self._vectors = embed([p.indexed() for p in self.all])

    def meanings(self, question: str) -> dict[str, float]:
        likeness = self._vectors @ self._embed([question])[0]
        return {self.all[n].key: float(likeness[n]) for n in np.argsort(-likeness, kind="stable")[:DEPTH]}

    def read(self, item: Item) -> Reading:
        if item.id not in self._reads:
            hints = hints_of(item.ask, item.at)
            shelf = Shelf(self.all, self.place, self.lexical, self.meanings)
            self._reads[item.id] = best_reading(item.ask, hints, shelf)
        return self._reads[item.id]

    def by_meaning(self, item: Item) -> list[tuple[str, float]]:
        """Embeddings alone."""
        return list(self.meanings(item.ask).items())

    def by_words(self, item: Item) -> list[tuple[str, float]]:
        """Lexical evidence alone: BM25 over pairs of characters and words of letters."""
        scores = self.lexical.evidence(replace(words_of(item.ask), words=())).tokens
        return [
            (self.all[n].key, float(scores[n])) for n in np.argsort(-scores, kind="stable")[:DEPTH] if scores[n] > 0
        ]

    def stands_for(self, key: str) -> str:
        """A task and the section it was written from count as one."""
        return self.all[self.place[key]].stands_for


def first_right(bench: Bench, keys: Sequence[str], expect: frozenset[str]) -> int:
    """How many other answers stand before the first right one; a large number when there is none."""
    seen: list[str] = []
    for key in keys:
        said = bench.stands_for(key)
        if said in expect or key in expect:
            return len(seen)
        if said not in seen:
            seen.append(said)
    return 10_000


# How people ask about something that they can name. Search has to answer every one of these, whatever the name.
_ASKED_BY_NAME = {
    "metric": ("{zh}怎么算", "{zh}是什么意思", "what is {en}?", "how is {en} calculated"),
    "crowd": ("什么是{zh}", "{zh}怎么定义的", "who are {en}?", "{en}: definition"),
    "strategy": ("{zh}怎么做", "讲讲{zh}", "how do we do this: {en}", "tell me about {en}"),
    "rule": ("文案里{zh}行不行", "{zh}违规吗", "{en}: is it allowed?", "rule about {en}"),
}


def named_questions(all: Sequence[Passage], every: int = 1) -> list[Item]:
    """Each entry asked for by its Chinese and its English name; only each `every`-th of them."""
    out = []
    for p in all:
        for n, asked in enumerate(_ASKED_BY_NAME.get(p.kind, ())):
            out.append(
                Item(
                    f"{p.key}/{n}",
                    asked.format(zh=p.names[0], en=p.names[1]),
                    frozenset({p.key, p.stands_for}),
                    DEFAULT_AT,
                    "named",
                    "",
                )
            )
    return out[::every]
