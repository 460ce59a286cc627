"""How the data stands, in words: the table of `warroom status`, what to do about each gap, and the short form of a chat."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import prompts
from knowledge import catalog
from tools import wording
from tools.blind import Blind
from tools.gaps import Gap
from tools.status import Status, TableStatus

SHOWN_GAPS, SHOWN_THINGS = 10, 6
SHORT_GAPS, SHORT_THINGS = 3, 3
_STATE = {"ok": "status.ok", "empty": "status.empty", "stale": "status.stale"}
_GAP = {"missing": "status.missing", "low": "status.low", "end": "status.end", "ahead": "status.ahead"}
_SHORT = {
    "missing": "status.short_missing",
    "low": "status.short_low",
    "end": "status.short_end",
    "ahead": "status.short_ahead",
}
_AGAINST = {"target": "status.against_target", "peers": "status.against_peers"}


def table_rows(found: Status, lang: str) -> list[list[str]]:
    """The head and one row a table."""
    head = (
        "status.data", "status.table", "status.rows", "status.from", "status.to", "status.freshness", "status.import",
        "status.state",
    )  # fmt: skip
    return [[prompts.text(key, lang) for key in head], *(_row(t, lang) for t in found.tables)]


def _row(t: TableStatus, lang: str) -> list[str]:
    done = f"{t.last_import.file} · {t.last_import.at:%Y-%m-%d %H:%M}" if t.last_import else ""
    state = prompts.text(_STATE[t.state], lang)
    return [
        _name(t.table, lang),
        t.table,
        f"{t.rows:,}",
        _stamp(t.since),
        _stamp(t.until),
        freshness(t, lang),
        done,
        state,
    ]


def freshness(t: TableStatus, lang: str) -> str:
    """How far the table is behind the clock; nothing where its rows have no time."""
    if t.behind is None:
        return ""
    if t.behind < timedelta(minutes=1):
        return prompts.text("status.fresh", lang)
    if t.behind < timedelta(hours=1):
        return prompts.text("status.minutes", lang, n=t.behind // timedelta(minutes=1))
    if t.behind < timedelta(hours=48):
        return prompts.text("status.hours", lang, n=t.behind // timedelta(hours=1))
    return prompts.text("status.days", lang, n=t.behind.days)


def problems(found: Status, lang: str) -> list[str]:
    """What is wrong, a line each with what to do next, under headings; one sentence when nothing is."""
    sections = {
        "status.gaps": [*_tables_to_mend(found, lang), *_gap_lines(found, lang)],
        "status.blind": [*_blind_lines(found, lang), *_column_lines(found, lang)],
        "status.rejects": list(_reject_lines(found, lang)),
    }
    out = []
    for title, lines in sections.items():
        if lines:
            out += ["", prompts.text(title, lang), *(f"· {line}" for line in lines)]
    return out or ["", prompts.text("status.whole", lang)]


def chat(found: Status, lang: str) -> list[str]:
    """A line a table, then the short form of what is wrong."""
    lines = []
    for t in found.tables:
        said = [prompts.text("status.line", lang, table=_name(t.table, lang), rows=f"{t.rows:,}")]
        said += [prompts.text("status.until", lang, moment=_moment(t.until, found.now, lang))] if t.until else []
        lines.append("· " + " · ".join([*said, freshness(t, lang) or prompts.text(_STATE[t.state], lang)]))
    wrong = short(found, lang)
    return [*lines, *(["", *wrong] if wrong else [])]


def short(found: Status, lang: str) -> list[str]:
    """At most three short lines: gaps, what cannot be answered, rejected rows."""
    join = prompts.text("join.list", lang)
    out = []
    if found.gaps:
        newest = [_said(g, found.now, lang, _SHORT) for g in sorted(found.gaps, key=_start)[-SHORT_GAPS:]]
        more = len(found.gaps) - len(newest)
        newest += [prompts.text("status.short_more", lang, n=more)] if more else []
        out.append(prompts.text("status.short_gaps", lang, gaps=join.join(newest)))
    if found.blind and any(t.rows for t in found.tables):
        things = _things(found.blind, lang, SHORT_THINGS)
        causes = list(dict.fromkeys(_cause(b.because, lang) for b in found.blind))
        more = len(causes) - SHORT_GAPS
        said = causes[:SHORT_GAPS] + ([prompts.text("status.short_more", lang, n=more)] if more > 0 else [])
        out.append(prompts.text("status.short_blind", lang, things=things, causes=join.join(said)))
    rejected = [
        prompts.text("status.short_rejected", lang, table=_name(t.table, lang), rejected=f"{t.last_import.rejected:,}")
        for t in found.tables
        if t.last_import and t.last_import.rejected
    ]
    return [*out, *([join.join(rejected)] if rejected else [])]


# --- lines -------------------------------------------------------------------------------------------------------


def _tables_to_mend(found: Status, lang: str) -> Iterable[str]:
    """Tables without rows, and stale ones of which no gap tells already."""
    told = {g.table for g in found.gaps if g.kind == "end"}
    for t in found.tables:
        name = _name(t.table, lang)
        if t.state == "empty":
            yield prompts.text("status.no_rows", lang, table=name, into=t.table)
        elif t.state == "stale" and t.table not in told and t.newest is not None:
            moment = _newest(t.table, t.newest, found.now, lang)
            yield prompts.text("status.old", lang, table=name, into=t.table, moment=moment, behind=freshness(t, lang))


def _gap_lines(found: Status, lang: str) -> Iterable[str]:
    earlier = len(found.gaps) - SHOWN_GAPS
    if earlier > 0:
        yield prompts.text("status.earlier", lang, n=earlier)
    for g in sorted(found.gaps, key=_start)[-SHOWN_GAPS:]:
        yield _said(g, found.now, lang, _GAP)


def _said(g: Gap, now: datetime, lang: str, texts: dict[str, str]) -> str:
    """A gap by one of `texts`; over a day at the end is told by the usual day."""
    values: dict[str, Any] = {"table": _name(g.table, lang), "into": g.table, "rows": f"{g.rows:,}"}
    if g.usual is not None:
        values["usual"] = f"{g.usual:,}"
    if isinstance(g.first, datetime) and isinstance(g.last, datetime):
        values["moment"] = _moment(g.first if g.kind == "end" else g.last, now, lang)
    else:
        values["days"] = _days(g.first, g.last, now, lang)
    key = texts[g.kind]
    if key == "status.end" and now - _start(g) >= timedelta(days=1):
        key = "status.end_days"
    return prompts.text(key, lang, **values)


def _blind_lines(found: Status, lang: str) -> Iterable[str]:
    """A line for each cause, with all that hangs on it. A shop without any data has heard it above."""
    if not any(t.rows for t in found.tables):
        return
    by_cause: dict[str, list[Blind]] = {}
    for b in found.blind:
        by_cause.setdefault(b.because, []).append(b)
    for cause in sorted(by_cause, key=lambda c: -len(by_cause[c])):
        things, then = _things(by_cause[cause], lang, SHOWN_THINGS), _next(cause, lang)
        yield prompts.text("status.blind_line", lang, cause=_cause(cause, lang), things=things, next=then)


def _cause(because: str, lang: str) -> str:
    what = prompts.text("join.list", lang).join(_what(term, lang) for term in because.split("|"))
    if "|" in because:
        return prompts.text("status.blind_all", lang, what=what)
    _, column, kind = catalog.need_parts(because)
    key = "status.blind_column" if column else "status.blind_kind" if kind else "status.blind_table"
    return prompts.text(key, lang, what=what)


def _what(term: str, lang: str) -> str:
    """A table, a column or a kind of events: in English by its key, in Chinese by its name too."""
    table, column, kind = catalog.need_parts(term)
    if lang != "zh":
        return f"{kind} event" if kind else term
    definition = catalog.tables()[table]
    if column:
        return f"{definition.name.zh}的「{next(iter(definition.columns[column].aliases), column)}」（{term}）"
    if kind:
        return f"「{definition.columns['kind'].values[kind][0]}」这种{definition.name.zh}（{kind}）"
    return f"{definition.name.zh}数据"


def _next(because: str, lang: str) -> str:
    if "|" in because:
        return prompts.text("status.next_either", lang)
    table, column, kind = catalog.need_parts(because)
    key = "status.next_column" if column else "status.next_kind" if kind else "status.next_table"
    return prompts.text(key, lang, into=table)


def _things(blind: Iterable[Blind], lang: str, shown: int) -> str:
    names = list(dict.fromkeys(_thing(b, lang) for b in blind))
    said = prompts.text("join.list", lang).join(names[:shown])
    if len(names) <= shown:
        return said
    more = len(names) if lang == "zh" else len(names) - shown  # 等 9 项 counts all, "and 3 more" the rest
    return prompts.text("status.and_more", lang, names=said, n=more)


def _thing(b: Blind, lang: str) -> str:
    if b.kind == "crowd":
        return catalog.crowds()[b.key].name.get(lang)
    if b.kind == "metric":
        return catalog.metrics()[b.key].name.get(lang)
    if b.kind == "by":
        return prompts.text("status.by", lang, name=prompts.text(f"by.{b.key}", lang))
    return prompts.text(_AGAINST[b.key], lang)


def _column_lines(found: Status, lang: str) -> Iterable[str]:
    """Columns without a value that nothing above hangs on."""
    told = {term for b in found.blind for term in b.because.split("|")}
    for t in found.tables:
        rest = [c for c in t.empty_columns if f"{t.table}.{c}" not in told]
        if rest:
            columns = prompts.text("join.list", lang).join(rest)
            yield prompts.text("status.empty_columns", lang, table=_name(t.table, lang), columns=columns)


def _reject_lines(found: Status, lang: str) -> Iterable[str]:
    for t in found.tables:
        done = t.last_import
        if done is None or not done.rejected:
            continue
        counts = {
            "table": _name(t.table, lang),
            "file": done.file,
            "read": f"{done.read:,}",
            "rejected": f"{done.rejected:,}",
        }
        if done.rejects_file and Path(done.rejects_file).exists():
            yield prompts.text("status.rejected", lang, path=done.rejects_file, **counts)
        else:
            yield prompts.text("status.rejected_gone", lang, **counts)


# --- words -------------------------------------------------------------------------------------------------------


def _name(table: str, lang: str) -> str:
    return catalog.tables()[table].name.get(lang)


def _start(g: Gap) -> datetime:
    return g.first if isinstance(g.first, datetime) else datetime.combine(g.first, datetime.min.time())


def _stamp(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M}" if moment else ""


def _moment(moment: datetime, now: datetime, lang: str) -> str:
    return f"{wording.day(moment.date(), lang, year=moment.year != now.year)} {moment:%H:%M}"


def _newest(table: str, moment: datetime, now: datetime, lang: str) -> str:
    """The moment, or the day where the table's rows are of days."""
    definition = catalog.tables()[table]
    if definition.time and definition.columns[definition.time].type == "day":
        return _days(moment, moment, now, lang)
    return _moment(moment, now, lang)


def _days(first: date, last: date, now: datetime, lang: str) -> str:
    year = (first.year, last.year) != (now.year, now.year)
    ends = dict.fromkeys(wording.day(day, lang, year=year) for day in (first, last))
    return "–".join(ends)
