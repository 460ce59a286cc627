"""Days, columns, phases, crowds and channels as people write them in calendars and task sheets."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.proposals_dates import Day, spans, years
from tools.proposals_words import channels_in_cell, crowd_in_cell, crowd_in_prose, kind_of, metric_in, role_of

_FORMS = (
    "{m}.{d}", "{m}/{d}", "{m:02}-{d:02}", "{m}月{d}日", "{m}月{d}号", "{m} 月 {d} 號", "{mon} {d}", "{month} {d}th", "{d} {mon}",
    "{y}-{m:02}-{d:02}", "{y}/{m}/{d}", "{y}.{m}.{d}", "{y}年{m}月{d}日", "{y}{m:02}{d:02}", "{y}-{m:02}-{d:02} 00:00:00",
    "{mon} {d}, {y}", "{m}月{d}日（周三）", "{m}.{d} 20:00", "{m}月{d}日晚8点", "{mon} {d} at 8pm", "{zm}月{zd}日",
)  # fmt: skip
_TO = ("-", " - ", "–", "~", "～", "至", " 到 ", " to ", "—")


def _chinese(n: int) -> str:
    ones = "一二三四五六七八九"
    return (ones[n // 10 - 1] if n >= 20 else "") + ("十" if n >= 10 else "") + (ones[n % 10 - 1] if n % 10 else "")


def _written(form: str, day: date) -> str:
    return form.format(
        y=day.year, m=day.month, d=day.day, mon=f"{day:%b}", month=f"{day:%B}", zm=_chinese(day.month), zd=_chinese(day.day)
    )  # fmt: skip


days = st.dates(date(2024, 1, 1), date(2029, 12, 31))


@given(
    days,
    st.sampled_from(_FORMS),
    st.sampled_from(("{}", "预售({})", "上线时间：{}", "from {}", "{} 开始付定金", "见{}。")),
)
def test_a_day_is_the_same_day_in_every_form(day: date, form: str, around: str) -> None:
    found = spans(around.format(_written(form, day)))
    assert len(found) == 1
    first = found[0].first
    assert first is not None
    assert first.order == (day.month, day.day)
    assert first.year in (None, day.year)
    assert (first.year == day.year) == ("{y}" in form)
    assert (first.at is not None and first.at.hour == 20) == ("20" in form or "8" in form)


@given(days, st.integers(1, 60), st.sampled_from(_FORMS), st.sampled_from(_TO))
def test_a_range_is_the_same_range_in_every_form(first: date, length: int, form: str, to: str) -> None:
    last = date.fromordinal(first.toordinal() + length)
    found = spans(_written(form, first) + to + _written(form, last))
    assert [(s.first and s.first.order, s.last and s.last.order) for s in found] == [
        ((first.month, first.day), (last.month, last.day))
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("5月24日～29日", [("05-24", "05-29")]), ("5.24-29", [("05-24", "05-29")]), ("June 1-3", [("06-01", "06-03")]),
        ("1–3 June 2026", [("06-01", "06-03")]), ("Jun 1 – Jun 3", [("06-01", "06-03")]),
        ("十月二十四日至三十一日", [("10-24", "10-31")]),
        ("第一波预热(5.24-5.31)", [("05-24", "05-31")]), ("5.20前", [(None, "05-20")]), ("before May 20", [(None, "05-20")]),
        ("截至6月3日", [(None, "06-03")]), ("5.5日起已购", [("05-05", None)]), ("12.25-1.5", [("12-25", "01-05")]),
        ("5.26/6.2/6.9", [("05-26", "05-26"), ("06-02", "06-02"), ("06-09", "06-09")]), ("2月29日", [("02-29", "02-29")]),
        ("2月30日", []), ("2026-02-29", []), ("12.5元", []), ("¥5.20", []), ("4.9分", []), ("8.8折", []),
        ("3.5%", []), ("1.5-2倍", []),
        ("v1.2.3", []), ("24/10", []), ("提前3天", []), ("第1-3波", []), ("每天10:00-12:00", []),
        ("marketing 5", []), ("满300减30", []),
    ],
)  # fmt: skip
def test_days_as_people_write_them(text: str, expected: list[tuple[str | None, str | None]]) -> None:
    assert [(s.first and s.first.month_day, s.last and s.last.month_day) for s in spans(text)] == expected


def test_years_and_times_are_only_what_is_written() -> None:
    assert spans("2026年12月28日-1月3日")[0].last == Day(1, 3, 2027)
    assert spans("10.24 20:00-10.31")[0].first.at.hour == 20  # type: ignore[union-attr]
    assert spans("6-1 至 6-3") == []
    assert [s.last.month_day for s in spans("6-1 至 6-3", loose=True) if s.last] == ["06-03"]
    assert years("2026双12年货节") == {2026}
    assert years("双12年货节 满2000元") == set()


# --- words -------------------------------------------------------------------------------------------------------


def test_columns_phases_crowds_and_channels_by_their_names() -> None:
    headers = ("策略描述", "策略", "負責人", "觸達渠道", "提前天数", "Start date", "Target audience", "备忘")
    assert [role_of(h) for h in headers] == ["what", "title", "owner", "channel", "lead", "first", "crowd", None]
    assert [kind_of(n) for n in ("預售付尾款", "第一波预热", "售后/复盘期", "Main sale", "presale", "品类日")] == [
        "sale", "preheat", "review", "sale", "presale", None,
    ]  # fmt: skip
    assert crowd_in_cell("新客、老客") == "new or old"
    assert crowd_in_cell("会员且不是老客") == "member and not old"
    assert crowd_in_cell("会员、宝妈") is None
    assert channels_in_cell("短信/小红书、直播间") == (["sms", "live"], ["小红书"])
    assert metric_in("提升加购率") == "visit_cart_rate"
    assert metric_in("提升人气") is None


@pytest.mark.parametrize(
    ("text", "crowd"),
    [
        ("针对店铺老客，推送新品", "old"), ("新客人群承接", "new"), ("加购收藏未付款人群提醒", "cart_fav_unpaid"),
        ("会员日大额券", None), ("设置新客优惠券", None), ("排除会员后群发", None), ("给会员和粉丝各发一条", None),
        ("remind members who have not bought", None), ("高意向会员促活", None),
    ],
)  # fmt: skip
def test_a_crowd_in_prose_is_taken_only_when_it_is_meant(text: str, crowd: str | None) -> None:
    assert (crowd_in_prose(text) or (None,))[0] == crowd
