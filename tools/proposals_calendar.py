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
_CLOCK = re.compile(
    r"(?<![\d:])(?:[01]?\d|2[0-3]):[0-5]\d(?![\d:])|(?:凌晨|早上?|上午|中午|下午|晚上?|夜里)\s*\d{1,2}[点时](?:半|整)?"
)
_BULLET = re.compile(r"^\s*(?:[-*+•·▪●]\s*|第?[\d一二三四五六七八九十]{1,3}[、.．)）]\s*(?!\d)|[（(]\d{1,2}[)）]\s*)+")


@dataclass(frozen=True)
class PhaseLine:
    """One phase as it is written: in a line, or in a row of a table (counted from 1, below the header)."""

    name: str
    kind: Kind | None
    span: Span
    line: str = ""
    row: int = 0
    untaken: tuple[tuple[str, str], ...] = ()  # (time of day, the words around it) that no gate could be made of


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
    beside: tuple[str, ...] = ()  # what else the row or line says; a time of day in it opens a gate


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
    cells = {c.strip() for t in tables for row in (t.header, *t.rows) for c in row}
    for one in _from_lines(parts, cells, sorted((t.path for t in tables), key=len, reverse=True)):
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
    gates = [GateLine(said.name, span.first)] if span.first is not None and span.first.at is not None else []
    untaken: list[tuple[str, str]] = []
    for text in said.beside:
        more, left = _moments(text, span, said.name)
        gates += more
        untaken += left
    one.phases.append(PhaseLine(said.name, kind, span, said.line, said.row, tuple(untaken)))
    for gate in gates:
        if (gate.day.order, gate.day.at) not in [(g.day.order, g.day.at) for g in one.gates]:
            one.gates.append(gate)


def _moments(text: str, within: Span, phase: str) -> tuple[list[GateLine], list[tuple[str, str]]]:
    """Gates of a description (12月10日 20:00 开卖), named by the words behind the time, else as the phase is; and the times
    of day that are none, because no day of the phase stands with them."""
    shown = folded(text)
    verbatim = text if len(shown) == len(text) else shown
    found = spans(text)
    gates: list[GateLine] = []
    untaken: list[tuple[str, str]] = []
    bare = shown
    for i, s in enumerate(found):
        bare = bare[: s.start] + " " * (s.end - s.start) + bare[s.end :]
        stop = found[i + 1].start if i + 1 < len(found) else len(shown)
        for day in dict.fromkeys((s.first, s.last)):
            if day is None or day.at is None:
                continue
            if day is s.first and _within(Span(day, day, 0, 0), within):
                words = re.split(r"[,，;；。、(（\n]", verbatim[s.end : stop].lstrip(_MARKS))[0].strip(_MARKS)
                gates.append(GateLine(words if 0 < len(words) <= _LONGEST_NAME else phase, day))
            else:
                untaken.append((f"{day.at:%H:%M}", text))
    untaken += [(m[0], text) for m in _CLOCK.finditer(bare)]
    return gates, untaken


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
            used = {i for i, r in enumerate(roles) if r in ("first", "last")} | {named}
            beside = tuple(c for i, c in enumerate(cells) if c and i not in used)
            yield _Said(name, [Span(begins[0].first, ends[0].last, 0, 0)], row=number, beside=beside)
            continue
        timed = [c for c, r in zip(cells, roles, strict=False) if r == "time" and c]
        others = [c for i, c in enumerate(cells) if i != named and len(c) <= _LONGEST_LINE]
        where, said = next(
            ((c, s) for c in [*timed, cells[named], *others] if (s := spans(c, loose=c in timed))), ("", None)
        )
        if said and name:
            beside = tuple(c for i, c in enumerate(cells) if c and i != named and c != where)
            yield _Said(name, said, row=number, beside=beside)


def _from_lines(parts: Sequence[Part], cells: set[str], sections: Sequence[str]) -> list[Calendar]:
    """Lines that say a name and its days, cut into calendars where the days begin again.

    `cells`: what stands in tables, which are read by themselves; `sections`: where those stand, the longest path first.
    """
    out: list[Calendar] = []
    seen: set[str] = set()
    for part in parts:
        path = (
            next((s for s in sections if part.path.startswith(s)), "") if part.shown else part.path
        )  # without the row's
        for line in (*path.split(" › "), *part.text.splitlines()):
            if line in seen or len(line) > 2 * _LONGEST_LINE or not _MAY_DATE.search(line):
                continue
            if line.partition(" · ")[0].strip() in cells or "|" in line or "\t" in line or line.endswith("…"):
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
    beside: tuple[str, ...] = ()
    if len(days) > 1 and not days[0].single and all(d.first and d.first.at and _within(d, days[0]) for d in days[1:]):
        beside, text, days = (text[days[0].end :],), text[: days[0].end], days[:1]  # 12.10-12.12，12.10 20:00 开卖
    before, tail = text[: days[0].start].strip(_MARKS), text[days[-1].end :]
    if before and tail and tail[0] not in _MARKS + "。.、":
        return None  # the sentence goes on: 10月24日开始酝酿
    name = before or tail.strip(_MARKS)
    if not name or is_other_column(name) or len(name) > _LONGEST_NAME or re.search(r"[。!?！？]", name):
        return None
    original = _BULLET.sub("", line).strip()
    at = folded(original).find(name)
    verbatim = original[at : at + len(name)] if at >= 0 and len(folded(original)) == len(original) else name
    return _Said(verbatim, days, line=line.strip(), beside=beside)


def _begins_again(one: Calendar, said: _Said) -> bool:
    if not one.phases or kind_of(said.name) is None or said.days[0].first is None:
        return False
    last, first = one.phases[-1].span.first, said.days[0].first
    if last is None or means(said.name, "balance"):
        return False
    over_new_year = last.month - first.month >= 8
    return (first.year or 0, first.order) < (last.year or 0, last.order) and not over_new_year
