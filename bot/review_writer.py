"""The lines of an answer about targets and of a review; each number is a fact's display, the tools made the sentences."""

from __future__ import annotations

import prompts
from tools.facts import ToolResult


def target_lines(result: ToolResult, lang: str) -> list[str]:
    """The lines of a "target" result, **bold** being the only markup; an empty string is a paragraph's end."""
    data = result.data
    lines = [f"**{data['head']}**", *data["notes"], *data["lines"]]
    if data["levers"]:
        lines += ["", data["levers_head"], *(f"· {lever}" for lever in data["levers"])]
    if data["others"]:
        lines += ["", *data["others"]]
    lines += data["how"]
    return [*lines, prompts.text("plan.ask_next", lang) + prompts.text("goal.next", lang)]


def review_lines(result: ToolResult, lang: str) -> list[str]:
    """The lines of a "review" result: overall, by phase, who bought, messages, what it says."""
    data = result.data
    lines = [f"**{data['head']}**", *([data["where"]] if data["where"] else []), *data["notes"]]
    touches = [*data["touches"], *data["variants"]]
    sections = (
        ("review.totals_head", data["totals"]),
        ("review.phases_head", data["phases"]),
        ("review.crowds_head", data["crowds"]),
        ("review.touches_head", touches),
    )
    for head, entries in sections:
        if entries:
            lines += ["", prompts.text(head, lang), *(f"· {entry}" for entry in entries)]
    if data["no_touches"]:
        lines += ["", data["no_touches"]]
    if data["findings"]:
        numbered = (f"{n}. {sentence}" for n, sentence in enumerate(data["findings"], 1))
        lines += ["", prompts.text("review.findings_head", lang), *numbered]
    return [*lines, "", prompts.text("plan.ask_next", lang) + prompts.text("review.next", lang)]
