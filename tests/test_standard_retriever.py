"""LangChain's standard suite on the retriever, and that it returns what search finds."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.retrievers import BaseRetriever
from langchain_tests.integration_tests import RetrieversIntegrationTests
from pydantic import ValidationError
from pytest_socket import disable_socket

from bot.wiring import WarRoom
from knowledge.retriever import ShopRetriever
from knowledge.search import Searcher

QUESTION = "怎么唤醒很久没来的优质老客"


@pytest.fixture(autouse=True)
def _no_network() -> None:
    """Takes the place of the top rule of that name: an event loop talks to itself over a unix socket."""
    disable_socket(allow_unix_socket=True)


@pytest.fixture
def search(demo: WarRoom) -> Searcher:
    return demo.search


class TestIntegration(RetrieversIntegrationTests):
    @pytest.fixture(autouse=True)
    def _searching(self, search: Searcher) -> None:
        self._search = search

    @property
    def retriever_constructor(self) -> type[BaseRetriever]:
        return ShopRetriever

    @property
    def retriever_constructor_params(self) -> dict[str, Any]:
        return {"searcher": self._search}

    @property
    def retriever_query_example(self) -> str:
        return QUESTION


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_document_is_a_hit_verbatim_with_its_source(search: Searcher, lang: Any) -> None:
    found = ShopRetriever(searcher=search, k=4, lang=lang).invoke(QUESTION)
    hits = search.search(QUESTION, 4)
    assert [d.id for d in found] == [h.passage.key for h in hits]
    for document, hit in zip(found, hits, strict=True):
        assert document.page_content == hit.passage.text
        assert document.metadata == {
            "source": hit.passage.source.get(lang),
            "section": hit.passage.section.get(lang),
            "kind": hit.passage.kind,
            "score": hit.score,
        }
        assert 0 < document.metadata["score"] <= 1


def test_nothing_is_returned_when_nothing_answers(search: Searcher) -> None:
    assert ShopRetriever(searcher=search).invoke("今天天气怎么样") == []
    with pytest.raises(ValidationError):
        ShopRetriever(searcher=search, k=0)
