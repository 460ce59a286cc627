"""The vector index of a shop's passages: in a folder of the workspace, or on a Chroma server that many shops may share."""

from __future__ import annotations

import hashlib
import os
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from knowledge import nearby
from knowledge.embeddings import NAME, Vectors, embedder
from knowledge.settings import IndexSettings
from knowledge.store import Damaged, Gone, Store
from knowledge.unavailable import EmbeddingUnavailable, IndexUnavailable

if TYPE_CHECKING:
    from knowledge.passages import Passage

_BATCH = 256  # passages embedded, stored and reported as progress at once
_IN_MEMORY = 25_000_000  # numbers of all vectors together: up to 100 MB are compared exactly, more by Chroma's graph
_DEAD = 3600.0  # s without a sign of life after which a builder on another machine is taken for dead
_QUESTIONS = 256  # vectors of recent questions kept


def fingerprint(passages: Sequence[Passage], made_by: str = NAME) -> str:
    """Changes when a passage, the embedding or the way of indexing changes."""
    digest = hashlib.sha256(made_by.encode())
    for p in passages:
        digest.update(f"\0{p.key}\0{_digest(p, made_by)}".encode())
    return digest.hexdigest()[:16]


def _digest(p: Passage, made_by: str) -> str:
    """Says what was embedded, by what: a passage with the same digest has the same vector."""
    return hashlib.sha256(f"{made_by}\0{p.indexed()}".encode()).hexdigest()[:32]


class Index:
    """Built by `ready` on first use and whenever its passages or the embedding have changed.

    A collection's name says what it holds and its metadata that it is whole. A new one is filled first and the old one
    deleted last, so whoever is interrupted leaves the old one whole; vectors of passages that stayed, or that an
    interrupted builder left, are taken over. Two machines that build at once fill one each; the first by name stays.

    Every method raises IndexUnavailable, `ready` and `nearest` EmbeddingUnavailable too. `env` has the keys; `now` is in
    seconds since 1970.
    """

    def __init__(
        self,
        folder: Path,
        settings: IndexSettings | None = None,
        env: Mapping[str, str] = os.environ,
        now: Callable[[], float] = time.time,
    ) -> None:
        settings = settings or IndexSettings()
        self._store = Store(folder, settings.chroma, env.get("CHROMA_TOKEN", "").strip() or None)
        self._now = now
        self._embedder = embedder(settings, env)
        self._vector = lru_cache(_QUESTIONS)(self._embedder.question)
        self._open: tuple[int, nearby.Look] | None = None  # numbers in a vector, and what finds the nearest

    def ready(self, passages: Sequence[Passage], progress: Callable[[int, int], None] | None = None) -> bool:
        """Make the index hold exactly `passages`; returns whether it had to be built.

        An index folder that cannot be read is set aside and built again, once: everything in it can be made again.
        """
        try:
            return self._made_ready(passages, progress)
        except Gone:  # whoever took us for dead has built it, or somebody replaced it while we looked
            try:
                return self._made_ready(passages, progress)
            except Gone as e:
                raise IndexUnavailable("index_replaced", place=self._store.place) from e
        except Damaged:
            self._store.set_aside()
            return self._made_ready(passages, progress)

    def _made_ready(self, passages: Sequence[Passage], progress: Callable[[int, int], None] | None) -> bool:
        wanted = fingerprint(passages, self._embedder.name)
        if self._opened(wanted, passages):
            return False
        with self._store.alone():
            if self._opened(wanted, passages):  # another process built it meanwhile
                return False
            self._build(wanted, passages, progress)
        return True

    def nearest(self, question: str, n: int) -> list[tuple[str, float]] | None:
        """(passage key, cosine similarity), best first; None when another process has replaced the index meanwhile."""
        if self._open is None:
            raise ValueError("ready() comes first")
        size, look = self._open
        vector = self._vector(question)
        if size and len(vector) != size:
            raise EmbeddingUnavailable("embedding_changed", model=self._embedder.name)
        try:
            return look(vector, n)
        except Gone:
            return None

    def made_by(self) -> str | None:
        """The name of the embedding that made the whole index there is; None when there is none."""
        return next((str(c.metadata["made_by"]) for c in self._store.ours() if _is_whole(c)), None)

    def clear(self) -> None:
        """Forget everything; `ready` builds it again."""
        self._open = None
        self._forget_copies()
        try:
            for c in self._store.ours():
                self._store.delete(c)
        except Damaged:
            self._store.set_aside()

    def _opened(self, wanted: str, passages: Sequence[Passage]) -> bool:
        """Open the whole index of `passages` if there is one: the copy of its vectors, else its collection."""
        copied = nearby.load(self._copy(wanted), len(passages))
        if copied is not None:
            self._in_memory(passages, copied)
            return True
        found = next(iter(self._whole(wanted, len(passages))), None)
        if found is None:
            return False
        if found.metadata["numbers"] > _IN_MEMORY:
            self._in_chroma(found)
            return True
        known = {key: v for keys, _, rows in self._store.pages(found) for key, v in zip(keys, rows, strict=True)}
        self._keep(wanted, passages, [known[p.key] for p in passages])
        return True

    def _whole(self, wanted: str, size: int) -> list[Any]:
        """The whole collections that hold what is wanted: one, or more while builders of several machines settle it."""
        named = [c for c in self._store.ours() if c.name.startswith(self._store.prefix + wanted)]
        return [c for c in named if _is_whole(c) and self._store.size(c) == size]

    def _keep(self, wanted: str, passages: Sequence[Passage], vectors: Sequence[Vectors]) -> None:
        rows = np.stack(vectors) if vectors else np.zeros((0, 0), dtype=np.float32)
        with self._store.disk():
            nearby.save(self._copy(wanted), rows)
        self._in_memory(passages, rows)

    def _in_memory(self, passages: Sequence[Passage], rows: Vectors) -> None:
        self._open = rows.shape[1], nearby.exactly([p.key for p in passages], rows)

    def _in_chroma(self, collection: Any) -> None:
        about = collection.metadata
        self._open = about["numbers"] // about["passages"], partial(self._store.nearest, collection)

    def _build(self, wanted: str, passages: Sequence[Passage], progress: Callable[[int, int], None] | None) -> None:
        """Fill a collection and put it in the place of all others. Only by who is alone on this machine."""
        store = self._store
        known = {
            d: v
            for c in store.ours()
            for _, digests, rows in store.pages(c)
            for d, v in zip(digests, rows, strict=True)
        }
        name = self._embedder.name
        about: dict[str, Any] = {"made_by": name, "passages": len(passages)}
        mine = store.create(f"{wanted}-{uuid.uuid4().hex[:12]}", {**about, "alive": self._now()})
        vectors: list[Vectors] = []
        for start in range(0, len(passages), _BATCH):
            batch = passages[start : start + _BATCH]
            digests = [_digest(p, name) for p in batch]
            rows = self._embedded(batch, digests, known)
            if len({row.size for row in [*vectors[:1], *rows]}) > 1:  # of what was taken over and what is made now
                raise EmbeddingUnavailable("embedding_changed", model=name)
            store.add(mine, [p.key for p in batch], np.stack(rows), digests)
            store.mark(mine, {**about, "alive": self._now()})
            vectors += rows
            if progress:
                progress(start + len(batch), len(passages))
        numbers = sum(v.size for v in vectors)
        store.mark(mine, {**about, "numbers": numbers, "whole": True})
        stays = self._settled(wanted, len(passages))
        self._forget_copies()
        if numbers > _IN_MEMORY:
            self._in_chroma(stays)
        else:
            self._keep(wanted, passages, vectors)

    def _embedded(self, batch: Sequence[Passage], digests: Sequence[str], known: dict[str, Vectors]) -> list[Vectors]:
        """The vectors of `batch`; what is not known is embedded, equal texts once, and known from then on."""
        fresh = {d: p.indexed() for p, d in zip(batch, digests, strict=True) if d not in known}
        if fresh:
            known.update(zip(fresh, self._embedder.embed(list(fresh.values())), strict=True))
        return [known[d] for d in digests]

    def _settled(self, wanted: str, size: int) -> Any:
        """Of all whole collections of `wanted` the first by name stays, and nothing else but what somebody is filling now."""
        stays = self._whole(wanted, size)[0]
        for c in self._store.ours():
            if c.name != stays.name and not self._being_filled(c):
                self._store.delete(c)
        self._store.sweep()
        return stays

    def _being_filled(self, collection: Any) -> bool:
        """Whether a builder on another machine is at it. In a folder that cannot be: we are alone."""
        about = collection.metadata or {}
        return self._store.shared and "alive" in about and self._now() - float(about["alive"]) < _DEAD

    def _copy(self, wanted: str) -> Path:
        where = hashlib.sha256(self._store.place.encode()).hexdigest()[:8] if self._store.shared else "here"
        return self._store.folder / f"vectors-{wanted}-{where}.npy"

    def _forget_copies(self) -> None:
        with self._store.disk():
            for left in [*self._store.folder.glob("vectors-*.npy"), *self._store.folder.glob(".new-*")]:
                left.unlink(missing_ok=True)


def _is_whole(collection: Any) -> bool:
    return bool((collection.metadata or {}).get("whole"))
