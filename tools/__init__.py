"""Deterministic functions on the merchant's data and playbooks. No model, no Telegram.

`TOOLS` are the ones that a model may call: each takes a Context first, then typed arguments, and returns a ToolResult.
"""

from __future__ import annotations

from collections.abc import Callable

from tools.briefing import brief
from tools.calculate import calculate
from tools.checks import check_copy
from tools.copywriting import draft
from tools.facts import ToolResult
from tools.phase_told import phase
from tools.plans import plan
from tools.playbooks import search_playbooks
from tools.reports import crowd, metric
from tools.review import review
from tools.target_report import target

TOOLS: tuple[Callable[..., ToolResult], ...] = (
    phase, plan, brief, crowd, metric, target, review, draft, check_copy, search_playbooks, calculate,
)  # fmt: skip
