"""Embeddings of any endpoint that speaks OpenAI's protocol. What goes out is masked; what comes back is checked."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from knowledge.embeddings import Vectors
from knowledge.masking import masked
from knowledge.textnorm import simplified
from knowledge.unavailable import EmbeddingUnavailable

_BATCH = 64  # texts a request; halved for an endpoint that takes fewer
_PATIENT = {"timeout": 60.0, "max_retries": 5}  # s; while an index is built. Retry-After is honoured by the library
_PROMPT = {"timeout": 8.0, "max_retries": 0}  # s; while somebody waits for an answer
_REST = 30.0  # s without a further attempt after one failed while somebody waited
_REFUSES_SIZE = (400, 413, 422)


class Endpoint:
    """An embedding model at an endpoint; `url` None is the library's own default, OpenAI's.

    One that has just failed a waiting person is left alone for a while: the next questions fail at once.
    """

    def __init__(self, model: str, url: str | None, key: str | None) -> None:
        import openai

        self.name = f"openai:{model}"
        self._model = model
        self._place = url or "OpenAI"
        self._has_key = bool(key or url)  # an endpoint of one's own may do without
        self._client = openai.OpenAI(api_key=key or "none", base_url=url)
        self._batch = _BATCH
        self._resting: tuple[float, EmbeddingUnavailable] | None = None

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors, a row a text. Phone numbers and alike are masked before they leave."""
        rows: list[Vectors] = []
        start = 0
        while start < len(texts):
            batch = texts[start : start + self._batch]
            try:
                made = self._asked(batch, _PATIENT)
            except _TooMany:
                self._batch = len(batch) // 2
                continue
            if rows and rows[0].shape[1] != made.shape[1]:
                raise self._nonsense(f"vectors of {rows[0].shape[1]} and of {made.shape[1]} numbers")
            rows.append(made)
            start += len(batch)
        return np.concatenate(rows) if rows else np.zeros((0, 0), dtype=np.float32)

    def question(self, text: str) -> Vectors:
        if self._resting and time.monotonic() < self._resting[0]:
            raise self._resting[1]
        try:
            vector: Vectors = self._asked([text], _PROMPT)[0]
        except EmbeddingUnavailable as e:
            self._resting = (time.monotonic() + _REST, e)
            raise
        self._resting = None
        return vector

    def _asked(self, texts: Sequence[str], patience: dict[str, Any]) -> Vectors:
        import openai

        if not self._has_key:
            raise EmbeddingUnavailable("embedding_key", model=self._model)
        sent = [masked(simplified(t)) for t in texts]
        try:
            answer = self._client.with_options(**patience).embeddings.with_raw_response.create(
                model=self._model, input=sent, encoding_format="float"
            )
            return self._vectors(answer.http_response.json(), len(sent))
        except openai.APIStatusError as e:
            if e.status_code in _REFUSES_SIZE and len(texts) > 1:
                raise _TooMany from e
            code = "embedding_refused" if 400 <= e.status_code < 500 and e.status_code != 429 else "embedding_down"
            raise EmbeddingUnavailable(code, model=self._model, place=self._place, detail=_said(e)) from e
        except openai.APIConnectionError as e:  # a time-out is one of them
            detail = f"{type(e).__name__}: {e.__cause__ or e}"
            raise EmbeddingUnavailable("embedding_down", model=self._model, place=self._place, detail=detail) from e
        except ValueError as e:  # no JSON
            raise self._nonsense("no JSON") from e

    def _vectors(self, answer: Any, wanted: int) -> Vectors:
        """Unit vectors in the order of the texts, out of the endpoint's JSON."""
        try:
            data = sorted(answer["data"], key=lambda entry: entry["index"])
            places = [entry["index"] for entry in data]
            rows = np.asarray([entry["embedding"] for entry in data], dtype=np.float32)
        except (KeyError, TypeError, ValueError) as e:
            raise self._nonsense("no list of vectors of one size") from e
        if places != list(range(wanted)):
            raise self._nonsense(f"{len(places)} vectors for {wanted} texts")
        if rows.ndim != 2 or not rows.shape[1] or not np.isfinite(rows).all():
            raise self._nonsense("vectors with something else than numbers in them")
        lengths = np.linalg.norm(rows, axis=1, keepdims=True)
        if not lengths.all():
            raise self._nonsense("a vector of zeros")
        unit: Vectors = rows / lengths
        return unit

    def _nonsense(self, detail: str) -> EmbeddingUnavailable:
        return EmbeddingUnavailable("embedding_nonsense", model=self._model, place=self._place, detail=detail)


class _TooMany(Exception):
    """The endpoint refused a request of several texts: fewer may do."""


def _said(e: Any) -> str:
    """What an endpoint said, short: the reason it gives, not the page a proxy wraps around it."""
    body = e.body if isinstance(e.body, dict) else {}
    reason = str(body.get("message") or "").strip() or f"HTTP {e.status_code}"
    return masked(reason)[:200]
