"""The period grammar: ordinary time (昨天, 近7天, 6.16到今天, last 7 days) and campaign time (预售期, 第一波, 活动以来)."""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from tools.campaigns import Campaign, campaign_for, earlier_same

_CN = "一二三四五六七八九十"
_NUMBER = rf"(?:\d{{1,2}}|[{_CN}]{{1,3}})"
_MONTHS = {
    m: i + 1 for i, m in enumerate(["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"])
}
_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"
_WEEKDAYS = {w: i for i, w in enumerate(["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"])}
_BACK = {
    "大前天": 3, "前天": 2, "前日": 2, "前儿": 2, "the day before yesterday": 2, "day before yesterday": 2,
    "昨天": 1, "昨日": 1, "昨儿": 1, "昨晚": 1, "yesterday": 1,
    "明天": -1, "明日": -1, "明儿": -1, "tomorrow": -1, "后天": -2,
}  # fmt: skip
_TODAY = ("今早", "今儿早上", "今天", "今日", "今儿", "今晚", "当天", "today", "tonight", "now", "现在")
_WORD = "|".join(sorted([*_BACK, *_TODAY], key=len, reverse=True))

_DAY = (
    r"(?:(?P<{p}iso>\d{{4}}[-/.年]\d{{1,2}}[-/.月]\d{{1,2}}[日号]?)"
    r"|(?P<{p}md>{n}月{n}[日号]?)"
    r"|(?P<{p}dot>(?<![\d.])\d{{1,2}}[./]\d{{1,2}}(?![\d.%/]))"
    r"|(?P<{p}en>{m} ?\d{{1,2}}(?:st|nd|rd|th)?(?!\d))"
    r"|(?P<{p}enth>(?:on )?the \d{{1,2}}(?:st|nd|rd|th))"
    r"|(?P<{p}d>(?<!\d){n}[日号])"
    r"|(?P<{p}word>{w}))"
)


def _day_pattern(prefix: str) -> str:
    return _DAY.replace("{m}", _MONTH).replace("{w}", _WORD).replace("{n}", _NUMBER.replace("{", "{{").replace("}", "}}")).format(
        p=prefix
    )  # fmt: skip


_A, _B, _C = _day_pattern("a"), _day_pattern("b"), _day_pattern("c")
_TO = r" ?(?:到|至|~|—|–|-|to|until|through|and) ?"
_RANGE = re.compile(rf"(?:从|自|from |between )?{_A}{_TO}{_B}")
_SHORT_RANGE = re.compile(
    rf"(?P<em>{_MONTH}) ?(?P<e1>\d{{1,2}}) ?(?:-|–|~|to) ?(?P<e2>\d{{1,2}})(?!\d)"
    rf"|(?P<zm>{_NUMBER})月(?P<z1>{_NUMBER})[日号]?{_TO}(?P<z2>{_NUMBER})[日号]?(?!月|\d)"
)
_SINCE = re.compile(rf"(?:since |从|自){_A}(?:以来|起|开始|之后)?|{_C}(?:以来|起)")
_BOTH = re.compile(rf"{_A}(?:和|跟|与|、| and ){_B}")
_SINGLE = re.compile(_A)
_TWO_DAYS = re.compile(r"这两天|这几天|these two days|these days")
_NATIONAL_DAY = re.compile(r"国庆(?:那几天|期间|假期|节)?|national day(?: week| holiday)?")
_PHASE_EDGE = re.compile(r"第一天|首日|最后一天|first day|last day")
_LAST_N = re.compile(
    rf"(?:近|最近|过去|前)(?P<cn>\d{{1,3}}|[{_CN}两]{{1,3}})(?:个)?(?P<cnu>天|日|周)|"
    r"(?:last|past) (?P<en>\d{1,3}) (?P<enu>days?|weeks?)"
)
_WEEK = re.compile(r"上上周末|上周末|本周末|这周末|周末|(?:last |this )?weekend")
_WEEKDAY = re.compile(
    rf"(?P<w>上上|上|本|这)?(?:个)?(?:周|星期|礼拜)(?P<d>[{_CN[:6]}日天])|(?P<ew>last |this )?(?P<ed>{'|'.join(_WEEKDAYS)})"
)
_CALENDAR = re.compile(
    r"上上周|本周|这周|这个星期|this week|上周|上个星期|last week|past week|本月|这个月|this month|上个月|上月|last month"
)
_MONTH_PART = re.compile(
    rf"(?P<m>{_NUMBER})月(?P<part>上旬|中旬|下旬|初|底|份|整月|全月|整个月)?(?![\d{_CN}日号])"
    rf"|(?P<em>{_MONTH})(?= |$|\?)(?! ?\d)"
)
_WAVE = re.compile(r"第(?P<n>[一二三])波|wave (?P<e>[123])|(?P<o>first|second|third) wave|本波|这一波|这波|this wave")
_PHASE_KINDS: list[tuple[re.Pattern[str], str]] = [
    (re.compile(r"蓄水期?|build ?up"), "pool"),
    (
        re.compile(r"预售期|预售阶段|预售期间|预售(?!商品|订单|下定|付|金额|人群|款|品|定)|presale(?: phase| period)?"),
        "presale",
    ),
    (re.compile(r"预热期?(?:阶段)?|preheat"), "preheat"),
    (re.compile(r"准备期|preparation phase"), "prepare"),
]
_NAMED_PHASES = [
    (re.compile(r"开门红|opening sale"), "sale1"),
    (re.compile(r"狂欢日|正式售卖|爆发期|main sale|peak day"), "sale2"),
]
LAST_YEAR = re.compile(r"去年|上一年|last year'?s?")
_PEAK = re.compile(r"当天|当日|那天|\bday\b")
_CAMPAIGN = re.compile(
    r"(?:本次|这次)?(?:大促|活动)(?:期间|以来|至今|开始以来|累计)|到现在一共|到目前为止|"
    r"campaign to date|during the campaign|so far this campaign"
)
_FUTURE = re.compile(rf"(?:未来|接下来|往后)(?P<n>\d{{1,3}}|[{_CN}两])天|next (?P<e>\d{{1,3}}) days|下周|next week")


@dataclass(frozen=True)
class Period:
    """Days `first`..`last` and where in the question they were named."""

    first: date
    last: date
    spans: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class _Frame:
    """What a rule may lean on: the day, the campaign of the day or the one named, whether it was named."""

    today: date
    campaign: Campaign | None
    campaigns: tuple[Campaign, ...]
    named: bool


def find_period(
    text: str, now: datetime, campaigns: tuple[Campaign, ...], named: Campaign | None = None
) -> Period | None:
    """The period that a folded question names, or None. A campaign named without a time means its days up to today.

    Impossible dates (2.30) are left alone, so that they show up as words not used.
    """
    today = now.date()
    frame = _Frame(today, named or campaign_for(today, campaigns), campaigns, named is not None)
    for rule in _RULES:
        found = rule(text, frame)
        if found is not None:
            return found
    return None


def number(text: str) -> int:
    """A numeral of up to two digits, Arabic or Chinese (十八, 二十, 二十一, 两)."""
    if text.isdigit():
        return int(text)
    digits = {c: i + 1 for i, c in enumerate(_CN)} | {"两": 2}
    if "十" not in text:
        return digits[text[0]]
    tens, _, ones = text.partition("十")
    return (digits[tens] if tens else 1) * 10 + (digits[ones] if ones else 0)


def _range(text: str, f: _Frame) -> Period | None:
    for m in _RANGE.finditer(text):
        first, last = _day(m, "a", f.today), _day(m, "b", f.today)
        if first and last:
            if (m["bd"] or m["benth"]) and not m["ad"] and last < first:
                last = last.replace(year=first.year, month=first.month)
            return Period(min(first, last), max(first, last), (m.span(),))
    return None


def _short_range(text: str, f: _Frame) -> Period | None:
    """June 1-3 · 6月1-3号."""
    m = _SHORT_RANGE.search(text)
    if not m:
        return None
    month = _MONTHS[m["em"][:3]] if m["em"] else number(m["zm"])
    try:
        first = _nearest_year(month, number(m["e1"] or m["z1"]), f.today)
        return Period(first, first.replace(day=number(m["e2"] or m["z2"])), (m.span(),))
    except ValueError:
        return None


def _these_days(text: str, f: _Frame) -> Period | None:
    """这两天 is yesterday and today, 这几天 the last three; 国庆 the first week of October."""
    if m := _TWO_DAYS.search(text):
        back = 1 if "两" in m[0] or "two" in m[0] else 2
        return Period(f.today - timedelta(days=back), f.today, (m.span(),))
    if m := _NATIONAL_DAY.search(text):
        first = _nearest_year(10, 1, f.today)
        return Period(first, first + timedelta(days=6), (m.span(),))
    return None


def _since(text: str, f: _Frame) -> Period | None:
    m = _SINCE.search(text)
    if m:
        first = _day(m, "a", f.today) or _day(m, "c", f.today)
        if first and first <= f.today:
            return Period(first, f.today, (m.span(),))
    return None


def _both(text: str, f: _Frame) -> Period | None:
    """前天和昨天: two neighbouring days are one window."""
    for m in _BOTH.finditer(text):
        first, last = _day(m, "a", f.today), _day(m, "b", f.today)
        if first and last and abs((last - first).days) == 1:
            return Period(min(first, last), max(first, last), (m.span(),))
    return None


def _last_n(text: str, f: _Frame) -> Period | None:
    m = _LAST_N.search(text)
    if not m:
        return None
    n = number(m["cn"]) if m["cn"] and not m["cn"].isdigit() else int(m["en"] or m["cn"])
    days = n * 7 if (m["cnu"] or m["enu"])[0] in "周w" else n
    return Period(f.today - timedelta(days=days - 1), f.today, (m.span(),)) if days > 0 else None


def _future(text: str, f: _Frame) -> Period | None:
    m = _FUTURE.search(text)
    if not m:
        return None
    n = number(m["n"]) if m["n"] else int(m["e"]) if m["e"] else 7
    return Period(f.today + timedelta(days=1), f.today + timedelta(days=n), (m.span(),))


def _weekend(text: str, f: _Frame) -> Period | None:
    m = _WEEK.search(text)
    if not m:
        return None
    monday = f.today - timedelta(days=f.today.weekday())
    weeks = 2 if "上上" in m[0] else 1 if "上" in m[0] or "last" in m[0] else 0
    saturday = monday + timedelta(days=5 - 7 * weeks)
    if weeks == 0 and saturday > f.today:  # "the weekend" said during the week is the one that was
        saturday -= timedelta(days=7)
    return Period(saturday, saturday + timedelta(days=1), (m.span(),))


def _weekday(text: str, f: _Frame) -> Period | None:
    m = _WEEKDAY.search(text)
    if not m:
        return None
    target = _WEEKDAYS[m["ed"]] if m["ed"] else ("日天".find(m["d"]) >= 0 and 6) or _CN.index(m["d"])
    monday = f.today - timedelta(days=f.today.weekday())
    weeks = {"上上": 2, "上": 1}.get(m["w"] or "", 1 if (m["ew"] or "").strip() == "last" else 0)
    day = monday + timedelta(days=target - 7 * weeks)
    if not m["w"] and not m["ew"] and day > f.today:
        day -= timedelta(days=7)
    return Period(day, day, (m.span(),))


def _calendar(text: str, f: _Frame) -> Period | None:
    m = _CALENDAR.search(text)
    if not m:
        return None
    monday = f.today - timedelta(days=f.today.weekday())
    month = f.today.replace(day=1)
    before = month - timedelta(days=1)
    word = m[0]
    if word == "上上周":
        return Period(monday - timedelta(days=14), monday - timedelta(days=8), (m.span(),))
    if word in ("上周", "上个星期", "last week", "past week"):
        return Period(monday - timedelta(days=7), monday - timedelta(days=1), (m.span(),))
    if word in ("上个月", "上月", "last month"):
        return Period(before.replace(day=1), before, (m.span(),))
    return Period(month if "月" in word or "month" in word else monday, f.today, (m.span(),))


def _month(text: str, f: _Frame) -> Period | None:
    """5月 · 5月整月 · 六月上旬 · in May; cut at today."""
    for m in _MONTH_PART.finditer(text):
        n = number(m["m"]) if m["m"] else _MONTHS[m["em"][:3]]
        # "may" is also a verb: it is a month only behind "in".
        if not 1 <= n <= 12 or (m["em"] == "may" and not text[: m.start()].endswith("in ")):
            continue
        first = _nearest_year(n, 1, f.today)
        last = first.replace(day=calendar.monthrange(first.year, n)[1])
        part = m["part"]
        if part in ("上旬", "初"):
            last = first.replace(day=10)
        elif part == "中旬":
            first, last = first.replace(day=11), first.replace(day=20)
        elif part in ("下旬", "底"):
            first = first.replace(day=21)
        return _cut(first, last, f.today, [m.span()])
    return None


def _in_campaign(text: str, f: _Frame) -> Period | None:
    """Waves, phases and the peak day of this campaign, of the one named, with 去年 of its earlier instance. Cut at today."""
    c = f.campaign
    if c is None:
        return None
    spans: list[tuple[int, int]] = []
    year = LAST_YEAR.search(text)
    if year and not f.named:
        c = earlier_same(c, f.campaigns)
        if c is None:
            return None
    if year:
        spans.append(year.span())
    wave = _WAVE.search(text)
    kind = next(((m, k) for pattern, k in _PHASE_KINDS if (m := pattern.search(text))), None)
    exact = next(((m, k) for pattern, k in _NAMED_PHASES if (m := pattern.search(text))), None)
    waves = c.waves()
    n = None
    if wave:
        words = {"一": 1, "二": 2, "三": 3, "first": 1, "second": 2, "third": 3}
        n = words.get(wave["n"] or wave["o"] or "") or (int(wave["e"]) if wave["e"] else None)
        if n is None:
            current = c.wave_at(min(f.today, c.last))
            return _cut(current.first, current.last, f.today, [*spans, wave.span()])
        if n > len(waves):
            return None
    if kind or exact:
        match, key = exact or kind or (None, "")
        inside = [p for p in c.phases if (p.key if exact else p.kind) == key]
        if n is not None and not exact:
            inside = [p for p in inside if waves[n - 1].first <= p.first <= waves[n - 1].last]
        if not inside or match is None:
            return None
        begun = [p for p in inside if p.first <= f.today]
        phase = begun[-1] if begun else inside[0]
        edge = _PHASE_EDGE.search(text)
        if edge:  # 预售第一天
            day = phase.first if edge[0] in ("第一天", "首日", "first day") else phase.last
            return Period(day, day, (*spans, match.span(), edge.span()))
        return _cut(phase.first, phase.last, f.today, [*spans, match.span(), *([wave.span()] if wave else [])])
    if n is not None and wave:
        return _cut(waves[n - 1].first, waves[n - 1].last, f.today, [*spans, wave.span()])
    peak = _PEAK.search(text)
    if f.named and peak and c.peak_day:
        return Period(c.peak_day, c.peak_day, (*spans, peak.span()))
    whole = _CAMPAIGN.search(text)
    if whole:
        return _cut(c.first, c.last, f.today, [*spans, whole.span()])
    return None


def _whole_campaign(text: str, f: _Frame) -> Period | None:
    """A campaign named and nothing else about time: all its days up to today."""
    if not f.named or f.campaign is None:
        return None
    year = LAST_YEAR.search(text)
    return _cut(f.campaign.first, f.campaign.last, f.today, [year.span()] if year else [])


def _cut(first: date, last: date, today: date, spans: list[tuple[int, int]]) -> Period:
    """A period that has begun ends today at the latest; one that has not begun stays whole."""
    return Period(first, min(last, today) if first <= today else last, tuple(spans))


def _single(text: str, f: _Frame) -> Period | None:
    for m in _SINGLE.finditer(text):
        if m["aword"] in ("now", "现在") or (f.named and m["aword"] == "当天"):
            continue
        day = _day(m, "a", f.today)
        if day:
            return Period(day, day, (m.span(),))
    return None


Rule = Callable[[str, _Frame], "Period | None"]
_RULES: tuple[Rule, ...] = (
    _short_range, _range, _these_days, _since, _both, _last_n, _future, _weekend, _weekday, _calendar, _in_campaign,
    _single, _month, _whole_campaign,
)  # fmt: skip


def _day(m: re.Match[str], p: str, today: date) -> date | None:
    """The day a match names; None when the group did not match or there is no such day."""
    try:
        if text := m[f"{p}iso"]:
            y, mo, d = map(int, re.findall(r"\d+", text))
            return date(y, mo, d)
        if text := m[f"{p}md"]:
            month, day = text.rstrip("日号").split("月")
            return _nearest_year(number(month), number(day), today)
        if text := m[f"{p}dot"]:
            mo, d = map(int, re.findall(r"\d+", text))
            return _nearest_year(mo, d, today)
        if text := m[f"{p}en"]:
            return _nearest_year(_MONTHS[text[:3]], int(re.findall(r"\d+", text)[0]), today)
        if text := m[f"{p}d"] or m[f"{p}enth"]:
            digits = re.findall(r"\d+", text)
            n = int(digits[0]) if digits else number(text.rstrip("日号"))
            day_of_month = date(today.year, today.month, n)
            return day_of_month if day_of_month <= today else (today.replace(day=1) - timedelta(days=1)).replace(day=n)
    except (ValueError, KeyError):
        return None
    word = m[f"{p}word"]
    return today - timedelta(days=_BACK.get(word, 0)) if word else None


def _nearest_year(month: int, day: int, today: date) -> date:
    this = date(today.year, month, day)
    # In January "12 月 30 日" is last year's; a day up to half a year ahead is meant as written.
    return this if this <= today + timedelta(days=183) else date(today.year - 1, month, day)
