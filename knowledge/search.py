"""Search: embeddings and lexical evidence (BM25) fused, because each finds right passages that the other misses.

The two rankings are joined by reciprocal rank fusion (Cormack, Clarke and Büttcher 2009); a passage that is called exactly
what was asked for comes first.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any

from knowledge import documents
from knowledge.passages import Passage, own_passages, passages
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


class _Corpus:
    """The passages as they are at one time, and the lexical evidence over them."""

    def __init__(self, all: list[Passage], stamp: object) -> None:
        self.all = all
        self.stamp = stamp
        self.by_key = {p.key: p for p in all}

    @cached_property
    def lexical(self) -> Any:
        import bm25s

        retriever = bm25s.BM25()
        retriever.index([tokens(p.indexed()) for p in self.all], show_progress=False)
        return retriever

    @cached_property
    def called(self) -> dict[str, set[str]]:
        """name → the passages that are called exactly so."""
        out: dict[str, set[str]] = {}
        for p in self.all:
            for name in p.names:
                out.setdefault(simplified(name).casefold(), set()).add(p.key)
        return out

    @cached_property
    def vocabulary(self) -> set[str]:
        return {t for p in self.all for t in tokens(p.indexed())}


class Searcher:
    """Search over the passages of the product and of the shop's own `documents` (a folder); the vector index and the lexical
    index open on first use. A document that is added, changed or removed, by whomever, counts from the next search on.

    Several threads may search; one at a time makes the index ready.
    """

    def __init__(
        self, index_dir: Path, progress: Callable[[int, int], None] | None = None, documents: Path | None = None
    ) -> None:
        self._dir = index_dir
        self._progress = progress
        self._documents = documents
        self._lock = RLock()
        self._known: _Corpus | None = None
        self._index: Index | None = None
        self._indexed: _Corpus | None = None

    @property
    def all(self) -> list[Passage]:
        return self._corpus().all

    def _corpus(self) -> _Corpus:
        with self._lock:
            stamp = documents.stamp(self._documents) if self._documents else ()
            if self._known is None or self._known.stamp != stamp:
                own = own_passages(self._documents) if self._documents else []
                self._known = _Corpus([*passages(), *own], stamp)
            return self._known

    def _ready(self, corpus: _Corpus, *, again: bool = False) -> Index:
        """The vector index, holding what `corpus` holds; `again` even if it was made ready before."""
        from knowledge.index import Index

        with self._lock:
            if self._index is None:
                self._index = Index(self._dir)
            if again or self._indexed is not corpus:
                self._index.ready(corpus.all, self._progress)
                self._indexed = corpus
            return self._index

    def build(self, progress: Callable[[int, int], None] | None = None, *, anew: bool = False) -> int:
        """Make the index ready now, `anew` even if it is up to date; returns the number of passages."""
        self._progress = progress
        corpus = self._corpus()
        if anew:
            self._ready(corpus).clear()
        self._ready(corpus, again=True)
        return len(corpus.all)

    def search(self, question: str, k: int = 5, kinds: tuple[str, ...] | None = None) -> list[Hit]:
        """At most `k` passages, best first; none when nothing answers."""
        words = tokens(question)
        if not words or k <= 0:
            return []
        corpus = self._corpus()
        near = self._nearest(question, corpus)
        known = [t for t in words if t in corpus.vocabulary]
        called = corpus.called.get(simplified(question).strip().casefold(), set())
        likeness = near[0][1] if near else 0.0
        if not called and (likeness < MIN_COSINE or likeness + len(known) / len(words) / 2 < MIN_EVIDENCE):
            return []
        scores: dict[str, float] = {}
        for rank, (key, _) in enumerate(near):
            scores[key] = scores.get(key, 0.0) + _RRF / (2 * (_RRF + rank))
        if known:
            found = corpus.lexical.get_scores(known)
            ranked = sorted(range(len(found)), key=lambda i: -found[i])[:_DEPTH]
            for rank, i in enumerate(ranked):
                if found[i] > 0:
                    key = corpus.all[i].key
                    scores[key] = scores.get(key, 0.0) + _RRF / (2 * (_RRF + rank))
        for key in called:
            scores[key] = scores.get(key, 0.0) + 1.0
        hits = [Hit(corpus.by_key[key], min(score, 1.0)) for key, score in scores.items()]
        if kinds:
            hits = [h for h in hits if h.passage.kind in kinds]
        order = sorted(hits, key=lambda h: (-scores[h.passage.key], h.passage.key))
        return order[:k]

    def _nearest(self, question: str, corpus: _Corpus) -> list[tuple[str, float]]:
        """The nearest passages of `corpus` by meaning. Another process may replace the index while we look: then once more."""
        depth = min(_DEPTH, len(corpus.all))
        near = self._ready(corpus).nearest(question, depth)
        if near is None:
            near = self._ready(corpus, again=True).nearest(question, depth)
        return [(key, likeness) for key, likeness in near or () if key in corpus.by_key]
