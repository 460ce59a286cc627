"""A stretch of days that a word or two name (昨天, 上周三, 5月下旬, 近半个月): what `dates.py` puts together."""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Literal

from tools.campaigns import Campaign

CN = "一二三四五六七八九十"
NUMBER = rf"(?:(?<!\d)\d{{1,2}}|[{CN}]{{1,3}})"
COUNT = rf"(?:\d{{1,3}}|[{CN}两俩仨]{{1,3}}|几)"
EN_COUNT = r"(?:\d{1,3}|a|one|two|three|four|five|six|seven|ten|couple of|few|couple)"
_EN_NUMBERS = {
    "a": 1, "one": 1, "two": 2, "couple": 2, "couple of": 2, "three": 3, "few": 3, "four": 4, "five": 5,
    "six": 6, "seven": 7, "ten": 10,
}  # fmt: skip
_MONTH_NAMES = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december",
)  # fmt: skip
MONTHS = {m[:3]: i + 1 for i, m in enumerate(_MONTH_NAMES)}
MONTH = (
    rf"(?:{'|'.join(f'{m[:3]}(?:{m[3:]})?' if m[3:] else m for m in _MONTH_NAMES).replace('sep(?:', 'sept?(?:')})\b\.?"
)
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_SHORT_WEEKDAYS = r"mon|tues?|wed|thu|thurs?|fri|sat|sun"
EN_WEEKDAY = rf"{'|'.join(_WEEKDAYS)}|{_SHORT_WEEKDAYS}"

Kind = Literal["day", "bare", "weekday", "week", "month", "year", "rolling", "phase", "wave", "campaign", "peak"]


@dataclass(frozen=True)
class Frame:
    """What a rule may lean on: the day, the campaign of the day or the one named, whether it was named, years back (去年: 1)."""

    today: date
    campaign: Campaign | None
    campaigns: tuple[Campaign, ...]
    named: bool
    back: int = 0


@dataclass(frozen=True)
class Stretch:
    """Days `first`..`last`, named at `start`..`end` of the question. What runs until today at the latest is cut later."""

    first: date
    last: date
    start: int
    end: int
    kind: Kind

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1


def number(text: str) -> int:
    """A numeral of up to two digits, Arabic or Chinese (十八, 二十, 二十一, 两); 几 is three."""
    if text.isdigit():
        return int(text)
    digits = {c: i + 1 for i, c in enumerate(CN)} | {"两": 2, "俩": 2, "仨": 3, "几": 3}
    if "十" not in text:
        return digits[text[0]]
    tens, _, ones = text.partition("十")
    return (digits[tens] if tens else 1) * 10 + (digits[ones] if ones else 0)


def count(text: str) -> int:
    """How many days or weeks, in either language."""
    return _EN_NUMBERS[text] if text in _EN_NUMBERS else number(text)


def nearest_year(month: int, day: int, today: date) -> date:
    this = date(today.year, month, day)
    # In January "12 月 30 日" is last year's; a day up to half a year ahead is meant as written.
    return this if this <= today + timedelta(days=183) else date(today.year - 1, month, day)


def day_of_month(n: int, today: date) -> date:
    """The last such day up to today; ValueError where there is none."""
    if n <= today.day:
        return today.replace(day=n)
    return (today.replace(day=1) - timedelta(days=1)).replace(day=n)


_BACK = {
    "大前天": 3, "前天": 2, "前日": 2, "前儿": 2, "前儿个": 2, "前晚": 2, "the day before yesterday": 2,
    "day before yesterday": 2,
    "昨天": 1, "昨日": 1, "昨儿": 1, "昨儿个": 1, "昨个": 1, "昨晚": 1, "昨夜": 1, "昨早": 1, "yesterday": 1, "yday": 1,
    "ystd": 1, "yest": 1,
    "last night": 1,
    "今天": 0, "今日": 0, "今儿": 0, "今儿个": 0, "今个": 0, "今早": 0, "今儿早上": 0, "今晨": 0, "今晚": 0, "本日": 0,
    "today": 0, "tdy": 0,
    "tonight": 0, "this morning": 0, "this evening": 0, "this afternoon": 0,
    "明天": -1, "明日": -1, "明儿": -1, "明早": -1, "明晚": -1, "tomorrow": -1, "tmrw": -1,
    "tmr": -1, "后天": -2, "后日": -2, "大后天": -3,
    "the day after tomorrow": -2, "day after tomorrow": -2,
}  # fmt: skip
_WORD = re.compile(
    "|".join(
        rf"\b{w}(?:'s)?\b" if w.isascii() else w + ("(?!大促)" if w == "今日" else "")
        for w in sorted(_BACK, key=len, reverse=True)
    ),
    re.A,
)
_ISO = re.compile(r"(?<!\d)(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})[日号]?(?!\d)|(?<!\d)(20\d\d)([01]\d)([0-3]\d)(?!\d)")
_MONTH_DAY = re.compile(
    rf"({NUMBER})月份?({NUMBER})[日号]?(?!月|\d)|(?<!\d)(0[1-9]|1[0-2])-?([0-3]\d)(?![\d.%-]|[元块人个])"
)
_DOT = re.compile(r"(?<![\d.])(\d{1,2})[./](\d{1,2})[日号]?(?![\d.%/]|[元块折万千星分倍米克])")
_EN_DAY = re.compile(
    rf"(?P<m>\b{MONTH}) ?(?:the )?(?P<d>\d{{1,2}})(?:st|nd|rd|th)?(?!\d)(?:,? (?P<y>20\d\d))?"
    rf"|(?<!\d)(?P<d2>\d{{1,2}})(?:st|nd|rd|th)? ?(?:of )?(?P<m2>{MONTH})(?:,? (?P<y2>20\d\d))?",
    re.A,
)
BARE_DAY = re.compile(
    rf"(?<![第月.\d{CN}])({NUMBER})[日号](?![线店楼])|\b(?:on )?the (\d{{1,2}})(?:st|nd|rd|th)\b(?! (?:day|order|step|item))",
    re.A,
)
_AGO = re.compile(
    rf"({COUNT})(?:个)?(天|周|星期|礼拜)(?:以|之)?前(?:的)?(?:那天|那一天|当天)?|\b({EN_COUNT}) (day|week)s? ago\b",
    re.A,
)
_SAME_DAY = re.compile(
    r"上(?:个)?(?:周|星期|礼拜)的?(?:今天|同一天|这一?天|同日)|same day last week|this day last week"
)
_LAST_N = re.compile(
    rf"(?:近|最近|过去|(?<![往再])前|刚过去的|这|连续|近这)(?:的)?({COUNT}|半)(?:个|来)?(天|日|周|星期|礼拜|月)(?!前|以前|之前|"
    rf"[{CN}日号份\d])"
    rf"|\b(?:the )?(?:last|past|previous|recent|these) ({EN_COUNT}) (day|week|wk|month)s?\b(?! of)|\b(?:the )?(past) (month)\b",
    re.A,
)
_WEEKEND = re.compile(
    r"(上上|上|本|这)?(?:个)?周末(?:两天|那两天)?|(?:(上上|上|本|这)(?:个)?)?(?:周|星期|礼拜)六(?:周|星期|"
    r"礼拜)?[、和跟]?(?:周|星期|礼拜)?[日天]"
    r"|(last |this |over the |the )?\bweekends?\b",
    re.A,
)
_WEEKDAY = re.compile(
    rf"(上上|上|本|这|下)?(?:个|一)?(?:周|星期|礼拜)([{CN[:6]}日天])(?![{CN}\d天])"
    rf"|(last |this past |this |next )?\b({'|'.join(_WEEKDAYS)})s?\b"
    rf"|(?:\b(?:on|since|from|to|until|last|this|and)|-) ?\b({_SHORT_WEEKDAYS})\b",
    re.A,
)
_WEEKDAYS_AGO = re.compile(rf"\b(two|three|2|3) ({'|'.join(_WEEKDAYS)})s ago\b", re.A)
_CALENDAR = re.compile(
    r"(上上|再上|再前|上|本|这|当)(?:个|一)?(?:周|星期|礼拜)(?![一二三四五六日天末])"
    r"|\b(?:the )?(week before last|last week|past week|this week|wtd|week to date)\b",
    re.A,
)
_MONTH_WORD = re.compile(r"\b(last month|this month|mtd|month to date)\b", re.A)
_MONTH = re.compile(
    rf"(?:(?P<m>{NUMBER})月份?|(?P<r>上|本|这)个?月)的?(?P<p>上旬|中旬|下旬|初|中(?![旬的])|底|末|上半月?|下半月?|"
    rf"前半(?:个)?月?|后半(?:个)?月?|整月|全月|整个月)?"
    rf"(?![\d{CN}日号])|(?P<h>[上下前后]半个?月|月初|月头|月中|月底|月末|月尾|[上中下]旬)"
    rf"|(?:(?P<ep>early|mid|late|(?:the )?(?:start|beginning|middle|end|first half|second half) of) )?(?P<em>\b{MONTH})(?! ?\d)",
    re.A,
)
_YEAR = re.compile(
    r"(?P<s>今年|本年度?|this year)(?:以来|至今)?|(?P<h>[上下])半年|(?P<q>(?:第?[一二三四1-4]|本|这个?|上个?)季度?度|"
    r"\bq[1-4]\b|(?:this|last) quarter)",
    re.A,
)
_FUTURE = re.compile(
    rf"(?:未来|接下来|往后|后面|今后)({COUNT})天|\b(?:the )?next ({EN_COUNT}) days?\b|(下周|下个?星期|下个?礼拜|"
    rf"next week)(?![一二三四五六日天末])",
    re.A,
)


Rule = Callable[[str, Frame], Iterator[Stretch]]


def _at(m: re.Match[str], first: date, last: date, kind: Kind) -> Stretch:
    return Stretch(first, last, m.start(), m.end(), kind)


def _valid(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _near(month: int, day: int, today: date) -> date | None:
    """A month's day without a year; 2.30 is none."""
    try:
        return nearest_year(month, day, today)
    except ValueError:
        return None


def last_weekday(name: str, today: date) -> date:
    """The last Monday, tue, … up to today."""
    target = next(i for i, w in enumerate(_WEEKDAYS) if w.startswith(name[:3]))
    return today - timedelta(days=(today.weekday() - target) % 7)


def days(text: str, f: Frame) -> Iterator[Stretch]:
    """Single days, however they are written; those that do not exist are left alone."""
    for m in _WORD.finditer(text):
        day = f.today - timedelta(days=_BACK[m[0].removesuffix("'s")])
        yield _at(m, day, day, "day")
    for pattern in (_ISO, _MONTH_DAY, _DOT, _EN_DAY):
        for m in pattern.finditer(text):
            found = _written(pattern, m, f.today)
            if found is not None:
                yield _at(m, found, found, "day")
    for m in BARE_DAY.finditer(text):
        try:
            found = day_of_month(number(m[1] or m[2]), f.today)
        except (ValueError, KeyError):
            continue
        yield _at(m, found, found, "bare")
    for m in _AGO.finditer(text):
        unit = 7 if (m[2] or m[4])[0] in "周星礼w" else 1
        if (n := count(m[1] or m[3])) and (m[1] != "几" and m[3] not in ("few", "couple of", "couple")):
            day = f.today - timedelta(days=n * unit)
            yield _at(m, day, day, "day")
    for m in _SAME_DAY.finditer(text):
        day = f.today - timedelta(days=7)
        yield _at(m, day, day, "day")


def _written(pattern: re.Pattern[str], m: re.Match[str], today: date) -> date | None:
    if pattern is _ISO:
        return _valid(*(int(g) for g in m.groups() if g))
    if pattern is _EN_DAY:
        month, day = MONTHS[(m["m"] or m["m2"])[:3]], int(m["d"] or m["d2"])
        year = m["y"] or m["y2"]
        return _valid(int(year), month, day) if year else _near(month, day, today)
    month, day = (number(g) for g in m.groups() if g)
    return _near(month, day, today)


def weeks(text: str, f: Frame) -> Iterator[Stretch]:
    """Weekdays, weekends and weeks; a weekday without 上 or 下 is the last one up to today."""
    monday = f.today - timedelta(days=f.today.weekday())
    for m in _WEEKEND.finditer(text):
        lead = m[1] or m[2] or (m[3] or "").strip()
        back = {"上上": 2, "上": 1, "last": 1}.get(lead, 0)
        saturday = monday + timedelta(days=5 - 7 * back)
        if back == 0 and saturday > f.today:  # "the weekend" said during the week is the one that was
            saturday -= timedelta(days=7)
        yield _at(m, saturday, saturday + timedelta(days=1), "week")
    for m in _WEEKDAY.finditer(text):
        english = m[4] or next((w for w in _WEEKDAYS if m[5] and w.startswith(m[5][:3])), None)
        target = _WEEKDAYS.index(english) if english else (6 if m[2] in "日天" else CN.index(m[2]))
        lead = m[1] or (m[3] or "").strip()
        back = {"上上": 2, "上": 1, "last": 1, "下": -1, "next": -1}.get(lead, 0)
        day = monday + timedelta(days=target - 7 * back)
        if lead in ("", "this past") and day > f.today:
            day -= timedelta(days=7)
        start, end = m.start() if m[5] is None else m.start(5), m.end()
        if english and text.startswith(" before last", end):
            day, end = last_weekday(english, f.today) - timedelta(days=7), end + len(" before last")
        yield Stretch(day, day, start, end, "weekday")
    for m in _WEEKDAYS_AGO.finditer(text):
        day = last_weekday(m[2], f.today) - timedelta(days=7 * (count(m[1]) - 1))
        yield _at(m, day, day, "weekday")
    for m in _FUTURE.finditer(text):
        n = 7 if m[3] else count(m[1] or m[2])
        yield _at(m, f.today + timedelta(days=1), f.today + timedelta(days=n), "rolling")


def rolling(text: str, f: Frame) -> Iterator[Stretch]:
    """近7天, 过去两周, the last three days: up to and including today."""
    for m in _LAST_N.finditer(text):
        unit = (m[2] or m[4] or m[6])[0]
        length = {"天": 1, "日": 1, "d": 1, "月": 30, "m": 30}.get(unit, 7)
        counted = m[1] or m[3] or "a"
        n = length // 2 if counted == "半" else count(counted) * length
        if m[0] in ("前一天", "前1天"):
            continue  # the day before the one spoken of
        if m[0] == "前几天":
            yield _at(m, f.today - timedelta(days=n), f.today - timedelta(days=1), "rolling")
        elif n > 0 and not m[0].startswith("前半"):  # 前半个月 is the first half of the month
            yield _at(m, f.today - timedelta(days=n - 1), f.today, "rolling")


def months(text: str, f: Frame) -> Iterator[Stretch]:
    """Calendar weeks, months and parts of them."""
    monday = f.today - timedelta(days=f.today.weekday())
    this = f.today.replace(day=1)
    for m in _CALENDAR.finditer(text):
        back = {"上上": 2, "再上": 2, "再前": 2, "上": 1, "week before last": 2, "last week": 1, "past week": 1}.get(
            m[1] or m[2], 0
        )
        first = monday - timedelta(days=7 * back)
        yield _at(m, first, first + timedelta(days=6), "week")
    for m in _MONTH_WORD.finditer(text):
        yield _at(m, *_month_of(this if "last" not in m[0] else this - timedelta(days=1)), "month")
    for m in _MONTH.finditer(text):
        found = _month(m, text, f)
        if found is not None:
            yield _at(m, *found, "month")


def years(text: str, f: Frame) -> Iterator[Stretch]:
    """Quarters, halves and this year."""
    for m in _YEAR.finditer(text):
        yield _at(m, *_year(m, f.today), "year")


def _month_of(day: date) -> tuple[date, date]:
    return day.replace(day=1), day.replace(day=calendar.monthrange(day.year, day.month)[1])


def _month(m: re.Match[str], text: str, f: Frame) -> tuple[date, date] | None:
    """5月 · 5月下旬 · 上个月底 · in May · early June."""
    if m["h"] or m["r"]:
        day = f.today.replace(day=1) - timedelta(days=1) if m["r"] == "上" else f.today
    else:
        n = number(m["m"]) if m["m"] else MONTHS[m["em"][:3]]
        # "may" and "march" are also verbs: they are months only behind a word that wants one.
        verb = (
            m["em"] in ("may", "march")
            and not m["ep"]
            and not re.search(r"\b(?:in|of|for|since|from|last|to)\s$", text[: m.start()], flags=re.A)
        )
        if not 1 <= n <= 12 or verb:
            return None
        day = nearest_year(n, 1, f.today)
    first, last = _month_of(day)
    part = m["p"] or m["h"] or m["ep"] or ""
    if any(w in part for w in ("上旬", "初", "头", "early", "start", "beginning")):
        return first, first.replace(day=10)
    if "中" in part or part.endswith(("mid", "middle of")):
        return first.replace(day=11), first.replace(day=20)
    if any(w in part for w in ("下旬", "底", "末", "尾", "late", "end of")):
        return first.replace(day=21), last
    if any(w in part for w in ("上半", "前半", "first half")):
        return first, first.replace(day=15)
    if any(w in part for w in ("下半", "后半", "second half")):
        return first.replace(day=16), last
    return first, last


def _year(m: re.Match[str], today: date) -> tuple[date, date]:
    """今年 · 上半年 · 二季度 · Q2 · last quarter."""
    if m["q"]:
        digit = re.search(rf"[1-4{CN[:4]}]", m["q"])
        quarter = number(digit[0]) if digit else (today.month + 2) // 3 - (m["q"].startswith(("上", "last")))
        year = today.year if quarter else today.year - 1
        first = date(year, 3 * (quarter or 4) - 2, 1)
        return first, _month_of(first.replace(month=first.month + 2))[1]
    if m["h"]:
        return (
            (date(today.year, 1, 1), date(today.year, 6, 30))
            if m["h"] == "上"
            else (date(today.year, 7, 1), date(today.year, 12, 31))
        )
    return date(today.year, 1, 1), date(today.year, 12, 31)


def a_year_back(s: Stretch, years: int) -> Stretch:
    """去年6月16号; 29 February is the 28th in another year."""

    def back(day: date) -> date:
        return _valid(day.year - years, day.month, day.day) or date(day.year - years, 2, 28)

    return replace(s, first=back(s.first), last=back(s.last))
