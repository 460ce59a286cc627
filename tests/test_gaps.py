"""Holes in the days of a table: hand-made calendars, and a plain reading of the rules on generated ones."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from statistics import median

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tools.gaps import Gap, day_gaps, end_gap

DAY = timedelta(days=1)
START = date(2026, 4, 6)  # a Monday


def calendar(counts: list[int]) -> dict[date, int]:
    return {START + i * DAY: n for i, n in enumerate(counts)}


def found(counts: list[int]) -> list[tuple[int, int, str, int | None, int]]:
    """(first, last as days from START, kind, usual, rows) of the gaps."""
    today = START + len(counts) * DAY
    return [
        ((g.first - START).days, (g.last - START).days, g.kind, g.usual, g.rows)
        for g in day_gaps("events", calendar(counts), today)
    ]


WEEK = [100, 100, 100, 100, 100, 100, 0]  # rests on Sundays
CASES = {
    "whole": ([100] * 30, []),
    "one day missing": ([100] * 15 + [0] + [100] * 10, [(15, 15, "missing", 100, 0)]),
    "three days missing, then more": (
        [100] * 15 + [0] * 3 + [80] * 10 + [0] + [80] * 3,
        # The usual of the first hole is that of the days after it; the second hole has 10 days of 80 and one of 100 before.
        [(15, 17, "missing", 80, 0), (28, 28, "missing", 80, 0)],
    ),
    "a long hole": ([100] * 10 + [0] * 40 + [100] * 10, [(10, 49, "missing", 100, 0)]),
    "a day missing early on": ([100, 100, 0, 100, 100, 100, 100, 100], [(2, 2, "missing", 100, 0)]),
    "too few days around": ([100, 100, 0, 100, 100, 100, 100], []),
    "a stray old row": ([1] + [0] * 200 + [100] * 20, []),
    "a low day": ([100] * 15 + [19] + [100] * 10, [(15, 15, "low", 100, 19)]),
    "a fifth is enough": ([100] * 15 + [20] + [100] * 10, []),
    "two low days": ([100] * 15 + [10, 15] + [100] * 10, [(15, 16, "low", 100, 12)]),
    "a low last day": ([100] * 15 + [5], [(15, 15, "low", 100, 5)]),
    "low beside missing": ([100] * 15 + [3, 0, 0] + [100] * 10, [(15, 15, "low", 100, 3), (16, 17, "missing", 100, 0)]),
    "a slow beginning": ([3, 8, 15, 40, 100, 100, 100, 100, 100, 100, 100], []),
    "the quiet after a campaign": ([100] * 40 + [1000] * 14 + [90] * 14, []),
    "a rise for good": ([20] * 20 + [500] * 20, []),
    "rests on Sundays": (WEEK * 8, []),
    "rests on Sundays, a Wednesday missing": (
        WEEK * 3 + [100, 100, 0, 100, 100, 100, 0] + WEEK * 3,
        [(23, 23, "missing", 100, 0)],
    ),
    "rests on Sundays, ten days missing": (
        WEEK * 4 + [100, 100, 100] + [0] * 10 + [100] + WEEK * 4,
        [(31, 40, "missing", 100, 0)],
    ),
    "few rows: chance": ([9] * 15 + [0] + [9] * 10, []),
    "just enough rows for an empty day": ([10] * 15 + [0] + [10] * 10, [(15, 15, "missing", 10, 0)]),
    "too few rows for a low day": ([19] * 15 + [3] + [19] * 10, []),
    "nothing at all": ([0] * 10, []),
    "one day": ([500], []),
}


@pytest.mark.parametrize("case", CASES)
def test_gaps_of_hand_made_calendars(case: str) -> None:
    counts, expected = CASES[case]
    assert found(counts) == expected


def test_yesterday_is_missing_when_today_has_rows() -> None:
    counts = calendar([100] * 20 + [0, 0, 7])
    assert day_gaps("orders", counts, START + 22 * DAY) == [
        Gap("orders", START + 20 * DAY, START + 21 * DAY, "missing", 100)
    ]
    assert day_gaps("orders", counts, START + 21 * DAY) == []  # today has none either: said as the end


def test_today_and_later_are_not_judged() -> None:
    counts = calendar([100] * 20 + [1, 0, 100])
    assert day_gaps("orders", counts, START + 20 * DAY) == []
    assert [g.kind for g in day_gaps("orders", counts, START + 23 * DAY)] == ["low", "missing"]


# --- the rules read once more, plainly --------------------------------------------------------------------------------


def plain_usual(counts: list[int], day: int, hole: list[int]) -> float | None:
    """The smallest of the medians around the run `hole` of days (indexes) that `day` belongs to; None: nothing is said."""
    rows = dict(enumerate(counts))
    with_rows = [i for i, n in rows.items() if n]
    before = [rows[i] for i in range(hole[0] - 14, hole[0]) if rows.get(i)]
    after = [rows[i] for i in range(hole[-1] + 1, hole[-1] + 15) if rows.get(i)]
    candidates = []
    if len(before) >= 5:
        candidates.append(median(before))
    if len(after) >= 5:
        candidates.append(median(after))
    if not candidates:
        return None
    if len(before) < 5:
        left = rows.get(hole[0] - 1, 0)
        if counts[day] or left < 0.2 * candidates[0]:
            return None
    earlier = list(range(day % 7, hole[0], 7))[-8:]
    later = [i for i in range(day % 7, len(counts), 7) if i > hole[-1]][:8]
    same = [rows[i] for i in earlier + later if with_rows[0] <= i <= with_rows[-1]]
    if len(same) >= 3:
        candidates.append(median(same))
    return min(candidates)


def plain_gaps(counts: list[int]) -> dict[int, str]:
    """The kind of each day that is a gap."""
    with_rows = [i for i, n in enumerate(counts) if n]
    out = {}
    for day in range(with_rows[0], with_rows[-1] + 1) if with_rows else ():
        hole = [day]
        if counts[day] == 0:
            first, last = day, day
            while counts[first - 1] == 0:
                first -= 1
            while counts[last + 1] == 0:
                last += 1
            hole = list(range(first, last + 1))
        usual = plain_usual(counts, day, hole)
        if usual is None:
            continue
        if counts[day] == 0 and usual >= 10:
            out[day] = "missing"
        if 0 < counts[day] < 0.2 * usual and usual >= 20:
            out[day] = "low"
    return out


runs = st.tuples(st.sampled_from([0, 0, 1, 5, 9, 10, 19, 20, 30, 100, 400]), st.integers(1, 16))


@given(st.lists(runs, min_size=1, max_size=14), st.sampled_from([None, 5, 6]))
@settings(max_examples=300, deadline=None)
def test_gaps_are_what_a_plain_reading_finds(parts: list[tuple[int, int]], rest: int | None) -> None:
    counts = [n for n, days in parts for _ in range(days)]
    if rest is not None:
        counts = [0 if i % 7 == rest else n for i, n in enumerate(counts)]
    wanted = plain_gaps(counts)
    gaps = found(counts)
    covered = {i: kind for first, last, kind, _, _ in gaps for i in range(first, last + 1)}
    # A day of rest inside a hole belongs to the hole; all else is what the rules say of each day.
    assert {i: k for i, k in covered.items() if i in wanted} == wanted
    assert all(counts[i] == 0 and covered[i] == "missing" for i in covered if i not in wanted)
    assert all(first in wanted and last in wanted for first, last, *_ in gaps)
    for first, last, kind, usual, rows in gaps:
        assert rows == round(sum(counts[first : last + 1]) / (last - first + 1)) or kind == "missing"
        assert (usual or 0) >= (10 if kind == "missing" else 20)


# --- the end ----------------------------------------------------------------------------------------------------------


def by_hour(days: int, *, night: int = 0, day: int = 20) -> dict[tuple[date, int], int]:
    """`day` rows an hour from 8 to 23, `night` before, for `days` days from START on."""
    return {(START + i * DAY, h): n for i in range(days) for h in range(24) if (n := day if h >= 8 else night) > 0}


NEWEST = datetime(2026, 4, 16, 9, 59, 58)


def test_the_hours_of_today_that_are_missing_at_the_end() -> None:
    hours = by_hour(10)
    # 10, 11 and 12 o'clock lie whole between 09:59:58 and 13:30: 60 rows on other days.
    assert end_gap("events", hours, NEWEST, datetime(2026, 4, 16, 13, 30)) == Gap(
        "events", NEWEST, datetime(2026, 4, 16, 13, 30), "end", 60
    )
    assert end_gap("events", hours, NEWEST, datetime(2026, 4, 16, 10, 59, 59)) is None  # no whole hour
    late = end_gap("events", hours, NEWEST, datetime(2026, 4, 16, 11))
    assert late is not None
    assert late.usual == 20


def test_quiet_hours_are_no_gap() -> None:
    evening = datetime(2026, 4, 15, 23, 59)
    assert end_gap("events", by_hour(10), evening, datetime(2026, 4, 16, 8)) is None
    assert end_gap("events", by_hour(10, night=1), evening, datetime(2026, 4, 16, 8)) is None  # 8 rows: too few
    busy = end_gap("events", by_hour(10, night=2), evening, datetime(2026, 4, 16, 8))
    assert busy is not None
    assert busy.usual == 16


def test_from_a_day_on_the_end_is_held_against_whole_days() -> None:
    late = end_gap("orders", by_hour(10, night=1), NEWEST, NEWEST + 3 * DAY)
    assert late is not None
    assert late.usual == 8 + 16 * 20
    assert end_gap("orders", {(START, 8): 1000}, NEWEST, NEWEST + 3 * DAY) is None  # one day tells nothing usual
