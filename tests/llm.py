"""A language model for tests: the demo shop with `llmock` as its OpenAI-compatible endpoint, over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from llmock.pytest_plugin import LLMock

from bot.wiring import WarRoom

MODEL = "war-model"


@contextmanager
def conversing(root: Path, endpoint: LLMock, **settings: str) -> Iterator[WarRoom]:
    """The shop with the endpoint as its model; `settings` are further environment variables, without WARROOM_MODEL_."""
    env = {
        "WARROOM_MODEL": f"openai:{MODEL}",
        "OPENAI_BASE_URL": endpoint.base_url(),
        "OPENAI_API_KEY": "no-key",
        **{f"WARROOM_MODEL_{k.upper()}" if k.islower() else k: v for k, v in settings.items()},
    }
    with WarRoom(root, env=env) as room:
        yield room
