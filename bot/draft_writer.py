"""The embedded model's sentences about copy: drafts of touch messages, and what the check of a given copy says."""

from __future__ import annotations

import re

import prompts
from knowledge.masking import HIDDEN, personal
from tools.facts import Draft, Finding, ToolResult, Verdict

_BILLED = ("sms", "card_sms")


def draft_lines(result: ToolResult, lang: str) -> list[str]:
    """The drafts with their lengths, what the check says, who gets them, what must be known; without drafts, why not."""
    data = result.data
    if not result.drafts:
        return [f"**{data['head']}**", *data["notes"], _next(data["next"], lang)]
    lines: list[str] = []
    for draft, angle in zip(result.drafts, data["angles"], strict=True):
        lines.append(prompts.text("draft.variant", lang, letter=draft.variant, angle=angle, size=_size(draft, lang)))
        lines += [*draft.text.split("\n"), ""]
    return [*lines, _verdict_line(result, lang), *data["notes"], _next(data["next"], lang)]


def _size(copy: Draft | Verdict, lang: str) -> str:
    if copy.channel in _BILLED:
        return prompts.text("draft.size_sms", lang, units=copy.units, segments=copy.segments)
    return prompts.text("draft.size", lang, units=copy.units)


def _verdict_line(result: ToolResult, lang: str) -> str:
    """检查：通过。会发给 946 人（已扣除退订 31、已付款 12）: on a channel that everybody sees, nobody is taken out."""
    data = result.data
    why = list(dict.fromkeys(f.why for d in result.drafts for f in d.verdict.findings))
    line = prompts.text("draft.warned", lang, why=prompts.text("join.semicolon", lang).join(why)) if why else ""
    line = line or prompts.text("draft.passed", lang)
    line += "" if lang == "zh" else " "
    key = {"group": "draft.send_group", "live": "draft.send_live"}.get(data["channel"], "draft.send")
    line += prompts.text(key, lang, people=data["send"])
    if data["removed"]:
        removed = prompts.text("join.list", lang).join(r["text"] for r in data["removed"])
        minus = "draft.not_in" if data["channel"] in ("group", "live") else "draft.minus"
        line += prompts.text(minus, lang, removed=removed)
    return line


def _next(text: str, lang: str) -> str:
    return prompts.text("plan.ask_next", lang) + text


def check_lines(result: ToolResult, lang: str) -> list[str]:
    """The verdict on a copy, and what can be asked next."""
    verdict = Verdict.model_validate(result.data["verdict"])
    return [*verdict_lines(verdict, lang), _next(result.data["next"], lang)]


def verdict_lines(verdict: Verdict, lang: str) -> list[str]:
    """The verdict in one line, the copy's length, then each finding with what to write instead."""
    head = {"pass": "draft.judged_pass", "warn": "draft.judged_warn", "block": "draft.judged_block"}[verdict.verdict]
    channel = prompts.text(f"channel.{verdict.channel}", lang)
    lines = [
        f"**{prompts.text(head, lang)}**",
        prompts.text("draft.judged_as", lang, channel=channel, size=_size(verdict, lang)),
    ]
    for finding in verdict.findings:
        lines += finding_lines(finding, lang)
    return lines


def finding_lines(finding: Finding, lang: str) -> list[str]:
    """· 「全网最低价」不能用：… / 改成：… / 依据：…; a finding about what is missing quotes nothing."""
    level = prompts.text("draft.must" if finding.level == "block" else "draft.should", lang)
    quoted = prompts.text("draft.quoted", lang, text=_starred(finding.text)) if finding.text.strip() else ""
    lines = [prompts.text("draft.finding", lang, level=level, quoted=quoted, why=finding.why)]
    if finding.rewrite:
        lines.append(prompts.text("draft.rewrite", lang, rewrite=_starred(finding.rewrite)))
    elif finding.rewrite == "":
        lines.append(prompts.text("draft.delete", lang))
    return [*lines, prompts.text("draft.source", lang, source=finding.source)]


def _starred(said: str) -> str:
    """Words of the copy in one line, without the phone numbers and accounts in them: the finding must be told, they must not."""
    said = " ".join(said.split("\n"))
    while spans := personal(said):
        start, end = spans[0]
        hidden = re.sub(r"[A-Za-z0-9@._+-]+", HIDDEN, said[start:end])
        if hidden == said[start:end] or personal(hidden):
            hidden = HIDDEN
        said = f"{said[:start]}{hidden}{said[end:]}"
    return said
