"""Where we are, and where the days asked about are: every day against the campaign's calendar written out."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from bot.conversation import Question, answer
from bot.wiring import WarRoom

NOW = datetime(2026, 6, 17, 10)
# domain.md section 1, by hand: the 618 of 2026.
CALENDAR = [
    ("蓄水期", date(2026, 5, 1), date(2026, 5, 23)),
    ("第一波预售", date(2026, 5, 24), date(2026, 5, 28)),
    ("第一波预热", date(2026, 5, 29), date(2026, 5, 31)),
    ("第一波尾款/开门红", date(2026, 6, 1), date(2026, 6, 3)),
    ("第二波预热", date(2026, 6, 4), date(2026, 6, 15)),
    ("正式售卖", date(2026, 6, 16), date(2026, 6, 20)),
    ("复盘期", date(2026, 6, 21), date(2026, 6, 30)),
]


def told(demo: WarRoom, question: str, at: datetime = NOW) -> list[str]:
    reply = answer(demo, Question(question, as_of=at))
    assert reply.interpretation.intent == "phase", reply.interpretation
    return [line.strip("*") for line in reply.text.split("\n")]


def test_any_day_is_told_in_its_phase(demo: WarRoom) -> None:
    for name, first, last in CALENDAR:
        for day in {first, first + (last - first) // 2, last} - {NOW.date()}:
            head = told(demo, f"{day.month}月{day.day}号是什么阶段")[0]
            n, m = (day - first).days + 1, (last - first).days + 1
            assert head == f"2026 年 {day.month} 月 {day.day} 日：618 · {name}第 {n} 天（共 {m} 天）"


def test_today_and_a_day_that_is_today_are_told_alike(demo: WarRoom) -> None:
    today = told(demo, "现在是什么阶段")
    assert today[0] == "618 · 正式售卖第 2 天（共 5 天），离本波结束还有 86 小时"
    assert told(demo, "6月17号是什么阶段")[0] == today[0]


def test_another_day_says_what_unpaid_meant_and_where_we_are_now(demo: WarRoom) -> None:
    lines = told(demo, "5月30号是什么阶段")
    assert "这一天的「未付款」指：现货在购物车里，价格还没生效。" in lines
    assert "现在：618 · 正式售卖第 2 天（共 5 天），离本波结束还有 86 小时" in lines
    member_day = told(demo, "6月16号是什么阶段")
    assert "这一天是会员日。" in member_day
    assert "6 月 16 日 00:00 正式售卖开始" in member_day


@pytest.mark.parametrize(
    ("asked", "at", "head"),
    [
        ("第二波预热是哪几天", NOW, "第二波预热：6 月 4 日–6 月 15 日（共 12 天），已经结束"),
        ("正式售卖什么时候开始", NOW, "正式售卖：6 月 16 日–6 月 20 日（共 5 天），正在进行，还有 86 小时结束"),
        (
            "开门红是几号",
            datetime(2026, 5, 30, 9),
            "第一波尾款/开门红：6 月 1 日–6 月 3 日（共 3 天），还有 39 小时开始",
        ),
        (
            "when does the first presale start",
            datetime(2026, 5, 10, 9),
            "Wave 1 presale: May 24–May 28 (5 days), begins in 13 days",
        ),
    ],
)
def test_a_phase_asked_about_is_told_first(demo: WarRoom, asked: str, at: datetime, head: str) -> None:
    assert told(demo, asked, at)[0] == head


def test_another_campaign_tells_the_phase_that_comes_next(demo: WarRoom) -> None:
    lines = told(demo, "双11预售哪天开始")
    assert lines[0].startswith("双11 的日子：2026 年")
    first = datetime(2026, 10, 24)
    assert lines[1] == f"第一波预售：10 月 24 日–10 月 31 日（共 8 天），还有 {(first - NOW).days} 天开始"


def test_days_outside_every_campaign_are_said_to_be(demo: WarRoom) -> None:
    assert told(demo, "7月15号是什么阶段")[0] == "2026 年 7 月 15 日不在任何活动期里。"
    outside = told(demo, "6月17号是什么阶段", datetime(2026, 7, 15, 10))
    assert outside[0] == "2026 年 6 月 17 日：618 · 正式售卖第 2 天（共 5 天）"
    assert "现在：不在活动期里" in outside


def test_every_numeral_of_any_day_is_traced(demo: WarRoom) -> None:
    for n in range(0, 420, 13):
        day = date(2025, 12, 1) + timedelta(days=n)
        reply = answer(demo, Question(f"{day.year}年{day.month}月{day.day}日是什么阶段", as_of=NOW))
        assert (reply.interpretation.intent, reply.degraded) == ("phase", None), day
