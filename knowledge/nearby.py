"""Exact search over vectors held in memory, and the copy of them on the disk that spares a small shop from opening Chroma.

Chroma keeps the vectors; the copy can be deleted at any time. A product over 20,000 × 512 numbers takes about a millisecond
and misses nothing, where an approximate graph needs as long and misses some.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from knowledge.embeddings import Vectors
from knowledge.whole import whole

Look = Callable[[Vectors, int], list[tuple[str, float]]]
_UNIT = 1e-3  # how far from 1 a unit vector's length may be


def exactly(keys: Sequence[str], vectors: Vectors) -> Look:
    """A function from (unit vector, n) to the n nearest (key, cosine), best first; row i of `vectors` is that of keys[i]."""

    def look(vector: Vectors, n: int) -> list[tuple[str, float]]:
        n = min(n, len(keys))
        if n <= 0:
            return []
        likeness = vectors @ vector
        best = np.argpartition(-likeness, n - 1)[:n]
        return [(keys[i], float(likeness[i])) for i in best[np.argsort(-likeness[best], kind="stable")]]

    return look


def load(path: Path, size: int) -> Vectors | None:
    """The copy of `size` unit vectors at `path`; None when it is not there, or not what was written."""
    try:
        vectors = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    if vectors.ndim != 2 or len(vectors) != size or vectors.dtype != np.float32:
        return None
    lengths = np.einsum("ij,ij->i", vectors, vectors)
    return vectors if np.all(np.abs(lengths - 1) < _UNIT) else None


def save(path: Path, vectors: Vectors) -> None:
    """Write the copy whole or not at all. OSError when it cannot be written."""
    with whole(path) as f:
        np.save(f, vectors, allow_pickle=False)
