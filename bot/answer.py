"""Interpretation and Answer: what `ask` returns and every front end renders (contracts.md)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

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


class Answer(Record):
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
