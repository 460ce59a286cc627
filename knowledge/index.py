"""The vector index: a Chroma folder in the workspace. The only importer of chromadb."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from knowledge.embeddings import NAME, embed

if TYPE_CHECKING:
    from knowledge.passages import Passage

_BATCH = 64


def fingerprint(passages: Sequence[Passage]) -> str:
    """Changes when a passage, the encoder or the way of indexing changes."""
    digest = hashlib.sha256(NAME.encode())
    for p in passages:
        digest.update(f"\0{p.key}\0{p.indexed()}".encode())
    return digest.hexdigest()[:16]


class Index:
    """An open index. Built on first use and whenever its passages or the encoder have changed."""

    def __init__(self, folder: Path) -> None:
        import chromadb
        from chromadb.config import Settings

        folder.mkdir(parents=True, exist_ok=True)
        self._client = chromadb.PersistentClient(path=str(folder), settings=Settings(anonymized_telemetry=False))
        self._collection: Any = None

    def ready(self, passages: Sequence[Passage], progress: Callable[[int, int], None] | None = None) -> bool:
        """Make the index hold exactly `passages`; returns whether it had to be built. A half-built one is built again."""
        name = f"passages-{fingerprint(passages)}"
        existing = {c if isinstance(c, str) else c.name for c in self._client.list_collections()}
        if name in existing:
            self._collection = self._client.get_collection(name, embedding_function=None)
            if self._collection.count() == len(passages):
                return False
            self._client.delete_collection(name)
        collection = self._client.create_collection(
            name, embedding_function=None, configuration={"hnsw": {"space": "cosine"}}
        )
        for start in range(0, len(passages), _BATCH):
            batch = passages[start : start + _BATCH]
            collection.add(
                ids=[p.key for p in batch],
                embeddings=embed([p.indexed() for p in batch]),
                metadatas=[{"kind": p.kind} for p in batch],
            )
            if progress:
                progress(min(start + _BATCH, len(passages)), len(passages))
        self._collection = collection
        for old in existing - {name}:
            self._client.delete_collection(old)
        return True

    def clear(self) -> None:
        """Forget everything; `ready` builds it again."""
        for c in self._client.list_collections():
            self._client.delete_collection(c if isinstance(c, str) else c.name)

    def nearest(self, question: str, n: int) -> list[tuple[str, float]]:
        """(passage key, cosine similarity), best first."""
        found = self._collection.query(query_embeddings=embed([question]), n_results=n, include=["distances"])
        return [(key, 1.0 - float(d)) for key, d in zip(found["ids"][0], found["distances"][0], strict=True)]
