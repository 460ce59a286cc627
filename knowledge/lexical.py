"""Lexical evidence: which passages use a question's words, and which use words near to them in meaning.

One inverted index serves both. Tokens are weighed by BM25 (Robertson and Zaragoza 2009, in Lucene's form), as a share of the best
that a passage could reach. Words are compared one by one: a passage counts, for each word of the question, by the nearest of its
own words (a late interaction as in ColBERT, Khattab and Zaharia 2020, over the sentence encoder's vectors of single words), so
that 攒人 finds 蓄水 where no list of synonyms has thought of it.
"""

from __future__ import annotations

import json
import logging
import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from knowledge.embeddings import embed, vector_of
from knowledge.terms import synonyms
from knowledge.whole import whole
from knowledge.words import Words

log = logging.getLogger(__name__)

_PREFIX = "lexical-"
_K1, _B = 1.2, 0.75
_NEAR = 0.5  # cosine from which two words are near; below it the encoder's likeness of words is chance
_NEIGHBOURS = 24  # of each word of the question
_REMEMBERED = 5000  # words whose neighbours are remembered
_BATCH = 4096  # words embedded at once

Floats = NDArray[np.float32]
# For each word of a question: its rarity, and the words of the passages near to it, from the least near on.
Near = dict[str, tuple[float, list[tuple[str, float]]]]


class Postings:
    """word → the passages that have it, with a weight each. Passages are known by their place."""

    def __init__(
        self,
        words: dict[str, int],
        starts: NDArray[np.int64],
        places: NDArray[np.int32],
        weights: Floats,
        size: int,
    ) -> None:
        self.words = words
        self._starts = starts
        self._places = places
        self._weights = weights
        self.size = size

    @staticmethod
    def of(texts: Sequence[Sequence[str]], weigh: Callable[[Counter[str], float], Mapping[str, float]]) -> Postings:
        """`weigh` gives each word of a text its weight, from the text's counts and its length over the mean length."""
        mean = sum(map(len, texts)) / max(len(texts), 1) or 1.0
        found: dict[str, list[tuple[int, float]]] = {}
        for place, text in enumerate(texts):
            for word, weight in weigh(Counter(text), len(text) / mean).items():
                found.setdefault(word, []).append((place, weight))
        words = {word: n for n, word in enumerate(sorted(found))}
        entries = [found[word] for word in words]
        starts = np.concatenate([[0], np.cumsum([len(e) for e in entries])]).astype(np.int64)
        places = np.fromiter((p for e in entries for p, _ in e), dtype=np.int32, count=int(starts[-1]))
        weights = np.fromiter((w for e in entries for _, w in e), dtype=np.float32, count=int(starts[-1]))
        return Postings(words, starts, places, weights, len(texts))

    def rarity(self, word: str) -> float:
        """How much a word tells (inverse document frequency, Lucene's form); a word that no passage has tells most."""
        at = self.words.get(word)
        having = 0 if at is None else int(self._starts[at + 1] - self._starts[at])
        return math.log(1 + (self.size - having + 0.5) / (having + 0.5))

    def entries(self, at: int) -> tuple[NDArray[np.int32], Floats]:
        span = slice(self._starts[at], self._starts[at + 1])
        return self._places[span], self._weights[span]

    def arrays(self, name: str) -> dict[str, NDArray[Any]]:
        return {f"{name}_starts": self._starts, f"{name}_places": self._places, f"{name}_weights": self._weights}

    @staticmethod
    def read(name: str, arrays: Mapping[str, NDArray[Any]], words: Sequence[str], size: int) -> Postings:
        starts, places, weights = (arrays[f"{name}_{part}"] for part in ("starts", "places", "weights"))
        return Postings({w: n for n, w in enumerate(words)}, starts, places, weights, size)


@dataclass(frozen=True)
class Evidence:
    """Numbers from 0 to 1, one a passage: `tokens`, `terms` and `words` in its text and name, `names` in its name alone."""

    tokens: Floats
    terms: Floats
    words: Floats
    names: Floats
    unknown: dict[str, float]  # for each word of the question, 1 less its likeness to the nearest word of any passage


class Lexical:
    """The lexical index over passages, given as (words of all of it, words of its name)."""

    def __init__(self, tokens: Postings, words: Postings, names: Postings, vectors: Floats, examples: Floats) -> None:
        self._tokens = tokens
        self._words = words
        self._names = names
        self._vectors = vectors  # of the words of `words`, in their order
        self._known = list(words.words)
        self._neighbours: Near = {}  # of the words of recent questions
        self._examples = examples  # of the questions that the playbooks do not treat

    @property
    def size(self) -> int:
        return self._tokens.size

    @staticmethod
    def kept(folder: Path, made_of: str, texts: Callable[[], Sequence[tuple[Words, Words]]]) -> Lexical:
        """The index that `folder` keeps of what has the fingerprint `made_of`; made of `texts` and kept when there is none."""
        wanted = folder / f"{_PREFIX}{made_of}.npz"
        found = Lexical.read(wanted)
        if found is not None:
            return found
        old = sorted(folder.glob(f"{_PREFIX}*.npz"), key=lambda f: f.name)
        made = Lexical.of(texts(), next((known for known in map(Lexical.read, old) if known is not None), None))
        try:
            made.save(wanted)
            for file in old:
                file.unlink(missing_ok=True)
        except OSError as e:  # a folder that cannot be written costs time at every start, nothing else
            log.warning("the lexical index cannot be kept in %s: %s", folder, e)
        return made

    @staticmethod
    def of(texts: Sequence[tuple[Words, Words]], known: Lexical | None = None) -> Lexical:
        """`known`: an older index, whose words need not be embedded again."""
        tokens = Postings.of([(*text.tokens, *text.terms) for text, _ in texts], _bm25)
        words = Postings.of([text.words for text, _ in texts], _present)
        names = Postings.of([name.words for _, name in texts], _present)
        return Lexical(tokens, words, names, _vectors(list(words.words), known), embed(synonyms().elsewhere))

    def evidence(self, question: Words) -> Evidence:
        near = self._near(question.words)
        unknown = {w: 1 - max((likeness for _, likeness in found), default=0.0) for w, (_, found) in near.items()}
        return Evidence(
            tokens=self._bm25(question.tokens),
            terms=self._bm25(question.terms),
            words=_overlap(self._words, near),
            names=_overlap(self._names, near),
            unknown=unknown,
        )

    def elsewhere(self, question: str) -> float:
        """How like a question is to those that the playbooks do not treat: the largest cosine."""
        return float((self._examples @ vector_of(question)).max()) if len(self._examples) else 0.0

    def rarity(self, term: str) -> float:
        """How much a term tells, see Postings.rarity."""
        return self._tokens.rarity(term)

    def _bm25(self, tokens: Sequence[str]) -> Floats:
        scores = np.zeros(self._tokens.size, dtype=np.float32)
        best = sum(map(self._tokens.rarity, tokens))
        for token in tokens:
            at = self._tokens.words.get(token)
            if at is not None:
                places, weights = self._tokens.entries(at)
                scores[places] += weights * np.float32(self._tokens.rarity(token) / best)
        return scores

    def _near(self, words: Sequence[str]) -> Near:
        if not words or not self._words.words:
            return {}
        fresh = [w for w in words if w not in self._neighbours]
        unknown = [w for w in fresh if w not in self._words.words]
        vectors = dict(zip(unknown, embed(unknown), strict=True))
        rows = [vectors[w] if w in vectors else self._vectors[self._words.words[w]] for w in fresh]
        if len(self._neighbours) > _REMEMBERED:
            self._neighbours.clear()
        if fresh:
            for word, likeness in zip(fresh, np.stack(rows) @ self._vectors.T, strict=True):
                at = self._words.words.get(word)
                if at is not None:
                    likeness[at] = 1.0
                nearest = [n for n in largest(likeness, _NEIGHBOURS) if likeness[n] >= _NEAR]
                near = [(self._known[n], float(min(likeness[n], 1.0)) ** 2) for n in reversed(nearest)]
                self._neighbours[word] = (self._words.rarity(word), near)
        return {word: self._neighbours[word] for word in words if word in self._neighbours}

    def save(self, file: Path) -> None:
        """Whole or not at all."""
        arrays: dict[str, NDArray[Any]] = {"vectors": self._vectors.astype(np.float16), "examples": self._examples}
        words = {}
        for name, postings in (("tokens", self._tokens), ("words", self._words), ("names", self._names)):
            arrays |= postings.arrays(name)
            words[name] = list(postings.words)
        said = json.dumps({"words": words, "size": self._tokens.size}, ensure_ascii=False).encode()
        file.parent.mkdir(parents=True, exist_ok=True)
        arrays["said"] = np.frombuffer(said, dtype=np.uint8)
        with whole(file) as f:
            np.savez(f, **arrays)  # type: ignore[arg-type]

    @staticmethod
    def read(file: Path) -> Lexical | None:
        """A saved index; None when there is none that can be read."""
        try:
            with np.load(file) as arrays:
                said = json.loads(arrays["said"].tobytes())
                words, size = said["words"], said["size"]
                tokens, named, names = (Postings.read(n, arrays, words[n], size) for n in ("tokens", "words", "names"))
                vectors = arrays["vectors"].astype(np.float32)
                return Lexical(tokens, named, names, vectors, arrays["examples"])
        except (OSError, ValueError, KeyError, EOFError, BadZipFile):
            return None


def largest(values: Floats, n: int) -> list[int]:
    """The places of the `n` largest values, largest first."""
    some = np.argpartition(-values, n)[:n] if len(values) > n else np.arange(len(values))
    return [int(i) for i in some[np.argsort(-values[some], kind="stable")]]


def _overlap(of: Postings, near: Near) -> Floats:
    """For each passage, how much of the question's words it has, each by the nearest of its own."""
    scores = np.zeros(of.size, dtype=np.float32)
    whole = sum(rarity for rarity, _ in near.values())
    for rarity, found in near.values():
        best = np.zeros(of.size, dtype=np.float32)
        for word, likeness in found:  # the nearest last, so that it counts
            at = of.words.get(word)
            if at is not None:
                best[of.entries(at)[0]] = likeness
        scores += best * np.float32(rarity / whole)
    return scores


def _bm25(counts: Counter[str], length: float) -> dict[str, float]:
    return {word: n / (n + _K1 * (1 - _B + _B * length)) for word, n in counts.items()}


def _present(counts: Counter[str], _: float) -> dict[str, float]:
    return dict.fromkeys(counts, 1.0)


def _vectors(words: Sequence[str], known: Lexical | None) -> Floats:
    old = known._words.words if known is not None else {}
    fresh = [w for w in words if w not in old]
    made = [embed(fresh[n : n + _BATCH]) for n in range(0, len(fresh), _BATCH)]
    new = dict(zip(fresh, (row for batch in made for row in batch), strict=True))
    kept = known._vectors if known is not None else np.zeros((0, 0), dtype=np.float32)
    rows = [new[w] if w in new else kept[old[w]] for w in words]
    return np.asarray(rows, dtype=np.float32).reshape(len(words), -1)
