"""Search: what the embeddings, the words and the question's surroundings say for each passage, put together (ranking.py)."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING

from knowledge import documents, ranking
from knowledge.hints import Hints
from knowledge.lexical import Lexical, largest
from knowledge.passages import Kind, Passage, own_passages, passages
from knowledge.ranking import Asked
from knowledge.settings import IndexSettings
from knowledge.strategies import Strategy, builtin
from knowledge.terms import silent, synonyms, terms
from knowledge.textnorm import simplified
from knowledge.unavailable import Unavailable
from knowledge.words import Words, is_word, words_of

if TYPE_CHECKING:
    from knowledge.index import Index
    from knowledge.spelling import Spelling

DEPTH = 100  # passages looked at closely, of each kind of evidence
_SAME = 92.0  # per cent of likeness from which two passages with the same numbers say the same
_NEAR_BEST = 0.2  # share of the best score
_MENDED_GAIN = 0.1  # by how much likelier an answer must be for a question to be read otherwise than written
_WORTH_NAMING = 0.15  # probability of an answer below which naming what comes nearest helps nobody
_MERGED = 700  # characters that neighbours may have together and still be read in one go
_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Hit:
    """A passage found. `score` is the probability that it answers, comparable between questions."""

    passage: Passage
    score: float


@dataclass(frozen=True)
class Found:
    """`hits` answer, best first; when nothing answers they are empty, and `near` are the passages that come nearest.

    `read_as`: the question as it was read, where slips of the keyboard were mended. `trouble`: why meanings were not compared.
    """

    hits: list[Hit]
    near: list[Hit]
    read_as: str | None = None
    trouble: Unavailable | None = None


class _Corpus:
    """The passages as they are at one time, and the lexical evidence over them."""

    def __init__(self, all: list[Passage], stamp: object, folder: Path) -> None:
        self.all = all
        self.stamp = stamp
        self.place = {p.key: n for n, p in enumerate(all)}
        self._folder = folder

    @cached_property
    def lexical(self) -> Lexical:
        return Lexical.kept(self._folder, _fingerprint(self.all), lambda: [lexical_text(p) for p in self.all])

    @cached_property
    def called(self) -> dict[str, set[str]]:
        """name → the passages that are called exactly so."""
        out: dict[str, set[str]] = {}
        for p in self.all:
            for name in p.names:
                out.setdefault(_plain(name), set()).add(p.key)
        return out


class Searcher:
    """Search over the passages of the product and of the shop's own `documents` (a folder); the vector index and the lexical
    index open on first use. A document or task that is added, changed or removed, by whomever, counts from the next search on.

    `tasks` gives the shop's strategies where it has changed any, `stamp` changes when they do. Several threads may search; one at
    a time makes the index ready.
    """

    def __init__(
        self,
        index_dir: Path,
        progress: Progress | None = None,
        documents: Path | None = None,
        *,
        settings: IndexSettings | None = None,
        env: Mapping[str, str] = os.environ,
        tasks: Callable[[], Sequence[Strategy]] = builtin,
        stamp: Callable[[], object] = lambda: None,
    ) -> None:
        self._dir = index_dir
        self._progress = progress
        self._documents = documents
        self._settings = settings or IndexSettings()
        self._env = env
        self._tasks = tasks
        self._stamp = stamp
        self._lock = RLock()
        self._known: _Corpus | None = None
        self._index: Index | None = None
        self._indexed: _Corpus | None = None

    @property
    def all(self) -> list[Passage]:
        return self._corpus().all

    def build(self, progress: Progress | None = None, *, anew: bool = False) -> int:
        """Make the index ready now, `anew` even if it is up to date; returns the number of passages. Raises Unavailable."""
        self._progress = progress
        corpus = self._corpus()
        if anew:
            self._open().clear()
        self._ready(corpus, again=True)
        assert corpus.lexical
        return len(corpus.all)

    def search(
        self, question: str, k: int = 5, kinds: Sequence[Kind] | None = None, hints: Hints | None = None
    ) -> list[Hit]:
        """At most `k` passages, best first; none when nothing answers."""
        return self.find(question, k, kinds, hints).hits

    def find(self, question: str, k: int = 5, kinds: Sequence[Kind] | None = None, hints: Hints | None = None) -> Found:
        """As `search`, with what came near when nothing answers, and what went wrong."""
        if k <= 0:
            return Found([], [])
        corpus = self._corpus()
        shelf = Shelf(corpus.all, corpus.place, corpus.lexical, lambda text: self._meanings(text, corpus))
        read = best_reading(question, hints or Hints(), shelf)
        called: set[str] = set()
        for text in (_plain(question), read.question.text, _subject(read.question.text)):
            called |= corpus.called.get(text, set())
        hits = _named_first(read.ranked, called, corpus)
        if kinds:
            hits = [h for h in hits if h.passage.kind in kinds]
        shown = _with_own(_merged(_without_twins(hits, 3 * k)), k)
        sure = 1.0 if called else _probability(read)
        near = shown if _WORTH_NAMING <= sure < ranking.LEAST else []
        return Found(shown if sure >= ranking.LEAST else [], near, read.mended, read.trouble)

    def _corpus(self) -> _Corpus:
        with self._lock:
            stamp = (documents.stamp(self._documents) if self._documents else (), self._stamp())
            if self._known is None or self._known.stamp != stamp:
                own = own_passages(self._documents) if self._documents else []
                self._known = _Corpus([*passages(self._tasks()), *own], stamp, self._dir)
            return self._known

    def _open(self) -> Index:
        from knowledge.index import Index

        with self._lock:
            if self._index is None:
                self._index = Index(self._dir, self._settings, self._env)
            return self._index

    def _ready(self, corpus: _Corpus, *, again: bool = False) -> Index:
        """The vector index, holding what `corpus` holds; `again` even if it was made ready before."""
        with self._lock:
            index = self._open()
            if again or self._indexed is not corpus:
                index.ready(corpus.all, self._progress)
                self._indexed = corpus
            return index

    def _meanings(self, question: str, corpus: _Corpus) -> dict[str, float]:
        """Passage key → cosine, of the nearest passages of `corpus`.

        Another process may replace the index while we look: then once more.
        """
        depth = min(DEPTH, len(corpus.all))
        near = self._ready(corpus).nearest(question, depth)
        if near is None:
            near = self._ready(corpus, again=True).nearest(question, depth)
        return {key: likeness for key, likeness in near or () if key in corpus.place}


@dataclass(frozen=True)
class Ranked:
    """A passage with its score in the order; the first one's `probability` says whether anything answers."""

    passage: Passage
    score: float
    features: Mapping[str, float]
    probability: float = 0.0


@dataclass(frozen=True)
class Reading:
    """A question as it was read, and what was found for it; `mended` where it was read otherwise than it was written."""

    question: Asked
    ranked: list[Ranked]
    mended: str | None = None
    trouble: Unavailable | None = None


@dataclass(frozen=True)
class Shelf:
    """What is searched. `place`: where a key stands in `all`, and in the lexical index; `meanings`: passage key → cosine, of the
    nearest passages to a text. Raises Unavailable when there are none to be had."""

    all: Sequence[Passage]
    place: Mapping[str, int]
    lexical: Lexical
    meanings: Callable[[str], Mapping[str, float]]


def best_reading(question: str, hints: Hints, shelf: Shelf) -> Reading:
    """A question with what is found for it, as it was written, or with slips of the keyboard mended where that finds more."""
    written = simplified(question).lower()
    mended = _spelling().mended(written)
    best = _read(written, hints, shelf)
    if mended == written:
        return best
    other = replace(_read(mended, hints, shelf), mended=mended)
    return other if _probability(other) >= _probability(best) + _MENDED_GAIN else best


def _read(text: str, hints: Hints, shelf: Shelf) -> Reading:
    asked = ranking.read(text, words_of(text), hints, shelf.lexical.elsewhere(text))
    if not (asked.words.tokens or asked.words.terms):
        return Reading(asked, [])
    try:
        return Reading(asked, rank(shelf, asked, shelf.meanings(text)))
    except Unavailable as e:  # the words alone, then
        return Reading(asked, rank(shelf, asked, {}), trouble=e)


def _probability(reading: Reading) -> float:
    return reading.ranked[0].probability if reading.ranked else 0.0


def rank(shelf: Shelf, question: Asked, meanings: Mapping[str, float]) -> list[Ranked]:
    """The passages that any evidence speaks for, best first. `meanings`: cosines of the nearest ones."""
    evidence = shelf.lexical.evidence(question.words)
    words = evidence.tokens + evidence.terms + evidence.words + evidence.names
    looked_at = dict.fromkeys(
        [*(shelf.place[key] for key in meanings), *(n for n in largest(words, DEPTH) if words[n] > 0)]
    )
    # A passage that is not among the nearest is no nearer than the last of them.
    least = min(meanings.values(), default=0.0)
    ranked = []
    for at in looked_at:
        passage = shelf.all[at]
        found = ranking.features(question, passage, meanings.get(passage.key, least), evidence, at)
        ranked.append(Ranked(passage, ranking.order(found), found))
    ranked.sort(key=lambda r: (-r.score, r.passage.key))
    if not ranked:
        return []
    best = ranked[0]
    if not (evidence.tokens.any() or evidence.terms.any()):
        return ranked  # no word of the question stands anywhere: likeness alone is chance, and nothing answers
    doubts = ranking.doubts(question, best.passage, best.features, evidence, shelf.lexical)
    return [replace(best, probability=ranking.answered(doubts)), *ranked[1:]]


def lexical_text(p: Passage) -> tuple[Words, Words]:
    """(words to find a passage by, words of its name). What a rule looks for is no description of the rule."""
    text, context = words_of(p.indexed()), words_of(p.context)
    if p.kind == "rule":
        context = replace(context, words=())
    return text.joined(context), words_of(p.heading())


def _named_first(ranked: Sequence[Ranked], called: set[str], corpus: _Corpus) -> list[Hit]:
    """What is called exactly what was asked for comes first; the others' probability falls with their score."""
    if not ranked:
        return [Hit(corpus.all[corpus.place[key]], 1.0) for key in sorted(called)]
    top = ranked[0]
    share = {r.passage.key: top.probability / (1 + max(top.score - r.score, 0.0)) for r in ranked}
    named = [r.passage for r in ranked if r.passage.key in called]
    named += [corpus.all[corpus.place[key]] for key in sorted(called - {p.key for p in named})]
    named.sort(key=lambda p: p.kind == "playbook")  # an entry before the section that it was written from
    others = [Hit(r.passage, share[r.passage.key]) for r in ranked if r.passage.key not in called]
    return [*(Hit(p, 1.0) for p in named), *others]


def _with_own(hits: Sequence[Hit], k: int) -> list[Hit]:
    """The first `k`, of which half are of the shop's own documents where as many come near the best."""
    first = list(hits[:k])
    more = [h for h in hits[k:] if h.passage.own and h.score >= first[0].score * _NEAR_BEST]
    missing = k // 2 - sum(h.passage.own for h in first)
    for own in more[: max(missing, 0)]:
        last = next((n for n in range(len(first) - 1, 0, -1) if not first[n].passage.own), None)
        if last is not None:
            del first[last]
            first.append(own)
    return first


def _without_twins(hits: Sequence[Hit], most: int) -> list[Hit]:
    """Without what says the same as something before it: a task and its section, two copies of a document."""
    out: list[Hit] = []
    said: list[str] = []  # the texts of `out` as they are compared; folding one costs more than a comparison
    seen: set[str] = set()
    for hit in hits:
        p = hit.passage
        if p.stands_for in seen:
            continue
        text = simplified(p.text)
        if any(_says_the_same(text, other) for other in said):
            continue
        out.append(hit)
        said.append(text)
        seen.add(p.stands_for)
        if len(out) >= most:
            break
    return out


def _says_the_same(a: str, b: str) -> bool:
    """Of two folded texts: nearly the same words and the same numbers."""
    from rapidfuzz.fuzz import ratio

    if min(len(a), len(b)) < max(len(a), len(b)) * _SAME / 100 or _NUMBER.findall(a) != _NUMBER.findall(b):
        return False
    return ratio(a, b, score_cutoff=_SAME) > 0


def _merged(hits: Sequence[Hit]) -> list[Hit]:
    """Neighbours of one document as one passage, at the place of the better one."""
    out: list[Hit] = []
    for hit in hits:
        for n, other in enumerate(out):
            joined = _together(other.passage, hit.passage)
            if joined is not None:
                out[n] = Hit(joined, other.score)
                break
        else:
            out.append(hit)
    return out


def _together(a: Passage, b: Passage) -> Passage | None:
    """Two passages as one, in the document's order, named like `a`; None unless one follows the other and both are short."""
    if len(a.text) + len(b.text) > _MERGED:
        return None
    if b.follows is not None and b.follows == (a.last or a.key):
        return replace(a, text=f"{a.text}{b.joins}{b.text}", last=b.last or b.key)
    if a.follows is not None and a.follows == (b.last or b.key):
        return replace(a, text=f"{b.text}{a.joins}{a.text}", follows=b.follows, joins=b.joins, last=a.last or a.key)
    return None


def _subject(question: str) -> str:
    """What is asked about, where its meaning is asked: 进店率怎么算, what is the visit rate."""
    for word in sorted(synonyms().asks.definition, key=len, reverse=True):
        question = re.sub(rf"(?<![a-z]){re.escape(word)}(?![a-z])" if word.isascii() else word, " ", question)
    words = question.strip(" ?!:,。、，？！：的").split()
    while words and words[0] in silent():
        del words[0]
    return " ".join(words)


def _plain(name: str) -> str:
    return simplified(name).strip().casefold()


_spelling_lock = RLock()
_spellings: list[Spelling] = []


def _spelling() -> Spelling:
    from knowledge.spelling import Spelling

    with _spelling_lock:
        if not _spellings:
            _spellings.append(Spelling(terms().words, is_word))
        return _spellings[0]


def _fingerprint(all: Sequence[Passage]) -> str:
    """Changes when a passage changes, or how a text is taken apart."""
    digest = hashlib.sha256(repr(sorted(terms().words.items())).encode())
    digest.update(repr(sorted(silent())).encode())
    digest.update(repr(synonyms().elsewhere).encode())
    for p in all:
        digest.update(f"\0{p.key}\0{p.indexed()}\0{p.context}".encode())
    return digest.hexdigest()[:16]
