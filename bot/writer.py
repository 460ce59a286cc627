"""The embedded model's sentences: artifacts of tools into text. Every numeral it writes is a fact's display."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

import prompts
from bot.answer import Clarify, Interpretation
from bot.brief_writer import brief_lines
from bot.draft_writer import check_lines, draft_lines
from bot.review_writer import review_lines, target_lines
from bot.understanding.lexicon import fold, words
from tools import wording
from tools.facts import ToolResult

_BESIDE = 3  # entries in one line


def fixed(key: str, lang: str, **variables: object) -> str:
    return prompts.text(key, lang, **variables)


def without_tool(what: Interpretation, clarify: Clarify | None, lang: str, question: str) -> str:
    """Answers that need no data: a question back, help, a greeting, a refusal that says what works instead."""
    if clarify is not None:
        return "\n".join([clarify.question, *(f"· {o}" for o in clarify.options)])
    if what.intent == "help":
        return fixed("answer.help", lang)
    if what.intent == "smalltalk" and any(word in fold(question) for word in words().thanks):
        return fixed("answer.thanks", lang)
    if what.intent == "smalltalk":
        return fixed("answer.hello", lang)
    known = words().intents
    if what.intent == "unsupported" and any(_stands_in(w, question) for w in known["privacy"]):
        return fixed("answer.privacy", lang)
    if what.intent == "unsupported" and any(_stands_in(w, question) for w in known["elsewhere"]):
        return fixed("answer.elsewhere", lang)
    if what.intent == "check":
        return fixed("draft.paste_text", lang)
    left = fixed("join.list", lang).join(what.unused)
    missed = fixed("answer.not_understood_words", lang, words=left) if left else fixed("answer.not_understood", lang)
    return f"{missed}\n{fixed('answer.help', lang)}"


def _stands_in(word: str, question: str) -> bool:
    return fold(word) in fold(question)


def write(artifact: dict[str, Any], what: Interpretation, lang: str) -> str:
    """The answer's text for one tool result."""
    result = ToolResult.model_validate(artifact)
    if result.kind == "refused":
        return f"{result.data['message']}\n{result.data['hint']}"
    lines = {
        "phase": _phase, "plan": _plan, "crowd": _crowd, "metric": _metric, "knowledge": _knowledge, "brief": _brief,
        "draft": _draft, "check": _check, "target": _target, "review": _review,
        "calculated": _calculated,
    }[result.kind](result, what, lang)  # fmt: skip
    assumed = [*what.assumed, *result.data.get("assumed", [])]
    if assumed:
        lines.append(fixed("answer.assumed", lang, assumed=fixed("join.list", lang).join(assumed)))
    words_left = fixed("join.list", lang).join(what.unused)
    if what.unused and result.kind in ("metric", "crowd"):
        # Who reads the number must see first that a word of the question is not in it.
        lines.insert(1, fixed("answer.unfiltered", lang, words=words_left))
    elif what.unused and result.kind == "draft":
        lines = [fixed("answer.unused", lang, words=words_left), "", *lines]  # before a text is copied and sent
    elif what.unused and result.kind != "knowledge":
        lines.append(fixed("answer.unused", lang, words=words_left))
    if lang == "en":
        lines = [_capital(line) for line in lines]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _capital(line: str) -> str:
    """An English line begins with a capital, behind its markup."""
    return re.sub(r"^((?:\d+\. |· )?(?:\*\*)?)([a-z])(?![a-z]?\d)", lambda m: m[1] + m[2].upper(), line)


def _phase(result: ToolResult, what: Interpretation, lang: str) -> list[str]:
    data = result.data
    lines = [f"**{data['head']}**", *data["lines"]]
    if data["gates"]:
        lines += [fixed("phase.gates", lang), *(f"· {g}" for g in data["gates"])]
    if data["calendar"]:
        lines += [fixed("phase.days", lang), *(f"· {c}" for c in data["calendar"])]
    return [*lines, _next("phase", lang)]


def _plan(result: ToolResult, what: Interpretation, lang: str) -> list[str]:
    data = result.data
    lines = [f"**{data['head']}**"]
    if data["mode"] == "outside":
        return [*lines, *data["lines"], _next("phase", lang)]
    lines.append(data["where"])
    lines += [*data["notes"], ""]
    if data.get("meaning"):
        lines.append(data["meaning"])
    lines += [*data["lines"], ""]
    number = 0
    for action in result.actions:
        number += 1
        lines += _action(number, action.model_dump(), result, lang, data.get("what", {}).get(action.id, ""))
    for dont in data.get("donts", []):
        number += 1
        lines.append(f"{number}. {fixed('plan.dont', lang, title=dont['title'])} {_marks(dont['cites'])}")
    if data.get("more"):
        lines.append(f"({fixed('plan.more', lang)})" if lang == "en" else f"（{fixed('plan.more', lang)}）")
    if data.get("related"):
        lines += [fixed("plan.related", lang), *(f"· {line}" for line in data["related"])]
    for key, title in (("prepare", "plan.prepare"), ("methods", "tasks.methods"), ("watch", "plan.watch")):
        if data.get(key):
            lines += ["", fixed(title, lang)]
            lines += [
                f"· {entry['text']}{' ' + _marks(entry['cites']) if entry.get('cites') else ''}" for entry in data[key]
            ]
        if key == "methods" and data.get("more_methods"):
            lines.append(fixed("tasks.more_methods", lang))
    lines += ["", *_sources(result, lang)]
    return [*lines, _next("plan_unpaid" if data["mode"] == "unpaid" else "plan_tasks", lang)]


def _brief(result: ToolResult, what: Interpretation, lang: str) -> list[str]:
    return brief_lines(result, lang)


def _draft(result: ToolResult, what: Interpretation, lang: str) -> list[str]:
    return draft_lines(result, lang)


def _check(result: ToolResult, what: Interpretation, lang: str) -> list[str]:
    return check_lines(result, lang)


def _target(result: ToolResult, what: Interpretation, lang: str) -> list[str]:
    return target_lines(result, lang)


def _review(result: ToolResult, what: Interpretation, lang: str) -> list[str]:
    return review_lines(result, lang)


def _action(number: int, action: dict[str, Any], result: ToolResult, lang: str, what: str = "") -> list[str]:
    """One action: what, to whom, how and by when; `what` is done in it, in a sentence; when a person leaves the list."""
    title, _, note = action["title"].partition(" — ")
    now = datetime.strptime(result.facts[0].as_of, "%Y-%m-%d %H:%M")
    parts = [f"{number}. **{title}**"]
    channels = [fixed(f"channel.{c}", lang) for c in action["channels"]]
    unsaid = [c for c in channels if c.lower() not in title.lower() and c.removesuffix("消息") not in title]
    if unsaid:
        parts.append(fixed("join.list", lang).join(unsaid))
    timing = []
    if action["when"]:
        timing.append(wording.moment(datetime.strptime(action["when"], "%Y-%m-%d %H:%M"), now, lang))
    if action["deadline"]:
        ends = datetime.strptime(action["deadline"], "%Y-%m-%d %H:%M") + timedelta(minutes=1)
        by = fixed("plan.deadline_by", lang, deadline=wording.moment(ends, now, lang))
        timing.append(by if timing else by.lstrip("，, "))
    if timing:
        parts.append("".join(timing))
    if note:
        parts.append(note)
    out = [" · ".join(parts) + f" {_marks(action['cites'])}"]
    out += [f"   {what}"] if what and what.rstrip("。. ") != title else []
    if action["stop_rule"]:
        out.append(f"   {fixed('plan.stop', lang, rule=action['stop_rule'])}")
    return out


def _marks(cites: list[int]) -> str:
    return "".join(f"[{c}]" for c in cites)


def _sources(result: ToolResult, lang: str) -> list[str]:
    if not result.citations:
        return []
    return [fixed("plan.cites", lang) + " " + " ".join(f"[{c.id}] {c.source} · {c.section}" for c in result.citations)]


def _next(key: str, lang: str) -> str:
    return fixed("plan.ask_next", lang) + fixed(f"next.{key}", lang)


def _calculated(result: ToolResult, what: Interpretation, lang: str) -> list[str]:
    return [result.data["line"]]


def _crowd(result: ToolResult, what: Interpretation, lang: str) -> list[str]:
    lines = []
    for n, block in enumerate(result.data["blocks"]):
        lines.append(f"**{block['head']}**")
        if n == 0:  # that the data is old is read before the numbers that hang on it
            lines += result.data["notes"]
        lines += block["lines"]
        if block["meaning"]:
            lines.append(fixed("crowd.meaning", lang, meaning=block["meaning"]))
    return [*lines, _next("crowd", lang)]


def _metric(result: ToolResult, what: Interpretation, lang: str) -> list[str]:
    data = result.data
    lines: list[str] = []
    if data.get("by"):
        lines += _table(data, lang)
    if len(data["blocks"]) > 1:
        lines += _several(data, lang)
    for block in data["blocks"] if len(data["blocks"]) == 1 else []:
        key = "metric.value"
        if block["null"]:
            key = "metric.no_peers" if block["peers"] else "metric.none"
        line = fixed(key, lang, crowd=block["crowd"], metric=block["metric"], when=data["when"], value=block["value"])
        line += _against(block, data, lang)
        lines.append(f"**{line}**")
        if block["parts"]:
            lines.append(fixed("join.list", lang).join(block["parts"]))
        lines += _same_time(block, data, lang)
    lines += data["notes"]
    marks = _marks(data["cites"])
    meanings = fixed("join.list", lang).join(data["meanings"]) if len(data["meanings"]) <= 2 else ""
    if meanings:
        lines.append(fixed("metric.definition", lang, meanings=meanings) + f" {marks}".rstrip())
    if data["cites"]:
        lines += _sources(result, lang)
    return [*lines, _next("metric", lang)]


def _several(data: dict[str, Any], lang: str) -> list[str]:
    """Several numbers: what they share in the headline, then a line each with what it stands against."""
    blocks = data["blocks"]
    crowds = list(dict.fromkeys(b["crowd"] for b in blocks))
    one_crowd = crowds[0] if len(crowds) == 1 else ""
    out = [
        f"**{fixed('metric.several', lang, when=data['when'], crowd=one_crowd or fixed('join.list', lang).join(crowds))}**"
    ]
    for b in blocks:
        name = b["metric"] if one_crowd else fixed("metric.of", lang, crowd=b["crowd"], metric=b["metric"])
        against = []
        for tag, same_time in (("same", True), ("whole", False)):
            other = b.get(tag)
            if not other or not data.get("compare") or other["value"] in (None, "—"):
                continue
            words = _other(data, lang, same_time=same_time)
            if same_time:
                words = fixed("metric.same_moment", lang, other=words)
            change = "" if tag == "whole" and "same" in b else _change(other, lang)
            against.append(fixed("metric.beside", lang, other=words, value=other["value"]) + change)
        tail = fixed("metric.aside", lang, text=fixed("join.semicolon", lang).join(against)) if against else ""
        out.append(f"· {name} {b['value']}{tail}")
    return out


def _table(data: dict[str, Any], lang: str) -> list[str]:
    """A line a value of the breakdown; what all lines share stands in the headline."""
    rows = data["rows"]
    if not rows:
        return [f"**{data['empty']}**"]
    if data["single"]:
        head = fixed(
            "metric.rows_head", lang, by=data["by"], when=data["when"], crowd=rows[0]["crowd"], metric=rows[0]["metric"]
        )
        peaks = [fixed("metric.peak", lang, by=r["by"], value=r["value"]) for r in rows if r["peak"]]
        lines = [f"{r['by']} {r['value']}{_beside(r, data, lang)}" for r in rows]
        if data["hourly"] and not data["compare"]:
            lines = _packed(lines)
        return [f"**{head}**", *peaks, *(f"· {line}" for line in lines)]
    if len({r["crowd"] for r in rows}) == 1:
        head = fixed("metric.rows_head_crowd", lang, by=data["by"], when=data["when"], crowd=rows[0]["crowd"])
        together: dict[str, list[str]] = {}
        for r in rows:
            together.setdefault(r["by"], []).append(f"{r['metric']} {r['value']}{_beside(r, data, lang)}")
        return [
            f"**{head}**",
            *(f"· {fixed('metric.row_many', lang, by=by, values=' · '.join(said))}" for by, said in together.items()),
        ]
    head = fixed("metric.rows_head_many", lang, by=data["by"], when=data["when"])
    return [
        f"**{head}**",
        *(f"· {r['by']} · {r['crowd']} · {r['metric']} {r['value']}{_beside(r, data, lang)}" for r in rows),
    ]


def _packed(lines: list[str]) -> list[str]:
    """Short entries side by side: 24 hours fit on a phone."""
    size = _BESIDE if len(lines) > _BESIDE else 1
    return [" · ".join(lines[i : i + size]) for i in range(0, len(lines), size)]


def _beside(row: dict[str, Any], data: dict[str, Any], lang: str) -> str:
    """What a row of a breakdown stands against."""
    if not row.get("other"):
        return ""
    other = _other(data, lang, same_time=data["hourly"])
    return fixed("metric.aside", lang, text=fixed("metric.beside", lang, other=other, value=row["other"]))


def _other(data: dict[str, Any], lang: str, *, same_time: bool = False) -> str:
    """What the number stands against, in words: 昨天全天, 目标, 6 月 2 日, …"""
    compare: str = data["compare"]
    if "against" in data:
        return str(data["against"])
    if compare == "previous_day" and data["when"].startswith(fixed("when.today", lang)):
        return fixed("compare.yesterday" if same_time else "compare.yesterday_whole", lang)
    return fixed("compare.campaign" if compare.startswith("campaign:") else f"compare.{compare}", lang)


def _against(block: dict[str, Any], data: dict[str, Any], lang: str) -> str:
    whole = block.get("whole")
    if whole is None or not data.get("compare"):
        return ""
    other = _other(data, lang)
    if whole["value"] is None or whole["value"] == "—":
        return fixed("metric.against_none", lang, other=other)
    # A part of a day is not set against a whole one as better or worse; the same time of day is, in its own line.
    change = "" if "same" in block else _change(whole, lang)
    return fixed("metric.against_whole", lang, other=other, value=whole["value"]) + change


def _change(compared: dict[str, Any], lang: str) -> str:
    if not compared.get("change"):
        return ""
    if compared["change"] == "same":
        return fixed("metric.same", lang)
    return fixed(f"metric.{compared['change']}", lang, by=compared["by"])


def _same_time(block: dict[str, Any], data: dict[str, Any], lang: str) -> list[str]:
    same = block.get("same")
    if not same or same["value"] in (None, "—"):
        return []
    other = _other(data, lang, same_time=True)
    return [fixed("metric.same_time", lang, other=other, value=same["value"], change=_change(same, lang))]


def _knowledge(result: ToolResult, what: Interpretation, lang: str) -> list[str]:
    data = result.data
    if not data["passages"]:
        unknown = (
            [fixed("answer.unknown", lang, words=fixed("join.list", lang).join(what.unused))] if what.unused else []
        )
        near = fixed("join.list", lang).join(data["near"])
        more = fixed("knowledge.near", lang, sections=near) if near else fixed("answer.help", lang)
        return [*unknown, fixed("knowledge.none", lang), more]
    lines: list[str] = []
    for p in data["passages"]:
        lines.append(fixed("knowledge.head", lang, title=p["title"]))
        lines += [*p["lines"][:-1], f"{p['lines'][-1]} [{p['cite']}]"]
    if data["also"]:
        lines.append(fixed("knowledge.also", lang, sections=fixed("join.list", lang).join(data["also"])))
    lines += _sources(result, lang)
    return [*lines, _next("knowledge", lang)]
