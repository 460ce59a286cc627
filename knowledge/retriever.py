"""For those who build on LangChain: the shop's search as a retriever, its sentence embeddings as Embeddings.

The war room itself asks `Searcher`, which also says what came near and what went wrong. This is the door for a chain or an
agent of one's own:

    with WarRoom(Path("shop")) as room:
        documents = ShopRetriever(searcher=room.search, k=3).invoke("怎么唤醒沉睡老客")
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings
from langchain_core.retrievers import BaseRetriever
from pydantic import Field

from knowledge.embeddings import Embedder, Installed
from knowledge.search import Hit, Searcher


class ShopRetriever(BaseRetriever):
    """At most `k` passages of the playbooks, the catalogue and the shop's own documents, best first; none when nothing answers.

    The content is what stands in the source, to be quoted as it is; the id is the passage's key. Metadata: `source` and
    `section` (named in `lang`), `kind` (playbook, strategy, metric, crowd, rule) and `score`, the probability that the passage
    answers. Where meanings cannot be compared because an embedding endpoint is down, it finds by words alone. `k` may also be
    given to `invoke`.
    """

    searcher: Searcher
    k: int = Field(5, ge=1)
    lang: Literal["zh", "en"] = "zh"

    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun, k: int | None = None
    ) -> list[Document]:
        hits = self.searcher.search(query, self.k if k is None else k)
        return [_document(hit, self.lang) for hit in hits]


class SentenceEmbeddings(Embeddings):
    """What the shop's index compares meanings with: unit vectors, by default of the encoder that the installation brings.

    `embedder(settings, env)` of `knowledge.embeddings` gives the one that a shop.yaml asks for. EmbeddingUnavailable when its
    endpoint cannot be reached: late for documents, soon for a query, for which somebody waits.
    """

    def __init__(self, embedder: Embedder | None = None) -> None:
        self._embedder = embedder or Installed()

    def embed_documents(self, texts: Sequence[str]) -> list[list[float]]:
        vectors: list[list[float]] = self._embedder.embed(texts).tolist()
        return vectors

    def embed_query(self, text: str) -> list[float]:
        vector: list[float] = self._embedder.question(text).tolist()
        return vector


def _document(hit: Hit, lang: str) -> Document:
    p = hit.passage
    about = {"source": p.source.get(lang), "section": p.section.get(lang), "kind": p.kind, "score": hit.score}
    return Document(id=p.key, page_content=p.text, metadata=about)
