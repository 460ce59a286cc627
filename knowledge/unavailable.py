"""What search cannot have right now. It goes on with what is left, and says so.

    Unavailable
    ├── EmbeddingUnavailable    no vectors: the endpoint is down, refuses us, or answers nonsense
    └── IndexUnavailable        no index: the Chroma server is down or refuses us, the folder cannot be written

`code` names the sentences for people (`error.<code>` and `hint.<code>` in prompts/index.yaml), `details` are their variables.
"""

from __future__ import annotations


class Unavailable(Exception):
    def __init__(self, code: str, **details: str) -> None:
        self.code = code
        self.details = details
        super().__init__(code)

    def __str__(self) -> str:
        return f"{self.code} ({', '.join(f'{k}={v}' for k, v in self.details.items())})"


class EmbeddingUnavailable(Unavailable):
    """No vectors of the chosen embedding can be had."""


class IndexUnavailable(Unavailable):
    """The vector index can be neither read nor built."""
