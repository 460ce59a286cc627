"""Search: embeddings and lexical evidence (BM25) fused, because each finds right passages that the other misses.

The two rankings are joined by reciprocal rank fusion (Cormack, Clarke and Büttcher 2009); a passage that is called exactly
what was asked for comes first.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from knowledge.passages import Passage, passages
from knowledge.textnorm import simplified, tokens

if TYPE_CHECKING:
    from knowledge.index import Index

_DEPTH = 50
_RRF = 10.0
# Too little likeness, in meaning and in words together, means that nothing answers (tests/test_search.py measures it).
MIN_COSINE = 0.20
MIN_EVIDENCE = 0.50


@dataclass(frozen=True)
class Hit:
    """A passage found. `score` is 1 for the best possible, comparable within one search only."""

    passage: Passage
    score: float


class Searcher:
    """Search over the passages; the vector index and the lexical index open on first use."""

    def __init__(self, index_dir: Path, progress: Callable[[int, int], None] | None = None) -> None:
        self._dir = index_dir
        self._progress = progress

    @cached_property
    def all(self) -> list[Passage]:
        return passages()

    @cached_property
    def _by_key(self) -> dict[str, Passage]:
        return {p.key: p for p in self.all}

    @cached_property
    def index(self) -> Index:
        from knowledge.index import Index

        index = Index(self._dir)
        index.ready(self.all, self._progress)
        return index

    def build(self, progress: Callable[[int, int], None] | None = None, *, anew: bool = False) -> int:
        """Make the index ready now, `anew` even if it is up to date; returns the number of passages."""
        self._progress = progress
        if anew:
            self.index.clear()
        self.index.ready(self.all, progress)
        return len(self.all)

    @cached_property
    def _lexical(self) -> Any:
        import bm25s

        retriever = bm25s.BM25()
        retriever.index([tokens(p.indexed()) for p in self.all], show_progress=False)
        return retriever

    @cached_property
    def _called(self) -> dict[str, set[str]]:
        """name → the passages that are called exactly so."""
        out: dict[str, set[str]] = {}
        for p in self.all:
            for name in p.names:
                out.setdefault(simplified(name).casefold(), set()).add(p.key)
        return out

    @cached_property
    def _vocabulary(self) -> set[str]:
        return {t for p in self.all for t in tokens(p.indexed())}

    def search(self, question: str, k: int = 5, kinds: tuple[str, ...] | None = None) -> list[Hit]:
        """At most `k` passages, best first; none when nothing answers."""
        words = tokens(question)
        if not words or k <= 0:
            return []
        near = self.index.nearest(question, min(_DEPTH, len(self.all)))
        known = [t for t in words if t in self._vocabulary]
        called = self._called.get(simplified(question).strip().casefold(), set())
        likeness = near[0][1]
        if not called and (likeness < MIN_COSINE or likeness + len(known) / len(words) / 2 < MIN_EVIDENCE):
            return []
        scores: dict[str, float] = {}
        for rank, (key, _) in enumerate(near):
            scores[key] = scores.get(key, 0.0) + _RRF / (2 * (_RRF + rank))
        if known:
            found = self._lexical.get_scores(known)
            ranked = sorted(range(len(found)), key=lambda i: -found[i])[:_DEPTH]
            for rank, i in enumerate(ranked):
                if found[i] > 0:
                    key = self.all[i].key
                    scores[key] = scores.get(key, 0.0) + _RRF / (2 * (_RRF + rank))
        for key in called:
            scores[key] = scores.get(key, 0.0) + 1.0
        hits = [Hit(self._by_key[key], min(score, 1.0)) for key, score in scores.items()]
        if kinds:
            hits = [h for h in hits if h.passage.kind in kinds]
        order = sorted(hits, key=lambda h: (-scores[h.passage.key], h.passage.key))
        return order[:k]
