"""Days as people write them in calendars and task sheets: 5.24-5.29, 5月24日～29日, 6/1, 06-01, 5.20前, Jun 1 – Jun 3.

Only what is written is read: a year stays open where none stands, and what is a price, a score or a share is no day.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import date, time, timedelta

from knowledge.textnorm import simplified

_CN = "一二三四五六七八九十"
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    r"|nov(?:ember)?|dec(?:ember)?)(?![a-z])\.?"
)
_NUMBER = rf"(?:\d{{1,2}}|[{_CN}]{{1,3}})"
_NO_DAY = (  # 12.5元, 8.8折, 1.5-2倍
    r"(?!\d|\.\d|\s*(?:[-~]\s*\d+(?:\.\d+)?\s*)?"
    r"(?:元|折|分(?!钟)|%|万|亿|倍|块|件|千|k(?![a-z])|w(?![a-z])|kg(?![a-z])|ml(?![a-z])|x(?![a-z])|rmb|cny|usd))"
)
_MAY_BEGIN = re.compile(rf"[\d{_CN}]|(?<![a-z])(?:{'|'.join(_MONTHS)})")
_DAY = re.compile(
    r"(?:(?P<iy>20\d\d)\s*(?P<is>[-/.]|年)\s*(?P<im>\d{1,2})\s*(?:[-/.]|月)\s*(?P<id>\d{1,2})(?!\d)[日号]?"
    r"|(?P<cy>20\d\d)(?P<cm>\d\d)(?P<cd>\d\d)(?!\d)"
    rf"|(?:(?P<zy>20\d\d)年)?\s*(?P<zm>{_NUMBER})\s*月\s*(?P<zd>{_NUMBER})(?:\s*[日号]|(?![\d{_CN}]))"
    rf"|(?P<nm>\d{{1,2}})(?P<ns>[./])(?P<nd>\d{{1,2}}){_NO_DAY}[日号]?"
    rf"|(?P<dm>\d\d)-(?P<dd>\d\d){_NO_DAY}(?!-20)"
    rf"|(?P<en>{_MONTH})\s*(?P<ed>\d{{1,2}})(?:st|nd|rd|th)?(?!\d|:)(?:\s*,?\s*(?P<ey>20\d\d))?"
    rf"|(?P<fd>\d{{1,2}})(?:st|nd|rd|th)?\s*(?:of\s+)?(?P<fn>{_MONTH})(?:\s*,?\s*(?P<fy>20\d\d))?)"
)
# 6-1 is a day only where nothing but days is expected.
_LOOSE = re.compile(rf"(?P<nm>\d{{1,2}})-(?P<nd>\d{{1,2}}){_NO_DAY}")
_WEEKDAY = (
    r"(?:\s*\(?\s*(?:(?:周|星期|礼拜)[一二三四五六日天]"
    r"|(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?(?![a-z])\.?)\s*\)?)?"
)
_TIME = re.compile(
    r"(?:\s*[,，t]?\s*|\s+at\s+)(?P<part>凌晨|早上?|上午|中午|下午|晚上?|夜里)?\s*"
    r"(?P<h>\d{1,2})(?:\s*:\s*(?P<min>\d\d)(?P<sec>:\d\d(?:\.\d+)?)?|[点时](?:整|(?P<half>半)|(?P<cmin>\d{1,2})分?)?|(?=\s*[ap]\.?m))"
    r"\s*(?P<ap>[ap])?(?(ap)\.?m\.?)"
)
_AFTER_DAY = re.compile(_WEEKDAY)
_TO = re.compile(r"\s*(?:-{1,2}|–|—{1,2}|−|~|→|至|到|(?<![a-z])(?:to|until|till|through|thru)(?![a-z]))\s*")
_DAY_ONLY = re.compile(
    rf"(?:(?P<d>\d{{1,2}})(?:st|nd|rd|th|[日号])?|(?P<c>[{_CN}]{{1,3}})[日号])(?![\d./:%月点时元折天个])(?:\s*,\s*(?P<y>20\d\d))?"
)
_DAYS_OF = re.compile(  # 1–3 June
    rf"(?P<a>\d{{1,2}})(?:st|nd|rd|th)?\s*(?:-|–|—|~|to)\s*(?P<b>\d{{1,2}})(?:st|nd|rd|th)?\s*(?:of\s+)?(?P<n>{_MONTH})"
    r"(?:\s*,?\s*(?P<y>20\d\d))?"
)
_SERIAL = re.compile(r"\s*(\d{5})(?:\.\d+)?\s*")
_SERIAL_DAYS = range(43_831, 55_153)  # 2020-01-01 to 2050-12-31, counted from 1899-12-30 as spreadsheets do
_NOT_AFTER = re.compile(r"[\d.¥￥$€v]$|\d[/-]$")
_BEFORE_BEHIND = re.compile(r"\s*(?:日|号)?\s*(?:之前|以前|前(?!\s*\d|天|期))")
_BEFORE_AHEAD = re.compile(r"(?:截至|截止到?|不晚于|最晚|(?<![a-z])(?:before|by|until|till|no later than))\s*:?\s*$")
_FROM_BEHIND = re.compile(r"\s*(?:起|开始|以后|之后|后(?!\s*\d|天)|onwards?(?![a-z]))")
_FROM_AHEAD = re.compile(r"(?:从|自|(?<![a-z])(?:from|since|starting))\s*:?\s*$")


@dataclass(frozen=True)
class Day:
    """A day of a month; `year` and `at` (time of day) only where they are written."""

    month: int
    day: int
    year: int | None = None
    at: time | None = None

    @property
    def month_day(self) -> str:
        return f"{self.month:02}-{self.day:02}"

    @property
    def order(self) -> tuple[int, int]:
        return self.month, self.day


@dataclass(frozen=True)
class Span:
    """Days `first`..`last`, both included; one of them None where only "before" or "from" is written.

    `start`, `end`: where it stands in the folded text (`folded`), qualifiers included.
    """

    first: Day | None
    last: Day | None
    start: int
    end: int

    @property
    def single(self) -> bool:
        return self.first is not None and self.first == self.last


def folded(text: str) -> str:
    """The text that spans are counted in: simplified, half width, lower case."""
    return simplified(text).lower()


def spans(text: str, *, loose: bool = False) -> list[Span]:
    """All days and ranges written in `text`, in order. `loose`: the text is a date cell, so 6-1 is a day too,
    and so is 46192, a date cell that lost its format."""
    said = folded(text)
    if loose and (serial := _SERIAL.fullmatch(said)) and int(serial[1]) in _SERIAL_DAYS:
        on = date(1899, 12, 30) + timedelta(days=int(serial[1]))
        day = Day(on.month, on.day, on.year)
        return [Span(day, day, 0, len(said))]
    out: list[Span] = []
    i = 0
    while may := _MAY_BEGIN.search(said, i):
        i = may.start()
        follows = bool(out) and said[out[-1].end : i].strip() in ("", "/", "-")  # 5.26/6.2/6.9
        free = follows or not _NOT_AFTER.search(said[max(0, i - 2) : i])
        found = _span_at(said, i, loose) if free else None
        if found is None:
            i += 1
            continue
        out.append(_qualified(said, found))
        i = out[-1].end
    return out


def years(text: str) -> set[int]:
    """The years that a text names, with a day or alone: 2026年, 2026双12, FY2026 is none."""
    return {int(m[0]) for m in re.finditer(r"(?<![\d.a-z])20[2-9]\d(?!\d|\s*(?:元|件|人|万|份))", folded(text))}


def gap_days(first: Day, last: Day) -> int:
    """Days from `first` to `last`, which lies in the next year where it comes earlier in the calendar."""
    start = date(first.year or 2024, first.month, first.day)
    end = date((first.year or 2024) + (last.order < first.order), last.month, last.day)
    return (end - start).days


# --- one span ----------------------------------------------------------------------------------------------------


def _span_at(text: str, i: int, loose: bool) -> Span | None:
    if m := _DAYS_OF.match(text, i):
        month, year = _month(m["n"]), int(m["y"]) if m["y"] else None
        first, last = _day(month, int(m["a"]), year), _day(month, int(m["b"]), year)
        if first and last and first.order <= last.order:
            return Span(first, last, i, m.end())
    begun = _day_at(text, i, loose)
    if begun is None:
        return None
    first, end = begun
    to = _TO.match(text, end)
    if to is not None:
        second = _day_at(text, to.end(), loose)
        if second is None and (m := _DAY_ONLY.match(text, to.end())):
            year = int(m["y"]) if m["y"] else first.year
            last = _day(first.month, _number(m["d"] or m["c"]), year)
            if last is not None and last.order >= first.order:
                second = _timed(text, last, m.end())
        if second is not None:
            return Span(*_same_years(first, second[0]), i, second[1])
    return Span(first, first, i, end)


def _day_at(text: str, i: int, loose: bool) -> tuple[Day, int] | None:
    """The day that begins at `i` and where it ends, its weekday and time of day included."""
    m = _DAY.match(text, i)
    found = _read(m) if m else None
    if found is None and loose and (m := _LOOSE.match(text, i)):
        found = _day(int(m["nm"]), int(m["nd"]), None)
    return _timed(text, found, m.end()) if m and found else None


def _read(m: re.Match[str]) -> Day | None:
    if m["iy"] or m["cy"]:
        p = "i" if m["iy"] else "c"
        return _day(int(m[p + "m"]), int(m[p + "d"]), int(m[p + "y"]))
    if m["zm"]:
        return _day(_number(m["zm"]), _number(m["zd"]), int(m["zy"]) if m["zy"] else None)
    if m["nm"] or m["dm"]:
        p = "n" if m["nm"] else "d"
        return _day(int(m[p + "m"]), int(m[p + "d"]), None)
    p = "e" if m["en"] else "f"
    return _day(_month(m[p + "n"]), int(m[p + "d"]), int(m[p + "y"]) if m[p + "y"] else None)


def _timed(text: str, day: Day, end: int) -> tuple[Day, int]:
    weekday = _AFTER_DAY.match(text, end)
    end = weekday.end() if weekday else end
    m = _TIME.match(text, end)
    if m is None:
        return day, end
    hour = int(m["h"])
    minute = 30 if m["half"] else int(m["min"] or m["cmin"] or 0)
    late = m["ap"] == "p" or (m["part"] or "").startswith(("下午", "晚", "夜", "中午"))
    if late and hour < 12 and not (m["part"] == "中午" and hour >= 10):
        hour += 12
    elif m["ap"] == "a" and hour == 12:
        hour = 0
    if hour > 23 or minute > 59:  # 24:00 ends the day, which a whole day does anyhow
        return day, m.end() if (hour, minute) == (24, 0) else end
    if m["sec"] and not (hour or minute):  # how spreadsheets write a day
        return day, m.end()
    return replace(day, at=time(hour, minute)), m.end()


def _qualified(text: str, span: Span) -> Span:
    """ "5.20前" has no first day, "5.5起" no last one."""
    if not span.single:
        return span
    ahead = text[max(0, span.start - 16) : span.start]
    for behind, before, narrowed in (
        (_BEFORE_BEHIND, _BEFORE_AHEAD, replace(span, first=None)),
        (_FROM_BEHIND, _FROM_AHEAD, replace(span, last=None)),
    ):
        if m := behind.match(text, span.end):
            return replace(narrowed, end=m.end())
        if m := before.search(ahead):
            return replace(narrowed, start=span.start - len(m[0]))
    return span


def _same_years(first: Day, last: Day) -> tuple[Day, Day]:
    """A year written at one end holds for the other too; a range over New Year ends in the next one."""
    over = last.order < first.order
    if first.year and not last.year:
        return first, replace(last, year=first.year + over)
    if last.year and not first.year:
        return replace(first, year=last.year - over), last
    return first, last


def _day(month: int, day: int, year: int | None) -> Day | None:
    try:
        date(year or 2024, month, day)  # a leap year: 2.29 is possible until the year is known
    except ValueError:
        return None
    return Day(month, day, year)


def _month(name: str) -> int:
    return _MONTHS.index(name[:3]) + 1


def _number(text: str) -> int:
    """1–99 in Arabic or Chinese numerals (十, 十八, 二十, 二十一); 0 for what is none."""
    if text.isdigit():
        return int(text)
    tens, ten, ones = text.rpartition("十") if "十" in text else ("", "", text)
    if len(tens) > 1 or len(ones) > 1 or "十" in tens:
        return 0
    value = {c: n for n, c in enumerate(_CN[:9], start=1)}
    return (value.get(tens, 1) * 10 if ten else 0) + value.get(ones, 0)
