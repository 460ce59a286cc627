"""A campaign calendar in a document: phases with their days, gates with their time of day, member days.

It stands in a table (阶段 | 时间) or in lines (预售：10.24–10.31); at least two phases whose kind is known make a calendar.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tools.proposals_dates import Day, Span, folded, spans
from tools.proposals_tasks import phase_name, task_table
from tools.proposals_words import Kind, is_other_column, kind_of, means, role_of

if TYPE_CHECKING:
    from knowledge.cutting import Part, Table

_FEWEST = 2  # phases of a known kind
_MOST_ROWS = 100  # of a table that is a calendar
_LONGEST_LINE = 60  # characters; what is longer is prose, not a line of a calendar
_LONGEST_NAME = 24
_MOST_LINES = 5_000  # short ones with days; a document with more is a log, not a plan
_MAY_DATE = re.compile(
    r"\d\s*[-./月]\s*\d|[一二三四五六七八九十]月|(?i:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)|20\d{6}"
)
_MARKS = " \t:：-–—~·•*#>|,，;；()（）[]【】"
_BULLET = re.compile(r"^\s*(?:[-*+•·▪●]\s*|第?[\d一二三四五六七八九十]{1,3}[、.．)）]\s*(?!\d)|[（(]\d{1,2}[)）]\s*)+")


@dataclass(frozen=True)
class PhaseLine:
    """One phase as it is written: in a line, or in a row of a table (counted from 1, below the header)."""

    name: str
    kind: Kind | None
    span: Span
    line: str = ""
    row: int = 0


@dataclass(frozen=True)
class GateLine:
    name: str
    day: Day


@dataclass
class Calendar:
    """What was found, in the order of the days. `path`: the section or table in which it stands."""

    path: str
    phases: list[PhaseLine] = field(default_factory=list)
    gates: list[GateLine] = field(default_factory=list)
    member_days: list[Day] = field(default_factory=list)
    balance: list[PhaseLine] = field(default_factory=list)

    @property
    def known(self) -> int:
        return sum(p.kind is not None for p in self.phases)


@dataclass(frozen=True)
class _Said:
    """A name with the days that stand beside it."""

    name: str
    days: list[Span]
    line: str = ""
    row: int = 0


def calendars(tables: Sequence[Table], parts: Sequence[Part]) -> list[Calendar]:
    """The calendars of a document. Gates and member days that stand apart go to the calendar if there is only one."""
    found: list[Calendar] = []
    apart = Calendar("")
    for table in (t for t in tables if len(t.rows) <= _MOST_ROWS):
        one = Calendar(table.path)
        for said in _rows(table):
            _take(one, said)
        if _is_calendar(one):
            found.append(one)
        elif not one.phases:
            _join(apart, one)
    for one in _from_lines(parts, {c.strip() for t in tables for row in (t.header, *t.rows) for c in row}):
        if _is_calendar(one):
            if not any(_same_days(one, other) for other in found):
                found.append(one)
        else:
            _join(apart, one)
    if len(found) == 1:
        _join(found[0], apart)
    for one in found:
        _balance_apart(one)
    return found


def _is_calendar(one: Calendar) -> bool:
    kinds = {p.name for p in one.phases if p.kind}
    ranges = any(not p.span.single for p in one.phases)
    return len(kinds) >= _FEWEST and ranges and 2 * one.known >= len(one.phases)


def _join(one: Calendar, other: Calendar) -> None:
    one.gates += [g for g in other.gates if g.day not in [x.day for x in one.gates]]
    one.member_days += [d for d in other.member_days if d not in one.member_days]


def _same_days(one: Calendar, other: Calendar) -> bool:
    return {p.span.first for p in one.phases} <= {p.span.first for p in other.phases}


def _balance_apart(one: Calendar) -> None:
    """A line about paying balances within another sale phase is no phase of its own."""
    for line in [p for p in one.phases if means(p.name, "balance")]:
        for other in one.phases:
            if other is not line and other.kind == "sale" and line.span.first and _within(line.span, other.span):
                one.phases.remove(line)
                one.balance.append(line)
                break


def _within(inner: Span, outer: Span) -> bool:
    if not (inner.first and inner.last and outer.first and outer.last):
        return False
    return outer.first.order <= inner.first.order and inner.last.order <= outer.last.order


# --- from tables and lines to phases -----------------------------------------------------------------------------


def _take(one: Calendar, said: _Said) -> None:
    """Put what a row or line says where it belongs: phase, gate or member days."""
    if means(said.name, "member_day"):
        one.member_days += [s.first for s in said.days if s.single and s.first and s.first not in one.member_days]
        return
    if len(said.days) != 1:
        return
    span = said.days[0]
    if span.single and span.first is not None and span.first.at is not None:
        one.gates.append(GateLine(said.name, span.first))
        return
    kind = kind_of(said.name)
    if (span.single and kind is None) or any(p.name == said.name and p.span == span for p in one.phases):
        return
    one.phases.append(PhaseLine(said.name, kind, span, said.line, said.row))
    if span.first is not None and span.first.at is not None:
        one.gates.append(GateLine(said.name, span.first))


def _rows(table: Table) -> Iterator[_Said]:
    if any(is_other_column(h) for h in table.header):
        return
    tasks = task_table(table)
    if tasks is not None and len({r.phase for r in tasks.rows}) < len(tasks.rows):
        return  # several tasks a phase: a list of tasks
    for number, row in enumerate([table.header, *table.rows]):
        cells = [c.strip() for c in row]
        roles = [role_of(h) for h in table.header]
        if len(cells) < len(roles):
            continue
        named = next((i for r in ("phase", "title", "weak_title") for i, x in enumerate(roles) if x == r), None)
        if named is None or not cells[named]:
            named = next((i for i, c in enumerate(cells) if kind_of(c) and len(c) <= _LONGEST_LINE), None)
        if named is None:
            continue
        begins, ends = (
            next((spans(c, loose=True) for c, r in zip(cells, roles, strict=False) if r == role), [])
            for role in ("first", "last")
        )
        name = phase_name(cells[named])[:_LONGEST_NAME]
        if len(begins) == len(ends) == 1:
            yield _Said(name, [Span(begins[0].first, ends[0].last, 0, 0)], row=number)
            continue
        timed = [c for c, r in zip(cells, roles, strict=False) if r == "time" and c]
        said = next((s for c in [*timed, cells[named]] if (s := spans(c, loose=c in timed))), None)
        if said is None:
            others = [c for i, c in enumerate(cells) if i != named and len(c) <= _LONGEST_LINE]
            said = next((s for c in others if (s := spans(c))), None)
        if said and name:
            yield _Said(name, said, row=number)


def _from_lines(parts: Sequence[Part], cells: set[str]) -> list[Calendar]:
    """Lines that say a name and its days, cut into calendars where the days begin again."""
    out: list[Calendar] = []
    seen: set[str] = set()
    for part in parts:
        for line in (*part.path.split(" › "), *part.text.splitlines()):
            if line in seen or len(line) > 2 * _LONGEST_LINE or not _MAY_DATE.search(line):
                continue
            if line.strip() in cells or "|" in line or "\t" in line or line.endswith("…"):
                continue
            seen.add(line)
            if len(seen) > _MOST_LINES:
                return out
            said = _line(line)
            if said is None:
                continue
            if not out or _begins_again(out[-1], said):
                out.append(Calendar(part.path))
            _take(out[-1], said)
    return out


def _line(line: str) -> _Said | None:
    """预售：10.24–10.31 · 10.24–10.31 预售 · 10月24日20:00 付定金."""
    text = _BULLET.sub("", folded(line)).strip()
    days = spans(text)
    if not days or len(text) > _LONGEST_LINE:
        return None
    before, tail = text[: days[0].start].strip(_MARKS), text[days[-1].end :]
    if before and tail and tail[0] not in _MARKS + "。.、":
        return None  # the sentence goes on: 10月24日开始酝酿
    name = before or tail.strip(_MARKS)
    if not name or is_other_column(name) or len(name) > _LONGEST_NAME or re.search(r"[。!?！？]", name):
        return None
    original = _BULLET.sub("", line).strip()
    at = folded(original).find(name)
    verbatim = original[at : at + len(name)] if at >= 0 and len(folded(original)) == len(original) else name
    return _Said(verbatim, days, line=line.strip())


def _begins_again(one: Calendar, said: _Said) -> bool:
    if not one.phases or kind_of(said.name) is None or said.days[0].first is None:
        return False
    last, first = one.phases[-1].span.first, said.days[0].first
    if last is None or means(said.name, "balance"):
        return False
    over_new_year = last.month - first.month >= 8
    return (first.year or 0, first.order) < (last.year or 0, last.order) and not over_new_year
