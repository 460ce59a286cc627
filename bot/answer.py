"""Interpretation and Answer: what `ask` returns and every front end renders (contracts.md)."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer

from tools.facts import Action, Chart, Citation, Draft, Fact, Record

Intent = Literal[
    "plan", "metric", "crowd", "draft", "check", "target", "review", "knowledge", "phase", "brief", "help", "smalltalk",
    "unsupported",
]  # fmt: skip


class Interpretation(Record):
    """What was understood. `unused` are words that changed nothing; `assumed` is what was taken for granted."""

    intent: Intent
    crowds: list[str] = []
    metrics: list[str] = []
    period: dict[str, str] | None = None
    phase: str | None = None
    campaign: str | None = None
    channel: str | None = None
    compare: str | None = None
    by: str | None = None
    filters: list[str] = []
    assumed: list[str] = []
    unused: list[str] = []


class Clarify(Record):
    question: str
    options: list[str]


class Usage(Record):
    """What a language model was sent and wrote for an answer, in tokens; `cost` in the currency of the price, if one is set."""

    input_tokens: int = Field(ge=0)
    output_tokens: int = Field(ge=0)
    cost: float | None = None


class Answer(Record):
    """`usage` only where a language model was asked, also when its answer was not taken."""

    text: str
    lang: Literal["zh", "en"]
    interpretation: Interpretation
    facts: list[Fact] = []
    citations: list[Citation] = []
    actions: list[Action] = []
    drafts: list[Draft] = []
    charts: list[Chart] = []
    clarify: Clarify | None = None
    model: str = "embedded"
    degraded: str | None = None
    elapsed_ms: int = Field(0, ge=0)
    usage: Usage | None = None

    @model_serializer(mode="wrap")
    def _without_usage(self, whole: SerializerFunctionWrapHandler) -> dict[str, Any]:
        document: dict[str, Any] = whole(self)
        if self.usage is None:
            del document["usage"]
        return document
