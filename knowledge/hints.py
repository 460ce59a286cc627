"""What is known about a question besides its words. Light: every command loads it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Hints:
    """What is known about a question besides its words, in the catalogue's keys: soft evidence, never a filter."""

    campaign: str | None = None
    phase: str | None = None
    crowds: frozenset[str] = frozenset()
    metrics: frozenset[str] = frozenset()
    channel: str | None = None
