"""Holes in what is imported: days and hours for which others of the same shop lead one to expect rows.

What is usual on a day is the smallest of three medians: of the days with rows among the 14 before it, of those among the 14
after it, and of the same weekday in the 8 weeks on either side (empty ones too). The smallest, so that neither a shop that
rests on Sundays nor the quiet after a campaign nor a shop that has just begun makes holes. A median of fewer than 5 days (or
3 weekdays) is none, and where little is usual nothing is said: chance alone leaves such days empty.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from statistics import median
from typing import Any, Literal

Kind = Literal["missing", "low", "end", "ahead"]
LOW = 0.2  # below this part of the usual a day counts as far too low
AROUND = 14  # days looked at on either side
WEEKS = 8
ENOUGH_DAYS, ENOUGH_WEEKS = 5, 3
# How many rows must be usual. Chance empties a day of 10 expected rows once in 60 years; fewer than 4 of 20 are rarer still.
USUAL_FOR_MISSING, USUAL_FOR_LOW = 10, 20
DAY, _WEEK = timedelta(days=1), timedelta(weeks=1)
_HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Gap:
    """Something wrong with a table between `first` and `last`, both included (dates, or moments for "end" and "ahead").

    missing  no row on these days                         low    rows, but under a fifth of the usual
    end      no row from the newest one to the clock      ahead  rows later than the clock
    `rows`: those that are there, a day on average (ahead: in all). `usual`: the usual ones a day; at the end of a day, in
    the hours that are missing; None for "ahead".
    """

    table: str
    first: date
    last: date
    kind: Kind
    usual: int | None
    rows: int = 0

    def as_json(self) -> dict[str, Any]:
        span = {"from": _text(self.first), "to": _text(self.last)}
        return {"table": self.table, **span, "kind": self.kind, "usual": self.usual, "rows": self.rows}


def _text(at: date) -> str:
    return at.strftime("%Y-%m-%d %H:%M:%S") if isinstance(at, datetime) else at.isoformat()


def day_gaps(table: str, counts: Mapping[date, int], today: date) -> list[Gap]:
    """The missing and low days before `today` that lie between days with rows, neighbours joined.

    `counts`: rows a day. `today` is not judged, because it is not over, but if it has rows, yesterday should have some.
    """
    past = {day: n for day, n in counts.items() if n > 0 and day < today}
    found: list[tuple[date, Kind, float]] = []
    hole: list[date] = []
    end = today if counts.get(today) else max(past, default=today)
    for day in _days(min(past, default=end), end):
        if day < today and day not in past:
            hole.append(day)
            continue
        for empty in hole:
            usual = _usual(past, empty, hole[0], hole[-1])
            if usual is not None and usual >= USUAL_FOR_MISSING:
                found.append((empty, "missing", usual))
        hole = []
        usual = _usual(past, day, day, day) if day in past else None
        if usual is not None and usual >= USUAL_FOR_LOW and past[day] < LOW * usual:
            found.append((day, "low", usual))
    return _joined(table, found, past)


def _usual(past: Mapping[date, int], day: date, first: date, last: date) -> float | None:
    """The usual rows of `day`, one of the run of days `first`..`last` that is judged; None when too little is known.

    With too few days before the run, those after it speak alone for empty days, if the run's left neighbour is a day like
    them: a single stray old row makes no years of holes. A first day with few rows is how shops begin.
    """
    before = _with_rows(past, first - AROUND * DAY, first - DAY)
    after = _with_rows(past, last + DAY, last + AROUND * DAY)
    medians = [median(rows) for rows in (before, after) if len(rows) >= ENOUGH_DAYS]
    if not medians:
        return None
    if len(before) < ENOUGH_DAYS and (day in past or past.get(first - DAY, 0) < LOW * medians[0]):
        return None
    weeks = [day + n * _WEEK for n in range(_weeks(first, day) - WEEKS, _weeks(last, day) + WEEKS + 1)]
    begin, end = min(past), max(past)
    same = [past.get(d, 0) for d in weeks if begin <= d <= end and not first <= d <= last]
    if len(same) >= ENOUGH_WEEKS:
        medians.append(median(same))
    return min(medians)


def _weeks(a: date, b: date) -> int:
    """Whole weeks from `b` to `a`, towards zero."""
    return int((a - b) / _WEEK)


def _with_rows(past: Mapping[date, int], first: date, last: date) -> list[int]:
    return [past[day] for day in _days(first, last) if day in past]


def _days(first: date, last: date) -> Iterable[date]:
    return (first + i * DAY for i in range((last - first).days + 1))


def _joined(table: str, found: list[tuple[date, Kind, float]], past: Mapping[date, int]) -> list[Gap]:
    """One gap for days of one kind with no day of another sort between (a day of rest in a hole is of the hole's sort)."""
    runs: list[list[tuple[date, Kind, float]]] = []
    for day, kind, usual in found:
        if (
            runs
            and runs[-1][-1][1] == kind
            and not any(kind == "low" or d in past for d in _days(runs[-1][-1][0] + DAY, day - DAY))
        ):
            runs[-1].append((day, kind, usual))
        else:
            runs.append([(day, kind, usual)])
    return [
        Gap(
            table, run[0][0], run[-1][0], run[0][1],
            usual=round(median(u for _, _, u in run)), rows=round(sum(past.get(d, 0) for d, _, _ in run) / len(run)),
        )
        for run in runs
    ]  # fmt: skip


def end_gap(table: str, hours: Mapping[tuple[date, int], int], newest: datetime, now: datetime) -> Gap | None:
    """The time from the newest row to `now`, if by the 14 days before it should hold rows.

    `hours`: rows by day and hour, of the 14 days before that of `newest` at least. Held against the clock hours that lie
    whole between the two; from 24 hours on, against whole days.
    """
    day = newest.date()
    counts: dict[date, int] = {}
    silent = {(newest + n * _HOUR).hour for n in range(1, _whole_hours(newest, now) + 1)}
    if not silent:
        return None
    whole = now - newest >= DAY
    for (on, hour), n in hours.items():
        if day - AROUND * DAY <= on < day:
            counts[on] = counts.get(on, 0) + (n if whole or hour in silent else 0)
    if len(counts) < ENOUGH_DAYS or (usual := median(counts.values())) < USUAL_FOR_MISSING:
        return None
    return Gap(table, newest, now, "end", usual=round(usual))


def _whole_hours(newest: datetime, now: datetime) -> int:
    """How many clock hours lie whole between the two."""
    begin = newest.replace(minute=0, second=0, microsecond=0) + _HOUR
    return max(0, (now - begin) // _HOUR)
