"""`knowledge:` of shop.yaml: which embedding compares meanings, and where the vectors are kept. Light: every command reads it.

    knowledge:
      embedding: openai:text-embedding-3-small     # without it, the encoder that the installation brings
      embedding_url: http://10.0.0.5:8080/v1       # any endpoint that speaks OpenAI's protocol; else OPENAI_BASE_URL
      chroma: http://10.0.0.6:8000                 # a Chroma server; without it, a folder in the workspace

Keys never stand here: OPENAI_API_KEY and CHROMA_TOKEN come from the environment.
"""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit

from pydantic import field_validator, model_validator

from knowledge.catalog import Entry

_ENDPOINT = "openai:"


class IndexSettings(Entry):
    embedding: str | None = None
    embedding_url: str | None = None
    chroma: str | None = None

    @property
    def model(self) -> str | None:
        """The embedding model's name at its endpoint; None for the encoder of the installation."""
        return self.embedding.removeprefix(_ENDPOINT) if self.embedding else None

    @field_validator("embedding")
    @classmethod
    def _endpoint(cls, value: str | None) -> str | None:
        if value is not None and not (value.startswith(_ENDPOINT) and value.removeprefix(_ENDPOINT).strip()):
            raise ValueError(f"{value!r}; write openai:NAME, or leave it out for the encoder that is installed")
        return value

    @field_validator("embedding_url")
    @classmethod
    def _address(cls, value: str | None) -> str | None:
        if value is not None:
            _web(value, "http://host:8080/v1")
        return value

    @field_validator("chroma")
    @classmethod
    def _server(cls, value: str | None) -> str | None:
        if value is not None and _web(value, "http://host:8000").path not in ("", "/"):
            raise ValueError("write the server alone, for example http://host:8000")
        return value

    @model_validator(mode="after")
    def _both(self) -> IndexSettings:
        if self.embedding_url and not self.embedding:
            raise ValueError("embedding_url needs embedding: openai:NAME beside it")
        return self


def _web(value: str, example: str) -> SplitResult:
    """The parts of an http(s) address; ValueError, with what to write instead."""
    try:
        parts = urlsplit(value)
        known = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        known = False
    if not known:
        raise ValueError(f"no http address; write for example {example}")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError(f"a key must not stand in a file: write {example}, and give the key in the environment")
    return parts
