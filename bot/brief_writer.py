"""The briefing's lines: a phone screen and a half, each number a fact's display."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import prompts
from tools import wording
from tools.facts import Action, ToolResult


def brief_lines(result: ToolResult, lang: str) -> list[str]:
    """The lines of a "brief" result, **bold** being the only markup; an empty string is a paragraph's end."""

    def say(key: str, **variables: object) -> str:
        return prompts.text(key, lang, **variables)

    data = result.data
    lines = [*data["notes"], f"**{data['head']}**"]
    lines += [x for x in (data["where"], data.get("mover"), data.get("answer")) if x]
    lines += data.get("lines", [])
    lines += _table(result, say)
    if data["money"]:
        lines += ["", say("brief.money"), *data["money"]]
    if result.actions or data.get("donts"):
        lines += ["", say("brief.do")]
        lines += [_do(i, a, data["at"], lang, say) for i, a in enumerate(result.actions, 1)]
        lines += [f"· {say('brief.dont', title=d['title'])} {_marks(d['cites'])}" for d in data.get("donts", [])]
    if data.get("prepare"):
        lines += ["", say("brief.prepare"), *(f"· {p['text']} {_marks(p['cites'])}" for p in data["prepare"])]
    if data.get("more"):
        lines.append(say("brief.rest"))
    if data.get("watch"):
        lines += ["", say("brief.watch"), *(f"· {gate}" for gate in data["watch"])]
    if result.citations:
        lines += ["", say("brief.sources", sources=_sources(result))]
    return lines


def _table(result: ToolResult, say: Any) -> list[str]:
    """A line a crowd for yesterday, with what the phase's ratio was; what changed in the shop; a line a crowd to date."""
    data = result.data
    shown = {f.id: f.display for f in result.facts}
    rows, days = data["rows"], data["days"]
    lines: list[str] = []
    if "yesterday" in days:
        columns = " / ".join(data["columns"])
        lines += ["", say("brief.rows_head", day=days["yesterday"], columns=columns, ratio=data["ratio"])]
        lines += [_row(row, "yesterday", shown, say) for row in rows]
    for tag, key in (("previous", "brief.against_previous"), ("last", "brief.against_last")):
        if tag in data["changes"]:
            pairs = zip(data["columns"], data["changes"][tag], strict=True)
            changes = say("join.list").join(say("brief.change", name=n, change=shown[c]) for n, c in pairs)
            lines.append(say(key, day=days[tag], changes=changes))
    if data["last_missing"]:
        lines.append(data["last_missing"])
    if "to_date" in days:
        head = say("brief.to_date_head", day=days["to_date"])
        if "yesterday" not in days:  # nobody has said yet what the numbers are
            head = say(
                "brief.to_date_head_all", day=days["to_date"], columns=" / ".join(data["columns"]), ratio=data["ratio"]
            )
        lines += ["", head]
        lines += [_row(row, "to_date", shown, say) for row in rows]
    return lines


def _row(row: dict[str, Any], tag: str, shown: dict[str, str], say: Any) -> str:
    *values, ratio = (shown[i] for i in row[tag])
    earlier = (("previous", "brief.beside_previous"), ("last", "brief.beside_last")) if tag == "yesterday" else ()
    beside = [say(key, value=shown[row[other][-1]]) for other, key in earlier if other in row]
    text = say("brief.beside", text=say("join.comma").join(beside)) if beside else ""
    return str(say("brief.row", name=row["name"], values=" / ".join(values), ratio=ratio, beside=text))


def _do(number: int, action: Action, at: str, lang: str, say: Any) -> str:
    """1. **who** · channels · when, deadline [1]; the reasons and the stop rule stand in the plan."""
    now = _moment(at)
    title = action.title.partition(" — ")[0]
    parts = [f"{number}. **{title}**"]
    channels = [prompts.text(f"channel.{c}", lang) for c in action.channels]
    if channels:
        parts.append(say("join.list").join(channels))
    ends = None
    if action.deadline:
        ends = wording.moment(_moment(action.deadline) + timedelta(minutes=1), now, lang)
    if action.when and ends:
        parts.append(say("brief.deadline", when=wording.moment(_moment(action.when), now, lang), deadline=ends))
    elif ends:
        parts.append(say("brief.by", deadline=ends))
    return f"{' · '.join(parts)} {_marks(action.cites)}"


def _moment(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%d %H:%M")


def _marks(cites: list[int]) -> str:
    return "".join(f"[{c}]" for c in cites)


def _sources(result: ToolResult) -> str:
    """[1][2] 618 作战室 [3] 双11会员运营: the sections are the tasks' own names, so the sources are enough."""
    by_source: dict[str, list[int]] = {}
    for c in result.citations:
        by_source.setdefault(c.source, []).append(c.id)
    return " ".join(f"{_marks(ids)} {source}" for source, ids in by_source.items())
