"""What an answer can be turned into: its sources, its picture, its numbers as a table, its people as a list."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import prompts
from bot import grounding
from bot.answer import Answer
from bot.embedded import filtered
from bot.understanding.said import summary
from bot.wiring import WarRoom
from tools.errors import AskAgain
from tools.export import export_crowd
from tools.facts import Chart, Fact
from tools.periods import parse_as_of

_PANEL = ["all", "old", "new", "member", "fan"]
_FUNNEL = {"visitors", "carters", "buyers"}
_TREND_DAYS = 7


def _numbers(found: Answer) -> list[Fact]:
    return [f for f in found.facts if f.unit not in ("text", "date")]


def sources_text(found: Answer, lang: str) -> str:
    """What was understood, each number with its data time, each citation with its quote."""
    lines = [f"**{prompts.text('telegram.understood', lang)}** {summary(found.interpretation, lang)}"]
    if numbers := _numbers(found):
        lines += ["", f"**{prompts.text('telegram.numbers', lang)}**"]
        lines += [
            f"· {f.label} {f.display}（{f.as_of}）" if lang == "zh" else f"· {f.label}: {f.display} ({f.as_of})"
            for f in numbers
        ]
    if found.citations:
        lines += ["", f"**{prompts.text('telegram.citations', lang)}**"]
        for c in found.citations:
            lines += [f"[{c.id}] {c.source} · {c.section}", c.quote]
    return "\n".join(lines)


def why_text(found: Answer, question: str, lang: str) -> str:
    """For each number of the answer its fact, the data's time and the query, as SQL that can be run as it stands."""
    parts = []
    for span, fact in grounding.traced(found, question):
        said = prompts.text(
            "explain.why", lang, span=span, id=fact.id, label=fact.label, value=fact.display, at=fact.as_of
        )
        parts.append(f"-- {' '.join(said.split())}\n{fact.query};")
    return "\n\n".join(parts)


def queries_file(found: Answer) -> bytes:
    """The queries of the numbers, each under what it gives; empty when there is none."""
    parts = [f"-- {f.id} {f.label}: {f.display} ({f.as_of})\n{f.query};\n" for f in _numbers(found)]
    return "\n".join(parts).encode()


def chart_of(room: WarRoom, found: Answer) -> Chart:
    """The picture that fits the answer: a funnel, a trend by day, another breakdown, or the sizes of crowds. AskAgain when
    there is no data."""
    from tools import charts

    what = found.interpretation
    ctx = room.context(_moment(found), found.lang)
    crowds = filtered(what) or ["all"]
    if what.intent == "crowd" or not what.metrics:
        return charts.sizes(ctx, crowds)
    last = date.fromisoformat(what.period["to"]) if what.period else ctx.at.date()
    first = date.fromisoformat(what.period["from"]) if what.period else last
    if what.by not in (None, "day"):
        return charts.split(ctx, what.metrics[0], crowds[0], first, last, what.by)
    if set(what.metrics) >= _FUNNEL or len(crowds) > 1:
        return charts.funnel(ctx, crowds if len(crowds) > 1 else _PANEL, first, last)
    since = first if first < last else date.fromordinal(last.toordinal() - _TREND_DAYS + 1)
    return charts.trend(ctx, what.metrics[0], crowds[0], since, last)


def table_of(room: WarRoom, found: Answer, path: Path) -> int:
    """The answer's metrics as CSV at `path`, by day where the question named no other breakdown; the number of rows."""
    from tools.tables import panel_csv

    what = found.interpretation
    ctx = room.context(_moment(found), found.lang)
    today = ctx.at.date().isoformat()
    period = what.period or {"from": today, "to": today}
    first, last = date.fromisoformat(period["from"]), date.fromisoformat(period["to"])
    return panel_csv(ctx, what.metrics, filtered(what) or ["all"], first, last, what.by or "day", path)


def people_of(room: WarRoom, found: Answer, path: Path) -> int:
    """The answer's people as CSV at `path`, noted in the shop's audit file; their number. AskAgain when it names no crowd."""
    crowds = filtered(found.interpretation)
    if not crowds:
        raise AskAgain("no_crowd_to_export")
    expression = " or ".join(f"({c})" for c in crowds) if len(crowds) > 1 else crowds[0]
    ctx = room.context(_moment(found), found.lang)
    return export_crowd(
        room.engine, expression, ctx.scope, path, ["member_level", "city"], with_phone=False,
        log=room.shop.root / "audit.jsonl",
    )  # fmt: skip


def _moment(found: Answer) -> datetime | None:
    """The moment that the answer's numbers are of."""
    return parse_as_of(found.facts[-1].as_of) if found.facts else None
