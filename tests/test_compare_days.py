"""Numbers against as many days from any other day: the query of each equals the number asked about by itself."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from bot.conversation import Question, answer
from bot.wiring import WarRoom
from tools.errors import AskAgain
from tools.reports import metric

PAID = "SELECT sum(amount) FROM orders WHERE paid_at >= '{first}' AND paid_at < '{end}'"


def paid(room: WarRoom, first: str, end: str) -> float:
    """By hand: what was paid from the one moment to before the other."""
    (row,) = room.context(None, "zh").engine.query(PAID.format(first=first, end=end))
    return float(next(iter(row.values())))


@pytest.mark.parametrize(
    ("first", "last", "since", "end"),
    [
        ("2026-06-16", "2026-06-16", "2026-06-02", "2026-06-03"),
        ("2026-06-10", "2026-06-12", "2026-06-03", "2026-06-06"),
        ("2026-05-24", "2026-06-03", "2026-05-02", "2026-05-13"),
    ],
)
def test_days_against_as_many_others(demo: WarRoom, first: str, last: str, since: str, end: str) -> None:
    ctx = demo.context(datetime(2026, 6, 17, 10), "zh")
    data = metric(ctx, ["paid_amount"], ["all"], first, last, compare=f"from:{since}").data
    (block,) = data["blocks"]
    assert block["whole"]["value"] == f"¥{paid(demo, since, end):,.0f}"
    assert str(date.fromisoformat(since).day) in data["against"]


def test_a_day_that_is_not_over_stands_against_the_same_time_of_the_other(demo: WarRoom) -> None:
    ctx = demo.context(datetime(2026, 6, 17, 10), "zh")
    (block,) = metric(ctx, ["paid_amount"], ["all"], "2026-06-15", "2026-06-17", compare="from:2026-06-08").data[
        "blocks"
    ]
    same = paid(demo, "2026-06-08", "2026-06-10 10:00:01")
    assert block["same"]["value"] == f"¥{same:,.0f}"
    now = paid(demo, "2026-06-15", "2026-06-17 10:00:01")
    assert block["same"]["by"] == f"{abs(now / same - 1) * 100:.1f}%"


def test_what_is_no_day_is_refused(demo: WarRoom) -> None:
    ctx = demo.context(datetime(2026, 6, 17, 10), "zh")
    with pytest.raises(AskAgain):
        metric(ctx, ["paid_amount"], ["all"], "2026-06-16", "2026-06-16", compare="from:yesterday")


@pytest.mark.parametrize(
    ("text", "named"), [("这周和上周比成交额", "6 月 8 日–6 月 10 日"), ("revenue on June 16 versus June 2", "Jun 2")]
)
def test_the_other_days_are_named_in_the_answer(demo: WarRoom, text: str, named: str) -> None:
    found = answer(demo, Question(text, as_of=datetime(2026, 6, 17, 10)))
    assert named in found.text
    assert found.degraded is None
