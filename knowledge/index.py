"""The vector index: a Chroma folder in the workspace. The only importer of chromadb."""

from __future__ import annotations

import hashlib
import re
import shutil
import sqlite3
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from knowledge.embeddings import NAME, embed

if TYPE_CHECKING:
    from knowledge.passages import Passage

_BATCH = 64
_FETCHED = 1000  # passages read back at once
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
Vector = Sequence[float]


def fingerprint(passages: Sequence[Passage]) -> str:
    """Changes when a passage, the encoder or the way of indexing changes."""
    digest = hashlib.sha256(NAME.encode())
    for p in passages:
        digest.update(f"\0{p.key}\0{_digest(p)}".encode())
    return digest.hexdigest()[:16]


def _digest(p: Passage) -> str:
    """Says what was embedded: a passage with the same digest has the same vector."""
    return hashlib.sha256(f"{NAME}\0{p.indexed()}".encode()).hexdigest()[:32]


class Index:
    """An open index. Built on first use and whenever its passages or the encoder have changed.

    The collection's name is the fingerprint of what it holds. A new one is filled first and the old one deleted last, so
    whoever is interrupted leaves the old one whole; vectors of passages that stayed are taken over.
    """

    def __init__(self, folder: Path) -> None:
        import chromadb
        from chromadb.config import Settings

        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._client = chromadb.PersistentClient(path=str(folder), settings=Settings(anonymized_telemetry=False))
        self._collection: Any = None

    def ready(self, passages: Sequence[Passage], progress: Callable[[int, int], None] | None = None) -> bool:
        """Make the index hold exactly `passages`; returns whether it had to be built. A half-built one is built again."""
        name = f"passages-{fingerprint(passages)}"
        if self._opened(name, len(passages)):
            return False
        with _alone(self._folder):
            if self._opened(name, len(passages)):  # another process built it meanwhile
                return False
            existing = self._names()
            if name in existing:
                self._client.delete_collection(name)
            known = self._vectors(existing - {name})
            collection = self._client.create_collection(
                name, embedding_function=None, configuration={"hnsw": {"space": "cosine"}}
            )
            for start in range(0, len(passages), _BATCH):
                batch = passages[start : start + _BATCH]
                collection.add(
                    ids=[p.key for p in batch],
                    embeddings=_embedded(batch, known),
                    metadatas=[{"kind": p.kind, "digest": _digest(p)} for p in batch],
                )
                if progress:
                    progress(min(start + _BATCH, len(passages)), len(passages))
            self._collection = collection
            for old in existing - {name}:
                self._client.delete_collection(old)
            _sweep(self._folder)
        return True

    def _opened(self, name: str, size: int) -> bool:
        """Open the collection `name` if it is there with all its `size` passages."""
        if name not in self._names():
            return False
        self._collection = self._client.get_collection(name, embedding_function=None)
        return bool(self._collection.count() == size)

    def _names(self) -> set[str]:
        return {c if isinstance(c, str) else c.name for c in self._client.list_collections()}

    def _vectors(self, collections: set[str]) -> dict[str, Vector]:
        """digest → vector of everything that is indexed already."""
        out: dict[str, Vector] = {}
        for name in collections:
            old = self._client.get_collection(name, embedding_function=None)
            for offset in range(0, old.count(), _FETCHED):
                found = old.get(limit=_FETCHED, offset=offset, include=["embeddings", "metadatas"])
                pairs = zip(found["metadatas"], found["embeddings"], strict=True)
                out.update((m["digest"], v) for m, v in pairs if "digest" in m)
        return out

    def clear(self) -> None:
        """Forget everything; `ready` builds it again."""
        for name in self._names():
            self._client.delete_collection(name)

    def nearest(self, question: str, n: int) -> list[tuple[str, float]] | None:
        """(passage key, cosine similarity), best first; None when another process has replaced the index meanwhile."""
        from chromadb.errors import NotFoundError

        try:
            found = self._collection.query(query_embeddings=embed([question]), n_results=n, include=["distances"])
        except NotFoundError:
            return None
        return [(key, 1.0 - float(d)) for key, d in zip(found["ids"][0], found["distances"][0], strict=True)]


def _embedded(batch: Sequence[Passage], known: dict[str, Vector]) -> list[Vector]:
    fresh = [p for p in batch if _digest(p) not in known]
    made = dict(zip((p.key for p in fresh), embed([p.indexed() for p in fresh]), strict=True))
    return [made[p.key] if p.key in made else known[_digest(p)] for p in batch]


def _sweep(folder: Path) -> None:
    """Take away the vectors of deleted collections, which Chroma leaves on disk: a folder for each index there ever was."""
    with closing(sqlite3.connect(folder / "chroma.sqlite3")) as state:
        try:
            living = {row[0] for row in state.execute("SELECT id FROM segments")}
        except sqlite3.Error:  # another Chroma keeps its books elsewhere: then the folders stay
            return
    for left in folder.iterdir():
        if _UUID.fullmatch(left.name) and left.name not in living:
            shutil.rmtree(left, ignore_errors=True)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One process at a time builds; the system lets the lock go when its process dies. On Windows there is no such lock."""
    if sys.platform == "win32":
        yield
        return
    import fcntl

    with (folder / ".building").open("w") as f:
        fcntl.flock(f, fcntl.LOCK_EX)
        yield
