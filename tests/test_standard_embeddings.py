"""LangChain's standard suites on the embeddings, and that they are those which the index compares."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from langchain_core.embeddings import Embeddings
from langchain_tests.integration_tests import EmbeddingsIntegrationTests
from langchain_tests.unit_tests import EmbeddingsUnitTests
from pytest_socket import disable_socket

from knowledge.embeddings import DIMENSIONS, Vectors, embed
from knowledge.retriever import SentenceEmbeddings
from knowledge.unavailable import EmbeddingUnavailable


@pytest.fixture(autouse=True)
def _no_network() -> None:
    """Takes the place of the top rule of that name: an event loop talks to itself over a unix socket."""
    disable_socket(allow_unix_socket=True)


class _Installed:
    @property
    def embeddings_class(self) -> type[Embeddings]:
        return SentenceEmbeddings


class TestUnit(_Installed, EmbeddingsUnitTests):
    pass


class TestIntegration(_Installed, EmbeddingsIntegrationTests):
    pass


def test_they_are_the_vectors_that_the_index_compares() -> None:
    texts = ["加购未付款的人今天怎么做", "How do we wake dormant old customers?"]
    made = SentenceEmbeddings().embed_documents(texts)
    assert np.array_equal(np.asarray(made, dtype=np.float32), embed(texts))
    assert np.allclose(SentenceEmbeddings().embed_query(texts[0]), made[0], atol=1e-6)
    assert np.allclose(np.linalg.norm(made, axis=1), 1, atol=1e-5)
    assert len(made[0]) == DIMENSIONS
    assert SentenceEmbeddings().embed_documents([]) == []


class _Down:
    """An endpoint that cannot be reached."""

    name = "openai:down"

    def embed(self, texts: Sequence[str]) -> Vectors:
        raise EmbeddingUnavailable("embedding_down", model="down", place="here", detail="refused")

    def question(self, text: str) -> Vectors:
        raise EmbeddingUnavailable("embedding_down", model="down", place="here", detail="refused")


def test_an_endpoint_that_is_down_is_said_to_be() -> None:
    vectors = SentenceEmbeddings(_Down())
    with pytest.raises(EmbeddingUnavailable):
        vectors.embed_documents(["a"])
    with pytest.raises(EmbeddingUnavailable):
        vectors.embed_query("a")
