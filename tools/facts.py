"""What tools return: facts with their queries, citations, actions. The answer is assembled from these, not from prose."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from knowledge import catalog
from knowledge.catalog import Channel, Unit
from tools.periods import Window


class Record(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Fact(Record):
    """One value that a query gave. `display` is how a person reads it, in the answer's language."""

    id: str
    label: str
    value: float | int | str | None
    unit: Unit
    display: str
    metric: str | None = None
    crowd: str | None = None
    period: dict[str, str] | None = None
    query: str
    as_of: str


class Citation(Record):
    """`quote` stands verbatim in the section of the source."""

    id: int
    source: str
    section: str
    quote: str


class Action(Record):
    id: str
    task: str | None
    title: str
    crowd: str | None
    people: int | None
    channels: list[str]
    when: str | None
    deadline: str | None
    why: list[str]
    cites: list[int]
    stop_rule: str | None


class Finding(Record):
    """One thing that a rule found in a copy: `span` are the characters [start, end) of its text."""

    rule: str
    level: Literal["warn", "block"]
    span: tuple[int, int]
    text: str
    why: str
    rewrite: str | None
    source: str


class Verdict(Record):
    """What the check of a copy says (contracts: check --json). `units` are UTF-16 code units with variables at their
    longest, `segments` the messages an SMS is billed as (1 for other channels)."""

    channel: Channel
    text: str
    units: int
    segments: int
    verdict: Literal["pass", "warn", "block"]
    findings: list[Finding] = []


class Draft(Record):
    """One variant of a touch message. It is ready only when its verdict does not block."""

    id: str
    channel: Channel
    variant: str
    text: str
    units: int
    segments: int
    verdict: Verdict


class Chart(Record):
    """A PNG file in the workspace."""

    id: str
    title: str
    path: str


class ToolResult(Record):
    """`data` refers to facts by id and holds no number of its own."""

    kind: Literal[
        "phase",
        "crowd",
        "metric",
        "plan",
        "knowledge",
        "draft",
        "check",
        "brief",
        "target",
        "review",
        "calculated",
        "refused",
    ]
    facts: list[Fact] = []
    citations: list[Citation] = []
    actions: list[Action] = []
    drafts: list[Draft] = []
    charts: list[Chart] = []
    data: dict[str, Any] = {}

    def text(self) -> str:
        """The result for a model: one line a fact, an action, a citation."""
        if self.kind == "refused":
            return f"{self.data['message']}\n{self.data['hint']}"
        lines = [f"{f.id} {f.label}: {f.display}" for f in self.facts]
        lines += [
            f"action {a.title} | {a.when or '-'} | deadline {a.deadline or '-'} | cites {a.cites}" for a in self.actions
        ]
        lines += [f"[{c.id}] {c.source} / {c.section}: {c.quote}" for c in self.citations]
        return "\n".join(lines)


CURRENCY = {"CNY": "¥", "USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥", "HKD": "HK$", "TWD": "NT$"}


def display(
    value: float | int | str | None, unit: Unit, lang: str, currency: str = "CNY", *, multiple: bool = False
) -> str:
    """A value as a person reads it: 1,832 人 · ¥412,300 · 18.3% · 86 小时; "—" where there is none. `multiple`: a ratio as a
    number (3.20)."""
    if value is None:
        return "—"
    if isinstance(value, str):
        return value
    if unit == "people":
        return f"{value:,.0f} {'人' if lang == 'zh' else ('person' if value == 1 else 'people')}"
    if unit == "CNY":
        sign = CURRENCY.get(currency, currency + " ")
        return (
            f"{'-' if value < 0 else ''}{sign}{abs(value):,.{0 if abs(value) >= 1000 or value == int(value) else 2}f}"
        )
    if unit == "ratio":
        return f"{value:,.2f}" if multiple else f"{value * 100:.1f}%"
    if unit == "points":
        return f"{abs(value) * 100:.1f} {'个百分点' if lang == 'zh' else 'points'}"
    if unit == "hours":
        return f"{value:,.0f} {'小时' if lang == 'zh' else ('hour' if value == 1 else 'hours')}"
    if unit == "days":
        return f"{value:,.0f} {'天' if lang == 'zh' else ('day' if value == 1 else 'days')}"
    return f"{value:,.0f}" if value == int(value) else f"{value:,}"


class FactSheet:
    """Collects the facts of one answer and numbers them f1, f2, …; the only place where facts are made."""

    def __init__(
        self, at: datetime, lang: str, currency: str, local: Callable[[str], str] = lambda query: query
    ) -> None:
        """`local`: a query as the shop's engine reads it."""
        self.at = at
        self.local = local
        self.lang = lang
        self.currency = currency
        self.facts: list[Fact] = []
        self.citations: list[Citation] = []
        self.turn = threading.Lock()  # a model may call several tools at once; they add their facts one after another

    def empty(self) -> FactSheet:
        """A sheet for the same answer with nothing on it."""
        return FactSheet(self.at, self.lang, self.currency, self.local)

    def add(
        self,
        label: str,
        value: float | int | str | None,
        unit: Unit,
        query: str,
        *,
        shown: str | None = None,
        metric: str | None = None,
        crowd: str | None = None,
        window: Window | None = None,
        at: datetime | None = None,
    ) -> Fact:
        fact = Fact(
            id=f"f{len(self.facts) + 1}",
            label=label,
            value=value,
            unit=unit,
            display=shown if shown is not None else self._display(value, unit, metric),
            metric=metric,
            crowd=crowd,
            period=window.as_json() if window else None,
            query=self.local(query),
            as_of=(at or self.at).strftime("%Y-%m-%d %H:%M"),
        )
        self.facts.append(fact)
        return fact

    def _display(self, value: float | int | str | None, unit: Unit, metric: str | None) -> str:
        multiple = metric is not None and catalog.metrics()[metric].multiple
        return display(value, unit, self.lang, self.currency, multiple=multiple)

    def moment(self, label: str, when: datetime, shown: str) -> Fact:
        """A point in time that the calendar gave."""
        stamp = when.strftime("%Y-%m-%d %H:%M:%S")
        return self.add(label, stamp[:16], "date", f"SELECT TIMESTAMP '{stamp}'", shown=shown)

    def text(self, label: str, value: str, query: str) -> Fact:
        return self.add(label, value, "text", query)

    def cite(self, source: str, section: str, quote: str) -> int:
        """The number of a citation; the same section gets the same number."""
        for c in self.citations:
            if (c.source, c.section, c.quote) == (source, section, quote):
                return c.id
        citation = Citation(id=len(self.citations) + 1, source=source, section=section, quote=quote)
        self.citations.append(citation)
        return citation.id
