"""A table of a document as a list of tasks: which column is what, which rows are tasks, which days each row names.

Nothing is filled in that does not stand in the table; a row's days may stand in a time column, in its phase
(预热(5.24-5.31)), in a heading row above it, or at the same phase elsewhere in the document.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tools.proposals_dates import Span, folded, spans
from tools.proposals_known import squeezed
from tools.proposals_words import Role, is_other_column, kind_of, means, role_of

if TYPE_CHECKING:
    from knowledge.cutting import Table

_ABOUT = {"what", "purpose", "metric", "scene", "crowd", "channel", "benefit", "owner", "lead"}
_COMPANY = {"owner", "crowd", "channel", "lead"}  # what makes 内容 or 活动 the title of a task
_WHEN = {"time", "first", "last", "phase", "lead"}
_HEADER_WITHIN = 4  # rows: a title and notes may stand above the header
_FEWEST = 2  # tasks that make a table of tasks; one will do where the header says task, days, crowd and channel
_MOST = 500  # a longer table is data
_DATED = 0.5  # of the rows say when
_NUMBERING = re.compile(r"^\s*(?:第?[\d一二三四五六七八九十]{1,3}\s*[、.．)）]\s*|[（(]\d{1,2}[)）]\s*)")


@dataclass(frozen=True)
class TaskRow:
    """One task. `number` counts the table's rows from 1, below its header; `cells` by role, verbatim; `others`: (header,
    text) of columns that mean nothing to us. `days` are (spans, where they stand); `group` is the heading row above."""

    number: int
    cells: Mapping[Role, str]
    others: tuple[tuple[str, str], ...]
    group: str = ""

    @property
    def title(self) -> str:
        return self.cells["title"]

    @property
    def phase(self) -> str:
        """The phase as it is called, days and numbering taken off: 第一波：预热(5.29~5.31) → 第一波：预热."""
        return phase_name(self.cells.get("phase", "") or self.group)


@dataclass(frozen=True)
class TaskTable:
    path: str
    rows: tuple[TaskRow, ...]


def task_table(table: Table) -> TaskTable | None:
    """`table` as tasks, or None when it is another kind of table."""
    lines = [tuple(table.header), *map(tuple, table.rows)]
    best = max(range(min(len(lines), _HEADER_WITHIN)), key=lambda i: (len(set(_roles(lines[i])) - {None}), -i))
    header = lines[best]
    roles = _settled(_roles(header))
    if roles is None or len(lines) > _MOST or any(is_other_column(h) for h in header):
        return None
    rows: list[TaskRow] = []
    group = ""
    for number, line in enumerate(lines[best + 1 :], start=best + 1):
        filled = {c.strip() for c in line if c.strip()}
        if len(filled) == 1 and len(line) > 2:
            only = next(iter(filled))
            group = only if kind_of(only) or spans(only) else group
            continue
        if not filled or line == header:
            continue
        cells = {r: c.strip() for r, c in zip(roles, line, strict=False) if r is not None and c.strip()}
        others = [(h, c) for r, h, c in zip(roles, header, line, strict=False) if r is None and c.strip()]
        if "title" in cells:
            rows.append(TaskRow(number, cells, tuple((h.strip(), c.strip()) for h, c in others), group))
    dated = sum(bool(own_days(r)[0]) or _timed(r) for r in rows)
    complete = {"title", "crowd", "channel"} <= set(roles) and {"first", "time"} & set(roles)
    if len(rows) < (1 if complete else _FEWEST) or dated < _DATED * len(rows):
        return None
    return TaskTable(table.path, tuple(rows))


def _roles(header: Sequence[str]) -> list[Role | None]:
    return [role_of(h) for h in header]


def _settled(found: list[Role | None]) -> list[Role | None] | None:
    """Each role once; None where the columns do not make a table of tasks."""
    roles: list[Role | None] = []
    for r in found:
        roles.append(r if r not in roles else None)
    have = {r for r in roles if r}
    if "title" not in have:
        # 内容 is the title of a task where the table also says who, by whom or by which channel.
        instead: Role = "weak_title" if "weak_title" in have else "what"
        if instead not in have or not have & _COMPANY:
            return None
        roles = ["title" if r == instead else r for r in roles]
        have = {r for r in roles if r}
    elif "weak_title" in have:
        roles = [("what" if "what" not in have else None) if r == "weak_title" else r for r in roles]
    if not have & _WHEN or not (have & _ABOUT or len(have & _WHEN) > 1 or "what" in roles):
        return None
    return roles


def _timed(row: TaskRow) -> bool:
    said = row.cells.get("phase") or row.cells.get("time") or row.group
    return bool(said) and (kind_of(said) is not None or means(said, "whole") or lead_days(row) is not None)


# --- when --------------------------------------------------------------------------------------------------------


def own_days(row: TaskRow) -> tuple[list[Span], str]:
    """The days that the row itself names, and the text in which they stand: time columns before the phase before a heading."""
    begins, ends = _days(row.cells.get("first", "")), _days(row.cells.get("last", ""))
    said = " – ".join(c for c in (row.cells.get("first"), row.cells.get("last")) if c)
    if len(begins) == 1 and len(ends) <= 1:
        # A range may stand in the first column; a day alone says when to begin and no more.
        own_end = None if begins[0].single else begins[0].last
        return [Span(begins[0].first, ends[0].last if ends else own_end, 0, 0)], said
    if len(ends) == 1 and not begins:
        return [Span(None, ends[0].last, 0, 0)], said
    for text in (row.cells.get("time", ""), row.cells.get("phase", ""), row.group):
        if found := _days(text):
            return found, text
    return [], ""


def _days(text: str) -> list[Span]:
    return spans(text, loose=True)


def narrowed(row: TaskRow, span: Span) -> tuple[Span, str] | None:
    """The one day at the head of a title or description that is within `span`: 6.3号针对临门一脚人群 is worked on June 3 only."""
    if span.first is None or span.last is None or span.single:
        return None
    for text in (row.title, row.cells.get("what", "")):
        found = spans(text)
        if len(found) == 1 and found[0].single and found[0].start == 0 and found[0].first is not None:
            day = found[0].first
            if span.first.order <= day.order <= span.last.order:
                return found[0], text
    return None


def days_by_phase(tables: Sequence[TaskTable]) -> dict[str, Span]:
    """Phase name → its days, for names that the document dates once and only in one way."""
    found: dict[str, list[Span]] = {}
    for row in (r for t in tables for r in t.rows):
        days, where = own_days(row)
        if row.phase and len(days) == 1 and where in (row.cells.get("phase"), row.group):
            found.setdefault(squeezed(row.phase), []).append(days[0])
    return {n: s[0] for n, s in found.items() if len({(x.first, x.last) for x in s}) == 1}


def lead_days(row: TaskRow) -> tuple[int, str] | None:
    """Days to prepare and the words that say so: a lead column, or 提前5天准备 in the description."""
    if cell := row.cells.get("lead"):
        m = re.search(r"(?<![\d.])(\d{1,2})(?![\d.])\s*(?:天|日|d\b|days?\b|工作日)?", folded(cell))
        return (int(m[1]), cell) if m and not spans(cell) else None
    for text in (row.cells.get("what", ""), row.title, *(c for _, c in row.others)):
        said = folded(text)
        m = re.search(r"提前\s*(\d{1,2})\s*[天日]", said) or re.search(
            r"(\d{1,2})\s*(?:business |working )?days? (?:ahead|in advance|before|earlier|of lead|lead)", said
        )
        if m:
            return int(m[1]), m[0]
    return None


def phase_name(text: str) -> str:
    """A phase's name without its days and numbering, as far as it can be cut out verbatim."""
    text = _NUMBERING.sub("", text).strip()
    bare = re.sub(r"\s*[（(][^（()）]*\d[^（()）]*[)）]\s*", "", text).strip(" :：-–—")
    found = spans(bare)
    if found and len(folded(bare)) == len(bare):
        bare = (bare[: found[0].start] + " " + bare[found[-1].end :]).strip(" :：-–—，,")
    return bare
